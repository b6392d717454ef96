#include "http/server.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/memory.h"
#include "http/guard.h"
#include "http/private.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/keyvalq_struct.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>

enum { REQUEST_ID_LIMIT = 64 };

struct http_options http_defaults(void)
{
	return (struct http_options){
		.header_limit = (size_t)16 * 1024,
		.body_limit = (size_t)64 * 1024,
		.request_timeout_ns = (int64_t)10 * 1000000000,
		.idle_timeout_ns = (int64_t)60 * 1000000000,
		.connection_limit = 4096,
		.request_limit = 512,
	};
}

/* The id is echoed and logged, so a client's own is taken only when it is harmless. */
static void set_id(struct http_request *request)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	const char *given = http_request_header(request, "X-Request-ID");
	size_t length = given != NULL ? strlen(given) : 0;
	if (length > 0 && length <= REQUEST_ID_LIMIT && strspn(given, allowed) == length) {
		memcpy(request->id, given, length + 1);
	} else {
		char id[ID_SIZE];
		memcpy(request->id, id_new("", id), sizeof id);
	}
}

static struct http_request *request_new(
	struct http_server *server, struct evhttp_request *evhttp, struct guard_connection *guarded)
{
	struct http_request *request = memory_make(struct http_request);
	request->server = server;
	request->evhttp = evhttp;
	request->connection = guarded;
	request->started_ns = clock_monotonic_ns();
	set_id(request);
	request->log = log_with(server->log, "request_id", request->id);
	request->next = server->requests;
	request->link = &server->requests;
	if (request->next != NULL)
		request->next->link = &request->next;
	server->requests = request;
	server->request_count++;
	return request;
}

/* Two lengths, or a length beside chunks, are read differently by different servers; whoever sends them
 * may want to hide a request from one of them (RFC 9112, 6.3). */
static bool is_ambiguous(const struct http_request *request)
{
	const struct evkeyvalq *headers = evhttp_request_get_input_headers(request->evhttp);
	const struct evkeyval *header;
	size_t lengths = 0;
	size_t encodings = 0;
	TAILQ_FOREACH(header, headers, next)
	{
		lengths += strcasecmp(header->key, "Content-Length") == 0;
		encodings += strcasecmp(header->key, "Transfer-Encoding") == 0;
	}
	return lengths + encodings > 1;
}

/* evhttp's general callback: a whole request is there. */
static void on_request(struct evhttp_request *evhttp, void *context)
{
	struct http_server *server = context;
	struct evhttp_connection *connection = evhttp_request_get_connection(evhttp);
	struct guard_connection *guarded =
		guard_find(server->guard, evhttp_connection_get_bufferevent(connection));
	if (guard_refused(guarded)) {
		evhttp_send_error(evhttp, 413, NULL); /* goes nowhere, and ends it */
		return;
	}
	guard_request_begins(guarded);
	struct http_request *request = request_new(server, evhttp, guarded);
	if (is_ambiguous(request)) {
		http_reply_header(request, "Connection", "close");
		http_reply_problem(request, 400,
			"the length of the body is given more than once; send one Content-Length",
			NULL);
	} else if (server->request_count > server->options.request_limit) {
		http_reply_header(request, "Retry-After", "1");
		http_reply_problem(request, 503,
			"too many requests are being answered; try again in a moment", NULL);
	} else {
		http_route_request(request);
	}
}

struct http_server *http_server_new(struct event_base *base, const struct http_options *options,
	const struct http_route *routes, size_t route_count, void *context, const struct log *log,
	struct ss_error *err)
{
	struct http_server *server = memory_make(struct http_server);
	server->options = *options;
	server->routes = routes;
	server->route_count = route_count;
	server->context = context;
	server->log = log;
	server->evhttp = evhttp_new(base);
	if (server->evhttp == NULL) {
		(void)ss_fail(err, "the HTTP server cannot be made: no memory");
		free(server);
		return NULL;
	}
	server->guard = guard_new(base, server->evhttp, &server->options, log);
	evhttp_set_max_headers_size(server->evhttp, (ev_ssize_t)options->header_limit);
	/* Every method comes here, so that the router can name the allowed ones. */
	evhttp_set_allowed_methods(
		server->evhttp, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD |
					EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS |
					EVHTTP_REQ_TRACE | EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH);
	evhttp_set_default_content_type(server->evhttp, NULL);
	evhttp_set_gencb(server->evhttp, on_request, server);
	return server;
}

int http_server_accept(struct http_server *server, int fd, struct ss_error *err)
{
	return guard_accept(server->guard, fd, err);
}

void http_server_drain(struct http_server *server, void (*done)(void *context), void *context)
{
	server->draining = true;
	guard_drain(server->guard, done, context);
}

void http_server_free(struct http_server *server)
{
	if (server == NULL)
		return;
	while (server->requests != NULL) {
		struct http_request *request = server->requests;
		server->requests = request->next;
		free(request);
	}
	guard_stop(server->guard);
	evhttp_free(server->evhttp);
	guard_free(server->guard);
	free(server);
}
