-- Finds the conversations in which a user wrote last.
CREATE INDEX conversations_by_user ON conversations (user_id, updated_at);
