#include "config/access.h"

#include "base/memory.h"
#include "config/options.h"
#include "value/value.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_NS ((int64_t)1000000000)

/* Requests in a time that a limit may allow. */
enum { RATE_MOST = 1000000 };

enum { CORS_ORIGINS, CORS_ROWS };
enum { LIMITS_ADDRESS, LIMITS_KEY, LIMITS_USER, LIMITS_ROWS };
enum { REQUESTS_LEASE, REQUESTS_KEEP, REQUESTS_ROWS };

static const struct ss_option cors_rows[] = {
	[CORS_ORIGINS] = {"origins", SS_OPTION_STRINGS, "[]", 0, 0, NULL,
		"origins of pages in browsers that may use the server"},
	[CORS_ROWS] = {0},
};

static const struct ss_option limits_rows[] = {
	[LIMITS_ADDRESS] = {"address", SS_OPTION_STRING, "600/m", 0, 0, NULL,
		"requests from an address of another machine; off for no limit"},
	[LIMITS_KEY] = {"key", SS_OPTION_STRING, "6000/m", 0, 0, NULL,
		"requests with an API key; off for no limit"},
	[LIMITS_USER] = {"user", SS_OPTION_STRING, "60/m", 0, 0, NULL,
		"questions of a user that come with an API key; off for no limit"},
	[LIMITS_ROWS] = {0},
};

static const struct ss_option requests_rows[] = {
	[REQUESTS_LEASE] = {"lease", SS_OPTION_DURATION, "60s", 0.1, 3600, NULL,
		"how long after a request with an Idempotency-Key came another attempt counts "
		"although it was not answered"},
	[REQUESTS_KEEP] = {"keep", SS_OPTION_DURATION, "24h", 60, 30 * 86400.0, NULL,
		"how long its answer is given again"},
	[REQUESTS_ROWS] = {0},
};

struct reader {
	struct config_access *access;
	const struct yaml_document *document;
	const struct yaml_node *server, *place;
	struct diagnostics *diagnostics;
};

static void read_section(const struct reader *reader, const char *name,
	const struct ss_option *rows, struct ss_value **values)
{
	const struct yaml_node *node = yaml_get(reader->server, name);
	(void)options_read(reader->document, node, node != NULL ? node : reader->place, rows, NULL,
		name, values, reader->diagnostics);
}

/* The item INDEX of the list NODE, to name it in a mistake. */
static const struct yaml_node *item_of(
	const struct reader *reader, const struct yaml_node *node, size_t index)
{
	bool is_item = node != NULL && node->kind == YAML_SEQUENCE && index < node->count;
	return is_item ? node->items[index] : reader->place;
}

/* TEXT in lower case, new. */
static char *lower_case(const char *text)
{
	char *lower = memory_string(text);
	for (char *c = lower; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	return lower;
}

/* Whether TEXT is a host's name or an address, without a port. */
static bool is_host(const char *text)
{
	struct address address;
	if (address_read(&address, text) == 0)
		return true;
	size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-");
	return length > 0 && text[length] == '\0' && text[0] != '.' && text[0] != '-';
}

/* Whether TEXT is as browsers send an origin: scheme, host, and a port that is not the scheme's own. */
static bool is_origin(const char *text)
{
	const char *host = strstr(text, "://");
	if (host == NULL || (strncmp(text, "https:", 6) != 0 && strncmp(text, "http:", 5) != 0))
		return false;
	host += 3;
	size_t length = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
	if (length > strlen(host))
		return false;
	char *name = memory_text(host, length);
	const char *port = host + length;
	bool sound = is_host(name);
	free(name);
	if (port[0] == '\0')
		return sound;
	size_t digits = strspn(port + 1, "0123456789");
	return sound && port[0] == ':' && digits > 0 && digits <= 5 && port[1 + digits] == '\0';
}

static void read_origins(const struct reader *reader)
{
	struct config_access *access = reader->access;
	struct ss_value *values[CORS_ROWS] = {0};
	const struct yaml_node *list = yaml_get(yaml_get(reader->server, "cors"), "origins");
	read_section(reader, "cors", cors_rows, values);
	size_t count = value_count(values[CORS_ORIGINS]);
	access->origins = memory_array(count, sizeof *access->origins);
	for (size_t i = 0; i < count; i++) {
		const char *origin = value_as_string(value_at(values[CORS_ORIGINS], i), NULL);
		char *lower = lower_case(origin);
		access->origins[access->origin_count++] = lower;
		if (!is_origin(lower))
			yaml_mistake(reader->document, item_of(reader, list, i),
				reader->diagnostics,
				"\"%s\" is no origin as browsers send it; write scheme, host and, "
				"if it is not the scheme's own, the port, as in "
				"https://www.example.com",
				origin);
	}
	options_free(values, CORS_ROWS);
}

static void read_hosts(const struct reader *reader, const struct ss_value *hosts)
{
	struct config_access *access = reader->access;
	size_t count = value_count(hosts);
	access->hosts = memory_array(count, sizeof *access->hosts);
	for (size_t i = 0; i < count; i++) {
		const char *host = value_as_string(value_at(hosts, i), NULL);
		char *lower = lower_case(host);
		access->hosts[access->host_count++] = lower;
		if (!is_host(lower))
			yaml_mistake(reader->document,
				item_of(reader, yaml_get(reader->server, "hosts"), i),
				reader->diagnostics,
				"\"%s\" is no name of a host; write it without scheme and port, as "
				"in support.example.com",
				host);
	}
}

static void read_proxies(const struct reader *reader, const struct ss_value *proxies)
{
	struct config_access *access = reader->access;
	size_t count = value_count(proxies);
	access->proxies = memory_array(count, sizeof *access->proxies);
	for (size_t i = 0; i < count; i++) {
		const char *text = value_as_string(value_at(proxies, i), NULL);
		struct network *network = &access->proxies[access->proxy_count];
		if (network_read(network, text) == 0)
			access->proxy_count++;
		else
			yaml_mistake(reader->document,
				item_of(reader, yaml_get(reader->server, "trusted_proxies"), i),
				reader->diagnostics,
				"\"%s\" is neither an address nor a network; write it as in "
				"127.0.0.1 or 10.0.0.0/8",
				text);
	}
}

/* Reads 600/m. -1 when TEXT is no rate. */
static int read_rate(struct config_rate *rate, const char *text)
{
	static const struct {
		char letter;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	char *end = NULL;
	*rate = (struct config_rate){0};
	if (strcmp(text, "off") == 0)
		return 0;
	if (text[0] < '1' || text[0] > '9')
		return -1;
	long long count = strtoll(text, &end, 10);
	if (count > RATE_MOST || end[0] != '/' || end[1] == '\0' || end[2] != '\0')
		return -1;
	for (size_t i = 0; i < array_length(units); i++) {
		if (units[i].letter == end[1])
			*rate = (struct config_rate){count, units[i].seconds * SECOND_NS};
	}
	return rate->count > 0 ? 0 : -1;
}

static void read_limits(const struct reader *reader)
{
	struct config_access *access = reader->access;
	struct ss_value *values[LIMITS_ROWS] = {0};
	struct config_rate *const rates[LIMITS_ROWS] = {[LIMITS_ADDRESS] = &access->address_rate,
		[LIMITS_KEY] = &access->key_rate,
		[LIMITS_USER] = &access->user_rate};
	const struct yaml_node *node = yaml_get(reader->server, "limits");
	read_section(reader, "limits", limits_rows, values);
	for (size_t i = 0; i < LIMITS_ROWS; i++) {
		if (values[i] == NULL || read_rate(rates[i], value_as_string(values[i], NULL)) == 0)
			continue;
		const struct yaml_node *given = yaml_get(node, limits_rows[i].name);
		yaml_mistake(reader->document, given != NULL ? given : reader->place,
			reader->diagnostics,
			"%s must be a number from 1 to %d and s, m, h or d, as in 600/m, or off; "
			"not \"%s\"",
			limits_rows[i].name, RATE_MOST, value_as_string(values[i], NULL));
	}
	options_free(values, LIMITS_ROWS);
}

static void read_requests(const struct reader *reader)
{
	struct config_access *access = reader->access;
	struct ss_value *values[REQUESTS_ROWS] = {0};
	read_section(reader, "idempotency", requests_rows, values);
	access->request_lease_ns = (int64_t)(value_as_number(values[REQUESTS_LEASE]) * 1e9);
	access->request_keep_ns = (int64_t)(value_as_number(values[REQUESTS_KEEP]) * 1e9);
	options_free(values, REQUESTS_ROWS);
}

void config_access_read(struct config_access *access, const struct yaml_document *document,
	const struct yaml_node *server, const struct yaml_node *place,
	const struct config_access_lists *lists, struct diagnostics *diagnostics)
{
	bool is_mapping = server != NULL && server->kind == YAML_MAPPING;
	const struct reader reader = {
		access, document, is_mapping ? server : NULL, place, diagnostics};
	read_hosts(&reader, lists->hosts);
	read_proxies(&reader, lists->proxies);
	read_origins(&reader);
	read_limits(&reader);
	read_requests(&reader);
}

static void free_texts(char **texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(texts[i]);
	free(texts);
}

void config_access_free(struct config_access *access)
{
	free_texts(access->hosts, access->host_count);
	free_texts(access->origins, access->origin_count);
	free(access->proxies);
}
