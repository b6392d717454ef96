/* What articles are seen and voted on, and what customers say. */
#include "conformance/probe.h"

static struct ss_turn showing(struct ss_turn turn, const char *const *shown, size_t count)
{
	turn.shown = shown;
	turn.shown_count = count;
	return turn;
}

static void counts_views(struct probe *probe)
{
	const char *const shown[] = {
		probe_name(probe, "a"), probe_name(probe, "b"), probe_name(probe, "a")};
	const struct ss_turn first = showing(probe_first(probe, "ann"), shown, 3);
	const struct ss_turn second = showing(probe_next(probe, &first), shown, 1);
	probe_store(probe, &first);
	probe_store(probe, &second);
	probe_expect(probe, "an article that two turns show, one of them twice",
		"views 2, helpful 0, not helpful 0", probe_article(probe, shown[0]));
	probe_expect(probe, "an article that one turn shows", "views 1, helpful 0, not helpful 0",
		probe_article(probe, shown[1]));
	probe_expect(probe, "an article that no turn shows", "nothing",
		probe_article(probe, probe_name(probe, "c")));
}

static void replaces_votes(struct probe *probe)
{
	const char *const shown[] = {probe_name(probe, "a"), probe_name(probe, "b")};
	const struct ss_turn first = showing(probe_first(probe, "ann"), shown, 2);
	const struct ss_turn second = showing(probe_next(probe, &first), shown, 1);
	probe_store(probe, &first);
	probe_store(probe, &second);
	probe_vote(probe, &first, 1);
	probe_vote(probe, &first, 1);
	probe_vote(probe, &second, 1);
	probe_expect(probe, "an article of two turns, voted helpful each, one of them twice",
		"views 2, helpful 2, not helpful 0", probe_article(probe, shown[0]));
	probe_expect(probe, "an article of one turn that was voted helpful",
		"views 1, helpful 1, not helpful 0", probe_article(probe, shown[1]));
	probe_vote(probe, &first, 0);
	probe_expect(probe, "the same when one of the votes was changed",
		"views 2, helpful 1, not helpful 1", probe_article(probe, shown[0]));
	probe_vote(probe, &first, 1);
	probe_expect(probe, "the same when it was changed back",
		"views 2, helpful 2, not helpful 0", probe_article(probe, shown[0]));
	/* Nor is it counted for a turn that is stored again. */
	probe_store(probe, &first);
	probe_expect(probe, "the same when the turn was stored again",
		"views 2, helpful 2, not helpful 0", probe_article(probe, shown[0]));
}

/* What the feedback on TURN comes to; *ERR its error. */
static int give(struct probe *probe, struct ss_feedback feedback, struct ss_error *err)
{
	*err = (struct ss_error){.status = SS_OK};
	feedback.struct_size = sizeof feedback;
	feedback.given_at_ns = probe->now_ns;
	return probe->failed ? 0
			     : probe->storage->store_feedback(probe->instance, &feedback, 1, err);
}

static void keeps_what_is_not_given(struct probe *probe)
{
	struct ss_error err;
	const char *article = probe_name(probe, "a");
	const struct ss_turn turn = showing(probe_first(probe, "ann"), &article, 1);
	probe_store(probe, &turn);
	probe_vote(probe, &turn, 1);
	const struct ss_feedback given = {
		.turn_id = turn.turn_id,
		.was_helpful = -1,
		.rating = 5,
		.comment = "Thanks 😀, that's it",
		.issues = "[\"too long\"]",
	};
	int result = give(probe, given, &err);
	probe_expect_success(probe, "a rating, a comment and issues without a vote", result, &err);
	probe_expect(probe, "the article, whose vote stays as it was",
		"views 1, helpful 1, not helpful 0", probe_article(probe, article));
}

static void refuses_feedback_alone(struct probe *probe)
{
	struct ss_feedback feedback[3];
	struct ss_error errors[3] = {{.status = SS_OK}};
	const char *const shown[] = {probe_name(probe, "a"), probe_name(probe, "b")};
	const struct ss_turn first = showing(probe_first(probe, "ann"), &shown[0], 1);
	const struct ss_turn second = showing(probe_next(probe, &first), &shown[1], 1);
	probe_store(probe, &first);
	probe_store(probe, &second);
	for (size_t i = 0; i < 3; i++)
		feedback[i] = (struct ss_feedback){.struct_size = sizeof feedback[i],
			.turn_id = i == 0   ? first.turn_id
				   : i == 1 ? probe_id(probe, "")
					    : second.turn_id,
			.was_helpful = 1,
			.given_at_ns = probe->now_ns};
	if (probe->failed)
		return;
	int result = probe->storage->store_feedback(probe->instance, feedback, 3, errors);
	probe_expect_int(probe, "store_feedback() with one of three on an unknown turn", 0, result);
	probe_expect_success(probe, "the feedback before it", 0, &errors[0]);
	probe_expect_refusal(probe, "the feedback on a turn that is not stored", SS_NOT_FOUND,
		errors[1].status == SS_OK ? 0 : -1, &errors[1]);
	probe_expect_success(probe, "the feedback behind it", 0, &errors[2]);
	for (size_t i = 0; i < 2; i++)
		probe_expect(probe, "the articles of those that are stored",
			"views 1, helpful 1, not helpful 0", probe_article(probe, shown[i]));
}

static void refuses_wrong_feedback(struct probe *probe)
{
	static const struct {
		const char *what;
		int64_t was_helpful, rating;
	} rows[] = {
		{"a vote of 2", 2, 0},
		{"a rating of 6", -1, 6},
		{"a rating of -1", -1, -1},
		{"a vote with a rating of 6", 1, 6},
	};
	const char *article = probe_name(probe, "a");
	const struct ss_turn turn = showing(probe_first(probe, "ann"), &article, 1);
	probe_store(probe, &turn);
	for (size_t i = 0; i < array_length(rows) && !probe->failed; i++) {
		struct ss_error err;
		int result = give(probe,
			(struct ss_feedback){.turn_id = turn.turn_id,
				.was_helpful = rows[i].was_helpful,
				.rating = rows[i].rating},
			&err);
		probe_expect_int(probe, rows[i].what, 0, result);
		probe_expect_refusal(
			probe, rows[i].what, SS_INVALID, err.status == SS_OK ? 0 : -1, &err);
	}
	probe_expect(probe, "the article, for which none of it counts",
		"views 1, helpful 0, not helpful 0", probe_article(probe, article));
}

/* An order of letters as people have it would put "a" before "B", and "é" between "e" and "f". */
static void compares_bytes(struct probe *probe)
{
	static const char *const letters[] = {"a", "Z", "f", "B", "é", "b", "_"};
	const char *shown[array_length(letters)];
	for (size_t i = 0; i < array_length(letters); i++)
		shown[i] = probe_format(probe, "%s-%s", probe->run, letters[i]);
	const struct ss_turn turn = showing(probe_first(probe, "ann"), shown, array_length(shown));
	probe_store(probe, &turn);
	const char *run = probe->run;
	probe_expect(probe, "the articles from B to a",
		probe_format(probe, "%s-B|%s-Z|%s-_|%s-a", run, run, run, run),
		probe_articles(probe, shown[3], shown[0]));
	probe_expect(probe, "the articles from b to the last one",
		probe_format(probe, "%s-b|%s-f|%s-é", run, run, run),
		probe_articles(probe, shown[5], shown[4]));
	probe_expect(probe, "the articles from C to E", "",
		probe_articles(
			probe, probe_format(probe, "%s-C", run), probe_format(probe, "%s-E", run)));
}

static const struct probe_case cases[] = {
	{"a turn counts once for each article that it shows", counts_views},
	{"a vote counts for each article of its turn, and another one takes its place",
		replaces_votes},
	{"feedback leaves what it does not give as it was", keeps_what_is_not_given},
	{"feedback on a turn that is not stored is refused alone", refuses_feedback_alone},
	{"a vote or a rating out of bounds is refused and counts for nothing",
		refuses_wrong_feedback},
	{"a range of articles has both its ends and is compared byte by byte", compares_bytes},
};

const struct probe_area feedback_area = {"feedback", cases, array_length(cases)};
