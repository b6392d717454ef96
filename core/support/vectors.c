#include "support/vectors.h"

#include "base/memory.h"
#include "graph/graph.h"
#include "service/compute.h"

#include <stdlib.h>

struct kept_vector {
	struct ss_text message;
	struct ss_bytes vector;
};

static bool reads(const struct graph_node *node, size_t slot)
{
	if (slot == GRAPH_NO_SLOT)
		return false;
	for (size_t i = 0; i < node->field_count; i++) {
		if (node->slots[i] == slot && (node->plugin->fields[i].access & SS_READS) != 0)
			return true;
	}
	return false;
}

bool vectors_are_used(const struct graph *graph)
{
	size_t history = graph_slot(graph, "history"), recent = graph_slot(graph, "recent");
	for (size_t i = 0; i < graph->node_count; i++) {
		const struct graph_node *node = &graph->nodes[i];
		/* What an inner workflow is given goes through expressions. */
		if (node->workflow != NULL
				? (graph_services(node->workflow) & SS_USES_EMBEDDER) != 0
				: (node->plugin->services & SS_USES_EMBEDDER) != 0 &&
					  (reads(node, history) || reads(node, recent)))
			return true;
	}
	return false;
}

void vectors_add(void *context, struct ss_text message, struct ss_bytes vector)
{
	struct vectors *vectors = context;
	if (vectors->count == vectors->capacity) {
		vectors->capacity = vectors->capacity * 2 + 8;
		vectors->items =
			memory_resize(vectors->items, vectors->capacity, sizeof *vectors->items);
	}
	vectors->items[vectors->count++] = (struct kept_vector){
		.message = {memory_text(message.data, message.length), message.length},
		.vector = {(unsigned char *)memory_text((const char *)vector.data, vector.length),
			vector.length},
	};
}

void vectors_restore(const struct vectors *vectors, struct compute *compute)
{
	for (size_t i = 0; i < vectors->count; i++)
		compute_restore(compute, vectors->items[i].message, vectors->items[i].vector);
}

void vectors_free(struct vectors *vectors)
{
	for (size_t i = 0; i < vectors->count; i++) {
		free((char *)(uintptr_t)vectors->items[i].message.data);
		free((unsigned char *)(uintptr_t)vectors->items[i].vector.data);
	}
	free(vectors->items);
	*vectors = (struct vectors){0};
}
