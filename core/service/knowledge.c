#include "base/memory.h"
#include "service/knowledge_change.h"
#include "service/knowledge_parts.h"
#include "service/passage.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

/* Sentences of an article that count. */
enum { SENTENCES_LIMIT = 64 };

struct knowledge_options knowledge_defaults(void)
{
	return (struct knowledge_options){
		.question_weight = 0.35,
		.answer_weight = 0.5,
		.lexical_weight = 0.15,
		.category_bonus = 0.02,
	};
}

static struct ss_text text_in(const struct ss_value *article, const char *key)
{
	return value_as_text(value_get(article, key));
}

static void add_text(struct knowledge_texts *texts, char *text)
{
	if (texts->count == texts->capacity) {
		texts->capacity = texts->capacity * 2 + 64;
		texts->items = memory_resize(texts->items, texts->capacity, sizeof(char *));
	}
	texts->items[texts->count++] = text;
}

static void add_questions(struct knowledge_texts *texts, const struct ss_value *article)
{
	struct ss_text title = text_in(article, "title");
	const struct ss_value *questions = value_get(article, "questions");
	add_text(texts, memory_text(title.data, title.length));
	for (size_t i = 0; i < value_count(questions); i++) {
		struct ss_text question = value_as_text(value_at(questions, i));
		add_text(texts, memory_text(question.data, question.length));
	}
}

static void add_passages(struct knowledge_texts *texts, const struct ss_value *article)
{
	struct ss_text title = text_in(article, "title");
	struct passage_reader reader = passage_read(text_in(article, "content"));
	struct passage passage;
	size_t before = texts->count;
	while (passage_next(&reader, &passage))
		add_text(texts,
			memory_format("%s\n%.*s%s%.*s", title.data, (int)passage.heading.length,
				passage.heading.data != NULL ? passage.heading.data : "",
				passage.heading.length > 0 ? "\n" : "", (int)passage.text.length,
				passage.text.data));
	if (texts->count == before) /* nothing but headings */
		add_text(texts, memory_text(title.data, title.length));
}

void knowledge_add_texts(struct knowledge_texts *texts, const struct ss_value *article,
	struct knowledge_counts *counts)
{
	size_t before = texts->count;
	add_questions(texts, article);
	counts->questions = texts->count - before;
	add_passages(texts, article);
	counts->passages = texts->count - before - counts->questions;
}

/* Sentences are looked at for the best article alone: finer than passages, they tell whether it says what is asked. */
void knowledge_add_sentences(struct knowledge_texts *texts, const struct ss_value *article,
	struct knowledge_counts *counts)
{
	struct ss_text content = text_in(article, "content");
	struct ss_text sentence;
	size_t before = texts->count;
	for (size_t i = 0; i < SENTENCES_LIMIT && passage_next_sentence(&content, &sentence); i++)
		add_text(texts, memory_text(sentence.data, sentence.length));
	counts->sentences = texts->count - before;
}

void knowledge_free_texts(struct knowledge_texts *texts)
{
	for (size_t i = 0; i < texts->count; i++)
		free(texts->items[i]);
	free(texts->items);
	*texts = (struct knowledge_texts){0};
}

void knowledge_put_words(struct knowledge *knowledge, size_t number, const struct ss_value *article)
{
	struct ss_text parts[2 + ARTICLE_QUESTIONS_LIMIT];
	const struct ss_value *questions = value_get(article, "questions");
	size_t count = 0;
	parts[count++] = text_in(article, "title");
	for (size_t i = 0; i < value_count(questions) && i < ARTICLE_QUESTIONS_LIMIT; i++)
		parts[count++] = value_as_text(value_at(questions, i));
	parts[count++] = text_in(article, "content");
	lexical_put(knowledge->lexical, number, parts, count);
}

const char *knowledge_id(const struct knowledge *knowledge, size_t place)
{
	return value_as_string(value_get(knowledge->articles[place].article, "id"), NULL);
}

/* Adds the articles and all their texts; returns how many of these the index takes. */
static size_t add_articles(
	struct knowledge *knowledge, const struct articles *articles, struct knowledge_texts *texts)
{
	struct knowledge_counts counts = {0};
	for (size_t i = 0; i < articles->count; i++) {
		struct knowledge_article *place = &knowledge->articles[i];
		place->article = value_ref(articles->items[i]);
		place->indexed = true;
		knowledge_add_texts(texts, place->article, &counts);
		place->questions = counts.questions;
		place->passages = counts.passages;
		knowledge_put_words(knowledge, i, place->article);
	}
	size_t vector_count = texts->count;
	for (size_t i = 0; i < articles->count; i++) {
		knowledge_add_sentences(texts, articles->items[i], &counts);
		knowledge->articles[i].sentence_count = counts.sentences;
	}
	return vector_count;
}

/* Tells the articles where their vectors are. */
static void share_vectors(struct knowledge *knowledge)
{
	size_t row = 0;
	knowledge->article_of = memory_array(knowledge->index_count, sizeof(size_t));
	for (size_t i = 0; i < knowledge->count; i++) {
		struct knowledge_article *place = &knowledge->articles[i];
		place->vectors = knowledge->vectors + row * knowledge->dimension;
		for (size_t n = 0; n < place->questions + place->passages; n++)
			knowledge->article_of[row++] = i;
	}
	for (size_t i = 0; i < knowledge->count; i++) {
		knowledge->articles[i].sentences = knowledge->vectors + row * knowledge->dimension;
		row += knowledge->articles[i].sentence_count;
	}
}

struct knowledge *knowledge_new(const struct articles *articles,
	const struct ss_embedder_operations *embedder, void *embedder_instance,
	const struct ss_index_operations *index, void *index_instance,
	const struct knowledge_options *options, struct ss_error *err)
{
	struct knowledge_texts texts = {0};
	struct knowledge *knowledge = memory_make(struct knowledge);
	knowledge->options = *options;
	knowledge->embedder = embedder;
	knowledge->embedder_instance = embedder_instance;
	knowledge->index = index;
	knowledge->index_instance = index_instance;
	knowledge->lexical = lexical_new();
	knowledge->dimension = embedder->dimension(embedder_instance);
	knowledge->count = knowledge->capacity = articles->count;
	knowledge->articles = memory_array(articles->count, sizeof(struct knowledge_article));
	knowledge->lexical_scores = memory_array(articles->count, sizeof(struct lexical_score));
	knowledge->is_candidate = memory_array(articles->count, sizeof(bool));
	knowledge->index_count = add_articles(knowledge, articles, &texts);
	int result = knowledge_fill(knowledge, &texts, err);
	knowledge_free_texts(&texts);
	if (result == 0) {
		share_vectors(knowledge);
		result = knowledge_calibrate(knowledge, err);
	}
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
	for (size_t i = 0; i < knowledge->count; i++) {
		value_unref(knowledge->articles[i].article);
		free(knowledge->articles[i].own);
	}
	lexical_free(knowledge->lexical);
	free(knowledge->articles);
	free(knowledge->article_of);
	free(knowledge->vectors);
	free(knowledge->lexical_scores);
	free(knowledge->is_candidate);
	free(knowledge);
}
