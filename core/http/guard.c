#include "http/guard.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/memory.h"
#include "base/text.h"
#include "http/problem.h"
#include "http/tls.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/util.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define SECOND_NS ((int64_t)1000000000)

/* While draining: how long a connection must be idle before it is closed. A request may be on its way
 * already; one that still comes is answered, and told that the connection closes. */
#define DRAIN_IDLE_NS SECOND_NS

/* Bytes that are taken while a request is answered; then the socket is not read until the reply is out. */
enum { AHEAD_LIMIT = 64 * 1024 };

/* How a step of reading ended. */
enum step {
	STEP_MORE, /* bytes are missing */
	STEP_NEXT,
	STEP_GONE, /* the guard is freed */
};

static void arm(struct guard *guard, int64_t ns)
{
	if (ns < 1000)
		ns = 1000;
	const struct timeval after = {.tv_sec = ns / SECOND_NS, .tv_usec = ns % SECOND_NS / 1000};
	(void)evtimer_add(guard->timer, &after);
}

static size_t arrived_bytes(const struct guard *guard)
{
	return evbuffer_get_length(guard->arrived);
}

static bool has_tls(const struct guard *guard)
{
	return guard->host->options->tls != NULL;
}

/* Whether the client has sent something that was not read. */
static bool is_unread(const struct guard *guard)
{
	int bytes = 0;
	return arrived_bytes(guard) > 0 || (ioctl(guard->fd, FIONREAD, &bytes) == 0 && bytes > 0);
}

/* Past evhttp and its buffer, in which there is nothing. What the socket does not take is left out. */
static void send_past(const struct guard *guard, const char *text, size_t length)
{
	if (has_tls(guard))
		(void)http_tls_send(guard->events, text, length);
	else
		(void)send(guard->fd, text, length, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* The last reply is out, and the connection is about to be closed. */
static void say_end(const struct guard *guard)
{
	if (has_tls(guard))
		http_tls_end(guard->events);
}

void guard_cut(struct guard *guard)
{
	(void)evtimer_del(guard->timer);
	/* evhttp frees its connection, and on_closed() is called. */
	bufferevent_trigger_event(guard->events, BEV_EVENT_READING | BEV_EVENT_ERROR, 0);
}

/* Lets the client read what was sent before the connection is closed. */
static void linger(const struct guard *guard)
{
	int fd = fcntl(guard->fd, F_DUPFD_CLOEXEC, 0);
	if (fd >= 0)
		linger_start(guard->host->lingers, fd);
}

static struct log request_log(const struct guard *guard)
{
	const struct log log = log_with(guard->host->log, "request_id", guard->id);
	return log_with_trace(&log, &guard->trace);
}

static void log_refusal(
	const struct guard *guard, const struct http_refusal *refusal, size_t length)
{
	const struct log log = request_log(guard);
	log_info(&log, "%s %d, %zu bytes, %.1f ms: %s", guard->label, refusal->status, length,
		(double)(clock_monotonic_ns() - guard->since_ns) / 1e6, refusal->detail);
}

/* What the client calls the request, and the trace that it belongs to; or new ones. */
static void set_id(struct guard *guard, const struct http_head *head)
{
	const struct ss_text given = head->request_id;
	if (given.length > 0 && given.length < sizeof guard->id) {
		memcpy(guard->id, given.data, given.length);
		guard->id[given.length] = '\0';
	} else {
		(void)id_new("", guard->id);
	}
	if (!trace_join(&guard->trace, head->traceparent))
		guard->trace = trace_new();
}

/* A reply that closes the connection, in evhttp's place: new. */
static char *refusal_text(struct guard *guard, const struct http_refusal *refusal)
{
	const struct http_problem problem = {.status = refusal->status, .detail = refusal->detail};
	char date[50] = "";
	char trace[TRACE_TEXT_SIZE];
	if (guard->id[0] == '\0')
		set_id(guard, &(const struct http_head){0});
	char *body = http_problem_text(&problem, guard->id);
	(void)evutil_date_rfc1123(date, sizeof date, NULL);
	char *reply =
		memory_format("HTTP/1.1 %d %s\r\nDate: %s\r\nContent-Type: " HTTP_PROBLEM_TYPE
			      "\r\nContent-Length: %zu\r\nX-Request-ID: %s\r\ntraceparent: %s\r\n"
			      "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
			      "Referrer-Policy: no-referrer\r\nX-Frame-Options: DENY\r\n"
			      "Connection: close\r\n\r\n%s",
			refusal->status, http_status_title(refusal->status), date, strlen(body),
			guard->id, trace_text(&guard->trace, trace),
			strncmp(guard->label, "HEAD ", 5) == 0 ? "" : body);
	log_refusal(guard, refusal, strlen(body));
	guard->host->refused(
		guard->host->context, refusal->status, clock_monotonic_ns() - guard->since_ns);
	free(body);
	return reply;
}

/* Answers and closes the connection. Nothing else is on its way out, so the reply fits the socket's buffer; if it
 * does not, the client does not read and gets none. */
static enum step refuse(struct guard *guard, const struct http_refusal *refusal)
{
	char *reply = refusal_text(guard, refusal);
	send_past(guard, reply, strlen(reply));
	free(reply);
	say_end(guard);
	linger(guard);
	guard_cut(guard);
	return STEP_GONE;
}

static void begin_idle(struct guard *guard)
{
	guard->phase = GUARD_IDLE;
	guard->since_ns = clock_monotonic_ns();
	guard->scan = (struct http_head_scan){0};
	guard->chunks = (struct http_chunk_scan){0};
	guard->skipped_line = false;
	guard->waited = false;
	guard->id[0] = '\0';
	(void)strcpy(guard->label, "?");
	if (guard->host->draining)
		arm(guard, DRAIN_IDLE_NS);
	else if (guard->used)
		arm(guard, guard->host->options->idle_timeout_ns);
	else
		arm(guard, guard->host->options->header_timeout_ns);
}

static enum step begin_head(struct guard *guard)
{
	if (arrived_bytes(guard) == 0)
		return STEP_MORE;
	guard->phase = GUARD_HEAD;
	guard->since_ns = clock_monotonic_ns();
	arm(guard, guard->host->options->header_timeout_ns);
	return STEP_NEXT;
}

/* The method and the path, cut and without the query, which may hold what no log should. */
static void set_label(struct guard *guard, const struct http_head *head)
{
	size_t shown = 0;
	while (shown < head->target.length && head->target.data[shown] != '?')
		shown++;
	(void)snprintf(guard->label, sizeof guard->label, "%.*s %.*s", (int)head->method.length,
		head->method.data, (int)shown, head->target.data);
}

static int plan_body(
	struct guard *guard, const struct http_head *head, struct http_refusal *refusal)
{
	guard->chunked = head->chunked;
	guard->body_left = head->length;
	guard->body_limit =
		guard->host->body_limit(guard->host->context, head->method, head->target);
	if (guard->body_limit == 0 && (head->chunked || head->length > 0))
		return http_refuse(refusal, 413, "no body is taken here; send the request without");
	if (head->length > guard->body_limit)
		return http_refuse(refusal, 413, "the body is larger than %llu bytes",
			(unsigned long long)guard->body_limit);
	return 0;
}

static void begin_body(struct guard *guard, const struct http_head *head, size_t length)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	int64_t spent = clock_monotonic_ns() - guard->since_ns;
	/* A client that sends its body without waiting needs no answer; evhttp gives none either, since
	 * the body comes to it together with the head. */
	if (head->expects_continue && arrived_bytes(guard) == length &&
		(guard->chunked || guard->body_left > 0))
		send_past(guard, go_on, sizeof go_on - 1);
	guard->phase = GUARD_BODY;
	guard->closes = head->close;
	guard->old = head->old;
	arm(guard, guard->host->options->request_timeout_ns - spent);
	(void)evbuffer_remove_buffer(guard->arrived, guard->checked, length);
}

/* An empty line before a request is passed over, once (RFC 9112, 2.2). */
static void skip_empty_line(struct guard *guard)
{
	char start[2];
	if (guard->skipped_line || evbuffer_copyout(guard->arrived, start, 2) != 2)
		return;
	if (memcmp(start, "\r\n", 2) == 0)
		(void)evbuffer_drain(guard->arrived, 2);
	guard->skipped_line = true;
}

static enum step read_head(struct guard *guard)
{
	struct http_refusal refusal;
	struct http_head head;
	skip_empty_line(guard);
	size_t length = arrived_bytes(guard);
	const char *bytes = (const char *)evbuffer_pullup(guard->arrived, -1);
	if (!guard->skipped_line || length == 0)
		return STEP_MORE;
	size_t first_line = guard->scan.first_line;
	ptrdiff_t end = http_head_scan(
		&guard->scan, bytes, length, guard->host->options->header_limit, &refusal);
	if (first_line != guard->scan.first_line &&
		http_head_line(&head, bytes, guard->scan.first_line - 2, &refusal) == 0)
		set_label(guard, &head);
	if (end == 0)
		return STEP_MORE;
	if (end < 0 || http_head_read(&head, bytes, (size_t)end, &refusal) < 0)
		return refuse(guard, &refusal);
	set_id(guard, &head);
	if (plan_body(guard, &head, &refusal) < 0)
		return refuse(guard, &refusal);
	begin_body(guard, &head, (size_t)end);
	return STEP_NEXT;
}

/* evhttp reads the request and calls the server, which may answer at once. */
static enum step hand_over(struct guard *guard)
{
	struct evbuffer *input = bufferevent_get_input(guard->events);
	(void)evtimer_del(guard->timer);
	guard->phase = GUARD_ANSWERING;
	/* The end of the input is frozen for all but the bufferevent itself; one of TLS leaves it open. */
	(void)evbuffer_unfreeze(input, 0);
	(void)evbuffer_cb_clear_flags(input, guard->watch, EVBUFFER_CB_ENABLED);
	(void)evbuffer_add_buffer(input, guard->checked);
	(void)evbuffer_cb_set_flags(input, guard->watch, EVBUFFER_CB_ENABLED);
	if (!has_tls(guard))
		(void)evbuffer_freeze(input, 0);
	bufferevent_trigger(guard->events, EV_READ, 0);
	return STEP_GONE;
}

static enum step read_chunks(struct guard *guard)
{
	struct http_refusal refusal;
	size_t length = arrived_bytes(guard);
	const char *bytes = (const char *)evbuffer_pullup(guard->arrived, -1);
	if (length == 0)
		return STEP_MORE;
	ptrdiff_t used =
		http_chunk_scan(&guard->chunks, bytes, length, guard->body_limit, &refusal);
	if (used < 0)
		return refuse(guard, &refusal);
	(void)evbuffer_remove_buffer(guard->arrived, guard->checked, (size_t)used);
	return guard->chunks.state == CHUNK_DONE ? hand_over(guard) : STEP_MORE;
}

static enum step read_body(struct guard *guard)
{
	if (guard->chunked)
		return read_chunks(guard);
	size_t length = arrived_bytes(guard);
	if (length > guard->body_left)
		length = (size_t)guard->body_left;
	(void)evbuffer_remove_buffer(guard->arrived, guard->checked, length);
	guard->body_left -= length;
	return guard->body_left == 0 ? hand_over(guard) : STEP_MORE;
}

static enum step advance(struct guard *guard)
{
	switch (guard->phase) {
	case GUARD_IDLE:
		return begin_head(guard);
	case GUARD_HEAD:
		return read_head(guard);
	case GUARD_BODY:
		return read_body(guard);
	case GUARD_ANSWERING:
	case GUARD_STREAMING:
	case GUARD_WRITING:
		break;
	}
	return STEP_MORE;
}

static void on_work(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	while (advance(context) == STEP_NEXT)
		;
}

/* The bufferevent has read from the socket. Nothing is done with the bytes yet, since libevent is in the
 * middle of its own work; that the input is empty again keeps evhttp from being called. */
static void on_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *context)
{
	struct guard *guard = context;
	if (info->n_added == 0)
		return;
	(void)evbuffer_add_buffer(guard->arrived, input);
	if (guard->phase >= GUARD_ANSWERING && arrived_bytes(guard) > AHEAD_LIMIT)
		(void)bufferevent_disable(guard->events, EV_READ);
	event_active(guard->work, 0, 0);
}

/* The socket has taken some of the reply. */
static void on_output(struct evbuffer *output, const struct evbuffer_cb_info *info, void *context)
{
	struct guard *guard = context;
	(void)output;
	guard->taken += info->n_deleted;
}

static size_t unsent_bytes(const struct guard *guard)
{
	return evbuffer_get_length(bufferevent_get_output(guard->events));
}

/* From now on the client has its time to take some of the reply. */
static void await_taking(struct guard *guard)
{
	guard->seen = guard->taken;
	arm(guard, guard->host->options->write_timeout_ns);
}

static void check_taking(struct guard *guard)
{
	/* A stream that has nothing to say for a while. */
	if (guard->phase == GUARD_STREAMING && !guard->overrun && unsent_bytes(guard) == 0)
		return;
	if (!guard->overrun && guard->taken > guard->seen) {
		await_taking(guard);
		return;
	}
	const struct log log = request_log(guard);
	log_info(&log, "%s: the client does not take its reply", guard->label);
	guard_cut(guard);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct guard *guard = context;
	struct http_refusal refusal;
	(void)fd;
	(void)what;
	switch (guard->phase) {
	case GUARD_IDLE:
		/* What has just come is read in this round of the loop or the next. Once, since TLS has records that
		 * never end, and handshakes. */
		if (!guard->waited && is_unread(guard)) {
			guard->waited = true;
			arm(guard, SECOND_NS);
			break;
		}
		say_end(guard);
		guard_cut(guard);
		break;
	case GUARD_HEAD:
	case GUARD_BODY:
		(void)http_refuse(&refusal, 408, "the %s took too long to arrive",
			guard->phase == GUARD_HEAD ? "head of the request" : "request");
		(void)refuse(guard, &refusal);
		break;
	case GUARD_STREAMING:
	case GUARD_WRITING:
		check_taking(guard);
		break;
	case GUARD_ANSWERING:
		break;
	}
}

struct guard *guard_new(struct guard_host *host)
{
	struct guard *guard = memory_make(struct guard);
	guard->host = host;
	guard->fd = -1;
	guard->events = host->options->tls != NULL ? http_tls_accept(host->options->tls, host->base)
						   : bufferevent_socket_new(host->base, -1, 0);
	guard->arrived = evbuffer_new();
	guard->checked = evbuffer_new();
	guard->work = event_new(host->base, -1, 0, on_work, guard);
	guard->timer = evtimer_new(host->base, on_timer, guard);
	if (guard->events == NULL || guard->arrived == NULL || guard->checked == NULL ||
		guard->work == NULL || guard->timer == NULL)
		abort(); /* only for want of memory */
	guard->watch = evbuffer_add_cb(bufferevent_get_input(guard->events), on_input, guard);
	guard->sending = evbuffer_add_cb(bufferevent_get_output(guard->events), on_output, guard);
	if (guard->watch == NULL || guard->sending == NULL)
		abort(); /* only for want of memory */
	/* Until guard_begin(): evhttp may free it before. */
	bufferevent_incref(guard->events);
	/* evhttp is not called while its input is empty. That is not only in vain: in some states it ends
	 * the process. */
	bufferevent_setwatermark(guard->events, EV_READ, 1, 0);
	return guard;
}

static void release(struct guard *guard)
{
	(void)evbuffer_remove_cb_entry(bufferevent_get_input(guard->events), guard->watch);
	(void)evbuffer_remove_cb_entry(bufferevent_get_output(guard->events), guard->sending);
	event_free(guard->work);
	event_free(guard->timer);
	evbuffer_free(guard->arrived);
	evbuffer_free(guard->checked);
	free(guard);
}

void guard_free(struct guard *guard)
{
	struct bufferevent *events = guard->events;
	release(guard);
	(void)bufferevent_decref(events);
}

/* Somebody wrote http:// where https:// belongs, and would else only see the connection close. */
static void answer_plain(struct guard *guard)
{
	struct http_refusal refusal;
	(void)http_refuse(&refusal, 400, "this port speaks TLS; begin the address with https://");
	char *reply = refusal_text(guard, &refusal);
	(void)send(guard->fd, reply, strlen(reply), MSG_NOSIGNAL | MSG_DONTWAIT);
	free(reply);
	linger(guard);
}

/* evhttp frees the connection. */
static void on_closed(struct evhttp_connection *connection, void *context)
{
	struct guard *guard = context;
	(void)connection;
	if (has_tls(guard) && http_tls_met_plain(guard->events))
		answer_plain(guard);
	guard->host->closed(guard->host->context, guard);
	release(guard);
}

int guard_begin(struct guard *guard)
{
	const int on = 1;
	bufferevent_event_cb on_event;
	void *connection;
	bufferevent_getcb(guard->events, NULL, NULL, &on_event, &connection);
	/* evhttp's callbacks come with its connection, and are gone after it was freed. */
	if (on_event == NULL)
		return -1;
	guard->fd = bufferevent_getfd(guard->events);
	evhttp_connection_set_closecb(connection, on_closed, guard);
	(void)bufferevent_decref(guard->events);
	/* A reply is written at once; so nothing is gained by waiting for more. */
	(void)setsockopt(guard->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	begin_idle(guard);
	return 0;
}

void guard_answer(struct guard *guard, struct http_request *request)
{
	guard->request = request;
	/* evhttp stops reading while it waits for a reply, and would not see the client leave. */
	(void)bufferevent_enable(guard->events, EV_READ);
}

void guard_prepare_reply(struct guard *guard, struct evhttp_request *request)
{
	guard->closes |= guard->host->draining;
	if (!guard->closes)
		return;
	/* For HTTP/1.0, evhttp would answer the client's keep-alive. */
	(void)evhttp_remove_header(evhttp_request_get_input_headers(request), "Connection");
	(void)evhttp_remove_header(evhttp_request_get_output_headers(request), "Connection");
	(void)evhttp_add_header(evhttp_request_get_output_headers(request), "Connection", "close");
}

/* The reply is out. evhttp goes on with the connection, or frees it, after this. */
static void on_sent(struct evhttp_request *request, void *context)
{
	struct guard *guard = context;
	(void)request;
	guard->used = true;
	if (guard->closes)
		say_end(guard);
	if (guard->closes && is_unread(guard))
		linger(guard);
	begin_idle(guard);
	if (arrived_bytes(guard) > 0)
		event_active(guard->work, 0, 0);
}

void guard_replied(struct guard *guard, struct evhttp_request *request)
{
	guard->request = NULL;
	guard->phase = GUARD_WRITING;
	evhttp_request_set_on_complete_cb(request, on_sent, guard);
	await_taking(guard);
}

void guard_streamed(struct guard *guard)
{
	size_t unsent = unsent_bytes(guard);
	guard->phase = GUARD_STREAMING;
	/* evhttp reads again with each part that it is given. */
	if (arrived_bytes(guard) > AHEAD_LIMIT)
		(void)bufferevent_disable(guard->events, EV_READ);
	guard->overrun |= unsent > guard->host->options->unsent_limit;
	/* Not at once: whoever streams is at work with the request. */
	if (guard->overrun)
		arm(guard, 0);
	else if (unsent > 0 && !evtimer_pending(guard->timer, NULL))
		await_taking(guard);
}

void guard_drain(struct guard *guard)
{
	if (guard->phase == GUARD_IDLE)
		arm(guard, DRAIN_IDLE_NS - (clock_monotonic_ns() - guard->since_ns));
}
