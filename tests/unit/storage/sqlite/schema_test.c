/* The schema: made once, kept up to date, and with an index for every statement. */
#include "file.h"

#include "common/sql/migrations.h"
#include "storage/sqlite/database.h"

#include "base/buffer.h"
#include "plugin/plugin.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(sqlite_schema, .init = store_begin, .fini = store_end);

Test(sqlite_schema, the_built_plugin_passes_the_hosts_checks)
{
	struct ss_error err = {.status = SS_OK};
	const struct ss_plugin *plugin =
		plugin_load(SS_BUILD_DIR "/plugins/storage/sqlite.so", &err);
	cr_assert_not_null(plugin, "%s", err.text);
	cr_expect_str_eq(plugin->name, "sqlite");
	cr_expect_eq(plugin->kind, SS_STORAGE);
}

Test(sqlite_schema, a_fresh_file_gets_the_schema)
{
	store_close(store_open());
	char *tables = store_text("SELECT group_concat(name, ' ') FROM (SELECT name FROM"
				  " sqlite_schema WHERE type = 'table' ORDER BY name)");
	cr_expect_str_eq(tables,
		"analytics analytics_days analytics_totals api_keys article_counts conversations "
		"delivery_attempts delivery_counts document_versions erasures events "
		"feedback heads knowledge_base message_articles messages requests "
		"schema_migrations sqlite_sequence threads turn_entries turns "
		"unanswered users webhook_deliveries webhooks workflows");
	free(tables);
	cr_expect_eq(store_number("SELECT count(*) FROM pragma_table_list WHERE schema = 'main'"
				  " AND name NOT LIKE 'sqlite%' AND NOT strict"),
		0, "a table is not STRICT");
	cr_expect_eq(store_number("SELECT max(version) FROM schema_migrations"),
		(int64_t)migrations_count);
	cr_expect_gt(store_number("SELECT min(applied_at) FROM schema_migrations"),
		1600000000000000, "not in microseconds");
	cr_expect_not_null(strstr(store_log(), "schema brought from version 0 to 11"));
}

Test(sqlite_schema, a_new_file_is_readable_by_its_owner_only)
{
	struct stat status;
	store_close(store_open());
	cr_assert_eq(stat(store_path(), &status), 0);
	cr_expect_eq(status.st_mode & 0777, 0600);
}

static int64_t pragma(struct database *db, const char *sql)
{
	sqlite3_stmt *statement = NULL;
	cr_assert_eq(sqlite3_prepare_v2(db->handle, sql, -1, &statement, NULL), SQLITE_OK);
	cr_assert_eq(sqlite3_step(statement), SQLITE_ROW);
	int64_t value = sqlite3_column_int64(statement, 0);
	(void)sqlite3_finalize(statement);
	return value;
}

Test(sqlite_schema, a_connection_is_durable_and_strict)
{
	struct database *db = store_open();
	cr_expect_eq(pragma(db, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
	cr_expect_eq(pragma(db, "PRAGMA synchronous"), 2);
	cr_expect_eq(pragma(db, "PRAGMA foreign_keys"), 1);
	cr_expect_eq(pragma(db, "PRAGMA trusted_schema"), 0);
	store_close(db);
	db = store_try(&(struct store_options){.synchronous = "normal"}, NULL);
	cr_assert_not_null(db);
	cr_expect_eq(pragma(db, "PRAGMA synchronous"), 1);
	store_close(db);
}

Test(sqlite_schema, opening_again_changes_nothing)
{
	store_close(store_open());
	int64_t applied = store_number("SELECT max(applied_at) FROM schema_migrations");
	store_close(store_open());
	cr_expect_eq(store_number("SELECT max(applied_at) FROM schema_migrations"), applied);
	cr_expect_eq(
		store_number("SELECT count(*) FROM schema_migrations"), (int64_t)migrations_count);
}

/* Waits for the others and opens. */
static void open_with_others(int gate)
{
	char byte;
	struct ss_error err = {.status = SS_OK};
	(void)!read(gate, &byte, 1);
	void *store = store_try(&(struct store_options){.busy_timeout_s = 60}, &err);
	if (store == NULL) {
		(void)fprintf(stderr, "%s\n", err.text);
		_exit(2);
	}
	bool migrated = strstr(store_log(), "schema brought") != NULL;
	store_close(store);
	_exit(migrated);
}

Test(sqlite_schema, of_several_processes_that_open_a_new_file_at_once_one_migrates)
{
	enum { ROUNDS = 10, PROCESSES = 4 };
	for (int round = 0; round < ROUNDS; round++) {
		int gate[2];
		int migrated = 0;
		pid_t children[PROCESSES];
		cr_assert_eq(pipe(gate), 0);
		for (int i = 0; i < PROCESSES; i++) {
			children[i] = store_fork();
			if (children[i] == 0) {
				(void)close(gate[1]);
				open_with_others(gate[0]);
			}
		}
		(void)close(gate[0]);
		(void)close(gate[1]);
		for (int i = 0; i < PROCESSES; i++) {
			int status = 0;
			(void)waitpid(children[i], &status, 0);
			cr_assert(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
			migrated += WEXITSTATUS(status);
		}
		cr_expect_eq(migrated, 1, "%d processes migrated", migrated);
		cr_expect_eq(store_number("SELECT count(*) FROM schema_migrations"),
			(int64_t)migrations_count);
		store_check();
		(void)unlink(store_path());
	}
}

static const struct migration more[] = {
	{1, "initial", "aa", "CREATE TABLE first (id TEXT) STRICT"},
	{2, "second", "bb",
		"CREATE TABLE second (id TEXT) STRICT; INSERT INTO second VALUES ('x')"},
	{3, "broken", "cc", "CREATE TABLE third (id TEXT) STRICT; CREATE TABLE first (id TEXT)"},
};

/* Steps that this file does not have are applied by hand to an empty one. */
static struct database plain_database(struct database *like)
{
	static char path[128];
	struct database db = *like;
	(void)snprintf(path, sizeof path, "%s", store_file("other.db"));
	db.path = path;
	cr_assert_eq(sqlite3_open(db.path, &db.handle), SQLITE_OK);
	(void)sqlite3_extended_result_codes(db.handle, 1);
	return db;
}

Test(sqlite_schema, later_migrations_are_applied_to_an_older_file)
{
	struct ss_error err = {.status = SS_OK};
	struct database *like = store_open();
	struct database db = plain_database(like);
	cr_assert_eq(migrations_apply(&db, more, 1, &err), 0, "%s", err.text);
	cr_assert_eq(migrations_apply(&db, more, 2, &err), 0, "%s", err.text);
	cr_expect_eq(pragma(&db, "SELECT count(*) FROM second"), 1);
	cr_expect_eq(pragma(&db, "SELECT count(*) FROM schema_migrations"), 2);
	(void)sqlite3_close(db.handle);
	store_close(like);
}

Test(sqlite_schema, a_migration_that_fails_leaves_the_file_as_it_was)
{
	struct ss_error err = {.status = SS_OK};
	struct database *like = store_open();
	struct database db = plain_database(like);
	cr_assert_eq(migrations_apply(&db, more, 1, &err), 0, "%s", err.text);
	cr_expect_eq(migrations_apply(&db, more, 3, &err), -1);
	cr_expect_not_null(strstr(err.text, "table first already exists"), "%s", err.text);
	cr_expect_eq(pragma(&db, "SELECT max(version) FROM schema_migrations"), 1);
	cr_expect_eq(pragma(&db, "SELECT count(*) FROM sqlite_schema WHERE name = 'second'"), 0);
	(void)sqlite3_close(db.handle);
	store_close(like);
}

Test(sqlite_schema, a_migration_that_was_edited_is_refused)
{
	store_close(store_open());
	store_execute("UPDATE schema_migrations SET checksum = 'other'");
	store_refused(store_path(), SS_INVALID, "migration 1 (initial) is not the one that this");
}

Test(sqlite_schema, a_newer_schema_is_refused)
{
	store_close(store_open());
	store_execute("INSERT INTO schema_migrations VALUES (12, 'later', 'x', 1)");
	store_refused(store_path(), SS_INVALID,
		"has schema version 12, this server knows up to 11; update the server");
}

Test(sqlite_schema, the_database_of_another_program_is_refused)
{
	store_execute("CREATE TABLE schema_migrations (version TEXT)");
	store_refused(store_path(), SS_INVALID, "is the database of another program");
	cr_expect_eq(store_number("SELECT count(*) FROM sqlite_schema"), 1);
}

/* The plan of statement I, a line a step. */
static char *plan_of(struct database *db, size_t i)
{
	struct buffer plan = {0};
	sqlite3_stmt *statement = NULL;
	char *sql = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", statement_texts[i]);
	cr_assert_eq(sqlite3_prepare_v2(db->handle, sql, -1, &statement, NULL), SQLITE_OK, "%s: %s",
		sql, sqlite3_errmsg(db->handle));
	while (sqlite3_step(statement) == SQLITE_ROW)
		buffer_add_format(&plan, "%s\n", sqlite3_column_text(statement, 3));
	(void)sqlite3_finalize(statement);
	sqlite3_free(sql);
	return buffer_take(&plan);
}

Test(sqlite_schema, no_statement_scans_a_table_that_grows)
{
	/* As large as there are categories and sentiments, and the rows of inner queries on it; a limited
	 * number of conversations; documents, all of which a server holds in memory, and figures of theirs. */
	static const char *const bounded[] = {"SCAN analytics_totals\n", "SCAN (subquery",
		"SCAN conversation\n", "SCAN knowledge_base USING INDEX", "SCAN heads USING INDEX",
		"SCAN webhooks USING INDEX", "SCAN api_keys USING INDEX",
		"SCAN document_versions\n", "SCAN delivery_counts\n", "SCAN sqlite_sequence\n",
		"SCAN CONSTANT ROW\n", "SCAN source\n", "SCAN bound VIRTUAL TABLE",
		/* Kinds of conversations, and those of a page. */
		"SCAN kinds\n", "SCAN walk\n"};
	struct database *db = store_open();
	for (size_t i = 0; i < STATEMENTS; i++) {
		char *plan = plan_of(db, i);
		const char *at = plan;
		while ((at = strstr(at, "SCAN ")) != NULL) {
			bool allowed = false;
			for (size_t b = 0; b < sizeof bounded / sizeof *bounded; b++)
				allowed =
					allowed || strncmp(at, bounded[b], strlen(bounded[b])) == 0;
			cr_expect(allowed, "%s\n%s", statement_texts[i], plan);
			at++;
		}
		free(plan);
	}
	store_close(db);
}

Test(sqlite_schema, history_and_active_conversations_are_read_from_their_indexes)
{
	struct database *db = store_open();
	char *history = plan_of(db, STATEMENT_READ_HISTORY);
	cr_expect_str_eq(history,
		"SEARCH messages USING INDEX messages_by_conversation (conversation_id=?)\n");
	char *recent = plan_of(db, STATEMENT_READ_RECENT);
	cr_expect_not_null(strstr(recent, "SEARCH conversations USING INDEX "
					  "conversations_by_user (user_id=?)\n"),
		"%s", recent);
	cr_expect_not_null(strstr(recent, "SEARCH message USING INDEX messages_by_conversation "
					  "(conversation_id=? AND seq>?)"),
		"%s", recent);
	char *stats = plan_of(db, STATEMENT_READ_STATS);
	cr_expect_not_null(strstr(stats, "SEARCH conversations USING COVERING INDEX "
					 "conversations_by_time (updated_at>?)"),
		"%s", stats);
	char *turn = plan_of(db, STATEMENT_FIND_TURN);
	cr_expect_not_null(
		strstr(turn, "SEARCH answer USING INDEX messages_by_turn (turn_id=?)"), "%s", turn);
	free(history);
	free(recent);
	free(stats);
	free(turn);
	store_close(db);
}
