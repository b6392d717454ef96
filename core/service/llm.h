/*
 * The model service: the models that are configured, asked by agents one after the other until one answers. Loop
 * thread; answers come back as calls on the loop, never before llm_generate() has returned.
 *
 * A model is left out while its breaker is open, its budget is used up, its queue is full, or it has asked for more
 * patience than a wait may take. Else it is asked, again after a failure that may pass (SS_UNAVAILABLE, SS_TIMEOUT,
 * SS_LIMIT), until its attempts or its time are used up; then the next one is. When a model says that the articles
 * have no answer (SS_NOT_FOUND), no other is asked.
 *
 * A model is local when it cannot be stopped (it has no cancel()): it answers within this process, at once, and is
 * no language model. Only the others are given tasks (SS_PROMPT_TASK).
 *
 * Every attempt has a number, which counts up from 1 over all models and goes with its pieces. Pieces of an attempt
 * with a higher number stand in place of those before them: what a failed attempt has said counts for nothing.
 */
#ifndef SERVICE_LLM_H
#define SERVICE_LLM_H

#include "config/models.h"

#include <smartsupport/plugin.h>

struct event_base;
struct http_client;
struct later;
struct llm;
struct llm_call;
struct log;
struct metrics_part;

/* A model of the chain. */
struct llm_model {
	const struct ss_llm_operations *operations;
	void *instance;
	const char *name; /* who answers, as replies and metrics say it */
	bool stops;       /* the operations have a cancel() */
	struct model_policy policy;
	struct model_price price;
};

struct llm_options {
	struct event_base *base;
	struct later *later;
	const struct llm_model *models; /* in the order in which they are asked; copied */
	size_t count;
	struct metrics_part *metrics; /* NULL: nothing is counted */
	const struct log *log;
};

/* What came of a question; borrowed for the call. */
struct llm_result {
	struct ss_text answer;
	const struct ss_value *sources; /* ids of the articles that it uses, a list */
	const char *model;              /* who answered, or failed last */
	const struct ss_error *err;     /* NULL: there is an answer */
	/* What became of each model that came into question: a list of maps {model, status, error, reason, attempts,
	 * input_tokens, output_tokens, cost, first_token_ms, duration_ms, cut}; what is not known is left out.
	 * error has the plugin's own words where there is a reason, which has none of them and is for everybody. The
	 * status is "answered", "no_answer", "failed", "skipped" (it was not called; error says why) or "stopped"
	 * (nobody waited any more). cut (true): the answer is what it had said when it was stopped. NULL when there is
	 * nothing to say, because a local model, the first one, was asked once. */
	const struct ss_value *models;
};

typedef void llm_answered(void *context, const struct llm_result *result);

/* A piece of the answer that is being made in the attempt NUMBER, borrowed for the call. Also called before
 * llm_generate() has returned. */
typedef void llm_piece(void *context, unsigned number, struct ss_text text);

/* A question; borrowed for the call. */
struct llm_question {
	const struct ss_prompt *prompt;
	llm_piece *piece; /* NULL: nobody sees what there is of the answer. Of a task nobody does */
	llm_answered *done;
	void *context;
	bool hurried; /* as if by llm_hurry() */
	const struct log
		*log; /* who asks: copied, and its trace is passed on. NULL: nobody in particular */
};

/* All that OPTIONS point to, and the models' instances, are borrowed until llm_free(). */
struct llm *llm_new(const struct llm_options *options);

/* Asks QUESTION. The call ends with its done(). NULL and ERR when it is clear at once that there is no answer;
 * then done() is not called. */
struct llm_call *llm_generate(
	struct llm *llm, const struct llm_question *question, struct ss_error *err);

/* Nobody waits for CALL any more: the model that is at it is stopped, and done() is not called. Gives what became of
 * the models until now, as llm_result has it: new, or NULL. Not from piece(). */
struct ss_value *llm_cancel(struct llm_call *call);

/* Nobody waits for the answer of CALL, which still counts: a model that is at it stops, and what it has said by now
 * is the answer. If that is nothing, the last model of the chain answers. A task just fails. It takes effect in the
 * loop's next round. */
void llm_hurry(struct llm_call *call);

/* How long no model of the chain can be asked, since they keep failing or have asked for patience; 0 when one can. */
int64_t llm_rest_ns(const struct llm *llm);

/* How the models of the chain are: a new list of maps {model, state, seconds}. The state is "ok", or "resting" while it
 * is not asked, for the seconds, since it keeps failing or has asked for patience. */
struct ss_value *llm_states(const struct llm *llm);

/* What the plugin calls: hands on a piece of GENERATION's answer. */
void llm_hand_on(struct ss_generation *generation, struct ss_text text);

/* What the plugin calls: ends GENERATION. */
void llm_conclude(struct ss_generation *generation, const struct ss_conclusion *conclusion);
void llm_answer(struct ss_generation *generation, struct ss_text answer,
	const struct ss_value *sources, const struct ss_error *err);

/* Drops the calls that are under way. Models that cannot be stopped must not answer them any more. */
void llm_free(struct llm *llm);

#endif
