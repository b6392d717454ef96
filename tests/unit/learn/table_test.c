#include "learn/table.h"

#include <criterion/criterion.h>
#include <string.h>

static void expect_line(const char *text, size_t columns, const char *wanted)
{
	struct buffer buffer = {0};
	table_line(&buffer, (struct ss_text){text, strlen(text)}, columns);
	cr_expect_str_eq(buffer_text(&buffer), wanted);
	buffer_free(&buffer);
}

Test(table, shows_a_text_on_one_line_without_what_steers_a_terminal)
{
	expect_line("a\tb\nc", 10, "a b c");
	expect_line("\033[31mred", 10, " [31mred");
	expect_line("a\xe2\x80\xae"
		    "b",
		10, "ab"); /* right-to-left override */
	expect_line("a\xff"
		    "b",
		10,
		"a\xef\xbf\xbd"
		"b");
}

Test(table, cuts_between_characters_and_says_so)
{
	expect_line("Zürich", 6, "Zürich");
	expect_line("Zürich", 5, "Züri…");
	expect_line("日本語", 6, "日本語");
	expect_line("日本語", 5, "日本…");
	expect_line("日本語", 4, "日…");
	expect_line("a", 0, "");
}

Test(table, fills_columns_and_not_bytes)
{
	struct buffer buffer = {0};
	table_left(&buffer, "Zürich", 8);
	table_right(&buffer, "日本", 6);
	table_cell(&buffer, 5, "%d", 7);
	cr_expect_str_eq(buffer_text(&buffer), "Zürich    日本    7");
	buffer_free(&buffer);
}
