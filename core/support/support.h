/*
 * What a support turn is: read what is known of the customer, run the workflow, store the turn, and
 * only then reply. Called by the API and the command line; loop thread.
 */
#ifndef SUPPORT_SUPPORT_H
#define SUPPORT_SUPPORT_H

#include "base/log.h"
#include "graph/graph.h"

struct compute;
struct engine;
struct metrics_part;
struct record;
struct store;
struct support;
struct support_turn;

/* The fields of the state that a turn is given, ends with NULL: the inputs of a support workflow. */
extern const char *const support_inputs[];

/* Checks that GRAPH declares the fields that a reply is made of; mistakes go to DIAGNOSTICS. */
int support_check(const struct graph *graph, struct diagnostics *diagnostics);

struct support_options {
	struct engine *engine;
	const struct graph *graph;
	struct store *store;     /* NULL: nothing is known and nothing is stored */
	struct compute *compute; /* NULL: no vectors are kept */
	const char *embedder;    /* what tells it from others, as ss_turn says */
	size_t history_limit;
	struct metrics_part *metrics; /* NULL: nothing is counted */
	bool candid; /* who asks runs the server, and is told what plugins say of their failures */
};

/* All of OPTIONS is borrowed for the life of the result. */
struct support *support_new(const struct support_options *options);
void support_free(struct support *support);

/* What is told of a turn while it runs: the analysis before the first token or, if that is later, before the end;
 * articles as they are found; and the response, with token() and replace(). Without token() only thread() is called;
 * articles() and thread() may be NULL. None of them may leave or free the turn. */
struct support_listener {
	/* {category, sentiment, priority}, once, as soon as all three are known. The reply has the last word. */
	void (*analysis)(void *context, const struct ss_value *analysis);
	/* The articles that were found, a list of {id, title, category, score}; each time that there was a search. */
	void (*articles)(void *context, const struct ss_value *articles);
	/* The next piece of the response, whole characters. */
	void (*token)(void *context, struct ss_text text);
	/* The pieces so far do not count: the response begins anew. When the turn is over, all pieces since the last
	 * replace() together are the response, exactly. */
	void (*replace)(void *context);
	/* The turn is about to be stored: the key of the thread as it is with RESPONSE (ss_turn.thread), borrowed until
	 * the turn has ended. */
	const char *(*thread)(void *context, struct ss_text response);
};

struct support_question {
	const char *turn_id; /* NULL: a new one */
	const char *user_id;
	const char *conversation_id;     /* NULL for a new conversation */
	const char *new_conversation_id; /* of one that it begins; NULL: a new one */
	/* Without a conversation_id: the key of the thread that the question continues (ss_turn_key.thread); the
	 * conversation is the one that has it. NULL: none. */
	const char *thread;
	/* The earlier messages, a list of {role, content}, oldest first, in place of what is stored; NULL: what is
	 * stored counts. */
	const struct ss_value *history;
	bool anonymous; /* many people have this user_id: what it asked elsewhere tells nothing */
	bool waits; /* who asks takes it for a reply that the turn waits for an answer from outside */
	struct ss_text message;
	const struct support_listener
		*listener; /* borrowed until the turn has ended; NULL: nobody listens */
};

/*
 * The answer as the API gives it, borrowed for the call: {conversation_id, response, category,
 * sentiment, priority, timestamp, metadata}; or an error. TRACE is the turn's trace, a list. Of a turn that waits for an
 * answer from outside, as it is stored now: {conversation_id, turn_id, status: "interrupted", interrupts}.
 */
typedef void support_replied(void *context, const struct ss_value *reply,
	const struct ss_value *trace, const struct ss_error *err);

/* Answers QUESTION, which is copied, as is LOG. REPLIED is called once, later, with the CONTEXT that the listener
 * gets as well, and ends the turn that this returns; when this returns NULL, never. The turn is stored durably
 * before REPLIED is called with a reply. */
struct support_turn *support_ask(struct support *support, const struct support_question *question,
	const struct log *log, support_replied *replied, void *context, struct ss_error *err);

/* Whether RECORD is of a question, which support_continue() may answer. */
bool support_is_question(const struct record *record);

/* Goes on with the question of RECORD, which was fetched for that and whose workflow SUPPORT's is, as a process that is
 * gone began to answer it, and stores the answer. LOG is copied; REPLIED as for support_ask(), with an error also when it
 * was for nothing. The answer may be stored already, by whom nobody heard of again: then it stays. NULL and ERR when it
 * cannot be gone on with. */
struct support_turn *support_continue(struct support *support, struct record *record,
	const struct log *log, support_replied *replied, void *context, struct ss_error *err);

/* The same for a question that waits for answers from outside: gives it ANSWERS (taken), a map from interrupts to values.
 * REPLIED gets SS_INVALID when they do not fit; then it waits as before. */
struct support_turn *support_resume(struct support *support, struct record *record,
	struct ss_value *answers, const struct log *log, support_replied *replied, void *context,
	struct ss_error *err);

/* The same for a question that is not to be gone on with, since processes die over it: nothing runs any more, a human gets what
 * is known of it, and the customer is told so. */
struct support_turn *support_hand_over(struct support *support, struct record *record,
	const struct log *log, support_replied *replied, void *context, struct ss_error *err);

/* What answers the questions. */
const struct graph *support_graph(const struct support *support);
struct engine *support_engine(const struct support *support);

/* Whoever asked has gone away: nothing is told any more, and TURN ends as soon as it can with what it has. It is
 * stored all the same, and its REPLIED is called. */
void support_leave(struct support_turn *turn);

/* The time is over: all turns, those that still begin as well, end as soon as they can with what they have, and those
 * who asked are told. */
void support_hurry(struct support *support);

#endif
