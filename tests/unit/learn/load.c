#include "load.h"

#include "support/scratch.h"

#include <stdlib.h>
#include <string.h>

struct dataset *load_bytes(const char *name, const char *text, size_t length, struct ss_error *err)
{
	/* The paths are borrowed for the dataset's life, so the names of the files outlive them. */
	static char path[512];
	const char *const paths[] = {path};
	char *folder = scratch_new();
	char *file = scratch_file(folder, name, text, length);
	(void)snprintf(path, sizeof path, "%s", file);
	struct dataset *dataset = dataset_load(paths, 1, "mood", err);
	free(file);
	scratch_remove(folder);
	return dataset;
}

struct dataset *load_text(const char *name, const char *text, struct ss_error *err)
{
	return load_bytes(name, text, strlen(text), err);
}
