/* Durations of what has names that only the workers know: routes and nodes. */
#include "base/buffer.h"
#include "base/memory.h"
#include "service/metrics_parts.h"

#include <stdlib.h>
#include <string.h>

/* What further names are counted as. */
#define OTHER "other"

#define BOUNDS                                                                                     \
	{500000, 1000000, 2500000, 5000000, 10000000, 25000000, 50000000, 100000000, 250000000,    \
		500000000, 1000000000, 2500000000, 5000000000, 10000000000, 30000000000},          \
		15

static const struct histogram_row route_row = {"smartsupport_http_request_duration_seconds",
	"How long requests took from their first byte until their reply was given, by operation, "
	"method and class of the status.",
	NULL, 1e-9, BOUNDS};

static const struct histogram_row node_row = {"smartsupport_node_duration_seconds",
	"How long nodes of the workflow took, with all their attempts.", NULL, 1e-9, BOUNDS};

size_t metrics_route(struct metrics_part *part, const char *operation, const char *method)
{
	if (part == NULL || operation == NULL)
		return ROUTE_ROWS - 1;
	char *name = memory_format("%s %s", method, operation);
	size_t row = metric_name_claim(part->whole->routes, ROUTE_ROWS - 1, name);
	free(name);
	return row;
}

void metrics_request(struct metrics_part *part, size_t route, int status, int64_t ns)
{
	size_t class =
		status >= 100 && status < 600 ? (size_t)status / 100 - 1 : STATUS_CLASSES - 1;
	if (part != NULL)
		histogram_observe(&part->routes[route][class], &route_row, (uint64_t)ns);
}

size_t metrics_node(struct metrics_part *part, const char *name)
{
	return part != NULL ? metric_name_claim(part->whole->nodes, NODE_ROWS - 1, name) : 0;
}

void metrics_node_ran(struct metrics_part *part, size_t node, int64_t ns)
{
	if (part != NULL)
		histogram_observe(&part->nodes[node], &node_row, (uint64_t)ns);
}

/* What all workers have counted in the histogram that is OFFSET bytes behind the beginning of a part. */
static struct histogram sum_of(const struct metrics *metrics, size_t offset)
{
	struct histogram sum = {0};
	size_t used = atomic_load(&metrics->used);
	for (size_t i = 0; i < used; i++) {
		const char *part = (const char *)&metrics->parts[i];
		histogram_add(&sum, (const struct histogram *)(const void *)(part + offset));
	}
	return sum;
}

/* What was never counted is not told: most operations give few of the statuses. */
static void print_counted(const struct histogram *sum, const struct histogram_row *row,
	const struct buffer *labels, struct buffer *text)
{
	uint64_t count = 0;
	for (size_t i = 0; i <= row->count; i++)
		count += sum->counts[i];
	if (count > 0)
		histogram_print(sum, row, buffer_text(labels), text);
}

/* NAME is "METHOD operation". */
static void print_route(
	const struct metrics *metrics, size_t row, const char *name, struct buffer *text)
{
	size_t method = strcspn(name, " ");
	const char *operation = name[method] != '\0' ? name + method + 1 : name;
	for (size_t class = 0; class < STATUS_CLASSES; class ++) {
		struct buffer labels = {0};
		const struct histogram sum = sum_of(
			metrics, offsetof(struct metrics_part, routes) +
					 (row * STATUS_CLASSES + class) * sizeof(struct histogram));
		buffer_add_string(&labels, "operation=\"");
		metric_label_add(&labels, operation, strlen(operation));
		buffer_add_string(&labels, "\",method=\"");
		metric_label_add(&labels, name, method);
		buffer_add_format(&labels, "\",status=\"%zuxx\"", class + 1);
		print_counted(&sum, &route_row, &labels, text);
		buffer_free(&labels);
	}
}

static void print_node(
	const struct metrics *metrics, size_t row, const char *name, struct buffer *text)
{
	struct buffer labels = {0};
	const struct histogram sum = sum_of(
		metrics, offsetof(struct metrics_part, nodes) + row * sizeof(struct histogram));
	buffer_add_string(&labels, "node=\"");
	metric_label_add(&labels, name, strlen(name));
	buffer_add_char(&labels, '"');
	print_counted(&sum, &node_row, &labels, text);
	buffer_free(&labels);
}

static void print_family(const struct metrics *metrics, const struct histogram_row *about,
	const struct metric_name *names, size_t count,
	void (*print)(const struct metrics *, size_t, const char *, struct buffer *),
	struct buffer *text)
{
	metrics_print_head(text, about->name, "histogram", about->help);
	for (size_t row = 0; row < count; row++) {
		if (metric_name_is_there(&names[row]))
			print(metrics, row, names[row].name, text);
	}
	print(metrics, count, OTHER, text);
}

void metrics_named_print(const struct metrics *metrics, struct buffer *text)
{
	print_family(metrics, &route_row, metrics->routes, ROUTE_ROWS - 1, print_route, text);
	print_family(metrics, &node_row, metrics->nodes, NODE_ROWS - 1, print_node, text);
}
