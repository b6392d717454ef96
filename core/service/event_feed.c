#include "service/event_feed.h"

#include "base/log.h"
#include "base/memory.h"
#include "service/store.h"
#include "value/value.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 200 };

struct event_listener {
	struct event_feed *feed;
	struct event_listener *next, **link;
	char *conversation_id; /* NULL: any */
	event_news *news;
	event_over *over;
	void *context;
	bool due;
};

struct event_feed {
	struct store *store;
	const struct log *log;
	struct event *again_later;
	struct event_listener *first;
	size_t count;
	bool stopped;
	bool reading;
	bool again;  /* there is more than what is being read */
	bool failed; /* the last time */
	char *after; /* up to where it was read; NULL: from the end on */
	/* Of the reading. */
	char *asked_after;
	struct ss_value *page;
};

static void read_on(struct event_feed *feed);

static const struct timeval pause_after_failure = {.tv_sec = 1};

/* On a thread of the store. Whatever list of events is asked for, its end is that of all. */
static int read_events(const struct ss_storage_operations *storage, void *instance, void *context,
	struct ss_error *err)
{
	struct event_feed *feed = context;
	const struct ss_event_filter filter = {
		.struct_size = sizeof filter,
		.oldest_first = true,
		.conversation_id = feed->asked_after == NULL ? "none" : NULL,
		.after = feed->asked_after,
		.limit = PAGE,
	};
	return storage->list_events(instance, &filter, &feed->page, err);
}

/* Marks those who listen to the conversation ID; NULL: all of them. */
static void mark(struct event_feed *feed, const char *id)
{
	for (struct event_listener *at = feed->first; at != NULL; at = at->next)
		at->due |= id == NULL || at->conversation_id == NULL ||
			   strcmp(at->conversation_id, id) == 0;
}

static void tell(struct event_feed *feed)
{
	bool left = false;
	for (struct event_listener *at = feed->first; at != NULL; at = at->next) {
		at->due = at->due && !at->news(at->context);
		left |= at->due;
	}
	if (left)
		(void)event_add(feed->again_later, &pause_after_failure);
}

static void take(struct event_feed *feed)
{
	const struct ss_value *items = value_get(feed->page, "items");
	const struct ss_value *next = value_get(feed->page, "next");
	if (feed->asked_after == NULL)
		mark(feed, NULL); /* what happened while the end was looked for */
	for (size_t i = 0; i < value_count(items); i++)
		mark(feed, value_as_string(value_get(value_at(items, i), "conversation_id"), NULL));
	feed->again |= value_count(items) == PAGE;
	free(feed->after);
	feed->after = next != NULL ? memory_string(value_as_string(next, NULL)) : NULL;
	tell(feed);
}

static void on_read(void *context, const struct ss_error *err)
{
	struct event_feed *feed = context;
	feed->reading = false;
	if (err == NULL) {
		take(feed);
	} else if (!feed->stopped) {
		if (!feed->failed)
			log_warning(
				feed->log, "events are not told: %s; it is tried again", err->text);
		(void)event_add(feed->again_later, &pause_after_failure);
	}
	feed->failed = err != NULL;
	value_unref(feed->page);
	feed->page = NULL;
	if (err == NULL && feed->again)
		read_on(feed);
}

static void read_on(struct event_feed *feed)
{
	struct ss_error err = {0};
	if (feed->reading) {
		feed->again = true;
		return;
	}
	feed->again = false;
	if (feed->stopped)
		return;
	if (feed->first == NULL) {
		/* What happens meanwhile is nobody's business. */
		free(feed->after);
		feed->after = NULL;
		return;
	}
	free(feed->asked_after);
	feed->asked_after = memory_string(feed->after);
	feed->reading = true;
	if (store_run(feed->store, read_events, on_read, feed, &err) < 0)
		on_read(feed, &err);
}

static void on_later(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	tell(context);
	read_on(context);
}

void event_feed_tell(struct event_feed *feed, const char *conversation_id)
{
	if (feed == NULL || feed->stopped)
		return;
	mark(feed, conversation_id);
	tell(feed);
}

void event_feed_look(void *feed)
{
	read_on(feed);
}

struct event_feed *event_feed_new(
	struct event_base *base, struct store *store, const struct log *log)
{
	struct event_feed *feed = memory_make(struct event_feed);
	feed->store = store;
	feed->log = log;
	feed->again_later = evtimer_new(base, on_later, feed);
	if (feed->again_later == NULL)
		abort(); /* only for want of memory */
	return feed;
}

struct event_listener *event_feed_listen(struct event_feed *feed, const char *conversation_id,
	event_news *news, event_over *over, void *context)
{
	if (feed == NULL || feed->stopped || feed->count == EVENT_LISTENERS)
		return NULL;
	struct event_listener *listener = memory_make(struct event_listener);
	*listener = (struct event_listener){
		.feed = feed,
		.next = feed->first,
		.link = &feed->first,
		.conversation_id = memory_string(conversation_id),
		.news = news,
		.over = over,
		.context = context,
	};
	if (listener->next != NULL)
		listener->next->link = &listener->next;
	feed->first = listener;
	feed->count++;
	if (feed->after == NULL)
		read_on(feed);
	return listener;
}

void event_listener_free(struct event_listener *listener)
{
	if (listener == NULL)
		return;
	*listener->link = listener->next;
	if (listener->next != NULL)
		listener->next->link = listener->link;
	listener->feed->count--;
	free(listener->conversation_id);
	free(listener);
}

void event_feed_stop(struct event_feed *feed)
{
	if (feed == NULL)
		return;
	feed->stopped = true;
	(void)event_del(feed->again_later);
	while (feed->first != NULL) {
		struct event_listener *listener = feed->first;
		listener->over(listener->context);
	}
}

void event_feed_free(struct event_feed *feed)
{
	if (feed == NULL)
		return;
	event_free(feed->again_later);
	free(feed->after);
	free(feed->asked_after);
	value_unref(feed->page);
	free(feed);
}
