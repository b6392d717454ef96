/*
 * Metrics: what all workers count, in memory that the master maps before it forks. A worker counts in a part
 * of its own, which nobody else writes to; whoever is asked adds the parts up. So any worker tells the figures
 * of all, and they never go back when a worker dies: the next one goes on with its part.
 */
#ifndef SERVICE_METRICS_H
#define SERVICE_METRICS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct buffer;
struct metrics;
struct metrics_part;

/* Counters, which only grow, and gauges. Another one is a row in the table of metrics.c as well. */
enum metric {
	METRIC_WORKERS,
	METRIC_CONNECTIONS,
	METRIC_ANSWERED,
	METRIC_ABSTAINED,
	METRIC_ESCALATED,
	METRIC_FAILED,
	METRIC_UNANSWERED,
	METRIC_SEARCHES,
	METRIC_SEARCHES_EMPTY,
	METRIC_SEARCHES_INCOMPLETE,
	METRIC_CACHE_HITS,
	METRIC_CACHE_MISSES,
	METRIC_CACHE_RESTORED,
	METRIC_CACHE_EVICTIONS,
	METRIC_CACHE_ENTRIES,
	METRIC_CACHE_BYTES,
	METRIC_TEXTS,
	METRIC_COMPUTE_QUEUE,
	METRIC_STORE_QUEUE,
	METRIC_ARTICLES_VERSION, /* of the store's articles that are served; not printed, as no sum says anything */
	METRIC_PURGED_CONVERSATIONS, /* in the order of enum ss_purged */
	METRIC_PURGED_EVENTS,
	METRIC_PURGED_DELIVERIES,
	METRIC_PURGED_JOURNALS,
	METRIC_PURGED_REQUESTS,
	METRIC_PURGED_DOCUMENTS,
	METRIC_PURGED_ERASURES,
	METRIC_DEATHS_SIGNAL, /* the master's */
	METRIC_DEATHS_EXIT,
	METRIC_DEATHS_HANG,
	METRIC_QUARANTINED,
	METRIC_GENERATION,
	METRIC_RELOADS_TAKEN_OVER,
	METRIC_RELOADS_REFUSED,
	METRICS, /* how many there are */
};

enum metric_histogram {
	METRIC_DURATION,   /* nanoseconds */
	METRIC_BATCH_SIZE, /* texts */
	METRIC_BATCH,      /* nanoseconds, and so are those below */
	METRIC_SEARCH,
	METRIC_STORE_COMMIT,
	METRIC_STORE_READ,
	METRIC_STORE_CALL,
	METRIC_HISTOGRAMS, /* how many there are */
};

/* Maps the memory. For the master, or whoever has no workers. NULL when the system has none. */
struct metrics *metrics_new(void);

/* Unmaps it in this process. NULL is allowed. */
void metrics_free(struct metrics *metrics);

/* A part that nobody has, for one process; NULL when there are more processes than parts (1024). The master
 * alone takes and gives them. */
struct metrics_part *metrics_take(struct metrics *metrics);

/* Gives back the part of a process that has ended; its gauges count no more. NULL is allowed. */
void metrics_give(struct metrics_part *part);

/* Counts in PART; without one nothing happens. Any thread of the process whose part it is. */
void metrics_add(struct metrics_part *part, enum metric counter, uint64_t more);
void metrics_set(struct metrics_part *part, enum metric gauge, uint64_t value);
void metrics_observe(struct metrics_part *part, enum metric_histogram histogram, uint64_t value);

/* The row of the route that does OPERATION with METHOD, for metrics_request(). There is room for 127 of them; further
 * ones, and with NULL what no route is for, are counted together as "other". Any process. */
size_t metrics_route(struct metrics_part *part, const char *operation, const char *method);
/* A request of ROUTE was answered with STATUS after NS. */
void metrics_request(struct metrics_part *part, size_t route, int status, int64_t ns);

/* The same for the nodes of workflows. */
size_t metrics_node(struct metrics_part *part, const char *name);
void metrics_node_ran(struct metrics_part *part, size_t node, int64_t ns);

/* PART is that of the process PID, whose memory, time and files are told. */
void metrics_set_process(struct metrics_part *part, pid_t pid);

/* The sum over all parts. Any process. */
uint64_t metrics_total(const struct metrics *metrics, enum metric metric);

/* The least GAUGE of the workers that serve; 0 when none does. Any process. */
uint64_t metrics_least(const struct metrics *metrics, enum metric gauge);

/* Adds all of it to TEXT, in Prometheus' text format, version 0.0.4. Any process. */
void metrics_print(const struct metrics *metrics, struct buffer *text);

#endif
