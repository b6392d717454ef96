#include "app/listener.h"

#include "base/network.h"

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Connections that the system keeps for workers to accept. */
enum { BACKLOG = 1024 };

static int bind_one(const struct addrinfo *address)
{
	const int on = 1;
	int fd = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
		address->ai_protocol);
	if (fd < 0)
		return -1;
	/* A server that was just stopped leaves connections that would else hold the address. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
		bind(fd, address->ai_addr, address->ai_addrlen) < 0) {
		int error = errno;
		(void)close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

/* A socket bound to the first address of HOST that takes it. *FOUND says whether there was any; -1 with
 * errno, or with ERR when there was none. */
static int bind_first(const char *host, int port, bool *found, struct ss_error *err)
{
	const struct addrinfo hints = {
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
	struct addrinfo *addresses = NULL;
	char service[16];
	int fd = -1;
	(void)snprintf(service, sizeof service, "%d", port);
	int error = getaddrinfo(host, service, &hints, &addresses);
	*found = error == 0;
	if (error != 0)
		return ss_fail_as(err, SS_INVALID, "\"%s\" is no address to listen on: %s", host,
			gai_strerror(error));
	for (const struct addrinfo *at = addresses; fd < 0 && at != NULL; at = at->ai_next)
		fd = bind_one(at);
	error = errno;
	freeaddrinfo(addresses);
	errno = error;
	return fd;
}

int listener_bind(const char *host, int port, struct ss_error *err)
{
	bool found = false;
	int fd = bind_first(host, port, &found, err);
	if (fd < 0 && found)
		(void)ss_fail_as(err, SS_UNAVAILABLE, "cannot listen on %s port %d: %s%s", host,
			port, strerror(errno),
			errno == EADDRINUSE
				? "; stop the other server or choose another port with PORT"
				: "");
	return fd;
}

int listener_check(const char *host, struct ss_error *err)
{
	bool found = false;
	/* A port that the system chooses, and that nobody can connect to. */
	int fd = bind_first(host, 0, &found, err);
	if (fd >= 0)
		return close(fd);
	return !found ? -1
		      : ss_fail_as(
				err, SS_INVALID, "cannot listen on %s: %s", host, strerror(errno));
}

int listener_open(int fd, struct ss_error *err)
{
	char url[300];
	if (listen(fd, BACKLOG) == 0)
		return 0;
	return ss_fail_as(err, SS_UNAVAILABLE, "cannot listen on %s: %s",
		listener_url(fd, false, url, sizeof url), strerror(errno));
}

static bool is_loopback(const struct sockaddr *bound, socklen_t length)
{
	char host[256];
	struct address address;
	return getnameinfo(bound, length, host, sizeof host, NULL, 0, NI_NUMERICHOST) == 0 &&
	       address_read(&address, host) == 0 && address_is_loopback(&address);
}

bool listener_is_loopback(int fd)
{
	struct sockaddr_storage bound;
	socklen_t length = sizeof bound;
	return getsockname(fd, (struct sockaddr *)&bound, &length) == 0 &&
	       is_loopback((struct sockaddr *)&bound, length);
}

bool listener_stays_here(const char *host)
{
	const struct addrinfo hints = {
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
	struct addrinfo *addresses = NULL;
	/* What is no address is another mistake. */
	if (getaddrinfo(host, NULL, &hints, &addresses) != 0)
		return true;
	bool stays = true;
	for (const struct addrinfo *at = addresses; at != NULL; at = at->ai_next)
		stays = stays && is_loopback(at->ai_addr, at->ai_addrlen);
	freeaddrinfo(addresses);
	return stays;
}

const char *listener_url(int fd, bool tls, char *text, size_t size)
{
	const char *scheme = tls ? "https" : "http";
	struct sockaddr_storage address;
	socklen_t length = sizeof address;
	char host[256];
	char port[16];
	(void)snprintf(text, size, "%s://?", scheme);
	if (getsockname(fd, (struct sockaddr *)&address, &length) == 0 &&
		getnameinfo((struct sockaddr *)&address, length, host, sizeof host, port,
			sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) == 0)
		(void)snprintf(text, size,
			address.ss_family == AF_INET6 ? "%s://[%s]:%s" : "%s://%s:%s", scheme, host,
			port);
	return text;
}
