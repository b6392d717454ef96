/* The prompts that agents' options name. */
#include "loading.h"

#include "base/memory.h"
#include "support/scratch.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define TWO_PUPPETS                                                                                \
	"version: 1\n"                                                                             \
	"name: test\n"                                                                             \
	"state: {message: {type: string}, f0: {type: int}, spare: {type: string}}\n"               \
	"nodes:\n"                                                                                 \
	"  a: {agent: puppet_0, options: {prompt: ../prompts/p.md}}\n"                             \
	"  b: {agent: puppet_1, options: {prompt: ../prompts/p.md}}\n"                             \
	"edges: [{from: START, to: a}, {from: a, to: b}, {from: b, to: END}]\n"

static char *folder;
static struct plugins *plugins;

static void begin(void)
{
	static const char *const names[] = {
		"one", "one/w", "one/prompts", "other", "other/w", "other/prompts"};
	folder = scratch_new();
	for (size_t i = 0; i < array_length(names); i++) {
		char *path = scratch_path(folder, names[i]);
		cr_assert_eq(mkdir(path, 0755), 0);
		free(path);
	}
	plugins = fixtures();
}

static void end(void)
{
	plugins_free(plugins);
	scratch_remove(folder);
}

TestSuite(prompts, .init = begin, .fini = end);

/* A folder of this NAME with the workflow w/w.yaml and, unless it is NULL, prompts/p.md; returns the workflow's path. */
static char *install(const char *name, const char *workflow, const char *prompt)
{
	char file[80];
	(void)snprintf(file, sizeof file, "%s/prompts/p.md", name);
	if (prompt != NULL)
		free(scratch_file(folder, file, prompt, strlen(prompt)));
	(void)snprintf(file, sizeof file, "%s/w/w.yaml", name);
	return scratch_file(folder, file, workflow, strlen(workflow));
}

/* What is said about the workflow and its PROMPT, without the scratch folder; the caller frees it. */
static char *said_about(const char *workflow, const char *prompt)
{
	struct diagnostics diagnostics = {0};
	char *said = NULL;
	size_t size = 0;
	char *path = install("one", workflow, prompt);
	struct graph *graph = graph_load(path, plugins, inputs, &diagnostics);
	cr_expect_eq(graph == NULL, diagnostics.count > 0);
	graph_free(graph);
	FILE *stream = open_memstream(&said, &size);
	diagnostics_print(&diagnostics, stream);
	(void)fclose(stream);
	diagnostics_free(&diagnostics);
	free(path);
	return said;
}

static void says(const char *workflow, const char *prompt, const char *expected)
{
	char *said = said_about(workflow, prompt);
	cr_expect_not_null(strstr(said, expected), "expected %s\nin\n%s", expected, said);
	free(said);
}

static struct graph *load(const char *path)
{
	struct diagnostics diagnostics = {0};
	struct graph *graph = graph_load(path, plugins, inputs, &diagnostics);
	cr_assert_not_null(graph, "%s", diagnostics.count > 0 ? diagnostics.items[0].text : "");
	diagnostics_free(&diagnostics);
	return graph;
}

Test(prompts, are_read_with_the_workflow)
{
	char *path = install("one", TWO_PUPPETS, "Answer {{message}}.");
	struct graph *graph = load(path);
	cr_assert_eq(graph->nodes[0].prompt_count, 1);
	cr_expect_eq(graph->nodes[0].prompts[0].option, 2);
	graph_free(graph);
	free(path);
}

Test(prompts, that_are_not_given_are_not_there)
{
	struct graph *graph = loads(STATE "nodes: {a: {agent: puppet_0}}\n"
					  "edges: [{from: START, to: a}, {from: a, to: END}]\n");
	cr_expect_eq(graph->nodes[0].prompt_count, 0);
	graph_free(graph);
}

Test(prompts, are_checked_against_the_state_with_their_own_places)
{
	says(TWO_PUPPETS, "Answer\n{{mesage}}.",
		"prompts/p.md:2:1: the state has no field \"mesage\" (did you mean \"message\"?)");
	says(TWO_PUPPETS, "{{#message}}", "prompts/p.md:1:1: unclosed section \"message\"");
	says(TWO_PUPPETS, "Answer {{spare}}.",
		"prompts/p.md:1:8: the prompt reads spare, which nothing writes");
	says(TWO_PUPPETS, "\xff", "prompts/p.md: it is no text in UTF-8");
}

Test(prompts, that_cannot_be_read_are_a_mistake_where_they_are_named)
{
	says(TWO_PUPPETS, NULL, "w/w.yaml:5:42: ");
	says(TWO_PUPPETS, NULL, "/prompts/p.md: cannot be opened: No such file or directory");
}

Test(prompts, are_part_of_what_a_workflow_is)
{
	char *path = install("one", TWO_PUPPETS, "Answer {{message}}.");
	char *other = install("other", TWO_PUPPETS, "Answer {{message}}.");
	struct graph *graph = load(path);
	struct graph *same = load(other);
	cr_expect_str_eq(graph->hash, same->hash, "the hash depends on where the files are");
	graph_free(same);
	free(other);
	other = install("other", TWO_PUPPETS, "Answer {{message}} now.");
	same = load(other);
	cr_expect_str_neq(graph->hash, same->hash, "the hash does not depend on the prompt");
	graph_free(same);
	graph_free(graph);
	free(other);
	free(path);
}

Test(prompts, stay_as_they_were_when_a_stored_workflow_is_made_again)
{
	struct diagnostics diagnostics = {0};
	char *path = install("one", TWO_PUPPETS, "Answer {{message}}.");
	struct graph *graph = load(path);
	free(path);
	path = install("one", TWO_PUPPETS, "{{wrong}}");
	struct graph *restored = graph_restore(graph->source, plugins, inputs, &diagnostics);
	cr_assert_not_null(restored, "%s", diagnostics.count > 0 ? diagnostics.items[0].text : "");
	cr_expect_str_eq(restored->hash, graph->hash);
	cr_expect_eq(restored->nodes[1].prompt_count, 1);
	graph_free(restored);
	graph_free(graph);
	free(path);
}

/* Workflows that were stored before had absolute paths for what is outside of their folder. */
Test(prompts, are_found_where_older_workflows_have_them)
{
	struct diagnostics diagnostics = {0};
	char *path = install("one", TWO_PUPPETS, NULL);
	char *prompt = memory_format("%s/one/w/../prompts/p.md", folder);
	char *base = memory_format("%s/one/w/", folder);
	struct ss_value *stored =
		value_map_make({"file", value_text("w.yaml")}, {"folder", value_text(base)},
			{"texts", value_map_make({"w.yaml", value_text(TWO_PUPPETS)},
					  {prompt, value_text("{{message}}")})});
	struct graph *restored = graph_restore(stored, plugins, inputs, &diagnostics);
	cr_expect_not_null(restored, "%s", diagnostics.count > 0 ? diagnostics.items[0].text : "");
	graph_free(restored);
	diagnostics_free(&diagnostics);
	value_unref(stored);
	free(prompt);
	free(base);
	free(path);
}
