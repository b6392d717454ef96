/*
 * The vocabulary of a WordPiece tokenizer: a hash table from pieces to ids. Made on the loop thread;
 * nothing changes afterwards, so any thread may look things up.
 */
#ifndef MINILM_VOCABULARY_H
#define MINILM_VOCABULARY_H

#include <smartsupport/value.h>

struct vocabulary;

/* The pieces of the map PIECES (from piece to id). Pieces that start with PREFIX ("##") continue a word.
 * NAME is for messages. */
struct vocabulary *vocabulary_new(const struct ss_value *pieces, const char *prefix,
	const char *name, const struct ss_value_functions *values, struct ss_error *err);

/* The id of a piece as it is written in the map, or -1. */
int32_t vocabulary_id(const struct vocabulary *vocabulary, const char *piece);

/* The id of the longest piece that the LENGTH bytes of TEXT (UTF-8) start with, among those that
 * continue a word when CONTINUES, or -1. *USED becomes the bytes of it. */
int32_t vocabulary_longest(const struct vocabulary *vocabulary, bool continues, const char *text,
	size_t length, size_t *used);

/* The largest id. */
int32_t vocabulary_last(const struct vocabulary *vocabulary);

void vocabulary_free(struct vocabulary *vocabulary);

#endif
