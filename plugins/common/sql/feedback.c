/* Which articles turns show, what customers say of them, and questions without an answer. */
#include "common/sql/operations.h"
#include "common/sql/place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { US_IN_NS = 1000, MESSAGE_ID_SIZE = 64 };

/* Whether the article is named before the place I as well. */
static bool is_repeated(const struct ss_turn *turn, size_t i)
{
	for (size_t j = 0; j < i; j++) {
		if (strcmp(turn->shown[j], turn->shown[i]) == 0)
			return true;
	}
	return false;
}

int database_note_shown(struct cursor *cursor, const struct ss_turn *turn, const char *message_id,
	struct ss_error *err)
{
	for (size_t i = 0; i < turn->shown_count; i++) {
		if (is_repeated(turn, i))
			continue;
		cursor_bind_string(cursor, message_id);
		cursor_bind_string(cursor, turn->shown[i]);
		if (cursor_end_row(cursor, err) < 0)
			return -1;
	}
	return 0;
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The COUNT IDS are sorted. */
static int count_sorted(struct database *db, const char **ids, size_t count, struct ss_error *err)
{
	struct cursor cursor = cursor_begin_rows(db, STATEMENT_COUNT_VIEWS);
	size_t first = 0;
	for (size_t i = 1; i <= count; i++) {
		if (i < count && strcmp(ids[i], ids[first]) == 0)
			continue;
		cursor_bind_string(&cursor, ids[first]);
		cursor_bind_int(&cursor, (int64_t)(i - first));
		if (cursor_end_row(&cursor, err) < 0)
			return -1;
		first = i;
	}
	return cursor_finish_rows(&cursor, err);
}

static const char **add_shown(const char **ids, const struct ss_turn *turn)
{
	for (size_t i = 0; i < turn->shown_count; i++) {
		if (!is_repeated(turn, i))
			*ids++ = turn->shown[i];
	}
	return ids;
}

int database_count_views(
	struct database *db, const void *const *turns, size_t count, struct ss_error *err)
{
	size_t most = 0;
	for (size_t i = 0; i < count; i++)
		most += ((const struct ss_turn *)turns[i])->shown_count;
	if (most == 0)
		return 0;
	const char **ids = calloc(most, sizeof *ids), **end = ids;
	if (ids == NULL)
		return database_fail_memory(db, err);
	for (size_t i = 0; i < count; i++)
		end = add_shown(end, turns[i]);
	size_t shown = (size_t)(end - ids);
	qsort(ids, shown, sizeof *ids, compare_ids);
	int result = count_sorted(db, ids, shown, err);
	free(ids);
	return result;
}

/* A question that COUNT turns ask, in the words of the last one. */
struct asked {
	const struct ss_turn *last;
	int64_t count, first_us, last_us;
};

static int end_asked(struct cursor *cursor, const struct asked *asked, struct ss_error *err)
{
	cursor_bind_string(cursor, asked->last->unanswered);
	cursor_bind_text(cursor, asked->last->message);
	cursor_bind_string(cursor, asked->last->category);
	cursor_bind_string(cursor, asked->last->user_id);
	cursor_bind_int(cursor, asked->count);
	cursor_bind_int(cursor, asked->first_us);
	cursor_bind_int(cursor, asked->last_us);
	return cursor_end_row(cursor, err);
}

/* Of the COUNT TURNS, which ask the same as the first of them; *SAME of them do. */
static struct asked read_asked(const void *const *turns, size_t count, size_t *same)
{
	struct asked asked = {.first_us = INT64_MAX};
	for (*same = 0; *same < count; ++*same) {
		const struct ss_turn *turn = turns[*same];
		int64_t at_us = turn->asked_at_ns / US_IN_NS;
		if (asked.last != NULL && strcmp(turn->unanswered, asked.last->unanswered) != 0)
			break;
		if (at_us >= asked.last_us) {
			asked.last = turn;
			asked.last_us = at_us;
		}
		if (at_us < asked.first_us)
			asked.first_us = at_us;
		asked.count++;
	}
	return asked;
}

int database_note_unanswered(
	struct database *db, const void *const *turns, size_t count, struct ss_error *err)
{
	struct cursor cursor = cursor_begin_rows(db, STATEMENT_ADD_UNANSWERED);
	while (count > 0) {
		size_t same;
		struct asked asked = read_asked(turns, count, &same);
		if (end_asked(&cursor, &asked, err) < 0)
			return -1;
		turns += same;
		count -= same;
	}
	return cursor_finish_rows(&cursor, err);
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
		result = database_store_events(db,
			&(struct database_happened){
				.events = &feedback->events,
				.user_id = cursor_text(&cursor, 0).data,
				.conversation_id = cursor_text(&cursor, 1).data,
				.at_us = feedback->given_at_ns / US_IN_NS,
			},
			1, err);
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

/* The orders of the lists, and by what they are ordered. */
static const char newest[] = "newest_asked", most[] = "most_asked";
enum { NEWEST_NUMBERS = 2, MOST_NUMBERS = 3 };

static struct ss_value *question_value(const struct cursor *cursor, struct ss_error *err)
{
	struct row row = {.cursor = cursor};
	(void)err;
	row_text(&row, "question", 1);
	row_text(&row, "category", 2);
	row_int(&row, "count", 3);
	row_time(&row, "first_at", 4);
	row_time(&row, "last_at", 5);
	return row_value(&row);
}

static void write_most_place(const struct cursor *cursor, char place[PAGE_PLACE_SIZE])
{
	const int64_t numbers[MOST_NUMBERS] = {
		cursor_int(cursor, 3), cursor_int(cursor, 5), cursor_int(cursor, 0)};
	place_write(place, most, numbers, MOST_NUMBERS);
}

static void write_newest_place(const struct cursor *cursor, char place[PAGE_PLACE_SIZE])
{
	const int64_t numbers[NEWEST_NUMBERS] = {cursor_int(cursor, 5), cursor_int(cursor, 0)};
	place_write(place, newest, numbers, NEWEST_NUMBERS);
}

static enum statement list_of(const struct ss_unanswered_filter *filter)
{
	if (filter->user_id != NULL)
		return filter->most_asked ? STATEMENT_LIST_MOST_UNANSWERED_OF_USER
					  : STATEMENT_LIST_NEWEST_UNANSWERED_OF_USER;
	return filter->most_asked ? STATEMENT_LIST_MOST_UNANSWERED
				  : STATEMENT_LIST_NEWEST_UNANSWERED;
}

static int list_unanswered(
	struct database *db, const void *question, void *answer, struct ss_error *err)
{
	const struct ss_unanswered_filter *filter = question;
	const struct page_rows kind = {
		question_value, filter->most_asked ? write_most_place : write_newest_place};
	size_t count = filter->most_asked ? MOST_NUMBERS : NEWEST_NUMBERS;
	int64_t place[MOST_NUMBERS] = {INT64_MAX, INT64_MAX, INT64_MAX};
	int64_t rows = 0;
	if (place_read(filter->after, filter->most_asked ? most : newest, place, count, err) < 0 ||
		page_limit(filter->limit, &rows, err) < 0)
		return -1;
	struct cursor cursor = cursor_begin(db, list_of(filter));
	for (size_t i = 0; i < count; i++)
		cursor_bind_int(&cursor, place[i]);
	cursor_bind_int(&cursor, rows);
	if (filter->user_id != NULL)
		cursor_bind_string(&cursor, filter->user_id);
	return page_read(&cursor, rows, &kind, answer, err);
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
