#include "client.h"

#include "base/clock.h"
#include "base/memory.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

/* Longer than anything takes, even on a machine that is busy and with sanitizers. */
enum { PATIENCE_MS = 120000 };

struct client client_open(int port)
{
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((in_port_t)port),
		.sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)},
	};
	struct client client = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	cr_assert_geq(client.fd, 0, "%s", strerror(errno));
	cr_assert_eq(connect(client.fd, (const struct sockaddr *)&address, sizeof address), 0, "%s",
		strerror(errno));
	return client;
}

void client_close(struct client *client)
{
	buffer_free(&client->received);
	if (client->fd >= 0)
		(void)close(client->fd);
	client->fd = -1;
}

/* Takes what has come. */
static void take(struct client *client)
{
	char bytes[65536];
	ssize_t length = recv(client->fd, bytes, sizeof bytes, MSG_DONTWAIT);
	if (length > 0)
		buffer_add(&client->received, bytes, (size_t)length);
	else if (length == 0 || (errno != EAGAIN && errno != EINTR))
		client->closed = true;
}

void client_send_bytes(struct client *client, const char *bytes, size_t length)
{
	while (length > 0 && !client->closed) {
		struct pollfd poller = {.fd = client->fd, .events = POLLIN | POLLOUT};
		cr_assert_gt(poll(&poller, 1, PATIENCE_MS), 0, "the server takes nothing");
		if ((poller.revents & POLLIN) != 0)
			take(client);
		if ((poller.revents & (POLLOUT | POLLERR | POLLHUP)) == 0)
			continue;
		ssize_t sent = send(client->fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && errno != EAGAIN && errno != EINTR)
			return; /* what was refused may have been closed by now */
		if (sent > 0) {
			bytes += sent;
			length -= (size_t)sent;
		}
	}
}

void client_send(struct client *client, const char *text)
{
	client_send_bytes(client, text, strlen(text));
}

const char *reply_header(const struct reply *reply, const char *name)
{
	static char value[500];
	size_t length = strlen(name);
	for (const char *line = strstr(reply->head, "\r\n"); line != NULL;
		line = strstr(line + 2, "\r\n")) {
		const char *text = line + 2;
		if (strncasecmp(text, name, length) != 0 || text[length] != ':')
			continue;
		text += length + 1;
		text += strspn(text, " ");
		(void)snprintf(value, sizeof value, "%.*s", (int)strcspn(text, "\r\n"), text);
		return value;
	}
	return NULL;
}

/* Takes the first reply from what was received, if it is complete. */
static bool next_reply(struct client *client, bool for_head, struct reply *reply)
{
	const char *text = buffer_text(&client->received);
	const char *end = memmem(text, client->received.length, "\r\n\r\n", 4);
	if (end == NULL)
		return false;
	size_t head = (size_t)(end - text) + 4;
	*reply = (struct reply){.head = memory_text(text, head)};
	reply->status = atoi(reply->head + strcspn(reply->head, " "));
	const char *length = reply_header(reply, "Content-Length");
	reply->length = length != NULL && !for_head ? strtoul(length, NULL, 10) : 0;
	if (client->received.length < head + reply->length) {
		reply_free(reply);
		return false;
	}
	reply->body = memory_text(text + head, reply->length);
	size_t rest = client->received.length - head - reply->length;
	char *left = memory_text(text + head + reply->length, rest);
	buffer_free(&client->received);
	buffer_add(&client->received, left, rest);
	free(left);
	return true;
}

struct reply client_reply(struct client *client, bool for_head)
{
	struct reply reply = {0};
	int64_t end_ns = clock_monotonic_ns() + (int64_t)PATIENCE_MS * 1000000;
	while (!next_reply(client, for_head, &reply) && !client->closed) {
		struct pollfd poller = {.fd = client->fd, .events = POLLIN};
		(void)poll(&poller, 1, 1000);
		if (poller.revents != 0)
			take(client);
		cr_assert_lt(clock_monotonic_ns(), end_ns, "no reply came");
	}
	return reply;
}

static bool has_text(const struct client *client, const char *text, size_t count)
{
	return text != NULL ? memmem(buffer_text(&client->received), client->received.length, text,
				      strlen(text)) != NULL
			    : client->received.length >= count;
}

static void wait_for(struct client *client, const char *text, size_t count)
{
	int64_t end_ns = clock_monotonic_ns() + (int64_t)PATIENCE_MS * 1000000;
	while (!has_text(client, text, count) && !client->closed) {
		struct pollfd poller = {.fd = client->fd, .events = POLLIN};
		(void)poll(&poller, 1, 1000);
		if (poller.revents != 0)
			take(client);
		cr_assert_lt(clock_monotonic_ns(), end_ns, "only this came: %s",
			buffer_text(&client->received));
	}
}

void client_wait_text(struct client *client, const char *text)
{
	wait_for(client, text, 0);
	cr_assert(
		has_text(client, text, 0), "%s is not in %s", text, buffer_text(&client->received));
}

void client_wait_bytes(struct client *client, size_t count)
{
	wait_for(client, NULL, count);
	cr_assert_geq(client->received.length, count);
}

void client_wait_close(struct client *client)
{
	wait_for(client, NULL, SIZE_MAX);
}

bool client_is_closed(struct client *client)
{
	struct reply reply = client_reply(client, false);
	bool closed = reply.status == 0 && client->closed && client->received.length == 0;
	reply_free(&reply);
	return closed;
}

void reply_free(struct reply *reply)
{
	free(reply->head);
	free(reply->body);
	*reply = (struct reply){0};
}

void check_reply(const struct reply *reply)
{
	cr_assert_neq(reply->status, 0, "there is no reply");
	cr_expect_not_null(reply_header(reply, "X-Request-ID"), "%s", reply->head);
	if (strncmp(reply->head, "HTTP/1.1", 8) == 0)
		cr_expect_not_null(reply_header(reply, "Date"), "%s", reply->head);
	const char *sniff = reply_header(reply, "X-Content-Type-Options");
	cr_expect(sniff != NULL && strcmp(sniff, "nosniff") == 0, "%s", reply->head);
	cr_expect_not_null(reply_header(reply, "Cache-Control"), "%s", reply->head);
	cr_expect_null(reply_header(reply, "Server"), "%s", reply->head);
	if (reply->status != 204) {
		cr_expect_not_null(reply_header(reply, "Content-Type"), "%s", reply->head);
		cr_expect_not_null(reply_header(reply, "Content-Length"), "%s", reply->head);
	}
	cr_expect_null(strcasestr(reply->body, "<html"), "%s", reply->body);
}

void check_problem(const struct reply *reply, int status, const char *part)
{
	char number[32];
	check_reply(reply);
	cr_expect_eq(reply->status, status, "%s\n%s", reply->head, reply->body);
	cr_expect_str_eq(reply_header(reply, "Content-Type"), "application/problem+json");
	(void)snprintf(number, sizeof number, "\"status\":%d", status);
	cr_expect_not_null(strstr(reply->body, number), "%s", reply->body);
	cr_expect_not_null(strstr(reply->body, "\"instance\":\"urn:request:"), "%s", reply->body);
	cr_expect_not_null(strstr(reply->body, "\"type\":\"/docs/errors#"), "%s", reply->body);
	cr_expect_not_null(strstr(reply->body, part), "%s is not in %s", part, reply->body);
}

int client_ask(int port, const char *request)
{
	struct client client = client_open(port);
	client_send(&client, request);
	struct reply reply = client_reply(&client, strncmp(request, "HEAD", 4) == 0);
	int status = reply.status;
	if (status != 0)
		check_reply(&reply);
	reply_free(&reply);
	client_close(&client);
	return status;
}
