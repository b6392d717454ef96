#include "http/access.h"

#include "base/memory.h"
#include "base/network.h"
#include "config/access.h"
#include "http/private.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Hops that are looked at; what is further away is not. */
enum { HOPS = 32 };

/* What pages may send and see beyond what all pages may. */
static const char request_headers[] = "Authorization, Content-Type, Idempotency-Key, If-Match, "
				      "If-None-Match, Last-Event-ID, X-Request-ID, traceparent, "
				      "tracestate";
static const char reply_headers[] =
	"Content-Disposition, ETag, Idempotency-Replayed, Location, RateLimit, "
	"RateLimit-Policy, Retry-After, X-Request-ID";

static const struct config_access *access_of(const struct http_request *request)
{
	return request->server->options.access;
}

static bool is_proxy(const struct config_access *access, const struct address *address)
{
	for (size_t i = 0; i < access->proxy_count; i++) {
		if (network_has(&access->proxies[i], address))
			return true;
	}
	return false;
}

/* Proxies. */

/* The last text before *END in the list TEXT, without blanks; *END moves to the comma before it, or becomes 0. */
static bool last_item(const char *text, size_t *end, char item[INET6_ADDRSTRLEN + 8])
{
	size_t stop = *end;
	size_t start = stop;
	while (start > 0 && text[start - 1] != ',')
		start--;
	*end = start > 0 ? start - 1 : 0;
	while (start < stop && (text[start] == ' ' || text[start] == '\t'))
		start++;
	while (stop > start && (text[stop - 1] == ' ' || text[stop - 1] == '\t'))
		stop--;
	if (stop - start >= INET6_ADDRSTRLEN + 8)
		return false;
	memcpy(item, text + start, stop - start);
	item[stop - start] = '\0';
	return true;
}

/* Goes back from the connection's other end over the proxies that are trusted; what a client writes itself stands before what
 * these wrote. */
static void follow_proxies(struct http_request *request, struct address *address)
{
	const struct config_access *access = access_of(request);
	char *hops = http_request_header_list(request, "X-Forwarded-For");
	size_t end = hops != NULL ? strlen(hops) : 0;
	for (size_t i = 0; i < HOPS && end > 0 && is_proxy(access, address); i++) {
		char item[INET6_ADDRSTRLEN + 8];
		struct address before;
		if (!last_item(hops, &end, item) || address_read(&before, item) < 0)
			break;
		*address = before;
		(void)snprintf(request->peer, sizeof request->peer, "%s", item);
	}
	free(hops);
}

static void find_peer(struct http_request *request)
{
	struct address address;
	if (address_read(&address, request->peer) < 0 || !is_proxy(access_of(request), &address))
		return;
	char *scheme = http_request_header_list(request, "X-Forwarded-Proto");
	request->is_secure = scheme != NULL && strcasecmp(scheme, "https") == 0;
	free(scheme);
	follow_proxies(request, &address);
}

/* Names. */

/* The host of REQUEST in lower case and without its port, new; NULL when it names none. */
static char *host_of(const struct http_request *request)
{
	const char *given = http_request_header(request, "Host");
	if (given == NULL || given[0] == '\0')
		return NULL;
	size_t length = given[0] == '[' ? strcspn(given, "]") + 1 : strcspn(given, ": \t");
	if (length > strlen(given))
		length = strlen(given);
	char *host = memory_text(given, length);
	for (char *c = host; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	return host;
}

static bool is_known_host(const struct config_access *access, const char *host)
{
	struct address address;
	if (strcmp(host, "localhost") == 0)
		return true;
	if (address_read(&address, host) == 0 && address_is_loopback(&address))
		return true;
	for (size_t i = 0; i < access->host_count; i++) {
		if (strcmp(access->hosts[i], host) == 0)
			return true;
	}
	return false;
}

static bool check_host(struct http_request *request)
{
	const struct config_access *access = access_of(request);
	if (!request->server->options.is_local && access->host_count == 0)
		return true;
	char *host = host_of(request);
	/* HTTP/1.0 needs none, and browsers do not speak it. */
	bool known = host == NULL || is_known_host(access, host);
	free(host);
	if (!known)
		http_reply_problem(request, 421,
			"this server is not reached under that name; use localhost, or add the "
			"name to hosts under server in the configuration",
			NULL);
	return known;
}

/* Pages. */

static bool is_named(const struct config_access *access, const char *origin)
{
	for (size_t i = 0; i < access->origin_count; i++) {
		if (strcmp(access->origins[i], origin) == 0)
			return true;
	}
	return false;
}

/* Whether ORIGIN is that of the server's own pages. */
static bool is_own(const struct http_request *request, const char *origin)
{
	const char *site = http_request_header(request, "Sec-Fetch-Site");
	const char *host = http_request_header(request, "Host");
	if (site != NULL)
		return strcmp(site, "same-origin") == 0;
	const char *named = strstr(origin, "://");
	if (request->is_secure && strncmp(origin, "https:", 6) != 0)
		return false;
	return named != NULL && host != NULL && strcasecmp(named + 3, host) == 0;
}

static bool check_origin(struct http_request *request)
{
	const char *origin = http_request_header(request, "Origin");
	enum evhttp_cmd_type method = evhttp_request_get_command(request->evhttp);
	bool reads = method == EVHTTP_REQ_GET || method == EVHTTP_REQ_HEAD ||
		     method == EVHTTP_REQ_OPTIONS;
	if (origin == NULL || reads || is_named(access_of(request), origin) ||
		is_own(request, origin))
		return true;
	http_reply_problem(request, 403,
		"pages of this origin may not use the server; add it to cors.origins under server "
		"in the configuration",
		NULL);
	return false;
}

/* Browsers that came over TLS come over TLS from then on. Not to this machine itself, where other servers have the same name, nor
 * to an address, which they would pass over. */
static void demand_tls(struct http_request *request)
{
	struct address address;
	char *host = host_of(request);
	bool is_secure = request->is_secure || request->server->options.tls != NULL;
	if (is_secure && host != NULL && strcmp(host, "localhost") != 0 && host[0] != '[' &&
		address_read(&address, host) < 0)
		http_reply_header(request, "Strict-Transport-Security", "max-age=31536000");
	free(host);
}

void http_access_begin(struct http_request *request)
{
	const struct config_access *access = access_of(request);
	if (access == NULL)
		return;
	find_peer(request);
	demand_tls(request);
	if (access->origin_count == 0)
		return;
	const char *origin = http_request_header(request, "Origin");
	http_reply_vary(request, "Origin");
	if (origin == NULL || !is_named(access, origin))
		return;
	http_reply_header(request, "Access-Control-Allow-Origin", origin);
	http_reply_header(request, "Access-Control-Expose-Headers", reply_headers);
}

bool http_access_check(struct http_request *request)
{
	return access_of(request) == NULL || (check_host(request) && check_origin(request));
}

void http_access_reply_preflight(struct http_request *request, const char *allow)
{
	const struct config_access *access = access_of(request);
	const char *origin = http_request_header(request, "Origin");
	if (access != NULL && origin != NULL && is_named(access, origin) &&
		http_request_header(request, "Access-Control-Request-Method") != NULL) {
		http_reply_header(request, "Access-Control-Allow-Methods", allow);
		http_reply_header(request, "Access-Control-Allow-Headers", request_headers);
		http_reply_header(request, "Access-Control-Max-Age", "600");
	}
	http_reply_empty(request, 204);
}
