#include "faulty_disk.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATHS_LIMIT = 64, SECTOR = 512 };

/* A change of a file that was not synced: bytes at a place, or without bytes its new length. */
struct change {
	unsigned char *bytes;
	size_t length, at;
};

struct content {
	unsigned char *bytes;
	size_t length;
};

/* A file by its path, which outlives its handles. */
struct path {
	char *name;
	bool deleted; /* which a power cut may undo */
	struct content synced;
	struct change *changes;
	size_t count, capacity;
};

static struct {
	sqlite3_vfs vfs;
	sqlite3_vfs *system;
	struct path paths[PATHS_LIMIT];
	size_t count;
	long countdown; /* of calls until the one that fails; 0 for none */
	enum disk_fault fault;
	bool stays, happened;
	void (*on_change)(void);
	void (*on_share)(void);
} disk;

struct file {
	sqlite3_file base;
	struct path *path; /* NULL: what becomes of it does not matter */
	bool is_new;       /* so that its first sync is one of the folder as well */
	sqlite3_file *real;
};

static sqlite3_file *real_of(sqlite3_file *file)
{
	return ((struct file *)file)->real;
}

/* Faults. */

static bool fails(bool grows)
{
	if (disk.countdown == 0 || (disk.fault != DISK_ERROR && !grows))
		return false;
	if (disk.countdown > 1) {
		disk.countdown--;
		return false;
	}
	if (!disk.stays)
		disk.countdown = 0;
	disk.happened = true;
	errno = disk.fault == DISK_ERROR ? EIO : ENOSPC;
	return true;
}

void disk_fail(long n, enum disk_fault fault, bool stays)
{
	disk.countdown = n;
	disk.fault = fault;
	disk.stays = stays;
	disk.happened = false;
}

bool disk_mend(void)
{
	disk.countdown = 0;
	return disk.happened;
}

/* What reaches the disk. */

static void content_grow(struct content *content, size_t length)
{
	if (length <= content->length)
		return;
	content->bytes = memory_resize(content->bytes, length, 1);
	memset(content->bytes + content->length, 0, length - content->length);
	content->length = length;
}

/* BYTES of CHANGE at its place, from the one at FIRST on, LENGTH of them. */
static void content_write(
	struct content *content, const struct change *change, size_t first, size_t length)
{
	content_grow(content, change->at + first + length);
	memcpy(content->bytes + change->at + first, change->bytes + first, length);
}

static void content_apply(struct content *content, const struct change *change)
{
	if (change->bytes != NULL)
		content_write(content, change, 0, change->length);
	else if (change->at < content->length)
		content->length = change->at;
	else
		content_grow(content, change->at);
}

static void path_forget(struct path *path)
{
	for (size_t i = 0; i < path->count; i++)
		free(path->changes[i].bytes);
	path->count = 0;
}

static void path_empty(struct path *path)
{
	path_forget(path);
	path->synced.length = 0;
}

static void path_sync(struct path *path)
{
	for (size_t i = 0; i < path->count; i++)
		content_apply(&path->synced, &path->changes[i]);
	path_forget(path);
}

static struct path *path_find(const char *name)
{
	for (size_t i = 0; i < disk.count; i++) {
		if (strcmp(disk.paths[i].name, name) == 0)
			return &disk.paths[i];
	}
	return NULL;
}

static struct path *path_of(const char *name)
{
	struct path *path = path_find(name);
	if (path != NULL && path->deleted)
		path_empty(path);
	if (path != NULL) {
		path->deleted = false;
		return path;
	}
	cr_assert_lt(disk.count, PATHS_LIMIT);
	path = &disk.paths[disk.count++];
	*path = (struct path){.name = memory_string(name)};
	return path;
}

static void note_change(sqlite3_file *file, const void *bytes, size_t length, size_t at)
{
	struct path *path = ((struct file *)file)->path;
	if (path == NULL || disk.on_change == NULL)
		return;
	if (path->count == path->capacity) {
		path->capacity = path->capacity > 0 ? path->capacity * 2 : 64;
		path->changes = memory_resize(path->changes, path->capacity, sizeof *path->changes);
	}
	path->changes[path->count] = (struct change){.length = length, .at = at};
	if (bytes != NULL) {
		path->changes[path->count].bytes = memory_resize(NULL, length, 1);
		memcpy(path->changes[path->count].bytes, bytes, length);
	}
	path->count++;
}

static void before_change(sqlite3_file *file)
{
	void (*on_change)(void) = disk.on_change;
	if (on_change == NULL || ((struct file *)file)->path == NULL)
		return;
	disk.on_change = NULL;
	on_change();
	disk.on_change = on_change;
}

void disk_watch(void (*on_change)(void))
{
	disk.on_change = on_change;
}

void disk_watch_shared(void (*on_share)(void))
{
	disk.on_share = on_share;
}

/* Whether the disk has come to something, which SEED decides; half of the time. */
static bool chance(unsigned *seed)
{
	return rand_r(seed) / (RAND_MAX / 2 + 1) == 1;
}

/* What of CHANGE is there: all, nothing, or some of the disk's sectors, one of which may be torn. */
static void content_apply_some(struct content *content, const struct change *change, unsigned *seed)
{
	if (chance(seed)) {
		content_apply(content, change);
		return;
	}
	if (change->bytes == NULL || chance(seed))
		return;
	for (size_t first = 0; first < change->length; first += SECTOR) {
		size_t length = change->length - first < SECTOR ? change->length - first : SECTOR;
		if (chance(seed))
			continue;
		if (chance(seed) && chance(seed))
			length = (size_t)rand_r(seed) % length + 1;
		content_write(content, change, first, length);
	}
}

/* The disk may also have kept the order, and lost what came behind a moment. */
static void content_apply_first(struct content *content, const struct path *path, unsigned *seed)
{
	size_t count = (size_t)rand_r(seed) % (path->count + 1);
	for (size_t i = 0; i < count; i++)
		content_apply(content, &path->changes[i]);
}

static void write_whole(const char *name, const struct content *content)
{
	FILE *file = fopen(name, "wb");
	cr_assert_not_null(file);
	cr_assert_eq(fwrite(content->bytes != NULL ? content->bytes : (unsigned char *)"", 1,
			     content->length, file),
		content->length);
	cr_assert_eq(fclose(file), 0);
}

static void cut_file(const struct path *path, const char *to, unsigned *seed)
{
	struct content content = {0};
	content_grow(&content, path->synced.length);
	if (content.length > 0)
		memcpy(content.bytes, path->synced.bytes, content.length);
	if (chance(seed)) {
		for (size_t i = 0; i < path->count; i++)
			content_apply_some(&content, &path->changes[i], seed);
	} else {
		content_apply_first(&content, path, seed);
	}
	write_whole(to, &content);
	free(content.bytes);
}

void disk_cut(const char *from, const char *to, unsigned seed)
{
	static const char *const endings[] = {"", "-journal", "-wal", "-shm"};
	for (size_t i = 0; i < array_length(endings); i++) {
		char *source = memory_format("%s%s", from, endings[i]);
		char *target = memory_format("%s%s", to, endings[i]);
		const struct path *path = path_find(source);
		(void)unlink(target);
		/* What is empty is as good as not there. */
		if (path != NULL && !(path->deleted && chance(&seed)))
			cut_file(path, target, &seed);
		free(source);
		free(target);
	}
}

/* The calls. */

static int on_close(sqlite3_file *file)
{
	return real_of(file)->pMethods->xClose(real_of(file));
}

static int on_read(sqlite3_file *file, void *bytes, int length, sqlite3_int64 at)
{
	if (fails(false))
		return SQLITE_IOERR_READ;
	return real_of(file)->pMethods->xRead(real_of(file), bytes, length, at);
}

static int on_write(sqlite3_file *file, const void *bytes, int length, sqlite3_int64 at)
{
	sqlite3_file *real = real_of(file);
	before_change(file);
	if (fails(true)) {
		int error = errno;
		if (disk.fault == DISK_SHORT)
			(void)real->pMethods->xWrite(real, bytes, length / 2, at);
		errno = error;
		return disk.fault == DISK_ERROR ? SQLITE_IOERR_WRITE : SQLITE_FULL;
	}
	note_change(file, bytes, (size_t)length, (size_t)at);
	return real->pMethods->xWrite(real, bytes, length, at);
}

static int on_truncate(sqlite3_file *file, sqlite3_int64 length)
{
	before_change(file);
	if (fails(false))
		return SQLITE_IOERR_TRUNCATE;
	note_change(file, NULL, 0, (size_t)length);
	return real_of(file)->pMethods->xTruncate(real_of(file), length);
}

/* Makes what was deleted stay so. */
static void sync_folder(void)
{
	for (size_t i = 0; i < disk.count; i++) {
		if (disk.paths[i].deleted)
			path_empty(&disk.paths[i]);
	}
}

/* The system's sync is spared: no test cuts the power of the machine. */
static int on_sync(sqlite3_file *file, int flags)
{
	(void)flags;
	before_change(file);
	if (fails(true))
		return SQLITE_IOERR_FSYNC;
	struct file *synced = (struct file *)file;
	if (synced->path == NULL || disk.on_change == NULL)
		return SQLITE_OK;
	path_sync(synced->path);
	if (synced->is_new)
		sync_folder();
	synced->is_new = false;
	return SQLITE_OK;
}

static int on_size(sqlite3_file *file, sqlite3_int64 *size)
{
	if (fails(false))
		return SQLITE_IOERR_FSTAT;
	return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int on_lock(sqlite3_file *file, int level)
{
	if (fails(false))
		return SQLITE_IOERR_LOCK;
	return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int on_unlock(sqlite3_file *file, int level)
{
	return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int on_check_lock(sqlite3_file *file, int *result)
{
	if (fails(false))
		return SQLITE_IOERR_CHECKRESERVEDLOCK;
	return real_of(file)->pMethods->xCheckReservedLock(real_of(file), result);
}

static int on_control(sqlite3_file *file, int operation, void *argument)
{
	return real_of(file)->pMethods->xFileControl(real_of(file), operation, argument);
}

static int on_sector_size(sqlite3_file *file)
{
	return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int on_characteristics(sqlite3_file *file)
{
	return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int on_map(sqlite3_file *file, int page, int size, int extend, void volatile **memory)
{
	if (fails(true))
		return SQLITE_IOERR_SHMMAP;
	return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, memory);
}

static int on_shared_lock(sqlite3_file *file, int offset, int count, int flags)
{
	if ((flags & SQLITE_SHM_LOCK) != 0 && fails(false))
		return SQLITE_IOERR_SHMLOCK;
	return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}

static void on_barrier(sqlite3_file *file)
{
	if (disk.on_share != NULL)
		disk.on_share();
	real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int on_unmap(sqlite3_file *file, int removes)
{
	return real_of(file)->pMethods->xShmUnmap(real_of(file), removes);
}

static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = on_close,
	.xRead = on_read,
	.xWrite = on_write,
	.xTruncate = on_truncate,
	.xSync = on_sync,
	.xFileSize = on_size,
	.xLock = on_lock,
	.xUnlock = on_unlock,
	.xCheckReservedLock = on_check_lock,
	.xFileControl = on_control,
	.xSectorSize = on_sector_size,
	.xDeviceCharacteristics = on_characteristics,
	.xShmMap = on_map,
	.xShmLock = on_shared_lock,
	.xShmBarrier = on_barrier,
	.xShmUnmap = on_unmap,
};

static int on_open(
	sqlite3_vfs *vfs, const char *name, sqlite3_file *opened, int flags, int *flags_out)
{
	static const int kept = SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL;
	struct file *file = (struct file *)opened;
	(void)vfs;
	file->base.pMethods = NULL;
	if (fails((flags & SQLITE_OPEN_CREATE) != 0))
		return SQLITE_CANTOPEN;
	file->real = (sqlite3_file *)(file + 1);
	file->path = NULL;
	file->is_new = false;
	int code = disk.system->xOpen(disk.system, name, file->real, flags, flags_out);
	if (code == SQLITE_OK) {
		file->base.pMethods = &methods;
		file->path = (flags & kept) != 0 && disk.on_change != NULL ? path_of(name) : NULL;
		file->is_new = (flags & SQLITE_OPEN_CREATE) != 0;
	}
	return code;
}

static int on_delete(sqlite3_vfs *vfs, const char *name, int syncs_folder)
{
	(void)vfs;
	if (fails(false))
		return SQLITE_IOERR_DELETE;
	struct path *path = disk.on_change != NULL ? path_find(name) : NULL;
	if (path != NULL)
		path->deleted = true;
	if (path != NULL && syncs_folder != 0)
		path_empty(path);
	return disk.system->xDelete(disk.system, name, syncs_folder);
}

static int on_access(sqlite3_vfs *vfs, const char *name, int flags, int *result)
{
	(void)vfs;
	if (fails(false))
		return SQLITE_IOERR_ACCESS;
	return disk.system->xAccess(disk.system, name, flags, result);
}

void disk_begin(void)
{
	/* SQLite keeps it in a list, also when it is shut down, so it must not be written over there. */
	(void)sqlite3_vfs_unregister(&disk.vfs);
	disk.system = sqlite3_vfs_find("unix");
	cr_assert_not_null(disk.system);
	disk.vfs = *disk.system;
	disk.vfs.zName = "faulty";
	disk.vfs.szOsFile = (int)sizeof(struct file) + disk.system->szOsFile;
	disk.vfs.xOpen = on_open;
	disk.vfs.xDelete = on_delete;
	disk.vfs.xAccess = on_access;
	cr_assert_eq(sqlite3_vfs_register(&disk.vfs, 1), SQLITE_OK);
}

void disk_end(void)
{
	(void)sqlite3_vfs_unregister(&disk.vfs);
	for (size_t i = 0; i < disk.count; i++) {
		path_forget(&disk.paths[i]);
		free(disk.paths[i].changes);
		free(disk.paths[i].synced.bytes);
		free(disk.paths[i].name);
	}
	disk.count = 0;
}
