#include "support/fake_host.h"

#include <criterion/criterion.h>
#include <string.h>

static struct fake_host *host;

static void begin(void)
{
	host = fake_host_new(&smartsupport_plugin);
	fake_host_set_text(host, "conversation_id", "conv_42");
	fake_host_set_text(host, "sentiment", "Angry");
	fake_host_set(host, "kb_results", "[]");
}

static void end(void)
{
	fake_host_free(host);
}

TestSuite(escalation, .init = begin, .fini = end);

static const char *answer(const char *options)
{
	struct ss_error err = {0};
	cr_assert_eq(fake_host_create(host, options, &err), 0, "%s", err.text);
	cr_assert_eq(fake_host_run(host, &err), SS_DONE, "%s", err.text);
	return fake_host_written_text(host, "answer");
}

Test(escalation, names_the_case_and_is_no_answer_to_the_question)
{
	cr_expect_not_null(strstr(answer(""), "conv_42"));
	cr_expect_str_eq(fake_host_written_json(host, "answered"), "false");
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
	fake_host_set(host, "kb_results", "[{\"id\": \"a\", \"title\": \"Lost cards\"}]");
	cr_expect_not_null(strstr(answer(""), "\"Lost cards\""));
}

Test(escalation, refuses_a_text_that_does_not_name_the_case)
{
	struct ss_error err = {0};
	cr_assert_eq(fake_host_create(host, "{text: Wait.}", &err), -1);
	cr_expect_not_null(strstr(err.text, "{conversation_id}"));
}
