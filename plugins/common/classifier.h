/*
 * A classifier: decides on one of the labels of a workflow's field for a message, by an operator's
 * keywords, a trained head and a fallback. What the agents categorizer and sentiment share; loop
 * thread.
 */
#ifndef COMMON_CLASSIFIER_H
#define COMMON_CLASSIFIER_H

#include "common/head.h"

#include <smartsupport/plugin.h>

struct classifier;

/* What a classifier is made from; borrowed for the call. */
struct classifier_settings {
	const struct ss_value_functions *values;
	const char *task;              /* what the head must be for */
	const char *field;             /* for messages */
	const struct ss_value *labels; /* the field's values; NULL: whatever can be decided */
	const char *head_path;
	double min_confidence; /* 0..1 */
	const char *fallback;  /* label for a confidence below it; "" for none */
	const struct ss_value
		*keywords; /* map from label to a list of words and phrases; or NULL */
};

struct classifier_decision {
	const char *label; /* lives as long as the classifier */
	double confidence; /* 0..1, in this label */
	double probabilities
		[HEAD_LABELS_LIMIT]; /* of the head, for each of its labels; of a keyword none */
};

/* NULL and ERR when the head cannot be loaded or a label of the field could never be decided. */
struct classifier *classifier_new(const struct classifier_settings *settings, struct ss_error *err);

void classifier_free(struct classifier *classifier);

/* The labels that may be decided on, a list: the field's values, or all of the head's. Borrowed. */
const struct ss_value *classifier_labels(const struct classifier *classifier);

/* How likely the head of a DECISION, which no keyword has made, held LABEL; 0 when it does not know it. */
double classifier_probability(const struct classifier *classifier,
	const struct classifier_decision *decision, const char *label);

/* Whether a keyword decides on TEXT, with *DECISION. The longest one that stands in TEXT as whole words
 * wins, and of equally long ones the first one. */
bool classifier_keyword(const struct classifier *classifier, struct ss_text text,
	struct classifier_decision *decision);

/* Decides on TEXT by its embedding VECTOR of DIMENSION floats. -1 and ERR when the head and the vector
 * do not fit. */
int classifier_decide(const struct classifier *classifier, struct ss_text text, const float *vector,
	size_t dimension, struct classifier_decision *decision, struct ss_error *err);

#endif
