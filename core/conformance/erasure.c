/* The end of users: nothing of them is left, and all of others. */
#include "base/clock.h"
#include "base/text.h"
#include "conformance/probe.h"
#include "value/value.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* How much at once, where it does not matter. */
enum { MUCH = 1000 };

static int call_erase(struct probe *probe, const char *user_id, size_t limit,
	struct ss_value **told, struct ss_error *err)
{
	const struct ss_erasure step = {
		.struct_size = sizeof step, .user_id = user_id, .limit = limit};
	return probe->storage->erase_user(probe->instance, &step, told, err);
}

/* A step. *OVER is whether nothing is left; gives how much it was since the erasure began. */
static const struct ss_value *erase_some(
	struct probe *probe, const char *user_id, size_t limit, bool *over)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *told = NULL;
	*over = true;
	if (probe->failed)
		return NULL;
	int result = call_erase(probe, user_id, limit, &told, &err);
	probe_expect_success(probe, "erasing with erase_user()", result, &err);
	const struct ss_value *kept = probe_keep(probe, result == 0 ? told : NULL);
	*over = value_as_bool(value_get(kept, "over"));
	return value_get(kept, "erased");
}

static const struct ss_value *erase(struct probe *probe, const char *user_id)
{
	bool over = false;
	const struct ss_value *erased = NULL;
	while (!probe->failed && !over)
		erased = erase_some(probe, user_id, MUCH, &over);
	return erased;
}

static void refuse_limit(struct probe *probe, const char *what, const char *user_id, size_t limit,
	enum ss_status status)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *told = NULL;
	if (probe->failed)
		return;
	int result = call_erase(probe, user_id, limit, &told, &err);
	probe_expect_refusal(probe, what, status, result, &err);
	if (result == 0)
		value_unref(told);
}

static void refuse(struct probe *probe, const char *what, const char *user_id)
{
	refuse_limit(probe, what, user_id, MUCH, SS_NOT_FOUND);
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

/* Steps. */

enum { TURNS = 4, EVENTS = 5, LIMIT = 3 };

/* What limits count of ann is this much: the messages of a conversation of some turns and of one of one turn, a journal,
 * and events. */
enum { COUNTED = 2 * (TURNS + 1) + 1 + EVENTS };

static const char all_of_ann[] = "{\"conversations\":2,\"events\":5,\"journals\":1,\"messages\":10,"
				 "\"questions\":0,\"requests\":0}";

/* Gives the first turn of the longer conversation. */
static struct ss_turn store_ann(struct probe *probe)
{
	struct ss_turn turns[TURNS + 1];
	struct ss_event events[EVENTS];
	for (size_t i = 0; i < EVENTS; i++)
		events[i] = (struct ss_event){
			.id = probe_id(probe, "evt_"), .type = "a", .data = text_of("{}")};
	turns[0] = probe_first(probe, "ann");
	turns[0].events = (struct ss_events){.items = events, .count = EVENTS};
	for (size_t i = 1; i < TURNS; i++)
		turns[i] = probe_next(probe, &turns[i - 1]);
	turns[TURNS] = probe_first(probe, "ann");
	(void)probe_store_user(probe, (struct ss_user){.id = turns[0].user_id,
					      .name = "Ann",
					      .vip = 1,
					      .is_new = true,
					      .at_ns = probe->now_ns});
	probe_store_all(probe, turns, TURNS + 1);
	struct ss_journal_write write = probe_beginning(probe, turns[0].turn_id, "me");
	write.user_id = turns[0].user_id;
	probe_write(probe, write);
	turns[0].events = (struct ss_events){.count = 0};
	return turns[0];
}

static int64_t counted(const struct ss_value *erased)
{
	static const char *const kinds[] = {
		"messages", "journals", "events", "requests", "questions"};
	int64_t sum = 0;
	for (size_t i = 0; i < array_length(kinds); i++)
		sum += value_as_int(value_get(erased, kinds[i]));
	return sum;
}

/* What is there of the conversation is as if nothing more had ever been said. */
static void expect_whole(struct probe *probe, const char *conversation_id)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *found = NULL;
	if (probe->failed)
		return;
	int result =
		probe->storage->read_conversation(probe->instance, conversation_id, &found, &err);
	const struct ss_value *conversation = probe_keep(probe, result == 0 ? found : NULL);
	if (conversation == NULL)
		return;
	const struct ss_message_filter filter = {
		.conversation_id = conversation_id, .limit = (size_t)2 * TURNS};
	const struct ss_value *items = value_get(probe_messages(probe, &filter), "items");
	probe_expect_int(probe, "the messages of a conversation that is being deleted",
		value_as_int(value_get(conversation, "message_count")),
		(int64_t)value_count(items));
	if (value_count(items) % 2 != 0)
		probe_fail(probe, "the messages of a conversation that is being deleted",
			"questions with their answers", "%zu", value_count(items));
}

static void goes_step_by_step(struct probe *probe)
{
	const struct ss_turn turn = store_ann(probe), other = probe_first(probe, "bob");
	const struct ss_value *erased = NULL;
	bool over = false;
	probe_store(probe, &other);
	for (int64_t before = 0; !over && !probe->failed; before = counted(erased)) {
		erased = erase_some(probe, turn.user_id, LIMIT, &over);
		int64_t more = counted(erased) - before;
		if (more > LIMIT + 1)
			probe_fail(probe, "what a step with the limit 3 erases", "3, or 4", "%lld",
				(long long)more);
		if (more < 1 && !over)
			probe_fail(probe, "what a step that is not the last erases", "something",
				"nothing");
		expect_whole(probe, turn.conversation_id);
		if (!over)
			probe_expect_json(probe, "the context of a user who is being erased",
				probe_format(probe,
					"{\"history\":[],\"user\":{\"id\":\"%s\",\"vip\":false}}",
					turn.user_id),
				probe_context(
					probe, &(struct ss_turn_key){.user_id = turn.user_id}));
	}
	probe_expect_json(probe, "what was erased in all steps", all_of_ann, erased);
	refuse(probe, "erasing a user who is erased", turn.user_id);
	probe_expect(probe, "what another user has said",
		probe_format(probe, "%s|%s", other.message.data, other.response.data),
		probe_said(probe, other.conversation_id));
}

/* Takes one step in a process that is killed then. */
static void begin_and_die(struct probe *probe, const char *user_id)
{
	int status = 0;
	bool over;
	if (probe->failed)
		return;
	/* A connection does not survive a fork, so none is open. */
	probe->storage->destroy(probe->instance);
	probe->open = false;
	pid_t child = fork();
	if (child == 0) {
		probe->instance = probe_open(probe);
		(void)erase_some(probe, user_id, LIMIT, &over);
		(void)kill(getpid(), probe->failed || over ? SIGTERM : SIGKILL);
	}
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	probe->instance = probe_open(probe);
	probe->open = !probe->failed;
	if (child < 0 || !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		probe_fail(probe, "a step of an erasure in another process",
			"success, and something left", "%s",
			child < 0 ? strerror(errno) : "it failed, was over, or crashed");
}

static void outlives_who_began_it(struct probe *probe)
{
	const struct ss_turn turn = store_ann(probe);
	begin_and_die(probe, turn.user_id);
	expect_whole(probe, turn.conversation_id);
	probe_expect_json(probe, "what was erased, with what the other process has", all_of_ann,
		erase(probe, turn.user_id));
	refuse(probe, "erasing a user who is erased", turn.user_id);
	probe_expect_no_user(probe, turn.user_id);
	probe_expect_no_conversation(probe, turn.conversation_id);
}

static int64_t purge(struct probe *probe, int64_t before_ns, size_t limit)
{
	struct ss_error err = {.status = SS_OK};
	size_t count = 0;
	const struct ss_purge wanted = {.struct_size = sizeof wanted,
		.what = SS_PURGE_ERASURES,
		.before_ns = before_ns,
		.limit = limit};
	if (probe->failed)
		return 0;
	int result = probe->storage->purge(probe->instance, &wanted, &count, &err);
	probe_expect_success(probe, "purge()", result, &err);
	return (int64_t)count;
}

static void is_ended_by_purge(struct probe *probe)
{
	const struct ss_turn turn = store_ann(probe), other = probe_first(probe, "bob");
	int64_t count, sum = 0;
	bool over = false;
	probe_store(probe, &other);
	int64_t first = counted(erase_some(probe, turn.user_id, LIMIT, &over));
	/* What purge() deletes does not make it later. */
	int64_t later_ns = clock_utc_ns() + 1000;
	probe_expect_int(probe, "purge() of erasures that were left before this one", 0,
		purge(probe, probe->now_ns, LIMIT));
	do {
		count = purge(probe, later_ns, LIMIT);
		sum += count;
		if (count > LIMIT + 1)
			probe_fail(probe, "what purge() of erasures with the limit 3 deletes",
				"3, or 4", "%lld", (long long)count);
	} while (count >= LIMIT);
	/* Of others, whom nobody erases any more, there may be more. */
	if (sum < COUNTED - first)
		probe_fail(probe, "what purge() of erasures has deleted", "what was left", "%lld",
			(long long)sum);
	refuse(probe, "erasing a user of whom purge() has left nothing", turn.user_id);
	probe_expect_no_user(probe, turn.user_id);
	probe_expect_no_conversation(probe, turn.conversation_id);
	probe_expect(probe, "what another user has said",
		probe_format(probe, "%s|%s", other.message.data, other.response.data),
		probe_said(probe, other.conversation_id));
}

static void takes_what_comes(struct probe *probe)
{
	const struct ss_turn turn = store_ann(probe);
	bool over = false;
	(void)erase_some(probe, turn.user_id, LIMIT, &over);
	const struct ss_turn late = probe_first(probe, "ann");
	probe_store(probe, &late);
	const struct ss_value *erased = erase(probe, turn.user_id);
	probe_expect_int(probe, "the conversations that were erased, with one of meanwhile", 3,
		value_as_int(value_get(erased, "conversations")));
	probe_expect_no_conversation(probe, late.conversation_id);
	probe_expect_no_user(probe, turn.user_id);
}

static void must_have_a_limit(struct probe *probe)
{
	const struct ss_turn turn = probe_first(probe, "ann");
	probe_store(probe, &turn);
	refuse_limit(probe, "a step with the limit 0", turn.user_id, 0, SS_INVALID);
	probe_expect(probe, "what the user has said then",
		probe_format(probe, "%s|%s", turn.message.data, turn.response.data),
		probe_said(probe, turn.conversation_id));
	bool over = false;
	while (!probe->failed && !over)
		(void)erase_some(probe, turn.user_id, 1, &over);
	probe_expect_no_user(probe, turn.user_id);
	probe_expect_no_conversation(probe, turn.conversation_id);
}

static const struct probe_case cases[] = {
	{"a user is erased with all that is known of one; others and figures stay",
		erases_all_of_one},
	{"questions without an answer go when they are in the words of who is erased",
		erases_questions},
	{"a user of many conversations is erased whole", erases_many_conversations},
	{"who has left no trace is not found", knows_a_trace},
	{"a user who was erased comes again as a new one", comes_again},
	{"an erasure goes step by step, none of which deletes more than it is told",
		goes_step_by_step},
	{"an erasure that a process has begun and died in is gone on with", outlives_who_began_it},
	{"an erasure that nobody goes on with is ended by purge()", is_ended_by_purge},
	{"what is stored of a user while one is erased goes as well", takes_what_comes},
	{"a step of an erasure has a limit, which may be 1", must_have_a_limit},
};

const struct probe_area erasure_area = {"erasure", cases, array_length(cases)};
