/* What the parser's files share: where it is, and the literals. */
#ifndef EXPR_PARSE_H
#define EXPR_PARSE_H

#include "expr/node.h"

struct parser {
	const char *text; /* UTF-8 */
	const char *at;
	size_t depth;
	struct expr_error *error;
};

/* Bytes from the beginning of the text. */
size_t parser_offset(const struct parser *parser);

/* Tells that WHAT is wrong where the parser is, and is NULL. */
struct expr_node *parser_fail(struct parser *parser, const char *what);

bool parser_is_word(char c);

/* Whether a string literal, with a prefix or without, comes next. */
bool literal_is_string(const char *at);

/* The string literal that comes next. */
struct expr_node *literal_string(struct parser *parser);

/* The number that comes next, with the minus in front of it if there is one: the least int has no
 * positive twin. */
struct expr_node *literal_number(struct parser *parser);

#endif
