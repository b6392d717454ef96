/*
 * CSV (RFC 4180), record by record. Fields are separated by commas; one in quotation marks may have commas, line
 * ends and doubled quotation marks. Lines end with LF or CRLF; a byte order mark and empty lines are passed over.
 * For the rooms that read tables from outside; one thread.
 */
#ifndef LEARN_CSV_H
#define LEARN_CSV_H

#include <smartsupport/value.h>

enum { CSV_FIELDS_LIMIT = 1000 }; /* of a record */

struct csv;

struct csv_record {
	const struct ss_text *fields; /* NUL-terminated; borrowed until the next record */
	size_t count;
	size_t line; /* on which it begins, from 1 */
};

/* A reader of LENGTH bytes of TEXT; both PATH, for messages, and TEXT are borrowed for its life. */
struct csv *csv_new(const char *path, const char *text, size_t length);
void csv_free(struct csv *csv);

/* Reads the next record: 1, 0 when there is none any more, -1 and ERR, which names file and line, when it is
 * damaged. */
int csv_next(struct csv *csv, struct csv_record *record, struct ss_error *err);

#endif
