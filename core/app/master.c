#include "app/master.h"

#include "app/certificate.h"
#include "app/deaths.h"
#include "app/generation_file.h"
#include "app/listener.h"
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

#define SECOND_NS ((int64_t)1000000000)

/* How long a dead worker is waited for before it is started again: it doubles with each death, and
 * begins anew after a worker has lived for a while. */
#define BACKOFF_FIRST_NS (SECOND_NS / 10)
#define BACKOFF_MOST_NS  (10 * SECOND_NS)
#define LIVED_NS         (10 * SECOND_NS)
/* What a worker gets on top of its drain timeout before it is killed: with what it needs for the rest, and to write
 * what the storage still has to. */
#define KILL_AFTER_NS ((WORKER_HURRY_S + 2) * SECOND_NS)
/* What a worker that hangs gets to tell where. */
#define TELL_NS (2 * SECOND_NS)

enum worker_state {
	WORKER_NONE,    /* no process; start it at start_at_ns */
	WORKER_LOADING, /* it has not said that it is ready */
	WORKER_WAITING, /* it is ready and not told to begin */
	WORKER_SERVING,
	WORKER_LEAVING, /* it was told to stop; its place is free when it is gone */
};

struct worker {
	enum worker_state state;
	pid_t pid;
	struct metrics_part *metrics;
	struct calls_part *calls;
	unsigned beats; /* as last seen, and when they were others */
	int64_t beat_ns;
	int64_t memory;      /* bytes when it began */
	pid_t instead_of;    /* who leaves when it begins; 0: nobody */
	int64_t kill_at_ns;  /* when it does not leave; 0: it need not */
	int control;         /* the master's end; -1: none */
	bool replaces;       /* it belongs to the generation that is about to take over */
	struct buffer error; /* what a worker that failed has to say */
	int64_t started_ns;
	int64_t start_at_ns;
	int64_t backoff_ns;
};

struct master {
	const struct config *config;
	struct config *own_config;  /* after a reload: `config` */
	struct config *next_config; /* during one */
	const char *config_file;
	struct log log;
	int listener;
	bool listening;
	int signals;
	sigset_t signals_before;
	struct metrics *metrics;
	struct limits *limits;
	struct generations *generations;
	struct deaths deaths;
	struct worker *workers;
	size_t count;
	bool stopping;
	int64_t kill_at_ns; /* while stopping */
	bool reloading;
	bool reload_again;
	int code;
	bool over;
};

static struct worker *worker_add(struct master *master)
{
	master->workers = memory_resize(master->workers, master->count + 1, sizeof(struct worker));
	struct worker *worker = &master->workers[master->count++];
	*worker = (struct worker){.control = -1, .backoff_ns = BACKOFF_FIRST_NS};
	return worker;
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
		if (master->workers[i].control >= 0)
			(void)close(master->workers[i].control);
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

static void start_worker(struct master *master, struct worker *worker)
{
	int pair[2] = {-1, -1};
	worker->started_ns = clock_monotonic_ns();
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
	return;
fail:
	log_error(&master->log, "a worker cannot be started: %s", strerror(errno));
	give_parts(worker);
	if (pair[0] >= 0) {
		(void)close(pair[0]);
		(void)close(pair[1]);
	}
	worker->state = WORKER_NONE;
	worker->start_at_ns = worker->started_ns + BACKOFF_MOST_NS;
}

static void begin(struct master *master, struct worker *worker)
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

static void leave(const struct master *master, struct worker *worker)
{
	worker->state = WORKER_LEAVING;
	worker->kill_at_ns =
		clock_monotonic_ns() + master->config->drain_timeout_ns + KILL_AFTER_NS;
	if (worker->pid > 0)
		(void)kill(worker->pid, SIGTERM);
}

/* Whether all workers that are being started have said that they are ready. */
static bool all_ready(const struct master *master, bool replaces)
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
			begin(master, &master->workers[i]);
	}
}

static void note_take_over(struct master *master)
{
	struct generation_state state;
	generations_take_over(master->generations);
	generations_read(master->generations, &state);
	metrics_set(master->deaths.part, METRIC_GENERATION, (uint64_t)state.number);
	metrics_add(master->deaths.part, METRIC_RELOADS_TAKEN_OVER, 1);
}

/* The new workers take over: they begin, and then the old ones leave. */
static void commit_reload(struct master *master)
{
	for (size_t i = 0; i < master->count; i++) {
		struct worker *worker = &master->workers[i];
		bool is_new = worker->replaces;
		if (is_new)
			begin(master, worker);
		else if (worker->state != WORKER_LEAVING)
			leave(master, worker);
	}
	deaths_lift(&master->deaths);
	master->reloading = false;
	config_free(master->own_config);
	master->config = master->own_config = master->next_config;
	master->next_config = NULL;
	master->log = log_new(master->log.fd, master->config->log_level, master->config->log_json);
	note_take_over(master);
	log_info(&master->log, "the new configuration has taken over");
	certificate_warn(master->config, &master->log);
}

/* LINES as one line of the log: "a\nb\n" is "a; b". New. */
static char *one_line(const char *lines)
{
	struct buffer line = {0};
	for (const char *at = lines; *at != '\0'; at++) {
		if (*at != '\n')
			buffer_add_char(&line, *at);
		else if (at[1] != '\0')
			buffer_add_string(&line, "; ");
	}
	return buffer_take(&line);
}

/* Says that nothing changes. WHY may have several lines. */
static void refuse_reload(struct master *master, const char *why)
{
	char *line = one_line(why);
	generations_refuse(master->generations, why);
	metrics_add(master->deaths.part, METRIC_RELOADS_REFUSED, 1);
	log_error(&master->log,
		"the configuration was not taken over, the old one still serves: %s", line);
	free(line);
}

static void drop_reload(struct master *master, const char *why)
{
	master->reloading = false;
	config_free(master->next_config);
	master->next_config = NULL;
	refuse_reload(master, why);
	for (size_t i = 0; i < master->count; i++) {
		if (master->workers[i].replaces && master->workers[i].state != WORKER_LEAVING) {
			leave(master, &master->workers[i]);
			(void)kill(master->workers[i].pid, SIGKILL);
		}
	}
}

static bool same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Whether NEXT can take over from the configuration in use; what cannot change is told to STREAM. */
static bool may_follow(const struct master *master, const struct config *next, FILE *stream)
{
	const struct config *now = master->config;
	bool same_address = strcmp(next->host, now->host) == 0 && next->port == now->port;
	bool same_store = strcmp(next->storage.name, now->storage.name) == 0 &&
			  same_text(next->storage_value, now->storage_value);
	if (!same_address)
		(void)fprintf(stream,
			"%s: a reload cannot change the address from %s:%lld to %s:%lld; restart "
			"the server for it\n",
			master->config_file, now->host, (long long)now->port, next->host,
			(long long)next->port);
	/* What is under way is kept in the old one, and its url may have a password in it. */
	if (!same_store)
		(void)fprintf(stream,
			"%s: a reload cannot change the storage, its plugin or its url; restart "
			"the server for it\n",
			master->config_file);
	return same_address && same_store;
}

/* The configuration as it is now; NULL, with the reason logged, when it cannot take over. */
static struct config *read_config(struct master *master)
{
	char *text = NULL;
	size_t length = 0;
	struct diagnostics diagnostics = {0};
	struct config *next = config_load(master->config_file, &diagnostics);
	if (next != NULL)
		yaml_wipe_keys(next->document);
	FILE *stream = open_memstream(&text, &length);
	if (stream == NULL)
		abort(); /* only for want of memory */
	diagnostics_print(&diagnostics, stream);
	if (next != NULL && !may_follow(master, next, stream)) {
		config_free(next);
		next = NULL;
	}
	(void)fclose(stream);
	if (next == NULL)
		refuse_reload(master, text);
	diagnostics_free(&diagnostics);
	free(text);
	return next;
}

static void start_reload(struct master *master)
{
	if (master->reloading || !master->listening) {
		master->reload_again = true;
		return;
	}
	master->reload_again = false;
	generations_begin_reload(master->generations);
	log_info(&master->log, "reloading %s", master->config_file);
	master->next_config = read_config(master);
	if (master->next_config == NULL)
		return;
	master->reloading = true;
	for (int64_t i = 0; i < master->next_config->workers; i++) {
		struct worker *worker = worker_add(master);
		worker->replaces = true;
		start_worker(master, worker);
	}
}

/* The worker in whose place WORKER was started; NULL: none, or it is gone. */
static struct worker *outgrown_of(const struct master *master, const struct worker *worker)
{
	for (size_t i = 0; worker->instead_of > 0 && i < master->count; i++) {
		if (master->workers[i].pid == worker->instead_of)
			return &master->workers[i];
	}
	return NULL;
}

/* The worker that was started in place of WORKER; NULL: none. */
static struct worker *successor_of(const struct master *master, const struct worker *worker)
{
	for (size_t i = 0; i < master->count; i++) {
		if (master->workers[i].instead_of == worker->pid)
			return &master->workers[i];
	}
	return NULL;
}

/* Begins with WORKER, and lets the one go whose place it takes. */
static void begin_in_place(struct master *master, struct worker *worker)
{
	struct worker *outgrown = outgrown_of(master, worker);
	worker->instead_of = 0;
	begin(master, worker);
	if (outgrown != NULL && outgrown->state == WORKER_SERVING)
		leave(master, outgrown);
}

/* Starts another worker in place of each that has grown by too much since it began. It goes on until that one is ready. */
static void replace_outgrown(struct master *master)
{
	int64_t limit = master->config->memory_growth;
	size_t count = master->reloading || limit == 0 ? 0 : master->count;
	for (size_t i = 0; i < count; i++) {
		const struct worker *worker = &master->workers[i];
		pid_t pid = worker->pid;
		int64_t more =
			worker->state == WORKER_SERVING ? process_memory(pid) - worker->memory : 0;
		if (more <= limit || successor_of(master, worker) != NULL)
			continue;
		log_warning(&master->log,
			"worker %d has grown by %lld MiB since it began (memory_growth is %lld); "
			"another one takes its place. Some plugin may leak",
			(int)pid, (long long)(more >> 20), (long long)(limit >> 20));
		/* The workers may move. */
		struct worker *successor = worker_add(master);
		successor->instead_of = pid;
		start_worker(master, successor);
	}
}

static void became_ready(struct master *master, struct worker *worker)
{
	worker->state = WORKER_WAITING;
	if (worker->replaces) {
		if (all_ready(master, true))
			commit_reload(master);
	} else if (master->listening) {
		begin_in_place(master, worker);
	} else if (all_ready(master, false)) {
		open_listener(master);
	}
}

/* Reads what a worker says. Its end is noticed by SIGCHLD. */
static void on_control(struct master *master, struct worker *worker)
{
	char text[4096];
	ssize_t length = read(worker->control, text, sizeof text);
	if (length <= 0) {
		(void)close(worker->control);
		worker->control = -1;
		return;
	}
	if (worker->error.length > 0 || text[0] == WORKER_FAILED)
		buffer_add(&worker->error, text, (size_t)length);
	else if (text[0] == WORKER_READY && worker->state == WORKER_LOADING)
		became_ready(master, worker);
}

/* The rest of what a worker that is gone has said. */
static void drain_control(struct master *master, struct worker *worker)
{
	while (worker->control >= 0)
		on_control(master, worker);
}

/* Why a worker could not start, in its own words where it had any. */
static char *why_it_failed(const struct worker *worker, int status)
{
	if (worker->error.length > 1)
		return memory_text(worker->error.data + 1, worker->error.length - 1);
	char *place = deaths_place(worker->calls);
	char *why = WIFSIGNALED(status)
			    ? memory_format("a worker was ended by signal %d (%s) while it was "
					    "starting%s",
				      WTERMSIG(status), strsignal(WTERMSIG(status)), place)
			    : memory_format("a worker ended with code %d while it was starting%s",
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
	worker->state = WORKER_LEAVING;
	if (worker->replaces) {
		drop_reload(master, why);
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
	struct worker *successor = successor_of(master, worker);
	if (successor != NULL)
		successor->instead_of = 0;
	if (master->stopping || worker->state == WORKER_LEAVING || successor != NULL) {
		worker->state = WORKER_LEAVING;
		worker->pid = 0;
		return;
	}
	if (was_starting && worker->error.length > 1) {
		char *why = one_line(worker->error.data + 1);
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
			if (worker->control >= 0)
				(void)close(worker->control);
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
		leave(master, &master->workers[i]);
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
		start_reload(master);
		break;
	default:
		stop(master);
		reap(master);
		break;
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

/* Ends WORKER when it has not come on for too long, first so that it tells where it is. Gives when to look again. */
static int64_t watch_worker(const struct master *master, struct worker *worker, int64_t now)
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

/* Starts the workers whose time has come, and kills those that do not leave. Returns the milliseconds
 * until there is something to do, -1 for never. */
static int handle_times(struct master *master)
{
	int64_t now = clock_monotonic_ns();
	int64_t next = INT64_MAX;
	if (master->reload_again && !master->reloading && master->listening && !master->stopping)
		start_reload(master);
	if (!master->stopping)
		replace_outgrown(master);
	for (size_t i = 0; !master->stopping && i < master->count; i++) {
		struct worker *worker = &master->workers[i];
		int64_t then = worker->pid > 0 ? watch_worker(master, worker, now) : INT64_MAX;
		if (worker->state == WORKER_NONE && worker->start_at_ns <= now)
			start_worker(master, worker);
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
				on_control(master, &master->workers[i]);
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
		start_worker(master, worker_add(master));
	while (!master->over && !(master->stopping && master->count == 0))
		wait_for_something(master, handle_times(master));
	kill_all(master);
	for (size_t i = 0; i < master->count; i++) {
		if (master->workers[i].pid > 0)
			(void)waitpid(master->workers[i].pid, NULL, 0);
		if (master->workers[i].control >= 0)
			(void)close(master->workers[i].control);
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
	master.generations = generations_new(file);
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
