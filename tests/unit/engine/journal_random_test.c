/* Random workflows that are cut off again and again, and end as if they had not been. */
#include "keeper.h"
#include "workflows.h"

#include "base/memory.h"
#include "engine/history.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* The state and the trace of TURN as JSON, but for what was restored. */
static char *outcome(struct turn *turn)
{
	static const char mark[] = "\"restored\":true,";
	struct ss_value *both =
		value_map_make({"state", turn_state(turn)}, {"trace", turn_trace(turn)});
	char *text = json_text(both);
	for (char *at = text; (at = strstr(at, mark)) != NULL;)
		memmove(at, at + strlen(mark), strlen(at + strlen(mark)) + 1);
	value_unref(both);
	return text;
}

/* Plays the stage's workflow, whose process is gone after each WRITES writes until it is done. */
static char *play_cut_off(const char *id, size_t writes, uint64_t shuffle)
{
	struct ending ending;
	struct record *record = NULL;
	for (;;) {
		stage.options.shuffle = shuffle++;
		keeper.writes_left = writes;
		stage_begin();
		struct turn *turn = record == NULL ? keeper_start(id, NULL, &ending)
						   : keeper_go_on(record, false, &ending);
		stage_until_over(&ending);
		record_unref(record);
		bool over = strcmp(keeper_status(id), "done") == 0;
		char *text = over ? outcome(turn) : NULL;
		turn_free(turn);
		stage_close_engine();
		if (over)
			return text;
		keeper_release(id);
		record = keeper_fetch(id, true);
	}
}

/* No entry says twice what something came to. */
static void expect_each_once(const char *id, const char *yaml)
{
	cr_expect_not(keeper_has_twice(id), "ran twice in:\n%s", yaml);
}

/* RECORD's turn as far as it is known. */
static struct turn *look(struct record *record)
{
	struct ending ending;
	struct turn *turn = keeper_go_on(record, true, &ending);
	stage_until_over(&ending);
	return turn;
}

/* The state of the turn ID at CHECKPOINT as JSON; NULL when there is none. */
static char *state_at(const char *id, size_t checkpoint)
{
	size_t count = 0;
	struct ss_error err;
	struct record *record = keeper_fetch(id, false);
	struct turn *whole = look(record);
	struct ss_value *trace = turn_trace(whole);
	uint64_t *tasks = history_tasks(trace, checkpoint, &count, &err);
	char *text = NULL;
	if (tasks != NULL) {
		struct record *cut = record_cut(record, tasks, count);
		struct turn *turn = look(cut);
		struct ss_value *state = turn_state(turn);
		text = json_text(state);
		value_unref(state);
		turn_free(turn);
		record_unref(cut);
	}
	free(tasks);
	value_unref(trace);
	turn_free(whole);
	record_unref(record);
	return text;
}

/* Both turns have the same checkpoints. */
static void expect_same_history(const char *a, const char *b, const char *yaml)
{
	stage.options.shuffle = 7;
	stage_begin();
	bool more = true;
	for (size_t checkpoint = 0; more; checkpoint = checkpoint * 2 + 1) {
		char *left = state_at(a, checkpoint);
		char *right = state_at(b, checkpoint);
		more = left != NULL;
		cr_assert_eq(left == NULL, right == NULL);
		cr_assert(left == NULL || strcmp(left, right) == 0, "at %zu:\n%s\n%s\n%s",
			checkpoint, yaml, left, right);
		free(left);
		free(right);
	}
	stage_close_engine();
}

static bool check(const char *yaml)
{
	struct ending ending;
	stage.options.store = NULL;
	stage.options.shuffle = 1;
	stage_begin();
	struct turn *turn = stage_start(NULL, &ending);
	stage_until_over(&ending);
	bool ends = turn_error(turn) == NULL;
	char *expected = ends ? outcome(turn) : NULL;
	turn_free(turn);
	stage_close_engine();
	keeper_open();
	for (size_t writes = 2; ends && writes < 30; writes = writes * 2 + 1) {
		char id[32];
		(void)snprintf(id, sizeof id, "t%zu", writes);
		char *again = play_cut_off(id, writes, writes);
		cr_assert_str_eq(again, expected, "cut off after %zu writes:\n%s", writes, yaml);
		expect_each_once(id, yaml);
		free(again);
		if (writes > 2)
			expect_same_history("t2", id, yaml);
	}
	keeper_close();
	free(expected);
	return ends;
}

/* Of the workflows that FIRST and every second seed after it make. */
static void check_every_second(uint64_t first)
{
#ifdef __SANITIZE_THREAD__
	enum { WORKFLOWS = 120 }; /* as in shuffle_test.c */
#else
	enum { WORKFLOWS = 250 };
#endif
	size_t checked = 0;
	for (uint64_t seed = first; seed <= WORKFLOWS; seed += 2) {
		char *nodes = workflow_random(seed);
		char *yaml = memory_format("durability: node\n%s", nodes);
		if (stage_load(yaml))
			checked += check(yaml);
		stage.engine = NULL;
		free(yaml);
		free(nodes);
		stage_close();
	}
	cr_expect_gt(checked, (size_t)WORKFLOWS / 40, "only %zu", checked);
}

/* They are the longest tests of this program, so there are two of them, which run side by side. */
Test(journal, brings_random_workflows_back_wherever_they_are_cut_off, .timeout = 300)
{
	check_every_second(1);
}

Test(journal, brings_other_random_workflows_back_wherever_they_are_cut_off, .timeout = 300)
{
	check_every_second(2);
}
