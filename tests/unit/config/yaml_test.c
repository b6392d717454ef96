#include "config/yaml.h"

#include "support/scratch.h"
#include "unit/config/mistakes.h"

#include "base/buffer.h"
#include "base/memory.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct yaml_document *parse(const char *text)
{
	struct diagnostics diagnostics = {0};
	struct yaml_document *document = yaml_parse("t.yaml", 1, text, strlen(text), &diagnostics);
	mistakes_expect(&diagnostics, "");
	cr_assert_not_null(document, "%s", text);
	return document;
}

static void refused_bytes(const char *text, size_t length, const char *expected)
{
	struct diagnostics diagnostics = {0};
	cr_expect_null(yaml_parse("t.yaml", 1, text, length, &diagnostics), "%s", text);
	mistakes_expect(&diagnostics, expected);
}

static void refused(const char *text, const char *expected)
{
	refused_bytes(text, strlen(text), expected);
}

/* The one mistake in TEXT has WHY in it; for sentences that are libyaml's. */
static void refused_for(const char *text, size_t length, const char *why)
{
	struct diagnostics diagnostics = {0};
	cr_expect_null(yaml_parse("t.yaml", 1, text, length, &diagnostics));
	char *mistakes = mistakes_take(&diagnostics);
	cr_expect_not_null(strstr(mistakes, why), "%s", mistakes);
	free(mistakes);
}

static const char *text_at(const struct yaml_document *document, const char *key)
{
	const struct yaml_node *node = yaml_get(document->root, key);
	cr_assert_not_null(node, "%s", key);
	return node->text;
}

static void expect_place(const struct yaml_node *node, size_t line, size_t column)
{
	cr_assert_not_null(node);
	cr_expect_eq(node->line, line, "line %zu, not %zu", node->line, line);
	cr_expect_eq(node->column, column, "column %zu, not %zu", node->column, column);
}

Test(yaml, knows_where_everything_stands)
{
	struct yaml_document *document = parse("# first\n"
					       "server:\n"
					       "  port: 8000\n"
					       "list: [a, {\xc3\xa9: 'b'}]\n"
					       "items:\n"
					       "  - one\n"
					       "  -   two\n");
	const struct yaml_node *root = document->root;
	expect_place(root, 2, 1);
	expect_place(root->keys[0], 2, 1);
	expect_place(yaml_get(yaml_get(root, "server"), "port"), 3, 9);
	expect_place(yaml_get(root, "server")->keys[0], 3, 3);
	const struct yaml_node *list = yaml_get(root, "list");
	cr_assert_eq(list->count, 2);
	expect_place(list, 4, 7);
	expect_place(list->items[0], 4, 8);
	expect_place(list->items[1], 4, 11);
	expect_place(list->items[1]->items[0], 4, 15); /* columns are characters */
	expect_place(yaml_get(root, "items")->items[1], 7, 7);
	yaml_close(document);
}

Test(yaml, counts_lines_from_where_the_text_begins)
{
	struct diagnostics diagnostics = {0};
	struct yaml_document *document = yaml_parse("a.md", 11, "a: 1\nb: 2", 9, &diagnostics);
	expect_place(yaml_get(document->root, "b"), 12, 4);
	yaml_close(document);
	cr_expect_null(yaml_parse("a.md", 11, "a: 1\na: 2", 9, &diagnostics));
	mistakes_expect(&diagnostics, "a.md:12:1: the key \"a\" is given twice\n");
}

Test(yaml, may_have_nothing_in_it)
{
	static const char *const texts[] = {"", "\n\n", "# only a comment\n", "---\n...\n"};
	for (size_t i = 0; i < array_length(texts); i++) {
		struct yaml_document *document = parse(texts[i]);
		cr_expect(document->root == NULL || yaml_is_null(document->root), "%zu", i);
		yaml_close(document);
	}
}

Test(yaml, lists_every_key_that_is_given_twice)
{
	refused("a: 1\nb: {c: 1, c: 2}\na: 3\nd: 4\n\"d\": 5\n",
		"t.yaml:2:11: the key \"c\" is given twice\n"
		"t.yaml:3:1: the key \"a\" is given twice\n"
		"t.yaml:5:1: the key \"d\" is given twice\n");
}

Test(yaml, refuses_a_key_that_is_no_word)
{
	refused("? [a, b]\n: 1\n? {c: d}\n: 2\n", "t.yaml:1:3: a key must be a plain word\n"
						  "t.yaml:3:3: a key must be a plain word\n");
}

Test(yaml, copies_what_an_alias_stands_for)
{
	struct yaml_document *document = parse("a: &x {k: v}\nb: *x\nc: [*x, *x]\n");
	const struct yaml_node *root = document->root;
	cr_expect_str_eq(yaml_get(yaml_get(root, "b"), "k")->text, "v");
	cr_expect_str_eq(yaml_get(yaml_get(root, "c")->items[1], "k")->text, "v");
	cr_expect_neq(yaml_get(root, "a"), yaml_get(root, "b"));
	yaml_close(document);
}

Test(yaml, refuses_an_alias_that_stands_for_nothing)
{
	refused_for("a: *nothing\n", 12, "t.yaml:1:4: is not YAML: found undefined alias");
}

Test(yaml, refuses_an_alias_that_contains_itself)
{
	refused("a: &x [*x]\n", "t.yaml:1:4: is nested too deeply\n");
	refused("&x {k: *x}\n", "t.yaml:1:5: is nested too deeply\n");
	refused("&x {*x : 1}\n", "t.yaml:1:1: is nested too deeply\n");
	refused("&x [*x, *x, *x]\n", "t.yaml:1:1: is nested too deeply\n");
}

Test(yaml, refuses_aliases_that_grow_without_end)
{
	struct buffer text = {0};
	buffer_add_string(&text, "l0: &l0 [x, x, x, x, x, x, x, x, x, x]\n");
	for (int i = 1; i < 10; i++) {
		buffer_add_format(&text, "l%d: &l%d [", i, i);
		for (int n = 0; n < 10; n++)
			buffer_add_format(&text, "%s*l%d", n > 0 ? ", " : "", i - 1);
		buffer_add_string(&text, "]\n");
	}
	refused_for(buffer_text(&text), text.length, "the file has too many entries\n");
	buffer_free(&text);
}

Test(yaml, refuses_a_long_text_that_is_copied_without_end, .timeout = 300)
{
	struct buffer text = {0};
	buffer_add_string(&text, "a: &a ");
	for (size_t i = 0; i < 1000000; i++)
		buffer_add_char(&text, 'x');
	buffer_add_string(&text, "\nb: [");
	for (size_t i = 0; i < 100000; i++)
		buffer_add_string(&text, "*a , ");
	buffer_add_string(&text, "]\n");
	refused_for(buffer_text(&text), text.length, "the file has too much text\n");
	buffer_free(&text);
}

static char *nested(size_t depth)
{
	char *text = memory_new(2 * depth + 1);
	memset(text, '[', depth);
	memset(text + depth, ']', depth);
	return text;
}

Test(yaml, reads_sixty_four_levels_and_no_more)
{
	char *good = nested(YAML_DEPTH_LIMIT + 1); /* the first level has depth 0 */
	char *deep = nested(YAML_DEPTH_LIMIT + 2);
	char *very_deep = nested(100000);
	yaml_close(parse(good));
	refused(deep, "t.yaml:1:66: is nested too deeply\n");
	refused_for(very_deep, 200000, "t.yaml:1:");
	free(good);
	free(deep);
	free(very_deep);
}

Test(yaml, takes_variables_from_the_environment)
{
	cr_assert_eq(setenv("T_NAME", "value", 1), 0);
	cr_assert_eq(setenv("T_EMPTY", "", 1), 0);
	cr_assert_eq(setenv("T_TRICKY", "${T_NAME} # x: [", 1), 0);
	cr_assert_eq(unsetenv("T_UNSET"), 0);
	struct yaml_document *document = parse("a: ${T_NAME}\n"
					       "b: x${T_NAME}y${T_NAME}z\n"
					       "c: ${T_UNSET:-fallback}\n"
					       "d: ${T_EMPTY:-fallback}\n"
					       "e: '${T_UNSET:-}'\n"
					       "f: ${T_NAME:-fallback}\n"
					       "g: $${T_NAME}\n"
					       "h: a$${b}${T_NAME}$\n"
					       "i: $T_NAME $$ $ {T_NAME}\n"
					       "j: \"${T_TRICKY}\"\n"
					       "k: ${T_UNSET:-a:-b c}\n");
	cr_expect_str_eq(text_at(document, "a"), "value");
	cr_expect_str_eq(text_at(document, "b"), "xvalueyvaluez");
	cr_expect_str_eq(text_at(document, "c"), "fallback");
	cr_expect_str_eq(text_at(document, "d"), "fallback");
	cr_expect_str_eq(text_at(document, "e"), "");
	cr_expect_str_eq(text_at(document, "f"), "value");
	cr_expect_str_eq(text_at(document, "g"), "${T_NAME}");
	cr_expect_str_eq(text_at(document, "h"), "a${b}value$");
	cr_expect_str_eq(text_at(document, "i"), "$T_NAME $$ $ {T_NAME}");
	cr_expect_str_eq(text_at(document, "j"), "${T_NAME} # x: [");
	cr_expect_str_eq(text_at(document, "k"), "a:-b c");
	yaml_close(document);
}

Test(yaml, refuses_a_variable_that_has_no_value)
{
	cr_assert_eq(setenv("T_EMPTY", "", 1), 0);
	cr_assert_eq(unsetenv("T_UNSET"), 0);
	refused("a: ${T_UNSET}\nb:\n  - ${T_EMPTY}\n",
		"t.yaml:1:4: the environment variable T_UNSET is not set or is empty; set it or "
		"write "
		"${T_UNSET:-default}\n"
		"t.yaml:3:5: the environment variable T_EMPTY is not set or is empty; set it or "
		"write "
		"${T_EMPTY:-default}\n");
}

Test(yaml, refuses_a_variable_that_is_written_wrongly)
{
	static const char *const texts[] = {"${", "${}", "${T_NAME", "${T-NAME}", "${:-x}",
		"${T_NAME-x}", "${T_NAME:x}", "${ T_NAME}", "x ${T_NAME:-",
		"${T_UNSET:-${T_NAME}}"};
	for (size_t i = 0; i < array_length(texts); i++) {
		char *text = memory_format("a: '%s'", texts[i]);
		refused(text, "t.yaml:1:4: expected ${NAME} or ${NAME:-default}; write $${ for a "
			      "plain ${\n");
		free(text);
	}
}

Test(yaml, types_what_a_variable_says_like_any_scalar)
{
	int64_t port = 0;
	cr_assert_eq(setenv("T_PORT", "8000", 1), 0);
	struct yaml_document *document = parse("plain: ${T_PORT}\nquoted: '${T_PORT}'\n");
	cr_expect(yaml_int(yaml_get(document->root, "plain"), &port));
	cr_expect_eq(port, 8000);
	cr_expect_not(yaml_int(yaml_get(document->root, "quoted"), &port));
	yaml_close(document);
}

Test(yaml, bounds_what_variables_grow_to, .timeout = 300)
{
	struct buffer text = {0};
	char *value = memory_new(100001);
	memset(value, 'x', 100000);
	cr_assert_eq(setenv("T", value, 1), 0);
	for (size_t i = 0; i < 100000; i++)
		buffer_add_string(&text, "${T}");
	refused_for(buffer_text(&text), text.length, "the file has too much text\n");
	buffer_free(&text);
	free(value);
}

Test(yaml, refuses_nul_characters)
{
	refused_bytes("a: b\nc: d\0e\n", 12,
		"t.yaml:2:5: is not YAML: control characters are not allowed\n");
	refused("a: \"x\\0y\"\n\"\\0\": 1\n", "t.yaml:1:4: has a NUL character in it\n"
					      "t.yaml:2:1: has a NUL character in it\n");
}

Test(yaml, says_where_text_is_not_utf_8)
{
	refused("a: b\nc: \xc3\xa9\xff\n",
		"t.yaml:2:5: is not YAML: invalid leading UTF-8 octet\n");
	refused("a: \xc3", "t.yaml:1:4: is not YAML: incomplete UTF-8 octet sequence\n");
	refused_for("a: \xed\xa0\x80", 6, "t.yaml:1:4: is not YAML: ");
}

Test(yaml, says_where_it_is_not_well_formed)
{
	refused_for("a:\n\tb: 1\n", 9,
		"t.yaml:2:1: is not YAML: found character that cannot start any token");
	refused_for("a: [1, 2\nb: 3\n", 14, "t.yaml:2:");
	refused_for("a: 'x\n", 6, "t.yaml:2:");
	refused_for("a: b: c\n", 8, "t.yaml:1:5: is not YAML: mapping values are not allowed");
	refused_for("a: 1\n b: 2\n", 11, "t.yaml:2:");
}

Test(yaml, refuses_a_second_document)
{
	refused("a: 1\n---\nb: 2\n",
		"t.yaml:2:1: a second document begins here; a file has only one\n");
	refused_for("a: 1\n---\n\tb\n", 12, "t.yaml:3:1: is not YAML: ");
	struct yaml_document *document = parse("---\na: 1\n...\n# the end\n");
	cr_expect_str_eq(text_at(document, "a"), "1");
	yaml_close(document);
}

Test(yaml, lists_mistakes_of_all_kinds_at_once)
{
	cr_assert_eq(unsetenv("T_UNSET"), 0);
	refused("a: ${T_UNSET:-x}${\n"
		"b: 1\n"
		"b: 2\n"
		"c: [\"\\0\", {d: 1, d: 2}]\n",
		"t.yaml:1:4: expected ${NAME} or ${NAME:-default}; write $${ for a plain ${\n"
		"t.yaml:3:1: the key \"b\" is given twice\n"
		"t.yaml:4:5: has a NUL character in it\n"
		"t.yaml:4:18: the key \"d\" is given twice\n");
}

Test(yaml, is_read_from_a_file)
{
	struct diagnostics diagnostics = {0};
	char *folder = scratch_new();
	char *file = scratch_file(folder, "x.yaml",
		"\xef\xbb\xbf"
		"a: 1\r\nb: 2\r\n",
		15);
	struct yaml_document *document = yaml_load(file, &diagnostics);
	mistakes_expect(&diagnostics, "");
	cr_assert_not_null(document);
	cr_expect_str_eq(document->file, file);
	cr_expect_str_eq(text_at(document, "b"), "2");
	yaml_close(document);
	free(file);
	scratch_remove(folder);
}

Test(yaml, names_a_file_that_cannot_be_read)
{
	struct diagnostics diagnostics = {0};
	cr_expect_null(yaml_load("/nonexistent/x.yaml", &diagnostics));
	cr_expect_null(yaml_load("/tmp", &diagnostics));
	mistakes_expect(&diagnostics,
		"/nonexistent/x.yaml: cannot be opened: No such file or directory\n"
		"/tmp: is not a file\n");
}

Test(yaml, refuses_a_file_that_is_too_large)
{
	struct diagnostics diagnostics = {0};
	char *folder = scratch_new();
	char *text = memory_new(YAML_FILE_LIMIT + 1);
	memset(text, '#', YAML_FILE_LIMIT + 1);
	char *file = scratch_file(folder, "x.yaml", text, YAML_FILE_LIMIT + 1);
	cr_expect_null(yaml_load(file, &diagnostics));
	cr_expect_eq(diagnostics.count, 1);
	diagnostics_free(&diagnostics);
	free(file);
	free(text);
	scratch_remove(folder);
}

/* A document with the one value of TEXT. */
static const struct yaml_node *value_of(struct yaml_document *document)
{
	return yaml_get(document->root, "v");
}

static struct yaml_document *one(const char *value)
{
	char *text = memory_format("v: %s\n", value);
	struct yaml_document *document = parse(text);
	free(text);
	return document;
}

Test(yaml, knows_null_in_its_ways_to_write_it)
{
	static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
	static const char *const others[] = {
		"nuLL", "none", "''", "\"null\"", "[]", "{}", "0", "false"};
	for (size_t i = 0; i < array_length(nulls); i++) {
		struct yaml_document *document = one(nulls[i]);
		cr_expect(yaml_is_null(value_of(document)), "%s", nulls[i]);
		yaml_close(document);
	}
	for (size_t i = 0; i < array_length(others); i++) {
		struct yaml_document *document = one(others[i]);
		cr_expect_not(yaml_is_null(value_of(document)), "%s", others[i]);
		yaml_close(document);
	}
	cr_expect_not(yaml_is_null(NULL));
}

Test(yaml, knows_booleans)
{
	static const struct {
		const char *text;
		int expected; /* -1: none */
	} cases[] = {{"true", 1}, {"True", 1}, {"TRUE", 1}, {"false", 0}, {"False", 0},
		{"FALSE", 0}, {"yes", -1}, {"on", -1}, {"tRUE", -1}, {"'true'", -1}, {"1", -1},
		{"", -1}, {"[true]", -1}};
	for (size_t i = 0; i < array_length(cases); i++) {
		bool value = cases[i].expected != 1;
		struct yaml_document *document = one(cases[i].text);
		cr_expect_eq(yaml_bool(value_of(document), &value), cases[i].expected >= 0, "%s",
			cases[i].text);
		if (cases[i].expected >= 0)
			cr_expect_eq(value, cases[i].expected == 1, "%s", cases[i].text);
		yaml_close(document);
	}
	bool value;
	cr_expect_not(yaml_bool(NULL, &value));
}

Test(yaml, knows_integers)
{
	static const struct {
		const char *text;
		bool is;
		int64_t value;
	} cases[] = {{"0", true, 0}, {"-17", true, -17}, {"+5", true, 5}, {"007", true, 7},
		{"9223372036854775807", true, INT64_MAX}, {"-9223372036854775808", true, INT64_MIN},
		{"0x1F", true, 31}, {"0o17", true, 15}, {"9223372036854775808", false, 0},
		{"1.0", false, 0}, {"1e3", false, 0}, {"1_000", false, 0}, {"'5'", false, 0},
		{"", false, 0}, {"+", false, 0}, {"1-2", false, 0}, {"5 6", false, 0},
		{"0x", false, 0}, {"-0x1", false, 0}, {"0o8", false, 0}, {"0xg", false, 0},
		{"0x-5", false, 0}, {"0o+5", false, 0}, {"0x 5", false, 0}};
	for (size_t i = 0; i < array_length(cases); i++) {
		int64_t value = 0;
		struct yaml_document *document = one(cases[i].text);
		cr_expect_eq(
			yaml_int(value_of(document), &value), cases[i].is, "%s", cases[i].text);
		if (cases[i].is)
			cr_expect_eq(value, cases[i].value, "%s", cases[i].text);
		yaml_close(document);
	}
}

Test(yaml, knows_numbers)
{
	static const struct {
		const char *text;
		bool is;
		double value;
	} cases[] = {{"0.5", true, 0.5}, {"-.5", true, -0.5}, {"3", true, 3}, {"1e3", true, 1000},
		{"+1.5E-1", true, 0.15}, {"5.", true, 5}, {"1e400", false, 0}, {".inf", false, 0},
		{".nan", false, 0}, {"nan", false, 0}, {"inf", false, 0}, {"0x1p3", false, 0},
		{".", false, 0}, {"e5", false, 0}, {"1e", false, 0}, {"'0.5'", false, 0},
		{"", false, 0}, {"1,5", false, 0}, {"1.2.3", false, 0}};
	for (size_t i = 0; i < array_length(cases); i++) {
		double value = 0;
		struct yaml_document *document = one(cases[i].text);
		cr_expect_eq(
			yaml_number(value_of(document), &value), cases[i].is, "%s", cases[i].text);
		if (cases[i].is)
			cr_expect_eq(value, cases[i].value, "%s", cases[i].text);
		yaml_close(document);
	}
}

Test(yaml, knows_durations)
{
	static const struct {
		const char *text;
		int64_t ns; /* -1: none */
	} cases[] = {{"250ms", 250000000}, {"2s", 2000000000}, {"0s", 0}, {"1.5s", 1500000000},
		{"5m", 300000000000}, {"24h", 86400000000000}, {"7d", 604800000000000}, {"5", -1},
		{"s", -1}, {"-1s", -1}, {"1 s", -1}, {"1sec", -1}, {"'1s'", -1}, {"", -1},
		{"1000000d", -1}, {"1e300d", -1}, {"0x10s", -1}, {"infs", -1}, {"1S", -1}};
	for (size_t i = 0; i < array_length(cases); i++) {
		int64_t ns = -1;
		struct yaml_document *document = one(cases[i].text);
		cr_expect_eq(yaml_duration_ns(value_of(document), &ns), cases[i].ns >= 0, "%s",
			cases[i].text);
		cr_expect_eq(ns, cases[i].ns, "%s", cases[i].text);
		yaml_close(document);
	}
}

Test(yaml, names_what_a_node_is)
{
	struct yaml_document *document = parse("a: x\nb: [1]\nc: {d: 1}\ne: ~\n");
	cr_expect_str_eq(yaml_kind_name(yaml_get(document->root, "a")), "a single value");
	cr_expect_str_eq(yaml_kind_name(yaml_get(document->root, "b")), "a list");
	cr_expect_str_eq(yaml_kind_name(yaml_get(document->root, "c")), "a mapping");
	cr_expect_str_eq(yaml_kind_name(yaml_get(document->root, "e")), "nothing");
	cr_expect_str_eq(yaml_kind_name(NULL), "nothing");
	yaml_close(document);
}

Test(yaml, finds_nothing_in_what_is_no_mapping)
{
	struct yaml_document *document = parse("[a, b]\n");
	cr_expect_null(yaml_get(document->root, "a"));
	cr_expect_null(yaml_get(NULL, "a"));
	yaml_close(document);
	yaml_close(NULL);
}

Test(yaml, overwrites_what_came_from_variables_with_keys)
{
	struct diagnostics diagnostics = {0};
	static const char text[] = "a: [x, {b: \"${SOME_API_KEY}\"}]\nc: ${SOME_NAME}\n";
	(void)setenv("SOME_API_KEY", "secret", 1);
	(void)setenv("SOME_NAME", "kept", 1);
	struct yaml_document *document = yaml_parse("t.yaml", 1, text, strlen(text), &diagnostics);
	cr_assert_not_null(document);
	yaml_wipe_keys(document);
	const struct yaml_node *list = yaml_get(document->root, "a");
	cr_expect_arr_eq(yaml_get(list->items[1], "b")->text, "\0\0\0\0\0\0", 6);
	cr_expect_str_eq(list->items[0]->text, "x");
	cr_expect_str_eq(yaml_get(document->root, "c")->text, "kept");
	yaml_close(document);
}
