/*
 * Trains a head: a logistic regression whose penalty and temperature are chosen by cross-validation. For
 * `smartsupport train`; one thread. The same settings give the same bytes.
 */
#ifndef LEARN_TRAINER_H
#define LEARN_TRAINER_H

#include "base/buffer.h"
#include "learn/dataset.h"

enum { TRAINER_FOLDS_LIMIT = 20 };

/* Called as the work goes on, with what is DONE of TOTAL steps. */
typedef void trainer_progress(void *context, size_t done, size_t total);

/* All members are borrowed. */
struct trainer_settings {
	const char *task;
	const struct dataset *dataset;
	const float *vectors; /* [dataset->count][dimension] */
	size_t dimension;
	const char *embedder; /* its name, which the head's file mentions */
	uint64_t seed;
	size_t folds;               /* 2 to TRAINER_FOLDS_LIMIT */
	trainer_progress *progress; /* NULL: nobody looks */
	void *context;
};

struct trained {
	struct buffer head; /* the file's JSON */
	/* [dataset->count][labels_count]: what the head says of examples that it was not made from. For each
	 * fold the weights, the penalty and the temperature come from the other folds alone. */
	double *left_out;
	double penalty, temperature;
};

void trainer_train(const struct trainer_settings *settings, struct trained *trained);
void trained_free(struct trained *trained);

#endif
