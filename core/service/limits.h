/*
 * Limits: how much somebody may ask for, as token buckets that all workers share, in memory that the master maps before it
 * forks. A bucket is full of so many tokens, each request takes one, and they come back evenly over a period.
 *
 * The table has a fixed size. Whose bucket is full again has none: nothing is lost by that. When all places that
 * somebody's bucket may have are taken by buckets that are not full, two share one, so that one of them may get less than
 * the limit; nobody ever gets more. Buckets of one machine only: servers on several count by themselves. Any thread.
 */
#ifndef SERVICE_LIMITS_H
#define SERVICE_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct limits;

/* So many tokens come back in such a time; at most 1000000 a second. */
struct limit_rate {
	int64_t count;
	int64_t period_ns;
};

/* What is left of a bucket. */
struct limit_state {
	int64_t left;     /* tokens, whole ones */
	int64_t reset_ns; /* until it is full again */
	int64_t wait_ns;  /* until there is one token; 0: there is one */
};

/* Maps the table. NULL when the system has no memory. */
struct limits *limits_new(void);
/* Unmaps it in this process. NULL is allowed. */
void limits_free(struct limits *limits);

/* Takes a token at NOW_NS, of the monotonic clock, from the bucket of whom NAME tells from all others. Whether there was one. */
bool limits_take(struct limits *limits, const char *name, const struct limit_rate *rate,
	int64_t now_ns, struct limit_state *state);

#endif
