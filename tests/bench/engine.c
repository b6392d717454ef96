/*
 * Runs of workflows whose nodes do nothing, so that what is measured is the engine: turns of some graphs,
 * one after the other, in memory and with each node stored before the next one starts, and loading one of a
 * thousand nodes. Prints JSON for engine.mjs, which runs the same
 * graphs with LangGraph.js in the same run and prints the ratios.
 */
#include "engine/engine.h"
#include "base/buffer.h"
#include "base/calls.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "config/options.h"
#include "plugin/plugin.h"
#include "service/host.h"
#include "service/later.h"
#include "service/store.h"
#include "value/value.h"

#include <event2/event.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BATCHES = 31 };

struct bench {
	struct event_base *base;
	struct later *later;
	struct plugins *plugins;
	struct log log;
	struct graph *graph;
	struct engine *engine;
	size_t left; /* turns that are not over */
	/* While turns are kept: */
	struct store *store;
	void *storage;
	struct host host;
	size_t kept; /* turns */
};

/* Where a database of ours is made and removed again. */
static const char *database_file(void)
{
	static char path[64];
	(void)snprintf(path, sizeof path, "bench-%d.db", (int)getpid());
	return path;
}

static const struct ss_plugin *sqlite(struct bench *bench)
{
	struct ss_error err;
	const struct ss_plugin *plugin = plugins_get(bench->plugins, SS_STORAGE, "sqlite", &err);
	if (plugin == NULL) {
		(void)fprintf(stderr, "%s\n", err.text);
		exit(1);
	}
	return plugin;
}

/* Opens a store on a file, new or not. */
static void open_store(struct bench *bench, const char *synchronous)
{
	struct ss_error err = {0};
	struct diagnostics diagnostics = {0};
	const struct ss_plugin *plugin = sqlite(bench);
	size_t count = options_count(plugin->options);
	struct ss_value **options = memory_array(count, sizeof(struct ss_value *));
	char *yaml = memory_format("path: %s\nsynchronous: %s\n", database_file(), synchronous);
	struct yaml_document *document =
		yaml_parse("bench.yaml", 1, yaml, strlen(yaml), &diagnostics);
	host_init(&bench->host, "sqlite", &bench->log, NULL);
	const struct ss_setup setup = {
		.struct_size = sizeof setup,
		.host = &bench->host.table,
		.name = "sqlite",
		.options = (const struct ss_value *const *)options,
	};
	if (options_read(document, document->root, document->root, plugin->options, NULL,
		    "the storage", options, &diagnostics) == 0 &&
		plugin->storage->create(&setup, &bench->storage, &err) == 0)
		bench->store =
			store_new(bench->base, plugin->storage, &bench->storage, 1, 1000, &err);
	options_free(options, count);
	free(options);
	free(yaml);
	yaml_close(document);
	if (bench->store != NULL)
		return;
	(void)fprintf(stderr, "%s\n", err.text);
	exit(1);
}

static void close_store(struct bench *bench)
{
	store_free(bench->store);
	sqlite(bench)->storage->destroy(bench->storage);
	bench->store = NULL;
}

/* The bytes of the database, once what is in its log is in it. */
static size_t database_size(void)
{
	struct stat status;
	return stat(database_file(), &status) == 0 ? (size_t)status.st_size : 0;
}

static void load(struct bench *bench, const char *yaml)
{
	static const char *const inputs[] = {"message", NULL};
	struct diagnostics diagnostics = {0};
	bench->graph =
		graph_parse("bench.yaml", yaml, strlen(yaml), bench->plugins, inputs, &diagnostics);
	const struct engine_options options = {
		.base = bench->base,
		.later = bench->later,
		.store = bench->store,
		.log = &bench->log,
	};
	bench->engine =
		bench->graph != NULL ? engine_new(&options, bench->graph, &diagnostics) : NULL;
	diagnostics_print(&diagnostics, stderr);
	diagnostics_free(&diagnostics);
	if (bench->engine == NULL)
		exit(1);
}

static void unload(struct bench *bench)
{
	engine_free(bench->engine);
	graph_free(bench->graph);
}

static void on_over(void *context, struct turn *turn)
{
	struct bench *bench = context;
	if (turn_error(turn) != NULL) {
		(void)fprintf(stderr, "%s\n", turn_error(turn)->text);
		exit(1);
	}
	bench->left--;
	turn_free(turn);
}

/* Starts COUNT turns, each when the one before is over. */
static void run_turns(struct bench *bench, size_t count, const struct ss_value *input)
{
	struct ss_error err = {0};
	char id[64];
	const struct turn_options options = {
		.input = input,
		.id = bench->store != NULL ? id : NULL,
		.log = &bench->log,
		.over = on_over,
		.context = bench,
	};
	for (size_t i = 0; i < count; i++) {
		(void)snprintf(id, sizeof id, "00000000-0000-7000-8000-%012zu", bench->kept++);
		bench->left = 1;
		if (turn_start(bench->engine, &options, &err) == NULL) {
			(void)fprintf(stderr, "%s\n", err.text);
			exit(1);
		}
		later_make(bench->later);
		/* Only a turn that is kept, or takes longer than its slice, needs the loop. */
		while (bench->left > 0)
			(void)event_base_loop(
				bench->base, bench->store != NULL ? EVLOOP_ONCE : EVLOOP_NONBLOCK);
	}
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;
	return (left > right) - (left < right);
}

/* The median of the batches' times for one turn, in microseconds, and what a batch asked of the system. */
static void measure_with(struct bench *bench, const char *name, const char *yaml, size_t turns,
	struct ss_value *input)
{
	double times[BATCHES];
	load(bench, yaml);
	run_turns(bench, turns, input);
	size_t before = mallinfo2().arena + mallinfo2().hblkhd;
	for (size_t i = 0; i < BATCHES; i++) {
		int64_t start_ns = clock_monotonic_ns();
		run_turns(bench, turns, input);
		times[i] = (double)(clock_monotonic_ns() - start_ns) / 1e3 / (double)turns;
	}
	size_t grown = mallinfo2().arena + mallinfo2().hblkhd - before;
	qsort(times, BATCHES, sizeof times[0], compare);
	(void)printf("{\"graph\": \"%s\", \"us\": %.3f, \"grown\": %zu}\n", name,
		times[BATCHES / 2], grown);
	value_unref(input);
	unload(bench);
}

static void measure(struct bench *bench, const char *name, const char *yaml, size_t turns)
{
	measure_with(bench, name, yaml, turns, value_map(NULL, NULL, 0));
}

/* The same with durability `node`: the median time of a turn, and what the database grew by for each. */
static void measure_kept(struct bench *bench, const char *name, const char *yaml, size_t turns)
{
	static const char *const settings[] = {"normal", "full"};
	double times[BATCHES];
	char *durable = memory_format("durability: node\n%s", yaml);
	struct ss_value *input = value_map(NULL, NULL, 0);
	for (size_t i = 0; i < array_length(settings); i++) {
		size_t batches = 9;
		open_store(bench, settings[i]);
		close_store(bench);
		size_t before = database_size();
		open_store(bench, settings[i]);
		load(bench, durable);
		bench->kept = 0;
		for (size_t j = 0; j < batches; j++) {
			int64_t start_ns = clock_monotonic_ns();
			run_turns(bench, turns, input);
			times[j] = (double)(clock_monotonic_ns() - start_ns) / 1e3 / (double)turns;
		}
		unload(bench);
		close_store(bench);
		qsort(times, batches, sizeof times[0], compare);
		(void)printf("{\"graph\": \"%s, kept, %s\", \"us\": %.3f, \"bytes\": %zu}\n", name,
			settings[i], times[batches / 2], (database_size() - before) / bench->kept);
		(void)unlink(database_file());
	}
	value_unref(input);
	free(durable);
}

static char *chain(size_t count)
{
	struct buffer yaml = {0};
	buffer_add_format(&yaml,
		"version: 1\nname: chain\nmax_steps: %zu\nstate: {message: {type: "
		"string}}\nnodes:\n",
		count + 1);
	for (size_t i = 0; i < count; i++)
		buffer_add_format(&yaml, "  n%zu: {agent: assign}\n", i);
	buffer_add_string(&yaml, "edges:\n  - {from: START, to: n0}\n");
	for (size_t i = 0; i + 1 < count; i++)
		buffer_add_format(&yaml, "  - {from: n%zu, to: n%zu}\n", i, i + 1);
	buffer_add_format(&yaml, "  - {from: n%zu, to: END}\n", count - 1);
	return buffer_take(&yaml);
}

static void measure_chain(struct bench *bench, size_t count, size_t turns)
{
	char name[32];
	char *yaml = chain(count);
	(void)snprintf(name, sizeof name, "chain of %zu", count);
	measure(bench, name, yaml, turns);
	measure_kept(bench, name, yaml, count < 100 ? 100 : 3);
	free(yaml);
}

static const char fan_out[] = "version: 1\nname: fan\nstate: {message: {type: string}}\n"
			      "nodes: {a: {agent: assign}, b: {agent: assign}, c: {agent: assign}, "
			      "d: {agent: assign}, e: {agent: assign}, f: {agent: assign}}\n"
			      "edges:\n"
			      "  - {from: START, to: [a, b, c, d, e]}\n"
			      "  - {from: [a, b, c, d, e], to: f}\n"
			      "  - {from: f, to: END}\n";

/* A state of 15 fields in which a loop collects 300 messages. */
static const char wide[] =
	"version: 1\nname: wide\nmax_steps: 1000\nstate:\n"
	"  messages: {type: list, reducer: append}\n"
	"  n: {type: int}\n"
	"  a: {type: string}\n  b: {type: string}\n  c: {type: string}\n  d: {type: string}\n"
	"  e: {type: string}\n  f: {type: string}\n  g: {type: string}\n  h: {type: string}\n"
	"  i: {type: string}\n  j: {type: string}\n  k: {type: string}\n  l: {type: string}\n"
	"  m: {type: string}\n"
	"nodes: {add: {agent: assign, options: {set: {messages: '[\"a message\"]', n: n + 1}}}}\n"
	"edges:\n"
	"  - {from: START, to: add}\n"
	"  - {from: add, choose: [{when: n < 300, to: add}, {else: END}]}\n";

/* A chain of 10 that hands on 300 messages in a state of 15 fields. */
static void measure_handing_on(struct bench *bench)
{
	struct buffer yaml = {0};
	struct ss_value *messages[300];
	for (size_t i = 0; i < array_length(messages); i++)
		messages[i] = value_text("a message");
	buffer_add_string(&yaml, "version: 1\nname: wide chain\nstate:\n  message: {type: list}\n");
	for (size_t i = 0; i < 14; i++)
		buffer_add_format(&yaml, "  f%zu: {type: string}\n", i);
	buffer_add_string(&yaml, "nodes:\n");
	for (size_t i = 0; i < 10; i++)
		buffer_add_format(&yaml, "  n%zu: {agent: assign}\n", i);
	buffer_add_string(&yaml, "edges:\n  - {from: START, to: n0}\n  - {from: n9, to: END}\n");
	for (size_t i = 0; i < 9; i++)
		buffer_add_format(&yaml, "  - {from: n%zu, to: n%zu}\n", i, i + 1);
	measure_with(bench, "chain of 10, wide state", yaml.data, 1000,
		value_map_make({"message", value_list(messages, array_length(messages))}));
	buffer_free(&yaml);
}

static void measure_loading(struct bench *bench)
{
	double times[BATCHES];
	char *yaml = chain(1000);
	for (size_t i = 0; i < BATCHES; i++) {
		int64_t start_ns = clock_monotonic_ns();
		load(bench, yaml);
		times[i] = (double)(clock_monotonic_ns() - start_ns) / 1e3;
		unload(bench);
	}
	qsort(times, BATCHES, sizeof times[0], compare);
	(void)printf("{\"graph\": \"compile 1000 nodes\", \"us\": %.3f}\n", times[BATCHES / 2]);
	free(yaml);
}

int main(void)
{
	const char *folder = SS_BUILD_DIR "/plugins";
	struct bench bench = {.base = event_base_new(), .plugins = plugins_new(&folder, 1, NULL)};
	struct calls *calls = calls_new();
	if (calls != NULL)
		calls_adopt(calls_take(calls, false)); /* as a worker has it */
	bench.later = later_new(bench.base);
	bench.log = log_new(STDERR_FILENO, SS_LOG_ERROR, false);
	measure_chain(&bench, 3, 2000);
	measure_chain(&bench, 10, 1000);
	measure_chain(&bench, 1000, 10);
	measure(&bench, "fan-out of 5 and join", fan_out, 1000);
	measure(&bench, "wide state, loop of 300", wide, 20);
	measure_kept(&bench, "fan-out of 5 and join", fan_out, 100);
	measure_kept(&bench, "wide state, loop of 300", wide, 3);
	measure_handing_on(&bench);
	measure_loading(&bench);
	later_free(bench.later);
	plugins_free(bench.plugins);
	event_base_free(bench.base);
	calls_adopt(NULL);
	calls_free(calls);
	return 0;
}
