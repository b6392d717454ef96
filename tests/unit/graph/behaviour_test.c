/* Workflows with more than agents and edges, as their author meets them: reducers, fan-outs, retries,
 * caches, interrupts, commands, inner workflows, and what may happen side by side. */
#include "loading.h"

#include "base/memory.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIELDS                                                                                     \
	"version: 1\n"                                                                             \
	"name: test\n"                                                                             \
	"state:\n"                                                                                 \
	"  message: {type: string}\n"                                                              \
	"  count: {type: int}\n"                                                                   \
	"  items: {type: list, default: []}\n"                                                     \
	"  log: {type: list, reducer: append}\n"                                                   \
	"  text: {type: string}\n"

/* The first line behind FIELDS is 9. */

#define ONE(node)                                                                                  \
	FIELDS "nodes: {a: {agent: assign, " node "}}\n"                                           \
	       "edges: [{from: START, to: a}, {from: a, to: END}]\n"

static void accepted(const char *text)
{
	graph_free(loads(text));
}

Test(reducers, are_for_their_types)
{
	refused("version: 1\nname: t\nstate:\n"
		"  a: {type: string, reducer: append}\n"
		"  b: {type: int, reducer: union}\n"
		"  c: {type: list, reducer: merge}\n"
		"  d: {type: map, reducer: merge, key: id}\n"
		"  e: {type: int, reducer: max}\n"
		"  f: {type: int, reducer: sum}\n"
		"nodes: {n: {agent: assign}}\n"
		"edges: [{from: START, to: n}, {from: n, to: END}]\n",
		6, "w.yaml:4:30: the reducer append is not for the type string of a; append and ",
		"w.yaml:5:27: the reducer union is not for the type int of b;",
		"w.yaml:6:28: merge needs to know what tells the items of the list c apart, as in "
		"key: id",
		"w.yaml:7:39: key is for a list with the reducer merge; d is none",
		"w.yaml:8:27: max compares with what e holds, so it needs a default",
		"w.yaml:9:27: reducer must be one of: replace append add max min merge union, not "
		"\"sum\"");
}

static struct ss_value *json(const char *text)
{
	return json_parse(text, strlen(text), NULL);
}

static void expect_reduced(
	struct graph_field field, const char *current, const char *written, const char *expected)
{
	struct ss_error err = {0};
	struct ss_value *a = json(current), *b = json(written);
	struct ss_value *reduced = graph_reduce(&field, a, b, &err);
	char *text = reduced != NULL ? json_text(reduced) : strdup(err.text);
	cr_expect_str_eq(text, expected);
	free(text);
	value_unref(reduced);
	value_unref(a);
	value_unref(b);
}

Test(reducers, give_what_their_names_say)
{
	char name[] = "f", key[] = "id";
	struct graph_field field = {.name = name, .type = SS_INT, .reducer = GRAPH_ADD};
	expect_reduced(field, "2", "40", "42");
	expect_reduced(field, "9223372036854775807", "1",
		"the field f is 9223372036854775807; it overflows when 1 is added");
	field.has_range = true;
	field.max = 10;
	expect_reduced(
		field, "8", "3", "the field f is from 0 to 10; with what was added it would be 11");
	field.reducer = GRAPH_MAX;
	expect_reduced(field, "2", "4", "4");
	expect_reduced(field, "4", "2", "4");
	field.reducer = GRAPH_MIN;
	expect_reduced(field, "4", "2", "2");
	field = (struct graph_field){.name = name, .type = SS_NUMBER, .reducer = GRAPH_ADD};
	expect_reduced(field, "0.5", "0.25", "0.75");
	expect_reduced(field, "1e308", "1e308", "the field f overflows when 1e+308 is added");
	field = (struct graph_field){.name = name, .type = SS_LIST, .reducer = GRAPH_APPEND};
	expect_reduced(field, "[1]", "[1, 2]", "[1,1,2]");
	field.reducer = GRAPH_UNION;
	expect_reduced(field, "[1, {\"a\": 2}]", "[{\"a\": 2}, 3, 1.0]", "[1,{\"a\":2},3]");
	field.reducer = GRAPH_MERGE;
	field.key = key;
	expect_reduced(field, "[{\"id\": 1, \"n\": 1}, {\"id\": 2}]",
		"[{\"id\": 3}, {\"id\": 1, \"n\": 5}]",
		"[{\"id\":1,\"n\":5},{\"id\":2},{\"id\":3}]");
	field = (struct graph_field){.name = name, .type = SS_MAP, .reducer = GRAPH_MERGE};
	expect_reduced(
		field, "{\"a\": 1, \"b\": 2}", "{\"b\": 3, \"c\": 4}", "{\"a\":1,\"b\":3,\"c\":4}");
}

Test(parallel, nodes_must_not_write_one_field_without_a_reducer)
{
	refused(FIELDS "nodes:\n"
		       "  a: {agent: assign, options: {set: {count: '1', text: message}}}\n"
		       "  b: {agent: assign, options: {set: {count: '2', text: message}}}\n"
		       "  c: {agent: assign, options: {set: {count: '3'}}}\n"
		       "edges:\n"
		       "  - {from: START, to: [a, b]}\n"
		       "  - {from: [a, b], to: c}\n"
		       "  - {from: c, to: END}\n",
		1,
		"w.yaml:11:3: the nodes a and b may run side by side and both write count (and "
		"1 other field), so what it holds would be left to chance; give count a "
		"reducer, or let one run after the other");
	refused(FIELDS "nodes:\n"
		       "  a: {agent: assign}\n"
		       "  b: {agent: assign}\n"
		       "  c: {agent: assign, options: {set: {count: '3'}}}\n"
		       "edges:\n"
		       "  - {from: START, to: [a, b]}\n"
		       "  - {from: [a, b], any: true, to: c}\n"
		       "  - {from: c, to: END}\n",
		1,
		"w.yaml:12:3: the node c may run several times side by side and writes count, so");
}

Test(parallel, nodes_may_write_one_field_with_a_reducer_or_in_turn_or_by_choice)
{
	accepted(FIELDS "nodes:\n"
			"  a: {agent: assign, options: {set: {log: '[1]'}}}\n"
			"  b: {agent: assign, options: {set: {log: '[2]'}}}\n"
			"  c: {agent: assign, options: {set: {count: '3'}}}\n"
			"  d: {agent: assign, options: {set: {count: '4'}}}\n"
			"  e: {agent: assign, options: {set: {count: '5'}}}\n"
			"edges:\n"
			"  - {from: START, to: [a, b]}\n"
			"  - {from: [a, b], to: c}\n"
			"  - {from: c, choose: [{when: count > 1, to: d}, {else: e}]}\n"
			"  - {from: [d, e], any: true, to: END}\n");
}

Test(parallel, is_also_what_follows_a_join_that_did_without_a_parent)
{
	/* When a goes to d, the join runs with b alone, beside d. */
	refused(FIELDS "nodes:\n"
		       "  a: {agent: assign}\n"
		       "  b: {agent: assign}\n"
		       "  c: {agent: assign}\n"
		       "  d: {agent: assign, options: {set: {count: '1'}}}\n"
		       "  e: {agent: assign, options: {set: {count: '2'}}}\n"
		       "edges:\n"
		       "  - {from: START, to: [a, b]}\n"
		       "  - {from: a, choose: [{when: message == '', to: c}, {else: d}]}\n"
		       "  - {from: [b, c], to: e}\n"
		       "  - {from: [d, e], any: true, to: END}\n",
		1, "w.yaml:14:3: the nodes d and e may run side by side and both write count, so");
}

Test(circle, that_nothing_leaves_is_refused)
{
	refused(FIELDS "nodes:\n"
		       "  a: {agent: assign}\n"
		       "  b: {agent: assign}\n"
		       "  c: {agent: assign}\n"
		       "edges:\n"
		       "  - {from: START, to: a}\n"
		       "  - {from: a, to: b}\n"
		       "  - {from: b, to: [c, END]}\n"
		       "  - {from: c, to: b}\n",
		1,
		"w.yaml:11:3: this circle can never end: b, c; let one of them choose, with a way "
		"that leads out");
	refused(FIELDS "nodes: {a: {agent: assign}, b: {agent: assign}}\n"
		       "edges:\n"
		       "  - {from: START, to: a}\n"
		       "  - {from: a, choose: [{when: message == '', to: a}, {else: b}]}\n"
		       "  - {from: b, to: a}\n",
		1, "w.yaml:9:9: this circle can never end: a");
}

Test(circle, that_nothing_leaves_may_go_through_joins)
{
	refused(FIELDS "nodes: {a: {agent: assign}, b: {agent: assign}, c: {agent: assign}, d: "
		       "{agent: assign}}\n"
		       "edges:\n"
		       "  - {from: START, to: a}\n"
		       "  - {from: a, to: [b, c]}\n"
		       "  - {from: [b, c], to: d}\n"
		       "  - {from: d, to: a}\n",
		1, "w.yaml:9:9: this circle can never end: a, b, d; let one of them choose");
	refused(FIELDS "nodes: {a: {agent: assign}, b: {agent: assign}, c: {agent: assign}}\n"
		       "edges:\n"
		       "  - {from: START, to: [a, b]}\n"
		       "  - {from: [a, b], choose: [{when: message == '', to: b}, {else: c}]}\n"
		       "  - {from: c, to: b}\n",
		1, "w.yaml:9:29: this circle can never end: b; let one of them choose");
	accepted(FIELDS "nodes: {a: {agent: assign}, b: {agent: assign}, c: {agent: assign}}\n"
			"edges:\n"
			"  - {from: START, to: [a, b]}\n"
			"  - {from: [a, b], choose: [{when: message == '', to: c}, {else: END}]}\n"
			"  - {from: c, to: b}\n");
}

Test(circle, with_a_way_out_is_a_loop)
{
	accepted(FIELDS "nodes: {a: {agent: assign, options: {set: {count: count + 1}}}}\n"
			"edges:\n"
			"  - {from: START, to: a}\n"
			"  - {from: a, choose: [{when: count < 3, to: a}, {else: END}]}\n");
}

Test(fields, of_an_agent_may_be_others_of_the_state)
{
	struct graph *graph = loads(FIELDS "nodes: {a: {agent: echo, fields: {response: text}}}\n"
					   "edges: [{from: START, to: a}, {from: a, to: END}]\n");
	cr_expect_eq(graph->nodes[0].slots[1], graph_slot(graph, "text"));
	graph_free(graph);
	refused(FIELDS "nodes: {a: {agent: echo, fields: {response: count, answer: text}}}\n"
		       "edges: [{from: START, to: a}, {from: a, to: END}]\n",
		2,
		"w.yaml:9:45: the agent echo takes the field response as string, and the state "
		"declares count as int",
		"w.yaml:9:52: the fields of the agent echo has no key \"answer\"");
	refused(FIELDS "nodes: {a: {agent: echo, fields: {response: txet}}}\n"
		       "edges: [{from: START, to: a}, {from: a, to: END}]\n",
		1, "w.yaml:9:45: the state has no field \"txet\" (did you mean \"text\"?)");
}

Test(expressions, in_options_are_checked_where_they_stand)
{
	refused(ONE("options: {set: {count: message, text: coutn, cuont: '1'}}"), 3,
		"w.yaml:9:51: the expression \"message\" is wrong: its type must be int, not "
		"string",
		"w.yaml:9:66: the expression \"coutn\" is wrong: ",
		"w.yaml:9:73: the state has no field \"cuont\" (did you mean \"count\"?)");
	refused(ONE("options: {set: {count: size(text)}}"), 1,
		"w.yaml:9:51: the expression \"size(text)\" reads text, which nothing writes");
}

Test(send, needs_a_list_a_field_and_reducers)
{
	refused(ONE("send: {over: items}"), 1,
		"w.yaml:9:34: send needs over, the list, and as, the field in which each copy sees "
		"its item, as in {over: questions, as: question}");
	refused(ONE("send: {over: message, as: count}"), 1,
		"w.yaml:9:41: the expression \"message\" is wrong: its type must be list, not "
		"string");
	refused(ONE("send: {over: '[1]', as: text, limit: 0}"), 1,
		"w.yaml:9:65: limit must be from 1 to 10000, not 0");
	refused(ONE("send: {over: '[1, 2]', as: count}, options: {set: {text: message}}"), 1,
		"w.yaml:9:9: the node a runs once for each item and writes text, of which only the "
		"last would be left; give text a reducer, as in {reducer: append}");
	accepted(ONE("send: {over: '[1, 2]', as: count}, options: {set: {log: '[count]'}}"));
}

Test(retry, names_errors_that_exist)
{
	refused(ONE("retry: {attempts: 3, on: [timeout, unavailble], factor: 0}"), 1,
		"w.yaml:9:84: factor must be from 1 to 100, not 0");
	refused(ONE("retry: {attempts: 3, on: [timeout, unavailble]}"), 1,
		"w.yaml:9:63: there is no error \"unavailble\" (did you mean \"unavailable\"?); "
		"there "
		"are invalid, not_found,");
	refused(ONE("retry: {on: [timeout]}"), 1,
		"w.yaml:9:35: retry needs \"attempts\": how often");
}

Test(on_error, may_name_a_node_and_a_field_for_the_error)
{
	refused(ONE("on_error: {to: b, error: count}"), 2, "w.yaml:9:43: there is no node \"b\"",
		"w.yaml:9:53: the error is a sentence, and count is of the type int; it must be a "
		"string");
	refused(ONE("on_error: {error: text}"), 1,
		"w.yaml:9:38: on_error needs set, the fields that are written instead, as in");
	accepted(ONE("on_error: {to: END, error: text}"));
}

Test(cache, needs_a_key)
{
	refused(ONE("cache: {ttl: 5m}"), 1,
		"w.yaml:9:35: cache needs \"key\": the fields that must");
	refused(ONE("cache: {key: []}"), 1,
		"w.yaml:9:41: key needs the fields that the node's result depends on");
	refused(ONE("cache: {key: [massage]}"), 1,
		"w.yaml:9:42: the state has no field \"massage\" (did you mean \"message\"?)");
	accepted(ONE("cache: {key: [message]}"));
}

Test(interrupt, is_before_or_after)
{
	refused(ONE("interrupt: {show: [message]}"), 1,
		"w.yaml:9:39: interrupt needs either before: true or after: true");
	refused(ONE("interrupt: {before: true, answer: anser}"), 1,
		"w.yaml:9:62: the state has no field \"anser\"");
	accepted(ONE("interrupt: {before: true, show: [message], answer: text}"));
}

Test(command, leads_to_nodes_that_exist_and_counts_as_a_way)
{
	refused(ONE("goto: [b, START]"), 2, "w.yaml:9:35: there is no node \"b\"",
		"w.yaml:9:38: START cannot stand in \"goto\"");
	accepted(FIELDS "nodes: {a: {agent: assign, goto: [b, END]}, b: {agent: assign}}\n"
			"edges: [{from: START, to: a}, {from: b, to: END}]\n");
}

/* A folder with the workflows outer.yaml (OUTER) and inner.yaml (INNER); returns what is said about outer. */
static char *load_folder(const char *outer, const char *inner)
{
	char folder[] = "/tmp/graph-XXXXXX";
	char outer_path[64], inner_path[64];
	struct diagnostics diagnostics = {0};
	char *said = NULL;
	size_t size = 0;
	cr_assert_not_null(mkdtemp(folder));
	(void)snprintf(outer_path, sizeof outer_path, "%s/outer.yaml", folder);
	(void)snprintf(inner_path, sizeof inner_path, "%s/inner.yaml", folder);
	FILE *file = fopen(outer_path, "w");
	(void)fputs(outer, file);
	(void)fclose(file);
	file = fopen(inner_path, "w");
	(void)fputs(inner, file);
	(void)fclose(file);
	struct plugins *plugins = fixtures();
	struct graph *graph = graph_load(outer_path, plugins, inputs, &diagnostics);
	FILE *stream = open_memstream(&said, &size);
	diagnostics_print(&diagnostics, stream);
	(void)fclose(stream);
	diagnostics_free(&diagnostics);
	graph_free(graph);
	plugins_free(plugins);
	(void)unlink(outer_path);
	(void)unlink(inner_path);
	(void)rmdir(folder);
	return said;
}

#define INNER                                                                                      \
	"version: 1\nname: inner\nstate: {x: {type: int}, y: {type: int}}\n"                       \
	"nodes: {n: {agent: assign, options: {set: {y: x + 1}}}}\n"                                \
	"edges: [{from: START, to: n}, {from: n, to: END}]\n"

#define OUTER(node)                                                                                \
	FIELDS "nodes: {a: {workflow: inner.yaml, " node "}}\n"                                    \
	       "edges: [{from: START, to: a}, {from: a, to: END}]\n"

static void expect_said(const char *outer, const char *inner, const char *expected)
{
	char *said = load_folder(outer, inner);
	if (expected == NULL)
		cr_expect_str_eq(said, "");
	else
		cr_expect_not_null(strstr(said, expected), "expected %s\nin\n%s", expected, said);
	free(said);
}

Test(inner, workflows_are_loaded_with_their_fields_mapped)
{
	expect_said(OUTER("input: {x: size(message)}, output: {count: y}"), INNER, NULL);
	expect_said(OUTER("input: {z: '1'}, output: {count: y}"), INNER,
		"the expression \"x + 1\" reads x, which nothing writes");
	expect_said(OUTER("input: {x: '1'}, output: {count: y, cuont: y}"), INNER,
		"outer.yaml:9:71: the state has no field \"cuont\"");
	expect_said(OUTER("output: {count: y}"), INNER,
		"inner.yaml:4:47: the expression \"x + 1\" reads x, which nothing writes");
	expect_said(OUTER("input: {x: '1'}"), INNER,
		"a workflow as a node needs output, the fields that its results are written to");
	expect_said(OUTER("agent: assign, output: {count: y}"), INNER,
		"the node a needs either \"agent\"");
}

Test(inner, workflows_must_not_run_themselves)
{
	expect_said(OUTER("input: {x: '1'}, output: {count: y}"),
		"version: 1\nname: inner\nstate: {x: {type: int}, y: {type: int}}\n"
		"nodes: {n: {workflow: outer.yaml, output: {y: count}}}\n"
		"edges: [{from: START, to: n}, {from: n, to: END}]\n",
		"inner.yaml:4:23: outer.yaml would run itself; a workflow cannot be a node of its "
		"own");
}

/* What is said about COUNT workflows, each of which has the next one as COPIES of its nodes. */
static char *load_nested(int count, int copies)
{
	char folder[] = "/tmp/graph-XXXXXX";
	char path[64];
	struct diagnostics diagnostics = {0};
	char *said = NULL;
	size_t size = 0;
	cr_assert_not_null(mkdtemp(folder));
	for (int i = count - 1; i >= 0; i--) {
		(void)snprintf(path, sizeof path, "%s/w%d.yaml", folder, i);
		FILE *file = fopen(path, "w");
		(void)fprintf(file,
			"version: 1\nname: w\nstate: {y: {type: int, reducer: add}}\nnodes:\n");
		for (int j = 0; j < copies && i + 1 < count; j++)
			(void)fprintf(
				file, "  n%d: {workflow: w%d.yaml, output: {y: y}}\n", j, i + 1);
		for (int j = 0; j < copies && i + 1 == count; j++)
			(void)fprintf(file, "  n%d: {agent: assign, options: {set: {y: 1}}}\n", j);
		(void)fprintf(file, "edges:\n");
		for (int j = 0; j < copies; j++)
			(void)fprintf(file,
				"  - {from: START, to: n%d}\n  - {from: n%d, to: END}\n", j, j);
		(void)fclose(file);
	}
	struct plugins *plugins = fixtures();
	graph_free(graph_load(path, plugins, inputs, &diagnostics));
	FILE *stream = open_memstream(&said, &size);
	diagnostics_print(&diagnostics, stream);
	(void)fclose(stream);
	diagnostics_free(&diagnostics);
	plugins_free(plugins);
	for (int i = 0; i < count; i++) {
		(void)snprintf(path, sizeof path, "%s/w%d.yaml", folder, i);
		(void)unlink(path);
	}
	(void)rmdir(folder);
	return said;
}

Test(inner, workflows_have_so_many_levels)
{
	char *said = load_nested(GRAPH_LEVELS_LIMIT, 1);
	cr_expect_str_eq(said, "");
	free(said);
	said = load_nested(GRAPH_LEVELS_LIMIT + 2, 1);
	cr_expect_not_null(
		strstr(said, "/w31.yaml:5:18: w32.yaml would be on level 33 of workflows that are "
			     "nodes of others; there are at most 32\n"),
		"%s", said);
	free(said);
}

Test(inner, workflows_that_multiply_are_bounded)
{
	char *said = load_nested(24, 2);
	cr_expect_not_null(
		strstr(said, "would be the workflow number 1025 that is a node, counted on all "
			     "levels; there are at most 1024\n"),
		"%s", said);
	free(said);
}

static uint64_t randomness = 1;

static size_t below(size_t limit)
{
	randomness = randomness * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (size_t)(randomness >> 33) % limit;
}

/* Few different values, some of which are equal though they are not written alike. */
static struct ss_value *some_value(int depth)
{
	struct ss_value *items[2];
	/* Above 2^53, where several integers are rounded to one double. */
	int64_t large = (INT64_C(1) << 60) + (int64_t)below(3);
	switch (below(depth > 0 ? 9 : 7)) {
	case 0:
		return value_int((int64_t)below(3));
	case 1:
		return value_number((double)below(3));
	case 2:
		return value_bool(below(2) == 0);
	case 3:
		return value_text(below(2) == 0 ? "a" : "");
	case 4:
		return below(2) == 0 ? value_null() : value_number(-0.0);
	case 5:
		return value_int(large);
	case 6:
		return value_number((double)large);
	case 7: {
		size_t count = 1 + below(2);
		for (size_t i = 0; i < count; i++)
			items[i] = some_value(depth - 1);
		return value_list(items, count);
	}
	default:
		if (below(2) == 0)
			return value_map_make({"k", some_value(depth - 1)});
		/* The same map, whichever of its keys is written first. */
		items[0] = some_value(depth - 1);
		return below(2) == 0 ? value_map_make({"k", items[0]}, {"a", value_int(1)})
				     : value_map_make({"a", value_number(1)}, {"k", items[0]});
	}
}

static struct ss_value *some_list(bool keyed)
{
	struct ss_value *items[24];
	size_t count = below(array_length(items));
	for (size_t i = 0; i < count; i++)
		items[i] = keyed ? value_map_make({"id", some_value(1)},
					   {"n", value_int((int64_t)below(1000))})
				 : some_value(2);
	return value_list(items, count);
}

/* The same as the reducer, the plain way. */
static struct ss_value *unite(const struct ss_value *a, const struct ss_value *b, const char *key)
{
	struct ss_value *items[64];
	size_t count = 0;
	for (size_t i = 0; i < value_count(a); i++)
		items[count++] = value_ref(value_at(a, i));
	for (size_t i = 0; i < value_count(b); i++) {
		const struct ss_value *item = value_at(b, i);
		size_t at = 0;
		while (at < count &&
			!value_equal(key != NULL ? value_get(items[at], key) : items[at],
				key != NULL ? value_get(item, key) : item))
			at++;
		if (at < count && key == NULL)
			continue;
		if (at < count)
			value_unref(items[at]);
		count += at == count;
		items[at] = value_ref(item);
	}
	return value_list(items, count);
}

Test(reducers, unite_long_lists_as_short_ones)
{
	static char id[] = "id";
	for (int i = 0; i < 3000; i++) {
		struct ss_error err = {0};
		bool keyed = i % 2 == 0;
		const struct graph_field field = {.type = SS_LIST,
			.reducer = keyed ? GRAPH_MERGE : GRAPH_UNION,
			.key = keyed ? id : NULL};
		struct ss_value *a = some_list(keyed), *b = some_list(keyed);
		struct ss_value *expected = unite(a, b, field.key);
		struct ss_value *reduced = graph_reduce(&field, a, b, &err);
		cr_assert(value_equal(reduced, expected));
		/* The very items, as 1 stays 1 where 1.0 is written later. */
		for (size_t j = 0; j < value_count(expected); j++)
			cr_assert_eq(value_at(reduced, j), value_at(expected, j));
		value_unref(reduced);
		value_unref(expected);
		value_unref(a);
		value_unref(b);
	}
}

Test(reducers, keep_the_first_of_what_is_equal)
{
	struct ss_error err = {0};
	const struct graph_field field = {.type = SS_LIST, .reducer = GRAPH_UNION};
	struct ss_value *a = json("[2, 1, [1], {\"a\": 1}, 2]");
	struct ss_value *b = json("[1.0, 3, [1.0], {\"a\": 1.0}, 3.0, 2, [1, 1]]");
	struct ss_value *reduced = graph_reduce(&field, a, b, &err);
	char *text = json_text(reduced);
	cr_expect_str_eq(text, "[2,1,[1],{\"a\":1},2,3,[1,1]]");
	free(text);
	value_unref(reduced);
	value_unref(a);
	value_unref(b);
}

/* Ids that follow each other would all lead to the same place of the table otherwise. */
Test(reducers, hash_large_integers_apart)
{
	enum { COUNT = 256 };
	uint64_t hashes[COUNT];
	for (int i = 0; i < COUNT; i++) {
		struct ss_value *id = value_int((INT64_C(1) << 60) + i);
		hashes[i] = value_hash(id);
		value_unref(id);
		for (int j = 0; j < i; j++)
			cr_assert_neq(hashes[i], hashes[j]);
	}
}

Test(reducers, hash_equal_values_alike)
{
	for (int i = 0; i < 20000; i++) {
		struct ss_value *a = some_value(2), *b = some_value(2);
		if (value_equal(a, b))
			cr_assert_eq(value_hash(a), value_hash(b));
		value_unref(a);
		value_unref(b);
	}
}
