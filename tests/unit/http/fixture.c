#include "fixture.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "http/json_body.h"
#include "value/json.h"
#include "value/value.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <event2/event.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	BIG = 8 * 1024 * 1024,
	/* Longer than anything takes, even on a machine that is busy and with sanitizers. */
	PATIENCE_S = 120,
};

static void hello(struct http_request *request)
{
	http_reply_text(request, 200, "text/plain; charset=utf-8", (struct ss_text){"hello\n", 6});
}

static void big(struct http_request *request)
{
	char *text = memory_new(BIG);
	memset(text, 'x', BIG);
	http_reply_text(request, 200, "text/plain", (struct ss_text){text, BIG});
	free(text);
}

static void nothing(struct http_request *request)
{
	http_reply_empty(request, 204);
}

static void cached(struct http_request *request)
{
	http_reply_header(request, "Cache-Control", "max-age=60");
	http_reply_header(request, "ETag", "\"1\"");
	http_reply_text(request, 200, "text/plain", (struct ss_text){"", 0});
}

static void thing(struct http_request *request)
{
	struct ss_value *value =
		value_map_make({"id", value_text(http_request_parameter(request, "id"))},
			{"part", value_text(http_request_parameter(request, "part"))},
			{"q", value_text(http_request_query(request, "q"))},
			{"peer", value_text(http_request_peer(request))},
			{"method", value_text(http_request_method(request))});
	http_reply_json(request, 200, value);
	value_unref(value);
}

static void special(struct http_request *request)
{
	http_reply_text(request, 200, "text/plain", (struct ss_text){"special", 7});
}

static void echo(struct http_request *request)
{
	const char *type = http_request_header(request, "Content-Type");
	http_reply_text(
		request, 200, type != NULL ? type : "text/plain", http_request_body(request));
}

static void note_cancelled(void *data)
{
	struct fixture *fixture = data;
	fixture->cancelled++;
}

static void park(struct http_request *request)
{
	struct fixture *fixture = http_request_context(request);
	cr_assert_lt(fixture->parked_count, (size_t)PARKED_LIMIT);
	fixture->parked[fixture->parked_count++] = request;
	http_on_cancel(request, note_cancelled, fixture);
}

static bool is_id(const char *text)
{
	return strncmp(text, "id_", 3) == 0;
}

static bool is_text(const char *text)
{
	return !text_blank(text_of(text));
}

static void query(struct http_request *request)
{
	static const struct json_format formats[] = {
		{"id", is_id, "be an id"}, {"text", is_text, "not be blank"}};
	static const char text[] =
		"{\"type\": \"object\", \"required\": [\"message\"], "
		"\"additionalProperties\": false, \"properties\": {"
		"\"message\": {\"type\": \"string\", \"format\": \"text\", \"minLength\": 1, "
		"\"maxLength\": 10},"
		"\"comment\": {\"type\": \"string\", \"maxLength\": 20},"
		"\"id\": {\"type\": \"string\", \"format\": \"id\"}}}";
	const struct json_schemas schemas = {
		.formats = formats, .format_count = array_length(formats)};
	struct ss_error err;
	struct ss_value *schema = json_parse(text, sizeof text - 1, &err);
	cr_assert_eq(json_schema_check(&schemas, schema, &err), 0, "%s", err.text);
	struct ss_value *body = json_body_read(request, &schemas, schema);
	if (body != NULL)
		http_reply_json(request, 200, body);
	value_unref(body);
	value_unref(schema);
}

static const struct http_route routes[] = {
	{"GET", "/", hello, 0, NULL, NULL},
	{"GET", "/hello", hello, 0, NULL, NULL},
	{"GET", "/big", big, 0, NULL, NULL},
	{"DELETE", "/nothing", nothing, 0, NULL, NULL},
	{"GET", "/cached", cached, 0, NULL, NULL},
	{"GET", "/things/{id}", thing, 0, NULL, NULL},
	{"DELETE", "/things/{id}", thing, 0, NULL, NULL},
	{"GET", "/things/special", special, 0, NULL, NULL},
	{"GET", "/things/{id}/parts/{part}", thing, 0, NULL, NULL},
	{"GET", "/park", park, 0, NULL, NULL},
	{"POST", "/echo", echo, HTTP_BODY_LIMIT, NULL, NULL},
	{"PUT", "/echo", echo, 100, NULL, NULL},
	{"POST", "/query", query, HTTP_BODY_LIMIT, NULL, NULL},
};

int fixture_listener(int *port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	socklen_t length = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, length), 0);
	cr_assert_eq(listen(fd, 1024), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

typedef void call(struct fixture *fixture);

static void on_call(evutil_socket_t fd, short what, void *context)
{
	struct fixture *fixture = context;
	call *function = NULL;
	char done = 1;
	(void)what;
	cr_assert_eq(read(fd, &function, sizeof function), (ssize_t)sizeof function);
	if (function != NULL)
		function(fixture);
	else
		(void)event_base_loopbreak(fixture->base);
	cr_assert_eq(write(fixture->results[1], &done, 1), 1);
}

static void *run(void *context)
{
	struct fixture *fixture = context;
	struct event *calls =
		event_new(fixture->base, fixture->calls[0], EV_READ | EV_PERSIST, on_call, fixture);
	cr_assert_eq(event_add(calls, NULL), 0);
	cr_assert_eq(event_base_dispatch(fixture->base), 0);
	http_server_free(fixture->server);
	event_free(calls);
	event_base_free(fixture->base);
	return NULL;
}

struct fixture *fixture_start(const struct http_options *options)
{
	const struct http_options defaults = http_defaults();
	struct ss_error err = {0};
	struct fixture *fixture = memory_make(struct fixture);
	(void)signal(SIGPIPE, SIG_IGN);
	fixture->listener = fixture_listener(&fixture->port);
	fixture->log_fd = memfd_create("log", MFD_CLOEXEC);
	fixture->log = log_new(fixture->log_fd, SS_LOG_DEBUG, false);
	fixture->base = event_base_new();
	cr_assert_eq(pipe(fixture->calls), 0);
	cr_assert_eq(pipe(fixture->results), 0);
	fixture->server = http_server_new(fixture->base, options != NULL ? options : &defaults,
		routes, array_length(routes), fixture, &fixture->log, &err);
	cr_assert_not_null(fixture->server, "%s", err.text);
	cr_assert_eq(
		http_server_accept(fixture->server, fixture->listener, &err), 0, "%s", err.text);
	cr_assert_eq(pthread_create(&fixture->thread, NULL, run, fixture), 0);
	return fixture;
}

void fixture_call(struct fixture *fixture, void (*function)(struct fixture *fixture))
{
	char done;
	cr_assert_eq(
		write(fixture->calls[1], &function, sizeof function), (ssize_t)sizeof function);
	cr_assert_eq(read(fixture->results[0], &done, 1), 1);
}

void fixture_stop(struct fixture *fixture)
{
	fixture_call(fixture, NULL);
	cr_assert_eq(pthread_join(fixture->thread, NULL), 0);
	(void)close(fixture->listener);
	(void)close(fixture->log_fd);
	for (int i = 0; i < 2; i++) {
		(void)close(fixture->calls[i]);
		(void)close(fixture->results[i]);
	}
	free(fixture);
}

/* A question to the loop and its answer, for one thread at a time. */
static struct {
	bool (*function)(struct fixture *fixture);
	bool result;
	struct http_counts counts;
	size_t parked;
} asked;

static void ask(struct fixture *fixture)
{
	asked.result = asked.function(fixture);
}

void fixture_wait(struct fixture *fixture, bool (*function)(struct fixture *fixture))
{
	int64_t end_ns = clock_monotonic_ns() + (int64_t)PATIENCE_S * 1000000000;
	do {
		asked.function = function;
		fixture_call(fixture, ask);
		cr_assert_lt(clock_monotonic_ns(), end_ns, "it did not come to pass");
	} while (!asked.result);
}

static void count(struct fixture *fixture)
{
	asked.counts = http_server_counts(fixture->server);
}

struct http_counts fixture_counts(struct fixture *fixture)
{
	fixture_call(fixture, count);
	return asked.counts;
}

static bool are_parked(struct fixture *fixture)
{
	return fixture->parked_count == asked.parked;
}

void fixture_wait_parked(struct fixture *fixture, size_t count_wanted)
{
	asked.parked = count_wanted;
	fixture_wait(fixture, are_parked);
}

static bool is_empty(struct fixture *fixture)
{
	return http_server_counts(fixture->server).connections == 0;
}

void fixture_wait_empty(struct fixture *fixture)
{
	fixture_wait(fixture, is_empty);
}

static void release(struct fixture *fixture)
{
	for (size_t i = 0; i < fixture->parked_count; i++)
		hello(fixture->parked[i]);
	fixture->parked_count = 0;
}

void fixture_release(struct fixture *fixture)
{
	fixture_call(fixture, release);
}

/* A drained worker frees its server, so this does as well. */
static void on_drained(void *context)
{
	struct fixture *fixture = context;
	fixture->drained = true;
	http_server_free(fixture->server);
	fixture->server = NULL;
}

static void drain(struct fixture *fixture)
{
	http_server_drain(fixture->server, on_drained, fixture);
}

void fixture_drain(struct fixture *fixture)
{
	fixture_call(fixture, drain);
}

static bool is_drained(struct fixture *fixture)
{
	return fixture->drained;
}

void fixture_wait_drained(struct fixture *fixture)
{
	fixture_wait(fixture, is_drained);
}

char *fixture_log(const struct fixture *fixture)
{
	off_t length = lseek(fixture->log_fd, 0, SEEK_END);
	char *text = memory_new((size_t)length + 1);
	cr_assert_eq(pread(fixture->log_fd, text, (size_t)length, 0), length);
	return text;
}

void fixture_wait_log(const struct fixture *fixture, const char *text)
{
	int64_t end_ns = clock_monotonic_ns() + (int64_t)PATIENCE_S * 1000000000;
	for (bool found = false; !found;) {
		char *log = fixture_log(fixture);
		found = strstr(log, text) != NULL;
		cr_assert(found || clock_monotonic_ns() < end_ns, "%s is not in %s", text, log);
		free(log);
		(void)poll(NULL, 0, 5);
	}
}
