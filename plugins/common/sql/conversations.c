/* Conversations and their messages: in lists, one by one, and what operators change. */
#include "common/sql/operations.h"
#include "common/sql/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { US_IN_NS = 1000, QUESTION_CHARACTERS = 200 };

static const int64_t hour_us = 3600000000;

static bool given(const char *text)
{
	return text != NULL && text[0] != '\0';
}

/* How many bytes of TEXT are COUNT characters, or all of them. */
static size_t beginning(struct ss_text text, size_t count)
{
	size_t length = 0;
	for (; length < text.length; length++) {
		bool begins = ((unsigned char)text.data[length] & 0xc0) != 0x80;
		if (begins && count-- == 0)
			break;
	}
	return length;
}

/* The columns of all statements that read conversations. */
static struct ss_value *conversation_value(const struct cursor *cursor, struct ss_error *err)
{
	struct row row = {.cursor = cursor};
	(void)err;
	row_text(&row, "id", 0);
	row_text(&row, "user_id", 1);
	row_text(&row, "status", 2);
	row_text(&row, "category", 3);
	row_text(&row, "sentiment", 4);
	row_int(&row, "priority", 5);
	row_int(&row, "message_count", 6);
	struct ss_text question = cursor_text(cursor, 7);
	if (question.data != NULL)
		row_add(&row, "question",
			database_values(cursor->db)
				->string(question.data, beginning(question, QUESTION_CHARACTERS)));
	row_time(&row, "created_at", 8);
	row_time(&row, "updated_at", 9);
	return row_value(&row);
}

/* Lists. */

static void conversation_place(const struct cursor *cursor, char place[PAGE_PLACE_SIZE])
{
	struct ss_text id = cursor_text(cursor, 0);
	(void)snprintf(place, PAGE_PLACE_SIZE, "%lld.%.*s", (long long)cursor_int(cursor, 9),
		(int)id.length, id.data);
}

static enum statement choose_list(const struct ss_conversation_filter *filter)
{
	if (filter->user_id != NULL)
		return STATEMENT_LIST_CONVERSATIONS_OF_USER;
	if (filter->status != NULL || filter->category != NULL || filter->sentiment != NULL)
		return STATEMENT_LIST_CONVERSATIONS_OF_KINDS;
	return STATEMENT_LIST_CONVERSATIONS;
}

/* Where the list begins: behind *ID of the time *AT_US, those first that were changed last. */
static int find_beginning(const struct ss_conversation_filter *filter, int64_t *at_us,
	const char **id, struct ss_error *err)
{
	int64_t to_us = filter->to_ns != 0 ? microseconds_up(filter->to_ns) : INT64_MAX;
	*at_us = INT64_MAX;
	*id = "";
	if (filter->after != NULL && page_place(filter->after, at_us, id, err) < 0)
		return -1;
	/* No id comes before the empty one, so none of that time is in the list. */
	if (to_us < *at_us) {
		*at_us = to_us;
		*id = "";
	}
	return 0;
}

static int list_conversations(
	struct database *db, const void *question, void *answer, struct ss_error *err)
{
	static const struct page_rows kind = {conversation_value, conversation_place};
	const struct ss_conversation_filter *filter = question;
	int64_t at_us, rows;
	const char *id;
	if (page_limit(filter->limit, &rows, err) < 0 ||
		find_beginning(filter, &at_us, &id, err) < 0)
		return -1;
	struct cursor cursor = cursor_begin(db, choose_list(filter));
	cursor_bind_int(&cursor, at_us);
	cursor_bind_string(&cursor, id);
	cursor_bind_int(&cursor, microseconds_up(filter->from_ns));
	cursor_bind_int(&cursor, rows);
	cursor_bind_string(&cursor, filter->user_id);
	cursor_bind_string(&cursor, filter->status);
	cursor_bind_string(&cursor, filter->category);
	cursor_bind_string(&cursor, filter->sentiment);
	return page_read(&cursor, rows, &kind, answer, err);
}

int database_list_conversations(void *instance, const struct ss_conversation_filter *filter,
	struct ss_value **page, struct ss_error *err)
{
	return database_try(instance, list_conversations, filter, page, err);
}

static int fail_unknown(const char *conversation_id, struct ss_error *err)
{
	return ss_fail_as(
		err, SS_NOT_FOUND, "there is no conversation with the id %s", conversation_id);
}

static int read_conversation(
	struct database *db, const void *question, void *answer, struct ss_error *err)
{
	struct ss_value **conversation = answer;
	struct cursor cursor = cursor_begin(db, STATEMENT_READ_CONVERSATION);
	cursor_bind_string(&cursor, question);
	int found = cursor_next(&cursor, err);
	if (found == 1)
		*conversation = conversation_value(&cursor, err);
	cursor_end(&cursor);
	if (found == 0)
		return fail_unknown(question, err);
	return found < 0 ? -1 : 0;
}

int database_read_conversation(void *instance, const char *conversation_id,
	struct ss_value **conversation, struct ss_error *err)
{
	return database_try(instance, read_conversation, conversation_id, conversation, err);
}

/* Messages. */

/* What customers said of an answer. */
static int add_feedback(struct row *row, struct ss_error *err)
{
	struct row feedback = {.cursor = row->cursor};
	if (cursor_is_null(row->cursor, 20))
		return 0;
	row_bool(&feedback, "was_helpful", 16);
	if (!cursor_is_null(row->cursor, 17))
		row_int(&feedback, "rating", 17);
	row_text(&feedback, "comment", 18);
	row_time(&feedback, "created_at", 20);
	row_time(&feedback, "updated_at", 21);
	if (row_json(&feedback, "issues", 19, err) < 0) {
		row_drop(&feedback);
		return -1;
	}
	row_add(row, "feedback", row_value(&feedback));
	return 0;
}

/* What was decided in the turn of an answer. */
static int add_turn(struct row *row, struct ss_error *err)
{
	if (cursor_is_null(row->cursor, 6))
		return 0;
	row_text(row, "turn_id", 6);
	row_text(row, "category", 7);
	row_text(row, "sentiment", 8);
	row_int(row, "priority", 9);
	row_int(row, "attempts", 10);
	row_bool(row, "escalated", 11);
	row_text(row, "escalation_reason", 12);
	row_text(row, "answered_by", 13);
	row_int(row, "duration_ns", 14);
	row_text(row, "metadata", 15);
	return add_feedback(row, err);
}

static struct ss_value *message_value(const struct cursor *cursor, struct ss_error *err)
{
	struct row row = {.cursor = cursor};
	row_text(&row, "id", 0);
	row_int(&row, "seq", 1);
	row_text(&row, "role", 2);
	row_text(&row, "content", 3);
	row_time(&row, "at", 4);
	row_text(&row, "author", 5);
	row_text(&row, "conversation_id", 22);
	if (add_turn(&row, err) == 0)
		return row_value(&row);
	row_drop(&row);
	return NULL;
}

static void message_place(const struct cursor *cursor, char place[PAGE_PLACE_SIZE])
{
	(void)snprintf(place, PAGE_PLACE_SIZE, "%lld.", (long long)cursor_int(cursor, 1));
}

/* Messages of a conversation with numbers behind AFTER and up to LAST. */
struct extent {
	char conversation_id[PAGE_PLACE_SIZE];
	int64_t after, last;
};

/* The two messages of the filter's turn. */
static int find_turn(struct database *db, const struct ss_message_filter *filter,
	struct extent *extent, struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, STATEMENT_FIND_PLACE);
	cursor_bind_string(&cursor, filter->turn_id);
	int found = cursor_next(&cursor, err);
	if (found == 1) {
		(void)snprintf(extent->conversation_id, sizeof extent->conversation_id, "%s",
			cursor_text(&cursor, 0).data);
		extent->last = cursor_int(&cursor, 1);
		extent->after = extent->last - 2;
	}
	cursor_end(&cursor);
	if (found == 0 || (found == 1 && filter->conversation_id != NULL &&
				  strcmp(filter->conversation_id, extent->conversation_id) != 0))
		return ss_fail_as(err, SS_NOT_FOUND, "there is no stored turn with the id %s",
			filter->turn_id);
	return found < 0 ? -1 : 0;
}

/* All messages of the filter's conversation. */
static int find_conversation(struct database *db, const struct ss_message_filter *filter,
	struct extent *extent, struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, STATEMENT_READ_CONVERSATION);
	cursor_bind_string(&cursor, filter->conversation_id);
	int found = cursor_next(&cursor, err);
	cursor_end(&cursor);
	(void)snprintf(extent->conversation_id, sizeof extent->conversation_id, "%s",
		filter->conversation_id);
	extent->after = 0;
	extent->last = INT64_MAX;
	if (found == 0)
		return fail_unknown(filter->conversation_id, err);
	return found < 0 ? -1 : 0;
}

static int find_extent(struct database *db, const struct ss_message_filter *filter,
	struct extent *extent, struct ss_error *err)
{
	int64_t seq = 0;
	const char *rest = "";
	if (filter->turn_id == NULL && filter->conversation_id == NULL)
		return ss_fail_as(err, SS_INVALID,
			"messages are of a conversation or a turn, one of which must be named");
	int result = filter->turn_id != NULL ? find_turn(db, filter, extent, err)
					     : find_conversation(db, filter, extent, err);
	if (result < 0 || filter->after == NULL)
		return result;
	if (page_place(filter->after, &seq, &rest, err) < 0)
		return -1;
	if (seq > extent->after)
		extent->after = seq;
	return 0;
}

static int read_messages(struct database *db, const struct ss_message_filter *filter, int64_t rows,
	struct ss_value **page, struct ss_error *err)
{
	static const struct page_rows kind = {message_value, message_place};
	struct extent extent;
	if (find_extent(db, filter, &extent, err) < 0)
		return -1;
	struct cursor cursor = cursor_begin(db, STATEMENT_LIST_MESSAGES);
	cursor_bind_string(&cursor, extent.conversation_id);
	cursor_bind_int(&cursor, extent.after);
	cursor_bind_int(&cursor, extent.last);
	cursor_bind_int(&cursor, rows);
	return page_read(&cursor, rows, &kind, page, err);
}

static int list_messages(
	struct database *db, const void *question, void *answer, struct ss_error *err)
{
	const struct ss_message_filter *filter = question;
	struct ss_value **page = answer;
	int64_t rows;
	*page = NULL;
	if (page_limit(filter->limit, &rows, err) < 0 ||
		database_begin(db, STATEMENT_BEGIN_READ, err) < 0)
		return -1;
	if (read_messages(db, filter, rows, page, err) == 0 &&
		statement_run(db, STATEMENT_COMMIT, err) == 0)
		return 0;
	database_rollback(db);
	database_values(db)->unref(*page);
	*page = NULL;
	return -1;
}

int database_list_messages(void *instance, const struct ss_message_filter *filter,
	struct ss_value **page, struct ss_error *err)
{
	return database_try(instance, list_messages, filter, page, err);
}

/* Changes. */

static bool has_reply(const struct ss_conversation_change *change)
{
	return change->reply.data != NULL;
}

static int check_change(const struct ss_conversation_change *change, struct ss_error *err)
{
	static const char *const known[] = {"active", "escalated", "resolved", "closed"};
	bool is_known = change->status == NULL;
	for (size_t i = 0; i < sizeof known / sizeof *known && !is_known; i++)
		is_known = strcmp(change->status, known[i]) == 0;
	if (!is_known)
		return ss_fail_as(err, SS_INVALID,
			"the status of a conversation is active, escalated, resolved or closed, "
			"not \"%.64s\"",
			change->status);
	if (has_reply(change) && !given(change->reply_id))
		return ss_fail_as(err, SS_INVALID, "a reply needs an id");
	if (change->at_ns < 0)
		return ss_fail_as(err, SS_INVALID, "the time of a change must not be below 0");
	return 0;
}

/* What a change comes to. */
struct difference {
	char *user_id;
	const char *status; /* NULL: as it was */
	bool resolves;
	bool replies;
};

static char *copy_of(struct ss_text text)
{
	return text.data != NULL ? strndup(text.data, text.length) : NULL;
}

/* Nobody else changes the conversation until the transaction ends. */
static int lock_conversation(struct database *db, const struct ss_conversation_change *change,
	struct difference *difference, struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, STATEMENT_LOCK_CONVERSATION);
	cursor_bind_string(&cursor, change->conversation_id);
	int found = cursor_next(&cursor, err);
	bool is_theirs =
		found == 1 && (change->user_id == NULL ||
				      strcmp(change->user_id, cursor_text(&cursor, 0).data) == 0);
	if (is_theirs && (difference->user_id = copy_of(cursor_text(&cursor, 0))) == NULL)
		found = database_fail_memory(db, err);
	if (is_theirs && change->status != NULL &&
		strcmp(change->status, cursor_text(&cursor, 1).data) != 0) {
		difference->status = change->status;
		difference->resolves = strcmp(change->status, "resolved") == 0;
	}
	cursor_end(&cursor);
	if (found < 0 || is_theirs)
		return found < 0 ? -1 : 0;
	return change->user_id != NULL ? database_fail_conversation(change->conversation_id, err)
				       : fail_unknown(change->conversation_id, err);
}

/* 1 when the reply is there already, 0 when it is not, -1 when another message has its id. */
static int find_reply(
	struct database *db, const struct ss_conversation_change *change, struct ss_error *err)
{
	if (!has_reply(change))
		return 0;
	struct cursor cursor = cursor_begin(db, STATEMENT_FIND_REPLY);
	cursor_bind_string(&cursor, change->reply_id);
	cursor_bind_string(&cursor, change->conversation_id);
	cursor_bind_text(&cursor, change->reply);
	int result = cursor_next(&cursor, err);
	if (result == 1 && cursor_int(&cursor, 0) == 0)
		result = ss_fail_as(err, SS_CONFLICT, "there is another message with the id %s",
			change->reply_id);
	cursor_end(&cursor);
	return result;
}

/* *SEQ is of the last message. */
static int write_change(struct database *db, const struct ss_conversation_change *change,
	const struct difference *difference, int64_t *seq, struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, STATEMENT_CHANGE_CONVERSATION);
	cursor_bind_string(&cursor, change->conversation_id);
	cursor_bind_string(&cursor, difference->status);
	cursor_bind_int(&cursor, difference->replies);
	cursor_bind_int(&cursor, change->at_ns / US_IN_NS);
	int result = cursor_next(&cursor, err);
	if (result == 1) {
		*seq = cursor_int(&cursor, 0);
		result = cursor_next(&cursor, err);
	}
	cursor_end(&cursor);
	return result;
}

static int add_reply(struct database *db, const struct ss_conversation_change *change, int64_t seq,
	struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, STATEMENT_ADD_REPLY);
	cursor_bind_string(&cursor, change->reply_id);
	cursor_bind_string(&cursor, change->conversation_id);
	cursor_bind_int(&cursor, seq);
	cursor_bind_text(&cursor, change->reply);
	cursor_bind_int(&cursor, change->at_ns / US_IN_NS);
	cursor_bind_string(&cursor, change->author);
	int result = cursor_next(&cursor, err);
	/* In another conversation, at this moment. */
	if (result < 0 && cursor_is_duplicate(&cursor))
		result = ss_fail_as(err, SS_CONFLICT, "there is another message with the id %s",
			change->reply_id);
	cursor_end(&cursor);
	return result;
}

static int count_resolved(
	struct database *db, const struct ss_conversation_change *change, struct ss_error *err)
{
	int64_t at_us = change->at_ns / US_IN_NS;
	struct cursor cursor = cursor_begin(db, STATEMENT_COUNT_RESOLVED);
	cursor_bind_string(&cursor, change->conversation_id);
	cursor_bind_int(&cursor, at_us - at_us % hour_us);
	return cursor_finish(&cursor, err);
}

/* Does what CHANGE asks for; nothing when all of it was done before. */
static int apply_difference(struct database *db, const struct ss_conversation_change *change,
	struct difference *difference, struct ss_error *err)
{
	int64_t seq = 0;
	int found = find_reply(db, change, err);
	if (found != 0)
		return found < 0 ? -1 : 0;
	difference->replies = has_reply(change);
	if (!difference->replies && difference->status == NULL)
		return 0;
	if (write_change(db, change, difference, &seq, err) < 0)
		return -1;
	if (difference->replies && add_reply(db, change, seq, err) < 0)
		return -1;
	if (difference->resolves && count_resolved(db, change, err) < 0)
		return -1;
	return database_store_events(db,
		&(struct database_happened){
			.events = &change->events,
			.user_id = difference->user_id,
			.conversation_id = change->conversation_id,
			.at_us = change->at_ns / US_IN_NS,
		},
		1, err);
}

/* In the transaction. */
static int apply_change(
	struct database *db, const struct ss_conversation_change *change, struct ss_error *err)
{
	struct difference difference = {0};
	int result = lock_conversation(db, change, &difference, err);
	if (result == 0)
		result = apply_difference(db, change, &difference, err);
	free(difference.user_id);
	return result;
}

static int change_conversation(
	struct database *db, const void *question, void *answer, struct ss_error *err)
{
	const struct ss_conversation_change *change = question;
	struct ss_value **conversation = answer;
	*conversation = NULL;
	if (check_change(change, err) < 0 || database_begin(db, STATEMENT_BEGIN_WRITE, err) < 0)
		return -1;
	if (apply_change(db, change, err) == 0 &&
		read_conversation(db, change->conversation_id, conversation, err) == 0 &&
		statement_run(db, STATEMENT_COMMIT, err) == 0)
		return 0;
	database_rollback(db);
	database_values(db)->unref(*conversation);
	*conversation = NULL;
	return -1;
}

int database_change_conversation(void *instance, const struct ss_conversation_change *change,
	struct ss_value **conversation, struct ss_error *err)
{
	return database_try(instance, change_conversation, change, conversation, err);
}
