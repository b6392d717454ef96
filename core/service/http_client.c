#include "service/http_client.h"

#include "base/buffer.h"
#include "base/calls.h"
#include "base/clock.h"
#include "base/log_scope.h"
#include "base/memory.h"
#include "service/http_memory.h"

#include <curl/curl.h>
#include <event2/event.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	KEPT_CONNECTIONS = 256, /* as many answers stream at once, each needs one over HTTP/1.1 */
	DEFAULT_BODY_LIMIT = 1 << 20,
	HEAD_LIMIT = 64 * 1024,
};

struct http_client {
	struct event_base *base;
	CURLM *multi;
	struct event *timer; /* libcurl's */
	struct ss_http_call *calls;
	size_t count;
	struct ss_http_call *first_ready; /* what libcurl has brought and nobody was told yet */
	struct ss_http_call **last_ready;
	bool stopped;
};

/* How far a call is: each phase has its own time. */
enum phase { CONNECTING, WAITING, RECEIVING, PHASES };

struct ss_http_call {
	struct http_client *client;
	struct ss_http_call *next, **link; /* of all calls */
	struct ss_http_call *next_ready;
	bool ready;     /* is in the list of those that are ready */
	bool telling;   /* received() is called */
	bool cancelled; /* to be freed by who tells */
	bool over;
	bool too_long, head_too_long;
	CURL *easy;
	CURLcode code;
	struct curl_slist *headers;
	struct event *timer;
	enum phase phase;
	double times[PHASES]; /* seconds; 0: none */
	double time;
	int64_t phase_end_ns, end_ns;
	size_t limit, length, head_length;
	struct buffer part;
	ss_http_received *received;
	ss_http_done *done;
	void *context;
	const struct call_site *site; /* that of who started it; NULL: nobody's */
	struct log log;               /* whose it is; without a trace: nobody's */
	char where[160];              /* the scheme, host and port, for messages */
	char message[CURL_ERROR_SIZE];
};

/* One socket that libcurl waits for. */
struct waited_socket {
	struct http_client *client;
	struct event *event;
};

static void tell(struct http_client *client);

/* Lets libcurl work, and then tells what has come. */
static void act(struct http_client *client, curl_socket_t fd, int what)
{
	int running;
	(void)curl_multi_socket_action(client->multi, fd, what, &running);
	tell(client);
}

static void on_socket(evutil_socket_t fd, short what, void *context)
{
	const struct waited_socket *waited = context;
	act(waited->client, fd,
		((what & EV_READ) != 0 ? CURL_CSELECT_IN : 0) |
			((what & EV_WRITE) != 0 ? CURL_CSELECT_OUT : 0));
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	act(context, CURL_SOCKET_TIMEOUT, 0);
}

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *socket_context)
{
	struct http_client *client = context;
	struct waited_socket *waited = socket_context;
	(void)easy;
	if (waited != NULL)
		event_free(waited->event);
	if (what == CURL_POLL_REMOVE) {
		free(waited);
		return 0;
	}
	if (waited == NULL)
		waited = memory_make(struct waited_socket);
	waited->client = client;
	waited->event = event_new(client->base, fd,
		(short)(EV_PERSIST | ((what & CURL_POLL_IN) != 0 ? EV_READ : 0) |
			((what & CURL_POLL_OUT) != 0 ? EV_WRITE : 0)),
		on_socket, waited);
	if (waited->event == NULL)
		abort(); /* only for want of memory */
	(void)event_add(waited->event, NULL);
	(void)curl_multi_assign(client->multi, fd, waited);
	return 0;
}

static int watch_time(CURLM *multi, long timeout_ms, void *context)
{
	struct http_client *client = context;
	const struct timeval after = {
		.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
	(void)multi;
	if (timeout_ms < 0)
		(void)evtimer_del(client->timer);
	else
		(void)evtimer_add(client->timer, &after);
	return 0;
}

struct http_client *http_client_new(struct event_base *base, struct ss_error *err)
{
	if (http_memory_init(err) < 0)
		return NULL;
	struct http_client *client = memory_make(struct http_client);
	client->base = base;
	client->last_ready = &client->first_ready;
	client->multi = curl_multi_init();
	client->timer = evtimer_new(base, on_timer, client);
	if (client->multi == NULL || client->timer == NULL)
		abort(); /* only for want of memory */
	(void)curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
	(void)curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
	(void)curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, watch_time);
	(void)curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
	(void)curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, (long)KEPT_CONNECTIONS);
	return client;
}

size_t http_client_calls(const struct http_client *client)
{
	return client->count;
}

/* The headers hold keys. */
static void free_headers(struct curl_slist *headers)
{
	for (struct curl_slist *header = headers; header != NULL; header = header->next)
		explicit_bzero(header->data, strlen(header->data));
	curl_slist_free_all(headers);
}

/* Takes CALL away from libcurl and from the client's calls. */
static void detach(struct ss_http_call *call)
{
	if (call->link == NULL)
		return;
	(void)curl_multi_remove_handle(call->client->multi, call->easy);
	event_free(call->timer);
	*call->link = call->next;
	if (call->next != NULL)
		call->next->link = call->link;
	call->link = NULL;
	call->client->count--;
}

static void free_call(struct ss_http_call *call)
{
	curl_easy_cleanup(call->easy);
	free_headers(call->headers);
	buffer_free(&call->part);
	free(call);
}

static int status_of(const struct ss_http_call *call)
{
	long status = 0;
	(void)curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	return (int)status;
}

/* Ends CALL, with ERR or without. */
static void finish(struct ss_http_call *call, const struct ss_error *err)
{
	detach(call);
	calls_begin(call->site, CALL_HTTP);
	call->done(call->context, call, status_of(call), err);
	calls_end();
	free_call(call);
}

/* What libcurl says of a call that failed, on one line. */
static const char *reason(struct ss_http_call *call)
{
	char *text = call->message;
	if (text[0] == '\0')
		(void)snprintf(text, sizeof call->message, "%s", curl_easy_strerror(call->code));
	for (char *c = text; *c != '\0'; c++) {
		if ((unsigned char)*c < ' ')
			*c = ' ';
	}
	return text;
}

/* The time of the phase, or that of the whole call when it was up first. */
static void fail_late(const struct ss_http_call *call, struct ss_error *err)
{
	static const char *const missed[] = {
		[CONNECTING] = "there was no connection",
		[WAITING] = "nothing came back",
		[RECEIVING] = "nothing more came",
	};
	if (clock_monotonic_ns() >= call->end_ns)
		(void)ss_fail_as(err, SS_TIMEOUT, "%s: the request was not over within %g s",
			call->where, call->time);
	else
		(void)ss_fail_as(err, SS_TIMEOUT, "%s: %s within %g s", call->where,
			missed[call->phase], call->times[call->phase]);
}

/* Why the call did not succeed by what libcurl says. */
static void explain(struct ss_http_call *call, struct ss_error *err)
{
	switch (call->code) {
	case CURLE_COULDNT_RESOLVE_HOST:
		(void)ss_fail_as(err, SS_UNAVAILABLE,
			"%s: no address is known for this name; is it spelled right, and does the "
			"name server answer?",
			call->where);
		break;
	case CURLE_COULDNT_RESOLVE_PROXY:
		(void)ss_fail_as(err, SS_UNAVAILABLE,
			"%s: no address is known for the proxy that the environment names",
			call->where);
		break;
	case CURLE_PEER_FAILED_VERIFICATION:
		(void)ss_fail_as(err, SS_UNAVAILABLE,
			"%s: its certificate is not trusted: %s; SSL_CERT_FILE names a file with "
			"the authorities that are",
			call->where, reason(call));
		break;
	case CURLE_OPERATION_TIMEDOUT:
		fail_late(call, err);
		break;
	case CURLE_FILESIZE_EXCEEDED:
		call->too_long = true;
		break;
	case CURLE_OUT_OF_MEMORY:
		/* So libcurl calls a line of the head that is longer than what it takes. */
		call->head_too_long = call->phase == WAITING;
		(void)ss_fail(err, "%s: %s", call->where, reason(call));
		break;
	default:
		(void)ss_fail_as(err, SS_UNAVAILABLE, "%s: %s%s", call->where,
			call->phase == RECEIVING ? "the reply broke off: " : "", reason(call));
	}
	if (call->too_long)
		(void)ss_fail_as(err, SS_LIMIT, "%s: the reply is longer than %zu bytes",
			call->where, call->limit);
	if (call->head_too_long)
		(void)ss_fail_as(
			err, SS_LIMIT, "%s: the head of the reply is too long", call->where);
}

/* Tells what has come of CALL, which may start and end calls. */
static void tell_of(struct ss_http_call *call)
{
	struct ss_error err = {0};
	/* CALL is gone with the last of its functions. */
	const struct log log = call->log;
	const struct log *before = log_enter(&log);
	call->telling = true;
	calls_begin(call->site, CALL_HTTP);
	if (!call->cancelled && call->part.length > 0)
		call->received(call->context, call, status_of(call),
			(struct ss_text){call->part.data, call->part.length});
	calls_end();
	call->telling = false;
	call->part.length = 0;
	if (call->cancelled) {
		free_call(call);
	} else if (call->over && call->code == CURLE_OK) {
		finish(call, NULL);
	} else if (call->over) {
		explain(call, &err);
		finish(call, &err);
	}
	log_leave(&log, before);
}

static void set_ready(struct ss_http_call *call)
{
	struct http_client *client = call->client;
	if (call->ready)
		return;
	call->ready = true;
	call->next_ready = NULL;
	*client->last_ready = call;
	client->last_ready = &call->next_ready;
}

static void tell(struct http_client *client)
{
	int left;
	for (CURLMsg *message; (message = curl_multi_info_read(client->multi, &left)) != NULL;) {
		struct ss_http_call *call = NULL;
		if (message->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&call);
		call->over = true;
		call->code = message->data.result;
		set_ready(call);
	}
	while (client->first_ready != NULL) {
		struct ss_http_call *call = client->first_ready;
		client->first_ready = call->next_ready;
		if (client->first_ready == NULL)
			client->last_ready = &client->first_ready;
		call->ready = false;
		tell_of(call);
	}
}

static void set_timer(struct ss_http_call *call, int64_t now)
{
	int64_t end = call->phase_end_ns < call->end_ns ? call->phase_end_ns : call->end_ns;
	int64_t wait_us = end > now ? (end - now) / 1000 + 1 : 0;
	const struct timeval after = {.tv_sec = wait_us / 1000000, .tv_usec = wait_us % 1000000};
	(void)evtimer_add(call->timer, &after);
}

/* Begins PHASE, or its time anew. A timer that is set too early looks again. */
static void enter(struct ss_http_call *call, enum phase phase)
{
	int64_t now = clock_monotonic_ns();
	double time = call->times[phase];
	bool other = phase != call->phase;
	call->phase = phase;
	call->phase_end_ns = time > 0 ? now + (int64_t)(time * 1e9) : INT64_MAX;
	if (other)
		set_timer(call, now);
}

static void on_late(evutil_socket_t fd, short what, void *context)
{
	struct ss_http_call *call = context;
	struct ss_error err = {0};
	int64_t now = clock_monotonic_ns();
	(void)fd;
	(void)what;
	if (now < call->phase_end_ns && now < call->end_ns) {
		set_timer(call, now);
		return;
	}
	fail_late(call, &err);
	finish(call, &err);
}

/* libcurl's callbacks: nothing of a plugin is called from them, since nothing may be started or ended there. */

static int on_connected(void *context, char *ip, char *local_ip, int port, int local_port)
{
	(void)ip;
	(void)local_ip;
	(void)port;
	(void)local_port;
	enter(context, WAITING);
	return CURL_PREREQFUNC_OK;
}

static size_t on_head(char *data, size_t size, size_t count, void *context)
{
	struct ss_http_call *call = context;
	size_t length = size * count;
	(void)data;
	call->head_too_long = length > HEAD_LIMIT - call->head_length;
	if (call->head_too_long)
		return 0;
	call->head_length += length;
	return length;
}

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
	struct ss_http_call *call = context;
	size_t length = size * count;
	enter(call, RECEIVING);
	call->too_long = length > call->limit - call->length;
	if (call->too_long)
		return 0;
	call->length += length;
	if (call->received != NULL && length > 0) {
		buffer_add(&call->part, data, length);
		set_ready(call);
	}
	return length;
}

/* Takes the URL apart, and keeps what messages say of it: neither its path nor its query. */
static int read_url(struct ss_http_call *call, const char *text, struct ss_error *err)
{
	CURLU *url = curl_url();
	char *scheme = NULL, *host = NULL, *port = NULL;
	int result = -1;
	CURLUcode code = text == NULL ? CURLUE_MALFORMED_INPUT
				      : curl_url_set(url, CURLUPART_URL, text, CURLU_DISALLOW_USER);
	if (code == CURLUE_OK && (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
					 curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK))
		code = CURLUE_MALFORMED_INPUT;
	if (code == CURLUE_OK)
		(void)curl_url_get(url, CURLUPART_PORT, &port, 0);
	if (code != CURLUE_OK)
		(void)ss_fail_as(err, SS_INVALID, "the URL cannot be used: %s",
			code == CURLUE_USER_NOT_ALLOWED ? "it has a user's name in it"
							: curl_url_strerror(code));
	else if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
		(void)ss_fail_as(
			err, SS_INVALID, "the URL begins with %.20s:, not http: or https:", scheme);
	else
		result = snprintf(call->where, sizeof call->where, "%s://%.120s%s%s", scheme, host,
				 port != NULL ? ":" : "", port != NULL ? port : "") > 0
				 ? 0
				 : -1;
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(url);
	return result;
}

static void add_header(struct ss_http_call *call, const char *header)
{
	struct curl_slist *longer = curl_slist_append(call->headers, header);
	if (longer == NULL)
		abort(); /* only for want of memory */
	call->headers = longer;
}

static void add_trace(struct ss_http_call *call)
{
	char text[TRACE_TEXT_SIZE];
	char header[TRACE_STATE_SIZE + sizeof "tracestate: "];
	const struct trace child = trace_child(&call->log.trace);
	(void)snprintf(header, sizeof header, "traceparent: %s", trace_text(&child, text));
	add_header(call, header);
	log_debug(&call->log, "a request to %s, %s", call->where, header);
	if (call->log.trace_state[0] == '\0')
		return;
	(void)snprintf(header, sizeof header, "tracestate: %s", call->log.trace_state);
	add_header(call, header);
}

static int read_headers(struct ss_http_call *call, const char *const *headers, struct ss_error *err)
{
	bool traced = call->log.trace.id[0] == '\0';
	for (; headers != NULL && *headers != NULL; headers++) {
		size_t name = strcspn(*headers, ":\r\n");
		if (name == 0 || (*headers)[name] != ':' || strpbrk(*headers, "\r\n") != NULL)
			return ss_fail_as(err, SS_INVALID,
				"a header of the request is not written \"Name: value\" on one "
				"line");
		traced |= strncasecmp(*headers, "traceparent:", sizeof "traceparent:" - 1) == 0;
		add_header(call, *headers);
	}
	if (!traced)
		add_trace(call);
	/* Else a long body waits for a "go on" that many servers never say. */
	add_header(call, "Expect:");
	return 0;
}

static void set_method(CURL *easy, const struct ss_http_request *request)
{
	const char *method = request->method != NULL ? request->method : "GET";
	if (request->body.length > 0 || strcmp(method, "POST") == 0) {
		(void)curl_easy_setopt(
			easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.length);
		(void)curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS,
			request->body.length > 0 ? request->body.data : "");
	}
	if (strcmp(method, "HEAD") == 0)
		(void)curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	else
		(void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
}

static void set_connection(struct ss_http_call *call)
{
	CURL *easy = call->easy;
	const char *authorities = getenv("SSL_CERT_FILE");
	/* A handshake tells whether the next call can share the connection. Without one only the first reply tells, and
	 * calls that wait for it would wait for as long as that takes. */
	bool offers = strncmp(call->where, "https:", 6) == 0;
	(void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
		(long)(offers ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
	(void)curl_easy_setopt(easy, CURLOPT_PIPEWAIT, offers ? 1L : 0L);
	(void)curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (authorities != NULL && authorities[0] != '\0')
		(void)curl_easy_setopt(easy, CURLOPT_CAINFO, authorities);
	(void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* Without it the end of a call would wait for a name server that does not answer. */
	(void)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	/* The call's own timer ends it; this one lets libcurl try a host's next address in time. */
	(void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
		(long)fmax(1, ceil(call->times[CONNECTING] * 1000)));
	(void)curl_easy_setopt(easy, CURLOPT_USERAGENT, "smartsupport/" SS_VERSION);
}

static void set_callbacks(struct ss_http_call *call)
{
	CURL *easy = call->easy;
	(void)curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
	(void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->message);
	(void)curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connected);
	(void)curl_easy_setopt(easy, CURLOPT_PREREQDATA, call);
	(void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head);
	(void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
	(void)curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)call->limit);
}

static struct ss_http_call *make_call(struct http_client *client,
	const struct ss_http_request *request, const struct log *log, struct ss_error *err)
{
	struct ss_http_call *call = memory_make(struct ss_http_call);
	call->client = client;
	if (log != NULL)
		call->log = *log;
	call->received = request->received;
	call->done = request->done;
	call->context = request->context;
	call->limit = request->body_limit > 0 ? request->body_limit : DEFAULT_BODY_LIMIT;
	call->times[CONNECTING] = request->connect_timeout > 0 ? request->connect_timeout : 10;
	call->times[WAITING] = request->first_byte_timeout;
	call->times[RECEIVING] = request->idle_timeout;
	call->time = request->timeout > 0 ? request->timeout : 60;
	call->easy = curl_easy_init();
	if (call->easy == NULL)
		abort(); /* only for want of memory */
	if (read_url(call, request->url, err) < 0 ||
		read_headers(call, request->headers, err) < 0) {
		free_call(call);
		return NULL;
	}
	(void)curl_easy_setopt(call->easy, CURLOPT_URL, request->url);
	(void)curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers);
	set_method(call->easy, request);
	set_connection(call);
	set_callbacks(call);
	return call;
}

struct ss_http_call *http_client_start(struct http_client *client,
	const struct ss_http_request *request, const struct log *log, struct ss_error *err)
{
	if (client->stopped || client->count >= HTTP_CLIENT_CALLS) {
		(void)ss_fail_as(err, SS_UNAVAILABLE, "%s",
			client->stopped ? "no request is started any more, since the server ends"
					: "too many requests to other servers are under way");
		return NULL;
	}
	struct ss_http_call *call = make_call(client, request, log, err);
	if (call == NULL)
		return NULL;
	int64_t now = clock_monotonic_ns();
	call->end_ns = now + (int64_t)(call->time * 1e9);
	call->site = call_current();
	call->timer = evtimer_new(client->base, on_late, call);
	if (call->timer == NULL || curl_multi_add_handle(client->multi, call->easy) != CURLM_OK)
		abort(); /* only for want of memory */
	call->next = client->calls;
	call->link = &client->calls;
	if (call->next != NULL)
		call->next->link = &call->next;
	client->calls = call;
	client->count++;
	enter(call, CONNECTING);
	set_timer(call, now);
	return call;
}

void http_client_cancel(struct ss_http_call *call)
{
	detach(call);
	if (call->ready || call->telling)
		call->cancelled = true;
	else
		free_call(call);
}

const char *http_client_header(const struct ss_http_call *call, const char *name)
{
	struct curl_header *header = NULL;
	if (curl_easy_header(call->easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
		return NULL;
	return header->value;
}

void http_client_stop(struct http_client *client)
{
	struct ss_error err = {0};
	if (client == NULL)
		return;
	client->stopped = true;
	(void)ss_fail_as(&err, SS_UNAVAILABLE, "the request is given up, since the server ends");
	/* What is ready is told first: its calls may be over. */
	tell(client);
	while (client->calls != NULL)
		finish(client->calls, &err);
}

void http_client_free(struct http_client *client)
{
	if (client == NULL)
		return;
	(void)curl_multi_cleanup(client->multi);
	event_free(client->timer);
	free(client);
	curl_global_cleanup();
}
