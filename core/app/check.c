/* `smartsupport check`: everything that a start would find wrong, all at once. */
#include "app/certificate.h"
#include "app/command.h"
#include "app/listener.h"
#include "app/openness.h"
#include "app/runtime.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/vault.h"
#include "config/environment.h"
#include "config/secret_key.h"
#include "http/tls.h"
#include "support/support.h"
#include "value/json.h"
#include "value/value.h"

#include <event2/event.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
	"Usage: smartsupport check [--json] [--config FILE] [--workflow FILE]\n\n"
	"Reads the configuration, the workflow, the articles, the heads, the model and the "
	"plugins,\n"
	"and prints every mistake as FILE:LINE:COLUMN: what is wrong. Exits with 1 when there is "
	"one.\n\n"
	"  -j, --json           print {mistakes: list of {file, line, column, message}, count,\n"
	"                       models: names of those that would answer, in order} as JSON\n"
	"  -w, --workflow FILE  check just this workflow, which need not be about support: any of "
	"its\n"
	"                       fields may be given when a turn starts, unless it is the "
	"configured "
	"one\n"
	"  -c, --config FILE    the configuration to check, or that names the plugins' folders\n"
	"  -h, --help           this text\n";

static void check_host(const struct config *config, struct diagnostics *diagnostics)
{
	struct ss_error err = {0};
	const struct yaml_node *server = yaml_get(config->document->root, "server");
	const struct yaml_node *host = yaml_get(server, "host");
	if (config->host[0] == '\0')
		return; /* a mistake that was told */
	if (listener_check(config->host, &err) < 0)
		yaml_mistake(config->document, host != NULL ? host : server, diagnostics, "%s",
			err.text);
	else
		openness_check(config, diagnostics);
}

static void check_certificate(const struct config *config, struct diagnostics *diagnostics)
{
	struct log log = log_new(STDERR_FILENO, SS_LOG_WARNING, false);
	struct http_tls *tls = NULL;
	if (certificate_read(config, &tls, diagnostics) == 0)
		certificate_warn(config, &log);
	http_tls_free(tls);
}

static void check_secrets(struct diagnostics *diagnostics)
{
	struct vault *vault = NULL;
	(void)secret_key_read(&vault, diagnostics);
	vault_free(vault);
}

/* Gives the names of the models that would answer, new; NULL when something is wrong. */
static struct ss_value *check_runtime(const struct config *config, struct diagnostics *diagnostics)
{
	struct log log = log_new(STDERR_FILENO, SS_LOG_WARNING, false);
	struct event_base *base = event_base_new();
	struct runtime *runtime = runtime_new(config, base, &log, NULL, RUNTIME_CHECK, diagnostics);
	struct ss_value *models = runtime != NULL ? runtime_models(runtime) : NULL;
	runtime_free(runtime);
	event_base_free(base);
	return models;
}

static void print_models(const struct ss_value *models)
{
	for (size_t i = 0; i < value_count(models); i++)
		(void)printf("%s %s", i == 0 ? "Questions are answered by" : ", then",
			value_as_string(value_at(models, i), NULL));
	if (value_count(models) > 0)
		(void)puts(".");
}

static void print_json(const struct diagnostics *diagnostics, const struct ss_value *models)
{
	struct ss_value **items = memory_array(diagnostics->count, sizeof(struct ss_value *));
	for (size_t i = 0; i < diagnostics->count; i++) {
		const struct diagnostic *one = &diagnostics->items[i];
		items[i] = value_map_make({"file", value_text(one->file)},
			{"line", value_int((int64_t)one->line)},
			{"column", value_int((int64_t)one->column)},
			{"message", value_text(one->text)});
	}
	struct ss_value *all = value_map_make({"mistakes", value_list(items, diagnostics->count)},
		{"count", value_int((int64_t)diagnostics->count)},
		{"models", models != NULL ? value_ref(models) : NULL});
	char *text = json_text(all);
	(void)puts(text);
	free(text);
	free(items);
	value_unref(all);
}

struct arguments {
	const char *config, *workflow;
	bool json;
};

static int report(const struct arguments *arguments, struct diagnostics *diagnostics,
	const struct ss_value *models)
{
	size_t count = diagnostics->count;
	const char *file = arguments->workflow != NULL ? arguments->workflow : arguments->config;
	diagnostics_sort(diagnostics);
	if (arguments->json) {
		print_json(diagnostics, models);
	} else {
		diagnostics_print(diagnostics, stderr);
		if (count == 0)
			print_models(models);
		if (count == 0)
			(void)printf("%s is right, and so is everything that it names.\n", file);
		else
			(void)fprintf(stderr, "%zu mistake%s\n", count, count == 1 ? "" : "s");
	}
	return count == 0 ? 0 : 1;
}

/* Whether FILE is the workflow that answers questions, which says what its turns are given. */
static bool is_configured(const struct config *config, const char *file)
{
	char path[PATH_MAX], configured[PATH_MAX];
	return realpath(file, path) != NULL && realpath(config->workflow, configured) != NULL &&
	       strcmp(path, configured) == 0;
}

/* A workflow by itself: a mistake of the configuration is one only if it hides the plugins. */
static void check_workflow(
	const struct config *config, const char *file, struct diagnostics *diagnostics)
{
	struct log log = log_new(STDERR_FILENO, SS_LOG_ERROR, false);
	struct event_base *base = event_base_new();
	struct runtime *runtime = runtime_new_bare(config, base, &log, false, diagnostics);
	bool configured = is_configured(config, file);
	const struct runtime_workflow workflow = {
		.file = file, .inputs = configured ? support_inputs : NULL, .look = true};
	(void)runtime_load(runtime, &workflow, diagnostics);
	if (configured && runtime_graph(runtime) != NULL)
		(void)support_check(runtime_graph(runtime), diagnostics);
	runtime_free(runtime);
	event_base_free(base);
}

static int check(const struct arguments *arguments)
{
	struct diagnostics diagnostics = {0};
	struct ss_value *models = NULL;
	environment_load(".env", &diagnostics);
	/* A mistake in one place does not hide those in others. */
	struct config *config = config_read(arguments->config, &diagnostics);
	if (arguments->workflow == NULL)
		check_secrets(&diagnostics);
	if (config != NULL && arguments->workflow != NULL) {
		check_workflow(config, arguments->workflow, &diagnostics);
	} else if (config != NULL) {
		check_host(config, &diagnostics);
		check_certificate(config, &diagnostics);
		models = check_runtime(config, &diagnostics);
	}
	int code = report(arguments, &diagnostics, models);
	value_unref(models);
	config_free(config);
	diagnostics_free(&diagnostics);
	return code;
}

int command_check(int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{"workflow", required_argument, NULL, 'w'},
		{"config", required_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct arguments arguments = {0};
	int option;
	while ((option = getopt_long(argc, argv, "jw:c:h", options, NULL)) != -1) {
		if (option == 'h') {
			(void)fputs(help, stdout);
			return 0;
		}
		if (option == 'j')
			arguments.json = true;
		else if (option == 'w')
			arguments.workflow = optarg;
		else if (option == 'c')
			arguments.config = optarg;
		else
			break;
	}
	if (option != -1 || optind < argc) {
		(void)fputs(help, stderr);
		return 2;
	}
	char *usual = arguments.config == NULL ? command_default_config() : NULL;
	if (usual != NULL)
		arguments.config = usual;
	int code = check(&arguments);
	free(usual);
	return code;
}
