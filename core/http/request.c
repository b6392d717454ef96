/* What a handler asks about its request. */
#include "http/request.h"

#include "base/buffer.h"
#include "http/private.h"

#include <event2/buffer.h>
#include <event2/keyvalq_struct.h>
#include <string.h>
#include <strings.h>

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

void http_request_log_field(struct http_request *request, const char *name, const char *value)
{
	request->log = log_with(&request->log, name, value);
}

const char *http_request_method(const struct http_request *request)
{
	return evhttp_request_get_command(request->evhttp) == EVHTTP_REQ_HEAD
		       ? "HEAD"
		       : request->route->method;
}

const char *http_request_target(const struct http_request *request)
{
	return evhttp_request_get_uri(request->evhttp);
}

const char *http_request_peer(const struct http_request *request)
{
	return request->peer;
}

const char *http_request_parameter(const struct http_request *request, const char *name)
{
	return router_parameter(request->route, &request->uri, name);
}

const char *http_request_query(const struct http_request *request, const char *name)
{
	for (size_t i = 0; i < request->uri.parameter_count; i++) {
		if (strcmp(request->uri.parameters[i].name, name) == 0)
			return request->uri.parameters[i].value;
	}
	return NULL;
}

size_t http_request_query_count(const struct http_request *request)
{
	return request->uri.parameter_count;
}

const char *http_request_query_name(const struct http_request *request, size_t index)
{
	return request->uri.parameters[index].name;
}

const struct http_route *http_request_route(const struct http_request *request)
{
	return request->route;
}

void http_request_keep(struct http_request *request, void *data, void (*free_data)(void *data))
{
	request->kept = data;
	request->free_kept = free_data;
}

void *http_request_kept(const struct http_request *request)
{
	return request->kept;
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
	const char *value =
		evhttp_find_header(evhttp_request_get_input_headers(request->evhttp), name);
	/* evhttp leaves tabs there. */
	return value != NULL ? value + strspn(value, " \t") : NULL;
}

char *http_request_header_list(const struct http_request *request, const char *name)
{
	const struct evkeyvalq *headers = evhttp_request_get_input_headers(request->evhttp);
	struct buffer joined = {0};
	bool found = false;
	for (const struct evkeyval *header = headers->tqh_first; header != NULL;
		header = header->next.tqe_next) {
		if (strcasecmp(header->key, name) != 0)
			continue;
		if (found)
			buffer_add_char(&joined, ',');
		buffer_add_string(&joined, header->value);
		found = true;
	}
	return found ? buffer_take(&joined) : NULL;
}

void http_request_may_be_known(struct http_request *request)
{
	request->may_be_known = true;
}

bool http_request_cancelled(const struct http_request *request)
{
	return request->guard == NULL;
}

bool http_request_draining(const struct http_request *request)
{
	return request->server->host.draining;
}

void http_on_cancel(struct http_request *request, void (*cancelled)(void *data), void *data)
{
	if (request->guard == NULL) {
		if (cancelled != NULL)
			cancelled(data);
		return;
	}
	request->cancelled = cancelled;
	request->cancelled_data = data;
}
