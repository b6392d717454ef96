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
#include "value/value.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
	"Usage: bench_history STORAGE [FOLDER [MESSAGES]]\n\n"
	"Makes MESSAGES (10000000) in a new STORAGE, sqlite or postgresql, and asks for them.\n"
	"SQLite's file is FOLDER/history.db (in .): one that is there is asked as it is, and none "
	"is\n"
	"removed. PostgreSQL is started for it, below /tmp, and gone at the end. Ten million "
	"messages\n"
	"take 10 GB.\n";

enum { CALLS = 1000, ID_TEXT_SIZE = 64, PAGE = 50, MESSAGES_EACH = 10, USERS_EACH = 5 };

static const int64_t day_ns = 86400 * (int64_t)1000000000, years_ns = 730 * day_ns;

struct bench {
	struct bench_plugin plugin;
	const struct ss_storage_operations *storage;
	int64_t conversations, begin_ns; /* of the history */
	uint64_t random;
	char user[ID_TEXT_SIZE], conversation[ID_TEXT_SIZE], turn[ID_TEXT_SIZE];
	char *after; /* where a walk goes on; NULL: at the beginning */
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

static int erase_user(struct bench *bench)
{
	struct ss_value *erased = NULL;
	int result = bench->storage->erase_user(
		bench->plugin.instance, bench->user, &erased, &bench->err);
	return deleted(bench, done(bench, result, erased));
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
static int purge(struct bench *bench, enum ss_purged what)
{
	size_t count = 0;
	const struct ss_purge step = {.struct_size = sizeof step,
		.what = what,
		.before_ns = bench->begin_ns + years_ns / 4,
		.limit = 20};
	return bench->storage->purge(bench->plugin.instance, &step, &count, &bench->err);
}

static int purge_conversations(struct bench *bench)
{
	return purge(bench, SS_PURGE_CONVERSATIONS);
}

static int purge_events(struct bench *bench)
{
	return purge(bench, SS_PURGE_EVENTS);
}

static int purge_deliveries(struct bench *bench)
{
	return purge(bench, SS_PURGE_DELIVERIES);
}

static int purge_journals(struct bench *bench)
{
	return purge(bench, SS_PURGE_JOURNALS);
}

static int purge_requests(struct bench *bench)
{
	return purge(bench, SS_PURGE_REQUESTS);
}

/* Those that change what others look for come last. Where a plugin has not the operation, which is at OFFSET, it is left
 * out. */
#define OPERATION(name) offsetof(struct ss_storage_operations, name)
static const struct question {
	const char *name;
	int (*ask)(struct bench *bench);
	size_t offset;
	int calls;
} questions[] = {
	{"turn_context, a user of 5 of 100 conversations", busy_context, OPERATION(turn_context),
		CALLS},
	{"turn_context, a user", usual_context, OPERATION(turn_context), CALLS},
	{"turn_context, a new user", new_context, OPERATION(turn_context), CALLS},
	{"commit_turns, one", store_turn, OPERATION(commit_turns), CALLS},
	{"stats", read_stats, OPERATION(stats), CALLS},
	{"list_conversations, page after page", walk_all, OPERATION(list_conversations), CALLS},
	{"... of a category", walk_category, OPERATION(list_conversations), CALLS},
	{"... of the busy user", walk_busy, OPERATION(list_conversations), CALLS},
	{"list_conversations, before a time", list_at, OPERATION(list_conversations), CALLS},
	{"... of a user", list_user, OPERATION(list_conversations), CALLS},
	{"... of the busy user", list_busy, OPERATION(list_conversations), CALLS},
	{"... that wait for a human", list_status, OPERATION(list_conversations), CALLS},
	{"... that are active", list_active, OPERATION(list_conversations), CALLS},
	{"... of a category", list_category, OPERATION(list_conversations), CALLS},
	{"... of a sentiment", list_sentiment, OPERATION(list_conversations), CALLS},
	{"... of status, category and sentiment", list_three, OPERATION(list_conversations), CALLS},
	{"... of the busy user, status, category", list_busy_three, OPERATION(list_conversations),
		CALLS},
	{"... of a category, and a sentiment that none has", list_never,
		OPERATION(list_conversations), 100},
	{"... of the busy user, and a category that none has", list_busy_never,
		OPERATION(list_conversations), 100},
	{"read_conversation", read_conversation, OPERATION(read_conversation), CALLS},
	{"list_messages", list_messages, OPERATION(list_messages), CALLS},
	{"list_messages of a turn", read_turn, OPERATION(list_messages), CALLS},
	{"list_users, page after page", walk_users, OPERATION(list_users), CALLS},
	{"list_users, vip", list_vips, OPERATION(list_users), CALLS},
	{"list_users, by a prefix", list_prefix, OPERATION(list_users), CALLS},
	{"read_user", read_user, OPERATION(read_user), CALLS},
	{"read_analytics, a year by days", read_year, OPERATION(read_analytics), 100},
	{"read_analytics, a week by hours", read_week, OPERATION(read_analytics), CALLS},
	{"list_unanswered, the newest", walk_newest, OPERATION(list_unanswered), CALLS},
	{"list_unanswered, most asked", walk_most_asked, OPERATION(list_unanswered), CALLS},
	{"list_journals, done", list_done, OPERATION(list_journals), CALLS},
	{"list_journals, failed", list_failed, OPERATION(list_journals), CALLS},
	{"list_journals, left by their owners", list_left, OPERATION(list_journals), CALLS},
	{"list_journals of a user", list_users_journals, OPERATION(list_journals), CALLS},
	{"list_journals of the busy user, failed", list_busy_users_failed, OPERATION(list_journals),
		100},
	{"read_journal", read_journal, OPERATION(read_journal), CALLS},
	{"list_events, before a time", list_events_at, OPERATION(list_events), CALLS},
	{"list_events, page after page", walk_oldest_events, OPERATION(list_events), CALLS},
	{"list_events of a type", list_typed_events, OPERATION(list_events), CALLS},
	{"list_events of the busy user, of no type", list_busy_events, OPERATION(list_events), 100},
	{"list_deliveries, failed", list_failed_deliveries, OPERATION(list_deliveries), CALLS},
	{"list_deliveries of a webhook, failed", list_webhooks_failed, OPERATION(list_deliveries),
		CALLS},
	{"delivery_counts", count_deliveries, OPERATION(delivery_counts), CALLS},
	{"claim_deliveries, 10", claim_deliveries, OPERATION(claim_deliveries), 100},
	{"change_conversation", resolve, OPERATION(change_conversation), CALLS},
	{"delete_conversation", delete_conversation, OPERATION(delete_conversation), CALLS},
	{"erase_user", erase_user, OPERATION(erase_user), 100},
	{"purge, 20 conversations", purge_conversations, OPERATION(purge), 200},
	{"purge, 20 events", purge_events, OPERATION(purge), 200},
	{"purge, 20 deliveries", purge_deliveries, OPERATION(purge), 200},
	{"purge, 20 journals", purge_journals, OPERATION(purge), 200},
	{"purge, 20 requests", purge_requests, OPERATION(purge), 200},
};

static bool has(const struct bench *bench, size_t offset)
{
	void (*operation)(void);
	if (offset + sizeof operation > sizeof *bench->storage)
		return false;
	memcpy(&operation, (const char *)bench->storage + offset, sizeof operation);
	return operation != NULL;
}

static int compare_times(const void *a, const void *b)
{
	int64_t first = *(const int64_t *)a, second = *(const int64_t *)b;
	return (first > second) - (first < second);
}

static int measure(struct bench *bench, const struct question *question)
{
	int64_t times_ns[CALLS];
	free(bench->after);
	bench->after = NULL;
	for (int i = 0; i < question->calls; i++) {
		pick(bench);
		bench->err = (struct ss_error){.status = SS_OK};
		int64_t begin_ns = clock_monotonic_ns();
		int result = question->ask(bench);
		times_ns[i] = clock_monotonic_ns() - begin_ns;
		if (result < 0)
			return -1;
	}
	qsort(times_ns, (size_t)question->calls, sizeof *times_ns, compare_times);
	double p99 = (double)times_ns[question->calls * 99 / 100] / 1e6;
	(void)printf("%-50s %6d  %8.2f  %8.2f  %8.2f%s\n", question->name, question->calls,
		(double)times_ns[question->calls / 2] / 1e6, p99,
		(double)times_ns[question->calls - 1] / 1e6, p99 >= 50 ? "  too slow" : "");
	(void)fflush(stdout);
	return 0;
}

static int ask_all(struct bench *bench)
{
	(void)printf("%-50s  calls  ms: p50       p99       max\n", "operation");
	for (size_t i = 0; i < array_length(questions); i++) {
		if (has(bench, questions[i].offset) && measure(bench, &questions[i]) < 0)
			return -1;
	}
	free(bench->after);
	return 0;
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

/* Opens NAME with OPTIONS, in YAML, makes the history with COMMAND unless that is NULL, and asks. */
static int run(struct bench *bench, const char *name, const char *options, const char *command)
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
	int result = run(bench, "sqlite", options, access(path, F_OK) == 0 ? NULL : command);
	free(command);
	free(options);
	free(path);
	return result;
}

static int run_postgresql(struct bench *bench)
{
	struct bench_postgres postgres;
	if (bench_postgres_start(&postgres, &bench->err) < 0)
		return -1;
	char *options = memory_format("url: '%s'\n", postgres.url);
	char *command = memory_format("psql -q -v ON_ERROR_STOP=1 '%s'", postgres.url);
	int result = run(bench, "postgresql", options, command);
	free(command);
	free(options);
	bench_postgres_stop(&postgres);
	return result;
}

int main(int count, char **arguments)
{
	struct bench bench = {.random = 20261126, .begin_ns = clock_utc_ns() - years_ns};
	const char *name = count > 1 ? arguments[1] : "";
	long long messages = count > 3 ? strtoll(arguments[3], NULL, 10) : 10000000;
	bool is_sqlite = strcmp(name, "sqlite") == 0;
	bench.conversations = messages / MESSAGES_EACH;
	if (count > 4 || bench.conversations < 100 ||
		(!is_sqlite && strcmp(name, "postgresql") != 0)) {
		(void)fputs(help, stderr);
		return 2;
	}
	int result = is_sqlite ? run_sqlite(&bench, count > 2 ? arguments[2] : ".")
			       : run_postgresql(&bench);
	if (result < 0)
		(void)fprintf(stderr, "bench_history: %s\n", bench.err.text);
	return result < 0;
}
