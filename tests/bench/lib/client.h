/*
 * A client that keeps a number of connections busy: each sends a request, waits for its reply, and
 * sends the next. One thread with epoll, so that it takes little from the server that it measures.
 */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include "base/buffer.h"

#include <netinet/in.h>
#include <smartsupport/error.h>
#include <stdint.h>

struct client_options {
	struct sockaddr_in address;
	size_t connections;
	size_t requests;     /* at most */
	int64_t duration_ns; /* at most */
	/* Appends the whole request NUMBER, which counts from 0. */
	void (*request)(void *context, size_t number, struct buffer *request);
	void *context;
};

struct client_result {
	int64_t *latencies_ns; /* of the replies with status 200, sorted */
	size_t count;
	size_t errors; /* other replies and broken connections */
	int64_t duration_ns;
};

/* Runs to its end. RESULT is filled and freed with client_result_free(). */
int client_run(
	const struct client_options *options, struct client_result *result, struct ss_error *err);

void client_result_free(struct client_result *result);

/* The latency in milliseconds that FRACTION (0 to 1) of the requests do not exceed. */
double client_percentile_ms(const struct client_result *result, double fraction);

/* Requests a second. */
double client_rate(const struct client_result *result);

#endif
