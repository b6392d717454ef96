#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
	struct timespec now;
	(void)clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_monotonic_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t clock_utc_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

char *clock_format(int64_t utc_ns, char text[CLOCK_TEXT_SIZE])
{
	time_t seconds = (time_t)(utc_ns / 1000000000);
	int rest = (int)(utc_ns % 1000000000);
	struct tm parts;
	char day[24];
	if (rest < 0) {
		rest += 1000000000;
		seconds--;
	}
	(void)gmtime_r(&seconds, &parts);
	(void)strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &parts);
	(void)snprintf(text, CLOCK_TEXT_SIZE, "%.19s.%06dZ", day, rest / 1000 % 1000000);
	return text;
}
