/* What runs after what, and what it sees. */
#include "stage.h"

#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static enum ss_result first(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	int64_t given = actor_read(actor, run, PUPPET_READ_ONLY);
	return actor_write(actor, run, 0, given + 1, err) < 0 ? SS_FAILED : SS_DONE;
}

static enum ss_result second(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	int64_t before = actor_read(actor, run, 0);
	return actor_write(actor, run, 1, before * 10, err) < 0 ? SS_FAILED : SS_DONE;
}

/* Counts its own runs in f2. */
static enum ss_result count(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	int64_t before = actor_read(actor, run, 2);
	return actor_write(actor, run, 2, before + 1, err) < 0 ? SS_FAILED : SS_DONE;
}

Test(chain, hands_the_state_on)
{
	stage_open("nodes: {a: {agent: puppet}, b: {agent: puppet}, c: {agent: puppet}}\n"
		   "edges:\n"
		   "  - {from: START, to: a}\n"
		   "  - {from: a, to: b}\n"
		   "  - {from: b, to: c}\n"
		   "  - {from: c, to: END}\n");
	stage_play("a", first);
	stage_play("b", second);
	struct turn *turn = stage_turn("{\"given\": 4}");
	cr_expect_null(turn_error(turn));
	cr_expect_eq(stage_int(turn, "f0"), 5);
	cr_expect_eq(stage_int(turn, "f1"), 50);
	cr_expect_eq(stage_int(turn, "given"), 4);
	cr_expect_str_eq(buffer_text(&stage.played), "a b c");
	cr_expect_null(turn_field(turn, "f99"));
	struct ss_value *state = turn_state(turn);
	cr_expect_eq(value_count(state), 31);
	cr_expect_eq(value_as_int(value_get(state, "f1")), 50);
	value_unref(state);
	turn_free(turn);
	stage_close();
}

Test(turn, with_no_node_is_over_at_once_but_not_before_it_was_started)
{
	struct ending ending;
	stage_open("nodes: {a: {agent: puppet}}\n"
		   "edges:\n"
		   "  - {from: START, choose: [{when: given > 0, to: a}, {else: END}]}\n"
		   "  - {from: a, to: END}\n");
	struct turn *turn = stage_start(NULL, &ending);
	cr_expect_eq(ending.calls, 0);
	stage_until_over(&ending);
	cr_expect_null(turn_error(turn));
	cr_expect_eq(stage.played.length, 0);
	turn_free(turn);
	turn = stage_turn("{\"given\": 1}");
	cr_expect_str_eq(buffer_text(&stage.played), "a");
	turn_free(turn);
	stage_close();
}

Test(turn, refuses_what_does_not_fit_the_state)
{
	static const struct {
		const char *key;
		struct ss_value *(*value)(int64_t);
		const char *why;
	} inputs[] = {{"f99", value_int, "the state has no field \"f99\""},
		{"f20", value_int, "the field f20 takes a value of the type string, not int"},
		{"f22", value_int, "the field f22 is from 0 to 1, not 7"}};
	stage_open("nodes: {a: {agent: puppet}}\n"
		   "edges: [{from: START, to: a}, {from: a, to: END}]\n");
	for (size_t i = 0; i < 3; i++) {
		struct ss_error err = {0};
		struct ss_value *input = value_map_make({inputs[i].key, inputs[i].value(7)});
		const struct turn_options options = {.input = input, .log = &stage.log};
		cr_expect_null(turn_start(stage.engine, &options, &err));
		cr_expect_eq(err.status, SS_INVALID);
		cr_expect_str_eq(err.text, inputs[i].why);
		value_unref(input);
	}
	cr_expect_eq(stage.played.length, 0);
	stage_close();
}

#define DIAMOND                                                                                    \
	"nodes: {a: {agent: puppet}, b: {agent: puppet_0}, c: {agent: puppet_1}, d: {agent: "      \
	"puppet}}\n"                                                                               \
	"edges:\n"                                                                                 \
	"  - {from: START, to: a}\n"                                                               \
	"  - {from: a, to: [b, c]}\n"                                                              \
	"  - {from: [b, c], to: d}\n"                                                              \
	"  - {from: d, to: END}\n"

Test(parallel, branches_run_side_by_side_and_join)
{
	struct ending ending;
	stage_open(DIAMOND);
	stage_play("b", stage_wait);
	stage_play("c", stage_wait);
	struct turn *turn = stage_start(NULL, &ending);
	stage_await(2);
	cr_expect_str_eq(buffer_text(&stage.played), "a b c");
	stage_finish("c", NULL);
	stage_spin();
	cr_expect_str_eq(buffer_text(&stage.played), "a b c");
	stage_finish("b", NULL);
	stage_until_over(&ending);
	cr_expect_str_eq(buffer_text(&stage.played), "a b c d");
	turn_free(turn);
	stage_close();
}

/* Writes f0 at once. */
static enum ss_result write_now(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	return actor_write(actor, run, 0, 99, err) < 0 ? SS_FAILED : SS_DONE;
}

/* Copies f0 to f1. */
static enum ss_result copy(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	return actor_write(actor, run, 1, actor_read(actor, run, 0), err) < 0 ? SS_FAILED : SS_DONE;
}

/* Copies f0 to f3. */
static enum ss_result copy_late(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	return actor_write(actor, run, 3, actor_read(actor, run, 0), err) < 0 ? SS_FAILED : SS_DONE;
}

Test(parallel, nodes_see_the_state_as_it_was_when_the_edge_led_to_them)
{
	stage_open(DIAMOND);
	stage_play("b", write_now);
	stage_play("c", copy);
	stage_play("d", copy_late);
	struct turn *turn = stage_turn(NULL);
	cr_expect_eq(stage_int(turn, "f0"), 99);
	cr_expect_eq(stage_int(turn, "f1"), 0, "c saw what b wrote beside it");
	cr_expect_eq(stage_int(turn, "f3"), 99, "d did not see what b wrote before it");
	turn_free(turn);
	stage_close();
}

/* Writes the number of its field, which is the last character of its name. */
static enum ss_result write_own(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	size_t row = (size_t)(actor->name[1] - '0');
	if (actor_write(actor, run, row, (int64_t)row * 11, err) < 0)
		return SS_FAILED;
	return stage_wait(actor, run, err);
}

static enum ss_result sum(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	int64_t all = 0;
	for (size_t i = 1; i <= 4; i++)
		all = all * 100 + actor_read(actor, run, i);
	return actor_write(actor, run, 5, all, err) < 0 ? SS_FAILED : SS_DONE;
}

Test(parallel, nodes_may_finish_in_any_order_with_the_same_outcome)
{
	static const char *const names[] = {"n1", "n2", "n3", "n4"};
	stage_open("nodes: {n1: {agent: puppet_1}, n2: {agent: puppet_2}, n3: {agent: puppet_3},\n"
		   "        n4: {agent: puppet_4}, sum: {agent: puppet}}\n"
		   "edges:\n"
		   "  - {from: START, to: [n1, n2, n3, n4]}\n"
		   "  - {from: [n1, n2, n3, n4], to: sum}\n"
		   "  - {from: sum, to: END}\n");
	for (size_t i = 0; i < 4; i++)
		stage_play(names[i], write_own);
	stage_play("sum", sum);
	for (unsigned order = 0; order < 256; order++) {
		struct ending ending;
		unsigned digits[] = {order & 3, order >> 2 & 3, order >> 4 & 3, order >> 6 & 3};
		if ((1u << digits[0] | 1u << digits[1] | 1u << digits[2] | 1u << digits[3]) != 15)
			continue;
		struct turn *turn = stage_start(NULL, &ending);
		stage_await(4);
		for (size_t i = 0; i < 4; i++)
			stage_finish(names[digits[i]], NULL);
		stage_until_over(&ending);
		cr_expect_eq(stage_int(turn, "f5"), 11223344);
		turn_free(turn);
	}
	stage_close();
}

Test(join, runs_once_for_each_round_of_a_loop)
{
	stage_open("nodes: {a: {agent: puppet}, b: {agent: puppet_0}, c: {agent: puppet_1}, d: "
		   "{agent: puppet}}\n"
		   "edges:\n"
		   "  - {from: START, to: a}\n"
		   "  - {from: a, to: [b, c]}\n"
		   "  - {from: [b, c], to: d}\n"
		   "  - {from: d, choose: [{when: f2 < 3, to: a}, {else: END}]}\n");
	stage_play("d", count);
	struct turn *turn = stage_turn(NULL);
	cr_expect_eq(stage_int(turn, "f2"), 3);
	cr_expect_str_eq(buffer_text(&stage.played), "a b c d a b c d a b c d");
	turn_free(turn);
	stage_close();
}

Test(join, keeps_count_of_a_branch_that_is_a_round_ahead)
{
	struct ending ending;
	stage_open("nodes: {a: {agent: puppet_2}, b: {agent: puppet_1}, d: {agent: puppet_5, "
		   "fields: {f5: sum}}}\n"
		   "edges:\n"
		   "  - {from: START, to: [a, b]}\n"
		   "  - {from: a, choose: [{when: f2 < 2, to: a}, {else: END}]}\n"
		   "  - {from: b, choose: [{when: f1 < 1, to: b}, {else: END}]}\n"
		   "  - {from: [a, b], to: d}\n"
		   "  - {from: d, to: END}\n");
	stage_play("a", count);
	stage_play("b", stage_wait);
	struct turn *turn = stage_start(NULL, &ending);
	stage_spin();
	cr_expect_str_eq(buffer_text(&stage.played), "a b a");
	stage_finish("b", NULL);
	stage_spin();
	cr_expect_str_eq(buffer_text(&stage.played), "a b a b d");
	struct waiting waiting = stage_take("b");
	(void)actor_write(waiting.actor, waiting.run, 1, 1, NULL);
	waiting.actor->host->finish(waiting.run, SS_DONE, NULL);
	stage_until_over(&ending);
	cr_expect_str_eq(buffer_text(&stage.played), "a b a b d d");
	turn_free(turn);
	stage_close();
}

#define MAYBE                                                                                      \
	"nodes: {a: {agent: puppet_0}, b: {agent: puppet_1}, c: {agent: puppet_3}, d: {agent: "    \
	"puppet_2}}\n"                                                                             \
	"edges:\n"                                                                                 \
	"  - {from: START, to: [a, b]}\n"                                                          \
	"  - {from: a, choose: [{when: f0 > 0, to: c}, {else: END}]}\n"                            \
	"  - {from: [b, c], to: d}\n"                                                              \
	"  - {from: d, to: END}\n"

Test(join, whose_missing_parent_cannot_come_any_more_runs_without_it)
{
	struct ending ending;
	stage_open(MAYBE);
	stage_play("a", stage_wait);
	stage_play("d", count);
	struct turn *turn = stage_start(NULL, &ending);
	stage_spin();
	cr_expect_str_eq(buffer_text(&stage.played), "a b", "c may still come");
	stage_finish("a", NULL);
	stage_until_over(&ending);
	cr_expect_null(turn_error(turn));
	cr_expect_str_eq(buffer_text(&stage.played), "a b d");
	cr_expect_eq(stage_int(turn, "f2"), 1);
	turn_free(turn);
	stage_close();
}

Test(join, waits_for_a_parent_that_was_chosen)
{
	struct ending ending;
	stage_open(MAYBE);
	stage_play("a", write_now);
	stage_play("c", stage_wait);
	struct turn *turn = stage_start(NULL, &ending);
	stage_await(1);
	stage_spin();
	cr_expect_str_eq(buffer_text(&stage.played), "a b c");
	stage_finish("c", NULL);
	stage_until_over(&ending);
	cr_expect_str_eq(buffer_text(&stage.played), "a b c d");
	turn_free(turn);
	stage_close();
}

Test(any, leads_on_from_each_node_by_itself)
{
	struct ending ending;
	stage_open(
		"nodes: {b: {agent: puppet_0}, c: {agent: puppet_1}, d: {agent: assign, options: "
		"{set: {sum: 1}}}}\n"
		"edges:\n"
		"  - {from: START, to: [b, c]}\n"
		"  - {from: [b, c], any: true, to: d}\n"
		"  - {from: d, to: END}\n");
	stage_play("b", stage_wait);
	struct turn *turn = stage_start(NULL, &ending);
	stage_spin();
	stage_finish("b", NULL);
	stage_until_over(&ending);
	struct ss_value *trace = turn_trace(turn);
	cr_expect_eq(value_count(trace), 4, "d ran for each of the two");
	value_unref(trace);
	cr_expect_eq(stage_int(turn, "sum"), 2);
	turn_free(turn);
	stage_close();
}

Test(choice, looks_at_the_state_after_the_writes)
{
	stage_open("nodes: {a: {agent: puppet}, b: {agent: puppet}, c: {agent: puppet}}\n"
		   "edges:\n"
		   "  - {from: START, to: a}\n"
		   "  - from: a\n"
		   "    choose:\n"
		   "      - {when: f0 == 0, to: b}\n"
		   "      - {when: f0 == given + 1, to: c}\n"
		   "      - {else: END}\n"
		   "  - {from: [b, c], any: true, to: END}\n");
	stage_play("a", first);
	struct turn *turn = stage_turn("{\"given\": 41}");
	cr_expect_str_eq(buffer_text(&stage.played), "a c");
	struct ss_value *trace = turn_trace(turn);
	char *taken = json_text(value_get(stage_entry(trace, "a"), "taken"));
	cr_expect_str_eq(taken, "[{\"to\":\"c\",\"when\":\"f0 == given + 1\"}]");
	free(taken);
	value_unref(trace);
	turn_free(turn);
	stage_close();
}

Test(choice, whose_condition_fails_ends_the_turn_and_says_where)
{
	stage_open("nodes: {a: {agent: puppet}, b: {agent: puppet_1, fields: {f1: most}}}\n"
		   "edges:\n"
		   "  - {from: START, to: [b, a]}\n"
		   "  - from: a\n"
		   "    choose:\n"
		   "      - {when: f25.missing == 1, to: END}\n"
		   "      - {else: END}\n"
		   "  - {from: a, to: END}\n"
		   "  - {from: b, to: END}\n");
	stage_play("b", stage_wait);
	struct turn *turn = stage_turn(NULL);
	cr_assert_not_null(turn_error(turn));
	cr_expect_eq(turn_error(turn)->status, SS_INVALID);
	cr_expect_str_eq(turn_error(turn)->text, "stage.yaml:40:16: the condition \"f25.missing == "
						 "1\": there is no key \"missing\"");
	struct ss_value *trace = turn_trace(turn);
	cr_expect_str_eq(
		value_as_string(value_get(stage_entry(trace, "a"), "status"), NULL), "done");
	cr_expect_str_eq(
		value_as_string(value_get(stage_entry(trace, "b"), "status"), NULL), "stopped");
	value_unref(trace);
	turn_free(turn);
	stage_finish("b", NULL);
	stage_close();
}

Test(choice, at_the_start_may_fail)
{
	stage_open("nodes: {a: {agent: puppet}}\n"
		   "edges:\n"
		   "  - {from: START, choose: [{when: f25.missing == 1, to: a}, {else: END}]}\n"
		   "  - {from: a, to: END}\n");
	struct turn *turn = stage_turn(NULL);
	cr_assert_not_null(turn_error(turn));
	cr_expect_not_null(strstr(turn_error(turn)->text, "stage.yaml:37:35: the condition"), "%s",
		turn_error(turn)->text);
	turn_free(turn);
	stage_close();
}

Test(steps, are_limited)
{
	stage_open("max_steps: 12\n"
		   "nodes: {a: {agent: puppet}, b: {agent: puppet}}\n"
		   "edges:\n"
		   "  - {from: START, to: a}\n"
		   "  - {from: a, to: b}\n"
		   "  - {from: b, choose: [{when: f0 >= 0, to: a}, {else: END}]}\n");
	stage_play("a", count);
	struct turn *turn = stage_turn(NULL);
	cr_assert_not_null(turn_error(turn));
	cr_expect_eq(turn_error(turn)->status, SS_LIMIT);
	cr_expect_str_eq(turn_error(turn)->text,
		"the turn was ended after 12 steps (max_steps in stage.yaml); is there a cycle "
		"without a way out?");
	cr_expect_eq(stage_int(turn, "f2"), 6);
	turn_free(turn);
	stage_close();
}

Test(steps, may_be_a_hundred_thousand_without_a_deep_stack)
{
	stage_open("max_steps: 200000\n"
		   "nodes: {a: {agent: puppet}, b: {agent: puppet}}\n"
		   "edges:\n"
		   "  - {from: START, to: a}\n"
		   "  - {from: a, to: b}\n"
		   "  - {from: b, choose: [{when: f2 < 50000, to: a}, {else: END}]}\n");
	stage_play("a", count);
	struct turn *turn = stage_turn(NULL);
	cr_expect_null(turn_error(turn));
	cr_expect_eq(stage_int(turn, "f2"), 50000);
	turn_free(turn);
	stage_close();
}

Test(steps, may_follow_a_chain_of_thousands_of_nodes)
{
	struct buffer yaml = {0};
	buffer_add_string(&yaml, "max_steps: 5000\nnodes:\n");
	for (int i = 0; i < 4000; i++)
		buffer_add_format(&yaml, "  n%d: {agent: puppet}\n", i);
	buffer_add_string(&yaml, "edges:\n  - {from: START, to: n0}\n");
	for (int i = 0; i + 1 < 4000; i++)
		buffer_add_format(&yaml, "  - {from: n%d, to: n%d}\n", i, i + 1);
	buffer_add_string(&yaml, "  - {from: n3999, to: END}\n");
	stage_open(buffer_text(&yaml));
	buffer_free(&yaml);
	stage_play("n1", first);
	stage_play("n3999", second);
	struct turn *turn = stage_turn("{\"given\": 6}");
	cr_expect_null(turn_error(turn));
	cr_expect_eq(stage_int(turn, "f1"), 70);
	turn_free(turn);
	stage_close();
}

Test(trace, says_what_happened_in_order)
{
	struct ending ending;
	stage_open(DIAMOND);
	stage_play("a", first);
	stage_play("b", stage_wait);
	struct turn *turn = stage_start(NULL, &ending);
	stage_spin();
	stage_finish("b", NULL);
	stage_until_over(&ending);
	struct ss_value *trace = turn_trace(turn);
	static const char *const nodes[] = {"a", "b", "c", "d"};
	static const char *const agents[] = {"puppet", "puppet_0", "puppet_1", "puppet"};
	cr_assert_eq(value_count(trace), 4);
	for (size_t i = 0; i < 4; i++) {
		const struct ss_value *entry = value_at(trace, i);
		cr_expect_str_eq(value_as_string(value_get(entry, "node"), NULL), nodes[i]);
		cr_expect_str_eq(value_as_string(value_get(entry, "agent"), NULL), agents[i]);
		cr_expect_str_eq(value_as_string(value_get(entry, "status"), NULL), "done");
		cr_expect_null(value_get(entry, "error"));
		cr_expect_geq(value_as_number(value_get(entry, "duration_ms")), 0);
		cr_expect_geq(value_as_number(value_get(entry, "started_ms")), 0);
	}
	char *writes = json_text(value_get(value_at(trace, 0), "writes"));
	char *taken = json_text(value_get(value_at(trace, 0), "taken"));
	char *joined = json_text(value_get(value_at(trace, 1), "taken"));
	cr_expect_str_eq(writes, "[\"f0\"]");
	cr_expect_str_eq(taken, "[{\"to\":\"b\"},{\"to\":\"c\"}]");
	cr_expect_str_eq(joined, "[]", "the way to d is told with the last parent");
	free(writes);
	free(taken);
	free(joined);
	value_unref(trace);
	turn_free(turn);
	stage_close();
}

Test(turns, by_the_hundred_do_not_mix)
{
	enum { TURNS = 600 };
	static struct ending endings[TURNS];
	static struct turn *turns[TURNS];
	unsigned seed = 7;
	stage_open(DIAMOND);
	stage_play("a", first);
	stage_play("b", stage_wait);
	stage_play("c", stage_wait);
	stage_play("d", second);
	for (int i = 0; i < TURNS; i++) {
		char input[32];
		(void)snprintf(input, sizeof input, "{\"given\": %d}", i);
		turns[i] = stage_start(input, &endings[i]);
	}
	for (int finished = 0; finished < 2 * TURNS; finished++) {
		stage_await(1);
		seed = seed * 1664525u + 1013904223u;
		struct waiting *any = &stage.waiting[(seed >> 8) % stage.waiting_count];
		struct waiting taken = *any;
		*any = stage.waiting[--stage.waiting_count];
		taken.actor->host->finish(taken.run, SS_DONE, NULL);
	}
	for (int i = 0; i < TURNS; i++) {
		stage_until_over(&endings[i]);
		cr_assert_null(turn_error(turns[i]));
		cr_assert_eq(stage_int(turns[i], "f1"), (int64_t)(i + 1) * 10);
		turn_free(turns[i]);
	}
	stage_close();
}
