#include "base/id.h"

#include "base/clock.h"
#include "base/memory.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Expects "8-4-4-4-12" lower-case hexadecimal digits with version 7 and the variant of RFC 9562. */
static void expect_uuid7(const char *uuid)
{
	cr_assert_eq(strlen(uuid), 36, "%s", uuid);
	for (size_t i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		cr_assert(dash ? uuid[i] == '-' : strchr("0123456789abcdef", uuid[i]) != NULL, "%s",
			uuid);
	}
	cr_assert_eq(uuid[14], '7', "%s", uuid);
	cr_assert_not_null(strchr("89ab", uuid[19]), "%s", uuid);
}

/* The first 48 bits: Unix time in milliseconds. */
static int64_t time_of(const char *uuid)
{
	char digits[13] = "";
	memcpy(digits, uuid, 8);
	memcpy(digits + 8, uuid + 9, 4);
	return strtoll(digits, NULL, 16);
}

Test(id, is_a_uuid_of_version_7_behind_its_prefix)
{
	char id[ID_SIZE];
	for (int i = 0; i < 1000; i++) {
		cr_assert_eq(id_new("conv_", id), id);
		cr_assert_eq(strncmp(id, "conv_", 5), 0);
		expect_uuid7(id + 5);
		expect_uuid7(id_new("", id));
	}
}

Test(id, holds_the_time_it_was_made)
{
	char id[ID_SIZE];
	int64_t before = clock_utc_ns() / 1000000;
	int64_t made = time_of(id_new("", id));
	int64_t after = clock_utc_ns() / 1000000;
	cr_expect_geq(made, before);
	cr_expect_leq(made, after);
}

Test(id, sorts_by_the_time_it_was_made)
{
	char last[ID_SIZE];
	char id[ID_SIZE];
	id_new("t_", last);
	for (int i = 0; i < 30; i++) {
		const struct timespec pause = {.tv_nsec = 2000000};
		(void)nanosleep(&pause, NULL);
		cr_assert_gt(strcmp(id_new("t_", id), last), 0, "%s after %s", id, last);
		memcpy(last, id, sizeof last);
	}
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

Test(id, is_made_once_only)
{
	enum { COUNT = 10000 };
	char(*ids)[ID_SIZE] = memory_array(COUNT, sizeof *ids);
	for (size_t i = 0; i < COUNT; i++)
		id_new("x", ids[i]);
	qsort(ids, COUNT, sizeof *ids, compare);
	for (size_t i = 1; i < COUNT; i++)
		cr_assert_str_neq(ids[i - 1], ids[i]);
	free(ids);
}

Test(id, cuts_a_prefix_that_is_too_long)
{
	char id[ID_SIZE];
	id_new("a_prefix_of_more_than_sixteen_characters", id);
	cr_assert_eq(strncmp(id, "a_prefix_of_more", 16), 0);
	expect_uuid7(id + 16);
}
