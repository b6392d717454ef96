/*
 * A client that opens a number of event streams at once and takes the time that each token of a benchmark's model
 * (model.h) was on its way. One thread with epoll.
 */
#ifndef BENCH_STREAMS_H
#define BENCH_STREAMS_H

#include "base/buffer.h"

#include <netinet/in.h>
#include <smartsupport/error.h>
#include <stdint.h>

struct streams_options {
	struct sockaddr_in address;
	size_t streams;
	/* Appends the whole request of stream NUMBER, which counts from 0. */
	void (*request)(void *context, size_t number, struct buffer *request);
	const char *token;   /* how the lines begin that have tokens */
	const char *end;     /* the line that ends a stream begins so */
	int64_t duration_ns; /* at most */
	/* Called once, when half of the tokens have come. */
	void (*halfway)(void *context);
	size_t tokens; /* that are expected of all streams together */
	void *context;
};

struct streams_result {
	int64_t *delays_ns; /* of the tokens, sorted */
	size_t count;
	size_t complete; /* streams that came to their end */
	int64_t duration_ns;
};

/* Runs to its end. RESULT is filled and freed with streams_result_free(). */
int streams_run(
	const struct streams_options *options, struct streams_result *result, struct ss_error *err);

void streams_result_free(struct streams_result *result);

/* The delay in milliseconds that FRACTION (0 to 1) of the tokens do not exceed. */
double streams_percentile_ms(const struct streams_result *result, double fraction);

#endif
