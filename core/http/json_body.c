#include "http/json_body.h"

#include "base/memory.h"
#include "value/json.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

struct ss_value *json_body_parse(struct http_request *request, struct http_refusal *refusal)
{
	struct ss_error err = {0};
	struct ss_text body = http_request_body(request);
	if (check_expected(request, refusal) < 0)
		return NULL;
	struct ss_value *value = json_parse(body.data, body.length, &err);
	if (value == NULL)
		(void)http_refuse(
			refusal, 400, "the body is not JSON that can be read: %s", err.text);
	return value;
}

struct ss_value *json_body_read(struct http_request *request, const struct json_schemas *schemas,
	const struct ss_value *schema)
{
	struct http_refusal refusal;
	struct ss_value *body = json_body_parse(request, &refusal);
	if (body == NULL) {
		http_reply_field_problem(request, refusal.status, "", refusal.detail);
		return NULL;
	}
	struct ss_value *errors = json_schema_errors(schemas, schema, "the body", body);
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
