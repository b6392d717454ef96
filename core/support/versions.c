#include "support/versions.h"

#include "base/memory.h"
#include "engine/record.h"
#include "graph/graph.h"

#include <stdlib.h>
#include <string.h>

/* Other workflows at once. */
enum { VERSIONS_LIMIT = 2 };

struct version {
	struct graph *graph; /* NULL: there is none here */
	struct engine *engine;
	struct support *support;
};

struct versions {
	struct engine_options engine;
	struct support_options support;
	struct support *current;
	struct plugins *plugins;
	struct version items[VERSIONS_LIMIT];
};

struct versions *versions_new(const struct versions_options *options)
{
	struct versions *versions = memory_make(struct versions);
	*versions = (struct versions){.engine = *options->engine,
		.support = *options->support,
		.current = options->current,
		.plugins = options->plugins};
	return versions;
}

static void clear(struct version *version)
{
	support_free(version->support);
	engine_free(version->engine);
	graph_free(version->graph);
	*version = (struct version){0};
}

/* The first mistake says enough: the workflow was right where the turn began. */
static int fail(struct version *version, struct diagnostics *diagnostics, struct ss_error *err)
{
	diagnostics_sort(diagnostics);
	const struct diagnostic *first = diagnostics->count > 0 ? &diagnostics->items[0] : NULL;
	(void)ss_fail_as(err, SS_INVALID, "its workflow cannot be made here: %s:%zu:%zu: %s",
		first != NULL ? first->file : "", first != NULL ? first->line : 0,
		first != NULL ? first->column : 0, first != NULL ? first->text : "");
	diagnostics_free(diagnostics);
	clear(version);
	return -1;
}

static int make(struct versions *versions, const struct record *record, struct version *version,
	struct ss_error *err)
{
	struct diagnostics diagnostics = {0};
	struct support_options options = versions->support;
	version->graph = graph_restore(
		record_source(record), versions->plugins, support_inputs, &diagnostics);
	if (version->graph == NULL || support_check(version->graph, &diagnostics) < 0)
		return fail(version, &diagnostics, err);
	version->engine = engine_new(&versions->engine, version->graph, &diagnostics);
	if (version->engine == NULL)
		return fail(version, &diagnostics, err);
	options.engine = version->engine;
	options.graph = version->graph;
	version->support = support_new(&options);
	diagnostics_free(&diagnostics);
	return 0;
}

int versions_get(struct versions *versions, const struct record *record, struct support **support,
	struct ss_error *err)
{
	struct version *unused = NULL;
	const char *hash = record_workflow(record);
	*support = versions->current;
	if (strcmp(hash, versions->support.graph->hash) == 0)
		return 0;
	for (size_t i = 0; i < VERSIONS_LIMIT; i++) {
		struct version *version = &versions->items[i];
		*support = version->support;
		if (version->graph == NULL)
			unused = version;
		else if (strcmp(hash, version->graph->hash) == 0)
			return 0;
	}
	*support = NULL;
	if (unused == NULL)
		return 0;
	if (make(versions, record, unused, err) < 0)
		return -1;
	*support = unused->support;
	return 0;
}

void versions_tidy(struct versions *versions)
{
	for (size_t i = 0; i < VERSIONS_LIMIT; i++) {
		struct version *version = &versions->items[i];
		if (version->graph != NULL && engine_is_idle(version->engine))
			clear(version);
	}
}

void versions_stop(struct versions *versions)
{
	for (size_t i = 0; i < VERSIONS_LIMIT; i++)
		engine_stop(versions->items[i].engine);
}

void versions_free(struct versions *versions)
{
	if (versions == NULL)
		return;
	for (size_t i = 0; i < VERSIONS_LIMIT; i++) {
		if (versions->items[i].graph != NULL)
			clear(&versions->items[i]);
	}
	free(versions);
}
