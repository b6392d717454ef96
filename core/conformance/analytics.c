/* Figures over time. They are of the whole store, so what matters is by how much they grow, or what they say of names that
 * are the probe's. */
#include "conformance/probe.h"
#include "value/value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_NS (24 * PROBE_HOUR_NS)

/* A whole day that is over, in which nobody writes. */
static int64_t day_of(const struct probe *probe)
{
	return probe->now_ns / DAY_NS * DAY_NS - 3 * DAY_NS;
}

static const struct ss_value *read(
	struct probe *probe, int64_t from_ns, int64_t to_ns, int64_t step_ns)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *series = NULL;
	const struct ss_analytics_range range = {.struct_size = sizeof range,
		.from_ns = from_ns,
		.to_ns = to_ns,
		.step_ns = step_ns};
	if (probe->failed)
		return NULL;
	int result = probe->storage->read_analytics(probe->instance, &range, &series, &err);
	probe_expect_success(probe, "reading with read_analytics()", result, &err);
	return probe_keep(probe, result == 0 ? series : NULL);
}

/* The step of SERIES that begins at AT_NS; NULL when it is not there. */
static const struct ss_value *step(
	struct probe *probe, const struct ss_value *series, int64_t at_ns)
{
	const char *at = probe_time(probe, at_ns);
	for (size_t i = 0; i < value_count(series); i++) {
		if (strcmp(probe_string(value_at(series, i), "at"), at) == 0)
			return value_at(series, i);
	}
	return NULL;
}

/* What is counted in one hour, as a text. Sums are of the turns' seconds and of the ratings. */
struct figures {
	int64_t queries, escalated, resolved, seconds, ratings, rating_sum;
};

static struct figures figures_of(const struct ss_value *step)
{
	const struct ss_value *ratings = value_get(step, "ratings");
	struct figures figures = {
		.queries = value_as_int(value_get(step, "queries")),
		.escalated = value_as_int(value_get(step, "escalated")),
		.resolved = value_as_int(value_get(step, "resolved")),
		.ratings = value_as_int(value_get(ratings, "count")),
	};
	figures.seconds = llround(
		value_as_number(value_get(step, "response_time")) * (double)figures.queries);
	figures.rating_sum =
		llround(value_as_number(value_get(ratings, "average")) * (double)figures.ratings);
	return figures;
}

static struct figures read_hour(struct probe *probe, int64_t hour_ns)
{
	const struct ss_value *series =
		read(probe, hour_ns, hour_ns + PROBE_HOUR_NS, PROBE_HOUR_NS);
	return figures_of(step(probe, series, hour_ns));
}

/* By how much the figures of the hour have grown since BEFORE. */
static const char *grown(struct probe *probe, int64_t hour_ns, const struct figures *before)
{
	struct figures after = read_hour(probe, hour_ns);
	return probe_format(probe,
		"%lld queries, %lld escalated, %lld resolved, %lld s, %lld ratings of %lld",
		(long long)(after.queries - before->queries),
		(long long)(after.escalated - before->escalated),
		(long long)(after.resolved - before->resolved),
		(long long)(after.seconds - before->seconds),
		(long long)(after.ratings - before->ratings),
		(long long)(after.rating_sum - before->rating_sum));
}

static struct ss_turn asked_at(struct probe *probe, int64_t at_ns)
{
	struct ss_turn turn = probe_first(probe, "ann");
	turn.asked_at_ns = turn.answered_at_ns = at_ns;
	turn.duration_ns = 2 * PROBE_SECOND_NS;
	return turn;
}

static void counts_by_hour(struct probe *probe)
{
	struct ss_turn turns[4];
	const int64_t hour = day_of(probe) + 5 * PROBE_HOUR_NS;
	const struct figures before = read_hour(probe, hour);
	turns[0] = asked_at(probe, hour);
	turns[1] = asked_at(probe, hour + PROBE_HOUR_NS - 1000);
	turns[1].escalated = true;
	turns[1].category = probe_name(probe, "other '\"\\ 😀");
	turns[1].sentiment = NULL;
	turns[2] = asked_at(probe, hour - 1000);
	turns[3] = asked_at(probe, hour + PROBE_HOUR_NS);
	probe_store_all(probe, turns, 4);
	probe_expect(probe, "what an hour of two turns has more",
		"2 queries, 1 escalated, 0 resolved, 4 s, 0 ratings of 0",
		grown(probe, hour, &before));
	const struct ss_value *series = read(probe, hour, hour + 2 * PROBE_HOUR_NS, PROBE_HOUR_NS);
	const struct ss_value *first = step(probe, series, hour);
	const struct ss_value *categories = value_get(first, "categories");
	probe_expect_int(probe, "a category of one turn in the hour", 1,
		value_as_int(value_get(categories, turns[0].category)));
	probe_expect_int(probe, "another category in the hour", 1,
		value_as_int(value_get(categories, turns[1].category)));
	probe_expect_int(probe, "a sentiment of one turn in the hour", 1,
		value_as_int(value_get(value_get(first, "sentiments"), turns[0].sentiment)));
	probe_expect_int(probe, "the category in the hour behind", 1,
		value_as_int(value_get(
			value_get(step(probe, series, hour + PROBE_HOUR_NS), "categories"),
			turns[0].category)));
	if (!probe->failed && value_get(categories, "") != NULL)
		probe_fail(probe, "a turn without a category", "no entry in categories", "one");
}

static void sums_days(struct probe *probe)
{
	struct ss_turn turns[4];
	const int64_t day = day_of(probe);
	turns[0] = asked_at(probe, day);
	turns[1] = asked_at(probe, day + DAY_NS - 1000);
	turns[2] = asked_at(probe, day - 1000);
	turns[3] = asked_at(probe, day + DAY_NS);
	probe_store_all(probe, turns, 4);
	const struct ss_value *series = read(probe, day - DAY_NS, day + DAY_NS, DAY_NS);
	const int64_t days[] = {day - DAY_NS, day};
	for (size_t i = 0; i < array_length(days); i++)
		probe_expect_int(probe, "a category in a day", (int64_t)i + 1,
			value_as_int(
				value_get(value_get(step(probe, series, days[i]), "categories"),
					turns[0].category)));
	if (!probe->failed && step(probe, series, day + DAY_NS) != NULL)
		probe_fail(probe, "the day that a series ends before", "none of it", "a step");
	for (size_t i = 1; i < value_count(series) && !probe->failed; i++) {
		const char *at = probe_string(value_at(series, i), "at");
		if (strcmp(probe_string(value_at(series, i - 1), "at"), at) >= 0)
			probe_fail(probe, "the order of steps", "the oldest first", "%s", at);
	}
}

static void counts_ratings(struct probe *probe)
{
	struct ss_turn turns[2];
	const int64_t hour = day_of(probe) + 7 * PROBE_HOUR_NS;
	const struct figures before = read_hour(probe, hour);
	turns[0] = asked_at(probe, hour - 5 * PROBE_HOUR_NS);
	turns[1] = asked_at(probe, hour - 5 * PROBE_HOUR_NS);
	probe_store_all(probe, turns, 2);
	probe_rate(probe, &turns[0], 5, hour + 1000);
	probe_rate(probe, &turns[1], 2, hour + PROBE_HOUR_NS - 1000);
	probe_expect(probe, "what an hour of two ratings has more",
		"0 queries, 0 escalated, 0 resolved, 0 s, 2 ratings of 7",
		grown(probe, hour, &before));
	const struct figures later = read_hour(probe, hour + PROBE_HOUR_NS);
	probe_rate(probe, &turns[0], 1, hour + PROBE_HOUR_NS + 1000);
	probe_rate(probe, &turns[0], 1, hour + PROBE_HOUR_NS + 2000);
	probe_rate(probe, &turns[1], 0, hour + PROBE_HOUR_NS + 1000);
	probe_expect(probe, "the same when one of them was changed later",
		"0 queries, 0 escalated, 0 resolved, 0 s, 2 ratings of 3",
		grown(probe, hour, &before));
	probe_expect(probe, "the hour in which it was changed",
		"0 queries, 0 escalated, 0 resolved, 0 s, 0 ratings of 0",
		grown(probe, hour + PROBE_HOUR_NS, &later));
	probe_delete_conversation(probe, turns[0].conversation_id);
	probe_expect(probe, "the same when one of the conversations was deleted",
		"0 queries, 0 escalated, 0 resolved, 0 s, 2 ratings of 3",
		grown(probe, hour, &before));
}

static void counts_resolutions(struct probe *probe)
{
	static const char *const statuses[] = {
		"resolved", "resolved", "active", "resolved", "closed", "escalated"};
	const int64_t hour = day_of(probe) + 9 * PROBE_HOUR_NS;
	const struct figures before = read_hour(probe, hour);
	const struct ss_turn turn = asked_at(probe, hour - PROBE_HOUR_NS);
	probe_store(probe, &turn);
	struct ss_conversation_change change = probe_changing(&turn);
	change.at_ns = hour;
	for (size_t i = 0; i < array_length(statuses); i++) {
		change.status = statuses[i];
		(void)probe_change(probe, change);
	}
	probe_expect(probe, "what an hour has more in which one was resolved, and once more",
		"0 queries, 0 escalated, 2 resolved, 0 s, 0 ratings of 0",
		grown(probe, hour, &before));
}

static void refuses_other_ranges(struct probe *probe)
{
	const struct ss_analytics_range wrong[] = {
		{.from_ns = 1, .to_ns = PROBE_HOUR_NS, .step_ns = PROBE_HOUR_NS},
		{.from_ns = 0, .to_ns = PROBE_HOUR_NS + 1, .step_ns = PROBE_HOUR_NS},
		{.from_ns = 0, .to_ns = PROBE_HOUR_NS, .step_ns = PROBE_HOUR_NS / 2},
		{.from_ns = 0, .to_ns = PROBE_HOUR_NS, .step_ns = 0},
		{.from_ns = PROBE_HOUR_NS, .to_ns = 0, .step_ns = PROBE_HOUR_NS},
		{.from_ns = -PROBE_HOUR_NS, .to_ns = 0, .step_ns = PROBE_HOUR_NS},
	};
	for (size_t i = 0; i < array_length(wrong) && !probe->failed; i++) {
		struct ss_error err = {.status = SS_OK};
		struct ss_value *series = NULL;
		struct ss_analytics_range range = wrong[i];
		range.struct_size = sizeof range;
		int result = probe->storage->read_analytics(probe->instance, &range, &series, &err);
		probe_expect_refusal(probe, probe_format(probe, "the wrong range %zu", i),
			SS_INVALID, result, &err);
		if (result == 0)
			value_unref(series);
	}
	probe_expect_json(probe, "the figures of no time at all", "[]",
		read(probe, PROBE_HOUR_NS, PROBE_HOUR_NS, PROBE_HOUR_NS));
}

static const struct probe_case cases[] = {
	{"a turn counts in the hour of its question, in its category and its sentiment",
		counts_by_hour},
	{"steps of a day have the sums of their hours, and come in their order", sums_days},
	{"a rating counts when its turn was spoken of first, also when it changes later",
		counts_ratings},
	{"a conversation counts each time that it becomes resolved", counts_resolutions},
	{"a range of other times than whole hours is refused", refuses_other_ranges},
};

const struct probe_area analytics_area = {"analytics", cases, array_length(cases)};
