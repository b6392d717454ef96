#include "expr/expr.h"

#include "base/memory.h"
#include "expr/cell.h"
#include "value/value.h"

#include <stdlib.h>

static bool reads(const struct expr *expr, size_t variable)
{
	for (size_t i = 0; i < expr->read_count; i++) {
		if (expr->reads[i] == variable)
			return true;
	}
	return false;
}

static void collect_reads(struct expr *expr, const struct expr_node *node)
{
	if (node->operation == EXPR_VARIABLE && !reads(expr, node->variable)) {
		expr->reads = memory_resize(expr->reads, expr->read_count + 1, sizeof *expr->reads);
		expr->reads[expr->read_count++] = node->variable;
	}
	for (size_t i = 0; i < node->count; i++)
		collect_reads(expr, node->items[i]);
}

static struct expr *compile(const char *text, const struct expr_variable *variables, size_t count,
	enum ss_type result, bool dynamic, struct expr_error *error)
{
	struct expr_node *root = expr_parse(text, error);
	if (root == NULL)
		return NULL;
	int checked = expr_check(root, variables, count, dynamic, error);
	if (checked == 0 && result != SS_NULL && root->type != result &&
		(root->type != SS_NULL || root->is_null))
		checked = expr_fail(error, root->offset, "its type must be %s, not %s",
			value_type_name(result), value_type_name(root->type));
	if (checked < 0) {
		expr_node_free(root);
		return NULL;
	}
	struct expr *expr = memory_make(struct expr);
	expr->root = root;
	collect_reads(expr, root);
	return expr;
}

struct expr *expr_compile(const char *text, const struct expr_variable *variables, size_t count,
	enum ss_type result, struct expr_error *error)
{
	return compile(text, variables, count, result, false, error);
}

struct expr *expr_compile_dynamic(const char *text, const struct expr_variable *variables,
	size_t count, struct expr_error *error)
{
	return compile(text, variables, count, SS_NULL, true, error);
}

void expr_free(struct expr *expr)
{
	if (expr == NULL)
		return;
	expr_node_free(expr->root);
	free(expr->reads);
	free(expr);
}

int expr_is_true(
	const struct expr *expr, struct ss_value *const *values, bool *result, struct ss_error *err)
{
	struct expr_error error;
	struct evaluation evaluation;
	struct cell cell;
	evaluation_begin(&evaluation, values, &error);
	int evaluated = evaluate(&evaluation, expr->root, &cell);
	if (evaluated == 0 && cell.type != SS_BOOL)
		evaluated = evaluation_fail(&evaluation, expr->root->offset,
			"its type is %s, not bool", value_type_name(cell.type));
	evaluation_end(&evaluation);
	if (evaluated < 0)
		return ss_fail_as(err, SS_INVALID, "%s", error.text);
	*result = cell.boolean;
	return 0;
}

struct ss_value *expr_evaluate_placed(
	const struct expr *expr, struct ss_value *const *values, struct expr_error *error)
{
	struct ss_value *value = NULL;
	struct evaluation evaluation;
	struct cell cell;
	evaluation_begin(&evaluation, values, error);
	if (evaluate(&evaluation, expr->root, &cell) == 0)
		value = cell_value(&evaluation, expr->root, &cell);
	evaluation_end(&evaluation);
	return value;
}

struct ss_value *expr_evaluate(
	const struct expr *expr, struct ss_value *const *values, struct ss_error *err)
{
	struct expr_error error;
	struct ss_value *value = expr_evaluate_placed(expr, values, &error);
	if (value == NULL)
		(void)ss_fail_as(err, SS_INVALID, "%s", error.text);
	return value;
}

const size_t *expr_reads(const struct expr *expr, size_t *count)
{
	*count = expr->read_count;
	return expr->reads;
}
