#include "storage/postgresql/database.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

/* Attempts at one operation. */
enum { ATTEMPTS = 8 };

/* A check tries to commit no sooner than this after a commit has failed. */
static const int64_t try_again_ns = 1000000000;

const struct ss_value_functions *database_values(const struct database *db)
{
	return db->values;
}

int64_t database_active_since(const struct database *db)
{
	return database_now_us() - db->active_window_us;
}

bool database_is_again(const struct database *db)
{
	return db->again;
}

bool database_met_another(const struct database *db)
{
	return db->met_another;
}

int database_begin(struct database *db, enum statement begin, struct ss_error *err)
{
	database_rollback(db);
	return statement_run(db, begin, err);
}

int database_begin_single(struct database *db, struct ss_error *err)
{
	(void)err;
	database_rollback(db);
	db->single = true;
	return 0;
}

void database_defer(struct database *db, bool defers)
{
	db->defers = defers;
}

void database_rollback(struct database *db)
{
	enum failing failing = db->failing;
	bool met_another = db->met_another;
	connection_settle(db);
	if (db->handle == NULL || PQtransactionStatus(db->handle) == PQTRANS_IDLE)
		return;
	/* Without it the connection is of no use. */
	if (statement_run(db, STATEMENT_ROLLBACK, NULL) < 0)
		connection_close(db);
	db->failing = failing;
	db->met_another = met_another;
}

/* The database's files are the server's: see docs/storage.md. */

void database_wipe(struct database *db)
{
	(void)db;
}

void database_wipe_soon(struct database *db)
{
	(void)db;
}

int database_note_commit(struct database *db, int result, const struct ss_error *err)
{
	db->commit_error = result < 0 ? *err : (struct ss_error){.status = SS_OK};
	db->commit_tried_ns = database_monotonic_ns();
	return result;
}

/* Those that were in each other's way do not try again at the same moment. */
static void pause_between(int attempts)
{
	uint32_t random = 0;
	/* Without it they would only be in each other's way once more. */
	if (getrandom(&random, sizeof random, 0) < 0)
		random = 0;
	struct timespec time = {.tv_nsec = 1000000 + random % (2000000 * (uint32_t)attempts)};
	(void)nanosleep(&time, NULL);
}

static int fail_unknown(struct ss_error *err)
{
	struct ss_error cause = *err;
	return ss_fail_as(err, SS_UNAVAILABLE,
		"the connection was cut while it was stored, so it may be stored or not: %s",
		cause.text);
}

/* Makes sure of a connection. After a commit whose result is unknown it is waited for until DEADLINE_NS, since only the
 * database can tell. */
static int connect_for(struct database *db, int64_t deadline_ns, struct ss_error *err)
{
	while (connection_ensure(db, db->again, err) < 0) {
		if (!db->again)
			return -1;
		if (database_monotonic_ns() >= deadline_ns)
			return fail_unknown(err);
		pause_between(ATTEMPTS * ATTEMPTS);
	}
	return 0;
}

static bool is_worth_another(const struct database *db)
{
	return db->failing == FAILING_FOR_NOW || db->failing == FAILING_LOST;
}

int database_try(struct database *db, database_attempt *attempt, const void *question, void *answer,
	struct ss_error *err)
{
	int result = -1;
	int64_t deadline_ns = database_monotonic_ns() + db->connect_timeout_ns;
	db->again = false;
	for (int attempts = 1; result < 0 && attempts <= ATTEMPTS; attempts++) {
		if (connect_for(db, deadline_ns, err) < 0)
			break;
		db->failing = FAILING_NOT;
		db->commit_cut = db->single = false;
		result = attempt(db, question, answer, err);
		if (result == 0 || !is_worth_another(db))
			break;
		db->again |= db->commit_cut;
		pause_between(attempts);
	}
	db->again = false;
	/* The attempts before have failed. */
	if (result == 0 && err != NULL)
		*err = (struct ss_error){.status = SS_OK};
	return result;
}

/* Checking. */

static int check_commit(struct database *db, struct ss_error *err)
{
	if (db->commit_error.status == SS_OK)
		return 0;
	if (database_monotonic_ns() - db->commit_tried_ns >= try_again_ns)
		return database_note_commit(db, database_try_commit(db, err), err);
	*err = db->commit_error;
	return -1;
}

static int check_writable(
	struct database *db, const void *question, void *answer, struct ss_error *err)
{
	(void)question;
	(void)answer;
	PGresult *found = connection_ask(db,
		"SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean",
		0, NULL, err);
	if (found == NULL)
		return -1;
	bool read_only = strcmp(PQgetvalue(found, 0, 0), "t") == 0;
	PQclear(found);
	if (read_only)
		return ss_fail_as(err, SS_UNAVAILABLE,
			"%s: cannot be written: it is a standby, or default_transaction_read_only "
			"is on",
			db->place);
	return check_commit(db, err);
}

int database_check(void *instance, struct ss_error *err)
{
	return database_try(instance, check_writable, NULL, NULL, err);
}

/* Opening. */

struct database *database_open(
	const struct ss_host *host, const struct database_settings *settings, struct ss_error *err)
{
	struct database *db = calloc(1, sizeof *db);
	if (db == NULL) {
		(void)ss_fail_as(
			err, SS_UNAVAILABLE, "there is not enough memory for a connection");
		return NULL;
	}
	db->watching.wake = -1;
	db->host = host;
	db->values = host->values;
	db->bare = settings->bare;
	db->active_window_us = (int64_t)(settings->active_window_s * 1e6);
	db->connect_timeout_ns = (int64_t)(settings->connect_timeout_s * 1e9);
	db->statement_timeout_ns = (int64_t)(settings->statement_timeout_s * 1e9);
	if (connection_read_url(db, settings->url, err) == 0 &&
		connection_ensure(db, true, err) == 0 && watching_begin(&db->watching, err) == 0)
		return db;
	database_close(db);
	return NULL;
}

void database_close(struct database *db)
{
	if (db == NULL)
		return;
	connection_close(db);
	watching_end(&db->watching);
	secret_end(&db->url);
	secret_end(&db->password);
	arrays_free(&db->arrays);
	free(db);
}
