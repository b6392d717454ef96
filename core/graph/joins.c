/*
 * Joins that can never complete: those that wait for a node which runs only after them, and those that
 * wait for two branches of which one turn takes only one.
 *
 * Both follow from labels that are spread along the edges from START. A node's label says how it can come
 * to run: never, only when one particular way of a choice is taken, or otherwise.
 */
#include "base/memory.h"
#include "graph/load.h"

#include <stdlib.h>

/* Labels; any other one is the node, plus LABELS, to which the choice must have led. */
enum { NEVER, FREELY, LABELS };

struct walk {
	const struct graph *graph;
	size_t chooser; /* the edge whose ways are told apart; GRAPH_NO_SLOT: none */
	size_t *labels; /* for each node */
	size_t *todo;   /* nodes whose label changed, each at most twice */
	size_t todo_count;
};

static size_t label_of(const struct walk *walk, size_t place)
{
	return place == GRAPH_START ? FREELY : walk->labels[place];
}

/* What it takes for EDGE to be followed when FROM has run. */
static size_t label_of_edge(const struct walk *walk, const struct graph_edge *edge, size_t from)
{
	size_t label = FREELY;
	if (!edge->join)
		return label_of(walk, from);
	for (size_t i = 0; i < edge->from_count; i++) {
		size_t one = label_of(walk, edge->from[i]);
		if (one == NEVER || (one != FREELY && label != FREELY && one != label))
			return NEVER;
		if (one != FREELY)
			label = one;
	}
	return label;
}

/* NODE can also come to run by a way that has LABEL. */
static void add_label(struct walk *walk, size_t node, size_t label)
{
	size_t before = walk->labels[node];
	if (label == NEVER || label == before || before == FREELY)
		return;
	walk->labels[node] = before == NEVER ? label : FREELY;
	walk->todo[walk->todo_count++] = node;
}

static void follow(struct walk *walk, size_t row, size_t from)
{
	const struct graph_edge *edge = &walk->graph->edges[row];
	size_t label = label_of_edge(walk, edge, from);
	for (size_t i = 0; i < edge->choice_count; i++) {
		size_t to = edge->choices[i].to;
		if (to == GRAPH_END)
			continue;
		add_label(walk, to, row == walk->chooser && label != NEVER ? LABELS + to : label);
	}
}

static void spread(struct walk *walk)
{
	const struct graph *graph = walk->graph;
	walk->todo_count = 0;
	for (size_t i = 0; i < graph->node_count; i++)
		walk->labels[i] = NEVER;
	for (size_t i = 0; i < graph->start_count; i++)
		follow(walk, graph->start[i], GRAPH_START);
	for (size_t done = 0; done < walk->todo_count; done++) {
		const struct graph_node *node = &graph->nodes[walk->todo[done]];
		for (size_t i = 0; i < node->exit_count; i++)
			follow(walk, node->out[i], walk->todo[done]);
	}
}

/* Joins that wait for what cannot run before them. Returns whether there are any. */
static bool check_waits(struct graph_loader *loader, struct walk *walk)
{
	const struct graph *graph = loader->graph;
	bool found = false;
	walk->chooser = GRAPH_NO_SLOT;
	spread(walk);
	for (size_t i = 0; i < graph->edge_count; i++) {
		const struct graph_edge *edge = &graph->edges[i];
		size_t never = GRAPH_NO_SLOT;
		bool some = false;
		for (size_t j = 0; j < edge->from_count; j++) {
			if (label_of(walk, edge->from[j]) != NEVER)
				some = true;
			else if (never == GRAPH_NO_SLOT)
				never = edge->from[j];
		}
		if (!edge->join || !some || never == GRAPH_NO_SLOT)
			continue;
		found = true;
		diagnostics_add(loader->diagnostics, graph->file, edge->line, edge->column,
			"this waits for %s, which cannot run before it; lead to %s in another way, "
			"or leave it out here",
			graph->nodes[never].name, graph->nodes[never].name);
	}
	return found;
}

/* Whether EDGE is followed at most once in a turn, as far as ONCE is known of the nodes. */
static bool followed_once(const struct graph_edge *edge, const bool *once)
{
	size_t sure = 0;
	for (size_t i = 0; i < edge->from_count; i++)
		sure += edge->from[i] == GRAPH_START || once[edge->from[i]];
	return edge->join ? sure > 0 : edge->from_count == 1 && sure == 1;
}

/* What is in a cycle or behind several edges is not sure. */
bool *graph_find_once(const struct graph *graph)
{
	bool *once = memory_array(graph->node_count, sizeof *once);
	size_t *only = memory_array(graph->node_count, sizeof *only);
	bool changed = true;
	for (size_t i = 0; i < graph->node_count; i++)
		only[i] = GRAPH_NO_SLOT;
	for (size_t i = 0; i < graph->edge_count; i++) {
		for (size_t j = 0; j < graph->edges[i].choice_count; j++) {
			size_t to = graph->edges[i].choices[j].to;
			if (to != GRAPH_END && only[to] != i)
				only[to] = only[to] == GRAPH_NO_SLOT ? i : GRAPH_END;
		}
	}
	while (changed) {
		changed = false;
		for (size_t i = 0; i < graph->node_count; i++) {
			if (once[i] || only[i] >= graph->edge_count ||
				!followed_once(&graph->edges[only[i]], once))
				continue;
			once[i] = changed = true;
		}
	}
	free(only);
	return once;
}

/* Joins that wait for two ways of the edge that WALK tells apart. */
static void check_exclusive(struct graph_loader *loader, const struct walk *walk, bool *reported)
{
	const struct graph *graph = loader->graph;
	for (size_t i = 0; i < graph->edge_count; i++) {
		const struct graph_edge *edge = &graph->edges[i];
		size_t first = GRAPH_NO_SLOT;
		for (size_t j = 0; edge->join && !reported[i] && j < edge->from_count; j++) {
			size_t label = label_of(walk, edge->from[j]);
			if (label < LABELS)
				continue;
			if (first == GRAPH_NO_SLOT)
				first = edge->from[j];
			if (label == label_of(walk, first))
				continue;
			reported[i] = true;
			diagnostics_add(loader->diagnostics, graph->file, edge->line, edge->column,
				"this waits for both %s and %s, of which only one is ever chosen; "
				"add any: true",
				graph->nodes[first].name, graph->nodes[edge->from[j]].name);
		}
	}
}

bool graph_check_joins(struct graph_loader *loader)
{
	const struct graph *graph = loader->graph;
	struct walk walk = {
		.graph = graph,
		.labels = memory_array(graph->node_count, sizeof *walk.labels),
		.todo = memory_array(graph->node_count, 2 * sizeof *walk.todo),
	};
	bool *once = graph_find_once(graph);
	bool *reported = memory_array(graph->edge_count, sizeof *reported);
	bool waits = check_waits(loader, &walk);
	for (size_t i = 0; !waits && i < graph->edge_count; i++) {
		const struct graph_edge *edge = &graph->edges[i];
		if ((edge->kind != GRAPH_CHOOSE && edge->kind != GRAPH_COMMAND) ||
			!followed_once(edge, once))
			continue;
		walk.chooser = i;
		spread(&walk);
		check_exclusive(loader, &walk, reported);
	}
	free(walk.labels);
	free(walk.todo);
	free(once);
	free(reported);
	return !waits;
}
