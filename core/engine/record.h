/*
 * What is stored of a turn: its journal, read for going on with the turn or for looking at it. Loop thread.
 *
 * The journal of a turn is what the turn began with, {"input": {…}, "about": {…}, "parent": {turn, checkpoint}}, and
 * entries, each about one task:
 *   {"writes": [[FIELD, VALUE, OVERWRITES], …], "way": N, "attempts": N}   what the node came to
 *   {"cached": true, "writes": [[FIELD, VALUE, OVERWRITES, COPY], …], …}   the same, from its cache
 *   {"error": TEXT, "status": N}    it failed, and the turn went on with its on_error
 *   {"ask": PAYLOAD}                its agent asks
 *   {"answer": VALUE}               what it was answered
 *   {"rejected": TEXT}              it failed with that answer, and the turn with it: it asks again
 *   {"before": VALUE}, {"after": VALUE}   what was answered before or after the node
 *   {"attempt": N}                  its inner workflow failed, and is tried again
 * with "copy", the number of the copy, where the node is sent over a list; what is as always is left out.
 *
 * What a task came to depends on what came before it and on nothing else, and so does its id. So a turn is
 * brought back by running it again with the results of those tasks that are known, which takes microseconds,
 * and whatever order they are known in, it comes out the same.
 */
#ifndef ENGINE_RECORD_H
#define ENGINE_RECORD_H

#include <smartsupport/error.h>
#include <smartsupport/value.h>

#include <stdint.h>

struct record;
struct store;

/* The member of an entry that says what a node came to, for how long after the node's start: microseconds. */
#define RECORD_TIME "us"

/* Reads JOURNAL, as storage gives it. NULL and ERR when it is none. Records are immutable and counted. */
struct record *record_new(const struct ss_value *journal, struct ss_error *err);
struct record *record_ref(struct record *record);
void record_unref(struct record *record);

const char *record_id(const struct record *record);

/* Whose turn it is, and of which conversation; NULL: of nobody's. */
const char *record_user(const struct record *record);
const char *record_conversation(const struct record *record);

/* "running", "interrupted", "done" or "failed"; and why it failed, or NULL. */
const char *record_status(const struct record *record);
const char *record_error(const struct record *record);

/* What the turn began with, a map from fields to values. */
const struct ss_value *record_input(const struct record *record);

/* What its owner must know of the turn (struct turn_options), or NULL. */
const struct ss_value *record_about(const struct record *record);

/* Of the workflow that the turn began with; the source is for graph_restore(). */
const char *record_workflow(const struct record *record);
const struct ss_value *record_source(const struct record *record);

/* The number of the lease that was taken, and of entries. */
int64_t record_fence(const struct record *record);
size_t record_count(const struct record *record);

/* The COUNT tasks in TASKS and no others, as a new record; nothing can be written under it. */
struct record *record_cut(const struct record *record, const uint64_t *tasks, size_t count);

struct record_entry {
	uint64_t task;
	char *data; /* JSON */
};

/* The entries of the COUNT tasks in TASKS for another journal, and CHANGES to the state after the last of them
 * (a map from fields to values, or NULL). A new array of *ENTRIES, with new texts. */
struct record_entry *record_copy(const struct record *record, const uint64_t *tasks, size_t count,
	const struct ss_value *changes, size_t *entries);

/* Called with what was read, for the callee to give back, or an error. */
typedef void record_read(void *context, struct record *record, const struct ss_error *err);

/* Reads the journal of the turn ID; if it is CLAIMED, to go on with it: then no other process can, as long as
 * it is gone on with here. SS_CONFLICT when another process does or the turn is done, SS_NOT_FOUND when there
 * is none. */
int record_fetch(struct store *store, const char *id, bool claimed, record_read *done,
	void *context, struct ss_error *err);

/* How long a lease lasts when it is not renewed. */
#define RECORD_LEASE_NS INT64_C(15000000000)

/* The answers that the turn got, in their order: a new list of {id (of the interrupt), value}. */
struct ss_value *record_answers(const struct record *record);

/* For the engine: the last entry of the task about COPY (-1: the task as a whole) that has KEY, or NULL. */
const struct ss_value *record_find(
	const struct record *record, uint64_t task, int64_t copy, const char *key);

/* What COPY of the task asks, if it has not been answered yet; else NULL. */
const struct ss_value *record_question(const struct record *record, uint64_t task, int64_t copy);

/* What COPY of the task came to when it ran; NULL when that is not known. */
const struct ss_value *record_outcome(const struct record *record, uint64_t task, int64_t copy);

/* Whether DATA, of an entry, says what a node or a copy came to: it ran, failed for good or was in the cache. */
bool record_is_result(const struct ss_value *data);

/* Whether anything is known of the task, be it that it asked. */
bool record_mentions(const struct record *record, uint64_t task);

/* Whether anything is known of what the task came to. */
bool record_knows(const struct record *record, uint64_t task);

#endif
