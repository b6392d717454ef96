-- Documents that operators make and servers hold in memory, events that other systems are told of with their
-- deliveries, and requests that are done once.
--
-- Times are microseconds since 1970-01-01T00:00:00Z (UTC), durations nanoseconds.

-- The version that each kind of documents has reached, by its number in enum ss_document_kind. Whoever stores a document
-- locks its kind's row until the commit, so versions become visible in their order.
CREATE TABLE document_versions (
	kind    INTEGER NOT NULL PRIMARY KEY,
	version INTEGER NOT NULL
) STRICT;

INSERT INTO document_versions (kind, version) VALUES (1, 0), (2, 0), (3, 0), (4, 0);

-- One table for each kind. data is JSON; it is null when the document was removed, which whoever reads what has changed
-- must get to know.
CREATE TABLE knowledge_base (
	id         TEXT NOT NULL PRIMARY KEY,
	version    INTEGER NOT NULL,
	data       TEXT,
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL,
	CONSTRAINT article_id_is_given CHECK (id <> ''),
	CONSTRAINT article_times_are_positive CHECK (created_at >= 0 AND updated_at >= 0)
) STRICT;

CREATE UNIQUE INDEX knowledge_base_by_version ON knowledge_base (version);
CREATE INDEX knowledge_base_removed ON knowledge_base (updated_at) WHERE data IS NULL;

CREATE TABLE heads (
	id         TEXT NOT NULL PRIMARY KEY,
	version    INTEGER NOT NULL,
	data       TEXT,
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL,
	CONSTRAINT head_id_is_given CHECK (id <> ''),
	CONSTRAINT head_times_are_positive CHECK (created_at >= 0 AND updated_at >= 0)
) STRICT;

CREATE UNIQUE INDEX heads_by_version ON heads (version);
CREATE INDEX heads_removed ON heads (updated_at) WHERE data IS NULL;

CREATE TABLE webhooks (
	id         TEXT NOT NULL PRIMARY KEY,
	version    INTEGER NOT NULL,
	data       TEXT,
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL,
	CONSTRAINT webhook_id_is_given CHECK (id <> ''),
	CONSTRAINT webhook_times_are_positive CHECK (created_at >= 0 AND updated_at >= 0)
) STRICT;

CREATE UNIQUE INDEX webhooks_by_version ON webhooks (version);
CREATE INDEX webhooks_removed ON webhooks (updated_at) WHERE data IS NULL;

CREATE TABLE api_keys (
	id         TEXT NOT NULL PRIMARY KEY,
	version    INTEGER NOT NULL,
	data       TEXT,
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL,
	CONSTRAINT api_key_id_is_given CHECK (id <> ''),
	CONSTRAINT api_key_times_are_positive CHECK (created_at >= 0 AND updated_at >= 0)
) STRICT;

CREATE UNIQUE INDEX api_keys_by_version ON api_keys (version);
CREATE INDEX api_keys_removed ON api_keys (updated_at) WHERE data IS NULL;

-- data is JSON. What an event is about may be gone, or not yet stored. A number is never used again: whoever reads on
-- behind it misses nothing.
CREATE TABLE events (
	number          INTEGER PRIMARY KEY AUTOINCREMENT,
	id              TEXT NOT NULL UNIQUE,
	type            TEXT NOT NULL,
	data            TEXT NOT NULL,
	user_id         TEXT,
	conversation_id TEXT,
	created_at      INTEGER NOT NULL,
	CONSTRAINT event_id_is_given CHECK (id <> ''),
	CONSTRAINT event_type_is_given CHECK (type <> ''),
	CONSTRAINT event_time_is_positive CHECK (created_at >= 0)
) STRICT;

-- List the newest. A user may have many, of which those of a type are found by the index alone.
CREATE INDEX events_by_time ON events (created_at, number);
CREATE INDEX events_by_type ON events (type, created_at, number);
CREATE INDEX events_by_user ON events (user_id, created_at, number, type) WHERE user_id IS NOT NULL;
CREATE INDEX events_by_conversation ON events (conversation_id, created_at, number) WHERE conversation_id IS NOT NULL;

-- event_at is the event's time. attempt counts those that came to something since the delivery was due first, or again.
-- A pending one is due at next_at; while somebody, its owner, has claimed it that is when the claim ends. fence counts the
-- claims.
CREATE TABLE webhook_deliveries (
	number     INTEGER PRIMARY KEY,
	id         TEXT NOT NULL UNIQUE,
	event      INTEGER NOT NULL REFERENCES events (number) ON DELETE CASCADE,
	event_at   INTEGER NOT NULL,
	webhook_id TEXT NOT NULL REFERENCES webhooks (id),
	status     TEXT NOT NULL DEFAULT 'pending',
	attempt    INTEGER NOT NULL DEFAULT 0,
	fence      INTEGER NOT NULL DEFAULT 0,
	owner      TEXT,
	next_at    INTEGER,
	CONSTRAINT delivery_id_is_given CHECK (id <> ''),
	CONSTRAINT delivery_status_is_known CHECK (status = 'pending' OR status = 'delivered' OR status = 'failed'),
	CONSTRAINT attempts_are_positive CHECK (attempt >= 0 AND fence >= 0),
	CONSTRAINT pending_is_due CHECK ((status = 'pending') = (next_at IS NOT NULL)),
	CONSTRAINT claimed_is_pending CHECK (owner IS NULL OR status = 'pending')
) STRICT;

-- Finds what is due, and what somebody who is gone has claimed.
CREATE INDEX deliveries_due ON webhook_deliveries (next_at, number) WHERE status = 'pending';
CREATE INDEX deliveries_claimed ON webhook_deliveries (owner) WHERE owner IS NOT NULL;
-- List them, and remove those of an event with it.
CREATE INDEX deliveries_by_event ON webhook_deliveries (event, event_at, number);
CREATE INDEX deliveries_by_time ON webhook_deliveries (event_at, number);
CREATE INDEX deliveries_by_webhook ON webhook_deliveries (webhook_id, event_at, number);
CREATE INDEX deliveries_not_delivered ON webhook_deliveries (status, event_at, number) WHERE status <> 'delivered';

-- code is that of HTTP, 0 without an answer; body the beginning of the answer.
CREATE TABLE delivery_attempts (
	delivery    INTEGER NOT NULL REFERENCES webhook_deliveries (number) ON DELETE CASCADE,
	seq         INTEGER NOT NULL,
	at          INTEGER NOT NULL,
	duration_ns INTEGER NOT NULL,
	code        INTEGER NOT NULL,
	error       TEXT,
	body        TEXT,
	PRIMARY KEY (delivery, seq),
	CONSTRAINT attempt_counts_from_1 CHECK (seq >= 1),
	CONSTRAINT attempt_figures_are_positive CHECK (at >= 0 AND duration_ns >= 0 AND code >= 0)
) STRICT, WITHOUT ROWID;

-- How many deliveries a webhook has of each status, so that they need not be counted.
CREATE TABLE delivery_counts (
	webhook_id TEXT NOT NULL,
	status     TEXT NOT NULL,
	count      INTEGER NOT NULL,
	PRIMARY KEY (webhook_id, status),
	CONSTRAINT counts_are_positive CHECK (count >= 0)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER delivery_is_added AFTER INSERT ON webhook_deliveries BEGIN
	INSERT INTO delivery_counts (webhook_id, status, count) VALUES (new.webhook_id, new.status, 1)
		ON CONFLICT (webhook_id, status) DO UPDATE SET count = count + excluded.count;
END;
CREATE TRIGGER delivery_is_deleted AFTER DELETE ON webhook_deliveries BEGIN
	UPDATE delivery_counts SET count = count - 1 WHERE webhook_id = old.webhook_id AND status = old.status;
END;
CREATE TRIGGER delivery_gets_a_status AFTER UPDATE OF status ON webhook_deliveries WHEN old.status <> new.status BEGIN
	UPDATE delivery_counts SET count = count - 1 WHERE webhook_id = old.webhook_id AND status = old.status;
	INSERT INTO delivery_counts (webhook_id, status, count) VALUES (new.webhook_id, new.status, 1)
		ON CONFLICT (webhook_id, status) DO UPDATE SET count = count + excluded.count;
END;

-- Requests that are done once, whoever asks for them how often. subject is what one makes; conversation_id is of the one
-- that it is about, stored or not. code and answer are those of one that is done; until then owner does it, to
-- lease_until. It is remembered to keep_until.
CREATE TABLE requests (
	scope           TEXT NOT NULL,
	key             TEXT NOT NULL,
	fingerprint     TEXT NOT NULL,
	subject         TEXT NOT NULL,
	user_id         TEXT,
	conversation_id TEXT,
	owner           TEXT,
	lease_until     INTEGER,
	code            INTEGER,
	answer          TEXT,
	keep_until      INTEGER NOT NULL,
	PRIMARY KEY (scope, key),
	CONSTRAINT request_is_named CHECK (scope <> '' AND key <> ''),
	CONSTRAINT request_lease_has_an_owner CHECK ((owner IS NULL) = (lease_until IS NULL)),
	CONSTRAINT done_has_an_answer CHECK ((code IS NULL) = (answer IS NULL) AND (code IS NULL OR owner IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX requests_by_user ON requests (user_id, scope, key) WHERE user_id IS NOT NULL;
CREATE INDEX requests_by_conversation ON requests (conversation_id) WHERE conversation_id IS NOT NULL;
-- Finds those that need not be remembered any more.
CREATE INDEX requests_by_end ON requests (keep_until);
