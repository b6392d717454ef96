/*
 * What making the server's parts (runtime.c) and the store with what follows it (runtime_store.c) share. Loop thread.
 */
#ifndef APP_RUNTIME_PARTS_H
#define APP_RUNTIME_PARTS_H

#include "app/knowledge_base.h"
#include "app/runtime.h"
#include "service/host.h"

/* A plugin that the server itself uses, with its instance. */
struct part {
	const struct ss_plugin *plugin;
	struct host host;
	struct ss_value **options;
	size_t option_count;
	void *instance;
	bool found; /* with options that are right */
	bool made;
};

struct runtime {
	const struct config *config;
	struct event_base *base;
	const struct log *log;
	struct metrics_part *metrics;
	struct plugins *plugins;
	struct part storage, embedder, index;
	void *connections[CONFIG_CONNECTIONS]; /* instances of the storage */
	size_t connection_count;
	char embedder_id[KNOWLEDGE_BASE_EMBEDDER];
	struct part *models;         /* a row for each that the configuration names */
	struct articles *articles;   /* of the files; NULL for a workflow by itself */
	struct catalogue *catalogue; /* with those of the store over them; the same */
	void *watch_instance; /* of the storage, for the watch alone; NULL: nothing is watched */
	struct document_watch *watch;
	struct key_ring *keys;
	int64_t keys_version;
	struct article_feed *feed;
	struct event_feed *events;
	int64_t articles_version; /* of the documents that the knowledge base was made of */
	struct knowledge *knowledge;
	struct later *later;
	struct http_client *http; /* NULL: nothing is asked of other servers */
	struct compute *compute;
	struct llm *llm;
	struct store *store;
	struct erasures *erasures;
	struct retention *retention; /* NULL: nothing is deleted */
	struct graph *graph;
	struct engine *engine;
	struct support *support;
	struct versions *versions; /* that the next one has */
	struct unfinished *unfinished;
};

/* Loads the plugin that CONFIG names and reads its options. */
int runtime_find_part(struct runtime *runtime, struct part *part, enum ss_plugin_kind kind,
	const struct config_plugin *config, struct diagnostics *diagnostics);

/* What the plugin of PART, whose host is there, makes an instance with; borrowed from PART. */
struct ss_setup runtime_part_setup(const struct part *part);

/* Makes an instance of PART's plugin. */
int runtime_create_instance(struct runtime *runtime, struct part *part,
	int (*create)(const struct ss_setup *, void **, struct ss_error *),
	const struct config_plugin *config, void **instance, struct diagnostics *diagnostics);

void runtime_free_part(struct part *part, void (*destroy)(void *));

/* The store (runtime_store.c). */

/* Loads the storage's plugin and reads its options, with what the url stands for. */
int runtime_find_storage(struct runtime *runtime, struct diagnostics *diagnostics);

/* Whether the store could be opened, as far as can be told without doing it. */
int runtime_check_storage(struct runtime *runtime, struct diagnostics *diagnostics);

/* Opens it with so many CONNECTIONS and, if it is WATCHED, one more for the watch. */
int runtime_open_store(
	struct runtime *runtime, size_t connections, bool watched, struct diagnostics *diagnostics);

/* Lays the articles of the store over those of the files. */
int runtime_read_articles(struct runtime *runtime, struct diagnostics *diagnostics);

/* Reads who may ask. */
int runtime_read_keys(struct runtime *runtime, struct diagnostics *diagnostics);

/* Lets changes of the store's articles come into the knowledge base, those of its keys into the ring, and tells of
 * events. */
int runtime_follow_store(struct runtime *runtime, struct diagnostics *diagnostics);

void runtime_start_retention(struct runtime *runtime);

/* When the services that call it are freed. */
void runtime_free_storage(struct runtime *runtime);

#endif
