/*
 * Labelled lines: files of texts with labels, as JSONL or CSV, read line by line as maps. For training and
 * evaluation; one thread.
 */
#ifndef LEARN_LINES_H
#define LEARN_LINES_H

#include <smartsupport/value.h>

enum {
	LINES_FILE_LIMIT = 64 * 1024 * 1024, /* bytes */
	LINES_TEXT_LIMIT = 16000,            /* bytes of a text */
	LINES_LABEL_LIMIT = 200,             /* bytes of a label */
};

/* Where a line stands. */
struct lines_place {
	const char *path;
	size_t line; /* from 1 */
};

/* Called with each line: of JSONL an object, of CSV a map from the names in the first line to strings. */
typedef int lines_each(void *context, const struct ss_value *object, struct lines_place place,
	struct ss_error *err);

/* Reads the file at PATH, CSV when its name ends in .csv and else JSONL; empty lines are passed over. Ends with -1 when EACH
 * does, or when a line cannot be read: then ERR names file and line. */
int lines_read(const char *path, lines_each *each, void *context, struct ss_error *err);

/* The text of OBJECT; its data is NULL, and ERR tells of PLACE and value, unless it is a string that says something
 * in at most LINES_TEXT_LIMIT bytes. */
struct ss_text lines_text(
	const struct ss_value *object, struct lines_place place, struct ss_error *err);

/* Checks that VALUE, the member KEY of the line at PLACE, can be a label. */
int lines_label(const struct ss_value *value, const char *key, struct lines_place place,
	struct ss_error *err);

/* Fails with what is WRONG with the VALUE of the member KEY at PLACE, as in "must be a string". */
int lines_refuse(const struct ss_value *value, const char *key, const char *wrong,
	struct lines_place place, struct ss_error *err);

#endif
