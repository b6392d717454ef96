/* Names to rows and rows to types. The rules of calls, macros and literals are check_calls.c's. */
#include "expr/check.h"

#include "base/memory.h"
#include "base/text.h"
#include "config/diagnostics.h"
#include "expr/functions.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

static bool is_number(const struct expr_node *node)
{
	return !check_known(node) || node->type == SS_INT || node->type == SS_NUMBER;
}

const char *check_a_type(const struct expr_node *node)
{
	return cell_a_type(node->type);
}

bool check_known(const struct expr_node *node)
{
	return node->type != SS_NULL || node->is_null;
}

static int check_constant(struct checker *checker, struct expr_node *node)
{
	(void)checker;
	node->type = value_type(node->constant);
	return 0;
}

/* The innermost comprehension whose items are called NAME; the number of levels when there is none. */
size_t check_local(const struct checker *checker, const char *name)
{
	for (size_t level = checker->levels; level > 0; level--) {
		if (strcmp(checker->locals[level - 1].name, name) == 0)
			return level - 1;
	}
	return checker->levels;
}

static bool find_variable(const struct checker *checker, struct expr_node *node, const char *name)
{
	for (size_t i = 0; i < checker->count; i++) {
		if (strcmp(checker->variables[i].name, name) != 0)
			continue;
		node->operation = EXPR_VARIABLE;
		node->variable = i;
		node->type = checker->variables[i].type;
		/* JSON has no other keys. */
		node->item = node->type == SS_MAP ? SS_STRING : SS_NULL;
		return true;
	}
	return false;
}

static int check_variable(struct checker *checker, struct expr_node *node)
{
	const char *names[128];
	char hint[120];
	size_t count = 0;
	size_t level = node->is_root ? checker->levels : check_local(checker, node->name);
	if (level < checker->levels) {
		node->operation = EXPR_LOCAL;
		node->variable = level;
		node->type = checker->locals[level].type;
		return 0;
	}
	if (find_variable(checker, node, node->name))
		return 0;
	for (size_t i = checker->levels; i > 0 && count < array_length(names); i--)
		names[count++] = checker->locals[i - 1].name;
	for (size_t i = 0; i < checker->count && count < array_length(names); i++)
		names[count++] = checker->variables[i].name;
	return expr_fail(checker->error, node->offset, "there is no field \"%.*s\"%s",
		text_fit(node->name, 60), node->name,
		diagnostics_hint(node->name, names, count, hint, sizeof hint));
}

bool check_qualified(struct checker *checker, struct expr_node *node)
{
	char name[EXPR_LENGTH_LIMIT + 1];
	size_t start = sizeof name - 1;
	const struct expr_node *at = node;
	name[start] = '\0';
	for (; at->operation == EXPR_SELECT && !at->is_closed; at = at->items[0]) {
		size_t length = strlen(at->name);
		start -= length + 1;
		name[start] = '.';
		memcpy(name + start + 1, at->name, length);
	}
	if (at->operation != EXPR_VARIABLE || at->is_closed)
		return false;
	if (!at->is_root && check_local(checker, at->name) < checker->levels)
		return false;
	start -= strlen(at->name);
	memcpy(name + start, at->name, strlen(at->name));
	size_t offset = at->offset;
	if (!find_variable(checker, node, name + start))
		return false;
	expr_node_clear(node);
	node->offset = offset;
	return true;
}

static int need_bool(struct checker *checker, const struct expr_node *node, const char *who)
{
	if (!check_known(node) || node->type == SS_BOOL)
		return 0;
	return expr_fail(
		checker->error, node->offset, "%s takes a bool, not %s", who, check_a_type(node));
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
	if (check_known(left) && check_known(right) && left->type != right->type && !numbers &&
		!null)
		return expr_fail(checker->error, node->offset, "%s is never compared with %s",
			check_a_type(left), check_a_type(right));
	if (equality)
		return check_enum(checker, node->items);
	if (ordered(left) && ordered(right))
		return 0;
	return expr_fail(checker->error, node->offset, "%s has no order",
		check_a_type(ordered(left) ? right : left));
}

static bool adds(const struct expr_node *node)
{
	return is_number(node) || node->type == SS_STRING || node->type == SS_LIST;
}

/* + joins strings and lists as well. */
static int check_arithmetic(struct checker *checker, struct expr_node *node)
{
	const struct expr_node *left = node->items[0];
	const struct expr_node *right = node->items[1];
	bool joins = node->operation == EXPR_ADD;
	bool (*takes)(const struct expr_node *) = joins ? adds : is_number;
	if (!takes(left) || !takes(right))
		return expr_fail(checker->error, node->offset, "%s takes %s, not %s",
			expr_sign(node->operation), joins ? "numbers, strings or lists" : "numbers",
			check_a_type(takes(left) ? right : left));
	bool both = check_known(left) && check_known(right);
	if (both && left->type != right->type && is_number(left) && is_number(right))
		return expr_fail(checker->error, node->offset,
			"an int and a double do not mix; write 1.0 for the number 1 as a double");
	if (both && left->type != right->type)
		return expr_fail(checker->error, node->offset, "%s does not take %s and %s",
			expr_sign(node->operation), check_a_type(left), check_a_type(right));
	if (node->operation == EXPR_REMAINDER &&
		(left->type == SS_NUMBER || right->type == SS_NUMBER))
		return expr_fail(checker->error, node->offset, "%% takes ints");
	node->type = check_known(left) ? left->type : right->type;
	node->item = left->item == right->item ? left->item : SS_NULL;
	return 0;
}

static int check_in(struct checker *checker, struct expr_node *node)
{
	const struct expr_node *left = node->items[0];
	const struct expr_node *right = node->items[1];
	node->type = SS_BOOL;
	if (check_known(right) && right->type != SS_LIST && right->type != SS_MAP)
		return expr_fail(checker->error, node->offset,
			"\"in\" takes a list or a map on its right, not %s", check_a_type(right));
	if (right->type == SS_MAP && right->item == SS_STRING && check_known(left) &&
		left->type != SS_STRING)
		return expr_fail(checker->error, node->offset,
			"the map's keys are strings; %s is never in it", check_a_type(left));
	return check_enum(checker, node->items);
}

static int check_select(struct checker *checker, struct expr_node *node)
{
	const struct expr_node *of = node->items[0];
	if (check_known(of) && of->type != SS_MAP)
		return expr_fail(checker->error, node->offset, "%s has no field \"%.*s\"",
			check_a_type(of), text_fit(node->name, 60), node->name);
	node->type = node->operation == EXPR_HAS ? SS_BOOL : SS_NULL;
	return 0;
}

static int check_index(struct checker *checker, struct expr_node *node)
{
	const struct expr_node *of = node->items[0];
	const struct expr_node *index = node->items[1];
	if (check_known(of) && of->type != SS_MAP && of->type != SS_LIST)
		return expr_fail(checker->error, node->offset, "%s has no items", check_a_type(of));
	if (of->type == SS_LIST && check_known(index) && index->type != SS_INT)
		return expr_fail(checker->error, index->offset,
			"a list is indexed by an int, not by %s", check_a_type(index));
	if (of->type == SS_MAP && of->item == SS_STRING && check_known(index) &&
		index->type != SS_STRING)
		return expr_fail(checker->error, index->offset,
			"the map is indexed by a string, not by %s", check_a_type(index));
	node->type = of->type == SS_LIST ? of->item : SS_NULL;
	return 0;
}

static int check_logic(struct checker *checker, struct expr_node *node)
{
	node->type = SS_BOOL;
	for (size_t i = 0; i < node->count; i++) {
		if (need_bool(checker, node->items[i], expr_sign(node->operation)) < 0)
			return -1;
	}
	return 0;
}

static int check_negate(struct checker *checker, struct expr_node *node)
{
	node->type = node->items[0]->type;
	if (!is_number(node->items[0]))
		return expr_fail(checker->error, node->offset, "- takes a number, not %s",
			check_a_type(node->items[0]));
	return 0;
}

static int check_condition(struct checker *checker, struct expr_node *node)
{
	const struct expr_node *yes = node->items[1];
	const struct expr_node *no = node->items[2];
	node->type = yes->type == no->type ? yes->type : SS_NULL;
	node->item = yes->item == no->item ? yes->item : SS_NULL;
	return need_bool(checker, node->items[0], "?:");
}

/* NODE becomes what fails, with the error that was found, where it is evaluated. */
static void make_wrong(struct checker *checker, struct expr_node *node)
{
	expr_node_clear(node);
	free(node->name);
	node->operation = EXPR_WRONG;
	node->name = memory_string(checker->error->text);
	node->offset = checker->error->offset;
}

static int check_node(struct checker *checker, struct expr_node *node)
{
	static int (*const checks[])(struct checker *, struct expr_node *) = {
		[EXPR_CONSTANT] = check_constant,
		[EXPR_VARIABLE] = check_variable,
		[EXPR_LIST] = check_list,
		[EXPR_MAP] = check_map,
		[EXPR_SELECT] = check_select,
		[EXPR_INDEX] = check_index,
		[EXPR_HAS] = check_select,
		[EXPR_CALL] = check_call,
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
		[EXPR_ALL] = check_comprehension,
		[EXPR_EXISTS] = check_comprehension,
		[EXPR_EXISTS_ONE] = check_comprehension,
		[EXPR_FILTER] = check_comprehension,
		[EXPR_TRANSFORM] = check_comprehension,
	};
	bool is_comprehension = node->operation >= EXPR_ALL;
	if (node->operation == EXPR_SELECT && checker->dotted && check_qualified(checker, node))
		return 0;
	if (node->operation == EXPR_CALL)
		check_namespace(checker, node);
	/* A comprehension goes into its items by itself: they have one name more. */
	for (size_t i = 0; i < node->count && !is_comprehension; i++) {
		if (check(checker, node->items[i]) < 0)
			return -1;
	}
	return checks[node->operation](checker, node);
}

int check(struct checker *checker, struct expr_node *node)
{
	int result = check_node(checker, node);
	if (!checker->dynamic)
		return result;
	if (result < 0)
		make_wrong(checker, node);
	node->type = SS_NULL;
	node->item = SS_NULL;
	node->is_null = false;
	return 0;
}

int expr_check(struct expr_node *node, const struct expr_variable *variables, size_t count,
	bool dynamic, struct expr_error *error)
{
	struct checker checker = {
		.variables = variables, .count = count, .dynamic = dynamic, .error = error};
	for (size_t i = 0; i < count; i++)
		checker.dotted = checker.dotted || strchr(variables[i].name, '.') != NULL;
	return check(&checker, node);
}
