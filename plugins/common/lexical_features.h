/*
 * Lexical features: how a message is worded, as a few small numbers that an embedding of its meaning
 * does not carry or blurs: capitals, exclamation marks, negated praise, threats, thanks, and words
 * that tell the topic. For the heads and for the trainer. No state, any thread.
 *
 * The words and phrases are in lexicon.c; they are English. Text is UTF-8; bytes that are not are
 * passed over.
 */
#ifndef COMMON_LEXICAL_FEATURES_H
#define COMMON_LEXICAL_FEATURES_H

#include <smartsupport/value.h>

/* Bytes of a text that are looked at; what comes after does not change the tone. */
enum { LEXICAL_TEXT_LIMIT = 16 * 1024 };

struct lexical_feature {
	const char *name;
	const char *task; /* of the heads that are trained with it */
	const char *help;
};

/* The table of features; ends with a row whose name is NULL. */
extern const struct lexical_feature lexical_features[];

/* The number of rows of the table. */
size_t lexical_features_count(void);

/* Writes the value of every feature of TEXT, in the table's order, to VALUES. All are finite, most of
 * them from 0 to 3. */
void lexical_features_read(struct ss_text text, double *values);

#endif
