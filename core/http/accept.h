/*
 * Takes connections for evhttp, one in each round of the loop. libevent's listener accepts until nobody
 * waits any more, so that one of the workers that share a socket would take all of a burst and the others
 * none; here the listener is switched off after each connection and on again before the loop looks for
 * events the next time, and meanwhile a sibling takes the next one. A worker that has more than its share lets the
 * others go first: one that sleeps takes longer to wake up than one that is awake takes for a round, and connections
 * that stay open would all be with the latter for as long as they stay. Loop thread.
 */
#ifndef HTTP_ACCEPT_H
#define HTTP_ACCEPT_H

#include "base/log.h"

struct acceptor;
struct bufferevent;
struct event_base;
struct evhttp;

/* What its owner does. */
struct acceptor_owner {
	void *context;
	/* Makes the bufferevent of a connection that was accepted just now. */
	struct bufferevent *(*make)(void *context);
	/* evhttp has set that connection up, or given up on it; and no other was accepted meanwhile. */
	void (*made)(void *context);
	/* Whether another connection may come. If not, acceptor_resume() is called later. */
	bool (*has_room)(void *context);
	/* For how many milliseconds the siblings go first when the next one comes; 0: nobody waits for them. */
	unsigned (*yield_ms)(void *context);
};

/* An acceptor for EVHTTP, which must outlive it. LOG is borrowed. */
struct acceptor *acceptor_new(struct event_base *base, struct evhttp *evhttp,
	const struct acceptor_owner *owner, const struct log *log);

/* Begins to accept from FD, which stays the caller's and is made to listen if it does not. */
int acceptor_listen(struct acceptor *acceptor, int fd, struct ss_error *err);

/* There may be room again. */
void acceptor_resume(struct acceptor *acceptor);

/* Ends it: evhttp gets no more connections. NULL is allowed. */
void acceptor_free(struct acceptor *acceptor);

#endif
