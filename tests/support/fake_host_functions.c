#include "support/fake_host_private.h"

#include "base/file.h"
#include "base/memory.h"
#include "config/options.h"
#include "expr/mustache.h"
#include "value/json.h"
#include "value/value.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

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

void fake_host_normalise(float *vector, size_t dimension)
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
	fake_host_normalise(vector, dimension);
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

void fake_host_forget_prompt(struct fake_host *host)
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
	fake_host_forget_prompt(host);
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

const struct ss_host fake_host_functions = {
	.struct_size = sizeof fake_host_functions,
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
