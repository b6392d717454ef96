/*
 * Fuzzes CSV: the fields of what is read, written out quoted, read back as the same fields; what is refused has a
 * reason that names the line.
 */
#include "base/buffer.h"
#include "learn/csv.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_record(struct buffer *text, const struct csv_record *record)
{
	for (size_t i = 0; i < record->count; i++) {
		buffer_add_string(text, i > 0 ? ",\"" : "\"");
		for (const char *at = record->fields[i].data; *at != '\0'; at++) {
			buffer_add_char(text, *at);
			if (*at == '"')
				buffer_add_char(text, '"');
		}
		buffer_add_char(text, '"');
	}
	buffer_add_char(text, '\n');
}

/* Reads TEXT, and writes what is read to AGAIN. Returns the last result. */
static int read_all(const char *text, size_t length, struct buffer *again, struct ss_error *err)
{
	int result;
	struct csv_record record;
	struct csv *csv = csv_new("input", text, length);
	while ((result = csv_next(csv, &record, err)) == 1) {
		if (record.count == 0 || record.count > CSV_FIELDS_LIMIT)
			abort();
		for (size_t i = 0; i < record.count; i++) {
			if (strlen(record.fields[i].data) != record.fields[i].length)
				abort();
		}
		write_record(again, &record);
	}
	csv_free(csv);
	return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ss_error err = {0};
	struct buffer first = {0};
	struct buffer second = {0};
	if (read_all((const char *)data, size, &first, &err) < 0) {
		if (err.status == SS_OK || strncmp(err.text, "input:", 6) != 0)
			abort();
	} else if (read_all(buffer_text(&first), first.length, &second, &err) < 0 ||
		   strcmp(buffer_text(&first), buffer_text(&second)) != 0) {
		abort();
	}
	buffer_free(&first);
	buffer_free(&second);
	return 0;
}
