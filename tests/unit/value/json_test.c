#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static void round_trip(const char *text, const char *expected)
{
	struct ss_error err = {0};
	struct ss_value *value = json_parse(text, strlen(text), &err);
	cr_assert_not_null(value, "%s: %s", text, err.text);
	char *printed = json_text(value);
	cr_expect_str_eq(printed, expected);
	free(printed);
	value_unref(value);
}

static void refused(const char *text, size_t length, const char *why)
{
	struct ss_error err = {0};
	cr_expect_null(json_parse(text, length, &err), "%s", text);
	cr_expect_not_null(strstr(err.text, why), "%s: %s", text, err.text);
}

Test(json, prints_what_it_read_with_sorted_members)
{
	round_trip("{\"b\": [1, 2.5, \"x\\u00e9\\n\"], \"a\": {\"t\": true, \"n\": null}}",
		"{\"a\":{\"n\":null,\"t\":true},\"b\":[1,2.5,\"x\xc3\xa9\\n\"]}");
	round_trip("9223372036854775807", "9223372036854775807");
	round_trip("-9223372036854775808", "-9223372036854775808");
	round_trip("0.1", "0.1");
	round_trip("1e2", "100.0");
	round_trip(" null ", "null");
	round_trip("[]", "[]");
}

Test(json, refuses_a_member_that_is_given_twice)
{
	refused("{\"a\": 1, \"b\": 2, \"\\u0061\": 3}", 29, "\"a\" is given more than once");
	refused("[{\"x\": {\"k\": 1, \"k\": 1}}]", 25, "\"k\" is given more than once");
}

Test(json, refuses_what_is_not_json)
{
	static const char *const bad[] = {"", "{", "{\"a\":}", "[1,]", "{\"a\":1,}", "'a'", "NaN",
		"[Infinity]", "-Infinity", "1 2", "{} x", "\"\xff\"", "\"a\nb\"", "nul", "TRUE",
		"01", "// x\n1"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		refused(bad[i], strlen(bad[i]), "");
	refused("\"a\0b\"", 5, "");
}

Test(json, refuses_numbers_that_do_not_fit)
{
	refused("99999999999999999999", 20, "out of range");
	refused("-9223372036854775809", 20, "out of range");
	refused("1e999", 5, "out of range");
}

Test(json, refuses_deep_nesting)
{
	char deep[201];
	memset(deep, '[', 100);
	memset(deep + 100, ']', 100);
	deep[200] = '\0';
	refused(deep, 200, "levels deep");
}

Test(json, keeps_an_escaped_nul_in_a_string)
{
	struct ss_value *value = json_parse("\"a\\u0000b\"", 10, NULL);
	cr_assert_eq(value_as_text(value).length, 3);
	value_unref(value);
}
