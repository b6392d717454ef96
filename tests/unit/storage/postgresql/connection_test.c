/* Connections that are refused, cut and made again, and several servers on one database. */
#include "proxy.h"
#include "schema.h"

#include "base/memory.h"
#include "storage/postgresql/database.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(postgresql_connection, .init = store_begin, .fini = store_end);

static char *with_port(const char *format)
{
	char *url = memory_format("%s%s/postgres", format, schema_port());
	return url;
}

Test(postgresql_connection, a_password_is_used_and_never_shown)
{
	char *wrong = with_port("postgresql://support:s3cret@127.0.0.1:");
	char *nobody = with_port("postgres://nobody:s3cret%2Fof%40tests@127.0.0.1:");
	char *right = memory_format(
		"postgres://support:s3cret%%2Fof%%40tests@127.0.0.1:%s/postgres?options=%s",
		schema_port(), strstr(schema_url(), "-csearch_path"));
	schema_refused(wrong, SS_UNAVAILABLE, "password authentication failed");
	schema_refused(nobody, SS_UNAVAILABLE, "password authentication failed");
	struct ss_error err;
	void *store = schema_try(right, 10, &err);
	cr_assert_not_null(store, "%s", err.text);
	store_close(store);
	free(wrong);
	free(nobody);
	free(right);
}

Test(postgresql_connection, a_url_that_is_none_is_refused_without_showing_it)
{
	static const char *const urls[] = {"", "mysql://me:s3cret@host/db",
		"postgresql://me:s3cret/of@tests@host/db", "postgresql://me:s3cret@of@tests/db",
		"postgresql://me:s3cret@host:of@tests/db", "postgresql://me:s3cret%zz@host/db",
		"postgresql://me@host/db?sslmode"};
	for (size_t i = 0; i < array_length(urls); i++)
		schema_refused(urls[i], SS_INVALID,
			"the storage's url is none that PostgreSQL's clients understand: ");
}

Test(postgresql_connection, what_cannot_be_reached_is_named)
{
	schema_refused("postgresql://me:s3cret@127.0.0.1:1/db", SS_UNAVAILABLE,
		"the database db at 127.0.0.1:1: cannot be reached (");
	schema_refused("postgresql://me:s3cret@/db?host=/nowhere", SS_UNAVAILABLE,
		"the database db at /nowhere");
	char *missing = with_port("postgresql://support:s3cret%2Fof%40tests@127.0.0.1:");
	char *named =
		memory_format("%.*smissing", (int)(strlen(missing) - strlen("postgres")), missing);
	schema_refused(named, SS_UNAVAILABLE, "database \"missing\" does not exist");
	free(missing);
	free(named);
}

/* A server prepares them when they are first used, which is too late to find a mistake. */
Test(postgresql_connection, all_statements_can_be_prepared)
{
	void *store = store_open();
	PGconn *handle = PQconnectdb(schema_url());
	for (size_t i = 0; i < STATEMENTS; i++) {
		cr_assert_not_null(statement_texts[i], "statement %zu has no text", i);
		PGresult *result = PQprepare(handle, "", statement_texts[i], 0, NULL);
		cr_expect_eq(PQresultStatus(result), PGRES_COMMAND_OK, "%s\n%s", statement_texts[i],
			PQresultErrorMessage(result));
		PQclear(result);
	}
	PQfinish(handle);
	store_close(store);
}

Test(postgresql_connection, statements_are_prepared_when_they_are_used)
{
	struct ss_error err;
	struct database *db = store_open();
	struct ss_turn turn = store_turn("t2", "conv_1");
	size_t count = 0;
	store_add(db, store_first_turn("t1", "conv_1"));
	cr_expect(db->prepared[STATEMENT_ADD_CONVERSATION]);
	for (size_t i = 0; i < STATEMENTS; i++)
		count += db->prepared[i];
	cr_expect_lt(count, 20, "%zu", count);
	schema_cut();
	cr_expect_eq(store_commit(db, &turn, &err), 0, "%s", err.text);
	cr_expect_not(db->prepared[STATEMENT_ADD_CONVERSATION]);
	cr_expect(db->prepared[STATEMENT_CONTINUE_CONVERSATION]);
	store_close(db);
}

Test(postgresql_connection, a_cut_connection_is_made_again_for_every_operation)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_turn turn = store_turn("t2", "conv_1");
	void *store = store_open();
	store_add(store, store_first_turn("t1", "conv_1"));
	schema_cut();
	cr_expect_eq(store_commit(store, &turn, &err), 0, "%s", err.text);
	schema_cut();
	char *history = store_history(store, "conv_1", 4);
	cr_expect_str_eq(history,
		"Where is my invoice?|Under Settings.|Where is my invoice?|Under Settings.");
	free(history);
	schema_cut();
	free(store_stats(store));
	schema_cut();
	cr_expect_eq(smartsupport_plugin.storage->check(store, &err), 0, "%s", err.text);
	store_check();
	store_close(store);
}

/* An instance whose connection a proxy cuts. */
static void *open_by_proxy(void)
{
	struct ss_error err = {.status = SS_OK};
	char *url = memory_format(
		"postgres://support:s3cret%%2Fof%%40tests@127.0.0.1:%d/postgres?options=%s",
		proxy_start(schema_port()), strstr(schema_url(), "-csearch_path"));
	void *store = schema_try(url, 10, &err);
	cr_assert_not_null(store, "%s", err.text);
	free(url);
	return store;
}

static void expect_cut(int result, const struct ss_error *err)
{
	cr_expect_eq(result, 0, "%s", err->text);
	cr_expect_eq(err->status, SS_OK, "%s", err->text);
	cr_expect(proxy_has_cut(), "the connection was not cut");
}

Test(postgresql_connection, turns_whose_commit_has_no_answer_are_stored_once)
{
	struct ss_error errors[3] = {{.status = SS_OK}};
	void *store = open_by_proxy();
	struct ss_turn turns[] = {store_first_turn("t1", "conv_1"), store_turn("t2", "conv_1"),
		store_turn("t3", "conv_9")};
	turns[0].unanswered = "key";
	proxy_cut_next("COMMIT");
	expect_cut(smartsupport_plugin.storage->commit_turns(store, turns, 3, errors), &errors[0]);
	cr_expect_eq(errors[1].status, SS_OK, "%s", errors[1].text);
	cr_expect_eq(errors[2].status, SS_NOT_FOUND, "%s", errors[2].text);
	cr_expect_eq(store_number("SELECT count(*) FROM messages"), 4);
	cr_expect_eq(store_number("SELECT count FROM unanswered"), 1);
	store_check();
	store_close(store);
}

Test(postgresql_connection, journals_whose_commit_has_no_answer_are_written_once)
{
	static const struct ss_journal_entry entry = {1, {"{}", 2}};
	const struct ss_storage_operations *storage = smartsupport_plugin.storage;
	struct ss_error err = {.status = SS_OK};
	void *store = open_by_proxy();
	struct ss_journal_write write = {.struct_size = sizeof write,
		.turn_id = "t1",
		.workflow = "hash",
		.workflow_text = {"{}", 2},
		.start = {"{}", 2},
		.fence = 1,
		.owner = "me",
		.lease_ns = INT64_C(3600000000000),
		.entries = &entry,
		.entry_count = 1,
		.first = 1};
	proxy_cut_next("COMMIT");
	expect_cut(storage->write_journals(store, &write, 1, &err), &err);
	write.workflow = NULL;
	write.first = 2;
	proxy_cut_next("COMMIT");
	expect_cut(storage->write_journals(store, &write, 1, &err), &err);
	/* A statement that is a transaction of its own. */
	write.lease_ns = 0;
	write.first = 3;
	proxy_cut_next("INSERT");
	expect_cut(storage->write_journals(store, &write, 1, &err), &err);
	cr_expect_eq(store_number("SELECT count(*) FROM turn_entries"), 3);
	struct ss_value *journal = NULL;
	const struct ss_journal_key key = {.struct_size = sizeof key,
		.turn_id = "t1",
		.owner = "other",
		.lease_ns = INT64_C(3600000000000),
		.gone = "me"};
	proxy_cut_next("COMMIT");
	expect_cut(storage->read_journal(store, &key, &journal, &err), &err);
	cr_expect_str_eq(value_as_string(value_get(journal, "owner"), NULL), "other");
	value_unref(journal);
	store_execute("UPDATE turns SET owner = NULL, lease_until = NULL");
	proxy_cut_next("COMMIT");
	expect_cut(storage->delete_journal(store, "t1", &err), &err);
	cr_expect_eq(store_number("SELECT count(*) FROM turns"), 0);
	store_close(store);
}

Test(postgresql_connection, a_vote_whose_commit_has_no_answer_counts_once)
{
	static const char *const shown[] = {"reset-password"};
	struct ss_error err = {.status = SS_OK};
	void *store = open_by_proxy();
	struct ss_turn turn = store_first_turn("t1", "conv_1");
	turn.shown = shown;
	turn.shown_count = 1;
	store_add(store, turn);
	const struct ss_feedback feedback = {
		.struct_size = sizeof feedback, .turn_id = "t1", .was_helpful = 1};
	proxy_cut_next("COMMIT");
	expect_cut(smartsupport_plugin.storage->store_feedback(store, &feedback, 1, &err), &err);
	cr_expect_eq(store_number("SELECT sum(helpful) FROM article_counts"), 1);
	store_close(store);
}

Test(postgresql_connection, a_statement_that_waits_for_too_long_is_given_up)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_turn turn = store_turn("t2", "conv_1");
	void *store = schema_try(schema_url(), 0.2, &err);
	cr_assert_not_null(store, "%s", err.text);
	store_add(store, store_first_turn("t1", "conv_1"));
	PGconn *other = PQconnectdb(schema_url());
	PQclear(PQexec(other, "BEGIN; SELECT * FROM conversations FOR UPDATE"));
	cr_expect_eq(store_commit(store, &turn, &err), -1);
	cr_expect_eq(err.status, SS_UNAVAILABLE, "%s", err.text);
	cr_expect_not_null(strstr(err.text, "statement_timeout"), "%s", err.text);
	PQfinish(other);
	cr_expect_eq(store_commit(store, &turn, &err), 0, "%s", err.text);
	store_check();
	store_close(store);
}

/* Several servers. */

enum { WRITERS = 6, BATCHES = 12, BATCH = 8 };

/* Each batch has conversations, users, keys and threads that the other writers' batches have as well, in another
 * order. */
static void store_batches(int writer)
{
	static const char *const shown[] = {"a", "b"};
	struct ss_error errors[BATCH];
	struct ss_turn turns[BATCH];
	char ids[BATCH][32], keys[BATCH][32];
	void *store = store_open();
	for (int b = 0; b < BATCHES; b++) {
		for (int i = 0; i < BATCH; i++) {
			int key = writer % 2 == 0 ? i : BATCH - 1 - i;
			(void)snprintf(ids[i], sizeof ids[i], "t%d-%d-%d", writer, b, i);
			(void)snprintf(keys[i], sizeof keys[i], "k%d", key);
			turns[i] = store_first_turn(ids[i], ids[i]);
			turns[i].user_id = keys[i];
			turns[i].unanswered = keys[i];
			turns[i].thread = keys[i];
			turns[i].shown = shown;
			turns[i].shown_count = 2;
			errors[i] = (struct ss_error){.status = SS_OK};
		}
		int result = smartsupport_plugin.storage->commit_turns(store, turns, BATCH, errors);
		for (int i = 0; i < BATCH; i++)
			store_must(result == 0 && errors[i].status == SS_OK, "%s", errors[i].text);
	}
	store_close(store);
}

Test(postgresql_connection, several_servers_count_exactly_what_they_store)
{
	pid_t children[WRITERS];
	for (int w = 0; w < WRITERS; w++) {
		children[w] = store_fork();
		if (children[w] == 0) {
			store_batches(w);
			_exit(0);
		}
	}
	for (int w = 0; w < WRITERS; w++) {
		int status = -1;
		(void)waitpid(children[w], &status, 0);
		cr_expect_eq(status, 0);
	}
	store_check();
	cr_expect_eq(store_number("SELECT sum(queries) FROM analytics"), WRITERS * BATCHES * BATCH);
	cr_expect_eq(store_number("SELECT sum(count) FROM unanswered"), WRITERS * BATCHES * BATCH);
	cr_expect_eq(store_number("SELECT count(*) FROM threads"), BATCH);
	cr_expect_eq(store_number("SELECT sum(views) FROM article_counts WHERE article_id = 'b'"),
		WRITERS * BATCHES * BATCH);
}

/* All take the lease of one turn at the same time: exactly one gets it. */
static int take(int number)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *journal = NULL;
	char owner[16];
	(void)snprintf(owner, sizeof owner, "w%d", number);
	const struct ss_journal_key key = {.struct_size = sizeof key,
		.turn_id = "t1",
		.owner = owner,
		.lease_ns = INT64_C(3600000000000)};
	void *store = store_open();
	int result = smartsupport_plugin.storage->read_journal(store, &key, &journal, &err);
	store_must(result == 0 || err.status == SS_CONFLICT, "%s", err.text);
	value_unref(journal);
	store_close(store);
	return result == 0;
}

Test(postgresql_connection, a_lease_is_taken_by_one_of_many)
{
	struct ss_error err = {.status = SS_OK};
	void *store = store_open();
	const struct ss_journal_write write = {.struct_size = sizeof write,
		.turn_id = "t1",
		.workflow = "hash",
		.workflow_text = {"{}", 2},
		.start = {"{}", 2},
		.fence = 1};
	cr_assert_eq(smartsupport_plugin.storage->write_journals(store, &write, 1, &err), 0);
	/* They wait for the row until all are there. */
	PGconn *gate = PQconnectdb(schema_url());
	PQclear(PQexec(gate, "BEGIN; SELECT * FROM turns FOR UPDATE"));
	pid_t children[WRITERS];
	int taken = 0;
	for (int w = 0; w < WRITERS; w++) {
		children[w] = store_fork();
		if (children[w] == 0)
			_exit(take(w));
	}
	while (store_number("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
			    " AND query LIKE '%turns%'") < WRITERS)
		(void)usleep(1000);
	PQfinish(gate);
	for (int w = 0; w < WRITERS; w++) {
		int status = -1;
		(void)waitpid(children[w], &status, 0);
		taken += WIFEXITED(status) && WEXITSTATUS(status) == 1;
	}
	cr_expect_eq(taken, 1);
	cr_expect_eq(store_number("SELECT fence FROM turns"), 2);
	store_close(store);
}
