/*
 * The layout's order of the places in each layer. A walk from above gives the first one; then sweeps down
 * and up sort each layer by the means of the neighbours' places, and in small graphs neighbours change
 * places as long as that saves crossings. The best order seen is kept.
 */
#include "base/memory.h"
#include "graph/layout_parts.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
	SWEEPS_SMALL = 24, /* up to SMALL segments, which also get exchanges */
	SWEEPS_LARGE = 6,
	SMALL = 3000,
	EXCHANGES = 8, /* passes of exchanges after a sweep */
	DEGREE_LIMIT =
		64, /* neighbours up to which a vertex is exchanged: the cost is their product */
};

/* What a layer is sorted by. */
struct mean {
	double mean;
	size_t tie;
	size_t vertex;
};

struct ordering {
	struct layout_sketch *sketch;
	struct mean *means;
	size_t *tree; /* a Fenwick tree of the places of a layer */
	size_t *best;
	size_t best_crossings;
};

static void set_places(struct layout_sketch *sketch)
{
	for (size_t i = 0; i < sketch->layer_count; i++) {
		for (size_t j = sketch->layer[i]; j < sketch->layer[i + 1]; j++)
			sketch->vertices[sketch->order[j]].place = j - sketch->layer[i];
	}
}

static void find_layers(struct layout_sketch *sketch)
{
	sketch->layer = memory_array(sketch->layer_count + 1, sizeof(size_t));
	for (size_t i = 0; i < sketch->vertex_count; i++)
		sketch->layer[sketch->vertices[i].layer + 1]++;
	for (size_t i = 1; i <= sketch->layer_count; i++)
		sketch->layer[i] += sketch->layer[i - 1];
}

/* Puts every vertex at the next place of its layer, in the order of a walk along the segments. */
static void order_by_walk(struct layout_sketch *sketch)
{
	size_t *filled = memory_array(sketch->layer_count, sizeof *filled);
	size_t *stack = memory_array(sketch->vertex_count + sketch->segment_count, sizeof *stack);
	bool *seen = memory_array(sketch->vertex_count, sizeof *seen);
	for (size_t root = 0; root < sketch->vertex_count; root++) {
		size_t depth = 0;
		stack[depth++] = root;
		while (depth > 0) {
			size_t vertex = stack[--depth];
			size_t layer = sketch->vertices[vertex].layer;
			if (seen[vertex])
				continue;
			seen[vertex] = true;
			sketch->order[sketch->layer[layer] + filled[layer]++] = vertex;
			for (size_t i = sketch->below.begin[vertex + 1];
				i > sketch->below.begin[vertex]; i--)
				stack[depth++] = sketch->below.vertices[i - 1];
		}
	}
	free(filled);
	free(stack);
	free(seen);
	set_places(sketch);
}

static int compare_means(const void *a, const void *b)
{
	const struct mean *one = a;
	const struct mean *other = b;
	if (one->mean != other->mean)
		return one->mean < other->mean ? -1 : 1;
	return (one->tie > other->tie) - (one->tie < other->tie);
}

static double mean_place(
	const struct layout_sketch *sketch, const struct layout_neighbours *side, size_t vertex)
{
	double sum = 0;
	size_t count = side->begin[vertex + 1] - side->begin[vertex];
	for (size_t i = 0; i < count; i++)
		sum += (double)sketch->vertices[side->vertices[side->begin[vertex] + i]].place;
	return count > 0 ? sum / (double)count : (double)sketch->vertices[vertex].place;
}

static void sort_layer(struct ordering *ordering, size_t layer, bool down, bool turn_ties)
{
	struct layout_sketch *sketch = ordering->sketch;
	size_t *order = sketch->order + sketch->layer[layer];
	size_t count = sketch->layer[layer + 1] - sketch->layer[layer];
	for (size_t i = 0; i < count; i++) {
		ordering->means[i] = (struct mean){
			.mean = mean_place(
				sketch, down ? &sketch->above : &sketch->below, order[i]),
			.tie = turn_ties ? count - i : i,
			.vertex = order[i],
		};
	}
	qsort(ordering->means, count, sizeof *ordering->means, compare_means);
	for (size_t i = 0; i < count; i++) {
		order[i] = ordering->means[i].vertex;
		sketch->vertices[order[i]].place = i;
	}
}

static void sweep(struct ordering *ordering, bool down, bool turn_ties)
{
	size_t count = ordering->sketch->layer_count;
	for (size_t i = 1; i < count; i++)
		sort_layer(ordering, down ? i : count - 1 - i, down, turn_ties);
}

/* Crossings between a layer of COUNT vertices at ORDER and the one below, which has WIDTH. */
static size_t count_layer(
	struct ordering *ordering, const size_t *order, size_t count, size_t width)
{
	const struct layout_sketch *sketch = ordering->sketch;
	size_t *tree = ordering->tree;
	size_t crossings = 0, inserted = 0;
	memset(tree, 0, (width + 1) * sizeof *tree);
	for (size_t i = 0; i < count; i++) {
		size_t begin = sketch->below.begin[order[i]];
		size_t end = sketch->below.begin[order[i] + 1];
		for (size_t j = begin; j < end; j++) {
			size_t place = sketch->vertices[sketch->below.vertices[j]].place + 1;
			crossings += inserted;
			for (size_t at = place; at > 0; at &= at - 1)
				crossings -= tree[at];
		}
		for (size_t j = begin; j < end; j++) {
			size_t place = sketch->vertices[sketch->below.vertices[j]].place + 1;
			for (size_t at = place; at <= width; at += at & (~at + 1))
				tree[at]++;
		}
		inserted += end - begin;
	}
	return crossings;
}

static size_t count_crossings(struct ordering *ordering)
{
	const struct layout_sketch *sketch = ordering->sketch;
	size_t crossings = 0;
	for (size_t i = 0; i + 1 < sketch->layer_count; i++)
		crossings += count_layer(ordering, sketch->order + sketch->layer[i],
			sketch->layer[i + 1] - sketch->layer[i],
			sketch->layer[i + 2] - sketch->layer[i + 1]);
	return crossings;
}

/* By how many crossings the order LEFT, RIGHT of two neighbours is worse than the other one. */
static ptrdiff_t excess(const struct layout_sketch *sketch, const struct layout_neighbours *side,
	size_t left, size_t right)
{
	ptrdiff_t excess = 0;
	for (size_t i = side->begin[left]; i < side->begin[left + 1]; i++) {
		size_t one = sketch->vertices[side->vertices[i]].place;
		for (size_t j = side->begin[right]; j < side->begin[right + 1]; j++) {
			size_t other = sketch->vertices[side->vertices[j]].place;
			excess += (one > other) - (one < other);
		}
	}
	return excess;
}

static size_t degree(const struct layout_sketch *sketch, size_t vertex)
{
	return sketch->above.begin[vertex + 1] - sketch->above.begin[vertex] +
	       sketch->below.begin[vertex + 1] - sketch->below.begin[vertex];
}

static bool exchange_in_layer(struct layout_sketch *sketch, size_t layer)
{
	bool changed = false;
	for (size_t i = sketch->layer[layer]; i + 1 < sketch->layer[layer + 1]; i++) {
		size_t left = sketch->order[i], right = sketch->order[i + 1];
		if (degree(sketch, left) > DEGREE_LIMIT && degree(sketch, right) > DEGREE_LIMIT)
			continue;
		if (excess(sketch, &sketch->above, left, right) +
				excess(sketch, &sketch->below, left, right) <=
			0)
			continue;
		sketch->order[i] = right;
		sketch->order[i + 1] = left;
		sketch->vertices[right].place--;
		sketch->vertices[left].place++;
		changed = true;
	}
	return changed;
}

/* Lets neighbours change places where that saves crossings. */
static void exchange(struct layout_sketch *sketch)
{
	bool changed = true;
	for (size_t pass = 0; pass < EXCHANGES && changed; pass++) {
		changed = false;
		for (size_t i = 0; i < sketch->layer_count; i++)
			changed = exchange_in_layer(sketch, i) || changed;
	}
}

static void keep_if_best(struct ordering *ordering)
{
	const struct layout_sketch *sketch = ordering->sketch;
	size_t crossings = count_crossings(ordering);
	if (crossings >= ordering->best_crossings)
		return;
	ordering->best_crossings = crossings;
	memcpy(ordering->best, sketch->order, sketch->vertex_count * sizeof(size_t));
}

void layout_order(struct layout_sketch *sketch)
{
	bool small = sketch->segment_count <= SMALL;
	size_t sweeps = small ? SWEEPS_SMALL : SWEEPS_LARGE;
	struct ordering ordering = {
		.sketch = sketch,
		.means = memory_array(sketch->vertex_count, sizeof *ordering.means),
		.tree = memory_array(sketch->vertex_count + 1, sizeof *ordering.tree),
		.best = memory_array(sketch->vertex_count, sizeof *ordering.best),
		.best_crossings = SIZE_MAX,
	};
	sketch->order = memory_array(sketch->vertex_count, sizeof(size_t));
	find_layers(sketch);
	order_by_walk(sketch);
	keep_if_best(&ordering);
	for (size_t i = 0; i < sweeps && ordering.best_crossings > 0; i++) {
		sweep(&ordering, i % 2 == 0, i % 4 >= 2);
		if (small)
			exchange(sketch);
		keep_if_best(&ordering);
	}
	memcpy(sketch->order, ordering.best, sketch->vertex_count * sizeof(size_t));
	set_places(sketch);
	free(ordering.means);
	free(ordering.tree);
	free(ordering.best);
}
