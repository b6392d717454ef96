/*
 * Multinomial logistic regression with L2, fitted with L-BFGS in double precision on one thread, so
 * that the same input gives the same bits. For the trainer.
 */
#ifndef LEARN_LOGISTIC_H
#define LEARN_LOGISTIC_H

#include <stddef.h>

/* What is fitted: ROWS examples of WIDTH numbers each. All members are borrowed. */
struct logistic_problem {
	const double *inputs;  /* [rows][width] */
	const size_t *labels;  /* [rows], below labels_count */
	const double *weights; /* [rows]: how much an example counts; 0 leaves it out */
	size_t rows;
	size_t width;
	size_t labels_count;
	double l2; /* the penalty is l2 / 2 times the sum of the squared weights, biases left out */
};

/* Improves PARAMETERS, [width + 1][labels_count] with the biases last, until the gradient's largest entry is
 * below TOLERANCE or after STEPS steps. Start with zeros or with the solution of a similar problem. */
void logistic_fit(
	const struct logistic_problem *problem, double tolerance, size_t steps, double *parameters);

/* Writes the score of each label for one input to SCORES; softmax makes probabilities of them. */
void logistic_scores(const double *parameters, const double *input, size_t width,
	size_t labels_count, double *scores);

/* Makes probabilities of SCORES / TEMPERATURE, in place. */
void logistic_softmax(double *scores, size_t count, double temperature);

#endif
