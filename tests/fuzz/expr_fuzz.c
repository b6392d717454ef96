/*
 * Fuzzes expressions: what compiles evaluates to a result or an error over three states; what does not
 * has a sentence and a place within the text.
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

static void evaluate(const struct expr *expr)
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct expr_error error = {0};
	size_t reads = 0;
	char *text = memory_text((const char *)data, size);
	struct expr *expr = expr_compile(text, variables, VARIABLES, SS_BOOL, &error);
	if (expr == NULL && (error.text[0] == '\0' || error.offset > strlen(text)))
		abort();
	if (expr != NULL) {
		const size_t *rows = expr_reads(expr, &reads);
		for (size_t i = 0; i < reads; i++) {
			if (rows[i] >= VARIABLES)
				abort();
		}
		evaluate(expr);
	}
	expr_free(expr);
	expr_free(expr_compile(text, variables, VARIABLES, SS_NULL, &error));
	free(text);
	return 0;
}
