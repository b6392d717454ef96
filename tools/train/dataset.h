/*
 * Labelled texts for training and testing a head: JSONL, one {"text": "...", "TASK": "label"} a line.
 * For the trainer; one thread.
 */
#ifndef TRAIN_DATASET_H
#define TRAIN_DATASET_H

#include <smartsupport/value.h>

enum {
	DATASET_FILE_LIMIT = 64 * 1024 * 1024, /* bytes */
	DATASET_TEXT_LIMIT = 16000,            /* bytes */
	DATASET_LABELS_LIMIT = 100,
};

struct example {
	struct ss_text text; /* owned by the dataset */
	size_t label;        /* index of the dataset's labels */
	size_t line;         /* of the file, from 1 */
	size_t group; /* examples of one text, whatever its case and spacing, are one group */
};

struct dataset {
	char *path;
	struct example *examples;
	size_t count;
	char **labels; /* sorted */
	size_t labels_count;
	size_t groups;
};

/* Reads the file at PATH, whose lines have their label in the member TASK. NULL and ERR, which names the file
 * and the line, when a line is not such an object or there is nothing to learn from. */
struct dataset *dataset_load(const char *path, const char *task, struct ss_error *err);

void dataset_free(struct dataset *dataset);

/* The index of LABEL, or the number of labels when the dataset does not have it. */
size_t dataset_label(const struct dataset *dataset, const char *label);

/* Deals the groups out to FOLDS parts of about equal size and mix of labels, by SEED. Writes the part of each
 * example to FOLD_OF. */
void dataset_deal(const struct dataset *dataset, size_t folds, uint64_t seed, size_t *fold_of);

#endif
