#include "client.h"
#include "fixture.h"

#include "base/memory.h"
#include "http/stream.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define MS        ((int64_t)1000000)
#define HOST      "Host: x\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"

enum { LEFT_LIMIT = 64 * 1024, PART = 16 * 1024 };

static struct fixture *fixture;

static void start(void)
{
	struct http_options options = http_defaults();
	options.unsent_limit = LEFT_LIMIT;
	fixture = fixture_start(&options);
}

static void stop(void)
{
	fixture_stop(fixture);
}

TestSuite(http_stream, .init = start, .fini = stop);

static void begin(struct fixture *of)
{
	struct http_request *request = of->parked[of->parked_count - 1];
	cr_expect_not(http_stream_begun(request));
	http_reply_header(request, "X-Accel-Buffering", "no");
	http_stream_begin(request, 200, "text/event-stream");
	cr_expect(http_stream_begun(request));
}

/* What say() sends. */
static const char *said;

static void say(struct fixture *of)
{
	http_stream_send(of->parked[of->parked_count - 1], (struct ss_text){said, strlen(said)});
}

static void send_part(const char *text)
{
	said = text;
	fixture_call(fixture, say);
}

static void end(struct fixture *of)
{
	http_stream_end(of->parked[--of->parked_count]);
}

/* A client that has sent REQUEST, whose stream has begun. */
static struct client open_stream(const char *request)
{
	struct client client = client_open(fixture->port);
	client_send(&client, request);
	fixture_wait_parked(fixture, 1);
	fixture_call(fixture, begin);
	return client;
}

static void expect_logged(const char *text)
{
	char *log = fixture_log(fixture);
	cr_expect_not_null(strstr(log, text), "%s is not in %s", text, log);
	free(log);
}

Test(http_stream, sends_each_part_as_it_comes_and_keeps_the_connection)
{
	struct client client = open_stream(GET("/park"));
	client_wait_text(&client, "\r\n\r\n");
	const char *head = buffer_text(&client.received);
	cr_expect_not_null(strstr(head, "HTTP/1.1 200 OK\r\n"), "%s", head);
	cr_expect_not_null(strstr(head, "Content-Type: text/event-stream\r\n"), "%s", head);
	cr_expect_not_null(strstr(head, "Transfer-Encoding: chunked\r\n"), "%s", head);
	cr_expect_not_null(strstr(head, "X-Accel-Buffering: no\r\n"), "%s", head);
	cr_expect_not_null(strstr(head, "X-Request-ID: "), "%s", head);
	cr_expect_not_null(strstr(head, "Cache-Control: no-store\r\n"), "%s", head);
	cr_expect_null(strstr(head, "Content-Length"), "%s", head);
	cr_expect_null(strstr(head, "Connection"), "%s", head);
	send_part("one");
	client_wait_text(&client, "3\r\none\r\n");
	send_part("");
	send_part("sixteen bytes...");
	client_wait_text(&client, "one\r\n10\r\nsixteen bytes...\r\n");
	fixture_call(fixture, end);
	client_wait_text(&client, "sixteen bytes...\r\n0\r\n\r\n");
	client.received.length = 0;
	client_send(&client, GET("/hello"));
	struct reply reply = client_reply(&client, false);
	check_reply(&reply);
	cr_expect_eq(reply.status, 200);
	reply_free(&reply);
	expect_logged("GET /park 200, 19 bytes");
	client_close(&client);
}

Test(http_stream, ends_with_the_connection_for_http_1_0)
{
	struct client client = open_stream("GET /park HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	send_part("one");
	client_wait_text(&client, "\r\n\r\none");
	send_part("two");
	fixture_call(fixture, end);
	client_wait_close(&client);
	const char *reply = buffer_text(&client.received);
	cr_expect_not_null(strstr(reply, "\r\n\r\nonetwo"), "%s", reply);
	cr_expect_not_null(strstr(reply, "Connection: close\r\n"), "%s", reply);
	cr_expect_null(strstr(reply, "Content-Length"), "%s", reply);
	client_close(&client);
	fixture_wait_empty(fixture);
}

Test(http_stream, answers_head_with_the_head_alone)
{
	struct client client = open_stream("HEAD /park HTTP/1.1\r\n" HOST "\r\n");
	send_part("one");
	fixture_call(fixture, end);
	struct reply reply = client_reply(&client, true);
	cr_expect_eq(reply.status, 200);
	cr_expect_eq(client.received.length, 0);
	reply_free(&reply);
	client_send(&client, GET("/hello"));
	reply = client_reply(&client, false);
	cr_expect_str_eq(reply.body, "hello\n");
	reply_free(&reply);
	client_close(&client);
}

static void refuse(struct fixture *of)
{
	http_reply_problem(of->parked[--of->parked_count], 503, "not now", NULL);
}

Test(http_stream, leaves_any_other_reply_possible_until_it_begins)
{
	struct client client = client_open(fixture->port);
	client_send(&client, GET("/park"));
	fixture_wait_parked(fixture, 1);
	fixture_call(fixture, refuse);
	struct reply reply = client_reply(&client, false);
	check_problem(&reply, 503, "not now");
	reply_free(&reply);
	client_close(&client);
}

static bool was_cancelled(struct fixture *of)
{
	return of->cancelled == 1;
}

Test(http_stream, tells_that_the_client_has_gone_and_drops_the_rest)
{
	struct client client = open_stream(GET("/park"));
	send_part("one");
	client_wait_text(&client, "one");
	client_close(&client);
	fixture_wait(fixture, was_cancelled);
	send_part("two");
	cr_expect_eq(fixture_counts(fixture).requests, 1);
	fixture_call(fixture, end);
	cr_expect_eq(fixture_counts(fixture).requests, 0);
	expect_logged("GET /park 200, cut off after 3 bytes: the client has gone");
}

static void begin_and_end(struct fixture *of)
{
	begin(of);
	end(of);
}

Test(http_stream, may_begin_when_the_client_has_gone_already)
{
	struct client client = client_open(fixture->port);
	client_send(&client, GET("/park"));
	fixture_wait_parked(fixture, 1);
	client_close(&client);
	fixture_wait(fixture, was_cancelled);
	fixture_call(fixture, begin_and_end);
	cr_expect_eq(fixture_counts(fixture).requests, 0);
}

static char part[PART + 1];

/* Parts that a client does not read, until one is too much for it. */
static bool fill(struct fixture *of)
{
	memset(part, 'x', PART);
	said = part;
	if (of->cancelled == 0)
		say(of);
	return of->cancelled > 0;
}

Test(http_stream, cuts_a_client_off_that_leaves_too_much)
{
	const int small = 4096;
	struct client client = open_stream(GET("/park"));
	(void)setsockopt(client.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	fixture_wait(fixture, fill);
	fixture_wait_empty(fixture);
	expect_logged("GET /park: the client does not take its reply");
	fixture_call(fixture, end);
	cr_expect_eq(fixture_counts(fixture).requests, 0);
	client_close(&client);
}

/* In one go, so that it is not cut off before it ends. */
static void fill_and_end(struct fixture *of)
{
	memset(part, 'x', PART);
	said = part;
	for (int i = 0; i < 4096; i++)
		say(of);
	end(of);
}

Test(http_stream, does_not_let_what_is_cut_off_look_complete)
{
	struct client client = open_stream(GET("/park"));
	fixture_call(fixture, fill_and_end);
	fixture_wait_empty(fixture);
	client_wait_close(&client);
	cr_expect_lt(client.received.length, 4096 * PART);
	cr_expect_null(memmem(client.received.data, client.received.length, "\r\n0\r\n", 5));
	cr_expect_eq(fixture_counts(fixture).requests, 0);
	cr_expect_eq(fixture->cancelled, 0);
	client_close(&client);
}

Test(http_stream, takes_all_that_a_client_reads)
{
	enum { PARTS = 400 };
	struct client client = open_stream(GET("/park"));
	client_wait_text(&client, "\r\n\r\n");
	size_t total = client.received.length;
	memset(part, 'x', PART);
	for (int i = 0; i < PARTS; i++) {
		send_part(part);
		total += PART + strlen("4000\r\n\r\n");
		client_wait_bytes(&client, total);
	}
	fixture_call(fixture, end);
	client_wait_bytes(&client, total + strlen("0\r\n\r\n"));
	cr_expect_eq(fixture->cancelled, 0);
	client_close(&client);
}

Test(http_stream_time, may_be_silent_for_longer_than_a_client_may_take_to_read)
{
	struct http_options options = http_defaults();
	options.write_timeout_ns = 50 * MS;
	options.idle_timeout_ns = 200 * MS;
	fixture = fixture_start(&options);
	struct client idle = client_open(fixture->port);
	client_send(&idle, GET("/hello"));
	struct reply reply = client_reply(&idle, false);
	reply_free(&reply);
	struct client client = open_stream(GET("/park"));
	send_part("one");
	client_wait_text(&client, "one");
	/* The other is closed for being idle: so the time to take a part has passed long ago. */
	cr_expect(client_is_closed(&idle));
	send_part("two");
	client_wait_text(&client, "two");
	fixture_call(fixture, end);
	client_wait_text(&client, "0\r\n\r\n");
	client_close(&client);
	client_close(&idle);
	fixture_stop(fixture);
}

Test(http_stream_time, cuts_a_client_off_that_takes_nothing_for_too_long)
{
	struct http_options options = http_defaults();
	options.write_timeout_ns = 50 * MS;
	options.unsent_limit = SIZE_MAX;
	fixture = fixture_start(&options);
	struct client client = open_stream(GET("/park"));
	memset(part, 'x', PART);
	for (int i = 0; i < 1024; i++)
		send_part(part);
	fixture_wait_log(fixture, "GET /park: the client does not take its reply");
	fixture_wait_empty(fixture);
	cr_expect_eq(fixture->cancelled, 1);
	fixture_call(fixture, end);
	client_close(&client);
	fixture_stop(fixture);
}

Test(http_stream, is_let_to_its_end_when_the_server_drains)
{
	struct client client = open_stream(GET("/park"));
	send_part("one");
	client_wait_text(&client, "one");
	fixture_drain(fixture);
	send_part("two");
	client_wait_text(&client, "two");
	cr_expect_not(fixture->drained);
	fixture_call(fixture, end);
	client_wait_text(&client, "0\r\n\r\n");
	client_wait_close(&client);
	fixture_wait_drained(fixture);
	client_close(&client);
}

Test(http_stream, ends_with_the_server)
{
	struct client client = open_stream(GET("/park"));
	send_part("one");
	client_wait_text(&client, "one");
	fixture_stop(fixture);
	client_wait_close(&client);
	client_close(&client);
	start();
}

Test(http_stream, does_not_read_what_a_client_sends_ahead_without_end)
{
	struct client client = open_stream(GET("/park"));
	static char ahead[1024 * 1024];
	size_t sent = 0;
	memset(ahead, 'a', sizeof ahead);
	/* More than the sockets hold; each part would let some more in. */
	for (int i = 0; i < 200; i++) {
		ssize_t length = send(client.fd, ahead, sizeof ahead, MSG_DONTWAIT | MSG_NOSIGNAL);
		sent += length > 0 ? (size_t)length : 0;
		send_part("x");
	}
	cr_expect_lt(sent, 64 * sizeof ahead);
	fixture_call(fixture, end);
	client_close(&client);
	fixture_wait_empty(fixture);
}
