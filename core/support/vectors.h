/*
 * Vectors of what a customer asked earlier: read from the store with the messages, and put into the embedder's cache
 * before the turn runs, so that an agent that compares the question with earlier ones finds them there and nothing
 * is embedded twice. The agents and the state know nothing of it.
 */
#ifndef SUPPORT_VECTORS_H
#define SUPPORT_VECTORS_H

#include <smartsupport/plugin.h>

struct compute;
struct graph;

/* Those that were read. Begins empty, ends with vectors_free(). */
struct vectors {
	struct kept_vector *items;
	size_t count, capacity;
};

/* Whether an agent of GRAPH may embed earlier messages: it embeds, and reads `history` or `recent`. */
bool vectors_are_used(const struct graph *graph);

/* Adds a copy of VECTOR; CONTEXT is a struct vectors. For ss_turn_key: store thread, while nobody else looks. */
void vectors_add(void *context, struct ss_text message, struct ss_bytes vector);

/* Puts them into the cache of COMPUTE. Loop thread. */
void vectors_restore(const struct vectors *vectors, struct compute *compute);

void vectors_free(struct vectors *vectors);

#endif
