/*
 * A stage for the engine: an event loop, a workflow whose nodes are all played by the test, and the turns
 * that run on it. One at a time in a process. The state has the fields
 *   f0 to f19 ints, f20 a string, f21 one of Low and High, f22 a number from 0 to 1, f23 a bool,
 *   f24 a list, f25 a map; with reducers: sum (add), list (append), map (merge) and most (max);
 *   and `given`, an int that puppets only read.
 */
#ifndef ENGINE_STAGE_H
#define ENGINE_STAGE_H

#include "base/buffer.h"
#include "engine/engine.h"

#include "../../fixtures/agents/puppet.h"

enum {
	STAGE_TEXT = 20,
	STAGE_ENUM,
	STAGE_NUMBER,
	STAGE_BOOL,
	STAGE_LIST,
	STAGE_MAP,
	STAGE_UNDECLARED,
};

/* The instance of a node's agent. */
struct actor {
	const struct ss_host *host;
	const struct ss_value_functions *values;
	char name[64]; /* of the node */
};

typedef enum ss_result stage_act(struct actor *actor, struct ss_run *run, struct ss_error *err);

/* What waits to be finished. */
struct waiting {
	char name[64];
	struct ss_run *run;
	struct actor *actor;
};

struct stage {
	struct event_base *base;
	struct later *later;
	struct plugins *plugins;
	struct graph *graph;
	struct engine *engine;
	struct engine_options options;
	struct log log;
	int log_fd;
	struct buffer played; /* the nodes in the order in which they were started, with spaces */
	struct waiting *waiting;
	size_t waiting_count, waiting_capacity;
	size_t actors; /* that are not destroyed */
};

extern struct stage stage;

/* A turn's end. */
struct ending {
	struct turn *turn;
	int calls;
	int closings; /* of those that were confirmed */
};

/* Sets up the stage with the nodes and edges in YAML, with further top-level lines in front if need be.
 * The workflow must be right. */
void stage_open(const char *yaml);

/* Sets up the stage without the engine; false when the workflow is wrong, which is in the log then. */
bool stage_load(const char *yaml);

/* The same without the engine, which stage.options are for. */
void stage_prepare(const char *yaml);
void stage_begin(void);

/* The node NAME is played by ACT; without one it does nothing and is done. The acts of agents that block (blocker,
 * blocker_0 and blocker_1 that write f0 and f1 alone, blocker_many that writes f0 and may run several
 * times at once) are called on
 * other threads. */
void stage_play(const char *name, stage_act *act);

/* Takes everything down and checks that nothing is left. */
void stage_close(void);

/* Frees the engine alone. */
void stage_close_engine(void);

/* What was logged. The caller frees it. */
char *stage_logged(void);

/* Starts a turn with INPUT (JSON, or NULL). */
struct turn *stage_start(const char *input, struct ending *ending);

/* Runs the loop until ENDING has its call; fails after some seconds. */
void stage_until_over(struct ending *ending);

/* Runs what the loop has to do at once. */
void stage_spin(void);

/* Runs the loop until COUNT runs wait: the engine takes turns with the loop, so they may start late. */
void stage_await(size_t count);

/* Plays one turn to its end. The caller frees it. */
struct turn *stage_turn(const char *input);

/* An act that waits for stage_finish(). */
stage_act stage_wait;

/* The run of NAME that has waited longest, taken off the list. */
struct waiting stage_take(const char *name);

/* Finishes it well or, if WHY is given, not. */
void stage_finish(const char *name, const char *why);

/* The fields of a turn's end. */
int64_t stage_int(struct turn *turn, const char *field);
const char *stage_text(struct turn *turn, const char *field);

/* The entry of NODE's last run in the trace: NULL if there is none. */
const struct ss_value *stage_entry(const struct ss_value *trace, const char *node);

/* For acts: the int that the run sees in field ROW, and writing one. */
int64_t actor_read(const struct actor *actor, struct ss_run *run, size_t row);
int actor_write(const struct actor *actor, struct ss_run *run, size_t row, int64_t value,
	struct ss_error *err);

#endif
