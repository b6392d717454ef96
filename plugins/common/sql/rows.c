#include "common/sql/rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

void row_bool(struct row *row, const char *key, int column)
{
	if (cursor_is_null(row->cursor, column))
		return;
	bool flag = cursor_int(row->cursor, column) != 0;
	row_add(row, key, database_values(row->cursor->db)->boolean(flag));
}

int row_json(struct row *row, const char *key, int column, struct ss_error *err)
{
	struct ss_text text = cursor_text(row->cursor, column);
	if (text.data == NULL)
		return 0;
	struct ss_value *value =
		database_values(row->cursor->db)->from_json(text.data, text.length, err);
	if (value == NULL)
		return -1;
	row_add(row, key, value);
	return 0;
}

void row_drop(struct row *row)
{
	while (row->count > 0)
		database_values(row->cursor->db)->unref(row->values[--row->count]);
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

int page_limit(size_t limit, int64_t *rows, struct ss_error *err)
{
	if (limit == 0)
		return ss_fail_as(err, SS_INVALID, "a page must have at least one item");
	*rows = limit < INT32_MAX ? (int64_t)limit + 1 : INT32_MAX;
	return 0;
}

/* ITEMS (taken) and the PLACE behind them; none when it is empty. */
static struct ss_value *page_value(
	const struct database *db, struct ss_value *items, const char *place)
{
	static const char *const keys[] = {"items", "next"};
	bool more = place[0] != '\0';
	struct ss_value *values[] = {
		items, more ? database_values(db)->string(place, strlen(place)) : NULL};
	return database_values(db)->map(keys, values, more ? 2 : 1);
}

int page_read(struct cursor *cursor, int64_t rows, const struct page_rows *kind,
	struct ss_value **page, struct ss_error *err)
{
	struct database *db = cursor->db;
	struct items items = {0};
	char place[PAGE_PLACE_SIZE] = "";
	int result;
	while ((result = cursor_next(cursor, err)) == 1 && (int64_t)items.count + 1 < rows) {
		struct ss_value *item = kind->item(cursor, err);
		if (item == NULL || items_add(db, &items, item, err) < 0) {
			result = -1;
			break;
		}
		kind->place(cursor, place);
	}
	cursor_end(cursor);
	struct ss_value *list = items_take(db, &items, result < 0 ? -1 : 0);
	if (result < 0)
		return -1;
	*page = page_value(db, list, result == 1 ? place : "");
	return 0;
}

int page_refuse(struct ss_error *err)
{
	return ss_fail_as(
		err, SS_INVALID, "the cursor must be one that a list gave as its next_cursor");
}

int page_place(const char *place, int64_t *number, const char **rest, struct ss_error *err)
{
	char *end = NULL;
	errno = 0;
	*number = strtoll(place, &end, 10);
	*rest = end + 1;
	if (place[0] >= '0' && place[0] <= '9' && errno == 0 && *end == '.')
		return 0;
	return page_refuse(err);
}

int64_t microseconds_up(int64_t ns)
{
	return ns / 1000 + (ns % 1000 > 0);
}

int statement_run(struct database *db, enum statement statement, struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, statement);
	return cursor_finish(&cursor, err);
}
