#include "base/memory.h"
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

/* Sentences are looked at for the best article alone: finer than passages, they tell whether it says what is asked. */
static void add_sentences(struct knowledge_texts *texts, const struct ss_value *article)
{
	struct ss_text content = text_in(article, "content");
	struct ss_text sentence;
	for (size_t i = 0; i < SENTENCES_LIMIT && passage_next_sentence(&content, &sentence); i++)
		add_text(texts, memory_text(sentence.data, sentence.length));
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
	struct knowledge *knowledge, const struct articles *articles, struct knowledge_texts *texts)
{
	for (size_t i = 0; i < articles->count; i++) {
		const struct ss_value *article = articles->items[i];
		knowledge->articles[i] = value_ref(article);
		knowledge->rows[i] = texts->count;
		add_questions(texts, article);
		knowledge->passage_rows[i] = texts->count;
		add_passages(texts, article);
		add_words(knowledge->lexical, article);
	}
	knowledge->rows[articles->count] = texts->count;
	knowledge->vector_count = texts->count;
	knowledge->article_of = memory_array(texts->count, sizeof(size_t));
	for (size_t i = 0; i < articles->count; i++) {
		for (size_t row = knowledge->rows[i]; row < knowledge->rows[i + 1]; row++)
			knowledge->article_of[row] = i;
		knowledge->sentence_rows[i] = texts->count;
		add_sentences(texts, articles->items[i]);
	}
	knowledge->sentence_rows[articles->count] = texts->count;
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
	knowledge->count = articles->count;
	knowledge->articles = memory_array(articles->count, sizeof(struct ss_value *));
	knowledge->rows = memory_array(articles->count + 1, sizeof(size_t));
	knowledge->passage_rows = memory_array(articles->count, sizeof(size_t));
	knowledge->sentence_rows = memory_array(articles->count + 1, sizeof(size_t));
	knowledge->lexical_scores = memory_array(articles->count, sizeof(struct lexical_score));
	knowledge->is_candidate = memory_array(articles->count, sizeof(bool));
	add_articles(knowledge, articles, &texts);
	int result = knowledge_fill(knowledge, &texts, err);
	if (result == 0)
		result = knowledge_calibrate(knowledge, err);
	for (size_t i = 0; i < texts.count; i++)
		free(texts.items[i]);
	free(texts.items);
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
	free(knowledge->sentence_rows);
	free(knowledge->article_of);
	free(knowledge->vectors);
	free(knowledge->lexical_scores);
	free(knowledge->is_candidate);
	free(knowledge);
}
