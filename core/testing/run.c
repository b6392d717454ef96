/* Runs: an agent begins one, answers come back from the queue, and the test looks at what came of it. */
#include "testing/private.h"

#include "base/memory.h"
#include "value/json.h"
#include "value/value.h"

#include <string.h>

/* More answers than this in one run, and the agent asks for ever. */
enum { ANSWERS_LIMIT = 100000 };

void testing_waiting_free(struct waiting *waiting)
{
	free(waiting->http);
	free(waiting->vectors);
	free(waiting);
}

struct waiting *testing_enqueue(struct ss_test_host *host, enum ss_test_call call)
{
	struct waiting **at = &host->first;
	struct waiting *waiting = memory_make(struct waiting);
	waiting->call = call;
	waiting->err = host->fails[call];
	while (*at != NULL)
		at = &(*at)->next;
	*at = waiting;
	return waiting;
}

static void call_back_embedded(struct ss_test_host *host, const struct waiting *waiting)
{
	if (waiting->err.status != SS_OK) {
		waiting->embedded(host->instance, host->run, NULL, 0, 0, &waiting->err);
		return;
	}
	const float **vectors = memory_array(waiting->count, sizeof *vectors);
	for (size_t i = 0; i < waiting->count; i++)
		vectors[i] = waiting->vectors + i * host->dimension;
	waiting->embedded(
		host->instance, host->run, vectors, waiting->count, host->dimension, NULL);
	free(vectors);
}

static void call_back(struct ss_test_host *host, struct waiting *waiting)
{
	if (waiting->call != SS_TEST_HTTP && host->run->ended)
		(void)ss_fail(&waiting->err, "the run is over");
	const struct ss_error *err = waiting->err.status != SS_OK ? &waiting->err : NULL;
	struct ss_text answer = {host->answer, strlen(host->answer)};
	const struct ss_text nothing = {"", 0};
	switch (waiting->call) {
	case SS_TEST_EMBED:
		call_back_embedded(host, waiting);
		break;
	case SS_TEST_SEARCH:
		host->told = err == NULL ? host->missing : NULL;
		waiting->found(host->instance, host->run, err != NULL ? NULL : host->articles, err);
		host->told = NULL;
		break;
	case SS_TEST_GENERATE:
		waiting->generated(host->instance, host->run, err != NULL ? nothing : answer,
			err != NULL ? NULL : host->sources, host->model, err);
		break;
	case SS_TEST_WAIT:
		waiting->waited(host->instance, host->run, err);
		break;
	case SS_TEST_HTTP:
		testing_http_call_back(waiting->http, err);
		break;
	case SS_TEST_CALLS:
		break;
	}
}

/* Takes the next that comes back off the queue: a wait() last, or first if the test says so. */
static struct waiting *next_back(struct ss_test_host *host)
{
	struct waiting **at = &host->first;
	while (*at != NULL && ((*at)->call == SS_TEST_WAIT) != host->waits_first)
		at = &(*at)->next;
	if (*at == NULL)
		at = &host->first;
	struct waiting *waiting = *at;
	*at = waiting->next;
	return waiting;
}

void testing_call_back_next(struct ss_test_host *host)
{
	struct waiting *waiting = next_back(host);
	call_back(host, waiting);
	testing_waiting_free(waiting);
}

static enum ss_result end_of(struct ss_test_host *host, struct ss_error *err)
{
	struct ss_run *run = host->run;
	must(run->result != SS_INTERRUPTED || host->payload != NULL,
		"the run was interrupted but has asked nothing with interrupt()");
	if (run->result == SS_FAILED || run->result == SS_INTERRUPTED)
		testing_forget_writes(host);
	if (run->result == SS_FAILED && err != NULL)
		*err = run->err;
	return run->result;
}

void testing_forget_run(struct ss_test_host *host)
{
	struct ss_run *run = host->run;
	testing_forget_writes(host);
	buffer_free(&host->emitted);
	value_unref(host->payload);
	host->payload = NULL;
	free(host->went_to);
	host->went_to = NULL;
	while (run != NULL && run->chunks != NULL) {
		struct chunk *chunk = run->chunks;
		run->chunks = chunk->next;
		free(chunk);
	}
	free(run);
	host->run = NULL;
}

enum ss_result ss_test_start(struct ss_test_host *host, struct ss_error *err)
{
	must(host->plugin->kind == SS_AGENT, "%s is no agent", host->plugin->name);
	must(host->created, "the agent was not created");
	must(host->run == NULL || host->run->ended, "the run before has not ended");
	/* What the run before did not wait for. */
	while (host->first != NULL)
		testing_call_back_next(host);
	testing_forget_run(host);
	struct ss_run *run = memory_make(struct ss_run);
	run->host = host;
	host->run = run;
	run->result = host->plugin->agent->run(host->instance, run, &run->err);
	must(run->result <= SS_INTERRUPTED, "run() returned %u, which is no result",
		(unsigned)run->result);
	if (run->result == SS_PENDING) {
		must(!testing_blocks(host), "the agent blocks, and its run is pending");
		must(host->first != NULL, "the run is pending but asked for nothing");
		return SS_PENDING;
	}
	must(run->result != SS_FAILED || run->err.text[0] != '\0',
		"the run failed without saying why");
	run->ended = true;
	return end_of(host, err);
}

enum ss_result ss_test_drain(struct ss_test_host *host, struct ss_error *err)
{
	struct ss_run *run = host->run;
	must(run != NULL, "nothing was started");
	/* What is still under way when the run has ended comes back with an error. */
	for (size_t count = 0; host->first != NULL; count++) {
		must(count < ANSWERS_LIMIT, "the run has asked %d times and goes on asking",
			ANSWERS_LIMIT);
		testing_call_back_next(host);
	}
	must(run->ended, "the run is pending and waits for nothing");
	return end_of(host, err);
}

enum ss_result ss_test_run(struct ss_test_host *host, struct ss_error *err)
{
	enum ss_result result = ss_test_start(host, err);
	return result == SS_PENDING ? ss_test_drain(host, err) : result;
}

/* What came of it. */

const struct ss_value *ss_test_written(const struct ss_test_host *host, const char *field)
{
	const struct test_field *found = testing_find_field(host, field);
	must(found != NULL, "neither the agent %s nor the test has a field %s", host->plugin->name,
		field);
	return found->written;
}

const char *ss_test_written_text(const struct ss_test_host *host, const char *field)
{
	return value_as_string(ss_test_written(host, field), NULL);
}

const char *ss_test_written_json(struct ss_test_host *host, const char *field)
{
	const struct ss_value *value = ss_test_written(host, field);
	free(host->json);
	host->json = value != NULL ? json_text(value) : memory_string("");
	return host->json;
}

const char *ss_test_went_to(const struct ss_test_host *host)
{
	return host->went_to != NULL ? host->went_to : "";
}

const struct ss_value *ss_test_interrupted(const struct ss_test_host *host)
{
	bool interrupted = host->run != NULL && host->run->result == SS_INTERRUPTED;
	return interrupted ? host->payload : NULL;
}

size_t ss_test_calls(const struct ss_test_host *host, enum ss_test_call call)
{
	return host->calls[call];
}

size_t ss_test_texts(const struct ss_test_host *host)
{
	return host->texts;
}

const char *ss_test_asked(const struct ss_test_host *host, enum ss_test_call call)
{
	return host->asked[call] != NULL ? host->asked[call] : "";
}

const char *ss_test_emitted(const struct ss_test_host *host)
{
	return buffer_text(&host->emitted);
}

const struct ss_search *ss_test_last_search(const struct ss_test_host *host)
{
	return &host->search;
}

const struct ss_prompt *ss_test_last_prompt(const struct ss_test_host *host)
{
	return &host->prompt;
}

const struct ss_http_request *ss_test_last_request(const struct ss_test_host *host)
{
	return &host->request;
}

const char *ss_test_fault(const struct ss_test_host *host)
{
	return host->fault;
}

const char *ss_test_log(const struct ss_test_host *host)
{
	return buffer_text(&host->log);
}

const struct ss_host *ss_test_table(const struct ss_test_host *host)
{
	return &host->table;
}
