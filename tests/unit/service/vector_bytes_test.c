#include "service/vector_bytes.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

enum { DIMENSION = 384 };

/* A vector of length 1 in some direction. */
static void make_vector(unsigned seed, float vector[DIMENSION])
{
	double sum = 0;
	for (size_t i = 0; i < DIMENSION; i++) {
		vector[i] = (float)rand_r(&seed) / (float)RAND_MAX - 0.5f;
		sum += (double)vector[i] * (double)vector[i];
	}
	for (size_t i = 0; i < DIMENSION; i++)
		vector[i] /= (float)sqrt(sum);
}

static double cosine(const float *a, const float *b)
{
	double sum = 0;
	for (size_t i = 0; i < DIMENSION; i++)
		sum += (double)a[i] * (double)b[i];
	return sum;
}

Test(vector_bytes, what_was_rounded_comes_back_bit_by_bit)
{
	for (unsigned seed = 0; seed < 200; seed++) {
		float vector[DIMENSION], again[DIMENSION];
		unsigned char bytes[DIMENSION * VECTOR_BYTES];
		make_vector(seed, vector);
		vector_round(vector, DIMENSION);
		vector_to_bytes(vector, DIMENSION, bytes);
		vector_from_bytes(bytes, DIMENSION, again);
		cr_assert_arr_eq(again, vector, sizeof vector);
		vector_round(again, DIMENSION);
		cr_assert_arr_eq(again, vector, sizeof vector, "rounded twice is something else");
	}
}

Test(vector_bytes, every_number_that_can_be_kept_comes_back)
{
	for (int i = -32767; i <= 32767; i++) {
		float number = (float)i / 32767.0f, again;
		unsigned char bytes[VECTOR_BYTES];
		vector_to_bytes(&number, 1, bytes);
		vector_from_bytes(bytes, 1, &again);
		cr_assert_eq(again, number, "%d", i);
	}
}

Test(vector_bytes, rounding_hardly_moves_a_cosine)
{
	double worst = 0;
	for (unsigned seed = 0; seed < 1000; seed++) {
		float a[DIMENSION], b[DIMENSION];
		make_vector(seed, a);
		make_vector(seed + 1, b);
		/* Some alike, some not. */
		for (size_t i = 0; i < DIMENSION; i++)
			b[i] = a[i] + (float)(seed % 10) * b[i];
		float length = (float)sqrt(cosine(b, b));
		for (size_t i = 0; i < DIMENSION; i++)
			b[i] /= length;
		double before = cosine(a, b);
		vector_round(a, DIMENSION);
		vector_round(b, DIMENSION);
		worst = fmax(worst, fabs(cosine(a, b) - before));
	}
	cr_expect_lt(worst, 0.0001, "%g", worst);
}

Test(vector_bytes, the_bytes_are_the_same_on_every_machine)
{
	static const float vector[] = {1, -1, 0, 258 / 32767.0f, 1.5f, -INFINITY};
	static const unsigned char expected[] = {
		0xff, 0x7f, 0x01, 0x80, 0, 0, 0x02, 0x01, 0xff, 0x7f, 0x01, 0x80};
	unsigned char bytes[sizeof expected];
	vector_to_bytes(vector, 6, bytes);
	cr_expect_arr_eq(bytes, expected, sizeof expected);
}
