/*
 * The embedder of the trainer: a plugin, loaded as the server loads it and called directly. One
 * thread.
 */
#ifndef TRAIN_EMBEDDING_H
#define TRAIN_EMBEDDING_H

#include "train/dataset.h"

struct embedding;

/* Loads the plugin PATH with MODEL as its option "model" and the defaults for the others. */
struct embedding *embedding_new(const char *path, const char *model, struct ss_error *err);

void embedding_free(struct embedding *embedding);

size_t embedding_dimension(const struct embedding *embedding);

/* The plugin's name, borrowed. */
const char *embedding_name(const struct embedding *embedding);

/* The vectors of all texts of DATASET, [count][dimension]; the caller frees them. */
float *embedding_of(
	struct embedding *embedding, const struct dataset *dataset, struct ss_error *err);

#endif
