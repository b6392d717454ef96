#include "service/store.h"

#include "unit/service/loop.h"

#include "base/memory.h"
#include "base/text.h"
#include "service/metrics.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <event2/event.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

enum { TRANSACTIONS = 16, TURNS = 600 };

enum storage_mood {
	STORES,
	FAILS,          /* the whole transaction, with a sentence */
	FAILS_SILENTLY, /* the same without one */
};

/* The storage's instance; read by the test only after its answers came. */
struct storage {
	struct gate gate;
	enum storage_mood mood;
	size_t transactions[TRANSACTIONS]; /* how many turns each had */
	size_t transaction_count;
	size_t reads;
	char user_id[32];
	char conversation_id[32];
	size_t history_limit;
};

static struct event_base *base;
static struct storage storage;
static struct store *store;

static int turn_context(void *instance, const struct ss_turn_key *key, struct ss_value **context,
	struct ss_error *err)
{
	struct storage *mine = instance;
	gate_pass(&mine->gate);
	mine->reads++;
	(void)snprintf(mine->user_id, sizeof mine->user_id, "%s", key->user_id);
	(void)snprintf(mine->conversation_id, sizeof mine->conversation_id, "%s",
		key->conversation_id != NULL ? key->conversation_id : "new");
	mine->history_limit = key->history_limit;
	if (key->embedder != NULL)
		key->vector_read(key->vector_context, text_of("earlier"),
			(struct ss_bytes){
				(const unsigned char *)key->embedder, strlen(key->embedder)});
	if (strcmp(mine->user_id, "silent") == 0)
		return -1;
	if (strcmp(mine->user_id, "stranger") == 0)
		return ss_fail_as(err, SS_NOT_FOUND, "there is no such conversation");
	*context = value_map_make({"vip", value_bool(true)});
	return 0;
}

static int commit_turns(
	void *instance, const struct ss_turn *turns, size_t count, struct ss_error *errors)
{
	struct storage *mine = instance;
	gate_pass(&mine->gate);
	mine->transactions[mine->transaction_count++] = count;
	for (size_t i = 0; i < count; i++) {
		if (errors[i].status != SS_OK)
			abort();
		if (strcmp(turns[i].turn_id, "bad") == 0)
			(void)ss_fail_as(&errors[i], SS_CONFLICT, "somebody else was faster");
	}
	if (mine->mood == FAILS)
		return ss_fail_as(&errors[0], SS_UNAVAILABLE, "the disk is full");
	return mine->mood == FAILS_SILENTLY ? -1 : 0;
}

static int check(void *instance, struct ss_error *err)
{
	(void)instance;
	(void)err;
	return 0;
}

static int stats(void *instance, struct ss_value **totals, struct ss_error *err)
{
	struct storage *mine = instance;
	(void)err;
	gate_pass(&mine->gate);
	mine->reads++;
	*totals = value_map_make({"total_queries", value_int(7)});
	return 0;
}

static int store_feedback(
	void *instance, const struct ss_feedback *feedback, size_t count, struct ss_error *errors)
{
	struct storage *mine = instance;
	gate_pass(&mine->gate);
	mine->transactions[mine->transaction_count++] = count;
	for (size_t i = 0; i < count; i++) {
		if (strcmp(feedback[i].turn_id, "unknown") == 0)
			(void)ss_fail_as(&errors[i], SS_NOT_FOUND, "there is no such turn");
	}
	return 0;
}

static int list_unanswered(void *instance, const struct ss_unanswered_filter *filter,
	struct ss_value **page, struct ss_error *err)
{
	(void)instance;
	(void)err;
	*page = value_map_make({"after", value_text(filter->after)},
		{"limit", value_int((int64_t)filter->limit)},
		{"most_asked", value_bool(filter->most_asked)});
	return 0;
}

static int article_counts(void *instance, const struct ss_article_range *range,
	struct ss_value **counts, struct ss_error *err)
{
	struct ss_value *ends[] = {value_text(range->first), value_text(range->last)};
	(void)instance;
	(void)err;
	*counts = value_list(ends, 2);
	return 0;
}

static const struct ss_storage_operations operations = {.turn_context = turn_context,
	.commit_turns = commit_turns,
	.stats = stats,
	.check = check,
	.store_feedback = store_feedback,
	.list_unanswered = list_unanswered,
	.article_counts = article_counts};

static void start(bool gated, size_t limit)
{
	struct ss_error err = {0};
	base = event_base_new();
	gate_init(&storage.gate, gated);
	store = store_new(base, &operations, (void *[]){&storage}, 1, limit, &err);
	cr_assert_not_null(store, "%s", err.text);
}

static void stop(void)
{
	store_free(store);
	gate_destroy(&storage.gate);
	event_base_free(base);
}

TestSuite(store, .timeout = 300);

/* What came back for one request. */
struct answer {
	struct ss_turn turn;
	size_t calls;
	bool failed;
	struct ss_error err;
	struct ss_value *value;
};

static struct answer answers[TURNS];
static size_t answered;

static void on_committed(void *context, const struct ss_error *err)
{
	struct answer *answer = context;
	answer->calls++;
	answer->failed = err != NULL;
	if (err != NULL)
		answer->err = *err;
	answered++;
}

static void on_read(void *context, const struct ss_value *value, const struct ss_error *err)
{
	struct answer *answer = context;
	on_committed(answer, err);
	answer->value = value != NULL ? value_ref(value) : NULL;
}

static void commit(size_t from, size_t to)
{
	struct ss_error err = {0};
	for (size_t i = from; i < to; i++) {
		answers[i].turn =
			(struct ss_turn){.struct_size = sizeof(struct ss_turn), .turn_id = "good"};
		cr_assert_eq(
			store_commit_turn(store, &answers[i].turn, on_committed, &answers[i], &err),
			0, "%s", err.text);
	}
}

static int read_context(
	struct answer *answer, const char *user, const char *conversation, struct ss_error *err)
{
	char user_id[32];
	char conversation_id[32];
	(void)snprintf(user_id, sizeof user_id, "%s", user);
	(void)snprintf(conversation_id, sizeof conversation_id, "%s",
		conversation != NULL ? conversation : "");
	const struct ss_turn_key key = {.struct_size = sizeof key,
		.user_id = user_id,
		.conversation_id = conversation != NULL ? conversation_id : NULL,
		.history_limit = 20};
	int result = store_turn_context(store, &key, on_read, answer, err);
	memset(user_id, 'X', sizeof user_id - 1); /* the key was copied */
	memset(conversation_id, 'X', sizeof conversation_id - 1);
	return result;
}

Test(store, commits_what_waits_in_one_transaction)
{
	start(true, TURNS);
	commit(0, 1);
	gate_wait(&storage.gate);
	commit(1, 51);
	gate_open(&storage.gate, 2);
	loop_until(base, &answered, 51);
	cr_expect_eq(storage.transaction_count, 2);
	cr_expect_eq(storage.transactions[0], 1);
	cr_expect_eq(storage.transactions[1], 50);
	for (size_t i = 0; i < 51; i++) {
		cr_expect_not(answers[i].failed);
		cr_expect_eq(answers[i].calls, 1);
	}
	stop();
}

Test(store, tells_how_many_requests_wait)
{
	struct metrics *metrics = metrics_new();
	start(true, TURNS);
	store_measure(store, metrics_take(metrics));
	commit(0, 3);
	cr_expect_eq(metrics_total(metrics, METRIC_STORE_QUEUE), 3);
	gate_open(&storage.gate, 3);
	loop_until(base, &answered, 3);
	cr_expect_eq(metrics_total(metrics, METRIC_STORE_QUEUE), 0);
	stop();
	metrics_free(metrics);
}

Test(store, bounds_a_transaction)
{
	start(true, TURNS);
	commit(0, 1);
	gate_wait(&storage.gate);
	commit(1, TURNS);
	gate_open(&storage.gate, 10);
	loop_until(base, &answered, TURNS);
	cr_expect_eq(storage.transaction_count, 4);
	cr_expect_eq(storage.transactions[1], 256);
	cr_expect_eq(storage.transactions[2], 256);
	cr_expect_eq(storage.transactions[3], TURNS - 1 - 512);
	stop();
}

Test(store, lets_one_bad_turn_fail_alone)
{
	start(true, TURNS);
	commit(0, 1);
	gate_wait(&storage.gate);
	commit(1, 5);
	answers[3].turn.turn_id = "bad";
	gate_open(&storage.gate, 2);
	loop_until(base, &answered, 5);
	for (size_t i = 0; i < 5; i++)
		cr_expect_eq(answers[i].failed, i == 3);
	cr_expect_eq(answers[3].err.status, SS_CONFLICT);
	cr_expect_str_eq(answers[3].err.text, "somebody else was faster");
	stop();
}

Test(store, gives_the_error_of_a_transaction_to_all_its_turns)
{
	start(true, TURNS);
	commit(0, 1);
	gate_wait(&storage.gate);
	storage.mood = FAILS;
	commit(1, 5);
	answers[3].turn.turn_id = "bad"; /* nothing of it was stored either, for the same reason */
	gate_open(&storage.gate, 2);
	loop_until(base, &answered, 5);
	for (size_t i = 0; i < 5; i++) {
		cr_expect(answers[i].failed);
		cr_expect_eq(answers[i].err.status, SS_UNAVAILABLE);
		cr_expect_str_eq(answers[i].err.text, "the disk is full");
	}
	stop();
}

Test(store, never_acknowledges_a_turn_of_a_transaction_that_failed)
{
	start(false, TURNS);
	storage.mood = FAILS_SILENTLY;
	commit(0, 1);
	loop_until(base, &answered, 1);
	cr_expect(answers[0].failed);
	cr_expect_eq(answers[0].err.status, SS_INTERNAL);
	cr_expect_neq(answers[0].err.text[0], '\0');
	stop();
}

Test(store, reads_the_context_of_a_turn)
{
	start(false, TURNS);
	cr_assert_eq(read_context(&answers[0], "user 1", "conversation 1", NULL), 0);
	cr_expect_eq(answered, 0);
	loop_until(base, &answered, 1);
	cr_expect_not(answers[0].failed);
	cr_expect(value_as_bool(value_get(answers[0].value, "vip")));
	cr_expect_str_eq(storage.user_id, "user 1");
	cr_expect_str_eq(storage.conversation_id, "conversation 1");
	cr_expect_eq(storage.history_limit, 20);
	cr_assert_eq(read_context(&answers[1], "user 2", NULL, NULL), 0);
	loop_until(base, &answered, 2);
	cr_expect_str_eq(storage.conversation_id, "new");
	value_unref(answers[0].value);
	value_unref(answers[1].value);
	stop();
}

/* Notes what it is called with: the message, and the vector, which is the embedder's name here. */
static void on_vector(void *context, struct ss_text message, struct ss_bytes vector)
{
	(void)snprintf(context, 64, "%.*s of %.*s", (int)message.length, message.data,
		(int)vector.length, (const char *)vector.data);
}

Test(store, hands_on_the_vectors_before_the_context)
{
	struct ss_error err = {0};
	char embedder[] = "minilm";
	char seen[64] = "";
	const struct ss_turn_key key = {.struct_size = sizeof key,
		.user_id = "user 1",
		.history_limit = 20,
		.embedder = embedder,
		.vector_read = on_vector,
		.vector_context = seen};
	start(true, TURNS);
	cr_assert_eq(store_turn_context(store, &key, on_read, &answers[0], &err), 0);
	memset(embedder, 'X', sizeof embedder - 1); /* the key was copied */
	gate_open(&storage.gate, 1);
	loop_until(base, &answered, 1);
	cr_expect_str_eq(seen, "earlier of minilm");
	value_unref(answers[0].value);
	stop();
}

Test(store, passes_on_why_a_read_failed)
{
	start(false, TURNS);
	cr_assert_eq(read_context(&answers[0], "stranger", "c", NULL), 0);
	cr_assert_eq(read_context(&answers[1], "silent", "c", NULL), 0);
	loop_until(base, &answered, 2);
	cr_expect(answers[0].failed);
	cr_expect_eq(answers[0].err.status, SS_NOT_FOUND);
	cr_expect_null(answers[0].value);
	cr_expect(answers[1].failed, "a read that gave nothing and no reason counts as good");
	cr_expect_eq(answers[1].err.status, SS_INTERNAL);
	stop();
}

Test(store, reads_the_totals)
{
	start(false, TURNS);
	cr_assert_eq(store_stats(store, on_read, &answers[0], NULL), 0);
	loop_until(base, &answered, 1);
	cr_expect_eq(value_as_int(value_get(answers[0].value, "total_queries")), 7);
	value_unref(answers[0].value);
	stop();
}

Test(store, stores_feedback_in_one_transaction_after_the_turns_that_wait)
{
	static const char *const ids[] = {"good", "unknown", "good"};
	struct ss_feedback feedback[3];
	start(true, TURNS);
	commit(0, 1);
	gate_wait(&storage.gate);
	for (size_t i = 0; i < 3; i++) {
		feedback[i] = (struct ss_feedback){.turn_id = ids[i]};
		cr_assert_eq(store_give_feedback(
				     store, &feedback[i], on_committed, &answers[5 + i], NULL),
			0);
	}
	commit(1, 3);
	gate_open(&storage.gate, 3);
	loop_until(base, &answered, 6);
	cr_expect_eq(storage.transaction_count, 3);
	cr_expect_eq(storage.transactions[1], 2);
	cr_expect_eq(storage.transactions[2], 3);
	for (size_t i = 0; i < 3; i++)
		cr_expect_eq(answers[5 + i].failed, i == 1);
	cr_expect_eq(answers[6].err.status, SS_NOT_FOUND);
	stop();
}

Test(store, passes_on_copies_of_what_is_to_be_listed)
{
	char words[3][8] = {"there", "a", "z"};
	start(false, TURNS);
	const struct ss_unanswered_filter filter = {
		.after = words[0], .limit = 7, .most_asked = true};
	const struct ss_article_range range = {.first = words[1], .last = words[2]};
	cr_assert_eq(store_list_unanswered(store, &filter, on_read, &answers[0], NULL), 0);
	cr_assert_eq(store_article_counts(store, &range, on_read, &answers[1], NULL), 0);
	memset(words, 'X', sizeof words);
	loop_until(base, &answered, 2);
	char *texts[] = {json_text(answers[0].value), json_text(answers[1].value)};
	cr_expect_str_eq(texts[0], "{\"after\":\"there\",\"limit\":7,\"most_asked\":true}");
	cr_expect_str_eq(texts[1], "[\"a\",\"z\"]");
	for (size_t i = 0; i < 2; i++) {
		free(texts[i]);
		value_unref(answers[i].value);
	}
	stop();
}

Test(store, sees_in_a_read_what_was_committed_before_it)
{
	start(true, TURNS);
	commit(0, 1);
	gate_wait(&storage.gate);
	commit(1, 3);
	cr_assert_eq(store_stats(store, on_read, &answers[3], NULL), 0);
	commit(4, 6);
	gate_open(&storage.gate, 3);
	loop_until(base, &answered, 6);
	cr_expect_eq(storage.transaction_count, 2);
	cr_expect_eq(storage.transactions[1], 4);
	cr_expect_eq(storage.reads, 1);
	value_unref(answers[3].value);
	stop();
}

Test(store, refuses_more_than_may_wait)
{
	struct ss_error err = {0};
	start(true, 2);
	commit(0, 1);
	gate_wait(&storage.gate);
	commit(1, 2);
	cr_expect_eq(read_context(&answers[2], "u", "c", &err), -1);
	cr_expect_eq(err.status, SS_LIMIT);
	cr_expect_eq(store_stats(store, on_read, &answers[2], &err), -1);
	cr_expect_eq(
		store_commit_turn(store, &answers[2].turn, on_committed, &answers[2], &err), -1);
	gate_open(&storage.gate, 2);
	loop_until(base, &answered, 2);
	cr_expect_eq(answers[2].calls, 0);
	stop();
}

Test(store, finishes_what_was_asked_when_it_is_freed)
{
	start(true, TURNS);
	commit(0, 1);
	gate_wait(&storage.gate);
	commit(1, 20);
	cr_assert_eq(read_context(&answers[20], "u", "c", NULL), 0);
	gate_open(&storage.gate, 3);
	store_free(store);
	cr_expect_eq(answered, 21);
	for (size_t i = 0; i < 21; i++)
		cr_expect_not(answers[i].failed);
	value_unref(answers[20].value);
	store = NULL;
	stop();
}

Test(store, refuses_what_is_asked_when_it_has_stopped)
{
	struct ss_error err = {0};
	start(false, TURNS);
	commit(0, 1);
	store_stop(store);
	cr_expect_eq(answered, 1);
	cr_expect_eq(read_context(&answers[1], "u", "c", &err), -1);
	cr_expect_eq(err.status, SS_UNAVAILABLE);
	cr_expect_eq(answers[1].calls, 0);
	stop();
}

/* Two instances. */

static struct storage second;

static void start_two(void)
{
	struct ss_error err = {0};
	base = event_base_new();
	gate_init(&storage.gate, true);
	gate_init(&second.gate, true);
	store = store_new(base, &operations, (void *[]){&storage, &second}, 2, TURNS, &err);
	cr_assert_not_null(store, "%s", err.text);
}

static void stop_two(void)
{
	store_free(store);
	gate_destroy(&storage.gate);
	gate_destroy(&second.gate);
	event_base_free(base);
}

/* The instance that stands at its door first, and the other one. */
static struct storage *await_one(struct storage **other)
{
	for (;;) {
		bool is_first = sem_trywait(&storage.gate.reached) == 0;
		if (is_first || sem_trywait(&second.gate.reached) == 0) {
			*other = is_first ? &second : &storage;
			return is_first ? &storage : &second;
		}
		(void)sched_yield();
	}
}

Test(store, reads_while_another_instance_commits)
{
	struct storage *other = NULL;
	start_two();
	commit(0, 1);
	struct storage *busy = await_one(&other);
	cr_assert_eq(store_stats(store, on_read, &answers[1], NULL), 0);
	gate_open(&other->gate, 1);
	loop_until(base, &answered, 1);
	cr_expect_eq(answers[1].calls, 1);
	cr_expect_eq(answers[0].calls, 0);
	cr_expect_eq(other->reads, 1);
	gate_open(&busy->gate, 1);
	loop_until(base, &answered, 2);
	cr_expect_not(answers[0].failed);
	value_unref(answers[1].value);
	stop_two();
}

Test(store, commits_what_waits_for_several_instances_in_one_transaction)
{
	struct storage *other = NULL;
	start_two();
	commit(0, 1);
	struct storage *one = await_one(&other);
	commit(1, 2);
	gate_wait(&other->gate);
	/* Both are at work. */
	commit(2, 40);
	gate_open(&other->gate, 2);
	loop_until(base, &answered, 39);
	cr_expect_eq(other->transaction_count, 2);
	cr_expect_eq(other->transactions[1], 38);
	gate_open(&one->gate, 1);
	loop_until(base, &answered, 40);
	cr_expect_eq(one->transaction_count, 1);
	stop_two();
}

Test(store, shares_reads_that_wait_among_its_instances)
{
	struct storage *other = NULL;
	start_two();
	commit(0, 1);
	struct storage *one = await_one(&other);
	commit(1, 2);
	gate_wait(&other->gate);
	for (size_t i = 2; i < 8; i++)
		cr_assert_eq(store_stats(store, on_read, &answers[i], NULL), 0);
	gate_open(&one->gate, 1);
	gate_open(&other->gate, 1);
	gate_wait(&one->gate);
	gate_wait(&other->gate); /* neither waits for what the other one took */
	gate_open(&one->gate, 6);
	gate_open(&other->gate, 6);
	loop_until(base, &answered, 8);
	cr_expect_eq(one->reads + other->reads, 6);
	for (size_t i = 2; i < 8; i++)
		value_unref(answers[i].value);
	stop_two();
}
