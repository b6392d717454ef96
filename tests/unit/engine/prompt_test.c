/* What agents make of their prompts, and what they say themselves while they run. */
#include "stage.h"

#include "support/scratch.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *folder;
static char rendered[128];
static struct ss_error why;

static void begin(void)
{
	static const char prompt[] = "{{f20}} of {{given}}{{#f24}}, {{.}}{{/f24}}\n";
	folder = scratch_new();
	free(scratch_file(folder, "p.md", prompt, sizeof prompt - 1));
}

static void end(void)
{
	scratch_remove(folder);
}

TestSuite(prompts, .init = begin, .fini = end);

/* One node, whose AGENT has the prompt, with MORE behind it. */
static void open_with_prompt(const char *agent, const char *more)
{
	char yaml[512];
	(void)snprintf(yaml, sizeof yaml,
		"nodes: {a: {agent: %s, options: {prompt: %s/p.md}%s}}\n"
		"edges: [{from: START, to: a}, {from: a, to: END}]\n",
		agent, folder, more);
	stage_open(yaml);
}

static enum ss_result render(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	struct ss_text text = {0};
	(void)err;
	if (actor->host->render(run, PUPPET_PROMPT, &text, &why) == 0)
		(void)snprintf(rendered, sizeof rendered, "%s|%zu", text.data, text.length);
	return SS_DONE;
}

static void expect_rendered(const char *input, const char *expected)
{
	struct ending ending;
	stage_play("a", render);
	struct turn *turn = stage_start(input, &ending);
	stage_until_over(&ending);
	cr_expect_null(turn_error(turn));
	cr_expect_str_eq(rendered, expected, "%s %s", rendered, why.text);
	turn_free(turn);
	stage_close();
}

Test(prompts, are_filled_with_the_state_that_the_run_sees)
{
	open_with_prompt("puppet_0", "");
	expect_rendered("{\"f20\": \"<one>\", \"given\": 7, \"f24\": [1, \"b\"]}",
		"&lt;one> of 7, 1, b|19");
}

Test(prompts, are_filled_with_the_item_of_a_copy)
{
	open_with_prompt("puppet_0", ", fields: {f0: sum}, send: {over: '[8]', as: given}");
	expect_rendered("{\"f20\": \"x\", \"given\": 7}", "x of 8|6");
}

Test(prompts, are_there_for_agents_that_block)
{
	open_with_prompt("blocker_0", "");
	expect_rendered("{\"f20\": \"x\", \"given\": 7}", "x of 7|6");
}

Test(prompts, that_are_not_given_are_an_error_to_the_agent)
{
	stage_open("nodes: {a: {agent: puppet_0}}\n"
		   "edges: [{from: START, to: a}, {from: a, to: END}]\n");
	expect_rendered(NULL, "");
	cr_expect_eq(why.status, SS_NOT_FOUND);
}

/* What was told as tokens. */
static char told[128];

static void note_event(void *context, struct turn *turn, const struct ss_value *event)
{
	(void)context;
	(void)turn;
	(void)snprintf(told + strlen(told), sizeof told - strlen(told), "<%s>",
		value_as_string(value_get(event, "text"), NULL));
}

static void note_over(void *context, struct turn *turn)
{
	struct ending *ending = context;
	ending->turn = turn;
	ending->calls++;
}

static enum ss_result speak(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	(void)err;
	actor->host->emit(run, (struct ss_text){"Hello", 5});
	actor->host->emit(run, (struct ss_text){"", 0});
	actor->host->emit(run, (struct ss_text){" you", 4});
	return SS_DONE;
}

static enum ss_result speak_later(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	(void)speak(actor, run, err);
	return stage_wait(actor, run, err);
}

static void expect_told(stage_act *act, const char *yaml, const char *expected)
{
	struct ending ending = {0};
	const struct turn_options options = {.log = &stage.log,
		.over = note_over,
		.event = note_event,
		.events = TURN_TOKEN,
		.context = &ending};
	stage_open(yaml);
	stage_play("a", act);
	struct turn *turn = turn_start(stage.engine, &options, &why);
	cr_assert_not_null(turn, "%s", why.text);
	stage_until_over(&ending);
	cr_expect_str_eq(told, expected);
	turn_free(turn);
}

Test(emit, tells_what_an_agent_says_as_tokens)
{
	expect_told(speak,
		"nodes: {a: {agent: puppet}}\n"
		"edges: [{from: START, to: a}, {from: a, to: END}]\n",
		"<Hello>< you>");
	stage_close();
}

Test(emit, tells_nothing_of_a_run_that_is_over)
{
	expect_told(speak_later,
		"nodes: {a: {agent: puppet, timeout: 5ms, on_error: {set: {f0: -1}}}}\n"
		"edges: [{from: START, to: a}, {from: a, to: END}]\n",
		"<Hello>< you>");
	struct waiting late = stage_take("a");
	late.actor->host->emit(late.run, (struct ss_text){"late", 4});
	cr_expect_str_eq(told, "<Hello>< you>");
	late.actor->host->finish(late.run, SS_DONE, NULL);
	stage_close();
}
