/* The operations on conversations, users, documents, events, deliveries and requests, and the deletion of what is old. */
#include "fault.h"

#include "base/memory.h"
#include "storage/sqlite/database.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TURNS = 2, DELIVERIES = 2 };

static const int64_t year_ns = (int64_t)365 * 86400 * 1000000000, second_ns = 1000000000;

static const struct ss_storage_operations *operations(void)
{
	return smartsupport_plugin.storage;
}

/* FORMAT with the run's number; valid until the next but three. */
static const char *name(const struct run *run, const char *format)
{
	static char names[4][FAULT_ID_SIZE];
	static size_t next;
	char *text = names[next++ % array_length(names)];
	(void)snprintf(text, FAULT_ID_SIZE, format, run->number);
	return text;
}

/* Says ERRORS of COUNT things to be stored, each of which is right, in which RESULT came. */
static int finish(struct run *run, int result, const struct ss_error *errors, size_t count)
{
	if (result < 0)
		run->err = errors[0];
	for (size_t i = 0; result == 0 && i < count; i++)
		cr_expect_eq(
			errors[i].status, SS_OK, "%s: %s", run->scenario->name, errors[i].text);
	return result;
}

/* Documents. */

static int store_documents(void *store, struct run *run)
{
	struct ss_error errors[2] = {{.status = SS_OK}};
	struct ss_document documents[2];
	for (size_t i = 0; i < array_length(documents); i++)
		documents[i] = (struct ss_document){
			.struct_size = sizeof documents[i],
			.kind = i == 0 ? SS_ARTICLES : SS_API_KEYS,
			.id = name(run, i == 0 ? "article%d" : "key%d"),
			.data = {"{\"a\":1}", 7},
			.at_ns = second_ns,
		};
	int result = operations()->store_documents(store, documents, 2, errors);
	return finish(run, result, errors, 2);
}

static int found_documents(const struct run *run)
{
	return fault_count("SELECT count(*) FROM knowledge_base WHERE id = 'article%d'"
			   " AND version = (SELECT version FROM document_versions WHERE kind = 1)",
		       run->number) +
	       fault_count("SELECT count(*) FROM api_keys WHERE id = 'key%d'"
			   " AND version = (SELECT version FROM document_versions WHERE kind = 4)",
		       run->number);
}

static void prepare_webhook(void *store, struct run *run)
{
	struct ss_error error = {.status = SS_OK};
	const struct ss_document webhook = {
		.struct_size = sizeof webhook,
		.kind = SS_WEBHOOKS,
		.id = "hook",
		.data = {"{}", 2},
		.expected = -1,
	};
	cr_assert_eq(operations()->store_documents(store, &webhook, 1, &error), 0);
	cr_assert_eq(error.status, SS_OK, "%s", error.text);
	(void)run;
}

/* Turns with events. */

static struct ss_events events_of(const struct run *run, struct ss_event events[2])
{
	static const char *const webhooks[] = {"hook"};
	static const char *const ids[] = {"a%d", "b%d"};
	for (size_t i = 0; i < 2; i++)
		events[i] = (struct ss_event){
			.id = name(run, ids[i]),
			.type = "query.created",
			.data = {"{}", 2},
			.webhooks = webhooks,
			.webhook_count = 1,
		};
	return (struct ss_events){events, 2};
}

/* Turns of the run's own user at AT_NS, the first with events; the second goes on with its conversation. */
static int commit_at(void *store, struct run *run, int64_t at_ns)
{
	char ids[TURNS][4][FAULT_ID_SIZE], user[FAULT_ID_SIZE];
	struct ss_turn turns[TURNS];
	struct ss_event events[2];
	struct ss_error errors[TURNS] = {{.status = SS_OK}};
	(void)snprintf(user, sizeof user, "user%d", run->number);
	for (int i = 0; i < TURNS; i++) {
		turns[i] = fault_turn(run, i, ids[i]);
		turns[i].user_id = user;
		if (at_ns > 0)
			turns[i].asked_at_ns = turns[i].answered_at_ns = at_ns;
	}
	turns[0].events = events_of(run, events);
	turns[1].new_conversation = false;
	turns[1].conversation_id = turns[0].conversation_id;
	int result = operations()->commit_turns(store, turns, TURNS, errors);
	return finish(run, result, errors, TURNS);
}

static int commit_with_events(void *store, struct run *run)
{
	return commit_at(store, run, 0);
}

static int count_messages(const struct run *run)
{
	return fault_count("SELECT count(*) FROM messages WHERE conversation_id GLOB 'conv_%d-*'",
		run->number);
}

static int count_events(const struct run *run)
{
	return fault_count("SELECT count(*) FROM events LEFT JOIN webhook_deliveries"
			   " ON event = events.number WHERE user_id = 'user%d'",
		       run->number) +
	       fault_count("SELECT count(*) FROM events JOIN webhook_deliveries"
			   " ON event = events.number WHERE user_id = 'user%d'",
		       run->number);
}

static int found_turns(const struct run *run)
{
	return count_messages(run) + count_events(run);
}

static void prepare_turns(void *store, struct run *run)
{
	prepare_webhook(store, run);
	cr_assert_eq(commit_with_events(store, run), 0, "%s", run->err.text);
}

/* 1 when there is nothing that is old. */
static int purge(void *store, struct run *run, enum ss_purged what)
{
	size_t count = 0;
	const struct ss_purge old = {
		.struct_size = sizeof old, .what = what, .before_ns = year_ns, .limit = 50};
	int result = operations()->purge(store, &old, &count, &run->err);
	if (result == 0 && count == 0)
		return 1;
	return result;
}

/* Before all others, so that they are what is old. What failed before has left some. */
static void prepare_old_turns(void *store, struct run *run)
{
	cr_assert_geq(purge(store, run,
			      run->scenario->deletes ? SS_PURGE_CONVERSATIONS : SS_PURGE_EVENTS),
		0, "%s", run->err.text);
	prepare_webhook(store, run);
	cr_assert_eq(commit_at(store, run, second_ns), 0, "%s", run->err.text);
	store_execute("UPDATE webhook_deliveries SET status = 'delivered', next_at = NULL"
		      " WHERE status = 'pending' AND event_at = 1000000");
}

/* Conversations. */

static int change_conversation(void *store, struct run *run)
{
	struct ss_event events[2];
	char ids[2][FAULT_ID_SIZE];
	struct ss_value *conversation = NULL;
	const struct ss_conversation_change change = {
		.struct_size = sizeof change,
		.conversation_id = name(run, "conv_%d-0"),
		.status = "resolved",
		.reply = {"I am a human", 12},
		.reply_id = name(run, "reply%d"),
		.author = "op",
		.at_ns = 1767225600 * second_ns,
		.events = events_of(run, events),
	};
	/* Those of the turn have the others. */
	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(ids[i], sizeof ids[i], "change%d-%zu", run->number, i);
		events[i].id = ids[i];
	}
	int result = operations()->change_conversation(store, &change, &conversation, &run->err);
	if (result == 0)
		cr_expect_eq(value_as_int(value_get(conversation, "message_count")), 5);
	value_unref(conversation);
	return result;
}

static int found_change(const struct run *run)
{
	return fault_count("SELECT count(*) FROM conversations WHERE id = 'conv_%d-0'"
			   " AND status = 'resolved' AND message_count = 5",
		       run->number) +
	       fault_count("SELECT count(*) FROM messages WHERE id = 'reply%d'", run->number) +
	       fault_count("SELECT count(*) FROM events JOIN webhook_deliveries"
			   " ON event = events.number WHERE events.id GLOB 'change%d-*'",
		       run->number);
}

static int delete_conversation(void *store, struct run *run)
{
	return operations()->delete_conversation(store, name(run, "conv_%d-0"), &run->err);
}

/* Of four messages, two events and two deliveries. */
enum { ROWS = 2 * TURNS + 4 };

static int found_deleted(const struct run *run)
{
	return ROWS - found_turns(run);
}

static int purge_some(void *store, struct run *run, enum ss_purged what)
{
	int result = purge(store, run, what);
	cr_expect_leq(result, 0, "%s: nothing was deleted", run->scenario->name);
	return result;
}

static int purge_conversations(void *store, struct run *run)
{
	return purge_some(store, run, SS_PURGE_CONVERSATIONS);
}

static int purge_events(void *store, struct run *run)
{
	return purge_some(store, run, SS_PURGE_EVENTS);
}

static int found_no_events(const struct run *run)
{
	return 4 - count_events(run);
}

static int purge_deliveries(void *store, struct run *run)
{
	return purge_some(store, run, SS_PURGE_DELIVERIES);
}

static int found_no_deliveries(const struct run *run)
{
	return 2 - fault_count("SELECT count(*) FROM events JOIN webhook_deliveries"
			       " ON event = events.number WHERE user_id = 'user%d'",
			   run->number);
}

/* Users. */

static int store_user(void *store, struct run *run, bool is_new)
{
	struct ss_value *stored = NULL;
	const struct ss_user user = {
		.struct_size = sizeof user,
		.id = name(run, "profile%d"),
		.name = is_new ? "Ann" : "Bea",
		.email = is_new ? NULL : "bea@example.org",
		.vip = is_new ? 0 : 1,
		.metadata = "{\"plan\":\"gold\"}",
		.is_new = is_new,
		.at_ns = second_ns,
	};
	int result = operations()->store_user(store, &user, &stored, &run->err);
	if (result == 0)
		cr_expect_eq(value_as_bool(value_get(stored, "vip")), !is_new);
	value_unref(stored);
	return result;
}

static int create_user(void *store, struct run *run)
{
	return store_user(store, run, true);
}

static int change_user(void *store, struct run *run)
{
	return store_user(store, run, false);
}

static void prepare_user(void *store, struct run *run)
{
	cr_assert_eq(create_user(store, run), 0, "%s", run->err.text);
}

static int found_new_user(const struct run *run)
{
	return fault_count(
		"SELECT count(*) FROM users WHERE id = 'profile%d' AND name = 'Ann'", run->number);
}

static int found_changed_user(const struct run *run)
{
	return fault_count("SELECT count(*) FROM users WHERE id = 'profile%d' AND name = 'Bea'"
			   " AND vip = 1 AND email = 'bea@example.org'",
		run->number);
}

/* Requests. */

static int claim_request(void *store, struct run *run)
{
	struct ss_value *claim = NULL;
	const struct ss_request_key key = {
		.struct_size = sizeof key,
		.scope = "scope",
		.key = name(run, "request%d"),
		.fingerprint = "f",
		.subject = "turn",
		.user_id = name(run, "user%d"),
		.owner = "me",
		.lease_ns = year_ns,
		.keep_ns = year_ns,
	};
	int result = operations()->claim_request(store, &key, &claim, &run->err);
	if (result == 0)
		cr_expect_str_eq(value_as_text(value_get(claim, "state")).data, "claimed");
	value_unref(claim);
	return result;
}

static void prepare_request(void *store, struct run *run)
{
	cr_assert_eq(claim_request(store, run), 0, "%s", run->err.text);
}

static int found_claimed_request(const struct run *run)
{
	return fault_count("SELECT count(*) FROM requests WHERE key = 'request%d' AND owner = 'me'",
		run->number);
}

static int finish_request(void *store, struct run *run)
{
	const struct ss_request_result done = {
		.struct_size = sizeof done,
		.scope = "scope",
		.key = name(run, "request%d"),
		.owner = "me",
		.code = 200,
		.answer = {"{}", 2},
	};
	return operations()->finish_request(store, &done, &run->err);
}

static int found_finished_request(const struct run *run)
{
	return fault_count("SELECT count(*) FROM requests WHERE key = 'request%d' AND code = 200"
			   " AND owner IS NULL",
		run->number);
}

/* All that may be of a user. */

static void prepare_all(void *store, struct run *run)
{
	prepare_turns(store, run);
	prepare_request(store, run);
}

static int erase_user(void *store, struct run *run)
{
	struct ss_value *erased = NULL;
	const struct ss_erasure whole = {
		.struct_size = sizeof whole, .user_id = name(run, "user%d"), .limit = 1000};
	int result = operations()->erase_user(store, &whole, &erased, &run->err);
	if (result == 0)
		cr_expect_eq(value_as_int(value_get(value_get(erased, "erased"), "messages")),
			2 * TURNS);
	value_unref(erased);
	return result;
}

static int found_erased(const struct run *run)
{
	return found_deleted(run) + 2 -
	       fault_count("SELECT count(*) FROM requests WHERE key = 'request%d'", run->number) -
	       fault_count("SELECT count(*) FROM users WHERE id = 'user%d'", run->number);
}

/* Deliveries. */

static int claim_deliveries(void *store, struct run *run)
{
	struct ss_value *claimed = NULL;
	const struct ss_delivery_claim claim = {
		.struct_size = sizeof claim,
		.owner = name(run, "owner%d"),
		.lease_ns = year_ns,
		.limit = DELIVERIES,
	};
	int result = operations()->claim_deliveries(store, &claim, &claimed, &run->err);
	if (result == 0)
		cr_expect_eq(value_count(claimed), DELIVERIES);
	value_unref(claimed);
	return result;
}

static int found_claimed(const struct run *run)
{
	return fault_count(
		"SELECT count(*) FROM webhook_deliveries WHERE owner = 'owner%d'", run->number);
}

static void prepare_claims(void *store, struct run *run)
{
	prepare_turns(store, run);
	cr_assert_eq(claim_deliveries(store, run), 0, "%s", run->err.text);
	/* So that they can be told when nobody has claimed them any more. */
	char *sql = memory_format("UPDATE webhook_deliveries SET id = 'delivery' || owner || '-' ||"
				  " (number %% 2) WHERE owner = 'owner%d'",
		run->number);
	store_execute(sql);
	free(sql);
}

static int finish_deliveries(void *store, struct run *run)
{
	struct ss_error errors[DELIVERIES] = {{.status = SS_OK}};
	struct ss_delivery_attempt attempts[DELIVERIES];
	for (int i = 0; i < DELIVERIES; i++)
		attempts[i] = (struct ss_delivery_attempt){
			.struct_size = sizeof attempts[i],
			.delivery_id =
				name(run, i == 0 ? "deliveryowner%d-0" : "deliveryowner%d-1"),
			.owner = name(run, "owner%d"),
			.fence = 1,
			.at_ns = second_ns,
			.duration_ns = second_ns,
			.code = 200,
			.body = {"ok", 2},
			.status = "delivered",
		};
	int result = operations()->finish_deliveries(store, attempts, DELIVERIES, errors);
	return finish(run, result, errors, DELIVERIES);
}

static int found_finished(const struct run *run)
{
	return fault_count("SELECT count(*) FROM webhook_deliveries"
			   " WHERE id GLOB 'deliveryowner%d-*' AND status = 'delivered'",
		       run->number) +
	       fault_count("SELECT count(*) FROM webhook_deliveries JOIN delivery_attempts"
			   " ON delivery = number WHERE id GLOB 'deliveryowner%d-*' AND code = 200",
		       run->number);
}

const struct scenario fault_writes[] = {
	{"storing turns with events", prepare_webhook, commit_with_events, found_turns, ROWS,
		false},
	{"changing a conversation", prepare_turns, change_conversation, found_change, 4, false},
	{"deleting a conversation", prepare_turns, delete_conversation, found_deleted, ROWS, true},
	{"purging conversations", prepare_old_turns, purge_conversations, found_deleted, ROWS,
		true},
	{"purging events", prepare_old_turns, purge_events, found_no_events, 4, false},
	{"purging deliveries", prepare_old_turns, purge_deliveries, found_no_deliveries, 2, false},
	{"creating a user", NULL, create_user, found_new_user, 1, false},
	{"changing a user", prepare_user, change_user, found_changed_user, 1, false},
	{"erasing a user", prepare_all, erase_user, found_erased, ROWS + 2, true},
	{"storing documents", NULL, store_documents, found_documents, 2, false},
	{"claiming deliveries", prepare_turns, claim_deliveries, found_claimed, DELIVERIES, false},
	{"finishing deliveries", prepare_claims, finish_deliveries, found_finished, 2 * DELIVERIES,
		false},
	{"claiming a request", NULL, claim_request, found_claimed_request, 1, false},
	{"finishing a request", prepare_request, finish_request, found_finished_request, 1, false},
};

const size_t fault_write_count = array_length(fault_writes);

/* Reads. */

void fault_fill(void *store, struct run *run)
{
	static const struct scenario filling = {.name = "filling"};
	run->scenario = &filling;
	/* The turns of other ids, since the caller has stored some of this number. */
	run->number += 1000;
	prepare_all(store, run);
	prepare_user(store, run);
	cr_assert_eq(store_documents(store, run), 0, "%s", run->err.text);
	cr_assert_eq(change_conversation(store, run), 0, "%s", run->err.text);
	cr_assert_eq(claim_deliveries(store, run), 0, "%s", run->err.text);
	store_execute("INSERT INTO requests (scope, key, fingerprint, subject, user_id, keep_until)"
		      " VALUES ('scope', 'filled', 'f', 'turn', 'user1001', 1)"
		      " ON CONFLICT DO NOTHING");
}

static int list_conversations(void *store, struct run *run)
{
	static const char *const categories[] = {NULL, "Technical"};
	for (size_t i = 0; i < array_length(categories); i++) {
		struct ss_value *page = NULL;
		const struct ss_conversation_filter filter = {
			.struct_size = sizeof filter, .category = categories[i], .limit = 2};
		int result = operations()->list_conversations(store, &filter, &page, &run->err);
		if (fault_answer(run, result, page) < 0)
			return -1;
	}
	return 0;
}

static int list_messages(void *store, struct run *run)
{
	struct ss_value *page = NULL, *conversation = NULL;
	const struct ss_message_filter filter = {
		.struct_size = sizeof filter, .conversation_id = "conv_1001-0", .limit = 10};
	int result = operations()->list_messages(store, &filter, &page, &run->err);
	if (fault_answer(run, result, page) < 0)
		return -1;
	result = operations()->read_conversation(store, "conv_1-0", &conversation, &run->err);
	return fault_answer(run, result, conversation);
}

static int read_users(void *store, struct run *run)
{
	struct ss_value *page = NULL, *user = NULL;
	const struct ss_user_filter filter = {
		.struct_size = sizeof filter, .vip = -1, .prefix = "p", .limit = 10};
	int result = operations()->list_users(store, &filter, &page, &run->err);
	if (fault_answer(run, result, page) < 0)
		return -1;
	result = operations()->read_user(store, "user1001", &user, &run->err);
	return fault_answer(run, result, user);
}

static int read_analytics(void *store, struct run *run)
{
	struct ss_value *series = NULL;
	const struct ss_analytics_range range = {
		.struct_size = sizeof range,
		.to_ns = (int64_t)86400 * 365 * 100 * second_ns,
		.step_ns = 86400 * second_ns,
	};
	int result = operations()->read_analytics(store, &range, &series, &run->err);
	return fault_answer(run, result, series);
}

static int read_documents(void *store, struct run *run)
{
	static const int64_t since[] = {0, 1};
	for (size_t i = 0; i < array_length(since); i++) {
		struct ss_value *found = NULL;
		const struct ss_document_filter filter = {
			.struct_size = sizeof filter,
			.kind = i == 0 ? SS_ARTICLES : SS_WEBHOOKS,
			.since = since[i],
		};
		int result = operations()->read_documents(store, &filter, &found, &run->err);
		if (fault_answer(run, result, found) < 0)
			return -1;
	}
	return 0;
}

static int list_events(void *store, struct run *run)
{
	for (int i = 0; i < 2; i++) {
		struct ss_value *page = NULL;
		const struct ss_event_filter filter = {
			.struct_size = sizeof filter, .oldest_first = i == 1, .limit = 2};
		int result = operations()->list_events(store, &filter, &page, &run->err);
		if (fault_answer(run, result, page) < 0)
			return -1;
	}
	return 0;
}

static int list_requests(void *store, struct run *run)
{
	struct ss_value *page = NULL;
	const struct ss_request_filter filter = {
		.struct_size = sizeof filter, .user_id = "user1001", .limit = 10};
	int result = operations()->list_requests(store, &filter, &page, &run->err);
	return fault_answer(run, result, page);
}

static int list_deliveries(void *store, struct run *run)
{
	struct ss_value *page = NULL, *counts = NULL;
	const struct ss_delivery_filter filter = {.struct_size = sizeof filter, .limit = 10};
	int result = operations()->list_deliveries(store, &filter, &page, &run->err);
	if (fault_answer(run, result, page) < 0)
		return -1;
	result = operations()->delivery_counts(store, &counts, &run->err);
	return fault_answer(run, result, counts);
}

const struct scenario fault_reads[] = {
	{.name = "listing conversations", .act = list_conversations},
	{.name = "listing messages", .act = list_messages},
	{.name = "reading users", .act = read_users},
	{.name = "reading analytics", .act = read_analytics},
	{.name = "reading documents", .act = read_documents},
	{.name = "listing events", .act = list_events},
	{.name = "listing deliveries", .act = list_deliveries},
	{.name = "listing requests", .act = list_requests},
};

const size_t fault_read_count = array_length(fault_reads);
