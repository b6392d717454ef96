/* POST /api/v1/query: a customer asks a question. */
#include "api/api.h"
#include "http/json_body.h"
#include "support/support.h"
#include "value/value.h"

#include <string.h>

static const char default_user[] = "web_user";

static bool is_conversation_id(const char *text)
{
	return api_is_id(text, "conv_");
}

static const struct json_member members[] = {
	{.name = "message", .required = true, .least = 1, .most = 4000},
	{.name = "user_id", .least = 1, .most = 128},
	{.name = "conversation_id",
		.least = 1,
		.most = 64,
		.check = is_conversation_id,
		.expected = "an id as an earlier reply gave it, conv_ and a UUID"},
	{.name = NULL},
};

static void on_replied(void *context, const struct ss_value *reply, const struct ss_value *trace,
	const struct ss_error *err)
{
	struct http_request *request = context;
	(void)trace;
	if (err == NULL)
		http_reply_json(request, 200, reply);
	else if (err->status == SS_NOT_FOUND)
		http_reply_field_problem(request, 404, "/conversation_id", err->text);
	else
		api_reply_error(request, err);
}

void api_query(struct http_request *request)
{
	const struct api *api = http_request_context(request);
	struct ss_error err = {0};
	struct ss_value *body = json_body_read(request, members);
	if (body == NULL)
		return;
	const struct ss_value *user = value_get(body, "user_id");
	const struct ss_value *conversation = value_get(body, "conversation_id");
	const char *user_id = user != NULL ? value_as_string(user, NULL) : default_user;
	const struct support_question question = {
		.user_id = user_id,
		.anonymous = strcmp(user_id, default_user) == 0,
		.conversation_id =
			conversation != NULL ? value_as_string(conversation, NULL) : NULL,
		.message = value_as_text(value_get(body, "message")),
	};
	if (support_ask(api->support, &question, http_request_log(request), on_replied, request,
		    &err) < 0)
		api_reply_error(request, &err);
	value_unref(body);
}
