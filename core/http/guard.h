/*
 * Guards the connections of evhttp, which in libevent 2.1 has no limit on how long a request takes to
 * arrive, no problem+json for a body that is too large, and takes all waiting connections at once
 * although other workers wait for some. Loop thread.
 *
 * It makes the bufferevents that evhttp uses and holds a reference to each, so that it can look at them
 * until evhttp has let go; it watches the bytes that arrive, and a timer looks for what is late.
 */
#ifndef HTTP_GUARD_H
#define HTTP_GUARD_H

#include "http/server.h"

#include <event2/event.h>

struct bufferevent;
struct evhttp;
struct guard;
struct guard_connection;

/* A guard for EVHTTP. OPTIONS and LOG are borrowed. */
struct guard *guard_new(struct event_base *base, struct evhttp *evhttp,
	const struct http_options *options, const struct log *log);

/* Lets EVHTTP accept connections from FD, one at a time. */
int guard_accept(struct guard *guard, int fd, struct ss_error *err);

/* The connection of BUFFER. */
struct guard_connection *guard_find(struct guard *guard, struct bufferevent *buffer);

/* Whether the client was told already that its request is refused: nothing else may be sent. */
bool guard_refused(const struct guard_connection *connection);

/* A request of CONNECTION has arrived, or has been answered. */
void guard_request_begins(struct guard_connection *connection);
void guard_request_ends(struct guard_connection *connection);

/* Accepts no more, closes idle connections, and calls DONE when none is left. */
void guard_drain(struct guard *guard, void (*done)(void *context), void *context);

/* Stops watching; before evhttp is freed. */
void guard_stop(struct guard *guard);

/* After evhttp was freed. */
void guard_free(struct guard *guard);

#endif
