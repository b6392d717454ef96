/* Tasks: an activation of a node from when an edge has led to it until its edges are followed. */
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/turn.h"
#include "service/metrics.h"
#include "value/value.h"

#include <stdlib.h>

const struct graph_node *task_node(const struct task *task)
{
	return &task->turn->program->graph->nodes[task->node];
}

struct engine_node *task_engine_node(const struct task *task)
{
	return &task->turn->program->nodes[task->node];
}

struct task *task_new(struct turn *turn, size_t node, const struct task *cause, size_t edge,
	size_t step, uint64_t id, struct view *view)
{
	struct task *task = arena_take(&turn->arena, sizeof *task);
	task->turn = turn;
	task->node = node;
	task->step = step;
	task->cause = cause;
	task->edge = edge;
	task->id = id;
	task->view = view;
	task->way = GRAPH_NO_SLOT;
	task->needs = journal_needs(turn);
	list_add(&turn->ready, task);
	return task;
}

static void move(struct task *task, struct task_list *from, struct task_list *to)
{
	list_remove(from, task);
	list_add(to, task);
}

int64_t task_time_ns(const struct task *task)
{
	return clock_monotonic_ns() - task->turn->started_ns - task->started_ns;
}

void task_restore(struct task *task, const struct ss_value *result)
{
	int64_t ns = value_as_int(value_get(result, RECORD_TIME)) * 1000;
	task->restored = true;
	if (ns > task->restored_ns)
		task->restored_ns = ns; /* all copies are over when the last one is */
}

/* TASK runs no more: it goes to the turn's record. */
static void close_task(struct task *task, struct task_list *from, enum task_state state)
{
	struct turn *turn = task->turn;
	move(task, from, &turn->over_tasks);
	task->state = state;
	task->duration_ns = task->restored ? task->restored_ns : task_time_ns(task);
	if (!task->restored)
		metrics_node_ran(turn->engine->options.metrics, task_engine_node(task)->metric,
			task->duration_ns);
	if (task->deadline != NULL)
		(void)event_del(task->deadline);
	for (size_t i = 0; i < task->copy_count; i++)
		run_abandon(&task->copies[i]);
	event_finished(task);
}

/* The turn fails with TASK; what it has seen is part of what the turn came to. */
static void close_failed(struct task *task)
{
	close_task(task, &task->turn->running, TASK_FAILED);
	struct view *view = task->view;
	task->view = NULL;
	turn_keep(task->turn, view);
}

static void note_change(struct task *task, size_t slot)
{
	for (size_t i = 0; i < task->changed_count; i++) {
		if (task->changed[i] == slot)
			return;
	}
	if (task->changed == NULL)
		task->changed = arena_array(&task->turn->arena,
			task->turn->program->graph->field_count, sizeof *task->changed);
	task->changed[task->changed_count++] = slot;
}

int task_write(struct task *task, size_t slot, struct ss_value *value, size_t index,
	bool overwrites, struct ss_error *err)
{
	note_change(task, slot);
	return view_write(task->turn, &task->view, slot, value, task, index, overwrites, err);
}

int task_fit(struct ss_run *run, struct ss_error *err)
{
	const struct graph_field *fields = run->task->turn->program->graph->fields;
	for (size_t i = 0; i < run->write_count; i++) {
		struct write *write = &run->writes[i];
		struct ss_value *fitting =
			graph_fit_value(&fields[write->slot], value_ref(write->value), err);
		if (fitting == NULL)
			return -1;
		value_unref(write->value);
		write->value = fitting;
	}
	return 0;
}

/* Checks what the copies wrote, all of it before any is applied. */
static int fit_writes(const struct task *task, struct ss_error *err)
{
	for (size_t i = 0; i < task->copy_count; i++) {
		struct ss_run *run = task->copies[i].run;
		if (run != NULL && task_fit(run, err) < 0)
			return -1;
	}
	return 0;
}

/* Whether reducing what the copies wrote may fail. */
static bool may_fail(const struct task *task)
{
	const struct graph_field *fields = task->turn->program->graph->fields;
	for (size_t i = 0; i < task->copy_count; i++) {
		const struct ss_run *run = task->copies[i].run;
		for (size_t j = 0; run != NULL && j < run->write_count; j++) {
			if (fields[run->writes[j].slot].reducer == GRAPH_ADD)
				return true;
		}
	}
	return false;
}

static int apply_each(struct task *task, struct ss_error *err)
{
	for (size_t i = 0; i < task->copy_count; i++) {
		struct ss_run *run = task->copies[i].run;
		for (size_t j = 0; run != NULL && j < run->write_count; j++) {
			struct write *write = &run->writes[j];
			struct ss_value *value = write->value;
			write->value = NULL;
			if (task_write(task, write->slot, value, i, write->overwrites, err) < 0)
				return -1;
		}
	}
	return 0;
}

static int apply_writes(struct task *task, struct ss_error *err)
{
	/* What was there is kept as long as something may fail: a failed node shows none of its writes. */
	struct view *before = may_fail(task) ? view_ref(task->view) : NULL;
	size_t changed = task->changed_count;
	int result = apply_each(task, err);
	if (result < 0) {
		view_unref(task->turn, task->view);
		task->view = before;
		task->changed_count = changed;
	} else if (before != NULL) {
		view_unref(task->turn, before);
	}
	return result;
}

/* The way that the agent has chosen; GRAPH_NO_SLOT: the node's other edges. */
static size_t chosen_way(const struct task *task)
{
	const struct ss_run *run = task->copy_count > 0 ? task->copies[0].run : NULL;
	return run != NULL ? run->way : GRAPH_NO_SLOT;
}

void task_leave(struct task *task)
{
	struct view *view = task->view;
	task->view = NULL;
	if (task->way != GRAPH_NO_SLOT)
		flow_by(task->turn, task, view, task_node(task)->command, task->way);
	else
		flow_on(task->turn, task, view);
}

static void end_turn(struct task *task, const struct ss_error *err)
{
	struct ss_error at;
	const struct graph_node *node = task_node(task);
	(void)ss_fail_as(&at, err->status, "the node %s (%s %s): %.*s", node->name,
		node->plugin != NULL ? "agent" : "workflow",
		node->plugin != NULL ? node->plugin->name : node->workflow->name,
		text_fit(err->text, 300), err->text);
	turn_end(task->turn, &at);
}

/* The outermost turn's record; NULL: it began here. */
static const struct record *record_of(const struct task *task)
{
	return task->turn->outermost->record;
}

/* Writes what somebody has changed after TASK, when they forked the turn. */
static int write_changes(struct task *task, struct ss_error *err)
{
	const struct graph *graph = task->turn->program->graph;
	const struct ss_value *data =
		record_of(task) != NULL ? record_find(record_of(task), task->id, -1, "changes")
					: NULL;
	const struct ss_value *changes = value_get(data, "changes");
	for (size_t i = 0; i < value_count(changes); i++) {
		size_t slot = graph_slot(graph, value_key_at(changes, i));
		struct ss_value *value = slot != GRAPH_NO_SLOT
						 ? graph_fit_value(&graph->fields[slot],
							   value_ref(value_at(changes, i)), err)
						 : NULL;
		if (value == NULL || task_write(task, slot, value, SIZE_MAX, true, err) < 0)
			return -1;
	}
	return changes != NULL ? view_check(task->turn, task->view, err) : 0;
}

/* TASK has come to its end, well or with its on_error. */
static void complete(struct task *task, struct task_list *from, enum task_state state)
{
	struct ss_error err = {0};
	int changed = write_changes(task, &err);
	close_task(task, from, state);
	if (changed < 0)
		turn_end(task->turn, &err);
}

static int write_fallbacks(struct task *task, const struct ss_error *failure, struct ss_error *err)
{
	const struct graph_node *node = task_node(task);
	for (size_t i = 0; i < node->fallback_count; i++) {
		if (task_write(task, node->fallbacks[i].slot, value_ref(node->fallbacks[i].value),
			    0, false, err) < 0)
			return -1;
	}
	if (node->error_slot == GRAPH_NO_SLOT)
		return 0;
	return task_write(task, node->error_slot, value_text(failure->text), 0, false, err);
}

/* What was answered was of no use: who goes on with the turn is asked again. */
static void reject_answers(const struct task *task, const struct ss_error *failure)
{
	for (size_t i = 0; i < task->copy_count && journal_notes(task->turn); i++) {
		if (task->copies[i].answer != NULL)
			journal_note(task, &task->copies[i],
				value_map_make({"rejected", value_text(failure->text)}));
	}
}

/* Goes on with the fallback, or ends the turn and says where it was. */
static void fail(struct task *task, const struct ss_error *failure)
{
	struct turn *turn = task->turn;
	const struct graph_node *node = task_node(task);
	struct ss_error err = {0};
	task->error = arena_string(&turn->arena, failure->text);
	if (!node->has_fallback) {
		reject_answers(task, failure);
		close_failed(task);
		end_turn(task, failure);
		return;
	}
	if (!task->recorded)
		log_warning(&turn->log, "the node %s goes on with its on_error: %s", node->name,
			failure->text);
	struct view *before = view_ref(task->view);
	if (write_fallbacks(task, failure, &err) < 0 || view_check(turn, task->view, &err) < 0) {
		view_unref(turn, task->view);
		task->view = before;
		close_failed(task);
		end_turn(task, &err);
		return;
	}
	view_unref(turn, before);
	if (!task->recorded && journal_notes(turn))
		journal_note(task, NULL,
			value_map_make({"error", value_text(failure->text)},
				{"status", value_int(failure->status)}));
	complete(task, &turn->running, TASK_DEGRADED);
	struct view *view = task->view;
	task->view = NULL;
	if (node->failure != GRAPH_NO_SLOT)
		flow_by(turn, task, view, node->failure, 0);
	else
		flow_on(turn, task, view);
}

/* Whether what TASK writes depends on what somebody outside answered. */
static bool has_asked(const struct task *task)
{
	bool asked = task_node(task)->interrupt.before || task_node(task)->interrupt.after;
	for (size_t i = 0; i < task->copy_count; i++)
		asked = asked || task->copies[i].answer != NULL;
	return asked;
}

/* Whether a command is missing: the node has no other edges. */
static bool lacks_way(const struct task *task)
{
	const struct graph_node *node = task_node(task);
	return node->command != GRAPH_NO_SLOT && node->out_count == 0 && task->way == GRAPH_NO_SLOT;
}

/* Whether what TASK came to is noted as a whole: its copies, and the tasks of an inner workflow, are noted by
 * themselves. */
static bool is_noted(const struct task *task)
{
	const struct graph_node *node = task_node(task);
	return !task->restored && node->workflow == NULL && node->send.over.expr == NULL &&
	       journal_notes(task->turn);
}

/* Asks when the node has run. */
static bool ask_after(struct task *task)
{
	struct turn *turn = task->turn;
	struct ss_error err = {0};
	if (!task_node(task)->interrupt.after)
		return false;
	const struct ss_value *known = record_of(task) != NULL
					       ? record_find(record_of(task), task->id, -1, "after")
					       : NULL;
	if (known != NULL) {
		if (interrupt_write(task, value_get(known, "after"), &err) < 0)
			turn_end(turn, &err);
		return false;
	}
	move(task, &turn->running, &turn->asking);
	task->state = TASK_ASKING_AFTER;
	struct ss_value *payload = interrupt_payload(task);
	event_interrupt(task, NULL, "after", payload);
	value_unref(payload);
	return true;
}

/* All copies of TASK are done. */
static void finish(struct task *task)
{
	struct turn *turn = task->turn;
	struct ss_error err = {0};
	task->way = chosen_way(task);
	if (lacks_way(task)) {
		(void)ss_fail_as(&err, SS_INTERNAL,
			"the agent did not say with go_to() which of the nodes in goto comes next");
		fail(task, &err);
		return;
	}
	if (fit_writes(task, &err) < 0) {
		fail(task, &err);
		return;
	}
	/* What a search found while something was broken is not what it finds later. */
	bool keeps = task->cache_key != NULL && !has_asked(task) && task->missing == NULL;
	bool notes = is_noted(task);
	struct ss_value *outcome = keeps || notes ? outcome_make(task) : NULL;
	if (apply_writes(task, &err) < 0) {
		fail(task, &err);
		goto done;
	}
	if (keeps)
		cache_put(task_engine_node(task)->cache, task->cache_key, value_ref(outcome));
	if (task->changed_count > 0 && view_check(turn, task->view, &err) < 0) {
		close_failed(task);
		turn_end(turn, &err);
		goto done;
	}
	if (notes)
		journal_note(task, NULL, value_ref(outcome));
	if (ask_after(task) || task->state != TASK_RUNNING)
		goto done;
	complete(task, &turn->running, TASK_DONE);
	task_leave(task);
done:
	value_unref(outcome);
}

/* The error of the first copy that has failed. */
static const struct ss_error *first_error(const struct task *task)
{
	for (size_t i = 0; i < task->copy_count; i++) {
		if (task->copies[i].state == COPY_FAILED)
			return task->copies[i].err;
	}
	return NULL;
}

void task_go_on(struct task *task)
{
	struct turn *turn = task->turn;
	const struct graph_node *node = task_node(task);
	size_t limit = node->send.over.expr != NULL ? (size_t)node->send.limit : 1;
	if (task->state != TASK_RUNNING || task->going_on)
		return;
	task->going_on = true; /* copies that are done at once do not go on by themselves */
	while (task->begun < task->copy_count && task->begun - task->over - task->asking < limit &&
		task->state == TASK_RUNNING)
		run_start(&task->copies[task->begun++]);
	task->going_on = false;
	if (task->state != TASK_RUNNING || task->over + task->asking < task->copy_count)
		return;
	if (task->asking > 0) {
		move(task, &turn->running, &turn->asking);
		task->state = TASK_ASKING;
		if (task->deadline != NULL)
			(void)event_del(task->deadline);
		return;
	}
	const struct ss_error *failure = first_error(task);
	if (failure != NULL)
		fail(task, failure);
	else
		finish(task);
}

static void on_deadline(evutil_socket_t fd, short what, void *context)
{
	struct task *task = context;
	struct ss_error err;
	(void)fd;
	(void)what;
	(void)ss_fail_as(&err, SS_TIMEOUT, "took longer than %g s (its deadline)",
		(double)task_node(task)->deadline_ns / 1e9);
	struct turn *turn = turn_ref(task->turn);
	for (size_t i = 0; i < task->copy_count; i++)
		run_abandon(&task->copies[i]);
	fail(task, &err);
	engine_advance(turn);
	turn_unref(turn);
}

void task_start_deadline(struct task *task)
{
	int64_t after_ns = task_node(task)->deadline_ns;
	if (after_ns > 0)
		task->deadline = turn_timer(task->turn, after_ns, on_deadline, task);
}

/* The copies that a node may have; its list is data. */
enum { COPIES_LIMIT = 1000000 };

/* The list that the node of TASK is sent over, new; NULL and ERR when it is none or too long. */
static struct ss_value *send_list(const struct task *task, struct ss_error *err)
{
	const struct graph_send *send = &task_node(task)->send;
	struct ss_value *items = expr_evaluate(send->over.expr, task->view->values, err);
	if (items == NULL)
		return NULL;
	size_t count = value_count(items);
	if (value_type(items) == SS_LIST && count <= COPIES_LIMIT)
		return items;
	if (value_type(items) != SS_LIST)
		(void)ss_fail_as(err, SS_INVALID, "\"%s\" gives no list", send->over.text);
	else
		(void)ss_fail_as(err, SS_LIMIT,
			"\"%s\" gives %zu items; a node is sent over at most %d", send->over.text,
			count, COPIES_LIMIT);
	value_unref(items);
	return NULL;
}

static int set_item(struct copy *copy, const struct ss_value *item, struct ss_error *err)
{
	const struct task *task = copy->task;
	const struct graph_field *fields = task->turn->program->graph->fields;
	copy->item = graph_fit_value(&fields[task_node(task)->send.slot], value_ref(item), err);
	return copy->item != NULL ? 0 : -1;
}

/* A copy for each item of the list that the node is sent over; else one. */
static int make_copies(struct task *task, struct ss_error *err)
{
	struct ss_value *items = NULL;
	bool sent = task_node(task)->send.over.expr != NULL;
	if (sent && (items = send_list(task, err)) == NULL)
		return -1;
	size_t count = sent ? value_count(items) : 1;
	int result = 0;
	task->copies = arena_array(&task->turn->arena, count, sizeof(struct copy));
	while (task->copy_count < count && result == 0) {
		struct copy *copy = &task->copies[task->copy_count];
		copy->task = task;
		copy->index = task->copy_count++;
		if (sent)
			result = set_item(copy, value_at(items, copy->index), err);
	}
	value_unref(items);
	return result;
}

/* Goes on as OUTCOME says, which the node came to before. */
static void use_outcome(struct task *task, const struct ss_value *outcome)
{
	struct ss_error err = {0};
	if (outcome_apply(task, outcome, &err) < 0) {
		fail(task, &err);
		return;
	}
	if (view_check(task->turn, task->view, &err) < 0) {
		close_failed(task);
		turn_end(task->turn, &err);
		return;
	}
	complete(task, &task->turn->running, TASK_DONE);
	task_leave(task);
}

/* Whether TASK, or something of its inner workflow, may have come to something already, or may have been answered: then
 * that counts, not what the cache has come to know since, and it is too old to be kept as new. */
static bool may_be_recorded(const struct task *task)
{
	const struct record *record = record_of(task);
	return record != NULL &&
	       (task_node(task)->workflow != NULL || record_mentions(record, task->id));
}

/* Uses what was kept, if there is anything. */
static bool use_cache(struct task *task)
{
	const struct graph_node *node = task_node(task);
	struct cache *cache = task_engine_node(task)->cache;
	if (cache == NULL || task->turn->outermost->look || may_be_recorded(task))
		return false;
	char *key = cache_key(&node->cache, task->view);
	task->cache_key = arena_string(&task->turn->arena, key);
	free(key);
	const struct ss_value *kept = cache_get(cache, task->cache_key);
	if (kept == NULL)
		return false;
	struct ss_value *used = value_ref(kept);
	task->cached = true;
	task->cache_key = NULL;
	if (journal_notes(task->turn)) {
		const struct ss_value *way = value_get(used, "way");
		const struct ss_value *writes = value_get(used, "writes");
		journal_note(task, NULL,
			value_map_make({"cached", value_bool(true)},
				{"writes", writes != NULL ? value_ref(writes) : NULL},
				{"way", way != NULL ? value_ref(way) : NULL}));
	}
	use_outcome(task, used);
	value_unref(used);
	return true;
}

/* Goes on with what is known that the task as a whole came to: it failed, or the cache had it. */
static bool restore(struct task *task)
{
	const struct record *record = record_of(task);
	if (record == NULL)
		return false;
	const struct ss_value *failed = record_find(record, task->id, -1, "error");
	const struct ss_value *cached = record_find(record, task->id, -1, "cached");
	task->recorded = failed != NULL || cached != NULL;
	if (task->recorded)
		task_restore(task, failed != NULL ? failed : cached);
	if (failed != NULL) {
		struct ss_error err;
		(void)ss_fail_as(&err, (enum ss_status)value_as_int(value_get(failed, "status")),
			"%s", value_as_string(value_get(failed, "error"), NULL));
		fail(task, &err);
	} else if (cached != NULL) {
		task->cached = true;
		use_outcome(task, cached);
	}
	return task->recorded;
}

/* Asks before the node runs. */
static bool ask_first(struct task *task)
{
	const struct ss_value *known =
		record_of(task) != NULL ? record_find(record_of(task), task->id, -1, "before")
					: NULL;
	struct ss_error err = {0};
	if (!task_node(task)->interrupt.before || task->answered)
		return false;
	if (known != NULL) {
		task->answered = true;
		if (interrupt_write(task, value_get(known, "before"), &err) < 0)
			turn_end(task->turn, &err);
		return task->state != TASK_RUNNING;
	}
	move(task, &task->turn->running, &task->turn->asking);
	task->state = TASK_ASKING_BEFORE;
	struct ss_value *payload = interrupt_payload(task);
	event_interrupt(task, NULL, "before", payload);
	value_unref(payload);
	return true;
}

void task_start(struct task *task)
{
	struct turn *turn = task->turn;
	struct ss_error err = {0};
	move(task, &turn->ready, &turn->running);
	task->state = TASK_RUNNING;
	task->started_ns = clock_monotonic_ns() - turn->started_ns;
	if (ask_first(task))
		return;
	if (restore(task))
		return;
	if (record_of(task) == NULL || !record_knows(record_of(task), task->id))
		event_started(task);
	if (use_cache(task))
		return;
	if (task->copies == NULL && make_copies(task, &err) < 0) {
		fail(task, &err);
		return;
	}
	task_start_deadline(task);
	task_go_on(task);
}

void task_stop(struct task *task)
{
	struct turn *turn = task->turn;
	if (task->state == TASK_READY) {
		/* As if it had not been: nothing happened. */
		list_remove(&turn->ready, task);
		return;
	}
	bool asks = task->state == TASK_ASKING || task->state == TASK_ASKING_BEFORE ||
		    task->state == TASK_ASKING_AFTER;
	close_task(task, asks ? &turn->asking : &turn->running, TASK_STOPPED);
}

void task_answered(struct task *task)
{
	struct turn *turn = task->turn;
	if (task->state == TASK_ASKING_BEFORE) {
		task->answered = true;
		task->state = TASK_READY;
		turn->steps--; /* it was counted when it asked */
		move(task, &turn->asking, &turn->ready);
	} else {
		complete(task, &turn->asking, TASK_DONE);
		task_leave(task);
	}
}

void copy_answered(struct copy *copy)
{
	struct task *task = copy->task;
	struct turn *turn = task->turn;
	if (task->state == TASK_ASKING) {
		move(task, &turn->asking, &turn->running);
		task->state = TASK_RUNNING;
		task_start_deadline(task);
	}
	task->asking--;
	run_start(copy);
	task_go_on(task);
}
