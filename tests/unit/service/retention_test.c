/* Deletes what is old in small steps, and leaves alone what is kept for ever. */
#include "service/retention.h"

#include "unit/service/loop.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "service/metrics.h"
#include "service/store.h"

#include <criterion/criterion.h>
#include <event2/event.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CALLS = 256 };

/* The storage's instance: how much of each kind is too old. Read by the test only when the store is gone. */
struct storage {
	size_t old[RETENTION_KINDS];
	struct ss_purge calls[CALLS];
	atomic_size_t call_count;
	size_t fail_from; /* from this call on each fails; 0: none */
	struct gate gate;
};

static struct event_base *base;
static struct storage storage;
static struct store *store;
static struct retention *retention;
static struct metrics *metrics;
static struct metrics_part *part;
static struct log log_to_pipe;
static int log_end;

static int purge(void *instance, const struct ss_purge *asked, size_t *count, struct ss_error *err)
{
	struct storage *mine = instance;
	gate_pass(&mine->gate);
	if (mine->call_count < CALLS)
		mine->calls[mine->call_count] = *asked;
	mine->call_count++;
	if (mine->fail_from > 0 && mine->call_count >= mine->fail_from)
		return ss_fail_as(err, SS_UNAVAILABLE, "the disk is full");
	size_t *old = &mine->old[asked->what];
	*count = *old < asked->limit ? *old : asked->limit;
	*old -= *count;
	return 0;
}

static const struct ss_storage_operations operations = {.purge = purge};

static const char *name(enum ss_purged what)
{
	static const char *const names[] = {"nothing", "conversations", "events", "deliveries",
		"journals", "requests", "documents"};
	return names[what];
}

static void start(const int64_t *keep_ns, bool gated)
{
	int ends[2];
	struct ss_error err = {0};
	cr_assert_eq(pipe(ends), 0);
	log_end = ends[0];
	log_to_pipe = log_new(ends[1], SS_LOG_INFO, false);
	base = event_base_new();
	metrics = metrics_new();
	part = metrics_take(metrics);
	gate_init(&storage.gate, gated);
	store = store_new(base, &operations, (void *[]){&storage}, 1, 16, &err);
	cr_assert_not_null(store, "%s", err.text);
	const struct retention_options options = {
		.base = base,
		.store = store,
		.log = &log_to_pipe,
		.metrics = part,
		.keep_ns = keep_ns,
		.name = name,
		.every_ns = 2000000,
		.step = 10,
	};
	retention = retention_new(&options);
}

/* Ends everything. What was logged is in TEXT. */
static void stop(char *text, size_t size)
{
	retention_stop(retention);
	store_free(store);
	retention_free(retention);
	gate_destroy(&storage.gate);
	metrics_free(metrics);
	event_base_free(base);
	(void)close(log_to_pipe.fd);
	size_t length = 0;
	ssize_t more;
	while (length < size - 1 && (more = read(log_end, text + length, size - 1 - length)) > 0)
		length += (size_t)more;
	text[length] = '\0';
	(void)close(log_end);
}

/* Turns the loop until METRIC is at least WANTED. */
static void until(enum metric metric, uint64_t wanted)
{
	const int64_t give_up = clock_monotonic_ns() + 120000000000;
	while (metrics_total(metrics, metric) < wanted) {
		cr_assert_lt(clock_monotonic_ns(), give_up, "nothing is deleted");
		(void)event_base_loop(base, EVLOOP_ONCE);
	}
}

TestSuite(retention, .timeout = 300);

Test(retention, deletes_all_that_is_old_in_small_steps)
{
	char text[8192];
	const int64_t keep_ns[RETENTION_KINDS] = {
		[SS_PURGE_CONVERSATIONS] = 3600000000000, [SS_PURGE_REQUESTS] = 60000000000};
	storage.old[SS_PURGE_CONVERSATIONS] = 35;
	storage.old[SS_PURGE_EVENTS] = 7;
	storage.old[SS_PURGE_REQUESTS] = 20;
	int64_t before_ns = clock_utc_ns();
	start(keep_ns, false);
	until(METRIC_PURGED_REQUESTS, 20);
	cr_expect_eq(metrics_total(metrics, METRIC_PURGED_CONVERSATIONS), 35);
	cr_expect_eq(metrics_total(metrics, METRIC_PURGED_EVENTS), 0);
	stop(text, sizeof text);
	cr_expect_eq(storage.old[SS_PURGE_CONVERSATIONS], 0);
	cr_expect_eq(storage.old[SS_PURGE_EVENTS], 7, "what is kept for ever was deleted");
	for (size_t i = 0; i < 4; i++) {
		cr_expect_eq(storage.calls[i].what, SS_PURGE_CONVERSATIONS, "step %zu", i);
		cr_expect_eq(storage.calls[i].limit, 10);
		cr_expect_geq(
			storage.calls[i].before_ns, before_ns - keep_ns[SS_PURGE_CONVERSATIONS]);
		cr_expect_leq(storage.calls[i].before_ns,
			clock_utc_ns() - keep_ns[SS_PURGE_CONVERSATIONS]);
	}
	cr_expect_eq(storage.calls[4].what, SS_PURGE_REQUESTS);
	cr_expect_not_null(
		strstr(text, "retention: deleted 35 conversations from before 20"), "%s", text);
}

Test(retention, comes_again_and_finds_what_has_become_old)
{
	char text[8192];
	const int64_t keep_ns[RETENTION_KINDS] = {[SS_PURGE_EVENTS] = 3600000000000};
	storage.old[SS_PURGE_EVENTS] = 3;
	start(keep_ns, true);
	while (sem_trywait(&storage.gate.reached) < 0)
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
	gate_open(&storage.gate, 1);
	until(METRIC_PURGED_EVENTS, 3);
	while (sem_trywait(&storage.gate.reached) < 0)
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
	storage.old[SS_PURGE_EVENTS] = 4;
	gate_open(&storage.gate, CALLS);
	until(METRIC_PURGED_EVENTS, 7);
	stop(text, sizeof text);
}

Test(retention, says_why_something_is_still_there_and_tries_again_later)
{
	char text[8192];
	const int64_t keep_ns[RETENTION_KINDS] = {
		[SS_PURGE_EVENTS] = 3600000000000, [SS_PURGE_JOURNALS] = 3600000000000};
	storage.old[SS_PURGE_EVENTS] = 25;
	storage.fail_from = 3;
	start(keep_ns, false);
	until(METRIC_PURGED_EVENTS, 20);
	for (int64_t end = clock_monotonic_ns() + 120000000000; storage.call_count < 5;) {
		cr_assert_lt(clock_monotonic_ns(), end, "it does not try again");
		(void)event_base_loop(base, EVLOOP_ONCE);
	}
	stop(text, sizeof text);
	cr_expect_not_null(strstr(text, "retention: deleted 20 events from before 20"), "%s", text);
	cr_expect_not_null(
		strstr(text,
			"retention: events that are too old are still there: the disk is full"),
		"%s", text);
	for (size_t i = 0; i < storage.call_count && i < CALLS; i++)
		cr_expect_eq(storage.calls[i].what, SS_PURGE_EVENTS, "it went on after a failure");
}

Test(retention, asks_nothing_when_everything_is_kept_for_ever)
{
	char text[8192];
	const int64_t keep_ns[RETENTION_KINDS] = {0};
	storage.old[SS_PURGE_CONVERSATIONS] = 5;
	start(keep_ns, false);
	/* Until there is nothing that the loop waits for. */
	(void)event_base_loop(base, EVLOOP_ONCE);
	stop(text, sizeof text);
	cr_expect_eq(storage.call_count, 0);
}

Test(retention, ends_while_the_store_is_deleting)
{
	char text[8192];
	const int64_t keep_ns[RETENTION_KINDS] = {[SS_PURGE_EVENTS] = 3600000000000};
	storage.old[SS_PURGE_EVENTS] = 100;
	start(keep_ns, true);
	while (sem_trywait(&storage.gate.reached) < 0)
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
	gate_open(&storage.gate, 1);
	stop(text, sizeof text);
	cr_expect_eq(storage.call_count, 1);
	cr_expect_eq(storage.old[SS_PURGE_EVENTS], 90);
}

Test(retention, steps_that_take_long_become_smaller_and_quick_ones_larger)
{
	const int64_t ms = 1000000;
	cr_expect_eq(retention_next_step(10, 1 * ms), 20);
	cr_expect_eq(retention_next_step(80, 1 * ms), 100);
	cr_expect_eq(retention_next_step(80, 7 * ms), 80);
	cr_expect_eq(retention_next_step(80, 30 * ms), 40);
	cr_expect_eq(retention_next_step(1, 30 * ms), 1);
}
