/* Expressions over one set of variables whose types are not declared, for the tests of this folder. */
#ifndef TESTS_EXPR_EVALUATE_H
#define TESTS_EXPR_EVALUATE_H

/* TEXT gives what the JSON text EXPECTED says; ints and doubles are told apart. */
void gives(const char *text, const char *expected);

/* TEXT is wrong at OFFSET, with WHY in the sentence. */
void fails_at(const char *text, unsigned long offset, const char *why);

/* COUNT times PART, between BEFORE and AFTER. The caller frees it. */
char *repeated(const char *before, const char *part, unsigned long count, const char *after);

#endif
