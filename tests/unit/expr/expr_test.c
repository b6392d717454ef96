/* Expressions from outside: compiled against a small state, evaluated to a bool. */
#include "expr/expr.h"

#include "unit/expr/evaluate.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { VARIABLES = 10 };

/* The state that the expressions see. */
struct state {
	struct expr_variable variables[VARIABLES];
	struct ss_value *values[VARIABLES];
	struct ss_value *categories;
};

static struct ss_value *json(const char *text)
{
	struct ss_error err = {0};
	struct ss_value *value = json_parse(text, strlen(text), &err);
	cr_assert_not_null(value, "%s: %s", text, err.text);
	return value;
}

static struct state state_new(void)
{
	struct state state = {
		.categories = json("[\"Technical\", \"Billing\", \"Account\", \"General\"]")};
	const struct expr_variable variables[VARIABLES] = {
		{"category", SS_STRING, state.categories},
		{"priority", SS_INT, NULL},
		{"confidence", SS_NUMBER, NULL},
		{"escalated", SS_BOOL, NULL},
		{"message", SS_STRING, NULL},
		{"tags", SS_LIST, NULL},
		{"user", SS_MAP, NULL},
		{"anything", SS_NULL, NULL},
		{"index", SS_INT, NULL},
		{"nothing", SS_NULL, NULL},
	};
	memcpy(state.variables, variables, sizeof variables);
	state.values[0] = value_text("Billing");
	state.values[1] = value_int(7);
	state.values[2] = value_number(0.75);
	state.values[3] = value_bool(true);
	state.values[4] = value_text("Zürich 😀");
	state.values[5] = json("[\"a\", 2, 3.5, null, [1, 2], {\"k\": true}]");
	state.values[6] = json("{\"name\": \"Ann\", \"age\": 41, \"vip\": true, \"none\": null, "
			       "\"in\": 1, \"address\": {\"city\": \"Bern\"}}");
	state.values[7] = json("{\"flag\": true, \"list\": [10, 20, 30]}");
	state.values[8] = value_int(2);
	return state;
}

static void state_free(struct state *state)
{
	for (size_t i = 0; i < VARIABLES; i++)
		value_unref(state->values[i]);
	value_unref(state->categories);
}

/* What TEXT gives; its error goes to ERR. */
static int evaluate(const char *text, bool *result, struct ss_error *err)
{
	struct state state = state_new();
	struct expr_error error = {0};
	struct expr *expr = expr_compile(text, state.variables, VARIABLES, SS_BOOL, &error);
	cr_assert_not_null(expr, "%s: at %zu: %s", text, error.offset, error.text);
	int evaluated = expr_is_true(expr, state.values, result, err);
	expr_free(expr);
	state_free(&state);
	return evaluated;
}

static void is(const char *text, bool expected)
{
	bool result = !expected;
	struct ss_error err = {0};
	int evaluated = evaluate(text, &result, &err);
	cr_expect_eq(evaluated, 0, "%s: %s", text, err.text);
	cr_expect_eq(result, expected, "%s is %s", text, result ? "true" : "false");
}

#define TRUE(text)  is((text), true)
#define FALSE(text) is((text), false)

/* TEXT compiles, and its evaluation fails with WHY in the sentence. */
static void fails(const char *text, const char *why)
{
	bool result;
	struct ss_error err = {0};
	cr_expect_eq(evaluate(text, &result, &err), -1, "%s does not fail", text);
	cr_expect_eq(err.status, SS_INVALID);
	cr_expect_not_null(strstr(err.text, why), "%s: %s", text, err.text);
}

/* TEXT is refused at OFFSET with WHY in the sentence. */
static void refused(const char *text, size_t offset, const char *why)
{
	struct state state = state_new();
	struct expr_error error = {0};
	struct expr *expr = expr_compile(text, state.variables, VARIABLES, SS_BOOL, &error);
	cr_expect_null(expr, "%s is accepted", text);
	cr_expect_eq(error.offset, offset, "%s: at %zu and not %zu: %s", text, error.offset, offset,
		error.text);
	cr_expect_not_null(strstr(error.text, why), "%s: %s", text, error.text);
	expr_free(expr);
	state_free(&state);
}

Test(arithmetic, follows_precedence_and_groups_to_the_left)
{
	TRUE("1 + 2 * 3 == 7");
	TRUE("(1 + 2) * 3 == 9");
	TRUE("10 - 4 - 3 == 3");
	TRUE("100 / 10 / 5 == 2");
	TRUE("100 / 10 * 5 == 50");
	TRUE("17 % 5 == 2");
	TRUE("-17 % 5 == -2");
	TRUE("-17 / 5 == -3");
	TRUE("2 - -3 == 5");
	TRUE("2--3 == 5");
	TRUE("- 3 + 5 == 2");
	TRUE("-(3) + 5 == 2");
	TRUE("--3 == 3");
	TRUE("1.5 + 2.25 == 3.75");
	TRUE("1.5 - 2.0 == -0.5");
	TRUE("1.5 * 2.0 == 3.0");
	TRUE("3.0 / 2.0 == 1.5");
	TRUE("priority * 2 - 4 == 10");
	TRUE("confidence * 4.0 == 3.0");
	TRUE("-confidence == -0.75");
}

Test(arithmetic, refuses_a_result_that_does_not_fit_64_bits)
{
	fails("9223372036854775807 + 1 > 0", "does not fit 64 bits");
	fails("-9223372036854775807 - 2 < 0", "does not fit 64 bits");
	fails("9223372036854775807 * 2 > 0", "does not fit 64 bits");
	fails("-9223372036854775808 / -1 > 0", "does not fit 64 bits");
	fails("-9223372036854775808 % -1 == 0", "does not fit 64 bits");
	fails("--9223372036854775808 > 0", "does not fit 64 bits");
	fails("-(-9223372036854775807 - 1) > 0", "does not fit 64 bits");
	TRUE("-9223372036854775808 + 1 == -9223372036854775807");
	TRUE("9223372036854775807 - 9223372036854775807 == 0");
}

Test(arithmetic, divides_ints_by_zero_with_an_error_and_doubles_without)
{
	fails("1 / 0 == 1", "division by zero");
	fails("priority % 0 == 1", "division by zero");
	TRUE("1.0 / 0.0 > 1e308");
	TRUE("-1.0 / 0.0 < -1e308");
}

Test(arithmetic, does_not_mix_ints_and_doubles)
{
	refused("1 + 1.0 == 2.0", 2, "an int and a double do not mix");
	refused("priority * confidence > 1.0", 9, "do not mix");
	refused("5.0 % 2.0 == 1.0", 4, "% takes ints");
	refused("1 + \"a\" == 2", 2, "+ does not take an int and a string");
	refused("1 + true == 2", 2, "+ takes numbers, strings or lists, not a bool");
	refused("\"a\" - \"b\" == 2", 4, "- takes numbers, not a string");
	refused("true - 1 == 2", 5, "- takes numbers, not a bool");
	refused("-\"a\" == 1", 0, "- takes a number, not a string");
	refused("-null == 1", 0, "- takes a number, not null");
	fails("anything.list[0] + 0.5 == 1.0", "+ does not take an int and a double");
	fails("anything.flag + 1 == 1", "+ does not take a bool and an int");
	fails("-anything.flag == 1", "- takes a number");
	fails("anything.list[0] % user.name == 1", "% does not take an int and a string");
}

Test(numbers, are_read_as_cel_writes_them)
{
	TRUE("0 == 00");
	TRUE("1e3 == 1000.0");
	TRUE("1E-3 == 0.001");
	TRUE("1.25e+2 == 125.0");
	TRUE("9223372036854775807 == 9223372036854775807");
	TRUE("-9223372036854775808 < -9223372036854775807");
	TRUE("1e-400 == 0.0");
	TRUE("5e-324 > 0.0");
	refused("9223372036854775808 > 0", 0, "out of range");
	refused("1 < 99999999999999999999", 4, "out of range");
	refused("-9223372036854775809 < 0", 0, "out of range");
	refused("1e999 > 0.0", 0, "out of range");
	refused("1e > 0.0", 0, "not well-formed");
	refused("1e+ > 0.0", 0, "not well-formed");
	refused("2 > 12x", 4, "not well-formed");
	refused("1_000 > 2", 0, "not well-formed");
	refused("1. > 0.5", 3, "expected a name after the dot");
	TRUE(".5 > 0.1 && -.5 < 0.1");
	TRUE("0x10 == 16 && -0xFF == -255");
	refused("0x == 16", 0, "not well-formed");
	refused("1u == 1", 0, "unsigned ints are not supported");
	refused(". > 0.1", 2, "expected a name after the dot");
}

Test(comparison, orders_numbers_strings_and_bools)
{
	TRUE("1 < 2 && 2 <= 2 && 3 > 2 && 3 >= 3 && 1 != 2 && 1 == 1");
	FALSE("2 < 2 || 3 <= 2 || 2 > 2 || 2 >= 3 || 1 != 1 || 1 == 2");
	TRUE("1.5 < 2.5 && 2.5 >= 2.5");
	TRUE("'Abc' < 'aBC' && 'abc' < 'abcd' && '' < 'a'");
	TRUE("'z' < 'ä'");
	TRUE("false < true");
	FALSE("true < true");
	TRUE("message == 'Zürich 😀'");
}

Test(comparison, compares_ints_with_doubles_by_their_number)
{
	TRUE("1 == 1.0");
	TRUE("1 < 1.5");
	TRUE("2 > 1.5");
	TRUE("2.0 >= 2");
	FALSE("1 != 1.0");
	TRUE("priority > confidence");
	TRUE("[1, 2] == [1.0, 2.0]");
	TRUE("2.0 in [1, 2, 3]");
	TRUE("anything.list[0] == 10.0");
}

Test(comparison, finds_nan_neither_equal_nor_ordered)
{
	FALSE("0.0 / 0.0 == 0.0 / 0.0");
	TRUE("0.0 / 0.0 != 0.0 / 0.0");
	FALSE("0.0 / 0.0 < 1.0");
	FALSE("0.0 / 0.0 >= 1.0");
	FALSE("1.0 <= 0.0 / 0.0");
	FALSE("1 > 0.0 / 0.0");
	FALSE("[0.0 / 0.0] == [0.0 / 0.0]");
	FALSE("0.0 / 0.0 in [0.0 / 0.0]");
}

Test(comparison, finds_values_of_different_types_different)
{
	FALSE("anything.flag == 'x'");
	TRUE("anything.flag != user.age");
	TRUE("nothing == null");
	FALSE("anything == null");
	TRUE("user.none == null");
	TRUE("tags[3] == null");
	FALSE("tags[0] == 2");
	TRUE("tags == ['a', 2, 3.5, null, [1, 2], user.name == 'Ann' ? tags[5] : null]");
	TRUE("user.address == user.address");
	FALSE("user == anything");
	FALSE("category == null");
}

Test(comparison, refuses_types_that_are_never_compared)
{
	refused("priority == \"7\"", 9, "an int is never compared with a string");
	refused("escalated < 1", 10, "a bool is never compared with an int");
	refused("message > null", 8, "a string is never compared with null");
	refused("null < null", 5, "null has no order");
	refused("[1] <= [1]", 4, "a list has no order");
	refused("user > user", 5, "a map has no order");
	refused("anything < tags", 9, "a list has no order");
	refused("tags > anything", 5, "a list has no order");
	refused("nothing < null", 8, "null has no order");
	fails("anything < 1", "a map and an int have no order");
	fails("tags[3] > 1", "null and an int have no order");
	fails("tags[0] < 1", "a string and an int have no order");
}

Test(logic, binds_tighter_for_and_than_for_or)
{
	TRUE("true || false && false");
	FALSE("(true || false) && false");
	TRUE("!false && true");
	FALSE("!(false || true)");
	TRUE("!!true");
	TRUE("! escalated == false");
	TRUE("1 < 2 == true");
}

Test(logic, lets_one_side_decide_although_the_other_is_an_error)
{
	FALSE("1 / 0 > 0 && false");
	FALSE("false && 1 / 0 > 0");
	TRUE("1 / 0 > 0 || true");
	TRUE("true || 1 / 0 > 0");
	FALSE("(1 / 0 > 0 || 2 / 0 > 0) && false");
	TRUE("(1 / 0 > 0 && user.x == 1) || (true && !(1 / 0 > 0 && false))");
	FALSE("anything.list && false");
	TRUE("anything.list || true");
	fails("1 / 0 > 0 && true", "division by zero");
	fails("true && 1 / 0 > 0", "division by zero");
	fails("1 / 0 > 0 || false", "division by zero");
	fails("user.missing == 1 || 1 / 0 > 0", "no key \"missing\"");
	fails("(user.missing == 1 && false) || 1 / 0 > 0", "division by zero");
	fails("1 / 0 > 0 && (user.missing == 1 || true)", "division by zero");
	fails("anything.list && true", "&& takes a bool, not a list");
}

Test(logic, takes_bools_only)
{
	refused("priority && true", 0, "&& takes a bool, not an int");
	refused("true || message", 8, "|| takes a bool, not a string");
	refused("!priority", 1, "! takes a bool, not an int");
	refused("true && null", 8, "&& takes a bool, not null");
	refused("priority", 0, "its type must be bool, not int");
	refused("  'yes'", 2, "its type must be bool, not string");
	refused("null", 0, "its type must be bool, not null");
	fails("!anything.list", "! takes a bool");
	fails("anything.list", "its type is list, not bool");
	TRUE("anything.flag");
	TRUE("!!anything.flag");
}

Test(condition, evaluates_only_the_side_that_it_takes)
{
	TRUE("escalated ? true : 1 / 0 > 0");
	TRUE("(false ? 1 / 0 : 3) == 3");
	TRUE("(1 < 2 ? 'a' : 'b') == 'a'");
	TRUE("false ? false : false ? false : true");
	TRUE("true ? true : false || false");
	FALSE("false || true ? false : true");
	TRUE("(true ? 1 : 'x') == 1");
	refused("priority ? true : false", 0, "?: takes a bool, not an int");
	refused("true ? 1 : 2", 5, "its type must be bool, not int");
	refused("true  ? true", 12, "expected \":\" at the end");
	refused("true ? true ; false", 12, "expected \":\" before \"; false\"");
	fails("anything.list ? true : false", "?: takes a bool");
	fails("(escalated ? tags : user) ? true : false", "?: takes a bool");
}

Test(membership, looks_into_lists_and_maps)
{
	TRUE("'b' in ['a', 'b']");
	FALSE("'c' in ['a', 'b']");
	FALSE("1 in []");
	TRUE("2 in tags");
	TRUE("null in tags");
	TRUE("[1, 2] in tags");
	TRUE("[1.0, 2] in tags");
	TRUE("tags[5] in tags");
	TRUE("'name' in user");
	FALSE("'surname' in user");
	TRUE("'none' in user");
	TRUE("category in ['Billing', 'Account']");
	TRUE("!(priority in [1, 2, 3])");
	TRUE("priority in [index + 5]");
	TRUE("user.name in ['Bob', 'Ann']");
	refused("1 in 2", 2, "takes a list or a map on its right, not an int");
	refused("'a' in 'abc'", 4, "not a string");
	refused("1 in user", 2, "the map's keys are strings; an int is never in it");
	fails("1 in tags[0]", "takes a list or a map");
	FALSE("tags[1] in user");
}

Test(membership, reads_in_as_a_word_and_not_as_the_start_of_one)
{
	TRUE("index == 2");
	TRUE("index in [index]");
	TRUE("index in[2]");
	TRUE("(index)in([2])");
	TRUE("user.in == 1");
	refused("index inside [2]", 6, "unexpected \"inside [2]\" after");
}

Test(selection, reads_the_keys_of_maps_and_the_items_of_lists)
{
	TRUE("user.name == 'Ann'");
	TRUE("user . address . city == 'Bern'");
	TRUE("user['address']['city'] == 'Bern'");
	TRUE("anything.list[1] == 20");
	TRUE("[1, 2, 3][index] == 3");
	TRUE("[[1, 2], [3, index]][1][1] == 2");
	TRUE("tags[4][1] == 2");
	TRUE("[user][0].name == 'Ann'");
	fails("user.missing == 1", "there is no key \"missing\"");
	fails("user['missing'] == 1", "there is no key \"missing\"");
	fails("tags[6] == 1", "outside the list");
	fails("tags[-1] == 1", "outside the list");
	fails("[1, 2][2] == 1", "outside the list");
	fails("[][0] == 1", "outside the list");
	fails("anything.list['a'] == 1", "a list is indexed by an int, not by a string");
	fails("anything[0] == 1", "there is no key 0");
	fails("user.name.first == 1", "a string has no field \"first\"");
	refused("message.length > 1", 7, "a string has no field \"length\"");
	refused("priority[0] == 1", 8, "an int has no items");
	refused("tags['a'] == 1", 5, "a list is indexed by an int, not by a string");
	refused("user[0] == 1", 5, "the map is indexed by a string, not by an int");
	refused("user. == 1", 6, "expected a name after the dot");
	refused("user.1 == 1", 5, "expected a name after the dot");
	refused("tags[0 == 1", 11, "expected \"]\" at the end");
}

Test(selection, never_finds_a_key_by_the_part_before_a_nul)
{
	struct ss_value *values[] = {json("{\"a\": 1}"), value_string("a\0b", 3), json("[\"a\"]")};
	const struct expr_variable variables[] = {
		{"map", SS_MAP, NULL}, {"key", SS_STRING, NULL}, {"list", SS_LIST, NULL}};
	const char *const texts[] = {"key in map", "key in list", "key == 'a'"};
	struct ss_error err = {0};
	bool result;
	for (size_t i = 0; i < 3; i++) {
		struct expr_error error = {0};
		struct expr *expr = expr_compile(texts[i], variables, 3, SS_BOOL, &error);
		result = true;
		cr_expect_eq(expr_is_true(expr, values, &result, &err), 0);
		cr_expect_not(result, "%s", texts[i]);
		expr_free(expr);
	}
	struct expr_error error = {0};
	struct expr *expr = expr_compile("map[key] == 1", variables, 3, SS_BOOL, &error);
	cr_expect_eq(expr_is_true(expr, values, &result, &err), -1);
	expr_free(expr);
	for (size_t i = 0; i < 3; i++)
		value_unref(values[i]);
}

Test(functions, has_asks_for_a_key)
{
	TRUE("has(user.name)");
	FALSE("has(user.surname)");
	TRUE("has(user.none)");
	TRUE("has(user.address.city)");
	TRUE("has( (user.name) )");
	TRUE("has(user.surname) || user.name == 'Ann'");
	fails("has(user.address.street.number)", "there is no key \"street\"");
	fails("has(tags[0].x)", "a string has no field \"x\"");
	refused("has(user)", 0, "has() takes a field, as in has(user.name)");
	refused("has(user['name'])", 0, "has() takes a field");
	refused("true && has(message.x)", 19, "a string has no field");
	refused("has(user.name", 13, "expected \")\" at the end");
	refused("has()", 0, "has() takes a field");
}

Test(functions, size_counts_characters_items_and_entries)
{
	TRUE("size(message) == 8");
	TRUE("size('') == 0");
	TRUE("size('Zürich') == 6");
	TRUE("size(tags) == 6");
	TRUE("size([]) == 0");
	TRUE("size([1, index, 3]) == 3");
	TRUE("size(user) == 6");
	TRUE("size(user.name) == 3");
	TRUE("size (tags) > 5");
	refused("size(priority) == 1", 5,
		"size() takes a string, a list or a map here, not an int");
	refused("size(null) == 1", 5, "not null");
	refused("1 == length(tags)", 5, "there is no function length()");
	refused("size(tags, 1) == 1", 0, "size() is not called with 2 arguments");
	fails("size(tags[1]) == 1", "size() takes a string, a list or a map here, not an int");
	fails("size([1, 1 / 0]) == 2", "division by zero");
}

Test(lists, fail_as_a_whole_with_any_of_their_items)
{
	fails("1 in [1, 1 / 0]", "division by zero");
	fails("[1, 1 / 0][0] == 1", "division by zero");
	fails("[1 / 0] == [1, 2]", "division by zero");
	fails("[[1 / 0]] == []", "division by zero");
	TRUE("[] == []");
	FALSE("[1] == []");
	FALSE("[1, 'a', 3] == [1, 'b', 3]");
	TRUE("[index, [index]] == [2, [2]]");
	TRUE("[index] == [2]");
	FALSE("[1, ] == []");
	refused("[1, , 2] == []", 4, "expected a value");
	refused("[,] == []", 1, "expected a value");
	refused("[1 2] == []", 3, "expected \"]\" before \"2] == []\"");
}

Test(enums, refuse_a_value_that_they_never_have)
{
	TRUE("category == 'Billing'");
	TRUE("'Billing' == category");
	TRUE("category != 'General'");
	TRUE("category < 'C'");
	refused("category == 'Biling'", 12,
		"category is never \"Biling\" (did you mean \"Billing\"?)");
	refused("'tecnical' != category", 0, "is never \"tecnical\" (did you mean \"Technical\"?)");
	refused("category in ['Account', 'Generel']", 24, "did you mean \"General\"?");
	refused("category == 'Weather'", 12, "category is never \"Weather\"");
	refused("category == ''", 12, "category is never \"\"");
}

Test(enums, may_have_hundreds_of_values)
{
	struct ss_value *names[300];
	for (int i = 0; i < 300; i++) {
		char name[16];
		(void)snprintf(name, sizeof name, "value%d", i);
		names[i] = value_text(name);
	}
	struct ss_value *values = value_list(names, 300);
	const struct expr_variable variable = {"kind", SS_STRING, values};
	struct expr_error error = {0};
	struct expr *expr = expr_compile("kind == 'value299'", &variable, 1, SS_BOOL, &error);
	cr_expect_not_null(expr, "%s", error.text);
	expr_free(expr);
	cr_expect_null(expr_compile("kind == 'value300'", &variable, 1, SS_BOOL, &error));
	value_unref(values);
}

Test(names, are_refused_with_the_nearest_one)
{
	refused("catgory == 'Billing'", 0,
		"there is no field \"catgory\" (did you mean \"category\"?)");
	refused("true && (priorty > 3)", 9, "did you mean \"priority\"?");
	refused("weather", 0, "there is no field \"weather\"");
	refused("Category == 'x'", 0, "did you mean \"category\"?");
}

Test(strings, know_cels_escapes)
{
	TRUE("size('\\n\\r\\t\\a\\b\\f\\v\\\\\\'\\\"\\`\\?') == 12");
	TRUE("'it\\'s' == \"it's\"");
	TRUE("\"say \\\"hi\\\"\" == 'say \"hi\"'");
	TRUE("'a\tb' == 'a\\tb'");
	refused("'a\\qb' == ''", 2, "unknown escape");
	refused("'a' == 'b\\", 9, "unknown escape");
	refused("true && 'abc", 8, "the string has no end");
	refused("'abc\\'", 0, "the string has no end");
	refused("'ab\nc' == ''", 0, "the string has no end");
	refused("'abc\" == ''", 10, "unexpected \"'\" after");
}

Test(mistakes, are_placed_exactly)
{
	refused("", 0, "not complete");
	refused("   ", 3, "not complete");
	refused("1 <", 3, "not complete");
	refused("1 < )", 4, "expected a value");
	refused("(1 < 2", 6, "expected \")\" at the end");
	refused("1 < 2)", 5, "unexpected \")\" after the expression");
	refused("1 = 2", 2, "unexpected \"= 2\"");
	refused("true & true", 5, "unexpected \"& true\"");
	refused("a == $", 5, "expected a value");
	refused("true and false", 5, "unexpected \"and false\"");
	refused("not escalated", 4, "unexpected \"escalated\"");
	refused("'ü' == 1", 5, "a string is never compared with an int");
	refused("  priority   .x == 1", 13, "an int has no field");
	refused("priority   [0] == 1", 11, "an int has no items");
	refused("priority   ? true : false", 0, "?: takes a bool");
	refused("true   ? 1 : 2", 7, "its type must be bool");
	refused("!=true", 0, "expected a value");
}

Test(mistakes, never_cut_a_character)
{
	refused("true ääääääääääääääääää", 5, "unexpected \"ääääääääää\" after");
	refused("true xääääääääääääääääää", 5, "unexpected \"xäääääääää\" after");
}

Test(limits, bound_the_length)
{
	char *fits = repeated("true", "   ", (EXPR_LENGTH_LIMIT - 4) / 3, "");
	char *longer = repeated("true", " ", EXPR_LENGTH_LIMIT - 3, "");
	TRUE(fits);
	refused(longer, 0, "too long");
	free(fits);
	free(longer);
}

Test(limits, bound_the_nesting)
{
	static const struct {
		const char *before, *part, *middle, *close;
	} shapes[] = {{"", "(", "true", ")"}, {"", "!", "true", ""}, {"0 == ", "-", "x", ""},
		{"[] == ", "[", "", "]"}, {"", "true ? true : ", "true", ""},
		{"0 == ", "size([", "", "])"}, {"0 == ", "tags[", "0", "]"}};
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		char *middle = repeated("", shapes[i].close, 1000, "");
		char *rest = repeated(shapes[i].middle, middle, 1, "");
		char *text = repeated(shapes[i].before, shapes[i].part,
			EXPR_LENGTH_LIMIT / 2 / strlen(shapes[i].part), rest);
		struct expr_error error = {0};
		cr_expect_null(expr_compile(text, NULL, 0, SS_BOOL, &error));
		cr_expect_not_null(strstr(error.text, "too deeply"), "%zu: %s", i, error.text);
		free(text);
		free(rest);
		free(middle);
	}
	char *inside = repeated("", "(", EXPR_DEPTH_LIMIT - 1, "true");
	char *text = repeated(inside, ")", EXPR_DEPTH_LIMIT - 1, "");
	TRUE(text);
	free(text);
	free(inside);
}

Test(limits, let_a_long_chain_use_little_stack)
{
	char *sum = repeated("0 < 1", "+1", 2000, "");
	char * or = repeated("false", "||1/0>0", 500, "||true");
	char *path = repeated("user", ".a", 2000, " == 1");
	char *items = repeated("tags[0]", "[0]", 1300, " == 1");
	TRUE(sum);
	TRUE(or);
	fails(path, "no key");
	fails(items, "a string has no items");
	free(sum);
	free(or);
	free(path);
	free(items);
}

Test(limits, evaluate_a_list_once)
{
	char *inner = repeated("index == 2", "", 0, "");
	for (size_t i = 0; i < 20; i++) {
		char *next = repeated("[", inner, 1, "][0] && [[index]][0][0] == 2");
		char *wrapped = repeated("(", next, 1, ")");
		free(next);
		free(inner);
		inner = wrapped;
	}
	TRUE(inner);
	free(inner);
}

Test(types, of_items_are_followed_as_far_as_they_are_known)
{
	TRUE("message.split(' ').exists(word, word.startsWith('Z'))");
	TRUE("tags.exists(tag, tag == 'a') && user.exists(key, key == 'age')");
	TRUE("[1, 2].map(x, x * 2) == [2, 4]");
	refused("message.split(' ').exists(word, word > 3)", 37,
		"a string is never compared with an int");
	refused("user.exists(key, key * 2 == 4)", 21, "* takes numbers, not a string");
	refused("[1, 2].map(x, string(x)).exists(s, s + 1 == 2)", 37,
		"+ does not take a string and an int");
	refused("message.contains(priority)", 17, "contains() takes a string here, not an int");
	refused("message.matches('[')", 16, "the pattern is wrong: missing ]");
	refused("message.conains('x')", 8,
		"there is no function conains() (did you mean \"contains\"?)");
	refused("priority.all(x, true)", 9, "an int has none");
	refused("tags.all(x, 1)", 12, "the condition for an item must be a bool, not an int");
	refused("message.size(1) == 2", 8, "size() is not called with 1 argument");
	refused("message + 1 == 'x'", 8, "+ does not take a string and an int");
	refused("{1: 2}['a'].x == 1 && {'a': 1}[1] == 2", 31, "the map is indexed by a string");
	refused("tags.map(tag, category == 'Biling')[0]", 26, "did you mean \"Billing\"?");
}

Test(reads, names_each_variable_once)
{
	struct state state = state_new();
	struct expr_error error = {0};
	struct expr *expr =
		expr_compile("priority > 1 && priority < index && has(user.x) || priority == 1",
			state.variables, VARIABLES, SS_BOOL, &error);
	size_t count = 0;
	const size_t *reads = expr_reads(expr, &count);
	cr_assert_eq(count, 3);
	cr_expect_eq(reads[0], 1);
	cr_expect_eq(reads[1], 8);
	cr_expect_eq(reads[2], 6);
	expr_free(expr);
	expr = expr_compile("1 < 2", NULL, 0, SS_BOOL, &error);
	(void)expr_reads(expr, &count);
	cr_expect_eq(count, 0);
	expr_free(expr);
	state_free(&state);
}

Test(evaluation, needs_nobody_to_take_its_error)
{
	bool result = true;
	struct expr_error error = {0};
	struct expr *expr = expr_compile("1 / 0 == 1", NULL, 0, SS_BOOL, &error);
	cr_expect_eq(expr_is_true(expr, NULL, &result, NULL), -1);
	expr_free(expr);
	expr = expr_compile("1 / 0 == 1 || true", NULL, 0, SS_BOOL, &error);
	struct ss_error before = {.status = SS_TIMEOUT, .text = "from before"};
	cr_expect_eq(expr_is_true(expr, NULL, &result, &before), 0);
	cr_expect(result);
	expr_free(expr);
	expr_free(NULL);
}

Test(evaluate, gives_values_of_all_types)
{
	static const struct {
		const char *text, *json;
	} cases[] = {{"priority * 2 + 1", "15"}, {"confidence / 2.0", "0.375"},
		{"message", "\"Zürich 😀\""}, {"escalated && priority > 9", "false"},
		{"null", "null"}, {"tags", NULL},
		{"[priority, [category], user.address]", "[7,[\"Billing\"],{\"city\":\"Bern\"}]"},
		{"[1, 2.0, \"x\"]", "[1,2.0,\"x\"]"}, {"priority > 5 ? [index] : []", "[2]"}};
	struct state state = state_new();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct expr_error error;
		struct ss_error err = {0};
		struct expr *expr =
			expr_compile(cases[i].text, state.variables, VARIABLES, SS_NULL, &error);
		cr_assert_not_null(expr, "%s: %s", cases[i].text, error.text);
		struct ss_value *value = expr_evaluate(expr, state.values, &err);
		cr_assert_not_null(value, "%s: %s", cases[i].text, err.text);
		char *text = json_text(value);
		if (cases[i].json != NULL)
			cr_expect_str_eq(text, cases[i].json);
		else
			cr_expect_eq(value, state.values[5], "a field is handed on as it is");
		free(text);
		value_unref(value);
		expr_free(expr);
	}
	state_free(&state);
}

Test(evaluate, tells_why_there_is_no_value)
{
	struct expr_error error;
	struct ss_error err = {0};
	struct state state = state_new();
	struct expr *expr =
		expr_compile("[priority, user.phone]", state.variables, VARIABLES, SS_NULL, &error);
	cr_expect_null(expr_evaluate(expr, state.values, &err));
	cr_expect_str_eq(err.text, "there is no key \"phone\"");
	expr_free(expr);
	state_free(&state);
}
