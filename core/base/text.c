#include "base/text.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

ptrdiff_t text_characters(struct ss_text text)
{
	ptrdiff_t characters = 0;
	const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)text.data;
	size_t left = text.length;
	while (left > 0) {
		utf8proc_int32_t point;
		utf8proc_ssize_t used = utf8proc_iterate(at, (utf8proc_ssize_t)left, &point);
		if (used <= 0)
			return -1;
		at += used;
		left -= (size_t)used;
		characters++;
	}
	return characters;
}

enum { BRAILLE_BLANK = 0x2800 };

/* What is not assigned yet counts as visible: it may be an emoji that is newer than the tables. */
static bool invisible(utf8proc_int32_t point)
{
	if (point == BRAILLE_BLANK || utf8proc_get_property(point)->ignorable)
		return true;
	switch (utf8proc_category(point)) {
	case UTF8PROC_CATEGORY_ZS:
	case UTF8PROC_CATEGORY_ZL:
	case UTF8PROC_CATEGORY_ZP:
	case UTF8PROC_CATEGORY_CC:
	case UTF8PROC_CATEGORY_CF:
		return true;
	default:
		return false;
	}
}

bool text_blank(struct ss_text text)
{
	const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)text.data;
	size_t left = text.length;
	while (left > 0) {
		utf8proc_int32_t point;
		utf8proc_ssize_t used = utf8proc_iterate(at, (utf8proc_ssize_t)left, &point);
		if (used <= 0 || !invisible(point))
			return false;
		at += used;
		left -= (size_t)used;
	}
	return true;
}

struct ss_text text_of(const char *string)
{
	return (struct ss_text){.data = string, .length = strlen(string)};
}

int text_fit(const char *string, int limit)
{
	size_t fits = strnlen(string, (size_t)limit + 1);
	if (fits <= (size_t)limit)
		return (int)fits;
	fits = (size_t)limit;
	while (fits > 0 && ((unsigned char)string[fits] & 0xc0) == 0x80)
		fits--;
	return (int)fits;
}

/* Blanks and line ends. Other control characters are none: a tokenizer may drop them, and join what they part. */
static bool is_space(utf8proc_int32_t point)
{
	return point == '\t' || point == '\n' || point == '\r' ||
	       utf8proc_category(point) == UTF8PROC_CATEGORY_ZS;
}

static bool is_space_or_punctuation(utf8proc_int32_t point)
{
	utf8proc_category_t category = utf8proc_category(point);
	return is_space(point) ||
	       (category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO);
}

static bool is_ascii(struct ss_text text)
{
	for (size_t i = 0; i < text.length; i++) {
		if ((unsigned char)text.data[i] >= 0x80)
			return false;
	}
	return true;
}

/* Makes one blank of each run of characters that GAP knows, in place. Returns the new length. */
static size_t squeeze(char *text, size_t length, bool (*gap)(utf8proc_int32_t point))
{
	size_t to = 0;
	bool in_gap = false;
	for (size_t from = 0; from < length;) {
		utf8proc_int32_t point;
		utf8proc_ssize_t used = utf8proc_iterate((const utf8proc_uint8_t *)text + from,
			(utf8proc_ssize_t)(length - from), &point);
		bool is_gap = used > 0 && gap(point);
		size_t bytes = used > 0 ? (size_t)used : 1;
		if (!is_gap) {
			if (in_gap && to > 0)
				text[to++] = ' ';
			memmove(text + to, text + from, bytes);
			to += bytes;
		}
		in_gap = is_gap;
		from += bytes;
	}
	text[to] = '\0';
	return to;
}

/* TEXT, new, with the transformations of OPTIONS unless it is not valid UTF-8. */
static char *transform(struct ss_text text, utf8proc_option_t options, size_t *length)
{
	utf8proc_uint8_t *made = NULL;
	utf8proc_ssize_t result = utf8proc_map((const utf8proc_uint8_t *)text.data,
		(utf8proc_ssize_t)text.length, &made, UTF8PROC_STABLE | options);
	*length = result >= 0 ? (size_t)result : text.length;
	return result >= 0 ? (char *)made : memory_text(text.data, text.length);
}

char *text_tidy(struct ss_text text, size_t *length)
{
	*length = text.length;
	char *tidy = is_ascii(text) ? memory_text(text.data, text.length)
				    : transform(text, UTF8PROC_COMPOSE, length);
	*length = squeeze(tidy, *length, is_space);
	return tidy;
}

char *text_fold(struct ss_text text, size_t *length)
{
	char *folded = transform(text,
		UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE, length);
	*length = squeeze(folded, *length, is_space_or_punctuation);
	return folded;
}

enum { DISTANCE_LIMIT = 64 };

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Optimal string alignment (Damerau 1964, restricted), row by row. */
size_t text_distance(const char *a, const char *b)
{
	size_t n = strlen(a);
	size_t m = strlen(b);
	size_t rows[3][DISTANCE_LIMIT + 1];
	if (n > DISTANCE_LIMIT || m > DISTANCE_LIMIT)
		return n > m ? n : m;
	for (size_t j = 0; j <= m; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t *row = rows[i % 3];
		const size_t *above = rows[(i + 2) % 3];
		const size_t *before = rows[(i + 1) % 3];
		row[0] = i;
		for (size_t j = 1; j <= m; j++) {
			size_t cost = a[i - 1] != b[j - 1];
			row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + cost);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
	}
	return rows[n % 3][m];
}
