/*
 * A label that a model names: how it is asked for one of a closed set, and which one its words mean. What the agents
 * that classify share; any thread.
 */
#ifndef COMMON_LABEL_H
#define COMMON_LABEL_H

#include <smartsupport/plugin.h>

/* A JSON Schema of {"label": one of LABELS}, a list of strings; new. */
struct ss_value *label_schema(
	const struct ss_value_functions *values, const struct ss_value *labels);

/* The one of LABELS, borrowed, that ANSWER names: the label alone or as JSON, in a block of code or not, whatever its
 * case and the quotes and stops around it. NULL when it says anything else. */
const char *label_named(const struct ss_value_functions *values, const struct ss_value *labels,
	struct ss_text answer);

#endif
