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

struct event_base;
struct http_server;

struct http_options {
	size_t header_limit;        /* bytes of the request line and all headers */
	size_t body_limit;          /* bytes */
	int64_t request_timeout_ns; /* for a request to arrive, from its first byte to its last */
	int64_t idle_timeout_ns;    /* for a connection to stay open without a request */
	size_t connection_limit;    /* then no more are accepted until one closes */
	size_t request_limit;       /* requests that are being answered; more get a 503 */
};

/* 16 KiB, 64 KiB, 10 s, 60 s, 4096 connections, 512 requests. */
struct http_options http_defaults(void);

/* A server that answers ROUTES (borrowed) with CONTEXT, and logs to LOG (borrowed). */
struct http_server *http_server_new(struct event_base *base, const struct http_options *options,
	const struct http_route *routes, size_t route_count, void *context, const struct log *log,
	struct ss_error *err);

/* Begins to accept connections from FD, which listens and stays the caller's. */
int http_server_accept(struct http_server *server, int fd, struct ss_error *err);

/* Stops accepting, answers what is under way with Connection: close, closes what is idle, and calls DONE
 * once no connection is left. */
void http_server_drain(struct http_server *server, void (*done)(void *context), void *context);

/* Frees the server and cuts what is still open. */
void http_server_free(struct http_server *server);

#endif
