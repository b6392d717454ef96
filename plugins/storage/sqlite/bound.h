/*
 * The rows that a statement adds at once. It reads them from the table bound (p1, p2 and so on), where a row has what the
 * parameters ?1, ?2 and so on would be if the statement ran for that row only. The table is an eponymous virtual table
 * (https://www.sqlite.org/vtab.html#epovtab): a connection has it without creating it.
 */
#ifndef SQLITE_BOUND_H
#define SQLITE_BOUND_H

#include <sqlite3.h>
#include <stddef.h>

/* A value; its data is borrowed until the rows are cleared. */
struct bound_value {
	int type; /* SQLITE_INTEGER, SQLITE_TEXT, SQLITE_BLOB or SQLITE_NULL */
	union {
		sqlite3_int64 integer;
		const void *data;
	};
	size_t length; /* of the data, in bytes */
};

struct bound {
	sqlite3_stmt *statement;    /* that the rows are for; NULL while there are none */
	struct bound_value *values; /* COUNT of them, row by row */
	size_t count, capacity;
	size_t rows, columns; /* that are ended; each has as many columns */
};

/* Gives HANDLE the table, with the rows that BOUND has, which is all zeros and must not move while HANDLE is open. An SQLite
 * result code. */
int bound_begin(struct bound *bound, sqlite3 *handle);

/* When no statement reads the table any more; also when it was never begun. */
void bound_end(struct bound *bound);

/* Forgets all rows, and begins those for STATEMENT. */
void bound_clear(struct bound *bound, sqlite3_stmt *statement);

/* Adds a value to the last row. An SQLite result code. */
int bound_add(struct bound *bound, const struct bound_value *value);

/* Ends the last row, which has as many values as each before it. */
void bound_end_row(struct bound *bound);

#endif
