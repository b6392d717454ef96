#include "app/runtime.h"

#include "app/runtime_parts.h"
#include "app/unfinished.h"
#include "base/buffer.h"
#include "base/calls.h"
#include "base/memory.h"
#include "config/options.h"
#include "engine/engine.h"
#include "graph/graph.h"
#include "plugin/copy.h"
#include "plugin/plugin.h"
#include "service/article_feed.h"
#include "service/articles.h"
#include "service/catalogue.h"
#include "service/compute.h"
#include "service/document_watch.h"
#include "service/erasures.h"
#include "service/event_feed.h"
#include "service/http_client.h"
#include "service/key_ring.h"
#include "service/knowledge.h"
#include "service/later.h"
#include "service/llm.h"
#include "service/retention.h"
#include "service/store.h"
#include "support/support.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

const struct ss_plugin *runtime_find_plugin(const struct config *config, struct plugins *plugins,
	enum ss_plugin_kind kind, const struct config_plugin *named,
	struct diagnostics *diagnostics)
{
	struct ss_error err = {0};
	if (named->name[0] == '\0' || config->plugin_folder_count == 0)
		return NULL; /* a mistake that was told */
	const struct ss_plugin *plugin = plugins_get(plugins, kind, named->name, &err);
	if (plugin == NULL)
		yaml_mistake(config->document, named->place, diagnostics, "%s", err.text);
	return plugin;
}

int runtime_find_part(struct runtime *runtime, struct part *part, enum ss_plugin_kind kind,
	const struct config_plugin *config, struct diagnostics *diagnostics)
{
	char what[120];
	const struct yaml_document *document = runtime->config->document;
	part->plugin =
		runtime_find_plugin(runtime->config, runtime->plugins, kind, config, diagnostics);
	if (part->plugin == NULL)
		return -1;
	(void)snprintf(what, sizeof what, "the %s %s", plugin_kind_name(kind), config->name);
	part->option_count = options_count(part->plugin->options);
	part->options = memory_array(part->option_count, sizeof(struct ss_value *));
	part->found = options_read(document, config->options, config->place, part->plugin->options,
			      NULL, what, part->options, diagnostics) == 0;
	return part->found ? 0 : -1;
}

struct ss_setup runtime_part_setup(const struct part *part)
{
	return (struct ss_setup){
		.struct_size = sizeof(struct ss_setup),
		.host = &part->host.table,
		.name = part->plugin->name,
		.options = (const struct ss_value *const *)part->options,
	};
}

/* What calls of the plugin of PART are noted as. */
static const struct call_site *site_of(const struct part *part)
{
	struct call_name name = {0};
	(void)snprintf(name.kind, sizeof name.kind, "%s", plugin_kind_name(part->plugin->kind));
	(void)snprintf(name.agent, sizeof name.agent, "%s", part->plugin->name);
	return calls_site(&name, "", part->plugin);
}

int runtime_create_instance(struct runtime *runtime, struct part *part,
	int (*create)(const struct ss_setup *, void **, struct ss_error *),
	const struct config_plugin *config, void **instance, struct diagnostics *diagnostics)
{
	struct ss_error err = {0};
	const struct ss_setup setup = runtime_part_setup(part);
	bool opens = part->plugin->kind == SS_STORAGE || part->plugin->kind == SS_EMBEDDER;
	calls_begin_making(site_of(part), opens ? CALL_OPEN : CALL_CREATE);
	int result = create(&setup, instance, &err);
	calls_end();
	if (result == 0)
		return 0;
	yaml_mistake(runtime->config->document, config->place, diagnostics, "%s", err.text);
	return -1;
}

static int create_part(struct runtime *runtime, struct part *part,
	int (*create)(const struct ss_setup *, void **, struct ss_error *),
	const struct config_plugin *config, struct diagnostics *diagnostics)
{
	host_init(&part->host, part->plugin->name, runtime->log, runtime->http);
	part->made = runtime_create_instance(
			     runtime, part, create, config, &part->instance, diagnostics) == 0;
	options_wipe_secrets(config->options, part->plugin->options, part->options);
	return part->made ? 0 : -1;
}

void runtime_free_part(struct part *part, void (*destroy)(void *))
{
	if (part->made)
		destroy(part->instance);
	options_free(part->options, part->option_count);
	free(part->options);
}

static int find_models(struct runtime *runtime, struct diagnostics *diagnostics)
{
	const struct config *config = runtime->config;
	int result = runtime_find_part(
		runtime, &runtime->embedder, SS_EMBEDDER, &config->embedder, diagnostics);
	result |=
		runtime_find_part(runtime, &runtime->index, SS_INDEX, &config->index, diagnostics);
	runtime->models = memory_array(config->llm.count, sizeof *runtime->models);
	for (size_t i = 0; i < config->llm.count; i++)
		result |= runtime_find_part(runtime, &runtime->models[i], SS_LLM,
			&config->llm.items[i].plugin, diagnostics);
	return result;
}

/* Those that were found. */
static int create_models(struct runtime *runtime, struct diagnostics *diagnostics)
{
	const struct config *config = runtime->config;
	int result = 0;
	if (runtime->embedder.found)
		result |= create_part(runtime, &runtime->embedder,
			runtime->embedder.plugin->embedder->create, &config->embedder, diagnostics);
	if (runtime->index.found)
		result |= create_part(runtime, &runtime->index,
			runtime->index.plugin->index->create, &config->index, diagnostics);
	for (size_t i = 0; i < config->llm.count; i++) {
		struct part *model = &runtime->models[i];
		if (!model->found)
			continue;
		result |= create_part(runtime, model, model->plugin->llm->create,
			&config->llm.items[i].plugin, diagnostics);
		model->made &= !plugin_llm_is_left_out(model->plugin, model->instance);
	}
	return result;
}

static struct knowledge_base_part knowledge_part(
	const struct runtime *runtime, const struct part *part)
{
	return (struct knowledge_base_part){.plugin = part->plugin,
		.hash = plugins_hash(runtime->plugins, part->plugin),
		.options = part->options,
		.instance = part->instance};
}

/* Embeds ARTICLES, as far as the cache has not their vectors. */
static int build_knowledge(
	struct runtime *runtime, const struct articles *articles, struct diagnostics *diagnostics)
{
	struct ss_error err = {0};
	const struct knowledge_base_part embedder = knowledge_part(runtime, &runtime->embedder);
	const struct knowledge_base_part index = knowledge_part(runtime, &runtime->index);
	knowledge_base_embedder(&embedder, runtime->embedder_id);
	runtime->knowledge = knowledge_base_new(
		runtime->config, articles, &embedder, &index, runtime->log, &err);
	if (runtime->knowledge == NULL) {
		diagnostics_add(diagnostics, runtime->config->articles, 0, 0, "%s", err.text);
		return -1;
	}
	return 0;
}

/* Tells the operator who answers: what the environment and the configuration came to. */
static void tell_models(const struct runtime *runtime)
{
	struct buffer names = {0};
	struct ss_value *models = runtime_models(runtime);
	for (size_t i = 0; i < value_count(models); i++)
		buffer_add_format(&names, "%s%s", i > 0 ? ", then " : "",
			value_as_string(value_at(models, i), NULL));
	value_unref(models);
	log_info(runtime->log, "questions are answered by %s", buffer_text(&names));
	buffer_free(&names);
}

/* Tells the operator what depends on how a new plugin is installed. */
static void tell_plugins(const struct runtime *runtime)
{
	const char *trouble = plugins_trouble(runtime->plugins);
	if (trouble != NULL)
		log_warning(runtime->log,
			"plugins run from their files and not from copies: %s; install a new one "
			"beside the old file and rename it, do not write over the file",
			trouble);
}

/* The service of the models that there is something to ask. */
static int start_models(struct runtime *runtime, struct diagnostics *diagnostics)
{
	const struct config_models *config = &runtime->config->llm;
	struct llm_model *models = memory_array(config->count, sizeof *models);
	size_t count = 0;
	for (size_t i = 0; i < config->count; i++) {
		const struct part *part = &runtime->models[i];
		if (!part->made)
			continue;
		const char *name = plugin_llm_name(part->plugin, part->instance);
		models[count++] = (struct llm_model){
			.operations = part->plugin->llm,
			.instance = part->instance,
			.name = name,
			.stops = plugin_llm_stops(part->plugin),
			.policy = config->items[i].policy,
			.price = config_models_price(config, &config->items[i], name),
		};
	}
	const struct llm_options options = {
		.base = runtime->base,
		.later = runtime->later,
		.models = models,
		.count = count,
		.metrics = runtime->metrics,
		.log = runtime->log,
	};
	if (count > 0)
		runtime->llm = llm_new(&options);
	else
		yaml_mistake(runtime->config->document, config->place, diagnostics,
			"none of the models can be asked with these options and this environment; "
			"name extractive as the last one, which needs neither a key nor a network");
	free(models);
	return count > 0 ? 0 : -1;
}

static int start_services(
	struct runtime *runtime, enum runtime_extent extent, struct diagnostics *diagnostics)
{
	struct ss_error err = {0};
	const struct config *config = runtime->config;
	const struct compute_options options = {
		.base = runtime->base,
		.embedder = runtime->embedder.plugin->embedder,
		.embedder_instance = runtime->embedder.instance,
		.knowledge = runtime->knowledge,
		.queue_limit = (size_t)config->queue_limit,
		.cache_limit = (size_t)config->vector_cache,
		.metrics = runtime->metrics,
	};
	if (runtime->later == NULL)
		runtime->later = later_new(runtime->base);
	if (start_models(runtime, diagnostics) < 0)
		return -1;
	if (extent == RUNTIME_SERVE) {
		tell_models(runtime);
		tell_plugins(runtime);
	}
	runtime->compute = compute_new(&options, &err);
	if (runtime->compute == NULL)
		goto fail;
	return 0;
fail:
	diagnostics_add(diagnostics, config->document->file, 0, 0, "%s", err.text);
	return -1;
}

static int load_workflow(struct runtime *runtime, struct diagnostics *diagnostics)
{
	if (runtime->config->workflow[0] == '\0' || runtime->config->plugin_folder_count == 0)
		return -1; /* a mistake that was told */
	runtime->graph = graph_load(
		runtime->config->workflow, runtime->plugins, support_inputs, diagnostics);
	if (runtime->graph == NULL)
		return -1;
	return support_check(runtime->graph, diagnostics);
}

/* Of an engine on the services that there are. */
static struct engine_options engine_options(struct runtime *runtime, uint64_t shuffle)
{
	return (struct engine_options){
		.base = runtime->base,
		.later = runtime->later,
		.compute = runtime->compute,
		.llm = runtime->llm,
		.http = runtime->http,
		.store = runtime->store,
		.log = runtime->log,
		.metrics = runtime->metrics,
		.hang_ns = runtime->config->hang_timeout_ns,
		.shuffle = shuffle,
	};
}

static int make_engine(struct runtime *runtime, uint64_t shuffle, struct diagnostics *diagnostics)
{
	const struct engine_options options = engine_options(runtime, shuffle);
	runtime->engine = engine_new(&options, runtime->graph, diagnostics);
	return runtime->engine != NULL ? 0 : -1;
}

static int start_workflow(
	struct runtime *runtime, enum runtime_extent extent, struct diagnostics *diagnostics)
{
	if (make_engine(runtime, 0, diagnostics) < 0)
		return -1;
	const struct support_options support = {
		.engine = runtime->engine,
		.graph = runtime->graph,
		.store = runtime->store,
		.compute = runtime->compute,
		.embedder = runtime->embedder_id,
		.history_limit = (size_t)runtime->config->history_limit,
		.metrics = runtime->metrics,
		.candid = extent != RUNTIME_SERVE,
	};
	runtime->support = support_new(&support);
	if (runtime->store == NULL)
		return 0;
	runtime_start_retention(runtime);
	const struct engine_options engine = engine_options(runtime, 0);
	const struct versions_options versions = {
		.engine = &engine,
		.support = &support,
		.current = runtime->support,
		.plugins = runtime->plugins,
	};
	runtime->versions = versions_new(&versions);
	runtime->unfinished =
		unfinished_new(runtime->base, runtime->store, runtime->versions, runtime->log);
	return 0;
}

/* What plugins ask other servers through. Before any of them is made. */
static int start_http(struct runtime *runtime, struct diagnostics *diagnostics)
{
	struct ss_error err = {0};
	runtime->http = http_client_new(runtime->base, &err);
	if (runtime->http == NULL)
		diagnostics_add(diagnostics, runtime->config->document->file, 0, 0, "%s", err.text);
	return runtime->http != NULL ? 0 : -1;
}

/* Whether the agents could be made, when they will not be used because something else is wrong. */
static void try_agents(struct runtime *runtime, struct diagnostics *diagnostics)
{
	const struct engine_options options = {.base = runtime->base, .log = runtime->log};
	if (runtime->graph != NULL)
		engine_free(engine_new(&options, runtime->graph, diagnostics));
}

struct plugins *runtime_plugins(const struct config *config, bool serves)
{
	enum { COPIES_DAYS = 30 };
	char *copies =
		serves && config->cache != NULL ? memory_format("%s/plugins", config->cache) : NULL;
	struct plugins *plugins = plugins_new(
		(const char *const *)config->plugin_folders, config->plugin_folder_count, copies);
	if (copies != NULL)
		plugin_copies_tidy(copies, COPIES_DAYS);
	free(copies);
	return plugins;
}

struct runtime *runtime_new(const struct config *config, struct event_base *base,
	const struct log *log, struct metrics_part *metrics, enum runtime_extent extent,
	struct diagnostics *diagnostics)
{
	struct runtime *runtime = memory_make(struct runtime);
	runtime->config = config;
	runtime->base = base;
	runtime->log = log;
	runtime->metrics = metrics;
	runtime->plugins = runtime_plugins(config, extent == RUNTIME_SERVE);
	/* What does not depend on each other is looked at in any case, so that one look finds all. */
	bool sound = diagnostics->count == 0;
	sound &= runtime_find_storage(runtime, diagnostics) == 0;
	sound &= find_models(runtime, diagnostics) == 0;
	if (extent == RUNTIME_CHECK)
		sound &= runtime_check_storage(runtime, diagnostics) == 0;
	sound &= load_workflow(runtime, diagnostics) == 0;
	sound &= start_http(runtime, diagnostics) == 0;
	sound &= create_models(runtime, diagnostics) == 0;
	runtime->articles =
		config->articles[0] != '\0' ? articles_load(config->articles, diagnostics) : NULL;
	sound &= runtime->articles != NULL;
	if (!sound)
		try_agents(runtime, diagnostics);
	if (sound && extent == RUNTIME_SERVE)
		sound = runtime_open_store(runtime, (size_t)config->storage_connections, true,
				diagnostics) == 0;
	sound = sound && runtime_read_articles(runtime, diagnostics) == 0 &&
		runtime_read_keys(runtime, diagnostics) == 0;
	if (sound) {
		struct articles *articles = catalogue_articles(runtime->catalogue);
		sound = build_knowledge(runtime, articles, diagnostics) == 0;
		articles_free(articles);
	}
	sound = sound && start_services(runtime, extent, diagnostics) == 0 &&
		start_workflow(runtime, extent, diagnostics) == 0 &&
		runtime_follow_store(runtime, diagnostics) == 0;
	if (!sound) {
		runtime_free(runtime);
		return NULL;
	}
	return runtime;
}

/* What the agents of the workflow ask for. */
static int start_what_is_used(struct runtime *runtime, struct diagnostics *diagnostics)
{
	const struct config *config = runtime->config;
	if (graph_services(runtime->graph) == 0)
		return 0;
	if (find_models(runtime, diagnostics) < 0 || create_models(runtime, diagnostics) < 0)
		return -1;
	struct articles *articles = articles_load(config->articles, diagnostics);
	int result = articles != NULL ? build_knowledge(runtime, articles, diagnostics) : -1;
	articles_free(articles);
	return result == 0 ? start_services(runtime, RUNTIME_ANSWER, diagnostics) : -1;
}

struct runtime *runtime_new_bare(const struct config *config, struct event_base *base,
	const struct log *log, bool stored, struct diagnostics *diagnostics)
{
	struct runtime *runtime = memory_make(struct runtime);
	runtime->config = config;
	runtime->base = base;
	runtime->log = log;
	runtime->plugins = runtime_plugins(config, false);
	runtime->later = later_new(base);
	bool sound = start_http(runtime, diagnostics) == 0;
	if (sound && !stored)
		return runtime;
	if (sound && runtime_find_storage(runtime, diagnostics) == 0 &&
		runtime_open_store(runtime, 1, false, diagnostics) == 0)
		return runtime;
	runtime_free(runtime);
	return NULL;
}

struct runtime *runtime_new_embedder(
	const struct config *config, const struct log *log, struct diagnostics *diagnostics)
{
	struct runtime *runtime = memory_make(struct runtime);
	runtime->config = config;
	runtime->log = log;
	runtime->plugins = runtime_plugins(config, false);
	if (runtime_find_part(runtime, &runtime->embedder, SS_EMBEDDER, &config->embedder,
		    diagnostics) == 0 &&
		create_part(runtime, &runtime->embedder, runtime->embedder.plugin->embedder->create,
			&config->embedder, diagnostics) == 0)
		return runtime;
	runtime_free(runtime);
	return NULL;
}

struct runtime *runtime_new_storage(
	const struct config *config, const struct log *log, struct diagnostics *diagnostics)
{
	struct runtime *runtime = memory_make(struct runtime);
	runtime->config = config;
	runtime->log = log;
	runtime->plugins = runtime_plugins(config, false);
	if (runtime_find_storage(runtime, diagnostics) == 0)
		return runtime;
	runtime_free(runtime);
	return NULL;
}

int runtime_load(struct runtime *runtime, const struct runtime_workflow *workflow,
	struct diagnostics *diagnostics)
{
	runtime->graph = workflow->source != NULL
				 ? graph_restore(workflow->source, runtime->plugins,
					   workflow->inputs, diagnostics)
				 : graph_load(workflow->file, runtime->plugins, workflow->inputs,
					   diagnostics);
	if (runtime->graph == NULL ||
		(!workflow->look && start_what_is_used(runtime, diagnostics) < 0))
		return -1;
	return make_engine(runtime, workflow->shuffle, diagnostics);
}

static void free_models(struct runtime *runtime)
{
	for (size_t i = 0; runtime->models != NULL && i < runtime->config->llm.count; i++) {
		if (runtime->models[i].plugin != NULL)
			runtime_free_part(
				&runtime->models[i], runtime->models[i].plugin->llm->destroy);
	}
	free(runtime->models);
	/* A model that cannot be stopped may answer until it is gone. */
	llm_free(runtime->llm);
	/* Until then a call that ends lets others go on, which is done later. */
	later_free(runtime->later);
}

void runtime_free(struct runtime *runtime)
{
	if (runtime == NULL)
		return;
	/* Then the services finish what was asked of them; the turns that waited for it are over. */
	document_watch_free(runtime->watch);
	article_feed_stop(runtime->feed);
	event_feed_stop(runtime->events);
	engine_stop(runtime->engine);
	unfinished_stop(runtime->unfinished);
	http_client_stop(runtime->http);
	/* Who asked is told while the store can still note it. */
	if (runtime->later != NULL)
		later_make(runtime->later);
	compute_free(runtime->compute);
	article_feed_free(runtime->feed);
	retention_stop(runtime->retention);
	erasures_stop(runtime->erasures);
	store_stop(runtime->store);
	erasures_free(runtime->erasures);
	event_feed_free(runtime->events);
	retention_free(runtime->retention);
	if (runtime->later != NULL)
		later_make(runtime->later);
	unfinished_free(runtime->unfinished);
	support_free(runtime->support);
	engine_free(runtime->engine);
	graph_free(runtime->graph);
	knowledge_free(runtime->knowledge);
	catalogue_free(runtime->catalogue);
	key_ring_free(runtime->keys);
	articles_free(runtime->articles);
	runtime_free_storage(runtime);
	free_models(runtime);
	store_free(runtime->store);
	if (runtime->index.plugin != NULL)
		runtime_free_part(&runtime->index, runtime->index.plugin->index->destroy);
	if (runtime->embedder.plugin != NULL)
		runtime_free_part(&runtime->embedder, runtime->embedder.plugin->embedder->destroy);
	http_client_free(runtime->http);
	plugins_free(runtime->plugins);
	free(runtime);
}

void runtime_begin(struct runtime *runtime)
{
	unfinished_begin(runtime->unfinished);
}

void runtime_drain(struct runtime *runtime)
{
	unfinished_pause(runtime->unfinished);
	event_feed_stop(runtime->events);
}

struct event_feed *runtime_events(struct runtime *runtime)
{
	return runtime->events;
}

struct support *runtime_support(struct runtime *runtime)
{
	return runtime->support;
}

struct versions *runtime_versions(struct runtime *runtime)
{
	return runtime->versions;
}

struct store *runtime_store(struct runtime *runtime)
{
	return runtime->store;
}

struct erasures *runtime_erasures(struct runtime *runtime)
{
	return runtime->erasures;
}

struct engine *runtime_engine(struct runtime *runtime)
{
	return runtime->engine;
}

const struct catalogue *runtime_catalogue(const struct runtime *runtime)
{
	return runtime->catalogue;
}

const struct key_ring *runtime_keys(const struct runtime *runtime)
{
	return runtime->keys;
}

const struct graph *runtime_graph(const struct runtime *runtime)
{
	return runtime->graph;
}

struct ss_value *runtime_models(const struct runtime *runtime)
{
	size_t count = 0;
	struct ss_value **names =
		memory_array(runtime->config->llm.count, sizeof(struct ss_value *));
	for (size_t i = 0; i < runtime->config->llm.count; i++) {
		const struct part *part = &runtime->models[i];
		if (part->made)
			names[count++] = value_text(plugin_llm_name(part->plugin, part->instance));
	}
	struct ss_value *list = value_list(names, count);
	free(names);
	return list;
}

struct llm *runtime_llm(struct runtime *runtime)
{
	return runtime->llm;
}

struct compute *runtime_compute(struct runtime *runtime)
{
	return runtime->compute;
}

const struct ss_embedder_operations *runtime_embedder(
	const struct runtime *runtime, void **instance)
{
	*instance = runtime->embedder.instance;
	return runtime->embedder.plugin->embedder;
}
