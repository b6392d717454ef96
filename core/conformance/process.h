/* The processes that cases run in: each leads a group of its own, so what a plugin starts ends with its case. */
#ifndef CONFORMANCE_PROCESS_H
#define CONFORMANCE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* How the process of a case ended. */
struct process_end {
	int status;        /* of wait() */
	size_t memory_mib; /* that it had at most */
	bool late;         /* its time was up */
	bool left;         /* processes that it had started went on; they were ended */
};

/* In a process that was just forked: makes it lead its group, and end with the one that waits for it. */
void process_lead(void);

/* Waits for the end of CHILD, at most TIMEOUT_S; then it is ended, whatever it has made of signals and alarms. */
void process_wait(pid_t child, unsigned timeout_s, struct process_end *end);

#endif
