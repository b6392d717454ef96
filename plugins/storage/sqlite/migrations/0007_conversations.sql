-- What operators see and change: conversations in lists of every kind, messages of humans, more of users, figures of
-- resolutions and ratings, and whose words and turns there are, so that all of a user's can be erased.
--
-- Times are microseconds since 1970-01-01T00:00:00Z (UTC).

-- metadata is a JSON object.
ALTER TABLE users ADD COLUMN email TEXT;
ALTER TABLE users ADD COLUMN metadata TEXT;
CREATE INDEX users_vip ON users (id) WHERE vip = 1;

-- What conversations are listed by has few values, so there are few kinds of them. Otherwise as they were, but for how the
-- rule of their status is put: for a list of more than two values SQLite makes a table anew for each row that it checks.
CREATE TABLE conversations_with_kinds (
	id            TEXT NOT NULL PRIMARY KEY,
	user_id       TEXT NOT NULL REFERENCES users (id),
	status        TEXT NOT NULL,
	category      TEXT,
	sentiment     TEXT,
	priority      INTEGER NOT NULL,
	message_count INTEGER NOT NULL,
	created_at    INTEGER NOT NULL,
	updated_at    INTEGER NOT NULL,
	kind          TEXT AS (status || ' ' || quote(category) || ' ' || quote(sentiment)),
	CONSTRAINT conversation_id_is_given CHECK (id <> ''),
	CONSTRAINT status_is_known CHECK (
		status = 'active' OR status = 'escalated' OR status = 'resolved' OR status = 'closed'),
	CONSTRAINT priority_is_1_to_10 CHECK (priority BETWEEN 1 AND 10),
	CONSTRAINT message_count_is_positive CHECK (message_count >= 0),
	CONSTRAINT conversation_times_are_positive CHECK (created_at >= 0 AND updated_at >= 0)
) STRICT;
INSERT INTO conversations_with_kinds (id, user_id, status, category, sentiment, priority, message_count, created_at,
	updated_at)
	SELECT id, user_id, status, category, sentiment, priority, message_count, created_at, updated_at
	FROM conversations ORDER BY rowid;
DROP TABLE conversations;
ALTER TABLE conversations_with_kinds RENAME TO conversations;

-- Lists of all conversations, of a user's, and of some kinds, those first that were changed last. What else a user's may be
-- asked for to have is in the index too, so that the others are passed over without a look at their rows; and so is what
-- counts those that are active.
CREATE INDEX conversations_by_time ON conversations (updated_at, id, status);
CREATE INDEX conversations_by_user ON conversations (user_id, updated_at, id, status, category, sentiment);
CREATE INDEX conversations_by_kind ON conversations (kind, updated_at, id);

-- As it was, but for the messages of humans, which stand between turns: of a turn the user's and the assistant's message
-- still follow each other. author is who wrote one, if that is known.
CREATE TABLE messages_with_humans (
	id                TEXT NOT NULL PRIMARY KEY,
	conversation_id   TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
	seq               INTEGER NOT NULL,
	role              TEXT NOT NULL,
	content           TEXT NOT NULL,
	created_at        INTEGER NOT NULL,
	turn_id           TEXT,
	category          TEXT,
	sentiment         TEXT,
	priority          INTEGER,
	attempts          INTEGER,
	escalated         INTEGER,
	escalation_reason TEXT,
	answered_by       TEXT,
	duration_ns       INTEGER,
	metadata          TEXT,
	embedder          TEXT,
	vector            BLOB,
	author            TEXT,
	CONSTRAINT message_id_is_given CHECK (id <> ''),
	CONSTRAINT seq_counts_from_1 CHECK (seq >= 1),
	CONSTRAINT role_is_known CHECK (role = 'user' OR role = 'assistant' OR role = 'human'),
	CONSTRAINT message_time_is_positive CHECK (created_at >= 0),
	CONSTRAINT turn_is_the_assistants CHECK ((role = 'assistant') = (turn_id IS NOT NULL)),
	CONSTRAINT decisions_belong_to_a_turn CHECK (
		(turn_id IS NULL) = (priority IS NULL) AND (turn_id IS NULL) = (attempts IS NULL) AND
		(turn_id IS NULL) = (escalated IS NULL) AND (turn_id IS NULL) = (duration_ns IS NULL)),
	CONSTRAINT priority_is_1_to_10 CHECK (priority BETWEEN 1 AND 10),
	CONSTRAINT attempts_is_positive CHECK (attempts >= 0),
	CONSTRAINT escalated_is_a_flag CHECK (escalated IN (0, 1)),
	CONSTRAINT duration_is_positive CHECK (duration_ns >= 0),
	CONSTRAINT vector_is_of_a_question CHECK (embedder IS NULL OR role = 'user'),
	CONSTRAINT vector_has_an_embedder CHECK ((vector IS NULL) = (embedder IS NULL)),
	CONSTRAINT author_is_a_human CHECK (author IS NULL OR role = 'human')
) STRICT;
INSERT INTO messages_with_humans (id, conversation_id, seq, role, content, created_at, turn_id, category, sentiment,
	priority, attempts, escalated, escalation_reason, answered_by, duration_ns, metadata, embedder, vector)
	SELECT id, conversation_id, seq, role, content, created_at, turn_id, category, sentiment,
		priority, attempts, escalated, escalation_reason, answered_by, duration_ns, metadata, embedder, vector
	FROM messages ORDER BY rowid;
DROP TABLE messages;
ALTER TABLE messages_with_humans RENAME TO messages;
CREATE UNIQUE INDEX messages_by_conversation ON messages (conversation_id, seq);
CREATE UNIQUE INDEX messages_by_turn ON messages (turn_id) WHERE turn_id IS NOT NULL;

-- Conversations that became resolved, in the hour of that; and ratings, of which rating_sum is the sum, in the hour in
-- which the first feedback on their answer was given.
ALTER TABLE analytics ADD COLUMN resolved INTEGER NOT NULL DEFAULT 0
	CONSTRAINT resolved_is_positive CHECK (resolved >= 0);
ALTER TABLE analytics ADD COLUMN ratings INTEGER NOT NULL DEFAULT 0
	CONSTRAINT ratings_are_positive CHECK (ratings >= 0);
ALTER TABLE analytics ADD COLUMN rating_sum INTEGER NOT NULL DEFAULT 0;
INSERT INTO analytics (hour, category, sentiment, queries, escalated, response_time_ns, ratings, rating_sum)
	SELECT feedback.created_at - feedback.created_at % 3600000000, coalesce(messages.category, ''),
		coalesce(messages.sentiment, ''), 0, 0, 0, count(*), sum(rating)
	FROM feedback JOIN messages ON messages.id = feedback.message_id
	WHERE rating IS NOT NULL GROUP BY 1, 2, 3
	ON CONFLICT (hour, category, sentiment) DO UPDATE SET
		ratings = excluded.ratings, rating_sum = excluded.rating_sum;

-- Whose a turn is, and of which conversation; they need not be stored (yet), so nothing refers to them.
ALTER TABLE turns ADD COLUMN user_id TEXT;
ALTER TABLE turns ADD COLUMN conversation_id TEXT;
UPDATE turns SET user_id = json_extract(start, '$.input.user_id'),
	conversation_id = json_extract(start, '$.input.conversation_id')
	WHERE json_valid(start) AND json_type(start, '$.input.user_id') = 'text'
		AND coalesce(json_type(start, '$.input.conversation_id'), 'text') = 'text';
UPDATE turns SET user_id = conversations.user_id, conversation_id = conversations.id
	FROM messages JOIN conversations ON conversations.id = messages.conversation_id
	WHERE messages.turn_id = turns.id;
-- Those of a status among a user's are found by the index alone.
CREATE INDEX turns_by_user ON turns (user_id, number, status) WHERE user_id IS NOT NULL;
CREATE INDEX turns_by_conversation ON turns (conversation_id) WHERE conversation_id IS NOT NULL;

-- Whose words the question is in.
ALTER TABLE unanswered ADD COLUMN user_id TEXT;
UPDATE unanswered SET user_id = conversations.user_id
	FROM messages JOIN conversations ON conversations.id = messages.conversation_id
	WHERE messages.created_at = unanswered.last_at AND messages.role = 'user'
		AND messages.content = unanswered.question;
CREATE INDEX unanswered_by_user ON unanswered (user_id, last_at) WHERE user_id IS NOT NULL;
