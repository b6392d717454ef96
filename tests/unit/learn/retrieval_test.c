#include "learn/retrieval.h"

#include <criterion/criterion.h>
#include <stdlib.h>

Test(retrieval, knows_the_figures_of_a_small_case)
{
	const size_t ranks[] = {1, 2, 0, 4, 1};
	const struct retrieval figures = retrieval_figures(ranks, 5);
	cr_expect_float_eq(figures.recall_1, 2.0 / 5, 1e-12);
	cr_expect_float_eq(figures.recall_3, 3.0 / 5, 1e-12);
	cr_expect_float_eq(figures.recall_5, 4.0 / 5, 1e-12);
	cr_expect_float_eq(figures.mrr, (1 + 0.5 + 0 + 0.25 + 1) / 5, 1e-12);
	cr_expect_eq(figures.ranks[0], 1);
	cr_expect_eq(figures.ranks[1], 2);
}

Test(retrieval, counts_what_is_far_behind_as_not_found)
{
	const size_t ranks[] = {RETRIEVAL_RANKS + 1};
	cr_expect_eq(retrieval_figures(ranks, 1).mrr, 0);
	cr_expect_eq(retrieval_figures(ranks, 1).ranks[0], 1);
	cr_expect_eq(retrieval_figures(NULL, 0).recall_5, 0);
}

static const struct search_verdict four[] = {{0.7, true}, {0.9, true}, {0.6, true}, {0.8, false}};

Test(coverage, goes_from_the_surest_answer_to_all)
{
	struct coverage_curve curve = coverage_curve(four, 4);
	const double risks[] = {0, 1.0 / 2, 1.0 / 3, 1.0 / 4};
	cr_assert_eq(curve.count, 4);
	for (size_t i = 0; i < 4; i++) {
		cr_expect_float_eq(curve.points[i].coverage, (double)(i + 1) / 4, 1e-12);
		cr_expect_float_eq(curve.points[i].risk, risks[i], 1e-12);
	}
	cr_expect_float_eq(curve.points[1].threshold, 0.8, 1e-12);
	cr_expect_float_eq(curve.area, (0 + 1.0 / 2 + 1.0 / 3 + 1.0 / 4) / 4, 1e-12);
	free(curve.points);
}

Test(coverage, does_not_depend_on_the_order_of_equal_confidences)
{
	/* Both of the surest two at once: half a mistake at the first one, a whole one at the second. */
	const struct search_verdict one[] = {{0.5, true}, {0.5, false}, {0.2, true}};
	const struct search_verdict other[] = {{0.5, false}, {0.5, true}, {0.2, true}};
	struct coverage_curve first = coverage_curve(one, 3);
	struct coverage_curve second = coverage_curve(other, 3);
	cr_assert_eq(first.count, 2);
	cr_expect_eq(first.points[0].answered, 2);
	cr_expect_float_eq(first.area, (0.5 + 0.5 + 1.0 / 3) / 3, 1e-12);
	cr_expect_float_eq(first.area, second.area, 1e-12);
	free(first.points);
	free(second.points);
}

Test(coverage, chooses_what_answers_most_within_the_risk)
{
	struct coverage_curve curve = coverage_curve(four, 4);
	cr_expect_eq(coverage_choose(&curve, 0), 0);
	cr_expect_eq(coverage_choose(&curve, 0.2), 0);
	cr_expect_eq(coverage_choose(&curve, 0.25), 3, "beyond a worse stretch");
	curve.count = 0;
	cr_expect_eq(coverage_choose(&curve, 1), 0);
	free(curve.points);
	const struct search_verdict wrong[] = {{0.5, false}};
	curve = coverage_curve(wrong, 1);
	cr_expect_eq(coverage_choose(&curve, 0.5), curve.count);
	free(curve.points);
}

Test(coverage, gives_a_short_threshold_between_what_is_answered_and_what_is_not)
{
	struct coverage_point points[] = {
		{.threshold = 0.9}, {.threshold = 0.4}, {.threshold = 0.3995}, {.threshold = 0.01}};
	const struct coverage_curve curve = {.points = points, .count = 4};
	cr_expect_float_eq(coverage_threshold(&curve, 0), 0.65, 1e-12);
	cr_expect_float_eq(coverage_threshold(&curve, 1), 0.4, 1e-12);
	double last = coverage_threshold(&curve, 3);
	cr_expect(last > 0 && last <= 0.01, "%g", last);
	points[2].threshold = 0.39999999;
	cr_expect_eq(coverage_threshold(&curve, 1), 0.4);
}
