/* A bar on the standard error output that shows how far long work has come; nothing when that is no terminal. */
#ifndef APP_PROGRESS_H
#define APP_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
	const char *what; /* one word; borrowed */
	bool shown;
	int64_t drawn_ns;
};

/* A bar that tells of WHAT is being done. */
struct progress progress_begin(const char *what);

/* Shows that DONE of TOTAL steps are done; what comes soon after another is not drawn. */
void progress_show(struct progress *progress, size_t done, size_t total);

/* Removes the bar. */
void progress_end(struct progress *progress);

#endif
