#include "fixtures.h"

#include "base/memory.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { DIMENSION = 384 };

static const struct ss_embedder_operations *embedder(void)
{
	return smartsupport_plugin.embedder;
}

/* The least cosine between PRECISION's vectors and the golden ones; each has length 1. Skips the test where
 * the processor does not have PRECISION. */
static double least_cosine(const char *precision)
{
	float vector[DIMENSION], expected[DIMENSION];
	struct ss_error err = {0};
	void *instance = NULL;
	double least = 1;
	need_file(GOLDEN_FILE);
	need_file(MODEL_FILE);
	if (create_precise(MODEL_FOLDER, 256, precision, &instance, &err) < 0)
		cr_skip_test("%s", err.text);
	cr_assert_eq(embedder()->dimension(instance), DIMENSION);
	struct ss_value *golden = read_json(GOLDEN_FILE);
	const struct ss_value *cases = value_get(golden, "cases");
	cr_assert_geq(value_count(cases), 40);
	for (size_t i = 0; i < value_count(cases); i++) {
		struct ss_text text = value_as_text(value_get(value_at(cases, i), "text"));
		const struct ss_value *numbers = value_get(value_at(cases, i), "embedding");
		cr_assert_eq(value_count(numbers), DIMENSION);
		for (size_t k = 0; k < DIMENSION; k++)
			expected[k] = (float)value_as_number(value_at(numbers, k));
		cr_assert_eq(
			embedder()->embed(instance, &text, 1, vector, &err), 0, "%s", err.text);
		least = fmin(least, cosine(vector, expected, DIMENSION));
		double squares = 0;
		for (size_t k = 0; k < DIMENSION; k++)
			squares += (double)vector[k] * (double)vector[k];
		cr_expect_float_eq(squares, 1.0, 1e-5, "case %zu", i);
	}
	value_unref(golden);
	embedder()->destroy(instance);
	cr_log_info("%s: cosine %.6f at least", precision, least);
	return least;
}

Test(minilm, gives_the_vectors_of_the_golden_file)
{
	double least = least_cosine("fp32");
	cr_expect_geq(least, 0.9999, "%.6f", least);
}

/* What "auto" may take without asking. */
Test(minilm, gives_nearly_the_same_vectors_in_bfloat16)
{
	double least = least_cosine("bf16");
	cr_expect_geq(least, 0.999, "%.6f", least);
}

Test(minilm, gives_like_vectors_in_bytes)
{
	double least = least_cosine("int8");
	cr_expect_geq(least, 0.98, "%.6f", least);
}

Test(minilm, gives_a_text_the_same_vector_in_a_batch_as_alone)
{
	float alone[DIMENSION];
	struct ss_error err = {0};
	need_file(GOLDEN_FILE);
	void *instance = real_instance(256);
	struct ss_value *golden = read_json(GOLDEN_FILE);
	const struct ss_value *cases = value_get(golden, "cases");
	/* Three times the file, so that a batch takes several runs of the model. */
	size_t count = 3 * value_count(cases);
	struct ss_text *texts = memory_array(count, sizeof *texts);
	float *vectors = memory_array(count * DIMENSION, sizeof *vectors);
	for (size_t i = 0; i < count; i++)
		texts[i] =
			value_as_text(value_get(value_at(cases, i % value_count(cases)), "text"));
	cr_assert_eq(embedder()->embed(instance, texts, count, vectors, &err), 0, "%s", err.text);
	for (size_t i = 0; i < value_count(cases); i++) {
		cr_assert_eq(embedder()->embed(instance, &texts[i], 1, alone, &err), 0);
		for (size_t k = 0; k < count * DIMENSION; k += value_count(cases) * DIMENSION) {
			const float *vector = vectors + k + i * DIMENSION;
			for (size_t c = 0; c < DIMENSION; c++)
				cr_assert_float_eq(vector[c], alone[c], 1e-5f, "text %zu", i);
		}
	}
	free(texts);
	free(vectors);
	value_unref(golden);
	embedder()->destroy(instance);
}

Test(minilm, takes_an_empty_batch_and_empty_texts)
{
	struct ss_error err = {0};
	float vector[DIMENSION];
	void *instance = real_instance(64);
	cr_expect_eq(embedder()->embed(instance, NULL, 0, NULL, &err), 0);
	struct ss_text nothing = {NULL, 0};
	cr_expect_eq(embedder()->embed(instance, &nothing, 1, vector, &err), 0, "%s", err.text);
	float *vectors = embed_texts(instance, (const char *const[]){"", " \n"}, 2);
	cr_expect_float_eq(cosine(vector, vectors, DIMENSION), 1.0, 1e-6);
	cr_expect_float_eq(cosine(vectors, vectors + DIMENSION, DIMENSION), 1.0, 1e-6);
	free(vectors);
	embedder()->destroy(instance);
}

Test(minilm, cuts_texts_at_max_tokens)
{
	static char text[2000], start[2000];
	for (size_t i = 0; i < 300; i++)
		strcat(text, "word ");
	/* Of 16 tokens two are [CLS] and [SEP]. */
	memcpy(start, text, 14 * strlen("word "));
	void *instance = real_instance(16);
	float *vectors = embed_texts(instance, (const char *const[]){text, start}, 2);
	cr_expect_float_eq(cosine(vectors, vectors + DIMENSION, DIMENSION), 1.0, 1e-6);
	free(vectors);
	embedder()->destroy(instance);
}

Test(minilm, embeds_texts_of_512_tokens)
{
	static char text[4000];
	for (size_t i = 0; i < 600; i++)
		strcat(text, i % 7 == 0 ? "export " : "word ");
	void *instance = real_instance(512);
	float *vectors = embed_texts(instance, (const char *const[]){text, "a", text}, 3);
	cr_expect_float_eq(cosine(vectors, vectors + 2 * DIMENSION, DIMENSION), 1.0, 1e-6);
	free(vectors);
	embedder()->destroy(instance);
}

Test(minilm, puts_like_questions_near_each_other)
{
	void *instance = real_instance(256);
	float *vectors = embed_texts(instance,
		(const char *const[]){"How do I reset my password?", "I forgot my password",
			"The chart exports as PDF"},
		3);
	cr_expect_gt(cosine(vectors, vectors + DIMENSION, DIMENSION),
		cosine(vectors, vectors + 2 * DIMENSION, DIMENSION) + 0.3);
	free(vectors);
	embedder()->destroy(instance);
}

static size_t count_threads(void)
{
	size_t count = 0;
	struct dirent *entry;
	DIR *folder = opendir("/proc/self/task");
	cr_assert_not_null(folder);
	while ((entry = readdir(folder)) != NULL)
		count += entry->d_name[0] != '.';
	closedir(folder);
	return count;
}

struct elsewhere {
	void *instance;
	float *vectors;
	size_t threads;
};

static void *embed_elsewhere(void *context)
{
	static char text[2000];
	struct elsewhere *elsewhere = context;
	for (size_t i = 0; i < 300; i++)
		strcat(text, "word ");
	elsewhere->vectors = embed_texts(elsewhere->instance, (const char *const[]){text, "a"}, 2);
	elsewhere->threads = count_threads();
	return NULL;
}

Test(minilm, embeds_on_another_thread_and_starts_none)
{
	pthread_t thread;
	size_t threads = count_threads();
	struct elsewhere elsewhere = {.instance = real_instance(256)};
	cr_expect_eq(count_threads(), threads);
	cr_assert_eq(pthread_create(&thread, NULL, embed_elsewhere, &elsewhere), 0);
	cr_assert_eq(pthread_join(thread, NULL), 0);
	cr_expect_eq(elsewhere.threads, threads + 1);
	free(elsewhere.vectors);
	embedder()->destroy(elsewhere.instance);
}

Test(minilm, takes_a_folder_without_a_config_file)
{
	struct ss_error err = {0};
	void *instance = NULL;
	void *other = real_instance(64);
	char *folder = folder_new();
	folder_link(folder, "model.safetensors", MODEL_FILE);
	folder_link(folder, "tokenizer.json", TOKENIZER_FILE);
	cr_assert_eq(create_instance(folder, 64, &instance, &err), 0, "%s", err.text);
	float *a = embed_texts(instance, (const char *const[]){"refund"}, 1);
	float *b = embed_texts(other, (const char *const[]){"refund"}, 1);
	cr_expect_float_eq(cosine(a, b, DIMENSION), 1.0, 1e-6);
	free(a);
	free(b);
	embedder()->destroy(instance);
	embedder()->destroy(other);
	folder_remove(folder);
}

/* Expects create() to refuse a folder with the real files, but for NAME, which has DATA. */
static void refused_with(const char *name, const char *data, const char *why)
{
	static const char *const names[] = {"model.safetensors", "tokenizer.json"};
	static const char *const targets[] = {MODEL_FILE, TOKENIZER_FILE};
	struct ss_error err = {0};
	void *instance = NULL;
	need_file(MODEL_FILE);
	char *folder = folder_new();
	for (size_t i = 0; i < 2; i++) {
		if (strcmp(name, names[i]) != 0)
			folder_link(folder, names[i], targets[i]);
	}
	folder_write(folder, name, data, strlen(data));
	cr_expect_eq(create_instance(folder, 256, &instance, &err), -1, "%s", data);
	cr_expect_not_null(strstr(err.text, why), "%s", err.text);
	cr_expect_not_null(strstr(err.text, folder), "%s", err.text);
	cr_expect_null(instance);
	folder_remove(folder);
}

Test(minilm, names_the_file_that_is_damaged)
{
	refused_with("tokenizer.json", "{", "tokenizer.json: ");
	refused_with("tokenizer.json", "", "tokenizer.json: the file is empty");
	refused_with("model.safetensors", "{\"what\":\"an error page\"}",
		"model.safetensors: the header");
	refused_with("config.json", "[", "config.json: ");
}

Test(minilm, refuses_a_config_file_that_does_not_fit_the_weights)
{
	refused_with("config.json", "{\"hidden_act\":\"relu\"}", "hidden_act must be \"gelu\"");
	refused_with("config.json", "{\"model_type\":\"roberta\"}", "model_type must be \"bert\"");
	refused_with(
		"config.json", "{\"hidden_size\":\"big\"}", "hidden_size must be a whole number");
	refused_with("config.json", "{\"hidden_size\":768}", "has another shape");
	refused_with("config.json", "{\"intermediate_size\":1024}",
		"intermediate.dense.weight has another shape");
	refused_with("config.json", "{\"num_hidden_layers\":7}", "encoder.layer.6.");
	refused_with("config.json", "{\"num_hidden_layers\":0}", "num_hidden_layers is 0");
	refused_with("config.json", "{\"num_attention_heads\":10}", "10 heads in 384 floats");
	refused_with("config.json", "{\"layer_norm_eps\":0}", "layer_norm_eps");
}

Test(minilm, refuses_a_tokenizer_of_another_model)
{
	refused_with("tokenizer.json",
		"{\"normalizer\":{\"type\":\"BertNormalizer\"},"
		"\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},"
		"\"model\":{\"vocab\":{\"[UNK]\":1,\"[CLS]\":2,\"[SEP]\":30522}}}",
		"the two do not belong together");
}

Test(minilm, says_what_a_folder_lacks)
{
	struct ss_error err = {0};
	void *instance = NULL;
	cr_expect_eq(create_instance("/nonexistent", 256, &instance, &err), -1);
	cr_expect_eq(err.status, SS_NOT_FOUND);
	cr_expect_not_null(
		strstr(err.text, "/nonexistent has no model.safetensors"), "%s", err.text);
	need_file(MODEL_FILE);
	char *folder = folder_new();
	folder_link(folder, "model.safetensors", MODEL_FILE);
	cr_expect_eq(create_instance(folder, 256, &instance, &err), -1);
	cr_expect_not_null(strstr(err.text, "tokenizer.json: cannot be opened"), "%s", err.text);
	folder_remove(folder);
}

Test(minilm, says_when_its_weights_give_no_vector)
{
	/* A file of zeros has layer norms of zero: no vector has a length. */
	struct ss_error err = {0};
	void *instance = NULL;
	float vector[DIMENSION];
	need_file(MODEL_FILE);
	char *folder = folder_new();
	char command[1000];
	(void)snprintf(command, sizeof command,
		"{ head -c 11409 '%s'; head -c 45430528 /dev/zero; } > %s/model.safetensors",
		MODEL_FILE, folder);
	cr_assert_eq(system(command), 0); /* NOLINT(cert-env33-c) */
	folder_link(folder, "tokenizer.json", TOKENIZER_FILE);
	cr_assert_eq(create_instance(folder, 16, &instance, &err), 0, "%s", err.text);
	struct ss_text text = {"a", 1};
	cr_expect_eq(embedder()->embed(instance, &text, 1, vector, &err), -1);
	cr_expect_not_null(strstr(err.text, "its weights are damaged"), "%s", err.text);
	embedder()->destroy(instance);
	folder_remove(folder);
}
