#include "llm/openai/answer.h"

#include "value/json.h"
#include "value/value.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const char given[] = "[{\"id\": \"reset-password\"}, {\"id\": \"sso\"}, {\"id\": \"a b\"}, "
			    "{\"id\": 7}, {\"id\": \"tb_5\"}]";

struct outcome {
	char text[1000];
	char sources[200];
	bool given; /* an answer */
};

/* What becomes of WORDS when they come in pieces of SIZE bytes. What came out must not be taken back. */
static struct outcome answer(
	const char *words, size_t size, const char *articles, bool task, bool cut)
{
	struct outcome outcome = {0};
	struct answer made;
	struct ss_error err = {0};
	char before[1000] = "";
	size_t length = strlen(words), told = 0;
	struct ss_value *list = json_parse(articles, strlen(articles), &err);
	cr_assert_not_null(list, "%s", err.text);
	cr_assert_eq(answer_begin(&made, &value_functions, list, task), 0);
	value_unref(list);
	for (size_t at = 0; at < length; at += size) {
		size_t part = length - at < size ? length - at : size;
		answer_read(&made, (struct ss_text){words + at, part});
		cr_expect_geq(made.text.length, told);
		if (told > 0)
			cr_expect_arr_eq(made.text.data, before, told);
		told = made.text.length;
		if (told > 0)
			memcpy(before, made.text.data, told);
	}
	outcome.given = answer_finish(&made, cut);
	cr_expect_geq(made.text.length, told);
	if (told > 0)
		cr_expect_arr_eq(made.text.data, before, told);
	(void)snprintf(outcome.text, sizeof outcome.text, "%.*s", (int)made.text.length,
		made.text.length > 0 ? made.text.data : "");
	struct ss_value *ids = citations_sources(&made.citations);
	char *json = json_text(ids);
	(void)snprintf(outcome.sources, sizeof outcome.sources, "%s", json);
	free(json);
	value_unref(ids);
	answer_end(&made);
	return outcome;
}

static void expect(const char *words, const char *text, const char *sources)
{
	for (size_t size = 1; size <= strlen(words); size++) {
		struct outcome outcome = answer(words, size, given, false, false);
		cr_expect(outcome.given, "%s", words);
		cr_expect_str_eq(outcome.text, text, "%s in pieces of %zu: \"%s\"", words, size,
			outcome.text);
		cr_expect_str_eq(outcome.sources, sources, "%s: %s", words, outcome.sources);
	}
}

Test(answer, numbers_citations_by_their_first_use)
{
	expect("Do A [sso]. Then B [reset-password], and A [sso].",
		"Do A [1]. Then B [2], and A [1].", "[\"sso\",\"reset-password\"]");
}

Test(answer, takes_out_citations_of_articles_that_were_not_given)
{
	expect("Do it [made-up]. Now [other].", "Do it. Now.", "[]");
	expect("Do it [made-up] now.", "Do it now.", "[]");
	expect("[made-up] Do it.", "Do it.", "[]");
	expect("Do it.[1] Now [23].", "Do it. Now.", "[]");
	expect("A [x-1][sso] b", "A [1] b", "[\"sso\"]");
	expect("password[made-up].", "password.", "[]");
}

Test(answer, knows_several_citations_in_one_bracket)
{
	expect("A [sso, reset-password].", "A [1][2].", "[\"sso\",\"reset-password\"]");
	expect("A [sso; made-up].", "A [1].", "[\"sso\"]");
	expect("A [made-up, other-one].", "A.", "[]");
}

Test(answer, knows_ids_of_any_shape_and_case)
{
	expect("A [a b] and [SSO] and [ tb_5 ].", "A [1] and [2] and [3].",
		"[\"a b\",\"sso\",\"tb_5\"]");
}

Test(answer, leaves_other_brackets_alone)
{
	static const char *const texts[] = {
		"See [our site](https://a.example/x-y) now.",
		"See [made-up](https://a.example).",
		"Click [Save] or [Save as].",
		"- [ ] one\n- [x] two",
		"Error [TB-3301] is one.",
		"An array: rows[index] of it",
		"[not closed",
		"[not\nclosed]",
		"an [] empty one",
		"[[",
		"\xe2\x82\xac [\xe2\x82\xac]",
	};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		expect(texts[i], texts[i], "[]");
}

Test(answer, takes_out_capitals_where_ids_have_them)
{
	static const char capitals[] = "[{\"id\": \"KB-1\"}]";
	cr_expect_str_eq(
		answer("A [KB-1], b [KB-2].", 3, capitals, false, false).text, "A [1], b.");
}

Test(answer, leaves_a_bracket_that_is_too_long_for_a_citation)
{
	char words[900] = "[";
	memset(words + 1, 'a', 600);
	(void)strcat(words, "] b");
	cr_expect_str_eq(answer(words, 7, given, false, false).text, words);
}

Test(answer, has_no_white_space_at_its_ends)
{
	expect("\n  A  b \n\n", "A  b", "[]");
	expect("A [made-up] \n", "A", "[]");
	expect("A\n\n\nb", "A\n\n\nb", "[]");
}

Test(answer, keeps_long_white_space_inside)
{
	char words[100];
	(void)snprintf(words, sizeof words, "a%80sb", "");
	expect(words, words, "[]");
}

Test(answer, tells_no_answer_from_an_answer)
{
	static const char *const none[] = {
		"NO_ANSWER", "no_answer.", " \"NO_ANSWER\"\n", "**NO_ANSWER**", "No_Answer"};
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
		for (size_t size = 1; size <= strlen(none[i]); size++) {
			struct outcome outcome = answer(none[i], size, given, false, false);
			cr_expect_not(outcome.given, "%s", none[i]);
			cr_expect_str_eq(outcome.text, "");
		}
	}
	expect("NO_ANSWER is what I say.", "NO_ANSWER is what I say.", "[]");
	expect("No.", "No.", "[]");
	expect("NO_ANS", "NO_ANS", "[]");
	expect("NO_ANSWERS", "NO_ANSWERS", "[]");
}

Test(answer, does_not_wait_forever_for_the_word)
{
	struct answer made;
	cr_assert_eq(answer_begin(&made, &value_functions, NULL, false), 0);
	for (int i = 0; i < 600; i++)
		answer_read(&made, (struct ss_text){"*", 1});
	cr_expect_eq(made.text.length, 600);
	answer_end(&made);
}

Test(answer, of_no_words_is_empty)
{
	const struct outcome outcome = answer("", 1, given, false, true);
	cr_expect(outcome.given);
	cr_expect_str_eq(outcome.text, "");
}

Test(answer, marks_one_that_was_cut)
{
	cr_expect_str_eq(answer("It is so.", 3, given, false, true).text, "It is so.");
	cr_expect_str_eq(answer("It is so and", 3, given, false, true).text, "It is so and …");
	cr_expect_str_eq(
		answer("It is [reset-pa", 3, given, false, true).text, "It is [reset-pa …");
}

Test(answer, of_a_task_is_what_was_said)
{
	const struct outcome outcome = answer(" NO_ANSWER [x-y] ", 3, given, true, false);
	cr_expect(outcome.given);
	cr_expect_str_eq(outcome.text, " NO_ANSWER [x-y] ");
}

Test(answer, has_nothing_of_what_a_model_thinks)
{
	expect("<think>\nThe customer [sso] asks.\n</think>\n\nDo A [sso].", "Do A [1].",
		"[\"sso\"]");
	expect(" \n<thinking>Hm. < </thinkin </think> a</thinking>Do A.", "Do A.", "[]");
	expect("<THINK></Think>Do A.", "Do A.", "[]");
	expect("<think>a <</think> <think>b</think> Do A.", "Do A.", "[]");
	expect("<think>never ended, NO_ANSWER [sso]", "", "[]");
	expect("<think>a</think>", "", "[]");
	cr_expect_not(answer("<think>a</think>\nNO_ANSWER", 3, given, false, false).given);
}

Test(answer, keeps_tags_that_are_part_of_it)
{
	static const char *const texts[] = {
		"Type <think> into the field.",
		"<b>Do it</b> <think>now</think>",
		"<thinker>",
		"<th",
		"<think",
		"</think> Do A.",
		"< think>Do A.",
	};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		expect(texts[i], texts[i], "[]");
}

Test(answer, of_a_task_has_no_thoughts_either)
{
	cr_expect_str_eq(
		answer("<think>a {\"b\": 1}</think>\n{\"a\": 1} ", 3, given, true, false).text,
		"{\"a\": 1} ");
	cr_expect_str_eq(answer(" {\"a\": \"<think>\"} ", 3, given, true, false).text,
		" {\"a\": \"<think>\"} ");
}
