#include "base/log.h"
#include "base/memory.h"
#include "service/knowledge_parts.h"
#include "service/vector_file.h"

#include <stdlib.h>
#include <string.h>

enum {
	EMBED_BATCH = 16, /* texts */
	HASH_LENGTH = HASH_SIZE - 1,
};

/* The vectors of a base while they are got together. */
struct filling {
	struct knowledge *knowledge;
	const struct knowledge_cache *cache; /* NULL: there is none */
	struct vector_file_key key;
	const struct knowledge_texts *texts;
	char *hashes;            /* [count][HASH_LENGTH], of the texts; NULL without a cache */
	struct vector_file kept; /* what the cache has */
	bool unchanged;          /* the cache has these texts in this order */
	size_t embedded;
};

static char *make_hashes(const struct knowledge_texts *texts)
{
	char *hashes = memory_new(texts->count * HASH_LENGTH + 1);
	for (size_t i = 0; i < texts->count; i++) {
		char hash[HASH_SIZE];
		hash_sha256(texts->items[i], strlen(texts->items[i]), hash);
		memcpy(hashes + i * HASH_LENGTH, hash, HASH_LENGTH);
	}
	return hashes;
}

static void read_kept(struct filling *filling)
{
	struct ss_error err = {0};
	const struct knowledge_cache *cache = filling->cache;
	if (vector_file_read(cache->file, &filling->key, &filling->kept, &err) < 0) {
		if (err.status != SS_NOT_FOUND && err.status != SS_CONFLICT)
			log_warning(cache->log, "%s; the vectors are made anew", err.text);
		return;
	}
	filling->unchanged = filling->kept.count == filling->texts->count &&
			     memcmp(filling->kept.hashes, filling->hashes,
				     filling->kept.count * HASH_LENGTH) == 0;
}

static int compare_hashes(const void *a, const void *b)
{
	return memcmp(*(const char *const *)a, *(const char *const *)b, HASH_LENGTH);
}

/* The kept hashes in their order; the caller frees them. */
static const char **sort_kept(const struct vector_file *kept)
{
	const char **sorted = memory_array(kept->count, sizeof *sorted);
	for (size_t i = 0; i < kept->count; i++)
		sorted[i] = kept->hashes + i * HASH_LENGTH;
	if (kept->count > 1)
		qsort(sorted, kept->count, sizeof *sorted, compare_hashes);
	return sorted;
}

static int embed_rows(
	struct filling *filling, const size_t *rows, size_t count, struct ss_error *err)
{
	struct ss_text texts[EMBED_BATCH];
	struct knowledge *knowledge = filling->knowledge;
	size_t dimension = knowledge->dimension;
	float *vectors = memory_array(EMBED_BATCH * dimension, sizeof *vectors);
	int result = 0;
	for (size_t done = 0; done < count && result == 0; done += EMBED_BATCH) {
		size_t batch = count - done < EMBED_BATCH ? count - done : EMBED_BATCH;
		for (size_t i = 0; i < batch; i++) {
			const char *text = filling->texts->items[rows[done + i]];
			texts[i] = (struct ss_text){text, strlen(text)};
		}
		result = knowledge->embedder->embed(
			knowledge->embedder_instance, texts, batch, vectors, err);
		for (size_t i = 0; i < batch && result == 0; i++)
			memcpy(knowledge->vectors + rows[done + i] * dimension,
				vectors + i * dimension, dimension * sizeof *vectors);
	}
	free(vectors);
	filling->embedded = count;
	return result;
}

/* Takes the vectors that are kept and embeds the other texts. */
static int fill(struct filling *filling, struct ss_error *err)
{
	const struct vector_file *kept = &filling->kept;
	size_t dimension = filling->knowledge->dimension;
	const char **sorted = sort_kept(kept);
	size_t *missing = memory_array(filling->texts->count, sizeof *missing);
	size_t missing_count = 0;
	for (size_t i = 0; i < filling->texts->count; i++) {
		const char *hash = filling->hashes != NULL ? filling->hashes + i * HASH_LENGTH : "";
		const char **found = kept->count == 0 ? NULL
						      : bsearch(&hash, sorted, kept->count,
								sizeof *sorted, compare_hashes);
		if (found == NULL) {
			missing[missing_count++] = i;
			continue;
		}
		size_t row = (size_t)(*found - kept->hashes) / HASH_LENGTH;
		memcpy(filling->knowledge->vectors + i * dimension, kept->vectors + row * dimension,
			dimension * sizeof(float));
	}
	int result = embed_rows(filling, missing, missing_count, err);
	free(sorted);
	free(missing);
	return result;
}

static bool load_index(struct filling *filling)
{
	struct ss_error err = {0};
	const struct knowledge *knowledge = filling->knowledge;
	if (!filling->unchanged || filling->kept.index_length == 0)
		return false;
	if (knowledge->index->load(knowledge->index_instance, filling->kept.index,
		    filling->kept.index_length, knowledge->index_count, knowledge->dimension,
		    &err) == 0)
		return true;
	log_warning(filling->cache->log, "%s: its index is refused: %s; it is made anew",
		filling->cache->file, err.text);
	return false;
}

/* Writes the cache when it has not all of this. What cannot be written is made at the next start again. */
static void keep(struct filling *filling)
{
	struct ss_error err = {0};
	const struct knowledge *knowledge = filling->knowledge;
	void *saved = NULL;
	struct vector_file file = {
		.count = filling->texts->count,
		.hashes = filling->hashes,
		.vectors = knowledge->vectors,
	};
	if (filling->key.index != NULL && knowledge->index->save(knowledge->index_instance, &saved,
						  &file.index_length, &err) < 0)
		log_warning(filling->cache->log, "the index cannot be kept: %s", err.text);
	file.index = saved;
	bool nothing_new = filling->unchanged && file.index_length == 0;
	if (!nothing_new && vector_file_write(filling->cache->file, &filling->key, &file, &err) < 0)
		log_warning(filling->cache->log, "the vectors cannot be kept: %s", err.text);
	free(saved);
}

static int fill_and_index(struct filling *filling, struct ss_error *err)
{
	struct knowledge *knowledge = filling->knowledge;
	if (filling->cache != NULL)
		read_kept(filling);
	if (fill(filling, err) < 0)
		return -1;
	bool loaded = load_index(filling);
	if (!loaded && knowledge->index->build(knowledge->index_instance, knowledge->vectors,
			       knowledge->index_count, knowledge->dimension, err) < 0)
		return -1;
	if (filling->cache == NULL)
		return 0;
	log_info(filling->cache->log,
		"the knowledge base has %zu articles and %zu vectors; %zu texts were embedded, the "
		"index was %s",
		knowledge->count, knowledge->index_count, filling->embedded,
		loaded ? "loaded" : "built");
	if (!loaded)
		keep(filling);
	return 0;
}

int knowledge_fill(
	struct knowledge *knowledge, const struct knowledge_texts *texts, struct ss_error *err)
{
	const struct knowledge_cache *cache = knowledge->options.cache;
	struct ss_error failure = {0};
	struct filling filling = {.knowledge = knowledge, .cache = cache, .texts = texts};
	int lock = -1;
	if (cache != NULL) {
		filling.key = (struct vector_file_key){
			.embedder = cache->embedder,
			.index = cache->index,
			.dimension = knowledge->dimension,
		};
		filling.hashes = make_hashes(texts);
		lock = vector_file_lock(cache->file, &failure);
		if (lock < 0)
			log_warning(cache->log, "the vectors are not kept: %s", failure.text);
		filling.cache = lock < 0 ? NULL : cache;
	}
	knowledge->vectors = memory_array(texts->count * knowledge->dimension, sizeof(float));
	int result = fill_and_index(&filling, err);
	vector_file_unlock(lock);
	vector_file_free(&filling.kept);
	free(filling.hashes);
	knowledge->options.cache = NULL; /* borrowed until here */
	return result;
}
