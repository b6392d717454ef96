/* The rows that are bound are those that a statement reads. */
#include "storage/sqlite/bound.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

/* A database in memory, with a table to add to. */
struct fixture {
	sqlite3 *handle;
	struct bound bound;
	sqlite3_stmt *add;
};

static void begin(struct fixture *fixture)
{
	*fixture = (struct fixture){.handle = NULL};
	cr_assert_eq(sqlite3_open(":memory:", &fixture->handle), SQLITE_OK);
	cr_assert_eq(bound_begin(&fixture->bound, fixture->handle), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(fixture->handle,
			     "CREATE TABLE things (a ANY, b ANY UNIQUE, c ANY) STRICT", NULL, NULL,
			     NULL),
		SQLITE_OK);
	cr_assert_eq(
		sqlite3_prepare_v2(fixture->handle,
			"INSERT INTO things SELECT p1, p2, p3 FROM bound", -1, &fixture->add, NULL),
		SQLITE_OK);
}

static void end(struct fixture *fixture)
{
	(void)sqlite3_finalize(fixture->add);
	cr_expect_eq(sqlite3_close(fixture->handle), SQLITE_OK);
	bound_end(&fixture->bound);
}

static void add_text(struct bound *bound, const char *text)
{
	cr_assert_eq(bound_add(bound,
			     &(struct bound_value){
				     .type = SQLITE_TEXT, .data = text, .length = strlen(text)}),
		SQLITE_OK);
}

static void add_number(struct bound *bound, sqlite3_int64 number)
{
	cr_assert_eq(
		bound_add(bound, &(struct bound_value){.type = SQLITE_INTEGER, .integer = number}),
		SQLITE_OK);
}

static void expect(const struct fixture *fixture, const char *sql, const char *answer)
{
	sqlite3_stmt *statement = NULL;
	cr_assert_eq(sqlite3_prepare_v2(fixture->handle, sql, -1, &statement, NULL), SQLITE_OK);
	cr_assert_eq(sqlite3_step(statement), SQLITE_ROW);
	cr_expect_str_eq((const char *)sqlite3_column_text(statement, 0), answer, "%s", sql);
	(void)sqlite3_finalize(statement);
}

Test(sqlite_bound, values_of_every_type_stay_what_they_are)
{
	struct fixture fixture;
	begin(&fixture);
	bound_clear(&fixture.bound, fixture.add);
	add_number(&fixture.bound, INT64_MIN);
	add_text(&fixture.bound, "");
	cr_assert_eq(
		bound_add(&fixture.bound, &(struct bound_value){.type = SQLITE_NULL}), SQLITE_OK);
	bound_end_row(&fixture.bound);
	cr_assert_eq(
		bound_add(&fixture.bound,
			&(struct bound_value){.type = SQLITE_BLOB, .data = "a\0b", .length = 3}),
		SQLITE_OK);
	cr_assert_eq(
		bound_add(&fixture.bound,
			&(struct bound_value){.type = SQLITE_TEXT, .data = "a\0b", .length = 3}),
		SQLITE_OK);
	add_text(&fixture.bound, "Größe");
	bound_end_row(&fixture.bound);
	cr_assert_eq(sqlite3_step(fixture.add), SQLITE_DONE);
	cr_assert_eq(sqlite3_reset(fixture.add), SQLITE_OK);
	expect(&fixture,
		"SELECT group_concat(typeof(a) || ' ' || typeof(b) || ' ' || typeof(c), ', ')"
		" FROM things",
		"integer text null, blob text text");
	expect(&fixture,
		"SELECT group_concat(quote(a) || ' ' || quote(CAST(b AS BLOB)) || ' ' ||"
		" quote(c), ', ') FROM things",
		"-9223372036854775808 X'' NULL, X'610062' X'610062' 'Größe'");
	end(&fixture);
}

Test(sqlite_bound, each_batch_has_its_own_rows)
{
	struct fixture fixture;
	begin(&fixture);
	for (int batch = 0; batch < 3; batch++) {
		bound_clear(&fixture.bound, fixture.add);
		for (int i = 0; i < batch * 100; i++) {
			add_number(&fixture.bound, batch);
			add_number(&fixture.bound, batch * 1000 + i);
			add_text(&fixture.bound, "thing");
			bound_end_row(&fixture.bound);
		}
		cr_assert_eq(sqlite3_step(fixture.add), SQLITE_DONE);
		cr_assert_eq(sqlite3_changes(fixture.handle), batch * 100);
		cr_assert_eq(sqlite3_reset(fixture.add), SQLITE_OK);
	}
	expect(&fixture,
		"SELECT group_concat(a || ': ' || n, ', ') FROM"
		" (SELECT a, count(DISTINCT b) AS n FROM things GROUP BY a)",
		"1: 100, 2: 200");
	bound_clear(&fixture.bound, NULL);
	expect(&fixture, "SELECT count(*) FROM bound", "0");
	end(&fixture);
}

Test(sqlite_bound, a_column_that_was_not_bound_is_the_null)
{
	struct fixture fixture;
	begin(&fixture);
	bound_clear(&fixture.bound, fixture.add);
	for (int i = 0; i < 2; i++) {
		add_number(&fixture.bound, i);
		bound_end_row(&fixture.bound);
	}
	expect(&fixture,
		"SELECT group_concat(p1 || ' ' || typeof(p2) || ' ' || typeof(p15), ', ') FROM "
		"bound",
		"0 null null, 1 null null");
	end(&fixture);
}

Test(sqlite_bound, of_rows_of_which_one_is_refused_none_is_added)
{
	struct fixture fixture;
	begin(&fixture);
	bound_clear(&fixture.bound, fixture.add);
	for (int i = 0; i < 50; i++) {
		add_number(&fixture.bound, i);
		add_number(&fixture.bound, i % 49);
		add_text(&fixture.bound, "thing");
		bound_end_row(&fixture.bound);
	}
	cr_expect_eq(sqlite3_step(fixture.add), SQLITE_CONSTRAINT);
	(void)sqlite3_reset(fixture.add);
	expect(&fixture, "SELECT count(*) FROM things", "0");
	end(&fixture);
}
