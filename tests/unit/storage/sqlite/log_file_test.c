/* Frames of the write-ahead log are written many at a time, and none of them when its place is somebody else's. */
#include "faulty_disk.h"
#include "file.h"

#include "storage/sqlite/scrub.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(sqlite_log_file, .init = store_begin, .fini = store_end, .timeout = 120);

/* A connection to the test's database. */
struct connection {
	struct scrub scrub;
	sqlite3 *handle;
};

static void run(const struct connection *connection, const char *sql)
{
	char *message = NULL;
	cr_assert_eq(sqlite3_exec(connection->handle, sql, NULL, NULL, &message), SQLITE_OK,
		"%s: %s", sql, message);
}

static void begin(struct connection *connection)
{
	cr_assert_eq(scrub_begin(&connection->scrub), SQLITE_OK);
	cr_assert_eq(sqlite3_open_v2(store_file("log.db"), &connection->handle,
			     SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, connection->scrub.name),
		SQLITE_OK);
	run(connection, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
			"PRAGMA wal_autocheckpoint = 0");
}

static void end(struct connection *connection)
{
	cr_assert_eq(sqlite3_close(connection->handle), SQLITE_OK);
	scrub_end(&connection->scrub);
}

static void add_rows(const struct connection *connection, int count)
{
	char sql[256];
	(void)snprintf(sql, sizeof sql,
		"INSERT INTO rows (data) WITH RECURSIVE counted (n) AS (SELECT 1 UNION ALL"
		" SELECT n + 1 FROM counted WHERE n < %d) SELECT randomblob(3000) FROM counted",
		count);
	run(connection, sql);
}

static void expect(const struct connection *connection, const char *sql, const char *answer)
{
	sqlite3_stmt *statement = NULL;
	cr_assert_eq(sqlite3_prepare_v2(connection->handle, sql, -1, &statement, NULL), SQLITE_OK);
	cr_assert_eq(sqlite3_step(statement), SQLITE_ROW, "%s: %s", sql,
		sqlite3_errmsg(connection->handle));
	cr_expect_str_eq((const char *)sqlite3_column_text(statement, 0), answer, "%s", sql);
	(void)sqlite3_finalize(statement);
}

static long changes, shares, changes_behind;

static void count_change(void)
{
	changes++;
	changes_behind += shares > 0;
}

static void count_share(void)
{
	shares++;
}

Test(sqlite_log_file, a_commit_of_many_pages_takes_few_writes)
{
	struct connection connection = {.handle = NULL};
	disk_begin();
	disk_watch(count_change); /* of files that are opened from now on */
	begin(&connection);
	run(&connection, "CREATE TABLE rows (number INTEGER PRIMARY KEY, data BLOB)");
	changes = 0;
	add_rows(&connection, 150);
	/* 150 pages and some, 15 of which with their headers are written at once. */
	cr_expect(changes >= 10 && changes <= 20, "%ld writes", changes);
	disk_watch(NULL);
	expect(&connection, "SELECT count(*) FROM rows", "150");
	expect(&connection, "PRAGMA integrity_check", "ok");
	end(&connection);
	disk_end();
}

Test(sqlite_log_file, others_see_a_commit_when_all_of_it_is_written)
{
	struct connection connection = {.handle = NULL};
	disk_begin();
	disk_watch(count_change);
	begin(&connection);
	run(&connection, "CREATE TABLE rows (number INTEGER PRIMARY KEY, data BLOB)");
	for (int count = 1; count < 40; count++) {
		run(&connection, "BEGIN IMMEDIATE");
		add_rows(&connection, count);
		changes = shares = changes_behind = 0;
		disk_watch_shared(count_share);
		run(&connection, "COMMIT");
		disk_watch_shared(NULL);
		cr_expect(changes > 0 && shares > 0);
		cr_expect_eq(changes_behind, 0, "%d rows: %ld writes", count, changes_behind);
	}
	disk_watch(NULL);
	end(&connection);
	disk_end();
}

Test(sqlite_log_file, a_page_that_is_written_twice_is_what_it_was_last)
{
	struct connection first = {.handle = NULL}, second = {.handle = NULL};
	begin(&first);
	run(&first, "CREATE TABLE rows (number INTEGER PRIMARY KEY, data BLOB)");
	add_rows(&first, 8);
	begin(&second);
	run(&first, "BEGIN IMMEDIATE; UPDATE rows SET data = zeroblob(2500)");
	cr_assert_eq(sqlite3_db_cacheflush(first.handle), SQLITE_OK);
	run(&first, "UPDATE rows SET data = 'last'");
	cr_assert_eq(sqlite3_db_cacheflush(first.handle), SQLITE_OK);
	run(&first, "COMMIT");
	expect(&second, "SELECT count(*) FROM rows WHERE data = 'last'", "8");
	expect(&second, "PRAGMA integrity_check", "ok");
	end(&first);
	end(&second);
}

/* With few pages in memory what a transaction writes goes to the log before it ends. */
Test(sqlite_log_file, what_was_given_up_does_not_overwrite_what_another_commits)
{
	struct connection first = {.handle = NULL}, second = {.handle = NULL};
	begin(&first);
	run(&first, "CREATE TABLE rows (number INTEGER PRIMARY KEY, data BLOB);"
		    "PRAGMA cache_size = 10");
	begin(&second);
	for (int count = 20; count < 60; count++) {
		/* What is taken back is then read from the database, and not from the log. */
		run(&first, "PRAGMA wal_checkpoint(TRUNCATE); BEGIN IMMEDIATE");
		add_rows(&first, count);
		run(&first, "ROLLBACK");
		add_rows(&second, 1);
		run(&second, "UPDATE rows SET data = randomblob(2000)");
		expect(&first, "PRAGMA integrity_check", "ok");
	}
	expect(&first, "SELECT count(*) FROM rows", "40");
	expect(&second, "SELECT count(*) FROM rows", "40");
	expect(&second, "PRAGMA integrity_check", "ok");
	end(&first);
	end(&second);
}

/* Each of them begins with pages that went to the log before, some of them twice. */
Test(sqlite_log_file, a_commit_larger_than_the_memory_for_it_is_whole)
{
	struct connection first = {.handle = NULL}, second = {.handle = NULL};
	begin(&first);
	run(&first, "CREATE TABLE rows (number INTEGER PRIMARY KEY, data BLOB);"
		    "PRAGMA cache_size = 10");
	begin(&second);
	for (int i = 1; i <= 20; i++) {
		char sum[16];
		(void)snprintf(sum, sizeof sum, "%d", i * 40);
		run(&first, "BEGIN IMMEDIATE");
		add_rows(&first, 40);
		run(&first, "UPDATE rows SET data = randomblob(2500) WHERE number % 3 = 0");
		run(&first, "COMMIT");
		expect(&second, "SELECT count(*) FROM rows", sum);
		expect(&second, "PRAGMA integrity_check", "ok");
	}
	end(&first);
	end(&second);
}

/* Told that the disk is full SQLite may give up the statement alone, and then the rest can be committed. */
Test(sqlite_log_file, a_transaction_is_not_committed_without_what_could_not_be_written)
{
	bool failed = true;
	disk_begin();
	for (long n = 1; failed; n++) {
		struct connection connection = {.handle = NULL};
		begin(&connection);
		run(&connection, "DROP TABLE IF EXISTS rows; CREATE TABLE rows (number INTEGER"
				 " PRIMARY KEY, data BLOB UNIQUE); PRAGMA cache_size = 10;"
				 "PRAGMA temp_store = MEMORY; BEGIN IMMEDIATE");
		add_rows(&connection, 20);
		disk_fail(n, DISK_FULL, false);
		int code = sqlite3_exec(connection.handle,
			"UPDATE rows SET data = randomblob(2900) WHERE number % 7 = 0", NULL, NULL,
			NULL);
		failed = disk_mend();
		cr_expect_eq(code == SQLITE_OK, !failed, "write %ld: %d", n, code);
		(void)sqlite3_exec(connection.handle, "COMMIT", NULL, NULL, NULL);
		end(&connection);
		begin(&connection);
		expect(&connection, "PRAGMA integrity_check", "ok");
		end(&connection);
		cr_assert_lt(n, 1000);
	}
	disk_end();
}

/* What was to be written is missing then, so that what comes behind it must not be committed. */
Test(sqlite_log_file, a_transaction_of_which_a_write_failed_is_not_committed_in_part)
{
	static const char copy[] = "INSERT INTO rows (data) SELECT data FROM rows"
				   " WHERE number BETWEEN 2 AND 3 OR number = 38 LIMIT 3";
	long failed = 0;
	disk_begin();
	for (long n = 1; n <= 8; n++) {
		struct connection connection = {.handle = NULL};
		begin(&connection);
		run(&connection,
			"DROP TABLE IF EXISTS rows;"
			"CREATE TABLE rows (number INTEGER PRIMARY KEY, data BLOB NOT NULL);"
			"PRAGMA cache_size = 10; BEGIN IMMEDIATE");
		add_rows(&connection, 40);
		disk_fail(n, DISK_FULL, false);
		int code = sqlite3_exec(connection.handle, copy, NULL, NULL, NULL);
		failed += code != SQLITE_OK;
		(void)disk_mend();
		/* A statement that fails may leave the transaction to go on. */
		bool goes_on = sqlite3_get_autocommit(connection.handle) == 0;
		bool committed = goes_on && sqlite3_exec(connection.handle, "COMMIT", NULL, NULL,
						    NULL) == SQLITE_OK;
		end(&connection);
		begin(&connection);
		expect(&connection, "PRAGMA integrity_check", "ok");
		expect(&connection, "SELECT count(*) FROM rows",
			!committed          ? "0"
			: code == SQLITE_OK ? "43"
					    : "40");
		end(&connection);
	}
	disk_end();
	cr_expect_gt(failed, 0);
}
