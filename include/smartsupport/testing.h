/*
 * The test kit: a host for the unit tests of plugins, without a server. Link libsmartsupport-testing and the plugin's own
 * source, as smartsupport_add_test() of the CMake package does. One thread.
 *
 * A test sets the state that an agent sees and reads what it wrote, and it chooses what embeddings, searches, models and
 * requests over HTTP come to. Answers wait in a queue until the run that asked is drained, as those of the server come
 * later on its loop.
 *
 * What a plugin must never do ends the program with a sentence on stderr and abort(): reading or writing a field that
 * its table does not declare so, finishing a run twice or one that is not pending, asking for something while no run is
 * going on, leaving a request under way when it is destroyed. So do mistakes of the test, such as JSON that is none.
 *
 *     struct ss_test_host *host = ss_test_host_new(&smartsupport_plugin);
 *     ss_test_values(host, "category", "Technical Billing");
 *     assert(ss_test_create(host, "{min_confidence: 0.5}", &err) == 0);
 *     ss_test_set_text(host, "message", "I was charged twice");
 *     assert(ss_test_run(host, &err) == SS_DONE);
 *     assert(strcmp(ss_test_written_text(host, "category"), "Billing") == 0);
 *     ss_test_host_free(host);
 *
 * Models, embedders, indexes and storages are created the same way. A model is asked with ss_test_generate(); the
 * operations of the others are called as they are, with ss_test_instance().
 */
#ifndef SMARTSUPPORT_TESTING_H
#define SMARTSUPPORT_TESTING_H

#include "smartsupport.h"

SS_BEGIN_C

/* A host for one instance of a plugin, and what the test has chosen. */
struct ss_test_host;

/* What a plugin can ask the host for. */
enum ss_test_call {
	SS_TEST_EMBED,    /* embed() */
	SS_TEST_SEARCH,   /* search() */
	SS_TEST_GENERATE, /* generate() */
	SS_TEST_WAIT,     /* wait() */
	SS_TEST_HTTP,     /* http_start() */
	SS_TEST_CALLS,    /* how many there are */
};

/* A host for one instance of PLUGIN, which must stay. Nothing is in the state; every optional field is part of
 * the workflow and no field is an enum. */
struct ss_test_host *ss_test_host_new(const struct ss_plugin *plugin);

/* Destroys the instance, if there is one, and the host. */
void ss_test_host_free(struct ss_test_host *host);

/* The workflow; before ss_test_create(). FIELD is a name in the agent's table. */

/* FIELD is an enum with VALUES, separated by spaces. */
void ss_test_values(struct ss_test_host *host, const char *field, const char *values);
/* The workflow does not have the optional FIELD. */
void ss_test_leave_out(struct ss_test_host *host, const char *field);
/* The node's `goto` lists NODES, separated by spaces; none without this call. */
void ss_test_goto(struct ss_test_host *host, const char *nodes);

/* Creates the instance with OPTIONS, a YAML mapping ("" for none), checked against the plugin's table as
 * the server does it. Paths are relative to the working folder. -1 and ERR when the options do not fit
 * the table or the plugin refuses them. */
int ss_test_create(struct ss_test_host *host, const char *options, struct ss_error *err);

/* What create() has made; NULL before, or where a model is left out. */
void *ss_test_instance(const struct ss_test_host *host);

/* The state that the next run sees. FIELD may also be one that the agent does not declare: only expressions and
 * prompts in its options see it, so one state serves several agents. JSON is a JSON text. */
void ss_test_set(struct ss_test_host *host, const char *field, const char *json);
/* The same with a string. */
void ss_test_set_text(struct ss_test_host *host, const char *field, const char *text);
/* The same with VALUE, which is taken. */
void ss_test_take(struct ss_test_host *host, const char *field, struct ss_value *value);
/* Which attempt of the node the next runs are; the first one without this call. */
void ss_test_attempt(struct ss_test_host *host, unsigned attempt);
/* What somebody outside has answered to the agent's interrupt(), a JSON text, for the next runs; NULL: nobody has. */
void ss_test_answer_interrupt(struct ss_test_host *host, const char *json);

/* The answers of the host's services. They stay as set until they are set anew. */

/* Texts are embedded in DIMENSION floats (8 without this call). */
void ss_test_dimension(struct ss_test_host *host, size_t dimension);
/* TEXT is embedded as VECTOR (DIMENSION floats, copied, scaled to length 1). Any other text gets a vector of
 * length 1 that depends on its bytes only. */
void ss_test_vector(struct ss_test_host *host, const char *text, const float *vector);
/* Embeds COUNT TEXTS as VECTORS [count][dimension] with the CONTEXT of ss_test_embedder(). -1 and ERR to fail. */
typedef int ss_test_embed_function(void *context, const struct ss_text *texts, size_t count,
	float *vectors, struct ss_error *err);
/* Texts that have no vector of their own are embedded by EMBEDDER with CONTEXT in DIMENSION floats. */
void ss_test_embedder(struct ss_test_host *host, size_t dimension, ss_test_embed_function *embedder,
	void *context);
/* Searches find ARTICLES, a JSON list of {id, title, content, category, score}. */
void ss_test_articles(struct ss_test_host *host, const char *articles);
/* Searches do without MISSING, a JSON map {stages, error}. */
void ss_test_missing(struct ss_test_host *host, const char *missing);
/* Models answer ANSWER, from SOURCES (a JSON list of ids), as MODEL. */
void ss_test_answer(
	struct ss_test_host *host, const char *answer, const char *sources, const char *model);
/* Requests over HTTP to the address URL (all of it) get STATUS, HEADERS ("Name: value", separated by line breaks; NULL
 * for none) and BODY, which comes in two parts. Of several replies to one address the last one counts. A request to
 * an address without one ends with SS_UNAVAILABLE. */
void ss_test_reply(struct ss_test_host *host, const char *url, int status, const char *headers,
	const char *body);
/* CALL's callback gets an error with STATUS and TEXT; SS_OK ends that. */
void ss_test_fail(
	struct ss_test_host *host, enum ss_test_call call, enum ss_status status, const char *text);
/* CALL itself returns an error with STATUS and TEXT; SS_OK ends that. */
void ss_test_refuse(
	struct ss_test_host *host, enum ss_test_call call, enum ss_status status, const char *text);
/* The time of a wait() is up before anything else that is under way comes back. */
void ss_test_waits_first(struct ss_test_host *host);

/* Runs of an agent. */

/* Runs the agent once to its end: the result, with ERR when it is SS_FAILED. A run that stays pending with an
 * empty queue ends the program. Replaces what the run before wrote. */
enum ss_result ss_test_run(struct ss_test_host *host, struct ss_error *err);
/* The first half of it: begins a run and returns what the agent returned. */
enum ss_result ss_test_start(struct ss_test_host *host, struct ss_error *err);
/* The second half: calls back until the queue is empty and the run has ended. */
enum ss_result ss_test_drain(struct ss_test_host *host, struct ss_error *err);

/* What the last run wrote to FIELD; NULL where it wrote nothing, or failed. Borrowed until the next run. */
const struct ss_value *ss_test_written(const struct ss_test_host *host, const char *field);
/* The same as a string; "" where it is none. */
const char *ss_test_written_text(const struct ss_test_host *host, const char *field);
/* The same as JSON with sorted keys; "" for nothing. Borrowed until the next call of this function. */
const char *ss_test_written_json(struct ss_test_host *host, const char *field);
/* The node that the last run chose with go_to(); "" for none. */
const char *ss_test_went_to(const struct ss_test_host *host);
/* What the last run asked with interrupt(), if it ended with SS_INTERRUPTED; else NULL. */
const struct ss_value *ss_test_interrupted(const struct ss_test_host *host);

/* Asks the model PROMPT and drains the queue until it has ended: 0, or -1 and ERR. */
int ss_test_generate(
	struct ss_test_host *host, const struct ss_prompt *prompt, struct ss_error *err);
/* How the last generation ended. Borrowed until the next one. Without conclude(), what answer() was told. */
const struct ss_conclusion *ss_test_conclusion(const struct ss_test_host *host);

/* All that the last run emitted or the last generation handed on as pieces, as one text. */
const char *ss_test_emitted(const struct ss_test_host *host);

/* How often the plugin asked for CALL since the host was made. */
size_t ss_test_calls(const struct ss_test_host *host, enum ss_test_call call);
/* How many texts it had embedded. */
size_t ss_test_texts(const struct ss_test_host *host);
/* What it asked last: texts, separated by line breaks; the search's text; the prompt's question; the
 * seconds of a wait; the address of a request. */
const char *ss_test_asked(const struct ss_test_host *host, enum ss_test_call call);
/* The last search; `text` and `prefer_category` are copies. */
const struct ss_search *ss_test_last_search(const struct ss_test_host *host);
/* The last prompt; a copy. */
const struct ss_prompt *ss_test_last_prompt(const struct ss_test_host *host);
/* The last request over HTTP; a copy, without its callbacks. */
const struct ss_http_request *ss_test_last_request(const struct ss_test_host *host);

/* The first thing that the plugin asked for and its descriptor does not allow, as a sentence: a service that it does not
 * declare, or a value of another type than the field's. The host refuses that, as the server does; "" for nothing. */
const char *ss_test_fault(const struct ss_test_host *host);

/* All lines that the plugin logged, each ended by a line break, as in "warning: text". */
const char *ss_test_log(const struct ss_test_host *host);

/* The table that the instance got. */
const struct ss_host *ss_test_table(const struct ss_test_host *host);

SS_END_C

#endif
