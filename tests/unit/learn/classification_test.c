#include "learn/classification.h"

#include <criterion/criterion.h>
#include <math.h>

static const struct verdict few[] = {{0, 0, 0.9}, {0, 1, 0.6}, {1, 1, 0.8}, {1, 1, 0.7}};

Test(classification, knows_the_figures_of_a_small_case)
{
	struct classification *figures = classification_new(few, 4, 2);
	cr_expect_float_eq(figures->accuracy, 0.75, 1e-12);
	cr_expect_float_eq(figures->macro_recall, 0.75, 1e-12);
	/* Of label 0 one of one found is right, of one of two; of label 1 two of three, of both. */
	cr_expect_float_eq(figures->labels[0].precision, 1, 1e-12);
	cr_expect_float_eq(figures->labels[0].recall, 0.5, 1e-12);
	cr_expect_float_eq(figures->labels[0].f1, 2.0 / 3, 1e-12);
	cr_expect_float_eq(figures->labels[1].f1, 0.8, 1e-12);
	cr_expect_float_eq(figures->macro_f1, (2.0 / 3 + 0.8) / 2, 1e-12);
	/* Four bins of one each: |0.9-1|, |0.6-0|, |0.8-1|, |0.7-1|. */
	cr_expect_float_eq(figures->calibration_error, (0.1 + 0.6 + 0.2 + 0.3) / 4, 1e-12);
	cr_expect_eq(figures->confusion[0], 1);
	cr_expect_eq(figures->confusion[1], 1);
	cr_expect_eq(figures->confusion[2], 0);
	cr_expect_eq(figures->confusion[3], 2);
	classification_free(figures);
}

Test(classification, weighs_the_bins_by_what_is_in_them)
{
	/* 0.82 and 0.88 are in one bin: mean 0.85, half of it right. 1 is in the last one. */
	const struct verdict verdicts[] = {{0, 0, 0.82}, {0, 1, 0.88}, {1, 1, 1}, {1, 1, 1}};
	struct classification *figures = classification_new(verdicts, 4, 2);
	cr_expect_float_eq(figures->calibration_error, 2.0 / 4 * 0.35, 1e-12);
	cr_expect_eq(figures->bins[8].count, 2);
	cr_expect_float_eq(figures->bins[8].confidence, 0.85, 1e-12);
	cr_expect_float_eq(figures->bins[8].accuracy, 0.5, 1e-12);
	cr_expect_eq(figures->bins[9].count, 2);
	classification_free(figures);
}

Test(classification, leaves_labels_that_are_never_the_truth_out_of_the_means)
{
	const struct verdict verdicts[] = {{0, 0, 0.5}, {0, 2, 0.5}};
	struct classification *figures = classification_new(verdicts, 2, 3);
	cr_expect_float_eq(figures->macro_f1, 2.0 / 3, 1e-12);
	cr_expect_eq(figures->labels[1].f1, 0);
	classification_free(figures);
}

Test(classification, knows_no_calibration_without_confidence)
{
	const struct verdict verdicts[] = {{0, 0, NAN}};
	struct classification *figures = classification_new(verdicts, 1, 1);
	cr_expect(isnan(figures->calibration_error));
	cr_expect_eq(figures->accuracy, 1);
	classification_free(figures);
}
