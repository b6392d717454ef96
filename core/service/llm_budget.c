#include "service/llm_budget.h"

static const int64_t minute_ns = INT64_C(60000000000);

struct budget budget_new(atomic_llong *full_at_ns, int64_t tokens)
{
	return (struct budget){full_at_ns, tokens > 0 ? (double)minute_ns / (double)tokens : 0};
}

/* The time in which as many tokens flow in; of a number that no model ever takes, a year. */
static int64_t time_of(const struct budget *budget, int64_t tokens)
{
	const double most = 365.0 * 86400e9;
	double ns = budget->ns_per_token * (double)tokens;
	return (int64_t)(ns > most ? most : ns < -most ? -most : ns);
}

bool budget_allows(const struct budget *budget, int64_t tokens, int64_t now_ns)
{
	if (budget->ns_per_token <= 0)
		return true;
	int64_t full_at_ns = atomic_load_explicit(budget->full_at_ns, memory_order_relaxed);
	return full_at_ns <= now_ns || full_at_ns + time_of(budget, tokens) <= now_ns + minute_ns;
}

void budget_take(const struct budget *budget, int64_t tokens, int64_t now_ns)
{
	if (budget->ns_per_token <= 0)
		return;
	long long before = atomic_load_explicit(budget->full_at_ns, memory_order_relaxed);
	long long after;
	do {
		long long from = tokens > 0 && before < now_ns ? now_ns : before;
		after = from + time_of(budget, tokens);
	} while (!atomic_compare_exchange_weak_explicit(
		budget->full_at_ns, &before, after, memory_order_relaxed, memory_order_relaxed));
}
