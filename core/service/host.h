/*
 * The host's side of the plugin contract: the table of functions that an instance gets. Here is what
 * every kind of plugin may call; the engine adds what only agents may.
 */
#ifndef SERVICE_HOST_H
#define SERVICE_HOST_H

#include "base/log.h"

#include <smartsupport/plugin.h>

struct http_client;

struct host {
	struct ss_host table;
	const char *name; /* of the instance, for its log lines; borrowed */
	const struct log *log;
	struct http_client *http; /* NULL: requests are refused */
};

/* Makes HOST the host of the instance NAME, which sends its requests with HTTP (NULL: they are refused). All are
 * borrowed for its life. */
void host_init(
	struct host *host, const char *name, const struct log *log, struct http_client *http);

#endif
