/* Erases step by step, goes on until nothing is left, and ends when the server does. */
#include "service/erasures.h"

#include "unit/service/loop.h"

#include "value/value.h"

#include <criterion/criterion.h>
#include <event2/event.h>
#include <string.h>

enum { STEPS = 64 };

/* The storage's instance: a user of whom this much is left. Read by the test only when the store is gone. */
struct storage {
	size_t left, erased;
	size_t limits[STEPS];
	size_t step_count;
	size_t fail_at; /* this step fails; 0: none */
	enum ss_status status;
	struct gate gate;
};

/* What an erasure came to. */
struct outcome {
	size_t count;
	int64_t messages;
	struct ss_error err;
};

static struct event_base *base;
static struct storage storage;
static struct store *store;
static struct erasures *erasures;

static int erase_user(void *instance, const struct ss_erasure *erasure, struct ss_value **erased,
	struct ss_error *err)
{
	struct storage *mine = instance;
	gate_pass(&mine->gate);
	cr_assert_lt(mine->step_count, STEPS);
	mine->limits[mine->step_count++] = erasure->limit;
	if (mine->step_count == mine->fail_at)
		return ss_fail_as(err, mine->status, "%s cannot be erased", erasure->user_id);
	size_t count = mine->left < erasure->limit ? mine->left : erasure->limit;
	mine->left -= count;
	mine->erased += count;
	*erased = value_map_make({"over", value_bool(count < erasure->limit)},
		{"erased", value_map_make({"messages", value_int((int64_t)mine->erased)})});
	return 0;
}

static const struct ss_storage_operations operations = {.erase_user = erase_user};

static void start(size_t left, bool gated)
{
	struct ss_error err = {0};
	base = event_base_new();
	storage.left = left;
	gate_init(&storage.gate, gated);
	store = store_new(base, &operations, (void *[]){&storage}, 1, 16, &err);
	cr_assert_not_null(store, "%s", err.text);
	erasures = erasures_new(base, store);
}

static void stop(void)
{
	erasures_stop(erasures);
	store_free(store);
	erasures_free(erasures);
	gate_destroy(&storage.gate);
	event_base_free(base);
}

static void on_done(void *context, const struct ss_value *erased, const struct ss_error *err)
{
	struct outcome *outcome = context;
	outcome->count++;
	outcome->messages = value_as_int(value_get(erased, "messages"));
	if (err != NULL)
		outcome->err = *err;
}

TestSuite(erasures, .timeout = 300);

Test(erasures, takes_steps_until_nothing_is_left)
{
	struct outcome outcome = {0};
	start(95, false);
	erasures_begin(erasures, "ann", on_done, &outcome);
	cr_expect_eq(outcome.count, 0, "it has called before it returned");
	loop_until(base, &outcome.count, 1);
	stop();
	cr_expect_eq(outcome.err.status, SS_OK, "%s", outcome.err.text);
	cr_expect_eq(outcome.messages, 95);
	cr_expect_eq(outcome.count, 1);
	cr_expect_eq(storage.left, 0);
	cr_expect_geq(storage.step_count, 2);
	for (size_t i = 0; i < storage.step_count; i++)
		cr_expect_leq(storage.limits[i], 100);
}

Test(erasures, tells_that_there_is_no_such_user_but_not_when_another_one_was_faster)
{
	struct outcome nobody = {0}, faster = {0};
	start(95, false);
	storage.fail_at = 1;
	storage.status = SS_NOT_FOUND;
	erasures_begin(erasures, "ann", on_done, &nobody);
	loop_until(base, &nobody.count, 1);
	cr_expect_eq(nobody.err.status, SS_NOT_FOUND);
	storage.fail_at = 3;
	erasures_begin(erasures, "ann", on_done, &faster);
	loop_until(base, &faster.count, 1);
	stop();
	cr_expect_eq(faster.err.status, SS_OK, "%s", faster.err.text);
	cr_expect_eq(faster.messages, 10);
}

Test(erasures, tells_of_what_has_cut_it_off)
{
	struct outcome outcome = {0};
	start(95, false);
	storage.fail_at = 2;
	storage.status = SS_UNAVAILABLE;
	erasures_begin(erasures, "ann", on_done, &outcome);
	loop_until(base, &outcome.count, 1);
	stop();
	cr_expect_eq(outcome.err.status, SS_UNAVAILABLE);
	cr_expect_str_eq(outcome.err.text, "ann cannot be erased");
	cr_expect_eq(storage.left, 85);
}

Test(erasures, ends_while_the_store_takes_a_step_and_while_it_waits_for_one)
{
	struct outcome taken = {0}, waits = {0};
	start(95, true);
	erasures_begin(erasures, "ann", on_done, &taken);
	while (sem_trywait(&storage.gate.reached) < 0)
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
	erasures_begin(erasures, "bob", on_done, &waits);
	gate_open(&storage.gate, 1);
	stop();
	cr_expect_eq(storage.step_count, 1);
	cr_expect_eq(taken.count, 1);
	cr_expect_eq(waits.count, 1);
	cr_expect_eq(taken.err.status, SS_UNAVAILABLE);
	cr_expect_eq(waits.err.status, SS_UNAVAILABLE);
	cr_expect_not_null(strstr(waits.err.text, "the server stops before all of the user"));
}
