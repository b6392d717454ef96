/* Users as operators see and describe them. */
#include "common/sql/operations.h"
#include "common/sql/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { US_IN_NS = 1000, ID_CHARACTERS = 255, LAST_CHARACTER_SIZE = 4 };

/* The last character that there is. */
static const char last_character[] = "\xf4\x8f\xbf\xbf";

/* The columns of all statements that read users; COUNTED: and how many conversations there are. */
static struct ss_value *read_row(const struct cursor *cursor, bool counted, struct ss_error *err)
{
	struct row row = {.cursor = cursor};
	row_text(&row, "id", 0);
	row_text(&row, "name", 1);
	row_text(&row, "email", 2);
	row_bool(&row, "vip", 3);
	row_time(&row, "created_at", 5);
	row_time(&row, "updated_at", 6);
	if (counted)
		row_int(&row, "conversations", 7);
	if (row_json(&row, "metadata", 4, err) == 0)
		return row_value(&row);
	row_drop(&row);
	return NULL;
}

static struct ss_value *user_value(const struct cursor *cursor, struct ss_error *err)
{
	return read_row(cursor, false, err);
}

static void user_place(const struct cursor *cursor, char place[PAGE_PLACE_SIZE])
{
	struct ss_text id = cursor_text(cursor, 0);
	(void)snprintf(place, PAGE_PLACE_SIZE, "0.%.*s", (int)id.length, id.data);
}

/* What comes behind all ids that begin with PREFIX, new: no id has more characters than are appended. */
static char *end_of(const char *prefix)
{
	size_t length = strlen(prefix);
	char *end = malloc(length + (size_t)ID_CHARACTERS * LAST_CHARACTER_SIZE + 1);
	if (end == NULL)
		return NULL;
	memcpy(end, prefix, length);
	for (int i = 0; i < ID_CHARACTERS; i++, length += LAST_CHARACTER_SIZE)
		memcpy(end + length, last_character, LAST_CHARACTER_SIZE);
	end[length] = '\0';
	return end;
}

static int list_users(struct database *db, const void *question, void *answer, struct ss_error *err)
{
	static const struct page_rows kind = {user_value, user_place};
	const struct ss_user_filter *filter = question;
	const char *prefix = filter->prefix != NULL ? filter->prefix : "";
	const char *after = "";
	int64_t rows, number;
	if (page_limit(filter->limit, &rows, err) < 0)
		return -1;
	if (filter->after != NULL && page_place(filter->after, &number, &after, err) < 0)
		return -1;
	char *end = end_of(prefix);
	if (end == NULL)
		return database_fail_memory(db, err);
	struct cursor cursor =
		cursor_begin(db, filter->vip == 1 ? STATEMENT_LIST_VIPS : STATEMENT_LIST_USERS);
	cursor_bind_string(&cursor, after);
	cursor_bind_string(&cursor, prefix);
	cursor_bind_string(&cursor, end);
	cursor_bind_int(&cursor, rows);
	if (filter->vip != 1)
		cursor_bind_int(&cursor, filter->vip);
	int result = page_read(&cursor, rows, &kind, answer, err);
	free(end);
	return result;
}

int database_list_users(void *instance, const struct ss_user_filter *filter, struct ss_value **page,
	struct ss_error *err)
{
	return database_try(instance, list_users, filter, page, err);
}

static int fail_unknown(const char *user_id, struct ss_error *err)
{
	return ss_fail_as(err, SS_NOT_FOUND, "there is no user with the id %s", user_id);
}

static int read_user(struct database *db, const void *question, void *answer, struct ss_error *err)
{
	struct ss_value **user = answer;
	*user = NULL;
	struct cursor cursor = cursor_begin(db, STATEMENT_READ_USER);
	cursor_bind_string(&cursor, question);
	int found = cursor_next(&cursor, err);
	if (found == 1)
		*user = read_row(&cursor, true, err);
	cursor_end(&cursor);
	if (found == 0)
		return fail_unknown(question, err);
	return *user != NULL ? 0 : -1;
}

int database_read_user(
	void *instance, const char *user_id, struct ss_value **user, struct ss_error *err)
{
	return database_try(instance, read_user, user_id, user, err);
}

/* Storing. */

static int check_metadata(struct database *db, const char *metadata, struct ss_error *err)
{
	struct ss_error cause = {.status = SS_OK};
	if (metadata == NULL)
		return 0;
	const struct ss_value_functions *values = database_values(db);
	struct ss_value *value = values->from_json(metadata, strlen(metadata), &cause);
	bool is_map = value != NULL && values->type(value) == SS_MAP;
	values->unref(value);
	if (is_map)
		return 0;
	return ss_fail_as(err, SS_INVALID, "the metadata of a user must be a JSON object%s%s",
		value == NULL ? ": " : "", cause.text);
}

static int check_user(struct database *db, const struct ss_user *user, struct ss_error *err)
{
	if (user->id == NULL || user->id[0] == '\0')
		return ss_fail_as(err, SS_INVALID, "a user needs an id");
	if (user->vip < -1 || user->vip > 1)
		return ss_fail_as(err, SS_INVALID, "a user is vip (1) or not (0), not %lld",
			(long long)user->vip);
	if (user->at_ns < 0)
		return ss_fail_as(err, SS_INVALID, "the time of a change must not be below 0");
	return check_metadata(db, user->metadata, err);
}

/* Nothing was changed: there is no such user, or not as expected. */
static int fail_unchanged(struct database *db, const struct ss_user *user, struct ss_error *err)
{
	struct ss_value *found = NULL;
	if (user->expected_ns == 0)
		return fail_unknown(user->id, err);
	if (read_user(db, user->id, &found, err) < 0)
		return -1;
	database_values(db)->unref(found);
	return ss_fail_as(err, SS_CONFLICT,
		"the user %s was changed by somebody else meanwhile; read it again", user->id);
}

static int write_user(struct database *db, const struct ss_user *user, struct ss_error *err)
{
	struct cursor cursor =
		cursor_begin(db, user->is_new ? STATEMENT_CREATE_USER : STATEMENT_CHANGE_USER);
	cursor_bind_string(&cursor, user->id);
	cursor_bind_string(&cursor, user->name);
	cursor_bind_string(&cursor, user->email);
	cursor_bind_int(&cursor, user->vip);
	cursor_bind_string(&cursor, user->metadata);
	cursor_bind_int(&cursor, user->at_ns / US_IN_NS);
	if (!user->is_new)
		cursor_bind_int(&cursor, user->expected_ns / US_IN_NS);
	int result = cursor_next(&cursor, err);
	bool unchanged = result == 0 && cursor_changes(&cursor) == 0;
	if (result < 0 && cursor_is_duplicate(&cursor))
		result = ss_fail_as(
			err, SS_CONFLICT, "there is a user with the id %s already", user->id);
	cursor_end(&cursor);
	return unchanged ? fail_unchanged(db, user, err) : result;
}

/* Whether the attempt before has made the new user; then *STORED is it. */
static int find_made(struct database *db, const struct ss_user *user, struct ss_value **stored,
	struct ss_error *err)
{
	struct ss_error cause = {.status = SS_OK};
	if (!user->is_new || !database_is_again(db))
		return 0;
	if (read_user(db, user->id, stored, &cause) == 0)
		return 1;
	if (cause.status == SS_NOT_FOUND)
		return 0;
	*err = cause;
	return -1;
}

static int store_user(struct database *db, const void *question, void *answer, struct ss_error *err)
{
	const struct ss_user *user = question;
	struct ss_value **stored = answer;
	*stored = NULL;
	if (check_user(db, user, err) < 0)
		return -1;
	int made = find_made(db, user, stored, err);
	if (made != 0)
		return made < 0 ? -1 : 0;
	if (database_begin(db, STATEMENT_BEGIN_WRITE, err) < 0)
		return -1;
	if (write_user(db, user, err) == 0 && read_user(db, user->id, stored, err) == 0 &&
		statement_run(db, STATEMENT_COMMIT, err) == 0)
		return 0;
	database_rollback(db);
	database_values(db)->unref(*stored);
	*stored = NULL;
	return -1;
}

int database_store_user(
	void *instance, const struct ss_user *user, struct ss_value **stored, struct ss_error *err)
{
	return database_try(instance, store_user, user, stored, err);
}
