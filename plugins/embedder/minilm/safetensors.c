#include "safetensors.h"

#include "mapping.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the format is little-endian");

enum {
	LENGTH_BYTES = 8, /* before the header */
	HEADER_LIMIT = 16 << 20,
	NAME_BYTES = 300,
};

static const size_t file_limit = (size_t)64 << 30;

struct safetensors {
	const struct ss_value_functions *values;
	struct mapping mapping; /* empty when the bytes are borrowed */
	char name[NAME_BYTES];
	struct ss_value *header; /* keeps the names alive */
	const unsigned char *data;
	size_t data_length;
	size_t count;
	struct tensor tensors[];
};

static const struct {
	const char *name;
	enum tensor_type type;
	size_t size; /* bytes of an element */
} types[] = {
	{"F32", TENSOR_F32, 4},
	{"F16", TENSOR_F16, 2},
	{"BF16", TENSOR_BF16, 2},
	{"F64", TENSOR_OTHER, 8},
	{"I64", TENSOR_OTHER, 8},
	{"U64", TENSOR_OTHER, 8},
	{"I32", TENSOR_OTHER, 4},
	{"U32", TENSOR_OTHER, 4},
	{"I16", TENSOR_OTHER, 2},
	{"U16", TENSOR_OTHER, 2},
	{"I8", TENSOR_OTHER, 1},
	{"U8", TENSOR_OTHER, 1},
	{"BOOL", TENSOR_OTHER, 1},
	{"F8_E4M3", TENSOR_OTHER, 1},
	{"F8_E5M2", TENSOR_OTHER, 1},
};

static int refuse(const struct safetensors *weights, const struct tensor *tensor, const char *what,
	struct ss_error *err)
{
	return ss_fail_as(
		err, SS_INVALID, "%s: the tensor %.100s %s", weights->name, tensor->name, what);
}

/* Reads a whole number that is not negative. */
static bool read_size(
	const struct ss_value_functions *values, const struct ss_value *value, size_t *size)
{
	if (values->type(value) != SS_INT || values->as_int(value) < 0)
		return false;
	*size = (size_t)values->as_int(value);
	return true;
}

/* Reads the shape and multiplies *SIZE by its dimensions. */
static int read_shape(const struct safetensors *weights, struct tensor *tensor,
	const struct ss_value *shape, size_t *size, struct ss_error *err)
{
	const struct ss_value_functions *values = weights->values;
	if (values->type(shape) != SS_LIST || values->count(shape) > TENSOR_DIMENSIONS)
		return refuse(weights, tensor, "has no shape of at most 8 dimensions", err);
	tensor->dimensions = values->count(shape);
	for (size_t i = 0; i < tensor->dimensions; i++) {
		if (!read_size(values, values->at(shape, i), &tensor->shape[i]) ||
			__builtin_mul_overflow(*size, tensor->shape[i], size))
			return refuse(weights, tensor, "has an impossible shape", err);
	}
	return 0;
}

/* Finds the tensor's SIZE bytes. */
static int read_place(const struct safetensors *weights, struct tensor *tensor,
	const struct ss_value *offsets, size_t size, struct ss_error *err)
{
	const struct ss_value_functions *values = weights->values;
	size_t begin = 0, end = 0;
	if (values->type(offsets) != SS_LIST || values->count(offsets) != 2 ||
		!read_size(values, values->at(offsets, 0), &begin) ||
		!read_size(values, values->at(offsets, 1), &end) || begin > end)
		return refuse(weights, tensor, "has no data_offsets of a begin and an end", err);
	if (end > weights->data_length)
		return ss_fail_as(err, SS_INVALID,
			"%s: the tensor %.100s ends at byte %zu of the data, but the file has only "
			"%zu; "
			"it is incomplete, download it again",
			weights->name, tensor->name, end, weights->data_length);
	if (end - begin != size)
		return ss_fail_as(err, SS_INVALID,
			"%s: the tensor %.100s has %zu bytes, but its type and shape take %zu",
			weights->name, tensor->name, end - begin, size);
	tensor->data = weights->data + begin;
	return 0;
}

static int read_tensor(const struct safetensors *weights, struct tensor *tensor,
	const struct ss_value *entry, struct ss_error *err)
{
	const struct ss_value_functions *values = weights->values;
	if (values->type(entry) != SS_MAP)
		return refuse(weights, tensor, "is not described by a map", err);
	tensor->type_name = values->as_string(values->get(entry, "dtype"), NULL);
	size_t row = 0;
	while (row < sizeof types / sizeof *types &&
		strcmp(types[row].name, tensor->type_name) != 0)
		row++;
	if (row == sizeof types / sizeof *types)
		return refuse(weights, tensor, "has no dtype that is known", err);
	tensor->type = types[row].type;
	size_t size = types[row].size;
	if (read_shape(weights, tensor, values->get(entry, "shape"), &size, err) < 0)
		return -1;
	return read_place(weights, tensor, values->get(entry, "data_offsets"), size, err);
}

static int read_tensors(struct safetensors *weights, struct ss_error *err)
{
	const struct ss_value_functions *values = weights->values;
	size_t entries = values->count(weights->header);
	for (size_t i = 0; i < entries; i++) {
		struct tensor *tensor = &weights->tensors[weights->count];
		tensor->name = values->key_at(weights->header, i);
		if (strcmp(tensor->name, "__metadata__") == 0)
			continue;
		if (read_tensor(weights, tensor, values->at(weights->header, i), err) < 0)
			return -1;
		weights->count++;
	}
	return 0;
}

/* The header as a map, or NULL. *DATA becomes the offset of the tensors' bytes. */
static struct ss_value *read_header(const unsigned char *bytes, size_t length, const char *name,
	const struct ss_value_functions *values, size_t *data, struct ss_error *err)
{
	uint64_t header_length = 0;
	if (length >= LENGTH_BYTES)
		memcpy(&header_length, bytes, LENGTH_BYTES);
	if (length < LENGTH_BYTES || header_length > length - LENGTH_BYTES ||
		header_length > HEADER_LIMIT) {
		(void)ss_fail_as(err, SS_INVALID,
			"%.250s: the header is said to have %llu bytes, but the file has %zu in "
			"all; "
			"this is no safetensors file or it is incomplete, download it again",
			name, (unsigned long long)header_length, length);
		return NULL;
	}
	struct ss_error reason = {0};
	struct ss_value *header = values->from_json(
		(const char *)bytes + LENGTH_BYTES, (size_t)header_length, &reason);
	if (values->type(header) != SS_MAP) {
		(void)ss_fail_as(err, SS_INVALID,
			"%.250s: the header is not a JSON map%s%.150s; download it again", name,
			header == NULL ? ": " : "", header == NULL ? reason.text : "");
		values->unref(header);
		return NULL;
	}
	*data = LENGTH_BYTES + (size_t)header_length;
	return header;
}

struct safetensors *safetensors_read(const void *data, size_t length, const char *name,
	const struct ss_value_functions *values, struct ss_error *err)
{
	size_t offset = 0;
	struct ss_value *header = read_header(data, length, name, values, &offset, err);
	if (header == NULL)
		return NULL;
	size_t count = values->count(header);
	struct safetensors *weights = calloc(1, sizeof *weights + count * sizeof *weights->tensors);
	if (weights == NULL) {
		values->unref(header);
		(void)ss_fail(err, "%.250s: out of memory", name);
		return NULL;
	}
	weights->values = values;
	weights->header = header;
	weights->data = (const unsigned char *)data + offset;
	weights->data_length = length - offset;
	(void)snprintf(weights->name, sizeof weights->name, "%.250s", name);
	if (read_tensors(weights, err) == 0)
		return weights;
	safetensors_free(weights);
	return NULL;
}

struct safetensors *safetensors_open(
	const char *path, const struct ss_value_functions *values, struct ss_error *err)
{
	struct mapping mapping;
	if (mapping_open(&mapping, path, file_limit, err) < 0)
		return NULL;
	struct safetensors *weights =
		safetensors_read(mapping.data, mapping.length, path, values, err);
	if (weights == NULL)
		mapping_close(&mapping);
	else
		weights->mapping = mapping;
	return weights;
}

const char *safetensors_name(const struct safetensors *weights)
{
	return weights->name;
}

uint64_t safetensors_hash(const struct safetensors *weights)
{
	uint64_t hash = 0xcbf29ce484222325u;
	for (size_t at = 0; at < weights->data_length; at += sizeof hash) {
		uint64_t word = 0;
		size_t rest = weights->data_length - at;
		memcpy(&word, weights->data + at, rest < sizeof word ? rest : sizeof word);
		hash = (hash ^ word) * 0x100000001b3u;
	}
	return hash;
}

const struct tensor *safetensors_at(const struct safetensors *weights, size_t index)
{
	return index < weights->count ? &weights->tensors[index] : NULL;
}

static int compare_name(const void *name, const void *tensor)
{
	return strcmp(name, ((const struct tensor *)tensor)->name);
}

const struct tensor *safetensors_find(const struct safetensors *weights, const char *name)
{
	/* A map's keys are sorted by their bytes, so the tensors are as well. */
	return bsearch(
		name, weights->tensors, weights->count, sizeof *weights->tensors, compare_name);
}

const struct tensor *safetensors_get(const struct safetensors *weights, const char *name,
	size_t rows, size_t columns, struct ss_error *err)
{
	const struct tensor *tensor = safetensors_find(weights, name);
	size_t dimensions = rows == 0 ? 1 : 2;
	if (tensor == NULL) {
		(void)ss_fail_as(err, SS_INVALID,
			"%s: the tensor %.100s is missing; this is not a model of the BERT family",
			weights->name, name);
		return NULL;
	}
	if (tensor->type == TENSOR_OTHER) {
		(void)ss_fail_as(err, SS_INVALID,
			"%s: the tensor %.100s has the type %.20s; F32, F16 and BF16 can be read",
			weights->name, name, tensor->type_name);
		return NULL;
	}
	if (tensor->dimensions != dimensions || tensor->shape[dimensions - 1] != columns ||
		(rows != 0 && tensor->shape[0] != rows)) {
		(void)ss_fail_as(err, SS_INVALID,
			"%s: the tensor %.100s has another shape than the model's other tensors "
			"ask for, [%zu, %zu]",
			weights->name, name, rows == 0 ? 1 : rows, columns);
		return NULL;
	}
	return tensor;
}

static float float_of_bits(uint32_t bits)
{
	float value;
	memcpy(&value, &bits, sizeof value);
	return value;
}

static uint32_t half_at(const unsigned char *data, size_t index)
{
	uint16_t half;
	memcpy(&half, data + 2 * index, sizeof half);
	return half;
}

/* IEEE 754 binary16. Its exponent and fraction, moved to their places in binary32, make the number
 * times 2^(15 - 127), which also holds for subnormal numbers. */
static float widen_f16(uint32_t half)
{
	uint32_t sign = (half & 0x8000u) << 16;
	float value = float_of_bits((half & 0x7fffu) << 13) * 0x1p112f;
	uint32_t bits;
	memcpy(&bits, &value, sizeof bits);
	if ((half & 0x7c00u) == 0x7c00u)
		bits |= 0x7f800000u; /* infinity or not a number */
	return float_of_bits(bits | sign);
}

void tensor_widen(const struct tensor *tensor, size_t first, size_t count, float *floats)
{
	const unsigned char *data = tensor->data;
	switch (tensor->type) {
	case TENSOR_F32:
		memcpy(floats, data + 4 * first, count * sizeof *floats);
		break;
	case TENSOR_F16:
		for (size_t i = 0; i < count; i++)
			floats[i] = widen_f16(half_at(data, first + i));
		break;
	case TENSOR_BF16:
		for (size_t i = 0; i < count; i++)
			floats[i] = float_of_bits(half_at(data, first + i) << 16);
		break;
	case TENSOR_OTHER:
		break;
	}
}

void safetensors_rest(const struct safetensors *weights)
{
	mapping_rest(&weights->mapping);
}

void safetensors_free(struct safetensors *weights)
{
	if (weights == NULL)
		return;
	weights->values->unref(weights->header);
	mapping_close(&weights->mapping);
	free(weights);
}
