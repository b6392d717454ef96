/*
 * Random workflows whose nodes finish in random order: one final state for each workflow, whatever the
 * order was. Each node writes a field of its own, from those of the nodes that it waits for. The seeds are
 * fixed, so a failure can be seen again.
 */
#include "stage.h"

#include "base/memory.h"
#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

enum { WORKFLOWS = 300, ORDERS = 10, NODES = 14 };

/* How a node comes to run. */
enum entry {
	ENTRY_JOIN,   /* after all of `before`, or START when there are none */
	ENTRY_CHOSEN, /* when the one node of `before` chooses it */
	ENTRY_EITHER, /* after whichever of `before`, which one node chooses between */
};

struct plan {
	size_t before[NODES];
	size_t before_count;
	size_t ways[3]; /* the nodes between which it chooses */
	size_t way_count;
	enum entry entry;
	bool follows; /* something comes after it */
	bool guarded; /* it runs only if it, or what it waits for, is chosen */
	bool fails;   /* its agent fails, and its fallback is written */
};

static struct plan plans[NODES];
static size_t plan_count;
static uint64_t randomness;

/* xorshift64* (Vigna 2016). */
static size_t below(size_t limit)
{
	randomness ^= randomness >> 12;
	randomness ^= randomness << 25;
	randomness ^= randomness >> 27;
	return (size_t)((randomness * UINT64_C(2685821657736338717)) >> 33) % limit;
}

static struct plan *new_plan(enum entry entry)
{
	struct plan *plan = &plans[plan_count++];
	*plan = (struct plan){.entry = entry, .fails = below(8) == 0};
	return plan;
}

static void add_before(struct plan *plan, size_t node)
{
	plan->before[plan->before_count++] = node;
	plans[node].follows = true;
}

/* NODE chooses between two or three new nodes, which may meet again in one. */
static void plan_choice(size_t node)
{
	size_t count = 2 + below(2);
	size_t first = plan_count;
	if (plan_count + count + 1 > NODES || plans[node].way_count > 0)
		return;
	for (size_t i = 0; i < count; i++) {
		plans[node].ways[plans[node].way_count++] = plan_count;
		struct plan *way = new_plan(ENTRY_CHOSEN);
		way->guarded = true;
		add_before(way, node);
	}
	if (below(3) == 0)
		return;
	struct plan *meeting = new_plan(ENTRY_EITHER);
	meeting->guarded = plans[node].guarded;
	for (size_t i = 0; i < count; i++)
		add_before(meeting, first + i);
}

/* A join waits for one guarded node at most, as two might exclude each other. */
static void plan_join(void)
{
	struct plan *plan = new_plan(ENTRY_JOIN);
	for (size_t node = 0; node + 1 < plan_count; node++) {
		if (below(plan_count) >= 2 || (plan->guarded && plans[node].guarded))
			continue;
		add_before(plan, node);
		plan->guarded = plan->guarded || plans[node].guarded;
	}
}

static void make_plans(void)
{
	size_t count = 2 + below(NODES - 1);
	plan_count = 0;
	while (plan_count < count) {
		if (plan_count > 0 && below(4) == 0)
			plan_choice(below(plan_count));
		else
			plan_join();
	}
}

static void print_names(struct buffer *yaml, const size_t *nodes, size_t count)
{
	buffer_add_string(yaml, "[");
	for (size_t i = 0; i < count; i++)
		buffer_add_format(yaml, "%sn%zu", i > 0 ? ", " : "", nodes[i]);
	buffer_add_string(yaml, "]");
}

static void print_edges(struct buffer *yaml, size_t node)
{
	const struct plan *plan = &plans[node];
	if (plan->entry == ENTRY_JOIN && plan->before_count == 0) {
		buffer_add_format(yaml, "  - {from: START, to: n%zu}\n", node);
	} else if (plan->entry != ENTRY_CHOSEN) {
		buffer_add_string(yaml, "  - {from: ");
		print_names(yaml, plan->before, plan->before_count);
		buffer_add_format(yaml, "%s, to: n%zu}\n",
			plan->entry == ENTRY_EITHER ? ", any: true" : "", node);
	}
	if (plan->way_count > 0) {
		buffer_add_format(yaml, "  - {from: n%zu, choose: [", node);
		for (size_t i = 0; i + 1 < plan->way_count; i++)
			buffer_add_format(yaml, "{when: f%zu %% 3 == %zu, to: n%zu}, ", node, i,
				plan->ways[i]);
		buffer_add_format(yaml, "{else: n%zu}]}\n", plan->ways[plan->way_count - 1]);
	}
	if (!plan->follows)
		buffer_add_format(yaml, "  - {from: n%zu, to: END}\n", node);
}

static char *print_workflow(void)
{
	struct buffer yaml = {0};
	buffer_add_string(&yaml, "timeout: 1h\nnodes:\n");
	for (size_t i = 0; i < plan_count; i++) {
		buffer_add_format(&yaml, "  n%zu: {agent: puppet_%zu", i, i);
		if (plans[i].fails)
			buffer_add_format(&yaml, ", on_error: {set: {f%zu: 7}}", i);
		buffer_add_string(&yaml, "}\n");
	}
	buffer_add_string(&yaml, "edges:\n");
	for (size_t i = 0; i < plan_count; i++)
		print_edges(&yaml, i);
	return buffer_take(&yaml);
}

/* Writes a number that depends on what the nodes before it wrote; some finish at once. */
static enum ss_result mix(struct actor *actor, struct ss_run *run, struct ss_error *err)
{
	size_t node = strtoul(actor->name + 1, NULL, 10);
	uint64_t mixed = node + 1;
	for (size_t i = 0; i < plans[node].before_count; i++) {
		uint64_t before = (uint64_t)actor_read(actor, run, plans[node].before[i]);
		mixed = (mixed * 31 + before) % 1000003;
	}
	if (actor_write(actor, run, node, (int64_t)mixed, err) < 0)
		return SS_FAILED;
	if (below(3) > 0)
		return stage_wait(actor, run, err);
	return plans[node].fails ? SS_FAILED : SS_DONE;
}

static void finish_one(void)
{
	const struct ss_error why = {.status = SS_UNAVAILABLE, .text = "as planned"};
	struct waiting *any = &stage.waiting[below(stage.waiting_count)];
	struct waiting taken = *any;
	*any = stage.waiting[--stage.waiting_count];
	bool fails = plans[strtoul(taken.name + 1, NULL, 10)].fails;
	taken.actor->host->finish(taken.run, fails ? SS_FAILED : SS_DONE, fails ? &why : NULL);
}

/* The state that a turn ends with, as JSON. The caller frees it. */
static char *play(void)
{
	struct ending ending;
	struct turn *turn = stage_start(NULL, &ending);
	for (int rounds = 0; ending.calls == 0 && rounds < 100000; rounds++) {
		if (stage.waiting_count > 0 && below(2) == 0)
			finish_one();
		else
			(void)event_base_loop(stage.base, EVLOOP_NONBLOCK);
	}
	cr_assert_eq(ending.calls, 1);
	cr_assert_null(turn_error(turn), "%s", turn_error(turn)->text);
	struct ss_value *state = turn_state(turn);
	char *text = json_text(state);
	value_unref(state);
	turn_free(turn);
	return text;
}

Test(property, a_workflow_has_one_outcome_in_whatever_order_its_nodes_finish)
{
	static const char *const names[NODES] = {"n0", "n1", "n2", "n3", "n4", "n5", "n6", "n7",
		"n8", "n9", "n10", "n11", "n12", "n13"};
	size_t nodes = 0;
	for (uint64_t seed = 1; seed <= WORKFLOWS; seed++) {
		randomness = seed * UINT64_C(0x9e3779b97f4a7c15);
		make_plans();
		char *yaml = print_workflow();
		stage_open(yaml);
		for (size_t i = 0; i < plan_count; i++)
			stage_play(names[i], mix);
		char *first = play();
		for (int order = 1; order < ORDERS; order++) {
			char *state = play();
			cr_expect_str_eq(state, first, "workflow %d in order %d:\n%s", (int)seed,
				order, yaml);
			free(state);
		}
		nodes += plan_count;
		free(first);
		free(yaml);
		stage_close();
	}
	cr_expect_gt(nodes, (size_t)WORKFLOWS * 4);
}
