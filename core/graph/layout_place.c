/*
 * The layout's x. Each vertex wants to stand in the middle of its neighbours, those of straight lines
 * most of all; what is next to each other in a layer keeps its distance. For one layer the places that
 * meet all wishes best, by the sum of squares, are found exactly by pooling (Ayer and others, 1955), and the
 * layers are done in turn, down and up, several times.
 */
#include "base/memory.h"
#include "graph/layout_parts.h"

#include <math.h>
#include <stdlib.h>

enum {
	ROUNDS_SMALL = 48, /* up to SMALL segments */
	ROUNDS_LARGE = 4,
	SMALL = 5000,
};

static const double gap_of_nodes = 28;
static const double gap_of_edges = 18;

/* How much the line between two neighbours wants to be straight: most where an edge only passes, or where
 * neither has another neighbour on that side. */
static const double pull_of_nodes = 1;
static const double pull_of_ends = 2;
static const double pull_of_lines = 16;

/* Vertices of a layer that stand side by side with no more than their distances. */
struct block {
	double sum, weight; /* of the wishes; their mean is where the block stands */
	size_t begin;       /* its first vertex in the layer */
};

struct placing {
	struct layout_sketch *sketch;
	double *wishes, *weights, *offsets; /* of the vertices of a layer */
	struct block *blocks;
};

/* The distance between the middles of two neighbours. */
static double distance(const struct layout_vertex *left, const struct layout_vertex *right)
{
	double gap = left->passing || right->passing ? gap_of_edges : gap_of_nodes;
	return (left->width + right->width) / 2 + gap;
}

static size_t count_neighbours(const struct layout_neighbours *side, size_t vertex)
{
	return side->begin[vertex + 1] - side->begin[vertex];
}

static double pull(const struct layout_sketch *sketch, size_t upper, size_t lower)
{
	bool passing = sketch->vertices[upper].passing && sketch->vertices[lower].passing;
	if (passing || (count_neighbours(&sketch->below, upper) == 1 &&
			       count_neighbours(&sketch->above, lower) == 1))
		return pull_of_lines;
	return sketch->vertices[upper].passing || sketch->vertices[lower].passing ? pull_of_ends
										  : pull_of_nodes;
}

static void add_wishes(
	const struct layout_sketch *sketch, size_t vertex, bool above, double *sum, double *weight)
{
	const struct layout_neighbours *side = above ? &sketch->above : &sketch->below;
	for (size_t i = side->begin[vertex]; i < side->begin[vertex + 1]; i++) {
		size_t other = side->vertices[i];
		double one = above ? pull(sketch, other, vertex) : pull(sketch, vertex, other);
		*sum += one * sketch->vertices[other].x;
		*weight += one;
	}
}

/* Who has no neighbours on that side gives way to those who have. */
static const double least_weight = 1e-3;

static void find_wishes(struct placing *placing, size_t layer, bool above, bool below)
{
	const struct layout_sketch *sketch = placing->sketch;
	const size_t *order = sketch->order + sketch->layer[layer];
	size_t count = sketch->layer[layer + 1] - sketch->layer[layer];
	double offset = 0;
	for (size_t i = 0; i < count; i++) {
		const struct layout_vertex *vertex = &sketch->vertices[order[i]];
		double sum = least_weight * vertex->x;
		double weight = least_weight;
		if (above)
			add_wishes(sketch, order[i], true, &sum, &weight);
		if (below)
			add_wishes(sketch, order[i], false, &sum, &weight);
		if (i > 0)
			offset += distance(&sketch->vertices[order[i - 1]], vertex);
		placing->offsets[i] = offset;
		placing->wishes[i] = sum / weight - offset;
		placing->weights[i] = weight;
	}
}

/* Without their distances the vertices may stand at the same place, but not in the wrong order: whoever
 * wishes to be left of the one before forms a block with it. */
static void meet_wishes(struct placing *placing, size_t layer)
{
	struct layout_sketch *sketch = placing->sketch;
	const size_t *order = sketch->order + sketch->layer[layer];
	size_t count = sketch->layer[layer + 1] - sketch->layer[layer];
	struct block *blocks = placing->blocks;
	size_t last = 0; /* one behind the last block */
	for (size_t i = 0; i < count; i++) {
		double weight = placing->weights[i];
		blocks[last++] = (struct block){placing->wishes[i] * weight, weight, i};
		while (last > 1 && blocks[last - 2].sum / blocks[last - 2].weight >
					   blocks[last - 1].sum / blocks[last - 1].weight) {
			blocks[last - 2].sum += blocks[last - 1].sum;
			blocks[last - 2].weight += blocks[last - 1].weight;
			last--;
		}
	}
	for (size_t i = 0; i < last; i++) {
		size_t end = i + 1 < last ? blocks[i + 1].begin : count;
		for (size_t j = blocks[i].begin; j < end; j++)
			sketch->vertices[order[j]].x =
				blocks[i].sum / blocks[i].weight + placing->offsets[j];
	}
}

static void sweep(struct placing *placing, bool down, bool both)
{
	size_t count = placing->sketch->layer_count;
	for (size_t i = 0; i < count; i++) {
		size_t layer = down ? i : count - 1 - i;
		find_wishes(placing, layer, down || both, !down || both);
		meet_wishes(placing, layer);
	}
}

/* Every layer for itself, its middle at 0. */
static void place_packed(struct placing *placing)
{
	struct layout_sketch *sketch = placing->sketch;
	for (size_t layer = 0; layer < sketch->layer_count; layer++) {
		size_t count = sketch->layer[layer + 1] - sketch->layer[layer];
		if (count == 0)
			continue;
		find_wishes(placing, layer, false, false);
		for (size_t i = 0; i < count; i++)
			sketch->vertices[sketch->order[sketch->layer[layer] + i]].x =
				placing->offsets[i] - placing->offsets[count - 1] / 2;
	}
}

/* How far VERTEX may go to the left and to the right while its neighbours stay. */
static void find_room(const struct layout_sketch *sketch, const struct layout_vertex *vertex,
	double *left, double *right)
{
	const size_t *order = sketch->order + sketch->layer[vertex->layer];
	size_t count = sketch->layer[vertex->layer + 1] - sketch->layer[vertex->layer];
	*left = -INFINITY;
	*right = INFINITY;
	if (vertex->place > 0) {
		const struct layout_vertex *other = &sketch->vertices[order[vertex->place - 1]];
		*left = other->x + distance(other, vertex);
	}
	if (vertex->place + 1 < count) {
		const struct layout_vertex *other = &sketch->vertices[order[vertex->place + 1]];
		*right = other->x - distance(vertex, other);
	}
}

/* Puts as many of the COUNT vertices at FIRST, which one edge passes, as have room for it below each other,
 * and returns how many these are. */
static size_t align(struct layout_sketch *sketch, struct layout_vertex *first, size_t count)
{
	double left = -INFINITY, right = INFINITY, sum = 0;
	size_t aligned = 0;
	for (; aligned < count; aligned++) {
		double more_left, more_right;
		find_room(sketch, &first[aligned], &more_left, &more_right);
		if (aligned > 0 && fmax(left, more_left) > fmin(right, more_right))
			break;
		left = fmax(left, more_left);
		right = fmin(right, more_right);
		sum += first[aligned].x;
	}
	double x = fmin(fmax(sum / (double)aligned, left), right);
	for (size_t i = 0; i < aligned; i++)
		first[i].x = x;
	return aligned;
}

/* Takes the bends out of edges for which there is room. */
static void align_chains(struct layout_sketch *sketch)
{
	for (size_t i = 0; i < sketch->layout->edge_count; i++) {
		struct layout_chain chain = sketch->chains[i];
		if (chain.count == 0)
			continue;
		/* Where an edge turns round nothing of it is drawn. */
		if (sketch->layout->edges[i].back) {
			chain.first++;
			chain.count -= 2;
		}
		for (size_t done = 0; done < chain.count;)
			done += align(
				sketch, &sketch->vertices[chain.first + done], chain.count - done);
	}
}

void layout_place(struct layout_sketch *sketch)
{
	size_t rounds = sketch->segment_count <= SMALL ? ROUNDS_SMALL : ROUNDS_LARGE;
	struct placing placing = {
		.sketch = sketch,
		.wishes = memory_array(sketch->vertex_count, sizeof(double)),
		.weights = memory_array(sketch->vertex_count, sizeof(double)),
		.offsets = memory_array(sketch->vertex_count, sizeof(double)),
		.blocks = memory_array(sketch->vertex_count, sizeof(struct block)),
	};
	place_packed(&placing);
	for (size_t i = 0; i < rounds; i++)
		sweep(&placing, i % 2 == 0, false);
	for (size_t i = 0; i < rounds; i++)
		sweep(&placing, i % 2 == 0, true);
	align_chains(sketch);
	free(placing.wishes);
	free(placing.weights);
	free(placing.offsets);
	free(placing.blocks);
}
