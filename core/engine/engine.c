#include "engine/engine.h"

#include "base/clock.h"
#include "base/memory.h"
#include "engine/turn.h"
#include "value/value.h"

#include <event2/event.h>
#include <stdlib.h>

/* For each row of the agent's fields: the values of the enum that it is bound to. */
static const struct ss_value **field_values(
	const struct graph *graph, const struct graph_node *node)
{
	const struct ss_value **values = memory_array(node->field_count, sizeof(struct ss_value *));
	for (size_t i = 0; i < node->field_count; i++) {
		if (node->slots[i] != GRAPH_NO_SLOT)
			values[i] = graph->fields[node->slots[i]].values;
	}
	return values;
}

static int create_node(struct engine *engine, size_t row, struct diagnostics *diagnostics)
{
	struct engine_node *node = &engine->nodes[row];
	const struct graph_node *graph = &engine->graph->nodes[row];
	struct ss_error err = {0};
	const struct ss_value **values = field_values(engine->graph, graph);
	node->graph = graph;
	host_init(&node->host, graph->name, engine->options.log);
	engine_host_init(&node->host);
	const struct ss_setup setup = {
		.struct_size = sizeof setup,
		.host = &node->host.table,
		.name = graph->name,
		.options = (const struct ss_value *const *)graph->options,
		.field_values = values,
	};
	int result = graph->plugin->agent->create(&setup, &node->instance, &err);
	if (result < 0)
		diagnostics_add(diagnostics, engine->graph->file, graph->line, graph->column,
			"the node %s: %s", graph->name, err.text);
	free(values);
	return result;
}

/* How long the engine may keep the loop before it lets it see to other things. */
enum { SLICE_NS = 1000000 };

/* Some turn waits. Turns are advanced from here, one step each in turn, and never from within each other: neither a long
 * chain of nodes nor agents that finish each other's runs make a deep stack. */
static void advance(struct engine *engine)
{
	static const struct timeval at_once = {0};
	int64_t until = clock_monotonic_ns() + SLICE_NS;
	engine->advancing = true;
	do {
		struct turn *turn = engine->first;
		engine->first = turn->next_waiting;
		turn->waiting = false;
		turn_step(turn);
		if (turn->ready.count > 0)
			engine_advance(turn);
		turn_unref(turn);
	} while (engine->first != NULL && clock_monotonic_ns() < until);
	engine->advancing = false;
	if (engine->first == NULL)
		return;
	/* A timer, since what is made active within a round is still seen to in the same round. */
	engine->goes_on = true;
	if (evtimer_add(engine->go_on, &at_once) < 0)
		abort(); /* only for want of memory */
}

static void on_go_on(evutil_socket_t fd, short what, void *context)
{
	struct engine *engine = context;
	(void)fd;
	(void)what;
	engine->goes_on = false;
	advance(engine);
}

void engine_advance(struct turn *turn)
{
	struct engine *engine = turn->engine;
	if (turn->waiting || turn->ended)
		return;
	turn->waiting = true;
	turn->next_waiting = NULL;
	if (engine->first != NULL)
		engine->last->next_waiting = turn;
	else
		engine->first = turn;
	engine->last = turn_ref(turn);
	if (!engine->advancing && !engine->goes_on)
		advance(engine);
}

struct engine *engine_new(const struct engine_options *options, const struct graph *graph,
	struct diagnostics *diagnostics)
{
	bool failed = false;
	struct engine *engine = memory_make(struct engine);
	engine->options = *options;
	engine->graph = graph;
	engine->nodes = memory_array(graph->node_count, sizeof(struct engine_node));
	engine->go_on = evtimer_new(options->base, on_go_on, engine);
	if (engine->go_on == NULL)
		abort(); /* only for want of memory */
	for (size_t i = 0; i < graph->node_count; i++) {
		if (create_node(engine, i, diagnostics) < 0) {
			engine->nodes[i].graph = NULL;
			failed = true;
		}
	}
	if (failed) {
		engine_free(engine);
		return NULL;
	}
	return engine;
}

void engine_stop(struct engine *engine)
{
	struct ss_error err;
	if (engine == NULL)
		return;
	engine->stopped = true;
	(void)ss_fail_as(&err, SS_UNAVAILABLE, "the server is stopping");
	for (struct turn *turn = engine->turns; turn != NULL; turn = turn->next)
		turn_end(turn, &err);
}

/* A turn that is left is held by runs whose agents said that they would finish and did not. */
static void free_left(struct engine *engine)
{
	while (engine->turns != NULL) {
		struct turn *turn = engine->turns;
		for (struct ss_run *run = turn->over_runs.first; run != NULL; run = run->next) {
			const struct graph_node *node = &engine->graph->nodes[run->node];
			if (run->references > 0)
				log_warning(engine->options.log,
					"the agent %s never finished a run of the node %s",
					node->plugin->name, node->name);
		}
		turn_destroy(turn);
	}
}

void engine_free(struct engine *engine)
{
	if (engine == NULL)
		return;
	for (size_t i = 0; i < engine->graph->node_count; i++) {
		const struct engine_node *node = &engine->nodes[i];
		if (node->graph != NULL)
			node->graph->plugin->agent->destroy(node->instance);
	}
	free_left(engine);
	event_free(engine->go_on);
	free(engine->nodes);
	free(engine);
}
