#include "learn/lines.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "learn/csv.h"
#include "value/json.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { VALUE_SHOWN = 80 }; /* bytes of a value in a message */

static int read_json_line(const char *text, size_t length, lines_each *each, void *context,
	struct lines_place place, struct ss_error *err)
{
	struct ss_error why = {0};
	struct ss_value *object = json_parse(text, length, &why);
	int result;
	if (object == NULL)
		result =
			ss_fail_as(err, SS_INVALID, "%s:%zu: %s", place.path, place.line, why.text);
	else if (value_type(object) != SS_MAP)
		result = ss_fail_as(err, SS_INVALID,
			"%s:%zu: a line must be an object, as in {\"text\": \"…\"}, not a %s",
			place.path, place.line, value_type_name(value_type(object)));
	else
		result = each(context, object, place, err);
	value_unref(object);
	return result;
}

static int read_json(const char *path, const char *data, size_t length, lines_each *each,
	void *context, struct ss_error *err)
{
	static const char mark[] = "\xef\xbb\xbf";
	const char *end = data + length;
	struct lines_place place = {path, 1};
	if (length >= strlen(mark) && memcmp(data, mark, strlen(mark)) == 0)
		data += strlen(mark);
	for (const char *next; data < end; data = next, place.line++) {
		const char *feed = memchr(data, '\n', (size_t)(end - data));
		size_t line_length = (size_t)((feed != NULL ? feed : end) - data);
		next = feed != NULL ? feed + 1 : end;
		if (strspn(data, " \t\r") < line_length &&
			read_json_line(data, line_length, each, context, place, err) < 0)
			return -1;
	}
	return 0;
}

/* The names of the columns; NULL and ERR when one is there twice. */
static char **read_header(const char *path, const struct csv_record *record, struct ss_error *err)
{
	char **names = memory_array(record->count + 1, sizeof *names);
	for (size_t i = 0; i < record->count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (strcmp(names[j], record->fields[i].data) != 0)
				continue;
			(void)ss_fail_as(err, SS_INVALID,
				"%s:%zu: two columns are named \"%.*s\"; rename one of them", path,
				record->line, text_fit(names[j], VALUE_SHOWN), names[j]);
			for (size_t k = 0; k < i; k++)
				free(names[k]);
			free(names);
			return NULL;
		}
		names[i] = memory_string(record->fields[i].data);
	}
	return names;
}

static int read_record(const char *path, const struct csv_record *record, char *const *names,
	size_t columns, lines_each *each, void *context, struct ss_error *err)
{
	if (record->count != columns)
		return ss_fail_as(err, SS_INVALID,
			"%s:%zu: the line has %zu fields, but the first line names %zu columns",
			path, record->line, record->count, columns);
	struct ss_value **values = memory_array(columns, sizeof(struct ss_value *));
	for (size_t i = 0; i < columns; i++)
		values[i] = value_string(record->fields[i].data, record->fields[i].length);
	struct ss_value *object = value_map((const char *const *)names, values, columns);
	int result = each(context, object, (struct lines_place){path, record->line}, err);
	value_unref(object);
	free(values);
	return result;
}

static int read_csv(const char *path, const char *data, size_t length, lines_each *each,
	void *context, struct ss_error *err)
{
	struct csv_record record;
	char **names = NULL;
	size_t columns = 0;
	struct csv *csv = csv_new(path, data, length);
	int result = csv_next(csv, &record, err);
	if (result == 1) {
		columns = record.count;
		names = read_header(path, &record, err);
		result = names != NULL ? 1 : -1;
	}
	while (result == 1 && (result = csv_next(csv, &record, err)) == 1)
		result =
			read_record(path, &record, names, columns, each, context, err) < 0 ? -1 : 1;
	for (size_t i = 0; names != NULL && i < columns; i++)
		free(names[i]);
	free(names);
	csv_free(csv);
	return result;
}

int lines_read(const char *path, lines_each *each, void *context, struct ss_error *err)
{
	char *data = NULL;
	size_t length = 0;
	if (file_read(path, LINES_FILE_LIMIT, &data, &length, err) < 0)
		return -1;
	size_t name = strlen(path);
	bool csv = name > 4 && strcasecmp(path + name - 4, ".csv") == 0;
	int result = csv ? read_csv(path, data, length, each, context, err)
			 : read_json(path, data, length, each, context, err);
	free(data);
	return result;
}

int lines_refuse(const struct ss_value *value, const char *key, const char *wrong,
	struct lines_place place, struct ss_error *err)
{
	if (value == NULL)
		return ss_fail_as(err, SS_INVALID, "%s:%zu: there is no \"%s\", which %s",
			place.path, place.line, key, wrong);
	char *shown = json_text(value);
	(void)ss_fail_as(err, SS_INVALID, "%s:%zu: \"%s\" %s, not %.*s%s", place.path, place.line,
		key, wrong, text_fit(shown, VALUE_SHOWN), shown,
		strlen(shown) > VALUE_SHOWN ? "…" : "");
	free(shown);
	return -1;
}

struct ss_text lines_text(
	const struct ss_value *object, struct lines_place place, struct ss_error *err)
{
	const struct ss_value *value = value_get(object, "text");
	struct ss_text text = value_as_text(value);
	if (value_type(value) != SS_STRING)
		(void)lines_refuse(value, "text", "must be a string", place, err);
	else if (text_characters(text) < 0)
		(void)lines_refuse(value, "text", "must be valid UTF-8", place, err);
	else if (text_blank(text))
		(void)lines_refuse(value, "text", "must say something", place, err);
	else if (text.length > LINES_TEXT_LIMIT)
		(void)ss_fail_as(err, SS_LIMIT,
			"%s:%zu: \"text\" has %zu bytes, at most %d are read; shorten it",
			place.path, place.line, text.length, LINES_TEXT_LIMIT);
	else
		return text;
	return (struct ss_text){0};
}

int lines_label(const struct ss_value *value, const char *key, struct lines_place place,
	struct ss_error *err)
{
	struct ss_text label = value_as_text(value);
	if (value_type(value) != SS_STRING || text_characters(label) < 0 || text_blank(label) ||
		strlen(label.data) != label.length)
		return lines_refuse(value, key, "must be a label", place, err);
	if (label.length > LINES_LABEL_LIMIT)
		return lines_refuse(value, key, "must be a label of at most 200 bytes", place, err);
	return 0;
}
