/*
 * The benchmark of a long history: how long each operation of the storage takes in a store of ten million messages of two
 * years. The history is made by SQL (history/NAME.sql) in a new store of the plugin, and then asked for with random keys;
 * each operation is to take less than 50 ms for 99 of 100 of them. There is no peer.
 *
 * Links the core (ss_core) and loads the built plugin, build/plugins/storage/NAME.so; SS_BUILD_DIR is defined as the
 * build folder. The programs sqlite3 and psql run the SQL.
 */
#include "base/clock.h"
#include "base/id.h"
#include "base/memory.h"
#include "lib/plugin.h"
#include "lib/postgres.h"
#include "lib/times.h"
#include "service/retention.h"
#include "value/value.h"

#include <sqlite3.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] =
	"Usage: bench_history [STORAGE [FOLDER [MESSAGES [OPERATION]]]]\n\n"
	"Makes MESSAGES (10000000) in a new STORAGE, sqlite or postgresql or both (the default), "
	"and asks\nfor them. SQLite's file is FOLDER/history.db (in .): one that is there is asked "
	"as it is, and none\nis removed. PostgreSQL is started for it, below /tmp, and gone at "
	"the end; a url of one that has\na history is asked as it is. Ten million messages take 7 "
	"GB in SQLite and 11 GB in PostgreSQL. OPERATION: only those that have this in their "
	"names.\n";

enum {
	CALLS = 1000,
	COMMITS = 10000,
	LIMIT_MS = 50,
	ID_TEXT_SIZE = 64,
	PAGE = 50,
	MESSAGES_EACH = 10,
	USERS_EACH = 5
};

static const int64_t day_ns = 86400 * (int64_t)1000000000, years_ns = 730 * day_ns;

struct bench {
	struct bench_plugin plugin;
	const struct ss_storage_operations *storage;
	int64_t conversations, begin_ns; /* of the history */
	uint64_t random;
	char user[ID_TEXT_SIZE], conversation[ID_TEXT_SIZE], turn[ID_TEXT_SIZE];
	char *after;                   /* where a walk goes on; NULL: at the beginning */
	enum ss_purged what;           /* is purged */
	size_t steps[RETENTION_KINDS]; /* of purge() */
	char erased[ID_TEXT_SIZE];     /* who is being erased; empty: nobody */
	const char *only;              /* what their names have that are asked */
	char *slow;                    /* a line for each operation that took too long */
	struct ss_error err;
};

static int64_t chance(struct bench *bench, int64_t below)
{
	bench->random = bench->random * 6364136223846793005u + 1442695040888963407u;
	return (int64_t)((bench->random >> 16) % (uint64_t)below);
}

/* The user, the conversation and the turn that the next call is about. */
static void pick(struct bench *bench)
{
	long long number = chance(bench, bench->conversations);
	(void)snprintf(bench->user, sizeof bench->user, "user_%07lld",
		(long long)chance(bench, bench->conversations / USERS_EACH));
	(void)snprintf(bench->conversation, sizeof bench->conversation,
		"conv_01900000-0000-7000-8000-%012lld", number);
	(void)snprintf(
		bench->turn, sizeof bench->turn, "turn_01900000-0002-7000-8000-%012lld", number);
}

static int64_t some_time(struct bench *bench)
{
	return bench->begin_ns + chance(bench, years_ns / 1000) * 1000;
}

/* Drops VALUE, or goes on behind it when it is a page. */
static int done(struct bench *bench, int result, struct ss_value *value)
{
	free(bench->after);
	bench->after = NULL;
	struct ss_text next = value_as_text(value_get(value, "next"));
	if (result == 0 && next.length > 0)
		bench->after = memory_text(next.data, next.length);
	value_unref(value);
	return result;
}

/* Turns. */

static int read_context(struct bench *bench, const char *user, const char *conversation)
{
	struct ss_value *context = NULL;
	const struct ss_turn_key key = {.struct_size = sizeof key,
		.user_id = user,
		.conversation_id = conversation,
		.history_limit = 40,
		.recent_limit = 20};
	int result =
		bench->storage->turn_context(bench->plugin.instance, &key, &context, &bench->err);
	return done(bench, result, context);
}

static int busy_context(struct bench *bench)
{
	return read_context(bench, "web_user", NULL);
}

static int usual_context(struct bench *bench)
{
	return read_context(bench, bench->user, NULL);
}

static int new_context(struct bench *bench)
{
	return read_context(bench, "nobody", NULL);
}

static int store_turn(struct bench *bench)
{
	char turn[ID_SIZE], conversation[ID_SIZE];
	struct ss_error error = {.status = SS_OK};
	static const char *const shown[] = {"article-1", "article-2"};
	const struct ss_turn item = {.struct_size = sizeof item,
		.turn_id = id_new("turn_", turn),
		.conversation_id = id_new("conv_", conversation),
		.user_id = bench->user,
		.new_conversation = true,
		.message = {"What is to be done?", 19},
		.response = {"Nothing.", 8},
		.category = "Technical",
		.sentiment = "Neutral",
		.priority = 5,
		.asked_at_ns = clock_utc_ns(),
		.answered_at_ns = clock_utc_ns(),
		.shown = shown,
		.shown_count = array_length(shown)};
	int result = bench->storage->commit_turns(bench->plugin.instance, &item, 1, &error);
	bench->err = error;
	return error.status == SS_OK ? result : -1;
}

static int read_stats(struct bench *bench)
{
	struct ss_value *stats = NULL;
	int result = bench->storage->stats(bench->plugin.instance, &stats, &bench->err);
	return done(bench, result, stats);
}

/* Conversations. */

static int list_conversations(struct bench *bench, struct ss_conversation_filter filter)
{
	struct ss_value *page = NULL;
	filter.struct_size = sizeof filter;
	filter.limit = PAGE;
	int result = bench->storage->list_conversations(
		bench->plugin.instance, &filter, &page, &bench->err);
	return done(bench, result, page);
}

#define LIST_CONVERSATIONS(name, ...)                                                              \
	static int name(struct bench *bench)                                                       \
	{                                                                                          \
		return list_conversations(bench, (struct ss_conversation_filter){__VA_ARGS__});    \
	}

LIST_CONVERSATIONS(walk_all, .after = bench->after)
LIST_CONVERSATIONS(walk_category, .category = "Billing", .after = bench->after)
LIST_CONVERSATIONS(walk_busy, .user_id = "web_user", .after = bench->after)
LIST_CONVERSATIONS(list_at, .to_ns = some_time(bench))
LIST_CONVERSATIONS(list_user, .user_id = bench->user)
LIST_CONVERSATIONS(list_busy, .user_id = "web_user", .to_ns = some_time(bench))
LIST_CONVERSATIONS(list_status, .status = "escalated", .to_ns = some_time(bench))
LIST_CONVERSATIONS(list_active, .status = "active", .to_ns = some_time(bench))
LIST_CONVERSATIONS(list_category, .category = "Technical", .to_ns = some_time(bench))
LIST_CONVERSATIONS(list_sentiment, .sentiment = "Angry", .to_ns = some_time(bench))
LIST_CONVERSATIONS(list_three, .status = "escalated", .category = "Security", .sentiment = "Angry",
	.to_ns = some_time(bench))
LIST_CONVERSATIONS(list_busy_three, .user_id = "web_user", .status = "escalated",
	.category = "Security", .to_ns = some_time(bench))
LIST_CONVERSATIONS(
	list_pair, .category = "Security", .sentiment = "Angry", .to_ns = some_time(bench))
LIST_CONVERSATIONS(walk_pair, .category = "Security", .sentiment = "Angry", .after = bench->after)
LIST_CONVERSATIONS(list_active_never, .status = "active", .sentiment = "never")
LIST_CONVERSATIONS(list_never, .category = "Technical", .sentiment = "never")
LIST_CONVERSATIONS(list_busy_never, .user_id = "web_user", .category = "never")

static int read_conversation(struct bench *bench)
{
	struct ss_value *conversation = NULL;
	int result = bench->storage->read_conversation(
		bench->plugin.instance, bench->conversation, &conversation, &bench->err);
	return done(bench, result, conversation);
}

static int list_messages(struct bench *bench)
{
	struct ss_value *page = NULL;
	const struct ss_message_filter filter = {.struct_size = sizeof filter,
		.conversation_id = bench->conversation,
		.limit = PAGE};
	int result =
		bench->storage->list_messages(bench->plugin.instance, &filter, &page, &bench->err);
	return done(bench, result, page);
}

static int read_turn(struct bench *bench)
{
	struct ss_value *page = NULL;
	const struct ss_message_filter filter = {
		.struct_size = sizeof filter, .turn_id = bench->turn, .limit = PAGE};
	int result =
		bench->storage->list_messages(bench->plugin.instance, &filter, &page, &bench->err);
	return done(bench, result, page);
}

static int resolve(struct bench *bench)
{
	struct ss_value *conversation = NULL;
	const struct ss_conversation_change change = {.struct_size = sizeof change,
		.conversation_id = bench->conversation,
		.status = "resolved",
		.at_ns = clock_utc_ns()};
	int result = bench->storage->change_conversation(
		bench->plugin.instance, &change, &conversation, &bench->err);
	return done(bench, result, conversation);
}

/* What another call has deleted is no failure. */
static int deleted(struct bench *bench, int result)
{
	return bench->err.status == SS_NOT_FOUND ? 0 : result;
}

static int delete_conversation(struct bench *bench)
{
	return deleted(bench, bench->storage->delete_conversation(
				      bench->plugin.instance, bench->conversation, &bench->err));
}

/* Users. */

static int list_users(struct bench *bench, int64_t vip, const char *prefix)
{
	struct ss_value *page = NULL;
	const struct ss_user_filter filter = {.struct_size = sizeof filter,
		.vip = vip,
		.prefix = prefix,
		.after = bench->after,
		.limit = PAGE};
	int result =
		bench->storage->list_users(bench->plugin.instance, &filter, &page, &bench->err);
	return done(bench, result, page);
}

static int walk_users(struct bench *bench)
{
	return list_users(bench, -1, NULL);
}

static int list_vips(struct bench *bench)
{
	return list_users(bench, 1, NULL);
}

static int list_prefix(struct bench *bench)
{
	return list_users(bench, -1, "user_00");
}

static int read_user(struct bench *bench)
{
	struct ss_value *user = NULL;
	int result = bench->storage->read_user(bench->plugin.instance,
		chance(bench, 10) == 0 ? "web_user" : bench->user, &user, &bench->err);
	return done(bench, result, user);
}

/* A step, of the size that a server takes. */
static int erase_step(struct bench *bench, const char *user)
{
	if (bench->erased[0] == '\0')
		(void)snprintf(bench->erased, sizeof bench->erased, "%s", user);
	struct ss_value *erased = NULL;
	size_t limit = bench->steps[SS_PURGE_ERASURES];
	const struct ss_erasure step = {.struct_size = sizeof step,
		.user_id = bench->erased,
		.limit = limit > 0 ? limit : RETENTION_STEP_FIRST};
	int64_t begin_ns = clock_monotonic_ns();
	int result =
		bench->storage->erase_user(bench->plugin.instance, &step, &erased, &bench->err);
	limit = retention_next_step(step.limit, clock_monotonic_ns() - begin_ns);
	bool over = result != 0 || value_as_bool(value_get(erased, "over"));
	if (over)
		bench->erased[0] = '\0';
	bench->steps[SS_PURGE_ERASURES] = over ? 0 : limit;
	return deleted(bench, done(bench, result, erased));
}

static int erase_user(struct bench *bench)
{
	return erase_step(bench, bench->user);
}

static int erase_busy(struct bench *bench)
{
	return erase_step(bench, "web_user");
}

/* Figures. */

static int read_analytics(struct bench *bench, int64_t days, int64_t step_s)
{
	struct ss_value *series = NULL;
	struct ss_analytics_range range = {
		.struct_size = sizeof range, .step_ns = step_s * 1000000000};
	range.from_ns = some_time(bench) / day_ns * day_ns;
	range.to_ns = range.from_ns + days * day_ns;
	int result = bench->storage->read_analytics(
		bench->plugin.instance, &range, &series, &bench->err);
	return done(bench, result, series);
}

static int read_year(struct bench *bench)
{
	return read_analytics(bench, 365, 86400);
}

static int read_week(struct bench *bench)
{
	return read_analytics(bench, 7, 3600);
}

static int list_unanswered(struct bench *bench, bool most_asked)
{
	struct ss_value *page = NULL;
	const struct ss_unanswered_filter filter = {.struct_size = sizeof filter,
		.most_asked = most_asked,
		.after = bench->after,
		.limit = PAGE};
	int result = bench->storage->list_unanswered(
		bench->plugin.instance, &filter, &page, &bench->err);
	return done(bench, result, page);
}

static int walk_newest(struct bench *bench)
{
	return list_unanswered(bench, false);
}

static int walk_most_asked(struct bench *bench)
{
	return list_unanswered(bench, true);
}

/* Journals. */

static int list_journals(struct bench *bench, struct ss_journal_filter filter)
{
	struct ss_value *journals = NULL;
	filter.struct_size = sizeof filter;
	filter.limit = PAGE;
	int result = bench->storage->list_journals(
		bench->plugin.instance, &filter, &journals, &bench->err);
	return done(bench, result, journals);
}

static int list_done(struct bench *bench)
{
	return list_journals(
		bench, (struct ss_journal_filter){.status = "done", .before = bench->turn});
}

static int list_failed(struct bench *bench)
{
	return list_journals(
		bench, (struct ss_journal_filter){.status = "failed", .before = bench->turn});
}

static int list_left(struct bench *bench)
{
	return list_journals(
		bench, (struct ss_journal_filter){.status = "running", .lease_over = true});
}

static int list_users_journals(struct bench *bench)
{
	return list_journals(bench, (struct ss_journal_filter){.user_id = bench->user});
}

static int list_busy_users_failed(struct bench *bench)
{
	return list_journals(
		bench, (struct ss_journal_filter){.user_id = "web_user", .status = "failed"});
}

static int read_journal(struct bench *bench)
{
	struct ss_value *journal = NULL;
	const struct ss_journal_key key = {.struct_size = sizeof key, .turn_id = bench->turn};
	int result =
		bench->storage->read_journal(bench->plugin.instance, &key, &journal, &bench->err);
	return deleted(bench, done(bench, result, journal));
}

/* Events and what is delivered of them. */

static int list_events(struct bench *bench, struct ss_event_filter filter)
{
	struct ss_value *page = NULL;
	filter.struct_size = sizeof filter;
	filter.limit = PAGE;
	int result =
		bench->storage->list_events(bench->plugin.instance, &filter, &page, &bench->err);
	return done(bench, result, page);
}

static int list_events_at(struct bench *bench)
{
	return list_events(bench, (struct ss_event_filter){.to_ns = some_time(bench)});
}

static int walk_oldest_events(struct bench *bench)
{
	return list_events(
		bench, (struct ss_event_filter){.oldest_first = true, .after = bench->after});
}

static int list_typed_events(struct bench *bench)
{
	return list_events(bench,
		(struct ss_event_filter){.type = "feedback.received", .to_ns = some_time(bench)});
}

static int list_busy_events(struct bench *bench)
{
	return list_events(bench, (struct ss_event_filter){.user_id = "web_user", .type = "never"});
}

static int walk_busy_oldest_events(struct bench *bench)
{
	return list_events(
		bench, (struct ss_event_filter){
			       .user_id = "web_user", .oldest_first = true, .after = bench->after});
}

static int list_oldest_events_of_no_type(struct bench *bench)
{
	return list_events(bench, (struct ss_event_filter){.type = "never", .oldest_first = true});
}

static int list_deliveries(struct bench *bench, struct ss_delivery_filter filter)
{
	struct ss_value *page = NULL;
	filter.struct_size = sizeof filter;
	filter.limit = PAGE;
	int result = bench->storage->list_deliveries(
		bench->plugin.instance, &filter, &page, &bench->err);
	return done(bench, result, page);
}

static int list_failed_deliveries(struct bench *bench)
{
	return list_deliveries(
		bench, (struct ss_delivery_filter){.status = "failed", .to_ns = some_time(bench)});
}

static int list_webhooks_failed(struct bench *bench)
{
	return list_deliveries(
		bench, (struct ss_delivery_filter){.webhook_id = "webhook-2", .status = "failed"});
}

static int count_deliveries(struct bench *bench)
{
	struct ss_value *counts = NULL;
	int result = bench->storage->delivery_counts(bench->plugin.instance, &counts, &bench->err);
	return done(bench, result, counts);
}

static int claim_deliveries(struct bench *bench)
{
	struct ss_value *claimed = NULL;
	const struct ss_delivery_claim claim = {
		.struct_size = sizeof claim, .owner = "bench", .lease_ns = day_ns, .limit = 10};
	int result = bench->storage->claim_deliveries(
		bench->plugin.instance, &claim, &claimed, &bench->err);
	return done(bench, result, claimed);
}

/* A step of what is old, of the size that a server takes. */
static int purge(struct bench *bench)
{
	enum ss_purged what = bench->what;
	size_t count = 0,
	       limit = bench->steps[what] > 0 ? bench->steps[what] : RETENTION_STEP_FIRST;
	const struct ss_purge step = {.struct_size = sizeof step,
		.what = what,
		.before_ns = bench->begin_ns + years_ns / 4,
		.limit = limit};
	int64_t begin_ns = clock_monotonic_ns();
	int result = bench->storage->purge(bench->plugin.instance, &step, &count, &bench->err);
	bench->steps[what] = retention_next_step(limit, clock_monotonic_ns() - begin_ns);
	return result;
}

/* Those that change what others look for come last. One that a plugin has not, at OFFSET, is left out. */
#define ASK(name, ask, operation)                                                                  \
	{                                                                                          \
		name, ask, offsetof(struct ss_storage_operations, operation), CALLS, 0             \
	}
#define PURGE(name, what)                                                                          \
	{                                                                                          \
		name, purge, offsetof(struct ss_storage_operations, purge), CALLS, what            \
	}
static const struct question {
	const char *name;
	int (*ask)(struct bench *bench);
	size_t offset;
	int calls;
	enum ss_purged what; /* of purge() */
} questions[] = {
	ASK("turn_context, a user of 5 of 100 conversations", busy_context, turn_context),
	ASK("turn_context, a user", usual_context, turn_context),
	ASK("turn_context, a new user", new_context, turn_context),
	{"commit_turns, one", store_turn, offsetof(struct ss_storage_operations, commit_turns),
		COMMITS, 0},
	ASK("stats", read_stats, stats),
	ASK("list_conversations, page after page", walk_all, list_conversations),
	ASK("list_conversations of a category, page after page", walk_category, list_conversations),
	ASK("list_conversations of the busy user, page after page", walk_busy, list_conversations),
	ASK("list_conversations, before a time", list_at, list_conversations),
	ASK("list_conversations of a user", list_user, list_conversations),
	ASK("list_conversations of the busy user", list_busy, list_conversations),
	ASK("list_conversations that wait for a human", list_status, list_conversations),
	ASK("list_conversations that are active", list_active, list_conversations),
	ASK("list_conversations of a category", list_category, list_conversations),
	ASK("list_conversations of a sentiment", list_sentiment, list_conversations),
	ASK("list_conversations of status, category and sentiment", list_three, list_conversations),
	ASK("list_conversations of the busy user, status, category", list_busy_three,
		list_conversations),
	ASK("list_conversations of category and sentiment", list_pair, list_conversations),
	ASK("list_conversations of category and sentiment, page after page", walk_pair,
		list_conversations),
	ASK("list_conversations that are active, of a sentiment that none has", list_active_never,
		list_conversations),
	ASK("list_conversations of a category, and a sentiment that none has", list_never,
		list_conversations),
	ASK("list_conversations of the busy user, and a category that none has", list_busy_never,
		list_conversations),
	ASK("read_conversation", read_conversation, read_conversation),
	ASK("list_messages", list_messages, list_messages),
	ASK("list_messages of a turn", read_turn, list_messages),
	ASK("list_users, page after page", walk_users, list_users),
	ASK("list_users, vip", list_vips, list_users),
	ASK("list_users, by a prefix", list_prefix, list_users),
	ASK("read_user", read_user, read_user),
	ASK("read_analytics, a year by days", read_year, read_analytics),
	ASK("read_analytics, a week by hours", read_week, read_analytics),
	ASK("list_unanswered, the newest", walk_newest, list_unanswered),
	ASK("list_unanswered, most asked", walk_most_asked, list_unanswered),
	ASK("list_journals, done", list_done, list_journals),
	ASK("list_journals, failed", list_failed, list_journals),
	ASK("list_journals, left by their owners", list_left, list_journals),
	ASK("list_journals of a user", list_users_journals, list_journals),
	ASK("list_journals of the busy user, failed", list_busy_users_failed, list_journals),
	ASK("read_journal", read_journal, read_journal),
	ASK("list_events, before a time", list_events_at, list_events),
	ASK("list_events, page after page", walk_oldest_events, list_events),
	ASK("list_events of a type", list_typed_events, list_events),
	ASK("list_events of the busy user, of no type", list_busy_events, list_events),
	ASK("list_events of the busy user, the oldest first, page after page",
		walk_busy_oldest_events, list_events),
	ASK("list_events, the oldest first, of no type", list_oldest_events_of_no_type,
		list_events),
	ASK("list_deliveries, failed", list_failed_deliveries, list_deliveries),
	ASK("list_deliveries of a webhook, failed", list_webhooks_failed, list_deliveries),
	ASK("delivery_counts", count_deliveries, delivery_counts),
	ASK("claim_deliveries, 10", claim_deliveries, claim_deliveries),
	ASK("change_conversation", resolve, change_conversation),
	ASK("delete_conversation", delete_conversation, delete_conversation),
	ASK("erase_user, a step", erase_user, erase_user),
	PURGE("purge, a step of conversations", SS_PURGE_CONVERSATIONS),
	PURGE("purge, a step of events", SS_PURGE_EVENTS),
	PURGE("purge, a step of deliveries", SS_PURGE_DELIVERIES),
	PURGE("purge, a step of journals", SS_PURGE_JOURNALS),
	PURGE("purge, a step of requests", SS_PURGE_REQUESTS),
	ASK("erase_user, a step of the busy user", erase_busy, erase_user),
};

static bool has(const struct bench *bench, size_t offset)
{
	void (*operation)(void);
	if (offset + sizeof operation > sizeof *bench->storage)
		return false;
	memcpy(&operation, (const char *)bench->storage + offset, sizeof operation);
	return operation != NULL;
}

static void note_slow(struct bench *bench, const char *name)
{
	char *all = memory_format("%s, %s (%s)", bench->slow != NULL ? bench->slow : "", name,
		bench->plugin.plugin->name);
	free(bench->slow);
	bench->slow = all;
}

static int measure(struct bench *bench, const struct question *question)
{
	int64_t times_ns[COMMITS];
	int count = question->calls;
	if (strstr(question->name, bench->only) == NULL)
		return 0;
	free(bench->after);
	bench->after = NULL;
	for (int i = 0; i < count; i++) {
		pick(bench);
		bench->err = (struct ss_error){.status = SS_OK};
		bench->what = question->what;
		int64_t begin_ns = clock_monotonic_ns();
		int result = question->ask(bench);
		times_ns[i] = clock_monotonic_ns() - begin_ns;
		if (result < 0)
			return -1;
	}
	times_sort(times_ns, (size_t)count);
	double p99 = times_ms(times_ns, (size_t)count, 0.99);
	(void)printf("%-58s %5d  %8.2f %8.2f %8.2f %8.2f%s\n", question->name, count,
		times_ms(times_ns, (size_t)count, 0.5), p99,
		times_ms(times_ns, (size_t)count, 0.999), times_ms(times_ns, (size_t)count, 1),
		p99 >= LIMIT_MS ? "  too slow" : "");
	(void)fflush(stdout);
	if (p99 >= LIMIT_MS)
		note_slow(bench, question->name);
	return 0;
}

static int ask_all(struct bench *bench)
{
	(void)printf(
		"%-58s calls  ms:  p50      p99    p99.9      max\n", bench->plugin.plugin->name);
	for (size_t i = 0; i < array_length(questions); i++) {
		if (has(bench, questions[i].offset) && measure(bench, &questions[i]) < 0)
			return -1;
	}
	free(bench->after);
	bench->after = NULL;
	return 0;
}

static void tell_log(const char *path)
{
	struct stat file = {.st_size = 0};
	char *log = memory_format("%s-wal", path);
	(void)stat(log, &file);
	free(log);
	(void)printf("  its write-ahead log has %.0f MiB\n", (double)file.st_size / 1048576);
}

/* Commits while somebody reads what is in SQLite's file PATH now, so that the log cannot begin anew, and afterwards. */
static int measure_log(struct bench *bench, const char *path)
{
	static const struct question commits[] = {
		{"commit_turns, one, while somebody goes on reading", store_turn, 0, COMMITS, 0},
		{"commit_turns, one, when nobody reads any more", store_turn, 0, COMMITS, 0}};
	static const char read[] = "BEGIN; SELECT count(*) FROM workflows";
	sqlite3 *reader = NULL;
	tell_log(path);
	if (sqlite3_open(path, &reader) != SQLITE_OK ||
		sqlite3_exec(reader, read, NULL, NULL, NULL) != SQLITE_OK)
		return ss_fail(&bench->err, "%s cannot be read", path);
	int result = measure(bench, &commits[0]);
	tell_log(path);
	(void)sqlite3_close(reader);
	if (result == 0)
		result = measure(bench, &commits[1]);
	tell_log(path);
	return result;
}

/* Runs history/NAME.sql with COMMAND, for so many conversations up to now. */
static int make_history(
	struct bench *bench, const char *name, const char *command, struct ss_error *err)
{
	int64_t begin_ns = clock_monotonic_ns();
	char *shell = memory_format(
		"{ echo \"CREATE TEMP TABLE size AS SELECT %lld AS conversations, %lld AS users,"
		" %lld AS now_us;\"; cat '" SS_SOURCE_DIR "/tests/bench/history/%s.sql'; } | %s",
		(long long)bench->conversations, (long long)(bench->conversations / USERS_EACH),
		(long long)((bench->begin_ns + years_ns) / 1000), name, command);
	int code = system(shell); /* NOLINT(cert-env33-c): what it runs is made here */
	free(shell);
	if (code != 0)
		return ss_fail(err, "the history cannot be made: %s ended with %d", command, code);
	(void)printf("%lld conversations in %.0f s\n\n", (long long)bench->conversations,
		(double)(clock_monotonic_ns() - begin_ns) / 1e9);
	return 0;
}

/* Opens NAME with OPTIONS, in YAML, makes the history with COMMAND unless that is NULL, and asks. FILE is SQLite's, or
 * NULL. */
static int run(struct bench *bench, const char *name, const char *options, const char *command,
	const char *file)
{
	char *path = memory_format(SS_BUILD_DIR "/plugins/storage/%s.so", name);
	/* Its schema must be there first; then it is opened as a server does it. */
	int result = bench_plugin_load(&bench->plugin, path, options, &bench->err);
	if (result == 0 && command != NULL) {
		bench_plugin_free(&bench->plugin);
		result = make_history(bench, name, command, &bench->err);
		if (result == 0)
			result = bench_plugin_load(&bench->plugin, path, options, &bench->err);
	}
	if (result == 0) {
		bench->storage = bench->plugin.plugin->storage;
		result = ask_all(bench);
		if (result == 0 && file != NULL)
			result = measure_log(bench, file);
		bench_plugin_free(&bench->plugin);
	}
	free(path);
	return result;
}

static int run_sqlite(struct bench *bench, const char *folder)
{
	char *path = memory_format("%s/history.db", folder);
	char *options = memory_format("path: '%s'\n", path);
	char *command = memory_format("sqlite3 -bail '%s'", path);
	int result = run(bench, "sqlite", options, access(path, F_OK) == 0 ? NULL : command, path);
	free(command);
	free(options);
	free(path);
	return result;
}

/* URL: one with a history; NULL: a new one. */
static int run_postgresql(struct bench *bench, const char *url)
{
	struct bench_postgres postgres;
	if (url == NULL && bench_postgres_start(&postgres, &bench->err) < 0)
		return -1;
	const char *place = url != NULL ? url : postgres.url;
	char *options = memory_format("url: '%s'\n", place);
	char *command = memory_format("psql -q -v ON_ERROR_STOP=1 '%s'", place);
	int result = run(bench, "postgresql", options, url != NULL ? NULL : command, NULL);
	free(command);
	free(options);
	if (url == NULL)
		bench_postgres_stop(&postgres);
	return result;
}

/* The last line: what was slow. */
static void sum_up(const struct bench *bench)
{
	if (bench->slow == NULL)
		(void)printf(
			"\nEach operation took less than %d ms for 99 of 100 calls.\n", LIMIT_MS);
	else
		(void)printf(
			"\n%d ms or more for one of 100 calls:%s\n", LIMIT_MS, bench->slow + 1);
}

int main(int count, char **arguments)
{
	struct bench bench = {.random = 20261126, .begin_ns = clock_utc_ns() - years_ns};
	const char *name = count > 1 ? arguments[1] : "both";
	const char *folder = count > 2 ? arguments[2] : ".";
	long long messages = count > 3 ? strtoll(arguments[3], NULL, 10) : 10000000;
	bool is_url = strncmp(name, "postgresql://", 13) == 0, is_both = strcmp(name, "both") == 0;
	bool is_sqlite = is_both || strcmp(name, "sqlite") == 0;
	bool is_postgresql = is_both || is_url || strcmp(name, "postgresql") == 0;
	bench.conversations = messages / MESSAGES_EACH;
	bench.only = count > 4 ? arguments[4] : "";
	if (count > 5 || bench.conversations < 100 || !(is_sqlite || is_postgresql)) {
		(void)fputs(help, stderr);
		return 2;
	}
	int result = is_sqlite ? run_sqlite(&bench, folder) : 0;
	if (result == 0 && is_postgresql)
		result = run_postgresql(&bench, is_url ? name : NULL);
	if (result < 0)
		(void)fprintf(stderr, "bench_history: %s\n", bench.err.text);
	else
		sum_up(&bench);
	free(bench.slow);
	return result < 0;
}
