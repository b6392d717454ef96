#include "store.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FILES_LIMIT = 16, CHILD_FAILED = 99 };

static char folder[] = "/tmp/smartsupport-sqlite-XXXXXX";
static char *files[FILES_LIMIT];
static struct buffer lines;
static bool in_child;

/* Ends the test when HOLDS is false; a child, which has no part in Criterion's protocol, ends itself. */
__attribute__((format(printf, 2, 3))) static void must(bool holds, const char *format, ...)
{
	va_list arguments;
	char text[600];
	if (holds)
		return;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	cr_assert(in_child, "%s", text);
	(void)fprintf(stderr, "child process: %s\n", text);
	_exit(CHILD_FAILED);
}

pid_t store_fork(void)
{
	pid_t child = fork();
	must(child >= 0, "fork() failed");
	if (child == 0) {
		in_child = true;
		/* It never outlives the test. */
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	}
	return child;
}

__attribute__((format(printf, 3, 4))) static void host_log(
	const struct ss_host *host, enum ss_log_level level, const char *format, ...)
{
	va_list arguments;
	(void)host;
	(void)level;
	va_start(arguments, format);
	buffer_add_arguments(&lines, format, arguments);
	va_end(arguments);
	buffer_add_char(&lines, '\n');
}

static const struct ss_host host = {
	.struct_size = sizeof(struct ss_host),
	.values = &value_functions,
	.log = host_log,
};

void store_begin(void)
{
	cr_assert_not_null(mkdtemp(folder));
}

static int remove_file(const char *path, const struct stat *status, int type, struct FTW *position)
{
	(void)status;
	(void)type;
	(void)position;
	return remove(path);
}

void store_end(void)
{
	(void)nftw(folder, remove_file, 8, FTW_DEPTH | FTW_PHYS);
	for (size_t i = 0; i < FILES_LIMIT; i++)
		free(files[i]);
	buffer_free(&lines);
}

const char *store_file(const char *name)
{
	char *path = memory_format("%s/%s", folder, name);
	for (size_t i = 0; i < FILES_LIMIT; i++) {
		if (files[i] == NULL)
			return files[i] = path;
		if (strcmp(files[i], path) == 0) {
			free(path);
			return files[i];
		}
	}
	must(false, "more than %d files", FILES_LIMIT);
	return NULL;
}

const char *store_path(void)
{
	return store_file("store.db");
}

const char *store_log(void)
{
	return buffer_text(&lines);
}

void *store_try(const struct store_options *options, struct ss_error *err)
{
	struct ss_value *values[] = {
		value_text(options->path != NULL ? options->path : store_path()),
		value_text(options->synchronous != NULL ? options->synchronous : "full"),
		value_number(options->busy_timeout_s > 0 ? options->busy_timeout_s : 5),
		value_number(options->active_window_s > 0 ? options->active_window_s : 86400),
	};
	const struct ss_setup setup = {
		.struct_size = sizeof setup,
		.host = &host,
		.name = "sqlite",
		.options = (const struct ss_value *const *)values,
	};
	void *store = NULL;
	int result = smartsupport_plugin.storage->create(&setup, &store, err);
	for (size_t i = 0; i < array_length(values); i++)
		value_unref(values[i]);
	return result == 0 ? store : NULL;
}

void *store_open(void)
{
	struct ss_error err = {.status = SS_OK};
	void *store = store_try(&(struct store_options){.path = NULL}, &err);
	must(store != NULL, "%s", err.text);
	return store;
}

void store_close(void *store)
{
	smartsupport_plugin.storage->destroy(store);
}

void store_refused(const char *path, enum ss_status status, const char *words)
{
	struct ss_error err = {.status = SS_OK};
	void *store = store_try(&(struct store_options){.path = path}, &err);
	cr_assert_null(store, "%s was opened", path);
	cr_expect_eq(err.status, status, "%d: %s", (int)err.status, err.text);
	cr_expect_not_null(strstr(err.text, words), "%s", err.text);
	cr_expect_not_null(strstr(err.text, path), "%s", err.text);
}

struct ss_turn store_turn(const char *turn_id, const char *conversation)
{
	return (struct ss_turn){
		.struct_size = sizeof(struct ss_turn),
		.turn_id = turn_id,
		.conversation_id = conversation,
		.user_id = "ann",
		.message = {"Where is my invoice?", 20},
		.response = {"Under Settings.", 15},
		.category = "Billing",
		.sentiment = "Neutral",
		.priority = 5,
		.attempts = 1,
		.answered_by = "billing",
		.asked_at_ns = 1767225600123456789, /* 2026-01-01 */
		.answered_at_ns = 1767225600223456789,
		.duration_ns = 100000000,
		.metadata = "{\"kb_results\":[]}",
	};
}

struct ss_turn store_first_turn(const char *turn_id, const char *conversation)
{
	struct ss_turn turn = store_turn(turn_id, conversation);
	turn.new_conversation = true;
	return turn;
}

int store_commit(void *store, const struct ss_turn *turn, struct ss_error *err)
{
	*err = (struct ss_error){.status = SS_OK};
	int result = smartsupport_plugin.storage->commit_turns(store, turn, 1, err);
	must(result == 0 || err->status != SS_OK, "a failure without an error");
	return err->status == SS_OK ? 0 : -1;
}

void store_add(void *store, struct ss_turn turn)
{
	struct ss_error err;
	must(store_commit(store, &turn, &err) == 0, "%s", err.text);
}

char *store_context(void *store, const char *user, const char *conversation, size_t limit)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *context = NULL;
	const struct ss_turn_key key = {
		.struct_size = sizeof key,
		.user_id = user,
		.conversation_id = conversation,
		.history_limit = limit,
	};
	if (smartsupport_plugin.storage->turn_context(store, &key, &context, &err) < 0)
		return memory_string(err.text);
	char *json = json_text(context);
	value_unref(context);
	return json;
}

/* The contents of the LIST of messages in the context for KEY, joined by "|". */
static char *contents(void *store, const struct ss_turn_key *key, const char *list)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *context = NULL;
	struct buffer joined = {0};
	int result = smartsupport_plugin.storage->turn_context(store, key, &context, &err);
	must(result == 0, "%s", err.text);
	const struct ss_value *messages = value_get(context, list);
	for (size_t i = 0; i < value_count(messages); i++) {
		struct ss_text text = value_as_text(value_get(value_at(messages, i), "content"));
		if (i > 0)
			buffer_add_char(&joined, '|');
		buffer_add(&joined, text.data, text.length);
	}
	value_unref(context);
	return buffer_take(&joined);
}

char *store_recent(void *store, const char *user, const char *conversation, size_t limit)
{
	const struct ss_turn_key key = {
		.struct_size = sizeof key,
		.user_id = user,
		.conversation_id = conversation,
		.recent_limit = limit,
	};
	return contents(store, &key, "recent");
}

char *store_history(void *store, const char *conversation, size_t limit)
{
	const struct ss_turn_key key = {
		.struct_size = sizeof key,
		.user_id = "ann",
		.conversation_id = conversation,
		.history_limit = limit,
	};
	return contents(store, &key, "history");
}

/* Vectors as they come; those of tests are texts. */
struct seen_vectors {
	char *items[64];
	size_t count;
};

static void on_vector(void *context, struct ss_text message, struct ss_bytes vector)
{
	struct seen_vectors *seen = context;
	must(seen->count < array_length(seen->items), "too many vectors");
	seen->items[seen->count++] = memory_format("%.*s=%.*s", (int)message.length, message.data,
		(int)vector.length, (const char *)vector.data);
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char *store_vectors(void *store, const char *conversation, size_t limit, const char *embedder)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *context = NULL;
	struct buffer joined = {0};
	struct seen_vectors seen = {.count = 0};
	const struct ss_turn_key key = {
		.struct_size = sizeof key,
		.user_id = "ann",
		.conversation_id = conversation,
		.history_limit = limit,
		.recent_limit = limit,
		.embedder = embedder,
		.vector_read = on_vector,
		.vector_context = &seen,
	};
	int result = smartsupport_plugin.storage->turn_context(store, &key, &context, &err);
	must(result == 0, "%s", err.text);
	value_unref(context);
	qsort(seen.items, seen.count, sizeof *seen.items, compare_texts);
	for (size_t i = 0; i < seen.count; i++) {
		buffer_add_format(&joined, "%s%s", i > 0 ? "|" : "", seen.items[i]);
		free(seen.items[i]);
	}
	return buffer_take(&joined);
}

char *store_stats(void *store)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *stats = NULL;
	int result = smartsupport_plugin.storage->stats(store, &stats, &err);
	must(result == 0, "%s", err.text);
	char *json = json_text(stats);
	value_unref(stats);
	return json;
}

static sqlite3 *raw_open(void)
{
	sqlite3 *handle = NULL;
	cr_assert_eq(sqlite3_open(store_path(), &handle), SQLITE_OK);
	(void)sqlite3_busy_timeout(handle, 30000);
	return handle;
}

char *store_text(const char *sql)
{
	sqlite3 *handle = raw_open();
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(handle, sql, -1, &statement, NULL);
	cr_assert_eq(code, SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(handle));
	code = sqlite3_step(statement);
	cr_assert_eq(code, SQLITE_ROW, "%s: %s", sql, sqlite3_errmsg(handle));
	const char *text = (const char *)sqlite3_column_text(statement, 0);
	char *copy = memory_string(text != NULL ? text : "");
	(void)sqlite3_finalize(statement);
	(void)sqlite3_close(handle);
	return copy;
}

int64_t store_number(const char *sql)
{
	char *text = store_text(sql);
	int64_t number = strtoll(text, NULL, 10);
	free(text);
	return number;
}

void store_execute(const char *sql)
{
	sqlite3 *handle = raw_open();
	int code = sqlite3_exec(handle, sql, NULL, NULL, NULL);
	cr_assert_eq(code, SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(handle));
	(void)sqlite3_close(handle);
}

void store_check(void)
{
	static const char *const all_agree =
		"SELECT (SELECT count(*) FROM messages WHERE role = 'assistant') ="
		" (SELECT coalesce(sum(queries), 0) FROM analytics)"
		" AND (SELECT coalesce(sum(escalated), 0) FROM messages) ="
		" (SELECT coalesce(sum(escalated), 0) FROM analytics)"
		" AND (SELECT coalesce(sum(duration_ns), 0) FROM messages) ="
		" (SELECT coalesce(sum(response_time_ns), 0) FROM analytics)"
		" AND NOT EXISTS (SELECT category, sentiment, sum(queries), sum(escalated),"
		" sum(response_time_ns) FROM analytics GROUP BY category, sentiment"
		" EXCEPT SELECT * FROM analytics_totals)"
		" AND NOT EXISTS (SELECT id FROM conversations WHERE message_count <>"
		" (SELECT count(*) FROM messages WHERE conversation_id = conversations.id))"
		" AND NOT EXISTS (SELECT conversation_id FROM messages GROUP BY conversation_id"
		" HAVING min(seq) <> 1 OR max(seq) <> count(*))";
	char *integrity = store_text("PRAGMA integrity_check");
	cr_expect_str_eq(integrity, "ok");
	free(integrity);
	cr_expect_eq(store_number("SELECT count(*) FROM pragma_foreign_key_check"), 0);
	cr_expect_eq(store_number(all_agree), 1, "figures and messages do not agree");
}

int store_child(store_work *work, const void *argument, char *report, size_t size)
{
	int ends[2];
	int status = 0;
	size_t length = 0;
	cr_assert_eq(pipe(ends), 0);
	pid_t child = store_fork();
	if (child == 0) {
		(void)close(ends[0]);
		_exit(work(ends[1], argument));
	}
	(void)close(ends[1]);
	for (ssize_t got = 1; got > 0 && length + 1 < size; length += (size_t)got) {
		got = read(ends[0], report + length, size - 1 - length);
		got = got < 0 ? 0 : got;
	}
	report[length] = '\0';
	(void)close(ends[0]);
	cr_assert_eq(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}
