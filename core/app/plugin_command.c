/* `smartsupport plugin`: commands for who writes plugins. */
#include "app/plugin_command.h"

#include "app/command.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	const char *arguments;
	const char *summary;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"check", "FILE.so", "try whether a plugin keeps its contract", plugin_check},
	{"new", "NAME --kind KIND", "make a folder with a plugin, its build and its test",
		plugin_new},
	{"list", "", "list what the configuration loads", plugin_list},
};

static void print_help(FILE *stream)
{
	(void)fputs("Usage: smartsupport plugin COMMAND [OPTION…]\n\n"
		    "For who writes plugins.\n\nCommands:\n",
		stream);
	for (size_t i = 0; i < array_length(commands); i++)
		(void)fprintf(stream, "  %-10s %-18s %s\n", commands[i].name, commands[i].arguments,
			commands[i].summary);
	(void)fputs("\nsmartsupport plugin COMMAND --help tells a command's options.\n", stream);
}

int command_plugin(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
		print_help(stdout);
		return 0;
	}
	for (size_t i = 0; i < array_length(commands); i++) {
		if (strcmp(commands[i].name, name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	}
	if (name[0] != '\0')
		(void)fprintf(stderr, "smartsupport: plugin has no command \"%s\"\n\n", name);
	print_help(stderr);
	return 2;
}
