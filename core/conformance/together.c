/* What lasts when a store is closed or its process dies, and several instances on one store. */
#include "base/text.h"
#include "conformance/probe.h"
#include "value/value.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A turn with all that has figures or is found by something. */
static struct ss_turn full_turn(struct probe *probe, const char *const *article)
{
	struct ss_turn turn = probe_first(probe, "ann");
	turn.shown = article;
	turn.shown_count = 1;
	turn.unanswered = probe_name(probe, "key");
	turn.thread = probe_name(probe, "thread");
	turn.escalated = true;
	return turn;
}

static void expect_full_turn(struct probe *probe, const char *what, const struct ss_turn *turn)
{
	const struct ss_turn_key key = {.user_id = turn->user_id,
		.thread = turn->thread,
		.history_limit = 10,
		.recent_limit = 10};
	const struct ss_value *context = probe_context(probe, &key);
	probe_expect(probe, what, turn->conversation_id, probe_string(context, "conversation_id"));
	probe_expect(probe, what, "question 1|answer 1",
		probe_texts(probe, value_get(context, "history")));
	probe_expect_int(probe, what, 1, probe_counted(probe, "categories", turn->category));
}

static void survives_closing(struct probe *probe)
{
	const char *article = probe_name(probe, "article");
	const char *id = probe_name(probe, "journal");
	const struct ss_turn turn = full_turn(probe, &article);
	probe_store(probe, &turn);
	probe_vote(probe, &turn, 1);
	probe_write(probe, probe_beginning(probe, id, "me"));
	probe_reopen(probe);
	expect_full_turn(probe, "a turn that was stored before the store was closed", &turn);
	probe_expect(probe, "the counts of the article that it shows",
		"views 1, helpful 1, not helpful 0", probe_article(probe, article));
	probe_expect(probe, "the owner of a journal from before the store was closed", "me",
		probe_string(probe_journal(probe, id), "owner"));
	probe_store(probe, &turn);
	probe_expect_int(probe, "what the statistics count when it is stored again", 1,
		probe_counted(probe, "categories", turn.category));
}

/* Stores TURN, votes on it and begins the journal ID in a process that ends without closing the store. */
static void store_and_die(struct probe *probe, const struct ss_turn *turn, const char *id)
{
	const struct ss_journal_write write = probe_beginning(probe, id, "me");
	int status = 0;
	if (probe->failed)
		return;
	/* A connection does not survive a fork, so none is open. */
	probe->storage->destroy(probe->instance);
	probe->open = false;
	pid_t child = fork();
	if (child == 0) {
		probe->instance = probe_open(probe);
		probe_store(probe, turn);
		probe_vote(probe, turn, 1);
		probe_write(probe, write);
		_exit(probe->failed ? 1 : 0);
	}
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	probe->instance = probe_open(probe);
	probe->open = !probe->failed;
	if (child < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		probe_fail(probe, "storing a turn, a vote and a journal in another process",
			"success", "%s",
			child < 0 ? strerror(errno) : "it failed, or the process crashed");
}

static void survives_death(struct probe *probe)
{
	const char *article = probe_name(probe, "article");
	const char *id = probe_name(probe, "journal");
	const struct ss_turn turn = full_turn(probe, &article);
	store_and_die(probe, &turn, id);
	expect_full_turn(probe, "a turn that a process stored before it died", &turn);
	probe_expect(probe, "the counts of the article that it shows",
		"views 1, helpful 1, not helpful 0", probe_article(probe, article));
	probe_expect(probe, "the owner of a journal that it began", "me",
		probe_string(probe_journal(probe, id), "owner"));
}

/* Two instances, one thread each. */

enum { SIDES = 2 };

struct side {
	const struct probe *probe;
	void *instance;
	pthread_barrier_t *start;
	int (*work)(struct side *side);
	size_t count; /* of turns, and in a batch */
	size_t batch;
	const struct ss_turn *turns;
	const char *id; /* of a journal */
	const char *owner;
	int result;
	struct ss_error err; /* the first one */
};

static void *run_side(void *context)
{
	struct side *side = context;
	(void)pthread_barrier_wait(side->start);
	side->result = side->work(side);
	return NULL;
}

/* Runs WORK on both SIDES at once, with an instance each. What they come to is in them. */
static void run_both(struct probe *probe, struct side *sides, int (*work)(struct side *side))
{
	pthread_barrier_t start;
	pthread_t threads[SIDES];
	if (probe->failed)
		return;
	(void)pthread_barrier_init(&start, NULL, SIDES);
	for (size_t i = 0; i < SIDES; i++) {
		sides[i].probe = probe;
		sides[i].start = &start;
		sides[i].work = work;
		sides[i].err = (struct ss_error){.status = SS_OK};
		if (pthread_create(&threads[i], NULL, run_side, &sides[i]) != 0)
			abort(); /* only for want of memory */
	}
	for (size_t i = 0; i < SIDES; i++)
		(void)pthread_join(threads[i], NULL);
	(void)pthread_barrier_destroy(&start);
}

/* The probe's instance and another one. */
static void open_both(struct probe *probe, struct side *sides)
{
	sides[0] = (struct side){.instance = probe->instance};
	sides[1] = (struct side){.instance = probe_open(probe)};
}

static int commit_side(struct side *side)
{
	struct ss_error errors[16];
	for (size_t at = 0; at < side->count; at += side->batch) {
		size_t count = side->count - at < side->batch ? side->count - at : side->batch;
		for (size_t i = 0; i < count; i++)
			errors[i] = (struct ss_error){.status = SS_OK};
		int result = side->probe->storage->commit_turns(
			side->instance, &side->turns[at], count, errors);
		for (size_t i = 0; i < count; i++) {
			if (errors[i].status == SS_OK)
				continue;
			side->err = errors[i];
			return result;
		}
		if (result < 0)
			return result;
	}
	return 0;
}

static void expect_both(struct probe *probe, const struct side *sides, const char *what)
{
	for (size_t i = 0; i < SIDES && !probe->failed; i++)
		probe_expect_success(probe, what, sides[i].result, &sides[i].err);
}

static void sees_each_other(struct probe *probe)
{
	struct side sides[SIDES];
	open_both(probe, sides);
	struct ss_turn turn = probe_first(probe, "ann");
	for (int i = 0; i < 5; i++) {
		probe->instance = sides[i % SIDES].instance;
		probe_store(probe, &turn);
		probe->instance = sides[(i + 1) % SIDES].instance;
		probe_expect(probe, "the last answer, which the other instance has stored",
			probe_format(probe, "answer %d", i + 1), probe_history(probe, &turn, 1));
		probe_expect_int(probe, "what the statistics of the other instance count", i + 1,
			probe_counted(probe, "categories", turn.category));
		turn = probe_next(probe, &turn);
	}
	probe->instance = sides[0].instance;
	probe_close(probe, sides[1].instance);
}

/* Turns of one user, in as many conversations as there are in a batch, which both sides go through in opposite
 * orders: who locks one after the other meets who does it the other way round. */
static void prepare(struct probe *probe, const struct ss_turn *first, size_t conversations,
	struct ss_turn *turns, size_t count, bool backwards)
{
	for (size_t i = 0; i < count; i++) {
		size_t place = i % conversations;
		turns[i] = probe_next(probe, &first[backwards ? conversations - 1 - place : place]);
		turns[i].response = turns[i].message;
	}
}

static void expect_pairs(struct probe *probe, const struct ss_turn *turn, size_t expected)
{
	const struct ss_turn_key key = {.user_id = turn->user_id,
		.conversation_id = turn->conversation_id,
		.history_limit = SIZE_MAX};
	const struct ss_value *history = value_get(probe_context(probe, &key), "history");
	probe_expect_int(probe, "the messages of a conversation that two instances went on with",
		(int64_t)expected, (int64_t)value_count(history));
	for (size_t i = 2; i + 1 < value_count(history) && !probe->failed; i += 2) {
		const char *question = probe_string(value_at(history, i), "content");
		probe_expect(probe, "the answer behind a question, of which it is a copy", question,
			probe_string(value_at(history, i + 1), "content"));
	}
}

static void counts_all(struct probe *probe)
{
	enum { CONVERSATIONS = 4, TURNS = 128 };
	struct side sides[SIDES];
	struct ss_turn first[CONVERSATIONS];
	struct ss_turn *turns = memory_array((size_t)SIDES * TURNS, sizeof *turns);
	const char *article = probe_name(probe, "article");
	for (size_t i = 0; i < CONVERSATIONS; i++) {
		first[i] = probe_first(probe, "ann");
		first[i].shown = &article;
		first[i].shown_count = 1;
		first[i].unanswered = probe_name(probe, "key");
	}
	probe_store_all(probe, first, CONVERSATIONS);
	open_both(probe, sides);
	for (size_t i = 0; i < SIDES; i++) {
		sides[i].turns = &turns[i * TURNS];
		sides[i].count = TURNS;
		sides[i].batch = CONVERSATIONS;
		prepare(probe, first, CONVERSATIONS, &turns[i * TURNS], TURNS, i > 0);
	}
	run_both(probe, sides, commit_side);
	expect_both(probe, sides, "storing turns of one user while another instance does so");
	probe_close(probe, sides[1].instance);
	int64_t all = SIDES * TURNS + CONVERSATIONS;
	probe_expect_int(probe, "what the statistics count of both", all,
		probe_counted(probe, "categories", first[0].category));
	probe_expect(probe, "the counts of the article that all of them show",
		probe_format(probe, "views %lld, helpful 0, not helpful 0", (long long)all),
		probe_article(probe, article));
	for (size_t i = 0; i < CONVERSATIONS; i++)
		expect_pairs(probe, &first[i], 2 + SIDES * TURNS / CONVERSATIONS * 2);
	free(turns);
}

enum { ROUNDS = 25 };

static void stores_one_turn_once(struct probe *probe)
{
	struct side sides[SIDES];
	struct ss_turn turns[ROUNDS];
	for (size_t i = 0; i < ROUNDS; i++)
		turns[i] = probe_first(probe, "ann");
	open_both(probe, sides);
	for (size_t i = 0; i < SIDES; i++) {
		sides[i].turns = turns;
		sides[i].count = ROUNDS;
		sides[i].batch = 1;
	}
	run_both(probe, sides, commit_side);
	expect_both(probe, sides, "storing the turns that another instance is just storing");
	probe_close(probe, sides[1].instance);
	probe_expect_int(probe, "what the statistics count of turns that both stored", ROUNDS,
		probe_counted(probe, "categories", turns[0].category));
	for (size_t i = 0; i < ROUNDS; i++)
		probe_expect(probe, "the history of a turn that both stored",
			probe_format(probe, "question %zu|answer %zu", i + 1, i + 1),
			probe_history(probe, &turns[i], 10));
}

static int vote_side(struct side *side)
{
	for (size_t i = 0; i < side->count; i++) {
		struct ss_feedback feedback = {.struct_size = sizeof feedback,
			.turn_id = side->turns[i].turn_id,
			.was_helpful = 1,
			.given_at_ns = side->probe->now_ns};
		int result = side->probe->storage->store_feedback(
			side->instance, &feedback, 1, &side->err);
		if (result < 0 || side->err.status != SS_OK)
			return result;
	}
	return 0;
}

static void counts_one_vote_once(struct probe *probe)
{
	struct side sides[SIDES];
	struct ss_turn turns[ROUNDS];
	const char *article = probe_name(probe, "article");
	for (size_t i = 0; i < ROUNDS; i++) {
		turns[i] = probe_first(probe, "ann");
		turns[i].shown = &article;
		turns[i].shown_count = 1;
	}
	probe_store_all(probe, turns, ROUNDS);
	open_both(probe, sides);
	for (size_t i = 0; i < SIDES; i++) {
		sides[i].turns = turns;
		sides[i].count = ROUNDS;
	}
	run_both(probe, sides, vote_side);
	expect_both(probe, sides, "voting on turns on which another instance is just voting");
	probe_close(probe, sides[1].instance);
	probe_expect(probe, "the article of turns on which both voted",
		probe_format(probe, "views %d, helpful %d, not helpful 0", ROUNDS, ROUNDS),
		probe_article(probe, article));
}

/* One side gives 1, the other 5, so that each takes the other's place. */
static int rate_side(struct side *side)
{
	for (size_t i = 0; i < side->count; i++) {
		struct ss_feedback feedback = {.struct_size = sizeof feedback,
			.turn_id = side->turns[i].turn_id,
			.was_helpful = -1,
			.rating = strcmp(side->owner, "left") == 0 ? 1 : 5,
			.given_at_ns = side->probe->now_ns};
		int result = side->probe->storage->store_feedback(
			side->instance, &feedback, 1, &side->err);
		if (result < 0 || side->err.status != SS_OK)
			return result;
	}
	return 0;
}

/* What the ratings in the hour of the probe are, as "COUNT of SUM". */
static const char *ratings(struct probe *probe, int64_t *count, double *sum)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *series = NULL;
	const int64_t hour = probe->now_ns / PROBE_HOUR_NS * PROBE_HOUR_NS;
	const struct ss_analytics_range range = {.struct_size = sizeof range,
		.from_ns = hour,
		.to_ns = hour + PROBE_HOUR_NS,
		.step_ns = PROBE_HOUR_NS};
	if (probe->failed)
		return "";
	int result = probe->storage->read_analytics(probe->instance, &range, &series, &err);
	probe_expect_success(probe, "reading with read_analytics()", result, &err);
	const struct ss_value *kept = probe_keep(probe, result == 0 ? series : NULL);
	const struct ss_value *found = value_get(value_at(kept, 0), "ratings");
	int64_t before = *count;
	double sum_before = *sum;
	*count = value_as_int(value_get(found, "count"));
	*sum = value_as_number(value_get(found, "average")) * (double)*count;
	return probe_format(probe, "%lld of %.0f", (long long)(*count - before), *sum - sum_before);
}

/* The sum of the ratings that the turns have now. */
static int64_t rated(struct probe *probe, const struct ss_turn *turns, size_t count)
{
	int64_t sum = 0;
	for (size_t i = 0; i < count; i++) {
		const struct ss_message_filter filter = {.turn_id = turns[i].turn_id, .limit = 2};
		const struct ss_value *items = value_get(probe_messages(probe, &filter), "items");
		const struct ss_value *feedback = value_get(value_at(items, 1), "feedback");
		sum += value_as_int(value_get(feedback, "rating"));
	}
	return sum;
}

static void sums_ratings(struct probe *probe)
{
	static const char *const owners[] = {"left", "right"};
	struct side sides[SIDES];
	struct ss_turn turns[ROUNDS];
	int64_t count = 0;
	double sum = 0;
	for (size_t i = 0; i < ROUNDS; i++)
		turns[i] = probe_first(probe, "ann");
	probe_store_all(probe, turns, ROUNDS);
	(void)ratings(probe, &count, &sum);
	open_both(probe, sides);
	for (size_t i = 0; i < SIDES; i++) {
		sides[i].turns = turns;
		sides[i].count = ROUNDS;
		sides[i].owner = owners[i];
	}
	run_both(probe, sides, rate_side);
	expect_both(probe, sides, "rating turns that another instance is just rating");
	probe_close(probe, sides[1].instance);
	const char *expected =
		probe_format(probe, "%d of %lld", ROUNDS, (long long)rated(probe, turns, ROUNDS));
	probe_expect(probe, "the ratings that there are more, and their sum", expected,
		ratings(probe, &count, &sum));
}

/* Replies to the conversation of the side's only turn. */
static int reply_side(struct side *side)
{
	for (size_t i = 0; i < side->count; i++) {
		struct ss_value *conversation = NULL;
		char id[ID_SIZE];
		struct ss_conversation_change change = probe_changing(side->turns);
		change.reply = text_of(side->owner);
		change.reply_id = id_new("", id);
		int result = side->probe->storage->change_conversation(
			side->instance, &change, &conversation, &side->err);
		if (result < 0)
			return result;
		value_unref(conversation);
	}
	return 0;
}

static void keeps_all_replies(struct probe *probe)
{
	static const char *const owners[] = {"left", "right"};
	struct side sides[SIDES];
	const struct ss_turn turn = probe_first(probe, "ann");
	probe_store(probe, &turn);
	open_both(probe, sides);
	for (size_t i = 0; i < SIDES; i++) {
		sides[i].turns = &turn;
		sides[i].count = ROUNDS;
		sides[i].owner = owners[i];
	}
	run_both(probe, sides, reply_side);
	expect_both(probe, sides, "replying in a conversation in which another instance does so");
	probe_close(probe, sides[1].instance);
	const struct ss_message_filter filter = {
		.conversation_id = turn.conversation_id, .limit = 1000};
	const struct ss_value *items = value_get(probe_messages(probe, &filter), "items");
	probe_expect_int(
		probe, "the messages of both", 2 + SIDES * ROUNDS, (int64_t)value_count(items));
	for (size_t i = 0; i < value_count(items); i++)
		probe_expect_int(probe, "the number of a message", (int64_t)i + 1,
			value_as_int(value_get(value_at(items, i), "seq")));
}

static int take_side(struct side *side)
{
	struct ss_value *journal = NULL;
	const struct ss_journal_key key = {.struct_size = sizeof key,
		.turn_id = side->id,
		.owner = side->owner,
		.lease_ns = PROBE_HOUR_NS};
	int result = side->probe->storage->read_journal(side->instance, &key, &journal, &side->err);
	if (result == 0)
		value_unref(journal);
	return result;
}

/* One has the lease of the journal ID, and the other a conflict. */
static void expect_one(struct probe *probe, const struct side *sides, const char *id)
{
	for (size_t i = 0; i < SIDES && !probe->failed; i++) {
		const struct side *other = &sides[1 - i];
		if (sides[i].result != 0)
			continue;
		probe_expect_refusal(probe, "taking a lease that another instance takes at once",
			SS_CONFLICT, other->result, &other->err);
		probe_expect(probe, "the owner of a lease that was taken", sides[i].owner,
			probe_string(probe_journal(probe, id), "owner"));
		return;
	}
	probe_fail(probe, "taking a lease in two instances at once", "success of one", "%s",
		sides[0].err.text);
}

static void gives_a_lease_once(struct probe *probe)
{
	static const char *const owners[] = {"left", "right"};
	struct side sides[SIDES];
	open_both(probe, sides);
	for (size_t round = 0; round < ROUNDS && !probe->failed; round++) {
		const char *id = probe_id(probe, "");
		struct ss_journal_write write = probe_beginning(probe, id, NULL);
		probe_write(probe, write);
		for (size_t i = 0; i < SIDES; i++) {
			sides[i].id = id;
			sides[i].owner = owners[i];
		}
		run_both(probe, sides, take_side);
		expect_one(probe, sides, id);
	}
	probe_close(probe, sides[1].instance);
}

static int begin_side(struct side *side)
{
	const struct ss_journal_write write = {.struct_size = sizeof write,
		.turn_id = side->id,
		.workflow = side->id, /* a text of its own, so both add it */
		.workflow_text = text_of("{}"),
		.start = text_of("{}"),
		.fence = 1,
		.owner = side->owner,
		.lease_ns = PROBE_HOUR_NS,
		.first = 1};
	int result = side->probe->storage->write_journals(side->instance, &write, 1, &side->err);
	return result < 0 || side->err.status != SS_OK ? -1 : 0;
}

static void begins_a_journal_once(struct probe *probe)
{
	static const char *const owners[] = {"left", "right"};
	struct side sides[SIDES];
	open_both(probe, sides);
	for (size_t round = 0; round < ROUNDS && !probe->failed; round++) {
		const char *id = probe_id(probe, "");
		/* So that it is deleted. */
		(void)probe_beginning(probe, id, NULL);
		for (size_t i = 0; i < SIDES; i++) {
			sides[i].id = id;
			sides[i].owner = owners[i];
		}
		run_both(probe, sides, begin_side);
		expect_one(probe, sides, id);
	}
	probe_close(probe, sides[1].instance);
}

static const struct probe_case cases[] = {
	{"what was stored is there when the store is opened again", survives_closing},
	{"what was stored outlives a process that dies without closing the store", survives_death},
	{"two instances see at once what the other has stored", sees_each_other},
	{"all turns that two instances store at once are counted, and kept with their answers",
		counts_all},
	{"a turn that two instances store at once counts once", stores_one_turn_once},
	{"a vote that two instances store at once counts once", counts_one_vote_once},
	{"ratings that two instances change at once are summed as they are in the end",
		sums_ratings},
	{"replies of two instances at once are all kept, one after the other", keeps_all_replies},
	{"a lease that two instances take at once is one's", gives_a_lease_once},
	{"a journal that two instances begin at once is one's", begins_a_journal_once},
};

const struct probe_area together_area = {"together", cases, array_length(cases)};
