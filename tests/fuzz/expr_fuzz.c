/*
 * Fuzzes expressions: what compiles evaluates to a value or an error over three states, the same one each
 * time; what does not has a sentence and a place within the text. Both with the fields' types and without.
 */
#include "expr/expr.h"
#include "value/json.h"
#include "value/value.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { VARIABLES = 8, STATES = 3 };

static struct expr_variable variables[VARIABLES] = {
	{"message", SS_STRING, NULL},
	{"category", SS_STRING, NULL}, /* an enum */
	{"priority", SS_INT, NULL},
	{"score", SS_NUMBER, NULL},
	{"escalated", SS_BOOL, NULL},
	{"results", SS_LIST, NULL},
	{"details", SS_MAP, NULL},
	{"any", SS_NULL, NULL},
};

static const char *const states[STATES][VARIABLES] = {
	{"\"\"", "\"General\"", "0", "0.0", "false", "[]", "{}", "null"},
	{"\"My app \xc3\xa9 crashed\"", "\"Technical\"", "9223372036854775807", "-1e300", "true",
		"[1, 2.5, \"x\", null, [true], {\"k\": 1}]", "{\"k\": {\"l\": [1]}, \"n\": 0}",
		"{\"k\": [1, 2]}"},
	{"null", "null", "null", "null", "null", "null", "null", "[[[[1]]]]"},
};

static struct ss_value *values[STATES][VARIABLES];

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char categories[] = "[\"Technical\", \"Billing\", \"Account\", \"General\"]";
	(void)argc;
	(void)argv;
	variables[1].values = json_parse(categories, strlen(categories), NULL);
	for (size_t state = 0; state < STATES; state++) {
		for (size_t i = 0; i < VARIABLES; i++)
			values[state][i] =
				json_parse(states[state][i], strlen(states[state][i]), NULL);
	}
	return 0;
}

/* Where an error is said to be, and what it says, is right. */
static void check_error(const char *text, const struct expr_error *error)
{
	if (error->text[0] == '\0' || error->offset > strlen(text))
		abort();
}

/* What a condition gives, it gives again. */
static void decide(const struct expr *expr)
{
	for (size_t state = 0; state < STATES; state++) {
		struct ss_error err = {0};
		bool result = false;
		bool again = true;
		int status = expr_is_true(expr, values[state], &result, &err);
		if (status < 0 && (err.status == SS_OK || err.text[0] == '\0'))
			abort();
		if (expr_is_true(expr, values[state], &again, NULL) != status ||
			(status == 0 && result != again))
			abort();
	}
}

/* A value is written and read again; what was built is not larger than it may be. */
static void evaluate(const char *text, const struct expr *expr)
{
	for (size_t state = 0; state < STATES; state++) {
		struct expr_error error = {0};
		struct ss_value *value = expr_evaluate_placed(expr, values[state], &error);
		if (value == NULL) {
			check_error(text, &error);
			continue;
		}
		if (value_size(value) > 4 * (size_t)EXPR_SIZE_LIMIT)
			abort();
		char *json = json_text(value);
		struct ss_value *read = json_parse(json, strlen(json), NULL);
		if (read == NULL)
			abort();
		value_unref(read);
		free(json);
		value_unref(value);
	}
}

static void check_reads(const struct expr *expr)
{
	size_t count = 0;
	const size_t *rows = expr_reads(expr, &count);
	for (size_t i = 0; i < count; i++) {
		if (rows[i] >= VARIABLES)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct expr_error error = {0};
	char *text = memory_text((const char *)data, size);
	struct expr *condition = expr_compile(text, variables, VARIABLES, SS_BOOL, &error);
	if (condition == NULL)
		check_error(text, &error);
	else
		decide(condition);
	struct expr *typed = expr_compile(text, variables, VARIABLES, SS_NULL, &error);
	if (typed != NULL) {
		check_reads(typed);
		evaluate(text, typed);
	}
	struct expr *dynamic = expr_compile_dynamic(text, variables, VARIABLES, &error);
	if (dynamic == NULL)
		check_error(text, &error);
	else
		evaluate(text, dynamic);
	if (typed != NULL && dynamic == NULL)
		abort();
	expr_free(condition);
	expr_free(typed);
	expr_free(dynamic);
	free(text);
	return 0;
}
