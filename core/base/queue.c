#include "base/queue.h"

#include "base/memory.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct queue_item *first;
	struct queue_item **last;
	bool closed;
	int fd; /* -1: none */
};

struct queue *queue_new(bool with_fd)
{
	int fd = with_fd ? eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC) : -1;
	if (with_fd && fd < 0)
		return NULL;
	struct queue *queue = memory_make(struct queue);
	(void)pthread_mutex_init(&queue->lock, NULL);
	(void)pthread_cond_init(&queue->filled, NULL);
	queue->last = &queue->first;
	queue->fd = fd;
	return queue;
}

void queue_free(struct queue *queue)
{
	if (queue == NULL)
		return;
	(void)pthread_cond_destroy(&queue->filled);
	(void)pthread_mutex_destroy(&queue->lock);
	if (queue->fd >= 0)
		(void)close(queue->fd);
	free(queue);
}

int queue_fd(const struct queue *queue)
{
	return queue->fd;
}

void queue_put(struct queue *queue, struct queue_item *item)
{
	const uint64_t one = 1;
	item->next = NULL;
	(void)pthread_mutex_lock(&queue->lock);
	bool was_empty = queue->first == NULL;
	*queue->last = item;
	queue->last = &item->next;
	(void)pthread_cond_signal(&queue->filled);
	(void)pthread_mutex_unlock(&queue->lock);
	/* A counter that is full is readable already. */
	if (was_empty && queue->fd >= 0 && write(queue->fd, &one, sizeof one) < 0)
		return;
}

struct queue_item *queue_take(struct queue *queue, bool wait)
{
	uint64_t count;
	if (queue->fd >= 0 && read(queue->fd, &count, sizeof count) < 0)
		count = 0; /* nothing was signalled; there may be items all the same */
	(void)pthread_mutex_lock(&queue->lock);
	while (wait && queue->first == NULL && !queue->closed)
		(void)pthread_cond_wait(&queue->filled, &queue->lock);
	struct queue_item *taken = queue->first;
	queue->first = NULL;
	queue->last = &queue->first;
	(void)pthread_mutex_unlock(&queue->lock);
	return taken;
}

void queue_close(struct queue *queue)
{
	(void)pthread_mutex_lock(&queue->lock);
	queue->closed = true;
	(void)pthread_cond_broadcast(&queue->filled);
	(void)pthread_mutex_unlock(&queue->lock);
}
