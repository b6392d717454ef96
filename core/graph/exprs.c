/* Expressions in a workflow, and the names of fields. */
#include "base/memory.h"
#include "base/text.h"
#include "config/options.h"
#include "graph/load.h"

#include <stdlib.h>

/* Reports what is wrong in NODE: at its place in the file if the expression stands there as it is, else at
 * the expression's beginning. */
static void report(struct graph_loader *loader, const struct yaml_node *node, const char *what,
	const struct expr_error *error)
{
	const struct ss_text before = {node->text, error->offset};
	size_t characters = (size_t)text_characters(before);
	int shown = text_fit(node->text, 200);
	if (node->verbatim)
		diagnostics_add(loader->diagnostics, loader->document->file, node->line,
			node->column + (node->quoted ? 1 : 0) + characters,
			"the %s \"%.*s\" is wrong: %s", what, shown, node->text, error->text);
	else
		yaml_mistake(loader->document, node, loader->diagnostics,
			"the %s \"%.*s\" is wrong at its character %zu: %s", what, shown,
			node->text, characters + 1, error->text);
}

bool graph_read_expr(struct graph_loader *loader, const struct graph *graph,
	const struct yaml_node *node, enum ss_type result, const char *what,
	struct graph_expr *expr)
{
	struct expr_variable variables[GRAPH_FIELDS_LIMIT];
	struct expr_error error = {0};
	if (node->kind != YAML_SCALAR) {
		yaml_mistake(loader->document, node, loader->diagnostics, "a %s is a text, not %s",
			what, yaml_kind_name(node));
		return false;
	}
	for (size_t i = 0; i < graph->field_count; i++)
		variables[i] = (struct expr_variable){.name = graph->fields[i].name,
			.type = graph->fields[i].type,
			.values = graph->fields[i].values};
	struct expr *compiled =
		expr_compile(node->text, variables, graph->field_count, result, &error);
	if (compiled == NULL) {
		/* Without a state, which was reported, no expression is right. */
		if (graph->field_count > 0)
			report(loader, node, what, &error);
		return false;
	}
	*expr = (struct graph_expr){memory_string(node->text), compiled, node->line, node->column};
	return true;
}

size_t graph_read_slot(struct graph_loader *loader, const struct yaml_node *node)
{
	char hint[120];
	const char *names[GRAPH_FIELDS_LIMIT];
	const struct graph *graph = loader->graph;
	if (node->kind != YAML_SCALAR) {
		yaml_mistake(loader->document, node, loader->diagnostics,
			"a field's name is expected here, not %s", yaml_kind_name(node));
		return GRAPH_NO_SLOT;
	}
	size_t slot = graph_slot(graph, node->text);
	if (slot != GRAPH_NO_SLOT)
		return slot;
	for (size_t i = 0; i < graph->field_count; i++)
		names[i] = graph->fields[i].name;
	yaml_mistake(loader->document, node, loader->diagnostics,
		"the state has no field \"%.*s\"%s", text_fit(node->text, 60), node->text,
		diagnostics_hint(node->text, names, graph->field_count, hint, sizeof hint));
	return GRAPH_NO_SLOT;
}
