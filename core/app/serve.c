/* `smartsupport serve`: the server. */
#include "app/command.h"
#include "app/master.h"

#include <getopt.h>
#include <stdlib.h>

static const char help[] =
	"Usage: smartsupport serve [--config FILE]\n\n"
	"Answers questions over HTTP until it is told to stop: SIGTERM or Ctrl-C lets it finish "
	"what it\n"
	"has, a second one ends it at once. SIGHUP takes over a changed configuration.\n\n"
	"  -c, --config FILE  the configuration to use\n"
	"  -h, --help         this text\n\n"
	"Variables: PORT, HOST, WORKERS, DATABASE_URL, LOG_LEVEL, LOG_FORMAT, MODEL_DIR, "
	"DOCS_DIR\n";

int command_serve(int argc, char **argv)
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
	int code = 1;
	struct config *config = command_config(file);
	if (config != NULL) {
		/* The workers, which need them, read the file again; here they would only be seen. */
		yaml_wipe_keys(config->document);
		code = master_run(config, file != NULL ? file : usual);
	}
	config_free(config);
	free(usual);
	return code;
}
