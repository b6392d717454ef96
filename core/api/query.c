/* POST /api/v1/query: a customer asks a question, and gets the answer at once or as it is made. */
#include "api/events.h"
#include "api/once.h"
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
struct asking {
	struct http_request *request;
	struct support_turn *turn;
	struct events *events; /* NULL: it gets one reply */
};

static void on_analysis(void *context, const struct ss_value *analysis)
{
	const struct asking *asking = context;
	events_send_value(asking->events, "analysis", analysis);
}

static void on_articles(void *context, const struct ss_value *articles)
{
	const struct asking *asking = context;
	events_send_value(asking->events, "articles", articles);
}

static void on_token(void *context, struct ss_text text)
{
	const struct asking *asking = context;
	struct ss_value *token = value_map_make({"text", value_string(text.data, text.length)});
	events_send_value(asking->events, "token", token);
	value_unref(token);
}

static void on_replace(void *context)
{
	const struct asking *asking = context;
	events_send(asking->events, "replace", (struct ss_text){"{}", 2});
}

static const struct support_listener listener = {
	.analysis = on_analysis,
	.articles = on_articles,
	.token = on_token,
	.replace = on_replace,
};

/* That the conversation is not there for who asks, as ERR says; who has left out by what name they ask is told. */
static void reply_not_found(const struct asking *asking, const struct ss_error *err)
{
	bool named = value_get(api_body(asking->request), "user_id") != NULL;
	char *detail = memory_format("%s%s", err->text,
		named ? "" : "; without a user_id it is looked for as " API_ANYBODY "'s");
	http_reply_field_problem(asking->request, 404, "/conversation_id", detail);
	free(detail);
}

static void reply_error(const struct asking *asking, const struct ss_error *err)
{
	if (err->status == SS_NOT_FOUND)
		reply_not_found(asking, err);
	else if (err->status == SS_CONFLICT && api_subject(asking->request) != NULL)
		/* The turn of an attempt before goes on in another server. */
		api_once_reply_in_flight(asking->request);
	else
		api_reply_unanswered(asking->request, err);
}

/* Whether REPLY tells that the turn waits for an answer from outside. */
static bool waits(const struct ss_value *reply)
{
	return value_get(reply, "interrupts") != NULL;
}

static const char *last_event(const struct ss_value *reply)
{
	return waits(reply) ? "waiting" : "final";
}

/* The stream of an answer that is there: its last event alone. To be freed. */
static struct buffer whole_stream(const struct ss_value *reply)
{
	struct buffer whole = {0};
	char *json = json_text(reply);
	sse_event(&whole, last_event(reply), (struct ss_text){json, strlen(json)});
	free(json);
	return whole;
}

static void end_stream(const struct asking *asking, const struct ss_value *reply)
{
	struct buffer whole = whole_stream(reply);
	events_send_value(asking->events, last_event(reply), reply);
	events_end_kept(asking->events, (struct ss_text){buffer_text(&whole), whole.length});
	buffer_free(&whole);
}

static void end_stream_failed(const struct asking *asking, const struct ss_error *err)
{
	const struct http_problem problem = api_problem(err);
	char *text = http_problem_text(&problem, http_request_id(asking->request));
	events_send(asking->events, "error", (struct ss_text){text, strlen(text)});
	free(text);
	events_end(asking->events);
}

static void on_replied(void *context, const struct ss_value *reply, const struct ss_value *trace,
	const struct ss_error *err)
{
	struct asking *asking = context;
	(void)trace;
	http_on_cancel(asking->request, NULL, NULL);
	api_note_answer(asking->request, reply);
	if (asking->events != NULL && err == NULL) {
		end_stream(asking, reply);
	} else if (asking->events != NULL && events_begun(asking->events)) {
		end_stream_failed(asking, err);
	} else {
		events_free(asking->events);
		if (err == NULL)
			http_reply_json(asking->request, waits(reply) ? 202 : 200, reply);
		else
			reply_error(asking, err);
	}
	free(asking);
}

static void on_gone(void *context)
{
	const struct asking *asking = context;
	support_leave(asking->turn);
}

static bool wants_stream(const struct http_request *request, const struct ss_value *body)
{
	const struct ss_value *stream = value_get(body, "stream");
	return stream != NULL ? value_as_bool(stream)
			      : sse_accepted(http_request_header(request, "Accept"));
}

/* Asks the question of REQUEST. */
static void ask(struct http_request *request)
{
	const struct api *api = http_request_context(request);
	struct ss_error err = {0};
	char turn_id[ID_SIZE], conversation_id[ID_SIZE];
	const struct ss_value *body = api_body(request);
	const struct ss_value *user = value_get(body, "user_id");
	const struct ss_value *conversation = value_get(body, "conversation_id");
	const char *user_id = user != NULL ? value_as_string(user, NULL) : API_ANYBODY;
	char *stored_user = api_stored_user(request, user_id);
	struct asking *asking = memory_make(struct asking);
	asking->request = request;
	if (wants_stream(request, body))
		asking->events = events_new(request);
	const struct support_question question = {
		.turn_id = api_subject_as(request, "turn_", turn_id),
		.user_id = stored_user,
		.anonymous = strcmp(user_id, API_ANYBODY) == 0,
		.conversation_id =
			conversation != NULL ? value_as_string(conversation, NULL) : NULL,
		.new_conversation_id = api_subject_as(request, "conv_", conversation_id),
		.message = value_as_text(value_get(body, "message")),
		.waits = true,
		.listener = asking->events != NULL ? &listener : NULL,
	};
	asking->turn = support_ask(
		api->support, &question, http_request_log(request), on_replied, asking, &err);
	free(stored_user);
	if (asking->turn != NULL) {
		/* Whoever may come back for the answer gets the whole one. */
		if (question.turn_id == NULL)
			http_on_cancel(request, on_gone, asking);
		return;
	}
	api_reply_unanswered(request, &err);
	events_free(asking->events);
	free(asking);
}

/* An attempt before may have been answered without anybody hearing of it. */
static void on_found(void *context, const struct ss_value *reply, const struct ss_error *err)
{
	struct http_request *request = context;
	if (err != NULL && err->status == SS_NOT_FOUND) {
		ask(request);
	} else if (err != NULL) {
		api_reply_error(request, err);
	} else if (wants_stream(request, api_body(request))) {
		struct buffer whole = whole_stream(reply);
		http_reply_text(request, 200, SSE_TYPE,
			(struct ss_text){buffer_text(&whole), whole.length});
		buffer_free(&whole);
	} else {
		http_reply_json(request, 200, reply);
	}
}

/* Whether the user whom the question names, if it names one, may ask now. If not, a problem was replied. */
static bool admit_user(struct http_request *request)
{
	const struct ss_value *user = value_get(api_body(request), "user_id");
	const char *user_id = value_as_string(user, NULL);
	if (user == NULL || strcmp(user_id, API_ANYBODY) == 0)
		return true;
	char *stored = api_stored_user(request, user_id);
	bool admitted = api_admit_user(request, stored);
	free(stored);
	return admitted;
}

void api_query(struct http_request *request)
{
	const struct api *api = http_request_context(request);
	struct ss_error err = {0};
	char turn_id[ID_SIZE];
	if (!admit_user(request))
		return;
	if (!api_is_again(request))
		ask(request);
	else if (stored_answer_find(api->store, api_subject_as(request, "turn_", turn_id), on_found,
			 request, &err) < 0)
		api_reply_error(request, &err);
}
