/*
 * Everything that answers questions, made from the configuration: plugins, model, knowledge base,
 * workflow, store. A worker has one, and so have the commands that answer or check. Loop thread.
 */
#ifndef APP_RUNTIME_H
#define APP_RUNTIME_H

#include "config/config.h"
#include "config/diagnostics.h"

#include <smartsupport/plugin.h>

struct event_base;
struct log;
struct metrics_part;
struct plugins;
struct runtime;
struct support;
struct store;
struct engine;
struct event_feed;
struct versions;
struct graph;
struct compute;
struct ss_embedder_operations;
struct catalogue;
struct key_ring;
struct ss_error;
struct ss_migrate;
struct ss_storage_operations;
struct ss_value;

enum runtime_extent {
	RUNTIME_CHECK,  /* all but the store, which is only looked up */
	RUNTIME_ANSWER, /* the same, to answer without storing */
	RUNTIME_SERVE,  /* all of it */
};

/* A workflow that is run by itself. */
struct runtime_workflow {
	const char *file;
	const struct ss_value *source; /* in place of a file: of a graph, as it is stored */
	const char *const *inputs;     /* the fields that are given; ends with NULL */
	uint64_t shuffle;              /* as in struct engine_options */
	bool look;                     /* its turns are looked at only */
};

/* The plugins in CONFIG's folders. Who SERVES loads them from copies of its own in the folder for caches, if there is one. The caller frees
 * them when nothing of them is used any more. */
struct plugins *runtime_plugins(const struct config *config, bool serves);

/* The plugin of KIND that CONFIG has NAMED. NULL and DIAGNOSTICS when there is none. */
const struct ss_plugin *runtime_find_plugin(const struct config *config, struct plugins *plugins,
	enum ss_plugin_kind kind, const struct config_plugin *named,
	struct diagnostics *diagnostics);

/* Makes everything; this takes its time. CONFIG, BASE, LOG and METRICS (NULL: nothing is counted) are borrowed for
 * the runtime's life. NULL when anything is wrong, also before; everything that could be found is in DIAGNOSTICS. CONFIG may be as
 * config_read() gives it when DIAGNOSTICS has its mistakes. */
struct runtime *runtime_new(const struct config *config, struct event_base *base,
	const struct log *log, struct metrics_part *metrics, enum runtime_extent extent,
	struct diagnostics *diagnostics);

/* The same with nothing but, if it is STORED, the store; for runtime_load(). */
struct runtime *runtime_new_bare(const struct config *config, struct event_base *base,
	const struct log *log, bool stored, struct diagnostics *diagnostics);

/* Loads a workflow that need not be about support, and makes its engine, with those of the services that its
 * agents use. Once for each runtime; -1 and DIAGNOSTICS when anything is wrong. */
int runtime_load(struct runtime *runtime, const struct runtime_workflow *workflow,
	struct diagnostics *diagnostics);

/* The same with nothing but the embedder, for runtime_embedder(). */
struct runtime *runtime_new_embedder(
	const struct config *config, const struct log *log, struct diagnostics *diagnostics);

/* The same with nothing but the storage's plugin and its options; no store is opened. For the functions that
 * follow. */
struct runtime *runtime_new_storage(
	const struct config *config, const struct log *log, struct diagnostics *diagnostics);

const struct ss_storage_operations *runtime_storage(const struct runtime *runtime);

/* The text of the storage's option NAME, borrowed; NULL when it has none. It may have a password in it. */
const char *runtime_storage_text(struct runtime *runtime, const char *name);

/* Calls the storage's migrate(), which it must have. */
int runtime_migrate(struct runtime *runtime, const struct ss_migrate *migrate,
	struct ss_value **report, struct ss_error *err);

/* The server begins, or begins to leave: of a runtime that serves. In between it goes on with what others left
 * unfinished. */
void runtime_begin(struct runtime *runtime);
void runtime_drain(struct runtime *runtime);

/* Finishes what is under way and frees everything. */
void runtime_free(struct runtime *runtime);

/* Borrowed. */
struct support *runtime_support(struct runtime *runtime);
/* NULL: the storage does not tell of what happens. */
struct event_feed *runtime_events(struct runtime *runtime);
/* For turns of other workflows. */
struct versions *runtime_versions(struct runtime *runtime);
struct store *runtime_store(struct runtime *runtime);
struct erasures *runtime_erasures(struct runtime *runtime);
struct engine *runtime_engine(struct runtime *runtime);
const struct catalogue *runtime_catalogue(const struct runtime *runtime);
/* Who may ask; of a runtime that serves. */
const struct key_ring *runtime_keys(const struct runtime *runtime);
const struct graph *runtime_graph(const struct runtime *runtime);
/* The names of the models that answer, in the order in which they are asked: a new list. */
struct ss_value *runtime_models(const struct runtime *runtime);
struct llm *runtime_llm(struct runtime *runtime);
struct compute *runtime_compute(struct runtime *runtime);
/* With the instance; of a runtime that has no service which calls it. */
const struct ss_embedder_operations *runtime_embedder(
	const struct runtime *runtime, void **instance);

#endif
