/*
 * Vectors of recent texts, so that a text is embedded once however many ask for it: a hash table with
 * bounds, least recently used out first. Texts that differ only in how their characters are composed and in
 * their blanks and line ends are one. An entry also stands for a text that is being embedded now.
 * Loop thread; the compute thread fills the vector of an entry that is not ready.
 */
#ifndef SERVICE_VECTOR_CACHE_H
#define SERVICE_VECTOR_CACHE_H

#include <smartsupport/value.h>

struct metrics_part;
struct vector_cache;
struct embed_job;

struct vector_entry {
	struct vector_entry *chain;         /* the cache's */
	struct vector_entry *newer, *older; /* the cache's */
	uint64_t hash;                      /* the cache's */
	size_t references;                  /* those that use it now; it stays as long */
	bool listed;                        /* found by the next look-up */
	struct embed_job *waiting;          /* what makes the vector; NULL: it is there */
	struct ss_text text;                /* as text_tidy() makes it; its own */
	float *vector;                      /* [dimension] */
};

/* The bytes that a text may have on average. */
enum { VECTOR_TEXT = 1024 };

/* A cache of at most LIMIT vectors of DIMENSION floats, and of as much memory as LIMIT texts of VECTOR_TEXT bytes
 * take with theirs. METRICS (which may be NULL) is told what it has and what it drops. */
struct vector_cache *vector_cache_new(size_t limit, size_t dimension, struct metrics_part *metrics);
void vector_cache_free(struct vector_cache *cache);

/* The entry of TEXT, with one more reference. *IS_NEW tells whether it was made now and wants its
 * vector. */
struct vector_entry *vector_cache_get(
	struct vector_cache *cache, struct ss_text text, bool *is_new);

/* The entry of TEXT without another reference, or NULL; nothing is used by that. Valid until the cache changes. */
const struct vector_entry *vector_cache_peek(const struct vector_cache *cache, struct ss_text text);

/* Gives a reference back. */
void vector_cache_release(struct vector_cache *cache, struct vector_entry *entry);

/* Forgets ENTRY, whose vector could not be made: the next look-up makes another. */
void vector_cache_drop(struct vector_cache *cache, struct vector_entry *entry);

#endif
