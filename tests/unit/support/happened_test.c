#include "support/happened.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct happened happened;

static void tear_down(void)
{
	happened_free(&happened);
}

TestSuite(happened, .fini = tear_down);

/* The data of event INDEX, which must be of TYPE; new. */
static struct ss_value *data_of(size_t index, const char *type)
{
	const struct ss_events events = happened_events(&happened);
	cr_assert_lt(index, events.count);
	const struct ss_event *event = &events.items[index];
	cr_expect_str_eq(event->type, type);
	cr_expect_eq(strncmp(event->id, "evt_", 4), 0, "%s", event->id);
	struct ss_value *data = json_parse(event->data.data, event->data.length, NULL);
	cr_assert_not_null(data);
	return data;
}

static void expect_text(const struct ss_value *data, const char *name, const char *expected)
{
	const struct ss_value *value = value_get(data, name);
	if (expected == NULL)
		cr_expect_null(value, "there is a %s", name);
	else
		cr_expect_str_eq(value_as_string(value, NULL), expected, "%s", name);
}

static struct ss_turn a_turn(void)
{
	return (struct ss_turn){.turn_id = "turn_1",
		.conversation_id = "conv_1",
		.user_id = "ann",
		.message = text_of("Where is it?"),
		.response = text_of("There."),
		.category = "General",
		.priority = 5,
		.answered_at_ns = 1000000000};
}

Test(happened, a_question_is_told_once)
{
	const struct ss_turn turn = a_turn();
	happened_turn(&happened, &turn);
	cr_expect_eq(happened_events(&happened).count, 1);
	struct ss_value *data = data_of(0, "query.created");
	expect_text(data, "conversation_id", "conv_1");
	expect_text(data, "turn_id", "turn_1");
	expect_text(data, "user_id", "ann");
	expect_text(data, "message", "Where is it?");
	expect_text(data, "response", "There.");
	expect_text(data, "category", "General");
	expect_text(data, "sentiment", NULL);
	expect_text(data, "escalation_reason", NULL);
	expect_text(data, "timestamp", "1970-01-01T00:00:01.000000Z");
	cr_expect_eq(value_as_int(value_get(data, "priority")), 5);
	cr_expect_not(value_as_bool(value_get(data, "escalated")));
	value_unref(data);
}

Test(happened, an_escalation_is_told_as_well_with_its_reason)
{
	struct ss_turn turn = a_turn();
	turn.escalated = true;
	turn.escalation_reason = "priority 9 >= 8";
	happened_turn(&happened, &turn);
	cr_expect_eq(happened_events(&happened).count, 2);
	struct ss_value *created = data_of(0, "query.created");
	struct ss_value *escalated = data_of(1, "query.escalated");
	expect_text(created, "escalation_reason", NULL);
	expect_text(escalated, "escalation_reason", "priority 9 >= 8");
	expect_text(escalated, "message", "Where is it?");
	cr_expect_str_neq(happened.ids[0], happened.ids[1]);
	value_unref(created);
	value_unref(escalated);
}

Test(happened, long_texts_are_cut_between_characters)
{
	struct ss_turn turn = a_turn();
	struct buffer text = {0};
	for (int i = 0; i < HAPPENED_CHARACTERS + 7; i++)
		buffer_add_string(&text, "é");
	turn.message = (struct ss_text){buffer_text(&text), text.length};
	happened_turn(&happened, &turn);
	struct ss_value *data = data_of(0, "query.created");
	struct ss_text message = value_as_text(value_get(data, "message"));
	cr_expect_eq(text_characters(message), HAPPENED_CHARACTERS);
	cr_expect_eq(message.length, 2 * HAPPENED_CHARACTERS);
	value_unref(data);
	buffer_free(&text);
}

static struct ss_value *parsed(const char *text)
{
	return json_parse(text, strlen(text), NULL);
}

static struct ss_value *conversation(void)
{
	return parsed("{\"id\":\"conv_1\",\"user_id\":\"ann\",\"status\":\"active\","
		      "\"category\":\"Billing\",\"priority\":3}");
}

Test(happened, feedback_tells_what_was_given_and_nothing_else)
{
	struct ss_value *about = conversation();
	const struct ss_feedback feedback = {.turn_id = "turn_1",
		.was_helpful = -1,
		.rating = 4,
		.issues = "[\"slow\"]",
		.given_at_ns = 1};
	happened_feedback(&happened, about, &feedback);
	struct ss_value *data = data_of(0, "feedback.received");
	expect_text(data, "conversation_id", "conv_1");
	expect_text(data, "user_id", "ann");
	cr_expect_null(value_get(data, "was_helpful"));
	cr_expect_null(value_get(data, "comment"));
	cr_expect_eq(value_as_int(value_get(data, "rating")), 4);
	cr_expect_str_eq(value_as_string(value_at(value_get(data, "issues"), 0), NULL), "slow");
	value_unref(data);
	value_unref(about);
}

Test(happened, another_status_is_told_by_what_it_is)
{
	static const struct {
		const char *status, *type;
	} rows[] = {{"resolved", "query.resolved"}, {"closed", "conversation.closed"},
		{"escalated", "conversation.reopened"}};
	struct ss_value *about = conversation();
	for (size_t i = 0; i < array_length(rows); i++) {
		const struct ss_conversation_change change = {.status = rows[i].status};
		happened_change(&happened, about, &change);
		cr_assert_eq(happened_events(&happened).count, 1);
		struct ss_value *data = data_of(0, rows[i].type);
		expect_text(data, "status", rows[i].status);
		expect_text(data, "category", "Billing");
		expect_text(data, "message", NULL);
		value_unref(data);
		happened_free(&happened);
	}
	value_unref(about);
}

Test(happened, the_same_status_is_no_event)
{
	struct ss_value *about = conversation();
	const struct ss_conversation_change change = {.status = "active"};
	happened_change(&happened, about, &change);
	cr_expect_eq(happened_events(&happened).count, 0);
	value_unref(about);
}

Test(happened, a_reply_is_told_before_the_status_that_comes_with_it)
{
	struct ss_value *about = conversation();
	const struct ss_conversation_change change = {.status = "resolved",
		.reply = text_of("Done."),
		.reply_id = "msg_1",
		.author = "Kim"};
	happened_change(&happened, about, &change);
	struct ss_value *replied = data_of(0, "conversation.replied");
	struct ss_value *resolved = data_of(1, "query.resolved");
	expect_text(replied, "message", "Done.");
	expect_text(replied, "message_id", "msg_1");
	expect_text(replied, "author", "Kim");
	expect_text(resolved, "status", "resolved");
	value_unref(replied);
	value_unref(resolved);
	value_unref(about);
}
