/* Functions that look into strings. Indexes and sizes count code points. */
#include "expr/functions.h"

#include <string.h>
#include <utf8proc.h>

size_t string_point(struct ss_text text)
{
	utf8proc_int32_t point;
	utf8proc_ssize_t used = utf8proc_iterate(
		(const utf8proc_uint8_t *)text.data, (utf8proc_ssize_t)text.length, &point);
	return used > 0 ? (size_t)used : 1;
}

static struct ss_text from(struct ss_text text, size_t byte)
{
	return (struct ss_text){text.data + byte, text.length - byte};
}

static size_t count_points(struct ss_text text)
{
	size_t count = 0;
	for (size_t at = 0; at < text.length; at += string_point(from(text, at)))
		count++;
	return count;
}

/* The byte at which the code point INDEX of TEXT begins; that behind the last one is allowed. */
static bool byte_of(struct ss_text text, int64_t index, size_t *byte)
{
	*byte = 0;
	if (index < 0)
		return false;
	for (; index > 0 && *byte < text.length; index--)
		*byte += string_point(from(text, *byte));
	return index == 0;
}

static int fail_range(struct evaluation *evaluation, const struct expr_node *node, size_t argument,
	const struct cell *items)
{
	return evaluation_fail(evaluation, node->items[argument]->offset,
		"the index %lld is outside the string, which has %zu characters",
		(long long)items[argument].integer, count_points(items[0].text));
}

static const char *find(struct ss_text text, struct ss_text wanted)
{
	return memmem(text.data, text.length, wanted.data, wanted.length);
}

static bool ends_with(struct ss_text text, struct ss_text end)
{
	return text.length >= end.length &&
	       memcmp(text.data + text.length - end.length, end.data, end.length) == 0;
}

static int spend(
	struct evaluation *evaluation, const struct expr_node *node, const struct cell *items)
{
	return evaluation_spend_text(evaluation, node, items[0].text.length + items[1].text.length);
}

int string_size(struct evaluation *evaluation, const struct expr_node *node,
	const struct cell *items, struct cell *out)
{
	if (evaluation_spend_text(evaluation, node, items[0].text.length) < 0)
		return -1;
	*out = cell_int((int64_t)count_points(items[0].text));
	return 0;
}

int string_contains(struct evaluation *evaluation, const struct expr_node *node,
	const struct cell *items, struct cell *out)
{
	if (spend(evaluation, node, items) < 0)
		return -1;
	*out = cell_bool(find(items[0].text, items[1].text) != NULL);
	return 0;
}

int string_starts(struct evaluation *evaluation, const struct expr_node *node,
	const struct cell *items, struct cell *out)
{
	struct ss_text text = items[0].text;
	struct ss_text start = items[1].text;
	*out = cell_bool(
		text.length >= start.length && memcmp(text.data, start.data, start.length) == 0);
	return evaluation_spend_text(evaluation, node, start.length);
}

int string_ends(struct evaluation *evaluation, const struct expr_node *node,
	const struct cell *items, struct cell *out)
{
	*out = cell_bool(ends_with(items[0].text, items[1].text));
	return evaluation_spend_text(evaluation, node, items[1].text.length);
}

int string_char_at(struct evaluation *evaluation, const struct expr_node *node,
	const struct cell *items, struct cell *out)
{
	size_t at;
	struct ss_text text = items[0].text;
	if (evaluation_spend_text(evaluation, node, text.length) < 0)
		return -1;
	if (!byte_of(text, items[1].integer, &at))
		return fail_range(evaluation, node, 1, items);
	size_t length = at < text.length ? string_point(from(text, at)) : 0;
	*out = cell_text(text.data + at, length);
	return 0;
}

/* The code point from which a search starts; without an argument it is USUAL. */
static int search_start(struct evaluation *evaluation, const struct expr_node *node,
	const struct cell *items, size_t usual, size_t *start)
{
	*start = usual;
	return node->count < 3 || byte_of(items[0].text, items[2].integer, start)
		       ? 0
		       : fail_range(evaluation, node, 2, items);
}

/* The index of the code point that begins at the BYTE of TEXT. */
static struct cell index_at(struct ss_text text, size_t byte)
{
	return cell_int((int64_t)count_points((struct ss_text){text.data, byte}));
}

int string_index_of(struct evaluation *evaluation, const struct expr_node *node,
	const struct cell *items, struct cell *out)
{
	size_t start;
	struct ss_text text = items[0].text;
	if (spend(evaluation, node, items) < 0 ||
		search_start(evaluation, node, items, 0, &start) < 0)
		return -1;
	const char *found = find(from(text, start), items[1].text);
	*out = found != NULL ? index_at(text, (size_t)(found - text.data)) : cell_int(-1);
	return 0;
}

/* Searches backwards. What is sought may begin at any byte, so each is a memcmp, which is paid for. */
int string_last_index_of(struct evaluation *evaluation, const struct expr_node *node,
	const struct cell *items, struct cell *out)
{
	size_t start;
	struct ss_text text = items[0].text;
	struct ss_text wanted = items[1].text;
	if (spend(evaluation, node, items) < 0 ||
		search_start(evaluation, node, items, text.length, &start) < 0)
		return -1;
	*out = cell_int(-1);
	if (wanted.length > text.length)
		return 0;
	if (start > text.length - wanted.length)
		start = text.length - wanted.length;
	for (size_t at = start + 1; at-- > 0;) {
		if (wanted.length > 0 && text.data[at] != wanted.data[0])
			continue;
		if (evaluation_spend_text(evaluation, node, wanted.length) < 0)
			return -1;
		if (memcmp(text.data + at, wanted.data, wanted.length) == 0) {
			*out = index_at(text, at);
			return 0;
		}
	}
	return 0;
}

int string_substring(struct evaluation *evaluation, const struct expr_node *node,
	const struct cell *items, struct cell *out)
{
	size_t start;
	struct ss_text text = items[0].text;
	size_t end = text.length;
	if (evaluation_spend_text(evaluation, node, text.length) < 0)
		return -1;
	if (!byte_of(text, items[1].integer, &start))
		return fail_range(evaluation, node, 1, items);
	if (node->count == 3 && !byte_of(text, items[2].integer, &end))
		return fail_range(evaluation, node, 2, items);
	if (start > end)
		return evaluation_fail(evaluation, node->items[1]->offset,
			"the substring ends at %lld, before its start at %lld",
			(long long)items[2].integer, (long long)items[1].integer);
	*out = cell_text(text.data + start, end - start);
	return 0;
}

/* Unicode's property White_Space. */
static bool is_space(utf8proc_int32_t point)
{
	switch (utf8proc_category(point)) {
	case UTF8PROC_CATEGORY_ZS:
	case UTF8PROC_CATEGORY_ZL:
	case UTF8PROC_CATEGORY_ZP:
		return true;
	default:
		return (point >= '\t' && point <= '\r') || point == 0x85;
	}
}

int string_trim(struct evaluation *evaluation, const struct expr_node *node,
	const struct cell *items, struct cell *out)
{
	struct ss_text text = items[0].text;
	size_t start = text.length;
	size_t end = 0;
	size_t used;
	if (evaluation_spend_text(evaluation, node, text.length) < 0)
		return -1;
	for (size_t at = 0; at < text.length; at += used) {
		utf8proc_int32_t point = -1;
		struct ss_text rest = from(text, at);
		used = string_point(rest);
		(void)utf8proc_iterate(
			(const utf8proc_uint8_t *)rest.data, (utf8proc_ssize_t)rest.length, &point);
		if (point >= 0 && is_space(point))
			continue;
		start = at < start ? at : start;
		end = at + used;
	}
	*out = start < end ? cell_text(text.data + start, end - start) : cell_text("", 0);
	return 0;
}
