/* What nodes have written, kept for the next time that they would see the same: a hash table with bounds on its
 * entries and their memory, least recently used out first. */
#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "engine/turn.h"
#include "value/json.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

enum { CACHE_CHAINS = 1024 };

struct entry {
	struct entry *chain;
	struct entry *newer, *older;
	uint64_t hash;
	char *key;
	struct ss_value *value;
	size_t size;
	int64_t expires_ns;
};

struct cache {
	const struct graph_cache *options;
	struct entry *chains[CACHE_CHAINS];
	struct entry *newest, *oldest;
	int64_t count;
	size_t size; /* of the keys and values */
};

struct cache *cache_new(const struct graph_cache *options)
{
	struct cache *cache = memory_make(struct cache);
	cache->options = options;
	return cache;
}

/* FNV-1a (Fowler, Noll, Vo), 64 bits. */
static uint64_t hash_of(const char *key)
{
	uint64_t hash = UINT64_C(14695981039346656037);
	for (; *key != '\0'; key++)
		hash = (hash ^ (unsigned char)*key) * UINT64_C(1099511628211);
	return hash;
}

char *cache_key(const struct graph_cache *options, const struct view *view)
{
	struct buffer key = {0};
	for (size_t i = 0; i < options->slot_count; i++) {
		char *text = json_text(view->values[options->slots[i]]);
		buffer_add_string(&key, text);
		buffer_add_string(&key, "\n"); /* which no JSON text has */
		free(text);
	}
	return buffer_take(&key);
}

static void unlink_age(struct cache *cache, struct entry *entry)
{
	if (entry->newer != NULL)
		entry->newer->older = entry->older;
	else
		cache->newest = entry->older;
	if (entry->older != NULL)
		entry->older->newer = entry->newer;
	else
		cache->oldest = entry->newer;
}

static void link_age(struct cache *cache, struct entry *entry)
{
	entry->newer = NULL;
	entry->older = cache->newest;
	if (cache->newest != NULL)
		cache->newest->newer = entry;
	else
		cache->oldest = entry;
	cache->newest = entry;
}

static void drop(struct cache *cache, struct entry *entry)
{
	struct entry **at = &cache->chains[entry->hash % CACHE_CHAINS];
	while (*at != entry)
		at = &(*at)->chain;
	*at = entry->chain;
	unlink_age(cache, entry);
	cache->count--;
	cache->size -= entry->size;
	value_unref(entry->value);
	free(entry->key);
	free(entry);
}

static struct entry *find(struct cache *cache, const char *key, uint64_t hash)
{
	struct entry *entry = cache->chains[hash % CACHE_CHAINS];
	while (entry != NULL && (entry->hash != hash || strcmp(entry->key, key) != 0))
		entry = entry->chain;
	return entry;
}

const struct ss_value *cache_get(struct cache *cache, const char *key)
{
	struct entry *entry = find(cache, key, hash_of(key));
	if (entry != NULL && entry->expires_ns <= clock_monotonic_ns()) {
		drop(cache, entry);
		entry = NULL;
	}
	if (entry == NULL)
		return NULL;
	unlink_age(cache, entry);
	link_age(cache, entry);
	return entry->value;
}

void cache_put(struct cache *cache, const char *key, struct ss_value *value)
{
	uint64_t hash = hash_of(key);
	size_t size = strlen(key) + value_size(value);
	struct entry *entry = find(cache, key, hash);
	if (entry != NULL)
		drop(cache, entry);
	if (size > CACHE_SIZE_LIMIT) {
		value_unref(value);
		return;
	}
	while (cache->count >= cache->options->limit || cache->size + size > CACHE_SIZE_LIMIT)
		drop(cache, cache->oldest);
	entry = memory_make(struct entry);
	entry->hash = hash;
	entry->key = memory_string(key);
	entry->value = value;
	entry->size = size;
	entry->expires_ns = clock_monotonic_ns() + cache->options->ttl_ns;
	entry->chain = cache->chains[hash % CACHE_CHAINS];
	cache->chains[hash % CACHE_CHAINS] = entry;
	link_age(cache, entry);
	cache->count++;
	cache->size += size;
}

void cache_free(struct cache *cache)
{
	while (cache != NULL && cache->oldest != NULL)
		drop(cache, cache->oldest);
	free(cache);
}
