/*
 * Questions that a process was answering when it died, on this machine or another: a worker looks for them from time to
 * time and goes on with them, a few at once. Nobody waits for the answer, which is stored. Loop thread.
 *
 * They are found by their journals, which are "running" and whose lease is over, or of a process that is known to be
 * gone. Whoever takes the lease first goes on. A turn that has been taken several times and did not end goes to a human: it may
 * be what the processes died of.
 */
#ifndef APP_UNFINISHED_H
#define APP_UNFINISHED_H

#include "support/versions.h"

struct event_base;
struct unfinished;

/* How often a turn is gone on with before it goes to a human. */
enum { UNFINISHED_TAKINGS = 3 };

/* VERSIONS (taken), STORE and LOG are used for the life of the result. */
struct unfinished *unfinished_new(struct event_base *base, struct store *store,
	struct versions *versions, const struct log *log);

/* Begins to look: at once, also for what processes of this machine left that are gone, then from time to time. */
void unfinished_begin(struct unfinished *unfinished);

/* Takes nothing any more; what it has goes on. */
void unfinished_pause(struct unfinished *unfinished);

/* Ends what it goes on with, for others to take. Before the services are freed. NULL is allowed, as below. */
void unfinished_stop(struct unfinished *unfinished);

/* When the services are freed. */
void unfinished_free(struct unfinished *unfinished);

#endif
