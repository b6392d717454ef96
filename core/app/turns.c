/* `smartsupport turns`: the turns that are stored, what happened in them, and going on with them. */
#include "app/command.h"
#include "app/question.h"
#include "app/stored.h"
#include "base/id.h"
#include "base/memory.h"
#include "engine/history.h"
#include "graph/graph.h"
#include "support/support.h"
#include "value/json.h"
#include "value/value.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"Usage: smartsupport turns [list] [--status STATUS] [--limit N]\n"
	"       smartsupport turns show TURN [--at N]\n"
	"       smartsupport turns resume TURN [--answer VALUE…] [--stream]\n"
	"       smartsupport turns fork TURN [--at N] [--set JSON]\n"
	"       smartsupport turns delete TURN…\n\n"
	"Turns of durable workflows, as they are stored. list shows the newest first; show tells "
	"what\n"
	"happened in one, with its checkpoints, or the state at one of them; resume goes on with "
	"one\n"
	"that waits, failed or was cut off; fork stores a copy of one as it was at a checkpoint, "
	"with\n"
	"changed values, for resume. The answer to a question of a customer is stored in its "
	"conversation.\n\n"
	"  -S, --status STATUS  only those that are running, interrupted, done or failed\n"
	"  -n, --limit N        how many, by default 20\n"
	"  -t, --at N           the checkpoint; 0 is before the first node\n"
	"  -a, --answer [ID=]VALUE  what an interrupt is answered with, as JSON: once for each, by "
	"its id or in "
	"order\n"
	"      --set JSON       fields with other values, as in '{\"priority\": 9}'\n"
	"  -s, --stream[=EVENT,…]  print what happens while it happens, as lines of JSON\n"
	"  -j, --json           print JSON\n"
	"  -c, --config FILE    the configuration that names the store\n"
	"  -h, --help           this text\n\n"
	"Exits with 1 when it fails, with 3 when the turn waits for an answer.\n";

enum { ANSWERS_LIMIT = 1000, LIST_LIMIT = 20 };

struct arguments {
	const char *action;
	char **turns;
	size_t turn_count;
	const char *config, *status, *set;
	const char *answers[ANSWERS_LIMIT];
	size_t answer_count;
	size_t limit;
	size_t at;
	bool at_given, json;
	unsigned stream;
};

static const char *text(const struct ss_value *map, const char *key)
{
	return value_as_string(value_get(map, key), NULL);
}

static int list(struct stored *stored, const struct arguments *arguments)
{
	struct ss_value *turns = stored_list(stored, arguments->status, arguments->limit);
	if (turns == NULL)
		return 1;
	if (arguments->json)
		play_print_json(turns);
	for (size_t i = 0; !arguments->json && i < value_count(turns); i++) {
		const struct ss_value *turn = value_at(turns, i);
		(void)printf("%-42s %-12s %s  %.12s%s%s\n", text(turn, "id"), text(turn, "status"),
			text(turn, "created_at"), text(turn, "workflow"),
			value_get(turn, "error") != NULL ? "  " : "", text(turn, "error"));
	}
	value_unref(turns);
	return 0;
}

/* The turn of RECORD at the checkpoint that is asked for, of those that TRACE has. */
static struct turn *look_at(struct stored *stored, struct record *record,
	const struct ss_value *trace, size_t at, struct record **cut)
{
	size_t count = 0;
	struct ss_error err;
	uint64_t *tasks = history_tasks(trace, at, &count, &err);
	if (tasks == NULL) {
		(void)stored_fail(&err);
		return NULL;
	}
	*cut = record_cut(record, tasks, count);
	free(tasks);
	return stored_look(stored, *cut, NULL, 0, NULL);
}

static void print_checkpoints(const struct ss_value *checkpoints)
{
	(void)puts("\nCheckpoints");
	for (size_t i = 0; i < value_count(checkpoints); i++) {
		const struct ss_value *one = value_at(checkpoints, i);
		char *writes = json_text(value_get(one, "writes"));
		(void)printf("  %4lld  %-16s %-9s %s\n",
			(long long)value_as_int(value_get(one, "checkpoint")), text(one, "node"),
			text(one, "status"), writes);
		free(writes);
	}
}

static void print_shown(const struct arguments *arguments, const struct record *record,
	struct turn *whole, struct turn *seen)
{
	const char *error = record_error(record);
	struct ss_value *trace = turn_trace(whole);
	struct ss_value *checkpoints = history_list(trace);
	struct ss_value *state = turn_state(seen);
	struct ss_value *interrupts = turn_interrupts(whole);
	if (arguments->json) {
		struct ss_value *all = value_map_make({"turn", value_text(record_id(record))},
			{"workflow", value_text(record_workflow(record))},
			{"status", value_text(record_status(record))},
			{"error", error != NULL ? value_text(error) : value_null()},
			{"state", value_ref(state)}, {"checkpoints", value_ref(checkpoints)},
			{"trace", value_ref(trace)}, {"interrupts", value_ref(interrupts)});
		play_print_json(all);
		value_unref(all);
	} else {
		(void)printf("Turn      %s\nWorkflow  %.12s\nStatus    %s\n", record_id(record),
			record_workflow(record), record_status(record));
		if (error != NULL)
			(void)printf("  %s\n", error);
		play_print_interrupts(interrupts);
		(void)putchar('\n');
		play_print_map("State", state);
		print_checkpoints(checkpoints);
		(void)puts("\nTrace");
		play_print_trace(trace);
	}
	value_unref(interrupts);
	value_unref(state);
	value_unref(checkpoints);
	value_unref(trace);
}

static int show(struct stored *stored, const struct arguments *arguments)
{
	int code = 1;
	struct turn *seen = NULL;
	struct record *cut = NULL;
	struct record *record = stored_fetch(stored, arguments->turns[0], false);
	struct turn *whole = record != NULL && stored_load(stored, record, true) == 0
				     ? stored_look(stored, record, NULL, 0, NULL)
				     : NULL;
	if (whole == NULL)
		goto done;
	struct ss_value *trace = turn_trace(whole);
	if (arguments->at_given)
		seen = look_at(stored, record, trace, arguments->at, &cut);
	value_unref(trace);
	if (seen != NULL || !arguments->at_given) {
		print_shown(arguments, record, whole, seen != NULL ? seen : whole);
		code = 0;
	}
done:
	turn_free(seen);
	turn_free(whole);
	record_unref(cut);
	record_unref(record);
	return code;
}

static int refuse_stream(void)
{
	(void)fputs("smartsupport: of a question in a conversation the reply alone is printed; "
		    "leave out "
		    "--stream\n",
		stderr);
	return 2;
}

static int resume(struct stored *stored, const struct arguments *arguments)
{
	int code = 1;
	struct record *claimed = NULL;
	const struct question_answers answers = {.texts = arguments->answers,
		.count = arguments->answer_count,
		.json = arguments->json};
	/* What cannot be gone on with, as for want of an agent, is left alone. */
	struct record *record = stored_fetch(stored, arguments->turns[0], false);
	bool loaded = record != NULL && stored_load(stored, record, false) == 0;
	if (loaded && support_is_question(record)) {
		code = arguments->stream != 0 ? refuse_stream()
					      : question_resume(stored, record, &answers);
		record_unref(record);
		return code;
	}
	if (loaded)
		claimed = stored_fetch(stored, arguments->turns[0], true);
	const struct play play = {
		.base = stored->base,
		.answers = arguments->answers,
		.answer_count = arguments->answer_count,
		.json = arguments->json,
		.stream = arguments->stream,
	};
	const struct turn_options options = {.log = &stored->log, .record = claimed};
	if (claimed != NULL)
		code = play_turn(&play, runtime_engine(stored->runtime), &options);
	record_unref(claimed);
	record_unref(record);
	return code;
}

static int store_fork(struct stored *stored, struct record *record,
	const struct arguments *arguments, const struct ss_value *changes)
{
	char id[ID_SIZE];
	struct stored_wait wait = {0};
	struct turn *turn = stored_look(stored, record, NULL, 0, NULL);
	if (turn == NULL)
		return 1;
	struct ss_value *trace = turn_trace(turn);
	struct ss_value *checkpoints = history_list(trace);
	const struct history_fork fork = {
		.record = record,
		.graph = runtime_graph(stored->runtime),
		.trace = trace,
		.checkpoint = arguments->at_given ? arguments->at : value_count(checkpoints),
		.changes = changes,
		.id = id_new("turn_", id),
	};
	if (history_store_fork(
		    runtime_store(stored->runtime), &fork, stored_done, &wait, &wait.err) == 0)
		stored_wait(stored, &wait);
	value_unref(checkpoints);
	value_unref(trace);
	turn_free(turn);
	if (wait.err.status != SS_OK)
		return stored_fail(&wait.err);
	(void)puts(id);
	return 0;
}

static int fork_turn(struct stored *stored, const struct arguments *arguments)
{
	int code = 1;
	struct ss_value *changes = play_read_map("--set", arguments->set);
	struct record *record =
		changes != NULL ? stored_fetch(stored, arguments->turns[0], false) : NULL;
	if (record != NULL && stored_load(stored, record, true) == 0)
		code = store_fork(stored, record, arguments, changes);
	record_unref(record);
	value_unref(changes);
	return code;
}

static int delete_turns(struct stored *stored, const struct arguments *arguments)
{
	int code = 0;
	for (size_t i = 0; i < arguments->turn_count; i++)
		code |= stored_delete(stored, arguments->turns[i]) ? 0 : 1;
	return code;
}

static const struct action {
	const char *name;
	int (*run)(struct stored *stored, const struct arguments *arguments);
	size_t least, most; /* turns */
} actions[] = {
	{"list", list, 0, 0},
	{"show", show, 1, 1},
	{"resume", resume, 1, 1},
	{"fork", fork_turn, 1, 1},
	{"delete", delete_turns, 1, SIZE_MAX},
};

/* A whole number from 0; false and a message when it is none. */
static bool read_number(const char *option, const char *given, size_t *number)
{
	char *end = NULL;
	*number = strtoul(given, &end, 10);
	if (end != given && *end == '\0' && given[0] != '-')
		return true;
	(void)fprintf(stderr, "smartsupport: %s takes a whole number, not \"%s\"\n", option, given);
	return false;
}

static bool is_status(const char *given)
{
	static const char *const names[] = {"running", "interrupted", "done", "failed"};
	for (size_t i = 0; i < array_length(names); i++) {
		if (strcmp(names[i], given) == 0)
			return true;
	}
	(void)fprintf(stderr,
		"smartsupport: --status takes running, interrupted, done or failed, not \"%s\"\n",
		given);
	return false;
}

/* Returns 0, or the exit code plus one when there is nothing more to do. */
static int read_arguments(int argc, char **argv, struct arguments *arguments)
{
	enum { SET = 256 };
	static const struct option options[] = {
		{"status", required_argument, NULL, 'S'},
		{"limit", required_argument, NULL, 'n'},
		{"at", required_argument, NULL, 't'},
		{"answer", required_argument, NULL, 'a'},
		{"set", required_argument, NULL, SET},
		{"stream", optional_argument, NULL, 's'},
		{"json", no_argument, NULL, 'j'},
		{"config", required_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option;
	while ((option = getopt_long(argc, argv, "S:n:t:a:sjc:h", options, NULL)) != -1) {
		switch (option) {
		case 'S':
			arguments->status = optarg;
			if (!is_status(optarg))
				return 3;
			break;
		case 'n':
			if (!read_number("--limit", optarg, &arguments->limit))
				return 3;
			break;
		case 't':
			arguments->at_given = true;
			if (!read_number("--at", optarg, &arguments->at))
				return 3;
			break;
		case 'a':
			if (arguments->answer_count < ANSWERS_LIMIT)
				arguments->answers[arguments->answer_count++] = optarg;
			break;
		case SET:
			arguments->set = optarg;
			break;
		case 's':
			arguments->stream = play_events(optarg);
			if (arguments->stream == 0)
				return 3;
			break;
		case 'j':
			arguments->json = true;
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
	arguments->action = optind < argc ? argv[optind++] : "list";
	arguments->turns = argv + optind;
	arguments->turn_count = (size_t)(argc - optind);
	return 0;
}

static const struct action *find_action(const struct arguments *arguments)
{
	for (size_t i = 0; i < array_length(actions); i++) {
		if (strcmp(actions[i].name, arguments->action) == 0 &&
			arguments->turn_count >= actions[i].least &&
			arguments->turn_count <= actions[i].most)
			return &actions[i];
	}
	(void)fputs(help, stderr);
	return NULL;
}

int command_turns(int argc, char **argv)
{
	struct stored stored;
	struct arguments arguments = {.limit = LIST_LIMIT};
	int done = read_arguments(argc, argv, &arguments);
	if (done > 0)
		return done - 1;
	const struct action *action = find_action(&arguments);
	if (action == NULL)
		return 2;
	int code = stored_open(&stored, arguments.config) ? action->run(&stored, &arguments) : 1;
	stored_close(&stored);
	return code;
}
