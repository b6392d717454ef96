/* The layout's first steps: cycles, layers, and the places that edges take in the layers they pass. */
#include "base/memory.h"
#include "graph/layout_parts.h"

#include <stdlib.h>

/* The edges that leave each node: of node n those from begin[n] to begin[n + 1]. */
struct leaving {
	size_t *begin;
	size_t *edges;
};

static struct leaving find_leaving(const struct layout *layout)
{
	struct leaving leaving = {
		.begin = memory_array(layout->node_count + 2, sizeof(size_t)),
		.edges = memory_array(layout->edge_count, sizeof(size_t)),
	};
	/* Counted two rows further on, so that filling moves every beginning into its row. */
	for (size_t i = 0; i < layout->edge_count; i++)
		leaving.begin[layout->edges[i].from + 2]++;
	for (size_t i = 2; i < layout->node_count + 2; i++)
		leaving.begin[i] += leaving.begin[i - 1];
	for (size_t i = 0; i < layout->edge_count; i++)
		leaving.edges[leaving.begin[layout->edges[i].from + 1]++] = i;
	return leaving;
}

enum { UNSEEN, OPEN, DONE };

/* Walks from ROOT, deep first; an edge to a node that the walk is inside of leads back. */
static void walk(struct layout *layout, const struct leaving *leaving, size_t root, char *seen,
	size_t *next, size_t *stack)
{
	size_t depth = 0;
	if (seen[root] != UNSEEN)
		return;
	seen[root] = OPEN;
	stack[depth++] = root;
	while (depth > 0) {
		size_t node = stack[depth - 1];
		if (leaving->begin[node] + next[node] == leaving->begin[node + 1]) {
			seen[node] = DONE;
			depth--;
			continue;
		}
		struct layout_edge *edge =
			&layout->edges[leaving->edges[leaving->begin[node] + next[node]++]];
		edge->back = seen[edge->to] == OPEN;
		if (seen[edge->to] == UNSEEN) {
			seen[edge->to] = OPEN;
			stack[depth++] = edge->to;
		}
	}
}

static void find_back_edges(struct layout *layout, const struct leaving *leaving)
{
	char *seen = memory_array(layout->node_count, sizeof *seen);
	size_t *next = memory_array(layout->node_count, sizeof *next);
	size_t *stack = memory_array(layout->node_count, sizeof *stack);
	for (size_t i = 0; i < layout->node_count; i++)
		walk(layout, leaving, i, seen, next, stack);
	free(seen);
	free(next);
	free(stack);
}

/* A label has a layer of its own between the edge's ends. */
static size_t least_length(const struct layout_edge *edge)
{
	return edge->label_height > 0 ? 2 : 1;
}

/* Puts every node as far down as the longest way to it asks. */
static void find_layers(struct layout_sketch *sketch, const struct leaving *leaving)
{
	const struct layout *layout = sketch->layout;
	size_t *missing = memory_array(layout->node_count, sizeof *missing);
	size_t *ready = memory_array(layout->node_count, sizeof *ready);
	size_t count = 0;
	for (size_t i = 0; i < layout->edge_count; i++)
		missing[layout->edges[i].to] += !layout->edges[i].back;
	for (size_t i = 0; i < layout->node_count; i++) {
		if (missing[i] == 0)
			ready[count++] = i;
	}
	for (size_t done = 0; done < count; done++) {
		size_t node = ready[done];
		for (size_t i = leaving->begin[node]; i < leaving->begin[node + 1]; i++) {
			const struct layout_edge *edge = &layout->edges[leaving->edges[i]];
			size_t layer = sketch->vertices[node].layer + least_length(edge);
			if (edge->back)
				continue;
			if (sketch->vertices[edge->to].layer < layer)
				sketch->vertices[edge->to].layer = layer;
			if (--missing[edge->to] == 0)
				ready[count++] = edge->to;
		}
	}
	free(missing);
	free(ready);
}

/* An edge that leads back to the first layer turns above it. */
static void make_room_above(struct layout_sketch *sketch)
{
	const struct layout *layout = sketch->layout;
	bool room = true;
	for (size_t i = 0; i < layout->edge_count; i++)
		room = room &&
		       !(layout->edges[i].back && sketch->vertices[layout->edges[i].to].layer == 0);
	for (size_t i = 0; !room && i < layout->node_count; i++)
		sketch->vertices[i].layer++;
}

void layout_rank(struct layout_sketch *sketch)
{
	struct layout *layout = sketch->layout;
	struct leaving leaving = find_leaving(layout);
	sketch->vertex_count = layout->node_count;
	sketch->vertices = memory_array(layout->node_count, sizeof *sketch->vertices);
	for (size_t i = 0; i < layout->node_count; i++) {
		sketch->vertices[i].width = layout->nodes[i].width + 2 * layout->nodes[i].clear;
		sketch->vertices[i].height = layout->nodes[i].height;
	}
	find_back_edges(layout, &leaving);
	find_layers(sketch, &leaving);
	make_room_above(sketch);
	free(leaving.begin);
	free(leaving.edges);
}

/* How many vertices EDGE passes. */
static size_t passed(const struct layout_sketch *sketch, const struct layout_edge *edge)
{
	size_t from = sketch->vertices[edge->from].layer;
	size_t to = sketch->vertices[edge->to].layer;
	return edge->back ? from - to + 3 : to - from - 1;
}

static int compare_sizes(const void *a, const void *b)
{
	const size_t *one = a;
	const size_t *other = b;
	return (*one > *other) - (*one < *other);
}

/* The largest number of vertices that an edge may pass, so that all of them together stay within the
 * limit. */
static size_t find_longest(const struct layout_sketch *sketch)
{
	const struct layout *layout = sketch->layout;
	size_t *lengths = memory_array(layout->edge_count, sizeof *lengths);
	size_t sum = 0, longest = 0, i = 0;
	for (size_t j = 0; j < layout->edge_count; j++)
		lengths[j] = passed(sketch, &layout->edges[j]);
	qsort(lengths, layout->edge_count, sizeof *lengths, compare_sizes);
	while (i < layout->edge_count) {
		size_t length = lengths[i];
		for (; i < layout->edge_count && lengths[i] == length; i++)
			sum += length;
		if (sum > LAYOUT_PLACES_LIMIT)
			break;
		longest = length;
	}
	free(lengths);
	return longest;
}

static void connect(struct layout_sketch *sketch, size_t upper, size_t lower)
{
	sketch->segments[sketch->segment_count++] = (struct layout_segment){upper, lower};
}

static void add_vertices(struct layout_sketch *sketch, size_t row)
{
	const struct layout_edge *edge = &sketch->layout->edges[row];
	struct layout_chain *chain = &sketch->chains[row];
	size_t layer = sketch->vertices[edge->from].layer + 1;
	size_t before = edge->from;
	chain->first = sketch->vertex_count;
	for (size_t i = 0; i < chain->count; i++) {
		size_t added = sketch->vertex_count++;
		sketch->vertices[added] = (struct layout_vertex){
			.layer = edge->back ? layer - i : layer + i, .passing = true};
		if (edge->back && i > 0)
			connect(sketch, added, before);
		else
			connect(sketch, before, added);
		before = added;
	}
	connect(sketch, before, edge->to);
}

/* The label is where the edge has just left, so that it is read together with its node. */
static void add_label(struct layout_sketch *sketch, size_t row)
{
	const struct layout_edge *edge = &sketch->layout->edges[row];
	struct layout_chain *chain = &sketch->chains[row];
	if (edge->label_height <= 0 || chain->straight)
		return;
	chain->label = chain->first + (edge->back ? chain->count / 2 : 0);
	sketch->vertices[chain->label].width = edge->label_width;
	sketch->vertices[chain->label].height = edge->label_height;
}

static void find_neighbours(
	struct layout_sketch *sketch, struct layout_neighbours *side, bool above)
{
	side->begin = memory_array(sketch->vertex_count + 2, sizeof(size_t));
	side->vertices = memory_array(sketch->segment_count, sizeof(size_t));
	for (size_t i = 0; i < sketch->segment_count; i++) {
		const struct layout_segment *segment = &sketch->segments[i];
		side->begin[(above ? segment->lower : segment->upper) + 2]++;
	}
	for (size_t i = 2; i < sketch->vertex_count + 2; i++)
		side->begin[i] += side->begin[i - 1];
	for (size_t i = 0; i < sketch->segment_count; i++) {
		const struct layout_segment *segment = &sketch->segments[i];
		size_t of = above ? segment->lower : segment->upper;
		side->vertices[side->begin[of + 1]++] = above ? segment->upper : segment->lower;
	}
}

void layout_subdivide(struct layout_sketch *sketch)
{
	const struct layout *layout = sketch->layout;
	size_t longest = find_longest(sketch);
	size_t count = 0;
	sketch->chains = memory_array(layout->edge_count, sizeof *sketch->chains);
	for (size_t i = 0; i < layout->edge_count; i++) {
		struct layout_chain *chain = &sketch->chains[i];
		size_t length = passed(sketch, &layout->edges[i]);
		chain->label = LAYOUT_NONE;
		chain->straight = length > longest;
		chain->count = chain->straight ? 0 : length;
		count += chain->count;
	}
	sketch->vertices = memory_resize(
		sketch->vertices, layout->node_count + count, sizeof *sketch->vertices);
	sketch->segments = memory_array(count + layout->edge_count, sizeof *sketch->segments);
	for (size_t i = 0; i < layout->edge_count; i++) {
		if (sketch->chains[i].straight)
			continue;
		add_vertices(sketch, i);
		add_label(sketch, i);
	}
	for (size_t i = 0; i < sketch->vertex_count; i++) {
		if (sketch->vertices[i].layer >= sketch->layer_count)
			sketch->layer_count = sketch->vertices[i].layer + 1;
	}
	find_neighbours(sketch, &sketch->above, true);
	find_neighbours(sketch, &sketch->below, false);
}
