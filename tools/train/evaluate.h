/*
 * How good predictions are: accuracy, F1, confusion, calibration; and the temperature that calibrates
 * them. For the trainer; no state.
 */
#ifndef TRAIN_EVALUATE_H
#define TRAIN_EVALUATE_H

#include "train/dataset.h"

struct evaluation {
	double accuracy;
	double macro_f1;          /* mean over the labels that occur */
	double macro_recall;      /* the same */
	double calibration_error; /* expected, over 10 bins of confidence */
	double log_loss;          /* mean, natural logarithm */
};

/* Compares LABELS [rows], the truth, with PROBABILITIES [rows][labels_count]. CONFUSION [truth][predicted],
 * which may be NULL, gets the counts. */
struct evaluation evaluate(const size_t *labels, const double *probabilities, size_t rows,
	size_t labels_count, size_t *confusion);

/* The label with the largest of the COUNT PROBABILITIES. */
size_t evaluate_best(const double *probabilities, size_t count);

/* The temperature, from 0.05 to 20, for which the SCORES [rows][labels_count] give the smallest log loss. */
double evaluate_temperature(
	const size_t *labels, const double *scores, size_t rows, size_t labels_count);

/* Prints the figures, the confusion matrix and, with MISTAKES, the lines of DATASET that are wrong. The columns
 * are the COUNT NAMES; PROBABILITIES are [rows][COUNT]. */
void evaluate_print(const char *title, const struct dataset *dataset, const size_t *labels,
	const double *probabilities, char *const *names, size_t count, bool mistakes);

#endif
