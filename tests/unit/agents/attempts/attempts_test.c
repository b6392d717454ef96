#include "support/fake_host.h"

#include <criterion/criterion.h>
#include <string.h>

static struct fake_host *host;

static void begin(void)
{
	host = fake_host_new(&smartsupport_plugin);
	fake_host_dimension(host, 2);
	fake_host_vector(host, "I cannot log in", (const float[]){1, 0});
	fake_host_vector(host, "Still cannot log in", (const float[]){0.95f, 0.31f});
	fake_host_vector(host, "Login is broken", (const float[]){0.9f, 0.44f});
	fake_host_vector(host, "Where are my invoices?", (const float[]){0, 1});
}

static void end(void)
{
	fake_host_free(host);
}

TestSuite(attempts, .init = begin, .fini = end);

static const char *attempts_for(const char *options, const char *message, const char *history)
{
	struct ss_error err = {0};
	cr_assert_eq(fake_host_create(host, options, &err), 0, "%s", err.text);
	fake_host_set_text(host, "message", message);
	fake_host_set(host, "history", history);
	cr_assert_eq(fake_host_run(host, &err), SS_DONE, "%s", err.text);
	return fake_host_written_json(host, "attempts");
}

Test(attempts, is_one_for_a_first_question_and_embeds_nothing)
{
	cr_expect_str_eq(attempts_for("", "I cannot log in", "[]"), "1");
	cr_expect_eq(fake_host_calls(host, FAKE_EMBED), 0);
}

Test(attempts, embeds_nothing_when_only_the_assistant_wrote_before)
{
	cr_expect_str_eq(attempts_for("", "I cannot log in",
				 "[{\"role\": \"assistant\", \"content\": \"I cannot log in\"}]"),
		"1");
	cr_expect_eq(fake_host_calls(host, FAKE_EMBED), 0);
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
	cr_expect_eq(fake_host_calls(host, FAKE_EMBED), 1, "all texts in one call");
	cr_expect_str_eq(fake_host_asked(host, FAKE_EMBED),
		"I cannot log in\nStill cannot log in\nWhere are my invoices?\nLogin is broken");
}

Test(attempts, goes_by_the_configured_similarity)
{
	cr_expect_str_eq(attempts_for("{similarity: 0.94}", "I cannot log in", history), "2");
}

Test(attempts, looks_back_at_the_last_messages_only)
{
	cr_expect_str_eq(
		attempts_for("{similarity: 0.85, look_back: 2}", "I cannot log in", history), "2");
	cr_expect_eq(fake_host_texts(host), 3);
}

Test(attempts, counts_nothing_when_told_not_to_look_back)
{
	cr_expect_str_eq(attempts_for("{look_back: 0}", "I cannot log in", history), "1");
	cr_expect_eq(fake_host_calls(host, FAKE_EMBED), 0);
}

Test(attempts, passes_over_entries_that_are_no_messages)
{
	cr_expect_str_eq(attempts_for("", "I cannot log in",
				 "[7, null, {}, {\"role\": \"user\"},"
				 "{\"role\": \"user\", \"content\": \"\"},"
				 "{\"role\": 1, \"content\": \"I cannot log in\"}]"),
		"1");
	cr_expect_eq(fake_host_calls(host, FAKE_EMBED), 0);
}

Test(attempts, fails_with_the_embedders_reason)
{
	struct ss_error err = {0};
	cr_assert_eq(fake_host_create(host, "", &err), 0);
	fake_host_set_text(host, "message", "I cannot log in");
	fake_host_set(host, "history", history);
	fake_host_fail(host, FAKE_EMBED, SS_UNAVAILABLE, "the model is busy");
	cr_expect_eq(fake_host_run(host, &err), SS_FAILED);
	cr_expect_eq(err.status, SS_UNAVAILABLE);
	cr_expect_str_eq(err.text, "the model is busy");
	fake_host_refuse(host, FAKE_EMBED, SS_LIMIT, "the queue is full");
	cr_expect_eq(fake_host_run(host, &err), SS_FAILED);
	cr_expect_str_eq(err.text, "the queue is full");
}
