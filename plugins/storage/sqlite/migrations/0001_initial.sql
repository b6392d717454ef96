-- Users, their conversations and messages, and the figures that statistics read.
--
-- Times are microseconds since 1970-01-01T00:00:00Z (UTC), durations nanoseconds, both INTEGER.
-- Flags are 0 or 1. Identifiers are texts: UUIDs of version 7, conversations with conv_ in front.

CREATE TABLE users (
	id         TEXT NOT NULL PRIMARY KEY,
	name       TEXT,
	vip        INTEGER NOT NULL DEFAULT 0,
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL,
	CONSTRAINT user_id_is_given CHECK (id <> ''),
	CONSTRAINT vip_is_a_flag CHECK (vip IN (0, 1)),
	CONSTRAINT user_times_are_positive CHECK (created_at >= 0 AND updated_at >= 0)
) STRICT;

-- category, sentiment and priority are those of the last turn. message_count is also the seq of the
-- last message: messages come and go with their conversation, never one by one.
CREATE TABLE conversations (
	id            TEXT NOT NULL PRIMARY KEY,
	user_id       TEXT NOT NULL REFERENCES users (id),
	status        TEXT NOT NULL,
	category      TEXT,
	sentiment     TEXT,
	priority      INTEGER NOT NULL,
	message_count INTEGER NOT NULL,
	created_at    INTEGER NOT NULL,
	updated_at    INTEGER NOT NULL,
	CONSTRAINT conversation_id_is_given CHECK (id <> ''),
	CONSTRAINT status_is_known CHECK (status IN ('active', 'escalated', 'resolved', 'closed')),
	CONSTRAINT priority_is_1_to_10 CHECK (priority BETWEEN 1 AND 10),
	CONSTRAINT message_count_is_positive CHECK (message_count >= 0),
	CONSTRAINT conversation_times_are_positive CHECK (created_at >= 0 AND updated_at >= 0)
) STRICT;

-- Counts what is active.
CREATE INDEX conversations_by_status ON conversations (status, updated_at);

-- A turn is two messages with consecutive seq: the user's, then the assistant's, which carries what
-- was decided. The columns from turn_id on belong to the assistant's alone. metadata is JSON.
CREATE TABLE messages (
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
	CONSTRAINT duration_is_positive CHECK (duration_ns >= 0)
) STRICT;

-- Reads a conversation in order, from its end.
CREATE UNIQUE INDEX messages_by_conversation ON messages (conversation_id, seq);
-- Finds a turn that is stored already.
CREATE UNIQUE INDEX messages_by_turn ON messages (turn_id) WHERE turn_id IS NOT NULL;

-- Figures for each hour, category and sentiment ('' where a turn has none), added to by the transaction
-- that stores a turn. hour is the time at which the hour begins; a turn counts in the hour of its
-- question. response_time_ns is a sum.
CREATE TABLE analytics (
	hour             INTEGER NOT NULL,
	category         TEXT NOT NULL,
	sentiment        TEXT NOT NULL,
	queries          INTEGER NOT NULL,
	escalated        INTEGER NOT NULL,
	response_time_ns INTEGER NOT NULL,
	PRIMARY KEY (hour, category, sentiment),
	CONSTRAINT hour_is_full CHECK (hour >= 0 AND hour % 3600000000 = 0),
	CONSTRAINT sums_are_positive CHECK (queries >= 0 AND escalated >= 0 AND response_time_ns >= 0)
) STRICT, WITHOUT ROWID;

-- The same over all hours: as many rows as there are categories and sentiments, so totals cost the
-- same after years.
CREATE TABLE analytics_totals (
	category         TEXT NOT NULL,
	sentiment        TEXT NOT NULL,
	queries          INTEGER NOT NULL,
	escalated        INTEGER NOT NULL,
	response_time_ns INTEGER NOT NULL,
	PRIMARY KEY (category, sentiment),
	CONSTRAINT sums_are_positive CHECK (queries >= 0 AND escalated >= 0 AND response_time_ns >= 0)
) STRICT, WITHOUT ROWID;
