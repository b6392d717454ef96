/* Reducers: what becomes of a field when something is written to it. */
#include "base/memory.h"
#include "graph/graph.h"
#include "value/value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *graph_reducer_name(enum graph_reducer reducer)
{
	static const char *const names[] = {
		"replace", "append", "add", "max", "min", "merge", "union"};
	return names[reducer];
}

static int check_sum(const struct graph_field *field, double sum, struct ss_error *err)
{
	if (field->has_range && (sum < field->min || sum > field->max))
		return ss_fail_as(err, SS_INVALID,
			"the field %s is from %g to %g; with what was added it would be %g",
			field->name, field->min, field->max, sum);
	return 0;
}

static struct ss_value *add(const struct graph_field *field, const struct ss_value *current,
	const struct ss_value *written, struct ss_error *err)
{
	int64_t integer = 0;
	if (field->type == SS_INT) {
		if (__builtin_add_overflow(
			    value_as_int(current), value_as_int(written), &integer)) {
			(void)ss_fail_as(err, SS_INVALID,
				"the field %s is %lld; it overflows when %lld is added",
				field->name, (long long)value_as_int(current),
				(long long)value_as_int(written));
			return NULL;
		}
		return check_sum(field, (double)integer, err) < 0 ? NULL : value_int(integer);
	}
	double sum = value_as_number(current) + value_as_number(written);
	if (!isfinite(sum)) {
		(void)ss_fail_as(err, SS_INVALID, "the field %s overflows when %g is added",
			field->name, value_as_number(written));
		return NULL;
	}
	return check_sum(field, sum, err) < 0 ? NULL : value_number(sum);
}

static struct ss_value *larger(
	const struct ss_value *current, const struct ss_value *written, bool smaller)
{
	bool less;
	if (value_type(current) == SS_INT && value_type(written) == SS_INT)
		less = value_as_int(written) < value_as_int(current);
	else
		less = value_as_number(written) < value_as_number(current);
	return value_ref(less == smaller ? written : current);
}

static struct ss_value *merge_maps(const struct ss_value *current, const struct ss_value *written)
{
	size_t before = value_count(current);
	size_t count = before + value_count(written);
	const char **keys = memory_array(count, sizeof *keys);
	struct ss_value **values = memory_array(count, sizeof(struct ss_value *));
	for (size_t i = 0; i < count; i++) {
		const struct ss_value *map = i < before ? current : written;
		size_t at = i < before ? i : i - before;
		keys[i] = value_key_at(map, at);
		values[i] = value_ref(value_at(map, at));
	}
	struct ss_value *merged = value_map(keys, values, count);
	free(keys);
	free(values);
	return merged;
}

/* The items of a list that is made, found by what tells them apart: a hash table with open addressing. */
struct items {
	struct ss_value **values;
	size_t count;
	const char *key; /* the member that tells them apart; NULL: the items themselves */
	size_t *places;  /* in `values`, plus one; 0: none */
	size_t mask;     /* of the table, whose size is a power of two */
};

static struct items items_new(size_t limit, const char *key)
{
	size_t size = 16;
	while (size < limit * 2)
		size *= 2;
	return (struct items){.values = memory_array(limit, sizeof(struct ss_value *)),
		.key = key,
		.places = memory_array(size, sizeof(size_t)),
		.mask = size - 1};
}

static const struct ss_value *mark_of(const struct items *items, const struct ss_value *item)
{
	return items->key != NULL ? value_get(item, items->key) : item;
}

/* Whether A and B are told apart by nothing. */
static bool are_same(const struct ss_value *a, const struct ss_value *b)
{
	return a != NULL && b != NULL && value_equal(a, b);
}

/* Where the item that is the same as ITEM has its place, or would have it. */
static size_t *find(const struct items *items, const struct ss_value *item)
{
	const struct ss_value *mark = mark_of(items, item);
	size_t at = (size_t)value_hash(mark) & items->mask;
	while (items->places[at] != 0 &&
		!are_same(mark_of(items, items->values[items->places[at] - 1]), mark))
		at = (at + 1) & items->mask;
	return &items->places[at];
}

/* The items of CURRENT and those of WRITTEN that are not the same as one before them; with a KEY the later
 * one takes the place of the earlier. CURRENT stays as it is, also where it has the same item twice. */
static struct ss_value *unite(
	const struct ss_value *current, const struct ss_value *written, const char *key)
{
	size_t before = value_count(current);
	size_t given = before + value_count(written);
	struct items items = items_new(given, key);
	for (size_t i = 0; i < given; i++) {
		const struct ss_value *item =
			i < before ? value_at(current, i) : value_at(written, i - before);
		size_t *place = find(&items, item);
		if (*place != 0 && i >= before && key != NULL) {
			value_unref(items.values[*place - 1]);
			items.values[*place - 1] = value_ref(item);
		} else if (*place == 0 || i < before) {
			items.values[items.count++] = value_ref(item);
			*place = *place != 0 ? *place : items.count;
		}
	}
	struct ss_value *list = value_list(items.values, items.count);
	free(items.values);
	free(items.places);
	return list;
}

struct ss_value *graph_reduce(const struct graph_field *field, const struct ss_value *current,
	const struct ss_value *written, struct ss_error *err)
{
	switch (field->reducer) {
	case GRAPH_REPLACE:
		return value_ref(written);
	case GRAPH_APPEND:
		return value_list_join(current, written);
	case GRAPH_ADD:
		return add(field, current, written, err);
	case GRAPH_MAX:
		return larger(current, written, false);
	case GRAPH_MIN:
		return larger(current, written, true);
	case GRAPH_MERGE:
		return field->type == SS_MAP ? merge_maps(current, written)
					     : unite(current, written, field->key);
	case GRAPH_UNION:
		return unite(current, written, NULL);
	}
	return NULL;
}
