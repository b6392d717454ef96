/* Which articles turns show, what customers say of them, and questions without an answer. */
#include "common/sql/operations.h"
#include "common/sql/rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { US_IN_NS = 1000, MESSAGE_ID_SIZE = 64 };

static int count_view(struct database *db, const char *article_id, struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, STATEMENT_COUNT_VIEW);
	cursor_bind_string(&cursor, article_id);
	return cursor_finish(&cursor, err);
}

int database_note_shown(struct database *db, const struct ss_turn *turn, const char *message_id,
	struct ss_error *err)
{
	for (size_t i = 0; i < turn->shown_count; i++) {
		struct cursor cursor = cursor_begin(db, STATEMENT_ADD_SHOWN);
		cursor_bind_string(&cursor, message_id);
		cursor_bind_string(&cursor, turn->shown[i]);
		int result = cursor_next(&cursor, err);
		bool is_new = result == 0 && cursor_changes(&cursor) > 0;
		cursor_end(&cursor);
		if (result < 0)
			return -1;
		if (is_new && count_view(db, turn->shown[i], err) < 0)
			return -1;
	}
	return 0;
}

int database_note_unanswered(struct database *db, const struct ss_turn *turn, struct ss_error *err)
{
	if (turn->unanswered == NULL)
		return 0;
	struct cursor cursor = cursor_begin(db, STATEMENT_ADD_UNANSWERED);
	cursor_bind_string(&cursor, turn->unanswered);
	cursor_bind_text(&cursor, turn->message);
	cursor_bind_string(&cursor, turn->category);
	cursor_bind_int(&cursor, turn->asked_at_ns / US_IN_NS);
	cursor_bind_string(&cursor, turn->user_id);
	return cursor_finish(&cursor, err);
}

/* The message with the turn's answer, the vote on it so far, -1 when there is none, and the rating or 0. */
struct answer {
	char message_id[MESSAGE_ID_SIZE];
	int64_t was_helpful, rating;
};

static int find_vote(struct database *db, struct answer *answer, struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, STATEMENT_FIND_VOTE);
	cursor_bind_string(&cursor, answer->message_id);
	int found = cursor_next(&cursor, err);
	bool voted = found == 1 && !cursor_is_null(&cursor, 0);
	answer->was_helpful = voted ? cursor_int(&cursor, 0) : -1;
	answer->rating = found == 1 ? cursor_int(&cursor, 1) : 0;
	cursor_end(&cursor);
	return found < 0 ? -1 : 0;
}

/* Nobody else votes on the answer until the transaction ends. */
static int find_answer(
	struct database *db, const char *turn_id, struct answer *answer, struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, STATEMENT_FIND_ANSWER);
	cursor_bind_string(&cursor, turn_id);
	int found = cursor_next(&cursor, err);
	if (found == 1)
		(void)snprintf(answer->message_id, sizeof answer->message_id, "%s",
			cursor_text(&cursor, 0).data);
	cursor_end(&cursor);
	if (found == 0)
		return ss_fail_as(err, SS_NOT_FOUND, "there is no stored turn with this id");
	return found < 0 ? -1 : find_vote(db, answer, err);
}

static int add_feedback(struct database *db, const struct ss_feedback *feedback,
	const struct answer *answer, struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, STATEMENT_ADD_FEEDBACK);
	cursor_bind_string(&cursor, answer->message_id);
	cursor_bind_int(&cursor, feedback->was_helpful);
	cursor_bind_int(&cursor, feedback->rating);
	cursor_bind_string(&cursor, feedback->comment);
	cursor_bind_string(&cursor, feedback->issues);
	cursor_bind_int(&cursor, feedback->given_at_ns / US_IN_NS);
	return cursor_finish(&cursor, err);
}

/* The vote takes the place of the one before for each article that was shown. */
static int count_vote(struct database *db, const struct ss_feedback *feedback,
	const struct answer *answer, struct ss_error *err)
{
	if (feedback->was_helpful < 0 || feedback->was_helpful == answer->was_helpful)
		return 0;
	struct cursor cursor = cursor_begin(db, STATEMENT_COUNT_VOTE);
	cursor_bind_string(&cursor, answer->message_id);
	cursor_bind_int(&cursor, (feedback->was_helpful == 1) - (answer->was_helpful == 1));
	cursor_bind_int(&cursor, (feedback->was_helpful == 0) - (answer->was_helpful == 0));
	return cursor_finish(&cursor, err);
}

/* The rating takes the place of the one before where that was counted. */
static int count_rating(struct database *db, const struct ss_feedback *feedback,
	const struct answer *answer, struct ss_error *err)
{
	if (feedback->rating == 0 || feedback->rating == answer->rating)
		return 0;
	struct cursor cursor = cursor_begin(db, STATEMENT_COUNT_RATING);
	cursor_bind_string(&cursor, answer->message_id);
	cursor_bind_int(&cursor, answer->rating == 0);
	cursor_bind_int(&cursor, feedback->rating - answer->rating);
	return cursor_finish(&cursor, err);
}

static int store_events(
	struct database *db, const struct ss_feedback *feedback, struct ss_error *err)
{
	if (feedback->events.count == 0)
		return 0;
	struct cursor cursor = cursor_begin(db, STATEMENT_FIND_OWNER_OF_TURN);
	cursor_bind_string(&cursor, feedback->turn_id);
	int result = cursor_next(&cursor, err);
	if (result == 1)
		result = database_store_events(db, &feedback->events, cursor_text(&cursor, 0).data,
			cursor_text(&cursor, 1).data, feedback->given_at_ns / US_IN_NS, err);
	cursor_end(&cursor);
	return result;
}

static int write_feedback(struct database *db, const void *item, struct ss_error *err)
{
	const struct ss_feedback *feedback = item;
	struct answer answer;
	if (find_answer(db, feedback->turn_id, &answer, err) < 0 ||
		add_feedback(db, feedback, &answer, err) < 0)
		return -1;
	if (count_vote(db, feedback, &answer, err) < 0 ||
		count_rating(db, feedback, &answer, err) < 0)
		return -1;
	return store_events(db, feedback, err) < 0 ? -1 : 1;
}

static const char *turn_id(const void *item)
{
	return ((const struct ss_feedback *)item)->turn_id;
}

/* Two servers that store votes on the same turns lock these in the same order. Those on one turn stay as they are. */
static int compare_turns(const void *a, const void *b)
{
	const struct ss_feedback *first = *(const struct ss_feedback *const *)a;
	const struct ss_feedback *second = *(const struct ss_feedback *const *)b;
	int order = strcmp(first->turn_id, second->turn_id);
	return order != 0 ? order : (first > second) - (first < second);
}

int database_store_feedback(
	void *instance, const struct ss_feedback *feedback, size_t count, struct ss_error *errors)
{
	const struct database_batch batch = {
		.items = feedback,
		.count = count,
		.size = count > 0 ? feedback[0].struct_size : 0,
		.least = sizeof *feedback,
		.write = write_feedback,
		.compare = compare_turns,
		.id = turn_id,
	};
	return database_commit_all(instance, &batch, errors);
}

/* Where a list goes on: behind the question with these. As text "COUNT.LAST_AT.NUMBER". */
struct place {
	int64_t count, last_at, number;
};

enum { PLACE_SIZE = 64 };

static int read_number(const char **text, char end, int64_t *number)
{
	char *after = NULL;
	errno = 0;
	*number = strtoll(*text, &after, 10);
	if (after == *text || *after != end || errno != 0 || *number < 0)
		return -1;
	*text = after + (end != '\0');
	return 0;
}

static int read_place(const char *text, struct place *place, struct ss_error *err)
{
	const char *at = text;
	*place = (struct place){INT64_MAX, INT64_MAX, INT64_MAX};
	if (text == NULL)
		return 0;
	if (read_number(&at, '.', &place->count) == 0 &&
		read_number(&at, '.', &place->last_at) == 0 &&
		read_number(&at, '\0', &place->number) == 0)
		return 0;
	return ss_fail_as(
		err, SS_INVALID, "the cursor must be one that a list gave as its next_cursor");
}

static struct place place_of(const struct cursor *cursor)
{
	return (struct place){
		.count = cursor_int(cursor, 3),
		.last_at = cursor_int(cursor, 5),
		.number = cursor_int(cursor, 0),
	};
}

static struct ss_value *question_value(const struct cursor *cursor)
{
	struct row row = {.cursor = cursor};
	row_text(&row, "question", 1);
	row_text(&row, "category", 2);
	row_int(&row, "count", 3);
	row_time(&row, "first_at", 4);
	row_time(&row, "last_at", 5);
	return row_value(&row);
}

/* ITEMS (taken) and, when there are MORE, the PLACE behind them. */
static struct ss_value *page_value(
	const struct database *db, struct ss_value *items, const struct place *place, bool more)
{
	static const char *const keys[] = {"items", "next"};
	char text[PLACE_SIZE];
	int length = snprintf(text, sizeof text, "%lld.%lld.%lld", (long long)place->count,
		(long long)place->last_at, (long long)place->number);
	struct ss_value *values[] = {
		items, more ? database_values(db)->string(text, (size_t)length) : NULL};
	return database_values(db)->map(keys, values, more ? 2 : 1);
}

static int list_unanswered(
	struct database *db, const void *question, void *answer, struct ss_error *err)
{
	const struct ss_unanswered_filter *filter = question;
	struct ss_value **page = answer;
	struct place place;
	struct items items = {0};
	int64_t limit = filter->limit < INT32_MAX ? (int64_t)filter->limit : INT32_MAX;
	if (read_place(filter->after, &place, err) < 0)
		return -1;
	struct cursor cursor =
		cursor_begin(db, filter->most_asked ? STATEMENT_LIST_MOST_UNANSWERED
						    : STATEMENT_LIST_NEWEST_UNANSWERED);
	if (filter->most_asked)
		cursor_bind_int(&cursor, place.count);
	cursor_bind_int(&cursor, place.last_at);
	cursor_bind_int(&cursor, place.number);
	/* One more tells whether there is more. */
	cursor_bind_int(&cursor, limit + 1);
	int result;
	bool more = false;
	while ((result = cursor_next(&cursor, err)) == 1) {
		more = (int64_t)items.count == limit;
		if (more)
			break;
		place = place_of(&cursor);
		result = items_add(db, &items, question_value(&cursor), err);
		if (result < 0)
			break;
	}
	cursor_end(&cursor);
	struct ss_value *list = items_take(db, &items, result < 0 ? -1 : 0);
	if (result < 0)
		return -1;
	*page = page_value(db, list, &place, more);
	return 0;
}

int database_list_unanswered(void *instance, const struct ss_unanswered_filter *filter,
	struct ss_value **page, struct ss_error *err)
{
	return database_try(instance, list_unanswered, filter, page, err);
}

static int article_counts(
	struct database *db, const void *question, void *answer, struct ss_error *err)
{
	const struct ss_article_range *range = question;
	struct ss_value **counts = answer;
	struct items items = {0};
	int result;
	struct cursor cursor = cursor_begin(db, STATEMENT_READ_ARTICLE_COUNTS);
	cursor_bind_string(&cursor, range->first);
	cursor_bind_string(&cursor, range->last);
	while ((result = cursor_next(&cursor, err)) == 1) {
		struct row row = {.cursor = &cursor};
		row_text(&row, "id", 0);
		row_int(&row, "views", 1);
		row_int(&row, "helpful", 2);
		row_int(&row, "not_helpful", 3);
		result = items_add(db, &items, row_value(&row), err);
		if (result < 0)
			break;
	}
	cursor_end(&cursor);
	*counts = items_take(db, &items, result);
	return result;
}

int database_article_counts(void *instance, const struct ss_article_range *range,
	struct ss_value **counts, struct ss_error *err)
{
	return database_try(instance, article_counts, range, counts, err);
}
