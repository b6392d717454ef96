#include "http/accept.h"

#include "base/memory.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <event2/util.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	LISTENERS_LIMIT = 8,
	/* How often listeners that failed are switched on again. */
	RETRY_S = 1,
};

struct acceptor {
	struct evhttp *evhttp;
	struct acceptor_owner owner;
	const struct log *log;
	struct event *next_round;
	struct event *yielded;
	struct event *retry;
	struct evhttp_bound_socket *bound[LISTENERS_LIMIT];
	size_t count;
	bool made;                 /* a connection was made in this round */
	bool yields;               /* the siblings go first */
	bool short_of_descriptors; /* and the log says so */
};

static void pause_listeners(struct acceptor *acceptor)
{
	for (size_t i = 0; i < acceptor->count; i++)
		(void)evconnlistener_disable(evhttp_bound_socket_get_listener(acceptor->bound[i]));
}

void acceptor_resume(struct acceptor *acceptor)
{
	if (acceptor->made || acceptor->yields ||
		!acceptor->owner.has_room(acceptor->owner.context))
		return;
	for (size_t i = 0; i < acceptor->count; i++)
		(void)evconnlistener_enable(evhttp_bound_socket_get_listener(acceptor->bound[i]));
}

/* evhttp asks for the bufferevent of a connection in the middle of the listener's loop, which ends after
 * this connection because the listener is off. */
static struct bufferevent *on_accepted(struct event_base *base, void *context)
{
	struct acceptor *acceptor = context;
	(void)base;
	pause_listeners(acceptor);
	acceptor->made = true;
	event_active(acceptor->next_round, 0, 0);
	return acceptor->owner.make(acceptor->owner.context);
}

static void on_next_round(evutil_socket_t fd, short what, void *context)
{
	struct acceptor *acceptor = context;
	(void)fd;
	(void)what;
	acceptor->made = false;
	acceptor->owner.made(acceptor->owner.context);
	unsigned ms = acceptor->owner.yield_ms(acceptor->owner.context);
	const struct timeval time = {.tv_usec = (suseconds_t)ms * 1000};
	acceptor->yields = ms > 0 && event_add(acceptor->yielded, &time) == 0;
	acceptor_resume(acceptor);
}

static void on_yielded(evutil_socket_t fd, short what, void *context)
{
	struct acceptor *acceptor = context;
	(void)fd;
	(void)what;
	acceptor->yields = false;
	acceptor_resume(acceptor);
}

/* evhttp keeps the listener's context for itself, so on_accept_failed() can tell nobody; this looks. */
static void check_descriptors(struct acceptor *acceptor)
{
	int fd = acceptor->count > 0
			 ? fcntl(evhttp_bound_socket_get_fd(acceptor->bound[0]), F_DUPFD_CLOEXEC, 0)
			 : -1;
	if (fd < 0 && acceptor->count > 0 && !acceptor->short_of_descriptors)
		log_warning(acceptor->log, "connections cannot be accepted at the moment: %s",
			strerror(errno));
	acceptor->short_of_descriptors = fd < 0;
	if (fd >= 0)
		(void)close(fd);
}

static void on_retry(evutil_socket_t fd, short what, void *context)
{
	struct acceptor *acceptor = context;
	(void)fd;
	(void)what;
	check_descriptors(acceptor);
	acceptor_resume(acceptor);
}

/* What waits would be reported again at once and keep the loop busy, so the listener rests. */
static void on_accept_failed(struct evconnlistener *listener, void *context)
{
	(void)context;
	(void)evconnlistener_disable(listener);
}

struct acceptor *acceptor_new(struct event_base *base, struct evhttp *evhttp,
	const struct acceptor_owner *owner, const struct log *log)
{
	const struct timeval period = {.tv_sec = RETRY_S};
	struct acceptor *acceptor = memory_make(struct acceptor);
	acceptor->evhttp = evhttp;
	acceptor->owner = *owner;
	acceptor->log = log;
	acceptor->next_round = event_new(base, -1, 0, on_next_round, acceptor);
	acceptor->yielded = evtimer_new(base, on_yielded, acceptor);
	acceptor->retry = event_new(base, -1, EV_PERSIST, on_retry, acceptor);
	if (acceptor->next_round == NULL || acceptor->yielded == NULL || acceptor->retry == NULL ||
		event_add(acceptor->retry, &period) < 0)
		abort(); /* only for want of memory */
	evhttp_set_bevcb(evhttp, on_accepted, acceptor);
	return acceptor;
}

static int make_listen(int fd, struct ss_error *err)
{
	int listens = 0;
	socklen_t size = sizeof listens;
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 &&
		(listens != 0 || listen(fd, SOMAXCONN) == 0) &&
		evutil_make_socket_nonblocking(fd) == 0)
		return 0;
	return ss_fail_as(err, SS_UNAVAILABLE,
		"connections cannot be accepted from descriptor %d: %s", fd, strerror(errno));
}

int acceptor_listen(struct acceptor *acceptor, int fd, struct ss_error *err)
{
	if (acceptor->count == LISTENERS_LIMIT)
		return ss_fail_as(err, SS_LIMIT, "there are more than %d sockets to accept from",
			(int)LISTENERS_LIMIT);
	if (make_listen(fd, err) < 0)
		return -1;
	/* Without a callback it does not accept yet. */
	struct evconnlistener *listener = evconnlistener_new(
		event_get_base(acceptor->retry), NULL, NULL, LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (listener == NULL)
		return ss_fail(err, "connections cannot be accepted: no memory");
	struct evhttp_bound_socket *bound = evhttp_bind_listener(acceptor->evhttp, listener);
	if (bound == NULL) {
		evconnlistener_free(listener);
		return ss_fail(err, "connections cannot be accepted: no memory");
	}
	evconnlistener_set_error_cb(listener, on_accept_failed);
	acceptor->bound[acceptor->count++] = bound;
	pause_listeners(acceptor);
	acceptor_resume(acceptor);
	return 0;
}

void acceptor_free(struct acceptor *acceptor)
{
	if (acceptor == NULL)
		return;
	for (size_t i = 0; i < acceptor->count; i++)
		evhttp_del_accept_socket(acceptor->evhttp, acceptor->bound[i]);
	evhttp_set_bevcb(acceptor->evhttp, NULL, NULL);
	if (acceptor->made)
		acceptor->owner.made(acceptor->owner.context);
	event_free(acceptor->next_round);
	event_free(acceptor->yielded);
	event_free(acceptor->retry);
	free(acceptor);
}
