#include "engine/turn.h"

#include "base/clock.h"
#include "base/memory.h"
#include "value/value.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

struct turn *turn_ref(struct turn *turn)
{
	turn->references++;
	return turn;
}

static void free_trace(struct turn *turn)
{
	for (size_t i = 0; i < turn->trace_count; i++) {
		free(turn->trace[i].wrote);
		free(turn->trace[i].error);
		free(turn->trace[i].taken);
	}
	free(turn->trace);
}

void turn_unref(struct turn *turn)
{
	const struct graph *graph = turn->engine->graph;
	if (--turn->references > 0)
		return;
	for (size_t i = 0; i < graph->field_count; i++)
		value_unref(turn->slots[i]);
	for (size_t i = 0; i < graph->edge_count; i++)
		free(turn->arrived[i]);
	if (turn->deadline != NULL)
		event_free(turn->deadline);
	free_trace(turn);
	free(turn->arrived);
	free(turn->slots);
	free(turn->ready);
	free(turn);
}

void turn_free(struct turn *turn)
{
	if (turn != NULL)
		turn_unref(turn);
}

static void call_over(struct later_call *call)
{
	struct turn *turn = queue_entry(call, struct turn, over_call);
	turn->over(turn->context, turn);
}

void turn_end(struct turn *turn, const struct ss_error *err)
{
	if (turn->ended)
		return;
	turn->ended = true;
	turn->ready_count = 0;
	if (err != NULL)
		turn->err = *err;
	if (turn->deadline != NULL)
		(void)event_del(turn->deadline);
	/* What still runs is of no use; its late results are dropped. */
	while (turn->runs != NULL)
		run_finish(turn->runs, SS_FAILED, err);
	later_add(turn->engine->options.later, &turn->over_call);
}

/* The nodes are started one after the other from here and not from within each other, so a long chain
 * does not make a deep stack. */
void turn_advance(struct turn *turn)
{
	if (turn->advancing)
		return;
	turn->advancing = true;
	while (!turn->ended && turn->ready_count > 0) {
		size_t node = turn->ready[turn->ready_first++];
		turn->ready_count--;
		if (++turn->steps > turn->engine->graph->max_steps) {
			struct ss_error err;
			(void)ss_fail_as(&err, SS_LIMIT,
				"the turn was ended after %lld steps (max_steps in %s); is there a "
				"cycle without a way out?",
				(long long)turn->engine->graph->max_steps,
				turn->engine->graph->file);
			turn_end(turn, &err);
			break;
		}
		run_start(turn, node);
	}
	turn->advancing = false;
	if (!turn->ended && turn->running == 0)
		turn_end(turn, NULL);
}

static void make_ready(struct turn *turn, size_t node)
{
	size_t end = turn->ready_first + turn->ready_count;
	if (end == turn->ready_capacity && turn->ready_first > 0) {
		memmove(turn->ready, turn->ready + turn->ready_first,
			turn->ready_count * sizeof *turn->ready);
		turn->ready_first = 0;
		end = turn->ready_count;
	}
	if (end == turn->ready_capacity) {
		turn->ready_capacity = turn->ready_capacity * 2 + 8;
		turn->ready =
			memory_resize(turn->ready, turn->ready_capacity, sizeof *turn->ready);
	}
	turn->ready[end] = node;
	turn->ready_count++;
}

static void take(struct turn *turn, const struct graph_edge *edge, size_t choice,
	struct trace_entry *entry)
{
	if (entry != NULL) {
		entry->taken = memory_resize(
			entry->taken, entry->taken_count + 1, sizeof(struct trace_edge));
		entry->taken[entry->taken_count++] = (struct trace_edge){edge, choice};
	}
	if (edge->choices[choice].to != GRAPH_END)
		make_ready(turn, edge->choices[choice].to);
}

static void choose(struct turn *turn, const struct graph_edge *edge, struct trace_entry *entry)
{
	struct ss_error err = {0};
	for (size_t i = 0; i < edge->choice_count; i++) {
		bool is_true = edge->choices[i].when == NULL;
		if (!is_true &&
			expr_is_true(edge->choices[i].when, turn->slots, &is_true, &err) < 0) {
			struct ss_error at;
			(void)ss_fail_as(&at, err.status, "%s:%zu: the condition \"%.200s\": %.150s",
				turn->engine->graph->file, edge->line, edge->choices[i].text,
				err.text);
			turn_end(turn, &at);
			return;
		}
		if (is_true) {
			take(turn, edge, i, entry);
			return;
		}
	}
}

/* Notes that NODE, one of those that EDGE waits for, has finished. Returns whether all of them have. */
static bool arrive(struct turn *turn, size_t row, size_t node)
{
	const struct graph_edge *edge = &turn->engine->graph->edges[row];
	size_t *arrived = turn->arrived[row];
	bool all = true;
	if (arrived == NULL)
		arrived = turn->arrived[row] = memory_array(edge->from_count, sizeof *arrived);
	for (size_t i = 0; i < edge->from_count; i++) {
		arrived[i] += edge->from[i] == node;
		all = all && arrived[i] > 0;
	}
	for (size_t i = 0; all && i < edge->from_count; i++)
		arrived[i]--;
	return all;
}

void turn_follow(struct turn *turn, size_t node, struct trace_entry *entry)
{
	const struct graph *graph = turn->engine->graph;
	const size_t *out = node == GRAPH_START ? graph->start : graph->nodes[node].out;
	size_t count = node == GRAPH_START ? graph->start_count : graph->nodes[node].out_count;
	for (size_t i = 0; i < count && !turn->ended; i++) {
		const struct graph_edge *edge = &graph->edges[out[i]];
		if (edge->join && !arrive(turn, out[i], node))
			continue;
		if (edge->chooses) {
			choose(turn, edge, entry);
			continue;
		}
		for (size_t j = 0; j < edge->choice_count; j++)
			take(turn, edge, j, entry);
	}
}

static int set_input(struct turn *turn, const struct ss_value *input, struct ss_error *err)
{
	const struct graph *graph = turn->engine->graph;
	for (size_t i = 0; i < graph->field_count; i++)
		turn->slots[i] = value_ref(graph->fields[i].initial);
	for (size_t i = 0; i < value_count(input); i++) {
		size_t slot = graph_slot(graph, value_key_at(input, i));
		if (slot == GRAPH_NO_SLOT)
			return ss_fail_as(err, SS_INVALID, "the state has no field \"%.60s\"",
				value_key_at(input, i));
		if (graph_check_value(&graph->fields[slot], value_at(input, i), err) < 0)
			return -1;
		value_unref(turn->slots[slot]);
		turn->slots[slot] = value_ref(value_at(input, i));
	}
	return 0;
}

static void on_deadline(evutil_socket_t fd, short what, void *context)
{
	struct turn *turn = context;
	struct ss_error err;
	(void)fd;
	(void)what;
	(void)ss_fail_as(&err, SS_TIMEOUT, "the turn took longer than %g s (timeout in %s)",
		(double)turn->engine->graph->timeout_ns / 1e9, turn->engine->graph->file);
	turn_end(turn, &err);
}

static void start_deadline(struct turn *turn)
{
	int64_t ns = turn->engine->graph->timeout_ns;
	const struct timeval after = {
		.tv_sec = ns / 1000000000, .tv_usec = ns % 1000000000 / 1000};
	turn->deadline = evtimer_new(turn->engine->options.base, on_deadline, turn);
	if (turn->deadline == NULL || evtimer_add(turn->deadline, &after) < 0)
		abort(); /* only for want of memory */
}

struct turn *turn_start(struct engine *engine, const struct ss_value *input, const struct log *log,
	turn_over *over, void *context, struct ss_error *err)
{
	const struct graph *graph = engine->graph;
	struct turn *turn = memory_make(struct turn);
	turn->engine = engine;
	turn->references = 1;
	turn->over_call.call = call_over;
	turn->over = over;
	turn->context = context;
	turn->log = *log;
	turn->started_ns = clock_monotonic_ns();
	turn->slots = memory_array(graph->field_count, sizeof(struct ss_value *));
	turn->arrived = memory_array(graph->edge_count, sizeof(size_t *));
	if (set_input(turn, input, err) < 0) {
		turn_unref(turn);
		return NULL;
	}
	start_deadline(turn);
	turn_follow(turn, GRAPH_START, NULL);
	turn_advance(turn);
	return turn;
}

const struct ss_error *turn_error(const struct turn *turn)
{
	return turn->err.status != SS_OK ? &turn->err : NULL;
}

const struct ss_value *turn_field(const struct turn *turn, const char *name)
{
	size_t slot = graph_slot(turn->engine->graph, name);
	return slot != GRAPH_NO_SLOT ? turn->slots[slot] : NULL;
}

struct ss_value *turn_state(const struct turn *turn)
{
	const struct graph *graph = turn->engine->graph;
	const char **keys = memory_array(graph->field_count, sizeof *keys);
	struct ss_value **values = memory_array(graph->field_count, sizeof(struct ss_value *));
	for (size_t i = 0; i < graph->field_count; i++) {
		keys[i] = graph->fields[i].name;
		values[i] = value_ref(turn->slots[i]);
	}
	struct ss_value *state = value_map(keys, values, graph->field_count);
	free(keys);
	free(values);
	return state;
}
