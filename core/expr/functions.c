#include "expr/functions.h"

#include "base/memory.h"
#include "expr/regex.h"

#include <stdio.h>
#include <string.h>

#define BIT(type) (1U << (type))

enum {
	BOOL = BIT(SS_BOOL),
	INT = BIT(SS_INT),
	DOUBLE = BIT(SS_NUMBER),
	STRING = BIT(SS_STRING),
	LIST = BIT(SS_LIST),
	MAP = BIT(SS_MAP),
	ANY = BIT(SS_NULL) | BOOL | INT | DOUBLE | STRING | LIST | MAP,
	BOTH = EXPR_FUNCTION | EXPR_METHOD,
};

static int evaluate_size(struct evaluation *evaluation, const struct expr_node *node,
	const struct cell *items, struct cell *out)
{
	if (items[0].type == SS_STRING)
		return string_size(evaluation, node, items, out);
	*out = cell_int((int64_t)cell_count(&items[0]));
	return 0;
}

/* What compiling a pattern costs beside its instructions, what it costs when it fails, and how many bytes of
 * text and instructions make a unit when it is used. */
enum {
	REGEX_COST = 50,
	REGEX_FAILURE_COST = 10000,
	REGEX_BYTES_A_UNIT = 16,
	REGEX_INSTRUCTIONS_A_UNIT = 16,
};

int evaluate_matches(struct evaluation *evaluation, const struct expr_node *node,
	const struct cell *items, struct cell *out)
{
	char why[120];
	struct expr_regex *made = NULL;
	const struct expr_regex *regex = node->regex;
	if (regex == NULL) {
		if (evaluation_spend(evaluation, node, REGEX_COST + items[1].text.length) < 0)
			return -1;
		made = expr_regex_new(items[1].text.data, items[1].text.length, why, sizeof why);
		if (made == NULL) {
			/* It may have been given up only when it was as large as it may be. */
			if (evaluation_spend(evaluation, node, REGEX_FAILURE_COST) < 0)
				return -1;
			return evaluation_fail(evaluation, node->items[1]->offset,
				"the pattern is wrong: %s", why);
		}
		regex = made;
	}
	size_t size = expr_regex_size(regex);
	size_t each = 1 + size / REGEX_INSTRUCTIONS_A_UNIT;
	size_t cost =
		(items[0].text.length / REGEX_BYTES_A_UNIT) * each + (made != NULL ? size : 0);
	int result = evaluation_spend(evaluation, node, cost);
	if (result == 0)
		*out = cell_bool(
			expr_regex_matches(regex, items[0].text.data, items[0].text.length));
	expr_regex_free(made);
	return result;
}

static const struct expr_function functions[] = {
	{"size", BOTH, 1, {STRING | LIST | MAP}, SS_INT, SS_NULL, evaluate_size},

	{"bool", EXPR_FUNCTION, 1, {BOOL | STRING}, SS_BOOL, SS_NULL, convert_bool},
	{"int", EXPR_FUNCTION, 1, {INT | DOUBLE | STRING}, SS_INT, SS_NULL, convert_int},
	{"double", EXPR_FUNCTION, 1, {INT | DOUBLE | STRING}, SS_NUMBER, SS_NULL, convert_double},
	{"string", EXPR_FUNCTION, 1, {BOOL | INT | DOUBLE | STRING}, SS_STRING, SS_NULL,
		convert_string},
	{"dyn", EXPR_FUNCTION, 1, {ANY}, SS_NULL, SS_NULL, convert_dyn},

	{"contains", EXPR_METHOD, 2, {STRING, STRING}, SS_BOOL, SS_NULL, string_contains},
	{"startsWith", EXPR_METHOD, 2, {STRING, STRING}, SS_BOOL, SS_NULL, string_starts},
	{"endsWith", EXPR_METHOD, 2, {STRING, STRING}, SS_BOOL, SS_NULL, string_ends},
	{"matches", BOTH, 2, {STRING, STRING}, SS_BOOL, SS_NULL, evaluate_matches},

	{"charAt", EXPR_METHOD, 2, {STRING, INT}, SS_STRING, SS_NULL, string_char_at},
	{"indexOf", EXPR_METHOD, 2, {STRING, STRING}, SS_INT, SS_NULL, string_index_of},
	{"indexOf", EXPR_METHOD, 3, {STRING, STRING, INT}, SS_INT, SS_NULL, string_index_of},
	{"lastIndexOf", EXPR_METHOD, 2, {STRING, STRING}, SS_INT, SS_NULL, string_last_index_of},
	{"lastIndexOf", EXPR_METHOD, 3, {STRING, STRING, INT}, SS_INT, SS_NULL,
		string_last_index_of},
	{"substring", EXPR_METHOD, 2, {STRING, INT}, SS_STRING, SS_NULL, string_substring},
	{"substring", EXPR_METHOD, 3, {STRING, INT, INT}, SS_STRING, SS_NULL, string_substring},
	{"trim", EXPR_METHOD, 1, {STRING}, SS_STRING, SS_NULL, string_trim},

	{"join", EXPR_METHOD, 1, {LIST}, SS_STRING, SS_NULL, string_join},
	{"join", EXPR_METHOD, 2, {LIST, STRING}, SS_STRING, SS_NULL, string_join},
	{"lowerAscii", EXPR_METHOD, 1, {STRING}, SS_STRING, SS_NULL, string_lower},
	{"upperAscii", EXPR_METHOD, 1, {STRING}, SS_STRING, SS_NULL, string_upper},
	{"replace", EXPR_METHOD, 3, {STRING, STRING, STRING}, SS_STRING, SS_NULL, string_replace},
	{"replace", EXPR_METHOD, 4, {STRING, STRING, STRING, INT}, SS_STRING, SS_NULL,
		string_replace},
	{"reverse", EXPR_METHOD, 1, {STRING}, SS_STRING, SS_NULL, string_reverse},
	{"split", EXPR_METHOD, 2, {STRING, STRING}, SS_LIST, SS_STRING, string_split},
	{"split", EXPR_METHOD, 3, {STRING, STRING, INT}, SS_LIST, SS_STRING, string_split},
	{"format", EXPR_METHOD, 2, {STRING, LIST}, SS_STRING, SS_NULL, string_format},
	{"strings.quote", EXPR_FUNCTION, 1, {STRING}, SS_STRING, SS_NULL, string_quote},
};

const struct expr_function *expr_function_find(
	const char *name, unsigned style, size_t count, const struct expr_function **other)
{
	*other = NULL;
	for (size_t i = 0; i < array_length(functions); i++) {
		if (strcmp(functions[i].name, name) != 0)
			continue;
		if ((functions[i].styles & style) != 0 && functions[i].count == count)
			return &functions[i];
		*other = &functions[i];
	}
	return NULL;
}

const char *expr_function_name(size_t index)
{
	return index < array_length(functions) ? functions[index].name : NULL;
}

unsigned expr_type_bit(enum ss_type type)
{
	return BIT(type);
}

const char *expr_type_list(unsigned types, char *text, size_t size)
{
	size_t length = 0;
	text[0] = '\0';
	for (int type = SS_NULL; type <= SS_MAP && length < size; type++) {
		unsigned more = types >> (type + 1);
		if ((types & BIT(type)) == 0)
			continue;
		int added = snprintf(text + length, size - length, "%s%s",
			cell_a_type((enum ss_type)type),
			more == 0                  ? ""
			: (more & (more - 1)) == 0 ? " or "
						   : ", ");
		length += added > 0 ? (size_t)added : 0;
	}
	return text;
}

const char *expr_sign(enum expr_operation operation)
{
	static const char *const signs[] = {
		[EXPR_AND] = "&&",
		[EXPR_OR] = "||",
		[EXPR_NOT] = "!",
		[EXPR_ADD] = "+",
		[EXPR_SUBTRACT] = "-",
		[EXPR_MULTIPLY] = "*",
		[EXPR_DIVIDE] = "/",
		[EXPR_REMAINDER] = "%",
	};
	return signs[operation];
}
