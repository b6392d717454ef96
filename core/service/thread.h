/*
 * A thread, or several, that do work for the loop: jobs go in through a queue, and come back as a call on the
 * loop. What waits is handed over together, so the work can be done as one batch.
 */
#ifndef SERVICE_THREAD_H
#define SERVICE_THREAD_H

#include "base/queue.h"
#include "service/metrics.h"

#include <smartsupport/error.h>

#include <pthread.h>

struct event_base;
struct service_thread;

struct service_job {
	struct queue_item item; /* the thread's */
	/* Called on the loop when the work is done. The job is its owner's again. */
	void (*done)(struct service_job *job);
};

/* Does the work of all jobs from JOBS on, linked by item.next, on the thread. */
typedef void service_work(void *context, struct service_job *jobs);

/* Starts a thread named NAME (at most 15 characters) that takes no signals and calls START with ARGUMENT. */
int service_thread_begin(pthread_t *thread, const char *name, void *(*start)(void *),
	void *argument, struct ss_error *err);

/* Starts a thread named NAME (at most 15 characters) whose jobs' done() run on BASE. At most LIMIT jobs
 * wait or run. */
struct service_thread *service_thread_new(struct event_base *base, const char *name, size_t limit,
	service_work *work, void *context, struct ss_error *err);

/* The same with COUNT threads, 1 or more, which work at once: the one that is free takes what PICK gives it, or all that waits
 * without PICK, which a single thread may do. Each has its own of CONTEXTS; PICK gets PICK_CONTEXT. */
struct service_threads {
	const char *name;
	size_t limit;
	service_work *work;
	void *const *contexts;
	size_t count;
	queue_pick *pick;
	void *pick_context;
};

struct service_thread *service_threads_new(
	struct event_base *base, const struct service_threads *threads, struct ss_error *err);

/* Tells METRICS (which may be NULL) in GAUGE how many jobs wait or run. */
void service_thread_measure(
	struct service_thread *thread, struct metrics_part *metrics, enum metric gauge);

/* Queues JOB. -1 and SS_LIMIT when too many wait; then the job stays the caller's. Loop thread. */
int service_thread_put(
	struct service_thread *thread, struct service_job *job, struct ss_error *err);

/* Waits for NS at most, without sleeping, for a job that is done, and calls done(). Loop thread, and not from what
 * an agent calls. */
void service_thread_poll(struct service_thread *thread, int64_t ns);

/* Whether jobs wait behind those that are worked on, or the thread is to end. The thread itself asks. */
bool service_thread_waits(const struct service_thread *thread);

/* The job after JOB in a batch, or NULL. */
struct service_job *service_job_next(const struct service_job *job);

/* Finishes what was queued, calls its done(), and ends the threads. What these calls still put is refused
 * with SS_UNAVAILABLE. Loop thread. */
void service_thread_free(struct service_thread *thread);

#endif
