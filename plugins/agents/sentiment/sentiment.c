/*
 * The agent sentiment: the mood that a message is written in, by a head on its embedding and its
 * wording, or by a language model.
 */
#include "common/classifier_agent.h"

#include <smartsupport/smartsupport.h>

static int create(const struct ss_setup *setup, void **instance, struct ss_error *err)
{
	return classifier_agent_create(setup, "sentiment", false, instance, err);
}

static const struct ss_option options[] = {
	[CLASSIFIER_HEAD] = {.name = "head",
		.type = SS_OPTION_PATH,
		.help = "The file with the trained head, as in kb/heads/sentiment.json."},
	[CLASSIFIER_MIN_CONFIDENCE] = {.name = "min_confidence",
		.type = SS_OPTION_NUMBER,
		.fallback = "0",
		.max = 1,
		.help = "Below this confidence the fallback is written, if there is one."},
	[CLASSIFIER_FALLBACK] = {.name = "fallback",
		.type = SS_OPTION_STRING,
		.fallback = "",
		.help = "The sentiment to write when the head is not confident; empty for none."},
	[CLASSIFIER_STRATEGY] = CLASSIFIER_STRATEGY_ROW,
	[CLASSIFIER_CASCADE_BELOW] = CLASSIFIER_CASCADE_BELOW_ROW,
	[CLASSIFIER_PROMPT] = CLASSIFIER_PROMPT_ROW,
	[CLASSIFIER_MODEL_TIMEOUT] = CLASSIFIER_MODEL_TIMEOUT_ROW,
	{.name = NULL},
};

static const struct ss_field fields[] = {
	[CLASSIFIER_MESSAGE] = {"message", SS_STRING, SS_READS, "What the customer wrote."},
	[CLASSIFIER_LABEL] = {"sentiment", SS_STRING, SS_WRITES, "The mood of the message."},
	[CLASSIFIER_CONFIDENCE] = {"sentiment_confidence", SS_NUMBER, SS_WRITES | SS_OPTIONAL,
		"How sure that is, from 0 to 1."},
	[CLASSIFIER_BY] = {"sentiment_by", SS_STRING, SS_WRITES | SS_OPTIONAL,
		"Who decided: local (the head), or the name of a model."},
	{.name = NULL},
};

static const struct ss_agent_operations operations = {
	.create = create,
	.destroy = classifier_agent_destroy,
	.run = classifier_agent_run,
};

SS_EXPORT const struct ss_plugin smartsupport_plugin = {
	.abi_major = SS_ABI_MAJOR,
	.abi_minor = SS_ABI_MINOR,
	.struct_size = sizeof(struct ss_plugin),
	.kind = SS_AGENT,
	.name = "sentiment",
	.version = "1.0.0",
	.licence = "MIT",
	.summary =
		"Finds the mood of a message with a head on its embedding and its wording, or by a "
		"language model.",
	.options = options,
	.fields = fields,
	.services = SS_USES_EMBEDDER | SS_USES_MODEL,
	.agent = &operations,
};
