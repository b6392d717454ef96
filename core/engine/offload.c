/*
 * Attempts of agents that block: run() is called on a thread of the pool, and the loop goes on.
 *
 * When the attempt is over before run() returns, the turn goes on without it. The run is held until run() returns, and
 * the turn with it; what run() came to is dropped.
 */
#include "base/log_scope.h"
#include "base/memory.h"
#include "engine/turn.h"
#include "value/value.h"

#include <stdlib.h>
#include <unistd.h>

/* What a thread gets to end the process when it is told to. */
enum { CONDEMNED_NS = 1000000000 };

static const char *agent_of(const struct ss_run *run)
{
	return task_node(run->task)->plugin->name;
}

/* On the pool's thread. */
static void work(struct thread_job *job)
{
	struct offload *offload = queue_entry(job, struct offload, job);
	struct ss_run *run = offload->run;
	const struct ss_agent_operations *agent = task_node(run->task)->plugin->agent;
	const struct log *log = &run->task->turn->log;
	const struct log *before = log_enter(log);
	atomic_store(&offload->thread, (int)gettid());
	calls_begin(task_engine_node(run->task)->site, CALL_RUN);
	offload->result = agent->run(run_instance(run), run, &offload->err);
	calls_end();
	log_leave(log, before);
	if (offload->finished || offload->result == SS_PENDING) {
		(void)ss_fail_as(&offload->err, SS_INTERNAL,
			"the agent %s blocks, as its descriptor says: it ends a run with what "
			"run() "
			"returns, not with %s",
			agent_of(run), offload->finished ? "finish()" : "SS_PENDING");
		offload->result = SS_FAILED;
	}
}

static void take_back(struct ss_run *run)
{
	struct offload *offload = run->offload;
	run->offload = NULL;
	if (offload->hanging != NULL)
		(void)event_del(offload->hanging);
	value_unref(offload->answer);
	arena_free(&offload->arena);
	arena_pool_free(&offload->blocks);
}

static void on_done(struct thread_job *job)
{
	struct offload *offload = queue_entry(job, struct offload, job);
	struct ss_run *run = offload->run;
	struct turn *turn = turn_ref(run->task->turn);
	take_back(run);
	/* The agent reads no more, so the task may write to its view as it is. */
	view_unref(turn, run->view);
	run->view = NULL;
	run_finish(run, offload->result, &offload->err);
	turn_unref(turn);
}

enum ss_result offload_start(struct ss_run *run, struct ss_error *err)
{
	struct turn *turn = run->task->turn;
	struct offload *offload = arena_take(&turn->arena, sizeof *offload);
	*offload = (struct offload){
		.job = {.lane = task_engine_node(run->task)->lane, .work = work, .done = on_done},
		.run = run,
		.answer = run->copy->answer != NULL ? value_ref(run->copy->answer) : NULL,
		.attempt = (unsigned)run->copy->attempts,
	};
	offload->arena = arena_new(&offload->blocks);
	atomic_init(&offload->over, false);
	atomic_init(&offload->thread, 0);
	run->offload = offload;
	host_make_room(run);
	if (thread_pool_put(turn->engine->threads, &offload->job, err) == 0)
		return SS_PENDING;
	take_back(run);
	return SS_FAILED;
}

bool offload_waits(const struct ss_run *run)
{
	return run->offload != NULL && !run->offload->job.begun;
}

/* The agent keeps its thread, and at last all of them: the process begins anew, for want of a way to end one thread. */
static void on_hanging(evutil_socket_t fd, short what, void *context)
{
	struct ss_run *run = context;
	const struct task *task = run->task;
	(void)fd;
	(void)what;
	if (run->offload->condemned)
		abort(); /* the thread does not take the signal */
	log_error(&task->turn->log,
		"the agent %s of the node %s still blocks, %g s after its time was up; this worker "
		"ends, and another one takes its place",
		agent_of(run), task_node(task)->name,
		(double)task->turn->engine->options.hang_ns / 1e9);
	run->offload->condemned = true;
	run->offload->hanging = turn_timer(run->task->turn, CONDEMNED_NS, on_hanging, run);
	calls_kill_thread(atomic_load(&run->offload->thread));
}

void offload_leave(struct ss_run *run)
{
	struct task *task = run->task;
	if (run->offload == NULL)
		return;
	atomic_store(&run->offload->over, true);
	if (thread_pool_cancel(task->turn->engine->threads, &run->offload->job)) {
		take_back(run);
		run->agents = false;
		run_unref(run);
		return;
	}
	task->blocked = true;
	log_warning(&task->turn->log,
		"the agent %s of the node %s still blocks; nothing waits for it any more, and what "
		"it "
		"comes to will be dropped",
		agent_of(run), task_node(task)->name);
	if (task->turn->engine->options.hang_ns > 0)
		run->offload->hanging = turn_timer(
			task->turn, task->turn->engine->options.hang_ns, on_hanging, run);
}
