#include "vectors.h"

#include <math.h>
#include <string.h>

size_t vectors_dimension(const struct ss_value_functions *values, const struct ss_value *reply)
{
	const struct ss_value *first = values->at(values->get(reply, "data"), 0);
	return values->count(values->get(first, "embedding"));
}

/* One vector with length 1, which one of zeros has not. */
static int read_one(const struct ss_value_functions *values, const struct ss_value *embedding,
	size_t dimension, float *vector, struct ss_error *err)
{
	double sum = 0;
	if (values->type(embedding) != SS_LIST || values->count(embedding) != dimension)
		return ss_fail_as(err, SS_INVALID, "a vector has %zu numbers, not %zu",
			values->type(embedding) == SS_LIST ? values->count(embedding) : 0,
			dimension);
	for (size_t i = 0; i < dimension; i++) {
		const struct ss_value *number = values->at(embedding, i);
		double value = values->as_number(number);
		if ((values->type(number) != SS_NUMBER && values->type(number) != SS_INT) ||
			!isfinite(value))
			return ss_fail_as(
				err, SS_INVALID, "a vector has something that is no number");
		sum += value * value;
	}
	if (!(sum > 0) || !isfinite(sum))
		return ss_fail_as(err, SS_INVALID, "a vector has no direction");
	for (size_t i = 0; i < dimension; i++)
		vector[i] = (float)(values->as_number(values->at(embedding, i)) / sqrt(sum));
	return 0;
}

int vectors_read(const struct ss_value_functions *values, const struct ss_value *reply,
	size_t count, size_t dimension, float *vectors, struct ss_error *err)
{
	const struct ss_value *data = values->get(reply, "data");
	if (values->type(data) != SS_LIST || values->count(data) != count)
		return ss_fail_as(err, SS_INVALID, "there are %zu vectors for %zu texts",
			values->type(data) == SS_LIST ? values->count(data) : 0, count);
	for (size_t i = 0; i < count; i++)
		vectors[i * dimension] = NAN;
	for (size_t i = 0; i < count; i++) {
		const struct ss_value *item = values->at(data, i);
		const struct ss_value *index = values->get(item, "index");
		/* Servers that do not number them keep the order. */
		size_t at = values->type(index) == SS_INT ? (size_t)values->as_int(index) : i;
		if (at >= count || !isnan(vectors[at * dimension]))
			return ss_fail_as(
				err, SS_INVALID, "the vectors are not numbered as the texts are");
		if (read_one(values, values->get(item, "embedding"), dimension,
			    vectors + at * dimension, err) < 0)
			return -1;
	}
	return 0;
}
