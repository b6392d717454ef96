#include "common/head.h"

#include "common/lexical_features.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct feature {
	size_t row; /* of the table of lexical features */
	double mean;
	double scale;
};

struct head {
	size_t labels_count;
	char **labels;
	size_t dimension;
	size_t features_count;
	struct feature *features;
	float *weights; /* [labels][dimension + features] */
	double *bias;
	double temperature;
};

/* What is read, for the errors. */
struct source {
	const struct ss_value_functions *values;
	const struct ss_value *root;
	const char *path;
	struct ss_error *err;
};

#define damaged(source, format, ...)                                                               \
	ss_fail_as((source)->err, SS_INVALID, "%s: " format "; train the head anew",               \
		(source)->path, __VA_ARGS__)

static bool is_number(const struct source *source, const struct ss_value *value)
{
	enum ss_type type = source->values->type(value);
	return (type == SS_INT || type == SS_NUMBER) && isfinite(source->values->as_number(value));
}

/* The list at MEMBER of the file, whose length must be COUNT, or at least 1 for COUNT 0. */
static const struct ss_value *list_at(const struct source *source, const char *member, size_t count)
{
	const struct ss_value *list = source->values->get(source->root, member);
	if (source->values->type(list) != SS_LIST) {
		(void)damaged(source, "\"%s\" must be a list", member);
		return NULL;
	}
	size_t has = source->values->count(list);
	if (count > 0 ? has != count : has == 0) {
		(void)damaged(source, "\"%s\" has %zu entries, not %zu", member, has,
			count > 0 ? count : (size_t)2);
		return NULL;
	}
	return list;
}

static int read_whole(const struct source *source, const char *member, size_t limit, size_t *number)
{
	const struct ss_value *value = source->values->get(source->root, member);
	int64_t whole = source->values->as_int(value);
	if (source->values->type(value) != SS_INT || whole < 1 || (uint64_t)whole > limit)
		return damaged(
			source, "\"%s\" must be a whole number from 1 to %zu", member, limit);
	*number = (size_t)whole;
	return 0;
}

static int read_kind(const struct source *source, const char *task)
{
	size_t version;
	if (read_whole(source, "version", 1000, &version) < 0)
		return -1;
	if (version != HEAD_VERSION)
		return damaged(source, "\"version\" is %zu, but this server reads version %d",
			version, HEAD_VERSION);
	const char *has =
		source->values->as_string(source->values->get(source->root, "task"), NULL);
	if (has == NULL || strcmp(has, task) != 0)
		return ss_fail_as(source->err, SS_INVALID,
			"%s: \"task\" is \"%s\", but a head for \"%s\" is needed; name another "
			"file",
			source->path, has != NULL ? has : "", task);
	return 0;
}

static int read_labels(const struct source *source, struct head *head)
{
	const struct ss_value *list = list_at(source, "labels", 0);
	if (list == NULL)
		return -1;
	size_t count = source->values->count(list);
	if (count > HEAD_LABELS_LIMIT)
		return damaged(source, "\"labels\" has %zu entries, at most %d are read", count,
			HEAD_LABELS_LIMIT);
	head->labels = calloc(count, sizeof *head->labels);
	if (head->labels == NULL)
		return ss_fail(source->err, "%s: out of memory", source->path);
	for (; head->labels_count < count; head->labels_count++) {
		const struct ss_value *item = source->values->at(list, head->labels_count);
		const char *label = source->values->as_string(item, NULL);
		if (source->values->type(item) != SS_STRING || label[0] == '\0')
			return damaged(
				source, "\"labels\" entry %zu is no name", head->labels_count + 1);
		for (size_t i = 0; i < head->labels_count; i++) {
			if (strcmp(head->labels[i], label) == 0)
				return damaged(source, "\"labels\" has \"%s\" twice", label);
		}
		head->labels[head->labels_count] = strdup(label);
		if (head->labels[head->labels_count] == NULL)
			return ss_fail(source->err, "%s: out of memory", source->path);
	}
	return 0;
}

static int read_feature(
	const struct source *source, const struct ss_value *item, struct feature *feature)
{
	const char *name = source->values->as_string(source->values->get(item, "name"), NULL);
	const struct ss_value *mean = source->values->get(item, "mean");
	const struct ss_value *scale = source->values->get(item, "scale");
	if (name == NULL || !is_number(source, mean) || !is_number(source, scale))
		return damaged(
			source, "\"%s\" must have a name, a mean and a scale each", "features");
	feature->mean = source->values->as_number(mean);
	feature->scale = source->values->as_number(scale);
	if (feature->scale <= 0)
		return damaged(source, "\"features\": the scale of %s is not above 0", name);
	for (size_t row = 0; lexical_features[row].name != NULL; row++) {
		if (strcmp(lexical_features[row].name, name) == 0) {
			feature->row = row;
			return 0;
		}
	}
	return damaged(source, "\"features\" has %s, which this version does not know", name);
}

static int read_features(const struct source *source, struct head *head)
{
	const struct ss_value *list = source->values->get(source->root, "features");
	if (source->values->type(list) != SS_LIST)
		return damaged(source, "\"%s\" must be a list", "features");
	size_t count = source->values->count(list);
	if (count > lexical_features_count())
		return damaged(source, "\"features\" has %zu entries, there are only %zu", count,
			lexical_features_count());
	head->features = calloc(count > 0 ? count : 1, sizeof *head->features);
	if (head->features == NULL)
		return ss_fail(source->err, "%s: out of memory", source->path);
	for (; head->features_count < count; head->features_count++) {
		if (read_feature(source, source->values->at(list, head->features_count),
			    &head->features[head->features_count]) < 0)
			return -1;
	}
	return 0;
}

static int read_row(const struct source *source, const struct ss_value *list, size_t label,
	size_t width, float *row)
{
	if (source->values->type(list) != SS_LIST || source->values->count(list) != width)
		return damaged(
			source, "\"weights\" row %zu must have %zu numbers", label + 1, width);
	for (size_t i = 0; i < width; i++) {
		const struct ss_value *item = source->values->at(list, i);
		row[i] = (float)source->values->as_number(item);
		if (!is_number(source, item) || !isfinite(row[i]))
			return damaged(source, "\"weights\" row %zu, entry %zu is no number",
				label + 1, i + 1);
	}
	return 0;
}

static int read_weights(const struct source *source, struct head *head)
{
	size_t width = head->dimension + head->features_count;
	const struct ss_value *rows = list_at(source, "weights", head->labels_count);
	const struct ss_value *bias = list_at(source, "bias", head->labels_count);
	if (rows == NULL || bias == NULL)
		return -1;
	head->weights = calloc(head->labels_count * width, sizeof *head->weights);
	head->bias = calloc(head->labels_count, sizeof *head->bias);
	if (head->weights == NULL || head->bias == NULL)
		return ss_fail(source->err, "%s: out of memory", source->path);
	for (size_t label = 0; label < head->labels_count; label++) {
		if (read_row(source, source->values->at(rows, label), label, width,
			    head->weights + label * width) < 0)
			return -1;
		if (!is_number(source, source->values->at(bias, label)))
			return damaged(source, "\"bias\" entry %zu is no number", label + 1);
		head->bias[label] = source->values->as_number(source->values->at(bias, label));
	}
	return 0;
}

static int read_temperature(const struct source *source, struct head *head)
{
	const struct ss_value *value = source->values->get(source->root, "temperature");
	if (!is_number(source, value) || source->values->as_number(value) <= 0)
		return damaged(source, "\"%s\" must be a number above 0", "temperature");
	head->temperature = source->values->as_number(value);
	return 0;
}

struct head *head_parse(const struct ss_value_functions *values, const char *json, size_t length,
	const char *path, const char *task, struct ss_error *err)
{
	struct ss_error why = {0};
	struct ss_value *root = values->from_json(json, length, &why);
	struct source source = {values, root, path, err};
	struct head *head = NULL;
	if (root == NULL) {
		(void)damaged(&source, "is not JSON: %s", why.text);
		return NULL;
	}
	if (values->type(root) != SS_MAP) {
		(void)damaged(&source, "must be a JSON %s", "object");
		goto fail;
	}
	head = calloc(1, sizeof *head);
	if (head == NULL) {
		(void)ss_fail(err, "%s: out of memory", path);
		goto fail;
	}
	if (read_kind(&source, task) < 0 || read_labels(&source, head) < 0 ||
		read_whole(&source, "dimension", HEAD_DIMENSION_LIMIT, &head->dimension) < 0 ||
		read_features(&source, head) < 0 || read_weights(&source, head) < 0 ||
		read_temperature(&source, head) < 0)
		goto fail;
	values->unref(root);
	return head;
fail:
	head_free(head);
	values->unref(root);
	return NULL;
}

/* Reads the file into a new buffer of at most HEAD_FILE_LIMIT bytes. */
static char *read_file(const char *path, size_t *length, struct ss_error *err)
{
	FILE *file = fopen(path, "rbe");
	if (file == NULL) {
		(void)ss_fail_as(
			err, SS_NOT_FOUND, "%s: cannot read the head: %s", path, strerror(errno));
		return NULL;
	}
	char *data = malloc(HEAD_FILE_LIMIT + 1);
	if (data == NULL) {
		(void)ss_fail(err, "%s: out of memory", path);
		goto fail;
	}
	*length = fread(data, 1, HEAD_FILE_LIMIT + 1, file);
	if (ferror(file)) {
		(void)ss_fail(err, "%s: cannot read the head: %s", path, strerror(errno));
		goto fail;
	}
	if (*length > HEAD_FILE_LIMIT) {
		(void)ss_fail_as(
			err, SS_LIMIT, "%s: a head has at most %d bytes", path, HEAD_FILE_LIMIT);
		goto fail;
	}
	(void)fclose(file);
	return data;
fail:
	(void)fclose(file);
	free(data);
	return NULL;
}

struct head *head_load(const struct ss_value_functions *values, const char *path, const char *task,
	struct ss_error *err)
{
	size_t length = 0;
	char *data = read_file(path, &length, err);
	if (data == NULL)
		return NULL;
	struct head *head = head_parse(values, data, length, path, task, err);
	free(data);
	return head;
}

void head_free(struct head *head)
{
	if (head == NULL)
		return;
	for (size_t i = 0; i < head->labels_count; i++)
		free(head->labels[i]);
	free(head->labels);
	free(head->features);
	free(head->weights);
	free(head->bias);
	free(head);
}

size_t head_labels(const struct head *head)
{
	return head->labels_count;
}

const char *head_label(const struct head *head, size_t index)
{
	return head->labels[index];
}

/* Turns scores into probabilities, in place. */
static void softmax(double *scores, size_t count)
{
	double highest = scores[0];
	double sum = 0;
	for (size_t i = 1; i < count; i++)
		highest = fmax(highest, scores[i]);
	for (size_t i = 0; i < count; i++) {
		scores[i] = exp(scores[i] - highest);
		sum += scores[i];
	}
	for (size_t i = 0; i < count; i++)
		scores[i] /= sum;
}

int head_apply(const struct head *head, const float *vector, size_t dimension, struct ss_text text,
	double *probabilities, struct ss_error *err)
{
	if (dimension != head->dimension)
		return ss_fail_as(err, SS_INVALID,
			"the head is for vectors of %zu numbers, but the embedder gives %zu; "
			"train the head with this embedder",
			head->dimension, dimension);
	for (size_t i = 0; i < dimension; i++) {
		if (!isfinite(vector[i]))
			return ss_fail(
				err, "the embedder gave a vector whose entry %zu is no number", i);
	}
	double features[lexical_features_count()];
	if (head->features_count > 0)
		lexical_features_read(text, features);
	const float *weight = head->weights;
	for (size_t label = 0; label < head->labels_count; label++) {
		double score = head->bias[label];
		for (size_t i = 0; i < dimension; i++)
			score += (double)*weight++ * (double)vector[i];
		for (size_t i = 0; i < head->features_count; i++) {
			const struct feature *feature = &head->features[i];
			score += (double)*weight++ * (features[feature->row] - feature->mean) /
				 feature->scale;
		}
		probabilities[label] = score / head->temperature;
	}
	softmax(probabilities, head->labels_count);
	return 0;
}
