/* The `edges` section of a workflow: what runs after what, and on which condition. */
#include "base/memory.h"
#include "base/text.h"
#include "config/options.h"
#include "graph/load.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

enum { EDGE_ANY, EDGE_ROWS };

static const struct ss_option edge_rows[] = {
	[EDGE_ANY] = {"any", SS_OPTION_BOOL, "false", 0, 0, NULL,
		"true: each of the nodes in from leads on by itself; else all are waited for"},
	[EDGE_ROWS] = {0},
};

static const char *const edge_sections[] = {"from", "to", "choose", NULL};
static const struct ss_option no_rows[] = {{0}};
static const char *const when_sections[] = {"when", "to", NULL};
static const char *const else_sections[] = {"else", NULL};

const struct graph_section graph_edge_section = {edge_rows, edge_sections};
const struct graph_section graph_when_section = {no_rows, when_sections};
const struct graph_section graph_else_section = {no_rows, else_sections};

/* The row of the node that NODE names; GRAPH_NO_SLOT and a mistake when there is none. */
static size_t read_place(struct graph_loader *loader, const struct yaml_node *node, size_t refused,
	const char *where)
{
	const struct graph *graph = loader->graph;
	if (node == NULL || node->kind != YAML_SCALAR) {
		yaml_mistake(loader->document, node, loader->diagnostics,
			"\"%s\" takes the name of a node, not %s", where, yaml_kind_name(node));
		return GRAPH_NO_SLOT;
	}
	size_t found = graph_find_node(graph, node->text);
	if (found == refused) {
		yaml_mistake(loader->document, node, loader->diagnostics,
			"%s cannot stand in \"%s\"", node->text, where);
		return GRAPH_NO_SLOT;
	}
	if (found != GRAPH_NO_SLOT)
		return found;
	char hint[120];
	const char **names = memory_array(graph->node_count, sizeof *names);
	for (size_t i = 0; i < graph->node_count; i++)
		names[i] = graph->nodes[i].name;
	yaml_mistake(loader->document, node, loader->diagnostics, "there is no node \"%.*s\"%s",
		text_fit(node->text, 60), node->text,
		diagnostics_hint(node->text, names, graph->node_count, hint, sizeof hint));
	free(names);
	return GRAPH_NO_SLOT;
}

static bool contains(const size_t *places, size_t count, size_t place)
{
	for (size_t i = 0; i < count; i++) {
		if (places[i] == place)
			return true;
	}
	return false;
}

/* Reads the name or the list of names NODE into a new array. Returns how many there are. */
static size_t read_places(struct graph_loader *loader, const struct yaml_node *node, size_t refused,
	const char *where, size_t **places)
{
	bool list = node->kind == YAML_SEQUENCE;
	size_t given = list ? node->count : 1;
	size_t count = 0;
	*places = memory_array(given, sizeof **places);
	for (size_t i = 0; i < given; i++) {
		const struct yaml_node *item = list ? node->items[i] : node;
		size_t place = read_place(loader, item, refused, where);
		if (place != GRAPH_NO_SLOT && contains(*places, count, place))
			yaml_mistake(loader->document, item, loader->diagnostics,
				"\"%s\" stands in \"%s\" twice", item->text, where);
		else if (place != GRAPH_NO_SLOT)
			(*places)[count++] = place;
	}
	if (given == 0)
		yaml_mistake(loader->document, node, loader->diagnostics,
			"\"%s\" needs at least one node", where);
	return count;
}

static void add_choice(
	struct graph_edge *edge, const struct yaml_node *when, struct expr *expr, size_t to)
{
	edge->choices =
		memory_resize(edge->choices, edge->choice_count + 1, sizeof(struct graph_choice));
	edge->choices[edge->choice_count++] = (struct graph_choice){
		.text = when != NULL ? memory_string(when->text) : NULL,
		.when = expr,
		.to = to,
		.line = when != NULL ? when->line : edge->line,
		.column = when != NULL ? when->column : edge->column,
	};
}

static void read_choice(struct graph_loader *loader, struct graph_edge *edge,
	const struct yaml_node *node, bool last)
{
	const struct yaml_node *otherwise = yaml_get(node, "else");
	const struct yaml_node *when = yaml_get(node, "when");
	const struct yaml_node *to = otherwise != NULL ? otherwise : yaml_get(node, "to");
	if (options_read(loader->document, node, node, no_rows,
		    otherwise != NULL ? else_sections : when_sections, "a choice", NULL,
		    loader->diagnostics) < 0)
		return;
	if (otherwise != NULL && !last) {
		yaml_mistake(loader->document, node, loader->diagnostics,
			"else must come last; what stands behind it is never taken");
		return;
	}
	if (otherwise == NULL && (when == NULL || to == NULL)) {
		yaml_mistake(loader->document, node, loader->diagnostics,
			"a choice is {when: CONDITION, to: NODE} or {else: NODE}");
		return;
	}
	size_t place = read_place(loader, to, GRAPH_START, otherwise != NULL ? "else" : "to");
	if (otherwise != NULL) {
		add_choice(edge, NULL, NULL, place == GRAPH_NO_SLOT ? GRAPH_END : place);
		return;
	}
	struct graph_expr condition = {0};
	size_t mistakes = loader->diagnostics->count;
	if (!graph_read_expr(loader, loader->graph, when, SS_BOOL, "condition", &condition))
		loader->condition_mistakes += loader->diagnostics->count - mistakes;
	free(condition.text);
	add_choice(edge, when->kind == YAML_SCALAR ? when : NULL, condition.expr,
		place == GRAPH_NO_SLOT ? GRAPH_END : place);
}

static void read_choices(
	struct graph_loader *loader, struct graph_edge *edge, const struct yaml_node *choose)
{
	edge->kind = GRAPH_CHOOSE;
	if (choose->kind != YAML_SEQUENCE || choose->count == 0) {
		yaml_mistake(loader->document, choose, loader->diagnostics,
			"choose takes a list of {when: CONDITION, to: NODE} and an {else: NODE}");
		return;
	}
	bool has_else = false;
	for (size_t i = 0; i < choose->count; i++) {
		read_choice(loader, edge, choose->items[i], i + 1 == choose->count);
		has_else = has_else || yaml_get(choose->items[i], "else") != NULL;
	}
	if (!has_else)
		yaml_mistake(loader->document, choose->items[choose->count - 1],
			loader->diagnostics,
			"the last choice must be an else; without it a turn could go nowhere");
}

static void read_edge(struct graph_loader *loader, const struct yaml_node *node)
{
	struct ss_value *options[EDGE_ROWS] = {0};
	const struct yaml_node *from = yaml_get(node, "from");
	const struct yaml_node *to = yaml_get(node, "to");
	const struct yaml_node *choose = yaml_get(node, "choose");
	struct graph_edge *edge = &loader->graph->edges[loader->graph->edge_count++];
	edge->line = node->line;
	edge->column = node->column;
	if (options_read(loader->document, node, node, edge_rows, edge_sections, "an edge", options,
		    loader->diagnostics) < 0)
		goto done;
	if (from == NULL || (to == NULL) == (choose == NULL)) {
		yaml_mistake(loader->document, node, loader->diagnostics,
			"an edge has \"from\" and either \"to\" or \"choose\"");
		goto done;
	}
	edge->from_count = read_places(loader, from, GRAPH_END, "from", &edge->from);
	edge->join = edge->from_count > 1 && !value_as_bool(options[EDGE_ANY]);
	if (choose != NULL) {
		read_choices(loader, edge, choose);
		goto done;
	}
	size_t *targets = NULL;
	size_t count = read_places(loader, to, GRAPH_START, "to", &targets);
	for (size_t i = 0; i < count; i++)
		add_choice(edge, NULL, NULL, targets[i]);
	free(targets);
done:
	options_free(options, EDGE_ROWS);
}

/* The edge between whose ways the agent of NODE chooses. */
static void read_goto(struct graph_loader *loader, size_t node, const struct yaml_node *given)
{
	size_t *targets = NULL;
	if (given == NULL)
		return;
	struct graph_edge *edge = &loader->graph->edges[loader->graph->edge_count++];
	edge->kind = GRAPH_COMMAND;
	edge->line = given->line;
	edge->column = given->column;
	edge->from = memory_array(1, sizeof *edge->from);
	edge->from[edge->from_count++] = node;
	size_t count = read_places(loader, given, GRAPH_START, "goto", &targets);
	for (size_t i = 0; i < count; i++)
		add_choice(edge, NULL, NULL, targets[i]);
	free(targets);
}

/* The edge that is taken when NODE has failed. */
static void read_failure(struct graph_loader *loader, size_t node, const struct yaml_node *to)
{
	if (to == NULL || yaml_is_null(to))
		return;
	struct graph_edge *edge = &loader->graph->edges[loader->graph->edge_count++];
	edge->kind = GRAPH_FAILURE;
	edge->line = to->line;
	edge->column = to->column;
	edge->from = memory_array(1, sizeof *edge->from);
	edge->from[edge->from_count++] = node;
	size_t place = read_place(loader, to, GRAPH_START, "to");
	add_choice(edge, NULL, NULL, place == GRAPH_NO_SLOT ? GRAPH_END : place);
}

static void append(size_t **places, size_t *count, size_t place)
{
	*places = memory_resize(*places, *count + 1, sizeof **places);
	(*places)[(*count)++] = place;
}

/* Tells NODE that the edge in ROW leaves it; those that replace the others come last. */
static void link_edge(struct graph_node *node, const struct graph_edge *edge, size_t row)
{
	append(&node->out, &node->exit_count, row);
	if (edge->kind == GRAPH_COMMAND)
		node->command = row;
	else if (edge->kind == GRAPH_FAILURE)
		node->failure = row;
	else
		node->out_count++;
}

/* Tells every node which edges leave it. */
static void link_edges(struct graph *graph)
{
	for (size_t i = 0; i < graph->edge_count; i++) {
		const struct graph_edge *edge = &graph->edges[i];
		for (size_t j = 0; j < edge->from_count; j++) {
			if (edge->from[j] == GRAPH_START)
				append(&graph->start, &graph->start_count, i);
			else
				link_edge(&graph->nodes[edge->from[j]], edge, i);
		}
	}
}

void graph_read_edges(
	struct graph_loader *loader, const struct yaml_node *nodes, const struct yaml_node *edges)
{
	if (edges == NULL || edges->kind != YAML_SEQUENCE || edges->count == 0) {
		yaml_mistake(loader->document, edges, loader->diagnostics,
			"edges must be a list of {from: NODE, to: NODE}");
		return;
	}
	if (loader->graph->node_count == 0)
		return; /* which was reported; no edge could be right */
	loader->graph->edges = memory_array(
		edges->count + 2 * loader->graph->node_count, sizeof(struct graph_edge));
	for (size_t i = 0; i < edges->count; i++)
		read_edge(loader, edges->items[i]);
	for (size_t i = 0; i < loader->graph->node_count; i++) {
		const struct yaml_node *node = yaml_get(nodes, loader->graph->nodes[i].name);
		read_goto(loader, i, yaml_get(node, "goto"));
		read_failure(loader, i, yaml_get(yaml_get(node, "on_error"), "to"));
	}
	link_edges(loader->graph);
}
