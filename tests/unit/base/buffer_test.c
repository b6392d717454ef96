#include "base/buffer.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

Test(buffer, is_an_empty_text_before_anything_was_added)
{
	struct buffer buffer = {0};
	cr_expect_str_eq(buffer_text(&buffer), "");
	char *taken = buffer_take(&buffer);
	cr_expect_str_eq(taken, "");
	free(taken);
	buffer_free(&buffer);
}

Test(buffer, collects_what_is_added_in_order)
{
	struct buffer buffer = {0};
	buffer_add(&buffer, "abcdef", 3);
	buffer_add_char(&buffer, '-');
	buffer_add_string(&buffer, "x");
	buffer_add_format(&buffer, "%03d%s", 7, "!");
	buffer_add_format(&buffer, "%s", "");
	cr_expect_str_eq(buffer_text(&buffer), "abc-x007!");
	cr_expect_eq(buffer.length, 9);
	buffer_free(&buffer);
	cr_expect_null(buffer.data);
	cr_expect_eq(buffer.length, 0);
}

Test(buffer, keeps_a_nul_among_its_bytes)
{
	struct buffer buffer = {0};
	buffer_add(&buffer, "a\0b", 3);
	cr_expect_eq(buffer.length, 3);
	cr_expect_eq(memcmp(buffer_text(&buffer), "a\0b", 4), 0);
	buffer_free(&buffer);
}

Test(buffer, ends_with_a_nul_at_every_length)
{
	struct buffer buffer = {0};
	for (size_t i = 0; i < 5000; i++) {
		buffer_add_format(&buffer, "%c", (char)('a' + i % 26));
		cr_assert_eq(buffer.length, i + 1);
		cr_assert_eq(buffer.data[i + 1], '\0');
		cr_assert_lt(buffer.length, buffer.capacity);
	}
	for (size_t i = 0; i < 5000; i++)
		cr_assert_eq(buffer.data[i], (char)('a' + i % 26));
	buffer_free(&buffer);
}

Test(buffer, formats_more_than_it_has_room_for)
{
	struct buffer buffer = {0};
	buffer_add_string(&buffer, "x");
	buffer_add_format(&buffer, "%10000d|", 5);
	cr_expect_eq(buffer.length, 10002);
	cr_expect_str_eq(buffer.data + 10000, "5|");
	buffer_free(&buffer);
}

Test(buffer, is_empty_and_usable_after_its_text_was_taken)
{
	struct buffer buffer = {0};
	buffer_add_string(&buffer, "first");
	char *first = buffer_take(&buffer);
	buffer_add_string(&buffer, "second");
	cr_expect_str_eq(first, "first");
	cr_expect_str_eq(buffer_text(&buffer), "second");
	free(first);
	buffer_free(&buffer);
}
