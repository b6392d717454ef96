#include "storage/sqlite/log_file.h"

#include <stdbool.h>
#include <string.h>

/* The file format: https://www.sqlite.org/fileformat2.html, "WAL File Format". */
enum {
	FRAME_HEADER_SIZE = 24,
	FRAME_DATABASE_SIZE = 4, /* its place in the header; 0 unless the frame ends a commit */
	HELD_MOST = 65536,       /* bytes */
};

static struct log_file *log_of(sqlite3_file *file)
{
	return (struct log_file *)file;
}

int log_file_flush(struct log_file *log)
{
	int length = log->length;
	log->length = 0;
	if (length > 0)
		log->failed = layer_write(&log->base.base, log->held, length, log->offset);
	return log->failed;
}

void log_file_end(struct log_file *log)
{
	log->failed = SQLITE_OK;
}

static bool ends_commit(const unsigned char *header)
{
	static const unsigned char none[4];
	return memcmp(header + FRAME_DATABASE_SIZE, none, sizeof none) != 0;
}

/* Whatever is no frame, or too large, is written at once. */
static int file_write(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 offset)
{
	struct log_file *log = log_of(file);
	bool is_header = size == FRAME_HEADER_SIZE;
	bool follows = log->length > 0 && offset == log->offset + log->length &&
		       size <= HELD_MOST - log->length;
	if (!follows) {
		int code = log_file_flush(log);
		if (code != SQLITE_OK)
			return code;
		if (!is_header)
			return layer_write(file, bytes, size, offset);
		log->offset = offset;
	}
	memcpy(log->held + log->length, bytes, (size_t)size);
	log->length += size;
	/* The page behind it, with which the commit ends, then follows nothing and is not held back. */
	return is_header && ends_commit(bytes) ? log_file_flush(log) : SQLITE_OK;
}

/* What is held back when the file is closed nobody has committed. */
static int file_close(sqlite3_file *file)
{
	struct log_file *log = log_of(file);
	*log->owner = NULL;
	sqlite3_free(log->held);
	return layer_close(file);
}

/* What was there before is read also when the transaction is taken back. */
static int file_read(sqlite3_file *file, void *bytes, int size, sqlite3_int64 offset)
{
	int code = log_file_flush(log_of(file));
	if (code != SQLITE_OK && offset + size > log_of(file)->offset)
		return code;
	return layer_read(file, bytes, size, offset);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	int code = log_file_flush(log_of(file));
	return code == SQLITE_OK ? layer_truncate(file, size) : code;
}

static int file_sync(sqlite3_file *file, int flags)
{
	int code = log_file_flush(log_of(file));
	return code == SQLITE_OK ? layer_sync(file, flags) : code;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
	int code = log_file_flush(log_of(file));
	return code == SQLITE_OK ? layer_size(file, size) : code;
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
	.xLock = layer_lock,
	.xUnlock = layer_unlock,
	.xCheckReservedLock = layer_is_reserved,
	.xFileControl = layer_control,
	.xSectorSize = layer_sector_size,
	.xDeviceCharacteristics = layer_characteristics,
};

int log_file_open(struct log_file *log, struct log_file **owner, sqlite3_vfs *vfs,
	sqlite3_filename name, int flags, int *out_flags)
{
	*log = (struct log_file){.owner = owner, .held = sqlite3_malloc(HELD_MOST)};
	if (log->held == NULL)
		return SQLITE_NOMEM;
	int code = layer_open(
		&log->base, &methods, (sqlite3_file *)(log + 1), vfs, name, flags, out_flags);
	if (log->base.base.pMethods != NULL)
		*owner = log;
	else
		sqlite3_free(log->held);
	return code;
}
