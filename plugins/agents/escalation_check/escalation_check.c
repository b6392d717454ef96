/*
 * The agent escalation_check: whether a question goes to a human, and by which rules. Every rule that
 * fires is named with its value, so that the decision explains itself.
 */
#include "common/keywords.h"

#include <smartsupport/smartsupport.h>

#include <stdlib.h>
#include <string.h>

enum {
	FIELD_MESSAGE,
	FIELD_SENTIMENT,
	FIELD_PRIORITY,
	FIELD_ATTEMPTS,
	FIELD_ESCALATED,
	FIELD_REASON,
};

enum {
	OPTION_MIN_PRIORITY,
	OPTION_SENTIMENTS,
	OPTION_MIN_ATTEMPTS,
	OPTION_KEYWORDS,
	OPTION_NOT_KEYWORDS,
	OPTION_REFUSALS,
	OPTION_REFUSAL_REACH,
};

enum {
	FOUND_LIMIT = 64, /* keywords and exceptions in a message */
	NAMED_LIMIT = 8,  /* keywords that a reason names; more would tell a reader nothing */
};

/* The label of phrases in which no keyword counts. */
static const char no_keyword[] = "";

struct escalation_check {
	const struct ss_host *host;
	int64_t min_priority;
	int64_t min_attempts;
	struct ss_value *sentiments;
	struct keywords *keywords;
	struct keywords *refusals;
	size_t refusal_reach; /* words */
};

/* A sentence that grows, with "; " between its parts. */
struct reason {
	char text[1000];
	size_t length;
};

__attribute__((format(printf, 2, 3))) static void add_reason(
	struct reason *reason, const char *format, ...)
{
	va_list arguments;
	size_t left = sizeof reason->text - reason->length;
	if (reason->length > 0 && left > 2) {
		memcpy(reason->text + reason->length, "; ", 3);
		reason->length += 2;
		left -= 2;
	}
	va_start(arguments, format);
	int added = vsnprintf(reason->text + reason->length, left, format, arguments);
	va_end(arguments);
	if (added > 0)
		reason->length += (size_t)added < left ? (size_t)added : left - 1;
}

/* A sentiment that the field never has is a slip in the configuration. */
static int check_sentiments(const struct ss_setup *setup, struct ss_error *err)
{
	const struct ss_value_functions *values = setup->host->values;
	const struct ss_value *known = setup->field_values[FIELD_SENTIMENT];
	const struct ss_value *wanted = setup->options[OPTION_SENTIMENTS];
	for (size_t i = 0; known != NULL && i < values->count(wanted); i++) {
		const char *name = values->as_string(values->at(wanted, i), NULL);
		size_t k = 0;
		while (k < values->count(known) &&
			strcmp(values->as_string(values->at(known, k), NULL), name) != 0)
			k++;
		if (k == values->count(known))
			return ss_fail_as(err, SS_INVALID,
				"sentiments: \"%.40s\" is no value of the field sentiment", name);
	}
	return 0;
}

/* Every keyword stands for itself, every exception for none. */
static struct keywords *make_keywords(const struct ss_setup *setup, struct ss_error *err)
{
	const struct ss_value_functions *values = setup->host->values;
	const struct ss_value *words = setup->options[OPTION_KEYWORDS];
	size_t count = values->count(words);
	const char **keys = calloc(count + 1, sizeof *keys);
	struct ss_value **lists = calloc(count + 1, sizeof(struct ss_value *));
	struct keywords *keywords = NULL;
	if (keys == NULL || lists == NULL) {
		(void)ss_fail(err, "out of memory");
		goto done;
	}
	for (size_t i = 0; i < count; i++) {
		struct ss_value *word = values->ref(values->at(words, i));
		keys[i] = values->as_string(word, NULL);
		lists[i] = values->list(&word, 1);
	}
	keys[count] = no_keyword;
	lists[count] = values->ref(setup->options[OPTION_NOT_KEYWORDS]);
	struct ss_value *map = values->map(keys, lists, count + 1);
	keywords = keywords_new(values, map, err);
	values->unref(map);
done:
	free(keys);
	free(lists);
	return keywords;
}

static struct keywords *make_refusals(const struct ss_setup *setup, struct ss_error *err)
{
	static const char *const label[] = {"refusals"};
	const struct ss_value_functions *values = setup->host->values;
	struct ss_value *list = values->ref(setup->options[OPTION_REFUSALS]);
	struct ss_value *map = values->map(label, &list, 1);
	struct keywords *refusals = keywords_new(values, map, err);
	values->unref(map);
	return refusals;
}

static void destroy(void *instance)
{
	struct escalation_check *check = instance;
	check->host->values->unref(check->sentiments);
	keywords_free(check->keywords);
	keywords_free(check->refusals);
	free(check);
}

static int create(const struct ss_setup *setup, void **instance, struct ss_error *err)
{
	const struct ss_value_functions *values = setup->host->values;
	if (check_sentiments(setup, err) < 0)
		return -1;
	struct escalation_check *check = calloc(1, sizeof *check);
	if (check == NULL)
		return ss_fail(err, "out of memory");
	check->host = setup->host;
	check->min_priority = values->as_int(setup->options[OPTION_MIN_PRIORITY]);
	check->min_attempts = values->as_int(setup->options[OPTION_MIN_ATTEMPTS]);
	check->sentiments = values->ref(setup->options[OPTION_SENTIMENTS]);
	check->refusal_reach = (size_t)values->as_int(setup->options[OPTION_REFUSAL_REACH]);
	check->keywords = make_keywords(setup, err);
	if (check->keywords != NULL)
		check->refusals = make_refusals(setup, err);
	if (check->refusals == NULL) {
		destroy(check);
		return -1;
	}
	*instance = check;
	return 0;
}

static void check_numbers(
	const struct escalation_check *check, struct ss_run *run, struct reason *reason)
{
	const struct ss_host *host = check->host;
	int64_t priority = host->values->as_int(host->read(run, FIELD_PRIORITY));
	int64_t attempts = host->values->as_int(host->read(run, FIELD_ATTEMPTS));
	if (priority >= check->min_priority)
		add_reason(reason, "priority %lld >= %lld", (long long)priority,
			(long long)check->min_priority);
	if (attempts >= check->min_attempts)
		add_reason(reason, "attempts %lld >= %lld", (long long)attempts,
			(long long)check->min_attempts);
}

static void check_sentiment(
	const struct escalation_check *check, struct ss_run *run, struct reason *reason)
{
	const struct ss_value_functions *values = check->host->values;
	const char *sentiment = values->as_string(check->host->read(run, FIELD_SENTIMENT), NULL);
	for (size_t i = 0; i < values->count(check->sentiments); i++) {
		const char *name = values->as_string(values->at(check->sentiments, i), NULL);
		if (strcmp(name, sentiment) == 0)
			add_reason(reason, "sentiment %s", sentiment);
	}
}

static void check_message(
	const struct escalation_check *check, struct ss_run *run, struct reason *reason)
{
	const char *found[FOUND_LIMIT];
	size_t named = 0;
	struct ss_text message = {0};
	message.data = check->host->values->as_string(
		check->host->read(run, FIELD_MESSAGE), &message.length);
	const struct keywords_refusals refusals = {check->refusals, check->refusal_reach};
	size_t count = keywords_find_all(check->keywords, &refusals, message, found, FOUND_LIMIT);
	for (size_t i = 0; i < count && named < NAMED_LIMIT; i++) {
		if (found[i][0] == '\0')
			continue;
		add_reason(reason, "keyword \"%.60s\"", found[i]);
		named++;
	}
}

static enum ss_result run(void *instance, struct ss_run *run, struct ss_error *err)
{
	const struct escalation_check *check = instance;
	const struct ss_host *host = check->host;
	struct reason reason = {.length = 0};
	check_numbers(check, run, &reason);
	check_sentiment(check, run, &reason);
	check_message(check, run, &reason);
	if (host->write(run, FIELD_ESCALATED, host->values->boolean(reason.length > 0), err) < 0 ||
		host->write(run, FIELD_REASON, host->values->string(reason.text, reason.length),
			err) < 0)
		return SS_FAILED;
	return SS_DONE;
}

static const struct ss_option options[] = {
	[OPTION_MIN_PRIORITY] = {.name = "min_priority",
		.type = SS_OPTION_INT,
		.fallback = "8",
		.min = 1,
		.max = 1000,
		.help = "The priority from which on a question goes to a human."},
	[OPTION_SENTIMENTS] = {.name = "sentiments",
		.type = SS_OPTION_STRINGS,
		.fallback = "[Angry]",
		.help = "The sentiments whose questions go to a human."},
	[OPTION_MIN_ATTEMPTS] = {.name = "min_attempts",
		.type = SS_OPTION_INT,
		.fallback = "3",
		.min = 1,
		.max = 1000,
		.help = "How often something may be asked before it goes to a human."},
	[OPTION_KEYWORDS] = {.name = "keywords",
		.type = SS_OPTION_STRINGS,
		.fallback = "[lawsuit, legal action, legal department, attorney, lawyer, sue, "
			    "manager, supervisor, "
			    "refund immediately, unacceptable, chargeback, human agent, a human, "
			    "human being, real person, someone real, speak to a person, "
			    "speak with a person, talk to a person, speak to someone, "
			    "talk to someone, put me through, live agent, ombudsman, "
			    "consumer protection]",
		.help = "Whole words and phrases, in any case, that ask for a human."},
	[OPTION_NOT_KEYWORDS] = {.name = "not_keywords",
		.type = SS_OPTION_STRINGS,
		.fallback = "[password manager, file manager, task manager, package manager, "
			    "device manager, boot manager, window manager, tag manager, "
			    "project manager, product manager, download manager, my manager, "
			    "our manager, manager role, role manager, as manager, as a manager, "
			    "i am the manager, i'm the manager, i am a manager, i'm a manager, "
			    "my supervisor, our supervisor, "
			    "i am the supervisor, i'm the supervisor, i am a supervisor, "
			    "i'm a supervisor, as a supervisor, as supervisor, i am a lawyer, "
			    "i'm a lawyer, as a lawyer, colleague sue, sue from, ask sue, "
			    "hi sue, hello sue, dear sue, i am sue, i'm sue, my name is sue, "
			    "are you a human, are you a real person, is this a human, "
			    "is this a real person, talking to a human, talking to a real person, "
			    "bot or a human, bot or a real person, computer or a human, "
			    "computer or to a human, machine or a human, human or a bot, "
			    "human or a machine, human or a computer]",
		.help = "Phrases in which a keyword is no wish for a human."},
	[OPTION_REFUSALS] = {.name = "refusals",
		.type = SS_OPTION_STRINGS,
		.fallback = "[no need, not need, don't need, dont need, do not connect, "
			    "don't connect, dont connect, do not transfer, don't transfer, "
			    "dont transfer, do not pass, don't pass, do not forward, "
			    "don't forward, do not put, don't put, do not send, don't send, "
			    "not want to talk, don't want to talk, dont want to talk, "
			    "not want to speak, don't want to speak, dont want to speak, "
			    "rather not talk, rather not speak]",
		.help = "Phrases that refuse: a keyword that begins within refusal_reach words "
			"behind one, in the same clause, is no wish for a human."},
	[OPTION_REFUSAL_REACH] = {.name = "refusal_reach",
		.type = SS_OPTION_INT,
		.fallback = "6",
		.min = 0,
		.max = 50,
		.help = "How many words a refusal reaches."},
	{.name = NULL},
};

static const struct ss_field fields[] = {
	[FIELD_MESSAGE] = {"message", SS_STRING, SS_READS, "What the customer wrote."},
	[FIELD_SENTIMENT] = {"sentiment", SS_STRING, SS_READS, "The customer's mood."},
	[FIELD_PRIORITY] = {"priority", SS_INT, SS_READS, "How urgent the question is."},
	[FIELD_ATTEMPTS] = {"attempts", SS_INT, SS_READS | SS_OPTIONAL,
		"How often the customer has asked this."},
	[FIELD_ESCALATED] = {"escalated", SS_BOOL, SS_WRITES, "Whether a human takes over."},
	[FIELD_REASON] = {"escalation_reason", SS_STRING, SS_WRITES,
		"The rules that fired, with their values; empty when none did."},
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
	.name = "escalation_check",
	.version = "1.0.0",
	.licence = "MIT",
	.summary =
		"Decides by priority, sentiment, attempts and keywords whether a human takes over.",
	.options = options,
	.fields = fields,
	.agent = &operations,
};
