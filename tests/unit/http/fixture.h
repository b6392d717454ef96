/* A server with a few routes on a thread of its own, which tests talk to over 127.0.0.1. */
#ifndef TEST_HTTP_FIXTURE_H
#define TEST_HTTP_FIXTURE_H

#include "http/request.h"
#include "http/server.h"

#include <pthread.h>

enum { PARKED_LIMIT = 64 };

struct fixture {
	struct http_server *server; /* loop thread only; NULL once it was freed */
	struct event_base *base;
	pthread_t thread;
	int port;
	int listener;
	int log_fd;
	int calls[2];                              /* what the loop shall run */
	int results[2];                            /* that it has run */
	struct http_request *parked[PARKED_LIMIT]; /* by GET /park */
	size_t parked_count;
	size_t cancelled; /* of the parked */
	bool drained;
	struct log log;
};

/* OPTIONS may be NULL: the defaults. */
struct fixture *fixture_start(const struct http_options *options);

/* Frees the server, unless that was done, and ends the thread. */
void fixture_stop(struct fixture *fixture);

/* Runs FUNCTION on the loop thread and waits for it. */
void fixture_call(struct fixture *fixture, void (*function)(struct fixture *fixture));

/* The same, again and again until it says true. */
void fixture_wait(struct fixture *fixture, bool (*function)(struct fixture *fixture));

struct http_counts fixture_counts(struct fixture *fixture);

/* Waits until COUNT requests are parked, or none is: until the server has no connection. */
void fixture_wait_parked(struct fixture *fixture, size_t count);
void fixture_wait_empty(struct fixture *fixture);

/* Replies to all that are parked. */
void fixture_release(struct fixture *fixture);

/* Begins to drain; fixture->drained says whether that is done. */
void fixture_drain(struct fixture *fixture);
void fixture_wait_drained(struct fixture *fixture);

/* All that was logged; the caller frees it. */
char *fixture_log(const struct fixture *fixture);

/* Waits until TEXT was logged. */
void fixture_wait_log(const struct fixture *fixture, const char *text);

/* A socket that listens on 127.0.0.1; its port is put in *PORT. */
int fixture_listener(int *port);

#endif
