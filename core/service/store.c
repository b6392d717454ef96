#include "service/store.h"

#include "base/clock.h"
#include "base/memory.h"
#include "service/failure.h"
#include "service/thread.h"
#include "value/value.h"

#include <stdatomic.h>
#include <stdlib.h>

/* Turns that go into one transaction; the rest waits for the next one. */
enum { COMMIT_LIMIT = 256 };

struct store;

/* What one thread works with. */
struct connection {
	struct store *store;
	const struct ss_storage_operations *storage;
	void *instance;
};

struct store {
	struct connection connections[STORE_INSTANCES];
	size_t count;
	struct service_thread *thread; /* NULL: it has stopped */
	struct metrics_part *metrics;  /* NULL: nothing is counted */
	atomic_llong commit_ns;        /* what the last commit took */
};

enum job_kind {
	JOB_CONTEXT,
	JOB_COMMIT,
	JOB_STATS,
	JOB_CHECK,
	JOB_WRITE,
	JOB_JOURNAL,
	JOB_JOURNALS,
	JOB_DELETE,
	JOB_FEEDBACK,
	JOB_UNANSWERED,
	JOB_ARTICLES,
	JOB_CALL,
};

struct store_job {
	struct service_job job;
	enum job_kind kind;
	struct ss_error err;
	void *context;
	/* reads */
	store_read *read;
	struct ss_value *value;
	struct ss_turn_key key;
	struct ss_journal_key journal_key;
	struct ss_journal_filter filter;
	struct ss_unanswered_filter unanswered;
	struct ss_article_range articles;
	char *strings[4]; /* that the keys point to */
	/* commits */
	store_committed *committed;
	const struct ss_turn *turn;
	const struct ss_journal_write *write;
	const struct ss_feedback *feedback;
	/* others */
	store_call *call;
};

static struct store_job *job_of(struct service_job *job)
{
	return queue_entry(job, struct store_job, job);
}

/* Up to COMMIT_LIMIT jobs of one kind, with what is to be committed for each. */
struct commit {
	struct store_job *jobs[COMMIT_LIMIT];
	struct ss_error errors[COMMIT_LIMIT];
	size_t count;
};

/* Collects those of the batch from *JOBS on, which is moved behind them. */
static void collect(struct commit *commit, enum job_kind kind, struct service_job **jobs)
{
	commit->count = 0;
	for (; *jobs != NULL && commit->count < COMMIT_LIMIT; *jobs = service_job_next(*jobs)) {
		struct store_job *job = job_of(*jobs);
		if (job->kind == kind) {
			commit->errors[commit->count] = (struct ss_error){0};
			commit->jobs[commit->count++] = job;
		}
	}
}

static void note_errors(struct commit *commit, int result)
{
	if (result < 0)
		failure_complete(&commit->errors[0], "the storage");
	for (size_t i = 0; i < commit->count; i++)
		commit->jobs[i]->err = result < 0 ? commit->errors[0] : commit->errors[i];
}

static void commit_turns(const struct connection *connection, struct commit *commit)
{
	struct ss_turn turns[COMMIT_LIMIT];
	for (size_t i = 0; i < commit->count; i++)
		turns[i] = *commit->jobs[i]->turn;
	note_errors(commit, connection->storage->commit_turns(
				    connection->instance, turns, commit->count, commit->errors));
}

static void write_journals(const struct connection *connection, struct commit *commit)
{
	struct ss_journal_write writes[COMMIT_LIMIT];
	for (size_t i = 0; i < commit->count; i++)
		writes[i] = *commit->jobs[i]->write;
	note_errors(commit, connection->storage->write_journals(
				    connection->instance, writes, commit->count, commit->errors));
}

static void store_feedback(const struct connection *connection, struct commit *commit)
{
	struct ss_feedback feedback[COMMIT_LIMIT];
	for (size_t i = 0; i < commit->count; i++)
		feedback[i] = *commit->jobs[i]->feedback;
	note_errors(commit, connection->storage->store_feedback(
				    connection->instance, feedback, commit->count, commit->errors));
}

static void commit_all(const struct connection *connection, struct service_job *jobs,
	enum job_kind kind, void (*commit_some)(const struct connection *, struct commit *))
{
	struct commit commit;
	for (struct service_job *rest = jobs; rest != NULL;) {
		collect(&commit, kind, &rest);
		if (commit.count == 0)
			continue;
		int64_t since_ns = clock_monotonic_ns();
		commit_some(connection, &commit);
		metrics_observe(connection->store->metrics, METRIC_STORE_COMMIT,
			(uint64_t)(clock_monotonic_ns() - since_ns));
	}
}

static int do_job(const struct connection *connection, struct store_job *job)
{
	const struct ss_storage_operations *storage = connection->storage;
	void *instance = connection->instance;
	switch (job->kind) {
	case JOB_CONTEXT:
		return storage->turn_context(instance, &job->key, &job->value, &job->err);
	case JOB_STATS:
		return storage->stats(instance, &job->value, &job->err);
	case JOB_CHECK:
		return storage->check(instance, &job->err);
	case JOB_JOURNAL:
		return storage->read_journal(instance, &job->journal_key, &job->value, &job->err);
	case JOB_JOURNALS:
		return storage->list_journals(instance, &job->filter, &job->value, &job->err);
	case JOB_DELETE:
		return storage->delete_journal(instance, job->strings[0], &job->err);
	case JOB_UNANSWERED:
		return storage->list_unanswered(instance, &job->unanswered, &job->value, &job->err);
	case JOB_ARTICLES:
		return storage->article_counts(instance, &job->articles, &job->value, &job->err);
	case JOB_CALL:
		return job->call(storage, instance, job->context, &job->err);
	case JOB_COMMIT:
	case JOB_WRITE:
	case JOB_FEEDBACK:
		break; /* was committed */
	}
	return 0;
}

static bool is_write(const struct queue_item *item)
{
	const struct store_job *job = job_of(queue_entry(item, struct service_job, item));
	return job->kind == JOB_COMMIT || job->kind == JOB_WRITE || job->kind == JOB_FEEDBACK;
}

/* A job that is not committed with others. */
static void do_measured(const struct connection *connection, struct store_job *job)
{
	bool calls = job->kind == JOB_CALL || job->kind == JOB_DELETE;
	int64_t since_ns = clock_monotonic_ns();
	if (do_job(connection, job) < 0)
		failure_complete(&job->err, "the storage");
	metrics_observe(connection->store->metrics, calls ? METRIC_STORE_CALL : METRIC_STORE_READ,
		(uint64_t)(clock_monotonic_ns() - since_ns));
}

static void work(void *context, struct service_job *jobs)
{
	const struct connection *connection = context;
	int64_t since_ns = clock_monotonic_ns();
	commit_all(connection, jobs, JOB_COMMIT, commit_turns);
	commit_all(connection, jobs, JOB_WRITE, write_journals);
	/* After the turns that it may be about. */
	commit_all(connection, jobs, JOB_FEEDBACK, store_feedback);
	/* Of several threads those that read tell nothing. */
	if (connection->store->count == 1 || is_write(&jobs->item))
		atomic_store_explicit(&connection->store->commit_ns,
			clock_monotonic_ns() - since_ns, memory_order_relaxed);
	for (struct service_job *job = jobs; job != NULL; job = service_job_next(job)) {
		if (!is_write(&job->item))
			do_measured(connection, job_of(job));
	}
}

/* A thread that is free takes what waits longest: all writes, for one transaction, or its share of the rest. So nobody
 * who reads waits for a transaction while another thread is free. */
static struct queue_item *pick(void *context, struct queue_item **waiting)
{
	const struct store *store = context;
	bool writes = is_write(*waiting);
	size_t others = 0, share = SIZE_MAX;
	for (const struct queue_item *item = *waiting; item != NULL; item = item->next)
		others += !is_write(item);
	if (!writes)
		share = (others + store->count - 1) / store->count;
	struct queue_item *taken = NULL, **last = &taken;
	for (struct queue_item **at = waiting; *at != NULL && share > 0;) {
		struct queue_item *item = *at;
		if (is_write(item) != writes) {
			at = &item->next;
			continue;
		}
		*at = item->next;
		item->next = NULL;
		*last = item;
		last = &item->next;
		share--;
	}
	return taken;
}

static void free_job(struct store_job *job)
{
	value_unref(job->value);
	for (size_t i = 0; i < array_length(job->strings); i++)
		free(job->strings[i]);
	free(job);
}

static void job_done(struct service_job *job)
{
	struct store_job *done = job_of(job);
	const struct ss_error *err = done->err.status != SS_OK ? &done->err : NULL;
	if (done->committed != NULL)
		done->committed(done->context, err);
	else
		done->read(done->context, err != NULL ? NULL : done->value, err);
	free_job(done);
}

static struct store_job *job_new(enum job_kind kind, void *context)
{
	struct store_job *job = memory_make(struct store_job);
	job->job.done = job_done;
	job->kind = kind;
	job->context = context;
	return job;
}

/* Queues JOB, which is taken. */
static int put(struct store *store, struct store_job *job, struct ss_error *err)
{
	if (store->thread == NULL)
		(void)ss_fail_as(err, SS_UNAVAILABLE, "the server is stopping");
	else if (service_thread_put(store->thread, &job->job, err) == 0)
		return 0;
	free_job(job);
	return -1;
}

int store_turn_context(struct store *store, const struct ss_turn_key *key, store_read *done,
	void *context, struct ss_error *err)
{
	struct store_job *job = job_new(JOB_CONTEXT, context);
	job->read = done;
	job->key = *key;
	job->key.user_id = job->strings[0] = memory_string(key->user_id);
	job->key.conversation_id = job->strings[1] = memory_string(key->conversation_id);
	job->key.embedder = job->strings[2] = memory_string(key->embedder);
	job->key.thread = job->strings[3] = memory_string(key->thread);
	return put(store, job, err);
}

int store_commit_turn(struct store *store, const struct ss_turn *turn, store_committed *done,
	void *context, struct ss_error *err)
{
	struct store_job *job = job_new(JOB_COMMIT, context);
	job->committed = done;
	job->turn = turn;
	return put(store, job, err);
}

int store_stats(struct store *store, store_read *done, void *context, struct ss_error *err)
{
	struct store_job *job = job_new(JOB_STATS, context);
	job->read = done;
	return put(store, job, err);
}

int store_check(struct store *store, store_read *done, void *context, struct ss_error *err)
{
	struct store_job *job = job_new(JOB_CHECK, context);
	job->read = done;
	return put(store, job, err);
}

void store_poll(struct store *store, int64_t ns)
{
	/* Where the disk is waited for, another thread makes better use of the processor. */
	if (atomic_load_explicit(&store->commit_ns, memory_order_relaxed) < ns)
		service_thread_poll(store->thread, ns);
}

int store_write_journal(struct store *store, const struct ss_journal_write *write,
	store_committed *done, void *context, struct ss_error *err)
{
	struct store_job *job = job_new(JOB_WRITE, context);
	job->committed = done;
	job->write = write;
	return put(store, job, err);
}

int store_read_journal(struct store *store, const struct ss_journal_key *key, store_read *done,
	void *context, struct ss_error *err)
{
	struct store_job *job = job_new(JOB_JOURNAL, context);
	job->read = done;
	job->journal_key = *key;
	job->journal_key.turn_id = job->strings[0] = memory_string(key->turn_id);
	job->journal_key.owner = job->strings[1] = memory_string(key->owner);
	job->journal_key.gone = job->strings[2] = memory_string(key->gone);
	return put(store, job, err);
}

int store_list_journals(struct store *store, const struct ss_journal_filter *filter,
	store_read *done, void *context, struct ss_error *err)
{
	struct store_job *job = job_new(JOB_JOURNALS, context);
	job->read = done;
	job->filter = *filter;
	job->filter.status = job->strings[0] = memory_string(filter->status);
	job->filter.before = job->strings[1] = memory_string(filter->before);
	return put(store, job, err);
}

int store_delete_journal(struct store *store, const char *turn_id, store_committed *done,
	void *context, struct ss_error *err)
{
	struct store_job *job = job_new(JOB_DELETE, context);
	job->committed = done;
	job->strings[0] = memory_string(turn_id);
	return put(store, job, err);
}

int store_give_feedback(struct store *store, const struct ss_feedback *feedback,
	store_committed *done, void *context, struct ss_error *err)
{
	struct store_job *job = job_new(JOB_FEEDBACK, context);
	job->committed = done;
	job->feedback = feedback;
	return put(store, job, err);
}

int store_list_unanswered(struct store *store, const struct ss_unanswered_filter *filter,
	store_read *done, void *context, struct ss_error *err)
{
	struct store_job *job = job_new(JOB_UNANSWERED, context);
	job->read = done;
	job->unanswered = *filter;
	job->unanswered.after = job->strings[0] = memory_string(filter->after);
	return put(store, job, err);
}

int store_article_counts(struct store *store, const struct ss_article_range *range,
	store_read *done, void *context, struct ss_error *err)
{
	struct store_job *job = job_new(JOB_ARTICLES, context);
	job->read = done;
	job->articles = *range;
	job->articles.first = job->strings[0] = memory_string(range->first);
	job->articles.last = job->strings[1] = memory_string(range->last);
	return put(store, job, err);
}

int store_run(struct store *store, store_call *call, store_committed *done, void *context,
	struct ss_error *err)
{
	struct store_job *job = job_new(JOB_CALL, context);
	job->call = call;
	job->committed = done;
	return put(store, job, err);
}

struct store *store_new(struct event_base *base, const struct ss_storage_operations *storage,
	void *const *instances, size_t count, size_t queue_limit, struct ss_error *err)
{
	void *contexts[STORE_INSTANCES];
	struct store *store = memory_make(struct store);
	store->count = count;
	for (size_t i = 0; i < count; i++) {
		store->connections[i] = (struct connection){store, storage, instances[i]};
		contexts[i] = &store->connections[i];
	}
	const struct service_threads threads = {
		.name = "store",
		.limit = queue_limit,
		.work = work,
		.contexts = contexts,
		.count = count,
		.pick = count > 1 ? pick : NULL,
		.pick_context = store,
	};
	store->thread = service_threads_new(base, &threads, err);
	if (store->thread == NULL) {
		free(store);
		return NULL;
	}
	return store;
}

void store_measure(struct store *store, struct metrics_part *metrics)
{
	store->metrics = metrics;
	service_thread_measure(store->thread, metrics, METRIC_STORE_QUEUE);
}

void store_stop(struct store *store)
{
	if (store == NULL)
		return;
	service_thread_free(store->thread);
	store->thread = NULL;
}

void store_free(struct store *store)
{
	store_stop(store);
	free(store);
}
