#include "loading.h"

#include "base/memory.h"
#include "support/kept.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const inputs[] = {"message", "count", NULL};

struct plugins *fixtures(void)
{
	const char *const folders[] = {SS_BUILD_DIR "/tests/plugins", SS_BUILD_DIR "/plugins"};
	return plugins_new(folders, 2, NULL);
}

/* What is said about TEXT, sorted, one line a mistake; the caller frees it. NULL and *GRAPH when it loads. */
char *load_workflow(const char *text, size_t length, struct graph **graph)
{
	struct diagnostics diagnostics = {0};
	struct plugins *plugins = fixtures();
	char *said = NULL;
	size_t size = 0;
	*graph = graph_parse("w.yaml", text, length, plugins, inputs, &diagnostics);
	cr_assert_eq(*graph == NULL, diagnostics.count > 0);
	FILE *stream = open_memstream(&said, &size);
	diagnostics_print(&diagnostics, stream);
	(void)fclose(stream);
	diagnostics_free(&diagnostics);
	plugins_free(plugins);
	if (*graph == NULL)
		return said;
	free(said);
	return NULL;
}

struct graph *loads(const char *text)
{
	struct graph *graph;
	char *said = load_workflow(text, strlen(text), &graph);
	cr_assert_not_null(graph, "%s", said);
	kept_workflow(text);
	return graph;
}

/* TEXT gives exactly COUNT mistakes, and the lines (char *) are what they begin with, in this order. */
void refused(const char *text, int count, ...)
{
	va_list lines;
	struct graph *graph;
	char *said = load_workflow(text, strlen(text), &graph);
	cr_expect_null(graph, "accepted:\n%s", text);
	graph_free(graph);
	if (said == NULL)
		return;
	const char *at = said;
	va_start(lines, count);
	for (int i = 0; i < count; i++) {
		const char *line = va_arg(lines, const char *);
		cr_expect(strncmp(at, line, strlen(line)) == 0, "expected %s\nin\n%s", line, said);
		at = strchr(at, '\n') != NULL ? strchr(at, '\n') + 1 : "";
	}
	va_end(lines);
	cr_expect_str_eq(at, "", "more than %d mistakes:\n%s", count, said);
	free(said);
}
