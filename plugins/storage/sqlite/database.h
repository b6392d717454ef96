/*
 * One connection to a database file: opening it, transactions, and what its errors mean. An instance
 * of the plugin has one; it is used by one thread at a time. Several processes open the same file and
 * need nothing but SQLite's own locks. A connection is never carried through a fork.
 */
#ifndef SQLITE_DATABASE_H
#define SQLITE_DATABASE_H

#include "storage/sqlite/statements.h"

#include <smartsupport/smartsupport.h>
#include <sqlite3.h>

struct database {
	const struct ss_host *host;
	const struct ss_value_functions *values;
	sqlite3 *handle;
	char *path; /* absolute */
	int64_t busy_timeout_ns;
	int64_t busy_since_ns;        /* when SQLite began to wait for a lock */
	struct ss_error commit_error; /* why the last commit failed; SS_OK when it worked */
	int64_t commit_tried_ns;      /* when it failed */
	int64_t active_window_us;
	sqlite3_stmt *statements[STATEMENTS];
};

struct database_settings {
	const char *path;
	bool synchronous_full; /* else NORMAL: the last commits may be lost when the power fails */
	double busy_timeout_s;
	double active_window_s;
};

/* Opens the file, creates it where it does not exist (readable by its owner only), and brings its schema
 * up to date. NULL and ERR, which names the file, when that fails. */
struct database *database_open(
	const struct ss_host *host, const struct database_settings *settings, struct ss_error *err);

/* Closes what was opened, also half; NULL is allowed. */
void database_close(struct database *db);

/* Fills ERR with what SQLite's result CODE means for DB's file. Called before anything else is done with
 * the connection, which knows the details of its last error only. Returns -1. */
int database_fail(struct database *db, int code, struct ss_error *err);

/* Begins with STATEMENT_BEGIN_READ or STATEMENT_BEGIN_WRITE. */
int database_begin(struct database *db, enum statement begin, struct ss_error *err);

/* Ends the transaction and drops what it did; nothing happens when there is none. */
void database_rollback(struct database *db);

/* The storage operations, as <smartsupport/plugin.h> describes them. */
int database_turn_context(void *instance, const struct ss_turn_key *key, struct ss_value **context,
	struct ss_error *err);
int database_commit_turns(
	void *instance, const struct ss_turn *turns, size_t count, struct ss_error *errors);
int database_stats(void *instance, struct ss_value **stats, struct ss_error *err);
int database_check(void *instance, struct ss_error *err);
int database_write_journals(void *instance, const struct ss_journal_write *writes, size_t count,
	struct ss_error *errors);
int database_read_journal(void *instance, const struct ss_journal_key *key,
	struct ss_value **journal, struct ss_error *err);
int database_list_journals(void *instance, const struct ss_journal_filter *filter,
	struct ss_value **journals, struct ss_error *err);
int database_delete_journal(void *instance, const char *turn_id, struct ss_error *err);
int database_store_feedback(
	void *instance, const struct ss_feedback *feedback, size_t count, struct ss_error *errors);
int database_list_unanswered(void *instance, const struct ss_unanswered_filter *filter,
	struct ss_value **page, struct ss_error *err);
int database_article_counts(void *instance, const struct ss_article_range *range,
	struct ss_value **counts, struct ss_error *err);

/* What is stored in one transaction. */
struct database_batch {
	const void *items; /* structures that begin with their size */
	size_t count;
	size_t size;  /* of one, which may have more members than are known here */
	size_t least; /* of those that are known */
	int (*write)(struct database *db, const void *item, struct ss_error *err);
	const char *(*id)(const void *item);
};

/* Stores all items of BATCH but those that are refused, whose ERRORS are filled; -1 and ERRORS[0] when
 * nothing is stored. */
int database_commit_all(
	struct database *db, const struct database_batch *batch, struct ss_error *errors);

/* Counts the articles that TURN shows, whose answer is stored as MESSAGE_ID, and its question if it has no answer. */
int database_note_shown(struct database *db, const struct ss_turn *turn, const char *message_id,
	struct ss_error *err);
int database_note_unanswered(struct database *db, const struct ss_turn *turn, struct ss_error *err);

/* AT_US as RFC 3339 with microseconds, 2026-01-31T09:05:00.123456Z; new. */
struct ss_value *database_time(const struct database *db, int64_t at_us);

/* Fills ERR for a conversation that USER has not: it does not tell whether somebody else has it. */
int database_fail_conversation(const char *conversation_id, struct ss_error *err);

/* Remembers how a commit went: 0, or -1 and ERR. Returns RESULT. */
int database_note_commit(struct database *db, int result, const struct ss_error *err);

/* Commits something that leaves no trace. */
int database_try_commit(struct database *db, struct ss_error *err);

/* Microseconds since 1970, UTC. */
int64_t database_now_us(void);

#endif
