/*
 * The engine runs turns over a workflow's graph. It knows nothing of customer support. Loop thread.
 *
 * A turn is a state machine. A node starts as soon as an edge leads to it, sees the fields that its
 * agent reads as they are at that moment, and its writes are applied when it is done; then the edges
 * that leave it are followed, with their conditions looking at the state after the writes. A node whose
 * agent fails or runs out of time writes its on_error values instead, or ends the turn with an error
 * when it has none. A turn is over when nothing runs any more.
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

/* Frees the engine; no turn may be unfinished. */
void engine_free(struct engine *engine);

/* Called once when a turn is over. */
typedef void turn_over(void *context, struct turn *turn);

/* Starts a turn with INPUT, a map from field names to values; fields it does not name have their
 * defaults. OVER is called later, never before this returns; then the turn is the caller's to free.
 * NULL and ERR when INPUT does not fit the state. LOG is copied. */
struct turn *turn_start(struct engine *engine, const struct ss_value *input, const struct log *log,
	turn_over *over, void *context, struct ss_error *err);

/* NULL when the turn went well, else why not. */
const struct ss_error *turn_error(const struct turn *turn);

/* The value of a field, borrowed; NULL when there is no such field. */
const struct ss_value *turn_field(const struct turn *turn, const char *name);

/* The whole state as a new map. */
struct ss_value *turn_state(const struct turn *turn);

/* What happened, as a new list in the order in which nodes finished: maps {node, agent, status ("done",
 * "degraded", "failed"), started_ms, duration_ms, writes (list of fields), error, taken (list of {to,
 * when})}. Times are relative to the turn's start. */
struct ss_value *turn_trace(const struct turn *turn);

void turn_free(struct turn *turn);

#endif
