/*
 * A host for the tests of agents: a state that the test sets, writes that the test reads, and
 * embeddings, searches and models whose answers the test chooses. Answers wait in a queue until the
 * test drains it, as those of the real host come later on the loop.
 *
 * What an agent must never do ends the program with an assertion: reading or writing a field that
 * its table does not declare so, finishing a run twice or one that is not pending, asking for
 * something while no run is going on.
 *
 *     struct fake_host *host = fake_host_new(&smartsupport_plugin);
 *     fake_host_values(host, "category", "Technical Billing");
 *     cr_assert_eq(fake_host_create(host, "{min_confidence: 0.5}", &err), 0);
 *     fake_host_set_text(host, "message", "I was charged twice");
 *     cr_assert_eq(fake_host_run(host, &err), SS_DONE);
 *     cr_expect_str_eq(fake_host_written_text(host, "category"), "Billing");
 *     fake_host_free(host);
 */
#ifndef SUPPORT_FAKE_HOST_H
#define SUPPORT_FAKE_HOST_H

#include <smartsupport/smartsupport.h>

struct fake_host;

/* What a run can ask the host for. */
enum fake_call {
	FAKE_EMBED,
	FAKE_SEARCH,
	FAKE_GENERATE,
	FAKE_WAIT,
	FAKE_CALLS, /* how many there are */
};

/* A host for one instance of PLUGIN, an agent. Nothing is in the state; every optional field is part of
 * the workflow and no field is an enum. */
struct fake_host *fake_host_new(const struct ss_plugin *plugin);

/* Destroys the instance, if there is one, and the host. */
void fake_host_free(struct fake_host *host);

/* The workflow; before fake_host_create(). FIELD is a name in the agent's table. */

/* FIELD is an enum with VALUES, separated by spaces. */
void fake_host_values(struct fake_host *host, const char *field, const char *values);
/* The workflow does not have the optional FIELD. */
void fake_host_leave_out(struct fake_host *host, const char *field);

/* Creates the instance with OPTIONS, a YAML mapping ("" for none), checked against the plugin's table as
 * the server does it. Paths are relative to the source folder. -1 and ERR when the options do not fit
 * the table or the plugin refuses them. */
int fake_host_create(struct fake_host *host, const char *options, struct ss_error *err);

/* The state that the next run sees. FIELD may also be one that the agent does not declare; it is
 * ignored then, so that one state serves several agents. */
void fake_host_set(struct fake_host *host, const char *field, const char *json);
void fake_host_set_text(struct fake_host *host, const char *field, const char *text);
/* VALUE is taken. */
void fake_host_take(struct fake_host *host, const char *field, struct ss_value *value);

/* The answers of the host's services. They stay as set until they are set anew. */

/* Texts are embedded in DIMENSION floats (8 without this call). */
void fake_host_dimension(struct fake_host *host, size_t dimension);
/* TEXT is embedded as VECTOR (DIMENSION floats, copied, scaled to length 1). Any other text gets a vector of
 * length 1 that depends on its bytes only. */
void fake_host_vector(struct fake_host *host, const char *text, const float *vector);
/* Texts that have no vector of their own are embedded by EMBEDDER with CONTEXT, which returns -1 to fail. */
typedef int fake_embedder(void *context, const struct ss_text *texts, size_t count, float *vectors,
	struct ss_error *err);
void fake_host_embedder(
	struct fake_host *host, size_t dimension, fake_embedder *embedder, void *context);
/* Searches find ARTICLES, a JSON list of {id, title, content, category, score}. */
void fake_host_articles(struct fake_host *host, const char *articles);
/* Searches do without MISSING, a JSON map {stages, error}. */
void fake_host_missing(struct fake_host *host, const char *missing);
/* Models answer ANSWER, from SOURCES (a JSON list of ids), as MODEL. */
void fake_host_answer(
	struct fake_host *host, const char *answer, const char *sources, const char *model);
/* CALL's callback gets an error with STATUS and TEXT; SS_OK ends that. */
void fake_host_fail(
	struct fake_host *host, enum fake_call call, enum ss_status status, const char *text);
/* CALL itself returns -1 with STATUS and TEXT; SS_OK ends that. */
void fake_host_refuse(
	struct fake_host *host, enum fake_call call, enum ss_status status, const char *text);

/* The time of a wait() is up before anything else that is under way comes back. */
void fake_host_waits_first(struct fake_host *host);

/* Runs. */

/* Runs the agent once to its end: the result, with ERR when it is SS_FAILED. A run that stays pending with an
 * empty queue is an assertion. Replaces what the run before wrote. */
enum ss_result fake_host_run(struct fake_host *host, struct ss_error *err);
/* The two halves of it: begins a run and returns what the agent returned, ... */
enum ss_result fake_host_start(struct fake_host *host, struct ss_error *err);
/* ... and calls back until the queue is empty and the run has ended. */
enum ss_result fake_host_drain(struct fake_host *host, struct ss_error *err);

/* What the last run wrote; NULL where it wrote nothing, or failed. Borrowed until the next run. */
const struct ss_value *fake_host_written(const struct fake_host *host, const char *field);
const char *fake_host_written_text(const struct fake_host *host, const char *field);
/* As JSON with sorted keys; "" for nothing. */
const char *fake_host_written_json(struct fake_host *host, const char *field);

/* All that the last run emitted, as one text. */
const char *fake_host_emitted(const struct fake_host *host);

/* How often the agent asked for CALL since the host was made. */
size_t fake_host_calls(const struct fake_host *host, enum fake_call call);
/* How many texts it had embedded. */
size_t fake_host_texts(const struct fake_host *host);
/* What it asked last: texts, separated by line breaks; the search's text; the prompt's question; the
 * seconds of a wait. */
const char *fake_host_asked(const struct fake_host *host, enum fake_call call);
/* The last search; `text` and `prefer_category` are copies. */
const struct ss_search *fake_host_last_search(const struct fake_host *host);
/* The last prompt; a copy. */
const struct ss_prompt *fake_host_last_prompt(const struct fake_host *host);

/* All lines that the agent logged, each ended by a line break, as in "warning: text". */
const char *fake_host_log(const struct fake_host *host);

/* The table that the instance got. */
const struct ss_host *fake_host_table(const struct fake_host *host);

#endif
