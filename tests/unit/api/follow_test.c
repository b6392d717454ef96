#include "api/follow.h"

#include "unit/service/loop.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include "http/server.h"
#include "service/event_feed.h"
#include "value/value.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* What the stream is of. Read and written by a thread of the store, and by the test when none is at work. */
static struct source {
	int64_t stored; /* numbers up to this one */
	enum ss_status fails;
} source;

static int list_events(void *instance, const struct ss_event_filter *filter, struct ss_value **page,
	struct ss_error *err)
{
	(void)instance;
	(void)filter;
	(void)err;
	*page = value_map_make({"items", value_list(NULL, 0)}, {"next", value_text("1")});
	return 0;
}

static const struct ss_storage_operations operations = {.list_events = list_events};

static size_t reads, frees, ends;

/* The state is the last number that was told. */
static int read_next(const struct ss_storage_operations *storage, void *instance, void *state,
	struct ss_value **found, struct ss_error *err)
{
	const int64_t *told = state;
	(void)storage;
	(void)instance;
	__atomic_add_fetch(&reads, 1, __ATOMIC_SEQ_CST);
	if (source.fails != SS_OK)
		return ss_fail_as(err, source.fails, "it is away");
	*found = value_int(*told < source.stored ? *told + 1 : 0);
	return 0;
}

static bool tell_next(void *state, struct events *events, const struct ss_value *found)
{
	int64_t *told = state;
	if (value_as_int(found) == 0)
		return false;
	*told = value_as_int(found);
	events_send_value(events, "number", found);
	return true;
}

static void free_state(void *state)
{
	free(state);
	frees++;
}

static void tell_gone(void *state, struct events *events)
{
	(void)state;
	events_send(events, "gone", text_of("{}"));
}

static const struct follow_kind kinds[] = {
	{read_next, tell_next, free_state, tell_gone},
	{read_next, tell_next, free_state, NULL},
};

static void handle_lasting(struct http_request *request)
{
	follow(request, &kinds[1], memory_make(int64_t), NULL);
}

static void handle(struct http_request *request)
{
	follow(request, &kinds[0], memory_make(int64_t), "conv");
}

static const struct http_route routes[] = {
	{.method = "GET", .path = "/goes", .handle = handle},
	{.method = "GET", .path = "/lasts", .handle = handle_lasting},
};

static struct event_base *base;
static struct http_server *server;
static struct api api;
static struct log quiet;
static struct bufferevent *client;
static struct buffer received;
static struct sockaddr_in address;

static void on_received(struct bufferevent *connection, void *context)
{
	char part[4096];
	size_t length;
	(void)context;
	while ((length = bufferevent_read(connection, part, sizeof part)) > 0)
		buffer_add(&received, part, length);
}

static void on_event(struct bufferevent *connection, short what, void *context)
{
	(void)connection;
	(void)context;
	ends += (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0;
}

static void set_up(void)
{
	struct ss_error err = {0};
	const struct http_options options = http_defaults();
	socklen_t length = sizeof address;
	address = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	quiet = log_new(-1, SS_LOG_ERROR, false);
	base = event_base_new();
	struct store *store = store_new(base, &operations, (void *[]){&source}, 1, 16, &err);
	api = (struct api){.base = base,
		.store = store,
		.feed = event_feed_new(base, store, &quiet),
		.heartbeat_ns = (int64_t)3600 * 1000000000};
	server = http_server_new(base, &options, routes, array_length(routes), &api, &quiet, &err);
	cr_assert_not_null(server, "%s", err.text);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	cr_assert_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
	cr_assert_eq(getsockname(listener, (struct sockaddr *)&address, &length), 0);
	cr_assert_eq(listen(listener, 8), 0);
	cr_assert_eq(http_server_accept(server, listener, &err), 0, "%s", err.text);
}

static void tear_down(void)
{
	bufferevent_free(client);
	event_feed_stop(api.feed);
	store_free(api.store);
	event_feed_free(api.feed);
	http_server_free(server);
	event_base_free(base);
	buffer_free(&received);
}

TestSuite(follow, .init = set_up, .fini = tear_down, .timeout = 60);

static void ask(const char *method, const char *path)
{
	char text[200];
	client = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(client, on_received, NULL, on_event, NULL);
	(void)bufferevent_enable(client, EV_READ | EV_WRITE);
	(void)snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: x\r\n\r\n", method, path);
	cr_assert_eq(
		bufferevent_socket_connect(client, (struct sockaddr *)&address, sizeof address), 0);
	cr_assert_eq(bufferevent_write(client, text, strlen(text)), 0);
}

/* Turns the loop until TEXT has come. */
static void await(const char *text)
{
	while (strstr(buffer_text(&received), text) == NULL)
		(void)event_base_loop(base, EVLOOP_ONCE); /* the suite's time limit ends it */
}

/* What it follows is freed once, perhaps after the client has all that it gets. */
static void await_end(void)
{
	while (frees == 0)
		(void)event_base_loop(base, EVLOOP_ONCE);
	cr_expect_eq(frees, 1);
}

Test(follow, tells_what_there_is_and_what_comes)
{
	source.stored = 2;
	ask("GET", "/goes");
	await("event: number\ndata: 2\n");
	cr_expect_not_null(strstr(buffer_text(&received), "HTTP/1.1 200 OK"));
	cr_expect_not_null(strstr(buffer_text(&received), "retry: "));
	source.stored = 3;
	event_feed_tell(api.feed, "other");
	event_feed_tell(api.feed, "conv");
	await("data: 3\n");
	event_feed_stop(api.feed);
	await("0\r\n\r\n");
	await_end();
}

Test(follow, replies_with_a_problem_when_the_first_reading_fails)
{
	source.fails = SS_NOT_FOUND;
	ask("GET", "/goes");
	await("it is away");
	cr_expect_not_null(strstr(buffer_text(&received), "HTTP/1.1 404 "));
	cr_expect_null(strstr(buffer_text(&received), "gone"));
	await_end();
}

Test(follow, tells_that_what_it_follows_is_gone)
{
	source.stored = 1;
	ask("GET", "/goes");
	await("data: 1\n");
	while (__atomic_load_n(&reads, __ATOMIC_SEQ_CST) < 2)
		(void)event_base_loop(base, EVLOOP_ONCE);
	source.fails = SS_NOT_FOUND;
	event_feed_tell(api.feed, "conv");
	await("event: gone\n");
	await("0\r\n\r\n");
	await_end();
}

Test(follow, looks_with_each_heartbeat_whether_it_is_gone)
{
	source.stored = 1;
	api.heartbeat_ns = 10000000;
	source.fails = SS_OK;
	ask("GET", "/goes");
	await("data: 1\n");
	source.stored = 2;
	await("data: 2\n");
}

Test(follow, ends_without_a_word_when_a_later_reading_fails)
{
	source.stored = 1;
	ask("GET", "/lasts");
	await("data: 1\n");
	source.fails = SS_NOT_FOUND;
	event_feed_tell(api.feed, NULL);
	await("0\r\n\r\n");
	cr_expect_null(strstr(buffer_text(&received), "gone"));
	await_end();
}

Test(follow, stops_when_its_client_leaves)
{
	source.stored = 1;
	ask("GET", "/goes");
	await("data: 1\n");
	bufferevent_free(client);
	client = bufferevent_socket_new(base, -1, 0);
	event_feed_tell(api.feed, "conv");
}

Test(follow, has_headers_alone_for_HEAD)
{
	ask("HEAD", "/goes");
	await("\r\n\r\n");
	cr_expect_not_null(strstr(buffer_text(&received), "Content-Type: text/event-stream"));
	await_end();
	cr_expect_eq(reads, 0);
}
