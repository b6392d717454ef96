#include "storage/sqlite/database.h"

#include <string.h>

#define LIST_JOURNALS                                                                              \
	"SELECT id, hash, status, error, fence, owner, lease_until, created_at, updated_at,"       \
	" user_id, conversation_id FROM turns JOIN workflows ON workflows.number = workflow "      \
	"WHERE "
#define LIST_JOURNALS_END(now)                                                                     \
	" AND (NOT ?3 OR owner IS NULL OR lease_until <= " now ")"                                 \
	" AND turns.number < coalesce((SELECT number FROM turns WHERE id = ?1),"                   \
	" 9223372036854775807) ORDER BY turns.number DESC LIMIT ?2"
#define LIST_UNANSWERED                                                                            \
	"SELECT number, question, category, count, first_at, last_at FROM unanswered WHERE "
/* Bytes of the question's beginning that 200 characters fit in, also behind a NUL. */
#define CONVERSATION                                                                               \
	"SELECT id, user_id, status, category, sentiment, priority, message_count,"                \
	" (SELECT substr(CAST(content AS BLOB), 1, 800) FROM messages"                             \
	"  WHERE conversation_id = conversations.id AND seq = 1), created_at, updated_at"          \
	" FROM conversations"
#define LIST_CONVERSATIONS_END                                                                     \
	" AND (updated_at, id) < (?1, ?2) AND updated_at >= ?3"                                    \
	" ORDER BY updated_at DESC, id DESC LIMIT ?4"
#define LIST_CONVERSATIONS_NEXT(updated_at, id)                                                    \
	" AND (updated_at, id) < (" updated_at ", " id ") AND updated_at >= ?3"                    \
	" ORDER BY updated_at DESC, id DESC LIMIT 1"
#define USER "id, name, email, vip, metadata, created_at, updated_at"

/* The figures of a time: of its whole days, and of the hours around them. */
#define FIGURES                                                                                    \
	"(SELECT hour AS at, category, sentiment, queries, escalated, resolved, response_time_ns," \
	" ratings, rating_sum FROM analytics WHERE hour >= ?1 AND hour < ?4"                       \
	" UNION ALL SELECT day, category, sentiment, queries, escalated, resolved,"                \
	" response_time_ns, ratings, rating_sum FROM analytics_days WHERE day >= ?4 AND day < ?5"  \
	" UNION ALL SELECT hour, category, sentiment, queries, escalated, resolved,"               \
	" response_time_ns, ratings, rating_sum FROM analytics WHERE hour >= ?5 AND hour < ?2)"    \
	" AS source"

const char *const statement_texts[STATEMENTS] = {
	[STATEMENT_BEGIN_READ] = "BEGIN",
	/* Takes the write lock at once: a lock that is asked for halfway could be refused. */
	[STATEMENT_BEGIN_WRITE] = "BEGIN IMMEDIATE",
	[STATEMENT_COMMIT] = "COMMIT",
	[STATEMENT_ROLLBACK] = "ROLLBACK",
	[STATEMENT_BEGIN_TURN] = "SAVEPOINT turn",
	[STATEMENT_END_TURN] = "RELEASE turn",
	[STATEMENT_UNDO_TURN] = "ROLLBACK TO turn",

	/* Whether the stored turn ?1 says the same. Times, duration and metadata are not compared: they
	 * differ when a turn was run again after a crash. */
	[STATEMENT_FIND_TURN] =
		"SELECT answer.conversation_id = ?2 AND conversation.user_id = ?3"
		" AND question.content = ?4 AND answer.content = ?5"
		" AND answer.category IS ?6 AND answer.sentiment IS ?7"
		" AND answer.priority = ?8 AND answer.escalated = ?9"
		" FROM messages AS answer"
		" JOIN messages AS question ON question.conversation_id = answer.conversation_id"
		" AND question.seq = answer.seq - 1"
		" JOIN conversations AS conversation ON conversation.id = answer.conversation_id"
		" WHERE answer.turn_id = ?1",

	[STATEMENT_ADD_USER] = "INSERT INTO users (id, created_at, updated_at) SELECT p1, p2, p2"
			       " FROM bound WHERE TRUE ON CONFLICT (id) DO NOTHING",

	[STATEMENT_ADD_CONVERSATION] =
		"INSERT INTO conversations (id, user_id, status, category, sentiment, priority,"
		" message_count, created_at, updated_at)"
		" SELECT p1, p2, iif(p3, 'escalated', 'active'), p4, p5, p6, p7, p9, p8"
		" FROM bound",
	/* A question opens a resolved or closed conversation again; one that waits for a human still
	 * does. */
	[STATEMENT_CONTINUE_CONVERSATION] =
		"UPDATE conversations SET"
		" status = iif(?3 OR status = 'escalated', 'escalated', 'active'),"
		" category = coalesce(?4, category), sentiment = coalesce(?5, sentiment),"
		" priority = ?6, message_count = message_count + ?7,"
		" updated_at = max(updated_at, ?8) WHERE id = ?1 AND user_id = ?2",

	/* p3: the place in the conversation, or if that is not above 0 the place from its end, which its number of
	 * messages tells: it counts these already. */
	[STATEMENT_ADD_QUESTION] =
		"INSERT INTO messages (id, conversation_id, seq, role, content, created_at,"
		" embedder, vector) SELECT p1, p2,"
		" iif(p3 > 0, p3, (SELECT message_count + p3 FROM conversations WHERE id = p2)),"
		" 'user', p4, p5, p6, p7 FROM bound",
	[STATEMENT_ADD_ANSWER] =
		"INSERT INTO messages (id, conversation_id, seq, role, content, created_at, "
		"turn_id,"
		" category, sentiment, priority, attempts, escalated, escalation_reason,"
		" answered_by, duration_ns, metadata)"
		" SELECT p1, p2,"
		" iif(p3 > 0, p3, (SELECT message_count + p3 FROM conversations WHERE id = p2)),"
		" 'assistant', p4, p5, p6, p7, p8, p9, p10, p11, p12, p13, p14, p15 FROM bound",

	[STATEMENT_COUNT_IN_HOUR] =
		"INSERT INTO analytics (category, sentiment, escalated, response_time_ns, queries,"
		" hour) SELECT p1, p2, p3, p4, p5, p6 FROM bound WHERE TRUE"
		" ON CONFLICT (hour, category, sentiment) DO UPDATE SET"
		" queries = queries + excluded.queries,"
		" escalated = escalated + excluded.escalated,"
		" response_time_ns = response_time_ns + excluded.response_time_ns",
	[STATEMENT_COUNT_IN_TOTAL] =
		"INSERT INTO analytics_totals (category, sentiment, escalated, response_time_ns, "
		"queries)"
		" SELECT p1, p2, p3, p4, p5 FROM bound WHERE TRUE"
		" ON CONFLICT (category, sentiment) DO UPDATE SET"
		" queries = queries + excluded.queries,"
		" escalated = escalated + excluded.escalated,"
		" response_time_ns = response_time_ns + excluded.response_time_ns",
	[STATEMENT_REMOVE_TOTAL] =
		"DELETE FROM analytics_totals WHERE category = ?1 AND sentiment = ''",

	[STATEMENT_FIND_USER] = "SELECT name, vip FROM users WHERE id = ?1",
	[STATEMENT_FIND_CONVERSATION] =
		"SELECT status FROM conversations WHERE id = ?1 AND user_id = ?2",
	/* ?3: the embedder whose vectors are wanted. */
	[STATEMENT_READ_HISTORY] =
		"SELECT iif(role = 'human', 'assistant', role), content, created_at,"
		" iif(embedder = ?3, vector, NULL) FROM messages"
		" WHERE conversation_id = ?1 ORDER BY seq DESC LIMIT ?2",

	/* ?1: the user; ?2: not in this conversation; ?3: how many; ?4: the embedder whose vectors are
	 * wanted. The user's last messages are in the conversations that changed last, from as many before the
	 * end of each on. */
	[STATEMENT_READ_RECENT] =
		"SELECT message.role, message.content, message.created_at,"
		" iif(message.embedder = ?4, message.vector, NULL) FROM"
		" (SELECT id FROM conversations WHERE user_id = ?1 AND id IS NOT ?2"
		"  ORDER BY updated_at DESC LIMIT ?3) AS conversation"
		" CROSS JOIN messages AS message ON message.conversation_id = conversation.id"
		" AND message.seq >= (SELECT min(seq) FROM (SELECT seq FROM messages"
		"  WHERE conversation_id = conversation.id AND role = 'user'"
		"  ORDER BY seq DESC LIMIT ?3))"
		" WHERE message.role = 'user' ORDER BY message.created_at DESC LIMIT ?3",

	/* One row, so one moment. */
	[STATEMENT_READ_STATS] =
		"SELECT coalesce(sum(queries), 0), coalesce(sum(escalated), 0), "
		"total(response_time_ns),"
		" (SELECT json_group_object(name, queries) FROM"
		"  (SELECT category AS name, sum(queries) AS queries FROM analytics_totals"
		"   WHERE category <> '' GROUP BY category)),"
		" (SELECT json_group_object(name, queries) FROM"
		"  (SELECT sentiment AS name, sum(queries) AS queries FROM analytics_totals"
		"   WHERE sentiment <> '' GROUP BY sentiment)),"
		" (SELECT count(*) FROM conversations"
		"  WHERE status IN ('active', 'escalated') AND updated_at >= ?1)"
		" FROM analytics_totals",

	[STATEMENT_ADD_WORKFLOW] = "INSERT INTO workflows (hash, text) VALUES (?1, ?2)"
				   " ON CONFLICT (hash) DO NOTHING",
	[STATEMENT_ADD_JOURNAL] =
		"INSERT INTO turns (id, workflow, start, status, error, fence, owner, lease_until,"
		" user_id, conversation_id, created_at, updated_at)"
		" VALUES (?1, (SELECT number FROM workflows WHERE hash = ?2), ?3,"
		" coalesce(?4, 'running'), ?5, ?6, ?7, iif(?7 IS NULL, NULL, ?11 + ?8), ?9, ?10,"
		" ?11, ?11)",
	[STATEMENT_FIND_JOURNAL] = "SELECT number FROM turns WHERE id = ?1 AND fence = ?2",
	/* ?4 and ?5: the lease's owner and for how long; the null leaves its end as it is. */
	[STATEMENT_CHANGE_JOURNAL] =
		"UPDATE turns SET status = coalesce(?2, status), error = ?3, owner = ?4,"
		" lease_until = iif(?4 IS NULL, NULL, coalesce(?6 + ?5, lease_until)),"
		" updated_at = ?6 WHERE number = ?1",
	[STATEMENT_ADD_ENTRY] =
		"INSERT INTO turn_entries (turn, seq, task, data) VALUES (?1, ?2, ?3, ?4)",
	[STATEMENT_ADD_ENTRY_AGAIN] =
		"INSERT INTO turn_entries (turn, seq, task, data) VALUES (?1, ?2, ?3, ?4)"
		" ON CONFLICT DO NOTHING",
	/* ?1 and ?2: the turn and its fence. */
	[STATEMENT_ADD_ENTRY_ONLY] =
		"INSERT INTO turn_entries (turn, seq, task, data)"
		" SELECT number, ?3, ?4, ?5 FROM turns WHERE id = ?1 AND fence = ?2",
	[STATEMENT_READ_JOURNAL] =
		"SELECT turns.number, hash, text, start, status, error, fence, owner, lease_until,"
		" created_at, updated_at, user_id, conversation_id FROM turns JOIN workflows ON "
		"workflows.number = workflow"
		" WHERE id = ?1",
	[STATEMENT_FIND_LEASE] =
		"SELECT number, status, owner, lease_until - ?2 FROM turns WHERE id = ?1",
	[STATEMENT_TAKE_LEASE] =
		"UPDATE turns SET status = 'running', error = NULL, fence = fence + 1, owner = ?2,"
		" lease_until = ?4 + ?3, updated_at = ?4 WHERE number = ?1",
	[STATEMENT_READ_ENTRIES] =
		"SELECT task, data FROM turn_entries WHERE turn = ?1 ORDER BY seq",
	/* ?1: those before this turn; ?2: how many; ?3: only those that nobody holds; ?4: the status. */
	[STATEMENT_LIST_JOURNALS] = LIST_JOURNALS "1" LIST_JOURNALS_END("?4"),
	[STATEMENT_LIST_JOURNALS_DONE] = LIST_JOURNALS "status = 'done'" LIST_JOURNALS_END("?4"),
	[STATEMENT_LIST_JOURNALS_NOT_DONE] =
		LIST_JOURNALS "status = ?4 AND status <> 'done'" LIST_JOURNALS_END("?5"),
	[STATEMENT_DELETE_JOURNAL] =
		"DELETE FROM turns WHERE id = ?1 AND (owner IS NULL OR lease_until <= ?2)",

	[STATEMENT_ADD_SHOWN] = "INSERT INTO message_articles (message_id, article_id)"
				" SELECT p1, p2 FROM bound",
	[STATEMENT_COUNT_VIEWS] =
		"INSERT INTO article_counts (article_id, views) SELECT p1, p2 FROM bound WHERE TRUE"
		" ON CONFLICT (article_id) DO UPDATE SET views = views + excluded.views",
	/* Turns need not be stored in the order in which they were asked. */
	[STATEMENT_ADD_UNANSWERED] =
		"INSERT INTO unanswered (key, question, category, count, first_at, last_at,"
		" user_id) SELECT p1, p2, p3, p5, p6, p7, p4 FROM bound WHERE TRUE"
		" ON CONFLICT (key) DO UPDATE SET count = count + excluded.count,"
		" question = iif(excluded.last_at >= last_at, excluded.question, question),"
		" category = iif(excluded.last_at >= last_at, excluded.category, category),"
		" user_id = iif(excluded.last_at >= last_at, excluded.user_id, user_id),"
		" first_at = min(first_at, excluded.first_at),"
		" last_at = max(last_at, excluded.last_at)",
	[STATEMENT_FIND_ANSWER] = "SELECT id FROM messages WHERE turn_id = ?1",
	[STATEMENT_FIND_VOTE] = "SELECT was_helpful, rating FROM feedback WHERE message_id = ?1",
	[STATEMENT_ADD_FEEDBACK] =
		"INSERT INTO feedback (message_id, was_helpful, rating, comment, issues,"
		" created_at, updated_at)"
		" VALUES (?1, nullif(?2, -1), nullif(?3, 0), ?4, ?5, ?6, ?6)"
		" ON CONFLICT (message_id) DO UPDATE SET"
		" was_helpful = coalesce(excluded.was_helpful, was_helpful),"
		" rating = coalesce(excluded.rating, rating),"
		" comment = coalesce(excluded.comment, comment),"
		" issues = coalesce(excluded.issues, issues),"
		" updated_at = max(updated_at, excluded.updated_at)",
	[STATEMENT_COUNT_VOTE] =
		"UPDATE article_counts SET helpful = helpful + ?2, not_helpful = not_helpful + ?3"
		" WHERE article_id IN"
		" (SELECT article_id FROM message_articles WHERE message_id = ?1)",
	/* Those behind a time and a number, or a count, a time and a number; the next parameter: how many; and
	 * then the user in whose words they are. */
	[STATEMENT_LIST_NEWEST_UNANSWERED] =
		LIST_UNANSWERED "(last_at, number) < (?1, ?2)"
				" ORDER BY last_at DESC, number DESC LIMIT ?3",
	[STATEMENT_LIST_MOST_UNANSWERED] =
		LIST_UNANSWERED "(count, last_at, number) < (?1, ?2, ?3)"
				" ORDER BY count DESC, last_at DESC, number DESC LIMIT ?4",
	[STATEMENT_LIST_NEWEST_UNANSWERED_OF_USER] =
		LIST_UNANSWERED "user_id = ?4 AND (last_at, number) < (?1, ?2)"
				" ORDER BY last_at DESC, number DESC LIMIT ?3",
	[STATEMENT_LIST_MOST_UNANSWERED_OF_USER] =
		LIST_UNANSWERED "user_id = ?5 AND (count, last_at, number) < (?1, ?2, ?3)"
				" ORDER BY count DESC, last_at DESC, number DESC LIMIT ?4",
	[STATEMENT_READ_ARTICLE_COUNTS] =
		"SELECT article_id, views, helpful, not_helpful FROM article_counts"
		" WHERE article_id BETWEEN ?1 AND ?2 ORDER BY article_id",

	[STATEMENT_FIND_THREAD] =
		"SELECT conversations.id FROM threads"
		" JOIN conversations ON conversations.id = threads.conversation_id"
		" WHERE threads.key = ?1 AND conversations.user_id = ?2",
	/* Of two turns that end with the same words the later one has the thread. */
	[STATEMENT_SET_THREAD] =
		"INSERT INTO threads (key, conversation_id, updated_at) VALUES (?1, ?2, ?3)"
		" ON CONFLICT (key) DO UPDATE SET"
		" conversation_id = iif(excluded.updated_at >= updated_at,"
		" excluded.conversation_id, conversation_id),"
		" updated_at = max(updated_at, excluded.updated_at)",

#include "storage/sqlite/statements_conversations.inc"
#include "storage/sqlite/statements_documents.inc"
#include "storage/sqlite/statements_events.inc"
#include "storage/sqlite/statements_purge.inc"
#include "storage/sqlite/statements_requests.inc"
};

int statements_prepare(struct database *db, struct ss_error *err)
{
	int code = bound_begin(&db->bound, db->handle);
	for (size_t i = 0; code == SQLITE_OK && i < STATEMENTS; i++)
		code = sqlite3_prepare_v3(db->handle, statement_texts[i], -1,
			SQLITE_PREPARE_PERSISTENT, &db->statements[i], NULL);
	return code == SQLITE_OK ? 0 : database_fail(db, code, err);
}

void statements_finalize(struct database *db)
{
	for (size_t i = 0; i < STATEMENTS; i++) {
		(void)sqlite3_finalize(db->statements[i]);
		db->statements[i] = NULL;
	}
	bound_end(&db->bound);
}

static sqlite3_stmt *statement_of(const struct cursor *cursor)
{
	return cursor->run;
}

struct cursor cursor_begin(struct database *db, enum statement statement)
{
	return (struct cursor){.db = db, .run = db->statements[statement]};
}

static int bind_parameter(sqlite3_stmt *statement, int parameter, const struct bound_value *value)
{
	switch (value->type) {
	case SQLITE_INTEGER:
		return sqlite3_bind_int64(statement, parameter, value->integer);
	case SQLITE_TEXT:
		return sqlite3_bind_text64(statement, parameter, value->data, value->length,
			SQLITE_STATIC, SQLITE_UTF8);
	case SQLITE_BLOB:
		return sqlite3_bind_blob64(
			statement, parameter, value->data, value->length, SQLITE_STATIC);
	default:
		return sqlite3_bind_null(statement, parameter);
	}
}

/* Whether what is bound are rows (bound.h); their statement has no parameters. */
static bool has_rows(const struct cursor *cursor)
{
	return cursor->db->bound.statement == cursor->run;
}

static void bind(struct cursor *cursor, struct bound_value value)
{
	int parameter = ++cursor->parameters;
	int code = has_rows(cursor) ? bound_add(&cursor->db->bound, &value)
				    : bind_parameter(statement_of(cursor), parameter, &value);
	if (cursor->code == SQLITE_OK)
		cursor->code = code;
}

void cursor_bind_int(struct cursor *cursor, int64_t value)
{
	bind(cursor, (struct bound_value){.type = SQLITE_INTEGER, .integer = value});
}

void cursor_bind_string(struct cursor *cursor, const char *string)
{
	if (string != NULL)
		cursor_bind_text(cursor, (struct ss_text){string, strlen(string)});
	else
		bind(cursor, (struct bound_value){.type = SQLITE_NULL});
}

void cursor_bind_text(struct cursor *cursor, struct ss_text text)
{
	/* NULL data would bind the null. */
	const char *data = text.length > 0 ? text.data : "";
	bind(cursor,
		(struct bound_value){.type = SQLITE_TEXT, .data = data, .length = text.length});
}

void cursor_bind_bytes(struct cursor *cursor, struct ss_bytes bytes)
{
	int type = bytes.data != NULL ? SQLITE_BLOB : SQLITE_NULL;
	bind(cursor,
		(struct bound_value){.type = type, .data = bytes.data, .length = bytes.length});
}

void cursor_bind_now(struct cursor *cursor)
{
	cursor_bind_int(cursor, database_now_us());
}

int cursor_next(struct cursor *cursor, struct ss_error *err)
{
	struct bound *bound = &cursor->db->bound;
	int code = cursor->code;
	/* What is bound is the only row, unless all rows are ended already. */
	if (code == SQLITE_OK && has_rows(cursor) && bound->rows == 0)
		bound_end_row(bound);
	if (code == SQLITE_OK)
		code = sqlite3_step(statement_of(cursor));
	if (code == SQLITE_ROW)
		return 1;
	if (code == SQLITE_DONE)
		return 0;
	return database_fail(cursor->db, code, err);
}

int cursor_add(struct cursor *cursor, int64_t *number, struct ss_error *err)
{
	if (cursor_next(cursor, err) < 0)
		return -1;
	/* RETURNING would collect the row in a table of its own first. */
	*number = sqlite3_last_insert_rowid(cursor->db->handle);
	return 0;
}

int cursor_add_new(struct cursor *cursor, int64_t *number, struct ss_error *err)
{
	int result = cursor_add(cursor, number, err);
	if (result == 0)
		result = cursor_changes(cursor) > 0;
	cursor_end(cursor);
	return result;
}

int cursor_finish(struct cursor *cursor, struct ss_error *err)
{
	int result = cursor_next(cursor, err);
	cursor_end(cursor);
	return result < 0 ? -1 : 0;
}

struct cursor cursor_begin_rows(struct database *db, enum statement statement)
{
	bound_clear(&db->bound, db->statements[statement]);
	return cursor_begin(db, statement);
}

int cursor_end_row(struct cursor *cursor, struct ss_error *err)
{
	if (cursor->code != SQLITE_OK) {
		(void)database_fail(cursor->db, cursor->code, err);
		cursor_end(cursor);
		return -1;
	}
	bound_end_row(&cursor->db->bound);
	cursor->parameters = 0;
	return 0;
}

int cursor_finish_rows(struct cursor *cursor, struct ss_error *err)
{
	if (cursor->db->bound.rows > 0)
		return cursor_finish(cursor, err);
	cursor_end(cursor);
	return 0;
}

bool cursor_is_duplicate(const struct cursor *cursor)
{
	int code = sqlite3_extended_errcode(cursor->db->handle);
	return code == SQLITE_CONSTRAINT_PRIMARYKEY || code == SQLITE_CONSTRAINT_UNIQUE;
}

int64_t cursor_changes(const struct cursor *cursor)
{
	return sqlite3_changes64(cursor->db->handle);
}

bool cursor_is_null(const struct cursor *cursor, int column)
{
	return sqlite3_column_type(statement_of(cursor), column) == SQLITE_NULL;
}

int64_t cursor_int(const struct cursor *cursor, int column)
{
	return sqlite3_column_int64(statement_of(cursor), column);
}

double cursor_number(const struct cursor *cursor, int column)
{
	return sqlite3_column_double(statement_of(cursor), column);
}

struct ss_text cursor_text(const struct cursor *cursor, int column)
{
	const unsigned char *text = sqlite3_column_text(statement_of(cursor), column);
	int length = sqlite3_column_bytes(statement_of(cursor), column);
	return (struct ss_text){(const char *)text, text != NULL ? (size_t)length : 0};
}

struct ss_bytes cursor_bytes(const struct cursor *cursor, int column)
{
	const unsigned char *data = sqlite3_column_blob(statement_of(cursor), column);
	int length = sqlite3_column_bytes(statement_of(cursor), column);
	return (struct ss_bytes){data, data != NULL ? (size_t)length : 0};
}

void cursor_end(struct cursor *cursor)
{
	if (has_rows(cursor))
		bound_clear(&cursor->db->bound, NULL);
	/* Repeats the error of the last step, which was reported. */
	(void)sqlite3_reset(statement_of(cursor));
	(void)sqlite3_clear_bindings(statement_of(cursor));
}
