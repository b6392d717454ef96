#include "learn/calibration.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>

/* Sure by 4 but right only in 3 of 4. */
static const size_t labels[] = {0, 0, 0, 1};
static const double scores[] = {4, 0, 4, 0, 4, 0, 4, 0};
static const size_t fold_of[] = {0, 0, 1, 1};

Test(calibration, cools_scores_that_are_too_sure)
{
	/* The odds should be 3, so the temperature 4 / log 3. */
	const struct calibration_set set = {labels, scores, 4, 2, fold_of, SIZE_MAX};
	double temperature = calibration_temperature(&set);
	cr_expect_float_eq(temperature, 4 / log(3), 1e-2);
	cr_expect_float_eq(
		calibration_loss(&set, temperature), -(3 * log(0.75) + log(0.25)) / 4, 1e-6);
}

Test(calibration, does_not_look_at_the_fold_that_is_left_out)
{
	/* The first two are right without exception: the surer the better. */
	const struct calibration_set set = {labels, scores, 4, 2, fold_of, 1};
	cr_expect_lt(calibration_temperature(&set), 1);
}
