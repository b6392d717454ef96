/* The agent my_plugin: which of some words the customer's message has. Read it from the bottom. */
#include <smartsupport/smartsupport.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The rows of the tables below. */
enum { OPTION_WORDS };
enum { FIELD_MESSAGE, FIELD_FOUND };

/* One node of a workflow. */
struct my_plugin {
	const struct ss_host *host;
	struct ss_value *words; /* a list of strings */
};

static void destroy(void *instance)
{
	struct my_plugin *my_plugin = instance;
	my_plugin->host->values->unref(my_plugin->words);
	free(my_plugin);
}

static int create(const struct ss_setup *setup, void **instance, struct ss_error *err)
{
	const struct ss_value_functions *values = setup->host->values;
	const struct ss_value *words = setup->options[OPTION_WORDS];
	if (values->count(words) == 0)
		return ss_fail_as(err, SS_INVALID, "words is empty; name one at least");
	struct my_plugin *my_plugin = calloc(1, sizeof *my_plugin);
	if (my_plugin == NULL)
		return ss_fail(err, "out of memory");
	my_plugin->host = setup->host;
	my_plugin->words = values->ref(words);
	*instance = my_plugin;
	return 0;
}

/* Whether TEXT has WORD in it, whatever their case. */
static bool has(const char *text, const char *word)
{
	size_t length = strlen(word);
	while (*text != '\0' && strncasecmp(text, word, length) != 0)
		text++;
	return *text != '\0';
}

/* On the server's loop: it must not block. An agent that has to wait asks the host for something, returns SS_PENDING,
 * and calls host->finish() when the answer is there. */
static enum ss_result run(void *instance, struct ss_run *run, struct ss_error *err)
{
	const struct my_plugin *my_plugin = instance;
	const struct ss_host *host = my_plugin->host;
	const struct ss_value_functions *values = host->values;
	const char *message = values->as_string(host->read(run, FIELD_MESSAGE), NULL);
	struct ss_value *found = NULL;
	for (size_t i = 0; i < values->count(my_plugin->words) && found == NULL; i++) {
		const struct ss_value *word = values->at(my_plugin->words, i);
		if (has(message, values->as_string(word, NULL)))
			found = values->ref(word);
	}
	if (found == NULL)
		found = values->string("", 0);
	return host->write(run, FIELD_FOUND, found, err) < 0 ? SS_FAILED : SS_DONE;
}

/* What a workflow may write in this node's `options`; the server checks it before create() is called. */
static const struct ss_option options[] = {
	[OPTION_WORDS] = {.name = "words",
		.type = SS_OPTION_STRINGS,
		.fallback = "[urgent, deadline, outage]",
		.help = "What is looked for; upper and lower case are the same."},
	{.name = NULL},
};

/* What it reads and writes of the workflow's state. */
static const struct ss_field fields[] = {
	[FIELD_MESSAGE] = {"message", SS_STRING, SS_READS, "What the customer wrote."},
	[FIELD_FOUND] = {"found", SS_STRING, SS_WRITES,
		"The first of the words that is in the message, or nothing."},
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
	.name = "my_plugin",
	.version = "0.1.0",
	.licence = "MIT",
	.summary = "Tells which of some words a message has.",
	.options = options,
	.fields = fields,
	.agent = &operations,
};
