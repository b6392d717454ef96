/* Requests: each is done once. */
#include "base/text.h"
#include "conformance/probe.h"
#include "value/value.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* The request NAME of the probe, which OWNER does for an hour. */
static struct ss_request_key key_of(struct probe *probe, const char *name, const char *owner)
{
	return (struct ss_request_key){
		.struct_size = sizeof(struct ss_request_key),
		.scope = "tests",
		.key = probe_name(probe, name),
		.fingerprint = "a",
		.subject = owner,
		.owner = owner,
		.lease_ns = PROBE_HOUR_NS,
		.keep_ns = PROBE_HOUR_NS,
	};
}

/* What a claim comes to, as "STATE SUBJECT" or "done SUBJECT CODE ANSWER". */
static const char *claim(struct probe *probe, const struct ss_request_key *key)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *claim = NULL;
	if (probe->failed)
		return "";
	int result = probe->storage->claim_request(probe->instance, key, &claim, &err);
	probe_expect_success(probe, "claiming with claim_request()", result, &err);
	(void)probe_keep(probe, result == 0 ? claim : NULL);
	const char *state = probe_string(claim, "state");
	if (strcmp(state, "done") != 0)
		return probe_format(probe, "%s %s", state, probe_string(claim, "subject"));
	return probe_format(probe, "done %s %lld %s", probe_string(claim, "subject"),
		(long long)value_as_int(value_get(claim, "code")), probe_string(claim, "answer"));
}

static int finish(struct probe *probe, const struct ss_request_key *key, int64_t code,
	const char *answer, struct ss_error *err)
{
	const struct ss_request_result result = {
		.struct_size = sizeof result,
		.scope = key->scope,
		.key = key->key,
		.owner = key->owner,
		.code = code,
		.answer = text_of(answer),
	};
	*err = (struct ss_error){.status = SS_OK};
	return probe->failed ? 0 : probe->storage->finish_request(probe->instance, &result, err);
}

static void must_finish(
	struct probe *probe, const struct ss_request_key *key, int64_t code, const char *answer)
{
	struct ss_error err;
	int result = finish(probe, key, code, answer, &err);
	probe_expect_success(probe, "finishing with finish_request()", result, &err);
}

static void are_done_once(struct probe *probe)
{
	const struct ss_request_key mine = key_of(probe, "key", "me");
	struct ss_request_key other = key_of(probe, "key", "other");
	probe_expect(probe, "the first claim", "claimed me", claim(probe, &mine));
	probe_expect(probe, "a second one meanwhile", "in_flight me", claim(probe, &other));
	probe_expect(probe, "one's own second one", "in_flight me", claim(probe, &mine));
	other.fingerprint = "b";
	probe_expect(
		probe, "another request under the key meanwhile", "other me", claim(probe, &other));
	must_finish(probe, &mine, 201, "{\"é\": 1}");
	probe_expect(probe, "another request under the key when it is done", "other me",
		claim(probe, &other));
	other.fingerprint = "a";
	probe_expect(probe, "the same request when it is done", "done me 201 {\"é\": 1}",
		claim(probe, &other));
	other.scope = "tests of others";
	probe_expect(probe, "the key in another scope", "claimed other", claim(probe, &other));
}

static void are_taken_over(struct probe *probe)
{
	struct ss_error err;
	struct ss_request_key mine = key_of(probe, "key", "me");
	struct ss_request_key other = key_of(probe, "key", "other");
	probe_expect(probe, "the first claim", "claimed me", claim(probe, &mine));
	other.gone = "third";
	probe_expect(
		probe, "a claim when a third one is gone", "in_flight me", claim(probe, &other));
	other.gone = "me";
	probe_expect(probe, "a claim when the first is gone, with the subject of the first",
		"claimed me", claim(probe, &other));
	int result = finish(probe, &mine, 200, "late", &err);
	if (!probe->failed)
		probe_expect_refusal(probe, "finishing what somebody else has claimed meanwhile",
			SS_CONFLICT, result, &err);
	must_finish(probe, &other, 0, "");
	probe_expect(probe, "a claim of what came to nothing", "claimed me", claim(probe, &mine));
	must_finish(probe, &mine, 500, "");
	probe_expect(probe, "a claim of what is done with an empty answer", "done me 500 ",
		claim(probe, &other));
}

/* Claims until it is claimed; what the claim came to. */
static const char *claim_when_over(struct probe *probe, const struct ss_request_key *key)
{
	const char *came = claim(probe, key);
	for (int i = 0; i < PROBE_PATIENCE && !probe->failed && strncmp(came, "claimed", 7) != 0;
		i++) {
		probe_pause();
		came = claim(probe, key);
	}
	return came;
}

static void run_out(struct probe *probe)
{
	struct ss_request_key mine = key_of(probe, "lease", "me");
	const struct ss_request_key other = key_of(probe, "lease", "other");
	mine.lease_ns = PROBE_SECOND_NS / 50;
	probe_expect(probe, "the first claim", "claimed me", claim(probe, &mine));
	probe_expect(probe, "a claim when the lease is over, with the subject of the first",
		"claimed me", claim_when_over(probe, &other));
}

static void are_forgotten(struct probe *probe)
{
	struct ss_request_key mine = key_of(probe, "short", "me");
	struct ss_request_key other = key_of(probe, "short", "other");
	mine.keep_ns = PROBE_SECOND_NS / 50;
	other.fingerprint = "b";
	probe_expect(probe, "the first claim", "claimed me", claim(probe, &mine));
	must_finish(probe, &mine, 200, "done");
	probe_expect(probe, "another request under the key when its time is over", "claimed other",
		claim_when_over(probe, &other));
}

/* The keys of the requests of USER_ID as the list has them, page by page: "a|b". */
static const char *list(struct probe *probe, const char *user_id)
{
	const char *keys = "", *after = NULL;
	do {
		struct ss_error err = {.status = SS_OK};
		struct ss_value *page = NULL;
		const struct ss_request_filter filter = {.struct_size = sizeof filter,
			.user_id = user_id,
			.after = after,
			.limit = 2};
		if (probe->failed)
			return "";
		int result = probe->storage->list_requests(probe->instance, &filter, &page, &err);
		probe_expect_success(probe, "reading with list_requests()", result, &err);
		const struct ss_value *kept = probe_keep(probe, result == 0 ? page : NULL);
		const char *more = probe_column(probe, value_get(kept, "items"), "key", "");
		if (value_count(value_get(kept, "items")) > filter.limit)
			probe_fail(probe, "a page of list_requests()",
				"no more items than its limit", "%s", more);
		keys = probe_format(probe, "%s%s%s", keys, keys[0] != '\0' ? "|" : "", more);
		const struct ss_value *next = value_get(kept, "next");
		after = next != NULL ? value_as_string(next, NULL) : NULL;
	} while (after != NULL);
	return keys;
}

/* How many requests LIST has. */
static int64_t count_of(const char *list)
{
	int64_t count = list[0] != '\0';
	for (const char *c = list; *c != '\0'; c++)
		count += *c == '|';
	return count;
}

static void are_listed(struct probe *probe)
{
	enum { OF_ONE = 5 };
	const char *const users[] = {probe_name(probe, "ann"), probe_name(probe, "bob")};
	for (size_t i = 0; i <= OF_ONE; i++) {
		struct ss_request_key key = key_of(probe, probe_format(probe, "%zu", i), "me");
		key.user_id = users[i == OF_ONE];
		/* The same word of others is another request. */
		key.scope = probe_format(probe, "tests %zu", i % 2);
		(void)claim(probe, &key);
		if (i > 0)
			must_finish(probe, &key, 200, "done");
	}
	const char *listed = list(probe, users[0]);
	probe_expect_int(probe, "how many requests of a user are listed", OF_ONE, count_of(listed));
	for (size_t i = 0; i < OF_ONE && !probe->failed; i++) {
		const char *key = probe_name(probe, probe_format(probe, "%zu", i));
		if (strstr(listed, key) == NULL)
			probe_fail(probe, "the requests of a user", key, "%s", listed);
	}
	probe_expect(probe, "the requests of another user", probe_name(probe, "5"),
		list(probe, users[1]));
	probe_expect(probe, "the requests of a user who has none", "",
		list(probe, probe_name(probe, "cleo")));
}

static void are_listed_as_they_are(struct probe *probe)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *page = NULL;
	struct ss_request_key key = key_of(probe, "key", "me");
	key.user_id = probe_name(probe, "ann");
	key.conversation_id = probe_name(probe, "conversation");
	(void)claim(probe, &key);
	must_finish(probe, &key, 201, "{\"é\": 1}");
	const struct ss_request_filter filter = {
		.struct_size = sizeof filter, .user_id = key.user_id, .limit = 1};
	if (probe->failed)
		return;
	int result = probe->storage->list_requests(probe->instance, &filter, &page, &err);
	probe_expect_success(probe, "reading with list_requests()", result, &err);
	const struct ss_value *item =
		value_at(value_get(probe_keep(probe, result == 0 ? page : NULL), "items"), 0);
	probe_expect(probe, "the key", key.key, probe_string(item, "key"));
	probe_expect(probe, "the subject", "me", probe_string(item, "subject"));
	probe_expect(probe, "the conversation", key.conversation_id,
		probe_string(item, "conversation_id"));
	probe_expect_int(probe, "the code", 201, value_as_int(value_get(item, "code")));
	probe_expect(probe, "the answer", "{\"é\": 1}", probe_string(item, "answer"));
	if (!probe->failed && strlen(probe_string(item, "until")) == 0)
		probe_fail(probe, "until when it is remembered", "a time", "none");
}

/* The requests KEYS, which are about TURN's conversation: the first one is done, the second one under way. */
static void begin_about(
	struct probe *probe, const struct ss_turn *turn, struct ss_request_key keys[2])
{
	for (size_t i = 0; i < 2; i++) {
		keys[i] = key_of(probe, i == 0 ? "done" : "under way", "me");
		keys[i].conversation_id = turn->conversation_id;
		(void)claim(probe, &keys[i]);
	}
	must_finish(probe, &keys[0], 200, "done");
}

/* Both are as if they had never been. */
static void expect_gone(struct probe *probe, const struct ss_request_key keys[2])
{
	struct ss_error err;
	int result = finish(probe, &keys[1], 200, "late", &err);
	if (!probe->failed)
		probe_expect_refusal(probe, "finishing what was about a conversation that is gone",
			SS_CONFLICT, result, &err);
	for (size_t i = 0; i < 2; i++)
		probe_expect(
			probe, "a claim of what is gone", "claimed me", claim(probe, &keys[i]));
}

static void go_with_conversations(struct probe *probe)
{
	struct ss_request_key keys[2];
	const struct ss_turn turn = probe_first(probe, "ann");
	probe_store(probe, &turn);
	begin_about(probe, &turn, keys);
	probe_expect(probe, "the requests of the user whose conversation it is, when it is done",
		keys[0].key, list(probe, turn.user_id));
	probe_delete_conversation(probe, turn.conversation_id);
	probe_expect(probe, "the user's requests when the conversation is deleted", "",
		list(probe, turn.user_id));
	expect_gone(probe, keys);
}

static void go_with_users(struct probe *probe)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_request_key keys[2], other = key_of(probe, "other", "me");
	struct ss_value *erased = NULL;
	const struct ss_turn turn = probe_first(probe, "ann");
	probe_store(probe, &turn);
	begin_about(probe, &turn, keys);
	other.user_id = turn.user_id;
	(void)claim(probe, &other);
	if (probe->failed)
		return;
	const struct ss_erasure whole = {
		.struct_size = sizeof whole, .user_id = turn.user_id, .limit = 1000};
	int result = probe->storage->erase_user(probe->instance, &whole, &erased, &err);
	probe_expect_success(probe, "erasing with erase_user()", result, &err);
	(void)probe_keep(probe, erased);
	probe_expect_int(probe, "how many requests were erased", 3,
		value_as_int(value_get(value_get(erased, "erased"), "requests")));
	probe_expect(probe, "the requests of who was erased", "", list(probe, turn.user_id));
	expect_gone(probe, keys);
}

/* Two instances that claim the same requests at once. */

enum { SIDES = 2, KEYS = 40 };

struct side {
	struct probe *probe;
	void *instance;
	pthread_barrier_t *start;
	const struct ss_request_key *keys;
	const char *owner;
	int64_t claimed;
	struct ss_error err;
};

static void *claim_side(void *context)
{
	struct side *side = context;
	(void)pthread_barrier_wait(side->start);
	for (size_t i = 0; i < KEYS && side->err.status == SS_OK; i++) {
		struct ss_value *claim = NULL;
		struct ss_request_key key = side->keys[i];
		key.owner = side->owner;
		key.subject = side->owner;
		if (side->probe->storage->claim_request(side->instance, &key, &claim, &side->err) <
			0)
			break;
		side->claimed += strcmp(probe_string(claim, "state"), "claimed") == 0;
		value_unref(claim);
	}
	return NULL;
}

static void are_claimed_once(struct probe *probe)
{
	pthread_barrier_t start;
	pthread_t threads[SIDES];
	struct side sides[SIDES];
	struct ss_request_key keys[KEYS];
	for (size_t i = 0; i < KEYS; i++)
		keys[i] = key_of(probe, probe_format(probe, "%zu", i), "me");
	for (size_t i = 0; i < SIDES; i++)
		sides[i] = (struct side){.probe = probe,
			.instance = probe_open(probe),
			.start = &start,
			.keys = keys,
			.owner = i == 0 ? "me" : "other",
			.err = {.status = SS_OK}};
	if (probe->failed)
		return;
	(void)pthread_barrier_init(&start, NULL, SIDES);
	for (size_t i = 0; i < SIDES; i++) {
		if (pthread_create(&threads[i], NULL, claim_side, &sides[i]) != 0)
			abort(); /* only for want of memory */
	}
	for (size_t i = 0; i < SIDES; i++)
		(void)pthread_join(threads[i], NULL);
	(void)pthread_barrier_destroy(&start);
	for (size_t i = 0; i < SIDES; i++) {
		probe_expect_success(probe, "claiming what another one claims", 0, &sides[i].err);
		probe_close(probe, sides[i].instance);
	}
	probe_expect_int(probe, "requests that one of two has claimed", KEYS,
		sides[0].claimed + sides[1].claimed);
}

static void refuse_other_places(struct probe *probe)
{
	static const char *const wrong[] = {"", "x", "'", ".x"};
	for (size_t i = 0; i < array_length(wrong) && !probe->failed; i++) {
		struct ss_error err = {.status = SS_OK};
		struct ss_value *page = NULL;
		const struct ss_request_filter filter = {.struct_size = sizeof filter,
			.user_id = probe_name(probe, "ann"),
			.after = wrong[i],
			.limit = 1};
		int result = probe->storage->list_requests(probe->instance, &filter, &page, &err);
		probe_expect_refusal(probe,
			probe_format(probe, "list_requests() after \"%s\"", wrong[i]), SS_INVALID,
			result, &err);
		if (result == 0)
			value_unref(page);
	}
}

static const struct probe_case cases[] = {
	{"a request is one claimer's, and then its answer is given", are_done_once},
	{"a request whose claimer is gone, or came to nothing, is claimed again", are_taken_over},
	{"a request whose lease is over is claimed again, for the same subject", run_out},
	{"a request whose time is over is as if it were not there", are_forgotten},
	{"the requests of a user are listed page by page, and no others", are_listed},
	{"a list of requests does not go on from a place that no list gave", refuse_other_places},
	{"a request is listed with what is kept of it", are_listed_as_they_are},
	{"a request goes with the conversation that it is about", go_with_conversations},
	{"a request goes with its user", go_with_users},
	{"of two that claim a request at once one is given it", are_claimed_once},
};

const struct probe_area requests_area = {"requests", cases, array_length(cases)};
