/* What the memory of the calls holds; for the files calls*.c and crash.c only. */
#ifndef BASE_CALLS_PARTS_H
#define BASE_CALLS_PARTS_H

#include "base/calls.h"
#include "base/crash.h"

enum {
	CALLS_PARTS = 1024,
	CALLS_THREADS = 64, /* of a worker that note what they call */
	CALLS_PLUGINS = 64, /* files of a worker that are told apart */
};

struct call_plugin {
	char file[CALLS_PATH];
	uint64_t hash; /* of what is in it */
};

/* A node over which workers died. The master writes. */
struct call_row {
	atomic_uint deaths; /* 0: nobody's */
	atomic_llong since_ns;
	uint64_t key;
	struct call_name name;
};

struct calls_part {
	struct calls *whole;
	bool taken; /* the master's, as the next */
	bool fresh;
	pid_t pid; /* of who has adopted it */
	atomic_uint beats;
	atomic_bool hung;
	struct call_thread threads[CALLS_THREADS];
	struct crash crash;
	atomic_size_t plugin_count;
	struct call_plugin plugins[CALLS_PLUGINS];
	atomic_size_t site_count;
	struct call_site sites[CALLS_SITES];
};

struct calls {
	struct call_row rows[CALLS_ROWS];
	atomic_size_t used; /* parts that were ever taken: what lies behind them needs no memory */
	struct calls_part parts[CALLS_PARTS];
};

/* The part that this process has; NULL: none. */
struct calls_part *calls_own(void);

#endif
