#include "service/thread.h"

#include "base/calls.h"
#include "base/crash.h"
#include "base/memory.h"

#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* One of the threads. */
struct hand {
	struct service_thread *owner;
	pthread_t thread;
	void *context;
};

struct service_thread {
	struct hand *hands;
	size_t count; /* of those that have begun */
	queue_pick *pick;
	void *pick_context;
	struct queue *todo;
	struct queue *finished;
	struct event *finished_event;
	size_t waiting; /* counted on the loop */
	size_t limit;
	struct metrics_part *metrics;
	enum metric gauge;
	bool closing;
	service_work *work;
};

static struct queue_item *take(const struct service_thread *thread)
{
	return thread->pick != NULL
		       ? queue_take_picked(thread->todo, thread->pick, thread->pick_context)
		       : queue_take(thread->todo, true);
}

static void *run(void *argument)
{
	const struct hand *hand = argument;
	struct service_thread *thread = hand->owner;
	struct queue_item *batch;
	while ((batch = take(thread)) != NULL) {
		thread->work(hand->context, queue_entry(batch, struct service_job, item));
		while (batch != NULL) {
			/* Once it is put, the job may be gone. */
			struct queue_item *next = batch->next;
			queue_put(thread->finished, batch);
			batch = next;
		}
	}
	return NULL;
}

static void set_waiting(struct service_thread *thread, size_t waiting)
{
	thread->waiting = waiting;
	metrics_set(thread->metrics, thread->gauge, waiting);
}

/* Calls done() of the jobs from ITEM on. */
static void finish(struct service_thread *thread, struct queue_item *item)
{
	while (item != NULL) {
		struct queue_item *next = item->next;
		struct service_job *job = queue_entry(item, struct service_job, item);
		set_waiting(thread, thread->waiting - 1);
		job->done(job);
		item = next;
	}
}

static void on_finished(evutil_socket_t fd, short what, void *context)
{
	struct service_thread *thread = context;
	(void)fd;
	(void)what;
	finish(thread, queue_take(thread->finished, false));
}

/* What a new thread is to do. */
struct beginning {
	void *(*start)(void *);
	void *argument;
};

static void *begin_thread(void *argument)
{
	const struct beginning beginning = *(struct beginning *)argument;
	free(argument);
	calls_join();
	crash_watch_thread();
	void *result = beginning.start(beginning.argument);
	crash_leave_thread();
	calls_leave();
	return result;
}

int service_thread_begin(pthread_t *thread, const char *name, void *(*start)(void *),
	void *argument, struct ss_error *err)
{
	sigset_t all;
	sigset_t before;
	struct beginning *beginning = memory_make(struct beginning);
	*beginning = (struct beginning){start, argument};
	/* Signals belong to the loop's thread, but for those by which a thread crashes. */
	(void)sigfillset(&all);
	crash_allow(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(thread, NULL, begin_thread, beginning);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error != 0) {
		free(beginning);
		return ss_fail(err, "the thread %s cannot be started: %s", name, strerror(error));
	}
	(void)pthread_setname_np(*thread, name);
	return 0;
}

/* Starts the next of the threads. */
static int begin_hand(
	struct service_thread *thread, const struct service_threads *threads, struct ss_error *err)
{
	struct hand *hand = &thread->hands[thread->count];
	*hand = (struct hand){.owner = thread, .context = threads->contexts[thread->count]};
	if (service_thread_begin(&hand->thread, threads->name, run, hand, err) < 0)
		return -1;
	thread->count++;
	return 0;
}

static int watch(struct service_thread *thread, struct event_base *base, const char *name,
	struct ss_error *err)
{
	thread->finished = queue_new(true);
	if (thread->finished == NULL)
		return ss_fail_as(err, SS_LIMIT, "no descriptors are left for the thread %s", name);
	thread->finished_event = event_new(
		base, queue_fd(thread->finished), EV_READ | EV_PERSIST, on_finished, thread);
	if (thread->finished_event == NULL || event_add(thread->finished_event, NULL) < 0)
		return ss_fail(err, "the thread %s cannot be watched", name);
	return 0;
}

struct service_thread *service_threads_new(
	struct event_base *base, const struct service_threads *threads, struct ss_error *err)
{
	struct service_thread *thread = memory_make(struct service_thread);
	thread->limit = threads->limit;
	thread->work = threads->work;
	thread->pick = threads->pick;
	thread->pick_context = threads->pick_context;
	thread->todo = queue_new(false);
	thread->hands = memory_array(threads->count, sizeof *thread->hands);
	int result = watch(thread, base, threads->name, err);
	while (result == 0 && thread->count < threads->count)
		result = begin_hand(thread, threads, err);
	if (result == 0)
		return thread;
	service_thread_free(thread);
	return NULL;
}

struct service_thread *service_thread_new(struct event_base *base, const char *name, size_t limit,
	service_work *work, void *context, struct ss_error *err)
{
	void *const contexts[] = {context};
	const struct service_threads threads = {
		.name = name, .limit = limit, .work = work, .contexts = contexts, .count = 1};
	return service_threads_new(base, &threads, err);
}

void service_thread_measure(
	struct service_thread *thread, struct metrics_part *metrics, enum metric gauge)
{
	thread->metrics = metrics;
	thread->gauge = gauge;
}

int service_thread_put(struct service_thread *thread, struct service_job *job, struct ss_error *err)
{
	if (thread->closing)
		return ss_fail_as(err, SS_UNAVAILABLE, "the server is stopping");
	if (thread->waiting >= thread->limit)
		return ss_fail_as(
			err, SS_LIMIT, "too many requests are waiting; try again in a moment");
	set_waiting(thread, thread->waiting + 1);
	queue_put(thread->todo, &job->item);
	return 0;
}

void service_thread_poll(struct service_thread *thread, int64_t ns)
{
	finish(thread, queue_poll(thread->finished, ns));
}

bool service_thread_waits(const struct service_thread *thread)
{
	return queue_waits(thread->todo);
}

struct service_job *service_job_next(const struct service_job *job)
{
	return job->item.next != NULL ? queue_entry(job->item.next, struct service_job, item)
				      : NULL;
}

void service_thread_free(struct service_thread *thread)
{
	if (thread == NULL)
		return;
	queue_close(thread->todo);
	for (size_t i = 0; i < thread->count; i++)
		(void)pthread_join(thread->hands[i].thread, NULL);
	thread->closing = true;
	if (thread->finished != NULL)
		finish(thread, queue_take(thread->finished, false));
	if (thread->finished_event != NULL)
		event_free(thread->finished_event);
	queue_free(thread->finished);
	queue_free(thread->todo);
	free(thread->hands);
	free(thread);
}
