/* Requests that are done once, whoever asks for them how often. */
#include "common/sql/operations.h"
#include "common/sql/rows.h"

#include <stdio.h>
#include <string.h>

enum { US_IN_NS = 1000 };

static bool given(const char *text)
{
	return text != NULL && text[0] != '\0';
}

static bool is_text(struct ss_text text, const char *word)
{
	return word != NULL && text.data != NULL && text.length == strlen(word) &&
	       memcmp(text.data, word, text.length) == 0;
}

/* What the row of CURSOR, {fingerprint, subject, owner, microseconds left of its lease, code, answer}, is to who asks
 * with KEY. */
static const char *state_of(const struct cursor *cursor, const struct ss_request_key *key)
{
	struct ss_text owner = cursor_text(cursor, 2);
	if (!is_text(cursor_text(cursor, 0), key->fingerprint))
		return "other";
	if (!cursor_is_null(cursor, 4))
		return "done";
	if (owner.data == NULL || cursor_int(cursor, 3) <= 0 || is_text(owner, key->gone))
		return "claimed";
	/* The attempt before has claimed it: nobody else has its subject. */
	if (database_is_again(cursor->db) && is_text(owner, key->owner) &&
		is_text(cursor_text(cursor, 1), key->subject))
		return "claimed";
	return "in_flight";
}

/* The claim as a new map; *IS_CLAIMED tells whether it is to be done now. */
static struct ss_value *read_claim(
	const struct cursor *cursor, const struct ss_request_key *key, bool *is_claimed)
{
	const char *state = state_of(cursor, key);
	struct row row = {.cursor = cursor};
	*is_claimed = strcmp(state, "claimed") == 0;
	row_add(&row, "state", database_values(cursor->db)->string(state, strlen(state)));
	row_text(&row, "subject", 1);
	if (strcmp(state, "done") == 0) {
		row_int(&row, "code", 4);
		row_text(&row, "answer", 5);
	}
	return row_value(&row);
}

/* Makes sure that the request is there, as if it were new when its time is over, and locks it. */
static int enter(struct database *db, const struct ss_request_key *key, struct ss_value **claim,
	bool *is_claimed, struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, STATEMENT_ENTER_REQUEST);
	cursor_bind_string(&cursor, key->scope);
	cursor_bind_string(&cursor, key->key);
	cursor_bind_string(&cursor, key->fingerprint);
	cursor_bind_string(&cursor, key->subject);
	cursor_bind_string(&cursor, key->user_id);
	cursor_bind_string(&cursor, key->conversation_id);
	cursor_bind_int(&cursor, key->keep_ns / US_IN_NS);
	cursor_bind_now(&cursor);
	int result = cursor_next(&cursor, err);
	if (result == 1) {
		*claim = read_claim(&cursor, key, is_claimed);
		result = cursor_next(&cursor, err);
	}
	cursor_end(&cursor);
	return result;
}

static int take(struct database *db, const struct ss_request_key *key, struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, STATEMENT_TAKE_REQUEST);
	cursor_bind_string(&cursor, key->scope);
	cursor_bind_string(&cursor, key->key);
	cursor_bind_string(&cursor, key->owner);
	cursor_bind_int(&cursor, key->lease_ns / US_IN_NS);
	cursor_bind_int(&cursor, key->keep_ns / US_IN_NS);
	cursor_bind_now(&cursor);
	return cursor_finish(&cursor, err);
}

static int claim_request(
	struct database *db, const void *question, void *answer, struct ss_error *err)
{
	const struct ss_request_key *key = question;
	struct ss_value **claim = answer;
	bool is_claimed = false;
	*claim = NULL;
	if (database_begin(db, STATEMENT_BEGIN_WRITE, err) < 0)
		return -1;
	int result = enter(db, key, claim, &is_claimed, err);
	if (result == 0 && is_claimed)
		result = take(db, key, err);
	if (result == 0 && is_claimed)
		result = statement_run(db, STATEMENT_COMMIT, err);
	/* Who is told of another one's request has changed nothing. */
	if (result < 0 || !is_claimed)
		database_rollback(db);
	if (result == 0)
		return 0;
	database_values(db)->unref(*claim);
	*claim = NULL;
	return -1;
}

int database_claim_request(void *instance, const struct ss_request_key *key,
	struct ss_value **claim, struct ss_error *err)
{
	if (!given(key->scope) || !given(key->key) || key->fingerprint == NULL ||
		key->subject == NULL || !given(key->owner))
		return ss_fail_as(err, SS_INVALID,
			"a request needs a scope, a key, a fingerprint, a subject and an owner");
	if (key->lease_ns <= 0 || key->keep_ns <= 0)
		return ss_fail_as(err, SS_INVALID,
			"a request is claimed and remembered for longer than 0 ns");
	return database_try(instance, claim_request, key, claim, err);
}

/* Whether the attempt before has stored RESULT: 1 or 0. */
static int is_finished(
	struct database *db, const struct ss_request_result *result, struct ss_error *err)
{
	if (!database_is_again(db))
		return 0;
	struct cursor cursor = cursor_begin(db, STATEMENT_FIND_REQUEST);
	cursor_bind_string(&cursor, result->scope);
	cursor_bind_string(&cursor, result->key);
	cursor_bind_int(&cursor, result->code);
	int found = cursor_next(&cursor, err);
	cursor_end(&cursor);
	return found;
}

static int write_result(
	struct database *db, const struct ss_request_result *result, struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, STATEMENT_FINISH_REQUEST);
	cursor_bind_string(&cursor, result->scope);
	cursor_bind_string(&cursor, result->key);
	cursor_bind_string(&cursor, result->owner);
	cursor_bind_int(&cursor, result->code);
	cursor_bind_text(&cursor, result->answer);
	int done = cursor_next(&cursor, err);
	bool changed = done == 0 && cursor_changes(&cursor) > 0;
	cursor_end(&cursor);
	if (done < 0 || changed)
		return done;
	int finished = is_finished(db, result, err);
	if (finished != 0)
		return finished < 0 ? -1 : 0;
	return ss_fail_as(err, SS_CONFLICT,
		"the request %s is not %s's any more: somebody else has claimed it, its time is "
		"over, or what it was about is gone",
		result->key, result->owner);
}

static int finish_request(
	struct database *db, const void *question, void *answer, struct ss_error *err)
{
	(void)answer;
	if (database_begin(db, STATEMENT_BEGIN_WRITE, err) < 0)
		return -1;
	if (write_result(db, question, err) == 0 && statement_run(db, STATEMENT_COMMIT, err) == 0)
		return 0;
	database_rollback(db);
	return -1;
}

int database_finish_request(
	void *instance, const struct ss_request_result *result, struct ss_error *err)
{
	if (!given(result->scope) || !given(result->key) || !given(result->owner))
		return ss_fail_as(
			err, SS_INVALID, "a request needs a scope, a key and who has claimed it");
	return database_try(instance, finish_request, result, NULL, err);
}

/* The list. It goes on behind a scope and a key, which are one text behind the length of the scope. */

static struct ss_value *request_value(const struct cursor *cursor, struct ss_error *err)
{
	struct row row = {.cursor = cursor};
	(void)err;
	row_text(&row, "key", 1);
	row_text(&row, "subject", 2);
	row_text(&row, "conversation_id", 3);
	if (!cursor_is_null(cursor, 4))
		row_int(&row, "code", 4);
	row_text(&row, "answer", 5);
	row_time(&row, "until", 6);
	return row_value(&row);
}

static void request_place(const struct cursor *cursor, char place[PAGE_PLACE_SIZE])
{
	struct ss_text scope = cursor_text(cursor, 0), key = cursor_text(cursor, 1);
	(void)snprintf(place, PAGE_PLACE_SIZE, "%zu.%.*s%.*s", scope.length, (int)scope.length,
		scope.data, (int)key.length, key.data);
}

static int list_requests(
	struct database *db, const void *question, void *answer, struct ss_error *err)
{
	static const struct page_rows kind = {request_value, request_place};
	const struct ss_request_filter *filter = question;
	const char *after = "";
	int64_t rows, length = 0;
	if (!given(filter->user_id))
		return ss_fail_as(err, SS_INVALID, "requests are listed of a user");
	if (page_limit(filter->limit, &rows, err) < 0)
		return -1;
	if (filter->after != NULL && page_place(filter->after, &length, &after, err) < 0)
		return -1;
	if (length > (int64_t)strlen(after))
		return page_refuse(err);
	struct cursor cursor = cursor_begin(db, STATEMENT_LIST_REQUESTS_OF_USER);
	cursor_bind_string(&cursor, filter->user_id);
	cursor_bind_text(&cursor, (struct ss_text){after, (size_t)length});
	cursor_bind_string(&cursor, after + length);
	cursor_bind_int(&cursor, rows);
	return page_read(&cursor, rows, &kind, answer, err);
}

int database_list_requests(void *instance, const struct ss_request_filter *filter,
	struct ss_value **page, struct ss_error *err)
{
	return database_try(instance, list_requests, filter, page, err);
}
