#include "service/llm_breaker.h"

#include <criterion/criterion.h>

/* Opens at half of at least 4 calls in 100 ns, for 50 ns. */
static const struct breaker_policy policy = {0.5, 4, 100, 50};

/* Calls at NOW, if that is allowed; whether it was. */
static bool call(struct breaker *breaker, bool failed, int64_t now)
{
	if (!breaker_allows(breaker, now))
		return false;
	(void)breaker_end(breaker, breaker_begin(breaker), failed, now);
	return true;
}

Test(llm_breaker, opens_at_its_share_of_failures)
{
	struct breaker breaker = breaker_new(&policy);
	cr_expect(call(&breaker, true, 1));
	cr_expect(call(&breaker, false, 2));
	cr_expect(call(&breaker, false, 3));
	cr_expect(breaker_allows(&breaker, 4));
	cr_expect(call(&breaker, true, 4));
	cr_expect_not(breaker_allows(&breaker, 5));
	cr_expect_not(breaker_allows(&breaker, 53));
	cr_expect(breaker_allows(&breaker, 54));
}

Test(llm_breaker, does_not_open_for_a_few_calls_or_for_old_ones)
{
	struct breaker breaker = breaker_new(&policy);
	for (int64_t now = 0; now < 3; now++)
		cr_expect(call(&breaker, true, now));
	cr_expect(call(&breaker, false, 50));
	cr_expect(call(&breaker, true, 200));
	cr_expect(call(&breaker, true, 201));
	cr_expect(call(&breaker, true, 202));
	cr_expect(breaker_allows(&breaker, 203));
	cr_expect(call(&breaker, true, 203));
	cr_expect_not(breaker_allows(&breaker, 204));
}

Test(llm_breaker, opens_for_failures_in_a_row_however_seldom_calls_are)
{
	struct breaker breaker = breaker_new(&policy);
	for (int64_t i = 0; i < 4; i++)
		cr_expect(call(&breaker, true, i * 1000));
	cr_expect_not(breaker_allows(&breaker, 3001));
}

Test(llm_breaker, stays_closed_while_most_calls_go_well)
{
	struct breaker breaker = breaker_new(&policy);
	for (int64_t now = 0; now < 1000; now++)
		cr_expect(call(&breaker, now % 3 == 2, now));
}

Test(llm_breaker, lets_one_call_find_out)
{
	struct breaker breaker = breaker_new(&policy);
	for (int64_t now = 0; now < 4; now++)
		(void)call(&breaker, true, now);
	bool tries = breaker_begin(&breaker);
	cr_expect(tries);
	cr_expect_not(breaker_allows(&breaker, 60), "another one is under way");
	cr_expect_not(breaker_end(&breaker, tries, true, 60), "it was open before");
	cr_expect_not(breaker_allows(&breaker, 109));
	cr_expect(breaker_allows(&breaker, 110));
	tries = breaker_begin(&breaker);
	cr_expect(breaker_end(&breaker, tries, false, 120));
	cr_expect(breaker_allows(&breaker, 120));
	cr_expect(call(&breaker, true, 121), "what was before it opened is forgotten");
	cr_expect(call(&breaker, true, 122));
	cr_expect(breaker_allows(&breaker, 123));
}

Test(llm_breaker, is_not_told_anything_by_calls_that_began_before_it_opened)
{
	struct breaker breaker = breaker_new(&policy);
	bool late = breaker_begin(&breaker);
	for (int64_t now = 0; now < 4; now++)
		(void)call(&breaker, true, now);
	cr_expect_not(breaker_end(&breaker, late, false, 10));
	cr_expect_not(breaker_allows(&breaker, 11));
	bool tries = breaker_begin(&breaker);
	breaker_forget(&breaker, late);
	cr_expect_not(breaker_allows(&breaker, 60));
	breaker_forget(&breaker, tries);
	cr_expect(breaker_allows(&breaker, 60), "who was to find out was given up");
}

Test(llm_breaker, never_opens_without_a_least_number_of_calls)
{
	struct breaker breaker = breaker_new(&(struct breaker_policy){0.5, 0, 100, 50});
	for (int64_t now = 0; now < 100; now++)
		cr_expect(call(&breaker, true, now));
}

Test(llm_breaker, tells_for_how_long_it_is_open)
{
	struct breaker breaker = breaker_new(&policy);
	cr_expect_eq(breaker_rest_ns(&breaker, 0), 0);
	for (int64_t i = 0; i < 4; i++)
		cr_expect(call(&breaker, true, i));
	cr_expect_eq(breaker_rest_ns(&breaker, 3), 50);
	cr_expect_eq(breaker_rest_ns(&breaker, 50), 3);
	cr_expect_eq(breaker_rest_ns(&breaker, 60), 0);
	cr_expect(breaker_begin(&breaker));
	cr_expect_eq(breaker_rest_ns(&breaker, 60), 0);
}
