/*
 * A turn and its runs; for the files of this room only.
 *
 * Who holds what:
 * - A turn is held by its owner until turn_free(), by the call of its turn_over that is on its way, by the
 *   engine while it waits to be advanced, and by each of its runs that somebody still holds.
 * - A run is held by its turn until it ends, by its agent while run() is on the stack and from SS_PENDING
 *   until finish(), and by each service call that is under way for it. So an agent that finishes late, or
 *   a service that answers late, finds its run although the turn has long gone on without it.
 * - When nobody holds a run any more, its values and memory go. The structure itself stays as the turn's
 *   record of what happened, so that a second finish() does no harm while the turn lives.
 */
#ifndef ENGINE_TURN_H
#define ENGINE_TURN_H

#include "engine/engine.h"
#include "service/host.h"
#include "service/later.h"

struct engine_node {
	const struct graph_node *graph;
	struct host host;
	void *instance;
};

struct engine {
	struct engine_options options;
	const struct graph *graph;
	struct engine_node *nodes; /* a row for each of the graph's */
	struct turn *turns;        /* all that somebody holds */
	struct turn *first, *last; /* those that wait to be advanced */
	struct event *go_on;       /* advances them in the loop's next round */
	bool advancing, goes_on;
	bool stopped;
};

enum run_state {
	RUN_READY,
	RUN_RUNNING,
	RUN_DONE,
	RUN_DEGRADED,
	RUN_FAILED,
	RUN_STOPPED, /* the turn ended before it */
};

/* A way that was taken after a node. */
struct taken {
	const struct graph_edge *edge;
	size_t choice;
};

struct run_memory {
	struct run_memory *next;
	_Alignas(max_align_t) unsigned char bytes[];
};

/* One activation of a node. */
struct ss_run {
	struct turn *turn;
	size_t node;
	enum run_state state;
	size_t references;
	bool agents;                  /* its agent holds it */
	struct ss_run *next, *before; /* in the list of its state */
	struct event *timeout;
	struct ss_value **read;  /* for each row of the agent's fields, as the run sees them */
	struct ss_value **wrote; /* the same; NULL: not written */
	struct run_memory *memory;
	/* The record. */
	int64_t started_ns;  /* since the turn's start */
	int64_t duration_ns; /* set when it ends */
	bool *changed;       /* for each field of the state: whether it wrote it */
	char *error;
	struct taken *taken;
	size_t taken_count;
};

struct run_list {
	struct ss_run *first, *last;
	size_t count;
};

struct turn {
	struct engine *engine;
	struct turn *next, *before; /* in the engine's `turns` */
	struct turn *next_waiting;  /* in the engine's `first` */
	bool waiting;
	struct later_call over_call;
	turn_over *over; /* NULL once the owner has freed the turn */
	void *context;
	struct log log;
	size_t references;
	bool ended;
	struct ss_error err;
	struct event *deadline;
	int64_t started_ns;
	struct ss_value **slots; /* the state */
	struct run_list ready;   /* to be started, in order */
	struct run_list running;
	struct run_list over_runs; /* in the order in which they ended */
	int64_t steps;
	size_t **arrived; /* for each edge that joins: how often each of `from` has finished */
};

/* Makes TURN go on with its ready runs, now or, when the engine is at it already, a little later. */
void engine_advance(struct turn *turn);

/* A run of NODE that is ready to start and sees the state as it is now. */
void run_add(struct turn *turn, size_t node);

/* Starts the first ready run. */
void run_start(struct turn *turn);

/* Ends RUN by its agent's RESULT: its writes, or its fallback, or the turn. Does nothing when it is over. */
void run_end(struct ss_run *run, enum ss_result result, const struct ss_error *err);

/* What agents call as host->finish(). */
void run_finish(struct ss_run *run, enum ss_result result, const struct ss_error *err);

/* Ends RUN, ready or running, because its turn has ended. */
void run_stop(struct ss_run *run);

/* Whether RUN still counts. */
bool run_is_running(const struct ss_run *run);

/* The agent's instance of a run. */
void *run_instance(const struct ss_run *run);

struct ss_run *run_ref(struct ss_run *run);
void run_unref(struct ss_run *run);

/* Frees the values, memory and timer of a run that nobody holds. */
void run_clear(struct ss_run *run);

/* Frees the record of a run, with the turn. */
void run_free(struct ss_run *run);

/* Starts the next ready run, or ends TURN when it has none that runs or is ready. */
void turn_step(struct turn *turn);

/* Ends TURN with an error (copied), or well with NULL. */
void turn_end(struct turn *turn, const struct ss_error *err);

/* NODE (or GRAPH_START) has finished: follows the edges that leave it. RUN notes the ways taken; it may
 * be NULL. */
void turn_follow(struct turn *turn, size_t node, struct ss_run *run);

/* Frees TURN whoever holds it. */
void turn_destroy(struct turn *turn);

struct turn *turn_ref(struct turn *turn);
void turn_unref(struct turn *turn);

/* Adds to HOST what only agents may call. */
void engine_host_init(struct host *host);

#endif
