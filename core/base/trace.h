/*
 * Traces (W3C Trace Context, https://www.w3.org/TR/trace-context/): which requests of several servers belong together.
 * A request has a trace's id, which all of them share, and a span of its own. Any thread.
 */
#ifndef BASE_TRACE_H
#define BASE_TRACE_H

#include <smartsupport/value.h>

enum {
	TRACE_ID_SIZE = 33,     /* hexadecimal digits, and the NUL */
	TRACE_SPAN_SIZE = 17,   /* the same */
	TRACE_TEXT_SIZE = 56,   /* of the header traceparent */
	TRACE_STATE_SIZE = 513, /* of tracestate: as much as has to be passed on */
};

struct trace {
	char id[TRACE_ID_SIZE]; /* "": there is none */
	char span[TRACE_SPAN_SIZE];
	char parent[TRACE_SPAN_SIZE]; /* the span of who has called; "": nobody's */
	bool sampled;                 /* whoever began it records it */
};

/* A new trace, which is sampled: its id is in the log. */
struct trace trace_new(void);

/* Goes on with the trace of the header traceparent that a caller has sent, with a new span; false when it is not valid,
 * and TRACE is left alone. */
bool trace_join(struct trace *trace, struct ss_text header);

/* The same trace with a new span, for a call of another server. */
struct trace trace_child(const struct trace *trace);

/* Takes over what other servers say of the trace, the header tracestate (NULL: nothing): whole entries, the first ones, as many as fit; nothing
 * when it has characters that it cannot have. Returns STATE. */
char *trace_take_state(const char *header, char state[TRACE_STATE_SIZE]);

/* Writes the value of the header traceparent. Returns TEXT. */
char *trace_text(const struct trace *trace, char text[TRACE_TEXT_SIZE]);

#endif
