/* POST /api/v1/feedback: what a customer says of an answer. */
#include "api/api.h"
#include "base/clock.h"
#include "base/memory.h"
#include "service/store.h"
#include "value/json.h"
#include "value/value.h"

#include <stdlib.h>

/* Feedback on its way to the store. */
struct giving {
	struct http_request *request;
	char *issues;
	struct ss_feedback feedback;
};

static void free_giving(struct giving *giving)
{
	free(giving->issues);
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

/* Whose turn it is is known, or nobody asks. */
static void on_found(void *context, const struct ss_error *err)
{
	struct giving *giving = context;
	const struct api *api = http_request_context(giving->request);
	struct ss_error why = {0};
	if (err != NULL)
		on_stored(giving, err);
	else if (store_give_feedback(api->store, &giving->feedback, on_stored, giving, &why) < 0)
		on_stored(giving, &why);
}

void api_feedback(struct http_request *request)
{
	struct ss_error err = {0};
	struct giving *giving = giving_new(request);
	if (api_caller(request)->space[0] == '\0')
		on_found(giving, NULL);
	else if (api_find_turn(request, giving->feedback.turn_id, on_found, giving, &err) < 0)
		on_stored(giving, &err);
}
