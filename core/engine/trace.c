#include "base/clock.h"
#include "base/memory.h"
#include "engine/turn.h"
#include "value/value.h"

#include <stdlib.h>

struct trace_entry *trace_add(struct turn *turn, const struct ss_run *run, enum trace_status status,
	const struct ss_error *err)
{
	turn->trace =
		memory_resize(turn->trace, turn->trace_count + 1, sizeof(struct trace_entry));
	struct trace_entry *entry = &turn->trace[turn->trace_count++];
	*entry = (struct trace_entry){
		.node = run->node,
		.status = status,
		.started_ns = run->started_ns,
		.duration_ns = clock_monotonic_ns() - turn->started_ns - run->started_ns,
		.wrote = memory_array(turn->engine->graph->field_count, sizeof(bool)),
		.error = err != NULL ? memory_string(err->text) : NULL,
	};
	return entry;
}

static struct ss_value *taken(const struct graph *graph, const struct trace_entry *entry)
{
	struct ss_value **items = memory_array(entry->taken_count, sizeof(struct ss_value *));
	for (size_t i = 0; i < entry->taken_count; i++) {
		const struct graph_edge *edge = entry->taken[i].edge;
		const struct graph_choice *choice = &edge->choices[entry->taken[i].choice];
		const char *when = choice->when != NULL ? choice->text : "else";
		items[i] = value_map_make({"to", value_text(graph_node_name(graph, choice->to))},
			{"when", edge->chooses ? value_text(when) : NULL});
	}
	struct ss_value *list = value_list(items, entry->taken_count);
	free(items);
	return list;
}

static struct ss_value *writes(const struct graph *graph, const struct trace_entry *entry)
{
	struct ss_value **items = memory_array(graph->field_count, sizeof(struct ss_value *));
	size_t count = 0;
	for (size_t i = 0; i < graph->field_count; i++) {
		if (entry->wrote[i])
			items[count++] = value_text(graph->fields[i].name);
	}
	struct ss_value *list = value_list(items, count);
	free(items);
	return list;
}

struct ss_value *turn_trace(const struct turn *turn)
{
	static const char *const statuses[] = {"done", "degraded", "failed"};
	const struct graph *graph = turn->engine->graph;
	struct ss_value **items = memory_array(turn->trace_count, sizeof(struct ss_value *));
	for (size_t i = 0; i < turn->trace_count; i++) {
		const struct trace_entry *entry = &turn->trace[i];
		const struct graph_node *node = &graph->nodes[entry->node];
		items[i] = value_map_make({"node", value_text(node->name)},
			{"agent", value_text(node->plugin->name)},
			{"status", value_text(statuses[entry->status])},
			{"started_ms", value_number((double)(entry->started_ns / 1000) / 1e3)},
			{"duration_ms", value_number((double)(entry->duration_ns / 1000) / 1e3)},
			{"writes", writes(graph, entry)},
			{"error", entry->error != NULL ? value_text(entry->error) : NULL},
			{"taken", taken(graph, entry)});
	}
	struct ss_value *list = value_list(items, turn->trace_count);
	free(items);
	return list;
}
