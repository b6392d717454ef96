#include "unit/expr/evaluate.h"

#include "expr/expr.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { VARIABLES = 4 };

static const struct expr_variable variables[VARIABLES] = {{"n", SS_NULL, NULL},
	{"text", SS_NULL, NULL}, {"list", SS_NULL, NULL}, {"map", SS_NULL, NULL}};
static const char *const contents[VARIABLES] = {
	"7", "\"Zürich 😀\"", "[3, 1, 2]", "{\"a\": 1, \"b\": [10, 20], \"c-d\": null}"};

/* New; NULL and ERROR. */
static char *evaluate(const char *text, struct expr_error *error)
{
	struct ss_value *values[VARIABLES];
	struct ss_value *value = NULL;
	char *json = NULL;
	for (size_t i = 0; i < VARIABLES; i++) {
		values[i] = json_parse(contents[i], strlen(contents[i]), NULL);
		cr_assert_not_null(values[i]);
	}
	struct expr *expr = expr_compile_dynamic(text, variables, VARIABLES, error);
	if (expr != NULL)
		value = expr_evaluate_placed(expr, values, error);
	if (value != NULL)
		json = json_text(value);
	value_unref(value);
	expr_free(expr);
	for (size_t i = 0; i < VARIABLES; i++)
		value_unref(values[i]);
	return json;
}

void gives(const char *text, const char *expected)
{
	struct expr_error error = {0};
	char *json = evaluate(text, &error);
	cr_expect_not_null(json, "%.200s: at %zu: %s", text, error.offset, error.text);
	if (json != NULL)
		cr_expect_str_eq(json, expected, "%.200s is %.200s", text, json);
	free(json);
}

void fails_at(const char *text, unsigned long offset, const char *why)
{
	struct expr_error error = {0};
	char *json = evaluate(text, &error);
	cr_expect_null(json, "%.200s is %.200s", text, json);
	cr_expect_eq(error.offset, offset, "%.200s: at %zu and not %lu: %s", text, error.offset,
		offset, error.text);
	cr_expect_not_null(strstr(error.text, why), "%.200s: %s", text, error.text);
	free(json);
}

char *repeated(const char *before, const char *part, unsigned long count, const char *after)
{
	size_t size = strlen(before) + strlen(part) * count + strlen(after) + 1;
	char *text = malloc(size);
	cr_assert_not_null(text);
	char *at = stpcpy(text, before);
	for (size_t i = 0; i < count; i++)
		at = stpcpy(at, part);
	(void)stpcpy(at, after);
	return text;
}
