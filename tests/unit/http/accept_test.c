#include "client.h"
#include "fixture.h"

#include <criterion/criterion.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct log quiet = {.fd = -1, .level = SS_LOG_ERROR};

static struct http_server *make_server(struct event_base *base)
{
	struct ss_error err = {0};
	const struct http_options options = http_defaults();
	struct http_server *server = http_server_new(base, &options, NULL, 0, NULL, &quiet, &err);
	cr_assert_not_null(server, "%s", err.text);
	return server;
}

Test(http_accept, shares_a_burst_between_servers_on_one_socket)
{
	enum { CLIENTS = 100 };
	static struct client clients[CLIENTS];
	struct ss_error err = {0};
	int port;
	int listener = fixture_listener(&port);
	/* Two workers that run in step: one loop looks at the socket for both. */
	struct event_base *base = event_base_new();
	struct http_server *servers[2] = {make_server(base), make_server(base)};
	for (size_t i = 0; i < CLIENTS; i++)
		clients[i] = client_open(port);
	for (size_t i = 0; i < 2; i++)
		cr_assert_eq(http_server_accept(servers[i], listener, &err), 0, "%s", err.text);
	size_t counts[2] = {0};
	while (counts[0] + counts[1] < CLIENTS) {
		cr_assert_eq(event_base_loop(base, EVLOOP_ONCE), 0);
		for (size_t i = 0; i < 2; i++)
			counts[i] = http_server_counts(servers[i]).connections;
		cr_assert_leq(counts[0], counts[1] + 1);
		cr_assert_leq(counts[1], counts[0] + 1);
	}
	for (size_t i = 0; i < 2; i++)
		http_server_free(servers[i]);
	event_base_free(base);
	for (size_t i = 0; i < CLIENTS; i++)
		client_close(&clients[i]);
	(void)close(listener);
}

Test(http_accept, makes_a_socket_listen)
{
	struct ss_error err = {0};
	struct event_base *base = event_base_new();
	struct http_server *server = make_server(base);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int listens = 0;
	socklen_t size = sizeof listens;
	cr_assert_eq(http_server_accept(server, fd, &err), 0, "%s", err.text);
	cr_assert_eq(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size), 0);
	cr_expect_eq(listens, 1);
	http_server_free(server);
	event_base_free(base);
	(void)close(fd);
}

Test(http_accept, refuses_what_cannot_listen)
{
	struct ss_error err = {0};
	struct event_base *base = event_base_new();
	struct http_server *server = make_server(base);
	cr_expect_eq(http_server_accept(server, STDIN_FILENO, &err), -1);
	cr_expect_not_null(
		strstr(err.text, "cannot be accepted from descriptor 0"), "%s", err.text);
	http_server_drain(server, NULL, NULL);
	cr_expect_eq(http_server_accept(server, STDIN_FILENO, &err), -1);
	cr_expect_not_null(strstr(err.text, "the server stops"), "%s", err.text);
	http_server_free(server);
	event_base_free(base);
}
