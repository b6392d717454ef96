#include "storage/sqlite/rows.h"

#include <stdlib.h>

void row_add(struct row *row, const char *key, struct ss_value *value)
{
	row->keys[row->count] = key;
	row->values[row->count++] = value;
}

void row_text(struct row *row, const char *key, int column)
{
	struct ss_text text = cursor_text(row->cursor, column);
	if (text.data != NULL)
		row_add(row, key, row->cursor->db->values->string(text.data, text.length));
}

void row_int(struct row *row, const char *key, int column)
{
	int64_t number = sqlite3_column_int64(row->cursor->statement, column);
	row_add(row, key, row->cursor->db->values->integer(number));
}

void row_time(struct row *row, const char *key, int column)
{
	if (sqlite3_column_type(row->cursor->statement, column) == SQLITE_NULL)
		return;
	int64_t at_us = sqlite3_column_int64(row->cursor->statement, column);
	row_add(row, key, database_time(row->cursor->db, at_us));
}

struct ss_value *row_value(struct row *row)
{
	size_t count = row->count;
	row->count = 0;
	return row->cursor->db->values->map(row->keys, row->values, count);
}

int items_add(
	struct database *db, struct items *items, struct ss_value *value, struct ss_error *err)
{
	if (items->count == items->capacity) {
		size_t capacity = items->capacity > 0 ? items->capacity * 2 : 64;
		struct ss_value **values =
			reallocarray(items->values, capacity, sizeof(struct ss_value *));
		if (values == NULL) {
			db->values->unref(value);
			return database_fail(db, SQLITE_NOMEM, err);
		}
		items->values = values;
		items->capacity = capacity;
	}
	items->values[items->count++] = value;
	return 0;
}

struct ss_value *items_take(struct database *db, struct items *items, int result)
{
	struct ss_value *list = result == 0 ? db->values->list(items->values, items->count) : NULL;
	for (size_t i = 0; result != 0 && i < items->count; i++)
		db->values->unref(items->values[i]);
	free(items->values);
	*items = (struct items){0};
	return list;
}
