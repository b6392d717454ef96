/* The rows that a statement adds at once, as arrays, one for each of its parameters, in the binary format of the protocol. */
#ifndef POSTGRESQL_ARRAYS_H
#define POSTGRESQL_ARRAYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PARAMETERS_LIMIT = 16 };

/* Types of elements, by their numbers in the database. */
enum array_type { ARRAY_OF_BYTES = 17, ARRAY_OF_INTS = 20, ARRAY_OF_TEXTS = 25 };

struct arrays {
	struct array {
		char *data;
		size_t length, capacity; /* in bytes */
	} arrays[PARAMETERS_LIMIT];
	int32_t rows;
	size_t length; /* of all arrays */
};

/* Adds an element of TYPE to the array I: LENGTH bytes of DATA, which are copied, or the null. -1 when there is no memory. */
int arrays_add(struct arrays *arrays, int i, enum array_type type, const void *data, size_t length);

/* The array I as the value of a parameter, with an element for each of the rows. */
const char *arrays_value(struct arrays *arrays, int i, size_t *length);

/* Forgets the rows, and gives back what is more than most of them need. */
void arrays_clear(struct arrays *arrays);

void arrays_free(struct arrays *arrays);

#endif
