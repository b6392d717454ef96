#include "common/sql/migrations.h"

#include "storage/sqlite/database.h"

#include <string.h>

/* Marks the file as this program's; "SSUP". */
#define APPLICATION_ID "1397970256"

static const char *const mark = "PRAGMA application_id = " APPLICATION_ID ";"
				"CREATE TABLE schema_migrations ("
				" version INTEGER NOT NULL PRIMARY KEY,"
				" name TEXT NOT NULL,"
				" checksum TEXT NOT NULL,"     /* SHA-256 of the migration's text */
				" applied_at INTEGER NOT NULL" /* microseconds since 1970, UTC */
				") STRICT";

static int prepare(
	struct database *db, const char *sql, sqlite3_stmt **statement, struct ss_error *err)
{
	int code = sqlite3_prepare_v2(db->handle, sql, -1, statement, NULL);
	return code == SQLITE_OK ? 0 : database_fail(db, code, err);
}

static int execute(struct database *db, const char *sql, struct ss_error *err)
{
	int code = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
	return code == SQLITE_OK ? 0 : database_fail(db, code, err);
}

/* The one number that SQL selects. */
static int read_number(struct database *db, const char *sql, int64_t *number, struct ss_error *err)
{
	sqlite3_stmt *statement = NULL;
	int result = prepare(db, sql, &statement, err);
	if (result == 0) {
		int code = sqlite3_step(statement);
		if (code == SQLITE_ROW)
			*number = sqlite3_column_int64(statement, 0);
		else
			result = database_fail(db, code, err);
	}
	(void)sqlite3_finalize(statement);
	return result;
}

/* Compares what was applied with the steps of the same numbers. */
static int compare(struct database *db, const struct migration *steps, struct ss_error *err)
{
	sqlite3_stmt *statement = NULL;
	int code = SQLITE_ERROR;
	int result = prepare(db, "SELECT version, checksum FROM schema_migrations ORDER BY version",
		&statement, err);
	if (result < 0)
		return -1;
	for (size_t i = 0; result == 0 && (code = sqlite3_step(statement)) == SQLITE_ROW; i++) {
		const char *checksum = (const char *)sqlite3_column_text(statement, 1);
		if (sqlite3_column_int64(statement, 0) != steps[i].version || checksum == NULL ||
			strcmp(checksum, steps[i].sha256) != 0)
			result = ss_fail_as(err, SS_INVALID,
				"%s: migration %d (%s) is not the one that this server has; use "
				"the "
				"server that made the file, or another file",
				db->path, steps[i].version, steps[i].name);
	}
	if (result == 0 && code != SQLITE_DONE)
		result = database_fail(db, code, err);
	(void)sqlite3_finalize(statement);
	return result;
}

/* Whether the file is new or ours, and from where to where RUN goes. In a transaction. */
static int inspect(struct database *db, struct migration_run *run, struct ss_error *err)
{
	int64_t foreign, tables;
	run->from = 0;
	if (read_number(db,
		    "SELECT application_id <> " APPLICATION_ID " FROM pragma_application_id",
		    &foreign, err) < 0 ||
		read_number(db, "SELECT count(*) FROM sqlite_schema", &tables, err) < 0)
		return -1;
	if (tables == 0)
		return migration_find_end(run, db->path, err);
	if (foreign)
		return ss_fail_as(err, SS_INVALID,
			"%s: is the database of another program; name another file", db->path);
	if (read_number(db, "SELECT coalesce(max(version), 0) FROM schema_migrations", &run->from,
		    err) < 0)
		return -1;
	if (run->from < 0 || (uint64_t)run->from > run->count)
		return ss_fail_as(err, SS_INVALID,
			"%s: has schema version %lld, this server knows up to %zu; update the "
			"server",
			db->path, (long long)run->from, run->count);
	if (compare(db, run->steps, err) < 0)
		return -1;
	return migration_find_end(run, db->path, err);
}

static int record(struct database *db, const struct migration *step, struct ss_error *err)
{
	sqlite3_stmt *statement = NULL;
	int result = prepare(db,
		"INSERT INTO schema_migrations (version, name, checksum, applied_at)"
		" VALUES (?1, ?2, ?3, ?4)",
		&statement, err);
	if (result == 0) {
		(void)sqlite3_bind_int(statement, 1, step->version);
		(void)sqlite3_bind_text(statement, 2, step->name, -1, SQLITE_STATIC);
		(void)sqlite3_bind_text(statement, 3, step->sha256, -1, SQLITE_STATIC);
		(void)sqlite3_bind_int64(statement, 4, database_now_us());
		int code = sqlite3_step(statement);
		if (code != SQLITE_DONE)
			result = database_fail(db, code, err);
	}
	(void)sqlite3_finalize(statement);
	return result;
}

/* A step may have made a table anew that others refer to. */
static int check_references(struct database *db, struct ss_error *err)
{
	int64_t lost;
	if (read_number(db, "SELECT count(*) FROM pragma_foreign_key_check", &lost, err) < 0)
		return -1;
	if (lost == 0)
		return 0;
	return ss_fail_as(err, SS_INTERNAL,
		"%s: has %lld rows that refer to rows which are not there, so its schema is left "
		"as it is; restore the file from a backup",
		db->path, (long long)lost);
}

/* Applies what is missing, in a transaction that holds the write lock. */
static int apply(struct database *db, struct migration_run *run, struct ss_error *err)
{
	if (inspect(db, run, err) < 0)
		return -1;
	if (run->from == 0 && execute(db, mark, err) < 0)
		return -1;
	for (int64_t i = run->from; i < run->end; i++) {
		const struct migration *step = &run->steps[i];
		if (execute(db, step->sql, err) < 0 || record(db, step, err) < 0)
			return -1;
		run->applied[i] = true;
	}
	if (run->from < run->end && check_references(db, err) < 0)
		return -1;
	if (execute(db, "COMMIT", err) < 0)
		return -1;
	if (run->from < run->end)
		db->host->log(db->host, SS_LOG_INFO, "%s: schema brought from version %lld to %lld",
			db->path, (long long)run->from, (long long)run->end);
	return 0;
}

static int apply_locked(struct database *db, struct migration_run *run, struct ss_error *err)
{
	if (execute(db, "BEGIN IMMEDIATE", err) < 0)
		return -1;
	int result = apply(db, run, err);
	if (result < 0 && sqlite3_get_autocommit(db->handle) == 0)
		(void)execute(db, "ROLLBACK", NULL);
	return result;
}

int migrations_run(struct database *db, struct migration_run *run, struct ss_error *err)
{
	/* Most servers start on a database that is up to date, and then need no lock. */
	if (execute(db, "BEGIN", err) < 0)
		return -1;
	int result = inspect(db, run, err);
	if (sqlite3_get_autocommit(db->handle) == 0)
		(void)execute(db, "ROLLBACK", NULL);
	if (result < 0 || run->dry_run || run->from == run->end)
		return result;
	/* Dropping a table, to make it anew, would drop what refers to its rows. Within a transaction the switch does
	 * nothing. */
	int enforced = 1;
	(void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_ENABLE_FKEY, -1, &enforced);
	(void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_ENABLE_FKEY, 0, NULL);
	result = apply_locked(db, run, err);
	(void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_ENABLE_FKEY, enforced, NULL);
	return result;
}
