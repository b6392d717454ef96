#include "graph/draw.h"

#include "base/memory.h"
#include "graph/draw_picture.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

const char *const draw_kind_names[] = {
	[DRAW_PLAIN] = "plain",
	[DRAW_WHEN] = "when",
	[DRAW_ELSE] = "else",
	[DRAW_COMMAND] = "command",
	[DRAW_FAILURE] = "failure",
};

/* What is said of a link that has no condition. */
static const char *const kind_texts[] = {
	[DRAW_ELSE] = "else",
	[DRAW_COMMAND] = "goto",
	[DRAW_FAILURE] = "on error",
};

bool draw_is_gate(const struct draw_part *part)
{
	return part->shape == DRAW_ALL || part->shape == DRAW_ANY;
}

static bool is_white(utf8proc_int32_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == 0x85 || c == 0x2028 ||
	       c == 0x2029;
}

/* Takes the next character of *TEXT, which does not end here; white space counts as one blank. */
static utf8proc_int32_t next_character(const char **text)
{
	utf8proc_int32_t c = 0;
	bool white = false;
	for (;;) {
		utf8proc_ssize_t read = utf8proc_iterate((const utf8proc_uint8_t *)*text, -1, &c);
		if (white && (read <= 0 || !is_white(c)))
			return ' ';
		*text += read > 0 ? read : 1;
		white = read > 0 && is_white(c);
		if (read <= 0)
			return 0xfffd;
		if (!white)
			return draw_is_xml(c) ? c : 0xfffd;
	}
}

bool draw_is_xml(int32_t c)
{
	return c >= 0x20 && (c < 0x7f || c > 0x9f) && c != 0xfffe && c != 0xffff;
}

char *draw_shorten(const char *text, size_t limit)
{
	struct buffer out = {0};
	size_t cut = 0;
	for (size_t count = 0; *text != '\0'; count++) {
		utf8proc_uint8_t bytes[4];
		if (count == limit) {
			out.length = cut > 0 && out.data[cut - 1] == ' ' ? cut - 1 : cut;
			buffer_add_string(&out, "…");
			break;
		}
		cut = out.length;
		utf8proc_ssize_t length = utf8proc_encode_char(next_character(&text), bytes);
		buffer_add(&out, (const char *)bytes, (size_t)length);
	}
	return buffer_take(&out);
}

__attribute__((format(printf, 2, 3))) static void add_badge(
	struct buffer *badges, const char *format, ...)
{
	va_list arguments;
	if (badges->length > 0)
		buffer_add_string(badges, " · ");
	va_start(arguments, format);
	buffer_add_arguments(badges, format, arguments);
	va_end(arguments);
}

/* What the one who reads the drawing should know of NODE beside its agent; NULL when it is nothing. */
static char *find_badges(const struct graph_node *node)
{
	struct buffer badges = {0};
	if (node->send.over.expr != NULL)
		add_badge(&badges, "for each of %s", node->send.over.text);
	if (node->interrupt.before)
		add_badge(&badges, "asks before");
	if (node->interrupt.after)
		add_badge(&badges, "asks after");
	if (node->retry.attempts > 1)
		add_badge(&badges, "%" PRId64 " attempts", node->retry.attempts);
	if (node->cache.slots != NULL)
		add_badge(&badges, "cached");
	return badges.length > 0 ? buffer_take(&badges) : NULL;
}

static struct draw_part make_node(const struct graph_node *node)
{
	bool inner = node->workflow != NULL;
	return (struct draw_part){
		.shape = inner ? DRAW_WORKFLOW : DRAW_AGENT,
		.name = memory_string(node->name),
		.detail = inner ? memory_format("workflow %s", node->workflow->name)
				: memory_string(node->plugin->name),
		.badges = find_badges(node),
		.copies = node->send.over.expr != NULL,
	};
}

/* Where PLACE is among the parts: START comes first, the nodes follow, then END. */
static size_t part_of(const struct draw_picture *picture, size_t place)
{
	if (place == GRAPH_START)
		return 0;
	return place == GRAPH_END ? picture->graph->node_count + 1 : place + 1;
}

static enum draw_kind kind_of(const struct graph_edge *edge, const struct graph_choice *choice)
{
	switch (edge->kind) {
	case GRAPH_CHOOSE:
		return choice->when != NULL ? DRAW_WHEN : DRAW_ELSE;
	case GRAPH_COMMAND:
		return DRAW_COMMAND;
	case GRAPH_FAILURE:
		return DRAW_FAILURE;
	default:
		return DRAW_PLAIN;
	}
}

static void add_link(struct draw_picture *picture, struct draw_link link)
{
	picture->parts[link.from].outs++;
	picture->parts[link.to].ins++;
	picture->links[picture->link_count++] = link;
}

static void add_edge(struct draw_picture *picture, size_t row)
{
	const struct graph_edge *edge = &picture->graph->edges[row];
	size_t from = part_of(picture, edge->from[0]);
	size_t gate = GRAPH_NO_SLOT;
	if (edge->from_count > 1) {
		gate = row;
		from = picture->part_count++;
		picture->parts[from] = (struct draw_part){
			.shape = edge->join ? DRAW_ALL : DRAW_ANY,
			.name = memory_format("gate-%zu", row),
		};
	}
	for (size_t i = 0; gate != GRAPH_NO_SLOT && i < edge->from_count; i++)
		add_link(picture,
			(struct draw_link){
				.from = part_of(picture, edge->from[i]), .to = from, .gate = gate});
	for (size_t i = 0; i < edge->choice_count; i++) {
		const struct graph_choice *choice = &edge->choices[i];
		enum draw_kind kind = kind_of(edge, choice);
		add_link(picture,
			(struct draw_link){.from = from,
				.to = part_of(picture, choice->to),
				.kind = kind,
				.text = kind == DRAW_WHEN ? choice->text : kind_texts[kind],
				.gate = gate});
	}
}

static struct draw_picture make_picture(const struct graph *graph)
{
	struct draw_picture picture = {.graph = graph, .part_count = graph->node_count + 2};
	size_t links = 0;
	for (size_t i = 0; i < graph->edge_count; i++)
		links += graph->edges[i].from_count + graph->edges[i].choice_count;
	picture.parts =
		memory_array(graph->node_count + 2 + graph->edge_count, sizeof *picture.parts);
	picture.links = memory_array(links, sizeof *picture.links);
	picture.parts[0] = (struct draw_part){.shape = DRAW_START, .name = memory_string("START")};
	for (size_t i = 0; i < graph->node_count; i++)
		picture.parts[i + 1] = make_node(&graph->nodes[i]);
	picture.parts[graph->node_count + 1] =
		(struct draw_part){.shape = DRAW_END, .name = memory_string("END")};
	for (size_t i = 0; i < graph->edge_count; i++)
		add_edge(&picture, i);
	return picture;
}

static void free_picture(struct draw_picture *picture)
{
	for (size_t i = 0; i < picture->part_count; i++) {
		free(picture->parts[i].name);
		free(picture->parts[i].detail);
		free(picture->parts[i].badges);
	}
	free(picture->parts);
	free(picture->links);
}

void graph_draw(const struct graph *graph, enum graph_format format, struct buffer *out)
{
	struct draw_picture picture = make_picture(graph);
	switch (format) {
	case GRAPH_MERMAID:
		draw_mermaid(&picture, out);
		break;
	case GRAPH_DOT:
		draw_dot(&picture, out);
		break;
	case GRAPH_SVG:
		draw_svg(&picture, out);
		break;
	}
	free_picture(&picture);
}
