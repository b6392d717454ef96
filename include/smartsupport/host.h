/*
 * What the host offers to a plugin: one table of functions, handed to create().
 *
 * The table is valid as long as the instance. Functions that take a run belong to agents and are
 * called on the loop thread, or on the thread of a run() that blocks (see plugin.h); the others say which
 * threads they are for.
 */
#ifndef SMARTSUPPORT_HOST_H
#define SMARTSUPPORT_HOST_H

#include "value.h"

SS_BEGIN_C

enum ss_log_level {
	SS_LOG_DEBUG,
	SS_LOG_INFO,
	SS_LOG_WARNING,
	SS_LOG_ERROR,
};

/* One activation of an agent in one turn. It is the agent's until run() returns SS_DONE or SS_FAILED, or
 * after SS_PENDING until finish(). It may be over before that, for want of time or because its turn has
 * ended: then write() and the services refuse it, and the calls that are under way for it end with an
 * error, so that it can be finished. */
struct ss_run;
/* One question to a model. */
struct ss_generation;

/* How an agent's activation stands. */
enum ss_result {
	SS_DONE,    /* its writes count */
	SS_PENDING, /* it will call finish() later */
	SS_FAILED,  /* its writes are dropped; the error says why */
	SS_INTERRUPTED, /* its writes are dropped; it runs again once somebody has answered interrupt() */
};

/* Called on the loop with COUNT vectors of DIMENSION floats of length 1, borrowed for the call; or
 * with an error and no vectors. */
typedef void ss_embedded(void *instance, struct ss_run *run, const float *const *vectors,
	size_t count, size_t dimension, const struct ss_error *err);

/* Called on the loop when the time of wait() is up, or with an error when the run is over before. */
typedef void ss_waited(void *instance, struct ss_run *run, const struct ss_error *err);

/* A search in the knowledge base. */
struct ss_search {
	size_t struct_size;
	struct ss_text text;
	const char *prefer_category; /* NULL for none; its articles get a small bonus */
	size_t top_k;
	double min_score; /* 0..1; articles that score less are left out */
};

/* Called on the loop with a list of maps {id, title, content, category, score, scores: {question, answer,
 * lexical}}, best first, borrowed for the call; or with an error and NULL. The first one has `confidence`, how
 * likely it answers the text (0..1), and where a rule says that it does not, `doubt`, why: "unknown_code" or
 * "other_subject". */
typedef void ss_found(void *instance, struct ss_run *run, const struct ss_value *articles,
	const struct ss_error *err);

/* A question to a model. All members are borrowed for the call that passes them. */
struct ss_prompt {
	size_t struct_size;
	struct ss_text instructions; /* what the model is and how it shall answer; may be empty */
	struct ss_text question;     /* the customer's words */
	const struct ss_value
		*articles; /* as ss_found gives them; the only facts an answer may use */
	const struct ss_value *history; /* list of {role, content}, oldest first; may be NULL */
};

/* Called on the loop with the answer's text and the ids of the articles that it uses (a list),
 * both borrowed for the call; or with an error. MODEL names who answered. */
typedef void ss_generated(void *instance, struct ss_run *run, struct ss_text answer,
	const struct ss_value *sources, const char *model, const struct ss_error *err);

struct ss_host {
	size_t struct_size;
	const struct ss_value_functions *values;

	/* Writes one line to the log, with the plugin's name. Any thread. */
	__attribute__((format(printf, 3, 4))) void (*log)(
		const struct ss_host *host, enum ss_log_level level, const char *format, ...);

	/* For agents, on the thread of the run. FIELD is the field's row in the agent's table. */

	/* The field's value in the state as it was when the run started. Borrowed for the run. */
	const struct ss_value *(*read)(struct ss_run *run, size_t field);
	/* Writes VALUE (taken) to the field. It takes effect when the run ends with SS_DONE, through the
	 * field's reducer if it has one. Of several writes to a field the last one counts. */
	int (*write)(
		struct ss_run *run, size_t field, struct ss_value *value, struct ss_error *err);
	/* The same, but VALUE replaces what the field holds whatever its reducer. */
	int (*overwrite)(
		struct ss_run *run, size_t field, struct ss_value *value, struct ss_error *err);
	/* SIZE bytes, zeroed and aligned for any type, that live as long as the run. */
	void *(*allocate)(struct ss_run *run, size_t size);
	/* Embeds COUNT texts and then calls DONE, never before it returns. */
	int (*embed)(struct ss_run *run, const struct ss_text *texts, size_t count,
		ss_embedded *done, struct ss_error *err);
	/* Searches the knowledge base and then calls DONE, never before it returns. */
	int (*search)(struct ss_run *run, const struct ss_search *search, ss_found *done,
		struct ss_error *err);
	/* Asks the configured model and then calls DONE, never before it returns. */
	int (*generate)(struct ss_run *run, const struct ss_prompt *prompt, ss_generated *done,
		struct ss_error *err);
	/* The value of the option in row OPTION, which is of the type SS_OPTION_EXPRESSION, in the state
	 * as it was when the run started. New; NULL and ERR when it cannot be computed or is not given. */
	struct ss_value *(*evaluate)(struct ss_run *run, size_t option, struct ss_error *err);
	/* Computes the expressions of the option in row OPTION, which is of the type
	 * SS_OPTION_ASSIGNMENTS, and writes them to their fields. */
	int (*assign)(struct ss_run *run, size_t option, struct ss_error *err);
	/* The node that comes next, one of those that the workflow lists in this node's `goto`. */
	int (*go_to)(struct ss_run *run, const char *node, struct ss_error *err);
	/* Asks somebody outside: PAYLOAD (taken) is what they are shown. The run must then end with
	 * SS_INTERRUPTED. */
	int (*interrupt)(struct ss_run *run, struct ss_value *payload, struct ss_error *err);
	/* The answer to the run's interrupt(), borrowed for the run; NULL when it has not asked yet. */
	const struct ss_value *(*answered)(struct ss_run *run);
	/* Which attempt of the node this is, from 1; more when it has failed and is tried again. */
	unsigned (*attempt)(struct ss_run *run);
	/* Calls DONE after SECONDS. */
	int (*wait)(struct ss_run *run, double seconds, ss_waited *done, struct ss_error *err);
	/* Ends a run that returned SS_PENDING, with any other result, and ERR for SS_FAILED. Once. */
	void (*finish)(struct ss_run *run, enum ss_result result, const struct ss_error *err);

	/* For models, on the loop thread. */

	/* Ends GENERATION with an answer and the ids of the articles that it uses (a list, borrowed),
	 * or with ERR not NULL. Once; also allowed inside generate(). */
	void (*answer)(struct ss_generation *generation, struct ss_text answer,
		const struct ss_value *sources, const struct ss_error *err);
	/* Hands on the next piece of GENERATION's answer while it is made: any number of times before
	 * answer(), also inside generate(). TEXT, whole characters, is borrowed for the call. The pieces
	 * together are the answer from its beginning, as far as it is made; answer() gets all of it all the
	 * same. After an error nothing is to be undone: who was shown the pieces drops them. Since 1.1 */
	void (*piece)(struct ss_generation *generation, struct ss_text text);
};

SS_END_C

#endif
