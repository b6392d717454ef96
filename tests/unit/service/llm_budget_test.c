#include "service/llm_budget.h"

#include <criterion/criterion.h>

static const int64_t second = 1000000000;

Test(llm_budget, holds_the_tokens_of_a_minute_and_fills_at_an_even_pace)
{
	atomic_llong full_at = 0;
	const struct budget budget = budget_new(&full_at, 600);
	int64_t now = 1000 * second;
	cr_expect(budget_allows(&budget, 600, now));
	budget_take(&budget, 600, now);
	cr_expect_not(budget_allows(&budget, 1, now));
	now += second;
	cr_expect(budget_allows(&budget, 10, now));
	cr_expect_not(budget_allows(&budget, 11, now));
	now += 59 * second;
	cr_expect(budget_allows(&budget, 600, now));
}

Test(llm_budget, lets_a_full_bucket_be_overdrawn_and_waits_until_that_has_flowed_in)
{
	atomic_llong full_at = 0;
	const struct budget budget = budget_new(&full_at, 60);
	int64_t now = 1000 * second;
	cr_expect(budget_allows(&budget, 90, now));
	budget_take(&budget, 90, now);
	cr_expect_not(budget_allows(&budget, 1, now + 30 * second));
	cr_expect(budget_allows(&budget, 1, now + 31 * second));
}

Test(llm_budget, takes_back_what_was_not_used)
{
	atomic_llong full_at = 0;
	const struct budget budget = budget_new(&full_at, 60);
	int64_t now = 1000 * second;
	budget_take(&budget, 60, now);
	budget_take(&budget, -20, now);
	cr_expect(budget_allows(&budget, 20, now));
	cr_expect_not(budget_allows(&budget, 21, now));
}

Test(llm_budget, does_not_add_up_what_it_cannot_hold)
{
	atomic_llong full_at = 0;
	const struct budget budget = budget_new(&full_at, 60);
	budget_take(&budget, 1, 1000 * second);
	budget_take(&budget, 60, 10000 * second);
	cr_expect_not(budget_allows(&budget, 1, 10000 * second));
	budget_take(&budget, INT64_MAX, 10000 * second);
	cr_expect_not(budget_allows(&budget, 1, 20000 * second), "no number overflows");
}

Test(llm_budget, of_no_tokens_is_no_limit)
{
	atomic_llong full_at = 0;
	const struct budget budget = budget_new(&full_at, 0);
	budget_take(&budget, INT64_MAX, second);
	cr_expect(budget_allows(&budget, INT64_MAX, second));
}
