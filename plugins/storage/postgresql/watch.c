/*
 * Noticing what others store. Who stores documents notifies the channel of the schema when it commits, so they are seen
 * at once. Events are looked for: they come with each turn, and transactions that notify somebody are committed one after
 * the other (PostgreSQL's source, PreCommit_Notify()), each waiting for the disk. A look reads the end of an index; it also
 * finds what a notification has not told, as behind a pooler that keeps no sessions.
 */
#include "storage/postgresql/database.h"

#include <stdio.h>

enum { COMMAND_SIZE = 80 };

/* Between two looks. */
static const int64_t pause_ns = 500000000;

struct watching *database_watching(struct database *db)
{
	return &db->watching;
}

int database_listen(struct database *db, struct ss_error *err)
{
	char command[COMMAND_SIZE];
	if (db->handle != NULL && db->listening == PQbackendPID(db->handle))
		return 0;
	PGresult *name = connection_ask(db, "SELECT md5(current_schema())", 0, NULL, err);
	if (name == NULL)
		return -1;
	(void)snprintf(command, sizeof command, "LISTEN smartsupport_%s", PQgetvalue(name, 0, 0));
	PQclear(name);
	PGresult *result = connection_query(db, command, err);
	PQclear(result);
	if (result == NULL)
		return -1;
	db->listening = PQbackendPID(db->handle);
	return 0;
}

static void drop_notifications(struct database *db)
{
	PGnotify *notification;
	while ((notification = PQnotifies(db->handle)) != NULL)
		PQfreemem(notification);
}

int database_wait(struct database *db, int64_t deadline_ns, struct ss_error *err)
{
	int64_t now_ns = watching_now_ns();
	int64_t left_ns = deadline_ns - now_ns;
	/* Those that came with the answer to another question were not looked at. */
	PGnotify *waiting = PQnotifies(db->handle);
	PQfreemem(waiting);
	if (waiting == NULL && watching_wait(&db->watching, PQsocket(db->handle),
				       now_ns + (left_ns < pause_ns ? left_ns : pause_ns)))
		return 1;
	if (PQconsumeInput(db->handle) == 0) {
		(void)database_fail(db, NULL, err);
		connection_close(db);
		return -1;
	}
	drop_notifications(db);
	return 0;
}
