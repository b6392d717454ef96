#include "expr/cell.h"

#include "base/memory.h"
#include "value/value.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What a value takes beside its text or items, roughly; only sums of it are compared with the limit. */
enum { VALUE_SIZE = 64 };

void evaluation_begin(
	struct evaluation *evaluation, struct ss_value *const *values, struct expr_error *error)
{
	evaluation->values = values;
	evaluation->error = error;
	evaluation->failed = false;
	evaluation->cost = 0;
	evaluation->pool = (struct arena_pool){0};
	evaluation->arena = arena_new(&evaluation->pool);
	evaluation->used = 0;
}

void evaluation_end(struct evaluation *evaluation)
{
	arena_free(&evaluation->arena);
	arena_pool_free(&evaluation->pool);
}

void evaluation_note(struct evaluation *evaluation, size_t offset, const char *format, ...)
{
	va_list arguments;
	if (evaluation->failed)
		return;
	evaluation->failed = true;
	evaluation->error->offset = offset;
	va_start(arguments, format);
	(void)vsnprintf(evaluation->error->text, sizeof evaluation->error->text, format, arguments);
	va_end(arguments);
}

int evaluation_spend(struct evaluation *evaluation, const struct expr_node *node, size_t units)
{
	if (units <= EXPR_COST_LIMIT - evaluation->cost) {
		evaluation->cost += units;
		return 0;
	}
	evaluation->cost = EXPR_COST_LIMIT;
	/* Nothing outvotes it, so whatever failed before is not what ended the evaluation. */
	evaluation->failed = false;
	return evaluation_fail(evaluation, node->offset,
		"it costs more than %d operations; look at less data", EXPR_COST_LIMIT);
}

int evaluation_spend_text(struct evaluation *evaluation, const struct expr_node *node, size_t bytes)
{
	return evaluation_spend(evaluation, node, bytes / EXPR_BYTES_A_UNIT);
}

void *evaluation_memory(struct evaluation *evaluation, size_t size)
{
	size_t align = _Alignof(max_align_t);
	size_t rounded = (size + align - 1) / align * align;
	if (rounded > EXPR_FIRST_MEMORY - evaluation->used)
		return arena_take(&evaluation->arena, size);
	void *taken = evaluation->first + evaluation->used;
	evaluation->used += rounded;
	return taken;
}

struct cell cell_of(const struct ss_value *value)
{
	struct cell cell = {.type = value_type(value)};
	switch (cell.type) {
	case SS_NULL:
		break;
	case SS_BOOL:
		cell.boolean = value_as_bool(value);
		break;
	case SS_INT:
		cell.integer = value_as_int(value);
		break;
	case SS_NUMBER:
		cell.number = value_as_number(value);
		break;
	case SS_STRING:
		cell.text = value_as_text(value);
		break;
	case SS_LIST:
	case SS_MAP:
		cell.value = value;
		break;
	}
	return cell;
}

struct cell cell_bool(bool boolean)
{
	return (struct cell){.type = SS_BOOL, .boolean = boolean};
}

struct cell cell_int(int64_t integer)
{
	return (struct cell){.type = SS_INT, .integer = integer};
}

struct cell cell_number(double number)
{
	return (struct cell){.type = SS_NUMBER, .number = number};
}

struct cell cell_text(const char *data, size_t length)
{
	return (struct cell){.type = SS_STRING, .text = {data, length}};
}

struct cell cell_built(enum ss_type type, const struct built *built)
{
	return (struct cell){.type = type, .value = NULL, .built = built};
}

int cell_new_text(struct evaluation *evaluation, const struct expr_node *node, const char *data,
	size_t length, struct cell *out)
{
	if (evaluation_spend_text(evaluation, node, length) < 0)
		return -1;
	char *copy = evaluation_memory(evaluation, length + 1);
	if (length > 0)
		memcpy(copy, data, length);
	*out = cell_text(copy, length);
	return 0;
}

bool cell_is_number(const struct cell *cell)
{
	return cell->type == SS_INT || cell->type == SS_NUMBER;
}

double cell_as_number(const struct cell *cell)
{
	return cell->type == SS_INT ? (double)cell->integer : cell->number;
}

const char *cell_a_type(enum ss_type type)
{
	static const char *const names[] = {
		"null", "a bool", "an int", "a double", "a string", "a list", "a map"};
	return names[type];
}

size_t cell_count(const struct cell *cell)
{
	return cell->value != NULL ? value_count(cell->value) : cell->built->count;
}

struct cell cell_item(const struct cell *list, size_t index)
{
	return list->value != NULL ? cell_of(value_at(list->value, index))
				   : list->built->items[index];
}

struct cell cell_key(const struct cell *map, size_t index)
{
	if (map->value == NULL)
		return map->built->items[2 * index];
	const char *key = value_key_at(map->value, index);
	return cell_text(key, strlen(key));
}

struct cell cell_entry(const struct cell *map, size_t index)
{
	return map->value != NULL ? cell_of(value_at(map->value, index))
				  : map->built->items[2 * index + 1];
}

static int compare_texts(struct ss_text a, struct ss_text b)
{
	size_t least = a.length < b.length ? a.length : b.length;
	int order = least > 0 ? memcmp(a.data, b.data, least) : 0;
	return order != 0 ? order : (a.length > b.length) - (a.length < b.length);
}

int cell_compare_keys(const void *a, const void *b)
{
	const struct cell *left = a;
	const struct cell *right = b;
	if (left->type != right->type)
		return left->type < right->type ? -1 : 1;
	if (left->type == SS_STRING)
		return compare_texts(left->text, right->text);
	if (left->type == SS_INT)
		return (left->integer > right->integer) - (left->integer < right->integer);
	return (int)left->boolean - (int)right->boolean;
}

static bool find_text(const struct cell *map, struct ss_text key, struct cell *out)
{
	size_t low = 0;
	size_t high = value_count(map->value);
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct cell other = cell_key(map, middle);
		int order = compare_texts(key, other.text);
		if (order == 0) {
			*out = cell_entry(map, middle);
			return true;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

bool cell_find(const struct cell *map, const struct cell *key, struct cell *out)
{
	struct cell wanted = *key;
	/* A double finds the int that it equals. */
	if (key->type == SS_NUMBER && key->number >= -TWO_TO_63 && key->number < TWO_TO_63 &&
		trunc(key->number) == key->number)
		wanted = cell_int((int64_t)key->number);
	if (map->value != NULL)
		return wanted.type == SS_STRING && find_text(map, wanted.text, out);
	size_t low = 0;
	size_t high = map->built->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = cell_compare_keys(&wanted, &map->built->items[2 * middle]);
		if (order == 0) {
			*out = map->built->items[2 * middle + 1];
			return true;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

static int lists_equal(struct evaluation *evaluation, const struct expr_node *node,
	const struct cell *a, const struct cell *b, bool *equal)
{
	size_t count = cell_count(a);
	*equal = count == cell_count(b);
	for (size_t i = 0; *equal && i < count; i++) {
		struct cell left = cell_item(a, i);
		struct cell right = cell_item(b, i);
		if (cell_equal(evaluation, node, &left, &right, equal) < 0)
			return -1;
	}
	return 0;
}

static int maps_equal(struct evaluation *evaluation, const struct expr_node *node,
	const struct cell *a, const struct cell *b, bool *equal)
{
	size_t count = cell_count(a);
	*equal = count == cell_count(b);
	for (size_t i = 0; *equal && i < count; i++) {
		struct cell key = cell_key(a, i);
		struct cell left = cell_entry(a, i);
		struct cell right;
		*equal = cell_find(b, &key, &right);
		if (*equal && cell_equal(evaluation, node, &left, &right, equal) < 0)
			return -1;
	}
	return 0;
}

int cell_equal(struct evaluation *evaluation, const struct expr_node *node, const struct cell *a,
	const struct cell *b, bool *equal)
{
	*equal = false;
	if (evaluation_spend(evaluation, node, 1) < 0)
		return -1;
	if (cell_is_number(a) && cell_is_number(b)) {
		*equal = a->type == SS_INT && b->type == SS_INT
				 ? a->integer == b->integer
				 : cell_as_number(a) == cell_as_number(b);
		return 0;
	}
	if (a->type != b->type)
		return 0;
	switch (a->type) {
	case SS_BOOL:
		*equal = a->boolean == b->boolean;
		return 0;
	case SS_STRING:
		if (a->text.length != b->text.length)
			return 0;
		*equal = compare_texts(a->text, b->text) == 0;
		return evaluation_spend_text(evaluation, node, a->text.length);
	case SS_LIST:
		return lists_equal(evaluation, node, a, b, equal);
	case SS_MAP:
		return maps_equal(evaluation, node, a, b, equal);
	default:
		*equal = true; /* two nulls */
		return 0;
	}
}

int cell_compare(struct evaluation *evaluation, const struct expr_node *node, const struct cell *a,
	const struct cell *b, int *order, bool *ordered)
{
	*ordered = true;
	if (a->type == SS_INT && b->type == SS_INT) {
		*order = (a->integer > b->integer) - (a->integer < b->integer);
	} else if (cell_is_number(a) && cell_is_number(b)) {
		double left = cell_as_number(a);
		double right = cell_as_number(b);
		*order = (left > right) - (left < right);
		*ordered = !isnan(left) && !isnan(right);
	} else if (a->type == SS_STRING && b->type == SS_STRING) {
		size_t length = a->text.length < b->text.length ? a->text.length : b->text.length;
		*order = compare_texts(a->text, b->text);
		return evaluation_spend_text(evaluation, node, length);
	} else if (a->type == SS_BOOL && b->type == SS_BOOL) {
		*order = (int)a->boolean - (int)b->boolean;
	} else {
		return evaluation_fail(evaluation, node->offset, "%s and %s have no order",
			cell_a_type(a->type), cell_a_type(b->type));
	}
	return 0;
}

size_t cell_size(const struct cell *cell)
{
	switch (cell->type) {
	case SS_STRING:
		return VALUE_SIZE + cell->text.length;
	case SS_LIST:
	case SS_MAP:
		return cell->value != NULL ? value_size(cell->value) : cell->built->size;
	default:
		return VALUE_SIZE;
	}
}

static size_t cells_of(enum ss_type type, size_t count)
{
	return type == SS_MAP ? 2 * count : count;
}

struct built *built_new(struct evaluation *evaluation, const struct expr_node *node,
	enum ss_type type, size_t count)
{
	size_t cells = cells_of(type, count);
	if (evaluation_spend(evaluation, node, cells) < 0)
		return NULL;
	struct built *built =
		evaluation_memory(evaluation, sizeof *built + cells * sizeof(struct cell));
	built->count = count;
	built->size = VALUE_SIZE;
	return built;
}

int built_finish(struct evaluation *evaluation, const struct expr_node *node, enum ss_type type,
	struct built *built)
{
	built->size = VALUE_SIZE;
	for (size_t i = 0; i < cells_of(type, built->count); i++) {
		built->size += cell_size(&built->items[i]);
		if (built->size > EXPR_SIZE_LIMIT)
			return evaluation_fail(evaluation, node->offset,
				"the %s is larger than %d bytes", type == SS_LIST ? "list" : "map",
				EXPR_SIZE_LIMIT);
	}
	return 0;
}
