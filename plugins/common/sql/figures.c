/* The figures that turns add to: those of a batch are added up first, so that each row is changed once. */
#include "common/sql/operations.h"

#include <stdlib.h>
#include <string.h>

enum { US_IN_NS = 1000 };

static const int64_t hour_us = 3600000000;

/* What some turns of one kind add. */
struct figures {
	const char *category, *sentiment; /* "" where turns have none */
	int64_t hour, escalated, duration_ns, queries;
};

/* Each of the COUNT FIGURES is of another row. */
static int add_figures(struct database *db, const struct figures *figures, size_t count,
	enum statement statement, struct ss_error *err)
{
	struct cursor cursor = cursor_begin_rows(db, statement);
	for (size_t i = 0; i < count; i++) {
		cursor_bind_string(&cursor, figures[i].category);
		cursor_bind_string(&cursor, figures[i].sentiment);
		cursor_bind_int(&cursor, figures[i].escalated);
		cursor_bind_int(&cursor, figures[i].duration_ns);
		cursor_bind_int(&cursor, figures[i].queries);
		if (statement == STATEMENT_COUNT_IN_HOUR)
			cursor_bind_int(&cursor, figures[i].hour);
		if (cursor_end_row(&cursor, err) < 0)
			return -1;
	}
	return cursor_finish_rows(&cursor, err);
}

static struct figures figures_of(const struct ss_turn *turn)
{
	int64_t at_us = turn->asked_at_ns / US_IN_NS;
	return (struct figures){
		.category = turn->category != NULL ? turn->category : "",
		.sentiment = turn->sentiment != NULL ? turn->sentiment : "",
		.hour = at_us - at_us % hour_us,
		.escalated = turn->escalated,
		.duration_ns = turn->duration_ns,
		.queries = 1,
	};
}

static int compare_kinds(const struct figures *a, const struct figures *b)
{
	int order = strcmp(a->category, b->category);
	return order != 0 ? order : strcmp(a->sentiment, b->sentiment);
}

static int compare_figures(const void *a, const void *b)
{
	const struct figures *first = a, *second = b;
	int order = compare_kinds(first, second);
	return order != 0 ? order : (first->hour > second->hour) - (first->hour < second->hour);
}

static int figures_add(struct figures *sum, const struct figures *more, struct ss_error *err)
{
	sum->escalated += more->escalated;
	sum->queries += more->queries;
	if (__builtin_add_overflow(sum->duration_ns, more->duration_ns, &sum->duration_ns))
		return ss_fail_as(err, SS_INVALID, "the durations come to more than can be kept");
	return 0;
}

/* Adds up those of the sorted FIGURES that are alike by COMPARE, and what is left of COUNT with STATEMENT. */
static int add_sums(struct database *db, struct figures *figures, size_t *count,
	bool (*are_alike)(const struct figures *a, const struct figures *b),
	enum statement statement, struct ss_error *err)
{
	size_t sums = 0;
	for (size_t i = 1; i < *count; i++) {
		if (!are_alike(&figures[sums], &figures[i]))
			figures[++sums] = figures[i];
		else if (figures_add(&figures[sums], &figures[i], err) < 0)
			return -1;
	}
	*count = sums + 1;
	return add_figures(db, figures, *count, statement, err);
}

static bool are_of_an_hour(const struct figures *a, const struct figures *b)
{
	return compare_figures(a, b) == 0;
}

static bool are_of_a_kind(const struct figures *a, const struct figures *b)
{
	return compare_kinds(a, b) == 0;
}

int database_count_turns(
	struct database *db, const void *const *turns, size_t count, struct ss_error *err)
{
	if (count == 0)
		return 0;
	struct figures *figures = calloc(count, sizeof *figures);
	if (figures == NULL)
		return database_fail_memory(db, err);
	for (size_t i = 0; i < count; i++)
		figures[i] = figures_of(turns[i]);
	qsort(figures, count, sizeof *figures, compare_figures);
	int result = add_sums(db, figures, &count, are_of_an_hour, STATEMENT_COUNT_IN_HOUR, err);
	if (result == 0)
		result =
			add_sums(db, figures, &count, are_of_a_kind, STATEMENT_COUNT_IN_TOTAL, err);
	free(figures);
	return result;
}

static int remove_total(struct database *db, const char *category, struct ss_error *err)
{
	struct cursor cursor = cursor_begin(db, STATEMENT_REMOVE_TOTAL);
	cursor_bind_string(&cursor, category);
	return cursor_finish(&cursor, err);
}

int database_try_commit(struct database *db, struct ss_error *err)
{
	char id[DATABASE_ID_SIZE];
	const struct figures figures = {.category = id, .sentiment = ""};
	if (database_make_id(database_now_us(), id, err) < 0 ||
		database_begin(db, STATEMENT_BEGIN_WRITE, err) < 0)
		return -1;
	/* A page that has changed is written, also when it is back as it was. */
	if (add_figures(db, &figures, 1, STATEMENT_COUNT_IN_TOTAL, err) == 0 &&
		remove_total(db, id, err) == 0 && statement_run(db, STATEMENT_COMMIT, err) == 0)
		return 0;
	database_rollback(db);
	return -1;
}
