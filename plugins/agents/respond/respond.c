/*
 * The agent respond: puts the customer's reply together: the answer, the articles that it comes from,
 * and a closing sentence.
 */
#include <smartsupport/smartsupport.h>

#include <stdlib.h>
#include <string.h>

enum { FIELD_ANSWER, FIELD_ANSWERED, FIELD_SOURCES, FIELD_RESPONSE };
enum { OPTION_SOURCE, OPTION_SOURCES, OPTION_CLOSING };

struct respond {
	const struct ss_host *host;
	struct ss_value *source;
	struct ss_value *sources;
	struct ss_value *closing;
};

static int create(const struct ss_setup *setup, void **instance, struct ss_error *err)
{
	const struct ss_value_functions *values = setup->host->values;
	struct respond *respond = calloc(1, sizeof *respond);
	if (respond == NULL)
		return ss_fail(err, "out of memory");
	respond->host = setup->host;
	respond->source = values->ref(setup->options[OPTION_SOURCE]);
	respond->sources = values->ref(setup->options[OPTION_SOURCES]);
	respond->closing = values->ref(setup->options[OPTION_CLOSING]);
	*instance = respond;
	return 0;
}

static void destroy(void *instance)
{
	struct respond *respond = instance;
	const struct ss_value_functions *values = respond->host->values;
	values->unref(respond->source);
	values->unref(respond->sources);
	values->unref(respond->closing);
	free(respond);
}

static void write_sources(
	const struct respond *respond, const struct ss_value *sources, FILE *stream)
{
	const struct ss_value_functions *values = respond->host->values;
	size_t count = values->count(sources);
	for (size_t i = 0; i < count; i++) {
		const struct ss_value *label = count == 1 ? respond->source : respond->sources;
		if (i == 0)
			(void)fprintf(stream, "\n\n%s", values->as_string(label, NULL));
		(void)fprintf(stream, "%s %s", i > 0 ? ";" : "",
			values->as_string(values->get(values->at(sources, i), "title"), NULL));
	}
}

static struct ss_value *compose(const struct respond *respond, struct ss_run *run)
{
	const struct ss_host *host = respond->host;
	const struct ss_value_functions *values = host->values;
	const char *closing = values->as_string(respond->closing, NULL);
	struct ss_text answer = {0};
	char *text = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&text, &length);
	if (stream == NULL)
		return NULL;
	answer.data = values->as_string(host->read(run, FIELD_ANSWER), &answer.length);
	(void)fwrite(answer.data, 1, answer.length, stream);
	if (values->as_bool(host->read(run, FIELD_ANSWERED))) {
		write_sources(respond, host->read(run, FIELD_SOURCES), stream);
		if (closing[0] != '\0')
			(void)fprintf(stream, "\n\n%s", closing);
	}
	struct ss_value *response = fclose(stream) == 0 ? values->string(text, length) : NULL;
	/* Whoever made the answer has shown it. */
	if (response != NULL)
		host->emit(run, (struct ss_text){text + answer.length, length - answer.length});
	free(text);
	return response;
}

static enum ss_result run(void *instance, struct ss_run *run, struct ss_error *err)
{
	const struct respond *respond = instance;
	struct ss_value *response = compose(respond, run);
	if (response == NULL) {
		(void)ss_fail(err, "out of memory");
		return SS_FAILED;
	}
	return respond->host->write(run, FIELD_RESPONSE, response, err) < 0 ? SS_FAILED : SS_DONE;
}

static const struct ss_option options[] = {
	[OPTION_SOURCE] = {.name = "source",
		.type = SS_OPTION_STRING,
		.fallback = "Source:",
		.help = "What stands before the title of the article."},
	[OPTION_SOURCES] = {.name = "sources",
		.type = SS_OPTION_STRING,
		.fallback = "Sources:",
		.help = "The same for several articles."},
	[OPTION_CLOSING] = {.name = "closing",
		.type = SS_OPTION_STRING,
		.fallback = "If this does not solve it, reply here, or write \"human agent\" to "
			    "reach a "
			    "person.",
		.help = "The last sentence of an answer; empty for none."},
	{.name = NULL},
};

static const struct ss_field fields[] = {
	[FIELD_ANSWER] = {"answer", SS_STRING, SS_READS, "The answer."},
	[FIELD_ANSWERED] = {"answered", SS_BOOL, SS_READS | SS_OPTIONAL,
		"Whether it answers the question; only then sources and closing are added."},
	[FIELD_SOURCES] = {"sources", SS_LIST, SS_READS | SS_OPTIONAL,
		"The articles that it comes from: maps with id and title."},
	[FIELD_RESPONSE] = {"response", SS_STRING, SS_WRITES, "What the customer gets."},
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
	.name = "respond",
	.version = "1.0.0",
	.licence = "MIT",
	.summary = "Puts the reply together from the answer, its sources and a closing.",
	.options = options,
	.fields = fields,
	.agent = &operations,
};
