#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <math.h>
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

Test(json, refuses_what_is_not_utf_8)
{
	refused("\"\xff\"", 3, "is not UTF-8 at byte 1");
	refused("\"ab\xc1\xa9\"", 6, "is not UTF-8 at byte 3"); /* a letter in two bytes */
	refused("\"\xe0\x80\xaf\"", 5, "is not UTF-8 at byte 1");
	refused("\"\xed\xa0\x80\"", 5, "is not UTF-8 at byte 1"); /* half of a pair */
	refused("\"\xf4\x90\x80\x80\"", 6, "is not UTF-8 at byte 1");
	refused("{\"\xc3\": 1}", 7, "is not UTF-8 at byte 2");
	refused("\"\xc3", 2, "is not UTF-8 at byte 1");
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

/* A list of LEVELS lists, one in the other, with a number in the last. */
static struct ss_value *nested(int levels)
{
	struct ss_value *value = value_int(1);
	for (int i = 0; i < levels; i++) {
		struct ss_value *inner = value;
		value = value_list(&inner, 1);
	}
	return value;
}

Test(json, knows_what_would_be_nested_too_deep_to_be_read)
{
	for (int levels = 0; levels < 2 * JSON_DEPTH; levels++) {
		struct ss_value *value = nested(levels);
		char *text = json_text(value);
		struct ss_value *read = json_parse(text, strlen(text), NULL);
		cr_expect_eq(json_reads_back(value), read != NULL, "%d levels", levels);
		value_unref(read);
		free(text);
		value_unref(value);
	}
}

Test(json, keeps_an_escaped_nul_in_a_string)
{
	struct ss_value *value = json_parse("\"a\\u0000b\"", 10, NULL);
	cr_assert_eq(value_as_text(value).length, 3);
	value_unref(value);
}

Test(json, refuses_numbers_that_rfc_8259_does_not_allow)
{
	static const char *const bad[] = {"-", "+1", ".5", "1.", "-.5", "1e", "1e+", "1.e5", "00",
		"-01", "0x10", "1_000", "--1", "1-", "1+1", "1.2.3", "1e5e5", "[1.]", "[-]",
		"{\"a\": 1.}", "{\"a\": +1}"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		refused(bad[i], strlen(bad[i]), "");
}

Test(json, takes_numbers_of_any_length)
{
	round_trip("0.10000000000000000000000000000000000000000000000000000000000000000000000000",
		"0.1");
	round_trip("1e-400", "0.0");
	round_trip("1.7976931348623157e308", "1.7976931348623157e+308");
	round_trip("-0", "0");
	round_trip("-0.0", "-0.0");
}

Test(json, refuses_other_white_space_and_stray_commas)
{
	static const char *const bad[] = {"\f1", "1\v", "{\"a\":1\f}", "[1,\v2]", "\xef\xbb\xbf{}",
		("\xc2\xa0"
		 "1"),
		"[,1]", "[1,,2]", "{,}", "{\"a\":1,,\"b\":2}", "[1 2]", "{\"a\" 1}", "{1:2}",
		"{a:1}", "[", "]", "}", "[}", "{]", "[1", "{\"a\"", "{\"a\":", "\"", "\"\\",
		"\"\\x\"", "\"\\u12\"", "tru", "nullx", "truefalse", "/**/1", "\"a\" \"b\""};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		refused(bad[i], strlen(bad[i]), "");
}

Test(json, reads_thirty_two_levels_and_no_more)
{
	char text[2 * (JSON_DEPTH + 1) + 1] = "";
	for (size_t depth = JSON_DEPTH; depth <= JSON_DEPTH + 1; depth++) {
		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		struct ss_value *value = json_parse(text, 2 * depth, NULL);
		cr_expect_eq(value != NULL, depth <= JSON_DEPTH, "%zu levels", depth);
		value_unref(value);
	}
}

Test(json, refuses_a_name_that_values_cannot_hold)
{
	refused("{\"a\\u0000b\": 1}", 15, "NUL");
}

Test(json, prints_null_for_a_number_that_json_does_not_have)
{
	struct ss_value *items[] = {value_number((double)NAN), value_number((double)INFINITY),
		value_number(-(double)INFINITY), value_number(1.5)};
	struct ss_value *list = value_list(items, 4);
	char *text = json_text(list);
	cr_expect_str_eq(text, "[null,null,null,1.5]");
	free(text);
	value_unref(list);
}

Test(json, names_the_place_of_a_mistake)
{
	refused("{\"a\": 1, \"b\": x}", 16, "at byte 14");
	refused("[1, 99999999999999999999]", 25, "at byte 4");
}

Test(json, appends_to_what_is_there)
{
	struct buffer buffer = {0};
	struct ss_value *value = value_text("a/b");
	buffer_add_string(&buffer, "data: ");
	json_print(&buffer, value);
	json_print(&buffer, NULL);
	cr_expect_str_eq(buffer_text(&buffer), "data: \"a/b\"null");
	value_unref(value);
	buffer_free(&buffer);
}

Test(json, prints_text_that_is_not_utf_8_with_replacement_characters)
{
	struct ss_value *value = value_map_make(
		{"k\xff", value_string("a\xc3(\xed\xa0\x80", 6)}, {"good", value_text("\xc3\xa9")});
	char *text = json_text(value);
	cr_expect_str_eq(text, "{\"good\":\"\xc3\xa9\",\"k\xef\xbf\xbd\":"
			       "\"a\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"}");
	struct ss_value *read = json_parse(text, strlen(text), NULL);
	cr_expect_not_null(read);
	value_unref(read);
	value_unref(value);
	free(text);
}

Test(json, takes_surrogates_in_pairs_only)
{
	static const char *const halves[] = {"\"a\\ud800b\"", "\"\\udc00\"", "\"\\ud83d\\ud83d\"",
		"\"\\uDBFF\"", "{\"\\ud800\": 1}"};
	for (size_t i = 0; i < sizeof halves / sizeof halves[0]; i++) {
		struct ss_error err = {0};
		cr_expect_null(json_parse(halves[i], strlen(halves[i]), &err), "%s", halves[i]);
		cr_expect_not_null(strstr(err.text, "half of a surrogate pair is no character"),
			"%s: %s", halves[i], err.text);
	}
	struct ss_value *pair = json_parse("\"\\uD83D\\uDE00\"", 14, NULL);
	cr_expect_str_eq(value_as_string(pair, NULL), "\xf0\x9f\x98\x80");
	value_unref(pair);
}
