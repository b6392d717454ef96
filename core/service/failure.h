/* Failures of plugins that say nothing of themselves. For the services, on any thread. */
#ifndef SERVICE_FAILURE_H
#define SERVICE_FAILURE_H

#include <smartsupport/error.h>

/* Completes ERR, with which WHAT returned -1: a failure without a status must never pass for a success. */
static inline void failure_complete(struct ss_error *err, const char *what)
{
	if (err->status == SS_OK)
		(void)ss_fail(err, "%s failed without saying why", what);
}

#endif
