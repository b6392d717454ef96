/* What stats() counts. Some of its figures are of the whole store, so what matters is by how much they grow. */
#include "conformance/probe.h"
#include "value/value.h"

#include <math.h>
#include <stdio.h>

static int64_t grown(const struct ss_value *before, const struct ss_value *after, const char *key)
{
	return value_as_int(value_get(after, key)) - value_as_int(value_get(before, key));
}

/* The seconds that all turns took. */
static double response_time(const struct ss_value *stats)
{
	return value_as_number(value_get(stats, "avg_response_time")) *
	       value_as_number(value_get(stats, "total_queries"));
}

static void expect_about(struct probe *probe, const char *what, double expected, double came)
{
	char number[40];
	(void)snprintf(number, sizeof number, "about %g", expected);
	/* A double of a large sum is not exact. */
	if (fabs(expected - came) > 1e-3 + fabs(expected) * 1e-6)
		probe_fail(probe, what, number, "%g", came);
}

static void counts_turns(struct probe *probe)
{
	struct ss_turn turns[4];
	turns[0] = probe_first(probe, "ann");
	turns[1] = probe_next(probe, &turns[0]);
	turns[1].sentiment = probe_name(probe, "other-sentiment");
	turns[1].escalated = true;
	turns[1].escalation_reason = "Angry";
	turns[2] = probe_first(probe, "bob");
	turns[2].category = probe_name(probe, "other category 😀 '\"\\");
	turns[3] = probe_first(probe, "eve");
	turns[3].category = turns[3].sentiment = NULL;
	turns[3].duration_ns = 10 * PROBE_SECOND_NS;
	const struct ss_value *before = probe_stats(probe);
	probe_store_all(probe, turns, 4);
	const struct ss_value *after = probe_stats(probe);
	const struct ss_value *categories = value_get(after, "categories");
	const struct ss_value *sentiments = value_get(after, "sentiments");
	probe_expect_int(
		probe, "total_queries, grown by", 4, grown(before, after, "total_queries"));
	probe_expect_int(probe, "escalated, grown by", 1, grown(before, after, "escalated"));
	probe_expect_int(probe, "a category of two turns", 2,
		value_as_int(value_get(categories, turns[0].category)));
	probe_expect_int(probe, "a category of one turn", 1,
		value_as_int(value_get(categories, turns[2].category)));
	probe_expect_int(probe, "a sentiment of two turns", 2,
		value_as_int(value_get(sentiments, turns[0].sentiment)));
	probe_expect_int(probe, "a sentiment of one turn", 1,
		value_as_int(value_get(sentiments, turns[1].sentiment)));
	if (!probe->failed && value_get(categories, "") != NULL)
		probe_fail(probe, "turns without a category", "no entry in categories", "one");
}

static void tells_rates(struct probe *probe)
{
	struct ss_turn turns[2];
	turns[0] = probe_first(probe, "ann");
	turns[0].duration_ns = 3 * PROBE_SECOND_NS / 2;
	turns[1] = probe_next(probe, &turns[0]);
	turns[1].escalated = true;
	const struct ss_value *before = probe_stats(probe);
	probe_store_all(probe, turns, 2);
	const struct ss_value *after = probe_stats(probe);
	if (probe->failed)
		return;
	expect_about(probe, "avg_response_time times total_queries, in seconds",
		response_time(before) + 3, response_time(after));
	expect_about(probe, "escalation_rate",
		value_as_number(value_get(after, "escalated")) /
			value_as_number(value_get(after, "total_queries")),
		value_as_number(value_get(after, "escalation_rate")));
}

static void counts_active_conversations(struct probe *probe)
{
	struct ss_turn turns[3];
	turns[0] = probe_first(probe, "ann");
	turns[1] = probe_next(probe, &turns[0]);
	turns[2] = probe_first(probe, "ann");
	const struct ss_value *before = probe_stats(probe);
	probe_store_all(probe, turns, 3);
	probe_expect_int(probe, "active_conversations, grown by", 2,
		grown(before, probe_stats(probe), "active_conversations"));
}

static const struct probe_case cases[] = {
	{"a turn counts once in the totals, in its category and in its sentiment", counts_turns},
	{"rates and averages are of all turns", tells_rates},
	{"a conversation of some turns is active once", counts_active_conversations},
};

const struct probe_area figures_area = {"figures", cases, array_length(cases)};
