/* CEL's own conformance cases (data/cel_conformance.json): all of them, each reported by its name. */
#include "base/file.h"
#include "expr/expr.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define CASES SS_SOURCE_DIR "/../shared/data/cel_conformance.json"

enum { BINDINGS_LIMIT = 8 };

static const char *text_of_key(const struct ss_value *test, const char *key)
{
	return value_as_string(value_get(test, key), NULL);
}

/* VALUE, where doubles that JSON does not tell from ints are written {"$double": 1.0}; new. */
static struct ss_value *decode(const struct ss_value *value)
{
	const struct ss_value *number = value_get(value, "$double");
	size_t count = value_count(value);
	if (number != NULL)
		return value_number(value_as_number(number));
	if (count == 0)
		return value_ref(value);
	struct ss_value **items = calloc(count, sizeof(struct ss_value *));
	const char **keys = calloc(count, sizeof *keys);
	cr_assert(items != NULL && keys != NULL);
	for (size_t i = 0; i < count; i++) {
		keys[i] = value_key_at(value, i);
		items[i] = decode(value_at(value, i));
	}
	struct ss_value *decoded = value_type(value) == SS_LIST ? value_list(items, count)
								: value_map(keys, items, count);
	free(items);
	free(keys);
	return decoded;
}

/* What TEXT gives as JSON, which tells ints from doubles; NULL and in WHY its error. New. */
static char *evaluate(const char *text, const struct expr_variable *variables, size_t count,
	struct ss_value *const *values, struct expr_error *why)
{
	struct expr *expr = expr_compile_dynamic(text, variables, count, why);
	if (expr == NULL)
		return NULL;
	struct ss_value *value = expr_evaluate_placed(expr, values, why);
	char *json = value != NULL ? json_text(value) : NULL;
	value_unref(value);
	expr_free(expr);
	return json;
}

static bool passes(const struct ss_value *test)
{
	struct expr_error why = {0};
	struct expr_variable variables[BINDINGS_LIMIT];
	struct ss_value *values[BINDINGS_LIMIT];
	const struct ss_value *bindings = value_get(test, "bindings");
	const char *text = text_of_key(test, "expr");
	size_t count = value_count(bindings);
	cr_assert_leq(count, BINDINGS_LIMIT);
	for (size_t i = 0; i < count; i++) {
		variables[i] = (struct expr_variable){.name = value_key_at(bindings, i)};
		values[i] = decode(value_at(bindings, i));
	}
	char *actual = evaluate(text, variables, count, values, &why);
	struct ss_value *value = decode(value_get(test, "value"));
	char *expected = json_text(value);
	bool is_error = value_get(test, "error") != NULL;
	bool good = is_error ? actual == NULL && why.text[0] != '\0'
			     : actual != NULL && strcmp(actual, expected) == 0;
	if (!good)
		cr_log_error("%s/%s/%s: %s: %s and not %s", text_of_key(test, "file"),
			text_of_key(test, "section"), text_of_key(test, "name"), text,
			actual != NULL ? actual : why.text, is_error ? "an error" : expected);
	value_unref(value);
	free(expected);
	free(actual);
	for (size_t i = 0; i < count; i++)
		value_unref(values[i]);
	return good;
}

Test(conformance, holds_for_every_case_of_cels_own_suite)
{
	char *text = NULL;
	size_t length = 0;
	size_t failed = 0;
	struct ss_error err = {0};
	if (file_read(CASES, 1 << 20, &text, &length, &err) < 0)
		cr_skip_test("%s is not there", CASES);
	struct ss_value *tests = json_parse(text, length, &err);
	cr_assert_not_null(tests, "%s", err.text);
	for (size_t i = 0; i < value_count(tests); i++)
		failed += passes(value_at(tests, i)) ? 0 : 1;
	cr_expect_gt(value_count(tests), 0);
	cr_expect_eq(failed, 0, "%zu of %zu cases fail", failed, value_count(tests));
	value_unref(tests);
	free(text);
}
