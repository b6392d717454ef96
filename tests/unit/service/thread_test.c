#include "service/thread.h"

#include "unit/service/loop.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

enum { JOBS = 64 };

/* What the thread did; read by the test only after the jobs came back. */
struct work {
	struct gate gate;
	size_t batches[JOBS]; /* how many jobs each had */
	size_t batch_count;
	pthread_t thread;
	char name[32];
	sigset_t signals;
};

struct counted_job {
	struct service_job job;
	size_t number;
	bool worked;
	pthread_t done_on;
	struct service_thread *puts_again; /* its done() asks this thread again */
	int put_result;
	struct ss_error put_err;
};

static struct event_base *base;
static struct work work;
static struct counted_job jobs[JOBS];
static size_t done_count;
static size_t done_order[2 * JOBS];

static void do_work(void *context, struct service_job *batch)
{
	struct work *mine = context;
	mine->thread = pthread_self();
	(void)pthread_getname_np(mine->thread, mine->name, sizeof mine->name);
	(void)pthread_sigmask(SIG_SETMASK, NULL, &mine->signals);
	gate_pass(&mine->gate);
	for (struct service_job *job = batch; job != NULL; job = service_job_next(job)) {
		queue_entry(job, struct counted_job, job)->worked = true;
		mine->batches[mine->batch_count]++;
	}
	mine->batch_count++;
}

static void on_done(struct service_job *job)
{
	struct counted_job *counted = queue_entry(job, struct counted_job, job);
	counted->done_on = pthread_self();
	done_order[done_count++] = counted->number;
	struct service_thread *again = counted->puts_again;
	counted->puts_again = NULL;
	if (again != NULL)
		counted->put_result = service_thread_put(again, job, &counted->put_err);
}

static void set_up(void)
{
	base = event_base_new();
	for (size_t i = 0; i < JOBS; i++)
		jobs[i] = (struct counted_job){.job.done = on_done, .number = i};
}

static void tear_down(void)
{
	gate_destroy(&work.gate);
	event_base_free(base);
}

TestSuite(service_thread, .init = set_up, .fini = tear_down, .timeout = 300);

static struct service_thread *start(bool gated, size_t limit)
{
	struct ss_error err = {0};
	gate_init(&work.gate, gated);
	struct service_thread *thread =
		service_thread_new(base, "worker", limit, do_work, &work, &err);
	cr_assert_not_null(thread, "%s", err.text);
	return thread;
}

static void put(struct service_thread *thread, size_t from, size_t to)
{
	struct ss_error err = {0};
	for (size_t i = from; i < to; i++)
		cr_assert_eq(service_thread_put(thread, &jobs[i].job, &err), 0, "%s", err.text);
}

Test(service_thread, takes_what_waits_as_one_batch)
{
	struct service_thread *thread = start(true, JOBS);
	put(thread, 0, 1);
	gate_wait(&work.gate);
	put(thread, 1, 8);
	gate_open(&work.gate, 2);
	loop_until(base, &done_count, 8);
	cr_expect_eq(work.batch_count, 2);
	cr_expect_eq(work.batches[0], 1);
	cr_expect_eq(work.batches[1], 7);
	for (size_t i = 0; i < 8; i++)
		cr_expect_eq(done_order[i], i);
	service_thread_free(thread);
}

Test(service_thread, works_beside_the_loop_and_is_done_on_it)
{
	struct service_thread *thread = start(false, JOBS);
	put(thread, 0, 3);
	cr_expect_eq(done_count, 0, "done before the loop turned");
	loop_until(base, &done_count, 3);
	for (size_t i = 0; i < 3; i++) {
		cr_expect(jobs[i].worked);
		cr_expect(pthread_equal(jobs[i].done_on, pthread_self()));
	}
	cr_expect_not(pthread_equal(work.thread, pthread_self()));
	cr_expect_str_eq(work.name, "worker");
	service_thread_free(thread);
}

Test(service_thread, leaves_signals_to_the_loop)
{
	sigset_t before;
	sigset_t after;
	(void)pthread_sigmask(SIG_SETMASK, NULL, &before);
	struct service_thread *thread = start(false, JOBS);
	(void)pthread_sigmask(SIG_SETMASK, NULL, &after);
	put(thread, 0, 1);
	loop_until(base, &done_count, 1);
	cr_expect_eq(sigismember(&work.signals, SIGTERM), 1);
	cr_expect_eq(sigismember(&work.signals, SIGHUP), 1);
	cr_expect_eq(sigismember(&after, SIGTERM), sigismember(&before, SIGTERM));
	service_thread_free(thread);
}

Test(service_thread, refuses_jobs_above_its_limit)
{
	struct ss_error err = {0};
	struct service_thread *thread = start(true, 3);
	put(thread, 0, 1);
	gate_wait(&work.gate); /* one runs, */
	put(thread, 1, 3);     /* two wait */
	cr_expect_eq(service_thread_put(thread, &jobs[3].job, &err), -1);
	cr_expect_eq(err.status, SS_LIMIT);
	cr_expect_str_eq(err.text, "too many requests are waiting; try again in a moment");
	gate_open(&work.gate, 3);
	loop_until(base, &done_count, 3);
	cr_expect_not(jobs[3].worked);
	put(thread, 3, 4); /* there is room again */
	loop_until(base, &done_count, 4);
	service_thread_free(thread);
}

Test(service_thread, takes_a_job_again_from_its_own_done)
{
	struct service_thread *thread = start(false, 1);
	jobs[0].puts_again = thread;
	put(thread, 0, 1);
	loop_until(base, &done_count, 2);
	cr_expect_eq(jobs[0].put_result, 0);
	service_thread_free(thread);
}

Test(service_thread, finishes_its_queue_when_it_is_freed)
{
	struct service_thread *thread = start(true, JOBS);
	put(thread, 0, 1);
	gate_wait(&work.gate);
	put(thread, 1, JOBS);
	gate_open(&work.gate, JOBS);
	service_thread_free(thread);
	cr_expect_eq(done_count, JOBS);
	for (size_t i = 0; i < JOBS; i++) {
		cr_expect_eq(done_order[i], i);
		cr_expect(jobs[i].worked);
	}
}

Test(service_thread, refuses_what_is_asked_while_it_is_freed)
{
	struct service_thread *thread = start(false, JOBS);
	jobs[0].puts_again = thread;
	put(thread, 0, 1);
	service_thread_free(thread);
	cr_expect_eq(done_count, 1);
	cr_expect_eq(jobs[0].put_result, -1);
	cr_expect_eq(jobs[0].put_err.status, SS_UNAVAILABLE, "%s", jobs[0].put_err.text);
}

Test(service_thread, does_many_jobs_in_order)
{
	static struct counted_job many[20000];
	size_t before = 0;
	struct service_thread *thread = start(false, array_length(many));
	work.gate.closed = false;
	done_count = 0;
	for (size_t i = 0; i < array_length(many); i++) {
		struct ss_error err = {0};
		many[i] = (struct counted_job){.job.done = on_done, .number = i};
		cr_assert_eq(service_thread_put(thread, &many[i].job, &err), 0, "%s", err.text);
		if (i % 50 == 49) {
			loop_until(base, &done_count, 50);
			for (size_t n = 0; n < 50; n++)
				cr_assert_eq(done_order[n], before + n);
			before += 50;
			done_count = 0;
			work.batch_count = 0;
			memset(work.batches, 0, sizeof work.batches);
		}
	}
	service_thread_free(thread);
	service_thread_free(NULL);
}
