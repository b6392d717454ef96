/*
 * Views: the state as tasks see it.
 *
 * A field without a reducer holds what the last of its writers wrote, in the order of tasks. A field with one
 * holds all that was contributed to it, reduced in that order. As long as a turn has but one branch, that is
 * simply the value. Where there are more, a view also remembers who contributed what, so that views can be
 * merged: what both have counts once.
 */
#include "base/memory.h"
#include "engine/turn.h"
#include "value/value.h"

#include <stdlib.h>

static size_t field_count(const struct turn *turn)
{
	return turn->program->graph->field_count;
}

static struct view *take_view(struct turn *turn)
{
	struct view *view = turn->free_views;
	size_t count = field_count(turn);
	if (view != NULL) {
		turn->free_views = view->next_free;
		view->references = 1;
		return view;
	}
	view = arena_take(&turn->arena, sizeof *view);
	view->values = arena_array(&turn->arena, count, sizeof(struct ss_value *));
	view->origins = arena_array(&turn->arena, count, sizeof *view->origins);
	view->references = 1;
	view->next_made = turn->views;
	turn->views = view;
	return view;
}

struct view *view_new(struct turn *turn)
{
	struct view *view = take_view(turn);
	for (size_t i = 0; i < field_count(turn); i++) {
		view->values[i] = value_ref(turn->program->graph->fields[i].initial);
		view->origins[i] = (struct origin){0};
	}
	return view;
}

struct view *view_ref(struct view *view)
{
	view->references++;
	return view;
}

void view_unref(struct turn *turn, struct view *view)
{
	if (view == NULL || --view->references > 0)
		return;
	for (size_t i = 0; i < field_count(turn); i++)
		value_unref(view->values[i]);
	view->next_free = turn->free_views;
	turn->free_views = view;
}

struct view *view_own(struct turn *turn, struct view **view)
{
	if ((*view)->references == 1)
		return *view;
	struct view *copy = take_view(turn);
	for (size_t i = 0; i < field_count(turn); i++) {
		copy->values[i] = value_ref((*view)->values[i]);
		copy->origins[i] = (*view)->origins[i];
	}
	(*view)->references--;
	*view = copy;
	return copy;
}

static void set_value(struct view *view, size_t slot, struct ss_value *value)
{
	value_unref(view->values[slot]);
	view->values[slot] = value;
}

/* REDUCED is taken; LAST has its own reference to its value. */
static struct contributions *add_contribution(struct turn *turn, struct contributions *before,
	const struct contribution *last, struct ss_value *reduced)
{
	struct contributions *made = arena_take(&turn->arena, sizeof *made);
	*made = (struct contributions){before, last, reduced, turn->reduced};
	turn->reduced = made;
	return made;
}

/* Whether anything may be written beside what one task of TURN writes. */
static bool has_branches(const struct turn *turn)
{
	return turn->result != NULL || turn->arrival_count > 0 ||
	       turn->ready.count + turn->running.count + turn->asking.count > 1;
}

static struct ss_value *reduce(const struct graph_field *field, const struct ss_value *current,
	const struct ss_value *value, bool overwrites, struct ss_error *err)
{
	return overwrites ? value_ref(value) : graph_reduce(field, current, value, err);
}

struct view *view_with(
	struct turn *turn, struct view *view, size_t slot, const struct ss_value *value)
{
	struct view *with = view_ref(view);
	set_value(view_own(turn, &with), slot, value_ref(value));
	return with;
}

int view_write(struct turn *turn, struct view **view, size_t slot, struct ss_value *value,
	const struct task *by, size_t index, bool overwrites, struct ss_error *err)
{
	const struct graph_field *field = &turn->program->graph->fields[slot];
	struct view *own = view_own(turn, view);
	struct origin *origin = &own->origins[slot];
	if (field->reducer == GRAPH_REPLACE) {
		set_value(own, slot, value);
		origin->writer = by;
		return 0;
	}
	if (field->reducer == GRAPH_APPEND && !overwrites && !has_branches(turn)) {
		own->values[slot] = value_list_append(own->values[slot], value);
		origin->reduced = NULL;
		value_unref(value);
		return 0;
	}
	struct ss_value *reduced = reduce(field, own->values[slot], value, overwrites, err);
	if (reduced == NULL) {
		value_unref(value);
		return -1;
	}
	if (!has_branches(turn)) {
		origin->reduced = NULL;
		value_unref(value);
	} else {
		struct contribution *last = arena_take(&turn->arena, sizeof *last);
		*last = (struct contribution){by, index, value, overwrites, turn->contributed};
		turn->contributed = last;
		if (origin->reduced == NULL)
			origin->reduced =
				add_contribution(turn, NULL, NULL, value_ref(own->values[slot]));
		origin->reduced = add_contribution(turn, origin->reduced, last, value_ref(reduced));
	}
	set_value(own, slot, reduced);
	return 0;
}

static bool is_before(const struct contribution *a, const struct contribution *b)
{
	if (a->by == b->by)
		return a->index < b->index;
	return task_is_before(a->by, b->by);
}

/* The length of LIST, with the one that stands for what was there. */
static size_t length(const struct contributions *list)
{
	size_t count = 0;
	for (; list != NULL; list = list->before)
		count++;
	return count;
}

/* Where A and B begin to differ: the last that they share. */
static struct contributions *find_shared(struct contributions *a, struct contributions *b)
{
	size_t a_count = length(a), b_count = length(b);
	for (; a_count > b_count; a_count--)
		a = a->before;
	for (; b_count > a_count; b_count--)
		b = b->before;
	while (a != b) {
		a = a->before;
		b = b->before;
	}
	return a;
}

/* What was there when LIST began. */
static struct contributions *beginning(struct contributions *list)
{
	while (list->before != NULL)
		list = list->before;
	return list;
}

/* A list of what A and B have, in order, each once. */
static struct contributions *unite(struct turn *turn, const struct graph_field *field,
	struct contributions *a, struct contributions *b, struct ss_error *err)
{
	struct contributions *shared = find_shared(a, b);
	/* Lists that share nothing began beside each other, with the same value. */
	const struct contributions *a_end = shared != NULL ? shared : beginning(a);
	const struct contributions *b_end = shared != NULL ? shared : beginning(b);
	size_t room = length(a) + length(b);
	size_t at = room;
	const struct contribution **found = memory_array(room, sizeof *found);
	/* From the last ones back, since that is how they are linked, until one list is used up: what is left
	 * of the other is where the new one begins. */
	while (a != a_end && b != b_end) {
		if (a->last == b->last)
			b = b->before;
		bool take_b = b != b_end && is_before(a->last, b->last);
		found[--at] = take_b ? b->last : a->last;
		if (take_b)
			b = b->before;
		else
			a = a->before;
	}
	struct contributions *list = a != a_end ? a : b;
	for (; at < room; at++) {
		struct ss_value *reduced =
			reduce(field, list->reduced, found[at]->value, found[at]->overwrites, err);
		if (reduced != NULL)
			list = add_contribution(turn, list, found[at], reduced);
	}
	free(found);
	return list;
}

static void merge_reduced(
	struct turn *turn, struct view **into, struct view *from, size_t slot, struct ss_error *err)
{
	struct contributions *a = (*into)->origins[slot].reduced;
	struct contributions *b = from->origins[slot].reduced;
	if (a == b || b == NULL)
		return;
	struct view *own = view_own(turn, into);
	if (a != NULL)
		b = unite(turn, &turn->program->graph->fields[slot], a, b, err);
	own->origins[slot].reduced = b;
	set_value(own, slot, value_ref(b->reduced));
}

struct view *view_merge(struct turn *turn, struct view *a, struct view *b, struct ss_error *err)
{
	const struct graph *graph = turn->program->graph;
	if (a == b) {
		view_unref(turn, b);
		return a;
	}
	for (size_t i = 0; i < graph->field_count; i++) {
		if (graph->fields[i].reducer != GRAPH_REPLACE) {
			merge_reduced(turn, &a, b, i, err);
		} else if (a->origins[i].writer != b->origins[i].writer &&
			   task_is_before(a->origins[i].writer, b->origins[i].writer)) {
			struct view *own = view_own(turn, &a);
			set_value(own, i, value_ref(b->values[i]));
			own->origins[i] = b->origins[i];
		}
	}
	view_unref(turn, b);
	return a;
}

int view_check(const struct turn *turn, const struct view *view, struct ss_error *err)
{
	const struct graph *graph = turn->program->graph;
	size_t size = 0;
	for (size_t i = 0; i < graph->field_count; i++)
		size += value_size(view->values[i]);
	if (size <= (size_t)graph->max_state)
		return 0;
	return ss_fail_as(err, SS_LIMIT,
		"the values of the state take %zu KiB, more than the %lld KiB of max_state_kib "
		"in %s",
		(size + 1023) / 1024, (long long)graph->max_state / 1024, graph->file);
}

void view_forget(struct turn *turn)
{
	for (struct view *view = turn->views; view != NULL; view = view->next_made) {
		for (size_t i = 0; view->references > 0 && i < field_count(turn); i++)
			value_unref(view->values[i]);
	}
	for (struct contributions *made = turn->reduced; made != NULL; made = made->next_made)
		value_unref(made->reduced);
	for (struct contribution *made = turn->contributed; made != NULL; made = made->next_made)
		value_unref(made->value);
}
