/* Mistakes that only the whole graph shows. */
#include "base/memory.h"
#include "base/text.h"
#include "graph/load.h"

#include <stdlib.h>
#include <string.h>

/* Marks every node that EDGE leads to, directly or not. */
static void reach(const struct graph *graph, bool *reached, const struct graph_edge *edge)
{
	for (size_t i = 0; i < edge->choice_count; i++) {
		size_t to = edge->choices[i].to;
		if (to == GRAPH_END || reached[to])
			continue;
		reached[to] = true;
		for (size_t j = 0; j < graph->nodes[to].out_count; j++)
			reach(graph, reached, &graph->edges[graph->nodes[to].out[j]]);
	}
}

static void check_reachable(struct graph_loader *loader, const bool *reached)
{
	const struct graph *graph = loader->graph;
	for (size_t i = 0; i < graph->node_count; i++) {
		if (!reached[i])
			diagnostics_add(loader->diagnostics, graph->file, graph->nodes[i].line,
				graph->nodes[i].column,
				"nothing leads to the node %s; add an edge to it or remove it",
				graph->nodes[i].name);
	}
}

static void check_ends(struct graph_loader *loader)
{
	const struct graph *graph = loader->graph;
	for (size_t i = 0; i < graph->node_count; i++) {
		if (graph->nodes[i].out_count == 0)
			diagnostics_add(loader->diagnostics, graph->file, graph->nodes[i].line,
				graph->nodes[i].column,
				"nothing follows the node %s; add {from: %s, to: END}",
				graph->nodes[i].name, graph->nodes[i].name);
	}
	if (graph->start_count == 0)
		diagnostics_add(loader->diagnostics, graph->file, 0, 0,
			"no edge leaves START; add {from: START, to: NODE}");
}

static bool is_input(const struct graph_loader *loader, const char *name)
{
	for (const char *const *input = loader->inputs; input != NULL && *input != NULL; input++) {
		if (strcmp(*input, name) == 0)
			return true;
	}
	return false;
}

static bool *written_fields(const struct graph_loader *loader)
{
	const struct graph *graph = loader->graph;
	bool *written = memory_array(graph->field_count, sizeof *written);
	for (size_t i = 0; i < graph->field_count; i++)
		written[i] = is_input(loader, graph->fields[i].name);
	for (size_t i = 0; i < graph->node_count; i++) {
		const struct graph_node *node = &graph->nodes[i];
		for (size_t j = 0; j < node->field_count; j++) {
			if (node->slots[j] != GRAPH_NO_SLOT &&
				(node->plugin->fields[j].access & SS_WRITES) != 0)
				written[node->slots[j]] = true;
		}
		for (size_t j = 0; j < node->fallback_count; j++)
			written[node->fallbacks[j].slot] = true;
	}
	return written;
}

static void check_read_by_conditions(struct graph_loader *loader, const bool *written)
{
	const struct graph *graph = loader->graph;
	for (size_t i = 0; i < graph->edge_count; i++) {
		for (size_t j = 0; j < graph->edges[i].choice_count; j++) {
			const struct graph_choice *choice = &graph->edges[i].choices[j];
			size_t count = 0;
			const size_t *reads =
				choice->when != NULL ? expr_reads(choice->when, &count) : NULL;
			for (size_t k = 0; k < count; k++) {
				if (!written[reads[k]])
					diagnostics_add(loader->diagnostics, graph->file,
						choice->line, choice->column,
						"the condition \"%.*s\" reads %s, which nothing "
						"writes",
						text_fit(choice->text, 120), choice->text,
						graph->fields[reads[k]].name);
			}
		}
	}
}

static void check_reads(struct graph_loader *loader)
{
	const struct graph *graph = loader->graph;
	bool *written = written_fields(loader);
	for (size_t i = 0; i < graph->node_count; i++) {
		const struct graph_node *node = &graph->nodes[i];
		for (size_t j = 0; j < node->field_count; j++) {
			unsigned access = node->plugin->fields[j].access;
			if (node->slots[j] == GRAPH_NO_SLOT || (access & SS_READS) == 0 ||
				(access & SS_OPTIONAL) != 0 || written[node->slots[j]])
				continue;
			diagnostics_add(loader->diagnostics, graph->file, node->line, node->column,
				"the node %s reads the field %s, which nothing writes", node->name,
				graph->fields[node->slots[j]].name);
		}
	}
	check_read_by_conditions(loader, written);
	free(written);
}

void graph_validate(struct graph_loader *loader)
{
	const struct graph *graph = loader->graph;
	bool *reached = memory_array(graph->node_count, sizeof *reached);
	for (size_t i = 0; i < graph->start_count; i++)
		reach(graph, reached, &graph->edges[graph->start[i]]);
	check_reachable(loader, reached);
	check_ends(loader);
	graph_check_joins(loader);
	check_reads(loader);
	free(reached);
}
