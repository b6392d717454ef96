/* Events: stored with what they tell of, each with a delivery for every webhook that is to get it; and their list. */
#include "common/sql/operations.h"
#include "common/sql/place.h"

#include <string.h>

enum { PLACE_NUMBERS = 2, FEW = 5000 };

/* The orders of the list. */
static const char oldest[] = "oldest", newest[] = "newest";

static bool given(const char *text)
{
	return text != NULL && text[0] != '\0';
}

/* A delivery of the event NUMBER that is due at once, if the webhook is stored. */
static int add_delivery(struct database *db, int64_t number, int64_t at_us, const char *webhook_id,
	struct ss_error *err)
{
	char id[DATABASE_ID_SIZE];
	if (database_make_id(at_us, id, err) < 0)
		return -1;
	struct cursor cursor = cursor_begin(db, STATEMENT_ADD_DELIVERY);
	cursor_bind_string(&cursor, id);
	cursor_bind_int(&cursor, number);
	cursor_bind_int(&cursor, at_us);
	cursor_bind_string(&cursor, webhook_id);
	cursor_bind_now(&cursor);
	return cursor_finish(&cursor, err);
}

static void bind_event(struct cursor *cursor, const struct ss_event *event,
	const struct database_happened *happened)
{
	cursor_bind_string(cursor, event->id);
	cursor_bind_string(cursor, event->type);
	cursor_bind_text(cursor, event->data);
	cursor_bind_string(cursor, happened->user_id);
	cursor_bind_string(cursor, happened->conversation_id);
	cursor_bind_int(cursor, happened->at_us);
}

/* With its deliveries, unless it is stored already. */
static int add_event(struct database *db, const struct ss_event *event,
	const struct database_happened *happened, struct ss_error *err)
{
	int64_t number = 0;
	struct cursor cursor = cursor_begin_rows(db, STATEMENT_ADD_EVENT);
	bind_event(&cursor, event, happened);
	int added = cursor_add_new(&cursor, &number, err);
	if (added < 0)
		return -1;
	for (size_t i = 0; added == 1 && i < event->webhook_count; i++) {
		if (add_delivery(db, number, happened->at_us, event->webhooks[i], err) < 0)
			return -1;
	}
	return 0;
}

static int check_events(const struct ss_events *events, struct ss_error *err)
{
	for (size_t i = 0; i < events->count; i++) {
		if (!given(events->items[i].id) || !given(events->items[i].type))
			return ss_fail_as(
				err, SS_INVALID, "each of its events needs an id and a type");
	}
	return 0;
}

/* Whether all events of what HAPPENED are for no webhook. */
static bool are_quiet(const struct database_happened *happened, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < happened[i].events->count; j++) {
			if (happened[i].events->items[j].webhook_count > 0)
				return false;
		}
	}
	return true;
}

static int add_quiet_events(struct database *db, const struct database_happened *happened,
	size_t count, struct ss_error *err)
{
	struct cursor cursor = cursor_begin_rows(db, STATEMENT_ADD_EVENT);
	for (size_t i = 0; i < count; i++) {
		const struct ss_events *events = happened[i].events;
		for (size_t j = 0; j < events->count; j++) {
			bind_event(&cursor, &events->items[j], &happened[i]);
			if (cursor_end_row(&cursor, err) < 0)
				return -1;
		}
	}
	return cursor_finish_rows(&cursor, err);
}

static int add_events(
	struct database *db, const struct database_happened *happened, struct ss_error *err)
{
	for (size_t i = 0; i < happened->events->count; i++) {
		if (add_event(db, &happened->events->items[i], happened, err) < 0)
			return -1;
	}
	return 0;
}

int database_store_events(struct database *db, const struct database_happened *happened,
	size_t count, struct ss_error *err)
{
	for (size_t i = 0; i < count; i++) {
		if (check_events(happened[i].events, err) < 0)
			return -1;
	}
	if (are_quiet(happened, count))
		return add_quiet_events(db, happened, count, err);
	for (size_t i = 0; i < count; i++) {
		if (add_events(db, &happened[i], err) < 0)
			return -1;
	}
	return 0;
}

/* The list. The newest are told by their time and number. The oldest are told by the transaction that stored them and
 * their number, as far as nothing can come before them any more. */

static enum statement choose_newest(const struct ss_event_filter *filter)
{
	if (filter->conversation_id != NULL)
		return STATEMENT_LIST_EVENTS_OF_CONVERSATION;
	if (filter->user_id != NULL)
		return filter->type != NULL ? STATEMENT_LIST_EVENTS_OF_USER_AND_TYPE
					    : STATEMENT_LIST_EVENTS_OF_USER;
	return filter->type != NULL ? STATEMENT_LIST_EVENTS_OF_TYPE : STATEMENT_LIST_EVENTS;
}

/* No index has the order of the oldest for a user or a type: of few events all are sorted, and where there are many the next
 * ones are not far among all others. */
static int choose_oldest(struct database *db, const struct ss_event_filter *filter,
	enum statement *list, struct ss_error *err)
{
	*list = filter->conversation_id != NULL ? STATEMENT_LIST_OLDEST_EVENTS_OF_CONVERSATION
						: STATEMENT_LIST_OLDEST_EVENTS;
	if (filter->conversation_id != NULL || (filter->user_id == NULL && filter->type == NULL))
		return 0;
	struct cursor cursor = cursor_begin(db, STATEMENT_COUNT_EVENTS);
	cursor_bind_string(&cursor, filter->user_id);
	cursor_bind_string(&cursor, filter->type);
	cursor_bind_int(&cursor, FEW);
	int result = cursor_next(&cursor, err);
	if (result == 1 && filter->user_id != NULL && cursor_int(&cursor, 0) < FEW)
		*list = STATEMENT_LIST_OLDEST_EVENTS_OF_USER;
	else if (result == 1 && filter->type != NULL && cursor_int(&cursor, 1) < FEW)
		*list = STATEMENT_LIST_OLDEST_EVENTS_OF_TYPE;
	cursor_end(&cursor);
	return result < 0 ? -1 : 0;
}

static struct cursor begin_list(struct database *db, enum statement list,
	const struct ss_event_filter *filter, const int64_t place[PLACE_NUMBERS], int64_t rows)
{
	struct cursor cursor = cursor_begin(db, list);
	cursor_bind_int(&cursor, place[0]);
	cursor_bind_int(&cursor, place[1]);
	cursor_bind_int(&cursor, place_time(filter->from_ns, 0));
	cursor_bind_int(&cursor, place_time(filter->to_ns, INT64_MAX));
	cursor_bind_int(&cursor, rows);
	cursor_bind_string(&cursor, filter->type);
	cursor_bind_string(&cursor, filter->user_id);
	cursor_bind_string(&cursor, filter->conversation_id);
	return cursor;
}

static struct ss_value *event_value(const struct cursor *cursor, struct ss_error *err)
{
	struct row row = {.cursor = cursor};
	(void)err;
	row_text(&row, "id", 2);
	row_text(&row, "type", 3);
	row_text(&row, "data", 4);
	row_text(&row, "user_id", 5);
	row_text(&row, "conversation_id", 6);
	row_time(&row, "at", 7);
	return row_value(&row);
}

static void write_place(const struct cursor *cursor, char place[PAGE_PLACE_SIZE])
{
	const int64_t numbers[PLACE_NUMBERS] = {cursor_int(cursor, 7), cursor_int(cursor, 0)};
	place_write(place, newest, numbers, PLACE_NUMBERS);
}

static int list_newest(struct database *db, const struct ss_event_filter *filter, int64_t rows,
	struct ss_value **page, struct ss_error *err)
{
	static const struct page_rows kind = {event_value, write_place};
	int64_t place[PLACE_NUMBERS] = {INT64_MAX, INT64_MAX};
	if (place_read(filter->after, newest, place, PLACE_NUMBERS, err) < 0)
		return -1;
	place_before(place, filter->to_ns);
	struct cursor cursor = begin_list(db, choose_newest(filter), filter, place, rows);
	return page_read(&cursor, rows, &kind, page, err);
}

/* Adds to ITEMS the oldest events behind PLACE, which moves to the last of them: 1 when there are more, else 0, or -1. */
static int read_oldest(struct database *db, const struct ss_event_filter *filter, int64_t rows,
	int64_t place[PLACE_NUMBERS], struct items *items, struct ss_error *err)
{
	int result;
	enum statement list;
	if (choose_oldest(db, filter, &list, err) < 0)
		return -1;
	struct cursor cursor = begin_list(db, list, filter, place, rows);
	while ((result = cursor_next(&cursor, err)) == 1 && (int64_t)items->count + 1 < rows) {
		place[0] = cursor_int(&cursor, 1);
		place[1] = cursor_int(&cursor, 0);
		if (items_add(db, items, event_value(&cursor, err), err) < 0) {
			result = -1;
			break;
		}
	}
	cursor_end(&cursor);
	return result;
}

/* PLACE becomes the one behind all that have been read, and before all that will come. */
static int find_end(struct database *db, int64_t place[PLACE_NUMBERS], struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, STATEMENT_FIND_END_OF_EVENTS);
	int result = cursor_next(&cursor, err);
	int64_t end[PLACE_NUMBERS] = {0};
	for (int i = 0; result == 1 && i < PLACE_NUMBERS; i++)
		end[i] = cursor_int(&cursor, i);
	cursor_end(&cursor);
	if (end[0] > place[0] || (end[0] == place[0] && end[1] > place[1]))
		memcpy(place, end, sizeof end);
	return result < 0 ? -1 : 0;
}

static struct ss_value *page_value(
	const struct database *db, struct ss_value *items, const int64_t place[PLACE_NUMBERS])
{
	static const char *const keys[] = {"items", "next"};
	char text[PAGE_PLACE_SIZE];
	place_write(text, oldest, place, PLACE_NUMBERS);
	struct ss_value *values[] = {items, database_values(db)->string(text, strlen(text))};
	return database_values(db)->map(keys, values, 2);
}

static int list_oldest(struct database *db, const struct ss_event_filter *filter, int64_t rows,
	struct ss_value **page, struct ss_error *err)
{
	int64_t place[PLACE_NUMBERS] = {0};
	struct items items = {0};
	if (place_read(filter->after, oldest, place, PLACE_NUMBERS, err) < 0)
		return -1;
	/* One moment, so the end is that of what is read. */
	if (database_begin(db, STATEMENT_BEGIN_READ, err) < 0)
		return -1;
	int result = read_oldest(db, filter, rows, place, &items, err);
	if (result == 0)
		result = find_end(db, place, err);
	if (result >= 0)
		result = statement_run(db, STATEMENT_COMMIT, err);
	if (result < 0)
		database_rollback(db);
	struct ss_value *list = items_take(db, &items, result);
	if (result == 0)
		*page = page_value(db, list, place);
	return result;
}

static int list_events(
	struct database *db, const void *question, void *answer, struct ss_error *err)
{
	const struct ss_event_filter *filter = question;
	int64_t rows = 0;
	if (page_limit(filter->limit, &rows, err) < 0)
		return -1;
	return filter->oldest_first ? list_oldest(db, filter, rows, answer, err)
				    : list_newest(db, filter, rows, answer, err);
}

int database_list_events(void *instance, const struct ss_event_filter *filter,
	struct ss_value **page, struct ss_error *err)
{
	return database_try(instance, list_events, filter, page, err);
}
