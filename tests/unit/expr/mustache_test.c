/* Prompt files: what is written, what is refused and where. */
#include "expr/mustache.h"

#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const struct expr_variable variables[] = {
	{"message", SS_STRING, NULL},
	{"priority", SS_INT, NULL},
	{"confidence", SS_NUMBER, NULL},
	{"vip", SS_BOOL, NULL},
	{"history", SS_LIST, NULL},
	{"retrieval", SS_MAP, NULL},
	{"anything", SS_NULL, NULL},
};

enum { COUNT = sizeof variables / sizeof variables[0] };

/* The state of a test as JSON: a list with a value for each variable. */
static const char state[] = "[\"Where <b>is</b> it & why?\", 7, 0.25, true,"
			    "[{\"role\": \"user\", \"content\": \"Hi\"}, {\"role\": \"assistant\", "
			    "\"content\": \"</x>\"}],"
			    "{\"confidence\": 0.5, \"why\": {\"code\": \"none\"}}, null]";

static const char empty[] = "[\"\", 0, 0, false, [], {}, []]";

static struct mustache *parse(const char *text)
{
	struct diagnostics diagnostics = {0};
	struct mustache *mustache =
		mustache_parse("p.md", text, strlen(text), variables, COUNT, &diagnostics);
	cr_assert_not_null(
		mustache, "%s: %s", text, diagnostics.count > 0 ? diagnostics.items[0].text : "");
	diagnostics_free(&diagnostics);
	return mustache;
}

static char *render(const char *text, const char *json, struct ss_error *err)
{
	struct mustache *mustache = parse(text);
	struct ss_value *values[COUNT];
	struct ss_value *list = json_parse(json, strlen(json), err);
	size_t length = 0;
	cr_assert_eq(value_count(list), COUNT, "%s", err->text);
	for (size_t i = 0; i < COUNT; i++)
		values[i] = value_ref(value_at(list, i));
	char *rendered = mustache_render(mustache, values, &length, err);
	cr_expect(rendered == NULL || strlen(rendered) == length);
	for (size_t i = 0; i < COUNT; i++)
		value_unref(values[i]);
	value_unref(list);
	mustache_free(mustache);
	return rendered;
}

static void renders(const char *text, const char *json, const char *expected)
{
	struct ss_error err = {0};
	char *rendered = render(text, json, &err);
	cr_assert_not_null(rendered, "%s", err.text);
	cr_expect_str_eq(rendered, expected, "%s gave %s, not %s", text, rendered, expected);
	free(rendered);
}

/* TEXT has exactly one mistake, at LINE and COLUMN, which says WHAT. */
static void refuses(const char *text, size_t line, size_t column, const char *what)
{
	struct diagnostics diagnostics = {0};
	struct mustache *mustache =
		mustache_parse("p.md", text, strlen(text), variables, COUNT, &diagnostics);
	cr_expect_null(mustache, "accepted %s", text);
	mustache_free(mustache);
	cr_assert_eq(diagnostics.count, 1, "%s: %zu mistakes", text, diagnostics.count);
	const struct diagnostic *mistake = &diagnostics.items[0];
	cr_expect_str_eq(mistake->file, "p.md");
	cr_expect(mistake->line == line && mistake->column == column,
		"%s: at %zu:%zu, not %zu:%zu: %s", text, mistake->line, mistake->column, line,
		column, mistake->text);
	cr_expect_not_null(strstr(mistake->text, what), "%s: %s", text, mistake->text);
	diagnostics_free(&diagnostics);
}

Test(mustache, writes_the_fields_of_the_state)
{
	renders("P{{priority}} {{ confidence }} {{vip}} {{anything}}.", state, "P7 0.25 true .");
	renders("{{retrieval.confidence}} {{retrieval.why.code}} {{retrieval.missing}}.", state,
		"0.5 none .");
}

Test(mustache, keeps_text_of_others_from_ending_a_tag)
{
	renders("<q>{{message}}</q>", state, "<q>Where &lt;b>is&lt;/b> it &amp; why?</q>");
	renders("{{{message}}} {{&message}}", state,
		"Where <b>is</b> it & why? Where <b>is</b> it & why?");
	renders("{{#history}}{{content}}|{{/history}}", state, "Hi|&lt;/x>|");
}

Test(mustache, repeats_a_section_for_each_item_of_a_list)
{
	renders("{{#history}}\n{{role}}: {{content}} ({{priority}})\n{{/history}}\nend", state,
		"user: Hi (7)\nassistant: &lt;/x> (7)\nend");
	renders("{{#retrieval}}{{confidence}}{{/retrieval}}", state, "0.5");
}

Test(mustache, leaves_out_sections_over_nothing)
{
	static const char text[] =
		"{{#message}}a{{/message}}{{#vip}}b{{/vip}}{{#history}}c{{/history}}"
		"{{#retrieval}}d{{/retrieval}}{{#anything}}e{{/anything}}{{^message}}f{{/message}}"
		"{{^history}}g{{/history}}{{#priority}}h{{/priority}}";
	renders(text, state, "abccdh");
	renders(text, empty, "fgh");
	renders("[{{message}}{{vip}}]", empty, "[]");
}

Test(mustache, leaves_out_comments_and_the_blanks_at_the_ends)
{
	renders("{{! for the\noperator }}\n\n  a {{!b}}c\n\n", state, "a c");
	renders("", state, "");
}

Test(mustache, names_an_unknown_field_with_its_place_and_the_nearest_one)
{
	refuses("a\n  {{mesage}}", 2, 3,
		"the state has no field \"mesage\" (did you mean \"message\"?)");
	refuses("ä {{#histori}}x{{/histori}}", 1, 3, "(did you mean \"history\"?)");
	refuses("{{retrival.why}}", 1, 1, "the state has no field \"retrival\"");
	refuses("{{#vip}}{{content}}{{/vip}}", 1, 9, "the state has no field \"content\"");
}

Test(mustache, reports_every_unknown_field_at_once)
{
	struct diagnostics diagnostics = {0};
	static const char text[] = "{{one}}\n{{two}}\n{{#history}}{{three}}{{/history}}\n{{four}}";
	cr_expect_null(mustache_parse("p.md", text, strlen(text), variables, COUNT, &diagnostics));
	cr_assert_eq(diagnostics.count, 3);
	cr_expect_eq(diagnostics.items[2].line, 4);
	diagnostics_free(&diagnostics);
}

Test(mustache, refuses_what_would_silently_write_nothing)
{
	refuses("{{history}}", 1, 1, "the field history is a list; write {{#history}}");
	refuses("{{retrieval}}", 1, 1, "the field retrieval is a map; write {{retrieval.MEMBER}}");
	refuses("{{message.length}}", 1, 1, "the field message is a string and has no members");
	refuses("{{.}}", 1, 1, "there is none around it");
	refuses("a {{}}", 1, 3, "is no name");
	refuses("{{retrieval..why}}", 1, 1, "is no name");
}

Test(mustache, refuses_templates_that_are_no_templates)
{
	refuses("a {{message", 1, 3, "unclosed tag");
	refuses("\n{{#history}}a", 2, 1, "unclosed section \"history\"");
	refuses("{{#history}}{{/message}}", 1, 1, "unclosed section \"history\"");
	refuses("{{/history}}", 1, 1, "unopened section \"history\"");
	refuses("a {{", 1, 3, "unclosed tag");
}

Test(mustache, refuses_other_delimiters_and_other_files)
{
	refuses("{{=<% %>=}} <%message%>", 1, 1, "other delimiters");
	refuses("a {{ =| |= }}", 1, 3, "other delimiters");
	refuses("{{> header}}", 1, 1, "other templates ({{> header}})");
}

Test(mustache, refuses_templates_without_bounds)
{
	char text[(MUSTACHE_TAGS_LIMIT + 1) * 16 + 1] = "";
	for (size_t i = 0; i <= MUSTACHE_TAGS_LIMIT; i++)
		memcpy(text + i * 7, "{{vip}}", 8);
	refuses(text, 1, MUSTACHE_TAGS_LIMIT * 7 + 1, "more than 1000 tags");
	for (size_t i = 0; i <= MUSTACHE_DEPTH_LIMIT; i++)
		memcpy(text + i * 8, "{{#vip}}", 9);
	for (size_t i = 0; i <= MUSTACHE_DEPTH_LIMIT; i++)
		memcpy(text + (MUSTACHE_DEPTH_LIMIT + 1 + i) * 8, "{{/vip}}", 9);
	refuses(text, 1, MUSTACHE_DEPTH_LIMIT * 8 + 1, "nested deeper than 8");
}

Test(mustache, stops_a_rendering_that_becomes_too_long)
{
	struct ss_error err = {0};
	enum { ITEMS = 200 };
	char json[ITEMS * 4 + 64] = "[\"\", 0, 0, false, [1";
	for (size_t i = 1; i < ITEMS; i++)
		strcat(json, ", 1");
	strcat(json, "], {}, null]");
	cr_expect_null(
		render("{{#history}}{{#history}}{{#history}}x{{/history}}{{/history}}{{/history}}",
			json, &err));
	cr_expect_eq(err.status, SS_LIMIT);
	cr_expect_not_null(strstr(err.text, "p.md: with this state"), "%s", err.text);
}

Test(mustache, tells_which_fields_it_surely_reads)
{
	size_t count = 0;
	struct mustache *mustache =
		parse("{{message}}\n{{#history}}{{priority}}{{/history}} {{message}}");
	const struct mustache_read *reads = mustache_reads(mustache, &count);
	cr_assert_eq(count, 2);
	cr_expect(reads[0].variable == 0 && reads[0].line == 1 && reads[0].column == 1);
	cr_expect(reads[1].variable == 4 && reads[1].line == 2 && reads[1].column == 1);
	mustache_free(mustache);
}
