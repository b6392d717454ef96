/* Figures over time: three statements that give their rows by step, read side by side. */
#include "common/sql/operations.h"
#include "common/sql/rows.h"

enum { US_IN_NS = 1000 };

static const int64_t hour_ns = 3600000000000, day_ns = 86400000000000;

static int check_range(const struct ss_analytics_range *range, struct ss_error *err)
{
	if (range->step_ns != hour_ns && range->step_ns != day_ns)
		return ss_fail_as(err, SS_INVALID,
			"figures are told in steps of an hour (3600 s) or a day (86400 s)");
	if (range->from_ns < 0 || range->from_ns % hour_ns != 0 || range->to_ns % hour_ns != 0)
		return ss_fail_as(err, SS_INVALID,
			"figures are told from and to the beginnings of hours, in UTC");
	if (range->from_ns > range->to_ns)
		return ss_fail_as(err, SS_INVALID,
			"the time that figures are told from must not be behind their end");
	return 0;
}

/* Counts by name, {step, a JSON object}, of the steps that have some. */
struct names {
	struct cursor cursor;
	int found; /* whether it stands on a row */
};

/* The whole days of RANGE, if there are some. */
static void find_days(const struct ss_analytics_range *range, int64_t *first_ns, int64_t *end_ns)
{
	int64_t first = (range->from_ns + day_ns - 1) / day_ns * day_ns;
	int64_t end = range->to_ns / day_ns * day_ns;
	if (first < end) {
		*first_ns = first;
		*end_ns = end;
	}
}

static struct cursor begin(
	struct database *db, enum statement statement, const struct ss_analytics_range *range)
{
	struct cursor cursor = cursor_begin(db, statement);
	cursor_bind_int(&cursor, range->from_ns / US_IN_NS);
	cursor_bind_int(&cursor, range->to_ns / US_IN_NS);
	cursor_bind_int(&cursor, range->step_ns / US_IN_NS);
	/* No days: from the end to the end. */
	int64_t first_ns = range->to_ns;
	int64_t end_ns = first_ns;
	if (range->step_ns == day_ns)
		find_days(range, &first_ns, &end_ns);
	cursor_bind_int(&cursor, first_ns / US_IN_NS);
	cursor_bind_int(&cursor, end_ns / US_IN_NS);
	return cursor;
}

/* Adds the counts of STEP, which comes behind those before. */
static int add_names(
	struct row *row, const char *key, int64_t step, struct names *names, struct ss_error *err)
{
	const struct ss_value_functions *values = database_values(row->cursor->db);
	if (names->found < 0)
		return -1;
	if (names->found == 0 || cursor_int(&names->cursor, 0) != step) {
		row_add(row, key, values->map(NULL, NULL, 0));
		return 0;
	}
	struct ss_text json = cursor_text(&names->cursor, 1);
	if (json.data == NULL)
		return database_fail_memory(row->cursor->db, err);
	struct ss_value *counts = values->from_json(json.data, json.length, err);
	if (counts == NULL)
		return -1;
	row_add(row, key, counts);
	names->found = cursor_next(&names->cursor, err);
	return names->found < 0 ? -1 : 0;
}

static void add_ratings(struct row *row)
{
	struct row ratings = {.cursor = row->cursor};
	const struct ss_value_functions *values = database_values(row->cursor->db);
	int64_t count = cursor_int(row->cursor, 5);
	row_int(&ratings, "count", 5);
	if (count > 0)
		row_add(&ratings, "average",
			values->number((double)cursor_int(row->cursor, 6) / (double)count));
	row_add(row, "ratings", row_value(&ratings));
}

/* The row of CURSOR with the counts of its step; NULL and ERR when that fails. */
static struct ss_value *step_value(const struct cursor *cursor, struct names *categories,
	struct names *sentiments, struct ss_error *err)
{
	struct row row = {.cursor = cursor};
	int64_t step = cursor_int(cursor, 0), queries = cursor_int(cursor, 1);
	row_time(&row, "at", 0);
	row_int(&row, "queries", 1);
	row_int(&row, "escalated", 2);
	row_int(&row, "resolved", 3);
	if (queries > 0)
		row_add(&row, "response_time",
			database_values(cursor->db)
				->number(cursor_number(cursor, 4) / 1e9 / (double)queries));
	add_ratings(&row);
	if (add_names(&row, "categories", step, categories, err) == 0 &&
		add_names(&row, "sentiments", step, sentiments, err) == 0)
		return row_value(&row);
	row_drop(&row);
	return NULL;
}

static int read_steps(struct database *db, const struct ss_analytics_range *range,
	struct ss_value **series, struct ss_error *err)
{
	struct items items = {0};
	struct cursor cursor = begin(db, STATEMENT_READ_ANALYTICS, range);
	struct names categories = {.cursor = begin(db, STATEMENT_READ_CATEGORIES, range)};
	struct names sentiments = {.cursor = begin(db, STATEMENT_READ_SENTIMENTS, range)};
	int result = 0;
	categories.found = cursor_next(&categories.cursor, err);
	sentiments.found = categories.found < 0 ? -1 : cursor_next(&sentiments.cursor, err);
	if (sentiments.found < 0)
		result = -1;
	while (result == 0 && (result = cursor_next(&cursor, err)) == 1) {
		struct ss_value *step = step_value(&cursor, &categories, &sentiments, err);
		result = step != NULL ? items_add(db, &items, step, err) : -1;
		if (result < 0)
			break;
	}
	cursor_end(&sentiments.cursor);
	cursor_end(&categories.cursor);
	cursor_end(&cursor);
	*series = items_take(db, &items, result);
	return result;
}

/* In one transaction, so of one moment. */
static int read_analytics(
	struct database *db, const void *question, void *answer, struct ss_error *err)
{
	const struct ss_analytics_range *range = question;
	struct ss_value **series = answer;
	*series = NULL;
	if (check_range(range, err) < 0 || database_begin(db, STATEMENT_BEGIN_READ, err) < 0)
		return -1;
	if (read_steps(db, range, series, err) == 0 &&
		statement_run(db, STATEMENT_COMMIT, err) == 0)
		return 0;
	database_rollback(db);
	database_values(db)->unref(*series);
	*series = NULL;
	return -1;
}

int database_read_analytics(void *instance, const struct ss_analytics_range *range,
	struct ss_value **series, struct ss_error *err)
{
	return database_try(instance, read_analytics, range, series, err);
}
