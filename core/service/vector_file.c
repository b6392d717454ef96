#include "service/vector_file.h"

#include "base/file.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HASH_LENGTH = HASH_SIZE - 1 };

/* A format of its own from the first byte on; the number changes with it. */
static const char magic[8] = "SSVECS1\n";

static const uint64_t byte_order = 0x0102030405060708u;

/* More than a base of the most articles of the greatest length makes. */
static const size_t file_limit = (size_t)64 << 30;

/* Its size is a multiple of 8, so that the vectors lie as floats must. */
struct header {
	char magic[8];
	uint64_t byte_order;
	uint64_t dimension;
	uint64_t count;
	uint64_t index_length;
	char embedder[HASH_LENGTH];
	char index[HASH_LENGTH]; /* zeros: nothing was saved */
};

/* The bytes of a file of COUNT vectors; 0 when there are too many. */
static size_t file_length(uint64_t count, uint64_t dimension, uint64_t index_length)
{
	if (dimension > UINT32_MAX || index_length > file_limit ||
		count > file_limit / (HASH_LENGTH + dimension * sizeof(float)))
		return 0;
	return sizeof(struct header) + count * (HASH_LENGTH + dimension * sizeof(float)) +
	       index_length + HASH_LENGTH;
}

static int check(const char *path, const char *bytes, size_t length,
	const struct vector_file_key *key, struct ss_error *err)
{
	struct header header;
	char checksum[HASH_SIZE];
	if (length < sizeof header + HASH_LENGTH)
		return ss_fail_as(err, SS_INVALID, "%s: is cut off", path);
	memcpy(&header, bytes, sizeof header);
	if (memcmp(header.magic, magic, sizeof magic) != 0 || header.byte_order != byte_order)
		return ss_fail_as(
			err, SS_INVALID, "%s: is no file of vectors that this server knows", path);
	if (file_length(header.count, header.dimension, header.index_length) != length)
		return ss_fail_as(err, SS_INVALID, "%s: has not the length that it tells", path);
	hash_sha256(bytes, length - HASH_LENGTH, checksum);
	if (memcmp(checksum, bytes + length - HASH_LENGTH, HASH_LENGTH) != 0)
		return ss_fail_as(err, SS_INVALID, "%s: its checksum is wrong", path);
	if (memcmp(header.embedder, key->embedder, HASH_LENGTH) != 0 ||
		header.dimension != key->dimension)
		return ss_fail_as(err, SS_CONFLICT, "%s: is of another embedder", path);
	return 0;
}

int vector_file_read(const char *path, const struct vector_file_key *key, struct vector_file *file,
	struct ss_error *err)
{
	struct header header;
	size_t length;
	*file = (struct vector_file){0};
	if (file_read(path, file_limit, &file->bytes, &length, err) < 0)
		return -1;
	if (check(path, file->bytes, length, key, err) < 0) {
		vector_file_free(file);
		return -1;
	}
	memcpy(&header, file->bytes, sizeof header);
	file->count = (size_t)header.count;
	file->hashes = file->bytes + sizeof header;
	file->vectors = (const float *)(const void *)(file->hashes + file->count * HASH_LENGTH);
	file->index = (const char *)(file->vectors + file->count * key->dimension);
	if (key->index != NULL && memcmp(header.index, key->index, HASH_LENGTH) == 0)
		file->index_length = (size_t)header.index_length;
	return 0;
}

void vector_file_free(struct vector_file *file)
{
	free(file->bytes);
	*file = (struct vector_file){0};
}

static char *append(char *at, const void *data, size_t length)
{
	if (length > 0)
		memcpy(at, data, length);
	return at + length;
}

int vector_file_write(const char *path, const struct vector_file_key *key,
	const struct vector_file *file, struct ss_error *err)
{
	struct header header = {
		.byte_order = byte_order,
		.dimension = key->dimension,
		.count = file->count,
		.index_length = file->index_length,
	};
	char checksum[HASH_SIZE];
	size_t length = file_length(file->count, key->dimension, file->index_length);
	if (length == 0 || length > file_limit)
		return ss_fail_as(err, SS_LIMIT, "%s: would be too large", path);
	memcpy(header.magic, magic, sizeof magic);
	memcpy(header.embedder, key->embedder, HASH_LENGTH);
	if (key->index != NULL && file->index_length > 0)
		memcpy(header.index, key->index, HASH_LENGTH);
	char *bytes = memory_new(length);
	char *at = append(bytes, &header, sizeof header);
	at = append(at, file->hashes, file->count * HASH_LENGTH);
	at = append(at, file->vectors, file->count * key->dimension * sizeof(float));
	at = append(at, file->index, file->index_length);
	hash_sha256(bytes, (size_t)(at - bytes), checksum);
	(void)append(at, checksum, HASH_LENGTH);
	int result = file_write(path, bytes, length, err);
	free(bytes);
	return result;
}

int vector_file_lock(const char *path, struct ss_error *err)
{
	char *name = memory_format("%s.lock", path);
	file_make_folders(path);
	int lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int result = lock;
	while (lock >= 0 && (result = flock(lock, LOCK_EX)) < 0 && errno == EINTR)
		continue;
	if (result < 0) {
		(void)ss_fail(err, "%s: cannot be locked: %s", name, strerror(errno));
		vector_file_unlock(lock);
		lock = -1;
	}
	free(name);
	return lock;
}

void vector_file_unlock(int lock)
{
	if (lock >= 0)
		(void)close(lock);
}
