/*
 * A few threads for work that blocks: a job goes in, its work is done on one of them, and it comes back as a call on the
 * loop. Jobs wait on the loop's side until a thread is free, so that one that has not begun can be taken back at any
 * time. All functions are for the loop thread.
 */
#ifndef SERVICE_THREAD_POOL_H
#define SERVICE_THREAD_POOL_H

#include "base/queue.h"

#include <smartsupport/error.h>

struct event_base;
struct thread_pool;

/* What is used by one job at a time. Zeroed at first. */
struct thread_lane {
	bool busy;
};

struct thread_job {
	struct queue_item item; /* the pool's */
	struct thread_lane
		*lane; /* jobs with the same lane never run at the same time; NULL: none */
	/* Called on a thread of the pool. */
	void (*work)(struct thread_job *job);
	/* Called on the loop when the work is done. The job is its owner's again. */
	void (*done)(struct thread_job *job);
	bool begun; /* the pool's: a thread has it */
};

/* A pool of COUNT threads named NAME (at most 15 characters), whose jobs' done() run on BASE. At most LIMIT jobs wait
 * for a thread. */
struct thread_pool *thread_pool_new(struct event_base *base, const char *name, size_t count,
	size_t limit, struct ss_error *err);

/* Gives JOB to a thread as soon as one is free, in the order in which they came. -1 and SS_LIMIT when too many wait;
 * then the job stays the caller's. */
int thread_pool_put(struct thread_pool *pool, struct thread_job *job, struct ss_error *err);

/* Takes back JOB, which was put: whether it had not begun, and so is the caller's without a done(). */
bool thread_pool_cancel(struct thread_pool *pool, struct thread_job *job);

/* Waits for the jobs that have begun, calls their done(), and ends the threads. What these calls put is refused with
 * SS_UNAVAILABLE. Jobs that wait must have been taken back before. NULL is allowed. */
void thread_pool_free(struct thread_pool *pool);

#endif
