#include "client.h"
#include "fixture.h"

#include "base/clock.h"
#include "base/memory.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define MS               ((int64_t)1000000)
#define HOST             "Host: x\r\n"
#define GET(path)        "GET " path " HTTP/1.1\r\n" HOST "\r\n"
#define CHUNKED          "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
#define LENGTH_IS(bytes) "POST /echo HTTP/1.1\r\n" HOST "Content-Length: " bytes "\r\n\r\n"

static double seconds_since(int64_t begun_ns)
{
	return (double)(clock_monotonic_ns() - begun_ns) / 1e9;
}

/* Sends TEXT byte by byte, one each 20 ms, until the server answers. */
static struct reply drip(struct client *client, const char *text)
{
	for (; *text != '\0'; text++) {
		struct pollfd poller = {.fd = client->fd, .events = POLLIN};
		client_send_bytes(client, text, 1);
		if (poll(&poller, 1, 20) != 0)
			break;
	}
	return client_reply(client, false);
}

Test(http_limits, gives_a_head_one_deadline_for_all_its_bytes)
{
	struct http_options options = http_defaults();
	char head[1000];
	(void)snprintf(head, sizeof head, "GET /hello/%0900d", 0);
	/* It is the time for the first byte as well, which a busy machine needs. */
	options.header_timeout_ns = 2000 * MS;
	struct fixture *fixture = fixture_start(&options);
	struct client client = client_open(fixture->port);
	int64_t begun_ns = clock_monotonic_ns();
	struct reply reply = drip(&client, head);
	check_problem(&reply, 408, "head of the request took too long");
	cr_expect_geq(seconds_since(begun_ns), 1.5);
	cr_expect(client_is_closed(&client));
	reply_free(&reply);
	client_close(&client);
	fixture_stop(fixture);
}

Test(http_limits, gives_a_request_one_deadline_for_all_its_bytes)
{
	struct http_options options = http_defaults();
	options.request_timeout_ns = 400 * MS;
	struct fixture *fixture = fixture_start(&options);
	static const char *const heads[] = {LENGTH_IS("500"), CHUNKED "500\r\n"};
	char body[300];
	memset(body, 'a', sizeof body);
	body[sizeof body - 1] = '\0';
	for (size_t i = 0; i < array_length(heads); i++) {
		struct client client = client_open(fixture->port);
		int64_t begun_ns = clock_monotonic_ns();
		client_send(&client, heads[i]);
		struct reply reply = drip(&client, body);
		check_problem(&reply, 408, "the request took too long");
		cr_expect_geq(seconds_since(begun_ns), 0.35);
		cr_expect(client_is_closed(&client));
		reply_free(&reply);
		client_close(&client);
	}
	fixture_stop(fixture);
}

Test(http_limits, closes_connections_that_never_say_anything)
{
	struct http_options options = http_defaults();
	options.header_timeout_ns = 150 * MS;
	struct fixture *fixture = fixture_start(&options);
	struct client silent = client_open(fixture->port);
	cr_expect(client_is_closed(&silent));
	client_close(&silent);
	fixture_stop(fixture);
}

Test(http_limits, closes_connections_that_are_idle)
{
	struct http_options options = http_defaults();
	options.idle_timeout_ns = 200 * MS;
	struct fixture *fixture = fixture_start(&options);
	struct client client = client_open(fixture->port);
	int64_t begun_ns = clock_monotonic_ns();
	client_send(&client, GET("/hello"));
	struct reply reply = client_reply(&client, false);
	check_reply(&reply);
	reply_free(&reply);
	cr_expect(client_is_closed(&client));
	cr_expect_geq(seconds_since(begun_ns), 0.15);
	client_close(&client);
	fixture_stop(fixture);
}

Test(http_limits, does_not_hurry_a_handler)
{
	struct http_options options = http_defaults();
	options.header_timeout_ns = 2000 * MS;
	options.request_timeout_ns = 2000 * MS;
	options.idle_timeout_ns = 100 * MS;
	options.write_timeout_ns = 100 * MS;
	struct fixture *fixture = fixture_start(&options);
	struct client client = client_open(fixture->port);
	client_send(&client, GET("/park"));
	fixture_wait_parked(fixture, 1);
	struct client other = client_open(fixture->port);
	/* The other is closed for saying nothing: so all deadlines have passed. */
	cr_expect(client_is_closed(&other));
	fixture_release(fixture);
	struct reply reply = client_reply(&client, false);
	cr_expect_eq(reply.status, 200);
	reply_free(&reply);
	client_close(&client);
	client_close(&other);
	fixture_stop(fixture);
}

Test(http_limits, cuts_off_a_client_that_does_not_take_its_reply)
{
	struct http_options options = http_defaults();
	options.write_timeout_ns = 200 * MS;
	struct fixture *fixture = fixture_start(&options);
	struct client client = client_open(fixture->port);
	client_send(&client, GET("/big"));
	fixture_wait_log(fixture, "GET /big: the client does not take its reply");
	fixture_wait_empty(fixture);
	client_close(&client);
	fixture_stop(fixture);
}

/* Sends HEAD and then 10 MB in parts that begin with PART, and reads the reply only afterwards. */
static void expect_refused_body(struct fixture *fixture, const char *head, const char *part)
{
	enum { PART = 16384 };
	char *bytes = memory_new(PART + 64);
	size_t length = strlen(part);
	memcpy(bytes, part, length);
	memset(bytes + length, 'a', PART);
	memcpy(bytes + length + PART, "\r\n", 2);
	struct client client = client_open(fixture->port);
	client_send(&client, head);
	for (int i = 0; i < 640; i++)
		client_send_bytes(&client, bytes, length + PART + 2);
	struct reply reply = client_reply(&client, false);
	check_problem(&reply, 413, "larger than 65536 bytes");
	reply_free(&reply);
	client_close(&client);
	free(bytes);
}

Test(http_limits, refuses_large_bodies_and_the_client_gets_to_know)
{
	struct fixture *fixture = fixture_start(NULL);
	expect_refused_body(fixture, LENGTH_IS("10500000"), "");
	expect_refused_body(fixture, LENGTH_IS("65537"), "");
	expect_refused_body(fixture, CHUNKED, "4000\r\n");
	fixture_wait_empty(fixture);
	fixture_stop(fixture);
}

Test(http_limits, answers_503_when_too_many_requests_are_being_answered)
{
	struct http_options options = http_defaults();
	options.request_limit = 2;
	struct fixture *fixture = fixture_start(&options);
	struct client parked[2] = {client_open(fixture->port), client_open(fixture->port)};
	for (size_t i = 0; i < array_length(parked); i++)
		client_send(&parked[i], GET("/park"));
	fixture_wait_parked(fixture, 2);
	cr_expect_eq(fixture_counts(fixture).requests, 2);
	struct client client = client_open(fixture->port);
	client_send(&client, GET("/hello"));
	struct reply reply = client_reply(&client, false);
	check_problem(&reply, 503, "try again");
	cr_expect_str_eq(reply_header(&reply, "Retry-After"), "1");
	reply_free(&reply);
	fixture_release(fixture);
	/* The connection was kept, and now there is room. */
	client_send(&client, GET("/hello"));
	reply = client_reply(&client, false);
	cr_expect_eq(reply.status, 200);
	reply_free(&reply);
	for (size_t i = 0; i < array_length(parked); i++) {
		reply = client_reply(&parked[i], false);
		cr_expect_eq(reply.status, 200);
		reply_free(&reply);
		client_close(&parked[i]);
	}
	client_close(&client);
	fixture_stop(fixture);
}

Test(http_limits, lets_connections_wait_when_there_are_too_many)
{
	struct http_options options = http_defaults();
	options.connection_limit = 3;
	struct fixture *fixture = fixture_start(&options);
	struct client clients[6];
	for (size_t i = 0; i < array_length(clients); i++) {
		clients[i] = client_open(fixture->port);
		client_send(&clients[i], GET("/park"));
	}
	fixture_wait_parked(fixture, 3);
	cr_expect_eq(fixture_counts(fixture).connections, 3);
	/* The first three were answered; each that leaves makes room for one that waits. */
	fixture_release(fixture);
	for (size_t i = 0; i < array_length(clients); i++) {
		if (i == 3) {
			fixture_wait_parked(fixture, 3);
			cr_expect_eq(fixture_counts(fixture).connections, 3);
			fixture_release(fixture);
		}
		struct reply reply = client_reply(&clients[i], false);
		cr_expect_eq(reply.status, 200);
		reply_free(&reply);
		client_close(&clients[i]);
	}
	fixture_wait_empty(fixture);
	fixture_stop(fixture);
}

Test(http_limits, does_not_read_what_a_client_sends_ahead_without_end)
{
	struct fixture *fixture = fixture_start(NULL);
	struct client client = client_open(fixture->port);
	client_send(&client, GET("/park"));
	fixture_wait_parked(fixture, 1);
	/* More than both sockets hold: at some point nothing is taken any more. */
	static const char request[] = GET("/hello");
	size_t sent = 0;
	struct pollfd poller = {.fd = client.fd, .events = POLLOUT};
	while (poll(&poller, 1, 300) > 0 && sent < 64 * 1024 * 1024) {
		char many[64 * (sizeof request - 1)];
		for (size_t i = 0; i < 64; i++)
			memcpy(many + i * (sizeof request - 1), request, sizeof request - 1);
		ssize_t part = send(client.fd, many, sizeof many, MSG_DONTWAIT | MSG_NOSIGNAL);
		sent += part > 0 ? (size_t)part : 0;
	}
	cr_expect_lt(sent, 64 * 1024 * 1024);
	/* And all of it is answered, but for the last, which may be cut. */
	fixture_release(fixture);
	for (size_t i = 0; i < sent / (sizeof request - 1) + 1; i++) {
		struct reply reply = client_reply(&client, false);
		cr_assert_eq(reply.status, 200);
		reply_free(&reply);
		if (i == 2000)
			break;
	}
	client_close(&client);
	fixture_wait_empty(fixture);
	fixture_stop(fixture);
}

Test(http_limits, serves_500_connections_at_once)
{
	enum { CLIENTS = 500, ROUNDS = 4 };
	static struct client clients[CLIENTS];
	const struct rlimit files = {.rlim_cur = 4096, .rlim_max = 4096};
	(void)setrlimit(RLIMIT_NOFILE, &files);
	struct fixture *fixture = fixture_start(NULL);
	for (size_t i = 0; i < CLIENTS; i++)
		clients[i] = client_open(fixture->port);
	for (int round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < CLIENTS; i++) {
			char *request =
				memory_format("GET /things/%zu HTTP/1.1\r\n" HOST "\r\n", i);
			client_send(&clients[i], request);
			free(request);
		}
		for (size_t i = 0; i < CLIENTS; i++) {
			char id[32];
			struct reply reply = client_reply(&clients[i], false);
			(void)snprintf(id, sizeof id, "\"id\":\"%zu\"", i);
			cr_assert_eq(reply.status, 200);
			cr_assert_not_null(strstr(reply.body, id));
			reply_free(&reply);
		}
		cr_expect_eq(fixture_counts(fixture).connections, CLIENTS);
	}
	cr_expect_eq(fixture_counts(fixture).total, CLIENTS * ROUNDS);
	for (size_t i = 0; i < CLIENTS; i++)
		client_close(&clients[i]);
	fixture_wait_empty(fixture);
	fixture_stop(fixture);
}

Test(http_limits, takes_fewer_connections_when_there_are_no_descriptors_for_them)
{
	const struct rlimit files = {.rlim_cur = 300, .rlim_max = 300};
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &files), 0);
	struct fixture *fixture = fixture_start(NULL);
	char *log = fixture_log(fixture);
	cr_expect_not_null(strstr(log, "a worker takes 172 connections and not 4096"), "%s", log);
	free(log);
	fixture_stop(fixture);
}

Test(http_limits, goes_on_when_descriptors_are_free_again)
{
	static int held[400];
	const struct rlimit files = {.rlim_cur = 300, .rlim_max = 300};
	struct fixture *fixture = fixture_start(NULL);
	struct client client = client_open(fixture->port);
	size_t count = 0;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &files), 0);
	client_send(&client, GET("/hello"));
	struct reply reply = client_reply(&client, false);
	cr_expect_eq(reply.status, 200);
	reply_free(&reply);
	/* One is left for the client, none for the server. */
	while ((held[count] = open("/dev/null", O_RDONLY)) >= 0)
		count++;
	(void)close(held[--count]);
	struct client late = client_open(fixture->port);
	client_send(&late, GET("/hello"));
	fixture_wait_log(fixture, "cannot be accepted at the moment: Too many open files");
	while (count > 0)
		(void)close(held[--count]);
	reply = client_reply(&late, false);
	cr_expect_eq(reply.status, 200);
	reply_free(&reply);
	client_close(&late);
	client_close(&client);
	fixture_stop(fixture);
}
