/*
 * Watches a turn for whoever listens to it (struct support_listener): the decisions and the articles once they are
 * known, and the response as it is made. What a workflow makes is not known to be the response before it ends; so
 * pieces are told as they come, taken back when they turn out not to count, and completed at the end. Loop thread.
 */
#ifndef SUPPORT_WATCH_H
#define SUPPORT_WATCH_H

#include "support/support.h"

struct watch;

/* The events of a turn that watch_event() is to get. */
extern const unsigned watch_events;

/* LISTENER is borrowed until the watch is freed. */
struct watch *watch_new(const struct support_listener *listener, void *context);

/* What the turn tells, as a turn_event gets it. */
void watch_event(struct watch *watch, const struct ss_value *event);

/* The turn is over and REPLY is what its customer gets: tells all of it that was not told. */
void watch_end(struct watch *watch, const struct ss_value *reply);

/* NULL is allowed. */
void watch_free(struct watch *watch);

#endif
