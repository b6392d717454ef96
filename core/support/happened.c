#include "support/happened.h"

#include "base/clock.h"
#include "base/memory.h"
#include "value/json.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

/* Adds an event of TYPE with DATA (taken). */
static void add(struct happened *happened, const char *type, struct ss_value *data)
{
	size_t i = happened->count++;
	happened->texts[i] = json_text(data);
	value_unref(data);
	happened->items[i] = (struct ss_event){
		.id = id_new("evt_", happened->ids[i]),
		.type = type,
		.data = {happened->texts[i], strlen(happened->texts[i])},
	};
}

struct ss_events happened_events(const struct happened *happened)
{
	return (struct ss_events){happened->items, happened->count};
}

void happened_free(struct happened *happened)
{
	for (size_t i = 0; i < happened->count; i++)
		free(happened->texts[i]);
	*happened = (struct happened){0};
}

/* The beginning of TEXT, which is UTF-8. */
static struct ss_value *beginning(struct ss_text text)
{
	size_t length = 0, characters = 0;
	for (; length < text.length; length++) {
		bool begins = ((unsigned char)text.data[length] & 0xc0) != 0x80;
		if (begins && ++characters > HAPPENED_CHARACTERS)
			break;
	}
	return value_string(text.data, length);
}

static struct ss_value *time_value(int64_t at_ns)
{
	char text[CLOCK_TEXT_SIZE];
	return value_text(clock_format(at_ns, text));
}

static struct ss_value *optional(const char *text)
{
	return text != NULL ? value_text(text) : NULL;
}

static struct ss_value *turn_data(const struct ss_turn *turn)
{
	return value_map_make({"conversation_id", value_text(turn->conversation_id)},
		{"turn_id", value_text(turn->turn_id)}, {"user_id", value_text(turn->user_id)},
		{"message", beginning(turn->message)}, {"response", beginning(turn->response)},
		{"category", optional(turn->category)}, {"sentiment", optional(turn->sentiment)},
		{"priority", value_int(turn->priority)}, {"escalated", value_bool(turn->escalated)},
		{"timestamp", time_value(turn->answered_at_ns)});
}

void happened_turn(struct happened *happened, const struct ss_turn *turn)
{
	struct ss_value *data = turn_data(turn);
	if (turn->escalated) {
		const char *reason = turn->escalation_reason;
		add(happened, "query.created", value_ref(data));
		add(happened, "query.escalated",
			value_map_with(data, "escalation_reason",
				value_text(reason != NULL ? reason : "")));
		value_unref(data);
		return;
	}
	add(happened, "query.created", data);
}

/* What CONVERSATION has as NAME. */
static struct ss_value *member(const struct ss_value *conversation, const char *name)
{
	return value_ref(value_get(conversation, name));
}

void happened_feedback(struct happened *happened, const struct ss_value *conversation,
	const struct ss_feedback *feedback)
{
	struct ss_error err = {0};
	const char *issues = feedback->issues;
	add(happened, "feedback.received",
		value_map_make({"conversation_id", member(conversation, "id")},
			{"turn_id", value_text(feedback->turn_id)},
			{"user_id", member(conversation, "user_id")},
			{"was_helpful", feedback->was_helpful >= 0
						? value_bool(feedback->was_helpful == 1)
						: NULL},
			{"rating", feedback->rating > 0 ? value_int(feedback->rating) : NULL},
			{"comment", optional(feedback->comment)},
			{"issues",
				issues != NULL ? json_parse(issues, strlen(issues), &err) : NULL},
			{"timestamp", time_value(feedback->given_at_ns)}));
}

/* How a conversation came to have STATUS. */
static const char *type_of(const char *status)
{
	if (strcmp(status, "resolved") == 0)
		return "query.resolved";
	return strcmp(status, "closed") == 0 ? "conversation.closed" : "conversation.reopened";
}

static struct ss_value *change_data(
	const struct ss_value *conversation, const struct ss_conversation_change *change)
{
	const char *status = change->status;
	return value_map_make({"conversation_id", member(conversation, "id")},
		{"user_id", member(conversation, "user_id")},
		{"category", member(conversation, "category")},
		{"sentiment", member(conversation, "sentiment")},
		{"priority", member(conversation, "priority")},
		{"status", status != NULL ? value_text(status) : member(conversation, "status")},
		{"message_id", optional(change->reply_id)},
		{"message", change->reply.data != NULL ? beginning(change->reply) : NULL},
		{"author", change->reply.data != NULL ? optional(change->author) : NULL},
		{"timestamp", time_value(change->at_ns)});
}

void happened_change(struct happened *happened, const struct ss_value *conversation,
	const struct ss_conversation_change *change)
{
	const char *status = change->status;
	if (change->reply.data != NULL)
		add(happened, "conversation.replied", change_data(conversation, change));
	if (status != NULL &&
		strcmp(status, value_as_string(value_get(conversation, "status"), NULL)) != 0)
		add(happened, type_of(status), change_data(conversation, change));
}
