#include "embedder/minilm/kernels.h"

#include "base/memory.h"
#include "fixtures.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

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

static void check_norm(const struct kernels *kernels, size_t rows, size_t width)
{
	float *x = random_floats(rows * width), *before = memory_array(rows * width, sizeof *x);
	float *scale = random_floats(width), *shift = random_floats(width);
	memcpy(before, x, rows * width * sizeof *x);
	kernels->normalize(x, rows, width, scale, shift, 1e-12f);
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
	free(scale);
	free(shift);
}

Test(kernels, normalize_rows_on_every_instruction_set)
{
	const struct kernels *kernels;
	for (size_t set = 0; (kernels = kernels_at(set)) != NULL; set++) {
		check_norm(kernels, 3, 384);
		check_norm(kernels, 2, 16);
	}
}

/* The float with the upper half of the bits HALF. */
static float widened(uint16_t half)
{
	uint32_t bits = (uint32_t)half << 16;
	float value;
	memcpy(&value, &bits, sizeof value);
	return value;
}

Test(kernels, narrow_to_the_nearest_bfloat16)
{
	const struct kernels *kernels;
	for (size_t set = 0; (kernels = kernels_at(set)) != NULL; set++) {
		uint16_t narrowed[32];
		float x[32] = {0, 1, -1, 1.00390625f, 1.01171875f, 3e38f, -3e-38f};
		for (size_t i = 7; i < 32; i++)
			x[i] = random_float() * 100;
		kernels->narrow(x, 32, narrowed);
		/* Half way between two: the even one. */
		cr_expect_eq(narrowed[3], 0x3f80, "%s: %04x", kernels->name, narrowed[3]);
		cr_expect_eq(narrowed[4], 0x3f82, "%s: %04x", kernels->name, narrowed[4]);
		for (size_t i = 0; i < 32; i++) {
			float difference = fabsf(widened(narrowed[i]) - x[i]);
			cr_expect_leq(difference, fabsf(x[i]) / 256, "%s: %g", kernels->name,
				(double)x[i]);
		}
	}
}

Test(kernels, write_rows_as_bytes_within_half_a_step)
{
	const struct kernels *kernels;
	for (size_t set = 0; (kernels = kernels_at(set)) != NULL; set++) {
		uint8_t bytes[3 * 48];
		struct byte_range ranges[3];
		float *x = random_floats(3 * sizeof bytes);
		for (size_t i = 96; i < 144; i++)
			x[i] = 0.5f; /* a row without a range */
		kernels->to_bytes(x, 3, 48, bytes, ranges);
		for (size_t i = 0; i < sizeof bytes; i++) {
			const struct byte_range *range = &ranges[i / 48];
			float value = range->scale * (float)bytes[i] + range->least;
			cr_expect_float_eq(value, x[i], range->scale * 0.501f + 1e-6f, "%s: %zu",
				kernels->name, i);
		}
		free(x);
	}
}

static double gelu(double x)
{
	return x * 0.5 * (1 + erf(x / sqrt(2.0)));
}

enum { ROWS = 2, COLUMNS = 48 };

static double expected_product(const struct byte_product *product, size_t i)
{
	const struct byte_range *range = &product->ranges[i / COLUMNS];
	size_t column = i % COLUMNS;
	return (double)product->sums[i] * (double)range->scale * (double)product->scales[column] +
	       (double)range->least * (double)product->totals[column] +
	       (double)product->bias[column];
}

Test(kernels, make_floats_of_products_of_bytes)
{
	const struct kernels *kernels;
	int32_t sums[ROWS * COLUMNS];
	struct byte_range ranges[ROWS] = {{0.01f, -2}, {0.02f, -0.1f}};
	float *scales = random_floats(COLUMNS), *totals = random_floats(COLUMNS);
	float *bias = random_floats(COLUMNS);
	const struct byte_product product = {ROWS, COLUMNS, sums, ranges, scales, totals, bias};
	for (size_t i = 0; i < ROWS * COLUMNS; i++)
		sums[i] = (int32_t)(random_float() * 1000);
	for (size_t set = 0; (kernels = kernels_at(set)) != NULL; set++) {
		float y[ROWS * COLUMNS], more[ROWS * COLUMNS], row[COLUMNS];
		uint8_t bytes[ROWS * COLUMNS];
		struct byte_range results[ROWS];
		kernels->from_product(&product, y, false);
		memcpy(more, y, sizeof more);
		kernels->from_product(&product, more, true);
		kernels->activate_product(&product, row, bytes, results);
		for (size_t i = 0; i < ROWS * COLUMNS; i++) {
			double expected = expected_product(&product, i);
			const struct byte_range *range = &results[i / COLUMNS];
			double raised = (double)range->scale * bytes[i] + (double)range->least;
			cr_expect_float_eq((double)y[i], expected, 1e-5, "%s", kernels->name);
			cr_expect_float_eq(
				(double)more[i], 2 * expected, 2e-5, "%s", kernels->name);
			cr_expect_float_eq(raised, gelu(expected),
				(double)range->scale * 0.501 + 5e-4, "%s: %g", kernels->name,
				expected);
		}
	}
	free(scales);
	free(totals);
	free(bias);
}
