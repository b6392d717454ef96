#include "base/arena.h"

#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct arena_block {
	struct arena_block *next;
	size_t size; /* bytes of content */
	_Alignas(max_align_t) unsigned char content[];
};

struct arena arena_new(struct arena_pool *pool)
{
	return (struct arena){.pool = pool};
}

static struct arena_block *block_new(struct arena *arena, size_t size)
{
	struct arena_block *block = arena->pool->free;
	if (size > ARENA_BLOCK_SIZE || block == NULL) {
		if (size < ARENA_BLOCK_SIZE)
			size = ARENA_BLOCK_SIZE;
		block = memory_new(sizeof *block + size);
		block->size = size;
		return block;
	}
	arena->pool->free = block->next;
	arena->pool->count--;
	return block;
}

void *arena_take(struct arena *arena, size_t size)
{
	size_t align = _Alignof(max_align_t);
	size_t rounded = (size + align - 1) / align * align;
	struct arena_block *first = arena->blocks;
	if (rounded < size)
		abort(); /* no program asks for that much */
	if (first == NULL || rounded > first->size - arena->used) {
		struct arena_block *block = block_new(arena, rounded);
		/* What is too large for a block has one of its own, behind the one that has room. */
		if (first != NULL && rounded > ARENA_BLOCK_SIZE) {
			block->next = first->next;
			first->next = block;
			return memset(block->content, 0, size);
		}
		block->next = first;
		arena->blocks = block;
		arena->used = 0;
	}
	void *taken = arena->blocks->content + arena->used;
	arena->used += rounded;
	return memset(taken, 0, size);
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
	if (size > 0 && count > SIZE_MAX / 2 / size)
		abort(); /* no program asks for that much */
	return arena_take(arena, count * size);
}

char *arena_string(struct arena *arena, const char *text)
{
	size_t size = strlen(text) + 1;
	return memcpy(arena_take(arena, size), text, size);
}

void arena_free(struct arena *arena)
{
	struct arena_pool *pool = arena->pool;
	struct arena_block *block = arena->blocks;
	arena->blocks = NULL;
	while (block != NULL) {
		struct arena_block *next = block->next;
		if (block->size == ARENA_BLOCK_SIZE && pool->count < ARENA_POOL_LIMIT) {
			block->next = pool->free;
			pool->free = block;
			pool->count++;
		} else {
			free(block);
		}
		block = next;
	}
}

void arena_pool_free(struct arena_pool *pool)
{
	while (pool->free != NULL) {
		struct arena_block *next = pool->free->next;
		free(pool->free);
		pool->free = next;
	}
	pool->count = 0;
}
