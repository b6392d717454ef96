/*
 * CEL's own conformance cases (data/cel_conformance.json), those whose expression uses only what there
 * is here so far. The number of the others is printed.
 */
#include "base/file.h"
#include "expr/expr.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define CASES SS_SOURCE_DIR "/../shared/data/cel_conformance.json"

enum { BINDINGS_LIMIT = 8 };

static const char *text_of_key(const struct ss_value *test, const char *key)
{
	return value_as_string(value_get(test, key), NULL);
}

/* Whether the string literal that starts at *AT is of a kind that is read here; *AT is moved behind it. */
static bool known_string(const char **at)
{
	char quote = **at;
	if ((*at)[1] == quote && (*at)[2] == quote)
		return false;
	for ((*at)++; **at != quote && **at != '\0'; (*at)++) {
		if (**at == '\\' && strchr("nrtabfv\\\"'`?", *++*at) == NULL)
			return false;
	}
	(*at)++;
	return true;
}

/* Whether EXPR has no literals, macros or functions that are not there yet. */
static bool supported(const char *expr)
{
	for (const char *at = expr; *at != '\0';) {
		if (*at == '"' || *at == '\'') {
			if (!known_string(&at))
				return false;
			continue;
		}
		if (*at == '{' || *at == '`')
			return false;
		if (!isalpha((unsigned char)*at)) {
			at++;
			continue;
		}
		size_t length = strspn(
			at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
		bool is_known = strncmp(at, "size(", 5) == 0 || strncmp(at, "has(", 4) == 0;
		bool is_raw = at[length] == '"' || at[length] == '\'';
		if ((at[length] == '(' && !is_known) || is_raw)
			return false;
		at += length;
	}
	return true;
}

/* Text and lists are not joined by + yet, and names have no dots. */
static bool section_is_supported(const struct ss_value *test)
{
	const char *section = text_of_key(test, "section");
	return strcmp(section, "concatenation") != 0 &&
	       strcmp(section, "qualified_identifier_resolution") != 0;
}

/* What the case expects, new: doubles are written {"$double": 1.0} where JSON does not tell them. */
static struct ss_value *expected_value(const struct ss_value *test)
{
	const struct ss_value *value = value_get(test, "value");
	const struct ss_value *number = value_get(value, "$double");
	return value_ref(number != NULL ? number : value);
}

static int evaluate(const char *text, const struct expr_variable *variables, size_t count,
	struct ss_value *const *values, bool *result, char *why, size_t size)
{
	struct ss_error err = {0};
	struct expr_error error = {0};
	struct expr *expr = expr_compile(text, variables, count, SS_BOOL, &error);
	if (expr == NULL) {
		(void)snprintf(why, size, "at %zu: %s", error.offset, error.text);
		return -1;
	}
	int evaluated = expr_is_true(expr, values, result, &err);
	(void)snprintf(why, size, "%s", err.text);
	expr_free(expr);
	return evaluated;
}

static bool passes(const struct ss_value *test)
{
	char why[300] = "";
	bool result = false;
	size_t count = 0;
	struct expr_variable variables[BINDINGS_LIMIT + 1];
	struct ss_value *values[BINDINGS_LIMIT + 1];
	const struct ss_value *bindings = value_get(test, "bindings");
	bool error = value_get(test, "error") != NULL;
	struct ss_value *expected = expected_value(test);
	char *text = NULL;
	cr_assert_leq(value_count(bindings), BINDINGS_LIMIT);
	for (; count < value_count(bindings); count++) {
		const struct ss_value *number = value_get(value_at(bindings, count), "$double");
		variables[count] = (struct expr_variable){.name = value_key_at(bindings, count)};
		values[count] = value_ref(number != NULL ? number : value_at(bindings, count));
	}
	variables[count] = (struct expr_variable){.name = "what_is_expected"};
	values[count++] = expected;
	cr_assert_geq(asprintf(&text, "(%s) == what_is_expected", text_of_key(test, "expr")), 0);
	int evaluated = evaluate(text, variables, count, values, &result, why, sizeof why);
	bool good = error ? evaluated < 0 : evaluated == 0 && result;
	if (!good)
		cr_log_error("%s/%s: %s: %s", text_of_key(test, "section"),
			text_of_key(test, "name"), text_of_key(test, "expr"),
			evaluated < 0 ? why : "another value");
	free(text);
	for (size_t i = 0; i < count; i++)
		value_unref(values[i]);
	return good;
}

Test(conformance, holds_for_all_that_is_there_so_far)
{
	char *text = NULL;
	size_t length = 0;
	size_t passed = 0;
	size_t failed = 0;
	struct ss_error err = {0};
	if (file_read(CASES, 1 << 20, &text, &length, &err) < 0)
		cr_skip_test("%s is not there", CASES);
	struct ss_value *tests = json_parse(text, length, &err);
	cr_assert_not_null(tests, "%s", err.text);
	for (size_t i = 0; i < value_count(tests); i++) {
		const struct ss_value *test = value_at(tests, i);
		if (!supported(text_of_key(test, "expr")) || !section_is_supported(test))
			continue;
		if (passes(test))
			passed++;
		else
			failed++;
	}
	printf("CEL conformance: %zu of %zu cases pass, %zu use what is not there yet\n", passed,
		value_count(tests), value_count(tests) - passed - failed);
	cr_expect_eq(failed, 0);
	cr_expect_gt(passed, 100);
	value_unref(tests);
	free(text);
}
