/*
 * Guards one connection: it stands between the socket and evhttp, which gets whole requests only, and
 * only such as are well-formed, unambiguous, within their limits and in time. Everything else is answered
 * here with a problem, and the connection is closed. For the server; loop thread.
 *
 * How that is done with evhttp of libevent 2.1, which has no hook for it: evhttp reads from a
 * bufferevent that the guard made. A callback on its input buffer takes away the bytes that arrive, before
 * evhttp sees them; once a request is complete and in order, its bytes are put back and evhttp is told to
 * read. So evhttp's own limits and errors, which would be pages of HTML, never come into play. To cut a
 * connection off, the guard sends its reply through a duplicate of the descriptor, and reports to
 * evhttp that the client has gone.
 */
#ifndef HTTP_GUARD_H
#define HTTP_GUARD_H

#include "base/trace.h"
#include "http/chunk.h"
#include "http/linger.h"
#include "http/server.h"

struct bufferevent;
struct evbuffer;
struct evbuffer_cb_entry;
struct event;
struct event_base;
struct evhttp_request;
struct http_request;
struct guard;

/* What the guards of a server share. */
struct guard_host {
	struct event_base *base;
	const struct http_options *options;
	const struct log *log;
	struct lingers *lingers;
	bool draining;
	void *context;
	/* How many bytes the body of a request may have. */
	size_t (*body_limit)(void *context, struct ss_text method, struct ss_text target);
	/* A request was refused with STATUS, NS after it began. */
	void (*refused)(void *context, int status, int64_t ns);
	/* The connection is gone; the guard is freed right afterwards. */
	void (*closed)(void *context, struct guard *guard);
};

enum guard_phase {
	GUARD_IDLE,      /* nothing has come of the next request */
	GUARD_HEAD,      /* its head arrives */
	GUARD_BODY,      /* its body arrives */
	GUARD_ANSWERING, /* evhttp has it, and the reply is not given yet */
	GUARD_STREAMING, /* the reply is given in parts */
	GUARD_WRITING,   /* all of the reply is on its way */
};

enum {
	GUARD_ID_SIZE = 72,
	GUARD_LABEL_SIZE = 160,
};

struct guard {
	struct guard_host *host;
	struct bufferevent *events; /* evhttp's; valid as long as the guard */
	struct evbuffer *arrived;   /* not looked at yet */
	struct evbuffer *checked;   /* of the current request, in order */
	struct evbuffer_cb_entry *watch;
	struct evbuffer_cb_entry *sending; /* counts what the client takes */
	struct event *work;                /* bytes have arrived */
	struct event *timer;               /* what it is for depends on the phase */
	int fd;
	enum guard_phase phase;
	int64_t since_ns; /* when the phase IDLE or the current request began */
	uint64_t taken;   /* bytes that the socket took, of all replies */
	uint64_t seen;    /* how many that were when the timer was set, STREAMING or WRITING */
	bool overrun; /* the client left more of a stream than it may; nothing is added any more */
	bool old;     /* the request is HTTP/1.0 */
	bool used;    /* a request was answered */
	bool skipped_line; /* an empty line before the request was passed over */
	bool waited;       /* the connection was to be closed for being idle, and bytes came */
	bool closes;       /* the connection ends after the reply */
	bool chunked;
	uint64_t body_left; /* if it is not chunked */
	uint64_t body_limit;
	struct http_chunk_scan chunks;
	struct http_head_scan scan;
	char id[GUARD_ID_SIZE];       /* of the current request; "": its head has not come yet */
	struct trace trace;           /* the same */
	char label[GUARD_LABEL_SIZE]; /* method and path, for the log */
	struct http_request *request; /* the server's, while ANSWERING */
};

/* A guard with the bufferevent for a connection that evhttp makes next. */
struct guard *guard_new(struct guard_host *host);

/* Begins to guard once evhttp has set the connection up. -1 when evhttp gave up on it; then the guard is
 * to be freed. */
int guard_begin(struct guard *guard);

/* Frees a guard whose connection evhttp does not have. Any other is freed with its connection. */
void guard_free(struct guard *guard);

/* evhttp has a request and the server answers it: from now on the guard watches for the client to leave. */
void guard_answer(struct guard *guard, struct http_request *request);

/* Call it before evhttp sends a reply to REQUEST: says Connection: close if the connection closes then. */
void guard_prepare_reply(struct guard *guard, struct evhttp_request *request);

/* Call it after evhttp was given the beginning of a reply in parts, or a part of it. */
void guard_streamed(struct guard *guard);

/* Call it after evhttp was given the reply, or before it is given the end of one in parts. */
void guard_replied(struct guard *guard, struct evhttp_request *request);

/* The server drains: closes the connection if it is idle. */
void guard_drain(struct guard *guard);

/* Closes the connection now. The guard is freed. */
void guard_cut(struct guard *guard);

#endif
