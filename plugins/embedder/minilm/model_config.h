/* The sizes of a model of the BERT family, from its config.json or from its tensors. Loop thread. */
#ifndef MINILM_MODEL_CONFIG_H
#define MINILM_MODEL_CONFIG_H

#include "safetensors.h"

enum { MODEL_PREFIX_BYTES = 64 };

struct model_config {
	char prefix[MODEL_PREFIX_BYTES]; /* of the tensors' names, as in "bert." */
	size_t layers;
	size_t hidden; /* floats of a token, a multiple of heads times 16 */
	size_t heads;
	size_t intermediate;
	size_t vocabulary; /* rows of the table of words */
	size_t positions;  /* tokens of the longest text */
	float epsilon;     /* of the layer norms */
};

/* Reads the sizes from the file PATH, where there is one, and else from the shapes of WEIGHTS. -1 and ERR,
 * which names the file and the member, when this is no model that can be run here. */
int model_config_read(struct model_config *config, const char *path,
	const struct safetensors *weights, const struct ss_value_functions *values,
	struct ss_error *err);

#endif
