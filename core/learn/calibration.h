/*
 * Temperature scaling (Guo, Pleiss, Sun, Weinberger 2017): one number by which all scores are divided, so that the
 * probabilities made of them are as sure as they are right. For the trainer; no state.
 */
#ifndef LEARN_CALIBRATION_H
#define LEARN_CALIBRATION_H

#include <stddef.h>

/* Scores of examples whose labels are known. All members are borrowed. */
struct calibration_set {
	const size_t *labels; /* [rows], below labels_count */
	const double *scores; /* [rows][labels_count] */
	size_t rows;
	size_t labels_count;
	const size_t *fold_of; /* [rows] */
	size_t without;        /* the fold whose examples do not count; SIZE_MAX: all count */
};

/* The mean log loss (natural logarithm) of the set at TEMPERATURE. */
double calibration_loss(const struct calibration_set *set, double temperature);

/* The temperature, from 0.05 to 20, with the smallest loss. */
double calibration_temperature(const struct calibration_set *set);

#endif
