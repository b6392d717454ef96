#include "learn/logistic.h"

#include <criterion/criterion.h>
#include <math.h>

Test(logistic, finds_the_known_solution_of_a_small_problem)
{
	/* One input, two labels, x = 1 twice as often label 1 as label 0: without a penalty the
	 * difference of the scores is log 2. */
	const double inputs[] = {1, 1, 1};
	const size_t labels[] = {0, 1, 1};
	const double weights[] = {1, 1, 1};
	const struct logistic_problem problem = {inputs, labels, weights, 3, 1, 2, 0};
	double parameters[4] = {0};
	double scores[2];
	logistic_fit(&problem, 1e-10, 200, parameters);
	logistic_scores(parameters, inputs, 1, 2, scores);
	cr_expect_float_eq(scores[1] - scores[0], log(2), 1e-6);
}

Test(logistic, leaves_out_examples_without_weight)
{
	const double inputs[] = {1, 1, 1};
	const size_t labels[] = {0, 1, 1};
	const double weights[] = {1, 1, 0};
	const struct logistic_problem problem = {inputs, labels, weights, 3, 1, 2, 0.1};
	double parameters[4] = {0};
	double scores[2];
	logistic_fit(&problem, 1e-10, 200, parameters);
	logistic_scores(parameters, inputs, 1, 2, scores);
	cr_expect_float_eq(scores[1] - scores[0], 0, 1e-6);
}

Test(logistic, meets_the_condition_of_the_optimum)
{
	/* At the optimum the penalty's pull equals that of the examples: l2 * w = mean of (y - p) x. */
	enum { ROWS = 60, WIDTH = 5, LABELS = 3 };
	double inputs[ROWS * WIDTH];
	size_t labels[ROWS];
	double weights[ROWS];
	double parameters[(WIDTH + 1) * LABELS] = {0};
	unsigned state = 3;
	for (size_t i = 0; i < ROWS * WIDTH; i++) {
		state = state * 1664525u + 1013904223u;
		inputs[i] = (double)(state >> 16) / 32768 - 1;
	}
	for (size_t i = 0; i < ROWS; i++) {
		labels[i] = inputs[i * WIDTH] > 0.3 ? 2 : inputs[i * WIDTH + 1] > 0;
		weights[i] = 1;
	}
	const struct logistic_problem problem = {
		inputs, labels, weights, ROWS, WIDTH, LABELS, 0.05};
	logistic_fit(&problem, 1e-9, 1000, parameters);
	for (size_t label = 0; label < LABELS; label++) {
		double pull = 0;
		for (size_t row = 0; row < ROWS; row++) {
			double scores[LABELS];
			logistic_scores(parameters, inputs + row * WIDTH, WIDTH, LABELS, scores);
			logistic_softmax(scores, LABELS, 1);
			pull += ((labels[row] == label) - scores[label]) * inputs[row * WIDTH] /
				ROWS;
		}
		cr_expect_float_eq(0.05 * parameters[label], pull, 1e-7);
	}
}
