#include "http/server.h"

#include "base/clock.h"
#include "base/memory.h"
#include "http/accept.h"
#include "http/access.h"
#include "http/private.h"
#include "service/metrics.h"

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define SECOND_NS ((int64_t)1000000000)

enum {
	/* Descriptors that are left to files, databases and other servers. */
	RESERVED_DESCRIPTORS = 128,
	/* What evhttp may count more than the guard did, which is asked first. */
	EVHTTP_SLACK = 1024,
	/* The longest that others go first to take a connection: more than it takes to wake up. */
	YIELD_LIMIT_MS = 10,
	/* The part of the mean that a worker may be ahead of it before others go first. */
	UNEVEN_PART = 8,
};

struct http_options http_defaults(void)
{
	return (struct http_options){
		.header_limit = (size_t)16 * 1024,
		.body_limit = HTTP_BODY_LIMIT,
		.header_timeout_ns = 10 * SECOND_NS,
		.request_timeout_ns = 30 * SECOND_NS,
		.idle_timeout_ns = 60 * SECOND_NS,
		.write_timeout_ns = 30 * SECOND_NS,
		.unsent_limit = (size_t)256 * 1024,
		.connection_limit = 4096,
		.request_limit = 512,
		.logged = 1,
	};
}

static struct ss_text method_of(struct evhttp_request *request)
{
	static const struct {
		enum evhttp_cmd_type type;
		const char *name;
	} methods[] = {
		{EVHTTP_REQ_GET, "GET"},
		{EVHTTP_REQ_HEAD, "HEAD"},
		{EVHTTP_REQ_POST, "POST"},
		{EVHTTP_REQ_PUT, "PUT"},
		{EVHTTP_REQ_PATCH, "PATCH"},
		{EVHTTP_REQ_DELETE, "DELETE"},
		{EVHTTP_REQ_OPTIONS, "OPTIONS"},
	};
	for (size_t i = 0; i < array_length(methods); i++) {
		if (methods[i].type == evhttp_request_get_command(request))
			return (struct ss_text){methods[i].name, strlen(methods[i].name)};
	}
	return (struct ss_text){"", 0};
}

/* http://host/path is a target as well; its path begins after the host. */
static struct ss_text target_of(struct evhttp_request *request)
{
	const char *uri = evhttp_request_get_uri(request);
	const char *scheme = *uri != '/' ? strstr(uri, "://") : NULL;
	if (scheme != NULL)
		uri = scheme + 3 + strcspn(scheme + 3, "/?");
	if (*uri == '\0')
		uri = "/";
	return (struct ss_text){uri, strlen(uri)};
}

/* For the guard, when the head of a request has come. */
static size_t body_limit(void *context, struct ss_text method, struct ss_text target)
{
	const struct http_server *server = context;
	struct http_refusal refusal;
	struct uri uri;
	/* evhttp does not read what follows the head of such a request. */
	if (method.length == 4 && memcmp(method.data, "HEAD", 4) == 0)
		return 0;
	if (uri_parse(&uri, target, &refusal) < 0)
		return server->options.body_limit;
	struct route_match match = router_find(server->router, method, &uri);
	uri_free(&uri);
	return match.route != NULL ? match.route->body_limit : server->options.body_limit;
}

static void answer(struct http_request *request, struct ss_text method)
{
	struct http_server *server = request->server;
	struct http_refusal refusal;
	http_access_begin(request);
	if (server->request_count > server->options.request_limit) {
		http_reply_header(request, "Retry-After", "1");
		http_reply_problem(request, 503,
			"too many requests are being answered; try again in a moment", NULL);
		return;
	}
	if (!http_access_check(request))
		return;
	if (uri_parse(&request->uri, target_of(request->evhttp), &refusal) < 0) {
		http_reply_refusal(request, &refusal);
		return;
	}
	struct route_match match = router_find(server->router, method, &request->uri);
	bool asks_options = strcmp(method.data, "OPTIONS") == 0;
	bool asks_all = strcmp(evhttp_request_get_uri(request->evhttp), "*") == 0;
	request->route = match.route;
	if (match.route != NULL) {
		match.route->handle(request);
		return;
	}
	if (!match.path_known && !asks_all) {
		http_reply_problem(request, 404, "there is nothing at this path", NULL);
		return;
	}
	http_reply_header(request, "Allow",
		asks_all ? "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" : match.allow);
	if (asks_options)
		http_access_reply_preflight(request, match.allow);
	else
		http_reply_problem(request, 405,
			"this path does not take that method; the header Allow names those it "
			"takes",
			NULL);
}

static struct guard *guard_of(const struct http_server *server, struct evhttp_request *request)
{
	int fd = bufferevent_getfd(
		evhttp_connection_get_bufferevent(evhttp_request_get_connection(request)));
	return fd >= 0 && (size_t)fd < server->guard_rows ? server->guards[fd] : NULL;
}

static void copy_peer(struct http_request *request)
{
	char *address = NULL;
	ev_uint16_t port;
	evhttp_connection_get_peer(evhttp_request_get_connection(request->evhttp), &address, &port);
	(void)snprintf(request->peer, sizeof request->peer, "%s", address);
}

/* evhttp's callback: a whole request is there. */
static void on_request(struct evhttp_request *evhttp, void *context)
{
	struct http_server *server = context;
	struct guard *guard = guard_of(server, evhttp);
	if (guard == NULL)
		abort(); /* cannot happen: evhttp has no connection without one */
	struct http_request *request = memory_make(struct http_request);
	request->server = server;
	request->evhttp = evhttp;
	request->guard = guard;
	request->started_ns = guard->since_ns;
	memcpy(request->id, guard->id, sizeof request->id);
	memcpy(request->label, guard->label, sizeof request->label);
	const struct log log = log_with(server->log, "request_id", request->id);
	request->log = log_with_trace(&log, &guard->trace);
	if (guard->trace.parent[0] != '\0') {
		char *state = http_request_header_list(request, "tracestate");
		(void)trace_take_state(state, request->log.trace_state);
		free(state);
	}
	copy_peer(request);
	request->next = server->requests;
	request->link = &server->requests;
	if (request->next != NULL)
		request->next->link = &request->next;
	server->requests = request;
	server->request_count++;
	server->request_total++;
	guard_answer(guard, request);
	answer(request, method_of(evhttp));
}

static void check_drained(struct http_server *server)
{
	if (server->host.draining && server->guard_count == 0 && server->lingers.count == 0 &&
		server->request_count == 0)
		event_active(server->drained, 0, 0);
}

static void on_drained(evutil_socket_t fd, short what, void *context)
{
	struct http_server *server = context;
	void (*done)(void *data) = server->on_drained;
	(void)fd;
	(void)what;
	server->on_drained = NULL;
	if (done != NULL)
		done(server->on_drained_context);
}

void http_request_free(struct http_request *request)
{
	*request->link = request->next;
	if (request->next != NULL)
		request->next->link = request->link;
	request->server->request_count--;
	check_drained(request->server);
	if (request->free_kept != NULL)
		request->free_kept(request->kept);
	uri_free(&request->uri);
	free(request);
}

/* A place for a connection is free. */
static void on_place(struct http_server *server)
{
	if (server->closing)
		return;
	if (server->acceptor != NULL)
		acceptor_resume(server->acceptor);
	check_drained(server);
}

static void on_linger_gone(void *context)
{
	on_place(context);
}

static void count_guards(struct http_server *server, size_t count)
{
	server->guard_count = count;
	metrics_set(server->options.part, METRIC_CONNECTIONS, count);
}

/* A millisecond for each connection that it has more than its share: the mean of all workers, and a little, since a burst
 * would wait for every millisecond. */
static unsigned yield_ms(void *context)
{
	const struct http_server *server = context;
	if (server->options.metrics == NULL)
		return 0;
	uint64_t workers = metrics_total(server->options.metrics, METRIC_WORKERS);
	uint64_t all = metrics_total(server->options.metrics, METRIC_CONNECTIONS);
	uint64_t mean = workers > 0 ? all / workers : server->guard_count;
	uint64_t share = mean + mean / UNEVEN_PART;
	uint64_t ahead = server->guard_count > share ? server->guard_count - share : 0;
	return ahead < YIELD_LIMIT_MS ? (unsigned)ahead : YIELD_LIMIT_MS;
}

/* The client has left, and evhttp has given the request up: it belongs to whoever answers it. */
/* A guard has answered a request that did not get as far as a route. */
static void on_refused(void *context, int status, int64_t ns)
{
	const struct http_server *server = context;
	metrics_request(server->options.part, server->rows[server->route_count], status, ns);
}

static void on_guard_closed(void *context, struct guard *guard)
{
	struct http_server *server = context;
	struct http_request *request = guard->request;
	server->guards[guard->fd] = NULL;
	count_guards(server, server->guard_count - 1);
	if (request != NULL && request->ended) {
		evhttp_request_free(request->evhttp);
		http_request_free(request);
	} else if (request != NULL) {
		void (*cancelled)(void *data) = request->cancelled;
		request->guard = NULL;
		request->cancelled = NULL;
		if (cancelled != NULL && !server->closing)
			cancelled(request->cancelled_data);
	}
	on_place(server);
}

static bool has_room(void *context)
{
	const struct http_server *server = context;
	return server->guard_count + server->lingers.count < server->options.connection_limit;
}

static struct bufferevent *make_connection(void *context)
{
	struct http_server *server = context;
	server->fresh = guard_new(&server->host);
	return server->fresh->events;
}

static void add_guard(struct http_server *server, struct guard *guard)
{
	size_t row = (size_t)guard->fd;
	if (row >= server->guard_rows) {
		size_t rows = row * 2 + 64;
		server->guards = memory_resize(server->guards, rows, sizeof(struct guard *));
		memset(server->guards + server->guard_rows, 0,
			(rows - server->guard_rows) * sizeof(struct guard *));
		server->guard_rows = rows;
	}
	server->guards[row] = guard;
	count_guards(server, server->guard_count + 1);
}

static void begin_connection(void *context)
{
	struct http_server *server = context;
	struct guard *guard = server->fresh;
	server->fresh = NULL;
	if (guard_begin(guard) < 0)
		guard_free(guard);
	else
		add_guard(server, guard);
}

/* The limit of descriptors, after it was raised to NEEDED as far as this process may: the soft limit is often 1024 for
 * the sake of programs that use select(2). */
static int raise_descriptors(struct rlimit *limit, rlim_t needed)
{
	if (getrlimit(RLIMIT_NOFILE, limit) < 0)
		return -1;
	if (limit->rlim_cur >= needed || limit->rlim_cur >= limit->rlim_max)
		return 0;
	const struct rlimit higher = {
		.rlim_cur = needed < limit->rlim_max ? needed : limit->rlim_max,
		.rlim_max = limit->rlim_max,
	};
	if (setrlimit(RLIMIT_NOFILE, &higher) == 0)
		*limit = higher;
	return 0;
}

/* Each connection takes a descriptor, and for a moment two when it is refused. */
static void limit_connections(struct http_server *server)
{
	struct rlimit limit;
	if (raise_descriptors(
		    &limit, (rlim_t)server->options.connection_limit + RESERVED_DESCRIPTORS) < 0 ||
		limit.rlim_cur == RLIM_INFINITY)
		return;
	size_t reserved = (size_t)limit.rlim_cur / 2;
	if (reserved > RESERVED_DESCRIPTORS)
		reserved = RESERVED_DESCRIPTORS;
	size_t most = (size_t)limit.rlim_cur - reserved;
	if (most >= server->options.connection_limit)
		return;
	log_warning(server->log,
		"a worker takes %zu connections and not %zu, since it may open %llu files; raise "
		"that limit (ulimit -n, LimitNOFILE)",
		most, server->options.connection_limit, (unsigned long long)limit.rlim_cur);
	server->options.connection_limit = most;
}

static size_t largest_body(
	const struct http_options *options, const struct http_route *routes, size_t count)
{
	size_t largest = options->body_limit;
	for (size_t i = 0; i < count; i++) {
		if (routes[i].body_limit > largest)
			largest = routes[i].body_limit;
	}
	return largest;
}

static void count_routes(struct http_server *server, const struct http_route *routes, size_t count)
{
	struct metrics_part *part = server->options.part;
	server->routes = routes;
	server->route_count = count;
	server->rows = memory_array(count + 1, sizeof *server->rows);
	for (size_t i = 0; i < count; i++)
		server->rows[i] = metrics_route(part, routes[i].name, routes[i].method);
	server->rows[count] = metrics_route(part, NULL, NULL);
}

static void set_up(struct http_server *server, struct event_base *base, size_t body_bytes)
{
	const struct acceptor_owner owner = {
		.context = server,
		.make = make_connection,
		.made = begin_connection,
		.has_room = has_room,
		.yield_ms = yield_ms,
	};
	server->lingers = (struct lingers){.base = base, .gone = on_linger_gone, .context = server};
	server->host = (struct guard_host){
		.base = base,
		.options = &server->options,
		.log = server->log,
		.lingers = &server->lingers,
		.context = server,
		.body_limit = body_limit,
		.refused = on_refused,
		.closed = on_guard_closed,
	};
	server->acceptor = acceptor_new(base, server->evhttp, &owner, server->log);
	/* The guard knows all of this better, and is asked first. */
	evhttp_set_max_headers_size(
		server->evhttp, (ev_ssize_t)(server->options.header_limit + EVHTTP_SLACK));
	evhttp_set_max_body_size(server->evhttp, (ev_ssize_t)(body_bytes + EVHTTP_SLACK));
	evhttp_set_allowed_methods(server->evhttp,
		EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST | EVHTTP_REQ_PUT |
			EVHTTP_REQ_PATCH | EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS);
	evhttp_set_default_content_type(server->evhttp, NULL);
	evhttp_set_gencb(server->evhttp, on_request, server);
}

struct http_server *http_server_new(struct event_base *base, const struct http_options *options,
	const struct http_route *routes, size_t route_count, void *context, const struct log *log,
	struct ss_error *err)
{
	struct router *router = router_new(routes, route_count, err);
	if (router == NULL)
		return NULL;
	struct http_server *server = memory_make(struct http_server);
	server->options = *options;
	server->router = router;
	server->context = context;
	server->log = log;
	server->evhttp = evhttp_new(base);
	server->drained = event_new(base, -1, 0, on_drained, server);
	if (server->evhttp == NULL || server->drained == NULL)
		abort(); /* only for want of memory */
	limit_connections(server);
	count_routes(server, routes, route_count);
	set_up(server, base, largest_body(options, routes, route_count));
	return server;
}

int http_server_accept(struct http_server *server, int fd, struct ss_error *err)
{
	if (server->acceptor == NULL)
		return ss_fail_as(
			err, SS_UNAVAILABLE, "the server stops and accepts no connections");
	return acceptor_listen(server->acceptor, fd, err);
}

void http_server_drain(struct http_server *server, void (*done)(void *context), void *context)
{
	server->on_drained = done;
	server->on_drained_context = context;
	server->host.draining = true;
	acceptor_free(server->acceptor);
	server->acceptor = NULL;
	for (size_t i = 0; i < server->guard_rows; i++) {
		if (server->guards[i] != NULL)
			guard_drain(server->guards[i]);
	}
	check_drained(server);
}

struct http_counts http_server_counts(const struct http_server *server)
{
	return (struct http_counts){
		.connections = server->guard_count + server->lingers.count,
		.requests = server->request_count,
		.total = server->request_total,
	};
}

void http_server_free(struct http_server *server)
{
	if (server == NULL)
		return;
	server->closing = true;
	server->host.draining = false;
	acceptor_free(server->acceptor);
	for (size_t i = 0; i < server->guard_rows; i++) {
		if (server->guards[i] != NULL)
			guard_cut(server->guards[i]);
	}
	lingers_close(&server->lingers);
	while (server->requests != NULL) {
		evhttp_request_free(server->requests->evhttp);
		http_request_free(server->requests);
	}
	evhttp_free(server->evhttp);
	event_free(server->drained);
	router_free(server->router);
	free(server->guards);
	free(server->rows);
	free(server);
}
