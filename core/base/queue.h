/*
 * A queue between threads: any thread puts items in, one thread takes all that wait at once, or
 * several take one each. The items are the callers' own structures with a queue_item inside; the queue owns
 * none of them.
 */
#ifndef BASE_QUEUE_H
#define BASE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue_item {
	struct queue_item *next;
};

struct queue;

/* A queue that signals an eventfd when items wait, if WITH_FD. NULL when there are no descriptors left. */
struct queue *queue_new(bool with_fd);
void queue_free(struct queue *queue);

/* The descriptor that becomes readable when items wait; queue_take() makes it unreadable again. */
int queue_fd(const struct queue *queue);

/* Adds ITEM at the end. Any thread. */
void queue_put(struct queue *queue, struct queue_item *item);

/* All items that wait, in order, linked by `next`; NULL when there are none. With WAIT it waits for
 * some, and returns NULL only when the queue was closed. */
struct queue_item *queue_take(struct queue *queue, bool wait);

/* The first item alone, for several threads that take from one queue, which has no descriptor: waits for one, and
 * returns NULL only when the queue is empty and was closed. */
struct queue_item *queue_take_first(struct queue *queue);

/* Takes some of the items from *WAITING on, at least one: unlinks them, and gives them linked by `next` in their
 * order. Called under the queue's lock. */
typedef struct queue_item *queue_pick(void *context, struct queue_item **waiting);

/* What PICK takes, for several threads that take from one queue, which has no descriptor: waits for items, and returns
 * NULL only when the queue is empty and was closed. */
struct queue_item *queue_take_picked(struct queue *queue, queue_pick *pick, void *context);

/* All items that wait, as queue_take(), or else the first that come within NS. It looks for them without sleeping, for
 * what takes less time than to wake up, and the descriptor need not become readable meanwhile. If it is already, it stays
 * so. */
struct queue_item *queue_poll(struct queue *queue, int64_t ns);

/* Whether something waits, or the queue is closed, as far as one can tell without waiting oneself. Any thread. */
bool queue_waits(const struct queue *queue);

/* Lets waiting takers return NULL once the queue is empty. Any thread. */
void queue_close(struct queue *queue);

/* The container of ITEM: its TYPE has the item as MEMBER. */
#define queue_entry(item, type, member) ((type *)(void *)((char *)(item)-offsetof(type, member)))

#endif
