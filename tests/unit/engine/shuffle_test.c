/*
 * Random workflows in which everything that happens side by side is finished in random order: one final state
 * and one trace for each workflow. The seeds are fixed, so a failure can be seen again.
 */
#include "stage.h"
#include "workflows.h"

#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#ifdef __SANITIZE_THREAD__
/* A race shows in few, which take many times as long. */
enum { WORKFLOWS = 200, ORDERS = 8 };
#else
enum { WORKFLOWS = 1200, ORDERS = 8 };
#endif

/* The state and the trace that a turn ends with, as JSON; NULL when it was ended by a limit. */
static char *play(uint64_t shuffle)
{
	struct ending ending;
	stage.options.shuffle = shuffle;
	stage_begin();
	struct turn *turn = stage_start(NULL, &ending);
	stage_until_over(&ending);
	char *text = NULL;
	if (turn_error(turn) == NULL || turn_error(turn)->status != SS_LIMIT) {
		cr_assert_null(turn_error(turn), "%s", turn_error(turn)->text);
		struct ss_value *both =
			value_map_make({"state", turn_state(turn)}, {"trace", turn_trace(turn)});
		text = json_text(both);
		value_unref(both);
	}
	turn_free(turn);
	stage_close_engine();
	return text;
}

/* Where two texts begin to differ, a little before it. */
static size_t difference(const char *a, const char *b)
{
	size_t at = 0;
	while (a[at] != '\0' && a[at] == b[at])
		at++;
	return at > 300 ? at - 300 : 0;
}

static size_t check(const char *yaml)
{
	char *first = play(1);
	for (uint64_t order = 2; first != NULL && order <= ORDERS; order++) {
		char *again = play(order);
		cr_assert_not_null(again);
		size_t at = difference(first, again);
		cr_assert_str_eq(again, first, "in order %d:\n%s\n%.600s\n%.600s", (int)order, yaml,
			first + at, again + at);
		free(again);
	}
	size_t checked = first != NULL;
	free(first);
	return checked;
}

/* Of the workflows that FIRST and every second seed after it make. */
static void check_every_second(uint64_t first)
{
	size_t checked = 0, loaded = 0;
	for (uint64_t seed = first; seed <= WORKFLOWS; seed += 2) {
		char *yaml = workflow_random(seed);
		if (stage_load(yaml)) {
			loaded++;
			checked += check(yaml);
		}
		stage.engine = NULL;
		free(yaml);
		stage_close();
	}
	cr_expect_gt(loaded, (size_t)WORKFLOWS / 16, "only %zu load", loaded);
	cr_expect_gt(checked, loaded / 2, "only %zu of %zu end", checked, loaded);
}

/* Two tests run side by side. */
Test(shuffle, changes_nothing)
{
	check_every_second(1);
}

Test(shuffle, changes_nothing_in_other_workflows)
{
	check_every_second(2);
}
