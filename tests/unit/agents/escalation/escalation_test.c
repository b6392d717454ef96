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
	ss_test_set_text(host, "conversation_id", "conv_42");
	ss_test_set_text(host, "sentiment", "Angry");
	ss_test_set(host, "kb_results", "[]");
}

static void end(void)
{
	ss_test_host_free(host);
}

TestSuite(escalation, .init = begin, .fini = end);

static const char *answer(const char *options)
{
	struct ss_error err = {0};
	cr_assert_eq(ss_test_create(host, options, &err), 0, "%s", err.text);
	cr_assert_eq(ss_test_run(host, &err), SS_DONE, "%s", err.text);
	return ss_test_written_text(host, "answer");
}

Test(escalation, names_the_case_and_is_no_answer_to_the_question)
{
	cr_expect_not_null(strstr(answer(""), "conv_42"));
	cr_expect_str_eq(ss_test_written_json(host, "answered"), "false");
}

Test(escalation, replaces_every_place_of_the_case)
{
	cr_expect_str_eq(
		answer("{openings: {}, text: '{conversation_id}, yes {conversation_id}.'}"),
		"conv_42, yes conv_42.");
}

Test(escalation, begins_with_the_opening_of_the_sentiment)
{
	cr_expect_str_eq(answer("{openings: {Angry: Sorry.}, text: 'Case {conversation_id}'}"),
		"Sorry. Case conv_42");
}

Test(escalation, offers_an_article_that_fits_meanwhile)
{
	ss_test_set(host, "kb_results", "[{\"id\": \"a\", \"title\": \"Lost cards\"}]");
	cr_expect_not_null(strstr(answer(""), "\"Lost cards\""));
}

Test(escalation, refuses_a_text_that_does_not_name_the_case)
{
	struct ss_error err = {0};
	cr_assert_eq(ss_test_create(host, "{text: Wait.}", &err), -1);
	cr_expect_not_null(strstr(err.text, "{conversation_id}"));
}

Test(escalation, shows_what_the_customer_is_told)
{
	const char *text = answer("");
	cr_expect_str_eq(ss_test_emitted(host), text);
}

/* A conversation with everything known. */
static void set_facts(void)
{
	ss_test_set_text(host, "escalation_reason", "priority 9 >= 8");
	ss_test_set_text(host, "user_name", "Ada");
	ss_test_set(host, "vip", "true");
	ss_test_set(host, "attempts", "3");
	ss_test_set_text(host, "category", "Billing");
	ss_test_set(host, "priority", "9");
	ss_test_set_text(host, "message", "Charged\ntwice!");
	ss_test_set(host, "history",
		"[{\"role\": \"user\", \"content\": \"Hi\"},"
		" {\"role\": \"assistant\", \"content\": \"Hello\"}]");
	ss_test_set(host, "kb_results", "[{\"id\": \"a\", \"title\": \"Refunds\"}]");
}

static const char facts[] = "Why: priority 9 >= 8\n"
			    "Customer: Ada, VIP, attempt 3\n"
			    "Category: Billing\n"
			    "Sentiment: Angry\n"
			    "Priority: 9\n"
			    "Asks: Charged twice!\n"
			    "Before (2 messages):\n"
			    "- customer: Hi\n"
			    "- support: Hello\n"
			    "Nearest article: Refunds";

static const char *summary(void)
{
	return ss_test_written_text(host, "handover_summary");
}

Test(summary, tells_the_facts_without_a_model, .init = begin, .fini = end)
{
	set_facts();
	(void)answer("");
	cr_expect_str_eq(summary(), facts);
	cr_expect_eq(ss_test_calls(host, SS_TEST_GENERATE), 0);
}

Test(summary, leaves_out_what_is_not_known, .init = begin, .fini = end)
{
	(void)answer("");
	cr_expect_str_eq(summary(), "Sentiment: Angry");
}

Test(summary, cuts_long_messages_and_leaves_out_old_ones, .init = begin, .fini = end)
{
	char history[4096] = "[";
	for (int i = 0; i < 9; i++)
		(void)snprintf(history + strlen(history), sizeof history - strlen(history),
			"%s{\"role\": \"user\", \"content\": \"m%d\"}", i > 0 ? "," : "", i);
	strcat(history, "]");
	char message[700] = "";
	for (int i = 0; i < 300; i++)
		strcat(message, "ä"); /* two bytes each, and the limit falls into one */
	memmove(message + 1, message, strlen(message) + 1);
	message[0] = 'x';
	ss_test_set_text(host, "message", message);
	ss_test_set(host, "history", history);
	(void)answer("");
	cr_expect_not_null(strstr(summary(), "Before (9 messages):\n- customer: m3\n"));
	cr_expect_null(strstr(summary(), "m2"));
	cr_expect_not_null(strstr(summary(), "ä …\n"), "%s", summary());
}

/* With the prompt TEXT and MORE options. */
static const char *ask(const char *text, const char *more)
{
	char path[] = "/tmp/prompt-XXXXXX";
	char options[256];
	int fd = mkstemp(path);
	cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	(void)close(fd);
	(void)snprintf(options, sizeof options, "{prompt: %s%s}", path, more);
	set_facts();
	(void)answer(options);
	(void)unlink(path);
	return summary();
}

Test(summary, is_the_models_where_there_is_a_prompt, .init = begin, .fini = end)
{
	ss_test_answer(host, " Ada was charged twice. \n", "[]", "m");
	cr_expect_str_eq(ask("Sum up: {{escalation_reason}}", ""), "Ada was charged twice.");
	const struct ss_prompt *prompt = ss_test_last_prompt(host);
	cr_expect_str_eq(prompt->instructions.data, "Sum up: priority 9 >= 8");
	cr_expect_eq(prompt->use, SS_PROMPT_TASK);
	cr_expect_not_null(strstr(ss_test_written_text(host, "answer"), "conv_42"));
}

Test(summary, of_the_facts_takes_the_place_of_a_model_that_fails, .init = begin, .fini = end)
{
	ss_test_fail(host, SS_TEST_GENERATE, SS_UNAVAILABLE, "it is away");
	cr_expect_str_eq(ask("Sum up.", ""), facts);
	cr_expect_not_null(strstr(ss_test_log(host), "it is away"));
}

Test(summary, of_the_facts_takes_the_place_of_a_model_that_is_not_there, .init = begin, .fini = end)
{
	ss_test_refuse(host, SS_TEST_GENERATE, SS_UNAVAILABLE, "no model is configured");
	cr_expect_str_eq(ask("Sum up.", ""), facts);
}

Test(summary, of_the_facts_takes_the_place_of_a_model_that_says_nothing, .init = begin, .fini = end)
{
	ss_test_answer(host, " \n", "[]", "m");
	cr_expect_str_eq(ask("Sum up.", ""), facts);
}

Test(summary, of_the_facts_takes_the_place_of_a_model_that_is_slow, .init = begin, .fini = end)
{
	ss_test_waits_first(host);
	ss_test_answer(host, "late", "[]", "m");
	cr_expect_str_eq(ask("Sum up.", ", model_timeout: 2s"), facts);
	cr_expect_str_eq(ss_test_asked(host, SS_TEST_WAIT), "2");
}

Test(summary, of_a_model_is_bounded, .init = begin, .fini = end)
{
	char text[5000];
	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = '\0';
	ss_test_answer(host, text, "[]", "m");
	cr_expect_eq(strlen(ask("Sum up.", "")), 2000);
}
