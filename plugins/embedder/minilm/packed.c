#include "packed.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	HEADER_BYTES = 64,
	WAIT_STEP_MS = 10,
	WAIT_STEPS = 1000,
};

/* The first bytes of the memory. */
struct header {
	uint64_t key, size;
	uint64_t complete; /* COMPLETE, written last */
};

static const uint64_t COMPLETE = 0x53535041434b4544u;

static struct header *header_of(const struct packed *packed)
{
	return packed->mapping;
}

static bool map(struct packed *packed, int flags, int file)
{
	void *mapping = mmap(NULL, packed->length, PROT_READ | PROT_WRITE, flags, file, 0);
	if (mapping == MAP_FAILED)
		return false;
	packed->mapping = mapping;
	packed->data = (char *)mapping + HEADER_BYTES;
	return true;
}

enum locked {
	LOCKED_ALONE,
	LOCKED_WITH_OTHERS, /* who use it, so it is complete */
	LOCKED_NOT,         /* somebody fills it, or the last user has just removed it */
	LOCKED_NEVER,       /* somebody else than this user could write to it */
};

static enum locked lock(int file)
{
	struct stat status;
	bool alone = flock(file, LOCK_EX | LOCK_NB) == 0;
	if (!alone && flock(file, LOCK_SH | LOCK_NB) < 0)
		return LOCKED_NOT;
	if (fstat(file, &status) < 0 || status.st_uid != geteuid() || (status.st_mode & 077) != 0)
		return LOCKED_NEVER;
	if (status.st_nlink == 0)
		return LOCKED_NOT;
	return alone ? LOCKED_ALONE : LOCKED_WITH_OTHERS;
}

/* Opens the shared memory and locks it; -1 when it cannot be used. */
static int open_locked(const char *name, bool *alone)
{
	const struct timespec step = {.tv_nsec = WAIT_STEP_MS * 1000000L};
	for (size_t i = 0; i < WAIT_STEPS; i++) {
		int file = shm_open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (file < 0)
			return -1;
		enum locked locked = lock(file);
		*alone = locked == LOCKED_ALONE;
		if (locked == LOCKED_ALONE || locked == LOCKED_WITH_OTHERS)
			return file;
		(void)close(file);
		if (locked == LOCKED_NEVER)
			return -1;
		(void)nanosleep(&step, NULL);
	}
	return -1;
}

/* Maps FILE and sees whether it is complete. If it is not it must be this process's alone. */
static bool map_shared(struct packed *packed, int file, bool alone, uint64_t key, size_t size)
{
	struct stat status;
	if (fstat(file, &status) < 0)
		return false;
	bool has_size = (size_t)status.st_size == packed->length;
	/* Without room for all of it now, writing to a page would end the process later. */
	if (!has_size && (!alone || ftruncate(file, 0) < 0 ||
				 posix_fallocate(file, 0, (off_t)packed->length) != 0))
		return false;
	if (!map(packed, MAP_SHARED, file))
		return false;
	struct header *header = header_of(packed);
	packed->is_complete =
		header->complete == COMPLETE && header->key == key && header->size == size;
	if (packed->is_complete)
		return true;
	if (alone) {
		*header = (struct header){.key = key, .size = size};
		return true;
	}
	(void)munmap(packed->mapping, packed->length);
	return false;
}

static bool open_shared(struct packed *packed, uint64_t key, size_t size)
{
	bool alone = false;
	int file = open_locked(packed->name, &alone);
	if (file < 0)
		return false;
	if (!map_shared(packed, file, alone, key, size)) {
		if (alone)
			(void)shm_unlink(packed->name);
		(void)close(file);
		return false;
	}
	packed->file = file;
	if (packed->is_complete)
		packed_complete(packed);
	return true;
}

int packed_open(struct packed *packed, uint64_t key, size_t size, struct ss_error *err)
{
	*packed = (struct packed){.file = -1, .length = HEADER_BYTES + size};
	(void)snprintf(packed->name, sizeof packed->name, "/smartsupport-minilm-%u-%016llx",
		(unsigned)geteuid(), (unsigned long long)key);
	if (open_shared(packed, key, size) ||
		map(packed, MAP_PRIVATE | MAP_ANONYMOUS, packed->file))
		return 0;
	return ss_fail(err, "out of memory for %zu bytes of the model", size);
}

void packed_complete(struct packed *packed)
{
	header_of(packed)->complete = COMPLETE;
	packed->is_complete = true;
	(void)mprotect(packed->mapping, packed->length, PROT_READ);
	if (packed->file >= 0)
		(void)flock(packed->file, LOCK_SH);
}

void packed_close(struct packed *packed)
{
	if (packed->mapping == NULL)
		return;
	(void)munmap(packed->mapping, packed->length);
	if (packed->file >= 0) {
		if (flock(packed->file, LOCK_EX | LOCK_NB) == 0)
			(void)shm_unlink(packed->name);
		(void)close(packed->file);
	}
	*packed = (struct packed){.file = -1};
}
