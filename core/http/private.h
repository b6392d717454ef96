/* What the files of this room share. */
#ifndef HTTP_PRIVATE_H
#define HTTP_PRIVATE_H

#include "http/request.h"
#include "http/server.h"

#include <event2/http.h>

struct guard;
struct guard_connection;

struct http_request {
	struct http_server *server;
	struct evhttp_request *evhttp; /* NULL: the server is gone */
	struct guard_connection *connection;
	struct http_request *next, **link;
	struct log log;
	char id[72];
	int64_t started_ns;
};

struct http_server {
	struct http_options options;
	const struct http_route *routes;
	size_t route_count;
	void *context;
	const struct log *log;
	struct evhttp *evhttp;
	struct guard *guard;
	struct http_request *requests; /* that are being answered */
	size_t request_count;
	bool draining;
};

/* Finds the route of REQUEST and lets it answer, or answers 404, 405 or OPTIONS. */
void http_route_request(struct http_request *request);

/* The title of STATUS, as in "Not Found". */
const char *http_status_title(int status);

#endif
