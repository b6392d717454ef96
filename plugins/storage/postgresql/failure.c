/* What errors of the database mean for the person who runs the server, and what the plugin does about them. */
#include "storage/postgresql/database.h"

#include <stdio.h>
#include <string.h>

enum { DETAIL_SIZE = 240 };

/* By the beginning of the SQLSTATE (PostgreSQL's manual, appendix A); the first that fits. */
static const struct meaning {
	const char *state;
	enum failing failing;
	enum ss_status status;
	const char *text;
} meanings[] = {
	{"40001", FAILING_FOR_NOW, SS_UNAVAILABLE,
		"other servers' transactions were in the way time and again; try again later"},
	{"40P01", FAILING_FOR_NOW, SS_UNAVAILABLE,
		"other servers' transactions were in the way time and again; try again later"},
	{"55P03", FAILING_FOR_NOW, SS_UNAVAILABLE, "is locked by others for too long"},
	{"57014", FAILING_FOR_GOOD, SS_UNAVAILABLE,
		"took longer than statement_timeout allows, or somebody cancelled it; try again "
		"later"},
	{"57P", FAILING_LOST, SS_UNAVAILABLE, "has ended the connection"},
	{"08", FAILING_LOST, SS_UNAVAILABLE, "cannot be reached"},
	{"25P03", FAILING_LOST, SS_UNAVAILABLE,
		"has ended the connection, since the server stood still within a transaction"},
	/* A standby, or a primary that has become one: the url may name its successor as well. */
	{"25006", FAILING_LOST, SS_UNAVAILABLE,
		"cannot be written; is it a standby? Name the primary, or several hosts with "
		"target_session_attrs=read-write"},
	/* Somebody has changed the tables; prepared anew the statements may fit. */
	{"0A000", FAILING_LOST, SS_INTERNAL, "has other tables than before"},
	{"26000", FAILING_LOST, SS_INTERNAL,
		"does not know the prepared statements; a pooler between must keep sessions apart, "
		"as PgBouncer does with pool_mode = session"},
	/* It was deleted while something was stored that belongs to it. */
	{"23503", FAILING_FOR_NOW, SS_UNAVAILABLE,
		"has no row that this belongs to any more; try again later"},
	{"23505", FAILING_FOR_GOOD, SS_INVALID, "has a row with this key already"},
	{"23", FAILING_FOR_GOOD, SS_INVALID, "refuses what breaks a rule of its schema"},
	{"22003", FAILING_FOR_GOOD, SS_INVALID, "refuses what breaks a rule of its schema"},
	{"22", FAILING_FOR_GOOD, SS_INVALID, "refuses a value"},
	{"54", FAILING_FOR_GOOD, SS_INVALID, "refuses a text that is too long"},
	{"53100", FAILING_FOR_GOOD, SS_LIMIT, "cannot grow: its disk is full; free some space"},
	{"53", FAILING_FOR_GOOD, SS_UNAVAILABLE, "has not enough memory or connections left"},
	{"58", FAILING_FOR_GOOD, SS_UNAVAILABLE, "cannot read or write its files; check its disk"},
	{"42501", FAILING_FOR_GOOD, SS_UNAVAILABLE,
		"does not let this user do that; grant the rights on its schema"},
	{"XX001", FAILING_FOR_GOOD, SS_INTERNAL, "is damaged; restore it from a backup"},
	{"XX002", FAILING_FOR_GOOD, SS_INTERNAL,
		"has a damaged index; make it anew with REINDEX, or restore a backup"},
	{"", FAILING_FOR_GOOD, SS_INTERNAL, "gave an error that nobody expected"},
};

static const struct meaning *find_meaning(const char *state)
{
	const struct meaning *meaning = meanings;
	while (strncmp(state, meaning->state, strlen(meaning->state)) != 0)
		meaning++;
	return meaning;
}

/* MESSAGE without its line breaks and the password. */
static void tidy(const struct database *db, const char *message, char detail[DETAIL_SIZE])
{
	(void)snprintf(detail, DETAIL_SIZE, "%s", message);
	size_t length = strlen(detail);
	while (length > 0 && detail[length - 1] == '\n')
		detail[--length] = '\0';
	for (char *at = detail; *at != '\0'; at++) {
		if ((unsigned char)*at < ' ')
			*at = ' ';
	}
	secret_hide(&db->password, detail);
}

int database_fail(struct database *db, const PGresult *result, struct ss_error *err)
{
	char detail[DETAIL_SIZE];
	const char *state = result != NULL ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
	const char *message =
		result != NULL ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
	if (message == NULL)
		message = db->handle != NULL ? PQerrorMessage(db->handle) : "no connection";
	tidy(db, message, detail);
	/* What has no state is libpq's own word, of the connection. */
	const struct meaning *meaning = find_meaning(state != NULL ? state : "08");
	if (db->handle == NULL || PQstatus(db->handle) != CONNECTION_OK)
		meaning =
			find_meaning(state != NULL && strncmp(state, "57P", 3) == 0 ? state : "08");
	db->failing = meaning->failing;
	db->met_another = strcmp(meaning->state, "23505") == 0;
	return ss_fail_as(err, meaning->status, "%s: %s (%s)", db->place, meaning->text, detail);
}

int database_fail_memory(const struct database *db, struct ss_error *err)
{
	return ss_fail_as(err, SS_UNAVAILABLE, "%s: there is not enough memory", db->place);
}
