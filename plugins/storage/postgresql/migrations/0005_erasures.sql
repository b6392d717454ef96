-- Users who are being erased, a step at a time: whose erasure is not over, when it was gone on with last, and how much was
-- deleted since it began.
CREATE TABLE erasures (
	user_id       TEXT COLLATE "C" NOT NULL PRIMARY KEY,
	updated_at    BIGINT NOT NULL,
	conversations BIGINT NOT NULL,
	messages      BIGINT NOT NULL,
	journals      BIGINT NOT NULL,
	events        BIGINT NOT NULL,
	requests      BIGINT NOT NULL,
	questions     BIGINT NOT NULL,
	CONSTRAINT erasure_has_a_user CHECK (user_id <> ''),
	CONSTRAINT erasure_time_is_positive CHECK (updated_at >= 0)
);

-- Finds those that were left by who began them.
CREATE INDEX erasures_by_time ON erasures (updated_at);
