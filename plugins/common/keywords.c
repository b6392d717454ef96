#include "common/keywords.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

struct keyword {
	char *text; /* folded, between spaces */
	size_t length;
	char *label;
};

struct keywords {
	struct keyword *items;
	size_t count;
};

/* TEXT in small letters, its words between single spaces, one space at both ends. A new string, NULL when
 * there is no memory. */
static char *fold(struct ss_text text, size_t *length)
{
	/* No small letter has more than 4 bytes, and no letter fewer than 1. */
	char *folded = malloc(text.length * 4 + 3);
	size_t end = 0;
	if (folded == NULL)
		return NULL;
	folded[end++] = ' ';
	for (size_t at = 0; at < text.length;) {
		utf8proc_int32_t code = 0;
		utf8proc_ssize_t bytes = utf8proc_iterate((const utf8proc_uint8_t *)text.data + at,
			(utf8proc_ssize_t)(text.length - at), &code);
		at += bytes > 0 ? (size_t)bytes : 1;
		if (code == 0x2019)
			code = '\'';
		utf8proc_category_t category =
			bytes > 0 ? utf8proc_category(code) : UTF8PROC_CATEGORY_CN;
		bool part =
			(category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO) ||
			code == '\'';
		if (part)
			end += (size_t)utf8proc_encode_char(
				utf8proc_tolower(code), (utf8proc_uint8_t *)folded + end);
		else if (folded[end - 1] != ' ')
			folded[end++] = ' ';
	}
	if (folded[end - 1] != ' ')
		folded[end++] = ' ';
	folded[end] = '\0';
	*length = end;
	return folded;
}

static int add(
	struct keywords *keywords, const char *label, struct ss_text text, struct ss_error *err)
{
	if (text.length > KEYWORD_BYTES_LIMIT)
		return ss_fail_as(err, SS_INVALID,
			"keywords: \"%.40s...\" of %s has more than %d bytes", text.data, label,
			KEYWORD_BYTES_LIMIT);
	if (keywords->count == KEYWORDS_LIMIT)
		return ss_fail_as(
			err, SS_LIMIT, "keywords: there are more than %d", KEYWORDS_LIMIT);
	struct keyword *items =
		realloc(keywords->items, (keywords->count + 1) * sizeof *keywords->items);
	if (items == NULL)
		return ss_fail(err, "keywords: out of memory");
	keywords->items = items;
	struct keyword *keyword = &items[keywords->count];
	keyword->text = fold(text, &keyword->length);
	keyword->label = strdup(label);
	keywords->count++;
	if (keyword->text == NULL || keyword->label == NULL)
		return ss_fail(err, "keywords: out of memory");
	if (keyword->length < 2)
		return ss_fail_as(err, SS_INVALID,
			"keywords: \"%s\" of %s has no letter or digit; remove it or write a word",
			text.data, label);
	return 0;
}

struct keywords *keywords_new(
	const struct ss_value_functions *values, const struct ss_value *map, struct ss_error *err)
{
	struct keywords *keywords = calloc(1, sizeof *keywords);
	if (keywords == NULL) {
		(void)ss_fail(err, "keywords: out of memory");
		return NULL;
	}
	for (size_t i = 0; i < values->count(map); i++) {
		const struct ss_value *list = values->at(map, i);
		for (size_t k = 0; k < values->count(list); k++) {
			struct ss_text text = {0};
			text.data = values->as_string(values->at(list, k), &text.length);
			if (add(keywords, values->key_at(map, i), text, err) < 0) {
				keywords_free(keywords);
				return NULL;
			}
		}
	}
	return keywords;
}

void keywords_free(struct keywords *keywords)
{
	if (keywords == NULL)
		return;
	for (size_t i = 0; i < keywords->count; i++) {
		free(keywords->items[i].text);
		free(keywords->items[i].label);
	}
	free(keywords->items);
	free(keywords);
}

const char *keywords_find(const struct keywords *keywords, struct ss_text text)
{
	const struct keyword *best = NULL;
	size_t length = 0;
	if (keywords->count == 0)
		return NULL;
	char *folded = fold(text, &length);
	if (folded == NULL)
		return NULL;
	for (size_t i = 0; i < keywords->count; i++) {
		const struct keyword *keyword = &keywords->items[i];
		if ((best == NULL || keyword->length > best->length) &&
			memmem(folded, length, keyword->text, keyword->length) != NULL)
			best = keyword;
	}
	free(folded);
	return best != NULL ? best->label : NULL;
}

/* Writes over every place of KEYWORD in FOLDED, but for the spaces at its ends, which its neighbours need.
 * Returns whether there was one. */
static bool cover(char *folded, size_t length, const struct keyword *keyword)
{
	bool found = false;
	char *at;
	while ((at = memmem(folded, length, keyword->text, keyword->length)) != NULL) {
		memset(at + 1, '.', keyword->length - 2);
		found = true;
	}
	return found;
}

/* The longest keyword that is shorter than BELOW, or just as long and behind AFTER; NULL when there is
 * none. */
static const struct keyword *next_longest(
	const struct keywords *keywords, size_t below, const struct keyword *after)
{
	const struct keyword *best = NULL;
	for (size_t i = 0; i < keywords->count; i++) {
		const struct keyword *keyword = &keywords->items[i];
		bool left =
			keyword->length < below || (keyword->length == below && keyword > after);
		if (left && (best == NULL || keyword->length > best->length))
			best = keyword;
	}
	return best;
}

size_t keywords_find_all(
	const struct keywords *keywords, struct ss_text text, const char **labels, size_t limit)
{
	size_t count = 0;
	size_t length = 0;
	char *folded = fold(text, &length);
	const struct keyword *keyword = next_longest(keywords, SIZE_MAX, NULL);
	while (folded != NULL && keyword != NULL && count < limit) {
		if (cover(folded, length, keyword))
			labels[count++] = keyword->label;
		keyword = next_longest(keywords, keyword->length, keyword);
	}
	free(folded);
	return count;
}
