/* What commit_turns() stores, and what it refuses. */
#include "base/text.h"
#include "conformance/probe.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

static void stores_many(struct probe *probe)
{
	enum { CONVERSATIONS = 32, TURNS = 256 };
	struct ss_turn *turns = memory_array(TURNS, sizeof *turns);
	for (size_t i = 0; i < TURNS; i++)
		turns[i] = i < CONVERSATIONS ? probe_first(probe, "ann")
					     : probe_next(probe, &turns[i % CONVERSATIONS]);
	probe_store_all(probe, turns, TURNS);
	for (size_t i = 0; i < CONVERSATIONS; i++) {
		const char *expected = "";
		for (size_t j = i; j < TURNS; j += CONVERSATIONS)
			expected = probe_format(probe, "%s%squestion %zu|answer %zu", expected,
				j > i ? "|" : "", j + 1, j + 1);
		probe_expect(probe, "a history of 8 turns of a batch of 256", expected,
			probe_history(probe, &turns[i], 100));
	}
	probe_expect_int(probe, "what the statistics count of a batch of 256", TURNS,
		probe_counted(probe, "categories", turns[0].category));
	free(turns);
}

static void refuses_one_alone(struct probe *probe)
{
	struct ss_turn turns[6];
	struct ss_error errors[6];
	turns[0] = probe_first(probe, "ann");
	turns[1] = probe_next(probe, &turns[0]);
	turns[1].conversation_id = probe_id(probe, "conv_"); /* which does not exist */
	turns[2] = probe_next(probe, &turns[0]);
	turns[3] = probe_next(probe, &turns[0]);
	turns[3].user_id = probe_name(probe, "bob");
	turns[4] = probe_next(probe, &turns[0]);
	turns[4].priority = 11;
	turns[5] = probe_next(probe, &turns[0]);
	int result = probe_commit(probe, turns, 6, errors);
	if (probe->failed)
		return;
	probe_expect_int(probe, "commit_turns() with three wrong turns of six", 0, result);
	for (size_t i = 0; i < 6; i++) {
		bool refused = errors[i].status != SS_OK;
		bool wrong = i == 1 || i == 3 || i == 4;
		if (refused != wrong)
			probe_fail(probe,
				probe_format(probe, "the error of turn %zu of the batch", i + 1),
				wrong ? "a refusal" : "none", "%s",
				refused ? errors[i].text : "none");
	}
	probe_expect(probe, "the history of those that were right",
		"question 1|answer 1|question 3|answer 3|question 6|answer 6",
		probe_history(probe, &turns[0], 100));
	probe_expect_int(probe, "what the statistics count of them", 3,
		probe_counted(probe, "categories", turns[0].category));
}

static void refused_leaves_no_trace(struct probe *probe)
{
	const char *article = probe_name(probe, "article");
	struct ss_turn first = probe_first(probe, "ann");
	probe_store(probe, &first);
	struct ss_turn turn = probe_next(probe, &first);
	turn.new_conversation = true;
	turn.category = probe_name(probe, "other");
	turn.shown = &article;
	turn.shown_count = 1;
	turn.thread = probe_name(probe, "thread");
	probe_refuse(probe, "a new conversation with the id of another one", &turn, SS_CONFLICT);
	probe_expect(probe, "the history of that one", "question 1|answer 1",
		probe_history(probe, &first, 100));
	probe_expect_int(probe, "what the statistics count of it", 0,
		probe_counted(probe, "categories", turn.category));
	probe_expect(probe, "the counts of the article that it shows", "nothing",
		probe_article(probe, article));
	const struct ss_turn_key key = {
		.user_id = turn.user_id, .thread = turn.thread, .history_limit = 1};
	probe_expect(probe, "the conversation that its thread finds", "",
		probe_string(probe_context(probe, &key), "conversation_id"));
}

static void stores_once(struct probe *probe)
{
	struct ss_turn turns[3];
	const char *article = probe_name(probe, "article");
	turns[0] = probe_first(probe, "ann");
	turns[0].shown = &article;
	turns[0].shown_count = 1;
	turns[0].escalated = true;
	probe_store(probe, &turns[0]);
	probe_store(probe, &turns[0]);
	/* Run again after a crash, it took another time. */
	struct ss_turn again = turns[0];
	again.duration_ns *= 2;
	again.asked_at_ns += PROBE_SECOND_NS;
	again.answered_at_ns += PROBE_SECOND_NS;
	again.metadata = "{}";
	probe_store(probe, &again);
	turns[1] = turns[2] = probe_next(probe, &turns[0]);
	probe_store_all(probe, turns, 3);
	probe_expect(probe, "the history of two turns that were stored again",
		"question 1|answer 1|question 2|answer 2", probe_history(probe, &turns[0], 100));
	probe_expect_int(probe, "what the statistics count of them", 2,
		probe_counted(probe, "categories", turns[0].category));
	probe_expect(probe, "the counts of the article that they show",
		"views 2, helpful 0, not helpful 0", probe_article(probe, article));
}

static void refuses_another_with_its_id(struct probe *probe)
{
	struct ss_turn turn = probe_first(probe, "ann");
	probe_store(probe, &turn);
	struct ss_turn other = probe_next(probe, &turn);
	other.turn_id = turn.turn_id;
	probe_refuse(probe, "another turn with the id of one", &other, SS_CONFLICT);
	other = probe_first(probe, "bob");
	other.turn_id = turn.turn_id;
	probe_refuse(probe, "another user's turn with the id of one", &other, SS_CONFLICT);
	probe_expect(probe, "the history of that one", "question 1|answer 1",
		probe_history(probe, &turn, 100));
	probe_expect_int(probe, "what the statistics count of it", 1,
		probe_counted(probe, "categories", turn.category));
}

static void refuses_unknown_conversations(struct probe *probe)
{
	struct ss_turn first = probe_first(probe, "ann");
	probe_store(probe, &first);
	struct ss_turn turn = probe_next(probe, &first);
	turn.conversation_id = probe_id(probe, "conv_");
	probe_refuse(
		probe, "going on with a conversation that does not exist", &turn, SS_NOT_FOUND);
	turn = probe_next(probe, &first);
	turn.user_id = probe_name(probe, "bob");
	probe_refuse(probe, "going on with a conversation of another user", &turn, SS_NOT_FOUND);
}

static void refuses_what_is_wrong(struct probe *probe)
{
	struct ss_turn turns[12];
	for (size_t i = 0; i < array_length(turns); i++)
		turns[i] = probe_first(probe, "ann");
	turns[0].priority = 0;
	turns[1].priority = 11;
	turns[2].attempts = -1;
	turns[3].duration_ns = -1;
	turns[4].asked_at_ns = -1;
	turns[5].answered_at_ns = -1;
	turns[6].metadata = "{\"kb_results\":";
	turns[7].turn_id = NULL;
	turns[8].turn_id = "";
	turns[9].conversation_id = "";
	turns[10].user_id = "";
	turns[11].user_id = NULL;
	static const char *const what[] = {"a turn of priority 0", "a turn of priority 11",
		"a turn of -1 attempts", "a turn that took -1 ns", "a turn asked before 1970",
		"a turn answered before 1970", "a turn whose metadata is not JSON",
		"a turn without an id", "a turn with an empty id",
		"a turn with an empty conversation_id", "a turn with an empty user_id",
		"a turn without a user_id"};
	for (size_t i = 0; i < array_length(turns); i++)
		probe_refuse(probe, what[i], &turns[i], SS_INVALID);
	probe_expect_int(probe, "what the statistics count of them", 0,
		probe_counted(probe, "categories", turns[0].category));
}

static void expect_texts(struct probe *probe, const struct ss_text *texts, size_t count)
{
	struct ss_turn turn = probe_first(probe, "ann");
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			turn = probe_next(probe, &turn);
		turn.message = turn.response = texts[i];
		probe_store(probe, &turn);
		probe_store(probe, &turn); /* is the same to the store as well */
		const struct ss_turn_key key = {.user_id = turn.user_id,
			.conversation_id = turn.conversation_id,
			.history_limit = 2};
		const struct ss_value *history = value_get(probe_context(probe, &key), "history");
		for (size_t j = 0; j < 2; j++)
			probe_expect_text(probe,
				j == 0 ? "the text of a question" : "the text of an answer",
				texts[i], value_get(value_at(history, j), "content"));
	}
	probe_expect_int(probe, "what the statistics count of turns that were stored twice",
		(int64_t)count, probe_counted(probe, "categories", turn.category));
}

static void keeps_any_text(struct probe *probe)
{
	const struct ss_text texts[] = {
		{"\0before\0after\0", 14},
		text_of("\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x94\xa7 \xf0\x9f\x98\xa1"),
		text_of("caf\xc3\xa9 cafe\xcc\x81 \xef\xbb\xbf\xe2\x80\xae\xe2\x80\xac "
			"\xf4\x8f\xbf\xbf"),
		text_of("' \" \\ \\' $1 ?1 :a %s ${x} {{y}} -- ; \t\r\n\x01\x7f"),
		text_of("  blanks at both ends  "),
		text_of(""),
		{NULL, 0},
	};
	expect_texts(probe, texts, array_length(texts));
}

static void keeps_long_texts(struct probe *probe)
{
	const struct ss_text texts[] = {
		probe_long_text(probe, "\xf0\x9f\x98\xa1", 4000),
		probe_long_text(probe, "0123456789abcdef", 4096),
		probe_long_text(probe, "a long text, \xc3\xa9 ", 65536),
	};
	expect_texts(probe, texts, array_length(texts));
}

static void may_lack_what_is_optional(struct probe *probe)
{
	struct ss_turn whole = probe_first(probe, "ann");
	const struct ss_turn turn = {
		.struct_size = sizeof turn,
		.turn_id = whole.turn_id,
		.conversation_id = whole.conversation_id,
		.user_id = whole.user_id,
		.new_conversation = true,
		.message = whole.message,
		.response = whole.response,
		.priority = 1,
	};
	probe_store(probe, &turn);
	probe_store(probe, &turn);
	probe_expect(probe, "the history of a turn without what is optional", "question 1|answer 1",
		probe_history(probe, &turn, 10));
}

/* An id of 255 characters of four bytes but for what makes it another one than all others. */
static const char *longest_id(struct probe *probe)
{
	enum { CHARACTERS = 255 };
	const char *own = probe_id(probe, "");
	return probe_format(
		probe, "%s%s", own, probe_long_text(probe, "😀", CHARACTERS - strlen(own)).data);
}

static void takes_the_longest_ids(struct probe *probe)
{
	struct ss_turn turns[2];
	const char *user = longest_id(probe);
	for (size_t i = 0; i < array_length(turns); i++) {
		turns[i] = probe_first(probe, "ann");
		turns[i].user_id = user;
		turns[i].conversation_id = longest_id(probe);
		turns[i].turn_id = longest_id(probe);
	}
	probe_store_all(probe, turns, 2);
	probe_expect(probe, "a conversation whose id has 255 characters", "question 2|answer 2",
		probe_said(probe, turns[1].conversation_id));
	probe_expect(probe, "its user", user,
		probe_string(probe_conversation(probe, turns[1].conversation_id), "user_id"));
	probe_expect_int(probe, "the conversations of this user", 2,
		value_as_int(value_get(probe_user(probe, user), "conversations")));
	probe_put(probe, SS_ARTICLES, user, "{}", 0);
	const struct ss_value *found = probe_documents(
		probe, (struct ss_document_filter){.kind = SS_ARTICLES, .id = user});
	probe_expect(probe, "a document whose id has 255 characters", user,
		probe_string(value_at(value_get(found, "items"), 0), "id"));
	probe_put(probe, SS_ARTICLES, user, NULL, -1);
	probe_delete_conversation(probe, turns[0].conversation_id);
	probe_expect_no_conversation(probe, turns[0].conversation_id);
}

static const struct probe_case cases[] = {
	{"many turns are stored at once, in their order", stores_many},
	{"a turn that is refused leaves the others of its batch alone", refuses_one_alone},
	{"a turn that is refused leaves no trace", refused_leaves_no_trace},
	{"a turn that is stored again succeeds and counts once", stores_once},
	{"another turn with the id of a stored one is refused", refuses_another_with_its_id},
	{"a turn goes on with a conversation of its user only", refuses_unknown_conversations},
	{"a turn without an id, or with a value out of bounds, is refused", refuses_what_is_wrong},
	{"texts come back byte by byte: any script, 4-byte characters, NUL, and none",
		keeps_any_text},
	{"ids may have 255 characters", takes_the_longest_ids},
	{"texts of a megabyte come back whole", keeps_long_texts},
	{"a turn may lack what is optional", may_lack_what_is_optional},
};

const struct probe_area turns_area = {"turns", cases, array_length(cases)};
