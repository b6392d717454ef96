/* GET /api/v1/events: what has happened, as a list or, with what comes, as an event stream. */
#include "api/event_stream.h"

#include "api/asked.h"
#include "http/sse.h"
#include "value/value.h"

#include <string.h>

static void reply_events(struct http_request *request, const struct ss_value *page)
{
	struct ss_value *reply = asked_page(event_items(page), page);
	http_reply_json(request, 200, reply);
	value_unref(reply);
}

static int list(const struct ss_storage_operations *storage, void *instance, void *context,
	struct ss_error *err)
{
	struct asked *asked = context;
	return storage->list_events(instance, asked_question(asked), &asked->value, err);
}

void api_event_list(struct http_request *request)
{
	if (sse_accepted(http_request_header(request, "Accept"))) {
		event_stream_follow(request);
		return;
	}
	struct asked *asked = asked_make(request, struct ss_event_filter, reply_events);
	struct ss_event_filter *filter = asked_question(asked);
	*filter = event_filter(request);
	filter->after = api_parameter_text(request, "cursor");
	filter->limit = api_limit(request);
	asked_run(asked, list);
}
