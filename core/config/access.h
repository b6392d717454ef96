/* Who may reach the server, and how much of it: parts of the section `server` of a configuration. Read with the rest
 * (config.h). */
#ifndef CONFIG_ACCESS_H
#define CONFIG_ACCESS_H

#include "base/network.h"
#include "config/yaml.h"

#include <smartsupport/value.h>

/* So many requests in such a time. */
struct config_rate {
	int64_t count; /* 0: no limit */
	int64_t period_ns;
};

struct config_access {
	bool open_to_everybody; /* also who is not on this machine needs no key as long as there is none */
	char **hosts; /* names in lower case under which the server is reached, apart from this machine's own */
	size_t host_count;
	char **origins; /* of pages that may use the server, as browsers send them */
	size_t origin_count;
	struct network *proxies; /* whose word counts for where a request comes from */
	size_t proxy_count;
	struct config_rate address_rate, key_rate, user_rate;
	/* Of requests with an Idempotency-Key: how long the server that answers one may be silent before another attempt
	 * counts, and for how long the answer is kept. */
	int64_t request_lease_ns, request_keep_ns;
};

/* Lists of strings in `server` itself. NULL: none were read. */
struct config_access_lists {
	const struct ss_value *hosts, *proxies;
};

/* Reads what SERVER (NULL: there is none), which is PLACE, and LISTS say. Mistakes go to DIAGNOSTICS. */
void config_access_read(struct config_access *access, const struct yaml_document *document,
	const struct yaml_node *server, const struct yaml_node *place,
	const struct config_access_lists *lists, struct diagnostics *diagnostics);

void config_access_free(struct config_access *access);

#endif
