#include "lib/model.h"

#include "base/clock.h"
#include "base/memory.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHUNK(delta, finish)                                                                       \
	"data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":0,"     \
	"\"model\":\"scripted\",\"choices\":[{\"index\":0,\"delta\":" delta                        \
	",\"finish_reason\":" finish "}]}\n\n"

struct server {
	struct event_base *base;
	const struct model_options *options;
};

/* An answer that is being streamed. */
struct answer {
	const struct server *server;
	struct evhttp_request *request;
	struct event *timer;
	int left;
};

static void send_text(struct evhttp_request *request, const char *text)
{
	struct evbuffer *part = evbuffer_new();
	if (part == NULL || evbuffer_add(part, text, strlen(text)) < 0)
		abort(); /* only for want of memory */
	evhttp_send_reply_chunk(request, part);
	evbuffer_free(part);
}

static void arm(const struct answer *answer, int ms)
{
	const struct timeval after = {
		.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};
	(void)evtimer_add(answer->timer, &after);
}

static void answer_free(struct answer *answer)
{
	event_free(answer->timer);
	free(answer);
}

static void on_token(evutil_socket_t fd, short what, void *context)
{
	struct answer *answer = context;
	char token[300];
	(void)fd;
	(void)what;
	if (answer->left == 0) {
		struct evhttp_connection *connection =
			evhttp_request_get_connection(answer->request);
		evhttp_connection_set_closecb(connection, NULL, NULL);
		send_text(answer->request, CHUNK("{}", "\"stop\"") "data: [DONE]\n\n");
		evhttp_send_reply_end(answer->request);
		answer_free(answer);
		return;
	}
	answer->left--;
	(void)snprintf(token, sizeof token, CHUNK("{\"content\":\"%0*lld \"}", "null"),
		MODEL_DIGITS, (long long)clock_monotonic_ns());
	send_text(answer->request, token);
	arm(answer, answer->server->options->pause_ms);
}

static void on_closed(struct evhttp_connection *connection, void *context)
{
	(void)connection;
	answer_free(context);
}

static void on_request(struct evhttp_request *request, void *context)
{
	const int on = 1;
	const struct server *server = context;
	struct answer *answer = memory_make(struct answer);
	struct evhttp_connection *connection = evhttp_request_get_connection(request);
	answer->server = server;
	answer->request = request;
	answer->left = server->options->tokens;
	answer->timer = evtimer_new(server->base, on_token, answer);
	if (answer->timer == NULL)
		abort(); /* only for want of memory */
	(void)setsockopt(bufferevent_getfd(evhttp_connection_get_bufferevent(connection)),
		IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	evhttp_connection_set_closecb(connection, on_closed, answer);
	(void)evhttp_add_header(
		evhttp_request_get_output_headers(request), "Content-Type", "text/event-stream");
	evhttp_send_reply_start(request, 200, "OK");
	arm(answer, server->options->first_ms);
}

static _Noreturn void be_model(int listener, const struct model_options *options)
{
	struct server server = {.base = event_base_new(), .options = options};
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGPIPE, SIG_IGN);
	struct evhttp *http = evhttp_new(server.base);
	if (http == NULL || evhttp_accept_socket(http, listener) < 0)
		_exit(1);
	evhttp_set_gencb(http, on_request, &server);
	(void)event_base_dispatch(server.base);
	_exit(0);
}

int model_start(struct model *model, const struct model_options *options, struct ss_error *err)
{
	socklen_t length = sizeof model->address;
	*model = (struct model){
		.address = {.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&model->address, length) < 0 ||
		listen(fd, 1024) < 0 ||
		getsockname(fd, (struct sockaddr *)&model->address, &length) < 0 ||
		(model->pid = fork()) < 0)
		return ss_fail(err, "the model cannot start: %s", strerror(errno));
	if (model->pid == 0)
		be_model(fd, options);
	(void)close(fd);
	return 0;
}

void model_stop(struct model *model)
{
	if (model->pid <= 0)
		return;
	(void)kill(model->pid, SIGKILL);
	(void)waitpid(model->pid, NULL, 0);
	model->pid = 0;
}
