#include "http/json_schema.h"

#include "base/memory.h"
#include "base/text.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static bool is_text(const char *text)
{
	return !text_blank(text_of(text));
}

static const struct json_format formats[] = {{"text", is_text, "not be blank"}};

static struct ss_value *parse(const char *text)
{
	struct ss_error err = {0};
	struct ss_value *value = json_parse(text, strlen(text), &err);
	cr_assert_not_null(value, "%s: %s", text, err.text);
	return value;
}

/* What is wrong with the JSON text VALUE by SCHEMA, as "pointer: detail | pointer: detail". */
static void expect(const char *schema, const char *value, const char *expected)
{
	struct ss_value *named =
		parse("{\"Leaf\": {\"type\": \"string\", \"maxLength\": 3},"
		      " \"Tree\": {\"type\": \"object\", \"properties\": {\"leaf\": {\"$ref\": "
		      "\"#/components/schemas/Leaf\"}, \"down\": {\"$ref\": "
		      "\"#/components/schemas/Tree\"}}}}");
	const struct json_schemas schemas = {
		.named = named, .formats = formats, .format_count = array_length(formats)};
	struct ss_value *rules = parse(schema);
	struct ss_value *tried = parse(value);
	struct ss_error err = {0};
	struct buffer found = {0};
	cr_assert_eq(json_schema_check(&schemas, rules, &err), 0, "%s: %s", schema, err.text);
	struct ss_value *errors = json_schema_errors(&schemas, rules, "it", tried);
	for (size_t i = 0; i < value_count(errors); i++)
		buffer_add_format(&found, "%s%s: %s", i > 0 ? " | " : "",
			value_as_string(value_get(value_at(errors, i), "pointer"), NULL),
			value_as_string(value_get(value_at(errors, i), "detail"), NULL));
	cr_expect_str_eq(buffer_text(&found), expected);
	buffer_free(&found);
	value_unref(errors);
	value_unref(tried);
	value_unref(rules);
	value_unref(named);
}

Test(json_schema, checks_types)
{
	expect("{}", "5", "");
	expect("{\"type\": \"integer\"}", "5", "");
	expect("{\"type\": \"integer\"}", "5.0", "");
	expect("{\"type\": \"number\"}", "5", "");
	expect("{\"type\": [\"string\", \"null\"]}", "null", "");
	expect("{\"type\": \"integer\"}", "4.5",
		": it must be a whole number, not a decimal number");
	expect("{\"type\": \"integer\"}", "\"5\"", ": it must be a whole number, not a string");
	expect("{\"type\": \"boolean\"}", "1", ": it must be a boolean, not a number");
	expect("{\"type\": [\"string\", \"null\"]}", "[]",
		": it must be a string or null, not a list");
}

Test(json_schema, checks_numbers_and_choices)
{
	expect("{\"minimum\": 1, \"maximum\": 5}", "5", "");
	expect("{\"minimum\": 1, \"maximum\": 5}", "0", ": it is 0; it must be from 1 to 5");
	expect("{\"minimum\": 0.1}", "-3", ": it is -3; it must be 0.1 or more");
	expect("{\"maximum\": 2}", "2.5", ": it is 2.5; it must be 2 or less");
	expect("{\"enum\": [\"a\", \"b\", 1]}", "1.0", "");
	expect("{\"enum\": [\"a\", \"b\", 1]}", "\"c\"", ": it must be \"a\", \"b\" or 1");
}

Test(json_schema, checks_strings_by_their_characters)
{
	static const char schema[] = "{\"minLength\": 2, \"maxLength\": 3, \"format\": \"text\"}";
	expect(schema, "\"\xc3\xa9\xc3\xa9\xc3\xa9\"", "");
	expect(schema, "\"abcd\"", ": it has 4 characters; at most 3 are allowed");
	expect(schema, "\"\"", ": it must not be empty");
	expect(schema, "\"a\"", ": it needs at least 2 characters");
	expect(schema, "\"  \"", ": it must not be blank");
	expect("{}", "\"a\\u0000b\"", ": it must not have a NUL character");
}

Test(json_schema, checks_members_and_items_where_they_are)
{
	static const char schema[] =
		"{\"type\": \"object\", \"required\": [\"id\"], \"additionalProperties\": false,"
		" \"properties\": {\"id\": {\"type\": \"integer\"}, \"words\": {\"type\": "
		"\"array\","
		" \"minItems\": 1, \"maxItems\": 2, \"items\": {\"type\": \"string\"}}}}";
	expect(schema, "{\"id\": 1, \"words\": [\"a\"]}", "");
	expect(schema, "{}", "/id: id is required");
	expect(schema, "{\"id\": 1, \"word\": 1}",
		"/word: there is no member \"word\" (did you mean \"words\"?)");
	expect(schema, "{\"id\": 1, \"a/b~\": 1}",
		"/a~1b~0: there is no member \"a/b~\"; there are id and words");
	expect(schema, "{\"id\": 1, \"x\": 1}",
		"/x: there is no member \"x\"; there are id and words");
	expect(schema, "{\"id\": 1, \"words\": []}",
		"/words: words has 0 items; at least 1 is needed");
	expect(schema, "{\"id\": 1, \"words\": [1, \"a\", 2]}",
		"/words: words has 3 items; at most 2 are allowed | /words/0: words[0] must be a "
		"string, not a number | /words/2: words[2] must be a string, not a number");
	expect("{\"additionalProperties\": {\"type\": \"integer\"}}", "{\"a\": 1, \"b\": \"x\"}",
		"/b: b must be a whole number, not a string");
	expect("{\"minProperties\": 2}", "{\"a\": 1}", ": it needs at least 1 more member");
	expect("{\"minProperties\": 2}", "{}", ": it needs at least 2 members");
	expect("{\"maxProperties\": 1}", "{\"a\": 1, \"b\": 2}",
		": it has 2 members; at most 1 is allowed");
	static const char rating[] =
		"{\"required\": [\"turn\"], \"minProperties\": 2, \"properties\": {\"turn\": {}, "
		"\"rating\": {}, \"comment\": {}}}";
	expect(rating, "{\"turn\": 1, \"comment\": \"\"}", "");
	expect(rating, "{\"turn\": 1}", ": it needs at least 1 more member of comment, rating");
	expect(rating, "{\"rating\": 1, \"comment\": \"\"}", "/turn: turn is required");
	expect(rating, "{}",
		"/turn: turn is required | : it needs at least 1 member of comment, rating");
}

Test(json_schema, follows_references_and_tries_alternatives)
{
	expect("{\"$ref\": \"#/components/schemas/Tree\"}",
		"{\"down\": {\"down\": {\"leaf\": \"long\"}}}",
		"/down/down/leaf: leaf has 4 characters; at most 3 are allowed");
	static const char any[] =
		"{\"anyOf\": [{\"type\": \"string\", \"maxLength\": 2}, {\"type\": \"array\", "
		"\"items\": {\"type\": \"string\"}}]}";
	expect(any, "\"ab\"", "");
	expect(any, "[\"abc\"]", "");
	expect(any, "[1]", "/0: it[0] must be a string, not a number");
	expect(any, "\"abc\"", ": it has 3 characters; at most 2 are allowed");
	expect(any, "5", ": it must be a string, not a number");
}

static void refuse(const char *schema, const char *expected)
{
	const struct json_schemas schemas = {
		.formats = formats, .format_count = array_length(formats)};
	struct ss_value *rules = parse(schema);
	struct ss_error err = {0};
	cr_expect_eq(json_schema_check(&schemas, rules, &err), -1, "%s", schema);
	cr_expect_not_null(strstr(err.text, expected), "%s: %s", schema, err.text);
	value_unref(rules);
}

Test(json_schema, refuses_what_it_would_not_check)
{
	refuse("{\"pattern\": \"a\"}", "pattern: is a keyword that is not checked here");
	refuse("{\"type\": \"text\"}", "type: \"text\" is not what");
	refuse("{\"format\": \"ipv9\"}", "format: \"ipv9\"");
	refuse("{\"properties\": {\"a\": {\"minLength\": -1}}}", "minLength: -1");
	refuse("{\"items\": {\"oneOf\": []}}", "oneOf: is a keyword");
	refuse("{\"$ref\": \"#/components/schemas/None\"}", "$ref");
	refuse("{\"anyOf\": []}", "anyOf");
	refuse("{\"items\": 5}", "a schema must be an object");
}

static void expect_read(const char *type, const char *text, const char *expected)
{
	const struct json_schemas schemas = {0};
	struct ss_value *schema = value_map_make({"type", value_text(type)});
	struct ss_value *value = json_schema_read(&schemas, schema, text);
	char *found = json_text(value);
	cr_expect_str_eq(found, expected);
	free(found);
	value_unref(value);
	value_unref(schema);
}

Test(json_schema, reads_parameters_as_their_types)
{
	expect_read("integer", "50", "50");
	expect_read("integer", "+5", "\"+5\"");
	expect_read("integer", " 5", "\" 5\"");
	expect_read("integer", "5.5", "\"5.5\"");
	expect_read("integer", "1e999", "\"1e999\"");
	expect_read("number", "0.5", "0.5");
	expect_read("boolean", "true", "true");
	expect_read("boolean", "1", "\"1\"");
	expect_read("string", "true", "\"true\"");
}
