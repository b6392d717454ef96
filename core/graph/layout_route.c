/*
 * The layout's y and its edges. A layer is a band as high as its highest part. Inside a band an edge runs
 * straight down at its own place; between two bands, where nothing else is, it swings over to the next
 * one. An edge that leads back turns round between the bands, below its beginning and above its end.
 */
#include "base/memory.h"
#include "graph/layout_parts.h"

#include <math.h>
#include <stdlib.h>

static const double margin = 16;
static const double gap_least = 40;
static const double gap_most = 110;
static const double gap_slope = 0.08; /* of the gap's height to the widest swing in it */
static const double arrow_room = 12;  /* that an edge runs straight before its end */
static const double turn_below = 12;  /* from the band to the first turn below it */
static const double turn_above = 20;  /* the same above it, where arrows are */
static const double turn_gap = 7;     /* from turn to turn */
static const double turn_radius = 9;
static const double port_inset = 12; /* from a box's corner to the nearest edge */
static const double port_reach =
	10; /* by which ports are moved for a straight line; less than the inset */
static const double straight_reach = 60;

enum { TURNS_LIMIT = 12 }; /* turns between two bands that get a height of their own */

/* Where an edge leaves or enters. */
struct port {
	size_t node, edge;
	double toward; /* the x that the edge comes from or goes to */
};

/* An edge that turns round in the gap below the layer `gap`. */
struct turn {
	size_t gap, edge;
	double width;
};

struct routing {
	struct layout_sketch *sketch;
	double *top, *bottom;                /* of each band */
	double *leave, *enter;               /* x for each edge */
	double *height_below, *height_above; /* of an edge's turns, from their bands */
	double *room;                        /* for the turns in the gap below each layer */
};

static const struct layout_vertex *vertex_at(const struct routing *routing, size_t edge, size_t i)
{
	const struct layout_sketch *sketch = routing->sketch;
	return &sketch->vertices[sketch->chains[edge].first + i];
}

static const struct layout_vertex *from_of(const struct routing *routing, size_t edge)
{
	return &routing->sketch->vertices[routing->sketch->layout->edges[edge].from];
}

static const struct layout_vertex *to_of(const struct routing *routing, size_t edge)
{
	return &routing->sketch->vertices[routing->sketch->layout->edges[edge].to];
}

static int compare_ports(const void *a, const void *b)
{
	const struct port *one = a;
	const struct port *other = b;
	if (one->node != other->node)
		return one->node < other->node ? -1 : 1;
	if (one->toward != other->toward)
		return one->toward < other->toward ? -1 : 1;
	return (one->edge > other->edge) - (one->edge < other->edge);
}

/* By how much ports that are spread around MIDDLE are moved so that the edge that nearly meets its port goes
 * straight. */
static double straighten(const struct port *ports, size_t count, double middle, double gap)
{
	double best = port_reach;
	bool found = false;
	for (size_t i = 0; i < count; i++) {
		double x = middle + gap * ((double)i - (double)(count - 1) / 2);
		if (fabs(ports[i].toward - x) > fabs(best))
			continue;
		best = ports[i].toward - x;
		found = true;
	}
	return found ? best : 0;
}

/* Spreads the COUNT PORTS of one node over its border. */
static void spread_ports(
	const struct routing *routing, const struct port *ports, size_t count, double *x)
{
	const struct layout_sketch *sketch = routing->sketch;
	const struct layout_node *node = &sketch->layout->nodes[ports[0].node];
	double middle = sketch->vertices[ports[0].node].x;
	double gap = node->port_gap;
	if (count > 1)
		gap = fmin(gap, fmax(node->width - 2 * port_inset, 0) / (double)(count - 1));
	if (gap > 0)
		middle += straighten(ports, count, middle, gap);
	for (size_t i = 0; i < count; i++)
		x[ports[i].edge] = middle + gap * ((double)i - (double)(count - 1) / 2);
}

/* The edges leave and enter their nodes side by side in the order in which they arrive, so that they do
 * not cross at the border. */
static void find_ports(struct routing *routing, bool leaving, double *x)
{
	const struct layout_sketch *sketch = routing->sketch;
	const struct layout *layout = sketch->layout;
	struct port *ports = memory_array(layout->edge_count, sizeof *ports);
	for (size_t i = 0; i < layout->edge_count; i++) {
		const struct layout_chain *chain = &sketch->chains[i];
		/* Of an edge that leads back the outermost vertices are where it turns. */
		size_t inset = layout->edges[i].back ? 1 : 0;
		double toward = leaving ? to_of(routing, i)->x : routing->leave[i];
		if (chain->count > 0)
			toward = vertex_at(routing, i, leaving ? inset : chain->count - 1 - inset)
					 ->x;
		ports[i] = (struct port){
			.node = leaving ? layout->edges[i].from : layout->edges[i].to,
			.edge = i,
			.toward = toward,
		};
	}
	qsort(ports, layout->edge_count, sizeof *ports, compare_ports);
	for (size_t i = 0, end; i < layout->edge_count; i = end) {
		for (end = i + 1; end < layout->edge_count && ports[end].node == ports[i].node;)
			end++;
		spread_ports(routing, ports + i, end - i, x);
	}
	free(ports);
}

static int compare_turns(const void *a, const void *b)
{
	const struct turn *one = a;
	const struct turn *other = b;
	if (one->gap != other->gap)
		return one->gap < other->gap ? -1 : 1;
	if (one->width != other->width)
		return one->width < other->width ? -1 : 1;
	return (one->edge > other->edge) - (one->edge < other->edge);
}

/* Gives the turns of each gap their heights; wide ones go round narrow ones. */
static void find_turns(struct routing *routing, bool below, double *height)
{
	const struct layout_sketch *sketch = routing->sketch;
	const struct layout *layout = sketch->layout;
	struct turn *turns = memory_array(layout->edge_count, sizeof *turns);
	size_t count = 0, lane = 0;
	for (size_t i = 0; i < layout->edge_count; i++) {
		const struct layout_chain *chain = &sketch->chains[i];
		if (!layout->edges[i].back || chain->straight)
			continue;
		const struct layout_vertex *beside =
			vertex_at(routing, i, below ? 1 : chain->count - 2);
		turns[count++] = (struct turn){
			.gap = below ? beside->layer : beside->layer - 1,
			.edge = i,
			.width = fabs(beside->x - (below ? routing->leave[i] : routing->enter[i])),
		};
	}
	qsort(turns, count, sizeof *turns, compare_turns);
	for (size_t i = 0; i < count; i++) {
		lane = i > 0 && turns[i].gap == turns[i - 1].gap ? lane + 1 : 0;
		height[turns[i].edge] =
			(below ? turn_below : turn_above) + turn_gap * (double)(lane % TURNS_LIMIT);
		if (lane < TURNS_LIMIT)
			routing->room[turns[i].gap] += turn_gap;
	}
	free(turns);
}

/* The widest swing between each layer and the next one. */
static double *find_swings(const struct routing *routing)
{
	const struct layout_sketch *sketch = routing->sketch;
	double *swings = memory_array(sketch->layer_count, sizeof *swings);
	for (size_t i = 0; i < sketch->segment_count; i++) {
		const struct layout_vertex *upper = &sketch->vertices[sketch->segments[i].upper];
		const struct layout_vertex *lower = &sketch->vertices[sketch->segments[i].lower];
		swings[upper->layer] = fmax(swings[upper->layer], fabs(upper->x - lower->x));
	}
	return swings;
}

static void find_bands(struct routing *routing)
{
	const struct layout_sketch *sketch = routing->sketch;
	double *swings = find_swings(routing);
	double y = 0;
	for (size_t i = 0; i < sketch->layer_count; i++) {
		double height = 0;
		for (size_t j = sketch->layer[i]; j < sketch->layer[i + 1]; j++)
			height = fmax(height, sketch->vertices[sketch->order[j]].height);
		routing->top[i] = y;
		routing->bottom[i] = y + height;
		y += height + fmin(gap_least + gap_slope * swings[i], gap_most) + routing->room[i];
	}
	free(swings);
}

static double middle_y(const struct routing *routing, const struct layout_vertex *vertex)
{
	return (routing->top[vertex->layer] + routing->bottom[vertex->layer]) / 2;
}

static struct layout_point end_of(const struct layout_edge *edge)
{
	return edge->points[edge->point_count - 1];
}

static void add_piece(struct layout_edge *edge, struct layout_point leave,
	struct layout_point arrive, struct layout_point end)
{
	edge->points[edge->point_count++] = leave;
	edge->points[edge->point_count++] = arrive;
	edge->points[edge->point_count++] = end;
}

/* Goes straight to X, Y, and further in one piece if the last one went straight down or up as well. */
static void go_straight(struct layout_edge *edge, double x, double y)
{
	struct layout_point end = {x, y};
	struct layout_point at = end_of(edge);
	if (at.x == x && at.y == y)
		return;
	if (edge->point_count >= 4 && at.x == x) {
		const struct layout_point *last = &edge->points[edge->point_count - 4];
		if (last[0].x == x && last[1].x == x && last[2].x == x)
			edge->point_count -= 3;
	}
	at = end_of(edge);
	add_piece(edge, at, end, end);
}

/* Swings over to X, Y, leaving and arriving vertically. */
static void swing(struct layout_edge *edge, double x, double y)
{
	struct layout_point at = end_of(edge);
	double middle = (at.y + y) / 2;
	if (at.x == x)
		go_straight(edge, x, y);
	else
		add_piece(edge, (struct layout_point){at.x, middle},
			(struct layout_point){x, middle}, (struct layout_point){x, y});
}

/* Turns round: to the height Y, over to X, and towards OUT, which is on the side of Y that it came from. */
static void turn(struct layout_edge *edge, double y, double x, double out)
{
	double from = end_of(edge).x;
	double radius = fmin(turn_radius, fabs(x - from) / 2);
	double aside = x > from ? radius : -radius;
	double back = out > y ? radius : -radius;
	go_straight(edge, from, y + back);
	add_piece(edge, (struct layout_point){from, y + back / 2},
		(struct layout_point){from + aside / 2, y}, (struct layout_point){from + aside, y});
	go_straight(edge, x - aside, y);
	add_piece(edge, (struct layout_point){x - aside / 2, y},
		(struct layout_point){x, y + back / 2}, (struct layout_point){x, y + back});
}

static void draw_down(const struct routing *routing, size_t row, struct layout_edge *edge)
{
	size_t layer = from_of(routing, row)->layer;
	go_straight(edge, routing->leave[row], routing->bottom[layer]);
	for (size_t i = 0; i < routing->sketch->chains[row].count; i++) {
		const struct layout_vertex *vertex = vertex_at(routing, row, i);
		swing(edge, vertex->x, routing->top[vertex->layer]);
		go_straight(edge, vertex->x, routing->bottom[vertex->layer]);
	}
	layer = to_of(routing, row)->layer;
	swing(edge, routing->enter[row], routing->top[layer] - arrow_room);
}

static void draw_back(const struct routing *routing, size_t row, struct layout_edge *edge)
{
	size_t count = routing->sketch->chains[row].count;
	const struct layout_vertex *last = vertex_at(routing, row, count - 2);
	for (size_t i = 1; i + 1 < count; i++) {
		const struct layout_vertex *vertex = vertex_at(routing, row, i);
		double bottom = routing->bottom[vertex->layer];
		if (i == 1)
			turn(edge, bottom + routing->height_below[row], vertex->x, bottom);
		else
			swing(edge, vertex->x, bottom);
		go_straight(edge, vertex->x, routing->top[vertex->layer]);
	}
	double top = routing->top[last->layer];
	turn(edge, top - routing->height_above[row], routing->enter[row], top);
}

static void draw_edge(const struct routing *routing, size_t row)
{
	struct layout *layout = routing->sketch->layout;
	struct layout_edge *edge = &layout->edges[row];
	const struct layout_chain *chain = &routing->sketch->chains[row];
	const struct layout_node *from = &layout->nodes[edge->from];
	const struct layout_node *to = &layout->nodes[edge->to];
	const struct layout_point start = {routing->leave[row], from->y + from->height / 2};
	const struct layout_point end = {routing->enter[row], to->y - to->height / 2};
	/* At most two pieces for each vertex, six at each turn and the first and the last one. */
	edge->points = memory_array(1 + 3 * (2 * chain->count + 14), sizeof *edge->points);
	edge->points[edge->point_count++] = start;
	edge->label_x = (start.x + end.x) / 2;
	edge->label_y = (start.y + end.y) / 2;
	if (chain->straight) {
		add_piece(edge, (struct layout_point){start.x, start.y + straight_reach},
			(struct layout_point){end.x, end.y - straight_reach}, end);
		return;
	}
	if (edge->back)
		draw_back(routing, row, edge);
	else
		draw_down(routing, row, edge);
	go_straight(edge, end.x, end.y);
	edge->points = memory_resize(edge->points, edge->point_count, sizeof *edge->points);
	if (chain->label == LAYOUT_NONE)
		return;
	edge->label_x = routing->sketch->vertices[chain->label].x;
	edge->label_y = middle_y(routing, &routing->sketch->vertices[chain->label]);
}

struct extent {
	double left, right, top, bottom;
};

static void cover(struct extent *extent, double x, double y, double width, double height)
{
	extent->left = fmin(extent->left, x - width / 2);
	extent->right = fmax(extent->right, x + width / 2);
	extent->top = fmin(extent->top, y - height / 2);
	extent->bottom = fmax(extent->bottom, y + height / 2);
}

static struct extent find_extent(const struct layout *layout)
{
	struct extent extent = {INFINITY, -INFINITY, INFINITY, -INFINITY};
	for (size_t i = 0; i < layout->node_count; i++) {
		const struct layout_node *node = &layout->nodes[i];
		cover(&extent, node->x, node->y, node->width + 2 * node->clear, node->height);
	}
	for (size_t i = 0; i < layout->edge_count; i++) {
		const struct layout_edge *edge = &layout->edges[i];
		if (edge->label_height > 0)
			cover(&extent, edge->label_x, edge->label_y, edge->label_width,
				edge->label_height);
		for (size_t j = 0; j < edge->point_count; j++)
			cover(&extent, edge->points[j].x, edge->points[j].y, 0, 0);
	}
	return extent;
}

static void move_to_origin(struct layout *layout)
{
	struct extent extent = find_extent(layout);
	double x = margin - extent.left;
	double y = margin - extent.top;
	layout->width = extent.right - extent.left + 2 * margin;
	layout->height = extent.bottom - extent.top + 2 * margin;
	for (size_t i = 0; i < layout->node_count; i++) {
		layout->nodes[i].x += x;
		layout->nodes[i].y += y;
	}
	for (size_t i = 0; i < layout->edge_count; i++) {
		struct layout_edge *edge = &layout->edges[i];
		edge->label_x += x;
		edge->label_y += y;
		for (size_t j = 0; j < edge->point_count; j++) {
			edge->points[j].x += x;
			edge->points[j].y += y;
		}
	}
}

void layout_route(struct layout_sketch *sketch)
{
	struct layout *layout = sketch->layout;
	struct routing routing = {
		.sketch = sketch,
		.top = memory_array(sketch->layer_count, sizeof(double)),
		.bottom = memory_array(sketch->layer_count, sizeof(double)),
		.leave = memory_array(layout->edge_count, sizeof(double)),
		.enter = memory_array(layout->edge_count, sizeof(double)),
		.height_below = memory_array(layout->edge_count, sizeof(double)),
		.height_above = memory_array(layout->edge_count, sizeof(double)),
		.room = memory_array(sketch->layer_count, sizeof(double)),
	};
	find_ports(&routing, true, routing.leave);
	find_ports(&routing, false, routing.enter);
	find_turns(&routing, true, routing.height_below);
	find_turns(&routing, false, routing.height_above);
	find_bands(&routing);
	for (size_t i = 0; i < layout->node_count; i++) {
		layout->nodes[i].x = sketch->vertices[i].x;
		layout->nodes[i].y = middle_y(&routing, &sketch->vertices[i]);
	}
	for (size_t i = 0; i < layout->edge_count; i++)
		draw_edge(&routing, i);
	move_to_origin(layout);
	free(routing.top);
	free(routing.bottom);
	free(routing.leave);
	free(routing.enter);
	free(routing.height_below);
	free(routing.height_above);
	free(routing.room);
}
