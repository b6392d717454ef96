/* Random workflows of all kinds of edges, with loops, joins that may not complete, fan-outs, failures and
 * retries. What the nodes write tells what they have seen. */
#include "workflows.h"

#include "base/buffer.h"

#include <stdbool.h>

enum { NODES = 10 };

static uint64_t randomness;

/* xorshift64* (Vigna 2016). */
static size_t below(size_t limit)
{
	randomness ^= randomness >> 12;
	randomness ^= randomness << 25;
	randomness ^= randomness >> 27;
	return (size_t)((randomness * UINT64_C(2685821657736338717)) >> 33) % limit;
}

static void add_node(struct buffer *yaml, size_t node)
{
	buffer_add_format(yaml,
		"  n%zu: {agent: assign, options: {set: {list: '[[%zu, sum, size(list), "
		"f0]]', sum: '%zu', most: sum}",
		node, node, node + 1);
	if (below(2) == 0)
		buffer_add_string(yaml, ", delay: 1ms");
	switch (below(6)) {
	case 0:
		buffer_add_string(yaml, "}, send: {over: '[3, 1, 2]', as: f0, limit: 2}}\n");
		break;
	case 1:
		buffer_add_string(
			yaml, ", fail: '\"no\"', fail_times: 1}, retry: {attempts: 2}}\n");
		break;
	case 2:
		buffer_add_format(yaml,
			", fail: 'sum %% 2 == 0 ? \"odd\" : \"\"'}, on_error: {set: "
			"{sum: 100}}}\n");
		break;
	default:
		buffer_add_string(yaml, "}}\n");
	}
}

/* A node that comes later, or END. */
static void add_later(struct buffer *yaml, size_t node, size_t count)
{
	size_t later = node + 1 + below(count - node + 1);
	if (later < count)
		buffer_add_format(yaml, "n%zu", later);
	else
		buffer_add_string(yaml, "END");
}

static void add_exit(struct buffer *yaml, size_t node, size_t count)
{
	buffer_add_format(yaml, "  - {from: n%zu, ", node);
	switch (below(4)) {
	case 0:
		buffer_add_string(yaml, "choose: [{when: sum % 3 == 1, to: ");
		add_later(yaml, node, count);
		buffer_add_string(yaml, "}, {when: size(list) > 5, to: ");
		add_later(yaml, node, count);
		buffer_add_string(yaml, "}, {else: ");
		add_later(yaml, node, count);
		buffer_add_string(yaml, "}]}\n");
		break;
	case 1:
		buffer_add_format(yaml,
			"choose: [{when: size(list) < %zu, to: n%zu}, {else: ", 2 + below(6),
			below(node + 1));
		add_later(yaml, node, count);
		buffer_add_string(yaml, "}]}\n");
		break;
	default:
		buffer_add_string(yaml, "to: ");
		add_later(yaml, node, count);
		buffer_add_string(yaml, "}\n");
	}
}

/* Two or three nodes before TO, which it waits for or follows each. */
static void add_meeting(struct buffer *yaml, size_t to)
{
	bool used[NODES] = {false};
	size_t count = 2 + below(2);
	buffer_add_string(yaml, "  - {from: [");
	for (size_t i = 0, added = 0; i < count; i++) {
		size_t node = below(to);
		if (used[node])
			continue;
		used[node] = true;
		buffer_add_format(yaml, "%sn%zu", added++ > 0 ? ", " : "", node);
	}
	buffer_add_format(yaml, "], %sto: n%zu}\n", below(4) == 0 ? "any: true, " : "", to);
}

char *workflow_random(uint64_t seed)
{
	randomness = seed * UINT64_C(0x9e3779b97f4a7c15);
	struct buffer yaml = {0};
	size_t count = 3 + below(NODES - 2);
	buffer_add_string(&yaml, "timeout: 1h\nmax_steps: 400\nnodes:\n");
	for (size_t i = 0; i < count; i++)
		add_node(&yaml, i);
	buffer_add_string(&yaml, "edges:\n  - {from: START, to: [n0");
	for (size_t i = 1; i < count; i++) {
		if (below(3) == 0)
			buffer_add_format(&yaml, ", n%zu", i);
	}
	buffer_add_string(&yaml, "]}\n");
	for (size_t i = 0; i < count; i++)
		add_exit(&yaml, i, count);
	for (size_t i = 2; i < count; i++) {
		if (below(2) == 0)
			add_meeting(&yaml, i);
	}
	return buffer_take(&yaml);
}
