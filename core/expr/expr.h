/*
 * Expressions: conditions and values over a turn's state, in the JSON-typed profile of CEL, the Common
 * Expression Language (https://github.com/google/cel-spec). docs/expressions.md tells what there is.
 *
 * An expression is parsed and checked against the fields' types once, at load, and then evaluated any
 * number of times. A compiled one is not changed by that and may be used on any thread. Evaluation takes
 * memory only for what it builds, and gives it back at its end; comparisons and logic build nothing.
 */
#ifndef EXPR_EXPR_H
#define EXPR_EXPR_H

#include <smartsupport/value.h>

SS_BEGIN_C

enum {
	EXPR_LENGTH_LIMIT = 4096, /* bytes of an expression */
	EXPR_DEPTH_LIMIT = 64,    /* nested parentheses, brackets, signs, ?: and comprehensions */
	/* What one evaluation may cost: one for each operation, for each item that it looks at or makes,
	 * and for every 16 bytes of text; what a pattern costs grows with its size as well. */
	EXPR_COST_LIMIT = 100000,
	EXPR_SIZE_LIMIT = 4 * 1024 * 1024, /* bytes of a list or map that is built */
};

/* A variable that an expression may name; a name may have dots, as in "a.b". */
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

/* The same without looking at types: all that a type, a name, a function or a pattern has wrong is an
 * error of the evaluation, at its place, and only if that place is evaluated and its error counts, which
 * is how CEL works when nothing is declared. NULL and ERROR when TEXT is no expression. */
struct expr *expr_compile_dynamic(const char *text, const struct expr_variable *variables,
	size_t count, struct expr_error *error);

void expr_free(struct expr *expr);

/* Evaluates EXPR, whose type is bool, with VALUES, one for each variable. *RESULT is set; or -1 and
 * ERR, for example for a key that a map does not have, or when it costs too much. */
int expr_is_true(const struct expr *expr, struct ss_value *const *values, bool *result,
	struct ss_error *err);

/* Evaluates EXPR with VALUES, one for each variable. New; NULL and ERR when it cannot be computed. The
 * keys of a map that are ints or bools become strings. */
struct ss_value *expr_evaluate(
	const struct expr *expr, struct ss_value *const *values, struct ss_error *err);

/* The same with an error that tells which operation failed by its place. */
struct ss_value *expr_evaluate_placed(
	const struct expr *expr, struct ss_value *const *values, struct expr_error *error);

/* The rows of the variables table that EXPR reads: *COUNT indexes, each once, borrowed. */
const size_t *expr_reads(const struct expr *expr, size_t *count);

SS_END_C

#endif
