/* The tree of a parsed expression; for the files of this room only. */
#ifndef EXPR_NODE_H
#define EXPR_NODE_H

#include "expr/expr.h"

enum expr_operation {
	EXPR_CONSTANT, /* constant */
	EXPR_VARIABLE, /* variable */
	EXPR_LIST,     /* items; constant as well if all of them are constants */
	EXPR_SELECT,   /* items[0].name */
	EXPR_INDEX,    /* items[0][items[1]] */
	EXPR_HAS,      /* has(items[0].name) */
	EXPR_SIZE,     /* size(items[0]) */
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
};

struct expr_node {
	enum expr_operation operation;
	enum ss_type type; /* as checked; SS_NULL: known only when it runs */
	bool is_null;      /* the literal null, whose type is known */
	size_t offset;     /* in the text */
	size_t variable;
	char *name;
	struct ss_value *constant;
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

/* Resolves the variables of the tree and gives every node its type. */
int expr_check(struct expr_node *node, const struct expr_variable *variables, size_t count,
	struct expr_error *error);

void expr_node_free(struct expr_node *node);

__attribute__((format(printf, 3, 4))) int expr_fail(
	struct expr_error *error, size_t offset, const char *format, ...);

#endif
