/* What the parts of the test kit share: the test's side (host.c, run.c), and what plugins call (functions.c,
 * expressions.c, http.c, model.c). */
#ifndef TESTING_PRIVATE_H
#define TESTING_PRIVATE_H

#include "base/buffer.h"

#include <smartsupport/testing.h>

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

/* Ends the program when a plugin or a test breaks the rules; also in builds without assertions. */
#define must(condition, ...)                                                                       \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			(void)fprintf(stderr, "test host: " __VA_ARGS__);                          \
			(void)fputc('\n', stderr);                                                 \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* One field of the state: a row of the agent's table, or behind those one that only the test has set. */
struct test_field {
	char *name;
	enum ss_type type;
	unsigned access; /* of enum ss_access; 0: not the agent's */
	bool left_out;
	struct ss_value *values; /* of an enum, a list */
	struct ss_value *state;
	struct ss_value *written;
};

struct canned_vector {
	char *text;
	float *vector;
};

/* What requests to one address come to. */
struct canned_reply {
	char *url;
	int status;
	char *headers;
	char *body;
};

struct ss_http_call {
	struct ss_test_host *host;
	struct ss_http_request request;   /* its callbacks and its limit */
	const struct canned_reply *reply; /* NULL: none */
	bool comes;                       /* its callbacks are being called */
	bool cancelled;                   /* by one of them */
};

/* One answer that waits. */
struct waiting {
	struct waiting *next;
	enum ss_test_call call;
	struct ss_error err; /* SS_OK: an answer */
	ss_embedded *embedded;
	ss_found *found;
	ss_generated *generated;
	ss_waited *waited;
	float *vectors;
	size_t count;
	struct ss_http_call *http;
};

struct chunk {
	struct chunk *next;
	max_align_t bytes[];
};

struct ss_run {
	struct ss_test_host *host;
	struct chunk *chunks;
	bool ended;
	enum ss_result result;
	struct ss_error err;
};

struct ss_generation {
	struct ss_test_host *host;
	bool goes_on, ended;
	struct ss_error err;
	struct ss_conclusion conclusion; /* its texts are `answer` and `sources` */
	char *answer;
	struct ss_value *sources;
};

struct ss_test_host {
	struct ss_host table; /* first: the host that plugins see is this one */
	const struct ss_plugin *plugin;
	void *instance;
	bool creating, created;
	struct test_field *fields;
	size_t row_count;   /* of them that are the agent's */
	size_t field_count; /* all of them */
	struct ss_run *run;
	struct waiting *first; /* the queue */
	unsigned attempt;
	struct ss_value *answer_from_outside;
	struct ss_value *payload;
	char *nodes; /* of the goto */
	char *went_to;
	size_t dimension;
	struct canned_vector *vectors;
	size_t vectors_count;
	ss_test_embed_function *embedder;
	void *embedder_context;
	struct ss_value *articles;
	struct ss_value *missing;
	const struct ss_value *told; /* of `missing`, while an agent is told what was found */
	char *answer;
	struct ss_value *sources;
	char *model;
	struct canned_reply **replies;
	size_t reply_count;
	char *header; /* that was asked for last */
	struct ss_error fails[SS_TEST_CALLS];
	struct ss_error refuses[SS_TEST_CALLS];
	size_t calls[SS_TEST_CALLS];
	size_t texts;
	char *asked[SS_TEST_CALLS];
	struct ss_search search;
	char *prefer_category;
	struct ss_prompt prompt;
	char *instructions;
	struct ss_http_request request;
	struct ss_generation generation;
	char *json;
	struct buffer log;
	struct ss_value **options; /* a value for each row */
	struct buffer emitted;
	bool waits_first;
	char fault[300]; /* the first one */
};

/* Whether the plugin is an agent that blocks; one of ABI 1.0 cannot say so. */
static inline bool testing_blocks(const struct ss_test_host *host)
{
	return SS_HAS(host->plugin, running) && (host->plugin->running & SS_BLOCKS) != 0;
}

/* What plugins call. */
extern const struct ss_host testing_functions;

/* The host of a run that is going on. */
struct ss_test_host *testing_host_of(struct ss_run *run);
/* The same, which is never const, of its table. */
struct ss_test_host *testing_host_of_table(const struct ss_host *table);

/* The field NAME, NULL when there is none; or a new one that is not the agent's. */
struct test_field *testing_find_field(const struct ss_test_host *host, const char *name);
struct test_field *testing_field(struct ss_test_host *host, const char *name);
void testing_forget_writes(struct ss_test_host *host);
/* Forgets the last run and what is known of it. */
void testing_forget_run(struct ss_test_host *host);

struct ss_value *testing_parse(const char *json);

/* Counts a call and keeps what was ASKED (taken); -1 when it is to be refused. */
int testing_begin_call(
	struct ss_test_host *host, enum ss_test_call call, char *asked, struct ss_error *err);
/* Puts an answer into the queue. */
struct waiting *testing_enqueue(struct ss_test_host *host, enum ss_test_call call);
void testing_waiting_free(struct waiting *waiting);
/* Calls back what is next in the queue, which is not empty. */
void testing_call_back_next(struct ss_test_host *host);

void testing_forget_prompt(struct ss_test_host *host);

/* Gives VECTOR the length 1. */
void testing_normalise(float *vector, size_t dimension);

/* expressions.c */
struct ss_value *testing_evaluate(struct ss_run *run, size_t option, struct ss_error *err);
int testing_assign(struct ss_run *run, size_t option, struct ss_error *err);
int testing_render(struct ss_run *run, size_t option, struct ss_text *text, struct ss_error *err);

/* http.c */
struct ss_http_call *testing_http_start(
	const struct ss_host *table, const struct ss_http_request *request, struct ss_error *err);
void testing_http_cancel(struct ss_http_call *call);
const char *testing_http_header(const struct ss_http_call *call, const char *name);
void testing_http_call_back(struct ss_http_call *call, const struct ss_error *failure);
void testing_http_forget(struct ss_test_host *host);

/* model.c */
void testing_answer(struct ss_generation *generation, struct ss_text answer,
	const struct ss_value *sources, const struct ss_error *err);
void testing_piece(struct ss_generation *generation, struct ss_text text);
void testing_conclude(struct ss_generation *generation, const struct ss_conclusion *conclusion);
void testing_generation_forget(struct ss_test_host *host);

#endif
