/* `smartsupport reload` and `smartsupport status`: the server that runs with a configuration, from the terminal. */
#include "app/command.h"

#include "app/generation_file.h"
#include "app/play.h"
#include "base/clock.h"
#include "service/generations.h"
#include "value/value.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char reload_help[] =
	"Usage: smartsupport reload\n\n"
	"Has the server that runs with this configuration take it over anew, as SIGHUP does, and\n"
	"waits until it has. When anything is wrong it says what; the old configuration serves "
	"on,\n"
	"and the exit code is 1.\n\n"
	"  -c, --config FILE  the server's configuration; by default config/smartsupport.yaml\n"
	"  -h, --help         this text\n";

static const char status_help[] =
	"Usage: smartsupport status [--json]\n\n"
	"Tells whether a server runs with this configuration, since when its generation serves,\n"
	"and how its last reload ended. Exits with 1 when there is none.\n\n"
	"  -j, --json         print {pid, address, generation, since, reload, ended, reloads, "
	"refused,\n"
	"                     errors} as JSON\n"
	"  -c, --config FILE  the server's configuration; by default config/smartsupport.yaml\n"
	"  -h, --help         this text\n";

/* A server that runs. */
struct server {
	struct config *config;
	char *file;
	struct generations *generations; /* NULL: none runs */
};

/* Opens the file of SERVER, if it has one that a server has. */
static bool open_server(struct server *server)
{
	struct ss_error err = {0};
	if (server->file != NULL)
		server->generations = generations_open(server->file, &err);
	return server->generations != NULL;
}

/* False and a message when CONFIG cannot be read. Mistakes in it are for the server to tell, a changed address as well: so when
 * none has this one, it is the only one that runs with the file. */
static bool find_server(struct server *server, const char *config)
{
	size_t count = 0;
	*server = (struct server){.config = command_config_as_it_is(config)};
	if (server->config == NULL)
		return false;
	char *usual = config == NULL ? command_default_config() : NULL;
	const char *path = config != NULL ? config : usual;
	server->file = generation_file(server->config, path);
	if (!open_server(server)) {
		free(server->file);
		server->file = generation_file_of_another(server->config, path, &count);
		if (count == 1)
			(void)open_server(server);
	}
	free(usual);
	if (server->generations != NULL)
		return true;
	(void)fprintf(stderr,
		"smartsupport: no server of this user runs with this configuration on %s:%lld",
		server->config->host, (long long)server->config->port);
	if (count > 1)
		(void)fprintf(stderr,
			"; %zu run with it elsewhere: say which by HOST and PORT, as they were "
			"started",
			count);
	(void)fputc('\n', stderr);
	return false;
}

static void leave_server(struct server *server)
{
	generations_free(server->generations);
	free(server->file);
	config_free(server->config);
}

/* Whether the server is still there. */
static bool runs(const struct server *server)
{
	struct ss_error err = {0};
	struct generations *again = generations_open(server->file, &err);
	generations_free(again);
	return again != NULL;
}

/* Waits until so many reloads have FINISHED. False when the server ends before. */
static bool wait_for_end(
	const struct server *server, int64_t finished, struct generation_state *state)
{
	const struct timespec pause = {.tv_nsec = 20000000};
	generations_read(server->generations, state);
	while (state->finished < finished) {
		if (!runs(server))
			return false;
		(void)nanosleep(&pause, NULL);
		generations_read(server->generations, state);
	}
	return true;
}

static int reload(const struct server *server)
{
	struct generation_state state;
	int64_t next = generations_next(server->generations);
	generations_read(server->generations, &state);
	if (kill(state.master, SIGHUP) < 0) {
		(void)fprintf(stderr, "smartsupport: process %d cannot be told: %s\n", state.master,
			strerror(errno));
		return 1;
	}
	if (!wait_for_end(server, next, &state)) {
		(void)fputs("smartsupport: the server ended meanwhile\n", stderr);
		return 1;
	}
	if (state.reload != RELOAD_REFUSED) {
		(void)printf("The new configuration has taken over: generation %lld.\n",
			(long long)state.number);
		return 0;
	}
	size_t length = strlen(state.error);
	(void)fprintf(stderr, "%s%sThe old configuration still serves.\n", state.error,
		length > 0 && state.error[length - 1] == '\n' ? "" : "\n");
	return 1;
}

static void print_json(const struct generation_state *state)
{
	struct ss_value *value = generation_value(state);
	struct ss_value *pid = value_map_with(value, "pid", value_int(state->master));
	struct ss_value *all = value_map_with(pid, "address", value_text(state->address));
	play_print_json(all);
	value_unref(all);
	value_unref(pid);
	value_unref(value);
}

static void print(const struct generation_state *state)
{
	char time[CLOCK_TEXT_SIZE];
	(void)printf("Server      process %d, %s\n", state->master, state->address);
	if (state->number == 0)
		(void)puts("Generation  none yet: the server is starting");
	else
		(void)printf("Generation  %lld, since %s\n", (long long)state->number,
			clock_format(state->since_ns, time));
	(void)printf("Reloads     %lld, %lld of them refused\n", (long long)state->finished,
		(long long)state->refused);
	if (state->reload == RELOAD_UNDER_WAY)
		(void)puts("Last        under way");
	else if (state->reload != RELOAD_NONE)
		(void)printf("Last        %s, %s\n",
			state->reload == RELOAD_REFUSED ? "refused" : "taken over",
			clock_format(state->ended_ns, time));
	(void)fputs(state->error, stdout);
}

static int status(const struct server *server, bool json)
{
	struct generation_state state;
	generations_read(server->generations, &state);
	if (json)
		print_json(&state);
	else
		print(&state);
	return 0;
}

int command_reload(int argc, char **argv)
{
	struct server server;
	struct command_arguments arguments = {0};
	int code = command_arguments(argc, argv, reload_help, false, &arguments);
	if (code >= 0)
		return code;
	code = find_server(&server, arguments.config) ? reload(&server) : 1;
	leave_server(&server);
	return code;
}

int command_status(int argc, char **argv)
{
	struct server server;
	struct command_arguments arguments = {0};
	int code = command_arguments(argc, argv, status_help, true, &arguments);
	if (code >= 0)
		return code;
	code = find_server(&server, arguments.config) ? status(&server, arguments.json) : 1;
	leave_server(&server);
	return code;
}
