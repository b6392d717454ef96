/*
 * A worker: a whole server in one process. It is forked by the master, makes everything it needs, says
 * that it is ready, waits to be told to begin, and then answers until it is told to stop.
 *
 * Both talk over a socket pair. The worker writes WORKER_READY, or WORKER_FAILED and the mistakes as
 * text; the master writes WORKER_BEGIN. Once it drains, the worker writes WORKER_DEAF. When the master closes its end, or dies, the worker drains.
 */
#ifndef APP_WORKER_H
#define APP_WORKER_H

#include "base/log.h"
#include "config/config.h"

struct calls;
struct calls_part;
struct generations;
struct limits;
struct metrics;
struct metrics_part;

enum {
	WORKER_READY = 'R',
	WORKER_FAILED = 'F',
	WORKER_BEGIN = 'B',
	WORKER_DEAF = 'D', /* it takes no connections any more */
};

/* Seconds that a worker's questions get on top of the drain timeout, to end with what there is of their answers. */
enum { WORKER_HURRY_S = 1 };

struct worker_options {
	const char *config_file;
	int listener; /* bound; the master makes it listen before it says WORKER_BEGIN */
	int control;  /* the worker's end of the socket pair */
	struct log log;
	const struct metrics *metrics;         /* of all workers */
	struct limits *limits;                 /* of all workers; may be NULL */
	const struct generations *generations; /* may be NULL */
	struct metrics_part *part;             /* its own; may be NULL */
	const struct calls *calls;             /* of all workers; may be NULL */
	struct calls_part *own_calls;          /* its own; may be NULL */
};

/* Runs the worker in this process until it has drained. Returns the exit code. */
int worker_run(const struct worker_options *options);

#endif
