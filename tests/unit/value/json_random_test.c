#include "base/memory.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* SplitMix64 (Steele, Lea and Flood 2014): the same values in every run. */
static uint64_t next(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static size_t below(uint64_t *seed, size_t limit)
{
	return (size_t)(next(seed) % limit);
}

/* A code point that is no surrogate, often one that needs an escape. */
static unsigned random_point(uint64_t *seed)
{
	static const unsigned hard[] = {0, '"', '\\', '/', '\n', '\r', '\t', '\b', '\f', 1, 0x1f,
		0x7f, 0x80, 0x7ff, 0x800, 0x2028, 0x2029, 0xd7ff, 0xe000, 0xfeff, 0xfffe, 0xffff,
		0x10000, 0x10ffff};
	static const unsigned limits[] = {0x80, 0x800, 0xd800, 0x110000};
	if (below(seed, 4) == 0)
		return hard[below(seed, array_length(hard))];
	unsigned point = (unsigned)below(seed, limits[below(seed, array_length(limits))]);
	return point >= 0xd800 && point < 0xe000 ? 'x' : point;
}

static void add_point(struct buffer *buffer, unsigned point)
{
	static const unsigned char starts[] = {0, 0, 0xc0, 0xe0, 0xf0};
	int size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
	for (int i = size - 1; i >= 0; i--) {
		unsigned bits = point >> (6 * i);
		unsigned byte = size == 1       ? bits
				: i == size - 1 ? starts[size] | bits
						: 0x80 | (bits & 0x3f);
		buffer_add_char(buffer, (char)byte);
	}
}

/* A text of up to 12 characters; without NULs for a KEY. */
static void random_text(uint64_t *seed, bool key, struct buffer *buffer)
{
	for (size_t left = below(seed, 13); left > 0; left--) {
		unsigned point = random_point(seed);
		add_point(buffer, key && point == 0 ? '0' : point);
	}
}

static double random_double(uint64_t *seed)
{
	double number;
	do {
		uint64_t bits = next(seed);
		memcpy(&number, &bits, sizeof number);
	} while (!isfinite(number));
	switch (below(seed, 4)) {
	case 0:
		return number;
	case 1:
		return (double)(int64_t)next(seed) / 1000.0;
	case 2:
		return (double)below(seed, 1000);
	default:
		return (double)below(seed, 1000000) / 1e4;
	}
}

static struct ss_value *random_value(uint64_t *seed, size_t depth);

static struct ss_value *random_items(uint64_t *seed, size_t depth, bool is_map)
{
	struct ss_value *values[6];
	char *keys[6];
	size_t count = below(seed, array_length(values));
	for (size_t i = 0; i < count; i++) {
		struct buffer key = {0};
		random_text(seed, true, &key);
		keys[i] = buffer_take(&key);
		values[i] = random_value(seed, depth - 1);
	}
	struct ss_value *value = is_map ? value_map((const char *const *)keys, values, count)
					: value_list(values, count);
	for (size_t i = 0; i < count; i++)
		free(keys[i]);
	return value;
}

static struct ss_value *random_value(uint64_t *seed, size_t depth)
{
	struct buffer text = {0};
	struct ss_value *value;
	switch (below(seed, depth > 0 ? 9 : 5)) {
	case 0:
		return value_null();
	case 1:
		return value_bool(next(seed) & 1);
	case 2:
		return value_int((int64_t)(next(seed) >> below(seed, 64)));
	case 3:
		return value_number(random_double(seed));
	case 4:
		random_text(seed, false, &text);
		value = value_string(buffer_text(&text), text.length);
		buffer_free(&text);
		return value;
	case 5:
	case 6:
		return random_items(seed, depth, false);
	default:
		return random_items(seed, depth, true);
	}
}

/* Whether A and B are equal and of the same types all the way down. */
static bool same(const struct ss_value *a, const struct ss_value *b)
{
	if (value_type(a) != value_type(b) || !value_equal(a, b))
		return false;
	for (size_t i = 0; i < value_count(a); i++) {
		if (!same(value_at(a, i), value_at(b, i)))
			return false;
	}
	return true;
}

Test(json, reads_back_twenty_thousand_random_values, .timeout = 300)
{
	uint64_t seed = 20260131;
	for (size_t i = 0; i < 20000; i++) {
		struct ss_error err = {0};
		struct ss_value *value = random_value(&seed, 4);
		char *text = json_text(value);
		struct ss_value *read = json_parse(text, strlen(text), &err);
		cr_assert_not_null(read, "number %zu: %s: %s", i, err.text, text);
		cr_assert(same(value, read), "number %zu: %s", i, text);
		char *again = json_text(read);
		cr_assert_str_eq(again, text, "number %zu", i);
		value_unref(value);
		value_unref(read);
		free(text);
		free(again);
	}
}

Test(json, refuses_or_reads_whatever_a_flipped_byte_makes, .timeout = 300)
{
	uint64_t seed = 4;
	for (size_t i = 0; i < 20000; i++) {
		struct ss_error err = {0};
		struct ss_value *value = random_value(&seed, 3);
		char *text = json_text(value);
		size_t length = strlen(text);
		text[below(&seed, length)] = (char)below(&seed, 256);
		struct ss_value *read =
			json_parse(text, below(&seed, 8) == 0 ? length / 2 : length, &err);
		cr_assert_eq(read == NULL, err.status != SS_OK);
		value_unref(read);
		value_unref(value);
		free(text);
	}
}
