#include "api/asked.h"

#include "base/memory.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

struct asked *asked_new(struct http_request *request, size_t size, asked_reply *reply)
{
	struct asked *asked = memory_new(sizeof *asked + size);
	asked->request = request;
	asked->reply = reply;
	return asked;
}

void *asked_question(struct asked *asked)
{
	return asked->data;
}

char *asked_keep(struct asked *asked, char *text)
{
	if (asked->text_count == array_length(asked->texts))
		abort(); /* a caller's mistake */
	asked->texts[asked->text_count++] = text;
	return text;
}

void asked_reply_cursor(struct http_request *request, const struct ss_error *err)
{
	struct ss_value *error = value_map_make(
		{"parameter", value_text("cursor")}, {"detail", value_text(err->text)});
	http_reply_problem(request, 422, err->text, value_list(&error, 1));
}

/* Whether ERR says that it is not what the header If-Match expects. */
static bool is_unexpected(const struct asked *asked, const struct ss_error *err)
{
	return (err->status == SS_CONFLICT || err->status == SS_NOT_FOUND) && asked->has_expected;
}

static void on_done(void *context, const struct ss_error *err)
{
	struct asked *asked = context;
	if (err == NULL)
		asked->reply(asked->request, asked->value);
	else if (err->status == SS_INVALID && api_parameter_text(asked->request, "cursor") != NULL)
		asked_reply_cursor(asked->request, err);
	else if (is_unexpected(asked, err))
		http_reply_problem(asked->request, 412, err->text, NULL);
	else
		api_reply_error(asked->request, err);
	value_unref(asked->value);
	for (size_t i = 0; i < asked->text_count; i++)
		free(asked->texts[i]);
	free(asked);
}

void asked_run(struct asked *asked, store_call *call)
{
	const struct api *api = http_request_context(asked->request);
	struct ss_error err = {0};
	if (store_run(api->store, call, on_done, asked, &err) < 0)
		on_done(asked, &err);
}

void asked_run_id(
	struct http_request *request, const char *id, store_call *call, asked_reply *reply)
{
	struct asked *asked = asked_make(request, const char *, reply);
	memcpy(asked_question(asked), &id, sizeof id);
	asked_run(asked, call);
}

const char *asked_id(struct asked *asked)
{
	const char *id;
	memcpy(&id, asked_question(asked), sizeof id);
	return id;
}

void asked_reply_value(struct http_request *request, const struct ss_value *value)
{
	http_reply_json(request, 200, value);
}

struct ss_value *asked_page(struct ss_value *items, const struct ss_value *page)
{
	const struct ss_value *next = value_get(page, "next");
	return value_map_make(
		{"items", items}, {"next_cursor", next != NULL ? value_ref(next) : value_null()});
}

void asked_reply_page(struct http_request *request, const struct ss_value *page)
{
	struct ss_value *reply = asked_page(value_ref(value_get(page, "items")), page);
	http_reply_json(request, 200, reply);
	value_unref(reply);
}

void asked_reply_nothing(struct http_request *request, const struct ss_value *nothing)
{
	(void)nothing;
	http_reply_empty(request, 204);
}

int64_t asked_time(const struct http_request *request, const char *name)
{
	int64_t at_ns = 0;
	const char *text = api_parameter_text(request, name);
	if (text != NULL)
		(void)api_read_time(text, &at_ns); /* its format was checked */
	return at_ns;
}

const char *asked_member(const struct http_request *request, const char *name)
{
	const struct ss_value *value = value_get(api_body(request), name);
	return value_type(value) == SS_STRING ? value_as_string(value, NULL) : NULL;
}
