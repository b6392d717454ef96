/* The layout: whatever the graph, boxes and labels keep clear of each other and edges of boxes. */
#include "graph/layout.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

struct box {
	double left, right, top, bottom;
};

static struct box box_of(double x, double y, double width, double height)
{
	return (struct box){x - width / 2, x + width / 2, y - height / 2, y + height / 2};
}

static struct box node_box(const struct layout *layout, size_t i)
{
	const struct layout_node *node = &layout->nodes[i];
	return box_of(node->x, node->y, node->width, node->height);
}

static bool overlap(struct box a, struct box b)
{
	return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

static struct layout make(size_t nodes, const size_t (*edges)[2], size_t edge_count)
{
	struct layout layout = {
		.nodes = memory_array(nodes, sizeof(struct layout_node)),
		.node_count = nodes,
		.edges = memory_array(edge_count, sizeof(struct layout_edge)),
		.edge_count = edge_count,
	};
	for (size_t i = 0; i < nodes; i++)
		layout.nodes[i] = (struct layout_node){.width = 80, .height = 40, .port_gap = 12};
	for (size_t i = 0; edges != NULL && i < edge_count; i++) {
		layout.edges[i].from = edges[i][0];
		layout.edges[i].to = edges[i][1];
	}
	return layout;
}

/* A point of the cubic curve that begins at A and goes on with PIECE. */
static struct layout_point curve(struct layout_point a, const struct layout_point *piece, double t)
{
	double u = 1 - t;
	return (struct layout_point){
		u * u * u * a.x + 3 * u * u * t * piece[0].x + 3 * u * t * t * piece[1].x +
			t * t * t * piece[2].x,
		u * u * u * a.y + 3 * u * u * t * piece[0].y + 3 * u * t * t * piece[1].y +
			t * t * t * piece[2].y,
	};
}

static void expect_ends_at_borders(const struct layout *layout, const struct layout_edge *edge)
{
	struct box from = node_box(layout, edge->from);
	struct box to = node_box(layout, edge->to);
	struct layout_point begin = edge->points[0];
	struct layout_point end = edge->points[edge->point_count - 1];
	cr_assert_eq((edge->point_count - 1) % 3, 0);
	cr_expect(fabs(begin.y - from.bottom) < 1e-6);
	cr_expect(begin.x >= from.left && begin.x <= from.right);
	cr_expect(fabs(end.y - to.top) < 1e-6);
	cr_expect(end.x >= to.left && end.x <= to.right);
	cr_expect_eq(edge->points[edge->point_count - 2].x, end.x, "arrives from above");
}

static void expect_clear_of_boxes(const struct layout *layout, const struct layout_edge *edge)
{
	for (size_t i = 0; i + 3 < edge->point_count; i += 3) {
		for (int step = 1; step < 8; step++) {
			struct layout_point at =
				curve(edge->points[i], &edge->points[i + 1], step / 8.0);
			for (size_t j = 0; j < layout->node_count; j++)
				cr_assert_not(
					overlap(node_box(layout, j), box_of(at.x, at.y, 0, 0)),
					"an edge from %zu to %zu runs through %zu", edge->from,
					edge->to, j);
		}
	}
}

static struct box label_box(const struct layout_edge *edge)
{
	return box_of(edge->label_x, edge->label_y, edge->label_width, edge->label_height);
}

static void expect_labels_clear(const struct layout *layout)
{
	for (size_t i = 0; i < layout->edge_count; i++) {
		const struct layout_edge *edge = &layout->edges[i];
		if (edge->label_height <= 0)
			continue;
		for (size_t j = 0; j < layout->node_count; j++)
			cr_assert_not(overlap(label_box(edge), node_box(layout, j)),
				"label %zu, box %zu", i, j);
		for (size_t j = 0; j < i; j++) {
			if (layout->edges[j].label_height > 0)
				cr_assert_not(
					overlap(label_box(edge), label_box(&layout->edges[j])),
					"labels %zu and %zu", i, j);
		}
	}
}

static void expect_clear(const struct layout *layout)
{
	for (size_t i = 0; i < layout->node_count; i++) {
		struct box box = node_box(layout, i);
		cr_expect(box.left >= 0 && box.right <= layout->width);
		cr_expect(box.top >= 0 && box.bottom <= layout->height);
		for (size_t j = 0; j < i; j++)
			cr_assert_not(overlap(box, node_box(layout, j)), "boxes %zu and %zu", i, j);
	}
	for (size_t i = 0; i < layout->edge_count; i++) {
		expect_ends_at_borders(layout, &layout->edges[i]);
		expect_clear_of_boxes(layout, &layout->edges[i]);
	}
	expect_labels_clear(layout);
}

Test(layout, draws_a_chain_as_a_straight_line)
{
	static const size_t edges[][2] = {{0, 1}, {1, 2}, {2, 3}};
	struct layout layout = make(4, edges, 3);
	layout_make(&layout);
	expect_clear(&layout);
	for (size_t i = 1; i < 4; i++) {
		cr_expect(fabs(layout.nodes[i].x - layout.nodes[0].x) < 1e-6);
		cr_expect(layout.nodes[i].y > layout.nodes[i - 1].y);
		cr_expect_eq(layout.edges[i - 1].point_count, 4, "one straight piece");
	}
	layout_clear(&layout);
	cr_expect_null(layout.nodes);
}

Test(layout, puts_a_parent_above_the_middle_of_its_children)
{
	static const size_t edges[][2] = {{0, 1}, {0, 2}, {0, 3}, {1, 4}, {2, 4}, {3, 4}};
	struct layout layout = make(5, edges, 6);
	layout_make(&layout);
	expect_clear(&layout);
	cr_expect_eq(layout.nodes[1].y, layout.nodes[3].y);
	cr_expect(fabs(layout.nodes[0].x - layout.nodes[2].x) < 1);
	cr_expect(fabs(layout.nodes[4].x - layout.nodes[2].x) < 1);
	layout_clear(&layout);
}

Test(layout, crosses_no_edges_where_none_must_cross)
{
	/* In the order of the file 1 to 4 would cross 2 to 3. */
	static const size_t edges[][2] = {{0, 1}, {0, 2}, {1, 4}, {2, 3}, {3, 5}, {4, 5}};
	struct layout layout = make(6, edges, 6);
	layout_make(&layout);
	expect_clear(&layout);
	bool left = layout.nodes[1].x < layout.nodes[2].x;
	cr_expect_eq(layout.nodes[4].x < layout.nodes[3].x, left);
	layout_clear(&layout);
}

Test(layout, leads_a_loop_round_the_side)
{
	static const size_t edges[][2] = {{0, 1}, {1, 2}, {2, 1}, {2, 3}};
	struct layout layout = make(4, edges, 4);
	layout_make(&layout);
	expect_clear(&layout);
	cr_expect(layout.edges[2].back);
	cr_expect_not(layout.edges[1].back);
	double widest = 0;
	for (size_t i = 0; i < layout.edges[2].point_count; i++)
		widest = fmax(widest, fabs(layout.edges[2].points[i].x - layout.nodes[2].x));
	cr_expect(widest > layout.nodes[2].width / 2);
	layout_clear(&layout);
}

Test(layout, leads_an_edge_from_a_node_to_itself_round_it)
{
	static const size_t edges[][2] = {{0, 0}, {0, 1}, {1, 1}, {1, 1}};
	struct layout layout = make(2, edges, 4);
	layout.edges[2].label_width = 100;
	layout.edges[2].label_height = 30;
	layout_make(&layout);
	expect_clear(&layout);
	cr_expect(layout.edges[0].back && layout.edges[2].back && layout.edges[3].back);
	layout_clear(&layout);
}

Test(layout, keeps_parallel_edges_and_their_labels_apart)
{
	static const size_t edges[][2] = {{0, 1}, {0, 1}, {0, 1}, {0, 1}};
	struct layout layout = make(2, edges, 4);
	for (size_t i = 0; i < 3; i++) {
		layout.edges[i].label_width = 150;
		layout.edges[i].label_height = 19;
	}
	layout_make(&layout);
	expect_clear(&layout);
	layout_clear(&layout);
}

Test(layout, places_what_nothing_leads_to)
{
	struct layout layout = make(3, NULL, 0);
	layout_make(&layout);
	expect_clear(&layout);
	layout_clear(&layout);
}

/* A graph of NODES and EDGES by chance, in which all is possible. */
static struct layout random_layout(unsigned *seed, size_t nodes, size_t edges)
{
	struct layout layout = make(nodes, NULL, edges);
	for (size_t i = 0; i < nodes; i++) {
		layout.nodes[i].width = 20 + rand_r(seed) % 200;
		layout.nodes[i].height = 6 + rand_r(seed) % 60;
		layout.nodes[i].clear = rand_r(seed) % 4 == 0 ? 30 : 0;
		layout.nodes[i].port_gap = rand_r(seed) % 3 * 10;
	}
	for (size_t i = 0; i < edges; i++) {
		struct layout_edge *edge = &layout.edges[i];
		edge->from = (size_t)rand_r(seed) % nodes;
		edge->to = (size_t)rand_r(seed) % nodes;
		if (rand_r(seed) % 3 == 0) {
			edge->label_width = 10 + rand_r(seed) % 200;
			edge->label_height = 19;
		}
	}
	return layout;
}

Test(layout, keeps_everything_apart_in_any_graph)
{
	for (unsigned round = 0; round < 300; round++) {
		unsigned seed = round;
		size_t nodes = 1 + (size_t)rand_r(&seed) % 24;
		struct layout layout =
			random_layout(&seed, nodes, (size_t)rand_r(&seed) % (2 * nodes + 1));
		layout_make(&layout);
		expect_clear(&layout);
		layout_clear(&layout);
	}
}

Test(layout, gives_the_same_result_for_the_same_graph)
{
	for (unsigned round = 0; round < 20; round++) {
		unsigned one_seed = round, other_seed = round;
		struct layout one = random_layout(&one_seed, 30, 60);
		struct layout other = random_layout(&other_seed, 30, 60);
		layout_make(&one);
		layout_make(&other);
		for (size_t i = 0; i < 30; i++) {
			cr_expect_eq(one.nodes[i].x, other.nodes[i].x);
			cr_expect_eq(one.nodes[i].y, other.nodes[i].y);
		}
		layout_clear(&one);
		layout_clear(&other);
	}
}

/* A long chain with edges between any of its nodes asks for far more places than may be used. */
Test(layout, bounds_the_work_for_a_large_and_dense_graph)
{
	enum { NODES = 4096, EDGES = 40000 };
	unsigned seed = 1;
	struct layout layout = make(NODES, NULL, EDGES);
	for (size_t i = 0; i < EDGES; i++) {
		layout.edges[i].from = i < NODES - 1 ? i : (size_t)rand_r(&seed) % NODES;
		layout.edges[i].to = i < NODES - 1 ? i + 1 : (size_t)rand_r(&seed) % NODES;
	}
	layout_make(&layout);
	for (size_t i = 0; i < EDGES; i++)
		expect_ends_at_borders(&layout, &layout.edges[i]);
	cr_expect(isfinite(layout.width) && isfinite(layout.height));
	layout_clear(&layout);
}
