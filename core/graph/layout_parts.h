/* The steps of the layout, each in its file; for the files layout*.c only. */
#ifndef GRAPH_LAYOUT_PARTS_H
#define GRAPH_LAYOUT_PARTS_H

#include "graph/layout.h"

#define LAYOUT_NONE ((size_t)-1)

/* A place in a layer: of a node (these come first, in the nodes' order), or of an edge that passes. */
struct layout_vertex {
	size_t layer;
	size_t place; /* from the left, from 0 */
	double width, height;
	double x; /* the middle */
	bool passing;
};

/* Two vertices of neighbouring layers that an edge connects. */
struct layout_segment {
	size_t upper, lower;
};

/* The vertices that an edge passes, in the order of its way: `first` and those that follow it. An edge
 * that leads back passes below `from`, up beside all layers from `from` to `to`, and above `to`. */
struct layout_chain {
	size_t first, count;
	size_t label;  /* the vertex that has its label, or LAYOUT_NONE */
	bool straight; /* it is longer than the places last for: it passes none */
};

/* The vertices next to each vertex on one side: of vertex v those from begin[v] to begin[v + 1]. */
struct layout_neighbours {
	size_t *begin;
	size_t *vertices;
};

struct layout_sketch {
	struct layout *layout;
	struct layout_vertex *vertices;
	size_t vertex_count;
	struct layout_segment *segments;
	size_t segment_count;
	struct layout_chain *chains; /* one for each edge */
	struct layout_neighbours above, below;
	size_t *order; /* the vertices, layer by layer, in the order of their places */
	size_t *layer; /* where each layer begins in `order`, and the end */
	size_t layer_count;
};

/* Finds the edges that lead back and gives every node its layer. */
void layout_rank(struct layout_sketch *sketch);

/* Makes the vertices that edges pass and the segments. */
void layout_subdivide(struct layout_sketch *sketch);

/* Orders the layers. */
void layout_order(struct layout_sketch *sketch);

/* Gives every vertex its x. */
void layout_place(struct layout_sketch *sketch);

/* Gives everything its y, draws the edges and moves the drawing to 0, 0. */
void layout_route(struct layout_sketch *sketch);

#endif
