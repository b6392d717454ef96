#include "service/store.h"

#include "base/memory.h"
#include "service/failure.h"
#include "service/thread.h"
#include "value/value.h"

#include <stdlib.h>

/* Turns that go into one transaction; the rest waits for the next one. */
enum { COMMIT_LIMIT = 256 };

struct store {
	const struct ss_storage_operations *storage;
	void *instance;
	struct service_thread *thread;
};

enum job_kind {
	JOB_CONTEXT,
	JOB_COMMIT,
	JOB_STATS,
	JOB_CHECK,
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
	char *user_id;
	char *conversation_id;
	/* commits */
	store_committed *committed;
	const struct ss_turn *turn;
};

static struct store_job *job_of(struct service_job *job)
{
	return queue_entry(job, struct store_job, job);
}

/* Commits up to COMMIT_LIMIT turns of the batch, from *JOBS on, which is moved behind them. */
static void commit_some(struct store *store, struct service_job **jobs)
{
	struct ss_turn turns[COMMIT_LIMIT];
	struct store_job *of[COMMIT_LIMIT];
	struct ss_error errors[COMMIT_LIMIT] = {{0}};
	size_t count = 0;
	for (; *jobs != NULL && count < COMMIT_LIMIT; *jobs = service_job_next(*jobs)) {
		struct store_job *job = job_of(*jobs);
		if (job->kind == JOB_COMMIT) {
			of[count] = job;
			turns[count++] = *job->turn;
		}
	}
	if (count == 0)
		return;
	int result = store->storage->commit_turns(store->instance, turns, count, errors);
	if (result < 0)
		failure_complete(&errors[0], "the storage");
	for (size_t i = 0; i < count; i++)
		of[i]->err = result < 0 ? errors[0] : errors[i];
}

static void work(void *context, struct service_job *jobs)
{
	struct store *store = context;
	const struct ss_storage_operations *storage = store->storage;
	for (struct service_job *rest = jobs; rest != NULL;)
		commit_some(store, &rest);
	for (struct service_job *job = jobs; job != NULL; job = service_job_next(job)) {
		struct store_job *read = job_of(job);
		int result = 0;
		if (read->kind == JOB_CONTEXT)
			result = storage->turn_context(
				store->instance, &read->key, &read->value, &read->err);
		else if (read->kind == JOB_STATS)
			result = storage->stats(store->instance, &read->value, &read->err);
		else if (read->kind == JOB_CHECK)
			result = storage->check(store->instance, &read->err);
		if (result < 0)
			failure_complete(&read->err, "the storage");
	}
}

static void job_done(struct service_job *job)
{
	struct store_job *done = job_of(job);
	bool failed = done->err.status != SS_OK;
	if (done->kind == JOB_COMMIT)
		done->committed(done->context, failed ? &done->err : NULL);
	else
		done->read(done->context, failed ? NULL : done->value, failed ? &done->err : NULL);
	value_unref(done->value);
	free(done->user_id);
	free(done->conversation_id);
	free(done);
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
	if (service_thread_put(store->thread, &job->job, err) == 0)
		return 0;
	free(job->user_id);
	free(job->conversation_id);
	free(job);
	return -1;
}

int store_turn_context(struct store *store, const struct ss_turn_key *key, store_read *done,
	void *context, struct ss_error *err)
{
	struct store_job *job = job_new(JOB_CONTEXT, context);
	job->read = done;
	job->user_id = memory_string(key->user_id);
	job->conversation_id = memory_string(key->conversation_id);
	job->key = *key;
	job->key.user_id = job->user_id;
	job->key.conversation_id = job->conversation_id;
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

struct store *store_new(struct event_base *base, const struct ss_storage_operations *storage,
	void *instance, size_t queue_limit, struct ss_error *err)
{
	struct store *store = memory_make(struct store);
	store->storage = storage;
	store->instance = instance;
	store->thread = service_thread_new(base, "store", queue_limit, work, store, err);
	if (store->thread == NULL) {
		free(store);
		return NULL;
	}
	return store;
}

void store_free(struct store *store)
{
	if (store == NULL)
		return;
	service_thread_free(store->thread);
	free(store);
}
