/*
 * Weights in the safetensors format: eight bytes with the length of a JSON header, the header, and
 * the tensors' bytes. Little-endian throughout.
 * Format: https://github.com/huggingface/safetensors
 *
 * Opening checks every tensor's type, shape and place against the size of the file, so what is read
 * later is in bounds. Opened on the loop thread; afterwards nothing changes, so any thread may read.
 */
#ifndef MINILM_SAFETENSORS_H
#define MINILM_SAFETENSORS_H

#include <smartsupport/value.h>

enum tensor_type {
	TENSOR_OTHER, /* a type that cannot be widened to float */
	TENSOR_F32,
	TENSOR_F16,
	TENSOR_BF16,
};

enum { TENSOR_DIMENSIONS = 8 };

struct tensor {
	const char *name;
	const char *type_name; /* as the file gives it */
	enum tensor_type type;
	size_t dimensions;
	size_t shape[TENSOR_DIMENSIONS];
	const unsigned char *data; /* not aligned */
};

struct safetensors;

/* Maps the file at PATH. NULL and ERR, which names the file and the tensor, when it is damaged. VALUES
 * is needed until safetensors_free(). */
struct safetensors *safetensors_open(
	const char *path, const struct ss_value_functions *values, struct ss_error *err);

/* The same for LENGTH bytes in memory, which are borrowed until safetensors_free(); NAME is for messages. */
struct safetensors *safetensors_read(const void *data, size_t length, const char *name,
	const struct ss_value_functions *values, struct ss_error *err);

/* The path or name that it was opened with. */
const char *safetensors_name(const struct safetensors *weights);

/* A hash of the tensors' bytes: FNV-1a of words of eight bytes, the last one filled up with zeros. */
uint64_t safetensors_hash(const struct safetensors *weights);

/* The tensors in the order of their names; NULL past the end. */
const struct tensor *safetensors_at(const struct safetensors *weights, size_t index);

/* The tensor NAME, or NULL. */
const struct tensor *safetensors_find(const struct safetensors *weights, const char *name);

/* The tensor NAME, which must hold floats of the shape [ROWS][COLUMNS], or [COLUMNS] when ROWS is 0.
 * Otherwise NULL and ERR. */
const struct tensor *safetensors_get(const struct safetensors *weights, const char *name,
	size_t rows, size_t columns, struct ss_error *err);

/* Writes COUNT of the tensor's elements from FIRST on to FLOATS. The tensor holds floats and has
 * that many elements. */
void tensor_widen(const struct tensor *tensor, size_t first, size_t count, float *floats);

/* Gives the memory that reading took back to the system. */
void safetensors_rest(const struct safetensors *weights);

void safetensors_free(struct safetensors *weights);

#endif
