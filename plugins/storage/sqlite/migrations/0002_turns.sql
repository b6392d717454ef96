-- Journals of turns: what each began with, and what its tasks came to, so that it can be gone on with.
--
-- Times are microseconds since 1970-01-01T00:00:00Z (UTC).

-- The texts of workflows, by their hash. A turn keeps the one that it began with.
CREATE TABLE workflows (
	number INTEGER PRIMARY KEY,
	hash   TEXT NOT NULL UNIQUE,
	text   TEXT NOT NULL,
	CONSTRAINT hash_is_given CHECK (hash <> '')
) STRICT;

-- owner goes on with the turn until lease_until; fence counts the leases.
CREATE TABLE turns (
	number      INTEGER PRIMARY KEY,
	id          TEXT NOT NULL UNIQUE,
	workflow    INTEGER NOT NULL REFERENCES workflows (number),
	start       TEXT NOT NULL,
	status      TEXT NOT NULL,
	error       TEXT,
	fence       INTEGER NOT NULL,
	owner       TEXT,
	lease_until INTEGER,
	created_at  INTEGER NOT NULL,
	updated_at  INTEGER NOT NULL,
	CONSTRAINT turn_id_is_given CHECK (id <> ''),
	CONSTRAINT turn_status_is_known CHECK (status IN ('running', 'interrupted', 'done', 'failed')),
	CONSTRAINT error_is_of_a_failure CHECK (error IS NULL OR status = 'failed'),
	CONSTRAINT fence_counts_from_1 CHECK (fence >= 1),
	CONSTRAINT lease_has_an_owner CHECK ((owner IS NULL) = (lease_until IS NULL)),
	CONSTRAINT turn_times_are_positive CHECK (created_at >= 0 AND updated_at >= 0)
) STRICT;

-- Lists those that need somebody.
CREATE INDEX turns_not_done ON turns (status) WHERE status <> 'done';

-- Entries are JSON. They come and go with their turn.
CREATE TABLE turn_entries (
	turn INTEGER NOT NULL REFERENCES turns (number) ON DELETE CASCADE,
	seq  INTEGER NOT NULL,
	task INTEGER NOT NULL,
	data TEXT NOT NULL,
	PRIMARY KEY (turn, seq),
	CONSTRAINT entries_count_from_1 CHECK (seq >= 1)
) STRICT, WITHOUT ROWID;
