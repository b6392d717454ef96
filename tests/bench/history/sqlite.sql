-- A history of two years in a new store, made of numbers: conversation N has 2 to 40 messages (10 on average), is of a
-- user of whom a few are busy, and one, web_user, has a twentieth of all. The temporary table size says how many
-- conversations and users there are, and what time it is.
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA journal_mode = DELETE;
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -1000000;
PRAGMA foreign_keys = OFF;
BEGIN;

INSERT INTO users (id, name, vip, created_at, updated_at)
SELECT printf('user_%07d', n.value), printf('Name %d', n.value), CASE n.value % 50 WHEN 0 THEN 1 ELSE 0 END, now_us - 63072000000000,
	now_us - 63072000000000
FROM size, generate_series(0, users - 1) AS n;
INSERT INTO users (id, created_at, updated_at) SELECT 'web_user', now_us - 63072000000000, now_us FROM size;

-- h scatters the number; kind is 0 to 99.
CREATE TEMP TABLE plan AS
SELECT n.value AS n, n.value * 2654435761 % 4294967296 AS h, n.value * 2654435761 % 4294967296 % 100 AS kind,
	now_us - 63072000000000 + n.value * (63072000000000 / conversations) AS at,
	users
FROM size, generate_series(0, conversations - 1) AS n;

INSERT INTO conversations (id, user_id, status, category, sentiment, priority, message_count, created_at, updated_at)
SELECT printf('conv_01900000-0000-7000-8000-%012d', n),
	CASE WHEN h / 100 % 20 = 0 THEN 'web_user'
	ELSE printf('user_%07d', CAST(users * (h / 4294967296.0) * (h * 48271 % 65521 / 65521.0) AS INTEGER)) END,
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
SELECT printf('01900000-%04d-7000-8000-%012d', s.value, n), printf('conv_01900000-0000-7000-8000-%012d', n), s.value,
	CASE s.value % 2 WHEN 1 THEN 'user' ELSE 'assistant' END,
	CASE s.value % 2 WHEN 1
	THEN printf('My application number %d keeps crashing when I try to export data, what is to be done?', h)
	ELSE printf('Please update the desktop app to version %d, restart the computer, make sure that there is room on the '
		|| 'disk, and then try the export again with fewer rows. If that does not help, reply here.', h) END,
	at + s.value * 30000000,
	CASE s.value % 2 WHEN 0 THEN printf('turn_01900000-%04d-7000-8000-%012d', s.value, n) END,
	CASE s.value % 2 WHEN 0 THEN CASE h % 7 WHEN 0 THEN 'Technical' WHEN 1 THEN 'Technical' WHEN 2 THEN 'Billing'
		WHEN 3 THEN 'Account' WHEN 4 THEN 'Security' ELSE 'General' END END,
	CASE s.value % 2 WHEN 0 THEN CASE h % 11 WHEN 0 THEN 'Angry' WHEN 1 THEN 'Negative' WHEN 2 THEN 'Negative'
		WHEN 3 THEN 'Positive' ELSE 'Neutral' END END,
	CASE s.value % 2 WHEN 0 THEN 1 + h % 10 END, CASE s.value % 2 WHEN 0 THEN 1 END,
	CASE s.value % 2 WHEN 0 THEN CASE WHEN kind < 3 THEN 1 ELSE 0 END END, NULL, CASE s.value % 2 WHEN 0 THEN 'technical' END,
	CASE s.value % 2 WHEN 0 THEN 5000000 + h % 100000000 END,
	CASE s.value % 2 WHEN 0
	THEN printf('{"processing_time":0.0187,"kb_results":[{"id":"article-%d","score":0.71,"confidence":0.99}]}', h % 60) END
FROM plan CROSS JOIN generate_series(1, 2 * CASE WHEN kind < 30 THEN 1 WHEN kind < 55 THEN 2 WHEN kind < 70 THEN 4
	WHEN kind < 85 THEN 8 WHEN kind < 95 THEN 12 ELSE 20 END) AS s;

INSERT INTO message_articles (message_id, article_id)
SELECT printf('01900000-%04d-7000-8000-%012d', 2, n), printf('article-%d', h % 60) FROM plan ORDER BY n;
INSERT INTO article_counts (article_id, views, helpful, not_helpful)
SELECT article_id, count(*), 0, 0 FROM message_articles GROUP BY article_id;

INSERT INTO feedback (message_id, was_helpful, rating, created_at, updated_at)
SELECT printf('01900000-%04d-7000-8000-%012d', 2, n), h % 2, 1 + h % 5, at + 90000000, at + 90000000
FROM plan WHERE n % 5 = 0 ORDER BY n;

INSERT INTO analytics (hour, category, sentiment, queries, escalated, response_time_ns)
SELECT created_at - created_at % 3600000000, category, sentiment, count(*), sum(escalated), sum(duration_ns)
FROM messages WHERE role = 'assistant' GROUP BY 1, 2, 3;
INSERT INTO analytics_totals (category, sentiment, queries, escalated, response_time_ns)
SELECT category, sentiment, sum(queries), sum(escalated), sum(response_time_ns) FROM analytics GROUP BY 1, 2;

INSERT INTO threads (key, conversation_id, updated_at)
SELECT printf('thread_%012d', n), printf('conv_01900000-0000-7000-8000-%012d', n), at FROM plan WHERE n % 10 = 0 ORDER BY n;

INSERT INTO unanswered (key, question, category, count, first_at, last_at)
SELECT printf('question %d', n), printf('Who was the question number %d?', n), 'General', 1 + h % 300, at, at + h
FROM plan WHERE n % 5 = 0 ORDER BY n;

INSERT INTO workflows (hash, text) VALUES ('history', '{}');
INSERT INTO turns (id, workflow, start, status, error, fence, owner, lease_until, created_at, updated_at,
	user_id, conversation_id)
SELECT printf('turn_01900000-%04d-7000-8000-%012d', 2, n), (SELECT number FROM workflows WHERE hash = 'history'),
	'{"input":{"message":"My application keeps crashing"}}',
	CASE WHEN h % 1000 = 0 THEN 'failed' WHEN h % 1000 < 3 THEN 'interrupted' ELSE 'done' END,
	CASE WHEN h % 1000 = 0 THEN 'a reason' END, 1, NULL, NULL, at, at + 60000000,
	user_id, conversations.id
FROM plan JOIN conversations ON conversations.id = printf('conv_01900000-0000-7000-8000-%012d', n) ORDER BY n;
INSERT INTO turn_entries (turn, seq, task, data)
SELECT turns.number, s.value, s.value, '{"node":"categorize","values":{"category":"Technical"},"at":1}'
FROM turns CROSS JOIN generate_series(1, 4) AS s;

INSERT INTO webhooks (id, version, data, created_at, updated_at)
SELECT printf('webhook-%d', n.value), n.value, '{}', now_us, now_us FROM size, generate_series(1, 5) AS n;
INSERT INTO events (id, type, data, user_id, conversation_id, created_at)
SELECT printf('event_%012d', n), CASE h % 3 WHEN 0 THEN 'query.created' WHEN 1 THEN 'conversation.escalated' ELSE 'feedback.received' END,
	'{"category":"Technical","priority":5}', user_id, id, at
FROM plan JOIN conversations ON id = printf('conv_01900000-0000-7000-8000-%012d', n) ORDER BY n;
INSERT INTO webhook_deliveries (id, event, event_at, webhook_id, status, attempt, next_at)
SELECT printf('delivery_%012d', number), number, created_at, printf('webhook-%d', 1 + number % 5),
	CASE WHEN number % 1000 = 0 THEN 'failed' WHEN number % 1000 = 1 THEN 'pending' ELSE 'delivered' END, 1,
	CASE WHEN number % 1000 = 1 THEN created_at END
FROM events ORDER BY number;
INSERT INTO delivery_attempts (delivery, seq, at, duration_ns, code)
SELECT number, 1, event_at, 1000000, 200 FROM webhook_deliveries ORDER BY number;
INSERT INTO requests (scope, key, fingerprint, subject, user_id, code, answer, keep_until)
SELECT 'key-1', printf('request_%012d', n), 'f', printf('turn_01900000-%04d-7000-8000-%012d', 2, n),
	printf('user_%07d', h % users), 200, '{}', at + 86400000000
FROM plan WHERE n % 10 = 0 ORDER BY n;
COMMIT;
PRAGMA locking_mode = NORMAL;
PRAGMA journal_mode = WAL;
