/* Addresses and networks of the Internet Protocol. An IPv4 address is kept as IPv6 writes it, ::ffff:192.0.2.1, so that both
 * are compared in one way. Any thread. */
#ifndef BASE_NETWORK_H
#define BASE_NETWORK_H

#include <stdbool.h>

struct address {
	unsigned char bytes[16];
};

/* The addresses whose first bits are those of ADDRESS. */
struct network {
	struct address address;
	unsigned bits; /* 0 to 128 */
};

/* Reads 192.0.2.1, 2001:db8::1 or [2001:db8::1]. -1 when TEXT is none. */
int address_read(struct address *address, const char *text);

/* Whether ADDRESS is IPv4's. */
bool address_is_old(const struct address *address);

/* Whether only this machine has ADDRESS. */
bool address_is_loopback(const struct address *address);

/* Reads an address, or a network as in 10.0.0.0/8. -1 when TEXT is none, or has bits behind its prefix. */
int network_read(struct network *network, const char *text);

bool network_has(const struct network *network, const struct address *address);

#endif
