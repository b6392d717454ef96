#include "config/config.h"

#include "support/scratch.h"
#include "unit/config/mistakes.h"

#include "base/buffer.h"
#include "base/memory.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *folder;

static void set_up(void)
{
	static const char *const names[] = {"HOST", "PORT", "WORKERS", "LOG_LEVEL", "LOG_FORMAT",
		"DATABASE_URL", "MODEL_DIR", "DOCS_DIR", "GROQ_API_KEY", "OPENAI_API_KEY",
		"LLM_BASE_URL", "LLM_MODEL", "SECRET_KEY", "ENVIRONMENT", "CACHE_DIRECTORY",
		"XDG_CACHE_HOME", "HOME"};
	for (size_t i = 0; i < array_length(names); i++)
		(void)unsetenv(names[i]);
	folder = scratch_new();
}

static void tear_down(void)
{
	scratch_remove(folder);
}

TestSuite(config, .init = set_up, .fini = tear_down);

/* What a configuration must have, line by line. */
static const char *const least[] = {
	"workflow: w.yaml\n",
	"knowledge_base: {articles: kb}\n",
	"storage: {url: 'sqlite:///./t.db'}\n",
	"embedder: {plugin: e}\n",
	"index: {plugin: i}\n",
	"llm: {plugin: l}\n",
};

/* That with REPLACEMENT for the line that begins like it, and MORE behind; new. */
static char *text_with(const char *replacement, const char *more)
{
	struct buffer text = {0};
	for (size_t i = 0; i < array_length(least); i++) {
		size_t key = strcspn(least[i], ":");
		bool replaced = replacement != NULL && strncmp(least[i], replacement, key + 1) == 0;
		buffer_add_string(&text, replaced ? replacement : least[i]);
	}
	buffer_add_string(&text, more);
	return buffer_take(&text);
}

/* Loads TEXT. Expects the MISTAKES, in which @ stands for the file. */
static struct config *load(const char *text, const char *mistakes)
{
	struct diagnostics diagnostics = {0};
	struct buffer expected = {0};
	char *file = scratch_file(folder, "c.yaml", text, strlen(text));
	struct config *config = config_load(file, &diagnostics);
	for (const char *c = mistakes; *c != '\0'; c++) {
		if (*c == '@')
			buffer_add_string(&expected, file);
		else
			buffer_add_char(&expected, *c);
	}
	mistakes_expect(&diagnostics, buffer_text(&expected));
	cr_assert_eq(config != NULL, mistakes[0] == '\0');
	buffer_free(&expected);
	free(file);
	return config;
}

static void refuses(const char *replacement, const char *more, const char *mistakes)
{
	char *text = text_with(replacement, more);
	cr_expect_null(load(text, mistakes));
	free(text);
}

static struct config *good(const char *replacement, const char *more)
{
	char *text = text_with(replacement, more);
	struct config *config = load(text, "");
	free(text);
	return config;
}

static void expect_below(const char *path, const char *name)
{
	char *expected = scratch_path(folder, name);
	cr_expect_str_eq(path, expected);
	free(expected);
}

Test(config, that_is_shipped_loads)
{
	struct diagnostics diagnostics = {0};
	struct config *config =
		config_load(SS_SOURCE_DIR "/config/smartsupport.yaml", &diagnostics);
	mistakes_expect(&diagnostics, "");
	cr_assert_not_null(config);
	cr_expect_str_eq(config->host, "127.0.0.1");
	cr_expect_eq(config->port, 8000);
	cr_expect_str_eq(config->storage.name, "sqlite");
	cr_expect_str_eq(config->storage_value, "./smartsupport.db");
	cr_expect_eq(config->log_level, SS_LOG_INFO);
	config_free(config);
}

Test(config, that_is_shipped_listens_to_the_environment)
{
	struct diagnostics diagnostics = {0};
	cr_assert_eq(setenv("PORT", "9001", 1), 0);
	cr_assert_eq(setenv("DATABASE_URL", "sqlite:////var/lib/support.db", 1), 0);
	cr_assert_eq(setenv("LOG_LEVEL", "warning", 1), 0);
	struct config *config =
		config_load(SS_SOURCE_DIR "/config/smartsupport.yaml", &diagnostics);
	mistakes_expect(&diagnostics, "");
	cr_assert_not_null(config);
	cr_expect_eq(config->port, 9001);
	cr_expect_str_eq(config->storage_value, "/var/lib/support.db");
	cr_expect_eq(config->log_level, SS_LOG_WARNING);
	config_free(config);
}

Test(config, names_the_files_of_tls_beside_itself)
{
	struct config *config =
		good(NULL, "server: {tls: {certificate: c.pem, key: keys/k.pem}}\n");
	expect_below(config->tls_certificate, "c.pem");
	expect_below(config->tls_key, "keys/k.pem");
	config_free(config);
}

Test(config, has_defaults_for_what_is_left_out)
{
	struct config *config = good(NULL, "");
	cr_expect_str_eq(config->host, "127.0.0.1");
	cr_expect_eq(config->port, 8000);
	cr_expect_null(config->tls_certificate);
	cr_expect_null(config->tls_key);
	cr_expect_gt(config->workers, 0);
	cr_expect_eq(config->drain_timeout_ns, 10000000000);
	cr_expect_eq(config->hang_timeout_ns, 10000000000);
	cr_expect_eq(config->memory_growth, 1 << 30);
	cr_expect_eq(config->heartbeat_ns, 15000000000);
	cr_expect_str_eq(config->docs, "");
	cr_expect_eq(config->log_level, SS_LOG_INFO);
	cr_expect_not(config->log_json);
	cr_expect_eq(config->log_access, 1);
	cr_expect_eq(config->history_limit, 20);
	cr_expect_eq(config->queue_limit, 1024);
	cr_expect_eq(config->vector_cache, 2048);
	cr_assert_eq(config->plugin_folder_count, 1);
	cr_expect_eq(config->plugin_folders[0][0], '/');
	expect_below(config->workflow, "w.yaml");
	expect_below(config->articles, "kb");
	cr_expect_str_eq(config->embedder.name, "e");
	cr_expect_str_eq(config->index.name, "i");
	cr_assert_eq(config->llm.count, 1);
	cr_expect_str_eq(config->llm.items[0].plugin.name, "l");
	cr_expect_null(config->llm.items[0].plugin.options);
	config_free(config);
}

Test(config, has_what_the_file_says)
{
	struct config *config = good("embedder: {plugin: e, options: {model: m}}\n",
		"server: {host: '::', port: 0, workers: 3, drain_timeout: 500ms, heartbeat: 1s, "
		"hang_timeout: 0s, memory_growth: 3, "
		"docs: d}\n"
		"log: {level: debug, format: json, access: 0.25}\n"
		"support: {history: 0, queue: 5, vector_cache: 16}\n"
		"plugins: [p, /q]\n");
	cr_expect_str_eq(config->host, "::");
	cr_expect_eq(config->port, 0);
	cr_expect_eq(config->workers, 3);
	cr_expect_eq(config->drain_timeout_ns, 500000000);
	cr_expect_eq(config->hang_timeout_ns, 0);
	cr_expect_eq(config->memory_growth, 3 << 20);
	cr_expect_eq(config->heartbeat_ns, 1000000000);
	expect_below(config->docs, "d");
	cr_expect_eq(config->log_level, SS_LOG_DEBUG);
	cr_expect(config->log_json);
	cr_expect_eq(config->log_access, 0.25);
	cr_expect_eq(config->history_limit, 0);
	cr_expect_eq(config->queue_limit, 5);
	cr_expect_eq(config->vector_cache, 16);
	cr_assert_eq(config->plugin_folder_count, 2);
	expect_below(config->plugin_folders[0], "p");
	cr_expect_str_eq(config->plugin_folders[1], "/q");
	cr_expect_str_eq(yaml_get(config->embedder.options, "model")->text, "m");
	config_free(config);
}

Test(config, storage_may_be_a_plugin_with_options)
{
	struct config *config = good("storage: {plugin: memory, options: {a: b}}\n", "");
	cr_expect_str_eq(config->storage.name, "memory");
	cr_expect_null(config->storage_value);
	cr_expect_str_eq(yaml_get(config->storage.options, "a")->text, "b");
	config_free(config);
}

Test(config, a_worker_has_one_connection_or_some_more)
{
	struct config *config = good("storage: {url: 'sqlite:///./t.db'}\n", "");
	cr_expect_eq(config->storage_connections, 1);
	config_free(config);
	config = good("storage: {url: 'sqlite:///./t.db', connections: 32}\n", "");
	cr_expect_eq(config->storage_connections, 32);
	config_free(config);
	refuses("storage: {url: 'sqlite:///./t.db', connections: 33}\n", "",
		"@:3:49: connections must be from 1 to 32, not 33\n");
	refuses("storage: {url: 'sqlite:///./t.db', connections: 0}\n", "",
		"@:3:49: connections must be from 1 to 32, not 0\n");
}

Test(config, refuses_a_storage_it_does_not_know)
{
	refuses("storage: {url: 'mysql://me:secret@host/db'}\n", "",
		"@:3:16: the storage's url begins with \"mysql:\"; this server knows "
		"sqlite:///FILE and postgresql://HOST/DATABASE\n");
	refuses("storage: {url: 'sqlite:///'}\n", "",
		"@:3:16: the storage's url begins with \"sqlite:\"; this server knows "
		"sqlite:///FILE and postgresql://HOST/DATABASE\n");
	refuses("storage: {url: secret}\n", "",
		"@:3:16: the storage's url has no colon; this server knows sqlite:///FILE and "
		"postgresql://HOST/DATABASE\n");
	refuses("storage: {}\n", "",
		"@:3:10: storage needs a url, as in sqlite:///./smartsupport.db, or a plugin\n");
}

Test(config, url_of_the_storage_counts_more_than_its_plugin)
{
	struct config *config = good("storage: {plugin: memory, url: 'sqlite:///x'}\n", "");
	cr_expect_str_eq(config->storage.name, "sqlite");
	cr_expect_str_eq(config->storage_value, "x");
	config_free(config);
}

Test(config, paths_are_absolute_although_its_own_is_not)
{
	struct diagnostics diagnostics = {0};
	char *text = text_with(NULL, "plugins: [p]\n");
	free(scratch_file(folder, "c.yaml", text, strlen(text)));
	cr_assert_eq(chdir(folder), 0);
	struct config *config = config_load("./c.yaml", &diagnostics);
	mistakes_expect(&diagnostics, "");
	cr_assert_not_null(config);
	expect_below(config->workflow, "./w.yaml");
	expect_below(config->articles, "./kb");
	expect_below(config->plugin_folders[0], "./p");
	cr_expect_str_eq(config->document->file, "./c.yaml");
	config_free(config);
	free(text);
}

Test(config, names_the_place_of_every_kind_of_mistake)
{
	refuses(NULL, "server: {port: 70000}\n",
		"@:7:16: port must be from 0 to 65535, not 70000\n");
	refuses(NULL, "server:\n  port: '80'\n",
		"@:8:9: port must be a whole number, not \"80\" (in quotes, which make it a "
		"string)\n");
	refuses(NULL, "server: {tls: {certificate: c.pem}}\n",
		"@:7:15: tls needs \"key\": the file with the certificate's private key, "
		"PEM without a password\n");
	refuses(NULL, "server: {tls: {key: k.pem}}\n",
		"@:7:15: tls needs \"certificate\": the certificate's file, PEM, with "
		"those that lead to its root behind it\n");
	refuses(NULL, "server: {tls: true}\n",
		"@:7:15: tls must be a mapping, not a single value\n");
	refuses(NULL, "server: [1]\n", "@:7:9: server must be a mapping, not a list\n");
	refuses(NULL, "servre: {}\n",
		"@:7:1: the configuration has no key \"servre\" (did you mean \"server\"?)\n");
	refuses(NULL, "log: {level: loud}\n",
		"@:7:14: level must be one of: debug info warning error, not \"loud\"\n");
	refuses(NULL, "server: {drain_timeout: 0s}\n",
		"@:7:25: drain_timeout must be from 0.1 to 3600 seconds, not 0s\n");
	refuses("workflow:\n", "",
		"@:1:1: the configuration needs \"workflow\": the workflow's file\n");
	refuses("llm: {}\n", "", "@:6:6: llm needs \"plugin\": the plugin's name\n");
	refuses("llm: {plugin: }\n", "", "@:6:6: llm needs \"plugin\": the plugin's name\n");
	refuses("llm: {plugin: l, option: {}}\n", "",
		"@:6:18: llm has no key \"option\" (did you mean \"options\"?)\n");
}

Test(config, reports_several_mistakes_at_once)
{
	cr_expect_null(load("server: {port: x, colour: red}\nplugins: p\nindex: i\n",
		"@:1:1: embedder needs \"plugin\": the plugin's name\n"
		"@:1:1: knowledge_base needs \"articles\": a folder of Markdown articles, or a "
		"JSON file\n"
		"@:1:1: llm needs \"plugin\": the plugin's name\n"
		"@:1:1: storage needs a url, as in sqlite:///./smartsupport.db, or a plugin\n"
		"@:1:1: the configuration needs \"workflow\": the workflow's file\n"
		"@:1:16: port must be a whole number, not \"x\"\n"
		"@:1:19: server has no key \"colour\"\n"
		"@:2:10: plugins must be a list of strings, not \"p\"\n"
		"@:3:8: index must be a mapping, not a single value\n"));
}

Test(config, names_the_variable_that_a_mistake_came_from)
{
	cr_assert_eq(setenv("PORT", "80a", 1), 0);
	cr_assert_eq(setenv("DATABASE_URL", "mysql://me:secret@host/db", 1), 0);
	refuses(NULL, "server: {port: \"${PORT}\"}\n",
		"@:7:16: port must be a whole number, not \"80a\" (in quotes, which make it a "
		"string) (from the environment variable PORT)\n");
	refuses(NULL, "server: {port: \"1${PORT:-2}${HOST:-3}\"}\n",
		"@:7:16: port must be a whole number, not \"180a3\" (in quotes, which make it a "
		"string) (from the environment variable PORT)\n");
	refuses(NULL, "server: {port: \"${HOST:-x}\"}\n",
		"@:7:16: port must be a whole number, not \"x\" (in quotes, which make it a "
		"string)\n");
	refuses("storage: {url: \"${DATABASE_URL}\"}\n", "",
		"@:3:16: the storage's url begins with \"mysql:\"; this server knows "
		"sqlite:///FILE and postgresql://HOST/DATABASE (from the environment "
		"variable DATABASE_URL)\n");
}

Test(config, gives_the_url_of_postgresql_to_its_plugin)
{
	static const char *const urls[] = {
		"postgresql://me:secret@host/db?sslmode=require", "postgres://host/db"};
	for (size_t i = 0; i < array_length(urls); i++) {
		struct diagnostics diagnostics = {0};
		cr_assert_eq(setenv("DATABASE_URL", urls[i], 1), 0);
		struct config *config =
			config_load(SS_SOURCE_DIR "/config/smartsupport.yaml", &diagnostics);
		mistakes_expect(&diagnostics, "");
		cr_assert_not_null(config);
		cr_expect_str_eq(config->storage.name, "postgresql");
		cr_expect_str_eq(config->storage_option, "url");
		cr_expect_str_eq(config->storage_value, urls[i]);
		config_free(config);
	}
}

Test(config, is_read_as_far_as_it_goes)
{
	struct diagnostics diagnostics = {0};
	char *text = text_with("embedder: {plugin: [e]}\n", "server: {port: x}\nplugins: p\n");
	char *file = scratch_file(folder, "c.yaml", text, strlen(text));
	struct config *config = config_read(file, &diagnostics);
	cr_assert_not_null(config);
	cr_expect_eq(diagnostics.count, 3);
	cr_expect_eq(config->plugin_folder_count, 0);
	cr_expect_str_eq(config->embedder.name, "");
	cr_expect_str_eq(config->llm.items[0].plugin.name, "l");
	cr_expect_str_eq(config->host, "127.0.0.1");
	expect_below(config->workflow, "w.yaml");
	config_free(config);
	diagnostics_free(&diagnostics);
	free(scratch_file(folder, "c.yaml", "[1]\n", 4));
	cr_expect_null(config_read(file, &diagnostics));
	diagnostics_free(&diagnostics);
	free(file);
	free(text);
}

Test(config, must_be_a_mapping)
{
	cr_expect_null(load("[1]\n", "@:1:1: the configuration must be a mapping\n"));
	cr_expect_null(load("", "@: the configuration must be a mapping\n"));
}

Test(config, passes_on_what_is_no_yaml)
{
	struct diagnostics diagnostics = {0};
	char *file = scratch_file(folder, "c.yaml", "a: [\n", 5);
	cr_expect_null(config_load(file, &diagnostics));
	cr_expect_eq(diagnostics.count, 1);
	diagnostics_free(&diagnostics);
	cr_expect_null(config_load("/nonexistent.yaml", &diagnostics));
	mistakes_expect(
		&diagnostics, "/nonexistent.yaml: cannot be opened: No such file or directory\n");
	config_free(NULL);
	free(file);
}

static struct config *load_knowledge(const char *knowledge)
{
	char *text = text_with(knowledge, "");
	struct config *config = load(text, "");
	free(text);
	return config;
}

Test(config, makes_the_weights_of_a_score_add_up_to_1)
{
	struct config *config = load_knowledge(
		"knowledge_base: {articles: kb, weights: {question: 1, lexical: 0.25}}\n");
	cr_expect_float_eq(config->question_weight, 0.8, 1e-9);
	cr_expect_float_eq(config->answer_weight, 0, 1e-9);
	cr_expect_float_eq(config->lexical_weight, 0.2, 1e-9);
	config_free(config);
	config = load_knowledge("knowledge_base: {articles: kb}\n");
	cr_expect_eq(config->question_weight + config->answer_weight + config->lexical_weight, 0.0,
		"none are given");
	config_free(config);
}

Test(config, refuses_weights_that_mean_nothing)
{
	refuses("knowledge_base: {articles: kb, weights: {question: 0}}\n", "",
		"@:2:41: one of the weights must be more than 0\n");
	refuses("knowledge_base: {articles: kb, weights: {titles: 1}}\n", "",
		"@:2:41: weights has another key than question, answer and lexical\n");
	refuses("knowledge_base: {articles: kb, weights: {question: 2}}\n", "",
		"@:2:52: question must be from 0 to 1, not 2\n");
}

static void expect_cache(const char *knowledge, const char *expected)
{
	struct config *config = load_knowledge(knowledge);
	cr_expect_str_eq(config->cache != NULL ? config->cache : "", expected);
	config_free(config);
}

Test(config, keeps_vectors_where_it_is_told_or_where_the_user_keeps_such_things)
{
	static const char plain[] = "knowledge_base: {articles: kb}\n";
	expect_cache(plain, "");
	cr_assert_eq(setenv("HOME", "/home/me", 1), 0);
	expect_cache(plain, "/home/me/.cache/smartsupport");
	cr_assert_eq(setenv("XDG_CACHE_HOME", "/tmp/cache", 1), 0);
	expect_cache(plain, "/tmp/cache/smartsupport");
	cr_assert_eq(setenv("CACHE_DIRECTORY", "/var/cache/support:/var/cache/other", 1), 0);
	expect_cache(plain, "/var/cache/support");
	expect_cache("knowledge_base: {articles: kb, cache: /srv/vectors}\n", "/srv/vectors");
}

Test(config, keeps_what_is_not_named_for_ever)
{
	struct config *config = good(NULL, "retention:\n");
	cr_expect_eq(config->retention.keep_ns[SS_PURGE_CONVERSATIONS], 0);
	cr_expect_eq(config->retention.keep_ns[SS_PURGE_EVENTS], 0);
	cr_expect_eq(config->retention.keep_ns[SS_PURGE_JOURNALS], 0);
	cr_expect_eq(config->retention.keep_ns[SS_PURGE_REQUESTS], 3600000000000);
	cr_expect_eq(config->retention.keep_ns[SS_PURGE_DOCUMENTS], 30 * 86400000000000);
	cr_expect_eq(config->retention.every_ns, 3600000000000);
	config_free(config);
	config = good(NULL, "retention: {conversations: 365d, deliveries: 12h, every: 1s}\n");
	cr_expect_eq(config->retention.keep_ns[SS_PURGE_CONVERSATIONS], 365 * 86400000000000);
	cr_expect_eq(config->retention.keep_ns[SS_PURGE_DELIVERIES], 12 * 3600000000000);
	cr_expect_eq(config->retention.every_ns, 1000000000);
	config_free(config);
}

Test(config, refuses_to_keep_things_for_a_time_that_is_a_slip)
{
	refuses(NULL, "retention: {conversations: 30m}\n",
		"@:7:28: conversations must be from 1h to 36500d, not 30m; leave it out for the "
		"default\n");
	refuses(NULL, "retention: {events: 0s}\n",
		"@:7:21: events must be from 1h to 36500d, not 0s; leave it out for the default\n");
	refuses(NULL, "retention: {journals: 30}\n",
		"@:7:23: journals must be a duration such as 250ms, 2s, 5m, 24h or 7d, not "
		"\"30\"\n");
	refuses(NULL, "retention: {event: 30d}\n",
		"@:7:13: retention has no key \"event\" (did you mean \"events\"?)\n");
	refuses(NULL, "retention: {events: 30d, deliveries: 60d}\n",
		"@:7:38: deliveries are kept longer than events, with which they go; keep events "
		"as "
		"long\n");
}

Test(config, lets_nobody_in_whom_it_does_not_name)
{
	struct config *config = good(NULL, "");
	const struct config_access *access = &config->access;
	cr_expect_not(access->open_to_everybody);
	cr_expect_eq(access->host_count, 0);
	cr_expect_eq(access->origin_count, 0);
	cr_expect_eq(access->proxy_count, 0);
	cr_expect_eq(access->address_rate.count, 600);
	cr_expect_eq(access->address_rate.period_ns, 60000000000);
	cr_expect_eq(access->key_rate.count, 6000);
	cr_expect_eq(access->user_rate.count, 60);
	cr_expect_eq(access->request_lease_ns, 60000000000);
	cr_expect_eq(access->request_keep_ns, 86400000000000);
	config_free(config);
}

Test(config, names_those_who_may_reach_the_server)
{
	struct config *config =
		good(NULL, "server:\n"
			   "  open_to_everybody: true\n"
			   "  hosts: [Support.Example.com]\n"
			   "  trusted_proxies: [127.0.0.1, '10.0.0.0/8', '::1']\n"
			   "  cors: {origins: ['https://www.example.com', 'http://localhost:3000', "
			   "'https://[2001:db8::1]:8443']}\n"
			   "  limits: {address: 5/s, key: off, user: 1000/d}\n"
			   "  idempotency: {lease: 1s, keep: 48h}\n");
	const struct config_access *access = &config->access;
	cr_expect(access->open_to_everybody);
	cr_assert_eq(access->host_count, 1);
	cr_expect_str_eq(access->hosts[0], "support.example.com");
	cr_expect_eq(access->proxy_count, 3);
	cr_assert_eq(access->origin_count, 3);
	cr_expect_str_eq(access->origins[1], "http://localhost:3000");
	cr_expect_eq(access->address_rate.count, 5);
	cr_expect_eq(access->address_rate.period_ns, 1000000000);
	cr_expect_eq(access->key_rate.count, 0);
	cr_expect_eq(access->user_rate.period_ns, 86400000000000);
	cr_expect_eq(access->request_lease_ns, 1000000000);
	config_free(config);
}

Test(config, refuses_what_names_nobody)
{
	refuses(NULL, "server: {hosts: ['https://a.example']}\n",
		"@:7:18: \"https://a.example\" is no name of a host; write it without scheme and "
		"port, as in support.example.com\n");
	refuses(NULL, "server: {trusted_proxies: [nginx]}\n",
		"@:7:28: \"nginx\" is neither an address nor a network; write it as in 127.0.0.1 "
		"or "
		"10.0.0.0/8\n");
	refuses(NULL, "server: {cors: {origins: ['*']}}\n",
		"@:7:27: \"*\" is no origin as browsers send it; write scheme, host and, if it is "
		"not the scheme's own, the port, as in https://www.example.com\n");
	refuses(NULL, "server: {cors: {origins: ['https://a.example/']}}\n",
		"@:7:27: \"https://a.example/\" is no origin as browsers send it; write scheme, "
		"host "
		"and, if it is not the scheme's own, the port, as in https://www.example.com\n");
}

Test(config, refuses_limits_that_are_none)
{
	static const char *const texts[] = {"0/m", "-1/m", "600", "600/", "600/w", "600/mm",
		"1000001/m", "6e2/m", "on", "' 6/m'"};
	for (size_t i = 0; i < array_length(texts); i++) {
		char *more = memory_format("server: {limits: {user: %s}}\n", texts[i]);
		char *bare = memory_text(texts[i] + (texts[i][0] == '\''),
			strlen(texts[i]) - (texts[i][0] == '\'' ? 2 : 0));
		char *mistake = memory_format(
			"@:7:25: user must be a number from 1 to 1000000 and s, m, h or d, as in "
			"600/m, or off; not \"%s\"\n",
			bare);
		refuses(NULL, more, mistake);
		free(mistake);
		free(bare);
		free(more);
	}
}
