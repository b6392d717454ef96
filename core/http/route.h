/* Routes: which function answers which method and path. A table of them is given to the server. */
#ifndef HTTP_ROUTE_H
#define HTTP_ROUTE_H

#include <stddef.h>

struct http_request;

/* Answers REQUEST, now or later, exactly once. Loop thread. */
typedef void http_handler(struct http_request *request);

/* The body_limit of a route whose body is a form or a few texts. */
enum { HTTP_BODY_LIMIT = 64 * 1024 };

struct http_route {
	const char *method; /* GET also answers HEAD; OPTIONS is answered by the server */
	/* Segments with parameters, as in "/api/v1/conversations/{id}/messages". A parameter is one whole
	 * segment that is not empty. A segment that is written out goes before a parameter. */
	const char *path;
	http_handler *handle;
	size_t body_limit; /* bytes; 0: it takes no body */
	const void *data;  /* the handler's own */
	const char *name;  /* what it does, for the metrics; NULL: it has none */
};

#endif
