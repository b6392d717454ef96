/*
 * The rows that a statement adds at once, which it reads from a table: bound (p1, p2 and so on), where a row has what the
 * parameters ?1, ?2 and so on would be if the statement ran for that row only. A virtual table that its connection has from
 * the beginning (https://www.sqlite.org/vtab.html#epovtab).
 */
#ifndef SQLITE_BOUND_H
#define SQLITE_BOUND_H

#include <sqlite3.h>
#include <stddef.h>

/* The names of columns are made from this (bound.c). */
enum { BOUND_COLUMNS = 15 };

/* What is bound is borrowed. */
struct bound_value {
	int type; /* SQLITE_INTEGER, SQLITE_TEXT, SQLITE_BLOB or SQLITE_NULL */
	union {
		sqlite3_int64 integer;
		const void *data;
	};
	size_t length; /* of the data, in bytes */
};

struct bound {
	sqlite3_stmt *statement; /* that the rows are for; NULL while there are none */
	struct bound_value *values;
	size_t count, capacity;
	size_t rows, columns;
};

/* Gives HANDLE the table, with the rows that BOUND has; it must not move while HANDLE is open. An SQLite result code. */
int bound_begin(struct bound *bound, sqlite3 *handle);

/* When HANDLE is closed, also when it was never begun. */
void bound_end(struct bound *bound);

/* Forgets all rows, and begins those for STATEMENT. */
void bound_clear(struct bound *bound, sqlite3_stmt *statement);

/* Adds a value to the last row. An SQLite result code. */
int bound_add(struct bound *bound, const struct bound_value *value);

/* Ends the last row; all have as many values. */
void bound_end_row(struct bound *bound);

#endif
