#include "http/json_body.h"

#include "base/memory.h"
#include "base/text.h"
#include "http/private.h"
#include "value/json.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The mistakes that one reply lists. */
enum { ERRORS_LIMIT = 20 };

struct errors {
	struct ss_value *items[ERRORS_LIMIT];
	size_t count;
};

__attribute__((format(printf, 3, 4))) static void add_error(
	struct errors *errors, const char *name, const char *format, ...)
{
	char pointer[100];
	char detail[300];
	size_t at = 0;
	va_list arguments;
	if (errors->count == ERRORS_LIMIT)
		return;
	/* RFC 6901: ~ and / are written ~0 and ~1. */
	pointer[at++] = '/';
	for (; *name != '\0' && at + 3 < sizeof pointer; name++) {
		if (*name == '~' || *name == '/') {
			pointer[at++] = '~';
			pointer[at++] = *name == '~' ? '0' : '1';
		} else {
			pointer[at++] = *name;
		}
	}
	/* A name that was cut must not end inside a character. */
	while (text_characters((struct ss_text){pointer, at}) < 0)
		at--;
	va_start(arguments, format);
	(void)vsnprintf(detail, sizeof detail, format, arguments);
	va_end(arguments);
	errors->items[errors->count++] = value_map_make(
		{"pointer", value_string(pointer, at)}, {"detail", value_text(detail)});
}

static bool is_json(const char *type)
{
	static const char json[] = "application/json";
	static const char utf8[] = "utf-8";
	if (type == NULL || strncasecmp(type, json, sizeof json - 1) != 0)
		return false;
	type += sizeof json - 1;
	type += strspn(type, " \t");
	if (*type == '\0')
		return true;
	const char *charset = strcasestr(type, "charset=");
	if (*type != ';')
		return false;
	if (charset == NULL)
		return true;
	charset += strlen("charset=");
	charset += *charset == '"' ? 1 : 0;
	return strncasecmp(charset, utf8, sizeof utf8 - 1) == 0;
}

static const struct json_member *find_row(const struct json_member *rows, const char *name)
{
	for (; rows->name != NULL; rows++) {
		if (strcmp(rows->name, name) == 0)
			return rows;
	}
	return NULL;
}

static void check_member(
	struct errors *errors, const struct json_member *row, const struct ss_value *value)
{
	struct ss_text text = value_as_text(value);
	if (value_type(value) != SS_STRING) {
		add_error(errors, row->name, "%s must be a string, not a %s", row->name,
			value_type_name(value_type(value)));
		return;
	}
	ptrdiff_t characters = text_characters(text);
	if (characters < 0)
		add_error(errors, row->name, "%s is not valid UTF-8", row->name);
	else if (memchr(text.data, '\0', text.length) != NULL)
		add_error(errors, row->name, "%s must not have a NUL character", row->name);
	else if ((size_t)characters > row->most)
		add_error(errors, row->name, "%s has %td characters; at most %zu are allowed",
			row->name, characters, row->most);
	else if (row->least > 0 && text_blank(text))
		add_error(errors, row->name, "%s must not be %s", row->name,
			text.length == 0 ? "empty" : "blank");
	else if ((size_t)characters < row->least)
		add_error(errors, row->name, "%s needs at least %zu characters", row->name,
			row->least);
	else if (row->check != NULL && !row->check(text.data))
		add_error(errors, row->name, "%s must be %s", row->name, row->expected);
}

static void check_body(
	struct errors *errors, const struct json_member *rows, const struct ss_value *body)
{
	for (size_t i = 0; i < value_count(body); i++) {
		const struct json_member *row = find_row(rows, value_key_at(body, i));
		if (row != NULL)
			check_member(errors, row, value_at(body, i));
		else
			add_error(errors, value_key_at(body, i), "there is no such member");
	}
	for (; rows->name != NULL; rows++) {
		if (rows->required && value_get(body, rows->name) == NULL)
			add_error(errors, rows->name, "%s is required", rows->name);
	}
}

/* The body as JSON, or NULL and a problem. */
static struct ss_value *parse(struct http_request *request)
{
	struct ss_error err = {0};
	char detail[600];
	struct ss_text body = http_request_body(request);
	if (body.length == 0) {
		http_reply_problem(
			request, 400, "the request has no body; send a JSON object", NULL);
		return NULL;
	}
	if (body.length > request->server->options.body_limit) {
		(void)snprintf(detail, sizeof detail,
			"the body has %zu bytes; at most %zu are read", body.length,
			request->server->options.body_limit);
		http_reply_problem(request, 413, detail, NULL);
		return NULL;
	}
	if (!is_json(http_request_header(request, "Content-Type"))) {
		http_reply_problem(request, 415,
			"the body must be JSON in UTF-8; send Content-Type: application/json",
			NULL);
		return NULL;
	}
	struct ss_value *value = json_parse(body.data, body.length, &err);
	if (value == NULL) {
		(void)snprintf(detail, sizeof detail, "the body is not JSON that can be read: %s",
			err.text);
		http_reply_field_problem(request, 400, "", detail);
	}
	return value;
}

struct ss_value *json_body_read(struct http_request *request, const struct json_member *rows)
{
	struct errors errors = {0};
	struct ss_value *body = parse(request);
	if (body == NULL)
		return NULL;
	if (value_type(body) != SS_MAP) {
		value_unref(body);
		http_reply_field_problem(request, 422, "", "the body must be a JSON object");
		return NULL;
	}
	check_body(&errors, rows, body);
	if (errors.count == 0)
		return body;
	value_unref(body);
	char detail[300];
	(void)snprintf(detail, sizeof detail, "%s",
		value_as_string(value_get(errors.items[0], "detail"), NULL));
	http_reply_problem(request, 422, detail, value_list(errors.items, errors.count));
	return NULL;
}
