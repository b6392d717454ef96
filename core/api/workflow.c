/* GET /api/v1/workflow: the workflow that answers questions, as JSON or drawn. */
#include "api/api.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "graph/draw.h"
#include "http/negotiate.h"
#include "support/support.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

static const struct form {
	const char *name, *type, *charset;
	enum graph_format format;
} forms[] = {
	{"mermaid", "text/plain", "; charset=utf-8", GRAPH_MERMAID},
	{"dot", "text/vnd.graphviz", "; charset=utf-8", GRAPH_DOT},
	{"svg", "image/svg+xml", "", GRAPH_SVG},
};

/* The form that REQUEST wants; NULL: JSON. What `format` says wins over what the client accepts. */
static const struct form *find_form(const struct http_request *request)
{
	const char *name = api_parameter_text(request, "format");
	char *accept = http_request_header_list(request, "Accept");
	const struct form *found = NULL;
	double most = http_type_wanted(accept, "application/json");
	for (size_t i = 0; i < array_length(forms); i++) {
		double wanted = http_type_wanted(accept, forms[i].type);
		if (name != NULL ? strcmp(name, forms[i].name) == 0 : wanted > most) {
			most = wanted;
			found = &forms[i];
		}
	}
	free(accept);
	return found;
}

static struct ss_value *node_value(const struct graph_node *node)
{
	return value_map_make({"name", value_text(node->name)},
		{"agent", node->plugin != NULL ? value_text(node->plugin->name) : NULL},
		{"workflow", node->workflow != NULL ? value_text(node->workflow->name) : NULL},
		{"waits",
			node->interrupt.before || node->interrupt.after ? value_bool(true) : NULL});
}

static struct ss_value *names(const struct graph *graph, const size_t *nodes, size_t count)
{
	struct ss_value **items = memory_array(count, sizeof(struct ss_value *));
	for (size_t i = 0; i < count; i++)
		items[i] = value_text(graph_node_name(graph, nodes[i]));
	struct ss_value *list = value_list(items, count);
	free(items);
	return list;
}

static struct ss_value *edge_value(const struct graph *graph, const struct graph_edge *edge)
{
	static const char *const kinds[] = {[GRAPH_PLAIN] = "plain",
		[GRAPH_CHOOSE] = "choose",
		[GRAPH_COMMAND] = "command",
		[GRAPH_FAILURE] = "failure"};
	struct ss_value **ways = memory_array(edge->choice_count, sizeof(struct ss_value *));
	for (size_t i = 0; i < edge->choice_count; i++) {
		const struct graph_choice *choice = &edge->choices[i];
		ways[i] = value_map_make({"to", value_text(graph_node_name(graph, choice->to))},
			{"when", choice->text != NULL ? value_text(choice->text) : NULL});
	}
	struct ss_value *value =
		value_map_make({"from", names(graph, edge->from, edge->from_count)},
			{"kind", value_text(kinds[edge->kind])}, {"join", value_bool(edge->join)},
			{"to", value_list(ways, edge->choice_count)});
	free(ways);
	return value;
}

static struct ss_value *field_value(const struct graph_field *field)
{
	return value_map_make({"name", value_text(field->name)},
		{"type", value_text(value_type_name(field->type))},
		{"reducer", value_text(graph_reducer_name(field->reducer))},
		{"default", value_ref(field->initial)});
}

/* The graph as JSON, new. */
static struct ss_value *graph_value(const struct graph *graph)
{
	static const char *const durabilities[] = {[GRAPH_DURABLE_NONE] = "none",
		[GRAPH_DURABLE_TURN] = "turn",
		[GRAPH_DURABLE_NODE] = "node"};
	struct ss_value **nodes = memory_array(graph->node_count, sizeof(struct ss_value *));
	struct ss_value **edges = memory_array(graph->edge_count, sizeof(struct ss_value *));
	struct ss_value **fields = memory_array(graph->field_count, sizeof(struct ss_value *));
	for (size_t i = 0; i < graph->node_count; i++)
		nodes[i] = node_value(&graph->nodes[i]);
	for (size_t i = 0; i < graph->edge_count; i++)
		edges[i] = edge_value(graph, &graph->edges[i]);
	for (size_t i = 0; i < graph->field_count; i++)
		fields[i] = field_value(&graph->fields[i]);
	struct ss_value *value = value_map_make({"name", value_text(graph->name)},
		{"version", value_text(graph->hash)},
		{"durability", value_text(durabilities[graph->durability])},
		{"state", value_list(fields, graph->field_count)},
		{"nodes", value_list(nodes, graph->node_count)},
		{"edges", value_list(edges, graph->edge_count)});
	free(fields);
	free(edges);
	free(nodes);
	return value;
}

void api_workflow(struct http_request *request)
{
	const struct api *api = http_request_context(request);
	const struct graph *graph = support_graph(api->support);
	const struct form *form = find_form(request);
	http_reply_vary(request, "Accept");
	if (form == NULL) {
		struct ss_value *value = graph_value(graph);
		http_reply_json(request, 200, value);
		value_unref(value);
		return;
	}
	struct buffer drawing = {0};
	graph_draw(graph, form->format, &drawing);
	char *type = memory_format("%s%s", form->type, form->charset);
	http_reply_text(
		request, 200, type, (struct ss_text){buffer_text(&drawing), drawing.length});
	free(type);
	buffer_free(&drawing);
}
