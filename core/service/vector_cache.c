#include "service/vector_cache.h"

#include "base/memory.h"
#include "base/text.h"
#include "service/metrics.h"

#include <stdlib.h>
#include <string.h>

struct vector_cache {
	struct vector_entry **buckets;
	size_t bucket_count;
	size_t count;
	size_t limit;
	size_t bytes;
	size_t byte_limit;
	size_t dimension;
	struct metrics_part *metrics;
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

static size_t entry_size(const struct vector_cache *cache, size_t text_length)
{
	return sizeof(struct vector_entry) + cache->dimension * sizeof(float) + text_length;
}

struct vector_cache *vector_cache_new(size_t limit, size_t dimension, struct metrics_part *metrics)
{
	struct vector_cache *cache = memory_make(struct vector_cache);
	cache->limit = limit;
	cache->dimension = dimension;
	cache->byte_limit = limit * entry_size(cache, VECTOR_TEXT);
	cache->metrics = metrics;
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

static void note_size(struct vector_cache *cache, size_t count, size_t bytes)
{
	cache->count = count;
	cache->bytes = bytes;
	metrics_set(cache->metrics, METRIC_CACHE_ENTRIES, count);
	metrics_set(cache->metrics, METRIC_CACHE_BYTES, bytes);
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
	note_size(cache, cache->count - 1, cache->bytes - entry_size(cache, entry->text.length));
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
	note_size(cache, cache->count + 1, cache->bytes + entry_size(cache, entry->text.length));
}

static void evict(struct vector_cache *cache, struct vector_entry *entry)
{
	unlist(cache, entry);
	metrics_add(cache->metrics, METRIC_CACHE_EVICTIONS, 1);
}

static void make_room(struct vector_cache *cache, size_t text_length)
{
	size_t bytes = entry_size(cache, text_length);
	struct vector_entry *entry = cache->oldest;
	while (entry != NULL &&
		(cache->count >= cache->limit || cache->bytes + bytes > cache->byte_limit)) {
		struct vector_entry *newer = entry->newer;
		if (entry->references == 0) {
			evict(cache, entry);
			free_entry(entry);
		}
		entry = newer;
	}
}

static struct vector_entry *find(
	const struct vector_cache *cache, uint64_t hash, struct ss_text text)
{
	struct vector_entry *entry = cache->buckets[hash % cache->bucket_count];
	while (entry != NULL && !(entry->hash == hash && entry->text.length == text.length &&
					memcmp(entry->text.data, text.data, text.length) == 0))
		entry = entry->chain;
	return entry;
}

const struct vector_entry *vector_cache_peek(const struct vector_cache *cache, struct ss_text text)
{
	struct ss_text tidy;
	char *own = text_tidy(text, &tidy.length);
	tidy.data = own;
	const struct vector_entry *entry = find(cache, hash_text(tidy), tidy);
	free(own);
	return entry;
}

struct vector_entry *vector_cache_get(struct vector_cache *cache, struct ss_text text, bool *is_new)
{
	struct ss_text tidy;
	char *own = text_tidy(text, &tidy.length);
	tidy.data = own;
	uint64_t hash = hash_text(tidy);
	struct vector_entry *entry = find(cache, hash, tidy);
	*is_new = entry == NULL;
	if (entry != NULL) {
		free(own);
		unlist(cache, entry);
	} else {
		make_room(cache, tidy.length);
		entry = memory_make(struct vector_entry);
		entry->hash = hash;
		entry->text = tidy;
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
	if (entry->listed && (cache->count > cache->limit || cache->bytes > cache->byte_limit))
		evict(cache, entry);
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
