/*
 * A circuit breaker: a model that keeps failing is not asked for a while, so that questions go on to the next one
 * at once. It is closed while calls go well; opens when the share of failures among the calls of a window is too
 * high, or as many calls as make a share have failed one after the other; and after a time lets one call through,
 * which closes or opens it again. Loop thread.
 */
#ifndef SERVICE_LLM_BREAKER_H
#define SERVICE_LLM_BREAKER_H

#include "config/models.h"

#include <stdbool.h>
#include <stddef.h>

enum breaker_state {
	BREAKER_CLOSED,
	BREAKER_OPENED,
	BREAKER_TRYING, /* one call is under way to find out */
};

/* The calls that are remembered; what happened before them counts no more. */
enum { BREAKER_CALLS = 64 };

struct breaker {
	struct breaker_policy policy;
	enum breaker_state state;
	int64_t until_ns; /* while it is open */
	struct {
		int64_t at_ns;
		bool failed;
	} calls[BREAKER_CALLS]; /* a ring */
	size_t next, count;
	int64_t in_a_row; /* failures since a call went well */
};

struct breaker breaker_new(const struct breaker_policy *policy);

/* Whether a call may start at NOW_NS. */
bool breaker_allows(const struct breaker *breaker, int64_t now_ns);

/* How long it stays open after NOW_NS: 0 when a call may start, or one is under way that finds out. */
int64_t breaker_rest_ns(const struct breaker *breaker, int64_t now_ns);

/* A call that is allowed starts. Whether it is the one that finds out; breaker_end() and breaker_forget() are told. */
bool breaker_begin(struct breaker *breaker);

/* A call ended, and FAILED or not. Returns whether the breaker opened or closed by it. */
bool breaker_end(struct breaker *breaker, bool tries, bool failed, int64_t now_ns);

/* A call was given up before it could tell anything. */
void breaker_forget(struct breaker *breaker, bool tries);

#endif
