/* Turns are stored and read back. */
#include "support/storage/store.h"

#include "base/clock.h"
#include "base/memory.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(storage_commit, .init = store_begin, .fini = store_end);

static void expect_context(
	void *store, const char *user, const char *conversation, size_t limit, const char *expected)
{
	char *context = store_context(store, user, conversation, limit);
	cr_expect_str_eq(context, expected, "%s\nnot\n%s", context, expected);
	free(context);
}

static void expect_history(
	void *store, const char *conversation, size_t limit, const char *expected)
{
	char *history = store_history(store, conversation, limit);
	cr_expect_str_eq(history, expected, "%s\nnot\n%s", history, expected);
	free(history);
}

/* A turn with its own texts. */
static struct ss_turn with_texts(struct ss_turn turn, const char *message, const char *response)
{
	turn.message = (struct ss_text){message, strlen(message)};
	turn.response = (struct ss_text){response, strlen(response)};
	return turn;
}

static int commit_all(
	void *store, const struct ss_turn *turns, size_t count, struct ss_error *errors)
{
	for (size_t i = 0; i < count; i++)
		errors[i] = (struct ss_error){.status = SS_OK};
	return smartsupport_plugin.storage->commit_turns(store, turns, count, errors);
}

Test(storage_commit, a_user_not_seen_before_has_no_name_and_no_history)
{
	void *store = store_open();
	expect_context(
		store, "ann", NULL, 10, "{\"history\":[],\"user\":{\"id\":\"ann\",\"vip\":false}}");
	cr_expect_eq(store_number("SELECT count(*) FROM users"), 0, "reading creates nothing");
	store_close(store);
}

Test(storage_commit, the_context_has_the_user_and_the_history_oldest_first)
{
	void *store = store_open();
	store_add(store, store_first_turn("t1", "conv_1"));
	store_execute("UPDATE users SET name = 'Ann Lee', vip = 1");
	expect_context(store, "ann", "conv_1", 10,
		"{\"history\":["
		"{\"at\":\"2026-01-01T00:00:00.123456Z\",\"content\":\"Where is my invoice?\","
		"\"role\":\"user\"},"
		"{\"at\":\"2026-01-01T00:00:00.223456Z\",\"content\":\"Under Settings.\","
		"\"role\":\"assistant\"}],"
		"\"status\":\"active\",\"user\":{\"id\":\"ann\",\"name\":\"Ann "
		"Lee\",\"vip\":true}}");
	store_close(store);
}

Test(storage_commit, the_history_is_the_last_messages)
{
	void *store = store_open();
	store_add(store, with_texts(store_first_turn("t1", "conv_1"), "q1", "a1"));
	store_add(store, with_texts(store_turn("t2", "conv_1"), "q2", "a2"));
	store_add(store, with_texts(store_turn("t3", "conv_1"), "q3", "a3"));
	expect_history(store, "conv_1", 100, "q1|a1|q2|a2|q3|a3");
	expect_history(store, "conv_1", 6, "q1|a1|q2|a2|q3|a3");
	expect_history(store, "conv_1", 3, "a2|q3|a3");
	expect_history(store, "conv_1", 1, "a3");
	expect_history(store, "conv_1", 0, "");
	expect_history(store, "conv_1", SIZE_MAX, "q1|a1|q2|a2|q3|a3");
	store_close(store);
}

/* A turn of USER, in a conversation of its own, asked MINUTE minutes later than others. */
static struct ss_turn turn_of(const char *user, const char *id, const char *message, int64_t minute)
{
	struct ss_turn turn = with_texts(store_first_turn(id, id), message, "answer");
	turn.user_id = user;
	turn.asked_at_ns += minute * 60000000000;
	turn.answered_at_ns = turn.asked_at_ns + 1000000;
	return turn;
}

static void expect_recent(
	void *store, const char *user, const char *conversation, size_t limit, const char *expected)
{
	char *recent = store_recent(store, user, conversation, limit);
	cr_expect_str_eq(recent, expected, "%s\nnot\n%s", recent, expected);
	free(recent);
}

Test(storage_commit, what_a_user_wrote_last_elsewhere_is_recent)
{
	void *store = store_open();
	store_add(store, turn_of("ann", "conv_2", "second", 2));
	store_add(store, turn_of("ann", "conv_1", "first", 1));
	store_add(store, turn_of("bob", "conv_3", "not ann's", 3));
	store_add(store, turn_of("ann", "conv_4", "third", 4));
	expect_recent(store, "ann", NULL, 10, "first|second|third");
	expect_recent(store, "ann", "conv_2", 10, "first|third");
	expect_recent(store, "ann", NULL, 2, "second|third");
	expect_recent(store, "ann", NULL, 0, "");
	expect_recent(store, "ann", NULL, SIZE_MAX, "first|second|third");
	expect_recent(store, "eve", NULL, 10, "");
	store_close(store);
}

Test(storage_commit, of_a_long_conversation_the_last_messages_are_recent)
{
	void *store = store_open();
	store_add(store, turn_of("ann", "conv_1", "q1", 1));
	for (int64_t i = 2; i <= 5; i++) {
		char id[16];
		char message[16];
		(void)snprintf(id, sizeof id, "t%lld", (long long)i);
		(void)snprintf(message, sizeof message, "q%lld", (long long)i);
		struct ss_turn turn = turn_of("ann", id, message, i);
		turn.conversation_id = "conv_1";
		turn.new_conversation = false;
		store_add(store, turn);
	}
	expect_recent(store, "ann", NULL, 3, "q3|q4|q5");
	expect_recent(store, "ann", "conv_1", 3, "");
	store_close(store);
}

Test(storage_commit, a_long_history_is_read_whole)
{
	void *store = store_open();
	for (int i = 0; i < 50; i++) {
		char id[16];
		(void)snprintf(id, sizeof id, "t%d", i);
		store_add(
			store, i == 0 ? store_first_turn(id, "conv_1") : store_turn(id, "conv_1"));
	}
	char *history = store_history(store, "conv_1", 1000);
	cr_expect_eq(strlen(history), 50 * (20 + 15) + 99);
	free(history);
	store_check();
	store_close(store);
}

Test(storage_commit, nobody_learns_whether_a_conversation_of_another_user_exists)
{
	void *store = store_open();
	store_add(store, store_first_turn("t1", "conv_1"));
	expect_context(store, "bob", "conv_1", 10,
		"the conversation conv_1 does not exist or belongs to another user");
	expect_context(store, "ann", "conv_2", 10,
		"the conversation conv_2 does not exist or belongs to another user");
	struct ss_error err;
	struct ss_turn turn = store_turn("t2", "conv_1");
	turn.user_id = "bob";
	cr_expect_eq(store_commit(store, &turn, &err), -1);
	cr_expect_eq(err.status, SS_NOT_FOUND);
	cr_expect_str_eq(err.text,
		"turn t2: the conversation conv_1 does not exist or belongs to another user");
	turn = store_turn("t3", "conv_2");
	cr_expect_eq(store_commit(store, &turn, &err), -1);
	cr_expect_eq(err.status, SS_NOT_FOUND);
	cr_expect_eq(store_number("SELECT count(*) FROM users WHERE id = 'bob'"), 0);
	expect_history(store, "conv_1", 10, "Where is my invoice?|Under Settings.");
	store_close(store);
}

Test(storage_commit, everything_that_a_turn_says_is_stored)
{
	void *store = store_open();
	struct ss_turn turn = store_first_turn("t1", "conv_1");
	turn.escalated = true;
	turn.escalation_reason = "Angry";
	turn.priority = 9;
	turn.attempts = 3;
	store_add(store, turn);
	char *row = store_text(
		"SELECT concat_row FROM (SELECT CASE WHEN id LIKE '________-____-7%' THEN 1 END"
		" || '|' || conversation_id"
		" || '|' || seq || '|' || role || '|' || content || '|' || created_at || '|' ||"
		" turn_id || '|' || category || '|' || sentiment || '|' || priority || '|' ||"
		" attempts || '|' || escalated || '|' || escalation_reason || '|' || answered_by"
		" || '|' || duration_ns || '|' || metadata AS concat_row"
		" FROM messages WHERE seq = 2) AS rows");
	cr_expect_str_eq(row,
		"1|conv_1|2|assistant|Under Settings.|1767225600223456|t1|Billing|"
		"Neutral|9|3|1|Angry|billing|100000000|{\"kb_results\":[]}",
		"%s", row);
	free(row);
	row = store_text("SELECT user_id || '|' || status || '|' || category || '|' || sentiment ||"
			 " '|' || priority || '|' || message_count || '|' || created_at || '|' ||"
			 " updated_at FROM conversations");
	cr_expect_str_eq(row, "ann|escalated|Billing|Neutral|9|2|1767225600123456|1767225600223456",
		"%s", row);
	free(row);
	row = store_text("SELECT hour || '|' || category || '|' || sentiment || '|' || queries ||"
			 " '|' || escalated || '|' || response_time_ns FROM analytics");
	cr_expect_str_eq(row, "1767225600000000|Billing|Neutral|1|1|100000000", "%s", row);
	free(row);
	store_close(store);
}

Test(storage_commit, a_turn_may_lack_what_is_optional)
{
	void *store = store_open();
	store_add(store, (struct ss_turn){.struct_size = sizeof(struct ss_turn),
				 .turn_id = "t1",
				 .conversation_id = "conv_1",
				 .user_id = "ann",
				 .new_conversation = true,
				 .priority = 5});
	expect_history(store, "conv_1", 10, "|");
	char *stats = store_stats(store);
	cr_expect_not_null(strstr(stats, "\"categories\":{}"), "%s", stats);
	cr_expect_not_null(strstr(stats, "\"total_queries\":1"), "%s", stats);
	free(stats);
	store_check();
	store_close(store);
}

Test(storage_commit, a_conversation_keeps_what_it_is_about_and_reopens)
{
	void *store = store_open();
	store_add(store, store_first_turn("t1", "conv_1"));
	store_execute("UPDATE conversations SET status = 'resolved'");
	struct ss_turn turn = store_turn("t2", "conv_1");
	turn.category = NULL;
	turn.sentiment = "Positive";
	turn.priority = 4;
	store_add(store, turn);
	char *row = store_text("SELECT status || '|' || category || '|' || sentiment || '|' ||"
			       " priority FROM conversations");
	cr_expect_str_eq(row, "active|Billing|Positive|4");
	free(row);
	turn = store_turn("t3", "conv_1");
	turn.escalated = true;
	store_add(store, turn);
	store_add(store, store_turn("t4", "conv_1"));
	row = store_text("SELECT status FROM conversations");
	cr_expect_str_eq(row, "escalated", "a human has not taken it yet");
	free(row);
	store_close(store);
}

Test(storage_commit, texts_come_back_as_they_were)
{
	static const char with_nul[] = "\0before\0after\0";
	static const char mark[] = "\xf4\x8f\xbf\xbf\0\xf4\x8f\xbf\xbf"
				   "0";
	static const char emoji[] =
		"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x94\xa7 caf\xc3\xa9 ' \" \\ %s";
	char longest[4000 * 4];
	for (size_t i = 0; i < sizeof longest; i++)
		longest[i] = "\xf0\x9f\x98\xa1"[i % 4];
	const struct ss_text texts[] = {{with_nul, sizeof with_nul - 1}, {mark, sizeof mark - 1},
		{emoji, sizeof emoji - 1}, {longest, sizeof longest}, {"", 0}, {NULL, 0}};
	void *store = store_open();
	for (size_t i = 0; i < array_length(texts); i++) {
		char id[16];
		(void)snprintf(id, sizeof id, "t%zu", i);
		struct ss_turn turn =
			i == 0 ? store_first_turn(id, "conv_1") : store_turn(id, "conv_1");
		turn.message = texts[i];
		turn.response = texts[i];
		store_add(store, turn);
		store_add(store, turn);
		struct ss_value *context = NULL;
		const struct ss_turn_key key = {.struct_size = sizeof key,
			.user_id = "ann",
			.conversation_id = "conv_1",
			.history_limit = 1};
		cr_assert_eq(
			smartsupport_plugin.storage->turn_context(store, &key, &context, NULL), 0);
		struct ss_text got = value_as_text(
			value_get(value_at(value_get(context, "history"), 0), "content"));
		cr_assert_eq(got.length, texts[i].length);
		cr_expect(got.length == 0 || memcmp(got.data, texts[i].data, got.length) == 0);
		value_unref(context);
	}
	cr_expect_eq(store_number("SELECT count(*) FROM messages"), 12, "a retry was stored twice");
	store_close(store);
}

/* TURN with its own message, whose vector is the text VECTOR of EMBEDDER. */
static struct ss_turn with_vector(
	struct ss_turn turn, const char *message, const char *embedder, const char *vector)
{
	turn.message = (struct ss_text){message, strlen(message)};
	turn.embedder = embedder;
	turn.vector = (struct ss_bytes){(const unsigned char *)vector, strlen(vector)};
	return turn;
}

static void expect_vectors(void *store, const char *conversation, size_t limit,
	const char *embedder, const char *expected)
{
	char *vectors = store_vectors(store, conversation, limit, embedder);
	cr_expect_str_eq(vectors, expected, "%s not %s", vectors, expected);
	free(vectors);
}

Test(storage_commit, a_question_keeps_its_vector)
{
	void *store = store_open();
	store_add(store, with_vector(store_first_turn("t1", "conv_1"), "q1", "e", "v1"));
	store_add(store, with_vector(store_turn("t2", "conv_1"), "q2", "e", "v2"));
	store_add(store, with_texts(store_turn("t3", "conv_1"), "q3", "a3"));
	store_add(store, with_vector(store_first_turn("t4", "conv_2"), "q4", "e", "v4"));
	struct ss_turn turn = with_vector(store_first_turn("t5", "conv_3"), "q5", "e", "v5");
	turn.user_id = "bob";
	store_add(store, turn);
	expect_vectors(store, "conv_1", 10, "e", "q1=v1|q2=v2|q4=v4");
	expect_vectors(store, "conv_2", 10, "e", "q1=v1|q2=v2|q4=v4");
	expect_vectors(store, NULL, 10, "e", "q1=v1|q2=v2|q4=v4");
	expect_vectors(store, NULL, 1, "e", "q4=v4");
	expect_vectors(store, "conv_1", 2, "e", "q4=v4"); /* q3 has none */
	expect_history(store, "conv_1", 10, "q1|Under Settings.|q2|Under Settings.|q3|a3");
	store_check();
	store_close(store);
}

Test(storage_commit, a_vector_is_for_its_embedder_only)
{
	void *store = store_open();
	store_add(store, with_vector(store_first_turn("t1", "conv_1"), "q1", "old", "v1"));
	store_add(store, with_vector(store_turn("t2", "conv_1"), "q2", "new", "v2"));
	expect_vectors(store, "conv_1", 10, "old", "q1=v1");
	expect_vectors(store, "conv_1", 10, "new", "q2=v2");
	expect_vectors(store, "conv_1", 10, "", "");
	expect_vectors(store, "conv_1", 10, NULL, "");
	store_close(store);
}

/* Compares with the bytes CONTEXT, which it makes none. */
static void expect_vector(void *context, struct ss_text message, struct ss_bytes vector)
{
	struct ss_bytes *expected = context;
	(void)message;
	cr_assert_eq(vector.length, expected->length);
	cr_expect_eq(memcmp(vector.data, expected->data, vector.length), 0);
	*expected = (struct ss_bytes){0};
}

Test(storage_commit, a_vector_is_bytes)
{
	void *store = store_open();
	const struct ss_bytes vector = {(const unsigned char *)"\0\xff\0\x80'", 5};
	struct ss_turn turn = with_vector(store_first_turn("t1", "conv_1"), "q1", "e", "");
	turn.vector = vector;
	store_add(store, turn);
	store_add(store, turn);
	cr_expect_eq(store_number("SELECT length(vector) FROM messages WHERE role = 'user'"), 5);
	struct ss_bytes expected = vector;
	struct ss_value *context = NULL;
	const struct ss_turn_key key = {.struct_size = sizeof key,
		.user_id = "ann",
		.conversation_id = "conv_1",
		.history_limit = 10,
		.embedder = "e",
		.vector_read = expect_vector,
		.vector_context = &expected};
	cr_assert_eq(smartsupport_plugin.storage->turn_context(store, &key, &context, NULL), 0);
	cr_expect_eq(expected.length, 0, "it was not read");
	value_unref(context);
	store_close(store);
}

Test(storage_commit, an_embedder_without_a_vector_is_refused)
{
	struct ss_error err;
	void *store = store_open();
	struct ss_turn turn = store_first_turn("t1", "conv_1");
	turn.embedder = "e";
	cr_expect_eq(store_commit(store, &turn, &err), -1);
	cr_expect_eq(err.status, SS_INVALID, "%s", err.text);
	cr_expect_not_null(strstr(err.text, "vector_has_an_embedder"), "%s", err.text);
	cr_expect_eq(store_number("SELECT count(*) FROM messages"), 0);
	store_close(store);
}

Test(storage_commit, a_vector_goes_with_its_message)
{
	void *store = store_open();
	store_add(store, with_vector(store_first_turn("t1", "conv_1"), "q1", "e", "v1"));
	store_execute("DELETE FROM conversations");
	expect_vectors(store, NULL, 10, "e", "");
	cr_expect_eq(store_number("SELECT count(*) FROM messages"), 0);
	store_close(store);
}

Test(storage_commit, turns_of_one_conversation_in_one_batch_follow_each_other)
{
	void *store = store_open();
	struct ss_error errors[4];
	const struct ss_turn turns[] = {
		with_texts(store_first_turn("t1", "conv_1"), "q1", "a1"),
		with_texts(store_first_turn("u1", "conv_2"), "x1", "y1"),
		with_texts(store_turn("t2", "conv_1"), "q2", "a2"),
		with_texts(store_turn("t3", "conv_1"), "q3", "a3"),
	};
	cr_assert_eq(commit_all(store, turns, 4, errors), 0);
	for (size_t i = 0; i < 4; i++)
		cr_expect_eq(errors[i].status, SS_OK, "%s", errors[i].text);
	expect_history(store, "conv_1", 10, "q1|a1|q2|a2|q3|a3");
	expect_history(store, "conv_2", 10, "x1|y1");
	store_check();
	store_close(store);
}

/* What conversations have come to, in the order of their ids. */
static char *conversations(void)
{
	char *rows = memory_string("");
	static const char *const ids[] = {"conv_1", "conv_2", "conv_3"};
	for (size_t i = 0; i < array_length(ids); i++) {
		char *sql = memory_format("SELECT status || ' ' || category || ' ' || sentiment || "
					  "' ' || priority || ' ' ||"
					  " message_count || ' ' || created_at || ' ' || "
					  "updated_at FROM conversations"
					  " WHERE id = '%s'",
			ids[i]);
		char *row = store_text(sql);
		char *longer = memory_format("%s%s\n", rows, row);
		free(sql);
		free(row);
		free(rows);
		rows = longer;
	}
	return rows;
}

Test(storage_commit, turns_of_a_batch_change_their_conversations_as_if_each_were_stored_alone)
{
	enum { COUNT = 7 };
	struct ss_error errors[COUNT];
	struct ss_turn turns[COUNT] = {store_turn("t2", "conv_1"), store_first_turn("u1", "conv_2"),
		store_turn("u2", "conv_2"), store_turn("t3", "conv_1"), store_turn("u3", "conv_2"),
		store_first_turn("v1", "conv_3"), store_turn("v2", "conv_3")};
	void *store = store_open();
	turns[0].category = "Technical", turns[0].priority = 9, turns[0].answered_at_ns += 5000000;
	turns[2].escalated = true, turns[2].sentiment = "Angry";
	turns[3].category = NULL, turns[3].sentiment = NULL, turns[3].priority = 2;
	turns[4].category = NULL, turns[4].priority = 8;
	store_add(store, store_first_turn("t1", "conv_1"));
	for (size_t i = 0; i < COUNT; i++)
		store_add(store, turns[i]);
	char *alone = conversations();
	store_execute("DELETE FROM conversations");
	store_add(store, store_first_turn("t1", "conv_1"));
	cr_assert_eq(commit_all(store, turns, COUNT, errors), 0);
	char *together = conversations();
	cr_expect_str_eq(together, alone, "%s\nnot\n%s", together, alone);
	cr_expect_not_null(strstr(alone, "escalated"));
	free(together);
	free(alone);
	store_close(store);
}

Test(storage_commit, a_conversation_that_two_of_a_batch_claim_is_the_first_ones)
{
	struct ss_error errors[4];
	struct ss_turn turns[] = {store_first_turn("t1", "conv_1"), store_turn("b1", "conv_1"),
		store_first_turn("t2", "conv_1"), store_turn("t3", "conv_1")};
	void *store = store_open();
	turns[1].user_id = "bob";
	cr_assert_eq(commit_all(store, turns, 4, errors), 0);
	cr_expect_eq(errors[0].status, SS_OK, "%s", errors[0].text);
	cr_expect_eq(errors[1].status, SS_NOT_FOUND, "%s", errors[1].text);
	cr_expect_eq(errors[2].status, SS_CONFLICT, "%s", errors[2].text);
	cr_expect_eq(errors[3].status, SS_OK, "%s", errors[3].text);
	cr_expect_eq(store_number("SELECT message_count FROM conversations"), 4);
	cr_expect_eq(store_number("SELECT count(*) FROM messages"), 4);
	store_check();
	store_close(store);
}

/* More than is sent to a database at once. */
Test(storage_commit, a_batch_of_long_texts_is_stored)
{
	enum { COUNT = 40, LENGTH = 100000 };
	struct ss_error errors[COUNT];
	struct ss_turn turns[COUNT];
	char ids[COUNT][8];
	char *text = memory_new(LENGTH);
	void *store = store_open();
	memset(text, 'x', LENGTH);
	for (size_t i = 0; i < COUNT; i++) {
		(void)snprintf(ids[i], sizeof ids[i], "t%zu", i);
		turns[i] =
			i == 0 ? store_first_turn(ids[i], "conv_1") : store_turn(ids[i], "conv_1");
		turns[i].message = turns[i].response = (struct ss_text){text, LENGTH - i};
		turns[i].metadata = i % 2 == 0 ? "{}" : NULL;
	}
	cr_assert_eq(commit_all(store, turns, COUNT, errors), 0, "%s", errors[0].text);
	cr_expect_eq(store_number("SELECT count(*) FROM messages WHERE role = 'assistant'"
				  " AND turn_id = 't' || (seq / 2 - 1)"
				  " AND length(content) = 100000 - (seq / 2 - 1)"),
		COUNT);
	cr_expect_eq(
		store_number("SELECT count(*) FROM messages WHERE metadata = '{}'"), COUNT / 2);
	store_check();
	free(text);
	store_close(store);
}

Test(storage_commit, a_turn_of_a_newer_host_is_read_by_its_own_size)
{
	struct {
		struct ss_turn turn;
		char new_members[24];
	} turns[2] = {
		{.turn = with_texts(store_first_turn("t1", "conv_1"), "q1", "a1")},
		{.turn = with_texts(store_turn("t2", "conv_1"), "q2", "a2")},
	};
	struct ss_error errors[2] = {{.status = SS_OK}};
	void *store = store_open();
	turns[0].turn.struct_size = sizeof turns[0];
	turns[1].turn.struct_size = sizeof turns[0];
	cr_assert_eq(
		smartsupport_plugin.storage->commit_turns(store, &turns[0].turn, 2, errors), 0);
	expect_history(store, "conv_1", 10, "q1|a1|q2|a2");
	turns[0].turn.struct_size = 0;
	cr_expect_eq(
		smartsupport_plugin.storage->commit_turns(store, &turns[0].turn, 1, errors), -1);
	cr_expect_not_null(strstr(errors[0].text, "turns have 0 bytes"), "%s", errors[0].text);
	store_close(store);
}

static void expect_error(
	const struct ss_error *err, enum ss_status status, const char *start, const char *words)
{
	cr_expect_eq(err->status, status, "%d: %s", (int)err->status, err->text);
	cr_expect_eq(strncmp(err->text, start, strlen(start)), 0, "%s", err->text);
	cr_expect_not_null(strstr(err->text, words), "%s", err->text);
}

Test(storage_commit, a_bad_turn_fails_alone)
{
	enum { COUNT = 10 };
	struct ss_error errors[COUNT];
	struct ss_turn turns[COUNT];
	void *store = store_open();
	store_add(store, store_first_turn("t0", "conv_0"));
	for (size_t i = 0; i < COUNT; i++)
		turns[i] = store_first_turn(NULL, NULL);
	turns[0].turn_id = "g1", turns[0].conversation_id = "conv_1";
	turns[1].turn_id = "b1", turns[1].conversation_id = "conv_2", turns[1].priority = 11;
	turns[2].turn_id = "b2", turns[2].conversation_id = "conv_0", turns[2].user_id = "bob",
	turns[2].new_conversation = false;
	turns[3].turn_id = "b3", turns[3].conversation_id = "conv_0";
	turns[4].turn_id = "t0", turns[4].conversation_id = "conv_3";
	turns[5].turn_id = "b5", turns[5].conversation_id = "conv_4", turns[5].metadata = "{oops";
	turns[5].user_id = "eve";
	turns[6].turn_id = "b6", turns[6].conversation_id = "conv_5", turns[6].duration_ns = -1;
	turns[7].turn_id = NULL, turns[7].conversation_id = "conv_6";
	turns[8].turn_id = "b8", turns[8].conversation_id = "conv_7", turns[8].user_id = "";
	turns[9].turn_id = "g2", turns[9].conversation_id = "conv_8";
	cr_assert_eq(commit_all(store, turns, COUNT, errors), 0);
	cr_expect_eq(errors[0].status, SS_OK, "%s", errors[0].text);
	expect_error(
		&errors[1], SS_INVALID, "turn b1: ", "priority is 11, but priorities are from");
	expect_error(&errors[2], SS_NOT_FOUND, "turn b2: ", "conv_0 does not exist or belongs to");
	expect_error(&errors[3], SS_CONFLICT, "turn b3: ", "conv_0 cannot be created");
	expect_error(&errors[4], SS_CONFLICT, "turn t0: ", "another content is stored already");
	expect_error(&errors[5], SS_INVALID, "turn b5: ", "its metadata is not JSON: ");
	expect_error(&errors[6], SS_INVALID, "turn b6: ", "duration (-1 ns)");
	expect_error(&errors[7], SS_INVALID, "turn without an id: ", "it needs the ids");
	expect_error(&errors[8], SS_INVALID, "turn b8: ", "it needs the ids");
	cr_expect_eq(errors[9].status, SS_OK, "%s", errors[9].text);
	cr_expect_eq(store_number("SELECT count(*) FROM messages WHERE turn_id IS NOT NULL"), 3);
	cr_expect_eq(store_number("SELECT count(*) FROM messages WHERE turn_id IN"
				  " ('g1', 'g2', 't0')"),
		3);
	cr_expect_eq(store_number("SELECT count(*) FROM conversations"), 3);
	cr_expect_eq(store_number("SELECT count(*) FROM conversations WHERE id IN"
				  " ('conv_0', 'conv_1', 'conv_8')"),
		3);
	cr_expect_eq(store_number("SELECT count(*) FROM users"), 1, "a bad turn left its user");
	store_check();
	store_close(store);
}

/* Of what its giver knows to be JSON the database has no other opinion. */
Test(storage_commit, metadata_is_read_unless_it_is_known_to_be_json)
{
	void *store = store_open();
	enum { DEPTH = 100 };
	char metadata[2 * DEPTH + 1];
	memset(metadata, '[', DEPTH);
	memset(metadata + DEPTH, ']', DEPTH);
	metadata[2 * DEPTH] = '\0';
	struct ss_turn turns[] = {store_first_turn("t1", "conv_1"), store_turn("t2", "conv_1")};
	struct ss_error err = {.status = SS_OK};
	turns[0].metadata = turns[1].metadata = metadata;
	turns[0].metadata_is_json = turns[1].metadata_is_json = true;
	store_add(store, turns[0]);
	turns[1].metadata_is_json = false;
	cr_expect_lt(store_commit(store, &turns[1], &err), 0);
	expect_error(&err, SS_INVALID, "turn t2: ", "its metadata is not JSON: ");
	char *stored = store_text("SELECT metadata FROM messages WHERE turn_id = 't1'");
	cr_expect_str_eq(stored, metadata);
	free(stored);
	store_close(store);
}

Test(storage_commit, a_conversation_whose_first_turn_fails_does_not_begin_with_the_second)
{
	struct ss_error errors[2];
	struct ss_turn turns[] = {store_first_turn("t1", "conv_1"), store_turn("t2", "conv_1")};
	void *store = store_open();
	turns[0].priority = 0;
	cr_assert_eq(commit_all(store, turns, 2, errors), 0);
	cr_expect_eq(errors[0].status, SS_INVALID);
	cr_expect_eq(errors[1].status, SS_NOT_FOUND);
	cr_expect_eq(store_number("SELECT count(*) FROM conversations"), 0);
	store_close(store);
}

Test(storage_commit, a_turn_that_is_sent_again_is_stored_once)
{
	struct ss_error errors[3];
	void *store = store_open();
	struct ss_turn first = store_first_turn("t1", "conv_1");
	struct ss_turn second = store_turn("t2", "conv_1");
	const struct ss_turn batch[] = {first, second, second};
	cr_assert_eq(commit_all(store, batch, 3, errors), 0);
	/* It was run again after a crash, and took longer. */
	second.duration_ns *= 7;
	second.answered_at_ns += 1000000000;
	second.metadata = "{}";
	const struct ss_turn again[] = {second, first};
	cr_assert_eq(commit_all(store, again, 2, errors), 0);
	for (size_t i = 0; i < 2; i++)
		cr_expect_eq(errors[i].status, SS_OK, "%s", errors[i].text);
	cr_expect_eq(store_number("SELECT count(*) FROM messages"), 4);
	cr_expect_eq(store_number("SELECT sum(queries) FROM analytics"), 2);
	cr_expect_eq(store_number("SELECT message_count FROM conversations"), 4);
	store_check();
	store_close(store);
}

Test(storage_commit, a_turn_id_with_other_content_is_a_conflict)
{
	struct ss_error err;
	void *store = store_open();
	store_add(store, store_first_turn("t1", "conv_1"));
	store_add(store, store_first_turn("t2", "conv_2"));
	struct ss_turn turns[6];
	for (size_t i = 0; i < array_length(turns); i++)
		turns[i] = store_turn("t1", "conv_1");
	turns[0].message.length--;
	turns[1].response.length--;
	turns[2].category = NULL;
	turns[3].conversation_id = "conv_2";
	turns[4].user_id = "bob";
	turns[5].escalated = true;
	for (size_t i = 0; i < array_length(turns); i++) {
		cr_expect_eq(store_commit(store, &turns[i], &err), -1, "turn %zu", i);
		cr_expect_eq(err.status, SS_CONFLICT, "%s", err.text);
	}
	store_check();
	store_close(store);
}

Test(storage_commit, a_turn_that_a_rule_of_the_schema_refuses_fails_alone)
{
	struct ss_error errors[3];
	struct ss_turn turns[] = {store_first_turn("t1", "conv_1"), store_turn("t2", "conv_1"),
		store_turn("t3", "conv_1")};
	void *store = store_open();
	/* The sum of the hour would not fit into an integer. */
	turns[1].duration_ns = INT64_MAX;
	cr_assert_eq(commit_all(store, turns, 3, errors), 0);
	cr_expect_eq(errors[0].status, SS_OK, "%s", errors[0].text);
	expect_error(&errors[1], SS_INVALID, "turn t2: ", "breaks a rule of its schema");
	cr_expect_eq(errors[2].status, SS_OK, "%s", errors[2].text);
	cr_expect_eq(store_number("SELECT count(*) FROM messages"), 4);
	store_check();
	store_close(store);
}

Test(storage_commit, an_empty_batch_is_stored)
{
	void *store = store_open();
	cr_expect_eq(smartsupport_plugin.storage->commit_turns(store, NULL, 0, NULL), 0);
	store_close(store);
}

Test(storage_commit, statistics_of_an_empty_store_are_zeros)
{
	void *store = store_open();
	char *stats = store_stats(store);
	cr_expect_str_eq(stats,
		"{\"active_conversations\":0,\"avg_response_time\":0.0,\"categories\":{},"
		"\"escalated\":0,\"escalation_rate\":0.0,\"sentiments\":{},\"total_queries\":0}",
		"%s", stats);
	free(stats);
	store_close(store);
}

Test(storage_commit, statistics_add_up_over_hours)
{
	static const char *const categories[] = {"Billing", "Technical", "Billing", "Account"};
	static const char *const sentiments[] = {"Angry", "Neutral", "Neutral", "Neutral"};
	void *store = store_open();
	for (int64_t i = 0; i < 4; i++) {
		char id[16], conversation[16];
		(void)snprintf(id, sizeof id, "t%d", (int)i);
		(void)snprintf(conversation, sizeof conversation, "conv_%d", (int)i);
		struct ss_turn turn = store_first_turn(id, conversation);
		turn.category = categories[i];
		turn.sentiment = sentiments[i];
		turn.escalated = i == 0;
		turn.duration_ns = (i + 1) * 100000000;
		turn.asked_at_ns = clock_utc_ns() - i * 2400 * INT64_C(1000000000);
		turn.answered_at_ns = turn.asked_at_ns;
		store_add(store, turn);
	}
	char *stats = store_stats(store);
	cr_expect_str_eq(stats,
		"{\"active_conversations\":4,\"avg_response_time\":0.25,"
		"\"categories\":{\"Account\":1,\"Billing\":2,\"Technical\":1},\"escalated\":1,"
		"\"escalation_rate\":0.25,\"sentiments\":{\"Angry\":1,\"Neutral\":3},"
		"\"total_queries\":4}",
		"%s", stats);
	free(stats);
	cr_expect_geq(store_number("SELECT count(DISTINCT hour) FROM analytics"), 2);
	store_check();
	store_close(store);
}

Test(storage_commit, a_conversation_is_active_within_the_window_and_until_it_is_resolved)
{
	void *store = store_try(&(struct store_options){.active_window_s = 600}, NULL);
	cr_assert_not_null(store);
	for (int i = 0; i < 4; i++) {
		char id[16], conversation[16];
		(void)snprintf(id, sizeof id, "t%d", i);
		(void)snprintf(conversation, sizeof conversation, "conv_%d", i);
		struct ss_turn turn = store_first_turn(id, conversation);
		turn.escalated = i == 1;
		turn.asked_at_ns = clock_utc_ns() - (i == 2 ? 700 : 500) * INT64_C(1000000000);
		turn.answered_at_ns = turn.asked_at_ns;
		store_add(store, turn);
	}
	store_execute("UPDATE conversations SET status = 'closed' WHERE id = 'conv_3'");
	char *stats = store_stats(store);
	cr_expect_not_null(strstr(stats, "\"active_conversations\":2"), "%s", stats);
	free(stats);
	store_close(store);
}

Test(storage_commit, what_was_stored_is_there_after_closing)
{
	void *store = store_open();
	store_add(store, with_texts(store_first_turn("t1", "conv_1"), "q1", "a1"));
	store_close(store);
	store = store_open();
	expect_history(store, "conv_1", 10, "q1|a1");
	store_add(store, with_texts(store_turn("t2", "conv_1"), "q2", "a2"));
	expect_history(store, "conv_1", 10, "q1|a1|q2|a2");
	store_close(store);
}

/* Tells, each time it is asked to, whether the turn is there; ends when nobody can ask any more. */
static void answer_questions(int questions, int answers)
{
	char byte;
	void *store = store_open();
	while (read(questions, &byte, 1) == 1) {
		char *context = store_context(store, "ann", "conv_1", 1);
		bool there = strstr(context, "Under Settings.") != NULL;
		(void)!write(answers, there ? "y" : "n", 1);
		free(context);
	}
	store_close(store);
	_exit(0);
}

static char ask(int questions, int answers)
{
	char answer = '?';
	(void)!write(questions, "?", 1);
	(void)!read(answers, &answer, 1);
	return answer;
}

Test(storage_commit, another_process_sees_a_turn_as_soon_as_it_is_stored)
{
	int questions[2], answers[2];
	cr_assert_eq(pipe(questions) + pipe(answers), 0);
	pid_t reader = store_fork();
	if (reader == 0) {
		(void)close(questions[1]);
		(void)close(answers[0]);
		answer_questions(questions[0], answers[1]);
	}
	(void)close(questions[0]);
	(void)close(answers[1]);
	void *store = store_open();
	cr_expect_eq(ask(questions[1], answers[0]), 'n');
	store_add(store, store_first_turn("t1", "conv_1"));
	cr_expect_eq(ask(questions[1], answers[0]), 'y');
	store_close(store);
	(void)close(questions[1]);
	(void)close(answers[0]);
	cr_expect_eq(waitpid(reader, NULL, 0), reader);
}

Test(storage_commit, several_processes_write_at_once_and_lose_nothing)
{
	enum { PROCESSES = 4, TURNS = 40, MESSAGES = 2 * PROCESSES * TURNS };
	store_close(store_open());
	pid_t children[PROCESSES];
	for (int p = 0; p < PROCESSES; p++) {
		children[p] = store_fork();
		if (children[p] != 0)
			continue;
		struct ss_error err = {.status = SS_OK};
		void *store = store_try(&(struct store_options){.busy_timeout_s = 60}, &err);
		for (int i = 0; store != NULL && i < TURNS; i++) {
			char id[24], conversation[24];
			(void)snprintf(id, sizeof id, "t%d-%d", p, i);
			(void)snprintf(conversation, sizeof conversation, "conv_%d", p);
			struct ss_turn turn = i == 0 ? store_first_turn(id, conversation)
						     : store_turn(id, conversation);
			if (store_commit(store, &turn, &err) < 0)
				break;
		}
		if (err.status != SS_OK)
			(void)fprintf(stderr, "%s\n", err.text);
		store_close(store);
		_exit(err.status != SS_OK);
	}
	for (int p = 0; p < PROCESSES; p++) {
		int status = -1;
		(void)waitpid(children[p], &status, 0);
		cr_expect_eq(status, 0);
	}
	cr_expect_eq(store_number("SELECT count(*) FROM messages"), MESSAGES);
	store_check();
}
