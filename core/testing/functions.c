/* What agents call: the state of their run, and the services, which answer as the test has chosen. */
#include "testing/private.h"

#include "base/memory.h"
#include "value/value.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

struct ss_test_host *testing_host_of_table(const struct ss_host *table)
{
	return (struct ss_test_host *)(uintptr_t)table; /* its first member */
}

__attribute__((format(printf, 3, 4))) static void host_log(
	const struct ss_host *table, enum ss_log_level level, const char *format, ...)
{
	static const char *const names[] = {"debug", "info", "warning", "error"};
	struct ss_test_host *host = testing_host_of_table(table);
	va_list arguments;
	buffer_add_format(&host->log, "%s: ", names[level]);
	va_start(arguments, format);
	buffer_add_arguments(&host->log, format, arguments);
	va_end(arguments);
	buffer_add_char(&host->log, '\n');
}

struct ss_test_host *testing_host_of(struct ss_run *run)
{
	must(run != NULL && run->host->run == run && !run->ended, "no such run is going on");
	return run->host;
}

/* The agent's FIELD, which it may access as ACCESS. */
static struct test_field *field_of(
	const struct ss_test_host *host, size_t field, enum ss_access access, const char *did)
{
	must(field < host->row_count, "%s field %zu of %zu", did, field, host->row_count);
	struct test_field *row = &host->fields[field];
	must(row->access & access, "%s the field %s, which the table does not declare so", did,
		row->name);
	return row;
}

static const struct ss_value *host_read(struct ss_run *run, size_t field)
{
	const struct test_field *row = field_of(testing_host_of(run), field, SS_READS, "read");
	if (row->left_out)
		return NULL;
	must(row->state != NULL || (row->access & SS_OPTIONAL), "the test did not set the field %s",
		row->name);
	return row->state;
}

/* Whether VALUE is of the type that the agent's table gives FIELD; an integer is a number as well. */
static bool has_type(const struct test_field *field, const struct ss_value *value)
{
	return field->type == SS_NULL || value_type(value) == field->type ||
	       (field->type == SS_NUMBER && value_type(value) == SS_INT);
}

/* Whether VALUE is one of an enum's. */
static bool fits(const struct test_field *field, const struct ss_value *value)
{
	for (size_t i = 0; i < value_count(field->values); i++) {
		if (value_equal(value_at(field->values, i), value))
			return true;
	}
	return field->values == NULL;
}

/* Refuses something that the descriptor does not allow. Always -1. */
static int refuse(struct ss_test_host *host, struct ss_error *err, const char *why)
{
	if (host->fault[0] == '\0')
		(void)snprintf(host->fault, sizeof host->fault, "%s", why);
	return ss_fail_as(err, SS_INVALID, "%s", why);
}

static int host_write(
	struct ss_run *run, size_t field, struct ss_value *value, struct ss_error *err)
{
	char why[300];
	struct test_field *row = field_of(testing_host_of(run), field, SS_WRITES, "wrote");
	must(value != NULL, "wrote NULL to the field %s", row->name);
	if (!has_type(row, value)) {
		(void)snprintf(why, sizeof why,
			"the field %s is of another type than what was written to it", row->name);
		value_unref(value);
		return refuse(run->host, err, why);
	}
	if (!fits(row, value)) {
		value_unref(value);
		return ss_fail_as(
			err, SS_INVALID, "%s: a value that does not fit was written", row->name);
	}
	value_unref(row->written);
	row->written = value;
	if (row->left_out) {
		value_unref(value);
		row->written = NULL;
	}
	return 0;
}

static void *host_allocate(struct ss_run *run, size_t size)
{
	(void)testing_host_of(run);
	struct chunk *chunk = memory_new(sizeof *chunk + size);
	chunk->next = run->chunks;
	run->chunks = chunk;
	return chunk->bytes;
}

int testing_begin_call(
	struct ss_test_host *host, enum ss_test_call call, char *asked, struct ss_error *err)
{
	host->calls[call]++;
	free(host->asked[call]);
	host->asked[call] = asked;
	if (host->refuses[call].status == SS_OK)
		return 0;
	return ss_fail_as(err, host->refuses[call].status, "%s", host->refuses[call].text);
}

/* The same of a call that needs SERVICE (0: none) and comes back on the loop. */
static int begin_service(struct ss_test_host *host, enum ss_test_call call, unsigned service,
	char *asked, struct ss_error *err)
{
	static const char *const names[] = {"embed", "search", "generate", "wait"};
	char why[300];
	if (testing_begin_call(host, call, asked, err) < 0)
		return -1;
	if (testing_blocks(host))
		(void)snprintf(why, sizeof why,
			"the agent %s blocks, as its descriptor says: it may not call %s()",
			host->plugin->name, names[call]);
	else if ((host->plugin->services & service) != service)
		(void)snprintf(why, sizeof why,
			"the agent %s does not declare in its descriptor that it uses what %s() "
			"needs",
			host->plugin->name, names[call]);
	else
		return 0;
	return refuse(host, err, why);
}

void testing_normalise(float *vector, size_t dimension)
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
	testing_normalise(vector, dimension);
}

static int embed_one(
	struct ss_test_host *host, struct ss_text text, float *vector, struct ss_error *err)
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
	struct ss_test_host *host = testing_host_of(run);
	struct buffer asked = {0};
	must(count > 0 && texts != NULL && done != NULL, "embed() without texts or callback");
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buffer_add_char(&asked, '\n');
		buffer_add(&asked, texts[i].data, texts[i].length);
	}
	host->texts += count;
	if (begin_service(host, SS_TEST_EMBED, SS_USES_EMBEDDER, buffer_take(&asked), err) < 0)
		return -1;
	struct waiting *waiting = testing_enqueue(host, SS_TEST_EMBED);
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
	struct ss_test_host *host = testing_host_of(run);
	must(SS_HAS(search, min_score), "search() without a struct_size");
	char *asked = copy_text(search->text);
	free(host->prefer_category);
	host->prefer_category = memory_string(search->prefer_category);
	memory_copy_known(&host->search, sizeof host->search, search, search->struct_size);
	host->search.text.data = asked;
	host->search.prefer_category = host->prefer_category;
	if (begin_service(host, SS_TEST_SEARCH, SS_USES_KNOWLEDGE, asked, err) < 0)
		return -1;
	testing_enqueue(host, SS_TEST_SEARCH)->found = done;
	return 0;
}

static const struct ss_value *host_missing(struct ss_run *run)
{
	return testing_host_of(run)->told;
}

void testing_forget_prompt(struct ss_test_host *host)
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
	struct ss_test_host *host = testing_host_of(run);
	must(SS_HAS(prompt, history), "generate() without a struct_size");
	struct ss_prompt copy;
	memory_copy_known(&copy, sizeof copy, prompt, prompt->struct_size);
	char *asked = copy_text(prompt->question);
	char *instructions = copy_text(prompt->instructions);
	copy.question.data = asked;
	copy.instructions.data = instructions;
	copy.articles = prompt->articles != NULL ? value_ref(prompt->articles) : NULL;
	copy.history = prompt->history != NULL ? value_ref(prompt->history) : NULL;
	testing_forget_prompt(host);
	host->prompt = copy;
	host->instructions = instructions;
	if (begin_service(host, SS_TEST_GENERATE, SS_USES_MODEL, asked, err) < 0)
		return -1;
	testing_enqueue(host, SS_TEST_GENERATE)->generated = done;
	return 0;
}

static int host_wait(struct ss_run *run, double seconds, ss_waited *done, struct ss_error *err)
{
	struct ss_test_host *host = testing_host_of(run);
	must(seconds >= 0 && seconds <= 86400, "wait() for %g seconds", seconds);
	if (begin_service(host, SS_TEST_WAIT, 0, memory_format("%g", seconds), err) < 0)
		return -1;
	testing_enqueue(host, SS_TEST_WAIT)->waited = done;
	return 0;
}

static void host_emit(struct ss_run *run, struct ss_text text)
{
	struct ss_test_host *host = testing_host_of(run);
	buffer_add(&host->emitted, text.data, text.length);
}

static void host_finish(struct ss_run *run, enum ss_result result, const struct ss_error *err)
{
	(void)testing_host_of(run);
	must(run->result == SS_PENDING, "a run was finished that is not pending");
	must(result != SS_PENDING, "a run was finished as pending");
	must(result != SS_FAILED || (err != NULL && err->text[0] != '\0'),
		"a run failed without saying why");
	run->ended = true;
	run->result = result;
	if (err != NULL)
		run->err = *err;
}

static bool is_listed(const char *words, const char *word)
{
	size_t length = strlen(word);
	while (words != NULL && *words != '\0') {
		size_t end = strcspn(words, " ");
		if (end == length && strncmp(words, word, length) == 0)
			return true;
		words += end + strspn(words + end, " ");
	}
	return false;
}

static int host_go_to(struct ss_run *run, const char *node, struct ss_error *err)
{
	struct ss_test_host *host = testing_host_of(run);
	if (!is_listed(host->nodes, node))
		return ss_fail_as(err, SS_INVALID, "\"%s\" is not in the goto of the node", node);
	free(host->went_to);
	host->went_to = memory_string(node);
	return 0;
}

static int host_interrupt(struct ss_run *run, struct ss_value *payload, struct ss_error *err)
{
	struct ss_test_host *host = testing_host_of(run);
	(void)err;
	must(payload != NULL, "interrupt() without a payload");
	value_unref(host->payload);
	host->payload = payload;
	return 0;
}

static const struct ss_value *host_answered(struct ss_run *run)
{
	return testing_host_of(run)->answer_from_outside;
}

static unsigned host_attempt(struct ss_run *run)
{
	return testing_host_of(run)->attempt;
}

const struct ss_host testing_functions = {
	.struct_size = sizeof testing_functions,
	.values = &value_functions,
	.log = host_log,
	.read = host_read,
	.write = host_write,
	.overwrite = host_write,
	.allocate = host_allocate,
	.embed = host_embed,
	.search = host_search,
	.generate = host_generate,
	.evaluate = testing_evaluate,
	.assign = testing_assign,
	.go_to = host_go_to,
	.interrupt = host_interrupt,
	.answered = host_answered,
	.attempt = host_attempt,
	.wait = host_wait,
	.finish = host_finish,
	.answer = testing_answer,
	.piece = testing_piece,
	.conclude = testing_conclude,
	.render = testing_render,
	.emit = host_emit,
	.http_start = testing_http_start,
	.http_cancel = testing_http_cancel,
	.http_header = testing_http_header,
	.missing = host_missing,
};
