#include "llm/extractive/passages.h"

#include <criterion/criterion.h>
#include <string.h>

static char quoted[4000];
static size_t passages; /* that were told one by one */

struct told {
	char text[4000];
	size_t length;
	size_t passages;
};

static void tell(void *context, struct ss_text passage)
{
	struct told *told = context;
	cr_assert_leq(told->length + passage.length, sizeof told->text);
	memcpy(told->text + told->length, passage.data, passage.length);
	told->length += passage.length;
	told->passages++;
}

static const char *quote(const char *content, const char *question, bool first_only, size_t limit)
{
	const struct ss_text text = {content, strlen(content)};
	const struct ss_text asked = {question, strlen(question)};
	struct told told = {.passages = 0};
	size_t length = first_only ? passages_quote_first(text, asked, quoted, limit)
				   : passages_quote(text, asked, quoted, limit, tell, &told);
	cr_assert_leq(length, limit);
	if (!first_only) {
		cr_expect_eq(told.length, length);
		cr_expect_arr_eq(told.text, quoted, length);
		passages = told.passages;
	}
	quoted[length] = '\0';
	return quoted;
}

static const char article[] = "Click Forgot password.\n\n1. Open the page.\n2. Click the link.\n\n"
			      "Refunds of duplicate payments take ten business days to arrive.";

Test(passages, quotes_the_opening_and_the_steps)
{
	cr_expect_str_eq(quote(article, "how do I log in", false, 1200),
		"Click Forgot password.\n\n1. Open the page.\n2. Click the link.");
	cr_expect_eq(passages, 2);
}

Test(passages, leads_with_the_paragraph_that_the_question_is_about)
{
	cr_expect_eq(
		strncmp(quote(article, "when do refunds of duplicate payments arrive", false, 1200),
			"Refunds of duplicate", 20),
		0);
}

Test(passages, quotes_one_paragraph_when_asked_to)
{
	cr_expect_str_eq(quote(article, "x", true, 1200), "Click Forgot password.");
}

Test(passages, cuts_a_long_paragraph_after_a_sentence)
{
	cr_expect_str_eq(quote("One sentence. Another sentence. A third.", "x", false, 33),
		"One sentence. Another sentence.");
}

Test(passages, cuts_steps_between_steps)
{
	cr_expect_str_eq(quote("1. First step\n2. Second step\n3. Third step", "x", false, 35),
		"1. First step\n2. Second step");
}

Test(passages, quotes_nothing_that_does_not_fit_as_a_whole)
{
	cr_expect_str_eq(quote("A sentence that is too long for the room", "x", false, 10), "");
}

Test(passages, never_splits_a_character)
{
	cr_expect_str_eq(quote("\xc3\x84. \xc3\x96\xc3\x96\xc3\x96", "x", false, 6), "\xc3\x84.");
}

Test(passages, does_not_lead_with_a_heading)
{
	cr_expect_str_eq(quote("# Title\n\nText.", "x", true, 100), "Text.");
}

Test(passages, copes_with_nothing)
{
	cr_expect_str_eq(quote("", "", false, 100), "");
	cr_expect_str_eq(quote("\n\n \n", "?", false, 100), "");
}
