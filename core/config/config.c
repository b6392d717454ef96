#include "config/config.h"

#include "base/file.h"
#include "base/memory.h"
#include "config/options.h"
#include "value/value.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROOT_WORKFLOW, ROOT_PLUGINS, ROOT_ROWS };
enum {
	SERVER_HOST,
	SERVER_PORT,
	SERVER_WORKERS,
	SERVER_DRAIN,
	SERVER_HANG,
	SERVER_START,
	SERVER_MEMORY,
	SERVER_HEARTBEAT,
	SERVER_DOCS,
	SERVER_OPEN,
	SERVER_HOSTS,
	SERVER_PROXIES,
	SERVER_ROWS
};
enum { TLS_CERTIFICATE, TLS_KEY, TLS_ROWS };
enum { LOG_LEVEL, LOG_FORMAT, LOG_ACCESS, LOG_ROWS };
enum { SUPPORT_HISTORY, SUPPORT_QUEUE, SUPPORT_CACHE, SUPPORT_ROWS };
enum { KNOWLEDGE_ARTICLES, KNOWLEDGE_WEIGHTS, KNOWLEDGE_CACHE, KNOWLEDGE_ROWS };
enum { PLUGIN_NAME, PLUGIN_ROWS };
enum { STORAGE_NAME, STORAGE_URL, STORAGE_CONNECTIONS, STORAGE_ROWS };

static const struct ss_option root_rows[] = {
	[ROOT_WORKFLOW] = {"workflow", SS_OPTION_PATH, NULL, 0, 0, NULL, "the workflow's file"},
	[ROOT_PLUGINS] = {"plugins", SS_OPTION_STRINGS, "[]", 0, 0, NULL,
		"folders with plugins; by default the folder plugins beside the program"},
	[ROOT_ROWS] = {0},
};

static const char *const root_sections[] = {"server", "log", "support", "knowledge_base", "storage",
	"retention", "embedder", "index", "llm", NULL};

static const struct ss_option server_rows[] = {
	[SERVER_HOST] = {"host", SS_OPTION_STRING, "127.0.0.1", 0, 0, NULL,
		"the address to listen on"},
	[SERVER_PORT] = {"port", SS_OPTION_INT, "8000", 0, 65535, NULL,
		"the port to listen on; 0 lets the system choose"},
	[SERVER_WORKERS] = {"workers", SS_OPTION_INT, "0", 0, 256, NULL,
		"worker processes; 0 for one a core"},
	[SERVER_DRAIN] = {"drain_timeout", SS_OPTION_DURATION, "10s", 0.1, 3600, NULL,
		"how long a worker may finish its requests after it was told to stop; then what "
		"there is of answers counts"},
	[SERVER_HANG] = {"hang_timeout", SS_OPTION_DURATION, "10s", 0, 3600, NULL,
		"how long a worker may do nothing but one thing before it is ended, for another to "
		"take its place; 0s for as long as it likes"},
	[SERVER_START] = {"start_timeout", SS_OPTION_DURATION, "10m", 0, 86400, NULL,
		"how long a worker may take to be ready, with all that the store's tables and "
		"articles need; 0s for as long as it likes"},
	[SERVER_MEMORY] = {"memory_growth", SS_OPTION_INT, "1024", 0, 1000000, NULL,
		"by how many MiB a worker may grow while it serves before another takes its place; "
		"0 "
		"for any"},
	[SERVER_HEARTBEAT] = {"heartbeat", SS_OPTION_DURATION, "15s", 0.01, 3600, NULL,
		"how long an event stream is silent before a comment tells that it is alive"},
	[SERVER_DOCS] = {"docs", SS_OPTION_PATH, "", 0, 0, NULL,
		"a folder with the npm packages swagger-ui-dist and redoc, for /docs and /redoc"},
	[SERVER_OPEN] = {"open_to_everybody", SS_OPTION_BOOL, "false", 0, 0, NULL,
		"whether other machines need no API key either, as long as there is none"},
	[SERVER_HOSTS] = {"hosts", SS_OPTION_STRINGS, "[]", 0, 0, NULL,
		"names under which the server is reached; then only these, localhost and addresses "
		"of this machine are answered"},
	[SERVER_PROXIES] = {"trusted_proxies", SS_OPTION_STRINGS, "[]", 0, 0, NULL,
		"addresses or networks of proxies whose X-Forwarded-For and X-Forwarded-Proto "
		"count"},
	[SERVER_ROWS] = {0},
};

static const char *const server_sections[] = {"tls", "cors", "limits", "idempotency", NULL};

static const struct ss_option tls_rows[] = {
	[TLS_CERTIFICATE] = {"certificate", SS_OPTION_PATH, NULL, 0, 0, NULL,
		"the certificate's file, PEM, with those that lead to its root behind it"},
	[TLS_KEY] = {"key", SS_OPTION_PATH, NULL, 0, 0, NULL,
		"the file with the certificate's private key, PEM without a password"},
	[TLS_ROWS] = {0},
};

static const struct ss_option log_rows[] = {
	[LOG_LEVEL] = {"level", SS_OPTION_CHOICE, "info", 0, 0, "debug info warning error",
		"the least level that is logged"},
	[LOG_FORMAT] = {"format", SS_OPTION_CHOICE, "logfmt", 0, 0, "logfmt json",
		"how a line of the log looks"},
	[LOG_ACCESS] = {"access", SS_OPTION_NUMBER, "1", 0, 1, NULL,
		"the share of requests that are logged, from 0 to 1; those with a status of 400 "
		"and "
		"more always are"},
	[LOG_ROWS] = {0},
};

static const struct ss_option support_rows[] = {
	[SUPPORT_HISTORY] = {"history", SS_OPTION_INT, "20", 0, 200, NULL,
		"messages of the conversation that a turn sees"},
	[SUPPORT_QUEUE] = {"queue", SS_OPTION_INT, "1024", 1, 1000000, NULL,
		"requests that may wait for the model or the store before new ones are refused"},
	[SUPPORT_CACHE] = {"vector_cache", SS_OPTION_INT, "2048", 16, 1000000, NULL,
		"embeddings of recent texts that a worker keeps"},
	[SUPPORT_ROWS] = {0},
};

static const struct ss_option knowledge_rows[] = {
	[KNOWLEDGE_ARTICLES] = {"articles", SS_OPTION_PATH, NULL, 0, 0, NULL,
		"a folder of Markdown articles, or a JSON file"},
	[KNOWLEDGE_WEIGHTS] = {"weights", SS_OPTION_NUMBERS, "{}", 0, 1, NULL,
		"how much question, answer and lexical count in an article's score, relative to "
		"each other"},
	[KNOWLEDGE_CACHE] = {"cache", SS_OPTION_PATH, "", 0, 0, NULL,
		"the folder where vectors are kept from one start to the next, and copies of "
		"plugins; by default smartsupport in the user's folder for caches"},
	[KNOWLEDGE_ROWS] = {0},
};

static const struct ss_option plugin_rows[] = {
	[PLUGIN_NAME] = {"plugin", SS_OPTION_STRING, NULL, 0, 0, NULL, "the plugin's name"},
	[PLUGIN_ROWS] = {0},
};

static const struct ss_option storage_rows[] = {
	[STORAGE_NAME] = {"plugin", SS_OPTION_STRING, "", 0, 0, NULL,
		"the plugin's name, where no url says it"},
	[STORAGE_URL] = {"url", SS_OPTION_STRING, "", 0, 0, NULL,
		"sqlite:///FILE, with FILE seen from the working folder, or "
		"postgresql://HOST/DATABASE"},
	[STORAGE_CONNECTIONS] = {"connections", SS_OPTION_INT, "1", 1, CONFIG_CONNECTIONS, NULL,
		"how many connections to the database each worker has"},
	[STORAGE_ROWS] = {0},
};

static const char *const plugin_sections[] = {"options", NULL};

struct loader {
	struct config *config;
	const struct yaml_node *root;
	struct diagnostics *diagnostics;
};

static void read_section(struct loader *loader, const char *name, const struct ss_option *rows,
	const char *const *sections, struct ss_value **values)
{
	const struct yaml_node *node = yaml_get(loader->root, name);
	(void)options_read(loader->config->document, node, node != NULL ? node : loader->root, rows,
		sections, name, values, loader->diagnostics);
}

static char *text_of(const struct ss_value *value)
{
	return memory_string(value_as_string(value, NULL));
}

static int64_t duration_of(const struct ss_value *seconds)
{
	return (int64_t)(value_as_number(seconds) * 1e9);
}

/* The folder of the running program. */
static char *program_folder(void)
{
	char path[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
	if (length <= 0)
		return memory_string(".");
	path[length] = '\0';
	*strrchr(path, '/') = '\0';
	return memory_string(path);
}

static void read_root(struct loader *loader)
{
	struct config *config = loader->config;
	struct ss_value *values[ROOT_ROWS] = {0};
	(void)options_read(config->document, loader->root, loader->root, root_rows, root_sections,
		"the configuration", values, loader->diagnostics);
	config->workflow = text_of(values[ROOT_WORKFLOW]);
	size_t count = value_count(values[ROOT_PLUGINS]);
	config->plugin_folders = memory_array(count + 1, sizeof(char *));
	for (size_t i = 0; i < count; i++) {
		char *folder = file_beside(config->document->file,
			value_as_string(value_at(values[ROOT_PLUGINS], i), NULL));
		config->plugin_folders[i] = file_absolute(folder);
		free(folder);
	}
	config->plugin_folder_count = count;
	if (values[ROOT_PLUGINS] != NULL && count == 0) {
		char *folder = program_folder();
		config->plugin_folders[config->plugin_folder_count++] =
			memory_format("%s/plugins", folder);
		free(folder);
	}
	options_free(values, ROOT_ROWS);
}

static void read_tls(struct loader *loader)
{
	struct config *config = loader->config;
	const struct yaml_node *node = yaml_get(yaml_get(loader->root, "server"), "tls");
	struct ss_value *values[TLS_ROWS] = {0};
	if (node == NULL)
		return;
	if (options_read(config->document, node, node, tls_rows, NULL, "tls", values,
		    loader->diagnostics) == 0) {
		config->tls_certificate = text_of(values[TLS_CERTIFICATE]);
		config->tls_key = text_of(values[TLS_KEY]);
	}
	options_free(values, TLS_ROWS);
}

static void read_server(struct loader *loader)
{
	struct config *config = loader->config;
	struct ss_value *values[SERVER_ROWS] = {0};
	read_section(loader, "server", server_rows, server_sections, values);
	config->host = text_of(values[SERVER_HOST]);
	config->port = value_as_int(values[SERVER_PORT]);
	config->workers = value_as_int(values[SERVER_WORKERS]);
	if (config->workers == 0)
		config->workers =
			sysconf(_SC_NPROCESSORS_ONLN) > 0 ? sysconf(_SC_NPROCESSORS_ONLN) : 1;
	config->drain_timeout_ns = duration_of(values[SERVER_DRAIN]);
	config->hang_timeout_ns = duration_of(values[SERVER_HANG]);
	config->start_timeout_ns = duration_of(values[SERVER_START]);
	config->memory_growth = value_as_int(values[SERVER_MEMORY]) << 20;
	config->heartbeat_ns = duration_of(values[SERVER_HEARTBEAT]);
	config->docs = text_of(values[SERVER_DOCS]);
	config->access.open_to_everybody = value_as_bool(values[SERVER_OPEN]);
	const struct config_access_lists lists = {values[SERVER_HOSTS], values[SERVER_PROXIES]};
	const struct yaml_node *node = yaml_get(loader->root, "server");
	config_access_read(&config->access, config->document, node,
		node != NULL ? node : loader->root, &lists, loader->diagnostics);
	options_free(values, SERVER_ROWS);
	read_tls(loader);
}

static void read_log(struct loader *loader)
{
	static const char *const names[] = {"debug", "info", "warning", "error"};
	struct ss_value *values[LOG_ROWS] = {0};
	read_section(loader, "log", log_rows, NULL, values);
	for (size_t i = 0; i < array_length(names); i++) {
		if (strcmp(names[i], value_as_string(values[LOG_LEVEL], NULL)) == 0)
			loader->config->log_level = (enum ss_log_level)i;
	}
	loader->config->log_access = value_as_number(values[LOG_ACCESS]);
	loader->config->log_json = strcmp(value_as_string(values[LOG_FORMAT], NULL), "json") == 0;
	options_free(values, LOG_ROWS);
}

static void read_support(struct loader *loader)
{
	struct config *config = loader->config;
	struct ss_value *values[SUPPORT_ROWS] = {0};
	read_section(loader, "support", support_rows, NULL, values);
	config->history_limit = value_as_int(values[SUPPORT_HISTORY]);
	config->queue_limit = value_as_int(values[SUPPORT_QUEUE]);
	config->vector_cache = value_as_int(values[SUPPORT_CACHE]);
	options_free(values, SUPPORT_ROWS);
}

/* Weights are relative to each other: {question: 1, answer: 1} halves the score between the two. */
static void read_weights(struct loader *loader, const struct ss_value *weights)
{
	struct config *config = loader->config;
	struct weight {
		const char *name;
		double *weight;
	} const known[] = {{"question", &config->question_weight},
		{"answer", &config->answer_weight}, {"lexical", &config->lexical_weight}};
	const struct yaml_node *node =
		yaml_get(yaml_get(loader->root, "knowledge_base"), "weights");
	double sum = 0;
	size_t found = 0;
	for (size_t i = 0; i < array_length(known); i++) {
		const struct ss_value *weight = value_get(weights, known[i].name);
		*known[i].weight = value_as_number(weight);
		sum += *known[i].weight;
		found += weight != NULL;
	}
	if (value_count(weights) > found)
		yaml_mistake(config->document, node, loader->diagnostics,
			"weights has another key than question, answer and lexical");
	else if (value_count(weights) > 0 && sum <= 0)
		yaml_mistake(config->document, node, loader->diagnostics,
			"one of the weights must be more than 0");
	for (size_t i = 0; i < array_length(known) && sum > 0; i++)
		*known[i].weight /= sum;
}

/* Where programs of this user keep what can be made anew: a service of systemd's in its CacheDirectory, others
 * as the XDG Base Directory Specification says. NULL when there is no such place. */
static char *cache_folder(void)
{
	static const struct {
		const char *variable, *below;
	} places[] = {{"CACHE_DIRECTORY", ""}, {"XDG_CACHE_HOME", "/smartsupport"},
		{"HOME", "/.cache/smartsupport"}};
	for (size_t i = 0; i < array_length(places); i++) {
		const char *folder = getenv(places[i].variable);
		if (folder != NULL && folder[0] == '/')
			return memory_format(
				"%.*s%s", (int)strcspn(folder, ":"), folder, places[i].below);
	}
	return NULL;
}

static void read_knowledge(struct loader *loader)
{
	struct config *config = loader->config;
	struct ss_value *values[KNOWLEDGE_ROWS] = {0};
	read_section(loader, "knowledge_base", knowledge_rows, NULL, values);
	config->articles = text_of(values[KNOWLEDGE_ARTICLES]);
	read_weights(loader, values[KNOWLEDGE_WEIGHTS]);
	const char *cache = value_as_string(values[KNOWLEDGE_CACHE], NULL);
	config->cache = cache[0] != '\0' ? memory_string(cache) : cache_folder();
	options_free(values, KNOWLEDGE_ROWS);
}

static void read_plugin(struct loader *loader, const char *name, struct config_plugin *plugin)
{
	const struct yaml_node *node = yaml_get(loader->root, name);
	struct ss_value *values[PLUGIN_ROWS] = {0};
	read_section(loader, name, plugin_rows, plugin_sections, values);
	plugin->name = text_of(values[PLUGIN_NAME]);
	plugin->options = yaml_get(node, "options");
	plugin->place = node != NULL ? node : loader->root;
	options_free(values, PLUGIN_ROWS);
}

static bool begins_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static void set_storage(
	struct config *config, const char *name, const char *option, const char *value)
{
	config->storage.name = memory_string(name);
	config->storage_option = option;
	config->storage_value = memory_string(value);
}

/* sqlite:///./file.db is a file seen from the working folder, sqlite:////var/file.db an absolute one. */
static void read_url(struct loader *loader, const struct yaml_node *node, const char *url)
{
	static const char sqlite[] = "sqlite:///";
	struct config *config = loader->config;
	if (begins_with(url, sqlite) && url[sizeof sqlite - 1] != '\0') {
		set_storage(config, "sqlite", "path", url + sizeof sqlite - 1);
		return;
	}
	/* libpq reads it. */
	if (begins_with(url, "postgresql://") || begins_with(url, "postgres://")) {
		set_storage(config, "postgresql", "url", url);
		return;
	}
	/* What stands before the colon is fit for a message; the rest may hold a password. */
	if (strchr(url, ':') != NULL)
		yaml_mistake(config->document, node, loader->diagnostics,
			"the storage's url begins with \"%.*s:\"; this server knows sqlite:///FILE "
			"and postgresql://HOST/DATABASE",
			(int)strcspn(url, ":"), url);
	else
		yaml_mistake(config->document, node, loader->diagnostics,
			"the storage's url has no colon; this server knows sqlite:///FILE and "
			"postgresql://HOST/DATABASE");
	config->storage.name = memory_string("");
}

static void read_storage(struct loader *loader)
{
	struct config *config = loader->config;
	const struct yaml_node *node = yaml_get(loader->root, "storage");
	struct ss_value *values[STORAGE_ROWS] = {0};
	read_section(loader, "storage", storage_rows, plugin_sections, values);
	const char *url = value_as_string(values[STORAGE_URL], NULL);
	config->storage_connections = value_as_int(values[STORAGE_CONNECTIONS]);
	config->storage.options = yaml_get(node, "options");
	config->storage.place = node != NULL ? node : loader->root;
	if (url[0] != '\0')
		read_url(loader, yaml_get(node, "url"), url);
	else
		config->storage.name = text_of(values[STORAGE_NAME]);
	if (url[0] == '\0' && config->storage.name[0] == '\0')
		yaml_mistake(config->document, config->storage.place, loader->diagnostics,
			"storage needs a url, as in sqlite:///./smartsupport.db, or a plugin");
	options_free(values, STORAGE_ROWS);
}

struct config *config_read(const char *file, struct diagnostics *diagnostics)
{
	struct yaml_document *document = yaml_load(file, diagnostics);
	if (document == NULL)
		return NULL;
	if (document->root == NULL || document->root->kind != YAML_MAPPING) {
		yaml_mistake(document, document->root, diagnostics,
			"the configuration must be a mapping");
		yaml_close(document);
		return NULL;
	}
	struct config *config = memory_make(struct config);
	struct loader loader = {config, document->root, diagnostics};
	config->document = document;
	read_root(&loader);
	read_server(&loader);
	read_log(&loader);
	read_support(&loader);
	read_knowledge(&loader);
	read_storage(&loader);
	read_plugin(&loader, "embedder", &config->embedder);
	read_plugin(&loader, "index", &config->index);
	config_models_read(&config->llm, document, loader.root, diagnostics);
	config_retention_read(&config->retention, document, loader.root, diagnostics);
	return config;
}

struct config *config_load(const char *file, struct diagnostics *diagnostics)
{
	size_t mistakes = diagnostics->count;
	struct config *config = config_read(file, diagnostics);
	if (diagnostics->count > mistakes) {
		config_free(config);
		return NULL;
	}
	return config;
}

void config_prefer_plugins(struct config *config, const char *folder)
{
	size_t count = config->plugin_folder_count;
	config->plugin_folders = memory_resize(config->plugin_folders, count + 1, sizeof(char *));
	memmove(config->plugin_folders + 1, config->plugin_folders, count * sizeof(char *));
	config->plugin_folders[0] = file_absolute(folder);
	config->plugin_folder_count++;
}

void config_free(struct config *config)
{
	if (config == NULL)
		return;
	for (size_t i = 0; i < config->plugin_folder_count; i++)
		free(config->plugin_folders[i]);
	free(config->plugin_folders);
	free(config->host);
	free(config->docs);
	free(config->tls_certificate);
	free(config->tls_key);
	free(config->workflow);
	free(config->articles);
	free(config->cache);
	free(config->storage_value);
	free(config->storage.name);
	free(config->embedder.name);
	free(config->index.name);
	config_access_free(&config->access);
	config_models_free(&config->llm);
	yaml_close(config->document);
	free(config);
}
