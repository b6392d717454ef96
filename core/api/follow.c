#include "api/follow.h"

#include "base/memory.h"
#include "http/sse.h"
#include "service/event_feed.h"
#include "value/value.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

struct follow {
	const struct follow_kind *kind;
	void *state;
	struct http_request *request; /* NULL: it has ended */
	struct events *events;
	struct event_listener *listener;
	struct event *look;     /* NULL: what is read cannot be gone */
	struct ss_value *found; /* by the call that is under way */
	bool reading;
	bool again; /* there is news that the call may not have seen */
};

static int read_on(struct follow *follow, struct ss_error *err);

static void free_follow(struct follow *follow)
{
	follow->kind->free_state(follow->state);
	free(follow);
}

/* Ends the stream, or replies with ERR to a request that got none; without an error nobody waits for a reply. */
static void end(struct follow *follow, const struct ss_error *err)
{
	static const struct ss_error stopped = {.status = SS_UNAVAILABLE};
	struct http_request *request = follow->request;
	event_listener_free(follow->listener);
	if (follow->look != NULL)
		event_free(follow->look);
	follow->look = NULL;
	follow->listener = NULL;
	follow->request = NULL;
	http_on_cancel(request, NULL, NULL);
	if (events_begun(follow->events)) {
		events_end(follow->events);
	} else {
		events_free(follow->events);
		if (err != NULL && err->status == SS_INVALID)
			http_reply_problem(request, 422, err->text, NULL);
		else
			api_reply_error(request, err != NULL ? err : &stopped);
	}
	if (!follow->reading)
		free_follow(follow);
}

static int call(const struct ss_storage_operations *storage, void *instance, void *context,
	struct ss_error *err)
{
	struct follow *follow = context;
	return follow->kind->read(storage, instance, follow->state, &follow->found, err);
}

/* A failure after the beginning ends the stream: the client comes back. */
static void on_read(void *context, const struct ss_error *err)
{
	struct follow *follow = context;
	struct ss_value *found = follow->found;
	struct ss_error why = {0};
	follow->reading = false;
	follow->found = NULL;
	if (follow->request == NULL) {
		free_follow(follow);
	} else if (err != NULL) {
		if (err->status == SS_NOT_FOUND && follow->kind->tell_gone != NULL &&
			events_begun(follow->events))
			follow->kind->tell_gone(follow->state, follow->events);
		end(follow, err);
	} else {
		if (!events_begun(follow->events))
			events_begin(follow->events);
		follow->again |= follow->kind->tell(follow->state, follow->events, found);
		if (follow->again && read_on(follow, &why) < 0)
			end(follow, &why);
	}
	value_unref(found);
}

static int read_on(struct follow *follow, struct ss_error *err)
{
	const struct api *api = http_request_context(follow->request);
	if (follow->reading) {
		follow->again = true;
		return 0;
	}
	follow->again = false;
	follow->reading = true;
	if (store_run(api->store, call, on_read, follow, err) == 0)
		return 0;
	follow->reading = false;
	return -1;
}

static bool on_news(void *context)
{
	struct ss_error err = {0};
	return read_on(context, &err) == 0;
}

static void on_look(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	(void)on_news(context); /* else with the next one */
}

static void begin_looking(struct follow *follow)
{
	const struct api *api = http_request_context(follow->request);
	int64_t ns = api->heartbeat_ns;
	const struct timeval each = {.tv_sec = ns / 1000000000, .tv_usec = ns % 1000000000 / 1000};
	follow->look = event_new(api->base, -1, EV_PERSIST, on_look, follow);
	if (follow->look == NULL || event_add(follow->look, &each) < 0)
		abort(); /* only for want of memory */
}

static void on_end(void *context)
{
	end(context, NULL);
}

/* Replies to HEAD with the headers that the stream would have. */
static bool is_head(struct http_request *request)
{
	if (strcmp(http_request_method(request), "HEAD") != 0)
		return false;
	http_reply_text(request, 200, SSE_TYPE, (struct ss_text){"", 0});
	return true;
}

void follow(struct http_request *request, const struct follow_kind *kind, void *state,
	const char *conversation_id)
{
	const struct api *api = http_request_context(request);
	const struct ss_error full = {.status = SS_LIMIT};
	struct ss_error err = {0};
	if (is_head(request)) {
		kind->free_state(state);
		return;
	}
	struct follow *follow = memory_make(struct follow);
	*follow = (struct follow){.kind = kind, .state = state, .request = request};
	follow->events = events_new(request);
	follow->listener = event_feed_listen(api->feed, conversation_id, on_news, on_end, follow);
	if (follow->listener == NULL) {
		end(follow, &full);
		return;
	}
	if (kind->tell_gone != NULL)
		begin_looking(follow);
	if (read_on(follow, &err) < 0)
		end(follow, &err);
	else
		http_on_cancel(request, on_end, follow);
}
