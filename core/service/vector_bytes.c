#include "service/vector_bytes.h"

#include <math.h>
#include <stdint.h>

#define LARGEST 32767.0f

/* A number that is none, which no embedder should give, becomes one of the ends. */
static int16_t multiple(float number)
{
	return (int16_t)lrintf(fminf(fmaxf(number, -1.0f), 1.0f) * LARGEST);
}

static float number(int16_t multiple)
{
	return (float)multiple / LARGEST;
}

void vector_round(float *numbers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		numbers[i] = number(multiple(numbers[i]));
}

void vector_to_bytes(const float *vector, size_t dimension, unsigned char *bytes)
{
	for (size_t i = 0; i < dimension; i++) {
		uint16_t bits = (uint16_t)multiple(vector[i]);
		bytes[i * VECTOR_BYTES] = (unsigned char)(bits & 0xff);
		bytes[i * VECTOR_BYTES + 1] = (unsigned char)(bits >> 8);
	}
}

void vector_from_bytes(const unsigned char *bytes, size_t dimension, float *vector)
{
	for (size_t i = 0; i < dimension; i++)
		vector[i] = number((int16_t)(bytes[i * VECTOR_BYTES] |
					     (uint16_t)(bytes[i * VECTOR_BYTES + 1] << 8)));
}
