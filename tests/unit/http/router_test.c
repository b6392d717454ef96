#include "http/router.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <string.h>

static void handle(struct http_request *request)
{
	(void)request;
}

static void expect_refused(const struct http_route *routes, size_t count, const char *why)
{
	struct ss_error err = {0};
	cr_expect_null(router_new(routes, count, &err));
	cr_expect_not_null(strstr(err.text, why), "%s", err.text);
}

Test(http_router, refuses_routes_that_cannot_be_told_apart)
{
	static const struct http_route routes[] = {
		{"GET", "/a/{b}/c", handle, 0, NULL, NULL},
		{"POST", "/a/{c}/c", handle, 0, NULL, NULL},
		{"GET", "/a/{c}/c", handle, 0, NULL, NULL},
	};
	struct ss_error err = {0};
	struct router *router = router_new(routes, 2, &err);
	cr_expect_not_null(router, "%s", err.text);
	router_free(router);
	expect_refused(routes, 3, "the routes GET /a/{b}/c and /a/{c}/c answer the same");
}

Test(http_router, refuses_paths_and_methods_that_are_none)
{
	expect_refused(&(struct http_route){"GET", "a", handle, 0, NULL, NULL}, 1,
		"does not begin with /");
	expect_refused(&(struct http_route){"GET", "/a/x{b}", handle, 0, NULL, NULL}, 1,
		"not a whole segment");
	expect_refused(&(struct http_route){"GET", "/a/{}", handle, 0, NULL, NULL}, 1,
		"not a whole segment");
	expect_refused(&(struct http_route){"HEAD", "/a", handle, 0, NULL, NULL}, 1,
		"which none can have");
	expect_refused(
		&(struct http_route){"get", "/a", handle, 0, NULL, NULL}, 1, "which none can have");
	expect_refused(&(struct http_route){"GET", "/1/2/3/4/5/6/7/8/9/a/b/c/d/e/f/g/h", handle, 0,
			       NULL, NULL},
		1, "more than 16 segments");
}

Test(http_router, prefers_what_is_written_out)
{
	static const struct http_route routes[] = {
		{"GET", "/a/{x}/{y}", handle, 1, NULL, NULL},
		{"GET", "/a/{x}/c", handle, 2, NULL, NULL},
		{"GET", "/a/b/{y}", handle, 3, NULL, NULL},
		{"GET", "/{z}/b/c", handle, 4, NULL, NULL},
		{"PUT", "/a/b/c", handle, 5, NULL, NULL},
	};
	static const struct {
		const char *path;
		size_t route;
	} cases[] = {{"/a/1/2", 1}, {"/a/1/c", 2}, {"/a/b/1", 3}, {"/a/b/c", 3}, {"/1/b/c", 4},
		{"/a/%62/1", 3}, {"/a//c", 0}, {"/a/b", 0}};
	const struct ss_text get = {"GET", 3};
	struct router *router = router_new(routes, array_length(routes), NULL);
	for (size_t i = 0; i < array_length(cases); i++) {
		struct http_refusal refusal;
		struct uri uri;
		const struct ss_text path = {cases[i].path, strlen(cases[i].path)};
		cr_assert_eq(uri_parse(&uri, path, &refusal), 0);
		struct route_match match = router_find(router, get, &uri);
		cr_expect_eq(match.route != NULL ? match.route->body_limit : 0, cases[i].route,
			"%s", cases[i].path);
		uri_free(&uri);
	}
	router_free(router);
}

Test(http_uri, takes_a_query_apart)
{
	static const char target[] = "/?a=1&&b&c=&=d&e=%3d%26&f+g=h%2Bi+j";
	static const struct uri_parameter parameters[] = {
		{"a", "1"}, {"b", ""}, {"c", ""}, {"", "d"}, {"e", "=&"}, {"f g", "h+i j"}};
	struct http_refusal refusal;
	struct uri uri;
	cr_assert_eq(uri_parse(&uri, (struct ss_text){target, strlen(target)}, &refusal), 0);
	cr_assert_eq(uri.parameter_count, array_length(parameters));
	for (size_t i = 0; i < array_length(parameters); i++) {
		cr_expect_str_eq(uri.parameters[i].name, parameters[i].name);
		cr_expect_str_eq(uri.parameters[i].value, parameters[i].value);
	}
	uri_free(&uri);
}

Test(http_uri, refuses_more_parameters_than_anybody_needs)
{
	char target[400] = "/?";
	struct http_refusal refusal;
	struct uri uri;
	for (int i = 0; i < 33; i++)
		(void)snprintf(target + strlen(target), sizeof target - strlen(target), "p%d&", i);
	cr_expect_eq(uri_parse(&uri, (struct ss_text){target, strlen(target)}, &refusal), -1);
	cr_expect_eq(refusal.status, 400);
}
