/* Events: stored with what they tell of, each with a delivery for every webhook that is to get it. */
#include "common/sql/operations.h"

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

/* 1 and *NUMBER, which it has now; 0 when it is stored already. */
static int add_event(struct database *db, const struct ss_event *event, const char *user_id,
	const char *conversation_id, int64_t at_us, int64_t *number, struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, STATEMENT_ADD_EVENT);
	cursor_bind_string(&cursor, event->id);
	cursor_bind_string(&cursor, event->type);
	cursor_bind_text(&cursor, event->data);
	cursor_bind_string(&cursor, user_id);
	cursor_bind_string(&cursor, conversation_id);
	cursor_bind_int(&cursor, at_us);
	int result = cursor_next(&cursor, err);
	if (result == 1) {
		*number = cursor_int(&cursor, 0);
		result = cursor_next(&cursor, err) < 0 ? -1 : 1;
	}
	cursor_end(&cursor);
	return result;
}

int database_store_events(struct database *db, const struct ss_events *events, const char *user_id,
	const char *conversation_id, int64_t at_us, struct ss_error *err)
{
	for (size_t i = 0; i < events->count; i++) {
		const struct ss_event *event = &events->items[i];
		int64_t number = 0;
		if (!given(event->id) || !given(event->type))
			return ss_fail_as(
				err, SS_INVALID, "each of its events needs an id and a type");
		int added = add_event(db, event, user_id, conversation_id, at_us, &number, err);
		if (added < 0)
			return -1;
		for (size_t j = 0; added == 1 && j < event->webhook_count; j++) {
			if (add_delivery(db, number, at_us, event->webhooks[j], err) < 0)
				return -1;
		}
	}
	return 0;
}

/* Runs STATEMENT for what has ID; adds to *COUNT how much it has deleted. */
static int delete_of(struct database *db, enum statement statement, const char *id, int64_t *count,
	struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, statement);
	cursor_bind_string(&cursor, id);
	int result = cursor_next(&cursor, err);
	if (result == 0)
		*count += cursor_changes(&cursor);
	cursor_end(&cursor);
	return result;
}

int database_forget_events(struct database *db, const char *conversation_id, const char *user_id,
	struct database_forgotten *counts, struct ss_error *err)
{
	if (conversation_id != NULL && delete_of(db, STATEMENT_DELETE_EVENTS_OF_CONVERSATION,
					       conversation_id, &counts->events, err) < 0)
		return -1;
	if (user_id == NULL)
		return 0;
	if (delete_of(db, STATEMENT_DELETE_EVENTS_OF_USER, user_id, &counts->events, err) < 0)
		return -1;
	return delete_of(db, STATEMENT_DELETE_REQUESTS_OF_USER, user_id, &counts->requests, err);
}
