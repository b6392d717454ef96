/*
 * The file of a write-ahead log, in a layer between SQLite and the system's files (a VFS). SQLite writes each page of a
 * commit, a frame of the log, as two pieces, neither of which begins where a page of the system's begins. Here they are
 * gathered and written many at a time. Nothing is held back when a commit ends or the file is read or synchronized, nor
 * when a lock is taken or given back (scrub.c calls log_file_flush()): others may write the same place then.
 */
#ifndef SQLITE_LOG_FILE_H
#define SQLITE_LOG_FILE_H

#include "storage/sqlite/layer.h"

struct log_file {
	struct layer_file base;
	struct log_file **owner; /* where its database has it, until it is closed */
	unsigned char *held; /* what is held back, LENGTH bytes for the place OFFSET of the file */
	int length;
	sqlite3_int64 offset; /* also of what could not be written */
	int failed;           /* why it could not, or SQLITE_OK; until the transaction ends */
};

/* Opens LOG, behind which there is room for a file of VFS, and sets *OWNER, which SQLite closes after it. An SQLite result
 * code. */
int log_file_open(struct log_file *log, struct log_file **owner, sqlite3_vfs *vfs,
	sqlite3_filename name, int flags, int *out_flags);

/* Writes what is held back. An SQLite result code; when that fails nothing more is written until log_file_end(): SQLite may
 * be told by something else than a write, and then it could go on with the transaction. */
int log_file_flush(struct log_file *log);

/* When nobody goes on with the transaction. */
void log_file_end(struct log_file *log);

#endif
