-- The figures of analytics by days of UTC, so that those of a year are some thousand rows. They follow by themselves.
CREATE TABLE analytics_days (
	day              BIGINT NOT NULL,
	category         TEXT NOT NULL,
	sentiment        TEXT NOT NULL,
	writer           INTEGER NOT NULL,
	queries          BIGINT NOT NULL,
	escalated        BIGINT NOT NULL,
	response_time_ns BIGINT NOT NULL,
	resolved         BIGINT NOT NULL,
	ratings          BIGINT NOT NULL,
	rating_sum       BIGINT NOT NULL,
	PRIMARY KEY (day, category, sentiment, writer),
	CONSTRAINT day_is_full CHECK (day >= 0 AND day % 86400000000 = 0)
);

INSERT INTO analytics_days (day, category, sentiment, writer, queries, escalated, response_time_ns, resolved, ratings,
	rating_sum)
	SELECT hour - hour % 86400000000, category, sentiment, writer, sum(queries), sum(escalated), sum(response_time_ns),
		sum(resolved), sum(ratings), sum(rating_sum)
	FROM analytics GROUP BY 1, 2, 3, 4;

CREATE FUNCTION add_to_day() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO analytics_days AS stored (day, category, sentiment, writer, queries, escalated, response_time_ns, resolved,
		ratings, rating_sum)
		VALUES (new.hour - new.hour % 86400000000, new.category, new.sentiment, new.writer, new.queries, new.escalated,
			new.response_time_ns, new.resolved, new.ratings, new.rating_sum)
		ON CONFLICT (day, category, sentiment, writer) DO UPDATE SET queries = stored.queries + excluded.queries,
			escalated = stored.escalated + excluded.escalated,
			response_time_ns = stored.response_time_ns + excluded.response_time_ns,
			resolved = stored.resolved + excluded.resolved, ratings = stored.ratings + excluded.ratings,
			rating_sum = stored.rating_sum + excluded.rating_sum;
	RETURN NULL;
END
$$;

CREATE FUNCTION change_day() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE analytics_days SET queries = queries + new.queries - old.queries,
		escalated = escalated + new.escalated - old.escalated,
		response_time_ns = response_time_ns + new.response_time_ns - old.response_time_ns,
		resolved = resolved + new.resolved - old.resolved, ratings = ratings + new.ratings - old.ratings,
		rating_sum = rating_sum + new.rating_sum - old.rating_sum
		WHERE day = new.hour - new.hour % 86400000000 AND category = new.category AND sentiment = new.sentiment
			AND writer = new.writer;
	RETURN NULL;
END
$$;

CREATE TRIGGER hour_is_added AFTER INSERT ON analytics FOR EACH ROW EXECUTE FUNCTION add_to_day();
CREATE TRIGGER hour_has_changed AFTER UPDATE ON analytics FOR EACH ROW EXECUTE FUNCTION change_day();
