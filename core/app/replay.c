/* `smartsupport replay`: runs a stored turn again in memory, and shows what came out differently. */
#include "app/command.h"
#include "app/stored.h"
#include "base/memory.h"
#include "graph/graph.h"
#include "value/json.h"
#include "value/value.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"Usage: smartsupport replay TURN [--workflow FILE] [--json]\n\n"
	"Runs a stored turn again with what it began with and the answers that it got, in memory:\n"
	"nothing is stored. Prints what came out differently, node by node.\n\n"
	"  -w, --workflow FILE  the workflow to run, by default the one that the turn began with\n"
	"  -j, --json           print {nodes, state, status} as JSON\n"
	"  -c, --config FILE    the configuration that names the store, the plugins and the "
	"models\n"
	"  -h, --help           this text\n\n"
	"Exits with 0 when everything came out the same, with 1 when something did not, with 2 "
	"when\n"
	"it cannot be told.\n";

/* What a node came to: what its node.finished event says. */
struct finish {
	const struct ss_value *event;
	size_t order; /* in which it came */
};

/* All that a turn came to. */
struct outcome {
	struct finish *items;
	size_t count, capacity;
	struct ss_value *state;
	const char *status;
	char *error;
};

static const char *text(const struct ss_value *map, const char *key)
{
	return value_as_string(value_get(map, key), NULL);
}

static void on_event(void *context, struct turn *turn, const struct ss_value *event)
{
	struct outcome *outcome = context;
	(void)turn;
	if (outcome->count == outcome->capacity) {
		outcome->capacity = outcome->capacity * 2 + 64;
		outcome->items =
			memory_resize(outcome->items, outcome->capacity, sizeof *outcome->items);
	}
	outcome->items[outcome->count] = (struct finish){value_ref(event), outcome->count};
	outcome->count++;
}

/* By node, then step, then id: the same order in both runs, whoever finished first. */
static int compare(const void *a, const void *b)
{
	const struct finish *left = a, *right = b;
	int by_node = strcmp(text(left->event, "node"), text(right->event, "node"));
	if (by_node != 0)
		return by_node;
	int64_t x = value_as_int(value_get(left->event, "step"));
	int64_t y = value_as_int(value_get(right->event, "step"));
	if (x != y)
		return x < y ? -1 : 1;
	return strcmp(text(left->event, "id"), text(right->event, "id"));
}

static void finish_outcome(struct outcome *outcome, struct turn *turn)
{
	const struct ss_error *err = turn_error(turn);
	outcome->state = turn_state(turn);
	outcome->status = play_status(turn);
	outcome->error = err != NULL ? memory_string(err->text) : NULL;
	if (outcome->count > 1)
		qsort(outcome->items, outcome->count, sizeof *outcome->items, compare);
}

static void free_outcome(struct outcome *outcome)
{
	for (size_t i = 0; i < outcome->count; i++)
		value_unref((struct ss_value *)(uintptr_t)outcome->items[i].event);
	free(outcome->items);
	value_unref(outcome->state);
	free(outcome->error);
}

/* Differences as they are found. */
struct differences {
	struct ss_value **items;
	size_t count, capacity;
};

static void add(struct differences *found, struct ss_value *difference)
{
	if (found->count == found->capacity) {
		found->capacity = found->capacity * 2 + 16;
		found->items = memory_resize(found->items, found->capacity, sizeof *found->items);
	}
	found->items[found->count++] = difference;
}

static struct ss_value *copy(const struct ss_value *value)
{
	return value != NULL ? value_ref(value) : NULL;
}

/* The members that differ, as a map from their names to {before, after}; NULL when none does. */
static struct ss_value *compare_maps(const struct ss_value *before, const struct ss_value *after)
{
	size_t count = 0;
	size_t most = value_count(before) + value_count(after);
	struct value_entry *entries = memory_array(most, sizeof *entries);
	for (size_t i = 0; i < value_count(before); i++) {
		const char *key = value_key_at(before, i);
		const struct ss_value *now = value_get(after, key);
		if (now == NULL || !value_equal(value_at(before, i), now))
			entries[count++] = (struct value_entry){
				key, value_map_make({"before", copy(value_at(before, i))},
					     {"after", copy(now)})};
	}
	for (size_t i = 0; i < value_count(after); i++) {
		const char *key = value_key_at(after, i);
		if (value_get(before, key) == NULL)
			entries[count++] = (struct value_entry){
				key, value_map_make({"after", copy(value_at(after, i))})};
	}
	struct ss_value *differing = count > 0 ? value_map_of(entries, count) : NULL;
	free(entries);
	return differing;
}

/* Compares two runs of one node; a node that only one of them has is told as such. */
static void compare_finishes(
	struct differences *found, const struct ss_value *before, const struct ss_value *after)
{
	const struct ss_value *either = before != NULL ? before : after;
	if (before == NULL || after == NULL) {
		add(found, value_map_make({"node", copy(value_get(either, "node"))},
				   {"only", value_text(before != NULL ? "before" : "after")},
				   {"status", copy(value_get(either, "status"))},
				   {"writes", copy(value_get(either, "writes"))}));
		return;
	}
	struct ss_value *writes =
		compare_maps(value_get(before, "writes"), value_get(after, "writes"));
	const char *was = text(before, "status"), *is = text(after, "status");
	bool same = strcmp(was, is) == 0;
	if (writes == NULL && same)
		return;
	add(found, value_map_make({"node", copy(value_get(either, "node"))},
			   {"status", same ? NULL
					   : value_map_make({"before", value_text(was)},
						     {"after", value_text(is)})},
			   {"writes", writes}));
}

/* Goes through both in their order; the n-th run of a node is compared with the n-th one. */
static struct ss_value *compare_nodes(const struct outcome *before, const struct outcome *after)
{
	struct differences found = {0};
	size_t i = 0, j = 0;
	while (i < before->count || j < after->count) {
		const struct ss_value *a = i < before->count ? before->items[i].event : NULL;
		const struct ss_value *b = j < after->count ? after->items[j].event : NULL;
		int order = a == NULL   ? 1
			    : b == NULL ? -1
					: strcmp(text(a, "node"), text(b, "node"));
		compare_finishes(&found, order <= 0 ? a : NULL, order >= 0 ? b : NULL);
		i += order <= 0;
		j += order >= 0;
	}
	struct ss_value *list = value_list(found.items, found.count);
	free(found.items);
	return list;
}

static void print_change(const char *indent, const char *name, const struct ss_value *change)
{
	const struct ss_value *before = value_get(change, "before");
	const struct ss_value *after = value_get(change, "after");
	char *was = before != NULL ? json_text(before) : memory_string("not written");
	char *is = after != NULL ? json_text(after) : memory_string("not written");
	(void)printf("%s%-16s %s -> %s\n", indent, name, was, is);
	free(is);
	free(was);
}

static void print_node(const struct ss_value *difference)
{
	const struct ss_value *only = value_get(difference, "only");
	const struct ss_value *writes = value_get(difference, "writes");
	const struct ss_value *status = value_get(difference, "status");
	if (only != NULL) {
		char *written = json_text(writes);
		bool before = strcmp(value_as_string(only, NULL), "before") == 0;
		(void)printf("%s %-16s %s %s\n", before ? "-" : "+", text(difference, "node"),
			value_as_string(status, NULL), written);
		free(written);
		return;
	}
	(void)printf("~ %s\n", text(difference, "node"));
	if (status != NULL)
		print_change("    ", "(status)", status);
	for (size_t i = 0; i < value_count(writes); i++)
		print_change("    ", value_key_at(writes, i), value_at(writes, i));
}

static int report(const struct outcome *before, const struct outcome *after, bool json)
{
	struct ss_value *nodes = compare_nodes(before, after);
	struct ss_value *state = compare_maps(before->state, after->state);
	bool same_status = strcmp(before->status, after->status) == 0;
	bool same = value_count(nodes) == 0 && state == NULL && same_status;
	struct ss_value *status = value_map_make(
		{"before", value_text(before->status)}, {"after", value_text(after->status)});
	if (json) {
		struct ss_value *all = value_map_make({"same", value_bool(same)},
			{"nodes", value_ref(nodes)},
			{"state", state != NULL ? value_ref(state) : value_map(NULL, NULL, 0)},
			{"status", value_ref(status)},
			{"error", after->error != NULL ? value_text(after->error) : NULL});
		play_print_json(all);
		value_unref(all);
	} else if (same) {
		(void)printf("The same: %zu nodes, status %s.\n", after->count, after->status);
	} else {
		for (size_t i = 0; i < value_count(nodes); i++)
			print_node(value_at(nodes, i));
		if (state != NULL)
			(void)puts("State");
		for (size_t i = 0; i < value_count(state); i++)
			print_change("  ", value_key_at(state, i), value_at(state, i));
		if (!same_status)
			print_change("", "Status", status);
		if (after->error != NULL)
			(void)printf("Error: %s\n", after->error);
	}
	value_unref(status);
	value_unref(state);
	value_unref(nodes);
	return same ? 0 : 1;
}

/* A turn that is run again. */
struct again {
	struct outcome *outcome;
	struct ss_value *answers; /* that it got then: list of {id, value} */
	bool *used;
};

static void on_event_again(void *context, struct turn *turn, const struct ss_value *event)
{
	struct again *again = context;
	on_event(again->outcome, turn, event);
}

/* The next answer that was given to the interrupt ID, or, if ID is NULL, to any; NULL when there is none. */
static const struct ss_value *take_answer(struct again *again, const char *id)
{
	for (size_t i = 0; i < value_count(again->answers); i++) {
		const struct ss_value *one = value_at(again->answers, i);
		if (again->used[i] || (id != NULL && strcmp(text(one, "id"), id) != 0))
			continue;
		again->used[i] = true;
		return value_get(one, "value");
	}
	return NULL;
}

/* Answers as it was answered then; in another workflow, whose interrupts have other ids, in the same order. */
static struct ss_value *answer_again(void *context, const struct ss_value *interrupts)
{
	struct again *again = context;
	const char *first = text(value_at(interrupts, 0), "id");
	for (size_t i = 0; i < value_count(interrupts); i++) {
		const char *id = text(value_at(interrupts, i), "id");
		const struct ss_value *known = take_answer(again, id);
		if (known != NULL)
			return value_map_make({id, value_ref(known)});
	}
	const struct ss_value *next = take_answer(again, NULL);
	return next != NULL ? value_map_make({first, value_ref(next)}) : NULL;
}

/* Runs the turn of RECORD again on ENGINE. */
static int run_again(struct stored *stored, struct engine *engine, const struct record *record,
	struct outcome *outcome)
{
	struct ss_error err = {0};
	struct again again = {.outcome = outcome, .answers = record_answers(record)};
	again.used = memory_array(value_count(again.answers) + 1, sizeof *again.used);
	const struct play play = {
		.base = stored->base,
		.answer = answer_again,
		.event = on_event_again,
		.events = TURN_NODE_FINISHED,
		.context = &again,
	};
	const struct turn_options options = {.input = record_input(record), .log = &stored->log};
	struct turn *turn = play_silently(&play, engine, &options, &err);
	free(again.used);
	value_unref(again.answers);
	if (turn == NULL) {
		(void)stored_fail(&err);
		return -1;
	}
	finish_outcome(outcome, turn);
	turn_free(turn);
	return 0;
}

/* What is stored, as if it ran. */
static int look_back(struct stored *stored, struct record *record, struct outcome *outcome)
{
	if (stored_load(stored, record, true) < 0)
		return -1;
	struct turn *turn = stored_look(stored, record, on_event, TURN_NODE_FINISHED, outcome);
	if (turn == NULL)
		return -1;
	finish_outcome(outcome, turn);
	outcome->status = record_status(record);
	turn_free(turn);
	return 0;
}

/* A second runtime, since one has one workflow. */
static int run_elsewhere(struct stored *stored, const struct record *record, const char *file,
	struct outcome *outcome)
{
	int result = -1;
	const char **inputs = play_inputs(record_input(record));
	const struct runtime_workflow workflow = {.file = file,
		.source = file == NULL ? record_source(record) : NULL,
		.inputs = inputs};
	struct runtime *runtime = runtime_new_bare(
		stored->config, stored->base, &stored->log, false, &stored->diagnostics);
	if (runtime_load(runtime, &workflow, &stored->diagnostics) == 0)
		result = run_again(stored, runtime_engine(runtime), record, outcome);
	runtime_free(runtime);
	free(inputs);
	return result;
}

static int replay(struct stored *stored, const char *id, const char *file, bool json)
{
	int code = 2;
	struct outcome before = {0}, after = {0};
	struct record *record = stored_fetch(stored, id, false);
	if (record != NULL && look_back(stored, record, &before) == 0 &&
		run_elsewhere(stored, record, file, &after) == 0)
		code = report(&before, &after, json);
	free_outcome(&before);
	free_outcome(&after);
	record_unref(record);
	return code;
}

int command_replay(int argc, char **argv)
{
	static const struct option options[] = {
		{"workflow", required_argument, NULL, 'w'},
		{"json", no_argument, NULL, 'j'},
		{"config", required_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct stored stored;
	const char *file = NULL, *config = NULL;
	bool json = false;
	int option;
	while ((option = getopt_long(argc, argv, "w:jc:h", options, NULL)) != -1) {
		if (option == 'h') {
			(void)fputs(help, stdout);
			return 0;
		}
		if (option == 'w')
			file = optarg;
		else if (option == 'c')
			config = optarg;
		else if (option == 'j')
			json = true;
		else
			break;
	}
	if (option != -1 || optind + 1 != argc) {
		(void)fputs(help, stderr);
		return 2;
	}
	int code = stored_open(&stored, config) ? replay(&stored, argv[optind], file, json) : 2;
	stored_close(&stored);
	return code;
}
