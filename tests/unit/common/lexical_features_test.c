#include "common/lexical_features.h"

#include "common/lexicon.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The value of the feature NAME of TEXT. */
static double feature(const char *name, const char *text)
{
	size_t count = lexical_features_count();
	double values[count];
	size_t row = 0;
	while (row < count && strcmp(lexical_features[row].name, name) != 0)
		row++;
	cr_assert_lt(row, count, "there is no feature %s", name);
	lexical_features_read((struct ss_text){text, strlen(text)}, values);
	return values[row];
}

Test(lexical_features, have_a_row_with_help_each)
{
	size_t rows = 0;
	for (; lexical_features[rows].name != NULL; rows++)
		cr_expect_gt(strlen(lexical_features[rows].help), 5);
	cr_expect_eq(rows, lexical_features_count());
}

Test(lexical_features, count_words_by_their_kind)
{
	cr_expect_eq(feature("negations", "I can't and won't, never"), 3);
	cr_expect_eq(feature("negations", "I can\xe2\x80\x99t"), 1);
	cr_expect_eq(feature("positive_words", "A wonderful, helpful app"), 2);
	cr_expect_eq(feature("negative_words", "A terrible app"), 1);
	cr_expect_eq(feature("feeling_words", "I am disappointed and worried"), 2);
	cr_expect_eq(feature("anger_words", "ridiculous"), 1);
	cr_expect_eq(feature("contempt_words", "you idiots"), 1);
	cr_expect_geq(feature("threats", "my lawyer will sue"), 2);
	cr_expect_eq(feature("money_words", "The refund for my plan"), 2);
	cr_expect_eq(feature("access_words", "Reset my password"), 2);
}

Test(lexical_features, turn_around_what_is_negated)
{
	cr_expect_eq(feature("negated_positive", "That was not helpful"), 1);
	cr_expect_eq(feature("positive_words", "That was not helpful"), 0);
	cr_expect_eq(feature("negated_negative", "No problem"), 1 + 1, "word and phrase");
	cr_expect_eq(feature("problem_words", "No problem"), 0);
	cr_expect_geq(feature("negated_negative", "Not bad"), 1);
	cr_expect_eq(
		feature("negated_positive", "No. Wonderful!"), 0, "a sentence ends a negation");
}

Test(lexical_features, tell_thanks_from_thanks_in_advance)
{
	cr_expect_eq(feature("thanks", "Thank you, that worked"), 1);
	cr_expect_eq(feature("thanks_ahead", "Thank you, that worked"), 0);
	cr_expect_eq(feature("thanks", "Thanks in advance"), 0);
	cr_expect_eq(feature("thanks_ahead", "Thanks in advance"), 1);
	cr_expect_eq(feature("sarcasm", "Thanks for nothing"), 1);
}

Test(lexical_features, notice_praise_that_is_followed_by_trouble)
{
	cr_expect_eq(feature("praise_then_trouble", "Great, another crash."), 1);
	cr_expect_eq(feature("praise_then_trouble", "Oh lovely. My report is gone."), 1);
	cr_expect_eq(feature("praise_then_trouble", "Great, no more crashes"), 0, "it is over");
	cr_expect_eq(
		feature("praise_then_trouble", "Another crash, great"), 0, "praise comes last");
}

Test(lexical_features, hear_shouting_but_not_acronyms)
{
	cr_expect_gt(feature("capitals", "I WANT MY MONEY BACK"), 0.9);
	cr_expect_eq(feature("capitals", "Export of CSV and PDF by the API fails with TB-3301"), 0);
	cr_expect_eq(feature("capitals", "Is DHL an option?"), 0, "a single one is a name");
	cr_expect_eq(feature("capital_emphasis", "It does NOT work"), 1);
	cr_expect_eq(feature("capital_emphasis", "Is DHL an option?"), 0);
}

Test(lexical_features, count_words_up_to_a_limit)
{
	char text[4000];
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = i % 2 == 0 ? 'a' : ' ';
	text[200] = '\0';
	double length = feature("length", text);
	text[200] = 'a';
	text[sizeof text - 1] = '\0';
	cr_expect_eq(feature("length", text), length, "2,000 words are as long as 100");
	cr_expect_lt(feature("length", "a few words"), length);
}

Test(lexical_features, count_marks_up_to_a_limit)
{
	cr_expect_eq(feature("exclamations", "Now!"), 1);
	cr_expect_eq(feature("exclamations", "Now!!!!!!!!"), 3);
	cr_expect_eq(feature("many_exclamations", "Now!"), 0);
	cr_expect_eq(feature("many_exclamations", "Now!!"), 1);
	cr_expect_eq(feature("joyful_exclamations", "Great, thanks!!"), 2);
	cr_expect_eq(feature("joyful_exclamations", "It crashed again!!"), 0);
	cr_expect_eq(feature("many_questions", "What?!"), 1);
	cr_expect_eq(feature("questions", "What?"), 1);
}

Test(lexical_features, read_emoji_and_emoticons)
{
	cr_expect_eq(feature("smiles", "ok :)"), 1);
	cr_expect_eq(feature("smiles", "\xf0\x9f\x98\x8d"), 1);
	cr_expect_eq(feature("frowns", "oh :("), 1);
	cr_expect_eq(feature("frowns", "see http://status.example"), 0);
	cr_expect_eq(feature("rage", "\xf0\x9f\x98\xa1"), 1);
}

Test(lexical_features, read_drawn_out_and_starred_words)
{
	cr_expect_eq(feature("elongated", "sooooo slow"), 1);
	cr_expect_eq(feature("intensifiers", "sooooo slow"), 1);
	cr_expect_eq(feature("elongated", "www.tallybird.example"), 0);
	cr_expect_eq(feature("swearing", "what the f***"), 1);
	cr_expect_eq(feature("swearing", "**bold**"), 0);
}

Test(lexical_features, know_a_plain_question)
{
	cr_expect_eq(feature("plain_question", "How do I reset my password?"), 1);
	cr_expect_eq(feature("plain_question", "How can anyone be this stupid?"), 0);
	cr_expect_eq(feature("plain_question", "My password does not work"), 0);
}

Test(lexical_features, pass_over_names_and_addresses)
{
	cr_expect_eq(feature("links", "see https://help.tallybird.example/terrible now"), 1);
	cr_expect_eq(
		feature("negative_words", "see https://help.tallybird.example/terrible now"), 0);
	cr_expect_eq(feature("positive_words", "@LovelyAir is my bag there"), 0);
}

Test(lexical_features, find_phrases_at_word_boundaries_only)
{
	cr_expect_eq(feature("repeated_contact", "This is the third time"), 1);
	cr_expect_eq(feature("repeated_contact", "the third timer"), 0);
	cr_expect_eq(feature("repeated_contact", "The third. Time to go"), 0);
	cr_expect_eq(feature("demands", "Fix this"), 1);
}

Test(lexical_features, are_zero_and_finite_for_nothing)
{
	double values[lexical_features_count()];
	lexical_features_read((struct ss_text){NULL, 0}, values);
	for (size_t i = 0; i < lexical_features_count(); i++)
		cr_expect_eq(values[i], 0);
}

Test(lexical_features, survive_any_bytes)
{
	double values[lexical_features_count()];
	char text[40000];
	unsigned state = 1;
	for (size_t i = 0; i < sizeof text; i++) {
		state = state * 1664525u + 1013904223u;
		text[i] = (char)(state >> 24);
	}
	for (size_t length = 0; length < 300; length++)
		lexical_features_read((struct ss_text){text, length}, values);
	lexical_features_read((struct ss_text){text, sizeof text}, values);
	memset(text, 'A', sizeof text);
	lexical_features_read((struct ss_text){text, sizeof text}, values);
	memset(text, '!', sizeof text);
	lexical_features_read((struct ss_text){text, sizeof text}, values);
	for (size_t i = 0; i < lexical_features_count(); i++)
		cr_expect(isfinite(values[i]));
}

/* Every entry comes after the one before it, so none is there twice. */
static void check_list(const struct lexicon_list *list, bool words)
{
	for (size_t i = 0; i < list->count; i++) {
		const char *entry = list->entries[i];
		cr_expect(entry[0] != '\0' && entry[0] != '*');
		cr_expect(!words || strchr(entry, ' ') == NULL, "%s", entry);
		cr_expect(i == 0 || strcmp(list->entries[i - 1], entry) < 0, "%s", entry);
		for (const char *c = entry; *c != '\0'; c++)
			cr_expect(*c < 'A' || *c > 'Z', "%s", entry);
	}
}

Test(lexicon, is_sorted_and_in_small_letters)
{
	for (size_t kind = 0; kind < WORDS_KINDS; kind++)
		check_list(&lexicon_words[kind], true);
	for (size_t kind = 0; kind < PHRASES_KINDS; kind++)
		check_list(&lexicon_phrases[kind], false);
}
