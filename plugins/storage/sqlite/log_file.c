#include "storage/sqlite/log_file.h"

#include <stdbool.h>
#include <string.h>

/* The file format: https://www.sqlite.org/fileformat2.html, "WAL File Format". */
enum {
	FRAME_HEADER_SIZE = 24,
	FRAME_PAGES = 4, /* where its header has the database's size; 0 unless it ends a commit */
	HELD_MOST = 65536,
};

static struct log_file *log_of(sqlite3_file *file)
{
	return (struct log_file *)file;
}

static sqlite3_file *real_file(sqlite3_file *file)
{
	return log_of(file)->real;
}

int log_file_flush(struct log_file *log)
{
	int length = log->length;
	if (length == 0)
		return SQLITE_OK;
	log->length = 0;
	return log->real->pMethods->xWrite(log->real, log->held, length, log->offset);
}

static bool ends_commit(const unsigned char *header)
{
	static const unsigned char none[4];
	return memcmp(header + FRAME_PAGES, none, sizeof none) != 0;
}

static int file_write(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 offset)
{
	struct log_file *log = log_of(file);
	bool is_header = size == FRAME_HEADER_SIZE;
	bool follows = log->length > 0 && offset == log->offset + log->length &&
		       size <= HELD_MOST - log->length;
	int code = follows ? SQLITE_OK : log_file_flush(log);
	if (code != SQLITE_OK)
		return code;
	if (!follows && !is_header)
		return log->real->pMethods->xWrite(log->real, bytes, size, offset);
	if (!follows)
		log->offset = offset;
	memcpy(log->held + log->length, bytes, (size_t)size);
	log->length += size;
	/* Its page is written by itself: it is the last that others wait for. */
	return is_header && ends_commit(bytes) ? log_file_flush(log) : SQLITE_OK;
}

/* What is held back when the file is closed nobody has committed. */
static int file_close(sqlite3_file *file)
{
	struct log_file *log = log_of(file);
	*log->owner = NULL;
	sqlite3_free(log->held);
	return log->real->pMethods->xClose(log->real);
}

/* What was held back and cannot be written is lost to the transaction, which SQLite gives up for an I/O error. Told that the
 * disk is full it may give up the statement alone. */
static int file_read(sqlite3_file *file, void *bytes, int size, sqlite3_int64 offset)
{
	if (log_file_flush(log_of(file)) != SQLITE_OK)
		return SQLITE_IOERR_WRITE;
	return real_file(file)->pMethods->xRead(real_file(file), bytes, size, offset);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	int code = log_file_flush(log_of(file));
	if (code != SQLITE_OK)
		return code;
	return real_file(file)->pMethods->xTruncate(real_file(file), size);
}

static int file_sync(sqlite3_file *file, int flags)
{
	int code = log_file_flush(log_of(file));
	if (code != SQLITE_OK)
		return code;
	return real_file(file)->pMethods->xSync(real_file(file), flags);
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
	int code = log_file_flush(log_of(file));
	if (code != SQLITE_OK)
		return code;
	return real_file(file)->pMethods->xFileSize(real_file(file), size);
}

/* All others are the system's. */

static int file_lock(sqlite3_file *file, int kind)
{
	return real_file(file)->pMethods->xLock(real_file(file), kind);
}

static int file_unlock(sqlite3_file *file, int kind)
{
	return real_file(file)->pMethods->xUnlock(real_file(file), kind);
}

static int file_is_reserved(sqlite3_file *file, int *reserved)
{
	return real_file(file)->pMethods->xCheckReservedLock(real_file(file), reserved);
}

static int file_control(sqlite3_file *file, int operation, void *argument)
{
	return real_file(file)->pMethods->xFileControl(real_file(file), operation, argument);
}

static int file_sector_size(sqlite3_file *file)
{
	return real_file(file)->pMethods->xSectorSize(real_file(file));
}

static int file_characteristics(sqlite3_file *file)
{
	return real_file(file)->pMethods->xDeviceCharacteristics(real_file(file));
}

/* Of version 1, so it has no memory that is shared, which is the database's. */
static const sqlite3_io_methods methods = {
	.iVersion = 1,
	.xClose = file_close,
	.xRead = file_read,
	.xWrite = file_write,
	.xTruncate = file_truncate,
	.xSync = file_sync,
	.xFileSize = file_size,
	.xLock = file_lock,
	.xUnlock = file_unlock,
	.xCheckReservedLock = file_is_reserved,
	.xFileControl = file_control,
	.xSectorSize = file_sector_size,
	.xDeviceCharacteristics = file_characteristics,
};

int log_file_open(struct log_file *log, struct log_file **owner, sqlite3_vfs *vfs,
	sqlite3_filename name, int flags, int *out_flags)
{
	*log = (struct log_file){.real = (sqlite3_file *)(log + 1), .owner = owner};
	log->held = sqlite3_malloc(HELD_MOST);
	if (log->held == NULL)
		return SQLITE_NOMEM;
	int code = vfs->xOpen(vfs, name, log->real, flags, out_flags);
	if (log->real->pMethods == NULL) {
		sqlite3_free(log->held);
		return code;
	}
	/* Also one that has failed is to be closed, if it says how. */
	log->base.pMethods = &methods;
	*owner = log;
	return code;
}
