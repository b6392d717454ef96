#include "lib/crowd.h"

#include "base/clock.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	REQUEST_SIZE = 256,
	LITTLE = 4096, /* the socket buffer of a slow reader */
};

#define READY_LIMIT_MS 60000

struct member {
	int fd;
	size_t sent;
};

struct crowd_process {
	enum crowd_kind kind;
	const struct sockaddr_in *address;
	char request[REQUEST_SIZE];
	struct member *members;
	size_t count;
};

void crowd_raise_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static bool sends_slowly(const struct crowd_process *crowd, size_t number)
{
	return crowd->kind == CROWD_SLOW && number % 2 == 0;
}

/* Connects the member NUMBER and lets it do what it does at once. */
static int join(struct crowd_process *crowd, size_t number)
{
	struct member *member = &crowd->members[number];
	const int little = LITTLE;
	*member = (struct member){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	if (member->fd < 0)
		return -1;
	if (crowd->kind == CROWD_SLOW)
		(void)setsockopt(member->fd, SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
	if (connect(member->fd, (const struct sockaddr *)crowd->address, sizeof *crowd->address) <
		0)
		return -1;
	if (sends_slowly(crowd, number))
		return 0;
	size_t length = strlen(crowd->request);
	if (send(member->fd, crowd->request, length, MSG_NOSIGNAL) != (ssize_t)length)
		return -1;
	char reply[REQUEST_SIZE * 16];
	return crowd->kind == CROWD_SLOW || recv(member->fd, reply, sizeof reply, 0) > 0 ? 0 : -1;
}

/* What a slow member does in a second. One that was cut off, or is through, joins again. */
static void go_on(struct crowd_process *crowd, size_t number)
{
	struct member *member = &crowd->members[number];
	char byte = crowd->request[member->sent];
	ssize_t moved;
	if (sends_slowly(crowd, number)) {
		moved = recv(member->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK);
		if (moved < 0 && errno == EAGAIN)
			moved = send(member->fd, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
		else
			moved = 0; /* it was told that it took too long */
		member->sent++;
	} else {
		moved = recv(member->fd, &byte, 1, MSG_DONTWAIT);
	}
	if (moved > 0 || (moved < 0 && errno == EAGAIN))
		return;
	(void)close(member->fd);
	(void)join(crowd, number);
}

static _Noreturn void be_crowd(struct crowd_process *crowd, int ready)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (size_t i = 0; i < crowd->count; i++) {
		if (join(crowd, i) < 0) {
			(void)fprintf(stderr, "connection %zu: %s\n", i, strerror(errno));
			_exit(1);
		}
	}
	/* They are taken in their order: the last one that reads has a reply when all others are connected to more than
	 * the system's queue. */
	char byte;
	size_t last = sends_slowly(crowd, crowd->count - 1) ? crowd->count - 2 : crowd->count - 1;
	if (crowd->kind == CROWD_SLOW && crowd->count > 1 &&
		recv(crowd->members[last].fd, &byte, 1, MSG_PEEK) != 1)
		_exit(1);
	if (write(ready, "", 1) != 1)
		_exit(1);
	/* The members act one after the other, evenly over each second. */
	int64_t begun_ns = clock_monotonic_ns();
	for (size_t i = 0;; i++) {
		int64_t due_ns = begun_ns + (int64_t)(i * (1000000000 / crowd->count));
		int64_t wait_ns = due_ns - clock_monotonic_ns();
		const struct timespec pause = {
			.tv_sec = wait_ns / 1000000000, .tv_nsec = wait_ns % 1000000000};
		if (wait_ns > 0)
			(void)nanosleep(&pause, NULL);
		if (crowd->kind == CROWD_SLOW)
			go_on(crowd, i % crowd->count);
	}
}

int crowd_start(struct crowd *crowd, enum crowd_kind kind, const struct sockaddr_in *address,
	const char *path, size_t count, struct ss_error *err)
{
	struct crowd_process process = {.kind = kind, .address = address, .count = count};
	int ends[2];
	char byte;
	(void)snprintf(process.request, sizeof process.request,
		"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return ss_fail(err, "pipe: %s", strerror(errno));
	process.members = memory_array(count, sizeof *process.members);
	crowd->pid = fork();
	if (crowd->pid == 0)
		be_crowd(&process, ends[1]);
	free(process.members);
	(void)close(ends[1]);
	crowd->ready = ends[0];
	struct pollfd there = {.fd = crowd->ready, .events = POLLIN};
	if (crowd->pid > 0 && poll(&there, 1, READY_LIMIT_MS) == 1 &&
		read(crowd->ready, &byte, 1) == 1)
		return 0;
	crowd_stop(crowd);
	return ss_fail(err, "%zu connections cannot be had", count);
}

void crowd_stop(struct crowd *crowd)
{
	if (crowd->pid > 0) {
		(void)kill(crowd->pid, SIGKILL);
		(void)waitpid(crowd->pid, NULL, 0);
	}
	(void)close(crowd->ready);
	*crowd = (struct crowd){.ready = -1};
}
