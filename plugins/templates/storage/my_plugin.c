/*
 * The storage my_plugin: it keeps turns in a file, a line of JSON for each, which is enough for a server that answers
 * questions. Conversations go on, over restarts and in all workers. What is still to be written says so, or has nothing: read
 * the file from the bottom; <smartsupport/storage.h> tells what each operation must do, and
 * `smartsupport plugin check --storage` tries all of it.
 */
#include <smartsupport/smartsupport.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The rows of the table below. */
enum { OPTION_PATH };

/* One connection to the store. */
struct my_plugin {
	const struct ss_value_functions *values;
	int file;
	off_t read;              /* so much of the file is in TURNS */
	struct ss_value **turns; /* as they are in the file, the oldest first */
	size_t count;
	pthread_mutex_t mutex; /* of what follows */
	pthread_cond_t woken;
	bool interrupted;
};

/* An operation with COUNT results has as many errors; the first one says why all of it failed. */
static int not_written(struct ss_error *err, const char *operation)
{
	return ss_fail_as(err, SS_INTERNAL, "%s() is not written yet", operation);
}

static int failed(struct ss_error *err, const char *what)
{
	return ss_fail_as(err, SS_UNAVAILABLE, "cannot %s: %s", what, strerror(errno));
}

static void destroy(void *instance)
{
	struct my_plugin *my_plugin = instance;
	for (size_t i = 0; i < my_plugin->count; i++)
		my_plugin->values->unref(my_plugin->turns[i]);
	free(my_plugin->turns);
	if (my_plugin->file >= 0)
		(void)close(my_plugin->file);
	pthread_cond_destroy(&my_plugin->woken);
	pthread_mutex_destroy(&my_plugin->mutex);
	free(my_plugin);
}

static int create(const struct ss_setup *setup, void **instance, struct ss_error *err)
{
	const struct ss_value_functions *values = setup->host->values;
	const char *path = values->as_string(setup->options[OPTION_PATH], NULL);
	struct my_plugin *my_plugin = calloc(1, sizeof *my_plugin);
	if (my_plugin == NULL)
		return ss_fail(err, "out of memory");
	my_plugin->values = values;
	pthread_mutex_init(&my_plugin->mutex, NULL);
	pthread_cond_init(&my_plugin->woken, NULL);
	my_plugin->file = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (my_plugin->file < 0) {
		int result = ss_fail_as(
			err, SS_UNAVAILABLE, "cannot open %s: %s", path, strerror(errno));
		destroy(my_plugin);
		return result;
	}
	*instance = my_plugin;
	return 0;
}

/* All that follow are called on a store thread and may block. */

static const char *text(
	const struct my_plugin *my_plugin, const struct ss_value *turn, const char *name)
{
	return my_plugin->values->as_string(my_plugin->values->get(turn, name), NULL);
}

/* Takes over TURN. */
static int add(struct my_plugin *my_plugin, struct ss_value *turn, struct ss_error *err)
{
	struct ss_value **turns =
		realloc(my_plugin->turns, (my_plugin->count + 1) * sizeof(struct ss_value *));
	if (turns == NULL) {
		my_plugin->values->unref(turn);
		return ss_fail(err, "out of memory");
	}
	my_plugin->turns = turns;
	my_plugin->turns[my_plugin->count++] = turn;
	return 0;
}

/* Adds the whole lines of the LENGTH BYTES. */
static int add_lines(
	struct my_plugin *my_plugin, const char *bytes, size_t length, struct ss_error *err)
{
	const char *end = NULL;
	while ((end = memchr(bytes, '\n', length)) != NULL) {
		size_t size = (size_t)(end - bytes) + 1;
		struct ss_value *turn = my_plugin->values->from_json(bytes, size, err);
		if (turn == NULL || add(my_plugin, turn, err) < 0)
			return -1;
		my_plugin->read += (off_t)size;
		bytes += size;
		length -= size;
	}
	return 0;
}

/* Reads what was stored since, by whomever. */
static int catch_up(struct my_plugin *my_plugin, struct ss_error *err)
{
	struct stat status;
	if (fstat(my_plugin->file, &status) < 0)
		return failed(err, "look at the store");
	if (status.st_size <= my_plugin->read)
		return 0;
	size_t length = (size_t)(status.st_size - my_plugin->read);
	char *bytes = malloc(length);
	if (bytes == NULL)
		return ss_fail(err, "out of memory");
	ssize_t got = pread(my_plugin->file, bytes, length, my_plugin->read);
	int result = got < 0 ? failed(err, "read the store")
			     : add_lines(my_plugin, bytes, (size_t)got, err);
	free(bytes);
	return result;
}

/* The last turn that has the text VALUE as NAME; NULL: none. */
static const struct ss_value *last_with(
	const struct my_plugin *my_plugin, const char *name, const char *value)
{
	for (size_t i = my_plugin->count; value != NULL && i-- > 0;) {
		if (strcmp(text(my_plugin, my_plugin->turns[i], name), value) == 0)
			return my_plugin->turns[i];
	}
	return NULL;
}

/* The messages of a context, the newest first. */
struct messages {
	struct ss_value **items;
	size_t count, limit;
};

static void add_message(const struct my_plugin *my_plugin, struct messages *messages,
	const struct ss_value *turn, bool is_answer)
{
	const struct ss_value_functions *values = my_plugin->values;
	if (messages->count == messages->limit)
		return;
	messages->items[messages->count++] = values->map(
		(const char *const[]){"role", "content", "at"},
		(struct ss_value *const[]){
			is_answer ? values->string("assistant", 9) : values->string("user", 4),
			values->ref(values->get(turn, is_answer ? "response" : "message")),
			values->ref(values->get(turn, is_answer ? "answered_at" : "asked_at"))},
		3);
}

/* The last LIMIT messages of a conversation, or, of none, what the user wrote last in others than EXCEPT; oldest first, new. */
static struct ss_value *last_messages(const struct my_plugin *my_plugin,
	const struct ss_turn_key *key, const char *conversation_id, size_t limit, bool of_others)
{
	struct messages messages = {
		.limit = limit < 2 * my_plugin->count ? limit : 2 * my_plugin->count};
	messages.items = calloc(messages.limit + 1, sizeof(struct ss_value *));
	for (size_t i = my_plugin->count; messages.items != NULL && i-- > 0;) {
		const struct ss_value *turn = my_plugin->turns[i];
		bool same = conversation_id != NULL &&
			    strcmp(text(my_plugin, turn, "conversation_id"), conversation_id) == 0;
		if (same == of_others ||
			strcmp(text(my_plugin, turn, "user_id"), key->user_id) != 0)
			continue;
		if (!of_others)
			add_message(my_plugin, &messages, turn, true);
		add_message(my_plugin, &messages, turn, false);
	}
	for (size_t i = 0; i < messages.count / 2; i++) {
		struct ss_value *item = messages.items[i];
		messages.items[i] = messages.items[messages.count - 1 - i];
		messages.items[messages.count - 1 - i] = item;
	}
	struct ss_value *list = my_plugin->values->list(messages.items, messages.count);
	free(messages.items);
	return list;
}

/* The conversation that the turn of KEY goes on with, by its id or its thread: a turn of it, in *TURN; NULL: a new one. */
static int find_conversation(const struct my_plugin *my_plugin, const struct ss_turn_key *key,
	const struct ss_value **turn, struct ss_error *err)
{
	*turn = key->conversation_id != NULL
			? last_with(my_plugin, "conversation_id", key->conversation_id)
			: last_with(my_plugin, "thread", key->thread);
	bool is_theirs =
		*turn != NULL && strcmp(text(my_plugin, *turn, "user_id"), key->user_id) == 0;
	if (key->conversation_id != NULL && !is_theirs)
		return ss_fail_as(err, SS_NOT_FOUND, "this user has no conversation %s",
			key->conversation_id);
	if (!is_theirs)
		*turn = NULL;
	return 0;
}

static int turn_context(void *instance, const struct ss_turn_key *key, struct ss_value **context,
	struct ss_error *err)
{
	struct my_plugin *my_plugin = instance;
	const struct ss_value_functions *values = my_plugin->values;
	const struct ss_value *turn = NULL;
	if (catch_up(my_plugin, err) < 0 || find_conversation(my_plugin, key, &turn, err) < 0)
		return -1;
	const char *id = turn != NULL ? text(my_plugin, turn, "conversation_id") : NULL;
	const char *keys[5] = {"user", "history"};
	struct ss_value *parts[5] = {
		values->map((const char *const[]){"id", "vip"},
			(struct ss_value *const[]){
				values->string(key->user_id, strlen(key->user_id)),
				values->boolean(false)},
			2),
		last_messages(my_plugin, key, id, id != NULL ? key->history_limit : 0, false)};
	size_t count = 2;
	if (key->recent_limit > 0) {
		keys[count] = "recent";
		parts[count++] = last_messages(my_plugin, key, id, key->recent_limit, true);
	}
	if (id != NULL) {
		const struct ss_value *last = last_with(my_plugin, "conversation_id", id);
		bool waits = values->as_bool(values->get(last, "escalated"));
		keys[count] = "status";
		parts[count++] =
			waits ? values->string("escalated", 9) : values->string("active", 6);
	}
	if (id != NULL && key->conversation_id == NULL) {
		keys[count] = "conversation_id";
		parts[count++] = values->string(id, strlen(id));
	}
	*context = values->map(keys, parts, count);
	return 0;
}

/* Writes ,"NAME":VALUE with VALUE as a JSON string; nothing when there is none. */
static void write_text(FILE *line, const char *name, struct ss_text value)
{
	if (value.data == NULL)
		return;
	(void)fprintf(line, ",\"%s\":\"", name);
	for (size_t i = 0; i < value.length; i++) {
		unsigned char c = (unsigned char)value.data[i];
		if (c < ' ' || c == '"' || c == '\\')
			(void)fprintf(line, "\\u%04x", c);
		else
			(void)fputc(c, line);
	}
	(void)fputc('"', line);
}

static void write_name(FILE *line, const char *name, const char *value)
{
	write_text(line, name, (struct ss_text){value, value != NULL ? strlen(value) : 0});
}

static void write_time(FILE *line, const char *name, int64_t at_ns)
{
	time_t seconds = (time_t)(at_ns / 1000000000);
	char day[32];
	struct tm tm;
	(void)strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &tm));
	(void)fprintf(
		line, ",\"%s\":\"%s.%06lldZ\"", name, day, (long long)(at_ns / 1000 % 1000000));
}

/* TURN as a line of the file, new; NULL when there is no memory. */
static char *line_of(const struct ss_turn *turn, size_t *length)
{
	char *text = NULL;
	FILE *line = open_memstream(&text, length);
	if (line == NULL)
		return NULL;
	(void)fprintf(line, "{\"priority\":%lld,\"escalated\":%s,\"duration\":%.6f",
		(long long)turn->priority, turn->escalated ? "true" : "false",
		(double)turn->duration_ns / 1e9);
	write_name(line, "turn_id", turn->turn_id);
	write_name(line, "conversation_id", turn->conversation_id);
	write_name(line, "user_id", turn->user_id);
	write_text(line, "message", turn->message);
	write_text(line, "response", turn->response);
	write_name(line, "category", turn->category);
	write_name(line, "sentiment", turn->sentiment);
	write_name(line, "thread", turn->thread);
	write_name(line, "metadata", turn->metadata);
	write_time(line, "asked_at", turn->asked_at_ns);
	write_time(line, "answered_at", turn->answered_at_ns);
	(void)fputs("}\n", line);
	if (fclose(line) == 0)
		return text;
	free(text);
	return NULL;
}

static bool is_missing(const char *id)
{
	return id == NULL || id[0] == '\0';
}

static bool is_text(const struct my_plugin *my_plugin, const struct ss_value *stored,
	const char *name, struct ss_text text)
{
	size_t length = 0;
	const char *has =
		my_plugin->values->as_string(my_plugin->values->get(stored, name), &length);
	return length == text.length && (length == 0 || memcmp(has, text.data, length) == 0);
}

/* Whether TURN says what STORED does. */
static bool is_same(const struct my_plugin *my_plugin, const struct ss_value *stored,
	const struct ss_turn *turn)
{
	return strcmp(text(my_plugin, stored, "conversation_id"), turn->conversation_id) == 0 &&
	       is_text(my_plugin, stored, "message", turn->message) &&
	       is_text(my_plugin, stored, "response", turn->response);
}

/* Whether TURN can be stored: 1, or 0 when it is there already, or -1. */
static int examine(
	const struct my_plugin *my_plugin, const struct ss_turn *turn, struct ss_error *err)
{
	if (is_missing(turn->turn_id) || is_missing(turn->conversation_id) ||
		is_missing(turn->user_id) || turn->priority < 1 || turn->priority > 10)
		return ss_fail_as(
			err, SS_INVALID, "a turn needs its ids, and a priority from 1 to 10");
	const struct ss_value *same = last_with(my_plugin, "turn_id", turn->turn_id);
	if (same != NULL)
		return is_same(my_plugin, same, turn)
			       ? 0
			       : ss_fail_as(err, SS_CONFLICT, "there is another turn %s",
					 turn->turn_id);
	const struct ss_value *last =
		last_with(my_plugin, "conversation_id", turn->conversation_id);
	if (turn->new_conversation && last != NULL)
		return ss_fail_as(err, SS_CONFLICT, "there is a conversation %s already",
			turn->conversation_id);
	if (!turn->new_conversation &&
		(last == NULL || strcmp(text(my_plugin, last, "user_id"), turn->user_id) != 0))
		return ss_fail_as(err, SS_NOT_FOUND, "this user has no conversation %s",
			turn->conversation_id);
	return 1;
}

/* Adds TURN to what is to be written, LINES, unless something is wrong with it or it is there already. */
static void take(
	struct my_plugin *my_plugin, FILE *lines, const struct ss_turn *turn, struct ss_error *err)
{
	size_t length = 0;
	if (examine(my_plugin, turn, err) <= 0)
		return;
	char *line = line_of(turn, &length);
	struct ss_value *value =
		line != NULL ? my_plugin->values->from_json(line, length, err) : NULL;
	if (line == NULL)
		(void)ss_fail(err, "out of memory");
	else if (value != NULL && add(my_plugin, value, err) == 0)
		(void)fwrite(line, 1, length, lines);
	free(line);
}

/* Writes the LENGTH BYTES durably behind what was read; what a process that was killed wrote in part goes. */
static int append(
	const struct my_plugin *my_plugin, const char *bytes, size_t length, struct ss_error *err)
{
	if (ftruncate(my_plugin->file, my_plugin->read) == 0 &&
		write(my_plugin->file, bytes, length) == (ssize_t)length &&
		fdatasync(my_plugin->file) == 0)
		return 0;
	(void)failed(err, "write to the store");
	(void)ftruncate(my_plugin->file, my_plugin->read);
	return -1;
}

/* The same while nobody else writes. */
static int commit_alone(struct my_plugin *my_plugin, const struct ss_turn *turns, size_t count,
	struct ss_error *errors)
{
	char *bytes = NULL;
	size_t length = 0;
	if (catch_up(my_plugin, &errors[0]) < 0)
		return -1;
	size_t before = my_plugin->count;
	FILE *lines = open_memstream(&bytes, &length);
	if (lines == NULL)
		return ss_fail(&errors[0], "out of memory");
	for (size_t i = 0; i < count; i++)
		take(my_plugin, lines, &turns[i], &errors[i]);
	int result = fclose(lines) == 0 ? 0 : ss_fail(&errors[0], "out of memory");
	if (result == 0 && length > 0)
		result = append(my_plugin, bytes, length, &errors[0]);
	if (result == 0)
		my_plugin->read += (off_t)length;
	while (result < 0 && my_plugin->count > before)
		my_plugin->values->unref(my_plugin->turns[--my_plugin->count]);
	free(bytes);
	return result;
}

static int commit_turns(
	void *instance, const struct ss_turn *turns, size_t count, struct ss_error *errors)
{
	struct my_plugin *my_plugin = instance;
	if (flock(my_plugin->file, LOCK_EX) < 0)
		return failed(&errors[0], "lock the store");
	int result = commit_alone(my_plugin, turns, count, errors);
	(void)flock(my_plugin->file, LOCK_UN);
	return result;
}

static int check(void *instance, struct ss_error *err)
{
	return catch_up(instance, err);
}

/* What nothing is stored of yet is empty. */

static int empty_page(const struct my_plugin *my_plugin, struct ss_value **page)
{
	*page = my_plugin->values->map((const char *const[]){"items"},
		(struct ss_value *const[]){my_plugin->values->list(NULL, 0)}, 1);
	return 0;
}

static int read_documents(void *instance, const struct ss_document_filter *filter,
	struct ss_value **found, struct ss_error *err)
{
	const struct my_plugin *my_plugin = instance;
	(void)filter;
	(void)err;
	*found = my_plugin->values->map((const char *const[]){"items", "version"},
		(struct ss_value *const[]){
			my_plugin->values->list(NULL, 0), my_plugin->values->integer(0)},
		2);
	return 0;
}

static int list_journals(void *instance, const struct ss_journal_filter *filter,
	struct ss_value **journals, struct ss_error *err)
{
	const struct my_plugin *my_plugin = instance;
	(void)filter;
	(void)err;
	*journals = my_plugin->values->list(NULL, 0);
	return 0;
}

static int list_events(void *instance, const struct ss_event_filter *filter, struct ss_value **page,
	struct ss_error *err)
{
	(void)filter;
	(void)err;
	return empty_page(instance, page);
}

static int claim_deliveries(void *instance, const struct ss_delivery_claim *claim,
	struct ss_value **claimed, struct ss_error *err)
{
	const struct my_plugin *my_plugin = instance;
	(void)claim;
	(void)err;
	*claimed = my_plugin->values->list(NULL, 0);
	return 0;
}

static int purge(void *instance, const struct ss_purge *purge, size_t *count, struct ss_error *err)
{
	(void)instance;
	(void)purge;
	(void)err;
	*count = 0;
	return 0;
}

static int watch(
	void *instance, const struct ss_watch *watch, struct ss_value **seen, struct ss_error *err)
{
	struct my_plugin *my_plugin = instance;
	const struct ss_value_functions *values = my_plugin->values;
	struct timespec until;
	(void)err;
	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += watch->timeout_ns / 1000000000;
	pthread_mutex_lock(&my_plugin->mutex);
	while (!my_plugin->interrupted &&
		pthread_cond_timedwait(&my_plugin->woken, &my_plugin->mutex, &until) == 0)
		;
	my_plugin->interrupted = false;
	pthread_mutex_unlock(&my_plugin->mutex);
	*seen = values->map(
		(const char *const[]){"articles", "heads", "webhooks", "api_keys", "events"},
		(struct ss_value *const[]){values->integer(0), values->integer(0),
			values->integer(0), values->integer(0), values->boolean(false)},
		5);
	return 0;
}

/* Any thread. */
static void interrupt_watch(void *instance)
{
	struct my_plugin *my_plugin = instance;
	pthread_mutex_lock(&my_plugin->mutex);
	my_plugin->interrupted = true;
	pthread_cond_signal(&my_plugin->woken);
	pthread_mutex_unlock(&my_plugin->mutex);
}

/* What is still to be written. */

static int stats(void *instance, struct ss_value **stats, struct ss_error *err)
{
	(void)instance;
	(void)stats;
	return not_written(err, "stats");
}

static int write_journals(void *instance, const struct ss_journal_write *writes, size_t count,
	struct ss_error *errors)
{
	(void)instance;
	(void)writes;
	(void)count;
	return not_written(errors, "write_journals");
}

static int read_journal(void *instance, const struct ss_journal_key *key, struct ss_value **journal,
	struct ss_error *err)
{
	(void)instance;
	(void)key;
	(void)journal;
	return not_written(err, "read_journal");
}

static int delete_journal(void *instance, const char *turn_id, struct ss_error *err)
{
	(void)instance;
	(void)turn_id;
	return not_written(err, "delete_journal");
}

static int store_feedback(
	void *instance, const struct ss_feedback *feedback, size_t count, struct ss_error *errors)
{
	(void)instance;
	(void)feedback;
	(void)count;
	return not_written(errors, "store_feedback");
}

static int list_unanswered(void *instance, const struct ss_unanswered_filter *filter,
	struct ss_value **page, struct ss_error *err)
{
	(void)instance;
	(void)filter;
	(void)page;
	return not_written(err, "list_unanswered");
}

static int article_counts(void *instance, const struct ss_article_range *range,
	struct ss_value **counts, struct ss_error *err)
{
	(void)instance;
	(void)range;
	(void)counts;
	return not_written(err, "article_counts");
}

static int list_conversations(void *instance, const struct ss_conversation_filter *filter,
	struct ss_value **page, struct ss_error *err)
{
	(void)instance;
	(void)filter;
	(void)page;
	return not_written(err, "list_conversations");
}

static int read_conversation(void *instance, const char *conversation_id,
	struct ss_value **conversation, struct ss_error *err)
{
	(void)instance;
	(void)conversation_id;
	(void)conversation;
	return not_written(err, "read_conversation");
}

static int list_messages(void *instance, const struct ss_message_filter *filter,
	struct ss_value **page, struct ss_error *err)
{
	(void)instance;
	(void)filter;
	(void)page;
	return not_written(err, "list_messages");
}

static int change_conversation(void *instance, const struct ss_conversation_change *change,
	struct ss_value **conversation, struct ss_error *err)
{
	(void)instance;
	(void)change;
	(void)conversation;
	return not_written(err, "change_conversation");
}

static int delete_conversation(void *instance, const char *conversation_id, struct ss_error *err)
{
	(void)instance;
	(void)conversation_id;
	return not_written(err, "delete_conversation");
}

static int list_users(void *instance, const struct ss_user_filter *filter, struct ss_value **page,
	struct ss_error *err)
{
	(void)instance;
	(void)filter;
	(void)page;
	return not_written(err, "list_users");
}

static int read_user(
	void *instance, const char *user_id, struct ss_value **user, struct ss_error *err)
{
	(void)instance;
	(void)user_id;
	(void)user;
	return not_written(err, "read_user");
}

static int store_user(
	void *instance, const struct ss_user *user, struct ss_value **stored, struct ss_error *err)
{
	(void)instance;
	(void)user;
	(void)stored;
	return not_written(err, "store_user");
}

static int erase_user(void *instance, const struct ss_erasure *erasure, struct ss_value **erased,
	struct ss_error *err)
{
	(void)instance;
	(void)erasure;
	(void)erased;
	return not_written(err, "erase_user");
}

static int read_analytics(void *instance, const struct ss_analytics_range *range,
	struct ss_value **series, struct ss_error *err)
{
	(void)instance;
	(void)range;
	(void)series;
	return not_written(err, "read_analytics");
}

static int store_documents(
	void *instance, const struct ss_document *documents, size_t count, struct ss_error *errors)
{
	(void)instance;
	(void)documents;
	(void)count;
	return not_written(errors, "store_documents");
}

static int finish_deliveries(void *instance, const struct ss_delivery_attempt *attempts,
	size_t count, struct ss_error *errors)
{
	(void)instance;
	(void)attempts;
	(void)count;
	return not_written(errors, "finish_deliveries");
}

static int list_deliveries(void *instance, const struct ss_delivery_filter *filter,
	struct ss_value **page, struct ss_error *err)
{
	(void)instance;
	(void)filter;
	(void)page;
	return not_written(err, "list_deliveries");
}

static int redeliver(void *instance, const struct ss_delivery_filter *filter, size_t *count,
	struct ss_error *err)
{
	(void)instance;
	(void)filter;
	(void)count;
	return not_written(err, "redeliver");
}

static int delivery_counts(void *instance, struct ss_value **counts, struct ss_error *err)
{
	(void)instance;
	(void)counts;
	return not_written(err, "delivery_counts");
}

static int claim_request(void *instance, const struct ss_request_key *key, struct ss_value **claim,
	struct ss_error *err)
{
	(void)instance;
	(void)key;
	(void)claim;
	return not_written(err, "claim_request");
}

static int finish_request(
	void *instance, const struct ss_request_result *result, struct ss_error *err)
{
	(void)instance;
	(void)result;
	return not_written(err, "finish_request");
}

static int list_requests(void *instance, const struct ss_request_filter *filter,
	struct ss_value **page, struct ss_error *err)
{
	(void)instance;
	(void)filter;
	(void)page;
	return not_written(err, "list_requests");
}

/* What the configuration may have in the storage's `options`. */
static const struct ss_option options[] = {
	[OPTION_PATH] = {.name = "path", .type = SS_OPTION_PATH, .help = "Where the store is."},
	{.name = NULL},
};

/* migrate, backup and verify may be left out. */
static const struct ss_storage_operations operations = {
	.create = create,
	.destroy = destroy,
	.turn_context = turn_context,
	.commit_turns = commit_turns,
	.stats = stats,
	.check = check,
	.write_journals = write_journals,
	.read_journal = read_journal,
	.list_journals = list_journals,
	.delete_journal = delete_journal,
	.store_feedback = store_feedback,
	.list_unanswered = list_unanswered,
	.article_counts = article_counts,
	.list_conversations = list_conversations,
	.read_conversation = read_conversation,
	.list_messages = list_messages,
	.change_conversation = change_conversation,
	.delete_conversation = delete_conversation,
	.list_users = list_users,
	.read_user = read_user,
	.store_user = store_user,
	.erase_user = erase_user,
	.read_analytics = read_analytics,
	.store_documents = store_documents,
	.read_documents = read_documents,
	.list_events = list_events,
	.claim_deliveries = claim_deliveries,
	.finish_deliveries = finish_deliveries,
	.list_deliveries = list_deliveries,
	.redeliver = redeliver,
	.delivery_counts = delivery_counts,
	.claim_request = claim_request,
	.finish_request = finish_request,
	.list_requests = list_requests,
	.purge = purge,
	.watch = watch,
	.interrupt_watch = interrupt_watch,
};

SS_EXPORT const struct ss_plugin smartsupport_plugin = {
	.abi_major = SS_ABI_MAJOR,
	.abi_minor = SS_ABI_MINOR,
	.struct_size = sizeof(struct ss_plugin),
	.kind = SS_STORAGE,
	.name = "my_plugin",
	.version = "0.1.0",
	.licence = "MIT",
	.summary = "Keeps conversations.",
	.options = options,
	.storage = &operations,
};
