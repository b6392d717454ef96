#include "service/lexical.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct lexical *lexical;
static struct lexical_score scores[3];
static struct lexical_unknown unknown;

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
	unknown = lexical_search(lexical, (struct ss_text){query, strlen(query)}, scores);
	for (size_t i = 0; i < 3; i++) {
		const float shares[] = {scores[i].score, scores[i].coverage, scores[i].named};
		for (size_t k = 0; k < 3; k++)
			cr_assert(shares[k] >= 0 && shares[k] <= 1, "%g", (double)shares[k]);
	}
	cr_assert(unknown.share >= 0 && unknown.share <= 1);
}

Test(lexical, finds_words_in_other_forms)
{
	search("refunded payment");
	cr_expect_gt(scores[1].score, scores[2].score);
	cr_expect_eq(scores[0].score, 0);
}

Test(lexical, finds_a_code_as_a_whole)
{
	search("what is tb-3301?");
	cr_expect_gt(scores[0].score, 0.3);
	cr_expect_eq(scores[1].score, 0);
}

Test(lexical, folds_case_and_accents)
{
	search("CAFE");
	cr_expect_gt(scores[2].score, 0);
}

Test(lexical, scores_nothing_for_stop_words)
{
	search("how do I get the and a");
	cr_expect_eq(scores[0].score + scores[1].score + scores[2].score, 0);
}

Test(lexical, counts_words_that_no_text_has_against_all)
{
	search("refunds");
	float alone = scores[1].score;
	search("refunds zebra giraffe");
	cr_expect_lt(scores[1].score, alone / 2);
}

Test(lexical, copes_with_nothing_and_with_broken_text)
{
	search("");
	search("\xff\xfe \x80refunds");
	cr_expect_gt(scores[1].score, 0);
}

Test(lexical, weighs_a_code_more_than_a_word)
{
	search("tb-3301 duplicate");
	cr_expect_gt(scores[0].score, scores[1].score * 2);
}

Test(lexical, favours_a_quoted_phrase)
{
	search("duplicate payments");
	float plain = scores[1].score;
	search("\"duplicate payments\"");
	cr_expect_gt(scores[1].score, plain);
	search("\"payments duplicate\"");
	cr_expect_lt(scores[1].score, plain); /* not in this order */
	search("\xe2\x80\x9c"
	       "Duplicate Payments\xe2\x80\x9d");
	cr_expect_gt(scores[1].score, plain);
}

Test(lexical, copes_with_a_quote_that_never_ends)
{
	search("\"duplicate payments");
	cr_expect_gt(scores[1].score, 0);
	search("\"\" \"and the\" \"");
	cr_expect_eq(scores[1].score, 0);
}

Test(lexical, tells_which_text_has_the_codes_and_phrases_that_a_query_names)
{
	search("what is tb-3301?");
	cr_expect_eq(scores[0].named, 1);
	cr_expect_eq(scores[1].named, 0);
	search("error 3301");
	cr_expect_eq(scores[0].named, 1);
	search("\"duplicate payments\" and TB-3301");
	cr_expect_float_eq(scores[0].named, 0.5f, 1e-6f);
	cr_expect_float_eq(scores[1].named, 0.5f, 1e-6f);
	search("exporting a sheet");
	cr_expect_eq(scores[0].named, 0);
}

Test(lexical, tells_the_share_of_words_that_a_text_has_and_that_none_has)
{
	search("exporting refunds");
	cr_expect_eq(scores[2].coverage, 1);
	cr_expect_lt(scores[0].coverage, 1);
	cr_expect_eq(unknown.share, 0);
	search("exporting zebras");
	cr_expect(unknown.share > 0.5 && unknown.share < 1, "%g", unknown.share);
	search("zebra");
	cr_expect_eq(unknown.share, 1);
	cr_expect_eq(unknown.subject, 1);
	search("refunds 4711");
	cr_expect_gt(unknown.share, 0.5);
	cr_expect_eq(unknown.subject, 0);
	search("");
	cr_expect_eq(unknown.share, 0);
}

Test(lexical, tells_a_code_that_no_text_has_from_a_word)
{
	search("what does TB-9999 mean");
	cr_expect(unknown.code);
	search("I see error 9999");
	cr_expect(unknown.code);
	search("error code 12");
	cr_expect(unknown.code);
	search("TB-9999 after TB-3301");
	cr_expect_not(unknown.code, "one of them is known");
	search("ISO-8859-1 and UTF-8");
	cr_expect_not(unknown.code, "no text names codes of this kind");
	search("I have 9999 rows");
	cr_expect_not(unknown.code);
}

static void check_known(const char *text, const char *expected)
{
	char *known = lexical_known(lexical, (struct ss_text){text, strlen(text)});
	cr_expect_str_eq(known, expected);
	free(known);
}

Test(lexical, leaves_out_the_words_that_no_text_has)
{
	check_known("How do I get a zebra refund, Giraffe?", "How do I get a refund, ");
	check_known("TB-3301 in TB-9999", "TB-3301 in TB-9999"); /* TB is known */
	check_known("zebra 4711", "4711");                       /* a number is no subject */
	check_known("zebra", "");
	check_known("", "");
	check_known("\xff refunds", "\xff refunds");
}

static void put(size_t number, const char *text)
{
	const struct ss_text part = {text, strlen(text)};
	lexical_put(lexical, number, &part, 1);
}

/* What a search gives in the index that was made of the three texts at once. */
static void expect_as_new(
	const char *first, const char *second, const char *third, const char *query)
{
	const char *const texts[] = {first, second, third};
	struct lexical_score changed[3];
	search(query);
	memcpy(changed, scores, sizeof changed);
	struct lexical_unknown changed_unknown = unknown;
	lexical_free(lexical);
	lexical = lexical_new();
	for (size_t i = 0; i < 3; i++)
		add(texts[i]);
	search(query);
	for (size_t i = 0; i < 3; i++) {
		cr_expect_float_eq(changed[i].score, scores[i].score, 1e-6, "%s", texts[i]);
		cr_expect_float_eq(changed[i].coverage, scores[i].coverage, 1e-6, "%s", texts[i]);
		cr_expect_float_eq(changed[i].named, scores[i].named, 1e-6, "%s", texts[i]);
	}
	cr_expect_float_eq(changed_unknown.share, unknown.share, 1e-9);
	cr_expect_eq(changed_unknown.code, unknown.code);
}

Test(lexical, a_changed_text_is_found_as_if_it_had_been_there_from_the_start)
{
	put(0, "How to export a sheet");
	put(1, "Refunds, and error QX-17 in payments");
	put(0, "Refunds for teams, and once more refunds");
	expect_as_new("Refunds for teams, and once more refunds",
		"Refunds, and error QX-17 in payments",
		"Passwords and the caf\xc3\xa9 login, exporting refunds",
		"\"refunds for teams\" error QX-17 TB-9999 export");
}

Test(lexical, a_removed_text_is_forgotten)
{
	lexical_remove(lexical, 0);
	lexical_remove(lexical, 0);
	search("error TB-3301 large sheet");
	cr_expect_eq(scores[0].score, 0);
	cr_expect_eq(unknown.share, 1);
	cr_expect_not(unknown.code, "no text names codes of that kind any more");
	search("\"for duplicate payments\"");
	cr_expect_gt(scores[1].named, 0);
	put(0, "Sheets again");
	search("sheets");
	cr_expect_gt(scores[0].score, 0);
}

Test(lexical, forgets_all_texts)
{
	for (size_t i = 0; i < 3; i++)
		lexical_remove(lexical, i);
	search("refunds \"exporting refunds\" TB-3301");
	for (size_t i = 0; i < 3; i++)
		cr_expect_eq(scores[i].score, 0);
	cr_expect_eq(unknown.share, 1);
}
