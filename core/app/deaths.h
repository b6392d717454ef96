/*
 * What the master makes of workers that died: it tells the operator over which plugin and where, counts it for the node that was
 * called, and puts a node in quarantine over which several died.
 */
#ifndef APP_DEATHS_H
#define APP_DEATHS_H

#include "base/calls.h"
#include "base/log.h"

struct metrics_part;

struct deaths {
	struct calls *calls;
	struct metrics_part *part; /* the master's own */
};

/* The process PID, which had PART and was to go on, has ended with STATUS, as waitpid() gives it. */
void deaths_tell(struct deaths *deaths, const struct calls_part *part, pid_t pid, int status,
	const struct log *log);

/* The same for one that was to start, which counts for nobody: only where it crashed is told, if it did. */
void deaths_show(const struct calls_part *part, pid_t pid, const struct log *log);

/* A new generation takes over, for which nothing is in quarantine. */
void deaths_lift(struct deaths *deaths);

/* What the worker of PART was at when it ended, as in ", in run() of the agent …", new; "" when it was at nothing. */
char *deaths_place(const struct calls_part *part);

#endif
