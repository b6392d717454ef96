/* Running a statement: its parameters go over as bytes with their length, numbers as text, and its columns come back in
 * the binary format. */
#include "storage/postgresql/database.h"
#include "storage/postgresql/zero.h"

#include <assert.h>
#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BIND_TOO_LONG = 1, BIND_NO_MEMORY };

/* Rows go over, at the latest, when they come to so many bytes. */
enum { ROWS_LENGTH_MOST = 1024 * 1024 };

static struct run *run_of(const struct cursor *cursor)
{
	return cursor->run;
}

struct cursor cursor_begin(struct database *db, enum statement statement)
{
	struct run *run = &db->runs[statement];
	run->statement = statement;
	run->row = -1;
	run->count = 0;
	run->arrays = NULL;
	return (struct cursor){.db = db, .run = run};
}

/* Rows of one statement are bound at a time. */
struct cursor cursor_begin_rows(struct database *db, enum statement statement)
{
	struct cursor cursor = cursor_begin(db, statement);
	run_of(&cursor)->arrays = &db->arrays;
	arrays_clear(&db->arrays);
	return cursor;
}

/* Texts that are other ones in the database, until the next row. */

static void drop_texts(struct run *run)
{
	while (run->text_count > 0)
		free(run->texts[--run->text_count]);
}

/* Takes TEXT, which is NULL when there was no memory for it. */
static bool keep_text(struct run *run, char *text)
{
	if (text == NULL)
		return false;
	assert(run->text_count < PARAMETERS_LIMIT);
	run->texts[run->text_count++] = text;
	return true;
}

/* The place of the next parameter, of LENGTH bytes. */
static int next_parameter(struct cursor *cursor, size_t length)
{
	int i = cursor->parameters++;
	assert(i < PARAMETERS_LIMIT);
	run_of(cursor)->count = cursor->parameters;
	/* The protocol's own limit; the server would refuse less. */
	if (length > INT32_MAX)
		cursor->code = BIND_TOO_LONG;
	return i;
}

static void bind_element(
	struct cursor *cursor, enum array_type type, const void *value, size_t length)
{
	int i = next_parameter(cursor, length);
	if (cursor->code == 0 && arrays_add(run_of(cursor)->arrays, i, type, value, length) < 0)
		cursor->code = BIND_NO_MEMORY;
}

/* Bytes, also those of a text, in the format 1, and numbers as text in the format 0. */
static void bind(struct cursor *cursor, const char *value, size_t length, int format)
{
	struct run *run = run_of(cursor);
	int i = next_parameter(cursor, length);
	run->values[i] = value;
	run->lengths[i] = (int)length;
	run->formats[i] = format;
}

void cursor_bind_int(struct cursor *cursor, int64_t value)
{
	if (run_of(cursor)->arrays != NULL) {
		uint64_t bits = htobe64((uint64_t)value);
		bind_element(cursor, ARRAY_OF_INTS, &bits, sizeof bits);
		return;
	}
	char *text = run_of(cursor)->numbers[cursor->parameters];
	(void)snprintf(text, NUMBER_SIZE, "%" PRId64, value);
	bind(cursor, text, 0, 0);
}

static void bind_text(struct cursor *cursor, const char *text, size_t length)
{
	if (run_of(cursor)->arrays != NULL)
		bind_element(cursor, ARRAY_OF_TEXTS, text, length);
	else
		bind(cursor, text, length, 1);
}

void cursor_bind_string(struct cursor *cursor, const char *string)
{
	if (string != NULL)
		cursor_bind_text(cursor, (struct ss_text){string, strlen(string)});
	else
		bind_text(cursor, NULL, 0);
}

void cursor_bind_text(struct cursor *cursor, struct ss_text text)
{
	char *written = NULL;
	if (zero_is_in(text)) {
		written = zero_write(text, &text.length);
		if (!keep_text(run_of(cursor), written))
			cursor->code = BIND_NO_MEMORY;
		text.data = written;
	}
	/* NULL data would bind the null. */
	bind_text(cursor, text.length > 0 ? text.data : "", text.length);
}

void cursor_bind_bytes(struct cursor *cursor, struct ss_bytes bytes)
{
	if (run_of(cursor)->arrays != NULL)
		bind_element(cursor, ARRAY_OF_BYTES, bytes.data, bytes.length);
	else
		bind(cursor, (const char *)bytes.data, bytes.length, 1);
}

void cursor_bind_now(struct cursor *cursor)
{
	/* The statements ask the database. */
	(void)cursor;
}

/* The arrays become the parameters. */
static void bind_arrays(struct run *run)
{
	for (int i = 0; i < run->count; i++) {
		size_t length = 0;
		run->values[i] = arrays_value(run->arrays, i, &length);
		run->lengths[i] = (int)length;
		run->formats[i] = 1;
	}
}

/* What is bound is the only row, unless rows were ended before. */
static void end_only_row(struct run *run)
{
	if (run->arrays == NULL || run->arrays->rows > 0)
		return;
	run->arrays->rows = 1;
	bind_arrays(run);
}

static int fail_bind(const struct cursor *cursor, struct ss_error *err)
{
	if (cursor->code == BIND_NO_MEMORY)
		return database_fail_memory(cursor->db, err);
	return ss_fail_as(
		err, SS_INVALID, "%s: refuses a text that is too long", cursor->db->place);
}

int cursor_next(struct cursor *cursor, struct ss_error *err)
{
	struct run *run = run_of(cursor);
	if (cursor->code != 0)
		return fail_bind(cursor, err);
	if (run->result == NULL) {
		end_only_row(run);
		run->result = connection_run(cursor->db, run, err);
		if (run->result == NULL)
			return -1;
	}
	drop_texts(run);
	return ++run->row < PQntuples(run->result) ? 1 : 0;
}

int cursor_add(struct cursor *cursor, int64_t *number, struct ss_error *err)
{
	if (cursor_next(cursor, err) < 0)
		return -1;
	*number = cursor_int(cursor, 0);
	return 0;
}

int cursor_finish(struct cursor *cursor, struct ss_error *err)
{
	int result;
	if (cursor->db->defers && cursor->code == 0)
		result = connection_send(cursor->db, run_of(cursor), err);
	else
		result = cursor_next(cursor, err) < 0 ? -1 : 0;
	cursor_end(cursor);
	return result;
}

int cursor_add_new(struct cursor *cursor, int64_t *number, struct ss_error *err)
{
	int result = 1;
	*number = 0;
	if (cursor->db->defers && cursor->code == 0) {
		end_only_row(run_of(cursor));
		result = connection_send(cursor->db, run_of(cursor), err) < 0 ? -1 : 1;
	} else {
		result = cursor_next(cursor, err);
		if (result == 1)
			*number = cursor_int(cursor, 0);
	}
	cursor_end(cursor);
	return result;
}

/* Adds the rows that are bound, whose number is begun anew. */
static int add_rows(struct cursor *cursor, struct ss_error *err)
{
	struct run *run = run_of(cursor);
	bind_arrays(run);
	int result = cursor_finish(cursor, err);
	arrays_clear(run->arrays);
	return result;
}

int cursor_end_row(struct cursor *cursor, struct ss_error *err)
{
	struct arrays *arrays = run_of(cursor)->arrays;
	drop_texts(run_of(cursor));
	if (cursor->code != 0) {
		cursor_end(cursor);
		return fail_bind(cursor, err);
	}
	arrays->rows++;
	cursor->parameters = 0;
	return arrays->length >= ROWS_LENGTH_MOST ? add_rows(cursor, err) : 0;
}

int cursor_finish_rows(struct cursor *cursor, struct ss_error *err)
{
	if (run_of(cursor)->arrays->rows > 0)
		return add_rows(cursor, err);
	cursor_end(cursor);
	return 0;
}

bool cursor_is_duplicate(const struct cursor *cursor)
{
	return cursor->db->met_another;
}

int64_t cursor_changes(const struct cursor *cursor)
{
	return strtoll(PQcmdTuples(run_of(cursor)->result), NULL, 10);
}

bool cursor_is_null(const struct cursor *cursor, int column)
{
	const struct run *run = run_of(cursor);
	return PQgetisnull(run->result, run->row, column) != 0;
}

int64_t cursor_int(const struct cursor *cursor, int column)
{
	const struct run *run = run_of(cursor);
	const char *bytes = PQgetvalue(run->result, run->row, column);
	uint64_t eight;
	uint32_t four;
	uint16_t two;
	if (cursor_is_null(cursor, column))
		return 0;
	switch (PQgetlength(run->result, run->row, column)) {
	case sizeof eight:
		memcpy(&eight, bytes, sizeof eight);
		return (int64_t)be64toh(eight);
	case sizeof four:
		memcpy(&four, bytes, sizeof four);
		return (int32_t)be32toh(four);
	case sizeof two:
		memcpy(&two, bytes, sizeof two);
		return (int16_t)be16toh(two);
	default:
		return bytes[0]; /* a boolean */
	}
}

double cursor_number(const struct cursor *cursor, int column)
{
	uint64_t bits = (uint64_t)cursor_int(cursor, column);
	double number;
	memcpy(&number, &bits, sizeof number);
	return number;
}

static struct ss_text column_bytes(const struct run *run, int column)
{
	if (PQgetisnull(run->result, run->row, column))
		return (struct ss_text){0};
	return (struct ss_text){PQgetvalue(run->result, run->row, column),
		(size_t)PQgetlength(run->result, run->row, column)};
}

struct ss_text cursor_text(const struct cursor *cursor, int column)
{
	struct run *run = run_of(cursor);
	struct ss_text text = column_bytes(run, column);
	if (!zero_is_written_in(text))
		return text;
	size_t length = 0;
	char *read = zero_read(text, &length);
	/* Without memory there is no text, which is what the operations expect then. */
	return keep_text(run, read) ? (struct ss_text){read, length} : (struct ss_text){0};
}

struct ss_bytes cursor_bytes(const struct cursor *cursor, int column)
{
	struct ss_text bytes = column_bytes(run_of(cursor), column);
	const void *data = bytes.length > 0 ? bytes.data : NULL;
	return (struct ss_bytes){data, bytes.length};
}

void cursor_end(struct cursor *cursor)
{
	struct run *run = run_of(cursor);
	drop_texts(run);
	PQclear(run->result);
	run->result = NULL;
}
