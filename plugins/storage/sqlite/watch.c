/* Noticing what others store: SQLite tells whether somebody else has changed the file, at the cost of a look at memory
 * that processes share. */
#include "storage/sqlite/database.h"

/* Between two looks. */
static const int64_t pause_ns = 100000000;

struct watching *database_watching(struct database *db)
{
	return &db->watching;
}

/* *VERSION is another one than before when another connection has stored something. */
static int read_data_version(struct database *db, int64_t *version, struct ss_error *err)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(db->handle, "PRAGMA data_version", -1, &statement, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		*version = sqlite3_column_int64(statement, 0);
	int result = code == SQLITE_ROW ? 0 : database_fail(db, code, err);
	(void)sqlite3_finalize(statement);
	return result;
}

int database_listen(struct database *db, struct ss_error *err)
{
	return read_data_version(db, &db->data_version, err);
}

int database_wait(struct database *db, int64_t deadline_ns, struct ss_error *err)
{
	int64_t before = db->data_version;
	while (db->data_version == before) {
		int64_t now_ns = watching_now_ns();
		if (now_ns >= deadline_ns)
			return 0;
		int64_t left_ns = deadline_ns - now_ns;
		if (watching_wait(
			    &db->watching, -1, now_ns + (left_ns < pause_ns ? left_ns : pause_ns)))
			return 1;
		if (read_data_version(db, &db->data_version, err) < 0)
			return -1;
	}
	return 0;
}
