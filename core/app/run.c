/* `smartsupport run`: runs any workflow once, in the terminal, and prints what came of it. */
#include "app/command.h"
#include "app/play.h"
#include "app/runtime.h"
#include "base/id.h"
#include "base/log.h"
#include "graph/graph.h"
#include "value/value.h"

#include <event2/event.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
	"Usage: smartsupport run FILE [OPTION…]\n\n"
	"Runs the workflow FILE and prints its final state and what happened. Nothing is stored\n"
	"without --keep.\n\n"
	"  -i, --input JSON    the fields that the turn starts with, as in '{\"message\": "
	"\"hi\"}'\n"
	"  -j, --json          print {state, trace, status, error} as JSON\n"
	"  -s, --stream[=EVENT,…]  print what happens while it happens, as lines of JSON\n"
	"  -a, --answer [ID=]VALUE  what an interrupt is answered with, as JSON: once for each, by "
	"its id or in "
	"order\n"
	"  -k, --keep[=ID]     store the turn as the workflow's durability says; see\n"
	"                      smartsupport turns\n"
	"      --seed N        let what happens side by side end in an order that N decides, and\n"
	"                      waits take no time: the outcome must not depend on N\n"
	"  -p, --plugins FOLDER  look for plugins there first, as in FOLDER/agents/NAME.so\n"
	"  -c, --config FILE   the configuration that names the plugins' folders and the models\n"
	"  -h, --help          this text\n\n"
	"Exits with 1 when the workflow is wrong or fails, with 3 when it waits for an answer.\n";

enum { ANSWERS_LIMIT = 1000 };

struct arguments {
	const char *file, *config, *input, *plugins;
	const char *answers[ANSWERS_LIMIT];
	size_t answer_count;
	bool json, keep;
	unsigned stream;
	const char *id; /* under which it is kept */
	uint64_t seed;
};

static int play(const struct arguments *arguments, struct event_base *base, struct runtime *runtime,
	const struct log *log, const struct ss_value *input)
{
	char id[ID_SIZE];
	const struct play play = {
		.base = base,
		.answers = arguments->answers,
		.answer_count = arguments->answer_count,
		.json = arguments->json,
		.stream = arguments->stream,
	};
	const struct turn_options options = {
		.input = input,
		.log = log,
		.id = !arguments->keep        ? NULL
		      : arguments->id != NULL ? arguments->id
					      : id_new("turn_", id),
	};
	if (arguments->keep && runtime_graph(runtime)->durability == GRAPH_DURABLE_NONE) {
		(void)fprintf(stderr,
			"smartsupport: %s: its durability is none, so no turn of it is kept; "
			"write durability: node (or turn) into it\n",
			arguments->file);
		return 1;
	}
	return play_turn(&play, runtime_engine(runtime), &options);
}

static int run(const struct arguments *arguments, const struct config *config,
	const struct ss_value *input)
{
	int code = 1;
	struct diagnostics diagnostics = {0};
	struct log log = log_new(STDERR_FILENO, SS_LOG_ERROR, false);
	struct event_base *base = event_base_new();
	const char **inputs = play_inputs(input);
	const struct runtime_workflow workflow = {
		.file = arguments->file, .inputs = inputs, .shuffle = arguments->seed};
	struct runtime *runtime =
		runtime_new_bare(config, base, &log, arguments->keep, &diagnostics);
	if (runtime != NULL && runtime_load(runtime, &workflow, &diagnostics) == 0)
		code = play(arguments, base, runtime, &log, input);
	runtime_free(runtime);
	event_base_free(base);
	diagnostics_print(&diagnostics, stderr);
	diagnostics_free(&diagnostics);
	free(inputs);
	return code;
}

/* Returns 0, or the exit code plus one when there is nothing more to do. */
static int read_arguments(int argc, char **argv, struct arguments *arguments)
{
	enum { SEED = 256 };
	static const struct option options[] = {
		{"input", required_argument, NULL, 'i'},
		{"json", no_argument, NULL, 'j'},
		{"stream", optional_argument, NULL, 's'},
		{"answer", required_argument, NULL, 'a'},
		{"keep", optional_argument, NULL, 'k'},
		{"seed", required_argument, NULL, SEED},
		{"plugins", required_argument, NULL, 'p'},
		{"config", required_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option;
	char *end = NULL;
	while ((option = getopt_long(argc, argv, "i:jsa:kp:c:h", options, NULL)) != -1) {
		switch (option) {
		case 'i':
			arguments->input = optarg;
			break;
		case 'j':
			arguments->json = true;
			break;
		case 's':
			arguments->stream = play_events(optarg);
			if (arguments->stream == 0)
				return 3;
			break;
		case 'a':
			if (arguments->answer_count < ANSWERS_LIMIT)
				arguments->answers[arguments->answer_count++] = optarg;
			break;
		case 'k':
			arguments->keep = true;
			arguments->id = optarg;
			break;
		case SEED:
			arguments->seed = strtoull(optarg, &end, 10);
			if (end == optarg || *end != '\0' || arguments->seed == 0) {
				(void)fprintf(stderr,
					"smartsupport: --seed takes a whole number from 1, not "
					"\"%s\"\n",
					optarg);
				return 3;
			}
			break;
		case 'p':
			arguments->plugins = optarg;
			break;
		case 'c':
			arguments->config = optarg;
			break;
		case 'h':
			(void)fputs(help, stdout);
			return 1;
		default:
			(void)fputs(help, stderr);
			return 3;
		}
	}
	if (optind + 1 == argc) {
		arguments->file = argv[optind];
		return 0;
	}
	(void)fprintf(stderr, "smartsupport: run takes one workflow file\n\n%s", help);
	return 3;
}

int command_run(int argc, char **argv)
{
	struct arguments arguments = {0};
	int done = read_arguments(argc, argv, &arguments);
	if (done > 0)
		return done - 1;
	struct ss_value *input = play_read_map("--input", arguments.input);
	if (input == NULL)
		return 1;
	struct config *config = command_config(arguments.config);
	if (config != NULL && arguments.plugins != NULL)
		config_prefer_plugins(config, arguments.plugins);
	int code = config != NULL ? run(&arguments, config, input) : 1;
	config_free(config);
	value_unref(input);
	return code;
}
