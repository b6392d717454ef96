/*
 * The transformer: token ids to one vector a text, the mean over its tokens, of length 1.
 *
 * Several texts go through together without padding: all their tokens are the rows of one matrix for the
 * linear layers, and only attention looks at each text by itself.
 *
 * Made and freed on the loop thread, run on the compute thread, one call at a time, each with oneDNN held
 * to one thread (common/openmp.h). A run allocates nothing itself.
 */
#ifndef MINILM_MODEL_H
#define MINILM_MODEL_H

#include "linear.h"
#include "model_config.h"
#include "safetensors.h"

struct model;

/* A model of the sizes CONFIG with WEIGHTS, of which the table of words is used until model_free(), that
 * computes in PRECISION, which the processor supports, for texts of up to MAX_TOKENS tokens (at most
 * LINEAR_ROWS_LIMIT and CONFIG's positions). */
struct model *model_new(const struct safetensors *weights, const struct model_config *config,
	enum linear_precision precision, size_t max_tokens, struct ss_error *err);

/* The floats of a vector. */
size_t model_dimension(const struct model *model);

/* The most tokens of one run, at least MAX_TOKENS. */
size_t model_tokens(const struct model *model);

/* IDS holds the tokens of COUNT texts one after the other, LENGTHS how many each has (one at least), in
 * all at most model_tokens(). Writes VECTORS [count][dimension]. */
int model_run(struct model *model, const int32_t *ids, const size_t *lengths, size_t count,
	float *vectors, struct ss_error *err);

void model_free(struct model *model);

#endif
