/* Many connections that do little, in a process of their own: a crowd around those that are measured. */
#ifndef BENCH_CROWD_H
#define BENCH_CROWD_H

#include <netinet/in.h>
#include <smartsupport/error.h>
#include <sys/types.h>

enum crowd_kind {
	CROWD_IDLE, /* each has had a reply, and stays open */
	CROWD_SLOW, /* by turns one that sends a byte of a head a second, and one that reads as slowly */
};

struct crowd {
	pid_t pid;
	int ready; /* says when all are connected */
};

/* Opens COUNT connections that ask ADDRESS for PATH, and waits until all are there. Those that are cut off connect
 * again. */
int crowd_start(struct crowd *crowd, enum crowd_kind kind, const struct sockaddr_in *address,
	const char *path, size_t count, struct ss_error *err);

/* Ends it, with its connections. */
void crowd_stop(struct crowd *crowd);

/* Lets this process, and those that it starts, open as many files as it may. */
void crowd_raise_limit(void);

#endif
