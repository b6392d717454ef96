#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "http/guard.h"
#include "http/private.h"
#include "value/json.h"
#include "value/value.h"

#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>

/* The part of a path that a log line shows. */
enum { LOGGED_PATH = 200 };

static const struct {
	int status;
	const char *title;
} titles[] = {
	{200, "OK"},
	{204, "No Content"},
	{400, "Bad Request"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{408, "Request Timeout"},
	{413, "Content Too Large"},
	{415, "Unsupported Media Type"},
	{422, "Unprocessable Content"},
	{500, "Internal Server Error"},
	{503, "Service Unavailable"},
};

const char *http_status_title(int status)
{
	for (size_t i = 0; i < array_length(titles); i++) {
		if (titles[i].status == status)
			return titles[i].title;
	}
	return "Unknown";
}

void *http_request_context(const struct http_request *request)
{
	return request->server->context;
}

const char *http_request_id(const struct http_request *request)
{
	return request->id;
}

const struct log *http_request_log(const struct http_request *request)
{
	return &request->log;
}

struct ss_text http_request_body(struct http_request *request)
{
	struct evbuffer *input = evhttp_request_get_input_buffer(request->evhttp);
	size_t length = evbuffer_get_length(input);
	const unsigned char *bytes = evbuffer_pullup(input, -1);
	return (struct ss_text){bytes != NULL ? (const char *)bytes : "", length};
}

const char *http_request_header(const struct http_request *request, const char *name)
{
	return evhttp_find_header(evhttp_request_get_input_headers(request->evhttp), name);
}

void http_reply_header(struct http_request *request, const char *name, const char *value)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request->evhttp);
	(void)evhttp_remove_header(headers, name);
	(void)evhttp_add_header(headers, name, value);
}

static void on_sent(struct evhttp_request *evhttp, void *context)
{
	(void)evhttp;
	guard_request_ends(context);
}

static void log_access(const struct http_request *request, int status, size_t length)
{
	const char *uri = evhttp_request_get_uri(request->evhttp);
	size_t shown = uri != NULL ? strcspn(uri, "?") : 0;
	if (shown > LOGGED_PATH)
		shown = LOGGED_PATH;
	log_info(&request->log, "%.*s %d, %zu bytes, %.1f ms", (int)shown, uri != NULL ? uri : "",
		status, length, (double)(clock_monotonic_ns() - request->started_ns) / 1e6);
}

/* Sends the reply and ends REQUEST. */
static void send_reply(
	struct http_request *request, int status, const char *type, const char *body, size_t length)
{
	struct evbuffer *output = evhttp_request_get_output_buffer(request->evhttp);
	http_reply_header(request, "X-Request-ID", request->id);
	http_reply_header(request, "Cache-Control", "no-store");
	http_reply_header(request, "X-Content-Type-Options", "nosniff");
	if (type != NULL)
		http_reply_header(request, "Content-Type", type);
	if (request->server->draining)
		http_reply_header(request, "Connection", "close");
	/* evhttp would send the body of a reply to HEAD as well. */
	if (evhttp_request_get_command(request->evhttp) == EVHTTP_REQ_HEAD) {
		char digits[24];
		(void)snprintf(digits, sizeof digits, "%zu", length);
		http_reply_header(request, "Content-Length", digits);
	} else if (length > 0 && evbuffer_add(output, body, length) < 0) {
		status = 500;
	}
	log_access(request, status, length);
	if (request->connection != NULL)
		evhttp_request_set_on_complete_cb(request->evhttp, on_sent, request->connection);
	struct evhttp_request *evhttp = request->evhttp;
	*request->link = request->next;
	if (request->next != NULL)
		request->next->link = request->link;
	request->server->request_count--;
	free(request);
	evhttp_send_reply(evhttp, status, http_status_title(status), NULL);
}

static void reply_value(
	struct http_request *request, int status, const char *type, const struct ss_value *body)
{
	struct buffer buffer = {0};
	json_print(&buffer, body);
	send_reply(request, status, type, buffer_text(&buffer), buffer.length);
	buffer_free(&buffer);
}

void http_reply_json(struct http_request *request, int status, const struct ss_value *body)
{
	reply_value(request, status, "application/json", body);
}

void http_reply_empty(struct http_request *request, int status)
{
	send_reply(request, status, NULL, NULL, 0);
}

void http_reply_problem(
	struct http_request *request, int status, const char *detail, struct ss_value *errors)
{
	char instance[96];
	(void)snprintf(instance, sizeof instance, "urn:request:%s", request->id);
	struct ss_value *problem = value_map_make({"type", value_text("about:blank")},
		{"title", value_text(http_status_title(status))}, {"status", value_int(status)},
		{"detail", value_text(detail)}, {"instance", value_text(instance)},
		{"errors", errors});
	reply_value(request, status, "application/problem+json", problem);
	value_unref(problem);
}

void http_reply_field_problem(
	struct http_request *request, int status, const char *pointer, const char *detail)
{
	struct ss_value *error =
		value_map_make({"pointer", value_text(pointer)}, {"detail", value_text(detail)});
	http_reply_problem(request, status, detail, value_list(&error, 1));
}
