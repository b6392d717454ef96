/* What happened in a turn, as its tasks recorded it. */
#include "base/memory.h"
#include "engine/turn.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

const char *trace_status(const struct task *task)
{
	switch (task->state) {
	case TASK_READY:
	case TASK_RUNNING:
		return "running";
	case TASK_ASKING_BEFORE:
	case TASK_ASKING:
	case TASK_ASKING_AFTER:
		return task->halted ? "running" : "interrupted";
	case TASK_DONE:
		return "done";
	case TASK_DEGRADED:
		return "degraded";
	case TASK_FAILED:
		return "failed";
	case TASK_STOPPED:
		return "stopped";
	}
	return "";
}

static int compare(const void *a, const void *b)
{
	const struct task *left = *(const struct task *const *)a;
	const struct task *right = *(const struct task *const *)b;
	if (left == right)
		return 0;
	return task_is_before(left, right) ? -1 : 1;
}

const struct task **trace_sort(const struct task_list *list)
{
	const struct task **tasks = memory_array(list->count, sizeof *tasks);
	size_t count = 0;
	for (const struct task *task = list->first; task != NULL; task = task->next)
		tasks[count++] = task;
	if (count > 1)
		qsort(tasks, count, sizeof *tasks, compare);
	return tasks;
}

static struct ss_value *taken(const struct task *task)
{
	const struct graph *graph = task->turn->program->graph;
	size_t count = 0;
	for (const struct taken *at = task->taken; at != NULL; at = at->next)
		count++;
	struct ss_value **items = memory_array(count, sizeof(struct ss_value *));
	count = 0;
	for (const struct taken *at = task->taken; at != NULL; at = at->next) {
		const struct graph_choice *choice = &at->edge->choices[at->choice];
		const char *when = choice->when != NULL ? choice->text : "else";
		items[count++] =
			value_map_make({"to", value_text(graph_node_name(graph, choice->to))},
				{"when", at->edge->kind == GRAPH_CHOOSE ? value_text(when) : NULL});
	}
	struct ss_value *list = value_list(items, count);
	free(items);
	return list;
}

static int compare_slots(const void *a, const void *b)
{
	size_t left = *(const size_t *)a, right = *(const size_t *)b;
	return (left > right) - (left < right);
}

static struct ss_value *writes(const struct task *task)
{
	const struct graph *graph = task->turn->program->graph;
	struct ss_value **items = memory_array(task->changed_count, sizeof(struct ss_value *));
	if (task->changed_count > 1)
		qsort(task->changed, task->changed_count, sizeof *task->changed, compare_slots);
	for (size_t i = 0; i < task->changed_count; i++)
		items[i] = value_text(graph->fields[task->changed[i]].name);
	struct ss_value *list = value_list(items, task->changed_count);
	free(items);
	return list;
}

/* To the microsecond; NULL where it is not known, or is how long it took to look at it. */
static struct ss_value *milliseconds(const struct task *task, int64_t ns)
{
	int64_t us = ns / 1000;
	const struct turn *turn = task->turn;
	if (turn->engine->options.shuffle != 0 || ns == 0 ||
		(turn->outermost->look && !task->restored))
		return NULL;
	return value_number((double)us / 1e3);
}

static int64_t attempts(const struct task *task)
{
	int64_t most = 0;
	for (size_t i = 0; i < task->copy_count; i++)
		most = task->copies[i].attempts > most ? task->copies[i].attempts : most;
	return most;
}

/* The traces of a workflow's own turns: one, or one for each copy. */
static struct ss_value *inner(const struct task *task)
{
	struct ss_value **items = memory_array(task->copy_count, sizeof(struct ss_value *));
	size_t count = 0;
	for (size_t i = 0; i < task->copy_count; i++) {
		if (task->copies[i].inner != NULL)
			items[count++] = turn_trace(task->copies[i].inner);
	}
	struct ss_value *result = NULL;
	if (count > 0 && task_node(task)->send.over.expr == NULL)
		result = items[0];
	else if (count > 0)
		result = value_list(items, count);
	free(items);
	return result;
}

/* What became of a model, without the times. */
static struct ss_value *timeless(const struct ss_value *model)
{
	static const char *const times[] = {"first_token_ms", "duration_ms"};
	struct value_entry *entries = memory_array(value_count(model), sizeof *entries);
	for (size_t i = 0; i < value_count(model); i++) {
		const char *key = value_key_at(model, i);
		bool kept = strcmp(key, times[0]) != 0 && strcmp(key, times[1]) != 0;
		entries[i] = (struct value_entry){key, kept ? value_ref(value_at(model, i)) : NULL};
	}
	struct ss_value *map = value_map_of(entries, value_count(model));
	free(entries);
	return map;
}

static struct ss_value *models(const struct task *task)
{
	size_t count = value_count(task->models);
	if (task->models == NULL || task->turn->engine->options.shuffle == 0)
		return value_ref(task->models);
	struct ss_value **items = memory_array(count, sizeof(struct ss_value *));
	for (size_t i = 0; i < count; i++)
		items[i] = timeless(value_at(task->models, i));
	struct ss_value *list = value_list(items, count);
	free(items);
	return list;
}

static struct ss_value *entry(const struct task *task)
{
	const struct graph_node *node = task_node(task);
	int64_t most = attempts(task);
	bool sent = node->send.over.expr != NULL;
	char id[32];
	return value_map_make({"id", value_text(interrupt_id(task, NULL, id))},
		{"node", value_text(node->name)},
		{node->plugin != NULL ? "agent" : "workflow",
			value_text(
				node->plugin != NULL ? node->plugin->name : node->workflow->name)},
		{"status", value_text(trace_status(task))},
		{"step", value_int((int64_t)task->step)},
		{"started_ms", task->restored ? NULL : milliseconds(task, task->started_ns)},
		{"duration_ms", milliseconds(task, task->duration_ns)}, {"writes", writes(task)},
		{"attempts", most > 1 ? value_int(most) : NULL},
		{"copies", sent ? value_int((int64_t)task->copy_count) : NULL},
		{"cached", task->cached ? value_bool(true) : NULL},
		{"restored", task->restored ? value_bool(true) : NULL},
		{"blocked", task->blocked ? value_bool(true) : NULL},
		{"missing", task->missing != NULL ? value_ref(task->missing) : NULL},
		{"error", task->error != NULL ? value_text(task->error) : NULL},
		{"models", models(task)}, {"taken", taken(task)}, {"inner", inner(task)});
}

struct ss_value *turn_trace(const struct turn *turn)
{
	const struct task **over = trace_sort(&turn->over_tasks);
	const struct task **asking = trace_sort(&turn->asking);
	size_t count = turn->over_tasks.count + turn->asking.count;
	struct ss_value **items = memory_array(count, sizeof(struct ss_value *));
	size_t i = 0, j = 0;
	while (i < turn->over_tasks.count || j < turn->asking.count) {
		bool take_over = j == turn->asking.count ||
				 (i < turn->over_tasks.count && task_is_before(over[i], asking[j]));
		const struct task *next = take_over ? over[i++] : asking[j++];
		items[i + j - 1] = entry(next);
	}
	struct ss_value *list = value_list(items, count);
	free(items);
	free(over);
	free(asking);
	return list;
}
