-- A history of two years in a new store, made of numbers: conversation N has 2 to 40 messages (10 on average), is of a
-- user of whom a few are busy, and one, web_user, has a twentieth of all. The temporary table size says how many
-- conversations and users there are, and what time it is.
BEGIN;
SET LOCAL synchronous_commit = off;
SET LOCAL maintenance_work_mem = '512MB';
SET LOCAL work_mem = '512MB';
-- Foreign keys hold, and need not be looked up.
SET LOCAL session_replication_role = replica;

INSERT INTO users (id, name, vip, created_at, updated_at)
SELECT format('user_%s', lpad((n.value)::text, 7, '0')), format('Name %s', n.value), CASE n.value % 50 WHEN 0 THEN 1 ELSE 0 END, now_us - 63072000000000,
	now_us - 63072000000000
FROM size, generate_series(0, users - 1) AS n(value);
INSERT INTO users (id, created_at, updated_at) SELECT 'web_user', now_us - 63072000000000, now_us FROM size;

-- h scatters the number; kind is 0 to 99.
CREATE TEMP TABLE plan AS
SELECT n.value::bigint AS n, n.value::bigint * 2654435761 % 4294967296 AS h, n.value::bigint * 2654435761 % 4294967296 % 100 AS kind,
	now_us - 63072000000000 + n.value * (63072000000000 / conversations) AS at,
	users::bigint AS users
FROM size, generate_series(0, conversations - 1) AS n(value);

INSERT INTO conversations (id, user_id, status, category, sentiment, priority, message_count, created_at, updated_at)
SELECT format('conv_01900000-0000-7000-8000-%s', lpad((n)::text, 12, '0')),
	CASE WHEN h / 100 % 20 = 0 THEN 'web_user'
	ELSE format('user_%s', lpad((CAST(floor(users * (h / 4294967296.0) * (h * 48271 % 65521 / 65521.0)) AS INTEGER))::text, 7, '0')) END,
	CASE WHEN kind < 3 THEN 'escalated' WHEN kind < 40 THEN 'resolved' WHEN kind < 60 THEN 'closed' ELSE 'active' END,
	CASE h % 7 WHEN 0 THEN 'Technical' WHEN 1 THEN 'Technical' WHEN 2 THEN 'Billing' WHEN 3 THEN 'Account'
		WHEN 4 THEN 'Security' ELSE 'General' END,
	CASE h % 11 WHEN 0 THEN 'Angry' WHEN 1 THEN 'Negative' WHEN 2 THEN 'Negative' WHEN 3 THEN 'Positive' ELSE 'Neutral' END,
	1 + h % 10,
	2 * CASE WHEN kind < 30 THEN 1 WHEN kind < 55 THEN 2 WHEN kind < 70 THEN 4 WHEN kind < 85 THEN 8
		WHEN kind < 95 THEN 12 ELSE 20 END,
	at, at + 60000000 * (1 + h % 5000)
FROM plan ORDER BY n;

INSERT INTO messages (id, conversation_id, seq, role, content, created_at, turn_id, category, sentiment, priority,
	attempts, escalated, escalation_reason, answered_by, duration_ns, metadata)
SELECT format('01900000-%s-7000-8000-%s', lpad((s.value)::text, 4, '0'), lpad((n)::text, 12, '0')), format('conv_01900000-0000-7000-8000-%s', lpad((n)::text, 12, '0')), s.value,
	CASE s.value % 2 WHEN 1 THEN 'user' ELSE 'assistant' END,
	CASE s.value % 2 WHEN 1
	THEN format('My application number %s keeps crashing when I try to export data, what is to be done?', h)
	ELSE format('Please update the desktop app to version %s, restart the computer, make sure that there is room on the '
		|| 'disk, and then try the export again with fewer rows. If that does not help, reply here.', h) END,
	at + s.value * 30000000,
	CASE s.value % 2 WHEN 0 THEN format('turn_01900000-%s-7000-8000-%s', lpad((s.value)::text, 4, '0'), lpad((n)::text, 12, '0')) END,
	CASE s.value % 2 WHEN 0 THEN CASE h % 7 WHEN 0 THEN 'Technical' WHEN 1 THEN 'Technical' WHEN 2 THEN 'Billing'
		WHEN 3 THEN 'Account' WHEN 4 THEN 'Security' ELSE 'General' END END,
	CASE s.value % 2 WHEN 0 THEN CASE h % 11 WHEN 0 THEN 'Angry' WHEN 1 THEN 'Negative' WHEN 2 THEN 'Negative'
		WHEN 3 THEN 'Positive' ELSE 'Neutral' END END,
	CASE s.value % 2 WHEN 0 THEN 1 + h % 10 END, CASE s.value % 2 WHEN 0 THEN 1 END,
	CASE s.value % 2 WHEN 0 THEN CASE WHEN kind < 3 THEN 1 ELSE 0 END END, NULL, CASE s.value % 2 WHEN 0 THEN 'technical' END,
	CASE s.value % 2 WHEN 0 THEN 5000000 + h % 100000000 END,
	CASE s.value % 2 WHEN 0
	THEN format('{"processing_time":0.0187,"kb_results":[{"id":"article-%s","score":0.71,"confidence":0.99}]}', h % 60) END
FROM plan CROSS JOIN generate_series(1, 2 * CASE WHEN kind < 30 THEN 1 WHEN kind < 55 THEN 2 WHEN kind < 70 THEN 4
	WHEN kind < 85 THEN 8 WHEN kind < 95 THEN 12 ELSE 20 END) AS s(value);

INSERT INTO message_articles (message_id, article_id)
SELECT format('01900000-%s-7000-8000-%s', lpad((2)::text, 4, '0'), lpad((n)::text, 12, '0')), format('article-%s', h % 60) FROM plan ORDER BY n;
INSERT INTO article_counts (writer, article_id, views, helpful, not_helpful)
SELECT 1, article_id, count(*), 0, 0 FROM message_articles GROUP BY article_id;

INSERT INTO feedback (message_id, was_helpful, rating, created_at, updated_at)
SELECT format('01900000-%s-7000-8000-%s', lpad((2)::text, 4, '0'), lpad((n)::text, 12, '0')), h % 2, 1 + h % 5, at + 90000000, at + 90000000
FROM plan WHERE n % 5 = 0 ORDER BY n;

INSERT INTO analytics (writer, hour, category, sentiment, queries, escalated, response_time_ns)
SELECT 1, created_at - created_at % 3600000000, category, sentiment, count(*), sum(escalated), sum(duration_ns)
FROM messages WHERE role = 'assistant' GROUP BY 2, 3, 4;
INSERT INTO analytics_totals (writer, category, sentiment, queries, escalated, response_time_ns)
SELECT 1, category, sentiment, sum(queries), sum(escalated), sum(response_time_ns) FROM analytics GROUP BY 2, 3;

INSERT INTO threads (key, conversation_id, updated_at)
SELECT format('thread_%s', lpad((n)::text, 12, '0')), format('conv_01900000-0000-7000-8000-%s', lpad((n)::text, 12, '0')), at FROM plan WHERE n % 10 = 0 ORDER BY n;

INSERT INTO unanswered (key, question, category, count, first_at, last_at)
SELECT format('question %s', n), format('Who was the question number %s?', n), 'General', 1 + h % 300, at, at + h
FROM plan WHERE n % 5 = 0 ORDER BY n;

INSERT INTO workflows (hash, text) VALUES ('history', '{}');
INSERT INTO turns (id, workflow, start, status, error, fence, owner, lease_until, created_at, updated_at,
	user_id, conversation_id)
SELECT format('turn_01900000-%s-7000-8000-%s', lpad((2)::text, 4, '0'), lpad((n)::text, 12, '0')), (SELECT number FROM workflows WHERE hash = 'history'),
	'{"input":{"message":"My application keeps crashing"}}',
	CASE WHEN h % 1000 = 0 THEN 'failed' WHEN h % 1000 < 3 THEN 'interrupted' ELSE 'done' END,
	CASE WHEN h % 1000 = 0 THEN 'a reason' END, 1, NULL, NULL, at, at + 60000000,
	user_id, conversations.id
FROM plan JOIN conversations ON conversations.id = format('conv_01900000-0000-7000-8000-%s', lpad((n)::text, 12, '0')) ORDER BY n;
INSERT INTO turn_entries (turn, seq, task, data)
SELECT turns.number, s.value, s.value, '{"node":"categorize","values":{"category":"Technical"},"at":1}'
FROM turns CROSS JOIN generate_series(1, 4) AS s(value);

INSERT INTO webhooks (id, version, data, created_at, updated_at)
SELECT format('webhook-%s', n.value), n.value, '{}', now_us, now_us FROM size, generate_series(1, 5) AS n(value);
INSERT INTO events (id, type, data, user_id, conversation_id, created_at)
SELECT format('event_%s', lpad((n)::text, 12, '0')), CASE h % 3 WHEN 0 THEN 'query.created' WHEN 1 THEN 'conversation.escalated' ELSE 'feedback.received' END,
	'{"category":"Technical","priority":5}', user_id, id, at
FROM plan JOIN conversations ON id = format('conv_01900000-0000-7000-8000-%s', lpad((n)::text, 12, '0')) ORDER BY n;
INSERT INTO webhook_deliveries (id, event, event_at, webhook_id, status, attempt, next_at)
SELECT format('delivery_%s', lpad((number)::text, 12, '0')), number, created_at, format('webhook-%s', 1 + number % 5),
	CASE WHEN number % 1000 = 0 THEN 'failed' WHEN number % 1000 = 1 THEN 'pending' ELSE 'delivered' END, 1,
	CASE WHEN number % 1000 = 1 THEN created_at END
FROM events ORDER BY number;
INSERT INTO delivery_attempts (delivery, seq, at, duration_ns, code)
SELECT number, 1, event_at, 1000000, 200 FROM webhook_deliveries ORDER BY number;
INSERT INTO requests (scope, key, fingerprint, subject, user_id, code, answer, keep_until)
SELECT 'key-1', format('request_%s', lpad((n)::text, 12, '0')), 'f', format('turn_01900000-%s-7000-8000-%s', lpad((2)::text, 4, '0'), lpad((n)::text, 12, '0')),
	format('user_%s', lpad((h % users)::text, 7, '0')), 200, '{}', at + 86400000000
FROM plan WHERE n % 10 = 0 ORDER BY n;
-- Triggers are off.
INSERT INTO analytics_days (day, category, sentiment, writer, queries, escalated, response_time_ns, resolved, ratings,
	rating_sum)
SELECT hour - hour % 86400000000, category, sentiment, 1, sum(queries), sum(escalated), sum(response_time_ns), sum(resolved),
	sum(ratings), sum(rating_sum)
FROM analytics GROUP BY 1, 2, 3;
INSERT INTO delivery_counts (webhook_id, status, writer, count)
SELECT webhook_id, status, 1, count(*) FROM webhook_deliveries GROUP BY 1, 2;
COMMIT;
VACUUM ANALYZE;
