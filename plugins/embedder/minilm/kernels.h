/*
 * What a transformer computes beside its linear layers: attention and layer norm, in vectors of 16
 * floats. The same code (kernels_body.h) is compiled for several instruction sets of x86-64, and the
 * best that the processor has is chosen when a model is made; elsewhere there is one. Any thread.
 */
#ifndef MINILM_KERNELS_H
#define MINILM_KERNELS_H

#include <stddef.h>

enum { KERNEL_LANES = 16 };

/* The attention of one text, over all its tokens and heads. */
struct attention {
	size_t tokens;
	size_t heads;
	size_t head_width; /* floats, a multiple of KERNEL_LANES */
	/* [tokens][3][heads][head_width]: queries, which are scaled already, keys and values. */
	const float *projected;
	float *result;  /* [tokens][heads][head_width] */
	float *scratch; /* attention_scratch() floats */
};

struct kernels {
	const char *name;
	/* RESULT = softmax(Q K^T) V for each head. */
	void (*attend)(const struct attention *attention);
	/* Each of the ROWS rows of X, of WIDTH floats (a multiple of KERNEL_LANES), becomes
	 * SCALE * (x + y - mean) / sqrt(variance + EPSILON) + SHIFT; Y may be NULL. */
	void (*normalize)(float *x, const float *y, size_t rows, size_t width, const float *scale,
		const float *shift, float epsilon);
};

/* The floats of scratch memory for a text of TOKENS tokens. */
size_t attention_scratch(size_t tokens, size_t head_width);

/* The kernels that this processor can run, best first; NULL past the end. */
const struct kernels *kernels_at(size_t index);

#endif
