/* What goes wrong: agents that fail, that take too long and that write what does not fit. */
#include "stage.h"

#include "base/clock.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ALONE                                                                                      \
	"nodes: {a: {agent: puppet}}\n"                                                            \
	"edges: [{from: START, to: a}, {from: a, to: END}]\n"

#define WITH_FALLBACK                                                                              \
	"nodes:\n"                                                                                 \
	"  a: {agent: puppet, on_error: {set: {f0: -1, f22: 1, f21: High}}}\n"                     \
	"  b: {agent: puppet}\n"                                                                   \
	"edges: [{from: START, to: a}, {from: a, to: b}, {from: b, to: END}]\n"

#define WITH_TIMEOUT                                                                               \
	"nodes:\n"                                                                                 \
	"  a: {agent: puppet, timeout: 5ms, on_error: {set: {f0: -1}}}\n"                          \
	"  b: {agent: puppet}\n"                                                                   \
	"edges: [{from: START, to: a}, {from: a, to: b}, {from: b, to: END}]\n"

static const char *status_of(const struct turn *turn, const char *node)
{
	static char text[16];
	struct ss_value *trace = turn_trace(turn);
	(void)snprintf(text, sizeof text, "%s",
		value_as_string(value_get(stage_entry(trace, node), "status"), NULL));
	value_unref(trace);
	return text;
}

static const char *error_of(const struct turn *turn, const char *node)
{
	static char text[512];
	struct ss_value *trace = turn_trace(turn);
	(void)snprintf(text, sizeof text, "%s",
		value_as_string(value_get(stage_entry(trace, node), "error"), NULL));
	value_unref(trace);
	return text;
}

static enum ss_result write_and_fail(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	(void)actor_write(actor, run, 0, 5, NULL);
	(void)actor_write(actor, run, 1, 6, NULL);
	(void)ss_fail_as(err, SS_UNAVAILABLE, "the model is away");
	return SS_FAILED;
}

static enum ss_result fail_mutely(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	(void)actor;
	(void)run;
	(void)err;
	return SS_FAILED;
}

static enum ss_result copy_f0(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	return actor_write(actor, run, 2, actor_read(actor, run, 0), err) < 0 ? SS_FAILED : SS_DONE;
}

Test(failure, ends_the_turn_with_the_nodes_name_and_the_agents_words)
{
	stage_open(ALONE);
	stage_play("a", write_and_fail);
	struct turn *turn = stage_turn(NULL);
	cr_assert_not_null(turn_error(turn));
	cr_expect_eq(turn_error(turn)->status, SS_UNAVAILABLE);
	cr_expect_str_eq(turn_error(turn)->text, "the node a (agent puppet): the model is away");
	cr_expect_eq(stage_int(turn, "f0"), 0);
	cr_expect_str_eq(status_of(turn, "a"), "failed");
	cr_expect_str_eq(error_of(turn, "a"), "the model is away");
	turn_free(turn);
	stage_close();
}

Test(failure, leaves_the_state_as_it_was_before_the_node)
{
	stage_open(
		"nodes: {a: {agent: assign, options: {set: {f0: '1', list: '[1]'}}},\n"
		"        b: {agent: assign, options: {set: {f1: '2', list: '[2]'}}},\n"
		"        c: {agent: assign, options: {fail: '\"no\"', set: {f2: '3'}}}}\n"
		"edges: [{from: START, to: [a, b]}, {from: [a, b], to: c}, {from: c, to: END}]\n");
	struct turn *turn = stage_turn("{\"given\": 5}");
	cr_assert_not_null(turn_error(turn));
	cr_expect_eq(stage_int(turn, "given"), 5);
	cr_expect_eq(stage_int(turn, "f0"), 1);
	cr_expect_eq(stage_int(turn, "f1"), 2);
	cr_expect_eq(stage_int(turn, "f2"), 0);
	cr_expect_eq(value_count(turn_field(turn, "list")), 2);
	turn_free(turn);
	stage_close();
}

Test(failure, without_a_word_is_still_explained)
{
	stage_open(ALONE);
	stage_play("a", fail_mutely);
	struct turn *turn = stage_turn(NULL);
	cr_expect_str_eq(
		turn_error(turn)->text, "the node a (agent puppet): failed and did not say why");
	turn_free(turn);
	stage_close();
}

Test(failure, goes_on_with_the_fallback_and_none_of_the_runs_writes)
{
	stage_open(WITH_FALLBACK);
	stage_play("a", write_and_fail);
	stage_play("b", copy_f0);
	struct turn *turn = stage_turn(NULL);
	cr_expect_null(turn_error(turn));
	cr_expect_eq(stage_int(turn, "f0"), -1);
	cr_expect_eq(stage_int(turn, "f1"), 0);
	cr_expect_eq(stage_int(turn, "f2"), -1);
	cr_expect_str_eq(stage_text(turn, "f21"), "High");
	cr_expect_eq(value_type(turn_field(turn, "f22")), SS_NUMBER);
	cr_expect_str_eq(status_of(turn, "a"), "degraded");
	cr_expect_str_eq(error_of(turn, "a"), "the model is away");
	struct ss_value *trace = turn_trace(turn);
	cr_expect_eq(value_count(value_get(stage_entry(trace, "a"), "writes")), 3);
	cr_expect_eq(value_count(value_get(stage_entry(trace, "a"), "taken")), 1);
	value_unref(trace);
	char *logged = stage_logged();
	cr_expect_not_null(
		strstr(logged, "the node a goes on with its on_error: the model is away"));
	free(logged);
	turn_free(turn);
	stage_close();
}

Test(failure, of_one_branch_stops_the_others)
{
	stage_open("nodes: {a: {agent: puppet_0}, b: {agent: puppet_1}, c: {agent: puppet_2}, d: "
		   "{agent: puppet_3}}\n"
		   "edges:\n"
		   "  - {from: START, to: [a, b, c, d]}\n"
		   "  - {from: [a, b, c, d], to: END}\n");
	stage_play("a", stage_wait);
	stage_play("b", stage_wait);
	stage_play("c", write_and_fail);
	struct turn *turn = stage_turn(NULL);
	cr_expect_str_eq(buffer_text(&stage.played), "a b c");
	cr_expect_str_eq(status_of(turn, "a"), "stopped");
	cr_expect_str_eq(status_of(turn, "c"), "failed");
	cr_expect_str_eq(status_of(turn, "d"), "", "what never started is not in the trace");
	struct waiting late = stage_take("a");
	struct ss_error err = {0};
	cr_expect_eq(actor_write(late.actor, late.run, 0, 1, &err), -1);
	cr_expect_not_null(strstr(err.text, "the run is over"));
	cr_expect_eq(late.actor->values->type(late.actor->host->read(late.run, 0)), SS_INT);
	turn_free(turn);
	cr_expect_not_null(late.actor->host->allocate(late.run, 100));
	late.actor->host->finish(late.run, SS_DONE, NULL);
	stage_finish("b", "too late");
	stage_close();
}

/* Writes what the test has put here, then is done. */
static struct {
	size_t row;
	struct ss_value *value;
	int written;
	struct ss_error err;
} attempt;

static enum ss_result write_attempt(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	(void)err;
	(void)actor_write(actor, run, 1, 77, NULL);
	attempt.err = (struct ss_error){0};
	attempt.written = actor->host->write(run, attempt.row, attempt.value, &attempt.err);
	return SS_DONE;
}

static void refused(size_t row, struct ss_value *value, const char *why)
{
	attempt.row = row;
	attempt.value = value;
	struct turn *turn = stage_turn(NULL);
	cr_assert_not_null(turn_error(turn));
	cr_expect_str_eq(turn_error(turn)->text, why);
	cr_expect_eq(turn_error(turn)->status, SS_INVALID);
	cr_expect_eq(stage_int(turn, "f1"), 0, "a part of the writes was applied");
	turn_free(turn);
}

Test(writes, of_a_run_count_all_or_not_at_all)
{
	stage_open(ALONE);
	stage_play("a", write_attempt);
	refused(0, value_text("x"),
		"the node a (agent puppet): the field f0 takes a value of the type int, not "
		"string");
	refused(STAGE_TEXT, value_null(),
		"the node a (agent puppet): the field f20 takes a value of the type string, not "
		"null");
	refused(STAGE_ENUM, value_text("Medium"),
		"the node a (agent puppet): \"Medium\" is no value of the field f21");
	refused(STAGE_NUMBER, value_number(1.25),
		"the node a (agent puppet): the field f22 is from 0 to 1, not 1.25");
	refused(STAGE_NUMBER, value_number((double)NAN),
		"the node a (agent puppet): the field f22 takes a finite number, not nan");
	refused(0, value_number(1),
		"the node a (agent puppet): the field f0 takes a value of the type int, not "
		"number");
	stage_close();
}

/* The agent does not look at what write() returns and says that it is done. */
Test(writes, to_fields_that_are_not_declared_fail_the_node)
{
	char outside[120];
	stage_open(ALONE);
	stage_play("a", write_attempt);
	refused(PUPPET_READ_ONLY, value_int(1),
		"the node a (agent puppet): the agent puppet does not declare that it writes the "
		"field given");
	cr_expect_eq(attempt.written, -1);
	cr_expect_eq(attempt.err.status, SS_INVALID);
	for (size_t row = PUPPET_READ_ONLY + 1; row != 0; row = row == SIZE_MAX ? 0 : SIZE_MAX) {
		(void)snprintf(outside, sizeof outside,
			"the node a (agent puppet): the agent puppet writes the field in row %zu "
			"of its table, which has %d",
			row, PUPPET_READ_ONLY + 1);
		refused(row, value_int(1), outside);
		cr_expect_eq(attempt.written, -1);
	}
	stage_close();
}

Test(writes, to_an_optional_field_that_the_workflow_left_out_are_dropped)
{
	stage_open(ALONE);
	stage_play("a", write_attempt);
	attempt.row = STAGE_UNDECLARED;
	attempt.value = value_int(1);
	struct turn *turn = stage_turn(NULL);
	cr_expect_null(turn_error(turn));
	cr_expect_eq(attempt.written, 0);
	turn_free(turn);
	stage_close();
}

static enum ss_result write_twice(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	(void)actor_write(actor, run, 0, 1, err);
	(void)actor_write(actor, run, 0, 2, err);
	cr_expect_null(actor->host->read(run, STAGE_UNDECLARED));
	cr_expect_null(actor->host->read(run, 10000));
	cr_expect_eq(actor_read(actor, run, 0), 0, "a run sees its own writes");
	return SS_DONE;
}

Test(writes, may_be_repeated_and_the_last_one_counts)
{
	stage_open(ALONE);
	stage_play("a", write_twice);
	struct turn *turn = stage_turn(NULL);
	cr_expect_eq(stage_int(turn, "f0"), 2);
	turn_free(turn);
	stage_close();
}

static enum ss_result write_whole_number(
	struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	return actor_write(actor, run, STAGE_NUMBER, 1, err) < 0 ? SS_FAILED : SS_DONE;
}

Test(writes, of_an_int_to_a_number_field_make_it_a_number)
{
	stage_open("nodes: {a: {agent: puppet}}\n"
		   "edges:\n"
		   "  - {from: START, to: a}\n"
		   "  - {from: a, choose: [{when: f22 * 0.5 == 0.5, to: END}, {else: a}]}\n");
	stage_play("a", write_whole_number);
	struct turn *turn = stage_turn("{\"f22\": 0}");
	cr_expect_null(turn_error(turn));
	cr_expect_eq(value_type(turn_field(turn, "f22")), SS_NUMBER);
	turn_free(turn);
	stage_close();
}

Test(timeout, of_a_node_goes_on_with_its_fallback)
{
	stage_open(WITH_TIMEOUT);
	stage_play("a", stage_wait);
	stage_play("b", copy_f0);
	struct turn *turn = stage_turn(NULL);
	cr_expect_null(turn_error(turn));
	cr_expect_eq(stage_int(turn, "f2"), -1);
	cr_expect_str_eq(status_of(turn, "a"), "degraded");
	cr_expect_str_eq(error_of(turn, "a"), "took longer than 0.005 s (its timeout)");
	turn_free(turn);
	stage_finish("a", NULL);
	stage_close();
}

Test(timeout, drops_what_comes_later_while_the_turn_goes_on)
{
	struct ending ending;
	stage_open(WITH_TIMEOUT);
	stage_play("a", stage_wait);
	stage_play("b", stage_wait);
	struct turn *turn = stage_start(NULL, &ending);
	stage_await(2);
	struct waiting late = stage_take("a");
	cr_expect_eq(actor_write(late.actor, late.run, 0, 42, NULL), -1);
	late.actor->host->finish(late.run, SS_DONE, NULL);
	late.actor->host->finish(late.run, SS_FAILED, NULL);
	stage_finish("b", NULL);
	stage_until_over(&ending);
	cr_expect_null(turn_error(turn));
	cr_expect_eq(stage_int(turn, "f0"), -1);
	cr_expect_str_eq(buffer_text(&stage.played), "a b");
	turn_free(turn);
	stage_close();
}

Test(timeout, without_a_fallback_ends_the_turn)
{
	stage_open("nodes: {a: {agent: puppet, timeout: 5ms}}\n"
		   "edges: [{from: START, to: a}, {from: a, to: END}]\n");
	stage_play("a", stage_wait);
	struct turn *turn = stage_turn(NULL);
	cr_assert_not_null(turn_error(turn));
	cr_expect_eq(turn_error(turn)->status, SS_TIMEOUT);
	cr_expect_str_eq(turn_error(turn)->text,
		"the node a (agent puppet): took longer than 0.005 s (its timeout)");
	turn_free(turn);
	stage_finish("a", NULL);
	stage_close();
}

Test(timeout, of_the_turn_ends_it_with_whatever_runs)
{
	stage_open("timeout: 200ms\n"
		   "nodes: {a: {agent: puppet_0, on_error: {set: {f0: 1}}}, b: {agent: puppet_1}}\n"
		   "edges: [{from: START, to: [a, b]}, {from: [a, b], to: END}]\n");
	stage_play("a", stage_wait);
	stage_play("b", stage_wait);
	struct turn *turn = stage_turn(NULL);
	cr_assert_not_null(turn_error(turn));
	cr_expect_eq(turn_error(turn)->status, SS_TIMEOUT);
	cr_expect_str_eq(
		turn_error(turn)->text, "the turn took longer than 0.2 s (timeout in stage.yaml)");
	cr_expect_eq(stage_int(turn, "f0"), 0, "a node that was cut off has no fallback");
	cr_expect_str_eq(status_of(turn, "a"), "stopped");
	cr_expect_str_eq(status_of(turn, "b"), "stopped");
	turn_free(turn);
	stage_finish("b", NULL);
	stage_finish("a", "too late");
	stage_close();
}

/* Nodes that are done at once must not keep the loop from its timers. */
Test(timeout, of_the_turn_ends_a_cycle_that_never_waits)
{
	stage_open("timeout: 30ms\nmax_steps: 1000000\n"
		   "nodes: {a: {agent: puppet}}\n"
		   "edges:\n"
		   "  - {from: START, to: a}\n"
		   "  - {from: a, choose: [{when: f0 == 0, to: a}, {else: END}]}\n");
	struct turn *turn = stage_turn(NULL);
	cr_assert_not_null(turn_error(turn));
	cr_expect_eq(turn_error(turn)->status, SS_TIMEOUT, "%s", turn_error(turn)->text);
	turn_free(turn);
	stage_close();
}

Test(engine, reports_every_agent_that_cannot_be_made)
{
	struct diagnostics diagnostics = {0};
	stage_prepare("nodes:\n"
		      "  a: {agent: puppet}\n"
		      "  b: {agent: fail, options: {when: create}}\n"
		      "  c: {agent: fail, options: {when: create}}\n"
		      "edges: [{from: START, to: [a, b, c]}, {from: [a, b, c], to: END}]\n");
	cr_expect_null(engine_new(&stage.options, stage.graph, &diagnostics));
	cr_assert_eq(diagnostics.count, 2);
	cr_expect_str_eq(diagnostics.items[0].file, "stage.yaml");
	cr_expect_eq(diagnostics.items[0].line, 37);
	cr_expect_eq(diagnostics.items[0].column, 3);
	cr_expect_str_eq(diagnostics.items[0].text, "the node b: was told to fail when it is made");
	cr_expect_eq(diagnostics.items[1].line, 38);
	cr_expect_eq(stage.actors, 0);
	diagnostics_free(&diagnostics);
	stage_close();
}
