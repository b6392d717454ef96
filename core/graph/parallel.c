/*
 * What may happen side by side in a turn, and what follows from it: fields that two nodes would write
 * without an order between them, joins whose parents may come several times at once.
 *
 * A workflow is a Petri net: its places are the nodes (a node is being run) and, for each join, its parents
 * (a parent has finished and is waited with). Two places are concurrent if a turn may be at both at once.
 * The relation is computed as in A. Kovalyov, J. Esparza, "A polynomial algorithm to compute the concurrency
 * relation of free-choice signal transition graphs" (1996): what leaves a place together is concurrent, and
 * what is concurrent with all that goes into a step is concurrent with what comes out of it. It may hold
 * pairs that no turn shows, never the other way round.
 */
#include "base/memory.h"
#include "graph/load.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pair {
	uint32_t a, b;
};

struct relation {
	struct graph *graph;
	size_t *first; /* for each edge: the place of its first parent, if it joins */
	size_t *edge;  /* for each place behind the nodes: its edge */
	bool *missed;  /* the same: whether its parent may never come */
	size_t **
		waits; /* for each node and each edge that leaves it and joins: the node's place there */
	size_t places;
	unsigned char *bits; /* [places][places] */
	/* For each join, once it is looked at, and each place: how many of the join's parents neither wait
	 * there while a turn is at that place, nor can be done without. */
	uint32_t **lacking;
	struct pair *todo; /* a stack */
	size_t count, capacity;
};

static bool related(const struct relation *relation, size_t a, size_t b)
{
	size_t bit = a * relation->places + b;
	return (relation->bits[bit / 8] >> bit % 8 & 1) != 0;
}

static void set(struct relation *relation, size_t a, size_t b)
{
	size_t bit = a * relation->places + b;
	relation->bits[bit / 8] = (unsigned char)(relation->bits[bit / 8] | 1 << bit % 8);
}

static void relate(struct relation *relation, size_t a, size_t b)
{
	if (related(relation, a, b))
		return;
	set(relation, a, b);
	set(relation, b, a);
	if (relation->count == relation->capacity) {
		relation->capacity = relation->capacity * 2 + 64;
		relation->todo =
			memory_resize(relation->todo, relation->capacity, sizeof(struct pair));
	}
	relation->todo[relation->count++] = (struct pair){(uint32_t)a, (uint32_t)b};
}

/* The place of the parent FROM at the join ROW. */
static size_t place_at(const struct relation *relation, size_t row, size_t from)
{
	size_t parent = 0;
	while (relation->graph->edges[row].from[parent] != from)
		parent++;
	return relation->first[row] + parent;
}

/* The place at which what follows the edge ROW by its way CHOICE after its parent FROM is; GRAPH_END: none. Before a
 * join this is the parent's place, whatever the way. */
static size_t place_after(const struct relation *relation, size_t row, size_t choice, size_t from)
{
	const struct graph_edge *edge = &relation->graph->edges[row];
	return edge->join ? place_at(relation, row, from) : edge->choices[choice].to;
}

static size_t ways(const struct graph_edge *edge)
{
	return edge->join ? 1 : edge->choice_count;
}

/* What leaves a node by the COUNT edges OUT, all taken at once, is concurrent. */
static void leave_together(struct relation *relation, const size_t *out, size_t count, size_t from)
{
	const struct graph_edge *edges = relation->graph->edges;
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < ways(&edges[out[i]]); j++) {
			size_t a = place_after(relation, out[i], j, from);
			for (size_t k = i; k < count; k++) {
				bool same = k == i;
				if (same && edges[out[i]].kind != GRAPH_PLAIN)
					continue;
				for (size_t l = same ? j + 1 : 0; l < ways(&edges[out[k]]); l++) {
					size_t b = place_after(relation, out[k], l, from);
					if (a != GRAPH_END && b != GRAPH_END)
						relate(relation, a, b);
				}
			}
		}
	}
}

/* The ways of a join, once it is complete, taken at once. */
static void leave_join(struct relation *relation, const struct graph_edge *edge)
{
	for (size_t i = 0; edge->kind == GRAPH_PLAIN && i < edge->choice_count; i++) {
		for (size_t j = i + 1; j < edge->choice_count; j++) {
			size_t a = edge->choices[i].to, b = edge->choices[j].to;
			if (a != GRAPH_END && b != GRAPH_END)
				relate(relation, a, b);
		}
	}
}

/* Whether a turn that is at PLACE may come to the node TO. */
static bool place_reaches(const struct relation *relation, size_t place, size_t to)
{
	const struct graph *graph = relation->graph;
	if (place < graph->node_count)
		return graph_reaches(graph, place, to);
	const struct graph_edge *edge = &graph->edges[relation->edge[place]];
	for (size_t i = 0; i < edge->choice_count; i++) {
		if (edge->choices[i].to != GRAPH_END &&
			graph_reaches(graph, edge->choices[i].to, to))
			return true;
	}
	return false;
}

/* Whether the join ROW cannot do without its parent I while a turn is at OTHER. */
static bool needs(const struct relation *relation, size_t row, size_t i, size_t other)
{
	size_t from = relation->graph->edges[row].from[i];
	return !relation->missed[relation->first[row] + i] ||
	       (from != GRAPH_START && place_reaches(relation, other, from));
}

/* Counts what the join ROW lacks at each place before any of its parents is there. */
static uint32_t *count_lacking(const struct relation *relation, size_t row)
{
	const struct graph_edge *edge = &relation->graph->edges[row];
	uint32_t *lacking = memory_array(relation->places, sizeof *lacking);
	for (size_t other = 0; other < relation->places; other++) {
		for (size_t i = 0; i < edge->from_count; i++)
			lacking[other] += needs(relation, row, i, other);
	}
	return lacking;
}

/* A turn is at PLACE, a parent's of a join, and at OTHER. Whether the join may run now: each of its parents
 * is there, or is missing and cannot come from OTHER. Called once for each pair. */
static bool may_join(struct relation *relation, size_t place, size_t other)
{
	size_t row = relation->edge[place];
	const struct graph_edge *edge = &relation->graph->edges[row];
	if (other >= relation->first[row] && other < relation->first[row] + edge->from_count)
		return false;
	if (relation->lacking[row] == NULL)
		relation->lacking[row] = count_lacking(relation, row);
	relation->lacking[row][other] -= needs(relation, row, place - relation->first[row], other);
	return relation->lacking[row][other] == 0;
}

/* A turn is at A and at B; what happens when it goes on from A. */
static void go_on(struct relation *relation, size_t a, size_t b)
{
	const struct graph *graph = relation->graph;
	if (a < graph->node_count) {
		const struct graph_node *node = &graph->nodes[a];
		for (size_t i = 0; i < node->exit_count; i++) {
			const struct graph_edge *edge = &graph->edges[node->out[i]];
			for (size_t j = 0; j < ways(edge); j++) {
				size_t to =
					edge->join ? relation->waits[a][i] : edge->choices[j].to;
				if (to != GRAPH_END)
					relate(relation, to, b);
			}
		}
		return;
	}
	const struct graph_edge *edge = &graph->edges[relation->edge[a]];
	if (!may_join(relation, a, b))
		return;
	for (size_t i = 0; i < edge->choice_count; i++) {
		if (edge->choices[i].to != GRAPH_END)
			relate(relation, edge->choices[i].to, b);
	}
}

static void find_waits(struct relation *relation)
{
	const struct graph *graph = relation->graph;
	relation->waits = memory_array(graph->node_count, sizeof(size_t *));
	for (size_t i = 0; i < graph->node_count; i++) {
		const struct graph_node *node = &graph->nodes[i];
		relation->waits[i] = memory_array(node->exit_count, sizeof(size_t));
		for (size_t j = 0; j < node->exit_count; j++) {
			if (graph->edges[node->out[j]].join)
				relation->waits[i][j] = place_at(relation, node->out[j], i);
		}
	}
}

static void number_places(struct relation *relation)
{
	const struct graph *graph = relation->graph;
	relation->places = graph->node_count;
	relation->first = memory_array(graph->edge_count, sizeof *relation->first);
	for (size_t i = 0; i < graph->edge_count; i++) {
		relation->first[i] = relation->places;
		relation->places += graph->edges[i].join ? graph->edges[i].from_count : 0;
	}
	relation->edge = memory_array(relation->places, sizeof *relation->edge);
	relation->missed = memory_array(relation->places, sizeof *relation->missed);
	for (size_t i = 0; i < graph->edge_count; i++) {
		for (size_t j = 0; graph->edges[i].join && j < graph->edges[i].from_count; j++)
			relation->edge[relation->first[i] + j] = i;
	}
	find_waits(relation);
	relation->bits = memory_new((relation->places * relation->places + 7) / 8);
	relation->lacking = memory_array(graph->edge_count, sizeof(uint32_t *));
}

static void compute(struct relation *relation)
{
	const struct graph *graph = relation->graph;
	leave_together(relation, graph->start, graph->start_count, GRAPH_START);
	for (size_t i = 0; i < graph->node_count; i++)
		leave_together(relation, graph->nodes[i].out, graph->nodes[i].out_count, i);
	for (size_t i = 0; i < graph->edge_count; i++) {
		if (graph->edges[i].join)
			leave_join(relation, &graph->edges[i]);
	}
	while (relation->count > 0) {
		struct pair pair = relation->todo[--relation->count];
		go_on(relation, pair.a, pair.b);
		if (pair.a != pair.b)
			go_on(relation, pair.b, pair.a);
	}
}

bool graph_reaches(const struct graph *graph, size_t from, size_t to)
{
	size_t bit = from * graph->node_count + to;
	return from == to || (graph->reach[bit / 8] >> bit % 8 & 1) != 0;
}

/* Every node that a turn can come to from FROM. */
static void spread(struct graph *graph, size_t from, size_t *todo)
{
	size_t count = 0;
	todo[count++] = from;
	for (size_t done = 0; done < count; done++) {
		const struct graph_node *node = &graph->nodes[todo[done]];
		for (size_t i = 0; i < node->exit_count; i++) {
			const struct graph_edge *edge = &graph->edges[node->out[i]];
			for (size_t j = 0; j < edge->choice_count; j++) {
				size_t to = edge->choices[j].to;
				size_t bit = from * graph->node_count + to;
				if (to == GRAPH_END || (graph->reach[bit / 8] >> bit % 8 & 1) != 0)
					continue;
				graph->reach[bit / 8] =
					(unsigned char)(graph->reach[bit / 8] | 1 << bit % 8);
				if (to != from)
					todo[count++] = to;
			}
		}
	}
}

static void find_reach(struct graph *graph)
{
	bool joins = false;
	for (size_t i = 0; i < graph->edge_count; i++)
		joins = joins || graph->edges[i].join;
	if (!joins)
		return;
	size_t *todo = memory_array(graph->node_count + 1, sizeof *todo);
	graph->reach = memory_new((graph->node_count * graph->node_count + 7) / 8);
	for (size_t i = 0; i < graph->node_count; i++)
		spread(graph, i, todo);
	free(todo);
}

/* Whether the choice between the ways of EDGE may decide whether a turn comes to the node TO. */
static bool decides(const struct graph *graph, const struct graph_edge *edge, size_t to)
{
	size_t reaching = 0;
	for (size_t i = 0; i < edge->choice_count; i++)
		reaching += edge->choices[i].to != GRAPH_END &&
			    graph_reaches(graph, edge->choices[i].to, to);
	return reaching > 0 && reaching < edge->choice_count;
}

/* Whether the ways of EDGE lead to TO at all. */
static bool leads_to(const struct graph *graph, const struct graph_edge *edge, size_t to)
{
	for (size_t i = 0; i < edge->choice_count; i++) {
		if (edge->choices[i].to != GRAPH_END &&
			graph_reaches(graph, edge->choices[i].to, to))
			return true;
	}
	return false;
}

/* Whether what NODE takes in place of its other edges may decide whether a turn comes to the node TO. */
static bool detours(const struct graph *graph, const struct graph_node *node, size_t to)
{
	bool usual = false;
	for (size_t i = 0; i < node->out_count; i++)
		usual = usual || leads_to(graph, &graph->edges[node->out[i]], to);
	for (size_t i = node->out_count; i < node->exit_count; i++) {
		if (leads_to(graph, &graph->edges[node->out[i]], to) != usual)
			return true;
	}
	return false;
}

/* Whether a turn may go by without coming to the node TO. */
static bool may_be_missed(const struct graph *graph, size_t to)
{
	for (size_t i = 0; i < graph->edge_count; i++) {
		const struct graph_edge *edge = &graph->edges[i];
		if (edge->kind != GRAPH_PLAIN && edge->kind != GRAPH_FAILURE &&
			decides(graph, edge, to))
			return true;
	}
	for (size_t i = 0; i < graph->node_count; i++) {
		if (graph->nodes[i].exit_count > graph->nodes[i].out_count &&
			detours(graph, &graph->nodes[i], to))
			return true;
	}
	return false;
}

/* Whether a join may have to do without its parent PARENT: a turn may never come there, or may come more
 * often to another. */
static bool may_lack(
	const struct graph *graph, const struct graph_edge *edge, size_t parent, const bool *once)
{
	for (size_t i = 0; i < edge->from_count; i++) {
		if (i != parent && edge->from[i] != GRAPH_START && !once[edge->from[i]])
			return true;
	}
	return edge->from[parent] != GRAPH_START && may_be_missed(graph, edge->from[parent]);
}

static void find_missed(struct relation *relation)
{
	const struct graph *graph = relation->graph;
	bool *once = graph_find_once(graph);
	for (size_t i = graph->node_count; i < relation->places; i++) {
		size_t row = relation->edge[i];
		relation->missed[i] =
			may_lack(graph, &graph->edges[row], i - relation->first[row], once);
	}
	free(once);
}

static void find_late(const struct relation *relation)
{
	struct graph *graph = relation->graph;
	for (size_t i = 0; i < graph->edge_count; i++) {
		struct graph_edge *edge = &graph->edges[i];
		for (size_t j = 0; edge->join && j < edge->from_count; j++) {
			size_t from = edge->from[j];
			if (from != GRAPH_START && related(relation, from, from))
				edge->late = true;
		}
	}
}

typedef bool is_written(const struct graph_node *node, size_t slot);

/* The first field without a reducer from SLOT on that both A and B write; GRAPH_NO_SLOT: none. */
static size_t written_by_both(const struct graph *graph, const struct graph_node *a,
	const struct graph_node *b, is_written *writes, size_t slot)
{
	for (; slot < graph->field_count; slot++) {
		if (graph->fields[slot].reducer == GRAPH_REPLACE && writes(a, slot) &&
			writes(b, slot))
			return slot;
	}
	return GRAPH_NO_SLOT;
}

/* What both write: the first FIELD, and MORE, how many others. False when there is nothing. */
static bool describe(const struct graph *graph, const struct graph_node *a,
	const struct graph_node *b, is_written *writes, const char **field, char more[40])
{
	size_t first = written_by_both(graph, a, b, writes, 0);
	size_t others = 0;
	more[0] = '\0';
	if (first == GRAPH_NO_SLOT)
		return false;
	for (size_t slot = first; slot != GRAPH_NO_SLOT; others++)
		slot = written_by_both(graph, a, b, writes, slot + 1);
	if (others > 1)
		(void)snprintf(
			more, 40, " (and %zu other field%s)", others - 1, others > 2 ? "s" : "");
	*field = graph->fields[first].name;
	return true;
}

static void check_pair(struct graph_loader *loader, size_t a, size_t b)
{
	char more[40];
	const char *field;
	const struct graph *graph = loader->graph;
	const struct graph_node *one = &graph->nodes[a < b ? a : b];
	const struct graph_node *two = &graph->nodes[a < b ? b : a];
	if (!describe(graph, one, two, graph_writes, &field, more))
		return;
	if (one == two)
		diagnostics_add(loader->diagnostics, graph->file, two->line, two->column,
			"the node %s may run several times side by side and writes %s%s, so what "
			"it holds would be left to chance; give %s a reducer, or let the edges "
			"that lead to the node be one that joins",
			two->name, field, more, field);
	else
		diagnostics_add(loader->diagnostics, graph->file, two->line, two->column,
			"the nodes %s and %s may run side by side and both write %s%s, so what it "
			"holds would be left to chance; give %s a reducer, or let one run after "
			"the other",
			one->name, two->name, field, more, field);
}

/* For each node whether it writes any field that has no reducer. */
static bool *find_writers(const struct graph *graph)
{
	bool *writes = memory_array(graph->node_count, sizeof *writes);
	for (size_t slot = 0; slot < graph->field_count; slot++) {
		for (size_t i = 0;
			graph->fields[slot].reducer == GRAPH_REPLACE && i < graph->node_count; i++)
			writes[i] = writes[i] || graph_writes(&graph->nodes[i], slot);
	}
	return writes;
}

static void check_pairs(struct graph_loader *loader, const struct relation *relation)
{
	const struct graph *graph = loader->graph;
	bool *writes = find_writers(graph);
	for (size_t a = 0; a < graph->node_count; a++) {
		for (size_t b = a; writes[a] && b < graph->node_count; b++) {
			if (writes[b] && related(relation, a, b))
				check_pair(loader, a, b);
		}
	}
	free(writes);
}

/* A fan-out's copies. */
static void check_copies(struct graph_loader *loader, const struct graph_node *node)
{
	char more[40];
	const char *field;
	if (describe(loader->graph, node, node, graph_runs_write, &field, more))
		diagnostics_add(loader->diagnostics, loader->graph->file, node->line, node->column,
			"the node %s runs once for each item and writes %s%s, of which only the "
			"last would be left; give %s a reducer, as in {reducer: append}",
			node->name, field, more, field);
}

static void relation_free(struct relation *relation)
{
	free(relation->first);
	free(relation->edge);
	for (size_t i = 0; i < relation->graph->edge_count; i++)
		free(relation->lacking[i]);
	free(relation->lacking);
	for (size_t i = 0; i < relation->graph->node_count; i++)
		free(relation->waits[i]);
	free(relation->waits);
	free(relation->missed);
	free(relation->bits);
	free(relation->todo);
}

void graph_check_parallel(struct graph_loader *loader)
{
	struct graph *graph = loader->graph;
	struct relation relation = {.graph = graph};
	find_reach(graph);
	number_places(&relation);
	find_missed(&relation);
	compute(&relation);
	find_late(&relation);
	check_pairs(loader, &relation);
	for (size_t i = 0; i < graph->node_count; i++) {
		if (graph->nodes[i].send.over.expr != NULL && !related(&relation, i, i))
			check_copies(loader, &graph->nodes[i]);
	}
	relation_free(&relation);
}
