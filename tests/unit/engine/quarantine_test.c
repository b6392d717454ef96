/* Nodes over which workers died. */
#include "stage.h"

#include "base/calls.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct calls *calls;

static void set_up(void)
{
	calls = calls_new();
	calls_adopt(calls_take(calls, false));
}

static void tear_down(void)
{
	calls_adopt(NULL);
	calls_free(calls);
}

TestSuite(quarantine, .init = set_up, .fini = tear_down);

#define ALONE                                                                                      \
	"nodes: {a: {agent: puppet, retry: {attempts: 3, on: [unavailable, timeout, limit, "       \
	"internal]}}}\n"                                                                           \
	"edges: [{from: START, to: a}, {from: a, to: END}]\n"

#define WITH_FALLBACK                                                                              \
	"nodes: {a: {agent: puppet, on_error: {set: {f0: -1}}}}\n"                                 \
	"edges: [{from: START, to: a}, {from: a, to: END}]\n"

#define BLOCKS                                                                                     \
	"nodes: {a: {agent: blocker_0, on_error: {set: {f0: -1}}}}\n"                              \
	"edges: [{from: START, to: a}, {from: a, to: END}]\n"

static const struct call_site *called;

static enum ss_result look(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	(void)actor;
	(void)run;
	(void)err;
	called = call_current();
	return SS_DONE;
}

/* Plays a turn, in which the node is called, and lets two workers die over it. */
static void play_and_die(void)
{
	stage_play("a", look);
	turn_free(stage_turn(NULL));
	cr_assert_not_null(called);
	cr_expect_str_eq(called->name.node, "a");
	cr_expect_null(call_current());
	(void)calls_count(calls, called);
	(void)calls_count(calls, called);
	called = NULL;
}

Test(quarantine, a_node_is_not_called_and_not_tried_again)
{
	stage_open(ALONE);
	play_and_die();
	struct turn *turn = stage_turn(NULL);
	cr_assert_eq(turn_status(turn), TURN_FAILED);
	cr_expect_eq(turn_error(turn)->status, SS_QUARANTINED);
	cr_expect(strstr(turn_error(turn)->text, "the node a (agent puppet): is in quarantine"));
	cr_expect_null(called);
	turn_free(turn);
	char *logged = stage_logged();
	cr_expect_null(strstr(logged, "tried again"));
	free(logged);
	stage_close();
}

Test(quarantine, its_on_error_takes_its_place)
{
	stage_open(WITH_FALLBACK);
	play_and_die();
	struct turn *turn = stage_turn(NULL);
	cr_assert_eq(turn_status(turn), TURN_DONE);
	cr_expect_eq(stage_int(turn, "f0"), -1);
	cr_expect_null(called);
	turn_free(turn);
	stage_close();
}

Test(quarantine, an_agent_on_another_thread_is_not_called_either)
{
	stage_open(BLOCKS);
	play_and_die();
	struct turn *turn = stage_turn(NULL);
	cr_expect_eq(stage_int(turn, "f0"), -1);
	cr_expect_null(called);
	turn_free(turn);
	stage_close();
}

Test(quarantine, its_agent_is_not_even_made_in_a_worker_that_comes_later)
{
	stage_open(WITH_FALLBACK);
	play_and_die();
	stage_close();
	calls_adopt(calls_take(calls, false));
	stage_open(WITH_FALLBACK);
	cr_expect_eq(stage.actors, 0);
	struct turn *turn = stage_turn(NULL);
	cr_expect_eq(stage_int(turn, "f0"), -1);
	turn_free(turn);
	stage_close();
}

Test(quarantine, another_workflow_begins_anew)
{
	stage_open(ALONE);
	play_and_die();
	stage_close();
	stage_open(WITH_FALLBACK);
	stage_play("a", look);
	turn_free(stage_turn(NULL));
	cr_expect_not_null(called);
	stage_close();
}
