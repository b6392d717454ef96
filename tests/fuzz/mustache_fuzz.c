/*
 * Fuzzes prompt files: what is refused has a place and a sentence; what is taken is rendered over a full and an empty
 * state, the same text each time, or refused for its length alone.
 */
#include "expr/mustache.h"
#include "value/json.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

enum { VARIABLES = 5, STATES = 2 };

static const struct expr_variable variables[VARIABLES] = {
	{"m", SS_STRING, NULL},
	{"n", SS_INT, NULL},
	{"b", SS_BOOL, NULL},
	{"l", SS_LIST, NULL},
	{"p", SS_MAP, NULL},
};

static const char *const states[STATES][VARIABLES] = {
	{"\"<a> & \xc3\xa9\\n\"", "-7", "true", "[1, \"x\", {\"m\": \"y\", \"l\": [[2]]}, null]",
		"{\"q\": {\"r\": 0.5}, \"m\": \"z\"}"},
	{"\"\"", "0", "false", "[]", "{}"},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_mistakes(const struct diagnostics *diagnostics)
{
	if (diagnostics->count == 0)
		abort();
	for (size_t i = 0; i < diagnostics->count; i++) {
		const struct diagnostic *mistake = &diagnostics->items[i];
		bool last = i + 1 == DIAGNOSTICS_LIMIT || diagnostics->count > DIAGNOSTICS_LIMIT;
		if (mistake->text[0] == '\0' || (mistake->line == 0 && !last))
			abort();
	}
}

static void render(const struct mustache *mustache, struct ss_value *const *values)
{
	struct ss_error err = {0};
	size_t length = 0, again_length = 0;
	char *text = mustache_render(mustache, values, &length, &err);
	char *again = mustache_render(mustache, values, &again_length, &err);
	if ((text == NULL) != (again == NULL) || (text == NULL && err.status != SS_LIMIT))
		abort();
	if (text != NULL && (length != again_length || memcmp(text, again, length) != 0))
		abort();
	free(again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diagnostics diagnostics = {0};
	struct mustache *mustache = mustache_parse(
		"p.md", (const char *)data, size, variables, VARIABLES, &diagnostics);
	if (mustache == NULL)
		check_mistakes(&diagnostics);
	for (size_t state = 0; mustache != NULL && state < STATES; state++) {
		struct ss_value *values[VARIABLES];
		for (size_t i = 0; i < VARIABLES; i++)
			values[i] = json_parse(states[state][i], strlen(states[state][i]), NULL);
		render(mustache, values);
		for (size_t i = 0; i < VARIABLES; i++)
			value_unref(values[i]);
	}
	mustache_free(mustache);
	diagnostics_free(&diagnostics);
	return 0;
}
