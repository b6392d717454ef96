/* Times of many calls, and what they come to. */
#ifndef BENCH_TIMES_H
#define BENCH_TIMES_H

#include <stddef.h>
#include <stdint.h>

/* Sorts COUNT times, the shortest first. */
void times_sort(int64_t *times_ns, size_t count);

/* The time that SHARE of COUNT sorted times do not exceed. */
double times_ms(const int64_t *times_ns, size_t count, double share);

#endif
