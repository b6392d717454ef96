/* Rows of a result as values: maps of their columns, and lists of such maps. For what reads, on the store's thread. */
#ifndef COMMON_SQL_ROWS_H
#define COMMON_SQL_ROWS_H

#include "common/sql/operations.h"

enum { ROW_ENTRIES = 20 };

/* For a number and the two longest names behind it, of 255 characters each. */
enum { PAGE_PLACE_SIZE = 2 * 255 * 4 + 32 };

/* The entries of a map that are made of a row. Begins with its cursor. */
struct row {
	const struct cursor *cursor;
	const char *keys[ROW_ENTRIES];
	struct ss_value *values[ROW_ENTRIES];
	size_t count;
};

/* VALUE is taken. */
void row_add(struct row *row, const char *key, struct ss_value *value);
/* What is in COLUMN. A text or a time that is null is left out. */
void row_text(struct row *row, const char *key, int column);
void row_int(struct row *row, const char *key, int column);
void row_time(struct row *row, const char *key, int column);
/* A flag that is null is left out. */
void row_bool(struct row *row, const char *key, int column);
/* JSON as the value that it is; null is left out. -1 and ERR when it is none, which nobody has stored. */
int row_json(struct row *row, const char *key, int column, struct ss_error *err);

/* The entries as a new map; ROW is empty afterwards. */
struct ss_value *row_value(struct row *row);

/* Drops the entries. */
void row_drop(struct row *row);

/* A list that grows. Begins empty, ends with items_take(). */
struct items {
	struct ss_value **values;
	size_t count, capacity;
};

/* VALUE is taken. */
int items_add(
	struct database *db, struct items *items, struct ss_value *value, struct ss_error *err);

/* ITEMS as a new list if RESULT is 0, else NULL; frees them. */
struct ss_value *items_take(struct database *db, struct items *items, int result);

/* Pages of a list. */
struct page_rows {
	/* The row of CURSOR as a new value; NULL and ERR when that fails. */
	struct ss_value *(*item)(const struct cursor *cursor, struct ss_error *err);
	/* Writes to PLACE the text that the list goes on behind the row with. */
	void (*place)(const struct cursor *cursor, char place[PAGE_PLACE_SIZE]);
};

/* Fills ERR unless there may be LIMIT items on a page; *ROWS is for how many rows to ask, as one more tells whether
 * that is all. */
int page_limit(size_t limit, int64_t *rows, struct ss_error *err);

/* The ROWS of CURSOR, which this ends, as *PAGE, a new map {items, next}. */
int page_read(struct cursor *cursor, int64_t rows, const struct page_rows *kind,
	struct ss_value **page, struct ss_error *err);

/* Fills ERR: somebody asks for what is behind a place that no list gave. Returns -1. */
int page_refuse(struct ss_error *err);

/* The number before the dot of PLACE, and what follows it. -1 and ERR when it is no place in a list. */
int page_place(const char *place, int64_t *number, const char **rest, struct ss_error *err);

/* As many microseconds as there are up to NS, which are not cut off: what comes after them comes after NS. */
int64_t microseconds_up(int64_t ns);

#endif
