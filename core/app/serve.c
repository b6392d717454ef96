/* `smartsupport serve`: the server. */
#include "app/command.h"
#include "app/master.h"
#include "base/vault.h"
#include "config/secret_key.h"

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
	"DOCS_DIR, ENVIRONMENT, SECRET_KEY, SECRET_KEY_PREVIOUS\n";

/* Whether stored secrets can be kept; else says why not. The workers make what they need of the keys themselves. */
static bool check_secrets(void)
{
	struct diagnostics diagnostics = {0};
	struct vault *vault = NULL;
	bool good = secret_key_read(&vault, &diagnostics) == 0;
	diagnostics_print(&diagnostics, stderr);
	diagnostics_free(&diagnostics);
	vault_free(vault);
	return good;
}

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
	if (config != NULL && check_secrets()) {
		/* The workers, which need them, read the file again; here they would only be seen. */
		yaml_wipe_keys(config->document);
		code = master_run(config, file != NULL ? file : usual);
	}
	config_free(config);
	free(usual);
	return code;
}
