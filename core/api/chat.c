/*
 * POST /v1/chat/completions: a customer's question as clients of OpenAI's API ask it. The last message is the question,
 * those before it are its history, and the conversation in which it is stored is the one that they belong to.
 */
#include "api/chat_messages.h"
#include "api/events.h"
#include "api/once.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/memory.h"
#include "http/sse.h"
#include "support/stored_answer.h"
#include "support/support.h"
#include "value/json.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

/* A question that is being answered. */
struct chat {
	struct http_request *request;
	struct ss_value *body; /* what the question points into */
	struct chat_question question;
	struct support_turn *turn;
	struct events *events; /* NULL: it gets one reply */
	char id[ID_SIZE];      /* of the completion */
	int64_t created_s;
	/* What the client is given as the assistant's message. Nothing can be taken back from it: a response that
	 * begins anew stands behind an empty line. */
	struct buffer content;
	bool begins_anew;
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

static const char *user_of(const struct chat_question *question)
{
	return question->user_id != NULL ? question->user_id : API_ANYBODY;
}

static bool is_anonymous(const struct chat_question *question)
{
	return strcmp(user_of(question), API_ANYBODY) == 0;
}

static void chat_free(struct chat *chat)
{
	chat_question_free(&chat->question);
	value_unref(chat->body);
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

/* CHUNK, whose object and kind are those of the stream; new. */
static struct ss_value *chunk_value(const struct chat *chat, struct completion chunk)
{
	chunk.object = "chat.completion.chunk";
	chunk.kind = "delta";
	if (chat->question.usage && chunk.usage == NULL)
		chunk.usage = value_null();
	return completion_value(chat, &chunk);
}

static void send_chunk(const struct chat *chat, struct completion chunk)
{
	struct ss_value *value = chunk_value(chat, chunk);
	events_send_value(chat->events, NULL, value);
	value_unref(value);
}

/* The same for a stream that is there as a whole. */
static void add_chunk(struct buffer *whole, const struct chat *chat, struct completion chunk)
{
	struct ss_value *value = chunk_value(chat, chunk);
	char *text = json_text(value);
	sse_event(whole, NULL, (struct ss_text){text, strlen(text)});
	free(text);
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
	return chat_thread(chat->who, chat->question.earlier, chat->question.message,
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
	bool in_flight = err->status == SS_CONFLICT && api_subject(chat->request) != NULL;
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
	if (in_flight)
		api_once_reply_in_flight(chat->request);
	else
		openai_reply_unanswered(chat->request, &error);
}

static const struct ss_text done = {"[DONE]", 6};

static struct completion last_chunk(const struct ss_value *reply)
{
	return (struct completion){.content = value_map(NULL, NULL, 0),
		.finish_reason = "stop",
		.decisions = reply,
		.reply = reply};
}

/* The stream of REPLY with CONTENT in one piece, for who asks again; to be freed. */
static struct buffer whole_stream(
	const struct chat *chat, const struct ss_value *reply, struct ss_text content)
{
	struct buffer whole = {0};
	struct ss_value *delta = value_map_make({"role", value_text("assistant")},
		{"content", value_string(content.data, content.length)});
	add_chunk(&whole, chat, (struct completion){.content = delta, .decisions = reply});
	add_chunk(&whole, chat, last_chunk(reply));
	if (chat->question.usage)
		add_chunk(&whole, chat, (struct completion){.usage = usage_of(reply)});
	sse_event(&whole, NULL, done);
	return whole;
}

static void end_stream(const struct chat *chat, const struct ss_value *reply)
{
	struct buffer whole = whole_stream(
		chat, reply, (struct ss_text){buffer_text(&chat->content), chat->content.length});
	send_chunk(chat, last_chunk(reply));
	if (chat->question.usage)
		send_chunk(chat, (struct completion){.usage = usage_of(reply)});
	events_send(chat->events, NULL, done);
	events_end_kept(chat->events, (struct ss_text){buffer_text(&whole), whole.length});
	buffer_free(&whole);
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
	api_note_answer(chat->request, reply);
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

/* Asks the question of CHAT, whose user may. */
static void ask(struct chat *chat)
{
	const struct api *api = http_request_context(chat->request);
	const struct chat_question *question = &chat->question;
	struct ss_error err = {0};
	char thread[HASH_SIZE], turn_id[ID_SIZE], conversation_id[ID_SIZE];
	bool goes_on = value_count(question->earlier) > 0;
	const char *user_id = user_of(question);
	char *stored_user = api_stored_user(chat->request, user_id);
	const struct support_question asked = {
		.turn_id = api_subject_as(chat->request, "turn_", turn_id),
		.user_id = stored_user,
		.anonymous = is_anonymous(question),
		.conversation_id = question->conversation_id,
		.new_conversation_id = api_subject_as(chat->request, "conv_", conversation_id),
		.thread = goes_on ? chat_thread(chat->who, question->earlier, NULL, NULL, thread)
				  : NULL,
		.history = goes_on ? question->earlier : NULL,
		.message = value_as_text(question->message),
		.listener = question->stream ? &streaming : &plain,
	};
	if (question->stream)
		chat->events = events_new(chat->request);
	chat->turn = support_ask(
		api->support, &asked, http_request_log(chat->request), on_replied, chat, &err);
	free(stored_user);
	if (chat->turn == NULL) {
		reply_error(chat, &err);
		chat_free(chat);
	} else if (asked.turn_id == NULL) {
		http_on_cancel(chat->request, on_gone, chat);
	} /* else whoever may come back for the answer gets the whole one */
}

/* An attempt before may have been answered without anybody hearing of it. */
static void on_found(void *context, const struct ss_value *reply, const struct ss_error *err)
{
	struct chat *chat = context;
	if (err != NULL && err->status == SS_NOT_FOUND) {
		ask(chat);
		return;
	}
	if (err != NULL) {
		reply_error(chat, err);
	} else if (chat->question.stream) {
		struct buffer whole =
			whole_stream(chat, reply, value_as_text(value_get(reply, "response")));
		http_reply_text(chat->request, 200, SSE_TYPE,
			(struct ss_text){buffer_text(&whole), whole.length});
		buffer_free(&whole);
	} else {
		reply_whole(chat, reply);
	}
	chat_free(chat);
}

/* Whether the user whom the question names, if it names one, may ask now. If not, a problem was replied. */
static bool admit_user(const struct chat *chat)
{
	if (is_anonymous(&chat->question))
		return true;
	char *stored = api_stored_user(chat->request, user_of(&chat->question));
	bool admitted = api_admit_user(chat->request, stored);
	free(stored);
	return admitted;
}

static void begin(struct chat *chat)
{
	const struct api *api = http_request_context(chat->request);
	const char *subject = api_subject(chat->request);
	struct ss_error err = {0};
	char turn_id[ID_SIZE];
	chat->created_s = clock_utc_ns() / 1000000000;
	chat->who = who_asks(chat->request, chat->question.user_id);
	if (subject != NULL)
		(void)snprintf(chat->id, sizeof chat->id, "chatcmpl-%s", subject);
	else
		(void)id_new("chatcmpl-", chat->id);
	if (!api_is_again(chat->request)) {
		ask(chat);
	} else if (stored_answer_find(api->store, api_subject_as(chat->request, "turn_", turn_id),
			   on_found, chat, &err) < 0) {
		reply_error(chat, &err);
		chat_free(chat);
	}
}

static bool read_question(struct chat *chat)
{
	struct openai_error error;
	if (chat_question_read(&chat->question, chat->body, &error) == 0)
		return true;
	openai_reply_error(chat->request, &error);
	return false;
}

void api_chat(struct http_request *request)
{
	struct ss_value *body = openai_read_body(request);
	if (body == NULL)
		return;
	struct chat *chat = memory_make(struct chat);
	chat->request = request;
	chat->body = body;
	if (read_question(chat) && admit_user(chat))
		begin(chat);
	else
		chat_free(chat);
}
