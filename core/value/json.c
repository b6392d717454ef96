#include "value/json.h"

#include "base/memory.h"
#include "base/text.h"
#include "value/value.h"

#include <errno.h>
#include <json-c/json.h>
#include <json-c/json_object_iterator.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

static struct ss_value *from_object(json_object *object);

static struct ss_value *from_list(json_object *object)
{
	size_t count = json_object_array_length(object);
	struct ss_value **items = memory_array(count, sizeof(struct ss_value *));
	for (size_t i = 0; i < count; i++)
		items[i] = from_object(json_object_array_get_idx(object, i));
	struct ss_value *list = value_list(items, count);
	free(items);
	return list;
}

static struct ss_value *from_map(json_object *object)
{
	size_t count = (size_t)json_object_object_length(object);
	const char **keys = memory_array(count, sizeof *keys);
	struct ss_value **values = memory_array(count, sizeof(struct ss_value *));
	size_t i = 0;
	struct json_object_iterator at = json_object_iter_begin(object);
	const struct json_object_iterator end = json_object_iter_end(object);
	for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
		keys[i] = json_object_iter_peek_name(&at);
		values[i++] = from_object(json_object_iter_peek_value(&at));
	}
	struct ss_value *map = value_map(keys, values, count);
	free(keys);
	free(values);
	return map;
}

/* The depth is bounded by the tokener's. */
static struct ss_value *from_object(json_object *object)
{
	switch (json_object_get_type(object)) {
	case json_type_boolean:
		return value_bool(json_object_get_boolean(object));
	case json_type_double:
		return value_number(json_object_get_double(object));
	case json_type_int:
		return value_int(json_object_get_int64(object));
	case json_type_string:
		return value_string(
			json_object_get_string(object), (size_t)json_object_get_string_len(object));
	case json_type_array:
		return from_list(object);
	case json_type_object:
		return from_map(object);
	case json_type_null:
		break;
	}
	return value_null();
}

/*
 * json-c takes more than RFC 8259 and keeps the last of two members with one name. The scan below
 * walks text that json-c has accepted, so its structure is known to be right, and refuses the rest.
 */
struct scan {
	const char *start;
	const char *at;
	const char *end;
	struct ss_error *err;
};

struct names {
	struct ss_value **items;
	size_t count;
	size_t capacity;
};

static int scan_value(struct scan *scan);

static int scan_fail(const struct scan *scan, const char *what)
{
	return ss_fail_as(scan->err, SS_INVALID, "%s at byte %td", what, scan->at - scan->start);
}

static void scan_space(struct scan *scan)
{
	while (scan->at < scan->end && strchr(" \t\r\n", *scan->at) != NULL && *scan->at != '\0')
		scan->at++;
}

/* Whether AT is \uDnnn, half of a surrogate pair: the first one (D8 to DB) or the SECOND (DC to DF). */
static bool is_surrogate(const char *at, bool second)
{
	if (strncmp(at, "\\uD", 3) != 0 && strncmp(at, "\\ud", 3) != 0)
		return false;
	return strchr(second ? "CDEFcdef" : "89ABab", at[3]) != NULL;
}

/* Passes over an escape. A half of a surrogate pair by itself is no character. */
static int scan_escape(struct scan *scan)
{
	if (is_surrogate(scan->at, false) && is_surrogate(scan->at + 6, true)) {
		scan->at += 12;
		return 0;
	}
	if (is_surrogate(scan->at, false) || is_surrogate(scan->at, true))
		return scan_fail(scan, "half of a surrogate pair is no character");
	scan->at += 2;
	return 0;
}

/* Passes over a string; *TEXT is set to it with its quotes. */
static int scan_string(struct scan *scan, struct ss_text *text)
{
	const char *from = scan->at++;
	while (scan->at < scan->end && *scan->at != '"') {
		if ((unsigned char)*scan->at < 0x20)
			return scan_fail(scan, "a control character in a string must be escaped");
		if (*scan->at != '\\')
			scan->at++;
		else if (scan_escape(scan) < 0)
			return -1;
	}
	scan->at++;
	*text = (struct ss_text){from, (size_t)(scan->at - from)};
	return 0;
}

/* Passes over digits; *GOOD becomes false when there are none. */
static const char *skip_digits(const char *at, bool *good)
{
	size_t count = strspn(at, "0123456789");
	*good = *good && count > 0;
	return at + count;
}

static int scan_number(struct scan *scan)
{
	bool good = true;
	const char *start = scan->at + (*scan->at == '-');
	const char *at = skip_digits(start, &good);
	bool whole = *at != '.' && *at != 'e' && *at != 'E';
	if (*start == '0' && at > start + 1)
		good = false;
	if (*at == '.')
		at = skip_digits(at + 1, &good);
	if (*at == 'e' || *at == 'E') {
		at++;
		at = skip_digits(at + (*at == '+' || *at == '-'), &good);
	}
	if (!good || strchr(" \t\r\n,]}", *at) == NULL)
		return scan_fail(scan, "expected a number");
	errno = 0;
	/* Too small to tell from zero is fine. */
	if (whole ? strtoll(scan->at, NULL, 10) != 0 && errno == ERANGE
		  : !isfinite(strtod(scan->at, NULL)))
		return scan_fail(scan, "the number is out of range");
	scan->at = at;
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	const struct ss_value *const *left = a;
	const struct ss_value *const *right = b;
	return strcmp(value_as_string(*left, NULL), value_as_string(*right, NULL));
}

static int check_names(const struct scan *scan, struct names *names)
{
	if (names->count > 1)
		qsort(names->items, names->count, sizeof *names->items, compare_names);
	for (size_t i = 1; i < names->count; i++) {
		if (compare_names(&names->items[i - 1], &names->items[i]) == 0)
			return ss_fail_as(scan->err, SS_INVALID,
				"the member \"%.100s\" is given more than once",
				value_as_string(names->items[i], NULL));
	}
	return 0;
}

/* What QUOTED says, which nearly always has no escapes. */
static struct ss_value *read_name(struct ss_text quoted)
{
	if (memchr(quoted.data, '\\', quoted.length) == NULL)
		return value_string(quoted.data + 1, quoted.length - 2);
	json_tokener *tokener = json_tokener_new();
	json_object *name = json_tokener_parse_ex(tokener, quoted.data, (int)quoted.length);
	json_tokener_free(tokener);
	struct ss_value *text = from_object(name);
	json_object_put(name);
	return text;
}

static int scan_member(struct scan *scan, struct names *names)
{
	struct ss_text quoted = {0};
	if (scan_string(scan, &quoted) < 0)
		return -1;
	struct ss_value *text = read_name(quoted);
	if (names->count == names->capacity) {
		names->capacity = names->capacity * 2 + 8;
		names->items = memory_resize(names->items, names->capacity, sizeof *names->items);
	}
	names->items[names->count++] = text;
	if (strlen(value_as_string(text, NULL)) != value_as_text(text).length)
		return scan_fail(scan, "a member's name has a NUL character in it");
	scan_space(scan);
	scan->at++; /* the colon */
	return scan_value(scan);
}

/* A list or a map: CLOSE is its last character, NAMES collects a map's member names. */
static int scan_items(struct scan *scan, char close, struct names *names)
{
	scan->at++;
	for (;;) {
		scan_space(scan);
		if (scan->at >= scan->end)
			return scan_fail(scan, "unexpected end");
		if (*scan->at == close)
			break;
		if (*scan->at == ',') {
			scan->at++;
			scan_space(scan);
			if (scan->at < scan->end && *scan->at == close)
				return scan_fail(scan, "a comma with nothing after it");
			continue;
		}
		if ((names != NULL ? scan_member(scan, names) : scan_value(scan)) < 0)
			return -1;
	}
	scan->at++;
	return 0;
}

static int scan_map(struct scan *scan)
{
	struct names names = {0};
	int result = scan_items(scan, '}', &names);
	if (result == 0)
		result = check_names(scan, &names);
	for (size_t i = 0; i < names.count; i++)
		value_unref(names.items[i]);
	free(names.items);
	return result;
}

static int scan_value(struct scan *scan)
{
	struct ss_text ignored;
	scan_space(scan);
	switch (scan->at < scan->end ? *scan->at : '\0') {
	case '"':
		return scan_string(scan, &ignored);
	case '[':
		return scan_items(scan, ']', NULL);
	case '{':
		return scan_map(scan);
	case 't':
	case 'n':
		scan->at += 4;
		return 0;
	case 'f':
		scan->at += 5;
		return 0;
	default:
		return scan_number(scan);
	}
}

/* json-c's literals NaN and Infinity pass for null and numbers; JSON has no such thing. */
static bool has_literal(const char *text, size_t length)
{
	bool quoted = false;
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '"')
			quoted = !quoted;
		else if (quoted && text[i] == '\\')
			i++;
		else if (!quoted && (text[i] == 'N' || text[i] == 'I'))
			return true;
	}
	return false;
}

/* The bytes of TEXT before the first that is not UTF-8. json-c's own check lets overlong forms and halves
 * of surrogate pairs pass. */
static size_t valid_prefix(const char *text, size_t length)
{
	size_t at = 0;
	while (at < length) {
		utf8proc_int32_t point;
		utf8proc_ssize_t used = utf8proc_iterate((const utf8proc_uint8_t *)text + at,
			(utf8proc_ssize_t)(length - at), &point);
		if (used <= 0)
			break;
		at += (size_t)used;
	}
	return at;
}

struct ss_value *json_parse_deep(const char *text, size_t length, int depth, struct ss_error *err)
{
	struct ss_value *value = NULL;
	json_object *object = NULL;
	json_tokener *tokener = json_tokener_new_ex(depth);
	if (tokener == NULL || length > INT32_MAX - 1) {
		(void)ss_fail_as(err, SS_LIMIT, "the text is too long");
		goto done;
	}
	/* The NUL after the copy ends a number at the end of the text. */
	char *copy = memory_text(text, length);
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	size_t valid = valid_prefix(copy, length);
	if (valid == length && memchr(text, '\0', length) == NULL && !has_literal(copy, length))
		object = json_tokener_parse_ex(tokener, copy, (int)length + 1);
	enum json_tokener_error error = json_tokener_get_error(tokener);
	struct scan scan = {copy, copy, copy + length, err};
	if (valid < length)
		(void)ss_fail_as(err, SS_INVALID, "is not UTF-8 at byte %zu", valid);
	else if (error == json_tokener_error_depth)
		(void)ss_fail_as(err, SS_INVALID, "is nested more than %d levels deep", depth);
	else if (error != json_tokener_success)
		(void)ss_fail_as(err, SS_INVALID, "%s at byte %zu", json_tokener_error_desc(error),
			json_tokener_get_parse_end(tokener));
	else if (object == NULL && strncmp(copy + strspn(copy, " \t\r\n"), "null", 4) != 0)
		(void)ss_fail_as(err, SS_INVALID, "is not JSON");
	else if (scan_value(&scan) == 0)
		value = from_object(object);
	free(copy);
done:
	json_object_put(object);
	json_tokener_free(tokener);
	return value;
}

struct ss_value *json_parse(const char *text, size_t length, struct ss_error *err)
{
	return json_parse_deep(text, length, JSON_DEPTH, err);
}

bool json_reads_back(const struct ss_value *value)
{
	/* The last level is for what the lists and maps hold. */
	return value_is_shallow(value, JSON_DEPTH - 1);
}

/* The shortest decimal that reads back as NUMBER; null for what JSON has no number for. */
static json_object *to_double(double number)
{
	char text[40];
	if (!isfinite(number))
		return NULL;
	for (int digits = 15; digits <= 17; digits++) {
		(void)snprintf(text, sizeof text, "%.*g", digits, number);
		if (strtod(text, NULL) == number)
			break;
	}
	if (strpbrk(text, ".e") == NULL)
		strcat(text, ".0");
	return json_object_new_double_s(number, text);
}

/* TEXT with a replacement character for each byte that is not UTF-8; new. */
static char *mend(struct ss_text text, size_t *length)
{
	struct buffer mended = {0};
	for (size_t at = 0; at < text.length; at++) {
		size_t valid = valid_prefix(text.data + at, text.length - at);
		buffer_add(&mended, text.data + at, valid);
		at += valid;
		if (at < text.length)
			buffer_add_string(&mended, "\xef\xbf\xbd");
	}
	*length = mended.length;
	return buffer_take(&mended);
}

static json_object *to_string(struct ss_text text)
{
	if (text_characters(text) >= 0)
		return json_object_new_string_len(text.data, (int)text.length);
	size_t length = 0;
	char *mended = mend(text, &length);
	json_object *object = json_object_new_string_len(mended, (int)length);
	free(mended);
	return object;
}

static void add_member(json_object *map, const char *name, json_object *member)
{
	if (text_characters(text_of(name)) >= 0) {
		json_object_object_add(map, name, member);
		return;
	}
	size_t length = 0;
	char *mended = mend(text_of(name), &length);
	json_object_object_add(map, mended, member);
	free(mended);
}

static json_object *to_object(const struct ss_value *value)
{
	json_object *object = NULL;
	switch (value_type(value)) {
	case SS_NULL:
		break;
	case SS_BOOL:
		return json_object_new_boolean(value_as_bool(value));
	case SS_INT:
		return json_object_new_int64(value_as_int(value));
	case SS_NUMBER:
		return to_double(value_as_number(value));
	case SS_STRING:
		return to_string(value_as_text(value));
	case SS_LIST:
		object = json_object_new_array_ext((int)value_count(value));
		for (size_t i = 0; i < value_count(value); i++)
			json_object_array_add(object, to_object(value_at(value, i)));
		break;
	case SS_MAP:
		object = json_object_new_object();
		for (size_t i = 0; i < value_count(value); i++)
			add_member(object, value_key_at(value, i), to_object(value_at(value, i)));
		break;
	}
	return object;
}

static void print(struct buffer *buffer, const struct ss_value *value, int style)
{
	json_object *object = to_object(value);
	size_t length = 0;
	const char *text = json_object_to_json_string_length(
		object, style | JSON_C_TO_STRING_NOSLASHESCAPE, &length);
	if (object == NULL)
		buffer_add_string(buffer, "null");
	else
		buffer_add(buffer, text, length);
	json_object_put(object);
}

void json_print(struct buffer *buffer, const struct ss_value *value)
{
	print(buffer, value, JSON_C_TO_STRING_PLAIN);
}

char *json_text(const struct ss_value *value)
{
	struct buffer buffer = {0};
	json_print(&buffer, value);
	return buffer_take(&buffer);
}

char *json_text_indented(const struct ss_value *value)
{
	struct buffer buffer = {0};
	print(&buffer, value,
		JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_PRETTY_TAB);
	return buffer_take(&buffer);
}
