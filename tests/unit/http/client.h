/* A client that sends bytes as they are and reads replies; it waits for what is to come, up to a limit. */
#ifndef TEST_HTTP_CLIENT_H
#define TEST_HTTP_CLIENT_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>

struct client {
	int fd;
	struct buffer received; /* and not given out as a reply yet */
	bool closed;            /* by the server */
};

/* One reply; the head is NUL-terminated. */
struct reply {
	int status; /* 0: there is none, the connection was closed */
	char *head;
	char *body;
	size_t length; /* of the body */
};

struct client client_open(int port);
void client_close(struct client *client);

/* Sends LENGTH bytes, for as long as the server takes them. */
void client_send_bytes(struct client *client, const char *bytes, size_t length);
void client_send(struct client *client, const char *text);

/* The next reply, or one of status 0 when the server closes the connection before it is complete.
 * FOR_HEAD: it has no body whatever its Content-Length says. An interim 100 is a reply as well. */
struct reply client_reply(struct client *client, bool for_head);

/* Waits until TEXT was received, or COUNT bytes were, and leaves them there. */
void client_wait_text(struct client *client, const char *text);
void client_wait_bytes(struct client *client, size_t count);

/* Waits until the server closes, whatever it sends before, which is then all in `received`. */
void client_wait_close(struct client *client);

/* Waits until the server closes the connection. False when it sends something or does not. */
bool client_is_closed(struct client *client);

/* The value of a header of REPLY, which the next call overwrites; NULL when it is missing. */
const char *reply_header(const struct reply *reply, const char *name);
void reply_free(struct reply *reply);

/* One request on a connection of its own: the status of the reply, which must be as every reply is. */
int client_ask(int port, const char *request);

/* Asserts what is true for all replies but the interim one. */
void check_reply(const struct reply *reply);

/* Asserts that REPLY is a problem with STATUS, whose JSON has PART. */
void check_problem(const struct reply *reply, int status, const char *part);

#endif
