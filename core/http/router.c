#include "http/router.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In the order of the header Allow. */
static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};

struct segment {
	struct ss_text text; /* of a parameter: its name */
	bool parameter;
};

struct pattern {
	const struct http_route *route;
	size_t count;
	struct segment segments[URI_SEGMENTS];
};

struct router {
	size_t count;
	struct pattern patterns[];
};

/* The segment of a path that begins at AT, and with it the next one, or NULL after the last. */
static struct segment next_segment(const char **at)
{
	size_t length = strcspn(*at, "/");
	struct segment segment = {.text = {*at, length}};
	*at = (*at)[length] == '/' ? *at + length + 1 : NULL;
	if (length > 2 && segment.text.data[0] == '{' && segment.text.data[length - 1] == '}') {
		segment.parameter = true;
		segment.text = (struct ss_text){segment.text.data + 1, length - 2};
	}
	return segment;
}

static int parse_pattern(
	struct pattern *pattern, const struct http_route *route, struct ss_error *err)
{
	pattern->route = route;
	if (route->path[0] != '/')
		return ss_fail_as(
			err, SS_INVALID, "the route %s does not begin with /", route->path);
	for (const char *at = route->path + 1; at != NULL;) {
		if (pattern->count == URI_SEGMENTS)
			return ss_fail_as(err, SS_INVALID, "the route %s has more than %d segments",
				route->path, (int)URI_SEGMENTS);
		struct segment segment = next_segment(&at);
		if (memchr(segment.text.data, '{', segment.text.length) != NULL ||
			memchr(segment.text.data, '}', segment.text.length) != NULL)
			return ss_fail_as(err, SS_INVALID,
				"a parameter of the route %s is not a whole segment", route->path);
		pattern->segments[pattern->count++] = segment;
	}
	return 0;
}

static bool is(struct ss_text text, const char *string)
{
	return strlen(string) == text.length && memcmp(string, text.data, text.length) == 0;
}

/* Whether A and B match the same paths. */
static bool same_paths(const struct pattern *a, const struct pattern *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		const struct segment *left = &a->segments[i];
		const struct segment *right = &b->segments[i];
		if (left->parameter != right->parameter)
			return false;
		if (!left->parameter &&
			(left->text.length != right->text.length ||
				memcmp(left->text.data, right->text.data, left->text.length) != 0))
			return false;
	}
	return true;
}

static int check_pattern(const struct router *router, size_t index, struct ss_error *err)
{
	const struct pattern *pattern = &router->patterns[index];
	for (size_t i = 0; i < index; i++) {
		const struct http_route *other = router->patterns[i].route;
		if (strcmp(other->method, pattern->route->method) == 0 &&
			same_paths(pattern, &router->patterns[i]))
			return ss_fail_as(err, SS_INVALID,
				"the routes %s %s and %s answer the same", other->method,
				other->path, pattern->route->path);
	}
	for (size_t i = 0; i < array_length(methods); i++) {
		if (strcmp(methods[i], pattern->route->method) == 0 &&
			strcmp(methods[i], "HEAD") != 0)
			return 0;
	}
	return ss_fail_as(err, SS_INVALID, "the route %s has the method %s, which none can have",
		pattern->route->path, pattern->route->method);
}

struct router *router_new(const struct http_route *routes, size_t count, struct ss_error *err)
{
	struct router *router = memory_new(sizeof *router + count * sizeof(struct pattern));
	router->count = count;
	for (size_t i = 0; i < count; i++) {
		if (parse_pattern(&router->patterns[i], &routes[i], err) < 0 ||
			check_pattern(router, i, err) < 0) {
			router_free(router);
			return NULL;
		}
	}
	return router;
}

void router_free(struct router *router)
{
	free(router);
}

static bool matches(const struct pattern *pattern, const struct uri *uri)
{
	if (!uri->regular || pattern->count != uri->segment_count)
		return false;
	for (size_t i = 0; i < pattern->count; i++) {
		const struct segment *segment = &pattern->segments[i];
		if (segment->parameter ? uri->segments[i][0] == '\0'
				       : !is(segment->text, uri->segments[i]))
			return false;
	}
	return true;
}

/* Of two patterns that match: whether A is written out where B first has a parameter. */
static bool is_closer(const struct pattern *a, const struct pattern *b)
{
	for (size_t i = 0; i < a->count; i++) {
		if (a->segments[i].parameter != b->segments[i].parameter)
			return b->segments[i].parameter;
	}
	return false;
}

static bool answers(const struct http_route *route, struct ss_text method)
{
	return is(method, route->method) ||
	       (is(method, "HEAD") && strcmp(route->method, "GET") == 0);
}

static void write_allow(char *allow, size_t size, unsigned allowed)
{
	size_t at = 0;
	for (size_t i = 0; i < array_length(methods); i++) {
		if ((allowed & 1U << i) != 0)
			at += (size_t)snprintf(allow + at, size - at, "%s, ", methods[i]);
	}
	(void)snprintf(allow + at, size - at, "OPTIONS");
}

static unsigned method_bits(const struct http_route *route)
{
	unsigned bits = 0;
	for (size_t i = 0; i < array_length(methods); i++) {
		if (answers(route, (struct ss_text){methods[i], strlen(methods[i])}))
			bits |= 1U << i;
	}
	return bits;
}

struct route_match router_find(
	const struct router *router, struct ss_text method, const struct uri *uri)
{
	struct route_match match = {0};
	const struct pattern *best = NULL;
	unsigned allowed = 0;
	for (size_t i = 0; i < router->count; i++) {
		const struct pattern *pattern = &router->patterns[i];
		if (!matches(pattern, uri))
			continue;
		allowed |= method_bits(pattern->route);
		if (answers(pattern->route, method) && (best == NULL || is_closer(pattern, best)))
			best = pattern;
	}
	match.path_known = allowed != 0;
	match.route = best != NULL ? best->route : NULL;
	write_allow(match.allow, sizeof match.allow, allowed);
	return match;
}

const char *router_parameter(
	const struct http_route *route, const struct uri *uri, const char *name)
{
	const char *at = route->path + 1;
	for (size_t i = 0; at != NULL && i < uri->segment_count; i++) {
		struct segment segment = next_segment(&at);
		if (segment.parameter && is(segment.text, name))
			return uri->segments[i];
	}
	return NULL;
}
