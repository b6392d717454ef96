/*
 * Requests over HTTP to other servers, for plugins: what host.h calls http_start() and what follows. libcurl does
 * the work inside the loop, so no thread waits for anything, and a plugin is called between two rounds of it.
 *
 * Connections are kept and used again, with HTTP/2 where a server offers it over TLS. Certificates are verified
 * against the authorities of the system, or those in the file that SSL_CERT_FILE names. Proxies are those of the
 * usual variables (https_proxy, no_proxy …). No redirect is followed, and no URL has a user's name in it. Loop thread.
 */
#ifndef SERVICE_HTTP_CLIENT_H
#define SERVICE_HTTP_CLIENT_H

#include "base/log.h"

#include <smartsupport/plugin.h>

struct event_base;
struct http_client;

/* Requests that may be under way at once; more are refused with SS_UNAVAILABLE. */
enum { HTTP_CLIENT_CALLS = 1024 };

/* A client on the loop of BASE, which is borrowed for its life. */
struct http_client *http_client_new(struct event_base *base, struct ss_error *err);

/* Ends every call that is under way with an error, and refuses new ones. NULL is allowed. */
void http_client_stop(struct http_client *client);

/* Frees the client, which must have been stopped unless there is no call. NULL is allowed. */
void http_client_free(struct http_client *client);

/* Calls that are under way. */
size_t http_client_calls(const struct http_client *client);

/* As in struct ss_host. LOG is whose call it is, copied; NULL: nobody's. It is entered while the call's functions are called, and
 * the call carries its trace as the headers traceparent and tracestate, unless it has a traceparent of its own. */
struct ss_http_call *http_client_start(struct http_client *client,
	const struct ss_http_request *request, const struct log *log, struct ss_error *err);
void http_client_cancel(struct ss_http_call *call);
const char *http_client_header(const struct ss_http_call *call, const char *name);

#endif
