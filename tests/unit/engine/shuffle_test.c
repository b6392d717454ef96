/*
 * Random workflows of all kinds of edges, with loops, joins that may not complete, fan-outs, failures and
 * retries, in which everything that happens side by side is finished in random order: one final state and
 * one trace for each workflow. What the nodes write tells what they have seen. The seeds are fixed, so a
 * failure can be seen again.
 */
#include "stage.h"

#include "base/memory.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { WORKFLOWS = 1200, ORDERS = 8, NODES = 10 };

static uint64_t randomness;

/* xorshift64* (Vigna 2016). */
static size_t below(size_t limit)
{
	randomness ^= randomness >> 12;
	randomness ^= randomness << 25;
	randomness ^= randomness >> 27;
	return (size_t)((randomness * UINT64_C(2685821657736338717)) >> 33) % limit;
}

static void add_node(struct buffer *yaml, size_t node)
{
	buffer_add_format(yaml,
		"  n%zu: {agent: assign, options: {set: {list: '[[%zu, sum, size(list), "
		"f0]]', sum: '%zu', most: sum}",
		node, node, node + 1);
	if (below(2) == 0)
		buffer_add_string(yaml, ", delay: 1ms");
	switch (below(6)) {
	case 0:
		buffer_add_string(yaml, "}, send: {over: '[3, 1, 2]', as: f0, limit: 2}}\n");
		break;
	case 1:
		buffer_add_string(
			yaml, ", fail: '\"no\"', fail_times: 1}, retry: {attempts: 2}}\n");
		break;
	case 2:
		buffer_add_format(yaml,
			", fail: 'sum %% 2 == 0 ? \"odd\" : \"\"'}, on_error: {set: "
			"{sum: 100}}}\n");
		break;
	default:
		buffer_add_string(yaml, "}}\n");
	}
}

/* A node that comes later, or END. */
static void add_later(struct buffer *yaml, size_t node, size_t count)
{
	size_t later = node + 1 + below(count - node + 1);
	if (later < count)
		buffer_add_format(yaml, "n%zu", later);
	else
		buffer_add_string(yaml, "END");
}

static void add_exit(struct buffer *yaml, size_t node, size_t count)
{
	buffer_add_format(yaml, "  - {from: n%zu, ", node);
	switch (below(4)) {
	case 0:
		buffer_add_string(yaml, "choose: [{when: sum % 3 == 1, to: ");
		add_later(yaml, node, count);
		buffer_add_string(yaml, "}, {when: size(list) > 5, to: ");
		add_later(yaml, node, count);
		buffer_add_string(yaml, "}, {else: ");
		add_later(yaml, node, count);
		buffer_add_string(yaml, "}]}\n");
		break;
	case 1:
		buffer_add_format(yaml,
			"choose: [{when: size(list) < %zu, to: n%zu}, {else: ", 2 + below(6),
			below(node + 1));
		add_later(yaml, node, count);
		buffer_add_string(yaml, "}]}\n");
		break;
	default:
		buffer_add_string(yaml, "to: ");
		add_later(yaml, node, count);
		buffer_add_string(yaml, "}\n");
	}
}

/* Two or three nodes before TO, which it waits for or follows each. */
static void add_meeting(struct buffer *yaml, size_t to)
{
	bool used[NODES] = {false};
	size_t count = 2 + below(2);
	buffer_add_string(yaml, "  - {from: [");
	for (size_t i = 0, added = 0; i < count; i++) {
		size_t node = below(to);
		if (used[node])
			continue;
		used[node] = true;
		buffer_add_format(yaml, "%sn%zu", added++ > 0 ? ", " : "", node);
	}
	buffer_add_format(yaml, "], %sto: n%zu}\n", below(4) == 0 ? "any: true, " : "", to);
}

static char *make_workflow(void)
{
	struct buffer yaml = {0};
	size_t count = 3 + below(NODES - 2);
	buffer_add_string(&yaml, "timeout: 1h\nmax_steps: 400\nnodes:\n");
	for (size_t i = 0; i < count; i++)
		add_node(&yaml, i);
	buffer_add_string(&yaml, "edges:\n  - {from: START, to: [n0");
	for (size_t i = 1; i < count; i++) {
		if (below(3) == 0)
			buffer_add_format(&yaml, ", n%zu", i);
	}
	buffer_add_string(&yaml, "]}\n");
	for (size_t i = 0; i < count; i++)
		add_exit(&yaml, i, count);
	for (size_t i = 2; i < count; i++) {
		if (below(2) == 0)
			add_meeting(&yaml, i);
	}
	return buffer_take(&yaml);
}

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

Test(shuffle, changes_nothing)
{
	size_t checked = 0, loaded = 0;
	for (uint64_t seed = 1; seed <= WORKFLOWS; seed++) {
		randomness = seed * UINT64_C(0x9e3779b97f4a7c15);
		char *yaml = make_workflow();
		if (stage_load(yaml)) {
			loaded++;
			checked += check(yaml);
		}
		stage.engine = NULL;
		free(yaml);
		stage_close();
	}
	cr_expect_gt(loaded, (size_t)WORKFLOWS / 8, "only %zu load", loaded);
	cr_expect_gt(checked, loaded / 2, "only %zu of %zu end", checked, loaded);
}
