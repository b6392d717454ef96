/* What commands ask of the database: to bring its schema further, and to check all of it. Backups are made by
 * PostgreSQL's own tools. */
#include "common/sql/migrations.h"
#include "common/sql/verify.h"
#include "storage/postgresql/database.h"

#include <stdlib.h>
#include <string.h>

int database_migrate(const struct ss_setup *setup, const struct ss_migrate *migrate,
	struct ss_value **report, struct ss_error *err)
{
	struct migration_run run = {
		.steps = migrations,
		.count = migrations_count,
		.to = migrate->to,
		.dry_run = migrate->dry_run,
	};
	struct database_settings settings = database_settings_of(setup);
	settings.bare = true;
	struct database *db = database_open(setup->host, &settings, err);
	if (db == NULL)
		return -1;
	int result = migrations_run(db, &run, err);
	if (result == 0)
		*report = migration_report(setup->host->values, &run);
	database_close(db);
	return result;
}

/* Checking. */

/* It may take as long as it takes, and what others store meanwhile does not show. */
static const char *const begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
				 "SET LOCAL statement_timeout = 0";

/* The extension amcheck looks for damage in tables, and compares indexes with them: where it is there, and this user may
 * use it. */
static const char *const can_look =
	"SELECT coalesce(has_function_privilege("
	"  to_regprocedure('bt_index_check(regclass,boolean)')::oid, 'EXECUTE'), false)"
	" AND coalesce(has_function_privilege(to_regproc('verify_heapam')::oid, 'EXECUTE'), false)";

/* A query for each table and each index, which gives a sentence for each fault or fails with it. */
static const char *const looks =
	"SELECT format('SELECT format(''the table %%s is damaged in block %%s: %%s'', %L, blkno, "
	"msg)"
	" FROM verify_heapam(%L) LIMIT 101', oid::regclass::text, oid::regclass::text)"
	" FROM pg_class WHERE relkind = 'r' AND relpersistence = 'p'"
	" AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())"
	" UNION ALL SELECT format('SELECT NULL FROM bt_index_check(%L, true) AS looked OFFSET 1',"
	"  index.oid::regclass::text)"
	" FROM pg_class AS index JOIN pg_index ON indexrelid = index.oid JOIN pg_am ON pg_am.oid = "
	"relam"
	" WHERE amname = 'btree' AND indisvalid AND relpersistence = 'p'"
	" AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())";

static int begin_check(struct database *db, struct ss_error *err)
{
	PGresult *begun = connection_query(db, begin, err);
	PQclear(begun);
	return begun != NULL ? 0 : -1;
}

/* Adds what SQL gives, a sentence a row. Damage that it meets is a fault of the database, anything else one of the
 * check. */
static int add_all(struct database *db, const char *sql, struct items *faults, struct ss_error *err)
{
	struct ss_error found = {.status = SS_OK};
	PGresult *rows = connection_query(db, sql, &found);
	int result = 0;
	for (int i = 0; rows != NULL && result == 0 && i < PQntuples(rows); i++)
		result = verify_add(db, faults, (size_t)i, PQgetvalue(rows, i, 0), err);
	if (rows == NULL && found.status == SS_INTERNAL && db->handle != NULL) {
		result = verify_add(db, faults, 0, found.text, err);
		/* The transaction has failed with it. */
		database_rollback(db);
		if (result == 0)
			result = begin_check(db, err);
	} else if (rows == NULL) {
		*err = found;
		result = -1;
	}
	PQclear(rows);
	return result;
}

static int check_rules(struct database *db, struct items *faults, struct ss_error *err)
{
	int result = begin_check(db, err);
	for (size_t i = 0; result == 0 && i < verify_rule_count; i++)
		result = add_all(db, verify_rules[i], faults, err);
	database_rollback(db);
	return result;
}

static int check_files(struct database *db, struct items *faults, struct ss_error *err)
{
	PGresult *can = connection_query(db, can_look, err);
	if (can == NULL)
		return -1;
	bool can_be_looked_at = strcmp(PQgetvalue(can, 0, 0), "t") == 0;
	PQclear(can);
	if (!can_be_looked_at)
		return 0;
	PGresult *list = connection_query(db, looks, err);
	int result = list != NULL ? begin_check(db, err) : -1;
	for (int i = 0; result == 0 && i < PQntuples(list); i++)
		result = add_all(db, PQgetvalue(list, i, 0), faults, err);
	PQclear(list);
	database_rollback(db);
	return result;
}

static int check_all(struct database *db, const void *question, void *answer, struct ss_error *err)
{
	struct items *faults = answer;
	(void)question;
	/* Of an attempt before. */
	(void)items_take(db, faults, -1);
	if (check_rules(db, faults, err) < 0)
		return -1;
	return check_files(db, faults, err);
}

int database_verify(void *instance, struct ss_value **found, struct ss_error *err)
{
	struct items faults = {0};
	int result = database_try(instance, check_all, NULL, &faults, err);
	*found = items_take(instance, &faults, result);
	return result;
}
