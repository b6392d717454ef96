#include "base/memory.h"
#include "base/text.h"
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

/* What NODE is, for messages. */
static const char *a_type(const struct expr_node *node)
{
	static const char *const names[] = {
		"null", "a bool", "an int", "a double", "a string", "a list", "a map"};
	return names[node->type];
}

static const char *sign_of(const struct expr_node *node)
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
	return signs[node->operation];
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
	return expr_fail(checker->error, node->offset, "there is no field \"%.*s\"%s",
		text_fit(node->name, 60), node->name,
		diagnostics_hint(node->name, names, count, hint, sizeof hint));
}

static int need_bool(struct checker *checker, const struct expr_node *node, const char *who)
{
	if (!known(node) || node->type == SS_BOOL)
		return 0;
	return expr_fail(
		checker->error, node->offset, "%s takes a bool, not %s", who, a_type(node));
}

static const struct expr_variable *enum_of(
	const struct checker *checker, const struct expr_node *node)
{
	if (node->operation != EXPR_VARIABLE || checker->variables[node->variable].values == NULL)
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
	for (size_t i = 0; i < value_count(variable->values); i++) {
		const struct ss_value *value = value_at(variable->values, i);
		if (value_equal(value, node->constant))
			return 0;
		if (count < array_length(names))
			names[count++] = value_as_string(value, NULL);
	}
	return expr_fail(checker->error, node->offset, "%s is never \"%.*s\"%s", variable->name,
		text_fit(text, 60), text, diagnostics_hint(text, names, count, hint, sizeof hint));
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

static bool ordered(const struct expr_node *node)
{
	return node->type != SS_LIST && node->type != SS_MAP && !node->is_null;
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
		return expr_fail(checker->error, node->offset, "%s is never compared with %s",
			a_type(left), a_type(right));
	if (equality)
		return check_enum(checker, node->items);
	if (ordered(left) && ordered(right))
		return 0;
	return expr_fail(checker->error, node->offset, "%s has no order",
		a_type(ordered(left) ? right : left));
}

static int check_arithmetic(struct checker *checker, struct expr_node *node)
{
	const struct expr_node *left = node->items[0];
	const struct expr_node *right = node->items[1];
	if (!is_number(left) || !is_number(right))
		return expr_fail(checker->error, node->offset, "%s takes numbers, not %s",
			sign_of(node), a_type(is_number(left) ? right : left));
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
	const struct expr_node *left = node->items[0];
	const struct expr_node *right = node->items[1];
	node->type = SS_BOOL;
	if (known(right) && right->type != SS_LIST && right->type != SS_MAP)
		return expr_fail(checker->error, node->offset,
			"\"in\" takes a list or a map on its right, not %s", a_type(right));
	if (right->type == SS_MAP && known(left) && left->type != SS_STRING)
		return expr_fail(checker->error, node->offset,
			"a map's keys are strings; %s is never in one", a_type(left));
	return check_enum(checker, node->items);
}

static int check_select(struct checker *checker, struct expr_node *node)
{
	const struct expr_node *of = node->items[0];
	if (known(of) && of->type != SS_MAP)
		return expr_fail(checker->error, node->offset, "%s has no field \"%.*s\"",
			a_type(of), text_fit(node->name, 60), node->name);
	node->type = node->operation == EXPR_HAS ? SS_BOOL : SS_NULL;
	return 0;
}

static int check_index(struct checker *checker, struct expr_node *node)
{
	const struct expr_node *of = node->items[0];
	const struct expr_node *index = node->items[1];
	if (known(of) && of->type != SS_MAP && of->type != SS_LIST)
		return expr_fail(checker->error, node->offset, "%s has no items", a_type(of));
	if (of->type == SS_LIST && known(index) && index->type != SS_INT)
		return expr_fail(checker->error, index->offset,
			"a list is indexed by an int, not by %s", a_type(index));
	if (of->type == SS_MAP && known(index) && index->type != SS_STRING)
		return expr_fail(checker->error, index->offset,
			"a map is indexed by a string, not by %s", a_type(index));
	return 0;
}

static int check_size(struct checker *checker, struct expr_node *node)
{
	const struct expr_node *of = node->items[0];
	node->type = SS_INT;
	if (known(of) && of->type != SS_MAP && of->type != SS_LIST && of->type != SS_STRING)
		return expr_fail(checker->error, node->offset, "%s has no size", a_type(of));
	return 0;
}

static int check_logic(struct checker *checker, struct expr_node *node)
{
	node->type = SS_BOOL;
	for (size_t i = 0; i < node->count; i++) {
		if (need_bool(checker, node->items[i], sign_of(node)) < 0)
			return -1;
	}
	return 0;
}

static int check_negate(struct checker *checker, struct expr_node *node)
{
	node->type = node->items[0]->type;
	if (!is_number(node->items[0]))
		return expr_fail(checker->error, node->offset, "- takes a number, not %s",
			a_type(node->items[0]));
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

/* A list of constants is made once, here. */
static int check_list(struct checker *checker, struct expr_node *node)
{
	(void)checker;
	node->type = SS_LIST;
	for (size_t i = 0; i < node->count; i++) {
		if (node->items[i]->constant == NULL)
			return 0;
	}
	struct ss_value **values = memory_array(node->count, sizeof(struct ss_value *));
	for (size_t i = 0; i < node->count; i++)
		values[i] = value_ref(node->items[i]->constant);
	node->constant = value_list(values, node->count);
	free(values);
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
