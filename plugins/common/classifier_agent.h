/*
 * The agents that put a label on a message: reads it, has it embedded, decides, writes the label and
 * the confidence. The plugins categorizer and sentiment are this with their own tables, whose rows
 * begin as the enumerations here say. Loop thread.
 *
 * By `strategy` a language model is asked as well, never or always (`llm`) or when the head is not sure enough
 * (`cascade`). What it says counts when it is one of the labels; else, and when it fails or takes too long, the label
 * is the head's. The confidence is always the head's, also in a label that the model has chosen: models tell none that
 * could be relied on, and a low one says that the two disagree. A keyword decides alone.
 */
#ifndef COMMON_CLASSIFIER_AGENT_H
#define COMMON_CLASSIFIER_AGENT_H

#include <smartsupport/plugin.h>

/* Rows of the field table. */
enum {
	CLASSIFIER_MESSAGE,    /* read, string */
	CLASSIFIER_LABEL,      /* written, string or enum */
	CLASSIFIER_CONFIDENCE, /* written, number, optional */
	CLASSIFIER_BY,         /* written, string, optional */
};

/* Rows of the options table. */
enum {
	CLASSIFIER_HEAD,           /* SS_OPTION_PATH */
	CLASSIFIER_MIN_CONFIDENCE, /* SS_OPTION_NUMBER */
	CLASSIFIER_FALLBACK,       /* SS_OPTION_STRING */
	CLASSIFIER_STRATEGY,       /* CLASSIFIER_STRATEGY_ROW */
	CLASSIFIER_CASCADE_BELOW,  /* CLASSIFIER_CASCADE_BELOW_ROW */
	CLASSIFIER_PROMPT,         /* CLASSIFIER_PROMPT_ROW */
	CLASSIFIER_MODEL_TIMEOUT,  /* CLASSIFIER_MODEL_TIMEOUT_ROW */
	CLASSIFIER_KEYWORDS,       /* SS_OPTION_LISTS; only for with_keywords */
};

/* The rows that are the same for all of them. */
#define CLASSIFIER_STRATEGY_ROW                                                                    \
	{                                                                                          \
		.name = "strategy", .type = SS_OPTION_CHOICE, .fallback = "local",                 \
		.choices = "local llm cascade",                                                    \
		.help = "Who decides: the head (local), a language model (llm), or the model "     \
			"where the head is not sure (cascade).",                                   \
	}
#define CLASSIFIER_CASCADE_BELOW_ROW                                                               \
	{                                                                                          \
		.name = "cascade_below", .type = SS_OPTION_NUMBER, .fallback = "0.6", .max = 1,    \
		.help = "With cascade: below which confidence of the head the model is asked.",    \
	}
#define CLASSIFIER_PROMPT_ROW                                                                      \
	{                                                                                          \
		.name = "prompt", .type = SS_OPTION_PROMPT, .fallback = "",                        \
		.help = "The file of what the model is told; needed with llm and cascade.",        \
	}
#define CLASSIFIER_MODEL_TIMEOUT_ROW                                                               \
	{                                                                                          \
		.name = "model_timeout", .type = SS_OPTION_DURATION, .fallback = "3s",             \
		.min = 0.01, .max = 600,                                                           \
		.help = "How long the model may take before the head's label is written; shorter " \
			"than the node's timeout.",                                                \
	}

/* What create() of such a plugin does. TASK is what its head must be for and its label's field. */
int classifier_agent_create(const struct ss_setup *setup, const char *task, bool with_keywords,
	void **instance, struct ss_error *err);

/* The other operations. */
void classifier_agent_destroy(void *instance);
enum ss_result classifier_agent_run(void *instance, struct ss_run *run, struct ss_error *err);

#endif
