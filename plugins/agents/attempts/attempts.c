/*
 * The agent attempts: how many times the customer has asked this in the conversation. An earlier
 * message counts when its embedding is near enough to this one's.
 */
#include <smartsupport/smartsupport.h>

#include <stdlib.h>
#include <string.h>

enum { FIELD_MESSAGE, FIELD_HISTORY, FIELD_ATTEMPTS };
enum { OPTION_SIMILARITY, OPTION_LOOK_BACK };

struct attempts {
	const struct ss_host *host;
	double similarity;
	size_t look_back; /* customer messages */
};

static int create(const struct ss_setup *setup, void **instance, struct ss_error *err)
{
	const struct ss_value_functions *values = setup->host->values;
	struct attempts *attempts = calloc(1, sizeof *attempts);
	if (attempts == NULL)
		return ss_fail(err, "out of memory");
	attempts->host = setup->host;
	attempts->similarity = values->as_number(setup->options[OPTION_SIMILARITY]);
	attempts->look_back = (size_t)values->as_int(setup->options[OPTION_LOOK_BACK]);
	*instance = attempts;
	return 0;
}

static void destroy(void *instance)
{
	free(instance);
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
	size_t asked = 1;
	if (err != NULL) {
		attempts->host->finish(run, SS_FAILED, err);
		return;
	}
	for (size_t i = 1; i < count; i++)
		asked += cosine(vectors[0], vectors[i], dimension) >= attempts->similarity;
	if (write_count(attempts, run, asked, &why) < 0)
		attempts->host->finish(run, SS_FAILED, &why);
	else
		attempts->host->finish(run, SS_DONE, NULL);
}

/* Writes the customer's last messages in HISTORY, newest first, to TEXTS, at most LIMIT. Returns how many. */
static size_t earlier_messages(const struct ss_value_functions *values,
	const struct ss_value *history, size_t limit, struct ss_text *texts)
{
	size_t count = 0;
	for (size_t i = values->count(history); i > 0 && count < limit; i--) {
		const struct ss_value *message = values->at(history, i - 1);
		const struct ss_value *content = values->get(message, "content");
		if (strcmp(values->as_string(values->get(message, "role"), NULL), "user") != 0)
			continue;
		struct ss_text text = {0};
		text.data = values->as_string(content, &text.length);
		if (text.length > 0)
			texts[count++] = text;
	}
	return count;
}

static enum ss_result run(void *instance, struct ss_run *run, struct ss_error *err)
{
	const struct attempts *attempts = instance;
	const struct ss_host *host = attempts->host;
	const struct ss_value *history = host->read(run, FIELD_HISTORY);
	struct ss_text *texts = host->allocate(run, (1 + attempts->look_back) * sizeof *texts);
	size_t earlier = earlier_messages(host->values, history, attempts->look_back, texts + 1);
	if (earlier == 0)
		return write_count(attempts, run, 1, err) < 0 ? SS_FAILED : SS_DONE;
	texts[0].data = host->values->as_string(host->read(run, FIELD_MESSAGE), &texts[0].length);
	if (host->embed(run, texts, 1 + earlier, embedded, err) < 0)
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
		.help = "How many of the customer's last messages are compared."},
	{.name = NULL},
};

static const struct ss_field fields[] = {
	[FIELD_MESSAGE] = {"message", SS_STRING, SS_READS, "What the customer wrote."},
	[FIELD_HISTORY] = {"history", SS_LIST, SS_READS,
		"The conversation so far: maps with role (user or assistant) and content, oldest "
		"first."},
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
	.summary = "Counts how often the customer has asked the same thing in this conversation.",
	.options = options,
	.fields = fields,
	.services = SS_USES_EMBEDDER,
	.agent = &operations,
};
