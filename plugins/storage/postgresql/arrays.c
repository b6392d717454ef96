#include "storage/postgresql/arrays.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

/* Before the elements: dimensions, whether there are nulls, the type, and of the only dimension how many and from which number
 * on. Each element begins with its length, which is -1 for the null (array_recv() in PostgreSQL's source). */
enum { HEADER_NUMBERS = 5, ROWS_NUMBER = 3 };

static const size_t number_length = 4, header_length = 20, kept_length = 65536;

static void put_number(char *to, int32_t number)
{
	uint32_t bits = htobe32((uint32_t)number);
	memcpy(to, &bits, number_length);
}

static int reserve(struct array *array, size_t length)
{
	if (array->length + length <= array->capacity)
		return 0;
	size_t capacity = 2 * (array->length + length);
	char *data = realloc(array->data, capacity);
	if (data == NULL)
		return -1;
	array->data = data;
	array->capacity = capacity;
	return 0;
}

static void begin(struct array *array, enum array_type type)
{
	const int32_t header[HEADER_NUMBERS] = {1, 1, (int32_t)type, 0, 1};
	for (size_t i = 0; i < HEADER_NUMBERS; i++)
		put_number(array->data + i * number_length, header[i]);
	array->length = header_length;
}

int arrays_add(struct arrays *arrays, int i, enum array_type type, const void *data, size_t length)
{
	struct array *array = &arrays->arrays[i];
	if (reserve(array, header_length + number_length + length) < 0)
		return -1;
	if (array->length == 0)
		begin(array, type);
	put_number(array->data + array->length, data != NULL ? (int32_t)length : -1);
	array->length += number_length;
	if (data != NULL && length > 0)
		memcpy(array->data + array->length, data, length);
	array->length += data != NULL ? length : 0;
	arrays->length += length;
	return 0;
}

const char *arrays_value(struct arrays *arrays, int i, size_t *length)
{
	struct array *array = &arrays->arrays[i];
	put_number(array->data + ROWS_NUMBER * number_length, arrays->rows);
	*length = array->length;
	return array->data;
}

void arrays_clear(struct arrays *arrays)
{
	for (int i = 0; i < PARAMETERS_LIMIT; i++) {
		struct array *array = &arrays->arrays[i];
		array->length = 0;
		if (array->capacity <= kept_length)
			continue;
		free(array->data);
		*array = (struct array){0};
	}
	arrays->rows = 0;
	arrays->length = 0;
}

void arrays_free(struct arrays *arrays)
{
	for (int i = 0; i < PARAMETERS_LIMIT; i++)
		free(arrays->arrays[i].data);
	*arrays = (struct arrays){0};
}
