/* `smartsupport schema`: the JSON Schema of workflow files, for editors. */
#include "app/command.h"
#include "app/runtime.h"
#include "graph/schema.h"
#include "value/json.h"
#include "value/value.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char help[] =
	"Usage: smartsupport schema [--config FILE]\n\n"
	"Prints the JSON Schema of workflow files with the agents that the configuration finds. "
	"An\n"
	"editor completes and checks a workflow that begins with\n"
	"    # yaml-language-server: $schema=workflow.schema.json\n\n"
	"  -c, --config FILE  the configuration that names the plugins' folders\n"
	"  -h, --help         this text\n";

static int print_schema(const struct config *config)
{
	struct ss_error err = {0};
	struct plugins *plugins = runtime_plugins(config, false);
	struct ss_value *schema = graph_schema(plugins, &err);
	if (schema != NULL) {
		char *text = json_text_indented(schema);
		(void)puts(text);
		free(text);
	} else {
		(void)fprintf(stderr, "smartsupport: %s\n", err.text);
	}
	int code = schema != NULL ? 0 : 1;
	value_unref(schema);
	plugins_free(plugins);
	return code;
}

int command_schema(int argc, char **argv)
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
		if (option != 'c')
			break;
		file = optarg;
	}
	if (option != -1 || optind < argc) {
		(void)fputs(help, stderr);
		return 2;
	}
	struct config *config = command_config(file);
	int code = config != NULL ? print_schema(config) : 1;
	config_free(config);
	return code;
}
