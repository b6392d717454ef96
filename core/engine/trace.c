/* What happened in a turn, as its runs recorded it. */
#include "base/memory.h"
#include "engine/turn.h"
#include "value/value.h"

#include <stdlib.h>

static struct ss_value *taken(const struct graph *graph, const struct ss_run *run)
{
	struct ss_value **items = memory_array(run->taken_count, sizeof(struct ss_value *));
	for (size_t i = 0; i < run->taken_count; i++) {
		const struct graph_edge *edge = run->taken[i].edge;
		const struct graph_choice *choice = &edge->choices[run->taken[i].choice];
		const char *when = choice->when != NULL ? choice->text : "else";
		items[i] = value_map_make({"to", value_text(graph_node_name(graph, choice->to))},
			{"when", edge->chooses ? value_text(when) : NULL});
	}
	struct ss_value *list = value_list(items, run->taken_count);
	free(items);
	return list;
}

static struct ss_value *writes(const struct graph *graph, const struct ss_run *run)
{
	struct ss_value **items = memory_array(graph->field_count, sizeof(struct ss_value *));
	size_t count = 0;
	for (size_t i = 0; i < graph->field_count; i++) {
		if (run->changed[i])
			items[count++] = value_text(graph->fields[i].name);
	}
	struct ss_value *list = value_list(items, count);
	free(items);
	return list;
}

/* To the microsecond. */
static double milliseconds(int64_t ns)
{
	int64_t us = ns / 1000;
	return (double)us / 1e3;
}

struct ss_value *turn_trace(const struct turn *turn)
{
	static const char *const statuses[] = {[RUN_DONE] = "done",
		[RUN_DEGRADED] = "degraded",
		[RUN_FAILED] = "failed",
		[RUN_STOPPED] = "stopped"};
	const struct graph *graph = turn->engine->graph;
	struct ss_value **items = memory_array(turn->over_runs.count, sizeof(struct ss_value *));
	size_t count = 0;
	for (const struct ss_run *run = turn->over_runs.first; run != NULL; run = run->next) {
		const struct graph_node *node = &graph->nodes[run->node];
		items[count++] = value_map_make({"node", value_text(node->name)},
			{"agent", value_text(node->plugin->name)},
			{"status", value_text(statuses[run->state])},
			{"started_ms", value_number(milliseconds(run->started_ns))},
			{"duration_ms", value_number(milliseconds(run->duration_ns))},
			{"writes", writes(graph, run)},
			{"error", run->error != NULL ? value_text(run->error) : NULL},
			{"taken", taken(graph, run)});
	}
	struct ss_value *list = value_list(items, count);
	free(items);
	return list;
}
