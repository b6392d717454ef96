/* What is read often is read from indexes. */
#include "file.h"

#include "base/memory.h"
#include "storage/sqlite/database.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

TestSuite(sqlite_plan, .init = store_begin, .fini = store_end);

/* What SQLite does for STATEMENT with its own connection: reads INDEX and sorts nothing. */
static void expect_plan(enum statement statement, const char *index)
{
	char *sql = memory_format("EXPLAIN QUERY PLAN %s", statement_texts[statement]);
	char plan[1000] = "";
	sqlite3 *handle = NULL;
	sqlite3_stmt *explained = NULL;
	cr_assert_eq(sqlite3_open(store_path(), &handle), SQLITE_OK);
	cr_assert_eq(sqlite3_prepare_v2(handle, sql, -1, &explained, NULL), SQLITE_OK);
	while (sqlite3_step(explained) == SQLITE_ROW)
		(void)snprintf(plan + strlen(plan), sizeof plan - strlen(plan), "%s\n",
			(const char *)sqlite3_column_text(explained, 3));
	cr_expect_not_null(strstr(plan, index), "%s", plan);
	cr_expect_null(strstr(plan, "SCAN"), "%s", plan);
	cr_expect_null(strstr(plan, "B-TREE"), "%s", plan);
	(void)sqlite3_finalize(explained);
	(void)sqlite3_close(handle);
	free(sql);
}

Test(sqlite_plan, lists_and_counts_are_read_from_indexes)
{
	store_close(store_open());
	expect_plan(STATEMENT_LIST_NEWEST_UNANSWERED, "unanswered_by_time");
	expect_plan(STATEMENT_LIST_MOST_UNANSWERED, "unanswered_by_count");
	expect_plan(STATEMENT_READ_ARTICLE_COUNTS, "PRIMARY KEY");
	expect_plan(STATEMENT_FIND_ANSWER, "messages_by_turn");
}

Test(sqlite_plan, conversations_users_and_messages_are_read_from_indexes)
{
	store_close(store_open());
	expect_plan(STATEMENT_LIST_CONVERSATIONS, "conversations_by_time");
	expect_plan(STATEMENT_LIST_CONVERSATIONS_OF_USER, "conversations_by_user");
	expect_plan(STATEMENT_LIST_CONVERSATIONS_OF_STATUS, "conversations_by_status");
	expect_plan(STATEMENT_LIST_CONVERSATIONS_OF_CATEGORY, "conversations_by_category");
	expect_plan(STATEMENT_LIST_CONVERSATIONS_OF_SENTIMENT, "conversations_by_sentiment");
	expect_plan(STATEMENT_LIST_MESSAGES, "messages_by_conversation");
	expect_plan(STATEMENT_LIST_USERS, "sqlite_autoindex_users_1");
	expect_plan(STATEMENT_LIST_VIPS, "users_vip");
	expect_plan(STATEMENT_LIST_JOURNALS_OF_USER, "turns_by_user");
	expect_plan(STATEMENT_DELETE_JOURNALS_OF_USER, "turns_by_user");
	expect_plan(STATEMENT_DELETE_JOURNALS_OF_CONVERSATION, "turns_by_conversation");
	expect_plan(STATEMENT_DELETE_QUESTIONS_OF_USER, "unanswered_by_user");
	expect_plan(STATEMENT_LIST_IDS_OF_USER, "conversations_by_user");
}
