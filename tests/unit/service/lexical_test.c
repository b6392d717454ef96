#include "service/lexical.h"

#include <criterion/criterion.h>
#include <string.h>

static struct lexical *lexical;
static float scores[3];

static void add(const char *text)
{
	const struct ss_text part = {text, strlen(text)};
	lexical_add(lexical, &part, 1);
}

static void begin(void)
{
	lexical = lexical_new();
	add("Error TB-3301 while exporting a large sheet");
	add("Refunds for duplicate payments");
	add("Passwords and the caf\xc3\xa9 login, exporting refunds");
}

static void end(void)
{
	lexical_free(lexical);
}

TestSuite(lexical, .init = begin, .fini = end);

static void search(const char *query)
{
	lexical_search(lexical, (struct ss_text){query, strlen(query)}, scores);
	for (size_t i = 0; i < 3; i++)
		cr_assert(scores[i] >= 0 && scores[i] <= 1, "%g", (double)scores[i]);
}

Test(lexical, finds_words_in_other_forms)
{
	search("refunded payment");
	cr_expect_gt(scores[1], scores[2]);
	cr_expect_eq(scores[0], 0);
}

Test(lexical, finds_a_code_as_a_whole)
{
	search("what is tb-3301?");
	cr_expect_gt(scores[0], 0.3);
	cr_expect_eq(scores[1], 0);
}

Test(lexical, folds_case_and_accents)
{
	search("CAFE");
	cr_expect_gt(scores[2], 0);
}

Test(lexical, scores_nothing_for_stop_words)
{
	search("how do I get the and a");
	cr_expect_eq(scores[0] + scores[1] + scores[2], 0);
}

Test(lexical, counts_words_that_no_text_has_against_all)
{
	search("refunds");
	float alone = scores[1];
	search("refunds zebra giraffe");
	cr_expect_lt(scores[1], alone / 2);
}

Test(lexical, copes_with_nothing_and_with_broken_text)
{
	search("");
	search("\xff\xfe \x80refunds");
	cr_expect_gt(scores[1], 0);
}

Test(lexical, weighs_a_code_more_than_a_word)
{
	search("tb-3301 duplicate");
	cr_expect_gt(scores[0], scores[1] * 2);
}

Test(lexical, favours_a_quoted_phrase)
{
	search("duplicate payments");
	float plain = scores[1];
	search("\"duplicate payments\"");
	cr_expect_gt(scores[1], plain);
	search("\"payments duplicate\"");
	cr_expect_lt(scores[1], plain); /* not in this order */
	search("\xe2\x80\x9c"
	       "Duplicate Payments\xe2\x80\x9d");
	cr_expect_gt(scores[1], plain);
}

Test(lexical, copes_with_a_quote_that_never_ends)
{
	search("\"duplicate payments");
	cr_expect_gt(scores[1], 0);
	search("\"\" \"and the\" \"");
	cr_expect_eq(scores[1], 0);
}
