#include "service/knowledge_change.h"

#include "base/memory.h"
#include "service/knowledge_parts.h"
#include "value/value.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
	PIECE_BYTES =
		1024,     /* of the texts that are embedded in one piece, or a single longer one */
	PIECE_TEXTS = 16, /* the same */
	PIECE_QUESTIONS = 4,     /* that are asked in one piece */
	CALIBRATION_LIMIT = 200, /* questions of the base that are asked */
};

struct knowledge_change {
	char *id;
	struct ss_value *article; /* NULL: it is taken out */
	struct knowledge_texts texts;
	struct knowledge_counts counts;
	float *vectors; /* [texts.count][dimension] */
	bool *made;     /* [texts.count] */
};

struct knowledge_change *knowledge_change_new(const char *id, const struct ss_value *article)
{
	struct knowledge_change *change = memory_make(struct knowledge_change);
	change->id = memory_string(id);
	change->article = value_ref(article);
	return change;
}

void knowledge_change_free(struct knowledge_change *change)
{
	if (change == NULL)
		return;
	knowledge_free_texts(&change->texts);
	value_unref(change->article);
	free(change->vectors);
	free(change->made);
	free(change->id);
	free(change);
}

/* The place of the article ID, or else a free one; the number of places when there is none. */
static size_t find_place(const struct knowledge *knowledge, const char *id)
{
	size_t free_place = knowledge->count;
	for (size_t i = 0; i < knowledge->count; i++) {
		if (knowledge->articles[i].article == NULL)
			free_place = i;
		else if (strcmp(knowledge_id(knowledge, i), id) == 0)
			return i;
	}
	return free_place;
}

/* Takes the vectors of texts that the article which was there has as well. */
static void take_old(struct knowledge *knowledge, struct knowledge_change *change,
	const char *const *texts, const float *vectors, size_t count)
{
	size_t size = knowledge->dimension * sizeof(float);
	for (size_t i = 0; i < change->texts.count; i++) {
		for (size_t k = 0; k < count && !change->made[i]; k++) {
			if (strcmp(change->texts.items[i], texts[k]) != 0)
				continue;
			memcpy(change->vectors + i * knowledge->dimension,
				vectors + k * knowledge->dimension, size);
			change->made[i] = true;
		}
	}
}

static void begin(struct knowledge *knowledge, struct knowledge_change *change)
{
	size_t place = find_place(knowledge, change->id);
	knowledge_add_texts(&change->texts, change->article, &change->counts);
	knowledge_add_sentences(&change->texts, change->article, &change->counts);
	change->vectors = memory_array(change->texts.count * knowledge->dimension, sizeof(float));
	change->made = memory_array(change->texts.count, sizeof(bool));
	if (place == knowledge->count || knowledge->articles[place].article == NULL)
		return;
	const struct knowledge_article *old = &knowledge->articles[place];
	struct knowledge_texts texts = {0};
	struct knowledge_counts counts = {0};
	knowledge_add_texts(&texts, old->article, &counts);
	take_old(knowledge, change, (const char *const *)texts.items, old->vectors, texts.count);
	size_t before = texts.count;
	knowledge_add_sentences(&texts, old->article, &counts);
	take_old(knowledge, change, (const char *const *)texts.items + before, old->sentences,
		counts.sentences);
	knowledge_free_texts(&texts);
}

/* Embeds the next texts: 1, or 0 when all are. */
static int embed_piece(
	struct knowledge *knowledge, struct knowledge_change *change, struct ss_error *err)
{
	struct ss_text texts[PIECE_TEXTS];
	size_t rows[PIECE_TEXTS];
	size_t count = 0;
	size_t bytes = 0;
	for (size_t i = 0; i < change->texts.count && count < PIECE_TEXTS; i++) {
		struct ss_text text = {change->texts.items[i], strlen(change->texts.items[i])};
		if (change->made[i])
			continue;
		if (count > 0 && bytes + text.length > PIECE_BYTES)
			break;
		bytes += text.length;
		texts[count] = text;
		rows[count++] = i;
	}
	if (count == 0)
		return 0;
	float *vectors = memory_array(count * knowledge->dimension, sizeof *vectors);
	int result = knowledge->embedder->embed(
		knowledge->embedder_instance, texts, count, vectors, err);
	for (size_t i = 0; i < count && result == 0; i++) {
		memcpy(change->vectors + rows[i] * knowledge->dimension,
			vectors + i * knowledge->dimension, knowledge->dimension * sizeof *vectors);
		change->made[rows[i]] = true;
	}
	free(vectors);
	return result < 0 ? -1 : 1;
}

static void clear_place(struct knowledge *knowledge, size_t number)
{
	struct knowledge_article *place = &knowledge->articles[number];
	for (size_t i = 0; place->indexed && i < knowledge->index_count; i++) {
		if (knowledge->article_of[i] != number)
			continue;
		knowledge->article_of[i] = NO_ARTICLE;
		knowledge->gone++;
	}
	lexical_remove(knowledge->lexical, number);
	value_unref(place->article);
	free(place->own);
	*place = (struct knowledge_article){0};
}

static void grow(struct knowledge *knowledge)
{
	size_t capacity = knowledge->capacity * 2 + 16;
	knowledge->articles =
		memory_resize(knowledge->articles, capacity, sizeof *knowledge->articles);
	knowledge->lexical_scores =
		memory_resize(knowledge->lexical_scores, capacity, sizeof(struct lexical_score));
	knowledge->is_candidate = memory_resize(knowledge->is_candidate, capacity, sizeof(bool));
	knowledge->capacity = capacity;
}

static void apply(struct knowledge *knowledge, struct knowledge_change *change)
{
	size_t number = find_place(knowledge, change->id);
	if (number < knowledge->count)
		clear_place(knowledge, number);
	if (change->article == NULL)
		return;
	if (number == knowledge->capacity)
		grow(knowledge);
	if (number == knowledge->count)
		knowledge->count++;
	size_t rows = change->counts.questions + change->counts.passages;
	knowledge->articles[number] = (struct knowledge_article){
		.article = change->article,
		.vectors = change->vectors,
		.sentences = change->vectors + rows * knowledge->dimension,
		.questions = change->counts.questions,
		.passages = change->counts.passages,
		.sentence_count = change->counts.sentences,
		.own = change->vectors,
	};
	knowledge_put_words(knowledge, number, change->article);
	change->article = NULL;
	change->vectors = NULL;
}

int knowledge_change_step(
	struct knowledge *knowledge, struct knowledge_change *change, struct ss_error *err)
{
	if (change->article != NULL && change->vectors == NULL)
		begin(knowledge, change);
	int more = change->article != NULL ? embed_piece(knowledge, change, err) : 0;
	if (more == 0)
		apply(knowledge, change);
	return more;
}

struct knowledge_calibration {
	size_t *places; /* by the ids of their articles; NULL: it has not begun */
	size_t count;
	size_t at;     /* of places */
	size_t number; /* of the next question, of all */
	size_t step;   /* which of them are asked */
	double similarities[CALIBRATION_LIMIT];
	size_t asked;
};

struct knowledge_calibration *knowledge_calibration_new(void)
{
	return memory_make(struct knowledge_calibration);
}

void knowledge_calibration_free(struct knowledge_calibration *calibration)
{
	if (calibration == NULL)
		return;
	free(calibration->places);
	free(calibration);
}

static int compare_places(const void *a, const void *b, void *context)
{
	const struct knowledge *knowledge = context;
	return strcmp(knowledge_id(knowledge, *(const size_t *)a),
		knowledge_id(knowledge, *(const size_t *)b));
}

static void begin_calibration(
	const struct knowledge *knowledge, struct knowledge_calibration *calibration)
{
	size_t questions = 0;
	calibration->places = memory_array(knowledge->count + 1, sizeof(size_t));
	for (size_t i = 0; i < knowledge->count; i++) {
		if (knowledge->articles[i].article == NULL)
			continue;
		calibration->places[calibration->count++] = i;
		questions += knowledge->articles[i].questions;
	}
	if (calibration->count > 1)
		qsort_r(calibration->places, calibration->count, sizeof(size_t), compare_places,
			(void *)(uintptr_t)knowledge);
	calibration->step = (questions + CALIBRATION_LIMIT - 1) / CALIBRATION_LIMIT;
}

/* Asks those of the questions of the article at PLACE whose turn it is; returns how many, or -1. */
static int ask_article(struct knowledge *knowledge, struct knowledge_calibration *calibration,
	size_t place, struct ss_error *err)
{
	int asked = 0;
	for (size_t i = 0; i < knowledge->articles[place].questions; i++) {
		if (calibration->number++ % calibration->step != 0)
			continue;
		assert(calibration->asked < CALIBRATION_LIMIT);
		double *found = &calibration->similarities[calibration->asked];
		int result = knowledge_near_others(knowledge, place, i, found, err);
		if (result < 0)
			return -1;
		calibration->asked += (size_t)result;
		asked++;
	}
	return asked;
}

int knowledge_calibration_step(struct knowledge *knowledge,
	struct knowledge_calibration *calibration, struct ss_error *err)
{
	int asked = 0;
	if (calibration->places == NULL)
		begin_calibration(knowledge, calibration);
	while (calibration->at < calibration->count && asked < PIECE_QUESTIONS) {
		int result = ask_article(
			knowledge, calibration, calibration->places[calibration->at++], err);
		if (result < 0)
			return -1;
		asked += result;
	}
	if (calibration->at < calibration->count)
		return 1;
	knowledge->base = abstention_learn(calibration->similarities, calibration->asked);
	return 0;
}

int knowledge_calibrate(struct knowledge *knowledge, struct ss_error *err)
{
	struct knowledge_calibration *calibration = knowledge_calibration_new();
	int result = 1;
	while (result > 0)
		result = knowledge_calibration_step(knowledge, calibration, err);
	knowledge_calibration_free(calibration);
	return result;
}
