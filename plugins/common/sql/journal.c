/* Journals of turns: writing to many in one transaction, each under its lease, and reading them. */
#include "common/sql/operations.h"
#include "common/sql/rows.h"

#include <stdlib.h>
#include <string.h>

enum { US_IN_NS = 1000 };

static int add_workflow(
	struct database *db, const struct ss_journal_write *write, struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, STATEMENT_ADD_WORKFLOW);
	cursor_bind_string(&cursor, write->workflow);
	cursor_bind_text(&cursor, write->workflow_text);
	return cursor_finish(&cursor, err);
}

/* *NUMBER is the new journal's. */
static int add_journal(struct database *db, const struct ss_journal_write *write, int64_t *number,
	struct ss_error *err)
{
	if (add_workflow(db, write, err) < 0)
		return -1;
	struct cursor cursor = cursor_begin(db, STATEMENT_ADD_JOURNAL);
	cursor_bind_string(&cursor, write->turn_id);
	cursor_bind_string(&cursor, write->workflow);
	cursor_bind_text(&cursor, write->start);
	cursor_bind_string(&cursor, write->status);
	cursor_bind_string(&cursor, write->error);
	cursor_bind_int(&cursor, write->fence);
	cursor_bind_string(&cursor, write->owner);
	cursor_bind_int(&cursor, write->lease_ns / US_IN_NS);
	cursor_bind_string(&cursor, write->user_id);
	cursor_bind_string(&cursor, write->conversation_id);
	cursor_bind_now(&cursor);
	int result = cursor_add(&cursor, number, err);
	if (result < 0 && cursor_is_duplicate(&cursor))
		result = ss_fail_as(err, SS_CONFLICT, "a turn with this id is stored already");
	cursor_end(&cursor);
	return result;
}

static int fail_fence(struct ss_error *err)
{
	return ss_fail_as(
		err, SS_CONFLICT, "somebody else goes on with the turn, or has deleted it");
}

static int find_journal(struct database *db, const struct ss_journal_write *write, int64_t *number,
	struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, STATEMENT_FIND_JOURNAL);
	cursor_bind_string(&cursor, write->turn_id);
	cursor_bind_int(&cursor, write->fence);
	int result = cursor_next(&cursor, err);
	if (result == 1)
		*number = cursor_int(&cursor, 0);
	cursor_end(&cursor);
	if (result == 0)
		return fail_fence(err);
	return result < 0 ? -1 : 0;
}

static bool changes_journal(const struct ss_journal_write *write)
{
	return write->status != NULL || write->owner == NULL || write->lease_ns != 0;
}

static int change_journal(struct database *db, const struct ss_journal_write *write, int64_t number,
	struct ss_error *err)
{
	if (!changes_journal(write))
		return 0;
	struct cursor cursor = cursor_begin(db, STATEMENT_CHANGE_JOURNAL);
	cursor_bind_int(&cursor, number);
	cursor_bind_string(&cursor, write->status);
	cursor_bind_string(&cursor, write->error);
	cursor_bind_string(&cursor, write->owner);
	if (write->lease_ns == 0)
		cursor_bind_string(&cursor, NULL);
	else
		cursor_bind_int(&cursor, write->lease_ns / US_IN_NS);
	cursor_bind_now(&cursor);
	return cursor_finish(&cursor, err);
}

static int add_entries(struct database *db, const struct ss_journal_write *write, int64_t number,
	struct ss_error *err)
{
	/* Under the lease nobody else adds any, so those that are there are of the attempt before. */
	enum statement add =
		database_is_again(db) ? STATEMENT_ADD_ENTRY_AGAIN : STATEMENT_ADD_ENTRY;
	for (size_t i = 0; i < write->entry_count; i++) {
		struct cursor cursor = cursor_begin(db, add);
		cursor_bind_int(&cursor, number);
		cursor_bind_int(&cursor, write->first + (int64_t)i);
		cursor_bind_int(&cursor, write->entries[i].task);
		cursor_bind_text(&cursor, write->entries[i].data);
		if (cursor_finish(&cursor, err) < 0)
			return -1;
	}
	return 0;
}

/* Whether WRITE is what a turn writes at nearly all of its nodes. */
static bool adds_entry_only(const struct database *db, const void *item)
{
	const struct ss_journal_write *write = item;
	return write->workflow == NULL && !changes_journal(write) && write->entry_count == 1 &&
	       !database_is_again(db);
}

/* The same as finding the journal and adding the entry, in one statement. */
static int add_entry_only(
	struct database *db, const struct ss_journal_write *write, struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, STATEMENT_ADD_ENTRY_ONLY);
	cursor_bind_string(&cursor, write->turn_id);
	cursor_bind_int(&cursor, write->fence);
	cursor_bind_int(&cursor, write->first);
	cursor_bind_int(&cursor, write->entries[0].task);
	cursor_bind_text(&cursor, write->entries[0].data);
	int result = cursor_next(&cursor, err);
	if (result == 0 && cursor_changes(&cursor) == 0)
		result = fail_fence(err);
	cursor_end(&cursor);
	return result;
}

/* 1 when the journal that WRITE begins is there with its first entries, since the attempt before has stored them. */
static int is_begun(struct database *db, const struct ss_journal_write *write, struct ss_error *err)
{
	int64_t number;
	if (!database_is_again(db))
		return 0;
	struct ss_error cause = {.status = SS_OK};
	if (find_journal(db, write, &number, &cause) == 0)
		return 1;
	if (cause.status == SS_CONFLICT)
		return 0;
	*err = cause;
	return -1;
}

static int write_journal(struct database *db, const void *item, struct ss_error *err)
{
	const struct ss_journal_write *write = item;
	int64_t number = 0;
	if (write->turn_id == NULL || write->turn_id[0] == '\0')
		return ss_fail_as(err, SS_INVALID, "it needs the id of the turn");
	if (adds_entry_only(db, write))
		return add_entry_only(db, write, err) < 0 ? -1 : 1;
	if (write->workflow != NULL) {
		int begun = is_begun(db, write, err);
		if (begun != 0)
			return begun < 0 ? -1 : 0;
		if (add_journal(db, write, &number, err) < 0)
			return -1;
	} else if (find_journal(db, write, &number, err) < 0 ||
		   change_journal(db, write, number, err) < 0) {
		return -1;
	}
	return add_entries(db, write, number, err) < 0 ? -1 : 1;
}

static const char *journal_id(const void *item)
{
	return ((const struct ss_journal_write *)item)->turn_id;
}

int database_write_journals(void *instance, const struct ss_journal_write *writes, size_t count,
	struct ss_error *errors)
{
	return database_commit_all(instance,
		&(struct database_batch){.items = writes,
			.count = count,
			.size = count > 0 ? writes[0].struct_size : 0,
			.least = sizeof *writes,
			.write = write_journal,
			.id = journal_id,
			.is_single = adds_entry_only},
		errors);
}

/* What both statements that read journals have from FIRST on: status, error, fence, owner, lease_until,
 * created_at, updated_at, user_id, conversation_id. */
static void add_standing(struct row *row, int first)
{
	row_text(row, "status", first);
	row_text(row, "error", first + 1);
	row_int(row, "fence", first + 2);
	row_text(row, "owner", first + 3);
	row_time(row, "lease_until", first + 4);
	row_time(row, "created_at", first + 5);
	row_time(row, "updated_at", first + 6);
	row_text(row, "user_id", first + 7);
	row_text(row, "conversation_id", first + 8);
}

static struct ss_value *read_entries(struct database *db, int64_t number, struct ss_error *err)
{
	struct items items = {0};
	struct cursor cursor = cursor_begin(db, STATEMENT_READ_ENTRIES);
	cursor_bind_int(&cursor, number);
	int result;
	while ((result = cursor_next(&cursor, err)) == 1) {
		struct row row = {.cursor = &cursor};
		row_int(&row, "task", 0);
		row_text(&row, "data", 1);
		result = items_add(db, &items, row_value(&row), err);
		if (result < 0)
			break;
	}
	cursor_end(&cursor);
	return items_take(db, &items, result);
}

static bool is_text(struct ss_text text, const char *word)
{
	return word != NULL && text.data != NULL && strcmp(text.data, word) == 0;
}

/* Whether the lease in the row of CURSOR, {number, status, owner, microseconds left}, may be taken for KEY. */
static int check_lease(
	const struct cursor *cursor, const struct ss_journal_key *key, struct ss_error *err)
{
	struct ss_text owner = cursor_text(cursor, 2);
	int64_t left_us = cursor_int(cursor, 3);
	if (is_text(cursor_text(cursor, 1), "done"))
		return ss_fail_as(err, SS_CONFLICT, "the turn %s is done", key->turn_id);
	if (owner.data == NULL || left_us <= 0 || is_text(owner, key->gone))
		return 0;
	/* The attempt before has taken it. */
	if (database_is_again(cursor->db) && is_text(owner, key->owner))
		return 0;
	return ss_fail_as(err, SS_CONFLICT,
		"the process %s goes on with the turn %s; its lease is over in %.1f s unless it "
		"renews it",
		owner.data, key->turn_id, (double)left_us / 1e6);
}

static int fail_unknown(const char *turn_id, struct ss_error *err)
{
	return ss_fail_as(err, SS_NOT_FOUND, "there is no turn %s", turn_id);
}

static int take_lease(struct database *db, const struct ss_journal_key *key, struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, STATEMENT_FIND_LEASE);
	cursor_bind_string(&cursor, key->turn_id);
	cursor_bind_now(&cursor);
	int found = cursor_next(&cursor, err);
	if (found == 0)
		found = fail_unknown(key->turn_id, err);
	if (found == 1 && check_lease(&cursor, key, err) < 0)
		found = -1;
	int64_t number = found == 1 ? cursor_int(&cursor, 0) : 0;
	cursor_end(&cursor);
	if (found < 0)
		return -1;
	cursor = cursor_begin(db, STATEMENT_TAKE_LEASE);
	cursor_bind_int(&cursor, number);
	cursor_bind_string(&cursor, key->owner);
	cursor_bind_int(&cursor, key->lease_ns / US_IN_NS);
	cursor_bind_now(&cursor);
	return cursor_finish(&cursor, err);
}

static struct ss_value *read_journal(struct database *db, const char *turn_id, struct ss_error *err)
{
	struct ss_value *journal = NULL;
	struct cursor cursor = cursor_begin(db, STATEMENT_READ_JOURNAL);
	cursor_bind_string(&cursor, turn_id);
	int found = cursor_next(&cursor, err);
	if (found == 0)
		(void)fail_unknown(turn_id, err);
	struct ss_value *entries =
		found == 1 ? read_entries(db, cursor_int(&cursor, 0), err) : NULL;
	if (entries != NULL) {
		struct row row = {.cursor = &cursor};
		row_add(&row, "id", database_values(db)->string(turn_id, strlen(turn_id)));
		row_add(&row, "entries", entries);
		row_text(&row, "workflow", 1);
		row_text(&row, "workflow_text", 2);
		row_text(&row, "start", 3);
		add_standing(&row, 4);
		journal = row_value(&row);
	}
	cursor_end(&cursor);
	return journal;
}

static int read_or_take(
	struct database *db, const void *question, void *answer, struct ss_error *err)
{
	const struct ss_journal_key *key = question;
	struct ss_value **journal = answer;
	bool takes = key->owner != NULL;
	*journal = NULL;
	if (database_begin(db, takes ? STATEMENT_BEGIN_WRITE : STATEMENT_BEGIN_READ, err) < 0)
		return -1;
	if (takes && take_lease(db, key, err) < 0)
		goto fail;
	*journal = read_journal(db, key->turn_id, err);
	if (*journal != NULL && statement_run(db, STATEMENT_COMMIT, err) == 0)
		return 0;
fail:
	database_rollback(db);
	database_values(db)->unref(*journal);
	*journal = NULL;
	return -1;
}

int database_read_journal(void *instance, const struct ss_journal_key *key,
	struct ss_value **journal, struct ss_error *err)
{
	return database_try(instance, read_or_take, key, journal, err);
}

static enum statement choose_list(const struct ss_journal_filter *filter)
{
	if (filter->user_id != NULL)
		return STATEMENT_LIST_JOURNALS_OF_USER;
	if (filter->status == NULL)
		return STATEMENT_LIST_JOURNALS;
	return strcmp(filter->status, "done") == 0 ? STATEMENT_LIST_JOURNALS_DONE
						   : STATEMENT_LIST_JOURNALS_NOT_DONE;
}

static int list_journals(
	struct database *db, const void *question, void *answer, struct ss_error *err)
{
	const struct ss_journal_filter *filter = question;
	struct ss_value **journals = answer;
	struct items items = {0};
	enum statement list = choose_list(filter);
	struct cursor cursor = cursor_begin(db, list);
	cursor_bind_string(&cursor, filter->before);
	cursor_bind_int(&cursor, filter->limit < INT64_MAX ? (int64_t)filter->limit : INT64_MAX);
	cursor_bind_int(&cursor, filter->lease_over);
	if (list == STATEMENT_LIST_JOURNALS_OF_USER)
		cursor_bind_string(&cursor, filter->user_id);
	if (list == STATEMENT_LIST_JOURNALS_OF_USER || list == STATEMENT_LIST_JOURNALS_NOT_DONE)
		cursor_bind_string(&cursor, filter->status);
	cursor_bind_now(&cursor);
	int result;
	while ((result = cursor_next(&cursor, err)) == 1) {
		struct row row = {.cursor = &cursor};
		row_text(&row, "id", 0);
		row_text(&row, "workflow", 1);
		add_standing(&row, 2);
		result = items_add(db, &items, row_value(&row), err);
		if (result < 0)
			break;
	}
	cursor_end(&cursor);
	*journals = items_take(db, &items, result);
	return result;
}

int database_list_journals(void *instance, const struct ss_journal_filter *filter,
	struct ss_value **journals, struct ss_error *err)
{
	return database_try(instance, list_journals, filter, journals, err);
}

/* Whether there is a journal of the turn: 1, or 0 when the attempt before has deleted it. */
static int check_journal(struct database *db, const char *turn_id, struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, STATEMENT_READ_JOURNAL);
	cursor_bind_string(&cursor, turn_id);
	int found = cursor_next(&cursor, err);
	cursor_end(&cursor);
	if (found == 0 && !database_is_again(db))
		return fail_unknown(turn_id, err);
	return found;
}

/* Deletes the journal of the turn in the transaction. */
static int remove_journal(struct database *db, const char *turn_id, struct ss_error *err)
{
	int found = check_journal(db, turn_id, err);
	if (found <= 0)
		return found;
	struct cursor cursor = cursor_begin(db, STATEMENT_DELETE_JOURNAL);
	cursor_bind_string(&cursor, turn_id);
	cursor_bind_now(&cursor);
	int result = cursor_next(&cursor, err);
	if (result == 0 && cursor_changes(&cursor) == 0)
		result = ss_fail_as(err, SS_CONFLICT,
			"the turn %s is being gone on with, so it cannot be deleted", turn_id);
	cursor_end(&cursor);
	return result;
}

static int delete_journal(
	struct database *db, const void *question, void *answer, struct ss_error *err)
{
	(void)answer;
	if (database_begin(db, STATEMENT_BEGIN_WRITE, err) < 0)
		return -1;
	if (remove_journal(db, question, err) == 0 && statement_run(db, STATEMENT_COMMIT, err) == 0)
		return 0;
	database_rollback(db);
	return -1;
}

int database_delete_journal(void *instance, const char *turn_id, struct ss_error *err)
{
	return database_try(instance, delete_journal, turn_id, NULL, err);
}
