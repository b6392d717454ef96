/* The chain of models: who is asked when another fails, is slow, is left out or is not waited for. */
#include "service/llm.h"

#include "support/models.h"
#include "unit/service/loop.h"

#include "base/buffer.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "service/later.h"
#include "service/metrics.h"
#include "service/metrics_models.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

static struct event_base *base;
static struct later *later;
static struct metrics *metrics;
static struct log quiet;
static struct llm *llm;

/* What most tests ask: a language model, and behind it a local one. */
static struct scripted_model remote, local;
static struct llm_model rows[2];

/* The last ends of questions, in the order in which they came. */
enum { ENDS = 64 };
static struct {
	size_t count;
	struct end {
		char answer[64];
		char model[32];
		char sources[32];
		struct ss_error err;
		char report[600];
	} ends[ENDS];
} ended;

static struct buffer pieces; /* as <number text> */

static void set_up(void)
{
	base = event_base_new();
	later = later_new(base);
	metrics = metrics_new();
	quiet = log_new(-1, SS_LOG_ERROR, false);
	rows[0] = scripted_row(&remote, "groq/llama", false);
	rows[1] = scripted_row(&local, "extractive", true);
	local.steps[0] = (struct model_step){.text = "in the article's words"};
	local.count = 1;
}

static void tear_down(void)
{
	buffer_free(&pieces);
	llm_free(llm);
	later_free(later);
	metrics_free(metrics);
	event_base_free(base);
}

TestSuite(llm_chain, .init = set_up, .fini = tear_down, .timeout = 300);

static void begin_with(const struct llm_model *models, size_t count)
{
	const struct llm_options options = {.base = base,
		.later = later,
		.models = models,
		.count = count,
		.metrics = metrics_take(metrics),
		.log = &quiet};
	llm = llm_new(&options);
}

static void begin(void)
{
	begin_with(rows, 2);
}

/* The STEPS of a model; the last one goes on for ever. */
#define script(model, ...)                                                                         \
	script_steps(model, (const struct model_step[]){__VA_ARGS__},                              \
		sizeof((const struct model_step[]){__VA_ARGS__}) / sizeof(struct model_step))

static void script_steps(struct scripted_model *model, const struct model_step *steps, size_t count)
{
	memcpy(model->steps, steps, count * sizeof *steps);
	model->count = count;
}

/* Each entry as "model status attempts error", with what else it says. */
static void write_report(const struct ss_value *models, char *text, size_t size)
{
	size_t at = 0;
	text[0] = '\0';
	for (size_t i = 0; i < value_count(models); i++) {
		const struct ss_value *entry = value_at(models, i);
		const struct ss_value *error = value_get(entry, "error");
		const struct ss_value *output = value_get(entry, "output_tokens");
		at += (size_t)snprintf(text + at, size - at, "%s%s %s %d", i > 0 ? "; " : "",
			value_as_string(value_get(entry, "model"), NULL),
			value_as_string(value_get(entry, "status"), NULL),
			(int)value_as_int(value_get(entry, "attempts")));
		if (output != NULL)
			at += (size_t)snprintf(text + at, size - at, " (%d+%d tokens)",
				(int)value_as_int(value_get(entry, "input_tokens")),
				(int)value_as_int(output));
		if (value_as_bool(value_get(entry, "cut")))
			at += (size_t)snprintf(text + at, size - at, " cut");
		if (error != NULL)
			at += (size_t)snprintf(
				text + at, size - at, ": %s", value_as_string(error, NULL));
		cr_assert_lt(at, size);
	}
}

static void on_end(void *context, const struct llm_result *result)
{
	struct end *end = &ended.ends[ended.count % ENDS];
	cr_expect_eq(context, &ended);
	*end = (struct end){0};
	(void)snprintf(end->answer, sizeof end->answer, "%.*s", (int)result->answer.length,
		result->answer.data);
	(void)snprintf(end->model, sizeof end->model, "%s", result->model);
	char *sources = result->sources != NULL ? json_text(result->sources) : NULL;
	(void)snprintf(end->sources, sizeof end->sources, "%s", sources != NULL ? sources : "");
	free(sources);
	if (result->err != NULL)
		end->err = *result->err;
	write_report(result->models, end->report, sizeof end->report);
	ended.count++;
}

static void on_piece(void *context, unsigned number, struct ss_text text)
{
	(void)context;
	buffer_add_format(&pieces, "<%u %.*s>", number, (int)text.length, text.data);
}

static struct llm_call *ask_with(const struct ss_prompt *prompt, bool hurried, struct ss_error *err)
{
	const struct llm_question question = {.prompt = prompt,
		.piece = on_piece,
		.done = on_end,
		.context = &ended,
		.hurried = hurried};
	return llm_generate(llm, &question, err);
}

static struct llm_call *ask(enum ss_prompt_use use)
{
	char text[] = "Where is it?";
	struct ss_error err = {0};
	const struct ss_prompt prompt = {
		.struct_size = sizeof prompt, .question = text_of(text), .use = use};
	struct llm_call *call = ask_with(&prompt, false, &err);
	memset(text, 'X', sizeof text - 1); /* what was borrowed for the call is gone */
	cr_assert_not_null(call, "%s", err.text);
	return call;
}

/* The end of the question that ends next. */
static const struct end *wait_for_end(void)
{
	size_t before = ended.count;
	loop_until(base, &ended.count, before + 1);
	return &ended.ends[before % ENDS];
}

static const struct end *ask_to_the_end(void)
{
	(void)ask(SS_PROMPT_ANSWER);
	return wait_for_end();
}

static void spin(void)
{
	for (int i = 0; i < 10; i++)
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
}

static const struct model_step down = {.status = SS_UNAVAILABLE, .text = "it is down"};
static const struct model_step waits = {.waits = true};
static const struct model_step fine = {.text = "fine"};

Test(llm_chain, answers_with_the_first_model_that_works)
{
	script(&remote, {.text = "fluent", .says = "flu", .input = 100, .output = 7});
	begin();
	const struct end *end = ask_to_the_end();
	cr_expect_str_eq(end->answer, "fluent");
	cr_expect_str_eq(end->model, "groq/llama");
	cr_expect_str_eq(end->sources, "[\"kb-1\"]");
	cr_expect_str_eq(end->report, "groq/llama answered 1 (100+7 tokens)");
	cr_expect_str_eq(buffer_text(&pieces), "<1 flu>");
	cr_expect_eq(local.asked, 0);
}

Test(llm_chain, asks_the_next_model_when_one_fails_and_numbers_the_pieces)
{
	script(&remote,
		{.status = SS_UNAVAILABLE, .text = "reset in mid-stream", .says = "half an an"},
		{.status = SS_LIMIT, .text = "too many questions", .says = "half"});
	script(&local, {.text = "in the article's words", .says = "in the"});
	begin();
	const struct end *end = ask_to_the_end();
	cr_expect_eq(end->err.status, SS_OK);
	cr_expect_str_eq(end->answer, "in the article's words");
	cr_expect_str_eq(end->model, "extractive");
	cr_expect_str_eq(
		end->report, "groq/llama failed 2: too many questions; extractive answered 1");
	cr_expect_str_eq(buffer_text(&pieces), "<1 half an an><2 half><3 in the>");
	cr_expect_str_eq(local.question, "Where is it?");
}

Test(llm_chain, asks_a_model_again_after_a_failure_that_may_pass)
{
	script(&remote, {.status = SS_TIMEOUT, .text = "slow", .input = 10, .output = 1},
		{.text = "second", .input = 10, .output = 2});
	begin();
	const struct end *end = ask_to_the_end();
	cr_expect_str_eq(end->answer, "second");
	cr_expect_str_eq(end->report, "groq/llama answered 2 (20+3 tokens)");
	cr_expect_str_eq(remote.question, "Where is it?", "the question is kept for it");
}

Test(llm_chain, does_not_ask_again_what_cannot_help)
{
	script(&remote, {.status = SS_INVALID, .text = "the key is wrong"});
	begin();
	const struct end *end = ask_to_the_end();
	cr_expect_str_eq(
		end->report, "groq/llama failed 1: the key is wrong; extractive answered 1");
	cr_expect_eq(remote.asked, 1);
}

Test(llm_chain, asks_again_when_generate_itself_refuses)
{
	script(&remote, {.refuses = true, .status = SS_UNAVAILABLE, .text = "no connection"});
	begin();
	cr_expect_str_eq(ask_to_the_end()->report,
		"groq/llama failed 2: no connection; extractive answered 1");
}

Test(llm_chain, takes_no_answer_for_an_answer)
{
	script(&remote, {.status = SS_NOT_FOUND, .text = "no article fits"});
	begin();
	const struct end *end = ask_to_the_end();
	cr_expect_eq(end->err.status, SS_NOT_FOUND);
	cr_expect_str_eq(end->err.text, "no article fits");
	cr_expect_str_eq(end->report, "groq/llama no_answer 1: no article fits");
	cr_expect_eq(local.asked, 0);
}

Test(llm_chain, tells_what_it_came_to_although_the_last_model_refuses_at_once)
{
	script(&remote, down);
	script(&local, {.refuses = true, .status = SS_NOT_FOUND, .text = "nothing to quote"});
	begin();
	const struct end *end = ask_to_the_end();
	cr_expect_eq(end->err.status, SS_NOT_FOUND);
	cr_expect_str_eq(end->report,
		"groq/llama failed 2: it is down; extractive no_answer 1: nothing to quote");
}

Test(llm_chain, fails_as_the_last_model_does)
{
	script(&remote, down);
	begin_with(rows, 1);
	const struct end *end = ask_to_the_end();
	cr_expect_eq(end->err.status, SS_UNAVAILABLE);
	cr_expect_str_eq(end->err.text, "it is down");
	cr_expect_str_eq(end->model, "groq/llama");
}

Test(llm_chain, leaves_a_model_that_takes_too_long)
{
	script(&remote, {.waits = true, .says = "slowly"});
	rows[0].policy.timeout_ns = 5000000;
	begin();
	const struct end *end = ask_to_the_end();
	cr_expect_eq(remote.cancelled, 1);
	cr_expect_str_eq(end->report,
		"groq/llama failed 1: it took longer than 0.005 s (its timeout); "
		"extractive answered 1");
}

Test(llm_chain, does_not_begin_a_wait_that_would_end_after_the_models_time)
{
	script(&remote, down);
	rows[0].policy.timeout_ns = INT64_C(10000000000);
	rows[0].policy.backoff_ns = rows[0].policy.max_backoff_ns = INT64_C(60000000000);
	begin();
	cr_expect_str_eq(
		ask_to_the_end()->report, "groq/llama failed 1: it is down; extractive answered 1");
}

Test(llm_chain, leaves_out_a_model_that_keeps_failing_until_one_call_has_gone_well)
{
	script(&remote, down, down, down, {.waits = true}, fine);
	rows[0].policy.attempts = 1;
	rows[0].policy.breaker = (struct breaker_policy){0.5, 2, INT64_C(60000000000), 20000000};
	begin();
	(void)ask_to_the_end();
	(void)ask_to_the_end();
	cr_expect_eq(remote.asked, 2);
	/* The first that finds it tried again, if the machine was slow; then it fails and leaves it out again. */
	do
		(void)ask_to_the_end();
	while (remote.asked < 3);
	/* One call tries; the others go elsewhere meanwhile. */
	do {
		(void)ask(SS_PROMPT_ANSWER);
		spin();
	} while (remote.asked < 4);
	const struct end *end = ask_to_the_end();
	cr_expect_str_eq(end->report,
		"groq/llama skipped 0: it kept failing and is not asked for now; "
		"extractive answered 1");
	cr_expect_eq(remote.asked, 4);
	model_end(&remote, &fine);
	cr_expect_str_eq(wait_for_end()->model, "groq/llama");
	cr_expect_str_eq(ask_to_the_end()->model, "groq/llama");
	cr_expect_str_eq(ask_to_the_end()->model, "groq/llama");
}

Test(llm_chain, tries_again_when_the_call_that_tried_was_given_up)
{
	script(&remote, down, waits, fine);
	rows[0].policy.attempts = 1;
	rows[0].policy.breaker = (struct breaker_policy){0.5, 1, INT64_C(60000000000), 1};
	begin();
	(void)ask_to_the_end();
	struct llm_call *call = ask(SS_PROMPT_ANSWER);
	value_unref(llm_cancel(call));
	cr_expect_str_eq(ask_to_the_end()->answer, "fine");
}

Test(llm_chain, waits_as_long_as_a_model_asks_for_if_that_is_not_too_long)
{
	script(&remote, {.status = SS_LIMIT, .text = "slow down", .retry_after = 0.02}, fine);
	rows[0].policy.max_backoff_ns = 30000000;
	begin();
	const struct end *end = ask_to_the_end();
	cr_expect_str_eq(end->report, "groq/llama answered 2");
	script(&remote, {.status = SS_LIMIT, .text = "slow down", .retry_after = 10}, fine);
	remote.asked = 0;
	cr_expect_str_eq(
		ask_to_the_end()->report, "groq/llama failed 1: slow down; extractive answered 1");
	/* Nor does any other question ask before. */
	const char *report = ask_to_the_end()->report;
	cr_expect_not_null(
		strstr(report, "groq/llama skipped 0: it asked not to be called for another "),
		"%s", report);
	cr_expect_eq(remote.asked, 1);
}

Test(llm_chain, lets_a_question_wait_for_its_turn_and_refuses_what_the_queue_cannot_hold)
{
	script(&remote, waits);
	rows[0].policy.in_flight = 1;
	rows[0].policy.queue = 1;
	begin();
	(void)ask(SS_PROMPT_ANSWER);
	(void)ask(SS_PROMPT_ANSWER);
	cr_expect_eq(remote.asked, 1);
	cr_expect_str_eq(ask_to_the_end()->report,
		"groq/llama skipped 0: 1 calls of it are under way and 1 wait, and no more may; "
		"extractive answered 1");
	model_end(&remote, &(struct model_step){.text = "first"});
	cr_expect_str_eq(wait_for_end()->answer, "first");
	spin();
	cr_expect_eq(remote.asked, 2, "then the next one is asked");
	model_end(&remote, &(struct model_step){.text = "second"});
	cr_expect_str_eq(wait_for_end()->answer, "second");
}

Test(llm_chain, does_not_wait_for_its_turn_longer_than_the_models_time)
{
	script(&remote, waits);
	rows[0].policy.in_flight = 1;
	begin();
	(void)ask(SS_PROMPT_ANSWER);
	llm_free(llm);
	rows[0].policy.timeout_ns = 5000000;
	rows[0].policy.in_flight = 0; /* as if others had all of them */
	begin();
	cr_expect_str_eq(ask_to_the_end()->report,
		"groq/llama skipped 0: it could not be called within 0.005 s (its timeout); "
		"extractive answered 1");
}

Test(llm_chain, keeps_to_the_tokens_a_minute)
{
	script(&remote, {.text = "long", .input = 600, .output = 700});
	rows[0].policy.tokens_per_minute = 1000;
	begin();
	cr_expect_str_eq(ask_to_the_end()->model, "groq/llama", "a full budget may be overdrawn");
	cr_expect_str_eq(ask_to_the_end()->report,
		"groq/llama skipped 0: its budget of 1000 tokens a minute is used up; "
		"extractive answered 1");
	/* Another worker has the same budget. */
	llm_free(llm);
	begin();
	cr_expect_str_eq(ask_to_the_end()->model, "extractive");
}

Test(llm_chain, keeps_to_the_tokens_a_minute_of_models_that_share_a_budget)
{
	struct llm_model three[] = {rows[0], rows[0], rows[1]};
	three[0].name = "groq/small";
	script(&remote, {.text = "long", .input = 600, .output = 700});
	for (size_t i = 0; i < 2; i++)
		three[i].policy.tokens_per_minute = 1000;
	begin_with(three, 3);
	cr_expect_str_eq(ask_to_the_end()->model, "groq/small");
	cr_expect_str_eq(ask_to_the_end()->model, "groq/llama", "each has its own");
	llm_free(llm);
	three[0].name = "one/small";
	three[1].name = "one/large";
	for (size_t i = 0; i < 2; i++)
		three[i].policy.budget = 1;
	begin_with(three, 3);
	cr_expect_str_eq(ask_to_the_end()->model, "one/small");
	cr_expect_str_eq(ask_to_the_end()->report,
		"one/small skipped 0: its budget of 1000 tokens a minute is used up; "
		"one/large skipped 0: its budget of 1000 tokens a minute is used up; "
		"extractive answered 1");
}

Test(llm_chain, gives_tasks_to_language_models_only_and_shows_nobody_their_pieces)
{
	struct ss_error err = {0};
	const struct ss_prompt task = {
		.struct_size = sizeof task, .question = text_of("which?"), .use = SS_PROMPT_TASK};
	script(&remote, {.text = "{\"label\": 1}", .says = "{"}, down);
	begin();
	(void)ask(SS_PROMPT_TASK);
	cr_expect_str_eq(wait_for_end()->answer, "{\"label\": 1}");
	cr_expect_str_eq(buffer_text(&pieces), "");
	(void)ask(SS_PROMPT_TASK);
	const struct end *end = wait_for_end();
	cr_expect_eq(end->err.status, SS_UNAVAILABLE);
	cr_expect_str_eq(end->report, "groq/llama failed 2: it is down");
	cr_expect_eq(local.asked, 0);
	llm_free(llm);
	begin_with(&rows[1], 1);
	cr_expect_null(ask_with(&task, false, &err));
	cr_expect_str_eq(err.text, "no language model is configured that could be given a task");
}

Test(llm_chain, passes_on_all_that_is_asked_for)
{
	struct ss_value *schema = value_text("a schema"), *articles = value_text("some articles");
	const struct ss_prompt prompt = {.struct_size = sizeof prompt,
		.question = text_of("which?"),
		.instructions = text_of("be brief"),
		.articles = articles,
		.use = SS_PROMPT_TASK,
		.schema = schema,
		.max_tokens = 12};
	script(&remote, waits);
	begin();
	struct llm_call *call = ask_with(&prompt, false, NULL);
	value_unref(articles);
	value_unref(schema);
	cr_expect_str_eq(value_as_string(remote.prompt.schema, NULL), "a schema");
	cr_expect_str_eq(value_as_string(remote.prompt.articles, NULL), "some articles");
	cr_expect_str_eq(remote.prompt.instructions.data, "be brief");
	cr_expect_eq(remote.prompt.use, SS_PROMPT_TASK);
	cr_expect_eq(remote.prompt.max_tokens, 12);
	value_unref(llm_cancel(call));
	/* An agent that was built before there were uses has no such members. */
	struct ss_prompt old = prompt;
	old.articles = NULL;
	old.struct_size = offsetof(struct ss_prompt, use);
	call = ask_with(&old, false, NULL);
	cr_expect_eq(remote.prompt.use, SS_PROMPT_ANSWER);
	cr_expect_null(remote.prompt.schema);
	cr_expect_eq(remote.prompt.max_tokens, 0);
	value_unref(llm_cancel(call));
}

/* Cancels CALL and expects the report. */
static void expect_cancelled(struct llm_call *call, const char *expected)
{
	char report[200];
	struct ss_value *models = llm_cancel(call);
	write_report(models, report, sizeof report);
	cr_expect_str_eq(report, expected);
	value_unref(models);
}

Test(llm_chain, stops_a_model_that_nobody_waits_for)
{
	script(&remote, waits);
	begin();
	struct llm_call *call = ask(SS_PROMPT_ANSWER);
	expect_cancelled(call, "groq/llama stopped 1: nobody could wait for it any more");
	cr_expect_eq(remote.cancelled, 1);
	spin();
	cr_expect_eq(ended.count, 0);
}

Test(llm_chain, drops_a_question_wherever_it_is)
{
	script(&remote, waits, down, fine);
	rows[0].policy.in_flight = 1;
	rows[0].policy.backoff_ns = rows[0].policy.max_backoff_ns = INT64_C(20000000000);
	begin();
	struct llm_call *first = ask(SS_PROMPT_ANSWER);
	struct llm_call *queued = ask(SS_PROMPT_ANSWER);
	struct llm_call *behind = ask(SS_PROMPT_ANSWER);
	expect_cancelled(queued, "groq/llama stopped 0: nobody could wait for it any more");
	model_end(&remote, &fine);
	/* It has ended, and nobody was told yet. */
	value_unref(llm_cancel(first));
	cr_expect_eq(remote.cancelled, 0, "there was nothing to stop any more");
	spin(); /* the one behind it has failed and waits now */
	cr_expect_eq(remote.asked, 2);
	expect_cancelled(behind, "groq/llama failed 1: it is down");
	struct llm_call *last = ask(SS_PROMPT_ANSWER);
	(void)event_base_loop(base, EVLOOP_ONCE);
	value_unref(llm_cancel(last));
	spin();
	cr_expect_eq(ended.count, 0);
}

Test(llm_chain, lets_a_local_model_finish_for_nobody)
{
	script(&local, waits);
	rows[1].policy.in_flight = 1;
	rows[1].policy.queue = 0;
	begin_with(&rows[1], 1);
	struct ss_error err = {0};
	const struct ss_prompt prompt = {.struct_size = sizeof prompt, .question = text_of("?")};
	expect_cancelled(ask(SS_PROMPT_ANSWER), "");
	(void)ask(SS_PROMPT_ANSWER);
	cr_expect_str_eq(wait_for_end()->err.text,
		"no model can be asked now: extractive: 1 calls of it are under way and 0 wait, "
		"and no more may");
	model_end(&local, &fine);
	spin();
	struct llm_call *call = ask_with(&prompt, false, &err);
	cr_assert_not_null(call, "its place is free again");
	expect_cancelled(call, "");
	llm_free(llm); /* and with it what the model never ended */
	begin();
}

Test(llm_chain, takes_what_was_said_when_it_is_hurried)
{
	script(&remote, {.waits = true, .says = "As far "});
	begin();
	struct llm_call *call = ask(SS_PROMPT_ANSWER);
	model_say(&remote, "as this");
	llm_hurry(call);
	llm_hurry(call);
	const struct end *end = wait_for_end();
	cr_expect_eq(remote.cancelled, 1);
	cr_expect_str_eq(end->answer, "As far as this");
	cr_expect_str_eq(end->sources, "[]");
	cr_expect_str_eq(end->report, "groq/llama answered 1 cut");
}

Test(llm_chain, lets_the_last_model_answer_when_the_first_has_said_nothing)
{
	script(&remote, waits);
	rows[0].policy.in_flight = 1;
	begin();
	struct llm_call *call = ask(SS_PROMPT_ANSWER);
	struct llm_call *queued = ask(SS_PROMPT_ANSWER);
	llm_hurry(queued);
	cr_expect_str_eq(wait_for_end()->report,
		"groq/llama stopped 0: nobody could wait for it any more; extractive answered 1");
	llm_hurry(call);
	cr_expect_str_eq(wait_for_end()->report,
		"groq/llama stopped 1: nobody could wait for it any more; extractive answered 1");
	cr_expect_eq(remote.cancelled, 1);
}

Test(llm_chain, asks_the_last_model_alone_when_it_is_hurried_from_the_beginning)
{
	struct ss_error err = {0};
	const struct ss_prompt prompt = {.struct_size = sizeof prompt, .question = text_of("?")};
	struct ss_prompt task = prompt;
	script(&remote, waits);
	begin();
	cr_assert_not_null(ask_with(&prompt, true, NULL));
	cr_expect_str_eq(wait_for_end()->model, "extractive");
	task.use = SS_PROMPT_TASK;
	cr_expect_null(ask_with(&task, true, &err));
	cr_expect_str_eq(err.text, "nobody could wait for it any more");
	cr_expect_eq(remote.asked, 0);
}

Test(llm_chain, does_not_ask_again_when_it_is_hurried)
{
	script(&remote, waits);
	begin();
	struct llm_call *call = ask(SS_PROMPT_ANSWER);
	llm_hurry(call);
	model_end(&remote, &down);
	cr_expect_str_eq(
		wait_for_end()->report, "groq/llama failed 1: it is down; extractive answered 1");
	call = ask(SS_PROMPT_ANSWER);
	model_end(&remote, &down);
	llm_hurry(call);
	cr_expect_str_eq(
		wait_for_end()->report, "groq/llama failed 1: it is down; extractive answered 1");
}

Test(llm_chain, fails_a_task_that_is_hurried)
{
	script(&remote, {.waits = true, .says = "{"});
	begin();
	llm_hurry(ask(SS_PROMPT_TASK));
	const struct end *end = wait_for_end();
	cr_expect_eq(end->err.status, SS_UNAVAILABLE);
	cr_expect_str_eq(end->report, "groq/llama stopped 1: nobody could wait for it any more");
	cr_expect_eq(remote.cancelled, 1);
}

Test(llm_chain, leaves_an_answer_alone_that_is_there_when_it_is_hurried)
{
	script(&remote, waits);
	begin();
	struct llm_call *call = ask(SS_PROMPT_ANSWER);
	llm_hurry(call);
	model_end(&remote, &fine);
	cr_expect_str_eq(wait_for_end()->answer, "fine");
	/* The last one that is configured is not stopped either: who else would answer? */
	llm_free(llm);
	begin_with(rows, 1);
	call = ask(SS_PROMPT_ANSWER);
	llm_hurry(call);
	spin();
	cr_expect_eq(remote.cancelled, 0);
	model_end(&remote, &fine);
	cr_expect_str_eq(wait_for_end()->answer, "fine");
}

Test(llm_chain, counts_what_it_does)
{
	script(&remote, {.text = "a", .says = "a", .input = 1000, .output = 100}, down, waits);
	rows[0].price = (struct model_price){2, 8};
	rows[0].policy.attempts = 1;
	begin();
	(void)ask_to_the_end();
	(void)ask_to_the_end();
	value_unref(llm_cancel(ask(SS_PROMPT_ANSWER)));
	struct ss_value *models = metrics_models(metrics);
	const struct ss_value *first = value_at(models, 0);
	cr_expect_str_eq(value_as_string(value_get(first, "model"), NULL), "groq/llama");
	cr_expect_eq(value_as_int(value_get(first, "calls")), 3);
	cr_expect_eq(value_as_int(value_get(first, "failed")), 1);
	cr_expect_eq(value_as_int(value_get(first, "input_tokens")), 1000);
	cr_expect_eq(value_as_int(value_get(first, "output_tokens")), 100);
	cr_expect_float_eq(value_as_number(value_get(first, "cost")), 0.0028, 1e-9);
	cr_expect_not_null(value_get(first, "avg_first_token"));
	cr_expect_eq(value_as_int(value_get(value_at(models, 1), "calls")), 1);
	value_unref(models);
	struct buffer text = {0};
	metrics_print(metrics, &text);
	cr_expect_not_null(
		strstr(buffer_text(&text),
			"smartsupport_model_in_flight{gen_ai_operation_name=\"chat\","
			"gen_ai_provider_name=\"groq\",gen_ai_request_model=\"llama\"} 0\n"),
		"%s", buffer_text(&text));
	buffer_free(&text);
}

Test(llm_chain, drops_what_is_under_way_when_it_is_freed)
{
	script(&remote, waits);
	rows[0].policy.in_flight = 1;
	begin();
	(void)ask(SS_PROMPT_ANSWER);
	(void)ask(SS_PROMPT_ANSWER);
	llm_free(llm);
	cr_expect_eq(remote.cancelled, 1);
	begin();
	spin();
	cr_expect_eq(ended.count, 0);
}
