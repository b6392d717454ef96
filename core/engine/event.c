/* What a turn tells while it runs. */
#include "base/memory.h"
#include "engine/turn.h"
#include "value/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

unsigned turn_event_named(const char *name)
{
	static const struct {
		const char *name;
		enum turn_events event;
	} events[] = {
		{"node.started", TURN_NODE_STARTED},
		{"node.finished", TURN_NODE_FINISHED},
		{"edge.taken", TURN_EDGE_TAKEN},
		{"interrupt", TURN_INTERRUPT},
		{"checkpoint", TURN_CHECKPOINT},
		{"token", TURN_TOKEN},
		{"turn.finished", TURN_FINISHED},
	};
	for (size_t i = 0; i < array_length(events); i++) {
		if (strcmp(events[i].name, name) == 0)
			return events[i].event;
	}
	return 0;
}

static bool wanted(const struct turn *turn, enum turn_events event)
{
	return (turn->events & event) != 0;
}

/* Hands on the event that is made of ENTRIES. An inner turn's events are those of the outermost. */
static void tell(struct turn *turn, struct ss_value *event)
{
	struct turn *outermost = turn->outermost;
	if (outermost->event != NULL)
		outermost->event(outermost->context, outermost, event);
	value_unref(event);
}

char *event_node_name(const struct task *task)
{
	char *name = memory_string(task_node(task)->name);
	for (const struct ss_run *outer = task->turn->outer; outer != NULL;
		outer = outer->task->turn->outer) {
		char *longer = memory_format("%s/%s", task_node(outer->task)->name, name);
		free(name);
		name = longer;
	}
	return name;
}

static struct ss_value *node_name(const struct task *task)
{
	char *name = event_node_name(task);
	struct ss_value *value = value_text(name);
	free(name);
	return value;
}

static struct ss_value *task_id(const struct task *task)
{
	char id[32];
	return value_text(interrupt_id(task, NULL, id));
}

void event_started(struct task *task)
{
	if (wanted(task->turn, TURN_NODE_STARTED))
		tell(task->turn, value_map_make({"event", value_text("node.started")},
					 {"node", node_name(task)}, {"id", task_id(task)},
					 {"step", value_int((int64_t)task->step)}));
}

/* The fields that TASK wrote, with what they hold now. */
static struct ss_value *writes(const struct task *task)
{
	const struct graph *graph = task->turn->program->graph;
	size_t count = task->view != NULL ? task->changed_count : 0;
	const char **keys = memory_array(count, sizeof *keys);
	struct ss_value **values = memory_array(count, sizeof(struct ss_value *));
	for (size_t i = 0; i < count; i++) {
		keys[i] = graph->fields[task->changed[i]].name;
		values[i] = value_ref(task->view->values[task->changed[i]]);
	}
	struct ss_value *map = value_map(keys, values, count);
	free(keys);
	free(values);
	return map;
}

void event_finished(struct task *task)
{
	if (wanted(task->turn, TURN_NODE_FINISHED))
		tell(task->turn,
			value_map_make({"event", value_text("node.finished")},
				{"node", node_name(task)}, {"id", task_id(task)},
				{"step", value_int((int64_t)task->step)},
				{"status", value_text(trace_status(task))},
				{"writes", writes(task)},
				{"error", task->error != NULL ? value_text(task->error) : NULL},
				{"restored", task->restored ? value_bool(true) : NULL}));
}

void event_taken(
	struct turn *turn, const struct task *task, const struct graph_edge *edge, size_t choice)
{
	const struct graph_choice *way = &edge->choices[choice];
	if (!wanted(turn, TURN_EDGE_TAKEN))
		return;
	const char *when = way->when != NULL ? way->text : "else";
	bool restored = task != NULL ? task->restored : turn->outermost->record != NULL;
	tell(turn, value_map_make({"event", value_text("edge.taken")},
			   {"from", task != NULL ? node_name(task) : value_text("START")},
			   {"to", value_text(graph_node_name(turn->program->graph, way->to))},
			   {"when", edge->kind == GRAPH_CHOOSE ? value_text(when) : NULL},
			   {"restored", restored ? value_bool(true) : NULL}));
}

void event_interrupt(struct task *task, const struct copy *copy, const char *when,
	const struct ss_value *payload)
{
	char id[32];
	if (!wanted(task->turn, TURN_INTERRUPT))
		return;
	tell(task->turn,
		value_map_make({"event", value_text("interrupt")}, {"node", node_name(task)},
			{"id", value_text(interrupt_id(task, copy, id))},
			{"when", value_text(when)}, {"payload", value_ref(payload)}));
}

void event_token(const struct copy *copy, unsigned number, struct ss_text text)
{
	struct task *task = copy->task;
	if (!wanted(task->turn, TURN_TOKEN))
		return;
	tell(task->turn,
		value_map_make({"event", value_text("token")}, {"node", node_name(task)},
			{"id", task_id(task)}, {"attempt", value_int(copy->attempts)},
			{"copy", copy->item != NULL ? value_int((int64_t)copy->index) : NULL},
			{"try", number > 0 ? value_int(number) : NULL},
			{"text", value_string(text.data, text.length)}));
}

void event_checkpoint(struct turn *turn, const struct ss_journal_entry *entries,
	const bool *results, size_t count)
{
	if (!wanted(turn, TURN_CHECKPOINT))
		return;
	size_t told = 0;
	struct ss_value **ids = memory_array(count, sizeof(struct ss_value *));
	for (size_t i = 0; i < count; i++) {
		char id[32];
		(void)snprintf(id, sizeof id, "%016" PRIx64, (uint64_t)entries[i].task);
		if (results[i])
			ids[told++] = value_text(id);
	}
	if (told > 0)
		tell(turn, value_map_make({"event", value_text("checkpoint")},
				   {"turn", value_text(turn_id(turn))},
				   {"nodes", value_list(ids, told)}));
	free(ids);
}

void event_over(struct turn *turn)
{
	static const char *const statuses[] = {"running", "done", "failed", "interrupted"};
	if (!wanted(turn, TURN_FINISHED))
		return;
	const char *id = turn_id(turn);
	tell(turn, value_map_make({"event", value_text("turn.finished")},
			   {"turn", id != NULL ? value_text(id) : NULL},
			   {"status", value_text(statuses[turn->status])},
			   {"error", turn->status == TURN_FAILED ? value_text(turn->err.text)
								 : NULL}));
}
