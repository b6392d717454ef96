#include "engine/engine.h"

#include "base/clock.h"
#include "base/memory.h"
#include "engine/turn.h"
#include "plugin/plugin.h"
#include "service/metrics.h"
#include "service/store.h"
#include "value/value.h"

#include <event2/event.h>
#include <stdlib.h>

/* For each row of the agent's fields: the values of the enum that it is bound to. */
static const struct ss_value **field_values(
	const struct graph *graph, const struct graph_node *node)
{
	const struct ss_value **values = memory_array(node->field_count, sizeof(struct ss_value *));
	for (size_t i = 0; i < node->field_count; i++) {
		if (node->slots[i] != GRAPH_NO_SLOT)
			values[i] = graph->fields[node->slots[i]].values;
	}
	return values;
}

static struct program *make_program(struct engine *engine, const struct graph *graph,
	const char *outer, struct diagnostics *diagnostics);

/* For agents that block: so many of them run at once, and so many wait. */
enum { POOL_THREADS = 4, POOL_LIMIT = 256 };

/* Makes the pool with the first agent that blocks. */
static int prepare_to_block(struct engine *engine, struct engine_node *node, struct ss_error *err)
{
	unsigned running = plugin_running(node->graph->plugin);
	node->blocks = (running & SS_BLOCKS) != 0;
	node->lane = (running & SS_CONCURRENTLY) == 0 ? &node->calls : NULL;
	if (!node->blocks || engine->threads != NULL)
		return 0;
	engine->threads =
		thread_pool_new(engine->options.base, "agents", POOL_THREADS, POOL_LIMIT, err);
	return engine->threads != NULL ? 0 : -1;
}

/* What calls of NODE are noted as. */
static struct call_site *site_of(
	const struct graph *graph, const struct graph_node *node, const char *path)
{
	struct call_name name = {0};
	(void)snprintf(name.workflow, sizeof name.workflow, "%s", graph->name);
	(void)snprintf(name.node, sizeof name.node, "%s", path);
	(void)snprintf(name.kind, sizeof name.kind, "agent");
	(void)snprintf(name.agent, sizeof name.agent, "%s", node->plugin->name);
	return calls_site(&name, graph->hash, node->plugin);
}

/* Makes the instance, unless the node is in quarantine. */
static int create_instance(
	struct engine_node *node, const struct ss_setup *setup, struct ss_error *err)
{
	node->left_out = call_is_quarantined(node->site);
	if (node->left_out)
		return 0;
	calls_begin_making(node->site, CALL_CREATE);
	int result = node->graph->plugin->agent->create(setup, &node->instance, err);
	calls_end();
	node->created = result == 0;
	return result;
}

/* PATH is its name, behind those of the nodes around it. */
static int create_node(struct engine *engine, const struct graph *graph, struct engine_node *node,
	const char *path, struct diagnostics *diagnostics)
{
	struct ss_error err = {0};
	const struct ss_value **values = field_values(graph, node->graph);
	host_init(&node->host, node->graph->name, engine->options.log, engine->options.http);
	engine_host_init(&node->host);
	const struct ss_setup setup = {
		.struct_size = sizeof setup,
		.host = &node->host.table,
		.name = node->graph->name,
		.options = (const struct ss_value *const *)node->graph->options,
		.field_values = values,
	};
	int result = prepare_to_block(engine, node, &err);
	node->site = site_of(graph, node->graph, path);
	if (result == 0)
		result = create_instance(node, &setup, &err);
	if (result < 0)
		diagnostics_add(diagnostics, graph->file, node->graph->line, node->graph->column,
			"the node %s: %s", node->graph->name, err.text);
	free(values);
	return result;
}

static void destroy_instance(struct engine_node *node)
{
	calls_begin(node->site, CALL_DESTROY);
	node->graph->plugin->agent->destroy(node->instance);
	calls_end();
}

static void free_program(struct program *program)
{
	for (size_t i = 0; i < program->graph->node_count; i++) {
		struct engine_node *node = &program->nodes[i];
		if (node->inner != NULL)
			free_program(node->inner);
		if (node->created)
			destroy_instance(node);
		cache_free(node->cache);
	}
	free(program->nodes);
	free(program);
}

/* NAME is the node's, behind those of the nodes around it. */
static int make_node(struct engine *engine, const struct graph *graph, struct engine_node *node,
	const char *name, struct diagnostics *diagnostics)
{
	node->metric = metrics_node(engine->options.metrics, name);
	if (node->graph->cache.slots != NULL)
		node->cache = cache_new(&node->graph->cache);
	if (node->graph->workflow == NULL)
		return create_node(engine, graph, node, name, diagnostics);
	node->inner = make_program(engine, node->graph->workflow, name, diagnostics);
	return node->inner != NULL ? 0 : -1;
}

static struct program *make_program(struct engine *engine, const struct graph *graph,
	const char *outer, struct diagnostics *diagnostics)
{
	bool failed = false;
	struct program *program = memory_make(struct program);
	program->graph = graph;
	program->nodes = memory_array(graph->node_count, sizeof(struct engine_node));
	for (size_t i = 0; i < graph->node_count; i++) {
		char *name = memory_format(
			"%s%s%s", outer, *outer != '\0' ? "/" : "", graph->nodes[i].name);
		program->nodes[i].graph = &graph->nodes[i];
		failed |= make_node(engine, graph, &program->nodes[i], name, diagnostics) < 0;
		free(name);
	}
	if (!failed)
		return program;
	free_program(program);
	return NULL;
}

/* xorshift64* (Vigna 2016). */
size_t engine_random(struct engine *engine, size_t limit)
{
	uint64_t *state = &engine->randomness;
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (size_t)((*state * UINT64_C(2685821657736338717)) >> 33) % limit;
}

/* How long the engine may keep the loop before it lets it see to other things. */
enum { SLICE_NS = 1000000 };

/* How long it looks whether what turns came to is stored before it sleeps: a commit may take less than to wake up. */
enum { POLL_NS = 50000 };

/* Some turn waits. Turns are advanced from here, one step each in turn, and never from within each other: neither a long
 * chain of nodes nor agents that finish each other's runs make a deep stack. */
static void advance(struct engine *engine)
{
	static const struct timeval at_once = {0};
	int64_t until = clock_monotonic_ns() + SLICE_NS;
	engine->advancing = true;
	do {
		struct turn *turn = engine->first;
		engine->first = turn->next_waiting;
		turn->waiting = false;
		turn_step(turn);
		if (turn_can_step(turn))
			engine_advance(turn);
		turn_unref(turn);
		/* Only what the loop called may call what waits for the store. */
		if (engine->first == NULL && engine->polls && engine->saving > 0)
			store_poll(engine->options.store, POLL_NS);
	} while (engine->first != NULL && clock_monotonic_ns() < until);
	engine->advancing = false;
	/* Who starts a turn is not called back before that returns, so the loop looks at once. */
	bool looks = engine->saving > 0 && !engine->polls && !engine->goes_on;
	if (engine->first == NULL && !looks)
		return;
	/* A timer, since what is made active within a round is still seen to in the same round. */
	engine->goes_on = true;
	if (evtimer_add(engine->go_on, &at_once) < 0)
		abort(); /* only for want of memory */
}

static void on_go_on(evutil_socket_t fd, short what, void *context)
{
	struct engine *engine = context;
	(void)fd;
	(void)what;
	engine->goes_on = false;
	engine->polls = true;
	if (engine->first != NULL)
		advance(engine);
	else if (engine->saving > 0)
		store_poll(engine->options.store, POLL_NS);
	engine->polls = false;
}

bool engine_hold(struct engine *engine)
{
	bool held = engine->advancing;
	engine->advancing = true;
	return held;
}

void engine_release(struct engine *engine, bool held)
{
	engine->advancing = held;
	if (!held && engine->first != NULL && !engine->goes_on)
		advance(engine);
}

void engine_advance(struct turn *turn)
{
	struct engine *engine = turn->engine;
	if (turn->waiting || turn->status != TURN_RUNNING)
		return;
	turn->waiting = true;
	turn->next_waiting = NULL;
	if (engine->first != NULL)
		engine->last->next_waiting = turn;
	else
		engine->first = turn;
	engine->last = turn_ref(turn);
	if (!engine->advancing && !engine->goes_on)
		advance(engine);
}

struct engine *engine_new(const struct engine_options *options, const struct graph *graph,
	struct diagnostics *diagnostics)
{
	struct engine *engine = memory_make(struct engine);
	engine->options = *options;
	engine->randomness = options->shuffle != 0 ? options->shuffle * UINT64_C(0x9e3779b97f4a7c15)
						   : (uint64_t)clock_utc_ns();
	engine->randomness |= engine->randomness == 0;
	process_name(engine->process);
	engine->go_on = evtimer_new(options->base, on_go_on, engine);
	if (engine->go_on == NULL)
		abort(); /* only for want of memory */
	engine->program = make_program(engine, graph, "", diagnostics);
	if (engine->program == NULL) {
		engine_free(engine);
		return NULL;
	}
	return engine;
}

void engine_stop(struct engine *engine)
{
	struct ss_error err;
	if (engine == NULL)
		return;
	engine->stopped = true;
	(void)ss_fail_as(&err, SS_UNAVAILABLE, "the server is stopping");
	for (struct turn *turn = engine->turns; turn != NULL; turn = turn->next)
		turn_end(turn, &err);
}

bool engine_is_idle(const struct engine *engine)
{
	return engine->turns == NULL && engine->saving == 0;
}

/* A turn that is left is held by runs whose agents said that they would finish and did not. */
static void free_left(struct engine *engine, struct turn *turn)
{
	for (const struct ss_run *run = turn->runs; run != NULL; run = run->next_made) {
		const struct graph_node *node = task_node(run->task);
		if (run->references > 0 && node->plugin != NULL)
			log_warning(engine->options.log,
				"the agent %s never finished a run of the node %s",
				node->plugin->name, node->name);
	}
	turn_destroy(turn);
}

void engine_free(struct engine *engine)
{
	if (engine == NULL)
		return;
	/* Waits for the agents that still block; that gives back the runs and turns that they hold. */
	thread_pool_free(engine->threads);
	engine->threads = NULL;
	/* Outer turns first, as they free the inner ones that nobody else holds. */
	for (struct turn *turn = engine->turns, *next; turn != NULL; turn = next) {
		next = turn->outer == NULL ? NULL : turn->next;
		if (turn->outer == NULL) {
			free_left(engine, turn);
			next = engine->turns;
		}
	}
	while (engine->turns != NULL)
		free_left(engine, engine->turns);
	if (engine->program != NULL)
		free_program(engine->program);
	event_free(engine->go_on);
	arena_pool_free(&engine->pool);
	free(engine);
}
