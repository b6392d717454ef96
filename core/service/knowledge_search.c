#include "base/memory.h"
#include "service/failure.h"
#include "service/knowledge_parts.h"
#include "service/passage.h"
#include "value/value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	DENSE_CANDIDATES = 64, /* vectors that lead to articles */
	GONE_CANDIDATES =
		512, /* and that the index is asked for more, at most, for those that count no more */
	LEXICAL_CANDIDATES = 8, /* articles with the most words of the query */
	NEXT_ARTICLES = 5,      /* whose words the first one's are compared with */
	LANES = 8,              /* sums of an inner product */
};

/* What an article that has all codes and quoted phrases of the query is ahead by. */
#define NAMED_BONUS 0.5

/* A question is about something else when it has this share of unknown words at least, numbers aside, and comes nearer
 * by this much without them. Of 150 questions for kb/ and 630 for threads 3 do, and 10 of 42 about other things that
 * the same words are said of, as in "cancel my gym membership". */
#define SUBJECT_SHARE 0.35
#define SUBJECT_RISE  0.12

/* Below this confidence hardly anybody answers, so that the question need not be embedded once more. */
#define SUBJECT_FROM 0.1

/* What is usual for other articles, where there are none. */
#define USUAL_OTHER_ANSWER   0.37
#define USUAL_OTHER_COVERAGE 0.24
#define USUAL_DRIFT          0.19

/* Vectors that differ by less are the same. */
#define LEAST_DIFFERENCE 1e-6

/* What is made of an article that has all codes and quoted phrases of the query, at least: a question that is hardly
 * more than a code has few other signs. */
#define NAMED_CONFIDENCE 0.5

struct candidate {
	size_t article;
	const char *id;
	double question, answer; /* similarities; of no meaning in a ranking by words */
	struct lexical_score lexical;
	double score;
	double rank; /* the score with what brings it forward */
};

struct ranking {
	struct candidate *items; /* best first */
	size_t count;
	struct lexical_unknown unknown;
	bool by_words; /* alone */
};

/* What a search did without, and why. */
struct missing {
	const char *stages[2];
	size_t count;
	struct ss_error err;
};

/* The inner product. The sums are independent, so that the compiler adds several at once, and always the same ones. */
static double similarity(const struct knowledge *knowledge, const float *vector, const float *query)
{
	float sums[LANES] = {0};
	double sum = 0;
	size_t at = 0;
	for (; at + LANES <= knowledge->dimension; at += LANES) {
		for (size_t lane = 0; lane < LANES; lane++)
			sums[lane] += vector[at + lane] * query[at + lane];
	}
	for (; at < knowledge->dimension; at++)
		sum += (double)vector[at] * (double)query[at];
	for (size_t lane = 0; lane < LANES; lane++)
		sum += (double)sums[lane];
	return sum;
}

/* Which of COUNT VECTORS is nearest, and how near. */
static const float *nearest_of(const struct knowledge *knowledge, const float *vectors,
	size_t count, const float *query, double *how_near)
{
	const float *best = vectors;
	*how_near = -1;
	for (size_t i = 0; i < count; i++) {
		const float *vector = vectors + i * knowledge->dimension;
		double near = similarity(knowledge, vector, query);
		if (near > *how_near) {
			*how_near = near;
			best = vector;
		}
	}
	return best;
}

/* How near the query is to the nearest of COUNT VECTORS. */
static double nearest(
	const struct knowledge *knowledge, const float *vectors, size_t count, const float *query)
{
	double how_near = -1;
	(void)nearest_of(knowledge, vectors, count, query, &how_near);
	return how_near;
}

static double nearest_question(
	const struct knowledge *knowledge, size_t article, const float *query)
{
	const struct knowledge_article *place = &knowledge->articles[article];
	return nearest(knowledge, place->vectors, place->questions, query);
}

static double nearest_passage(const struct knowledge *knowledge, size_t article, const float *query)
{
	const struct knowledge_article *place = &knowledge->articles[article];
	return nearest(knowledge, place->vectors + place->questions * knowledge->dimension,
		place->passages, query);
}

/* An article without sentences has its passages for it. */
static double nearest_sentence(
	const struct knowledge *knowledge, size_t article, const float *query)
{
	const struct knowledge_article *place = &knowledge->articles[article];
	return place->sentence_count > 0
		       ? nearest(knowledge, place->sentences, place->sentence_count, query)
		       : nearest_passage(knowledge, article, query);
}

/* A preference changes the order and not whether an article fits at all. */
static double bonus(
	const struct knowledge *knowledge, size_t article, const struct knowledge_query *query)
{
	const char *category =
		value_as_string(value_get(knowledge->articles[article].article, "category"), NULL);
	bool preferred =
		query->prefer_category != NULL && strcmp(category, query->prefer_category) == 0;
	return preferred ? knowledge->options.category_bonus : 0;
}

static struct candidate judge(
	const struct knowledge *knowledge, size_t article, const struct knowledge_query *query)
{
	const struct knowledge_options *options = &knowledge->options;
	struct candidate candidate = {
		.article = article,
		.id = knowledge_id(knowledge, article),
		.lexical = knowledge->lexical_scores[article],
	};
	double blend = (double)candidate.lexical.score;
	if (query->vector != NULL) {
		candidate.question = nearest_question(knowledge, article, query->vector);
		candidate.answer = nearest_passage(knowledge, article, query->vector);
		blend = options->question_weight * candidate.question +
			options->answer_weight * candidate.answer +
			options->lexical_weight * (double)candidate.lexical.score;
	}
	candidate.score = fmin(fmax(blend, 0), 1);
	candidate.rank = candidate.score + NAMED_BONUS * (double)candidate.lexical.named +
			 bonus(knowledge, article, query);
	return candidate;
}

/* The better one first; of equal ones by their ids, so that the order never depends on chance or on
 * which came first. */
static int compare_candidates(const void *a, const void *b)
{
	const struct candidate *left = a;
	const struct candidate *right = b;
	if (left->rank != right->rank)
		return left->rank > right->rank ? -1 : 1;
	return strcmp(left->id, right->id);
}

/* A vector that may lead to its article. */
struct hit {
	size_t article;
	float score;
};

struct hits {
	struct hit *items;
	size_t count, capacity;
};

static void add_hit(struct hits *hits, size_t article, float score)
{
	if (hits->count == hits->capacity) {
		hits->capacity = hits->capacity * 2 + DENSE_CANDIDATES;
		hits->items = memory_resize(hits->items, hits->capacity, sizeof *hits->items);
	}
	hits->items[hits->count++] = (struct hit){article, score};
}

static int compare_hits(const void *a, const void *b)
{
	float left = ((const struct hit *)a)->score;
	float right = ((const struct hit *)b)->score;
	return (left < right) - (left > right);
}

/* Adds the K nearest of the vectors in the index that count, or somewhat fewer. */
static int add_indexed(struct knowledge *knowledge, const float *vector, size_t k,
	struct hits *hits, struct ss_error *err)
{
	k += knowledge->gone < GONE_CANDIDATES ? knowledge->gone : GONE_CANDIDATES;
	if (k > knowledge->index_count)
		k = knowledge->index_count;
	if (k == 0)
		return 0;
	int64_t *ids = memory_array(k, sizeof *ids);
	float *scores = memory_array(k, sizeof *scores);
	int result =
		knowledge->index->search(knowledge->index_instance, vector, 1, k, ids, scores, err);
	for (size_t i = 0; result == 0 && i < k; i++) {
		if (ids[i] >= 0 && (size_t)ids[i] < knowledge->index_count &&
			knowledge->article_of[ids[i]] != NO_ARTICLE)
			add_hit(hits, knowledge->article_of[ids[i]], scores[i]);
	}
	free(ids);
	free(scores);
	return result;
}

/* Adds the vectors that are not in the index and not farther than its K nearest. */
static void add_others(
	const struct knowledge *knowledge, const float *vector, size_t k, struct hits *hits)
{
	float least = hits->count >= k ? hits->items[k - 1].score : -INFINITY;
	for (size_t i = 0; i < knowledge->count; i++) {
		const struct knowledge_article *place = &knowledge->articles[i];
		if (place->article == NULL || place->indexed)
			continue;
		for (size_t row = 0; row < place->questions + place->passages; row++) {
			float score = (float)similarity(
				knowledge, place->vectors + row * knowledge->dimension, vector);
			if (score >= least)
				add_hit(hits, i, score);
		}
	}
}

/* Marks the articles whose vectors are nearest. */
static int dense_candidates(
	struct knowledge *knowledge, const struct knowledge_query *query, struct ss_error *err)
{
	struct hits hits = {0};
	size_t k = DENSE_CANDIDATES;
	if (k < query->top_k * 4)
		k = query->top_k * 4;
	int result = add_indexed(knowledge, query->vector, k, &hits, err);
	if (result == 0) {
		size_t indexed = hits.count;
		add_others(knowledge, query->vector, k, &hits);
		if (hits.count > indexed)
			qsort(hits.items, hits.count, sizeof *hits.items, compare_hits);
		for (size_t i = 0; i < hits.count && i < k; i++)
			knowledge->is_candidate[hits.items[i].article] = true;
	}
	free(hits.items);
	return result;
}

/* What a text has of the query; what the query names counts first. */
static float lexical_rank(const struct knowledge *knowledge, size_t article)
{
	return knowledge->lexical_scores[article].named + knowledge->lexical_scores[article].score;
}

/* Whether the article A has more of the query than B; of equal ones by their ids. */
static bool is_before(const struct knowledge *knowledge, size_t a, size_t b)
{
	float left = lexical_rank(knowledge, a);
	float right = lexical_rank(knowledge, b);
	return left != right ? left > right
			     : strcmp(knowledge_id(knowledge, a), knowledge_id(knowledge, b)) < 0;
}

/* Marks the articles that have most of the query's words: an error code leads to its article even if its
 * vector does not. */
static void lexical_candidates(struct knowledge *knowledge)
{
	size_t best[LEXICAL_CANDIDATES];
	size_t count = 0;
	for (size_t i = 0; i < knowledge->count; i++) {
		float rank = lexical_rank(knowledge, i);
		size_t at = count;
		while (at > 0 && rank > 0 && is_before(knowledge, i, best[at - 1]))
			at--;
		if (rank <= 0 || at == LEXICAL_CANDIDATES)
			continue;
		if (count < LEXICAL_CANDIDATES)
			count++;
		memmove(best + at + 1, best + at, (count - at - 1) * sizeof *best);
		best[at] = i;
	}
	for (size_t i = 0; i < count; i++)
		knowledge->is_candidate[best[i]] = true;
}

/* Marks all articles that have any of the query's words. */
static void word_candidates(struct knowledge *knowledge)
{
	for (size_t i = 0; i < knowledge->count; i++)
		knowledge->is_candidate[i] = lexical_rank(knowledge, i) > 0;
}

/* Ranks all articles that may fit but EXCLUDED, by their words alone when the query has no vector. The caller frees
 * the items. */
static int rank(struct knowledge *knowledge, const struct knowledge_query *query, size_t excluded,
	struct ranking *ranking, struct ss_error *err)
{
	const struct ss_text text = {query->text, strlen(query->text)};
	memset(knowledge->is_candidate, 0, knowledge->count * sizeof(bool));
	if (query->vector != NULL && dense_candidates(knowledge, query, err) < 0)
		return -1;
	ranking->by_words = query->vector == NULL;
	ranking->unknown = lexical_search(knowledge->lexical, text, knowledge->lexical_scores);
	if (ranking->by_words)
		word_candidates(knowledge);
	else
		lexical_candidates(knowledge);
	ranking->items = memory_array(knowledge->count, sizeof *ranking->items);
	ranking->count = 0;
	for (size_t i = 0; i < knowledge->count; i++) {
		if (knowledge->is_candidate[i] && i != excluded)
			ranking->items[ranking->count++] = judge(knowledge, i, query);
	}
	qsort(ranking->items, ranking->count, sizeof *ranking->items, compare_candidates);
	return 0;
}

/* What the articles but the first one have. */
struct others {
	double answer;   /* the nearest passage */
	double drift;    /* the most that a passage lies in a direction, as a cosine */
	double coverage; /* the mean of the next ones */
};

static struct others other_articles(const struct knowledge *knowledge,
	const struct ranking *ranking, size_t first, const float *direction)
{
	struct others others = {.answer = -1, .drift = -1};
	size_t next = 0;
	for (size_t i = 0; i < ranking->count; i++) {
		const struct candidate *other = &ranking->items[i];
		if (i == first)
			continue;
		others.answer = fmax(others.answer, other->answer);
		others.drift =
			fmax(others.drift, nearest_passage(knowledge, other->article, direction));
		if (next < NEXT_ARTICLES) {
			others.coverage += (double)other->lexical.coverage;
			next++;
		}
	}
	if (next == 0)
		return (struct others){
			.answer = USUAL_OTHER_ANSWER,
			.coverage = USUAL_OTHER_COVERAGE,
			.drift = USUAL_DRIFT,
		};
	others.coverage /= (double)next;
	return others;
}

/* Makes DIRECTION the one from the vector FROM to TO; 0 when they are the same. */
static void set_direction(float *direction, const float *from, const float *to, size_t dimension)
{
	double squares = 0;
	for (size_t i = 0; i < dimension; i++) {
		direction[i] = to[i] - from[i];
		squares += (double)direction[i] * (double)direction[i];
	}
	double length = sqrt(squares);
	for (size_t i = 0; i < dimension; i++)
		direction[i] =
			length < LEAST_DIFFERENCE ? 0 : (float)((double)direction[i] / length);
}

static double confidence(const struct knowledge *knowledge, const struct knowledge_query *query,
	const struct ranking *ranking, size_t first)
{
	const struct candidate *best = &ranking->items[first];
	const struct ss_text text = {query->text, strlen(query->text)};
	double question = 0;
	const struct knowledge_article *place = &knowledge->articles[best->article];
	const float *own =
		nearest_of(knowledge, place->vectors, place->questions, query->vector, &question);
	float *direction = memory_array(knowledge->dimension, sizeof *direction);
	set_direction(direction, own, query->vector, knowledge->dimension);
	struct others others = other_articles(knowledge, ranking, first, direction);
	free(direction);
	const struct abstention_signs signs = {
		.question = question,
		.answer_lead = best->answer - others.answer,
		.coverage_lead = (double)best->lexical.coverage - others.coverage,
		.unknown = ranking->unknown.share,
		.words = (double)passage_words(text),
		.drift = others.drift,
		.sentence_gain = nearest_sentence(knowledge, best->article, query->vector) -
				 nearest_sentence(knowledge, best->article, own),
	};
	return abstention_confidence(&knowledge->base, &signs);
}

static double confidence_by_words(
	const struct knowledge_query *query, const struct ranking *ranking, size_t first)
{
	const struct ss_text text = {query->text, strlen(query->text)};
	double score = ranking->items[first].score;
	double next = first + 1 < ranking->count ? ranking->items[first + 1].score : 0;
	const struct abstention_words signs = {
		.score = score,
		.lead = score - next,
		.words = (double)passage_words(text),
	};
	return abstention_by_words(&signs);
}

/* Notes that the search goes on without STAGE. ERR, which said why, is the first one's. */
static void miss(struct missing *missing, const char *stage, const struct ss_error *err)
{
	if (missing->count == 0)
		missing->err = *err;
	missing->stages[missing->count++] = stage;
}

/* Whether the words that no article has lead the query away from ARTICLE. */
static int check_subject(struct knowledge *knowledge, const struct knowledge_query *query,
	const struct candidate *best, bool *is_other, struct ss_error *err)
{
	const struct ss_text text = {query->text, strlen(query->text)};
	float *vector = memory_array(knowledge->dimension, sizeof *vector);
	char *known = lexical_known(knowledge->lexical, text);
	const struct ss_text rest = {known, strlen(known)};
	int result = 0;
	*is_other = false;
	if (rest.length > 0 && rest.length < text.length && best->question + SUBJECT_RISE <= 1) {
		result = knowledge->embedder->embed(
			knowledge->embedder_instance, &rest, 1, vector, err);
		*is_other = result == 0 && nearest_question(knowledge, best->article, vector) >=
						   best->question + SUBJECT_RISE;
	}
	free(known);
	free(vector);
	return result;
}

/* Whether an article may be given at all. One with all that the query names is, where there are words alone: in a long
 * query a code is a small part of them. */
static bool is_enough(const struct knowledge_query *query, const struct ranking *ranking, size_t i)
{
	const struct candidate *candidate = &ranking->items[i];
	return candidate->score >= query->min_score ||
	       (ranking->by_words && candidate->lexical.named >= 1);
}

/* Whether the item FIRST is about something else; the rule that tells is left out when its embedding fails. */
static bool is_about_other(struct knowledge *knowledge, const struct knowledge_query *query,
	const struct ranking *ranking, size_t first, struct missing *missing)
{
	struct ss_error err = {0};
	bool other = false;
	if (ranking->by_words || ranking->unknown.subject < SUBJECT_SHARE)
		return false;
	if (check_subject(knowledge, query, &ranking->items[first], &other, &err) < 0) {
		failure_complete(&err, "the embedder");
		miss(missing, "other_subject", &err);
	}
	return other;
}

/* The confidence of the item FIRST and, when a rule makes it 0, why. */
static double decide(struct knowledge *knowledge, const struct knowledge_query *query,
	const struct ranking *ranking, size_t first, const char **doubt, struct missing *missing)
{
	double likely = ranking->by_words ? confidence_by_words(query, ranking, first)
					  : confidence(knowledge, query, ranking, first);
	*doubt = NULL;
	if (ranking->items[first].lexical.named >= 1)
		likely = fmax(likely, NAMED_CONFIDENCE);
	if (ranking->unknown.code)
		*doubt = "unknown_code";
	else if (likely >= SUBJECT_FROM &&
		 is_about_other(knowledge, query, ranking, first, missing))
		*doubt = "other_subject";
	return *doubt == NULL ? likely : 0;
}

static struct ss_value *rounded(double number)
{
	return value_number(round(number * 1e4) / 1e4);
}

/* The scores of the stages that ran. */
static struct ss_value *scores_of(const struct candidate *candidate, bool by_words)
{
	return value_map_make({"question", by_words ? NULL : rounded(candidate->question)},
		{"answer", by_words ? NULL : rounded(candidate->answer)},
		{"lexical", rounded((double)candidate->lexical.score)});
}

static struct ss_value *result_of(const struct knowledge *knowledge,
	const struct candidate *candidate, bool by_words, struct ss_value *likely,
	struct ss_value *doubt)
{
	const struct ss_value *article = knowledge->articles[candidate->article].article;
	return value_map_make({"id", value_ref(value_get(article, "id"))},
		{"title", value_ref(value_get(article, "title"))},
		{"content", value_ref(value_get(article, "content"))},
		{"category", value_ref(value_get(article, "category"))},
		{"score", rounded(candidate->score)}, {"scores", scores_of(candidate, by_words)},
		{"confidence", likely}, {"doubt", doubt});
}

static struct ss_value *missing_value(const struct missing *missing)
{
	struct ss_value *stages[array_length(missing->stages)];
	if (missing->count == 0)
		return NULL;
	for (size_t i = 0; i < missing->count; i++)
		stages[i] = value_text(missing->stages[i]);
	return value_map_make({"stages", value_list(stages, missing->count)},
		{"error", value_text(missing->err.text)});
}

/* Ranks the articles by all stages or, where the vectors fail, by their words alone. */
static void rank_by_what_works(struct knowledge *knowledge, const struct knowledge_query *query,
	struct ranking *ranking, struct missing *missing)
{
	struct ss_error err = {0};
	struct knowledge_query words = *query;
	if (query->vector == NULL)
		err = *query->failure;
	else if (rank(knowledge, query, NO_ARTICLE, ranking, &err) == 0)
		return;
	failure_complete(&err, "the index");
	words.vector = NULL;
	miss(missing, "question", &err);
	miss(missing, "answer", &err);
	(void)rank(knowledge, &words, NO_ARTICLE, ranking, NULL);
}

struct knowledge_found knowledge_search(
	struct knowledge *knowledge, const struct knowledge_query *query)
{
	struct ranking ranking = {0};
	struct missing missing = {.count = 0};
	const char *doubt = NULL;
	double likely = 0;
	size_t first = 0;
	size_t count = 0;
	rank_by_what_works(knowledge, query, &ranking, &missing);
	while (first < ranking.count && !is_enough(query, &ranking, first))
		first++;
	if (first < ranking.count)
		likely = decide(knowledge, query, &ranking, first, &doubt, &missing);
	struct ss_value **items = memory_array(query->top_k, sizeof(struct ss_value *));
	for (size_t i = first; i < ranking.count && count < query->top_k; i++) {
		if (!is_enough(query, &ranking, i))
			continue;
		items[count++] = result_of(knowledge, &ranking.items[i], ranking.by_words,
			i == first ? rounded(likely) : NULL,
			i == first && doubt != NULL ? value_text(doubt) : NULL);
	}
	const struct knowledge_found found = {
		.articles = value_list(items, count),
		.missing = missing_value(&missing),
	};
	free(items);
	free(ranking.items);
	return found;
}

int knowledge_near_others(struct knowledge *knowledge, size_t place, size_t question,
	double *similarity_of_best, struct ss_error *err)
{
	struct ranking ranking = {0};
	const struct knowledge_article *own = &knowledge->articles[place];
	const struct ss_value *text =
		question == 0 ? value_get(own->article, "title")
			      : value_at(value_get(own->article, "questions"), question - 1);
	const struct knowledge_query query = {
		.text = value_as_string(text, NULL),
		.vector = own->vectors + question * knowledge->dimension,
		.top_k = 1,
	};
	if (rank(knowledge, &query, place, &ranking, err) < 0)
		return -1;
	int found = ranking.count > 0;
	if (found)
		*similarity_of_best = ranking.items[0].question;
	free(ranking.items);
	return found;
}
