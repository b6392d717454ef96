/* The `nodes` section of a workflow: which agent or workflow a node runs, with which options and fields. */
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "config/options.h"
#include "graph/load.h"
#include "value/value.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { NODE_AGENT, NODE_WORKFLOW, NODE_TIMEOUT, NODE_DEADLINE, NODE_ROWS };

static const struct ss_option node_rows[] = {
	[NODE_AGENT] = {"agent", SS_OPTION_STRING, "", 0, 0, NULL, "the agent that it runs"},
	[NODE_WORKFLOW] = {"workflow", SS_OPTION_PATH, "", 0, 0, NULL,
		"the file of the workflow that it runs instead"},
	[NODE_TIMEOUT] = {"timeout", SS_OPTION_DURATION, "0s", 0, 86400, NULL,
		"how long an attempt may take; 0s for as long as the turn"},
	[NODE_DEADLINE] = {"deadline", SS_OPTION_DURATION, "0s", 0, 86400, NULL,
		"how long all attempts may take; 0s for as long as the turn"},
	[NODE_ROWS] = {0},
};

static const char *const agent_sections[] = {
	"options", "fields", "goto", "on_error", "retry", "cache", "interrupt", "send", NULL};
static const char *const workflow_sections[] = {
	"input", "output", "on_error", "retry", "cache", "interrupt", "send", NULL};

const struct graph_section graph_agent_section = {node_rows, agent_sections};
const struct graph_section graph_workflow_section = {node_rows, workflow_sections};

/* The field of the state that the agent's field ROW is: what `fields` (or NULL) says, else the one of the
 * same name. *PLACE is where the workflow names it. */
static size_t find_slot(struct graph_loader *loader, const struct ss_field *row,
	const struct yaml_node *fields, const struct yaml_node **place)
{
	const struct yaml_node *given = yaml_get(fields, row->name);
	if (given == NULL)
		return graph_slot(loader->graph, row->name);
	*place = given;
	return yaml_is_null(given) ? GRAPH_NO_SLOT : graph_read_slot(loader, given);
}

static void report_missing(struct graph_loader *loader, const struct graph_node *node,
	const struct ss_field *row, const struct yaml_node *place)
{
	char hint[120];
	const char *names[GRAPH_FIELDS_LIMIT];
	const struct graph *graph = loader->graph;
	for (size_t i = 0; i < graph->field_count; i++)
		names[i] = graph->fields[i].name;
	yaml_mistake(loader->document, place, loader->diagnostics,
		"the agent %s uses the field %s (%s), which the state does not declare%s; add %s: "
		"{type: …} to state",
		node->plugin->name, row->name, row->help,
		diagnostics_hint(row->name, names, graph->field_count, hint, sizeof hint),
		row->name);
}

/* Finds the slots of the agent's fields and checks that the types agree. */
static void bind_fields(struct graph_loader *loader, struct graph_node *node,
	const struct yaml_node *agent, const struct yaml_node *fields)
{
	const struct ss_field *rows = node->plugin->fields;
	if (rows == NULL)
		return;
	while (rows[node->field_count].name != NULL)
		node->field_count++;
	node->slots = memory_array(node->field_count, sizeof *node->slots);
	for (size_t i = 0; i < node->field_count; i++) {
		const struct yaml_node *place = agent;
		size_t slot = find_slot(loader, &rows[i], fields, &place);
		bool reported = place != agent && !yaml_is_null(place);
		node->slots[i] = slot;
		if (slot == GRAPH_NO_SLOT) {
			if ((rows[i].access & SS_OPTIONAL) == 0 && !reported &&
				loader->graph->field_count > 0)
				report_missing(loader, node, &rows[i], place);
			continue;
		}
		const struct graph_field *field = &loader->graph->fields[slot];
		/* A field without a type is a mistake that was reported. */
		if (rows[i].type != SS_NULL && field->type != SS_NULL &&
			field->type != rows[i].type)
			yaml_mistake(loader->document, place, loader->diagnostics,
				"the agent %s takes the field %s as %s, and the state declares %s "
				"as %s",
				node->plugin->name, rows[i].name, value_type_name(rows[i].type),
				place == agent ? "it" : field->name, value_type_name(field->type));
	}
}

/* `fields`: which fields of the state the agent's fields are, where the names differ. */
static const struct yaml_node *check_mapping(
	struct graph_loader *loader, const struct graph_node *node, const struct yaml_node *fields)
{
	char what[120];
	const char *names[GRAPH_FIELDS_LIMIT + 1];
	const struct ss_field *rows = node->plugin->fields;
	size_t count = 0;
	if (fields == NULL || yaml_is_null(fields))
		return NULL;
	for (; rows != NULL && rows[count].name != NULL && count < GRAPH_FIELDS_LIMIT; count++)
		names[count] = rows[count].name;
	names[count] = NULL;
	(void)snprintf(what, sizeof what, "the fields of the agent %s", node->plugin->name);
	(void)options_read(
		loader->document, fields, fields, NULL, names, what, NULL, loader->diagnostics);
	return fields->kind == YAML_MAPPING ? fields : NULL;
}

/* The expressions of MAP, a mapping from fields of TARGETS to expressions over the fields of OVER. */
static void read_assignments(struct graph_loader *loader, const struct graph *targets,
	const struct graph *over, size_t option, const struct yaml_node *map,
	struct graph_assignment **assignments, size_t *count)
{
	if (map == NULL || map->kind != YAML_MAPPING)
		return;
	*assignments = memory_resize(*assignments, *count + map->count, sizeof **assignments);
	for (size_t i = 0; i < map->count; i++) {
		struct graph_loader reader = *loader;
		struct graph_assignment assignment = {.option = option};
		reader.graph = (struct graph *)(uintptr_t)targets; /* only read */
		assignment.slot = graph_read_slot(&reader, map->keys[i]);
		if (assignment.slot == GRAPH_NO_SLOT)
			continue;
		enum ss_type type = targets->fields[assignment.slot].type;
		/* An int will do for a number. */
		if (graph_read_expr(loader, over, map->items[i], type == SS_NUMBER ? SS_NULL : type,
			    "expression", &assignment.expr))
			(*assignments)[(*count)++] = assignment;
	}
}

/* The options that are expressions. */
static void read_expressions(
	struct graph_loader *loader, struct graph_node *node, const struct yaml_node *options)
{
	const struct ss_option *rows = node->plugin->options;
	node->evaluations = memory_array(node->option_count, sizeof(struct graph_evaluation));
	for (size_t i = 0; i < node->option_count; i++) {
		const struct yaml_node *given = yaml_get(options, rows[i].name);
		struct graph_evaluation *next = &node->evaluations[node->evaluation_count];
		if (given == NULL || yaml_is_null(given))
			continue;
		if (rows[i].type == SS_OPTION_ASSIGNMENTS)
			read_assignments(loader, loader->graph, loader->graph, i, given,
				&node->assignments, &node->assignment_count);
		else if (rows[i].type == SS_OPTION_EXPRESSION &&
			 graph_read_expr(loader, loader->graph, given, SS_NULL, "expression",
				 &next->expr)) {
			next->option = i;
			node->evaluation_count++;
		}
	}
}

static void read_agent(
	struct graph_loader *loader, struct graph_node *node, const struct yaml_node *yaml)
{
	char what[120];
	struct ss_error err = {0};
	const struct yaml_node *named = yaml_get(yaml, "agent");
	const struct yaml_node *options = yaml_get(yaml, "options");
	node->plugin = plugins_get(loader->plugins, SS_AGENT, named->text, &err);
	if (node->plugin == NULL) {
		yaml_mistake(loader->document, named, loader->diagnostics, "%s", err.text);
		return;
	}
	bind_fields(loader, node, named, check_mapping(loader, node, yaml_get(yaml, "fields")));
	node->option_count = options_count(node->plugin->options);
	node->options = memory_array(node->option_count, sizeof(struct ss_value *));
	(void)snprintf(what, sizeof what, "the agent %s", node->plugin->name);
	(void)options_read(loader->document, options, yaml, node->plugin->options, NULL, what,
		node->options, loader->diagnostics);
	read_expressions(loader, node, options);
	graph_read_prompts(loader, node, options);
}

/* Whether FILE is being read already, by LOADER or by one that it is read for. */
static bool is_being_read(const struct graph_loader *loader, const char *file)
{
	char path[PATH_MAX], other[PATH_MAX];
	bool exists = realpath(file, path) != NULL;
	for (; loader != NULL; loader = loader->outer) {
		const char *reads = loader->graph->file;
		if (exists && realpath(reads, other) != NULL ? strcmp(path, other) == 0
							     : strcmp(file, reads) == 0)
			return true;
	}
	return false;
}

/* Counts one more workflow, which NAMED names. Whether there may be one; a mistake if not. */
static bool has_room(const struct graph_loader *loader, const struct yaml_node *named)
{
	size_t levels = 1; /* its own */
	size_t count = ++loader->source->workflows;
	for (const struct graph_loader *one = loader; one != NULL; one = one->outer)
		levels++;
	if (levels > GRAPH_LEVELS_LIMIT)
		yaml_mistake(loader->document, named, loader->diagnostics,
			"%s would be on level %zu of workflows that are nodes of others; there are "
			"at most %d",
			named->text, levels, GRAPH_LEVELS_LIMIT);
	else if (count > GRAPH_WORKFLOWS_LIMIT)
		yaml_mistake(loader->document, named, loader->diagnostics,
			"%s would be the workflow number %zu that is a node, counted on all "
			"levels; "
			"there are at most %d",
			named->text, count, GRAPH_WORKFLOWS_LIMIT);
	return levels <= GRAPH_LEVELS_LIMIT && count <= GRAPH_WORKFLOWS_LIMIT;
}

static void read_workflow(struct graph_loader *loader, struct graph_node *node,
	const struct yaml_node *yaml, const char *file)
{
	const struct yaml_node *named = yaml_get(yaml, "workflow");
	const struct yaml_node *input = yaml_get(yaml, "input");
	const struct yaml_node *output = yaml_get(yaml, "output");
	if (is_being_read(loader, file)) {
		yaml_mistake(loader->document, named, loader->diagnostics,
			"%s would run itself; a workflow cannot be a node of its own", named->text);
		return;
	}
	if (!has_room(loader, named))
		return;
	if (output == NULL || output->kind != YAML_MAPPING || output->count == 0) {
		yaml_mistake(loader->document, output != NULL ? output : named, loader->diagnostics,
			"a workflow as a node needs output, the fields that its results are "
			"written "
			"to, as in {answer: reply}");
		return;
	}
	if (input != NULL && input->kind != YAML_MAPPING) {
		yaml_mistake(loader->document, input, loader->diagnostics,
			"input is a mapping from the fields of %s to expressions over the state "
			"here",
			named->text);
		return;
	}
	size_t count = input != NULL ? input->count : 0;
	const char **inputs = memory_array(count + 1, sizeof *inputs);
	for (size_t i = 0; i < count; i++)
		inputs[i] = input->keys[i]->text;
	node->workflow = graph_load_inner(loader, file, inputs);
	free(inputs);
	if (node->workflow == NULL)
		return;
	read_assignments(
		loader, node->workflow, loader->graph, 0, input, &node->inputs, &node->input_count);
	read_assignments(loader, loader->graph, node->workflow, 0, output, &node->outputs,
		&node->output_count);
}

static void read_node(
	struct graph_loader *loader, const struct yaml_node *key, const struct yaml_node *yaml)
{
	char what[120];
	struct ss_value *options[NODE_ROWS] = {0};
	struct graph_node *node = &loader->graph->nodes[loader->graph->node_count++];
	const struct yaml_node *agent = yaml_get(yaml, "agent");
	const struct yaml_node *workflow = yaml_get(yaml, "workflow");
	(void)snprintf(what, sizeof what, "the node %s", key->text);
	node->name = memory_string(key->text);
	node->line = key->line;
	node->column = key->column;
	node->error_slot = node->command = node->failure = GRAPH_NO_SLOT;
	int read = options_read(loader->document, yaml, key, node_rows,
		workflow != NULL ? workflow_sections : agent_sections, what, options,
		loader->diagnostics);
	node->timeout_ns = (int64_t)(value_as_number(options[NODE_TIMEOUT]) * 1e9);
	node->deadline_ns = (int64_t)(value_as_number(options[NODE_DEADLINE]) * 1e9);
	if (yaml->kind == YAML_MAPPING && (agent == NULL) == (workflow == NULL))
		yaml_mistake(loader->document, key, loader->diagnostics,
			"the node %s needs either \"agent\", the agent that it runs, or "
			"\"workflow\", the file of the workflow that it runs",
			key->text);
	else if (read == 0 && agent != NULL)
		read_agent(loader, node, yaml);
	else if (read == 0 && workflow != NULL)
		read_workflow(loader, node, yaml, value_as_string(options[NODE_WORKFLOW], NULL));
	graph_read_behaviour(loader, node, yaml);
	options_free(options, NODE_ROWS);
}

void graph_read_nodes(struct graph_loader *loader, const struct yaml_node *nodes)
{
	if (nodes == NULL || nodes->kind != YAML_MAPPING || nodes->count == 0) {
		yaml_mistake(loader->document, nodes, loader->diagnostics,
			"nodes must be a mapping from node names to {agent: NAME, …}");
		return;
	}
	if (nodes->count > GRAPH_NODES_LIMIT) {
		yaml_mistake(loader->document, nodes, loader->diagnostics,
			"there are %zu nodes; at most %d are allowed", nodes->count,
			GRAPH_NODES_LIMIT);
		return;
	}
	loader->graph->nodes = memory_array(nodes->count, sizeof(struct graph_node));
	for (size_t i = 0; i < nodes->count; i++) {
		const char *name = nodes->keys[i]->text;
		if (strcmp(name, "START") == 0 || strcmp(name, "END") == 0)
			yaml_mistake(loader->document, nodes->keys[i], loader->diagnostics,
				"START and END are where a turn begins and ends; no node has that "
				"name");
		else if (name[0] == '\0' || strlen(name) > GRAPH_NAME_LIMIT)
			yaml_mistake(loader->document, nodes->keys[i], loader->diagnostics,
				"a node's name has from 1 to %d bytes", GRAPH_NAME_LIMIT);
		else
			read_node(loader, nodes->keys[i], nodes->items[i]);
	}
}
