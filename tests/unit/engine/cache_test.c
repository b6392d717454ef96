/* The cache by itself: its bounds. What nodes make of it is in features_test.c. */
#include "base/memory.h"
#include "engine/turn.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const struct graph_cache settings = {.ttl_ns = INT64_C(3600000000000), .limit = 1000};

static struct ss_value *megabytes(size_t count)
{
	size_t size = count * 1024 * 1024;
	char *text = memory_new(size);
	memset(text, 'x', size);
	struct ss_value *value = value_string(text, size);
	free(text);
	return value;
}

Test(cache, forgets_what_was_used_longest_ago_when_it_takes_too_much_memory)
{
	struct cache *cache = cache_new(&settings);
	cache_put(cache, "a", megabytes(20));
	cache_put(cache, "b", megabytes(20));
	cache_put(cache, "c", megabytes(20));
	cr_expect_not_null(cache_get(cache, "a"));
	cache_put(cache, "d", megabytes(30));
	cr_expect_not_null(cache_get(cache, "a"));
	cr_expect_null(cache_get(cache, "b"));
	cr_expect_null(cache_get(cache, "c"));
	cr_expect_not_null(cache_get(cache, "d"));
	cache_put(cache, "d", megabytes(1));
	cache_put(cache, "e", megabytes(40));
	cr_expect_not_null(cache_get(cache, "a"), "what d took is free again");
	cache_free(cache);
}

Test(cache, does_not_keep_what_is_larger_than_all_of_it)
{
	struct cache *cache = cache_new(&settings);
	cache_put(cache, "a", megabytes(1));
	cache_put(cache, "b", megabytes(2));
	cache_put(cache, "b", megabytes(65));
	cr_expect_not_null(cache_get(cache, "a"));
	cr_expect_null(cache_get(cache, "b"));
	cache_free(cache);
}
