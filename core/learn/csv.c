#include "learn/csv.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

struct csv {
	const char *path;
	const char *at, *end;
	size_t line; /* of AT */
	/* The bytes of the record's fields. Each of them ends with a NUL for the comma or the line end behind it. */
	char *bytes;
	size_t used;
	size_t starts[CSV_FIELDS_LIMIT];
	struct ss_text fields[CSV_FIELDS_LIMIT];
};

struct csv *csv_new(const char *path, const char *text, size_t length)
{
	static const char mark[] = "\xef\xbb\xbf";
	struct csv *csv = memory_make(struct csv);
	csv->path = path;
	csv->at = text;
	csv->end = text + length;
	csv->line = 1;
	csv->bytes = memory_new(length + 1);
	if (length >= strlen(mark) && memcmp(text, mark, strlen(mark)) == 0)
		csv->at += strlen(mark);
	return csv;
}

void csv_free(struct csv *csv)
{
	if (csv == NULL)
		return;
	free(csv->bytes);
	free(csv);
}

static int fail(const struct csv *csv, size_t line, const char *what, struct ss_error *err)
{
	return ss_fail_as(err, SS_INVALID, "%s:%zu: %s", csv->path, line, what);
}

/* The bytes of the line end at AT; 0 where there is none. */
static size_t line_end(const struct csv *csv)
{
	size_t left = (size_t)(csv->end - csv->at);
	if (left >= 1 && csv->at[0] == '\n')
		return 1;
	return left >= 2 && csv->at[0] == '\r' && csv->at[1] == '\n' ? 2 : 0;
}

static int put(struct csv *csv, struct ss_error *err)
{
	char byte = *csv->at++;
	if (byte == '\0')
		return fail(csv, csv->line, "has a NUL character in it; save it as UTF-8", err);
	csv->line += byte == '\n';
	csv->bytes[csv->used++] = byte;
	return 0;
}

static int read_quoted(struct csv *csv, struct ss_error *err)
{
	size_t opened = csv->line;
	csv->at++;
	while (csv->at < csv->end) {
		if (*csv->at == '"' && (csv->at + 1 == csv->end || csv->at[1] != '"')) {
			csv->at++;
			if (csv->at == csv->end || *csv->at == ',' || line_end(csv) > 0)
				return 0;
			return fail(csv, csv->line,
				"a field goes on behind its closing quotation mark; write a "
				"quotation mark inside it twice",
				err);
		}
		csv->at += *csv->at == '"';
		if (put(csv, err) < 0)
			return -1;
	}
	return fail(csv, opened, "the quotation mark that opens a field here is never closed", err);
}

static int read_plain(struct csv *csv, struct ss_error *err)
{
	while (csv->at < csv->end && *csv->at != ',' && line_end(csv) == 0) {
		if (*csv->at == '"')
			return fail(csv, csv->line,
				"there is a quotation mark inside a field that does not begin with "
				"one; put the field in quotation marks and write that one twice",
				err);
		if (*csv->at == '\r')
			return fail(csv, csv->line,
				"a carriage return without a line feed; end lines with LF or CRLF",
				err);
		if (put(csv, err) < 0)
			return -1;
	}
	return 0;
}

/* Reads the fields of the record at AT, and over the line end behind them. */
static int read_fields(struct csv *csv, size_t *count, struct ss_error *err)
{
	for (;; csv->at++) {
		if (*count == CSV_FIELDS_LIMIT)
			return fail(csv, csv->line, "a line has more than 1000 fields", err);
		csv->starts[(*count)++] = csv->used;
		bool quoted = csv->at < csv->end && *csv->at == '"';
		if ((quoted ? read_quoted(csv, err) : read_plain(csv, err)) < 0)
			return -1;
		csv->bytes[csv->used++] = '\0';
		if (csv->at == csv->end || *csv->at != ',')
			break;
	}
	if (csv->at < csv->end) {
		csv->at += line_end(csv);
		csv->line++;
	}
	return 0;
}

int csv_next(struct csv *csv, struct csv_record *record, struct ss_error *err)
{
	size_t count = 0;
	for (size_t length; (length = line_end(csv)) > 0; csv->at += length)
		csv->line++;
	if (csv->at == csv->end)
		return 0;
	csv->used = 0;
	*record = (struct csv_record){.fields = csv->fields, .line = csv->line};
	if (read_fields(csv, &count, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		size_t end = i + 1 < count ? csv->starts[i + 1] : csv->used;
		csv->fields[i] =
			(struct ss_text){csv->bytes + csv->starts[i], end - csv->starts[i] - 1};
	}
	record->count = count;
	return 1;
}
