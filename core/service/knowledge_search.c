#include "base/memory.h"
#include "service/knowledge_parts.h"
#include "value/value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	DENSE_CANDIDATES = 64,   /* vectors that the index is asked for */
	LEXICAL_CANDIDATES = 8,  /* articles with the most words of the query */
	NEXT_ARTICLES = 10,      /* that the first one is compared with */
	CALIBRATION_LIMIT = 200, /* questions of the base that are asked */
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

/* The least deviation of the next articles' scores, where they are few or alike. */
#define LEAST_SPREAD 0.01

/* What is made of an article that has all codes and quoted phrases of the query, at least: a question that is hardly
 * more than a code has few other signs. */
#define NAMED_CONFIDENCE 0.5

#define NO_ARTICLE SIZE_MAX

struct candidate {
	size_t article;
	double question, answer; /* similarities */
	struct lexical_score lexical;
	double score;
	double rank; /* the score with what brings it forward */
};

struct ranking {
	struct candidate *items; /* best first */
	size_t count;
	struct lexical_unknown unknown;
};

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

static double nearest_question(
	const struct knowledge *knowledge, size_t article, const float *query)
{
	return nearest(
		knowledge, knowledge->rows[article], knowledge->passage_rows[article], query);
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

static struct candidate judge(
	const struct knowledge *knowledge, size_t article, const struct knowledge_query *query)
{
	const struct knowledge_options *options = &knowledge->options;
	struct candidate candidate = {
		.article = article,
		.question = nearest_question(knowledge, article, query->vector),
		.answer = nearest(knowledge, knowledge->passage_rows[article],
			knowledge->rows[article + 1], query->vector),
		.lexical = knowledge->lexical_scores[article],
	};
	double blend = options->question_weight * candidate.question +
		       options->answer_weight * candidate.answer +
		       options->lexical_weight * (double)candidate.lexical.score;
	candidate.score = fmin(fmax(blend, 0), 1);
	candidate.rank = candidate.score + NAMED_BONUS * (double)candidate.lexical.named +
			 bonus(knowledge, article, query);
	return candidate;
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

/* What a text has of the query; what the query names counts first. */
static float lexical_rank(const struct knowledge *knowledge, size_t article)
{
	return knowledge->lexical_scores[article].named + knowledge->lexical_scores[article].score;
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
		while (at > 0 && lexical_rank(knowledge, best[at - 1]) < rank)
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

/* Ranks all articles that may fit but EXCLUDED. The caller frees the items. */
static int rank(struct knowledge *knowledge, const struct knowledge_query *query, size_t excluded,
	struct ranking *ranking, struct ss_error *err)
{
	const struct ss_text text = {query->text, strlen(query->text)};
	memset(knowledge->is_candidate, 0, knowledge->count * sizeof(bool));
	if (dense_candidates(knowledge, query, err) < 0)
		return -1;
	ranking->unknown = lexical_search(knowledge->lexical, text, knowledge->lexical_scores);
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

/* How far the score of the item FIRST lies above the next ones. */
static double lead(const struct ranking *ranking, size_t first)
{
	double sum = 0;
	double squares = 0;
	double n = 0;
	for (size_t i = 0; i < ranking->count && n < NEXT_ARTICLES; i++) {
		if (i == first)
			continue;
		sum += ranking->items[i].score;
		squares += ranking->items[i].score * ranking->items[i].score;
		n++;
	}
	if (n < 2)
		return 0;
	double mean = sum / n;
	double spread = sqrt(fmax(squares / n - mean * mean, 0));
	return (ranking->items[first].score - mean) / fmax(spread, LEAST_SPREAD);
}

static double confidence(
	const struct knowledge *knowledge, const struct ranking *ranking, size_t first)
{
	const struct candidate *best = &ranking->items[first];
	/* In a base of one article the others are as what is usual elsewhere. */
	double answer = ranking->count > 1 ? -1 : knowledge->base.answer_mean;
	double lexical = 0;
	for (size_t i = 0; i < ranking->count; i++) {
		if (i == first)
			continue;
		answer = fmax(answer, ranking->items[i].answer);
		lexical = fmax(lexical, (double)ranking->items[i].lexical.score);
	}
	const struct abstention_signs signs = {
		.question = best->question,
		.answer = best->answer,
		.answer_lead = best->answer - answer,
		.lexical_lead = (double)best->lexical.score - lexical,
		.coverage = (double)best->lexical.coverage,
		.unknown = ranking->unknown.share,
		.lead = lead(ranking, first),
	};
	return abstention_confidence(&knowledge->base, &signs);
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

/* The confidence of the item FIRST and, when a rule makes it 0, why. */
static int decide(struct knowledge *knowledge, const struct knowledge_query *query,
	const struct ranking *ranking, size_t first, double *likely, const char **doubt,
	struct ss_error *err)
{
	bool other = false;
	*likely = confidence(knowledge, ranking, first);
	*doubt = NULL;
	if (ranking->items[first].lexical.named >= 1)
		*likely = fmax(*likely, NAMED_CONFIDENCE);
	if (ranking->unknown.code)
		*doubt = "unknown_code";
	else if (ranking->unknown.subject >= SUBJECT_SHARE && *likely >= SUBJECT_FROM &&
		 check_subject(knowledge, query, &ranking->items[first], &other, err) < 0)
		return -1;
	if (other)
		*doubt = "other_subject";
	if (*doubt != NULL)
		*likely = 0;
	return 0;
}

static struct ss_value *rounded(double number)
{
	return value_number(round(number * 1e4) / 1e4);
}

static struct ss_value *result_of(const struct knowledge *knowledge,
	const struct candidate *candidate, struct ss_value *likely, struct ss_value *doubt)
{
	const struct ss_value *article = knowledge->articles[candidate->article];
	return value_map_make({"id", value_ref(value_get(article, "id"))},
		{"title", value_ref(value_get(article, "title"))},
		{"content", value_ref(value_get(article, "content"))},
		{"category", value_ref(value_get(article, "category"))},
		{"score", rounded(candidate->score)},
		{"scores", value_map_make({"question", rounded(candidate->question)},
				   {"answer", rounded(candidate->answer)},
				   {"lexical", rounded((double)candidate->lexical.score)})},
		{"confidence", likely}, {"doubt", doubt});
}

int knowledge_search(struct knowledge *knowledge, const struct knowledge_query *query,
	struct ss_value **results, struct ss_error *err)
{
	struct ranking ranking = {0};
	double likely = 0;
	const char *doubt = NULL;
	if (rank(knowledge, query, NO_ARTICLE, &ranking, err) < 0)
		return -1;
	size_t first = 0;
	while (first < ranking.count && ranking.items[first].score < query->min_score)
		first++;
	if (first < ranking.count &&
		decide(knowledge, query, &ranking, first, &likely, &doubt, err) < 0) {
		free(ranking.items);
		return -1;
	}
	struct ss_value **items = memory_array(query->top_k, sizeof(struct ss_value *));
	size_t count = 0;
	for (size_t i = first; i < ranking.count && count < query->top_k; i++) {
		if (ranking.items[i].score < query->min_score)
			continue;
		items[count++] =
			result_of(knowledge, &ranking.items[i], i == first ? rounded(likely) : NULL,
				i == first && doubt != NULL ? value_text(doubt) : NULL);
	}
	*results = value_list(items, count);
	free(items);
	free(ranking.items);
	return 0;
}

/* The text of the question with the vector ROW of ARTICLE. */
static const char *question_text(const struct knowledge *knowledge, size_t article, size_t row)
{
	const struct ss_value *map = knowledge->articles[article];
	size_t number = row - knowledge->rows[article];
	const struct ss_value *text = number == 0
					      ? value_get(map, "title")
					      : value_at(value_get(map, "questions"), number - 1);
	return value_as_string(text, NULL);
}

/* Adds how similar the best of the other articles is to the question with the vector ROW. */
static int ask_without_own(struct knowledge *knowledge, size_t row, double *question,
	double *answer, size_t *count, struct ss_error *err)
{
	struct ranking ranking = {0};
	size_t article = knowledge->article_of[row];
	const struct knowledge_query query = {
		.text = question_text(knowledge, article, row),
		.vector = knowledge->vectors + row * knowledge->dimension,
		.top_k = 1,
	};
	if (rank(knowledge, &query, article, &ranking, err) < 0)
		return -1;
	if (ranking.count > 0) {
		question[*count] = ranking.items[0].question;
		answer[*count] = ranking.items[0].answer;
		(*count)++;
	}
	free(ranking.items);
	return 0;
}

int knowledge_calibrate(struct knowledge *knowledge, struct ss_error *err)
{
	double question[CALIBRATION_LIMIT];
	double answer[CALIBRATION_LIMIT];
	size_t count = 0;
	size_t questions = 0;
	size_t number = 0;
	int result = 0;
	for (size_t i = 0; i < knowledge->count; i++)
		questions += knowledge->passage_rows[i] - knowledge->rows[i];
	size_t step = questions / (CALIBRATION_LIMIT + 1) + 1;
	for (size_t i = 0; i < knowledge->count && result == 0; i++) {
		for (size_t row = knowledge->rows[i];
			row < knowledge->passage_rows[i] && result == 0; row++) {
			if (number++ % step == 0)
				result = ask_without_own(
					knowledge, row, question, answer, &count, err);
		}
	}
	knowledge->base = abstention_learn(question, answer, count);
	return result;
}
