/* Rows of a result as values: maps of their columns, and lists of such maps. For what reads, on the store's thread. */
#ifndef COMMON_SQL_ROWS_H
#define COMMON_SQL_ROWS_H

#include "common/sql/operations.h"

enum { ROW_ENTRIES = 12 };

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

/* The entries as a new map; ROW is empty afterwards. */
struct ss_value *row_value(struct row *row);

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

#endif
