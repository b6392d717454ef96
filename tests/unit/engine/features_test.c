/* What nodes can do beside running an agent: fan out, fail and be tried again, be remembered, choose what
 * comes next, ask somebody outside, and be whole workflows. Played by the agent `assign`. */
#include "stage.h"

#include "base/memory.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A turn of the nodes in YAML with INPUT has ended with the FIELD that is EXPECTED as JSON. */
static void expect_field(struct turn *turn, const char *field, const char *expected)
{
	char *text = json_text(turn_field(turn, field));
	cr_expect_str_eq(text, expected, "%s is %s, not %s", field, text, expected);
	free(text);
}

/* The member KEY of NODE's last entry in the trace is EXPECTED as JSON; "" when it is not there. */
static void expect_trace(struct turn *turn, const char *node, const char *key, const char *expected)
{
	struct ss_value *trace = turn_trace(turn);
	const struct ss_value *member = value_get(stage_entry(trace, node), key);
	char *text = member != NULL ? json_text(member) : strdup("");
	cr_expect_str_eq(text, expected, "%s of %s is %s, not %s", key, node, text, expected);
	free(text);
	value_unref(trace);
}

#define ONE(node)                                                                                  \
	"nodes: {a: {agent: assign, " node "}}\n"                                                  \
	"edges: [{from: START, to: a}, {from: a, to: END}]\n"

/* Reducers. */

Test(reducer, adds_appends_and_compares)
{
	stage_open("nodes:\n"
		   "  a: {agent: assign, options: {set: {sum: '2', list: '[1]', most: '3'}}}\n"
		   "  b: {agent: assign, options: {set: {sum: '5', list: '[2, 3]', most: '1'}}}\n"
		   "edges: [{from: START, to: a}, {from: a, to: b}, {from: b, to: END}]\n");
	struct turn *turn = stage_turn(NULL);
	cr_expect_null(turn_error(turn));
	expect_field(turn, "sum", "7");
	expect_field(turn, "list", "[1,2,3]");
	expect_field(turn, "most", "3");
	turn_free(turn);
	stage_close();
}

Test(reducer, orders_what_is_written_side_by_side_by_the_file_not_by_time)
{
	static const char *const orders[][3] = {
		{"a", "b", "c"}, {"c", "b", "a"}, {"b", "c", "a"}, {"c", "a", "b"}};
	for (size_t i = 0; i < 4; i++) {
		struct ending ending;
		stage_open("nodes:\n"
			   "  a: {agent: puppet_1, fields: {f1: list}}\n"
			   "  b: {agent: puppet_2, fields: {f2: list}}\n"
			   "  c: {agent: puppet_3, fields: {f3: list}}\n"
			   "edges: [{from: START, to: [c, b, a]}, {from: [a, b, c], to: END}]\n");
		stage_play("a", stage_wait);
		stage_play("b", stage_wait);
		stage_play("c", stage_wait);
		struct turn *turn = stage_start(NULL, &ending);
		stage_await(3);
		for (size_t j = 0; j < 3; j++) {
			struct waiting waiting = stage_take(orders[i][j]);
			struct ss_value *name = value_text(orders[i][j]);
			size_t row = (size_t)(orders[i][j][0] - 'a' + 1);
			cr_expect_eq(waiting.actor->host->write(
					     waiting.run, row, value_list(&name, 1), NULL),
				0);
			waiting.actor->host->finish(waiting.run, SS_DONE, NULL);
		}
		stage_until_over(&ending);
		expect_field(turn, "list", "[\"a\",\"b\",\"c\"]");
		turn_free(turn);
		stage_close();
	}
}

static enum ss_result overwrite_list(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	return actor->host->overwrite(run, STAGE_LIST, value_list(NULL, 0), err) < 0 ? SS_FAILED
										     : SS_DONE;
}

Test(reducer, is_passed_over_by_an_overwrite)
{
	stage_open(
		"nodes:\n"
		"  a: {agent: assign, options: {set: {list: '[1, 2]'}}}\n"
		"  b: {agent: puppet, fields: {f24: list}}\n"
		"  c: {agent: assign, options: {set: {list: '[3]'}}}\n"
		"edges: [{from: START, to: a}, {from: a, to: b}, {from: b, to: c}, {from: c, to: "
		"END}]\n");
	stage_play("b", overwrite_list);
	struct turn *turn = stage_turn(NULL);
	expect_field(turn, "list", "[3]");
	turn_free(turn);
	stage_close();
}

Test(reducer, that_fails_is_an_error_of_its_node_and_nothing_of_it_shows)
{
	stage_open(
		"nodes:\n"
		"  a: {agent: assign, options: {set: {list: '[1]', sum: '9223372036854775807'}}}\n"
		"  b: {agent: assign, options: {set: {list: '[2]', sum: '1'}}, on_error: {set: "
		"{f1: 5}, error: f20}}\n"
		"edges: [{from: START, to: a}, {from: a, to: b}, {from: b, to: END}]\n");
	struct turn *turn = stage_turn(NULL);
	cr_expect_null(turn_error(turn));
	expect_field(turn, "list", "[1]");
	expect_field(turn, "f1", "5");
	expect_field(turn, "f20",
		"\"the field sum is 9223372036854775807; it overflows when 1 is added\"");
	turn_free(turn);
	stage_close();
}

/* Fan-out. */

Test(send, runs_a_copy_for_each_item_and_joins_them_in_order)
{
	stage_open(ONE("send: {over: f24, as: f0, limit: 2}, options: {set: {list: '[f0 * 2]', "
		       "sum: f0}, delay: 1ms}"));
	stage_close_engine();
	stage_begin();
	struct turn *turn = stage_turn("{\"f24\": [5, 1, 4, 2]}");
	cr_expect_null(turn_error(turn));
	expect_field(turn, "list", "[10,2,8,4]");
	expect_field(turn, "sum", "12");
	expect_field(turn, "f0", "0");
	expect_trace(turn, "a", "copies", "4");
	turn_free(turn);
	stage_close();
}

Test(send, over_nothing_is_done_at_once)
{
	stage_open(ONE("send: {over: f24, as: f0}, options: {set: {sum: f0}}"));
	struct turn *turn = stage_turn("{\"f24\": []}");
	cr_expect_null(turn_error(turn));
	expect_field(turn, "sum", "0");
	expect_trace(turn, "a", "copies", "0");
	turn_free(turn);
	stage_close();
}

Test(send, of_thousands_needs_no_deep_stack)
{
	struct ss_value *items[5000];
	for (int i = 0; i < 5000; i++)
		items[i] = value_int(1);
	struct ss_value *input = value_map_make({"f24", value_list(items, 5000)});
	char *json = json_text(input);
	stage_open(ONE("send: {over: f24, as: f0, limit: 10000}, options: {set: {sum: f0}}"));
	struct turn *turn = stage_turn(json);
	cr_expect_null(turn_error(turn));
	expect_field(turn, "sum", "5000");
	turn_free(turn);
	stage_close();
	free(json);
	value_unref(input);
}

static enum ss_result wait_for_item(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	return stage_wait(actor, run, err);
}

Test(send, starts_no_more_copies_at_once_than_its_limit)
{
	struct ending ending;
	stage_open("nodes: {a: {agent: puppet_1, fields: {f1: sum}, send: {over: f24, as: f0, "
		   "limit: 2}}}\n"
		   "edges: [{from: START, to: a}, {from: a, to: END}]\n");
	stage_play("a", wait_for_item);
	struct turn *turn = stage_start("{\"f24\": [1, 2, 3]}", &ending);
	stage_await(2);
	stage_spin();
	cr_expect_eq(stage.waiting_count, 2);
	stage_finish("a", NULL);
	stage_await(2);
	stage_finish("a", NULL);
	stage_finish("a", NULL);
	stage_until_over(&ending);
	cr_expect_null(turn_error(turn));
	turn_free(turn);
	stage_close();
}

Test(send, fails_with_the_error_of_its_first_item_that_failed)
{
	struct ending ending;
	stage_open("nodes: {a: {agent: puppet_1, fields: {f1: sum}, send: {over: f24, as: f0}, "
		   "on_error: {set: {f2: 1}, error: f20}}}\n"
		   "edges: [{from: START, to: a}, {from: a, to: END}]\n");
	stage_play("a", stage_wait);
	struct turn *turn = stage_start("{\"f24\": [1, 2, 3]}", &ending);
	stage_await(3);
	struct waiting first = stage_take("a");
	stage_finish("a", "the second");
	stage_finish("a", NULL);
	stage_spin();
	cr_expect_eq(ending.calls, 0, "the first may still fail");
	const struct ss_error why = {.status = SS_INTERNAL, .text = "the first"};
	first.actor->host->finish(first.run, SS_FAILED, &why);
	stage_until_over(&ending);
	expect_field(turn, "f20", "\"the first\"");
	turn_free(turn);
	stage_close();
}

Test(send, refuses_an_item_that_does_not_fit)
{
	stage_open(ONE("send: {over: f24, as: f0}, options: {set: {sum: f0}}"));
	struct turn *turn = stage_turn("{\"f24\": [1, \"two\"]}");
	cr_assert_not_null(turn_error(turn));
	cr_expect_not_null(strstr(turn_error(turn)->text, "the field f0 takes a value of the type "
							  "int, not string"),
		"%s", turn_error(turn)->text);
	turn_free(turn);
	stage_close();
}

/* Retries and fallbacks. */

Test(retry, tries_again_and_shows_nothing_of_what_failed)
{
	stage_open(ONE("retry: {attempts: 3, backoff: 1ms}, options: {fail: '\"away\"', "
		       "fail_times: 2, set: {sum: '1'}}"));
	struct turn *turn = stage_turn(NULL);
	cr_expect_null(turn_error(turn));
	expect_field(turn, "sum", "1");
	expect_trace(turn, "a", "attempts", "3");
	char *logged = stage_logged();
	cr_expect_not_null(strstr(logged, "the node a is tried again in"));
	free(logged);
	turn_free(turn);
	stage_close();
}

/* The waits in seconds before the attempts of the one node, as the log tells them. */
static size_t waits_of(const char *node, double *waits, size_t room)
{
	static const char mark[] = "is tried again in ";
	size_t count = 0;
	stage_open(node);
	turn_free(stage_turn(NULL));
	char *logged = stage_logged();
	for (const char *at = logged; (at = strstr(at, mark)) != NULL && count < room;) {
		at += strlen(mark);
		waits[count++] = strtod(at, NULL);
	}
	free(logged);
	stage_close();
	return count;
}

Test(retry, waits_longer_each_time_up_to_a_cap)
{
	static const double expected[] = {0.001, 0.003, 0.005, 0.005};
	double waits[10];
	size_t count = waits_of(ONE("retry: {attempts: 5, backoff: 1ms, factor: 3, max_backoff: "
				    "5ms, jitter: 0}, options: {fail: '\"away\"'}"),
		waits, array_length(waits));
	cr_assert_eq(count, array_length(expected));
	for (size_t i = 0; i < count; i++)
		cr_expect_float_eq(waits[i], expected[i], 1e-9, "wait %zu is %g s", i, waits[i]);
}

Test(retry, shortens_its_waits_by_chance)
{
	double waits[40];
	double shortest = 1, longest = 0;
	size_t count = waits_of(ONE("retry: {attempts: 41, backoff: 1ms, factor: 1, jitter: 0.5}, "
				    "options: {fail: '\"away\"'}"),
		waits, array_length(waits));
	cr_assert_eq(count, array_length(waits));
	for (size_t i = 0; i < count; i++) {
		cr_expect(waits[i] >= 0.0005 && waits[i] <= 0.001, "%g s", waits[i]);
		shortest = waits[i] < shortest ? waits[i] : shortest;
		longest = waits[i] > longest ? waits[i] : longest;
	}
	cr_expect_lt(shortest, 0.00065);
	cr_expect_gt(longest, 0.00085);
}

Test(retry, gives_up_after_its_attempts)
{
	stage_open(ONE("retry: {attempts: 2, backoff: 1ms}, options: {fail: '\"away\"'}"));
	struct turn *turn = stage_turn(NULL);
	cr_assert_not_null(turn_error(turn));
	cr_expect_str_eq(turn_error(turn)->text, "the node a (agent assign): away");
	expect_trace(turn, "a", "attempts", "2");
	turn_free(turn);
	stage_close();
}

Test(retry, is_only_for_the_errors_that_it_names)
{
	stage_open(ONE("retry: {attempts: 5, backoff: 1ms, on: [timeout]}, options: {fail: "
		       "'\"wrong\"', fail_as: invalid}"));
	struct turn *turn = stage_turn(NULL);
	cr_assert_not_null(turn_error(turn));
	cr_expect_eq(turn_error(turn)->status, SS_INVALID);
	expect_trace(turn, "a", "attempts", "");
	turn_free(turn);
	stage_close();
}

Test(retry, of_an_attempt_that_takes_too_long_ignores_what_it_says_late)
{
	struct ending ending;
	stage_open("nodes: {a: {agent: puppet, timeout: 5ms, retry: {attempts: 2, backoff: 1ms}}}\n"
		   "edges: [{from: START, to: a}, {from: a, to: END}]\n");
	stage_play("a", stage_wait);
	struct turn *turn = stage_start(NULL, &ending);
	stage_await(2);
	struct waiting late = stage_take("a");
	cr_expect_eq(actor_write(late.actor, late.run, 0, 1, NULL), -1);
	late.actor->host->finish(late.run, SS_DONE, NULL);
	struct waiting second = stage_take("a");
	cr_expect_eq(second.actor->host->attempt(second.run), 2);
	cr_expect_eq(actor_write(second.actor, second.run, 0, 2, NULL), 0);
	second.actor->host->finish(second.run, SS_DONE, NULL);
	stage_until_over(&ending);
	cr_expect_null(turn_error(turn));
	expect_field(turn, "f0", "2");
	turn_free(turn);
	stage_close();
}

Test(deadline, is_for_all_attempts_together)
{
	stage_open(ONE("deadline: 30ms, retry: {attempts: 100, backoff: 10ms, factor: 1}, options: "
		       "{fail: '\"away\"'}, on_error: {set: {f1: 1}, error: f20}"));
	struct turn *turn = stage_turn(NULL);
	cr_expect_null(turn_error(turn));
	expect_field(turn, "f20", "\"took longer than 0.03 s (its deadline)\"");
	turn_free(turn);
	stage_close();
}

static enum ss_result block(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	(void)usleep(20000);
	return actor_write(actor, run, 0, 1, err) < 0 ? SS_FAILED : SS_DONE;
}

Test(timeout, that_a_blocking_agent_overruns_is_told_and_its_result_dropped)
{
	stage_open("nodes: {a: {agent: puppet, timeout: 5ms, on_error: {set: {f1: 7}}}}\n"
		   "edges: [{from: START, to: a}, {from: a, to: END}]\n");
	stage_play("a", block);
	struct turn *turn = stage_turn(NULL);
	cr_expect_null(turn_error(turn));
	expect_field(turn, "f0", "0");
	expect_field(turn, "f1", "7");
	expect_trace(turn, "a", "blocked", "true");
	char *logged = stage_logged();
	cr_expect_not_null(strstr(logged, "kept the server from everything else for"));
	free(logged);
	turn_free(turn);
	stage_close();
}

Test(fallback, may_be_a_node_that_is_told_the_error)
{
	stage_open(
		"nodes:\n"
		"  a: {agent: assign, options: {fail: '\"gone\"'}, on_error: {to: c, error: f20}}\n"
		"  b: {agent: assign, options: {set: {f1: '1'}}}\n"
		"  c: {agent: assign, options: {set: {f2: '1'}}}\n"
		"edges:\n"
		"  - {from: START, to: a}\n"
		"  - {from: a, to: b}\n"
		"  - {from: [b, c], any: true, to: END}\n");
	struct turn *turn = stage_turn(NULL);
	cr_expect_null(turn_error(turn));
	expect_field(turn, "f1", "0");
	expect_field(turn, "f2", "1");
	expect_field(turn, "f20", "\"gone\"");
	expect_trace(turn, "a", "status", "\"degraded\"");
	expect_trace(turn, "a", "taken", "[{\"to\":\"c\"}]");
	turn_free(turn);
	stage_close();
}

/* The cache. */

#define CACHED(ttl)                                                                                \
	"nodes: {a: {agent: puppet_0, cache: {key: [given], ttl: " ttl ", entries: 2}}}\n"         \
	"edges: [{from: START, to: a}, {from: a, to: END}]\n"

static enum ss_result square(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	int64_t given = actor_read(actor, run, PUPPET_READ_ONLY);
	return actor_write(actor, run, 0, given * given, err) < 0 ? SS_FAILED : SS_DONE;
}

static void expect_square(int given, bool cached)
{
	char input[40], expected[40];
	(void)snprintf(input, sizeof input, "{\"given\": %d}", given);
	(void)snprintf(expected, sizeof expected, "%d", given * given);
	struct turn *turn = stage_turn(input);
	cr_expect_null(turn_error(turn));
	expect_field(turn, "f0", expected);
	expect_trace(turn, "a", "cached", cached ? "true" : "");
	turn_free(turn);
}

Test(cache, remembers_what_a_node_wrote_for_the_same_fields)
{
	stage_open(CACHED("1h"));
	stage_play("a", square);
	expect_square(3, false);
	expect_square(3, true);
	expect_square(4, false);
	expect_square(3, true);
	expect_square(5, false);
	expect_square(4, false);
	cr_expect_str_eq(buffer_text(&stage.played), "a a a a", "4 had to make room for 5");
	stage_close();
}

Test(cache, forgets_it_when_its_time_is_over)
{
	stage_open(CACHED("20ms"));
	stage_play("a", square);
	expect_square(4, false);
	(void)usleep(30000);
	expect_square(4, false);
	stage_close();
}

static enum ss_result fail_once(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	static bool failed;
	if (failed)
		return square(actor, run, err);
	failed = true;
	(void)ss_fail(err, "not now");
	return SS_FAILED;
}

Test(cache, never_keeps_a_failure)
{
	stage_open(CACHED("1h"));
	stage_play("a", fail_once);
	struct turn *turn = stage_turn("{\"given\": 3}");
	cr_expect_not_null(turn_error(turn));
	turn_free(turn);
	expect_square(3, false);
	expect_square(3, true);
	stage_close();
}

static void resume(struct turn *turn, struct ending *ending, const char *const *values);

Test(cache, never_keeps_what_depends_on_an_answer)
{
	stage_open(ONE("cache: {key: [given]}, fields: {answer: f0}, options: {ask: '[1]'}"));
	for (int i = 0; i < 2; i++) {
		struct ending ending;
		struct turn *turn = stage_start(NULL, &ending);
		stage_until_over(&ending);
		cr_assert_eq(turn_status(turn), TURN_INTERRUPTED, "asked again in turn %d", i);
		resume(turn, &ending, (const char *[]){i == 0 ? "5" : "6", NULL});
		expect_field(turn, "f0", i == 0 ? "5" : "6");
		turn_free(turn);
	}
	stage_close();
}

/* Commands. */

#define COMMAND(option)                                                                            \
	"nodes:\n"                                                                                 \
	"  a: {agent: assign, goto: [b, END], options: {goto: " option "}}\n"                      \
	"  b: {agent: assign, options: {set: {f1: '1'}}}\n"                                        \
	"edges: [{from: START, to: a}, {from: b, to: END}]\n"

Test(command, chooses_among_the_declared_nodes)
{
	stage_open(COMMAND("'\"b\"'"));
	struct turn *turn = stage_turn(NULL);
	cr_expect_null(turn_error(turn));
	expect_field(turn, "f1", "1");
	expect_trace(turn, "a", "taken", "[{\"to\":\"b\"}]");
	turn_free(turn);
	stage_close();
}

Test(command, to_any_other_node_is_an_error)
{
	stage_open(COMMAND("'\"c\"'"));
	struct turn *turn = stage_turn(NULL);
	cr_assert_not_null(turn_error(turn));
	cr_expect_str_eq(turn_error(turn)->text,
		"the node a (agent assign): \"c\" is not in the goto of the node a");
	turn_free(turn);
	stage_close();
}

Test(command, must_be_given_where_there_is_no_other_way)
{
	stage_open(COMMAND("'\"\"'"));
	struct turn *turn = stage_turn(NULL);
	cr_assert_not_null(turn_error(turn));
	cr_expect_not_null(strstr(turn_error(turn)->text, "did not say with go_to() which"));
	turn_free(turn);
	stage_close();
}

/* Interrupts. */

static struct ss_value *answers_of(struct turn *turn, const char *const *values)
{
	const char *keys[16];
	struct ss_value *given[16];
	size_t count = 0;
	struct ss_value *interrupts = turn_interrupts(turn);
	char ids[16][32];
	for (; count < value_count(interrupts) && values[count] != NULL; count++) {
		const struct ss_value *one = value_at(interrupts, count);
		(void)snprintf(ids[count], sizeof ids[count], "%s",
			value_as_string(value_get(one, "id"), NULL));
		keys[count] = ids[count];
		given[count] = json_parse(values[count], strlen(values[count]), NULL);
	}
	struct ss_value *answers = value_map(keys, given, count);
	value_unref(interrupts);
	return answers;
}

static void resume(struct turn *turn, struct ending *ending, const char *const *values)
{
	struct ss_error err = {0};
	struct ss_value *answers = answers_of(turn, values);
	ending->calls = 0;
	cr_assert_eq(turn_resume(turn, answers, &err), 0, "%s", err.text);
	value_unref(answers);
	stage_until_over(ending);
}

static void expect_interrupts(struct turn *turn, const char *expected)
{
	struct ss_value *interrupts = turn_interrupts(turn);
	struct buffer said = {0};
	for (size_t i = 0; i < value_count(interrupts); i++) {
		const struct ss_value *one = value_at(interrupts, i);
		char *payload = json_text(value_get(one, "payload"));
		buffer_add_format(&said, "%s%s %s %s", i > 0 ? "; " : "",
			value_as_string(value_get(one, "node"), NULL),
			value_as_string(value_get(one, "when"), NULL), payload);
		free(payload);
	}
	cr_expect_str_eq(buffer_text(&said), expected);
	buffer_free(&said);
	value_unref(interrupts);
}

Test(interrupt, before_a_node_shows_fields_and_takes_an_answer)
{
	struct ending ending;
	stage_open(
		"nodes:\n"
		"  a: {agent: assign, options: {set: {f1: '1'}}}\n"
		"  b: {agent: assign, interrupt: {before: true, show: [f1], answer: f20}, options: "
		"{set: {f2: f1 + 1}}}\n"
		"edges: [{from: START, to: a}, {from: a, to: b}, {from: b, to: END}]\n");
	struct turn *turn = stage_start(NULL, &ending);
	stage_until_over(&ending);
	cr_assert_eq(turn_status(turn), TURN_INTERRUPTED);
	expect_interrupts(turn, "b before {\"f1\":1}");
	expect_field(turn, "f2", "0");
	expect_trace(turn, "b", "status", "\"interrupted\"");
	resume(turn, &ending, (const char *[]){"\"go ahead\"", NULL});
	cr_assert_eq(turn_status(turn), TURN_DONE);
	expect_field(turn, "f2", "2");
	expect_field(turn, "f20", "\"go ahead\"");
	expect_trace(turn, "b", "writes", "[\"f2\",\"f20\"]");
	turn_free(turn);
	stage_close();
}

Test(interrupt, refuses_answers_that_do_not_fit_and_goes_on_waiting)
{
	struct ending ending;
	struct ss_error err = {0};
	stage_open(ONE("interrupt: {after: true, answer: f0}"));
	struct turn *turn = stage_start(NULL, &ending);
	stage_until_over(&ending);
	struct ss_value *answers = answers_of(turn, (const char *[]){"\"text\"", NULL});
	cr_expect_eq(turn_resume(turn, answers, &err), -1);
	cr_expect_str_eq(err.text, "the field f0 takes a value of the type int, not string");
	value_unref(answers);
	answers = value_map_make({"nobody", value_int(1)});
	cr_expect_eq(turn_resume(turn, answers, &err), -1);
	cr_expect_not_null(strstr(err.text, "none of the answers is to one of the 1 interrupts"));
	value_unref(answers);
	cr_expect_eq(turn_status(turn), TURN_INTERRUPTED);
	resume(turn, &ending, (const char *[]){"4", NULL});
	cr_expect_eq(turn_status(turn), TURN_DONE);
	expect_field(turn, "f0", "4");
	expect_trace(turn, "a", "writes", "[\"f0\"]");
	answers = value_map(NULL, NULL, 0);
	cr_expect_eq(turn_resume(turn, answers, &err), -1);
	cr_expect_eq(err.status, SS_CONFLICT);
	value_unref(answers);
	turn_free(turn);
	stage_close();
}

Test(interrupt, of_several_at_once_are_told_apart_and_finished_siblings_do_not_run_again)
{
	struct ending ending;
	stage_open(
		"nodes:\n"
		"  a: {agent: assign, fields: {answer: f20}, options: {ask: '\"a?\"', set: {sum: "
		"'1'}}}\n"
		"  b: {agent: assign, fields: {answer: f0}, options: {ask: '[2]', set: {sum: "
		"'10'}}}\n"
		"  c: {agent: assign, options: {set: {sum: '100'}}}\n"
		"edges: [{from: START, to: [a, b, c]}, {from: [a, b, c], to: END}]\n");
	struct turn *turn = stage_start(NULL, &ending);
	stage_until_over(&ending);
	expect_interrupts(turn, "a during \"a?\"; b during [2]");
	expect_field(turn, "sum", "100");
	resume(turn, &ending, (const char *[]){"\"yes\"", NULL});
	cr_assert_eq(turn_status(turn), TURN_INTERRUPTED, "b still waits");
	expect_interrupts(turn, "b during [2]");
	resume(turn, &ending, (const char *[]){"7", NULL});
	cr_assert_eq(turn_status(turn), TURN_DONE);
	expect_field(turn, "sum", "111");
	expect_field(turn, "f20", "\"yes\"");
	expect_field(turn, "f0", "7");
	turn_free(turn);
	stage_close();
}

Test(interrupt, has_the_same_id_each_time)
{
	char *first = NULL;
	for (int i = 0; i < 2; i++) {
		struct ending ending;
		stage_open(ONE("options: {ask: '1'}"));
		struct turn *turn = stage_start(NULL, &ending);
		stage_until_over(&ending);
		struct ss_value *interrupts = turn_interrupts(turn);
		char *text = json_text(interrupts);
		if (first != NULL)
			cr_expect_str_eq(text, first);
		free(first);
		first = text;
		value_unref(interrupts);
		turn_free(turn);
		stage_close();
	}
	free(first);
}

Test(interrupt, that_is_given_up_leaves_nothing_behind)
{
	struct ending ending;
	stage_open(ONE("options: {ask: '[1]'}, send: {over: f24, as: f0}"));
	struct turn *turn = stage_start("{\"f24\": [1, 2]}", &ending);
	stage_until_over(&ending);
	cr_expect_eq(turn_status(turn), TURN_INTERRUPTED);
	expect_interrupts(turn, "a during [1]; a during [1]");
	turn_free(turn);
	stage_close();
}

/* Limits. */

Test(limit, of_nodes_at_once_is_kept)
{
	struct ending ending;
	stage_open("max_parallel: 2\n"
		   "nodes: {a: {agent: puppet_0}, b: {agent: puppet_1}, c: {agent: puppet_2}}\n"
		   "edges: [{from: START, to: [a, b, c]}, {from: [a, b, c], to: END}]\n");
	stage_play("a", stage_wait);
	stage_play("b", stage_wait);
	stage_play("c", stage_wait);
	struct turn *turn = stage_start(NULL, &ending);
	stage_await(2);
	stage_spin();
	cr_expect_str_eq(buffer_text(&stage.played), "a b");
	stage_finish("b", NULL);
	stage_await(2);
	stage_finish("a", NULL);
	stage_finish("c", NULL);
	stage_until_over(&ending);
	cr_expect_null(turn_error(turn));
	turn_free(turn);
	stage_close();
}

Test(limit, of_the_states_size_ends_the_turn)
{
	stage_open("max_state_kib: 64\n"
		   "nodes: {a: {agent: assign, options: {set: {list: '[f20, f20]', f0: f0 + "
		   "1}}}}\n"
		   "edges:\n"
		   "  - {from: START, to: a}\n"
		   "  - {from: a, choose: [{when: f0 < 90, to: a}, {else: END}]}\n");
	char text[1000];
	memset(text, 'x', sizeof text);
	struct ss_value *input = value_map_make({"f20", value_string(text, sizeof text)});
	char *json = json_text(input);
	struct turn *turn = stage_turn(json);
	cr_assert_not_null(turn_error(turn));
	cr_expect_eq(turn_error(turn)->status, SS_LIMIT);
	cr_expect_not_null(
		strstr(turn_error(turn)->text, "max_state_kib"), "%s", turn_error(turn)->text);
	free(json);
	value_unref(input);
	turn_free(turn);
	stage_close();
}

/* A string of 40 KiB, in quotes. */
static char *long_text(void)
{
	static char text[40 * 1024 + 3];
	memset(text, 'x', sizeof text - 1);
	text[0] = text[sizeof text - 2] = '"';
	return text;
}

static void expect_too_large(const struct ss_error *err)
{
	cr_assert_not_null(err);
	cr_expect_eq(err->status, SS_LIMIT);
	cr_expect_not_null(strstr(err->text, "more than the 64 KiB of max_state_kib in stage.yaml"),
		"%s", err->text);
}

Test(limit, of_the_states_size_holds_for_what_a_turn_begins_with)
{
	struct ss_error err;
	stage_open("max_state_kib: 64\n" ONE("options: {}"));
	struct ss_value *text = json_parse(long_text(), strlen(long_text()), NULL);
	struct ss_value *list[] = {value_ref(text), text};
	struct ss_value *input = value_map_make({"f24", value_list(list, 2)});
	const struct turn_options options = {.input = input, .log = &stage.log};
	cr_expect_null(turn_start(stage.engine, &options, &err));
	expect_too_large(&err);
	value_unref(input);
	stage_close();
}

Test(limit, of_the_states_size_holds_for_what_branches_bring_together)
{
	static const char *const edges[] = {
		"[{from: START, to: [a, b]}, {from: [a, b], to: END}]\n",
		"[{from: START, to: [a, b]}, {from: [a, b], any: true, to: END}]\n",
		"[{from: START, to: [a, b]}, {from: [a, b], to: c}, {from: c, to: END}]\n"};
	for (size_t i = 0; i < array_length(edges); i++) {
		struct buffer yaml = {0};
		buffer_add_format(&yaml,
			"max_state_kib: 64\n"
			"nodes:\n"
			"  a: {agent: assign, options: {set: {list: '[f20.replace(\"x\", "
			"\"y\")]'}}}\n"
			"  b: {agent: assign, options: {set: {list: '[f20.replace(\"x\", "
			"\"z\")]'}}}\n"
			"%sedges: %s",
			i == 2 ? "  c: {agent: puppet_1}\n" : "", edges[i]);
		stage_open(buffer_text(&yaml));
		char *input = memory_format("{\"f20\": \"%.22000s\"}", long_text() + 1);
		struct turn *turn = stage_turn(input);
		expect_too_large(turn_error(turn));
		cr_expect_eq(stage.played.length, 0);
		turn_free(turn);
		free(input);
		buffer_free(&yaml);
		stage_close();
	}
}

Test(limit, of_the_states_size_holds_for_answers)
{
	struct ending ending;
	struct ss_error err = {0};
	stage_open("max_state_kib: 64\n" ONE("interrupt: {before: true, answer: f20}"));
	char *input = memory_format("{\"f24\": [%s]}", long_text());
	struct turn *turn = stage_start(input, &ending);
	stage_until_over(&ending);
	struct ss_value *answers = answers_of(turn, (const char *[]){long_text(), NULL});
	cr_expect_eq(turn_resume(turn, answers, &err), -1);
	expect_too_large(&err);
	cr_expect_eq(turn_status(turn), TURN_INTERRUPTED);
	resume(turn, &ending, (const char *[]){"\"short\"", NULL});
	cr_expect_eq(turn_status(turn), TURN_DONE);
	value_unref(answers);
	turn_free(turn);
	free(input);
	stage_close();
}

Test(limit, of_the_states_size_holds_for_what_the_cache_has)
{
	stage_open("max_state_kib: 64\n"
		   "nodes:\n"
		   "  a: {agent: assign, cache: {key: [f20]}, options: {set: {list: "
		   "'[f20.replace(\"x\", \"y\")]'}}}\n"
		   "edges:\n"
		   "  - {from: START, to: a}\n"
		   "  - {from: a, choose: [{when: size(list) < 90, to: a}, {else: END}]}\n");
	char *input = memory_format("{\"f20\": \"%.22000s\"}", long_text() + 1);
	struct turn *turn = stage_turn(input);
	expect_too_large(turn_error(turn));
	turn_free(turn);
	free(input);
	stage_close();
}
