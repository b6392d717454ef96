#include "embedder/minilm/tokenizer.h"

#include "embedder/minilm/words.h"
#include "fixtures.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { IDS = 512 };

/* A tokenizer whose pieces are few: ids are their places in this list. */
#define PIECES                                                                                     \
	"{\"[UNK]\":0,\"[CLS]\":1,\"[SEP]\":2,\"a\":3,\"##b\":4,\"##bc\":5,\"ab\":6,\"[\":7,\"]"   \
	"\":8,"                                                                                    \
	"\"sep\":9,\"\xc3\xa9\":10,\"\xe4\xb8\xad\":11,\"A\":12,\"##\xc3\xa9\":13,\"e\":14,\"##"   \
	"e\":15,"                                                                                  \
	"\"i\xcc\x87\":16,\"i\":17,\"mask\":18,\"[MASK]\":19}"

static struct tokenizer *make(const char *normalizer, const char *model)
{
	char json[2000];
	struct ss_error err = {0};
	(void)snprintf(json, sizeof json,
		"{\"normalizer\":{\"type\":\"BertNormalizer\"%s},"
		"\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},"
		"\"model\":{\"type\":\"WordPiece\",\"vocab\":" PIECES "%s}}",
		normalizer, model);
	struct tokenizer *tokenizer =
		tokenizer_read(json, strlen(json), "tokenizer.json", &value_functions, &err);
	cr_assert_not_null(tokenizer, "%s", err.text);
	return tokenizer;
}

/* Expects the ids between [CLS] and [SEP], written with blanks between them. */
static void expect_ids(
	const struct tokenizer *tokenizer, const char *text, size_t length, const char *expected)
{
	char got[2000] = "";
	int32_t ids[IDS];
	size_t count = tokenizer_encode(tokenizer, (struct ss_text){text, length}, ids, IDS);
	cr_assert_geq(count, 2);
	cr_expect_eq(ids[0], 1);
	cr_expect_eq(ids[count - 1], 2);
	for (size_t i = 1; i + 1 < count; i++) {
		size_t used = strlen(got);
		(void)snprintf(got + used, sizeof got - used, i == 1 ? "%d" : " %d", (int)ids[i]);
	}
	cr_expect_str_eq(got, expected, "%s: %s, expected %s", text, got, expected);
}

static void expect(const struct tokenizer *tokenizer, const char *text, const char *expected)
{
	expect_ids(tokenizer, text, strlen(text), expected);
}

static void refused(const char *json, const char *why)
{
	struct ss_error err = {0};
	cr_expect_null(
		tokenizer_read(json, strlen(json), "tokenizer.json", &value_functions, &err));
	cr_expect_not_null(strstr(err.text, "tokenizer.json: "), "%s", err.text);
	cr_expect_not_null(strstr(err.text, why), "%s", err.text);
}

Test(tokenizer, gives_the_ids_of_the_golden_file)
{
	int32_t ids[IDS];
	struct ss_error err = {0};
	need_file(TOKENIZER_FILE);
	need_file(GOLDEN_FILE);
	struct tokenizer *tokenizer = tokenizer_open(TOKENIZER_FILE, &value_functions, &err);
	cr_assert_not_null(tokenizer, "%s", err.text);
	struct ss_value *golden = read_json(GOLDEN_FILE);
	const struct ss_value *cases = value_get(golden, "cases");
	cr_assert_geq(value_count(cases), 40);
	for (size_t i = 0; i < value_count(cases); i++) {
		struct ss_text text = value_as_text(value_get(value_at(cases, i), "text"));
		const struct ss_value *expected = value_get(value_at(cases, i), "ids");
		size_t count = tokenizer_encode(tokenizer, text, ids, 256);
		cr_expect_eq(count, value_count(expected), "case %zu", i);
		for (size_t k = 0; k < count; k++)
			cr_expect_eq(ids[k], value_as_int(value_at(expected, k)),
				"case %zu, id %zu", i, k);
	}
	value_unref(golden);
	tokenizer_free(tokenizer);
}

Test(tokenizer, takes_the_longest_piece_first)
{
	struct tokenizer *tokenizer = make("", "");
	expect(tokenizer, "a ab abc abbc abbcb", "3 6 0 6 5 6 5 4");
	expect(tokenizer, "", "");
	expect(tokenizer, " \t\n ", "");
	tokenizer_free(tokenizer);
}

Test(tokenizer, makes_a_word_unknown_as_a_whole)
{
	struct tokenizer *tokenizer = make("", "");
	expect(tokenizer, "abx xab a", "0 0 3");
	tokenizer_free(tokenizer);
}

Test(tokenizer, keeps_text_that_looks_like_a_special_token_plain)
{
	struct tokenizer *tokenizer = make("", "");
	expect(tokenizer, "[SEP]", "7 9 8");
	expect(tokenizer, "a[SEP]a [MASK]", "3 7 9 8 3 7 18 8");
	tokenizer_free(tokenizer);
}

Test(tokenizer, treats_bytes_that_are_not_utf_8_as_nothing)
{
	struct tokenizer *tokenizer = make("", "");
	expect(tokenizer, "a\xff", "3");
	expect(tokenizer, "a\xc3", "3");
	expect(tokenizer, "a\xe4\xb8", "3");
	expect(tokenizer, "a\xed\xa0\x80z\xf8\x88\x80\x80\x80", "0");
	expect(tokenizer, "\xc0\x80\x80", "");
	expect_ids(tokenizer, "a\0\xf0\x9f", 4, "3");
	/* The text ends inside a character: the byte behind it is not read. */
	char *text = malloc(2);
	memcpy(text, "a\xe4", 2);
	expect_ids(tokenizer, text, 2, "3");
	free(text);
	tokenizer_free(tokenizer);
}

Test(tokenizer, follows_the_normalizers_flags)
{
	struct tokenizer *plain = make("", "");
	expect(plain, "A \xc3\xa9\xc3\x89 \xe4\xb8\xad\xe4\xb8\xad \xc4\xb0", "3 14 15 11 11 17");
	tokenizer_free(plain);
	struct tokenizer *cased = make(",\"lowercase\":false", "");
	/* Accents follow the case unless they are given. */
	expect(cased, "A \xc3\xa9\xc3\xa9", "12 10 13");
	tokenizer_free(cased);
	struct tokenizer *accents = make(",\"strip_accents\":false", "");
	expect(accents, "A \xc3\x89\xc3\x89 \xc4\xb0", "3 10 13 16");
	tokenizer_free(accents);
	struct tokenizer *joined = make(",\"handle_chinese_chars\":false", "");
	expect(joined, "\xe4\xb8\xad \xe4\xb8\xad\xe4\xb8\xad", "11 0");
	tokenizer_free(joined);
	struct tokenizer *raw = make(",\"clean_text\":false", "");
	expect(raw, "a\x01", "0");
	expect(raw,
		"a\xc2\xa0"
		"ab\xe2\x80\xa8"
		"a",
		"3 6 3");
	tokenizer_free(raw);
}

Test(tokenizer, makes_a_word_with_too_many_characters_unknown)
{
	char text[101];
	struct tokenizer *tokenizer = make("", ",\"max_input_chars_per_word\":4");
	expect(tokenizer, "abbb", "6 4 4");
	expect(tokenizer, "abbbb a", "0 3");
	/* Removed accents do not count. */
	expect(tokenizer,
		"a\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81"
		"b",
		"6");
	tokenizer_free(tokenizer);
	struct tokenizer *usual = make("", "");
	memset(text, 'b', sizeof text);
	text[0] = 'a';
	int32_t ids[IDS];
	cr_expect_eq(tokenizer_encode(usual, (struct ss_text){text, 100}, ids, IDS), 101);
	cr_expect_eq(tokenizer_encode(usual, (struct ss_text){text, 101}, ids, IDS), 3);
	tokenizer_free(usual);
}

Test(tokenizer, survives_very_many_combining_marks)
{
	/* U+302E has a combining class and is not removed, so these wait to be sorted. */
	enum { MARKS = 5000 };
	static char text[3 * MARKS + 3] = "a ";
	int32_t ids[IDS];
	for (size_t i = 0; i < MARKS; i++)
		memcpy(text + 2 + 3 * i, "\xe3\x80\xae", 3);
	struct tokenizer *tokenizer = make("", "");
	size_t count =
		tokenizer_encode(tokenizer, (struct ss_text){text, sizeof text - 1}, ids, IDS);
	cr_expect_eq(count, 4);
	cr_expect_eq(ids[1], 3);
	cr_expect_eq(ids[2], 0);
	tokenizer_free(tokenizer);
}

Test(tokenizer, cuts_long_texts_and_still_ends_them)
{
	int32_t ids[IDS];
	struct tokenizer *tokenizer = make("", "");
	struct ss_text text = {"a a abb a a a", 13};
	static const int32_t expected[] = {1, 3, 3, 6, 2};
	cr_assert_eq(tokenizer_encode(tokenizer, text, ids, 5), 5);
	cr_expect_arr_eq(ids, expected, sizeof expected);
	cr_assert_eq(tokenizer_encode(tokenizer, text, ids, 2), 2);
	cr_expect_eq(ids[0], 1);
	cr_expect_eq(ids[1], 2);
	/* A word that is unknown because of its end is so even where only its start would fit. */
	struct ss_text unknown = {"a abbbx", 7};
	cr_assert_eq(tokenizer_encode(tokenizer, unknown, ids, 5), 4);
	cr_expect_eq(ids[2], 0);
	tokenizer_free(tokenizer);
}

Test(tokenizer, refuses_files_of_other_kinds)
{
	refused("", "");
	refused("[]", "normalizer.type is \"null\"");
	refused("{\"normalizer\":{\"type\":\"NFC\"}}", "only \"BertNormalizer\" is supported");
	refused("{\"normalizer\":{\"type\":\"BertNormalizer\"},\"pre_tokenizer\":{\"type\":\"X\"}}",
		"pre_tokenizer.type is \"X\"");
	refused("{\"normalizer\":{\"type\":\"BertNormalizer\"},"
		"\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},\"model\":{\"type\":\"BPE\"}}",
		"model.type is \"BPE\"");
}

#define WITH_MODEL(model)                                                                          \
	"{\"normalizer\":{\"type\":\"BertNormalizer\"},"                                           \
	"\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},\"model\":" model "}"

Test(tokenizer, refuses_a_vocabulary_that_cannot_be)
{
	refused(WITH_MODEL("{}"), "model.vocab must map");
	refused(WITH_MODEL("{\"vocab\":[\"a\"]}"), "model.vocab must map");
	refused(WITH_MODEL("{\"vocab\":{\"a\":\"b\"}}"), "the id of \"a\"");
	refused(WITH_MODEL("{\"vocab\":{\"a\":-1}}"), "the id of \"a\"");
	refused(WITH_MODEL("{\"vocab\":{\"a\":4294967296}}"), "the id of \"a\"");
	refused(WITH_MODEL("{\"vocab\":{\"a\":1}}"), "model.vocab has no \"[UNK]\"");
	refused(WITH_MODEL("{\"vocab\":{\"[UNK]\":1}}"), "model.vocab has no \"[CLS]\"");
	refused(WITH_MODEL("{\"vocab\":{\"a\":1},\"max_input_chars_per_word\":0}"),
		"max_input_chars_per_word must be from 1 to 256");
}
