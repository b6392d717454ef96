/* Routes: which function answers which method and path. A table of them is given to the server. */
#ifndef HTTP_ROUTE_H
#define HTTP_ROUTE_H

#include <stddef.h>

struct http_request;

/* Answers REQUEST, now or later, exactly once. Loop thread. */
typedef void http_handler(struct http_request *request);

struct http_route {
	const char *method; /* GET also answers HEAD */
	const char *path;
	http_handler *handle;
};

#endif
