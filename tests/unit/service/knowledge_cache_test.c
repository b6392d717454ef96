/* The vectors of a knowledge base are kept from one start to the next. */
#include "fakes.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/memory.h"
#include "service/knowledge.h"
#include "support/scratch.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *folder;
static const char of_embedder[HASH_SIZE] =
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
static const char of_another[HASH_SIZE] =
	"1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
static struct log quiet = {.fd = -1, .level = SS_LOG_ERROR};
static char *cache_file;

static void begin_keeping(void)
{
	folder = scratch_new();
	cache_file = memory_format("%s/base.vectors", folder);
}

static void end_keeping(void)
{
	fakes_forget();
	scratch_remove(folder);
	free(cache_file);
}

TestSuite(knowledge_cache, .init = begin_keeping, .fini = end_keeping);

static int save(void *instance, void **bytes, size_t *length, struct ss_error *err)
{
	(void)instance;
	(void)err;
	*bytes = memory_string("graph");
	*length = 5;
	return 0;
}

static int load(void *instance, const void *bytes, size_t length, size_t count,
	size_t vector_dimension, struct ss_error *err)
{
	struct fakes *fake = instance;
	(void)count;
	(void)vector_dimension;
	fake->loads++;
	if (fake->load_fails)
		return ss_fail(err, "no such graph");
	cr_expect_eq(length, 5);
	cr_expect_eq(memcmp(bytes, "graph", 5), 0);
	return 0;
}

/* Builds a base of COUNT articles with the cache; what was embedded before is forgotten. Returns how many texts
 * were embedded. */
static size_t start(size_t count, const char *embedder_hash, const char *index_hash)
{
	struct ss_error err = {0};
	struct knowledge_options options = knowledge_defaults();
	const struct ss_index_operations saving_index = {.build = fakes_index.build,
		.search = fakes_index.search,
		.save = save,
		.load = load};
	const struct knowledge_cache cache = {cache_file, embedder_hash, index_hash, &quiet};
	struct ss_value *items[8];
	for (size_t i = 0; i < count; i++) {
		char id[24];
		char content[64];
		(void)snprintf(id, sizeof id, "a%zu", i);
		(void)snprintf(content, sizeof content, "This is text %zu.", i);
		items[i] = fakes_article(id, id, content, "");
	}
	options.cache = &cache;
	bool load_fails = fakes.load_fails;
	fakes_forget();
	fakes.load_fails = load_fails;
	const struct articles articles = {.items = items, .count = count};
	fakes.knowledge = knowledge_new(&articles, &fakes_embedder, &fakes,
		index_hash != NULL ? &saving_index : &fakes_index, &fakes, &options, &err);
	cr_assert_not_null(fakes.knowledge, "%s", err.text);
	for (size_t i = 0; i < count; i++)
		value_unref(items[i]);
	return fakes.texts;
}

Test(knowledge_cache, embeds_nothing_when_nothing_changed)
{
	cr_expect_eq(start(4, of_embedder, NULL), 12);
	cr_expect_eq(start(4, of_embedder, NULL), 0);
	cr_expect_str_eq(fakes_ask("a2", NULL, 1, 0), "a2 ");
}

Test(knowledge_cache, embeds_only_what_is_new)
{
	cr_expect_eq(start(4, of_embedder, NULL), 12);
	cr_expect_eq(start(6, of_embedder, NULL), 6);
	cr_expect_str_eq(fakes_ask("a5", NULL, 1, 0), "a5 ");
	cr_expect_eq(start(2, of_embedder, NULL), 0);
}

Test(knowledge_cache, embeds_everything_with_another_embedder)
{
	cr_expect_eq(start(4, of_embedder, NULL), 12);
	cr_expect_eq(start(4, of_another, NULL), 12);
	cr_expect_eq(start(4, of_another, NULL), 0);
}

Test(knowledge_cache, loads_the_index_only_when_it_fits)
{
	start(4, of_embedder, of_embedder);
	cr_expect_eq(fakes.loads, 0);
	start(4, of_embedder, of_embedder);
	cr_expect_eq(fakes.loads, 1);
	cr_expect_eq(fakes.builds, 0);
	cr_expect_eq(start(4, of_embedder, of_another), 0);
	cr_expect(fakes.loads == 0 && fakes.builds == 1, "other settings");
	start(5, of_embedder, of_another);
	cr_expect(fakes.loads == 0 && fakes.builds == 1, "other articles");
	fakes.load_fails = true;
	start(5, of_embedder, of_another);
	cr_expect(fakes.loads == 1 && fakes.builds == 1, "refused");
}

Test(knowledge_cache, is_made_anew_when_it_is_damaged)
{
	start(4, of_embedder, NULL);
	cr_assert_eq(truncate(cache_file, 300), 0);
	cr_expect_eq(start(4, of_embedder, NULL), 12);
	cr_expect_eq(start(4, of_embedder, NULL), 0);
}

Test(knowledge_cache, is_gone_without_where_it_cannot_be)
{
	free(cache_file);
	cache_file = memory_string("/proc/nowhere/base.vectors");
	cr_expect_eq(start(4, of_embedder, NULL), 12);
	cr_expect_str_eq(fakes_ask("a2", NULL, 1, 0), "a2 ");
}
