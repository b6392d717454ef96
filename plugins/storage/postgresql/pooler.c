/* A pooler between the plugin and the database, which must keep sessions apart: statements are prepared for a session,
 * and settings and locks are a session's. */
#include "storage/postgresql/database.h"

#include <stdlib.h>
#include <string.h>

enum { SESSIONS = 3 };

static const char own_backend[] = "SELECT pg_backend_pid()";

/* Which process of the database has worked for the connection; -1 when it does not tell. */
static int backend_of(struct database *db, struct ss_error *err)
{
	PGresult *found = connection_ask(db, own_backend, 0, NULL, err);
	int backend = found != NULL ? (int)strtol(PQgetvalue(found, 0, 0), NULL, 10) : -1;
	PQclear(found);
	return backend;
}

/* Which one works for a transaction of another connection, which stays open in *HANDLE; -1 when it gets none, as the
 * pooler has no more of them. */
static int other_backend(struct database *db, PGconn **handle)
{
	struct ss_error err;
	PGconn *own = db->handle;
	int64_t timeout_ns = db->statement_timeout_ns;
	db->statement_timeout_ns = 0; /* none has to wait, unless it is in vain */
	db->handle = connection_open(db);
	PGresult *begun = db->handle != NULL ? connection_ask(db, "BEGIN", 0, NULL, &err) : NULL;
	int backend = begun != NULL ? backend_of(db, &err) : -1;
	PQclear(begun);
	*handle = db->handle;
	db->handle = own;
	db->statement_timeout_ns = timeout_ns;
	db->failing = FAILING_NOT;
	return backend;
}

int pooler_check(struct database *db, struct ss_error *err)
{
	PGconn *others[SESSIONS] = {NULL};
	int backend = backend_of(db, err), other = 0;
	if (backend < 0)
		return -1;
	/* A pooler gives its clients numbers of its own. */
	if (backend == PQbackendPID(db->handle))
		return 0;
	for (int i = 0; i < SESSIONS && other >= 0 && other != backend; i++)
		other = other_backend(db, &others[i]);
	/* Or it is another one by now, as others have its own. */
	int later = other == backend ? backend : backend_of(db, err);
	for (int i = 0; i < SESSIONS; i++)
		PQfinish(others[i]);
	if (later < 0)
		return -1;
	if (other == backend || later != backend)
		return ss_fail_as(err, SS_INVALID,
			"%s: a pooler in between gives a session of the database to several "
			"connections; let it keep sessions apart, as PgBouncer does with "
			"pool_mode = session, or name the database itself",
			db->place);
	return 0;
}
