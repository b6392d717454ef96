/* The commands of the program. Each is called with its own arguments (argv[0] is its name) and returns
 * the exit code: 0, 1 when something is wrong, 2 when the arguments are. */
#ifndef APP_COMMAND_H
#define APP_COMMAND_H

#include "config/config.h"

int command_serve(int argc, char **argv);
int command_reload(int argc, char **argv);
int command_status(int argc, char **argv);
int command_ask(int argc, char **argv);
int command_run(int argc, char **argv);
int command_graph(int argc, char **argv);
int command_schema(int argc, char **argv);
int command_check(int argc, char **argv);
int command_turns(int argc, char **argv);
int command_unanswered(int argc, char **argv);
int command_replay(int argc, char **argv);
int command_eval(int argc, char **argv);
int command_train(int argc, char **argv);
int command_expr(int argc, char **argv);
int command_plugin(int argc, char **argv);
int command_migrate(int argc, char **argv);
int command_backup(int argc, char **argv);
int command_verify(int argc, char **argv);
int command_keys(int argc, char **argv);
int command_user(int argc, char **argv);
int command_version(int argc, char **argv);

/* The configuration file that is used when none is named: $SMARTSUPPORT_CONFIG, else
 * config/smartsupport.yaml in the working folder, else the same beside the program's folder. New. */
char *command_default_config(void);

/* What the arguments of a command are that takes nothing else. */
struct command_arguments {
	const char *config; /* NULL: the default */
	bool json;
};

/* Reads --config, --help and, where the command TAKES_JSON, --json. Returns -1 to go on, else the exit code, with HELP printed. */
int command_arguments(int argc, char **argv, const char *help, bool takes_json,
	struct command_arguments *arguments);

/* Reads FILE (NULL: the default), after the .env file of the working folder; prints the mistakes and
 * returns NULL when there are any. */
struct config *command_config(const char *file);
/* The same with whatever mistakes it has, as long as it is YAML: for what needs only some of it. */
struct config *command_config_as_it_is(const char *file);

#endif
