/*
 * The agent escalation: hands the conversation over to a human and tells the customer so. It names the
 * case by the conversation's id and promises nothing that only a human could keep. For the human it writes a summary:
 * a language model's where there is a prompt for one, else, and when the model fails, one of the facts.
 */
#include "common/pending.h"
#include "summary.h"

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
	FIELD_SUMMARY,
	FIELD_MESSAGE,
	FIELD_HISTORY,
	FIELD_REASON,
	FIELD_USER_NAME,
	FIELD_VIP,
	FIELD_ATTEMPTS,
	FIELD_CATEGORY,
	FIELD_PRIORITY,
};

enum { OPTION_OPENINGS, OPTION_TEXT, OPTION_MEANWHILE, OPTION_PROMPT, OPTION_MODEL_TIMEOUT };

enum { SUMMARY_TOKENS = 400 };

static const char placeholder[] = "{conversation_id}";

struct escalation {
	const struct ss_host *host;
	struct ss_value *openings;
	struct ss_value *text;
	struct ss_value *meanwhile;
	bool prompted; /* a model writes the summary */
	double model_timeout;
	struct pending *pending;
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
	escalation->prompted = values->as_string(setup->options[OPTION_PROMPT], NULL)[0] != '\0';
	escalation->model_timeout = values->as_number(setup->options[OPTION_MODEL_TIMEOUT]);
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

/* Writes what the customer is told, and shows it to whoever watches. */
static int hand_over(const struct escalation *escalation, struct ss_run *run, struct ss_error *err)
{
	const struct ss_host *host = escalation->host;
	struct ss_value *answer = compose(escalation, run);
	struct ss_text text = {0};
	if (answer == NULL)
		return ss_fail(err, "out of memory");
	text.data = host->values->as_string(answer, &text.length);
	host->emit(run, text);
	int result = host->write(run, FIELD_ANSWER, answer, err);
	/* The hand-over is no answer to the question: a human gives that. */
	result |= host->write(run, FIELD_ANSWERED, host->values->boolean(false), err);
	result |= host->write(run, FIELD_SOURCES, host->values->list(NULL, 0), err);
	return result < 0 ? -1 : 0;
}

static int write_facts(
	const struct escalation *escalation, struct ss_run *run, struct ss_error *err)
{
	const struct ss_host *host = escalation->host;
	struct ss_value *summary =
		summary_of(host->values, &(struct summary_facts){
						 .reason = host->read(run, FIELD_REASON),
						 .user_name = host->read(run, FIELD_USER_NAME),
						 .vip = host->read(run, FIELD_VIP),
						 .attempts = host->read(run, FIELD_ATTEMPTS),
						 .category = host->read(run, FIELD_CATEGORY),
						 .sentiment = host->read(run, FIELD_SENTIMENT),
						 .priority = host->read(run, FIELD_PRIORITY),
						 .message = host->read(run, FIELD_MESSAGE),
						 .history = host->read(run, FIELD_HISTORY),
						 .kb_results = host->read(run, FIELD_KB_RESULTS),
					 });
	if (summary == NULL)
		return ss_fail(err, "out of memory");
	return host->write(run, FIELD_SUMMARY, summary, err);
}

/* Ends RUN, which waited for a model, with the summary of the facts. */
static void finish_with_facts(const struct escalation *escalation, struct ss_run *run)
{
	struct ss_error err = {0};
	int result = write_facts(escalation, run, &err);
	escalation->host->finish(run, result < 0 ? SS_FAILED : SS_DONE, &err);
}

static void generated(void *instance, struct ss_run *run, struct ss_text answer,
	const struct ss_value *sources, const char *model, const struct ss_error *err)
{
	struct escalation *escalation = instance;
	const struct ss_host *host = escalation->host;
	struct ss_error failure = {0};
	(void)sources;
	(void)model;
	if (pending_take(&escalation->pending, run) == NULL)
		return; /* it took too long */
	struct ss_value *summary = summary_from(host->values, answer);
	if (err == NULL && host->values->as_string(summary, NULL)[0] != '\0') {
		int result = host->write(run, FIELD_SUMMARY, summary, &failure);
		host->finish(run, result < 0 ? SS_FAILED : SS_DONE, &failure);
		return;
	}
	host->values->unref(summary);
	host->log(host, SS_LOG_DEBUG, "the summary is one of the facts: %s",
		err != NULL ? err->text : "the model said nothing");
	finish_with_facts(escalation, run);
}

static void waited(void *instance, struct ss_run *run, const struct ss_error *err)
{
	struct escalation *escalation = instance;
	const struct ss_host *host = escalation->host;
	if (pending_take(&escalation->pending, run) == NULL)
		return;
	if (err == NULL)
		host->log(host, SS_LOG_INFO,
			"the summary is one of the facts: the model took longer than %g s",
			escalation->model_timeout);
	finish_with_facts(escalation, run);
}

static int ask_model(const struct escalation *escalation, struct ss_run *run, struct ss_error *err)
{
	const struct ss_host *host = escalation->host;
	struct ss_prompt prompt = {
		.struct_size = sizeof prompt,
		.use = SS_PROMPT_TASK,
		.max_tokens = SUMMARY_TOKENS,
	};
	prompt.question.data =
		host->values->as_string(host->read(run, FIELD_MESSAGE), &prompt.question.length);
	if (host->render(run, OPTION_PROMPT, &prompt.instructions, err) < 0 ||
		host->wait(run, escalation->model_timeout, waited, err) < 0)
		return -1;
	return host->generate(run, &prompt, generated, err);
}

static enum ss_result run(void *instance, struct ss_run *run, struct ss_error *err)
{
	struct escalation *escalation = instance;
	const struct ss_host *host = escalation->host;
	struct ss_error failure = {0};
	if (hand_over(escalation, run, err) < 0)
		return SS_FAILED;
	if (escalation->prompted) {
		struct pending *pending = host->allocate(run, sizeof *pending);
		pending_add(&escalation->pending, pending, run);
		if (ask_model(escalation, run, &failure) == 0)
			return SS_PENDING;
		(void)pending_take(&escalation->pending, run);
		host->log(host, SS_LOG_DEBUG, "the summary is one of the facts: %s", failure.text);
	}
	return write_facts(escalation, run, err) < 0 ? SS_FAILED : SS_DONE;
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
	[OPTION_PROMPT] = {.name = "prompt",
		.type = SS_OPTION_PROMPT,
		.fallback = "",
		.help = "The file of what a language model is told that writes the summary for the "
			"human; without it the summary is made of the facts."},
	[OPTION_MODEL_TIMEOUT] = {.name = "model_timeout",
		.type = SS_OPTION_DURATION,
		.fallback = "4s",
		.min = 0.01,
		.max = 600,
		.help = "How long the model may take before the summary of the facts is written; "
			"the customer's reply waits for it."},
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
	[FIELD_SUMMARY] = {"handover_summary", SS_STRING, SS_WRITES | SS_OPTIONAL,
		"What the human should know, which the customer does not see."},
	[FIELD_MESSAGE] = {"message", SS_STRING, SS_READS | SS_OPTIONAL,
		"What the customer wrote."},
	[FIELD_HISTORY] = {"history", SS_LIST, SS_READS | SS_OPTIONAL,
		"The conversation so far, oldest first."},
	[FIELD_REASON] = {"escalation_reason", SS_STRING, SS_READS | SS_OPTIONAL,
		"Why it is handed over."},
	[FIELD_USER_NAME] = {"user_name", SS_STRING, SS_READS | SS_OPTIONAL,
		"The customer's name."},
	[FIELD_VIP] = {"vip", SS_BOOL, SS_READS | SS_OPTIONAL, "Whether the customer is a VIP."},
	[FIELD_ATTEMPTS] = {"attempts", SS_INT, SS_READS | SS_OPTIONAL,
		"How often the customer has asked this."},
	[FIELD_CATEGORY] = {"category", SS_STRING, SS_READS | SS_OPTIONAL,
		"The category of the message."},
	[FIELD_PRIORITY] = {"priority", SS_INT, SS_READS | SS_OPTIONAL,
		"How urgent it is, from 1 to 10."},
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
	.summary =
		"Hands the conversation over to a human with a summary and tells the customer so.",
	.options = options,
	.fields = fields,
	.services = SS_USES_MODEL,
	.agent = &operations,
};
