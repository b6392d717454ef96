/* The `nodes` section of a workflow: which agent a node runs, with which options. */
#include "base/memory.h"
#include "base/text.h"
#include "config/options.h"
#include "graph/load.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

enum { NODE_AGENT, NODE_TIMEOUT, NODE_ROWS };

static const struct ss_option node_rows[] = {
	[NODE_AGENT] = {"agent", SS_OPTION_STRING, NULL, 0, 0, NULL, "the agent that it runs"},
	[NODE_TIMEOUT] = {"timeout", SS_OPTION_DURATION, "0s", 0, 86400, NULL,
		"how long a run may take; 0s for as long as the turn"},
	[NODE_ROWS] = {0},
};

static const char *const node_sections[] = {"options", "on_error", NULL};
static const struct ss_option no_rows[] = {{0}};
static const char *const fallback_sections[] = {"set", NULL};

static const char *field_hint(const struct graph *graph, const char *name, char *text, size_t size)
{
	const char *names[GRAPH_FIELDS_LIMIT];
	for (size_t i = 0; i < graph->field_count; i++)
		names[i] = graph->fields[i].name;
	return diagnostics_hint(name, names, graph->field_count, text, size);
}

/* Finds the slots of the agent's fields and checks that the types agree. */
static void bind_fields(
	struct graph_loader *loader, struct graph_node *node, const struct yaml_node *place)
{
	char hint[120];
	const struct ss_field *rows = node->plugin->fields;
	if (rows == NULL)
		return;
	while (rows[node->field_count].name != NULL)
		node->field_count++;
	node->slots = memory_array(node->field_count, sizeof *node->slots);
	for (size_t i = 0; i < node->field_count; i++) {
		size_t slot = graph_slot(loader->graph, rows[i].name);
		node->slots[i] = slot;
		if (slot == GRAPH_NO_SLOT) {
			if ((rows[i].access & SS_OPTIONAL) == 0 && loader->graph->field_count > 0)
				yaml_mistake(loader->document, place, loader->diagnostics,
					"the agent %s uses the field %s (%s), which the state does "
					"not declare%s; add %s: {type: …} to state",
					node->plugin->name, rows[i].name, rows[i].help,
					field_hint(loader->graph, rows[i].name, hint, sizeof hint),
					rows[i].name);
			continue;
		}
		const struct graph_field *field = &loader->graph->fields[slot];
		/* A field without a type is a mistake that was reported. */
		if (rows[i].type != SS_NULL && field->type != SS_NULL &&
			field->type != rows[i].type)
			yaml_mistake(loader->document, place, loader->diagnostics,
				"the agent %s takes the field %s as %s, and the state declares it "
				"as %s",
				node->plugin->name, rows[i].name, value_type_name(rows[i].type),
				value_type_name(field->type));
	}
}

static void read_fallback(struct graph_loader *loader, struct graph_node *node,
	const struct yaml_node *key, const struct yaml_node *item)
{
	char hint[120];
	size_t slot = graph_slot(loader->graph, key->text);
	if (slot == GRAPH_NO_SLOT) {
		yaml_mistake(loader->document, key, loader->diagnostics,
			"the state has no field \"%.*s\"%s", text_fit(key->text, 60), key->text,
			field_hint(loader->graph, key->text, hint, sizeof hint));
		return;
	}
	struct ss_value *value = graph_read_value(loader, &loader->graph->fields[slot], item);
	if (value != NULL)
		node->fallbacks[node->fallback_count++] =
			(struct graph_fallback){.slot = slot, .value = value};
}

static void read_on_error(
	struct graph_loader *loader, struct graph_node *node, const struct yaml_node *on_error)
{
	if (on_error == NULL)
		return;
	if (options_read(loader->document, on_error, on_error, no_rows, fallback_sections,
		    "on_error", NULL, loader->diagnostics) < 0)
		return;
	const struct yaml_node *set = yaml_get(on_error, "set");
	if (set == NULL || set->kind != YAML_MAPPING) {
		yaml_mistake(loader->document, on_error, loader->diagnostics,
			"on_error needs set, the fields that are written instead, as in "
			"{set: {category: General}}");
		return;
	}
	node->has_fallback = true;
	node->fallbacks = memory_array(set->count, sizeof(struct graph_fallback));
	for (size_t i = 0; i < set->count; i++)
		read_fallback(loader, node, set->keys[i], set->items[i]);
}

static void read_agent(struct graph_loader *loader, struct graph_node *node,
	const struct yaml_node *yaml, const char *agent)
{
	char what[120];
	struct ss_error err = {0};
	const struct yaml_node *named = yaml_get(yaml, "agent");
	node->plugin = plugins_get(loader->plugins, SS_AGENT, agent, &err);
	if (node->plugin == NULL) {
		yaml_mistake(loader->document, named, loader->diagnostics, "%s", err.text);
		return;
	}
	bind_fields(loader, node, named);
	node->option_count = options_count(node->plugin->options);
	node->options = memory_array(node->option_count, sizeof(struct ss_value *));
	(void)snprintf(what, sizeof what, "the agent %s", node->plugin->name);
	(void)options_read(loader->document, yaml_get(yaml, "options"), yaml, node->plugin->options,
		NULL, what, node->options, loader->diagnostics);
}

static void read_node(
	struct graph_loader *loader, const struct yaml_node *key, const struct yaml_node *yaml)
{
	char what[120];
	struct ss_value *options[NODE_ROWS] = {0};
	struct graph_node *node = &loader->graph->nodes[loader->graph->node_count++];
	(void)snprintf(what, sizeof what, "the node %s", key->text);
	node->name = memory_string(key->text);
	node->line = key->line;
	node->column = key->column;
	int read = options_read(loader->document, yaml, key, node_rows, node_sections, what,
		options, loader->diagnostics);
	node->timeout_ns = (int64_t)(value_as_number(options[NODE_TIMEOUT]) * 1e9);
	if (read == 0)
		read_agent(loader, node, yaml, value_as_string(options[NODE_AGENT], NULL));
	read_on_error(loader, node, yaml_get(yaml, "on_error"));
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
