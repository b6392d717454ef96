#include "service/metrics_models.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "service/metrics_parts.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

/* Rows of one name stand together, each with other labels. */
static const struct {
	const char *name;
	const char *label; /* behind those of the model, or "" */
	const char *type;
	double unit;
	const char *help;
} rows[MODEL_METRICS] = {
	[MODEL_ANSWERED] = {"smartsupport_model_calls_total", ",outcome=\"answered\"", "counter", 1,
		"Calls of models by their outcome: answered, no_answer (the articles have none), "
		"failed, stopped (nobody waited any more), or skipped (it was not called)."},
	[MODEL_NO_ANSWER] = {"smartsupport_model_calls_total", ",outcome=\"no_answer\"", "counter",
		1, NULL},
	[MODEL_FAILED] = {"smartsupport_model_calls_total", ",outcome=\"failed\"", "counter", 1,
		NULL},
	[MODEL_STOPPED] = {"smartsupport_model_calls_total", ",outcome=\"stopped\"", "counter", 1,
		NULL},
	[MODEL_SKIPPED] = {"smartsupport_model_calls_total", ",outcome=\"skipped\"", "counter", 1,
		NULL},
	[MODEL_COST] = {"smartsupport_model_cost_total", "", "counter", 1e-9,
		"What calls of models have cost, by the prices in the configuration."},
	[MODEL_IN_FLIGHT] = {"smartsupport_model_in_flight", "", "gauge", 1,
		"Calls of models that are under way."},
	[MODEL_QUEUE] = {"smartsupport_model_queue_length", "", "gauge", 1,
		"Questions that wait until another call of their model has ended."},
	[MODEL_BREAKER_OPEN] = {"smartsupport_model_breaker_open", "", "gauge", 1,
		"Workers that do not call the model for a while, since it keeps failing."},
};

#define TOKEN_BOUNDS                                                                               \
	{                                                                                          \
		1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216,   \
			67108864                                                                   \
	}

/* The bounds are those that the conventions recommend. */
static const struct histogram_row histograms[MODEL_HISTOGRAMS] = {
	[MODEL_INPUT_TOKENS] = {"gen_ai_client_token_usage",
		"Tokens that calls of models took, by their type.", ",gen_ai_token_type=\"input\"",
		1, TOKEN_BOUNDS, 14},
	[MODEL_OUTPUT_TOKENS] = {"gen_ai_client_token_usage", NULL, ",gen_ai_token_type=\"output\"",
		1, TOKEN_BOUNDS, 14},
	[MODEL_DURATION] = {"gen_ai_client_operation_duration_seconds",
		"How long calls of models took that answered or failed.", NULL, 1e-9,
		{10000000, 20000000, 40000000, 80000000, 160000000, 320000000, 640000000,
			1280000000, 2560000000, 5120000000, 10240000000, 20480000000, 40960000000,
			81920000000},
		14},
	[MODEL_FIRST_TOKEN] = {"gen_ai_server_time_to_first_token_seconds",
		"How long it took until the first piece of an answer came.", NULL, 1e-9,
		{1000000, 5000000, 10000000, 20000000, 40000000, 60000000, 80000000, 100000000,
			250000000, 500000000, 750000000, 1000000000, 2500000000, 5000000000,
			7500000000, 10000000000},
		16},
};

struct metrics_model metrics_model(struct metrics_part *part, const char *name)
{
	size_t row = part != NULL ? metric_name_claim(part->whole->models, MODEL_ROWS, name)
				  : MODEL_ROWS;
	return row < MODEL_ROWS ? (struct metrics_model){part, row} : (struct metrics_model){0};
}

atomic_llong *metrics_model_budget(const struct metrics_model *model)
{
	return model->part != NULL ? &model->part->whole->budgets[model->row] : NULL;
}

static struct model_figures *figures_of(const struct metrics_model *model)
{
	return &model->part->models[model->row];
}

void metrics_model_add(const struct metrics_model *model, enum model_metric counter, uint64_t more)
{
	if (model->part != NULL)
		(void)atomic_fetch_add_explicit(
			&figures_of(model)->values[counter], more, memory_order_relaxed);
}

void metrics_model_set(const struct metrics_model *model, enum model_metric gauge, uint64_t value)
{
	if (model->part != NULL)
		atomic_store_explicit(
			&figures_of(model)->values[gauge], value, memory_order_relaxed);
}

void metrics_model_observe(
	const struct metrics_model *model, enum model_histogram histogram, uint64_t value)
{
	if (model->part != NULL)
		histogram_observe(
			&figures_of(model)->histograms[histogram], &histograms[histogram], value);
}

void metrics_models_give(struct metrics_part *part)
{
	for (size_t row = 0; row < MODEL_ROWS; row++) {
		const struct metrics_model model = {part, row};
		for (size_t i = MODEL_IN_FLIGHT; i < MODEL_METRICS; i++)
			metrics_model_set(&model, (enum model_metric)i, 0);
	}
}

/* What all workers have counted of a model. */
static struct model_figures sum_of(const struct metrics *metrics, size_t row)
{
	struct model_figures sum = {0};
	size_t used = atomic_load(&metrics->used);
	for (size_t i = 0; i < used; i++) {
		const struct model_figures *from = &metrics->parts[i].models[row];
		for (size_t k = 0; k < MODEL_METRICS; k++)
			sum.values[k] +=
				atomic_load_explicit(&from->values[k], memory_order_relaxed);
		for (size_t k = 0; k < MODEL_HISTOGRAMS; k++)
			histogram_add(&sum.histograms[k], &from->histograms[k]);
	}
	return sum;
}

/* The labels of the model NAME. One that is no provider's is the server's own. */
static void add_labels(struct buffer *text, const char *name)
{
	static const char own[] = "smartsupport";
	const char *slash = strchr(name, '/');
	const char *model = slash != NULL ? slash + 1 : name;
	buffer_add_string(text, "gen_ai_operation_name=\"chat\",gen_ai_provider_name=\"");
	metric_label_add(text, slash != NULL ? name : own,
		slash != NULL ? (size_t)(slash - name) : sizeof own - 1);
	buffer_add_string(text, "\",gen_ai_request_model=\"");
	metric_label_add(text, model, strlen(model));
	buffer_add_char(text, '"');
}

/* The models that are there, with what was counted and their labels. */
struct table {
	struct model_figures sums[MODEL_ROWS];
	char *labels[MODEL_ROWS]; /* NULL: there is none */
};

static void print_values(const struct table *table, size_t metric, struct buffer *text)
{
	if (metric == 0 || strcmp(rows[metric].name, rows[metric - 1].name) != 0)
		metrics_print_head(text, rows[metric].name, rows[metric].type, rows[metric].help);
	for (size_t row = 0; row < MODEL_ROWS; row++) {
		if (table->labels[row] != NULL)
			buffer_add_format(text, "%s{%s%s} %.15g\n", rows[metric].name,
				table->labels[row], rows[metric].label,
				(double)table->sums[row].values[metric] * rows[metric].unit);
	}
}

static void print_histograms(const struct table *table, size_t histogram, struct buffer *text)
{
	const struct histogram_row *about = &histograms[histogram];
	if (histogram == 0 || strcmp(about->name, histograms[histogram - 1].name) != 0)
		metrics_print_head(text, about->name, "histogram", about->help);
	for (size_t row = 0; row < MODEL_ROWS; row++) {
		if (table->labels[row] == NULL)
			continue;
		char *labels = memory_format(
			"%s%s", table->labels[row], about->labels != NULL ? about->labels : "");
		histogram_print(&table->sums[row].histograms[histogram], about, labels, text);
		free(labels);
	}
}

void metrics_models_print(const struct metrics *metrics, struct buffer *text)
{
	struct table *table = memory_make(struct table);
	for (size_t row = 0; row < MODEL_ROWS; row++) {
		struct buffer labels = {0};
		if (!metric_name_is_there(&metrics->models[row]))
			continue;
		add_labels(&labels, metrics->models[row].name);
		table->labels[row] = buffer_take(&labels);
		table->sums[row] = sum_of(metrics, row);
	}
	for (size_t i = 0; i < MODEL_METRICS; i++)
		print_values(table, i, text);
	for (size_t i = 0; i < MODEL_HISTOGRAMS; i++)
		print_histograms(table, i, text);
	for (size_t row = 0; row < MODEL_ROWS; row++)
		free(table->labels[row]);
	free(table);
}

static uint64_t count_of(const struct histogram *histogram)
{
	uint64_t count = 0;
	for (size_t i = 0; i <= METRIC_BOUNDS; i++)
		count += histogram->counts[i];
	return count;
}

static struct ss_value *average(const struct histogram *histogram)
{
	uint64_t count = count_of(histogram);
	return count > 0 ? value_number((double)(histogram->sum / count / 1000) / 1e6) : NULL;
}

static struct ss_value *total_of(const char *name, const struct model_figures *sum)
{
	uint64_t calls = 0;
	for (size_t i = MODEL_ANSWERED; i <= MODEL_STOPPED; i++)
		calls += sum->values[i];
	if (calls == 0)
		return NULL;
	const struct histogram *histogram = sum->histograms;
	return value_map_make({"model", value_text(name)}, {"calls", value_int((int64_t)calls)},
		{"failed", value_int((int64_t)sum->values[MODEL_FAILED])},
		{"input_tokens", value_int((int64_t)histogram[MODEL_INPUT_TOKENS].sum)},
		{"output_tokens", value_int((int64_t)histogram[MODEL_OUTPUT_TOKENS].sum)},
		{"cost", value_number((double)sum->values[MODEL_COST] * 1e-9)},
		{"avg_first_token", average(&histogram[MODEL_FIRST_TOKEN])},
		{"avg_duration", average(&histogram[MODEL_DURATION])});
}

struct ss_value *metrics_models(const struct metrics *metrics)
{
	struct ss_value *items[MODEL_ROWS];
	size_t count = 0;
	for (size_t row = 0; row < MODEL_ROWS; row++) {
		if (!metric_name_is_there(&metrics->models[row]))
			continue;
		struct model_figures sum = sum_of(metrics, row);
		struct ss_value *total = total_of(metrics->models[row].name, &sum);
		if (total != NULL)
			items[count++] = total;
	}
	return value_list(items, count);
}
