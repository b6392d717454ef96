#include "support/storage/traces.h"

#include "support/storage/store.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { TURNS_IN_CONVERSATION = 3, LONG_TEXT = 300 };

#define STORAGE (smartsupport_plugin.storage)

void traces_word(size_t number, char word[TRACES_WORD_SIZE])
{
	(void)snprintf(word, TRACES_WORD_SIZE, "qzjvx%03zukwy", number);
}

/* One turn, and what there is around it. */
struct trace {
	char word[TRACES_WORD_SIZE];
	char *turn_id, *conversation_id, *message, *json;
	size_t round;
};

static struct trace trace_new(size_t user, size_t round)
{
	struct trace trace = {.round = round};
	struct buffer words = {0};
	traces_word(user, trace.word);
	/* Now and then more than a page has. */
	for (size_t i = 0; i < (round % 7 == 3 ? LONG_TEXT : 1 + (user + round) % 5); i++)
		buffer_add_format(&words, "%s ", trace.word);
	trace.message = buffer_take(&words);
	trace.turn_id = memory_format("turn-%zu-%s", round, trace.word);
	trace.conversation_id =
		memory_format("conv-%zu-%s", round / TURNS_IN_CONVERSATION, trace.word);
	trace.json = memory_format("{\"said\":\"%s\"}", trace.message);
	return trace;
}

static void trace_free(struct trace *trace)
{
	free(trace->turn_id);
	free(trace->conversation_id);
	free(trace->message);
	free(trace->json);
}

static void begin_journal(void *store, const struct trace *trace)
{
	struct ss_error err = {.status = SS_OK};
	const struct ss_journal_entry entry = {1, text_of(trace->json)};
	const struct ss_journal_write write = {
		.struct_size = sizeof write,
		.turn_id = trace->turn_id,
		.workflow = "hash",
		.workflow_text = text_of("{}"),
		.start = text_of(trace->json),
		.fence = 1,
		.owner = "me",
		.lease_ns = 1000000000,
		.entries = &entry,
		.entry_count = 1,
		.first = 1,
		.user_id = trace->word,
		.conversation_id = trace->conversation_id,
	};
	cr_assert_eq(STORAGE->write_journals(store, &write, 1, &err), 0);
	cr_assert_eq(err.status, SS_OK, "%s", err.text);
}

static void end_journal(void *store, const struct trace *trace)
{
	struct ss_error err = {.status = SS_OK};
	const struct ss_journal_entry entries[] = {
		{2, text_of(trace->json)}, {3, text_of(trace->json)}};
	const struct ss_journal_write write = {
		.struct_size = sizeof write,
		.turn_id = trace->turn_id,
		.fence = 1,
		.status = "done",
		.entries = entries,
		.entry_count = array_length(entries),
		.first = 2,
	};
	cr_assert_eq(STORAGE->write_journals(store, &write, 1, &err), 0);
	cr_assert_eq(err.status, SS_OK, "%s", err.text);
}

static void store_turn_of(void *store, const struct trace *trace)
{
	char *event_id = memory_format("event-%s", trace->turn_id);
	char *key = memory_format("key-%s-%zu", trace->word, trace->round);
	const struct ss_event event = {
		.id = event_id, .type = "query.created", .data = text_of(trace->json)};
	struct ss_turn turn = store_turn(trace->turn_id, trace->conversation_id);
	turn.new_conversation = trace->round % TURNS_IN_CONVERSATION == 0;
	turn.user_id = trace->word;
	turn.message = text_of(trace->message);
	turn.response = text_of(trace->message);
	turn.escalation_reason = trace->message;
	turn.metadata = trace->json;
	turn.unanswered = trace->round % 2 == 0 ? key : NULL;
	turn.thread = key;
	turn.events = (struct ss_events){&event, 1};
	turn.asked_at_ns += (int64_t)trace->round * 1000000000;
	turn.answered_at_ns += (int64_t)trace->round * 1000000000;
	store_add(store, turn);
	free(event_id);
	free(key);
}

static void give_feedback(void *store, const struct trace *trace)
{
	struct ss_error err = {.status = SS_OK};
	char *issues = memory_format("[\"%s\"]", trace->word);
	const struct ss_feedback feedback = {
		.struct_size = sizeof feedback,
		.turn_id = trace->turn_id,
		.was_helpful = 1,
		.rating = 4,
		.comment = trace->message,
		.issues = issues,
		.given_at_ns = 1767225600123456789,
	};
	cr_assert_eq(STORAGE->store_feedback(store, &feedback, 1, &err), 0);
	cr_assert_eq(err.status, SS_OK, "%s", err.text);
	free(issues);
}

static void reply(void *store, const struct trace *trace)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *conversation = NULL;
	char *id = memory_format("reply-%s", trace->turn_id);
	const struct ss_conversation_change change = {
		.struct_size = sizeof change,
		.conversation_id = trace->conversation_id,
		.reply = text_of(trace->message),
		.reply_id = id,
		.author = trace->word,
		.status = "resolved",
		.at_ns = 1767225600123456789,
	};
	cr_assert_eq(STORAGE->change_conversation(store, &change, &conversation, &err), 0, "%s",
		err.text);
	value_unref(conversation);
	free(id);
}

static void describe(void *store, const struct trace *trace)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *stored = NULL;
	const struct ss_user user = {
		.struct_size = sizeof user,
		.id = trace->word,
		.name = trace->word,
		.email = trace->word,
		.vip = (int64_t)trace->round % 2,
		.metadata = trace->json,
		.at_ns = 1767225600123456789,
	};
	cr_assert_eq(STORAGE->store_user(store, &user, &stored, &err), 0, "%s", err.text);
	value_unref(stored);
}

/* A request that is done once, about the conversation: the reply that is kept has the word, and the user does not say so. */
static void keep_reply(void *store, const struct trace *trace)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *claim = NULL;
	char *key = memory_format("request-%zu-%s", trace->round, trace->word);
	const struct ss_request_key asked = {
		.struct_size = sizeof asked,
		.scope = "tests",
		.key = key,
		.fingerprint = "f",
		.subject = trace->turn_id,
		.owner = "me",
		.lease_ns = INT64_C(3600000000000),
		.keep_ns = INT64_C(3600000000000),
		.conversation_id = trace->conversation_id,
	};
	const struct ss_request_result result = {
		.struct_size = sizeof result,
		.scope = asked.scope,
		.key = key,
		.owner = asked.owner,
		.code = 200,
		.answer = text_of(trace->json),
	};
	cr_assert_eq(STORAGE->claim_request(store, &asked, &claim, &err), 0, "%s", err.text);
	cr_assert_eq(STORAGE->finish_request(store, &result, &err), 0, "%s", err.text);
	value_unref(claim);
	free(key);
}

void traces_store(void *store, size_t users, size_t rounds)
{
	struct trace *traces = memory_array(users, sizeof *traces);
	for (size_t round = 0; round < rounds; round++) {
		for (size_t i = 0; i < users; i++) {
			traces[i] = trace_new(i, round);
			begin_journal(store, &traces[i]);
		}
		for (size_t i = 0; i < users; i++) {
			store_turn_of(store, &traces[i]);
			end_journal(store, &traces[i]);
		}
		for (size_t i = 0; i < users; i++) {
			give_feedback(store, &traces[i]);
			if (round % TURNS_IN_CONVERSATION == 1)
				reply(store, &traces[i]);
			keep_reply(store, &traces[i]);
			describe(store, &traces[i]);
			trace_free(&traces[i]);
		}
	}
	free(traces);
}

void traces_erase(void *store, size_t number)
{
	static const char *const kinds[] = {
		"conversations", "messages", "journals", "events", "requests", "questions"};
	char word[TRACES_WORD_SIZE];
	struct ss_error err = {.status = SS_OK};
	struct ss_value *told = NULL;
	bool over = false;
	const struct ss_erasure step = {.struct_size = sizeof step, .user_id = word, .limit = 20};
	traces_word(number, word);
	while (!over) {
		value_unref(told);
		cr_assert_eq(STORAGE->erase_user(store, &step, &told, &err), 0, "%s", err.text);
		over = value_as_bool(value_get(told, "over"));
	}
	const struct ss_value *erased = value_get(told, "erased");
	for (size_t i = 0; i < array_length(kinds); i++)
		cr_expect_gt(value_as_int(value_get(erased, kinds[i])), 0, "%s", kinds[i]);
	value_unref(told);
}
