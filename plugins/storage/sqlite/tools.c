/* What commands ask of the file: to bring its schema further, and to check all of it. */
#include "common/sql/migrations.h"
#include "common/sql/verify.h"
#include "storage/sqlite/database.h"

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
	settings.extent = migrate->dry_run ? DATABASE_LOOK : DATABASE_BARE;
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

/* What a rule has met: damage is a fault of the file, anything else one of the check. */
static int note_failure(struct database *db, int code, struct items *faults, struct ss_error *err)
{
	struct ss_error found = {.status = SS_OK};
	(void)database_fail(db, code, &found);
	if ((code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB)
		return verify_add(db, faults, 0, found.text, err);
	*err = found;
	return -1;
}

/* Adds what SQL selects but "ok", a sentence a row. */
static int add_all(struct database *db, const char *sql, struct items *faults, struct ss_error *err)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(db->handle, sql, -1, &statement, NULL);
	int result = 0;
	size_t count = 0;
	while (code == SQLITE_OK && result == 0 && (code = sqlite3_step(statement)) == SQLITE_ROW) {
		const char *sentence = (const char *)sqlite3_column_text(statement, 0);
		code = SQLITE_OK;
		if (sentence == NULL)
			code = SQLITE_NOMEM;
		else if (strcmp(sentence, "ok") != 0)
			result = verify_add(db, faults, count++, sentence, err);
	}
	if (result == 0 && code != SQLITE_OK && code != SQLITE_DONE)
		result = note_failure(db, code, faults, err);
	(void)sqlite3_finalize(statement);
	return result;
}

static int check_all(struct database *db, struct items *faults, struct ss_error *err)
{
	int result = add_all(db, "SELECT integrity_check FROM pragma_integrity_check", faults, err);
	if (result == 0)
		result = add_all(db,
			"SELECT 'a row of the table ' || \"table\" || ' belongs to one of ' || "
			"parent"
			" || ' that is not there' FROM pragma_foreign_key_check LIMIT 101",
			faults, err);
	for (size_t i = 0; result == 0 && i < verify_rule_count; i++)
		result = add_all(db, verify_rules[i], faults, err);
	return result;
}

int database_verify(void *instance, struct ss_value **found, struct ss_error *err)
{
	struct database *db = instance;
	struct items faults = {0};
	/* What others store meanwhile does not show. */
	int result = database_begin(db, STATEMENT_BEGIN_READ, err);
	if (result == 0)
		result = check_all(db, &faults, err);
	database_rollback(db);
	*found = items_take(db, &faults, result);
	return result;
}
