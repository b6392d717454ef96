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

/* How much a line of the log matters. The server's configuration says from which one on lines are kept. */
enum ss_log_level {
	SS_LOG_DEBUG,   /* for who writes the plugin */
	SS_LOG_INFO,    /* what is usual, and rare enough to be told */
	SS_LOG_WARNING, /* something is wrong, and the work goes on without it */
	SS_LOG_ERROR,   /* something is wrong, and work was not done */
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
	struct ss_text text;         /* what is asked, as a customer would */
	const char *prefer_category; /* NULL for none; its articles get a small bonus */
	size_t top_k;                /* articles at most */
	double min_score;            /* 0..1; articles that score less are left out */
};

/* Called on the loop with a list of maps {id, title, content, category, score, scores: {question, answer,
 * lexical}}, best first, borrowed for the call; or with an error and NULL. The first one has `confidence`, how
 * likely it answers the text (0..1), and where a rule says that it does not, `doubt`, why: "unknown_code" or
 * "other_subject". Since 1.3 an embedder or an index that fails is no error: `scores` has the stages that ran, and
 * ss_host.missing tells which did not. */
typedef void ss_found(void *instance, struct ss_run *run, const struct ss_value *articles,
	const struct ss_error *err);

/* What a model is asked for. */
enum ss_prompt_use {
	SS_PROMPT_ANSWER, /* an answer for the customer, out of the articles */
	SS_PROMPT_TASK, /* a decision or a text for the agent itself: no article is cited, and nobody sees its pieces */
};

/* A question to a model. All members are borrowed for the call that passes them. */
struct ss_prompt {
	size_t struct_size;
	struct ss_text instructions; /* what the model is and how it shall answer; may be empty */
	struct ss_text question;     /* the customer's words */
	const struct ss_value
		*articles; /* as ss_found gives them; the only facts an answer may use */
	const struct ss_value *history; /* list of {role, content}, oldest first; may be NULL */
	/* Since 1.3 */

	enum ss_prompt_use use; /* what the answer is for */
	const struct ss_value
		*schema; /* the JSON Schema that the answer shall follow; NULL: it is free text */
	int64_t max_tokens; /* of the answer; 0: as the model's options say */
};

/* Called on the loop with the answer's text and the ids of the articles that it uses (a list),
 * both borrowed for the call; or with an error. MODEL names who answered. */
typedef void ss_generated(void *instance, struct ss_run *run, struct ss_text answer,
	const struct ss_value *sources, const char *model, const struct ss_error *err);

/* How a model's generation ends. All members are borrowed for the call. Since 1.3 */
struct ss_conclusion {
	size_t struct_size;
	const struct ss_error
		*err; /* NULL: there is an answer. The status decides what follows: SS_UNAVAILABLE,
	                               SS_TIMEOUT and SS_LIMIT may be tried again, all others not; SS_NOT_FOUND: the
	                               articles have no answer, and no other model need be asked */
	double retry_after_seconds; /* of an error: not to be tried again before; negative: nothing is known */
	struct ss_text answer; /* UTF-8 */
	const struct ss_value
		*sources;     /* ids of the articles that it uses, a list; NULL for none */
	int64_t input_tokens; /* what it took of the prompt; negative: not known. Also of an error */
	int64_t output_tokens; /* what it took of the answer, likewise */
	bool works; /* of an error: it is about this question alone, and no reason to leave the model alone */
};

/* A request over HTTP that is under way. Since 1.3 */
struct ss_http_call;

/* What has come of a request: its STATUS, and a part of the body, in order; borrowed for the call. On the loop. */
typedef void ss_http_received(
	void *context, struct ss_http_call *call, int status, struct ss_text part);

/* The end of a request: its STATUS; or an error: SS_TIMEOUT when one of its times was up, SS_LIMIT when the body is
 * too long, SS_INVALID when the request itself cannot be made, else SS_UNAVAILABLE. CALL is gone afterwards. On the
 * loop. */
typedef void ss_http_done(
	void *context, struct ss_http_call *call, int status, const struct ss_error *err);

/* A request over HTTP/1.1 or 2. Connections are kept and used again, certificates are verified, the usual variables
 * for proxies are heeded, and no redirect is followed. All members are borrowed for the call. Since 1.3 */
struct ss_http_request {
	size_t struct_size;
	const char *method;         /* NULL: GET */
	const char *url;            /* http or https */
	const char *const *headers; /* "Name: value", ends with NULL; NULL for none */
	struct ss_text body;        /* what is sent; data NULL for nothing */
	double connect_timeout;     /* seconds until there is a connection; 0: 10 */
	double first_byte_timeout; /* seconds from then until the body begins; 0: none but the whole */
	double idle_timeout; /* seconds between two parts of the body; 0: none but the whole */
	double timeout;      /* seconds for all of it; 0: 60 */
	size_t body_limit;   /* bytes of the reply's body; 0: 1 MiB */
	ss_http_received *received; /* NULL: the body is dropped */
	ss_http_done *done;         /* must be given */
	void *context;              /* of both */
};

/* The host's functions. Where one fails, it returns -1 or NULL and fills ERR, and nothing has happened. */
struct ss_host {
	size_t struct_size;
	const struct ss_value_functions *values; /* as long as the table */

	/* Writes one line to the log, with the plugin's name. Any thread. */
	__attribute__((format(printf, 3, 4))) void (*log)(
		const struct ss_host *host, enum ss_log_level level, const char *format, ...);

	/* For agents, on the thread of the run. FIELD is the field's row in the agent's table. */

	/* The field's value in the state as it was when the run started. Borrowed for the run. */
	const struct ss_value *(*read)(struct ss_run *run, size_t field);
	/* Writes VALUE (taken) to the field. It takes effect when the run ends with SS_DONE, through the
	 * field's reducer if it has one. Of several writes to a field the last one counts. A write to a field that the
	 * table does not have as one that the agent writes is refused at once, and the run fails. */
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

	/* Since 1.3 */

	/* For models, on the loop thread: ends GENERATION like answer(), and tells what it took. Once. */
	void (*conclude)(struct ss_generation *generation, const struct ss_conclusion *conclusion);

	/* For agents, on the thread of the run: the text of the option in row OPTION, which is of the type
	 * SS_OPTION_PROMPT, filled with the state as it was when the run started. It lives as long as the run.
	 * -1 and ERR when the option is not given. */
	int (*render)(
		struct ss_run *run, size_t option, struct ss_text *text, struct ss_error *err);
	/* For agents, on the loop thread: shows whoever watches the turn the next piece of the response, as piece()
	 * does for models: what the run itself says before, between or behind a model's words. */
	void (*emit)(struct ss_run *run, struct ss_text text);

	/* For every instance, on the loop thread, but not in create(). */

	/* Starts REQUEST and calls its done() once, never before this returns. NULL and ERR when it cannot be
	 * started. */
	struct ss_http_call *(*http_start)(const struct ss_host *host,
		const struct ss_http_request *request, struct ss_error *err);
	/* Ends CALL; neither of its functions is called any more. Also from its received(), but not from done(). */
	void (*http_cancel)(struct ss_http_call *call);
	/* The header NAME of the reply, without its name, borrowed until the call goes on; NULL: it has none. */
	const char *(*http_header)(const struct ss_http_call *call, const char *name);

	/* For agents, on the loop thread, in ss_found: what the search did without, {stages: list of names, error: why},
	 * borrowed for the call; NULL when all of it ran. The names are those in `scores`, and of the rule
	 * "other_subject". */
	const struct ss_value *(*missing)(struct ss_run *run);
};

SS_END_C

#endif
