/* The tree of a parsed expression; for the files of this room only. */
#ifndef EXPR_NODE_H
#define EXPR_NODE_H

#include "expr/expr.h"

enum expr_operation {
	EXPR_CONSTANT, /* constant */
	EXPR_VARIABLE, /* variable: its row */
	EXPR_LOCAL,    /* variable: the level of the comprehension that it belongs to */
	EXPR_LIST,     /* items; constant as well if all of them are constants */
	EXPR_MAP,      /* items: key, value, key, value, …; constant as well, like a list */
	EXPR_SELECT,   /* items[0].name */
	EXPR_INDEX,    /* items[0][items[1]] */
	EXPR_HAS,      /* has(items[0].name) */
	EXPR_CALL,     /* function(items); of a method items[0] is what it is called on */
	EXPR_WRONG,    /* what cannot be computed; name: why */
	EXPR_NOT,
	EXPR_NEGATE,
	EXPR_AND,
	EXPR_OR,
	EXPR_CONDITION, /* items[0] ? items[1] : items[2] */
	EXPR_IN,
	EXPR_EQUAL,
	EXPR_NOT_EQUAL,
	EXPR_LESS,
	EXPR_LESS_EQUAL,
	EXPR_GREATER,
	EXPR_GREATER_EQUAL,
	EXPR_ADD,
	EXPR_SUBTRACT,
	EXPR_MULTIPLY,
	EXPR_DIVIDE,
	EXPR_REMAINDER,
	/* Comprehensions: items[0] is gone through; the others are evaluated with each item as `name`. */
	EXPR_ALL,
	EXPR_EXISTS,
	EXPR_EXISTS_ONE,
	EXPR_FILTER,
	EXPR_TRANSFORM, /* map(name, items[1]), or with a filter before it map(name, items[1], items[2]) */
};

struct expr_function;
struct expr_regex;

struct expr_node {
	enum expr_operation operation;
	enum ss_type type; /* as checked; SS_NULL: known only when it runs */
	enum ss_type item; /* of a list's items or a map's keys, as far as known */
	bool is_null;      /* the literal null, whose type is known */
	bool is_method;    /* a call on items[0] */
	bool is_closed;    /* in parentheses or backquotes: no part of a longer name */
	bool is_root;      /* a name with a dot before it, which no comprehension hides */
	size_t offset;     /* in the text */
	size_t variable;
	char *name;
	struct ss_value *constant;
	const struct expr_function *function;
	struct expr_regex *regex; /* of matches() with a constant pattern */
	struct expr_node **items;
	size_t count;
};

struct expr {
	struct expr_node *root;
	size_t *reads;
	size_t read_count;
};

/* Parses TEXT into a tree without types; names of variables are in `name`. */
struct expr_node *expr_parse(const char *text, struct expr_error *error);

/* Resolves the names of the tree and gives every node its type. If DYNAMIC, no types are looked at, and
 * what cannot be computed becomes EXPR_WRONG, which is an error only where it is evaluated. */
int expr_check(struct expr_node *node, const struct expr_variable *variables, size_t count,
	bool dynamic, struct expr_error *error);

struct expr_node *expr_node_new(enum expr_operation operation, size_t offset);

/* A constant; takes VALUE. */
struct expr_node *expr_node_constant(size_t offset, struct ss_value *value);

/* Adds ITEM, which may be NULL after a mistake: then NODE is freed and NULL comes back. */
struct expr_node *expr_node_add(struct expr_node *node, struct expr_node *item);

/* Frees the items of NODE and what it owns beside its name. */
void expr_node_clear(struct expr_node *node);

void expr_node_free(struct expr_node *node);

__attribute__((format(printf, 3, 4))) int expr_fail(
	struct expr_error *error, size_t offset, const char *format, ...);

#endif
