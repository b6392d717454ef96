/* Functions that make strings, and lists of them. What is made is paid for before it is made. */
#include "expr/functions.h"

#include <string.h>

/* A text that is made at its full length; *OUT is filled by the caller. */
static char *text_new(struct evaluation *evaluation, const struct expr_node *node, size_t length,
	struct cell *out)
{
	if (evaluation_spend_text(evaluation, node, length) < 0)
		return NULL;
	char *data = evaluation_memory(evaluation, length + 1);
	*out = cell_text(data, length);
	return data;
}

static char *append(char *at, struct ss_text text)
{
	if (text.length > 0)
		memcpy(at, text.data, text.length);
	return at + text.length;
}

int string_join(struct evaluation *evaluation, const struct expr_node *node,
	const struct cell *items, struct cell *out)
{
	size_t count = cell_count(&items[0]);
	struct ss_text separator = node->count > 1 ? items[1].text : (struct ss_text){"", 0};
	size_t length = 0;
	if (evaluation_spend(evaluation, node, count) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct cell item = cell_item(&items[0], i);
		if (item.type != SS_STRING)
			return evaluation_fail(evaluation, node->items[0]->offset,
				"join() takes a list of strings, not of %s",
				cell_a_type(item.type));
		length += item.text.length + (i > 0 ? separator.length : 0);
	}
	char *at = text_new(evaluation, node, length, out);
	if (at == NULL)
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct cell item = cell_item(&items[0], i);
		at = i > 0 ? append(at, separator) : at;
		at = append(at, item.text);
	}
	return 0;
}

/* Ascii letters from FIRST on become those from OTHER on. */
static int change_case(struct evaluation *evaluation, const struct expr_node *node,
	struct ss_text text, char first, char other, struct cell *out)
{
	char *made = text_new(evaluation, node, text.length, out);
	if (made == NULL)
		return -1;
	memcpy(made, text.data, text.length);
	for (size_t i = 0; i < text.length; i++) {
		if (made[i] >= first && made[i] <= first + 25)
			made[i] = (char)(made[i] + other - first);
	}
	return 0;
}

int string_lower(struct evaluation *evaluation, const struct expr_node *node,
	const struct cell *items, struct cell *out)
{
	return change_case(evaluation, node, items[0].text, 'A', 'a', out);
}

int string_upper(struct evaluation *evaluation, const struct expr_node *node,
	const struct cell *items, struct cell *out)
{
	return change_case(evaluation, node, items[0].text, 'a', 'A', out);
}

int string_quote(struct evaluation *evaluation, const struct expr_node *node,
	const struct cell *items, struct cell *out)
{
	static const char escaped[] = "\a\b\f\n\r\t\v\\\"";
	static const char letters[] = "abfnrtv\\\"";
	struct ss_text text = items[0].text;
	size_t length = text.length + 2;
	for (size_t i = 0; i < text.length; i++)
		length += memchr(escaped, text.data[i], sizeof escaped - 1) != NULL ? 1 : 0;
	char *at = text_new(evaluation, node, length, out);
	if (at == NULL)
		return -1;
	*at++ = '"';
	for (size_t i = 0; i < text.length; i++) {
		const char *found = memchr(escaped, text.data[i], sizeof escaped - 1);
		if (found != NULL)
			*at++ = '\\';
		*at = text.data[i];
		if (found != NULL)
			*at = letters[found - escaped];
		at++;
	}
	*at = '"';
	return 0;
}

int string_reverse(struct evaluation *evaluation, const struct expr_node *node,
	const struct cell *items, struct cell *out)
{
	struct ss_text text = items[0].text;
	char *made = text_new(evaluation, node, text.length, out);
	if (made == NULL)
		return -1;
	for (size_t at = 0; at < text.length;) {
		size_t used = string_point((struct ss_text){text.data + at, text.length - at});
		memcpy(made + text.length - at - used, text.data + at, used);
		at += used;
	}
	return 0;
}

/* Finds WANTED in TEXT from the byte *AT on, which becomes the place behind it. An empty one is found before
 * each code point and at the end: once wherever *AT is, and then behind the next code point. */
static bool next_match(
	struct ss_text text, struct ss_text wanted, bool first, size_t *match, size_t *at)
{
	struct ss_text rest = {text.data + *at, text.length - *at};
	if (wanted.length > 0) {
		const char *found = memmem(rest.data, rest.length, wanted.data, wanted.length);
		if (found == NULL)
			return false;
		*match = (size_t)(found - text.data);
		*at = *match + wanted.length;
		return true;
	}
	if (!first) {
		if (rest.length == 0)
			return false;
		*at += string_point(rest);
	}
	*match = *at;
	return true;
}

/* How many matches there are, at most LIMIT; less than none is no limit. */
static size_t count_matches(struct ss_text text, struct ss_text wanted, int64_t limit)
{
	size_t count = 0;
	size_t match;
	size_t at = 0;
	while ((limit < 0 || count < (uint64_t)limit) &&
		next_match(text, wanted, count == 0, &match, &at))
		count++;
	return count;
}

int string_replace(struct evaluation *evaluation, const struct expr_node *node,
	const struct cell *items, struct cell *out)
{
	struct ss_text text = items[0].text;
	struct ss_text wanted = items[1].text;
	struct ss_text by = items[2].text;
	int64_t limit = node->count > 3 ? items[3].integer : -1;
	if (evaluation_spend_text(evaluation, node, text.length + wanted.length) < 0)
		return -1;
	size_t count = count_matches(text, wanted, limit);
	if (evaluation_spend(evaluation, node, count) < 0 ||
		/* No product of two lengths is too large for a size, as long as both were paid for. */
		evaluation_spend_text(evaluation, node, count * by.length) < 0)
		return -1;
	char *made = text_new(
		evaluation, node, text.length + count * by.length - count * wanted.length, out);
	if (made == NULL)
		return -1;
	size_t copied = 0;
	size_t match = 0;
	size_t at = 0;
	for (size_t i = 0; i < count; i++) {
		(void)next_match(text, wanted, i == 0, &match, &at);
		made = append(made, (struct ss_text){text.data + copied, match - copied});
		made = append(made, by);
		copied = match + wanted.length;
	}
	(void)append(made, (struct ss_text){text.data + copied, text.length - copied});
	return 0;
}

/* Between two code points an empty separator splits, but not before the first and behind the last one. */
static size_t count_parts(struct ss_text text, struct ss_text separator, int64_t limit)
{
	if (limit == 0)
		return 0;
	if (separator.length > 0)
		return count_matches(text, separator, limit < 0 ? limit : limit - 1) + 1;
	size_t points = count_matches(text, separator, -1) - 1;
	return limit < 0 || points < (uint64_t)limit ? points : (size_t)limit;
}

int string_split(struct evaluation *evaluation, const struct expr_node *node,
	const struct cell *items, struct cell *out)
{
	struct ss_text text = items[0].text;
	struct ss_text separator = items[1].text;
	int64_t limit = node->count > 2 ? items[2].integer : -1;
	if (evaluation_spend_text(evaluation, node, 2 * text.length + separator.length) < 0)
		return -1;
	size_t count = count_parts(text, separator, limit);
	struct built *list = built_new(evaluation, node, SS_LIST, count);
	if (list == NULL)
		return -1;
	size_t start = 0;
	size_t match = 0;
	size_t at = 0;
	for (size_t i = 0; i < count; i++) {
		size_t end = text.length;
		if (i + 1 < count) {
			(void)next_match(text, separator, false, &match, &at);
			end = match;
		}
		list->items[i] = cell_text(text.data + start, end - start);
		start = end + separator.length;
	}
	*out = cell_built(SS_LIST, list);
	return built_finish(evaluation, node, SS_LIST, list);
}
