/*
 * What is drawn of a workflow, whatever the format: parts (nodes, START, END, gates) and the links between
 * them. Made by draw.c, written by draw_text.c and draw_svg.c; for these files only.
 */
#ifndef GRAPH_DRAW_PICTURE_H
#define GRAPH_DRAW_PICTURE_H

#include "base/buffer.h"
#include "graph/graph.h"

enum draw_shape {
	DRAW_START,
	DRAW_END,
	DRAW_AGENT,
	DRAW_WORKFLOW, /* a node that is a whole workflow */
	DRAW_ALL,      /* a gate that waits for all */
	DRAW_ANY,      /* a gate that passes each on */
};

enum draw_kind { DRAW_PLAIN, DRAW_WHEN, DRAW_ELSE, DRAW_COMMAND, DRAW_FAILURE };

struct draw_part {
	enum draw_shape shape;
	char *name;
	char *detail; /* the agent's or the workflow's name; NULL: none */
	char *badges; /* what is special about the node; NULL: nothing */
	bool copies;  /* it runs once for each item of a list */
	size_t ins, outs;
};

struct draw_link {
	size_t from, to; /* parts */
	enum draw_kind kind;
	const char
		*text; /* of the condition, borrowed; or what is said of its kind; NULL: nothing */
	size_t gate;   /* the row of the graph's edge if it goes through a gate, or GRAPH_NO_SLOT */
};

struct draw_picture {
	const struct graph *graph;
	struct draw_part *parts; /* the first one is START */
	size_t part_count;
	struct draw_link *links;
	size_t link_count;
};

/* The names that data-kind has. */
extern const char *const draw_kind_names[];

bool draw_is_gate(const struct draw_part *part);

/* Whether the character C can stand in XML and is seen. */
bool draw_is_xml(int32_t c);

/* Copies TEXT in one line and at most LIMIT characters, of which the last is … when it was longer. What
 * is not UTF-8 or cannot stand in XML becomes U+FFFD. New. */
char *draw_shorten(const char *text, size_t limit);

void draw_mermaid(const struct draw_picture *picture, struct buffer *out);
void draw_dot(const struct draw_picture *picture, struct buffer *out);
void draw_svg(const struct draw_picture *picture, struct buffer *out);

#endif
