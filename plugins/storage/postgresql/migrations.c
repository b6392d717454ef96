#include "common/sql/migrations.h"

#include "storage/postgresql/database.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The table tells that the schema is this program's. One server at a time looks and applies; a migration may take as
 * long as it takes, and so may waiting for it. */
static const char *const begin =
	"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;"
	"SET LOCAL statement_timeout = 0;"
	"SELECT pg_advisory_xact_lock(hashtext(current_schema() || ' smartsupport migrations'))";

static const char *const mark = "CREATE TABLE smartsupport_migrations ("
				" version BIGINT NOT NULL PRIMARY KEY,"
				" name TEXT NOT NULL,"
				" checksum TEXT NOT NULL,"    /* SHA-256 of the migration's text */
				" applied_at BIGINT NOT NULL" /* microseconds since 1970, UTC */
				")";

static const char *const record =
	"INSERT INTO smartsupport_migrations (version, name, checksum, applied_at) VALUES"
	" ($1, $2, $3, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)";

static int execute(struct database *db, const char *sql, struct ss_error *err)
{
	PGresult *result = connection_query(db, sql, err);
	PQclear(result);
	return result != NULL ? 0 : -1;
}

/* Compares what was applied, rows of {version, checksum}, with the steps of the same numbers. */
static int compare(const struct database *db, const PGresult *applied,
	const struct migration *steps, size_t count, struct ss_error *err)
{
	int rows = PQntuples(applied);
	long long newest = rows > 0 ? strtoll(PQgetvalue(applied, rows - 1, 0), NULL, 10) : 0;
	if (newest < 0 || (unsigned long long)newest > count)
		return ss_fail_as(err, SS_INVALID,
			"%s: has schema version %lld, this server knows up to %zu; update the "
			"server",
			db->place, newest, count);
	for (int i = 0; i < rows; i++) {
		if (strtoll(PQgetvalue(applied, i, 0), NULL, 10) != steps[i].version ||
			strcmp(PQgetvalue(applied, i, 1), steps[i].sha256) != 0)
			return ss_fail_as(err, SS_INVALID,
				"%s: migration %d (%s) is not the one that this server has; use "
				"the server that made the tables, or another database",
				db->place, steps[i].version, steps[i].name);
	}
	return 0;
}

/* Whether there is the table of migrations: 1, 0, or -1 when another program's tables are in the way. */
static int look(struct database *db, struct ss_error *err)
{
	/* Not to_regclass(), which may remember what was there before the lock was waited for. */
	PGresult *found = connection_query(db,
		"SELECT coalesce(bool_or(relname = 'smartsupport_migrations'), false),"
		" coalesce(bool_or(relname IN ('users', 'conversations', 'messages')), false),"
		" current_schema() FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f')"
		" AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = "
		"current_schema())",
		err);
	if (found == NULL)
		return -1;
	bool ours = strcmp(PQgetvalue(found, 0, 0), "t") == 0;
	bool foreign = strcmp(PQgetvalue(found, 0, 1), "t") == 0;
	int result = ours ? 1 : 0;
	if (PQgetisnull(found, 0, 2))
		result = ss_fail_as(err, SS_INVALID,
			"%s: has no schema to create tables in; create one, or name another in "
			"search_path",
			db->place);
	else if (!ours && foreign)
		result = ss_fail_as(err, SS_INVALID,
			"%s: the schema %s has tables of another program; name another database, "
			"or "
			"a schema of its own with ?options=-csearch_path%%3DNAME",
			db->place, PQgetvalue(found, 0, 2));
	PQclear(found);
	return result;
}

/* From where to where RUN goes; -1 when the steps that are applied are others. */
static int inspect(struct database *db, struct migration_run *run, struct ss_error *err)
{
	int there = look(db, err);
	run->from = 0;
	if (there < 0)
		return -1;
	if (there == 0)
		return migration_find_end(run, db->place, err);
	PGresult *applied = connection_query(
		db, "SELECT version, checksum FROM smartsupport_migrations ORDER BY version", err);
	if (applied == NULL)
		return -1;
	int result = compare(db, applied, run->steps, run->count, err);
	run->from = PQntuples(applied);
	PQclear(applied);
	return result == 0 ? migration_find_end(run, db->place, err) : -1;
}

static int apply_step(struct database *db, const struct migration *step, struct ss_error *err)
{
	char version[16];
	const char *const values[] = {version, step->name, step->sha256};
	(void)snprintf(version, sizeof version, "%d", step->version);
	if (step->version == 1 && execute(db, mark, err) < 0)
		return -1;
	if (execute(db, step->sql, err) < 0)
		return -1;
	PGresult *result = connection_ask(db, record, 3, values, err);
	PQclear(result);
	return result != NULL ? 0 : -1;
}

/* Applies the next step in a transaction of its own: 1, or 0 when there is none. */
static int apply_next(struct database *db, struct migration_run *run, struct ss_error *err)
{
	if (execute(db, begin, err) < 0 || inspect(db, run, err) < 0)
		return -1;
	if (run->from == run->end)
		return execute(db, "COMMIT", err);
	const struct migration *step = &run->steps[run->from];
	if (apply_step(db, step, err) < 0 || execute(db, "COMMIT", err) < 0)
		return -1;
	run->applied[run->from] = true;
	db->host->log(db->host, SS_LOG_INFO, "%s: schema brought to version %d (%s)", db->place,
		step->version, step->name);
	return 1;
}

int migrations_run(struct database *db, struct migration_run *run, struct ss_error *err)
{
	/* Most servers start on a database that is up to date, and then need no lock. */
	int result = inspect(db, run, err);
	int64_t from = run->from;
	if (result < 0 || run->dry_run || run->from == run->end)
		return result;
	do {
		result = apply_next(db, run, err);
	} while (result == 1);
	if (result < 0 && db->handle != NULL)
		(void)execute(db, "ROLLBACK", NULL);
	run->from = from;
	return result;
}
