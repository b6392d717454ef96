#include "app/master.h"

#include "app/certificate.h"
#include "app/generation_file.h"
#include "app/listener.h"
#include "app/master_parts.h"
#include "app/worker.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/crash.h"
#include "base/memory.h"
#include "base/process.h"
#include "service/generations.h"
#include "service/limits.h"
#include "service/metrics.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long a dead worker is waited for before it is started again: it doubles with each death, and
 * begins anew after a worker has lived for a while. */
#define BACKOFF_FIRST_NS (SECOND_NS / 10)
#define BACKOFF_MOST_NS  (10 * SECOND_NS)
#define LIVED_NS         (10 * SECOND_NS)
/* What a worker gets on top of its drain timeout before it is killed: with what it needs for the rest, and to write
 * what the storage still has to. */
#define KILL_AFTER_NS ((WORKER_HURRY_S + 2) * SECOND_NS)

struct worker *master_add_worker(struct master *master)
{
	master->workers = memory_resize(master->workers, master->count + 1, sizeof(struct worker));
	struct worker *worker = &master->workers[master->count++];
	*worker = (struct worker){.control = -1, .backoff_ns = BACKOFF_FIRST_NS};
	return worker;
}

static void close_control(struct worker *worker)
{
	if (worker->control >= 0)
		(void)close(worker->control);
	worker->control = -1;
}

/* In the child: nothing of the master may stay behind. */
static int be_worker(struct master *master, const struct worker *worker, int control)
{
	const struct worker_options options = {
		.config_file = master->config_file,
		.listener = master->listener,
		.control = control,
		.log = master->log,
		.metrics = master->metrics,
		.limits = master->limits,
		.generations = master->generations,
		.part = worker->metrics,
		.calls = master->deaths.calls,
		.own_calls = worker->calls,
	};
	generations_adopt(master->generations);
	for (size_t i = 0; i < master->count; i++) {
		close_control(&master->workers[i]);
		buffer_free(&master->workers[i].error);
	}
	(void)close(master->signals);
	free(master->workers);
	/* Ctrl-C reaches the whole group; it is the master's to handle. */
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)sigprocmask(SIG_SETMASK, &master->signals_before, NULL);
	return worker_run(&options);
}

static void give_parts(struct worker *worker)
{
	metrics_give(worker->metrics);
	calls_give(worker->calls);
	worker->metrics = NULL;
	worker->calls = NULL;
}

int master_start_worker(struct master *master, struct worker *worker, struct ss_error *err)
{
	int pair[2] = {-1, -1};
	worker->started_ns = worker->beat_ns = clock_monotonic_ns();
	worker->kill_at_ns = 0;
	worker->limit = NULL;
	worker->deaf = false;
	buffer_free(&worker->error);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		goto fail;
	worker->metrics = metrics_take(master->metrics);
	worker->calls = calls_take(master->deaths.calls, worker->replaces);
	worker->pid = fork();
	if (worker->pid < 0)
		goto fail;
	if (worker->pid == 0) {
		(void)close(pair[0]);
		exit(be_worker(master, worker, pair[1]));
	}
	(void)close(pair[1]);
	worker->control = pair[0];
	worker->state = WORKER_LOADING;
	return 0;
fail:
	(void)ss_fail(err, "a worker cannot be started: %s", strerror(errno));
	give_parts(worker);
	worker->pid = 0;
	if (pair[0] >= 0) {
		(void)close(pair[0]);
		(void)close(pair[1]);
	}
	worker->state = WORKER_NONE;
	worker->start_at_ns = worker->started_ns + BACKOFF_MOST_NS;
	return -1;
}

void master_start_or_wait(struct master *master, struct worker *worker)
{
	struct ss_error err = {0};
	if (master_start_worker(master, worker, &err) < 0)
		log_error(&master->log, "%s", err.text);
}

void master_begin(struct master *master, struct worker *worker)
{
	const char message = WORKER_BEGIN;
	worker->replaces = false;
	worker->state = WORKER_SERVING;
	worker->beat_ns = clock_monotonic_ns();
	worker->memory = process_memory(worker->pid);
	if (send(worker->control, &message, 1, MSG_NOSIGNAL) != 1)
		log_warning(&master->log, "worker %d went away while it was starting",
			(int)worker->pid);
}

void master_leave(const struct master *master, struct worker *worker)
{
	worker->state = WORKER_LEAVING;
	worker->kill_at_ns =
		clock_monotonic_ns() + master->config->drain_timeout_ns + KILL_AFTER_NS;
	if (worker->pid > 0)
		(void)kill(worker->pid, SIGTERM);
}

bool master_all_ready(const struct master *master, bool replaces)
{
	for (size_t i = 0; i < master->count; i++) {
		const struct worker *worker = &master->workers[i];
		if (worker->replaces == replaces &&
			(worker->state == WORKER_LOADING || worker->state == WORKER_NONE))
			return false;
	}
	return true;
}

static void open_listener(struct master *master)
{
	struct ss_error err = {0};
	char url[300];
	if (listener_open(master->listener, &err) < 0) {
		log_error(&master->log, "%s", err.text);
		master->over = true;
		return;
	}
	master->listening = true;
	log_info(&master->log, "listening on %s with %lld workers",
		listener_url(
			master->listener, master->config->tls_certificate != NULL, url, sizeof url),
		(long long)master->config->workers);
	generations_serve(master->generations);
	metrics_set(master->deaths.part, METRIC_GENERATION, 1);
	for (size_t i = 0; i < master->count; i++) {
		if (master->workers[i].state == WORKER_WAITING)
			master_begin(master, &master->workers[i]);
	}
}

static void became_ready(struct master *master, struct worker *worker)
{
	worker->state = WORKER_WAITING;
	if (worker->replaces) {
		if (master_all_ready(master, true))
			master_take_over(master);
	} else if (master->listening) {
		master_begin_in_place(master, worker);
	} else if (master_all_ready(master, false)) {
		open_listener(master);
	}
}

/* Reads what a worker says; false when there is no more. Its end is noticed by SIGCHLD. */
static bool on_control(struct master *master, struct worker *worker)
{
	char text[4096];
	ssize_t length = recv(worker->control, text, sizeof text, MSG_DONTWAIT);
	if (length == 0)
		close_control(worker);
	if (length <= 0)
		return false;
	if (worker->error.length > 0 || text[0] == WORKER_FAILED)
		buffer_add(&worker->error, text, (size_t)length);
	else if (text[0] == WORKER_READY && worker->state == WORKER_LOADING)
		became_ready(master, worker);
	else if (text[0] == WORKER_DEAF)
		worker->deaf = true;
	return true;
}

/* The rest of what a worker that is gone has said. A process that a plugin has forked may have the other end still. */
static void drain_control(struct master *master, struct worker *worker)
{
	while (worker->control >= 0 && on_control(master, worker))
		;
	close_control(worker);
}

/* Why a worker could not start, in its own words where it had any. */
static char *why_it_failed(const struct worker *worker, int status)
{
	if (worker->error.length > 1)
		return memory_text(worker->error.data + 1, worker->error.length - 1);
	char *why;
	char *place = deaths_place(worker->calls);
	if (worker->limit != NULL)
		why = memory_format("a worker hung while it was starting, and was ended when its "
				    "time was up (server.%s)%s",
			worker->limit, place);
	else if (WIFSIGNALED(status))
		why = memory_format("a worker was ended by signal %d (%s) while it was starting%s",
			WTERMSIG(status), strsignal(WTERMSIG(status)), place);
	else
		why = memory_format("a worker ended with code %d while it was starting%s",
			WIFEXITED(status) ? WEXITSTATUS(status) : -1, place);
	free(place);
	return why;
}

static void schedule_restart(struct master *master, struct worker *worker, int status)
{
	int64_t now = clock_monotonic_ns();
	char how[120];
	if (now - worker->started_ns > LIVED_NS)
		worker->backoff_ns = BACKOFF_FIRST_NS;
	if (WIFSIGNALED(status))
		(void)snprintf(how, sizeof how, "was ended by signal %d (%s)", WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	else
		(void)snprintf(how, sizeof how, "ended with code %d", WEXITSTATUS(status));
	log_error(&master->log, "worker %d %s; another one starts in %g s", (int)worker->pid, how,
		(double)worker->backoff_ns / 1e9);
	worker->state = WORKER_NONE;
	worker->pid = 0;
	worker->start_at_ns = now + worker->backoff_ns;
	worker->backoff_ns *= 2;
	if (worker->backoff_ns > BACKOFF_MOST_NS)
		worker->backoff_ns = BACKOFF_MOST_NS;
}

/* A worker that cannot come to its feet: whatever it has to say is for the one who started it, or the reload. */
static void start_failed(struct master *master, struct worker *worker, int status)
{
	char *why = why_it_failed(worker, status);
	deaths_show(worker->calls, worker->pid, &master->log);
	worker->state = WORKER_LEAVING;
	if (worker->replaces) {
		master_drop_reload(master, why);
	} else if (!master->over) {
		/* Once, to the person at the terminal, who has just started the server. */
		(void)fprintf(stderr, "%s%s", why,
			why[0] != '\0' && why[strlen(why) - 1] == '\n' ? "" : "\n");
		master->over = true;
	}
	free(why);
}

/* Whether nobody wanted WORKER to end, or it crashed over it; but not that it has said why it cannot start. */
static bool has_died(const struct master *master, const struct worker *worker)
{
	bool crashed = worker->calls != NULL && crash_of(worker->calls) != NULL;
	bool leaves = master->stopping || worker->state == WORKER_LEAVING;
	return crashed || (!leaves && worker->error.length <= 1);
}

static void worker_gone(struct master *master, struct worker *worker, int status)
{
	bool was_starting = worker->state == WORKER_LOADING || worker->state == WORKER_WAITING;
	bool fails_start = was_starting && (!master->listening || worker->replaces);
	drain_control(master, worker);
	if (has_died(master, worker) && !fails_start)
		deaths_tell(&master->deaths, worker->calls, worker->pid, status, &master->log);
	if (fails_start && !master->stopping)
		start_failed(master, worker, status);
	give_parts(worker);
	struct worker *successor = master_successor(master, worker);
	if (successor != NULL)
		successor->instead_of = 0;
	if (master->stopping || worker->state == WORKER_LEAVING || successor != NULL) {
		worker->state = WORKER_LEAVING;
		worker->pid = 0;
		return;
	}
	if (was_starting && worker->error.length > 1) {
		char *why = master_one_line(worker->error.data + 1);
		log_error(&master->log, "%s", why);
		free(why);
	}
	schedule_restart(master, worker, status);
}

static void reap(struct master *master)
{
	int status;
	pid_t pid;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (size_t i = 0; i < master->count; i++) {
			if (master->workers[i].pid == pid) {
				worker_gone(master, &master->workers[i], status);
				break;
			}
		}
	}
	/* The places of those that left are given back. */
	size_t kept = 0;
	for (size_t i = 0; i < master->count; i++) {
		struct worker *worker = &master->workers[i];
		if (worker->state == WORKER_LEAVING && worker->pid == 0) {
			close_control(worker);
			buffer_free(&worker->error);
		} else {
			master->workers[kept++] = *worker;
		}
	}
	master->count = kept;
}

static void kill_all(struct master *master)
{
	for (size_t i = 0; i < master->count; i++) {
		if (master->workers[i].pid > 0)
			(void)kill(master->workers[i].pid, SIGKILL);
	}
}

static void stop(struct master *master)
{
	if (master->stopping) {
		log_warning(&master->log, "ending at once");
		kill_all(master);
		master->code = 1;
		master->over = true;
		return;
	}
	log_info(&master->log, "stopping: the workers finish what they have");
	master->stopping = true;
	master->code = 0;
	master->kill_at_ns =
		clock_monotonic_ns() + master->config->drain_timeout_ns + KILL_AFTER_NS;
	for (size_t i = 0; i < master->count; i++)
		master_leave(master, &master->workers[i]);
}

static void on_signal(struct master *master)
{
	struct signalfd_siginfo info;
	if (read(master->signals, &info, sizeof info) != (ssize_t)sizeof info)
		return;
	switch (info.ssi_signo) {
	case SIGCHLD:
		reap(master);
		break;
	case SIGHUP:
		master_reload(master);
		break;
	default:
		stop(master);
		reap(master);
		break;
	}
}

/* Starts the workers whose time has come, and kills those that do not leave. Returns the milliseconds
 * until there is something to do, -1 for never. */
static int handle_times(struct master *master)
{
	int64_t now = clock_monotonic_ns();
	int64_t next = master_hand_over(master, now);
	master_forgive(master, now);
	if (master->reload_again && !master->reloading && master->listening && !master->stopping)
		master_reload(master);
	if (!master->stopping)
		master_replace_outgrown(master);
	for (size_t i = 0; !master->stopping && i < master->count; i++) {
		struct worker *worker = &master->workers[i];
		int64_t then = worker->pid > 0 ? master_watch(master, worker, now) : INT64_MAX;
		if (worker->state == WORKER_NONE && worker->start_at_ns <= now)
			master_start_or_wait(master, worker);
		else if (worker->state == WORKER_NONE)
			then = worker->start_at_ns;
		if (then < next)
			next = then;
	}
	if (master->stopping) {
		if (now >= master->kill_at_ns)
			kill_all(master);
		else
			next = master->kill_at_ns;
	}
	master->look_at_ns = next;
	return next == INT64_MAX ? -1 : (int)((next - now) / 1000000 + 1);
}

static void wait_for_something(struct master *master, int timeout_ms)
{
	struct pollfd *fds = memory_array(master->count + 1, sizeof *fds);
	fds[0] = (struct pollfd){.fd = master->signals, .events = POLLIN};
	for (size_t i = 0; i < master->count; i++)
		fds[i + 1] = (struct pollfd){.fd = master->workers[i].control, .events = POLLIN};
	size_t count = master->count;
	if (poll(fds, count + 1, timeout_ms) > 0) {
		/* A worker that is ready may add others; only those of before have a row. */
		for (size_t i = 0; i < count; i++) {
			if (fds[i + 1].revents != 0)
				(void)on_control(master, &master->workers[i]);
		}
		if (fds[0].revents != 0)
			on_signal(master);
	}
	free(fds);
}

static int open_signals(struct master *master)
{
	sigset_t handled;
	(void)sigemptyset(&handled);
	(void)sigaddset(&handled, SIGTERM);
	(void)sigaddset(&handled, SIGINT);
	(void)sigaddset(&handled, SIGHUP);
	(void)sigaddset(&handled, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &handled, &master->signals_before);
	return signalfd(-1, &handled, SFD_NONBLOCK | SFD_CLOEXEC);
}

static void run(struct master *master)
{
	for (int64_t i = 0; i < master->config->workers; i++)
		master_start_or_wait(master, master_add_worker(master));
	while (!master->over && !(master->stopping && master->count == 0))
		wait_for_something(master, handle_times(master));
	kill_all(master);
	for (size_t i = 0; i < master->count; i++) {
		if (master->workers[i].pid > 0)
			(void)waitpid(master->workers[i].pid, NULL, 0);
		close_control(&master->workers[i]);
		buffer_free(&master->workers[i].error);
	}
}

int master_run(const struct config *config, const char *config_file)
{
	struct ss_error err = {0};
	struct master master = {
		.config = config,
		.config_file = config_file,
		.log = log_new(STDERR_FILENO, config->log_level, config->log_json),
		.signals = -1,
		.code = 1,
	};
	master.listener = listener_bind(config->host, (int)config->port, &err);
	if (master.listener < 0) {
		(void)fprintf(stderr, "smartsupport: %s\n", err.text);
		return 1;
	}
	master.metrics = metrics_new();
	master.limits = limits_new();
	master.deaths = (struct deaths){.calls = calls_new()};
	char *file = generation_file(config, config_file);
	char address[GENERATION_ADDRESS_SIZE];
	master.generations =
		generations_new(file, listener_url(master.listener, config->tls_certificate != NULL,
					      address, sizeof address));
	free(file);
	if (master.metrics == NULL || master.deaths.calls == NULL || master.generations == NULL) {
		(void)fprintf(stderr, "smartsupport: memory for what workers share: %s\n",
			strerror(errno));
		goto done;
	}
	master.deaths.part = metrics_take(master.metrics);
	master.signals = open_signals(&master);
	if (master.signals < 0) {
		(void)fprintf(stderr, "smartsupport: signals: %s\n", strerror(errno));
		goto done;
	}
	certificate_warn(config, &master.log);
	master.look_at_ns = INT64_MAX;
	run(&master);
	config_free(master.own_config);
	config_free(master.next_config);
	free(master.workers);
done:
	if (master.signals >= 0)
		(void)close(master.signals);
	(void)close(master.listener);
	metrics_free(master.metrics);
	limits_free(master.limits);
	generations_free(master.generations);
	calls_free(master.deaths.calls);
	if (master.stopping && master.code == 0)
		log_info(&master.log, "stopped");
	return master.code;
}
