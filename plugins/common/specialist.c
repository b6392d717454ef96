#include "common/specialist.h"

#include <stdlib.h>
#include <string.h>

enum {
	FIELD_MESSAGE,
	FIELD_SENTIMENT,
	FIELD_KB_RESULTS,
	FIELD_HISTORY,
	FIELD_ANSWER,
	FIELD_ANSWERED,
	FIELD_SOURCES,
	FIELD_ANSWERED_BY,
};

enum { ABSTAIN_SIZE = 2000 };

struct specialist {
	const struct ss_host *host;
	char *name;
	struct ss_value *openings; /* sentiment to sentence */
	struct ss_value *abstain;
	bool prompted; /* there is a prompt for the model */
	specialist_ask *ask;
};

const struct ss_field specialist_fields[] = {
	[FIELD_MESSAGE] = {"message", SS_STRING, SS_READS, "What the customer wrote."},
	[FIELD_SENTIMENT] = {"sentiment", SS_STRING, SS_READS, "The customer's mood."},
	[FIELD_KB_RESULTS] = {"kb_results", SS_LIST, SS_READS,
		"The articles that fit, best first: maps with id, title, content and score."},
	[FIELD_HISTORY] = {"history", SS_LIST, SS_READS | SS_OPTIONAL,
		"The conversation so far, oldest first."},
	[FIELD_ANSWER] = {"answer", SS_STRING, SS_WRITES, "The answer, without its sources."},
	[FIELD_ANSWERED] = {"answered", SS_BOOL, SS_WRITES,
		"Whether an article answers the question; false when the agent abstained."},
	[FIELD_SOURCES] = {"sources", SS_LIST, SS_WRITES | SS_OPTIONAL,
		"The articles that the answer comes from: maps with id and title."},
	[FIELD_ANSWERED_BY] = {"answered_by", SS_STRING, SS_WRITES | SS_OPTIONAL,
		"The model that answered; empty when none was asked."},
	{.name = NULL},
};

int specialist_create(
	const struct ss_setup *setup, specialist_ask *ask, void **instance, struct ss_error *err)
{
	struct specialist *specialist = calloc(1, sizeof *specialist);
	if (specialist == NULL || (specialist->name = strdup(setup->name)) == NULL) {
		free(specialist);
		return ss_fail(err, "out of memory");
	}
	specialist->host = setup->host;
	specialist->openings = setup->host->values->ref(setup->options[SPECIALIST_OPENINGS]);
	specialist->abstain = setup->host->values->ref(setup->options[SPECIALIST_ABSTAIN]);
	specialist->prompted =
		setup->host->values->as_string(setup->options[SPECIALIST_PROMPT], NULL)[0] != '\0';
	specialist->ask = ask;
	*instance = specialist;
	return 0;
}

void specialist_destroy(void *instance)
{
	struct specialist *specialist = instance;
	specialist->host->values->unref(specialist->openings);
	specialist->host->values->unref(specialist->abstain);
	free(specialist->name);
	free(specialist);
}

/* OPENING, an empty line and TEXT as one string; without an opening TEXT alone. */
static struct ss_value *join(
	const struct ss_value_functions *values, const char *opening, struct ss_text text)
{
	size_t length = strlen(opening);
	char *joined = malloc(length + 2 + text.length);
	if (length == 0 || joined == NULL) {
		free(joined);
		return values->string(text.data, text.length);
	}
	memcpy(joined, opening, length);
	memcpy(joined + length, "\n\n", 2);
	memcpy(joined + length + 2, text.data, text.length);
	struct ss_value *value = values->string(joined, length + 2 + text.length);
	free(joined);
	return value;
}

static const char *opening(const struct specialist *specialist, struct ss_run *run)
{
	const struct ss_value_functions *values = specialist->host->values;
	const char *sentiment =
		values->as_string(specialist->host->read(run, FIELD_SENTIMENT), NULL);
	return values->as_string(values->get(specialist->openings, sentiment), NULL);
}

/* The articles with the ids in IDS, as maps with id and title. */
static struct ss_value *sources_of(const struct ss_value_functions *values,
	const struct ss_value *articles, const struct ss_value *ids)
{
	static const char *const keys[] = {"id", "title"};
	size_t count = 0;
	struct ss_value **items = calloc(values->count(ids) + 1, sizeof(struct ss_value *));
	for (size_t i = 0; items != NULL && i < values->count(ids); i++) {
		const char *id = values->as_string(values->at(ids, i), NULL);
		for (size_t k = 0; k < values->count(articles); k++) {
			const struct ss_value *article = values->at(articles, k);
			const struct ss_value *found = values->get(article, "id");
			if (strcmp(values->as_string(found, NULL), id) != 0)
				continue;
			const struct ss_value *title = values->get(article, "title");
			struct ss_value *entry[] = {values->ref(found), values->ref(title)};
			items[count++] = values->map(keys, entry, 2);
			break;
		}
	}
	struct ss_value *sources = values->list(items, count);
	free(items);
	return sources;
}

/* Writes the four results; ANSWER and SOURCES are taken. */
static int write_answer(const struct specialist *specialist, struct ss_run *run,
	struct ss_value *answer, bool answered, struct ss_value *sources, const char *by,
	struct ss_error *err)
{
	const struct ss_host *host = specialist->host;
	struct ss_value *by_value = host->values->string(by, strlen(by));
	/* All are handed over in any case, since write() takes them. */
	int result = host->write(run, FIELD_ANSWER, answer, err);
	result |= host->write(run, FIELD_ANSWERED, host->values->boolean(answered), err);
	result |= host->write(run, FIELD_SOURCES, sources, err);
	result |= host->write(run, FIELD_ANSWERED_BY, by_value, err);
	return result < 0 ? -1 : 0;
}

static enum ss_result abstain(
	const struct specialist *specialist, struct ss_run *run, struct ss_error *err)
{
	const struct ss_value_functions *values = specialist->host->values;
	char text[ABSTAIN_SIZE];
	struct ss_text message = {0};
	message.data =
		values->as_string(specialist->host->read(run, FIELD_MESSAGE), &message.length);
	(void)snprintf(text, sizeof text, "%s", values->as_string(specialist->abstain, NULL));
	if (specialist->ask != NULL)
		specialist->ask(message, text, sizeof text);
	/* Without the opening, which leads over to an answer. */
	specialist->host->emit(run, (struct ss_text){text, strlen(text)});
	struct ss_value *answer = values->string(text, strlen(text));
	int result = write_answer(specialist, run, answer, false, values->list(NULL, 0), "", err);
	return result < 0 ? SS_FAILED : SS_DONE;
}

static void generated(void *instance, struct ss_run *run, struct ss_text answer,
	const struct ss_value *sources, const char *model, const struct ss_error *err)
{
	const struct specialist *specialist = instance;
	const struct ss_host *host = specialist->host;
	struct ss_error failure = {0};
	/* A model that has nothing to say from these articles has no answer. */
	if (err != NULL ? err->status == SS_NOT_FOUND : answer.length == 0) {
		host->finish(run, abstain(specialist, run, &failure), &failure);
		return;
	}
	if (err != NULL) {
		host->finish(run, SS_FAILED, err);
		return;
	}
	int result =
		write_answer(specialist, run, join(host->values, opening(specialist, run), answer),
			true, sources_of(host->values, host->read(run, FIELD_KB_RESULTS), sources),
			model, &failure);
	host->finish(run, result < 0 ? SS_FAILED : SS_DONE, &failure);
}

/* Shows what stands in front of the model's words, before it says any. */
static void emit_opening(const struct specialist *specialist, struct ss_run *run)
{
	const char *text = opening(specialist, run);
	if (text[0] == '\0')
		return;
	specialist->host->emit(run, (struct ss_text){text, strlen(text)});
	specialist->host->emit(run, (struct ss_text){"\n\n", 2});
}

/* What the model is told. Without it the model goes by its own rules. */
static struct ss_text instructions(const struct specialist *specialist, struct ss_run *run)
{
	const struct ss_host *host = specialist->host;
	struct ss_text text = {"", 0};
	struct ss_error err = {0};
	if (specialist->prompted && host->render(run, SPECIALIST_PROMPT, &text, &err) < 0)
		host->log(host, SS_LOG_WARNING, "the model gets no prompt: %s", err.text);
	return text;
}

enum ss_result specialist_run(void *instance, struct ss_run *run, struct ss_error *err)
{
	const struct specialist *specialist = instance;
	const struct ss_host *host = specialist->host;
	const struct ss_value *articles = host->read(run, FIELD_KB_RESULTS);
	if (host->values->count(articles) == 0)
		return abstain(specialist, run, err);
	struct ss_prompt prompt = {
		.struct_size = sizeof prompt,
		.instructions = instructions(specialist, run),
		.articles = articles,
		.history = host->read(run, FIELD_HISTORY),
	};
	prompt.question.data =
		host->values->as_string(host->read(run, FIELD_MESSAGE), &prompt.question.length);
	emit_opening(specialist, run);
	if (host->generate(run, &prompt, generated, err) < 0)
		return SS_FAILED;
	return SS_PENDING;
}
