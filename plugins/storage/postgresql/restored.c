/* Events of a dump that was restored into another server: the numbers of their transactions are that one's. Where they are
 * higher than those of transactions here, nobody would be told of them, and what is stored from now on would come before
 * them. */
#include "storage/postgresql/database.h"

#include <string.h>

#define OF_ANOTHER_SERVER "transaction >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint"

static const char *const find = "SELECT EXISTS (SELECT 1 FROM events WHERE " OF_ANOTHER_SERVER ")";

/* All are settled, in the order of their own numbers. */
static const char *const settle = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;"
				  "SET LOCAL statement_timeout = 0;"
				  "UPDATE events SET transaction = 0 WHERE " OF_ANOTHER_SERVER ";"
				  "COMMIT";

int restored_settle(struct database *db, struct ss_error *err)
{
	PGresult *found = connection_ask(db, find, 0, NULL, err);
	if (found == NULL)
		return -1;
	bool are_there = strcmp(PQgetvalue(found, 0, 0), "t") == 0;
	PQclear(found);
	if (!are_there)
		return 0;
	PGresult *settled = connection_query(db, settle, err);
	PQclear(settled);
	if (settled == NULL)
		return -1;
	db->host->log(db->host, SS_LOG_INFO,
		"%s: was restored from another server; its events come before those of this one",
		db->place);
	return 0;
}
