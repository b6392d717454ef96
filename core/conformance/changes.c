/* What operators make of conversations: replies, statuses, and their end. */
#include "base/text.h"
#include "conformance/probe.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

static struct ss_conversation_change reply(
	struct probe *probe, const struct ss_turn *turn, const char *id, const char *words)
{
	struct ss_conversation_change change = probe_changing(turn);
	change.reply = text_of(words);
	change.reply_id = probe_name(probe, id);
	return change;
}

static void replies_stand_between_turns(struct probe *probe)
{
	struct ss_turn turns[2];
	turns[0] = probe_first(probe, "ann");
	turns[1] = probe_next(probe, &turns[0]);
	probe_store(probe, &turns[0]);
	struct ss_conversation_change change = reply(probe, &turns[0], "reply", "from a human");
	change.author = "Eve";
	change.at_ns = turns[0].answered_at_ns + PROBE_SECOND_NS / 4;
	const struct ss_value *changed = probe_change(probe, change);
	probe_expect_int(probe, "message_count with a reply", 3,
		value_as_int(value_get(changed, "message_count")));
	probe_expect(probe, "updated_at after a reply", probe_time(probe, change.at_ns),
		probe_string(changed, "updated_at"));
	probe_store(probe, &turns[1]);
	probe_expect(probe, "all messages", "question 1|answer 1|from a human|question 2|answer 2",
		probe_said(probe, turns[0].conversation_id));
	const struct ss_message_filter filter = {
		.conversation_id = turns[0].conversation_id, .limit = 9};
	const struct ss_value *items = value_get(probe_messages(probe, &filter), "items");
	probe_expect_json(probe, "the reply among the messages",
		probe_format(probe,
			"{\"at\":\"%s\",\"author\":\"Eve\",\"content\":\"from a "
			"human\",\"conversation_id\":\"%s\",\"id\":\"%s\","
			"\"role\":\"human\",\"seq\":3}",
			probe_time(probe, change.at_ns), turns[0].conversation_id, change.reply_id),
		value_at(items, 2));
	/* Both are as they were. */
	probe_store_all(probe, turns, 2);
	const struct ss_message_filter of_turn = {.turn_id = turns[1].turn_id, .limit = 9};
	probe_expect(probe, "the messages of the turn behind a reply", "question 2|answer 2",
		probe_texts(probe, value_get(probe_messages(probe, &of_turn), "items")));
}

static void replies_are_in_contexts(struct probe *probe)
{
	const struct ss_turn turn = probe_first(probe, "ann");
	probe_store(probe, &turn);
	(void)probe_change(probe, reply(probe, &turn, "reply", "from a human"));
	const struct ss_turn_key key = {.user_id = turn.user_id,
		.conversation_id = turn.conversation_id,
		.history_limit = 2};
	const struct ss_value *history = value_get(probe_context(probe, &key), "history");
	probe_expect(probe, "the last two messages", "answer 1|from a human",
		probe_texts(probe, history));
	probe_expect(probe, "the role of a human's message in a context", "assistant",
		probe_string(value_at(history, 1), "role"));
}

static void recent_questions_are_found(struct probe *probe)
{
	enum { REPLIES = 9 };
	const struct ss_turn turn = probe_first(probe, "ann");
	probe_store(probe, &turn);
	for (int i = 0; i < REPLIES; i++)
		(void)probe_change(probe,
			reply(probe, &turn, probe_format(probe, "reply-%d", i), "from a human"));
	const struct ss_turn_key key = {.user_id = turn.user_id, .recent_limit = 2};
	probe_expect(probe, "what a user asked before nine replies of humans", "question 1",
		probe_texts(probe, value_get(probe_context(probe, &key), "recent")));
}

static void replies_are_stored_once(struct probe *probe)
{
	struct ss_turn turns[2];
	turns[0] = probe_first(probe, "ann");
	turns[1] = probe_first(probe, "ann");
	probe_store_all(probe, turns, 2);
	struct ss_conversation_change change = reply(probe, &turns[0], "reply", "from a human");
	(void)probe_change(probe, change);
	struct ss_conversation_change again = change;
	again.at_ns += 60 * PROBE_SECOND_NS;
	again.status = "closed";
	const struct ss_value *same = probe_change(probe, again);
	probe_expect_int(probe, "message_count when a reply is stored twice", 3,
		value_as_int(value_get(same, "message_count")));
	probe_expect(probe, "the status that came with a reply that was there", "active",
		probe_string(same, "status"));
	change.reply = text_of("other words");
	probe_refuse_change(probe, "another reply with an id that is there", change, SS_CONFLICT);
	change = reply(probe, &turns[1], "reply", "from a human");
	probe_refuse_change(probe, "the id of another conversation's reply", change, SS_CONFLICT);
	probe_expect(probe, "the other conversation", "question 2|answer 2",
		probe_said(probe, turns[1].conversation_id));
}

static void statuses_change(struct probe *probe)
{
	static const char *const statuses[] = {
		"escalated", "resolved", "closed", "active", "resolved"};
	const struct ss_turn turn = probe_first(probe, "ann");
	probe_store(probe, &turn);
	struct ss_conversation_change change = probe_changing(&turn);
	for (size_t i = 0; i < array_length(statuses); i++) {
		change.status = statuses[i];
		change.at_ns += PROBE_SECOND_NS;
		probe_expect(probe, "a status that was set", statuses[i],
			probe_string(probe_change(probe, change), "status"));
	}
	const struct ss_turn next = probe_next(probe, &turn);
	probe_store(probe, &next);
	probe_expect(probe, "a resolved conversation in which the user has asked again", "active",
		probe_string(probe_conversation(probe, turn.conversation_id), "status"));
}

static void refuses_what_is_wrong(struct probe *probe)
{
	const struct ss_turn turn = probe_first(probe, "ann");
	probe_store(probe, &turn);
	struct ss_conversation_change change = probe_changing(&turn);
	change.status = "asleep";
	probe_refuse_change(probe, "a status that is none", change, SS_INVALID);
	change.status = "closed";
	change.conversation_id = probe_name(probe, "unknown");
	probe_refuse_change(probe, "changing an unknown conversation", change, SS_NOT_FOUND);
	change.conversation_id = turn.conversation_id;
	change.user_id = probe_name(probe, "bob");
	probe_refuse_change(probe, "changing another user's conversation", change, SS_NOT_FOUND);
	change.user_id = NULL;
	change.reply = text_of("words");
	probe_refuse_change(probe, "a reply without an id", change, SS_INVALID);
	probe_expect(probe, "the status after four refusals", "active",
		probe_string(probe_conversation(probe, turn.conversation_id), "status"));
	change.reply = (struct ss_text){0};
	change.user_id = turn.user_id;
	probe_expect(probe, "the status that its user has set", "closed",
		probe_string(probe_change(probe, change), "status"));
}

static void keeps_texts(struct probe *probe)
{
	const struct ss_turn turn = probe_first(probe, "ann");
	const struct ss_text words = {"é\0😀\n", sizeof "é\0😀\n" - 1};
	probe_store(probe, &turn);
	struct ss_conversation_change change = reply(probe, &turn, "reply", "");
	change.reply = words;
	(void)probe_change(probe, change);
	const struct ss_message_filter filter = {
		.conversation_id = turn.conversation_id, .limit = 9};
	const struct ss_value *items = value_get(probe_messages(probe, &filter), "items");
	probe_expect_text(
		probe, "a reply with a NUL", words, value_get(value_at(items, 2), "content"));
}

/* Deleting. */

static void deletes_all_of_it(struct probe *probe)
{
	struct ss_turn turns[2];
	turns[0] = probe_first(probe, "ann");
	turns[0].thread = probe_name(probe, "thread");
	turns[1] = probe_first(probe, "ann");
	probe_store_all(probe, turns, 2);
	probe_rate(probe, &turns[0], 4, probe->now_ns);
	struct ss_journal_write journal = probe_beginning(probe, turns[0].turn_id, "me");
	probe_write(probe, journal);
	journal = probe_beginning(probe, probe_name(probe, "unstored"), "me");
	journal.user_id = turns[0].user_id;
	journal.conversation_id = turns[0].conversation_id;
	probe_write(probe, journal);
	probe_delete_conversation(probe, turns[0].conversation_id);
	probe_expect_no_conversation(probe, turns[0].conversation_id);
	probe_refuse_taking(probe, "the journal of a turn that is stored", turns[0].turn_id, NULL,
		NULL, SS_NOT_FOUND);
	probe_refuse_taking(probe, "the journal of a turn under way", journal.turn_id, NULL, NULL,
		SS_NOT_FOUND);
	const struct ss_turn_key key = {.user_id = turns[0].user_id, .thread = turns[0].thread};
	if (!probe->failed && value_get(probe_context(probe, &key), "conversation_id") != NULL)
		probe_fail(probe, "the thread of a conversation that was deleted",
			"no conversation", "one");
	probe_expect(probe, "the user's other conversation", "question 2|answer 2",
		probe_said(probe, turns[1].conversation_id));
	probe_expect_int(probe, "what the statistics count", 2,
		probe_counted(probe, "categories", turns[0].category));
}

static void deleted_is_not_there(struct probe *probe)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_turn turn = probe_first(probe, "ann");
	probe_store(probe, &turn);
	probe_delete_conversation(probe, turn.conversation_id);
	if (probe->failed)
		return;
	int result =
		probe->storage->delete_conversation(probe->instance, turn.conversation_id, &err);
	probe_expect_refusal(probe, "deleting a conversation twice", SS_NOT_FOUND, result, &err);
	const struct ss_turn next = probe_next(probe, &turn);
	probe_refuse(probe, "going on with a deleted conversation", &next, SS_NOT_FOUND);
	probe_store(probe, &turn);
	probe_expect(probe, "a deleted conversation that begins anew", "question 1|answer 1",
		probe_history(probe, &turn, 5));
}

static const struct probe_case cases[] = {
	{"a human's reply stands between turns, which stay as they are",
		replies_stand_between_turns},
	{"a human's reply is in the history, as the assistant's", replies_are_in_contexts},
	{"what a user asked lately is found however much humans have replied since",
		recent_questions_are_found},
	{"a reply is stored once, and with it all that comes with it", replies_are_stored_once},
	{"a conversation has the status that was set last, until its user asks again",
		statuses_change},
	{"a change that is wrong, or of another user's conversation, changes nothing",
		refuses_what_is_wrong},
	{"a reply comes back byte by byte", keeps_texts},
	{"a conversation is deleted with all that is of it; others and figures stay",
		deletes_all_of_it},
	{"a deleted conversation is not there, and may begin anew", deleted_is_not_there},
};

const struct probe_area changes_area = {"changes", cases, array_length(cases)};
