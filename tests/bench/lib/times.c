#include "lib/times.h"

#include <stdlib.h>

static int compare(const void *a, const void *b)
{
	int64_t first = *(const int64_t *)a, second = *(const int64_t *)b;
	return (first > second) - (first < second);
}

void times_sort(int64_t *times_ns, size_t count)
{
	qsort(times_ns, count, sizeof *times_ns, compare);
}

double times_ms(const int64_t *times_ns, size_t count, double share)
{
	return (double)times_ns[(size_t)((double)(count - 1) * share)] / 1e6;
}
