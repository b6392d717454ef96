/*
 * Event streams, as the HTML standard describes them (9.2, Server-sent events): how events are framed. What is
 * made here is sent with http_stream_send(). Any thread.
 */
#ifndef HTTP_SSE_H
#define HTTP_SSE_H

#include "base/buffer.h"

#include <smartsupport/value.h>

#define SSE_TYPE "text/event-stream"

/* Whether the header Accept (NULL: there is none) names event streams. */
bool sse_accepted(const char *accept);

/* Appends an event with DATA, of any number of lines. NAME is one line, or NULL for an event without a name. */
void sse_event(struct buffer *out, const char *name, struct ss_text data);

/* Appends the id of the event that is appended next, one line: a client that comes back sends it as Last-Event-ID. */
void sse_id(struct buffer *out, const char *id);

/* Appends in how many milliseconds a client is to come back when the stream has ended. */
void sse_retry(struct buffer *out, unsigned ms);

/* Appends a comment of one line, which clients pass over: it keeps a connection from looking idle. */
void sse_comment(struct buffer *out, const char *text);

#endif
