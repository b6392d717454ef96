#include "model_config.h"

#include "mapping.h"

#include <stddef.h>
#include <string.h>

enum {
	FILE_LIMIT = 1 << 20,
	HEAD_WIDTH = 32, /* of the MiniLM models; used where no file gives the number of heads */
	HEAD_MULTIPLE = 16,
	LAYERS_LIMIT = 48,
};

static const char words_name[] = "embeddings.word_embeddings.weight";
static const char positions_name[] = "embeddings.position_embeddings.weight";

/* The sizes that a config.json gives. */
static const struct {
	const char *name;
	size_t offset;
	size_t limit;
} members[] = {
	{"num_hidden_layers", offsetof(struct model_config, layers), LAYERS_LIMIT},
	{"hidden_size", offsetof(struct model_config, hidden), 4096},
	{"num_attention_heads", offsetof(struct model_config, heads), 128},
	{"intermediate_size", offsetof(struct model_config, intermediate), 16384},
	{"vocab_size", offsetof(struct model_config, vocabulary), 1 << 22},
	{"max_position_embeddings", offsetof(struct model_config, positions), 8192},
};

/* Words that must stand in a config.json when they stand there at all. */
static const struct {
	const char *name, *value;
} fixed[] = {
	{"model_type", "bert"},
	{"hidden_act", "gelu"},
	{"position_embedding_type", "absolute"},
};

/* Finds what stands before the names of the tensors. */
static int read_prefix(
	struct model_config *config, const struct safetensors *weights, struct ss_error *err)
{
	const struct tensor *tensor;
	for (size_t i = 0; (tensor = safetensors_at(weights, i)) != NULL; i++) {
		size_t length = strlen(tensor->name);
		if (length < strlen(words_name))
			continue;
		size_t prefix = length - strlen(words_name);
		if (prefix >= sizeof config->prefix ||
			strcmp(tensor->name + prefix, words_name) != 0)
			continue;
		memcpy(config->prefix, tensor->name, prefix);
		config->prefix[prefix] = '\0';
		return 0;
	}
	return ss_fail_as(err, SS_INVALID,
		"%s: the tensor %s is missing; this is not a model of the BERT family",
		safetensors_name(weights), words_name);
}

/* The tensor PREFIX NAME with two dimensions, or NULL. */
static const struct tensor *find_matrix(
	const struct model_config *config, const struct safetensors *weights, const char *name)
{
	char full[2 * MODEL_PREFIX_BYTES + 64];
	(void)snprintf(full, sizeof full, "%s%s", config->prefix, name);
	const struct tensor *tensor = safetensors_find(weights, full);
	return tensor != NULL && tensor->dimensions == 2 ? tensor : NULL;
}

static int read_shapes(
	struct model_config *config, const struct safetensors *weights, struct ss_error *err)
{
	char name[128];
	const struct tensor *words = find_matrix(config, weights, words_name);
	const struct tensor *positions = find_matrix(config, weights, positions_name);
	const struct tensor *up =
		find_matrix(config, weights, "encoder.layer.0.intermediate.dense.weight");
	if (words == NULL || positions == NULL || up == NULL)
		return ss_fail_as(err, SS_INVALID,
			"%s: a table of words, a table of positions or a first layer is missing; "
			"this is not a "
			"model of the BERT family",
			safetensors_name(weights));
	config->vocabulary = words->shape[0];
	config->hidden = words->shape[1];
	config->positions = positions->shape[0];
	config->intermediate = up->shape[0];
	config->heads = config->hidden / HEAD_WIDTH;
	config->epsilon = 1e-12f;
	for (config->layers = 0; config->layers < LAYERS_LIMIT; config->layers++) {
		(void)snprintf(name, sizeof name, "encoder.layer.%zu.intermediate.dense.weight",
			config->layers);
		if (find_matrix(config, weights, name) == NULL)
			break;
	}
	return 0;
}

static int read_members(struct model_config *config, const char *path, const struct ss_value *root,
	const struct ss_value_functions *values, struct ss_error *err)
{
	for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
		const struct ss_value *value = values->get(root, fixed[i].name);
		if (value != NULL && strcmp(values->as_string(value, NULL), fixed[i].value) != 0)
			return ss_fail_as(err, SS_INVALID, "%.250s: %s must be \"%s\"", path,
				fixed[i].name, fixed[i].value);
	}
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		const struct ss_value *value = values->get(root, members[i].name);
		if (value == NULL)
			continue;
		if (values->type(value) != SS_INT || values->as_int(value) < 0)
			return ss_fail_as(err, SS_INVALID, "%.250s: %s must be a whole number",
				path, members[i].name);
		size_t size = (size_t)values->as_int(value);
		memcpy((char *)config + members[i].offset, &size, sizeof size);
	}
	const struct ss_value *epsilon = values->get(root, "layer_norm_eps");
	if (epsilon != NULL)
		config->epsilon = (float)values->as_number(epsilon);
	return 0;
}

static int read_file(struct model_config *config, const char *path,
	const struct ss_value_functions *values, struct ss_error *err)
{
	struct mapping mapping;
	struct ss_error reason = {0};
	if (mapping_open(&mapping, path, FILE_LIMIT, &reason) < 0) {
		if (reason.status == SS_NOT_FOUND)
			return 0;
		return ss_fail_as(err, reason.status, "%s", reason.text);
	}
	struct ss_value *root =
		values->from_json((const char *)mapping.data, mapping.length, &reason);
	mapping_close(&mapping);
	if (root == NULL)
		return ss_fail_as(err, SS_INVALID, "%.250s: %.200s", path, reason.text);
	int result = read_members(config, path, root, values, err);
	values->unref(root);
	return result;
}

/* Checks what the file or the tensors gave. */
static int check(
	const struct model_config *config, const struct safetensors *weights, struct ss_error *err)
{
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		size_t size;
		memcpy(&size, (const char *)config + members[i].offset, sizeof size);
		if (size < 1 || size > members[i].limit)
			return ss_fail_as(err, SS_INVALID,
				"%s: %s is %zu for this model; it must be from 1 to %zu",
				safetensors_name(weights), members[i].name, size, members[i].limit);
	}
	if (config->hidden % config->heads != 0 ||
		config->hidden / config->heads % HEAD_MULTIPLE != 0)
		return ss_fail_as(err, SS_INVALID,
			"%s: %zu heads in %zu floats: a head must have a multiple of %d floats",
			safetensors_name(weights), config->heads, config->hidden, HEAD_MULTIPLE);
	if (!(config->epsilon > 0) || config->epsilon > 1)
		return ss_fail_as(err, SS_INVALID,
			"%s: layer_norm_eps is %g for this model; it must be above 0 and at most 1",
			safetensors_name(weights), (double)config->epsilon);
	return 0;
}

int model_config_read(struct model_config *config, const char *path,
	const struct safetensors *weights, const struct ss_value_functions *values,
	struct ss_error *err)
{
	*config = (struct model_config){0};
	if (read_prefix(config, weights, err) < 0 || read_shapes(config, weights, err) < 0 ||
		read_file(config, path, values, err) < 0)
		return -1;
	return check(config, weights, err);
}
