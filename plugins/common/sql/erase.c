/* Deleting conversations and users, with all that is of them. */
#include "common/sql/operations.h"
#include "common/sql/rows.h"

#include <stdlib.h>
#include <string.h>

/* Conversations and other journals of one transaction: others wait for it. */
enum { CONVERSATIONS_LIMIT = 16, JOURNALS_LIMIT = 200 };

/* How much was deleted. */
struct erased {
	int64_t conversations, messages, journals, questions;
	struct database_forgotten forgotten;
};

/* Runs the rest of STATEMENT with ID and adds how many rows it deletes to *COUNT. */
static int delete_rows(struct cursor *cursor, int64_t *count, struct ss_error *err)
{
	int result = cursor_next(cursor, err);
	if (result == 0)
		*count += cursor_changes(cursor);
	cursor_end(cursor);
	return result;
}

static int delete_of(struct database *db, enum statement statement, const char *id, int64_t *count,
	struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, statement);
	cursor_bind_string(&cursor, id);
	return delete_rows(&cursor, count, err);
}

/* Nobody else changes what STATEMENT finds by ID until the transaction ends. Whether it is there, or -1. */
static int lock(struct database *db, enum statement statement, const char *id, struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, statement);
	cursor_bind_string(&cursor, id);
	int found = cursor_next(&cursor, err);
	cursor_end(&cursor);
	return found;
}

/* Deletes what is of the conversation in the transaction; 1 when it was there. */
static int delete_conversation(
	struct database *db, const char *id, struct erased *erased, struct ss_error *err)
{
	int found = lock(db, STATEMENT_LOCK_CONVERSATION, id, err);
	if (found <= 0)
		return found;
	if (delete_of(db, STATEMENT_DELETE_JOURNALS_OF_CONVERSATION, id, &erased->journals, err) <
			0 ||
		database_forget_events(db, id, NULL, &erased->forgotten, err) < 0)
		return -1;
	struct cursor cursor = cursor_begin(db, STATEMENT_DELETE_CONVERSATION);
	cursor_bind_string(&cursor, id);
	int result = cursor_next(&cursor, err);
	if (result == 1) {
		erased->conversations++;
		erased->messages += cursor_int(&cursor, 0);
		result = cursor_next(&cursor, err);
	}
	cursor_end(&cursor);
	return result < 0 ? -1 : 1;
}

int database_remove_conversation(
	struct database *db, const char *conversation_id, struct ss_error *err)
{
	struct erased erased = {0};
	return delete_conversation(db, conversation_id, &erased, err);
}

static int try_conversation(
	struct database *db, const void *question, void *answer, struct ss_error *err)
{
	struct erased erased = {0};
	(void)answer;
	if (database_begin(db, STATEMENT_BEGIN_WRITE, err) < 0)
		return -1;
	int found = delete_conversation(db, question, &erased, err);
	/* The attempt before may have deleted it. */
	if (found == 0 && !database_is_again(db))
		(void)ss_fail_as(err, SS_NOT_FOUND, "there is no conversation with the id %s",
			(const char *)question);
	else if (found >= 0 && statement_run(db, STATEMENT_COMMIT, err) == 0)
		return 0;
	database_rollback(db);
	return -1;
}

int database_delete_conversation(void *instance, const char *conversation_id, struct ss_error *err)
{
	if (database_try(instance, try_conversation, conversation_id, NULL, err) < 0)
		return -1;
	database_wipe_soon(instance);
	return 0;
}

/* Users. */

/* Ids of conversations, each new. */
struct ids {
	char *items[CONVERSATIONS_LIMIT];
	size_t count;
};

static void ids_free(struct ids *ids)
{
	while (ids->count > 0)
		free(ids->items[--ids->count]);
}

static int read_ids(struct database *db, const char *user_id, struct ids *ids, struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, STATEMENT_LIST_IDS_OF_USER);
	cursor_bind_string(&cursor, user_id);
	cursor_bind_int(&cursor, CONVERSATIONS_LIMIT);
	int result;
	while ((result = cursor_next(&cursor, err)) == 1) {
		struct ss_text id = cursor_text(&cursor, 0);
		char *copy = id.data != NULL ? strndup(id.data, id.length) : NULL;
		if (copy == NULL) {
			result = database_fail_memory(db, err);
			break;
		}
		ids->items[ids->count++] = copy;
	}
	cursor_end(&cursor);
	return result;
}

static int delete_conversations(
	struct database *db, const char *user_id, struct erased *erased, struct ss_error *err)
{
	struct ids ids = {.count = 0};
	int result = read_ids(db, user_id, &ids, err);
	for (size_t i = 0; result >= 0 && i < ids.count; i++)
		result = delete_conversation(db, ids.items[i], erased, err);
	ids_free(&ids);
	return result < 0 ? -1 : 0;
}

/* Those of no conversation that is stored, as of turns that have failed. */
static int delete_journals(
	struct database *db, const char *user_id, int64_t *count, struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, STATEMENT_DELETE_JOURNALS_OF_USER);
	cursor_bind_string(&cursor, user_id);
	cursor_bind_int(&cursor, JOURNALS_LIMIT);
	return delete_rows(&cursor, count, err);
}

/* A transaction's part of what there is. */
struct part {
	struct erased erased;
	int64_t users;
	bool last;
};

/* Deletes a part; the last one with the profile and all that has no limit. */
static int delete_part(
	struct database *db, const char *user_id, struct part *part, struct ss_error *err)
{
	int64_t journals = 0;
	struct erased *erased = &part->erased;
	if (lock(db, STATEMENT_LOCK_USER, user_id, err) < 0 ||
		delete_conversations(db, user_id, erased, err) < 0)
		return -1;
	if (erased->conversations == CONVERSATIONS_LIMIT)
		return 0;
	if (delete_journals(db, user_id, &journals, err) < 0)
		return -1;
	erased->journals += journals;
	if (journals == JOURNALS_LIMIT)
		return 0;
	part->last = true;
	if (database_forget_events(db, NULL, user_id, &erased->forgotten, err) < 0 ||
		delete_of(db, STATEMENT_DELETE_QUESTIONS_OF_USER, user_id, &erased->questions,
			err) < 0)
		return -1;
	return delete_of(db, STATEMENT_DELETE_USER, user_id, &part->users, err);
}

static int try_part(struct database *db, const void *question, void *answer, struct ss_error *err)
{
	struct part *part = answer;
	*part = (struct part){.last = false};
	if (database_begin(db, STATEMENT_BEGIN_WRITE, err) < 0)
		return -1;
	if (delete_part(db, question, part, err) == 0 &&
		statement_run(db, STATEMENT_COMMIT, err) == 0)
		return 0;
	database_rollback(db);
	return -1;
}

static void add(struct part *sum, const struct part *part)
{
	sum->erased.conversations += part->erased.conversations;
	sum->erased.messages += part->erased.messages;
	sum->erased.journals += part->erased.journals;
	sum->erased.questions += part->erased.questions;
	sum->erased.forgotten.events += part->erased.forgotten.events;
	sum->erased.forgotten.requests += part->erased.forgotten.requests;
	sum->users += part->users;
}

static struct ss_value *erased_value(const struct database *db, const struct erased *erased)
{
	static const char *const keys[] = {
		"conversations", "messages", "journals", "events", "requests", "questions"};
	const struct ss_value_functions *values = database_values(db);
	struct ss_value *const numbers[] = {
		values->integer(erased->conversations),
		values->integer(erased->messages),
		values->integer(erased->journals),
		values->integer(erased->forgotten.events),
		values->integer(erased->forgotten.requests),
		values->integer(erased->questions),
	};
	return values->map(keys, numbers, sizeof keys / sizeof *keys);
}

static bool is_nothing(const struct part *sum)
{
	const struct erased *erased = &sum->erased;
	return sum->users == 0 && erased->conversations == 0 && erased->journals == 0 &&
	       erased->questions == 0 && erased->forgotten.events == 0 &&
	       erased->forgotten.requests == 0;
}

int database_erase_user(
	void *instance, const char *user_id, struct ss_value **erased, struct ss_error *err)
{
	struct part sum = {.last = false}, part = {.last = false};
	while (!part.last) {
		if (database_try(instance, try_part, user_id, &part, err) < 0)
			return -1;
		add(&sum, &part);
	}
	database_wipe(instance);
	if (is_nothing(&sum))
		return ss_fail_as(
			err, SS_NOT_FOUND, "there is no trace of a user with the id %s", user_id);
	*erased = erased_value(instance, &sum.erased);
	return 0;
}
