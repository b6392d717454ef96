#include "common/openai_endpoint.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* custom is the last one: what is none of the others. vLLM's own port is also this server's, which would ask
 * itself. */
static const struct openai_provider providers[] = {
	{"groq", "https://api.groq.com/openai/v1", "llama-3.3-70b-versatile", NULL, "GROQ_API_KEY",
		"max_tokens", false},
	{"openai", "https://api.openai.com/v1", "gpt-4o-mini", "text-embedding-3-small",
		"OPENAI_API_KEY", "max_completion_tokens", true},
	{"ollama", "http://127.0.0.1:11434/v1", "llama3.2", "all-minilm", NULL, "max_tokens", true},
	{"vllm", NULL, NULL, NULL, NULL, "max_tokens", true},
	{"llamacpp", "http://127.0.0.1:8080/v1", "default", "default", NULL, "max_tokens", true},
	{"custom", NULL, NULL, NULL, NULL, "max_tokens", false},
};

enum { PROVIDERS = sizeof providers / sizeof providers[0] };

/* What the options ask for; "" where nothing is given. */
struct wish {
	const char *provider, *base_url, *model, *api_key;
	const struct ss_value *headers;
	bool embeds;
};

/* What the endpoint is made of. */
struct choice {
	const struct openai_provider *provider;
	const char *base_url, *model, *key;
};

static const char *variable(const char *name)
{
	const char *value = name != NULL ? getenv(name) : NULL;
	return value != NULL ? value : "";
}

static const char *first_of(const char *a, const char *b)
{
	return a != NULL && a[0] != '\0' ? a : b != NULL ? b : "";
}

static const struct openai_provider *provider_named(const char *name)
{
	for (size_t i = 0; i < PROVIDERS; i++) {
		if (strcmp(providers[i].name, name) == 0)
			return &providers[i];
	}
	return &providers[PROVIDERS - 1];
}

/* Where the host of URL begins, and its length with the port. */
static const char *host_in(const char *url, size_t *length)
{
	const char *host = strstr(url, "://");
	host = host != NULL ? host + 3 : url;
	*length = strcspn(host, "/?#");
	return host;
}

/* Cuts the name of this machine off the front of HOST, of which LENGTH bytes are left then. */
static const char *without_loopback(const char *host, size_t *length)
{
	static const char *const names[] = {"127.0.0.1:", "localhost:", "[::1]:"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		size_t name = strlen(names[i]) - 1;
		if (*length <= name || strncasecmp(host, names[i], name + 1) != 0)
			continue;
		*length -= name;
		return host + name;
	}
	return host;
}

/* Whose URL this is by its host. */
static const struct openai_provider *provider_at(const char *url)
{
	size_t length, other;
	const char *host = host_in(url, &length);
	host = without_loopback(host, &length);
	for (size_t i = 0; i < PROVIDERS; i++) {
		if (providers[i].base_url == NULL)
			continue;
		const char *known = host_in(providers[i].base_url, &other);
		known = without_loopback(known, &other);
		if (length == other && strncasecmp(host, known, length) == 0)
			return &providers[i];
	}
	return &providers[PROVIDERS - 1];
}

/* By the environment: LLM_BASE_URL before GROQ_API_KEY before OPENAI_API_KEY. */
static bool choose_by_environment(struct choice *choice)
{
	const char *url = variable("LLM_BASE_URL");
	if (url[0] != '\0') {
		choice->provider = provider_at(url);
		choice->base_url = url;
		choice->key = first_of(variable("LLM_API_KEY"),
			first_of(variable(choice->provider->key),
				first_of(variable("OPENAI_API_KEY"), variable("GROQ_API_KEY"))));
	} else if (variable("GROQ_API_KEY")[0] != '\0') {
		choice->provider = provider_named("groq");
	} else if (variable("OPENAI_API_KEY")[0] != '\0') {
		choice->provider = provider_named("openai");
	} else {
		return false;
	}
	choice->model = variable("LLM_MODEL");
	return true;
}

/* An URL says by itself whose it is. */
static bool choose(struct choice *choice, const struct wish *wish)
{
	*choice = (struct choice){.base_url = "", .model = "", .key = ""};
	if (strcmp(wish->provider, "auto") != 0)
		choice->provider = provider_named(wish->provider);
	else if (wish->base_url[0] != '\0')
		choice->provider = provider_at(wish->base_url);
	else if (!choose_by_environment(choice))
		return false;
	choice->base_url =
		first_of(wish->base_url, first_of(choice->base_url, choice->provider->base_url));
	choice->model = first_of(wish->model,
		first_of(choice->model,
			wish->embeds ? choice->provider->embedder : choice->provider->model));
	choice->key = first_of(wish->api_key,
		first_of(choice->key,
			first_of(variable(choice->provider->key),
				choice->provider->key == NULL ? variable("LLM_API_KEY") : "")));
	return true;
}

static bool begins(const char *url, const char *scheme)
{
	return strncasecmp(url, scheme, strlen(scheme)) == 0;
}

/* What would otherwise fail with each question. What may be a password is not shown. */
static int check_url(const char *url, struct ss_error *err)
{
	size_t length;
	if (strpbrk(url, "?#@ \t\r\n") != NULL)
		return ss_fail_as(err, SS_INVALID,
			"the base URL has a user's name, a query, a fragment or a blank in it; a "
			"key belongs in api_key");
	if (!begins(url, "http://") && !begins(url, "https://"))
		return ss_fail_as(err, SS_INVALID,
			"the base URL \"%.200s\" does not begin with http:// or https://", url);
	(void)host_in(url, &length);
	CURLU *parsed = curl_url();
	CURLUcode code = length > 0 ? curl_url_set(parsed, CURLUPART_URL, url, 0) : CURLUE_NO_HOST;
	curl_url_cleanup(parsed);
	if (code != CURLUE_OK)
		return ss_fail_as(err, SS_INVALID, "the base URL \"%.200s\" cannot be used: %s",
			url, curl_url_strerror(code));
	return 0;
}

static int check(const struct choice *choice, struct ss_error *err)
{
	const struct openai_provider *provider = choice->provider;
	const char *url = choice->base_url;
	if (url[0] == '\0')
		return ss_fail_as(err, SS_INVALID,
			"%s needs a base_url, as in http://127.0.0.1:9000/v1", provider->name);
	if (check_url(url, err) < 0)
		return -1;
	if (choice->model[0] == '\0')
		return ss_fail_as(err, SS_INVALID,
			"%.200s has no default model; name one with the option model or LLM_MODEL",
			url);
	if (choice->key[0] == '\0' && provider->key != NULL && provider_at(url) == provider)
		return ss_fail_as(err, SS_INVALID, "%s needs a key: set %s, or the option api_key",
			provider->name, provider->key);
	for (const char *c = choice->key; *c != '\0'; c++) {
		if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f)
			return ss_fail_as(err, SS_INVALID,
				"the key for %.200s has a blank or another character that no key "
				"has",
				url);
	}
	return 0;
}

static char *join(const char *a, const char *between, const char *b)
{
	size_t size = strlen(a) + strlen(between) + strlen(b) + 1;
	char *text = malloc(size);
	if (text != NULL)
		(void)snprintf(text, size, "%s%s%s", a, between, b);
	return text;
}

/* A base without a path gets /v1. */
static char *url_of(const char *base, const char *path)
{
	size_t length;
	const char *host = host_in(base, &length);
	const char *below = host + length;
	char *trimmed = strdup(base);
	if (trimmed == NULL)
		return NULL;
	for (size_t end = strlen(trimmed); end > 0 && trimmed[end - 1] == '/'; end--)
		trimmed[end - 1] = '\0';
	char *url = join(trimmed, below[strspn(below, "/")] == '\0' ? "/v1/" : "/", path);
	free(trimmed);
	return url;
}

/* How much of the VALUE of the header NAME is no secret: the scheme, where the credentials are behind one
 * (RFC 9110, 11.4). A server may tell them without it. */
static size_t scheme_length(const char *name, const char *value)
{
	if (strcasecmp(name, "Authorization") != 0 && strcasecmp(name, "Proxy-Authorization") != 0)
		return 0;
	size_t scheme = strcspn(value, " ");
	size_t length = scheme + strspn(value + scheme, " ");
	return value[length] != '\0' ? length : 0;
}

/* Adds the header NAME with its VALUE. */
static int add_header(
	struct openai_endpoint *endpoint, const char *name, const char *value, struct ss_error *err)
{
	size_t scheme = scheme_length(name, value);
	char *prefix = malloc(strlen(name) + scheme + 3);
	if (prefix == NULL)
		return ss_fail(err, "out of memory");
	(void)sprintf(prefix, "%s: %.*s", name, (int)scheme, value);
	struct secret *secret = &endpoint->secrets[endpoint->secret_count];
	int result = secret_make(secret, prefix, value + scheme, err);
	free(prefix);
	endpoint->secret_count += result == 0;
	return result;
}

static int add_headers(struct openai_endpoint *endpoint, const struct ss_value_functions *values,
	const struct ss_value *more, struct ss_error *err)
{
	for (size_t i = 0; i < values->count(more); i++) {
		const char *name = values->key_at(more, i);
		const char *value = values->as_string(values->at(more, i), NULL);
		if (name[0] == '\0' || strpbrk(name, ": \t\r\n") != NULL || value[0] == '\0' ||
			strpbrk(value, "\r\n") != NULL)
			return ss_fail_as(err, SS_INVALID,
				"the header \"%.100s\" has a name or a value that no header can "
				"have",
				name);
		if (add_header(endpoint, name, value, err) < 0)
			return -1;
	}
	return 0;
}

static int by_length(const void *a, const void *b)
{
	const struct secret *one = a, *other = b;
	return one->length < other->length ? 1 : one->length > other->length ? -1 : 0;
}

/* The headers of all requests: what the options say, the key and the type. */
static int make_headers(struct openai_endpoint *endpoint, const struct ss_value_functions *values,
	const struct ss_value *more, const char *key, struct ss_error *err)
{
	size_t most = values->count(more) + 1;
	endpoint->secrets = calloc(most, sizeof *endpoint->secrets);
	endpoint->headers = calloc(most + 2, sizeof *endpoint->headers);
	if (endpoint->secrets == NULL || endpoint->headers == NULL)
		return ss_fail(err, "out of memory");
	if (add_headers(endpoint, values, more, err) < 0)
		return -1;
	if (key[0] != '\0') {
		char *value = join("Bearer", " ", key);
		if (value == NULL)
			return ss_fail(err, "out of memory");
		int result = add_header(endpoint, "Authorization", value, err);
		explicit_bzero(value, strlen(value));
		free(value);
		if (result < 0)
			return -1;
	}
	qsort(endpoint->secrets, endpoint->secret_count, sizeof *endpoint->secrets, by_length);
	for (size_t i = 0; i < endpoint->secret_count; i++)
		endpoint->headers[i] = endpoint->secrets[i].text;
	endpoint->headers[endpoint->secret_count] = "Content-Type: application/json";
	return 0;
}

/* Whether what goes to URL stays on this machine. */
static bool stays_here(const char *url)
{
	size_t length;
	char name[16]; /* an IPv4 address, or a name that is as short */
	struct in_addr address;
	const char *host = host_in(url, &length);
	size_t end = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/");
	if (end >= sizeof name)
		return false;
	(void)snprintf(name, sizeof name, "%.*s", (int)end, host);
	return strcasecmp(name, "localhost") == 0 || strcmp(name, "[::1]") == 0 ||
	       (inet_pton(AF_INET, name, &address) == 1 &&
		       ntohl(address.s_addr) >> 24 == IN_LOOPBACKNET);
}

/* Of a key that anybody on the way can read. */
static void warn(
	const struct openai_endpoint *endpoint, const char *key, const struct ss_host *host)
{
	if (key[0] != '\0' && begins(endpoint->url, "http://") && !stays_here(endpoint->url))
		host->log(host, SS_LOG_WARNING,
			"the key for %s goes over the network unencrypted, since its base URL "
			"begins with http:",
			endpoint->name);
}

/* Of variables that were meant to name a model and do not. */
static void warn_of_nothing(const struct ss_host *host)
{
	bool key = variable("LLM_API_KEY")[0] != '\0', model = variable("LLM_MODEL")[0] != '\0';
	if (key || model)
		host->log(host, SS_LOG_WARNING,
			"%s%s%s set, but neither LLM_BASE_URL nor a provider's own key is, so no "
			"language model is asked; set LLM_BASE_URL to where the API is",
			key ? "LLM_API_KEY" : "LLM_MODEL", key && model ? " and LLM_MODEL" : "",
			key && model ? " are" : " is");
}

int openai_endpoint_find(struct openai_endpoint *endpoint, const struct ss_setup *setup,
	bool embeds, bool *found, struct ss_error *err)
{
	const struct ss_value_functions *values = setup->host->values;
	const struct ss_value *const *options = setup->options;
	const struct wish wish = {
		.provider = values->as_string(options[OPENAI_PROVIDER], NULL),
		.base_url = values->as_string(options[OPENAI_BASE_URL], NULL),
		.model = values->as_string(options[OPENAI_MODEL], NULL),
		.api_key = values->as_string(options[OPENAI_API_KEY], NULL),
		.headers = options[OPENAI_HEADERS],
		.embeds = embeds,
	};
	struct choice choice;
	*endpoint = (struct openai_endpoint){0};
	*found = choose(&choice, &wish);
	if (!*found) {
		warn_of_nothing(setup->host);
		return 0;
	}
	if (check(&choice, err) < 0)
		return -1;
	endpoint->provider = choice.provider;
	endpoint->url = url_of(choice.base_url, embeds ? "embeddings" : "chat/completions");
	endpoint->model = strdup(choice.model);
	endpoint->name = join(choice.provider->name, "/", choice.model);
	if (endpoint->url == NULL || endpoint->model == NULL || endpoint->name == NULL) {
		openai_endpoint_end(endpoint);
		return ss_fail(err, "out of memory");
	}
	if (make_headers(endpoint, values, wish.headers, choice.key, err) < 0) {
		openai_endpoint_end(endpoint);
		return -1;
	}
	warn(endpoint, choice.key, setup->host);
	return 0;
}

void openai_endpoint_end(struct openai_endpoint *endpoint)
{
	for (size_t i = 0; i < endpoint->secret_count; i++)
		secret_end(&endpoint->secrets[i]);
	free(endpoint->secrets);
	free((void *)endpoint->headers);
	free(endpoint->url);
	free(endpoint->model);
	free(endpoint->name);
	*endpoint = (struct openai_endpoint){0};
}
