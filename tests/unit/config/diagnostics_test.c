#include "config/diagnostics.h"

#include "unit/config/mistakes.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

Test(diagnostics, are_printed_by_file_line_and_column)
{
	struct diagnostics diagnostics = {0};
	diagnostics_add(&diagnostics, "b.yaml", 1, 1, "seventh");
	diagnostics_add(&diagnostics, "a.yaml", 10, 2, "sixth");
	diagnostics_add(&diagnostics, "a.yaml", 2, 11, "fourth");
	diagnostics_add(&diagnostics, "a.yaml", 2, 3, "%s", "third");
	diagnostics_add(&diagnostics, "a.yaml", 0, 0, "first");
	diagnostics_add(&diagnostics, "a.yaml", 10, 1, "fifth");
	diagnostics_add(&diagnostics, "a.yaml", 2, 3, "a second");
	mistakes_expect(&diagnostics, "a.yaml: first\n"
				      "a.yaml:2:3: a second\n"
				      "a.yaml:2:3: third\n"
				      "a.yaml:2:11: fourth\n"
				      "a.yaml:10:1: fifth\n"
				      "a.yaml:10:2: sixth\n"
				      "b.yaml:1:1: seventh\n");
}

Test(diagnostics, none_are_nothing)
{
	struct diagnostics diagnostics = {0};
	mistakes_expect(&diagnostics, "");
}

Test(diagnostics, end_at_their_limit_and_say_so_in_the_end)
{
	struct diagnostics diagnostics = {0};
	for (size_t line = 1000; line > 0; line--)
		diagnostics_add(&diagnostics, "x.yaml", line, 1, "mistake");
	cr_expect_eq(diagnostics.count, DIAGNOSTICS_LIMIT + 1);
	char *text = mistakes_take(&diagnostics);
	const char *last = strstr(text, "and more mistakes; mend these first\n");
	cr_assert_not_null(last);
	cr_expect_str_eq(strchr(last, '\n'), "\n");
	free(text);
}

Test(diagnostics, are_one_line_each)
{
	struct diagnostics diagnostics = {0};
	diagnostics_add(&diagnostics, "x.yaml", 1, 2, "bad value \"%s\"", "one\ntwo\r\x1b[31m");
	mistakes_expect(&diagnostics, "x.yaml:1:2: bad value \"one two  [31m\"\n");
}

static void expect_hint(const char *word, const char *expected)
{
	static const char *const names[] = {"timeout", "temperature", "top_k", "model"};
	char text[80];
	cr_expect_eq(diagnostics_hint(word, names, array_length(names), text, sizeof text), text);
	cr_expect_str_eq(text, expected);
}

Test(diagnostics, hint_names_the_nearest_word)
{
	expect_hint("timout", " (did you mean \"timeout\"?)");
	expect_hint("topk", " (did you mean \"top_k\"?)");
	expect_hint("modle", " (did you mean \"model\"?)");
	expect_hint("temprature", " (did you mean \"temperature\"?)");
	expect_hint("colour", "");
	expect_hint("", "");
}

Test(diagnostics, hint_is_cut_to_its_room)
{
	static const char *const names[] = {"a_name_that_is_rather_long"};
	char text[10];
	diagnostics_hint("a_name_that_is_rather_lon", names, 1, text, sizeof text);
	cr_expect_str_eq(text, " (did you");
	diagnostics_hint("x", NULL, 0, text, sizeof text);
	cr_expect_str_eq(text, "");
}
