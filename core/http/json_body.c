#include "http/json_body.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include "value/json.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	ERRORS_LIMIT = 20, /* the mistakes that one reply lists */
	SHOWN_NAME = 100,  /* bytes of a client's own name for a member */
	NEAR = 2,          /* edits, for "did you mean" */
};

struct errors {
	struct ss_value *items[ERRORS_LIMIT];
	size_t count;
};

__attribute__((format(printf, 3, 4))) static void add_error(
	struct errors *errors, const char *name, const char *format, ...)
{
	struct buffer pointer = {0};
	struct buffer detail = {0};
	va_list arguments;
	if (errors->count == ERRORS_LIMIT)
		return;
	/* RFC 6901: ~ and / are written ~0 and ~1. */
	buffer_add_char(&pointer, '/');
	for (int i = 0; i < text_fit(name, SHOWN_NAME); i++) {
		if (name[i] == '~' || name[i] == '/')
			buffer_add_string(&pointer, name[i] == '~' ? "~0" : "~1");
		else
			buffer_add_char(&pointer, name[i]);
	}
	va_start(arguments, format);
	buffer_add_arguments(&detail, format, arguments);
	va_end(arguments);
	errors->items[errors->count++] =
		http_problem_error(buffer_text(&pointer), buffer_text(&detail));
	buffer_free(&pointer);
	buffer_free(&detail);
}

static void check_string(
	struct errors *errors, const struct json_member *row, const struct ss_value *value)
{
	struct ss_text text = value_as_text(value);
	ptrdiff_t characters = text_characters(text);
	if (characters < 0)
		add_error(errors, row->name, "%s is not valid UTF-8", row->name);
	else if (memchr(text.data, '\0', text.length) != NULL)
		add_error(errors, row->name, "%s must not have a NUL character", row->name);
	else if ((size_t)characters > row->most)
		add_error(errors, row->name, "%s has %td characters; at most %zu are allowed",
			row->name, characters, row->most);
	else if (!row->blank && text_blank(text))
		add_error(errors, row->name, "%s must not be %s", row->name,
			text.length == 0 ? "empty" : "blank");
	else if ((size_t)characters < row->least)
		add_error(errors, row->name, "%s needs at least %zu characters", row->name,
			row->least);
	else if (row->check != NULL && !row->check(text.data))
		add_error(errors, row->name, "%s must be %s", row->name, row->expected);
}

static void check_int(
	struct errors *errors, const struct json_member *row, const struct ss_value *value)
{
	int64_t number = value_as_int(value);
	if (number < (int64_t)row->least || number > (int64_t)row->most)
		add_error(errors, row->name, "%s is %lld; it must be from %zu to %zu", row->name,
			(long long)number, row->least, row->most);
}

static bool string_fits(const struct json_member *row, const struct ss_value *value)
{
	struct ss_text text = value_as_text(value);
	ptrdiff_t characters = text_characters(text);
	return value_type(value) == SS_STRING && characters >= (ptrdiff_t)row->least &&
	       characters <= (ptrdiff_t)row->most && !text_blank(text) &&
	       memchr(text.data, '\0', text.length) == NULL;
}

static void check_strings(
	struct errors *errors, const struct json_member *row, const struct ss_value *value)
{
	bool fits = value_count(value) <= row->items;
	for (size_t i = 0; fits && i < value_count(value); i++)
		fits = string_fits(row, value_at(value, i));
	if (!fits)
		add_error(errors, row->name,
			"%s must have at most %zu strings, each of %zu to %zu characters that are "
			"not all blank",
			row->name, row->items, row->least, row->most);
}

/* What each kind is in JSON, and how its values are checked further. */
static const struct {
	enum ss_type type;
	const char *name;
	/* NULL: there is nothing further. */
	void (*check)(
		struct errors *errors, const struct json_member *row, const struct ss_value *value);
} kinds[] = {
	[JSON_STRING] = {SS_STRING, "a string", check_string},
	[JSON_BOOL] = {SS_BOOL, "a boolean", NULL},
	[JSON_INT] = {SS_INT, "a whole number", check_int},
	[JSON_STRINGS] = {SS_LIST, "a list of strings", check_strings},
};

static void check_member(
	struct errors *errors, const struct json_member *row, const struct ss_value *value)
{
	static const char *const names[] = {
		[SS_NULL] = "null",
		[SS_BOOL] = "a boolean",
		[SS_INT] = "a number",
		[SS_NUMBER] = "a decimal number",
		[SS_STRING] = "a string",
		[SS_LIST] = "a list",
		[SS_MAP] = "an object",
	};
	if (value_type(value) != kinds[row->kind].type)
		add_error(errors, row->name, "%s must be %s, not %s", row->name,
			kinds[row->kind].name, names[value_type(value)]);
	else if (kinds[row->kind].check != NULL)
		kinds[row->kind].check(errors, row, value);
}

static const struct json_member *find_row(const struct json_member *rows, const char *name)
{
	for (; rows->name != NULL; rows++) {
		if (strcmp(rows->name, name) == 0)
			return rows;
	}
	return NULL;
}

static void add_unknown(struct errors *errors, const struct json_member *rows, const char *name)
{
	for (; rows->name != NULL; rows++) {
		if (text_distance(rows->name, name) <= NEAR) {
			add_error(errors, name, "there is no such member; did you mean %s?",
				rows->name);
			return;
		}
	}
	add_error(errors, name, "there is no such member");
}

struct ss_value *json_body_errors(const struct ss_value *body, const struct json_member *rows)
{
	struct errors errors = {0};
	for (const struct json_member *row = rows; row->name != NULL; row++) {
		const struct ss_value *value = value_get(body, row->name);
		if (value != NULL)
			check_member(&errors, row, value);
		else if (row->required)
			add_error(&errors, row->name, "%s is required", row->name);
	}
	for (size_t i = 0; i < value_count(body); i++) {
		if (find_row(rows, value_key_at(body, i)) == NULL)
			add_unknown(&errors, rows, value_key_at(body, i));
	}
	return errors.count > 0 ? value_list(errors.items, errors.count) : NULL;
}

/* Whether PARAMETER ("name=value", both of which may have blanks around them) is good for JSON: any but
 * another charset. */
static bool allows_json(const char *parameter, size_t length)
{
	static const char charset[] = "charset=";
	struct ss_text text = {parameter, length};
	while (text.length > 0 && strchr(" \t", *text.data) != NULL)
		text = (struct ss_text){text.data + 1, text.length - 1};
	while (text.length > 0 && strchr(" \t", text.data[text.length - 1]) != NULL)
		text.length--;
	if (text.length < sizeof charset - 1 ||
		strncasecmp(text.data, charset, sizeof charset - 1) != 0)
		return true;
	text = (struct ss_text){text.data + sizeof charset - 1, text.length - (sizeof charset - 1)};
	if (text.length >= 2 && text.data[0] == '"' && text.data[text.length - 1] == '"')
		text = (struct ss_text){text.data + 1, text.length - 2};
	return text.length == 5 && strncasecmp(text.data, "utf-8", 5) == 0;
}

static bool is_json(const char *type)
{
	static const char json[] = "application/json";
	if (type == NULL || strncasecmp(type, json, sizeof json - 1) != 0)
		return false;
	type += sizeof json - 1;
	type += strspn(type, " \t");
	while (*type == ';') {
		size_t length = strcspn(++type, ";");
		if (!allows_json(type, length))
			return false;
		type += length;
	}
	return *type == '\0';
}

static int check_expected(struct http_request *request, struct http_refusal *refusal)
{
	if (http_request_body(request).length == 0)
		return http_refuse(refusal, 400, "the request has no body; send a JSON object");
	const char *encoding = http_request_header(request, "Content-Encoding");
	if (encoding != NULL && strcasecmp(encoding, "identity") != 0)
		return http_refuse(refusal, 415,
			"the body must not be compressed; send it without Content-Encoding");
	if (!is_json(http_request_header(request, "Content-Type")))
		return http_refuse(refusal, 415,
			"the body must be JSON in UTF-8; send Content-Type: application/json");
	return 0;
}

bool json_body_expected(struct http_request *request)
{
	struct http_refusal refusal;
	if (check_expected(request, &refusal) == 0)
		return true;
	http_reply_problem(request, refusal.status, refusal.detail, NULL);
	return false;
}

static struct ss_value *parse(struct http_request *request, struct http_refusal *refusal)
{
	struct ss_error err = {0};
	struct ss_text body = http_request_body(request);
	struct ss_value *value = json_parse(body.data, body.length, &err);
	if (value == NULL)
		(void)http_refuse(
			refusal, 400, "the body is not JSON that can be read: %s", err.text);
	return value;
}

struct ss_value *json_body_parse(struct http_request *request, struct http_refusal *refusal)
{
	return check_expected(request, refusal) == 0 ? parse(request, refusal) : NULL;
}

struct ss_value *json_body_read(struct http_request *request, const struct json_member *rows)
{
	struct http_refusal refusal;
	if (!json_body_expected(request))
		return NULL;
	struct ss_value *body = parse(request, &refusal);
	if (body == NULL) {
		http_reply_field_problem(request, refusal.status, "", refusal.detail);
		return NULL;
	}
	if (value_type(body) != SS_MAP) {
		value_unref(body);
		http_reply_field_problem(request, 422, "", "the body must be a JSON object");
		return NULL;
	}
	struct ss_value *errors = json_body_errors(body, rows);
	if (errors == NULL)
		return body;
	value_unref(body);
	/* The first mistake is the sentence of the whole. */
	char *detail =
		memory_string(value_as_string(value_get(value_at(errors, 0), "detail"), NULL));
	http_reply_problem(request, 422, detail, errors);
	free(detail);
	return NULL;
}
