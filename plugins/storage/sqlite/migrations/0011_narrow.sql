-- The indexes by which conversations are listed, without their ids: whoever lists those that were changed in one
-- microsecond sorts them, and they are few. An id was half of an entry, and where an entry is added among others, as those
-- of users and kinds are, the pages around it are filled anew the sooner the larger the entries are.
DROP INDEX conversations_by_time;
CREATE INDEX conversations_by_time ON conversations (updated_at, status);
DROP INDEX conversations_by_user;
CREATE INDEX conversations_by_user ON conversations (user_id, updated_at, status, category, sentiment);
DROP INDEX conversations_by_kind;
CREATE INDEX conversations_by_kind ON conversations (kind, updated_at);
