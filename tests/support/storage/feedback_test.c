/* What turns show, what customers say of them, and questions without an answer. */
#include "support/storage/store.h"

#include "base/memory.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

TestSuite(storage_feedback, .init = store_begin, .fini = store_end);

#define SECOND_NS INT64_C(1000000000)

static const char *const password[] = {"reset-password"};
static const char *const both[] = {"find-invoices", "reset-password"};

/* The first turn of a conversation of the same id, which shows COUNT articles. */
static struct ss_turn showing(const char *id, const char *const *shown, size_t count)
{
	struct ss_turn turn = store_first_turn(id, id);
	turn.shown = shown;
	turn.shown_count = count;
	return turn;
}

/* The same of a question of KEY without an answer, asked SECONDS later than the others. */
static struct ss_turn lacking(const char *id, const char *key, const char *question, int seconds)
{
	struct ss_turn turn = store_first_turn(id, id);
	turn.unanswered = key;
	turn.message = (struct ss_text){question, strlen(question)};
	turn.asked_at_ns += seconds * SECOND_NS;
	turn.answered_at_ns += seconds * SECOND_NS;
	return turn;
}

static int give(void *store, struct ss_feedback feedback, struct ss_error *err)
{
	*err = (struct ss_error){.status = SS_OK};
	feedback.struct_size = sizeof feedback;
	feedback.given_at_ns = 1767225601000000000;
	int result = smartsupport_plugin.storage->store_feedback(store, &feedback, 1, err);
	cr_assert(result == 0 || err->status != SS_OK);
	return err->status == SS_OK ? 0 : -1;
}

static void vote(void *store, const char *turn, int64_t was_helpful)
{
	struct ss_error err;
	const struct ss_feedback feedback = {.turn_id = turn, .was_helpful = was_helpful};
	cr_assert_eq(give(store, feedback, &err), 0, "%s", err.text);
}

static void expect_counts(void *store, const char *first, const char *last, const char *expected)
{
	struct ss_error err;
	struct ss_value *counts = NULL;
	const struct ss_article_range range = {
		.struct_size = sizeof range, .first = first, .last = last};
	cr_assert_eq(smartsupport_plugin.storage->article_counts(store, &range, &counts, &err), 0,
		"%s", err.text);
	char *json = json_text(counts);
	cr_expect_str_eq(json, expected, "%s\nnot\n%s", json, expected);
	free(json);
	value_unref(counts);
}

/* The questions of the list behind AFTER, and how often each was asked, as "one 1|two 2"; NEXT is what it
 * gives for the next one, or NULL. The caller frees both. */
static char *list(void *store, bool most_asked, const char *after, size_t limit, char **next)
{
	struct ss_error err;
	struct ss_value *page = NULL;
	char *joined = memory_string("");
	const struct ss_unanswered_filter filter = {.struct_size = sizeof filter,
		.most_asked = most_asked,
		.after = after,
		.limit = limit};
	cr_assert_eq(smartsupport_plugin.storage->list_unanswered(store, &filter, &page, &err), 0,
		"%s", err.text);
	const struct ss_value *items = value_get(page, "items");
	for (size_t i = 0; i < value_count(items); i++) {
		const struct ss_value *item = value_at(items, i);
		char *longer = memory_format("%s%s%s %lld", joined, i > 0 ? "|" : "",
			value_as_string(value_get(item, "question"), NULL),
			(long long)value_as_int(value_get(item, "count")));
		free(joined);
		joined = longer;
	}
	const struct ss_value *place = value_get(page, "next");
	if (next != NULL)
		*next = place != NULL ? memory_string(value_as_string(place, NULL)) : NULL;
	value_unref(page);
	return joined;
}

static void expect_list(void *store, bool most_asked, const char *expected)
{
	char *found = list(store, most_asked, NULL, 100, NULL);
	cr_expect_str_eq(found, expected, "%s\nnot\n%s", found, expected);
	free(found);
}

Test(storage_feedback, a_turn_counts_once_for_each_article_that_it_shows)
{
	static const char *const twice[] = {"reset-password", "reset-password"};
	void *store = store_open();
	store_add(store, showing("t1", both, 2));
	store_add(store, showing("t2", password, 1));
	store_add(store, showing("t2", password, 1)); /* is stored already */
	store_add(store, showing("t3", twice, 2));
	store_add(store, store_first_turn("t4", "t4"));
	expect_counts(store, "a", "z",
		"[{\"helpful\":0,\"id\":\"find-invoices\",\"not_helpful\":0,\"views\":1},"
		"{\"helpful\":0,\"id\":\"reset-password\",\"not_helpful\":0,\"views\":3}]");
	expect_counts(store, "find-invoices", "find-invoices",
		"[{\"helpful\":0,\"id\":\"find-invoices\",\"not_helpful\":0,\"views\":1}]");
	expect_counts(store, "g", "r", "[]");
	store_check();
	store_close(store);
}

Test(storage_feedback, what_a_refused_turn_shows_and_lacks_does_not_count)
{
	struct ss_error err;
	void *store = store_open();
	struct ss_turn turn = showing("t1", password, 1);
	turn.new_conversation = false; /* and there is none */
	turn.unanswered = "key";
	cr_expect_eq(store_commit(store, &turn, &err), -1);
	static const char *const nameless[] = {"reset-password", ""};
	turn = showing("t2", nameless, 2);
	cr_expect_eq(store_commit(store, &turn, &err), -1);
	cr_expect_eq(err.status, SS_INVALID, "%s", err.text);
	expect_counts(store, "a", "z", "[]");
	expect_list(store, false, "");
	cr_expect_eq(store_number("SELECT count(*) FROM messages"), 0);
	store_close(store);
}

Test(storage_feedback, a_vote_counts_for_all_articles_of_the_turn_and_may_change)
{
	void *store = store_open();
	store_add(store, showing("t1", both, 2));
	store_add(store, showing("t2", password, 1));
	vote(store, "t1", 1);
	vote(store, "t1", 1);
	vote(store, "t2", 1);
	expect_counts(store, "a", "z",
		"[{\"helpful\":1,\"id\":\"find-invoices\",\"not_helpful\":0,\"views\":1},"
		"{\"helpful\":2,\"id\":\"reset-password\",\"not_helpful\":0,\"views\":2}]");
	vote(store, "t1", 0);
	vote(store, "t1", -1); /* says nothing of it */
	expect_counts(store, "a", "z",
		"[{\"helpful\":0,\"id\":\"find-invoices\",\"not_helpful\":1,\"views\":1},"
		"{\"helpful\":1,\"id\":\"reset-password\",\"not_helpful\":1,\"views\":2}]");
	vote(store, "t1", 1);
	expect_counts(store, "f", "g",
		"[{\"helpful\":1,\"id\":\"find-invoices\",\"not_helpful\":0,\"views\":1}]");
	cr_expect_eq(store_number("SELECT count(*) FROM feedback"), 2);
	store_check();
	store_close(store);
}

Test(storage_feedback, what_is_given_later_is_added_or_takes_its_place)
{
	struct ss_error err;
	void *store = store_open();
	store_add(store, store_first_turn("t1", "t1"));
	vote(store, "t1", 0);
	cr_assert_eq(give(store,
			     (struct ss_feedback){.turn_id = "t1",
				     .was_helpful = -1,
				     .rating = 2,
				     .comment = "it is the old menu"},
			     &err),
		0, "%s", err.text);
	cr_assert_eq(give(store,
			     (struct ss_feedback){.turn_id = "t1",
				     .was_helpful = -1,
				     .rating = 3,
				     .issues = "[\"outdated\"]"},
			     &err),
		0, "%s", err.text);
	char *row = store_text("SELECT was_helpful || ' ' || rating || ' ' || comment || ' ' || "
			       "issues || ' ' || created_at FROM feedback");
	cr_expect_str_eq(row, "0 3 it is the old menu [\"outdated\"] 1767225601000000");
	free(row);
	store_close(store);
}

Test(storage_feedback, feedback_on_nothing_or_out_of_range_is_refused)
{
	struct ss_error err;
	void *store = store_open();
	store_add(store, showing("t1", password, 1));
	cr_expect_eq(
		give(store, (struct ss_feedback){.turn_id = "t2", .was_helpful = 1}, &err), -1);
	cr_expect_eq(err.status, SS_NOT_FOUND);
	cr_expect_str_eq(err.text, "turn t2: there is no stored turn with this id");
	static const struct ss_feedback wrong[] = {
		{.turn_id = "t1", .was_helpful = 2},
		{.turn_id = "t1", .was_helpful = -1, .rating = 6},
		{.turn_id = "t1", .was_helpful = -1, .rating = -1},
	};
	for (size_t i = 0; i < array_length(wrong); i++) {
		cr_expect_eq(give(store, wrong[i], &err), -1);
		cr_expect_eq(err.status, SS_INVALID, "%s", err.text);
	}
	cr_expect_eq(store_number("SELECT count(*) FROM feedback"), 0);
	expect_counts(store, "a", "z",
		"[{\"helpful\":0,\"id\":\"reset-password\",\"not_helpful\":0,\"views\":1}]");
	store_close(store);
}

Test(storage_feedback, one_bad_piece_fails_alone)
{
	struct ss_error errors[3] = {{.status = SS_OK}};
	struct ss_feedback feedback[3];
	static const char *const ids[] = {"t1", "t9", "t1"};
	void *store = store_open();
	store_add(store, showing("t1", password, 1));
	for (size_t i = 0; i < 3; i++)
		feedback[i] = (struct ss_feedback){.struct_size = sizeof feedback[i],
			.turn_id = ids[i],
			.was_helpful = i == 0};
	cr_expect_eq(smartsupport_plugin.storage->store_feedback(store, feedback, 3, errors), 0);
	cr_expect_eq(errors[0].status, SS_OK);
	cr_expect_eq(errors[1].status, SS_NOT_FOUND);
	cr_expect_eq(errors[2].status, SS_OK);
	expect_counts(store, "a", "z",
		"[{\"helpful\":0,\"id\":\"reset-password\",\"not_helpful\":1,\"views\":1}]");
	store_close(store);
}

Test(storage_feedback, questions_that_say_the_same_are_one_in_the_words_of_the_last)
{
	void *store = store_open();
	store_add(store, lacking("t1", "norway", "do you ship to norway", 10));
	store_add(store, lacking("t2", "fax", "Do you have a fax?", 20));
	store_add(store, lacking("t3", "norway", "Do you ship to Norway?", 30));
	struct ss_turn late = lacking("t4", "norway", "DO YOU SHIP TO NORWAY", 5);
	late.category = NULL;
	store_add(store, late);
	expect_list(store, false, "Do you ship to Norway? 3|Do you have a fax? 1");
	char *row = store_text("SELECT category || ' ' || (last_at - first_at) FROM unanswered"
			       " WHERE key = 'norway'");
	cr_expect_str_eq(row, "Billing 25000000");
	free(row);
	store_close(store);
}

Test(storage_feedback, questions_of_one_batch_that_say_the_same_are_one)
{
	struct ss_error errors[6] = {{.status = SS_OK}};
	struct ss_turn turns[] = {
		lacking("t1", "norway", "do you ship to norway", 10),
		lacking("t2", "fax", "Do you have a fax?", 20),
		lacking("t3", "norway", "Norway?", 30),
		lacking("t4", "norway", "Do you ship to Norway?", 30),
		lacking("t5", "norway", "DO YOU SHIP TO NORWAY", 5),
		store_first_turn("t6", "t6"),
	};
	void *store = store_open();
	store_add(store, lacking("t0", "norway", "NORWAY", 1));
	turns[3].category = "Account";
	turns[3].user_id = "bob";
	cr_assert_eq(smartsupport_plugin.storage->commit_turns(store, turns, 6, errors), 0);
	expect_list(store, false, "Do you ship to Norway? 5|Do you have a fax? 1");
	char *row = store_text("SELECT category || ' ' || user_id || ' ' || (last_at - first_at)"
			       " FROM unanswered WHERE key = 'norway'");
	cr_expect_str_eq(row, "Account bob 29000000");
	free(row);
	store_close(store);
}

Test(storage_feedback, questions_come_newest_or_most_asked_first)
{
	void *store = store_open();
	store_add(store, lacking("t1", "a", "a", 1));
	store_add(store, lacking("t2", "a", "a", 2));
	store_add(store, lacking("t3", "b", "b", 3));
	store_add(store, lacking("t4", "c", "c", 3));
	store_add(store, lacking("t5", "d", "d", 4));
	store_add(store, lacking("t6", "b", "b", 0));
	expect_list(store, false, "d 1|c 1|b 2|a 2");
	expect_list(store, true, "b 2|a 2|d 1|c 1");
	store_close(store);
}

Test(storage_feedback, pages_join_to_the_whole_list)
{
	void *store = store_open();
	for (int i = 0; i < 7; i++) {
		char *id = memory_format("t%d", i);
		char *key = memory_format("q%d", i % 5);
		store_add(store, lacking(id, key, key, i / 2));
		free(id);
		free(key);
	}
	for (size_t limit = 1; limit <= 6; limit++) {
		for (int most = 0; most < 2; most++) {
			char *whole = list(store, most == 1, NULL, 100, NULL);
			char *joined = memory_string("");
			char *next = NULL;
			do {
				char *after = next;
				char *page = list(store, most == 1, after, limit, &next);
				char *longer = memory_format(
					"%s%s%s", joined, joined[0] != '\0' ? "|" : "", page);
				cr_expect_neq(page[0], '\0', "a page is empty");
				free(joined);
				free(page);
				free(after);
				joined = longer;
			} while (next != NULL);
			cr_expect_str_eq(joined, whole);
			free(joined);
			free(whole);
		}
	}
	store_close(store);
}

Test(storage_feedback, a_cursor_that_is_none_is_refused)
{
	static const char *const bad[] = {"", "x", "1", "1.2", "1.2.", "1.2.3x", "1.2.3.4",
		"-1.2.3", "1.2.99999999999999999999", "1,2,3"};
	void *store = store_open();
	for (size_t i = 0; i < array_length(bad); i++) {
		struct ss_error err = {.status = SS_OK};
		struct ss_value *page = NULL;
		const struct ss_unanswered_filter filter = {
			.struct_size = sizeof filter, .after = bad[i], .limit = 1};
		cr_expect_eq(
			smartsupport_plugin.storage->list_unanswered(store, &filter, &page, &err),
			-1, "%s", bad[i]);
		cr_expect_eq(err.status, SS_INVALID);
		cr_expect_null(page);
	}
	store_close(store);
}

Test(storage_feedback, a_deleted_conversation_takes_its_feedback_along_and_leaves_the_figures)
{
	void *store = store_open();
	store_add(store, showing("t1", both, 2));
	vote(store, "t1", 1);
	store_execute("DELETE FROM conversations");
	cr_expect_eq(store_number("SELECT (SELECT count(*) FROM feedback) +"
				  " (SELECT count(*) FROM message_articles)"),
		0);
	expect_counts(store, "f", "g",
		"[{\"helpful\":1,\"id\":\"find-invoices\",\"not_helpful\":0,\"views\":1}]");
	store_close(store);
}
