/*
 * The file of a write-ahead log, in a layer between SQLite and the system's files (a VFS). SQLite writes each page of a
 * commit as two pieces, none of which begins where a page of the system's begins. Here those of a commit are gathered and
 * written some at a time. Nothing is held back when a commit ends, when the file is read or synchronized, nor when a lock
 * is taken or given back: others may write the same place then.
 */
#ifndef SQLITE_LOG_FILE_H
#define SQLITE_LOG_FILE_H

#include <sqlite3.h>

struct log_file {
	sqlite3_file base;
	sqlite3_file *real;      /* behind this */
	struct log_file **owner; /* where its database has it, until it is closed */
	sqlite3_int64 offset;    /* of what is held back */
	int length;
	unsigned char *held;
};

/* Opens LOG, behind which there is room for a file of VFS, and sets *OWNER. An SQLite result code. */
int log_file_open(struct log_file *log, struct log_file **owner, sqlite3_vfs *vfs,
	sqlite3_filename name, int flags, int *out_flags);

/* Writes what is held back. An SQLite result code; what could not be written is dropped. */
int log_file_flush(struct log_file *log);

#endif
