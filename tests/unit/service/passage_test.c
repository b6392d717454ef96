#include "service/passage.h"

#include "base/buffer.h"
#include "base/memory.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* The passages of CONTENT, each as [heading|text]. The caller frees it. */
static char *cut(const char *content)
{
	struct buffer buffer = {0};
	struct passage passage;
	struct passage_reader reader = passage_read((struct ss_text){content, strlen(content)});
	while (passage_next(&reader, &passage))
		buffer_add_format(&buffer, "[%.*s|%.*s]", (int)passage.heading.length,
			passage.heading.data, (int)passage.text.length, passage.text.data);
	return buffer_take(&buffer);
}

static void check(const char *content, const char *expected)
{
	char *found = cut(content);
	cr_expect_str_eq(found, expected);
	free(found);
}

Test(passage, is_the_whole_of_a_short_text)
{
	check("Click here.\n\nThen there.\n", "[|Click here.\n\nThen there.]");
	check("", "");
	check(" \n\n ", "");
}

Test(passage, is_cut_at_headings)
{
	check("Before.\n# One\nFirst.\n\n### Two\n\nSecond.",
		"[|Before.][One|First.][Two|Second.]");
	check("# Empty\n# Full\nText.", "[Full|Text.]");
	check("#hashtag is no heading\n####### nor is this",
		"[|#hashtag is no heading\n####### nor is this]");
}

Test(passage, takes_no_comment_in_code_for_a_heading)
{
	check("Run:\n```\n# as root\nls\n```\n# Next\nDone.",
		"[|Run:\n```\n# as root\nls\n```][Next|Done.]");
}

static size_t words_of(struct ss_text text)
{
	size_t words = text.length > 0;
	for (size_t i = 0; i < text.length; i++)
		words += text.data[i] == ' ' || text.data[i] == '\n';
	return words;
}

Test(passage, overlaps_the_one_before_when_a_section_is_long)
{
	struct buffer content = {0};
	struct passage passage;
	size_t count = 0;
	size_t previous_last = 0;
	for (size_t i = 0; i < 1000; i++)
		buffer_add_format(&content, "w%zu%s", i, i % 20 == 19 ? "\n" : " ");
	struct passage_reader reader = passage_read((struct ss_text){content.data, content.length});
	while (passage_next(&reader, &passage)) {
		size_t first = strtoul(passage.text.data + 1, NULL, 10);
		size_t words = words_of(passage.text);
		cr_expect_leq(words, PASSAGE_TOKENS);
		if (count > 0) {
			cr_expect_leq(first, previous_last, "a gap before w%zu", first);
			cr_expect_leq(previous_last - first, PASSAGE_OVERLAP_TOKENS);
			cr_expect_geq(previous_last - first, PASSAGE_OVERLAP_TOKENS / 2);
		}
		previous_last = first + words - 1;
		count++;
	}
	cr_expect_eq(previous_last, 999);
	cr_expect_eq(count, 6, "%zu passages", count);
	buffer_free(&content);
}

Test(passage, ends_after_a_paragraph_or_a_sentence_where_it_can)
{
	struct buffer content = {0};
	for (size_t i = 0; i < 150; i++)
		buffer_add_string(&content, "word ");
	buffer_add_string(&content, "end. ");
	for (size_t i = 0; i < 150; i++)
		buffer_add_string(&content, "more ");
	struct passage passage;
	struct passage_reader reader = passage_read((struct ss_text){content.data, content.length});
	cr_assert(passage_next(&reader, &passage));
	cr_expect_eq(memcmp(passage.text.data + passage.text.length - 4, "end.", 4), 0);
	buffer_free(&content);
}

/* Counts the passages of COUNT times TEXT, and checks that they are whole characters. */
static size_t count_of(const char *text, size_t count)
{
	struct buffer content = {0};
	struct passage passage;
	size_t passages = 0;
	for (size_t i = 0; i < count; i++)
		buffer_add_string(&content, text);
	struct passage_reader reader = passage_read((struct ss_text){content.data, content.length});
	while (passage_next(&reader, &passage)) {
		cr_expect_eq(passage.text.length % strlen(text), 0);
		passages++;
	}
	buffer_free(&content);
	return passages;
}

Test(passage, is_cut_between_characters_where_there_are_no_spaces)
{
	cr_expect_eq(count_of("\xc3\xa4", 2000), 2);
	cr_expect_eq(count_of("\xe8\xaa\x9e", 2000), 10); /* each is a token */
}

/* The sentences of CONTENT, each in brackets. */
static void check_sentences(const char *content, const char *expected)
{
	struct buffer buffer = {0};
	struct ss_text rest = {content, strlen(content)};
	struct ss_text sentence;
	buffer_add_string(&buffer, "");
	while (passage_next_sentence(&rest, &sentence))
		buffer_add_format(&buffer, "[%.*s]", (int)sentence.length, sentence.data);
	cr_expect_str_eq(buffer.data, expected);
	buffer_free(&buffer);
}

Test(passage, has_sentences_up_to_a_mark_or_the_end_of_the_line)
{
	check_sentences("Open the settings first. Then click on Save! Is it still grey there?\n"
			"Ask for help at help.tallybird.example\n\nor wait until tomorrow morning",
		"[Open the settings first.][Then click on Save!][Is it still grey there?]"
		"[Ask for help at help.tallybird.example][or wait until tomorrow morning]");
	check_sentences("", "");
	check_sentences(" \n. ?", "");
}

Test(passage, passes_over_what_is_too_short_for_a_sentence)
{
	check_sentences("1. Open the settings there. Done.\n2. Click on New key\n# Or so",
		"[Open the settings there.][Click on New key]");
	check_sentences("Only three words", "");
}

Test(passage, counts_words_by_the_blanks_between_them)
{
	cr_expect_eq(passage_words((struct ss_text){"", 0}), 0);
	cr_expect_eq(passage_words((struct ss_text){" \n", 2}), 0);
	cr_expect_eq(passage_words((struct ss_text){"one two\tthree\n", 14}), 3);
}
