/* Drawings of workflows: what stands in them, and that no name or condition breaks them. */
#include "graph/draw.h"

#include "base/memory.h"
#include "loading.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *draw_graph(const struct graph *graph, enum graph_format format)
{
	struct buffer out = {0};
	graph_draw(graph, format, &out);
	return buffer_take(&out);
}

static char *draw(const char *text, enum graph_format format)
{
	struct graph *graph = loads(text);
	char *drawing = draw_graph(graph, format);
	graph_free(graph);
	return drawing;
}

static size_t occurrences(const char *text, const char *word)
{
	/* Not strstr(), which under AddressSanitizer looks at the whole rest of the text. */
	size_t count = 0, length = strlen(word);
	for (; *text != '\0'; text++)
		count += strncmp(text, word, length) == 0;
	return count;
}

static bool has(const char *text, const char *word)
{
	return strstr(text, word) != NULL;
}

/* Whether the reference behind & is one that XML knows without a declaration. */
static bool is_reference(const char *text)
{
	static const char *const names[] = {"amp;", "lt;", "gt;", "quot;", "apos;"};
	for (size_t i = 0; i < array_length(names); i++) {
		if (strncmp(text, names[i], strlen(names[i])) == 0)
			return true;
	}
	size_t digits = text[0] == '#' ? strspn(text + 1, "0123456789") : 0;
	return digits > 0 && text[1 + digits] == ';';
}

/* The tags of TEXT are closed in order, attributes are quoted, and all that is special is escaped. */
static void expect_xml(const char *text)
{
	const char *names[16];
	size_t lengths[16];
	size_t depth = 0;
	for (const char *at = text; *at != '\0'; at++) {
		cr_assert((unsigned char)*at >= 0x20 || *at == '\n', "a control character");
		if (*at == '&')
			cr_assert(is_reference(at + 1), "%.40s", at);
		cr_assert_neq(*at, '>', "%.40s", at);
		if (*at != '<')
			continue;
		bool closing = at[1] == '/';
		const char *name = at + (closing ? 2 : 1);
		size_t length = strcspn(name, " />");
		bool quoted = false;
		for (at = name + length; *at != '>' || quoted; at++) {
			cr_assert(*at != '\0' && *at != '<');
			quoted = quoted != (*at == '"');
			if (*at == '&')
				cr_assert(is_reference(at + 1), "%.40s", at);
		}
		if (closing) {
			cr_assert(depth > 0);
			depth--;
			cr_assert(length == lengths[depth] &&
				  memcmp(name, names[depth], length) == 0);
		} else if (at[-1] != '/') {
			cr_assert(depth < 16);
			names[depth] = name;
			lengths[depth++] = length;
		}
	}
	cr_assert_eq(depth, 0);
}

#define LOOP                                                                                       \
	STATE "nodes:\n"                                                                           \
	      "  plan: {agent: fail}\n"                                                            \
	      "  act: {agent: fail}\n"                                                             \
	      "  check: {agent: fail}\n"                                                           \
	      "edges:\n"                                                                           \
	      "  - {from: START, to: plan}\n"                                                      \
	      "  - {from: plan, to: act}\n"                                                        \
	      "  - {from: act, to: check}\n"                                                       \
	      "  - {from: check, choose: [{when: count > 3, to: plan}, {when: count > 2, to: "     \
	      "check}, {else: END}]}\n"

#define JOINS                                                                                      \
	STATE "nodes: {a: {agent: fail}, b: {agent: fail}, c: {agent: fail}, d: {agent: fail}}\n"  \
	      "edges:\n"                                                                           \
	      "  - {from: START, to: [a, b]}\n"                                                    \
	      "  - {from: [a, b], to: c}\n"                                                        \
	      "  - {from: [a, b], any: true, to: d}\n"                                             \
	      "  - {from: [c, d], to: END}\n"

Test(draw, svg_has_every_node_and_every_edge)
{
	char *svg = draw(LOOP, GRAPH_SVG);
	expect_xml(svg);
	cr_expect(strncmp(svg, "<svg xmlns=\"http://www.w3.org/2000/svg\"", 39) == 0);
	cr_expect(has(svg, " role=\"img\""));
	cr_expect(has(svg, ">test</title>"));
	cr_expect(has(svg, "<desc "));
	cr_expect(has(svg, "prefers-color-scheme:dark"));
	cr_expect_not(has(svg, "<script"));
	cr_expect_eq(occurrences(svg, "<g class=\"node\" id=\"node-"), 3);
	cr_expect_eq(occurrences(svg, "<g class=\"pill\""), 2);
	cr_expect_eq(occurrences(svg, "<g class=\"edge\""), 6);
	cr_expect_eq(occurrences(svg, "class=\"head\""), 6);
	cr_expect_eq(occurrences(svg, "<g class=\"gate\""), 0);
	cr_expect(has(svg, "data-from=\"START\" data-to=\"plan\" data-kind=\"plain\""));
	cr_expect(has(svg, "data-from=\"check\" data-to=\"plan\" data-kind=\"when\" "
			   "data-when=\"count &#62; 3\""));
	cr_expect(has(svg, "data-from=\"check\" data-to=\"check\" data-kind=\"when\" "
			   "data-when=\"count &#62; 2\""));
	cr_expect(has(svg, "data-from=\"check\" data-to=\"END\" data-kind=\"else\" "
			   "data-when=\"else\""));
	free(svg);
}

Test(draw, svg_tells_a_gate_that_waits_from_one_that_does_not)
{
	char *svg = draw(JOINS, GRAPH_SVG);
	expect_xml(svg);
	cr_expect_eq(occurrences(svg, "<g class=\"gate\""), 3);
	cr_expect_eq(occurrences(svg, "class=\"bar\""), 2);
	cr_expect_eq(occurrences(svg, "class=\"ring\""), 1);
	cr_expect(
		has(svg, "data-from=\"a\" data-to=\"gate-1\" data-kind=\"plain\" data-gate=\"1\""));
	cr_expect(
		has(svg, "data-from=\"gate-1\" data-to=\"c\" data-kind=\"plain\" data-gate=\"1\""));
	cr_expect_eq(occurrences(svg, "class=\"head\""), 5, "what leads to a gate has no arrow");
	free(svg);
}

Test(draw, svg_shortens_a_long_condition_and_keeps_it_whole_for_who_asks)
{
	char *svg =
		draw(STATE "nodes: {a: {agent: fail}, b: {agent: fail}}\n"
			   "edges:\n"
			   "  - {from: START, to: a}\n"
			   "  - {from: b, to: END}\n"
			   "  - from: a\n"
			   "    choose:\n"
			   "      - {when: 'message == \"ääää ääää ääää ääää ääää ääää ääää ääää "
			   "the end\"', to: b}\n"
			   "      - {when: count == 1 || count == 2, to: b}\n"
			   "      - {else: END}\n",
			GRAPH_SVG);
	expect_xml(svg);
	cr_expect(has(svg, "<title>message == &#34;ääää ääää ääää ääää ääää ääää ääää ääää the "
			   "end&#34;</title>"));
	cr_expect(has(svg, "ääää…</text>"), "48 characters, of which the last is …\n%s", svg);
	cr_expect_eq(occurrences(svg, "the end"), 2, "in the title and in data-when");
	cr_expect(has(svg, ">count == 1 || count == 2</text>"), "25 characters are one line");
	free(svg);
}

#define AWKWARD                                                                                    \
	STATE "nodes:\n"                                                                           \
	      "  \"a<b>&\\\"c\\\" 'd' ]] --> %% é日 \\\\ #quot; {x} _y_ 1. "                     \
	      "[z](u)\\n\\x01\\uFFFE\": "                                                          \
	      "{agent: fail}\n"                                                                    \
	      "edges:\n"                                                                           \
	      "  - {from: START, to: \"a<b>&\\\"c\\\" 'd' ]] --> %% é日 \\\\ #quot; {x} _y_ 1. " \
	      "[z](u)\\n\\x01\\uFFFE\"}\n"                                                         \
	      "  - from: \"a<b>&\\\"c\\\" 'd' ]] --> %% é日 \\\\ #quot; {x} _y_ 1. "             \
	      "[z](u)\\n\\x01\\uFFFE\"\n"                                                          \
	      "    choose:\n"                                                                      \
	      "      - {when: 'message == \"</title>&amp;\"', to: END}\n"                          \
	      "      - {else: END}\n"

Test(draw, svg_escapes_names_and_conditions)
{
	char *svg = draw(AWKWARD, GRAPH_SVG);
	expect_xml(svg);
	cr_expect(has(svg, "id=\"node-a&#60;b&#62;&#38;&#34;c&#34; &#39;d&#39; ]]"));
	cr_expect(has(svg, "&#60;/title&#62;&#38;amp;"));
	cr_expect(has(svg, "&#10;\xef\xbf\xbd\xef\xbf\xbd\""));
	free(svg);
}

Test(draw, mermaid_escapes_names_and_conditions)
{
	char *mermaid = draw(AWKWARD, GRAPH_MERMAID);
	cr_expect(has(mermaid, "  n1[\"a#60;b#62;#38;#34;c#34; #39;d#39; #93;#93; #45;#45;#62;"));
	cr_expect(has(mermaid, " #35;quot#59; #123;x#125; #95;y#95; 1#46; #91;z#93;(u)"));
	cr_expect(has(mermaid, "  n1 -->|\"message == #34;#60;/title#62;#38;amp#59;"));
	cr_expect_eq(occurrences(mermaid, "\n"), 7, "names have no line breaks of their own");
	free(mermaid);
}

Test(draw, dot_escapes_names_and_conditions)
{
	char *dot = draw(AWKWARD, GRAPH_DOT);
	cr_expect(has(dot, "label=\"a<b>&amp;\\\"c\\\" 'd' ]] --> %% é日 \\\\ #quot; {x}"));
	cr_expect(has(dot, "label=\"message == \\\"</title>&amp;amp;"));
	free(dot);
}

Test(draw, mermaid_is_a_flowchart)
{
	char *mermaid = draw(LOOP, GRAPH_MERMAID);
	cr_expect_str_eq(mermaid, "flowchart TD\n"
				  "  n0([\"START\"])\n"
				  "  n1[\"plan<br/>fail\"]\n"
				  "  n2[\"act<br/>fail\"]\n"
				  "  n3[\"check<br/>fail\"]\n"
				  "  n4([\"END\"])\n"
				  "  n0 --> n1\n"
				  "  n1 --> n2\n"
				  "  n2 --> n3\n"
				  "  n3 -->|\"count #62; 3\"| n1\n"
				  "  n3 -->|\"count #62; 2\"| n3\n"
				  "  n3 -->|\"else\"| n4\n");
	free(mermaid);
}

Test(draw, mermaid_and_dot_have_gates)
{
	char *mermaid = draw(JOINS, GRAPH_MERMAID);
	char *dot = draw(JOINS, GRAPH_DOT);
	cr_expect(has(mermaid, "  n6((\"all\"))\n"));
	cr_expect(has(mermaid, "  n7{{\"any\"}}\n"));
	cr_expect(has(mermaid, "  n1 --- n6\n"));
	cr_expect(has(mermaid, "  n6 --> n3\n"));
	cr_expect(strncmp(dot, "digraph \"test\" {\n", 17) == 0);
	cr_expect_eq(occurrences(dot, "xlabel=all"), 2);
	cr_expect_eq(occurrences(dot, "xlabel=any"), 1);
	cr_expect_eq(occurrences(dot, "dir=none"), 6);
	free(mermaid);
	free(dot);
}

#define FEATURES                                                                                   \
	STATE "  tasks: {type: list}\n"                                                            \
	      "nodes:\n"                                                                           \
	      "  split: {agent: fail, goto: [work, END], on_error: {to: sorry}}\n"                 \
	      "  work: {agent: fail, retry: {attempts: 3}, interrupt: {before: true}}\n"           \
	      "  sorry: {agent: fail}\n"                                                           \
	      "edges:\n"                                                                           \
	      "  - {from: START, to: split}\n"                                                     \
	      "  - {from: split, to: END}\n"                                                       \
	      "  - {from: [work, sorry], any: true, to: END}\n"

Test(draw, shows_what_is_special_about_nodes_and_edges)
{
	char *svg = draw(FEATURES, GRAPH_SVG);
	char *mermaid = draw(FEATURES, GRAPH_MERMAID);
	expect_xml(svg);
	cr_expect(has(svg, "data-from=\"split\" data-to=\"work\" data-kind=\"command\""));
	cr_expect(has(svg, "data-from=\"split\" data-to=\"sorry\" data-kind=\"failure\""));
	cr_expect(has(svg, ">goto</text>"));
	cr_expect(has(svg, ">on error</text>"));
	cr_expect(has(svg, ">asks before · 3 attempts</text>"));
	cr_expect(has(mermaid, "n1 -.->|\"on error\"| n3\n"));
	cr_expect(has(mermaid, "n1 ==>|\"goto\"| n2\n"));
	free(svg);
	free(mermaid);
}

Test(draw, gives_the_same_bytes_for_the_same_graph)
{
	for (enum graph_format format = GRAPH_MERMAID; format <= GRAPH_SVG; format++) {
		char *one = draw(JOINS, format);
		char *other = draw(JOINS, format);
		cr_expect_str_eq(one, other);
		free(one);
		free(other);
	}
}

/* Draws COUNT nodes, one after the other or all side by side between START and a join. The graph is made by
 * hand: this is about drawing alone. */
static char *draw_many(size_t count, bool wide)
{
	struct ss_error err = {0};
	struct plugins *plugins = fixtures();
	const struct ss_plugin *plugin = plugins_get(plugins, SS_AGENT, "fail", &err);
	size_t *rows = memory_array(count, sizeof *rows);
	struct graph_node *nodes = memory_array(count, sizeof *nodes);
	struct graph_choice *choices = memory_array(count + 1, sizeof *choices);
	struct graph_edge *edges = memory_array(count + 1, sizeof *edges);
	size_t start = GRAPH_START;
	cr_assert_not_null(plugin, "%s", err.text);
	for (size_t i = 0; i < count; i++) {
		nodes[i].name = memory_format("n%zu", i);
		nodes[i].plugin = plugin;
		rows[i] = i;
		choices[i].to = i;
		edges[i] = (struct graph_edge){.from = i == 0 ? &start : &rows[i - 1],
			.from_count = 1,
			.choices = &choices[i],
			.choice_count = 1};
	}
	choices[count].to = GRAPH_END;
	edges[count] = (struct graph_edge){.from = &rows[count - 1],
		.from_count = 1,
		.choices = &choices[count],
		.choice_count = 1};
	if (wide) {
		edges[0].choice_count = count;
		edges[1] = edges[count];
		edges[1].from = rows;
		edges[1].from_count = count;
		edges[1].join = true;
	}
	struct graph graph = {.name = (char *)"many",
		.nodes = nodes,
		.node_count = count,
		.edges = edges,
		.edge_count = wide ? 2 : count + 1};
	char *svg = draw_graph(&graph, GRAPH_SVG);
	for (size_t i = 0; i < count; i++)
		free(nodes[i].name);
	free(rows);
	free(nodes);
	free(choices);
	free(edges);
	plugins_free(plugins);
	return svg;
}

Test(draw, draws_a_chain_of_a_thousand_nodes, .timeout = 300)
{
	char *svg = draw_many(1000, false);
	expect_xml(svg);
	cr_expect_eq(occurrences(svg, "<g class=\"node\""), 1000);
	cr_expect_eq(occurrences(svg, "<g class=\"edge\""), 1001);
	free(svg);
}

Test(draw, draws_as_many_nodes_side_by_side_as_a_workflow_may_have, .timeout = 300)
{
	char *svg = draw_many(GRAPH_NODES_LIMIT, true);
	expect_xml(svg);
	cr_expect_eq(occurrences(svg, "<g class=\"node\""), GRAPH_NODES_LIMIT);
	cr_expect_eq(occurrences(svg, "<g class=\"edge\""), 2 * GRAPH_NODES_LIMIT + 1);
	free(svg);
}
