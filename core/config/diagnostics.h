/*
 * The mistakes found in configuration files, collected so that all of them are reported at once.
 * Filled by everything that reads configuration, while it loads; printed by the command line.
 */
#ifndef CONFIG_DIAGNOSTICS_H
#define CONFIG_DIAGNOSTICS_H

#include <smartsupport/error.h>

#include <stddef.h>
#include <stdio.h>

SS_BEGIN_C

struct diagnostic {
	char *file;
	size_t line;   /* from 1; 0 where the mistake belongs to the file as a whole */
	size_t column; /* from 1 */
	char *text;    /* one sentence */
};

struct diagnostics {
	struct diagnostic *items;
	size_t count;
};

/* Mistakes that are kept; a file with more is hopeless, and the last entry says so. */
enum { DIAGNOSTICS_LIMIT = 200 };

__attribute__((format(printf, 5, 6))) void diagnostics_add(struct diagnostics *diagnostics,
	const char *file, size_t line, size_t column, const char *format, ...);

/* Adds ERR, why FILE could not be read; what ERR says of the file's name is not said twice. */
void diagnostics_add_error(
	struct diagnostics *diagnostics, const char *file, const struct ss_error *err);

/* Sorts by file, line and column. */
void diagnostics_sort(struct diagnostics *diagnostics);

/* Sorts by file, line and column and writes FILE:LINE:COLUMN: TEXT lines to STREAM. */
void diagnostics_print(struct diagnostics *diagnostics, FILE *stream);

void diagnostics_free(struct diagnostics *diagnostics);

/* Formats " (did you mean "x"?)" into TEXT of SIZE bytes for the nearest of the COUNT NAMES to WORD;
 * empty when none is near. Returns TEXT. */
const char *diagnostics_hint(
	const char *word, const char *const *names, size_t count, char *text, size_t size);

SS_END_C

#endif
