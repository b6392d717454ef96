#include "service/llm.h"

#include "service/later.h"
#include "unit/service/loop.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

enum model_mood {
	ANSWERS_AT_ONCE,
	ANSWERS_IN_PIECES,
	ANSWERS_LATER,
	FAILS_AT_ONCE,
	FAILS_WITHOUT_STATUS,
	REFUSES,
	REFUSES_SILENTLY,
};

/* The model's instance. */
struct model {
	enum model_mood mood;
	struct ss_generation *waiting;
	char question[64];
};

static struct event_base *base;
static struct later *later;
static struct log quiet;
static struct llm *llm;
static struct model model;

static size_t answered;
static char *answer;
static char *sources;
static char *name;
static struct ss_error answer_err;
static bool in_generate;
static char pieces[64];

static void say(struct ss_generation *generation, const char *text)
{
	char buffer[64];
	struct ss_value *ids[] = {value_text("a"), value_text("b")};
	struct ss_value *list = value_list(ids, 2);
	(void)snprintf(buffer, sizeof buffer, "%s", text);
	llm_answer(generation, text_of(buffer), list, NULL);
	memset(buffer, 'X', sizeof buffer); /* what was borrowed for the call is gone */
	value_unref(list);
}

static int generate(void *instance, struct ss_generation *generation,
	const struct ss_prompt *prompt, struct ss_error *err)
{
	struct model *mine = instance;
	const struct ss_error silent = {0};
	struct ss_error failure = {0};
	(void)snprintf(mine->question, sizeof mine->question, "%.*s", (int)prompt->question.length,
		prompt->question.data);
	switch (mine->mood) {
	case ANSWERS_IN_PIECES:
		llm_hand_on(generation, text_of("at "));
		llm_hand_on(generation, text_of(""));
		mine->waiting = generation;
		return 0;
	case ANSWERS_AT_ONCE:
		say(generation, "at once");
		return 0;
	case ANSWERS_LATER:
		mine->waiting = generation;
		return 0;
	case FAILS_AT_ONCE:
		(void)ss_fail_as(&failure, SS_TIMEOUT, "the model took too long");
		llm_answer(generation, (struct ss_text){0}, NULL, &failure);
		return 0;
	case FAILS_WITHOUT_STATUS:
		llm_answer(generation, (struct ss_text){0}, NULL, &silent);
		return 0;
	case REFUSES:
		return ss_fail_as(err, SS_UNAVAILABLE, "the model is down");
	case REFUSES_SILENTLY:
		break;
	}
	return -1;
}

static const struct ss_llm_operations operations = {.generate = generate};

static void set_up(void)
{
	base = event_base_new();
	later = later_new(base);
	const struct llm_model row = {.operations = &operations,
		.instance = &model,
		.name = "model",
		.policy = {.attempts = 1, .timeout_ns = INT64_C(60000000000), .in_flight = 8}};
	const struct llm_options options = {
		.base = base, .later = later, .models = &row, .count = 1, .log = &quiet};
	quiet = log_new(-1, SS_LOG_ERROR, false);
	llm = llm_new(&options);
}

static void tear_down(void)
{
	free(answer);
	free(sources);
	free(name);
	llm_free(llm);
	later_free(later);
	event_base_free(base);
}

TestSuite(llm, .init = set_up, .fini = tear_down);

static void on_answer(void *context, const struct llm_result *result)
{
	cr_assert_eq(context, &answered);
	cr_expect_not(in_generate, "called before llm_generate() has returned");
	answered++;
	answer = memory_text(result->answer.data, result->answer.length);
	sources = json_text(result->sources);
	name = memory_string(result->model);
	cr_expect_null(result->models, "a model alone has nothing to say of itself");
	if (result->err != NULL)
		answer_err = *result->err;
}

static void on_piece(void *context, unsigned number, struct ss_text text)
{
	size_t length = strlen(pieces);
	cr_assert_eq(context, &answered);
	cr_expect_eq(number, 1);
	(void)snprintf(
		pieces + length, sizeof pieces - length, "<%.*s>", (int)text.length, text.data);
}

static int ask(enum model_mood mood, struct ss_error *err)
{
	const struct ss_prompt prompt = {
		.struct_size = sizeof prompt, .question = text_of("Where is it?")};
	model.mood = mood;
	in_generate = true;
	const struct llm_question question = {
		.prompt = &prompt, .piece = on_piece, .done = on_answer, .context = &answered};
	const struct llm_call *call = llm_generate(llm, &question, err);
	in_generate = false;
	return call != NULL ? 0 : -1;
}

Test(llm, answers_later_although_the_model_answered_at_once)
{
	cr_assert_eq(ask(ANSWERS_AT_ONCE, NULL), 0);
	cr_expect_eq(answered, 0);
	loop_until(base, &answered, 1);
	cr_expect_str_eq(model.question, "Where is it?");
	cr_expect_str_eq(answer, "at once");
	cr_expect_str_eq(sources, "[\"a\",\"b\"]");
	cr_expect_str_eq(name, "model");
	cr_expect_eq(answer_err.status, SS_OK);
}

Test(llm, answers_when_the_model_does)
{
	cr_assert_eq(ask(ANSWERS_LATER, NULL), 0);
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
	cr_expect_eq(answered, 0);
	llm_answer(model.waiting, text_of("later"), NULL, NULL);
	loop_until(base, &answered, 1);
	cr_expect_str_eq(answer, "later");
	cr_expect_str_eq(sources, "[]");
}

Test(llm, hands_on_the_pieces_of_an_answer_until_it_is_there)
{
	cr_assert_eq(ask(ANSWERS_IN_PIECES, NULL), 0);
	cr_expect_str_eq(pieces, "<at >");
	llm_hand_on(model.waiting, text_of("last"));
	say(model.waiting, "at last");
	llm_hand_on(model.waiting, text_of("too late"));
	loop_until(base, &answered, 1);
	cr_expect_str_eq(pieces, "<at ><last>");
	cr_expect_str_eq(answer, "at last");
}

Test(llm, passes_on_why_the_model_failed)
{
	cr_assert_eq(ask(FAILS_AT_ONCE, NULL), 0);
	loop_until(base, &answered, 1);
	cr_expect_eq(answer_err.status, SS_TIMEOUT);
	cr_expect_str_eq(answer_err.text, "the model took too long");
	cr_expect_str_eq(answer, "");
}

Test(llm, never_takes_an_error_without_a_status_for_an_answer)
{
	cr_assert_eq(ask(FAILS_WITHOUT_STATUS, NULL), 0);
	loop_until(base, &answered, 1);
	cr_expect_eq(answer_err.status, SS_INTERNAL);
	cr_expect_neq(answer_err.text[0], '\0');
}

Test(llm, does_not_call_back_what_the_model_refused)
{
	struct ss_error err = {0};
	cr_expect_eq(ask(REFUSES, &err), -1);
	cr_expect_eq(err.status, SS_UNAVAILABLE);
	cr_expect_str_eq(err.text, "the model is down");
	err = (struct ss_error){0};
	cr_expect_eq(ask(REFUSES_SILENTLY, &err), -1);
	cr_expect_eq(err.status, SS_INTERNAL);
	cr_expect_neq(err.text[0], '\0');
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
	cr_expect_eq(answered, 0);
}
