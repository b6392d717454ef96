#include "service/thread_pool.h"

#include "base/memory.h"
#include "service/thread.h"

#include <event2/event.h>
#include <stdlib.h>

struct thread_pool {
	struct queue *todo; /* what the threads take; never more than there are free threads */
	struct queue *finished;
	struct event *finished_event;
	/* Of the loop: */
	struct queue_item *waiting; /* in order */
	size_t waiting_count, limit;
	size_t idle;
	bool closing;
	size_t count;
	pthread_t threads[];
};

static struct thread_job *job_of(struct queue_item *item)
{
	return queue_entry(item, struct thread_job, item);
}

static void *run(void *argument)
{
	struct thread_pool *pool = argument;
	struct queue_item *item;
	while ((item = queue_take_first(pool->todo)) != NULL) {
		job_of(item)->work(job_of(item));
		queue_put(pool->finished, item);
	}
	return NULL;
}

static bool can_begin(const struct thread_pool *pool, const struct thread_job *job)
{
	return pool->idle > 0 && (job->lane == NULL || !job->lane->busy);
}

static void begin(struct thread_pool *pool, struct thread_job *job)
{
	pool->idle--;
	if (job->lane != NULL)
		job->lane->busy = true;
	job->begun = true;
	queue_put(pool->todo, &job->item);
}

/* Begins what can begin of the jobs that wait. */
static void begin_waiting(struct thread_pool *pool)
{
	struct queue_item **at = &pool->waiting;
	while (*at != NULL && pool->idle > 0) {
		struct thread_job *job = job_of(*at);
		if (!can_begin(pool, job)) {
			at = &job->item.next;
			continue;
		}
		*at = job->item.next;
		pool->waiting_count--;
		begin(pool, job);
	}
}

static void finish(struct thread_pool *pool)
{
	struct queue_item *item = queue_take(pool->finished, false);
	for (struct queue_item *free = item; free != NULL; free = free->next) {
		pool->idle++;
		if (job_of(free)->lane != NULL)
			job_of(free)->lane->busy = false;
	}
	/* Before the calls, which may take a while. */
	if (!pool->closing)
		begin_waiting(pool);
	while (item != NULL) {
		struct queue_item *next = item->next;
		job_of(item)->done(job_of(item));
		item = next;
	}
}

static void on_finished(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	finish(context);
}

/* Lets the threads end, and waits for them. */
static void join(struct thread_pool *pool)
{
	queue_close(pool->todo);
	for (size_t i = 0; i < pool->count; i++)
		(void)pthread_join(pool->threads[i], NULL);
}

static void release(struct thread_pool *pool)
{
	if (pool->finished_event != NULL)
		event_free(pool->finished_event);
	queue_free(pool->finished);
	queue_free(pool->todo);
	free(pool);
}

struct thread_pool *thread_pool_new(
	struct event_base *base, const char *name, size_t count, size_t limit, struct ss_error *err)
{
	struct thread_pool *pool = memory_new(sizeof *pool + count * sizeof(pthread_t));
	pool->limit = limit;
	pool->idle = count;
	pool->todo = queue_new(false);
	pool->finished = queue_new(true);
	if (pool->finished == NULL) {
		(void)ss_fail_as(err, SS_LIMIT, "no descriptors are left for the threads %s", name);
		goto fail;
	}
	pool->finished_event =
		event_new(base, queue_fd(pool->finished), EV_READ | EV_PERSIST, on_finished, pool);
	if (pool->finished_event == NULL || event_add(pool->finished_event, NULL) < 0) {
		(void)ss_fail(err, "the threads %s cannot be watched", name);
		goto fail;
	}
	for (; pool->count < count; pool->count++) {
		if (service_thread_begin(&pool->threads[pool->count], name, run, pool, err) < 0)
			goto fail;
	}
	return pool;
fail:
	join(pool);
	release(pool);
	return NULL;
}

int thread_pool_put(struct thread_pool *pool, struct thread_job *job, struct ss_error *err)
{
	struct queue_item **last = &pool->waiting;
	if (pool->closing)
		return ss_fail_as(err, SS_UNAVAILABLE, "the server is stopping");
	job->begun = false;
	if (can_begin(pool, job)) {
		begin(pool, job);
		return 0;
	}
	if (pool->waiting_count >= pool->limit)
		return ss_fail_as(
			err, SS_LIMIT, "too many requests are waiting; try again in a moment");
	while (*last != NULL)
		last = &(*last)->next;
	job->item.next = NULL;
	*last = &job->item;
	pool->waiting_count++;
	return 0;
}

bool thread_pool_cancel(struct thread_pool *pool, struct thread_job *job)
{
	struct queue_item **at = &pool->waiting;
	if (job->begun)
		return false;
	while (*at != &job->item)
		at = &(*at)->next;
	*at = job->item.next;
	pool->waiting_count--;
	return true;
}

void thread_pool_free(struct thread_pool *pool)
{
	if (pool == NULL)
		return;
	join(pool);
	pool->closing = true;
	finish(pool);
	release(pool);
}
