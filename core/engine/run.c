#include "base/clock.h"
#include "base/memory.h"
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

struct ss_run *run_ref(struct ss_run *run)
{
	run->references++;
	return run;
}

void run_unref(struct ss_run *run)
{
	if (--run->references > 0)
		return;
	for (size_t i = 0; i < node_of(run)->field_count; i++) {
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
	turn_unref(run->turn);
	free(run);
}

static void on_timeout(evutil_socket_t fd, short what, void *context)
{
	struct ss_run *run = context;
	struct ss_error err;
	(void)fd;
	(void)what;
	(void)ss_fail_as(&err, SS_TIMEOUT, "took longer than %g s (its timeout)",
		(double)node_of(run)->timeout_ns / 1e9);
	run_finish(run, SS_FAILED, &err);
}

static void start_timeout(struct ss_run *run)
{
	int64_t ns = node_of(run)->timeout_ns;
	const struct timeval after = {
		.tv_sec = ns / 1000000000, .tv_usec = ns % 1000000000 / 1000};
	if (ns == 0 || run->finished)
		return;
	run->timeout = evtimer_new(run->turn->engine->options.base, on_timeout, run);
	if (run->timeout == NULL || evtimer_add(run->timeout, &after) < 0)
		abort(); /* only for want of memory */
}

static struct ss_run *run_new(struct turn *turn, size_t node)
{
	const struct graph_node *graph = &turn->engine->graph->nodes[node];
	struct ss_run *run = memory_make(struct ss_run);
	run->turn = turn_ref(turn);
	run->node = node;
	run->references = 1;
	run->started_ns = clock_monotonic_ns() - turn->started_ns;
	run->read = memory_array(graph->field_count, sizeof(struct ss_value *));
	run->wrote = memory_array(graph->field_count, sizeof(struct ss_value *));
	for (size_t i = 0; i < graph->field_count; i++) {
		if (graph->slots[i] != GRAPH_NO_SLOT &&
			(graph->plugin->fields[i].access & SS_READS) != 0)
			run->read[i] = value_ref(turn->slots[graph->slots[i]]);
	}
	run->next = turn->runs;
	run->link = &turn->runs;
	if (run->next != NULL)
		run->next->link = &run->next;
	turn->runs = run;
	turn->running++;
	return run;
}

void run_start(struct turn *turn, size_t node)
{
	struct ss_error err = {0};
	struct ss_run *run = run_ref(run_new(turn, node));
	run->in_run = true;
	enum ss_result result =
		node_of(run)->plugin->agent->run(run_instance(run), run, &err);
	run->in_run = false;
	if (result == SS_PENDING)
		start_timeout(run);
	else
		run_finish(run, result, &err);
	run_unref(run);
}

/* Applies what the run wrote, after all of it was found to fit. */
static int apply_writes(struct ss_run *run, struct trace_entry *entry, struct ss_error *err)
{
	const struct graph *graph = run->turn->engine->graph;
	const struct graph_node *node = node_of(run);
	for (size_t i = 0; i < node->field_count; i++) {
		if (run->wrote[i] != NULL &&
			graph_check_value(&graph->fields[node->slots[i]], run->wrote[i], err) < 0)
			return -1;
	}
	for (size_t i = 0; i < node->field_count; i++) {
		if (run->wrote[i] == NULL)
			continue;
		value_unref(run->turn->slots[node->slots[i]]);
		run->turn->slots[node->slots[i]] = run->wrote[i];
		run->wrote[i] = NULL;
		entry->wrote[node->slots[i]] = true;
	}
	return 0;
}

static void apply_fallbacks(struct ss_run *run, struct trace_entry *entry)
{
	const struct graph_node *node = node_of(run);
	for (size_t i = 0; i < node->fallback_count; i++) {
		size_t slot = node->fallbacks[i].slot;
		value_unref(run->turn->slots[slot]);
		run->turn->slots[slot] = value_ref(node->fallbacks[i].value);
		entry->wrote[slot] = true;
	}
}

static void leave_turn(struct ss_run *run)
{
	run->finished = true;
	*run->link = run->next;
	if (run->next != NULL)
		run->next->link = run->link;
	run->turn->running--;
	if (run->timeout != NULL)
		(void)event_del(run->timeout);
}

/* Ends the turn because of RUN, and says where it was. */
static void fail_turn(struct ss_run *run, const struct ss_error *err)
{
	struct ss_error at;
	(void)ss_fail_as(&at, err->status, "the node %s (agent %s): %.400s", node_of(run)->name,
		node_of(run)->plugin->name, err->text);
	turn_end(run->turn, &at);
}

void run_finish(struct ss_run *run, enum ss_result result, const struct ss_error *err)
{
	struct turn *turn = run->turn;
	struct ss_error failure = {0};
	if (run->finished)
		return;
	turn_ref(turn);
	run_ref(run);
	leave_turn(run);
	if (result != SS_DONE) {
		(void)ss_fail_as(&failure, SS_INTERNAL, "failed and did not say why");
		if (err != NULL && err->status != SS_OK)
			failure = *err;
	}
	struct trace_entry *entry = trace_add(turn, run, TRACE_DONE, NULL);
	if (turn->ended) {
		entry->status = TRACE_FAILED;
	} else if (result == SS_DONE && apply_writes(run, entry, &failure) == 0) {
		turn_follow(turn, run->node, entry);
	} else if (node_of(run)->has_fallback) {
		log_warning(&turn->log, "the node %s goes on with its on_error values: %s",
			node_of(run)->name, failure.text);
		entry->status = TRACE_DEGRADED;
		entry->error = memory_string(failure.text);
		apply_fallbacks(run, entry);
		turn_follow(turn, run->node, entry);
	} else {
		entry->status = TRACE_FAILED;
		entry->error = memory_string(failure.text);
		fail_turn(run, &failure);
	}
	if (!run->in_run)
		turn_advance(turn);
	run_unref(run);
	run_unref(run); /* the turn's */
	turn_unref(turn);
}
