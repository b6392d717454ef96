/* Deleting conversations and users, with all that is of them: a user a step at a time, each a transaction. */
#include "common/sql/erase.h"
#include "common/sql/operations.h"

#include <stdlib.h>
#include <string.h>

/* What of something is deleted by its id, as many as STATEMENT is told at most. */
struct kind_of {
	enum erase_kind kind;
	enum statement statement;
};

static const struct kind_of kinds_of_conversation[] = {
	{ERASE_JOURNALS, STATEMENT_DELETE_JOURNALS_OF_CONVERSATION},
	{ERASE_EVENTS, STATEMENT_DELETE_EVENTS_OF_CONVERSATION},
	{ERASE_REQUESTS, STATEMENT_DELETE_REQUESTS_OF_CONVERSATION},
};

/* Those of no conversation that is stored, as of turns that have failed. */
static const struct kind_of kinds_of_user[] = {
	{ERASE_JOURNALS, STATEMENT_DELETE_JOURNALS_OF_USER},
	{ERASE_EVENTS, STATEMENT_DELETE_EVENTS_OF_USER},
	{ERASE_REQUESTS, STATEMENT_DELETE_REQUESTS_OF_USER},
	{ERASE_QUESTIONS, STATEMENT_DELETE_QUESTIONS_OF_USER},
};

/* Runs the rest of CURSOR, which deletes what is of KIND, and ends it. */
static int delete_rows(
	struct cursor *cursor, enum erase_kind kind, struct erase_step *step, struct ss_error *err)
{
	int result = cursor_next(cursor, err);
	if (result == 0) {
		step->deleted[kind] += cursor_changes(cursor);
		step->left -= cursor_changes(cursor);
	}
	cursor_end(cursor);
	return result;
}

static int delete_kinds(struct database *db, const struct kind_of *kinds, size_t count,
	const char *id, struct erase_step *step, struct ss_error *err)
{
	for (size_t i = 0; i < count && step->left > 0; i++) {
		struct cursor cursor = cursor_begin(db, kinds[i].statement);
		cursor_bind_string(&cursor, id);
		cursor_bind_int(&cursor, step->left);
		if (delete_rows(&cursor, kinds[i].kind, step, err) < 0)
			return -1;
	}
	return 0;
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

/* The same of a conversation; *ERASE_MESSAGES is how many it has. */
static int lock_conversation(
	struct database *db, const char *id, int64_t *messages, struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, STATEMENT_LOCK_CONVERSATION);
	cursor_bind_string(&cursor, id);
	int found = cursor_next(&cursor, err);
	if (found == 1)
		*messages = cursor_int(&cursor, 2);
	cursor_end(&cursor);
	return found;
}

/* Deletes the last of the ERASE_MESSAGES, as many as the step may, but no answer without its question. */
static int shorten(struct database *db, const char *id, int64_t messages, struct erase_step *step,
	struct ss_error *err)
{
	int64_t before = step->deleted[ERASE_MESSAGES];
	struct cursor cursor = cursor_begin(db, STATEMENT_DELETE_LAST_MESSAGES);
	cursor_bind_string(&cursor, id);
	cursor_bind_int(&cursor, messages - step->left);
	if (delete_rows(&cursor, ERASE_MESSAGES, step, err) < 0)
		return -1;
	cursor = cursor_begin(db, STATEMENT_SHORTEN_CONVERSATION);
	cursor_bind_string(&cursor, id);
	cursor_bind_int(&cursor, step->deleted[ERASE_MESSAGES] - before);
	return cursor_finish(&cursor, err);
}

/* Deletes what is of the conversation, and itself unless there is more than the step may delete; 1 when it was there. */
static int delete_conversation(
	struct database *db, const char *id, struct erase_step *step, struct ss_error *err)
{
	int64_t messages = 0;
	int found = lock_conversation(db, id, &messages, err);
	if (found <= 0)
		return found;
	if (delete_kinds(db, kinds_of_conversation,
		    sizeof kinds_of_conversation / sizeof *kinds_of_conversation, id, step,
		    err) < 0)
		return -1;
	if (step->left <= 0)
		return 1;
	if (messages > step->left)
		return shorten(db, id, messages, step, err) < 0 ? -1 : 1;
	struct cursor cursor = cursor_begin(db, STATEMENT_DELETE_CONVERSATION);
	cursor_bind_string(&cursor, id);
	step->deleted[ERASE_MESSAGES] += messages;
	step->left -= messages;
	int64_t left = step->left;
	int result = delete_rows(&cursor, ERASE_CONVERSATIONS, step, err);
	step->left = left; /* it goes with its messages */
	return result < 0 ? -1 : 1;
}

int database_remove_conversation(
	struct database *db, const char *conversation_id, struct ss_error *err)
{
	struct erase_step whole = {.left = INT64_MAX};
	return delete_conversation(db, conversation_id, &whole, err);
}

static int try_conversation(
	struct database *db, const void *question, void *answer, struct ss_error *err)
{
	(void)answer;
	if (database_begin(db, STATEMENT_BEGIN_WRITE, err) < 0)
		return -1;
	int found = database_remove_conversation(db, question, err);
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

/* *ID is a conversation of the user, new; NULL when there is none. */
static int find_conversation(
	struct database *db, const char *user_id, char **id, struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, STATEMENT_FIND_CONVERSATION_OF_USER);
	cursor_bind_string(&cursor, user_id);
	int result = cursor_next(&cursor, err);
	struct ss_text text = result == 1 ? cursor_text(&cursor, 0) : (struct ss_text){0};
	*id = text.data != NULL ? strndup(text.data, text.length) : NULL;
	if (result == 1 && *id == NULL)
		result = database_fail_memory(db, err);
	cursor_end(&cursor);
	return result;
}

static int delete_conversations(
	struct database *db, const char *user_id, struct erase_step *step, struct ss_error *err)
{
	int found = 1;
	while (found == 1 && step->left > 0) {
		char *id = NULL;
		found = find_conversation(db, user_id, &id, err);
		if (found == 1)
			found = delete_conversation(db, id, step, err);
		free(id);
	}
	return found < 0 ? -1 : 0;
}

/* Deletes as much as the step may; the last one with the profile. */
static int delete_some(
	struct database *db, const char *user_id, struct erase_step *step, struct ss_error *err)
{
	if (lock(db, STATEMENT_LOCK_USER, user_id, err) < 0 ||
		delete_conversations(db, user_id, step, err) < 0 ||
		delete_kinds(db, kinds_of_user, sizeof kinds_of_user / sizeof *kinds_of_user,
			user_id, step, err) < 0)
		return -1;
	if (step->left <= 0)
		return 0;
	struct cursor cursor = cursor_begin(db, STATEMENT_DELETE_USER);
	cursor_bind_string(&cursor, user_id);
	int result = cursor_next(&cursor, err);
	step->found = result == 0 && cursor_changes(&cursor) > 0;
	step->over = true;
	cursor_end(&cursor);
	return result;
}

/* Adds what CURSOR's row has to what was deleted, and ends it. Whether there was one, or -1. */
static int read_sums(struct cursor *cursor, int64_t sums[ERASE_KINDS], struct ss_error *err)
{
	int found = cursor_next(cursor, err);
	for (int i = 0; found == 1 && i < ERASE_KINDS; i++)
		sums[i] += cursor_int(cursor, i);
	int result = found == 1 ? cursor_next(cursor, err) : found;
	cursor_end(cursor);
	return result < 0 ? -1 : found;
}

/* Keeps that the erasure has begun, and how much it was: who goes on knows both. The profile shows no more. */
static int note(struct database *db, const char *user_id, int64_t at_us, struct erase_step *step,
	struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, STATEMENT_NOTE_ERASURE);
	cursor_bind_string(&cursor, user_id);
	cursor_bind_int(&cursor, at_us);
	for (int i = 0; i < ERASE_KINDS; i++)
		cursor_bind_int(&cursor, step->deleted[i]);
	if (read_sums(&cursor, step->sums, err) < 0)
		return -1;
	cursor = cursor_begin(db, STATEMENT_EMPTY_USER);
	cursor_bind_string(&cursor, user_id);
	return cursor_finish(&cursor, err);
}

static int end(
	struct database *db, const char *user_id, struct erase_step *step, struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, STATEMENT_END_ERASURE);
	cursor_bind_string(&cursor, user_id);
	memcpy(step->sums, step->deleted, sizeof step->sums);
	int begun = read_sums(&cursor, step->sums, err);
	step->found |= begun == 1;
	return begun < 0 ? -1 : 0;
}

int erase_some(struct database *db, const char *user_id, int64_t limit, int64_t at_us,
	struct erase_step *step, struct ss_error *err)
{
	*step = (struct erase_step){.left = limit};
	if (delete_some(db, user_id, step, err) < 0)
		return -1;
	for (int i = 0; i < ERASE_KINDS; i++)
		step->found |= step->deleted[i] > 0;
	return step->over ? end(db, user_id, step, err) : note(db, user_id, at_us, step, err);
}

int64_t erase_count(const struct erase_step *step)
{
	int64_t count = 0;
	for (int i = ERASE_MESSAGES; i < ERASE_KINDS; i++)
		count += step->deleted[i];
	return count;
}

static int try_step(struct database *db, const void *question, void *answer, struct ss_error *err)
{
	const struct ss_erasure *erasure = question;
	struct erase_step *step = answer;
	int64_t limit = erasure->limit < INT32_MAX ? (int64_t)erasure->limit : INT32_MAX;
	if (database_begin(db, STATEMENT_BEGIN_WRITE, err) < 0)
		return -1;
	int result = erase_some(db, erasure->user_id, limit, database_now_us(), step, err);
	/* The attempt before may have deleted all. */
	if (result == 0 && !step->found && !database_is_again(db))
		(void)ss_fail_as(err, SS_NOT_FOUND, "there is no trace of a user with the id %s",
			erasure->user_id);
	else if (result == 0 && statement_run(db, STATEMENT_COMMIT, err) == 0)
		return 0;
	database_rollback(db);
	return -1;
}

static struct ss_value *erased_value(const struct database *db, const struct erase_step *step)
{
	static const char *const kinds[ERASE_KINDS] = {
		"conversations", "messages", "journals", "events", "requests", "questions"};
	static const char *const keys[] = {"over", "erased"};
	const struct ss_value_functions *values = database_values(db);
	struct ss_value *sums[ERASE_KINDS];
	for (int i = 0; i < ERASE_KINDS; i++)
		sums[i] = values->integer(step->sums[i]);
	struct ss_value *const entries[] = {
		values->boolean(step->over), values->map(kinds, sums, ERASE_KINDS)};
	return values->map(keys, entries, sizeof keys / sizeof *keys);
}

int database_erase_user(void *instance, const struct ss_erasure *erasure, struct ss_value **erased,
	struct ss_error *err)
{
	struct erase_step step = {.over = false};
	if (erasure->limit == 0)
		return ss_fail_as(err, SS_INVALID, "the limit of an erasure must be 1 or more");
	if (database_try(instance, try_step, erasure, &step, err) < 0)
		return -1;
	if (step.over)
		database_wipe(instance);
	else
		database_wipe_soon(instance);
	*erased = erased_value(instance, &step);
	return 0;
}
