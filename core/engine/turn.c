/* Turns, from their input to their end. */
#include "engine/turn.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

void list_add(struct task_list *list, struct task *task)
{
	task->next = NULL;
	task->before = list->last;
	if (list->last != NULL)
		list->last->next = task;
	else
		list->first = task;
	list->last = task;
	list->count++;
}

void list_remove(struct task_list *list, struct task *task)
{
	if (task->before != NULL)
		task->before->next = task->next;
	else
		list->first = task->next;
	if (task->next != NULL)
		task->next->before = task->before;
	else
		list->last = task->before;
	list->count--;
}

struct event *turn_timer(struct turn *turn, int64_t ns, event_callback_fn call, void *context)
{
	const struct timeval after = {.tv_sec = ns / 1000000000, .tv_usec = ns % 1000000000 / 1000};
	struct event *event = arena_take(&turn->arena, event_get_struct_event_size());
	if (evtimer_assign(event, turn->engine->options.base, call, context) < 0 ||
		evtimer_add(event, &after) < 0)
		abort(); /* only for want of memory */
	return event;
}

struct turn *turn_ref(struct turn *turn)
{
	turn->references++;
	return turn;
}

static void clear_task(const struct task *task)
{
	value_unref(task->missing);
	value_unref(task->models);
	for (size_t i = 0; i < task->copy_count; i++) {
		value_unref(task->copies[i].item);
		value_unref(task->copies[i].payload);
		value_unref(task->copies[i].answer);
		turn_free(task->copies[i].inner);
	}
}

static void clear_run(const struct ss_run *run)
{
	for (size_t i = 0; i < run->write_count; i++)
		value_unref(run->writes[i].value);
	value_unref(run->payload);
}

/* What may hold a run is known, and a run that is held holds the turn: so all of them are over, but for
 * those whose agents never finish. */
void turn_destroy(struct turn *turn)
{
	struct engine *engine = turn->engine;
	if (turn->next != NULL)
		turn->next->before = turn->before;
	if (turn->before != NULL)
		turn->before->next = turn->next;
	else
		engine->turns = turn->next;
	for (const struct task *task = turn->over_tasks.first; task != NULL; task = task->next)
		clear_task(task);
	for (const struct ss_run *run = turn->runs; run != NULL; run = run->next_made)
		clear_run(run);
	view_forget(turn);
	journal_free(turn->journal);
	record_unref(turn->record);
	struct arena arena = turn->arena;
	arena_free(&arena);
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
	turn->event = NULL;
	(void)ss_fail_as(&err, SS_UNAVAILABLE, "the turn was given up");
	turn_end(turn, &err);
	turn_unref(turn);
}

static void call_over(struct later_call *call)
{
	struct turn *turn = queue_entry(call, struct turn, over_call);
	turn_over *over = turn->closed != NULL ? turn->closed : turn->over;
	if (turn->over != NULL)
		over(turn->context, turn);
	turn_unref(turn);
}

static void tell_later(struct turn *turn)
{
	if (turn->over == NULL)
		return;
	(void)turn_ref(turn);
	later_add(turn->engine->options.later, &turn->over_call);
}

void turn_tell_over(struct turn *turn)
{
	if (turn->deadline != NULL)
		(void)event_del(turn->deadline);
	if (!journal_is_open(turn) && !journal_close(turn))
		return;
	if (turn->told) {
		if (turn->closed != NULL)
			tell_later(turn);
		return;
	}
	turn->told = journal_is_open(turn);
	event_over(turn);
	tell_later(turn);
}

bool turn_confirm(struct turn *turn, const struct ss_error *err, turn_over *closed)
{
	if (!turn->told || turn->status != TURN_DONE)
		return true;
	if (err != NULL) {
		turn->status = TURN_FAILED;
		turn->err = *err;
	}
	turn->closed = closed;
	return journal_confirm(turn);
}

void turn_keep(struct turn *turn, struct view *view)
{
	struct ss_error err = {0}; /* of what cannot be added any more: it fails already */
	turn->result = turn->result != NULL ? view_merge(turn, turn->result, view, &err) : view;
}

/* What tasks have seen so far stays to be looked at. */
static void collect(struct turn *turn, struct task_list *list)
{
	while (list->first != NULL) {
		struct task *task = list->first;
		struct view *view = task->view;
		task->view = NULL;
		task_stop(task);
		if (view != NULL)
			turn_keep(turn, view);
	}
}

void turn_end(struct turn *turn, const struct ss_error *err)
{
	if (turn->status == TURN_DONE || turn->status == TURN_FAILED)
		return;
	(void)turn_ref(turn);
	turn->status = err != NULL ? TURN_FAILED : TURN_DONE;
	if (err != NULL)
		turn->err = *err;
	/* What still runs is of no use; its late results are dropped. */
	collect(turn, &turn->ready);
	collect(turn, &turn->running);
	collect(turn, &turn->asking);
	turn_tell_over(turn);
	turn_unref(turn);
}

/* Whether the first task that is ready waits for the journal. */
static bool is_gated(const struct turn *turn)
{
	return turn->ready.count > 0 && !journal_allows(turn, turn->ready.first->needs);
}

static bool may_start(const struct turn *turn)
{
	return turn->ready.count > 0 &&
	       turn->running.count < (size_t)turn->program->graph->max_parallel && !is_gated(turn);
}

/* The copy that is finished next of those that are held back: all that run are, so that any may be first. */
static struct copy *choose_held(const struct turn *turn)
{
	size_t held = 0;
	for (int pass = 0; pass < 2; pass++) {
		size_t chosen = pass == 0 ? SIZE_MAX : engine_random(turn->engine, held);
		size_t at = 0;
		for (const struct task *task = turn->running.first; task != NULL;
			task = task->next) {
			for (size_t i = 0; i < task->begun; i++) {
				struct copy *copy = &task->copies[i];
				if (copy->state == COPY_WAITING ||
					(copy->state == COPY_RUNNING && !copy->held))
					return NULL;
				if (copy->state == COPY_RUNNING && at++ == chosen)
					return copy;
			}
		}
		held = at;
		if (held == 0)
			return NULL;
	}
	return NULL;
}

bool turn_can_step(const struct turn *turn)
{
	if (turn->status != TURN_RUNNING)
		return false;
	if (may_start(turn) || turn->running.count + turn->ready.count == 0 ||
		journal_has_work(turn))
		return true;
	return turn->engine->options.shuffle != 0 && choose_held(turn) != NULL;
}

/* The next task that starts: the first that is ready, or, to test that it does not matter, any that may. */
static struct task *choose_ready(const struct turn *turn)
{
	size_t count = 0;
	struct task *next = turn->ready.first;
	if (turn->engine->options.shuffle == 0)
		return next;
	for (const struct task *task = next; task != NULL && journal_allows(turn, task->needs);
		task = task->next)
		count++;
	for (size_t i = engine_random(turn->engine, count); i > 0; i--)
		next = next->next;
	return next;
}

static void start_next(struct turn *turn)
{
	const struct graph *graph = turn->program->graph;
	if (++turn->steps <= graph->max_steps) {
		task_start(choose_ready(turn));
		return;
	}
	struct ss_error err;
	(void)ss_fail_as(&err, SS_LIMIT,
		"the turn was ended after %lld steps (max_steps in %s); is there a "
		"cycle without a way out?",
		(long long)graph->max_steps, graph->file);
	turn_end(turn, &err);
}

/* All branches have ended. What they bring together is looked at when it is complete, so that it does not matter which
 * of them was first. */
static void end_well(struct turn *turn)
{
	struct ss_error err;
	bool fits = turn->result == NULL || view_check(turn, turn->result, &err) == 0;
	turn_end(turn, fits ? NULL : &err);
}

void turn_step(struct turn *turn)
{
	if (turn->status != TURN_RUNNING)
		return;
	if (may_start(turn)) {
		start_next(turn);
	} else if (turn->engine->options.shuffle != 0) {
		struct copy *copy = choose_held(turn);
		if (copy != NULL)
			run_finish_held(copy);
	}
	if (turn->status == TURN_RUNNING && turn->arrival_count > 0)
		flow_release(turn);
	if (is_gated(turn))
		journal_gate(turn);
	if (turn->status != TURN_RUNNING)
		return;
	if (turn->ready.count + turn->running.count > 0) {
		if (journal_has_work(turn) && !may_start(turn))
			journal_save(turn);
		return;
	}
	if (turn->asking.count == 0) {
		end_well(turn);
		return;
	}
	turn->status = TURN_INTERRUPTED;
	turn_tell_over(turn);
}

static int set_input(
	struct turn *turn, struct view **view, const struct ss_value *input, struct ss_error *err)
{
	const struct graph *graph = turn->program->graph;
	for (size_t i = 0; i < value_count(input); i++) {
		const char *name = value_key_at(input, i);
		size_t slot = graph_slot(graph, name);
		if (slot == GRAPH_NO_SLOT)
			return ss_fail_as(err, SS_INVALID, "the state has no field \"%.*s\"",
				text_fit(name, 60), name);
		struct ss_value *value =
			graph_fit_value(&graph->fields[slot], value_ref(value_at(input, i)), err);
		if (value == NULL)
			return -1;
		value_unref((*view)->values[slot]);
		(*view)->values[slot] = value;
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
		(double)turn->program->graph->timeout_ns / 1e9, turn->program->graph->file);
	turn_end(turn, &err);
}

void turn_start_deadline(struct turn *turn)
{
	turn->deadline = turn_timer(turn, turn->program->graph->timeout_ns, on_deadline, turn);
}

/* The length of a turn's id. */
enum { ID_LIMIT = 200 };

static bool is_id(const char *id)
{
	size_t length = strnlen(id, ID_LIMIT + 1);
	for (size_t i = 0; i < length; i++) {
		if (id[i] <= ' ' || id[i] > '~')
			return false;
	}
	return length > 0 && length <= ID_LIMIT;
}

struct turn *turn_begin(struct engine *engine, const struct program *program,
	const struct turn_options *options, struct ss_run *outer, uint64_t id, struct ss_error *err)
{
	if (engine->stopped) {
		(void)ss_fail_as(err, SS_UNAVAILABLE, "the server is stopping");
		return NULL;
	}
	if (options->id != NULL && !is_id(options->id)) {
		(void)ss_fail_as(err, SS_INVALID,
			"the id of a turn has from 1 to %d letters, digits and other visible "
			"characters",
			ID_LIMIT);
		return NULL;
	}
	struct arena arena = arena_new(&engine->pool);
	struct turn *turn = arena_take(&arena, sizeof *turn);
	turn->arena = arena;
	turn->engine = engine;
	turn->program = program;
	turn->outer = outer;
	turn->outermost = outer != NULL ? outer->task->turn->outermost : turn;
	turn->record = options->record != NULL ? record_ref(options->record) : NULL;
	turn->look = options->look;
	turn->id = id;
	turn->references = 1;
	turn->next = engine->turns;
	if (turn->next != NULL)
		turn->next->before = turn;
	engine->turns = turn;
	turn->over_call.call = call_over;
	turn->over = options->over;
	turn->event = options->event;
	turn->events = options->event != NULL ? options->events : 0;
	turn->context = options->context;
	turn->log = *options->log;
	turn->started_ns = clock_monotonic_ns();
	turn->arrived =
		arena_array(&turn->arena, program->graph->edge_count, sizeof(struct arrival **));
	struct view *view = view_new(turn);
	const struct ss_value *input =
		options->record != NULL ? record_input(options->record) : options->input;
	if (set_input(turn, &view, input, err) < 0 || view_check(turn, view, err) < 0) {
		turn_unref(turn);
		return NULL;
	}
	if (outer == NULL)
		journal_open(turn, options);
	turn_start_deadline(turn);
	flow_on(turn, NULL, view);
	engine_advance(turn);
	return turn;
}

struct turn *turn_start(
	struct engine *engine, const struct turn_options *options, struct ss_error *err)
{
	return turn_begin(engine, engine->program, options, NULL, 0, err);
}

const char *turn_id(const struct turn *turn)
{
	return journal_id(turn->journal);
}

enum turn_status turn_status(const struct turn *turn)
{
	return turn->status;
}

const struct ss_error *turn_error(const struct turn *turn)
{
	return turn->status == TURN_FAILED ? &turn->err : NULL;
}

static struct view *look_at(struct turn *turn, struct view *look, struct view *view)
{
	struct ss_error err = {0};
	if (view == NULL)
		return look;
	(void)view_ref(view);
	return look != NULL ? view_merge(turn, look, view, &err) : view;
}

const struct view *turn_look(struct turn *turn)
{
	const struct task_list *lists[] = {&turn->ready, &turn->running, &turn->asking};
	bool ended = turn->status == TURN_DONE || turn->status == TURN_FAILED;
	if (turn->seen != NULL && ended)
		return turn->seen;
	view_unref(turn, turn->seen);
	struct view *look = look_at(turn, NULL, turn->result);
	for (size_t i = 0; i < array_length(lists); i++) {
		for (const struct task *task = lists[i]->first; task != NULL; task = task->next)
			look = look_at(turn, look, task->view);
	}
	for (size_t i = 0; i < turn->program->graph->edge_count; i++) {
		const struct graph_edge *edge = &turn->program->graph->edges[i];
		for (size_t j = 0; turn->arrived[i] != NULL && j < edge->from_count; j++) {
			for (const struct arrival *at = turn->arrived[i][j]; at != NULL;
				at = at->next)
				look = look_at(turn, look, at->view);
		}
	}
	turn->seen = look != NULL ? look : view_new(turn);
	return turn->seen;
}

const struct ss_value *turn_field(struct turn *turn, const char *name)
{
	size_t slot = graph_slot(turn->program->graph, name);
	return slot != GRAPH_NO_SLOT ? turn_look(turn)->values[slot] : NULL;
}

struct ss_value *turn_state(struct turn *turn)
{
	const struct graph *graph = turn->program->graph;
	const struct view *view = turn_look(turn);
	const char **keys = memory_array(graph->field_count, sizeof *keys);
	struct ss_value **values = memory_array(graph->field_count, sizeof(struct ss_value *));
	for (size_t i = 0; i < graph->field_count; i++) {
		keys[i] = graph->fields[i].name;
		values[i] = value_ref(view->values[i]);
	}
	struct ss_value *state = value_map(keys, values, graph->field_count);
	free(keys);
	free(values);
	return state;
}
