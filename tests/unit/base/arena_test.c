#include "base/arena.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

Test(arena, gives_zeroed_memory_that_is_aligned_for_any_type)
{
	struct arena_pool pool = {0};
	struct arena arena = arena_new(&pool);
	for (int round = 0; round < 3; round++) {
		for (size_t size = 0; size < 3000; size += 7) {
			unsigned char *bytes = arena_take(&arena, size);
			cr_assert_eq((uintptr_t)bytes % _Alignof(max_align_t), 0);
			for (size_t i = 0; i < size; i++)
				cr_assert_eq(bytes[i], 0);
			memset(bytes, 0xff, size);
		}
		arena_free(&arena);
		arena = arena_new(&pool);
	}
	arena_pool_free(&pool);
}

Test(arena, gives_what_is_larger_than_a_block_a_block_of_its_own)
{
	struct arena_pool pool = {0};
	struct arena arena = arena_new(&pool);
	char *before = arena_string(&arena, "before");
	unsigned char *large = arena_array(&arena, 10, ARENA_BLOCK_SIZE);
	memset(large, 1, (size_t)10 * ARENA_BLOCK_SIZE);
	char *after = arena_string(&arena, "after");
	cr_expect_eq(after - before, 16, "the block that has room is taken from again");
	cr_expect_str_eq(before, "before");
	cr_expect_str_eq(after, "after");
	arena_free(&arena);
	arena_pool_free(&pool);
}

Test(arena, leaves_its_blocks_to_the_next_one)
{
	struct arena_pool pool = {0};
	struct arena arena = arena_new(&pool);
	void *first = arena_take(&arena, 100);
	for (int i = 0; i < 100; i++)
		(void)arena_take(&arena, ARENA_BLOCK_SIZE);
	arena_free(&arena);
	cr_expect_eq(pool.count, 101);
	arena = arena_new(&pool);
	cr_expect_eq(arena_take(&arena, 100), first);
	arena_free(&arena);
	cr_expect_eq(pool.count, 101);
	arena_pool_free(&pool);
}

Test(arena, pool_keeps_no_more_blocks_than_its_limit)
{
	struct arena_pool pool = {0};
	struct arena arena = arena_new(&pool);
	for (int i = 0; i < ARENA_POOL_LIMIT + 50; i++)
		(void)arena_take(&arena, ARENA_BLOCK_SIZE);
	arena_free(&arena);
	cr_expect_eq(pool.count, ARENA_POOL_LIMIT);
	arena_pool_free(&pool);
	cr_expect_eq(pool.count, 0);
}
