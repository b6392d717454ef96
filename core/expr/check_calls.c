/* The checker's rules of lists, maps, calls and comprehensions. */
#include "base/memory.h"
#include "base/text.h"
#include "config/diagnostics.h"
#include "expr/check.h"
#include "expr/functions.h"
#include "expr/regex.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

/* The type of every STEP-th item of NODE, SS_NULL when they differ. */
static enum ss_type common_type(const struct expr_node *node, size_t step)
{
	enum ss_type type = node->count > 0 ? node->items[0]->type : SS_NULL;
	for (size_t i = 0; i < node->count; i += step) {
		if (node->items[i]->type != type)
			return SS_NULL;
	}
	return type;
}

static bool all_constant(const struct expr_node *node)
{
	for (size_t i = 0; i < node->count; i++) {
		if (node->items[i]->constant == NULL)
			return false;
	}
	return true;
}

/* A list of constants is made once, here. */
int check_list(struct checker *checker, struct expr_node *node)
{
	(void)checker;
	node->type = SS_LIST;
	node->item = common_type(node, 1);
	if (!all_constant(node))
		return 0;
	struct ss_value **values = memory_array(node->count, sizeof(struct ss_value *));
	for (size_t i = 0; i < node->count; i++)
		values[i] = value_ref(node->items[i]->constant);
	node->constant = value_list(values, node->count);
	free(values);
	return 0;
}

static int check_key(struct checker *checker, const struct expr_node *node)
{
	if (!check_known(node) || node->type == SS_STRING || node->type == SS_INT ||
		node->type == SS_BOOL)
		return 0;
	return expr_fail(checker->error, node->offset,
		"a map's key is a string, an int or a bool, not %s", check_a_type(node));
}

/* Whether all keys are texts that a value's map can have. */
static bool has_plain_keys(const struct expr_node *node)
{
	for (size_t i = 0; i < node->count; i += 2) {
		struct ss_text key = value_as_text(node->items[i]->constant);
		if (value_type(node->items[i]->constant) != SS_STRING ||
			memchr(key.data, '\0', key.length) != NULL)
			return false;
	}
	return true;
}

/* A map of constants is made once, here, if a value can hold it and it has no key twice. */
int check_map(struct checker *checker, struct expr_node *node)
{
	node->type = SS_MAP;
	node->item = common_type(node, 2);
	for (size_t i = 0; i < node->count; i += 2) {
		if (check_key(checker, node->items[i]) < 0)
			return -1;
	}
	if (!all_constant(node) || !has_plain_keys(node))
		return 0;
	size_t count = node->count / 2;
	const char **keys = memory_array(count, sizeof *keys);
	struct ss_value **values = memory_array(count, sizeof(struct ss_value *));
	for (size_t i = 0; i < count; i++) {
		keys[i] = value_as_string(node->items[2 * i]->constant, NULL);
		values[i] = value_ref(node->items[2 * i + 1]->constant);
	}
	node->constant = value_map(keys, values, count);
	free(keys);
	free(values);
	if (value_count(node->constant) == count)
		return 0;
	return expr_fail(checker->error, node->offset, "the map has a key twice");
}

void check_namespace(struct checker *checker, struct expr_node *node)
{
	const struct expr_function *other;
	const struct expr_node *of = node->is_method ? node->items[0] : NULL;
	if (of == NULL || of->operation != EXPR_VARIABLE || of->is_closed ||
		check_local(checker, of->name) < checker->levels)
		return;
	char *name = memory_format("%s.%s", of->name, node->name);
	const struct expr_function *function =
		expr_function_find(name, EXPR_FUNCTION, node->count - 1, &other);
	if (function == NULL && other == NULL) {
		free(name);
		return;
	}
	free(node->name);
	node->name = name;
	node->is_method = false;
	node->offset = of->offset;
	expr_node_free(node->items[0]);
	node->count--;
	for (size_t i = 0; i < node->count; i++)
		node->items[i] = node->items[i + 1];
}

/* There is no function for the call; OTHER has its name and is called in another way, or is NULL. */
static int fail_function(
	struct checker *checker, const struct expr_node *node, const struct expr_function *other)
{
	const char *names[64] = {"all", "exists", "exists_one", "filter", "has", "map"};
	char hint[120];
	size_t count = 6;
	unsigned style = node->is_method ? EXPR_METHOD : EXPR_FUNCTION;
	if (other != NULL && (other->styles & style) == 0)
		return expr_fail(checker->error, node->offset,
			node->is_method ? "%s() is no method; write %s(x)"
					: "%s() is a method; write x.%s(…)",
			other->name, other->name);
	if (other != NULL)
		return expr_fail(checker->error, node->offset,
			"%s() is not called with %zu argument%s", other->name,
			node->count - (node->is_method ? 1 : 0),
			node->count - (node->is_method ? 1 : 0) == 1 ? "" : "s");
	for (size_t i = 0; count < array_length(names) && expr_function_name(i) != NULL; i++)
		names[count++] = expr_function_name(i);
	return expr_fail(checker->error, node->offset, "there is no function %.*s()%s",
		text_fit(node->name, 60), node->name,
		diagnostics_hint(node->name, names, count, hint, sizeof hint));
}

/* A constant pattern is compiled once, here. */
static int check_pattern(struct checker *checker, struct expr_node *node)
{
	char why[120];
	if (node->function->evaluate != evaluate_matches)
		return 0;
	const struct expr_node *pattern = node->items[1];
	if (pattern->operation != EXPR_CONSTANT || value_type(pattern->constant) != SS_STRING)
		return 0;
	struct ss_text text = value_as_text(pattern->constant);
	node->regex = expr_regex_new(text.data, text.length, why, sizeof why);
	if (node->regex != NULL)
		return 0;
	return expr_fail(checker->error, pattern->offset, "the pattern is wrong: %s", why);
}

int check_call(struct checker *checker, struct expr_node *node)
{
	const struct expr_function *other;
	unsigned style = node->is_method ? EXPR_METHOD : EXPR_FUNCTION;
	const struct expr_function *function =
		expr_function_find(node->name, style, node->count, &other);
	if (function == NULL)
		return fail_function(checker, node, other);
	node->function = function;
	for (size_t i = 0; i < node->count; i++) {
		const struct expr_node *item = node->items[i];
		char types[80];
		if (!check_known(item) || (function->takes[i] & expr_type_bit(item->type)) != 0)
			continue;
		return expr_fail(checker->error, item->offset, "%s() takes %s here, not %s",
			function->name, expr_type_list(function->takes[i], types, sizeof types),
			check_a_type(item));
	}
	node->type = function->result;
	node->item = function->item;
	return check_pattern(checker, node);
}

int check_comprehension(struct checker *checker, struct expr_node *node)
{
	const struct expr_node *range = node->items[0];
	bool lists = node->operation == EXPR_FILTER || node->operation == EXPR_TRANSFORM;
	bool transforms = node->operation == EXPR_TRANSFORM;
	if (check(checker, node->items[0]) < 0)
		return -1;
	if (check_known(range) && range->type != SS_LIST && range->type != SS_MAP)
		return expr_fail(checker->error, node->offset,
			"a list or a map has items to go through, %s has none",
			check_a_type(range));
	if (checker->levels == EXPR_DEPTH_LIMIT)
		return expr_fail(
			checker->error, node->offset, "the expression is nested too deeply");
	node->variable = checker->levels;
	checker->locals[checker->levels++] = (struct local){node->name, range->item};
	int result = 0;
	for (size_t i = 1; i < node->count && result == 0; i++)
		result = check(checker, node->items[i]);
	checker->levels--;
	if (result < 0)
		return -1;
	const struct expr_node *predicate = node->items[1];
	bool filters = !transforms || node->count == 3;
	if (filters && check_known(predicate) && predicate->type != SS_BOOL)
		return expr_fail(checker->error, predicate->offset,
			"the condition for an item must be a bool, not %s",
			check_a_type(predicate));
	node->type = lists ? SS_LIST : SS_BOOL;
	node->item = transforms ? node->items[node->count - 1]->type : range->item;
	return 0;
}
