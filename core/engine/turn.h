/* A turn and its runs; for the files of this room only. */
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
};

enum trace_status {
	TRACE_DONE,
	TRACE_DEGRADED,
	TRACE_FAILED,
};

/* A way that was taken after a node. */
struct trace_edge {
	const struct graph_edge *edge;
	size_t choice;
};

struct trace_entry {
	size_t node;
	enum trace_status status;
	int64_t started_ns; /* since the turn's start */
	int64_t duration_ns;
	bool *wrote; /* for each field of the state */
	char *error;
	struct trace_edge *taken;
	size_t taken_count;
};

struct turn {
	struct engine *engine;
	struct later_call over_call;
	turn_over *over;
	void *context;
	struct log log;
	size_t references; /* the owner's and one for each run */
	bool ended;
	struct ss_error err;
	struct event *deadline;
	int64_t started_ns;
	struct ss_value **slots; /* the state */
	size_t *ready;           /* nodes to start, in order */
	size_t ready_first, ready_count, ready_capacity;
	struct ss_run *runs; /* that have not finished */
	size_t running;
	int64_t steps;
	bool advancing;
	size_t **arrived; /* for each edge that joins: how often each of `from` has finished */
	struct trace_entry *trace;
	size_t trace_count;
};

struct run_memory {
	struct run_memory *next;
	_Alignas(max_align_t) unsigned char bytes[];
};

/* One activation of a node. */
struct ss_run {
	struct turn *turn;
	size_t node;
	size_t references; /* the turn's while it runs and one for each call that is under way */
	bool finished;
	bool in_run; /* the agent's run() is on the stack */
	struct ss_run *next, **link;
	struct event *timeout;
	int64_t started_ns; /* since the turn's start */
	struct ss_value **read;  /* for each row of the agent's fields, as the run sees them */
	struct ss_value **wrote; /* the same; NULL: not written */
	struct run_memory *memory;
};

/* Starts NODE of TURN. */
void run_start(struct turn *turn, size_t node);

/* The agent's instance of a run. */
void *run_instance(const struct ss_run *run);

/* Ends RUN: its writes, or its fallback, or the turn. Later calls do nothing. */
void run_finish(struct ss_run *run, enum ss_result result, const struct ss_error *err);

struct ss_run *run_ref(struct ss_run *run);
void run_unref(struct ss_run *run);

/* Ends TURN with an error (copied), or well with NULL. */
void turn_end(struct turn *turn, const struct ss_error *err);

/* Starts what is ready, and ends the turn when nothing runs any more. */
void turn_advance(struct turn *turn);

/* NODE (or GRAPH_START) has finished: follows the edges that leave it. ENTRY notes the ways taken; it
 * may be NULL. */
void turn_follow(struct turn *turn, size_t node, struct trace_entry *entry);

struct turn *turn_ref(struct turn *turn);
void turn_unref(struct turn *turn);

/* Adds an entry to the trace; borrowed until the next one is added. */
struct trace_entry *trace_add(struct turn *turn, const struct ss_run *run, enum trace_status status,
	const struct ss_error *err);

/* Adds to HOST what only agents may call. */
void engine_host_init(struct host *host);

#endif
