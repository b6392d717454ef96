#include "api/openai.h"

#include "base/text.h"
#include "http/json_body.h"
#include "value/value.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int openai_refuse(struct openai_error *error, const char *parameter, const char *format, ...)
{
	va_list arguments;
	*error = (struct openai_error){.status = 400};
	(void)snprintf(error->parameter, sizeof error->parameter, "%s",
		parameter != NULL ? parameter : "");
	va_start(arguments, format);
	(void)vsnprintf(error->message, sizeof error->message, format, arguments);
	va_end(arguments);
	return -1;
}

void openai_take_error(struct openai_error *error, const struct ss_error *err)
{
	const struct http_problem problem = api_problem(err);
	(void)openai_refuse(error, NULL, "%s", problem.detail);
	error->status = problem.status;
}

/* Of what was cut to fit, the end may not be a whole character. */
static struct ss_value *fitting(const char *text)
{
	return value_string(text, (size_t)text_fit(text, (int)strlen(text)));
}

struct ss_value *openai_error_value(const struct openai_error *error)
{
	bool ours = error->status >= 500;
	struct ss_value *value = value_map_make({"message", fitting(error->message)},
		{"type", value_text(ours ? "server_error" : "invalid_request_error")},
		{"param", error->parameter[0] != '\0' ? fitting(error->parameter) : value_null()},
		{"code", value_text(error->code)});
	return value_map_make({"error", value});
}

static void reply(struct http_request *request, const struct openai_error *error)
{
	struct ss_value *value = openai_error_value(error);
	http_reply_json(request, error->status, value);
	value_unref(value);
}

void openai_reply_error(struct http_request *request, const struct openai_error *error)
{
	if (error->status == 503)
		http_reply_header(request, "Retry-After", "1");
	reply(request, error);
}

void openai_reply_unanswered(struct http_request *request, const struct openai_error *error)
{
	if (error->status == 503)
		api_retry_question(request);
	reply(request, error);
}

struct ss_value *openai_read_body(struct http_request *request)
{
	struct http_refusal refusal;
	struct openai_error error;
	struct ss_value *body = json_body_parse(request, &refusal);
	if (body != NULL && value_type(body) == SS_MAP)
		return body;
	if (body == NULL) {
		(void)openai_refuse(&error, NULL, "%s", refusal.detail);
		error.status = refusal.status;
	} else {
		(void)openai_refuse(&error, NULL, "the body must be a JSON object");
	}
	value_unref(body);
	openai_reply_error(request, &error);
	return NULL;
}

int openai_check_model(const struct ss_value *name, struct openai_error *error)
{
	const char *text = value_as_string(name, NULL);
	if (value_type(name) != SS_STRING)
		return openai_refuse(error, "model", "model must be \"" OPENAI_MODEL "\"");
	if (strcmp(text, OPENAI_MODEL) == 0)
		return 0;
	(void)openai_refuse(error, "model",
		"the model \"%.*s\" does not exist here; there is \"" OPENAI_MODEL "\"",
		text_fit(text, 100), text);
	error->status = 404;
	error->code = "model_not_found";
	return -1;
}
