/* Mistakes that only the whole graph shows. */
#include "base/memory.h"
#include "graph/load.h"

#include <stdio.h>
#include <stdlib.h>

/* Marks every node that a turn can come to. Returns a new array with a place for each node. */
static bool *find_reached(const struct graph *graph)
{
	bool *reached = memory_array(graph->node_count, sizeof *reached);
	size_t *todo = memory_array(graph->node_count, sizeof *todo);
	size_t count = 0;
	for (size_t done = 0, i = 0; i < graph->start_count || done < count;) {
		const size_t *out = graph->start;
		size_t out_count = graph->start_count;
		if (i >= out_count) {
			const struct graph_node *node = &graph->nodes[todo[done++]];
			out = node->out;
			out_count = node->exit_count;
		}
		i = graph->start_count;
		for (size_t j = 0; j < out_count; j++) {
			const struct graph_edge *edge = &graph->edges[out[j]];
			for (size_t k = 0; k < edge->choice_count; k++) {
				size_t to = edge->choices[k].to;
				if (to == GRAPH_END || reached[to])
					continue;
				reached[to] = true;
				todo[count++] = to;
			}
		}
	}
	free(todo);
	return reached;
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
		const struct graph_node *node = &graph->nodes[i];
		if (node->out_count == 0 && node->command == GRAPH_NO_SLOT)
			diagnostics_add(loader->diagnostics, graph->file, node->line, node->column,
				"nothing follows the node %s; add {from: %s, to: END}", node->name,
				node->name);
	}
	if (graph->start_count == 0)
		diagnostics_add(loader->diagnostics, graph->file, 0, 0,
			"no edge leaves START; add {from: START, to: NODE}");
}

/* Nodes that run forever once they run: the largest set in which each leads on to another whatever is chosen. */
struct circles {
	const struct graph *graph;
	bool *forever;
	bool joins; /* whether joins lead on as well; not before they can be complete */
};

/* Whether EDGE, once its node has finished, leads to a node that runs forever whatever is chosen. Who waits at a join
 * goes on at last, if need be without those that do not come again. */
static bool leads_on(const struct circles *circles, const struct graph_edge *edge)
{
	size_t inside = 0;
	if (edge->join && !circles->joins)
		return false;
	for (size_t i = 0; i < edge->choice_count; i++)
		inside += edge->choices[i].to != GRAPH_END && circles->forever[edge->choices[i].to];
	return edge->kind == GRAPH_PLAIN ? inside > 0 : inside == edge->choice_count;
}

static bool runs_forever(const struct circles *circles, size_t row)
{
	const struct graph *graph = circles->graph;
	const struct graph_node *node = &graph->nodes[row];
	bool plain = false;
	for (size_t i = 0; i < node->out_count; i++)
		plain = plain || leads_on(circles, &graph->edges[node->out[i]]);
	for (size_t i = node->out_count; i < node->exit_count; i++) {
		/* What replaces the other edges must lead on as well. */
		if (!leads_on(circles, &graph->edges[node->out[i]]))
			return false;
	}
	return plain || (node->out_count == 0 && node->command != GRAPH_NO_SLOT);
}

/* The node that the node ROW, one of those that run forever, leads to. */
static size_t next_in_circle(const struct circles *circles, size_t row)
{
	const struct graph_node *node = &circles->graph->nodes[row];
	for (size_t i = 0; i < node->exit_count; i++) {
		const struct graph_edge *edge = &circles->graph->edges[node->out[i]];
		for (size_t j = 0; leads_on(circles, edge) && j < edge->choice_count; j++) {
			size_t to = edge->choices[j].to;
			if (to != GRAPH_END && circles->forever[to])
				return to;
		}
	}
	return row;
}

static void report_circle(struct graph_loader *loader, const struct circles *circles, size_t row)
{
	char names[256] = "";
	size_t used = 0;
	const struct graph *graph = loader->graph;
	size_t at = row;
	do {
		const char *name = graph->nodes[at].name;
		used += (size_t)snprintf(
			names + used, sizeof names - used, "%s%s", used > 0 ? ", " : "", name);
		at = next_in_circle(circles, at);
	} while (at != row && used < sizeof names - GRAPH_NAME_LIMIT - 10);
	diagnostics_add(loader->diagnostics, graph->file, graph->nodes[row].line,
		graph->nodes[row].column,
		"this circle can never end: %s%s; let one of them choose, with a way that leads "
		"out",
		names, at != row ? ", …" : "");
}

/* Takes away what does not lead on, until nothing changes. */
static void find_forever(const struct circles *circles, const bool *reached)
{
	size_t count = circles->graph->node_count;
	bool changed = true;
	for (size_t i = 0; i < count; i++)
		circles->forever[i] = reached[i];
	while (changed) {
		changed = false;
		for (size_t i = count; i > 0; i--) {
			if (!circles->forever[i - 1] || runs_forever(circles, i - 1))
				continue;
			circles->forever[i - 1] = false;
			changed = true;
		}
	}
}

/* Cycles that cannot end; those through joins only if these are RIGHT. */
static void check_circles(struct graph_loader *loader, const bool *reached, bool right)
{
	const struct graph *graph = loader->graph;
	struct circles circles = {graph, memory_array(graph->node_count, sizeof(bool)), right};
	find_forever(&circles, reached);
	/* From each of them to the next until one comes again: that one is on a circle. */
	size_t *seen = memory_array(graph->node_count, sizeof *seen);
	for (size_t i = 0; i < graph->node_count; i++) {
		size_t at = i;
		bool walked = seen[i] == 0;
		while (circles.forever[i] && seen[at] == 0) {
			seen[at] = i + 1;
			at = next_in_circle(&circles, at);
		}
		if (circles.forever[i] && walked && seen[at] == i + 1)
			report_circle(loader, &circles, at);
	}
	free(seen);
	free(circles.forever);
}

void graph_validate(struct graph_loader *loader)
{
	if (loader->edges_are_right) {
		bool *reached = find_reached(loader->graph);
		check_reachable(loader, reached);
		check_ends(loader);
		check_circles(loader, reached, graph_check_joins(loader));
		free(reached);
	}
	/* A node of which something is not known may read and write more. */
	if (loader->state_is_right && loader->nodes_are_right)
		graph_check_fields(loader);
	if (loader->state_is_right && loader->edges_are_right)
		graph_check_parallel(loader);
}
