/* What is stored has identifiers that grow. */
#include "base/memory.h"
#include "common/sql/operations.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { IDS = 1000 };

static void expect_uuid(const char *id, int64_t at_us)
{
	static const char *const form = "xxxxxxxx-xxxx-7xxx-yxxx-xxxxxxxxxxxx";
	cr_expect_eq(strlen(id), strlen(form), "%s", id);
	for (size_t i = 0; form[i] != '\0'; i++) {
		const char *among = "0123456789abcdef", one[] = {form[i], '\0'};
		if (form[i] == 'y')
			among = "89ab"; /* the variant of RFC 9562 */
		else if (form[i] != 'x')
			among = one;
		cr_expect_not_null(strchr(among, id[i]), "%s: %zu", id, i);
	}
	char *ms = memory_format("%.8s%.4s", id, id + 9);
	cr_expect_eq(strtoll(ms, NULL, 16), at_us / 1000, "%s", id);
	free(ms);
}

Test(sql_ids, they_sort_by_their_time_to_the_microsecond)
{
	static const int64_t at_us = 1790000000123000;
	char last[DATABASE_ID_SIZE] = "", id[DATABASE_ID_SIZE];
	for (int64_t i = 0; i < 3000; i++) {
		cr_assert_eq(database_make_id(at_us + i, id, NULL), 0);
		expect_uuid(id, at_us + i);
		cr_expect_gt(strcmp(id, last), 0, "%s, %s", last, id);
		memcpy(last, id, sizeof last);
	}
}

Test(sql_ids, those_that_are_made_together_grow)
{
	char(*ids)[DATABASE_ID_SIZE] = calloc(IDS, sizeof *ids);
	int64_t before_us = database_now_us();
	cr_assert_eq(database_make_ids(ids, IDS, NULL), 0);
	int64_t after_us = database_now_us();
	for (size_t i = 0; i < IDS; i++) {
		char *ms = memory_format("%.8s%.4s", ids[i], ids[i] + 9);
		int64_t at_us = strtoll(ms, NULL, 16) * 1000;
		free(ms);
		cr_expect(at_us / 1000 >= before_us / 1000 && at_us <= after_us, "%s", ids[i]);
		expect_uuid(ids[i], at_us);
		if (i > 0)
			cr_expect_gt(strcmp(ids[i], ids[i - 1]), 0, "%s, %s", ids[i - 1], ids[i]);
	}
	free(ids);
}

Test(sql_ids, the_same_moment_gives_other_ids)
{
	char first[DATABASE_ID_SIZE], second[DATABASE_ID_SIZE];
	cr_assert_eq(database_make_id(1790000000123456, first, NULL), 0);
	cr_assert_eq(database_make_id(1790000000123456, second, NULL), 0);
	cr_expect_str_neq(first, second);
}
