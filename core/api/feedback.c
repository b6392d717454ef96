/* POST /api/v1/feedback: what a customer says of an answer. */
#include "api/asked.h"
#include "api/caller.h"
#include "base/clock.h"
#include "base/memory.h"
#include "support/happened.h"
#include "value/json.h"
#include "value/value.h"

#include <stdlib.h>

/* Feedback on its way to the store. */
struct giving {
	struct http_request *request;
	char *issues;
	struct ss_feedback feedback;
	struct ss_value *conversation; /* that it is about */
	struct happened happened;
};

static void free_giving(struct giving *giving)
{
	free(giving->issues);
	value_unref(giving->conversation);
	happened_free(&giving->happened);
	free(giving);
}

static void on_stored(void *context, const struct ss_error *err)
{
	struct giving *giving = context;
	if (err == NULL)
		http_reply_empty(giving->request, 204);
	else if (err->status == SS_NOT_FOUND)
		http_reply_field_problem(giving->request, 404, "/turn_id", err->text);
	else
		api_reply_error(giving->request, err);
	free_giving(giving);
}

static struct giving *giving_new(struct http_request *request)
{
	struct giving *giving = memory_make(struct giving);
	const struct ss_value *body = api_body(request);
	const struct ss_value *helpful = value_get(body, "was_helpful");
	const struct ss_value *comment = value_get(body, "comment");
	const struct ss_value *issues = value_get(body, "issues");
	giving->request = request;
	giving->issues = issues != NULL ? json_text(issues) : NULL;
	giving->feedback = (struct ss_feedback){
		.struct_size = sizeof giving->feedback,
		.turn_id = value_as_string(value_get(body, "turn_id"), NULL),
		.was_helpful = helpful != NULL ? value_as_bool(helpful) : -1,
		.rating = value_as_int(value_get(body, "rating")),
		.comment = comment != NULL ? value_as_string(comment, NULL) : NULL,
		.issues = giving->issues,
		.given_at_ns = clock_utc_ns(),
	};
	return giving;
}

/* Finds the conversation, of which others are told with the feedback. */
static int find(const struct ss_storage_operations *storage, void *instance, void *context,
	struct ss_error *err)
{
	struct giving *giving = context;
	const struct ss_message_filter filter = {
		.struct_size = sizeof filter, .turn_id = giving->feedback.turn_id, .limit = 1};
	struct ss_value *page = NULL;
	if (storage->list_messages(instance, &filter, &page, err) < 0)
		return -1;
	const struct ss_value *message = value_at(value_get(page, "items"), 0);
	const char *id = value_as_string(value_get(message, "conversation_id"), NULL);
	int result = storage->read_conversation(instance, id, &giving->conversation, err);
	value_unref(page);
	return result;
}

/* Feedback goes into the store with that of others. */
static void on_found(void *context, const struct ss_error *err)
{
	struct giving *giving = context;
	const struct api *api = http_request_context(giving->request);
	struct ss_error why = {0};
	const char *user = value_as_string(value_get(giving->conversation, "user_id"), NULL);
	if (err == NULL && api_known_user(giving->request, user) == NULL) {
		(void)ss_fail_as(&why, SS_NOT_FOUND, "there is no stored turn with the id %s",
			giving->feedback.turn_id);
		err = &why;
	}
	if (err != NULL) {
		on_stored(giving, err);
		return;
	}
	api_note_conversation(
		giving->request, value_as_string(value_get(giving->conversation, "id"), NULL));
	happened_feedback(&giving->happened, giving->conversation, &giving->feedback);
	giving->feedback.events = happened_events(&giving->happened);
	if (store_give_feedback(api->store, &giving->feedback, on_stored, giving, &why) < 0)
		on_stored(giving, &why);
}

void api_feedback(struct http_request *request)
{
	const struct api *api = http_request_context(request);
	struct ss_error err = {0};
	struct giving *giving = giving_new(request);
	if (store_run(api->store, find, on_found, giving, &err) < 0)
		on_stored(giving, &err);
}
