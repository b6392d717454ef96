/* The listening socket. Master, and `check`. */
#ifndef APP_LISTENER_H
#define APP_LISTENER_H

#include <smartsupport/error.h>

#include <stdbool.h>

/* A socket bound to HOST (a name or an address) and PORT, which does not listen yet; -1 and ERR. */
int listener_bind(const char *host, int port, struct ss_error *err);

/* Whether HOST is an address of this machine. Opens no port. */
int listener_check(const char *host, struct ss_error *err);

/* Whether only this machine can reach what is bound to HOST. */
bool listener_stays_here(const char *host);

/* Makes FD listen: from now on clients can connect. */
int listener_open(int fd, struct ss_error *err);

/* Whether only this machine can reach what listens on FD. */
bool listener_is_loopback(int fd);

/* Writes the address that FD has as a URL, http://127.0.0.1:8000, or https:// if it speaks TLS, into TEXT of SIZE bytes.
 * Returns TEXT. */
const char *listener_url(int fd, bool tls, char *text, size_t size);

#endif
