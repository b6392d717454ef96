/* A file of an earlier server keeps all that is in it. */
#include "file.h"

#include "common/sql/migrations.h"
#include "storage/sqlite/database.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

TestSuite(sqlite_migration, .init = store_begin, .fini = store_end);

/* The steps that there were before messages of humans. */
enum { EARLIER = 6 };

static const char *const rows =
	"INSERT INTO users (id, name, vip, created_at, updated_at) VALUES ('ann', 'Ann', 1, 5, 6),"
	" ('bob', NULL, 0, 7, 7);"
	"INSERT INTO conversations VALUES ('c1', 'ann', 'escalated', 'Billing', NULL, 7, 4, 10, "
	"40),"
	" ('c2', 'bob', 'active', NULL, 'Neutral', 5, 2, 50, 60);"
	"INSERT INTO messages (id, conversation_id, seq, role, content, created_at, embedder, "
	"vector)"
	" VALUES ('m1', 'c1', 1, 'user', 'one' || char(0) || 'é', 10, 'e', x'0102'),"
	" ('m3', 'c1', 3, 'user', 'three', 30, NULL, NULL),"
	" ('m5', 'c2', 1, 'user', 'five', 50, NULL, NULL);"
	"INSERT INTO messages (id, conversation_id, seq, role, content, created_at, turn_id, "
	"category,"
	" sentiment, priority, attempts, escalated, escalation_reason, answered_by, duration_ns, "
	"metadata)"
	" VALUES ('m2', 'c1', 2, 'assistant', 'two', 20, 't1', 'Billing', NULL, 5, 1, 0, NULL, "
	"'b', 9, '{}'),"
	" ('m4', 'c1', 4, 'assistant', 'four', 40, 't2', 'Billing', 'Angry', 7, 2, 1, 'r', 'b', 9, "
	"NULL),"
	" ('m6', 'c2', 2, 'assistant', 'six', 60, 't3', NULL, 'Neutral', 5, 1, 0, NULL, 'b', 9, "
	"'{}');"
	"INSERT INTO analytics VALUES (0, 'Billing', '', 1, 0, 9), (0, 'Billing', 'Angry', 1, 1, "
	"9),"
	" (0, '', 'Neutral', 1, 0, 9);"
	"INSERT INTO analytics_totals VALUES ('Billing', '', 1, 0, 9), ('Billing', 'Angry', 1, 1, "
	"9),"
	" ('', 'Neutral', 1, 0, 9);"
	"INSERT INTO workflows VALUES (1, 'h', '{}');"
	"INSERT INTO turns VALUES (1, 't1', 1, '{}', 'done', NULL, 1, NULL, NULL, 10, 20),"
	" (2, 't9', 1, "
	"'{\"input\":{\"user_id\":\"eve\",\"conversation_id\":\"c9\",\"message\":\"\\u0000\"}}',"
	" 'running', NULL, 2, 'me', 99, 70, 80),"
	" (3, 't8', 1, '{\"input\":{\"user_id\":7}}', 'failed', 'x', 1, NULL, NULL, 70, 80),"
	" (4, 't7', 1, 'no JSON', 'failed', 'x', 1, NULL, NULL, 70, 80);"
	"INSERT INTO turn_entries VALUES (1, 1, 5, '{}'), (2, 1, 6, '{}');"
	"INSERT INTO message_articles VALUES ('m2', 'a1'), ('m4', 'a1');"
	"INSERT INTO article_counts VALUES ('a1', 2, 1, 0);"
	"INSERT INTO feedback VALUES ('m2', 1, 5, 'fine', '[]', 3600000001, 3600000002),"
	" ('m4', NULL, 2, NULL, NULL, 3600000009, 3600000009),"
	" ('m6', 0, NULL, NULL, NULL, 3600000003, 3600000003);"
	"INSERT INTO unanswered VALUES (1, 'k1', 'three', NULL, 2, 10, 30), (2, 'k2', 'other', "
	"NULL, 1, 50, 50);"
	"INSERT INTO threads VALUES ('th', 'c1', 40)";

/* The file as the earlier server has left it. */
static void make_earlier(void)
{
	struct ss_error err = {.status = SS_OK};
	struct database *like =
		store_try(&(struct store_options){.path = store_file("like.db")}, &err);
	cr_assert_not_null(like, "%s", err.text);
	struct database db = *like;
	char path[256];
	(void)snprintf(path, sizeof path, "%s", store_path());
	db.path = path;
	cr_assert_eq(sqlite3_open(path, &db.handle), SQLITE_OK);
	cr_assert_eq(migrations_apply(&db, migrations, EARLIER, &err), 0, "%s", err.text);
	(void)sqlite3_close(db.handle);
	store_close(like);
	store_execute(rows);
}

static void expect(const char *sql, const char *expected)
{
	char *came = store_text(sql);
	cr_expect_str_eq(came, expected, "%s: %s", sql, came);
	free(came);
}

/* All rows of the earlier tables, by the columns that these had. */
static char *earlier_rows(void)
{
	return store_text(
		"SELECT (SELECT group_concat(id || name || vip || created_at || updated_at) FROM "
		"users"
		"  WHERE name IS NOT NULL) || (SELECT group_concat(id) FROM users) ||"
		" (SELECT group_concat(id || user_id || status || ifnull(category, '') || priority "
		"||"
		"  message_count || updated_at) FROM conversations) ||"
		" (SELECT group_concat(rowid || id || conversation_id || seq || role || "
		"hex(content) ||"
		"  created_at || quote(turn_id) || quote(category) || quote(sentiment) ||"
		"  quote(priority) || quote(attempts) || quote(escalated) || "
		"quote(escalation_reason) ||"
		"  quote(answered_by) || quote(duration_ns) || quote(metadata) || quote(embedder) "
		"||"
		"  quote(vector)) FROM (SELECT rowid, * FROM messages ORDER BY id)) ||"
		" (SELECT group_concat(hour || category || sentiment || queries || escalated)"
		"  FROM analytics WHERE queries > 0) ||"
		" (SELECT group_concat(turn || seq || task || data) FROM turn_entries) ||"
		" (SELECT group_concat(id || status || fence || start) FROM turns) ||"
		" (SELECT group_concat(message_id || article_id) FROM message_articles) ||"
		" (SELECT group_concat(message_id || ifnull(rating, '') || created_at) FROM "
		"feedback) ||"
		" (SELECT group_concat(key || question || count) FROM unanswered) ||"
		" (SELECT group_concat(key || conversation_id) FROM threads)");
}

Test(sqlite_migration, a_file_with_rows_in_all_tables_loses_none)
{
	make_earlier();
	char *before = earlier_rows();
	store_close(store_open());
	char *after = earlier_rows();
	cr_expect_str_eq(after, before);
	cr_expect(strlen(before) > 500, "%s", before);
	expect("SELECT group_concat(seq) FROM (SELECT seq FROM messages ORDER BY rowid)",
		"1,3,1,2,4,2");
	expect("PRAGMA integrity_check", "ok");
	cr_expect_eq(store_number("SELECT count(*) FROM pragma_foreign_key_check"), 0);
	free(before);
	free(after);
}

Test(sqlite_migration, what_is_new_is_filled_in_from_what_was_known)
{
	make_earlier();
	store_close(store_open());
	expect("SELECT group_concat(id || '=' || ifnull(user_id, '-') || '/' ||"
	       " ifnull(conversation_id, '-')) FROM (SELECT * FROM turns ORDER BY number)",
		"t1=ann/c1,t9=eve/c9,t8=-/-,t7=-/-");
	expect("SELECT group_concat(key || '=' || ifnull(user_id, '-')) FROM unanswered",
		"k1=ann,k2=-");
	expect("SELECT group_concat((hour / 3600000000) || category || sentiment || ratings || '/' "
	       "||"
	       " rating_sum) FROM analytics WHERE ratings > 0",
		"1Billing1/5,1BillingAngry1/2");
}

Test(sqlite_migration, what_refers_to_messages_goes_with_them_as_before)
{
	make_earlier();
	store_close(store_open());
	store_execute("DELETE FROM conversations WHERE id = 'c1'");
	expect("SELECT (SELECT group_concat(id) FROM messages) || (SELECT count(*) FROM feedback) "
	       "||"
	       " (SELECT count(*) FROM message_articles) || (SELECT count(*) FROM threads)",
		"m5,m6100");
}

Test(sqlite_migration, a_file_with_rows_that_refer_to_nothing_is_left_as_it_is)
{
	make_earlier();
	store_execute("PRAGMA foreign_keys = OFF; DELETE FROM messages WHERE id = 'm2'");
	store_refused(store_path(), SS_INTERNAL,
		"has 2 rows that refer to rows which are not there, so its schema is left as it "
		"is");
	cr_expect_eq(store_number("SELECT max(version) FROM schema_migrations"), EARLIER);
	expect("SELECT group_concat(id) FROM messages WHERE role = 'assistant'", "m4,m6");
}
