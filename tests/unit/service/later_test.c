#include "service/later.h"

#include "unit/service/loop.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <event2/event.h>
#include <unistd.h>

static struct event_base *base;
static struct later *later;

static void set_up(void)
{
	base = event_base_new();
	later = later_new(base);
}

static void tear_down(void)
{
	later_free(later);
	event_base_free(base);
}

TestSuite(later, .init = set_up, .fini = tear_down);

struct noted_call {
	struct later_call call;
	size_t number;
	struct noted_call *adds; /* added when this one is made */
	size_t *count;
	size_t *order;
};

static void note(struct later_call *call)
{
	struct noted_call *noted = queue_entry(call, struct noted_call, call);
	noted->order[(*noted->count)++] = noted->number;
	if (noted->adds != NULL)
		later_add(later, &noted->adds->call);
}

enum { CALLS = 6 };

static size_t count;
static size_t order[CALLS];
static struct noted_call calls[CALLS];

/* The first half is added; each of it adds one of the other half. */
static void add_some(void)
{
	for (size_t i = 0; i < CALLS; i++)
		calls[i] = (struct noted_call){.call.call = note,
			.number = i,
			.count = &count,
			.order = order,
			.adds = i < CALLS / 2 ? &calls[i + CALLS / 2] : NULL};
	for (size_t i = 0; i < CALLS / 2; i++)
		later_add(later, &calls[i].call);
	cr_assert_eq(count, 0, "a call was made before the loop turned");
}

Test(later, makes_calls_in_order_and_those_they_add_behind_them)
{
	add_some();
	loop_until(base, &count, CALLS);
	for (size_t i = 0; i < CALLS; i++)
		cr_expect_eq(order[i], i);
}

/* Cancels the calls of this round and the next that come after it. */
static void cancel_others(struct later_call *call)
{
	note(call);
	later_cancel(later, &calls[1].call);
	later_cancel(later, &calls[CALLS / 2].call);
}

Test(later, makes_no_call_that_was_cancelled)
{
	add_some();
	calls[0].call.call = cancel_others;
	later_cancel(later, &calls[2].call);
	later_cancel(later, &calls[2].call);
	later_add(later, &calls[CALLS - 1].call);
	loop_until(base, &count, 2);
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
	cr_expect_eq(count, 2);
	cr_expect_eq(order[0], 0);
	cr_expect_eq(order[1], CALLS - 1, "what is behind a cancelled call is made");
	later_add(later, &calls[CALLS - 2].call);
	loop_until(base, &count, 3);
	cr_expect_eq(order[2], CALLS - 2);
}

Test(later, makes_what_waits_when_it_is_freed)
{
	add_some();
	later_free(later);
	cr_expect_eq(count, CALLS);
	for (size_t i = 0; i < CALLS; i++)
		cr_expect_eq(order[i], i);
	later = later_new(base);
}

Test(later, may_add_a_call_again_once_it_was_made)
{
	add_some();
	loop_until(base, &count, CALLS);
	count = 0;
	later_add(later, &calls[CALLS - 1].call);
	loop_until(base, &count, 1);
	cr_expect_eq(order[0], CALLS - 1);
}

/* A call that writes to a pipe and adds itself again as long as nobody reads that. */
struct endless {
	struct later_call call;
	int pipe;
	size_t rounds;
	bool read;
};

static void go_on(struct later_call *call)
{
	struct endless *endless = queue_entry(call, struct endless, call);
	if (endless->rounds++ == 0)
		cr_assert_eq(write(endless->pipe, "x", 1), 1);
	if (!endless->read && endless->rounds < 100000)
		later_add(later, call);
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
	struct endless *endless = context;
	char byte;
	(void)what;
	endless->read = read((int)fd, &byte, 1) == 1;
}

Test(later, lets_the_loop_serve_others_between_its_rounds)
{
	int ends[2];
	struct endless endless = {.call.call = go_on};
	cr_assert_eq(pipe(ends), 0);
	endless.pipe = ends[1];
	struct event *event = event_new(base, ends[0], EV_READ, on_readable, &endless);
	cr_assert_eq(event_add(event, NULL), 0);
	later_add(later, &endless.call);
	loop_until(base, &endless.rounds, 1);
	while (!endless.read)
		(void)event_base_loop(base, EVLOOP_ONCE);
	cr_expect_leq(
		endless.rounds, 3, "%zu rounds passed before the pipe was read", endless.rounds);
	event_free(event);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

Test(later, that_is_null_is_freed_like_any_other)
{
	later_free(NULL);
}
