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
struct store;
struct support;

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
};

/* All of OPTIONS is borrowed for the life of the result. */
struct support *support_new(const struct support_options *options);
void support_free(struct support *support);

struct support_question {
	const char *user_id;
	const char *conversation_id; /* NULL for a new conversation */
	bool anonymous; /* many people have this user_id: what it asked elsewhere tells nothing */
	struct ss_text message;
};

/*
 * The answer as the API gives it, borrowed for the call: {conversation_id, response, category,
 * sentiment, priority, timestamp, metadata}; or an error. TRACE is the turn's trace, a list.
 */
typedef void support_replied(void *context, const struct ss_value *reply,
	const struct ss_value *trace, const struct ss_error *err);

/* Answers QUESTION, which is copied, as is LOG. REPLIED is called once, later; when this returns -1,
 * never. The turn is stored durably before REPLIED is called with a reply. */
int support_ask(struct support *support, const struct support_question *question,
	const struct log *log, support_replied *replied, void *context, struct ss_error *err);

#endif
