/* Workflows as their author meets them: what loads, and what is said about what does not. */
#include "loading.h"

#include "base/memory.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The first line behind STATE is 8. */

Test(graph, has_the_structure_that_the_file_describes)
{
	struct graph *graph =
		loads(STATE "max_steps: 7\n"
			    "timeout: 1500ms\n"
			    "nodes:\n"
			    "  first:  {agent: set, options: {count: 3}, timeout: 250ms,\n"
			    "           on_error: {set: {count: 1, label: High}}}\n"
			    "  second: {agent: echo}\n"
			    "  third:  {agent: fail}\n"
			    "edges:\n"
			    "  - {from: START, to: [first, second]}\n"
			    "  - {from: [first, second], to: third}\n"
			    "  - from: third\n"
			    "    choose:\n"
			    "      - {when: count > 3, to: first}\n"
			    "      - {else: END}\n");
	cr_expect_str_eq(graph->file, "w.yaml");
	cr_expect_str_eq(graph->name, "test");
	cr_expect_eq(graph->max_steps, 7);
	cr_expect_eq(graph->timeout_ns, 1500000000);
	cr_assert_eq(graph->field_count, 4);
	cr_expect_eq(graph->fields[2].type, SS_INT);
	cr_expect(graph->fields[2].has_range);
	cr_expect_eq(graph->fields[2].min, 1);
	cr_expect_eq(graph->fields[2].max, 10);
	cr_expect_eq(value_as_int(graph->fields[2].initial), 5);
	cr_expect_eq(value_count(graph->fields[3].values), 2);
	cr_expect_eq(graph->fields[3].line, 7);
	cr_expect_eq(graph->fields[3].column, 3);
	cr_assert_eq(graph->node_count, 3);
	const struct graph_node *first = &graph->nodes[0];
	cr_expect_str_eq(first->name, "first");
	cr_expect_str_eq(first->plugin->name, "set");
	cr_expect_eq(first->timeout_ns, 250000000);
	cr_assert_eq(first->option_count, 4);
	cr_expect_eq(value_as_int(first->options[0]), 3);
	cr_expect_str_eq(value_as_string(first->options[1], NULL), "none");
	cr_expect_eq(value_as_number(first->options[3]), 1);
	cr_assert_eq(first->field_count, 2);
	cr_expect_eq(first->slots[0], 2);
	cr_expect_eq(first->slots[1], 3);
	cr_expect(first->has_fallback);
	cr_assert_eq(first->fallback_count, 2);
	cr_expect_eq(first->fallbacks[1].slot, 3);
	cr_expect_str_eq(value_as_string(first->fallbacks[1].value, NULL), "High");
	cr_expect_eq(first->line, 11);
	cr_expect_not(graph->nodes[1].has_fallback);
	cr_expect_eq(graph->nodes[1].timeout_ns, 0);
	cr_assert_eq(graph->edge_count, 3);
	cr_expect_eq(graph->start_count, 1);
	cr_expect_eq(graph->edges[0].from[0], GRAPH_START);
	cr_expect_eq(graph->edges[0].choice_count, 2);
	cr_expect_not(graph->edges[0].kind == GRAPH_CHOOSE);
	cr_expect(graph->edges[1].join);
	cr_expect_not(graph->edges[0].join);
	cr_expect_eq(graph->nodes[0].out_count, 1);
	cr_expect_eq(graph->nodes[0].out[0], 1);
	const struct graph_edge *choose = &graph->edges[2];
	cr_expect(choose->kind == GRAPH_CHOOSE);
	cr_assert_eq(choose->choice_count, 2);
	cr_expect_str_eq(choose->choices[0].text, "count > 3");
	cr_expect_eq(choose->choices[0].to, 0);
	cr_expect_eq(choose->choices[0].line, 20);
	cr_expect_eq(choose->choices[0].column, 16);
	cr_expect_null(choose->choices[1].when);
	cr_expect_eq(choose->choices[1].to, GRAPH_END);
	cr_expect_eq(graph_find_node(graph, "third"), 2);
	cr_expect_eq(graph_find_node(graph, "fourth"), GRAPH_NO_SLOT);
	cr_expect_eq(graph_slot(graph, "label"), 3);
	cr_expect_eq(graph_slot(graph, "lable"), GRAPH_NO_SLOT);
	cr_expect_str_eq(graph_node_name(graph, GRAPH_START), "START");
	cr_expect_str_eq(graph_node_name(graph, GRAPH_END), "END");
	cr_expect_str_eq(graph_node_name(graph, 1), "second");
	graph_free(graph);
	graph_free(NULL);
}

Test(graph, gives_every_field_a_value_to_begin_with)
{
	struct graph *graph = loads("version: 1\nname: t\nstate:\n"
				    "  text: {type: string}\n"
				    "  int: {type: int}\n"
				    "  number: {type: number}\n"
				    "  bool: {type: bool}\n"
				    "  enum: {type: enum, values: [a, b]}\n"
				    "  list: {type: list}\n"
				    "  map: {type: map}\n"
				    "  positive: {type: int, min: 3}\n"
				    "  negative: {type: int, max: -4}\n"
				    "  fraction: {type: number, min: 0.25, max: 0.5}\n"
				    "  whole: {type: number, default: 2}\n"
				    "  given: {type: map, default: {a: [1, x, true, null, 2.5]}}\n"
				    "  word: {type: string, default: true}\n"
				    "nodes: {n: {agent: puppet}}\n"
				    "edges: [{from: START, to: n}, {from: n, to: END}]\n");
	static const enum ss_type types[] = {SS_STRING, SS_INT, SS_NUMBER, SS_BOOL, SS_NULL,
		SS_LIST, SS_MAP, SS_INT, SS_INT, SS_NUMBER, SS_NUMBER, SS_MAP, SS_STRING};
	cr_assert_eq(graph->field_count, array_length(types));
	for (size_t i = 0; i < array_length(types); i++)
		cr_expect_eq(value_type(graph->fields[i].initial), types[i], "%s",
			graph->fields[i].name);
	cr_expect_eq(value_as_int(graph->fields[7].initial), 3);
	cr_expect_eq(value_as_int(graph->fields[8].initial), -4);
	cr_expect_eq(value_as_number(graph->fields[9].initial), 0.25);
	cr_expect_eq(value_as_number(graph->fields[10].initial), 2);
	cr_expect_eq(value_count(value_get(graph->fields[11].initial, "a")), 5);
	cr_expect_str_eq(value_as_string(graph->fields[12].initial, NULL), "true");
	graph_free(graph);
}

Test(graph, names_an_unknown_key_and_the_nearest_one)
{
	refused(STATE "max_step: 3\n"
		      "nodes: {a: {agent: echo, timeuot: 1s}}\n"
		      "edges: [{form: START, to: a}, {from: a, to: END, weight: 3}]\n",
		4, "w.yaml:8:1: the workflow has no key \"max_step\" (did you mean \"max_steps\"?)",
		"w.yaml:9:26: the node a has no key \"timeuot\" (did you mean \"timeout\"?)",
		"w.yaml:10:10: an edge has no key \"form\" (did you mean \"from\"?)",
		"w.yaml:10:50: an edge has no key \"weight\"; it knows any, from, to, choose");
}

Test(graph, names_what_does_not_exist)
{
	refused(STATE "nodes:\n"
		      "  answer: {agent: ecko}\n"
		      "  other: {agent: 'no/../agent'}\n"
		      "edges:\n"
		      "  - {from: START, to: [answer, anwser]}\n"
		      "  - {from: answer, to: END}\n"
		      "  - {from: zebra, to: other}\n",
		4, "w.yaml:9:19: there is no agent plugin \"ecko\"",
		"w.yaml:10:18: \"no/../agent\" is no plugin's name",
		"w.yaml:12:32: there is no node \"anwser\" (did you mean \"answer\"?)",
		"w.yaml:14:12: there is no node \"zebra\"\n");
}

Test(graph, checks_the_fields_that_an_agent_uses)
{
	refused("version: 1\nname: t\nstate:\n"
		"  mesage: {type: string}\n"
		"  response: {type: list}\n"
		"  label: {type: int}\n"
		"  count: {type: int}\n"
		"nodes:\n"
		"  a: {agent: echo}\n"
		"  b: {agent: set, options: {count: 1}}\n"
		"edges: [{from: START, to: a}, {from: a, to: b}, {from: b, to: END}]\n",
		3,
		"w.yaml:9:14: the agent echo takes the field response as string, and the state "
		"declares it as list",
		"w.yaml:9:14: the agent echo uses the field message (What the customer wrote.), "
		"which the state does not declare (did you mean \"mesage\"?); add message: {type: "
		"…} "
		"to state",
		"w.yaml:10:14: the agent set takes the field label as string, and the state "
		"declares it as int");
}

Test(graph, lets_an_optional_field_be_left_out)
{
	struct graph *graph = loads("version: 1\nname: t\nstate: {count: {type: int}}\n"
				    "nodes: {a: {agent: set, options: {count: 2}}}\n"
				    "edges: [{from: START, to: a}, {from: a, to: END}]\n");
	cr_expect_eq(graph->nodes[0].slots[1], GRAPH_NO_SLOT);
	graph_free(graph);
}

Test(graph, checks_the_declarations_of_fields)
{
	refused("version: 1\nname: t\nstate:\n"
		"  a: {type: strin}\n"
		"  b: {type: enum}\n"
		"  c: {type: enum, values: [x, y], default: z}\n"
		"  d: {type: int, min: 1, max: 10, default: 11}\n"
		"  e: {type: int, default: 1.5}\n"
		"  f: {type: string, min: 1}\n"
		"  g: {type: number, min: 2, max: 1}\n"
		"  h: {type: int, max: 1.5}\n"
		"  i: {type: bool, values: [x]}\n"
		"  j: {type: bool, default: yes}\n"
		"  k: {default: 1}\n"
		"  l: {type: int, defualt: 1}\n"
		"  m: {type: number, min: many}\n"
		"  n-o: {type: int}\n"
		"  true: {type: bool}\n"
		"  9p: {type: int}\n"
		"  q: {type: list, default: {a: 1}}\n"
		"  r: {type: int, min: 9223372036854775807}\n"
		"  s: {type: number, min: 2}\n"
		"  t: {type: number, min: 2, default: 1}\n"
		"  u: {type: number, max: 2, default: 2.5}\n"
		"nodes: {n: {agent: puppet}}\n"
		"edges: [{from: START, to: n}, {from: n, to: END}]\n",
		20, "w.yaml:4:13: type must be one of: string int number bool enum list map, not",
		"w.yaml:5:6: the enum b needs its values, as in values: [Low, High]",
		"w.yaml:6:44: \"z\" is no value of the field c",
		"w.yaml:7:44: the field d is from 1 to 10, not 11",
		"w.yaml:8:27: the field e takes a value of the type int, not number",
		"w.yaml:9:26: min and max are for an int or a number; f is neither",
		"w.yaml:10:34: max of g is less than its min",
		"w.yaml:11:23: max of h must be a whole number",
		"w.yaml:12:27: values are for an enum; i is of the type bool",
		"w.yaml:13:28: the field j takes a value of the type bool, not string",
		"w.yaml:14:3: the field k needs \"type\": what the field holds",
		"w.yaml:15:18: the field l has no key \"defualt\" (did you mean \"default\"?)",
		"w.yaml:16:26: min of m must be a number",
		"w.yaml:17:3: \"n-o\" is no field name; names have letters, digits and _",
		"w.yaml:18:3: true has a meaning of its own in conditions and is no field name",
		"w.yaml:19:3: \"9p\" is no field name",
		"w.yaml:20:28: the field q takes a value of the type list, not map",
		"w.yaml:21:23: min of r must be a whole number of at most 2^53",
		"w.yaml:23:38: the field t is at least 2, not 1",
		"w.yaml:24:38: the field u is at most 2, not 2.5");
}

Test(graph, checks_choices)
{
	refused(STATE "nodes: {a: {agent: echo}, b: {agent: echo}}\n"
		      "edges:\n"
		      "  - {from: START, to: a}\n"
		      "  - from: a\n"
		      "    choose:\n"
		      "      - {when: count > 1, to: b}\n"
		      "      - {when: count > 2, to: END}\n"
		      "  - from: b\n"
		      "    choose:\n"
		      "      - {else: END}\n"
		      "      - {when: count > 1, to: a}\n",
		2,
		"w.yaml:14:9: the last choice must be an else; without it a turn could go nowhere",
		"w.yaml:17:9: else must come last; what stands behind it is never taken");
	refused(STATE "nodes: {a: {agent: echo}}\n"
		      "edges:\n"
		      "  - {from: START, to: a}\n"
		      "  - {from: a, choose: []}\n"
		      "  - {from: a, choose: [{when: count > 1}, {else: END}]}\n"
		      "  - {from: a, choose: [{to: a}, {else: END}]}\n"
		      "  - {from: a, choose: [a, {else: END}]}\n"
		      "  - {from: a, choose: [{else: END, when: count > 1}]}\n"
		      "  - {from: a, choose: [{when: [1], to: a}, {else: START}]}\n"
		      "  - {from: a, to: END, choose: [{else: END}]}\n"
		      "  - {from: a}\n",
		9, "w.yaml:11:23: choose takes a list of", "w.yaml:12:24: a choice is {when:",
		"w.yaml:13:24: a choice is {when:", "w.yaml:14:24: a choice must be a mapping",
		"w.yaml:15:36: a choice has no key \"when\"",
		"w.yaml:16:31: a condition is a text, not a list",
		"w.yaml:16:51: START cannot stand in \"else\"",
		"w.yaml:17:5: an edge has \"from\" and either \"to\" or \"choose\"",
		"w.yaml:18:5: an edge has \"from\" and either \"to\" or \"choose\"");
}

Test(graph, places_a_mistake_in_a_condition_exactly)
{
	refused(STATE "nodes: {a: {agent: echo}}\n"
		      "edges:\n"
		      "  - {from: START, to: a}\n"
		      "  - from: a\n"
		      "    choose:\n"
		      "      - {when: count > cuont, to: a}\n"
		      "      - {when: 'count > cuont', to: a}\n"
		      "      - {when: \"count > cuont\", to: a}\n"
		      "      - {when: 'label == \"Lwo\"', to: a}\n"
		      "      - {when: 'message == \"Zürich ü\" && cuont > 1', to: a}\n"
		      "      - {when: \"message == \\\"x\\\" && cuont > 1\", to: a}\n"
		      "      - {when: 'message == ''x'' && cuont > 1', to: a}\n"
		      "      - when: >-\n"
		      "          count > 1\n"
		      "          && cuont > 1\n"
		      "        to: a\n"
		      "      - {when: count + 1, to: a}\n"
		      "      - {when: '', to: a}\n"
		      "      - {else: END}\n",
		10,
		"w.yaml:13:24: the condition \"count > cuont\" is wrong: there is no field "
		"\"cuont\" "
		"(did you mean \"count\"?)",
		"w.yaml:14:25: the condition", "w.yaml:15:25: the condition",
		"w.yaml:16:26: the condition \"label == \"Lwo\"\" is wrong: label is never \"Lwo\" "
		"(did "
		"you mean \"Low\"?)",
		"w.yaml:17:42: the condition",
		"w.yaml:18:16: the condition \"message == \"x\" && cuont > 1\" is wrong at its "
		"character 19: there is no field",
		"w.yaml:19:16: the condition \"message == 'x' && cuont > 1\" is wrong at its "
		"character 19: there is no field",
		"w.yaml:20:15: the condition \"count > 1 && cuont > 1\" is wrong at its character "
		"14: ",
		"w.yaml:24:22: the condition \"count + 1\" is wrong: its type must be bool, not "
		"int",
		"w.yaml:25:17: the condition \"\" is wrong: the expression is not complete");
}

Test(graph, checks_the_ends_of_edges)
{
	refused(STATE "nodes: {a: {agent: echo}, b: {agent: echo}}\n"
		      "edges:\n"
		      "  - {from: START, to: START}\n"
		      "  - {from: END, to: a}\n"
		      "  - {from: [a, b, a], to: END}\n"
		      "  - {from: a, to: [b, b]}\n"
		      "  - {from: [], to: b}\n"
		      "  - {from: {a: b}, to: b}\n"
		      "  - {from: a, to: [[b]]}\n"
		      "  - {from: [a, b], any: maybe, to: END}\n"
		      "  - a to b\n",
		9, "w.yaml:10:23: START cannot stand in \"to\"",
		"w.yaml:11:12: END cannot stand in \"from\"",
		"w.yaml:12:19: \"a\" stands in \"from\" twice",
		"w.yaml:13:23: \"b\" stands in \"to\" twice",
		"w.yaml:14:12: \"from\" needs at least one node",
		"w.yaml:15:12: \"from\" takes the name of a node, not a mapping",
		"w.yaml:16:20: \"to\" takes the name of a node, not a list",
		"w.yaml:17:25: any must be true or false, not \"maybe\"",
		"w.yaml:18:5: an edge must be a mapping, not a single value");
}

Test(graph, wants_every_node_to_be_reached_and_followed)
{
	refused(STATE "nodes:\n"
		      "  a: {agent: echo}\n"
		      "  b: {agent: echo}\n"
		      "  c: {agent: echo}\n"
		      "  d: {agent: echo}\n"
		      "edges:\n"
		      "  - {from: START, to: a}\n"
		      "  - {from: b, to: c}\n"
		      "  - {from: c, to: b}\n"
		      "  - {from: a, to: d}\n",
		3, "w.yaml:10:3: nothing leads to the node b; add an edge to it or remove it",
		"w.yaml:11:3: nothing leads to the node c",
		"w.yaml:12:3: nothing follows the node d; add {from: d, to: END}");
	refused(STATE "nodes: {a: {agent: echo}}\n"
		      "edges: [{from: a, to: END}]\n",
		2, "w.yaml: no edge leaves START; add {from: START, to: NODE}",
		"w.yaml:8:9: nothing leads to the node a");
}

Test(joins, must_not_wait_for_both_of_two_choices)
{
	refused(STATE
		"nodes: {a: {agent: echo}, b: {agent: echo}, c: {agent: echo}, d: {agent: echo}}\n"
		"edges:\n"
		"  - {from: START, to: a}\n"
		"  - {from: a, choose: [{when: count > 1, to: b}, {else: c}]}\n"
		"  - {from: [b, c], to: d}\n"
		"  - {from: d, to: END}\n",
		1,
		"w.yaml:12:5: this waits for both b and c, of which only one is ever chosen; add "
		"any: "
		"true");
	graph_free(loads(STATE
		"nodes: {a: {agent: echo}, b: {agent: echo}, c: {agent: echo}, d: {agent: echo}}\n"
		"edges:\n"
		"  - {from: START, to: a}\n"
		"  - {from: a, choose: [{when: count > 1, to: b}, {else: c}]}\n"
		"  - {from: [b, c], any: true, to: d}\n"
		"  - {from: d, to: END}\n"));
}

Test(joins, must_not_wait_for_what_follows_two_choices)
{
	refused(STATE
		"nodes:\n"
		"  {a: {agent: fail}, b: {agent: fail}, c: {agent: fail}, b2: {agent: fail},\n"
		"   c2: {agent: fail}, x: {agent: fail}, d: {agent: fail}}\n"
		"edges:\n"
		"  - {from: START, to: [a, x]}\n"
		"  - {from: a, choose: [{when: count > 1, to: b}, {else: c}]}\n"
		"  - {from: b, to: b2}\n"
		"  - {from: [c, x], to: c2}\n"
		"  - {from: [x, b2, c2], to: d}\n"
		"  - {from: d, to: END}\n",
		1, "w.yaml:16:5: this waits for both b2 and c2, of which only one is ever chosen");
}

Test(joins, may_wait_for_choices_that_can_both_be_taken)
{
	/* Both choices lead to b; c follows either of them. */
	graph_free(loads(STATE
		"nodes: {a: {agent: fail}, b: {agent: fail}, c: {agent: fail}, d: {agent: fail}}\n"
		"edges:\n"
		"  - {from: START, to: a}\n"
		"  - {from: a, choose: [{when: count > 1, to: b}, {else: c}]}\n"
		"  - {from: b, to: c}\n"
		"  - {from: [b, c], to: d}\n"
		"  - {from: d, to: END}\n"));
	/* The choice is made once in each round. */
	graph_free(loads(STATE
		"nodes: {a: {agent: fail}, b: {agent: fail}, c: {agent: fail}, d: {agent: fail}}\n"
		"edges:\n"
		"  - {from: START, to: a}\n"
		"  - {from: a, choose: [{when: count > 1, to: b}, {when: count > 2, to: c}, {else: "
		"END}]}\n"
		"  - {from: [b, c], any: true, to: a}\n"
		"  - {from: [b, c], to: d}\n"
		"  - {from: d, to: END}\n"));
	/* Two edges choose, each for itself. */
	graph_free(loads(STATE
		"nodes: {a: {agent: fail}, b: {agent: fail}, c: {agent: fail}, d: {agent: fail}}\n"
		"edges:\n"
		"  - {from: START, to: a}\n"
		"  - {from: a, choose: [{when: count > 1, to: b}, {else: END}]}\n"
		"  - {from: a, choose: [{when: count > 2, to: c}, {else: END}]}\n"
		"  - {from: [b, c], to: d}\n"
		"  - {from: d, to: END}\n"));
}

Test(joins, must_not_wait_for_what_runs_only_after_them)
{
	refused(STATE "nodes: {a: {agent: echo}, b: {agent: echo}, c: {agent: echo}}\n"
		      "edges:\n"
		      "  - {from: START, to: a}\n"
		      "  - {from: [a, c], to: b}\n"
		      "  - {from: b, to: c}\n"
		      "  - {from: c, to: END}\n",
		1,
		"w.yaml:11:5: this waits for c, which cannot run before it; lead to c "
		"in another way, or leave it out here");
}

Test(graph, wants_every_field_that_is_read_to_be_written)
{
	refused("version: 1\nname: t\nstate:\n"
		"  message: {type: string}\n"
		"  response: {type: string}\n"
		"  extra: {type: int, default: 1}\n"
		"nodes: {a: {agent: echo}}\n"
		"edges:\n"
		"  - {from: START, to: a}\n"
		"  - from: a\n"
		"    choose: [{when: 'extra > 1 || extra < 0', to: END}, {else: END}]\n",
		1,
		"w.yaml:11:21: the condition \"extra > 1 || extra < 0\" reads extra, which nothing "
		"writes");
	struct diagnostics diagnostics = {0};
	struct plugins *plugins = fixtures();
	const char *text = "version: 1\nname: t\nstate:\n"
			   "  message: {type: string}\n"
			   "  response: {type: string}\n"
			   "nodes: {a: {agent: echo}}\n"
			   "edges: [{from: START, to: a}, {from: a, to: END}]\n";
	const char *const nothing = NULL;
	struct graph *graph =
		graph_parse("w.yaml", text, strlen(text), plugins, NULL, &diagnostics);
	cr_expect_not_null(graph, "where any field may be given");
	graph_free(graph);
	cr_expect_null(graph_parse("w.yaml", text, strlen(text), plugins, &nothing, &diagnostics));
	cr_assert_eq(diagnostics.count, 1);
	cr_expect_str_eq(diagnostics.items[0].text,
		"the node a reads the field message, which nothing writes; let a node write it, or "
		"give it when a turn begins");
	cr_expect_eq(diagnostics.items[0].line, 6);
	cr_expect_eq(diagnostics.items[0].column, 9);
	diagnostics_free(&diagnostics);
	plugins_free(plugins);
}

Test(graph, checks_what_is_written_on_an_error)
{
	refused(STATE
		"nodes:\n"
		"  a: {agent: echo, on_error: {set: {cuont: 3}}}\n"
		"  b: {agent: echo, on_error: {set: {count: 11, label: Medium}}}\n"
		"  c: {agent: echo, on_error: {set: [1]}}\n"
		"  d: {agent: echo, on_error: {sett: {count: 3}}}\n"
		"  e: {agent: echo, on_error: ignore}\n"
		"  f: {agent: echo, on_error: {}}\n"
		"edges:\n"
		"  [{from: START, to: a}, {from: a, to: b}, {from: b, to: c}, {from: c, to: d},\n"
		"   {from: d, to: e}, {from: e, to: f}, {from: f, to: END}]\n",
		7, "w.yaml:9:37: the state has no field \"cuont\" (did you mean \"count\"?)",
		"w.yaml:10:44: the field count is from 1 to 10, not 11",
		"w.yaml:10:55: \"Medium\" is no value of the field label",
		"w.yaml:11:30: on_error needs set, the fields that are written instead",
		"w.yaml:12:31: on_error has no key \"sett\" (did you mean \"set\"?)",
		"w.yaml:13:30: on_error must be a mapping, not a single value",
		"w.yaml:14:30: on_error needs set");
}

Test(graph, checks_an_agents_options)
{
	refused(STATE
		"nodes:\n"
		"  a: {agent: set}\n"
		"  b: {agent: set, options: {count: 11}}\n"
		"  c: {agent: set, options: {count: two, rate: fast, wait: 3}}\n"
		"  d: {agent: set, options: {count: 1, lable: x}}\n"
		"  e: {agent: set, options: [1]}\n"
		"  f: {agent: echo, options: {loud: true}}\n"
		"  g: {agent: fail, options: {when: never}}\n"
		"edges:\n"
		"  [{from: START, to: a}, {from: a, to: b}, {from: b, to: c}, {from: c, to: d},\n"
		"   {from: d, to: e}, {from: e, to: f}, {from: f, to: g}, {from: g, to: END}]\n",
		9, "w.yaml:9:6: the agent set needs \"count\": What it writes to count.",
		"w.yaml:10:36: count must be from 1 to 10, not 11",
		"w.yaml:11:36: count must be a whole number, not \"two\"",
		"w.yaml:11:47: rate must be a number, not \"fast\"",
		"w.yaml:11:59: wait must be a duration such as",
		"w.yaml:12:39: the agent set has no key \"lable\" (did you mean \"label\"?)",
		"w.yaml:13:28: the agent set must be a mapping, not a list",
		"w.yaml:14:30: the agent echo has no key \"loud\"",
		"w.yaml:15:36: when must be one of: create run, not \"never\"");
}

Test(graph, checks_the_settings_of_a_turn_and_of_nodes)
{
	refused("version: 2\nname: t\nmax_steps: 0\ntimeout: soon\nstate: {count: {type: int}}\n"
		"nodes:\n"
		"  START: {agent: fail}\n"
		"  '': {agent: fail}\n"
		"  a: {timeout: 2}\n"
		"  b: fail\n"
		"edges: [{from: START, to: a}, {from: a, to: b}, {from: b, to: END}]\n",
		8, "w.yaml:1:10: version must be from 1 to 1, not 2",
		"w.yaml:3:12: max_steps must be from 1 to 1000000, not 0",
		"w.yaml:4:10: timeout must be a duration",
		"w.yaml:7:3: START and END are where a turn begins and ends",
		"w.yaml:8:3: a node's name has from 1 to 64 bytes",
		"w.yaml:9:3: the node a needs either \"agent\", the agent that it runs",
		"w.yaml:9:16: timeout must be a duration",
		"w.yaml:10:6: the node b must be a mapping, not a single value");
}

Test(graph, reports_a_missing_section_once)
{
	refused("version: 1\nname: t\n"
		"nodes: {a: {agent: echo}}\n"
		"edges:\n"
		"  - {from: START, choose: [{when: message == '', to: a}, {else: END}]}\n"
		"  - {from: a, to: END}\n",
		1, "w.yaml: state must be a mapping from field names to their types");
	refused(STATE "nodes: []\nedges: [{from: START, to: a}, {from: a, to: b}]\n", 1,
		"w.yaml:8:8: nodes must be a mapping from node names to {agent: NAME, …}");
	refused(STATE "nodes: {a: {agent: echo}}\n", 1,
		"w.yaml: edges must be a list of {from: NODE, to: NODE}");
	refused("version: 1\nname: t\n", 3, "w.yaml: edges must", "w.yaml: nodes must",
		"w.yaml: state must");
}

Test(graph, reports_what_the_whole_shows_beside_what_is_wrong_in_its_parts)
{
	refused(STATE "max_stepz: 5\n"
		      "nodes:\n"
		      "  a: {agent: assign, options: {set: {count: '1'}}}\n"
		      "  b: {agent: assign, options: {set: {count: '2'}}}\n"
		      "  lost: {agent: assign, options: {set: {count: 'label + 1'}}}\n"
		      "  c: {agent: asign}\n"
		      "  d: {agent: assign, timeot: 1s}\n"
		      "edges:\n"
		      "  - {from: START, to: [a, b]}\n"
		      "  - {from: a, choose: [{when: 'count > \"\"', to: c}, {else: END}]}\n"
		      "  - {from: c, to: d}\n"
		      "  - {from: d, to: c}\n"
		      "  - {from: lost, to: END}\n",
		9, "w.yaml:8:1: the workflow has no key \"max_stepz\"",
		"w.yaml:11:3: nothing follows the node b",
		"w.yaml:11:3: the nodes a and b may run side by side and both write count",
		"w.yaml:12:3: nothing leads to the node lost",
		"w.yaml:12:55: the expression \"label + 1\" is wrong",
		"w.yaml:13:3: this circle can never end: c, d",
		"w.yaml:13:14: there is no agent plugin \"asign\" (did you mean \"assign\"?): no "
		"file ",
		"w.yaml:14:22: the node d has no key \"timeot\" (did you mean \"timeout\"?)",
		"w.yaml:17:38: the condition");
}

/* Of these workflows something is not known, so nothing is said that might be right. */
Test(graph, reports_no_mistake_that_may_follow_from_another)
{
	refused(STATE "nodes: {a: {agent: set, options: {count: 1}}, b: {agent: set, options: "
		      "{count: 2}}}\n"
		      "edges: [{from: START, to: [a, bb]}, {from: [a, b], to: END}]\n",
		1, "w.yaml:9:31: there is no node \"bb\" (did you mean \"b\"?)");
	refused("version: 1\nname: t\nstate:\n"
		"  message: {type: string}\n"
		"  list: {type: list, reducer: apend}\n"
		"nodes:\n"
		"  a: {agent: assign, options: {set: {list: '[1]'}}}\n"
		"  b: {agent: assign, options: {set: {list: '[2]'}}}\n"
		"edges: [{from: START, to: [a, b]}, {from: [a, b], to: END}]\n",
		1, "w.yaml:5:31: reducer must be one of");
	refused("version: 1\nname: t\nstate:\n"
		"  message: {type: string}\n"
		"  found: {type: list}\n"
		"nodes: {a: {agent: serch}, b: {agent: assign, options: {set: {message: "
		"'string(size(found))'}}}}\n"
		"edges: [{from: START, to: a}, {from: a, to: b}, {from: b, to: END}]\n",
		1, "w.yaml:6:20: there is no agent plugin \"serch\"");
}

Test(graph, refuses_what_is_no_workflow)
{
	const char *said =
		"w.yaml: a workflow is a mapping with version, name, state, nodes and edges";
	refused("", 1, said);
	refused("# nothing but a remark\n", 1, said);
	refused("- version\n- 1\n", 1,
		"w.yaml:1:1: a workflow is a mapping with version, name, state, nodes and edges");
	refused("workflow\n", 1, "w.yaml:1:1: a workflow is a mapping");
	refused("a: [1\n", 1, "w.yaml:2:1: is not YAML: ");
	refused("state: 1\nstate: 2\n", 1, "w.yaml:2:1: the key \"state\" is given twice");
}

/* COUNT nodes n0 to nCOUNT-1 one after the other. The caller frees it. */
static char *chain(size_t count)
{
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);
	(void)fprintf(stream, STATE "nodes:\n");
	for (size_t i = 0; i < count; i++)
		(void)fprintf(stream, "  n%zu: {agent: echo}\n", i);
	(void)fprintf(stream, "edges:\n  - {from: START, to: n0}\n");
	for (size_t i = 0; i + 1 < count; i++)
		(void)fprintf(stream, "  - {from: n%zu, to: n%zu}\n", i, i + 1);
	(void)fprintf(stream, "  - {from: n%zu, to: END}\n", count - 1);
	(void)fclose(stream);
	return text;
}

Test(graph, has_at_most_4096_nodes)
{
	char *fits = chain(GRAPH_NODES_LIMIT);
	char *larger = chain(GRAPH_NODES_LIMIT + 1);
	struct graph *graph = loads(fits);
	cr_expect_eq(graph->node_count, GRAPH_NODES_LIMIT);
	graph_free(graph);
	refused(larger, 1, "w.yaml:9:3: there are 4097 nodes; at most 4096 are allowed");
	free(fits);
	free(larger);
}

Test(graph, has_at_most_256_fields)
{
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);
	(void)fprintf(stream, "version: 1\nname: t\nnodes: {a: {agent: fail}}\n"
			      "edges: [{from: START, to: a}, {from: a, to: END}]\nstate:\n");
	for (int i = 0; i < GRAPH_FIELDS_LIMIT; i++)
		(void)fprintf(stream, "  f%d: {type: int}\n", i);
	(void)fflush(stream);
	graph_free(loads(text));
	(void)fprintf(stream, "  more: {type: int}\n");
	(void)fclose(stream);
	refused(text, 1, "w.yaml:6:3: the state has 257 fields; at most 256 are allowed");
	free(text);
}

Test(graph, survives_more_mistakes_than_are_kept)
{
	char *text = NULL;
	size_t size = 0;
	struct graph *graph;
	FILE *stream = open_memstream(&text, &size);
	(void)fprintf(stream, "version: 1\nname: t\nstate:\n");
	for (int i = 0; i < 150; i++)
		(void)fprintf(stream, "  f%d: {typ: int, min: x}\n", i);
	(void)fprintf(stream, "nodes:\n");
	for (int i = 0; i < 150; i++)
		(void)fprintf(
			stream, "  n%d: [echo]\n  m%d: {agent: echo, on_error: {set: 1}}\n", i, i);
	(void)fprintf(stream, "edges:\n");
	for (int i = 0; i < 150; i++)
		(void)fprintf(stream,
			"  - {from: n%d}\n  - {from: n%d, choose: [x, {when: y}]}\n"
			"  - {from: n%d, to: [y], any: 3}\n",
			i, i, i);
	(void)fclose(stream);
	char *said = load_workflow(text, size, &graph);
	cr_assert_not_null(said);
	cr_expect_not_null(strstr(said, "and more mistakes; mend these first"));
	free(said);
	free(text);
}

static const struct graph_field number_field = {
	.name = "rate", .type = SS_NUMBER, .has_range = true, .min = 0, .max = 1};

/* What graph_fit_value() says about VALUE (taken) in FIELD. */
static void unfit(const struct graph_field *field, struct ss_value *value, const char *why)
{
	struct ss_error err = {0};
	cr_expect_null(graph_fit_value(field, value, &err));
	cr_expect_eq(err.status, SS_INVALID);
	cr_expect_str_eq(err.text, why);
}

Test(values, become_what_the_field_holds)
{
	struct ss_error err = {0};
	struct ss_value *value = graph_fit_value(&number_field, value_int(1), &err);
	cr_expect_eq(value_type(value), SS_NUMBER);
	cr_expect_eq(value_as_number(value), 1);
	value_unref(value);
}

Test(values, must_be_of_the_type_and_in_the_range)
{
	unfit(&number_field, value_number(1.5), "the field rate is from 0 to 1, not 1.5");
	unfit(&number_field, value_int(-1), "the field rate is from 0 to 1, not -1");
	unfit(&number_field, value_number((double)NAN),
		"the field rate takes a finite number, not nan");
	unfit(&number_field, value_number((double)INFINITY),
		"the field rate takes a finite number, not inf");
	unfit(&number_field, value_text("1"),
		"the field rate takes a value of the type number, not string");
	unfit(&number_field, value_null(),
		"the field rate takes a value of the type number, not null");
}

Test(values, of_an_enum_are_shown_without_cutting_a_character)
{
	struct ss_value *one = value_text("a");
	struct ss_value *values = value_list(&one, 1);
	const struct graph_field field = {.name = "kind", .type = SS_STRING, .values = values};
	unfit(&field, value_text("b"), "\"b\" is no value of the field kind");
	unfit(&field, value_text("xäääääääääääääääääääääääääääääääääääääää"),
		"\"xäääääääääääääääääääääääääääää\" is no value of the field kind");
	value_unref(values);
}

Test(shipped, support_workflow_loads)
{
	static const char *const support_inputs[] = {"message", "user_id", "user_name", "vip",
		"conversation_id", "history", "recent", "asked_at", "conversation_status", NULL};
	static const char *const agents[] = {"categorizer", "sentiment", "attempts", "priority",
		"kb_retriever", "escalation_check", "technical", "billing", "general", "escalation",
		"respond", "assign"};
	const char *folder = SS_BUILD_DIR "/plugins";
	for (size_t i = 0; i < array_length(agents); i++) {
		char *path = memory_format("%s/agents/%s.so", folder, agents[i]);
		bool built = access(path, F_OK) == 0;
		free(path);
		if (!built)
			cr_skip_test("the agent %s is not built", agents[i]);
	}
	struct diagnostics diagnostics = {0};
	struct plugins *plugins = plugins_new(&folder, 1, NULL);
	struct graph *graph = graph_load(SS_SOURCE_DIR "/config/workflows/support.yaml", plugins,
		support_inputs, &diagnostics);
	diagnostics_print(&diagnostics, stderr);
	cr_expect_not_null(graph);
	graph_free(graph);
	diagnostics_free(&diagnostics);
	plugins_free(plugins);
}

Test(graph, that_cannot_be_read_is_named)
{
	struct diagnostics diagnostics = {0};
	struct plugins *plugins = fixtures();
	cr_expect_null(graph_load("/nowhere/w.yaml", plugins, inputs, &diagnostics));
	cr_assert_eq(diagnostics.count, 1);
	cr_expect_str_eq(diagnostics.items[0].file, "/nowhere/w.yaml");
	diagnostics_free(&diagnostics);
	plugins_free(plugins);
}
