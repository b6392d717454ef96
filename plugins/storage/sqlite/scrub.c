#include "storage/sqlite/scrub.h"

#include "storage/sqlite/layer.h"
#include "storage/sqlite/log_file.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* The file format: https://www.sqlite.org/fileformat2.html, "B-tree Pages". */
enum {
	FILE_HEADER_SIZE = 100,
	PAGE_SIZE_LEAST = 512,
	PAGE_SIZE_MOST = 65536,
	INNER_INDEX = 2,
	INNER_TABLE = 5,
	LEAF_INDEX = 10,
	LEAF_TABLE = 13,
};

/* https://www.sqlite.org/walformat.html, "WAL-Index Locks". */
enum { WRITE_LOCK = 0 };

/* Pages of other kinds begin with the number of a page. In files of fewer pages than this, and of as many more as a
 * write-ahead log may bring, its first byte is 0 or 1, so no kind of tree page. */
static const int64_t pages_limit = 0x1000000;

static size_t number_at(const unsigned char *bytes)
{
	return (size_t)bytes[0] << 8 | bytes[1];
}

static bool is_tree(unsigned char kind)
{
	return kind == INNER_INDEX || kind == INNER_TABLE || kind == LEAF_INDEX ||
	       kind == LEAF_TABLE;
}

/* A tree page has its header, the places of its cells, the unused part, and the cells. */
static void scrub_page(unsigned char *page, size_t size, size_t header)
{
	unsigned char kind = page[header];
	size_t header_size = kind == INNER_INDEX || kind == INNER_TABLE ? 12 : 8;
	size_t from = header + header_size + 2 * number_at(page + header + 3);
	size_t to = number_at(page + header + 5);
	if (to == 0)
		to = PAGE_SIZE_MOST;
	if (from < to && to <= size)
		memset(page + from, 0, to - from);
}

/* The database file. */

struct file {
	struct layer_file base;
	struct log_file *log; /* NULL while there is none */
	bool is_small;        /* it was, since a lock was taken or given back */
};

/* What SQLite has room for. */
union any_file {
	struct file database;
	struct log_file log;
};

static struct file *file_of(sqlite3_file *file)
{
	return (struct file *)file;
}

static sqlite3_file *real_file(sqlite3_file *file)
{
	return file_of(file)->base.real;
}

/* Whether the file has few pages of SIZE. While the log is written back, for which there is a lock, all that comes to it is
 * in the log, so it is asked for its length once then. */
static bool is_small(sqlite3_file *file, int size)
{
	struct file *database = file_of(file);
	sqlite3_int64 length = 0;
	if (!database->is_small)
		database->is_small =
			layer_size(file, &length) == SQLITE_OK && length / size < pages_limit;
	return database->is_small;
}

static int file_write(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 offset)
{
	unsigned char page[PAGE_SIZE_MOST];
	size_t header = offset == 0 ? FILE_HEADER_SIZE : 0;
	if (size < PAGE_SIZE_LEAST || size > PAGE_SIZE_MOST || offset % size != 0 ||
		!is_tree(((const unsigned char *)bytes)[header]) || !is_small(file, size))
		return layer_write(file, bytes, size, offset);
	memcpy(page, bytes, (size_t)size);
	scrub_page(page, (size_t)size, header);
	return layer_write(file, page, size, offset);
}

/* Whoever gives a lock back is through with the log, committed or not. */
static int file_shm_lock(sqlite3_file *file, int first, int count, int flags)
{
	struct log_file *log = file_of(file)->log;
	int code = log != NULL ? log_file_flush(log) : SQLITE_OK;
	file_of(file)->is_small = false;
	if (code != SQLITE_OK && (flags & SQLITE_SHM_LOCK) != 0)
		return code;
	if (log != NULL && first == WRITE_LOCK && (flags & SQLITE_SHM_UNLOCK) != 0)
		log_file_end(log);
	return real_file(file)->pMethods->xShmLock(real_file(file), first, count, flags);
}

/* All others are the system's. */

static int file_shm_map(
	sqlite3_file *file, int region, int size, int extends, void volatile **memory)
{
	return real_file(file)->pMethods->xShmMap(real_file(file), region, size, extends, memory);
}

static void file_shm_barrier(sqlite3_file *file)
{
	real_file(file)->pMethods->xShmBarrier(real_file(file));
}

static int file_shm_unmap(sqlite3_file *file, int deletes)
{
	return real_file(file)->pMethods->xShmUnmap(real_file(file), deletes);
}

/* Of version 2, so it is never read through a mapping. */
static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = layer_close,
	.xRead = layer_read,
	.xWrite = file_write,
	.xTruncate = layer_truncate,
	.xSync = layer_sync,
	.xFileSize = layer_size,
	.xLock = layer_lock,
	.xUnlock = layer_unlock,
	.xCheckReservedLock = layer_is_reserved,
	.xFileControl = layer_control,
	.xSectorSize = layer_sector_size,
	.xDeviceCharacteristics = layer_characteristics,
	.xShmMap = file_shm_map,
	.xShmLock = file_shm_lock,
	.xShmBarrier = file_shm_barrier,
	.xShmUnmap = file_shm_unmap,
};

/* The system. */

static sqlite3_vfs *real_vfs(sqlite3_vfs *vfs)
{
	return ((struct scrub *)vfs)->real;
}

/* The file of the database that the log NAME is of. */
static struct file *database_of(sqlite3_filename name)
{
	return file_of(sqlite3_database_file_object(name));
}

/* Only the database itself has pages; the log's have checksums, and it is cut off in the end. */
static int scrub_open(
	sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags, int *out_flags)
{
	sqlite3_vfs *real = real_vfs(vfs);
	struct file *database = file_of(file);
	if ((flags & SQLITE_OPEN_WAL) != 0)
		return log_file_open((struct log_file *)file, &database_of(name)->log, real, name,
			flags, out_flags);
	if ((flags & SQLITE_OPEN_MAIN_DB) == 0)
		return real->xOpen(real, name, file, flags, out_flags);
	database->log = NULL;
	database->is_small = false;
	return layer_open(&database->base, &methods, (sqlite3_file *)(database + 1), real, name,
		flags, out_flags);
}

static int scrub_delete(sqlite3_vfs *vfs, const char *name, int syncs)
{
	return real_vfs(vfs)->xDelete(real_vfs(vfs), name, syncs);
}

static int scrub_access(sqlite3_vfs *vfs, const char *name, int flags, int *result)
{
	return real_vfs(vfs)->xAccess(real_vfs(vfs), name, flags, result);
}

static int scrub_full_pathname(sqlite3_vfs *vfs, const char *name, int size, char *path)
{
	return real_vfs(vfs)->xFullPathname(real_vfs(vfs), name, size, path);
}

static int scrub_randomness(sqlite3_vfs *vfs, int size, char *bytes)
{
	return real_vfs(vfs)->xRandomness(real_vfs(vfs), size, bytes);
}

static int scrub_sleep(sqlite3_vfs *vfs, int us)
{
	return real_vfs(vfs)->xSleep(real_vfs(vfs), us);
}

static int scrub_current_time(sqlite3_vfs *vfs, double *days)
{
	return real_vfs(vfs)->xCurrentTime(real_vfs(vfs), days);
}

static int scrub_last_error(sqlite3_vfs *vfs, int size, char *text)
{
	return real_vfs(vfs)->xGetLastError(real_vfs(vfs), size, text);
}

int scrub_begin(struct scrub *scrub)
{
	int code = sqlite3_initialize();
	if (code != SQLITE_OK)
		return code;
	scrub->real = sqlite3_vfs_find(NULL);
	/* The system's is there since SQLite was initialized. */
	if (scrub->real == NULL)
		return SQLITE_NOMEM;
	(void)snprintf(scrub->name, sizeof scrub->name, "smartsupport-%p", (void *)scrub);
	scrub->vfs = (sqlite3_vfs){
		.iVersion = 1,
		.szOsFile = (int)sizeof(union any_file) + scrub->real->szOsFile,
		.mxPathname = scrub->real->mxPathname,
		.zName = scrub->name,
		.xOpen = scrub_open,
		.xDelete = scrub_delete,
		.xAccess = scrub_access,
		.xFullPathname = scrub_full_pathname,
		.xRandomness = scrub_randomness,
		.xSleep = scrub_sleep,
		.xCurrentTime = scrub_current_time,
		.xGetLastError = scrub_last_error,
	};
	code = sqlite3_vfs_register(&scrub->vfs, 0);
	scrub->registered = code == SQLITE_OK;
	return code;
}

void scrub_end(struct scrub *scrub)
{
	if (scrub->registered)
		(void)sqlite3_vfs_unregister(&scrub->vfs);
	scrub->registered = false;
}
