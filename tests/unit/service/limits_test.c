#include "service/limits.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECOND_NS ((int64_t)1000000000)

static const int64_t start_ns = 5000 * SECOND_NS;
static const struct limit_rate five = {5, SECOND_NS};
static struct limits *limits;

static void set_up(void)
{
	limits = limits_new();
	cr_assert_not_null(limits);
}

static void tear_down(void)
{
	limits_free(limits);
}

TestSuite(limits, .init = set_up, .fini = tear_down);

static bool take(const char *name, int64_t now_ns)
{
	struct limit_state state;
	return limits_take(limits, name, &five, now_ns, &state);
}

Test(limits, gives_as_many_as_a_bucket_has_and_then_as_they_come_back)
{
	struct limit_state state;
	for (int64_t left = 4; left >= 0; left--) {
		cr_assert(limits_take(limits, "a", &five, start_ns, &state));
		cr_expect_eq(state.left, left);
		cr_expect_eq(state.reset_ns, (5 - left) * SECOND_NS / 5);
	}
	cr_expect_not(limits_take(limits, "a", &five, start_ns, &state));
	cr_expect_eq(state.left, 0);
	cr_expect_eq(state.wait_ns, SECOND_NS / 5);
	cr_expect_not(take("a", start_ns + SECOND_NS / 5 - 1000));
	cr_expect(take("a", start_ns + SECOND_NS / 5));
	cr_expect_not(take("a", start_ns + SECOND_NS / 5));
	cr_expect(take("b", start_ns));
}

Test(limits, lets_no_more_through_in_any_time_than_a_bucket_and_what_comes_back)
{
	size_t taken = 0;
	for (int64_t ns = 0; ns < 10 * SECOND_NS; ns += SECOND_NS / 1000)
		taken += take("a", start_ns + ns);
	cr_expect_eq(taken, 5 + 10 * 5 - 1);
}

/* More have buckets than there are places: somebody may get less, nobody more. */
Test(limits, gives_nobody_more_when_there_are_too_many)
{
	enum { MANY = 200000 };
	unsigned char *taken = memory_array(MANY, 1);
	for (size_t round = 0; round < 7; round++) {
		for (size_t i = 0; i < MANY; i++) {
			char name[16];
			(void)snprintf(name, sizeof name, "%zu", i);
			taken[i] = (unsigned char)(taken[i] + take(name, start_ns));
		}
	}
	size_t whole = 0;
	for (size_t i = 0; i < MANY; i++) {
		cr_assert_leq(taken[i], 5);
		whole += taken[i] == 5;
	}
	cr_expect_gt(whole, 0);
	cr_expect_lt(whole, MANY);
	free(taken);
}

Test(limits, are_shared_by_processes)
{
	enum { PROCESSES = 4, TRIES = 20000, COUNT = 10000 };
	const struct limit_rate rate = {COUNT, 3600 * SECOND_NS};
	int results[2];
	size_t all = 0;
	cr_assert_eq(pipe(results), 0);
	for (size_t i = 0; i < PROCESSES; i++) {
		if (fork() != 0)
			continue;
		size_t taken = 0;
		struct limit_state state;
		for (size_t k = 0; k < TRIES; k++)
			taken += limits_take(limits, "a", &rate, start_ns, &state);
		_exit(write(results[1], &taken, sizeof taken) == sizeof taken ? 0 : 1);
	}
	for (size_t i = 0; i < PROCESSES; i++) {
		size_t taken = 0;
		cr_assert_eq(read(results[0], &taken, sizeof taken), sizeof taken);
		all += taken;
		(void)wait(NULL);
	}
	cr_expect_eq(all, COUNT);
}
