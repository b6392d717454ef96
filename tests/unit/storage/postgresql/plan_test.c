/* No statement reads through a table that grows: PostgreSQL is asked how it runs each of them, with tables of some thousand
 * rows. */
#include "schema.h"

#include "base/memory.h"
#include "storage/postgresql/database.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { TURNS = 64, BATCHES = 40, ID_TEXT_SIZE = 32 };

TestSuite(postgresql_plan, .init = store_begin, .fini = store_end);

/* Tables of a few rows for as long as a store lives. */
static const char *const small_tables[] = {
	"analytics_totals",  /* a row for each category, sentiment and writer */
	"delivery_counts",   /* a row for each webhook, status and writer */
	"document_versions", /* a row for each kind */
	"workflows",         /* a row for each text that the workflow ever had */
};

/* Indexes that are read from one end on, up to a limit or a first row. */
static const char *const walked[] = {
	"turns_pkey", /* list_journals() of those that are done: nearly all are */
	/* All documents of a kind are wanted, up to a limit. */
	"knowledge_base_pkey", "heads_pkey", "webhooks_pkey", "api_keys_pkey",
	"events_by_transaction", /* the last one */
};

static void fill_turns(void *store, int batch)
{
	char ids[TURNS][4][ID_TEXT_SIZE];
	struct ss_turn turns[TURNS];
	struct ss_error errors[TURNS] = {{.status = SS_OK}};
	static const char *const shown[] = {"article-1", "article-2"};
	for (int i = 0; i < TURNS; i++) {
		int number = batch * TURNS + i;
		(void)snprintf(ids[i][0], ID_TEXT_SIZE, "t%d", number);
		(void)snprintf(ids[i][1], ID_TEXT_SIZE, "conv_%d", number / 2);
		(void)snprintf(ids[i][2], ID_TEXT_SIZE, "user_%d", number / 8);
		(void)snprintf(ids[i][3], ID_TEXT_SIZE, "question %d", number);
		turns[i] = i % 2 == 0 ? store_first_turn(ids[i][0], ids[i][1])
				      : store_turn(ids[i][0], ids[i][1]);
		turns[i].user_id = ids[i][2];
		turns[i].thread = turns[i].unanswered = ids[i][3];
		turns[i].shown = shown;
		turns[i].shown_count = array_length(shown);
		turns[i].asked_at_ns = turns[i].answered_at_ns =
			(int64_t)number * 3600 * 1000000000;
	}
	cr_assert_eq(smartsupport_plugin.storage->commit_turns(store, turns, TURNS, errors), 0,
		"%s", errors[0].text);
	for (int i = 0; i < TURNS; i++)
		cr_assert_eq(errors[i].status, SS_OK, "%s", errors[i].text);
}

static void fill_journals(void *store, int batch)
{
	char ids[TURNS][ID_TEXT_SIZE];
	struct ss_journal_write writes[TURNS];
	struct ss_error errors[TURNS] = {{.status = SS_OK}};
	static const struct ss_journal_entry entries[] = {{1, {"{}", 2}}, {2, {"{}", 2}}};
	for (int i = 0; i < TURNS; i++) {
		(void)snprintf(ids[i], ID_TEXT_SIZE, "t%d", batch * TURNS + i);
		writes[i] = (struct ss_journal_write){
			.struct_size = sizeof writes[i],
			.turn_id = ids[i],
			.workflow = "hash",
			.workflow_text = {"{}", 2},
			.start = {"{}", 2},
			.fence = 1,
			.status = i == 0 ? "interrupted" : "done",
			.entries = entries,
			.entry_count = array_length(entries),
			.first = 1,
		};
	}
	cr_assert_eq(smartsupport_plugin.storage->write_journals(store, writes, TURNS, errors), 0,
		"%s", errors[0].text);
}

static void fill_feedback(void *store, int batch)
{
	char ids[TURNS][ID_TEXT_SIZE];
	struct ss_feedback feedback[TURNS];
	struct ss_error errors[TURNS] = {{.status = SS_OK}};
	for (int i = 0; i < TURNS; i++) {
		(void)snprintf(ids[i], ID_TEXT_SIZE, "t%d", batch * TURNS + i);
		feedback[i] = (struct ss_feedback){.struct_size = sizeof feedback[i],
			.turn_id = ids[i],
			.was_helpful = 1,
			.rating = 4};
	}
	cr_assert_eq(smartsupport_plugin.storage->store_feedback(store, feedback, TURNS, errors), 0,
		"%s", errors[0].text);
}

static void fill_documents(const char *table)
{
	char *sql = memory_format("INSERT INTO %s (id, version, data, created_at, updated_at)"
				  " SELECT 'd' || i, i, CASE WHEN i %% 4 > 0 THEN '{}' END, i, i"
				  " FROM generate_series(1, 2000) AS i",
		table);
	store_execute(sql);
	free(sql);
}

/* Events with deliveries, nearly all of them made. */
static void fill_events(void)
{
	store_execute("INSERT INTO events (id, type, data, user_id, conversation_id, created_at)"
		      " SELECT 'e' || i, 't' || i % 8, '{}', 'user_' || i / 16, 'conv_' || i / 4, i"
		      " FROM generate_series(1, 8000) AS i");
	store_execute("INSERT INTO webhook_deliveries"
		      " (id, event, event_at, webhook_id, status, owner, next_at)"
		      " SELECT id, number, created_at, 'd' || number % 200 + 1,"
		      "  CASE number % 50 WHEN 0 THEN 'pending' WHEN 1 THEN 'failed'"
		      "  ELSE 'delivered' END, CASE number % 100 WHEN 0 THEN 'somebody' END,"
		      "  CASE number % 50 WHEN 0 THEN number END FROM events");
	store_execute("INSERT INTO delivery_attempts (delivery, seq, at, duration_ns, code)"
		      " SELECT number, 1, event_at, 1, 200 FROM webhook_deliveries");
	store_execute("INSERT INTO requests (scope, key, fingerprint, subject, user_id, keep_until)"
		      " SELECT 's', 'k' || i, 'f', 'x', 'user_' || i / 16, i"
		      " FROM generate_series(1, 8000) AS i");
}

/* A connection whose planner knows the tables and is to use indexes wherever it can. */
static PGconn *connect_planner(void)
{
	PGconn *handle = PQconnectdb(schema_url());
	cr_assert_eq(PQstatus(handle), CONNECTION_OK, "%s", PQerrorMessage(handle));
	PGresult *result = PQexec(handle, "ANALYZE; SET enable_seqscan = off;"
					  " SET plan_cache_mode = force_generic_plan;"
					  " SET smartsupport.writer = '1'");
	cr_assert_eq(PQresultStatus(result), PGRES_COMMAND_OK, "%s", PQerrorMessage(handle));
	PQclear(result);
	return handle;
}

/* The same to tables that are filled. */
static PGconn *open_filled(void)
{
	void *store = store_open();
	for (int batch = 0; batch < BATCHES; batch++) {
		fill_turns(store, batch);
		fill_journals(store, batch);
		fill_feedback(store, batch);
	}
	store_close(store);
	fill_documents("knowledge_base");
	fill_documents("heads");
	fill_documents("webhooks");
	fill_documents("api_keys");
	fill_events();
	return connect_planner();
}

static PGresult *ask(PGconn *handle, const char *sql)
{
	PGresult *result = PQexec(handle, sql);
	ExecStatusType status = PQresultStatus(result);
	cr_assert(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK, "%s: %s", sql,
		PQerrorMessage(handle));
	return result;
}

static void run(PGconn *handle, const char *sql)
{
	PQclear(ask(handle, sql));
}

/* Whether it is one that has a plan, and none that only begins or ends something. */
static bool has_plan(const char *text)
{
	static const char *const words[] = {"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"};
	for (size_t i = 0; i < array_length(words); i++) {
		if (strncmp(text, words[i], strlen(words[i])) == 0)
			return true;
	}
	return false;
}

/* The plan of TEXT with any parameters: a row for each line. */
static PGresult *explain(PGconn *handle, const char *text)
{
	char *prepare = memory_format("PREPARE explained AS %s", text);
	run(handle, prepare);
	free(prepare);
	PGresult *types = ask(handle, "SELECT coalesce(cardinality(parameter_types), 0)"
				      " FROM pg_prepared_statements WHERE name = 'explained'");
	int count = (int)strtol(PQgetvalue(types, 0, 0), NULL, 10);
	PQclear(types);
	char nulls[200] = "";
	for (int i = 0; i < count; i++)
		(void)snprintf(nulls + strlen(nulls), sizeof nulls - strlen(nulls), "%sNULL",
			i == 0 ? "(" : ", ");
	char *sql = memory_format(
		"EXPLAIN (COSTS off) EXECUTE explained%s%s", nulls, count > 0 ? ")" : "");
	PGresult *plan = ask(handle, sql);
	free(sql);
	run(handle, "DEALLOCATE explained");
	return plan;
}

static bool is_in(const char *const *names, size_t count, const char *name, size_t length)
{
	for (size_t i = 0; i < count; i++) {
		if (strlen(names[i]) == length && strncmp(name, names[i], length) == 0)
			return true;
	}
	return false;
}

/* The word behind WORDS in LINE, and its *LENGTH; NULL when they are not there. */
static const char *word_behind(const char *line, const char *words, size_t *length)
{
	const char *at = strstr(line, words);
	if (at == NULL)
		return NULL;
	at += strlen(words);
	*length = strcspn(at, " ");
	return at;
}

static const char *line_of(const PGresult *plan, int i)
{
	return i < PQntuples(plan) ? PQgetvalue(plan, i, 0) : "";
}

static void check_line(const char *text, const PGresult *plan, int i)
{
	size_t length;
	const char *line = line_of(plan, i);
	const char *table = word_behind(line, "Seq Scan on ", &length);
	if (table != NULL)
		cr_expect(is_in(small_tables, array_length(small_tables), table, length),
			"%s\n  reads through a table: %s", text, line);
	/* An index without a condition is read from its beginning. */
	const char *index = word_behind(line, " using ", &length);
	if (index == NULL || strstr(line_of(plan, i + 1), "Index Cond:") != NULL)
		return;
	const char *on = word_behind(line, " on ", &(size_t){0});
	size_t on_length = on != NULL ? strcspn(on, " ") : 0;
	cr_expect((on != NULL && is_in(small_tables, array_length(small_tables), on, on_length)) ||
			  is_in(walked, array_length(walked), index, length),
		"%s\n  reads through an index: %s", text, line);
}

Test(postgresql_plan, no_statement_reads_through_a_table_that_grows)
{
	PGconn *handle = open_filled();
	int explained = 0;
	for (int i = 0; i < STATEMENTS; i++) {
		if (!has_plan(statement_texts[i]))
			continue;
		PGresult *plan = explain(handle, statement_texts[i]);
		for (int line = 0; line < PQntuples(plan); line++)
			check_line(statement_texts[i], plan, line);
		PQclear(plan);
		explained++;
	}
	cr_expect_gt(explained, 30, "only %d statements have a plan", explained);
	PQfinish(handle);
}

static bool mentions(const PGresult *plan, const char *words)
{
	for (int i = 0; i < PQntuples(plan); i++) {
		if (strstr(line_of(plan, i), words) != NULL)
			return true;
	}
	return false;
}

/* Else a list of a busy user reads each conversation or event that is not asked for. */
Test(postgresql_plan, lists_pass_over_what_is_not_asked_for_by_an_index_alone)
{
	static const enum statement lists[] = {STATEMENT_LIST_CONVERSATIONS,
		STATEMENT_LIST_CONVERSATIONS_OF_USER, STATEMENT_LIST_CONVERSATIONS_OF_KINDS,
		STATEMENT_LIST_OLDEST_EVENTS_OF_TYPE, STATEMENT_LIST_OLDEST_EVENTS_OF_USER,
		STATEMENT_COUNT_EVENTS};
	store_close(store_open());
	PGconn *handle = connect_planner();
	for (size_t i = 0; i < array_length(lists); i++) {
		const char *text = statement_texts[lists[i]];
		PGresult *plan = explain(handle, text);
		cr_expect(mentions(plan, "Index Only Scan"), "%s", text);
		PQclear(plan);
	}
	PQfinish(handle);
}

/* Else whoever deletes a row reads through the tables that refer to it. */
Test(postgresql_plan, what_refers_to_a_row_is_found_by_an_index)
{
	static const char *const without_index =
		"SELECT coalesce(string_agg(conrelid::regclass || '.' || attname, ' '), '')"
		" FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = "
		"conkey[1]"
		" WHERE contype = 'f' AND connamespace = current_schema()::regnamespace"
		" AND NOT EXISTS (SELECT 1 FROM pg_index"
		"  WHERE indrelid = conrelid AND indkey[0] = conkey[1] AND indpred IS NULL)";
	store_close(store_open());
	char *names = store_text(without_index);
	/* Nobody deletes workflows. */
	cr_expect_str_eq(names, "turns.workflow");
	free(names);
}
