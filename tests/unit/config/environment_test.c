#include "config/environment.h"

#include "support/scratch.h"
#include "unit/config/mistakes.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void load(const char *text, size_t length, const char *expected)
{
	struct diagnostics diagnostics = {0};
	char *folder = scratch_new();
	char *file = scratch_file(folder, ".env", text, length);
	environment_load(file, &diagnostics);
	char *mistakes = mistakes_take(&diagnostics);
	/* The file's name is the same in every line and differs in every run. */
	char *rest = mistakes;
	const char *wanted = expected;
	for (char *line; (line = strsep(&rest, "\n")) != NULL && *line != '\0';) {
		cr_assert_eq(strncmp(line, file, strlen(file)), 0, "%s", line);
		line += strlen(file);
		cr_assert_eq(strncmp(wanted, line, strlen(line)), 0, "%s", line);
		wanted += strlen(line) + 1;
	}
	cr_expect_str_eq(wanted, "");
	free(mistakes);
	free(file);
	scratch_remove(folder);
}

static void load_good(const char *text)
{
	load(text, strlen(text), "");
}

Test(environment, has_the_lines_of_the_file)
{
	load_good("# a comment\n\nT_PLAIN=value\n  T_INDENTED=x  \r\nT_EMPTY=\nT_EQUALS=a=b=c\n"
		  "\t# another\nT_DOUBLE=\" spaces \"\nT_SINGLE='it''s'\nT_ONE=\"\nT_LAST=no line "
		  "break");
	cr_expect_str_eq(getenv("T_PLAIN"), "value");
	cr_expect_str_eq(getenv("T_INDENTED"), "x");
	cr_expect_str_eq(getenv("T_EMPTY"), "");
	cr_expect_str_eq(getenv("T_EQUALS"), "a=b=c");
	cr_expect_str_eq(getenv("T_DOUBLE"), " spaces ");
	cr_expect_str_eq(getenv("T_SINGLE"), "it''s");
	cr_expect_str_eq(getenv("T_ONE"), "\"");
	cr_expect_str_eq(getenv("T_LAST"), "no line break");
}

Test(environment, that_is_set_already_wins)
{
	cr_assert_eq(setenv("T_SET", "outside", 1), 0);
	load_good("T_SET=inside\nT_TWICE=first\nT_TWICE=second\n");
	cr_expect_str_eq(getenv("T_SET"), "outside");
	cr_expect_str_eq(getenv("T_TWICE"), "first");
}

Test(environment, knows_what_came_from_the_file)
{
	cr_assert_eq(setenv("T_SET", "outside", 1), 0);
	cr_expect_not(environment_from_file("T_SET"), "before there was a file");
	load_good("T_SET=inside\nT_NEW=first\nT_NEW=second\nT_NEWER=x\n");
	cr_expect(environment_from_file("T_NEW"));
	cr_expect(environment_from_file("T_NEWER"));
	cr_expect_not(environment_from_file("T_SET"));
	cr_expect_not(environment_from_file("T_NE"));
	cr_expect_not(environment_from_file("NEW"));
	cr_expect_not(environment_from_file("T_OTHER"));
}

Test(environment, reports_every_bad_line_without_its_value)
{
	static const char text[] =
		"T_GOOD=1\nsecret\n=secret\nA B=secret\nT_X = secret\n-A=secret\nT_ALSO=2\n";
	load(text, strlen(text),
		":2:1: expected NAME=VALUE\n:3:1: expected NAME=VALUE\n"
		":4:1: expected NAME=VALUE\n:5:1: expected NAME=VALUE\n"
		":6:1: expected NAME=VALUE\n");
	cr_expect_str_eq(getenv("T_GOOD"), "1");
	cr_expect_str_eq(getenv("T_ALSO"), "2");
}

Test(environment, reports_a_nul_character)
{
	load("T_A=1\nT_B=x\0y\nT_C=3\n", 20, ":2:1: has a NUL character in it\n");
	cr_expect_null(getenv("T_B"));
}

Test(environment, file_may_be_missing)
{
	struct diagnostics diagnostics = {0};
	environment_load("/nonexistent/.env", &diagnostics);
	mistakes_expect(&diagnostics, "");
}

Test(environment, file_that_cannot_be_read_is_a_mistake)
{
	struct diagnostics diagnostics = {0};
	environment_load("/tmp", &diagnostics);
	mistakes_expect(&diagnostics, "/tmp: is not a file\n");
}

Test(environment, file_that_is_too_large_is_a_mistake)
{
	char *text = memory_new(70000);
	struct diagnostics diagnostics = {0};
	char *folder = scratch_new();
	memset(text, '#', 70000);
	char *file = scratch_file(folder, ".env", text, 70000);
	environment_load(file, &diagnostics);
	cr_assert_eq(diagnostics.count, 1);
	cr_expect_str_eq(diagnostics.items[0].text, "has 70000 bytes; at most 65536 are read");
	diagnostics_free(&diagnostics);
	free(text);
	free(file);
	scratch_remove(folder);
}

Test(environment, overwrites_keys_where_they_are)
{
	load_good("FILE_API_KEY=from-the-file\n");
	(void)setenv("SOME_API_KEY", "secret", 1);
	(void)setenv("SOME_API_KEYS", "kept", 1);
	(void)setenv("_API_KEY", "kept", 1);
	(void)setenv("SECRET_KEY", "secret", 1);
	(void)setenv("SECRET_KEY_PREVIOUS", "secret", 1);
	(void)setenv("MY_SECRET_KEY", "kept", 1);
	const char *value = getenv("SOME_API_KEY");
	environment_wipe_keys();
	cr_expect_arr_eq(value, "\0\0\0\0\0\0", 6);
	cr_expect_str_eq(getenv("FILE_API_KEY"), "");
	cr_expect_str_eq(getenv("SECRET_KEY"), "");
	cr_expect_str_eq(getenv("SECRET_KEY_PREVIOUS"), "");
	cr_expect_str_eq(getenv("MY_SECRET_KEY"), "kept");
	cr_expect_str_eq(getenv("SOME_API_KEYS"), "kept");
	cr_expect_str_eq(getenv("_API_KEY"), "kept");
}
