#include "storage/postgresql/database.h"

/* The clock that all servers share. */
#define NOW "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"

/* The number of this connection among those that write (connection.c). */
#define WRITER "current_setting('smartsupport.writer')::integer"

#define LIST_JOURNALS                                                                              \
	"SELECT id, hash, status, error, fence, owner, lease_until, created_at, updated_at,"       \
	" user_id, conversation_id FROM turns JOIN workflows ON workflows.number = workflow "      \
	"WHERE "
#define LIST_JOURNALS_END                                                                          \
	" AND ($3::smallint = 0 OR owner IS NULL OR lease_until <= " NOW ")"                       \
	" AND turns.number < coalesce((SELECT number FROM turns WHERE id = $1),"                   \
	" 9223372036854775807) ORDER BY turns.number DESC LIMIT $2"
#define LIST_UNANSWERED                                                                            \
	"SELECT number, question, category, count, first_at, last_at FROM unanswered WHERE "
/* 400 characters of the question's beginning, some of which stand for what the database's texts cannot have. */
#define CONVERSATION                                                                               \
	"SELECT id, user_id, status, category, sentiment, priority, message_count,"                \
	" (SELECT substr(content, 1, 400) FROM messages"                                           \
	"  WHERE conversation_id = conversations.id AND seq = 1), created_at, updated_at"          \
	" FROM conversations"
/* Which ones is found in an index alone. */
#define LIST_CONVERSATIONS(WHICH)                                                                  \
	CONVERSATION " WHERE id = ANY (ARRAY(SELECT id FROM conversations WHERE " WHICH            \
		     " AND (updated_at, id) < ($1::bigint, $2::text) AND updated_at >= $3"         \
		     " ORDER BY updated_at DESC, id DESC LIMIT $4))"                               \
		     " ORDER BY updated_at DESC, id DESC"
#define USER      "id, name, email, vip, metadata, created_at, updated_at"
#define ADD_ENTRY "INSERT INTO turn_entries (turn, seq, task, data) VALUES ($1, $2, $3, $4)"

/* The figures of a time: of its whole days, and of the hours around them. */
#define FIGURES                                                                                    \
	"(SELECT hour AS at, category, sentiment, queries, escalated, resolved, response_time_ns," \
	" ratings, rating_sum FROM analytics WHERE hour >= $1 AND hour < $4"                       \
	" UNION ALL SELECT day, category, sentiment, queries, escalated, resolved,"                \
	" response_time_ns, ratings, rating_sum FROM analytics_days WHERE day >= $4 AND day < $5"  \
	" UNION ALL SELECT hour, category, sentiment, queries, escalated, resolved,"               \
	" response_time_ns, ratings, rating_sum FROM analytics WHERE hour >= $5 AND hour < $2)"    \
	" AS source"

const char *const statement_texts[STATEMENTS] = {
	[STATEMENT_BEGIN_READ] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
	/* What must not change under a transaction is locked by its statements. */
	[STATEMENT_BEGIN_WRITE] = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
	[STATEMENT_COMMIT] = "COMMIT",
	[STATEMENT_ROLLBACK] = "ROLLBACK",
	[STATEMENT_BEGIN_TURN] = "SAVEPOINT turn",
	[STATEMENT_END_TURN] = "RELEASE turn",
	[STATEMENT_UNDO_TURN] = "ROLLBACK TO turn",

	/* Whether the stored turn $1 says the same. Times, duration and metadata are not compared: they
	 * differ when a turn was run again after a crash. */
	[STATEMENT_FIND_TURN] =
		"SELECT answer.conversation_id = $2 AND conversation.user_id = $3"
		" AND question.content = $4 AND answer.content = $5"
		" AND answer.category IS NOT DISTINCT FROM $6"
		" AND answer.sentiment IS NOT DISTINCT FROM $7"
		" AND answer.priority = $8 AND answer.escalated = $9"
		" FROM messages AS answer"
		" JOIN messages AS question ON question.conversation_id = answer.conversation_id"
		" AND question.seq = answer.seq - 1"
		" JOIN conversations AS conversation ON conversation.id = answer.conversation_id"
		" WHERE answer.turn_id = $1",

	[STATEMENT_ADD_USER] = "INSERT INTO users (id, created_at, updated_at)"
			       " SELECT id, at, at FROM unnest($1::text[], $2::bigint[])"
			       " AS new (id, at) ON CONFLICT (id) DO NOTHING",

	[STATEMENT_ADD_CONVERSATION] =
		"INSERT INTO conversations (id, user_id, status, category, sentiment, priority,"
		" message_count, created_at, updated_at)"
		" SELECT id, user_id, CASE escalated WHEN 1 THEN 'escalated' ELSE 'active' END,"
		" category, sentiment, priority, messages, created_at, updated_at"
		" FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[],"
		" $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[]) AS new (id, user_id,"
		" escalated, category, sentiment, priority, messages, updated_at, created_at)",
	/* A question opens a resolved or closed conversation again; one that waits for a human still
	 * does. */
	[STATEMENT_CONTINUE_CONVERSATION] =
		"UPDATE conversations SET"
		" status = CASE WHEN $3::smallint = 1 OR status = 'escalated' THEN 'escalated'"
		" ELSE 'active' END,"
		" category = coalesce($4, category), sentiment = coalesce($5, sentiment),"
		" priority = $6, message_count = message_count + $7::bigint,"
		" updated_at = greatest(updated_at, $8::bigint)"
		" WHERE id = $1 AND user_id = $2",

	/* place is the one in the conversation, or if it is not above 0 the one from its end, which its number of messages
	 * tells: it counts these already. */
	[STATEMENT_ADD_QUESTION] =
		"INSERT INTO messages (id, conversation_id, seq, role, content, created_at,"
		" embedder, vector) SELECT id, conversation_id, CASE WHEN place > 0 THEN place"
		" ELSE (SELECT message_count + place"
		" FROM conversations WHERE conversations.id = conversation_id) END,"
		" 'user', content, created_at, embedder, vector"
		" FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::bigint[],"
		" $6::text[], $7::bytea[]) AS new (id, conversation_id, place, content,"
		" created_at, embedder, vector)",
	[STATEMENT_ADD_ANSWER] =
		"INSERT INTO messages (id, conversation_id, seq, role, content, created_at,"
		" turn_id, category, sentiment, priority, attempts, escalated, escalation_reason,"
		" answered_by, duration_ns, metadata)"
		" SELECT id, conversation_id, CASE WHEN place > 0 THEN place"
		" ELSE (SELECT message_count + place"
		" FROM conversations WHERE conversations.id = conversation_id) END,"
		" 'assistant', content, created_at, turn_id, category, sentiment, priority,"
		" attempts, escalated, escalation_reason, answered_by, duration_ns, metadata"
		" FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::bigint[],"
		" $6::text[], $7::text[], $8::text[], $9::bigint[], $10::bigint[], $11::bigint[],"
		" $12::text[], $13::text[], $14::bigint[], $15::text[]) AS new (id,"
		" conversation_id, place, content, created_at, turn_id, category, sentiment,"
		" priority, attempts, escalated, escalation_reason, answered_by, duration_ns,"
		" metadata)",

	[STATEMENT_COUNT_IN_HOUR] =
		"INSERT INTO analytics AS stored (category, sentiment, escalated, response_time_ns,"
		" queries, hour, writer)"
		" SELECT new.*, " WRITER " FROM unnest($1::text[], $2::text[], $3::bigint[],"
		" $4::bigint[], $5::bigint[], $6::bigint[]) AS new"
		" ON CONFLICT (hour, category, sentiment, writer) DO UPDATE SET"
		" queries = stored.queries + excluded.queries,"
		" escalated = stored.escalated + excluded.escalated,"
		" response_time_ns = stored.response_time_ns + excluded.response_time_ns",
	[STATEMENT_COUNT_IN_TOTAL] =
		"INSERT INTO analytics_totals AS stored (category, sentiment, escalated,"
		" response_time_ns, queries, writer)"
		" SELECT new.*, " WRITER " FROM unnest($1::text[], $2::text[], $3::bigint[],"
		" $4::bigint[], $5::bigint[]) AS new"
		" ON CONFLICT (category, sentiment, writer) DO UPDATE SET"
		" queries = stored.queries + excluded.queries,"
		" escalated = stored.escalated + excluded.escalated,"
		" response_time_ns = stored.response_time_ns + excluded.response_time_ns",
	[STATEMENT_REMOVE_TOTAL] =
		"DELETE FROM analytics_totals WHERE category = $1 AND sentiment = ''",

	[STATEMENT_FIND_USER] = "SELECT name, vip FROM users WHERE id = $1",
	[STATEMENT_FIND_CONVERSATION] =
		"SELECT status FROM conversations WHERE id = $1 AND user_id = $2",
	/* $3: the embedder whose vectors are wanted. */
	[STATEMENT_READ_HISTORY] =
		"SELECT CASE role WHEN 'human' THEN 'assistant' ELSE role END, content, created_at,"
		" CASE WHEN embedder = $3 THEN vector END"
		" FROM messages WHERE conversation_id = $1 ORDER BY seq DESC LIMIT $2",

	/* $1: the user; $2: not in this conversation; $3: how many; $4: the embedder whose vectors are
	 * wanted. The user's last messages are in the conversations that changed last, from as many before the
	 * end of each on. */
	[STATEMENT_READ_RECENT] =
		"SELECT message.role, message.content, message.created_at,"
		" CASE WHEN message.embedder = $4 THEN message.vector END FROM"
		" (SELECT id FROM conversations"
		"  WHERE user_id = $1 AND id IS DISTINCT FROM $2"
		"  ORDER BY updated_at DESC LIMIT $3::bigint) AS conversation"
		" JOIN messages AS message ON message.conversation_id = conversation.id"
		" AND message.seq >= (SELECT min(seq) FROM (SELECT seq FROM messages AS asked"
		"  WHERE asked.conversation_id = conversation.id AND asked.role = 'user'"
		"  ORDER BY seq DESC LIMIT $3::bigint) AS last)"
		" WHERE message.role = 'user' ORDER BY message.created_at DESC LIMIT $3::bigint",

	/* One statement, so one moment. */
	[STATEMENT_READ_STATS] =
		"SELECT coalesce(sum(queries), 0)::bigint, coalesce(sum(escalated), 0)::bigint,"
		" coalesce(sum(response_time_ns), 0)::double precision,"
		" (SELECT coalesce(json_object_agg(name, queries), '{}') FROM"
		"  (SELECT category AS name, sum(queries)::bigint AS queries FROM analytics_totals"
		"   WHERE category <> '' GROUP BY category ORDER BY category) AS categories),"
		" (SELECT coalesce(json_object_agg(name, queries), '{}') FROM"
		"  (SELECT sentiment AS name, sum(queries)::bigint AS queries FROM analytics_totals"
		"   WHERE sentiment <> '' GROUP BY sentiment ORDER BY sentiment) AS sentiments),"
		" (SELECT count(*) FROM conversations"
		"  WHERE status IN ('active', 'escalated') AND updated_at >= $1)"
		" FROM analytics_totals",

	[STATEMENT_ADD_WORKFLOW] = "INSERT INTO workflows (hash, text) VALUES ($1, $2)"
				   " ON CONFLICT (hash) DO NOTHING",
	[STATEMENT_ADD_JOURNAL] =
		"INSERT INTO turns (id, workflow, start, status, error, fence, owner, lease_until,"
		" user_id, conversation_id, created_at, updated_at)"
		" VALUES ($1, (SELECT number FROM workflows WHERE hash = $2), $3,"
		" coalesce($4, 'running'), $5, $6, $7::text,"
		" CASE WHEN $7::text IS NOT NULL THEN " NOW " + $8::bigint END, $9, $10,"
		" " NOW "," NOW ")"
		" RETURNING number",
	/* Nobody else takes the lease until the transaction ends. */
	[STATEMENT_FIND_JOURNAL] =
		"SELECT number FROM turns WHERE id = $1 AND fence = $2 FOR UPDATE",
	/* $4 and $5: the lease's owner and for how long. */
	[STATEMENT_CHANGE_JOURNAL] =
		"UPDATE turns SET status = coalesce($2, status), error = $3, owner = $4::text,"
		" lease_until = CASE WHEN $4::text IS NOT NULL"
		" THEN coalesce(" NOW " + $5::bigint, lease_until) END,"
		" updated_at = " NOW " WHERE number = $1",
	[STATEMENT_ADD_ENTRY] = ADD_ENTRY,
	[STATEMENT_ADD_ENTRY_AGAIN] = ADD_ENTRY " ON CONFLICT DO NOTHING",
	/* $1 and $2: the turn and its fence. */
	[STATEMENT_ADD_ENTRY_ONLY] = "INSERT INTO turn_entries (turn, seq, task, data)"
				     " SELECT number, $3::bigint, $4::bigint, $5::text FROM turns"
				     " WHERE id = $1 AND fence = $2 FOR UPDATE",
	[STATEMENT_READ_JOURNAL] =
		"SELECT turns.number, hash, text, start, status, error, fence, owner, lease_until,"
		" created_at, updated_at, user_id, conversation_id FROM turns JOIN workflows ON "
		"workflows.number = workflow"
		" WHERE id = $1",
	[STATEMENT_FIND_LEASE] = "SELECT number, status, owner, lease_until - " NOW
				 " FROM turns WHERE id = $1 FOR UPDATE",
	[STATEMENT_TAKE_LEASE] =
		"UPDATE turns SET status = 'running', error = NULL, fence = fence + 1, owner = $2,"
		" lease_until = " NOW " + $3::bigint, updated_at = " NOW " WHERE number = $1",
	[STATEMENT_READ_ENTRIES] =
		"SELECT task, data FROM turn_entries WHERE turn = $1 ORDER BY seq",
	/* $1: those before this turn; $2: how many; $3: only those that nobody holds; $4: the status. */
	[STATEMENT_LIST_JOURNALS] = LIST_JOURNALS "true" LIST_JOURNALS_END,
	[STATEMENT_LIST_JOURNALS_DONE] = LIST_JOURNALS "status = 'done'" LIST_JOURNALS_END,
	[STATEMENT_LIST_JOURNALS_NOT_DONE] =
		LIST_JOURNALS "status = $4 AND status <> 'done'" LIST_JOURNALS_END,
	[STATEMENT_DELETE_JOURNAL] =
		"DELETE FROM turns WHERE id = $1 AND (owner IS NULL OR lease_until <= " NOW ")",

	[STATEMENT_ADD_SHOWN] = "INSERT INTO message_articles (message_id, article_id)"
				" SELECT * FROM unnest($1::text[], $2::text[])",
	[STATEMENT_COUNT_VIEWS] = "INSERT INTO article_counts AS stored (article_id, writer, views)"
				  " SELECT id, " WRITER ", views FROM"
				  " unnest($1::text[], $2::bigint[]) AS new (id, views)"
				  " ON CONFLICT (article_id, writer) DO UPDATE SET"
				  " views = stored.views + excluded.views",
	/* Turns need not be stored in the order in which they were asked. */
	[STATEMENT_ADD_UNANSWERED] =
		"INSERT INTO unanswered AS stored (key, question, category, count, first_at,"
		" last_at, user_id)"
		" SELECT key, question, category, count, first_at, last_at, user_id"
		" FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[],"
		" $6::bigint[], $7::bigint[]) AS new (key, question, category, user_id, count,"
		" first_at, last_at)"
		" ON CONFLICT (key) DO UPDATE SET count = stored.count + excluded.count,"
		" question = CASE WHEN excluded.last_at >= stored.last_at"
		" THEN excluded.question ELSE stored.question END,"
		" category = CASE WHEN excluded.last_at >= stored.last_at"
		" THEN excluded.category ELSE stored.category END,"
		" user_id = CASE WHEN excluded.last_at >= stored.last_at"
		" THEN excluded.user_id ELSE stored.user_id END,"
		" first_at = least(stored.first_at, excluded.first_at),"
		" last_at = greatest(stored.last_at, excluded.last_at)",
	[STATEMENT_FIND_ANSWER] = "SELECT id FROM messages WHERE turn_id = $1 FOR UPDATE",
	[STATEMENT_FIND_VOTE] = "SELECT was_helpful, rating FROM feedback WHERE message_id = $1",
	[STATEMENT_ADD_FEEDBACK] =
		"INSERT INTO feedback AS stored (message_id, was_helpful, rating, comment, issues,"
		" created_at, updated_at)"
		" VALUES ($1, nullif($2::smallint, -1), nullif($3::smallint, 0), $4, $5, $6, $6)"
		" ON CONFLICT (message_id) DO UPDATE SET"
		" was_helpful = coalesce(excluded.was_helpful, stored.was_helpful),"
		" rating = coalesce(excluded.rating, stored.rating),"
		" comment = coalesce(excluded.comment, stored.comment),"
		" issues = coalesce(excluded.issues, stored.issues),"
		" updated_at = greatest(stored.updated_at, excluded.updated_at)",
	[STATEMENT_COUNT_VOTE] =
		"INSERT INTO article_counts AS stored (article_id, writer, helpful, not_helpful)"
		" SELECT article_id, " WRITER ", $2::bigint, $3::bigint FROM message_articles"
		" WHERE message_id = $1 ORDER BY article_id"
		" ON CONFLICT (article_id, writer) DO UPDATE SET"
		" helpful = stored.helpful + excluded.helpful,"
		" not_helpful = stored.not_helpful + excluded.not_helpful",
	/* Those behind a time and a number, or a count, a time and a number; the next parameter: how many; and
	 * then the user in whose words they are. */
	[STATEMENT_LIST_NEWEST_UNANSWERED] =
		LIST_UNANSWERED "(last_at, number) < ($1::bigint, $2::bigint)"
				" ORDER BY last_at DESC, number DESC LIMIT $3",
	[STATEMENT_LIST_MOST_UNANSWERED] =
		LIST_UNANSWERED "(count, last_at, number) < ($1::bigint, $2::bigint, $3::bigint)"
				" ORDER BY count DESC, last_at DESC, number DESC LIMIT $4",
	[STATEMENT_LIST_NEWEST_UNANSWERED_OF_USER] =
		LIST_UNANSWERED "user_id = $4 AND (last_at, number) < ($1::bigint, $2::bigint)"
				" ORDER BY last_at DESC, number DESC LIMIT $3",
	[STATEMENT_LIST_MOST_UNANSWERED_OF_USER] =
		LIST_UNANSWERED "user_id = $5 AND (count, last_at, number)"
				" < ($1::bigint, $2::bigint, $3::bigint)"
				" ORDER BY count DESC, last_at DESC, number DESC LIMIT $4",
	[STATEMENT_READ_ARTICLE_COUNTS] =
		"SELECT article_id, sum(views)::bigint, sum(helpful)::bigint,"
		" sum(not_helpful)::bigint FROM article_counts"
		" WHERE article_id BETWEEN $1 AND $2 GROUP BY article_id ORDER BY article_id",

	[STATEMENT_FIND_THREAD] =
		"SELECT conversations.id FROM threads"
		" JOIN conversations ON conversations.id = threads.conversation_id"
		" WHERE threads.key = $1 AND conversations.user_id = $2",
	/* Of two turns that end with the same words the later one has the thread. */
	[STATEMENT_SET_THREAD] =
		"INSERT INTO threads AS stored (key, conversation_id, updated_at)"
		" VALUES ($1, $2, $3) ON CONFLICT (key) DO UPDATE SET"
		" conversation_id = CASE WHEN excluded.updated_at >= stored.updated_at"
		" THEN excluded.conversation_id ELSE stored.conversation_id END,"
		" updated_at = greatest(stored.updated_at, excluded.updated_at)",

#include "storage/postgresql/statements_conversations.inc"
#include "storage/postgresql/statements_documents.inc"
#include "storage/postgresql/statements_events.inc"
#include "storage/postgresql/statements_purge.inc"
#include "storage/postgresql/statements_requests.inc"
};
