/*
 * BERT's WordPiece tokenizer, read from a tokenizer.json: text to the ids that the model was trained
 * with. Made on the loop thread; nothing changes afterwards, so any thread may use it.
 */
#ifndef MINILM_TOKENIZER_H
#define MINILM_TOKENIZER_H

#include <smartsupport/value.h>

struct tokenizer;

/* Reads the file at PATH. NULL and ERR, which names the file and the member, when it is not a tokenizer
 * of this kind. */
struct tokenizer *tokenizer_open(
	const char *path, const struct ss_value_functions *values, struct ss_error *err);

/* The same from LENGTH bytes of JSON; NAME is for messages. */
struct tokenizer *tokenizer_read(const char *json, size_t length, const char *name,
	const struct ss_value_functions *values, struct ss_error *err);

/* Writes the ids of TEXT to IDS, [CLS] first and [SEP] last, at most LIMIT (2 or more) in all, and
 * returns their number. What is in TEXT is plain text, also where it looks like "[SEP]". */
size_t tokenizer_encode(
	const struct tokenizer *tokenizer, struct ss_text text, int32_t *ids, size_t limit);

/* The largest id. */
int32_t tokenizer_last(const struct tokenizer *tokenizer);

void tokenizer_free(struct tokenizer *tokenizer);

#endif
