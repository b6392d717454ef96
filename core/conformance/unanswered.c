/* The questions that have no answer, page by page. Others may be in the list, so it is read until those of the probe
 * were seen. */
#include "base/text.h"
#include "conformance/probe.h"
#include "value/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A turn whose question QUESTION says the same as others of KEY. Both are the probe's. */
static struct ss_turn lacking(struct probe *probe, const char *key, const char *question)
{
	struct ss_turn turn = probe_first(probe, "ann");
	turn.unanswered = probe_name(probe, key);
	turn.message = text_of(probe_name(probe, question));
	return turn;
}

static void ask(struct probe *probe, const char *key, size_t times)
{
	for (size_t i = 0; i < times; i++) {
		const struct ss_turn turn = lacking(probe, key, key);
		probe_store(probe, &turn);
	}
}

static const struct ss_value *read_page(
	struct probe *probe, bool most_asked, const char *user_id, const char *after, size_t limit)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *page = NULL;
	const struct ss_unanswered_filter filter = {
		.struct_size = sizeof filter,
		.most_asked = most_asked,
		.after = after,
		.limit = limit,
		.user_id = user_id,
	};
	if (probe->failed)
		return NULL;
	int result = probe->storage->list_unanswered(probe->instance, &filter, &page, &err);
	probe_expect_success(probe, "reading with list_unanswered()", result, &err);
	page = result == 0 ? page : NULL;
	if (value_count(value_get(page, "items")) > limit)
		probe_fail(probe, "a page of list_unanswered()", "no more items than its limit",
			"%zu with the limit %zu", value_count(value_get(page, "items")), limit);
	return probe_keep(probe, page);
}

/* A walk through the list: what it saw of the probe's questions, without what makes their names unique. */
struct walk {
	struct probe *probe;
	bool most_asked;
	const char *user_id; /* NULL: of all */
	size_t limit;
	const char *seen; /* "a|b" */
	size_t count;
	bool over;
	const char *after;
	int64_t last; /* the figure by which the list is ordered, of the item before */
	const char *last_at;
};

static void see(struct walk *walk, const struct ss_value *item)
{
	struct probe *probe = walk->probe;
	const char *question = probe_string(item, "question");
	const char *last_at = probe_string(item, "last_at");
	int64_t count = value_as_int(value_get(item, "count"));
	if (walk->most_asked && count > walk->last)
		probe_fail(probe, "the order of the most asked questions",
			"the one that was asked more before the other", "%lld before %lld",
			(long long)walk->last, (long long)count);
	if ((!walk->most_asked || count == walk->last) && walk->last_at != NULL &&
		strcmp(last_at, walk->last_at) > 0)
		probe_fail(probe, "the order of questions, by when they were asked last",
			"the newest first", "%s before %s", walk->last_at, last_at);
	walk->last = count;
	walk->last_at = last_at;
	const char *unique = strstr(question, probe->run);
	if (unique == NULL || unique == question)
		return;
	walk->seen = probe_format(probe, "%s%s%.*s", walk->seen, walk->count > 0 ? "|" : "",
		(int)(unique - question - 1), question);
	walk->count++;
}

static struct walk walk_begin(struct probe *probe, bool most_asked, size_t limit)
{
	return (struct walk){.probe = probe,
		.most_asked = most_asked,
		.limit = limit,
		.seen = "",
		.last = INT64_MAX};
}

/* Reads pages until COUNT of the probe's questions were seen, or the end. */
static void walk_on(struct walk *walk, size_t count)
{
	while (!walk->probe->failed && !walk->over && walk->count < count) {
		const struct ss_value *page = read_page(
			walk->probe, walk->most_asked, walk->user_id, walk->after, walk->limit);
		const struct ss_value *items = value_get(page, "items");
		for (size_t i = 0; i < value_count(items); i++)
			see(walk, value_at(items, i));
		const struct ss_value *next = value_get(page, "next");
		walk->after = value_as_string(next, NULL);
		walk->over = next == NULL;
		if (!walk->over && value_count(items) == 0)
			probe_fail(walk->probe, "a page with a \"next\"", "items", "none");
	}
}

static void joins_the_same(struct probe *probe)
{
	struct ss_turn turns[3];
	turns[0] = lacking(probe, "key", "What is it");
	turns[1] = lacking(probe, "key", "what's IT?");
	turns[1].category = probe_name(probe, "other");
	/* Stored last, and asked before the others. */
	turns[2] = lacking(probe, "key", "what is it, then");
	turns[2].asked_at_ns = turns[0].asked_at_ns - PROBE_SECOND_NS;
	probe_store_all(probe, turns, 3);
	const struct ss_value *found = NULL;
	const char *after = NULL;
	do {
		const struct ss_value *page = read_page(probe, false, NULL, after, 100);
		const struct ss_value *items = value_get(page, "items");
		for (size_t i = 0; found == NULL && i < value_count(items); i++) {
			const struct ss_value *item = value_at(items, i);
			if (strstr(probe_string(item, "question"), probe->run) != NULL)
				found = item;
		}
		after = value_as_string(value_get(page, "next"), NULL);
	} while (found == NULL && after != NULL);
	const char *expected = probe_format(probe,
		"{\"category\":\"%s\",\"count\":3,\"first_at\":\"%s\",\"last_at\":\"%s\","
		"\"question\":\"%s\"}",
		turns[1].category, probe_time(probe, turns[2].asked_at_ns),
		probe_time(probe, turns[1].asked_at_ns), turns[1].message.data);
	probe_expect_json(
		probe, "a question that was asked three times in other words", expected, found);
}

static void pages_the_newest(struct probe *probe)
{
	static const char *const keys[] = {"a", "b", "c", "d", "e", "f", "g"};
	for (size_t i = 0; i < array_length(keys); i++)
		ask(probe, keys[i], 1);
	struct walk walk = walk_begin(probe, false, 2);
	walk_on(&walk, 1);
	ask(probe, "later", 1);
	walk_on(&walk, 4);
	ask(probe, "latest", 2);
	/* One that was seen is asked again, so it is at the front now. */
	ask(probe, "g", 1);
	walk_on(&walk, array_length(keys));
	probe_expect(probe, "pages of two, while other questions come", "g|f|e|d|c|b|a", walk.seen);
}

static void pages_the_most_asked(struct probe *probe)
{
	ask(probe, "three", 3);
	ask(probe, "one", 1);
	ask(probe, "five", 5);
	ask(probe, "two", 2);
	ask(probe, "one-later", 1);
	ask(probe, "four", 4);
	struct walk walk = walk_begin(probe, true, 2);
	walk_on(&walk, 1);
	/* Before what comes next, and one that was seen is asked again. */
	ask(probe, "nine", 9);
	ask(probe, "five", 1);
	walk_on(&walk, 4);
	ask(probe, "eight", 8);
	walk_on(&walk, 6);
	probe_expect(probe, "pages of two, while other questions come",
		"five|four|three|two|one-later|one", walk.seen);
}

static void ends(struct probe *probe)
{
	for (int most_asked = 0; most_asked < 2; most_asked++) {
		ask(probe, most_asked ? "a" : "b", 1);
		struct walk walk = walk_begin(probe, most_asked != 0, 1000);
		walk_on(&walk, SIZE_MAX);
		probe_expect(probe, "all pages of the list", most_asked ? "a|b" : "b", walk.seen);
	}
}

static void lists_of_one_user(struct probe *probe)
{
	static const char *const users[] = {"ann", "bob", "ann", "bob", "ann"};
	static const char *const keys[] = {"a", "b", "both", "both", "c"};
	struct ss_turn turns[array_length(users)];
	for (size_t i = 0; i < array_length(users); i++) {
		turns[i] = probe_first(probe, users[i]);
		turns[i].unanswered = probe_name(probe, keys[i]);
		turns[i].message = text_of(probe_name(probe, keys[i]));
	}
	probe_store_all(probe, turns, array_length(users));
	for (int most_asked = 0; most_asked < 2; most_asked++) {
		struct walk walk = walk_begin(probe, most_asked != 0, 1);
		walk.user_id = turns[0].user_id;
		walk_on(&walk, SIZE_MAX);
		probe_expect(probe, "the questions in one user's words", "c|a", walk.seen);
		walk = walk_begin(probe, most_asked != 0, 1);
		walk.user_id = turns[1].user_id;
		walk_on(&walk, SIZE_MAX);
		probe_expect(probe, "the questions in another one's words", "both|b", walk.seen);
	}
}

static void keeps_order_of_equals(struct probe *probe)
{
	struct ss_turn turns[5];
	for (size_t i = 0; i < array_length(turns); i++) {
		turns[i] = lacking(probe, probe_format(probe, "%zu", i), "same time");
		turns[i].asked_at_ns = probe->now_ns + 200 * PROBE_SECOND_NS;
	}
	probe_store_all(probe, turns, array_length(turns));
	for (int most_asked = 0; most_asked < 2; most_asked++) {
		struct walk walk = walk_begin(probe, most_asked != 0, 2);
		walk_on(&walk, array_length(turns));
		probe_expect(probe, "pages of two of questions of one time",
			"same time|same time|same time|same time|same time", walk.seen);
	}
}

static void refuses_other_places(struct probe *probe)
{
	static const char *const wrong[] = {"", "x", "-1", "1.2.3.4.5.6.7.8.9x", "'"};
	for (size_t i = 0; i < array_length(wrong) && !probe->failed; i++) {
		struct ss_error err = {.status = SS_OK};
		struct ss_value *page = NULL;
		const struct ss_unanswered_filter filter = {
			.struct_size = sizeof filter, .after = wrong[i], .limit = 1};
		int result = probe->storage->list_unanswered(probe->instance, &filter, &page, &err);
		probe_expect_refusal(probe,
			probe_format(probe, "list_unanswered() after \"%s\"", wrong[i]), SS_INVALID,
			result, &err);
		if (result == 0)
			value_unref(page);
	}
}

static const struct probe_case cases[] = {
	{"questions that say the same are one, in the words and the category of the last",
		joins_the_same},
	{"pages of the newest questions miss none and repeat none while others come",
		pages_the_newest},
	{"pages of the most asked questions miss none and repeat none while others come",
		pages_the_most_asked},
	{"the pages come to an end", ends},
	{"pages of questions of one time miss none and repeat none", keeps_order_of_equals},
	{"the questions in the words of one user are listed", lists_of_one_user},
	{"a list does not go on from a place that no list gave", refuses_other_places},
};

const struct probe_area unanswered_area = {"unanswered", cases, array_length(cases)};
