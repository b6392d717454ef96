/*
 * What a transformer computes beside its linear layers' products: attention, layer norm, and the change
 * between floats and the narrower numbers that products are made of, in vectors of 16 floats. The same code
 * (kernels_body.h) is compiled for several instruction sets of x86-64, and the best that the processor
 * has is chosen when a model is made; elsewhere there is one. Any thread.
 *
 * Every width is a multiple of KERNEL_LANES.
 */
#ifndef MINILM_KERNELS_H
#define MINILM_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KERNEL_LANES = 16 };

/* The attention of one text, over all its tokens and heads. */
struct attention {
	size_t tokens;
	size_t heads;
	size_t head_width; /* floats */
	/* [tokens][3][heads][head_width]: queries, which are scaled already, keys and values. */
	const float *projected;
	float *result;  /* [tokens][heads][head_width] */
	float *scratch; /* attention_scratch() floats */
};

/* How a row of floats is written as bytes: float = scale * byte + least. */
struct byte_range {
	float scale, least;
};

/* The product of bytes and a layer's weights, which are bytes with a scale for each column, and what makes
 * floats of it: float = sum * range.scale * scales[c] + range.least * totals[c] + bias[c]. */
struct byte_product {
	size_t rows, columns;
	const int32_t *sums;             /* [rows][columns] */
	const struct byte_range *ranges; /* [rows], of the bytes */
	const float *scales;             /* [columns], of the weights */
	const float *totals;             /* [columns], the sums of the weights */
	const float *bias;               /* [columns] */
};

struct kernels {
	const char *name;
	/* RESULT = softmax(Q K^T) V for each head. */
	void (*attend)(const struct attention *attention);
	/* Each of the ROWS rows of X becomes SCALE * (x - mean) / sqrt(variance + EPSILON) + SHIFT. */
	void (*normalize)(float *x, size_t rows, size_t width, const float *scale,
		const float *shift, float epsilon);
	/* COUNT floats as bfloat16, rounded to the nearest, of two the even one. */
	void (*narrow)(const float *x, size_t count, uint16_t *narrowed);
	/* Each row as bytes from its least to its largest number. */
	void (*to_bytes)(const float *x, size_t rows, size_t width, uint8_t *bytes,
		struct byte_range *ranges);
	/* Y [rows][columns] becomes the product, or, with ADD, grows by it. */
	void (*from_product)(const struct byte_product *product, float *y, bool add);
	/* The product through GELU (its exact form, with erf) and as bytes again. ROW has room for a row. */
	void (*activate_product)(const struct byte_product *product, float *row, uint8_t *bytes,
		struct byte_range *ranges);
};

/* The floats of scratch memory for a text of TOKENS tokens. */
size_t attention_scratch(size_t tokens, size_t head_width);

/* The kernels that this processor can run, best first; NULL past the end. */
const struct kernels *kernels_at(size_t index);

#endif
