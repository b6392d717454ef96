-- What operators see and change: conversations in lists of every kind, messages of humans, more of users, figures of
-- resolutions and ratings, and whose words and turns there are, so that all of a user's can be erased.
--
-- Times are microseconds since 1970-01-01T00:00:00Z (UTC).

-- metadata is a JSON object.
ALTER TABLE users ADD COLUMN email TEXT, ADD COLUMN metadata TEXT;
CREATE INDEX users_vip ON users (id) WHERE vip = 1;

-- What conversations are listed by has few values, so there are few kinds of them.
ALTER TABLE conversations ADD COLUMN kind TEXT COLLATE "C" NOT NULL
	GENERATED ALWAYS AS (status || ' ' || quote_nullable(category) || ' ' || quote_nullable(sentiment)) STORED;

-- Lists of all conversations, of a user's, and of some kinds, those first that were changed last. What else a user's may be
-- asked for to have is in the index too, so that the others are passed over without a look at their rows; and so is what
-- counts those that are active.
DROP INDEX conversations_by_status, conversations_by_user;
CREATE INDEX conversations_by_time ON conversations (updated_at, id, status);
CREATE INDEX conversations_by_user ON conversations (user_id, updated_at, id, status, category, sentiment);
CREATE INDEX conversations_by_kind ON conversations (kind, updated_at, id);

-- The messages of humans stand between turns: of a turn the user's and the assistant's message still follow each other.
-- author is who wrote one, if that is known.
ALTER TABLE messages
	ADD COLUMN author TEXT,
	DROP CONSTRAINT role_is_known,
	ADD CONSTRAINT role_is_known CHECK (role IN ('user', 'assistant', 'human')),
	ADD CONSTRAINT author_is_a_human CHECK (author IS NULL OR role = 'human');

-- Conversations that became resolved, in the hour of that; and ratings, of which rating_sum is the sum, in the hour in
-- which the first feedback on their answer was given. A rating that changes may be another writer's, so only the sum of
-- all writers' is never below 0.
ALTER TABLE analytics
	ADD COLUMN resolved BIGINT NOT NULL DEFAULT 0,
	ADD COLUMN ratings BIGINT NOT NULL DEFAULT 0,
	ADD COLUMN rating_sum BIGINT NOT NULL DEFAULT 0,
	ADD CONSTRAINT counts_are_positive CHECK (resolved >= 0 AND ratings >= 0);
INSERT INTO analytics AS stored (hour, category, sentiment, writer, queries, escalated, response_time_ns, ratings,
	rating_sum)
	SELECT feedback.created_at - feedback.created_at % 3600000000, coalesce(messages.category, ''),
		coalesce(messages.sentiment, ''), 0, 0, 0, 0, count(*), sum(rating)
	FROM feedback JOIN messages ON messages.id = feedback.message_id
	WHERE rating IS NOT NULL GROUP BY 1, 2, 3
	ON CONFLICT (hour, category, sentiment, writer) DO UPDATE SET
		ratings = excluded.ratings, rating_sum = excluded.rating_sum;

-- Whose a turn is, and of which conversation; they need not be stored (yet), so nothing refers to them.
ALTER TABLE turns ADD COLUMN user_id TEXT COLLATE "C", ADD COLUMN conversation_id TEXT COLLATE "C";
UPDATE turns SET user_id = conversations.user_id, conversation_id = conversations.id
	FROM messages JOIN conversations ON conversations.id = messages.conversation_id
	WHERE messages.turn_id = turns.id;
-- Of those without an answer what they began with tells it, as far as it can be read.
DO $$
DECLARE
	unknown RECORD;
BEGIN
	FOR unknown IN SELECT number, start FROM turns WHERE user_id IS NULL LOOP
		BEGIN
			UPDATE turns SET user_id = unknown.start::json #>> '{input,user_id}',
				conversation_id = unknown.start::json #>> '{input,conversation_id}'
				WHERE number = unknown.number;
		EXCEPTION WHEN data_exception THEN
			NULL;
		END;
	END LOOP;
END $$;
CREATE INDEX turns_by_user ON turns (user_id, number) WHERE user_id IS NOT NULL;
CREATE INDEX turns_by_conversation ON turns (conversation_id) WHERE conversation_id IS NOT NULL;

-- Whose words the question is in.
ALTER TABLE unanswered ADD COLUMN user_id TEXT COLLATE "C";
UPDATE unanswered SET user_id = conversations.user_id
	FROM messages JOIN conversations ON conversations.id = messages.conversation_id
	WHERE messages.created_at = unanswered.last_at AND messages.role = 'user'
		AND messages.content = unanswered.question;
CREATE INDEX unanswered_by_user ON unanswered (user_id, last_at, number) WHERE user_id IS NOT NULL;
