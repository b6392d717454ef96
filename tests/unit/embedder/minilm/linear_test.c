#include "embedder/minilm/linear.h"

#include "base/memory.h"
#include "common/openmp.h"
#include "fixtures.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How far a component may be from the sum of 80 products of numbers up to 1. */
static const double tolerances[] = {[LINEAR_FP32] = 1e-4, [LINEAR_BF16] = 0.1, [LINEAR_INT8] = 0.2};

struct layer {
	enum linear_precision precision;
	size_t in, out;
	enum linear_after after;
	float *weights, *bias;
	void *packed;
	struct linear_engine *engine;
	struct linear_kind *kind;
	struct linear *linear;
};

static struct layer make_layer(
	enum linear_precision precision, size_t in, size_t out, enum linear_after after)
{
	struct ss_error err = {0};
	struct layer layer = {precision, in, out, after, .weights = random_floats(in * out),
		.bias = random_floats(out)};
	float *copy = memory_array(in * out, sizeof *copy);
	memcpy(copy, layer.weights, in * out * sizeof *copy);
	layer.engine = linear_engine_new(precision, LINEAR_ROWS_LIMIT, in > out ? in : out, &err);
	cr_assert_not_null(layer.engine, "%s", err.text);
	layer.kind = linear_kind_new(layer.engine, in, out, after, &err);
	cr_assert_not_null(layer.kind, "%s", err.text);
	layer.packed = aligned_alloc(64, linear_kind_packed(layer.kind));
	cr_assert_eq(
		linear_pack(layer.kind, copy, layer.bias, layer.packed, &err), 0, "%s", err.text);
	layer.linear = linear_new(layer.kind, layer.packed, &err);
	cr_assert_not_null(layer.linear, "%s", err.text);
	free(copy);
	return layer;
}

static void free_layer(struct layer *layer)
{
	linear_free(layer->linear);
	linear_kind_free(layer->kind);
	linear_engine_free(layer->engine);
	free(layer->packed);
	free(layer->weights);
	free(layer->bias);
}

static double expected(const struct layer *layer, const float *x, size_t i)
{
	double sum = (double)layer->bias[i % layer->out] +
		     product(x + i / layer->out * layer->in,
			     layer->weights + i % layer->out * layer->in, layer->in);
	return layer->after == LINEAR_GELU ? sum * 0.5 * (1 + erf(sum / sqrt(2.0))) : sum;
}

/* The component I of a matrix in the layer's precision. */
static double component(const struct layer *layer, const struct linear_matrix *matrix, size_t i)
{
	const struct byte_range *range = matrix->ranges + i / layer->out;
	switch (layer->precision) {
	case LINEAR_BF16: {
		uint32_t bits = (uint32_t)((const uint16_t *)matrix->data)[i] << 16;
		float value;
		memcpy(&value, &bits, sizeof value);
		return (double)value;
	}
	case LINEAR_INT8:
		return (double)(range->scale * (float)((const uint8_t *)matrix->data)[i] +
				range->least);
	default:
		return (double)((const float *)matrix->data)[i];
	}
}

static void check(enum linear_precision precision, size_t rows, size_t in, size_t out,
	enum linear_after after)
{
	struct ss_error err = {0};
	struct layer layer = make_layer(precision, in, out, after);
	struct linear_matrix input, raised;
	float *x = random_floats(linear_rows(rows) * in);
	float *y = random_floats(linear_rows(rows) * out);
	float *before = memory_array(rows * out, sizeof *before);
	memcpy(before, y, rows * out * sizeof *before);
	cr_assert_eq(linear_matrix_init(layer.engine, &input, rows, in, &err), 0, "%s", err.text);
	cr_assert_eq(linear_matrix_init(layer.engine, &raised, rows, out, &err), 0, "%s", err.text);
	linear_narrow(layer.engine, x, rows, in, &input);
	int result = after == LINEAR_GELU
			     ? linear_run_gelu(layer.linear, rows, &input, &raised, &err)
			     : linear_run(layer.linear, rows, &input, y, &err);
	cr_assert_eq(result, 0, "%s", err.text);
	for (size_t i = 0; i < rows * out; i++) {
		double wanted =
			expected(&layer, x, i) + (after == LINEAR_ADD ? (double)before[i] : 0);
		double found = after == LINEAR_GELU ? component(&layer, &raised, i) : (double)y[i];
		cr_assert_float_eq(found, wanted, tolerances[precision],
			"precision %d, %zu rows, %zu: %g, expected %g", (int)precision, rows, i,
			found, wanted);
	}
	linear_matrix_free(&input);
	linear_matrix_free(&raised);
	free_layer(&layer);
	free(before);
	free(x);
	free(y);
}

static void check_all(enum linear_precision precision)
{
	static const size_t rows[] = {1, 4, 5, 33, 130, LINEAR_ROWS_LIMIT};
	if (!linear_supports(precision))
		cr_skip_test("this processor does not have it");
	int threads = openmp_single();
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		check(precision, rows[i], 48, 80, LINEAR_STORE);
		check(precision, rows[i], 80, 48, LINEAR_ADD);
		check(precision, rows[i], 80, 48, LINEAR_GELU);
	}
	openmp_restore(threads);
}

Test(linear, multiplies_floats)
{
	check_all(LINEAR_FP32);
}

Test(linear, multiplies_bfloat16)
{
	check_all(LINEAR_BF16);
}

Test(linear, multiplies_bytes)
{
	check_all(LINEAR_INT8);
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
