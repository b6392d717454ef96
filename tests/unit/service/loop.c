#include "unit/service/loop.h"

#include "base/clock.h"

#include <criterion/criterion.h>
#include <event2/event.h>

static void on_tick(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	(void)context;
}

void loop_until(struct event_base *base, const size_t *count, size_t wanted)
{
	const struct timeval tick = {.tv_usec = 100000};
	const int64_t give_up = clock_monotonic_ns() + 120000000000;
	struct event *timer = event_new(base, -1, EV_PERSIST, on_tick, NULL);
	cr_assert_eq(event_add(timer, &tick), 0);
	while (*count < wanted) {
		cr_assert_lt(clock_monotonic_ns(), give_up, "%zu of %zu happened", *count, wanted);
		(void)event_base_loop(base, EVLOOP_ONCE);
	}
	event_free(timer);
}

void gate_init(struct gate *gate, bool closed)
{
	gate->closed = closed;
	cr_assert_eq(sem_init(&gate->reached, 0, 0), 0);
	cr_assert_eq(sem_init(&gate->open, 0, 0), 0);
}

void gate_destroy(struct gate *gate)
{
	(void)sem_destroy(&gate->reached);
	(void)sem_destroy(&gate->open);
}

static void wait_for(sem_t *semaphore)
{
	while (sem_wait(semaphore) != 0) {
	}
}

void gate_pass(struct gate *gate)
{
	if (!gate->closed)
		return;
	(void)sem_post(&gate->reached);
	wait_for(&gate->open);
}

void gate_wait(struct gate *gate)
{
	wait_for(&gate->reached);
}

void gate_open(struct gate *gate, size_t count)
{
	for (size_t i = 0; i < count; i++)
		(void)sem_post(&gate->open);
}
