/* `smartsupport check`: everything that a start would find wrong, all at once. */
#include "app/command.h"
#include "app/runtime.h"
#include "base/log.h"
#include "base/memory.h"

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

static int check(const struct config *config)
{
	struct diagnostics diagnostics = {0};
	struct log log = log_new(STDERR_FILENO, SS_LOG_ERROR, false);
	struct event_base *base = event_base_new();
	struct runtime *runtime = runtime_new(config, base, &log, RUNTIME_CHECK, &diagnostics);
	bool good = runtime != NULL && diagnostics.count == 0;
	runtime_free(runtime);
	event_base_free(base);
	diagnostics_print(&diagnostics, stderr);
	if (good)
		(void)printf("%s is right, and so is everything that it names.\n",
			config->document->file);
	else
		(void)fprintf(stderr, "%zu mistake%s\n", diagnostics.count,
			diagnostics.count == 1 ? "" : "s");
	diagnostics_free(&diagnostics);
	return good ? 0 : 1;
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
	struct config *config = command_config(file);
	if (config == NULL)
		return 1;
	int code = check(config);
	config_free(config);
	return code;
}
