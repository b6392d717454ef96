#include "model.h"

#include "kernels.h"
#include "packed.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	BATCH_TOKENS = 256, /* rows for which a processor computes rather than waits for weights */
	NAME_BYTES = 256,
	PACKING_VERSION = 1, /* grows with every change of what is packed */
	ALIGNMENT = 64,
};

struct norm {
	float *scale, *shift;
};

struct layer {
	struct linear *project; /* queries, keys and values at once */
	struct linear *attended;
	struct norm attention_norm;
	struct linear *up, *down;
	struct norm output_norm;
};

struct model {
	struct model_config config;
	const struct safetensors *weights;
	const struct kernels *kernels;
	size_t max_tokens, batch_tokens;
	const struct tensor *words; /* [vocabulary][hidden], in the file */
	float *places; /* [max_tokens][hidden], positions and the type of a first sentence */
	struct norm word_norm;
	struct linear_engine *engine;
	struct linear_kind *project, *square, *up, *down;
	struct packed packed; /* the weights of the layers, one after the other */
	struct layer *layers;
	/* For one run, with rows for linear_rows(batch_tokens). */
	float *states, *attended;           /* [rows][hidden] */
	float *projected;                   /* [rows][3 * hidden] */
	struct linear_matrix input, raised; /* [rows][hidden], [rows][intermediate] */
	float *scratch;
};

/* The most numbers that a layer has in or out. */
static size_t widest(const struct model_config *config)
{
	size_t projected = 3 * config->hidden;
	return projected > config->intermediate ? projected : config->intermediate;
}

/* COUNT zeroed floats, or NULL and ERR. */
static float *allocate(size_t count, struct ss_error *err)
{
	size_t size = (count * sizeof(float) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	float *floats = aligned_alloc(ALIGNMENT, size);
	if (floats == NULL)
		(void)ss_fail(err, "out of memory for %zu bytes of the model", size);
	else
		memset(floats, 0, size);
	return floats;
}

/* The tensor LAYER NAME PART, as in "encoder.layer.0." "output.dense" ".bias", of the given shape. ROWS is 0
 * for a vector. */
static const struct tensor *find(const struct model *model, const char *layer, const char *name,
	const char *part, size_t rows, size_t columns, struct ss_error *err)
{
	char full[NAME_BYTES];
	(void)snprintf(full, sizeof full, "%s%s%s%s", model->config.prefix, layer, name, part);
	return safetensors_get(model->weights, full, rows, columns, err);
}

/* Reads a tensor to FLOATS. */
static int read_tensor(const struct model *model, const char *layer, const char *name,
	const char *part, size_t rows, size_t columns, float *floats, struct ss_error *err)
{
	const struct tensor *tensor = find(model, layer, name, part, rows, columns, err);
	if (tensor == NULL)
		return -1;
	tensor_widen(tensor, 0, (rows == 0 ? 1 : rows) * columns, floats);
	return 0;
}

static int read_norm(const struct model *model, const char *layer, const char *name,
	struct norm *norm, struct ss_error *err)
{
	size_t hidden = model->config.hidden;
	norm->scale = allocate(hidden, err);
	norm->shift = allocate(hidden, err);
	if (norm->scale == NULL || norm->shift == NULL)
		return -1;
	if (read_tensor(model, layer, name, ".weight", 0, hidden, norm->scale, err) < 0)
		return -1;
	return read_tensor(model, layer, name, ".bias", 0, hidden, norm->shift, err);
}

/* Reads the WEIGHTS [out][in] and the BIAS [out] of a linear layer. */
static int read_linear(const struct model *model, const char *layer, const char *name, size_t in,
	size_t out, float *weights, float *bias, struct ss_error *err)
{
	if (read_tensor(model, layer, name, ".weight", out, in, weights, err) < 0)
		return -1;
	return read_tensor(model, layer, name, ".bias", 0, out, bias, err);
}

/* The layers in their packed form are filled or used in this order. */
struct packing {
	char *at; /* where the next one is */
	bool is_complete;
	float *weights, *bias; /* room for the largest */
};

/* Packs what PACKING's weights and bias are, unless that is done, and makes a layer of it. */
static struct linear *pack(struct packing *packing, struct linear_kind *kind, struct ss_error *err)
{
	char *packed = packing->at;
	packing->at += linear_kind_packed(kind);
	if (!packing->is_complete &&
		linear_pack(kind, packing->weights, packing->bias, packed, err) < 0)
		return NULL;
	return linear_new(kind, packed, err);
}

static struct linear *read_and_pack(const struct model *model, struct packing *packing,
	struct linear_kind *kind, const char *layer, const char *name, size_t in, size_t out,
	struct ss_error *err)
{
	if (read_linear(model, layer, name, in, out, packing->weights, packing->bias, err) < 0)
		return NULL;
	return pack(packing, kind, err);
}

/* One layer for queries, keys and values. The queries take the scale of the scores with them. */
static struct linear *pack_projection(
	const struct model *model, struct packing *packing, const char *layer, struct ss_error *err)
{
	static const char *const names[] = {
		"attention.self.query", "attention.self.key", "attention.self.value"};
	size_t hidden = model->config.hidden, square = hidden * hidden;
	for (size_t i = 0; i < 3; i++) {
		if (read_linear(model, layer, names[i], hidden, hidden,
			    packing->weights + i * square, packing->bias + i * hidden, err) < 0)
			return NULL;
	}
	float scale = 1.0f / sqrtf((float)(hidden / model->config.heads));
	for (size_t i = 0; i < square; i++)
		packing->weights[i] *= scale;
	for (size_t i = 0; i < hidden; i++)
		packing->bias[i] *= scale;
	return pack(packing, model->project, err);
}

static int read_layer(
	struct model *model, size_t index, struct packing *packing, struct ss_error *err)
{
	char name[64];
	struct layer *layer = &model->layers[index];
	size_t hidden = model->config.hidden, wide = model->config.intermediate;
	(void)snprintf(name, sizeof name, "encoder.layer.%zu.", index);
	layer->project = pack_projection(model, packing, name, err);
	if (layer->project == NULL)
		return -1;
	layer->attended = read_and_pack(
		model, packing, model->square, name, "attention.output.dense", hidden, hidden, err);
	if (layer->attended == NULL || read_norm(model, name, "attention.output.LayerNorm",
					       &layer->attention_norm, err) < 0)
		return -1;
	layer->up = read_and_pack(
		model, packing, model->up, name, "intermediate.dense", hidden, wide, err);
	if (layer->up == NULL)
		return -1;
	layer->down =
		read_and_pack(model, packing, model->down, name, "output.dense", wide, hidden, err);
	if (layer->down == NULL)
		return -1;
	return read_norm(model, name, "output.LayerNorm", &layer->output_norm, err);
}

/* A hash of all that the packed weights depend on. */
static uint64_t packing_key(const struct model *model)
{
	const uint64_t parts[] = {PACKING_VERSION, safetensors_hash(model->weights),
		model->config.heads, linear_layout(model->engine)};
	uint64_t hash = 0;
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		hash = (hash ^ parts[i]) * 0x100000001b3u;
	return hash;
}

static size_t packed_size(const struct model *model)
{
	return model->config.layers *
	       (linear_kind_packed(model->project) + linear_kind_packed(model->square) +
		       linear_kind_packed(model->up) + linear_kind_packed(model->down));
}

static int read_layers(struct model *model, struct ss_error *err)
{
	size_t hidden = model->config.hidden, wide = widest(&model->config);
	size_t size = packed_size(model);
	model->layers = calloc(model->config.layers, sizeof *model->layers);
	if (model->layers == NULL)
		return ss_fail(err, "out of memory");
	if (packed_open(&model->packed, packing_key(model), size, err) < 0)
		return -1;
	struct packing packing = {
		.at = model->packed.data,
		.is_complete = model->packed.is_complete,
		.weights = allocate(hidden * wide, err),
		.bias = allocate(wide, err),
	};
	int result = packing.weights != NULL && packing.bias != NULL ? 0 : -1;
	for (size_t i = 0; result == 0 && i < model->config.layers; i++)
		result = read_layer(model, i, &packing, err);
	free(packing.weights);
	free(packing.bias);
	if (result == 0 && !packing.is_complete)
		packed_complete(&model->packed);
	return result;
}

static int read_embeddings(struct model *model, struct ss_error *err)
{
	const struct model_config *config = &model->config;
	size_t hidden = config->hidden;
	model->words = find(model, "", "embeddings.word_embeddings", ".weight", config->vocabulary,
		hidden, err);
	const struct tensor *positions = find(model, "", "embeddings.position_embeddings",
		".weight", config->positions, hidden, err);
	const struct tensor *kinds =
		find(model, "", "embeddings.token_type_embeddings", ".weight", 2, hidden, err);
	if (model->words == NULL || positions == NULL || kinds == NULL)
		return -1;
	model->places = allocate(model->max_tokens * hidden, err);
	float *kind = allocate(hidden, err);
	if (model->places == NULL || kind == NULL) {
		free(kind);
		return -1;
	}
	tensor_widen(positions, 0, model->max_tokens * hidden, model->places);
	tensor_widen(kinds, 0, hidden, kind);
	for (size_t i = 0; i < model->max_tokens * hidden; i++)
		model->places[i] += kind[i % hidden];
	free(kind);
	return read_norm(model, "", "embeddings.LayerNorm", &model->word_norm, err);
}

static int make_kinds(struct model *model, enum linear_precision precision, struct ss_error *err)
{
	size_t hidden = model->config.hidden, wide = model->config.intermediate;
	model->engine =
		linear_engine_new(precision, model->batch_tokens, widest(&model->config), err);
	if (model->engine == NULL)
		return -1;
	model->project = linear_kind_new(model->engine, hidden, 3 * hidden, LINEAR_STORE, err);
	if (model->project == NULL)
		return -1;
	model->square = linear_kind_new(model->engine, hidden, hidden, LINEAR_ADD, err);
	if (model->square == NULL)
		return -1;
	model->up = linear_kind_new(model->engine, hidden, wide, LINEAR_GELU, err);
	if (model->up == NULL)
		return -1;
	model->down = linear_kind_new(model->engine, wide, hidden, LINEAR_ADD, err);
	return model->down == NULL ? -1 : 0;
}

/* Compiles for all sizes of a run, so that no customer waits for it. */
static int prepare(struct model *model, struct ss_error *err)
{
	for (size_t rows = 1; rows <= model->batch_tokens; rows = linear_rows(rows) + 1) {
		if (linear_kind_prepare(model->project, rows, err) < 0 ||
			linear_kind_prepare(model->square, rows, err) < 0 ||
			linear_kind_prepare(model->up, rows, err) < 0 ||
			linear_kind_prepare(model->down, rows, err) < 0)
			return -1;
	}
	return 0;
}

static int make_space(struct model *model, struct ss_error *err)
{
	const struct model_config *config = &model->config;
	size_t rows = linear_rows(model->batch_tokens), hidden = config->hidden;
	model->states = allocate(rows * hidden, err);
	model->attended = allocate(rows * hidden, err);
	model->projected = allocate(rows * 3 * hidden, err);
	model->scratch =
		allocate(attention_scratch(model->max_tokens, hidden / config->heads), err);
	if (model->states == NULL || model->attended == NULL || model->projected == NULL ||
		model->scratch == NULL)
		return -1;
	if (linear_matrix_init(model->engine, &model->input, rows, hidden, err) < 0)
		return -1;
	return linear_matrix_init(model->engine, &model->raised, rows, config->intermediate, err);
}

struct model *model_new(const struct safetensors *weights, const struct model_config *config,
	enum linear_precision precision, size_t max_tokens, struct ss_error *err)
{
	if (max_tokens > config->positions || max_tokens > LINEAR_ROWS_LIMIT) {
		(void)ss_fail_as(err, SS_INVALID,
			"max_tokens is %zu; this model takes at most %zu tokens", max_tokens,
			config->positions < LINEAR_ROWS_LIMIT ? config->positions
							      : (size_t)LINEAR_ROWS_LIMIT);
		return NULL;
	}
	struct model *model = calloc(1, sizeof *model);
	if (model == NULL) {
		(void)ss_fail(err, "out of memory");
		return NULL;
	}
	model->config = *config;
	model->weights = weights;
	model->kernels = kernels_at(0);
	model->max_tokens = max_tokens;
	model->batch_tokens = max_tokens > BATCH_TOKENS ? max_tokens : BATCH_TOKENS;
	if (read_embeddings(model, err) == 0 && make_kinds(model, precision, err) == 0 &&
		read_layers(model, err) == 0 && make_space(model, err) == 0 &&
		prepare(model, err) == 0)
		return model;
	model_free(model);
	return NULL;
}

size_t model_dimension(const struct model *model)
{
	return model->config.hidden;
}

size_t model_tokens(const struct model *model)
{
	return model->batch_tokens;
}

/* Normalizes the states and makes the next layer's input of them. */
static void normalize(struct model *model, const struct norm *norm, size_t rows)
{
	size_t hidden = model->config.hidden;
	model->kernels->normalize(
		model->states, rows, hidden, norm->scale, norm->shift, model->config.epsilon);
	linear_narrow(model->engine, model->states, rows, hidden, &model->input);
}

/* Writes a row for each token to the states. */
static void embed(
	struct model *model, const int32_t *ids, const size_t *lengths, size_t count, size_t rows)
{
	size_t hidden = model->config.hidden;
	float *state = model->states;
	for (size_t text = 0; text < count; text++) {
		for (size_t i = 0; i < lengths[text]; i++, state += hidden) {
			tensor_widen(model->words, (size_t)*ids++ * hidden, hidden, state);
			for (size_t k = 0; k < hidden; k++)
				state[k] += model->places[i * hidden + k];
		}
	}
	normalize(model, &model->word_norm, rows);
}

static void attend(struct model *model, const size_t *lengths, size_t count)
{
	size_t hidden = model->config.hidden;
	struct attention attention = {
		.heads = model->config.heads,
		.head_width = hidden / model->config.heads,
		.projected = model->projected,
		.result = model->attended,
		.scratch = model->scratch,
	};
	for (size_t text = 0; text < count; text++) {
		attention.tokens = lengths[text];
		model->kernels->attend(&attention);
		attention.projected += lengths[text] * 3 * hidden;
		attention.result += lengths[text] * hidden;
	}
}

static int run_layer(struct model *model, const struct layer *layer, const size_t *lengths,
	size_t count, size_t rows, struct ss_error *err)
{
	if (linear_run(layer->project, rows, &model->input, model->projected, err) < 0)
		return -1;
	attend(model, lengths, count);
	linear_narrow(model->engine, model->attended, rows, model->config.hidden, &model->input);
	if (linear_run(layer->attended, rows, &model->input, model->states, err) < 0)
		return -1;
	normalize(model, &layer->attention_norm, rows);
	if (linear_run_gelu(layer->up, rows, &model->input, &model->raised, err) < 0 ||
		linear_run(layer->down, rows, &model->raised, model->states, err) < 0)
		return -1;
	normalize(model, &layer->output_norm, rows);
	return 0;
}

/* The mean of a text's ROWS states, of length 1. */
static int pool(const struct model *model, const float *states, size_t rows, float *vector,
	struct ss_error *err)
{
	size_t hidden = model->config.hidden;
	double squares = 0;
	memset(vector, 0, hidden * sizeof *vector);
	for (size_t i = 0; i < rows; i++) {
		for (size_t k = 0; k < hidden; k++)
			vector[k] += states[i * hidden + k];
	}
	for (size_t k = 0; k < hidden; k++)
		squares += (double)vector[k] * (double)vector[k];
	if (!isfinite(squares) || squares <= 0)
		return ss_fail(err,
			"%s: the model gives no vector; its weights are damaged, download it again",
			safetensors_name(model->weights));
	float scale = (float)(1 / sqrt(squares));
	for (size_t k = 0; k < hidden; k++)
		vector[k] *= scale;
	return 0;
}

int model_run(struct model *model, const int32_t *ids, const size_t *lengths, size_t count,
	float *vectors, struct ss_error *err)
{
	size_t rows = 0, hidden = model->config.hidden;
	for (size_t text = 0; text < count; text++)
		rows += lengths[text];
	if (rows == 0)
		return 0;
	embed(model, ids, lengths, count, rows);
	for (size_t i = 0; i < model->config.layers; i++) {
		if (run_layer(model, &model->layers[i], lengths, count, rows, err) < 0)
			return -1;
	}
	const float *states = model->states;
	for (size_t text = 0; text < count; text++) {
		if (pool(model, states, lengths[text], vectors + text * hidden, err) < 0)
			return -1;
		states += lengths[text] * hidden;
	}
	return 0;
}

static void free_norm(struct norm *norm)
{
	free(norm->scale);
	free(norm->shift);
}

void model_free(struct model *model)
{
	if (model == NULL)
		return;
	for (size_t i = 0; model->layers != NULL && i < model->config.layers; i++) {
		struct layer *layer = &model->layers[i];
		linear_free(layer->project);
		linear_free(layer->attended);
		linear_free(layer->up);
		linear_free(layer->down);
		free_norm(&layer->attention_norm);
		free_norm(&layer->output_norm);
	}
	free(model->layers);
	linear_kind_free(model->project);
	linear_kind_free(model->square);
	linear_kind_free(model->up);
	linear_kind_free(model->down);
	linear_engine_free(model->engine);
	packed_close(&model->packed);
	free_norm(&model->word_norm);
	free(model->places);
	free(model->states);
	free(model->attended);
	free(model->projected);
	linear_matrix_free(&model->input);
	linear_matrix_free(&model->raised);
	free(model->scratch);
	free(model);
}
