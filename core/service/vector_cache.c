#include "service/vector_cache.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

struct vector_cache {
	struct vector_entry **buckets;
	size_t bucket_count;
	size_t count;
	size_t limit;
	size_t dimension;
	struct vector_entry *newest, *oldest;
};

/* FNV-1a, 64 bits. */
static uint64_t hash_text(struct ss_text text)
{
	uint64_t hash = 0xcbf29ce484222325u;
	for (size_t i = 0; i < text.length; i++)
		hash = (hash ^ (unsigned char)text.data[i]) * 0x100000001b3u;
	return hash;
}

struct vector_cache *vector_cache_new(size_t limit, size_t dimension)
{
	struct vector_cache *cache = memory_make(struct vector_cache);
	cache->limit = limit;
	cache->dimension = dimension;
	cache->bucket_count = limit * 2 + 1;
	cache->buckets = memory_array(cache->bucket_count, sizeof(struct vector_entry *));
	return cache;
}

static void free_entry(struct vector_entry *entry)
{
	free((char *)(uintptr_t)entry->text.data);
	free(entry->vector);
	free(entry);
}

static void unlist(struct vector_cache *cache, struct vector_entry *entry)
{
	struct vector_entry **at = &cache->buckets[entry->hash % cache->bucket_count];
	while (*at != entry)
		at = &(*at)->chain;
	*at = entry->chain;
	*(entry->newer != NULL ? &entry->newer->older : &cache->newest) = entry->older;
	*(entry->older != NULL ? &entry->older->newer : &cache->oldest) = entry->newer;
	entry->listed = false;
	cache->count--;
}

static void list(struct vector_cache *cache, struct vector_entry *entry)
{
	struct vector_entry **bucket = &cache->buckets[entry->hash % cache->bucket_count];
	entry->chain = *bucket;
	*bucket = entry;
	entry->newer = NULL;
	entry->older = cache->newest;
	*(cache->newest != NULL ? &cache->newest->newer : &cache->oldest) = entry;
	cache->newest = entry;
	entry->listed = true;
	cache->count++;
}

static void make_room(struct vector_cache *cache)
{
	struct vector_entry *entry = cache->oldest;
	while (entry != NULL && cache->count >= cache->limit) {
		struct vector_entry *newer = entry->newer;
		if (entry->references == 0) {
			unlist(cache, entry);
			free_entry(entry);
		}
		entry = newer;
	}
}

struct vector_entry *vector_cache_get(struct vector_cache *cache, struct ss_text text, bool *is_new)
{
	uint64_t hash = hash_text(text);
	struct vector_entry *entry = cache->buckets[hash % cache->bucket_count];
	while (entry != NULL && !(entry->hash == hash && entry->text.length == text.length &&
					memcmp(entry->text.data, text.data, text.length) == 0))
		entry = entry->chain;
	*is_new = entry == NULL;
	if (entry != NULL) {
		unlist(cache, entry);
	} else {
		make_room(cache);
		entry = memory_make(struct vector_entry);
		entry->hash = hash;
		entry->text.data = memory_text(text.data, text.length);
		entry->text.length = text.length;
		entry->vector = memory_array(cache->dimension, sizeof(float));
	}
	list(cache, entry);
	entry->references++;
	return entry;
}

void vector_cache_release(struct vector_cache *cache, struct vector_entry *entry)
{
	entry->references--;
	if (entry->references > 0)
		return;
	if (entry->listed && cache->count > cache->limit)
		unlist(cache, entry);
	if (!entry->listed)
		free_entry(entry);
}

void vector_cache_drop(struct vector_cache *cache, struct vector_entry *entry)
{
	if (entry->listed)
		unlist(cache, entry);
}

void vector_cache_free(struct vector_cache *cache)
{
	if (cache == NULL)
		return;
	for (struct vector_entry *entry = cache->newest; entry != NULL;) {
		struct vector_entry *older = entry->older;
		free_entry(entry);
		entry = older;
	}
	free(cache->buckets);
	free(cache);
}
