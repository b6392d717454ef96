/*
 * The agent escalation: hands the conversation over to a human and tells the customer so. It names the
 * case by the conversation's id and promises nothing that only a human could keep.
 */
#include <smartsupport/smartsupport.h>

#include <stdlib.h>
#include <string.h>

enum {
	FIELD_CONVERSATION_ID,
	FIELD_SENTIMENT,
	FIELD_KB_RESULTS,
	FIELD_ANSWER,
	FIELD_ANSWERED,
	FIELD_SOURCES,
};

enum { OPTION_OPENINGS, OPTION_TEXT, OPTION_MEANWHILE };

static const char placeholder[] = "{conversation_id}";

struct escalation {
	const struct ss_host *host;
	struct ss_value *openings;
	struct ss_value *text;
	struct ss_value *meanwhile;
};

static int create(const struct ss_setup *setup, void **instance, struct ss_error *err)
{
	const struct ss_value_functions *values = setup->host->values;
	struct escalation *escalation = calloc(1, sizeof *escalation);
	if (escalation == NULL)
		return ss_fail(err, "out of memory");
	if (strstr(values->as_string(setup->options[OPTION_TEXT], NULL), placeholder) == NULL) {
		free(escalation);
		return ss_fail_as(err, SS_INVALID,
			"text: must name the case; write %s where its number shall stand",
			placeholder);
	}
	escalation->host = setup->host;
	escalation->openings = values->ref(setup->options[OPTION_OPENINGS]);
	escalation->text = values->ref(setup->options[OPTION_TEXT]);
	escalation->meanwhile = values->ref(setup->options[OPTION_MEANWHILE]);
	*instance = escalation;
	return 0;
}

static void destroy(void *instance)
{
	struct escalation *escalation = instance;
	const struct ss_value_functions *values = escalation->host->values;
	values->unref(escalation->openings);
	values->unref(escalation->text);
	values->unref(escalation->meanwhile);
	free(escalation);
}

/* Writes TEXT to STREAM with every placeholder replaced by ID. */
static void write_text(FILE *stream, const char *text, const char *id)
{
	const char *at;
	while ((at = strstr(text, placeholder)) != NULL) {
		(void)fwrite(text, 1, (size_t)(at - text), stream);
		(void)fputs(id, stream);
		text = at + sizeof placeholder - 1;
	}
	(void)fputs(text, stream);
}

/* The whole answer as a new value; NULL when there is no memory. */
static struct ss_value *compose(const struct escalation *escalation, struct ss_run *run)
{
	const struct ss_host *host = escalation->host;
	const struct ss_value_functions *values = host->values;
	const char *id = values->as_string(host->read(run, FIELD_CONVERSATION_ID), NULL);
	const char *sentiment = values->as_string(host->read(run, FIELD_SENTIMENT), NULL);
	const char *opening = values->as_string(values->get(escalation->openings, sentiment), NULL);
	const char *meanwhile = values->as_string(escalation->meanwhile, NULL);
	const struct ss_value *best = values->at(host->read(run, FIELD_KB_RESULTS), 0);
	const char *title = values->as_string(values->get(best, "title"), NULL);
	char *text = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&text, &length);
	if (stream == NULL)
		return NULL;
	if (opening[0] != '\0')
		(void)fprintf(stream, "%s ", opening);
	write_text(stream, values->as_string(escalation->text, NULL), id);
	if (title[0] != '\0' && meanwhile[0] != '\0')
		(void)fprintf(stream, "\n\n%s \"%s\"", meanwhile, title);
	struct ss_value *answer = fclose(stream) == 0 ? values->string(text, length) : NULL;
	free(text);
	return answer;
}

static enum ss_result run(void *instance, struct ss_run *run, struct ss_error *err)
{
	const struct escalation *escalation = instance;
	const struct ss_host *host = escalation->host;
	struct ss_value *answer = compose(escalation, run);
	if (answer == NULL) {
		(void)ss_fail(err, "out of memory");
		return SS_FAILED;
	}
	int result = host->write(run, FIELD_ANSWER, answer, err);
	/* The hand-over is no answer to the question: a human gives that. */
	result |= host->write(run, FIELD_ANSWERED, host->values->boolean(false), err);
	result |= host->write(run, FIELD_SOURCES, host->values->list(NULL, 0), err);
	return result < 0 ? SS_FAILED : SS_DONE;
}

static const struct ss_option options[] = {
	[OPTION_OPENINGS] = {.name = "openings",
		.type = SS_OPTION_TEXTS,
		.fallback = "{Angry: 'I am sorry, and I understand that you are upset.', "
			    "Negative: 'I am sorry about the trouble.'}",
		.help = "The sentence that the answer begins with, by sentiment."},
	[OPTION_TEXT] = {.name = "text",
		.type = SS_OPTION_STRING,
		.fallback =
			"I am handing this over to a person of our team, who will read the whole "
			"conversation and answer you here. Your case is {conversation_id}.",
		.help = "What the customer is told, with {conversation_id} for the case."},
	[OPTION_MEANWHILE] = {.name = "meanwhile",
		.type = SS_OPTION_STRING,
		.fallback = "While you wait, this article may help:",
		.help = "What stands before the title of a fitting article; empty for none."},
	{.name = NULL},
};

static const struct ss_field fields[] = {
	[FIELD_CONVERSATION_ID] = {"conversation_id", SS_STRING, SS_READS,
		"The id of the conversation, which names the case."},
	[FIELD_SENTIMENT] = {"sentiment", SS_STRING, SS_READS | SS_OPTIONAL,
		"The customer's mood."},
	[FIELD_KB_RESULTS] = {"kb_results", SS_LIST, SS_READS | SS_OPTIONAL,
		"The articles that fit, best first."},
	[FIELD_ANSWER] = {"answer", SS_STRING, SS_WRITES, "What the customer is told."},
	[FIELD_ANSWERED] = {"answered", SS_BOOL, SS_WRITES,
		"False: the question itself waits for a human."},
	[FIELD_SOURCES] = {"sources", SS_LIST, SS_WRITES | SS_OPTIONAL, "None."},
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
	.name = "escalation",
	.version = "1.0.0",
	.licence = "MIT",
	.summary = "Hands the conversation over to a human and tells the customer so.",
	.options = options,
	.fields = fields,
	.agent = &operations,
};
