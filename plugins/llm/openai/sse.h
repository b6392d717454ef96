/* Server-sent events, as a client reads them: the HTML standard's event stream, of which only the data counts here. */
#ifndef OPENAI_SSE_H
#define OPENAI_SSE_H

#include "text.h"

/* Bytes that one event may have. */
enum { SSE_EVENT_LIMIT = 1 << 20 };

/* A reader. All zero in the beginning, but for who sends. */
struct sse {
	const char *who;  /* for messages */
	struct text line; /* what has come of it */
	struct text data; /* of the event so far, each line of it with a line feed behind */
	size_t begun;     /* bytes of a byte order mark that were seen, or 3 */
	bool after_return;
};

/* Gets the data of an event, borrowed for the call. -1 ends the reading. */
typedef int sse_event(void *context, struct ss_text data, struct ss_error *err);

/* Reads the next part of a stream, which may end anywhere. -1 and ERR when an event is too long, or EVENT says so. */
int sse_read(struct sse *sse, struct ss_text part, sse_event *event, void *context,
	struct ss_error *err);

/* The end of the stream: an event without the empty line that ends it counts, as many servers leave that out. */
int sse_finish(struct sse *sse, sse_event *event, void *context, struct ss_error *err);

void sse_end(struct sse *sse);

#endif
