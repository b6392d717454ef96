/*
 * Labelled texts that a head is made from and tried on. For `smartsupport train`; one thread.
 */
#ifndef LEARN_DATASET_H
#define LEARN_DATASET_H

#include "learn/lines.h"

enum {
	DATASET_LIMIT = 50000, /* examples */
	DATASET_LABELS_LIMIT = 100,
};

struct example {
	struct ss_text text; /* owned by the dataset */
	size_t label;        /* index of the dataset's labels */
	struct lines_place place;
	size_t group; /* examples of one text, whatever its case and spacing, are one group */
};

struct dataset {
	struct example *examples;
	size_t count;
	char **labels; /* sorted */
	size_t labels_count;
	size_t groups;
};

/* Reads the COUNT files at PATHS (borrowed for the dataset's life), whose lines have their label in the member or column TASK. NULL
 * and ERR, which names the file, the line and the value, when a line has no text or no label, or there are less than two labels. */
struct dataset *dataset_load(
	const char *const *paths, size_t count, const char *task, struct ss_error *err);

void dataset_free(struct dataset *dataset);

/* The index of LABEL, or the number of labels when the dataset does not have it. */
size_t dataset_label(const struct dataset *dataset, const char *label);

/* Checks that each label has at least FOLDS different texts, so that none is missing when a fold is left out. */
int dataset_check(const struct dataset *dataset, size_t folds, struct ss_error *err);

/* Deals the groups out to FOLDS parts of about equal size and mix of labels, by SEED. Writes the part of each
 * example to FOLD_OF. */
void dataset_deal(const struct dataset *dataset, size_t folds, uint64_t seed, size_t *fold_of);

#endif
