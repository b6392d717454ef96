/* The test's side of the kit: the host's life, the workflow, the state, and what services answer. */
#include "testing/private.h"

#include "base/file.h"
#include "base/memory.h"
#include "config/options.h"
#include "value/json.h"
#include "value/value.h"

#include <string.h>

struct test_field *testing_find_field(const struct ss_test_host *host, const char *name)
{
	for (size_t i = 0; i < host->field_count; i++) {
		if (strcmp(host->fields[i].name, name) == 0)
			return &host->fields[i];
	}
	return NULL;
}

struct test_field *testing_field(struct ss_test_host *host, const char *name)
{
	struct test_field *field = testing_find_field(host, name);
	if (field != NULL)
		return field;
	host->fields = memory_resize(host->fields, host->field_count + 1, sizeof *host->fields);
	field = &host->fields[host->field_count++];
	*field = (struct test_field){.name = memory_string(name)};
	return field;
}

/* A field of the agent's table. */
static struct test_field *row_of(const struct ss_test_host *host, const char *name)
{
	struct test_field *field = testing_find_field(host, name);
	must(field != NULL && field->access != 0, "the agent %s has no field %s",
		host->plugin->name, name);
	return field;
}

void testing_forget_writes(struct ss_test_host *host)
{
	for (size_t i = 0; i < host->field_count; i++) {
		value_unref(host->fields[i].written);
		host->fields[i].written = NULL;
	}
}

/* The host's life. */

struct ss_test_host *ss_test_host_new(const struct ss_plugin *plugin)
{
	struct ss_test_host *host = memory_make(struct ss_test_host);
	host->table = testing_functions;
	host->plugin = plugin;
	for (const struct ss_field *row = plugin->fields; row != NULL && row->name != NULL; row++) {
		struct test_field *field = testing_field(host, row->name);
		field->type = row->type;
		field->access = row->access;
		host->row_count++;
	}
	host->dimension = 8;
	host->attempt = 1;
	ss_test_articles(host, "[]");
	ss_test_answer(host, "", "[]", "fake");
	return host;
}

static void forget_vectors(struct ss_test_host *host)
{
	for (size_t i = 0; i < host->vectors_count; i++) {
		free(host->vectors[i].text);
		free(host->vectors[i].vector);
	}
	free(host->vectors);
	host->vectors = NULL;
	host->vectors_count = 0;
}

static void forget_fields(struct ss_test_host *host)
{
	testing_forget_writes(host);
	for (size_t i = 0; i < host->field_count; i++) {
		free(host->fields[i].name);
		value_unref(host->fields[i].values);
		value_unref(host->fields[i].state);
	}
	free(host->fields);
}

/* Where the plugin has the two operations that all kinds begin with. */
static void (*destroy_of(const struct ss_plugin *plugin))(void *)
{
	switch (plugin->kind) {
	case SS_AGENT:
		return plugin->agent->destroy;
	case SS_LLM:
		return plugin->llm->destroy;
	case SS_STORAGE:
		return plugin->storage->destroy;
	case SS_EMBEDDER:
		return plugin->embedder->destroy;
	case SS_INDEX:
		return plugin->index->destroy;
	}
	return NULL;
}

static int create_instance(const struct ss_plugin *plugin, const struct ss_setup *setup,
	void **instance, struct ss_error *err)
{
	switch (plugin->kind) {
	case SS_AGENT:
		return plugin->agent->create(setup, instance, err);
	case SS_LLM:
		return plugin->llm->create(setup, instance, err);
	case SS_STORAGE:
		return plugin->storage->create(setup, instance, err);
	case SS_EMBEDDER:
		return plugin->embedder->create(setup, instance, err);
	case SS_INDEX:
		return plugin->index->create(setup, instance, err);
	}
	return ss_fail_as(err, SS_INVALID, "%s is of no kind that there is", plugin->name);
}

/* Ends the run, whatever it still waits for. */
static void end_run(struct ss_test_host *host)
{
	for (struct waiting **at = &host->first; *at != NULL;) {
		struct waiting *waiting = *at;
		if (waiting->call == SS_TEST_HTTP) { /* requests are not the run's */
			at = &waiting->next;
			continue;
		}
		*at = waiting->next;
		testing_waiting_free(waiting);
	}
	testing_forget_run(host);
}

void ss_test_host_free(struct ss_test_host *host)
{
	if (host == NULL)
		return;
	end_run(host);
	if (host->created && !(host->plugin->kind == SS_LLM && host->instance == NULL))
		destroy_of(host->plugin)(host->instance);
	must(host->first == NULL, "a request to %s is under way when the instance is destroyed",
		ss_test_asked(host, SS_TEST_HTTP));
	forget_fields(host);
	forget_vectors(host);
	testing_forget_prompt(host);
	testing_http_forget(host);
	testing_generation_forget(host);
	value_unref(host->articles);
	value_unref(host->missing);
	value_unref(host->sources);
	value_unref(host->answer_from_outside);
	free(host->answer);
	free(host->model);
	free(host->nodes);
	for (size_t i = 0; i < SS_TEST_CALLS; i++)
		free(host->asked[i]);
	free(host->prefer_category);
	free(host->json);
	buffer_free(&host->log);
	buffer_free(&host->emitted);
	if (host->options != NULL)
		options_free(host->options, options_count(host->plugin->options));
	free(host->options);
	free(host);
}

/* The workflow and the instance. */

void ss_test_values(struct ss_test_host *host, const char *field, const char *values)
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
	struct test_field *row = row_of(host, field);
	value_unref(row->values);
	row->values = value_list(items, count);
}

void ss_test_leave_out(struct ss_test_host *host, const char *field)
{
	struct test_field *row = row_of(host, field);
	must(row->access & SS_OPTIONAL, "%s is not optional", field);
	row->left_out = true;
}

void ss_test_goto(struct ss_test_host *host, const char *nodes)
{
	free(host->nodes);
	host->nodes = memory_string(nodes);
}

/* Reads OPTIONS, which may be empty, into VALUES. */
static int read_options(const struct ss_test_host *host, const char *options,
	struct ss_value **values, struct ss_error *err)
{
	struct diagnostics diagnostics = {0};
	char *place = file_absolute("options.yaml");
	struct yaml_document *document =
		yaml_parse(place, 1, options, strlen(options), &diagnostics);
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
	free(place);
	return result;
}

int ss_test_create(struct ss_test_host *host, const char *options, struct ss_error *err)
{
	must(!host->created, "the instance is there already");
	size_t count = options_count(host->plugin->options);
	struct ss_value **values = memory_array(count + 1, sizeof(struct ss_value *));
	const struct ss_value **field_values =
		memory_array(host->row_count + 1, sizeof(struct ss_value *));
	for (size_t i = 0; i < host->row_count; i++)
		field_values[i] = host->fields[i].values;
	int result = read_options(host, options, values, err);
	const struct ss_setup setup = {
		.struct_size = sizeof setup,
		.host = &host->table,
		.name = host->plugin->kind == SS_AGENT ? "node" : host->plugin->name,
		.options = (const struct ss_value *const *)values,
		.field_values = field_values,
	};
	host->creating = true;
	if (result == 0)
		result = create_instance(host->plugin, &setup, &host->instance, err);
	host->creating = false;
	free(field_values);
	host->created = result == 0;
	if (host->created) {
		host->options = values;
		return result;
	}
	options_free(values, count);
	free(values);
	return result;
}

void *ss_test_instance(const struct ss_test_host *host)
{
	return host->instance;
}

/* The state. */

void ss_test_take(struct ss_test_host *host, const char *field, struct ss_value *value)
{
	struct test_field *row = testing_field(host, field);
	value_unref(row->state);
	row->state = value;
}

struct ss_value *testing_parse(const char *json)
{
	struct ss_error err = {0};
	struct ss_value *value = json_parse(json, strlen(json), &err);
	must(value != NULL, "%s in %s", err.text, json);
	return value;
}

void ss_test_set(struct ss_test_host *host, const char *field, const char *json)
{
	ss_test_take(host, field, testing_parse(json));
}

void ss_test_set_text(struct ss_test_host *host, const char *field, const char *text)
{
	ss_test_take(host, field, value_text(text));
}

void ss_test_attempt(struct ss_test_host *host, unsigned attempt)
{
	host->attempt = attempt;
}

void ss_test_answer_interrupt(struct ss_test_host *host, const char *json)
{
	value_unref(host->answer_from_outside);
	host->answer_from_outside = json != NULL ? testing_parse(json) : NULL;
}

/* The answers. */

void ss_test_dimension(struct ss_test_host *host, size_t dimension)
{
	forget_vectors(host);
	host->dimension = dimension;
}

void ss_test_vector(struct ss_test_host *host, const char *text, const float *vector)
{
	host->vectors =
		memory_resize(host->vectors, host->vectors_count + 1, sizeof *host->vectors);
	struct canned_vector *canned = &host->vectors[host->vectors_count++];
	canned->text = memory_string(text);
	canned->vector = memory_array(host->dimension, sizeof(float));
	memcpy(canned->vector, vector, host->dimension * sizeof(float));
	testing_normalise(canned->vector, host->dimension);
}

void ss_test_embedder(struct ss_test_host *host, size_t dimension, ss_test_embed_function *embedder,
	void *context)
{
	ss_test_dimension(host, dimension);
	host->embedder = embedder;
	host->embedder_context = context;
}

void ss_test_articles(struct ss_test_host *host, const char *articles)
{
	value_unref(host->articles);
	host->articles = testing_parse(articles);
}

void ss_test_missing(struct ss_test_host *host, const char *missing)
{
	value_unref(host->missing);
	host->missing = testing_parse(missing);
}

void ss_test_answer(
	struct ss_test_host *host, const char *answer, const char *sources, const char *model)
{
	value_unref(host->sources);
	free(host->answer);
	free(host->model);
	host->answer = memory_string(answer);
	host->sources = testing_parse(sources);
	host->model = memory_string(model);
}

static void set_error(struct ss_error *err, enum ss_status status, const char *text)
{
	*err = (struct ss_error){0};
	if (status != SS_OK)
		(void)ss_fail_as(err, status, "%s", text);
}

void ss_test_fail(
	struct ss_test_host *host, enum ss_test_call call, enum ss_status status, const char *text)
{
	set_error(&host->fails[call], status, text);
}

void ss_test_refuse(
	struct ss_test_host *host, enum ss_test_call call, enum ss_status status, const char *text)
{
	set_error(&host->refuses[call], status, text);
}

void ss_test_waits_first(struct ss_test_host *host)
{
	host->waits_first = true;
}
