/* The store of a runtime: its instances, and what follows what is stored. */
#include "app/database_place.h"
#include "app/runtime_parts.h"
#include "config/options.h"
#include "service/article_feed.h"
#include "service/catalogue.h"
#include "service/document_watch.h"
#include "service/erasures.h"
#include "service/event_feed.h"
#include "service/key_ring.h"
#include "service/retention.h"
#include "service/store.h"
#include "value/value.h"

#include <string.h>

/* The storage's option NAME, or NULL. */
static struct ss_value **storage_option(struct runtime *runtime, const char *name)
{
	struct part *part = &runtime->storage;
	for (size_t i = 0; part->found && name != NULL && i < part->option_count; i++) {
		if (strcmp(part->plugin->options[i].name, name) == 0)
			return &part->options[i];
	}
	return NULL;
}

/* The url of the storage stands for an option of its plugin. */
static void set_storage_option(struct runtime *runtime)
{
	struct ss_value **option = storage_option(runtime, runtime->config->storage_option);
	if (option == NULL)
		return;
	value_unref(*option);
	*option = value_text(runtime->config->storage_value);
}

int runtime_check_storage(struct runtime *runtime, struct diagnostics *diagnostics)
{
	struct ss_error err = {0};
	const struct config_plugin *config = &runtime->config->storage;
	const struct yaml_node *url = yaml_get(config->place, "url");
	struct ss_value **path = storage_option(runtime, "path");
	if (path == NULL || database_place_check(value_as_string(*path, NULL), &err) == 0)
		return 0;
	yaml_mistake(runtime->config->document, url != NULL ? url : config->place, diagnostics,
		"%s", err.text);
	return -1;
}

int runtime_find_storage(struct runtime *runtime, struct diagnostics *diagnostics)
{
	int result = runtime_find_part(
		runtime, &runtime->storage, SS_STORAGE, &runtime->config->storage, diagnostics);
	set_storage_option(runtime);
	return result;
}

/* Makes COUNT instances of the storage, one after the other: the first brings the schema up to date. If it is WATCHED, there
 * is another one for the watch. */
static int create_storage(
	struct runtime *runtime, size_t count, bool watched, struct diagnostics *diagnostics)
{
	struct part *part = &runtime->storage;
	const struct config_plugin *config = &runtime->config->storage;
	int result = 0;
	host_init(&part->host, part->plugin->name, runtime->log, runtime->http);
	while (result == 0 && runtime->connection_count < count) {
		void **instance = &runtime->connections[runtime->connection_count];
		result = runtime_create_instance(runtime, part, part->plugin->storage->create,
			config, instance, diagnostics);
		runtime->connection_count += result == 0;
	}
	if (result == 0 && watched)
		result = runtime_create_instance(runtime, part, part->plugin->storage->create,
			config, &runtime->watch_instance, diagnostics);
	options_wipe_secrets(config->options, part->plugin->options, part->options);
	return result;
}

/* Lets each connection read once, as every question does, so that the first one finds what it needs in memory. Whatever comes of it: that it
 * works is for others to find out. */
static void warm_up(const struct runtime *runtime)
{
	const struct ss_turn_key nobody = {
		.struct_size = sizeof nobody,
		.user_id = "nobody",
		.history_limit = 1,
		.recent_limit = 1,
	};
	for (size_t i = 0; i < runtime->connection_count; i++) {
		struct ss_error err = {0};
		struct ss_value *known = NULL;
		if (runtime->storage.plugin->storage->turn_context(
			    runtime->connections[i], &nobody, &known, &err) == 0)
			value_unref(known);
	}
}

void runtime_free_storage(struct runtime *runtime)
{
	struct part *part = &runtime->storage;
	if (runtime->watch_instance != NULL)
		part->plugin->storage->destroy(runtime->watch_instance);
	while (runtime->connection_count > 0)
		part->plugin->storage->destroy(runtime->connections[--runtime->connection_count]);
	if (part->plugin != NULL)
		runtime_free_part(part, NULL);
}

int runtime_open_store(
	struct runtime *runtime, size_t connections, bool watched, struct diagnostics *diagnostics)
{
	struct ss_error err = {0};
	const struct config *config = runtime->config;
	if (create_storage(runtime, connections, watched, diagnostics) < 0)
		return -1;
	if (watched)
		warm_up(runtime);
	runtime->store = store_new(runtime->base, runtime->storage.plugin->storage,
		runtime->connections, runtime->connection_count, (size_t)config->queue_limit, &err);
	if (runtime->store == NULL) {
		diagnostics_add(diagnostics, config->document->file, 0, 0, "%s", err.text);
		return -1;
	}
	store_measure(runtime->store, runtime->metrics);
	runtime->erasures = erasures_new(runtime->base, runtime->store);
	return 0;
}

/* The documents of KIND in the store, WHAT for messages; NULL when they cannot be read. */
static struct ss_value *read_documents(struct runtime *runtime, enum ss_document_kind kind,
	const char *what, struct diagnostics *diagnostics)
{
	struct ss_error err = {0};
	struct ss_value *documents = document_watch_read(runtime->watch, kind, &err);
	if (documents == NULL)
		yaml_mistake(runtime->config->document, runtime->config->storage.place, diagnostics,
			"the %s in the store cannot be read: %s", what, err.text);
	return documents;
}

int runtime_read_articles(struct runtime *runtime, struct diagnostics *diagnostics)
{
	runtime->catalogue = catalogue_new(runtime->articles, runtime->log);
	if (runtime->watch_instance == NULL)
		return 0;
	runtime->watch = document_watch_new(runtime->base, runtime->storage.plugin->storage,
		runtime->watch_instance, runtime->log);
	struct ss_value *documents = read_documents(runtime, SS_ARTICLES, "articles", diagnostics);
	if (documents == NULL)
		return -1;
	const struct ss_value *items = value_get(documents, "items");
	for (size_t i = 0; i < value_count(items); i++)
		(void)catalogue_take(runtime->catalogue, value_at(items, i));
	runtime->articles_version = value_as_int(value_get(documents, "version"));
	value_unref(documents);
	return 0;
}

int runtime_read_keys(struct runtime *runtime, struct diagnostics *diagnostics)
{
	runtime->keys = key_ring_new(runtime->log);
	if (runtime->watch == NULL)
		return 0;
	struct ss_value *documents = read_documents(runtime, SS_API_KEYS, "API keys", diagnostics);
	if (documents == NULL)
		return -1;
	key_ring_take(runtime->keys, documents);
	runtime->keys_version = value_as_int(value_get(documents, "version"));
	value_unref(documents);
	return 0;
}

int runtime_follow_store(struct runtime *runtime, struct diagnostics *diagnostics)
{
	struct ss_error err = {0};
	const struct article_feed_options options = {
		.base = runtime->base,
		.compute = runtime->compute,
		.catalogue = runtime->catalogue,
		.version = runtime->articles_version,
		.metrics = runtime->metrics,
		.log = runtime->log,
	};
	if (runtime->watch == NULL)
		return 0;
	runtime->feed = article_feed_new(&options);
	document_watch_follow(runtime->watch, SS_ARTICLES, runtime->articles_version,
		article_feed_take, runtime->feed);
	document_watch_follow(
		runtime->watch, SS_API_KEYS, runtime->keys_version, key_ring_take, runtime->keys);
	runtime->events = event_feed_new(runtime->base, runtime->store, runtime->log);
	document_watch_follow_events(runtime->watch, event_feed_look, runtime->events);
	if (document_watch_start(runtime->watch, &err) == 0)
		return 0;
	diagnostics_add(diagnostics, runtime->config->document->file, 0, 0, "%s", err.text);
	return -1;
}

void runtime_start_retention(struct runtime *runtime)
{
	const struct config_retention *config = &runtime->config->retention;
	const struct retention_options options = {
		.base = runtime->base,
		.store = runtime->store,
		.log = runtime->log,
		.metrics = runtime->metrics,
		.keep_ns = config->keep_ns,
		.name = config_retention_name,
		.every_ns = config->every_ns,
	};
	runtime->retention = retention_new(&options);
}

const struct ss_storage_operations *runtime_storage(const struct runtime *runtime)
{
	return runtime->storage.plugin->storage;
}

const char *runtime_storage_text(struct runtime *runtime, const char *name)
{
	struct ss_value **option = storage_option(runtime, name);
	return option != NULL ? value_as_string(*option, NULL) : NULL;
}

int runtime_migrate(struct runtime *runtime, const struct ss_migrate *migrate,
	struct ss_value **report, struct ss_error *err)
{
	struct part *part = &runtime->storage;
	host_init(&part->host, part->plugin->name, runtime->log, NULL);
	const struct ss_setup setup = runtime_part_setup(part);
	return part->plugin->storage->migrate(&setup, migrate, report, err);
}
