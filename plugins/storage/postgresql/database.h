/*
 * An instance of the plugin: its connection, the statements that are prepared on it, and what its errors mean. Used by
 * one thread at a time, which blocks while the database works, and never for longer than the options allow. A
 * connection is never carried through a fork.
 */
#ifndef POSTGRESQL_DATABASE_H
#define POSTGRESQL_DATABASE_H

#include "common/secret.h"
#include "common/sql/watch.h"
#include "storage/postgresql/arrays.h"

#include <libpq-fe.h>

enum { NUMBER_SIZE = 24, PLACE_SIZE = 256 };

/* What is bound to a statement, and what it gave. */
struct run {
	enum statement statement;
	int count; /* of the parameters */
	const char *values[PARAMETERS_LIMIT];
	int lengths[PARAMETERS_LIMIT], formats[PARAMETERS_LIMIT];
	char numbers[PARAMETERS_LIMIT][NUMBER_SIZE]; /* as text */
	char *texts[PARAMETERS_LIMIT];               /* that are other ones in the database */
	size_t text_count;
	struct arrays *arrays; /* the database's while many rows are bound, else NULL */
	PGresult *result;
	int row; /* -1 before the first */
};

/* What the last statement that failed came to, as far as programs act on it. */
enum failing {
	FAILING_NOT,
	FAILING_FOR_GOOD,
	FAILING_FOR_NOW, /* another transaction was in the way */
	FAILING_LOST,    /* the connection is gone */
};

struct database {
	const struct ss_host *host;
	const struct ss_value_functions *values;
	struct secret url, password; /* the password is empty when the url has none */
	char place[PLACE_SIZE];      /* "the database NAME at HOST:PORT" */
	int64_t active_window_us;
	int64_t connect_timeout_ns, statement_timeout_ns;

	PGconn *handle; /* NULL: there is no connection */
	bool bare;      /* its connections are without a schema and statements */
	bool migrated;
	bool prepared[STATEMENTS]; /* on this connection; each is when it is first used */
	struct watching watching;
	int listening; /* the process of the session that watch() listens in; 0: in none */
	struct run runs[STATEMENTS];
	struct arrays arrays;
	bool defers; /* statements whose rows do not matter are not waited for */

	/* Of the attempt that is under way. */
	enum failing failing;
	bool met_another; /* the last failure was a key that is there already */
	bool single;      /* the next statement is committed when it is done */
	bool commit_cut;  /* nobody knows whether the commit was done */
	bool again;

	struct ss_error connect_error; /* why there is no connection */
	int64_t connect_next_ns;       /* it is not tried before */
	int64_t connect_pause_ns;
	struct ss_error commit_error; /* why the last commit failed; SS_OK when it worked */
	int64_t commit_tried_ns;
};

struct database_settings {
	bool bare; /* its schema is not brought up to date, and there are no statements */
	const char *url;
	double connect_timeout_s, statement_timeout_s, active_window_s;
};

/* Connects and brings the schema up to date. NULL and ERR, which names the place but no password, when that fails. */
struct database *database_open(
	const struct ss_host *host, const struct database_settings *settings, struct ss_error *err);
void database_close(struct database *db);

int database_check(void *instance, struct ss_error *err);

/* Those that SETUP has in its options (postgresql.c). */
struct database_settings database_settings_of(const struct ss_setup *setup);

/* Tools (tools.c). */
int database_migrate(const struct ss_setup *setup, const struct ss_migrate *migrate,
	struct ss_value **report, struct ss_error *err);
int database_verify(void *instance, struct ss_value **found, struct ss_error *err);

/* The connection (connection.c). */

/* Whether URL can be used, without a connection: fills DB's place and password. */
int connection_read_url(struct database *db, const char *url, struct ss_error *err);

/* Connects if there is no connection; not sooner than the back-off allows unless it is URGENT. */
int connection_ensure(struct database *db, bool urgent, struct ss_error *err);
void connection_close(struct database *db);

/* Another connection, without the settings of a session; NULL when there is none to be had. */
PGconn *connection_open(const struct database *db);

/* Refuses a pooler that does not keep sessions apart (pooler.c). */
int pooler_check(struct database *db, struct ss_error *err);

/* Makes events of a dump that was restored events of this server (restored.c). */
int restored_settle(struct database *db, struct ss_error *err);

/* Runs SQL, one statement or several without parameters, or the prepared statement of RUN: a new result that is no
 * error, or NULL and ERR. */
PGresult *connection_query(struct database *db, const char *sql, struct ss_error *err);
PGresult *connection_run(struct database *db, const struct run *run, struct ss_error *err);
/* Sends the prepared statement of RUN and does not wait for it: whoever waits next has its failure. In a transaction. */
int connection_send(struct database *db, const struct run *run, struct ss_error *err);
/* Ends that: what was sent is done or has failed. */
void connection_settle(struct database *db);
/* The same with COUNT texts as parameters; results are texts. */
PGresult *connection_ask(struct database *db, const char *sql, int count, const char *const *values,
	struct ss_error *err);

/* The text of each statement. */
extern const char *const statement_texts[STATEMENTS];

/* Failures (failure.c). */

/* Fills ERR with what RESULT, or without one what happened to the connection, means. Returns -1. */
int database_fail(struct database *db, const PGresult *result, struct ss_error *err);

int64_t database_monotonic_ns(void);

#endif
