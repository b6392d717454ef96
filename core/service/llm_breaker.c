#include "service/llm_breaker.h"

struct breaker breaker_new(const struct breaker_policy *policy)
{
	return (struct breaker){.policy = *policy};
}

bool breaker_allows(const struct breaker *breaker, int64_t now_ns)
{
	return breaker->state == BREAKER_CLOSED ||
	       (breaker->state == BREAKER_OPENED && now_ns >= breaker->until_ns);
}

int64_t breaker_rest_ns(const struct breaker *breaker, int64_t now_ns)
{
	bool open = breaker->state == BREAKER_OPENED && now_ns < breaker->until_ns;
	return open ? breaker->until_ns - now_ns : 0;
}

bool breaker_begin(struct breaker *breaker)
{
	if (breaker->state != BREAKER_OPENED)
		return false;
	breaker->state = BREAKER_TRYING;
	return true;
}

static void note(struct breaker *breaker, bool failed, int64_t now_ns)
{
	breaker->calls[breaker->next].at_ns = now_ns;
	breaker->calls[breaker->next].failed = failed;
	breaker->next = (breaker->next + 1) % BREAKER_CALLS;
	if (breaker->count < BREAKER_CALLS)
		breaker->count++;
	breaker->in_a_row = failed ? breaker->in_a_row + 1 : 0;
}

/* Whether the calls of the window fail too often, or all of the last ones did: where few ask, no window has enough. */
static bool fails(const struct breaker *breaker, int64_t now_ns)
{
	int64_t calls = 0, failures = 0;
	for (size_t i = 0; i < breaker->count; i++) {
		if (now_ns - breaker->calls[i].at_ns > breaker->policy.window_ns)
			continue;
		calls++;
		failures += breaker->calls[i].failed;
	}
	return breaker->in_a_row >= breaker->policy.calls ||
	       (calls >= breaker->policy.calls &&
		       (double)failures >= breaker->policy.failures * (double)calls);
}

static void open(struct breaker *breaker, int64_t now_ns)
{
	breaker->state = BREAKER_OPENED;
	breaker->until_ns = now_ns + breaker->policy.open_ns;
	breaker->count = breaker->next = 0;
	breaker->in_a_row = 0;
}

bool breaker_end(struct breaker *breaker, bool tries, bool failed, int64_t now_ns)
{
	if (breaker->policy.calls == 0)
		return false;
	if (tries && failed) {
		open(breaker, now_ns);
		return false; /* it was open before */
	}
	if (tries) {
		breaker->state = BREAKER_CLOSED;
		return true;
	}
	if (breaker->state != BREAKER_CLOSED)
		return false; /* it began before the breaker opened */
	note(breaker, failed, now_ns);
	if (!failed || !fails(breaker, now_ns))
		return false;
	open(breaker, now_ns);
	return true;
}

void breaker_forget(struct breaker *breaker, bool tries)
{
	/* Its time is over, so the next call finds out. */
	if (tries)
		breaker->state = BREAKER_OPENED;
}
