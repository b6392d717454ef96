#include "common/classifier_agent.h"

#include "common/classifier.h"
#include "common/label.h"
#include "common/pending.h"

#include <stdlib.h>
#include <string.h>

enum { ANSWER_TOKENS = 200 };

/* What a label is decided by, beside models, which have their own names. */
static const char by_keywords[] = "keywords";
static const char by_head[] = "local";

/* A run that waits for a model, with what the head has decided. */
struct waiting {
	struct pending pending; /* first */
	struct classifier_decision decision;
};

struct agent {
	const struct ss_host *host;
	struct classifier *classifier;
	double below; /* under which confidence the model is asked; 0: never */
	double model_timeout;
	struct ss_value *schema;
	struct pending *pending;
};

/* Under which confidence a model is asked, by the strategy. */
static double threshold(
	const struct ss_value_functions *values, const struct ss_value *const *options)
{
	const char *strategy = values->as_string(options[CLASSIFIER_STRATEGY], NULL);
	if (strcmp(strategy, "cascade") == 0)
		return values->as_number(options[CLASSIFIER_CASCADE_BELOW]);
	/* No confidence is above 1. */
	return strcmp(strategy, "llm") == 0 ? 2 : 0;
}

static int check_prompt(const struct ss_value_functions *values,
	const struct ss_value *const *options, double below, struct ss_error *err)
{
	if (below == 0 || values->as_string(options[CLASSIFIER_PROMPT], NULL)[0] != '\0')
		return 0;
	return ss_fail_as(err, SS_INVALID,
		"strategy: %s asks a language model and needs a prompt; name its file, as in "
		"prompt: ../prompts/category.md",
		values->as_string(options[CLASSIFIER_STRATEGY], NULL));
}

int classifier_agent_create(const struct ss_setup *setup, const char *task, bool with_keywords,
	void **instance, struct ss_error *err)
{
	const struct ss_value_functions *values = setup->host->values;
	const struct ss_value *const *options = setup->options;
	double below = threshold(values, options);
	if (check_prompt(values, options, below, err) < 0)
		return -1;
	struct agent *agent = calloc(1, sizeof *agent);
	if (agent == NULL)
		return ss_fail(err, "out of memory");
	agent->host = setup->host;
	agent->below = below;
	agent->model_timeout = values->as_number(options[CLASSIFIER_MODEL_TIMEOUT]);
	agent->classifier = classifier_new(
		&(struct classifier_settings){
			.values = values,
			.task = task,
			.field = task,
			.labels = setup->field_values[CLASSIFIER_LABEL],
			.head_path = values->as_string(options[CLASSIFIER_HEAD], NULL),
			.min_confidence = values->as_number(options[CLASSIFIER_MIN_CONFIDENCE]),
			.fallback = values->as_string(options[CLASSIFIER_FALLBACK], NULL),
			.keywords = with_keywords ? options[CLASSIFIER_KEYWORDS] : NULL,
		},
		err);
	if (agent->classifier == NULL) {
		free(agent);
		return -1;
	}
	agent->schema = label_schema(values, classifier_labels(agent->classifier));
	*instance = agent;
	return 0;
}

void classifier_agent_destroy(void *instance)
{
	struct agent *agent = instance;
	agent->host->values->unref(agent->schema);
	classifier_free(agent->classifier);
	free(agent);
}

static int write_decision(const struct ss_host *host, struct ss_run *run, const char *label,
	double confidence, const char *by, struct ss_error *err)
{
	const struct ss_value_functions *values = host->values;
	struct ss_value *by_value = values->string(by, strlen(by));
	struct ss_value *confidence_value = values->number(confidence);
	/* All are handed over in any case, since write() takes them. */
	int result = host->write(run, CLASSIFIER_LABEL, values->string(label, strlen(label)), err);
	result |= host->write(run, CLASSIFIER_CONFIDENCE, confidence_value, err);
	result |= host->write(run, CLASSIFIER_BY, by_value, err);
	return result < 0 ? -1 : 0;
}

static void finish(const struct ss_host *host, struct ss_run *run, const char *label,
	double confidence, const char *by)
{
	struct ss_error err = {0};
	int result = write_decision(host, run, label, confidence, by, &err);
	host->finish(run, result < 0 ? SS_FAILED : SS_DONE, &err);
}

/* Ends RUN as the head has decided. */
static void finish_locally(
	const struct agent *agent, struct ss_run *run, const struct waiting *waiting)
{
	finish(agent->host, run, waiting->decision.label, waiting->decision.confidence, by_head);
}

static void generated(void *instance, struct ss_run *run, struct ss_text answer,
	const struct ss_value *sources, const char *model, const struct ss_error *err)
{
	struct agent *agent = instance;
	const struct ss_host *host = agent->host;
	const struct waiting *waiting = (struct waiting *)pending_take(&agent->pending, run);
	const char *label = NULL;
	(void)sources;
	if (waiting == NULL)
		return; /* it took too long */
	if (err == NULL)
		label = label_named(host->values, classifier_labels(agent->classifier), answer);
	if (err != NULL)
		host->log(host, SS_LOG_DEBUG, "the model has no label, so the head's counts: %s",
			err->text);
	else if (label == NULL)
		host->log(host, SS_LOG_INFO,
			"what %s answered is none of the labels, so the head's counts", model);
	if (label == NULL)
		finish_locally(agent, run, waiting);
	else
		finish(host, run, label,
			classifier_probability(agent->classifier, &waiting->decision, label),
			model);
}

static void waited(void *instance, struct ss_run *run, const struct ss_error *err)
{
	struct agent *agent = instance;
	const struct ss_host *host = agent->host;
	const struct waiting *waiting = (struct waiting *)pending_take(&agent->pending, run);
	if (waiting == NULL)
		return;
	if (err == NULL)
		host->log(host, SS_LOG_INFO,
			"the model took longer than %g s, so the head's label counts",
			agent->model_timeout);
	finish_locally(agent, run, waiting);
}

static struct ss_text message_of(const struct ss_host *host, struct ss_run *run)
{
	struct ss_text text = {0};
	text.data = host->values->as_string(host->read(run, CLASSIFIER_MESSAGE), &text.length);
	return text;
}

/* Asks a model, and waits for it in RUN. */
static int ask_model(struct agent *agent, struct ss_run *run, struct ss_error *err)
{
	const struct ss_host *host = agent->host;
	struct ss_prompt prompt = {
		.struct_size = sizeof prompt,
		.question = message_of(host, run),
		.use = SS_PROMPT_TASK,
		.schema = agent->schema,
		.max_tokens = ANSWER_TOKENS,
	};
	if (host->render(run, CLASSIFIER_PROMPT, &prompt.instructions, err) < 0 ||
		host->wait(run, agent->model_timeout, waited, err) < 0)
		return -1;
	return host->generate(run, &prompt, generated, err);
}

/* The head has decided; perhaps a model shall say more. */
static void decided(
	struct agent *agent, struct ss_run *run, const struct classifier_decision *decision)
{
	const struct ss_host *host = agent->host;
	struct ss_error err = {0};
	if (decision->confidence >= agent->below) {
		finish(host, run, decision->label, decision->confidence, by_head);
		return;
	}
	struct waiting *waiting = host->allocate(run, sizeof *waiting);
	waiting->decision = *decision;
	pending_add(&agent->pending, &waiting->pending, run);
	if (ask_model(agent, run, &err) == 0)
		return;
	(void)pending_take(&agent->pending, run);
	host->log(host, SS_LOG_DEBUG, "no model can be asked, so the head's label counts: %s",
		err.text);
	finish_locally(agent, run, waiting);
}

static void embedded(void *instance, struct ss_run *run, const float *const *vectors, size_t count,
	size_t dimension, const struct ss_error *err)
{
	struct agent *agent = instance;
	const struct ss_host *host = agent->host;
	struct classifier_decision decision;
	struct ss_error why = {0};
	(void)count;
	if (err != NULL)
		host->finish(run, SS_FAILED, err);
	else if (classifier_decide(agent->classifier, message_of(host, run), vectors[0], dimension,
			 &decision, &why) < 0)
		host->finish(run, SS_FAILED, &why);
	else
		decided(agent, run, &decision);
}

enum ss_result classifier_agent_run(void *instance, struct ss_run *run, struct ss_error *err)
{
	const struct agent *agent = instance;
	const struct ss_host *host = agent->host;
	struct ss_text message = message_of(host, run);
	struct classifier_decision decision;
	if (classifier_keyword(agent->classifier, message, &decision)) {
		int result = write_decision(
			host, run, decision.label, decision.confidence, by_keywords, err);
		return result < 0 ? SS_FAILED : SS_DONE;
	}
	if (host->embed(run, &message, 1, embedded, err) < 0)
		return SS_FAILED;
	return SS_PENDING;
}
