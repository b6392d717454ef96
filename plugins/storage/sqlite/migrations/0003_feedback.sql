-- What replies showed, what customers said of them, and what had no answer.
--
-- Times are microseconds since 1970-01-01T00:00:00Z (UTC). Flags are 0 or 1.

-- The articles that an assistant's message names. They are kept elsewhere, so one of them may be gone.
CREATE TABLE message_articles (
	message_id TEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
	article_id TEXT NOT NULL,
	PRIMARY KEY (message_id, article_id),
	CONSTRAINT article_id_is_given CHECK (article_id <> '')
) STRICT, WITHOUT ROWID;

-- In how many messages an article was named, and what customers said of these. Figures: they stay when a
-- conversation is deleted.
CREATE TABLE article_counts (
	article_id  TEXT NOT NULL PRIMARY KEY,
	views       INTEGER NOT NULL DEFAULT 0,
	helpful     INTEGER NOT NULL DEFAULT 0,
	not_helpful INTEGER NOT NULL DEFAULT 0,
	CONSTRAINT article_id_is_given CHECK (article_id <> ''),
	CONSTRAINT counts_are_positive CHECK (views >= 0 AND helpful >= 0 AND not_helpful >= 0)
) STRICT, WITHOUT ROWID;

-- What a customer said of an assistant's message: the last word on each matter. issues is a JSON list of texts.
CREATE TABLE feedback (
	message_id  TEXT NOT NULL PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
	was_helpful INTEGER,
	rating      INTEGER,
	comment     TEXT,
	issues      TEXT,
	created_at  INTEGER NOT NULL,
	updated_at  INTEGER NOT NULL,
	CONSTRAINT was_helpful_is_a_flag CHECK (was_helpful IN (0, 1)),
	CONSTRAINT rating_is_1_to_5 CHECK (rating BETWEEN 1 AND 5),
	CONSTRAINT feedback_times_are_positive CHECK (created_at >= 0 AND updated_at >= 0)
) STRICT, WITHOUT ROWID;

-- Questions that the knowledge base has no answer to. Those that say the same have one key and one row, with the
-- words and the category of the last one.
CREATE TABLE unanswered (
	number   INTEGER PRIMARY KEY,
	key      TEXT NOT NULL UNIQUE,
	question TEXT NOT NULL,
	category TEXT,
	count    INTEGER NOT NULL,
	first_at INTEGER NOT NULL,
	last_at  INTEGER NOT NULL,
	CONSTRAINT key_is_given CHECK (key <> ''),
	CONSTRAINT count_begins_with_1 CHECK (count >= 1),
	CONSTRAINT first_is_before_last CHECK (first_at BETWEEN 0 AND last_at)
) STRICT;

-- List the newest, and those that were asked most.
CREATE INDEX unanswered_by_time ON unanswered (last_at);
CREATE INDEX unanswered_by_count ON unanswered (count, last_at);
