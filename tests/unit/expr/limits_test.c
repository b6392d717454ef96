/* What keeps an expression cheap: counted, not timed. */
#include "unit/expr/evaluate.h"

#include "expr/expr.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A list of COUNT ints. */
static struct ss_value *numbers(size_t count)
{
	struct ss_value **items = calloc(count, sizeof(struct ss_value *));
	cr_assert_not_null(items);
	for (size_t i = 0; i < count; i++)
		items[i] = value_int((int64_t)i);
	struct ss_value *list = value_list(items, count);
	free(items);
	return list;
}

static struct ss_value *letters(size_t count)
{
	char *text = repeated("", "a", count, "");
	struct ss_value *value = value_string(text, count);
	free(text);
	return value;
}

/* Whether TEXT has a value over x, which is taken; if not, it is for its costs. */
static bool is_cheap(const char *text, struct ss_value *x)
{
	struct expr_variable variable = {"x", value_type(x), NULL};
	struct expr_error error = {0};
	struct expr *expr = expr_compile(text, &variable, 1, SS_NULL, &error);
	cr_assert_not_null(expr, "%s: %s", text, error.text);
	struct ss_value *value = expr_evaluate_placed(expr, &x, &error);
	if (value == NULL)
		cr_expect(strstr(error.text, "costs more") || strstr(error.text, "larger than"),
			"%s: %s", text, error.text);
	bool cheap = value != NULL;
	value_unref(value);
	expr_free(expr);
	value_unref(x);
	return cheap;
}

Test(cost, grows_with_the_items_that_are_looked_at)
{
	cr_expect(is_cheap("x.all(i, i >= 0)", numbers(10000)));
	cr_expect_not(is_cheap("x.all(i, i >= 0)", numbers(100000)));
	cr_expect(is_cheap("x.all(i, x.all(j, true))", numbers(100)));
	cr_expect_not(is_cheap("x.all(i, x.all(j, true))", numbers(1000)));
	cr_expect_not(is_cheap("x.map(i, x.map(j, x.map(k, 1))).size()", numbers(60)));
	cr_expect(is_cheap("-1 in x", numbers(50000)));
	cr_expect_not(is_cheap("-1 in x", numbers(200000)));
	cr_expect_not(is_cheap("x.map(i, x) == x.map(i, x)", numbers(400)));
	cr_expect_not(is_cheap("x.map(i, 1 + i).exists(i, x == x + [1])", numbers(1000)));
}

Test(cost, is_not_hidden_by_logic)
{
	cr_expect_not(is_cheap("x.all(i, x.all(j, true)) || true", numbers(1000)));
	cr_expect_not(is_cheap("x.exists(i, x.all(j, 1 / 0 == 1))", numbers(1000)));
	cr_expect(is_cheap("true || x.all(i, x.all(j, true))", numbers(1000)));
}

Test(cost, grows_with_the_text_that_is_looked_at_and_made)
{
	cr_expect(is_cheap("x.contains('b')", letters(1000000)));
	cr_expect_not(is_cheap("x.contains('b')", letters(2000000)));
	cr_expect_not(is_cheap("x.split('').exists(c, x.contains('b'))", letters(10000)));
	cr_expect_not(is_cheap("x.replace('a', x)", letters(2000)));
	cr_expect_not(is_cheap("x.replace('', x).size()", letters(20000)));
	cr_expect_not(is_cheap("x.split('').map(c, x).join(x)", letters(2000)));
	cr_expect_not(
		is_cheap("x.split('').map(c, '%s%s%s'.format([x, [x], {x: x}]))", letters(3000)));
	cr_expect_not(is_cheap("x.lastIndexOf(x.substring(50000) + 'b')", letters(100000)));
	cr_expect_not(
		is_cheap("x.split('').map(c, strings.quote(x) + x.reverse())", letters(10000)));
}

/* References to one value take no memory, but what is written from them would. */
Test(size, of_what_is_built_is_bounded)
{
	cr_expect_not(is_cheap("[x, x, x, x, x]", letters(1000000)));
	cr_expect(is_cheap("[x, x]", letters(1000000)));
	cr_expect(is_cheap("x", letters(10000000)));
	cr_expect_not(is_cheap("x.split('').map(c, [x, x]).size()", letters(2500)));
}

Test(depth, of_what_is_built_is_bounded)
{
	char *deep = repeated("", "[", 40, "x");
	char *text = repeated(deep, "]", 40, "");
	struct expr_variable variable = {"x", SS_INT, NULL};
	struct expr_error error = {0};
	struct ss_value *x = value_int(1);
	struct expr *expr = expr_compile(text, &variable, 1, SS_NULL, &error);
	cr_assert_not_null(expr);
	cr_expect_null(expr_evaluate_placed(expr, &x, &error));
	cr_expect_not_null(strstr(error.text, "nested more than"), "%s", error.text);
	expr_free(expr);
	value_unref(x);
	free(text);
	free(deep);
}

/* A pattern that takes exponential time where matching goes back; what it costs here depends on the
 * lengths of the text and the pattern alone, so it fits the limit, whatever is in the text. */
Test(matching, costs_in_proportion_to_the_text)
{
	cr_expect(
		is_cheap("x.matches('^(a+)+$') && !(x + 'b').matches('^(a+)+$')", letters(100000)));
	cr_expect(is_cheap(
		"!x.matches('(a|aa)+b') && !x.matches('(.*)*(.*)*(.*)*b$')", letters(30000)));
	cr_expect_not(is_cheap("x.matches('^(a+)+$')", letters(2000000)));
	/* A large program costs more for the same text. */
	cr_expect(is_cheap("x.matches('^a{2}')", letters(100000)));
	cr_expect_not(is_cheap("x.matches('^(a{200}b?){5}')", letters(100000)));
}

Test(matching, bounds_what_a_pattern_takes)
{
	fails_at("text.matches('((a{100}){100}){100}')", 13, "the pattern is wrong");
	fails_at("text.matches('(\\\\pL{500}){2}')", 13, "the pattern is wrong");
	cr_expect_not(is_cheap("x.split('').exists(c, 'x'.matches(c + '{5}b'))", letters(5000)));
	cr_expect_not(
		is_cheap("x.split('').exists(c, c.matches('(' + r'\\pL{500}){2}'))", letters(20)));
	char *text = repeated("text.matches('b' + ", "('aaaaaaaaaaaaaaaaaaaa' + ", 30, "text");
	char *closed = repeated(text, ")", 31, "");
	gives(closed, "false");
	free(closed);
	free(text);
	struct ss_value *x = letters(5000);
	struct expr_variable variable = {"x", SS_STRING, NULL};
	struct expr_error error = {0};
	struct expr *expr = expr_compile("'a'.matches(x)", &variable, 1, SS_NULL, &error);
	cr_assert_not_null(expr);
	cr_expect_null(expr_evaluate_placed(expr, &x, &error));
	cr_expect_not_null(strstr(error.text, "longer than 4096 bytes"), "%s", error.text);
	expr_free(expr);
	value_unref(x);
}
