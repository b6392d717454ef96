/*
 * The store service: the storage plugin, which is plain blocking code, on threads of its own, one for each of its
 * instances. Turns that wait to be stored go together into one transaction, and so do the writes to journals and feedback.
 * Called on the loop thread; results come back as calls on the loop, never before the request's function has returned.
 *
 * With one instance requests are done in their order, but for writes, which go before reads that wait with them. With
 * several there is no order among requests that are under way together: who needs one waits for the first to come back.
 */
#ifndef SERVICE_STORE_H
#define SERVICE_STORE_H

#include <smartsupport/plugin.h>

struct event_base;
struct metrics_part;
struct store;

/* What was read, borrowed for the call; or an error. */
typedef void store_read(void *context, const struct ss_value *value, const struct ss_error *err);

/* ERR is NULL when the turn is stored durably. */
typedef void store_committed(void *context, const struct ss_error *err);

/* Instances of one store that a worker has at most. */
enum { STORE_INSTANCES = 32 };

/* A store on the COUNT INSTANCES, 1 to STORE_INSTANCES, which its threads use until store_stop() returns. At most
 * QUEUE_LIMIT requests wait. */
struct store *store_new(struct event_base *base, const struct ss_storage_operations *storage,
	void *const *instances, size_t count, size_t queue_limit, struct ss_error *err);

/* Tells METRICS how many requests wait, and how long they take; before the first one. */
void store_measure(struct store *store, struct metrics_part *metrics);

/* Reads what a turn needs to know; KEY is copied, but for its vector_context. */
int store_turn_context(struct store *store, const struct ss_turn_key *key, store_read *done,
	void *context, struct ss_error *err);

/* Stores TURN, which with its strings stays valid and unchanged until DONE is called. */
int store_commit_turn(struct store *store, const struct ss_turn *turn, store_committed *done,
	void *context, struct ss_error *err);

/* Reads the totals. */
int store_stats(struct store *store, store_read *done, void *context, struct ss_error *err);

/* Finds out whether turns can be stored; what is read is NULL. */
int store_check(struct store *store, store_read *done, void *context, struct ss_error *err);

/* As service_thread_poll(), if commits take less than NS. */
void store_poll(struct store *store, int64_t ns);

/* Writes to the journal of a turn. WRITE and what it points to stay valid and unchanged until DONE is called. */
int store_write_journal(struct store *store, const struct ss_journal_write *write,
	store_committed *done, void *context, struct ss_error *err);

/* Reads a journal, and takes its lease if KEY says so. */
int store_read_journal(struct store *store, const struct ss_journal_key *key, store_read *done,
	void *context, struct ss_error *err);

int store_list_journals(struct store *store, const struct ss_journal_filter *filter,
	store_read *done, void *context, struct ss_error *err);

int store_delete_journal(struct store *store, const char *turn_id, store_committed *done,
	void *context, struct ss_error *err);

/* Stores what a customer says of a turn. FEEDBACK and what it points to stay valid and unchanged until DONE is
 * called. */
int store_give_feedback(struct store *store, const struct ss_feedback *feedback,
	store_committed *done, void *context, struct ss_error *err);

int store_list_unanswered(struct store *store, const struct ss_unanswered_filter *filter,
	store_read *done, void *context, struct ss_error *err);

int store_article_counts(struct store *store, const struct ss_article_range *range,
	store_read *done, void *context, struct ss_error *err);

/* What an operation of the storage is called by, on a thread of the store; -1 and ERR when it fails. It fills CONTEXT,
 * which is the caller's and left alone by others meanwhile. */
typedef int store_call(const struct ss_storage_operations *storage, void *instance, void *context,
	struct ss_error *err);

/* Calls CALL on a thread of the store, and then DONE; both get CONTEXT, which stays valid until then. For all operations
 * that nothing is waiting together with. */
int store_run(struct store *store, store_call *call, store_committed *done, void *context,
	struct ss_error *err);

/* Finishes what was asked for, with its calls, and ends the threads. Who asks for anything after that is refused with SS_UNAVAILABLE. NULL is
 * allowed, as for the next. */
void store_stop(struct store *store);
/* The same, and frees it. */
void store_free(struct store *store);

#endif
