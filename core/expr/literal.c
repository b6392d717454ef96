/* Literals: numbers, and strings with CEL's prefixes, quotes and escapes. */
#include "base/buffer.h"
#include "base/memory.h"
#include "expr/parse.h"
#include "value/value.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* The digits of an escape that names a code point. */
struct numeric_escape {
	char sign;
	size_t digits;
	int base;
};

static bool is_quote(char c)
{
	return c == '"' || c == '\'';
}

bool literal_is_string(const char *at)
{
	if (is_quote(*at))
		return true;
	/* Bytes are recognized, to be refused with a sentence of their own. */
	size_t prefix = strspn(at, "rRbB");
	return prefix > 0 && prefix <= 2 && is_quote(at[prefix]);
}

/* Reads an escape of one character. */
static bool simple_escape(char c, char *out)
{
	static const char from[] = "nrtabfv\\\"'`?";
	static const char to[] = "\n\r\t\a\b\f\v\\\"'`?";
	const char *found = c != '\0' ? strchr(from, c) : NULL;
	if (found == NULL)
		return false;
	*out = to[found - from];
	return true;
}

/* Reads the escape at AT, behind the backslash, and adds what it stands for. Returns how many bytes it
 * has, or 0 when it is none. */
static size_t read_escape(const char *at, struct buffer *out)
{
	static const struct numeric_escape escapes[] = {
		{'x', 2, 16}, {'X', 2, 16}, {'u', 4, 16}, {'U', 8, 16}};
	struct numeric_escape escape = {0};
	long long point = 0;
	char digits[9] = "";
	char simple;
	if (simple_escape(*at, &simple)) {
		buffer_add_char(out, simple);
		return 1;
	}
	for (size_t i = 0; i < array_length(escapes); i++) {
		if (*at == escapes[i].sign)
			escape = escapes[i];
	}
	if (*at >= '0' && *at <= '3')
		escape = (struct numeric_escape){'\0', 3, 8};
	if (escape.digits == 0)
		return 0;
	size_t sign = escape.sign != '\0' ? 1 : 0;
	const char *allowed = escape.base == 8 ? "01234567" : "0123456789abcdefABCDEF";
	if (strspn(at + sign, allowed) < escape.digits)
		return 0;
	memcpy(digits, at + sign, escape.digits);
	point = strtoll(digits, NULL, escape.base);
	if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return 0;
	utf8proc_uint8_t bytes[4];
	utf8proc_ssize_t length = utf8proc_encode_char((utf8proc_int32_t)point, bytes);
	buffer_add(out, (const char *)bytes, (size_t)length);
	return sign + escape.digits;
}

/* The characters up to QUOTE, which is three of its kind if TRIPLE. */
static int read_string(
	struct parser *parser, const char *quote, bool raw, size_t start, struct buffer *out)
{
	size_t length = strlen(quote);
	while (strncmp(parser->at, quote, length) != 0) {
		bool newline = *parser->at == '\n' || *parser->at == '\r';
		if (*parser->at == '\0' || (newline && length == 1)) {
			parser->at = parser->text + start;
			(void)parser_fail(parser, "the string has no end");
			return -1;
		}
		if (*parser->at != '\\' || raw) {
			buffer_add_char(out, *parser->at++);
			continue;
		}
		size_t used = read_escape(parser->at + 1, out);
		if (used == 0) {
			(void)parser_fail(parser, "unknown escape in the string");
			return -1;
		}
		parser->at += 1 + used;
	}
	parser->at += length;
	return 0;
}

struct expr_node *literal_string(struct parser *parser)
{
	size_t start = parser_offset(parser);
	size_t prefix = strspn(parser->at, "rRbB");
	char quote[4] = "";
	if (strcspn(parser->at, "bB") < prefix)
		return parser_fail(parser, "bytes are not supported; use a string");
	parser->at += prefix;
	bool triple = parser->at[1] == *parser->at && parser->at[2] == *parser->at;
	memset(quote, *parser->at, triple ? 3 : 1);
	parser->at += strlen(quote);
	struct buffer text = {0};
	struct expr_node *node = NULL;
	if (read_string(parser, quote, prefix > 0, start, &text) == 0)
		node = expr_node_constant(start, value_string(buffer_text(&text), text.length));
	buffer_free(&text);
	return node;
}

/* The digits and the exponent of a double after its whole part. Returns whether there were any. */
static bool skip_fraction(struct parser *parser)
{
	const char *from = parser->at;
	if (*parser->at == '.' && isdigit((unsigned char)parser->at[1]))
		parser->at += 1 + strspn(parser->at + 1, "0123456789");
	if (*parser->at == 'e' || *parser->at == 'E') {
		size_t sign = parser->at[1] == '-' || parser->at[1] == '+' ? 1 : 0;
		if (isdigit((unsigned char)parser->at[1 + sign]))
			parser->at += 1 + sign + strspn(parser->at + 1 + sign, "0123456789");
	}
	return parser->at > from;
}

static struct expr_node *number_fail(struct parser *parser, size_t start, const char *what)
{
	parser->at = parser->text + start;
	return parser_fail(parser, what);
}

struct expr_node *literal_number(struct parser *parser)
{
	size_t start = parser_offset(parser);
	const char *from = parser->at;
	bool is_double = false;
	parser->at += *from == '-' ? 1 : 0;
	bool hexadecimal = parser->at[0] == '0' && parser->at[1] == 'x' &&
			   isxdigit((unsigned char)parser->at[2]);
	if (hexadecimal) {
		parser->at += 2;
		parser->at += strspn(parser->at, "0123456789abcdefABCDEF");
	} else {
		parser->at += strspn(parser->at, "0123456789");
		is_double = skip_fraction(parser);
	}
	if ((*parser->at == 'u' || *parser->at == 'U') && !parser_is_word(parser->at[1]))
		return number_fail(
			parser, start, "unsigned ints are not supported; leave out the \"u\"");
	if (parser_is_word(*parser->at))
		return number_fail(parser, start, "the number is not well-formed");
	errno = 0;
	double number = is_double ? strtod(from, NULL) : 0;
	int64_t integer = is_double ? 0 : strtoll(from, NULL, hexadecimal ? 16 : 10);
	/* A double that is too small is 0, which is no mistake. */
	if (is_double ? isinf(number) : errno == ERANGE)
		return number_fail(parser, start, "the number is out of range");
	return expr_node_constant(start, is_double ? value_number(number) : value_int(integer));
}
