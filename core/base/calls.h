/*
 * What a worker's threads are calling in plugins, noted where it outlasts the worker: in memory that the master maps before
 * it forks. So the master knows over which node of a workflow a worker died, and which nodes are in quarantine: those over
 * which several died are not called any more.
 *
 * The master makes the memory, gives a part of it to each worker and looks at it when one is gone. A worker adopts its part.
 * Processes that have adopted none note nothing.
 *
 * The thread's place and the process's part are variables of the file, as nothing can be handed to a signal's handler, and the
 * place is looked up with every call of a plugin.
 */
#ifndef BASE_CALLS_H
#define BASE_CALLS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct calls;
struct calls_part;

enum {
	CALLS_DEATHS = 2,  /* over a node, and it is in quarantine */
	CALLS_DEPTH = 4,   /* of calls within calls; deeper ones are not noted */
	CALLS_TEXT = 128,  /* of names, cut if need be */
	CALLS_PATH = 256,  /* the same of files */
	CALLS_KIND = 16,   /* the same of kinds of plugins */
	CALLS_ROWS = 64,   /* nodes over which workers died that are remembered */
	CALLS_SITES = 256, /* nodes of a worker that are told apart */
};

/* What of a plugin is called. */
enum call_operation {
	CALL_CREATE,
	CALL_OPEN, /* create() of what may take its time: a storage changes tables, an embedder loads a model */
	CALL_DESTROY,
	CALL_RUN,
	CALL_WAITED,
	CALL_EMBEDDED,
	CALL_FOUND,
	CALL_GENERATED,
	CALL_HTTP,
	CALL_OPERATIONS, /* how many there are */
};

/* Whose call it is: a node's, or of a plugin that the server itself uses, which has neither workflow nor node. */
struct call_name {
	char workflow[CALLS_TEXT];
	char node[CALLS_TEXT];  /* behind those of the nodes around it */
	char kind[CALLS_KIND];  /* "agent", "storage", … */
	char agent[CALLS_TEXT]; /* the plugin's name */
	char file[CALLS_PATH];  /* and its file */
};

/* A node, or a plugin of the server, as a worker calls it. */
struct call_site {
	atomic_bool quarantined;
	unsigned number; /* from 1 */
	uint64_t key;    /* the same for the same node of the same workflow with the same plugin */
	struct call_name name;
};

/* What one thread is at. */
struct call_thread {
	_Alignas(64) atomic_uint depth;
	atomic_uint
		calls[CALLS_DEPTH]; /* from the outermost in: the site's number and the operation */
	atomic_bool used;
	atomic_int id; /* of the thread, as the system counts */
};

/* The master's. */

/* Maps the memory; NULL when the system has none. */
struct calls *calls_new(void);
/* Unmaps it in this process. NULL is allowed. */
void calls_free(struct calls *calls);

/* A part that nobody has; NULL when there are more processes than parts (1024). With FRESH it is for a worker of a new
 * generation, for which no node is in quarantine. */
struct calls_part *calls_take(struct calls *calls, bool fresh);
/* Gives back the part of a worker that is gone and was looked at. NULL is allowed. */
void calls_give(struct calls_part *part);

/* The nodes over which the worker of PART died, at most COUNT, in SITES; returns how many: those that the thread was calling
 * which crashed or called exit(), the innermost first, or of a plugin whose own thread did; of one that hangs the loop's. When
 * no thread says so, those that any thread was calling. *SURE is false when no call was under way and the last one has ended
 * just before. */
size_t calls_blamed(
	const struct calls_part *part, const struct call_site **sites, size_t count, bool *sure);
/* What the worker of PART was calling at SITE, as in "run()". */
const char *calls_operation(const struct calls_part *part, const struct call_site *site);
/* Whether the loop of PART's worker is in a call that makes an instance of a plugin and that may not take longer than others. */
bool calls_making(const struct calls_part *part);
/* Counts a death over SITE. Returns how many there are; with CALLS_DEATHS the node is in quarantine in every worker. */
unsigned calls_count(struct calls *calls, const struct call_site *site);
/* Forgets all deaths, for a new generation, whose parts were taken fresh. */
void calls_lift(struct calls *calls);

/* Whoever asks. */

struct call_suspect {
	struct call_name name;
	unsigned deaths;
	int64_t since_ns; /* Unix time of the last one */
};

/* The nodes in quarantine, in SUSPECTS [CALLS_ROWS]; returns how many. NULL is allowed. Any process. */
size_t calls_quarantined(const struct calls *calls, struct call_suspect *suspects);

/* A worker's. */

/* This process has PART from now on, and the calling thread is its loop. NULL: none, as before. */
void calls_adopt(struct calls_part *part);
/* Threads that call plugins, when they begin and end. */
void calls_join(void);
void calls_leave(void);

/* The plugin in FILE is loaded. Loop thread, as the next. */
void calls_load(const char *file);

/* The site of the node NAME, whose plugin's descriptor is at PLUGIN, of the workflow that VERSION stands for; NAME's file is
 * found out. NULL, which stands for no node, when the process has no part or there is no room. */
struct call_site *calls_site(const struct call_name *name, const char *version, const void *plugin);

static inline bool call_is_quarantined(const struct call_site *site)
{
	return site != NULL && atomic_load_explicit(&site->quarantined, memory_order_relaxed);
}

extern _Thread_local struct call_thread *calls_here;

/* Around every call of a plugin for SITE (which may be NULL), on any thread. */
static inline void calls_begin(const struct call_site *site, enum call_operation operation)
{
	struct call_thread *here = calls_here;
	if (here == NULL)
		return;
	unsigned depth = atomic_load_explicit(&here->depth, memory_order_relaxed);
	unsigned call = site != NULL ? site->number * CALL_OPERATIONS + operation : 0;
	if (depth < CALLS_DEPTH)
		atomic_store_explicit(&here->calls[depth], call, memory_order_relaxed);
	atomic_store_explicit(&here->depth, depth + 1, memory_order_relaxed);
}

static inline void calls_end(void)
{
	struct call_thread *here = calls_here;
	if (here != NULL)
		atomic_store_explicit(&here->depth,
			atomic_load_explicit(&here->depth, memory_order_relaxed) - 1,
			memory_order_relaxed);
}

/* The same for a call that makes an instance, on the loop thread: the master sees that it is another one. */
void calls_begin_making(const struct call_site *site, enum call_operation operation);

/* Whose call the thread is in; NULL: nobody's. */
const struct call_site *call_current(void);

/* The node whose call was the last one of the thread, if it was since the loop came round; NULL: none's. */
const struct call_site *calls_last(void);

/* The loop has come round once more: the master sees that it is not stuck. What was called before is no more suspect. */
void calls_beat(void);
unsigned calls_beats(const struct calls_part *part);

/* The part's thread ID, which hangs in a plugin, ends the process where it is. */
void calls_kill_thread(int id);
/* The worker of PART is to be ended since it hangs, or was. */
void calls_set_hung(struct calls_part *part);
bool calls_hung(const struct calls_part *part);

#endif
