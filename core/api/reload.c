/* GET and POST /api/v1/reload: which generation of the configuration serves, and taking over a changed one. */
#include "api/api.h"
#include "base/clock.h"
#include "base/memory.h"
#include "service/generations.h"
#include "value/value.h"

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>

/* A request that waits for the end of a reload. */
struct reload {
	struct http_request *request;
	int64_t target; /* of generation_state.finished */
	int64_t give_up_ns;
	struct event *timer;
};

static const struct timeval between_looks = {.tv_usec = 20000};

static void reply_state(
	struct http_request *request, int status, const struct generation_state *state)
{
	struct ss_value *body = generation_value(state);
	http_reply_json(request, status, body);
	value_unref(body);
}

void api_reload_state(struct http_request *request)
{
	const struct api *api = http_request_context(request);
	struct generation_state state;
	generations_read(api->generations, &state);
	reply_state(request, 200, &state);
}

static void reload_free(struct reload *reload)
{
	event_free(reload->timer);
	free(reload);
}

static void look(evutil_socket_t fd, short what, void *context)
{
	struct reload *reload = context;
	const struct api *api = http_request_context(reload->request);
	struct generation_state state;
	(void)fd;
	(void)what;
	generations_read(api->generations, &state);
	bool ended = state.finished >= reload->target;
	if (!ended && !api->hurried && clock_monotonic_ns() < reload->give_up_ns) {
		(void)evtimer_add(reload->timer, &between_looks);
		return;
	}
	if (!ended)
		reply_state(reload->request, 202, &state);
	else if (state.reload == RELOAD_REFUSED)
		http_reply_problem(reload->request, 409,
			"the configuration was not taken over, the old one still serves",
			generation_errors(&state));
	else
		reply_state(reload->request, 200, &state);
	reload_free(reload);
}

void api_reload(struct http_request *request)
{
	enum { PATIENCE_S = 120 };
	const struct api *api = http_request_context(request);
	struct generation_state state;
	generations_read(api->generations, &state);
	struct reload *reload = memory_make(struct reload);
	*reload = (struct reload){.request = request,
		.target = generations_next(api->generations),
		.give_up_ns = clock_monotonic_ns() + (int64_t)PATIENCE_S * 1000000000,
		.timer = evtimer_new(api->base, look, reload)};
	if (reload->timer == NULL)
		abort(); /* only for want of memory */
	(void)kill(state.master, SIGHUP);
	(void)evtimer_add(reload->timer, &between_looks);
}
