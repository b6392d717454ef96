#include "support/fake_host_private.h"

#include "base/memory.h"
#include "config/options.h"
#include "value/json.h"
#include "value/value.h"

#include <string.h>

static bool find_field(const struct fake_host *host, const char *name, size_t *field)
{
	for (size_t i = 0; i < host->fields; i++) {
		if (strcmp(host->plugin->fields[i].name, name) == 0) {
			*field = i;
			return true;
		}
	}
	return false;
}

static size_t field_of(const struct fake_host *host, const char *name)
{
	size_t field = 0;
	must(find_field(host, name, &field), "the agent %s has no field %s", host->plugin->name,
		name);
	return field;
}

/* The host's life. */

struct fake_host *fake_host_new(const struct ss_plugin *plugin)
{
	struct fake_host *host = memory_make(struct fake_host);
	must(plugin->kind == SS_AGENT && plugin->agent != NULL, "%s is no agent", plugin->name);
	host->table = fake_host_functions;
	host->plugin = plugin;
	while (plugin->fields != NULL && plugin->fields[host->fields].name != NULL)
		host->fields++;
	host->values = memory_array(host->fields, sizeof *host->values);
	host->state = memory_array(host->fields, sizeof *host->state);
	host->written = memory_array(host->fields, sizeof *host->written);
	host->left_out = memory_array(host->fields, sizeof *host->left_out);
	host->dimension = 8;
	fake_host_articles(host, "[]");
	fake_host_answer(host, "", "[]", "fake");
	return host;
}

static void end_run(struct fake_host *host)
{
	struct ss_run *run = host->run;
	if (run == NULL)
		return;
	while (run->first != NULL) {
		struct waiting *waiting = run->first;
		run->first = waiting->next;
		free(waiting->vectors);
		free(waiting);
	}
	while (run->chunks != NULL) {
		struct chunk *chunk = run->chunks;
		run->chunks = chunk->next;
		free(chunk);
	}
	free(run);
	host->run = NULL;
}

static void forget_vectors(struct fake_host *host)
{
	for (size_t i = 0; i < host->vectors_count; i++) {
		free(host->vectors[i].text);
		free(host->vectors[i].vector);
	}
	free(host->vectors);
	host->vectors = NULL;
	host->vectors_count = 0;
}

void fake_host_free(struct fake_host *host)
{
	if (host == NULL)
		return;
	end_run(host);
	if (host->created)
		host->plugin->agent->destroy(host->instance);
	options_free(host->values, host->fields);
	options_free(host->state, host->fields);
	options_free(host->written, host->fields);
	free(host->values);
	free(host->state);
	free(host->written);
	free(host->left_out);
	forget_vectors(host);
	fake_host_forget_prompt(host);
	value_unref(host->articles);
	value_unref(host->missing);
	value_unref(host->sources);
	free(host->answer);
	free(host->model);
	for (size_t i = 0; i < FAKE_CALLS; i++)
		free(host->asked[i]);
	free(host->prefer_category);
	free(host->json);
	buffer_free(&host->log);
	buffer_free(&host->emitted);
	options_free(host->options, options_count(host->plugin->options));
	free(host->options);
	free(host);
}

/* The workflow and the instance. */

void fake_host_values(struct fake_host *host, const char *field, const char *values)
{
	struct ss_value *items[64];
	size_t count = 0;
	for (const char *at = values; *at != '\0';) {
		size_t length = strcspn(at, " ");
		must(count < array_length(items), "too many values for %s", field);
		if (length > 0)
			items[count++] = value_string(at, length);
		at += length + strspn(at + length, " ");
	}
	size_t row = field_of(host, field);
	value_unref(host->values[row]);
	host->values[row] = value_list(items, count);
}

void fake_host_leave_out(struct fake_host *host, const char *field)
{
	size_t row = field_of(host, field);
	must(host->plugin->fields[row].access & SS_OPTIONAL, "%s is not optional", field);
	host->left_out[row] = true;
}

/* Reads OPTIONS, which may be empty, into VALUES. */
static int read_options(const struct fake_host *host, const char *options, struct ss_value **values,
	struct ss_error *err)
{
	struct diagnostics diagnostics = {0};
	struct yaml_document *document = yaml_parse(
		SS_SOURCE_DIR "/options.yaml", 1, options, strlen(options), &diagnostics);
	const struct yaml_node nowhere = {.line = 1, .column = 1};
	if (document != NULL)
		(void)options_read(document, document->root,
			document->root != NULL ? document->root : &nowhere, host->plugin->options,
			NULL, host->plugin->name, values, &diagnostics);
	int result = 0;
	if (diagnostics.count > 0)
		result = ss_fail_as(err, SS_INVALID, "%s", diagnostics.items[0].text);
	yaml_close(document);
	diagnostics_free(&diagnostics);
	return result;
}

int fake_host_create(struct fake_host *host, const char *options, struct ss_error *err)
{
	must(!host->created, "the instance is there already");
	size_t count = options_count(host->plugin->options);
	struct ss_value **values = memory_array(count + 1, sizeof(struct ss_value *));
	int result = read_options(host, options, values, err);
	struct ss_setup setup = {
		.struct_size = sizeof setup,
		.host = &host->table,
		.name = "node",
		.options = (const struct ss_value *const *)values,
		.field_values = (const struct ss_value *const *)host->values,
	};
	if (result == 0)
		result = host->plugin->agent->create(&setup, &host->instance, err);
	host->created = result == 0;
	if (host->created) {
		host->options = values;
		return result;
	}
	options_free(values, count);
	free(values);
	return result;
}

/* The state. */

void fake_host_take(struct fake_host *host, const char *field, struct ss_value *value)
{
	size_t row;
	if (!find_field(host, field, &row)) {
		value_unref(value);
		return;
	}
	value_unref(host->state[row]);
	host->state[row] = value;
}

static struct ss_value *parse(const char *json)
{
	struct ss_error err = {0};
	struct ss_value *value = json_parse(json, strlen(json), &err);
	must(value != NULL, "%s in %s", err.text, json);
	return value;
}

void fake_host_set(struct fake_host *host, const char *field, const char *json)
{
	fake_host_take(host, field, parse(json));
}

void fake_host_set_text(struct fake_host *host, const char *field, const char *text)
{
	fake_host_take(host, field, value_text(text));
}

/* The answers. */

void fake_host_dimension(struct fake_host *host, size_t dimension)
{
	forget_vectors(host);
	host->dimension = dimension;
}

void fake_host_vector(struct fake_host *host, const char *text, const float *vector)
{
	host->vectors =
		memory_resize(host->vectors, host->vectors_count + 1, sizeof *host->vectors);
	struct canned_vector *canned = &host->vectors[host->vectors_count++];
	canned->text = memory_string(text);
	canned->vector = memory_array(host->dimension, sizeof(float));
	memcpy(canned->vector, vector, host->dimension * sizeof(float));
	fake_host_normalise(canned->vector, host->dimension);
}

void fake_host_embedder(
	struct fake_host *host, size_t dimension, fake_embedder *embedder, void *context)
{
	fake_host_dimension(host, dimension);
	host->embedder = embedder;
	host->embedder_context = context;
}

void fake_host_articles(struct fake_host *host, const char *articles)
{
	value_unref(host->articles);
	host->articles = parse(articles);
}

void fake_host_missing(struct fake_host *host, const char *missing)
{
	value_unref(host->missing);
	host->missing = parse(missing);
}

void fake_host_answer(
	struct fake_host *host, const char *answer, const char *sources, const char *model)
{
	value_unref(host->sources);
	free(host->answer);
	free(host->model);
	host->answer = memory_string(answer);
	host->sources = parse(sources);
	host->model = memory_string(model);
}

static void set_error(struct ss_error *err, enum ss_status status, const char *text)
{
	*err = (struct ss_error){0};
	if (status != SS_OK)
		(void)ss_fail_as(err, status, "%s", text);
}

void fake_host_fail(
	struct fake_host *host, enum fake_call call, enum ss_status status, const char *text)
{
	set_error(&host->fails[call], status, text);
}

void fake_host_refuse(
	struct fake_host *host, enum fake_call call, enum ss_status status, const char *text)
{
	set_error(&host->refuses[call], status, text);
}

void fake_host_waits_first(struct fake_host *host)
{
	host->waits_first = true;
}

/* Runs. */

static enum ss_result end_of(struct fake_host *host, struct ss_error *err)
{
	struct ss_run *run = host->run;
	if (run->result == SS_FAILED) {
		options_free(host->written, host->fields);
		if (err != NULL)
			*err = run->err;
	}
	return run->result;
}

enum ss_result fake_host_start(struct fake_host *host, struct ss_error *err)
{
	must(host->created, "the agent was not created");
	must(host->run == NULL || host->run->ended, "the run before has not ended");
	end_run(host);
	options_free(host->written, host->fields);
	buffer_free(&host->emitted);
	struct ss_run *run = memory_make(struct ss_run);
	run->host = host;
	run->last = &run->first;
	host->run = run;
	run->result = host->plugin->agent->run(host->instance, run, &run->err);
	if (run->result == SS_PENDING) {
		must(run->first != NULL, "the run is pending but asked for nothing");
		return SS_PENDING;
	}
	must(run->result != SS_FAILED || run->err.text[0] != '\0',
		"the run failed without saying why");
	run->ended = true;
	return end_of(host, err);
}

static void call_back_embedded(struct fake_host *host, const struct waiting *waiting)
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

static void call_back(struct fake_host *host, struct waiting *waiting)
{
	if (host->run->ended)
		(void)ss_fail(&waiting->err, "the run is over");
	const struct ss_error *err = waiting->err.status != SS_OK ? &waiting->err : NULL;
	struct ss_text answer = {host->answer, strlen(host->answer)};
	const struct ss_text nothing = {"", 0};
	switch (waiting->call) {
	case FAKE_EMBED:
		call_back_embedded(host, waiting);
		break;
	case FAKE_SEARCH:
		host->told = err == NULL ? host->missing : NULL;
		waiting->found(host->instance, host->run, err != NULL ? NULL : host->articles, err);
		host->told = NULL;
		break;
	case FAKE_GENERATE:
		waiting->generated(host->instance, host->run, err != NULL ? nothing : answer,
			err != NULL ? NULL : host->sources, host->model, err);
		break;
	case FAKE_WAIT:
		waiting->waited(host->instance, host->run, err);
		break;
	case FAKE_CALLS:
		break;
	}
}

/* Takes the next that comes back off the queue: a wait() last, or first if the test says so. */
static struct waiting *next_back(struct fake_host *host)
{
	struct ss_run *run = host->run;
	struct waiting **at = &run->first;
	while (*at != NULL && ((*at)->call == FAKE_WAIT) != host->waits_first)
		at = &(*at)->next;
	if (*at == NULL)
		at = &run->first;
	struct waiting *waiting = *at;
	*at = waiting->next;
	if (run->last == &waiting->next)
		run->last = at;
	return waiting;
}

enum ss_result fake_host_drain(struct fake_host *host, struct ss_error *err)
{
	struct ss_run *run = host->run;
	must(run != NULL, "nothing was started");
	/* What is still under way when the run has ended comes back with an error. */
	while (run->first != NULL) {
		struct waiting *waiting = next_back(host);
		call_back(host, waiting);
		free(waiting->vectors);
		free(waiting);
	}
	must(run->ended, "the run is pending and waits for nothing");
	return end_of(host, err);
}

enum ss_result fake_host_run(struct fake_host *host, struct ss_error *err)
{
	enum ss_result result = fake_host_start(host, err);
	return result == SS_PENDING ? fake_host_drain(host, err) : result;
}

/* What came of it. */

const struct ss_value *fake_host_written(const struct fake_host *host, const char *field)
{
	return host->written[field_of(host, field)];
}

const char *fake_host_written_text(const struct fake_host *host, const char *field)
{
	return value_as_string(fake_host_written(host, field), NULL);
}

const char *fake_host_written_json(struct fake_host *host, const char *field)
{
	const struct ss_value *value = fake_host_written(host, field);
	free(host->json);
	host->json = value != NULL ? json_text(value) : memory_string("");
	return host->json;
}

size_t fake_host_calls(const struct fake_host *host, enum fake_call call)
{
	return host->calls[call];
}

size_t fake_host_texts(const struct fake_host *host)
{
	return host->texts;
}

const char *fake_host_asked(const struct fake_host *host, enum fake_call call)
{
	return host->asked[call] != NULL ? host->asked[call] : "";
}

const char *fake_host_emitted(const struct fake_host *host)
{
	return buffer_text(&host->emitted);
}

const struct ss_search *fake_host_last_search(const struct fake_host *host)
{
	return &host->search;
}

const struct ss_prompt *fake_host_last_prompt(const struct fake_host *host)
{
	return &host->prompt;
}

const char *fake_host_log(const struct fake_host *host)
{
	return buffer_text(&host->log);
}

const struct ss_host *fake_host_table(const struct fake_host *host)
{
	return &host->table;
}
