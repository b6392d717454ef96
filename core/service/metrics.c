#include "service/metrics.h"

#include "base/buffer.h"
#include "service/metrics_parts.h"

#include <string.h>
#include <sys/mman.h>

enum kind { COUNTER, GAUGE };

/* Rows of one name stand together, each with other labels. */
static const struct {
	const char *name;
	const char *labels; /* as they are printed, or "" */
	enum kind kind;
	const char *help;
} rows[METRICS] = {
	[METRIC_WORKERS] = {"smartsupport_workers", "", GAUGE, "Worker processes that serve."},
	[METRIC_CONNECTIONS] = {"smartsupport_connections", "", GAUGE,
		"Connections that are open."},
	[METRIC_ANSWERED] = {"smartsupport_questions_total", "{outcome=\"answered\"}", COUNTER,
		"Questions by their outcome: answered, abstained (no answer was found), escalated "
		"to a human, or failed."},
	[METRIC_ABSTAINED] = {"smartsupport_questions_total", "{outcome=\"abstained\"}", COUNTER,
		NULL},
	[METRIC_ESCALATED] = {"smartsupport_questions_total", "{outcome=\"escalated\"}", COUNTER,
		NULL},
	[METRIC_FAILED] = {"smartsupport_questions_total", "{outcome=\"failed\"}", COUNTER, NULL},
	[METRIC_UNANSWERED] = {"smartsupport_questions_unanswered_total", "", COUNTER,
		"Questions that the knowledge base has no answer to, as the workflow decides."},
	[METRIC_SEARCHES] = {"smartsupport_knowledge_searches_total", "", COUNTER,
		"Searches in the knowledge base."},
	[METRIC_SEARCHES_EMPTY] = {"smartsupport_knowledge_searches_empty_total", "", COUNTER,
		"Searches that found no article."},
	[METRIC_SEARCHES_INCOMPLETE] = {"smartsupport_knowledge_searches_incomplete_total", "",
		COUNTER,
		"Searches without some of their stages, since the embedder or the index failed."},
	[METRIC_CACHE_HITS] = {"smartsupport_embedder_cache_hits_total", "", COUNTER,
		"Texts whose vector was there or on its way."},
	[METRIC_CACHE_MISSES] = {"smartsupport_embedder_cache_misses_total", "", COUNTER,
		"Texts whose vector had to be made."},
	[METRIC_CACHE_RESTORED] = {"smartsupport_embedder_cache_restored_total", "", COUNTER,
		"Vectors of earlier questions that came from the store."},
	[METRIC_CACHE_EVICTIONS] = {"smartsupport_embedder_cache_evictions_total", "", COUNTER,
		"Vectors that made room for others."},
	[METRIC_CACHE_ENTRIES] = {"smartsupport_embedder_cache_entries", "", GAUGE,
		"Vectors that are kept."},
	[METRIC_CACHE_BYTES] = {"smartsupport_embedder_cache_bytes", "", GAUGE,
		"Memory of the vectors that are kept, with their texts."},
	[METRIC_TEXTS] = {"smartsupport_embedder_texts_total", "", COUNTER,
		"Texts that were embedded."},
	[METRIC_COMPUTE_QUEUE] = {"smartsupport_queue_length", "{queue=\"compute\"}", GAUGE,
		"Requests that wait for a service or are being served by it."},
	[METRIC_STORE_QUEUE] = {"smartsupport_queue_length", "{queue=\"store\"}", GAUGE, NULL},
	[METRIC_ARTICLES_VERSION] = {NULL, NULL, GAUGE, NULL},
	[METRIC_PURGED_CONVERSATIONS] = {"smartsupport_purged_total", "{what=\"conversations\"}",
		COUNTER, "What was deleted since it was older than it is to be kept."},
	[METRIC_PURGED_EVENTS] = {"smartsupport_purged_total", "{what=\"events\"}", COUNTER, NULL},
	[METRIC_PURGED_DELIVERIES] = {"smartsupport_purged_total", "{what=\"deliveries\"}", COUNTER,
		NULL},
	[METRIC_PURGED_JOURNALS] = {"smartsupport_purged_total", "{what=\"journals\"}", COUNTER,
		NULL},
	[METRIC_PURGED_REQUESTS] = {"smartsupport_purged_total", "{what=\"requests\"}", COUNTER,
		NULL},
	[METRIC_PURGED_DOCUMENTS] = {"smartsupport_purged_total", "{what=\"documents\"}", COUNTER,
		NULL},
	[METRIC_PURGED_ERASURES] = {"smartsupport_purged_total", "{what=\"erasures\"}", COUNTER,
		NULL},
	[METRIC_DEATHS_SIGNAL] = {"smartsupport_worker_deaths_total", "{cause=\"signal\"}", COUNTER,
		"Workers that died while they served: by a signal, by an exit that nobody asked "
		"for, "
		"or since they hung and were ended."},
	[METRIC_DEATHS_EXIT] = {"smartsupport_worker_deaths_total", "{cause=\"exit\"}", COUNTER,
		NULL},
	[METRIC_DEATHS_HANG] = {"smartsupport_worker_deaths_total", "{cause=\"hang\"}", COUNTER,
		NULL},
	[METRIC_QUARANTINED] = {"smartsupport_quarantined_nodes", "", GAUGE,
		"Nodes of workflows that are not called any more, since several workers died over "
		"them."},
	[METRIC_GENERATION] = {"smartsupport_generation", "", GAUGE,
		"How many configurations have served since the server started, this one included."},
	[METRIC_RELOADS_TAKEN_OVER] = {"smartsupport_reloads_total", "{outcome=\"taken_over\"}",
		COUNTER, "Reloads that have ended."},
	[METRIC_RELOADS_REFUSED] = {"smartsupport_reloads_total", "{outcome=\"refused\"}", COUNTER,
		NULL},
};

/* From 50 microseconds to 5 seconds, and how many there are. */
#define SERVICE_BOUNDS                                                                             \
	{50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000, 25000000, 50000000,   \
		100000000, 250000000, 1000000000, 5000000000},                                     \
		14

static const struct histogram_row histograms[METRIC_HISTOGRAMS] = {
	[METRIC_DURATION] = {"smartsupport_question_duration_seconds",
		"How long questions took until they were stored with their answers.", NULL, 1e-9,
		{1000000, 2500000, 5000000, 10000000, 25000000, 50000000, 100000000, 250000000,
			500000000, 1000000000, 2500000000, 5000000000, 10000000000, 20000000000},
		14},
	[METRIC_BATCH_SIZE] = {"smartsupport_embedder_batch_size",
		"Texts that were embedded together.", NULL, 1, {1, 2, 4, 8, 16, 32, 64, 128, 256},
		9},
	[METRIC_BATCH] = {"smartsupport_embedder_batch_duration_seconds",
		"How long it took to embed texts together.", NULL, 1e-9, SERVICE_BOUNDS},
	[METRIC_SEARCH] = {"smartsupport_knowledge_search_duration_seconds",
		"How long searches in the knowledge base took once they had their vector.", NULL,
		1e-9, SERVICE_BOUNDS},
	[METRIC_STORE_COMMIT] = {"smartsupport_store_duration_seconds",
		"How long the storage took: to commit a transaction, for a read, or for another "
		"call.",
		"operation=\"commit\"", 1e-9, SERVICE_BOUNDS},
	[METRIC_STORE_READ] = {"smartsupport_store_duration_seconds", NULL, "operation=\"read\"",
		1e-9, SERVICE_BOUNDS},
	[METRIC_STORE_CALL] = {"smartsupport_store_duration_seconds", NULL, "operation=\"call\"",
		1e-9, SERVICE_BOUNDS},
};

struct metrics *metrics_new(void)
{
	struct metrics *metrics = mmap(NULL, sizeof *metrics, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (metrics == MAP_FAILED)
		return NULL;
	return metrics;
}

void metrics_free(struct metrics *metrics)
{
	if (metrics != NULL)
		(void)munmap(metrics, sizeof *metrics);
}

struct metrics_part *metrics_take(struct metrics *metrics)
{
	for (size_t i = 0; i < METRIC_PARTS; i++) {
		struct metrics_part *part = &metrics->parts[i];
		if (part->taken)
			continue;
		part->taken = true;
		part->whole = metrics;
		if (i >= atomic_load(&metrics->used))
			atomic_store(&metrics->used, i + 1);
		return part;
	}
	return NULL;
}

void metrics_give(struct metrics_part *part)
{
	if (part == NULL)
		return;
	for (size_t i = 0; i < METRICS; i++) {
		if (rows[i].kind == GAUGE)
			metrics_set(part, (enum metric)i, 0);
	}
	metrics_models_give(part);
	atomic_store(&part->pid, 0);
	part->taken = false;
}

void metrics_add(struct metrics_part *part, enum metric counter, uint64_t more)
{
	if (part != NULL)
		(void)atomic_fetch_add_explicit(&part->values[counter], more, memory_order_relaxed);
}

void metrics_set(struct metrics_part *part, enum metric gauge, uint64_t value)
{
	if (part != NULL)
		atomic_store_explicit(&part->values[gauge], value, memory_order_relaxed);
}

void histogram_observe(struct histogram *histogram, const struct histogram_row *row, uint64_t value)
{
	size_t i = 0;
	while (i < row->count && value > row->bounds[i])
		i++;
	(void)atomic_fetch_add_explicit(&histogram->counts[i], 1, memory_order_relaxed);
	(void)atomic_fetch_add_explicit(&histogram->sum, value, memory_order_relaxed);
}

void metrics_observe(struct metrics_part *part, enum metric_histogram histogram, uint64_t value)
{
	if (part != NULL)
		histogram_observe(&part->histograms[histogram], &histograms[histogram], value);
}

uint64_t metrics_total(const struct metrics *metrics, enum metric metric)
{
	uint64_t total = 0;
	size_t used = atomic_load(&metrics->used);
	for (size_t i = 0; i < used; i++)
		total += atomic_load_explicit(
			&metrics->parts[i].values[metric], memory_order_relaxed);
	return total;
}

uint64_t metrics_least(const struct metrics *metrics, enum metric gauge)
{
	uint64_t least = UINT64_MAX;
	size_t used = atomic_load(&metrics->used);
	for (size_t i = 0; i < used; i++) {
		const struct metrics_part *part = &metrics->parts[i];
		uint64_t value = atomic_load_explicit(&part->values[gauge], memory_order_relaxed);
		if (atomic_load_explicit(&part->values[METRIC_WORKERS], memory_order_relaxed) > 0 &&
			value < least)
			least = value;
	}
	return least != UINT64_MAX ? least : 0;
}

void metrics_print_head(struct buffer *text, const char *name, const char *type, const char *help)
{
	buffer_add_format(text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void histogram_add(struct histogram *into, const struct histogram *from)
{
	into->sum += atomic_load_explicit(&from->sum, memory_order_relaxed);
	for (size_t k = 0; k <= METRIC_BOUNDS; k++)
		into->counts[k] += atomic_load_explicit(&from->counts[k], memory_order_relaxed);
}

void histogram_print(const struct histogram *sum, const struct histogram_row *row,
	const char *labels, struct buffer *text)
{
	uint64_t total = 0;
	const char *comma = labels[0] != '\0' ? "," : "";
	const char *open = labels[0] != '\0' ? "{" : "", *close = labels[0] != '\0' ? "}" : "";
	for (size_t k = 0; k < row->count; k++) {
		total += sum->counts[k];
		buffer_add_format(text, "%s_bucket{%s%sle=\"%g\"} %llu\n", row->name, labels, comma,
			(double)row->bounds[k] * row->unit, (unsigned long long)total);
	}
	total += sum->counts[row->count];
	buffer_add_format(text, "%s_bucket{%s%sle=\"+Inf\"} %llu\n", row->name, labels, comma,
		(unsigned long long)total);
	buffer_add_format(text, "%s_sum%s%s%s %.9g\n%s_count%s%s%s %llu\n", row->name, open, labels,
		close, (double)sum->sum * row->unit, row->name, open, labels, close,
		(unsigned long long)total);
}

static void print_histogram(
	const struct metrics *metrics, enum metric_histogram histogram, struct buffer *text)
{
	const struct histogram_row *row = &histograms[histogram];
	struct histogram sum = {0};
	size_t used = atomic_load(&metrics->used);
	for (size_t i = 0; i < used; i++)
		histogram_add(&sum, &metrics->parts[i].histograms[histogram]);
	if (row->help != NULL)
		metrics_print_head(text, row->name, "histogram", row->help);
	histogram_print(&sum, row, row->labels != NULL ? row->labels : "", text);
}

void metrics_print(const struct metrics *metrics, struct buffer *text)
{
	static const char *const types[] = {[COUNTER] = "counter", [GAUGE] = "gauge"};
	metrics_print_head(text, "smartsupport_build_info", "gauge", "The server's version.");
	buffer_add_string(text, "smartsupport_build_info{version=\"" SS_VERSION "\"} 1\n");
	for (size_t i = 0; i < METRICS; i++) {
		if (rows[i].name == NULL)
			continue;
		if (i == 0 || rows[i - 1].name == NULL ||
			strcmp(rows[i].name, rows[i - 1].name) != 0)
			metrics_print_head(text, rows[i].name, types[rows[i].kind], rows[i].help);
		buffer_add_format(text, "%s%s %llu\n", rows[i].name, rows[i].labels,
			(unsigned long long)metrics_total(metrics, (enum metric)i));
	}
	for (size_t i = 0; i < METRIC_HISTOGRAMS; i++)
		print_histogram(metrics, (enum metric_histogram)i, text);
	metrics_named_print(metrics, text);
	metrics_models_print(metrics, text);
	metrics_process_print(metrics, text);
}
