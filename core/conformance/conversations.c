/* Lists of conversations, and the messages of one. Others may be in the store. */
#include "base/text.h"
#include "conformance/probe.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

/* Of which of the COUNT TURNS' conversations each of ITEMS is, as "ba"; others are left out. */
static const char *letters(struct probe *probe, const struct ss_value *items,
	const struct ss_turn *turns, size_t count)
{
	const char *found = "";
	for (size_t i = 0; i < value_count(items); i++) {
		const char *id = probe_string(value_at(items, i), "id");
		for (size_t j = 0; j < count; j++) {
			if (strcmp(id, turns[j].conversation_id) == 0)
				found = probe_format(probe, "%s%c", found, (char)('a' + j));
		}
	}
	return found;
}

static const struct ss_value *read_page(
	struct probe *probe, const struct ss_conversation_filter *filter)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *page = NULL;
	struct ss_conversation_filter whole = *filter;
	if (probe->failed)
		return NULL;
	whole.struct_size = sizeof whole;
	int result = probe->storage->list_conversations(probe->instance, &whole, &page, &err);
	probe_expect_success(probe, "reading with list_conversations()", result, &err);
	page = result == 0 ? page : NULL;
	size_t items = value_count(value_get(page, "items"));
	if (items > filter->limit)
		probe_fail(probe, "a page of list_conversations()", "no more items than its limit",
			"%zu with the limit %zu", items, filter->limit);
	return probe_keep(probe, page);
}

/* A walk through a list: what it saw of some turns' conversations. */
struct walk {
	struct probe *probe;
	struct ss_conversation_filter filter;
	const struct ss_turn *turns;
	size_t count;
	const char *seen;
	bool over;
};

/* Reads pages until WANTED conversations were seen, or the end. */
static void walk_on(struct walk *walk, size_t wanted)
{
	while (!walk->probe->failed && !walk->over && strlen(walk->seen) < wanted) {
		const struct ss_value *page = read_page(walk->probe, &walk->filter);
		const struct ss_value *items = value_get(page, "items");
		const struct ss_value *next = value_get(page, "next");
		walk->seen = probe_format(walk->probe, "%s%s", walk->seen,
			letters(walk->probe, items, walk->turns, walk->count));
		walk->over = next == NULL;
		walk->filter.after = next != NULL ? value_as_string(next, NULL) : NULL;
		if (!walk->over && value_count(items) == 0)
			probe_fail(walk->probe, "a page with a \"next\"", "items", "none");
	}
}

/* All that is in the list, page by page. */
static const char *list(struct probe *probe, const struct ss_conversation_filter *filter,
	const struct ss_turn *turns, size_t count)
{
	struct walk walk = {
		.probe = probe, .filter = *filter, .turns = turns, .count = count, .seen = ""};
	walk_on(&walk, SIZE_MAX);
	return walk.seen;
}

static void tells_what_it_is(struct probe *probe)
{
	const struct ss_text question = probe_long_text(probe, "é😀", 150);
	struct ss_turn turns[2];
	turns[0] = probe_first(probe, "ann");
	turns[0].message = question;
	turns[1] = probe_next(probe, &turns[0]);
	turns[1].category = probe_name(probe, "other");
	turns[1].sentiment = NULL;
	turns[1].priority = 9;
	turns[1].escalated = true;
	probe_store_all(probe, turns, 2);
	const char *expected = probe_format(probe,
		"[{\"category\":\"%s\",\"created_at\":\"%s\",\"id\":\"%s\",\"message_count\":4,"
		"\"priority\":9,\"question\":\"%s\",\"sentiment\":\"%s\",\"status\":\"escalated\","
		"\"updated_at\":\"%s\",\"user_id\":\"%s\"}]",
		turns[1].category, probe_time(probe, turns[0].asked_at_ns),
		turns[0].conversation_id, probe_long_text(probe, "é😀", 100).data,
		turns[0].sentiment, probe_time(probe, turns[1].answered_at_ns), turns[0].user_id);
	const struct ss_conversation_filter filter = {.user_id = turns[0].user_id, .limit = 5};
	const struct ss_value *items = value_get(read_page(probe, &filter), "items");
	probe_expect_json(probe, "a list of one conversation of two turns", expected, items);
	probe_expect_json(probe, "the same, read by its id",
		probe_format(probe, "%.*s", (int)strlen(expected) - 2, expected + 1),
		probe_conversation(probe, turns[0].conversation_id));
}

/* Six conversations, each changed a second after the one before. */
static void store_six(struct probe *probe, struct ss_turn turns[6])
{
	for (size_t i = 0; i < 6; i++) {
		turns[i] = probe_first(probe, i < 4 ? "ann" : "bob");
		turns[i].category = probe_name(probe, i % 2 == 0 ? "even" : "odd");
		turns[i].sentiment = i == 0 ? NULL : probe_name(probe, i < 3 ? "low" : "high");
		turns[i].escalated = i == 1 || i == 4;
	}
	probe_store_all(probe, turns, 6);
}

static void filters(struct probe *probe)
{
	static const struct {
		const char *user, *status, *category, *sentiment, *expected;
	} rows[] = {
		{"ann", NULL, NULL, NULL, "dcba"},
		{"bob", NULL, NULL, NULL, "fe"},
		{"eve", NULL, NULL, NULL, ""},
		{"ann", "escalated", NULL, NULL, "b"},
		{"bob", "active", NULL, NULL, "f"},
		{"ann", "closed", NULL, NULL, ""},
		{NULL, NULL, "even", NULL, "eca"},
		{NULL, NULL, "none", NULL, ""},
		{NULL, "escalated", "even", NULL, "e"},
		{NULL, NULL, NULL, "low", "cb"},
		{NULL, NULL, "odd", "high", "fd"},
		{"ann", NULL, "odd", "high", "d"},
		{NULL, "active", NULL, "high", "fd"},
	};
	struct ss_turn turns[6];
	store_six(probe, turns);
	for (size_t i = 0; i < array_length(rows); i++) {
		const struct ss_conversation_filter filter = {
			.user_id = rows[i].user != NULL ? probe_name(probe, rows[i].user) : NULL,
			.status = rows[i].status,
			.category = rows[i].category != NULL ? probe_name(probe, rows[i].category)
							     : NULL,
			.sentiment = rows[i].sentiment != NULL
					     ? probe_name(probe, rows[i].sentiment)
					     : NULL,
			.limit = 2,
		};
		probe_expect(probe, probe_format(probe, "the list by filter %zu", i),
			rows[i].expected, list(probe, &filter, turns, 6));
	}
	const struct ss_conversation_filter by_status = {.status = "escalated", .limit = 3};
	probe_expect(probe, "the list of all that are escalated", "eb",
		list(probe, &by_status, turns, 6));
	const struct ss_conversation_filter all = {.limit = 7};
	probe_expect(probe, "the list of all conversations", "fedcba", list(probe, &all, turns, 6));
}

static void filters_by_time(struct probe *probe)
{
	struct ss_turn turns[6];
	store_six(probe, turns);
	const int64_t second = turns[2].answered_at_ns / 1000 * 1000;
	const struct {
		int64_t from, to;
		const char *expected;
	} rows[] = {
		{second, 0, "dc"},
		{second + 1, 0, "d"},
		{second + 1000, 0, "d"},
		{0, second, "ba"},
		{0, second + 1, "cba"},
		{second, second + 1, "c"},
		{second, second, ""},
	};
	for (size_t i = 0; i < array_length(rows); i++) {
		const struct ss_conversation_filter filter = {
			.user_id = turns[0].user_id,
			.from_ns = rows[i].from,
			.to_ns = rows[i].to,
			.limit = 1,
		};
		probe_expect(probe, probe_format(probe, "the list by times %zu", i),
			rows[i].expected, list(probe, &filter, turns, 6));
	}
}

static void pages_while_others_come(struct probe *probe)
{
	struct ss_turn turns[6];
	store_six(probe, turns);
	struct walk walk = {
		.probe = probe, .filter = {.limit = 2}, .turns = turns, .count = 6, .seen = ""};
	walk_on(&walk, 2);
	/* One comes, and one that was seen changes: both are at the front now. */
	const struct ss_turn first = probe_first(probe, "ann");
	const struct ss_turn next = probe_next(probe, &turns[5]);
	probe_store(probe, &first);
	probe_store(probe, &next);
	walk_on(&walk, SIZE_MAX);
	probe_expect(probe, "pages of two, while other conversations come", "fedcba", walk.seen);
}

static void keeps_order_of_equals(struct probe *probe)
{
	struct ss_turn turns[5];
	for (size_t i = 0; i < array_length(turns); i++) {
		turns[i] = probe_first(probe, "ann");
		turns[i].asked_at_ns = turns[i].answered_at_ns = probe->now_ns;
	}
	probe_store_all(probe, turns, array_length(turns));
	const struct ss_conversation_filter whole = {.user_id = turns[0].user_id, .limit = 9};
	const struct ss_conversation_filter pages[] = {{.user_id = turns[0].user_id, .limit = 2},
		{.category = turns[0].category, .limit = 2}, {.limit = 2}};
	const char *expected = list(probe, &whole, turns, array_length(turns));
	probe_expect_int(
		probe, "conversations of one time in a list", 5, (int64_t)strlen(expected));
	for (size_t i = 0; i < array_length(pages); i++)
		probe_expect(probe, "pages of two of conversations of one time", expected,
			list(probe, &pages[i], turns, array_length(turns)));
}

static void refuses_other_places(struct probe *probe)
{
	static const char *const wrong[] = {
		"", "x", "-1.x", "12", ".", "'", "99999999999999999999.x"};
	for (size_t i = 0; i < array_length(wrong) && !probe->failed; i++) {
		struct ss_error err = {.status = SS_OK};
		struct ss_value *page = NULL;
		const struct ss_conversation_filter filter = {
			.struct_size = sizeof filter, .after = wrong[i], .limit = 1};
		int result =
			probe->storage->list_conversations(probe->instance, &filter, &page, &err);
		probe_expect_refusal(probe,
			probe_format(probe, "list_conversations() after \"%s\"", wrong[i]),
			SS_INVALID, result, &err);
		if (result == 0)
			value_unref(page);
	}
}

/* Messages. */

static const struct ss_value *read_messages(
	struct probe *probe, const char *conversation_id, const char *turn_id, size_t limit)
{
	const struct ss_message_filter filter = {
		.conversation_id = conversation_id, .turn_id = turn_id, .limit = limit};
	return probe_messages(probe, &filter);
}

static const char *message_id(const struct ss_value *page, size_t i)
{
	return probe_string(value_at(value_get(page, "items"), i), "id");
}

static void tells_all_of_a_turn(struct probe *probe)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_turn turn = probe_first(probe, "ann");
	turn.escalated = true;
	turn.escalation_reason = "Angry";
	turn.metadata = "{ \"b\":1, \"a\":[] }";
	probe_store(probe, &turn);
	const struct ss_feedback feedback = {
		.struct_size = sizeof feedback,
		.turn_id = turn.turn_id,
		.was_helpful = 0,
		.rating = 2,
		.comment = "no\n",
		.issues = "[\"slow\",\"wrong\"]",
		.given_at_ns = probe->now_ns,
	};
	if (probe->failed)
		return;
	int result = probe->storage->store_feedback(probe->instance, &feedback, 1, &err);
	probe_expect_success(probe, "store_feedback()", result, &err);
	const struct ss_value *page = read_messages(probe, turn.conversation_id, NULL, 10);
	const char *at = probe_time(probe, feedback.given_at_ns);
	const char *expected = probe_format(probe,
		"{\"items\":[{\"at\":\"%s\",\"content\":\"question "
		"1\",\"conversation_id\":\"%s\",\"id\":\"%s\",\"role\":\"user\","
		"\"seq\":1},{\"answered_by\":\"billing\",\"at\":\"%s\",\"attempts\":1,"
		"\"category\":\"%s\",\"content\":\"answer 1\",\"conversation_id\":\"%s\","
		"\"duration_ns\":250000000,"
		"\"escalated\":true,\"escalation_reason\":\"Angry\",\"feedback\":{\"comment\":"
		"\"no\\n\","
		"\"created_at\":\"%s\",\"issues\":[\"slow\",\"wrong\"],\"rating\":2,"
		"\"updated_at\":\"%s\",\"was_helpful\":false},\"id\":\"%s\","
		"\"metadata\":\"{ \\\"b\\\":1, \\\"a\\\":[] "
		"}\",\"priority\":5,\"role\":\"assistant\","
		"\"sentiment\":\"%s\",\"seq\":2,\"turn_id\":\"%s\"}]}",
		probe_time(probe, turn.asked_at_ns), turn.conversation_id, message_id(page, 0),
		probe_time(probe, turn.answered_at_ns), turn.category, turn.conversation_id, at, at,
		message_id(page, 1), turn.sentiment, turn.turn_id);
	probe_expect_json(probe, "the messages of a turn with feedback", expected, page);
}

static void pages_messages(struct probe *probe)
{
	enum { TURNS = 5 };
	struct ss_turn turns[TURNS];
	const char *seen = "", *after = NULL;
	for (size_t i = 0; i < TURNS; i++)
		turns[i] = i > 0 ? probe_next(probe, &turns[0]) : probe_first(probe, "ann");
	const struct ss_turn other = probe_first(probe, "ann");
	probe_store_all(probe, turns, TURNS);
	probe_store(probe, &other);
	do {
		const struct ss_message_filter filter = {
			.conversation_id = turns[0].conversation_id, .after = after, .limit = 3};
		const struct ss_value *page = probe_messages(probe, &filter);
		const struct ss_value *next = value_get(page, "next");
		seen = probe_format(probe, "%s%s%s", seen, seen[0] != '\0' ? "|" : "",
			probe_texts(probe, value_get(page, "items")));
		after = next != NULL ? value_as_string(next, NULL) : NULL;
	} while (after != NULL);
	probe_expect(probe, "pages of three messages",
		"question 1|answer 1|question 2|answer 2|question 3|answer 3|question 4|answer 4|"
		"question 5|answer 5",
		seen);
	const struct ss_value *pair = read_messages(probe, NULL, turns[3].turn_id, 10);
	probe_expect(probe, "the messages of one turn", "question 4|answer 4",
		probe_texts(probe, value_get(pair, "items")));
}

static void expect_no_messages(struct probe *probe, const char *what,
	struct ss_message_filter filter, enum ss_status status)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *page = NULL;
	filter.struct_size = sizeof filter;
	if (probe->failed)
		return;
	int result = probe->storage->list_messages(probe->instance, &filter, &page, &err);
	probe_expect_refusal(probe, what, status, result, &err);
	if (result == 0)
		value_unref(page);
}

static void knows_what_is_not_there(struct probe *probe)
{
	struct ss_error err = {.status = SS_OK};
	struct ss_value *conversation = NULL;
	const struct ss_turn turn = probe_first(probe, "ann");
	const char *unknown = probe_name(probe, "unknown");
	probe_store(probe, &turn);
	expect_no_messages(probe, "the messages of an unknown conversation",
		(struct ss_message_filter){.conversation_id = unknown, .limit = 5}, SS_NOT_FOUND);
	expect_no_messages(probe, "the messages of an unknown turn",
		(struct ss_message_filter){.turn_id = unknown, .limit = 5}, SS_NOT_FOUND);
	expect_no_messages(probe, "the messages of another conversation's turn",
		(struct ss_message_filter){
			.turn_id = turn.turn_id, .conversation_id = unknown, .limit = 5},
		SS_NOT_FOUND);
	expect_no_messages(probe, "messages behind a place that no list gave",
		(struct ss_message_filter){
			.conversation_id = turn.conversation_id, .after = "x", .limit = 5},
		SS_INVALID);
	if (probe->failed)
		return;
	int result =
		probe->storage->read_conversation(probe->instance, unknown, &conversation, &err);
	probe_expect_refusal(probe, "reading an unknown conversation", SS_NOT_FOUND, result, &err);
	if (result == 0)
		value_unref(conversation);
}

static const struct probe_case cases[] = {
	{"a conversation is what its turns made of it, with the beginning of its question",
		tells_what_it_is},
	{"a list has the conversations that fit its filter in all, those first that changed last",
		filters},
	{"times are compared to the microsecond, from one on and to before the other",
		filters_by_time},
	{"pages of conversations miss none and repeat none while others come",
		pages_while_others_come},
	{"pages of conversations of one time miss none and repeat none", keeps_order_of_equals},
	{"a list of conversations does not go on from a place that no list gave",
		refuses_other_places},
	{"messages are told with all that was decided and what the customer said of it",
		tells_all_of_a_turn},
	{"pages of messages are in their order, and a turn has two", pages_messages},
	{"a conversation or a turn that is not there is not found", knows_what_is_not_there},
};

const struct probe_area conversations_area = {"conversations", cases, array_length(cases)};
