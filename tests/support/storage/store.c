#include "support/storage/store.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILD_FAILED = 99 };

static struct buffer lines;
static bool in_child;

void store_must(bool holds, const char *format, ...)
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
	store_must(child >= 0, "fork() failed");
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

const struct ss_host store_host = {
	.struct_size = sizeof(struct ss_host),
	.values = &value_functions,
	.log = host_log,
};

void store_end_log(void)
{
	buffer_free(&lines);
}

const char *store_log(void)
{
	return buffer_text(&lines);
}

void *store_open(void)
{
	struct ss_error err = {.status = SS_OK};
	void *store = store_try(&(struct store_options){.path = NULL}, &err);
	store_must(store != NULL, "%s", err.text);
	return store;
}

void store_close(void *store)
{
	smartsupport_plugin.storage->destroy(store);
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
	store_must(result == 0 || err->status != SS_OK, "a failure without an error");
	return err->status == SS_OK ? 0 : -1;
}

void store_add(void *store, struct ss_turn turn)
{
	struct ss_error err;
	store_must(store_commit(store, &turn, &err) == 0, "%s", err.text);
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
	store_must(result == 0, "%s", err.text);
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
	store_must(seen->count < array_length(seen->items), "too many vectors");
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
	store_must(result == 0, "%s", err.text);
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
	store_must(result == 0, "%s", err.text);
	char *json = json_text(stats);
	value_unref(stats);
	return json;
}

int64_t store_number(const char *sql)
{
	char *text = store_text(sql);
	int64_t number = strtoll(text, NULL, 10);
	free(text);
	return number;
}

void store_check_figures(void)
{
	static const char *const all_agree =
		"SELECT CASE WHEN (SELECT count(*) FROM messages WHERE role = 'assistant') ="
		" (SELECT coalesce(sum(queries), 0) FROM analytics)"
		" AND (SELECT coalesce(sum(escalated), 0) FROM messages) ="
		" (SELECT coalesce(sum(escalated), 0) FROM analytics)"
		" AND (SELECT coalesce(sum(duration_ns), 0) FROM messages) ="
		" (SELECT coalesce(sum(response_time_ns), 0) FROM analytics)"
		" AND NOT EXISTS (SELECT category, sentiment, sum(queries), sum(escalated),"
		" sum(response_time_ns) FROM analytics GROUP BY category, sentiment"
		" HAVING sum(queries) > 0"
		" EXCEPT SELECT category, sentiment, sum(queries), sum(escalated),"
		" sum(response_time_ns) FROM analytics_totals GROUP BY category, sentiment)"
		" AND NOT EXISTS (SELECT id FROM conversations WHERE message_count <>"
		" (SELECT count(*) FROM messages WHERE conversation_id = conversations.id))"
		" AND NOT EXISTS (SELECT conversation_id FROM messages GROUP BY conversation_id"
		" HAVING min(seq) <> 1 OR max(seq) <> count(*)) THEN 1 ELSE 0 END";
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
