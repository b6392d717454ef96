/*
 * A budget of tokens a minute, which all workers of a server share: a bucket that holds the tokens of a minute and
 * fills at an even pace. It is kept as one number, the time at which the bucket will be full again (the generic cell
 * rate algorithm of ITU-T I.371), so that processes need no lock. Any thread.
 */
#ifndef SERVICE_LLM_BUDGET_H
#define SERVICE_LLM_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct budget {
	atomic_llong *full_at_ns; /* of the monotonic clock; may lie in shared memory */
	double ns_per_token;      /* 0: there is no limit */
};

/* A budget of TOKENS (0: no limit) a minute that is kept in FULL_AT_NS, which is borrowed. */
struct budget budget_new(atomic_llong *full_at_ns, int64_t tokens);

/* Whether there are TOKENS left at NOW_NS. More than a minute's are there when the bucket is full. */
bool budget_allows(const struct budget *budget, int64_t tokens, int64_t now_ns);

/* Takes TOKENS, or gives them back when they are negative. What was not there is owed. */
void budget_take(const struct budget *budget, int64_t tokens, int64_t now_ns);

#endif
