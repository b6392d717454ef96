/* Turns that are kept: what their journals say, and going on with them after the process that ran them is gone,
 * in an engine that knows nothing but the journal. */
#include "keeper.h"

#include "base/memory.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

static void open_stage(const char *yaml)
{
	stage_prepare(yaml);
	keeper_open();
	stage_begin();
}

static void close_stage(void)
{
	keeper_close();
	stage_close();
}

static void expect_field(struct turn *turn, const char *field, const char *expected)
{
	char *text = json_text(turn_field(turn, field));
	cr_expect_str_eq(text, expected, "%s is %s, not %s", field, text, expected);
	free(text);
}

static void expect_played(const char *nodes)
{
	cr_expect_str_eq(buffer_text(&stage.played), nodes);
	buffer_free(&stage.played);
}

/* The id of the interrupt of NODE. */
static char *interrupt_of(struct turn *turn, const char *node)
{
	struct ss_value *interrupts = turn_interrupts(turn);
	char *id = NULL;
	for (size_t i = 0; i < value_count(interrupts); i++) {
		const struct ss_value *one = value_at(interrupts, i);
		if (id == NULL && strcmp(value_as_string(value_get(one, "node"), NULL), node) == 0)
			id = memory_string(value_as_string(value_get(one, "id"), NULL));
	}
	value_unref(interrupts);
	cr_assert_not_null(id, "%s asks nothing", node);
	return id;
}

/* {"ID OF NODE": ANSWER} */
static char *answer_to(struct turn *turn, const char *node, const char *answer)
{
	char *id = interrupt_of(turn, node);
	char *text = memory_format("{\"%s\": %s}", id, answer);
	free(id);
	return text;
}

static enum ss_result write_f1(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	return actor_write(actor, run, 1, 7, err) < 0 ? SS_FAILED : SS_DONE;
}

static enum ss_result fail_always(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	(void)actor;
	(void)run;
	(void)ss_fail_as(err, SS_UNAVAILABLE, "it is away");
	return SS_FAILED;
}

#define CHAIN                                                                                      \
	"durability: node\n"                                                                       \
	"nodes:\n"                                                                                 \
	"  a: {agent: puppet_1}\n"                                                                 \
	"  b: {agent: puppet_2}\n"                                                                 \
	"  c: {agent: puppet_3}\n"                                                                 \
	"edges: [{from: START, to: a}, {from: a, to: b}, {from: b, to: c}, {from: c, to: END}]\n"

Test(journal, says_what_each_node_came_to)
{
	struct ending ending;
	open_stage(CHAIN);
	stage_play("a", write_f1);
	struct turn *turn = keeper_start("t1", "{\"given\": 3}", &ending);
	stage_until_over(&ending);
	cr_expect_str_eq(turn_id(turn), "t1");
	cr_expect_str_eq(keeper_status("t1"), "done");
	cr_expect_str_eq(keeper_entries("t1"), "{\"writes\":[[\"f1\",7]]}\n{}\n{}\n");
	cr_expect_not(keeper_is_held("t1"));
	cr_expect_eq(keeper.writes, (size_t)3, "%zu writes", keeper.writes);
	turn_free(turn);
	close_stage();
}

/* The trace of the turn "t1" as its journal tells it, new. */
static struct ss_value *stored_trace(void)
{
	struct ending ending;
	struct record *record = keeper_fetch("t1", false);
	struct turn *turn = keeper_go_on(record, true, &ending);
	stage_until_over(&ending);
	struct ss_value *trace = turn_trace(turn);
	turn_free(turn);
	record_unref(record);
	return trace;
}

Test(journal, keeps_how_long_each_node_took)
{
	struct ending ending;
	open_stage("durability: node\n"
		   "nodes:\n"
		   "  a: {agent: puppet_1, fields: {f1: list}, send: {over: f24, as: f0}}\n"
		   "  b: {agent: puppet_2, on_error: {set: {sum: 1}}}\n"
		   "  c: {agent: puppet_3, interrupt: {before: true}}\n"
		   "edges: [{from: START, to: a}, {from: a, to: b}, {from: b, to: c}, {from: c, "
		   "to: END}]\n");
	stage_play("b", fail_always);
	struct turn *turn = keeper_start("t1", "{\"f24\": [1, 2, 3]}", &ending);
	stage_until_over(&ending);
	struct ss_value *trace = turn_trace(turn), *stored = stored_trace();
	cr_assert_eq(value_count(stored), (size_t)3);
	for (size_t i = 0; i < 2; i++) {
		double took = value_as_number(value_get(value_at(trace, i), "duration_ms"));
		double kept = value_as_number(value_get(value_at(stored, i), "duration_ms"));
		cr_expect(kept > 0 && kept <= took, "%g of %g ms", kept, took);
		cr_expect_null(value_get(value_at(stored, i), "started_ms"));
	}
	cr_expect_null(value_get(value_at(stored, 2), "duration_ms"), "it waits");
	value_unref(trace);
	value_unref(stored);
	turn_free(turn);
	close_stage();
}

Test(journal, is_written_before_what_comes_after_a_node_starts)
{
	struct ending ending;
	open_stage(CHAIN);
	stage_play("b", stage_wait);
	struct turn *turn = keeper_start("t1", NULL, &ending);
	stage_await(1);
	cr_expect_str_eq(keeper_entries("t1"), "{}\n");
	cr_expect_str_eq(keeper_status("t1"), "running");
	cr_expect(keeper_is_held("t1"));
	stage_finish("b", NULL);
	stage_until_over(&ending);
	turn_free(turn);
	close_stage();
}

Test(journal, of_a_whole_turn_is_written_at_once)
{
	struct ending ending;
	open_stage("durability: turn\n"
		   "nodes: {a: {agent: puppet_1}, b: {agent: puppet_2}}\n"
		   "edges: [{from: START, to: a}, {from: a, to: b}, {from: b, to: END}]\n");
	stage_play("a", write_f1);
	stage_play("b", stage_wait);
	struct turn *turn = keeper_start("t1", NULL, &ending);
	stage_await(1);
	cr_expect_null(keeper_status("t1"));
	stage_finish("b", NULL);
	stage_until_over(&ending);
	cr_expect_eq(keeper.writes, (size_t)1);
	cr_expect_str_eq(keeper_status("t1"), "done");
	cr_expect_str_eq(keeper_entries("t1"), "{\"writes\":[[\"f1\",7]]}\n{}\n");
	turn_free(turn);
	close_stage();
}

Test(journal, is_not_kept_of_a_turn_without_an_id_or_a_workflow_without_durability)
{
	struct ending ending;
	open_stage(CHAIN);
	turn_free(stage_turn(NULL));
	cr_expect_eq(keeper.writes, (size_t)0);
	close_stage();
	open_stage("nodes: {a: {agent: puppet_1}}\n"
		   "edges: [{from: START, to: a}, {from: a, to: END}]\n");
	struct turn *turn = keeper_start("t1", NULL, &ending);
	stage_until_over(&ending);
	cr_expect_null(turn_id(turn));
	cr_expect_eq(keeper.writes, (size_t)0);
	turn_free(turn);
	close_stage();
}

Test(journal, that_cannot_be_written_fails_the_turn_which_goes_on_later)
{
	struct ending ending;
	open_stage(CHAIN);
	stage_play("a", write_f1);
	keeper.writes_left = 1;
	struct turn *turn = keeper_start("t1", NULL, &ending);
	stage_until_over(&ending);
	cr_expect_str_eq(turn_error(turn)->text, "the turn t1 could not be kept: the disk is gone");
	turn_free(turn);
	expect_played("a b");
	keeper.writes_left = SIZE_MAX;
	cr_expect_str_eq(keeper_status("t1"), "running");
	keeper_release("t1");
	turn = keeper_resume("t1", NULL);
	cr_expect_eq(turn_status(turn), TURN_DONE);
	expect_field(turn, "f1", "7");
	expect_played("b c");
	turn_free(turn);
	close_stage();
}

Test(journal, of_a_turn_that_is_stopped_lets_it_go_on_elsewhere)
{
	struct ending ending;
	open_stage(CHAIN);
	stage_play("a", write_f1);
	stage_play("b", stage_wait);
	struct turn *turn = keeper_start("t1", NULL, &ending);
	stage_await(1);
	engine_stop(stage.engine);
	stage_until_over(&ending);
	cr_expect_str_eq(turn_error(turn)->text, "the server is stopping");
	stage_finish("b", NULL);
	turn_free(turn);
	cr_expect_str_eq(keeper_status("t1"), "running");
	cr_expect_not(keeper_is_held("t1"));
	expect_played("a b");
	stage_play("b", write_f1);
	stage_close_engine();
	stage_begin();
	struct record *record = keeper_fetch("t1", true);
	turn = keeper_go_on(record, false, &ending);
	stage_await(1);
	stage_finish("b", NULL);
	stage_until_over(&ending);
	cr_expect_eq(turn_status(turn), TURN_DONE);
	expect_played("b c");
	record_unref(record);
	turn_free(turn);
	close_stage();
}

Test(journal, of_a_turn_that_is_given_up_lets_it_go_on)
{
	struct ending ending;
	open_stage(CHAIN);
	stage_play("b", stage_wait);
	struct turn *turn = keeper_start("t1", NULL, &ending);
	stage_await(1);
	turn_free(turn);
	stage_finish("b", NULL);
	while (keeper_is_held("t1"))
		(void)event_base_loop(stage.base, EVLOOP_ONCE);
	cr_expect_str_eq(keeper_status("t1"), "running");
	close_stage();
}

static void note_ending(void *context, struct turn *turn)
{
	struct ending *ending = context;
	ending->turn = turn;
	ending->calls++;
}

static void note_closing(void *context, struct turn *turn)
{
	struct ending *ending = context;
	cr_expect_eq(turn, ending->turn);
	ending->closings++;
}

static void await_closing(const struct ending *ending)
{
	while (ending->closings == 0)
		(void)event_base_loop(stage.base, EVLOOP_ONCE);
}

/* A turn that is to be confirmed. */
static struct turn *start_confirmed(const char *id, struct ending *ending)
{
	struct ss_error err = {0};
	struct ss_value *about = value_map_make({"who", value_text("ann")});
	const struct turn_options options = {.id = id,
		.about = about,
		.confirms = true,
		.log = &stage.log,
		.over = note_ending,
		.context = ending};
	struct turn *turn = turn_start(stage.engine, &options, &err);
	cr_assert_not_null(turn, "%s", err.text);
	value_unref(about);
	return turn;
}

static void await_status(const char *id, const char *status)
{
	while (!keeper_has_status(id, status))
		(void)event_base_loop(stage.base, EVLOOP_ONCE);
}

Test(journal, is_of_a_running_turn_until_that_is_confirmed)
{
	struct ending ending = {0};
	open_stage(CHAIN);
	struct turn *turn = start_confirmed("t1", &ending);
	stage_until_over(&ending);
	cr_expect_eq(turn_status(turn), TURN_DONE);
	cr_expect_str_eq(keeper_status("t1"), "running");
	cr_expect(keeper_is_held("t1"));
	cr_expect_not(turn_confirm(turn, NULL, note_closing));
	await_closing(&ending);
	cr_expect_str_eq(keeper_status("t1"), "done");
	cr_expect_str_eq(keeper_entries("t1"), "{}\n{}\n{}\n");
	cr_expect_not(keeper_is_held("t1"));
	cr_expect(turn_confirm(turn, NULL, note_closing), "there is nothing to wait for any more");
	turn_free(turn);
	cr_expect_eq(ending.calls, 1);
	cr_expect_eq(ending.closings, 1);
	close_stage();
}

Test(journal, that_somebody_else_has_by_then_is_not_waited_for)
{
	struct ending ending = {0};
	open_stage(CHAIN);
	struct turn *turn = start_confirmed("t1", &ending);
	stage_until_over(&ending);
	keeper_release("t1");
	record_unref(keeper_fetch("t1", true));
	cr_expect_not(turn_confirm(turn, NULL, note_closing));
	await_closing(&ending);
	cr_expect_eq(turn_status(turn), TURN_FAILED);
	cr_expect_str_eq(keeper_status("t1"), "running");
	turn_free(turn);
	close_stage();
}

Test(journal, of_a_turn_that_nobody_confirmed_is_gone_on_with_elsewhere)
{
	struct ending ending = {0};
	open_stage(CHAIN);
	struct turn *turn = start_confirmed("t1", &ending);
	stage_until_over(&ending);
	turn_free(turn);
	cr_expect_str_eq(keeper_status("t1"), "running");
	keeper_release("t1");
	expect_played("a b c");
	struct record *record = keeper_fetch("t1", false);
	cr_expect_str_eq(value_as_string(value_get(record_about(record), "who"), NULL), "ann");
	record_unref(record);
	turn = keeper_resume("t1", NULL);
	cr_expect_eq(turn_status(turn), TURN_DONE);
	expect_played("c");
	turn_free(turn);
	close_stage();
}

Test(journal, says_why_what_was_to_be_done_has_failed)
{
	struct ending ending = {0};
	struct ss_error err = {0};
	open_stage(CHAIN);
	struct turn *turn = start_confirmed("t1", &ending);
	stage_until_over(&ending);
	(void)ss_fail(&err, "there is no such conversation");
	cr_expect_not(turn_confirm(turn, &err, NULL));
	turn_free(turn);
	await_status("t1", "failed");
	struct record *record = keeper_fetch("t1", false);
	cr_expect_str_eq(record_error(record), "there is no such conversation");
	record_unref(record);
	close_stage();
}

Test(journal, is_written_by_one_process_at_a_time)
{
	struct ending ending, other_ending;
	open_stage(CHAIN);
	stage_play("b", stage_wait);
	struct turn *turn = keeper_start("t1", NULL, &ending);
	stage_await(1);
	cr_expect_str_eq(keeper_refusal("t1", true).text, "somebody goes on with it");
	/* It was only slow, and its lease ran out. */
	keeper_release("t1");
	struct record *record = keeper_fetch("t1", true);
	struct turn *other = keeper_go_on(record, false, &other_ending);
	stage_await(2);
	stage_finish("b", NULL);
	stage_until_over(&ending);
	cr_expect_str_eq(turn_error(turn)->text,
		"the turn t1 could not be kept: somebody else goes on with it");
	stage_finish("b", NULL);
	stage_until_over(&other_ending);
	cr_expect_eq(turn_status(other), TURN_DONE);
	record_unref(record);
	turn_free(turn);
	turn_free(other);
	close_stage();
}

Test(journal, of_a_failed_turn_lets_its_failed_node_run_again)
{
	struct ending ending;
	open_stage(CHAIN);
	stage_play("a", write_f1);
	stage_play("b", fail_always);
	struct turn *turn = keeper_start("t1", NULL, &ending);
	stage_until_over(&ending);
	cr_expect_str_eq(keeper_status("t1"), "failed");
	turn_free(turn);
	expect_played("a b");
	turn = keeper_resume("t1", NULL);
	cr_expect_eq(turn_status(turn), TURN_FAILED);
	expect_played("b");
	turn_free(turn);
	close_stage();
}

Test(journal, brings_back_a_fallback_without_the_node)
{
	struct ending ending;
	open_stage("durability: node\n"
		   "nodes:\n"
		   "  a: {agent: puppet_1, on_error: {set: {f2: 5}, error: f20}}\n"
		   "  b: {agent: puppet_3}\n"
		   "edges: [{from: START, to: a}, {from: a, to: b}, {from: b, to: END}]\n");
	stage_play("a", fail_always);
	keeper.writes_left = 1;
	struct turn *turn = keeper_start("t1", NULL, &ending);
	stage_until_over(&ending);
	turn_free(turn);
	expect_played("a b");
	keeper.writes_left = SIZE_MAX;
	keeper_release("t1");
	turn = keeper_resume("t1", NULL);
	expect_played("b");
	expect_field(turn, "f2", "5");
	expect_field(turn, "f20", "\"it is away\"");
	struct ss_value *trace = turn_trace(turn);
	cr_expect_str_eq(
		value_as_string(value_get(stage_entry(trace, "a"), "status"), NULL), "degraded");
	cr_expect(value_as_bool(value_get(stage_entry(trace, "a"), "restored")));
	value_unref(trace);
	turn_free(turn);
	close_stage();
}

static enum ss_result ask_once(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	const struct ss_value *answer = actor->host->answered(run);
	struct ss_value *one = actor->values->integer(actor_read(actor, run, 0));
	if (answer == NULL && actor_read(actor, run, 0) % 2 == 0) {
		actor->values->unref(one);
		return actor->host->interrupt(run, actor->values->string("which", 5), err) < 0
			       ? SS_FAILED
			       : SS_INTERRUPTED;
	}
	if (answer != NULL) {
		actor->values->unref(one);
		one = actor->values->ref(answer);
	}
	return actor->host->write(run, 1, actor->values->list(&one, 1), err) < 0 ? SS_FAILED
										 : SS_DONE;
}

Test(interrupts, of_copies_are_answered_elsewhere_and_the_others_do_not_run_again)
{
	struct ending ending;
	open_stage("durability: node\n"
		   "nodes:\n"
		   "  a: {agent: puppet_1, fields: {f1: list}, send: {over: f24, as: f0}}\n"
		   "edges: [{from: START, to: a}, {from: a, to: END}]\n");
	stage_play("a", ask_once);
	struct turn *turn = keeper_start("t1", "{\"f24\": [1, 2, 3, 4]}", &ending);
	stage_until_over(&ending);
	cr_expect_eq(turn_status(turn), TURN_INTERRUPTED);
	cr_expect_str_eq(keeper_status("t1"), "interrupted");
	char *id = interrupt_of(turn, "a"); /* of one of them; they end with the copy's number */
	id[strlen(id) - 1] = '\0';
	char *answers = memory_format("{\"%s1\": 20, \"%s3\": 40}", id, id);
	turn_free(turn);
	expect_played("a a a a");
	turn = keeper_resume("t1", answers);
	cr_expect_eq(turn_status(turn), TURN_DONE);
	expect_field(turn, "list", "[1,20,3,40]");
	expect_played("a a");
	free(answers);
	free(id);
	turn_free(turn);
	close_stage();
}

/* Writes how often it has run. */
static enum ss_result write_runs(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	static int64_t runs;
	return actor_write(actor, run, 1, ++runs, err) < 0 ? SS_FAILED : SS_DONE;
}

/* Goes on with the turn t1, in which NODE waits for ANSWER. */
static struct turn *go_on_with_an_answer(
	struct ending *ending, const char *node, const char *answer)
{
	struct ss_error err;
	struct record *record = keeper_fetch("t1", true);
	struct turn *turn = keeper_go_on(record, false, ending);
	stage_until_over(ending);
	cr_assert_eq(turn_status(turn), TURN_INTERRUPTED);
	char *text = answer_to(turn, node, answer);
	struct ss_value *answers = json_parse(text, strlen(text), NULL);
	ending->calls = 0;
	cr_assert_eq(turn_resume(turn, answers, &err), 0);
	stage_until_over(ending);
	value_unref(answers);
	free(text);
	record_unref(record);
	return turn;
}

#define CACHED                                                                                     \
	"durability: node\n"                                                                       \
	"nodes:\n"                                                                                 \
	"  a: {agent: puppet_1, cache: {key: [given]}}\n"                                          \
	"  c: {agent: puppet_2, interrupt: {before: true}}\n"                                      \
	"edges:\n"                                                                                 \
	"  - {from: START, to: a}\n"                                                               \
	"  - {from: a, choose: [{when: f20 == '', to: c}, {else: END}]}\n"                         \
	"  - {from: c, to: END}\n"

Test(cache, is_not_asked_for_what_the_journal_knows)
{
	struct ending ending;
	open_stage(CACHED);
	stage_play("a", write_runs);
	struct turn *turn = keeper_start("t1", "{\"given\": 3}", &ending);
	stage_until_over(&ending);
	turn_free(turn);
	stage_close_engine();
	stage_begin();
	turn = stage_turn("{\"given\": 3, \"f20\": \"once\"}");
	expect_field(turn, "f1", "2");
	turn_free(turn);
	turn = go_on_with_an_answer(&ending, "c", "null");
	expect_field(turn, "f1", "1");
	turn_free(turn);
	close_stage();
}

/* Asks, unless it is told in f23 not to. */
static enum ss_result ask_or_not(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	const struct ss_value *answer = actor->host->answered(run);
	bool asks = !actor->values->as_bool(actor->host->read(run, STAGE_BOOL));
	if (answer == NULL && asks)
		return actor->host->interrupt(run, actor->values->string("which", 5), err) < 0
			       ? SS_FAILED
			       : SS_INTERRUPTED;
	int64_t value = answer != NULL ? actor->values->as_int(answer) : 1;
	return actor_write(actor, run, 1, value, err) < 0 ? SS_FAILED : SS_DONE;
}

Test(cache, is_not_asked_instead_of_who_answers)
{
	struct ending ending;
	open_stage("durability: node\n"
		   "nodes: {a: {agent: puppet_1, cache: {key: [given]}}}\n"
		   "edges: [{from: START, to: a}, {from: a, to: END}]\n");
	stage_play("a", ask_or_not);
	struct turn *turn = keeper_start("t1", "{\"given\": 3}", &ending);
	stage_until_over(&ending);
	turn_free(turn);
	stage_close_engine();
	stage_begin();
	turn = stage_turn("{\"given\": 3, \"f23\": true}");
	expect_field(turn, "f1", "1");
	turn_free(turn);
	turn = go_on_with_an_answer(&ending, "a", "5");
	expect_field(turn, "f1", "5");
	turn_free(turn);
	close_stage();
}

Test(cache, does_not_take_what_was_brought_back_for_new)
{
	struct ending ending;
	open_stage(CACHED);
	stage_play("a", write_runs);
	struct turn *turn = keeper_start("t1", "{\"given\": 3}", &ending);
	stage_until_over(&ending);
	turn_free(turn);
	stage_close_engine();
	stage_begin();
	turn = go_on_with_an_answer(&ending, "c", "null");
	expect_field(turn, "f1", "1");
	turn_free(turn);
	turn = stage_turn("{\"given\": 3, \"f20\": \"once\"}");
	expect_field(turn, "f1", "2");
	turn_free(turn);
	close_stage();
}

static enum ss_result write_wrong_once(
	struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	static bool wrote;
	struct ss_value *one = actor->values->integer(actor_read(actor, run, 0));
	bool wrong = actor_read(actor, run, 0) == 2 && !wrote;
	wrote |= wrong;
	struct ss_value *value = wrong ? one : actor->values->list(&one, 1);
	return actor->host->write(run, 1, value, err) < 0 ? SS_FAILED : SS_DONE;
}

Test(journal, notes_no_copy_that_does_not_fit)
{
	struct ending ending;
	open_stage("durability: node\n"
		   "nodes:\n"
		   "  a: {agent: puppet_1, fields: {f1: list}, send: {over: f24, as: f0}}\n"
		   "edges: [{from: START, to: a}, {from: a, to: END}]\n");
	stage_play("a", write_wrong_once);
	struct turn *turn = keeper_start("t1", "{\"f24\": [1, 2, 3]}", &ending);
	stage_until_over(&ending);
	cr_expect_str_eq(turn_error(turn)->text, "the node a (agent puppet_1): the field list "
						 "takes a value of the type list, not int");
	turn_free(turn);
	expect_played("a a a");
	turn = keeper_resume("t1", NULL);
	cr_expect_eq(turn_status(turn), TURN_DONE);
	expect_field(turn, "list", "[1,2,3]");
	expect_played("a");
	struct ss_value *trace = turn_trace(turn);
	cr_expect_null(value_get(stage_entry(trace, "a"), "restored"));
	value_unref(trace);
	turn_free(turn);
	close_stage();
}

Test(interrupts, before_and_after_a_node_are_answered_elsewhere)
{
	struct ending ending;
	open_stage("durability: turn\n"
		   "nodes:\n"
		   "  a: {agent: puppet_1, interrupt: {before: true, show: [f1], answer: f2}}\n"
		   "  b: {agent: puppet_3, interrupt: {after: true, show: [f2], answer: f4}}\n"
		   "edges: [{from: START, to: a}, {from: a, to: b}, {from: b, to: END}]\n");
	stage_play("a", write_f1);
	struct turn *turn = keeper_start("t1", NULL, &ending);
	stage_until_over(&ending);
	char *answers = answer_to(turn, "a", "1");
	turn_free(turn);
	expect_played("");
	turn = keeper_resume("t1", answers);
	cr_expect_eq(turn_status(turn), TURN_INTERRUPTED);
	expect_field(turn, "f2", "1");
	expect_field(turn, "f1", "7");
	expect_played("a b");
	free(answers);
	answers = answer_to(turn, "b", "2");
	turn_free(turn);
	turn = keeper_resume("t1", answers);
	cr_expect_eq(turn_status(turn), TURN_DONE);
	expect_field(turn, "f2", "1");
	expect_field(turn, "f4", "2");
	expect_played("");
	free(answers);
	turn_free(turn);
	close_stage();
}

Test(interrupts, are_answered_in_the_process_that_asked_as_well)
{
	struct ending ending;
	struct ss_error err = {0};
	open_stage("durability: node\n"
		   "nodes:\n"
		   "  a: {agent: puppet_1, interrupt: {before: true}}\n"
		   "  b: {agent: puppet_2, interrupt: {after: true}}\n"
		   "edges: [{from: START, to: [a, b]}, {from: [a, b], to: END}]\n");
	struct turn *turn = keeper_start("t1", NULL, &ending);
	stage_until_over(&ending);
	for (int i = 0; i < 2; i++) {
		char *text = answer_to(turn, i == 0 ? "a" : "b", "null");
		struct ss_value *answers = json_parse(text, strlen(text), &err);
		cr_assert_eq(turn_resume(turn, answers, &err), 0);
		cr_expect_eq(turn_resume(turn, answers, &err), -1);
		cr_expect_str_eq(err.text, "the turn is being gone on with");
		ending.calls = 0;
		stage_until_over(&ending);
		value_unref(answers);
		free(text);
	}
	cr_expect_eq(turn_status(turn), TURN_DONE);
	cr_expect_str_eq(keeper_status("t1"), "done");
	turn_free(turn);
	close_stage();
}

Test(interrupts, are_not_answered_when_somebody_else_has_answered)
{
	struct ending ending;
	struct ss_error err = {0};
	open_stage("durability: node\n"
		   "nodes: {a: {agent: puppet_1, interrupt: {before: true}}}\n"
		   "edges: [{from: START, to: a}, {from: a, to: END}]\n");
	struct turn *turn = keeper_start("t1", NULL, &ending);
	stage_until_over(&ending);
	record_unref(keeper_fetch("t1", true));
	char *text = answer_to(turn, "a", "null");
	struct ss_value *answers = json_parse(text, strlen(text), &err);
	cr_assert_eq(turn_resume(turn, answers, &err), 0);
	ending.calls = 0;
	stage_until_over(&ending);
	cr_expect_eq(turn_status(turn), TURN_FAILED);
	expect_played("");
	value_unref(answers);
	free(text);
	turn_free(turn);
	close_stage();
}

Test(journal, looks_back_without_running_anything)
{
	struct ending ending;
	open_stage(CHAIN);
	stage_play("a", write_f1);
	keeper.writes_left = 1;
	struct turn *turn = keeper_start("t1", NULL, &ending);
	stage_until_over(&ending);
	turn_free(turn);
	buffer_free(&stage.played);
	struct record *record = keeper_fetch("t1", false);
	turn = keeper_go_on(record, true, &ending);
	stage_until_over(&ending);
	cr_expect_eq(turn_status(turn), TURN_INTERRUPTED);
	expect_field(turn, "f1", "7");
	expect_played("");
	cr_expect_eq(keeper.writes, (size_t)1);
	struct ss_value *interrupts = turn_interrupts(turn);
	cr_expect_eq(value_count(interrupts), (size_t)0);
	value_unref(interrupts);
	struct ss_error err;
	cr_expect_eq(turn_resume(turn, NULL, &err), -1);
	record_unref(record);
	turn_free(turn);
	close_stage();
}

Test(journal, keeps_values_as_they_are)
{
	static const char values[] =
		"{\"f24\":[1,1.0,1e+300,-9223372036854775808,null,true,\"a\\u0000b\\n\","
		"{\"x\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]}]}";
	struct ending ending;
	open_stage("durability: node\n"
		   "nodes:\n"
		   "  a: {agent: assign, options: {set: {list: f24, f22: '1.0'}}}\n"
		   "  b: {agent: puppet_1}\n"
		   "edges: [{from: START, to: a}, {from: a, to: b}, {from: b, to: END}]\n");
	keeper.writes_left = 1;
	struct turn *turn = keeper_start("t1", values, &ending);
	stage_until_over(&ending);
	char *before = json_text(turn_field(turn, "list"));
	turn_free(turn);
	keeper.writes_left = SIZE_MAX;
	keeper_release("t1");
	turn = keeper_resume("t1", NULL);
	expect_field(turn, "list", before);
	cr_expect_eq(value_type(turn_field(turn, "f22")), SS_NUMBER);
	cr_expect_eq(value_type(value_at(turn_field(turn, "list"), 1)), SS_NUMBER);
	free(before);
	turn_free(turn);
	close_stage();
}
