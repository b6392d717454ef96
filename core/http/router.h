/* Finds the route of a request. For the server; any thread once it is made. */
#ifndef HTTP_ROUTER_H
#define HTTP_ROUTER_H

#include "http/route.h"
#include "http/uri.h"

struct router;

/* Of COUNT ROUTES (borrowed). Fails when two of them answer the same, or a path is none. */
struct router *router_new(const struct http_route *routes, size_t count, struct ss_error *err);
void router_free(struct router *router);

/* Where a request goes. */
struct route_match {
	const struct http_route *route; /* NULL: none has this path with this method */
	bool path_known;                /* some route has the path */
	char allow[64]; /* the methods that the path takes, as in the header Allow */
};

/* Finds the route of URI for METHOD. */
struct route_match router_find(
	const struct router *router, struct ss_text method, const struct uri *uri);

/* The value of the parameter NAME of ROUTE's path in URI, which matches it; or NULL. */
const char *router_parameter(
	const struct http_route *route, const struct uri *uri, const char *name);

#endif
