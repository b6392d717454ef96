#include "engine/turn.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "value/value.h"

#include <event2/event.h>
#include <stdlib.h>

struct turn *turn_ref(struct turn *turn)
{
	turn->references++;
	return turn;
}

/* What may hold a run is known, and a run that is held holds the turn: so all of them are over. */
void turn_destroy(struct turn *turn)
{
	struct engine *engine = turn->engine;
	const struct graph *graph = engine->graph;
	if (turn->next != NULL)
		turn->next->before = turn->before;
	if (turn->before != NULL)
		turn->before->next = turn->next;
	else
		engine->turns = turn->next;
	while (turn->over_runs.first != NULL) {
		struct ss_run *run = turn->over_runs.first;
		turn->over_runs.first = run->next;
		run_free(run);
	}
	for (size_t i = 0; i < graph->field_count; i++)
		value_unref(turn->slots[i]);
	for (size_t i = 0; i < graph->edge_count; i++)
		free(turn->arrived[i]);
	if (turn->deadline != NULL)
		event_free(turn->deadline);
	free(turn->arrived);
	free(turn->slots);
	free(turn);
}

void turn_unref(struct turn *turn)
{
	if (--turn->references == 0)
		turn_destroy(turn);
}

void turn_free(struct turn *turn)
{
	struct ss_error err;
	if (turn == NULL)
		return;
	turn->over = NULL;
	(void)ss_fail_as(&err, SS_UNAVAILABLE, "the turn was given up");
	turn_end(turn, &err);
	turn_unref(turn);
}

static void call_over(struct later_call *call)
{
	struct turn *turn = queue_entry(call, struct turn, over_call);
	if (turn->over != NULL)
		turn->over(turn->context, turn);
	turn_unref(turn);
}

void turn_end(struct turn *turn, const struct ss_error *err)
{
	if (turn->ended)
		return;
	(void)turn_ref(turn);
	turn->ended = true;
	if (err != NULL)
		turn->err = *err;
	if (turn->deadline != NULL)
		(void)event_del(turn->deadline);
	/* What still runs is of no use; its late results are dropped. */
	while (turn->ready.first != NULL)
		run_stop(turn->ready.first);
	while (turn->running.first != NULL)
		run_stop(turn->running.first);
	if (turn->over != NULL) {
		(void)turn_ref(turn);
		later_add(turn->engine->options.later, &turn->over_call);
	}
	turn_unref(turn);
}

void turn_step(struct turn *turn)
{
	const struct graph *graph = turn->engine->graph;
	if (!turn->ended && turn->ready.count > 0) {
		if (++turn->steps <= graph->max_steps) {
			run_start(turn);
		} else {
			struct ss_error err;
			(void)ss_fail_as(&err, SS_LIMIT,
				"the turn was ended after %lld steps (max_steps in %s); is there a "
				"cycle without a way out?",
				(long long)graph->max_steps, graph->file);
			turn_end(turn, &err);
		}
	}
	if (!turn->ended && turn->ready.count == 0 && turn->running.count == 0)
		turn_end(turn, NULL);
}

static void take(
	struct turn *turn, const struct graph_edge *edge, size_t choice, struct ss_run *run)
{
	if (run != NULL) {
		run->taken = memory_resize(run->taken, run->taken_count + 1, sizeof(struct taken));
		run->taken[run->taken_count++] = (struct taken){edge, choice};
	}
	if (edge->choices[choice].to != GRAPH_END)
		run_add(turn, edge->choices[choice].to);
}

static void choose(struct turn *turn, const struct graph_edge *edge, struct ss_run *run)
{
	struct ss_error err = {0};
	for (size_t i = 0; i < edge->choice_count; i++) {
		bool is_true = edge->choices[i].when == NULL;
		if (!is_true &&
			expr_is_true(edge->choices[i].when, turn->slots, &is_true, &err) < 0) {
			struct ss_error at;
			(void)ss_fail_as(&at, err.status, "%s:%zu:%zu: the condition \"%.*s\": %s",
				turn->engine->graph->file, edge->choices[i].line,
				edge->choices[i].column, text_fit(edge->choices[i].text, 120),
				edge->choices[i].text, err.text);
			turn_end(turn, &at);
			return;
		}
		if (is_true) {
			take(turn, edge, i, run);
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

void turn_follow(struct turn *turn, size_t node, struct ss_run *run)
{
	const struct graph *graph = turn->engine->graph;
	const size_t *out = node == GRAPH_START ? graph->start : graph->nodes[node].out;
	size_t count = node == GRAPH_START ? graph->start_count : graph->nodes[node].out_count;
	for (size_t i = 0; i < count && !turn->ended; i++) {
		const struct graph_edge *edge = &graph->edges[out[i]];
		if (edge->join && !arrive(turn, out[i], node))
			continue;
		if (edge->chooses) {
			choose(turn, edge, run);
			continue;
		}
		for (size_t j = 0; j < edge->choice_count; j++)
			take(turn, edge, j, run);
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
			return ss_fail_as(err, SS_INVALID, "the state has no field \"%.*s\"",
				text_fit(value_key_at(input, i), 60), value_key_at(input, i));
		struct ss_value *value =
			graph_fit_value(&graph->fields[slot], value_ref(value_at(input, i)), err);
		if (value == NULL)
			return -1;
		value_unref(turn->slots[slot]);
		turn->slots[slot] = value;
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
	const struct timeval after = {.tv_sec = ns / 1000000000, .tv_usec = ns % 1000000000 / 1000};
	turn->deadline = evtimer_new(turn->engine->options.base, on_deadline, turn);
	if (turn->deadline == NULL || evtimer_add(turn->deadline, &after) < 0)
		abort(); /* only for want of memory */
}

struct turn *turn_start(struct engine *engine, const struct ss_value *input, const struct log *log,
	turn_over *over, void *context, struct ss_error *err)
{
	const struct graph *graph = engine->graph;
	if (engine->stopped) {
		(void)ss_fail_as(err, SS_UNAVAILABLE, "the server is stopping");
		return NULL;
	}
	struct turn *turn = memory_make(struct turn);
	turn->engine = engine;
	turn->references = 1;
	turn->next = engine->turns;
	if (turn->next != NULL)
		turn->next->before = turn;
	engine->turns = turn;
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
	engine_advance(turn);
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
