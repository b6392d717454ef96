#include "http/private.h"

#include <string.h>

static const char *method_name(enum evhttp_cmd_type method)
{
	switch (method) {
	case EVHTTP_REQ_GET:
		return "GET";
	case EVHTTP_REQ_HEAD:
		return "HEAD";
	case EVHTTP_REQ_POST:
		return "POST";
	case EVHTTP_REQ_PUT:
		return "PUT";
	case EVHTTP_REQ_DELETE:
		return "DELETE";
	case EVHTTP_REQ_PATCH:
		return "PATCH";
	case EVHTTP_REQ_OPTIONS:
		return "OPTIONS";
	default:
		return "other";
	}
}

static bool has_path(const struct http_route *route, const char *path)
{
	return strcmp(route->path, path) == 0;
}

static bool has_method(const struct http_route *route, const char *method)
{
	return strcmp(route->method, method) == 0 ||
	       (strcmp(method, "HEAD") == 0 && strcmp(route->method, "GET") == 0);
}

/* Writes the methods that PATH allows, as the header Allow lists them. Returns whether there are any. */
static bool list_methods(
	const struct http_server *server, const char *path, char *text, size_t size)
{
	size_t at = 0;
	for (size_t i = 0; i < server->route_count && at < size; i++) {
		const struct http_route *route = &server->routes[i];
		if (has_path(route, path))
			at += (size_t)snprintf(text + at, size - at, "%s%s, ", route->method,
				strcmp(route->method, "GET") == 0 ? ", HEAD" : "");
	}
	if (at > 0 && at < size)
		(void)snprintf(text + at, size - at, "OPTIONS");
	return at > 0;
}

void http_route_request(struct http_request *request)
{
	const struct http_server *server = request->server;
	const char *method = method_name(evhttp_request_get_command(request->evhttp));
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request->evhttp);
	const char *path = uri != NULL ? evhttp_uri_get_path(uri) : NULL;
	char allow[100];
	if (path == NULL)
		path = "";
	for (size_t i = 0; i < server->route_count; i++) {
		if (has_path(&server->routes[i], path) && has_method(&server->routes[i], method)) {
			server->routes[i].handle(request);
			return;
		}
	}
	if (!list_methods(server, path, allow, sizeof allow)) {
		http_reply_problem(request, 404, "there is nothing at this path", NULL);
		return;
	}
	http_reply_header(request, "Allow", allow);
	if (strcmp(method, "OPTIONS") == 0)
		http_reply_empty(request, 204);
	else
		http_reply_problem(request, 405,
			"this path does not take that method; the header Allow names those it "
			"takes",
			NULL);
}
