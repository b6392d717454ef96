/* The command line: finds the command and runs it. */
#include "app/command.h"
#include "base/memory.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	const char *arguments;
	const char *summary;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"serve", "", "answer questions over HTTP", command_serve},
	{"reload", "", "have the running server take over its changed configuration",
		command_reload},
	{"status", "", "tell how the running server is, and its last reload", command_status},
	{"ask", "QUESTION", "answer one question here and show the reasoning", command_ask},
	{"run", "FILE", "run any workflow here and show its outcome", command_run},
	{"graph", "[FILE]", "draw a workflow as Mermaid, DOT or SVG", command_graph},
	{"turns", "", "show stored turns, and go on with them", command_turns},
	{"replay", "TURN", "run a stored turn again and show the difference", command_replay},
	{"unanswered", "", "list the questions that the articles have no answer to",
		command_unanswered},
	{"schema", "", "print the JSON Schema of workflow files", command_schema},
	{"check", "", "check the configuration, the workflow and the plugins", command_check},
	{"eval", "FILE", "measure the answers to labelled questions", command_eval},
	{"train", "", "make a head from labelled texts", command_train},
	{"expr", "EXPR", "evaluate an expression, as conditions have them", command_expr},
	{"plugin", "check", "try whether a plugin keeps its contract", command_plugin},
	{"migrate", "", "bring the store's schema up to date", command_migrate},
	{"backup", "FILE", "copy all that is stored, while servers go on", command_backup},
	{"verify", "", "check whether what is stored is sound", command_verify},
	{"keys", "create", "make, list and revoke API keys", command_keys},
	{"user", "export ID", "hand over or erase all that is stored of a user", command_user},
	{"version", "", "print the version", command_version},
};

static void print_help(FILE *stream)
{
	(void)fputs("SmartSupport answers customers' questions.\n\n"
		    "Usage: smartsupport COMMAND [OPTION…]\n\nCommands:\n",
		stream);
	for (size_t i = 0; i < array_length(commands); i++)
		(void)fprintf(stream, "  %-10s %-9s %s\n", commands[i].name, commands[i].arguments,
			commands[i].summary);
	(void)fputs("\nsmartsupport COMMAND --help tells a command's options.\n"
		    "The configuration is config/smartsupport.yaml, or $SMARTSUPPORT_CONFIG.\n",
		stream);
}

/* What was printed has arrived, or the command has failed after all. */
static int close_output(int code)
{
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return code;
	(void)fprintf(
		stderr, "smartsupport: the output could not be written: %s\n", strerror(errno));
	return code != 0 ? code : 1;
}

static int run(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
		print_help(stdout);
		return 0;
	}
	if (strcmp(name, "--version") == 0)
		return command_version(argc - 1, argv + 1);
	for (size_t i = 0; i < array_length(commands); i++) {
		if (strcmp(commands[i].name, name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	}
	if (name[0] != '\0')
		(void)fprintf(stderr, "smartsupport: there is no command \"%s\"\n\n", name);
	print_help(stderr);
	return 2;
}

int main(int argc, char **argv)
{
	/* A peer that goes away, and a file that may not grow, are errors of a write, not the end of the process. */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	return close_output(run(argc, argv));
}
