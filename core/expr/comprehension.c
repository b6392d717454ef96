/* all(), exists(), exists_one(), filter() and map(): an expression for each item of a list or key of a map. */
#include "expr/cell.h"

#include <string.h>

/* Gives the name of the comprehension NODE the item of RANGE at INDEX. */
static void bind(struct evaluation *evaluation, const struct expr_node *node,
	const struct cell *range, size_t index)
{
	evaluation->locals[node->variable] =
		range->type == SS_LIST ? cell_item(range, index) : cell_key(range, index);
}

static int evaluate_predicate(
	struct evaluation *evaluation, const struct expr_node *node, bool *holds)
{
	struct cell cell;
	const struct expr_node *predicate = node->items[1];
	if (evaluate(evaluation, predicate, &cell) < 0)
		return -1;
	if (cell.type != SS_BOOL)
		return evaluation_fail(evaluation, predicate->offset,
			"the condition for an item must be a bool, not %s", cell_a_type(cell.type));
	*holds = cell.boolean;
	return 0;
}

/* all() is && over the items, and exists() is ||: one item that decides outvotes the errors of others. */
static int evaluate_vote(struct evaluation *evaluation, const struct expr_node *node,
	const struct cell *range, struct cell *out)
{
	bool decides = node->operation == EXPR_EXISTS;
	bool failed_before = evaluation->failed;
	bool failed = false;
	size_t count = cell_count(range);
	for (size_t i = 0; i < count; i++) {
		bool holds = !decides;
		bind(evaluation, node, range, i);
		if (evaluate_predicate(evaluation, node, &holds) < 0) {
			failed = true;
		} else if (holds == decides) {
			evaluation->failed = failed_before;
			*out = cell_bool(decides);
			return 0;
		}
		if (evaluation_spend(evaluation, node, 1) < 0)
			return -1;
	}
	*out = cell_bool(!decides);
	return failed ? -1 : 0;
}

static int evaluate_exists_one(struct evaluation *evaluation, const struct expr_node *node,
	const struct cell *range, struct cell *out)
{
	size_t found = 0;
	size_t count = cell_count(range);
	for (size_t i = 0; i < count; i++) {
		bool holds = false;
		bind(evaluation, node, range, i);
		if (evaluation_spend(evaluation, node, 1) < 0 ||
			evaluate_predicate(evaluation, node, &holds) < 0)
			return -1;
		found += holds ? 1 : 0;
	}
	*out = cell_bool(found == 1);
	return 0;
}

/* filter(), and map() with a filter or without. */
static int evaluate_list(struct evaluation *evaluation, const struct expr_node *node,
	const struct cell *range, struct cell *out)
{
	bool filters = node->operation == EXPR_FILTER || node->count == 3;
	const struct expr_node *transform =
		node->operation == EXPR_TRANSFORM ? node->items[node->count - 1] : NULL;
	size_t count = cell_count(range);
	struct built *list = built_new(evaluation, node, SS_LIST, count);
	if (list == NULL)
		return -1;
	list->count = 0;
	for (size_t i = 0; i < count; i++) {
		bool holds = true;
		bind(evaluation, node, range, i);
		if (filters && evaluate_predicate(evaluation, node, &holds) < 0)
			return -1;
		if (!holds)
			continue;
		struct cell item = evaluation->locals[node->variable];
		if (transform != NULL && evaluate(evaluation, transform, &item) < 0)
			return -1;
		list->items[list->count++] = item;
	}
	*out = cell_built(SS_LIST, list);
	return built_finish(evaluation, node, SS_LIST, list);
}

int evaluate_comprehension(
	struct evaluation *evaluation, const struct expr_node *node, struct cell *out)
{
	struct cell range;
	if (evaluate(evaluation, node->items[0], &range) < 0)
		return -1;
	if (range.type != SS_LIST && range.type != SS_MAP)
		return evaluation_fail(evaluation, node->offset,
			"a list or a map has items to go through, %s has none",
			cell_a_type(range.type));
	switch (node->operation) {
	case EXPR_ALL:
	case EXPR_EXISTS:
		return evaluate_vote(evaluation, node, &range, out);
	case EXPR_EXISTS_ONE:
		return evaluate_exists_one(evaluation, node, &range, out);
	default:
		return evaluate_list(evaluation, node, &range, out);
	}
}
