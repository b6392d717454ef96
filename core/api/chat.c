/*
 * POST /v1/chat/completions: a customer's question as clients of OpenAI's API ask it. The last message is the question,
 * those before it are its history, and the conversation in which it is stored is the one that they belong to.
 */
#include "api/chat_messages.h"
#include "api/events.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/memory.h"
#include "support/support.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

/* A question that is being answered. */
struct chat {
	struct http_request *request;
	struct support_turn *turn;
	struct events *events; /* NULL: it gets one reply */
	char id[ID_SIZE];      /* of the completion */
	int64_t created_s;
	bool usage;
	/* What the client is given as the assistant's message. Nothing can be taken back from it: a response that
	 * begins anew stands behind an empty line. */
	struct buffer content;
	bool begins_anew;
	struct ss_value *earlier;
	struct ss_value *message;
	char *who;              /* whose thread it is */
	char thread[HASH_SIZE]; /* with the answer */
};

/* Who has the thread: a user; or of those who give none, an address, so that two of them who are told the same are not
 * taken for one. */
static char *who_asks(struct http_request *request, const char *user_id)
{
	return user_id != NULL ? memory_format("user %s", user_id)
			       : memory_format("address %s", http_request_peer(request));
}

static void chat_free(struct chat *chat)
{
	value_unref(chat->earlier);
	value_unref(chat->message);
	buffer_free(&chat->content);
	free(chat->who);
	free(chat);
}

/* The tokens that models took for REPLY, of the KIND "input_tokens" or "output_tokens". */
static int64_t tokens(const struct ss_value *reply, const char *kind)
{
	const struct ss_value *models = value_get(value_get(reply, "metadata"), "models");
	int64_t sum = 0;
	for (size_t i = 0; i < value_count(models); i++)
		sum += value_as_int(value_get(value_at(models, i), kind));
	return sum;
}

static struct ss_value *usage_of(const struct ss_value *reply)
{
	int64_t input = tokens(reply, "input_tokens");
	int64_t output = tokens(reply, "output_tokens");
	return value_map_make({"prompt_tokens", value_int(input)},
		{"completion_tokens", value_int(output)},
		{"total_tokens", value_int(input + output)});
}

/* A reference to the MEMBER of MAP; NULL when it has none. */
static struct ss_value *member(const struct ss_value *map, const char *name)
{
	return value_ref(value_get(map, name));
}

/* A completion or a part of one. NULL where there is nothing. */
struct completion {
	const char *object;
	const char *kind;         /* "message" or "delta" */
	struct ss_value *content; /* of the one choice, as KIND; taken. NULL: there is no choice */
	const char *finish_reason;
	struct ss_value *usage;           /* taken */
	const struct ss_value *decisions; /* what has category, sentiment and priority */
	const struct ss_value *reply;     /* once it is there */
};

static struct ss_value *choices_of(const struct completion *completion)
{
	if (completion->content == NULL)
		return value_list(NULL, 0);
	struct ss_value *choice = value_map_make({"index", value_int(0)},
		{completion->kind, completion->content}, {"logprobs", value_null()},
		{"finish_reason", value_text(completion->finish_reason)});
	return value_list(&choice, 1);
}

static struct ss_value *completion_value(
	const struct chat *chat, const struct completion *completion)
{
	const struct ss_value *metadata = value_get(completion->reply, "metadata");
	return value_map_make({"id", value_text(chat->id)},
		{"object", value_text(completion->object)}, {"created", value_int(chat->created_s)},
		{"model", value_text(OPENAI_MODEL)}, {"choices", choices_of(completion)},
		{"usage", completion->usage},
		{"category", member(completion->decisions, "category")},
		{"sentiment", member(completion->decisions, "sentiment")},
		{"priority", member(completion->decisions, "priority")},
		{"conversation_id", member(completion->reply, "conversation_id")},
		{"turn_id", member(metadata, "turn_id")},
		{"escalated", member(metadata, "escalated")},
		{"sources", member(metadata, "sources")});
}

/* Sends CHUNK, whose object and kind are those of the stream. */
static void send_chunk(const struct chat *chat, struct completion chunk)
{
	chunk.object = "chat.completion.chunk";
	chunk.kind = "delta";
	if (chat->usage && chunk.usage == NULL)
		chunk.usage = value_null();
	struct ss_value *value = completion_value(chat, &chunk);
	events_send_value(chat->events, NULL, value);
	value_unref(value);
}

static void on_analysis(void *context, const struct ss_value *analysis)
{
	const struct chat *chat = context;
	struct ss_value *delta =
		value_map_make({"role", value_text("assistant")}, {"content", value_text("")});
	send_chunk(chat, (struct completion){.content = delta, .decisions = analysis});
}

static void on_token(void *context, struct ss_text text)
{
	struct chat *chat = context;
	size_t before = chat->content.length;
	if (chat->begins_anew)
		buffer_add_string(&chat->content, "\n\n");
	chat->begins_anew = false;
	buffer_add(&chat->content, text.data, text.length);
	struct ss_value *delta = value_map_make({"content",
		value_string(chat->content.data + before, chat->content.length - before)});
	send_chunk(chat, (struct completion){.content = delta});
}

static void on_replace(void *context)
{
	struct chat *chat = context;
	chat->begins_anew = true;
}

static const char *on_thread(void *context, struct ss_text response)
{
	struct chat *chat = context;
	const struct ss_text content = {buffer_text(&chat->content), chat->content.length};
	return chat_thread(chat->who, chat->earlier, chat->message,
		chat->events != NULL ? &content : &response, chat->thread);
}

static const struct support_listener streaming = {
	.analysis = on_analysis,
	.token = on_token,
	.replace = on_replace,
	.thread = on_thread,
};

static const struct support_listener plain = {.thread = on_thread};

static void reply_error(const struct chat *chat, const struct ss_error *err)
{
	struct openai_error error;
	openai_take_error(&error, err);
	if (err->status == SS_NOT_FOUND)
		(void)snprintf(error.parameter, sizeof error.parameter, "conversation_id");
	if (chat->events != NULL && events_begun(chat->events)) {
		struct ss_value *value = openai_error_value(&error);
		events_send_value(chat->events, NULL, value);
		value_unref(value);
		events_end(chat->events);
		return;
	}
	events_free(chat->events);
	openai_reply_unanswered(chat->request, &error);
}

static void end_stream(const struct chat *chat, const struct ss_value *reply)
{
	send_chunk(chat, (struct completion){.content = value_map(NULL, NULL, 0),
				 .finish_reason = "stop",
				 .decisions = reply,
				 .reply = reply});
	if (chat->usage)
		send_chunk(chat, (struct completion){.usage = usage_of(reply)});
	events_send(chat->events, NULL, (struct ss_text){"[DONE]", 6});
	events_end(chat->events);
}

static void reply_whole(const struct chat *chat, const struct ss_value *reply)
{
	struct ss_value *message = value_map_make({"role", value_text("assistant")},
		{"content", member(reply, "response")}, {"refusal", value_null()});
	const struct completion completion = {
		.object = "chat.completion",
		.kind = "message",
		.content = message,
		.finish_reason = "stop",
		.usage = usage_of(reply),
		.decisions = reply,
		.reply = reply,
	};
	struct ss_value *value = completion_value(chat, &completion);
	http_reply_json(chat->request, 200, value);
	value_unref(value);
}

static void on_replied(void *context, const struct ss_value *reply, const struct ss_value *trace,
	const struct ss_error *err)
{
	struct chat *chat = context;
	(void)trace;
	http_on_cancel(chat->request, NULL, NULL);
	if (err != NULL)
		reply_error(chat, err);
	else if (chat->events != NULL)
		end_stream(chat, reply);
	else
		reply_whole(chat, reply);
	chat_free(chat);
}

static void on_gone(void *context)
{
	const struct chat *chat = context;
	support_leave(chat->turn);
}

static struct chat *chat_new(struct http_request *request, const struct chat_question *question)
{
	struct chat *chat = memory_make(struct chat);
	chat->request = request;
	chat->created_s = clock_utc_ns() / 1000000000;
	chat->usage = question->stream && question->usage;
	chat->earlier = value_ref(question->earlier);
	chat->message = value_ref(question->message);
	chat->who = who_asks(request, question->user_id);
	(void)id_new("chatcmpl-", chat->id);
	if (question->stream)
		chat->events = events_new(request);
	return chat;
}

static void ask(struct chat *chat, const struct chat_question *question)
{
	const struct api *api = http_request_context(chat->request);
	struct ss_error err = {0};
	char thread[HASH_SIZE];
	bool goes_on = value_count(question->earlier) > 0;
	const char *user_id = question->user_id != NULL ? question->user_id : API_ANYBODY;
	bool anonymous = strcmp(user_id, API_ANYBODY) == 0;
	char *stored_user = api_stored_user(chat->request, user_id);
	if (!anonymous && !api_admit_user(chat->request, stored_user)) {
		events_free(chat->events);
		chat_free(chat);
		free(stored_user);
		return;
	}
	const struct support_question asked = {
		.user_id = stored_user,
		.anonymous = anonymous,
		.conversation_id = question->conversation_id,
		.thread = goes_on ? chat_thread(chat->who, question->earlier, NULL, NULL, thread)
				  : NULL,
		.history = goes_on ? question->earlier : NULL,
		.message = value_as_text(question->message),
		.listener = question->stream ? &streaming : &plain,
	};
	chat->turn = support_ask(
		api->support, &asked, http_request_log(chat->request), on_replied, chat, &err);
	free(stored_user);
	if (chat->turn != NULL) {
		http_on_cancel(chat->request, on_gone, chat);
		return;
	}
	reply_error(chat, &err);
	chat_free(chat);
}

void api_chat(struct http_request *request)
{
	struct chat_question question;
	struct openai_error error;
	struct ss_value *body = openai_read_body(request);
	if (body == NULL)
		return;
	if (chat_question_read(&question, body, &error) < 0) {
		openai_reply_error(request, &error);
	} else {
		ask(chat_new(request, &question), &question);
		chat_question_free(&question);
	}
	value_unref(body);
}
