/*
 * Linear layers on oneDNN: y = activation(x W + b) for matrices x of any number of rows.
 *
 * Weights are packed once into the layout that oneDNN prefers on this processor. oneDNN compiles code for
 * each shape, so the number of rows is rounded up to one of a few, and what was compiled is kept.
 *
 * Made on the loop thread; run on the compute thread. oneDNN must be held to one thread by the caller
 * (common/openmp.h), in every call, since it plans for the threads that it sees.
 */
#ifndef MINILM_LINEAR_H
#define MINILM_LINEAR_H

#include <smartsupport/error.h>

#include <stdbool.h>
#include <stddef.h>

/* The most rows of one call. */
enum { LINEAR_ROWS_LIMIT = 512 };

/* oneDNN's engine; must outlive what is made with it. */
struct linear_engine;
/* The layers of one size and activation; outlives its layers. */
struct linear_kind;
/* The weights of one layer. */
struct linear;

/* ROWS (1 to LINEAR_ROWS_LIMIT) rounded up to a number that is compiled for. */
size_t linear_rows(size_t rows);

struct linear_engine *linear_engine_new(struct ss_error *err);
void linear_engine_free(struct linear_engine *engine);

/* From IN to OUT floats a row, and then GELU (its exact form, with erf) where GELU is set. */
struct linear_kind *linear_kind_new(
	struct linear_engine *engine, size_t in, size_t out, bool gelu, struct ss_error *err);
void linear_kind_free(struct linear_kind *kind);

/* Compiles for ROWS rows, so that the first run does not have to. */
int linear_kind_prepare(struct linear_kind *kind, size_t rows, struct ss_error *err);

/* Copies WEIGHTS [out][in] and BIAS [out]. */
struct linear *linear_new(
	struct linear_kind *kind, const float *weights, const float *bias, struct ss_error *err);
void linear_free(struct linear *linear);

/* Reads X [rows][in] and writes Y [rows][out]. Both have room for linear_rows(ROWS) rows; what is in the
 * rows after the first ROWS of X does not matter, and those of Y are overwritten. */
int linear_run(struct linear *linear, size_t rows, const float *x, float *y, struct ss_error *err);

#endif
