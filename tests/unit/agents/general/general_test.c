#include "support/fake_host.h"

#include <criterion/criterion.h>
#include <string.h>

static struct fake_host *host;

static void begin(void)
{
	host = fake_host_new(&smartsupport_plugin);
	fake_host_set_text(host, "message", "What is it?");
	fake_host_set_text(host, "sentiment", "Negative");
	fake_host_set(host, "history", "[]");
	fake_host_set(host, "kb_results",
		"[{\"id\": \"a\", \"title\": \"A?\", \"content\": \"It is A.\", \"score\": 0.9},"
		" {\"id\": \"b\", \"title\": \"B?\", \"content\": \"It is B.\", \"score\": 0.5}]");
	fake_host_answer(host, "It is A.", "[\"a\"]", "model");
}

static void end(void)
{
	fake_host_free(host);
}

TestSuite(general, .init = begin, .fini = end);

static void answer(const char *options)
{
	struct ss_error err = {0};
	cr_assert_eq(fake_host_create(host, options, &err), 0, "%s", err.text);
	cr_assert_eq(fake_host_run(host, &err), SS_DONE, "%s", err.text);
}

Test(general, answers_with_the_models_words_and_the_articles_it_used)
{
	answer("{openings: {Negative: 'I am sorry.'}}");
	cr_expect_str_eq(fake_host_written_text(host, "answer"), "I am sorry.\n\nIt is A.");
	cr_expect_str_eq(fake_host_written_json(host, "answered"), "true");
	cr_expect_str_eq(
		fake_host_written_json(host, "sources"), "[{\"id\":\"a\",\"title\":\"A?\"}]");
	cr_expect_str_eq(fake_host_written_text(host, "answered_by"), "model");
}

Test(general, needs_no_opening)
{
	answer("{openings: {Angry: 'I am sorry.'}}");
	cr_expect_str_eq(fake_host_written_text(host, "answer"), "It is A.");
}

Test(general, names_no_article_that_was_not_given)
{
	fake_host_answer(host, "It is A.", "[\"invented\", \"b\"]", "model");
	answer("");
	cr_expect_str_eq(
		fake_host_written_json(host, "sources"), "[{\"id\":\"b\",\"title\":\"B?\"}]");
}

Test(general, abstains_without_asking_the_model_when_no_article_fits)
{
	fake_host_set(host, "kb_results", "[]");
	answer("{openings: {}, abstain: 'I do not know. Reply \"human agent\".'}");
	cr_expect_str_eq(
		fake_host_written_text(host, "answer"), "I do not know. Reply \"human agent\".");
	cr_expect_str_eq(fake_host_written_json(host, "answered"), "false");
	cr_expect_str_eq(fake_host_written_json(host, "sources"), "[]");
	cr_expect_eq(fake_host_calls(host, FAKE_GENERATE), 0);
}

Test(general, fails_with_the_models_reason)
{
	struct ss_error err = {0};
	fake_host_fail(host, FAKE_GENERATE, SS_TIMEOUT, "too slow");
	cr_assert_eq(fake_host_create(host, "", &err), 0);
	cr_assert_eq(fake_host_run(host, &err), SS_FAILED);
	cr_expect_str_eq(err.text, "too slow");
}

Test(general, abstains_when_the_model_finds_no_answer_in_the_articles)
{
	fake_host_fail(host, FAKE_GENERATE, SS_NOT_FOUND, "nothing to quote");
	answer("{openings: {}, abstain: 'I do not know.'}");
	cr_expect_str_eq(fake_host_written_text(host, "answer"), "I do not know.");
	cr_expect_str_eq(fake_host_written_json(host, "answered"), "false");
}

Test(general, abstains_when_the_model_says_nothing)
{
	fake_host_answer(host, "", "[\"a\"]", "model");
	answer("{openings: {}, abstain: 'I do not know.'}");
	cr_expect_str_eq(fake_host_written_text(host, "answer"), "I do not know.");
	cr_expect_str_eq(fake_host_written_json(host, "sources"), "[]");
}
