-- The figures of analytics by days of UTC, so that those of a year are some thousand rows. They follow by themselves.
CREATE TABLE analytics_days (
	day              INTEGER NOT NULL,
	category         TEXT NOT NULL,
	sentiment        TEXT NOT NULL,
	queries          INTEGER NOT NULL,
	escalated        INTEGER NOT NULL,
	response_time_ns INTEGER NOT NULL,
	resolved         INTEGER NOT NULL,
	ratings          INTEGER NOT NULL,
	rating_sum       INTEGER NOT NULL,
	PRIMARY KEY (day, category, sentiment),
	CONSTRAINT day_is_full CHECK (day >= 0 AND day % 86400000000 = 0)
) STRICT, WITHOUT ROWID;

INSERT INTO analytics_days (day, category, sentiment, queries, escalated, response_time_ns, resolved, ratings, rating_sum)
	SELECT hour - hour % 86400000000, category, sentiment, sum(queries), sum(escalated), sum(response_time_ns),
		sum(resolved), sum(ratings), sum(rating_sum)
	FROM analytics GROUP BY 1, 2, 3;

CREATE TRIGGER hour_is_added AFTER INSERT ON analytics BEGIN
	INSERT INTO analytics_days (day, category, sentiment, queries, escalated, response_time_ns, resolved, ratings,
		rating_sum)
		VALUES (new.hour - new.hour % 86400000000, new.category, new.sentiment, new.queries, new.escalated,
			new.response_time_ns, new.resolved, new.ratings, new.rating_sum)
		ON CONFLICT (day, category, sentiment) DO UPDATE SET queries = queries + excluded.queries,
			escalated = escalated + excluded.escalated,
			response_time_ns = response_time_ns + excluded.response_time_ns,
			resolved = resolved + excluded.resolved, ratings = ratings + excluded.ratings,
			rating_sum = rating_sum + excluded.rating_sum;
END;
CREATE TRIGGER hour_has_changed AFTER UPDATE ON analytics BEGIN
	UPDATE analytics_days SET queries = queries + new.queries - old.queries,
		escalated = escalated + new.escalated - old.escalated,
		response_time_ns = response_time_ns + new.response_time_ns - old.response_time_ns,
		resolved = resolved + new.resolved - old.resolved, ratings = ratings + new.ratings - old.ratings,
		rating_sum = rating_sum + new.rating_sum - old.rating_sum
		WHERE day = new.hour - new.hour % 86400000000 AND category = new.category AND sentiment = new.sentiment;
END;
