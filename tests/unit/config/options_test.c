#include "config/options.h"

#include "unit/config/mistakes.h"

#include "base/memory.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* Reads the mapping TEXT by ROWS. Expects the MISTAKES, and returns the values as a list in JSON. */
static char *read_text(const struct ss_option *rows, const char *const *sections, const char *text,
	const char *mistakes)
{
	struct diagnostics diagnostics = {0};
	struct ss_value *values[16] = {0};
	const struct yaml_node place = {.line = 1, .column = 1};
	struct yaml_document *document =
		yaml_parse("/dir/t.yaml", 1, text, strlen(text), &diagnostics);
	cr_assert_not_null(document, "%s", text);
	int result = options_read(document, document->root,
		document->root != NULL ? document->root : &place, rows, sections, "the thing",
		values, &diagnostics);
	cr_expect_eq(result, diagnostics.count > 0 ? -1 : 0);
	mistakes_expect(&diagnostics, mistakes);
	struct ss_value *list = value_list(values, options_count(rows));
	char *json = json_text(list);
	value_unref(list);
	yaml_close(document);
	return json;
}

static void reads(const struct ss_option *rows, const char *text, const char *expected)
{
	char *json = read_text(rows, NULL, text, "");
	cr_expect_str_eq(json, expected, "%s: %s", text, json);
	free(json);
}

/* The option `x`, of ROW's type, cannot be TEXT. */
static void refuses(const struct ss_option *rows, const char *text, const char *mistakes)
{
	char *json = read_text(rows, NULL, text, mistakes);
	cr_expect_str_eq(json, "[null]", "%s: %s", text, json);
	free(json);
}

Test(options, read_a_bool)
{
	static const struct ss_option rows[] = {
		{"x", SS_OPTION_BOOL, NULL, 0, 0, NULL, "help"}, {0}};
	reads(rows, "x: true", "[true]");
	reads(rows, "x: false", "[false]");
	refuses(rows, "x: 1", "/dir/t.yaml:1:4: x must be true or false, not \"1\"\n");
	refuses(rows, "x: yes", "/dir/t.yaml:1:4: x must be true or false, not \"yes\"\n");
	refuses(rows, "x: 'true'",
		"/dir/t.yaml:1:4: x must be true or false, not \"true\" (in quotes, which make it "
		"a string)\n");
	refuses(rows, "x: [true]", "/dir/t.yaml:1:4: x must be true or false, not a list\n");
}

Test(options, read_an_int)
{
	static const struct ss_option rows[] = {
		{"x", SS_OPTION_INT, NULL, 0, 0, NULL, "help"}, {0}};
	static const struct ss_option bounded[] = {
		{"x", SS_OPTION_INT, NULL, 1, 1000000, NULL, "help"}, {0}};
	static const struct ss_option negative[] = {
		{"x", SS_OPTION_INT, NULL, -5, 0, NULL, "help"}, {0}};
	reads(rows, "x: -3", "[-3]");
	reads(rows, "x: 9223372036854775807", "[9223372036854775807]");
	refuses(rows, "x: 9223372036854775808",
		"/dir/t.yaml:1:4: x must be a whole number, not \"9223372036854775808\"\n");
	refuses(rows, "x: 1.5", "/dir/t.yaml:1:4: x must be a whole number, not \"1.5\"\n");
	refuses(rows, "x: '3'",
		"/dir/t.yaml:1:4: x must be a whole number, not \"3\" (in quotes, which make it a "
		"string)\n");
	refuses(rows, "x: {a: 1}", "/dir/t.yaml:1:4: x must be a whole number, not a mapping\n");
	reads(bounded, "x: 1", "[1]");
	reads(bounded, "x: 1000000", "[1000000]");
	refuses(bounded, "x: 0", "/dir/t.yaml:1:4: x must be from 1 to 1000000, not 0\n");
	refuses(bounded, "x: 1000001",
		"/dir/t.yaml:1:4: x must be from 1 to 1000000, not 1000001\n");
	reads(negative, "x: -5", "[-5]");
	refuses(negative, "x: 1", "/dir/t.yaml:1:4: x must be from -5 to 0, not 1\n");
}

Test(options, read_a_number)
{
	static const struct ss_option rows[] = {
		{"x", SS_OPTION_NUMBER, NULL, 0, 0, NULL, "help"}, {0}};
	static const struct ss_option bounded[] = {
		{"x", SS_OPTION_NUMBER, NULL, 0, 1, NULL, "help"}, {0}};
	reads(rows, "x: 0.25", "[0.25]");
	reads(rows, "x: -3", "[-3.0]");
	refuses(rows, "x: .inf", "/dir/t.yaml:1:4: x must be a number, not \".inf\"\n");
	refuses(rows, "x: much", "/dir/t.yaml:1:4: x must be a number, not \"much\"\n");
	reads(bounded, "x: 0", "[0.0]");
	reads(bounded, "x: 1", "[1.0]");
	refuses(bounded, "x: 1.01", "/dir/t.yaml:1:4: x must be from 0 to 1, not 1.01\n");
	refuses(bounded, "x: -0.1", "/dir/t.yaml:1:4: x must be from 0 to 1, not -0.1\n");
}

Test(options, read_a_string)
{
	static const struct ss_option rows[] = {
		{"x", SS_OPTION_STRING, NULL, 0, 0, NULL, "help"}, {0}};
	reads(rows, "x: hello", "[\"hello\"]");
	reads(rows, "x: ''", "[\"\"]");
	reads(rows, "x: 'null'", "[\"null\"]");
	reads(rows, "x: 5", "[\"5\"]"); /* no other reading is possible */
	refuses(rows, "x: [a]", "/dir/t.yaml:1:4: x must be a string, not a list\n");
}

Test(options, read_a_choice)
{
	static const struct ss_option rows[] = {
		{"x", SS_OPTION_CHOICE, NULL, 0, 0, "ab abc a-b", "help"}, {0}};
	reads(rows, "x: ab", "[\"ab\"]");
	reads(rows, "x: abc", "[\"abc\"]");
	reads(rows, "x: 'a-b'", "[\"a-b\"]");
	refuses(rows, "x: a", "/dir/t.yaml:1:4: x must be one of: ab abc a-b, not \"a\"\n");
	refuses(rows, "x: b", "/dir/t.yaml:1:4: x must be one of: ab abc a-b, not \"b\"\n");
	refuses(rows, "x: bc", "/dir/t.yaml:1:4: x must be one of: ab abc a-b, not \"bc\"\n");
	refuses(rows, "x: ab abc",
		"/dir/t.yaml:1:4: x must be one of: ab abc a-b, not \"ab abc\"\n");
	refuses(rows, "x: [ab]", "/dir/t.yaml:1:4: x must be one of: ab abc a-b, not a list\n");
	refuses(rows, "x: ''",
		"/dir/t.yaml:1:4: x must be one of: ab abc a-b, not \"\" (in quotes, which "
		"make it a string)\n");
}

Test(options, read_a_duration)
{
	static const struct ss_option rows[] = {
		{"x", SS_OPTION_DURATION, NULL, 0, 0, NULL, "help"}, {0}};
	static const struct ss_option bounded[] = {
		{"x", SS_OPTION_DURATION, NULL, 0.1, 3600, NULL, "help"}, {0}};
	reads(rows, "x: 250ms", "[0.25]");
	reads(rows, "x: 7d", "[604800.0]");
	refuses(rows, "x: 5",
		"/dir/t.yaml:1:4: x must be a duration such as 250ms, 2s, 5m, 24h or 7d, "
		"not \"5\"\n");
	reads(bounded, "x: 1h", "[3600.0]");
	refuses(bounded, "x: 2h", "/dir/t.yaml:1:4: x must be from 0.1 to 3600 seconds, not 2h\n");
	refuses(bounded, "x: 50ms",
		"/dir/t.yaml:1:4: x must be from 0.1 to 3600 seconds, not 50ms\n");
}

Test(options, read_a_path_from_the_folder_of_the_file)
{
	static const struct ss_option rows[] = {
		{"x", SS_OPTION_PATH, NULL, 0, 0, NULL, "help"}, {0}};
	reads(rows, "x: a/b.md", "[\"/dir/a/b.md\"]");
	reads(rows, "x: /a/b.md", "[\"/a/b.md\"]");
	refuses(rows, "x: ''",
		"/dir/t.yaml:1:4: x must be a path, not \"\" (in quotes, which make it a "
		"string)\n");
	refuses(rows, "x: [a]", "/dir/t.yaml:1:4: x must be a path, not a list\n");
}

Test(options, read_the_file_of_a_prompt_like_a_path)
{
	static const struct ss_option rows[] = {
		{"x", SS_OPTION_PROMPT, "", 0, 0, NULL, "help"}, {0}};
	reads(rows, "x: a/b.md", "[\"/dir/a/b.md\"]");
	reads(rows, "", "[\"\"]");
	refuses(rows, "x: {a: b}", "/dir/t.yaml:1:4: x must be a path, not a mapping\n");
}

Test(options, read_lists_of_strings)
{
	static const struct ss_option rows[] = {
		{"x", SS_OPTION_STRINGS, NULL, 0, 0, NULL, "help"}, {0}};
	reads(rows, "x: [a, 'b', 3]", "[[\"a\",\"b\",\"3\"]]");
	reads(rows, "x: []", "[[]]");
	refuses(rows, "x: a", "/dir/t.yaml:1:4: x must be a list of strings, not \"a\"\n");
	refuses(rows, "x: [a, [b], {c: d}, e]",
		"/dir/t.yaml:1:8: x must be a list of strings, not a list\n"
		"/dir/t.yaml:1:13: x must be a list of strings, not a mapping\n");
}

Test(options, read_maps_of_numbers)
{
	static const struct ss_option rows[] = {
		{"x", SS_OPTION_NUMBERS, NULL, 0, 10, NULL, "help"}, {0}};
	reads(rows, "x: {b: 2, a: 0.5}", "[{\"a\":0.5,\"b\":2.0}]");
	reads(rows, "x: {}", "[{}]");
	refuses(rows, "x: [1]",
		"/dir/t.yaml:1:4: x must be a mapping from names to numbers, not a list\n");
	refuses(rows, "x: {a: 1, b: x, c: 11, d: 2}",
		"/dir/t.yaml:1:14: b must be a number, not \"x\"\n"
		"/dir/t.yaml:1:20: c must be from 0 to 10, not 11\n");
}

Test(options, read_maps_of_texts)
{
	static const struct ss_option rows[] = {
		{"x", SS_OPTION_TEXTS, NULL, 0, 0, NULL, "help"}, {0}};
	reads(rows, "x: {b: two, a: 1}", "[{\"a\":\"1\",\"b\":\"two\"}]");
	refuses(rows, "x: a",
		"/dir/t.yaml:1:4: x must be a mapping from names to texts, not \"a\"\n");
	refuses(rows, "x: {a: [b]}", "/dir/t.yaml:1:8: a must be a string, not a list\n");
}

Test(options, read_maps_of_lists)
{
	static const struct ss_option rows[] = {
		{"x", SS_OPTION_LISTS, NULL, 0, 0, NULL, "help"}, {0}};
	reads(rows, "x: {b: [], a: [p, q]}", "[{\"a\":[\"p\",\"q\"],\"b\":[]}]");
	refuses(rows, "x: {a: b}", "/dir/t.yaml:1:8: a must be a list of strings, not \"b\"\n");
	refuses(rows, "x: {a: [[b]], c: d}",
		"/dir/t.yaml:1:9: a must be a list of strings, not a list\n"
		"/dir/t.yaml:1:18: c must be a list of strings, not \"d\"\n");
}

static const struct ss_option all[] = {
	{"bool", SS_OPTION_BOOL, "true", 0, 0, NULL, "help"},
	{"int", SS_OPTION_INT, "7", 0, 10, NULL, "help"},
	{"number", SS_OPTION_NUMBER, "0.5", 0, 1, NULL, "help"},
	{"string", SS_OPTION_STRING, "a: [b", 0, 0, NULL, "help"},
	{"choice", SS_OPTION_CHOICE, "b", 0, 0, "a b", "help"},
	{"duration", SS_OPTION_DURATION, "2s", 0, 0, NULL, "help"},
	{"path", SS_OPTION_PATH, "x.md", 0, 0, NULL, "help"},
	{"no_path", SS_OPTION_PATH, "", 0, 0, NULL, "help"},
	{"prompt", SS_OPTION_PROMPT, "", 0, 0, NULL, "help"},
	{"strings", SS_OPTION_STRINGS, "[a, b]", 0, 0, NULL, "help"},
	{"numbers", SS_OPTION_NUMBERS, "{a: 1}", 0, 0, NULL, "help"},
	{"texts", SS_OPTION_TEXTS, "{a: b}", 0, 0, NULL, "help"},
	{"lists", SS_OPTION_LISTS, "{a: [b]}", 0, 0, NULL, "help"},
	{0},
};
static const char defaults[] =
	"[true,7,0.5,\"a: [b\",\"b\",2.0,\"/dir/x.md\",\"\",\"\",[\"a\",\"b\"],"
	"{\"a\":1.0},{\"a\":\"b\"},{\"a\":[\"b\"]}]";

Test(options, that_are_left_out_have_their_defaults)
{
	reads(all, "", defaults);
	reads(all, "{}", defaults);
	reads(all, "null", defaults);
	reads(all,
		"bool:\nint: null\nnumber: ~\nstring:\nchoice:\nduration:\npath:\nstrings:\n"
		"numbers:\ntexts:\nlists:\n",
		defaults);
}

Test(options, that_are_required_are_named_when_they_are_missing)
{
	static const struct ss_option rows[] = {
		{"model", SS_OPTION_STRING, NULL, 0, 0, NULL, "the model's name"},
		{"size", SS_OPTION_INT, NULL, 0, 0, NULL, "how large it is"}, {0}};
	char *json = read_text(rows, NULL, "  {}",
		"/dir/t.yaml:1:3: the thing needs \"model\": the model's name\n"
		"/dir/t.yaml:1:3: the thing needs \"size\": how large it is\n");
	free(json);
	/* Nothing behind the colon is nothing given. */
	json = read_text(rows, NULL, "model:\nsize: ~\n",
		"/dir/t.yaml:1:1: the thing needs \"model\": the model's name\n"
		"/dir/t.yaml:1:1: the thing needs \"size\": how large it is\n");
	free(json);
}

Test(options, that_are_unknown_are_reported_with_the_nearest_name)
{
	static const struct ss_option rows[] = {{"timeout", SS_OPTION_INT, "1", 0, 0, NULL, "help"},
		{"retries", SS_OPTION_INT, "2", 0, 0, NULL, "help"}, {0}};
	static const char *const sections[] = {"options", NULL};
	char *json = read_text(rows, sections,
		"timeuot: 5\noptions: {x: y}\nopitons: 1\ncolour: red\n",
		"/dir/t.yaml:1:1: the thing has no key \"timeuot\" (did you mean \"timeout\"?)\n"
		"/dir/t.yaml:3:1: the thing has no key \"opitons\" (did you mean \"options\"?)\n"
		"/dir/t.yaml:4:1: the thing has no key \"colour\"; it knows timeout, retries, "
		"options\n");
	cr_expect_str_eq(json, "[1,2]");
	free(json);
}

Test(options, that_are_all_unknown_are_reported_too)
{
	char *json =
		read_text(NULL, NULL, "a: 1\n", "/dir/t.yaml:1:1: the thing has no key \"a\"\n");
	cr_expect_str_eq(json, "[]");
	free(json);
}

Test(options, must_be_a_mapping)
{
	static const struct ss_option rows[] = {{"x", SS_OPTION_INT, NULL, 0, 0, NULL, "help"},
		{"y", SS_OPTION_INT, "3", 0, 0, NULL, "help"}, {0}};
	char *json = read_text(
		rows, NULL, "[x]", "/dir/t.yaml:1:1: the thing must be a mapping, not a list\n");
	cr_expect_str_eq(json, "[null,3]");
	free(json);
	json = read_text(rows, NULL, "word",
		"/dir/t.yaml:1:1: the thing must be a mapping, not a single value\n");
	free(json);
}

Test(options, report_all_mistakes_and_keep_what_is_good)
{
	char *json = read_text(all, NULL,
		"int: 11\nbool: 1\nnumber: 0.25\nchoise: a\nstrings: [[]]\n",
		"/dir/t.yaml:1:6: int must be from 0 to 10, not 11\n"
		"/dir/t.yaml:2:7: bool must be true or false, not \"1\"\n"
		"/dir/t.yaml:4:1: the thing has no key \"choise\" (did you mean \"choice\"?)\n"
		"/dir/t.yaml:5:11: strings must be a list of strings, not a list\n");
	cr_expect_eq(strncmp(json, "[null,null,0.25,", 16), 0, "%s", json);
	free(json);
}

Test(options, whose_default_is_wrong_are_reported)
{
	static const struct ss_option rows[] = {{"x", SS_OPTION_INT, "", 0, 0, NULL, "help"},
		{"y", SS_OPTION_INT, "seven", 0, 0, NULL, "help"},
		{"z", SS_OPTION_STRINGS, "[", 0, 0, NULL, "help"}, {0}};
	struct diagnostics diagnostics = {0};
	struct ss_value *values[3];
	struct yaml_document *document = yaml_parse("t.yaml", 1, "{}", 2, &diagnostics);
	cr_expect_eq(options_read(document, document->root, document->root, rows, NULL, "it",
			     values, &diagnostics),
		-1);
	char *text = mistakes_take(&diagnostics);
	cr_expect_not_null(strstr(text, "x must be"), "%s", text);
	cr_expect_not_null(strstr(text, "y must be a whole number, not \"seven\"\n"), "%s", text);
	cr_expect_not_null(strstr(text, "is not YAML"), "%s", text);
	free(text);
	options_free(values, 3);
	yaml_close(document);
}

Test(options, are_counted_up_to_the_row_without_a_name)
{
	cr_expect_eq(options_count(all), 13);
	cr_expect_eq(options_count(NULL), 0);
	options_free(NULL, 3);
}

Test(options, value_has_the_types_of_yaml)
{
	struct diagnostics diagnostics = {0};
	static const char text[] = "a: [1, 2.5, true, ~, word, '1', {b: []}]\nc: {}\n";
	struct yaml_document *document = yaml_parse("t.yaml", 1, text, strlen(text), &diagnostics);
	struct ss_value *value = options_value(document->root);
	char *json = json_text(value);
	cr_expect_str_eq(json, "{\"a\":[1,2.5,true,null,\"word\",\"1\",{\"b\":[]}],\"c\":{}}");
	free(json);
	value_unref(value);
	yaml_close(document);
	value = options_value(NULL);
	cr_expect_eq(value_type(value), SS_NULL);
	value_unref(value);
}

Test(options, read_a_secret_and_never_show_it)
{
	static const struct ss_option rows[] = {
		{"x", SS_OPTION_SECRET, "", 0, 0, NULL, "help"}, {0}};
	reads(rows, "x: sk-1", "[\"sk-1\"]");
	reads(rows, "x: 12", "[\"12\"]");
	reads(rows, "{}", "[\"\"]");
	refuses(rows, "x: [sk-1]", "/dir/t.yaml:1:4: x must be a string, not a list\n");
}

Test(options, read_secrets_by_name_and_never_show_them)
{
	static const struct ss_option rows[] = {
		{"x", SS_OPTION_SECRETS, "{}", 0, 0, NULL, "help"}, {0}};
	reads(rows, "x: {A: sk-1, B: 2}", "[{\"A\":\"sk-1\",\"B\":\"2\"}]");
	reads(rows, "{}", "[{}]");
	refuses(rows, "x: sk-1",
		"/dir/t.yaml:1:4: x must be a mapping from names to texts, not a single value\n");
	refuses(rows, "x: [sk-1]",
		"/dir/t.yaml:1:4: x must be a mapping from names to texts, not a list\n");
	refuses(rows, "x: {A: [sk-1]}", "/dir/t.yaml:1:8: A must be a string, not a list\n");
}

Test(options, overwrite_secrets_and_nothing_else)
{
	static const struct ss_option rows[] = {{"x", SS_OPTION_SECRET, "", 0, 0, NULL, "help"},
		{"y", SS_OPTION_STRING, "", 0, 0, NULL, "help"},
		{"z", SS_OPTION_SECRET, "", 0, 0, NULL, "help"},
		{"m", SS_OPTION_SECRETS, "{}", 0, 0, NULL, "help"}, {0}};
	struct diagnostics diagnostics = {0};
	struct ss_value *values[4] = {0};
	static const char text[] = "{x: sk-1, y: open, m: {A: sk-2, B: ''}}";
	struct yaml_document *document = yaml_parse("t.yaml", 1, text, strlen(text), &diagnostics);
	cr_assert_eq(options_read(document, document->root, document->root, rows, NULL, "it",
			     values, &diagnostics),
		0);
	options_wipe_secrets(document->root, rows, values);
	cr_expect_arr_eq(value_as_string(values[0], NULL), "\0\0\0\0", 4);
	cr_expect_str_eq(yaml_get(document->root, "x")->text, "");
	cr_expect_str_eq(value_as_string(values[1], NULL), "open");
	cr_expect_str_eq(yaml_get(document->root, "y")->text, "open");
	cr_expect_arr_eq(value_as_string(value_get(values[3], "A"), NULL), "\0\0\0\0", 4);
	cr_expect_str_eq(yaml_get(yaml_get(document->root, "m"), "A")->text, "");
	options_wipe_secrets(NULL, rows, values);
	options_free(values, 4);
	yaml_close(document);
}
