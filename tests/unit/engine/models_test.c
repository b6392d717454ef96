/* Turns whose agents ask a chain of models: what the trace tells of it, what is shown, and what is stopped. */
#include "stage.h"

#include "service/llm.h"
#include "support/models.h"
#include "support/scratch.h"

#include "base/memory.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define ALONE                                                                                      \
	"nodes: {a: {agent: puppet}}\n"                                                            \
	"edges: [{from: START, to: a}, {from: a, to: END}]\n"

#define WITH_TIMEOUT                                                                               \
	"nodes: {a: {agent: puppet, timeout: 5ms, on_error: {set: {f0: -1}}}}\n"                   \
	"edges: [{from: START, to: a}, {from: a, to: END}]\n"

#define TWO                                                                                        \
	"nodes: {a: {agent: puppet}, b: {agent: puppet}}\n"                                        \
	"edges: [{from: START, to: a}, {from: a, to: b}, {from: b, to: END}]\n"

static struct scripted_model remote, local;
static struct llm *llm;

static struct {
	int calls;
	char answers[128]; /* each with a bar behind it */
	struct ss_error err;
} back;

static void on_generated(void *instance, struct ss_run *run, struct ss_text answer,
	const struct ss_value *sources, const char *model, const struct ss_error *err)
{
	struct actor *actor = instance;
	size_t at = strlen(back.answers);
	(void)sources;
	back.calls++;
	if (err != NULL)
		back.err = *err;
	(void)snprintf(back.answers + at, sizeof back.answers - at, "%s: %.*s|", model,
		(int)answer.length, answer.data);
	actor->host->emit(run, (struct ss_text){" Bye.", 5});
	actor->host->finish(run, err != NULL ? SS_FAILED : SS_DONE, err);
}

static enum ss_result ask_silently(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	const struct ss_prompt prompt = {.struct_size = sizeof prompt, .question = {"why", 3}};
	return actor->host->generate(run, &prompt, on_generated, err) < 0 ? SS_FAILED : SS_PENDING;
}

static enum ss_result generate(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	actor->host->emit(run, (struct ss_text){"Hello. ", 7});
	return ask_silently(actor, run, err);
}

static void open_chain(const char *yaml, uint64_t shuffle)
{
	stage_prepare(yaml);
	const struct llm_model rows[] = {scripted_row(&remote, "groq/llama", false),
		scripted_row(&local, "extractive", true)};
	const struct llm_options options = {.base = stage.base,
		.later = stage.later,
		.models = rows,
		.count = 2,
		.log = &stage.log};
	local.steps[0] = (struct model_step){.text = "as the article says"};
	local.count = 1;
	llm = llm_new(&options);
	stage.options.llm = llm;
	stage.options.shuffle = shuffle;
	stage_begin();
	stage_play("a", generate);
}

static void close_chain(struct turn *turn)
{
	turn_free(turn);
	stage_close();
	llm_free(llm);
}

/* What the trace of TURN has of the models that the node NAME asked, without the times; "" when it has nothing. */
static char *models_of(const struct turn *turn, const char *name, bool timed)
{
	struct ss_value *trace = turn_trace(turn);
	const struct ss_value *models = value_get(stage_entry(trace, name), "models");
	struct buffer text = {0};
	for (size_t i = 0; i < value_count(models); i++) {
		const struct ss_value *entry = value_at(models, i);
		cr_expect_eq(value_get(entry, "duration_ms") != NULL,
			timed && value_get(entry, "attempts") != NULL);
		buffer_add_format(&text, "%s %s%s%s;",
			value_as_string(value_get(entry, "model"), NULL),
			value_as_string(value_get(entry, "status"), NULL),
			value_get(entry, "error") != NULL ? ": " : "",
			value_as_string(value_get(entry, "error"), NULL));
	}
	value_unref(trace);
	return buffer_take(&text);
}

static void expect_models(const struct turn *turn, const char *node, const char *expected)
{
	char *models = models_of(turn, node, true);
	cr_expect_str_eq(models, expected);
	free(models);
}

static const struct model_step down = {.status = SS_INVALID, .text = "the key is wrong"};
static const struct model_step waits = {.waits = true};

static void play_with(struct model_step step)
{
	remote.steps[0] = step;
	remote.count = 1;
}

Test(models, are_in_the_trace_with_why_they_did_not_answer)
{
	play_with(down);
	open_chain(ALONE, 0);
	struct turn *turn = stage_turn(NULL);
	cr_expect_null(turn_error(turn));
	cr_expect_str_eq(back.answers, "extractive: as the article says|");
	expect_models(turn, "a", "groq/llama failed: the key is wrong;extractive answered;");
	close_chain(turn);
}

Test(models, are_in_the_trace_without_times_when_a_workflow_is_tested)
{
	play_with(down);
	open_chain(ALONE, 3);
	struct turn *turn = stage_turn(NULL);
	char *models = models_of(turn, "a", false);
	cr_expect_str_eq(models, "groq/llama failed: the key is wrong;extractive answered;");
	free(models);
	close_chain(turn);
}

Test(models, are_stopped_when_the_attempt_that_asked_is_over)
{
	play_with(waits);
	open_chain(WITH_TIMEOUT, 0);
	struct turn *turn = stage_turn(NULL);
	cr_expect_null(turn_error(turn));
	cr_expect_eq(stage_int(turn, "f0"), -1);
	cr_expect_eq(remote.cancelled, 1);
	cr_expect_eq(back.calls, 1);
	cr_expect_not_null(strstr(back.err.text, "the run is over"));
	expect_models(turn, "a", "groq/llama stopped: nobody could wait for it any more;");
	close_chain(turn);
}

Test(models, are_stopped_when_the_turn_is_given_up)
{
	struct ending ending;
	play_with(waits);
	open_chain(ALONE, 0);
	struct turn *turn = stage_start(NULL, &ending);
	stage_spin();
	cr_expect_eq(remote.asked, 1);
	turn_free(turn);
	cr_expect_eq(remote.cancelled, 1);
	cr_expect_eq(back.calls, 1);
	close_chain(NULL);
}

Test(models, are_stopped_when_the_server_stops)
{
	struct ending ending;
	play_with(waits);
	open_chain(ALONE, 0);
	struct turn *turn = stage_start(NULL, &ending);
	stage_spin();
	engine_stop(stage.engine);
	cr_expect_eq(remote.cancelled, 1);
	stage_until_over(&ending);
	close_chain(turn);
}

Test(hurry, makes_what_was_said_the_answer)
{
	struct ending ending;
	play_with((struct model_step){.waits = true, .says = "As far as"});
	open_chain(ALONE, 0);
	struct turn *turn = stage_start(NULL, &ending);
	stage_spin();
	turn_hurry(turn);
	turn_hurry(turn);
	stage_until_over(&ending);
	cr_expect_null(turn_error(turn));
	cr_expect_str_eq(back.answers, "groq/llama: As far as|");
	cr_expect_eq(remote.cancelled, 1);
	struct ss_value *trace = turn_trace(turn);
	const struct ss_value *models = value_get(stage_entry(trace, "a"), "models");
	cr_expect(value_as_bool(value_get(value_at(models, 0), "cut")));
	value_unref(trace);
	close_chain(turn);
}

Test(hurry, asks_the_last_model_alone_from_then_on)
{
	struct ending ending;
	play_with(waits);
	open_chain(TWO, 0);
	stage_play("b", generate);
	struct turn *turn = stage_start(NULL, &ending);
	stage_spin();
	turn_hurry(turn);
	stage_until_over(&ending);
	cr_expect_null(turn_error(turn));
	cr_expect_str_eq(
		back.answers, "extractive: as the article says|extractive: as the article says|");
	cr_expect_eq(remote.asked, 1);
	expect_models(turn, "a",
		"groq/llama stopped: nobody could wait for it any more;extractive answered;");
	close_chain(turn);
}

Test(hurry, reaches_the_workflows_that_are_nodes)
{
	static const char inner[] = "version: 1\nname: inner\nstate: {f0: {type: int}}\n" ALONE;
	struct ending ending;
	char *folder = scratch_new();
	char *file = scratch_file(folder, "inner.yaml", inner, sizeof inner - 1);
	char *yaml = memory_format("nodes: {w: {workflow: %s, output: {f0: f0}}}\n"
				   "edges: [{from: START, to: w}, {from: w, to: END}]\n",
		file);
	play_with(waits);
	open_chain(yaml, 0);
	struct turn *turn = stage_start(NULL, &ending);
	stage_spin();
	cr_expect_eq(remote.asked, 1);
	turn_hurry(turn);
	stage_until_over(&ending);
	cr_expect_null(turn_error(turn));
	cr_expect_str_eq(back.answers, "extractive: as the article says|");
	cr_expect_eq(remote.cancelled, 1);
	close_chain(turn);
	scratch_remove(folder);
	free(yaml);
	free(file);
}

static void on_over(void *context, struct turn *turn)
{
	(void)turn;
	++*(int *)context;
}

/* Whoever is shown the first piece goes at once, while the model's generate() is still at it. */
static void hurry_at_once(void *context, struct turn *turn, const struct ss_value *event)
{
	(void)context;
	(void)event;
	turn_hurry(turn);
}

Test(hurry, may_come_with_the_first_piece)
{
	int over = 0;
	struct ss_error err = {0};
	play_with((struct model_step){.waits = true, .says = "As far"});
	open_chain("nodes: {q: {agent: puppet}}\n"
		   "edges: [{from: START, to: q}, {from: q, to: END}]\n",
		0);
	const struct turn_options options = {.log = &stage.log,
		.over = on_over,
		.event = hurry_at_once,
		.events = TURN_TOKEN,
		.context = &over};
	stage_play("q", ask_silently);
	struct turn *turn = turn_start(stage.engine, &options, &err);
	while (over == 0)
		stage_spin();
	cr_expect_str_eq(back.answers, "groq/llama: As far|");
	close_chain(turn);
}

Test(hurry, is_nothing_to_a_turn_that_is_over)
{
	play_with((struct model_step){.text = "done"});
	open_chain(ALONE, 0);
	struct turn *turn = stage_turn(NULL);
	turn_hurry(turn);
	stage_spin();
	cr_expect_eq(turn_status(turn), TURN_DONE);
	close_chain(turn);
}

static struct buffer told;

static void on_token(void *context, struct turn *turn, const struct ss_value *event)
{
	(void)context;
	(void)turn;
	buffer_add_format(&told, "<%d %s>", (int)value_as_int(value_get(event, "try")),
		value_as_string(value_get(event, "text"), NULL));
}

Test(pieces, are_told_with_the_number_of_the_models_attempt)
{
	int over = 0;
	struct ss_error err = {0};
	play_with((struct model_step){
		.status = SS_UNAVAILABLE, .text = "reset in mid-stream", .says = "half"});
	open_chain(ALONE, 0);
	local.steps[0].says = "as the";
	const struct turn_options options = {.log = &stage.log,
		.over = on_over,
		.event = on_token,
		.events = TURN_TOKEN,
		.context = &over};
	struct turn *turn = turn_start(stage.engine, &options, &err);
	while (over == 0)
		stage_spin();
	cr_expect_str_eq(buffer_text(&told), "<0 Hello. ><1 half><2 half><3 as the><0  Bye.>");
	buffer_free(&told);
	close_chain(turn);
}
