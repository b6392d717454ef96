/*
 * Retention: deletes what is older than it is to be kept, as many rows at a time as take some milliseconds, with pauses
 * that leave the store to turns. Every worker does so, at random times: what one has deleted the others do not find any
 * more. Loop thread.
 */
#ifndef SERVICE_RETENTION_H
#define SERVICE_RETENTION_H

#include <smartsupport/plugin.h>

struct event_base;
struct log;
struct metrics_part;
struct retention;
struct store;

/* As many as there are kinds in enum ss_purged, which begin with 1. */
enum { RETENTION_KINDS = SS_PURGE_ERASURES + 1 };

struct retention_options {
	struct event_base *base;
	struct store *store;
	const struct log *log;
	struct metrics_part *metrics; /* NULL: nothing is counted */
	const int64_t *keep_ns;       /* of RETENTION_KINDS, by enum ss_purged; 0: for ever */
	const char *(*name)(enum ss_purged what); /* for the log */
	int64_t every_ns;                         /* from one round to the next, on the average */
	size_t step;                              /* rows at a time; 0: as many as are good */
};

/* How many rows are deleted at a time at first and at most, where options do not say it. */
enum { RETENTION_STEP_FIRST = 10, RETENTION_STEP_MOST = 100 };

/* How many are deleted next when a step of LIMIT took so long: turns wait for a step. */
size_t retention_next_step(size_t limit, int64_t took_ns);

/* Begins; the first round comes within every_ns. All of OPTIONS but keep_ns is borrowed for the life of the result. */
struct retention *retention_new(const struct retention_options *options);

/* Asks nothing more of the store. */
void retention_stop(struct retention *retention);

/* When the store has finished what was asked of it. NULL is allowed, as it is above. */
void retention_free(struct retention *retention);

#endif
