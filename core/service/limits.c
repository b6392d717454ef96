/*
 * A bucket is one number: the time when it is full again (the generic cell rate algorithm of ITU-T I.371). To take a token puts
 * that time off by what a token takes to come back, and is refused when it would be further away than the period.
 */
#include "service/limits.h"

#include <openssl/evp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

enum {
	SETS = 16384,
	PLACES = 4, /* where a bucket may be, of those in one cache line twice */
	SEED_BYTES = 16,
	TIME_BITS = 48, /* microseconds: nine years */
};

#define TIME_MASK (((uint64_t)1 << TIME_BITS) - 1)
#define US_IN_NS  1000

/* In each place the mark of who has it, in 16 bits, and when it is full again, in microseconds; 0: nobody has it. */
struct limits {
	unsigned char seed[SEED_BYTES]; /* so that nobody can choose whose bucket to share */
	atomic_ullong sets[SETS][PLACES];
};

/* Whose bucket. */
struct spot {
	atomic_ullong *places;
	uint64_t mark; /* in its bits of a place, never 0 */
};

struct limits *limits_new(void)
{
	struct limits *limits = mmap(
		NULL, sizeof *limits, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (limits == MAP_FAILED)
		return NULL;
	if (getrandom(limits->seed, SEED_BYTES, 0) != SEED_BYTES)
		abort(); /* cannot happen: fewer than 256 bytes are never cut short */
	return limits;
}

void limits_free(struct limits *limits)
{
	if (limits != NULL)
		(void)munmap(limits, sizeof *limits);
}

static struct spot find_spot(struct limits *limits, const char *name)
{
	unsigned char text[SEED_BYTES + 512];
	unsigned char digest[32];
	uint64_t bits;
	size_t length = strnlen(name, sizeof text - SEED_BYTES);
	memcpy(text, limits->seed, SEED_BYTES);
	memcpy(text + SEED_BYTES, name, length);
	if (EVP_Digest(text, SEED_BYTES + length, digest, NULL, EVP_sha256(), NULL) != 1)
		abort(); /* only for want of memory */
	memcpy(&bits, digest, sizeof bits);
	uint64_t mark = bits >> TIME_BITS;
	return (struct spot){limits->sets[bits % SETS], (mark != 0 ? mark : 1) << TIME_BITS};
}

/* Where the bucket of SPOT is, or is to be: an empty or full one's place, or else the one that is full first, which is shared. */
static atomic_ullong *choose(const struct spot *spot, uint64_t now_us, uint64_t *seen)
{
	size_t chosen = 0;
	uint64_t earliest = UINT64_MAX;
	for (size_t i = 0; i < PLACES; i++) {
		uint64_t place = atomic_load(&spot->places[i]);
		uint64_t full_us = place & TIME_MASK;
		if ((place & ~TIME_MASK) == spot->mark) {
			*seen = place;
			return &spot->places[i];
		}
		if (full_us <= now_us)
			full_us = 0;
		if (full_us < earliest) {
			earliest = full_us;
			chosen = i;
			*seen = place;
		}
	}
	return &spot->places[chosen];
}

/* Whole microseconds that a token takes to come back, rather too many than too few. */
static uint64_t token_time(const struct limit_rate *rate)
{
	uint64_t period_us = (uint64_t)rate->period_ns / US_IN_NS;
	return (period_us + (uint64_t)rate->count - 1) / (uint64_t)rate->count;
}

/* What FULL_US, when a bucket of RATE is full again, leaves at NOW_US. */
static void describe(
	struct limit_state *state, const struct limit_rate *rate, uint64_t now_us, uint64_t full_us)
{
	int64_t token_us = (int64_t)token_time(rate);
	int64_t away_us = full_us > now_us ? (int64_t)(full_us - now_us) : 0;
	int64_t room_us = token_us * rate->count - away_us;
	state->left = room_us > 0 ? room_us / token_us : 0;
	state->reset_ns = away_us * US_IN_NS;
	state->wait_ns = room_us < token_us ? (token_us - room_us) * US_IN_NS : 0;
}

bool limits_take(struct limits *limits, const char *name, const struct limit_rate *rate,
	int64_t now_ns, struct limit_state *state)
{
	const struct spot spot = find_spot(limits, name);
	uint64_t now_us = (uint64_t)now_ns / US_IN_NS & TIME_MASK;
	uint64_t token_us = token_time(rate);
	for (;;) {
		uint64_t seen = 0;
		atomic_ullong *place = choose(&spot, now_us, &seen);
		uint64_t full_us = seen & TIME_MASK;
		if (full_us < now_us)
			full_us = now_us;
		uint64_t next_us = full_us + token_us;
		if (next_us > now_us + token_us * (uint64_t)rate->count) {
			describe(state, rate, now_us, full_us);
			return false;
		}
		/* A bucket that is shared keeps the mark of whom it was: others find it by that. */
		bool is_free = (seen & TIME_MASK) <= now_us;
		uint64_t mark = is_free ? spot.mark : seen & ~TIME_MASK;
		unsigned long long expected = seen;
		if (atomic_compare_exchange_weak(place, &expected, mark | (next_us & TIME_MASK))) {
			describe(state, rate, now_us, next_us);
			return true;
		}
	}
}
