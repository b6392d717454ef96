/*
 * What the master's parts share: its workers' lives (master.c), taking over a changed configuration (master_reload.c), and
 * looking after workers that hang or grow (master_watch.c).
 */
#ifndef APP_MASTER_PARTS_H
#define APP_MASTER_PARTS_H

#include "app/deaths.h"
#include "app/worker.h"
#include "base/buffer.h"

#include <signal.h>
#include <sys/types.h>

struct generations;
struct limits;
struct metrics;

#define SECOND_NS ((int64_t)1000000000)

enum worker_state {
	WORKER_NONE,    /* no process; start it at start_at_ns */
	WORKER_LOADING, /* it has not said that it is ready */
	WORKER_WAITING, /* it is ready and not told to begin */
	WORKER_SERVING,
	WORKER_LEAVING, /* it was told to stop; its place is free when it is gone */
};

struct worker {
	enum worker_state state;
	pid_t pid;
	struct metrics_part *metrics;
	struct calls_part *calls;
	unsigned beats; /* as last seen, and when they were others */
	int64_t beat_ns;
	const char *limit;   /* the setting over which it was ended; NULL: none */
	int64_t memory;      /* bytes when it began */
	pid_t instead_of;    /* who leaves when it begins; 0: nobody */
	int64_t kill_at_ns;  /* when it does not leave; 0: it need not */
	int control;         /* the master's end; -1: none */
	bool replaces;       /* it belongs to the generation that is about to take over */
	bool deaf;           /* it takes no connections any more */
	struct buffer error; /* what a worker that failed has to say */
	int64_t started_ns;
	int64_t start_at_ns;
	int64_t backoff_ns;
};

struct master {
	const struct config *config;
	struct config *own_config;  /* after a reload: `config` */
	struct config *next_config; /* during one */
	const char *config_file;
	struct log log;
	int listener;
	bool listening;
	int signals;
	sigset_t signals_before;
	struct metrics *metrics;
	struct limits *limits;
	struct generations *generations;
	struct deaths deaths;
	struct worker *workers;
	size_t count;
	int64_t look_at_ns; /* when its workers are to be looked at again */
	bool stopping;
	int64_t kill_at_ns; /* while stopping */
	bool reloading;
	int64_t hand_over_by_ns; /* how long those before a generation that has begun may take connections still; 0: none has */
	bool reload_again;
	int code;
	bool over;
};

/* Workers (master.c). */

/* A row for another one, which has no process. Other rows may move. */
struct worker *master_add_worker(struct master *master);
/* Starts its process. -1 and ERR when the system gives none; it has none then. */
int master_start_worker(struct master *master, struct worker *worker, struct ss_error *err);
/* The same; when it fails that is logged, and it is tried again after a while. */
void master_start_or_wait(struct master *master, struct worker *worker);
/* Tells a worker that is ready to begin. */
void master_begin(struct master *master, struct worker *worker);
/* Tells it to finish what it has and to end. */
void master_leave(const struct master *master, struct worker *worker);
/* Whether all that are being started have said that they are ready: those of the next generation, if it REPLACES. */
bool master_all_ready(const struct master *master, bool replaces);

/* The reload (master_reload.c). */

/* Begins to take over the configuration as it is now. While that cannot be, it is remembered in reload_again. */
void master_reload(struct master *master);
/* All workers of the next generation are ready: they begin, and then those before them leave. */
void master_take_over(struct master *master);
/* Says that it has taken over once none of those before it takes a connection any more, so that whoever comes then comes to it. Who hangs
 * takes none either. Gives when to look again. */
int64_t master_hand_over(struct master *master, int64_t now);
/* One of them cannot start, for WHY, which may have several lines: they end, and nothing has changed. */
void master_drop_reload(struct master *master, const char *why);
/* LINES as one line of the log: "a\nb\n" is "a; b". New. */
char *master_one_line(const char *lines);

/* What is looked at from time to time (master_watch.c). */

/* Does not count against workers what the master itself came too late to look at them: the machine stood still, or had too much else to do. */
void master_forgive(struct master *master, int64_t now);
/* Ends WORKER when it has not come on for too long, first so that it tells where it is. Gives when to look again. */
int64_t master_watch(const struct master *master, struct worker *worker, int64_t now);
/* Starts another worker in place of each that has grown by too much since it began. It goes on until that one is ready. */
void master_replace_outgrown(struct master *master);
/* Begins with WORKER, and lets the one go whose place it takes. */
void master_begin_in_place(struct master *master, struct worker *worker);
/* The worker that was started in place of WORKER; NULL: none. */
struct worker *master_successor(const struct master *master, const struct worker *worker);

#endif
