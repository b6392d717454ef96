#include "common/sql/verify.h"

#include <string.h>

/* clang-format off */
const char *const verify_rules[] = {
	"SELECT 'conversation ' || c.id || ' says that it has ' || c.message_count || ' messages, and has '"
	" || count(m.id) || ', the last of which is number ' || coalesce(max(m.seq), 0)"
	" FROM conversations c LEFT JOIN messages m ON m.conversation_id = c.id"
	" GROUP BY c.id, c.message_count"
	" HAVING count(m.id) <> c.message_count OR coalesce(max(m.seq), 0) <> c.message_count LIMIT 101",

	/* A turn's question and its answer are stored together, one behind the other. */
	"SELECT CASE m.role WHEN 'user' THEN 'message ' || m.id || ', a question, has no answer behind it'"
	" ELSE 'turn ' || m.turn_id || ' has an answer without a question before it' END"
	" || ' in conversation ' || m.conversation_id"
	" FROM messages m LEFT JOIN messages o ON o.conversation_id = m.conversation_id"
	" AND o.seq = m.seq + CASE m.role WHEN 'user' THEN 1 ELSE -1 END"
	" WHERE m.role IN ('user', 'assistant')"
	" AND coalesce(o.role, '') <> CASE m.role WHEN 'user' THEN 'assistant' ELSE 'user' END LIMIT 101",

	/* Figures outlive conversations, so they are compared with each other. */
	"SELECT 'the totals of category \"' || category || '\" and sentiment \"' || sentiment || '\" are '"
	" || sum(queries) || ' turns, ' || sum(escalated) || ' escalated, ' || sum(response_time_ns)"
	" || ' ns; those of the hours together are ' || sum(hour_queries) || ' turns, '"
	" || sum(hour_escalated) || ' escalated, ' || sum(hour_time_ns) || ' ns'"
	" FROM (SELECT category, sentiment, queries, escalated, response_time_ns,"
	"  0 AS hour_queries, 0 AS hour_escalated, 0 AS hour_time_ns FROM analytics_totals"
	"  UNION ALL SELECT category, sentiment, 0, 0, 0, queries, escalated, response_time_ns"
	"  FROM analytics) AS figures GROUP BY category, sentiment"
	" HAVING sum(queries) <> sum(hour_queries) OR sum(escalated) <> sum(hour_escalated)"
	" OR sum(response_time_ns) <> sum(hour_time_ns) LIMIT 101",

	"SELECT 'article ' || article_id || ' was shown ' || sum(views) || ' times, and has '"
	" || sum(helpful) || ' votes that it helped and ' || sum(not_helpful) || ' that it did not'"
	" FROM article_counts GROUP BY article_id"
	" HAVING sum(helpful) < 0 OR sum(not_helpful) < 0 OR sum(helpful) + sum(not_helpful) > sum(views)"
	" LIMIT 101",
};
/* clang-format on */

const size_t verify_rule_count = sizeof verify_rules / sizeof *verify_rules;

int verify_add(struct database *db, struct items *faults, size_t count, const char *sentence,
	struct ss_error *err)
{
	const char *said = count < VERIFY_LIMIT ? sentence : "there are more of these";
	return items_add(db, faults, database_values(db)->string(said, strlen(said)), err);
}
