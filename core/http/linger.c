#include "http/linger.h"

#include "base/clock.h"
#include "base/memory.h"

#include <errno.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINGER_NS ((int64_t)3 * 1000000000)

enum {
	LINGER_BYTES = 32 * 1024 * 1024,
	PART = 64 * 1024,  /* dropped with one call */
	PARTS_A_TURN = 16, /* then other connections have their turn */
};

struct lingering {
	struct lingers *all;
	struct lingering *next, **link;
	struct event *readable;
	int fd;
	int64_t end_ns;
	size_t bytes;
};

static void linger_close(struct lingering *linger)
{
	*linger->link = linger->next;
	if (linger->next != NULL)
		linger->next->link = linger->link;
	linger->all->count--;
	event_free(linger->readable);
	(void)close(linger->fd);
	free(linger);
}

/* Whether there is more to wait for. */
static bool drop(struct lingering *linger)
{
	for (int i = 0; i < PARTS_A_TURN; i++) {
		char part[PART];
		ssize_t length = recv(linger->fd, part, sizeof part, MSG_DONTWAIT);
		if (length <= 0)
			return length < 0 && (errno == EAGAIN || errno == EINTR);
		linger->bytes += (size_t)length;
		if (linger->bytes > LINGER_BYTES)
			return false;
	}
	return true;
}

static void wait_for_more(struct lingering *linger, int64_t ns)
{
	const struct timeval after = {.tv_sec = ns / 1000000000, .tv_usec = ns % 1000000000 / 1000};
	(void)event_add(linger->readable, &after);
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
	struct lingering *linger = context;
	struct lingers *all = linger->all;
	int64_t left = linger->end_ns - clock_monotonic_ns();
	(void)fd;
	if (left > 0 && (what & EV_READ) != 0 && drop(linger)) {
		wait_for_more(linger, left);
		return;
	}
	linger_close(linger);
	all->gone(all->context);
}

void linger_start(struct lingers *lingers, int fd)
{
	struct lingering *linger = memory_make(struct lingering);
	linger->all = lingers;
	linger->fd = fd;
	linger->end_ns = clock_monotonic_ns() + LINGER_NS;
	linger->readable = event_new(lingers->base, fd, EV_READ, on_readable, linger);
	if (linger->readable == NULL)
		abort(); /* only for want of memory */
	linger->next = lingers->first;
	linger->link = &lingers->first;
	if (linger->next != NULL)
		linger->next->link = &linger->next;
	lingers->first = linger;
	lingers->count++;
	(void)shutdown(fd, SHUT_WR);
	wait_for_more(linger, LINGER_NS);
}

void lingers_close(struct lingers *lingers)
{
	while (lingers->first != NULL)
		linger_close(lingers->first);
}
