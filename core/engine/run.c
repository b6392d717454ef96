#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/turn.h"
#include "value/value.h"

#include <event2/event.h>
#include <stdlib.h>

static const struct graph_node *node_of(const struct ss_run *run)
{
	return &run->turn->engine->graph->nodes[run->node];
}

void *run_instance(const struct ss_run *run)
{
	return run->turn->engine->nodes[run->node].instance;
}

bool run_is_running(const struct ss_run *run)
{
	return run->state == RUN_RUNNING;
}

static void list_add(struct run_list *list, struct ss_run *run)
{
	run->next = NULL;
	run->before = list->last;
	if (list->last != NULL)
		list->last->next = run;
	else
		list->first = run;
	list->last = run;
	list->count++;
}

static void list_remove(struct run_list *list, struct ss_run *run)
{
	if (run->before != NULL)
		run->before->next = run->next;
	else
		list->first = run->next;
	if (run->next != NULL)
		run->next->before = run->before;
	else
		list->last = run->before;
	list->count--;
}

struct ss_run *run_ref(struct ss_run *run)
{
	run->references++;
	return run;
}

void run_clear(struct ss_run *run)
{
	for (size_t i = 0; run->read != NULL && i < node_of(run)->field_count; i++) {
		value_unref(run->read[i]);
		value_unref(run->wrote[i]);
	}
	while (run->memory != NULL) {
		struct run_memory *next = run->memory->next;
		free(run->memory);
		run->memory = next;
	}
	if (run->timeout != NULL)
		event_free(run->timeout);
	free(run->read);
	free(run->wrote);
	run->timeout = NULL;
	run->read = NULL;
	run->wrote = NULL;
}

void run_unref(struct ss_run *run)
{
	if (--run->references > 0)
		return;
	run_clear(run);
	turn_unref(run->turn);
}

void run_free(struct ss_run *run)
{
	run_clear(run);
	free(run->changed);
	free(run->error);
	free(run->taken);
	free(run);
}

void run_add(struct turn *turn, size_t node)
{
	const struct graph_node *graph = &turn->engine->graph->nodes[node];
	struct ss_run *run = memory_make(struct ss_run);
	run->turn = turn_ref(turn);
	run->node = node;
	run->references = 1;
	run->read = memory_array(graph->field_count, sizeof(struct ss_value *));
	run->wrote = memory_array(graph->field_count, sizeof(struct ss_value *));
	for (size_t i = 0; i < graph->field_count; i++) {
		if (graph->slots[i] != GRAPH_NO_SLOT &&
			(graph->plugin->fields[i].access & SS_READS) != 0)
			run->read[i] = value_ref(turn->slots[graph->slots[i]]);
	}
	list_add(&turn->ready, run);
}

static void on_timeout(evutil_socket_t fd, short what, void *context)
{
	struct ss_run *run = context;
	struct ss_error err;
	(void)fd;
	(void)what;
	(void)ss_fail_as(&err, SS_TIMEOUT, "took longer than %g s (its timeout)",
		(double)node_of(run)->timeout_ns / 1e9);
	run_end(run, SS_FAILED, &err);
}

static void start_timeout(struct ss_run *run)
{
	int64_t ns = node_of(run)->timeout_ns;
	const struct timeval after = {.tv_sec = ns / 1000000000, .tv_usec = ns % 1000000000 / 1000};
	if (ns == 0 || !run_is_running(run))
		return;
	run->timeout = evtimer_new(run->turn->engine->options.base, on_timeout, run);
	if (run->timeout == NULL || evtimer_add(run->timeout, &after) < 0)
		abort(); /* only for want of memory */
}

void run_start(struct turn *turn)
{
	struct ss_error err = {0};
	struct ss_run *run = turn->ready.first;
	list_remove(&turn->ready, run);
	list_add(&turn->running, run);
	run->state = RUN_RUNNING;
	run->started_ns = clock_monotonic_ns() - turn->started_ns;
	run->agents = true;
	(void)run_ref(run);
	/* One more, since the agent may finish() and still read while it is on the stack. */
	(void)run_ref(run);
	enum ss_result result = node_of(run)->plugin->agent->run(run_instance(run), run, &err);
	if (result == SS_PENDING)
		start_timeout(run);
	else
		run_finish(run, result, &err);
	run_unref(run);
}

/* Applies what the run wrote, after all of it was found to fit. */
static int apply_writes(struct ss_run *run, struct ss_error *err)
{
	const struct graph *graph = run->turn->engine->graph;
	const struct graph_node *node = node_of(run);
	for (size_t i = 0; i < node->field_count; i++) {
		if (run->wrote[i] == NULL)
			continue;
		run->wrote[i] = graph_fit_value(&graph->fields[node->slots[i]], run->wrote[i], err);
		if (run->wrote[i] == NULL)
			return -1;
	}
	for (size_t i = 0; i < node->field_count; i++) {
		if (run->wrote[i] == NULL)
			continue;
		value_unref(run->turn->slots[node->slots[i]]);
		run->turn->slots[node->slots[i]] = run->wrote[i];
		run->wrote[i] = NULL;
		run->changed[node->slots[i]] = true;
	}
	return 0;
}

static void apply_fallbacks(struct ss_run *run)
{
	const struct graph_node *node = node_of(run);
	for (size_t i = 0; i < node->fallback_count; i++) {
		size_t slot = node->fallbacks[i].slot;
		value_unref(run->turn->slots[slot]);
		run->turn->slots[slot] = value_ref(node->fallbacks[i].value);
		run->changed[slot] = true;
	}
}

/* RUN runs no more: it goes to the turn's record. */
static void leave(struct ss_run *run, enum run_state state)
{
	struct turn *turn = run->turn;
	list_remove(&turn->running, run);
	list_add(&turn->over_runs, run);
	run->state = state;
	run->duration_ns = clock_monotonic_ns() - turn->started_ns - run->started_ns;
	run->changed = memory_array(turn->engine->graph->field_count, sizeof(bool));
	if (run->timeout != NULL)
		(void)event_del(run->timeout);
}

/* Goes on with the fallback, or ends the turn and says where it was. */
static void fail(struct ss_run *run, const struct ss_error *err)
{
	struct turn *turn = run->turn;
	const struct graph_node *node = node_of(run);
	run->error = memory_string(err->text);
	if (node->has_fallback) {
		log_warning(&turn->log, "the node %s goes on with its on_error values: %s",
			node->name, err->text);
		run->state = RUN_DEGRADED;
		apply_fallbacks(run);
		turn_follow(turn, run->node, run);
		return;
	}
	struct ss_error at;
	(void)ss_fail_as(&at, err->status, "the node %s (agent %s): %.*s", node->name,
		node->plugin->name, text_fit(err->text, 300), err->text);
	run->state = RUN_FAILED;
	turn_end(turn, &at);
}

void run_end(struct ss_run *run, enum ss_result result, const struct ss_error *err)
{
	struct turn *turn = run->turn;
	struct ss_error failure = {.status = SS_INTERNAL, .text = "failed and did not say why"};
	if (!run_is_running(run))
		return;
	(void)turn_ref(turn);
	leave(run, RUN_DONE);
	if (result != SS_DONE && err != NULL && err->status != SS_OK)
		failure = *err;
	if (result == SS_DONE && apply_writes(run, &failure) == 0)
		turn_follow(turn, run->node, run);
	else
		fail(run, &failure);
	engine_advance(turn);
	run_unref(run); /* the turn's */
	turn_unref(turn);
}

void run_finish(struct ss_run *run, enum ss_result result, const struct ss_error *err)
{
	run_end(run, result, err);
	if (!run->agents)
		return;
	run->agents = false;
	run_unref(run);
}

void run_stop(struct ss_run *run)
{
	if (run->state == RUN_READY) {
		list_remove(&run->turn->ready, run);
		run_unref(run);
		run_free(run);
		return;
	}
	leave(run, RUN_STOPPED);
	run_unref(run);
}
