-- What a message shows is stored with it, by its transaction, so a foreign key could find nothing; but for each row it locked
-- the message, which cost more than to store the row. The rows still go with their message.
ALTER TABLE message_articles DROP CONSTRAINT message_articles_message_id_fkey;

CREATE FUNCTION remove_shown() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM message_articles WHERE message_id = old.id;
	RETURN NULL;
END
$$;

CREATE TRIGGER shown_go_with_their_message AFTER DELETE ON messages FOR EACH ROW EXECUTE FUNCTION remove_shown();
