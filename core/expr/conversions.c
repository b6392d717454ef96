/* bool(), int(), double(), string() and dyn(). */
#include "expr/functions.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The longest text that is read as a number; longer ones are none that a person wrote. */
enum { NUMBER_LIMIT = 400, DOUBLE_TEXT_SIZE = 64 };

static int fail_text(struct evaluation *evaluation, const struct expr_node *node, const char *what)
{
	return evaluation_fail(evaluation, node->offset, "%s() cannot read the string; %s",
		node->function->name, what);
}

int convert_bool(struct evaluation *evaluation, const struct expr_node *node,
	const struct cell *items, struct cell *out)
{
	static const char *const names[2][6] = {{"0", "f", "F", "FALSE", "false", "False"},
		{"1", "t", "T", "TRUE", "true", "True"}};
	if (items[0].type == SS_BOOL) {
		*out = items[0];
		return 0;
	}
	struct ss_text text = items[0].text;
	for (size_t i = 0; i < 12; i++) {
		const char *name = names[i / 6][i % 6];
		if (strlen(name) == text.length && memcmp(name, text.data, text.length) == 0) {
			*out = cell_bool(i >= 6);
			return 0;
		}
	}
	return fail_text(evaluation, node, "write true or false");
}

/* Copies TEXT with a NUL behind it. */
static bool copy(struct ss_text text, char out[NUMBER_LIMIT])
{
	if (text.length >= NUMBER_LIMIT || memchr(text.data, '\0', text.length) != NULL)
		return false;
	memcpy(out, text.data, text.length);
	out[text.length] = '\0';
	return true;
}

int convert_int(struct evaluation *evaluation, const struct expr_node *node,
	const struct cell *items, struct cell *out)
{
	char text[NUMBER_LIMIT];
	if (items[0].type == SS_INT) {
		*out = items[0];
		return 0;
	}
	if (items[0].type == SS_NUMBER) {
		/* Neither end of the range is sure to be what was meant: both are roundings. */
		if (!(items[0].number > -TWO_TO_63 && items[0].number < TWO_TO_63))
			return evaluation_fail(
				evaluation, node->offset, "the double does not fit an int");
		*out = cell_int((int64_t)items[0].number);
		return 0;
	}
	const char *digits = text;
	if (!copy(items[0].text, text))
		return fail_text(evaluation, node, "it is no int");
	digits += *digits == '-' || *digits == '+' ? 1 : 0;
	if (*digits == '\0' || digits[strspn(digits, "0123456789")] != '\0')
		return fail_text(evaluation, node, "it is no int");
	errno = 0;
	*out = cell_int(strtoll(text, NULL, 10));
	return errno == 0 ? 0 : fail_text(evaluation, node, "the number does not fit 64 bits");
}

/* Whether TEXT is a decimal number, or one of the names for what is none. */
static bool is_double(const char *text)
{
	static const char digits[] = "0123456789";
	const char *at = text + (*text == '-' || *text == '+' ? 1 : 0);
	if (strcasecmp(at, "inf") == 0 || strcasecmp(at, "infinity") == 0 ||
		strcasecmp(text, "nan") == 0)
		return true;
	size_t whole = strspn(at, digits);
	at += whole;
	size_t fraction = *at == '.' ? strspn(at + 1, digits) : 0;
	if (whole + fraction == 0)
		return false;
	at += *at == '.' ? 1 + fraction : 0;
	if (*at == 'e' || *at == 'E') {
		at += at[1] == '-' || at[1] == '+' ? 2 : 1;
		if (!isdigit((unsigned char)*at))
			return false;
		at += strspn(at, digits);
	}
	return *at == '\0';
}

int convert_double(struct evaluation *evaluation, const struct expr_node *node,
	const struct cell *items, struct cell *out)
{
	char text[NUMBER_LIMIT];
	if (items[0].type != SS_STRING) {
		*out = cell_number(cell_as_number(&items[0]));
		return 0;
	}
	if (!copy(items[0].text, text) || !is_double(text))
		return fail_text(evaluation, node, "it is no double");
	*out = cell_number(strtod(text, NULL));
	if (isinf(out->number) && strpbrk(text, "0123456789") != NULL)
		return fail_text(evaluation, node, "the number is out of a double's range");
	return 0;
}

size_t number_digits(double number, char digits[NUMBER_TEXT_SIZE], int *exponent)
{
	char text[NUMBER_TEXT_SIZE];
	for (int precision = 0; precision <= 16; precision++) {
		(void)snprintf(text, sizeof text, "%.*e", precision, number);
		if (strtod(text, NULL) == number)
			break;
	}
	char *e = strchr(text, 'e');
	*exponent = atoi(e + 1) + 1;
	*e = '\0';
	size_t length = 0;
	for (const char *at = text; *at != '\0'; at++) {
		if (*at != '.')
			digits[length++] = *at;
	}
	digits[length] = '\0';
	return length;
}

/* NUMBER with the fewest digits, as CEL's Go implementation writes it: with an exponent below -4 and from 6,
 * as in 1e+06. Returns the length. */
static size_t write_double(double number, char out[DOUBLE_TEXT_SIZE])
{
	char digits[NUMBER_TEXT_SIZE];
	int exponent = 0;
	int written;
	const char *sign = signbit(number) ? "-" : "";
	if (isnan(number))
		return (size_t)snprintf(out, NUMBER_TEXT_SIZE, "NaN");
	if (isinf(number))
		return (size_t)snprintf(
			out, NUMBER_TEXT_SIZE, "%sInf", signbit(number) ? "-" : "+");
	int length = (int)number_digits(fabs(number), digits, &exponent);
	int power = exponent - 1;
	if (power < -4 || power >= 6)
		written = snprintf(out, DOUBLE_TEXT_SIZE, "%s%c%s%se%c%02d", sign, digits[0],
			length > 1 ? "." : "", digits + 1, power < 0 ? '-' : '+', abs(power));
	else if (exponent <= 0)
		written = snprintf(
			out, DOUBLE_TEXT_SIZE, "%s0.%.*s%s", sign, -exponent, "0000", digits);
	else if (length > exponent)
		written = snprintf(out, DOUBLE_TEXT_SIZE, "%s%.*s.%s", sign, exponent, digits,
			digits + exponent);
	else
		written = snprintf(out, DOUBLE_TEXT_SIZE, "%s%s%.*s", sign, digits,
			exponent - length, "000000");
	return (size_t)written;
}

int convert_string(struct evaluation *evaluation, const struct expr_node *node,
	const struct cell *items, struct cell *out)
{
	char text[DOUBLE_TEXT_SIZE];
	size_t length = 0;
	switch (items[0].type) {
	case SS_BOOL:
		*out = items[0].boolean ? cell_text("true", 4) : cell_text("false", 5);
		return 0;
	case SS_INT:
		length = (size_t)snprintf(text, sizeof text, "%" PRId64, items[0].integer);
		break;
	case SS_NUMBER:
		length = write_double(items[0].number, text);
		break;
	default:
		*out = items[0];
		return 0;
	}
	return cell_new_text(evaluation, node, text, length, out);
}

int convert_dyn(struct evaluation *evaluation, const struct expr_node *node,
	const struct cell *items, struct cell *out)
{
	(void)evaluation;
	(void)node;
	*out = items[0];
	return 0;
}
