/* Conversations that are found by what was said in them. */
#include "support/storage/store.h"

#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

TestSuite(storage_thread, .init = store_begin, .fini = store_end);

extern const struct ss_plugin smartsupport_plugin;

/* The context of a turn of USER that continues THREAD, as JSON without times; the caller frees it. */
static char *context_of(void *store, const char *user, const char *conversation, const char *thread)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *context = NULL;
	const struct ss_turn_key key = {
		.struct_size = sizeof key,
		.user_id = user,
		.conversation_id = conversation,
		.thread = thread,
		.history_limit = 1,
		.recent_limit = 1,
	};
	cr_assert_eq(smartsupport_plugin.storage->turn_context(store, &key, &context, &err), 0,
		"%s", err.text);
	char *json = json_text(context);
	value_unref(context);
	return json;
}

static void expect_conversation(
	void *store, const char *user, const char *thread, const char *conversation)
{
	char member[64];
	char *context = context_of(store, user, NULL, thread);
	(void)snprintf(member, sizeof member, "\"conversation_id\":\"%s\"", conversation);
	if (conversation != NULL)
		cr_expect_not_null(strstr(context, member), "%s", context);
	else
		cr_expect_null(strstr(context, "conversation_id"), "%s", context);
	free(context);
}

static void add(void *store, struct ss_turn turn, const char *thread)
{
	turn.thread = thread;
	store_add(store, turn);
}

Test(storage_thread, finds_the_conversation_at_each_of_its_turns)
{
	void *store = store_open();
	add(store, store_first_turn("t1", "conv_1"), "a");
	add(store, store_turn("t2", "conv_1"), "b");
	add(store, store_first_turn("t3", "conv_2"), NULL);
	expect_conversation(store, "ann", "a", "conv_1");
	expect_conversation(store, "ann", "b", "conv_1");
	expect_conversation(store, "ann", "c", NULL);
	expect_conversation(store, "ann", "", NULL);
	expect_conversation(store, "ann", NULL, NULL);
	store_check();
	store_close(store);
}

Test(storage_thread, reads_the_history_of_what_it_finds_and_the_recent_of_others)
{
	void *store = store_open();
	struct ss_turn other = store_first_turn("t1", "conv_1");
	other.message = (struct ss_text){"elsewhere", 9};
	store_add(store, other);
	struct ss_turn turn = store_first_turn("t2", "conv_2");
	turn.response = (struct ss_text){"here", 4};
	add(store, turn, "a");
	char *context = context_of(store, "ann", NULL, "a");
	const char *history = strstr(context, "\"history\":[");
	cr_assert_not_null(history, "%s", context);
	cr_expect_not_null(strstr(history, "\"content\":\"here\""), "%s", context);
	const char *recent = strstr(context, "\"recent\":[");
	cr_assert_not_null(recent, "%s", context);
	cr_expect_not_null(strstr(recent, "\"content\":\"elsewhere\""), "%s", context);
	free(context);
	store_close(store);
}

Test(storage_thread, belongs_to_its_user)
{
	void *store = store_open();
	add(store, store_first_turn("t1", "conv_1"), "a");
	expect_conversation(store, "bob", "a", NULL);
	store_close(store);
}

Test(storage_thread, does_not_count_beside_a_conversation)
{
	void *store = store_open();
	add(store, store_first_turn("t1", "conv_1"), "a");
	store_add(store, store_first_turn("t2", "conv_2"));
	char *context = context_of(store, "ann", "conv_2", "a");
	cr_expect_null(strstr(context, "conversation_id"), "%s", context);
	free(context);
	store_close(store);
}

Test(storage_thread, goes_to_the_turn_that_was_answered_last)
{
	void *store = store_open();
	struct ss_turn turn = store_first_turn("t1", "conv_1");
	turn.answered_at_ns += 1000000;
	add(store, turn, "a");
	add(store, store_first_turn("t2", "conv_2"), "a");
	expect_conversation(store, "ann", "a", "conv_1");
	turn = store_first_turn("t3", "conv_3");
	turn.answered_at_ns += 2000000;
	add(store, turn, "a");
	expect_conversation(store, "ann", "a", "conv_3");
	cr_expect_eq(store_number("SELECT count(*) FROM threads"), 1);
	store_close(store);
}

Test(storage_thread, is_gone_with_its_conversation)
{
	void *store = store_open();
	add(store, store_first_turn("t1", "conv_1"), "a");
	store_execute("DELETE FROM conversations");
	expect_conversation(store, "ann", "a", NULL);
	cr_expect_eq(store_number("SELECT count(*) FROM threads"), 0);
	store_close(store);
}
