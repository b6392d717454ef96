#include "common/classifier.h"

#include "common/head.h"
#include "common/keywords.h"

#include <stdlib.h>
#include <string.h>

struct classifier {
	struct head *head;
	struct keywords *keywords;
	bool *allowed; /* for each label of the head */
	double min_confidence;
	char *fallback; /* NULL for none */
	const struct ss_value_functions *values;
	struct ss_value *labels;
};

/* The LABELS as "A, B, C", for messages. */
static const char *names(const struct ss_value_functions *values, const struct ss_value *labels,
	char *text, size_t size)
{
	size_t at = 0;
	text[0] = '\0';
	for (size_t i = 0; i < values->count(labels) && at < size; i++)
		at += (size_t)snprintf(text + at, size - at, "%s%s", i > 0 ? ", " : "",
			values->as_string(values->at(labels, i), NULL));
	return text;
}

/* Whether LABEL is one of the field's values; every label is, where the field is no enum. */
static bool is_value(const struct classifier_settings *settings, const char *label)
{
	const struct ss_value_functions *values = settings->values;
	if (settings->labels == NULL)
		return true;
	for (size_t i = 0; i < values->count(settings->labels); i++) {
		if (strcmp(values->as_string(values->at(settings->labels, i), NULL), label) == 0)
			return true;
	}
	return false;
}

/* OPTION names LABEL, which the field must have. */
static int check_label(const struct classifier_settings *settings, const char *option,
	const char *label, struct ss_error *err)
{
	char known[240];
	if (is_value(settings, label))
		return 0;
	return ss_fail_as(err, SS_INVALID,
		"%s names \"%s\", which the field %s does not have; its values are %s", option,
		label, settings->field,
		names(settings->values, settings->labels, known, sizeof known));
}

static int check_options(const struct classifier_settings *settings, struct ss_error *err)
{
	const struct ss_value_functions *values = settings->values;
	if (settings->fallback[0] != '\0' &&
		check_label(settings, "fallback", settings->fallback, err) < 0)
		return -1;
	for (size_t i = 0; i < values->count(settings->keywords); i++) {
		if (check_label(settings, "keywords", values->key_at(settings->keywords, i), err) <
			0)
			return -1;
	}
	return 0;
}

static bool head_has(const struct head *head, const char *label)
{
	for (size_t i = 0; i < head_labels(head); i++) {
		if (strcmp(head_label(head, i), label) == 0)
			return true;
	}
	return false;
}

/* Every value of the field must be a possible outcome. */
static int check_reachable(const struct classifier *classifier,
	const struct classifier_settings *settings, struct ss_error *err)
{
	const struct ss_value_functions *values = settings->values;
	for (size_t i = 0; i < values->count(settings->labels); i++) {
		const char *label = values->as_string(values->at(settings->labels, i), NULL);
		const struct ss_value *words = values->get(settings->keywords, label);
		bool fallback =
			classifier->fallback != NULL && strcmp(classifier->fallback, label) == 0;
		if (head_has(classifier->head, label) || values->count(words) > 0 || fallback)
			continue;
		return ss_fail_as(err, SS_INVALID,
			"the field %s has the value \"%s\", which nothing can decide on: %s; train "
			"a "
			"head that knows it%s or remove the value",
			settings->field, label, settings->head_path,
			settings->keywords != NULL ? ", give it keywords" : "");
	}
	return 0;
}

/* The labels of HEAD as a new list. */
static struct ss_value *labels_of(const struct ss_value_functions *values, const struct head *head)
{
	struct ss_value *items[HEAD_LABELS_LIMIT];
	size_t count = head_labels(head);
	for (size_t i = 0; i < count; i++)
		items[i] = values->string(head_label(head, i), strlen(head_label(head, i)));
	return values->list(items, count);
}

/* Finds the labels of the head that the field has. */
static int mask(struct classifier *classifier, const struct classifier_settings *settings,
	struct ss_error *err)
{
	size_t count = head_labels(classifier->head);
	size_t allowed = 0;
	classifier->allowed = calloc(count, sizeof *classifier->allowed);
	if (classifier->allowed == NULL)
		return ss_fail(err, "out of memory");
	for (size_t i = 0; i < count; i++) {
		classifier->allowed[i] = is_value(settings, head_label(classifier->head, i));
		allowed += classifier->allowed[i];
	}
	if (allowed == 0 && classifier->fallback == NULL)
		return ss_fail_as(err, SS_INVALID,
			"%s knows no value of the field %s; train a head for them or give a "
			"fallback",
			settings->head_path, settings->field);
	return check_reachable(classifier, settings, err);
}

struct classifier *classifier_new(const struct classifier_settings *settings, struct ss_error *err)
{
	struct classifier *classifier = NULL;
	if (check_options(settings, err) < 0)
		return NULL;
	classifier = calloc(1, sizeof *classifier);
	if (classifier == NULL) {
		(void)ss_fail(err, "out of memory");
		return NULL;
	}
	classifier->values = settings->values;
	classifier->min_confidence = settings->min_confidence;
	if (settings->fallback[0] != '\0') {
		classifier->fallback = strdup(settings->fallback);
		if (classifier->fallback == NULL) {
			(void)ss_fail(err, "out of memory");
			goto fail;
		}
	}
	classifier->keywords = keywords_new(settings->values, settings->keywords, err);
	if (classifier->keywords == NULL)
		goto fail;
	classifier->head = head_load(settings->values, settings->head_path, settings->task, err);
	if (classifier->head == NULL || mask(classifier, settings, err) < 0)
		goto fail;
	classifier->labels = settings->labels != NULL
				     ? settings->values->ref(settings->labels)
				     : labels_of(settings->values, classifier->head);
	return classifier;
fail:
	classifier_free(classifier);
	return NULL;
}

void classifier_free(struct classifier *classifier)
{
	if (classifier == NULL)
		return;
	classifier->values->unref(classifier->labels);
	head_free(classifier->head);
	keywords_free(classifier->keywords);
	free(classifier->allowed);
	free(classifier->fallback);
	free(classifier);
}

bool classifier_keyword(const struct classifier *classifier, struct ss_text text,
	struct classifier_decision *decision)
{
	const char *label = keywords_find(classifier->keywords, text);
	if (label == NULL)
		return false;
	*decision = (struct classifier_decision){.label = label, .confidence = 1};
	return true;
}

const struct ss_value *classifier_labels(const struct classifier *classifier)
{
	return classifier->labels;
}

double classifier_probability(const struct classifier *classifier,
	const struct classifier_decision *decision, const char *label)
{
	for (size_t i = 0; i < head_labels(classifier->head); i++) {
		if (strcmp(head_label(classifier->head, i), label) == 0)
			return decision->probabilities[i];
	}
	return 0;
}

int classifier_decide(const struct classifier *classifier, struct ss_text text, const float *vector,
	size_t dimension, struct classifier_decision *decision, struct ss_error *err)
{
	size_t count = head_labels(classifier->head);
	double *probabilities = decision->probabilities;
	size_t best = count;
	double sum = 0;
	if (head_apply(classifier->head, vector, dimension, text, probabilities, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (!classifier->allowed[i])
			probabilities[i] = 0;
		sum += probabilities[i];
		if (classifier->allowed[i] &&
			(best == count || probabilities[i] > probabilities[best]))
			best = i;
	}
	for (size_t i = 0; i < count && sum > 0; i++)
		probabilities[i] /= sum;
	const char *label = best < count ? head_label(classifier->head, best) : NULL;
	if (classifier->fallback != NULL &&
		(label == NULL || probabilities[best] < classifier->min_confidence))
		label = classifier->fallback;
	decision->label = label;
	decision->confidence = classifier_probability(classifier, decision, label);
	return 0;
}
