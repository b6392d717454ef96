#include "learn/questions.h"

#include "base/memory.h"
#include "base/text.h"
#include "config/diagnostics.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

const char *const question_tasks[] = {
	[QUESTION_CATEGORY] = "category",
	[QUESTION_SENTIMENT] = "sentiment",
};

/* The members that are labels. */
static const char *const label_names[] = {"category", "sentiment", "article", "should_abstain"};

struct loader {
	struct question *items;
	size_t count, capacity;
};

static bool is_label(const char *name)
{
	for (size_t i = 0; i < array_length(label_names); i++) {
		if (strcmp(label_names[i], name) == 0)
			return true;
	}
	return false;
}

/* A line may have members of other tools, but no label that is misspelt. */
static int check_names(
	const struct ss_value *object, struct lines_place place, struct ss_error *err)
{
	char hint[100];
	size_t labels = 0;
	for (size_t i = 0; i < value_count(object); i++) {
		const char *name = value_key_at(object, i);
		labels += is_label(name);
		if (is_label(name) || strcmp(name, "text") == 0)
			continue;
		(void)diagnostics_hint(
			name, label_names, array_length(label_names), hint, sizeof hint);
		if (hint[0] != '\0')
			return ss_fail_as(err, SS_INVALID, "%s:%zu: there is no label \"%.*s\"%s",
				place.path, place.line, text_fit(name, 60), name, hint);
	}
	if (labels > 0)
		return 0;
	return ss_fail_as(err, SS_INVALID,
		"%s:%zu: the line has none of the labels category, sentiment, article and "
		"should_abstain",
		place.path, place.line);
}

/* Reads the label KEY, which may be missing, into *LABEL. */
static int read_label(const struct ss_value *object, const char *key, struct lines_place place,
	char **label, struct ss_error *err)
{
	const struct ss_value *value = value_get(object, key);
	if (value == NULL)
		return 0;
	if (lines_label(value, key, place, err) < 0)
		return -1;
	*label = memory_string(value_as_string(value, NULL));
	return 0;
}

static int read_article(const struct ss_value *object, struct lines_place place,
	struct question *question, struct ss_error *err)
{
	const struct ss_value *value = value_get(object, "article");
	if (value_type(value) == SS_INT)
		question->article = memory_format("%lld", (long long)value_as_int(value));
	else if (read_label(object, "article", place, &question->article, err) < 0)
		return -1;
	if (question->article != NULL)
		question->answer = ANSWER_EXISTS;
	return 0;
}

static int read_abstain(const struct ss_value *object, struct lines_place place,
	struct question *question, struct ss_error *err)
{
	const struct ss_value *value = value_get(object, "should_abstain");
	if (value == NULL)
		return 0;
	if (value_type(value) != SS_BOOL)
		return lines_refuse(value, "should_abstain", "must be true or false", place, err);
	if (value_as_bool(value) && question->article != NULL)
		return ss_fail_as(err, SS_INVALID,
			"%s:%zu: the line names an article and says should_abstain; leave one of "
			"them out",
			place.path, place.line);
	question->answer = value_as_bool(value) ? ANSWER_NONE : ANSWER_EXISTS;
	return 0;
}

static void free_question(struct question *question)
{
	free((char *)(uintptr_t)question->text.data);
	for (size_t i = 0; i < QUESTION_TASKS; i++)
		free(question->labels[i]);
	free(question->article);
}

static int add_line(void *context, const struct ss_value *object, struct lines_place place,
	struct ss_error *err)
{
	struct loader *loader = context;
	struct question question = {.place = place};
	struct ss_text text = lines_text(object, place, err);
	if (text.data == NULL || check_names(object, place, err) < 0)
		return -1;
	if (loader->count == QUESTIONS_LIMIT)
		return ss_fail_as(err, SS_LIMIT, "%s:%zu: there are more than %d questions",
			place.path, place.line, QUESTIONS_LIMIT);
	question.text = (struct ss_text){memory_text(text.data, text.length), text.length};
	for (size_t i = 0; i < QUESTION_TASKS; i++) {
		if (read_label(object, question_tasks[i], place, &question.labels[i], err) < 0)
			goto fail;
	}
	if (read_article(object, place, &question, err) < 0 ||
		read_abstain(object, place, &question, err) < 0)
		goto fail;
	if (loader->count == loader->capacity) {
		loader->capacity = loader->capacity * 2 + 64;
		loader->items =
			memory_resize(loader->items, loader->capacity, sizeof *loader->items);
	}
	loader->items[loader->count++] = question;
	return 0;
fail:
	free_question(&question);
	return -1;
}

struct questions *questions_load(const char *path, struct ss_error *err)
{
	struct loader loader = {0};
	int result = lines_read(path, add_line, &loader, err);
	if (result == 0 && loader.count == 0)
		result = ss_fail_as(err, SS_INVALID, "%s: has no questions", path);
	struct questions *questions = memory_make(struct questions);
	*questions = (struct questions){loader.items, loader.count};
	if (result == 0)
		return questions;
	questions_free(questions);
	return NULL;
}

void questions_free(struct questions *questions)
{
	if (questions == NULL)
		return;
	for (size_t i = 0; i < questions->count; i++)
		free_question(&questions->items[i]);
	free(questions->items);
	free(questions);
}
