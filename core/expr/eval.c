/* Evaluates the operators; functions are rows of functions.c. */
#include "base/memory.h"
#include "base/text.h"
#include "expr/cell.h"
#include "expr/functions.h"
#include "value/value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int evaluate_two(
	struct evaluation *evaluation, const struct expr_node *node, struct cell *a, struct cell *b)
{
	return evaluate(evaluation, node->items[0], a) < 0
		       ? -1
		       : evaluate(evaluation, node->items[1], b);
}

static int eval_comparison(
	struct evaluation *evaluation, const struct expr_node *node, struct cell *out)
{
	struct cell a;
	struct cell b;
	bool equal;
	bool ordered;
	int order = 0;
	if (evaluate_two(evaluation, node, &a, &b) < 0)
		return -1;
	if (node->operation == EXPR_EQUAL || node->operation == EXPR_NOT_EQUAL) {
		if (cell_equal(evaluation, node, &a, &b, &equal) < 0)
			return -1;
		*out = cell_bool(equal == (node->operation == EXPR_EQUAL));
		return 0;
	}
	if (cell_compare(evaluation, node, &a, &b, &order, &ordered) < 0)
		return -1;
	*out = cell_bool(ordered && (node->operation == EXPR_LESS                ? order < 0
					    : node->operation == EXPR_LESS_EQUAL ? order <= 0
					    : node->operation == EXPR_GREATER    ? order > 0
										 : order >= 0));
	return 0;
}

/* a && b is false when either side is false, even if the other one is an error; || is its mirror. */
static int eval_logic(struct evaluation *evaluation, const struct expr_node *node, struct cell *out)
{
	bool decides = node->operation == EXPR_OR;
	bool failed_before = evaluation->failed;
	bool failed = false;
	for (size_t i = 0; i < 2; i++) {
		if (evaluate(evaluation, node->items[i], out) < 0) {
			failed = true;
		} else if (out->type != SS_BOOL) {
			(void)evaluation_fail(evaluation, node->items[i]->offset,
				"%s takes a bool, not %s", decides ? "||" : "&&",
				cell_a_type(out->type));
			failed = true;
		} else if (out->boolean == decides) {
			evaluation->failed = failed_before;
			return 0;
		}
	}
	*out = cell_bool(!decides);
	return failed ? -1 : 0;
}

static int eval_ints(struct evaluation *evaluation, const struct expr_node *node, int64_t a,
	int64_t b, int64_t *out)
{
	bool overflow = false;
	bool divides = node->operation == EXPR_DIVIDE || node->operation == EXPR_REMAINDER;
	if (divides && b == 0)
		return evaluation_fail(evaluation, node->offset, "division by zero");
	switch (node->operation) {
	case EXPR_ADD:
		overflow = __builtin_add_overflow(a, b, out);
		break;
	case EXPR_SUBTRACT:
		overflow = __builtin_sub_overflow(a, b, out);
		break;
	case EXPR_MULTIPLY:
		overflow = __builtin_mul_overflow(a, b, out);
		break;
	default:
		overflow = a == INT64_MIN && b == -1;
		if (!overflow)
			*out = node->operation == EXPR_DIVIDE ? a / b : a % b;
		break;
	}
	return overflow ? evaluation_fail(
				  evaluation, node->offset, "the result does not fit 64 bits")
			: 0;
}

static double eval_doubles(enum expr_operation operation, double a, double b)
{
	switch (operation) {
	case EXPR_ADD:
		return a + b;
	case EXPR_SUBTRACT:
		return a - b;
	case EXPR_MULTIPLY:
		return a * b;
	default:
		return a / b;
	}
}

static int join_texts(struct evaluation *evaluation, const struct expr_node *node,
	const struct cell *a, const struct cell *b, struct cell *out)
{
	size_t length = a->text.length + b->text.length;
	if (evaluation_spend_text(evaluation, node, length) < 0)
		return -1;
	char *text = evaluation_memory(evaluation, length + 1);
	memcpy(text, a->text.data, a->text.length);
	memcpy(text + a->text.length, b->text.data, b->text.length);
	*out = cell_text(text, length);
	return 0;
}

static int join_lists(struct evaluation *evaluation, const struct expr_node *node,
	const struct cell *a, const struct cell *b, struct cell *out)
{
	size_t before = cell_count(a);
	struct built *list = built_new(evaluation, node, SS_LIST, before + cell_count(b));
	if (list == NULL)
		return -1;
	for (size_t i = 0; i < list->count; i++)
		list->items[i] = i < before ? cell_item(a, i) : cell_item(b, i - before);
	*out = cell_built(SS_LIST, list);
	return built_finish(evaluation, node, SS_LIST, list);
}

static int eval_arithmetic(
	struct evaluation *evaluation, const struct expr_node *node, struct cell *out)
{
	struct cell a;
	struct cell b;
	if (evaluate_two(evaluation, node, &a, &b) < 0)
		return -1;
	bool adds = node->operation == EXPR_ADD;
	if (a.type == SS_INT && b.type == SS_INT) {
		*out = cell_int(0);
		return eval_ints(evaluation, node, a.integer, b.integer, &out->integer);
	}
	if (a.type == SS_NUMBER && b.type == SS_NUMBER && node->operation != EXPR_REMAINDER) {
		*out = cell_number(eval_doubles(node->operation, a.number, b.number));
		return 0;
	}
	if (adds && a.type == SS_STRING && b.type == SS_STRING)
		return join_texts(evaluation, node, &a, &b, out);
	if (adds && a.type == SS_LIST && b.type == SS_LIST)
		return join_lists(evaluation, node, &a, &b, out);
	return evaluation_fail(evaluation, node->offset, "%s does not take %s and %s",
		expr_sign(node->operation), cell_a_type(a.type), cell_a_type(b.type));
}

static int eval_in(struct evaluation *evaluation, const struct expr_node *node, struct cell *out)
{
	struct cell item;
	struct cell in;
	struct cell found_value;
	if (evaluate_two(evaluation, node, &item, &in) < 0)
		return -1;
	if (in.type == SS_MAP) {
		*out = cell_bool(cell_find(&in, &item, &found_value));
		return 0;
	}
	if (in.type != SS_LIST)
		return evaluation_fail(evaluation, node->offset,
			"\"in\" takes a list or a map on its right, not %s", cell_a_type(in.type));
	bool found = false;
	size_t count = cell_count(&in);
	for (size_t i = 0; !found && i < count; i++) {
		struct cell other = cell_item(&in, i);
		if (cell_equal(evaluation, node, &item, &other, &found) < 0)
			return -1;
	}
	*out = cell_bool(found);
	return 0;
}

static int eval_select(
	struct evaluation *evaluation, const struct expr_node *node, struct cell *out)
{
	struct cell of;
	if (evaluate(evaluation, node->items[0], &of) < 0)
		return -1;
	if (of.type != SS_MAP)
		return evaluation_fail(evaluation, node->offset, "%s has no field \"%.*s\"",
			cell_a_type(of.type), text_fit(node->name, 60), node->name);
	struct cell key = cell_text(node->name, strlen(node->name));
	bool found = cell_find(&of, &key, out);
	if (node->operation == EXPR_HAS) {
		*out = cell_bool(found);
		return 0;
	}
	return found ? 0
		     : evaluation_fail(evaluation, node->offset, "there is no key \"%.*s\"",
			       text_fit(node->name, 60), node->name);
}

static int fail_key(
	struct evaluation *evaluation, const struct expr_node *index, const struct cell *key)
{
	/* The text of a cell has no NUL behind it. */
	if (key->type == SS_STRING) {
		char text[64];
		size_t length = key->text.length < 63 ? key->text.length : 63;
		memcpy(text, key->text.data, length);
		text[length] = '\0';
		return evaluation_fail(evaluation, index->offset, "there is no key \"%.*s\"",
			text_fit(text, 60), text);
	}
	if (key->type == SS_INT)
		return evaluation_fail(
			evaluation, index->offset, "there is no key %lld", (long long)key->integer);
	return evaluation_fail(evaluation, index->offset, "there is no such key; it is %s",
		cell_a_type(key->type));
}

static int eval_index(struct evaluation *evaluation, const struct expr_node *node, struct cell *out)
{
	struct cell of;
	struct cell index;
	const struct expr_node *at = node->items[1];
	if (evaluate_two(evaluation, node, &of, &index) < 0)
		return -1;
	if (of.type == SS_MAP)
		return cell_find(&of, &index, out) ? 0 : fail_key(evaluation, at, &index);
	if (of.type != SS_LIST)
		return evaluation_fail(
			evaluation, node->offset, "%s has no items", cell_a_type(of.type));
	/* A double that is a whole number will do. */
	if (index.type == SS_NUMBER && index.number >= 0 && index.number < TWO_TO_63 &&
		trunc(index.number) == index.number)
		index = cell_int((int64_t)index.number);
	if (index.type != SS_INT)
		return evaluation_fail(evaluation, at->offset,
			"a list is indexed by an int, not by %s", cell_a_type(index.type));
	if (index.integer < 0 || (uint64_t)index.integer >= cell_count(&of))
		return evaluation_fail(evaluation, at->offset,
			"the index %lld is outside the list, which has %zu item%s",
			(long long)index.integer, cell_count(&of), cell_count(&of) == 1 ? "" : "s");
	*out = cell_item(&of, (size_t)index.integer);
	return 0;
}

static int eval_not(struct evaluation *evaluation, const struct expr_node *node, struct cell *out)
{
	if (evaluate(evaluation, node->items[0], out) < 0)
		return -1;
	if (out->type != SS_BOOL)
		return evaluation_fail(evaluation, node->items[0]->offset, "! takes a bool, not %s",
			cell_a_type(out->type));
	out->boolean = !out->boolean;
	return 0;
}

static int eval_negate(
	struct evaluation *evaluation, const struct expr_node *node, struct cell *out)
{
	if (evaluate(evaluation, node->items[0], out) < 0)
		return -1;
	if (out->type == SS_NUMBER) {
		out->number = -out->number;
		return 0;
	}
	if (out->type != SS_INT)
		return evaluation_fail(evaluation, node->offset, "- takes a number, not %s",
			cell_a_type(out->type));
	if (out->integer == INT64_MIN)
		return evaluation_fail(evaluation, node->offset, "the result does not fit 64 bits");
	out->integer = -out->integer;
	return 0;
}

static int eval_condition(
	struct evaluation *evaluation, const struct expr_node *node, struct cell *out)
{
	struct cell when;
	if (evaluate(evaluation, node->items[0], &when) < 0)
		return -1;
	if (when.type != SS_BOOL)
		return evaluation_fail(evaluation, node->items[0]->offset,
			"?: takes a bool, not %s", cell_a_type(when.type));
	return evaluate(evaluation, node->items[when.boolean ? 1 : 2], out);
}

static int eval_list(struct evaluation *evaluation, const struct expr_node *node, struct cell *out)
{
	struct built *list = built_new(evaluation, node, SS_LIST, node->count);
	if (list == NULL)
		return -1;
	for (size_t i = 0; i < node->count; i++) {
		if (evaluate(evaluation, node->items[i], &list->items[i]) < 0)
			return -1;
	}
	*out = cell_built(SS_LIST, list);
	return built_finish(evaluation, node, SS_LIST, list);
}

static int eval_map(struct evaluation *evaluation, const struct expr_node *node, struct cell *out)
{
	struct built *map = built_new(evaluation, node, SS_MAP, node->count / 2);
	if (map == NULL)
		return -1;
	for (size_t i = 0; i < node->count; i++) {
		const struct cell *cell = &map->items[i];
		if (evaluate(evaluation, node->items[i], &map->items[i]) < 0)
			return -1;
		if (i % 2 == 0 && cell->type != SS_STRING && cell->type != SS_INT &&
			cell->type != SS_BOOL)
			return evaluation_fail(evaluation, node->items[i]->offset,
				"a map's key is a string, an int or a bool, not %s",
				cell_a_type(cell->type));
	}
	qsort(map->items, map->count, 2 * sizeof(struct cell), cell_compare_keys);
	for (size_t i = 1; i < map->count; i++) {
		if (cell_compare_keys(&map->items[2 * i - 2], &map->items[2 * i]) == 0)
			return evaluation_fail(evaluation, node->offset, "the map has a key twice");
	}
	*out = cell_built(SS_MAP, map);
	return built_finish(evaluation, node, SS_MAP, map);
}

static int eval_call(struct evaluation *evaluation, const struct expr_node *node, struct cell *out)
{
	struct cell items[EXPR_ARGUMENTS_LIMIT];
	const struct expr_function *function = node->function;
	for (size_t i = 0; i < node->count; i++) {
		if (evaluate(evaluation, node->items[i], &items[i]) < 0)
			return -1;
		if ((function->takes[i] & expr_type_bit(items[i].type)) == 0) {
			char types[80];
			return evaluation_fail(evaluation, node->items[i]->offset,
				"%s() takes %s here, not %s", function->name,
				expr_type_list(function->takes[i], types, sizeof types),
				cell_a_type(items[i].type));
		}
	}
	return function->evaluate(evaluation, node, items, out);
}

static int eval_leaf(struct evaluation *evaluation, const struct expr_node *node, struct cell *out)
{
	switch (node->operation) {
	case EXPR_VARIABLE:
		*out = cell_of(evaluation->values[node->variable]);
		return 0;
	case EXPR_LOCAL:
		*out = evaluation->locals[node->variable];
		return 0;
	case EXPR_WRONG:
		return evaluation_fail(evaluation, node->offset, "%s", node->name);
	default:
		return evaluation_fail(evaluation, node->offset, "there is no value");
	}
}

int evaluate(struct evaluation *evaluation, const struct expr_node *node, struct cell *out)
{
	static int (*const evaluators[])(
		struct evaluation *, const struct expr_node *, struct cell *) = {
		[EXPR_CONSTANT] = eval_leaf,
		[EXPR_VARIABLE] = eval_leaf,
		[EXPR_LOCAL] = eval_leaf,
		[EXPR_WRONG] = eval_leaf,
		[EXPR_LIST] = eval_list,
		[EXPR_MAP] = eval_map,
		[EXPR_SELECT] = eval_select,
		[EXPR_HAS] = eval_select,
		[EXPR_INDEX] = eval_index,
		[EXPR_CALL] = eval_call,
		[EXPR_NOT] = eval_not,
		[EXPR_NEGATE] = eval_negate,
		[EXPR_AND] = eval_logic,
		[EXPR_OR] = eval_logic,
		[EXPR_CONDITION] = eval_condition,
		[EXPR_IN] = eval_in,
		[EXPR_EQUAL] = eval_comparison,
		[EXPR_NOT_EQUAL] = eval_comparison,
		[EXPR_LESS] = eval_comparison,
		[EXPR_LESS_EQUAL] = eval_comparison,
		[EXPR_GREATER] = eval_comparison,
		[EXPR_GREATER_EQUAL] = eval_comparison,
		[EXPR_ADD] = eval_arithmetic,
		[EXPR_SUBTRACT] = eval_arithmetic,
		[EXPR_MULTIPLY] = eval_arithmetic,
		[EXPR_DIVIDE] = eval_arithmetic,
		[EXPR_REMAINDER] = eval_arithmetic,
		[EXPR_ALL] = evaluate_comprehension,
		[EXPR_EXISTS] = evaluate_comprehension,
		[EXPR_EXISTS_ONE] = evaluate_comprehension,
		[EXPR_FILTER] = evaluate_comprehension,
		[EXPR_TRANSFORM] = evaluate_comprehension,
	};
	if (evaluation_spend(evaluation, node, 1) < 0)
		return -1;
	/* Lists and maps of constants were made at load. */
	if (node->constant != NULL) {
		*out = cell_of(node->constant);
		return 0;
	}
	return evaluators[node->operation](evaluation, node, out);
}
