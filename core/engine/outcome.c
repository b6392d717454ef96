/* What a node came to as a value: what its cache keeps, and what the journal of its turn says. */
#include "base/memory.h"
#include "engine/turn.h"
#include "value/value.h"

#include <stdlib.h>

/* [field, value], with whether it overwrites and the number of the copy where that is not as always. */
static struct ss_value *write_value(
	const struct graph *graph, const struct write *write, size_t copy, bool numbered)
{
	struct ss_value *items[] = {value_text(graph->fields[write->slot].name),
		value_ref(write->value),
		write->overwrites || numbered ? value_bool(write->overwrites) : NULL,
		numbered ? value_int((int64_t)copy) : NULL};
	size_t count = 2;
	while (count < array_length(items) && items[count] != NULL)
		count++;
	return value_list(items, count);
}

/* The writes of COUNT copies from FIRST on, of which there are OF. */
static struct ss_value *writes_of(const struct task *task, const struct copy *first, size_t count)
{
	size_t writes = 0;
	const struct graph *graph = task->turn->program->graph;
	for (size_t i = 0; i < count; i++)
		writes += first[i].run->write_count;
	struct ss_value **items = memory_array(writes, sizeof(struct ss_value *));
	writes = 0;
	for (size_t i = 0; i < count; i++) {
		const struct ss_run *run = first[i].run;
		for (size_t j = 0; j < run->write_count; j++)
			items[writes++] =
				write_value(graph, &run->writes[j], first[i].index, count > 1);
	}
	struct ss_value *list = value_list(items, writes);
	free(items);
	return list;
}

static struct ss_value *make(const struct task *task, const struct copy *first, size_t count)
{
	size_t way = count == 1 ? first->run->way : GRAPH_NO_SLOT;
	bool again = count == 1 && first->attempts > 1;
	struct ss_value *writes = writes_of(task, first, count);
	if (value_count(writes) == 0) {
		value_unref(writes);
		writes = NULL;
	}
	return value_map_make({"writes", writes},
		{"way", way != GRAPH_NO_SLOT ? value_int((int64_t)way) : NULL},
		{"attempts", again ? value_int(first->attempts) : NULL});
}

struct ss_value *outcome_make(const struct task *task)
{
	return make(task, task->copies, task->copy_count);
}

void outcome_note(const struct copy *copy)
{
	journal_note(copy->task, copy, make(copy->task, copy, 1));
}

/* The slot that ITEM of the writes is for. */
static size_t slot_of(const struct task *task, const struct ss_value *item)
{
	return graph_slot(task->turn->program->graph, value_as_string(value_at(item, 0), NULL));
}

int outcome_apply(struct task *task, const struct ss_value *outcome, struct ss_error *err)
{
	const struct ss_value *writes = value_get(outcome, "writes");
	const struct ss_value *way = value_get(outcome, "way");
	for (size_t i = 0; i < value_count(writes); i++) {
		const struct ss_value *item = value_at(writes, i);
		size_t slot = slot_of(task, item);
		if (slot == GRAPH_NO_SLOT)
			continue; /* not in a workflow that is the same */
		struct ss_value *value = graph_fit_value(&task->turn->program->graph->fields[slot],
			value_ref(value_at(item, 1)), err);
		if (value == NULL ||
			task_write(task, slot, value, (size_t)value_as_int(value_at(item, 3)),
				value_as_bool(value_at(item, 2)), err) < 0)
			return -1;
	}
	task->way = way != NULL ? (size_t)value_as_int(way) : GRAPH_NO_SLOT;
	return 0;
}

void outcome_restore(struct copy *copy, const struct ss_value *outcome)
{
	struct ss_run *run = copy->run;
	const struct ss_value *writes = value_get(outcome, "writes");
	const struct ss_value *way = value_get(outcome, "way");
	const struct ss_value *attempts = value_get(outcome, "attempts");
	run->writes =
		arena_array(&copy->task->turn->arena, value_count(writes), sizeof(struct write));
	for (size_t i = 0; i < value_count(writes); i++) {
		const struct ss_value *item = value_at(writes, i);
		size_t slot = slot_of(copy->task, item);
		if (slot != GRAPH_NO_SLOT)
			run->writes[run->write_count++] = (struct write){slot,
				value_ref(value_at(item, 1)), value_as_bool(value_at(item, 2))};
	}
	run->way = way != NULL ? (size_t)value_as_int(way) : GRAPH_NO_SLOT;
	copy->attempts = attempts != NULL ? value_as_int(attempts) : 1;
}
