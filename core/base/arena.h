/*
 * Memory for things that end together: taken piece by piece, given back with one call. For turns. An arena
 * and its pool belong to one thread.
 *
 * A pool keeps some of the blocks that arenas have given back, so that one arena after another costs the
 * system nothing.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

enum {
	ARENA_BLOCK_SIZE = 8192, /* bytes that a block offers */
	ARENA_POOL_LIMIT = 256,  /* blocks that a pool keeps */
};

struct arena_block;

struct arena_pool {
	struct arena_block *free;
	size_t count;
};

struct arena {
	struct arena_pool *pool;
	struct arena_block *blocks; /* the first is the one that is taken from */
	size_t used;                /* bytes of it */
};

/* An arena that takes its blocks from POOL. */
struct arena arena_new(struct arena_pool *pool);

/* SIZE zeroed bytes, aligned for any type. */
void *arena_take(struct arena *arena, size_t size);

/* Room for COUNT items of SIZE bytes, zeroed. */
void *arena_array(struct arena *arena, size_t count, size_t size);

/* A copy of the NUL-terminated TEXT. */
char *arena_string(struct arena *arena, const char *text);

/* Gives everything back. ARENA itself may lie in what it gives back. */
void arena_free(struct arena *arena);

/* Frees the blocks that POOL keeps. */
void arena_pool_free(struct arena_pool *pool);

#endif
