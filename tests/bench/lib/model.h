/*
 * A language model for benchmarks: a process of its own on 127.0.0.1 that speaks as an OpenAI-compatible API does, and
 * streams to each question the same number of tokens at the same pace. A token is the time at which it is sent
 * (CLOCK_MONOTONIC in nanoseconds, MODEL_DIGITS digits) and a blank, so that whoever gets it knows how long it was on
 * its way.
 */
#ifndef BENCH_MODEL_H
#define BENCH_MODEL_H

#include <netinet/in.h>
#include <smartsupport/error.h>
#include <sys/types.h>

enum { MODEL_DIGITS = 18 };

struct model_options {
	int tokens;   /* of an answer */
	int pause_ms; /* before each of them */
	int first_ms; /* before the first one, in place of that */
};

struct model {
	pid_t pid;
	struct sockaddr_in address;
};

/* Starts it; it ends with the process that started it at the latest. */
int model_start(struct model *model, const struct model_options *options, struct ss_error *err);
void model_stop(struct model *model);

#endif
