-- The vector of a user's message, so that the message need not be embedded again to be compared with later ones, and
-- what tells the embedder that made it from others. It is read with the message and goes with it.
ALTER TABLE messages ADD COLUMN embedder TEXT
	CONSTRAINT vector_is_of_a_question CHECK (embedder IS NULL OR role = 'user');
ALTER TABLE messages ADD COLUMN vector BLOB
	CONSTRAINT vector_has_an_embedder CHECK ((vector IS NULL) = (embedder IS NULL));
