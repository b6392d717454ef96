#include "support/scratch.h"

#include "base/memory.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void must(int good, const char *what)
{
	if (!good) {
		perror(what);
		abort();
	}
}

char *scratch_new(void)
{
	char *folder = memory_string(SS_BUILD_DIR "/tests/scratch-XXXXXX");
	must(mkdtemp(folder) != NULL, folder);
	return folder;
}

char *scratch_path(const char *folder, const char *name)
{
	return memory_format("%s/%s", folder, name);
}

char *scratch_file(const char *folder, const char *name, const char *data, size_t length)
{
	char *path = scratch_path(folder, name);
	FILE *file = fopen(path, "wb");
	must(file != NULL, path);
	must(fwrite(data, 1, length, file) == length, path);
	must(fclose(file) == 0, path);
	return path;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
	(void)status;
	(void)type;
	(void)place;
	return remove(path);
}

void scratch_remove(char *folder)
{
	must(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0, folder);
	free(folder);
}
