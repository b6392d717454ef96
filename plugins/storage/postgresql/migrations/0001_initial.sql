-- Users, their conversations and messages, the figures that statistics read, the journals of turns, and feedback.
--
-- Times are microseconds since 1970-01-01T00:00:00Z (UTC), durations nanoseconds, both BIGINT. Flags are 0 or 1.
-- Identifiers are texts, compared byte by byte: UUIDs of version 7, conversations with conv_ in front.

CREATE TABLE users (
	id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	name       TEXT,
	vip        SMALLINT NOT NULL DEFAULT 0,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	CONSTRAINT user_id_is_given CHECK (id <> ''),
	CONSTRAINT vip_is_a_flag CHECK (vip IN (0, 1)),
	CONSTRAINT user_times_are_positive CHECK (created_at >= 0 AND updated_at >= 0)
);

-- category, sentiment and priority are those of the last turn. message_count is also the seq of the
-- last message: messages come and go with their conversation, never one by one.
CREATE TABLE conversations (
	id            TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	user_id       TEXT COLLATE "C" NOT NULL REFERENCES users (id),
	status        TEXT NOT NULL,
	category      TEXT,
	sentiment     TEXT,
	priority      BIGINT NOT NULL,
	message_count BIGINT NOT NULL,
	created_at    BIGINT NOT NULL,
	updated_at    BIGINT NOT NULL,
	CONSTRAINT conversation_id_is_given CHECK (id <> ''),
	CONSTRAINT status_is_known CHECK (status IN ('active', 'escalated', 'resolved', 'closed')),
	CONSTRAINT priority_is_1_to_10 CHECK (priority BETWEEN 1 AND 10),
	CONSTRAINT message_count_is_positive CHECK (message_count >= 0),
	CONSTRAINT conversation_times_are_positive CHECK (created_at >= 0 AND updated_at >= 0)
);

-- Counts what is active.
CREATE INDEX conversations_by_status ON conversations (status, updated_at);
-- Finds the conversations in which a user wrote last.
CREATE INDEX conversations_by_user ON conversations (user_id, updated_at);

-- A turn is two messages with consecutive seq: the user's, then the assistant's, which carries what
-- was decided. The columns from turn_id to metadata belong to the assistant's alone; metadata is JSON. A user's message
-- may have its vector, and what tells the embedder that made it from others.
CREATE TABLE messages (
	id                TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	conversation_id   TEXT COLLATE "C" NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
	seq               BIGINT NOT NULL,
	role              TEXT NOT NULL,
	content           TEXT NOT NULL,
	created_at        BIGINT NOT NULL,
	turn_id           TEXT COLLATE "C",
	category          TEXT,
	sentiment         TEXT,
	priority          BIGINT,
	attempts          BIGINT,
	escalated         SMALLINT,
	escalation_reason TEXT,
	answered_by       TEXT,
	duration_ns       BIGINT,
	metadata          TEXT,
	embedder          TEXT,
	vector            BYTEA,
	CONSTRAINT message_id_is_given CHECK (id <> ''),
	CONSTRAINT seq_counts_from_1 CHECK (seq >= 1),
	CONSTRAINT role_is_known CHECK (role IN ('user', 'assistant')),
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
	CONSTRAINT vector_has_an_embedder CHECK ((vector IS NULL) = (embedder IS NULL))
);

-- Reads a conversation in order, from its end.
CREATE UNIQUE INDEX messages_by_conversation ON messages (conversation_id, seq);
-- Finds a turn that is stored already.
CREATE UNIQUE INDEX messages_by_turn ON messages (turn_id) WHERE turn_id IS NOT NULL;

-- Figures for each hour, category and sentiment ('' where a turn has none), added to by the transaction
-- that stores a turn. hour is the time at which the hour begins; a turn counts in the hour of its
-- question. response_time_ns is a sum. Each connection that writes has a number, its writer, and rows of its own, so
-- none waits for another; whoever reads sums over them.
CREATE TABLE analytics (
	hour             BIGINT NOT NULL,
	category         TEXT NOT NULL,
	sentiment        TEXT NOT NULL,
	writer           INTEGER NOT NULL,
	queries          BIGINT NOT NULL,
	escalated        BIGINT NOT NULL,
	response_time_ns BIGINT NOT NULL,
	PRIMARY KEY (hour, category, sentiment, writer),
	CONSTRAINT hour_is_full CHECK (hour >= 0 AND hour % 3600000000 = 0),
	CONSTRAINT sums_are_positive CHECK (queries >= 0 AND escalated >= 0 AND response_time_ns >= 0)
);

-- The same over all hours: as many rows as there are categories, sentiments and writers, so totals cost the
-- same after years.
CREATE TABLE analytics_totals (
	category         TEXT NOT NULL,
	sentiment        TEXT NOT NULL,
	writer           INTEGER NOT NULL,
	queries          BIGINT NOT NULL,
	escalated        BIGINT NOT NULL,
	response_time_ns BIGINT NOT NULL,
	PRIMARY KEY (category, sentiment, writer),
	CONSTRAINT sums_are_positive CHECK (queries >= 0 AND escalated >= 0 AND response_time_ns >= 0)
);

-- The texts of workflows, by their hash. A turn keeps the one that it began with.
CREATE TABLE workflows (
	number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	hash   TEXT COLLATE "C" NOT NULL UNIQUE,
	text   TEXT NOT NULL,
	CONSTRAINT hash_is_given CHECK (hash <> '')
);

-- Journals of turns: what each began with, and what its tasks came to, so that it can be gone on with. owner goes on
-- with the turn until lease_until; fence counts the leases.
CREATE TABLE turns (
	number      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	id          TEXT COLLATE "C" NOT NULL UNIQUE,
	workflow    BIGINT NOT NULL REFERENCES workflows (number),
	start       TEXT NOT NULL,
	status      TEXT NOT NULL,
	error       TEXT,
	fence       BIGINT NOT NULL,
	owner       TEXT,
	lease_until BIGINT,
	created_at  BIGINT NOT NULL,
	updated_at  BIGINT NOT NULL,
	CONSTRAINT turn_id_is_given CHECK (id <> ''),
	CONSTRAINT turn_status_is_known CHECK (status IN ('running', 'interrupted', 'done', 'failed')),
	CONSTRAINT error_is_of_a_failure CHECK (error IS NULL OR status = 'failed'),
	CONSTRAINT fence_counts_from_1 CHECK (fence >= 1),
	CONSTRAINT lease_has_an_owner CHECK ((owner IS NULL) = (lease_until IS NULL)),
	CONSTRAINT turn_times_are_positive CHECK (created_at >= 0 AND updated_at >= 0)
);

-- Lists those that need somebody.
CREATE INDEX turns_not_done ON turns (status, number) WHERE status <> 'done';

-- Entries are JSON. They come and go with their turn.
CREATE TABLE turn_entries (
	turn BIGINT NOT NULL REFERENCES turns (number) ON DELETE CASCADE,
	seq  BIGINT NOT NULL,
	task BIGINT NOT NULL,
	data TEXT NOT NULL,
	PRIMARY KEY (turn, seq),
	CONSTRAINT entries_count_from_1 CHECK (seq >= 1)
);

-- The articles that an assistant's message names. They are kept elsewhere, so one of them may be gone.
CREATE TABLE message_articles (
	message_id TEXT COLLATE "C" NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
	article_id TEXT COLLATE "C" NOT NULL,
	PRIMARY KEY (message_id, article_id),
	CONSTRAINT article_id_is_given CHECK (article_id <> '')
);

-- In how many messages an article was named, and what customers said of these, as each writer has counted: a vote that
-- changes may be taken from another writer's, so only the sum is never below 0. Figures: they stay when a conversation
-- is deleted.
CREATE TABLE article_counts (
	article_id  TEXT COLLATE "C" NOT NULL,
	writer      INTEGER NOT NULL,
	views       BIGINT NOT NULL DEFAULT 0,
	helpful     BIGINT NOT NULL DEFAULT 0,
	not_helpful BIGINT NOT NULL DEFAULT 0,
	PRIMARY KEY (article_id, writer),
	CONSTRAINT article_id_is_given CHECK (article_id <> ''),
	CONSTRAINT views_are_positive CHECK (views >= 0)
);

-- What a customer said of an assistant's message: the last word on each matter. issues is a JSON list of texts.
CREATE TABLE feedback (
	message_id  TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
	was_helpful SMALLINT,
	rating      SMALLINT,
	comment     TEXT,
	issues      TEXT,
	created_at  BIGINT NOT NULL,
	updated_at  BIGINT NOT NULL,
	CONSTRAINT was_helpful_is_a_flag CHECK (was_helpful IN (0, 1)),
	CONSTRAINT rating_is_1_to_5 CHECK (rating BETWEEN 1 AND 5),
	CONSTRAINT feedback_times_are_positive CHECK (created_at >= 0 AND updated_at >= 0)
);

-- Questions that the knowledge base has no answer to. Those that say the same have one key and one row, with the
-- words and the category of the last one.
CREATE TABLE unanswered (
	number   BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	key      TEXT COLLATE "C" NOT NULL UNIQUE,
	question TEXT NOT NULL,
	category TEXT,
	count    BIGINT NOT NULL,
	first_at BIGINT NOT NULL,
	last_at  BIGINT NOT NULL,
	CONSTRAINT key_is_given CHECK (key <> ''),
	CONSTRAINT count_begins_with_1 CHECK (count >= 1),
	CONSTRAINT first_is_before_last CHECK (first_at BETWEEN 0 AND last_at)
);

-- List the newest, and those that were asked most.
CREATE INDEX unanswered_by_time ON unanswered (last_at, number);
CREATE INDEX unanswered_by_count ON unanswered (count, last_at, number);

-- By which conversations are found that clients know by their messages alone: a key for all that was said up to an
-- assistant's message.
CREATE TABLE threads (
	key             TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	conversation_id TEXT COLLATE "C" NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
	updated_at      BIGINT NOT NULL,
	CONSTRAINT thread_is_given CHECK (key <> ''),
	CONSTRAINT thread_time_is_positive CHECK (updated_at >= 0)
);

-- Removes those of a conversation with it.
CREATE INDEX threads_by_conversation ON threads (conversation_id);
