/*
 * The engine runs turns over a workflow's graph. It knows nothing of customer support. Loop thread.
 *
 * A turn is a state machine. A node is ready as soon as an edge leads to it, and sees the fields that its
 * agent reads as they are at that moment: what nodes beside it write meanwhile, it does not see. Its
 * writes are applied when it is done; then the edges that leave it are followed, with their conditions
 * looking at the state after the writes. A node whose agent fails or runs out of time writes its on_error
 * values instead, or ends the turn with an error when it has none. A turn is over when nothing runs any
 * more.
 *
 * A run that is over while its agent still works on it, for want of time or because the turn has ended,
 * stays valid until the agent calls finish(): what it writes and asks for is refused, and the calls that
 * are under way for it end with an error.
 *
 * The loop is kept for about a millisecond at most; turns with many nodes go on in its next round.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "base/log.h"
#include "graph/graph.h"

struct event_base;
struct compute;
struct llm;
struct later;
struct engine;
struct turn;

struct engine_options {
	struct event_base *base;
	struct later *later;
	struct compute *compute; /* NULL: embed() and search() fail */
	struct llm *llm;         /* NULL: generate() fails */
	const struct log *log;
};

/* Makes the instances of all agents of GRAPH, which like everything in OPTIONS is borrowed for the
 * engine's life. NULL when one cannot be made; the mistakes are in DIAGNOSTICS. */
struct engine *engine_new(const struct engine_options *options, const struct graph *graph,
	struct diagnostics *diagnostics);

/* Ends every turn that is not over with an error; their turn_over are called as always. No turn starts
 * any more, and agents are refused what they ask for. Before the services are freed; NULL is allowed. */
void engine_stop(struct engine *engine);

/* Frees the engine, with the instances of the agents. All turns must have been freed before, and so must
 * the services, which call back what is still under way. */
void engine_free(struct engine *engine);

/* Called once when a turn is over. */
typedef void turn_over(void *context, struct turn *turn);

/* Starts a turn with INPUT, a map from field names to values; fields it does not name have their
 * defaults. OVER is called later, never before this returns. The turn is the caller's to free, then or
 * before. NULL and ERR when INPUT does not fit the state or the engine was stopped. LOG is copied. */
struct turn *turn_start(struct engine *engine, const struct ss_value *input, const struct log *log,
	turn_over *over, void *context, struct ss_error *err);

/* NULL when the turn went well, else why not. */
const struct ss_error *turn_error(const struct turn *turn);

/* The value of a field, borrowed; NULL when there is no such field. */
const struct ss_value *turn_field(const struct turn *turn, const char *name);

/* The whole state as a new map. */
struct ss_value *turn_state(const struct turn *turn);

/* What happened, as a new list in the order in which nodes finished: maps {node, agent, status, started_ms,
 * duration_ms, writes (list of fields), error (if it failed), taken (list of {to, when})}. The status is
 * "done", "degraded" (went on with its on_error values), "failed", or "stopped" when the turn ended before
 * it. Times are relative to the turn's start. */
struct ss_value *turn_trace(const struct turn *turn);

/* Frees TURN, which its turn_over may do. A turn that is not over is given up: it ends at once, and its
 * turn_over is not called. */
void turn_free(struct turn *turn);

#endif
