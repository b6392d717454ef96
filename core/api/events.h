/*
 * The event stream that is the reply to one request. It begins with its first event, so that until then the request
 * can get any other reply, as one about an error; from then on a comment tells each heartbeat_ns that the connection
 * is alive when nothing else does. Loop thread.
 */
#ifndef API_EVENTS_H
#define API_EVENTS_H

#include "api/api.h"

struct events;

/* A stream for REQUEST, which nothing has been sent to yet. */
struct events *events_new(struct http_request *request);

/* Whether the stream has begun. */
bool events_begun(const struct events *events);

/* Begins the stream before there is an event; it tells clients to come back soon when it ends. */
void events_begin(struct events *events);

/* Sends an event with VALUE as JSON, and the id that a client says it has seen when it comes back (NULL: none). */
void events_send_numbered(
	struct events *events, const char *name, const char *id, const struct ss_value *value);

/* Sends an event with DATA; with VALUE as JSON. NAME may be NULL. */
void events_send(struct events *events, const char *name, struct ss_text data);
void events_send_value(struct events *events, const char *name, const struct ss_value *value);

/* Ends the stream, which has begun, and with it the request; frees EVENTS. Nothing of it is given again. */
void events_end(struct events *events);

/* The same of a stream that is a success: a request that is sent again (once.h) gets the events of WHOLE, which is copied. */
void events_end_kept(struct events *events, struct ss_text whole);

/* Frees EVENTS of which no stream has come: the request is still to be replied to. NULL is allowed. */
void events_free(struct events *events);

#endif
