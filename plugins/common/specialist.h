/*
 * What the answering agents technical, billing and general have in common: they let the model answer
 * from the articles that were found, put an opening in front that fits the customer's mood, and say so
 * honestly when no article fits. An agent is this code with its own texts. What a model is told is a prompt file, which
 * an operator edits; the model that quotes the articles needs none.
 */
#ifndef COMMON_SPECIALIST_H
#define COMMON_SPECIALIST_H

#include <smartsupport/smartsupport.h>

/* The rows of the options that such an agent declares, in this order. */
enum {
	SPECIALIST_OPENINGS,
	SPECIALIST_ABSTAIN,
	SPECIALIST_PROMPT,
	SPECIALIST_OPTIONS,
};

/* The last of these rows, the same for all of them. */
#define SPECIALIST_PROMPT_ROW                                                                      \
	{                                                                                          \
		.name = "prompt", .type = SS_OPTION_PROMPT, .fallback = "",                        \
		.help = "The file of what a language model is told before it answers.",            \
	}

/* The fields of every such agent. */
extern const struct ss_field specialist_fields[];

/* Appends to ABSTAIN (SIZE bytes) what the agent asks for when it has no answer to MESSAGE. */
typedef void specialist_ask(struct ss_text message, char *abstain, size_t size);

/* create() of an agent; ASK may be NULL. */
int specialist_create(
	const struct ss_setup *setup, specialist_ask *ask, void **instance, struct ss_error *err);
void specialist_destroy(void *instance);
enum ss_result specialist_run(void *instance, struct ss_run *run, struct ss_error *err);

#endif
