/*
 * The functions of the language: one table, which the checker and the evaluator read. Their evaluators are
 * in the files named by theme; each gets as many cells as the row says, of the types that it takes.
 */
#ifndef EXPR_FUNCTIONS_H
#define EXPR_FUNCTIONS_H

#include "expr/cell.h"

enum { EXPR_ARGUMENTS_LIMIT = 4 };

enum expr_style {
	EXPR_FUNCTION = 1, /* f(x) */
	EXPR_METHOD = 2,   /* x.f() */
};

struct expr_function {
	const char *name;
	unsigned styles;                      /* those of enum expr_style that there are */
	size_t count;                         /* of arguments; what a method is called on is one */
	unsigned takes[EXPR_ARGUMENTS_LIMIT]; /* for each, the bits of its types */
	enum ss_type result;                  /* SS_NULL: that of its argument */
	enum ss_type item;                    /* of the items of a list */
	int (*evaluate)(struct evaluation *evaluation, const struct expr_node *node,
		const struct cell *items, struct cell *out);
};

/* The row for a call, or NULL; then *OTHER is one of that name which is called otherwise, if there is one. */
const struct expr_function *expr_function_find(
	const char *name, unsigned style, size_t count, const struct expr_function **other);

/* The name of the row at INDEX, NULL past the end. */
const char *expr_function_name(size_t index);

/* The bit of TYPE in a set of types. */
unsigned expr_type_bit(enum ss_type type);

/* Writes the types of the set as "a string, a list or a map". Returns TEXT. */
const char *expr_type_list(unsigned types, char *text, size_t size);

/* How the operation is written, as in "+". */
const char *expr_sign(enum expr_operation operation);

/* conversions.c */
int convert_bool(struct evaluation *, const struct expr_node *, const struct cell *, struct cell *);
int convert_int(struct evaluation *, const struct expr_node *, const struct cell *, struct cell *);
int convert_double(
	struct evaluation *, const struct expr_node *, const struct cell *, struct cell *);
int convert_string(
	struct evaluation *, const struct expr_node *, const struct cell *, struct cell *);
int convert_dyn(struct evaluation *, const struct expr_node *, const struct cell *, struct cell *);

/* strings.c: looking into strings */
int string_size(struct evaluation *, const struct expr_node *, const struct cell *, struct cell *);
int string_contains(
	struct evaluation *, const struct expr_node *, const struct cell *, struct cell *);
int string_starts(
	struct evaluation *, const struct expr_node *, const struct cell *, struct cell *);
int string_ends(struct evaluation *, const struct expr_node *, const struct cell *, struct cell *);
int string_char_at(
	struct evaluation *, const struct expr_node *, const struct cell *, struct cell *);
int string_index_of(
	struct evaluation *, const struct expr_node *, const struct cell *, struct cell *);
int string_last_index_of(
	struct evaluation *, const struct expr_node *, const struct cell *, struct cell *);
int string_substring(
	struct evaluation *, const struct expr_node *, const struct cell *, struct cell *);
int string_trim(struct evaluation *, const struct expr_node *, const struct cell *, struct cell *);

/* strings_made.c: making strings */
int string_join(struct evaluation *, const struct expr_node *, const struct cell *, struct cell *);
int string_lower(struct evaluation *, const struct expr_node *, const struct cell *, struct cell *);
int string_upper(struct evaluation *, const struct expr_node *, const struct cell *, struct cell *);
int string_quote(struct evaluation *, const struct expr_node *, const struct cell *, struct cell *);
int string_replace(
	struct evaluation *, const struct expr_node *, const struct cell *, struct cell *);
int string_reverse(
	struct evaluation *, const struct expr_node *, const struct cell *, struct cell *);
int string_split(struct evaluation *, const struct expr_node *, const struct cell *, struct cell *);

/* format.c */
int string_format(
	struct evaluation *, const struct expr_node *, const struct cell *, struct cell *);

/* The bytes of the code point that TEXT begins with; a byte that is not UTF-8 counts as one. */
size_t string_point(struct ss_text text);

enum { NUMBER_TEXT_SIZE = 32 };

/* The fewest digits that read back as NUMBER, which is finite and not negative, without a point; *EXPONENT
 * is such that the number is 0.DIGITS times ten to its power. Returns their count. */
size_t number_digits(double number, char digits[NUMBER_TEXT_SIZE], int *exponent);

#endif
