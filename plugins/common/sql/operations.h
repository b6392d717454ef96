/*
 * The operations of a storage in an SQL database, as <smartsupport/storage.h> describes them: written once for all
 * plugins that have such a database. A plugin gives the texts of the statements (statements.h), runs them on its
 * connection, and tells what its errors mean. An instance is used by one thread at a time.
 */
#ifndef COMMON_SQL_OPERATIONS_H
#define COMMON_SQL_OPERATIONS_H

#include "common/sql/statements.h"

#include <smartsupport/smartsupport.h>

/* An instance; its members are the plugin's. */
struct database;

/* What the plugin gives. */

const struct ss_value_functions *database_values(const struct database *db);

/* Fills ERR: there is not enough memory. Returns -1. */
int database_fail_memory(const struct database *db, struct ss_error *err);

/* Begins with STATEMENT_BEGIN_READ or STATEMENT_BEGIN_WRITE. */
int database_begin(struct database *db, enum statement begin, struct ss_error *err);

/* Instead of it, where only one statement follows: that is committed when it is done. */
int database_begin_single(struct database *db, struct ss_error *err);

/* Ends the transaction and drops what it did; nothing happens when there is none. */
void database_rollback(struct database *db);

/* From now on cursor_finish() need not wait until its statement is done, where that takes a way to a server and back;
 * or it does again. What fails then shows up as the failure of a later one, at the latest of the commit, which is for
 * the time when it waits again. */
void database_defer(struct database *db, bool defers);

/* Remembers how a commit went: 0, or -1 and ERR. Returns RESULT. */
int database_note_commit(struct database *db, int result, const struct ss_error *err);

/* One attempt at an operation: reads QUESTION, fills ANSWER. It leaves no transaction open. */
typedef int database_attempt(
	struct database *db, const void *question, void *answer, struct ss_error *err);

/* Calls ATTEMPT, and again when it has failed by what another one may not meet: a connection that was cut, or another
 * server's transaction in its way. */
int database_try(struct database *db, database_attempt *attempt, const void *question, void *answer,
	struct ss_error *err);

/* Whether this attempt follows one whose commit has a result that nobody knows. So what it does may be done. */
bool database_is_again(const struct database *db);

/* Whether what was refused last met what somebody else has stored meanwhile, so that another look may end otherwise. */
bool database_met_another(const struct database *db);

/* Sees to it that what was deleted cannot be found in the store's files any more, as far as this can be done now. */
void database_wipe(struct database *db);
/* The same by the way: at once when nobody has to be waited for, else before a later transaction. */
void database_wipe_soon(struct database *db);

/* Since when a conversation that was changed counts as active, in microseconds since 1970, UTC. */
int64_t database_active_since(const struct database *db);

/* The operations. */

int database_turn_context(void *instance, const struct ss_turn_key *key, struct ss_value **context,
	struct ss_error *err);
int database_commit_turns(
	void *instance, const struct ss_turn *turns, size_t count, struct ss_error *errors);
int database_stats(void *instance, struct ss_value **stats, struct ss_error *err);
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
int database_list_conversations(void *instance, const struct ss_conversation_filter *filter,
	struct ss_value **page, struct ss_error *err);
int database_read_conversation(void *instance, const char *conversation_id,
	struct ss_value **conversation, struct ss_error *err);
int database_list_messages(void *instance, const struct ss_message_filter *filter,
	struct ss_value **page, struct ss_error *err);
int database_change_conversation(void *instance, const struct ss_conversation_change *change,
	struct ss_value **conversation, struct ss_error *err);
int database_delete_conversation(void *instance, const char *conversation_id, struct ss_error *err);
int database_list_users(void *instance, const struct ss_user_filter *filter, struct ss_value **page,
	struct ss_error *err);
int database_read_user(
	void *instance, const char *user_id, struct ss_value **user, struct ss_error *err);
int database_store_user(
	void *instance, const struct ss_user *user, struct ss_value **stored, struct ss_error *err);
int database_erase_user(void *instance, const struct ss_erasure *erasure, struct ss_value **erased,
	struct ss_error *err);
int database_read_analytics(void *instance, const struct ss_analytics_range *range,
	struct ss_value **series, struct ss_error *err);
int database_store_documents(
	void *instance, const struct ss_document *documents, size_t count, struct ss_error *errors);
int database_read_documents(void *instance, const struct ss_document_filter *filter,
	struct ss_value **found, struct ss_error *err);
int database_list_events(void *instance, const struct ss_event_filter *filter,
	struct ss_value **page, struct ss_error *err);
int database_claim_deliveries(void *instance, const struct ss_delivery_claim *claim,
	struct ss_value **claimed, struct ss_error *err);
int database_finish_deliveries(void *instance, const struct ss_delivery_attempt *attempts,
	size_t count, struct ss_error *errors);
int database_list_deliveries(void *instance, const struct ss_delivery_filter *filter,
	struct ss_value **page, struct ss_error *err);
int database_redeliver(void *instance, const struct ss_delivery_filter *filter, size_t *count,
	struct ss_error *err);
int database_delivery_counts(void *instance, struct ss_value **counts, struct ss_error *err);
int database_claim_request(void *instance, const struct ss_request_key *key,
	struct ss_value **claim, struct ss_error *err);
int database_finish_request(
	void *instance, const struct ss_request_result *result, struct ss_error *err);
int database_list_requests(void *instance, const struct ss_request_filter *filter,
	struct ss_value **page, struct ss_error *err);
int database_purge(
	void *instance, const struct ss_purge *wanted, size_t *count, struct ss_error *err);
int database_watch(
	void *instance, const struct ss_watch *watch, struct ss_value **seen, struct ss_error *err);
void database_interrupt_watch(void *instance);

/* What they share. */

/* Stores an item: 1, 0 when it was stored before, or -1. */
typedef int database_write(struct database *db, const void *item, struct ss_error *err);

/* What is done for COUNT items at once; they may be put in another order. */
typedef int database_many(
	struct database *db, const void **items, size_t count, struct ss_error *err);

/* What is stored in one transaction. */
struct database_batch {
	const void *items; /* structures that begin with their size */
	size_t count;
	size_t size;  /* of one, which may have more members than are known here */
	size_t least; /* of those that are known */
	database_write *write;
	database_many *finish; /* NULL, or for those that are new, when all are written */
	/* NULL, or the same for all of them without a look at what is there, as nearly always all are new: what cannot be
	 * stored breaks a rule of the schema. */
	database_many *write_new;
	/* NULL, or the order in which they are stored, as qsort() wants it of pointers to pointers to items; without it
	 * they are stored as they come. */
	int (*compare)(const void *a, const void *b);
	const char *(*id)(const void *item);
	/* NULL, or whether write() runs one statement only for the item. */
	bool (*is_single)(const struct database *db, const void *item);
	const char *noun; /* what an item is called; NULL: a turn */
};

/* Stores all items of BATCH but those that are refused, whose ERRORS are filled; -1 and ERRORS[0] when
 * nothing is stored. */
int database_commit_all(
	struct database *db, const struct database_batch *batch, struct ss_error *errors);

/* Adds the COUNT turns to the figures. */
int database_count_turns(
	struct database *db, const void *const *turns, size_t count, struct ss_error *err);

/* Adds to the rows of CURSOR, which are of STATEMENT_ADD_SHOWN, the articles that TURN shows, whose answer is stored as
 * MESSAGE_ID; counts those that COUNT turns show; keeps the questions of TURNS, which all had no answer and of which those with
 * the same key follow each other. */
int database_note_shown(struct cursor *cursor, const struct ss_turn *turn, const char *message_id,
	struct ss_error *err);
int database_count_views(
	struct database *db, const void *const *turns, size_t count, struct ss_error *err);
int database_note_unanswered(
	struct database *db, const void *const *turns, size_t count, struct ss_error *err);

/* What happened to a user in a conversation, each of which may be NULL. */
struct database_happened {
	const struct ss_events *events;
	const char *user_id, *conversation_id;
	int64_t at_us;
};

/* Stores the events of COUNT times that something HAPPENED, with their deliveries, in the transaction that stores what they
 * tell of. */
int database_store_events(struct database *db, const struct database_happened *happened,
	size_t count, struct ss_error *err);

/* Deletes the conversation with all that is of it, in a transaction: 1, or 0 when there is none, or -1. */
int database_remove_conversation(
	struct database *db, const char *conversation_id, struct ss_error *err);

/* Identifiers: UUIDs of version 7 (RFC 9562) with their time to the microsecond (6.2, method 3), so that what is stored later is
 * added at the end of an index. Both return -1 and ERR when the system has no random numbers. */
enum { DATABASE_ID_SIZE = 37 };

/* Makes the ID of something of the time AT_US. */
int database_make_id(int64_t at_us, char id[DATABASE_ID_SIZE], struct ss_error *err);

/* Makes COUNT of the time at which it is called, each greater than the one before (6.2, method 2). */
int database_make_ids(char (*ids)[DATABASE_ID_SIZE], size_t count, struct ss_error *err);

/* AT_US as RFC 3339 with microseconds, 2026-01-31T09:05:00.123456Z; new. */
struct ss_value *database_time(const struct database *db, int64_t at_us);

/* Fills ERR for a conversation that USER has not: it does not tell whether somebody else has it. */
int database_fail_conversation(const char *conversation_id, struct ss_error *err);

/* Commits something that leaves no trace. */
int database_try_commit(struct database *db, struct ss_error *err);

/* Microseconds since 1970, UTC. */
int64_t database_now_us(void);

#endif
