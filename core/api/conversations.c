/*
 * Conversations: GET /api/v1/conversations, GET and DELETE …/{id}, GET …/{id}/messages, and what operators do with them:
 * POST …/{id}/reply, …/resolve, …/close and …/reopen.
 */
#include "api/conversation.h"

#include "api/asked.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/memory.h"
#include "service/event_feed.h"
#include "support/happened.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

static int list(const struct ss_storage_operations *storage, void *instance, void *context,
	struct ss_error *err)
{
	struct asked *asked = context;
	return storage->list_conversations(instance, asked_question(asked), &asked->value, err);
}

void api_conversations(struct http_request *request)
{
	struct asked *asked = asked_make(request, struct ss_conversation_filter, asked_reply_page);
	struct ss_conversation_filter *filter = asked_question(asked);
	*filter = (struct ss_conversation_filter){
		.struct_size = sizeof *filter,
		.user_id = api_parameter_text(request, "user_id"),
		.status = api_parameter_text(request, "status"),
		.category = api_parameter_text(request, "category"),
		.sentiment = api_parameter_text(request, "sentiment"),
		.from_ns = asked_time(request, "from"),
		.to_ns = asked_time(request, "to"),
		.after = api_parameter_text(request, "cursor"),
		.limit = api_limit(request),
	};
	asked_run(asked, list);
}

/* One of them. */

/* The conversation of the filter, with a page of its messages. */
static int read(const struct ss_storage_operations *storage, void *instance, void *context,
	struct ss_error *err)
{
	struct asked *asked = context;
	const struct ss_message_filter *filter = asked_question(asked);
	struct ss_value *conversation = NULL, *page = NULL;
	if (storage->read_conversation(instance, filter->conversation_id, &conversation, err) < 0)
		return -1;
	if (storage->list_messages(instance, filter, &page, err) < 0) {
		value_unref(conversation);
		return -1;
	}
	const struct ss_value *next = value_get(page, "next");
	struct ss_value *whole =
		value_map_with(conversation, "messages", conversation_messages(page, true));
	asked->value = value_map_with(
		whole, "messages_cursor", next != NULL ? value_ref(next) : value_null());
	value_unref(whole);
	value_unref(conversation);
	value_unref(page);
	return 0;
}

static int list_messages(const struct ss_storage_operations *storage, void *instance, void *context,
	struct ss_error *err)
{
	struct asked *asked = context;
	return storage->list_messages(instance, asked_question(asked), &asked->value, err);
}

static void reply_messages(struct http_request *request, const struct ss_value *page)
{
	struct ss_value *reply = asked_page(conversation_messages(page, true), page);
	http_reply_json(request, 200, reply);
	value_unref(reply);
}

static struct asked *messages_new(struct http_request *request, asked_reply *reply)
{
	struct asked *asked = asked_make(request, struct ss_message_filter, reply);
	struct ss_message_filter *filter = asked_question(asked);
	*filter = (struct ss_message_filter){
		.struct_size = sizeof *filter,
		.conversation_id = api_parameter_text(request, "id"),
		.after = api_parameter_text(request, "cursor"),
		.limit = api_limit(request),
	};
	return asked;
}

void api_conversation(struct http_request *request)
{
	asked_run(messages_new(request, asked_reply_value), read);
}

void api_conversation_messages(struct http_request *request)
{
	asked_run(messages_new(request, reply_messages), list_messages);
}

static int delete (const struct ss_storage_operations *storage, void *instance, void *context,
	struct ss_error *err)
{
	return storage->delete_conversation(instance, asked_id(context), err);
}

/* Those who follow it, here and in other servers, may find out by themselves; here they are told at once. */
static void reply_deleted(struct http_request *request, const struct ss_value *nothing)
{
	const struct api *api = http_request_context(request);
	event_feed_tell(api->feed, api_parameter_text(request, "id"));
	asked_reply_nothing(request, nothing);
}

void api_conversation_delete(struct http_request *request)
{
	asked_run_id(request, api_parameter_text(request, "id"), delete, reply_deleted);
}

/* Changes. */

/* With the events of it: the conversation is read first, as they tell of it. */
static int change(const struct ss_storage_operations *storage, void *instance, void *context,
	struct ss_error *err)
{
	struct asked *asked = context;
	struct ss_conversation_change *change = asked_question(asked);
	struct ss_value *before = NULL;
	struct happened happened = {0};
	if (storage->read_conversation(instance, change->conversation_id, &before, err) < 0)
		return -1;
	happened_change(&happened, before, change);
	change->events = happened_events(&happened);
	int result = storage->change_conversation(instance, change, &asked->value, err);
	happened_free(&happened);
	value_unref(before);
	return result;
}

static struct asked *change_new(struct http_request *request, asked_reply *reply)
{
	struct asked *asked = asked_make(request, struct ss_conversation_change, reply);
	struct ss_conversation_change *change = asked_question(asked);
	*change = (struct ss_conversation_change){
		.struct_size = sizeof *change,
		.conversation_id = api_parameter_text(request, "id"),
		.at_ns = clock_utc_ns(),
	};
	return asked;
}

static void set_status(struct http_request *request, const char *status)
{
	struct asked *asked = change_new(request, asked_reply_value);
	struct ss_conversation_change *change_to = asked_question(asked);
	change_to->status = status;
	asked_run(asked, change);
}

void api_conversation_resolve(struct http_request *request)
{
	set_status(request, "resolved");
}

void api_conversation_close(struct http_request *request)
{
	set_status(request, "closed");
}

void api_conversation_reopen(struct http_request *request)
{
	set_status(request, "active");
}

/* Replies with the message that was stored: the reply's, and what the change made of it. */
static int add_reply(const struct ss_storage_operations *storage, void *instance, void *context,
	struct ss_error *err)
{
	struct asked *asked = context;
	const struct ss_conversation_change *reply = asked_question(asked);
	char at[CLOCK_TEXT_SIZE];
	if (change(storage, instance, context, err) < 0)
		return -1;
	struct ss_value *conversation = asked->value;
	struct ss_value *message = value_map_make({"id", value_text(reply->reply_id)},
		{"conversation_id", value_text(reply->conversation_id)},
		{"role", value_text("human")},
		{"content", value_string(reply->reply.data, reply->reply.length)},
		{"author", reply->author != NULL ? value_text(reply->author) : NULL},
		{"at", value_text(clock_format(reply->at_ns, at))},
		{"status", value_ref(value_get(conversation, "status"))});
	value_unref(conversation);
	asked->value = message;
	return 0;
}

static void reply_added(struct http_request *request, const struct ss_value *message)
{
	char *location = memory_format("/api/v1/conversations/%s/messages",
		value_as_string(value_get(message, "conversation_id"), NULL));
	http_reply_header(request, "Location", location);
	free(location);
	http_reply_json(request, 201, message);
}

void api_conversation_reply(struct http_request *request)
{
	struct asked *asked = change_new(request, reply_added);
	struct ss_conversation_change *reply = asked_question(asked);
	reply->reply = value_as_text(value_get(api_body(request), "message"));
	if (api_subject_as(request, "msg_", asked->id) == NULL)
		(void)id_new("msg_", asked->id);
	reply->reply_id = asked->id;
	reply->author = asked_member(request, "author");
	asked_run(asked, add_reply);
}
