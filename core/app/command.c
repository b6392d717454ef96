#include "app/command.h"

#include "base/memory.h"
#include "config/environment.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usual_config[] = "config/smartsupport.yaml";

char *command_default_config(void)
{
	char path[PATH_MAX];
	const char *named = getenv("SMARTSUPPORT_CONFIG");
	if (named != NULL && named[0] != '\0')
		return memory_string(named);
	ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
	if (access(usual_config, F_OK) == 0 || length <= 0)
		return memory_string(usual_config);
	path[length] = '\0';
	*strrchr(path, '/') = '\0';
	char *beside = memory_format("%s/../%s", path, usual_config);
	if (access(beside, F_OK) == 0)
		return beside;
	free(beside);
	return memory_string(usual_config);
}

int command_arguments(int argc, char **argv, const char *help, bool takes_json,
	struct command_arguments *arguments)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'},
		{"json", no_argument, NULL, 'j'},
		{0},
	};
	int option;
	while ((option = getopt_long(argc, argv, "c:hj", options, NULL)) != -1) {
		if (option == 'h') {
			(void)fputs(help, stdout);
			return 0;
		}
		if (option == 'c')
			arguments->config = optarg;
		else if (option == 'j' && takes_json)
			arguments->json = true;
		else
			break;
	}
	if (option == -1 && optind == argc)
		return -1;
	(void)fputs(help, stderr);
	return 2;
}

/* Reads FILE (NULL: the default), if it is not STRICT with whatever mistakes it has; they are printed when that gives nothing. */
static struct config *read_config(const char *file, bool strict)
{
	struct diagnostics diagnostics = {0};
	struct config *config = NULL;
	char *usual = file == NULL ? command_default_config() : NULL;
	environment_load(".env", &diagnostics);
	if (diagnostics.count == 0)
		config = (strict ? config_load : config_read)(
			file != NULL ? file : usual, &diagnostics);
	if (config == NULL)
		diagnostics_print(&diagnostics, stderr);
	diagnostics_free(&diagnostics);
	free(usual);
	return config;
}

struct config *command_config(const char *file)
{
	return read_config(file, true);
}

struct config *command_config_as_it_is(const char *file)
{
	return read_config(file, false);
}
