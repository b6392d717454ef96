-- By which conversations are found that clients know by their messages alone: a key for all that was said up to an
-- assistant's message.
--
-- Times are microseconds since 1970-01-01T00:00:00Z (UTC).
CREATE TABLE threads (
	key             TEXT NOT NULL PRIMARY KEY,
	conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
	updated_at      INTEGER NOT NULL,
	CONSTRAINT thread_is_given CHECK (key <> ''),
	CONSTRAINT thread_time_is_positive CHECK (updated_at >= 0)
) STRICT, WITHOUT ROWID;

-- Removes those of a conversation with it.
CREATE INDEX threads_by_conversation ON threads (conversation_id);
