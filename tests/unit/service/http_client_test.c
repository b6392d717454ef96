#include "service/http_client.h"

#include "unit/service/loop.h"

#include "base/buffer.h"
#include "base/log_scope.h"
#include "base/memory.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A server on the same loop: it answers each request with `reply`, byte by byte as it is written here. */
static struct event_base *base;
static struct http_client *client;
static struct evconnlistener *listener;
static struct bufferevent *connections[16];
static size_t connection_count;
static const char *reply;
static bool closes; /* behind the reply */
static char request_text[20000];
static size_t request_count;
static char url[100];
static int port;

/* Whose calls are started. */
static const struct log *caller;

static void on_request(struct bufferevent *connection, void *context)
{
	(void)context;
	struct evbuffer *input = bufferevent_get_input(connection);
	size_t length = evbuffer_get_length(input);
	length = length < sizeof request_text - 1 ? length : sizeof request_text - 1;
	(void)evbuffer_copyout(input, request_text, length);
	request_text[length] = '\0';
	char *body = strstr(request_text, "\r\n\r\n");
	const char *told = strstr(request_text, "Content-Length: ");
	if (body == NULL || (told != NULL && length - (size_t)(body + 4 - request_text) <
						     strtoul(told + 16, NULL, 10)))
		return;
	(void)evbuffer_drain(input, length);
	request_count++;
	if (reply != NULL)
		(void)bufferevent_write(connection, reply, strlen(reply));
}

static void on_written(struct bufferevent *connection, void *context)
{
	(void)context;
	if (closes && request_count > 0)
		(void)shutdown(bufferevent_getfd(connection), SHUT_WR);
}

static void on_accepted(struct evconnlistener *from, evutil_socket_t fd, struct sockaddr *address,
	int length, void *context)
{
	(void)from;
	(void)address;
	(void)length;
	(void)context;
	cr_assert_lt(connection_count, array_length(connections));
	struct bufferevent *connection = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(connection, on_request, on_written, NULL, NULL);
	(void)bufferevent_enable(connection, EV_READ | EV_WRITE);
	connections[connection_count++] = connection;
}

static void set_up(void)
{
	struct ss_error err = {0};
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;
	(void)unsetenv("http_proxy");
	base = event_base_new();
	client = http_client_new(base, &err);
	cr_assert_not_null(client, "%s", err.text);
	listener = evconnlistener_new_bind(base, on_accepted, NULL, LEV_OPT_CLOSE_ON_FREE, -1,
		(struct sockaddr *)&address, sizeof address);
	cr_assert_not_null(listener);
	cr_assert_eq(
		getsockname(evconnlistener_get_fd(listener), (struct sockaddr *)&address, &length),
		0);
	port = ntohs(address.sin_port);
	(void)snprintf(url, sizeof url, "http://127.0.0.1:%d/a?b=c", port);
	reply = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-One: 1\r\n\r\nHello";
}

static void tear_down(void)
{
	http_client_stop(client);
	http_client_free(client);
	for (size_t i = 0; i < connection_count; i++)
		bufferevent_free(connections[i]);
	if (listener != NULL)
		evconnlistener_free(listener);
	event_base_free(base);
}

TestSuite(http_client, .init = set_up, .fini = tear_down);

/* What came of a call. */
struct outcome {
	struct ss_http_call *call;
	size_t dones, parts;
	int status;
	struct ss_error err;
	char body[20000];
	size_t length;
	char header[100];
	struct ss_http_call *cancels; /* when a part comes */
	struct outcome *starts;       /* when it is done */
	const struct log *scope;      /* in which what is entered then is whose that is */
};

static void start(struct outcome *outcome, struct ss_http_request request);

static void on_part(void *context, struct ss_http_call *call, int status, struct ss_text part)
{
	struct outcome *outcome = context;
	cr_assert_eq(call, outcome->call, "received() is called inside http_start()");
	cr_assert_eq(outcome->dones, 0);
	cr_assert_leq(outcome->length + part.length, sizeof outcome->body);
	memcpy(outcome->body + outcome->length, part.data, part.length);
	outcome->length += part.length;
	outcome->status = status;
	outcome->parts++;
	if (outcome->cancels != NULL)
		http_client_cancel(outcome->cancels);
}

static void on_done(
	void *context, struct ss_http_call *call, int status, const struct ss_error *err)
{
	struct outcome *outcome = context;
	cr_assert_eq(call, outcome->call, "done() is called inside http_start()");
	const char *header = http_client_header(call, "x-one");
	(void)snprintf(outcome->header, sizeof outcome->header, "%s", header != NULL ? header : "");
	outcome->status = status;
	if (err != NULL)
		outcome->err = *err;
	outcome->dones++;
	if (outcome->starts == NULL)
		return;
	caller = outcome->scope != NULL ? log_entered(outcome->scope) : NULL;
	start(outcome->starts, (struct ss_http_request){0});
	caller = NULL;
}

static void start(struct outcome *outcome, struct ss_http_request request)
{
	struct ss_error err = {0};
	request.struct_size = sizeof request;
	request.url = request.url != NULL ? request.url : url;
	request.received = on_part;
	request.done = on_done;
	request.context = outcome;
	outcome->call = http_client_start(client, &request, caller, &err);
	cr_assert_not_null(outcome->call, "%s", err.text);
}

static void finish(struct outcome *outcome)
{
	loop_until(base, &outcome->dones, 1);
	cr_expect_eq(outcome->dones, 1);
}

static void run(struct outcome *outcome, struct ss_http_request request)
{
	start(outcome, request);
	finish(outcome);
}

static void expect_failure(const struct outcome *outcome, enum ss_status status, const char *part)
{
	cr_expect_eq(outcome->err.status, status, "%d: %s", outcome->err.status, outcome->err.text);
	cr_expect_not_null(strstr(outcome->err.text, part), "%s", outcome->err.text);
}

Test(http_client, brings_the_status_the_headers_and_the_body)
{
	struct outcome outcome = {0};
	run(&outcome, (struct ss_http_request){0});
	cr_expect_eq(outcome.err.status, SS_OK, "%s", outcome.err.text);
	cr_expect_eq(outcome.status, 200);
	cr_expect_str_eq(outcome.body, "Hello");
	cr_expect_str_eq(outcome.header, "1");
	cr_expect_eq(http_client_calls(client), 0);
	cr_expect_eq(strncmp(request_text, "GET /a?b=c HTTP/1.1\r\n", 21), 0, "%s", request_text);
}

Test(http_client, sends_the_method_the_headers_and_the_body)
{
	static const char *const headers[] = {"X-Key: secret", "Content-Type: a/b", NULL};
	struct outcome outcome = {0};
	run(&outcome, (struct ss_http_request){
			      .method = "POST", .headers = headers, .body = {"a\0b", 3}});
	cr_expect_eq(strncmp(request_text, "POST /a?b=c ", 12), 0);
	cr_expect_not_null(strstr(request_text, "\r\nX-Key: secret\r\n"));
	cr_expect_not_null(strstr(request_text, "\r\nContent-Type: a/b\r\n"));
	cr_expect_not_null(strstr(request_text, "\r\nContent-Length: 3\r\n"));
}

Test(http_client, passes_on_the_trace_that_a_call_belongs_to)
{
	static const char *const own[] = {"Traceparent: own", NULL};
	const struct trace trace = trace_new();
	struct log log = log_new(-1, SS_LOG_INFO, false);
	struct outcome first = {0}, second = {0}, third = {0}, last = {0};
	char expected[80];
	log.scope = log_scope_new();
	log = log_with_trace(&log, &trace);
	(void)trace_take_state("a=1,b=2", log.trace_state);
	caller = &log;
	first.starts = &second;
	first.scope = &log;
	start(&first, (struct ss_http_request){0});
	caller = NULL;
	loop_until(base, &first.dones, 1);
	(void)snprintf(expected, sizeof expected, "\r\ntraceparent: 00-%s-", trace.id);
	cr_expect_not_null(strstr(request_text, expected), "%s", request_text);
	cr_expect_not_null(strstr(request_text, "\r\ntracestate: a=1,b=2\r\n"), "%s", request_text);
	cr_expect_null(strstr(request_text, trace.span), "a call has a span of its own");
	cr_expect_null(log_entered(&log), "what was entered for a call is left behind it");
	request_text[0] = '\0';
	finish(&second);
	cr_expect_not_null(strstr(request_text, expected), "what it starts belongs to it as well");
	run(&third, (struct ss_http_request){0});
	cr_expect_null(strstr(request_text, "traceparent"), "%s", request_text);
	caller = &log;
	run(&last, (struct ss_http_request){.headers = own});
	cr_expect_null(strstr(request_text, trace.id), "%s", request_text);
	cr_expect_null(strstr(request_text, "tracestate"), "%s", request_text);
	caller = NULL;
	log_scope_free(log.scope);
}

Test(http_client, uses_a_connection_again)
{
	for (size_t i = 1; i <= 3; i++) {
		struct outcome outcome = {0};
		run(&outcome, (struct ss_http_request){0});
		cr_expect_eq(outcome.status, 200);
		cr_expect_eq(request_count, i);
	}
	cr_expect_eq(connection_count, 1);
}

Test(http_client, asks_side_by_side)
{
	struct outcome outcomes[8] = {0};
	for (size_t i = 0; i < array_length(outcomes); i++)
		start(&outcomes[i], (struct ss_http_request){0});
	cr_expect_eq(http_client_calls(client), array_length(outcomes));
	for (size_t i = 0; i < array_length(outcomes); i++) {
		finish(&outcomes[i]);
		cr_expect_str_eq(outcomes[i].body, "Hello");
	}
}

Test(http_client, hands_on_a_redirect_as_it_is)
{
	struct outcome outcome = {0};
	reply = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
	run(&outcome, (struct ss_http_request){0});
	cr_expect_eq(outcome.err.status, SS_OK);
	cr_expect_eq(outcome.status, 302);
	cr_expect_eq(outcome.parts, 0);
	cr_expect_eq(request_count, 1);
}

Test(http_client, refuses_a_body_that_is_too_long)
{
	struct outcome outcome = {0};
	run(&outcome, (struct ss_http_request){.body_limit = 4});
	expect_failure(&outcome, SS_LIMIT, "the reply is longer than 4 bytes");
	cr_expect_eq(outcome.length, 0);
}

Test(http_client, refuses_a_body_that_becomes_too_long)
{
	struct outcome outcome = {0};
	reply = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nHello\r\n5\r\nHello\r\n";
	run(&outcome, (struct ss_http_request){.body_limit = 9});
	expect_failure(&outcome, SS_LIMIT, "the reply is longer than 9 bytes");
	cr_expect_leq(outcome.length, 9);
}

Test(http_client, tells_a_reply_that_breaks_off_from_one_that_ends)
{
	struct outcome outcome = {0};
	reply = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nHello";
	closes = true;
	run(&outcome, (struct ss_http_request){0});
	expect_failure(&outcome, SS_UNAVAILABLE, "the reply broke off");
	cr_expect_str_eq(outcome.body, "Hello");
	cr_expect_eq(outcome.status, 200);
}

Test(http_client, says_that_nothing_listens)
{
	struct outcome outcome = {0};
	evconnlistener_free(listener);
	listener = NULL;
	run(&outcome, (struct ss_http_request){0});
	expect_failure(&outcome, SS_UNAVAILABLE, "http://127.0.0.1:");
	expect_failure(&outcome, SS_UNAVAILABLE, "onnect");
}

Test(http_client, says_that_a_name_has_no_address)
{
	/* A label of more than 63 bytes is none, which needs no name server. */
	char name[200];
	struct outcome outcome = {0};
	(void)snprintf(name, sizeof name, "http://%0100d.example/", 7);
	run(&outcome, (struct ss_http_request){.url = name});
	expect_failure(&outcome, SS_UNAVAILABLE, "no address is known for this name");
}

Test(http_client, waits_no_longer_than_it_may_for_the_body_to_begin)
{
	struct outcome outcome = {0};
	reply = NULL;
	run(&outcome, (struct ss_http_request){.first_byte_timeout = 0.05});
	expect_failure(&outcome, SS_TIMEOUT, "nothing came back within 0.05 s");
	cr_expect_eq(outcome.status, 0);
	struct outcome head = {0};
	reply = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n";
	run(&head, (struct ss_http_request){.first_byte_timeout = 0.05});
	expect_failure(&head, SS_TIMEOUT, "nothing came back within 0.05 s");
}

Test(http_client, waits_no_longer_than_it_may_for_the_next_part)
{
	struct outcome outcome = {0};
	reply = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nHello";
	run(&outcome, (struct ss_http_request){.first_byte_timeout = 20, .idle_timeout = 0.05});
	expect_failure(&outcome, SS_TIMEOUT, "nothing more came within 0.05 s");
	cr_expect_str_eq(outcome.body, "Hello");
}

Test(http_client, waits_no_longer_than_it_may_for_all)
{
	struct outcome outcome = {0};
	reply = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nHello";
	run(&outcome, (struct ss_http_request){.idle_timeout = 20, .timeout = 0.05});
	expect_failure(&outcome, SS_TIMEOUT, "the request was not over within 0.05 s");
}

Test(http_client, waits_no_longer_than_it_may_for_a_connection)
{
	/* Nobody accepts, so what the system does not is never answered. */
	struct outcome fill[4] = {0};
	char full[100];
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof address) | listen(fd, 0), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	(void)snprintf(full, sizeof full, "http://127.0.0.1:%d/", ntohs(address.sin_port));
	for (size_t i = 0; i < array_length(fill); i++)
		start(&fill[i], (struct ss_http_request){
					.url = full, .connect_timeout = 0.3, .timeout = 0.6});
	for (size_t i = 0; i < array_length(fill); i++)
		finish(&fill[i]);
	/* The first ones are connected by the system itself. */
	expect_failure(&fill[3], SS_TIMEOUT, "there was no connection within 0.3 s");
	(void)close(fd);
}

Test(http_client, refuses_what_is_no_request)
{
	static const char *const two_lines[] = {"X-A: 1\r\nX-B: 2", NULL};
	static const char *const nameless[] = {": 1", NULL};
	static const struct {
		struct ss_http_request request;
		const char *part;
	} cases[] = {
		{{.url = "ftp://127.0.0.1/"}, "begins with ftp:"},
		{{.url = "http://user:secret@127.0.0.1/"}, "a user's name"},
		{{.url = "http://"}, "the URL cannot be used"},
		{{.url = NULL}, "the URL cannot be used"},
		{{.url = "http://127.0.0.1/", .headers = two_lines}, "on one line"},
		{{.url = "http://127.0.0.1/", .headers = nameless}, "Name: value"},
	};
	for (size_t i = 0; i < array_length(cases); i++) {
		struct ss_error err = {0};
		cr_expect_null(http_client_start(client, &cases[i].request, NULL, &err));
		cr_expect_eq(err.status, SS_INVALID);
		cr_expect_not_null(strstr(err.text, cases[i].part), "%s", err.text);
		cr_expect_null(strstr(err.text, "secret"));
	}
	cr_expect_eq(http_client_calls(client), 0);
}

Test(http_client, forgets_a_call_that_is_cancelled)
{
	struct outcome outcome = {0}, other = {0};
	start(&outcome, (struct ss_http_request){0});
	http_client_cancel(outcome.call);
	run(&other, (struct ss_http_request){0});
	cr_expect_eq(outcome.dones + outcome.parts, 0);
	cr_expect_eq(http_client_calls(client), 0);
}

Test(http_client, lets_a_call_be_cancelled_from_its_own_part)
{
	struct outcome outcome = {0}, other = {0};
	start(&outcome, (struct ss_http_request){0});
	outcome.cancels = outcome.call;
	loop_until(base, &outcome.parts, 1);
	run(&other, (struct ss_http_request){0});
	cr_expect_eq(outcome.parts, 1);
	cr_expect_eq(outcome.dones, 0);
}

Test(http_client, lets_a_call_be_cancelled_from_anothers_part)
{
	struct outcome outcome = {0}, other = {0};
	reply = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nHello";
	start(&outcome, (struct ss_http_request){0});
	loop_until(base, &outcome.parts, 1);
	start(&other, (struct ss_http_request){0});
	other.cancels = outcome.call;
	loop_until(base, &other.parts, 1);
	cr_expect_eq(outcome.dones, 0);
	cr_expect_eq(http_client_calls(client), 1);
}

Test(http_client, lets_a_call_be_started_when_another_is_done)
{
	struct outcome outcome = {0}, next = {0};
	outcome.starts = &next;
	run(&outcome, (struct ss_http_request){0});
	finish(&next);
	cr_expect_str_eq(next.body, "Hello");
	cr_expect_eq(connection_count, 1);
}

Test(http_client, ends_what_is_under_way_when_it_is_stopped)
{
	struct outcome outcome = {0}, again = {0};
	struct ss_error err = {0};
	const struct ss_http_request request = {.url = url, .done = on_done, .context = &again};
	reply = NULL;
	start(&outcome, (struct ss_http_request){0});
	loop_until(base, &request_count, 1);
	http_client_stop(client);
	cr_expect_eq(outcome.dones, 1);
	expect_failure(&outcome, SS_UNAVAILABLE, "the server ends");
	cr_expect_null(http_client_start(client, &request, caller, &err));
	cr_expect_eq(err.status, SS_UNAVAILABLE);
	cr_expect_eq(again.dones, 0);
}

Test(http_client, heeds_the_proxy_of_the_environment)
{
	struct outcome outcome = {0};
	char proxy[100];
	(void)snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", port);
	(void)setenv("http_proxy", proxy, 1);
	run(&outcome, (struct ss_http_request){.url = "http://model.example/v1"});
	cr_expect_eq(outcome.status, 200);
	cr_expect_eq(strncmp(request_text, "GET http://model.example/v1 ", 28), 0);
	(void)unsetenv("http_proxy");
}
