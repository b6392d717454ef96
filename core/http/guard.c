#include "http/guard.h"

#include "base/clock.h"
#include "base/memory.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define SECOND_NS ((int64_t)1000000000)
/* How long a client that was refused may still send before it is cut off: closing at once would reset
 * the connection and could take the reply with it. */
#define LINGER_NS (2 * SECOND_NS)
/* While draining: how long a connection must be idle before it is closed. One that is in use gets
 * Connection: close with its next reply and loses nothing. */
#define DRAIN_IDLE_NS  SECOND_NS
#define SWEEP_MS       250
#define DRAIN_SWEEP_MS 20

/* A request's head that is looked at as a whole. */
enum { HEAD_SIZE = 4096 };

enum connection_state {
	CONNECTION_IDLE,
	CONNECTION_READING,
	CONNECTION_ANSWERING,
	CONNECTION_REFUSED,
};

struct guard_connection {
	struct guard *guard;
	struct guard_connection *next, **link;
	struct bufferevent *buffer;
	enum connection_state state;
	int64_t since_ns; /* in this state */
	size_t bytes;     /* of the request that arrives */
};

struct guard {
	struct event_base *base;
	struct evhttp *evhttp;
	const struct http_options *options;
	const struct log *log;
	struct evconnlistener *listener;
	struct event *accept_again;
	struct event *sweep;
	struct guard_connection *connections;
	size_t count;
	struct guard_connection **rows; /* by descriptor, for guard_find() */
	size_t row_count;
	bool draining;
	bool stopped;
	void (*drained)(void *context);
	void *drained_context;
};

static void set_state(struct guard_connection *connection, enum connection_state state)
{
	connection->state = state;
	connection->since_ns = clock_monotonic_ns();
}

/* Answers for evhttp, which is still reading, and lets the client finish sending for a moment. */
static void refuse(struct guard_connection *connection, const char *status, const char *title,
	const char *detail)
{
	char body[300];
	char reply[700];
	int fd = bufferevent_getfd(connection->buffer);
	int length = snprintf(body, sizeof body,
		"{\"detail\":\"%s\",\"status\":%.3s,\"title\":\"%s\",\"type\":\"about:blank\"}",
		detail, status, title);
	int total = snprintf(reply, sizeof reply,
		"HTTP/1.1 %s %s\r\nContent-Type: application/problem+json\r\nContent-Length: %d\r\n"
		"Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
		"Connection: close\r\n\r\n%s",
		status, title, length, body);
	log_info(connection->guard->log, "refused a request with %s: %s", status, detail);
	/* Nothing else is on its way out, so the whole of it fits the socket's buffer. */
	if (send(fd, reply, (size_t)total, MSG_NOSIGNAL | MSG_DONTWAIT) == total)
		(void)shutdown(fd, SHUT_WR);
	else
		(void)shutdown(fd, SHUT_RDWR);
	set_state(connection, CONNECTION_REFUSED);
}

/* The length that the head of the request announces, if the whole head is there; else 0. */
static size_t announced_length(struct evbuffer *input)
{
	char head[HEAD_SIZE];
	struct evbuffer_ptr end = evbuffer_search(input, "\r\n\r\n", 4, NULL);
	if (end.pos <= 0 || (size_t)end.pos >= sizeof head)
		return 0;
	ssize_t length = evbuffer_copyout(input, head, (size_t)end.pos);
	head[length > 0 ? length : 0] = '\0';
	const char *line = strcasestr(head, "\r\nContent-Length:");
	if (line == NULL)
		return 0;
	/* What does not fit is the largest number, and too large as well. */
	return strtoull(line + strlen("\r\nContent-Length:"), NULL, 10);
}

static void on_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *context)
{
	struct guard_connection *connection = context;
	const struct http_options *options = connection->guard->options;
	if (info->n_added == 0)
		return;
	if (connection->state == CONNECTION_REFUSED) {
		(void)evbuffer_drain(input, evbuffer_get_length(input));
		return;
	}
	if (connection->state == CONNECTION_IDLE) {
		set_state(connection, CONNECTION_READING);
		connection->bytes = 0;
	}
	connection->bytes += info->n_added;
	if (connection->state != CONNECTION_READING)
		return;
	if (connection->bytes > options->header_limit + options->body_limit ||
		announced_length(input) > options->body_limit)
		refuse(connection, "413", "Content Too Large", "the request is too large");
}

static void close_connection(struct guard_connection *connection)
{
	/* evhttp reads the end and frees its side. */
	(void)shutdown(bufferevent_getfd(connection->buffer), SHUT_RDWR);
}

static bool evhttp_let_go(const struct guard_connection *connection)
{
	bufferevent_data_cb on_read;
	bufferevent_data_cb on_write;
	bufferevent_event_cb on_event;
	bufferevent_getcb(connection->buffer, &on_read, &on_write, &on_event, NULL);
	return on_read == NULL && on_write == NULL && on_event == NULL;
}

static void forget(struct guard_connection *connection)
{
	(void)evbuffer_remove_cb(bufferevent_get_input(connection->buffer), on_input, connection);
	(void)bufferevent_decref(connection->buffer);
	*connection->link = connection->next;
	if (connection->next != NULL)
		connection->next->link = connection->link;
	connection->guard->count--;
	for (size_t i = 0; i < connection->guard->row_count; i++) {
		if (connection->guard->rows[i] == connection)
			connection->guard->rows[i] = NULL;
	}
	free(connection);
}

static void check_times(struct guard_connection *connection, int64_t now)
{
	const struct guard *guard = connection->guard;
	int64_t age = now - connection->since_ns;
	int64_t idle = guard->draining ? DRAIN_IDLE_NS : guard->options->idle_timeout_ns;
	switch (connection->state) {
	case CONNECTION_IDLE:
		if (age > idle)
			close_connection(connection);
		break;
	case CONNECTION_READING:
		if (age > guard->options->request_timeout_ns)
			refuse(connection, "408", "Request Timeout",
				"the request took too long to arrive");
		break;
	case CONNECTION_REFUSED:
		if (age > LINGER_NS)
			close_connection(connection);
		break;
	case CONNECTION_ANSWERING:
		break;
	}
}

static void schedule_sweep(struct guard *guard)
{
	int ms = guard->draining ? DRAIN_SWEEP_MS : SWEEP_MS;
	const struct timeval after = {.tv_sec = 0, .tv_usec = (suseconds_t)ms * 1000};
	(void)evtimer_add(guard->sweep, &after);
}

static void enable_listener(struct guard *guard)
{
	if (guard->listener != NULL && !guard->draining && !guard->stopped &&
		guard->count < guard->options->connection_limit)
		(void)evconnlistener_enable(guard->listener);
}

static void on_sweep(evutil_socket_t fd, short what, void *context)
{
	struct guard *guard = context;
	int64_t now = clock_monotonic_ns();
	(void)fd;
	(void)what;
	for (struct guard_connection *connection = guard->connections; connection != NULL;) {
		struct guard_connection *next = connection->next;
		if (evhttp_let_go(connection))
			forget(connection);
		else
			check_times(connection, now);
		connection = next;
	}
	enable_listener(guard);
	if (guard->draining && guard->count == 0)
		guard->drained(guard->drained_context);
	else
		schedule_sweep(guard);
}

static void on_accept_again(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	enable_listener(context);
}

/* Called by evhttp for each connection that it accepts. The listener stops after it and goes on in the
 * loop's next round: its siblings in other workers wake up for what still waits. */
static struct bufferevent *make_buffer(struct event_base *base, void *context)
{
	struct guard *guard = context;
	struct bufferevent *buffer = bufferevent_socket_new(base, -1, 0);
	if (buffer == NULL)
		return NULL;
	struct guard_connection *connection = memory_make(struct guard_connection);
	connection->guard = guard;
	connection->buffer = buffer;
	set_state(connection, CONNECTION_IDLE);
	connection->next = guard->connections;
	connection->link = &guard->connections;
	if (connection->next != NULL)
		connection->next->link = &connection->next;
	guard->connections = connection;
	guard->count++;
	bufferevent_incref(buffer);
	if (evbuffer_add_cb(bufferevent_get_input(buffer), on_input, connection) == NULL)
		abort(); /* only for want of memory */
	if (guard->listener != NULL) {
		(void)evconnlistener_disable(guard->listener);
		event_active(guard->accept_again, 0, 0);
	}
	return buffer;
}

struct guard *guard_new(struct event_base *base, struct evhttp *evhttp,
	const struct http_options *options, const struct log *log)
{
	struct guard *guard = memory_make(struct guard);
	guard->base = base;
	guard->evhttp = evhttp;
	guard->options = options;
	guard->log = log;
	guard->accept_again = event_new(base, -1, 0, on_accept_again, guard);
	guard->sweep = evtimer_new(base, on_sweep, guard);
	if (guard->accept_again == NULL || guard->sweep == NULL)
		abort(); /* only for want of memory */
	evhttp_set_bevcb(evhttp, make_buffer, guard);
	schedule_sweep(guard);
	return guard;
}

int guard_accept(struct guard *guard, int fd, struct ss_error *err)
{
	/* The socket is shared with the other workers and is not this one's to close. */
	struct evconnlistener *listener =
		evconnlistener_new(guard->base, NULL, NULL, LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (listener == NULL)
		return ss_fail(err, "connections cannot be accepted: the event loop is full");
	if (evhttp_bind_listener(guard->evhttp, listener) == NULL) {
		evconnlistener_free(listener);
		return ss_fail(err, "connections cannot be accepted: no memory");
	}
	guard->listener = listener;
	return 0;
}

/* The row of BUFFER's descriptor, which is known only once evhttp has set it; grown when needed. */
static struct guard_connection **row_of(struct guard *guard, int fd)
{
	size_t row = (size_t)fd;
	if (row >= guard->row_count) {
		size_t count = row * 2 + 64;
		guard->rows = memory_resize(guard->rows, count, sizeof(struct guard_connection *));
		for (size_t i = guard->row_count; i < count; i++)
			guard->rows[i] = NULL;
		guard->row_count = count;
	}
	return &guard->rows[row];
}

struct guard_connection *guard_find(struct guard *guard, struct bufferevent *buffer)
{
	int fd = bufferevent_getfd(buffer);
	if (fd < 0)
		return NULL;
	struct guard_connection **row = row_of(guard, fd);
	if (*row != NULL && (*row)->buffer == buffer)
		return *row;
	struct guard_connection *connection = guard->connections;
	while (connection != NULL && connection->buffer != buffer)
		connection = connection->next;
	*row = connection;
	return connection;
}

bool guard_refused(const struct guard_connection *connection)
{
	return connection != NULL && connection->state == CONNECTION_REFUSED;
}

void guard_request_begins(struct guard_connection *connection)
{
	if (connection != NULL)
		set_state(connection, CONNECTION_ANSWERING);
}

void guard_request_ends(struct guard_connection *connection)
{
	if (connection != NULL)
		set_state(connection, CONNECTION_IDLE);
}

void guard_drain(struct guard *guard, void (*done)(void *context), void *context)
{
	guard->draining = true;
	guard->drained = done;
	guard->drained_context = context;
	if (guard->listener != NULL)
		(void)evconnlistener_disable(guard->listener);
	schedule_sweep(guard);
}

void guard_stop(struct guard *guard)
{
	guard->stopped = true;
	(void)evtimer_del(guard->sweep);
	(void)event_del(guard->accept_again);
}

void guard_free(struct guard *guard)
{
	if (guard == NULL)
		return;
	while (guard->connections != NULL)
		forget(guard->connections);
	event_free(guard->sweep);
	event_free(guard->accept_again);
	free(guard->rows);
	free(guard);
}
