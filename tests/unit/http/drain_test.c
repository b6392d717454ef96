#include "client.h"
#include "fixture.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct fixture *fixture;

static void start(void)
{
	fixture = fixture_start(NULL);
}

static void stop(void)
{
	fixture_stop(fixture);
}

TestSuite(http_drain, .init = start, .fini = stop);
TestSuite(http_cancel, .init = start, .fini = stop);

#define HOST      "Host: x\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"

static void expect_last_reply(struct client *client)
{
	struct reply reply = client_reply(client, false);
	check_reply(&reply);
	cr_expect_eq(reply.status, 200);
	cr_expect_str_eq(reply_header(&reply, "Connection"), "close");
	cr_expect(client_is_closed(client));
	reply_free(&reply);
	client_close(client);
}

Test(http_drain, answers_what_is_under_way_and_then_closes)
{
	struct client parked = client_open(fixture->port);
	struct client half = client_open(fixture->port);
	struct client idle = client_open(fixture->port);
	client_send(&idle, GET("/hello"));
	struct reply reply = client_reply(&idle, false);
	cr_expect_null(reply_header(&reply, "Connection"));
	reply_free(&reply);
	client_send(&parked, GET("/park"));
	client_send(&half, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\na");
	fixture_wait_parked(fixture, 1);
	fixture_drain(fixture);
	cr_expect(client_is_closed(&idle));
	client_send(&half, "bc");
	expect_last_reply(&half);
	cr_expect_not(fixture->drained);
	fixture_release(fixture);
	expect_last_reply(&parked);
	fixture_wait_drained(fixture);
	client_close(&idle);
}

Test(http_drain, answers_a_request_that_crosses_it_on_the_way)
{
	struct client client = client_open(fixture->port);
	struct client fresh = client_open(fixture->port);
	client_send(&client, GET("/hello"));
	struct reply reply = client_reply(&client, false);
	reply_free(&reply);
	client_send(&fresh, GET("/hello"));
	reply = client_reply(&fresh, false);
	reply_free(&reply);
	fixture_drain(fixture);
	client_send(&client, GET("/hello"));
	client_send(&fresh, "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	expect_last_reply(&client);
	expect_last_reply(&fresh);
	fixture_wait_drained(fixture);
}

Test(http_drain, is_done_at_once_when_there_is_nothing_to_do)
{
	fixture_drain(fixture);
	fixture_wait_drained(fixture);
}

Test(http_drain, waits_for_replies_whose_client_has_gone)
{
	struct client client = client_open(fixture->port);
	client_send(&client, GET("/park"));
	fixture_wait_parked(fixture, 1);
	client_close(&client);
	fixture_wait_empty(fixture);
	fixture_drain(fixture);
	cr_expect_eq(fixture_counts(fixture).requests, 1);
	cr_expect_not(fixture->drained);
	fixture_release(fixture);
	fixture_wait_drained(fixture);
}

Test(http_drain, leaves_new_connections_to_others)
{
	struct client parked = client_open(fixture->port);
	client_send(&parked, GET("/park"));
	fixture_wait_parked(fixture, 1);
	fixture_drain(fixture);
	struct client late = client_open(fixture->port);
	client_send(&late, GET("/hello"));
	fixture_release(fixture);
	expect_last_reply(&parked);
	fixture_wait_drained(fixture);
	/* It still waits at the socket, which the server did not close. */
	struct pollfd poller = {.fd = late.fd, .events = POLLIN};
	cr_expect_eq(poll(&poller, 1, 0), 0);
	int fd = accept(fixture->listener, NULL, NULL);
	cr_expect_geq(fd, 0);
	(void)close(fd);
	client_close(&late);
}

static bool has_cancelled(struct fixture *of)
{
	return of->cancelled == of->parked_count;
}

Test(http_cancel, tells_a_handler_that_its_client_has_gone_and_drops_the_reply)
{
	const struct linger at_once = {.l_onoff = 1};
	for (int i = 0; i < 4; i++) {
		struct client client = client_open(fixture->port);
		client_send(&client, GET("/park"));
		/* Even when there is more to read before the end. */
		if (i % 2 == 1)
			client_send(&client, GET("/hello"));
		fixture_wait_parked(fixture, (size_t)i + 1);
		if (i > 1)
			(void)setsockopt(
				client.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
		client_close(&client);
	}
	fixture_wait(fixture, has_cancelled);
	cr_expect_eq(fixture->cancelled, 4);
	cr_expect_eq(fixture_counts(fixture).requests, 4);
	fixture_release(fixture);
	cr_expect_eq(fixture_counts(fixture).requests, 0);
	char *log = fixture_log(fixture);
	cr_expect_not_null(strstr(log, "GET /park 200, not sent: the client has gone"), "%s", log);
	free(log);
}

static void use_cancelled(struct fixture *of)
{
	size_t before = of->cancelled;
	struct http_request *request = of->parked[0];
	cr_expect(http_request_cancelled(request));
	cr_expect_str_eq(http_request_header(request, "Host"), "x");
	cr_expect_str_eq(http_request_method(request), "GET");
	http_reply_header(request, "A", "b");
	http_on_cancel(request, NULL, NULL);
	cr_expect_eq(of->cancelled, before);
}

Test(http_cancel, leaves_the_request_as_it_was)
{
	struct client client = client_open(fixture->port);
	client_send(&client, GET("/park"));
	fixture_wait_parked(fixture, 1);
	client_close(&client);
	fixture_wait(fixture, has_cancelled);
	fixture_call(fixture, use_cancelled);
	fixture_release(fixture);
}

Test(http_cancel, is_not_told_when_the_server_ends)
{
	struct client clients[2] = {client_open(fixture->port), client_open(fixture->port)};
	client_send(&clients[0], GET("/park"));
	client_send(&clients[1], GET("/park"));
	fixture_wait_parked(fixture, 2);
	client_close(&clients[0]);
	while (fixture_counts(fixture).connections > 1)
		;
	/* The other client is still there, and nobody replies to either. */
	fixture_stop(fixture);
	cr_expect(client_is_closed(&clients[1]));
	client_close(&clients[1]);
	fixture = fixture_start(NULL);
}
