#include "base/memory.h"
#include "value/value.h"

#include <smartsupport/smartsupport.h>

#include <criterion/criterion.h>
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct ss_host host = {.struct_size = sizeof host, .values = &value_functions};

static const struct ss_index_operations *faiss(void)
{
	return smartsupport_plugin.index;
}

static void *create(const char *kind, int64_t ef_search)
{
	struct ss_error err = {0};
	void *instance = NULL;
	struct ss_value *values[] = {
		value_text(kind), value_int(200), value_int(ef_search), value_int(1)};
	const struct ss_value *options[] = {values[0], values[1], values[2], values[3]};
	const struct ss_setup setup = {
		.struct_size = sizeof setup, .host = &host, .name = "faiss", .options = options};
	cr_assert_eq(faiss()->create(&setup, &instance, &err), 0, "%s", err.text);
	for (size_t i = 0; i < 4; i++)
		value_unref(values[i]);
	return instance;
}

/* COUNT vectors of length 1, the same in every run. The caller frees them. */
static float *unit_vectors(size_t count, size_t dimension, uint32_t seed)
{
	float *vectors = memory_array(count * dimension, sizeof *vectors);
	for (size_t i = 0; i < count; i++) {
		double squares = 0;
		float *vector = vectors + i * dimension;
		for (size_t k = 0; k < dimension; k++) {
			/* The sum of four is near enough to a normal distribution. */
			for (size_t n = 0; n < 4; n++) {
				seed = seed * 1664525u + 1013904223u;
				vector[k] += (float)(seed >> 8) / (float)(1 << 23) - 1;
			}
			squares += (double)vector[k] * (double)vector[k];
		}
		for (size_t k = 0; k < dimension; k++)
			vector[k] /= (float)sqrt(squares);
	}
	return vectors;
}

static float inner_product(const float *a, const float *b, size_t dimension)
{
	double sum = 0;
	for (size_t k = 0; k < dimension; k++)
		sum += (double)a[k] * (double)b[k];
	return (float)sum;
}

static int by_score(const void *a, const void *b)
{
	const float *left = a, *right = b;
	return (*left < *right) - (*left > *right);
}

/* Checks that IDS and SCORES are the K best of all. */
static void check_best(const float *vectors, size_t count, size_t dimension, const float *query,
	size_t k, const int64_t *ids, const float *scores)
{
	float *all = memory_array(count, sizeof *all);
	for (size_t i = 0; i < count; i++)
		all[i] = inner_product(vectors + i * dimension, query, dimension);
	for (size_t i = 0; i < k; i++) {
		cr_assert(ids[i] >= 0 && (size_t)ids[i] < count);
		cr_expect_float_eq(scores[i], all[ids[i]], 1e-5f);
		for (size_t n = 0; n < i; n++)
			cr_expect_neq(ids[i], ids[n]);
	}
	qsort(all, count, sizeof *all, by_score);
	for (size_t i = 0; i < k; i++)
		cr_expect_float_eq(scores[i], all[i], 1e-5f, "place %zu", i);
	free(all);
}

Test(faiss, finds_what_comparing_with_all_finds)
{
	enum { COUNT = 500, DIMENSION = 48, QUERIES = 30, K = 7 };
	static const char *const kinds[] = {"flat", "auto"};
	struct ss_error err = {0};
	int64_t ids[QUERIES * K];
	float scores[QUERIES * K];
	float *vectors = unit_vectors(COUNT, DIMENSION, 1);
	float *queries = unit_vectors(QUERIES, DIMENSION, 2);
	for (size_t n = 0; n < 2; n++) {
		void *index = create(kinds[n], 64);
		cr_assert_eq(
			faiss()->build(index, vectors, COUNT, DIMENSION, &err), 0, "%s", err.text);
		cr_assert_eq(faiss()->search(index, queries, QUERIES, K, ids, scores, &err), 0);
		for (size_t i = 0; i < QUERIES; i++)
			check_best(vectors, COUNT, DIMENSION, queries + i * DIMENSION, K,
				ids + i * K, scores + i * K);
		faiss()->destroy(index);
	}
	free(vectors);
	free(queries);
}

Test(faiss, gives_a_query_the_same_scores_in_a_batch_as_alone)
{
	enum { COUNT = 200, DIMENSION = 384, QUERIES = 64, K = 3 };
	struct ss_error err = {0};
	int64_t ids[QUERIES * K], id[K];
	float scores[QUERIES * K], score[K];
	float *vectors = unit_vectors(COUNT, DIMENSION, 1);
	float *queries = unit_vectors(QUERIES, DIMENSION, 2);
	void *index = create("flat", 64);
	cr_assert_eq(faiss()->build(index, vectors, COUNT, DIMENSION, &err), 0);
	cr_assert_eq(faiss()->search(index, queries, QUERIES, K, ids, scores, &err), 0);
	for (size_t i = 0; i < QUERIES; i++) {
		cr_assert_eq(
			faiss()->search(index, queries + i * DIMENSION, 1, K, id, score, &err), 0);
		cr_expect_arr_eq(id, ids + i * K, sizeof id);
		cr_expect_arr_eq(score, scores + i * K, sizeof score);
	}
	faiss()->destroy(index);
	free(vectors);
	free(queries);
}

/* The part of the exact results that the graph finds. */
static double recall(
	size_t count, size_t dimension, size_t queries_count, size_t k, int64_t ef_search)
{
	struct ss_error err = {0};
	size_t found = 0;
	float *vectors = unit_vectors(count, dimension, 3);
	float *queries = unit_vectors(queries_count, dimension, 4);
	int64_t *exact = memory_array(queries_count * k, sizeof *exact);
	int64_t *graph = memory_array(queries_count * k, sizeof *graph);
	float *scores = memory_array(queries_count * k, sizeof *scores);
	void *flat = create("flat", ef_search), *hnsw = create("hnsw", ef_search);
	cr_assert_eq(faiss()->build(flat, vectors, count, dimension, &err), 0, "%s", err.text);
	cr_assert_eq(faiss()->build(hnsw, vectors, count, dimension, &err), 0, "%s", err.text);
	cr_assert_eq(faiss()->search(flat, queries, queries_count, k, exact, scores, &err), 0);
	cr_assert_eq(faiss()->search(hnsw, queries, queries_count, k, graph, scores, &err), 0);
	for (size_t i = 0; i < queries_count * k; i++) {
		const int64_t *same = exact + i / k * k;
		cr_assert(i % k == 0 || scores[i] <= scores[i - 1]);
		for (size_t n = 0; n < k; n++)
			found += same[n] == graph[i];
	}
	faiss()->destroy(flat);
	faiss()->destroy(hnsw);
	free(vectors);
	free(queries);
	free(exact);
	free(graph);
	free(scores);
	return (double)found / (double)(queries_count * k);
}

Test(faiss, finds_nearly_all_with_a_graph_and_more_with_more_effort)
{
	double much = recall(2000, 64, 50, 10, 128);
	cr_expect_geq(much, 0.95, "%.3f", much);
	cr_expect_lt(recall(2000, 64, 50, 10, 10), much);
}

Test(faiss, finds_identical_vectors_with_a_graph)
{
	enum { COUNT = 300, DIMENSION = 32 };
	struct ss_error err = {0};
	int64_t id;
	float score;
	float *vectors = unit_vectors(COUNT, DIMENSION, 5);
	void *index = create("hnsw", 64);
	cr_assert_eq(faiss()->build(index, vectors, COUNT, DIMENSION, &err), 0, "%s", err.text);
	for (size_t i = 0; i < COUNT; i++) {
		cr_assert_eq(
			faiss()->search(index, vectors + i * DIMENSION, 1, 1, &id, &score, &err),
			0);
		cr_expect_eq(id, (int64_t)i);
		cr_expect_float_eq(score, 1.0f, 1e-5f);
	}
	faiss()->destroy(index);
	free(vectors);
}

Test(faiss, marks_the_places_that_no_vector_is_there_for)
{
	static const char *const kinds[] = {"flat", "hnsw"};
	static const float vectors[] = {1, 0, 0, 1}, query[] = {0.6f, 0.8f};
	static const int64_t expected[] = {1, 0, -1, -1};
	struct ss_error err = {0};
	for (size_t i = 0; i < 2; i++) {
		int64_t ids[4];
		float scores[4];
		void *index = create(kinds[i], 64);
		cr_assert_eq(faiss()->build(index, vectors, 2, 2, &err), 0, "%s", err.text);
		cr_assert_eq(
			faiss()->search(index, query, 1, 4, ids, scores, &err), 0, "%s", err.text);
		cr_expect_arr_eq(ids, expected, sizeof expected, "%s", kinds[i]);
		cr_expect_float_eq(scores[0], 0.8f, 1e-6f);
		cr_expect_float_eq(scores[1], 0.6f, 1e-6f);
		cr_expect(isinf(scores[2]) && scores[2] < 0 && scores[3] < 0);
		faiss()->destroy(index);
	}
}

Test(faiss, finds_nothing_in_an_empty_index)
{
	static const float query[] = {1, 0};
	struct ss_error err = {0};
	int64_t ids[2] = {5, 5};
	float scores[2];
	void *index = create("auto", 64);
	cr_expect_eq(faiss()->search(index, query, 1, 2, ids, scores, &err), 0);
	cr_expect(ids[0] == -1 && ids[1] == -1);
	ids[0] = 5;
	cr_expect_eq(faiss()->build(index, NULL, 0, 2, &err), 0, "%s", err.text);
	cr_expect_eq(faiss()->search(index, query, 1, 1, ids, scores, &err), 0);
	cr_expect_eq(ids[0], -1);
	faiss()->destroy(index);
}

Test(faiss, replaces_what_it_holds_when_it_is_built_again)
{
	static const float first[] = {1, 0, 0, 1, 0.6f, 0.8f}, second[] = {0, 0, 1},
			   query[] = {0, 0, 1};
	struct ss_error err = {0};
	int64_t ids[2];
	float scores[2];
	void *index = create("flat", 64);
	cr_assert_eq(faiss()->build(index, first, 3, 2, &err), 0);
	cr_assert_eq(faiss()->build(index, second, 1, 3, &err), 0);
	cr_assert_eq(faiss()->search(index, query, 1, 2, ids, scores, &err), 0);
	cr_expect(ids[0] == 0 && ids[1] == -1);
	cr_assert_eq(faiss()->build(index, NULL, 0, 3, &err), 0);
	cr_assert_eq(faiss()->search(index, query, 1, 2, ids, scores, &err), 0);
	cr_expect_eq(ids[0], -1);
	faiss()->destroy(index);
}

Test(faiss, answers_for_no_queries_and_no_places)
{
	static const float vectors[] = {1, 0};
	struct ss_error err = {0};
	void *index = create("flat", 64);
	cr_assert_eq(faiss()->build(index, vectors, 1, 2, &err), 0);
	cr_expect_eq(faiss()->search(index, vectors, 1, 0, NULL, NULL, &err), 0, "%s", err.text);
	cr_expect_eq(faiss()->search(index, vectors, 0, 3, NULL, NULL, &err), 0, "%s", err.text);
	faiss()->destroy(index);
}

Test(faiss, refuses_a_dimension_that_cannot_be_and_keeps_what_it_has)
{
	static const float vectors[] = {1, 0};
	struct ss_error err = {0};
	int64_t id;
	float score;
	void *index = create("flat", 64);
	cr_assert_eq(faiss()->build(index, vectors, 1, 2, &err), 0);
	cr_expect_eq(faiss()->build(index, vectors, 1, 0, &err), -1);
	cr_expect_eq(err.status, SS_INVALID);
	cr_expect_not_null(strstr(err.text, "vectors of 0 floats"), "%s", err.text);
	cr_expect_eq(faiss()->build(index, vectors, 1, (size_t)1 << 33, &err), -1);
	cr_expect_eq(faiss()->build(index, vectors, (size_t)1 << 40, 2, &err), -1);
	cr_expect_eq(err.status, SS_LIMIT);
	cr_assert_eq(faiss()->search(index, vectors, 1, 1, &id, &score, &err), 0);
	cr_expect_eq(id, 0);
	faiss()->destroy(index);
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

Test(faiss, starts_no_threads)
{
	enum { COUNT = 500, DIMENSION = 64 };
	struct ss_error err = {0};
	int64_t ids[COUNT];
	float scores[COUNT];
	size_t threads = count_threads();
	float *vectors = unit_vectors(COUNT, DIMENSION, 6);
	void *index = create("hnsw", 64);
	cr_assert_eq(faiss()->build(index, vectors, COUNT, DIMENSION, &err), 0);
	cr_assert_eq(faiss()->search(index, vectors, COUNT, 1, ids, scores, &err), 0);
	cr_expect_eq(count_threads(), threads);
	faiss()->destroy(index);
	free(vectors);
}

Test(faiss, finds_the_same_in_a_graph_that_was_saved_and_loaded)
{
	enum { COUNT = 2000, DIMENSION = 32, QUERIES = 20, K = 5 };
	struct ss_error err = {0};
	int64_t ids[QUERIES * K], again[QUERIES * K];
	float scores[QUERIES * K], scores_again[QUERIES * K];
	void *bytes = NULL;
	size_t length = 0;
	float *vectors = unit_vectors(COUNT, DIMENSION, 1);
	float *queries = unit_vectors(QUERIES, DIMENSION, 2);
	void *index = create("hnsw", 64);
	cr_assert_eq(faiss()->build(index, vectors, COUNT, DIMENSION, &err), 0);
	cr_assert_eq(faiss()->search(index, queries, QUERIES, K, ids, scores, &err), 0);
	cr_assert_eq(faiss()->save(index, &bytes, &length, &err), 0, "%s", err.text);
	faiss()->destroy(index);
	index = create("hnsw", 64);
	cr_assert_eq(
		faiss()->load(index, bytes, length, COUNT, DIMENSION, &err), 0, "%s", err.text);
	cr_assert_eq(faiss()->search(index, queries, QUERIES, K, again, scores_again, &err), 0);
	cr_expect_eq(memcmp(ids, again, sizeof ids), 0);
	cr_expect_eq(memcmp(scores, scores_again, sizeof scores), 0);
	faiss()->destroy(index);
	free(bytes);
	free(vectors);
	free(queries);
}

Test(faiss, saves_nothing_of_what_is_quickly_built)
{
	struct ss_error err = {0};
	void *bytes = &err;
	size_t length = 1;
	float *vectors = unit_vectors(10, 8, 1);
	void *index = create("flat", 64);
	cr_expect_eq(faiss()->save(index, &bytes, &length, &err), 0);
	cr_expect(bytes == NULL && length == 0);
	bytes = &err;
	cr_assert_eq(faiss()->build(index, vectors, 10, 8, &err), 0);
	cr_expect_eq(faiss()->save(index, &bytes, &length, &err), 0);
	cr_expect(bytes == NULL && length == 0);
	faiss()->destroy(index);
	free(vectors);
}

Test(faiss, refuses_to_load_what_does_not_fit_and_keeps_what_it_holds)
{
	enum { COUNT = 300, DIMENSION = 16 };
	struct ss_error err = {0};
	int64_t id;
	float score;
	void *bytes = NULL;
	size_t length = 0;
	float *vectors = unit_vectors(COUNT, DIMENSION, 1);
	void *index = create("hnsw", 64);
	cr_assert_eq(faiss()->build(index, vectors, COUNT, DIMENSION, &err), 0);
	cr_assert_eq(faiss()->save(index, &bytes, &length, &err), 0);
	cr_expect_eq(faiss()->load(index, bytes, length, COUNT + 1, DIMENSION, &err), -1);
	cr_expect_str_eq(err.text, "the index has 300 vectors of 16 floats and not 301 of 16");
	cr_expect_eq(faiss()->load(index, bytes, length, COUNT, DIMENSION + 1, &err), -1);
	cr_expect_eq(faiss()->load(index, bytes, 3, COUNT, DIMENSION, &err), -1);
	cr_expect_not_null(strstr(err.text, "FAISS cannot load the index"), "%s", err.text);
	cr_expect_eq(faiss()->load(index, bytes, 0, COUNT, DIMENSION, &err), -1);
	cr_assert_eq(faiss()->search(index, vectors, 1, 1, &id, &score, &err), 0);
	cr_expect_eq(id, 0);
	faiss()->destroy(index);
	index = create("flat", 64);
	cr_expect_eq(faiss()->load(index, bytes, length, COUNT, DIMENSION, &err), -1,
		"flat was asked for");
	faiss()->destroy(index);
	free(bytes);
	free(vectors);
}
