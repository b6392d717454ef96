/* The connection: how it is made, and how a statement is waited for. */
#include "common/sql/migrations.h"
#include "storage/postgresql/database.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NAME_SIZE = 16, NUMBER_TEXT_SIZE = 32, POLL_MS = 100 };

static const int64_t pause_least_ns = 100000000, pause_most_ns = 5000000000;

/* The server ends a statement that takes too long. It is given so much more time for that before it counts as gone. */
static const int64_t grace_ns = 3000000000;

int64_t database_monotonic_ns(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* The url. */

static int fail_url(struct ss_error *err, const char *what)
{
	return ss_fail_as(err, SS_INVALID,
		"the storage's url is none that PostgreSQL's clients understand: %s; it is written "
		"postgresql://USER:PASSWORD@HOST:PORT/DATABASE, and what is special in the "
		"password "
		"as %%40 for @, %%2F for /, %%3A for : and %%25 for %%",
		what);
}

static const char *option_of(const PQconninfoOption *options, const char *keyword)
{
	for (; options->keyword != NULL; options++) {
		if (strcmp(options->keyword, keyword) == 0)
			return options->val != NULL ? options->val : "";
	}
	return "";
}

/* A part of a password that was not written with % ends up in the host, the port or the name. It is refused before any
 * message shows it. */
static int check_parts(const PQconninfoOption *options, struct ss_error *err)
{
	const char *port = option_of(options, "port");
	if (port[strspn(port, "0123456789,")] != '\0')
		return fail_url(err, "its port is no number");
	if (strchr(option_of(options, "host"), '@') != NULL ||
		strchr(option_of(options, "dbname"), '@') != NULL)
		return fail_url(err, "it has one @ too many");
	return 0;
}

static int keep_parts(struct database *db, const PQconninfoOption *options, struct ss_error *err)
{
	const char *host = option_of(options, "host"), *port = option_of(options, "port");
	const char *name = option_of(options, "dbname");
	if (check_parts(options, err) < 0)
		return -1;
	if (host[0] == '\0')
		host = option_of(options, "hostaddr");
	(void)snprintf(db->place, sizeof db->place, "the database %s at %s%s%s",
		name[0] != '\0' ? name : option_of(options, "user"),
		host[0] != '\0' ? host : "the local socket", port[0] != '\0' ? ":" : "", port);
	return secret_make(&db->password, "", option_of(options, "password"), err);
}

int connection_read_url(struct database *db, const char *url, struct ss_error *err)
{
	char *message = NULL;
	if (strncmp(url, "postgresql://", 13) != 0 && strncmp(url, "postgres://", 11) != 0)
		return fail_url(err, "it begins with neither postgresql:// nor postgres://");
	PQconninfoOption *options = PQconninfoParse(url, &message);
	/* Its words quote the url. */
	PQfreemem(message);
	if (options == NULL)
		return fail_url(err, "its form is wrong");
	int result = keep_parts(db, options, err);
	PQconninfoFree(options);
	return result < 0 ? -1 : secret_make(&db->url, "", url, err);
}

/* Waiting. */

void connection_close(struct database *db)
{
	for (size_t i = 0; i < STATEMENTS; i++) {
		PQclear(db->runs[i].result);
		db->runs[i].result = NULL;
	}
	PQfinish(db->handle);
	db->handle = NULL;
}

static void lose(struct database *db)
{
	PQfinish(db->handle);
	db->handle = NULL;
	db->failing = FAILING_LOST;
}

/* Waits until the next result is there, and all that was sent is gone. */
static int await(struct database *db, int64_t deadline_ns, struct ss_error *err)
{
	for (;;) {
		int unsent = PQflush(db->handle);
		if (unsent < 0)
			return database_fail(db, NULL, err);
		if (unsent == 0 && PQisBusy(db->handle) == 0)
			return 0;
		struct pollfd wanted = {.fd = PQsocket(db->handle),
			.events = (short)(unsent > 0 ? POLLIN | POLLOUT : POLLIN)};
		int64_t left_ns = deadline_ns - database_monotonic_ns();
		int ready = left_ns > 0 ? poll(&wanted, 1, POLL_MS) : 0;
		if (ready == 0 && left_ns > 0)
			continue;
		if (ready == 0)
			return ss_fail_as(err, SS_UNAVAILABLE,
				"%s: does not answer any more; the connection is given up",
				db->place);
		if (ready < 0 && errno == EINTR)
			continue;
		if (PQconsumeInput(db->handle) == 0)
			return database_fail(db, NULL, err);
	}
}

static bool is_pipelined(const struct database *db)
{
	return db->handle != NULL && PQpipelineStatus(db->handle) != PQ_PIPELINE_OFF;
}

/* The last result of what was sent, or the first that is an error. NULL and ERR when the connection was lost. */
static PGresult *receive(struct database *db, int64_t deadline_ns, struct ss_error *err)
{
	PGresult *last = NULL;
	bool ends_with_null = !is_pipelined(db);
	for (;;) {
		if (await(db, deadline_ns, err) < 0) {
			PQclear(last);
			lose(db);
			return NULL;
		}
		PGresult *next = PQgetResult(db->handle);
		bool is_end =
			ends_with_null ? next == NULL : PQresultStatus(next) == PGRES_PIPELINE_SYNC;
		if (is_end) {
			PQclear(next);
			return last;
		}
		/* Between those of a pipeline there is none. */
		if (next == NULL)
			continue;
		if (last != NULL && PQresultStatus(last) == PGRES_FATAL_ERROR) {
			PQclear(next);
			continue;
		}
		PQclear(last);
		last = next;
	}
}

/* What follows a PQsend… that returned SENT. */
static PGresult *finish(struct database *db, int sent, int64_t limit_ns, struct ss_error *err)
{
	db->failing = FAILING_NOT;
	db->met_another = false;
	if (sent == 0 || (is_pipelined(db) && PQpipelineSync(db->handle) == 0)) {
		(void)database_fail(db, NULL, err);
		lose(db);
		return NULL;
	}
	PGresult *result = receive(db, database_monotonic_ns() + limit_ns, err);
	if (is_pipelined(db) && !db->defers)
		(void)PQexitPipelineMode(db->handle);
	if (result == NULL)
		return NULL;
	ExecStatusType status = PQresultStatus(result);
	if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
		return result;
	(void)database_fail(db, result, err);
	PQclear(result);
	if (db->failing == FAILING_LOST)
		lose(db);
	return NULL;
}

static PGresult *fail_lost(struct database *db, struct ss_error *err)
{
	(void)database_fail(db, NULL, err);
	return NULL;
}

PGresult *connection_query(struct database *db, const char *sql, struct ss_error *err)
{
	if (db->handle == NULL)
		return fail_lost(db, err);
	return finish(db, PQsendQuery(db->handle, sql), INT64_MAX / 4, err);
}

PGresult *connection_ask(struct database *db, const char *sql, int count, const char *const *values,
	struct ss_error *err)
{
	if (db->handle == NULL)
		return fail_lost(db, err);
	return finish(db, PQsendQueryParams(db->handle, sql, count, NULL, values, NULL, NULL, 0),
		db->statement_timeout_ns + grace_ns, err);
}

static const char *statement_name(size_t statement, char name[NAME_SIZE])
{
	(void)snprintf(name, NAME_SIZE, "ss_%zu", statement);
	return name;
}

/* Prepares STATEMENT unless this connection has it already. A server knows more statements than most connections use. */
static int prepare(struct database *db, enum statement statement, struct ss_error *err)
{
	char name[NAME_SIZE];
	if (db->prepared[statement])
		return 0;
	int sent = PQsendPrepare(
		db->handle, statement_name(statement, name), statement_texts[statement], 0, NULL);
	PGresult *result = finish(db, sent, db->statement_timeout_ns + grace_ns, err);
	db->prepared[statement] = result != NULL;
	PQclear(result);
	return db->prepared[statement] ? 0 : -1;
}

static int send_run(struct database *db, const struct run *run)
{
	char name[NAME_SIZE];
	return PQsendQueryPrepared(db->handle, statement_name(run->statement, name), run->count,
		run->values, run->lengths, run->formats, 1);
}

int connection_send(struct database *db, const struct run *run, struct ss_error *err)
{
	if (db->handle == NULL) {
		(void)fail_lost(db, err);
		return -1;
	}
	if (prepare(db, run->statement, err) < 0)
		return -1;
	if (PQenterPipelineMode(db->handle) == 1 && send_run(db, run) == 1 &&
		PQflush(db->handle) >= 0)
		return 0;
	(void)database_fail(db, NULL, err);
	lose(db);
	return -1;
}

void connection_settle(struct database *db)
{
	if (!is_pipelined(db))
		return;
	db->defers = false;
	PQclear(finish(db, 1, db->statement_timeout_ns + grace_ns, NULL));
}

PGresult *connection_run(struct database *db, const struct run *run, struct ss_error *err)
{
	bool commits = db->single || run->statement == STATEMENT_COMMIT;
	db->single = false;
	if (db->handle == NULL)
		return fail_lost(db, err);
	if (prepare(db, run->statement, err) < 0)
		return NULL;
	int sent = send_run(db, run);
	PGresult *result = finish(db, sent, db->statement_timeout_ns + grace_ns, err);
	if (commits && result == NULL && db->failing == FAILING_LOST)
		db->commit_cut = true;
	/* The server takes the word for a transaction that has failed, and drops what it did. */
	if (run->statement == STATEMENT_COMMIT && result != NULL &&
		strcmp(PQcmdStatus(result), "COMMIT") != 0) {
		(void)ss_fail(err, "%s: has dropped the transaction", db->place);
		PQclear(result);
		return NULL;
	}
	return result;
}

/* Connecting. */

static void be_silent(void *context, const PGresult *notice)
{
	(void)context;
	(void)notice;
}

/* Settings of the session. A statement is planned once and not for its parameters, which those that add rows would be for each
 * array of another length. The session is given a number that no other connection to these tables has: the rows with its figures
 * are its own, so it never waits for others there. The lock is the session's, and goes with it. */
static const char *const begin_session =
	"SELECT current_setting('server_encoding'), pg_is_in_recovery(),"
	" set_config('statement_timeout', $1, false),"
	" set_config('idle_in_transaction_session_timeout', $1, false),"
	" set_config('plan_cache_mode', 'force_generic_plan', false),"
	" set_config('synchronous_commit', CASE current_setting('synchronous_commit')"
	"  WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false),"
	" set_config('smartsupport.writer', coalesce((SELECT number"
	"  FROM generate_series(1, 1000) AS number WHERE"
	"  pg_try_advisory_lock(hashtext(current_schema() || ' smartsupport writers'), number)"
	"  LIMIT 1), 0)::text, false)";

static int check_session(const struct database *db, const PGresult *session, struct ss_error *err)
{
	if (strcmp(PQgetvalue(session, 0, 0), "UTF8") != 0)
		return ss_fail_as(err, SS_INVALID,
			"%s: has the encoding %s; create one with ENCODING 'UTF8'", db->place,
			PQgetvalue(session, 0, 0));
	if (strcmp(PQgetvalue(session, 0, 1), "t") == 0)
		return ss_fail_as(err, SS_UNAVAILABLE,
			"%s: is a standby, which cannot be written; name the primary, or several "
			"hosts with target_session_attrs=read-write",
			db->place);
	return 0;
}

static int set_up(struct database *db, struct ss_error *err)
{
	char timeout_ms[NUMBER_TEXT_SIZE];
	const char *const values[] = {timeout_ms};
	(void)snprintf(timeout_ms, sizeof timeout_ms, "%lld",
		(long long)(db->statement_timeout_ns / 1000000));
	PGresult *session = connection_ask(db, begin_session, 1, values, err);
	if (session == NULL)
		return -1;
	int result = check_session(db, session, err);
	PQclear(session);
	if (result < 0 || db->bare)
		return result;
	if (!db->migrated && pooler_check(db, err) < 0)
		return -1;
	/* Later a newer server may have brought the schema further, which this one's statements allow or not. */
	if (!db->migrated && (migrations_apply(db, migrations, migrations_count, err) < 0 ||
				     restored_settle(db, err) < 0))
		return -1;
	db->migrated = true;
	return 0;
}

/* Those of libpq's that are not as wanted by default; the url, which comes behind, has the last word. */
static PGconn *connect_handle(const struct database *db)
{
	char seconds[NUMBER_TEXT_SIZE], silence_ms[NUMBER_TEXT_SIZE];
	const char *const keywords[] = {"connect_timeout", "keepalives_idle", "keepalives_interval",
		"keepalives_count", "tcp_user_timeout", "fallback_application_name", "dbname",
		"client_encoding", NULL};
	const char *const values[] = {
		seconds, "10", "5", "3", silence_ms, "smartsupport", db->url.text, "UTF8", NULL};
	(void)snprintf(
		seconds, sizeof seconds, "%lld", (long long)(db->connect_timeout_ns / 1000000000));
	(void)snprintf(silence_ms, sizeof silence_ms, "%lld",
		(long long)((db->statement_timeout_ns + grace_ns) / 1000000));
	return PQconnectdbParams(keywords, values, 1);
}

PGconn *connection_open(const struct database *db)
{
	PGconn *handle = connect_handle(db);
	if (handle == NULL)
		return NULL;
	if (PQstatus(handle) == CONNECTION_OK && PQsetnonblocking(handle, 1) == 0)
		return handle;
	PQfinish(handle);
	return NULL;
}

static int connect_now(struct database *db, struct ss_error *err)
{
	memset(db->prepared, 0, sizeof db->prepared);
	db->handle = connect_handle(db);
	if (db->handle == NULL)
		return database_fail_memory(db, err);
	if (PQstatus(db->handle) != CONNECTION_OK || PQsetnonblocking(db->handle, 1) != 0) {
		(void)database_fail(db, NULL, err);
	} else {
		(void)PQsetNoticeReceiver(db->handle, be_silent, NULL);
		if (set_up(db, err) == 0)
			return 0;
	}
	connection_close(db);
	return -1;
}

int connection_ensure(struct database *db, bool urgent, struct ss_error *err)
{
	if (db->handle != NULL)
		return 0;
	if (!urgent && database_monotonic_ns() < db->connect_next_ns) {
		*err = db->connect_error;
		return -1;
	}
	if (connect_now(db, err) == 0) {
		if (db->connect_pause_ns > 0)
			db->host->log(db->host, SS_LOG_INFO, "%s: is there again", db->place);
		db->connect_pause_ns = 0;
		return 0;
	}
	int64_t pause_ns = db->connect_pause_ns * 2;
	if (pause_ns < pause_least_ns)
		pause_ns = pause_least_ns;
	db->connect_pause_ns = pause_ns < pause_most_ns ? pause_ns : pause_most_ns;
	db->connect_next_ns = database_monotonic_ns() + db->connect_pause_ns;
	db->connect_error = *err;
	return -1;
}
