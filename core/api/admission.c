#include "api/admission.h"

#include "api/api.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/network.h"
#include "config/access.h"
#include "service/limits.h"

#include <stdlib.h>
#include <string.h>

#define SECOND_NS ((int64_t)1000000000)

enum { ADDRESS_NAME_SIZE = 33 };

/* What a limit is for. */
struct limited {
	const char *kind;
	const char *whose; /* for a sentence */
	const struct config_rate *rate;
};

static int64_t seconds(int64_t ns)
{
	return (ns + SECOND_NS - 1) / SECOND_NS;
}

/* Adds TEXT to the header NAME, which is a list. TEXT is taken. */
static void add_to_header(struct http_request *request, const char *name, char *text)
{
	const char *before = http_reply_header_of(request, name);
	char *all = before != NULL ? memory_format("%s, %s", before, text) : memory_string(text);
	http_reply_header(request, name, all);
	free(all);
	free(text);
}

/* Says how the limit stands, as draft-ietf-httpapi-ratelimit-headers has it. */
static void tell(struct http_request *request, const struct limited *limited,
	const struct limit_state *state)
{
	add_to_header(request, "RateLimit-Policy",
		memory_format("\"%s\";q=%lld;w=%lld", limited->kind,
			(long long)limited->rate->count,
			(long long)seconds(limited->rate->period_ns)));
	add_to_header(request, "RateLimit",
		memory_format("\"%s\";r=%lld;t=%lld", limited->kind, (long long)state->left,
			(long long)seconds(state->left > 0 ? state->reset_ns : state->wait_ns)));
}

static bool admit(struct http_request *request, const struct limited *limited, const char *who)
{
	const struct api *api = http_request_context(request);
	struct limit_state state;
	if (api->limits == NULL || limited->rate->count == 0)
		return true;
	const struct limit_rate rate = {limited->rate->count, limited->rate->period_ns};
	char *name = memory_format("%s %s", limited->kind, who);
	bool admitted = limits_take(api->limits, name, &rate, clock_monotonic_ns(), &state);
	free(name);
	tell(request, limited, &state);
	if (admitted)
		return true;
	char wait[24];
	int64_t wait_s = seconds(state.wait_ns);
	(void)snprintf(wait, sizeof wait, "%lld", (long long)(wait_s > 0 ? wait_s : 1));
	http_reply_header(request, "Retry-After", wait);
	char *detail = memory_format("too many requests %s: %lld in %lld s are allowed; try again "
				     "in %s s",
		limited->whose, (long long)rate.count, (long long)seconds(rate.period_ns), wait);
	http_reply_problem(request, 429, detail, NULL);
	free(detail);
	return false;
}

/* Of IPv6 a network of 64 bits counts as one: that is what one subscriber has. */
static bool name_address(const char *peer, char name[ADDRESS_NAME_SIZE])
{
	struct address address;
	if (address_read(&address, peer) < 0)
		return false;
	size_t first = address_is_old(&address) ? 12 : 0;
	size_t last = address_is_old(&address) ? 16 : 8;
	for (size_t i = first; i < last; i++)
		(void)snprintf(name + 2 * (i - first), 3, "%02x", address.bytes[i]);
	return !address_is_loopback(&address);
}

bool api_admit_address(struct http_request *request)
{
	const struct api *api = http_request_context(request);
	const struct limited limited = {"address", "from this address", &api->access->address_rate};
	char name[ADDRESS_NAME_SIZE];
	return !name_address(http_request_peer(request), name) || admit(request, &limited, name);
}

bool api_admit_key(struct http_request *request, const struct api_caller *caller)
{
	const struct api *api = http_request_context(request);
	const struct limited limited = {"key", "with this API key", &api->access->key_rate};
	return caller->key[0] == '\0' || admit(request, &limited, caller->key);
}

bool api_admit_user(struct http_request *request, const char *stored)
{
	const struct api *api = http_request_context(request);
	const struct limited limited = {"user", "of this user", &api->access->user_rate};
	return api_caller(request)->key[0] == '\0' || admit(request, &limited, stored);
}
