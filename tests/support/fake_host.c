#include "support/fake_host.h"

#include "base/file.h"
#include "base/memory.h"
#include "config/options.h"
#include "expr/mustache.h"
#include "value/json.h"
#include "value/value.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Ends the program when an agent or a test breaks the rules; also in builds without assertions. */
#define must(condition, ...)                                                                       \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			(void)fprintf(stderr, "fake host: " __VA_ARGS__);                          \
			(void)fputc('\n', stderr);                                                 \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

struct canned_vector {
	char *text;
	float *vector;
};

/* One answer that waits. */
struct waiting {
	struct waiting *next;
	enum fake_call call;
	struct ss_error err; /* SS_OK: an answer */
	ss_embedded *embedded;
	ss_found *found;
	ss_generated *generated;
	ss_waited *waited;
	float *vectors;
	size_t count;
};

struct chunk {
	struct chunk *next;
	max_align_t bytes[];
};

struct ss_run {
	struct fake_host *host;
	struct chunk *chunks;
	struct waiting *first;
	struct waiting **last;
	bool ended;
	enum ss_result result;
	struct ss_error err;
};

struct fake_host {
	struct ss_host table; /* first: the host that agents see is the fake one */
	const struct ss_plugin *plugin;
	void *instance;
	bool created;
	size_t fields;
	struct ss_value **values; /* of enums, a list */
	struct ss_value **state;
	struct ss_value **written;
	bool *left_out;
	struct ss_run *run;
	size_t dimension;
	struct canned_vector *vectors;
	size_t vectors_count;
	fake_embedder *embedder;
	void *embedder_context;
	struct ss_value *articles;
	struct ss_value *missing;
	const struct ss_value *told; /* of `missing`, while an agent is told what was found */
	char *answer;
	struct ss_value *sources;
	char *model;
	struct ss_error fails[FAKE_CALLS];
	struct ss_error refuses[FAKE_CALLS];
	size_t calls[FAKE_CALLS];
	size_t texts;
	char *asked[FAKE_CALLS];
	struct ss_search search;
	char *prefer_category;
	struct ss_prompt prompt;
	char *instructions;
	char *json;
	struct buffer log;
	struct ss_value **options; /* a value for each row */
	struct buffer emitted;
	bool waits_first;
};

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

/* The table's functions. */

__attribute__((format(printf, 3, 4))) static void host_log(
	const struct ss_host *table, enum ss_log_level level, const char *format, ...)
{
	static const char *const names[] = {"debug", "info", "warning", "error"};
	/* The table is the host's first member, and the host is never const. */
	struct fake_host *host = (struct fake_host *)(uintptr_t)table;
	va_list arguments;
	buffer_add_format(&host->log, "%s: ", names[level]);
	va_start(arguments, format);
	buffer_add_arguments(&host->log, format, arguments);
	va_end(arguments);
	buffer_add_char(&host->log, '\n');
}

/* The host of a run that is going on. */
static struct fake_host *host_of(struct ss_run *run)
{
	must(run != NULL && run->host->run == run && !run->ended, "no such run is going on");
	return run->host;
}

static const struct ss_value *host_read(struct ss_run *run, size_t field)
{
	struct fake_host *host = host_of(run);
	must(field < host->fields, "read field %zu of %zu", field, host->fields);
	const struct ss_field *row = &host->plugin->fields[field];
	must(row->access & SS_READS, "read the field %s, which the table does not declare as read",
		row->name);
	if (host->left_out[field])
		return NULL;
	must(host->state[field] != NULL || (row->access & SS_OPTIONAL),
		"the test did not set the field %s", row->name);
	return host->state[field];
}

static bool fits(const struct fake_host *host, size_t field, const struct ss_value *value)
{
	enum ss_type type = host->plugin->fields[field].type;
	const struct ss_value *values = host->values[field];
	bool number = type == SS_NUMBER && value_type(value) == SS_INT;
	if (type != SS_NULL && value_type(value) != type && !number)
		return false;
	if (values == NULL)
		return true;
	for (size_t i = 0; i < value_count(values); i++) {
		if (value_equal(value_at(values, i), value))
			return true;
	}
	return false;
}

static int host_write(
	struct ss_run *run, size_t field, struct ss_value *value, struct ss_error *err)
{
	struct fake_host *host = host_of(run);
	must(field < host->fields, "wrote field %zu of %zu", field, host->fields);
	const struct ss_field *row = &host->plugin->fields[field];
	must(row->access & SS_WRITES,
		"wrote the field %s, which the table does not declare as written", row->name);
	must(value != NULL, "wrote NULL to the field %s", row->name);
	if (!fits(host, field, value)) {
		value_unref(value);
		return ss_fail_as(
			err, SS_INVALID, "%s: a value that does not fit was written", row->name);
	}
	value_unref(host->written[field]);
	host->written[field] = value;
	if (host->left_out[field]) {
		value_unref(value);
		host->written[field] = NULL;
	}
	return 0;
}

static void *host_allocate(struct ss_run *run, size_t size)
{
	(void)host_of(run);
	struct chunk *chunk = memory_new(sizeof *chunk + size);
	chunk->next = run->chunks;
	run->chunks = chunk;
	return chunk->bytes;
}

/* Counts a call and keeps what was asked; -1 when it is to be refused. */
static int begin_call(
	struct fake_host *host, enum fake_call call, char *asked, struct ss_error *err)
{
	host->calls[call]++;
	free(host->asked[call]);
	host->asked[call] = asked;
	if (host->refuses[call].status == SS_OK)
		return 0;
	return ss_fail_as(err, host->refuses[call].status, "%s", host->refuses[call].text);
}

static struct waiting *enqueue(struct ss_run *run, enum fake_call call)
{
	struct waiting *waiting = memory_make(struct waiting);
	waiting->call = call;
	waiting->err = run->host->fails[call];
	*run->last = waiting;
	run->last = &waiting->next;
	return waiting;
}

static void normalise(float *vector, size_t dimension)
{
	double sum = 0;
	for (size_t i = 0; i < dimension; i++)
		sum += (double)vector[i] * (double)vector[i];
	for (size_t i = 0; i < dimension && sum > 0; i++)
		vector[i] = (float)((double)vector[i] / sqrt(sum));
}

/* A vector that depends on the bytes of TEXT only. */
static void hash_vector(struct ss_text text, float *vector, size_t dimension)
{
	uint64_t state = 1469598103934665603u;
	for (size_t i = 0; i < text.length; i++)
		state = (state ^ (unsigned char)text.data[i]) * 1099511628211u;
	for (size_t i = 0; i < dimension; i++) {
		state += 0x9e3779b97f4a7c15u;
		uint64_t mixed = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9u;
		mixed ^= mixed >> 27;
		vector[i] = (float)((double)(mixed >> 11) / 9007199254740992.0 - 0.5);
	}
	normalise(vector, dimension);
}

static int embed_one(
	struct fake_host *host, struct ss_text text, float *vector, struct ss_error *err)
{
	for (size_t i = 0; i < host->vectors_count; i++) {
		const struct canned_vector *canned = &host->vectors[i];
		if (strlen(canned->text) == text.length &&
			memcmp(canned->text, text.data, text.length) == 0) {
			memcpy(vector, canned->vector, host->dimension * sizeof *vector);
			return 0;
		}
	}
	if (host->embedder != NULL)
		return host->embedder(host->embedder_context, &text, 1, vector, err);
	hash_vector(text, vector, host->dimension);
	return 0;
}

static int host_embed(struct ss_run *run, const struct ss_text *texts, size_t count,
	ss_embedded *done, struct ss_error *err)
{
	struct fake_host *host = host_of(run);
	struct buffer asked = {0};
	must(count > 0 && texts != NULL && done != NULL, "embed() without texts or callback");
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buffer_add_char(&asked, '\n');
		buffer_add(&asked, texts[i].data, texts[i].length);
	}
	host->texts += count;
	if (begin_call(host, FAKE_EMBED, buffer_take(&asked), err) < 0)
		return -1;
	struct waiting *waiting = enqueue(run, FAKE_EMBED);
	waiting->embedded = done;
	waiting->count = count;
	waiting->vectors = memory_array(count * host->dimension, sizeof(float));
	for (size_t i = 0; i < count && waiting->err.status == SS_OK; i++)
		(void)embed_one(
			host, texts[i], waiting->vectors + i * host->dimension, &waiting->err);
	return 0;
}

static char *copy_text(struct ss_text text)
{
	return memory_text(text.length > 0 ? text.data : "", text.length);
}

static int host_search(
	struct ss_run *run, const struct ss_search *search, ss_found *done, struct ss_error *err)
{
	struct fake_host *host = host_of(run);
	must(search->struct_size == sizeof *search, "search() without a struct_size");
	char *asked = copy_text(search->text);
	free(host->prefer_category);
	host->prefer_category = memory_string(search->prefer_category);
	host->search = *search;
	host->search.text.data = asked;
	host->search.prefer_category = host->prefer_category;
	if (begin_call(host, FAKE_SEARCH, asked, err) < 0)
		return -1;
	enqueue(run, FAKE_SEARCH)->found = done;
	return 0;
}

static const struct ss_value *host_missing(struct ss_run *run)
{
	return host_of(run)->told;
}

static void forget_prompt(struct fake_host *host)
{
	value_unref((struct ss_value *)(uintptr_t)host->prompt.articles);
	value_unref((struct ss_value *)(uintptr_t)host->prompt.history);
	free(host->instructions);
	host->instructions = NULL;
	host->prompt = (struct ss_prompt){0};
}

static int host_generate(struct ss_run *run, const struct ss_prompt *prompt, ss_generated *done,
	struct ss_error *err)
{
	struct fake_host *host = host_of(run);
	must(prompt->struct_size == sizeof *prompt, "generate() without a struct_size");
	struct ss_prompt copy = *prompt;
	char *asked = copy_text(prompt->question);
	char *instructions = copy_text(prompt->instructions);
	copy.question.data = asked;
	copy.instructions.data = instructions;
	copy.articles = prompt->articles != NULL ? value_ref(prompt->articles) : NULL;
	copy.history = prompt->history != NULL ? value_ref(prompt->history) : NULL;
	forget_prompt(host);
	host->prompt = copy;
	host->instructions = instructions;
	if (begin_call(host, FAKE_GENERATE, asked, err) < 0)
		return -1;
	enqueue(run, FAKE_GENERATE)->generated = done;
	return 0;
}

static int host_wait(struct ss_run *run, double seconds, ss_waited *done, struct ss_error *err)
{
	struct fake_host *host = host_of(run);
	must(seconds >= 0 && seconds <= 86400, "wait() for %g seconds", seconds);
	if (begin_call(host, FAKE_WAIT, memory_format("%g", seconds), err) < 0)
		return -1;
	enqueue(run, FAKE_WAIT)->waited = done;
	return 0;
}

/* The prompt as the server would render it, with the agent's fields for the state. */
static int host_render(
	struct ss_run *run, size_t option, struct ss_text *text, struct ss_error *err)
{
	struct fake_host *host = host_of(run);
	struct expr_variable *variables = memory_array(host->fields, sizeof *variables);
	struct diagnostics diagnostics = {0};
	struct ss_error failure = {0};
	char *template = NULL;
	size_t length = 0;
	must(option < options_count(host->plugin->options) &&
			host->plugin->options[option].type == SS_OPTION_PROMPT,
		"render() of option %zu, which is no prompt", option);
	const char *file = value_as_string(host->options[option], NULL);
	must(file[0] != '\0', "render() of a prompt that is not given");
	for (size_t i = 0; i < host->fields; i++)
		variables[i] = (struct expr_variable){
			.name = host->plugin->fields[i].name, .type = host->plugin->fields[i].type};
	must(file_read(file, MUSTACHE_FILE_LIMIT, &template, &length, &failure) == 0, "%s",
		failure.text);
	struct mustache *mustache =
		mustache_parse(file, template, length, variables, host->fields, &diagnostics);
	must(mustache != NULL, "%s", diagnostics.items[0].text);
	char *rendered = mustache_render(mustache, host->state, &length, err);
	if (rendered != NULL) {
		char *copy = host_allocate(run, length + 1);
		memcpy(copy, rendered, length + 1);
		*text = (struct ss_text){copy, length};
	}
	int result = rendered != NULL ? 0 : -1;
	mustache_free(mustache);
	diagnostics_free(&diagnostics);
	free(rendered);
	free(template);
	free(variables);
	return result;
}

static void host_emit(struct ss_run *run, struct ss_text text)
{
	struct fake_host *host = host_of(run);
	buffer_add(&host->emitted, text.data, text.length);
}

static void host_finish(struct ss_run *run, enum ss_result result, const struct ss_error *err)
{
	(void)host_of(run);
	must(run->result == SS_PENDING, "a run was finished that is not pending");
	must(result != SS_PENDING, "a run was finished as pending");
	must(result != SS_FAILED || (err != NULL && err->text[0] != '\0'),
		"a run failed without saying why");
	run->ended = true;
	run->result = result;
	if (err != NULL)
		run->err = *err;
}

static void host_generation_answer(struct ss_generation *generation, struct ss_text answer,
	const struct ss_value *sources, const struct ss_error *err)
{
	(void)generation;
	(void)answer;
	(void)sources;
	(void)err;
	must(false, "an agent called answer(), which is for models");
}

/* The host's life. */

struct fake_host *fake_host_new(const struct ss_plugin *plugin)
{
	struct fake_host *host = memory_make(struct fake_host);
	must(plugin->kind == SS_AGENT && plugin->agent != NULL, "%s is no agent", plugin->name);
	host->table = (struct ss_host){
		.struct_size = sizeof host->table,
		.values = &value_functions,
		.log = host_log,
		.read = host_read,
		.write = host_write,
		.allocate = host_allocate,
		.embed = host_embed,
		.search = host_search,
		.generate = host_generate,
		.wait = host_wait,
		.render = host_render,
		.emit = host_emit,
		.finish = host_finish,
		.answer = host_generation_answer,
		.missing = host_missing,
	};
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
	forget_prompt(host);
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
	normalise(canned->vector, host->dimension);
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
