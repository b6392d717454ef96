#include "base/text.h"

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
