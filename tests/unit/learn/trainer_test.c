#include "learn/trainer.h"

#include "common/head.h"
#include "learn/classification.h"
#include "load.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <math.h>

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
	return load_text("x.jsonl", lines, err);
}

Test(trainer, makes_a_head_that_loads_and_decides_and_is_the_same_each_time)
{
	struct ss_error err = {0};
	float vectors[80];
	struct dataset *dataset = easy(vectors, &err);
	cr_assert_not_null(dataset, "%s", err.text);
	struct trained first = {0};
	struct trained second = {0};
	const struct trainer_settings settings = {.task = "mood",
		.dataset = dataset,
		.vectors = vectors,
		.dimension = 2,
		.embedder = "none",
		.seed = 1,
		.folds = 4};
	trainer_train(&settings, &first);
	trainer_train(&settings, &second);
	cr_expect_str_eq(first.head.data, second.head.data);
	struct head *head = head_parse(
		&value_functions, first.head.data, first.head.length, "it", "mood", &err);
	cr_assert_not_null(head, "%s", err.text);
	for (size_t i = 0; i < 40; i++) {
		double probabilities[2];
		cr_assert_eq(head_apply(head, vectors + 2 * i, 2, dataset->examples[i].text,
				     probabilities, &err),
			0);
		cr_expect_eq(classification_best(probabilities, 2), i % 2);
		cr_expect_eq(classification_best(first.left_out + 2 * i, 2), i % 2);
	}
	head_free(head);
	trained_free(&first);
	trained_free(&second);
	dataset_free(dataset);
}

/* Vectors that tell nothing: who was trained on an example knows it, and who was not must guess. */
Test(trainer, predicts_what_is_left_out_without_having_seen_it)
{
	enum { COUNT = 40, WIDTH = 64 };
	struct ss_error err = {0};
	static float vectors[COUNT * WIDTH];
	float sides[2 * COUNT];
	unsigned state = 5;
	struct dataset *dataset = easy(sides, &err);
	cr_assert_not_null(dataset, "%s", err.text);
	for (size_t i = 0; i < (size_t)COUNT * WIDTH; i++) {
		state = state * 1664525u + 1013904223u;
		vectors[i] = (float)((double)(state >> 16) / 32768 - 1) / 8;
	}
	struct trained trained = {0};
	const struct trainer_settings settings = {.task = "mood",
		.dataset = dataset,
		.vectors = vectors,
		.dimension = WIDTH,
		.embedder = "none",
		.seed = 1,
		.folds = 5};
	trainer_train(&settings, &trained);
	struct head *head = head_parse(
		&value_functions, trained.head.data, trained.head.length, "it", "mood", &err);
	cr_assert_not_null(head, "%s", err.text);
	size_t left_out = 0;
	size_t seen = 0;
	for (size_t i = 0; i < COUNT; i++) {
		double probabilities[2];
		cr_assert_eq(head_apply(head, vectors + i * WIDTH, WIDTH, dataset->examples[i].text,
				     probabilities, &err),
			0);
		seen += classification_best(probabilities, 2) == i % 2;
		left_out += classification_best(trained.left_out + 2 * i, 2) == i % 2;
	}
	cr_expect_gt(seen, 30, "%zu of 40", seen);
	cr_expect_lt(left_out, 30, "%zu of 40", left_out);
	head_free(head);
	trained_free(&trained);
	dataset_free(dataset);
}
