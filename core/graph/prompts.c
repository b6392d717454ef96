/* The prompts that agents' options name: read with the workflow, since a turn that waits goes on with those that it
 * began with. */
#include "base/memory.h"
#include "base/text.h"
#include "graph/load.h"

#include <string.h>

/* A mistake in the options is told there, one in the prompt at its place in the prompt. */
static struct mustache *read_prompt(
	struct graph_loader *loader, const char *file, const struct yaml_node *given)
{
	struct expr_variable variables[GRAPH_FIELDS_LIMIT];
	const struct graph *graph = loader->graph;
	struct diagnostics unreadable = {0};
	const struct ss_value *value =
		graph_source_text(loader->source, file, MUSTACHE_FILE_LIMIT, &unreadable);
	if (value == NULL && given != NULL)
		yaml_mistake(loader->document, given, loader->diagnostics, "%s: %s", file,
			unreadable.items[0].text);
	else if (value == NULL)
		diagnostics_add(loader->diagnostics, file, 0, 0, "%s", unreadable.items[0].text);
	diagnostics_free(&unreadable);
	/* Without a state, which was reported, no prompt is right. */
	if (value == NULL || graph->field_count == 0)
		return NULL;
	struct ss_text text = value_as_text(value);
	if (text_characters(text) < 0 || memchr(text.data, '\0', text.length) != NULL) {
		diagnostics_add(loader->diagnostics, file, 0, 0, "it is no text in UTF-8");
		return NULL;
	}
	for (size_t i = 0; i < graph->field_count; i++)
		variables[i] = (struct expr_variable){
			.name = graph->fields[i].name, .type = graph->fields[i].type};
	return mustache_parse(
		file, text.data, text.length, variables, graph->field_count, loader->diagnostics);
}

void graph_read_prompts(
	struct graph_loader *loader, struct graph_node *node, const struct yaml_node *options)
{
	const struct ss_option *rows = node->plugin->options;
	for (size_t i = 0; i < node->option_count; i++) {
		const char *file = value_as_string(node->options[i], NULL);
		if (rows[i].type != SS_OPTION_PROMPT || file[0] == '\0')
			continue;
		struct mustache *mustache =
			read_prompt(loader, file, yaml_get(options, rows[i].name));
		if (mustache == NULL)
			continue;
		node->prompts =
			memory_resize(node->prompts, node->prompt_count + 1, sizeof *node->prompts);
		node->prompts[node->prompt_count++] =
			(struct graph_prompt){i, memory_string(file), mustache};
	}
}
