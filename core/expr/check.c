#include "base/memory.h"
#include "config/diagnostics.h"
#include "expr/node.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

struct checker {
	const struct expr_variable *variables;
	size_t count;
	struct expr_error *error;
};

static int check(struct checker *checker, struct expr_node *node);

static bool known(const struct expr_node *node)
{
	return node->type != SS_NULL || node->is_null;
}

static const char *type_name(const struct expr_node *node)
{
	return value_type_name(node->type);
}

static bool is_number(const struct expr_node *node)
{
	return !known(node) || node->type == SS_INT || node->type == SS_NUMBER;
}

static int check_variable(struct checker *checker, struct expr_node *node)
{
	const char *names[128];
	char hint[120];
	size_t count = 0;
	for (size_t i = 0; i < checker->count; i++) {
		if (strcmp(checker->variables[i].name, node->name) == 0) {
			node->variable = i;
			node->type = checker->variables[i].type;
			return 0;
		}
		if (count < array_length(names))
			names[count++] = checker->variables[i].name;
	}
	return expr_fail(checker->error, node->offset, "there is no field \"%.60s\"%s", node->name,
		diagnostics_hint(node->name, names, count, hint, sizeof hint));
}

static int need_bool(struct checker *checker, const struct expr_node *node, const char *who)
{
	if (!known(node) || node->type == SS_BOOL)
		return 0;
	return expr_fail(checker->error, node->offset, "%s takes a bool, not a %s", who,
		type_name(node));
}

static const struct expr_variable *enum_of(
	const struct checker *checker, const struct expr_node *node)
{
	if (node->operation != EXPR_VARIABLE ||
		checker->variables[node->variable].values == NULL)
		return NULL;
	return &checker->variables[node->variable];
}

/* A string that is compared with an enum must be one of its values: anything else is a slip. */
static int check_enum_value(
	struct checker *checker, const struct expr_variable *variable, const struct expr_node *node)
{
	const char *names[128];
	char hint[120];
	size_t count = 0;
	if (node->operation != EXPR_CONSTANT || node->type != SS_STRING)
		return 0;
	const char *text = value_as_string(node->constant, NULL);
	for (; count < value_count(variable->values) && count < array_length(names); count++) {
		names[count] = value_as_string(value_at(variable->values, count), NULL);
		if (strcmp(names[count], text) == 0)
			return 0;
	}
	return expr_fail(checker->error, node->offset, "%s is never \"%.60s\"%s", variable->name,
		text, diagnostics_hint(text, names, count, hint, sizeof hint));
}

static int check_enum(struct checker *checker, struct expr_node *const *items)
{
	for (int side = 0; side < 2; side++) {
		const struct expr_variable *variable = enum_of(checker, items[side]);
		const struct expr_node *other = items[1 - side];
		if (variable == NULL)
			continue;
		if (check_enum_value(checker, variable, other) < 0)
			return -1;
		for (size_t i = 0; other->operation == EXPR_LIST && i < other->count; i++) {
			if (check_enum_value(checker, variable, other->items[i]) < 0)
				return -1;
		}
	}
	return 0;
}

static int check_comparison(struct checker *checker, struct expr_node *node)
{
	const struct expr_node *left = node->items[0];
	const struct expr_node *right = node->items[1];
	bool equality = node->operation == EXPR_EQUAL || node->operation == EXPR_NOT_EQUAL;
	bool numbers = is_number(left) && is_number(right);
	bool null = equality && (left->is_null || right->is_null);
	node->type = SS_BOOL;
	if (known(left) && known(right) && left->type != right->type && !numbers && !null)
		return expr_fail(checker->error, node->offset, "a %s is never compared with a %s",
			type_name(left), type_name(right));
	bool ordered = left->type != SS_LIST && left->type != SS_MAP && !left->is_null;
	if (!equality && !ordered)
		return expr_fail(
			checker->error, node->offset, "a %s has no order", type_name(left));
	return equality ? check_enum(checker, node->items) : 0;
}

static int check_arithmetic(struct checker *checker, struct expr_node *node)
{
	const struct expr_node *left = node->items[0];
	const struct expr_node *right = node->items[1];
	if (!is_number(left) || !is_number(right))
		return expr_fail(checker->error, node->offset, "takes two numbers, not a %s and a %s",
			type_name(left), type_name(right));
	if (known(left) && known(right) && left->type != right->type)
		return expr_fail(checker->error, node->offset,
			"an int and a double do not mix; write 1.0 for the number 1 as a double");
	if (node->operation == EXPR_REMAINDER &&
		(left->type == SS_NUMBER || right->type == SS_NUMBER))
		return expr_fail(checker->error, node->offset, "%% takes ints");
	node->type = known(left) ? left->type : right->type;
	return 0;
}

static int check_in(struct checker *checker, struct expr_node *node)
{
	const struct expr_node *right = node->items[1];
	node->type = SS_BOOL;
	if (known(right) && right->type != SS_LIST && right->type != SS_MAP)
		return expr_fail(checker->error, node->offset,
			"\"in\" takes a list or a map on its right, not a %s", type_name(right));
	return check_enum(checker, node->items);
}

static int check_select(struct checker *checker, struct expr_node *node)
{
	const struct expr_node *of = node->items[0];
	if (known(of) && of->type != SS_MAP)
		return expr_fail(checker->error, node->offset, "a %s has no field \"%.60s\"",
			type_name(of), node->name);
	node->type = node->operation == EXPR_HAS ? SS_BOOL : SS_NULL;
	return 0;
}

static int check_index(struct checker *checker, struct expr_node *node)
{
	const struct expr_node *of = node->items[0];
	if (known(of) && of->type != SS_MAP && of->type != SS_LIST)
		return expr_fail(checker->error, node->offset, "a %s has no items", type_name(of));
	return 0;
}

static int check_size(struct checker *checker, struct expr_node *node)
{
	const struct expr_node *of = node->items[0];
	node->type = SS_INT;
	if (known(of) && of->type != SS_MAP && of->type != SS_LIST && of->type != SS_STRING)
		return expr_fail(
			checker->error, node->offset, "a %s has no size", type_name(of));
	return 0;
}

static int check_logic(struct checker *checker, struct expr_node *node)
{
	node->type = SS_BOOL;
	for (size_t i = 0; i < node->count; i++) {
		if (need_bool(checker, node->items[i],
			    node->operation == EXPR_AND  ? "&&"
			    : node->operation == EXPR_OR ? "||"
							 : "!") < 0)
			return -1;
	}
	return 0;
}

static int check_negate(struct checker *checker, struct expr_node *node)
{
	node->type = node->items[0]->type;
	if (!is_number(node->items[0]))
		return expr_fail(checker->error, node->offset, "- takes a number, not a %s",
			type_name(node->items[0]));
	return 0;
}

static int check_condition(struct checker *checker, struct expr_node *node)
{
	bool same = node->items[1]->type == node->items[2]->type;
	node->type = same ? node->items[1]->type : SS_NULL;
	return need_bool(checker, node->items[0], "?:");
}

static int check_constant(struct checker *checker, struct expr_node *node)
{
	(void)checker;
	node->type = value_type(node->constant);
	return 0;
}

static int check_list(struct checker *checker, struct expr_node *node)
{
	(void)checker;
	node->type = SS_LIST;
	return 0;
}

static int check(struct checker *checker, struct expr_node *node)
{
	static int (*const checks[])(struct checker *, struct expr_node *) = {
		[EXPR_CONSTANT] = check_constant,
		[EXPR_VARIABLE] = check_variable,
		[EXPR_LIST] = check_list,
		[EXPR_SELECT] = check_select,
		[EXPR_INDEX] = check_index,
		[EXPR_HAS] = check_select,
		[EXPR_SIZE] = check_size,
		[EXPR_NOT] = check_logic,
		[EXPR_NEGATE] = check_negate,
		[EXPR_AND] = check_logic,
		[EXPR_OR] = check_logic,
		[EXPR_CONDITION] = check_condition,
		[EXPR_IN] = check_in,
		[EXPR_EQUAL] = check_comparison,
		[EXPR_NOT_EQUAL] = check_comparison,
		[EXPR_LESS] = check_comparison,
		[EXPR_LESS_EQUAL] = check_comparison,
		[EXPR_GREATER] = check_comparison,
		[EXPR_GREATER_EQUAL] = check_comparison,
		[EXPR_ADD] = check_arithmetic,
		[EXPR_SUBTRACT] = check_arithmetic,
		[EXPR_MULTIPLY] = check_arithmetic,
		[EXPR_DIVIDE] = check_arithmetic,
		[EXPR_REMAINDER] = check_arithmetic,
	};
	for (size_t i = 0; i < node->count; i++) {
		if (check(checker, node->items[i]) < 0)
			return -1;
	}
	return checks[node->operation](checker, node);
}

int expr_check(struct expr_node *node, const struct expr_variable *variables, size_t count,
	struct expr_error *error)
{
	struct checker checker = {variables, count, error};
	return check(&checker, node);
}
