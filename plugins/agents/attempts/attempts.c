/*
 * The agent attempts: how many times the customer has asked this. An earlier message counts when its
 * embedding is near enough to this one's, whether it was written in this conversation or in another one. "It
 * still does not work" asks again what the conversation was about before.
 */
#include "common/keywords.h"

#include <smartsupport/smartsupport.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	FIELD_MESSAGE,
	FIELD_HISTORY,
	FIELD_RECENT,
	FIELD_ASKED_AT,
	FIELD_SMALL_TALK,
	FIELD_ATTEMPTS
};
enum { OPTION_SIMILARITY, OPTION_LOOK_BACK, OPTION_WINDOW, OPTION_AGAIN };

struct attempts {
	const struct ss_host *host;
	double similarity;
	size_t look_back; /* customer messages */
	int64_t window_s;
	struct keywords *again;
};

/* Something that the customer asked, and how often: once, and again with every "it still does not work" that
 * followed. */
struct asked {
	struct ss_text text;
	size_t times;
};

/* What is asked now, and what was asked before. */
struct questions {
	struct ss_text now;
	struct asked *earlier;
	size_t count;
};

static void destroy(void *instance)
{
	struct attempts *attempts = instance;
	keywords_free(attempts->again);
	free(attempts);
}

static int create(const struct ss_setup *setup, void **instance, struct ss_error *err)
{
	static const char *const label[] = {"again"};
	const struct ss_value_functions *values = setup->host->values;
	struct attempts *attempts = calloc(1, sizeof *attempts);
	if (attempts == NULL)
		return ss_fail(err, "out of memory");
	attempts->host = setup->host;
	attempts->similarity = values->as_number(setup->options[OPTION_SIMILARITY]);
	attempts->look_back = (size_t)values->as_int(setup->options[OPTION_LOOK_BACK]);
	attempts->window_s = (int64_t)values->as_number(setup->options[OPTION_WINDOW]);
	struct ss_value *phrases = values->ref(setup->options[OPTION_AGAIN]);
	struct ss_value *map = values->map(label, &phrases, 1);
	attempts->again = keywords_new(values, map, err);
	values->unref(map);
	if (attempts->again == NULL) {
		destroy(attempts);
		return -1;
	}
	*instance = attempts;
	return 0;
}

static struct ss_text text_of(const struct ss_value_functions *values, const struct ss_value *value)
{
	struct ss_text text = {0};
	text.data = values->as_string(value, &text.length);
	return text;
}

/* Seconds since 1970 of VALUE, an RFC 3339 time in UTC; -1 when it is none. */
static int64_t seconds_of(const struct ss_value_functions *values, const struct ss_value *value)
{
	struct tm parts = {0};
	const char *text = values->as_string(value, NULL);
	return strptime(text, "%Y-%m-%dT%H:%M:%S", &parts) != NULL ? (int64_t)timegm(&parts) : -1;
}

/* Whether MESSAGE is of the customer, and was written within the window before NOW_S. What has no time was. */
static bool counts(const struct attempts *attempts, const struct ss_value *message, int64_t now_s)
{
	const struct ss_value_functions *values = attempts->host->values;
	int64_t at_s = seconds_of(values, values->get(message, "at"));
	if (strcmp(values->as_string(values->get(message, "role"), NULL), "user") != 0)
		return false;
	return at_s < 0 || now_s < 0 || now_s - at_s <= attempts->window_s;
}

/* The customer's last messages of LIST, oldest first, to MESSAGES. Returns how many. */
static size_t last_messages(const struct attempts *attempts, const struct ss_value *list,
	int64_t now_s, struct ss_text *messages)
{
	const struct ss_value_functions *values = attempts->host->values;
	size_t free_at = attempts->look_back;
	for (size_t i = values->count(list); i > 0 && free_at > 0; i--) {
		const struct ss_value *message = values->at(list, i - 1);
		struct ss_text text = text_of(values, values->get(message, "content"));
		if (text.length > 0 && counts(attempts, message, now_s))
			messages[--free_at] = text;
	}
	size_t count = attempts->look_back - free_at;
	memmove(messages, messages + free_at, count * sizeof *messages);
	return count;
}

/* Adds MESSAGES to what was asked earlier. The first that ask again, without a question before, are dropped. */
static void add_messages(const struct attempts *attempts, const struct ss_text *messages,
	size_t count, struct questions *questions)
{
	struct asked *last = NULL;
	for (size_t i = 0; i < count; i++) {
		if (!keywords_begin_clause(attempts->again, messages[i])) {
			last = &questions->earlier[questions->count++];
			*last = (struct asked){messages[i], 1};
		} else if (last != NULL) {
			last->times++;
		}
	}
}

/* What RUN is about. The last question of the conversation is the last one in `earlier`. */
static struct questions questions_of(const struct attempts *attempts, struct ss_run *run)
{
	const struct ss_host *host = attempts->host;
	const struct ss_value *history = host->read(run, FIELD_HISTORY);
	int64_t now_s = seconds_of(host->values, host->read(run, FIELD_ASKED_AT));
	struct ss_text *messages =
		host->allocate(run, (attempts->look_back + 1) * sizeof *messages);
	struct questions questions = {
		.now = text_of(host->values, host->read(run, FIELD_MESSAGE)),
		.earlier = host->allocate(
			run, (2 * attempts->look_back + 1) * sizeof *questions.earlier),
	};
	size_t count = last_messages(attempts, host->read(run, FIELD_RECENT), now_s, messages);
	add_messages(attempts, messages, count, &questions);
	size_t elsewhere = questions.count;
	count = last_messages(attempts, history, now_s, messages);
	add_messages(attempts, messages, count, &questions);
	if (questions.count > elsewhere && keywords_begin_clause(attempts->again, questions.now))
		questions.now = questions.earlier[questions.count - 1].text;
	return questions;
}

static int write_count(
	const struct attempts *attempts, struct ss_run *run, size_t count, struct ss_error *err)
{
	const struct ss_host *host = attempts->host;
	return host->write(run, FIELD_ATTEMPTS, host->values->integer((int64_t)count), err);
}

/* The inner product, which is the cosine of vectors of length 1. */
static double cosine(const float *a, const float *b, size_t dimension)
{
	double sum = 0;
	for (size_t i = 0; i < dimension; i++)
		sum += (double)a[i] * (double)b[i];
	return sum;
}

static void embedded(void *instance, struct ss_run *run, const float *const *vectors, size_t count,
	size_t dimension, const struct ss_error *err)
{
	const struct attempts *attempts = instance;
	struct ss_error why = {0};
	size_t times = 1;
	if (err != NULL) {
		attempts->host->finish(run, SS_FAILED, err);
		return;
	}
	const struct questions questions = questions_of(attempts, run);
	for (size_t i = 1; i < count; i++) {
		if (cosine(vectors[0], vectors[i], dimension) >= attempts->similarity)
			times += questions.earlier[i - 1].times;
	}
	if (write_count(attempts, run, times, &why) < 0)
		attempts->host->finish(run, SS_FAILED, &why);
	else
		attempts->host->finish(run, SS_DONE, NULL);
}

static enum ss_result run(void *instance, struct ss_run *run, struct ss_error *err)
{
	const struct attempts *attempts = instance;
	const struct ss_host *host = attempts->host;
	const struct questions questions = questions_of(attempts, run);
	bool asks = text_of(host->values, host->read(run, FIELD_SMALL_TALK)).length == 0;
	if (!asks || questions.count == 0)
		return write_count(attempts, run, 1, err) < 0 ? SS_FAILED : SS_DONE;
	struct ss_text *texts = host->allocate(run, (1 + questions.count) * sizeof *texts);
	texts[0] = questions.now;
	for (size_t i = 0; i < questions.count; i++)
		texts[1 + i] = questions.earlier[i].text;
	if (host->embed(run, texts, 1 + questions.count, embedded, err) < 0)
		return SS_FAILED;
	return SS_PENDING;
}

/* The default similarity fits all-MiniLM-L6-v2: of 25 pairs of a question and its rewording it found 19, of
 * 25 pairs of different questions about one topic it took 2 for the same. */
static const struct ss_option options[] = {
	[OPTION_SIMILARITY] = {.name = "similarity",
		.type = SS_OPTION_NUMBER,
		.fallback = "0.82",
		.min = -1,
		.max = 1,
		.help = "The cosine of two messages' embeddings from which on they ask the same."},
	[OPTION_LOOK_BACK] = {.name = "look_back",
		.type = SS_OPTION_INT,
		.fallback = "10",
		.min = 0,
		.max = 100,
		.help = "How many of the customer's last messages are compared, of this "
			"conversation and of the others each."},
	[OPTION_WINDOW] = {.name = "window",
		.type = SS_OPTION_DURATION,
		.fallback = "24h",
		.min = 1,
		.max = 31536000,
		.help = "How long ago a message may have been written that counts."},
	[OPTION_AGAIN] = {.name = "again",
		.type = SS_OPTION_STRINGS,
		.fallback = "[it still, that still, this still, is still not, still not, "
			    "still no, still nothing, still does not, still doesn't, "
			    "still doesnt, still did not, still didn't, still fails, "
			    "still broken, still happening, still the same, "
			    "still getting the same, still have the same, did not work, "
			    "didn't work, didnt work, does not work, doesn't work, "
			    "doesnt work, did not help, didn't help, didnt help, "
			    "does not help, doesn't help, doesnt help, did not solve, "
			    "didn't solve, does not solve, doesn't solve, did not fix, "
			    "didn't fix, does not fix, doesn't fix, you did not help, "
			    "you didn't help, your answer did not, your answer didn't, "
			    "your answer does not, your answer doesn't, not helpful, "
			    "was not helpful, wasn't helpful, not working, is not working, "
			    "isn't working, not solved, is not solved, not fixed, "
			    "is not fixed, has not fixed, has not solved, has not helped, "
			    "no luck, no success, no change, nothing changed, "
			    "nothing has changed, nothing helped, none of this, "
			    "none of that, none of these, none of it, same problem, "
			    "same error, same issue, same as before, "
			    "is the same as before, the same problem, the same error, "
			    "the problem persists, the error persists, "
			    "the problem remains, the problem is still, "
			    "the error is still, keeps happening, happened again, "
			    "happens again, i tried that, i tried this, i tried it, "
			    "i tried all of, i tried everything you, i already tried, "
			    "i already did, i have already tried, i have tried that, "
			    "i've tried that, i did that, i did all of, "
			    "i did all the steps, i have done all, i've done all, "
			    "i followed, tried that, tried this, tried everything you, "
			    "tried all of]",
		.help = "What a message says that asks again what the conversation was about: a "
			"clause of it begins with one of these phrases."},
	{.name = NULL},
};

static const struct ss_field fields[] = {
	[FIELD_MESSAGE] = {"message", SS_STRING, SS_READS, "What the customer wrote."},
	[FIELD_HISTORY] = {"history", SS_LIST, SS_READS,
		"The conversation so far: maps with role (user or assistant), content and at (RFC "
		"3339), oldest first."},
	[FIELD_RECENT] = {"recent", SS_LIST, SS_READS | SS_OPTIONAL,
		"The same of what the customer wrote last in other conversations."},
	[FIELD_ASKED_AT] = {"asked_at", SS_STRING, SS_READS | SS_OPTIONAL,
		"When the message was written, RFC 3339; without it the window has no end."},
	[FIELD_SMALL_TALK] = {"small_talk", SS_STRING, SS_READS | SS_OPTIONAL,
		"Not empty when the message asks nothing, as \"thanks!\" does not; it is no "
		"attempt then."},
	[FIELD_ATTEMPTS] = {"attempts", SS_INT, SS_WRITES,
		"How often the customer has asked this, 1 for the first time."},
	{.name = NULL},
};

static const struct ss_agent_operations operations = {
	.create = create,
	.destroy = destroy,
	.run = run,
};

SS_EXPORT const struct ss_plugin smartsupport_plugin = {
	.abi_major = SS_ABI_MAJOR,
	.abi_minor = SS_ABI_MINOR,
	.struct_size = sizeof(struct ss_plugin),
	.kind = SS_AGENT,
	.name = "attempts",
	.version = "1.0.0",
	.licence = "MIT",
	.summary = "Counts how often the customer has asked the same thing.",
	.options = options,
	.fields = fields,
	.services = SS_USES_EMBEDDER,
	.agent = &operations,
};
