/*
 * Values: null, bool, 64-bit integer, double, string, list and map.
 *
 * A value is immutable and reference-counted; counts are atomic, so a value may be read and
 * released on any thread. A constructor returns one reference that the caller owns. Where an
 * argument is said to be taken, the callee owns that reference afterwards, also when it fails.
 * What an accessor returns is borrowed: it lives as long as the value that it was read from.
 */
#ifndef SMARTSUPPORT_VALUE_H
#define SMARTSUPPORT_VALUE_H

#include "error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

SS_BEGIN_C

/* What a value is. */
enum ss_type {
	SS_NULL = 0, /* nothing */
	SS_BOOL,     /* true or false */
	SS_INT,      /* 64 bits, signed */
	SS_NUMBER,   /* double */
	SS_STRING,   /* UTF-8, NUL-terminated, with a length in bytes */
	SS_LIST,     /* of values of any types */
	SS_MAP,      /* string keys, sorted by their bytes, unique */
};

/* A value. Only the functions below look into it. */
struct ss_value;

/* A text that is borrowed: it lives as long as who hands it over says. */
struct ss_text {
	const char *data; /* UTF-8; not necessarily NUL-terminated */
	size_t length;    /* bytes */
};

/* Bytes that are kept as they are, for who made them to read. Since 1.3 */
struct ss_bytes {
	const unsigned char *data; /* NULL for none */
	size_t length;             /* bytes */
};

/* The host's functions on values. Any thread. */
struct ss_value_functions {
	size_t struct_size;

	/* Constructors: each returns a new reference, which the caller owns. */

	/* The value null. */
	struct ss_value *(*null)(void);
	/* VALUE, true or false. */
	struct ss_value *(*boolean)(bool value);
	/* The whole number VALUE. */
	struct ss_value *(*integer)(int64_t value);
	/* The number VALUE; one that is not finite is null in JSON. */
	struct ss_value *(*number)(double value);
	/* Copies LENGTH bytes of TEXT, UTF-8. */
	struct ss_value *(*string)(const char *text, size_t length);
	/* Takes the COUNT ITEMS; the array itself stays the caller's. */
	struct ss_value *(*list)(struct ss_value *const *items, size_t count);
	/* Copies the COUNT KEYS (NUL-terminated) and takes the VALUES. Of equal keys the last one counts. */
	struct ss_value *(*map)(
		const char *const *keys, struct ss_value *const *values, size_t count);
	/* Parses one JSON text (RFC 8259). NULL and ERR when it is not well-formed. */
	struct ss_value *(*from_json)(const char *json, size_t length, struct ss_error *err);

	/* References. */

	/* One more reference to VALUE, which is returned. */
	struct ss_value *(*ref)(const struct ss_value *value);
	/* Gives a reference back; NULL is allowed. */
	void (*unref)(struct ss_value *value);

	/* Accessors. They return zero, NULL or "" when the value is NULL or of another type. */

	/* The type of VALUE; of NULL SS_NULL. */
	enum ss_type (*type)(const struct ss_value *value);
	/* Whether VALUE is true. */
	bool (*as_bool)(const struct ss_value *value);
	/* The integer; of a double without a fraction as well. */
	int64_t (*as_int)(const struct ss_value *value);
	/* The number; of an integer as well. */
	double (*as_number)(const struct ss_value *value);
	/* The string, NUL-terminated, borrowed of VALUE, and its LENGTH in bytes, which may be NULL. */
	const char *(*as_string)(const struct ss_value *value, size_t *length);
	/* The number of items of a list or of entries of a map. */
	size_t (*count)(const struct ss_value *value);
	/* The item or the entry's value at INDEX, NULL past the end. */
	const struct ss_value *(*at)(const struct ss_value *value, size_t index);
	/* The key of a map's entry at INDEX. */
	const char *(*key_at)(const struct ss_value *value, size_t index);
	/* The value at KEY of a map, or NULL. */
	const struct ss_value *(*get)(const struct ss_value *value, const char *key);
};

SS_END_C

#endif
