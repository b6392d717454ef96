/*
 * Fuzzes the HTTP server: whatever a client sends, in whatever pieces, is answered as HTTP or not at all,
 * never by evhttp's own pages, and the connection ends. The first byte says how large the pieces are.
 */
#include "http/json_body.h"
#include "http/server.h"

#include "value/json.h"
#include "value/value.h"

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	BODY_LIMIT = 200,
	REPLIES_SIZE = 1 << 20,
	ROUNDS_LIMIT = 10000, /* of the loop, for one input */
};

static struct {
	struct event_base *base;
	struct http_server *server;
	struct sockaddr_un address;
	socklen_t length;
	struct json_schemas schemas;
	struct ss_value *schema;
} world;

static void echo(struct http_request *request)
{
	const char *id = http_request_parameter(request, "id");
	const char *type = http_request_header(request, "Content-Type");
	(void)http_request_query(request, "q");
	http_reply_header(request, "X-Type", type != NULL ? type : "");
	http_reply_header(request, "X-Id", id != NULL ? id : "");
	http_reply_text(request, 200, "text/plain", http_request_body(request));
}

static void check(struct http_request *request)
{
	struct ss_value *body = json_body_read(request, &world.schemas, world.schema);
	if (body != NULL)
		http_reply_json(request, 200, body);
	value_unref(body);
}

static const struct http_route routes[] = {
	{"GET", "/", echo, 0},
	{"POST", "/", echo, BODY_LIMIT},
	{"PUT", "/{id}", check, BODY_LIMIT},
	{"DELETE", "/a/{id}", echo, 0},
};

/* A socket of the UNIX domain with a name that the system chooses: there are enough of these. */
static void start(void)
{
	static const struct log quiet = {.fd = -1, .level = (enum ss_log_level)(SS_LOG_ERROR + 1)};
	static const char schema[] =
		"{\"type\": \"object\", \"required\": [\"a\"], \"additionalProperties\": false, "
		"\"properties\": {\"a\": {\"type\": \"string\", \"minLength\": 1, \"maxLength\": "
		"10}}}";
	struct http_options options = http_defaults();
	struct ss_error err;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)signal(SIGPIPE, SIG_IGN);
	options.header_limit = 1000;
	options.body_limit = BODY_LIMIT;
	world.schema = json_parse(schema, sizeof schema - 1, &err);
	if (world.schema == NULL || json_schema_check(&world.schemas, world.schema, &err) < 0)
		abort();
	world.address.sun_family = AF_UNIX;
	world.length = sizeof world.address;
	world.base = event_base_new();
	world.server = http_server_new(
		world.base, &options, routes, sizeof routes / sizeof routes[0], NULL, &quiet, &err);
	if (bind(fd, (struct sockaddr *)&world.address, sizeof(sa_family_t)) < 0 ||
		listen(fd, 8) < 0 ||
		getsockname(fd, (struct sockaddr *)&world.address, &world.length) < 0 ||
		http_server_accept(world.server, fd, &err) < 0)
		abort();
}

struct client {
	int fd;
	bool closed;
	char *replies;
	size_t length;
};

static void turn(struct client *client)
{
	(void)event_base_loop(world.base, EVLOOP_NONBLOCK);
	ssize_t length = recv(client->fd, client->replies + client->length,
		REPLIES_SIZE - client->length, MSG_DONTWAIT);
	if (length > 0)
		client->length += (size_t)length;
	else if (length == 0)
		client->closed = true;
}

static void send_all(struct client *client, const uint8_t *data, size_t size, size_t piece)
{
	while (size > 0 && !client->closed && client->length < REPLIES_SIZE) {
		size_t part = size < piece ? size : piece;
		ssize_t sent = send(client->fd, data, part, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent > 0) {
			data += sent;
			size -= (size_t)sent;
		}
		turn(client);
	}
}

static void require(bool what)
{
	if (!what)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct client client = {.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	if (world.base == NULL)
		start();
	if (connect(client.fd, (const struct sockaddr *)&world.address, world.length) < 0)
		abort();
	client.replies = malloc(REPLIES_SIZE + 1);
	require(client.replies != NULL);
	turn(&client);
	if (size > 0)
		send_all(&client, data + 1, size - 1, (size_t)*data + 1);
	(void)shutdown(client.fd, SHUT_WR);
	for (int i = 0; i < ROUNDS_LIMIT && !client.closed && client.length < REPLIES_SIZE; i++)
		turn(&client);
	client.replies[client.length] = '\0';
	require(client.closed || client.length == REPLIES_SIZE);
	require(client.length == 0 || strncmp(client.replies, "HTTP/1.", 7) == 0);
	require(strcasestr(client.replies, "<html>") == NULL || memmem(data, size, "<", 1) != NULL);
	(void)close(client.fd);
	free(client.replies);
	for (int i = 0; i < ROUNDS_LIMIT && http_server_counts(world.server).connections > 0; i++)
		(void)event_base_loop(world.base, EVLOOP_NONBLOCK);
	require(http_server_counts(world.server).connections == 0);
	require(http_server_counts(world.server).requests == 0);
	return 0;
}
