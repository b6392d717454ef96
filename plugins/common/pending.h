/*
 * Runs of an agent that wait for something, and what is kept for each of them meanwhile: a callback gets the run alone,
 * and of several that come back for a run only the first one may finish it. Loop thread.
 */
#ifndef COMMON_PENDING_H
#define COMMON_PENDING_H

#include <smartsupport/plugin.h>

/* The first member of what is kept for a run, which is allocated in it and so lives as long. */
struct pending {
	struct pending *next;
	const struct ss_run *run;
};

/* Adds PENDING to LIST for RUN. */
void pending_add(struct pending **list, struct pending *pending, const struct ss_run *run);

/* Takes what is kept for RUN off LIST; NULL when it was taken already. */
struct pending *pending_take(struct pending **list, const struct ss_run *run);

#endif
