/* What turn_context() gives. */
#include "base/text.h"
#include "conformance/probe.h"
#include "value/value.h"

#include <string.h>

static void knows_nobody(struct probe *probe)
{
	const struct ss_turn_key key = {
		.user_id = probe_name(probe, "nobody"), .history_limit = 10};
	probe_expect_json(probe, "the context of a user who never asked",
		probe_format(probe, "{\"history\":[],\"user\":{\"id\":\"%s\",\"vip\":false}}",
			key.user_id),
		probe_context(probe, &key));
}

static void tells_messages(struct probe *probe)
{
	struct ss_turn turn = probe_first(probe, "ann");
	/* A fraction of a microsecond is cut off. */
	turn.asked_at_ns = turn.asked_at_ns / PROBE_SECOND_NS * PROBE_SECOND_NS + 123456789;
	turn.answered_at_ns = turn.asked_at_ns + 5000000;
	const struct ss_turn_key key = {
		.user_id = turn.user_id,
		.conversation_id = turn.conversation_id,
		.history_limit = 10,
	};
	probe_store(probe, &turn);
	const char *expected = probe_format(probe,
		"[{\"at\":\"%s\",\"content\":\"question 1\",\"role\":\"user\"},"
		"{\"at\":\"%s\",\"content\":\"answer 1\",\"role\":\"assistant\"}]",
		probe_time(probe, turn.asked_at_ns), probe_time(probe, turn.answered_at_ns));
	probe_expect_json(probe, "the history of a conversation of one turn", expected,
		value_get(probe_context(probe, &key), "history"));
}

static void tells_the_status(struct probe *probe)
{
	struct ss_turn turn = probe_first(probe, "ann");
	const struct ss_turn_key key = {
		.user_id = turn.user_id,
		.conversation_id = turn.conversation_id,
		.history_limit = 10,
	};
	turn.escalated = true;
	probe_store(probe, &turn);
	probe_expect_json(probe, "the status of a conversation that went to a human",
		"\"escalated\"", value_get(probe_context(probe, &key), "status"));
}

static void keeps_a_long_history(struct probe *probe)
{
	static const struct {
		size_t limit;
		const char *expected;
	} rows[] = {
		{0, ""},
		{1, "answer 3"},
		{3, "answer 2|question 3|answer 3"},
		{6, "question 1|answer 1|question 2|answer 2|question 3|answer 3"},
		{100, "question 1|answer 1|question 2|answer 2|question 3|answer 3"},
		{SIZE_MAX, "question 1|answer 1|question 2|answer 2|question 3|answer 3"},
	};
	struct ss_turn turn = probe_first(probe, "ann");
	probe_store(probe, &turn);
	for (int i = 0; i < 2; i++) {
		turn = probe_next(probe, &turn);
		probe_store(probe, &turn);
	}
	for (size_t i = 0; i < array_length(rows); i++)
		probe_expect(probe,
			probe_format(probe, "the history with the limit %zu", rows[i].limit),
			rows[i].expected, probe_history(probe, &turn, rows[i].limit));
}

static void orders_by_storing(struct probe *probe)
{
	struct ss_turn first = probe_first(probe, "ann");
	struct ss_turn second = probe_next(probe, &first);
	struct ss_turn third = probe_next(probe, &first);
	second.asked_at_ns = first.asked_at_ns - PROBE_HOUR_NS;
	second.answered_at_ns = second.asked_at_ns;
	third.asked_at_ns = third.answered_at_ns = first.asked_at_ns;
	probe_store(probe, &first);
	probe_store(probe, &second);
	probe_store(probe, &third);
	probe_expect(probe, "the history, of whose turns the second has the earliest times",
		"question 1|answer 1|question 2|answer 2|question 3|answer 3",
		probe_history(probe, &first, 10));
}

static void expect_not_found(
	struct probe *probe, const char *what, const char *user, const char *conversation)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *context = NULL;
	const struct ss_turn_key key = {
		.struct_size = sizeof key,
		.user_id = user,
		.conversation_id = conversation,
		.history_limit = 10,
	};
	if (probe->failed)
		return;
	int result = probe->storage->turn_context(probe->instance, &key, &context, &err);
	probe_expect_refusal(probe, what, SS_NOT_FOUND, result, &err);
	if (result == 0)
		value_unref(context);
}

static void hides_conversations(struct probe *probe)
{
	struct ss_turn turn = probe_first(probe, "ann");
	probe_store(probe, &turn);
	expect_not_found(probe, "the context of a conversation of another user",
		probe_name(probe, "bob"), turn.conversation_id);
	expect_not_found(probe, "the context of a conversation that does not exist", turn.user_id,
		probe_id(probe, "conv_"));
	probe_expect(probe, "the history of the user whose conversation it is",
		"question 1|answer 1", probe_history(probe, &turn, 10));
}

static void takes_any_user_id(struct probe *probe)
{
	static const char *const names[] = {"O'Brien \"the\" \\ 50% _", "Зоя ñandú 客户 😀",
		"ends with a blank ", "a{b}$1?:c;--"};
	for (size_t i = 0; i < array_length(names); i++) {
		struct ss_turn turn = probe_first(probe, "x");
		turn.user_id = probe_format(probe, "%s %s", probe->run, names[i]);
		const struct ss_turn_key key = {.user_id = turn.user_id,
			.conversation_id = turn.conversation_id,
			.history_limit = 1};
		probe_store(probe, &turn);
		probe_expect_text(probe, "the id of the user", text_of(turn.user_id),
			value_get(value_get(probe_context(probe, &key), "user"), "id"));
	}
}

static void expect_recent(struct probe *probe, const char *user, const char *conversation,
	size_t limit, const char *expected)
{
	const struct ss_turn_key key = {.user_id = probe_name(probe, user),
		.conversation_id = conversation,
		.history_limit = 10,
		.recent_limit = limit};
	const struct ss_value *context = probe_context(probe, &key);
	probe_expect(probe,
		probe_format(probe, "recent of %s with the limit %zu%s", user, limit,
			conversation != NULL ? ", in one of the conversations" : ""),
		expected, probe_texts(probe, value_get(context, "recent")));
}

static void tells_what_is_recent(struct probe *probe)
{
	struct ss_turn turns[5];
	turns[0] = probe_first(probe, "ann");
	turns[1] = probe_first(probe, "ann");
	turns[2] = probe_first(probe, "bob");
	turns[3] = probe_next(probe, &turns[0]);
	turns[4] = probe_first(probe, "ann");
	probe_store_all(probe, turns, 5);
	expect_recent(probe, "ann", NULL, 10, "question 1|question 2|question 4|question 5");
	expect_recent(probe, "ann", NULL, 2, "question 4|question 5");
	expect_recent(probe, "ann", turns[0].conversation_id, 10, "question 2|question 5");
	expect_recent(probe, "ann", NULL, SIZE_MAX, "question 1|question 2|question 4|question 5");
	expect_recent(probe, "bob", NULL, 10, "question 3");
	expect_recent(probe, "eve", NULL, 10, "");
}

static void leaves_out_recent(struct probe *probe)
{
	struct ss_turn turn = probe_first(probe, "ann");
	probe_store(probe, &turn);
	const struct ss_turn_key key = {.user_id = turn.user_id, .history_limit = 10};
	const struct ss_value *context = probe_context(probe, &key);
	if (!probe->failed && value_get(context, "recent") != NULL)
		probe_fail(probe, "a context with recent_limit 0", "no \"recent\"", "one of them");
	if (!probe->failed && value_get(context, "conversation_id") != NULL)
		probe_fail(probe, "a context of no thread", "no \"conversation_id\"", "one");
}

/* Vectors. */

/* What vector_read() is told, as "question 1=bytes". */
struct told {
	struct probe *probe;
	const char *questions[8];
	size_t count;
	bool exact;
	struct ss_bytes expected;
};

static void on_vector(void *context, struct ss_text message, struct ss_bytes vector)
{
	struct told *told = context;
	if (told->count < array_length(told->questions))
		told->questions[told->count] =
			probe_format(told->probe, "%.*s", (int)message.length, message.data);
	told->count++;
	if (vector.length != told->expected.length ||
		memcmp(vector.data, told->expected.data, vector.length) != 0)
		told->exact = false;
}

static const unsigned char bytes[] = {0, 255, 0, 128, '\'', '\n', 0};

/* In which order they are told does not matter. */
static bool was_told(const struct told *told, const char *question)
{
	for (size_t i = 0; i < told->count && i < array_length(told->questions); i++) {
		if (strcmp(told->questions[i], question) == 0)
			return true;
	}
	return false;
}

/* Expects the vectors of COUNT QUESTIONS and no other. */
static void expect_vectors(struct probe *probe, const struct ss_turn_key *key,
	const char *const *questions, size_t count)
{
	struct told told = {.probe = probe, .exact = true, .expected = {bytes, sizeof bytes}};
	struct ss_turn_key with = *key;
	const char *what = probe_format(probe, "the vectors for the embedder %s", key->embedder);
	with.vector_read = on_vector;
	with.vector_context = &told;
	(void)probe_context(probe, &with);
	if (probe->failed)
		return;
	for (size_t i = 0; i < count; i++) {
		if (!was_told(&told, questions[i]))
			probe_fail(probe, what, questions[i], "nothing of it");
	}
	probe_expect_int(probe, what, (int64_t)count, (int64_t)told.count);
	if (!told.exact)
		probe_fail(probe, what, "the bytes that were stored", "others");
}

static struct ss_turn with_vector(struct ss_turn turn, const char *embedder)
{
	turn.embedder = embedder;
	turn.vector = (struct ss_bytes){bytes, sizeof bytes};
	return turn;
}

static void hands_on_vectors(struct probe *probe)
{
	static const char *const all[] = {"question 1", "question 2", "question 5"};
	static const char *const of_new[] = {"question 3"};
	struct ss_turn turns[6];
	turns[0] = with_vector(probe_first(probe, "ann"), "old");
	turns[1] = with_vector(probe_next(probe, &turns[0]), "old");
	turns[2] = with_vector(probe_next(probe, &turns[0]), "new");
	turns[3] = probe_next(probe, &turns[0]);
	turns[3].embedder = NULL;
	turns[3].vector = (struct ss_bytes){0};
	turns[4] = with_vector(probe_first(probe, "ann"), "old");
	turns[5] = with_vector(probe_first(probe, "bob"), "old");
	probe_store_all(probe, turns, 6);
	struct ss_turn_key key = {.user_id = turns[0].user_id,
		.conversation_id = turns[0].conversation_id,
		.history_limit = 100,
		.recent_limit = 10,
		.embedder = "old"};
	expect_vectors(probe, &key, all, 3);
	key.embedder = "new";
	expect_vectors(probe, &key, of_new, 1);
	key.embedder = "other";
	expect_vectors(probe, &key, NULL, 0);
	/* Those beyond the limits are not read: the last two messages are of a turn without a vector. */
	key.embedder = "old";
	key.history_limit = 2;
	expect_vectors(probe, &key, &all[2], 1);
	/* Nobody is told. */
	key.embedder = NULL;
	(void)probe_context(probe, &key);
}

/* Threads. */

static void expect_thread(
	struct probe *probe, const char *what, struct ss_turn_key key, const char *expected)
{
	key.history_limit = 10;
	const struct ss_value *context = probe_context(probe, &key);
	const char *came = probe_string(context, "conversation_id");
	probe_expect(probe, what, expected, came);
	if (expected[0] == '\0')
		probe_expect_int(probe, what, 0,
			key.conversation_id == NULL
				? (int64_t)value_count(value_get(context, "history"))
				: 0);
}

static void finds_threads(struct probe *probe)
{
	struct ss_turn first = probe_first(probe, "ann");
	struct ss_turn other = probe_first(probe, "ann");
	first.thread = probe_name(probe, "a");
	probe_store(probe, &first);
	probe_store(probe, &other);
	struct ss_turn second = probe_next(probe, &first);
	second.thread = probe_name(probe, "b");
	probe_store(probe, &second);
	struct ss_turn_key key = {.user_id = first.user_id, .thread = first.thread};
	expect_thread(probe, "the thread of the first turn", key, first.conversation_id);
	key.thread = second.thread;
	expect_thread(probe, "the thread of the second turn", key, first.conversation_id);
	key.history_limit = 10;
	probe_expect(probe, "the history of a thread", "question 1|answer 1|question 3|answer 3",
		probe_texts(probe, value_get(probe_context(probe, &key), "history")));
	key.thread = probe_name(probe, "c");
	expect_thread(probe, "a thread that no turn has", key, "");
	key.thread = first.thread;
	key.user_id = probe_name(probe, "bob");
	expect_thread(probe, "a thread of another user", key, "");
	key.user_id = first.user_id;
	key.conversation_id = other.conversation_id;
	expect_thread(probe, "a thread beside a conversation's id", key, "");
}

static void finds_the_last_thread(struct probe *probe)
{
	struct ss_turn turns[2];
	turns[0] = probe_first(probe, "ann");
	turns[1] = probe_first(probe, "ann");
	turns[0].thread = turns[1].thread = probe_name(probe, "a");
	probe_store_all(probe, turns, 2);
	const struct ss_turn_key key = {.user_id = turns[0].user_id, .thread = turns[0].thread};
	expect_thread(probe, "a thread of two conversations", key, turns[1].conversation_id);
}

static void leaves_a_threads_conversation_out_of_recent(struct probe *probe)
{
	struct ss_turn turns[2];
	turns[0] = probe_first(probe, "ann");
	turns[1] = probe_first(probe, "ann");
	turns[0].thread = probe_name(probe, "a");
	probe_store_all(probe, turns, 2);
	const struct ss_turn_key key = {
		.user_id = turns[0].user_id, .thread = turns[0].thread, .recent_limit = 10};
	probe_expect(probe, "recent beside the conversation that was found", "question 2",
		probe_texts(probe, value_get(probe_context(probe, &key), "recent")));
}

static const struct probe_case cases[] = {
	{"a user not seen before has no name and no history, and is no VIP", knows_nobody},
	{"a message has its role, its text and its time to the microsecond", tells_messages},
	{"a context tells the status of its conversation", tells_the_status},
	{"a history is the last messages, as many as are asked for, oldest first",
		keeps_a_long_history},
	{"a history has its turns in the order in which they were stored, whatever the clocks said",
		orders_by_storing},
	{"a conversation of another user is not found, like one that does not exist",
		hides_conversations},
	{"a user's id may be any text", takes_any_user_id},
	{"what a user wrote last in other conversations is recent, oldest first",
		tells_what_is_recent},
	{"what is not asked for is left out", leaves_out_recent},
	{"a question's vector comes back as it was, to the embedder that made it and no other",
		hands_on_vectors},
	{"a thread finds the conversation at each of its turns, for its user", finds_threads},
	{"a thread of two conversations finds the one that was answered last",
		finds_the_last_thread},
	{"the conversation that a thread finds is not recent",
		leaves_a_threads_conversation_out_of_recent},
};

const struct probe_area context_area = {"context", cases, array_length(cases)};
