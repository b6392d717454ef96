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
	fixture_wait_empty(fixture);
	fixture_stop(fixture);
}

TestSuite(http_malformed, .init = start, .fini = stop);

#define HOST "Host: x\r\n"

/* Sends BYTES, and asserts that the reply is a problem with STATUS and that the connection is closed. */
static void expect_refused(const char *bytes, size_t length, int status)
{
	struct client client = client_open(fixture->port);
	client_send_bytes(&client, bytes, length);
	struct reply reply = client_reply(&client, strncmp(bytes, "HEAD", 4) == 0);
	if (strncmp(bytes, "HEAD", 4) == 0)
		cr_expect_eq(reply.status, status, "%s", bytes);
	else
		check_problem(&reply, status, "");
	cr_expect_str_eq(reply_header(&reply, "Connection"), "close", "%s", bytes);
	cr_expect(client_is_closed(&client), "%s", bytes);
	reply_free(&reply);
	client_close(&client);
}

static void expect_text_refused(const char *text, int status)
{
	expect_refused(text, strlen(text), status);
}

Test(http_malformed, is_answered_with_a_problem_and_the_connection_closed)
{
	static const struct {
		const char *bytes;
		int status;
	} cases[] = {
		{"GET /\r\n", 400},
		{"hello\r\n\r\n", 400},
		{"\r\n\r\n\r\n", 400},
		{"\x16\x03\x01\x02", 400},
		{"GET / HTTP/9.9\r\n\r\n", 505},
		{"GET / HTTP/1.1\n" HOST "\n", 400},
		{"GET / HTTP/1.1\r\n\r\n", 400},
		{"GET //x HTTP/1.1\r\n" HOST "\r\n", 400},
		{"GET ../x HTTP/1.1\r\n" HOST "\r\n", 400},
		{"SPLICE / HTTP/1.1\r\n" HOST "\r\n", 501},
		{"CONNECT x:80 HTTP/1.1\r\n" HOST "\r\n", 501},
		{"TRACE / HTTP/1.1\r\n" HOST "\r\n", 501},
		{"GET http://[x/ HTTP/1.1\r\n" HOST "\r\n", 400},
		{"POST /echo HTTP/1.1\r\n" HOST "Content-Length: -5\r\n\r\nabcde", 400},
		{"POST /echo HTTP/1.1\r\n" HOST
		 "Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
			400},
		{"POST /echo HTTP/1.1\r\n" HOST
		 "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
			400},
		{"POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: x\r\n\r\nabc", 501},
		{"POST /echo HTTP/1.1\r\n" HOST "Content-Length : 3\r\n\r\nabc", 400},
		{"POST /echo HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n\r\n{",
			413},
		{"POST /echo HTTP/1.1\r\n" HOST "Expect: wonders\r\n\r\n", 417},
		{"POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\r\nab", 400},
		{"POST /echo HTTP/1.1\r\n" HOST
		 "Transfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r\n",
			400},
		{"POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
		{"PUT /echo HTTP/1.1\r\n" HOST "Content-Length: 101\r\n\r\n", 413},
		{"GET /hello HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", 413},
		{"GET /hello HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 413},
		{"HEAD /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nGET", 413},
		{"HEAD /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 413},
	};
	for (size_t i = 0; i < array_length(cases); i++)
		expect_text_refused(cases[i].bytes, cases[i].status);
}

Test(http_malformed, does_not_let_a_hidden_request_through)
{
	/* What a server that is more lenient reads as a second request must not be answered as one. */
	static const char *const cases[] = {
		"POST /echo HTTP/1.1\r\n" HOST
		"Content-Length: 0\r\nTransfer-Encoding:\tchunked\r\n\r\n",
		"POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n",
		"POST /echo HTTP/1.1\r\n" HOST "Content-Length\t: 5\r\n\r\n",
		"POST /echo HTTP/1.1\r\n" HOST "A: b\rContent-Length: 5\r\n\r\n",
		"GET /hello HTTP/1.1\r\n" HOST "A: b\n\nGET /things/smuggled HTTP/1.1\r\n" HOST
		"\r\n",
	};
	for (size_t i = 0; i < array_length(cases); i++) {
		char *bytes =
			memory_format("%sGET /things/smuggled HTTP/1.1\r\n" HOST "\r\n", cases[i]);
		struct client client = client_open(fixture->port);
		client_send(&client, bytes);
		struct reply reply = client_reply(&client, false);
		cr_expect_geq(reply.status, 400);
		cr_expect_lt(reply.status, 502);
		cr_expect(client_is_closed(&client), "%s", bytes);
		reply_free(&reply);
		client_close(&client);
		free(bytes);
	}
	char *log = fixture_log(fixture);
	cr_expect_null(strstr(log, "smuggled"), "%s", log);
	free(log);
}

Test(http_malformed, refuses_a_nul_wherever_it_is)
{
	static const char line[] = "GET /\0 HTTP/1.1\r\n" HOST "\r\n";
	static const char name[] = "GET / HTTP/1.1\r\nHo\0st: x\r\n\r\n";
	static const char value[] = "GET / HTTP/1.1\r\n" HOST "A: b\0\r\n\r\n";
	static const char length[] =
		"POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\0\r\n\r\nabc";
	expect_refused(line, sizeof line - 1, 400);
	expect_refused(name, sizeof name - 1, 400);
	expect_refused(value, sizeof value - 1, 400);
	expect_refused(length, sizeof length - 1, 400);
}

Test(http_malformed, refuses_heads_that_are_too_large)
{
	char *text = memory_new(200000);
	strcpy(text, "GET /");
	memset(text + 5, 'a', 20000);
	expect_text_refused(text, 414);
	strcpy(text, "GET / HTTP/1.1\r\n" HOST);
	for (size_t i = 0, at = strlen(text); i < 4000; i++)
		at += (size_t)sprintf(text + at, "X-Long: aaaaaaaaaaaaaaaaaaaaaaaaa\r\n");
	expect_text_refused(text, 431);
	free(text);
}

Test(http_malformed, refuses_what_follows_a_good_request_on_its_own)
{
	struct client client = client_open(fixture->port);
	client_send(&client, "GET /hello HTTP/1.1\r\n" HOST
			     "\r\nnonsense\r\n\r\nGET /hello HTTP/1.1\r\n" HOST "\r\n");
	struct reply reply = client_reply(&client, false);
	check_reply(&reply);
	cr_expect_eq(reply.status, 200);
	reply_free(&reply);
	reply = client_reply(&client, false);
	check_problem(&reply, 400, "METHOD PATH HTTP/1.1");
	reply_free(&reply);
	cr_expect(client_is_closed(&client));
	client_close(&client);
}

Test(http_malformed, that_is_cut_off_does_no_harm)
{
	static const char request[] = "POST /echo HTTP/1.1\r\n" HOST
				      "Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n";
	for (size_t length = 0; length < sizeof request - 1; length++) {
		struct client client = client_open(fixture->port);
		client_send_bytes(&client, request, length);
		if (length % 2 == 0)
			(void)shutdown(client.fd, SHUT_WR);
		else
			(void)setsockopt(client.fd, SOL_SOCKET, SO_LINGER,
				&(struct linger){.l_onoff = 1}, sizeof(struct linger));
		client_close(&client);
	}
	fixture_wait_empty(fixture);
	cr_expect_eq(client_ask(fixture->port, "GET /hello HTTP/1.1\r\n" HOST "\r\n"), 200);
}

/* Of a pseudo-random sequence that is the same in every run. */
static unsigned next_random(unsigned *state)
{
	*state = *state * 1103515245u + 12345u;
	return *state >> 16;
}

Test(http_malformed, in_any_other_way_does_no_harm)
{
	static const char request[] =
		"POST /echo?a=b HTTP/1.1\r\n" HOST "Content-Length: 3\r\n"
		"Connection: keep-alive\r\nX-Request-ID: a\r\n\r\nabc"
		"POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
		"2\r\nab\r\n0\r\n\r\n";
	unsigned random = 1;
	for (int i = 0; i < 500; i++) {
		char bytes[sizeof request];
		memcpy(bytes, request, sizeof request);
		for (unsigned n = next_random(&random) % 3 + 1; n > 0; n--)
			bytes[next_random(&random) % (sizeof request - 1)] =
				n % 2 == 0 ? (char)next_random(&random)
					   : "\r\n\0 :;,0x"[next_random(&random) % 9];
		struct client client = client_open(fixture->port);
		client_send_bytes(&client, bytes, sizeof request - 1);
		(void)shutdown(client.fd, SHUT_WR);
		for (struct reply reply; (reply = client_reply(&client, false)).status != 0;) {
			check_reply(&reply);
			reply_free(&reply);
		}
		client_close(&client);
	}
	cr_expect_eq(client_ask(fixture->port, "GET /hello HTTP/1.1\r\n" HOST "\r\n"), 200);
}
