#include <smartsupport/testing.h>

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct ss_test_host *host;

static void begin(void)
{
	host = ss_test_host_new(&smartsupport_plugin);
	ss_test_set_text(host, "message", "What is it?");
	ss_test_set_text(host, "sentiment", "Negative");
	ss_test_set(host, "history", "[]");
	ss_test_set(host, "kb_results",
		"[{\"id\": \"a\", \"title\": \"A?\", \"content\": \"It is A.\", \"score\": 0.9},"
		" {\"id\": \"b\", \"title\": \"B?\", \"content\": \"It is B.\", \"score\": 0.5}]");
	ss_test_answer(host, "It is A.", "[\"a\"]", "model");
}

static void end(void)
{
	ss_test_host_free(host);
}

TestSuite(general, .init = begin, .fini = end);

static void answer(const char *options)
{
	struct ss_error err = {0};
	cr_assert_eq(ss_test_create(host, options, &err), 0, "%s", err.text);
	cr_assert_eq(ss_test_run(host, &err), SS_DONE, "%s", err.text);
}

Test(general, answers_with_the_models_words_and_the_articles_it_used)
{
	answer("{openings: {Negative: 'I am sorry.'}}");
	cr_expect_str_eq(ss_test_written_text(host, "answer"), "I am sorry.\n\nIt is A.");
	cr_expect_str_eq(ss_test_written_json(host, "answered"), "true");
	cr_expect_str_eq(
		ss_test_written_json(host, "sources"), "[{\"id\":\"a\",\"title\":\"A?\"}]");
	cr_expect_str_eq(ss_test_written_text(host, "answered_by"), "model");
}

Test(general, needs_no_opening)
{
	answer("{openings: {Angry: 'I am sorry.'}}");
	cr_expect_str_eq(ss_test_written_text(host, "answer"), "It is A.");
}

Test(general, names_no_article_that_was_not_given)
{
	ss_test_answer(host, "It is A.", "[\"invented\", \"b\"]", "model");
	answer("");
	cr_expect_str_eq(
		ss_test_written_json(host, "sources"), "[{\"id\":\"b\",\"title\":\"B?\"}]");
}

Test(general, abstains_without_asking_the_model_when_no_article_fits)
{
	ss_test_set(host, "kb_results", "[]");
	answer("{openings: {}, abstain: 'I do not know. Reply \"human agent\".'}");
	cr_expect_str_eq(
		ss_test_written_text(host, "answer"), "I do not know. Reply \"human agent\".");
	cr_expect_str_eq(ss_test_written_json(host, "answered"), "false");
	cr_expect_str_eq(ss_test_written_json(host, "sources"), "[]");
	cr_expect_eq(ss_test_calls(host, SS_TEST_GENERATE), 0);
}

Test(general, fails_with_the_models_reason)
{
	struct ss_error err = {0};
	ss_test_fail(host, SS_TEST_GENERATE, SS_TIMEOUT, "too slow");
	cr_assert_eq(ss_test_create(host, "", &err), 0);
	cr_assert_eq(ss_test_run(host, &err), SS_FAILED);
	cr_expect_str_eq(err.text, "too slow");
}

Test(general, abstains_when_the_model_finds_no_answer_in_the_articles)
{
	ss_test_fail(host, SS_TEST_GENERATE, SS_NOT_FOUND, "nothing to quote");
	answer("{openings: {}, abstain: 'I do not know.'}");
	cr_expect_str_eq(ss_test_written_text(host, "answer"), "I do not know.");
	cr_expect_str_eq(ss_test_written_json(host, "answered"), "false");
}

Test(general, abstains_when_the_model_says_nothing)
{
	ss_test_answer(host, "", "[\"a\"]", "model");
	answer("{openings: {}, abstain: 'I do not know.'}");
	cr_expect_str_eq(ss_test_written_text(host, "answer"), "I do not know.");
	cr_expect_str_eq(ss_test_written_json(host, "sources"), "[]");
}

Test(general, shows_its_opening_before_the_model_speaks)
{
	answer("{openings: {Negative: 'I am sorry.'}}");
	cr_expect_str_eq(ss_test_emitted(host), "I am sorry.\n\n");
}

Test(general, shows_what_it_says_when_it_abstains)
{
	ss_test_set(host, "kb_results", "[]");
	answer("{openings: {Negative: 'I am sorry.'}, abstain: 'I do not know.'}");
	cr_expect_str_eq(ss_test_emitted(host), "I do not know.");
}

Test(general, tells_the_model_nothing_without_a_prompt)
{
	answer("");
	cr_expect_eq(ss_test_last_prompt(host)->instructions.length, 0);
	cr_expect_eq(ss_test_last_prompt(host)->use, SS_PROMPT_ANSWER);
}

/* Writes TEXT to a file and gives its option; the caller removes the file. */
static const char *prompt_option(char *path, const char *text)
{
	static char option[128];
	int fd = mkstemp(path);
	cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	(void)close(fd);
	(void)snprintf(option, sizeof option, "{prompt: %s}", path);
	return option;
}

Test(general, tells_the_model_what_the_prompt_says_of_this_question)
{
	char path[] = "/tmp/prompt-XXXXXX";
	ss_test_set_text(host, "message", "Is it <b>?");
	answer(prompt_option(path, "Mood: {{sentiment}}.{{#kb_results}} [{{id}}] "
				   "{{title}}{{/kb_results}} {{message}}"));
	(void)unlink(path);
	const struct ss_prompt *prompt = ss_test_last_prompt(host);
	cr_expect_str_eq(prompt->instructions.data, "Mood: Negative. [a] A? [b] B? Is it &lt;b>?");
	cr_expect_str_eq(prompt->question.data, "Is it <b>?");
	cr_expect_eq(ss_test_table(host)->values->count(prompt->articles), 2);
}

Test(general, asks_without_a_prompt_that_cannot_be_made)
{
	char path[] = "/tmp/prompt-XXXXXX";
	enum { ITEMS = 300 };
	char history[ITEMS * 2 + 2] = "[1";
	for (size_t i = 1; i < ITEMS; i++)
		memcpy(history + i * 2, ",1", 3);
	strcat(history, "]");
	ss_test_set(host, "history", history);
	answer(prompt_option(
		path, "{{#history}}{{#history}}{{#history}}x{{/history}}{{/history}}{{/history}}"));
	(void)unlink(path);
	cr_expect_eq(ss_test_last_prompt(host)->instructions.length, 0);
	cr_expect_not_null(strstr(ss_test_log(host), "warning: the model gets no prompt: "));
	cr_expect_not_null(strstr(ss_test_log(host), path));
}
