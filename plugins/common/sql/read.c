/* Reading: what a turn needs to know, and the totals. */
#include "common/sql/operations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Messages of other conversations; so many conversations are looked at as well. */
enum { RECENT_LIMIT = 1000 };

struct ss_value *database_time(const struct database *db, int64_t at_us)
{
	time_t seconds = (time_t)(at_us / 1000000);
	struct tm parts;
	char day[40] = "";
	char text[64];
	if (gmtime_r(&seconds, &parts) != NULL)
		(void)strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &parts);
	int length = snprintf(text, sizeof text, "%s.%06dZ", day, (int)(at_us % 1000000));
	return database_values(db)->string(text, (size_t)length);
}

static struct ss_value *string_value(const struct ss_value_functions *values, const char *string)
{
	return values->string(string, strlen(string));
}

/* A copy of the text in COLUMN; NULL and ERR when there is no memory for it. */
static struct ss_value *text_value(const struct cursor *cursor, int column, struct ss_error *err)
{
	struct ss_text text = cursor_text(cursor, column);
	if (text.data == NULL) {
		(void)database_fail_memory(cursor->db, err);
		return NULL;
	}
	return database_values(cursor->db)->string(text.data, text.length);
}

/* *USER is a new map {id, name, vip}. */
static int read_user(
	struct database *db, const char *user_id, struct ss_value **user, struct ss_error *err)
{
	static const char *const keys[] = {"id", "vip", "name"};
	struct cursor cursor = cursor_begin(db, STATEMENT_FIND_USER);
	cursor_bind_string(&cursor, user_id);
	struct ss_value *name = NULL;
	bool vip = false;
	int result = cursor_next(&cursor, err);
	if (result == 1) {
		vip = cursor_int(&cursor, 1) != 0;
		bool named = !cursor_is_null(&cursor, 0);
		if (named && (name = text_value(&cursor, 0, err)) == NULL)
			result = -1;
	}
	cursor_end(&cursor);
	if (result < 0)
		return -1;
	struct ss_value *entries[] = {string_value(database_values(db), user_id),
		database_values(db)->boolean(vip), name};
	*user = database_values(db)->map(keys, entries, name != NULL ? 3 : 2);
	return 0;
}

/* Messages as they come, newest first. */
struct messages {
	struct ss_value **items;
	size_t count;
	size_t capacity;
};

static int messages_add(
	struct messages *messages, const struct cursor *cursor, struct ss_error *err)
{
	static const char *const keys[] = {"role", "content", "at"};
	const struct ss_value_functions *values = database_values(cursor->db);
	if (messages->count == messages->capacity) {
		size_t capacity = messages->capacity > 0 ? messages->capacity * 2 : 16;
		struct ss_value **items =
			reallocarray(messages->items, capacity, sizeof(struct ss_value *));
		if (items == NULL)
			return database_fail_memory(cursor->db, err);
		messages->items = items;
		messages->capacity = capacity;
	}
	struct ss_value *role = text_value(cursor, 0, err);
	struct ss_value *content = role != NULL ? text_value(cursor, 1, err) : NULL;
	if (content == NULL) {
		values->unref(role);
		return -1;
	}
	struct ss_value *entries[] = {
		role, content, database_time(cursor->db, cursor_int(cursor, 2))};
	messages->items[messages->count++] = values->map(keys, entries, 3);
	return 0;
}

static void messages_reverse(struct messages *messages)
{
	for (size_t i = 0; i < messages->count / 2; i++) {
		struct ss_value *item = messages->items[i];
		messages->items[i] = messages->items[messages->count - 1 - i];
		messages->items[messages->count - 1 - i] = item;
	}
}

/* Hands on the vector of CURSOR's message, if it has one that KEY asks for. */
static void hand_on_vector(const struct cursor *cursor, const struct ss_turn_key *key)
{
	struct ss_bytes vector = cursor_bytes(cursor, 3);
	if (vector.data != NULL && key->vector_read != NULL)
		key->vector_read(key->vector_context, cursor_text(cursor, 1), vector);
}

/* *LIST is a new list of the messages that CURSOR, which this ends, gives newest first; oldest first. */
static int read_messages(struct cursor *cursor, const struct ss_turn_key *key,
	struct ss_value **list, struct ss_error *err)
{
	const struct ss_value_functions *values = database_values(cursor->db);
	struct messages messages = {0};
	int result;
	while ((result = cursor_next(cursor, err)) == 1) {
		result = messages_add(&messages, cursor, err);
		if (result < 0)
			break;
		hand_on_vector(cursor, key);
	}
	cursor_end(cursor);
	messages_reverse(&messages);
	if (result == 0)
		*list = values->list(messages.items, messages.count);
	for (size_t i = 0; result < 0 && i < messages.count; i++)
		values->unref(messages.items[i]);
	free(messages.items);
	return result;
}

/* *ID is the new id of the conversation that has the key's thread; NULL when none has it. */
static int find_thread(struct database *db, const struct ss_turn_key *key, struct ss_value **id,
	struct ss_error *err)
{
	if (key->conversation_id != NULL || key->thread == NULL)
		return 0;
	struct cursor cursor = cursor_begin(db, STATEMENT_FIND_THREAD);
	cursor_bind_string(&cursor, key->thread);
	cursor_bind_string(&cursor, key->user_id);
	int result = cursor_next(&cursor, err);
	if (result == 1)
		*id = text_value(&cursor, 0, err);
	cursor_end(&cursor);
	return result < 0 || (result == 1 && *id == NULL) ? -1 : 0;
}

/* *STATUS is the new status of the key's conversation, which is the user's. */
static int read_status(struct database *db, const struct ss_turn_key *key, struct ss_value **status,
	struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, STATEMENT_FIND_CONVERSATION);
	cursor_bind_string(&cursor, key->conversation_id);
	cursor_bind_string(&cursor, key->user_id);
	int found = cursor_next(&cursor, err);
	if (found == 1)
		*status = text_value(&cursor, 0, err);
	cursor_end(&cursor);
	if (found == 0)
		return database_fail_conversation(key->conversation_id, err);
	return *status != NULL ? 0 : -1;
}

/* *HISTORY is a new list of the last messages of the conversation, which has *STATUS. */
static int read_history(struct database *db, const struct ss_turn_key *key,
	struct ss_value **history, struct ss_value **status, struct ss_error *err)
{
	if (key->conversation_id == NULL) {
		*history = database_values(db)->list(NULL, 0);
		return 0;
	}
	if (read_status(db, key, status, err) < 0)
		return -1;
	struct cursor cursor = cursor_begin(db, STATEMENT_READ_HISTORY);
	cursor_bind_string(&cursor, key->conversation_id);
	cursor_bind_int(
		&cursor, key->history_limit < INT64_MAX ? (int64_t)key->history_limit : INT64_MAX);
	cursor_bind_string(&cursor, key->embedder);
	return read_messages(&cursor, key, history, err);
}

/* *RECENT is a new list of the user's last messages in other conversations. */
static int read_recent(struct database *db, const struct ss_turn_key *key, struct ss_value **recent,
	struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, STATEMENT_READ_RECENT);
	cursor_bind_string(&cursor, key->user_id);
	cursor_bind_string(&cursor, key->conversation_id);
	cursor_bind_int(&cursor,
		key->recent_limit < RECENT_LIMIT ? (int64_t)key->recent_limit : RECENT_LIMIT);
	cursor_bind_string(&cursor, key->embedder);
	return read_messages(&cursor, key, recent, err);
}

/* What a turn needs to know; NULL where there is nothing. */
struct context {
	struct ss_value *user;
	struct ss_value *history;
	struct ss_value *recent;
	struct ss_value *conversation_id;
	struct ss_value *status;
};

/* PARTS (taken) as a new map. */
static struct ss_value *context_value(
	const struct ss_value_functions *values, const struct context *parts)
{
	enum { PARTS = 5 };
	static const char *const names[PARTS] = {
		"user", "history", "recent", "conversation_id", "status"};
	struct ss_value *const all[PARTS] = {
		parts->user, parts->history, parts->recent, parts->conversation_id, parts->status};
	const char *keys[PARTS];
	struct ss_value *entries[PARTS];
	size_t count = 0;
	for (size_t i = 0; i < PARTS; i++) {
		if (all[i] == NULL)
			continue;
		keys[count] = names[i];
		entries[count++] = all[i];
	}
	return values->map(keys, entries, count);
}

static int read_context(
	struct database *db, const void *question, void *answer, struct ss_error *err)
{
	const struct ss_turn_key *key = question;
	struct ss_value **context = answer;
	struct ss_turn_key found = *key;
	struct context parts = {0};
	if (database_begin(db, STATEMENT_BEGIN_READ, err) < 0)
		return -1;
	if (find_thread(db, key, &parts.conversation_id, err) < 0)
		goto fail;
	if (parts.conversation_id != NULL)
		found.conversation_id = database_values(db)->as_string(parts.conversation_id, NULL);
	if (read_user(db, key->user_id, &parts.user, err) < 0 ||
		read_history(db, &found, &parts.history, &parts.status, err) < 0)
		goto fail;
	if (key->recent_limit > 0 && read_recent(db, &found, &parts.recent, err) < 0)
		goto fail;
	if (statement_run(db, STATEMENT_COMMIT, err) < 0)
		goto fail;
	*context = context_value(database_values(db), &parts);
	return 0;
fail:
	database_rollback(db);
	database_values(db)->unref(parts.user);
	database_values(db)->unref(parts.history);
	database_values(db)->unref(parts.recent);
	database_values(db)->unref(parts.conversation_id);
	database_values(db)->unref(parts.status);
	return -1;
}

int database_turn_context(void *instance, const struct ss_turn_key *key, struct ss_value **context,
	struct ss_error *err)
{
	return database_try(instance, read_context, key, context, err);
}

/* The JSON in COLUMN as a new value. */
static struct ss_value *json_value(const struct cursor *cursor, int column, struct ss_error *err)
{
	struct ss_text text = cursor_text(cursor, column);
	if (text.data == NULL) {
		(void)database_fail_memory(cursor->db, err);
		return NULL;
	}
	return database_values(cursor->db)->from_json(text.data, text.length, err);
}

/* The row of STATEMENT_READ_STATS as a new map. */
static int stats_value(const struct cursor *cursor, struct ss_value **stats, struct ss_error *err)
{
	static const char *const keys[] = {"total_queries", "escalated", "avg_response_time",
		"escalation_rate", "active_conversations", "categories", "sentiments"};
	const struct ss_value_functions *values = database_values(cursor->db);
	int64_t queries = cursor_int(cursor, 0);
	int64_t escalated = cursor_int(cursor, 1);
	double response_time_s = cursor_number(cursor, 2) / 1e9;
	struct ss_value *categories = json_value(cursor, 3, err);
	struct ss_value *sentiments = categories != NULL ? json_value(cursor, 4, err) : NULL;
	if (sentiments == NULL) {
		values->unref(categories);
		return -1;
	}
	double turns = queries > 0 ? (double)queries : 1;
	struct ss_value *entries[] = {
		values->integer(queries),
		values->integer(escalated),
		values->number(response_time_s / turns),
		values->number((double)escalated / turns),
		values->integer(cursor_int(cursor, 5)),
		categories,
		sentiments,
	};
	*stats = values->map(keys, entries, sizeof keys / sizeof *keys);
	return 0;
}

static int read_stats(struct database *db, const void *question, void *answer, struct ss_error *err)
{
	(void)question;
	struct cursor cursor = cursor_begin(db, STATEMENT_READ_STATS);
	cursor_bind_int(&cursor, database_active_since(db));
	/* Sums give one row, always. */
	int result = cursor_next(&cursor, err) == 1 ? stats_value(&cursor, answer, err) : -1;
	cursor_end(&cursor);
	return result;
}

int database_stats(void *instance, struct ss_value **stats, struct ss_error *err)
{
	return database_try(instance, read_stats, NULL, stats, err);
}
