#include "proxy.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER_SIZE = 65536 };

static int listener;
static uint16_t target_port;
static const char *_Atomic armed; /* what the answer that is cut has in it */

static struct sockaddr_in loopback(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return address;
}

static bool hand_on(int from, int to, bool is_answer)
{
	char bytes[BUFFER_SIZE];
	ssize_t got = read(from, bytes, sizeof bytes);
	if (got <= 0)
		return false;
	const char *word = is_answer ? atomic_load(&armed) : NULL;
	if (word != NULL && memmem(bytes, (size_t)got, word, strlen(word)) != NULL) {
		atomic_store(&armed, NULL);
		return false;
	}
	for (ssize_t sent = 0; sent < got;) {
		ssize_t now = send(to, bytes + sent, (size_t)(got - sent), MSG_NOSIGNAL);
		if (now <= 0)
			return false;
		sent += now;
	}
	return true;
}

static void serve(int client, int server)
{
	struct pollfd ends[] = {{.fd = client, .events = POLLIN}, {.fd = server, .events = POLLIN}};
	bool open = true;
	while (open && poll(ends, 2, -1) > 0) {
		if (ends[0].revents != 0)
			open = hand_on(client, server, false);
		if (open && ends[1].revents != 0)
			open = hand_on(server, client, true);
	}
}

static void *run(void *context)
{
	const struct sockaddr_in target = loopback(target_port);
	for (;;) {
		int client = accept(listener, NULL, NULL);
		int server = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(server, (const struct sockaddr *)&target, sizeof target) == 0)
			serve(client, server);
		(void)close(server);
		(void)close(client);
	}
	return context;
}

int proxy_start(const char *target)
{
	pthread_t thread;
	struct sockaddr_in address = loopback(0);
	socklen_t size = sizeof address;
	target_port = (uint16_t)strtoul(target, NULL, 10);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(bind(listener, (const struct sockaddr *)&address, sizeof address), 0);
	cr_assert_eq(listen(listener, 8), 0);
	cr_assert_eq(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	cr_assert_eq(pthread_create(&thread, NULL, run, NULL), 0);
	cr_assert_eq(pthread_detach(thread), 0);
	return ntohs(address.sin_port);
}

void proxy_cut_next(const char *word)
{
	atomic_store(&armed, word);
}

int proxy_has_cut(void)
{
	return atomic_load(&armed) == NULL;
}
