#include "base/memory.h"
#include "base/text.h"
#include "expr/node.h"
#include "value/value.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A value while it is computed: scalars by themselves, the rest borrowed from state or constants. */
struct cell {
	enum ss_type type;
	bool boolean;
	int64_t integer;
	double number;
	struct ss_text text;
	const struct ss_value *value;  /* of a list or map */
	const struct expr_node *items; /* of a list literal */
};

struct evaluation {
	struct ss_value *const *values;
	struct ss_error *err; /* the first error that is not outvoted by && or || */
	size_t cost;
};

static int evaluate(struct evaluation *evaluation, const struct expr_node *node, struct cell *out);

static struct cell cell_of(const struct ss_value *value)
{
	return (struct cell){
		.type = value_type(value),
		.boolean = value_as_bool(value),
		.integer = value_as_int(value),
		.number = value_as_number(value),
		.text = value_as_text(value),
		.value = value,
	};
}

static struct cell cell_bool(bool boolean)
{
	return (struct cell){.type = SS_BOOL, .boolean = boolean};
}

static bool cell_is_number(const struct cell *cell)
{
	return cell->type == SS_INT || cell->type == SS_NUMBER;
}

__attribute__((format(printf, 2, 3))) static void note_error(
	const struct evaluation *evaluation, const char *format, ...)
{
	char text[160];
	va_list arguments;
	if (evaluation->err->status != SS_OK)
		return;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	(void)ss_fail_as(evaluation->err, SS_INVALID, "%s", text);
}

/* Notes an error, unless there is one already, and is -1. */
#define fail(...) (note_error(__VA_ARGS__), -1)

static int spend(struct evaluation *evaluation)
{
	if (++evaluation->cost <= EXPR_COST_LIMIT)
		return 0;
	return fail(evaluation, "it costs more than %d operations", EXPR_COST_LIMIT);
}

static int list_equal(
	struct evaluation *evaluation, const struct cell *a, const struct cell *b, bool *equal);

static size_t list_size(const struct cell *cell)
{
	return cell->items != NULL ? cell->items->count : value_count(cell->value);
}

static int list_item(
	struct evaluation *evaluation, const struct cell *list, size_t index, struct cell *out)
{
	if (spend(evaluation) < 0)
		return -1;
	if (list->items != NULL)
		return evaluate(evaluation, list->items->items[index], out);
	*out = cell_of(value_at(list->value, index));
	return 0;
}

static int cells_equal(
	struct evaluation *evaluation, const struct cell *a, const struct cell *b, bool *equal)
{
	*equal = false;
	if (cell_is_number(a) && cell_is_number(b)) {
		*equal = a->type == SS_INT && b->type == SS_INT ? a->integer == b->integer
								: a->number == b->number;
		return 0;
	}
	if (a->type != b->type)
		return 0;
	switch (a->type) {
	case SS_BOOL:
		*equal = a->boolean == b->boolean;
		return 0;
	case SS_STRING:
		*equal = a->text.length == b->text.length &&
			 memcmp(a->text.data, b->text.data, a->text.length) == 0;
		return 0;
	case SS_LIST:
		return list_equal(evaluation, a, b, equal);
	case SS_MAP:
		*equal = value_equal(a->value, b->value);
		return 0;
	default:
		*equal = true; /* two nulls */
		return 0;
	}
}

static int list_equal(
	struct evaluation *evaluation, const struct cell *a, const struct cell *b, bool *equal)
{
	*equal = list_size(a) == list_size(b);
	for (size_t i = 0; *equal && i < list_size(a); i++) {
		struct cell left;
		struct cell right;
		if (list_item(evaluation, a, i, &left) < 0 ||
			list_item(evaluation, b, i, &right) < 0 ||
			cells_equal(evaluation, &left, &right, equal) < 0)
			return -1;
	}
	return 0;
}

/* -1, 0 or 1 by CEL's order of numbers, strings (by bytes) and bools. */
static int compare(
	struct evaluation *evaluation, const struct cell *a, const struct cell *b, int *order)
{
	if (a->type == SS_INT && b->type == SS_INT) {
		*order = (a->integer > b->integer) - (a->integer < b->integer);
	} else if (cell_is_number(a) && cell_is_number(b)) {
		*order = (a->number > b->number) - (a->number < b->number);
	} else if (a->type == SS_STRING && b->type == SS_STRING) {
		size_t least = a->text.length < b->text.length ? a->text.length : b->text.length;
		*order = memcmp(a->text.data, b->text.data, least);
		if (*order == 0)
			*order = (a->text.length > b->text.length) -
				 (a->text.length < b->text.length);
	} else if (a->type == SS_BOOL && b->type == SS_BOOL) {
		*order = (int)a->boolean - (int)b->boolean;
	} else {
		return fail(evaluation, "%s and %s have no order", value_type_name(a->type),
			value_type_name(b->type));
	}
	return 0;
}

static int eval_comparison(
	struct evaluation *evaluation, const struct expr_node *node, struct cell *out)
{
	struct cell a;
	struct cell b;
	bool equal;
	int order = 0;
	if (evaluate(evaluation, node->items[0], &a) < 0 ||
		evaluate(evaluation, node->items[1], &b) < 0)
		return -1;
	if (node->operation == EXPR_EQUAL || node->operation == EXPR_NOT_EQUAL) {
		if (cells_equal(evaluation, &a, &b, &equal) < 0)
			return -1;
		*out = cell_bool(equal == (node->operation == EXPR_EQUAL));
		return 0;
	}
	if (compare(evaluation, &a, &b, &order) < 0)
		return -1;
	bool nan = cell_is_number(&a) && (a.number != a.number || b.number != b.number);
	*out = cell_bool(!nan && (node->operation == EXPR_LESS                ? order < 0
					 : node->operation == EXPR_LESS_EQUAL ? order <= 0
					 : node->operation == EXPR_GREATER    ? order > 0
									      : order >= 0));
	return 0;
}

/* a && b is false when either side is false, even if the other one is an error; || is its mirror. */
static int eval_logic(struct evaluation *evaluation, const struct expr_node *node, struct cell *out)
{
	bool decides = node->operation == EXPR_OR;
	bool failed_before = evaluation->err->status != SS_OK;
	bool failed = false;
	for (size_t i = 0; i < 2; i++) {
		if (evaluate(evaluation, node->items[i], out) < 0) {
			failed = true;
		} else if (out->type != SS_BOOL) {
			(void)fail(evaluation, "&& and || take bools");
			failed = true;
		} else if (out->boolean == decides) {
			if (!failed_before)
				evaluation->err->status = SS_OK;
			return 0;
		}
	}
	*out = cell_bool(!decides);
	return failed ? -1 : 0;
}

static int eval_int(struct evaluation *evaluation, enum expr_operation operation, int64_t a,
	int64_t b, int64_t *out)
{
	bool overflow = false;
	if ((operation == EXPR_DIVIDE || operation == EXPR_REMAINDER) && b == 0)
		return fail(evaluation, "division by zero");
	switch (operation) {
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
			*out = operation == EXPR_DIVIDE ? a / b : a % b;
		break;
	}
	return overflow ? fail(evaluation, "the result does not fit 64 bits") : 0;
}

static int eval_arithmetic(
	struct evaluation *evaluation, const struct expr_node *node, struct cell *out)
{
	struct cell a;
	struct cell b;
	if (evaluate(evaluation, node->items[0], &a) < 0 ||
		evaluate(evaluation, node->items[1], &b) < 0)
		return -1;
	if (a.type != b.type || !cell_is_number(&a))
		return fail(evaluation, "arithmetic takes two ints or two doubles");
	*out = (struct cell){.type = a.type};
	if (a.type == SS_INT) {
		if (eval_int(evaluation, node->operation, a.integer, b.integer, &out->integer) < 0)
			return -1;
		out->number = (double)out->integer;
		return 0;
	}
	switch (node->operation) {
	case EXPR_ADD:
		out->number = a.number + b.number;
		return 0;
	case EXPR_SUBTRACT:
		out->number = a.number - b.number;
		return 0;
	case EXPR_MULTIPLY:
		out->number = a.number * b.number;
		return 0;
	case EXPR_DIVIDE:
		out->number = a.number / b.number;
		return 0;
	default:
		return fail(evaluation, "%% takes ints");
	}
}

/* The value at KEY of a map, or NULL. No key has a NUL in it. */
static const struct ss_value *find(const struct cell *map, struct ss_text key)
{
	return strlen(key.data) == key.length ? value_get(map->value, key.data) : NULL;
}

static int eval_in(struct evaluation *evaluation, const struct expr_node *node, struct cell *out)
{
	struct cell item;
	struct cell in;
	if (evaluate(evaluation, node->items[0], &item) < 0 ||
		evaluate(evaluation, node->items[1], &in) < 0)
		return -1;
	if (in.type == SS_MAP) {
		if (item.type != SS_STRING)
			return fail(evaluation, "a map's keys are strings");
		*out = cell_bool(find(&in, item.text) != NULL);
		return 0;
	}
	if (in.type != SS_LIST)
		return fail(evaluation, "\"in\" takes a list or a map on its right");
	bool found = false;
	for (size_t i = 0; !found && i < list_size(&in); i++) {
		struct cell other;
		if (list_item(evaluation, &in, i, &other) < 0 ||
			cells_equal(evaluation, &item, &other, &found) < 0)
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
	const struct ss_value *found = of.type == SS_MAP ? value_get(of.value, node->name) : NULL;
	if (node->operation == EXPR_HAS) {
		*out = cell_bool(found != NULL);
		return of.type == SS_MAP ? 0 : fail(evaluation, "has() takes a map's field");
	}
	if (found == NULL)
		return fail(evaluation, "there is no key \"%.*s\"", text_fit(node->name, 60),
			node->name);
	*out = cell_of(found);
	return 0;
}

static int eval_index(struct evaluation *evaluation, const struct expr_node *node, struct cell *out)
{
	struct cell of;
	struct cell index;
	if (evaluate(evaluation, node->items[0], &of) < 0 ||
		evaluate(evaluation, node->items[1], &index) < 0)
		return -1;
	if (of.type == SS_MAP && index.type == SS_STRING) {
		const struct ss_value *found = find(&of, index.text);
		if (found == NULL)
			return fail(evaluation, "there is no key \"%.*s\"",
				text_fit(index.text.data, 60), index.text.data);
		*out = cell_of(found);
		return 0;
	}
	if (of.type != SS_LIST || index.type != SS_INT)
		return fail(evaluation, "a list is indexed by an int and a map by a string");
	if (index.integer < 0 || (uint64_t)index.integer >= list_size(&of))
		return fail(evaluation, "the index is outside the list");
	return list_item(evaluation, &of, (size_t)index.integer, out);
}

static int eval_size(struct evaluation *evaluation, const struct expr_node *node, struct cell *out)
{
	struct cell of;
	size_t size = 0;
	if (evaluate(evaluation, node->items[0], &of) < 0)
		return -1;
	if (of.type == SS_STRING) {
		for (size_t i = 0; i < of.text.length; i++)
			size += ((unsigned char)of.text.data[i] & 0xc0) != 0x80; /* characters */
	} else if (of.type == SS_LIST || of.type == SS_MAP) {
		size = list_size(&of);
	} else {
		return fail(evaluation, "size() takes a string, list or map");
	}
	*out = (struct cell){.type = SS_INT, .integer = (int64_t)size, .number = (double)size};
	return 0;
}

static int eval_not(struct evaluation *evaluation, const struct expr_node *node, struct cell *out)
{
	if (evaluate(evaluation, node->items[0], out) < 0)
		return -1;
	if (out->type != SS_BOOL)
		return fail(evaluation, "! takes a bool");
	out->boolean = !out->boolean;
	return 0;
}

static int eval_negate(
	struct evaluation *evaluation, const struct expr_node *node, struct cell *out)
{
	if (evaluate(evaluation, node->items[0], out) < 0)
		return -1;
	if (!cell_is_number(out))
		return fail(evaluation, "- takes a number");
	if (out->type == SS_INT && out->integer == INT64_MIN)
		return fail(evaluation, "the result does not fit 64 bits");
	out->integer = -out->integer;
	out->number = -out->number;
	return 0;
}

static int eval_condition(
	struct evaluation *evaluation, const struct expr_node *node, struct cell *out)
{
	struct cell when;
	if (evaluate(evaluation, node->items[0], &when) < 0)
		return -1;
	if (when.type != SS_BOOL)
		return fail(evaluation, "?: takes a bool");
	return evaluate(evaluation, node->items[when.boolean ? 1 : 2], out);
}

/* All items are looked at at once, since an error in any of them is the list's; later they are
 * evaluated again where they are needed, which needs no memory. */
static int eval_list(struct evaluation *evaluation, const struct expr_node *node, struct cell *out)
{
	struct cell item;
	if (node->constant != NULL) {
		*out = cell_of(node->constant);
		return 0;
	}
	for (size_t i = 0; i < node->count; i++) {
		if (evaluate(evaluation, node->items[i], &item) < 0)
			return -1;
	}
	*out = (struct cell){.type = SS_LIST, .items = node};
	return 0;
}

static int evaluate(struct evaluation *evaluation, const struct expr_node *node, struct cell *out)
{
	if (spend(evaluation) < 0)
		return -1;
	switch (node->operation) {
	case EXPR_CONSTANT:
		*out = cell_of(node->constant);
		return 0;
	case EXPR_VARIABLE:
		*out = cell_of(evaluation->values[node->variable]);
		return 0;
	case EXPR_LIST:
		return eval_list(evaluation, node, out);
	case EXPR_SELECT:
	case EXPR_HAS:
		return eval_select(evaluation, node, out);
	case EXPR_INDEX:
		return eval_index(evaluation, node, out);
	case EXPR_SIZE:
		return eval_size(evaluation, node, out);
	case EXPR_NOT:
		return eval_not(evaluation, node, out);
	case EXPR_NEGATE:
		return eval_negate(evaluation, node, out);
	case EXPR_AND:
	case EXPR_OR:
		return eval_logic(evaluation, node, out);
	case EXPR_CONDITION:
		return eval_condition(evaluation, node, out);
	case EXPR_IN:
		return eval_in(evaluation, node, out);
	case EXPR_EQUAL:
	case EXPR_NOT_EQUAL:
	case EXPR_LESS:
	case EXPR_LESS_EQUAL:
	case EXPR_GREATER:
	case EXPR_GREATER_EQUAL:
		return eval_comparison(evaluation, node, out);
	case EXPR_ADD:
	case EXPR_SUBTRACT:
	case EXPR_MULTIPLY:
	case EXPR_DIVIDE:
	case EXPR_REMAINDER:
		return eval_arithmetic(evaluation, node, out);
	}
	return fail(evaluation, "unknown operation");
}

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

struct expr *expr_compile(const char *text, const struct expr_variable *variables, size_t count,
	enum ss_type result, struct expr_error *error)
{
	struct expr_node *root = expr_parse(text, error);
	if (root == NULL)
		return NULL;
	int checked = expr_check(root, variables, count, error);
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
	struct ss_error failure = {0};
	struct evaluation evaluation = {.values = values, .err = &failure};
	struct cell cell;
	int evaluated = evaluate(&evaluation, expr->root, &cell);
	if (evaluated == 0 && cell.type != SS_BOOL)
		evaluated =
			fail(&evaluation, "its type is %s, not bool", value_type_name(cell.type));
	if (evaluated < 0) {
		if (err != NULL)
			*err = failure;
		return -1;
	}
	*result = cell.boolean;
	return 0;
}

/* CELL as a value, new. The items of a list literal have been evaluated once without an error. */
static struct ss_value *value_of(struct evaluation *evaluation, const struct cell *cell)
{
	switch (cell->type) {
	case SS_BOOL:
		return value_bool(cell->boolean);
	case SS_INT:
		return value_int(cell->integer);
	case SS_NUMBER:
		return value_number(cell->number);
	case SS_STRING:
		return value_string(cell->text.data, cell->text.length);
	default:
		break;
	}
	if (cell->items == NULL)
		return cell->value != NULL ? value_ref(cell->value) : value_null();
	struct ss_value **items = memory_array(cell->items->count, sizeof(struct ss_value *));
	for (size_t i = 0; i < cell->items->count; i++) {
		struct cell item;
		(void)evaluate(evaluation, cell->items->items[i], &item);
		items[i] = value_of(evaluation, &item);
	}
	struct ss_value *list = value_list(items, cell->items->count);
	free(items);
	return list;
}

struct ss_value *expr_evaluate(
	const struct expr *expr, struct ss_value *const *values, struct ss_error *err)
{
	struct ss_error failure = {0};
	struct evaluation evaluation = {.values = values, .err = &failure};
	struct cell cell;
	if (evaluate(&evaluation, expr->root, &cell) < 0) {
		*err = failure;
		return NULL;
	}
	return value_of(&evaluation, &cell);
}

const size_t *expr_reads(const struct expr *expr, size_t *count)
{
	*count = expr->read_count;
	return expr->reads;
}
