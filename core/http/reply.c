/* How a request is answered. */
#include "base/clock.h"
#include "base/memory.h"
#include "http/negotiate.h"
#include "http/private.h"
#include "http/stream.h"
#include "service/metrics.h"
#include "value/json.h"
#include "value/value.h"

#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>

void http_reply_header(struct http_request *request, const char *name, const char *value)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request->evhttp);
	(void)evhttp_remove_header(headers, name);
	(void)evhttp_add_header(headers, name, value);
}

const char *http_reply_header_of(const struct http_request *request, const char *name)
{
	return evhttp_find_header(evhttp_request_get_output_headers(request->evhttp), name);
}

void http_reply_vary(struct http_request *request, const char *name)
{
	const char *before = http_reply_header_of(request, "Vary");
	char *both = before != NULL ? memory_format("%s, %s", before, name) : memory_string(name);
	http_reply_header(request, "Vary", both);
	free(both);
}

void http_take_reply(struct http_request *request, http_reply_taken *taken, void *data)
{
	request->taken = taken;
	request->taken_data = data;
}

/* Whether the reply is one that is logged. Of those that went well it is a share, evenly. */
static bool is_logged(struct http_server *server, int status)
{
	if (status >= 400)
		return true;
	server->owed += server->options.logged;
	if (server->owed < 1)
		return false;
	server->owed -= 1;
	return true;
}

static void log_reply(const struct http_request *request, int status, size_t length, int64_t ns)
{
	double ms = (double)ns / 1e6;
	if (request->guard != NULL)
		log_info(&request->log, "%s %d, %zu bytes, %.1f ms", request->label, status, length,
			ms);
	else if (http_stream_begun(request))
		log_info(&request->log,
			"%s %d, cut off after %zu bytes: the client has gone, %.1f ms",
			request->label, status, length, ms);
	else
		log_info(&request->log, "%s %d, not sent: the client has gone, %.1f ms",
			request->label, status, ms);
}

void http_reply_note(const struct http_request *request, int status, size_t length)
{
	struct http_server *server = request->server;
	const struct http_route *route = request->route;
	int64_t ns = clock_monotonic_ns() - request->started_ns;
	metrics_request(server->options.part,
		server->rows[route != NULL ? (size_t)(route - server->routes)
					   : server->route_count],
		status, ns);
	if (is_logged(server, status))
		log_reply(request, status, length, ns);
}

/* What every reply says unless its handler says otherwise: no cache keeps it, no page of another site shows or includes it,
 * and a browser takes it for nothing but what it says it is. */
static const struct {
	const char *name, *value;
} usual_headers[] = {
	{"Cache-Control", "no-store"},
	{"X-Content-Type-Options", "nosniff"},
	{"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
	{"X-Frame-Options", "DENY"},
	{"Referrer-Policy", "no-referrer"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
};

void http_reply_common(struct http_request *request, const char *type)
{
	const struct evkeyvalq *headers = evhttp_request_get_output_headers(request->evhttp);
	char trace[TRACE_TEXT_SIZE];
	http_reply_header(request, "X-Request-ID", request->id);
	http_reply_header(request, "traceparent", trace_text(&request->log.trace, trace));
	for (size_t i = 0; i < array_length(usual_headers); i++) {
		if (evhttp_find_header(headers, usual_headers[i].name) == NULL)
			http_reply_header(request, usual_headers[i].name, usual_headers[i].value);
	}
	if (type != NULL)
		http_reply_header(request, "Content-Type", type);
}

static void set_headers(struct http_request *request, int status, const char *type, size_t length)
{
	char digits[24];
	http_reply_common(request, type);
	(void)snprintf(digits, sizeof digits, "%zu", length);
	if (status != 204 && status != 304)
		http_reply_header(request, "Content-Length", digits);
}

/* Puts the body of a reply where it is sent from. */
typedef int add_body(struct evbuffer *output, const void *body, size_t length);

static int add_shared(struct evbuffer *output, const void *body, size_t length)
{
	return evbuffer_add_reference(output, body, length, NULL, NULL);
}

/* Sends the reply and ends REQUEST. */
static void send_body(
	struct http_request *request, const struct http_outgoing *reply, add_body *add)
{
	struct evhttp_request *evhttp = request->evhttp;
	struct guard *guard = request->guard;
	int status = reply->status;
	http_reply_note(request, status, reply->length);
	if (guard != NULL) {
		set_headers(request, status, reply->type, reply->length);
		guard_prepare_reply(guard, evhttp);
	}
	http_request_free(request);
	if (guard == NULL) {
		evhttp_request_free(evhttp);
		return;
	}
	/* evhttp would send a body to HEAD as well. */
	if (evhttp_request_get_command(evhttp) != EVHTTP_REQ_HEAD && reply->length > 0 &&
		add(evhttp_request_get_output_buffer(evhttp), reply->body, reply->length) < 0)
		abort(); /* only for want of memory */
	evhttp_send_reply(evhttp, status, http_status_title(status), NULL);
	guard_replied(guard, evhttp);
}

/* Without a TYPE there is no body. */
static void send_reply(
	struct http_request *request, int status, const char *type, const char *body, size_t length)
{
	struct http_outgoing reply = {
		.status = status, .type = type, .body = body, .length = length};
	if (request->taken != NULL) {
		http_reply_taken *taken = request->taken;
		request->taken = NULL;
		taken(request->taken_data, request, status, type, (struct ss_text){body, length});
		return;
	}
	if (request->guard != NULL)
		http_negotiate(request, &reply);
	send_body(request, &reply, evbuffer_add);
	free(reply.packed);
}

void http_reply_shared(
	struct http_request *request, int status, const char *type, struct ss_text text)
{
	const struct http_outgoing reply = {
		.status = status, .type = type, .body = text.data, .length = text.length};
	send_body(request, &reply, add_shared);
}

void http_reply_json(struct http_request *request, int status, const struct ss_value *body)
{
	struct buffer buffer = {0};
	json_print(&buffer, body);
	send_reply(request, status, "application/json", buffer_text(&buffer), buffer.length);
	buffer_free(&buffer);
}

void http_reply_text(
	struct http_request *request, int status, const char *content_type, struct ss_text text)
{
	send_reply(request, status, content_type, text.data, text.length);
}

void http_reply_empty(struct http_request *request, int status)
{
	send_reply(request, status, NULL, NULL, 0);
}

void http_reply_typed_problem(struct http_request *request, const struct http_problem *problem)
{
	char *text = http_problem_text(problem, request->id);
	send_reply(request, problem->status, HTTP_PROBLEM_TYPE, text, strlen(text));
	free(text);
}

void http_reply_problem(
	struct http_request *request, int status, const char *detail, struct ss_value *errors)
{
	const struct http_problem problem = {.status = status, .detail = detail, .errors = errors};
	http_reply_typed_problem(request, &problem);
}

void http_reply_field_problem(
	struct http_request *request, int status, const char *pointer, const char *detail)
{
	struct ss_value *error = http_problem_error(pointer, detail);
	http_reply_problem(request, status, detail, value_list(&error, 1));
}

void http_reply_refusal(struct http_request *request, const struct http_refusal *refusal)
{
	http_reply_problem(request, refusal->status, refusal->detail, NULL);
}
