#include "service/thread_pool.h"

#include "unit/service/loop.h"

#include <criterion/criterion.h>
#include <event2/event.h>
#include <pthread.h>
#include <stdatomic.h>

enum { JOBS = 16, THREADS = 3, LIMIT = 4 };

struct pool_job {
	struct thread_job job;
	struct gate gate;
	size_t number;
	bool worked; /* read only after the job came back */
	pthread_t thread;
};

static struct event_base *base;
static struct thread_pool *pool;
static struct thread_lane lane;
static struct pool_job jobs[JOBS];
static size_t done_count;
static size_t done_order[JOBS];
static bool puts_again;
static int put_result;
static struct ss_error put_err;
static atomic_int in_lane;

static struct pool_job *mine(struct thread_job *job)
{
	return queue_entry(job, struct pool_job, job);
}

static void work(struct thread_job *job)
{
	if (job->lane != NULL)
		cr_expect_eq(atomic_fetch_add(&in_lane, 1), 0, "two at once in one lane");
	gate_pass(&mine(job)->gate);
	if (job->lane != NULL)
		atomic_fetch_sub(&in_lane, 1);
	mine(job)->worked = true;
	mine(job)->thread = pthread_self();
}

static void on_done(struct thread_job *job)
{
	done_order[done_count++] = mine(job)->number;
	if (puts_again)
		put_result = thread_pool_put(pool, job, &put_err);
}

static void set_up(void)
{
	struct ss_error err = {0};
	base = event_base_new();
	for (size_t i = 0; i < JOBS; i++) {
		jobs[i] = (struct pool_job){.job = {.work = work, .done = on_done}, .number = i};
		gate_init(&jobs[i].gate, true);
	}
	pool = thread_pool_new(base, "pool", THREADS, LIMIT, &err);
	cr_assert_not_null(pool, "%s", err.text);
}

static void tear_down(void)
{
	thread_pool_free(pool);
	for (size_t i = 0; i < JOBS; i++)
		gate_destroy(&jobs[i].gate);
	event_base_free(base);
}

TestSuite(thread_pool, .init = set_up, .fini = tear_down, .timeout = 300);

static int put(size_t number)
{
	put_err = (struct ss_error){0};
	return thread_pool_put(pool, &jobs[number].job, &put_err);
}

static void let_go(size_t number)
{
	size_t before = done_count;
	gate_open(&jobs[number].gate, 1);
	loop_until(base, &done_count, before + 1);
	cr_expect_eq(done_order[before], number);
	cr_expect(jobs[number].worked);
}

Test(thread_pool, works_on_as_many_jobs_at_once_as_it_has_threads)
{
	for (size_t i = 0; i < THREADS; i++)
		cr_assert_eq(put(i), 0);
	for (size_t i = 0; i < THREADS; i++)
		gate_wait(&jobs[i].gate);
	for (size_t i = THREADS; i-- > 0;)
		let_go(i);
	cr_expect_not(pthread_equal(jobs[0].thread, jobs[1].thread));
	cr_expect_not(pthread_equal(jobs[0].thread, pthread_self()));
}

Test(thread_pool, takes_the_jobs_that_wait_in_order)
{
	for (size_t i = 0; i < THREADS + LIMIT; i++)
		cr_assert_eq(put(i), 0);
	for (size_t i = 0; i < THREADS + LIMIT; i++)
		let_go(i);
}

Test(thread_pool, refuses_jobs_when_too_many_wait)
{
	for (size_t i = 0; i < THREADS + LIMIT; i++)
		cr_assert_eq(put(i), 0);
	cr_expect_eq(put(THREADS + LIMIT), -1);
	cr_expect_eq(put_err.status, SS_LIMIT);
	let_go(0);
	cr_expect_eq(put(THREADS + LIMIT), 0);
	for (size_t i = 1; i < THREADS + LIMIT + 1; i++)
		let_go(i);
}

Test(thread_pool, works_on_one_job_of_a_lane_at_a_time_and_on_others_meanwhile)
{
	for (size_t i = 0; i < 3; i++) {
		jobs[i].job.lane = &lane;
		cr_assert_eq(put(i), 0);
	}
	cr_assert_eq(put(3), 0);
	cr_assert_eq(put(4), 0);
	gate_wait(&jobs[0].gate);
	let_go(4);
	let_go(3);
	for (size_t i = 0; i < 3; i++)
		let_go(i);
	cr_expect_not(lane.busy);
}

Test(thread_pool, gives_back_a_job_that_has_not_begun)
{
	for (size_t i = 0; i < THREADS + 3; i++)
		cr_assert_eq(put(i), 0);
	cr_expect_not(thread_pool_cancel(pool, &jobs[0].job));
	cr_expect(thread_pool_cancel(pool, &jobs[THREADS + 1].job));
	for (size_t i = 0; i < THREADS + 1; i++)
		let_go(i);
	let_go(THREADS + 2);
	cr_expect_not(jobs[THREADS + 1].worked);
	cr_assert_eq(put(THREADS + 1), 0);
	let_go(THREADS + 1);
}

static void *open_the_gate(void *gate)
{
	gate_wait(gate);
	gate_open(gate, 1);
	return NULL;
}

Test(thread_pool, waits_at_its_end_for_what_has_begun)
{
	pthread_t opener;
	puts_again = true;
	cr_assert_eq(put(0), 0);
	cr_assert_eq(pthread_create(&opener, NULL, open_the_gate, &jobs[0].gate), 0);
	thread_pool_free(pool);
	cr_expect_eq(done_count, 1);
	cr_expect(jobs[0].worked);
	cr_expect_eq(put_result, -1);
	cr_expect_eq(put_err.status, SS_UNAVAILABLE);
	(void)pthread_join(opener, NULL);
	pool = NULL;
	thread_pool_free(NULL);
}
