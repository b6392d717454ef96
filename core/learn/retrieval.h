/*
 * How good searches are: recall and reciprocal rank, and what abstaining gains and costs. For `smartsupport eval`;
 * no state.
 */
#ifndef LEARN_RETRIEVAL_H
#define LEARN_RETRIEVAL_H

#include <stdbool.h>
#include <stddef.h>

enum { RETRIEVAL_RANKS = 20 }; /* that are looked at */

/* The share of the questions whose article is among the first one, three and five, and so on. */
struct retrieval {
	size_t count;
	size_t ranks[RETRIEVAL_RANKS + 1]; /* [rank]: questions; [0]: the article was not found */
	double recall_1, recall_3, recall_5;
	double mrr; /* mean of 1 / rank; 0 for those that were not found */
};

/* The figures of COUNT questions whose articles have the RANKS, from 1, or 0. */
struct retrieval retrieval_figures(const size_t *ranks, size_t count);

/* A question whose right answer is known: the first article found, or none. */
struct search_verdict {
	double confidence; /* 0..1, that the first article found answers */
	bool right;        /* that it does */
};

/* What would happen if every question with at least this confidence were answered. */
struct coverage_point {
	double threshold;
	size_t answered;
	double coverage; /* the share of all questions that is answered */
	double risk;     /* the share of the answers that is wrong */
};

/* From the strictest threshold to the loosest one. */
struct coverage_curve {
	struct coverage_point *points;
	size_t count;
	size_t questions;
	double area; /* the mean risk over all coverages: smaller is better */
};

/* The risk-coverage curve (El-Yaniv, Wiener 2010) of COUNT VERDICTS. Where several have the same confidence the
 * area takes them in the mean of their orders. Free its points. */
struct coverage_curve coverage_curve(const struct search_verdict *verdicts, size_t count);

/* The row of the point that answers most with at most MAX_RISK; the number of points when none does. */
size_t coverage_choose(const struct coverage_curve *curve, double max_risk);

/* A threshold with few decimals that does what the point ROW of CURVE does: above the next confidence that is
 * not answered, and not above the last one that is. */
double coverage_threshold(const struct coverage_curve *curve, size_t row);

#endif
