#include "base/queue.h"

#include "base/clock.h"
#include "base/memory.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t arrived;
	struct queue_item *first;
	struct queue_item **last;
	bool closed;
	int fd;             /* -1: none */
	atomic_bool filled; /* something waits, or it is closed; looked at without the lock */
	atomic_bool polled; /* the taker looks, and takes when it has: it need not be told */
	bool brisk;         /* the taker's: items came soon after it began to wait */
};

/* Waking a thread takes longer than a short piece of work does. A taker that got its last items within BRISK_NS
 * looks for the next ones for SPIN_NS before it sleeps. */
enum { BRISK_NS = 200000, SPIN_NS = 60000 };

/* Tells the processor that this thread does nothing but look. */
static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#endif
}

/* Looks for NS at most whether something waits. */
static void spin(const struct queue *queue, int64_t ns)
{
	int64_t until = clock_monotonic_ns() + ns;
	for (;;) {
		for (int i = 0; i < 32; i++) {
			if (atomic_load_explicit(&queue->filled, memory_order_acquire))
				return;
			relax();
		}
		if (clock_monotonic_ns() >= until)
			return;
	}
}

struct queue *queue_new(bool with_fd)
{
	int fd = with_fd ? eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC) : -1;
	if (with_fd && fd < 0)
		return NULL;
	struct queue *queue = memory_make(struct queue);
	(void)pthread_mutex_init(&queue->lock, NULL);
	(void)pthread_cond_init(&queue->arrived, NULL);
	queue->last = &queue->first;
	queue->fd = fd;
	return queue;
}

void queue_free(struct queue *queue)
{
	if (queue == NULL)
		return;
	(void)pthread_cond_destroy(&queue->arrived);
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
	atomic_store_explicit(&queue->filled, true, memory_order_release);
	(void)pthread_cond_signal(&queue->arrived);
	bool told = !was_empty || atomic_load_explicit(&queue->polled, memory_order_relaxed);
	(void)pthread_mutex_unlock(&queue->lock);
	/* A counter that is full is readable already. */
	if (!told && queue->fd >= 0 && write(queue->fd, &one, sizeof one) < 0)
		return;
}

/* Under the lock. */
static struct queue_item *take_all(struct queue *queue)
{
	struct queue_item *taken = queue->first;
	queue->first = NULL;
	queue->last = &queue->first;
	atomic_store_explicit(&queue->filled, queue->closed, memory_order_relaxed);
	return taken;
}

struct queue_item *queue_take(struct queue *queue, bool wait)
{
	uint64_t count;
	if (queue->fd >= 0 && read(queue->fd, &count, sizeof count) < 0)
		count = 0; /* nothing was signalled; there may be items all the same */
	int64_t since_ns = wait ? clock_monotonic_ns() : 0;
	if (wait && queue->brisk)
		spin(queue, SPIN_NS);
	(void)pthread_mutex_lock(&queue->lock);
	while (wait && queue->first == NULL && !queue->closed)
		(void)pthread_cond_wait(&queue->arrived, &queue->lock);
	queue->brisk = wait && clock_monotonic_ns() - since_ns < BRISK_NS;
	struct queue_item *taken = take_all(queue);
	(void)pthread_mutex_unlock(&queue->lock);
	return taken;
}

struct queue_item *queue_poll(struct queue *queue, int64_t ns)
{
	atomic_store_explicit(&queue->polled, true, memory_order_relaxed);
	spin(queue, ns);
	(void)pthread_mutex_lock(&queue->lock);
	/* Who puts something in from now on has this lock after us, and tells. */
	atomic_store_explicit(&queue->polled, false, memory_order_relaxed);
	struct queue_item *taken = take_all(queue);
	(void)pthread_mutex_unlock(&queue->lock);
	return taken;
}

struct queue_item *queue_take_first(struct queue *queue)
{
	(void)pthread_mutex_lock(&queue->lock);
	while (queue->first == NULL && !queue->closed)
		(void)pthread_cond_wait(&queue->arrived, &queue->lock);
	struct queue_item *taken = queue->first;
	if (taken != NULL)
		queue->first = taken->next;
	if (queue->first == NULL)
		queue->last = &queue->first;
	bool filled = queue->first != NULL || queue->closed;
	atomic_store_explicit(&queue->filled, filled, memory_order_relaxed);
	(void)pthread_mutex_unlock(&queue->lock);
	return taken;
}

struct queue_item *queue_take_picked(struct queue *queue, queue_pick *pick, void *context)
{
	(void)pthread_mutex_lock(&queue->lock);
	while (queue->first == NULL && !queue->closed)
		(void)pthread_cond_wait(&queue->arrived, &queue->lock);
	struct queue_item *taken = queue->first != NULL ? pick(context, &queue->first) : NULL;
	queue->last = &queue->first;
	while (*queue->last != NULL)
		queue->last = &(*queue->last)->next;
	bool filled = queue->first != NULL || queue->closed;
	atomic_store_explicit(&queue->filled, filled, memory_order_relaxed);
	/* Another taker may have been woken for what it did not get. */
	if (queue->first != NULL)
		(void)pthread_cond_signal(&queue->arrived);
	(void)pthread_mutex_unlock(&queue->lock);
	return taken;
}

bool queue_waits(const struct queue *queue)
{
	return atomic_load_explicit(&queue->filled, memory_order_acquire);
}

void queue_close(struct queue *queue)
{
	(void)pthread_mutex_lock(&queue->lock);
	queue->closed = true;
	atomic_store_explicit(&queue->filled, true, memory_order_release);
	(void)pthread_cond_broadcast(&queue->arrived);
	(void)pthread_mutex_unlock(&queue->lock);
}
