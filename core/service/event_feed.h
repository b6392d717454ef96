/*
 * The event feed: tells those who follow a conversation, or all that happens, that there are new events in the store, whoever
 * stored them. It reads the events once for all of them, when the watch says that there are some. Loop thread.
 */
#ifndef SERVICE_EVENT_FEED_H
#define SERVICE_EVENT_FEED_H

#include <stdbool.h>
#include <stddef.h>

struct event_base;
struct event_feed;
struct event_listener;
struct log;
struct store;

/* How many may listen at once. */
enum { EVENT_LISTENERS = 256 };

/* Something may have happened. Returns whether that is taken care of; else it is called again later. It must not end a
 * listener. */
typedef bool event_news(void *context);

/* The server stops: the listener is gone when this returns. */
typedef void event_over(void *context);

/* STORE and LOG are used for the life of the result. */
struct event_feed *event_feed_new(
	struct event_base *base, struct store *store, const struct log *log);

/* There are new events; FEED is a struct event_feed. */
void event_feed_look(void *feed);

/* Tells those who listen to CONVERSATION_ID, or with NULL everybody, that there is something new that is no event. FEED may be NULL. */
void event_feed_tell(struct event_feed *feed, const char *conversation_id);

/* Listens to the events of CONVERSATION_ID (copied), or with NULL to all. NEWS is called with CONTEXT for what is stored from
 * now on, and perhaps for what was before. NULL when too many listen or the server stops. */
struct event_listener *event_feed_listen(struct event_feed *feed, const char *conversation_id,
	event_news *news, event_over *over, void *context);

/* NULL is allowed. */
void event_listener_free(struct event_listener *listener);

/* Ends all who listen; nobody can any more. */
void event_feed_stop(struct event_feed *feed);

/* When it was stopped and the store is freed. NULL is allowed. */
void event_feed_free(struct event_feed *feed);

#endif
