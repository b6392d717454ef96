#include "service/vector_cache.h"

#include "base/memory.h"
#include "base/text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Looks TEXT up, notes in its vector what it is for if it is new, and lets it go. True when it was new. */
static bool visit(struct vector_cache *cache, const char *text)
{
	bool is_new = false;
	struct vector_entry *entry = vector_cache_get(cache, text_of(text), &is_new);
	if (is_new)
		entry->vector[0] = (float)strlen(text);
	cr_expect_eq(entry->vector[0], (float)strlen(text));
	cr_expect_eq(entry->text.length, strlen(text));
	cr_expect_eq(memcmp(entry->text.data, text, entry->text.length), 0);
	vector_cache_release(cache, entry);
	return is_new;
}

Test(vector_cache, finds_a_text_by_all_its_bytes)
{
	bool is_new = false;
	struct vector_cache *cache = vector_cache_new(10, 2, NULL);
	cr_expect(visit(cache, "one"));
	cr_expect_not(visit(cache, "one"));
	cr_expect(visit(cache, "One"));
	cr_expect(visit(cache, ""));
	cr_expect_not(visit(cache, ""));
	struct vector_entry *entry =
		vector_cache_get(cache, (struct ss_text){"one\0x", 5}, &is_new);
	cr_expect(is_new);
	vector_cache_release(cache, entry);
	vector_cache_free(cache);
}

Test(vector_cache, forgets_what_was_used_longest_ago)
{
	struct vector_cache *cache = vector_cache_new(3, 1, NULL);
	visit(cache, "a");
	visit(cache, "bb");
	visit(cache, "ccc");
	cr_expect_not(visit(cache, "a")); /* now bb is the oldest */
	cr_expect(visit(cache, "dddd"));
	cr_expect_not(visit(cache, "a"));
	cr_expect_not(visit(cache, "ccc"));
	cr_expect_not(visit(cache, "dddd"));
	cr_expect(visit(cache, "bb"));
	cr_expect(visit(cache, "a")); /* made room for bb */
	vector_cache_free(cache);
}

Test(vector_cache, shows_an_entry_without_using_it)
{
	struct vector_cache *cache = vector_cache_new(2, 1, NULL);
	cr_expect_null(vector_cache_peek(cache, text_of("a")));
	visit(cache, "a");
	visit(cache, "bb");
	const struct vector_entry *entry = vector_cache_peek(cache, text_of(" a\n"));
	cr_assert_not_null(entry);
	cr_expect_eq(entry->vector[0], 1);
	cr_expect_eq(entry->references, 0);
	cr_expect(visit(cache, "ccc")); /* a is still the oldest */
	cr_expect_null(vector_cache_peek(cache, text_of("a")));
	cr_expect_not_null(vector_cache_peek(cache, text_of("bb")));
	vector_cache_free(cache);
}

Test(vector_cache, keeps_as_many_as_its_limit)
{
	enum { LIMIT = 50, TEXTS = 1000 };
	char text[16];
	size_t kept = 0;
	struct vector_cache *cache = vector_cache_new(LIMIT, 1, NULL);
	for (int i = 0; i < TEXTS; i++) {
		(void)snprintf(text, sizeof text, "text %d", i);
		cr_assert(visit(cache, text));
	}
	for (int i = TEXTS - 1; i >= TEXTS - LIMIT; i--) {
		(void)snprintf(text, sizeof text, "text %d", i);
		kept += !visit(cache, text);
	}
	cr_expect_eq(kept, LIMIT);
	cr_expect(visit(cache, "text 0"));
	vector_cache_free(cache);
}

Test(vector_cache, keeps_what_is_in_use_beyond_its_limit)
{
	bool is_new[4];
	struct vector_entry *entries[4];
	static const char *const texts[] = {"a", "bb", "ccc", "dddd"};
	struct vector_cache *cache = vector_cache_new(2, 1, NULL);
	for (size_t i = 0; i < 4; i++) {
		entries[i] = vector_cache_get(cache, text_of(texts[i]), &is_new[i]);
		entries[i]->vector[0] = (float)strlen(texts[i]);
		cr_expect(is_new[i]);
	}
	/* All four are pinned, so all four are found. */
	for (size_t i = 0; i < 4; i++)
		cr_expect_not(visit(cache, texts[i]));
	for (size_t i = 0; i < 4; i++)
		vector_cache_release(cache, entries[i]);
	/* Only two have stayed. */
	size_t found = 0;
	for (size_t i = 0; i < 4; i++) {
		bool made = false;
		entries[i] = vector_cache_get(cache, text_of(texts[i]), &made);
		found += !made;
	}
	for (size_t i = 0; i < 4; i++)
		vector_cache_release(cache, entries[i]);
	cr_expect_leq(found, 2);
	vector_cache_free(cache);
}

Test(vector_cache, counts_references_to_one_entry)
{
	bool is_new = false;
	struct vector_cache *cache = vector_cache_new(1, 1, NULL);
	struct vector_entry *first = vector_cache_get(cache, text_of("x"), &is_new);
	struct vector_entry *second = vector_cache_get(cache, text_of("x"), &is_new);
	cr_expect_not(is_new);
	cr_expect_eq(first, second);
	first->vector[0] = 1;
	vector_cache_release(cache, first);
	visit(cache, "something else");
	cr_expect_eq(second->vector[0], 1);
	vector_cache_release(cache, second);
	vector_cache_free(cache);
}

Test(vector_cache, makes_another_entry_for_what_was_dropped)
{
	bool is_new = false;
	struct vector_cache *cache = vector_cache_new(4, 1, NULL);
	struct vector_entry *failed = vector_cache_get(cache, text_of("x"), &is_new);
	vector_cache_drop(cache, failed);
	struct vector_entry *again = vector_cache_get(cache, text_of("x"), &is_new);
	cr_expect(is_new);
	cr_expect_neq(failed, again);
	cr_expect_eq(failed->text.length, 1); /* it lives as long as it is used */
	vector_cache_drop(cache, failed);     /* dropping it twice does nothing */
	vector_cache_release(cache, failed);
	vector_cache_release(cache, again);
	vector_cache_free(cache);
}

Test(vector_cache, may_keep_nothing)
{
	struct vector_cache *cache = vector_cache_new(0, 1, NULL);
	cr_expect(visit(cache, "x"));
	cr_expect(visit(cache, "x"));
	vector_cache_free(cache);
	vector_cache_free(NULL);
}

Test(vector_cache, takes_texts_that_differ_in_blanks_alone_for_one)
{
	bool is_new = false;
	struct vector_cache *cache = vector_cache_new(4, 1, NULL);
	struct vector_entry *first =
		vector_cache_get(cache, text_of(" caf\xc3\xa9\r\nau  lait"), &is_new);
	cr_expect(is_new);
	struct vector_entry *again =
		vector_cache_get(cache, text_of("cafe\xcc\x81 au lait\n"), &is_new);
	cr_expect_not(is_new);
	cr_expect_eq(first, again);
	cr_expect_str_eq(first->text.data, "caf\xc3\xa9 au lait");
	struct vector_entry *other =
		vector_cache_get(cache, text_of("Caf\xc3\xa9 au lait"), &is_new);
	cr_expect(is_new, "a model may read capitals in another way");
	vector_cache_release(cache, first);
	vector_cache_release(cache, again);
	vector_cache_release(cache, other);
	vector_cache_free(cache);
}

/* Whether CACHE had the text of LENGTH bytes that is all C; it has now. */
static bool knows(struct vector_cache *cache, char c, size_t length)
{
	bool is_new = false;
	char *text = memory_new(length + 1);
	memset(text, c, length);
	struct vector_entry *entry = vector_cache_get(cache, text_of(text), &is_new);
	vector_cache_release(cache, entry);
	free(text);
	return !is_new;
}

Test(vector_cache, keeps_fewer_texts_when_they_are_long)
{
	enum { LIMIT = 10, LONG = 4 * VECTOR_TEXT };
	size_t known = 0;
	struct vector_cache *cache = vector_cache_new(LIMIT, 1, NULL);
	for (char c = 'a'; c < 'a' + LIMIT; c++)
		cr_expect_not(knows(cache, c, LONG));
	for (char c = 'a' + LIMIT - 1; c >= 'a'; c--)
		known += knows(cache, c, LONG);
	cr_expect_geq(known, 2);
	cr_expect_leq(known, LIMIT / 3);
	/* What is longer than all of the memory is not kept. */
	cr_expect_not(knows(cache, 'x', LIMIT * LONG));
	cr_expect_not(knows(cache, 'x', LIMIT * LONG));
	vector_cache_free(cache);
}
