/*
 * The engine runs turns over a workflow's graph. It knows nothing of customer support. Loop thread.
 *
 * A turn is a state machine. A node becomes a task as soon as an edge leads to it. A task sees what the
 * nodes before it have written: those whose end led to it, directly or not, and nothing of what is written
 * beside it meanwhile. Its writes are applied when it is done; then the edges that leave its node are
 * followed, with their conditions looking at the state after the writes. A join's task sees what all of its
 * parents see. So what a node sees, and what a turn ends with, never depends on who finished first.
 *
 * Tasks are ordered: by step (one more than that of the last parent), then by the order of the nodes in the
 * file, then by their parents. What is written side by side to a field with a reducer is reduced in this
 * order, and a fan-out's copies in the order of their items. The trace is in this order as well.
 *
 * A join waits for all its parents. When some of them cannot come any more, since their branches have ended
 * or gone elsewhere, it runs with those that came. When nothing can run but joins wait for each other, the
 * first one in the file runs.
 *
 * A task whose agent fails is tried again as the node's `retry` says; then it goes on as its `on_error` says,
 * or the turn ends with an error. A turn is over when nothing runs any more. When all that is left waits for
 * an answer from outside, it is interrupted, and goes on with turn_resume().
 *
 * An agent's run that is over while the agent still works on it, for want of time or because the turn has
 * ended, stays valid until the agent calls finish(): what it writes and asks for is refused, and the calls
 * that are under way for it end with an error. An agent that blocks, as its descriptor says, runs on a thread of a
 * small pool while the loop goes on; once its attempt is over it is not waited for, until engine_free().
 *
 * A turn of a durable workflow that has an id is kept: what happens in it is written to its journal
 * (record.h), with durability `node` before what comes after it starts. Its turn_over is called when all of it
 * is stored. When it could not be stored the turn fails, and can be gone on with from where it was stored
 * last. A turn that is given up, or stopped with its engine, can be gone on with from there as well. Who goes
 * on with it anywhere holds its lease, which is renewed while the turn runs here.
 *
 * Who does something with what a turn came to, as storing an answer, has it confirmed (turn_confirm()): until then its
 * journal is one of a turn that runs, so when this process dies before, another one goes on with it and does it.
 *
 * The loop is kept for about a millisecond at most; turns with many nodes go on in its next round.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "base/log.h"
#include "graph/graph.h"

struct event_base;
struct compute;
struct http_client;
struct llm;
struct later;
struct metrics_part;
struct record;
struct store;
struct engine;
struct turn;

struct engine_options {
	struct event_base *base;
	struct later *later;
	struct compute *compute;  /* NULL: embed() and search() fail */
	struct llm *llm;          /* NULL: generate() fails */
	struct http_client *http; /* NULL: http_start() fails */
	struct store *store;      /* NULL: turns are not kept */
	const struct log *log;
	struct metrics_part *metrics; /* NULL: nothing is counted */
	/* How long an agent that blocks may go on once its attempt is over, before it ends the process; 0: for ever. */
	int64_t hang_ns;
	/* Not 0: a test of a workflow. What is done at the same time is finished in an order that this number
	 * decides, agents' waits and the waits before attempts take no time, and the trace tells no times. */
	uint64_t shuffle;
};

/* Makes the instances of all agents of GRAPH, which like everything in OPTIONS is borrowed for the
 * engine's life. NULL when one cannot be made; the mistakes are in DIAGNOSTICS. */
struct engine *engine_new(const struct engine_options *options, const struct graph *graph,
	struct diagnostics *diagnostics);

/* Ends every turn that is not over with an error; their turn_over are called as always. No turn starts
 * any more, and agents are refused what they ask for. Before the services are freed; NULL is allowed. */
void engine_stop(struct engine *engine);

/* Whether ENGINE has no turn, so that nothing is under way for it. */
bool engine_is_idle(const struct engine *engine);

/* Frees the engine, with the instances of the agents; waits for those that block until they return. All turns must
 * have been freed before, and so must the services, which call back what is still under way, or the engine
 * is idle. */
void engine_free(struct engine *engine);

enum turn_status {
	TURN_RUNNING,
	TURN_DONE,
	TURN_FAILED,
	TURN_INTERRUPTED, /* waits for answers */
};

/* Called once when a turn is over or interrupted, and again each time after it was resumed. */
typedef void turn_over(void *context, struct turn *turn);

/* What turn_event is called for: bits. */
enum turn_events {
	TURN_NODE_STARTED = 1,  /* {event, node, id, step} */
	TURN_NODE_FINISHED = 2, /* {event, node, id, step, status, writes: map, error, restored} */
	TURN_EDGE_TAKEN = 4,    /* {event, from, to, when, restored} */
	TURN_INTERRUPT = 8,     /* {event, node, id, when, payload} */
	TURN_FINISHED = 16,     /* {event, turn, status, error} */
	TURN_CHECKPOINT = 32,   /* {event, turn, nodes: list of ids}: what they came to is stored */
	/* {event, node, id, attempt, copy (of a fan-out), try, text}: a piece of what a model answers, or of what the agent
	 * itself says around it. Pieces are told as they come, before anybody knows what becomes of the attempt. `try`
	 * counts the attempts of the models within that of the node, from 1; the agent's own pieces have none. Who shows
	 * them drops a model's pieces when one with a higher try follows in the same attempt, and not the agent's own:
	 * where they stood, the new ones stand. They drop all of an attempt when a later attempt of the same id and copy
	 * tells of one, and those of the id when its node.finished has another status than "done": what counts is what the
	 * node writes. Pieces that come after their attempt, and those of a task (SS_PROMPT_TASK), are not told. */
	TURN_TOKEN = 64,
};

/* The bit of the event NAME, as in "node.started"; 0 when there is none. */
unsigned turn_event_named(const char *name);

/* Called as things happen, with a map whose `event` is its name, as in "node.started"; borrowed for the
 * call. Nodes of inner workflows are named outer/inner. It must not free the turn. */
typedef void turn_event(void *context, struct turn *turn, const struct ss_value *event);

struct turn_options {
	const struct ss_value
		*input; /* a map from fields to values; the others have their defaults */
	/* Under which the turn is kept as its workflow's `durability` says; NULL: it is not kept. */
	const char *id;
	/* Whose turn it is, and of which conversation, for its journal; NULL: of nobody's. Of a turn that is gone on with
	 * its journal knows. */
	const char *user_id, *conversation_id;
	/* The turn that is gone on with, in place of an input and an id. It was fetched to be gone on with,
	 * unless the turn is just to be brought back as far as is known. */
	struct record *record;
	bool look; /* nothing runs that is not known, and nothing is stored */
	/* What the owner of a turn that is kept must know to go on with it elsewhere, a map for record_about(); NULL:
	 * nothing. */
	const struct ss_value *about;
	/* With durability `node`: a turn that ends well calls its turn_over at once, and its journal says so when the owner
	 * has called turn_confirm(). */
	bool confirms;
	const struct log *log; /* copied */
	turn_over *over;       /* called later, never before the call that starts returns */
	turn_event *event;     /* NULL: none */
	unsigned events;       /* those that are wanted */
	void *context;         /* of both */
};

/* Starts a turn, or goes on with one. It is the caller's to free, in its turn_over or at any time. NULL and ERR when the input
 * does not fit the state or the engine was stopped. */
struct turn *turn_start(
	struct engine *engine, const struct turn_options *options, struct ss_error *err);

enum turn_status turn_status(const struct turn *turn);

/* NULL unless the turn has failed: then why. */
const struct ss_error *turn_error(const struct turn *turn);

/* The value of a field, borrowed until the turn goes on; NULL when there is no such field. Of a turn that
 * has not ended: as far as it has come. */
const struct ss_value *turn_field(struct turn *turn, const char *name);

/* The whole state as a new map. */
struct ss_value *turn_state(struct turn *turn);

/* What an interrupted turn waits for, as a new list in the order of the tasks: maps {id, node, when
 * ("before", "after" or "during"), payload}. Ids are the same each time that the turn is run. */
struct ss_value *turn_interrupts(struct turn *turn);

/* Nobody waits for TURN any more, which still counts: models that answer in it stop where they are, and what they have
 * said by then is the answer; one that has said nothing gives way to the last one that is configured. Its turn_over is
 * called as always. */
void turn_hurry(struct turn *turn);

/* What is to be done with TURN, which is done and was to be confirmed, is done, or has failed for good with ERR: its
 * journal says so, also when TURN is freed meanwhile. Whether there is nothing to wait for, as with other turns; if not, CLOSED is
 * called once as turn_over is, when that is stored or cannot be. Who does not call this before turn_free() leaves
 * the turn to be gone on with by another process, when its lease is over. */
bool turn_confirm(struct turn *turn, const struct ss_error *err, turn_over *closed);

/* The id of a turn that is kept, or NULL. */
const char *turn_id(const struct turn *turn);

/* Goes on with an interrupted turn. ANSWERS maps the ids of interrupts to values; what is not answered
 * goes on waiting. -1 and ERR when the turn is not interrupted, an id is unknown, there is no answer at
 * all, or one does not fit the field that it is written to; then nothing has changed. When the turn is kept, the
 * answers are stored first; should that fail, as when another process goes on with the turn, it fails here
 * and nothing of it has changed there. */
int turn_resume(struct turn *turn, const struct ss_value *answers, struct ss_error *err);

/* What happened, as a new list in the order of the tasks: maps {id, node, agent (or workflow), status, step,
 * started_ms, duration_ms, writes (list of fields), attempts (if more than 1), copies (of a fan-out), cached
 * (true), restored (true: it ran before the turn was gone on with here), blocked (true:
 * the agent kept the loop for longer than its timeout, or its thread when the attempt was over), missing (what a
 * search in the knowledge base did without: ss_host.missing), error (if it failed), models (what became of those that
 * were asked, as service/llm.h tells it; if there is something to say), taken (list of {to, when}), inner (a
 * workflow's own trace)}. The status is "done", "degraded" (went on with its
 * on_error), "failed", "interrupted", or "stopped" when the turn ended before it. Times are relative to the
 * turn's start; of what was restored only the duration is known. */
struct ss_value *turn_trace(const struct turn *turn);

/* Frees TURN, which its turn_over may do. A turn that is not over is given up: it ends at once, and neither its
 * turn_over nor its turn_event is called any more. */
void turn_free(struct turn *turn);

#endif
