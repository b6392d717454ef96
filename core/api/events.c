#include "api/events.h"

#include "base/memory.h"
#include "http/sse.h"
#include "http/stream.h"
#include "value/json.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

enum { RETRY_MS = 1000 };

struct events {
	struct http_request *request;
	struct event *heartbeat; /* NULL: the stream has not begun */
	bool spoke;              /* since the last heartbeat */
};

struct events *events_new(struct http_request *request)
{
	struct events *events = memory_make(struct events);
	events->request = request;
	return events;
}

bool events_begun(const struct events *events)
{
	return events->heartbeat != NULL;
}

static void send_text(struct events *events, const struct buffer *text)
{
	http_stream_send(events->request, (struct ss_text){buffer_text(text), text->length});
}

static void on_heartbeat(evutil_socket_t fd, short what, void *context)
{
	struct events *events = context;
	struct buffer text = {0};
	(void)fd;
	(void)what;
	if (!events->spoke) {
		sse_comment(&text, "still at work");
		send_text(events, &text);
		buffer_free(&text);
	}
	events->spoke = false;
}

static void begin(struct events *events)
{
	const struct api *api = http_request_context(events->request);
	int64_t ns = api->heartbeat_ns;
	const struct timeval each = {.tv_sec = ns / 1000000000, .tv_usec = ns % 1000000000 / 1000};
	events->heartbeat = event_new(api->base, -1, EV_PERSIST, on_heartbeat, events);
	if (events->heartbeat == NULL || event_add(events->heartbeat, &each) < 0)
		abort(); /* only for want of memory */
	/* Proxies that collect replies would keep the pieces back; this one says so to some of them. */
	http_reply_header(events->request, "X-Accel-Buffering", "no");
	http_stream_begin(events->request, 200, SSE_TYPE);
}

void events_begin(struct events *events)
{
	struct buffer text = {0};
	begin(events);
	sse_retry(&text, RETRY_MS);
	send_text(events, &text);
	buffer_free(&text);
}

void events_send_numbered(
	struct events *events, const char *name, const char *id, const struct ss_value *value)
{
	struct buffer text = {0};
	char *json = json_text(value);
	events->spoke = true;
	if (id != NULL)
		sse_id(&text, id);
	sse_event(&text, name, (struct ss_text){json, strlen(json)});
	send_text(events, &text);
	buffer_free(&text);
	free(json);
}

void events_send(struct events *events, const char *name, struct ss_text data)
{
	struct buffer text = {0};
	if (!events_begun(events))
		begin(events);
	events->spoke = true;
	sse_event(&text, name, data);
	send_text(events, &text);
	buffer_free(&text);
}

void events_send_value(struct events *events, const char *name, const struct ss_value *value)
{
	struct buffer json = {0};
	json_print(&json, value);
	events_send(events, name, (struct ss_text){buffer_text(&json), json.length});
	buffer_free(&json);
}

static void end(void *context)
{
	struct events *events = context;
	http_stream_end(events->request);
	events_free(events);
}

void events_end(struct events *events)
{
	api_keep(events->request, NULL, (struct ss_text){0}, end, events);
}

void events_end_kept(struct events *events, struct ss_text whole)
{
	api_keep(events->request, SSE_TYPE, whole, end, events);
}

void events_free(struct events *events)
{
	if (events == NULL)
		return;
	if (events->heartbeat != NULL)
		event_free(events->heartbeat);
	free(events);
}
