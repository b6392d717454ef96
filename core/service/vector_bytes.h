/*
 * Vectors as they are kept: each number of a vector of length 1 as a multiple of 1/32767 in two bytes, the low one
 * first. That moves the cosine of two vectors by some 0.00001. Any thread.
 */
#ifndef SERVICE_VECTOR_BYTES_H
#define SERVICE_VECTOR_BYTES_H

#include <stddef.h>

enum { VECTOR_BYTES = 2 }; /* for each number */

/* Rounds the COUNT NUMBERS to what can be kept, so that a vector is the same whether it was kept or made anew. */
void vector_round(float *numbers, size_t count);

/* Writes VECTOR, which is rounded, to BYTES [dimension * VECTOR_BYTES], and back, bit by bit the same. */
void vector_to_bytes(const float *vector, size_t dimension, unsigned char *bytes);
void vector_from_bytes(const unsigned char *bytes, size_t dimension, float *vector);

#endif
