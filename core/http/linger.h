/*
 * Connections that were refused and are being closed. Closing a socket with bytes unread resets the
 * connection, and a reset can take the reply away that the client has not read yet; so what the client
 * still sends is read and dropped for a moment (RFC 9112, 9.6). Loop thread.
 */
#ifndef HTTP_LINGER_H
#define HTTP_LINGER_H

#include <stddef.h>

struct event_base;
struct lingering;

struct lingers {
	struct event_base *base;
	void (*gone)(void *context); /* called when one of them is closed */
	void *context;
	struct lingering *first;
	size_t count;
};

/* Ends the sending side of FD (taken), and closes it when the client has closed its own, or after 3
 * seconds or 32 MiB. */
void linger_start(struct lingers *lingers, int fd);

/* Closes all of them at once, and calls nobody. */
void lingers_close(struct lingers *lingers);

#endif
