/*
 * format(): the rules of CEL's strings extension. %s takes anything; %d a number; %f and %e a number, with a
 * precision as in %.3f; %b an int or a bool; %o an int; %x and %X an int or a string.
 */
#include "base/buffer.h"
#include "base/memory.h"
#include "expr/functions.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PRECISION_LIMIT = 100, USUAL_PRECISION = 6 };

struct format {
	struct evaluation *evaluation;
	const struct expr_node *node;
	struct buffer text;
	size_t paid; /* bytes of it */
};

static int add_string(struct format *format, const struct cell *cell);

/* Pays for what was added. */
static int pay(struct format *format)
{
	size_t added = format->text.length - format->paid;
	format->paid = format->text.length;
	if (evaluation_spend(format->evaluation, format->node, 1) < 0)
		return -1;
	return evaluation_spend_text(format->evaluation, format->node, added);
}

/* What is no finite number has a name. */
static bool add_special(struct format *format, double number)
{
	if (isfinite(number))
		return false;
	buffer_add_string(&format->text, isnan(number)     ? "NaN"
					 : signbit(number) ? "-Infinity"
							   : "Infinity");
	return true;
}

/* The number with the fewest digits and without an exponent. */
static void add_plain(struct format *format, double number)
{
	char digits[NUMBER_TEXT_SIZE];
	int exponent = 0;
	if (add_special(format, number))
		return;
	int length = (int)number_digits(fabs(number), digits, &exponent);
	if (signbit(number))
		buffer_add_char(&format->text, '-');
	if (exponent <= 0)
		buffer_add_string(&format->text, "0.");
	for (int i = exponent; i < 0; i++)
		buffer_add_char(&format->text, '0');
	for (int i = 0; i < length || i < exponent; i++) {
		if (i > 0 && i == exponent)
			buffer_add_char(&format->text, '.');
		buffer_add(&format->text, i < length ? digits + i : "0", 1);
	}
}

static int add_list(struct format *format, const struct cell *list)
{
	buffer_add_char(&format->text, '[');
	for (size_t i = 0; i < cell_count(list); i++) {
		struct cell item = cell_item(list, i);
		if (i > 0)
			buffer_add_string(&format->text, ", ");
		if (add_string(format, &item) < 0)
			return -1;
	}
	buffer_add_char(&format->text, ']');
	return 0;
}

/* A key as it is written, for the order of a map's entries. */
struct written_key {
	char *text;
	size_t index;
};

static int compare_written(const void *a, const void *b)
{
	const struct written_key *left = a;
	const struct written_key *right = b;
	return strcmp(left->text, right->text);
}

static char *write_key(const struct cell *key)
{
	if (key->type == SS_INT)
		return memory_format("%" PRId64, key->integer);
	if (key->type == SS_BOOL)
		return memory_string(key->boolean ? "true" : "false");
	return memory_text(key->text.data, key->text.length);
}

/* The entries are in the order of their keys as they are written. */
static int add_map(struct format *format, const struct cell *map)
{
	int result = 0;
	size_t count = cell_count(map);
	if (evaluation_spend(format->evaluation, format->node, count) < 0)
		return -1;
	struct written_key *keys = memory_array(count, sizeof *keys);
	for (size_t i = 0; i < count; i++) {
		struct cell key = cell_key(map, i);
		keys[i] = (struct written_key){write_key(&key), i};
	}
	qsort(keys, count, sizeof *keys, compare_written);
	buffer_add_char(&format->text, '{');
	for (size_t i = 0; result == 0 && i < count; i++) {
		struct cell key = cell_key(map, keys[i].index);
		struct cell value = cell_entry(map, keys[i].index);
		if (i > 0)
			buffer_add_string(&format->text, ", ");
		result = add_string(format, &key);
		buffer_add_string(&format->text, ": ");
		result = result == 0 ? add_string(format, &value) : -1;
	}
	buffer_add_char(&format->text, '}');
	for (size_t i = 0; i < count; i++)
		free(keys[i].text);
	free(keys);
	return result;
}

static int add_string(struct format *format, const struct cell *cell)
{
	int result = 0;
	switch (cell->type) {
	case SS_NULL:
		buffer_add_string(&format->text, "null");
		break;
	case SS_BOOL:
		buffer_add_string(&format->text, cell->boolean ? "true" : "false");
		break;
	case SS_INT:
		buffer_add_format(&format->text, "%" PRId64, cell->integer);
		break;
	case SS_NUMBER:
		add_plain(format, cell->number);
		break;
	case SS_STRING:
		/* Paid for before it is copied: it may be large. */
		if (evaluation_spend_text(format->evaluation, format->node, cell->text.length) < 0)
			return -1;
		buffer_add(&format->text, cell->text.data, cell->text.length);
		format->paid += cell->text.length;
		break;
	case SS_LIST:
		result = add_list(format, cell);
		break;
	case SS_MAP:
		result = add_map(format, cell);
		break;
	}
	return result == 0 ? pay(format) : -1;
}

static int add_any(struct format *format, const struct cell *cell, int precision, char verb)
{
	(void)precision;
	(void)verb;
	return add_string(format, cell);
}

static int add_rounded(struct format *format, const struct cell *cell, int precision, char verb)
{
	double number = cell_as_number(cell);
	if (!add_special(format, number))
		buffer_add_format(&format->text, verb == 'f' ? "%.*f" : "%.*e", precision, number);
	return pay(format);
}

/* An int, or a bool as 1 or 0, to the base that VERB stands for; a negative one with a minus. */
static int add_based(struct format *format, const struct cell *cell, int precision, char verb)
{
	char digits[64];
	size_t at = sizeof digits;
	unsigned base = verb == 'b' ? 2 : verb == 'o' ? 8 : 16;
	const char *const names = verb == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
	(void)precision;
	if (cell->type == SS_STRING) {
		if (evaluation_spend_text(format->evaluation, format->node, 2 * cell->text.length) <
			0)
			return -1;
		for (size_t i = 0; i < cell->text.length; i++) {
			unsigned char byte = (unsigned char)cell->text.data[i];
			buffer_add_char(&format->text, names[byte >> 4]);
			buffer_add_char(&format->text, names[byte & 15]);
		}
		return 0;
	}
	int64_t integer = cell->type == SS_BOOL ? (int64_t)cell->boolean : cell->integer;
	uint64_t rest = integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer;
	do {
		digits[--at] = names[rest % base];
		rest /= base;
	} while (rest > 0);
	if (integer < 0)
		buffer_add_char(&format->text, '-');
	buffer_add(&format->text, digits + at, sizeof digits - at);
	return pay(format);
}

#define BIT(type) (1U << (type))

static const struct verb {
	char sign;
	bool has_precision;
	unsigned takes;
	int (*add)(struct format *, const struct cell *, int precision, char verb);
} verbs[] = {
	{'s', false, ~0U, add_any},
	{'d', false, BIT(SS_INT) | BIT(SS_NUMBER), add_any},
	{'f', true, BIT(SS_INT) | BIT(SS_NUMBER), add_rounded},
	{'e', true, BIT(SS_INT) | BIT(SS_NUMBER), add_rounded},
	{'b', false, BIT(SS_INT) | BIT(SS_BOOL), add_based},
	{'o', false, BIT(SS_INT), add_based},
	{'x', false, BIT(SS_INT) | BIT(SS_STRING), add_based},
	{'X', false, BIT(SS_INT) | BIT(SS_STRING), add_based},
};

static int fail_format(struct format *format, const char *what, const char *at, size_t length)
{
	return evaluation_fail(format->evaluation, format->node->items[0]->offset,
		"the format is wrong: %s \"%.*s\"", what, (int)(length < 20 ? length : 20), at);
}

/* Reads the clause at *AT, which ends before END, behind its "%"; *AT is moved behind it. */
static int read_clause(struct format *format, const char **at, const char *end,
	const struct verb **verb, int *precision)
{
	const char *start = *at - 1;
	*precision = USUAL_PRECISION;
	*verb = NULL;
	bool precise = *at < end && **at == '.';
	if (precise) {
		*precision = 0;
		for ((*at)++; *at < end && isdigit((unsigned char)**at); (*at)++) {
			if (*precision <= PRECISION_LIMIT)
				*precision = 10 * *precision + (**at - '0');
		}
	}
	if (*precision > PRECISION_LIMIT)
		return fail_format(format, "too many digits in", start, (size_t)(*at - start));
	for (size_t i = 0; *at < end && i < array_length(verbs); i++) {
		if (verbs[i].sign == **at)
			*verb = &verbs[i];
	}
	if (*verb == NULL || (precise && !(*verb)->has_precision))
		return fail_format(format, "there is no", start,
			(size_t)(*at - start) + (*at < end && isprint((unsigned char)**at)));
	(*at)++;
	return 0;
}

static int add_clause(struct format *format, const char **at, const char *end,
	const struct cell *arguments, size_t *next)
{
	const struct verb *verb;
	int precision;
	if (read_clause(format, at, end, &verb, &precision) < 0)
		return -1;
	size_t offset = format->node->items[1]->offset;
	if (*next >= cell_count(arguments))
		return evaluation_fail(format->evaluation, offset,
			"the format needs more than the %zu given argument%s",
			cell_count(arguments), cell_count(arguments) == 1 ? "" : "s");
	struct cell cell = cell_item(arguments, *next);
	if ((verb->takes & BIT(cell.type)) == 0) {
		char types[80];
		return evaluation_fail(format->evaluation, offset,
			"%%%c takes %s, not %s, which argument %zu is", verb->sign,
			expr_type_list(verb->takes, types, sizeof types), cell_a_type(cell.type),
			*next + 1);
	}
	(*next)++;
	return verb->add(format, &cell, precision, verb->sign);
}

int string_format(struct evaluation *evaluation, const struct expr_node *node,
	const struct cell *items, struct cell *out)
{
	struct format format = {.evaluation = evaluation, .node = node};
	const char *at = items[0].text.data;
	const char *end = at + items[0].text.length;
	size_t next = 0;
	int result = evaluation_spend_text(evaluation, node, items[0].text.length);
	while (result == 0 && at < end) {
		const char *percent = memchr(at, '%', (size_t)(end - at));
		const char *plain = percent != NULL ? percent : end;
		buffer_add(&format.text, at, (size_t)(plain - at));
		at = plain;
		if (at == end)
			break;
		at++;
		if (at < end && *at == '%')
			buffer_add_char(&format.text, *at++);
		else
			result = add_clause(&format, &at, end, &items[1], &next);
	}
	if (result == 0)
		result = cell_new_text(
			evaluation, node, buffer_text(&format.text), format.text.length, out);
	buffer_free(&format.text);
	return result;
}
