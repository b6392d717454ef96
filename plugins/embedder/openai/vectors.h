/* The vectors in the JSON of a reply. */
#ifndef OPENAI_VECTORS_H
#define OPENAI_VECTORS_H

#include <smartsupport/value.h>

/* The numbers of the first vector in REPLY; 0: it has none. */
size_t vectors_dimension(const struct ss_value_functions *values, const struct ss_value *reply);

/* Writes the COUNT vectors of REPLY, each of DIMENSION numbers, to VECTORS [count][dimension] in the order of the
 * texts, with length 1. -1 and ERR when it has not just these. */
int vectors_read(const struct ss_value_functions *values, const struct ss_value *reply,
	size_t count, size_t dimension, float *vectors, struct ss_error *err);

#endif
