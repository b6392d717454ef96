/* What comes after what: edges, joins, and joins that are released. */
#include "base/memory.h"
#include "base/text.h"
#include "engine/turn.h"
#include "value/value.h"

#include <stdlib.h>

/* Where a task or a branch comes from. */
struct way {
	struct task *from; /* NULL: START */
	size_t edge, choice;
};

bool task_is_before(const struct task *a, const struct task *b)
{
	/* Only tasks of the same step and node are told apart by their parents, which are of earlier
	 * steps. */
	for (;;) {
		if (a == b || b == NULL)
			return false;
		if (a == NULL)
			return true;
		if (a->step != b->step)
			return a->step < b->step;
		if (a->node != b->node)
			return a->node < b->node;
		if (a->cause == b->cause)
			return a->edge < b->edge;
		a = a->cause;
		b = b->cause;
	}
}

/* A step of splitmix64 (Steele, Lea, Flood 2014), as a hash. */
static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash += value + UINT64_C(0x9e3779b97f4a7c15);
	hash = (hash ^ hash >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	hash = (hash ^ hash >> 27) * UINT64_C(0x94d049bb133111eb);
	return hash ^ hash >> 31;
}

uint64_t flow_inner_id(const struct copy *copy)
{
	return mix(mix(copy->task->id, copy->index), (uint64_t)copy->attempts);
}

static uint64_t id_of(const struct turn *turn, const struct task *task)
{
	return task != NULL ? task->id : turn->id;
}

static const struct graph_edge *edge_of(const struct turn *turn, size_t row)
{
	return &turn->program->graph->edges[row];
}

/* A branch has ended and leaves VIEW (taken). */
static void end_branch(struct turn *turn, struct view *view)
{
	struct ss_error err = {0};
	turn->result = turn->result != NULL ? view_merge(turn, turn->result, view, &err) : view;
	if (err.status != SS_OK)
		turn_end(turn, &err);
}

static void note(struct turn *turn, struct task *task, const struct graph_edge *edge, size_t choice)
{
	event_taken(turn, task, edge, choice);
	if (task == NULL)
		return;
	struct taken *taken = arena_take(&turn->arena, sizeof *taken);
	taken->edge = edge;
	taken->choice = choice;
	/* In the order of the file: a join may be complete long after the other edges were followed. */
	struct taken **at = &task->taken;
	while (*at != NULL && (*at)->edge <= edge)
		at = &(*at)->next;
	taken->next = *at;
	*at = taken;
}

/* Takes the way CHOICE of the edge ROW. Returns how many branches go on. */
static size_t take(struct turn *turn, size_t row, size_t choice, struct task *cause, size_t step,
	uint64_t id, struct view *view)
{
	const struct graph_edge *edge = edge_of(turn, row);
	note(turn, cause, edge, choice);
	if (edge->choices[choice].to == GRAPH_END)
		return 0;
	(void)task_new(turn, edge->choices[choice].to, cause, row, step, mix(mix(id, row), choice),
		view_ref(view));
	return 1;
}

/* The choice that is taken; SIZE_MAX when the turn has failed over it. */
static size_t choose(struct turn *turn, const struct graph_edge *edge, const struct view *view)
{
	struct ss_error err = {0}, at;
	for (size_t i = 0; i < edge->choice_count; i++) {
		const struct graph_choice *choice = &edge->choices[i];
		bool is_true = choice->when == NULL;
		if (!is_true && expr_is_true(choice->when, view->values, &is_true, &err) < 0) {
			(void)ss_fail_as(&at, err.status, "%s:%zu:%zu: the condition \"%.*s\": %s",
				turn->program->graph->file, choice->line, choice->column,
				text_fit(choice->text, 120), choice->text, err.text);
			turn_end(turn, &at);
			return SIZE_MAX;
		}
		if (is_true)
			return i;
	}
	return SIZE_MAX; /* not reached: the last one is an else */
}

/* Follows an edge whose parents are all there. Returns how many branches go on. */
static size_t follow(struct turn *turn, size_t row, struct task *cause, size_t step, uint64_t id,
	struct view *view)
{
	size_t count = 0;
	const struct graph_edge *edge = edge_of(turn, row);
	if (edge->kind == GRAPH_CHOOSE) {
		size_t choice = choose(turn, edge, view);
		return choice != SIZE_MAX ? take(turn, row, choice, cause, step, id, view) : 0;
	}
	for (size_t i = 0; i < edge->choice_count && turn->status == TURN_RUNNING; i++)
		count += take(turn, row, i, cause, step, id, view);
	return count;
}

/* Those that wait at the join ROW for its parent PARENT. */
static struct arrival **arrivals(struct turn *turn, size_t row, size_t parent)
{
	if (turn->arrived[row] == NULL)
		turn->arrived[row] = arena_array(
			&turn->arena, edge_of(turn, row)->from_count, sizeof(struct arrival *));
	return &turn->arrived[row][parent];
}

/* Runs the join ROW with the first that has arrived from each parent. */
static void run_join(struct turn *turn, size_t row)
{
	const struct graph_edge *edge = edge_of(turn, row);
	struct ss_error err = {0};
	const struct task *last = NULL;
	struct view *view = NULL;
	uint64_t id = turn->id;
	for (size_t i = 0; i < edge->from_count; i++) {
		struct arrival **first = arrivals(turn, row, i);
		struct arrival *arrival = *first;
		if (arrival == NULL)
			continue;
		*first = arrival->next;
		turn->arrival_count--;
		id = mix(id, id_of(turn, arrival->task));
		if (task_is_before(last, arrival->task))
			last = arrival->task;
		view = view != NULL ? view_merge(turn, view, arrival->view, &err) : arrival->view;
	}
	if (err.status != SS_OK || view_check(turn, view, &err) < 0) {
		turn_keep(turn, view);
		turn_end(turn, &err);
		return;
	}
	/* The way is noted with the parent that comes last in the order of tasks. */
	size_t step = last != NULL ? last->step + 1 : 1;
	if (follow(turn, row, (struct task *)(uintptr_t)last, step, id, view) > 0)
		view_unref(turn, view);
	else
		end_branch(turn, view);
}

static bool is_complete(struct turn *turn, size_t row)
{
	for (size_t i = 0; i < edge_of(turn, row)->from_count; i++) {
		if (*arrivals(turn, row, i) == NULL)
			return false;
	}
	return true;
}

/* TASK, a parent of the join ROW, has finished. */
static void arrive(struct turn *turn, size_t row, struct task *task, struct view *view)
{
	const struct graph_edge *edge = edge_of(turn, row);
	size_t place = task != NULL ? task->node : GRAPH_START;
	size_t parent = 0;
	while (edge->from[parent] != place)
		parent++;
	struct arrival *arrival = arena_take(&turn->arena, sizeof *arrival);
	arrival->task = task;
	arrival->view = view_ref(view);
	struct arrival **at = arrivals(turn, row, parent);
	while (*at != NULL && task_is_before((*at)->task, task))
		at = &(*at)->next;
	arrival->next = *at;
	*at = arrival;
	turn->arrival_count++;
	if (!edge->late && is_complete(turn, row))
		run_join(turn, row);
}

void flow_on(struct turn *turn, struct task *task, struct view *view)
{
	const struct graph *graph = turn->program->graph;
	const size_t *out = task == NULL ? graph->start : graph->nodes[task->node].out;
	size_t count = task == NULL ? graph->start_count : graph->nodes[task->node].out_count;
	size_t step = task != NULL ? task->step + 1 : 1;
	size_t branches = 0;
	for (size_t i = 0; i < count && turn->status == TURN_RUNNING; i++) {
		if (edge_of(turn, out[i])->join) {
			arrive(turn, out[i], task, view);
			branches++;
			continue;
		}
		branches += follow(turn, out[i], task, step, id_of(turn, task), view);
	}
	if (branches > 0)
		view_unref(turn, view);
	else
		end_branch(turn, view);
}

void flow_by(struct turn *turn, struct task *task, struct view *view, size_t edge, size_t choice)
{
	if (take(turn, edge, choice, task, task->step + 1, task->id, view) > 0)
		view_unref(turn, view);
	else
		end_branch(turn, view);
}

static bool list_reaches(const struct graph *graph, const struct task_list *list, size_t node)
{
	for (const struct task *task = list->first; task != NULL; task = task->next) {
		if (graph_reaches(graph, task->node, node))
			return true;
	}
	return false;
}

static bool has_arrivals(const struct turn *turn, size_t row)
{
	for (size_t i = 0; turn->arrived[row] != NULL && i < edge_of(turn, row)->from_count; i++) {
		if (turn->arrived[row][i] != NULL)
			return true;
	}
	return false;
}

/* Whether what waits at another join than ROW leads to NODE once it goes on. */
static bool waiting_reaches(const struct turn *turn, size_t row, size_t node)
{
	const struct graph *graph = turn->program->graph;
	for (size_t i = 0; i < graph->edge_count; i++) {
		const struct graph_edge *edge = &graph->edges[i];
		if (i == row || !edge->join || !has_arrivals(turn, i))
			continue;
		for (size_t j = 0; j < edge->choice_count; j++) {
			if (edge->choices[j].to != GRAPH_END &&
				graph_reaches(graph, edge->choices[j].to, node))
				return true;
		}
	}
	return false;
}

/* Whether the join ROW, at which somebody waits, may get one more of those that it still needs; a late one
 * needs to know of any. */
static bool may_get_more(struct turn *turn, size_t row)
{
	const struct graph *graph = turn->program->graph;
	const struct graph_edge *edge = &graph->edges[row];
	for (size_t i = 0; i < edge->from_count; i++) {
		size_t from = edge->from[i];
		if (from == GRAPH_START || (!edge->late && *arrivals(turn, row, i) != NULL))
			continue;
		if (list_reaches(graph, &turn->ready, from) ||
			list_reaches(graph, &turn->running, from) ||
			list_reaches(graph, &turn->asking, from) ||
			waiting_reaches(turn, row, from))
			return true;
	}
	return false;
}

/* Whether a join that has to wait for more would wait for ever: nothing but joins can go on. */
static bool is_stuck(const struct turn *turn)
{
	return turn->ready.count + turn->running.count + turn->asking.count == 0;
}

void flow_release(struct turn *turn)
{
	const struct graph *graph = turn->program->graph;
	size_t held = SIZE_MAX;
	for (size_t i = 0; turn->arrival_count > 0 && i < graph->edge_count; i++) {
		if (!graph->edges[i].join || !has_arrivals(turn, i))
			continue;
		if (!may_get_more(turn, i)) {
			run_join(turn, i);
			return;
		}
		if (held == SIZE_MAX)
			held = i;
	}
	if (held != SIZE_MAX && is_stuck(turn))
		run_join(turn, held);
}
