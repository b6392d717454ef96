#include "service/knowledge.h"

#include "base/memory.h"
#include "service/lexical.h"
#include "service/passage.h"
#include "value/value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	EMBED_BATCH = 16,       /* texts */
	DENSE_CANDIDATES = 64,  /* vectors that the index is asked for */
	LEXICAL_CANDIDATES = 8, /* articles with the most words of the query */
};

/* The vectors of article i are rows[i] to rows[i + 1] - 1: first its questions, from passage_rows[i] on its
 * passages. */
struct knowledge {
	struct knowledge_options options;
	const struct ss_index_operations *index;
	void *index_instance;
	struct lexical *lexical;
	struct ss_value **articles;
	size_t count;
	size_t *rows;         /* [count + 1] */
	size_t *passage_rows; /* [count] */
	size_t *article_of;   /* [vector] */
	float *vectors;       /* [vector][dimension] */
	size_t vector_count;
	size_t dimension;
	struct lexical_score *lexical_scores; /* [count], of the search that is going on */
	bool *is_candidate;                   /* [count], the same */
};

/* Texts that are to be embedded, in the order of their vectors. */
struct passages {
	char **texts;
	size_t count, capacity;
};

struct candidate {
	size_t article;
	double score;
	double rank; /* the score with the bonus of the preferred category */
};

struct knowledge_options knowledge_defaults(void)
{
	return (struct knowledge_options){
		.question_weight = 0.45,
		.lexical_weight = 0.15,
		.category_bonus = 0.02,
	};
}

static struct ss_text text_in(const struct ss_value *article, const char *key)
{
	return value_as_text(value_get(article, key));
}

static void add_text(struct passages *passages, char *text)
{
	if (passages->count == passages->capacity) {
		passages->capacity = passages->capacity * 2 + 64;
		passages->texts =
			memory_resize(passages->texts, passages->capacity, sizeof(char *));
	}
	passages->texts[passages->count++] = text;
}

static void add_questions(struct passages *passages, const struct ss_value *article)
{
	struct ss_text title = text_in(article, "title");
	const struct ss_value *questions = value_get(article, "questions");
	add_text(passages, memory_text(title.data, title.length));
	for (size_t i = 0; i < value_count(questions); i++) {
		struct ss_text question = value_as_text(value_at(questions, i));
		add_text(passages, memory_text(question.data, question.length));
	}
}

static void add_passages(struct passages *passages, const struct ss_value *article)
{
	struct ss_text title = text_in(article, "title");
	struct passage_reader reader = passage_read(text_in(article, "content"));
	struct passage passage;
	size_t before = passages->count;
	while (passage_next(&reader, &passage))
		add_text(passages,
			memory_format("%s\n%.*s%s%.*s", title.data, (int)passage.heading.length,
				passage.heading.data != NULL ? passage.heading.data : "",
				passage.heading.length > 0 ? "\n" : "", (int)passage.text.length,
				passage.text.data));
	if (passages->count == before) /* nothing but headings */
		add_text(passages, memory_text(title.data, title.length));
}

static int embed(struct knowledge *knowledge, const struct passages *passages,
	const struct ss_embedder_operations *embedder, void *instance, struct ss_error *err)
{
	struct ss_text texts[EMBED_BATCH];
	for (size_t done = 0; done < passages->count; done += EMBED_BATCH) {
		size_t count =
			passages->count - done < EMBED_BATCH ? passages->count - done : EMBED_BATCH;
		for (size_t i = 0; i < count; i++)
			texts[i] = (struct ss_text){
				passages->texts[done + i], strlen(passages->texts[done + i])};
		if (embedder->embed(instance, texts, count,
			    knowledge->vectors + done * knowledge->dimension, err) < 0)
			return -1;
	}
	return 0;
}

static void add_words(struct lexical *lexical, const struct ss_value *article)
{
	struct ss_text parts[2 + ARTICLE_QUESTIONS_LIMIT];
	const struct ss_value *questions = value_get(article, "questions");
	size_t count = 0;
	parts[count++] = text_in(article, "title");
	for (size_t i = 0; i < value_count(questions) && i < ARTICLE_QUESTIONS_LIMIT; i++)
		parts[count++] = value_as_text(value_at(questions, i));
	parts[count++] = text_in(article, "content");
	lexical_add(lexical, parts, count);
}

static void add_articles(
	struct knowledge *knowledge, const struct articles *articles, struct passages *passages)
{
	for (size_t i = 0; i < articles->count; i++) {
		const struct ss_value *article = articles->items[i];
		knowledge->articles[i] = value_ref(article);
		knowledge->rows[i] = passages->count;
		add_questions(passages, article);
		knowledge->passage_rows[i] = passages->count;
		add_passages(passages, article);
		add_words(knowledge->lexical, article);
	}
	knowledge->rows[articles->count] = passages->count;
	knowledge->vector_count = passages->count;
	knowledge->article_of = memory_array(passages->count, sizeof(size_t));
	for (size_t i = 0; i < articles->count; i++) {
		for (size_t row = knowledge->rows[i]; row < knowledge->rows[i + 1]; row++)
			knowledge->article_of[row] = i;
	}
}

struct knowledge *knowledge_new(const struct articles *articles,
	const struct ss_embedder_operations *embedder, void *embedder_instance,
	const struct ss_index_operations *index, void *index_instance,
	const struct knowledge_options *options, struct ss_error *err)
{
	struct passages passages = {0};
	struct knowledge *knowledge = memory_make(struct knowledge);
	knowledge->options = *options;
	knowledge->index = index;
	knowledge->index_instance = index_instance;
	knowledge->lexical = lexical_new();
	knowledge->dimension = embedder->dimension(embedder_instance);
	knowledge->count = articles->count;
	knowledge->articles = memory_array(articles->count, sizeof(struct ss_value *));
	knowledge->rows = memory_array(articles->count + 1, sizeof(size_t));
	knowledge->passage_rows = memory_array(articles->count, sizeof(size_t));
	knowledge->lexical_scores = memory_array(articles->count, sizeof(struct lexical_score));
	knowledge->is_candidate = memory_array(articles->count, sizeof(bool));
	add_articles(knowledge, articles, &passages);
	knowledge->vectors = memory_array(passages.count * knowledge->dimension, sizeof(float));
	int result = embed(knowledge, &passages, embedder, embedder_instance, err);
	if (result == 0)
		result = index->build(index_instance, knowledge->vectors, knowledge->vector_count,
			knowledge->dimension, err);
	for (size_t i = 0; i < passages.count; i++)
		free(passages.texts[i]);
	free(passages.texts);
	if (result < 0) {
		knowledge_free(knowledge);
		return NULL;
	}
	return knowledge;
}

void knowledge_free(struct knowledge *knowledge)
{
	if (knowledge == NULL)
		return;
	for (size_t i = 0; i < knowledge->count; i++)
		value_unref(knowledge->articles[i]);
	lexical_free(knowledge->lexical);
	free(knowledge->articles);
	free(knowledge->rows);
	free(knowledge->passage_rows);
	free(knowledge->article_of);
	free(knowledge->vectors);
	free(knowledge->lexical_scores);
	free(knowledge->is_candidate);
	free(knowledge);
}

static double similarity(const struct knowledge *knowledge, size_t row, const float *query)
{
	const float *vector = knowledge->vectors + row * knowledge->dimension;
	double sum = 0;
	for (size_t i = 0; i < knowledge->dimension; i++)
		sum += (double)vector[i] * (double)query[i];
	return sum;
}

/* How near the query is to the nearest of the vectors FROM to TO - 1. */
static double nearest(const struct knowledge *knowledge, size_t from, size_t to, const float *query)
{
	double most = -1;
	for (size_t row = from; row < to; row++)
		most = fmax(most, similarity(knowledge, row, query));
	return most;
}

static double score(
	const struct knowledge *knowledge, size_t article, const struct knowledge_query *query)
{
	const struct knowledge_options *options = &knowledge->options;
	size_t first_passage = knowledge->passage_rows[article];
	double question =
		nearest(knowledge, knowledge->rows[article], first_passage, query->vector);
	double passage =
		nearest(knowledge, first_passage, knowledge->rows[article + 1], query->vector);
	double blend = options->question_weight * question +
		       (1 - options->question_weight - options->lexical_weight) * passage +
		       options->lexical_weight * (double)knowledge->lexical_scores[article].score;
	return fmin(fmax(blend, 0), 1);
}

/* A preference changes the order and not whether an article fits at all. */
static double bonus(
	const struct knowledge *knowledge, size_t article, const struct knowledge_query *query)
{
	const char *category =
		value_as_string(value_get(knowledge->articles[article], "category"), NULL);
	bool preferred =
		query->prefer_category != NULL && strcmp(category, query->prefer_category) == 0;
	return preferred ? knowledge->options.category_bonus : 0;
}

/* The better one first; of equal ones the first article, so that the order never depends on chance. */
static int compare_candidates(const void *a, const void *b)
{
	const struct candidate *left = a;
	const struct candidate *right = b;
	if (left->rank != right->rank)
		return left->rank > right->rank ? -1 : 1;
	return (left->article > right->article) - (left->article < right->article);
}

/* Marks the articles whose vectors are nearest. */
static int dense_candidates(
	struct knowledge *knowledge, const struct knowledge_query *query, struct ss_error *err)
{
	size_t k = DENSE_CANDIDATES;
	if (k < query->top_k * 4)
		k = query->top_k * 4;
	if (k > knowledge->vector_count)
		k = knowledge->vector_count;
	int64_t *ids = memory_array(k, sizeof *ids);
	float *scores = memory_array(k, sizeof *scores);
	int result = knowledge->index->search(
		knowledge->index_instance, query->vector, 1, k, ids, scores, err);
	for (size_t i = 0; result == 0 && i < k; i++) {
		if (ids[i] >= 0 && (size_t)ids[i] < knowledge->vector_count)
			knowledge->is_candidate[knowledge->article_of[ids[i]]] = true;
	}
	free(ids);
	free(scores);
	return result;
}

/* Marks the articles that have most of the query's words: an error code leads to its article even if its
 * vector does not. */
static void lexical_candidates(struct knowledge *knowledge, const struct knowledge_query *query)
{
	size_t best[LEXICAL_CANDIDATES];
	size_t count = 0;
	const struct ss_text text = {query->text, strlen(query->text)};
	lexical_search(knowledge->lexical, text, knowledge->lexical_scores);
	for (size_t i = 0; i < knowledge->count; i++) {
		float score_here = knowledge->lexical_scores[i].score;
		size_t at = count;
		while (at > 0 && knowledge->lexical_scores[best[at - 1]].score < score_here)
			at--;
		if (score_here <= 0 || at == LEXICAL_CANDIDATES)
			continue;
		if (count < LEXICAL_CANDIDATES)
			count++;
		memmove(best + at + 1, best + at, (count - at - 1) * sizeof *best);
		best[at] = i;
	}
	for (size_t i = 0; i < count; i++)
		knowledge->is_candidate[best[i]] = true;
}

static struct ss_value *result_of(const struct ss_value *article, double article_score)
{
	return value_map_make({"id", value_ref(value_get(article, "id"))},
		{"title", value_ref(value_get(article, "title"))},
		{"content", value_ref(value_get(article, "content"))},
		{"category", value_ref(value_get(article, "category"))},
		{"score", value_number(round(article_score * 1e4) / 1e4)});
}

int knowledge_search(struct knowledge *knowledge, const struct knowledge_query *query,
	struct ss_value **results, struct ss_error *err)
{
	for (size_t i = 0; i < knowledge->count; i++)
		knowledge->is_candidate[i] = false;
	if (dense_candidates(knowledge, query, err) < 0)
		return -1;
	lexical_candidates(knowledge, query);
	struct candidate *candidates = memory_array(knowledge->count, sizeof *candidates);
	size_t count = 0;
	for (size_t i = 0; i < knowledge->count; i++) {
		if (!knowledge->is_candidate[i])
			continue;
		double found = score(knowledge, i, query);
		if (found >= query->min_score)
			candidates[count++] =
				(struct candidate){i, found, found + bonus(knowledge, i, query)};
	}
	qsort(candidates, count, sizeof *candidates, compare_candidates);
	if (count > query->top_k)
		count = query->top_k;
	struct ss_value **items = memory_array(count, sizeof(struct ss_value *));
	for (size_t i = 0; i < count; i++)
		items[i] =
			result_of(knowledge->articles[candidates[i].article], candidates[i].score);
	*results = value_list(items, count);
	free(items);
	free(candidates);
	return 0;
}
