/* What the memory of the metrics holds; for the files metrics*.c only. */
#ifndef SERVICE_METRICS_PARTS_H
#define SERVICE_METRICS_PARTS_H

#include "service/metrics.h"
#include "service/metrics_models.h"

#include <stdatomic.h>
#include <stdbool.h>

enum {
	METRIC_PARTS = 1024, /* the most workers, four times: old ones may still be leaving */
	METRIC_BOUNDS = 16,  /* of a histogram; one more for what is above them */
	CACHE_LINE = 64,
	MODEL_ROWS = 16,    /* the most models that are told apart */
	ROUTE_ROWS = 128,   /* the same of routes, the last for all others */
	NODE_ROWS = 128,    /* the same of nodes */
	STATUS_CLASSES = 5, /* 1xx to 5xx */
	METRIC_NAME_SIZE = 128,
};

struct histogram {
	atomic_ullong counts[METRIC_BOUNDS + 1]; /* of the values up to each bound, and above all */
	atomic_ullong sum;
};

/* How a histogram is counted and printed. */
struct histogram_row {
	const char *name;
	const char *help;   /* NULL: as the row before, of the same name */
	const char *labels; /* as in a="b"; NULL: none */
	double unit;        /* what a value of 1 is when it is printed */
	uint64_t bounds[METRIC_BOUNDS];
	size_t count; /* of the bounds */
};

/* A name as the workers share it. */
struct metric_name {
	atomic_int state;
	char name[METRIC_NAME_SIZE];
};

/* What one worker counts of a model. */
struct model_figures {
	atomic_ullong values[MODEL_METRICS];
	struct histogram histograms[MODEL_HISTOGRAMS];
};

struct metrics_part {
	_Alignas(CACHE_LINE) atomic_ullong values[METRICS];
	struct histogram histograms[METRIC_HISTOGRAMS];
	struct model_figures models[MODEL_ROWS];
	struct histogram routes[ROUTE_ROWS][STATUS_CLASSES];
	struct histogram nodes[NODE_ROWS];
	atomic_int pid;        /* of its worker; 0: it has none */
	struct metrics *whole; /* set when it is taken, before the worker is forked */
	bool taken;            /* the master's */
};

struct metrics {
	atomic_size_t used; /* parts that were ever taken: what lies behind them needs no memory */
	struct metric_name models[MODEL_ROWS];
	atomic_llong budgets[MODEL_ROWS]; /* of the models, as service/llm_budget keeps them */
	struct metric_name routes[ROUTE_ROWS - 1], nodes[NODE_ROWS - 1];
	struct metrics_part parts[METRIC_PARTS];
};

void histogram_observe(
	struct histogram *histogram, const struct histogram_row *row, uint64_t value);

/* Adds FROM to INTO, which nobody else has. */
void histogram_add(struct histogram *into, const struct histogram *from);

/* Prints the lines of SUM with LABELS, "" or as in a="b",c="d"; and what comes before all of them. */
void histogram_print(const struct histogram *sum, const struct histogram_row *row,
	const char *labels, struct buffer *text);
void metrics_print_head(struct buffer *text, const char *name, const char *type, const char *help);

/* metrics_names.c */

/* The row of NAME among COUNT ROWS, its own from now on; COUNT when all are others'. Any process. */
size_t metric_name_claim(struct metric_name *rows, size_t count, const char *name);
bool metric_name_is_there(const struct metric_name *row);
/* Adds VALUE as it stands within the quotes of a label. */
void metric_label_add(struct buffer *text, const char *value, size_t length);

/* metrics_named.c and metrics_process.c */

void metrics_named_print(const struct metrics *metrics, struct buffer *text);
void metrics_process_print(const struct metrics *metrics, struct buffer *text);

/* metrics_models.c */

void metrics_models_give(struct metrics_part *part);
void metrics_models_print(const struct metrics *metrics, struct buffer *text);

#endif
