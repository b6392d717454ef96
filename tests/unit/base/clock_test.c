#include "base/clock.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void shows(int64_t utc_ns, const char *expected)
{
	char text[CLOCK_TEXT_SIZE];
	cr_expect_eq(clock_format(utc_ns, text), text);
	cr_expect_str_eq(text, expected);
}

Test(clock, writes_rfc_3339_with_microseconds)
{
	shows(0, "1970-01-01T00:00:00.000000Z");
	shows(1769850300123456789, "2026-01-31T09:05:00.123456Z");
	shows(1709164799999999999, "2024-02-28T23:59:59.999999Z");
	shows(1709164800000000000, "2024-02-29T00:00:00.000000Z");
	shows(INT64_MAX, "2262-04-11T23:47:16.854775Z");
}

Test(clock, writes_times_before_1970)
{
	shows(-1, "1969-12-31T23:59:59.999999Z");
	shows(-1500000000, "1969-12-31T23:59:58.500000Z");
	shows(INT64_MIN, "1677-09-21T00:12:43.145224Z");
}

Test(clock, does_not_depend_on_the_time_zone)
{
	cr_assert_eq(setenv("TZ", "America/New_York", 1), 0);
	tzset();
	shows(0, "1970-01-01T00:00:00.000000Z");
}

Test(clock, never_goes_back)
{
	int64_t last = clock_monotonic_ns();
	for (int i = 0; i < 100000; i++) {
		int64_t now = clock_monotonic_ns();
		cr_assert_geq(now, last);
		last = now;
	}
}

Test(clock, tells_the_time_of_day)
{
	int64_t seconds = clock_utc_ns() / 1000000000;
	cr_expect_leq(llabs(seconds - (int64_t)time(NULL)), 1);
}
