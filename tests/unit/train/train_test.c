#include "base/memory.h"
#include "common/head.h"
#include "train/dataset.h"
#include "train/evaluate.h"
#include "train/logistic.h"
#include "train/trainer.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/train-XXXXXX";

static struct dataset *load(const char *lines, struct ss_error *err)
{
	int fd = mkstemp(path);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, lines, strlen(lines)), (ssize_t)strlen(lines));
	(void)close(fd);
	struct dataset *dataset = dataset_load(path, "mood", err);
	(void)unlink(path);
	memcpy(path + strlen(path) - 6, "XXXXXX", 6);
	return dataset;
}

static void refused(const char *lines, const char *why)
{
	struct ss_error err = {0};
	cr_expect_null(load(lines, &err), "%s", lines);
	cr_expect_not_null(strstr(err.text, why), "%s", err.text);
}

static const char few[] = "{\"text\": \"Fine\", \"mood\": \"Good\"}\n"
			  "\n"
			  "{\"text\": \"Broken\", \"mood\": \"Bad\"}\n"
			  "{\"text\": \"  fine \", \"mood\": \"Good\"}";

Test(dataset, numbers_lines_labels_and_groups)
{
	struct ss_error err = {0};
	struct dataset *dataset = load(few, &err);
	cr_assert_not_null(dataset, "%s", err.text);
	cr_expect_eq(dataset->count, 3);
	cr_expect_eq(dataset->labels_count, 2);
	cr_expect_str_eq(dataset->labels[0], "Bad");
	cr_expect_eq(dataset->examples[0].label, 1);
	cr_expect_eq(dataset->examples[1].line, 3);
	cr_expect_eq(dataset->groups, 2, "case and spacing make no other text");
	cr_expect_eq(dataset->examples[0].group, dataset->examples[2].group);
	dataset_free(dataset);
}

Test(dataset, names_the_line_that_is_wrong)
{
	refused("{\"text\": \"Fine\", \"mood\": \"Good\"}\n{\"text\": ", ":2: ");
	refused("{\"text\": 1, \"mood\": \"Good\"}", ":1: \"text\" must be a string");
	refused("{\"text\": \"\", \"mood\": \"Good\"}", ":1: \"text\" must be a string");
	refused("{\"text\": \"Fine\", \"temper\": \"Good\"}", ":1: \"mood\" must be a label");
}

Test(dataset, refuses_files_with_nothing_to_learn)
{
	refused("", "at least two labels");
	refused("{\"text\": \"Fine\", \"mood\": \"Good\"}", "at least two labels");
}

Test(dataset, deals_equal_texts_to_one_fold_and_labels_evenly)
{
	char lines[8192];
	size_t at = 0;
	for (int i = 0; i < 100; i++)
		at += (size_t)snprintf(lines + at, sizeof lines - at,
			"{\"text\": \"%s %d\", \"mood\": \"%s\"}\n", i % 3 == 0 ? "Text" : "text",
			i / 2, i < 50 ? "Good" : "Bad");
	struct ss_error err = {0};
	struct dataset *dataset = load(lines, &err);
	size_t folds[100];
	size_t again[100];
	size_t good[5] = {0};
	dataset_deal(dataset, 5, 7, folds);
	dataset_deal(dataset, 5, 7, again);
	cr_expect_arr_eq(folds, again, sizeof folds, "the same seed deals the same");
	for (size_t i = 0; i < 100; i += 2)
		cr_expect_eq(folds[i], folds[i + 1]);
	for (size_t i = 0; i < 50; i++)
		good[folds[i]]++;
	for (size_t i = 0; i < 5; i++)
		cr_expect_eq(good[i], 10);
	dataset_deal(dataset, 5, 8, again);
	cr_expect_arr_neq(folds, again, sizeof folds);
	dataset_free(dataset);
}

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

Test(evaluate, knows_the_figures_of_a_small_case)
{
	const size_t labels[] = {0, 0, 1, 1};
	const double probabilities[] = {0.9, 0.1, 0.4, 0.6, 0.2, 0.8, 0.3, 0.7};
	size_t confusion[4];
	struct evaluation result = evaluate(labels, probabilities, 4, 2, confusion);
	cr_expect_float_eq(result.accuracy, 0.75, 1e-12);
	cr_expect_float_eq(result.macro_recall, 0.75, 1e-12);
	cr_expect_float_eq(result.macro_f1, (2.0 / 3 + 0.8) / 2, 1e-12);
	/* Four bins of one each: |0.9-1|, |0.6-0|, |0.8-1|, |0.7-1|. */
	cr_expect_float_eq(result.calibration_error, (0.1 + 0.6 + 0.2 + 0.3) / 4, 1e-12);
	cr_expect_eq(confusion[0], 1);
	cr_expect_eq(confusion[1], 1);
	cr_expect_eq(confusion[3], 2);
}

Test(evaluate, cools_scores_that_are_too_sure)
{
	/* Sure by 4 but right only in 3 of 4: the odds should be 3, so the temperature 4 / log 3. */
	const size_t labels[] = {0, 0, 0, 1};
	const double scores[] = {4, 0, 4, 0, 4, 0, 4, 0};
	cr_expect_float_eq(evaluate_temperature(labels, scores, 4, 2), 4 / log(3), 1e-3);
}

/* Examples whose vectors point to one of two sides, by label. */
static struct dataset *easy(float *vectors, struct ss_error *err)
{
	char lines[4096];
	size_t at = 0;
	for (int i = 0; i < 40; i++) {
		at += (size_t)snprintf(lines + at, sizeof lines - at,
			"{\"text\": \"text %d\", \"mood\": \"%s\"}\n", i, i % 2 ? "Good" : "Bad");
		double angle = (i % 2 ? 0 : 3) + i * 0.01;
		vectors[2 * i] = (float)cos(angle);
		vectors[2 * i + 1] = (float)sin(angle);
	}
	return load(lines, err);
}

Test(trainer, makes_a_head_that_loads_and_decides_and_is_the_same_each_time)
{
	struct ss_error err = {0};
	float vectors[80];
	struct dataset *dataset = easy(vectors, &err);
	cr_assert_not_null(dataset, "%s", err.text);
	struct buffer first = {0};
	struct buffer second = {0};
	const struct trainer_settings settings = {.task = "mood",
		.dataset = dataset,
		.vectors = vectors,
		.dimension = 2,
		.embedder = "none",
		.seed = 1};
	trainer_train(&settings, &first);
	trainer_train(&settings, &second);
	cr_expect_str_eq(first.data, second.data);
	struct head *head =
		head_parse(&value_functions, first.data, first.length, "it", "mood", &err);
	cr_assert_not_null(head, "%s", err.text);
	for (size_t i = 0; i < 40; i++) {
		double probabilities[2];
		cr_assert_eq(head_apply(head, vectors + 2 * i, 2, dataset->examples[i].text,
				     probabilities, &err),
			0);
		cr_expect_eq(evaluate_best(probabilities, 2), i % 2);
	}
	head_free(head);
	buffer_free(&first);
	buffer_free(&second);
	dataset_free(dataset);
}
