/*
 * What a new head does better and worse than the one in use, on the same examples. For `smartsupport train`; one
 * thread.
 */
#ifndef LEARN_COMPARISON_H
#define LEARN_COMPARISON_H

#include "base/buffer.h"
#include "learn/dataset.h"

struct head;

/* What two heads say of the examples of a dataset. The labels are those of the dataset and then those that
 * only the other head has. */
struct comparison {
	const struct dataset *dataset;
	char **labels;
	size_t label_count;
	struct verdict *fresh; /* [dataset->count] */
	struct verdict *used;  /* the same of the head in use; NULL: there is none */
	const char *used_name; /* its file; borrowed */
};

/* LEFT_OUT, [count][labels_count] of DATASET, is what the new head says of examples that it was not made from. All
 * but that is borrowed for the comparison's life. */
void comparison_begin(
	struct comparison *comparison, const struct dataset *dataset, const double *left_out);

/* Adds what HEAD, of the file NAME, says of the examples with the VECTORS [count][dimension]. -1 and ERR when it is for
 * other vectors; then there is nothing to compare with. */
int comparison_add(struct comparison *comparison, const struct head *head, const char *name,
	const float *vectors, size_t dimension, struct ss_error *err);

/* Adds the figures of the heads that there are, as text. */
void comparison_print_figures(const struct comparison *comparison, struct buffer *text);

/* Adds the examples on which the heads differ; there must be one in use. */
void comparison_print_changes(const struct comparison *comparison, struct buffer *text);

void comparison_end(struct comparison *comparison);

#endif
