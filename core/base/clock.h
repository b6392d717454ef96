/* Time: a monotonic clock for durations, UTC for what is stored and shown. Any thread. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/* Nanoseconds of a clock that never goes back; only differences mean something. */
int64_t clock_monotonic_ns(void);

/* Unix time in nanoseconds, UTC. */
int64_t clock_utc_ns(void);

/* Bytes that clock_format needs, the NUL included. */
enum { CLOCK_TEXT_SIZE = 32 };

/* Writes UTC_NS as RFC 3339 with microseconds, 2026-01-31T09:05:00.123456Z. Returns TEXT. */
char *clock_format(int64_t utc_ns, char text[CLOCK_TEXT_SIZE]);

#endif
