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
		master_start_worker(master, successor);
	}
}

/* Whether WORKER has come on since it was last looked at: its loop has come round; or, while it starts, it has made another agent or is at
 * something that may take its time. */
static bool comes_on(struct worker *worker)
{
	bool starts = worker->state == WORKER_LOADING;
	unsigned beats = starts ? calls_making(worker->calls) : calls_beats(worker->calls);
	bool comes = beats != worker->beats || (starts && beats == 0);
	worker->beats = beats;
	return comes;
}

int64_t master_watch(const struct master *master, struct worker *worker, int64_t now)
{
	int64_t limit = master->config->hang_timeout_ns;
	if (worker->state == WORKER_LEAVING && worker->kill_at_ns <= now)
		(void)kill(worker->pid, SIGKILL);
	if (worker->state == WORKER_LEAVING)
		return worker->kill_at_ns > now ? worker->kill_at_ns : INT64_MAX;
	if (worker->state != WORKER_SERVING && worker->state != WORKER_LOADING)
		return INT64_MAX;
	if (limit == 0 || worker->calls == NULL)
		return now + SECOND_NS;
	bool condemned = calls_hung(worker->calls);
	if (!condemned && comes_on(worker)) {
		worker->beat_ns = now;
	} else if (condemned && now - worker->beat_ns > limit + TELL_NS) {
		(void)kill(worker->pid, SIGKILL);
	} else if (!condemned && now - worker->beat_ns > limit) {
		log_error(&master->log,
			"worker %d has done nothing but one thing for %g s (hang_timeout) and is "
			"ended",
			(int)worker->pid, (double)(now - worker->beat_ns) / 1e9);
		calls_set_hung(worker->calls);
		worker->beat_ns = now - limit;
		(void)kill(worker->pid, SIGABRT);
	}
	return now + SECOND_NS;
}
