/* Which fields the nodes of a workflow read and write. */
#include "base/memory.h"
#include "base/text.h"
#include "graph/load.h"

#include <stdlib.h>
#include <string.h>

#define WAY_OUT "; let a node write it, or give it when a turn begins"

static bool assigns(const struct graph_assignment *assignments, size_t count, size_t slot)
{
	for (size_t i = 0; i < count; i++) {
		if (assignments[i].slot == slot)
			return true;
	}
	return false;
}

bool graph_runs_write(const struct graph_node *node, size_t slot)
{
	for (size_t i = 0; i < node->field_count; i++) {
		if (node->slots[i] == slot && (node->plugin->fields[i].access & SS_WRITES) != 0)
			return true;
	}
	return assigns(node->assignments, node->assignment_count, slot) ||
	       assigns(node->outputs, node->output_count, slot);
}

bool graph_writes(const struct graph_node *node, size_t slot)
{
	for (size_t i = 0; i < node->fallback_count; i++) {
		if (node->fallbacks[i].slot == slot)
			return true;
	}
	return node->error_slot == slot || node->interrupt.answer == slot ||
	       graph_runs_write(node, slot);
}

static bool is_input(const struct graph_loader *loader, const char *name)
{
	if (loader->inputs == NULL)
		return true;
	for (const char *const *input = loader->inputs; *input != NULL; input++) {
		if (strcmp(*input, name) == 0)
			return true;
	}
	return false;
}

/* Whether anything gives the field SLOT a value. The field in which the copies of a node see their items is
 * given one as well, though only to them. */
static bool is_given(const struct graph_loader *loader, size_t slot)
{
	const struct graph *graph = loader->graph;
	bool given = is_input(loader, graph->fields[slot].name);
	for (size_t i = 0; !given && i < graph->node_count; i++) {
		const struct graph_node *node = &graph->nodes[i];
		given = graph_writes(node, slot) ||
			(node->send.over.expr != NULL && node->send.slot == slot);
	}
	return given;
}

struct reader {
	struct graph_loader *loader;
	const bool *given; /* for each field */
};

static void check_expr(const struct reader *reader, const char *text, const struct expr *expr,
	size_t line, size_t column, const char *what)
{
	size_t count = 0;
	const struct graph *graph = reader->loader->graph;
	const size_t *reads = expr != NULL ? expr_reads(expr, &count) : NULL;
	for (size_t i = 0; i < count; i++) {
		if (!reader->given[reads[i]])
			diagnostics_add(reader->loader->diagnostics, graph->file, line, column,
				"the %s \"%.*s\" reads %s, which nothing writes" WAY_OUT, what,
				text_fit(text, 120), text, graph->fields[reads[i]].name);
	}
}

static void check_one(const struct reader *reader, const struct graph_expr *expr)
{
	check_expr(reader, expr->text, expr->expr, expr->line, expr->column, "expression");
}

static void check_slots(const struct reader *reader, const struct graph_node *node,
	const size_t *slots, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!reader->given[slots[i]])
			diagnostics_add(reader->loader->diagnostics, reader->loader->graph->file,
				node->line, node->column,
				"the node %s reads the field %s, which nothing writes" WAY_OUT,
				node->name, reader->loader->graph->fields[slots[i]].name);
	}
}

static void check_prompt(const struct reader *reader, const struct graph_prompt *prompt)
{
	size_t count = 0;
	const struct mustache_read *reads = mustache_reads(prompt->mustache, &count);
	for (size_t i = 0; i < count; i++) {
		if (!reader->given[reads[i].variable])
			diagnostics_add(reader->loader->diagnostics, prompt->file, reads[i].line,
				reads[i].column,
				"the prompt reads %s, which nothing writes" WAY_OUT,
				reader->loader->graph->fields[reads[i].variable].name);
	}
}

static void check_node(const struct reader *reader, const struct graph_node *node)
{
	for (size_t i = 0; i < node->field_count; i++) {
		unsigned access = node->plugin->fields[i].access;
		if (node->slots[i] != GRAPH_NO_SLOT && (access & SS_READS) != 0 &&
			(access & SS_OPTIONAL) == 0)
			check_slots(reader, node, &node->slots[i], 1);
	}
	check_slots(reader, node, node->cache.slots, node->cache.slot_count);
	check_slots(reader, node, node->interrupt.show, node->interrupt.show_count);
	for (size_t i = 0; i < node->assignment_count; i++)
		check_one(reader, &node->assignments[i].expr);
	for (size_t i = 0; i < node->evaluation_count; i++)
		check_one(reader, &node->evaluations[i].expr);
	for (size_t i = 0; i < node->prompt_count; i++)
		check_prompt(reader, &node->prompts[i]);
	for (size_t i = 0; i < node->input_count; i++)
		check_one(reader, &node->inputs[i].expr);
	check_one(reader, &node->send.over);
}

void graph_check_fields(struct graph_loader *loader)
{
	const struct graph *graph = loader->graph;
	bool *given = memory_array(graph->field_count, sizeof *given);
	const struct reader reader = {loader, given};
	for (size_t i = 0; i < graph->field_count; i++)
		given[i] = is_given(loader, i);
	for (size_t i = 0; i < graph->node_count; i++)
		check_node(&reader, &graph->nodes[i]);
	for (size_t i = 0; i < graph->edge_count; i++) {
		for (size_t j = 0; j < graph->edges[i].choice_count; j++) {
			const struct graph_choice *choice = &graph->edges[i].choices[j];
			check_expr(&reader, choice->text, choice->when, choice->line,
				choice->column, "condition");
		}
	}
	free(given);
}
