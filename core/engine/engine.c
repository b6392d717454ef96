#include "engine/engine.h"

#include "base/memory.h"
#include "engine/turn.h"
#include "value/value.h"

#include <stdlib.h>

/* For each row of the agent's fields: the values of the enum that it is bound to. */
static const struct ss_value **field_values(const struct graph *graph, const struct graph_node *node)
{
	const struct ss_value **values = memory_array(node->field_count, sizeof *values);
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

struct engine *engine_new(const struct engine_options *options, const struct graph *graph,
	struct diagnostics *diagnostics)
{
	bool failed = false;
	struct engine *engine = memory_make(struct engine);
	engine->options = *options;
	engine->graph = graph;
	engine->nodes = memory_array(graph->node_count, sizeof(struct engine_node));
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

void engine_free(struct engine *engine)
{
	if (engine == NULL)
		return;
	for (size_t i = 0; i < engine->graph->node_count; i++) {
		const struct engine_node *node = &engine->nodes[i];
		if (node->graph != NULL)
			node->graph->plugin->agent->destroy(node->instance);
	}
	free(engine->nodes);
	free(engine);
}
