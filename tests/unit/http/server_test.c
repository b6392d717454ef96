#include "client.h"
#include "fixture.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static struct fixture *fixture;

static void start(void)
{
	fixture = fixture_start(NULL);
}

static void stop(void)
{
	fixture_stop(fixture);
}

TestSuite(http_server, .init = start, .fini = stop);

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

/* The body of the reply to a GET. */
static char *get(const char *request, int status)
{
	struct client client = client_open(fixture->port);
	client_send(&client, request);
	struct reply reply = client_reply(&client, false);
	check_reply(&reply);
	cr_expect_eq(reply.status, status, "%s\n%s", reply.head, reply.body);
	char *body = memory_string(reply.body);
	reply_free(&reply);
	client_close(&client);
	return body;
}

static void expect_body(const char *request, int status, const char *part)
{
	char *body = get(request, status);
	cr_expect_not_null(strstr(body, part), "%s is not in %s", part, body);
	free(body);
}

Test(http_server, answers_a_route)
{
	expect_body(GET("/hello"), 200, "hello\n");
	expect_body(GET("/"), 200, "hello\n");
	expect_body(GET("/hello?x=1"), 200, "hello\n");
	expect_body(GET("/%68ello"), 200, "hello\n");
	expect_body(GET("http://x/hello"), 200, "hello\n");
	expect_body(GET("HTTPS://user@x:80/hello?y"), 200, "hello\n");
	expect_body(GET("http://x"), 200, "hello\n");
}

Test(http_server, gives_handlers_their_path_and_query_parameters)
{
	expect_body(GET("/things/7"), 200, "\"id\":\"7\"");
	expect_body(GET("/things/a%2Fb%20c+d"), 200, "\"id\":\"a/b c+d\"");
	expect_body(GET("/things/%C3%A9?q=a+b%26c"), 200, "\"q\":\"a b&c\"");
	expect_body(GET("/things/1/parts/2"), 200, "\"id\":\"1\"");
	expect_body(GET("/things/1/parts/2"), 200, "\"part\":\"2\"");
	expect_body(GET("/things/1"), 200, "\"part\":null");
	expect_body(GET("/things/1"), 200, "\"peer\":\"127.0.0.1\"");
	expect_body(
		"DELETE /things/special HTTP/1.1\r\nHost: x\r\n\r\n", 200, "\"method\":\"DELETE\"");
	expect_body(GET("/things/special"), 200, "special");
}

Test(http_server, tells_what_is_missing_from_what_is_not_allowed)
{
	struct client client = client_open(fixture->port);
	client_send(&client, GET("/nowhere") GET("/things/") GET("/hello/") GET("/things/%00")
				     GET("/things/%ff") GET("/things/..") GET("/things/a/../b")
					     GET("/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s"));
	for (int i = 0; i < 8; i++) {
		struct reply reply = client_reply(&client, false);
		check_problem(&reply, 404, "there is nothing at this path");
		reply_free(&reply);
	}
	client_send(&client, "POST /things/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}");
	struct reply reply = client_reply(&client, false);
	check_problem(&reply, 405, "does not take that method");
	cr_expect_str_eq(reply_header(&reply, "Allow"), "GET, HEAD, DELETE, OPTIONS");
	reply_free(&reply);
	client_close(&client);
}

Test(http_server, refuses_what_is_not_encoded_as_it_must_be)
{
	expect_body(GET("/things/%zz"), 400, "two hexadecimal digits");
	expect_body(GET("/things/%4"), 400, "two hexadecimal digits");
	expect_body(GET("/hello?a=%"), 400, "two hexadecimal digits");
	expect_body(GET("/hello?a=%00"), 400, "NUL");
	expect_body(GET("/hello?a=%c3"), 400, "UTF-8");
	expect_body(
		GET("/hello?a=1&b=2&%61=3"), 400, "the query parameter a is given more than once");
}

Test(http_server, answers_head_like_get_but_without_a_body)
{
	struct client client = client_open(fixture->port);
	client_send(&client, "HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\n");
	struct reply reply = client_reply(&client, true);
	check_reply(&reply);
	cr_expect_eq(reply.status, 200);
	cr_expect_str_eq(reply_header(&reply, "Content-Length"), "6");
	reply_free(&reply);
	client_send(&client, "HEAD /nowhere HTTP/1.1\r\nHost: x\r\n\r\n" GET("/hello"));
	reply = client_reply(&client, true);
	cr_expect_eq(reply.status, 404);
	reply_free(&reply);
	reply = client_reply(&client, false);
	cr_expect_str_eq(reply.body, "hello\n");
	reply_free(&reply);
	client_close(&client);
}

Test(http_server, tells_the_methods_of_a_path)
{
	struct client client = client_open(fixture->port);
	client_send(&client,
		"OPTIONS /echo HTTP/1.1\r\nHost: x\r\n\r\nOPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"
		"OPTIONS /nowhere HTTP/1.1\r\nHost: x\r\n\r\n");
	struct reply reply = client_reply(&client, false);
	check_reply(&reply);
	cr_expect_eq(reply.status, 204);
	cr_expect_str_eq(reply_header(&reply, "Allow"), "POST, PUT, OPTIONS");
	cr_expect_null(reply_header(&reply, "Content-Length"));
	reply_free(&reply);
	reply = client_reply(&client, false);
	check_reply(&reply);
	cr_expect_eq(reply.status, 204);
	reply_free(&reply);
	reply = client_reply(&client, false);
	check_problem(&reply, 404, "");
	reply_free(&reply);
	client_close(&client);
}

Test(http_server, takes_a_clients_request_id_only_when_it_is_harmless)
{
	static const char *const ids[] = {"", "a b", "quote\"", "x\xc3\xbc",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	struct client client = client_open(fixture->port);
	client_send(
		&client, "GET /hello HTTP/1.1\r\nHost: x\r\nx-request-id: my.Request_1-2\r\n\r\n");
	struct reply reply = client_reply(&client, false);
	cr_expect_str_eq(reply_header(&reply, "X-Request-ID"), "my.Request_1-2");
	reply_free(&reply);
	for (size_t i = 0; i < array_length(ids); i++) {
		char *request = memory_format(
			"GET /hello HTTP/1.1\r\nHost: x\r\nX-Request-ID: %s\r\n\r\n", ids[i]);
		client_send(&client, request);
		free(request);
		reply = client_reply(&client, false);
		cr_expect_eq(strlen(reply_header(&reply, "X-Request-ID")), 36, "%s", reply.head);
		reply_free(&reply);
	}
	client_close(&client);
}

Test(http_server, answers_requests_that_come_together_in_order)
{
	struct client client = client_open(fixture->port);
	client_send(&client,
		GET("/hello") "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc" GET(
			"/nowhere") "\r\n" GET("/things/9"));
	static const int statuses[] = {200, 200, 404, 200};
	for (size_t i = 0; i < array_length(statuses); i++) {
		struct reply reply = client_reply(&client, false);
		check_reply(&reply);
		cr_expect_eq(reply.status, statuses[i]);
		if (i == 1)
			cr_expect_str_eq(reply.body, "abc");
		reply_free(&reply);
	}
	client_close(&client);
}

Test(http_server, answers_what_comes_byte_by_byte)
{
	static const char request[] =
		"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
		"\r\n3\r\nabc\r\n00a\r\n0123456789\r\n0\r\n\r\n" GET("/hello");
	struct client client = client_open(fixture->port);
	for (size_t i = 0; request[i] != '\0'; i++)
		client_send_bytes(&client, &request[i], 1);
	struct reply reply = client_reply(&client, false);
	cr_expect_str_eq(reply.body, "abc0123456789");
	reply_free(&reply);
	reply = client_reply(&client, false);
	cr_expect_str_eq(reply.body, "hello\n");
	reply_free(&reply);
	client_close(&client);
}

Test(http_server, keeps_every_byte_of_a_body)
{
	enum { LENGTH = HTTP_BODY_LIMIT };
	char *body = memory_new(LENGTH);
	for (size_t i = 0; i < LENGTH; i++)
		body[i] = (char)(i * 7 % 251);
	struct client client = client_open(fixture->port);
	for (int i = 0; i < 2; i++) {
		char *head = memory_format(
			"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n",
			(int)LENGTH);
		client_send(&client, head);
		free(head);
		client_send_bytes(&client, body, LENGTH);
		struct reply reply = client_reply(&client, false);
		cr_assert_eq(reply.length, (size_t)LENGTH);
		cr_expect_eq(memcmp(reply.body, body, LENGTH), 0);
		reply_free(&reply);
	}
	client_close(&client);
	free(body);
}

Test(http_server, tells_a_client_that_waits_to_go_on)
{
	struct client client = client_open(fixture->port);
	client_send(&client, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: "
			     "100-continue\r\n\r\n");
	struct reply reply = client_reply(&client, false);
	cr_expect_eq(reply.status, 100);
	reply_free(&reply);
	client_send(&client, "abc");
	reply = client_reply(&client, false);
	check_reply(&reply);
	cr_expect_str_eq(reply.body, "abc");
	reply_free(&reply);
	/* Who sends at once is not told. */
	client_send(&client, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
			     "chunked\r\nExpect: 100-Continue\r\n\r\n"
			     "1\r\na\r\n0\r\n\r\n");
	reply = client_reply(&client, false);
	cr_expect_eq(reply.status, 200);
	cr_expect_str_eq(reply.body, "a");
	reply_free(&reply);
	/* Nor who would be refused. */
	client_send(&client, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\nExpect: "
			     "100-continue\r\n\r\n");
	reply = client_reply(&client, false);
	check_problem(&reply, 413, "larger than 65536 bytes");
	reply_free(&reply);
	client_close(&client);
}

Test(http_server, closes_the_connection_when_it_is_asked_to)
{
	static const char *const requests[] = {
		"GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
		"GET /hello HTTP/1.1\r\nHost: x\r\nConnection: foo, CLOSE\r\n\r\n",
		"GET /hello HTTP/1.0\r\n\r\n",
		"POST /echo HTTP/1.0\r\nContent-Length: 1\r\nContent-Type: a/b\r\n\r\nx",
	};
	for (size_t i = 0; i < array_length(requests); i++) {
		struct client client = client_open(fixture->port);
		client_send(&client, requests[i]);
		struct reply reply = client_reply(&client, false);
		cr_expect_eq(reply.status, 200);
		cr_expect_str_eq(reply_header(&reply, "Connection"), "close");
		reply_free(&reply);
		cr_expect(client_is_closed(&client));
		client_close(&client);
	}
}

Test(http_server, keeps_the_connection_of_an_old_client_that_asks_for_it)
{
	struct client client = client_open(fixture->port);
	for (int i = 0; i < 2; i++) {
		client_send(&client, "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
		struct reply reply = client_reply(&client, false);
		cr_expect_eq(reply.status, 200);
		cr_expect_str_eq(reply_header(&reply, "Connection"), "keep-alive");
		reply_free(&reply);
	}
	client_close(&client);
}

Test(http_server, answers_a_client_that_has_ended_its_side)
{
	struct client client = client_open(fixture->port);
	client_send(&client, GET("/hello"));
	cr_assert_eq(shutdown(client.fd, SHUT_WR), 0);
	struct reply reply = client_reply(&client, false);
	check_reply(&reply);
	reply_free(&reply);
	cr_expect(client_is_closed(&client));
	client_close(&client);
}

Test(http_server, sends_a_large_reply_whole)
{
	struct client client = client_open(fixture->port);
	client_send(&client, GET("/big") GET("/hello"));
	struct reply reply = client_reply(&client, false);
	cr_expect_eq(reply.length, 8 * 1024 * 1024);
	reply_free(&reply);
	reply = client_reply(&client, false);
	cr_expect_str_eq(reply.body, "hello\n");
	reply_free(&reply);
	client_close(&client);
}

Test(http_server, lets_a_handler_say_how_long_its_reply_may_be_kept)
{
	struct client client = client_open(fixture->port);
	client_send(&client, GET("/cached") "DELETE /nothing HTTP/1.1\r\nHost: x\r\n\r\n");
	struct reply reply = client_reply(&client, false);
	check_reply(&reply);
	cr_expect_str_eq(reply_header(&reply, "Cache-Control"), "max-age=60");
	cr_expect_str_eq(reply_header(&reply, "ETag"), "\"1\"");
	reply_free(&reply);
	reply = client_reply(&client, false);
	check_reply(&reply);
	cr_expect_eq(reply.status, 204);
	cr_expect_str_eq(reply_header(&reply, "Cache-Control"), "no-store");
	reply_free(&reply);
	client_close(&client);
}

Test(http_server, logs_one_line_for_each_request_without_its_query)
{
	static const char bad[] = "GET /bad?secret HTTP/1.1\r\nHost: x\r\nA:\0b\r\n\r\n";
	struct client client = client_open(fixture->port);
	client_send(&client,
		"GET /things/1?q=secret HTTP/1.1\r\nHost: x\r\nX-Request-ID: first\r\n\r\n");
	struct reply reply = client_reply(&client, false);
	reply_free(&reply);
	client_send_bytes(&client, bad, sizeof bad - 1);
	reply = client_reply(&client, false);
	check_problem(&reply, 400, "control character");
	char *log = fixture_log(fixture);
	cr_expect_not_null(strstr(log, "level=info"), "%s", log);
	cr_expect_not_null(strstr(log, "request_id=\"first\" trace_id=\""), "%s", log);
	cr_expect_not_null(strstr(log, " message=\"GET /things/1 200, "), "%s", log);
	cr_expect_not_null(strstr(log, reply_header(&reply, "X-Request-ID")), "%s", log);
	cr_expect_not_null(strstr(log, "message=\"GET /bad 400, "), "%s", log);
	cr_expect_null(strstr(log, "secret"), "%s", log);
	free(log);
	reply_free(&reply);
	client_close(&client);
}
