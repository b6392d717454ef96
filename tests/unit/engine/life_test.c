/* Who outlives whom: runs that are finished twice, within run(), late or never, and turns that are freed
 * before they are over. */
#include "stage.h"

#include "service/later.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#define TWO                                                                                        \
	"nodes: {a: {agent: puppet}, b: {agent: puppet}}\n"                                        \
	"edges: [{from: START, to: a}, {from: a, to: b}, {from: b, to: END}]\n"

#define SIDE_BY_SIDE                                                                               \
	"nodes: {a: {agent: puppet_0}, b: {agent: puppet_1}, c: {agent: puppet}}\n"                \
	"edges: [{from: START, to: [a, b]}, {from: [a, b], to: c}, {from: c, to: END}]\n"

Test(finish, counts_once)
{
	struct ending ending;
	stage_open(TWO);
	stage_play("a", stage_wait);
	struct turn *turn = stage_start(NULL, &ending);
	stage_await(1);
	struct waiting waiting = stage_take("a");
	cr_expect_eq(actor_write(waiting.actor, waiting.run, 0, 1, NULL), 0);
	waiting.actor->host->finish(waiting.run, SS_DONE, NULL);
	waiting.actor->host->finish(waiting.run, SS_FAILED, NULL);
	waiting.actor->host->finish(waiting.run, SS_DONE, NULL);
	stage_until_over(&ending);
	cr_expect_null(turn_error(turn));
	cr_expect_eq(stage_int(turn, "f0"), 1);
	cr_expect_str_eq(buffer_text(&stage.played), "a b");
	waiting.actor->host->finish(waiting.run, SS_DONE, NULL);
	turn_free(turn);
	stage_close();
}

/* Finishes within run(), and goes on using the run. */
static enum ss_result finish_inside(struct actor *actor, struct ss_run *run, enum ss_result result)
{
	char *memory = actor->host->allocate(run, 32);
	(void)actor_write(actor, run, 0, 1, NULL);
	actor->host->finish(run, SS_DONE, NULL);
	memset(memory, 1, 32);
	cr_expect_eq(actor->values->type(actor->host->read(run, 0)), SS_INT);
	cr_expect_eq(actor_write(actor, run, 0, 2, NULL), -1);
	return result;
}

static enum ss_result finish_and_wait(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	(void)err;
	return finish_inside(actor, run, SS_PENDING);
}

static enum ss_result finish_and_be_done(
	struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	(void)err;
	return finish_inside(actor, run, SS_DONE);
}

static enum ss_result finish_and_fail(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	(void)err;
	return finish_inside(actor, run, SS_FAILED);
}

Test(finish, may_come_within_run)
{
	static stage_act *const acts[] = {finish_and_wait, finish_and_be_done, finish_and_fail};
	for (size_t i = 0; i < 3; i++) {
		stage_open(TWO);
		stage_play("a", acts[i]);
		stage_play("b", acts[i]);
		struct turn *turn = stage_turn(NULL);
		cr_expect_null(turn_error(turn));
		cr_expect_eq(stage_int(turn, "f0"), 1);
		cr_expect_str_eq(buffer_text(&stage.played), "a b");
		turn_free(turn);
		stage_close();
	}
}

static enum ss_result finish_badly(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	(void)err;
	struct ss_error why = {.status = SS_UNAVAILABLE, .text = "no"};
	actor->host->finish(run, SS_FAILED, &why);
	return SS_PENDING;
}

Test(finish, may_end_the_turn_within_run)
{
	stage_open(TWO);
	stage_play("a", finish_badly);
	struct turn *turn = stage_turn(NULL);
	cr_expect_str_eq(turn_error(turn)->text, "the node a (agent puppet): no");
	turn_free(turn);
	stage_close();
}

/* Makes the run beside it fail, and with it the turn that it runs in itself. */
static enum ss_result fail_the_other(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	(void)actor_write(actor, run, 0, 1, NULL);
	stage_finish("a", "brought down by b");
	cr_expect_eq(actor_write(actor, run, 0, 2, NULL), -1);
	return stage_wait(actor, run, err);
}

Test(finish, of_another_run_may_end_the_turn_within_run)
{
	stage_open(SIDE_BY_SIDE);
	stage_play("a", stage_wait);
	stage_play("b", fail_the_other);
	struct turn *turn = stage_turn(NULL);
	cr_expect_str_eq(turn_error(turn)->text, "the node a (agent puppet_0): brought down by b");
	cr_expect_eq(stage_int(turn, "f0"), 0);
	turn_free(turn);
	stage_finish("b", NULL);
	stage_close();
}

static enum ss_result finish_the_other(
	struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	(void)actor;
	(void)run;
	(void)err;
	stage_finish("a", NULL);
	return SS_DONE;
}

Test(finish, of_another_run_may_come_within_run)
{
	stage_open(SIDE_BY_SIDE);
	stage_play("a", stage_wait);
	stage_play("b", finish_the_other);
	struct turn *turn = stage_turn(NULL);
	cr_expect_null(turn_error(turn));
	cr_expect_str_eq(buffer_text(&stage.played), "a b c");
	turn_free(turn);
	stage_close();
}

/* Finishes a run that waits, of whichever turn. */
static enum ss_result finish_any(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	(void)actor;
	(void)run;
	(void)err;
	if (stage.waiting_count > 0) {
		struct waiting waiting = stage.waiting[--stage.waiting_count];
		waiting.actor->host->finish(waiting.run, SS_DONE, NULL);
	}
	return SS_DONE;
}

/* Each turn's second node finishes another turn's first one: within each other these would be as many
 * frames as there are turns. */
Test(finish, of_other_turns_runs_makes_no_deep_stack)
{
	enum { TURNS = 20000 };
	static struct ending endings[TURNS];
	stage_open("timeout: 1h\n" TWO);
	stage_play("a", stage_wait);
	stage_play("b", finish_any);
	for (int i = 0; i < TURNS; i++)
		(void)stage_start(NULL, &endings[i]);
	stage_await(TURNS);
	(void)finish_any(NULL, NULL, NULL);
	for (int i = 0; i < TURNS; i++) {
		stage_until_over(&endings[i]);
		cr_expect_null(turn_error(endings[i].turn));
		turn_free(endings[i].turn);
	}
	stage_close();
}

Test(turn, may_be_freed_while_its_nodes_run)
{
	struct ending ending;
	stage_open(SIDE_BY_SIDE);
	stage_play("a", stage_wait);
	stage_play("b", stage_wait);
	struct turn *turn = stage_start(NULL, &ending);
	stage_await(2);
	turn_free(turn);
	stage_spin();
	cr_expect_eq(ending.calls, 0);
	struct waiting late = stage_take("a");
	struct ss_error err = {0};
	cr_expect_eq(actor_write(late.actor, late.run, 0, 1, &err), -1);
	cr_expect_eq(
		late.actor->host->embed(late.run, &(struct ss_text){"x", 1}, 1, NULL, &err), -1);
	cr_expect_not_null(strstr(err.text, "the run is over"));
	late.actor->host->finish(late.run, SS_DONE, NULL);
	stage_finish("b", NULL);
	stage_spin();
	cr_expect_str_eq(buffer_text(&stage.played), "a b");
	stage_close();
}

Test(turn, may_be_freed_when_it_is_over_and_was_not_told_yet)
{
	struct ending ending;
	stage_open(TWO);
	struct turn *turn = stage_start(NULL, &ending);
	turn_free(turn);
	turn_free(NULL);
	stage_spin();
	cr_expect_eq(ending.calls, 0);
	stage_close();
}

Test(turn, may_be_freed_while_it_waits_for_the_loops_next_round)
{
	struct ending ending;
	stage_open("max_steps: 1000000\n"
		   "nodes: {a: {agent: puppet}}\n"
		   "edges:\n"
		   "  - {from: START, to: a}\n"
		   "  - {from: a, choose: [{when: f0 == 0, to: a}, {else: END}]}\n");
	struct turn *turn = stage_start(NULL, &ending);
	turn_free(turn);
	stage_spin();
	cr_expect_eq(ending.calls, 0);
	turn = stage_start(NULL, &ending);
	turn_free(turn);
	stage_close();
}

static void free_it(void *context, struct turn *turn)
{
	*(int *)context += 1;
	turn_free(turn);
}

Test(turn, may_be_freed_by_its_own_over_call)
{
	int calls = 0;
	struct ss_error err = {0};
	struct ss_value *input = value_map(NULL, NULL, 0);
	const struct turn_options options = {
		.input = input, .log = &stage.log, .over = free_it, .context = &calls};
	stage_open(SIDE_BY_SIDE);
	stage_play("a", stage_wait);
	cr_assert_not_null(turn_start(stage.engine, &options, &err));
	stage_await(1);
	stage_finish("a", "no");
	stage_spin();
	cr_expect_eq(calls, 1);
	value_unref(input);
	stage_close();
}

Test(engine, stops_all_turns_and_tells_their_owners)
{
	struct ending endings[3];
	struct turn *turns[3];
	struct ss_error err = {0};
	stage_open(SIDE_BY_SIDE);
	stage_play("a", stage_wait);
	for (int i = 0; i < 3; i++)
		turns[i] = stage_start(NULL, &endings[i]);
	stage_await(3);
	engine_stop(stage.engine);
	engine_stop(stage.engine);
	engine_stop(NULL);
	for (int i = 0; i < 3; i++) {
		stage_until_over(&endings[i]);
		cr_expect_eq(turn_error(turns[i])->status, SS_UNAVAILABLE);
		cr_expect_str_eq(turn_error(turns[i])->text, "the server is stopping");
		turn_free(turns[i]);
		stage_finish("a", NULL);
	}
	const struct turn_options options = {.log = &stage.log};
	cr_expect_null(turn_start(stage.engine, &options, &err));
	cr_expect_eq(err.status, SS_UNAVAILABLE);
	stage_close();
}

Test(engine, frees_runs_that_were_never_finished_and_says_whose_they_are)
{
	struct ending ending;
	stage_open(SIDE_BY_SIDE);
	stage_play("a", stage_wait);
	stage_play("b", stage_wait);
	struct turn *turn = stage_start(NULL, &ending);
	stage_await(2);
	stage_finish("b", "no");
	stage_until_over(&ending);
	turn_free(turn);
	(void)stage_take("a");
	stage_close_engine();
	char *logged = stage_logged();
	cr_expect_not_null(strstr(logged, "the agent puppet_0 never finished a run of the node a"));
	cr_expect_null(strstr(logged, "of the node b"));
	free(logged);
	stage_close();
}

Test(engine, frees_what_is_finished_after_its_turn_was_given_up)
{
	struct ending ending;
	stage_open(TWO);
	stage_play("a", stage_wait);
	struct turn *turn = stage_start(NULL, &ending);
	stage_await(1);
	turn_free(turn);
	struct waiting late = stage_take("a");
	late.actor->host->finish(late.run, SS_FAILED, NULL);
	stage_close();
}
