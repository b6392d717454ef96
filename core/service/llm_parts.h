/* What the model service is made of; for the files llm*.c only. */
#ifndef SERVICE_LLM_PARTS_H
#define SERVICE_LLM_PARTS_H

#include "base/buffer.h"
#include "base/log.h"
#include "service/later.h"
#include "service/llm.h"
#include "service/llm_breaker.h"
#include "service/llm_budget.h"
#include "service/metrics_models.h"

#include <event2/event.h>

/* A model of the chain, with what is known of it. */
struct llm_row {
	struct llm *llm;
	struct llm_model model;
	struct breaker breaker;
	struct budget budget;
	atomic_llong own_budget; /* where no metrics are shared */
	struct metrics_model metrics;
	int64_t not_before_ns; /* it asked for patience until then */
	size_t in_flight;
	struct llm_call *first, *last; /* those that wait until others have ended */
	size_t waiting;
	struct later_call wake; /* lets them go on */
	bool waking;
};

struct llm {
	struct llm_options options;
	struct llm_row *rows;
	size_t count;
	struct llm_call *calls; /* all that are under way */
	struct ss_generation
		*forgotten; /* those of models that cannot be stopped, which nobody waits for */
};

enum llm_status { LLM_ANSWERED, LLM_NO_ANSWER, LLM_FAILED, LLM_SKIPPED, LLM_STOPPED };

/* What became of one model in a call. */
struct llm_entry {
	const struct llm_row *row;
	enum llm_status status;
	char *error; /* NULL: none */
	const char *
		reason; /* what clients are told in place of the plugin's words; NULL: error says it */
	int64_t attempts;
	int64_t input_tokens, output_tokens; /* negative: not known */
	int64_t first_token_ns;              /* negative: none came */
	int64_t began_ns, duration_ns;
	bool cut;
};

enum llm_state {
	LLM_WALKS,  /* from model to model */
	LLM_ASKS,   /* an attempt is under way */
	LLM_QUEUES, /* until other calls of the model have ended */
	LLM_WAITS,  /* until the next attempt */
	LLM_ENDED,  /* done() is about to be called */
};

/* A question on its way through the chain. */
struct llm_call {
	struct llm *llm;
	struct llm_call *next, *before;
	struct ss_prompt prompt; /* with copies */
	char *question, *instructions;
	struct ss_value *articles, *history, *schema;
	llm_piece *piece;
	llm_answered *done;
	void *context;
	struct log log;
	enum llm_state state;
	bool hurried;
	struct later_call hurry;
	bool hurrying;
	size_t at; /* the row that it has come to */
	struct event *limit,
		*again; /* the model's time is up; the next attempt. NULL: never needed */
	struct ss_generation *generation; /* while it asks */
	struct llm_call *next_waiting;    /* while it queues */
	unsigned tries;
	int64_t attempts;   /* of this model */
	int64_t until_ns;   /* this model's time */
	bool entered;       /* the last entry is this model's */
	struct buffer said; /* the pieces of the attempt, of a model that can be stopped */
	struct llm_entry *entries;
	size_t entry_count;
	/* The end. */
	struct later_call over;
	char *answer;
	size_t length;
	struct ss_value *sources;
	const char *model;
	struct ss_error err;
};

/* One attempt: what the plugin gets. */
struct ss_generation {
	struct llm_row *row;
	struct llm_call *call;               /* NULL: nobody waits for it */
	struct ss_generation *next, *before; /* of those that are forgotten */
	struct later_call over;
	bool ended;
	bool works;       /* as its conclusion says */
	bool tries;       /* it finds out whether the model works again */
	int64_t reserved; /* of the budget */
	int64_t began_ns, first_token_ns;
	size_t said; /* bytes */
	/* What it came to. */
	char *answer;
	size_t length;
	struct ss_value *sources;
	struct ss_error err;
	double retry_after_seconds;
	int64_t input_tokens, output_tokens;
};

/* llm.c */

/* GENERATION, which CALL waits for, has ended; it is gone afterwards. */
void llm_attempted(struct llm_call *call, struct ss_generation *generation);
/* How long ROW's model is not asked; 0: it is. */
int64_t llm_row_rest_ns(const struct llm_row *row, int64_t now_ns);
/* ROW has room for a call that waits. */
void llm_wake(struct llm_row *row);

/* llm_attempt.c */

/* Whether ROW's model answers within this process. */
bool llm_is_local(const struct llm_row *row);
/* About the tokens that CALL sends. */
int64_t llm_estimate(const struct llm_call *call);
/* Asks ROW's model CALL's question: its generation, or NULL and ERR when it refuses. */
struct ss_generation *llm_attempt(struct llm_call *call, struct llm_row *row, struct ss_error *err);
/* Stops GENERATION, because it took too long (FAILED) or because nobody waits for it. One that has just ended counts as
 * what it came to. */
void llm_stop(struct ss_generation *generation, bool failed);
void llm_generation_free(struct ss_generation *generation);

/* llm_report.c */

/* The entry of the model that CALL has come to; made if there is none. Moves when another is made. */
struct llm_entry *llm_entry(struct llm_call *call);
/* The model that CALL has come to is done with, and what became of it is STATUS, because of WHY (NULL: nothing). */
void llm_close_entry(struct llm_call *call, enum llm_status status, const char *why);
/* Notes what one attempt took. */
void llm_note_attempt(struct llm_call *call, const struct ss_generation *generation);
/* All entries, as llm_result has them; new, or NULL. */
struct ss_value *llm_report(const struct llm_call *call);
void llm_entries_free(struct llm_call *call);

#endif
