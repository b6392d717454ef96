#include "graph/graph.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "config/options.h"
#include "graph/load.h"
#include "value/value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	FILE_VERSION,
	FILE_NAME,
	FILE_MAX_STEPS,
	FILE_MAX_PARALLEL,
	FILE_MAX_STATE,
	FILE_TIMEOUT,
	FILE_DURABILITY,
	FILE_ROWS
};

static const struct ss_option file_rows[] = {
	[FILE_VERSION] = {"version", SS_OPTION_INT, NULL, 1, 1, NULL,
		"the version of the format, which is 1"},
	[FILE_NAME] = {"name", SS_OPTION_STRING, NULL, 0, 0, NULL, "the workflow's name"},
	[FILE_MAX_STEPS] = {"max_steps", SS_OPTION_INT, "100", 1, 1000000, NULL,
		"how many nodes may run in one turn"},
	[FILE_MAX_PARALLEL] = {"max_parallel", SS_OPTION_INT, "64", 1, 100000, NULL,
		"how many nodes of a turn may run at once"},
	[FILE_MAX_STATE] = {"max_state_kib", SS_OPTION_INT, "4096", 1, 1048576, NULL,
		"how much memory the values of the state may take, in KiB"},
	[FILE_TIMEOUT] = {"timeout", SS_OPTION_DURATION, "30s", 0.001, 86400, NULL,
		"how long a turn may take"},
	[FILE_DURABILITY] = {"durability", SS_OPTION_CHOICE, "none", 0, 0, "none turn node",
		"when what happens in a turn is written to its journal: never, when the turn is "
		"over or waits, or when a node has finished"},
	[FILE_ROWS] = {0},
};

static const char *const file_sections[] = {"state", "nodes", "edges", NULL};

const struct graph_section graph_file_section = {file_rows, file_sections};

static enum graph_durability read_durability(const char *name)
{
	if (strcmp(name, "node") == 0)
		return GRAPH_DURABLE_NODE;
	return strcmp(name, "turn") == 0 ? GRAPH_DURABLE_TURN : GRAPH_DURABLE_NONE;
}

static void read_sections(struct graph_loader *loader, const struct yaml_node *state,
	const struct yaml_node *nodes, const struct yaml_node *edges)
{
	const size_t *mistakes = &loader->diagnostics->count;
	size_t before = *mistakes;
	graph_read_state(loader, state);
	loader->state_is_right = *mistakes == before;
	before = *mistakes;
	graph_read_nodes(loader, nodes);
	loader->nodes_are_right = *mistakes == before;
	before = *mistakes;
	graph_read_edges(loader, nodes, edges);
	/* Where there are no nodes, nothing was read of the edges. */
	loader->edges_are_right =
		*mistakes - before == loader->condition_mistakes && loader->graph->node_count > 0;
}

static void read_file(struct graph_loader *loader, const struct yaml_node *root)
{
	struct ss_value *values[FILE_ROWS] = {0};
	struct graph *graph = loader->graph;
	(void)options_read(loader->document, root, root, file_rows, file_sections, "the workflow",
		values, loader->diagnostics);
	graph->name = memory_string(value_as_string(values[FILE_NAME], NULL));
	graph->max_steps = value_as_int(values[FILE_MAX_STEPS]);
	graph->max_parallel = value_as_int(values[FILE_MAX_PARALLEL]);
	graph->max_state = value_as_int(values[FILE_MAX_STATE]) * 1024;
	graph->timeout_ns = (int64_t)(value_as_number(values[FILE_TIMEOUT]) * 1e9);
	graph->durability = read_durability(value_as_string(values[FILE_DURABILITY], NULL));
	options_free(values, FILE_ROWS);
	read_sections(
		loader, yaml_get(root, "state"), yaml_get(root, "nodes"), yaml_get(root, "edges"));
}

static struct graph *read_document(const struct yaml_document *document,
	const struct graph_loader *settings, const char *const *inputs)
{
	size_t mistakes = settings->diagnostics->count;
	struct graph *graph = memory_make(struct graph);
	struct graph_loader loader = *settings;
	loader.document = document;
	loader.graph = graph;
	loader.inputs = inputs;
	loader.condition_mistakes = 0;
	graph->file = memory_string(document->file);
	if (document->root == NULL || document->root->kind != YAML_MAPPING) {
		yaml_mistake(document, document->root, loader.diagnostics,
			"a workflow is a mapping with version, name, state, nodes and edges");
	} else {
		read_file(&loader, document->root);
		/* With more mistakes than are kept it is not known where they are. */
		if (loader.diagnostics->count <= DIAGNOSTICS_LIMIT)
			graph_validate(&loader);
	}
	if (loader.diagnostics->count > mistakes) {
		graph_free(graph);
		return NULL;
	}
	return graph;
}

struct graph *graph_load_inner(
	const struct graph_loader *outer, const char *file, const char *const *inputs)
{
	struct graph_loader settings = *outer;
	struct yaml_document *document = graph_source_read(outer->source, file, outer->diagnostics);
	settings.outer = outer;
	struct graph *graph = document != NULL ? read_document(document, &settings, inputs) : NULL;
	yaml_close(document);
	return graph;
}

/* Makes the outermost graph from DOCUMENT (taken, or NULL) and SOURCE, whose texts it gets. */
static struct graph *make(struct graph_source *source, struct yaml_document *document,
	struct plugins *plugins, const char *const *inputs, struct diagnostics *diagnostics)
{
	const struct graph_loader settings = {
		.plugins = plugins, .diagnostics = diagnostics, .source = source};
	struct graph *graph = document != NULL ? read_document(document, &settings, inputs) : NULL;
	if (graph != NULL)
		graph_source_finish(source, graph);
	graph_source_free(source);
	yaml_close(document);
	return graph;
}

struct graph *graph_load(const char *file, struct plugins *plugins, const char *const *inputs,
	struct diagnostics *diagnostics)
{
	struct graph_source source = {.file = file_absolute(file)};
	struct yaml_document *document = graph_source_read(&source, file, diagnostics);
	return make(&source, document, plugins, inputs, diagnostics);
}

struct graph *graph_parse(const char *file, const char *text, size_t length,
	struct plugins *plugins, const char *const *inputs, struct diagnostics *diagnostics)
{
	struct graph_source source = {.file = file_absolute(file)};
	struct yaml_document *document =
		graph_source_take(&source, file, text, length, diagnostics);
	return make(&source, document, plugins, inputs, diagnostics);
}

struct graph *graph_restore(const struct ss_value *stored, struct plugins *plugins,
	const char *const *inputs, struct diagnostics *diagnostics)
{
	struct graph_source source = {.stored = stored,
		.file = memory_format("%s%s", value_as_string(value_get(stored, "folder"), NULL),
			value_as_string(value_get(stored, "file"), NULL))};
	struct yaml_document *document = graph_source_read(&source, source.file, diagnostics);
	return make(&source, document, plugins, inputs, diagnostics);
}

static void free_expr(struct graph_expr *expr)
{
	free(expr->text);
	expr_free(expr->expr);
}

static void free_assignments(struct graph_assignment *assignments, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free_expr(&assignments[i].expr);
	free(assignments);
}

static void free_node(struct graph_node *node)
{
	options_free(node->options, node->option_count);
	for (size_t i = 0; i < node->fallback_count; i++)
		value_unref(node->fallbacks[i].value);
	for (size_t i = 0; i < node->evaluation_count; i++)
		free_expr(&node->evaluations[i].expr);
	for (size_t i = 0; i < node->prompt_count; i++) {
		mustache_free(node->prompts[i].mustache);
		free(node->prompts[i].file);
	}
	free_assignments(node->assignments, node->assignment_count);
	free_assignments(node->inputs, node->input_count);
	free_assignments(node->outputs, node->output_count);
	free_expr(&node->send.over);
	graph_free(node->workflow);
	free(node->evaluations);
	free(node->prompts);
	free(node->cache.slots);
	free(node->interrupt.show);
	free(node->name);
	free(node->options);
	free(node->slots);
	free(node->fallbacks);
	free(node->out);
}

static void free_edge(struct graph_edge *edge)
{
	for (size_t i = 0; i < edge->choice_count; i++) {
		free(edge->choices[i].text);
		expr_free(edge->choices[i].when);
	}
	free(edge->choices);
	free(edge->from);
}

void graph_free(struct graph *graph)
{
	if (graph == NULL)
		return;
	for (size_t i = 0; i < graph->field_count; i++) {
		free(graph->fields[i].name);
		free(graph->fields[i].key);
		value_unref(graph->fields[i].values);
		value_unref(graph->fields[i].initial);
	}
	for (size_t i = 0; i < graph->node_count; i++)
		free_node(&graph->nodes[i]);
	for (size_t i = 0; i < graph->edge_count; i++)
		free_edge(&graph->edges[i]);
	free(graph->fields);
	free(graph->nodes);
	free(graph->edges);
	free(graph->start);
	free(graph->reach);
	value_unref(graph->source);
	free(graph->source_text);
	free(graph->name);
	free(graph->file);
	free(graph);
}

unsigned graph_services(const struct graph *graph)
{
	unsigned services = 0;
	for (size_t i = 0; i < graph->node_count; i++) {
		const struct graph_node *node = &graph->nodes[i];
		services |= node->workflow != NULL ? graph_services(node->workflow)
						   : node->plugin->services;
	}
	return services;
}

const struct ss_value *graph_option(const struct graph_node *node, const char *name)
{
	for (size_t i = 0; i < node->option_count; i++) {
		if (strcmp(node->plugin->options[i].name, name) == 0)
			return node->options[i];
	}
	return NULL;
}

size_t graph_slot(const struct graph *graph, const char *name)
{
	for (size_t i = 0; i < graph->field_count; i++) {
		if (strcmp(graph->fields[i].name, name) == 0)
			return i;
	}
	return GRAPH_NO_SLOT;
}

size_t graph_find_node(const struct graph *graph, const char *name)
{
	if (strcmp(name, "START") == 0)
		return GRAPH_START;
	if (strcmp(name, "END") == 0)
		return GRAPH_END;
	for (size_t i = 0; i < graph->node_count; i++) {
		if (strcmp(graph->nodes[i].name, name) == 0)
			return i;
	}
	return GRAPH_NO_SLOT;
}

const char *graph_node_name(const struct graph *graph, size_t node)
{
	if (node == GRAPH_START)
		return "START";
	return node == GRAPH_END ? "END" : graph->nodes[node].name;
}

static bool is_enum_value(const struct graph_field *field, const struct ss_value *value)
{
	for (size_t i = 0; i < value_count(field->values); i++) {
		if (value_equal(value_at(field->values, i), value))
			return true;
	}
	return false;
}

static int check_type(const struct graph_field *field, enum ss_type type, struct ss_error *err)
{
	bool widened = field->type == SS_NUMBER && type == SS_INT;
	if (type == field->type || field->type == SS_NULL || widened)
		return 0;
	return ss_fail_as(err, SS_INVALID, "the field %s takes a value of the type %s, not %s",
		field->name, value_type_name(field->type), value_type_name(type));
}

static int check_number(
	const struct graph_field *field, const struct ss_value *value, struct ss_error *err)
{
	double number = value_as_number(value);
	if (!isfinite(number))
		return ss_fail_as(err, SS_INVALID, "the field %s takes a finite number, not %g",
			field->name, number);
	if (!field->has_range || (number >= field->min && number <= field->max))
		return 0;
	if (!isfinite(field->max))
		return ss_fail_as(err, SS_INVALID, "the field %s is at least %g, not %g",
			field->name, field->min, number);
	if (!isfinite(field->min))
		return ss_fail_as(err, SS_INVALID, "the field %s is at most %g, not %g",
			field->name, field->max, number);
	return ss_fail_as(err, SS_INVALID, "the field %s is from %g to %g, not %g", field->name,
		field->min, field->max, number);
}

/* The items of a list that is merged by a key. */
static int check_items(
	const struct graph_field *field, const struct ss_value *value, struct ss_error *err)
{
	for (size_t i = 0; i < value_count(value); i++) {
		if (value_get(value_at(value, i), field->key) == NULL)
			return ss_fail_as(err, SS_INVALID,
				"the field %s is merged by \"%s\"; its item %zu is no map with "
				"that key",
				field->name, field->key, i);
	}
	return 0;
}

static int check_value(
	const struct graph_field *field, const struct ss_value *value, struct ss_error *err)
{
	const char *text = value_as_string(value, NULL);
	if (check_type(field, value_type(value), err) < 0)
		return -1;
	if (field->values != NULL && !is_enum_value(field, value))
		return ss_fail_as(err, SS_INVALID, "\"%.*s\" is no value of the field %s",
			text_fit(text, 60), text, field->name);
	if (field->key != NULL)
		return check_items(field, value, err);
	if (field->type == SS_INT || field->type == SS_NUMBER)
		return check_number(field, value, err);
	return 0;
}

struct ss_value *graph_fit_value(
	const struct graph_field *field, struct ss_value *value, struct ss_error *err)
{
	if (check_value(field, value, err) < 0) {
		value_unref(value);
		return NULL;
	}
	if (field->type != SS_NUMBER || value_type(value) != SS_INT)
		return value;
	struct ss_value *number = value_number(value_as_number(value));
	value_unref(value);
	return number;
}
