/*
 * A layer between SQLite and the system's files (a VFS) that keeps what was deleted out of the database file. SQLite
 * overwrites rows that are deleted (secure_delete), but a row may have been moved to another page before, and then what
 * was left behind in the unused part of the old page stays until that part is used again. Here each page is written to
 * the file with zeros in its unused part. What it opens as the write-ahead log is a log_file (log_file.h). One for each
 * database, with the connection that writes its log back.
 */
#ifndef SQLITE_SCRUB_H
#define SQLITE_SCRUB_H

#include <sqlite3.h>
#include <stdbool.h>

enum { SCRUB_NAME_SIZE = 40 };

struct scrub {
	sqlite3_vfs vfs; /* its name is for sqlite3_open_v2() */
	sqlite3_vfs *real;
	char name[SCRUB_NAME_SIZE];
	bool registered;
};

/* Registers SCRUB, which must not move until scrub_end(). An SQLite result code. */
int scrub_begin(struct scrub *scrub);
/* When nothing is open by it any more; also when it was never begun. */
void scrub_end(struct scrub *scrub);

#endif
