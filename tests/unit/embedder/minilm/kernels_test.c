#include "embedder/minilm/kernels.h"
#include "embedder/minilm/linear.h"

#include "base/memory.h"
#include "common/openmp.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

/* The same numbers between -1 and 1 in every run. */
static float random_float(void)
{
	static uint32_t state = 1;
	state = state * 1664525u + 1013904223u;
	return (float)(state >> 8) / (float)(1 << 23) - 1;
}

static float *random_floats(size_t count)
{
	float *floats = memory_array(count, sizeof *floats);
	for (size_t i = 0; i < count; i++)
		floats[i] = random_float();
	return floats;
}

static double product(const float *a, const float *b, size_t count)
{
	double sum = 0;
	for (size_t i = 0; i < count; i++)
		sum += (double)a[i] * (double)b[i];
	return sum;
}

/* One component of attention by its definition. */
static double attended(
	const struct attention *attention, size_t token, size_t head, size_t component)
{
	size_t width = attention->head_width, hidden = attention->heads * width;
	const float *query = attention->projected + token * 3 * hidden + head * width;
	double sum = 0, weights = 0;
	for (size_t i = 0; i < attention->tokens; i++) {
		const float *key = attention->projected + i * 3 * hidden + hidden + head * width;
		double weight = exp(product(query, key, width));
		weights += weight;
		sum += weight * (double)key[hidden + component];
	}
	return sum / weights;
}

static void check_attention(
	const struct kernels *kernels, size_t tokens, size_t heads, size_t head_width)
{
	size_t hidden = heads * head_width;
	float *projected = random_floats(tokens * 3 * hidden);
	float *result = memory_array(tokens * hidden, sizeof *result);
	float *scratch = memory_array(attention_scratch(tokens, head_width), sizeof *scratch);
	struct attention attention = {tokens, heads, head_width, projected, result, scratch};
	kernels->attend(&attention);
	for (size_t i = 0; i < tokens * hidden; i++) {
		double expected =
			attended(&attention, i / hidden, i % hidden / head_width, i % head_width);
		cr_assert_float_eq((double)result[i], expected, 2e-6,
			"%s, %zu tokens, %zu: %g, expected %g", kernels->name, tokens, i,
			(double)result[i], expected);
	}
	free(projected);
	free(result);
	free(scratch);
}

Test(kernels, attend_as_the_definition_says_on_every_instruction_set)
{
	static const size_t tokens[] = {1, 2, 5, 6, 7, 15, 16, 17, 33, 100};
	const struct kernels *kernels;
	for (size_t set = 0; (kernels = kernels_at(set)) != NULL; set++) {
		for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
			check_attention(kernels, tokens[i], 2, 32);
			check_attention(kernels, tokens[i], 3, 16);
		}
	}
}

Test(kernels, attend_with_scores_far_apart)
{
	const struct kernels *kernels;
	for (size_t set = 0; (kernels = kernels_at(set)) != NULL; set++) {
		float projected[2 * 48] = {0}, result[32];
		float *scratch = memory_array(attention_scratch(2, 16), sizeof *scratch);
		struct attention attention = {2, 1, 16, projected, result, scratch};
		for (size_t i = 0; i < 2; i++) {
			projected[i * 48] = 1e3f;                       /* query */
			projected[i * 48 + 16] = i == 0 ? -1e3f : 1e3f; /* key */
			projected[i * 48 + 32] = i == 0 ? 5.0f : 7.0f;  /* value */
		}
		kernels->attend(&attention);
		cr_expect_float_eq(result[0], 7.0f, 1e-6f);
		cr_expect_float_eq(result[16], 7.0f, 1e-6f);
		free(scratch);
	}
}

static void check_norm(const struct kernels *kernels, size_t rows, size_t width, bool add)
{
	float *x = random_floats(rows * width), *before = random_floats(rows * width);
	float *y = random_floats(rows * width);
	float *scale = random_floats(width), *shift = random_floats(width);
	for (size_t i = 0; i < rows * width; i++)
		before[i] = x[i] + (add ? y[i] : 0);
	kernels->normalize(x, add ? y : NULL, rows, width, scale, shift, 1e-12f);
	for (size_t r = 0; r < rows; r++) {
		const float *row = before + r * width;
		double mean = 0, variance = 0;
		for (size_t i = 0; i < width; i++)
			mean += (double)row[i] / (double)width;
		for (size_t i = 0; i < width; i++)
			variance +=
				((double)row[i] - mean) * ((double)row[i] - mean) / (double)width;
		for (size_t i = 0; i < width; i++) {
			double expected =
				(double)scale[i] * ((double)row[i] - mean) / sqrt(variance) +
				(double)shift[i];
			cr_assert_float_eq(
				(double)x[r * width + i], expected, 1e-5, "%s", kernels->name);
		}
	}
	free(x);
	free(before);
	free(y);
	free(scale);
	free(shift);
}

Test(kernels, normalize_rows_on_every_instruction_set)
{
	const struct kernels *kernels;
	for (size_t set = 0; (kernels = kernels_at(set)) != NULL; set++) {
		check_norm(kernels, 3, 384, true);
		check_norm(kernels, 2, 16, false);
	}
}

static void check_linear(size_t rows, size_t in, size_t out, bool gelu)
{
	struct ss_error err = {0};
	size_t rounded = linear_rows(rows);
	float *weights = random_floats(in * out), *bias = random_floats(out);
	float *x = random_floats(rounded * in), *y = random_floats(rounded * out);
	struct linear_engine *engine = linear_engine_new(&err);
	cr_assert_not_null(engine, "%s", err.text);
	struct linear_kind *kind = linear_kind_new(engine, in, out, gelu, &err);
	cr_assert_not_null(kind, "%s", err.text);
	struct linear *linear = linear_new(kind, weights, bias, &err);
	cr_assert_not_null(linear, "%s", err.text);
	cr_assert_eq(linear_run(linear, rows, x, y, &err), 0, "%s", err.text);
	for (size_t i = 0; i < rows * out; i++) {
		double sum = (double)bias[i % out] +
			     product(x + i / out * in, weights + i % out * in, in);
		double expected = gelu ? sum * 0.5 * (1 + erf(sum / sqrt(2.0))) : sum;
		cr_assert_float_eq((double)y[i], expected, 1e-4, "%zu rows, %zu: %g, expected %g",
			rows, i, (double)y[i], expected);
	}
	linear_free(linear);
	linear_kind_free(kind);
	linear_engine_free(engine);
	free(weights);
	free(bias);
	free(x);
	free(y);
}

Test(linear, multiplies_and_adds_for_any_number_of_rows)
{
	static const size_t rows[] = {1, 4, 5, 33, 130, 512};
	int threads = openmp_single();
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		check_linear(rows[i], 48, 80, false);
		check_linear(rows[i], 80, 48, true);
	}
	openmp_restore(threads);
}

Test(linear, rounds_rows_up_to_few_numbers)
{
	size_t numbers = 0;
	for (size_t rows = 1; rows <= LINEAR_ROWS_LIMIT; rows++) {
		size_t rounded = linear_rows(rows);
		cr_assert_geq(rounded, rows);
		cr_assert_leq(rounded, rows + (rows <= 32 ? 3 : rows / 4));
		numbers += rounded == rows;
	}
	cr_expect_lt(numbers, 32);
}
