/*
 * The index benchmark: how often a graph (HNSW) over many vectors finds the 10 nearest, how long that takes,
 * and what building, keeping, saving and loading it cost; and as the peer in the same run comparing with every
 * vector, which finds all.
 *
 * The vectors are made up, since no base of a million articles is at hand, and made like those of sentences, which
 * lie in groups and mostly in few directions: 64 subjects, each with topics around it, each with texts
 * around it, all as normally distributed points of 48 dimensions; these are laid into the vector's dimensions by a
 * random matrix, a little noise is added in every dimension, and the length is made 1. The queries are made
 * by the same topics. Evenly spread vectors would be harder and like no texts.
 */
#include "base/clock.h"
#include "base/memory.h"
#include "lib/plugin.h"

#include <getopt.h>
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
	"Usage: bench_index [OPTION…]\n\n"
	"  -n, --vectors N       how many vectors (1000000)\n"
	"  -d, --dimension N     floats of a vector (384)\n"
	"  -q, --queries N       queries to the graph (2000); every fourth one is compared with "
	"all\n"
	"  -t, --threads N       threads that build the graph (2)\n"
	"  -o, --options YAML    more options of the plugin, as in 'ef_search: 64'\n";

enum { LATENT = 48, SUBJECTS = 64, TEXTS_OF_TOPIC = 40, NEAREST = 10, EXACT_EVERY = 4 };

/* How far topics lie around their subject, texts around their topic, and the noise in all dimensions. */
#define TOPIC_SPREAD 0.9
#define TEXT_SPREAD  0.7
#define NOISE        0.3

struct bench {
	size_t count, dimension, queries;
	long threads;
	const char *more;
	const struct ss_plugin *plugin;
	uint64_t random;
	double *matrix;   /* [dimension][LATENT] */
	double *subjects; /* [SUBJECTS][LATENT] */
	double *topics;   /* [topic_count][LATENT] */
	size_t topic_count;
};

/* SplitMix64 (Steele, Lea and Flood, 2014): the same numbers in every run. */
static uint64_t next_random(struct bench *bench)
{
	uint64_t z = (bench->random += 0x9e3779b97f4a7c15u);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* The sum of four evenly distributed numbers, near enough to a normally distributed one. */
static double normal(struct bench *bench)
{
	double sum = 0;
	for (size_t i = 0; i < 4; i++)
		sum += (double)(next_random(bench) >> 11) * 0x1p-53 - 0.5;
	return sum * 1.7320508;
}

/* COUNT points around CENTRES (NULL: around 0), which take turns. */
static double *points(struct bench *bench, size_t count, const double *centres, size_t centre_count,
	double spread)
{
	double *made = memory_array(count * LATENT, sizeof *made);
	for (size_t i = 0; i < count * LATENT; i++) {
		size_t centre = centres != NULL ? i / LATENT % centre_count : 0;
		double middle = centres != NULL ? centres[centre * LATENT + i % LATENT] : 0;
		made[i] = middle + spread * normal(bench);
	}
	return made;
}

static void make_vector(struct bench *bench, float *vector)
{
	double latent[LATENT];
	double squares = 0;
	const double *topic = bench->topics + next_random(bench) % bench->topic_count * LATENT;
	for (size_t i = 0; i < LATENT; i++)
		latent[i] = topic[i] + TEXT_SPREAD * normal(bench);
	for (size_t row = 0; row < bench->dimension; row++) {
		double sum = NOISE * normal(bench);
		for (size_t i = 0; i < LATENT; i++)
			sum += bench->matrix[row * LATENT + i] * latent[i];
		vector[row] = (float)sum;
		squares += sum * sum;
	}
	for (size_t row = 0; row < bench->dimension; row++)
		vector[row] = (float)(vector[row] / sqrt(squares));
}

static float *make_vectors(struct bench *bench, size_t count)
{
	float *vectors = memory_array(count * bench->dimension, sizeof *vectors);
	for (size_t i = 0; i < count; i++)
		make_vector(bench, vectors + i * bench->dimension);
	return vectors;
}

static void *make_index(const char *yaml, struct ss_error *err)
{
	struct bench_plugin plugin;
	return bench_plugin_load(&plugin, SS_BUILD_DIR "/plugins/index/faiss.so", yaml, err) < 0
		       ? NULL
		       : plugin.instance;
}

/* The memory of this process in MB. */
static double memory_mb(void)
{
	long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	(void)malloc_trim(0);
	if (file == NULL || fscanf(file, "%*d %ld", &pages) != 1)
		pages = 0;
	if (file != NULL)
		(void)fclose(file);
	return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1e6;
}

static double seconds_since(int64_t begin_ns)
{
	return (double)(clock_monotonic_ns() - begin_ns) / 1e9;
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;
	return (left > right) - (left < right);
}

/* Looks up every STEPth query by itself; ids are of all queries. */
static int search(const struct bench *bench, void *index, const float *queries, size_t step,
	const char *name, int64_t *ids, struct ss_error *err)
{
	float scores[NEAREST];
	size_t done = 0;
	double sum = 0;
	double *times = memory_array(bench->queries, sizeof *times);
	int result = 0;
	for (size_t i = 0; i < bench->queries && result == 0; i += step) {
		int64_t begin_ns = clock_monotonic_ns();
		result = bench->plugin->index->search(index, queries + i * bench->dimension, 1,
			NEAREST, ids + i * NEAREST, scores, err);
		times[done] = seconds_since(begin_ns) * 1e3;
		sum += times[done++];
	}
	qsort(times, done, sizeof *times, compare);
	if (result == 0)
		(void)printf("%-22s %8zu  %8.3f  %8.3f  %8.3f  %8.3f\n", name, done,
			sum / (double)done, times[done / 2], times[done * 99 / 100],
			times[done - 1]);
	free(times);
	return result;
}

static double recall(const struct bench *bench, const int64_t *graph, const int64_t *exact)
{
	size_t found = 0, wanted = 0;
	for (size_t i = 0; i < bench->queries; i += EXACT_EVERY) {
		for (size_t k = 0; k < NEAREST; k++) {
			wanted++;
			for (size_t n = 0; n < NEAREST; n++)
				found += graph[i * NEAREST + n] == exact[i * NEAREST + k];
		}
	}
	return (double)found / (double)wanted;
}

static void *build(const struct bench *bench, const char *name, const char *yaml,
	const float *vectors, struct ss_error *err)
{
	void *index = make_index(yaml, err);
	double before = memory_mb();
	int64_t begin_ns = clock_monotonic_ns();
	if (index == NULL)
		return NULL;
	if (bench->plugin->index->build(index, vectors, bench->count, bench->dimension, err) < 0) {
		bench->plugin->index->destroy(index);
		return NULL;
	}
	(void)printf("%s built in %.1f s, %.0f MB\n", name, seconds_since(begin_ns),
		memory_mb() - before);
	(void)fflush(stdout);
	return index;
}

/* A graph that was built once and is searched with several efforts. */
struct graph {
	void *bytes;
	size_t length;
};

static int build_graph(
	const struct bench *bench, const float *vectors, struct graph *graph, struct ss_error *err)
{
	char *yaml =
		memory_format("kind: hnsw\nbuild_threads: %ld\n%s\n", bench->threads, bench->more);
	void *index = build(bench, "graph", yaml, vectors, err);
	int64_t begin_ns = clock_monotonic_ns();
	int result = index == NULL ? -1
				   : bench->plugin->index->save(
					     index, &graph->bytes, &graph->length, err);
	if (result == 0)
		(void)printf("graph saved in %.1f s, %.0f MB\n", seconds_since(begin_ns),
			(double)graph->length / 1e6);
	if (index != NULL)
		bench->plugin->index->destroy(index);
	free(yaml);
	return result;
}

static int search_graph(const struct bench *bench, const struct graph *graph, long effort,
	const float *queries, const int64_t *exact, struct ss_error *err)
{
	char name[32];
	int64_t *ids = memory_array(bench->queries * NEAREST, sizeof *ids);
	char *yaml = memory_format("kind: hnsw\nef_search: %ld\n", effort);
	void *index = make_index(yaml, err);
	int64_t begin_ns = clock_monotonic_ns();
	int result = index == NULL ? -1
				   : bench->plugin->index->load(index, graph->bytes, graph->length,
					     bench->count, bench->dimension, err);
	double seconds = seconds_since(begin_ns);
	(void)snprintf(name, sizeof name, "graph, ef_search %ld", effort);
	if (result == 0)
		result = search(bench, index, queries, 1, name, ids, err);
	if (result == 0)
		(void)printf("  recall@%d %.4f, loaded in %.1f s\n", NEAREST,
			recall(bench, ids, exact), seconds);
	if (index != NULL)
		bench->plugin->index->destroy(index);
	free(ids);
	free(yaml);
	return result;
}

static int compare_indexes(
	const struct bench *bench, const float *vectors, const float *queries, struct ss_error *err)
{
	static const long efforts[] = {32, 64, 128, 256};
	struct graph graph = {0};
	int64_t *ids = memory_array(bench->queries * NEAREST, sizeof *ids);
	int result = build_graph(bench, vectors, &graph, err);
	void *exact = result == 0 ? build(bench, "exact", "kind: flat", vectors, err) : NULL;
	(void)printf("%-22s  queries   mean ms    50%% ms    99%% ms    max ms\n", "");
	if (exact == NULL || search(bench, exact, queries, EXACT_EVERY, "exact", ids, err) < 0)
		result = -1;
	if (exact != NULL)
		bench->plugin->index->destroy(exact);
	for (size_t i = 0; i < array_length(efforts) && result == 0; i++)
		result = search_graph(bench, &graph, efforts[i], queries, ids, err);
	free(graph.bytes);
	free(ids);
	return result;
}

static int run(struct bench *bench)
{
	struct ss_error err = {0};
	bench->plugin = plugin_load(SS_BUILD_DIR "/plugins/index/faiss.so", &err);
	bench->topic_count = bench->count / TEXTS_OF_TOPIC + 1;
	bench->matrix = points(bench, bench->dimension, NULL, 0, 1 / sqrt(LATENT));
	bench->subjects = points(bench, SUBJECTS, NULL, 0, 1);
	bench->topics = points(bench, bench->topic_count, bench->subjects, SUBJECTS, TOPIC_SPREAD);
	(void)printf("%zu vectors of %zu floats, %zu topics\n", bench->count, bench->dimension,
		bench->topic_count);
	float *vectors = make_vectors(bench, bench->count);
	float *queries = make_vectors(bench, bench->queries);
	int result = bench->plugin == NULL ? -1 : compare_indexes(bench, vectors, queries, &err);
	if (result < 0)
		(void)fprintf(stderr, "bench_index: %s\n", err.text);
	free(vectors);
	free(queries);
	free(bench->matrix);
	free(bench->subjects);
	free(bench->topics);
	return result < 0;
}

int main(int count, char **arguments)
{
	static const struct option options[] = {
		{"vectors", required_argument, NULL, 'n'},
		{"dimension", required_argument, NULL, 'd'},
		{"queries", required_argument, NULL, 'q'},
		{"threads", required_argument, NULL, 't'},
		{"options", required_argument, NULL, 'o'},
		{0},
	};
	struct bench bench = {.count = 1000000,
		.dimension = 384,
		.queries = 2000,
		.threads = 2,
		.more = "",
		.random = 1};
	int option;
	while ((option = getopt_long(count, arguments, "n:d:q:t:o:", options, NULL)) != -1) {
		if (option == 'o')
			bench.more = optarg;
		else if (option == 't')
			bench.threads = strtol(optarg, NULL, 10);
		else if (option == 'n')
			bench.count = strtoul(optarg, NULL, 10);
		else if (option == 'd')
			bench.dimension = strtoul(optarg, NULL, 10);
		else if (option == 'q')
			bench.queries = strtoul(optarg, NULL, 10);
		else
			bench.count = 0;
	}
	if (optind != count || bench.count < NEAREST || bench.dimension == 0 ||
		bench.queries == 0) {
		(void)fputs(help, stderr);
		return 2;
	}
	return run(&bench);
}
