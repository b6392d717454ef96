/*
 * Who may send a request at all, before anybody looks at what it asks for (config/access.h says whom): where it comes from
 * behind proxies, whether it is addressed to this server, and whether a page in a browser may send it. For the
 * server; loop thread.
 *
 * A page of another site can let a browser send requests to this server, also under a name of that site that leads here
 * (DNS rebinding), and where there are no keys the server would take them for those of who sits there. So a server that listens
 * on loopback answers only under names of this machine and those that it is told, and no server lets a page of
 * another site change anything unless that site is named.
 */
#ifndef HTTP_ACCESS_H
#define HTTP_ACCESS_H

#include <stdbool.h>

struct http_request;

/* Finds out where REQUEST comes from, and tells the browser if its page may see the reply. */
void http_access_begin(struct http_request *request);

/* Whether REQUEST may go on; if not, a problem was replied. */
bool http_access_check(struct http_request *request);

/* Answers a browser that asks whether a page may send a request with one of the methods ALLOW. */
void http_access_reply_preflight(struct http_request *request, const char *allow);

#endif
