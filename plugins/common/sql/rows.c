#include "common/sql/rows.h"

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
		row_add(row, key, database_values(row->cursor->db)->string(text.data, text.length));
}

void row_int(struct row *row, const char *key, int column)
{
	int64_t number = cursor_int(row->cursor, column);
	row_add(row, key, database_values(row->cursor->db)->integer(number));
}

void row_time(struct row *row, const char *key, int column)
{
	if (cursor_is_null(row->cursor, column))
		return;
	int64_t at_us = cursor_int(row->cursor, column);
	row_add(row, key, database_time(row->cursor->db, at_us));
}

struct ss_value *row_value(struct row *row)
{
	size_t count = row->count;
	row->count = 0;
	return database_values(row->cursor->db)->map(row->keys, row->values, count);
}

int items_add(
	struct database *db, struct items *items, struct ss_value *value, struct ss_error *err)
{
	if (items->count == items->capacity) {
		size_t capacity = items->capacity > 0 ? items->capacity * 2 : 64;
		struct ss_value **values =
			reallocarray(items->values, capacity, sizeof(struct ss_value *));
		if (values == NULL) {
			database_values(db)->unref(value);
			return database_fail_memory(db, err);
		}
		items->values = values;
		items->capacity = capacity;
	}
	items->values[items->count++] = value;
	return 0;
}

struct ss_value *items_take(struct database *db, struct items *items, int result)
{
	struct ss_value *list =
		result == 0 ? database_values(db)->list(items->values, items->count) : NULL;
	for (size_t i = 0; result != 0 && i < items->count; i++)
		database_values(db)->unref(items->values[i]);
	free(items->values);
	*items = (struct items){0};
	return list;
}

int cursor_finish(struct cursor *cursor, struct ss_error *err)
{
	int result = cursor_next(cursor, err);
	cursor_end(cursor);
	return result;
}

int statement_run(struct database *db, enum statement statement, struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, statement);
	return cursor_finish(&cursor, err);
}
