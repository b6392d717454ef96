/*
 * The statements of a storage in an SQL database, and how one is run. What they say is the plugin's, one text for each
 * of them with its parameters in the order in which the operations bind them; they are prepared once for a connection.
 * Used by the operations, which are the same for every such plugin, on the store's thread.
 */
#ifndef COMMON_SQL_STATEMENTS_H
#define COMMON_SQL_STATEMENTS_H

#include <smartsupport/value.h>

struct database;

enum statement {
	STATEMENT_BEGIN_READ,
	STATEMENT_BEGIN_WRITE,
	STATEMENT_COMMIT,
	STATEMENT_ROLLBACK,
	STATEMENT_BEGIN_TURN,
	STATEMENT_END_TURN,
	STATEMENT_UNDO_TURN,
	STATEMENT_FIND_TURN,
	STATEMENT_ADD_USER,
	STATEMENT_ADD_CONVERSATION,
	STATEMENT_CONTINUE_CONVERSATION,
	STATEMENT_ADD_QUESTION,
	STATEMENT_ADD_ANSWER,
	STATEMENT_COUNT_IN_HOUR,
	STATEMENT_COUNT_IN_TOTAL,
	STATEMENT_REMOVE_TOTAL,
	STATEMENT_FIND_USER,
	STATEMENT_FIND_CONVERSATION,
	STATEMENT_READ_HISTORY,
	STATEMENT_READ_RECENT,
	STATEMENT_READ_STATS,
	STATEMENT_ADD_WORKFLOW,
	STATEMENT_ADD_JOURNAL,
	STATEMENT_FIND_JOURNAL,
	STATEMENT_CHANGE_JOURNAL,
	STATEMENT_ADD_ENTRY,
	STATEMENT_ADD_ENTRY_AGAIN,
	STATEMENT_ADD_ENTRY_ONLY,
	STATEMENT_READ_JOURNAL,
	STATEMENT_FIND_LEASE,
	STATEMENT_TAKE_LEASE,
	STATEMENT_READ_ENTRIES,
	STATEMENT_LIST_JOURNALS,
	STATEMENT_LIST_JOURNALS_DONE,
	STATEMENT_LIST_JOURNALS_NOT_DONE,
	STATEMENT_DELETE_JOURNAL,
	STATEMENT_ADD_SHOWN,
	STATEMENT_COUNT_VIEWS,
	STATEMENT_ADD_UNANSWERED,
	STATEMENT_FIND_ANSWER,
	STATEMENT_FIND_VOTE,
	STATEMENT_ADD_FEEDBACK,
	STATEMENT_COUNT_VOTE,
	STATEMENT_LIST_NEWEST_UNANSWERED,
	STATEMENT_LIST_MOST_UNANSWERED,
	STATEMENT_LIST_NEWEST_UNANSWERED_OF_USER,
	STATEMENT_LIST_MOST_UNANSWERED_OF_USER,
	STATEMENT_READ_ARTICLE_COUNTS,
	STATEMENT_FIND_THREAD,
	STATEMENT_SET_THREAD,

	/* Conversations, messages, users and figures. */
	STATEMENT_LIST_CONVERSATIONS,
	STATEMENT_LIST_CONVERSATIONS_OF_USER,
	STATEMENT_LIST_CONVERSATIONS_OF_KINDS,
	STATEMENT_READ_CONVERSATION,
	STATEMENT_LOCK_CONVERSATION,
	STATEMENT_CHANGE_CONVERSATION,
	STATEMENT_DELETE_CONVERSATION,
	STATEMENT_DELETE_LAST_MESSAGES,
	STATEMENT_SHORTEN_CONVERSATION,
	STATEMENT_DELETE_JOURNALS_OF_CONVERSATION,
	STATEMENT_FIND_PLACE,
	STATEMENT_LIST_MESSAGES,
	STATEMENT_FIND_REPLY,
	STATEMENT_ADD_REPLY,
	STATEMENT_LIST_USERS,
	STATEMENT_LIST_VIPS,
	STATEMENT_READ_USER,
	STATEMENT_CREATE_USER,
	STATEMENT_CHANGE_USER,
	STATEMENT_LOCK_USER,
	STATEMENT_FIND_CONVERSATION_OF_USER,
	STATEMENT_DELETE_JOURNALS_OF_USER,
	STATEMENT_DELETE_QUESTIONS_OF_USER,
	STATEMENT_EMPTY_USER,
	STATEMENT_DELETE_USER,
	STATEMENT_NOTE_ERASURE,
	STATEMENT_END_ERASURE,
	STATEMENT_LIST_JOURNALS_OF_USER,
	STATEMENT_COUNT_RESOLVED,
	STATEMENT_COUNT_RATING,
	STATEMENT_READ_ANALYTICS,
	STATEMENT_READ_CATEGORIES,
	STATEMENT_READ_SENTIMENTS,

	/* Documents. Of the first ones there are as many as kinds, in the order of enum ss_document_kind. */
	STATEMENT_FIND_DOCUMENT,
	STATEMENT_STORE_DOCUMENT = STATEMENT_FIND_DOCUMENT + 4,
	STATEMENT_READ_DOCUMENT = STATEMENT_STORE_DOCUMENT + 4,
	STATEMENT_READ_DOCUMENTS = STATEMENT_READ_DOCUMENT + 4,
	STATEMENT_READ_CHANGED_DOCUMENTS = STATEMENT_READ_DOCUMENTS + 4,
	STATEMENT_PURGE_DOCUMENTS = STATEMENT_READ_CHANGED_DOCUMENTS + 4,
	STATEMENT_TAKE_VERSION = STATEMENT_PURGE_DOCUMENTS + 4,
	STATEMENT_READ_VERSION,
	STATEMENT_READ_VERSIONS,

	/* Events and their deliveries. */
	STATEMENT_ADD_EVENT,
	STATEMENT_ADD_DELIVERY,
	STATEMENT_FIND_OWNER_OF_TURN,
	STATEMENT_DELETE_EVENTS_OF_CONVERSATION,
	STATEMENT_DELETE_EVENTS_OF_USER,
	STATEMENT_LIST_EVENTS,
	STATEMENT_LIST_EVENTS_OF_TYPE,
	STATEMENT_LIST_EVENTS_OF_USER,
	STATEMENT_LIST_EVENTS_OF_USER_AND_TYPE,
	STATEMENT_LIST_EVENTS_OF_CONVERSATION,
	STATEMENT_LIST_OLDEST_EVENTS,
	STATEMENT_COUNT_EVENTS,
	STATEMENT_LIST_OLDEST_EVENTS_OF_TYPE,
	STATEMENT_LIST_OLDEST_EVENTS_OF_USER,
	STATEMENT_LIST_OLDEST_EVENTS_OF_CONVERSATION,
	STATEMENT_FIND_END_OF_EVENTS,
	STATEMENT_READ_EVENT_MARKS,
	STATEMENT_RELEASE_CLAIMS,
	STATEMENT_FIND_DUE_DELIVERIES,
	STATEMENT_CLAIM_DELIVERY,
	STATEMENT_FIND_CLAIM,
	STATEMENT_FINISH_DELIVERY,
	STATEMENT_ADD_ATTEMPT,
	STATEMENT_DELETE_OLD_ATTEMPTS,
	STATEMENT_READ_ATTEMPTS,
	STATEMENT_LIST_DELIVERIES,
	STATEMENT_LIST_ONE_DELIVERY,
	STATEMENT_LIST_DELIVERIES_OF_EVENT,
	STATEMENT_LIST_DELIVERIES_OF_WEBHOOK,
	STATEMENT_LIST_DELIVERIES_NOT_DELIVERED,
	STATEMENT_REDELIVER,
	STATEMENT_READ_DELIVERY_COUNTS,

	/* Requests. */
	STATEMENT_ENTER_REQUEST,
	STATEMENT_TAKE_REQUEST,
	STATEMENT_FIND_REQUEST,
	STATEMENT_FINISH_REQUEST,
	STATEMENT_DELETE_REQUESTS_OF_USER,
	STATEMENT_DELETE_REQUESTS_OF_CONVERSATION,
	STATEMENT_LIST_REQUESTS_OF_USER,

	/* What is old. */
	STATEMENT_FIND_OLD_CONVERSATION,
	STATEMENT_PURGE_EVENTS,
	STATEMENT_PURGE_DELIVERIES,
	STATEMENT_LIST_OLDEST_JOURNALS,
	STATEMENT_PURGE_JOURNAL,
	STATEMENT_PURGE_REQUESTS,
	STATEMENT_FIND_OLD_ERASURE,

	STATEMENTS, /* how many there are */
};

/* One run of a statement: begun, its parameters bound in their order, stepped through, ended. What is
 * bound is borrowed until cursor_end(). Errors of binding show up in cursor_next(). */
struct cursor {
	struct database *db;
	void *run;      /* the plugin's */
	int parameters; /* bound so far */
	int code;       /* of the first bind that failed */
};

struct cursor cursor_begin(struct database *db, enum statement statement);
void cursor_bind_int(struct cursor *cursor, int64_t value);
/* NULL binds the SQL null. */
void cursor_bind_string(struct cursor *cursor, const char *string);
void cursor_bind_text(struct cursor *cursor, struct ss_text text);
/* NULL data binds the SQL null. */
void cursor_bind_bytes(struct cursor *cursor, struct ss_bytes bytes);
/* The time by the clock that leases go by, in microseconds since 1970, UTC; always the last parameter. Where the
 * statements ask the database's own clock nothing is bound. */
void cursor_bind_now(struct cursor *cursor);

/* 1 when there is a row, 0 at the end, -1 and ERR when it failed. */
int cursor_next(struct cursor *cursor, struct ss_error *err);

/* Runs CURSOR's statement, which adds one row: 0 and its NUMBER, or -1 and ERR. */
int cursor_add(struct cursor *cursor, int64_t *number, struct ss_error *err);

/* Runs CURSOR's statement, which adds one row unless it is there already, and ends it: 1 and its NUMBER, or 0, or -1 and ERR.
 * Where it need not wait (database_defer()) nobody knows yet: 1 and a NUMBER that the statements take for that of the row
 * which was to be added last, if it was. */
int cursor_add_new(struct cursor *cursor, int64_t *number, struct ss_error *err);

/* Whether cursor_next() or cursor_add() failed because there is a row with such a key already. */
bool cursor_is_duplicate(const struct cursor *cursor);

/* How many rows the statement changed, which gave none; before cursor_end(). */
int64_t cursor_changes(const struct cursor *cursor);

bool cursor_is_null(const struct cursor *cursor, int column);
/* 0 for null. */
int64_t cursor_int(const struct cursor *cursor, int column);
double cursor_number(const struct cursor *cursor, int column);

/* The text in COLUMN of the row, with its length; borrowed until the next step. NULL data for null. */
struct ss_text cursor_text(const struct cursor *cursor, int column);

/* The same of bytes; NULL data for null and for none. */
struct ss_bytes cursor_bytes(const struct cursor *cursor, int column);

void cursor_end(struct cursor *cursor);

/* Runs CURSOR's statement, whose rows do not matter, and ends it. See database_defer(). */
int cursor_finish(struct cursor *cursor, struct ss_error *err);

/* Begins a statement that adds many rows, of tables that have nothing else to say to them: the parameters of each are bound
 * in their order and ended with cursor_end_row(), and stay where they are until all rows are added with cursor_finish_rows(). No
 * two of them may have the same key, as they are added at once. A connection has one such cursor at a time. A single row may be
 * added with cursor_next() instead, as by another statement. */
struct cursor cursor_begin_rows(struct database *db, enum statement statement);

/* Ends CURSOR when it fails. */
int cursor_end_row(struct cursor *cursor, struct ss_error *err);

/* Adds what is not added yet, and ends CURSOR. See database_defer(). */
int cursor_finish_rows(struct cursor *cursor, struct ss_error *err);

/* Runs STATEMENT, which has no parameters and gives no rows. */
int statement_run(struct database *db, enum statement statement, struct ss_error *err);

#endif
