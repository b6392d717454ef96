#include "base/file.h"

#include "base/id.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail_errno(struct ss_error *err, const char *path, const char *what)
{
	return ss_fail_as(err, errno == ENOENT ? SS_NOT_FOUND : SS_INTERNAL, "%s: %s: %s", path,
		what, strerror(errno));
}

int file_read(const char *path, size_t limit, char **data, size_t *length, struct ss_error *err)
{
	char *bytes = NULL;
	struct stat status;
	/* A pipe without a writer must not hold us up until we see that it is no file. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &status) < 0) {
		(void)fail_errno(err, path, "cannot be opened");
		goto fail;
	}
	if (!S_ISREG(status.st_mode)) {
		(void)ss_fail_as(err, SS_INVALID, "%s: is not a file", path);
		goto fail;
	}
	if ((size_t)status.st_size > limit) {
		(void)ss_fail_as(err, SS_LIMIT, "%s: has %lld bytes; at most %zu are read", path,
			(long long)status.st_size, limit);
		goto fail;
	}
	size_t size = (size_t)status.st_size;
	bytes = memory_new(size + 1);
	size_t got = 0;
	while (got < size) {
		ssize_t n = read(fd, bytes + got, size - got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			(void)fail_errno(err, path, "cannot be read");
			goto fail;
		}
		if (n == 0)
			break;
		got += (size_t)n;
	}
	(void)close(fd);
	*data = bytes;
	*length = got;
	return 0;
fail:
	free(bytes);
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

static int write_all(int fd, const char *data, size_t length)
{
	while (length > 0) {
		ssize_t n = write(fd, data, length);
		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0) {
			data += n;
			length -= (size_t)n;
		}
	}
	return fsync(fd);
}

int file_write(const char *path, const char *data, size_t length, struct ss_error *err)
{
	/* Its own for each thread that writes PATH now. */
	char *temporary = memory_format("%s.%d.tmp", path, (int)gettid());
	int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int result = -1;
	if (fd < 0 || write_all(fd, data, length) < 0 || rename(temporary, path) < 0)
		(void)fail_errno(err, path, "cannot be written");
	else
		result = 0;
	if (fd >= 0)
		(void)close(fd);
	if (fd >= 0 && result < 0)
		(void)unlink(temporary);
	free(temporary);
	return result;
}

void file_make_folders(const char *path)
{
	char *folder = memory_string(path);
	for (char *slash = strchr(folder + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(folder, 0700);
		*slash = '/';
	}
	free(folder);
}

char *file_partial_name(const char *path)
{
	char id[ID_SIZE];
	return memory_format("%s.partial-%s", path, id_new("", id));
}

static int synchronize(const char *path, int flags)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
	int result = fd >= 0 ? fsync(fd) : -1;
	if (fd >= 0)
		(void)close(fd);
	return result;
}

static int give_name(const char *partial, const char *path, bool may_replace)
{
	if (may_replace)
		return rename(partial, path);
	int result = renameat2(AT_FDCWD, partial, AT_FDCWD, path, RENAME_NOREPLACE);
	/* Some file systems cannot do that. */
	return result < 0 && errno == EINVAL ? link(partial, path) : result;
}

int file_place(const char *partial, const char *path, bool may_replace, struct ss_error *err)
{
	const char *slash = strrchr(path, '/');
	char *folder =
		slash != NULL ? memory_text(path, (size_t)(slash - path) + 1) : memory_string(".");
	int result = synchronize(partial, 0);
	if (result == 0)
		result = give_name(partial, path, may_replace);
	if (result == 0)
		result = synchronize(folder, O_DIRECTORY);
	if (result < 0)
		(void)fail_errno(err, path, "cannot be written");
	(void)unlink(partial);
	free(folder);
	return result;
}

char *file_beside(const char *file, const char *path)
{
	const char *slash = strrchr(file, '/');
	if (path[0] == '/' || slash == NULL)
		return memory_string(path);
	return memory_format("%.*s%s", (int)(slash - file + 1), file, path);
}

char *file_absolute(const char *path)
{
	char *folder = path[0] != '/' ? getcwd(NULL, 0) : NULL;
	char *absolute =
		folder != NULL ? memory_format("%s/%s", folder, path) : memory_string(path);
	free(folder);
	return absolute;
}
