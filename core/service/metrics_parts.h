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
	MODEL_ROWS = 16,       /* the most models that are told apart */
	MODEL_NAME_SIZE = 128, /* of a model's name */
};

struct histogram {
	atomic_ullong counts[METRIC_BOUNDS + 1]; /* of the values up to each bound, and above all */
	atomic_ullong sum;
};

/* How a histogram is counted and printed. */
struct histogram_row {
	const char *name;
	const char *help;
	double unit; /* what a value of 1 is when it is printed */
	uint64_t bounds[METRIC_BOUNDS];
	size_t count; /* of the bounds */
};

/* A model as the workers share it. */
struct model_name {
	atomic_int state; /* of enum model_name_state */
	char name[MODEL_NAME_SIZE];
	atomic_llong budget; /* as service/llm_budget keeps it */
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
	struct metrics *whole; /* set when it is taken, before the worker is forked */
	bool taken;            /* the master's */
};

struct metrics {
	atomic_size_t used; /* parts that were ever taken: what lies behind them needs no memory */
	struct model_name models[MODEL_ROWS];
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

/* metrics_models.c */

void metrics_models_give(struct metrics_part *part);
void metrics_models_print(const struct metrics *metrics, struct buffer *text);

#endif
