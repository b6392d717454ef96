#include "app/database_place.h"

#include "base/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The folder that PATH is in; new. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	if (slash == NULL)
		return memory_string(".");
	return slash == path ? memory_string("/") : memory_text(path, (size_t)(slash - path));
}

static int check_folder(const char *path, struct ss_error *err)
{
	struct stat status;
	char *folder = folder_of(path);
	int result = 0;
	if (stat(folder, &status) < 0)
		result = ss_fail(err,
			"%s: cannot use the folder %s: %s; create it, or name another path", path,
			folder, strerror(errno));
	else if (!S_ISDIR(status.st_mode))
		result = ss_fail(err, "%s: %s is not a folder; name another path", path, folder);
	else if (access(folder, W_OK | X_OK) < 0)
		result = ss_fail(err, "%s: cannot be created or written in the folder %s: %s", path,
			folder, strerror(errno));
	free(folder);
	return result;
}

int database_place_check(const char *path, struct ss_error *err)
{
	struct stat status;
	/* Its log is written beside it, so the folder counts also when the file is there. */
	if (check_folder(path, err) < 0)
		return -1;
	if (stat(path, &status) < 0)
		return errno == ENOENT ? 0 : ss_fail(err, "%s: %s", path, strerror(errno));
	if (S_ISDIR(status.st_mode))
		return ss_fail(
			err, "%s: is a folder; name a file in it, such as smartsupport.db", path);
	if (!S_ISREG(status.st_mode))
		return ss_fail(err, "%s: is not a plain file; name another path", path);
	if (access(path, R_OK | W_OK) < 0)
		return ss_fail(err, "%s: cannot be read and written: %s", path, strerror(errno));
	return 0;
}
