/*
 * Linear layers on oneDNN: x W + b for matrices x of any number of rows, in one of three precisions.
 *
 * Weights are packed into the layout that oneDNN prefers on this processor, in memory that the caller
 * gives, so that it can be shared. oneDNN compiles code for each shape, so the number of rows is rounded up
 * to one of a few, and what was compiled is kept.
 *
 * Bytes: a row of x is written with 255 steps from its least to its largest number, a column of W with 127
 * steps to either side, and sums are whole numbers, so only this rounding is lost (as in Dettmers and others,
 * "LLM.int8()", 2022, without its outliers).
 *
 * Made on the loop thread; run on the compute thread. oneDNN must be held to one thread by the caller
 * (common/openmp.h), in every call, since it plans for the threads that it sees.
 */
#ifndef MINILM_LINEAR_H
#define MINILM_LINEAR_H

#include "kernels.h"

#include <smartsupport/error.h>

/* The most rows of one call. */
enum { LINEAR_ROWS_LIMIT = 512 };

enum linear_precision {
	LINEAR_FP32,
	LINEAR_BF16, /* products of bfloat16, summed up as floats */
	LINEAR_INT8, /* products of bytes, summed up as 32-bit integers */
};

enum linear_after {
	LINEAR_STORE, /* y = x W + b */
	LINEAR_ADD,   /* y += x W + b */
	LINEAR_GELU, /* y = GELU(x W + b), in its exact form, with erf, and in the precision of an x */
};

/* A matrix of the engine's precision, the x of a layer: what linear_narrow() or LINEAR_GELU has made. */
struct linear_matrix {
	void *data;
	void *space; /* what it owns; with LINEAR_FP32 it may also refer to others' floats */
	struct byte_range *ranges; /* with LINEAR_INT8, one a row */
};

/* oneDNN's engine, and the memory for one run; must outlive what is made with it. */
struct linear_engine;
/* The layers of one size and purpose; outlives its layers. */
struct linear_kind;
/* The weights of one layer. */
struct linear;

/* Whether the processor has what makes PRECISION faster than the one before it. */
bool linear_supports(enum linear_precision precision);

/* ROWS (1 to LINEAR_ROWS_LIMIT) rounded up to a number that is compiled for. */
size_t linear_rows(size_t rows);

/* For layers of at most WIDTH floats in or out a row, and at most ROWS rows. */
struct linear_engine *linear_engine_new(
	enum linear_precision precision, size_t rows, size_t width, struct ss_error *err);
void linear_engine_free(struct linear_engine *engine);

/* A number that tells apart how weights are packed, by precision, processor and version of oneDNN. */
uint64_t linear_layout(const struct linear_engine *engine);

/* Room for linear_rows(ROWS) rows of WIDTH. */
int linear_matrix_init(const struct linear_engine *engine, struct linear_matrix *matrix,
	size_t rows, size_t width, struct ss_error *err);
void linear_matrix_free(struct linear_matrix *matrix);

/* Makes MATRIX [rows][width] of floats; with LINEAR_FP32 it refers to them. */
void linear_narrow(const struct linear_engine *engine, const float *x, size_t rows, size_t width,
	struct linear_matrix *matrix);

/* From IN to OUT numbers a row. */
struct linear_kind *linear_kind_new(struct linear_engine *engine, size_t in, size_t out,
	enum linear_after after, struct ss_error *err);
void linear_kind_free(struct linear_kind *kind);

/* The bytes that a packed layer takes, a multiple of 64. */
size_t linear_kind_packed(const struct linear_kind *kind);

/* Compiles for ROWS rows, so that the first run does not have to. */
int linear_kind_prepare(struct linear_kind *kind, size_t rows, struct ss_error *err);

/* Writes WEIGHTS [out][in] and BIAS [out] to PACKED, which has room for linear_kind_packed() bytes and is aligned
 * to 64. WEIGHTS is overwritten. */
int linear_pack(const struct linear_kind *kind, float *weights, const float *bias, void *packed,
	struct ss_error *err);

/* A layer with the weights PACKED, which are borrowed for its life. */
struct linear *linear_new(struct linear_kind *kind, const void *packed, struct ss_error *err);
void linear_free(struct linear *linear);

/* Reads X [rows][in] and writes Y [rows][out], by a layer that stores or adds. Y has room for linear_rows(ROWS)
 * rows, and the rows after the first ROWS are overwritten. */
int linear_run(struct linear *linear, size_t rows, const struct linear_matrix *x, float *y,
	struct ss_error *err);

/* The same for a layer with GELU; Y is not X. */
int linear_run_gelu(struct linear *linear, size_t rows, const struct linear_matrix *x,
	struct linear_matrix *y, struct ss_error *err);

#endif
