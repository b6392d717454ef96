/* Deleting what is old, a little at a time. */
#include "common/sql/erase.h"
#include "common/sql/operations.h"

#include <string.h>

enum { US_IN_NS = 1000, WALK_LIMIT = 1000, ID_BYTES = 1024 };

/* Of how many documents, events and so on is still something to be deleted, and how many were. */
struct progress {
	const struct ss_purge *purge;
	int64_t left, deleted;
};

/* Runs STATEMENT, which deletes. */
static int delete_some(struct database *db, enum statement statement, struct progress *progress,
	struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, statement);
	cursor_bind_int(&cursor, progress->purge->before_ns / US_IN_NS);
	cursor_bind_int(&cursor, progress->left);
	int result = cursor_next(&cursor, err);
	if (result == 0) {
		progress->deleted += cursor_changes(&cursor);
		progress->left -= cursor_changes(&cursor);
	}
	cursor_end(&cursor);
	return result;
}

static int purge_documents(struct database *db, struct progress *progress, struct ss_error *err)
{
	for (int kind = 0; kind <= SS_API_KEYS - SS_ARTICLES; kind++) {
		if (delete_some(db, STATEMENT_PURGE_DOCUMENTS + (enum statement)kind, progress,
			    err) < 0)
			return -1;
	}
	return 0;
}

/* Journals are written too often for an index by when they were written to last. Those that began first are looked at
 * in their order until one began later than what is to be deleted. */
struct walk {
	int64_t numbers[WALK_LIMIT];
	size_t count;
	int64_t after;
	bool over;
};

static int look_further(struct database *db, const struct progress *progress, struct walk *walk,
	struct ss_error *err)
{
	int64_t before_us = progress->purge->before_ns / US_IN_NS;
	int64_t rows = 0;
	int result;
	struct cursor cursor = cursor_begin(db, STATEMENT_LIST_OLDEST_JOURNALS);
	cursor_bind_int(&cursor, walk->after);
	cursor_bind_int(&cursor, WALK_LIMIT);
	cursor_bind_int(&cursor, before_us);
	cursor_bind_now(&cursor);
	walk->count = 0;
	while ((result = cursor_next(&cursor, err)) == 1) {
		rows++;
		walk->after = cursor_int(&cursor, 0);
		walk->over = cursor_int(&cursor, 1) >= before_us ||
			     (int64_t)walk->count == progress->left;
		if (walk->over)
			break;
		if (cursor_int(&cursor, 2) != 0)
			walk->numbers[walk->count++] = walk->after;
	}
	cursor_end(&cursor);
	walk->over |= rows < WALK_LIMIT;
	return result < 0 ? -1 : 0;
}

static int purge_journals(struct database *db, struct progress *progress, struct ss_error *err)
{
	struct walk walk = {.after = 0};
	while (!walk.over) {
		if (look_further(db, progress, &walk, err) < 0)
			return -1;
		for (size_t i = 0; i < walk.count; i++) {
			struct cursor cursor = cursor_begin(db, STATEMENT_PURGE_JOURNAL);
			cursor_bind_int(&cursor, walk.numbers[i]);
			cursor_bind_int(&cursor, progress->purge->before_ns / US_IN_NS);
			cursor_bind_now(&cursor);
			int result = cursor_next(&cursor, err);
			int64_t changes = result == 0 ? cursor_changes(&cursor) : 0;
			cursor_end(&cursor);
			if (result < 0)
				return -1;
			progress->deleted += changes;
			progress->left -= changes;
		}
	}
	return 0;
}

/* *FOUND tells whether STATEMENT finds something, and ID its id. */
static int find_old(struct database *db, enum statement statement, const struct progress *progress,
	char id[ID_BYTES], bool *found, struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, statement);
	cursor_bind_int(&cursor, progress->purge->before_ns / US_IN_NS);
	int result = cursor_next(&cursor, err);
	*found = result == 1;
	const char *text = *found ? cursor_text(&cursor, 0).data : NULL;
	if (text != NULL)
		(void)snprintf(id, ID_BYTES, "%s", text);
	else if (*found)
		result = database_fail_memory(db, err);
	cursor_end(&cursor);
	return result < 0 ? -1 : 0;
}

static int purge_conversations(struct database *db, struct progress *progress, struct ss_error *err)
{
	char id[ID_BYTES];
	bool found = true;
	while (progress->left > 0 && found) {
		if (find_old(db, STATEMENT_FIND_OLD_CONVERSATION, progress, id, &found, err) < 0)
			return -1;
		if (found && database_remove_conversation(db, id, err) < 0)
			return -1;
		progress->left -= found;
		progress->deleted += found;
	}
	return 0;
}

static int purge_events(struct database *db, struct progress *progress, struct ss_error *err)
{
	return delete_some(db, STATEMENT_PURGE_EVENTS, progress, err);
}

static int purge_deliveries(struct database *db, struct progress *progress, struct ss_error *err)
{
	return delete_some(db, STATEMENT_PURGE_DELIVERIES, progress, err);
}

static int purge_requests(struct database *db, struct progress *progress, struct ss_error *err)
{
	return delete_some(db, STATEMENT_PURGE_REQUESTS, progress, err);
}

static int purge_erasures(struct database *db, struct progress *progress, struct ss_error *err)
{
	char user_id[ID_BYTES];
	bool found = true;
	while (progress->left > 0 && found) {
		struct erase_step step = {.over = false};
		if (find_old(db, STATEMENT_FIND_OLD_ERASURE, progress, user_id, &found, err) < 0)
			return -1;
		if (found && erase_some(db, user_id, progress->left, 0, &step, err) < 0)
			return -1;
		progress->left -= erase_count(&step);
		progress->deleted += erase_count(&step);
	}
	return 0;
}

static int (*const purges[])(
	struct database *db, struct progress *progress, struct ss_error *err) = {
	[SS_PURGE_CONVERSATIONS] = purge_conversations,
	[SS_PURGE_EVENTS] = purge_events,
	[SS_PURGE_DELIVERIES] = purge_deliveries,
	[SS_PURGE_JOURNALS] = purge_journals,
	[SS_PURGE_REQUESTS] = purge_requests,
	[SS_PURGE_DOCUMENTS] = purge_documents,
	[SS_PURGE_ERASURES] = purge_erasures,
};

static int purge(struct database *db, const void *question, void *answer, struct ss_error *err)
{
	const struct ss_purge *wanted = question;
	size_t *count = answer;
	struct progress progress = {
		.purge = wanted,
		.left = wanted->limit < INT32_MAX ? (int64_t)wanted->limit : INT32_MAX,
	};
	if (database_begin(db, STATEMENT_BEGIN_WRITE, err) < 0)
		return -1;
	if (purges[wanted->what](db, &progress, err) == 0 &&
		statement_run(db, STATEMENT_COMMIT, err) == 0) {
		*count = (size_t)progress.deleted;
		return 0;
	}
	database_rollback(db);
	return -1;
}

int database_purge(
	void *instance, const struct ss_purge *wanted, size_t *count, struct ss_error *err)
{
	if (wanted->what < SS_PURGE_CONVERSATIONS || wanted->what > SS_PURGE_ERASURES)
		return ss_fail_as(
			err, SS_INVALID, "there is nothing of kind %d to purge", (int)wanted->what);
	if (database_try(instance, purge, wanted, count, err) < 0)
		return -1;
	/* Also when it was nothing: somebody else may have deleted something, as a tool that has ended. */
	database_wipe_soon(instance);
	return 0;
}
