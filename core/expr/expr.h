/*
 * Expressions: conditions over a turn's state, in the JSON-typed profile of CEL, the Common
 * Expression Language (https://github.com/google/cel-spec).
 *
 * An expression is parsed and checked against the fields' types once, at load, and then evaluated any
 * number of times, on the loop thread. Conditions allocate nothing.
 *
 * Here so far: null, bool, int (64-bit, overflow is an error), double, string and list literals; + - * /
 * % on numbers; comparison; && || ! with CEL's commutative errors; ?: ; in; field selection and
 * indexing; size() and has().
 */
#ifndef EXPR_EXPR_H
#define EXPR_EXPR_H

#include <smartsupport/value.h>

enum {
	EXPR_LENGTH_LIMIT = 4096, /* bytes of an expression */
	EXPR_DEPTH_LIMIT = 64,    /* nested parentheses, brackets, signs and ?: */
	EXPR_COST_LIMIT = 100000, /* operations of one evaluation and items that it looks at */
};

/* A variable that an expression may name. */
struct expr_variable {
	const char *name;
	enum ss_type type;             /* SS_NULL: any */
	const struct ss_value *values; /* of an enum: the list of its values; else NULL */
};

/* Where an expression is wrong. */
struct expr_error {
	size_t offset; /* bytes from the start of the expression */
	char text[240];
};

struct expr;

/* Parses TEXT and checks it against the COUNT VARIABLES. RESULT is the type that it must have, or
 * SS_NULL for any. NULL and ERROR when it is wrong. */
struct expr *expr_compile(const char *text, const struct expr_variable *variables, size_t count,
	enum ss_type result, struct expr_error *error);

void expr_free(struct expr *expr);

/* Evaluates EXPR, whose type is bool, with VALUES, one for each variable. *RESULT is set; or -1 and
 * ERR, for example for a key that a map does not have, or when it costs too much. */
int expr_is_true(const struct expr *expr, struct ss_value *const *values, bool *result,
	struct ss_error *err);

/* Evaluates EXPR with VALUES, one for each variable. New; NULL and ERR when it cannot be computed. */
struct ss_value *expr_evaluate(
	const struct expr *expr, struct ss_value *const *values, struct ss_error *err);

/* The rows of the variables table that EXPR reads: *COUNT indexes, each once, borrowed. */
const size_t *expr_reads(const struct expr *expr, size_t *count);

#endif
