/*
 * Regular expressions for matches(): RE2's, whose time grows linearly with the text, whatever the pattern.
 * For this room. A compiled one may be used on any thread.
 */
#ifndef EXPR_REGEX_H
#define EXPR_REGEX_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	EXPR_PATTERN_LIMIT = 4096,            /* bytes of a pattern */
	EXPR_REGEX_MEMORY_LIMIT = 256 * 1024, /* bytes of a compiled one, its automaton included */
};

struct expr_regex;

/* Compiles the LENGTH bytes of PATTERN (RE2's syntax). NULL and in WHY, of SIZE bytes, what is wrong with it. */
struct expr_regex *expr_regex_new(const char *pattern, size_t length, char *why, size_t size);
void expr_regex_free(struct expr_regex *regex);

/* Whether REGEX matches anywhere in the LENGTH bytes of TEXT. */
bool expr_regex_matches(const struct expr_regex *regex, const char *text, size_t length);

/* The instructions of the compiled program: what a byte of text costs at worst. */
size_t expr_regex_size(const struct expr_regex *regex);

#ifdef __cplusplus
}
#endif

#endif
