#include "lib/client.h"

#include "base/clock.h"
#include "base/memory.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 64, READ_SIZE = 65536 };
/* A server that breaks more connections than this is not measured any further. */
enum { ERRORS_LIMIT = 1000 };
/* How long replies are waited for after the last request. */
#define LINGER_NS ((int64_t)10 * 1000000000)

struct connection {
	int fd;
	struct buffer request;
	size_t sent;
	struct buffer reply;
	int64_t started_ns;
	bool busy;
};

struct client {
	const struct client_options *options;
	struct client_result *result;
	struct connection *connections;
	int epoll;
	size_t started;
	size_t busy;
	size_t room;
	int64_t deadline_ns;
};

static void disconnect(struct connection *connection)
{
	if (connection->fd >= 0)
		(void)close(connection->fd);
	connection->fd = -1;
}

static int reconnect(struct client *client, struct connection *connection, struct ss_error *err)
{
	const int on = 1;
	const struct sockaddr_in *address = &client->options->address;
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
	disconnect(connection);
	/* Connecting blocks, reading and writing do not. */
	connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connection->fd < 0 ||
		connect(connection->fd, (const struct sockaddr *)address, sizeof *address) < 0)
		return ss_fail(err, "cannot connect to the server: %s", strerror(errno));
	(void)setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (epoll_ctl(client->epoll, EPOLL_CTL_ADD, connection->fd, &event) < 0)
		return ss_fail(err, "epoll: %s", strerror(errno));
	return 0;
}

static void watch(struct client *client, struct connection *connection, bool writing)
{
	struct epoll_event event = {
		.events = writing ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.ptr = connection};
	(void)epoll_ctl(client->epoll, EPOLL_CTL_MOD, connection->fd, &event);
}

/* Sends what is left of the request. A broken connection is noticed when the reply is read. */
static void send_more(struct client *client, struct connection *connection)
{
	size_t left = connection->request.length - connection->sent;
	ssize_t length = send(connection->fd, connection->request.data + connection->sent, left,
		MSG_NOSIGNAL | MSG_DONTWAIT);
	if (length > 0)
		connection->sent += (size_t)length;
	watch(client, connection, connection->sent < connection->request.length);
}

/* Starts the next request, if there is to be one. */
static void next_request(struct client *client, struct connection *connection)
{
	const struct client_options *options = client->options;
	if (connection->busy)
		client->busy--;
	connection->busy = false;
	if (client->started >= options->requests || clock_monotonic_ns() >= client->deadline_ns)
		return;
	connection->request.length = 0;
	connection->reply.length = 0;
	connection->sent = 0;
	options->request(options->context, client->started++, &connection->request);
	connection->busy = true;
	client->busy++;
	connection->started_ns = clock_monotonic_ns();
	send_more(client, connection);
}

static int failed(struct client *client, struct connection *connection, struct ss_error *err)
{
	if (++client->result->errors > ERRORS_LIMIT)
		return ss_fail(err, "more than %d requests failed", ERRORS_LIMIT);
	if (reconnect(client, connection, err) < 0)
		return -1;
	next_request(client, connection);
	return 0;
}

static void count(struct client *client, const struct connection *connection)
{
	struct client_result *result = client->result;
	if (result->count == client->room) {
		client->room = client->room * 2 + 1024;
		result->latencies_ns =
			memory_resize(result->latencies_ns, client->room, sizeof(int64_t));
	}
	result->latencies_ns[result->count++] = clock_monotonic_ns() - connection->started_ns;
}

/* The bytes of the reply when it is complete, 0 when it is not yet, -1 when it is none. */
static ssize_t reply_size(const struct connection *connection)
{
	static const char name[] = "\r\nContent-Length:";
	const char *text = buffer_text(&connection->reply);
	const char *end = strstr(text, "\r\n\r\n");
	if (end == NULL)
		return 0;
	const char *length = strcasestr(text, name);
	if (length == NULL || length > end)
		return -1;
	size_t size = (size_t)(end + 4 - text) + strtoul(length + sizeof name - 1, NULL, 10);
	return connection->reply.length < size ? 0 : (ssize_t)size;
}

static int read_more(struct client *client, struct connection *connection, struct ss_error *err)
{
	char bytes[READ_SIZE];
	ssize_t length = recv(connection->fd, bytes, sizeof bytes, MSG_DONTWAIT);
	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (length <= 0)
		return failed(client, connection, err);
	buffer_add(&connection->reply, bytes, (size_t)length);
	ssize_t size = reply_size(connection);
	if (size == 0)
		return 0;
	if (size < 0 || !connection->busy ||
		strncmp(connection->reply.data, "HTTP/1.1 200 ", 13) != 0)
		return failed(client, connection, err);
	count(client, connection);
	next_request(client, connection);
	return 0;
}

static int handle(struct client *client, const struct epoll_event *event, struct ss_error *err)
{
	struct connection *connection = event->data.ptr;
	if ((event->events & EPOLLOUT) != 0)
		send_more(client, connection);
	if ((event->events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0)
		return read_more(client, connection, err);
	return 0;
}

static int run(struct client *client, struct ss_error *err)
{
	struct epoll_event events[EVENTS];
	for (size_t i = 0; i < client->options->connections; i++) {
		if (reconnect(client, &client->connections[i], err) < 0)
			return -1;
	}
	int64_t begun_ns = clock_monotonic_ns();
	client->deadline_ns = begun_ns + client->options->duration_ns;
	for (size_t i = 0; i < client->options->connections; i++)
		next_request(client, &client->connections[i]);
	while (client->busy > 0) {
		int ready = epoll_wait(client->epoll, events, EVENTS, 100);
		for (int i = 0; i < ready; i++) {
			if (handle(client, &events[i], err) < 0)
				return -1;
		}
		if (clock_monotonic_ns() > client->deadline_ns + LINGER_NS) {
			client->result->errors += client->busy;
			break;
		}
	}
	client->result->duration_ns = clock_monotonic_ns() - begun_ns;
	return 0;
}

static int compare(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a;
	int64_t right = *(const int64_t *)b;
	return left < right ? -1 : left > right;
}

int client_run(
	const struct client_options *options, struct client_result *result, struct ss_error *err)
{
	*result = (struct client_result){0};
	struct client client = {
		.options = options,
		.result = result,
		.connections = memory_array(options->connections, sizeof(struct connection)),
		.epoll = epoll_create1(EPOLL_CLOEXEC),
	};
	for (size_t i = 0; i < options->connections; i++)
		client.connections[i].fd = -1;
	int code = run(&client, err);
	for (size_t i = 0; i < options->connections; i++) {
		disconnect(&client.connections[i]);
		buffer_free(&client.connections[i].request);
		buffer_free(&client.connections[i].reply);
	}
	free(client.connections);
	(void)close(client.epoll);
	if (result->count > 1)
		qsort(result->latencies_ns, result->count, sizeof(int64_t), compare);
	return code;
}

void client_result_free(struct client_result *result)
{
	free(result->latencies_ns);
	*result = (struct client_result){0};
}

double client_percentile_ms(const struct client_result *result, double fraction)
{
	if (result->count == 0)
		return 0;
	size_t index = (size_t)(fraction * (double)(result->count - 1) + 0.5);
	return (double)result->latencies_ns[index] / 1e6;
}

double client_rate(const struct client_result *result)
{
	return result->duration_ns > 0 ? (double)result->count * 1e9 / (double)result->duration_ns
				       : 0;
}
