/* `smartsupport check`: everything that a start would find wrong, all at once. */
#include "app/command.h"
#include "app/listener.h"
#include "app/runtime.h"
#include "base/log.h"
#include "base/memory.h"
#include "config/environment.h"

#include <event2/event.h>
#include <getopt.h>
#include <stdlib.h>
#include <unistd.h>

static const char help[] = "Usage: smartsupport check [--config FILE]\n\n"
			   "Reads the configuration, the workflow, the articles, the heads, the "
			   "model and the plugins,\n"
			   "and prints every mistake as FILE:LINE:COLUMN: what is wrong. Exits "
			   "with 1 when there is one.\n\n"
			   "  -c, --config FILE  the configuration to check\n"
			   "  -h, --help         this text\n";

static void check_host(const struct config *config, struct diagnostics *diagnostics)
{
	struct ss_error err = {0};
	const struct yaml_node *server = yaml_get(config->document->root, "server");
	const struct yaml_node *host = yaml_get(server, "host");
	if (config->host[0] != '\0' && listener_check(config->host, &err) < 0)
		yaml_mistake(config->document, host != NULL ? host : server, diagnostics, "%s",
			err.text);
}

static void check_runtime(const struct config *config, struct diagnostics *diagnostics)
{
	struct log log = log_new(STDERR_FILENO, SS_LOG_ERROR, false);
	struct event_base *base = event_base_new();
	runtime_free(runtime_new(config, base, &log, RUNTIME_CHECK, diagnostics));
	event_base_free(base);
}

static int check(const char *file)
{
	struct diagnostics diagnostics = {0};
	environment_load(".env", &diagnostics);
	/* A mistake in one place does not hide those in others. */
	struct config *config = config_read(file, &diagnostics);
	if (config != NULL) {
		check_host(config, &diagnostics);
		check_runtime(config, &diagnostics);
	}
	size_t count = diagnostics.count;
	diagnostics_print(&diagnostics, stderr);
	if (count == 0)
		(void)printf("%s is right, and so is everything that it names.\n", file);
	else
		(void)fprintf(stderr, "%zu mistake%s\n", count, count == 1 ? "" : "s");
	config_free(config);
	diagnostics_free(&diagnostics);
	return count == 0 ? 0 : 1;
}

int command_check(int argc, char **argv)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	const char *file = NULL;
	int option;
	while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		if (option == 'h') {
			(void)fputs(help, stdout);
			return 0;
		}
		if (option != 'c') {
			(void)fputs(help, stderr);
			return 2;
		}
		file = optarg;
	}
	if (optind < argc) {
		(void)fputs(help, stderr);
		return 2;
	}
	char *usual = file == NULL ? command_default_config() : NULL;
	int code = check(file != NULL ? file : usual);
	free(usual);
	return code;
}
