/* verify() finds nothing in what was stored as it should be, and what breaks each of the rules. */
#include "store.h"

#include "value/value.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(storage_verify, .init = store_begin, .fini = store_end);

/* A conversation of two turns. */
static void *store_some(void)
{
	void *store = store_open();
	store_add(store, store_first_turn("t1", "conv_1"));
	store_add(store, store_turn("t2", "conv_1"));
	return store;
}

static void finds(void *store, size_t count, const char *words)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *faults = NULL;
	cr_assert_eq(smartsupport_plugin.storage->verify(store, &faults, &err), 0, "%s", err.text);
	cr_expect_eq(value_count(faults), count, "%zu faults", value_count(faults));
	for (size_t i = 0; i < value_count(faults) && i < count; i++) {
		const char *fault = value_as_string(value_at(faults, i), NULL);
		cr_expect_not_null(strstr(fault, words), "%s", fault);
	}
	value_unref(faults);
}

/* Runs SQL on a store with some turns, which must show. */
static void shows(const char *sql, const char *words)
{
	void *store = store_some();
	finds(store, 0, "");
	store_execute(sql);
	finds(store, 1, words);
	/* It has only looked. */
	finds(store, 1, words);
	store_close(store);
}

Test(storage_verify, finds_nothing_in_an_empty_store)
{
	void *store = store_open();
	finds(store, 0, "");
	store_close(store);
}

Test(storage_verify, finds_a_conversation_that_counts_wrong)
{
	shows("UPDATE conversations SET message_count = 5",
		"conversation conv_1 says that it has 5 messages, and has 4, the last of which is "
		"number 4");
}

Test(storage_verify, finds_messages_that_are_missing)
{
	shows("UPDATE messages SET seq = seq + 2 WHERE seq > 2",
		"conversation conv_1 says that it has 4 messages, and has 4, the last of which is "
		"number 6");
}

Test(storage_verify, finds_an_answer_without_its_question)
{
	void *store = store_some();
	store_execute("DELETE FROM messages WHERE seq = 1");
	store_execute("UPDATE messages SET seq = seq - 1");
	store_execute("UPDATE conversations SET message_count = 3");
	finds(store, 1,
		"turn t1 has an answer without a question before it in conversation conv_1");
	store_close(store);
}

Test(storage_verify, finds_a_question_without_its_answer)
{
	void *store = store_some();
	store_execute("DELETE FROM messages WHERE seq = 4");
	store_execute("UPDATE conversations SET message_count = 3");
	finds(store, 1, ", a question, has no answer behind it in conversation conv_1");
	store_close(store);
}

Test(storage_verify, finds_figures_that_do_not_agree)
{
	shows("UPDATE analytics_totals SET escalated = escalated + 1", "1 escalated");
}

Test(storage_verify, finds_hours_that_are_missing)
{
	shows("DELETE FROM analytics", "those of the hours together are 0 turns");
}

Test(storage_verify, finds_more_votes_than_views)
{
	void *store = store_some();
	struct ss_turn turn = store_turn("t3", "conv_1");
	turn.shown = (const char *const[]){"reset-password"};
	turn.shown_count = 1;
	store_add(store, turn);
	finds(store, 0, "");
	store_execute("UPDATE article_counts SET helpful = 2");
	finds(store, 1, "article reset-password was shown 1 times, and has 2 votes that it helped");
	store_close(store);
}

Test(storage_verify, tells_of_many_faults_that_there_are_more)
{
	void *store = store_open();
	char turn_id[16], conversation[16];
	for (int i = 0; i < 150; i++) {
		(void)snprintf(turn_id, sizeof turn_id, "t%d", i);
		(void)snprintf(conversation, sizeof conversation, "conv_%d", i);
		store_add(store, store_first_turn(turn_id, conversation));
	}
	store_execute("UPDATE conversations SET message_count = 9");
	struct ss_error err = {.status = SS_OK};
	struct ss_value *faults = NULL;
	cr_assert_eq(smartsupport_plugin.storage->verify(store, &faults, &err), 0, "%s", err.text);
	cr_assert_eq(value_count(faults), 101);
	cr_expect_str_eq(value_as_string(value_at(faults, 100), NULL), "there are more of these");
	value_unref(faults);
	store_close(store);
}
