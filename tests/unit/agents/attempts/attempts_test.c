#include <smartsupport/testing.h>

#include <criterion/criterion.h>
#include <string.h>

static struct ss_test_host *host;

static void begin(void)
{
	host = ss_test_host_new(&smartsupport_plugin);
	ss_test_dimension(host, 2);
	ss_test_vector(host, "I cannot log in", (const float[]){1, 0});
	ss_test_vector(host, "Still cannot log in", (const float[]){0.95f, 0.31f});
	ss_test_vector(host, "Login is broken", (const float[]){0.9f, 0.44f});
	ss_test_vector(host, "It still does not work", (const float[]){-1, 0});
	ss_test_vector(host, "Slack is still not working", (const float[]){0, 1});
	ss_test_vector(host, "Where are my invoices?", (const float[]){0, 1});
}

static void end(void)
{
	ss_test_host_free(host);
}

TestSuite(attempts, .init = begin, .fini = end);

static const char *attempts_for(const char *options, const char *message, const char *history)
{
	struct ss_error err = {0};
	cr_assert_eq(ss_test_create(host, options, &err), 0, "%s", err.text);
	ss_test_set_text(host, "message", message);
	ss_test_set(host, "history", history);
	cr_assert_eq(ss_test_run(host, &err), SS_DONE, "%s", err.text);
	return ss_test_written_json(host, "attempts");
}

Test(attempts, is_one_for_a_first_question_and_embeds_nothing)
{
	cr_expect_str_eq(attempts_for("", "I cannot log in", "[]"), "1");
	cr_expect_eq(ss_test_calls(host, SS_TEST_EMBED), 0);
}

Test(attempts, embeds_nothing_when_only_the_assistant_wrote_before)
{
	cr_expect_str_eq(attempts_for("", "I cannot log in",
				 "[{\"role\": \"assistant\", \"content\": \"I cannot log in\"}]"),
		"1");
	cr_expect_eq(ss_test_calls(host, SS_TEST_EMBED), 0);
}

static const char history[] = "["
			      "{\"role\": \"user\", \"content\": \"Login is broken\"},"
			      "{\"role\": \"assistant\", \"content\": \"I cannot log in\"},"
			      "{\"role\": \"user\", \"content\": \"Where are my invoices?\"},"
			      "{\"role\": \"assistant\", \"content\": \"Under Settings\"},"
			      "{\"role\": \"user\", \"content\": \"Still cannot log in\"}]";

Test(attempts, counts_the_customers_similar_messages_and_no_others)
{
	cr_expect_str_eq(attempts_for("{similarity: 0.85}", "I cannot log in", history), "3");
	cr_expect_eq(ss_test_calls(host, SS_TEST_EMBED), 1, "all texts in one call");
	cr_expect_str_eq(ss_test_asked(host, SS_TEST_EMBED),
		"I cannot log in\nLogin is broken\nWhere are my invoices?\nStill cannot log in");
}

Test(attempts, goes_by_the_configured_similarity)
{
	cr_expect_str_eq(attempts_for("{similarity: 0.94}", "I cannot log in", history), "2");
}

Test(attempts, looks_back_at_the_last_messages_only)
{
	cr_expect_str_eq(
		attempts_for("{similarity: 0.85, look_back: 2}", "I cannot log in", history), "2");
	cr_expect_eq(ss_test_texts(host), 3);
}

Test(attempts, counts_nothing_when_told_not_to_look_back)
{
	cr_expect_str_eq(attempts_for("{look_back: 0}", "I cannot log in", history), "1");
	cr_expect_eq(ss_test_calls(host, SS_TEST_EMBED), 0);
}

Test(attempts, passes_over_entries_that_are_no_messages)
{
	cr_expect_str_eq(attempts_for("", "I cannot log in",
				 "[7, null, {}, {\"role\": \"user\"},"
				 "{\"role\": \"user\", \"content\": \"\"},"
				 "{\"role\": 1, \"content\": \"I cannot log in\"}]"),
		"1");
	cr_expect_eq(ss_test_calls(host, SS_TEST_EMBED), 0);
}

Test(attempts, takes_it_still_does_not_work_for_the_question_before)
{
	cr_expect_str_eq(attempts_for("", "It still does not work.",
				 "[{\"role\": \"user\", \"content\": \"Where are my invoices?\"},"
				 "{\"role\": \"user\", \"content\": \"I cannot log in\"}]"),
		"2");
	cr_expect_str_eq(ss_test_asked(host, SS_TEST_EMBED),
		"I cannot log in\nWhere are my invoices?\nI cannot log in");
}

Test(attempts, counts_every_time_that_it_still_does_not_work)
{
	cr_expect_str_eq(
		attempts_for("", "ok tried that, same problem",
			"[{\"role\": \"user\", \"content\": \"Where are my invoices?\"},"
			"{\"role\": \"user\", \"content\": \"No luck\"},"
			"{\"role\": \"user\", \"content\": \"I cannot log in\"},"
			"{\"role\": \"user\", \"content\": \"Sorry, but that didn't help\"}]"),
		"3");
}

Test(attempts, counts_them_for_the_same_question_asked_again)
{
	cr_expect_str_eq(attempts_for("", "Still cannot log in",
				 "[{\"role\": \"user\", \"content\": \"I cannot log in\"},"
				 "{\"role\": \"user\", \"content\": \"that didn't help\"}]"),
		"3");
}

Test(attempts, counts_none_of_it_for_another_question)
{
	cr_expect_str_eq(attempts_for("", "Where are my invoices?",
				 "[{\"role\": \"user\", \"content\": \"I cannot log in\"},"
				 "{\"role\": \"user\", \"content\": \"that didn't help\"}]"),
		"1");
}

Test(attempts, does_not_take_a_new_trouble_for_the_one_before)
{
	cr_expect_str_eq(attempts_for("", "Slack is still not working",
				 "[{\"role\": \"user\", \"content\": \"I cannot log in\"}]"),
		"1");
}

Test(attempts, is_one_when_nothing_was_asked_before_it_still_does_not_work)
{
	cr_expect_str_eq(attempts_for("", "It still does not work",
				 "[{\"role\": \"user\", \"content\": \"That didn't help\"}]"),
		"1");
	cr_expect_eq(ss_test_calls(host, SS_TEST_EMBED), 0);
}

static const char recent[] = "[{\"role\": \"user\", \"content\": \"Login is broken\", \"at\": "
			     "\"2026-03-01T08:00:00.5Z\"},"
			     "{\"role\": \"user\", \"content\": \"Still cannot log in\", \"at\": "
			     "\"2026-03-02T08:00:00.5Z\"}]";

Test(attempts, counts_what_was_asked_in_other_conversations)
{
	ss_test_set(host, "recent", recent);
	cr_expect_str_eq(attempts_for("{similarity: 0.85}", "I cannot log in", "[]"), "3");
}

Test(attempts, counts_nothing_that_is_older_than_the_window)
{
	ss_test_set(host, "recent", recent);
	ss_test_set_text(host, "asked_at", "2026-03-02T09:00:00.000000Z");
	cr_expect_str_eq(
		attempts_for("{similarity: 0.85, window: 24h}", "I cannot log in", "[]"), "2");
}

Test(attempts, reads_the_end_of_the_window_to_the_second)
{
	ss_test_set(host, "recent", recent);
	ss_test_set_text(host, "asked_at", "2026-03-02T09:00:00.000000Z");
	cr_expect_str_eq(
		attempts_for("{similarity: 0.85, window: 3599s}", "I cannot log in", "[]"), "1");
}

Test(attempts, does_not_go_on_with_another_conversation)
{
	ss_test_set(host, "recent", recent);
	cr_expect_str_eq(attempts_for("", "It still does not work", "[]"), "1");
}

Test(attempts, works_in_a_workflow_without_recent_questions_and_times)
{
	ss_test_leave_out(host, "recent");
	ss_test_leave_out(host, "asked_at");
	cr_expect_str_eq(attempts_for("{similarity: 0.85}", "I cannot log in", history), "3");
}

Test(attempts, takes_the_phrases_from_its_options)
{
	cr_expect_str_eq(attempts_for("{again: [geht immer noch nicht]}", "Geht immer noch nicht!",
				 "[{\"role\": \"user\", \"content\": \"I cannot log in\"}]"),
		"2");
}

Test(attempts, takes_small_talk_for_no_attempt)
{
	ss_test_set_text(host, "small_talk", "You are welcome!");
	cr_expect_str_eq(
		attempts_for("", "thanks", "[{\"role\": \"user\", \"content\": \"thanks\"}]"), "1");
	cr_expect_eq(ss_test_calls(host, SS_TEST_EMBED), 0);
}

Test(attempts, fails_with_the_embedders_reason)
{
	struct ss_error err = {0};
	cr_assert_eq(ss_test_create(host, "", &err), 0);
	ss_test_set_text(host, "message", "I cannot log in");
	ss_test_set(host, "history", history);
	ss_test_fail(host, SS_TEST_EMBED, SS_UNAVAILABLE, "the model is busy");
	cr_expect_eq(ss_test_run(host, &err), SS_FAILED);
	cr_expect_eq(err.status, SS_UNAVAILABLE);
	cr_expect_str_eq(err.text, "the model is busy");
	ss_test_refuse(host, SS_TEST_EMBED, SS_LIMIT, "the queue is full");
	cr_expect_eq(ss_test_run(host, &err), SS_FAILED);
	cr_expect_str_eq(err.text, "the queue is full");
}
