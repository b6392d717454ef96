/* The end of users: nothing of them is left, and all of others. */
#include "base/text.h"
#include "conformance/probe.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

static const struct ss_value *erase(struct probe *probe, const char *user_id)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *erased = NULL;
	if (probe->failed)
		return NULL;
	int result = probe->storage->erase_user(probe->instance, user_id, &erased, &err);
	probe_expect_success(probe, "erasing with erase_user()", result, &err);
	return probe_keep(probe, result == 0 ? erased : NULL);
}

static void refuse(struct probe *probe, const char *what, const char *user_id)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *erased = NULL;
	if (probe->failed)
		return;
	int result = probe->storage->erase_user(probe->instance, user_id, &erased, &err);
	probe_expect_refusal(probe, what, SS_NOT_FOUND, result, &err);
	if (result == 0)
		value_unref(erased);
}

/* A turn with its journal, which has begun, and one that was not stored. */
static void store_with_journals(struct probe *probe, const struct ss_turn *turn)
{
	probe_store(probe, turn);
	struct ss_journal_write write = probe_beginning(probe, turn->turn_id, "me");
	write.user_id = turn->user_id;
	write.conversation_id = turn->conversation_id;
	probe_write(probe, write);
	write = probe_beginning(probe, probe_format(probe, "%s-lost", turn->turn_id), "me");
	write.user_id = turn->user_id;
	probe_write(probe, write);
}

static void erases_all_of_one(struct probe *probe)
{
	struct ss_turn turns[3];
	turns[0] = probe_first(probe, "ann");
	turns[1] = probe_next(probe, &turns[0]);
	turns[2] = probe_first(probe, "bob");
	for (size_t i = 0; i < array_length(turns); i++)
		store_with_journals(probe, &turns[i]);
	const char *ann = turns[0].user_id, *bob = turns[2].user_id;
	struct ss_conversation_change change = probe_changing(&turns[0]);
	change.reply = text_of("from a human");
	change.reply_id = probe_name(probe, "reply");
	(void)probe_change(probe, change);
	probe_rate(probe, &turns[0], 5, probe->now_ns);
	const char *before = probe_format(probe, "%s", probe_said(probe, turns[2].conversation_id));
	const struct ss_value *erased = erase(probe, ann);
	probe_expect_json(probe, "what was erased",
		"{\"conversations\":1,\"events\":0,\"journals\":4,\"messages\":5,\"questions\":0,"
		"\"requests\":0}",
		erased);
	probe_expect_no_user(probe, ann);
	probe_expect_no_conversation(probe, turns[0].conversation_id);
	probe_refuse_taking(
		probe, "the journal of a stored turn", turns[1].turn_id, NULL, NULL, SS_NOT_FOUND);
	probe_refuse_taking(probe, "the journal of a turn that was not stored",
		probe_format(probe, "%s-lost", turns[0].turn_id), NULL, NULL, SS_NOT_FOUND);
	probe_expect(probe, "what another user has said", before,
		probe_said(probe, turns[2].conversation_id));
	probe_expect_int(probe, "another user's conversations", 1,
		value_as_int(value_get(probe_user(probe, bob), "conversations")));
	probe_expect(probe, "the owner of another user's journal", "me",
		probe_string(probe_journal(probe, turns[2].turn_id), "owner"));
	probe_expect_int(probe, "what the statistics count", 3,
		probe_counted(probe, "categories", turns[0].category));
}

/* How many of the questions without an answer are in WORDS. */
static int64_t count_questions(struct probe *probe, const char *words)
{
	int64_t found = 0;
	const char *after = NULL;
	do {
		struct ss_error err = {.status = SS_OK};
		struct ss_value *page = NULL;
		const struct ss_unanswered_filter filter = {
			.struct_size = sizeof filter, .after = after, .limit = 100};
		if (probe->failed)
			return 0;
		int result = probe->storage->list_unanswered(probe->instance, &filter, &page, &err);
		probe_expect_success(probe, "reading with list_unanswered()", result, &err);
		const struct ss_value *kept = probe_keep(probe, result == 0 ? page : NULL);
		const struct ss_value *items = value_get(kept, "items");
		for (size_t i = 0; i < value_count(items); i++)
			found += strcmp(probe_string(value_at(items, i), "question"), words) == 0;
		const struct ss_value *next = value_get(kept, "next");
		after = next != NULL ? value_as_string(next, NULL) : NULL;
	} while (after != NULL);
	return found;
}

static void erases_questions(struct probe *probe)
{
	struct ss_turn turns[3];
	for (size_t i = 0; i < array_length(turns); i++) {
		turns[i] = probe_first(probe, i == 1 ? "bob" : "ann");
		turns[i].message = text_of(probe_name(probe, i == 1 ? "bob's words" : "ann's"));
	}
	turns[0].unanswered = turns[1].unanswered = probe_name(probe, "both");
	turns[2].unanswered = probe_name(probe, "only hers");
	probe_store_all(probe, turns, 3);
	probe_expect_int(probe, "the questions in a user's words", 1,
		count_questions(probe, turns[2].message.data));
	const struct ss_value *erased = erase(probe, turns[0].user_id);
	probe_expect_int(probe, "how many questions were erased", 1,
		value_as_int(value_get(erased, "questions")));
	probe_expect_int(probe, "the questions in the words of the user who was erased", 0,
		count_questions(probe, turns[2].message.data));
	probe_expect_int(probe, "the question of both, in the other's words", 1,
		count_questions(probe, turns[1].message.data));
}

static void erases_many_conversations(struct probe *probe)
{
	enum { CONVERSATIONS = 150 };
	struct ss_turn *turns = memory_array(CONVERSATIONS, sizeof *turns);
	for (size_t i = 0; i < CONVERSATIONS; i++)
		turns[i] = probe_first(probe, "ann");
	probe_store_all(probe, turns, CONVERSATIONS);
	const struct ss_value *erased = erase(probe, turns[0].user_id);
	probe_expect_int(probe, "how many conversations were erased", CONVERSATIONS,
		value_as_int(value_get(erased, "conversations")));
	probe_expect_int(probe, "how many messages were erased", INT64_C(2) * CONVERSATIONS,
		value_as_int(value_get(erased, "messages")));
	probe_expect_no_user(probe, turns[0].user_id);
	probe_expect_no_conversation(probe, turns[CONVERSATIONS - 1].conversation_id);
	free(turns);
}

static void knows_a_trace(struct probe *probe)
{
	const char *id = probe_name(probe, "ann");
	refuse(probe, "erasing a user whom nobody knows", id);
	struct ss_journal_write write = probe_beginning(probe, probe_name(probe, "turn"), "me");
	write.user_id = id;
	probe_write(probe, write);
	probe_expect_int(probe, "the journals of a user who has nothing else", 1,
		value_as_int(value_get(erase(probe, id), "journals")));
	refuse(probe, "erasing a user a second time", id);
	(void)probe_store_user(
		probe, (struct ss_user){.id = id, .is_new = true, .at_ns = probe->now_ns});
	probe_expect_int(probe, "the conversations of a user who has none", 0,
		value_as_int(value_get(erase(probe, id), "conversations")));
	probe_expect_no_user(probe, id);
}

static void comes_again(struct probe *probe)
{
	const struct ss_turn turn = probe_first(probe, "ann");
	(void)probe_store_user(probe, (struct ss_user){.id = turn.user_id,
					      .name = "Ann",
					      .vip = 1,
					      .is_new = true,
					      .at_ns = probe->now_ns});
	probe_store(probe, &turn);
	(void)erase(probe, turn.user_id);
	const struct ss_turn_key key = {.user_id = turn.user_id, .recent_limit = 5};
	probe_expect_json(probe, "the context of a user who was erased",
		probe_format(probe,
			"{\"history\":[],\"recent\":[],\"user\":{\"id\":\"%s\",\"vip\":false}}",
			turn.user_id),
		probe_context(probe, &key));
	const struct ss_turn next = probe_first(probe, "ann");
	probe_store(probe, &next);
	probe_expect(probe, "the history of a user who came again", "question 2|answer 2",
		probe_history(probe, &next, 5));
}

static const struct probe_case cases[] = {
	{"a user is erased with all that is known of one; others and figures stay",
		erases_all_of_one},
	{"questions without an answer go when they are in the words of who is erased",
		erases_questions},
	{"a user of many conversations is erased whole", erases_many_conversations},
	{"who has left no trace is not found", knows_a_trace},
	{"a user who was erased comes again as a new one", comes_again},
};

const struct probe_area erasure_area = {"erasure", cases, array_length(cases)};
