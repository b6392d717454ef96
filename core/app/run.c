/* `smartsupport run`: runs any workflow once, in the terminal, and prints what came of it. */
#include "app/command.h"
#include "app/runtime.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "engine/engine.h"
#include "value/json.h"
#include "value/value.h"

#include <event2/event.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
	"Usage: smartsupport run FILE [OPTION…]\n\n"
	"Runs the workflow FILE and prints its final state and what happened. Nothing is "
	"stored.\n\n"
	"  -i, --input JSON    the fields that the turn starts with, as in '{\"message\": "
	"\"hi\"}'\n"
	"  -j, --json          print {state, trace, status, error} as JSON\n"
	"  -s, --stream        print what happens while it happens, as lines of JSON\n"
	"  -a, --answer VALUE  what an interrupt is answered with, as JSON: once for each, in "
	"order\n"
	"      --seed N        let what happens side by side end in an order that N decides, and\n"
	"                      waits take no time: the outcome must not depend on N\n"
	"  -c, --config FILE   the configuration that names the plugins' folders and the models\n"
	"  -h, --help          this text\n\n"
	"Exits with 1 when the workflow is wrong or fails, with 3 when it waits for an answer.\n";

enum { INPUT_LIMIT = 64 * 1024 * 1024, ANSWERS_LIMIT = 1000 };

struct arguments {
	const char *file, *config, *input;
	const char *answers[ANSWERS_LIMIT];
	size_t answer_count;
	bool json, stream;
	uint64_t seed;
};

struct running {
	const struct arguments *arguments;
	struct event_base *base;
	size_t answered;
	struct ss_error err; /* of an answer that does not fit */
};

/* Answers the first interrupt. Returns whether the turn goes on. */
static bool answer(struct running *running, struct turn *turn)
{
	const struct arguments *arguments = running->arguments;
	if (running->answered == arguments->answer_count)
		return false;
	const char *text = arguments->answers[running->answered++];
	struct ss_value *value = json_parse(text, strlen(text), &running->err);
	if (value == NULL)
		return false;
	struct ss_value *interrupts = turn_interrupts(turn);
	const char *id = value_as_string(value_get(value_at(interrupts, 0), "id"), NULL);
	struct ss_value *answers = value_map_make({id, value});
	int resumed = turn_resume(turn, answers, &running->err);
	value_unref(answers);
	value_unref(interrupts);
	return resumed == 0;
}

static void on_over(void *context, struct turn *turn)
{
	struct running *running = context;
	if (turn_status(turn) != TURN_INTERRUPTED || !answer(running, turn))
		(void)event_base_loopbreak(running->base);
}

static void on_event(void *context, struct turn *turn, const struct ss_value *event)
{
	char *text = json_text(event);
	(void)context;
	(void)turn;
	(void)puts(text);
	(void)fflush(stdout);
	free(text);
}

static const char *status_name(const struct turn *turn)
{
	static const char *const names[] = {[TURN_RUNNING] = "running",
		[TURN_DONE] = "done",
		[TURN_FAILED] = "failed",
		[TURN_INTERRUPTED] = "interrupted"};
	return names[turn_status(turn)];
}

static void print_json(struct turn *turn)
{
	const struct ss_error *err = turn_error(turn);
	bool asks = turn_status(turn) == TURN_INTERRUPTED;
	struct ss_value *all = value_map_make({"state", turn_state(turn)},
		{"trace", turn_trace(turn)}, {"status", value_text(status_name(turn))},
		{"error", err != NULL ? value_text(err->text) : value_null()},
		{"interrupts", asks ? turn_interrupts(turn) : NULL});
	char *text = json_text(all);
	(void)puts(text);
	free(text);
	value_unref(all);
}

static void print_entry(const struct ss_value *entry, int depth)
{
	const struct ss_value *error = value_get(entry, "error");
	const struct ss_value *inner = value_get(entry, "inner");
	const struct ss_value *taken = value_get(entry, "taken");
	const struct ss_value *took = value_get(entry, "duration_ms");
	(void)printf("  %*s%-16s %-11s", depth * 2, "",
		value_as_string(value_get(entry, "node"), NULL),
		value_as_string(value_get(entry, "status"), NULL));
	if (took != NULL)
		(void)printf(" %8.3f ms", value_as_number(took));
	for (size_t i = 0; i < value_count(taken); i++) {
		const struct ss_value *way = value_at(taken, i);
		const struct ss_value *when = value_get(way, "when");
		(void)printf("%s %s", i == 0 ? "  ->" : ",",
			value_as_string(value_get(way, "to"), NULL));
		if (when != NULL)
			(void)printf(" (%s)", value_as_string(when, NULL));
	}
	(void)putchar('\n');
	if (error != NULL)
		(void)printf("  %*s  %s\n", depth * 2, "", value_as_string(error, NULL));
	for (size_t i = 0; i < value_count(inner); i++) {
		const struct ss_value *one = value_at(inner, i);
		if (value_type(one) == SS_MAP)
			print_entry(one, depth + 1);
		for (size_t j = 0; value_type(one) == SS_LIST && j < value_count(one); j++)
			print_entry(value_at(one, j), depth + 1);
	}
}

static void print_map(const char *title, const struct ss_value *map)
{
	(void)printf("%s\n", title);
	for (size_t i = 0; i < value_count(map); i++) {
		char *text = json_text(value_at(map, i));
		(void)printf("  %-16s %s\n", value_key_at(map, i), text);
		free(text);
	}
}

static void print_text(struct turn *turn)
{
	struct ss_value *state = turn_state(turn);
	struct ss_value *trace = turn_trace(turn);
	struct ss_value *interrupts = turn_interrupts(turn);
	print_map("State", state);
	(void)puts("\nTrace");
	for (size_t i = 0; i < value_count(trace); i++)
		print_entry(value_at(trace, i), 0);
	(void)printf("\nStatus  %s\n", status_name(turn));
	for (size_t i = 0; i < value_count(interrupts); i++) {
		const struct ss_value *one = value_at(interrupts, i);
		char *payload = json_text(value_get(one, "payload"));
		(void)printf("  %s waits %s: %s\n", value_as_string(value_get(one, "node"), NULL),
			value_as_string(value_get(one, "when"), NULL), payload);
		free(payload);
	}
	value_unref(interrupts);
	value_unref(trace);
	value_unref(state);
}

static int print_outcome(const struct arguments *arguments, struct turn *turn)
{
	if (arguments->json)
		print_json(turn);
	else if (!arguments->stream)
		print_text(turn);
	if (turn_error(turn) != NULL)
		(void)fprintf(stderr, "smartsupport: %s\n", turn_error(turn)->text);
	if (turn_status(turn) == TURN_INTERRUPTED)
		return 3;
	return turn_error(turn) != NULL ? 1 : 0;
}

static int run_turn(struct running *running, struct runtime *runtime, const struct log *log,
	const struct ss_value *input)
{
	struct ss_error err = {0};
	const struct turn_options options = {
		.input = input,
		.log = log,
		.over = on_over,
		.event = running->arguments->stream ? on_event : NULL,
		.events = ~0u,
		.context = running,
	};
	struct turn *turn = turn_start(runtime_engine(runtime), &options, &err);
	if (turn == NULL) {
		(void)fprintf(stderr, "smartsupport: %s\n", err.text);
		return 1;
	}
	(void)event_base_loop(running->base, EVLOOP_NO_EXIT_ON_EMPTY);
	int code = print_outcome(running->arguments, turn);
	if (running->err.status != SS_OK) {
		(void)fprintf(stderr, "smartsupport: the answer %s: %s\n",
			running->arguments->answers[running->answered - 1], running->err.text);
		code = 1;
	}
	turn_free(turn);
	return code;
}

/* The names of the fields that INPUT gives; ends with NULL. */
static const char **input_names(const struct ss_value *input)
{
	const char **names = memory_array(value_count(input) + 1, sizeof *names);
	for (size_t i = 0; i < value_count(input); i++)
		names[i] = value_key_at(input, i);
	return names;
}

static int run(const struct arguments *arguments, const struct config *config,
	const struct ss_value *input)
{
	int code = 1;
	struct diagnostics diagnostics = {0};
	struct log log = log_new(STDERR_FILENO, SS_LOG_ERROR, false);
	struct running running = {.arguments = arguments, .base = event_base_new()};
	const char **inputs = input_names(input);
	const struct runtime_workflow workflow = {
		.file = arguments->file, .inputs = inputs, .shuffle = arguments->seed};
	struct runtime *runtime =
		runtime_new_for(config, running.base, &log, &workflow, &diagnostics);
	if (runtime != NULL)
		code = run_turn(&running, runtime, &log, input);
	runtime_free(runtime);
	event_base_free(running.base);
	diagnostics_print(&diagnostics, stderr);
	diagnostics_free(&diagnostics);
	free(inputs);
	return code;
}

/* The input, from the command line or, as @FILE, from a file; NULL when it is no JSON object. */
static struct ss_value *read_input(const char *given)
{
	struct ss_error err = {0};
	struct ss_value *input = NULL;
	char *text = NULL;
	size_t length = given != NULL ? strlen(given) : 0;
	if (given == NULL)
		return value_map(NULL, NULL, 0);
	if (given[0] == '@' && file_read(given + 1, INPUT_LIMIT, &text, &length, &err) < 0)
		goto done;
	input = json_parse(text != NULL ? text : given, length, &err);
	if (input != NULL && value_type(input) != SS_MAP) {
		value_unref(input);
		input = NULL;
		(void)ss_fail(&err, "it must be an object, as in {\"message\": \"hi\"}");
	}
done:
	if (input == NULL)
		(void)fprintf(stderr, "smartsupport: --input: %s\n", err.text);
	free(text);
	return input;
}

/* Returns 0, or the exit code plus one when there is nothing more to do. */
static int read_arguments(int argc, char **argv, struct arguments *arguments)
{
	enum { SEED = 256 };
	static const struct option options[] = {
		{"input", required_argument, NULL, 'i'},
		{"json", no_argument, NULL, 'j'},
		{"stream", no_argument, NULL, 's'},
		{"answer", required_argument, NULL, 'a'},
		{"seed", required_argument, NULL, SEED},
		{"config", required_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option;
	char *end = NULL;
	while ((option = getopt_long(argc, argv, "i:jsa:c:h", options, NULL)) != -1) {
		switch (option) {
		case 'i':
			arguments->input = optarg;
			break;
		case 'j':
			arguments->json = true;
			break;
		case 's':
			arguments->stream = true;
			break;
		case 'a':
			if (arguments->answer_count < ANSWERS_LIMIT)
				arguments->answers[arguments->answer_count++] = optarg;
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
	struct ss_value *input = read_input(arguments.input);
	if (input == NULL)
		return 1;
	struct config *config = command_config(arguments.config);
	int code = config != NULL ? run(&arguments, config, input) : 1;
	config_free(config);
	value_unref(input);
	return code;
}
