/*
 * Prompt files: templates in the syntax of Mustache (https://mustache.github.io) over a turn's state. docs/prompts.md
 * tells what there is.
 *
 * A template is parsed and checked against the fields once, at load, on the loop thread, and then rendered any number
 * of times. A parsed one is not changed by that and may be rendered on any thread.
 */
#ifndef EXPR_MUSTACHE_H
#define EXPR_MUSTACHE_H

#include "config/diagnostics.h"
#include "expr/expr.h"

SS_BEGIN_C

enum {
	MUSTACHE_FILE_LIMIT = 64 * 1024, /* bytes of a template */
	MUSTACHE_TAGS_LIMIT = 1000,      /* of a template */
	MUSTACHE_DEPTH_LIMIT = 8,        /* sections inside each other */
	/* Bytes that variables insert into a rendered text and that sections repeat, before they are escaped. */
	MUSTACHE_TEXT_LIMIT = 1024 * 1024,
};

struct mustache;

/* A variable that a template needs, and where it first does. */
struct mustache_read {
	size_t variable; /* its row */
	size_t line, column;
};

/* Parses the LENGTH bytes of TEXT, which are those of FILE, and checks them against the COUNT VARIABLES. NULL when
 * anything is wrong; all of it is in DIAGNOSTICS. */
struct mustache *mustache_parse(const char *file, const char *text, size_t length,
	const struct expr_variable *variables, size_t count, struct diagnostics *diagnostics);

void mustache_free(struct mustache *mustache);

/* The variables that TEMPLATE surely reads: those that it names where no item of a list could be meant. *COUNT rows,
 * each variable once, borrowed. */
const struct mustache_read *mustache_reads(const struct mustache *mustache, size_t *count);

/* The text with VALUES, one for each variable, without the blanks at its ends: new, NUL-terminated, with *LENGTH
 * bytes; freed with free(). NULL and ERR when it becomes too long. */
char *mustache_render(const struct mustache *mustache, struct ss_value *const *values,
	size_t *length, struct ss_error *err);

SS_END_C

#endif
