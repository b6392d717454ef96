-- Users who are being erased, a step at a time: whose erasure is not over, when it was gone on with last, and how much was
-- deleted since it began.
CREATE TABLE erasures (
	user_id       TEXT NOT NULL PRIMARY KEY,
	updated_at    INTEGER NOT NULL,
	conversations INTEGER NOT NULL,
	messages      INTEGER NOT NULL,
	journals      INTEGER NOT NULL,
	events        INTEGER NOT NULL,
	requests      INTEGER NOT NULL,
	questions     INTEGER NOT NULL,
	CONSTRAINT erasure_has_a_user CHECK (user_id <> ''),
	CONSTRAINT erasure_time_is_positive CHECK (updated_at >= 0)
) STRICT, WITHOUT ROWID;

-- Finds those that were left by who began them.
CREATE INDEX erasures_by_time ON erasures (updated_at);
