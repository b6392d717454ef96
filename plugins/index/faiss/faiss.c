/*
 * Finds the vectors with the largest inner product with FAISS, through its C API.
 *
 * A flat index compares a query with every vector and is exact. A graph (HNSW: Malkov and Yashunin, 2016)
 * compares it with few and misses some; it pays for many vectors, and it takes long to build, so it can be
 * saved and loaded.
 * The options are at the end.
 */
#include "common/openmp.h"

#include <faiss/c_api/AutoTune_c.h>
#include <faiss/c_api/IndexFlat_c.h>
#include <faiss/c_api/Index_c.h>
#include <faiss/c_api/error_c.h>
#include <faiss/c_api/index_factory_c.h>
#include <faiss/c_api/index_io_c.h>
#include <faiss/c_api/utils/distances_c.h>
#include <smartsupport/smartsupport.h>

#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	HNSW_FROM = 10000, /* vectors for which "auto" takes the graph */
	DIMENSION_LIMIT = 65536,
};

/* 32 neighbours a vector; the vectors themselves are kept as they are. */
static const char hnsw_description[] = "HNSW32,Flat";

enum kind {
	KIND_AUTO,
	KIND_FLAT,
	KIND_HNSW,
};

struct index {
	enum kind kind;
	double ef_construction, ef_search;
	int build_threads;
	FaissIndex *faiss; /* NULL: there are no vectors */
	bool is_graph;
};

enum { OPTION_KIND, OPTION_EF_CONSTRUCTION, OPTION_EF_SEARCH, OPTION_BUILD_THREADS };

static int refuse(const char *what, struct ss_error *err)
{
	return ss_fail(err, "FAISS cannot %s: %.300s", what, faiss_get_last_error());
}

static int index_create(const struct ss_setup *setup, void **instance, struct ss_error *err)
{
	static const char *const kinds[] = {
		[KIND_AUTO] = "auto", [KIND_FLAT] = "flat", [KIND_HNSW] = "hnsw"};
	const struct ss_value_functions *values = setup->host->values;
	const char *kind = values->as_string(setup->options[OPTION_KIND], NULL);
	struct index *index = calloc(1, sizeof *index);
	if (index == NULL)
		return ss_fail(err, "out of memory");
	while (index->kind < KIND_HNSW && strcmp(kinds[index->kind], kind) != 0)
		index->kind++;
	index->ef_construction = values->as_number(setup->options[OPTION_EF_CONSTRUCTION]);
	index->ef_search = values->as_number(setup->options[OPTION_EF_SEARCH]);
	index->build_threads = (int)values->as_int(setup->options[OPTION_BUILD_THREADS]);
	/* FAISS would hand larger batches to the BLAS library, which may start threads and gives a query other
	 * last digits in a batch than alone. */
	faiss_set_distance_compute_blas_threshold(INT_MAX);
	*instance = index;
	return 0;
}

static void index_destroy(void *instance)
{
	struct index *index = instance;
	if (index == NULL)
		return;
	faiss_Index_free(index->faiss);
	free(index);
}

static int set_efforts(const struct index *index, FaissIndex *faiss, struct ss_error *err)
{
	FaissParameterSpace *space = NULL;
	if (faiss_ParameterSpace_new(&space) != 0)
		return refuse("set the parameters of a graph", err);
	int status = faiss_ParameterSpace_set_index_parameter(
		space, faiss, "efConstruction", index->ef_construction);
	if (status == 0)
		status = faiss_ParameterSpace_set_index_parameter(
			space, faiss, "efSearch", index->ef_search);
	int result = status == 0 ? 0 : refuse("set the parameters of a graph", err);
	faiss_ParameterSpace_free(space);
	return result;
}

/* Whether COUNT vectors are looked for in a graph. */
static bool wants_graph(const struct index *index, size_t count)
{
	return index->kind == KIND_HNSW || (index->kind == KIND_AUTO && count >= HNSW_FROM);
}

/* A new index without vectors; NULL and ERR on failure. */
static FaissIndex *make(
	const struct index *index, bool graph, size_t dimension, struct ss_error *err)
{
	FaissIndex *faiss = NULL;
	int status = graph ? faiss_index_factory(
				     &faiss, (int)dimension, hnsw_description, METRIC_INNER_PRODUCT)
			   : faiss_IndexFlatIP_new_with(&faiss, (idx_t)dimension);
	if (status != 0) {
		(void)refuse("make an index", err);
		return NULL;
	}
	if (!graph || set_efforts(index, faiss, err) == 0)
		return faiss;
	faiss_Index_free(faiss);
	return NULL;
}

static FaissIndex *fill(const struct index *index, const float *vectors, size_t count,
	size_t dimension, struct ss_error *err)
{
	FaissIndex *faiss = make(index, wants_graph(index, count), dimension, err);
	if (faiss == NULL || faiss_Index_add(faiss, (idx_t)count, vectors) == 0)
		return faiss;
	(void)refuse("add the vectors", err);
	faiss_Index_free(faiss);
	return NULL;
}

static int index_build(
	void *instance, const float *vectors, size_t count, size_t dimension, struct ss_error *err)
{
	struct index *index = instance;
	FaissIndex *faiss = NULL;
	if (count > INT32_MAX)
		return ss_fail_as(err, SS_LIMIT, "%zu vectors are more than an index takes", count);
	if (count > 0 && (dimension == 0 || dimension > DIMENSION_LIMIT))
		return ss_fail_as(err, SS_INVALID,
			"vectors of %zu floats cannot be indexed; they must have 1 to %d",
			dimension, DIMENSION_LIMIT);
	if (count > 0) {
		int threads = openmp_single();
		omp_set_num_threads(index->build_threads);
		faiss = fill(index, vectors, count, dimension, err);
		openmp_restore(threads);
		if (faiss == NULL)
			return -1;
	}
	faiss_Index_free(index->faiss);
	index->faiss = faiss;
	index->is_graph = wants_graph(index, count);
	return 0;
}

/* A flat index is its vectors, which are quicker handed over than read. */
static int index_save(void *instance, void **bytes, size_t *length, struct ss_error *err)
{
	const struct index *index = instance;
	*bytes = NULL;
	*length = 0;
	if (index->faiss == NULL || !index->is_graph)
		return 0;
	FILE *file = open_memstream((char **)bytes, length);
	if (file == NULL)
		return ss_fail(err, "out of memory");
	int status = faiss_write_index(index->faiss, file);
	bool closed = fclose(file) == 0;
	if (status == 0 && closed)
		return 0;
	free(*bytes);
	*bytes = NULL;
	*length = 0;
	return status != 0 ? refuse("save the index", err) : ss_fail(err, "out of memory");
}

/* Reads an index from FILE and checks that it is of COUNT vectors of DIMENSION floats. */
static FaissIndex *read_graph(
	const struct index *index, FILE *file, size_t count, size_t dimension, struct ss_error *err)
{
	FaissIndex *faiss = NULL;
	if (faiss_read_index(file, 0, &faiss) != 0) {
		(void)refuse("load the index", err);
		return NULL;
	}
	if (faiss_Index_ntotal(faiss) != (idx_t)count || faiss_Index_d(faiss) != (int)dimension ||
		faiss_Index_metric_type(faiss) != METRIC_INNER_PRODUCT)
		(void)ss_fail_as(err, SS_INVALID,
			"the index has %lld vectors of %d floats and not %zu of %zu",
			(long long)faiss_Index_ntotal(faiss), faiss_Index_d(faiss), count,
			dimension);
	else if (set_efforts(index, faiss, err) == 0)
		return faiss;
	faiss_Index_free(faiss);
	return NULL;
}

static int index_load(void *instance, const void *bytes, size_t length, size_t count,
	size_t dimension, struct ss_error *err)
{
	struct index *index = instance;
	if (!wants_graph(index, count) || length == 0)
		return ss_fail_as(err, SS_INVALID, "there is no graph to load");
	FILE *file = fmemopen((void *)(uintptr_t)bytes, length, "rb");
	if (file == NULL)
		return ss_fail(err, "out of memory");
	FaissIndex *faiss = read_graph(index, file, count, dimension, err);
	(void)fclose(file);
	if (faiss == NULL)
		return -1;
	faiss_Index_free(index->faiss);
	index->faiss = faiss;
	index->is_graph = true;
	return 0;
}

/* FAISS fills up with other scores, by the kind of index. */
static void mark_missing(const int64_t *ids, float *scores, size_t places)
{
	for (size_t i = 0; i < places; i++) {
		if (ids[i] < 0)
			scores[i] = -INFINITY;
	}
}

/* The score of a place without a vector is -INFINITY. */
static int index_search(void *instance, const float *queries, size_t count, size_t k, int64_t *ids,
	float *scores, struct ss_error *err)
{
	struct index *index = instance;
	if (count == 0 || k == 0)
		return 0;
	if (count > INT32_MAX || k > INT32_MAX)
		return ss_fail_as(
			err, SS_LIMIT, "%zu queries for %zu vectors each are too many", count, k);
	for (size_t i = 0; i < count * k; i++)
		ids[i] = -1;
	if (index->faiss != NULL) {
		int threads = openmp_single();
		int status = faiss_Index_search(
			index->faiss, (idx_t)count, queries, (idx_t)k, scores, ids);
		openmp_restore(threads);
		if (status != 0)
			return refuse("search", err);
	}
	mark_missing(ids, scores, count * k);
	return 0;
}

static const struct ss_index_operations operations = {
	.create = index_create,
	.destroy = index_destroy,
	.build = index_build,
	.search = index_search,
	.save = index_save,
	.load = index_load,
};

static const struct ss_option options[] = {
	[OPTION_KIND] = {.name = "kind",
		.type = SS_OPTION_CHOICE,
		.fallback = "auto",
		.choices = "auto flat hnsw",
		.help = "flat is exact, hnsw is a graph for many vectors, auto takes flat below "
			"10000"},
	[OPTION_EF_CONSTRUCTION] = {.name = "ef_construction",
		.type = SS_OPTION_INT,
		.fallback = "200",
		.min = 8,
		.max = 2000,
		.help = "Effort of building a graph; more finds more and takes longer"},
	[OPTION_EF_SEARCH] = {.name = "ef_search",
		.type = SS_OPTION_INT,
		.fallback = "64",
		.min = 8,
		.max = 10000,
		.help = "Effort of searching a graph; more finds more and takes longer"},
	[OPTION_BUILD_THREADS] = {.name = "build_threads",
		.type = SS_OPTION_INT,
		.fallback = "1",
		.min = 1,
		.max = 64,
		.help = "Threads that build a graph, in each worker that builds one; with more "
			"than "
			"one, two graphs of the same vectors differ a little"},
	{.name = NULL},
};

SS_EXPORT const struct ss_plugin smartsupport_plugin = {
	.abi_major = SS_ABI_MAJOR,
	.abi_minor = SS_ABI_MINOR,
	.struct_size = sizeof(struct ss_plugin),
	.kind = SS_INDEX,
	.name = "faiss",
	.version = "1.0.0",
	.licence = "MIT",
	.summary = "Finds the vectors with the largest inner product with FAISS.",
	.options = options,
	.index = &operations,
};
