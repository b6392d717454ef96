/* Calls that are made by the loop a little later, so that a function may complete at once and still
 * call back only after it returned. Loop thread. */
#ifndef SERVICE_LATER_H
#define SERVICE_LATER_H

#include "base/queue.h"

struct event_base;
struct later;

/* One call; embedded in what it is about, and in at most one place at a time. */
struct later_call {
	struct queue_item item;
	void (*call)(struct later_call *call);
};

struct later *later_new(struct event_base *base);

/* Makes CALL in the loop's next round. */
void later_add(struct later *later, struct later_call *call);

/* Does not make CALL, which was added and not made yet. */
void later_cancel(struct later *later, struct later_call *call);

/* Makes the calls that wait, and those that they add, now. */
void later_make(struct later *later);

/* Makes the calls that still wait, and those that they add. */
void later_free(struct later *later);

#endif
