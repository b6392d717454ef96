/*
 * The agents that put a label on a message: reads it, has it embedded, decides, writes the label and
 * the confidence. The plugins categorizer and sentiment are this with their own tables, whose rows
 * begin as the enumerations here say. Loop thread.
 */
#ifndef COMMON_CLASSIFIER_AGENT_H
#define COMMON_CLASSIFIER_AGENT_H

#include <smartsupport/plugin.h>

/* Rows of the field table. */
enum {
	CLASSIFIER_MESSAGE,    /* read, string */
	CLASSIFIER_LABEL,      /* written, string or enum */
	CLASSIFIER_CONFIDENCE, /* written, number, optional */
};

/* Rows of the options table. */
enum {
	CLASSIFIER_HEAD,           /* SS_OPTION_PATH */
	CLASSIFIER_MIN_CONFIDENCE, /* SS_OPTION_NUMBER */
	CLASSIFIER_FALLBACK,       /* SS_OPTION_STRING */
	CLASSIFIER_KEYWORDS,       /* SS_OPTION_LISTS; only for with_keywords */
};

/* What create() of such a plugin does. TASK is what its head must be for and its label's field. */
int classifier_agent_create(const struct ss_setup *setup, const char *task, bool with_keywords,
	void **instance, struct ss_error *err);

/* The other operations. */
void classifier_agent_destroy(void *instance);
enum ss_result classifier_agent_run(void *instance, struct ss_run *run, struct ss_error *err);

#endif
