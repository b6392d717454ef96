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

/* No small letter has more than 4 bytes, and no letter fewer than 1. */
static size_t folded_size(struct ss_text text)
{
	return text.length * 4 + 3;
}

/* Whether a clause ends at the character CODE, which is part of no word. */
static bool ends_clause(utf8proc_int32_t code)
{
	static const char within[] = " \t\r\"*_-/";
	return code > 0 && code < 0x80 && strchr(within, (int)code) == NULL;
}

/* TEXT in small letters, its words between single spaces, one space at both ends. A new string, NULL when
 * there is no memory. Unless it is NULL, CLAUSE_ENDS (folded_size() bytes, all 0) is set to 1 at the spaces where a
 * clause ends. */
static char *fold(struct ss_text text, size_t *length, char *clause_ends)
{
	char *folded = malloc(folded_size(text));
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
		if (!part && clause_ends != NULL && ends_clause(code))
			clause_ends[end - 1] = 1;
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
	keyword->text = fold(text, &keyword->length, NULL);
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
	char *folded = fold(text, &length, NULL);
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

/* Whether the LENGTH bytes at WORD may stand before what a clause begins with. */
static bool leads_in(const char *word, size_t length)
{
	static const char *const words[] = {"and", "but", "hello", "hey", "hi", "however", "it",
		"no", "nope", "now", "ok", "okay", "sadly", "so", "sorry", "that", "this",
		"unfortunately", "well", "yes"};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strlen(words[i]) == length && memcmp(words[i], word, length) == 0)
			return true;
	}
	return false;
}

/* Whether a clause begins behind the space AT of FOLDED. */
static bool clause_begins(const char *folded, const char *clause_ends, size_t at)
{
	while (at > 0 && !clause_ends[at]) {
		size_t before = at - 1; /* the space before the word before */
		while (folded[before] != ' ')
			before--;
		if (!leads_in(folded + before + 1, at - before - 1))
			return false;
		at = before;
	}
	return true;
}

bool keywords_begin_clause(const struct keywords *keywords, struct ss_text text)
{
	bool found = false;
	size_t length = 0;
	char *clause_ends = calloc(1, folded_size(text));
	char *folded = clause_ends != NULL ? fold(text, &length, clause_ends) : NULL;
	for (size_t i = 0; folded != NULL && i < keywords->count && !found; i++) {
		const char *at = folded;
		while (!found && (at = strstr(at, keywords->items[i].text)) != NULL) {
			found = clause_begins(folded, clause_ends, (size_t)(at - folded));
			at++;
		}
	}
	free(folded);
	free(clause_ends);
	return found;
}

/* Words with which something else begins, so that a refusal ends before them. */
static bool begins_anew(const char *word)
{
	static const char *const beginnings[] = {
		"and", "but", "get", "give", "i", "just", "let", "only", "want", "we"};
	for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
		size_t length = strlen(beginnings[i]);
		if (strncmp(word, beginnings[i], length) == 0 && word[length] == ' ')
			return true;
	}
	return false;
}

/* Marks in REFUSED the spaces before the words that a refusal reaches which ends at the space AT of FOLDED. */
static void mark_refused(const char *folded, size_t length, const char *clause_ends, size_t at,
	size_t reach, char *refused)
{
	for (size_t words = 0; words < reach && at + 1 < length; words++) {
		if (clause_ends[at] || begins_anew(folded + at + 1))
			return;
		refused[at] = 1;
		at += 1 + strcspn(folded + at + 1, " ");
	}
}

/* The text in which keywords are looked for. */
struct searched {
	char *folded;
	size_t length;
	char *refused; /* 1 at the spaces before words that are refused */
};

static void find_refusals(struct searched *searched, const struct keywords_refusals *refusals,
	const char *clause_ends)
{
	for (size_t i = 0; refusals != NULL && i < refusals->phrases->count; i++) {
		const struct keyword *phrase = &refusals->phrases->items[i];
		const char *at = searched->folded;
		while ((at = strstr(at, phrase->text)) != NULL) {
			size_t end = (size_t)(at - searched->folded) + phrase->length - 1;
			mark_refused(searched->folded, searched->length, clause_ends, end,
				refusals->reach, searched->refused);
			at++;
		}
	}
}

static void searched_free(struct searched *searched)
{
	free(searched->folded);
	free(searched->refused);
	*searched = (struct searched){0};
}

/* Without memory there is no text to search: `folded` stays NULL. */
static struct searched searched_new(struct ss_text text, const struct keywords_refusals *refusals)
{
	struct searched searched = {0};
	char *clause_ends = calloc(1, folded_size(text));
	searched.refused = calloc(1, folded_size(text));
	if (clause_ends != NULL && searched.refused != NULL)
		searched.folded = fold(text, &searched.length, clause_ends);
	if (searched.folded != NULL)
		find_refusals(&searched, refusals, clause_ends);
	free(clause_ends);
	return searched;
}

/* Writes over every place of KEYWORD, but for the spaces at its ends, which its neighbours need. Returns
 * whether there was one that is not refused. */
static bool cover(struct searched *searched, const struct keyword *keyword)
{
	bool found = false;
	char *at;
	while ((at = strstr(searched->folded, keyword->text)) != NULL) {
		memset(at + 1, '.', keyword->length - 2);
		found |= !searched->refused[at - searched->folded];
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

size_t keywords_find_all(const struct keywords *keywords, const struct keywords_refusals *refusals,
	struct ss_text text, const char **labels, size_t limit)
{
	size_t count = 0;
	struct searched searched = searched_new(text, refusals);
	const struct keyword *keyword = next_longest(keywords, SIZE_MAX, NULL);
	while (searched.folded != NULL && keyword != NULL && count < limit) {
		if (cover(&searched, keyword))
			labels[count++] = keyword->label;
		keyword = next_longest(keywords, keyword->length, keyword);
	}
	searched_free(&searched);
	return count;
}
