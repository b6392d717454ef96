/*
 * Trains a head: chooses the penalty by cross-validation, calibrates on the predictions for what was
 * left out, fits on everything, and puts the result into words. For train_head.c; one thread.
 */
#ifndef TRAIN_TRAINER_H
#define TRAIN_TRAINER_H

#include "base/buffer.h"
#include "train/dataset.h"
#include "train/embedding.h"

struct trainer_settings {
	const char *task;
	const struct dataset *dataset;
	const float *vectors; /* [dataset->count][dimension] */
	size_t dimension;
	const char *embedder; /* its name, which the head's file mentions */
	uint64_t seed;
	bool report; /* print the lines that were predicted wrongly when they were left out */
};

/* Trains, prints the figures to the standard output and appends the head's JSON to HEAD. */
void trainer_train(const struct trainer_settings *settings, struct buffer *head);

#endif
