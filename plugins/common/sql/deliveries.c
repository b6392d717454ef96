/* Deliveries of events to webhooks: given to those who make them, one each, and what became of them. */
#include "common/sql/operations.h"
#include "common/sql/place.h"

#include <stdlib.h>
#include <string.h>

enum {
	US_IN_NS = 1000,
	CLAIMS_LIMIT = 1000, /* at once */
	/* Of a delivery; older ones are forgotten. */
	ATTEMPTS_KEPT = 50,
	PLACE_NUMBERS = 2,
};

static const char order[] = "newest_deliveries";

/* Claiming. */

struct numbers {
	int64_t *items;
	size_t count, capacity;
};

static int numbers_add(
	struct database *db, struct numbers *numbers, int64_t number, struct ss_error *err)
{
	if (numbers->count == numbers->capacity) {
		size_t capacity = numbers->capacity > 0 ? numbers->capacity * 2 : 64;
		int64_t *items = reallocarray(numbers->items, capacity, sizeof *items);
		if (items == NULL)
			return database_fail_memory(db, err);
		numbers->items = items;
		numbers->capacity = capacity;
	}
	numbers->items[numbers->count++] = number;
	return 0;
}

/* Adds to NUMBERS what is in column 0 of the rows of CURSOR, which this ends. */
static int read_numbers(struct cursor *cursor, struct numbers *numbers, struct ss_error *err)
{
	int result;
	while ((result = cursor_next(cursor, err)) == 1) {
		result = numbers_add(cursor->db, numbers, cursor_int(cursor, 0), err);
		if (result < 0)
			break;
	}
	cursor_end(cursor);
	return result;
}

static int release_claims(struct database *db, const char *owner, struct ss_error *err)
{
	if (owner == NULL)
		return 0;
	struct cursor cursor = cursor_begin(db, STATEMENT_RELEASE_CLAIMS);
	cursor_bind_string(&cursor, owner);
	cursor_bind_now(&cursor);
	return cursor_finish(&cursor, err);
}

static int find_due(
	struct database *db, size_t limit, struct numbers *numbers, struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, STATEMENT_FIND_DUE_DELIVERIES);
	cursor_bind_int(&cursor, (int64_t)limit);
	cursor_bind_now(&cursor);
	return read_numbers(&cursor, numbers, err);
}

/* The row of CURSOR, {id, webhook_id, attempt, fence, and of the event id, type, data, at}, as a new map. */
static struct ss_value *claim_value(const struct cursor *cursor)
{
	struct row event = {.cursor = cursor}, row = {.cursor = cursor};
	row_text(&event, "id", 4);
	row_text(&event, "type", 5);
	row_text(&event, "data", 6);
	row_time(&event, "at", 7);
	row_text(&row, "id", 0);
	row_text(&row, "webhook_id", 1);
	row_int(&row, "attempt", 2);
	row_int(&row, "fence", 3);
	row_add(&row, "event", row_value(&event));
	return row_value(&row);
}

static int claim_one(struct database *db, const struct ss_delivery_claim *claim, int64_t number,
	struct items *items, struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, STATEMENT_CLAIM_DELIVERY);
	cursor_bind_int(&cursor, number);
	cursor_bind_string(&cursor, claim->owner);
	cursor_bind_int(&cursor, claim->lease_ns / US_IN_NS);
	cursor_bind_now(&cursor);
	int result = cursor_next(&cursor, err);
	if (result == 1)
		result = items_add(db, items, claim_value(&cursor), err);
	if (result == 0)
		result = cursor_next(&cursor, err);
	cursor_end(&cursor);
	return result;
}

static int claim_all(struct database *db, const struct ss_delivery_claim *claim,
	struct items *items, struct ss_error *err)
{
	struct numbers due = {0};
	size_t limit = claim->limit < CLAIMS_LIMIT ? claim->limit : CLAIMS_LIMIT;
	int result = release_claims(db, claim->gone, err);
	if (result == 0)
		result = find_due(db, limit, &due, err);
	for (size_t i = 0; result == 0 && i < due.count; i++)
		result = claim_one(db, claim, due.items[i], items, err);
	free(due.items);
	return result;
}

static int claim_deliveries(
	struct database *db, const void *question, void *answer, struct ss_error *err)
{
	const struct ss_delivery_claim *claim = question;
	struct ss_value **claimed = answer;
	struct items items = {0};
	if (database_begin(db, STATEMENT_BEGIN_WRITE, err) < 0)
		return -1;
	int result = claim_all(db, claim, &items, err);
	if (result == 0)
		result = statement_run(db, STATEMENT_COMMIT, err);
	if (result < 0)
		database_rollback(db);
	*claimed = items_take(db, &items, result);
	return result;
}

int database_claim_deliveries(void *instance, const struct ss_delivery_claim *claim,
	struct ss_value **claimed, struct ss_error *err)
{
	if (claim->owner == NULL || claim->owner[0] == '\0' || claim->lease_ns <= 0)
		return ss_fail_as(err, SS_INVALID,
			"deliveries are claimed by an owner and for longer than 0 ns");
	return database_try(instance, claim_deliveries, claim, claimed, err);
}

/* Finishing. */

static int check_attempt(const struct ss_delivery_attempt *attempt, struct ss_error *err)
{
	static const char *const statuses[] = {"pending", "delivered", "failed"};
	bool known = false;
	if (attempt->delivery_id == NULL || attempt->owner == NULL || attempt->status == NULL)
		return ss_fail_as(err, SS_INVALID, "it needs its id, its owner and a status");
	for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
		known |= strcmp(attempt->status, statuses[i]) == 0;
	if (!known)
		return ss_fail_as(err, SS_INVALID,
			"its status is \"%s\", but deliveries are pending, delivered or failed",
			attempt->status);
	if (attempt->at_ns < 0 || attempt->duration_ns < 0 || attempt->code < 0 ||
		attempt->retry_ns < 0)
		return ss_fail_as(err, SS_INVALID,
			"its time, its duration, its code and its pause must not be below 0");
	return 0;
}

/* Why the delivery is not ATTEMPT's to be finished; 0 when the attempt before has finished it. */
static int explain(
	struct database *db, const struct ss_delivery_attempt *attempt, struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, STATEMENT_FIND_CLAIM);
	cursor_bind_string(&cursor, attempt->delivery_id);
	int found = cursor_next(&cursor, err);
	bool done = found == 1 && database_is_again(db) &&
		    cursor_int(&cursor, 0) == attempt->fence && cursor_is_null(&cursor, 1);
	cursor_end(&cursor);
	if (found < 0 || done)
		return found < 0 ? -1 : 0;
	if (found == 0)
		return ss_fail_as(err, SS_NOT_FOUND, "it is not there any more");
	return ss_fail_as(
		err, SS_CONFLICT, "somebody else has claimed it meanwhile, or it is not pending");
}

static int add_attempt(struct database *db, const struct ss_delivery_attempt *attempt,
	int64_t number, struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, STATEMENT_ADD_ATTEMPT);
	cursor_bind_int(&cursor, number);
	cursor_bind_int(&cursor, attempt->at_ns / US_IN_NS);
	cursor_bind_int(&cursor, attempt->duration_ns);
	cursor_bind_int(&cursor, attempt->code);
	cursor_bind_string(&cursor, attempt->error);
	if (attempt->body.data != NULL)
		cursor_bind_text(&cursor, attempt->body);
	else
		cursor_bind_string(&cursor, NULL);
	if (cursor_finish(&cursor, err) < 0)
		return -1;
	cursor = cursor_begin(db, STATEMENT_DELETE_OLD_ATTEMPTS);
	cursor_bind_int(&cursor, number);
	cursor_bind_int(&cursor, ATTEMPTS_KEPT);
	return cursor_finish(&cursor, err);
}

static int finish_delivery(struct database *db, const void *item, struct ss_error *err)
{
	const struct ss_delivery_attempt *attempt = item;
	int64_t number = 0;
	if (check_attempt(attempt, err) < 0)
		return -1;
	struct cursor cursor = cursor_begin(db, STATEMENT_FINISH_DELIVERY);
	cursor_bind_string(&cursor, attempt->delivery_id);
	cursor_bind_string(&cursor, attempt->owner);
	cursor_bind_int(&cursor, attempt->fence);
	cursor_bind_string(&cursor, attempt->status);
	cursor_bind_int(&cursor, attempt->retry_ns / US_IN_NS);
	cursor_bind_now(&cursor);
	int found = cursor_next(&cursor, err);
	if (found == 1) {
		number = cursor_int(&cursor, 0);
		found = cursor_next(&cursor, err) < 0 ? -1 : 1;
	}
	cursor_end(&cursor);
	if (found == 0)
		return explain(db, attempt, err);
	return found < 0 || add_attempt(db, attempt, number, err) < 0 ? -1 : 1;
}

static const char *delivery_id(const void *item)
{
	return ((const struct ss_delivery_attempt *)item)->delivery_id;
}

int database_finish_deliveries(void *instance, const struct ss_delivery_attempt *attempts,
	size_t count, struct ss_error *errors)
{
	const struct database_batch batch = {
		.items = attempts,
		.count = count,
		.size = count > 0 ? attempts[0].struct_size : 0,
		.least = sizeof *attempts,
		.write = finish_delivery,
		.id = delivery_id,
		.noun = "delivery",
	};
	return database_commit_all(instance, &batch, errors);
}

/* Lists. */

static enum statement statement_of(const struct ss_delivery_filter *filter)
{
	if (filter->delivery_id != NULL)
		return STATEMENT_LIST_ONE_DELIVERY;
	if (filter->event_id != NULL)
		return STATEMENT_LIST_DELIVERIES_OF_EVENT;
	if (filter->status != NULL && strcmp(filter->status, "delivered") != 0)
		return STATEMENT_LIST_DELIVERIES_NOT_DELIVERED;
	return filter->webhook_id != NULL ? STATEMENT_LIST_DELIVERIES_OF_WEBHOOK
					  : STATEMENT_LIST_DELIVERIES;
}

/* The deliveries of FILTER behind PLACE, LIMIT of them at most; those that are not PENDING only. */
static struct cursor begin_list(struct database *db, const struct ss_delivery_filter *filter,
	const int64_t place[PLACE_NUMBERS], int64_t limit, bool pending)
{
	struct cursor cursor = cursor_begin(db, statement_of(filter));
	int64_t begin[PLACE_NUMBERS] = {place[0], place[1]};
	place_before(begin, filter->to_ns);
	cursor_bind_int(&cursor, begin[0]);
	cursor_bind_int(&cursor, begin[1]);
	cursor_bind_int(&cursor, place_time(filter->from_ns, 0));
	cursor_bind_int(&cursor, place_time(filter->to_ns, INT64_MAX));
	cursor_bind_int(&cursor, limit);
	cursor_bind_int(&cursor, pending);
	cursor_bind_string(&cursor, filter->status);
	cursor_bind_string(&cursor, filter->webhook_id);
	cursor_bind_string(&cursor, filter->event_id);
	cursor_bind_string(&cursor, filter->delivery_id);
	return cursor;
}

static struct ss_value *read_attempts(struct database *db, int64_t number, struct ss_error *err)
{
	struct items items = {0};
	int result;
	struct cursor cursor = cursor_begin(db, STATEMENT_READ_ATTEMPTS);
	cursor_bind_int(&cursor, number);
	while ((result = cursor_next(&cursor, err)) == 1) {
		struct row row = {.cursor = &cursor};
		row_time(&row, "at", 0);
		row_int(&row, "duration_ns", 1);
		row_int(&row, "code", 2);
		row_text(&row, "error", 3);
		row_text(&row, "body", 4);
		result = items_add(db, &items, row_value(&row), err);
		if (result < 0)
			break;
	}
	cursor_end(&cursor);
	return items_take(db, &items, result);
}

static struct ss_value *delivery_value(const struct cursor *cursor, struct ss_error *err)
{
	struct ss_value *attempts = read_attempts(cursor->db, cursor_int(cursor, 0), err);
	if (attempts == NULL)
		return NULL;
	struct row row = {.cursor = cursor};
	row_text(&row, "id", 2);
	row_text(&row, "webhook_id", 3);
	row_text(&row, "event_id", 4);
	row_text(&row, "type", 5);
	row_text(&row, "status", 6);
	row_time(&row, "at", 1);
	row_time(&row, "next_at", 7);
	row_add(&row, "attempts", attempts);
	return row_value(&row);
}

static void write_place(const struct cursor *cursor, char place[PAGE_PLACE_SIZE])
{
	const int64_t numbers[PLACE_NUMBERS] = {cursor_int(cursor, 1), cursor_int(cursor, 0)};
	place_write(place, order, numbers, PLACE_NUMBERS);
}

static int list_deliveries(
	struct database *db, const void *question, void *answer, struct ss_error *err)
{
	static const struct page_rows kind = {delivery_value, write_place};
	const struct ss_delivery_filter *filter = question;
	struct ss_value **page = answer;
	int64_t place[PLACE_NUMBERS] = {INT64_MAX, INT64_MAX};
	int64_t rows = 0;
	if (place_read(filter->after, order, place, PLACE_NUMBERS, err) < 0 ||
		page_limit(filter->limit, &rows, err) < 0)
		return -1;
	/* One moment, also for the attempts. */
	if (database_begin(db, STATEMENT_BEGIN_READ, err) < 0)
		return -1;
	struct cursor cursor = begin_list(db, filter, place, rows, true);
	*page = NULL;
	if (page_read(&cursor, rows, &kind, page, err) == 0 &&
		statement_run(db, STATEMENT_COMMIT, err) == 0)
		return 0;
	database_rollback(db);
	database_values(db)->unref(*page);
	*page = NULL;
	return -1;
}

int database_list_deliveries(void *instance, const struct ss_delivery_filter *filter,
	struct ss_value **page, struct ss_error *err)
{
	return database_try(instance, list_deliveries, filter, page, err);
}

/* Delivering again. */

static int redeliver_all(struct database *db, const struct ss_delivery_filter *filter,
	size_t *count, struct ss_error *err)
{
	const int64_t place[PLACE_NUMBERS] = {INT64_MAX, INT64_MAX};
	struct numbers numbers = {0};
	int64_t limit = filter->limit < INT32_MAX ? (int64_t)filter->limit : INT32_MAX;
	struct cursor cursor = begin_list(db, filter, place, limit, false);
	int result = read_numbers(&cursor, &numbers, err);
	for (size_t i = 0; result == 0 && i < numbers.count; i++) {
		cursor = cursor_begin(db, STATEMENT_REDELIVER);
		cursor_bind_int(&cursor, numbers.items[i]);
		cursor_bind_now(&cursor);
		result = cursor_next(&cursor, err);
		*count += result == 0 ? (size_t)cursor_changes(&cursor) : 0;
		cursor_end(&cursor);
	}
	free(numbers.items);
	return result;
}

static int redeliver(struct database *db, const void *question, void *answer, struct ss_error *err)
{
	size_t *count = answer;
	*count = 0;
	if (database_begin(db, STATEMENT_BEGIN_WRITE, err) < 0)
		return -1;
	if (redeliver_all(db, question, count, err) == 0 &&
		statement_run(db, STATEMENT_COMMIT, err) == 0)
		return 0;
	database_rollback(db);
	return -1;
}

int database_redeliver(void *instance, const struct ss_delivery_filter *filter, size_t *count,
	struct ss_error *err)
{
	return database_try(instance, redeliver, filter, count, err);
}

static int delivery_counts(
	struct database *db, const void *question, void *answer, struct ss_error *err)
{
	struct ss_value **counts = answer;
	struct items items = {0};
	int result;
	(void)question;
	struct cursor cursor = cursor_begin(db, STATEMENT_READ_DELIVERY_COUNTS);
	while ((result = cursor_next(&cursor, err)) == 1) {
		struct row row = {.cursor = &cursor};
		row_text(&row, "webhook_id", 0);
		row_int(&row, "pending", 1);
		row_int(&row, "delivered", 2);
		row_int(&row, "failed", 3);
		result = items_add(db, &items, row_value(&row), err);
		if (result < 0)
			break;
	}
	cursor_end(&cursor);
	*counts = items_take(db, &items, result);
	return result;
}

int database_delivery_counts(void *instance, struct ss_value **counts, struct ss_error *err)
{
	return database_try(instance, delivery_counts, NULL, counts, err);
}
