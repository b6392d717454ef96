#include "api/event_stream.h"

#include "api/asked.h"
#include "api/follow.h"
#include "base/memory.h"
#include "value/json.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE = 100 };

struct ss_value *event_value(const struct ss_value *event)
{
	struct ss_error err = {0};
	struct ss_text text = value_as_text(value_get(event, "data"));
	struct ss_value *data = json_parse(text.data, text.length, &err);
	return value_map_with(event, "data", data != NULL ? data : value_null());
}

struct ss_value *event_items(const struct ss_value *page)
{
	const struct ss_value *items = value_get(page, "items");
	struct ss_value **events = memory_array(value_count(items), sizeof(struct ss_value *));
	for (size_t i = 0; i < value_count(items); i++)
		events[i] = event_value(value_at(items, i));
	struct ss_value *list = value_list(events, value_count(items));
	free(events);
	return list;
}

struct ss_event_filter event_filter(const struct http_request *request)
{
	return (struct ss_event_filter){
		.struct_size = sizeof(struct ss_event_filter),
		.type = api_parameter_text(request, "type"),
		.conversation_id = api_parameter_text(request, "conversation_id"),
		.user_id = api_parameter_text(request, "user_id"),
		.from_ns = asked_time(request, "from"),
		.to_ns = asked_time(request, "to"),
	};
}

/* The stream. */

struct place {
	char *type, *conversation_id, *user_id;
	char *after; /* NULL: the end is looked for */
};

/* Whatever list of events is asked for, its end is that of all. */
static int read(const struct ss_storage_operations *storage, void *instance, void *state,
	struct ss_value **found, struct ss_error *err)
{
	const struct place *place = state;
	struct ss_event_filter filter = {
		.struct_size = sizeof filter,
		.oldest_first = true,
		.conversation_id = "none",
		.limit = PAGE,
	};
	if (place->after != NULL) {
		filter.type = place->type;
		filter.conversation_id = place->conversation_id;
		filter.user_id = place->user_id;
		filter.after = place->after;
	}
	return storage->list_events(instance, &filter, found, err);
}

/* The last event of a page has its place: before, a client that comes back gets the page again. */
static bool tell(void *state, struct events *events, const struct ss_value *found)
{
	struct place *place = state;
	const char *next = value_as_string(value_get(found, "next"), NULL);
	struct ss_value *items = event_items(found);
	size_t count = value_count(items);
	for (size_t i = 0; i < count; i++)
		events_send_numbered(events,
			value_as_string(value_get(value_at(items, i), "type"), NULL),
			i + 1 == count ? next : NULL, value_at(items, i));
	value_unref(items);
	free(place->after);
	place->after = memory_string(next);
	return count == PAGE;
}

static void free_place(void *state)
{
	struct place *place = state;
	free(place->type);
	free(place->conversation_id);
	free(place->user_id);
	free(place->after);
	free(place);
}

void event_stream_follow(struct http_request *request)
{
	static const struct follow_kind kind = {read, tell, free_place, NULL};
	const struct ss_event_filter filter = event_filter(request);
	const char *last = http_request_header(request, "Last-Event-ID");
	const char *cursor = api_parameter_text(request, "cursor");
	if (filter.from_ns != 0 || filter.to_ns != 0) {
		http_reply_problem(request, 422,
			"from and to are for the list; a stream begins now, or behind "
			"Last-Event-ID",
			NULL);
		return;
	}
	struct place *place = memory_make(struct place);
	*place = (struct place){
		.type = memory_string(filter.type),
		.conversation_id = memory_string(filter.conversation_id),
		.user_id = memory_string(filter.user_id),
		.after = memory_string(last != NULL && last[0] != '\0' ? last : cursor),
	};
	follow(request, &kind, place, place->conversation_id);
}
