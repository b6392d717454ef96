#include "plugin/copy.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	FILE_LIMIT = 512 << 20, /* bytes */
	NAME_HASH = 16,         /* characters of the hash in a copy's name */
	DAY_S = 86400,
};

static bool same_moment(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* The bytes of the file as they were at one moment. */
static int read_still(const char *path, char **bytes, size_t *length, struct ss_error *err)
{
	struct stat before, after;
	if (stat(path, &before) < 0)
		return ss_fail(err, "%s: cannot be read", path);
	if (file_read(path, FILE_LIMIT, bytes, length, err) < 0)
		return -1;
	if (stat(path, &after) == 0 && same_moment(&before, &after))
		return 0;
	free(*bytes);
	*bytes = NULL;
	return ss_fail(err, "%s: was changed while it was read; try again when it is whole", path);
}

static bool has_bytes(const char *path, const char *bytes, size_t length)
{
	struct ss_error ignored = {0};
	char *found = NULL;
	size_t size = 0;
	bool same = file_read(path, FILE_LIMIT, &found, &size, &ignored) == 0 && size == length &&
		    memcmp(found, bytes, length) == 0;
	free(found);
	return same;
}

/* FOLDER/billing-0123456789abcdef.so for …/billing.so. */
static char *copy_name(const char *folder, const char *path, const char *hash)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	const char *dot = strrchr(name, '.');
	int length = (int)(dot != NULL ? dot - name : (ptrdiff_t)strlen(name));
	return memory_format(
		"%s/%.*s-%.*s%s", folder, length, name, NAME_HASH, hash, dot != NULL ? dot : "");
}

char *plugin_copy(const char *path, const char *folder, char hash[HASH_SIZE], struct ss_error *err)
{
	char *copy = NULL;
	char *bytes = NULL;
	size_t length = 0;
	if (read_still(path, &bytes, &length, err) < 0)
		return NULL;
	(void)hash_sha256(bytes, length, hash);
	if (folder == NULL) {
		copy = memory_string(path);
		goto done;
	}
	copy = copy_name(folder, path, hash);
	file_make_folders(copy);
	if (has_bytes(copy, bytes, length)) {
		(void)utimensat(AT_FDCWD, copy, NULL, 0); /* still in use, for the tidying */
	} else if (file_write(copy, bytes, length, err) < 0) {
		free(copy);
		copy = memory_string(path);
	}
done:
	free(bytes);
	return copy;
}

void plugin_copies_tidy(const char *folder, int days)
{
	DIR *files = opendir(folder);
	if (files == NULL)
		return;
	int64_t oldest_s = clock_utc_ns() / 1000000000 - (int64_t)days * DAY_S;
	for (const struct dirent *file; (file = readdir(files)) != NULL;) {
		struct stat status;
		if (fstatat(dirfd(files), file->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISREG(status.st_mode) && status.st_mtim.tv_sec < oldest_s)
			(void)unlinkat(dirfd(files), file->d_name, 0);
	}
	(void)closedir(files);
}
