#include "app/worker.h"

#include "api/api.h"
#include "api/pages.h"
#include "app/certificate.h"
#include "app/listener.h"
#include "app/openness.h"
#include "app/pulse.h"
#include "app/runtime.h"
#include "app/warm_up.h"
#include "base/calls.h"
#include "base/clock.h"
#include "base/crash.h"
#include "base/log_scope.h"
#include "base/memory.h"
#include "config/environment.h"
#include "graph/graph.h"
#include "http/server.h"
#include "http/tls.h"
#include "service/key_ring.h"
#include "service/metrics.h"
#include "support/support.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct worker_process {
	const struct worker_options *options;
	struct log log;
	struct config *config;
	struct event_base *base;
	struct event *control;
	struct event *term;
	struct event *deadline, *end; /* answers are cut short; requests are cut off */
	struct pulse *pulse;          /* NULL: it does not serve yet */
	struct runtime *runtime;
	struct http_tls *tls; /* NULL: none */
	struct http_server *server;
	struct api_document *document;
	struct api_pages *pages;
	struct api api;
	bool draining;
	int code;
};

/* Tells the master what is wrong, or the terminal when there is no master any more. */
static void report_failure(const struct worker_process *worker, struct diagnostics *diagnostics)
{
	char *text = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&text, &length);
	if (stream == NULL)
		abort(); /* only for want of memory */
	(void)fputc(WORKER_FAILED, stream);
	diagnostics_print(diagnostics, stream);
	(void)fclose(stream);
	/* It becomes a part of one line of the log. */
	while (length > 1 && text[length - 1] == '\n')
		text[--length] = '\0';
	if (send(worker->options->control, text, length, MSG_NOSIGNAL) != (ssize_t)length)
		(void)fputs(text + 1, stderr);
	free(text);
}

static void on_drained(void *context)
{
	struct worker_process *worker = context;
	(void)event_base_loopbreak(worker->base);
}

/* What there is of answers by now is what counts: it is stored and told. */
static void on_deadline(evutil_socket_t fd, short what, void *context)
{
	struct worker_process *worker = context;
	(void)fd;
	(void)what;
	worker->api.hurried = true;
	(void)evtimer_add(worker->end, &(const struct timeval){.tv_sec = WORKER_HURRY_S});
	support_hurry(runtime_support(worker->runtime));
}

static void on_end(evutil_socket_t fd, short what, void *context)
{
	struct worker_process *worker = context;
	(void)fd;
	(void)what;
	log_warning(&worker->log,
		"requests were still running after %g s, could not be ended with what there was of "
		"their answers within %d s more, and are cut off",
		(double)worker->config->drain_timeout_ns / 1e9, WORKER_HURRY_S);
	worker->code = 1;
	(void)event_base_loopbreak(worker->base);
}

static void drain(struct worker_process *worker)
{
	const char deaf = WORKER_DEAF;
	int64_t ns = worker->config->drain_timeout_ns;
	const struct timeval after = {.tv_sec = ns / 1000000000, .tv_usec = ns % 1000000000 / 1000};
	if (worker->draining)
		return;
	worker->draining = true;
	worker->api.leaving = true;
	(void)event_del(worker->control);
	if (worker->pulse != NULL)
		pulse_weaken(worker->pulse);
	(void)evtimer_add(worker->deadline, &after);
	runtime_drain(worker->runtime);
	http_server_drain(worker->server, on_drained, worker);
	(void)send(worker->options->control, &deaf, 1, MSG_NOSIGNAL);
}

static void on_term(evutil_socket_t signal_number, short what, void *context)
{
	struct worker_process *worker = context;
	(void)signal_number;
	(void)what;
	if (worker->draining)
		_exit(1);
	drain(worker);
}

/* What it needs is gone; another worker has it. */
static void on_broken(void *context, const char *why)
{
	struct worker_process *worker = context;
	const struct call_site *last = calls_last();
	log_error(&worker->log, "%s, so this worker leaves and another one takes its place%s%s",
		why, last != NULL ? "; the node that it called last is " : "",
		last != NULL ? last->name.node : "");
	worker->code = 1;
	drain(worker);
}

static void on_control(evutil_socket_t fd, short what, void *context)
{
	struct worker_process *worker = context;
	struct ss_error err = {0};
	char message = 0;
	(void)what;
	ssize_t length = recv(fd, &message, 1, MSG_DONTWAIT);
	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (length <= 0) {
		/* The master is gone: nobody would restart or stop this worker. */
		log_warning(&worker->log, "the master is gone; leaving");
		drain(worker);
		return;
	}
	if (message != WORKER_BEGIN)
		return;
	if (http_server_accept(worker->server, worker->options->listener, &err) < 0) {
		log_error(&worker->log, "%s", err.text);
		worker->code = 1;
		(void)event_base_loopbreak(worker->base);
		return;
	}
	metrics_set(worker->options->part, METRIC_WORKERS, 1);
	metrics_set_process(worker->options->part, getpid());
	worker->pulse = pulse_new(worker->base, worker->options->listener, worker->options->control,
		on_broken, worker);
	runtime_begin(worker->runtime);
}

static int watch(struct worker_process *worker)
{
	worker->control = event_new(
		worker->base, worker->options->control, EV_READ | EV_PERSIST, on_control, worker);
	worker->term = evsignal_new(worker->base, SIGTERM, on_term, worker);
	worker->deadline = evtimer_new(worker->base, on_deadline, worker);
	worker->end = evtimer_new(worker->base, on_end, worker);
	if (worker->control == NULL || worker->term == NULL || worker->deadline == NULL ||
		worker->end == NULL)
		return -1;
	return event_add(worker->control, NULL) | evsignal_add(worker->term, NULL);
}

static int check_keys(
	const struct worker_process *worker, bool is_open, struct diagnostics *diagnostics)
{
	if (is_open || key_ring_count(runtime_keys(worker->runtime)) > 0)
		return 0;
	openness_refuse(worker->config, diagnostics);
	return -1;
}

/* Makes everything. A mistake is in DIAGNOSTICS. */
static int prepare(struct worker_process *worker, struct diagnostics *diagnostics)
{
	struct ss_error err = {0};
	const char *file = worker->options->config_file;
	bool is_local = listener_is_loopback(worker->options->listener);
	worker->config = config_load(file, diagnostics);
	if (worker->config == NULL)
		return -1;
	worker->log = log_new(
		worker->options->log.fd, worker->config->log_level, worker->config->log_json);
	worker->log.scope = log_scope_new();
	if (certificate_read(worker->config, &worker->tls, diagnostics) < 0)
		return -1;
	worker->runtime = runtime_new(worker->config, worker->base, &worker->log,
		worker->options->part, RUNTIME_SERVE, diagnostics);
	if (worker->runtime == NULL)
		return -1;
	bool is_open = is_local || worker->config->access.open_to_everybody;
	if (check_keys(worker, is_open, diagnostics) < 0)
		return -1;
	/* The master keeps them for the workers that come later. */
	environment_wipe_keys();
	worker->api = (struct api){
		.support = runtime_support(worker->runtime),
		.feed = runtime_events(worker->runtime),
		.versions = runtime_versions(worker->runtime),
		.store = runtime_store(worker->runtime),
		.erasures = runtime_erasures(worker->runtime),
		.compute = runtime_compute(worker->runtime),
		.llm = runtime_llm(worker->runtime),
		.catalogue = runtime_catalogue(worker->runtime),
		.workflow = runtime_graph(worker->runtime)->hash,
		.metrics = worker->options->metrics,
		.calls = worker->options->calls,
		.keys = runtime_keys(worker->runtime),
		.access = &worker->config->access,
		.limits = worker->options->limits,
		.generations = worker->options->generations,
		.is_open = is_open,
		.base = worker->base,
		.heartbeat_ns = worker->config->heartbeat_ns,
		.started_ns = clock_monotonic_ns(),
		.started_at_s = clock_utc_ns() / 1000000000,
	};
	struct http_options options = http_defaults();
	options.tls = worker->tls;
	options.metrics = worker->options->metrics;
	options.part = worker->options->part;
	options.logged = worker->config->log_access;
	options.access = &worker->config->access;
	options.is_local = is_local;
	worker->document = api_document_new(api_handlers, api_handler_count, api_gate, &err);
	worker->api.document = worker->document;
	if (worker->document != NULL)
		worker->pages = api_pages_new(worker->config->docs, worker->document->value, &err);
	worker->api.pages = worker->pages;
	if (worker->pages != NULL)
		worker->server = http_server_new(worker->base, &options, worker->document->routes,
			worker->document->count, &worker->api, &worker->log, &err);
	if (worker->server == NULL || watch(worker) < 0) {
		diagnostics_add(diagnostics, file, 0, 0, "the worker cannot start: %s", err.text);
		return -1;
	}
	return 0;
}

/* The loop cannot wait for anything, since something has closed its descriptor, and perhaps others: nothing can be finished. */
_Noreturn static void end_broken(const struct worker_process *worker)
{
	const struct call_site *last = calls_last();
	log_error(&worker->log,
		"something in this process has closed the descriptor that its loop waits with, so "
		"it ends at once%s%s",
		last != NULL ? "; the node that it called last is " : "",
		last != NULL ? last->name.node : "");
	_exit(1);
}

static void clean_up(struct worker_process *worker)
{
	if (worker->control != NULL)
		event_free(worker->control);
	if (worker->term != NULL)
		event_free(worker->term);
	if (worker->deadline != NULL)
		event_free(worker->deadline);
	if (worker->end != NULL)
		event_free(worker->end);
	pulse_free(worker->pulse);
	/* Late replies still need their requests, so the services end first. */
	runtime_free(worker->runtime);
	http_server_free(worker->server);
	api_pages_free(worker->pages);
	http_tls_free(worker->tls);
	api_document_free(worker->document);
	event_base_free(worker->base);
	config_free(worker->config);
	log_scope_free(worker->log.scope);
	(void)close(worker->options->control);
	(void)close(worker->options->listener);
}

static void say_ready(void *context)
{
	const struct worker_process *worker = context;
	const char ready = WORKER_READY;
	/* When the master is gone, the end of its socket says so. */
	(void)send(worker->options->control, &ready, 1, MSG_NOSIGNAL);
}

int worker_run(const struct worker_options *options)
{
	struct diagnostics diagnostics = {0};
	struct worker_process worker = {.options = options, .log = options->log};
	calls_adopt(options->own_calls);
	if (options->own_calls != NULL)
		crash_watch();
	worker.base = event_base_new();
	if (worker.base == NULL)
		return 1;
	if (prepare(&worker, &diagnostics) < 0) {
		report_failure(&worker, &diagnostics);
		worker.code = 1;
	} else {
		warm_up(worker.runtime, say_ready, &worker);
		if (event_base_dispatch(worker.base) < 0)
			end_broken(&worker);
	}
	diagnostics_free(&diagnostics);
	clean_up(&worker);
	crash_end();
	return worker.code;
}
