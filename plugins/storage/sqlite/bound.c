#include "storage/sqlite/bound.h"

#include <assert.h>
#include <stdlib.h>

struct table {
	sqlite3_vtab base;
	const struct bound *bound;
};

struct walk {
	sqlite3_vtab_cursor base;
	const struct bound *bound;
	size_t row;
};

static struct walk *walk_of(sqlite3_vtab_cursor *cursor)
{
	return (struct walk *)cursor;
}

static int table_connect(sqlite3 *handle, void *context, int count, const char *const *arguments,
	sqlite3_vtab **table, char **message)
{
	(void)count;
	(void)arguments;
	(void)message;
	int code = sqlite3_declare_vtab(handle, "CREATE TABLE bound (p1, p2, p3, p4, p5, p6, p7, "
						"p8, p9, p10, p11, p12, p13, p14, p15)");
	if (code != SQLITE_OK)
		return code;
	struct table *made = sqlite3_malloc(sizeof *made);
	if (made == NULL)
		return SQLITE_NOMEM;
	*made = (struct table){.bound = context};
	*table = &made->base;
	return SQLITE_OK;
}

static int table_disconnect(sqlite3_vtab *table)
{
	sqlite3_free(table);
	return SQLITE_OK;
}

/* There is one way to read it: all rows in their order. */
static int table_plan(sqlite3_vtab *table, sqlite3_index_info *info)
{
	(void)table;
	(void)info;
	return SQLITE_OK;
}

static int walk_open(sqlite3_vtab *table, sqlite3_vtab_cursor **cursor)
{
	struct walk *walk = sqlite3_malloc(sizeof *walk);
	if (walk == NULL)
		return SQLITE_NOMEM;
	*walk = (struct walk){.bound = ((struct table *)table)->bound};
	*cursor = &walk->base;
	return SQLITE_OK;
}

static int walk_close(sqlite3_vtab_cursor *cursor)
{
	sqlite3_free(cursor);
	return SQLITE_OK;
}

static int walk_begin(
	sqlite3_vtab_cursor *cursor, int plan, const char *text, int count, sqlite3_value **values)
{
	(void)plan;
	(void)text;
	(void)count;
	(void)values;
	walk_of(cursor)->row = 0;
	return SQLITE_OK;
}

static int walk_next(sqlite3_vtab_cursor *cursor)
{
	walk_of(cursor)->row++;
	return SQLITE_OK;
}

static int walk_is_over(sqlite3_vtab_cursor *cursor)
{
	return walk_of(cursor)->row >= walk_of(cursor)->bound->rows;
}

static int walk_value(sqlite3_vtab_cursor *cursor, sqlite3_context *result, int column)
{
	const struct walk *walk = walk_of(cursor);
	const struct bound *bound = walk->bound;
	if ((size_t)column >= bound->columns)
		return SQLITE_OK; /* the null, as of a parameter to which nothing was bound */
	const struct bound_value *value =
		&bound->values[walk->row * bound->columns + (size_t)column];
	switch (value->type) {
	case SQLITE_INTEGER:
		sqlite3_result_int64(result, value->integer);
		break;
	case SQLITE_TEXT:
		sqlite3_result_text64(
			result, value->data, value->length, SQLITE_STATIC, SQLITE_UTF8);
		break;
	case SQLITE_BLOB:
		sqlite3_result_blob64(result, value->data, value->length, SQLITE_STATIC);
		break;
	default:
		break;
	}
	return SQLITE_OK;
}

static int walk_row(sqlite3_vtab_cursor *cursor, sqlite3_int64 *row)
{
	*row = (sqlite3_int64)walk_of(cursor)->row;
	return SQLITE_OK;
}

/* Without xCreate it is there by itself. */
static const sqlite3_module module = {
	.xConnect = table_connect,
	.xBestIndex = table_plan,
	.xDisconnect = table_disconnect,
	.xOpen = walk_open,
	.xClose = walk_close,
	.xFilter = walk_begin,
	.xNext = walk_next,
	.xEof = walk_is_over,
	.xColumn = walk_value,
	.xRowid = walk_row,
};

int bound_begin(struct bound *bound, sqlite3 *handle)
{
	return sqlite3_create_module_v2(handle, "bound", &module, bound, NULL);
}

void bound_end(struct bound *bound)
{
	free(bound->values);
	*bound = (struct bound){0};
}

void bound_clear(struct bound *bound, sqlite3_stmt *statement)
{
	bound->statement = statement;
	bound->count = bound->rows = bound->columns = 0;
}

int bound_add(struct bound *bound, const struct bound_value *value)
{
	if (bound->count == bound->capacity) {
		size_t capacity = bound->capacity > 0 ? bound->capacity * 2 : 64;
		struct bound_value *values = reallocarray(bound->values, capacity, sizeof *values);
		if (values == NULL)
			return SQLITE_NOMEM;
		bound->values = values;
		bound->capacity = capacity;
	}
	bound->values[bound->count++] = *value;
	return SQLITE_OK;
}

void bound_end_row(struct bound *bound)
{
	bound->rows++;
	if (bound->rows == 1)
		bound->columns = bound->count;
	assert(bound->count == bound->rows * bound->columns);
}
