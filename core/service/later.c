#include "service/later.h"

#include "base/memory.h"

#include <event2/event.h>
#include <stdlib.h>

struct later {
	struct event *event;
	struct queue_item *first;
	struct queue_item **last;
	struct queue_item *making; /* those of this round that are still to be made */
};

static void make_calls(struct later *later)
{
	/* A call may make the others itself. */
	if (later->making == NULL) {
		later->making = later->first;
		later->first = NULL;
		later->last = &later->first;
	}
	while (later->making != NULL) {
		struct queue_item *item = later->making;
		later->making = item->next;
		struct later_call *call = queue_entry(item, struct later_call, item);
		call->call(call);
	}
}

static void on_event(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	make_calls(context);
}

struct later *later_new(struct event_base *base)
{
	struct later *later = memory_make(struct later);
	later->last = &later->first;
	later->event = event_new(base, -1, 0, on_event, later);
	if (later->event == NULL)
		abort(); /* only for want of memory */
	return later;
}

void later_add(struct later *later, struct later_call *call)
{
	bool was_empty = later->first == NULL;
	call->item.next = NULL;
	*later->last = &call->item;
	later->last = &call->item.next;
	/* A timer, since a call activated now would run before the loop looks at anything else. */
	if (was_empty)
		(void)event_add(later->event, &(const struct timeval){0});
}

/* Takes ITEM out of the list that begins at AT. Returns where that ends, or NULL when it has no ITEM. */
static struct queue_item **take_out(struct queue_item **at, const struct queue_item *item)
{
	bool found = false;
	while (*at != NULL) {
		if (*at == item) {
			*at = item->next;
			found = true;
		} else {
			at = &(*at)->next;
		}
	}
	return found ? at : NULL;
}

void later_cancel(struct later *later, struct later_call *call)
{
	struct queue_item **end = take_out(&later->first, &call->item);
	if (end != NULL)
		later->last = end;
	else
		(void)take_out(&later->making, &call->item);
}

void later_make(struct later *later)
{
	while (later->first != NULL || later->making != NULL)
		make_calls(later);
}

void later_free(struct later *later)
{
	if (later == NULL)
		return;
	later_make(later);
	event_free(later->event);
	free(later);
}
