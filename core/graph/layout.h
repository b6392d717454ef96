/*
 * Where the parts of a directed graph go in a drawing from top to bottom: the layered method of
 * Sugiyama, Tagawa and Toda (1981). Edges that close a cycle are found by a walk from node 0, every
 * node is put on the layer behind the longest way to it, edges that pass layers get a place of their
 * own in each, the layers are ordered so that edges cross seldom, and last come the coordinates. For the
 * drawing of workflows; any thread. The same input gives the same result.
 *
 * Boxes never overlap, no label lies on a box or on another label, and no edge runs through a box, with
 * one exception: the places of edges are bounded (LAYOUT_PLACES_LIMIT), and in a graph that needs more the
 * longest edges run straight behind the boxes, and their labels stand in the middle of them.
 */
#ifndef GRAPH_LAYOUT_H
#define GRAPH_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

enum { LAYOUT_PLACES_LIMIT = 40000 };

struct layout_point {
	double x, y;
};

/* Lengths are in pixels; y grows downwards. */
struct layout_node {
	double width, height;
	double clear; /* what is kept free on its left and on its right, for a word beside it */
	double port_gap; /* between the ends of edges at its border, at most; 0: all meet in the middle */
	double x, y; /* the result: its middle */
};

struct layout_edge {
	size_t from, to;                  /* nodes; they may be the same one */
	double label_width, label_height; /* 0: no label */
	double label_x, label_y;          /* the result: the label's middle */
	/* The result: the beginning at the lower border of `from`, then three points for each piece of a
	 * cubic Bézier curve; the last one is at the upper border of `to`. */
	struct layout_point *points;
	size_t point_count;
	bool back; /* the result: it leads back up, round the side */
};

struct layout {
	struct layout_node *nodes; /* at least one */
	size_t node_count;
	struct layout_edge *edges;
	size_t edge_count;
	double width, height; /* the result; the drawing begins at 0, 0 */
};

/* Finds a place for everything in LAYOUT, whose arrays are the caller's. */
void layout_make(struct layout *layout);

/* Frees the arrays and the points of LAYOUT, but not the structure. */
void layout_clear(struct layout *layout);

#endif
