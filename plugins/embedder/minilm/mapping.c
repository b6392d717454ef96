#include "mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int map(
	struct mapping *mapping, int file, const char *path, size_t limit, struct ss_error *err)
{
	struct stat status;
	if (fstat(file, &status) < 0)
		return ss_fail(err, "%.250s: cannot be read: %s", path, strerror(errno));
	if (!S_ISREG(status.st_mode))
		return ss_fail_as(err, SS_INVALID, "%.250s: is not a file", path);
	if (status.st_size == 0)
		return ss_fail_as(
			err, SS_INVALID, "%.250s: the file is empty; download it again", path);
	if ((size_t)status.st_size > limit)
		return ss_fail_as(err, SS_LIMIT, "%.250s: has %lld bytes; at most %zu are read",
			path, (long long)status.st_size, limit);
	void *data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
	if (data == MAP_FAILED)
		return ss_fail(err, "%.250s: cannot be mapped: %s", path, strerror(errno));
	*mapping = (struct mapping){data, (size_t)status.st_size};
	return 0;
}

int mapping_open(struct mapping *mapping, const char *path, size_t limit, struct ss_error *err)
{
	*mapping = (struct mapping){0};
	int file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return ss_fail_as(err, errno == ENOENT ? SS_NOT_FOUND : SS_INTERNAL,
			"%.250s: cannot be opened: %s", path, strerror(errno));
	int result = map(mapping, file, path, limit, err);
	(void)close(file);
	return result;
}

void mapping_rest(const struct mapping *mapping)
{
	if (mapping->data != NULL)
		(void)madvise((void *)(uintptr_t)mapping->data, mapping->length, MADV_DONTNEED);
}

void mapping_close(struct mapping *mapping)
{
	if (mapping->data != NULL)
		(void)munmap((void *)(uintptr_t)mapping->data, mapping->length);
	*mapping = (struct mapping){0};
}
