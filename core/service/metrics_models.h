/*
 * Metrics by model: the same as metrics.h, for each model that the workers name. There is room for 16 names; what a
 * further one does is not counted. Names and labels follow OpenTelemetry's conventions for generative AI where they
 * say something: https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/
 */
#ifndef SERVICE_METRICS_MODELS_H
#define SERVICE_METRICS_MODELS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct metrics;
struct metrics_part;
struct ss_value;

/* Counters, and gauges behind them. Another one is a row in the table of metrics_models.c as well. */
enum model_metric {
	MODEL_ANSWERED,
	MODEL_NO_ANSWER,
	MODEL_FAILED,
	MODEL_STOPPED,
	MODEL_SKIPPED,
	MODEL_COST, /* in billionths */
	MODEL_IN_FLIGHT,
	MODEL_QUEUE,
	MODEL_BREAKER_OPEN,
	MODEL_METRICS, /* how many there are */
};

enum model_histogram {
	MODEL_INPUT_TOKENS,
	MODEL_OUTPUT_TOKENS,
	MODEL_DURATION,    /* nanoseconds */
	MODEL_FIRST_TOKEN, /* nanoseconds */
	MODEL_HISTOGRAMS,  /* how many there are */
};

/* What PART counts of one model; without a part, or without room, nothing is counted. */
struct metrics_model {
	struct metrics_part *part; /* NULL: nothing */
	size_t row;
};

/* The model NAME: provider/model, or the name of one that is the server's own. Any process. */
struct metrics_model metrics_model(struct metrics_part *part, const char *name);

/* Where the workers keep what they have used of the model's budget; NULL when nothing is counted. */
atomic_llong *metrics_model_budget(const struct metrics_model *model);

void metrics_model_add(const struct metrics_model *model, enum model_metric counter, uint64_t more);
void metrics_model_set(const struct metrics_model *model, enum model_metric gauge, uint64_t value);
void metrics_model_observe(
	const struct metrics_model *model, enum model_histogram histogram, uint64_t value);

/* The totals of all workers since the server's start: a new list of maps {model, calls, failed, input_tokens,
 * output_tokens, cost, avg_first_token, avg_duration}, the last two in seconds and only when there is one. Models
 * that were never called are left out. */
struct ss_value *metrics_models(const struct metrics *metrics);

#endif
