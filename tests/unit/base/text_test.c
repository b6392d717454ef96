#include "base/text.h"

#include "base/memory.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static ptrdiff_t characters(const char *text)
{
	return text_characters(text_of(text));
}

static bool blank(const char *text)
{
	return text_blank(text_of(text));
}

Test(text, counts_characters_and_not_bytes)
{
	cr_expect_eq(characters(""), 0);
	cr_expect_eq(characters("hello"), 5);
	cr_expect_eq(characters("h\xc3\xa9llo"), 5);
	cr_expect_eq(characters("e\xcc\x81"), 2); /* a letter and its accent */
	cr_expect_eq(characters("\xf0\x9f\x98\x80\xe6\x97\xa5"), 2);
	cr_expect_eq(text_characters((struct ss_text){"a\0b", 3}), 3);
	cr_expect_eq(text_characters((struct ss_text){NULL, 0}), 0);
}

Test(text, knows_utf_8_that_is_not_valid)
{
	static const char *const bad[] = {
		"\x80",             /* a continuation with no start */
		"abc\xff",          /* a byte that no character has */
		"\xc3",             /* cut short */
		"\xe6\x97",         /* cut short */
		"\xf0\x9f\x98",     /* cut short */
		"\xc3\x61",         /* no continuation */
		"\xc0\x80",         /* NUL in two bytes */
		"\xe0\x80\xaf",     /* a slash in three bytes */
		"\xf0\x80\x80\xaf", /* a slash in four bytes */
		"\xed\xa0\x80",     /* half of a UTF-16 pair */
		"\xf4\x90\x80\x80", /* above U+10FFFF */
		"\xf8\x88\x80\x80\x80",
	};
	for (size_t i = 0; i < array_length(bad); i++)
		cr_expect_eq(characters(bad[i]), -1, "number %zu", i);
	cr_expect_eq(text_characters((struct ss_text){"\xc3\xa9", 1}), -1);
}

Test(text, is_blank_when_there_is_nothing_to_see)
{
	static const char *const nothing[] = {
		"", " ", " \t\r\n\v\f", "\xc2\xa0",     /* no-break space */
		"\xe2\x80\x8b",                         /* zero width space */
		"\xe2\x80\x8d\xe2\x80\x8c",             /* zero width joiner and non-joiner */
		"\xef\xbb\xbf",                         /* byte order mark */
		"\xe3\x80\x80",                         /* ideographic space */
		"\xe2\x81\xa0\xc2\xad",                 /* word joiner, soft hyphen */
		"\xe2\x80\xae \xe2\x81\xa6",            /* direction marks */
		"\xe3\x85\xa4\xef\xbe\xa0\xe1\x85\x9f", /* Hangul fillers */
		"\xef\xb8\x8f",                         /* variation selector */
		"\xf3\xa0\x81\xa1",                     /* tag letter */
		"\xe2\xa0\x80",                         /* Braille pattern with no dot */
	};
	for (size_t i = 0; i < array_length(nothing); i++)
		cr_expect(blank(nothing[i]), "number %zu", i);
	cr_expect(text_blank((struct ss_text){"\0\0", 2}));
}

Test(text, is_not_blank_when_there_is_anything_to_see)
{
	static const char *const something[] = {
		"a", " . ", "\xe2\x80\x8b?", "?\xe2\x80\x8b", "\xc3\xa9",
		"\xf0\x9f\x98\x80", /* an emoji */
		"\xf0\x9f\xab\xa9", /* an emoji of Unicode 16, which is newer than the tables */
		"\xe2\x9d\xa4\xef\xb8\x8f", /* a heart with a variation selector */
		"\xee\x80\x80",             /* private use */
	};
	for (size_t i = 0; i < array_length(something); i++)
		cr_expect_not(blank(something[i]), "number %zu", i);
}

Test(text, distance_counts_edits)
{
	static const struct {
		const char *a, *b;
		size_t distance;
	} pairs[] = {{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"same", "same", 0},
		{"kitten", "sitting", 3}, {"prot", "port", 1}, {"ca", "abc", 3}, {"a", "b", 1},
		{"timeout", "timout", 1}, {"hots", "host", 1}, {"ab", "ba", 1}};
	for (size_t i = 0; i < array_length(pairs); i++) {
		cr_expect_eq(text_distance(pairs[i].a, pairs[i].b), pairs[i].distance, "%s %s",
			pairs[i].a, pairs[i].b);
		cr_expect_eq(text_distance(pairs[i].b, pairs[i].a), pairs[i].distance, "%s %s",
			pairs[i].b, pairs[i].a);
	}
}

Test(text, distance_of_long_words_is_far)
{
	char limit[65];
	char longer[66];
	memset(limit, 'x', sizeof limit);
	memset(longer, 'x', sizeof longer);
	limit[64] = '\0';
	longer[65] = '\0';
	cr_expect_eq(text_distance(limit, limit), 0);
	cr_expect_eq(text_distance(longer, limit), 65);
	cr_expect_eq(text_distance("x", longer), 65);
}

Test(text, fits_without_cutting_a_character)
{
	cr_expect_eq(text_fit("abc", 10), 3);
	cr_expect_eq(text_fit("abc", 3), 3);
	cr_expect_eq(text_fit("abc", 2), 2);
	cr_expect_eq(text_fit("a\xc3\xa9", 2), 1);
	cr_expect_eq(text_fit("a\xf0\x9f\x98\x80z", 4), 1);
	cr_expect_eq(text_fit("a\xf0\x9f\x98\x80z", 5), 5);
	cr_expect_eq(text_fit("", 0), 0);
}

static void expect_tidy(struct ss_text text, const char *expected)
{
	size_t length = 0;
	char *tidy = text_tidy(text, &length);
	cr_expect_str_eq(tidy, expected);
	cr_expect_eq(length, strlen(expected));
	free(tidy);
}

Test(text, is_tidied_without_a_change_of_its_words)
{
	expect_tidy(text_of(""), "");
	expect_tidy((struct ss_text){NULL, 0}, "");
	expect_tidy(text_of(" \t\r\n "), "");
	expect_tidy(text_of("My  App\r\n\tcrashes! "), "My App crashes!");
	expect_tidy(text_of("e\xcc\x81t\xc3\xa9"), "\xc3\xa9t\xc3\xa9");
	expect_tidy(text_of("a\xc2\xa0\xe3\x80\x80z"), "a z");  /* no-break and ideographic */
	expect_tidy(text_of("\xef\xac\x81x"), "\xef\xac\x81x"); /* a ligature stays */
	expect_tidy(text_of("\xff  e\xcc\x81 \xc3"), "\xff e\xcc\x81 \xc3"); /* no UTF-8 */
	expect_tidy((struct ss_text){"ab  cd", 3}, "ab");
}

Test(text, is_tidied_with_its_nuls)
{
	size_t length = 0;
	char *tidy = text_tidy((struct ss_text){"a\0  b", 5}, &length);
	cr_expect_eq(length, 4);
	cr_expect_eq(memcmp(tidy, "a\0 b", 5), 0);
	free(tidy);
}

static bool folds_alike(const char *a, const char *b)
{
	size_t lengths[2];
	char *folded[2] = {text_fold(text_of(a), &lengths[0]), text_fold(text_of(b), &lengths[1])};
	bool alike = lengths[0] == lengths[1] && strcmp(folded[0], folded[1]) == 0;
	free(folded[0]);
	free(folded[1]);
	return alike;
}

Test(text, folds_alike_what_says_the_same)
{
	cr_expect(folds_alike("Do you ship to Norway?", "  do you SHIP, to norway"));
	cr_expect(folds_alike("Stra\xc3\x9f\x65", "STRASSE"));
	cr_expect(
		folds_alike("\xef\xac\x81le\xe2\x80\xa6", "File...")); /* a ligature, an ellipsis */
	cr_expect(folds_alike("?!", ""));
	cr_expect_not(folds_alike("Do you ship to Norway?", "Do you ship to Sweden?"));
	cr_expect_not(folds_alike("tax on 5", "tax on 50"));
	cr_expect_not(folds_alike("C", "C++"));
	cr_expect_not(folds_alike("re sign", "resign"));
	cr_expect(folds_alike("\xff", "\xff"));
}
