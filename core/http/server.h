/*
 * The HTTP server, on libevent's evhttp. It knows no resource: routes and their context are given to it.
 * One in each worker, on the loop thread.
 *
 * The process ignores SIGPIPE (main() does that), so that a client that goes away is a failed write.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "base/log.h"
#include "http/route.h"

struct config_access;
struct event_base;
struct http_tls;
struct metrics;
struct metrics_part;
struct http_server;

struct http_options {
	size_t header_limit;       /* bytes of the request line and all headers; more get a 431 */
	size_t body_limit;         /* bytes of a body that no route asked for; more get a 413 */
	int64_t header_timeout_ns; /* for a head to arrive, from its first byte to its last; then a 408 */
	int64_t request_timeout_ns; /* for a request to arrive, from its first byte to its last; then a 408 */
	int64_t idle_timeout_ns;  /* for a connection to stay open without a request */
	int64_t write_timeout_ns; /* for a client to take some of its reply; then it is cut off */
	size_t unsent_limit;      /* bytes of a stream that a client leaves; then it is cut off */
	size_t connection_limit;  /* then no more are accepted until one closes */
	size_t request_limit;     /* requests that are being answered; more get a 503 */
	double logged; /* the share of replies with a status below 400 that are logged; 0..1 */

	const struct config_access
		*access; /* whose requests are answered; borrowed. NULL: everybody's */
	bool is_local;   /* only this machine can reach it */
	/* Of all workers, and this one's part: connections are counted there, and shared out by it. Borrowed; NULL: it
	 * has no siblings. */
	const struct metrics *metrics;
	struct metrics_part *part;
	/* What connections speak below HTTP, which the timeouts hold for as well: a handshake must be over when a head must
	 * begin. Borrowed; NULL: nothing. */
	const struct http_tls *tls;
};

/* 16 KiB, 64 KiB, 10 s, 30 s, 60 s, 30 s, 256 KiB, 4096 connections, 512 requests,
 * and all replies are logged. */
struct http_options http_defaults(void);

/* A server that answers ROUTES (borrowed) with CONTEXT, and logs to LOG (borrowed). Fewer connections are
 * taken than OPTIONS says when the process has no descriptors for them. */
struct http_server *http_server_new(struct event_base *base, const struct http_options *options,
	const struct http_route *routes, size_t route_count, void *context, const struct log *log,
	struct ss_error *err);

/* Begins to accept connections from FD, which stays the caller's, may be shared with other processes, and
 * is made to listen if it does not. */
int http_server_accept(struct http_server *server, int fd, struct ss_error *err);

/* Stops accepting, answers what is under way or comes within a second with Connection: close, closes what
 * is idle, and calls DONE from the loop once no connection is left and every request has been replied to,
 * also those whose client has gone. DONE may free the server. */
void http_server_drain(struct http_server *server, void (*done)(void *context), void *context);

struct http_counts {
	size_t connections; /* open now */
	size_t requests;    /* being answered now */
	uint64_t total;     /* requests that were handed to the router since the start */
};

struct http_counts http_server_counts(const struct http_server *server);

/* Frees the server and cuts what is still open. Requests that were not replied to end with it: nobody may
 * use them afterwards, and what http_on_cancel() was given is not called. NULL is allowed. */
void http_server_free(struct http_server *server);

#endif
