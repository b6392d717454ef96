/*
 * A turn and what it is made of; for the files of this room only.
 *
 * A task is one activation of a node. It has a copy for each item of the list that the node is sent over,
 * or just one. A copy has one attempt after the other, and each attempt is a run, which is what agents see.
 *
 * Who holds what:
 * - A turn is held by its owner until turn_free(), by the call of its turn_over that is on its way, by the
 *   engine while it waits to be advanced, and by each of its runs that somebody still holds.
 * - A run is held by its copy until the attempt is over, by its agent while run() is on the stack and from
 *   SS_PENDING until finish(), and by each service call that is under way for it. So an agent that finishes
 *   late, or a service that answers late, finds its run although the turn has long gone on without it.
 * - All of it lies in the turn's arena, and only values are given back one by one.
 *
 * All of it is the loop thread's. Only while an agent that blocks is at work, its run's offload, writes, way and payload
 * are those of its thread, which reads the run's view as well: as long as the run holds it, nobody changes it.
 */
#ifndef ENGINE_TURN_H
#define ENGINE_TURN_H

#include "base/arena.h"
#include "base/calls.h"
#include "base/process.h"
#include "engine/engine.h"
#include "engine/record.h"
#include "service/host.h"
#include "service/later.h"
#include "service/thread_pool.h"

#include <event2/event.h>
#include <stdatomic.h>

struct task;
struct cache;
struct journal;

/* A node as the engine has it. */
struct engine_node {
	const struct graph_node *graph;
	struct host host;
	void *instance;
	bool created;             /* the instance */
	struct call_site *site;   /* NULL: nobody looks at what is called */
	bool left_out;            /* it was in quarantine when it was to be created */
	size_t metric;            /* metrics_node() */
	struct program *inner;    /* of a workflow */
	struct cache *cache;      /* NULL: none */
	bool blocks;              /* its agent is called on a thread of the pool */
	struct thread_lane *lane; /* NULL: several calls at once */
	struct thread_lane calls; /* what it points to otherwise */
};

/* A graph as the engine has it. */
struct program {
	const struct graph *graph;
	struct engine_node *nodes; /* a row for each of the graph's */
};

struct engine {
	struct engine_options options;
	struct program *program;
	struct arena_pool pool;
	struct thread_pool *threads; /* for agents that block; NULL: there are none */
	struct turn *turns;          /* all that somebody holds */
	struct turn *first, *last;   /* those that wait to be advanced */
	struct event *go_on;         /* advances them in the loop's next round */
	uint64_t randomness;
	char process[PROCESS_NAME_SIZE]; /* who has the leases of its turns */
	bool advancing, goes_on;
	bool polls;    /* the loop itself has called */
	size_t saving; /* turns that are being stored */
	bool stopped;
};

/* What was written to a field with a reducer while there was something beside it. */
struct contribution {
	const struct task *by;
	size_t index; /* of the copy */
	struct ss_value *value;
	bool overwrites;
	struct contribution *next_made; /* in the turn's list of all of them */
};

/* The contributions to a field in their order, from the last one back. Lists share their beginnings. */
struct contributions {
	struct contributions *before;
	const struct contribution
		*last;            /* NULL in the first one, which stands for what was there */
	struct ss_value *reduced; /* what the field holds after it */
	struct contributions *next_made; /* in the turn's list of all of them */
};

/* Where a field's value comes from. */
struct origin {
	const struct task *writer;     /* NULL: what the turn started with */
	struct contributions *reduced; /* NULL: nothing was written beside anything else */
};

/* The state as a task sees it. Shared by tasks that see the same; who writes and is not alone with it
 * makes a copy. */
struct view {
	size_t references;
	struct view *next_free;
	struct view *next_made;   /* in the turn's list of all of them */
	struct ss_value **values; /* for each field */
	struct origin *origins;   /* the same */
};

/* What a run writes. */
struct write {
	size_t slot;
	struct ss_value *value;
	bool overwrites;
};

struct wait;
struct generation;

/* What a run on a thread of the pool has for itself, from when it is queued until it is back on the loop. */
struct offload {
	struct thread_job job;
	struct ss_run *run;
	atomic_bool over;  /* the attempt is, says the loop: what the agent still does is dropped */
	atomic_int thread; /* that runs it, as the system counts; 0: none yet */
	struct event *hanging; /* set when it is over and the agent goes on */
	bool condemned;        /* the thread was told to end the process */
	/* What the agent may look at. */
	struct ss_value *answer;
	unsigned attempt;
	/* The thread's. */
	struct arena_pool blocks;
	struct arena arena; /* for what the agent allocates */
	bool finished;      /* it has called finish() */
	enum ss_result result;
	struct ss_error err;
};

/* One attempt of one copy. */
struct ss_run {
	struct task *task;
	struct copy *copy; /* NULL: the attempt is over */
	struct view *view;
	size_t references;
	bool agents;              /* its agent holds it */
	struct ss_run *next_made; /* in the turn's list of all of them */
	struct event *timeout;    /* NULL: none */
	struct offload *offload;  /* NULL: it is on the loop */
	struct wait *waits;
	struct generation *generations; /* that are under way */
	struct write *writes;           /* room for all that the node may write */
	size_t write_count;
	struct ss_error
		*refused; /* the first write to what is no field of its agent's; NULL: none */
	size_t way;       /* of the node's command; GRAPH_NO_SLOT: none */
	struct ss_value *payload;       /* what it asks */
	const struct ss_value *missing; /* while its agent is told what a search found */
};

enum copy_state {
	COPY_NEW,
	COPY_RUNNING,
	COPY_WAITING, /* to be tried again */
	COPY_ASKING,  /* waits for an answer */
	COPY_DONE,
	COPY_FAILED,
};

struct copy {
	struct task *task;
	enum copy_state state;
	size_t index;
	int64_t attempts;
	struct ss_run *run;    /* the attempt; when it is done, with its writes */
	struct event *again;   /* while waiting */
	struct ss_value *item; /* NULL: the node is not sent over a list */
	struct ss_value *payload;
	struct ss_value *answer;
	struct turn *inner;   /* of a workflow: its turn, also when it is over */
	struct ss_error *err; /* of the last attempt that failed */
	/* While it is held back to be finished in some order. */
	bool held;
	enum ss_result result;
	struct ss_error *held_err;
};

enum task_state {
	TASK_READY,
	TASK_RUNNING,
	TASK_ASKING_BEFORE, /* waits for an answer before it runs */
	TASK_ASKING,        /* all copies that are not done ask */
	TASK_ASKING_AFTER,  /* waits for an answer with its writes applied */
	TASK_DONE,
	TASK_DEGRADED,
	TASK_FAILED,
	TASK_STOPPED, /* the turn ended before it */
};

/* A way that was taken after a node. */
struct taken {
	struct taken *next;
	const struct graph_edge *edge;
	size_t choice;
};

/* One activation of a node. */
struct task {
	struct turn *turn;
	size_t node;
	size_t step;
	const struct task *cause; /* the last parent that led to it; NULL: START */
	size_t edge;              /* by which; GRAPH_NO_SLOT: of START */
	uint64_t id;              /* the same each time that the turn is run */
	enum task_state state;
	struct task *next, *before; /* in the list of its state */
	struct view *view;          /* NULL once it has been handed on */
	struct copy *copies;
	size_t copy_count;
	size_t begun, over, asking; /* copies; those that are done or have failed count as over */
	struct event *deadline;     /* NULL: none */
	bool answered;              /* what is asked before it */
	size_t way;                 /* that its agent has chosen, or GRAPH_NO_SLOT */
	bool cached, blocked;
	bool restored; /* what it came to was known, of all of its copies */
	bool recorded; /* that it failed, or what its cache had, was known */
	bool ran;      /* one of its copies was run */
	bool halted;   /* what it came to is not known, and nothing is run to find out */
	bool going_on; /* task_go_on() is at it */
	size_t needs;  /* the entries of the journal that must be stored before it starts */
	char *cache_key;
	/* The record. */
	int64_t started_ns;  /* since the turn's start */
	int64_t duration_ns; /* set when it ends */
	int64_t restored_ns; /* what it is when it was restored; 0: not known */
	size_t *changed;     /* fields that it wrote */
	size_t changed_count;
	const char *error;
	struct ss_value *missing; /* what a search that it made did without; NULL: nothing */
	struct taken *taken;
	struct ss_value
		*models; /* what became of those that were asked, a list; NULL: nothing to say */
};

struct task_list {
	struct task *first, *last;
	size_t count;
};

/* A parent that waits at a join for the others. */
struct arrival {
	struct arrival *next;
	const struct task *task; /* NULL: START */
	struct view *view;
};

struct turn {
	struct arena arena;
	struct engine *engine;
	const struct program *program;
	struct turn *next, *before; /* in the engine's `turns` */
	struct turn *next_waiting;  /* in the engine's `first` */
	bool waiting;
	struct ss_run *outer; /* the run that an inner turn is the work of */
	struct turn *outermost;
	/* Of the outermost turn: */
	struct journal *journal; /* NULL: it is not kept */
	struct record *record;   /* NULL: it began here */
	bool look;
	bool hurried; /* nobody waits for it */
	bool told; /* its owner knows that it is over, although the journal does not say so yet */
	/* While it waits for the journal. */
	struct turn *next_gated;
	bool gated;
	uint64_t id; /* where the ids of its tasks begin */
	struct later_call over_call;
	turn_over *over;   /* NULL once the owner has freed the turn */
	turn_over *closed; /* called in its place once the owner has confirmed the turn; or NULL */
	turn_event *event;
	unsigned events;
	void *context;
	struct log log;
	size_t references;
	enum turn_status status;
	struct ss_error err;
	struct event *deadline;
	int64_t started_ns;
	struct view *free_views;
	struct view *result; /* what branches that have ended left; NULL: none has */
	struct view *seen;   /* what turn_field() looked at */
	/* All that were made. */
	struct view *views;
	struct contribution *contributed;
	struct contributions *reduced;
	struct ss_run *runs;
	struct task_list ready; /* to be started, in order */
	struct task_list running;
	struct task_list asking;
	struct task_list over_tasks;
	size_t arrival_count;
	struct arrival **
		*arrived; /* for each edge that joins, for each of its parents: those that wait */
	int64_t steps;
};

/* Checks what RUN has written. */
int task_fit(struct ss_run *run, struct ss_error *err);

/* Writes VALUE (taken), which fits, to the field SLOT of TASK's state. */
int task_write(struct task *task, size_t slot, struct ss_value *value, size_t index,
	bool overwrites, struct ss_error *err);

/* engine.c */

/* Makes TURN go on with its ready tasks, now or, when the engine is at it already, a little later. */
void engine_advance(struct turn *turn);

/* Turns that are to go on wait from engine_hold() to engine_release(), which takes what the first one gave. */
bool engine_hold(struct engine *engine);
void engine_release(struct engine *engine, bool held);

/* The next number of the engine's sequence, below LIMIT. */
size_t engine_random(struct engine *engine, size_t limit);

/* view.c */

/* The state that a turn starts with. */
struct view *view_new(struct turn *turn);
struct view *view_ref(struct view *view);
void view_unref(struct turn *turn, struct view *view);

/* *VIEW as it is, or a copy when others see it as well. */
struct view *view_own(struct turn *turn, struct view **view);

/* A view that differs from VIEW in the field SLOT alone; new. */
struct view *view_with(
	struct turn *turn, struct view *view, size_t slot, const struct ss_value *value);

/* Writes VALUE (taken), which fits the field, to *VIEW. -1 and ERR when it cannot be reduced. */
int view_write(struct turn *turn, struct view **view, size_t slot, struct ss_value *value,
	const struct task *by, size_t index, bool overwrites, struct ss_error *err);

/* The view of somebody who sees both A and B, which are taken. Never fails: where a sum leaves its bounds,
 * what does not fit any more is left out, and ERR says so. */
struct view *view_merge(struct turn *turn, struct view *a, struct view *b, struct ss_error *err);
/* -1 and ERR when VIEW takes more memory than a state may. */
int view_check(const struct turn *turn, const struct view *view, struct ss_error *err);

/* Releases the values of all views and contributions. */
void view_forget(struct turn *turn);

/* flow.c */

/* Whether A comes before B; NULL, for START, comes first. */
bool task_is_before(const struct task *a, const struct task *b);

/* TASK (NULL: START) is done and has left VIEW (taken): follows its edges. */
void flow_on(struct turn *turn, struct task *task, struct view *view);

/* The same by the one way CHOICE of EDGE, in place of the others. */
void flow_by(struct turn *turn, struct task *task, struct view *view, size_t edge, size_t choice);

/* Lets joins run whose missing parents cannot come any more. */
void flow_release(struct turn *turn);

/* Where the ids of an inner turn begin that is COPY's attempt. */
uint64_t flow_inner_id(const struct copy *copy);

/* task.c */

struct task *task_new(struct turn *turn, size_t node, const struct task *cause, size_t edge,
	size_t step, uint64_t id, struct view *view);
void task_start(struct task *task);
/* From now on TASK may take as long as its node's deadline says. */
void task_start_deadline(struct task *task);
/* Goes on with the copies of TASK: starts what may start, and ends it when all are over. */
void task_go_on(struct task *task);
/* Ends TASK, whatever it is doing, because its turn has ended. */
void task_stop(struct task *task);
/* How long it is since TASK was started. */
int64_t task_time_ns(const struct task *task);
/* RESULT, an entry of the journal, is known to be what TASK, or a copy of it, came to. */
void task_restore(struct task *task, const struct ss_value *result);
const struct graph_node *task_node(const struct task *task);
struct engine_node *task_engine_node(const struct task *task);
/* What TASK asked before or after its node is answered, and the answer written. */
void task_answered(struct task *task);
/* What COPY's agent asked is answered. */
void copy_answered(struct copy *copy);
/* Goes on behind TASK, whose writes are applied. */
void task_leave(struct task *task);

/* run.c */

/* Starts the next attempt of COPY. */
void run_start(struct copy *copy);
/* From now on RUN may take as long as its node's timeout says. */
void run_start_timeout(struct ss_run *run);
/* Ends an attempt by its agent's RESULT. Does nothing when it is over. */
void run_end(struct ss_run *run, enum ss_result result, const struct ss_error *err);
/* What agents call as host->finish(). */
void run_finish(struct ss_run *run, enum ss_result result, const struct ss_error *err);
/* Finishes what was held back. */
void run_finish_held(struct copy *copy);
/* The attempt of COPY, if there is one, is over: nothing that it does counts any more. */
void run_abandon(struct copy *copy);
bool run_is_running(const struct ss_run *run);
/* The agent's instance of a run. */
void *run_instance(const struct ss_run *run);
struct ss_run *run_ref(struct ss_run *run);
void run_unref(struct ss_run *run);
/* Calls back those that wait(), with an error. */
void run_end_waits(struct ss_run *run);

/* generate.c */

/* What agents call as host->generate(). */
int generation_start(struct ss_run *run, const struct ss_prompt *prompt, ss_generated *done,
	struct ss_error *err);
/* Stops the models that are at something for RUN, which is over, and calls back with an error. */
void run_end_generations(struct ss_run *run);

/* host.c */

/* A call of an OPERATION of a run's agent: what it logs belongs to its turn, which is there until it has been left, and the worker
 * is at it as others see it. */
struct run_scope {
	struct turn *turn;
	const struct log *before;
};

struct run_scope run_enter(struct ss_run *run, enum call_operation operation);
void run_leave(const struct run_scope *scope);

/* What the calls of a run that is over end with. */
extern const struct ss_error run_is_over;
/* Whether RUN may use a SERVICE, called NAME, at all, by calling FUNCTION. */
int host_check_use(const struct ss_run *run, enum ss_services service, const char *name,
	const char *function, struct ss_error *err);
/* Room for all that RUN's agent may write. */
void host_make_room(struct ss_run *run);
/* Adds to HOST what only agents may call. */
void engine_host_init(struct host *host);

/* offload.c */

/* Calls RUN's agent, which blocks, on a thread of the pool: SS_PENDING, or SS_FAILED and ERR. */
enum ss_result offload_start(struct ss_run *run, struct ss_error *err);
/* The attempt is over: RUN is taken back if its agent was not called yet; else what it comes to is dropped. */
void offload_leave(struct ss_run *run);
/* Whether RUN waits for a thread. */
bool offload_waits(const struct ss_run *run);

/* turn.c */

/* Starts what is ready, finishes what is held back, or ends TURN when nothing is left. */
void turn_step(struct turn *turn);
/* Whether turn_step() has something to do. */
bool turn_can_step(const struct turn *turn);
/* Ends TURN with an error (copied), or well with NULL. */
void turn_end(struct turn *turn, const struct ss_error *err);
/* A turn of PROGRAM that is the work of OUTER (or NULL) and begins its ids at ID. */
struct turn *turn_begin(struct engine *engine, const struct program *program,
	const struct turn_options *options, struct ss_run *outer, uint64_t id,
	struct ss_error *err);
/* VIEW (taken) stays to be looked at as part of what TURN, which fails, came to. */
void turn_keep(struct turn *turn, struct view *view);
/* Frees TURN whoever holds it. */
void turn_destroy(struct turn *turn);
struct turn *turn_ref(struct turn *turn);
void turn_unref(struct turn *turn);
/* Tells that TURN is over or interrupted, as soon as that is stored. */
void turn_tell_over(struct turn *turn);
/* From now on TURN may take as long as its workflow allows. */
void turn_start_deadline(struct turn *turn);
/* All that TURN holds, merged; borrowed. */
const struct view *turn_look(struct turn *turn);
void list_add(struct task_list *list, struct task *task);
void list_remove(struct task_list *list, struct task *task);
/* A timer of TURN's that calls CALL once, after NS, unless it is deleted before. */
struct event *turn_timer(struct turn *turn, int64_t ns, event_callback_fn call, void *context);

/* interrupt.c */

/* The id of an interrupt of COPY (NULL: of the task as a whole), in TEXT [32]. Returns TEXT. */
char *interrupt_id(const struct task *task, const struct copy *copy, char text[32]);
/* What TASK shows when it asks before or after its node; new. */
struct ss_value *interrupt_payload(const struct task *task);

/* Goes on with ANSWERS, which were checked and, if the turn is kept, stored. */
void interrupt_apply(struct turn *turn, const struct ss_value *answers);
/* Writes an answer that was given before or after TASK's node to its field. */
int interrupt_write(struct task *task, const struct ss_value *answer, struct ss_error *err);

/* journal.c */

/* Gives TURN a journal if it is kept. */
void journal_open(struct turn *turn, const struct turn_options *options);
void journal_free(struct journal *journal);
const char *journal_id(const struct journal *journal);
/* Whether what happens in TURN or in one that it is the work of is noted. */
bool journal_notes(const struct turn *turn);
/* Notes DATA (taken) about TASK, and its COPY if it is one of several. */
void journal_note(const struct task *task, const struct copy *copy, struct ss_value *data);
/* What a task that is made now must wait for, and whether it still must. */
size_t journal_needs(const struct turn *turn);
bool journal_allows(const struct turn *turn, size_t needs);
/* TURN has tasks that wait for the journal. */
void journal_gate(struct turn *turn);
/* Whether something of TURN is to be stored now; stores it. */
bool journal_has_work(const struct turn *turn);
void journal_save(struct turn *turn);
/* Stores the end of TURN, or that it waits. Whether that is done; if not, turn_tell_over() is called then. */
bool journal_close(struct turn *turn);
/* Whether TURN, which has ended, is to be confirmed before its journal is closed. */
bool journal_is_open(const struct turn *turn);
/* It is; returns as journal_close() does. */
bool journal_confirm(struct turn *turn);
/* TURN goes on with ANSWERS. -1 and ERR when it is about to already. */
int journal_reopen(struct turn *turn, const struct ss_value *answers, struct ss_error *err);
/* Stores what was noted since and takes the lease, then calls interrupt_apply(); or TURN fails. */
void journal_resume(struct turn *turn);

/* outcome.c: what a node came to as a value, for the cache and the journal */

/* {writes: list of [field, value, overwrites, copy], way, attempts} of TASK, which is done, new; what is as
 * always is left out. */
struct ss_value *outcome_make(const struct task *task);
/* Notes what COPY, which is done, came to. */
void outcome_note(const struct copy *copy);
/* Applies what outcome_make() made to TASK. */
int outcome_apply(struct task *task, const struct ss_value *outcome, struct ss_error *err);
/* Makes COPY's run one that has written what is in OUTCOME. */
void outcome_restore(struct copy *copy, const struct ss_value *outcome);

/* inner.c */

/* Starts the workflow that is RUN's node. */
enum ss_result inner_start(struct ss_run *run, struct ss_error *err);
/* Ends COPY's inner turn, if it has one that is not over; it stays for the trace. */
void inner_stop(struct copy *copy);

/* cache.c */

/* How much memory the keys and values of one node may take. */
enum { CACHE_SIZE_LIMIT = 64 * 1024 * 1024 };

struct cache *cache_new(const struct graph_cache *options);
void cache_free(struct cache *cache);
/* What a node that sees VIEW is remembered by; new. */
char *cache_key(const struct graph_cache *options, const struct view *view);
/* What was kept under KEY: a list of {slot, value, overwrites}, and the way; NULL when there is nothing. */
const struct ss_value *cache_get(struct cache *cache, const char *key);
/* Keeps VALUE (taken), in place of the oldest ones if need be; one that is too large is not kept. */
void cache_put(struct cache *cache, const char *key, struct ss_value *value);

/* event.c */

/* The name of TASK's node, behind those of the nodes whose work its turn is; new. */
char *event_node_name(const struct task *task);

void event_started(struct task *task);
void event_finished(struct task *task);
void event_taken(
	struct turn *turn, const struct task *task, const struct graph_edge *edge, size_t choice);
void event_interrupt(struct task *task, const struct copy *copy, const char *when,
	const struct ss_value *payload);
/* TEXT is a piece of what a model answers to COPY's attempt, in its own attempt NUMBER; or of the agent's words: 0. */
void event_token(const struct copy *copy, unsigned number, struct ss_text text);
/* COUNT ENTRIES of the outermost turn's journal are stored; RESULTS of them say what a node came to. */
void event_checkpoint(struct turn *turn, const struct ss_journal_entry *entries,
	const bool *results, size_t count);
void event_over(struct turn *turn);

/* trace.c */

/* "done", "degraded", … */
const char *trace_status(const struct task *task);
/* The tasks of LIST in their order, in a new array. */
const struct task **trace_sort(const struct task_list *list);

#endif
