/* A workflow as text for programs that draw: Mermaid (https://mermaid.js.org) and DOT (Graphviz). */
#include "base/memory.h"
#include "graph/draw_picture.h"

#include <stdlib.h>
#include <string.h>

enum { LABEL_LIMIT = 48, WHOLE = 65536 };

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Every character that Mermaid, Markdown or HTML could take for its own is written as an entity. */
static void add_mermaid(struct buffer *out, const char *text)
{
	char *line = draw_shorten(text, WHOLE);
	for (const char *c = line; *c != '\0'; c++) {
		bool joins_words = *c == '_' && c > line && is_word(c[-1]) && is_word(c[1]);
		if (is_word(*c) || joins_words || (*c & 0x80) != 0 ||
			strchr(" ,:=?!()/", *c) != NULL)
			buffer_add_char(out, *c);
		else
			buffer_add_format(out, "#%d;", *c);
	}
	free(line);
}

static const struct {
	const char *open, *close;
} mermaid_shapes[] = {
	[DRAW_START] = {"([\"", "\"])"},
	[DRAW_END] = {"([\"", "\"])"},
	[DRAW_AGENT] = {"[\"", "\"]"},
	[DRAW_WORKFLOW] = {"[[\"", "\"]]"},
	[DRAW_ALL] = {"((\"", "\"))"},
	[DRAW_ANY] = {"{{\"", "\"}}"},
};

static const char *const mermaid_arrows[] = {
	[DRAW_PLAIN] = "-->",
	[DRAW_WHEN] = "-->",
	[DRAW_ELSE] = "-->",
	[DRAW_COMMAND] = "==>",
	[DRAW_FAILURE] = "-.->",
};

static void add_mermaid_part(struct buffer *out, const struct draw_part *part, size_t row)
{
	buffer_add_format(out, "  n%zu%s", row, mermaid_shapes[part->shape].open);
	if (draw_is_gate(part))
		buffer_add_string(out, part->shape == DRAW_ALL ? "all" : "any");
	else
		add_mermaid(out, part->name);
	const char *const lines[] = {part->detail, part->badges};
	for (size_t i = 0; i < array_length(lines); i++) {
		if (lines[i] == NULL)
			continue;
		buffer_add_string(out, "<br/>");
		add_mermaid(out, lines[i]);
	}
	buffer_add_format(out, "%s\n", mermaid_shapes[part->shape].close);
}

void draw_mermaid(const struct draw_picture *picture, struct buffer *out)
{
	buffer_add_string(out, "flowchart TD\n");
	for (size_t i = 0; i < picture->part_count; i++)
		add_mermaid_part(out, &picture->parts[i], i);
	for (size_t i = 0; i < picture->link_count; i++) {
		const struct draw_link *link = &picture->links[i];
		/* A line into a gate has no arrow. */
		const char *arrow = draw_is_gate(&picture->parts[link->to])
					    ? "---"
					    : mermaid_arrows[link->kind];
		buffer_add_format(out, "  n%zu %s", link->from, arrow);
		if (link->text != NULL) {
			buffer_add_string(out, "|\"");
			add_mermaid(out, link->text);
			buffer_add_string(out, "\"|");
		}
		buffer_add_format(out, " n%zu\n", link->to);
	}
}

/* TEXT inside a quoted string that Graphviz reads escapes and entities in. */
static void add_dot(struct buffer *out, const char *text, size_t limit)
{
	char *line = draw_shorten(text, limit);
	for (const char *c = line; *c != '\0'; c++) {
		if (*c == '"' || *c == '\\')
			buffer_add_format(out, "\\%c", *c);
		else if (*c == '&')
			buffer_add_string(out, "&amp;");
		else
			buffer_add_char(out, *c);
	}
	free(line);
}

static const char *const dot_shapes[] = {
	[DRAW_START] = "shape=box, style=rounded, height=0.3",
	[DRAW_END] = "shape=box, style=rounded, height=0.3",
	[DRAW_AGENT] = "shape=box, style=rounded",
	[DRAW_WORKFLOW] = "shape=box, peripheries=2",
	[DRAW_ALL] = "shape=box, style=filled, fillcolor=black, width=0.6, height=0.06, xlabel=all",
	[DRAW_ANY] = "shape=circle, width=0.16, xlabel=any",
};

static const char *const dot_styles[] = {
	[DRAW_PLAIN] = "style=solid",
	[DRAW_WHEN] = "style=solid",
	[DRAW_ELSE] = "style=solid",
	[DRAW_COMMAND] = "style=bold",
	[DRAW_FAILURE] = "style=dashed",
};

static void add_dot_part(struct buffer *out, const struct draw_part *part, size_t row)
{
	const char *const lines[] = {part->detail, part->badges};
	buffer_add_format(out, "  n%zu [%s, label=\"", row, dot_shapes[part->shape]);
	if (!draw_is_gate(part))
		add_dot(out, part->name, WHOLE);
	for (size_t i = 0; i < array_length(lines); i++) {
		if (lines[i] == NULL)
			continue;
		buffer_add_string(out, "\\n");
		add_dot(out, lines[i], WHOLE);
	}
	buffer_add_string(out, "\"]\n");
}

static void add_dot_link(
	struct buffer *out, const struct draw_picture *picture, const struct draw_link *link)
{
	buffer_add_format(out, "  n%zu -> n%zu [%s", link->from, link->to, dot_styles[link->kind]);
	if (draw_is_gate(&picture->parts[link->to]))
		buffer_add_string(out, ", dir=none");
	if (link->text != NULL) {
		buffer_add_string(out, ", label=\"");
		add_dot(out, link->text, LABEL_LIMIT);
		buffer_add_string(out, "\", tooltip=\"");
		add_dot(out, link->text, WHOLE);
		buffer_add_char(out, '"');
	}
	buffer_add_string(out, "]\n");
}

void draw_dot(const struct draw_picture *picture, struct buffer *out)
{
	buffer_add_string(out, "digraph \"");
	add_dot(out, picture->graph->name, WHOLE);
	buffer_add_string(out, "\" {\n"
			       "  node [fontname=\"Helvetica\", fontsize=12]\n"
			       "  edge [fontname=\"Courier\", fontsize=10]\n");
	for (size_t i = 0; i < picture->part_count; i++)
		add_dot_part(out, &picture->parts[i], i);
	for (size_t i = 0; i < picture->link_count; i++)
		add_dot_link(out, picture, &picture->links[i]);
	buffer_add_string(out, "}\n");
}
