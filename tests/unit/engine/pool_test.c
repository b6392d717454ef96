/* Agents that block: on threads of a pool, while the turn's other nodes go on and the clock runs. */
#include "stage.h"

#include "base/clock.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <event2/event.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ALONE(node)                                                                                \
	"nodes: {a: {" node "}}\n"                                                                 \
	"edges: [{from: START, to: a}, {from: a, to: END}]\n"

#define SIDE_BY_SIDE(second)                                                                       \
	"nodes:\n"                                                                                 \
	"  a: {agent: blocker_0}\n"                                                                \
	"  b: {agent: " second "}\n"                                                               \
	"  c: {agent: puppet_2}\n"                                                                 \
	"edges: [{from: START, to: [a, b]}, {from: b, to: c}, {from: [a, c], to: END}]\n"

/* Where the agents that block stand until the test lets them go on, and what they have found. Each node has a door of
 * its own; a node's name is one letter. */
static struct door {
	sem_t reached, open;
} doors[4];

static struct {
	atomic_int calls, inside, most;
	atomic_int refused; /* writes */
	atomic_int returned;
} seen;

static void set_up(void)
{
	for (size_t i = 0; i < 4; i++) {
		(void)sem_init(&doors[i].reached, 0, 0);
		(void)sem_init(&doors[i].open, 0, 0);
	}
}

TestSuite(pool, .init = set_up, .timeout = 300);

/* Turns the loop until COUNT calls stand at the door of NODE. */
static void await(char node, int count)
{
	int64_t until = clock_monotonic_ns() + 60 * INT64_C(1000000000);
	while (count > 0 && clock_monotonic_ns() < until) {
		(void)event_base_loop(stage.base, EVLOOP_NONBLOCK);
		count -= sem_trywait(&doors[node - 'a'].reached) == 0;
	}
	cr_assert_eq(count, 0, "%c is not called", node);
}

static void let_go(char node, int count)
{
	for (int i = 0; i < count; i++)
		(void)sem_post(&doors[node - 'a'].open);
}

/* Turns the loop until COUNT acts have returned and are back. */
static void await_returns(int count)
{
	while (atomic_load(&seen.returned) < count)
		stage_spin();
	(void)usleep(1000);
	stage_spin();
}

static void stand(const struct actor *actor)
{
	struct door *door = &doors[actor->name[0] - 'a'];
	int inside = atomic_fetch_add(&seen.inside, 1) + 1;
	int most = atomic_load(&seen.most);
	while (most < inside && !atomic_compare_exchange_weak(&seen.most, &most, inside))
		;
	(void)sem_post(&door->reached);
	(void)sem_wait(&door->open);
	(void)atomic_fetch_sub(&seen.inside, 1);
}

/* Reads, blocks, and reads and writes again: row 0 for a, 1 for b. */
static enum ss_result block(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	int64_t given = actor_read(actor, run, PUPPET_READ_ONLY);
	char *memory = actor->host->allocate(run, 100000);
	(void)atomic_fetch_add(&seen.calls, 1);
	stand(actor);
	memset(memory, 'x', 100000);
	cr_expect_eq(actor_read(actor, run, PUPPET_READ_ONLY), given);
	int result = actor_write(actor, run, (size_t)(actor->name[0] - 'a'), given + 1, err);
	(void)atomic_fetch_add(&seen.refused, result < 0);
	(void)atomic_fetch_add(&seen.returned, 1);
	return result < 0 ? SS_FAILED : SS_DONE;
}

static bool is_blocked(struct turn *turn, const char *node)
{
	struct ss_value *trace = turn_trace(turn);
	bool blocked = value_as_bool(value_get(stage_entry(trace, node), "blocked"));
	value_unref(trace);
	return blocked;
}

Test(pool, lets_the_loop_go_on_while_an_agent_blocks)
{
	struct ending ending;
	stage_open(SIDE_BY_SIDE("puppet_1"));
	stage_play("a", block);
	struct turn *turn = stage_start("{\"given\": 6}", &ending);
	await('a', 1);
	stage_spin();
	cr_expect_str_eq(buffer_text(&stage.played), "b c");
	cr_expect_eq(ending.calls, 0);
	let_go('a', 1);
	stage_until_over(&ending);
	cr_expect_null(turn_error(turn));
	cr_expect_eq(stage_int(turn, "f0"), 7);
	cr_expect_not(is_blocked(turn, "a"));
	turn_free(turn);
	stage_close();
}

Test(pool, runs_nodes_that_block_side_by_side)
{
	struct ending ending;
	stage_open(SIDE_BY_SIDE("blocker_1"));
	stage_play("a", block);
	stage_play("b", block);
	struct turn *turn = stage_start("{\"given\": 1}", &ending);
	await('a', 1);
	await('b', 1);
	let_go('b', 1);
	let_go('a', 1);
	stage_until_over(&ending);
	cr_expect_eq(stage_int(turn, "f0"), 2);
	cr_expect_eq(stage_int(turn, "f1"), 2);
	turn_free(turn);
	stage_close();
}

#define SENT(agent)                                                                                \
	ALONE("agent: " agent ", fields: {f0: sum}, send: {over: '[1, 2, 3, 4, 5, 6]', as: "       \
	      "given}")

/* Sends six copies to the pool and returns how many were at work at once. */
static int most_at_once(const char *yaml, int first)
{
	struct ending ending;
	stage_open(yaml);
	stage_play("a", block);
	struct turn *turn = stage_start(NULL, &ending);
	await('a', first);
	let_go('a', 6);
	stage_until_over(&ending);
	cr_expect_null(turn_error(turn));
	cr_expect_eq(atomic_load(&seen.calls), 6);
	cr_expect_eq(stage_int(turn, "sum"), 27);
	turn_free(turn);
	stage_close();
	return atomic_load(&seen.most);
}

Test(pool, never_calls_an_instance_twice_at_once)
{
	cr_expect_eq(most_at_once(SENT("blocker_0"), 1), 1);
}

Test(pool, calls_an_instance_that_allows_it_on_all_of_its_threads)
{
	cr_expect_eq(most_at_once(SENT("blocker_many"), 4), 4);
}

/* Plays ALONE until the turn is over although a still blocks, then lets it go. The time of a call begins when it is asked
 * for, so it is long enough for a thread of the pool to wake up. */
static struct turn *outlast(const char *yaml)
{
	struct ending ending;
	stage_open(yaml);
	stage_play("a", block);
	struct turn *turn = stage_start(NULL, &ending);
	await('a', 1);
	stage_until_over(&ending);
	cr_expect(is_blocked(turn, "a"));
	let_go('a', 1);
	await_returns(1);
	cr_expect_eq(atomic_load(&seen.refused), 1);
	return turn;
}

Test(pool, is_not_waited_for_beyond_the_timeout)
{
	struct turn *turn = outlast(
		ALONE("agent: blocker, timeout: 500ms, on_error: {set: {f0: -1}, error: f20}"));
	char *logged = stage_logged();
	cr_expect_null(turn_error(turn));
	cr_expect_eq(stage_int(turn, "f0"), -1, "what comes late is dropped");
	cr_expect_str_eq(stage_text(turn, "f20"), "took longer than 0.5 s (its timeout)");
	cr_expect_not_null(strstr(logged, "the agent blocker of the node a still blocks"));
	free(logged);
	turn_free(turn);
	stage_close();
}

Test(pool, is_not_waited_for_beyond_the_deadline)
{
	struct turn *turn = outlast(ALONE("agent: blocker, deadline: 500ms"));
	cr_assert_not_null(turn_error(turn));
	cr_expect_str_eq(turn_error(turn)->text,
		"the node a (agent blocker): took longer than 0.5 s (its deadline)");
	turn_free(turn);
	stage_close();
}

Test(pool, is_not_waited_for_beyond_the_turns_end)
{
	struct turn *turn = outlast("timeout: 500ms\n" ALONE("agent: blocker"));
	cr_assert_not_null(turn_error(turn));
	cr_expect_eq(turn_error(turn)->status, SS_TIMEOUT);
	turn_free(turn);
	stage_close();
}

/* The first attempt blocks; others are done at once. */
static enum ss_result block_at_first(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	unsigned attempt = actor->host->attempt(run);
	if (attempt == 1)
		stand(actor);
	int result = actor_write(actor, run, 0, attempt * 10, err);
	(void)atomic_fetch_add(&seen.refused, result < 0);
	(void)atomic_fetch_add(&seen.returned, 1);
	return result < 0 ? SS_FAILED : SS_DONE;
}

#define TRIED_TWICE(timeout)                                                                       \
	"retry: {attempts: 2, on: [timeout], backoff: 0s}, timeout: " timeout                      \
	", on_error: {set: {f1: 0}, error: f20}"

/* CALLS: how many attempts are called in all. */
static struct turn *try_twice(const char *yaml, int calls)
{
	struct ending ending;
	stage_open(yaml);
	stage_play("a", block_at_first);
	struct turn *turn = stage_start(NULL, &ending);
	await('a', 1);
	stage_until_over(&ending);
	let_go('a', 1);
	await_returns(calls);
	cr_expect_eq(atomic_load(&seen.refused), 1, "what the first attempt writes is refused");
	cr_expect(is_blocked(turn, "a"));
	return turn;
}

Test(pool, runs_the_next_attempt_beside_one_that_still_blocks)
{
	struct turn *turn = try_twice(ALONE("agent: blocker_many, " TRIED_TWICE("2s")), 2);
	cr_expect_null(turn_error(turn));
	cr_expect_eq(stage_int(turn, "f0"), 20);
	turn_free(turn);
	stage_close();
}

Test(pool, lets_the_next_attempt_of_an_instance_wait_for_one_that_still_blocks)
{
	struct turn *turn = try_twice(ALONE("agent: blocker, " TRIED_TWICE("500ms")), 1);
	cr_expect_eq(atomic_load(&seen.returned), 1, "the second attempt was never called");
	cr_expect_eq(stage_int(turn, "f0"), 0);
	cr_expect_str_eq(stage_text(turn, "f20"),
		"waited longer than 0.5 s (its timeout) for other calls that block to end");
	turn_free(turn);
	stage_close();
}

/* Fails the first time. */
static enum ss_result fail_at_first(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	unsigned attempt = actor->host->attempt(run);
	if (actor_write(actor, run, 0, attempt, err) < 0)
		return SS_FAILED;
	if (attempt > 1)
		return SS_DONE;
	(void)ss_fail_as(err, SS_UNAVAILABLE, "not yet");
	return SS_FAILED;
}

Test(pool, tries_again_what_has_failed)
{
	stage_open(ALONE("agent: blocker, retry: {attempts: 2, on: [unavailable], backoff: 1ms}"));
	stage_play("a", fail_at_first);
	struct turn *turn = stage_turn(NULL);
	cr_expect_null(turn_error(turn));
	cr_expect_eq(stage_int(turn, "f0"), 2);
	cr_expect_not(is_blocked(turn, "a"));
	turn_free(turn);
	stage_close();
}

Test(pool, holds_the_turn_of_an_agent_that_blocks_when_it_is_freed)
{
	struct ending ending;
	stage_open(SENT("blocker_0"));
	stage_play("a", block);
	struct turn *turn = stage_start(NULL, &ending);
	await('a', 1);
	turn_free(turn);
	stage_spin();
	let_go('a', 1);
	await_returns(1);
	cr_expect_eq(atomic_load(&seen.calls), 1, "what waited is not called any more");
	cr_expect_eq(atomic_load(&seen.refused), 1);
	cr_expect_eq(ending.calls, 0);
	stage_close();
}

static void *let_a_go(void *unused)
{
	(void)usleep(30000);
	let_go('a', 1);
	return unused;
}

Test(pool, is_waited_for_when_the_engine_ends)
{
	struct ending ending;
	pthread_t opener;
	stage_open(ALONE("agent: blocker"));
	stage_play("a", block);
	struct turn *turn = stage_start(NULL, &ending);
	await('a', 1);
	engine_stop(stage.engine);
	stage_until_over(&ending);
	cr_expect_eq(turn_error(turn)->status, SS_UNAVAILABLE);
	cr_expect(is_blocked(turn, "a"));
	turn_free(turn);
	cr_assert_eq(pthread_create(&opener, NULL, let_a_go, NULL), 0);
	stage_close();
	cr_expect_eq(atomic_load(&seen.returned), 1);
	cr_expect_eq(atomic_load(&seen.refused), 1);
	(void)pthread_join(opener, NULL);
}

Test(pool, refuses_calls_when_too_many_wait)
{
	struct ending ending;
	stage_open("nodes:\n"
		   "  a: {agent: blocker_many, fields: {f0: sum}, send: {over: f24, as: given, "
		   "limit: 1000}}\n"
		   "edges: [{from: START, to: a}, {from: a, to: END}]\n");
	stage_play("a", block);
	struct buffer input = {0};
	buffer_add_string(&input, "{\"f24\": [0");
	for (int i = 1; i < 261; i++)
		buffer_add_format(&input, ", %d", i);
	buffer_add_string(&input, "]}");
	let_go('a', 261);
	struct turn *turn = stage_start(buffer_text(&input), &ending);
	stage_until_over(&ending);
	cr_assert_not_null(turn_error(turn));
	cr_expect_eq(turn_error(turn)->status, SS_LIMIT);
	cr_expect_not_null(strstr(turn_error(turn)->text, "too many requests are waiting"));
	turn_free(turn);
	buffer_free(&input);
	stage_close();
}

/* What must not be called in a run that blocks. */
static void on_embedded(void *instance, struct ss_run *run, const float *const *vectors,
	size_t count, size_t dimension, const struct ss_error *err)
{
	(void)instance, (void)run, (void)vectors, (void)count, (void)dimension, (void)err;
	cr_expect(false, "embedded");
}

static void on_found(void *instance, struct ss_run *run, const struct ss_value *articles,
	const struct ss_error *err)
{
	(void)instance, (void)run, (void)articles, (void)err;
	cr_expect(false, "found");
}

static void on_generated(void *instance, struct ss_run *run, struct ss_text answer,
	const struct ss_value *sources, const char *model, const struct ss_error *err)
{
	(void)instance, (void)run, (void)answer, (void)sources, (void)model, (void)err;
	cr_expect(false, "generated");
}

static void on_waited(void *instance, struct ss_run *run, const struct ss_error *err)
{
	(void)instance, (void)run, (void)err;
	cr_expect(false, "waited");
}

static void expect_refused(int result, const struct ss_error *err, const char *function)
{
	char said[100];
	(void)snprintf(said, sizeof said,
		"the agent blocker blocks, as its descriptor says: it may not call %s()", function);
	cr_expect_eq(result, -1);
	cr_expect_eq(err->status, SS_INVALID);
	cr_expect_not_null(strstr(err->text, said), "%s", err->text);
}

static enum ss_result ask_for_everything(
	struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	const struct ss_host *host = actor->host;
	const struct ss_text text = {"x", 1};
	const struct ss_search query = {.struct_size = sizeof query, .text = text, .top_k = 1};
	const struct ss_prompt prompt = {.struct_size = sizeof prompt, .question = text};
	struct ss_error why = {0};
	expect_refused(host->embed(run, &text, 1, on_embedded, &why), &why, "embed");
	expect_refused(host->search(run, &query, on_found, &why), &why, "search");
	expect_refused(host->generate(run, &prompt, on_generated, &why), &why, "generate");
	expect_refused(host->wait(run, 0, on_waited, &why), &why, "wait");
	return actor_write(actor, run, 0, 1, err) < 0 ? SS_FAILED : SS_DONE;
}

Test(pool, refuses_what_calls_back_on_the_loop)
{
	stage_open(ALONE("agent: blocker"));
	stage_play("a", ask_for_everything);
	struct turn *turn = stage_turn(NULL);
	cr_expect_null(turn_error(turn));
	cr_expect_eq(stage_int(turn, "f0"), 1);
	turn_free(turn);
	stage_close();
}

static enum ss_result stay_pending(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	(void)actor, (void)run, (void)err;
	return SS_PENDING;
}

static enum ss_result call_finish(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	(void)err;
	(void)actor_write(actor, run, 0, 1, NULL);
	actor->host->finish(run, SS_DONE, NULL);
	return SS_DONE;
}

Test(pool, fails_a_run_that_does_not_end_with_what_it_returns)
{
	static stage_act *const acts[] = {stay_pending, call_finish};
	static const char *const said[] = {"not with SS_PENDING", "not with finish()"};
	for (size_t i = 0; i < 2; i++) {
		stage_open(ALONE("agent: blocker"));
		stage_play("a", acts[i]);
		struct turn *turn = stage_turn(NULL);
		cr_assert_not_null(turn_error(turn));
		cr_expect_not_null(
			strstr(turn_error(turn)->text, said[i]), "%s", turn_error(turn)->text);
		cr_expect_eq(stage_int(turn, "f0"), 0);
		turn_free(turn);
		stage_close();
	}
}

/* Uses all that it may. */
static enum ss_result use_everything(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	const struct ss_host *host = actor->host;
	struct ss_error why = {0};
	struct ss_value *said = host->evaluate(run, PUPPET_SAY, err);
	cr_expect_str_eq(actor->values->as_string(said, NULL), "5 is given");
	cr_expect_null(host->evaluate(run, 77, &why));
	cr_expect_eq(why.status, SS_NOT_FOUND);
	cr_expect_eq(host->attempt(run), 1u);
	cr_expect_eq(host->go_to(run, "nowhere", &why), -1);
	cr_expect_eq(host->overwrite(run, 0, actor->values->integer(1), err), 0);
	cr_expect_eq(host->overwrite(run, 0, actor->values->integer(9), err), 0);
	if (host->write(run, STAGE_TEXT, said, err) < 0 || host->assign(run, PUPPET_SET, err) < 0 ||
		host->go_to(run, "c", err) < 0)
		return SS_FAILED;
	return SS_DONE;
}

Test(pool, lets_agents_read_write_compute_and_choose)
{
	stage_open("nodes:\n"
		   "  a: {agent: blocker, goto: [b, c],\n"
		   "      options: {say: 'string(given) + \" is given\"', set: {sum: given * 2, "
		   "list: '[1]'}}}\n"
		   "  b: {agent: puppet_1}\n"
		   "  c: {agent: puppet_2}\n"
		   "edges: [{from: START, to: a}, {from: [b, c], any: true, to: END}]\n");
	stage_play("a", use_everything);
	struct turn *turn = stage_turn("{\"given\": 5}");
	cr_expect_null(turn_error(turn), "%s", turn_error(turn)->text);
	cr_expect_str_eq(buffer_text(&stage.played), "c");
	cr_expect_str_eq(stage_text(turn, "f20"), "5 is given");
	cr_expect_eq(stage_int(turn, "f0"), 9);
	cr_expect_eq(stage_int(turn, "sum"), 10);
	cr_expect_eq(value_count(turn_field(turn, "list")), 1);
	turn_free(turn);
	stage_close();
}

/* Does not look at what write() returns. */
static enum ss_result write_elsewhere(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	(void)err;
	(void)actor_write(actor, run, 0, 1, NULL);
	(void)actor_write(actor, run, PUPPET_READ_ONLY, 1, NULL);
	return SS_DONE;
}

Test(pool, fails_a_run_that_writes_a_field_which_is_not_its_agents)
{
	stage_open(ALONE("agent: blocker"));
	stage_play("a", write_elsewhere);
	struct turn *turn = stage_turn(NULL);
	cr_assert_not_null(turn_error(turn));
	cr_expect_str_eq(turn_error(turn)->text,
		"the node a (agent blocker): the agent blocker does not declare that it writes the "
		"field given");
	cr_expect_eq(stage_int(turn, "f0"), 0);
	turn_free(turn);
	stage_close();
}

static enum ss_result ask_first(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	const struct ss_value *answer = actor->host->answered(run);
	(void)atomic_fetch_add(&seen.calls, 1);
	if (answer != NULL)
		return actor->host->write(run, 0, actor->values->ref(answer), err) < 0 ? SS_FAILED
										       : SS_DONE;
	if (actor->host->interrupt(run, actor->values->string("how many?", 9), err) < 0)
		return SS_FAILED;
	return SS_INTERRUPTED;
}

Test(pool, lets_agents_ask_somebody_outside)
{
	struct ending ending;
	struct ss_error err = {0};
	stage_open(ALONE("agent: blocker"));
	stage_play("a", ask_first);
	struct turn *turn = stage_start(NULL, &ending);
	stage_until_over(&ending);
	cr_assert_eq(turn_status(turn), TURN_INTERRUPTED);
	struct ss_value *asked = turn_interrupts(turn);
	const struct ss_value *one = value_at(asked, 0);
	cr_expect_str_eq(value_as_string(value_get(one, "payload"), NULL), "how many?");
	const char *id = value_as_string(value_get(one, "id"), NULL);
	struct ss_value *three = value_int(3);
	struct ss_value *answers = value_map(&id, &three, 1);
	ending = (struct ending){0};
	cr_assert_eq(turn_resume(turn, answers, &err), 0, "%s", err.text);
	stage_until_over(&ending);
	cr_expect_eq(turn_status(turn), TURN_DONE);
	cr_expect_eq(stage_int(turn, "f0"), 3);
	cr_expect_eq(atomic_load(&seen.calls), 2);
	value_unref(answers);
	value_unref(asked);
	turn_free(turn);
	stage_close();
}

/* Lists are appended to in place when nobody else sees them: here somebody does. */
static enum ss_result read_the_list(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	const struct ss_value_functions *values = actor->values;
	const struct ss_value *list = actor->host->read(run, STAGE_LIST);
	size_t before = values->count(list);
	stand(actor);
	int64_t sum = 0;
	cr_expect_eq(values->count(list), before);
	for (size_t i = 0; i < values->count(list); i++)
		sum += values->as_int(values->at(list, i));
	return actor_write(actor, run, 0, sum, err) < 0 ? SS_FAILED : SS_DONE;
}

Test(pool, shows_agents_the_state_as_it_was_although_it_goes_on)
{
	struct ending ending;
	stage_open("nodes:\n"
		   "  a: {agent: blocker_0, fields: {f24: list}}\n"
		   "  s: {agent: assign, options: {set: {list: '[1, 2, 3]'}}}\n"
		   "  b: {agent: assign, options: {set: {list: '[10]'}}}\n"
		   "  c: {agent: assign, options: {set: {list: '[20]', f20: '\"new\"'}}}\n"
		   "edges:\n"
		   "  - {from: START, to: s}\n"
		   "  - {from: s, to: [a, b]}\n"
		   "  - {from: b, to: c}\n"
		   "  - {from: [a, c], to: END}\n");
	stage_play("a", read_the_list);
	struct turn *turn = stage_start(NULL, &ending);
	await('a', 1);
	stage_spin();
	let_go('a', 1);
	stage_until_over(&ending);
	cr_expect_null(turn_error(turn));
	cr_expect_eq(stage_int(turn, "f0"), 6);
	cr_expect_eq(value_count(turn_field(turn, "list")), 5);
	cr_expect_str_eq(stage_text(turn, "f20"), "new");
	turn_free(turn);
	stage_close();
}

/* Takes a little time, never the same. */
static enum ss_result take_some_time(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	(void)usleep((unsigned)(now.tv_nsec / 1000 % 700));
	return actor->host->assign(run, PUPPET_SET, err) < 0 ? SS_FAILED : SS_DONE;
}

struct told {
	struct ending ending;
	struct buffer order; /* of the nodes' ends */
};

static void note_end(void *context, struct turn *turn, const struct ss_value *event)
{
	struct told *told = context;
	(void)turn;
	buffer_add_string(&told->order, value_as_string(value_get(event, "node"), NULL));
}

static void note_over(void *context, struct turn *turn)
{
	struct told *told = context;
	told->ending.turn = turn;
	told->ending.calls++;
}

/* The state, the trace and the order of the ends in an order of SHUFFLE's. */
static char *play_shuffled(uint64_t shuffle, char **order)
{
	struct ss_error err = {0};
	struct told told = {0};
	stage.options.shuffle = shuffle;
	stage_begin();
	const struct turn_options options = {.log = &stage.log,
		.over = note_over,
		.event = note_end,
		.events = TURN_NODE_FINISHED,
		.context = &told};
	struct turn *turn = turn_start(stage.engine, &options, &err);
	stage_until_over(&told.ending);
	cr_assert_null(turn_error(turn), "%s", turn_error(turn)->text);
	struct ss_value *both =
		value_map_make({"state", turn_state(turn)}, {"trace", turn_trace(turn)});
	char *text = json_text(both);
	value_unref(both);
	turn_free(turn);
	stage_close_engine();
	*order = buffer_take(&told.order);
	return text;
}

Test(pool, ends_runs_in_an_order_that_the_seed_decides)
{
	static const char yaml[] =
		"nodes:\n"
		"  a: {agent: blocker_0, options: {set: {list: '[\"a\", sum]', sum: '1'}}}\n"
		"  b: {agent: blocker_1, options: {set: {list: '[\"b\", sum]', sum: '10'}}}\n"
		"  c: {agent: assign, options: {set: {list: '[\"c\", sum]', sum: '100'}, delay: "
		"1ms}}\n"
		"  d: {agent: blocker_many, fields: {f0: ~}, send: {over: '[1, 2, 3]', as: f2, "
		"limit: 2},\n"
		"      options: {set: {list: '[f2]', sum: f2 * 1000}}}\n"
		"edges:\n"
		"  - {from: START, to: [a, b, c]}\n"
		"  - {from: b, to: d}\n"
		"  - {from: [a, c, d], to: END}\n";
	bool differs = false;
	char *first_order = NULL;
	char *first = NULL;
	stage_prepare(yaml);
	stage_play("a", take_some_time);
	stage_play("b", take_some_time);
	stage_play("d", take_some_time);
	for (uint64_t seed = 1; seed <= 12; seed++) {
		char *order, *again_order;
		char *text = play_shuffled(seed, &order);
		char *again = play_shuffled(seed, &again_order);
		cr_expect_str_eq(again, text);
		cr_expect_str_eq(again_order, order, "the same seed gives the same order");
		if (first != NULL) {
			cr_expect_str_eq(text, first);
			differs |= strcmp(order, first_order) != 0;
			free(text);
			free(order);
		} else {
			first = text;
			first_order = order;
		}
		free(again);
		free(again_order);
	}
	cr_expect(differs, "always %s", first_order);
	free(first);
	free(first_order);
	stage_close();
}
