/* No statement reads through a table that grows: SQLite is asked how it runs each of them. */
#include "file.h"

#include "base/memory.h"
#include "storage/sqlite/database.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { PLAN_SIZE = 2000, STEP_SIZE = 200 };

TestSuite(sqlite_plan, .init = store_begin, .fini = store_end);

/* Tables of a few rows for as long as a store lives, by the name or the alias that statements give them. */
static const char *const small_tables[] = {
	"analytics_totals", /* a row for each category and sentiment */
	"workflows",        /* a row for each text that the workflow ever had */
	"knowledge_base",   /* all of which a server holds in memory; so are the next */
	"heads",
	"webhooks",
	"api_keys",
	"document_versions", /* a row for each kind of documents */
	"sqlite_sequence",   /* a row for each table */
	"delivery_counts",   /* a row for each webhook and status */
	"CONSTANT ROW",
};

/* What is read from its beginning and in its order, up to a limit. */
static const struct walk {
	enum statement statement;
	const char *step; /* the plan's words */
} walks[] = {
	{STATEMENTS, ""}, /* none */
};

/* Sorts. */
static const struct sort {
	enum statement statement;
	const char *reason;
} sorts[] = {
	{STATEMENT_READ_RECENT, "the messages of at most RECENT_LIMIT conversations"},
	{STATEMENT_READ_ANALYTICS, "the figures of the hours or days that are asked for"},
	{STATEMENT_READ_CATEGORIES, "the same"},
	{STATEMENT_READ_SENTIMENTS, "the same"},
	{STATEMENT_LIST_CONVERSATIONS, "those of one time"},
	{STATEMENT_LIST_CONVERSATIONS_OF_USER, "the same"},
	{STATEMENT_LIST_CONVERSATIONS_OF_KINDS, "the same, and a page"},
	{STATEMENT_LIST_OLDEST_EVENTS_OF_TYPE, "events of a type that has few of them"},
	{STATEMENT_LIST_OLDEST_EVENTS_OF_USER, "the same of a user"},
	{STATEMENT_LIST_OLDEST_EVENTS_OF_CONVERSATION, "the events of one conversation"},
	{STATEMENT_LIST_MOST_UNANSWERED_OF_USER, "the questions in the words of one user"},
	{STATEMENT_READ_STATS, "the totals, a row for each category and sentiment"},
};

static sqlite3 *open_file(void)
{
	static struct bound nothing;
	sqlite3 *handle = NULL;
	store_close(store_open());
	cr_assert_eq(sqlite3_open(store_path(), &handle), SQLITE_OK);
	cr_assert_eq(bound_begin(&nothing, handle), SQLITE_OK);
	return handle;
}

/* What SQLite does for the statement, a line for each step. */
static void explain(sqlite3 *handle, enum statement statement, char plan[PLAN_SIZE])
{
	char *sql = memory_format("EXPLAIN QUERY PLAN %s", statement_texts[statement]);
	sqlite3_stmt *explained = NULL;
	int code = sqlite3_prepare_v2(handle, sql, -1, &explained, NULL);
	cr_assert_eq(code, SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(handle));
	plan[0] = '\0';
	while (sqlite3_step(explained) == SQLITE_ROW)
		(void)snprintf(plan + strlen(plan), PLAN_SIZE - strlen(plan), "%s\n",
			(const char *)sqlite3_column_text(explained, 3));
	(void)sqlite3_finalize(explained);
	free(sql);
}

static bool is_small(const char *table)
{
	for (size_t i = 0; i < array_length(small_tables); i++) {
		if (strcmp(table, small_tables[i]) == 0)
			return true;
	}
	return false;
}

static bool is_known_walk(enum statement statement, const char *step)
{
	for (size_t i = 0; i < array_length(walks); i++) {
		if (walks[i].statement == statement && strcmp(walks[i].step, step) == 0)
			return strstr(statement_texts[statement], "LIMIT") != NULL;
	}
	return false;
}

/* Whether TABLE is a table of the file; else it is a subquery or a function, whose own steps are checked. */
static bool is_table(const char *table)
{
	char *sql = memory_format(
		"SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = '%s'", table);
	bool found = store_number(sql) > 0;
	free(sql);
	return found;
}

static bool may_sort(enum statement statement)
{
	for (size_t i = 0; i < array_length(sorts); i++) {
		if (sorts[i].statement == statement)
			return true;
	}
	return false;
}

static void check_step(enum statement statement, const char *step)
{
	char table[STEP_SIZE];
	if (strncmp(step, "USE TEMP B-TREE", 15) == 0)
		cr_expect(may_sort(statement), "%s\n  sorts: %s", statement_texts[statement], step);
	if (strncmp(step, "SCAN ", 5) != 0)
		return;
	(void)snprintf(table, sizeof table, "%s", step + 5);
	if (strcmp(table, "CONSTANT ROW") != 0)
		table[strcspn(table, " ")] = '\0';
	bool is_allowed = is_small(table) || !is_table(table) || is_known_walk(statement, step);
	cr_expect(is_allowed, "%s\n  reads through a table: %s", statement_texts[statement], step);
}

Test(sqlite_plan, no_statement_reads_through_a_table_that_grows)
{
	sqlite3 *handle = open_file();
	for (int i = 0; i < STATEMENTS; i++) {
		char plan[PLAN_SIZE], *rest = NULL;
		explain(handle, (enum statement)i, plan);
		for (char *step = strtok_r(plan, "\n", &rest); step != NULL;
			step = strtok_r(NULL, "\n", &rest))
			check_step((enum statement)i, step);
	}
	(void)sqlite3_close(handle);
}

/* SORT: what is sorted. */
static void expect_order(
	sqlite3 *handle, enum statement statement, const char *index, const char *sort)
{
	char plan[PLAN_SIZE];
	explain(handle, statement, plan);
	cr_expect_not_null(strstr(plan, index), "%s\n%s", statement_texts[statement], plan);
	const char *found = strstr(plan, "B-TREE");
	cr_expect(found == NULL || (sort != NULL && strstr(found, sort) != NULL), "%s\n%s",
		statement_texts[statement], plan);
}

static void expect_index(sqlite3 *handle, enum statement statement, const char *index)
{
	expect_order(handle, statement, index, NULL);
}

Test(sqlite_plan, lists_come_from_their_indexes_in_their_order)
{
	sqlite3 *handle = open_file();
	expect_index(handle, STATEMENT_LIST_NEWEST_UNANSWERED, "unanswered_by_time");
	expect_index(handle, STATEMENT_LIST_MOST_UNANSWERED, "unanswered_by_count");
	expect_index(handle, STATEMENT_READ_ARTICLE_COUNTS, "PRIMARY KEY");
	expect_index(handle, STATEMENT_FIND_ANSWER, "messages_by_turn");
	(void)sqlite3_close(handle);
}

/* Else whoever deletes a row reads through the tables that refer to it. A foreign key is found by an index that begins with its
 * columns, or is the primary key of a table of one. */
Test(sqlite_plan, what_refers_to_a_row_is_found_by_an_index)
{
	static const char *const without_index =
		"SELECT group_concat(child.name || '.' || key.\"from\", ' ') FROM"
		" (SELECT name FROM sqlite_schema WHERE type = 'table') AS child"
		" JOIN pragma_foreign_key_list(child.name) AS key WHERE NOT EXISTS"
		" (SELECT 1 FROM pragma_index_list(child.name) AS list"
		"  JOIN pragma_index_info(list.name) AS info ON info.seqno = 0"
		"  WHERE info.name = key.\"from\" AND list.partial = 0)"
		" AND NOT EXISTS (SELECT 1 FROM pragma_table_info(child.name) AS col"
		"  WHERE col.pk = 1 AND col.name = key.\"from\")";
	store_close(store_open());
	char *names = store_text(without_index);
	/* Nobody deletes workflows. */
	cr_expect_str_eq(names, "turns.workflow");
	free(names);
}

static bool mentions(sqlite3 *handle, enum statement statement, const char *words)
{
	char plan[PLAN_SIZE];
	explain(handle, statement, plan);
	return strstr(plan, words) != NULL;
}

/* The kinds and their conversations are found one by one, and no other is looked at. */
Test(sqlite_plan, conversations_of_some_kinds_are_found_one_after_the_other)
{
	static const char *const steps[] = {
		"SEARCH conversations USING INDEX conversations_by_kind (kind>?)",
		("SEARCH conversations USING INDEX conversations_by_kind (kind=? AND "
		 "updated_at>? AND updated_at<?)"),
		"SEARCH next USING INTEGER PRIMARY KEY (rowid=?)",
	};
	sqlite3 *handle = open_file();
	for (size_t i = 0; i < array_length(steps); i++)
		cr_expect(mentions(handle, STATEMENT_LIST_CONVERSATIONS_OF_KINDS, steps[i]), "%s",
			steps[i]);
	(void)sqlite3_close(handle);
}

/* Else a list of somebody with many events or turns reads each of them that is not asked for. */
Test(sqlite_plan, what_a_user_has_is_passed_over_by_an_index_alone)
{
	sqlite3 *handle = open_file();
	cr_expect(mentions(handle, STATEMENT_LIST_OLDEST_EVENTS_OF_USER,
		"SEARCH events USING COVERING INDEX events_by_user"));
	cr_expect(mentions(handle, STATEMENT_LIST_OLDEST_EVENTS_OF_TYPE,
		"SEARCH events USING COVERING INDEX events_by_type"));
	cr_expect(mentions(handle, STATEMENT_COUNT_EVENTS,
		"SEARCH events USING COVERING INDEX events_by_user"));
	cr_expect(mentions(handle, STATEMENT_LIST_JOURNALS_OF_USER,
		"SEARCH turns USING INDEX turns_by_user (user_id=? AND number<?)"));
	(void)sqlite3_close(handle);
}

Test(sqlite_plan, conversations_users_and_messages_are_read_from_indexes)
{
	sqlite3 *handle = open_file();
	expect_order(handle, STATEMENT_LIST_CONVERSATIONS, "conversations_by_time",
		"FOR RIGHT PART OF ORDER BY");
	expect_order(handle, STATEMENT_LIST_CONVERSATIONS_OF_USER, "conversations_by_user",
		"FOR RIGHT PART OF ORDER BY");
	expect_index(handle, STATEMENT_LIST_MESSAGES, "messages_by_conversation");
	expect_index(handle, STATEMENT_LIST_USERS, "sqlite_autoindex_users_1");
	expect_index(handle, STATEMENT_LIST_VIPS, "users_vip");
	expect_index(handle, STATEMENT_LIST_JOURNALS_OF_USER, "turns_by_user");
	expect_index(handle, STATEMENT_DELETE_JOURNALS_OF_USER, "turns_by_user");
	expect_index(handle, STATEMENT_DELETE_JOURNALS_OF_CONVERSATION, "turns_by_conversation");
	expect_index(handle, STATEMENT_DELETE_QUESTIONS_OF_USER, "unanswered_by_user");
	expect_index(handle, STATEMENT_FIND_CONVERSATION_OF_USER, "conversations_by_user");
	expect_index(handle, STATEMENT_DELETE_LAST_MESSAGES, "messages_by_conversation");
	(void)sqlite3_close(handle);
}
