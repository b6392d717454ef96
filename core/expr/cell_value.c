/* Cells that become values: what leaves an evaluation. */
#include "base/memory.h"
#include "expr/cell.h"
#include "value/json.h"
#include "value/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct ss_value *make(struct evaluation *evaluation, const struct expr_node *node,
	const struct cell *cell, size_t depth);

static int fail_depth(struct evaluation *evaluation, const struct expr_node *node)
{
	return evaluation_fail(evaluation, node->offset,
		"the value is nested more than %d levels deep", JSON_DEPTH);
}

static struct ss_value *make_list(struct evaluation *evaluation, const struct expr_node *node,
	const struct built *built, size_t depth)
{
	struct ss_value *list = NULL;
	struct ss_value **items = memory_array(built->count, sizeof(struct ss_value *));
	size_t made = 0;
	while (made < built->count) {
		items[made] = make(evaluation, node, &built->items[made], depth + 1);
		if (items[made] == NULL)
			break;
		made++;
	}
	if (made == built->count)
		list = value_list(items, made);
	for (size_t i = 0; list == NULL && i < made; i++)
		value_unref(items[i]);
	free(items);
	return list;
}

/* KEY as the name of a member: new; NULL when it cannot be one. */
static char *key_name(const struct cell *key)
{
	if (key->type == SS_INT)
		return memory_format("%" PRId64, key->integer);
	if (key->type == SS_BOOL)
		return memory_string(key->boolean ? "true" : "false");
	if (memchr(key->text.data, '\0', key->text.length) != NULL)
		return NULL;
	return memory_text(key->text.data, key->text.length);
}

static struct ss_value *make_map(struct evaluation *evaluation, const struct expr_node *node,
	const struct built *built, size_t depth)
{
	struct ss_value *map = NULL;
	char **keys = memory_array(built->count, sizeof(char *));
	struct ss_value **values = memory_array(built->count, sizeof(struct ss_value *));
	size_t made = 0;
	for (; made < built->count; made++) {
		keys[made] = key_name(&built->items[2 * made]);
		if (keys[made] == NULL) {
			(void)evaluation_fail(
				evaluation, node->offset, "a map's key has a NUL in it");
			break;
		}
		values[made] = make(evaluation, node, &built->items[2 * made + 1], depth + 1);
		if (values[made] == NULL)
			break;
	}
	if (made == built->count) {
		map = value_map((const char *const *)keys, values, made);
	} else {
		for (size_t i = 0; i < made; i++)
			value_unref(values[i]);
	}
	if (map != NULL && value_count(map) < made) {
		(void)evaluation_fail(evaluation, node->offset,
			"two of the map's keys are the same when they are written as strings");
		value_unref(map);
		map = NULL;
	}
	for (size_t i = 0; i < built->count; i++)
		free(keys[i]);
	free(keys);
	free(values);
	return map;
}

static struct ss_value *make(struct evaluation *evaluation, const struct expr_node *node,
	const struct cell *cell, size_t depth)
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
	case SS_LIST:
	case SS_MAP:
		break;
	default:
		return value_null();
	}
	/* What comes from the state as it is was let in by whoever put it there. */
	if (depth > 0 && (depth >= JSON_DEPTH ||
				 (cell->value != NULL && !value_is_shallow(cell->value,
								 (size_t)JSON_DEPTH - depth)))) {
		(void)fail_depth(evaluation, node);
		return NULL;
	}
	if (cell->value != NULL)
		return value_ref(cell->value);
	return cell->type == SS_LIST ? make_list(evaluation, node, cell->built, depth)
				     : make_map(evaluation, node, cell->built, depth);
}

struct ss_value *cell_value(
	struct evaluation *evaluation, const struct expr_node *node, const struct cell *cell)
{
	return make(evaluation, node, cell, 0);
}
