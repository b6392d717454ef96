/*
 * A workflow as an SVG that stands for itself: placed by layout.h, with its own style for light and dark
 * pages, and no scripts or fonts from elsewhere.
 *
 * How wide a text becomes is known only to whoever shows it, so it is estimated, rather too wide than too
 * narrow: names as the sum of a share of the font's size for each class of characters (narrow, ordinary,
 * capital, wide), which covers the wide common fonts such as DejaVu Sans Bold; conditions are set in a
 * monospaced font, 0.62 of its size for each column.
 */
#include "base/memory.h"
#include "base/text.h"
#include "graph/draw_picture.h"
#include "graph/layout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

enum {
	NAME_LIMIT = 32, /* characters that are shown */
	DETAIL_LIMIT = 40,
	LABEL_LIMIT = 48,
	LABEL_COLUMNS = 26, /* a longer label has two lines */
	NAME_SIZE = 14,
	DETAIL_SIZE = 11,
	LABEL_SIZE = 11,
	LABEL_LINE = 15, /* from line to line */
};

static const double box_padding = 14;
static const double box_least = 96;
static const double box_radius = 8;
static const double pill_height = 26;
static const double bar_height = 6;
static const double bar_most = 280;
static const double ring_size = 14;
static const double gate_word = 34; /* beside a gate */
static const double port_gap = 16;
static const double arrow_width = 8;
static const double arrow_height = 9;

static const char style[] =
	"<style>\n"
	"svg.workflow{font-family:system-ui,-apple-system,\"Segoe UI\",Roboto,\"Helvetica "
	"Neue\",Arial,\"DejaVu Sans\",sans-serif}\n"
	".workflow .page{fill:#ffffff}\n"
	".workflow text{fill:#1b2533;text-anchor:middle}\n"
	".workflow .name{font-size:14px;font-weight:600}\n"
	".workflow .detail,.workflow .badges,.workflow .word{font-size:11px;fill:#596579}\n"
	".workflow .box{fill:#f3f6fb;stroke:#8b98ad;stroke-width:1.25}\n"
	".workflow .pill .box{fill:#1b2533;stroke:#1b2533}\n"
	".workflow .pill .name{font-size:12px;fill:#ffffff}\n"
	".workflow .bar{fill:#3c4a5f}\n"
	".workflow .ring{fill:#ffffff;stroke:#3c4a5f;stroke-width:2}\n"
	".workflow .line{fill:none;stroke:#6b788e;stroke-width:1.5}\n"
	".workflow .head{fill:#6b788e}\n"
	".workflow .label rect{fill:#ffffff}\n"
	".workflow .label text{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,\"DejaVu "
	"Sans Mono\",monospace;font-size:11px}\n"
	".workflow .edge[data-kind=\"else\"] text,.workflow .edge[data-kind=\"command\"] "
	"text{font-style:italic;fill:#596579}\n"
	".workflow .edge[data-kind=\"command\"] .line{stroke-dasharray:7 3}\n"
	".workflow .edge[data-kind=\"failure\"] .line{stroke:#c2410c;stroke-dasharray:3 3}\n"
	".workflow .edge[data-kind=\"failure\"] .head{fill:#c2410c}\n"
	".workflow .edge[data-kind=\"failure\"] text{font-style:italic;fill:#c2410c}\n"
	".workflow g.lit.lit .line{stroke:#0b6bcb;stroke-width:3}\n"
	".workflow g.lit.lit .head,.workflow g.lit.lit .bar{fill:#0b6bcb}\n"
	".workflow g.lit.lit .box,.workflow g.lit.lit .ring{stroke:#0b6bcb;stroke-width:2.5}\n"
	"@media (prefers-color-scheme:dark){\n"
	".workflow .page,.workflow .label rect{fill:#12161d}\n"
	".workflow text{fill:#e6ebf2}\n"
	".workflow .detail,.workflow .badges,.workflow .word{fill:#9aa7ba}\n"
	".workflow .box{fill:#1d2430;stroke:#5d6a80}\n"
	".workflow .pill .box{fill:#e6ebf2;stroke:#e6ebf2}\n"
	".workflow .pill .name{fill:#12161d}\n"
	".workflow .bar{fill:#c3cddb}\n"
	".workflow .ring{fill:#12161d;stroke:#c3cddb}\n"
	".workflow .line{stroke:#8a97ab}\n"
	".workflow .head{fill:#8a97ab}\n"
	".workflow .edge[data-kind=\"else\"] text,.workflow .edge[data-kind=\"command\"] "
	"text{fill:#9aa7ba}\n"
	".workflow .edge[data-kind=\"failure\"] .line{stroke:#fb923c}\n"
	".workflow .edge[data-kind=\"failure\"] .head,.workflow .edge[data-kind=\"failure\"] "
	"text{fill:#fb923c}\n"
	".workflow g.lit.lit .line{stroke:#5aa9f8}\n"
	".workflow g.lit.lit .head,.workflow g.lit.lit .bar{fill:#5aa9f8}\n"
	".workflow g.lit.lit .box,.workflow g.lit.lit .ring{stroke:#5aa9f8}\n"
	"}\n"
	"</style>\n";

/* TEXT in XML, between tags or inside double quotes. */
static void add_xml(struct buffer *out, const char *text)
{
	utf8proc_int32_t c;
	for (utf8proc_ssize_t read; *text != '\0'; text += read > 0 ? read : 1) {
		read = utf8proc_iterate((const utf8proc_uint8_t *)text, -1, &c);
		if (read > 0 && strchr("&<>\"'\t\n\r", *text) != NULL)
			buffer_add_format(out, "&#%d;", (int)c);
		else if (read <= 0 || !draw_is_xml(c))
			buffer_add_string(out, "\xef\xbf\xbd");
		else
			buffer_add(out, text, (size_t)read);
	}
}

/* A length or a place with at most one decimal. */
static void add_number(struct buffer *out, double number)
{
	buffer_add_format(out, "%.10g", round(number * 10) / 10 + 0.0);
}

/* NAME="NUMBER", after a blank. */
static void add_length(struct buffer *out, const char *name, double number)
{
	buffer_add_format(out, " %s=\"", name);
	add_number(out, number);
	buffer_add_char(out, '"');
}

static void add_attribute(struct buffer *out, const char *name, const char *text)
{
	buffer_add_format(out, " %s=\"", name);
	add_xml(out, text);
	buffer_add_char(out, '"');
}

static void add_text(
	struct buffer *out, const char *class, double x, double y, const char *text, size_t limit)
{
	char *shown = draw_shorten(text, limit);
	buffer_add_format(out, "<text class=\"%s\"", class);
	add_length(out, "x", x);
	add_length(out, "y", y);
	buffer_add_char(out, '>');
	add_xml(out, shown);
	buffer_add_string(out, "</text>\n");
	free(shown);
}

static void add_rectangle(struct buffer *out, const char *class, const struct layout_node *node,
	double radius, double grow, double aside)
{
	buffer_add_format(out, "<rect class=\"%s\"", class);
	add_length(out, "x", node->x - node->width / 2 - grow + aside);
	add_length(out, "y", node->y - node->height / 2 - grow + aside);
	add_length(out, "width", node->width + 2 * grow);
	add_length(out, "height", node->height + 2 * grow);
	add_length(out, "rx", fmax(radius + grow, 0));
	buffer_add_string(out, "/>\n");
}

/* The share of the font's size that the character C takes. */
static double share(utf8proc_int32_t c)
{
	int columns = utf8proc_charwidth(c);
	if (columns != 1)
		return columns == 0 ? 0 : 1.05;
	if (c < 0x80 && strchr("iIjlft.,:;'|!()[]/ ", (char)c) != NULL)
		return 0.46;
	if (c < 0x80 && strchr("mwMW@%", (char)c) != NULL)
		return 1.05;
	return c >= 'A' && c <= 'Z' ? 0.82 : 0.72;
}

static double text_width(const char *text, size_t limit, double size)
{
	char *shown = draw_shorten(text, limit);
	double width = 0;
	utf8proc_int32_t c;
	for (const char *at = shown; *at != '\0';) {
		at += utf8proc_iterate((const utf8proc_uint8_t *)at, -1, &c);
		width += share(c) * size;
	}
	free(shown);
	return ceil(width);
}

/* The columns that the LENGTH bytes of TEXT take in a monospaced font. */
static size_t columns(const char *text, size_t length)
{
	size_t columns = 0;
	utf8proc_int32_t c;
	for (const char *at = text; at < text + length;) {
		at += utf8proc_iterate((const utf8proc_uint8_t *)at, -1, &c);
		columns += (size_t)utf8proc_charwidth(c);
	}
	return columns;
}

/* Where the second line of LABEL begins: behind the blank nearest to its middle. 0: it is one line. */
static size_t second_line(const char *label)
{
	size_t length = strlen(label), best = 0;
	if (columns(label, length) <= LABEL_COLUMNS)
		return 0;
	for (size_t i = 1; i + 1 < length; i++) {
		ptrdiff_t nearer = labs((ptrdiff_t)(2 * best) - (ptrdiff_t)length) -
				   labs((ptrdiff_t)(2 * i) - (ptrdiff_t)length);
		if (label[i - 1] == ' ' && nearer > 0)
			best = i;
	}
	return best;
}

static void measure_label(const struct draw_link *link, struct layout_edge *edge)
{
	if (link->text == NULL)
		return;
	char *label = draw_shorten(link->text, LABEL_LIMIT);
	size_t second = second_line(label);
	size_t wide = columns(label + second, strlen(label + second));
	if (second > 0 && columns(label, second - 1) > wide)
		wide = columns(label, second - 1);
	edge->label_width = ceil((double)wide * LABEL_SIZE * 0.62) + 8;
	edge->label_height = LABEL_LINE * (second > 0 ? 2 : 1) + 4;
	free(label);
}

static void measure_part(const struct draw_part *part, struct layout_node *node)
{
	size_t most = part->ins > part->outs ? part->ins : part->outs;
	node->port_gap = port_gap;
	switch (part->shape) {
	case DRAW_ALL:
		node->width = fmin(40 + port_gap * (double)(most - 1), bar_most);
		node->height = bar_height;
		node->port_gap = bar_most;
		node->clear = gate_word;
		break;
	case DRAW_ANY:
		node->width = node->height = ring_size;
		node->port_gap = 0;
		node->clear = gate_word;
		break;
	case DRAW_START:
	case DRAW_END:
		node->width = 68;
		node->height = pill_height;
		break;
	case DRAW_AGENT:
	case DRAW_WORKFLOW:
		node->width = text_width(part->name, NAME_LIMIT, NAME_SIZE);
		node->width =
			fmax(node->width, text_width(part->detail, DETAIL_LIMIT, DETAIL_SIZE));
		if (part->badges != NULL)
			node->width = fmax(
				node->width, text_width(part->badges, DETAIL_LIMIT, DETAIL_SIZE));
		node->width = fmax(node->width + 2 * box_padding, box_least);
		node->height = part->badges != NULL ? 60 : 44;
		break;
	}
}

static struct layout make_layout(const struct draw_picture *picture)
{
	struct layout layout = {
		.nodes = memory_array(picture->part_count, sizeof(struct layout_node)),
		.node_count = picture->part_count,
		.edges = memory_array(picture->link_count, sizeof(struct layout_edge)),
		.edge_count = picture->link_count,
	};
	for (size_t i = 0; i < picture->part_count; i++)
		measure_part(&picture->parts[i], &layout.nodes[i]);
	for (size_t i = 0; i < picture->link_count; i++) {
		layout.edges[i].from = picture->links[i].from;
		layout.edges[i].to = picture->links[i].to;
		measure_label(&picture->links[i], &layout.edges[i]);
	}
	layout_make(&layout);
	return layout;
}

static void add_point(struct buffer *out, const char *before, const struct layout_point *point)
{
	buffer_add_string(out, before);
	add_number(out, point->x);
	buffer_add_char(out, ' ');
	add_number(out, point->y);
}

static void add_line(struct buffer *out, const struct layout_edge *edge)
{
	add_point(out, "<path class=\"line\" d=\"M", &edge->points[0]);
	for (size_t i = 1; i + 2 < edge->point_count; i += 3) {
		const struct layout_point *piece = &edge->points[i];
		if (piece[1].x == piece[2].x && piece[1].y == piece[2].y) {
			add_point(out, " L", &piece[2]);
			continue;
		}
		add_point(out, " C", &piece[0]);
		add_point(out, " ", &piece[1]);
		add_point(out, " ", &piece[2]);
	}
	buffer_add_string(out, "\"/>\n");
}

/* Every edge arrives from above, so that all arrows point down. */
static void add_arrow(struct buffer *out, const struct layout_edge *edge)
{
	add_point(out, "<path class=\"head\" d=\"M", &edge->points[edge->point_count - 1]);
	buffer_add_format(out, "l%g %gh%gz\"/>\n", -arrow_width / 2, -arrow_height, arrow_width);
}

static void add_label(
	struct buffer *out, const struct draw_link *link, const struct layout_edge *edge)
{
	char *label = draw_shorten(link->text, LABEL_LIMIT);
	size_t second = second_line(label);
	double y = edge->label_y + 4;
	const struct layout_node rectangle = {
		.x = edge->label_x,
		.y = edge->label_y,
		.width = edge->label_width,
		.height = edge->label_height,
	};
	buffer_add_string(out, "<g class=\"label\">");
	add_rectangle(out, "ground", &rectangle, 3, 0, 0);
	if (second > 0) {
		label[second - 1] = '\0';
		add_text(out, "when", edge->label_x, y - LABEL_LINE / 2.0, label, LABEL_LIMIT);
		y += LABEL_LINE / 2.0;
	}
	add_text(out, "when", edge->label_x, y, label + second, LABEL_LIMIT);
	buffer_add_string(out, "</g>\n");
	free(label);
}

static void add_link(struct buffer *out, const struct draw_picture *picture,
	const struct draw_link *link, const struct layout_edge *edge)
{
	const struct draw_part *from = &picture->parts[link->from];
	const struct draw_part *to = &picture->parts[link->to];
	buffer_add_string(out, "<g class=\"edge\"");
	add_attribute(out, "data-from", from->name);
	add_attribute(out, "data-to", to->name);
	add_attribute(out, "data-kind", draw_kind_names[link->kind]);
	if (link->kind == DRAW_WHEN || link->kind == DRAW_ELSE)
		add_attribute(out, "data-when", link->text);
	if (link->gate != GRAPH_NO_SLOT)
		buffer_add_format(out, " data-gate=\"%zu\"", link->gate);
	buffer_add_char(out, '>');
	if (link->text != NULL) {
		buffer_add_string(out, "<title>");
		add_xml(out, link->text);
		buffer_add_string(out, "</title>");
	}
	buffer_add_char(out, '\n');
	add_line(out, edge);
	if (!draw_is_gate(to))
		add_arrow(out, edge);
	if (link->text != NULL)
		add_label(out, link, edge);
	buffer_add_string(out, "</g>\n");
}

static void add_gate(
	struct buffer *out, const struct draw_part *part, const struct layout_node *node)
{
	bool all = part->shape == DRAW_ALL;
	double beside = node->x + node->width / 2 + 18;
	buffer_add_string(out, "<g class=\"gate\"");
	add_attribute(out, "id", part->name);
	buffer_add_format(out, "><title>%s</title>\n",
		all ? "waits for all that lead here" : "goes on with each that leads here");
	if (all) {
		add_rectangle(out, "bar", node, bar_height / 2, 0, 0);
	} else {
		buffer_add_string(out, "<circle class=\"ring\"");
		add_length(out, "cx", node->x);
		add_length(out, "cy", node->y);
		add_length(out, "r", node->width / 2);
		buffer_add_string(out, "/>\n");
	}
	add_text(out, "word", beside, node->y + 4, all ? "all" : "any", NAME_LIMIT);
	buffer_add_string(out, "</g>\n");
}

static void add_box(
	struct buffer *out, const struct draw_part *part, const struct layout_node *node)
{
	double y = node->y - node->height / 2 + 19;
	buffer_add_string(out, "<g class=\"node\" id=\"node-");
	add_xml(out, part->name);
	buffer_add_string(out, "\"><title>");
	add_xml(out, part->name);
	buffer_add_string(out, ": ");
	add_xml(out, part->detail);
	if (part->badges != NULL) {
		buffer_add_string(out, ", ");
		add_xml(out, part->badges);
	}
	buffer_add_string(out, "</title>\n");
	/* Several copies look like several sheets; a workflow has a frame. */
	if (part->copies)
		add_rectangle(out, "box", node, box_radius, 0, 4);
	add_rectangle(out, "box", node, box_radius, 0, 0);
	if (part->shape == DRAW_WORKFLOW)
		add_rectangle(out, "box", node, box_radius, -3, 0);
	add_text(out, "name", node->x, y, part->name, NAME_LIMIT);
	add_text(out, "detail", node->x, y + 16, part->detail, DETAIL_LIMIT);
	if (part->badges != NULL)
		add_text(out, "badges", node->x, y + 32, part->badges, DETAIL_LIMIT);
	buffer_add_string(out, "</g>\n");
}

static void add_pill(
	struct buffer *out, const struct draw_part *part, const struct layout_node *node)
{
	buffer_add_format(out, "<g class=\"pill\" id=\"node-%s\">\n", part->name);
	add_rectangle(out, "box", node, pill_height / 2, 0, 0);
	add_text(out, "name", node->x, node->y + 4, part->name, NAME_LIMIT);
	buffer_add_string(out, "</g>\n");
}

static void add_part(
	struct buffer *out, const struct draw_part *part, const struct layout_node *node)
{
	if (draw_is_gate(part))
		add_gate(out, part, node);
	else if (part->shape == DRAW_START || part->shape == DRAW_END)
		add_pill(out, part, node);
	else
		add_box(out, part, node);
}

static void add_beginning(
	struct buffer *out, const struct draw_picture *picture, const struct layout *layout)
{
	const struct graph *graph = picture->graph;
	double width = ceil(layout->width);
	double height = ceil(layout->height);
	buffer_add_string(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"workflow\"");
	add_length(out, "width", width);
	add_length(out, "height", height);
	buffer_add_format(out, " viewBox=\"0 0 %.10g %.10g\"", width, height);
	buffer_add_string(out, " role=\"img\" aria-labelledby=\"workflow-title workflow-desc\">\n"
			       "<title id=\"workflow-title\">");
	add_xml(out, graph->name);
	buffer_add_format(out,
		"</title>\n<desc id=\"workflow-desc\">The workflow has %zu node%s. A turn goes "
		"from START at the top down along the arrows",
		graph->node_count, graph->node_count == 1 ? "" : "s");
	buffer_add_string(out, "; a bar waits for all that lead to it, a ring goes on with each "
			       "of them. A label is the condition under which an arrow is "
			       "taken.</desc>\n");
	buffer_add_string(out, style);
	buffer_add_string(out, "<rect class=\"page\" width=\"100%\" height=\"100%\"/>\n");
}

void draw_svg(const struct draw_picture *picture, struct buffer *out)
{
	struct layout layout = make_layout(picture);
	add_beginning(out, picture, &layout);
	for (size_t i = 0; i < picture->link_count; i++)
		add_link(out, picture, &picture->links[i], &layout.edges[i]);
	for (size_t i = 0; i < picture->part_count; i++)
		add_part(out, &picture->parts[i], &layout.nodes[i]);
	buffer_add_string(out, "</svg>\n");
	layout_clear(&layout);
}
