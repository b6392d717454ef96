#include "service/compute.h"

#include "base/clock.h"
#include "base/memory.h"
#include "service/failure.h"
#include "service/knowledge.h"
#include "service/later.h"
#include "service/metrics.h"
#include "service/thread.h"
#include "service/vector_bytes.h"
#include "service/vector_cache.h"
#include "value/value.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct compute {
	struct compute_options options;
	struct service_thread *thread; /* NULL once it has ended */
	struct later *later;
	struct vector_cache *cache;
	size_t dimension;
	atomic_bool incomplete; /* the last search was */
};

/* For how long pieces of work follow each other while nothing else waits: the way over the loop takes its time. */
enum { RUN_NS = 50000000 };

enum job_kind {
	JOB_EMBED,
	JOB_SEARCH,
	JOB_RUN,
};

struct compute_job {
	struct service_job job;
	enum job_kind kind;
	struct compute *compute;
	struct ss_error err;
};

/* One text on its way to its vector. */
struct embed_job {
	struct compute_job head;
	struct vector_entry *entry;
	struct embed_wait *waits; /* the requests that want it */
};

/* A request's interest in one entry that another request is embedding. */
struct embed_wait {
	struct embed_wait *next;
	struct embed_request *request;
};

struct embed_request {
	struct later_call call;
	struct compute *compute;
	compute_embedded *done;
	void *context;
	struct ss_error err;
	size_t missing; /* entries whose vector is not there yet */
	size_t count;
	struct vector_entry **entries;
	struct embed_wait *waits; /* [count] */
};

struct search_job {
	struct compute_job head;
	struct ss_search search;
	char *text;
	char *prefer_category;
	struct embed_request *embedded; /* keeps the vector; NULL: it cannot be had */
	struct ss_error failure;        /* why it cannot */
	struct knowledge_found found;
	compute_found *done;
	void *context;
};

/* Work that is done in pieces. */
struct run_job {
	struct compute_job head;
	compute_piece *piece;
	compute_ran *done;
	void *context;
	int result; /* of the last piece */
};

static struct compute_job *job_of(struct service_job *job)
{
	return queue_entry(job, struct compute_job, job);
}

/* On the compute thread: all the batch's texts in one call. */
static void embed_batch(struct compute *compute, struct service_job *jobs, size_t count)
{
	const struct compute_options *options = &compute->options;
	struct ss_text *texts = memory_array(count, sizeof *texts);
	float *vectors = memory_array(count * compute->dimension, sizeof *vectors);
	struct ss_error err = {0};
	size_t n = 0;
	for (struct service_job *job = jobs; job != NULL; job = service_job_next(job)) {
		if (job_of(job)->kind == JOB_EMBED)
			texts[n++] = queue_entry(job_of(job), struct embed_job, head)->entry->text;
	}
	metrics_add(options->metrics, METRIC_TEXTS, n);
	metrics_observe(options->metrics, METRIC_BATCH_SIZE, n);
	int64_t since_ns = clock_monotonic_ns();
	int result = options->embedder->embed(options->embedder_instance, texts, n, vectors, &err);
	metrics_observe(
		options->metrics, METRIC_BATCH, (uint64_t)(clock_monotonic_ns() - since_ns));
	if (result < 0)
		failure_complete(&err, "the embedder");
	else
		vector_round(vectors, n * compute->dimension);
	n = 0;
	for (struct service_job *job = jobs; job != NULL; job = service_job_next(job)) {
		if (job_of(job)->kind != JOB_EMBED)
			continue;
		struct embed_job *embed = queue_entry(job_of(job), struct embed_job, head);
		memcpy(embed->entry->vector, vectors + n++ * compute->dimension,
			compute->dimension * sizeof *vectors);
		if (result < 0)
			embed->head.err = err;
	}
	free(texts);
	free(vectors);
}

static void search_one(struct compute *compute, struct search_job *job)
{
	struct metrics_part *metrics = compute->options.metrics;
	const struct knowledge_query query = {
		.text = job->text,
		.vector = job->embedded != NULL ? job->embedded->entries[0]->vector : NULL,
		.failure = &job->failure,
		.prefer_category = job->search.prefer_category,
		.top_k = job->search.top_k,
		.min_score = job->search.min_score,
	};
	int64_t since_ns = clock_monotonic_ns();
	job->found = knowledge_search(compute->options.knowledge, &query);
	metrics_observe(metrics, METRIC_SEARCH, (uint64_t)(clock_monotonic_ns() - since_ns));
	atomic_store_explicit(
		&compute->incomplete, job->found.missing != NULL, memory_order_relaxed);
	metrics_add(metrics, METRIC_SEARCHES, 1);
	metrics_add(metrics, METRIC_SEARCHES_EMPTY, value_count(job->found.articles) == 0);
	metrics_add(metrics, METRIC_SEARCHES_INCOMPLETE, job->found.missing != NULL);
}

static void run_piece(struct compute *compute, struct run_job *job)
{
	int64_t until_ns = clock_monotonic_ns() + RUN_NS;
	do {
		job->result = job->piece(compute->options.knowledge, job->context, &job->head.err);
	} while (job->result > 0 && !service_thread_waits(compute->thread) &&
		 clock_monotonic_ns() < until_ns);
	if (job->result < 0)
		failure_complete(&job->head.err, "the embedder or the index");
}

static void work(void *context, struct service_job *jobs)
{
	size_t embeds = 0;
	for (struct service_job *job = jobs; job != NULL; job = service_job_next(job))
		embeds += job_of(job)->kind == JOB_EMBED;
	if (embeds > 0)
		embed_batch(context, jobs, embeds);
	for (struct service_job *job = jobs; job != NULL; job = service_job_next(job)) {
		if (job_of(job)->kind == JOB_SEARCH)
			search_one(context, queue_entry(job_of(job), struct search_job, head));
	}
	for (struct service_job *job = jobs; job != NULL; job = service_job_next(job)) {
		if (job_of(job)->kind == JOB_RUN)
			run_piece(context, queue_entry(job_of(job), struct run_job, head));
	}
}

static void free_request(struct embed_request *request)
{
	for (size_t i = 0; i < request->count; i++) {
		if (request->entries[i] != NULL)
			vector_cache_release(request->compute->cache, request->entries[i]);
	}
	free(request->entries);
	free(request->waits);
	free(request);
}

static void complete_request(struct later_call *call)
{
	struct embed_request *request = queue_entry(call, struct embed_request, call);
	const float **vectors = memory_array(request->count, sizeof *vectors);
	bool failed = request->err.status != SS_OK;
	for (size_t i = 0; i < request->count; i++)
		vectors[i] = request->entries[i]->vector;
	request->done(request->context, failed ? NULL : vectors, failed ? 0 : request->count,
		request->compute->dimension, failed ? &request->err : NULL);
	free(vectors);
	free_request(request);
}

static void entry_arrived(struct embed_request *request, const struct ss_error *err)
{
	if (err->status != SS_OK)
		request->err = *err;
	request->missing--;
	if (request->missing == 0)
		complete_request(&request->call);
}

static void embed_done(struct service_job *job)
{
	struct embed_job *embed = queue_entry(job_of(job), struct embed_job, head);
	struct compute *compute = embed->head.compute;
	embed->entry->waiting = NULL;
	if (embed->head.err.status != SS_OK)
		vector_cache_drop(compute->cache, embed->entry);
	for (struct embed_wait *wait = embed->waits; wait != NULL;) {
		/* The last entry of a request frees it and its waits. */
		struct embed_wait *next = wait->next;
		entry_arrived(wait->request, &embed->head.err);
		wait = next;
	}
	vector_cache_release(compute->cache, embed->entry);
	free(embed);
}

static int put(struct compute *compute, struct compute_job *job, struct ss_error *err)
{
	if (compute->thread == NULL)
		return ss_fail_as(err, SS_UNAVAILABLE, "the server is stopping");
	return service_thread_put(compute->thread, &job->job, err);
}

/* Sets the embedding of ENTRY, which is new, going. */
static int start_embedding(
	struct compute *compute, struct vector_entry *entry, struct ss_error *err)
{
	struct embed_job *embed = memory_make(struct embed_job);
	embed->head = (struct compute_job){.kind = JOB_EMBED, .compute = compute};
	embed->head.job.done = embed_done;
	embed->entry = entry;
	if (put(compute, &embed->head, err) < 0) {
		vector_cache_drop(compute->cache, entry);
		free(embed);
		return -1;
	}
	entry->references++;
	entry->waiting = embed;
	return 0;
}

static void wait_for(struct embed_request *request, size_t row)
{
	struct embed_job *embed = request->entries[row]->waiting;
	struct embed_wait *wait = &request->waits[row];
	wait->request = request;
	wait->next = embed->waits;
	embed->waits = wait;
	request->missing++;
}

static struct embed_request *request_new(
	struct compute *compute, size_t count, compute_embedded *done, void *context)
{
	struct embed_request *request = memory_make(struct embed_request);
	request->call.call = complete_request;
	request->compute = compute;
	request->done = done;
	request->context = context;
	request->count = count;
	request->entries = memory_array(count, sizeof(struct vector_entry *));
	request->waits = memory_array(count, sizeof(struct embed_wait));
	return request;
}

int compute_embed(struct compute *compute, const struct ss_text *texts, size_t count,
	compute_embedded *done, void *context, struct ss_error *err)
{
	struct embed_request *request = request_new(compute, count, done, context);
	struct ss_error failure = {0};
	for (size_t i = 0; i < count; i++) {
		bool is_new = false;
		request->entries[i] = vector_cache_get(compute->cache, texts[i], &is_new);
		metrics_add(compute->options.metrics,
			is_new ? METRIC_CACHE_MISSES : METRIC_CACHE_HITS, 1);
		if (is_new && failure.status == SS_OK)
			(void)start_embedding(compute, request->entries[i], &failure);
		else if (is_new)
			vector_cache_drop(compute->cache, request->entries[i]);
		if (request->entries[i]->waiting != NULL)
			wait_for(request, i);
	}
	if (failure.status == SS_OK) {
		if (request->missing == 0)
			later_add(compute->later, &request->call);
		return 0;
	}
	if (request->missing == 0) {
		free_request(request);
		if (err != NULL)
			*err = failure;
		return -1;
	}
	/* Some of its texts are on their way: it ends with the error when they arrive. */
	request->err = failure;
	return 0;
}

size_t compute_vector_size(const struct compute *compute)
{
	return compute->dimension * VECTOR_BYTES;
}

bool compute_keep(const struct compute *compute, struct ss_text text, unsigned char *bytes)
{
	const struct vector_entry *entry = vector_cache_peek(compute->cache, text);
	if (entry == NULL || entry->waiting != NULL)
		return false;
	vector_to_bytes(entry->vector, compute->dimension, bytes);
	return true;
}

void compute_restore(struct compute *compute, struct ss_text text, struct ss_bytes vector)
{
	bool is_new = false;
	if (vector.length != compute_vector_size(compute))
		return;
	struct vector_entry *entry = vector_cache_get(compute->cache, text, &is_new);
	if (is_new) {
		vector_from_bytes(vector.data, compute->dimension, entry->vector);
		metrics_add(compute->options.metrics, METRIC_CACHE_RESTORED, 1);
	}
	vector_cache_release(compute->cache, entry);
}

bool compute_is_complete(const struct compute *compute)
{
	return !atomic_load_explicit(&compute->incomplete, memory_order_relaxed);
}

static void free_search(struct search_job *job)
{
	if (job->embedded != NULL)
		free_request(job->embedded);
	value_unref(job->found.articles);
	value_unref(job->found.missing);
	free(job->text);
	free(job->prefer_category);
	free(job);
}

static void search_done(struct service_job *job)
{
	struct search_job *search = queue_entry(job_of(job), struct search_job, head);
	bool failed = search->head.err.status != SS_OK;
	search->done(search->context, search->found.articles, search->found.missing,
		failed ? &search->head.err : NULL);
	free_search(search);
}

static void search_embedded(void *context, const float *const *vectors, size_t count,
	size_t dimension, const struct ss_error *err)
{
	struct search_job *job = context;
	struct compute *compute = job->head.compute;
	(void)vectors;
	(void)count;
	(void)dimension;
	if (err != NULL) {
		/* The embedder failed: what was refused for want of room never gets here. */
		job->failure = *err;
	} else {
		/* Its own hold on the vector, which outlives the request that made it. */
		bool is_new = false;
		job->embedded = request_new(compute, 1, NULL, NULL);
		job->embedded->entries[0] =
			vector_cache_get(compute->cache, job->search.text, &is_new);
	}
	if (put(compute, &job->head, &job->head.err) < 0)
		search_done(&job->head.job);
}

int compute_search(struct compute *compute, const struct ss_search *search, compute_found *done,
	void *context, struct ss_error *err)
{
	if (compute->options.knowledge == NULL)
		return ss_fail_as(err, SS_UNAVAILABLE, "no knowledge base is configured");
	struct search_job *job = memory_make(struct search_job);
	job->head = (struct compute_job){.kind = JOB_SEARCH, .compute = compute};
	job->head.job.done = search_done;
	memory_copy_known(&job->search, sizeof job->search, search, search->struct_size);
	job->text = memory_text(search->text.data, search->text.length);
	job->search.text.data = job->text;
	job->prefer_category = memory_string(search->prefer_category);
	job->search.prefer_category = job->prefer_category;
	job->done = done;
	job->context = context;
	if (compute_embed(compute, &job->search.text, 1, search_embedded, job, err) < 0) {
		free_search(job);
		return -1;
	}
	return 0;
}

static void run_done(struct service_job *job)
{
	struct run_job *run = queue_entry(job_of(job), struct run_job, head);
	if (run->result > 0 && put(run->head.compute, &run->head, &run->head.err) == 0)
		return;
	bool failed = run->head.err.status != SS_OK;
	run->done(run->context, failed ? &run->head.err : NULL);
	free(run);
}

int compute_run(struct compute *compute, compute_piece *piece, compute_ran *done, void *context,
	struct ss_error *err)
{
	struct run_job *run = memory_make(struct run_job);
	run->head = (struct compute_job){.kind = JOB_RUN, .compute = compute};
	run->head.job.done = run_done;
	run->piece = piece;
	run->done = done;
	run->context = context;
	if (put(compute, &run->head, err) == 0)
		return 0;
	free(run);
	return -1;
}

struct compute *compute_new(const struct compute_options *options, struct ss_error *err)
{
	struct compute *compute = memory_make(struct compute);
	compute->options = *options;
	compute->dimension = options->embedder->dimension(options->embedder_instance);
	compute->cache =
		vector_cache_new(options->cache_limit, compute->dimension, options->metrics);
	compute->later = later_new(options->base);
	compute->thread = service_thread_new(
		options->base, "compute", options->queue_limit, work, compute, err);
	if (compute->thread == NULL) {
		later_free(compute->later);
		vector_cache_free(compute->cache);
		free(compute);
		return NULL;
	}
	service_thread_measure(compute->thread, options->metrics, METRIC_COMPUTE_QUEUE);
	return compute;
}

void compute_free(struct compute *compute)
{
	if (compute == NULL)
		return;
	/* Calls that wait may still ask the thread, and the thread's last ones may add others. */
	later_make(compute->later);
	service_thread_free(compute->thread);
	compute->thread = NULL;
	later_free(compute->later);
	vector_cache_free(compute->cache);
	free(compute);
}
