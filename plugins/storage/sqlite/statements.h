/*
 * The SQL of the store, one text for each statement, and how a statement is run. The statements are
 * prepared once when a database is opened and kept until it is closed. Used by the operations, on the
 * store's thread.
 */
#ifndef SQLITE_STATEMENTS_H
#define SQLITE_STATEMENTS_H

#include <smartsupport/value.h>
#include <sqlite3.h>

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
	STATEMENT_READ_JOURNAL,
	STATEMENT_TAKE_LEASE,
	STATEMENT_READ_ENTRIES,
	STATEMENT_LIST_JOURNALS,
	STATEMENT_LIST_JOURNALS_DONE,
	STATEMENT_LIST_JOURNALS_NOT_DONE,
	STATEMENT_DELETE_JOURNAL,
	STATEMENT_ADD_SHOWN,
	STATEMENT_COUNT_VIEW,
	STATEMENT_ADD_UNANSWERED,
	STATEMENT_FIND_ANSWER,
	STATEMENT_ADD_FEEDBACK,
	STATEMENT_COUNT_VOTE,
	STATEMENT_LIST_NEWEST_UNANSWERED,
	STATEMENT_LIST_MOST_UNANSWERED,
	STATEMENT_READ_ARTICLE_COUNTS,
	STATEMENT_FIND_THREAD,
	STATEMENT_SET_THREAD,
	STATEMENTS, /* how many there are */
};

/* The text of each statement. */
extern const char *const statement_texts[STATEMENTS];

/* Prepares all statements of DB. */
int statements_prepare(struct database *db, struct ss_error *err);
void statements_finalize(struct database *db);

/* One run of a statement: begun, its parameters bound in their order, stepped through, ended. What is
 * bound is borrowed until cursor_end(). Errors of binding show up in cursor_next(). */
struct cursor {
	struct database *db;
	sqlite3_stmt *statement;
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

/* 1 when there is a row, 0 at the end, -1 and ERR when it failed. */
int cursor_next(struct cursor *cursor, struct ss_error *err);

/* The text in COLUMN of the row, with its length; borrowed until the next step. NULL data for null. */
struct ss_text cursor_text(const struct cursor *cursor, int column);

/* The same of bytes; NULL data for null and for none. */
struct ss_bytes cursor_bytes(const struct cursor *cursor, int column);

void cursor_end(struct cursor *cursor);

/* Runs CURSOR's statement, which gives no rows, and ends it. */
int cursor_finish(struct cursor *cursor, struct ss_error *err);

/* Runs STATEMENT, which has no parameters and gives no rows. */
int statement_run(struct database *db, enum statement statement, struct ss_error *err);

#endif
