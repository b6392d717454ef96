/* Workers that hang or grow: they are ended, or replaced. */
#include "app/master_parts.h"
#include "base/clock.h"
#include "base/process.h"

/* What a worker that hangs gets to tell where. */
#define TELL_NS (2 * SECOND_NS)

/* The worker in whose place WORKER was started; NULL: none, or it is gone. */
static struct worker *outgrown_of(const struct master *master, const struct worker *worker)
{
	for (size_t i = 0; worker->instead_of > 0 && i < master->count; i++) {
		if (master->workers[i].pid == worker->instead_of)
			return &master->workers[i];
	}
	return NULL;
}

struct worker *master_successor(const struct master *master, const struct worker *worker)
{
	for (size_t i = 0; i < master->count; i++) {
		if (master->workers[i].instead_of == worker->pid)
			return &master->workers[i];
	}
	return NULL;
}

void master_begin_in_place(struct master *master, struct worker *worker)
{
	struct worker *outgrown = outgrown_of(master, worker);
	worker->instead_of = 0;
	master_begin(master, worker);
	if (outgrown != NULL && outgrown->state == WORKER_SERVING)
		master_leave(master, outgrown);
}

void master_replace_outgrown(struct master *master)
{
	int64_t limit = master->config->memory_growth;
	size_t count = master->reloading || limit == 0 ? 0 : master->count;
	for (size_t i = 0; i < count; i++) {
		const struct worker *worker = &master->workers[i];
		pid_t pid = worker->pid;
		int64_t more =
			worker->state == WORKER_SERVING ? process_memory(pid) - worker->memory : 0;
		if (more <= limit || master_successor(master, worker) != NULL)
			continue;
		log_warning(&master->log,
			"worker %d has grown by %lld MiB since it began (memory_growth is %lld); "
			"another one takes its place. Some plugin may leak",
			(int)pid, (long long)(more >> 20), (long long)(limit >> 20));
		/* The workers may move. */
		struct worker *successor = master_add_worker(master);
		successor->instead_of = pid;
		master_start_or_wait(master, successor);
	}
}

/* Whether WORKER has come on since it was last looked at: its loop has come round; or, while it starts, it makes another instance of a plugin
 * or is at something that may take its time. */
static bool comes_on(struct worker *worker)
{
	unsigned beats = calls_beats(worker->calls);
	bool comes = beats != worker->beats ||
		     (worker->state == WORKER_LOADING && !calls_making(worker->calls));
	worker->beats = beats;
	return comes;
}

void master_forgive(struct master *master, int64_t now)
{
	int64_t lost_ns = now - master->look_at_ns;
	for (size_t i = 0; lost_ns > 0 && i < master->count; i++) {
		master->workers[i].beat_ns += lost_ns;
		master->workers[i].started_ns += lost_ns;
	}
}

/* Whether what began at SINCE has taken longer than LIMIT allows, which is 0 for whatever it takes. */
static bool is_late(int64_t since, int64_t limit, int64_t now)
{
	return limit > 0 && now - since > limit;
}

/* The setting by which WORKER takes too long; NULL: none. */
static const char *limit_passed(const struct master *master, struct worker *worker, int64_t now)
{
	/* What the next generation may take is in its own configuration. */
	const struct config *config = worker->replaces ? master->next_config : master->config;
	bool starts = worker->state == WORKER_LOADING;
	if (comes_on(worker))
		worker->beat_ns = now;
	else if (is_late(worker->beat_ns, config->hang_timeout_ns, now))
		return "hang_timeout";
	return starts && is_late(worker->started_ns, config->start_timeout_ns, now)
		       ? "start_timeout"
		       : NULL;
}

/* Has WORKER tell where it is, and end. */
static void end_hung(const struct master *master, struct worker *worker, int64_t now)
{
	if (worker->state == WORKER_LOADING)
		log_error(&master->log, "worker %d is not ready after %g s (%s) and is ended",
			(int)worker->pid, (double)(now - worker->started_ns) / 1e9, worker->limit);
	else
		log_error(&master->log,
			"worker %d has done nothing but one thing for %g s (%s) and is ended",
			(int)worker->pid, (double)(now - worker->beat_ns) / 1e9, worker->limit);
	calls_set_hung(worker->calls);
	(void)kill(worker->pid, SIGABRT);
}

int64_t master_watch(const struct master *master, struct worker *worker, int64_t now)
{
	if (worker->kill_at_ns > 0 && worker->kill_at_ns <= now)
		(void)kill(worker->pid, SIGKILL);
	if (worker->state == WORKER_LEAVING)
		return worker->kill_at_ns > now ? worker->kill_at_ns : INT64_MAX;
	if (worker->state != WORKER_SERVING && worker->state != WORKER_LOADING)
		return INT64_MAX;
	if (worker->calls == NULL)
		return now + SECOND_NS;
	if (!calls_hung(worker->calls)) {
		worker->limit = limit_passed(master, worker, now);
		if (worker->limit != NULL)
			end_hung(master, worker, now);
	}
	/* It may be that it ends itself. */
	if (calls_hung(worker->calls) && worker->kill_at_ns == 0)
		worker->kill_at_ns = now + TELL_NS;
	return now + SECOND_NS;
}
