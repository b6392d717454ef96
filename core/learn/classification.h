/*
 * How good decisions on labels are: accuracy, precision, recall and F1, the confusion matrix and calibration. For
 * `smartsupport train` and `smartsupport eval`; no state.
 */
#ifndef LEARN_CLASSIFICATION_H
#define LEARN_CLASSIFICATION_H

#include <stddef.h>

enum { CLASSIFICATION_BINS = 10 };

/* A decision and what would have been right, as indexes of labels. */
struct verdict {
	size_t truth;
	size_t found;
	double confidence; /* in what was found, 0..1; NAN: unknown */
};

struct label_figures {
	size_t truth; /* verdicts that it would have been right for */
	size_t found; /* verdicts that found it */
	double precision, recall, f1;
};

/* The verdicts whose confidence is between bin / BINS and (bin + 1) / BINS. */
struct calibration_bin {
	size_t count;
	double confidence; /* mean */
	double accuracy;
};

struct classification {
	size_t count;
	size_t label_count;
	size_t *confusion;            /* [truth][found] */
	struct label_figures *labels; /* [label_count] */
	struct calibration_bin bins[CLASSIFICATION_BINS];
	double accuracy;
	double macro_f1;          /* mean over the labels that are the truth of any */
	double macro_recall;      /* the same */
	double calibration_error; /* expected, over the bins; NAN when no confidence is known */
};

/* The figures of COUNT VERDICTS on LABEL_COUNT labels. Free them. */
struct classification *classification_new(
	const struct verdict *verdicts, size_t count, size_t label_count);
void classification_free(struct classification *classification);

/* The index of the largest of COUNT PROBABILITIES, the first of equal ones. */
size_t classification_best(const double *probabilities, size_t count);

#endif
