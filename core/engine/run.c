/* Attempts: an agent that is called, and what becomes of what it says. */
#include "base/clock.h"
#include "base/memory.h"
#include "engine/turn.h"
#include "value/value.h"

#include <stdlib.h>

void *run_instance(const struct ss_run *run)
{
	return task_engine_node(run->task)->instance;
}

bool run_is_running(const struct ss_run *run)
{
	return run->copy != NULL && run->copy->state == COPY_RUNNING;
}

struct ss_run *run_ref(struct ss_run *run)
{
	run->references++;
	return run;
}

static void clear_writes(struct ss_run *run)
{
	for (size_t i = 0; i < run->write_count; i++)
		value_unref(run->writes[i].value);
	run->write_count = 0;
}

void run_unref(struct ss_run *run)
{
	if (--run->references > 0)
		return;
	struct turn *turn = run->task->turn;
	clear_writes(run);
	value_unref(run->payload);
	run->payload = NULL;
	free(run->refused);
	run->refused = NULL;
	view_unref(turn, run->view);
	run->view = NULL;
	turn_unref(turn);
}

static struct ss_run *run_new(struct copy *copy)
{
	struct task *task = copy->task;
	struct turn *turn = task->turn;
	struct ss_run *run = arena_take(&turn->arena, sizeof *run);
	run->task = task;
	run->copy = copy;
	run->references = 1;
	run->view = copy->item == NULL
			    ? view_ref(task->view)
			    : view_with(turn, task->view, task_node(task)->send.slot, copy->item);
	run->way = GRAPH_NO_SLOT;
	run->next_made = turn->runs;
	turn->runs = run;
	(void)turn_ref(turn);
	return run;
}

/* RUN is over for its copy: what it does from now on does not count. Its writes stay if they are KEPT. */
static void detach(struct ss_run *run, bool kept)
{
	run->copy = NULL;
	if (run->timeout != NULL)
		(void)event_del(run->timeout);
	offload_leave(run);
	if (!kept && run->offload == NULL)
		clear_writes(run);
	run_end_waits(run);
	run_end_generations(run);
}

void run_abandon(struct copy *copy)
{
	struct ss_run *run = copy->run;
	if (copy->again != NULL)
		(void)event_del(copy->again);
	inner_stop(copy);
	copy->held = false;
	copy->run = NULL;
	if (run == NULL)
		return;
	detach(run, false);
	run_unref(run);
}

static void on_timeout(evutil_socket_t fd, short what, void *context)
{
	struct ss_run *run = context;
	struct ss_error err;
	(void)fd;
	(void)what;
	(void)ss_fail_as(&err, SS_TIMEOUT, "%s longer than %g s (its timeout)%s",
		offload_waits(run) ? "waited" : "took",
		(double)task_node(run->task)->timeout_ns / 1e9,
		offload_waits(run) ? " for other calls that block to end" : "");
	run_end(run, SS_FAILED, &err);
}

void run_start_timeout(struct ss_run *run)
{
	int64_t after_ns = task_node(run->task)->timeout_ns;
	if (after_ns > 0)
		run->timeout = turn_timer(run->task->turn, after_ns, on_timeout, run);
}

/* Calls the agent; notes when it has kept the loop for longer than it may take at all. */
static enum ss_result call_agent(struct ss_run *run, struct ss_error *err)
{
	struct task *task = run->task;
	const struct graph_node *node = task_node(task);
	int64_t limit_ns = node->timeout_ns > 0 ? node->timeout_ns : node->deadline_ns;
	int64_t before_ns = limit_ns > 0 ? clock_monotonic_ns() : 0;
	const struct run_scope scope = run_enter(run, CALL_RUN);
	enum ss_result result = node->plugin->agent->run(run_instance(run), run, err);
	run_leave(&scope);
	if (limit_ns == 0 || clock_monotonic_ns() - before_ns <= limit_ns)
		return result;
	task->blocked = true;
	log_warning(&task->turn->log,
		"the agent %s of the node %s kept the server from everything else for %g s, longer "
		"than it may take",
		node->plugin->name, node->name, (double)(clock_monotonic_ns() - before_ns) / 1e9);
	if (run_is_running(run)) {
		(void)ss_fail_as(err, SS_TIMEOUT, "took longer than %g s (its %s)",
			(double)limit_ns / 1e9, node->timeout_ns > 0 ? "timeout" : "deadline");
		run_end(run, SS_FAILED, err);
	}
	return result;
}

/* Several processes died over the node. */
static enum ss_result refuse(const struct graph_node *node, struct ss_error *err)
{
	(void)ss_fail_as(err, SS_QUARANTINED,
		"is in quarantine: workers of this server died while they called it, and it is not "
		"called any more until the configuration is reloaded; the log and /readyz tell "
		"more "
		"about the agent %s",
		node->plugin->name);
	return SS_FAILED;
}

/* Does the work of RUN, or starts it. */
static enum ss_result begin(struct ss_run *run, struct ss_error *err)
{
	const struct engine_node *node = task_engine_node(run->task);
	if (node->graph->plugin == NULL)
		return inner_start(run, err);
	if (node->left_out || call_is_quarantined(node->site))
		return refuse(node->graph, err);
	if (node->blocks)
		return offload_start(run, err);
	return call_agent(run, err);
}

/* The number of COPY in the journal. */
static int64_t number_of(const struct copy *copy)
{
	return copy->item != NULL ? (int64_t)copy->index : -1;
}

/* COPY asks, or is not known, and waits. */
static void suspend(struct copy *copy)
{
	copy->state = COPY_ASKING;
	copy->task->asking++;
	task_go_on(copy->task);
}

/* What OUTCOME says is what COPY has come to. */
static void restore_outcome(struct copy *copy, const struct ss_value *outcome)
{
	struct task *task = copy->task;
	if (!task->ran)
		task_restore(task, outcome);
	copy->run = run_new(copy);
	view_unref(task->turn, copy->run->view);
	copy->run->view = NULL;
	outcome_restore(copy, outcome);
	copy->state = COPY_DONE;
	task->over++;
	detach(copy->run, true);
	task_go_on(task);
}

/* Goes on with what is known of COPY; false when it has to run. */
static bool restore(struct copy *copy)
{
	struct task *task = copy->task;
	const struct record *record = task->turn->outermost->record;
	int64_t number = number_of(copy);
	if (record == NULL || copy->answer != NULL)
		return false;
	const struct ss_value *known = record_outcome(record, task->id, number);
	if (known != NULL && task_node(task)->workflow == NULL) {
		restore_outcome(copy, known);
		return true;
	}
	const struct ss_value *tried = record_find(record, task->id, number, "attempt");
	if (tried != NULL && copy->attempts == 0)
		copy->attempts = value_as_int(value_get(tried, "attempt")) - 1;
	const struct ss_value *question = record_question(record, task->id, number);
	const struct ss_value *answer = record_find(record, task->id, number, "answer");
	if (answer != NULL && question == NULL)
		copy->answer = value_ref(value_get(answer, "answer"));
	bool stays = task->turn->outermost->look && task_node(task)->workflow == NULL;
	task->halted = question == NULL && stays;
	if (question == NULL && !stays)
		return false;
	copy->payload = question != NULL ? value_ref(question) : NULL;
	copy->attempts++;
	suspend(copy);
	return true;
}

void run_start(struct copy *copy)
{
	if (restore(copy))
		return;
	struct ss_error err = {0};
	struct task *task = copy->task;
	struct ss_run *run = run_new(copy);
	task->ran = true;
	task->restored = false;
	copy->state = COPY_RUNNING;
	copy->attempts++;
	copy->run = run;
	/* One more, since the agent may finish() and still read while it is on the stack. */
	(void)run_ref(run);
	run->agents = true;
	(void)run_ref(run);
	enum ss_result result = begin(run, &err);
	if (result != SS_PENDING) {
		/* The agent reads no more, so the task may write to its view as it is. */
		view_unref(task->turn, run->view);
		run->view = NULL;
		run_finish(run, result, &err);
	} else if (run_is_running(run)) {
		run_start_timeout(run);
	}
	run_unref(run);
}

/* The wait before the next attempt of COPY. */
static int64_t backoff(const struct copy *copy)
{
	struct turn *turn = copy->task->turn;
	const struct graph_retry *retry = &task_node(copy->task)->retry;
	double wait = (double)retry->backoff_ns;
	if (turn->engine->options.shuffle != 0)
		return 0;
	for (int64_t i = 1; i < copy->attempts && wait < (double)retry->max_backoff_ns; i++)
		wait *= retry->factor;
	if (wait > (double)retry->max_backoff_ns)
		wait = (double)retry->max_backoff_ns;
	double chance = (double)engine_random(turn->engine, 1 << 20) / (1 << 20);
	return (int64_t)(wait * (1 - retry->jitter * chance));
}

static void on_again(evutil_socket_t fd, short what, void *context)
{
	struct copy *copy = context;
	struct turn *turn = turn_ref(copy->task->turn);
	(void)fd;
	(void)what;
	run_start(copy);
	engine_advance(turn);
	turn_unref(turn);
}

static bool is_tried_again(const struct copy *copy, const struct ss_error *err)
{
	const struct graph_retry *retry = &task_node(copy->task)->retry;
	return copy->attempts < retry->attempts && (retry->on >> err->status & 1) != 0;
}

static void fail(struct copy *copy, const struct ss_error *err)
{
	struct task *task = copy->task;
	struct turn *turn = task->turn;
	run_abandon(copy);
	if (is_tried_again(copy, err)) {
		int64_t wait_ns = backoff(copy);
		if (task_node(task)->workflow != NULL && journal_notes(turn))
			journal_note(task, copy,
				value_map_make({"attempt", value_int(copy->attempts + 1)}));
		copy->state = COPY_WAITING;
		log_warning(&turn->log, "the node %s is tried again in %g s: %s",
			task_node(task)->name, (double)wait_ns / 1e9, err->text);
		copy->again = turn_timer(turn, wait_ns, on_again, copy);
		return;
	}
	copy->state = COPY_FAILED;
	task->over++;
	copy->err = arena_take(&turn->arena, sizeof *copy->err);
	*copy->err = *err;
	task_go_on(task);
}

/* The agent asks somebody outside. */
static void ask(struct copy *copy)
{
	struct ss_run *run = copy->run;
	struct task *task = copy->task;
	struct ss_error err;
	if (run->payload == NULL && copy->inner == NULL) {
		(void)ss_fail_as(&err, SS_INTERNAL,
			"said that it was interrupted, without having called interrupt()");
		fail(copy, &err);
		return;
	}
	copy->state = COPY_ASKING;
	task->asking++;
	if (run->payload == NULL) {
		/* An inner turn asks; it is gone on with, not started again. */
		if (run->timeout != NULL)
			(void)event_del(run->timeout);
	} else {
		copy->payload = run->payload;
		run->payload = NULL;
		if (journal_notes(task->turn))
			journal_note(task, copy, value_map_make({"ask", value_ref(copy->payload)}));
		event_interrupt(task, copy, "during", copy->payload);
		run_abandon(copy);
	}
	task_go_on(task);
}

/* Notes what COPY, one of several, came to, unless the tasks of its inner workflow were noted. What does not fit
 * the state is an error of its task, which may go better another time. */
static void note(struct copy *copy)
{
	struct ss_error err;
	if (copy->item != NULL && copy->inner == NULL && journal_notes(copy->task->turn) &&
		task_fit(copy->run, &err) == 0)
		outcome_note(copy);
}

/* Goes on with what an attempt of COPY has come to. */
static void conclude(struct copy *copy, enum ss_result result, const struct ss_error *err)
{
	struct ss_error failure = {.status = SS_INTERNAL, .text = "failed and did not say why"};
	if (result != SS_FAILED && copy->run->refused != NULL) {
		failure = *copy->run->refused;
		fail(copy, &failure);
	} else if (result == SS_DONE) {
		copy->state = COPY_DONE;
		copy->task->over++;
		note(copy);
		detach(copy->run, true);
		task_go_on(copy->task);
	} else if (result == SS_INTERRUPTED) {
		ask(copy);
	} else {
		fail(copy, err != NULL && err->status != SS_OK ? err : &failure);
	}
}

void run_finish_held(struct copy *copy)
{
	copy->held = false;
	conclude(copy, copy->result, copy->held_err);
}

void run_end(struct ss_run *run, enum ss_result result, const struct ss_error *err)
{
	struct turn *turn = run->task->turn;
	if (!run_is_running(run) || run->copy->held)
		return;
	(void)turn_ref(turn);
	if (turn->engine->options.shuffle != 0) {
		struct copy *copy = run->copy;
		copy->held = true;
		copy->result = result;
		copy->held_err = NULL;
		if (err != NULL) {
			copy->held_err = arena_take(&turn->arena, sizeof *err);
			*copy->held_err = *err;
		}
	} else {
		conclude(run->copy, result, err);
	}
	engine_advance(turn);
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
