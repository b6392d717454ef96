/*
 * A head: a small linear classifier on top of a text's embedding and a few features of its wording,
 * made by `smartsupport train` and kept as JSON. For the agents that put a label on a message; immutable
 * once loaded, any thread.
 *
 * The file's members:
 *   version      1
 *   task         what it decides, as in "category"
 *   labels       list of names
 *   dimension    floats of an embedding
 *   features     list of {name, mean, scale} of lexical features (lexical_features.h); a feature
 *                enters as (value - mean) / scale
 *   weights      for each label a list of dimension + features numbers
 *   bias         a number for each label
 *   temperature  the scores are divided by it, so that the probabilities are calibrated
 *   trained      what it was made from, for people; not read
 */
#ifndef COMMON_HEAD_H
#define COMMON_HEAD_H

#include <smartsupport/value.h>

enum {
	HEAD_VERSION = 1,
	HEAD_FILE_LIMIT = 4 * 1024 * 1024, /* bytes */
	HEAD_LABELS_LIMIT = 100,
	HEAD_DIMENSION_LIMIT = 8192,
};

struct head;

/* Loads the head in the file PATH, which must be for TASK. NULL and ERR, which names the file and the
 * member, when it cannot be read or is damaged. */
struct head *head_load(const struct ss_value_functions *values, const char *path, const char *task,
	struct ss_error *err);

/* The same for LENGTH bytes of JSON; PATH is only named in errors. */
struct head *head_parse(const struct ss_value_functions *values, const char *json, size_t length,
	const char *path, const char *task, struct ss_error *err);

void head_free(struct head *head);

size_t head_labels(const struct head *head);
/* The label at INDEX, borrowed from the head. */
const char *head_label(const struct head *head, size_t index);

/* Writes a probability for each label to PROBABILITIES; they sum up to 1. VECTOR is the embedding of
 * TEXT, DIMENSION floats of length 1. Fails when the head is for another dimension or the vector has
 * a value that is no number. */
int head_apply(const struct head *head, const float *vector, size_t dimension, struct ss_text text,
	double *probabilities, struct ss_error *err);

#endif
