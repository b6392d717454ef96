#include "common/classifier_agent.h"

#include "common/classifier.h"

#include <stdlib.h>
#include <string.h>

struct agent {
	const struct ss_host *host;
	struct classifier *classifier;
};

int classifier_agent_create(const struct ss_setup *setup, const char *task, bool with_keywords,
	void **instance, struct ss_error *err)
{
	const struct ss_value_functions *values = setup->host->values;
	const struct ss_value *const *options = setup->options;
	struct agent *agent = calloc(1, sizeof *agent);
	if (agent == NULL)
		return ss_fail(err, "out of memory");
	agent->host = setup->host;
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
	*instance = agent;
	return 0;
}

void classifier_agent_destroy(void *instance)
{
	struct agent *agent = instance;
	classifier_free(agent->classifier);
	free(agent);
}

static int write_decision(const struct ss_host *host, struct ss_run *run,
	struct classifier_decision decision, struct ss_error *err)
{
	struct ss_value *label = host->values->string(decision.label, strlen(decision.label));
	struct ss_value *confidence = host->values->number(decision.confidence);
	if (host->write(run, CLASSIFIER_LABEL, label, err) < 0) {
		host->values->unref(confidence);
		return -1;
	}
	return host->write(run, CLASSIFIER_CONFIDENCE, confidence, err);
}

static struct ss_text message_of(const struct ss_host *host, struct ss_run *run)
{
	struct ss_text text = {0};
	text.data = host->values->as_string(host->read(run, CLASSIFIER_MESSAGE), &text.length);
	return text;
}

static void embedded(void *instance, struct ss_run *run, const float *const *vectors, size_t count,
	size_t dimension, const struct ss_error *err)
{
	const struct agent *agent = instance;
	const struct ss_host *host = agent->host;
	struct classifier_decision decision;
	struct ss_error why = {0};
	(void)count;
	if (err != NULL) {
		host->finish(run, SS_FAILED, err);
		return;
	}
	if (classifier_decide(agent->classifier, message_of(host, run), vectors[0], dimension,
		    &decision, &why) < 0 ||
		write_decision(host, run, decision, &why) < 0) {
		host->finish(run, SS_FAILED, &why);
		return;
	}
	host->finish(run, SS_DONE, NULL);
}

enum ss_result classifier_agent_run(void *instance, struct ss_run *run, struct ss_error *err)
{
	const struct agent *agent = instance;
	const struct ss_host *host = agent->host;
	struct ss_text message = message_of(host, run);
	struct classifier_decision decision;
	if (classifier_keyword(agent->classifier, message, &decision))
		return write_decision(host, run, decision, err) < 0 ? SS_FAILED : SS_DONE;
	if (host->embed(run, &message, 1, embedded, err) < 0)
		return SS_FAILED;
	return SS_PENDING;
}
